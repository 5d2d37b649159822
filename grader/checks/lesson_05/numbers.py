"""Checks of the loop's small formulas: whitening, entropy, explained variance."""

import math
from dataclasses import replace

import numpy as np

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Number,
    Symptom,
    TensorOf,
    View,
    close,
    plain,
)
from grader.checks.lesson_05 import formulas
from grader.checks.shared.any_truth import AnyTruth
from grader.checks.shared.cases import caller, tensor_caller
from grader.checks.shared.categorical import of_logits
from grader.checks.shared.ppo_update import log_softmax
from grader.checks.shared.slips import listed
from grader.checks.shared.whitening import whitened

# Numbers that differ by so little are whitened, too. An epsilon of 1e-5 or one under the root shows
# in their length, and is no mistake: they need but have the right direction and, roughly, size.
SMALL_SPREAD, ROUGHLY = 8e-4, 0.5


def advantage_cases(rng):
    """A mean and a spread that tell the axes apart; one sample; equal ones, exact and rounded."""
    plain = np.array([[1.0, 5.0], [3.0, -5.0], [11.0, 0.0]])
    scale = float(rng.uniform(5, 50))
    small = rng.normal(size=7)
    return [
        Case({"adv": np.array([1.0, 3.0])}),
        Case({"adv": plain}),
        Case({"adv": np.full((2, 3), 2.5)}, edge=True),
        Case({"adv": np.array([[4.0]])}, edge=True),
        Case({"adv": rng.normal(size=(4, 3)) * scale + 2 * scale}),
        Case({"adv": View(rng.normal(size=(5, 2)) + 3, "read_only")}),
        Case({"adv": View(rng.normal(size=(2, 4)) - 1, "strided")}),
        *[Case({"adv": numbers}, edge=True) for numbers in equal_numbers()],
        # Of one spread whatever was drawn: a small constant beside the deviation shows or it
        # doesn't, in a notebook as in grading.
        Case({"adv": small / small.std() * 0.1}),
        # One good sample among 400: it lies 20 deviations off, and stays there.
        Case({"adv": np.eye(1, 400, int(rng.integers(400))).reshape(40, 10)}),
        *(Case({"adv": numbers}, edge=True) for numbers in nearly_equal_numbers()),
        Case({"adv": small / small.std() * SMALL_SPREAD}, edge=True),
    ]


def equal_numbers():
    """Equal numbers whose mean, as NumPy takes it, is off by a rounding error."""
    return [
        np.full(7, 0.3, dtype=np.float32),
        np.full((2, 5), 1000.1, dtype=np.float32),
        np.full(13, 0.1, dtype=np.float32),
        np.full(7, 123456789.1),
        np.full((3, 1), 1e16 / 3),
    ]


def nearly_equal_numbers():
    """Equal along one axis alone, and two that np.isclose takes for equal; their mean and
    deviation are exact in float32, too."""
    return [
        np.array([[1.0, 3.0]]),
        np.array([[1.0, 3.0], [1.0, 3.0]]),
        np.array([[1.0, 1.0], [3.0, 3.0]]),
        np.array([2.0**20, 2.0**20 + 8]),
    ]


def taken_for_equal(case, one, truth):
    """Numbers that differ came out as 0."""
    return np.any(truth.value) and not np.any(one["value"]["array"])


def not_zero(case, one, truth):
    """Numbers that are all equal did not come out as 0."""
    return not np.any(truth.value) and np.isfinite(one["value"]["array"]).all()


def whitened_along(axis):
    def wrong(adv):
        adv = np.asarray(adv)
        axis_here = axis if adv.ndim > 1 else 0
        middle, spread = (f(axis=axis_here, keepdims=True) for f in (adv.mean, adv.std))
        return (adv - middle) / (spread + 1e-8)

    return wrong


def bounded(case, one, truth):
    """Right but for the numbers far off the mean, all cut at one bound."""
    found, wanted = np.asarray(one["value"]["array"], float), np.asarray(truth.value, float)
    bound = np.abs(found).max()
    return bound > 1 and close(found, np.clip(wanted, -bound, bound), 1e-3).all()


def slightly_short(case, one, truth):
    """The truth, all of it shorter by the same hundredth or less."""
    found, wanted = np.asarray(one["value"]["array"], float), np.asarray(truth.value, float)
    length = (found * wanted).sum() / max((wanted**2).sum(), 1e-9)
    return 0.99 < length < 0.9998 and np.allclose(found, length * wanted, rtol=1e-5, atol=1e-9)


