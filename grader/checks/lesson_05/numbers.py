"""Checks of the loop's small formulas: whitening, entropy, explained variance."""

import math
from dataclasses import dataclass, replace

import numpy as np

from grader.exercise import N_, Case, Expected, FunctionExercise, Mistake, Number, TensorOf, close
from grader.probes.inputs import Tensor, View
from grader.replay import log_softmax


@dataclass(frozen=True)
class AnyTruth(FunctionExercise):
    """Where the syllabus leaves a choice open: right is who agrees with one truth throughout."""

    others: tuple = ()

    def problem(self, cases, seen):
        problems = []
        for truth in (self.truth, *self.others):
            problem = FunctionExercise.problem(replace(self, truth=truth), cases, seen)
            if problem is None:
                return None
            problems.append(problem)
        return next((p for p in problems if p.mistake), problems[0])


def advantage_cases(rng):
    """A mean and a spread that tell the axes apart; one sample; equal ones (exact in binary)."""
    plain = np.array([[1.0, 5.0], [3.0, -5.0], [11.0, 0.0]])
    scale = float(rng.uniform(5, 50))
    return [
        Case({"adv": np.array([1.0, 3.0])}),
        Case({"adv": plain}),
        Case({"adv": np.full((2, 3), 2.5)}),
        Case({"adv": np.array([[4.0]])}),
        Case({"adv": rng.normal(size=(4, 3)) * scale + 2 * scale}),
        Case({"adv": View(rng.normal(size=(5, 2)) + 3, "read_only")}),
        Case({"adv": View(rng.normal(size=(2, 4)) - 1, "reversed")}),
        Case({"adv": rng.normal(size=7) * 0.1}),
    ]


def whitened(adv, ddof=0):
    """Mean and deviation summed by their definition; zeros where nothing varies."""
    adv = np.asarray(adv, dtype=float)
    numbers = adv.ravel().tolist()
    mean = math.fsum(numbers) / len(numbers)
    square = math.fsum((x - mean) ** 2 for x in numbers) / max(len(numbers) - ddof, 1)
    return (adv - mean) / math.sqrt(square) if square else np.zeros_like(adv)


def whitened_along(axis):
    def wrong(adv):
        adv = np.asarray(adv)
        axis_here = axis if adv.ndim > 1 else 0
        middle, spread = (f(axis=axis_here, keepdims=True) for f in (adv.mean, adv.std))
        return (adv - middle) / (spread + 1e-8)

    return wrong


def without_guard(adv):
    with np.errstate(all="ignore"):
        return (np.asarray(adv) - np.mean(adv)) / np.std(adv)


NORMALIZE = AnyTruth(
    "normalize_advantages",
    advantage_cases,
    whitened,
    others=(lambda adv: whitened(adv, ddof=1),),
    relative=2e-4,
    mistakes=(
        Mistake(
            "no-parentheses",
            N_("Division comes before subtraction. What is divided here?"),
            like=lambda adv: np.asarray(adv) - np.mean(adv) / (np.std(adv) + 1e-8),
        ),
        Mistake(
            "not-finite",
            N_(
                "What is the standard deviation of one sample, or of equal ones? And what is 0 / 0?"
            ),
            when=lambda case, one, truth: not np.isfinite(one["value"]["array"]).all(),
        ),
        Mistake(
            "per-environment",
            N_("One mean and one deviation for the whole batch, over both axes."),
            like=whitened_along(0),
        ),
        Mistake(
            "per-step",
            N_("One mean and one deviation for the whole batch, over both axes."),
            like=whitened_along(1),
        ),
        Mistake(
            "variance-not-deviation",
            N_("Divide by the deviation. Which unit does a variance have?"),
            like=lambda adv: (np.asarray(adv) - np.mean(adv)) / (np.var(adv) + 1e-8),
        ),
        Mistake(
            "not-scaled",
            N_("The mean is zero now. And the standard deviation?"),
            like=lambda adv: np.asarray(adv) - np.mean(adv),
        ),
        Mistake(
            "not-centred",
            N_("The standard deviation is one now. And the mean?"),
            like=lambda adv: np.asarray(adv) / (np.std(adv) + 1e-8),
        ),
        Mistake(
            "range-not-deviation",
            N_("Unit standard deviation is asked, not unit range."),
            like=lambda adv: (np.asarray(adv) - np.mean(adv)) / (np.ptp(adv) + 1e-8),
        ),
    ),
)


def entropy_cases(rng):
    """Closed forms first; probabilities that underflow, alone and beside ordinary rows."""

    def case(rows, dtype=np.float64):
        rows = np.array(rows, dtype=dtype)
        return Case(
            {"logits": Tensor(rows, True)}, upstream=rng.uniform(0.5, 2, len(rows)).astype(dtype)
        )

    return [
        case([[0.0, math.log(3.0)]]),
        case([[0.0, 0.0, 0.0], [1.0, 2.0, 4.0], [5.0, 5.0, -5.0]]),
        case([[0.0, -800.0], [0.3, 0.1]]),
        case([[1e4, 0.0], [0.3, 0.1], [-1e4, 1e4]], np.float32),
        case([[2.0], [7.0]]),
        case(rng.normal(size=(int(rng.integers(2, 6)), int(rng.integers(2, 6)))) * 2),
        case(rng.normal(size=(4, 3)) * 2, np.float32),
    ]


def entropy_truth(logits):
    """-sum p log p term by term, with 0 log 0 = 0; derivative -p_j (log p_j + H)."""
    rows = [_entropy_of(row) for row in np.asarray(logits, dtype=float)]
    value, slope = (np.array(part) for part in zip(*rows, strict=True))
    return Expected(
        value, {"logits": lambda upstream: (upstream * np.ones(len(slope)))[:, None] * slope}
    )


def _entropy_of(row):
    top = max(row)
    total = math.log(math.fsum(math.exp(x - top) for x in row)) + top
    logp = [x - total for x in row]
    value = -math.fsum(math.exp(x) * x for x in logp)
    return value, [-math.exp(x) * (x + value) for x in logp]


def torch_logp(logits):
    import torch

    return torch.log_softmax(logits, -1)


def plain_entropy(logits, axis=-1):
    """The formula typed in as it stands, without a thought for p = 0."""
    import torch

    probs = torch.softmax(logits, axis)
    return -(probs * torch.log(probs)).sum(axis)


ENTROPY = FunctionExercise(
    "entropy",
    entropy_cases,
    entropy_truth,
    kind=TensorOf(),
    mistakes=(
        Mistake(
            "underflow",
            N_(
                "A probability can underflow to 0. What is 0 times log 0 for the "
                "computer? log_softmax never takes the log of a 0."
            ),
            like=plain_entropy,
        ),
        Mistake(
            "sign",
            N_("An entropy is never negative: compare with log A for a uniform row."),
            like=lambda logits: (torch_logp(logits).exp() * torch_logp(logits)).sum(-1),
        ),
        Mistake(
            "not-summed",
            N_(
                "The entropy is one number a row: a mean of -log p over the "
                "actions, weighted by what?"
            ),
            like=lambda logits: -(torch_logp(logits).exp() * torch_logp(logits)),
        ),
        Mistake(
            "unweighted",
            N_("An average under the policy: a rare action counts rarely."),
            like=lambda logits: -torch_logp(logits).sum(-1),
        ),
        Mistake(
            "unweighted-mean",
            N_("An average under the policy: a rare action counts rarely."),
            like=lambda logits: -torch_logp(logits).mean(-1),
        ),
        Mistake(
            "mean-over-actions",
            N_("Sum over the actions: the probabilities are the weights."),
            like=lambda logits: -(torch_logp(logits).exp() * torch_logp(logits)).mean(-1),
        ),
        Mistake(
            "batch-mean",
            N_("One entropy for each row is asked, (B,). Who averages them?"),
            like=lambda logits: -(torch_logp(logits).exp() * torch_logp(logits)).sum(-1).mean(),
        ),
        Mistake(
            "likeliest-only",
            N_("Sum over all actions, not over the likeliest one alone."),
            when=lambda case, one, truth: close(
                one["value"]["array"], -log_softmax(case.inputs["logits"].array).max(-1)
            ).all(),
        ),
        Mistake(
            "base-two",
            N_("The natural logarithm is asked: two equal actions give log 2."),
            like=lambda logits: (
                -(torch_logp(logits).exp() * torch_logp(logits)).sum(-1) / math.log(2)
            ),
        ),
        Mistake(
            "no-gradient",
            N_("The bonus moves the policy through its gradient. Where was the graph cut?"),
            like=lambda logits: -(torch_logp(logits).exp() * torch_logp(logits)).sum(-1).detach(),
        ),
    ),
)