NORMALIZE_HINTS = {
    "not-finite": "What is the standard deviation of one sample, or of equal ones? And what is 0 / "
    "0?",
    "equal-not-zero": "All of these numbers are equal, and so nothing is better than expected. "
    "Print adv.mean() - adv.flat[0]: the mean of equal numbers is rounded. What tells exactly "
    "whether numbers are equal?",
    "differ-taken-for-equal": "These numbers differ, and 0 came back. Does your condition ask "
    "whether all of them are equal, along both axes, and exactly?",
    "per-environment": "One mean and one deviation for the whole batch, over both axes.",
    "per-step": "One mean and one deviation for the whole batch, over both axes.",
    "not-scaled": "The mean is zero now. And the standard deviation?",
    "range-not-deviation": "Unit standard deviation is asked, not unit range.",
    "clipped": "A sample far better than the others stays far better. What cuts it off?",
    "large-epsilon": "Too short by a little. How large is what stands beside the deviation?",
}
NORMALIZE_FACES = {
    "no-parentheses": lambda adv: np.asarray(adv) - np.mean(adv) / (np.std(adv) + 1e-8),
    "not-finite": Symptom(lambda case, one, truth: not np.isfinite(one["value"]["array"]).all()),
    "equal-not-zero": Symptom(not_zero),
    "differ-taken-for-equal": Symptom(taken_for_equal),
    "per-environment": whitened_along(0),
    "per-step": whitened_along(1),
    "variance-not-deviation": lambda adv: (np.asarray(adv) - np.mean(adv)) / (np.var(adv) + 1e-8),
    "not-scaled": lambda adv: np.asarray(adv) - np.mean(adv),
    "not-centred": lambda adv: np.asarray(adv) / (np.std(adv) + 1e-8),
    "range-not-deviation": lambda adv: (np.asarray(adv) - np.mean(adv)) / (np.ptp(adv) + 1e-8),
    # First: cut at the largest of its own numbers, what is short by a little looks clipped, too.
    "large-epsilon": Symptom(slightly_short),
    "clipped": Symptom(bounded),
}


class Whitening(AnyTruth):
    def ladder(self, case, seen, truth):
        small = isinstance(truth, Expected) and np.ptp(plain(case.inputs["adv"])) < 0.01
        one = replace(self, relative=ROUGHLY) if small else self
        return AnyTruth.ladder(one, case, seen, truth)


NORMALIZE = Whitening(
    "normalize_advantages",
    advantage_cases,
    whitened,
    formula=formulas.normalize_formula,
    others=(lambda adv: whitened(adv, ddof=1),),
    relative=2e-4,
    mistakes=listed(NORMALIZE_FACES, NORMALIZE_HINTS),
)