def variance_cases(rng):
    """Perfect, constant and offset predictions; returns that don't vary (exact in binary)."""
    returns = rng.normal(size=(4, 3)) * 3 + 5
    return [
        Case({"values": np.array([1.0, 2.0, 4.0]), "returns": np.array([1.0, 2.0, 4.0])}),
        Case({"values": np.array([0.0, 1.0]), "returns": np.array([1.0, 3.0])}),
        Case({"values": np.array([11.0, 12.0, 15.0]), "returns": np.array([1.0, 2.0, 4.0])}),
        Case({"values": np.array([3.0, 1.0]), "returns": np.array([1.0, 3.0])}),
        Case(
            {"values": np.array([0.5, 2.0, 1.0, 0.0]), "returns": np.array([1.0, 4.0, 0.0, -2.0])}
        ),
        Case({"values": np.array([1.0, 2.0]), "returns": np.array([2.5, 2.5])}),
        Case({"values": np.array([1.0]), "returns": np.array([2.0])}),
        Case({"values": returns * 0.7 + rng.normal(size=(4, 3)), "returns": returns}),
        Case({"values": View(rng.normal(size=5), "reversed"), "returns": rng.normal(size=5)}),
        Case(
            {
                "values": View(rng.normal(size=(2, 3)), "read_only"),
                "returns": rng.normal(size=(2, 3)),
            }
        ),
    ]


def explained_truth(values, returns):
    """Both variances summed by their definition."""
    values, returns = (np.asarray(x, dtype=float).ravel().tolist() for x in (values, returns))
    whole = _spread(returns)
    rest = _spread([r - v for v, r in zip(values, returns, strict=True)])
    return 1 - rest / whole if whole else math.nan


def _spread(numbers):
    mean = math.fsum(numbers) / len(numbers)
    return math.fsum((x - mean) ** 2 for x in numbers)


def guarded(formula):
    def wrong(values, returns):
        values, returns = np.asarray(values), np.asarray(returns)
        with np.errstate(all="ignore"):
            return float(formula(values, returns)) if np.var(returns) else math.nan

    return wrong


def without_nan(values, returns):
    with np.errstate(all="ignore"):
        return 1 - np.var(np.asarray(returns) - np.asarray(values)) / np.var(returns)


EXPLAINED_VARIANCE = FunctionExercise(
    "explained_variance",
    variance_cases,
    explained_truth,
    kind=Number(),
    mistakes=(
        Mistake(
            "roles-swapped",
            N_("Which of the two is to be explained: the values or the returns?"),
            like=lambda values, returns: guarded(lambda v, r: 1 - np.var(r - v) / np.var(v))(
                values, returns
            ),
        ),
        Mistake(
            "unexplained",
            N_("For a perfect critic this must be 1."),
            like=guarded(lambda v, r: np.var(r - v) / np.var(r)),
        ),
        Mistake(
            "error-not-variance",
            N_("Add 10 to every value: the variance of the error doesn't notice."),
            like=guarded(lambda v, r: 1 - np.mean((r - v) ** 2) / np.var(r)),
        ),
        Mistake(
            "correlation",
            N_("Double every value: a correlation doesn't notice, the explained variance does."),
            like=guarded(lambda v, r: np.corrcoef(v.ravel(), r.ravel())[0, 1] ** 2),
        ),
        Mistake(
            "deviation",
            N_("Variances are compared, not standard deviations."),
            like=guarded(lambda v, r: 1 - np.std(r - v) / np.std(r)),
        ),
        Mistake(
            "ratio-of-variances",
            N_(
                "Values may vary as much as returns and still be wrong. "
                "What varies in a good prediction's error?"
            ),
            like=guarded(lambda v, r: np.var(v) / np.var(r)),
        ),
        Mistake(
            "no-nan",
            N_("Where the returns don't vary, there is nothing to explain: nan is asked."),
            when=lambda case, one, truth: np.isnan(truth.value),
        ),
    ),
)