def entropy_cases(rng):
    """Closed forms first; probabilities that underflow, alone and beside ordinary rows."""

    def case(rows, dtype=np.float64):
        weights = rng.uniform(0.5, 2, len(rows)).astype(dtype)
        return tensor_caller("logits")(rows, dtype=dtype, grad=("logits",), upstream=weights)

    return [
        case([[0.0, math.log(3.0)]]),
        case([[0.0, 0.0, 0.0], [1.0, 2.0, 4.0], [5.0, 5.0, -5.0]]),
        case([[0.0, -800.0], [0.3, 0.1]]),
        case([[1e4, 0.0], [0.3, 0.1], [-1e4, 1e4]], np.float32),
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


def terms(logits):
    """p log p of each action."""
    return torch_logp(logits).exp() * torch_logp(logits)


def plain_entropy(logits, axis=-1):
    """The formula typed in as it stands, without a thought for p = 0."""
    import torch

    probs = torch.softmax(logits, axis)
    return -(probs * torch.log(probs)).sum(axis)


def nan_in_gradient(case, one, truth):
    """The values are right, a derivative is nan or infinite."""
    slope = one["gradients"]["logits"]
    return close(one["value"]["array"], truth.value).all() and not np.isfinite(slope).all()


def of_one_action(case, one, truth):
    """Each row has minus the log-probability of some action of its own."""
    found = np.asarray(one["value"]["array"], float)
    rows = log_softmax(np.asarray(case.inputs["logits"].array, float))
    return not close(found, truth.value).all() and all(
        np.isclose(-row, number, rtol=1e-4).any() for row, number in zip(rows, found, strict=True)
    )


def slightly_low(case, one, truth):
    """A little below the truth in every row, as log(p + epsilon) makes it."""
    less = np.asarray(truth.value, float) - np.asarray(one["value"]["array"], float)
    off = not close(one["value"]["array"], truth.value).all()
    return off and bool((less >= 0).all()) and less.max() < 0.02


ENTROPY_HINTS = {
    "underflow": "A probability can underflow to 0. What is 0 times log 0 for the computer? "
    "log_softmax never takes the log of a 0.",
    "underflow-gradient": "The entropy is finite, its gradient is not: hiding the nan of 0 times "
    "log 0 in the value leaves it in the derivative. log_softmax never takes the log of a 0.",
    "batch-axis": "Which axis holds the actions?",
    "minus-sign": "An entropy is never negative: compare with log A for a uniform row.",
    "not-summed": "The entropy is one number a row: a mean of -log p over the actions, weighted by "
    "what?",
    "unweighted": "An average under the policy: a rare action counts rarely.",
    "unweighted-mean": "An average under the policy: a rare action counts rarely.",
    "mean-over-actions": "Sum over the actions: the probabilities are the weights.",
    "batch-mean": "One entropy for each row is asked, (B,). Who averages them?",
    "likeliest-only": "Sum over all actions, not over the likeliest one alone.",
    "one-action": "Sum over all actions: the log-probability of a single one is not the entropy.",
    "epsilon-in-log": "What is added inside the logarithm shows in the result. log_softmax needs "
    "no such help.",
    "base-two": "The natural logarithm is asked: two equal actions give log 2.",
    "no-gradient": "The bonus moves the policy through its gradient. Where was the graph cut?",
    "epsilon-in-log/gradient": "What is added inside the logarithm shows in the result, or in its "
    "gradient. log_softmax needs no such help.",
    "logit-not-log": "The logit is no log-probability: p log p is summed, not p times the logit.",
}
ENTROPY_FACES = {
    "underflow": plain_entropy,
    "underflow-gradient": Symptom(nan_in_gradient),
    "batch-axis": lambda logits: -(logits.softmax(0) * logits.log_softmax(0)).sum(-1),
    "minus-sign": lambda logits: terms(logits).sum(-1),
    "not-summed": lambda logits: -terms(logits),
    "unweighted": lambda logits: -torch_logp(logits).sum(-1),
    "unweighted-mean": lambda logits: -torch_logp(logits).mean(-1),
    "mean-over-actions": lambda logits: -terms(logits).mean(-1),
    "batch-mean": lambda logits: -terms(logits).sum(-1).mean(),
    "likeliest-only": Symptom(
        lambda case, one, truth: close(
            one["value"]["array"], -log_softmax(case.inputs["logits"].array).max(-1)
        ).all()
    ),
    "one-action": Symptom(of_one_action),
    "epsilon-in-log": Symptom(slightly_low),
    "base-two": lambda logits: -terms(logits).sum(-1) / math.log(2),
    "no-gradient": lambda logits: -terms(logits).sum(-1).detach(),
    "epsilon-in-log/gradient": tuple(
        lambda logits, e=e: -(logits.softmax(-1) * (logits.softmax(-1) + e).log()).sum(-1)
        for e in (1e-5, 1e-6, 1e-7, 1e-8)
    ),
    "logit-not-log": lambda logits: -(logits.softmax(-1) * logits).sum(-1),
    "softmax-twice": (
        lambda logits: -terms(logits.softmax(-1)).sum(-1),
        lambda logits: -(logits.softmax(-1) * torch_logp(logits.softmax(-1))).sum(-1),
    ),
    "logits-as-probabilities": (
        lambda logits: of_logits(logits, True).entropy(),
        lambda logits: of_logits(logits, False).entropy(),
    ),
}
ENTROPY = FunctionExercise(
    "entropy",
    entropy_cases,
    entropy_truth,
    formula=(formulas.entropy_formula, formulas.entropy_of_probabilities),
    kind=TensorOf(),
    mistakes=listed(ENTROPY_FACES, ENTROPY_HINTS),
)


def variance_cases(rng):
    """Perfect, constant and offset predictions; returns that don't vary, exact and rounded."""
    rounded = [np.full(64, 0.1, np.float32), *equal_numbers()]
    returns = rng.normal(size=(4, 3)) * 3 + 5
    case = caller("values", "returns")
    return [
        case([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]),
        case([0.0, 1.0], [1.0, 3.0]),
        case([11.0, 12.0, 15.0], [1.0, 2.0, 4.0]),
        case([3.0, 1.0], [1.0, 3.0]),
        case([0.5, 2.0, 1.0, 0.0], [1.0, 4.0, 0.0, -2.0]),
        case([1.0, 2.0], [2.5, 2.5], edge=True),
        case([1.5, 1.5, 1.5], [1.0, 2.0, 4.0]),
        *[case(rng.normal(size=x.shape).astype(x.dtype), x, edge=True) for x in rounded],
        case([0.0, 0.001], [0.001, 0.003], edge=True),
        case([0.0, 1e-9], [1e-9, 3e-9], edge=True),
        case([1.0], [2.0], edge=True),
        case(returns * 0.7 + rng.normal(size=(4, 3)), returns),
        case(View(rng.normal(size=5), "strided"), rng.normal(size=5)),
        case(View(rng.normal(size=(2, 3)), "read_only"), rng.normal(size=(2, 3))),
    ]


def explained_truth(values, returns):
    """Both variances summed by their definition."""
    values, returns = (np.asarray(x, dtype=float).ravel().tolist() for x in (values, returns))
    if min(returns) == max(returns):
        return math.nan
    whole = _spread(returns)
    rest = _spread([r - v for v, r in zip(values, returns, strict=True)])
    return 1 - rest / whole


def _spread(numbers):
    mean = math.fsum(numbers) / len(numbers)
    return math.fsum((x - mean) ** 2 for x in numbers)


def guarded(formula):
    def wrong(values, returns):
        values, returns = np.asarray(values), np.asarray(returns)
        with np.errstate(all="ignore"):
            return float(formula(values, returns)) if np.var(returns) else math.nan

    return wrong


def by_the_values(case, one, truth):
    """Divided by the variance of the values, where both vary."""
    values, returns = (plain(case.inputs[name]) for name in ("values", "returns"))
    if not np.var(returns) or not np.var(values):
        return False
    swapped, found = 1 - np.var(returns - values) / np.var(values), one["value"]["value"]
    return close(found, swapped).all() and not close(found, truth.value).all()


EXPLAINED_VARIANCE_HINTS = {
    "roles-swapped": "Which of the two is to be explained: the values or the returns?",
    "small-taken-for-equal": "These returns are small, and yet they differ. Does your condition "
    "ask whether they are equal?",
    "nan-for-constant-values": "nan is for returns that don't vary. A critic that always says the "
    "same explains nothing of returns that do: how much is that?",
    "unexplained": "For a perfect critic this must be 1.",
    "error-not-variance": "Add 10 to every value: the variance of the error doesn't notice.",
    "correlation": "Double every value: a correlation doesn't notice, the explained variance does.",
    "deviation": "Variances are compared, not standard deviations.",
    "ratio-of-variances": "Values may vary as much as returns and still be wrong. What varies in a "
    "good prediction's error?",
    "variance-of-equal-returns": "These returns are all equal, and yet their variance is not 0: "
    "print it. The mean is rounded. What tells exactly whether numbers are equal?",
    "no-nan": "Where the returns don't vary, there is nothing to explain: nan is asked.",
    "two-divisors": "Both variances divide by the same number, N or N - 1.",
    "cut-at-zero": "A critic worse than the mean has a negative number here. Leave it so.",
}
EXPLAINED_VARIANCE_FACES = {
    "roles-swapped": Symptom(by_the_values),
    "small-taken-for-equal": Symptom(
        lambda case, one, truth: (
            np.isnan(one["value"]["value"])
            and np.isfinite(truth.value)
            and np.ptp(plain(case.inputs["returns"])) < 0.01
        )
    ),
    "nan-for-constant-values": Symptom(
        lambda case, one, truth: np.isnan(one["value"]["value"]) and np.isfinite(truth.value)
    ),
    "unexplained": guarded(lambda v, r: np.var(r - v) / np.var(r)),
    "error-not-variance": guarded(lambda v, r: 1 - np.mean((r - v) ** 2) / np.var(r)),
    "correlation": guarded(lambda v, r: np.corrcoef(v.ravel(), r.ravel())[0, 1] ** 2),
    "deviation": guarded(lambda v, r: 1 - np.std(r - v) / np.std(r)),
    "ratio-of-variances": guarded(lambda v, r: np.var(v) / np.var(r)),
    "variance-of-equal-returns": Symptom(
        lambda case, one, truth: np.isnan(truth.value) and np.var(plain(case.inputs["returns"])) > 0
    ),
    "no-nan": Symptom(lambda case, one, truth: np.isnan(truth.value)),
    "two-divisors": (
        guarded(lambda v, r: 1 - np.var(r - v) / np.var(r, ddof=1)),
        guarded(lambda v, r: 1 - np.var(r - v, ddof=1) / np.var(r)),
    ),
    "cut-at-zero": guarded(lambda v, r: max(0.0, 1 - np.var(r - v) / np.var(r))),
}
EXPLAINED_VARIANCE = FunctionExercise(
    "explained_variance",
    variance_cases,
    explained_truth,
    formula=(formulas.explained_variance_formula, formulas.explained_variance_by_squares),
    kind=Number(),
    mistakes=listed(EXPLAINED_VARIANCE_FACES, EXPLAINED_VARIANCE_HINTS),
)
