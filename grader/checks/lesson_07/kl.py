"""The KL's gradient: a loss whose gradient is right, and three estimates differentiated."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import Case, Expected, FunctionExercise, Symptom, Tensor, TensorOf
from grader.checks.lesson_07 import formulas
from grader.checks.lesson_07.aggregate import EMPTY_ROW, ONE_TRUE, kept, ragged
from grader.checks.shared.masks import of_nothing, spoiled_outside
from grader.checks.shared.ratios import HUGE, far_from_one, logs
from grader.checks.shared.slips import listed


def kl_cases(rng, **options):
    """One row by hand; gaps and an empty row; float32; nothing; an overflow outside."""
    example = np.log([[0.5, 0.4, 0.8]]), np.log([[0.5, 0.8, 0.2]])
    mask, cases = ragged(rng, 4, 6), []
    equal, (new, old) = np.full((2, 2), -1.5), logs([[1.5, 0.5], [HUGE, 2.0]])
    for shape, own, dtype in [
        ((4, 6), mask, np.float64),
        ((3, 3), EMPTY_ROW, np.float64),
        ((5, 5), ragged(rng, 5, 5), np.float32),
        ((1, 1), [[True]], np.float64),
    ]:
        pair = np.log(rng.uniform(0.02, 1, size=(2, *shape)))
        cases.append(kl_case(*pair, own, dtype, **options))
    return [
        kl_case([[-1.0, -1.0]], [[-2.0, -3.0]], [[True, True]], **options),
        kl_case(*example, [[False, True, True]], **options),
        *cases,
        kl_case(equal, equal, np.ones((2, 2), bool), **options),
        kl_case(new, old, ONE_TRUE, **options),
        kl_case(old, new, ONE_TRUE, **options),
        kl_case(*example, [[False] * 3], edge=True, **options),
        kl_case(
            [[-1.0, -1.0, -1.0]],
            [[-1.5, 90.0, -0.5]],
            [[True, False, True]],
            np.float32,
            edge=True,
            **options,
        ),
    ]


def kl_case(logp, logp_ref, mask, dtype=np.float64, edge=False, **options):
    inputs = {
        "logp": Tensor(np.asarray(logp, dtype), grad=True),
        "logp_ref": Tensor(np.asarray(logp_ref, dtype), grad=True),
        "mask": Tensor(np.asarray(mask, bool)),
        **options,
    }
    return Case(inputs, edge=edge)


# kl_in_loss -----------------------------------------------------------------------------------

VALUES = {"k1": lambda x: x, "k2": lambda x: x**2 / 2, "k3": lambda x: math.expm1(-x) + x}
SLOPES = {"k1": lambda x: 1.0, "k2": lambda x: x, "k3": lambda x: -math.expm1(-x)}


def in_loss_cases(rng):
    return [case for kind in VALUES for case in kl_cases(rng, kind=kind)]


def in_loss_truth(logp, logp_ref, mask, kind):
    gradient, terms = np.zeros(np.shape(logp)), []
    for index in zip(*np.nonzero(mask), strict=True):
        x = float(logp[index]) - float(logp_ref[index])
        terms.append(VALUES[kind](x) / len(mask))
        gradient[index] = SLOPES[kind](x) / len(mask)
    return Expected(math.fsum(terms), {"logp": gradient, "logp_ref": None})


TERMS = {"k1": lambda x: x, "k2": lambda x: x**2 / 2, "k3": lambda x: torch.expm1(-x) + x}


def in_loss_like(mean=lambda x, mask: x.sum(1).mean(), turn=1, ref=lambda x: x.detach(), **others):
    """A wrong answer: another mean over (B, L-1), the log-ratio turned, or another estimate."""
    terms = TERMS | others

    def loss(logp, logp_ref, mask, kind):
        return mean(terms[kind](turn * kept(logp - ref(logp_ref), mask)), mask)

    return loss


KL_IN_LOSS_HINTS = {
    "nan-from-outside": "What stands outside the mask spoils it: infinity times 0. Mask the "
    "log-ratio first.",
    "of-the-sentence": "The estimate is taken token by token, and then added up.",
    "half-forgotten": "k2 is half of the square.",
    "k3-direction": "k3 is exp(-x) - 1 + x, with x = logp - logp_ref.",
    "k3-incomplete": "k3 is 0 where the two agree.",
    "k3-incomplete/mean": "k3 is k1 plus something whose mean is 0.",
    "kind-ignored": "Which estimate does kind ask for?",
    "k1-absolute": "k1 may be negative.",
    "gradient-through-reference": "The reference is data: no gradient flows into it.",
    "weighted-by-ratio": "The plain estimate is asked, with no ratio in front.",
}
KL_IN_LOSS_FACES = {
    "empty-mask": Symptom(of_nothing),
    "nan-from-outside": Symptom(spoiled_outside),
    "log-ratio-turned": in_loss_like(turn=-1),
    "mask-ignored": lambda logp, ref, mask, kind: in_loss_like()(
        logp, ref, torch.ones_like(mask), kind
    ),
    "mask-inverted": lambda logp, ref, mask, kind: in_loss_like()(logp, ref, ~mask, kind),
    "mean-over-tokens": (
        in_loss_like(mean=lambda x, mask: x.sum() / mask.sum().clamp(min=1)),
        in_loss_like(mean=lambda x, mask: (x.sum(1) / mask.sum(1).clamp(min=1)).mean()),
        in_loss_like(mean=lambda x, mask: x.mean()),
    ),
    "summed/over-tokens": in_loss_like(mean=lambda x, mask: x.sum()),
    "of-the-sentence": lambda logp, ref, mask, kind: TERMS[kind](
        kept(logp - ref.detach(), mask).sum(1)
    ).mean(),
    "half-forgotten": in_loss_like(k2=lambda x: x**2),
    "k3-direction": in_loss_like(k3=lambda x: torch.expm1(x) - x),
    "k3-incomplete": in_loss_like(k3=lambda x: torch.exp(-x) + x),
    "k3-incomplete/mean": in_loss_like(k3=lambda x: torch.expm1(-x)),
    "kind-ignored": (
        in_loss_like(k1=TERMS["k3"], k2=TERMS["k3"]),
        in_loss_like(k2=TERMS["k1"], k3=TERMS["k1"]),
    ),
    "k1-absolute": in_loss_like(k1=torch.abs),
    "gradient-through-reference": in_loss_like(ref=lambda x: x),
    "weighted-by-ratio": lambda logp, ref, mask, kind: (
        (TERMS[kind](kept(logp - ref.detach(), mask)) * torch.exp(kept(logp - logp.detach(), mask)))
        .sum(1)
        .mean()
    ),
    "held-back": Symptom(far_from_one),
}
KL_IN_LOSS = FunctionExercise(
    "kl_in_loss",
    in_loss_cases,
    in_loss_truth,
    formula=formulas.kl_in_loss_formula,
    kind=TensorOf(),
    mistakes=listed(KL_IN_LOSS_FACES, KL_IN_LOSS_HINTS),
)


# kl_reward_loss -------------------------------------------------------------------------------
#
# The value doesn't count, and any weights with the same expected gradient are right. A token's
# weight may hold whatever was known before it (earlier log-ratios), a baseline made of other rows,
# and the 1 that the product rule adds to the log-ratio. So the check sees pairs: it adds a number
# to one entry's log-ratio, and looks at whose weights change by how much.


def reward_cases(rng):
    return kl_cases(rng)


def to_go(x):
    """(B, L-1): the sum of a row from each entry on, in plain numbers."""
    found = np.zeros(np.shape(x))
    for b, row in enumerate(x):
        for t in range(len(row)):
            found[b, t] = math.fsum(row[t:])
    return found


def log_ratios(logp, logp_ref, mask):
    return np.where(mask, np.asarray(logp, float) - np.asarray(logp_ref, float), 0.0)


def reward_truth(logp, logp_ref, mask):
    weights = np.where(mask, to_go(log_ratios(logp, logp_ref, mask)), 0.0) / len(mask)
    return Expected(0.0, {"logp": weights, "logp_ref": None})


def whole(logp, logp_ref, mask):
    """The sentence's whole log-ratio at each of its tokens."""
    total = log_ratios(logp, logp_ref, mask).sum(1, keepdims=True)
    return np.where(mask, total, 0.0) / len(mask)


def with_baselines(weights, mask):
    """Each row's weights less the mean of the other rows': of a whole-sentence weight at each
    token, or of the first token's."""
    found = [weights]
    rows = len(weights)
    if rows > 1:
        totals = np.array([row[own][0] if own.any() else 0.0 for row, own in zip(weights, mask)])
        others = (totals.sum() - totals) / (rows - 1)
        found.append(np.where(mask, weights - others[:, None], 0.0))
        columns = (weights.sum(0) - weights) / (rows - 1)
        found.append(np.where(mask, weights - columns, 0.0))
    return found


def acceptable(case):
    """Gradients of whole families that are right, for one case."""
    logp, ref, mask = (case.inputs[name].array for name in ("logp", "logp_ref", "mask"))
    go = np.asarray(reward_truth(logp, ref, mask).gradients["logp"])
    found = [
        one for weights in (go, whole(logp, ref, mask)) for one in with_baselines(weights, mask)
    ]
    # The mean of grad k1, which the product rule leaves beside the weighted term, is 0.
    return [*found, *(one + np.asarray(mask) / len(mask) for one in found)]


@dataclass(frozen=True)
class GradientOnly(FunctionExercise):
    """A scalar of any value, judged by its gradient, which may be one of several."""

    def ladder(self, case, seen, truth):
        value = seen.get("value", {})
        if value.get("kind") == "tensor" and np.size(value["array"]) == 1:
            seen = {**seen, "value": {**value, "array": np.zeros(())}}
        found = seen.get("gradients", {}).get("logp")
        if isinstance(found, np.ndarray) and "error" not in seen:
            for right in acceptable(case):
                if found.shape == right.shape and np.allclose(found, right, 1e-4, 1e-6):
                    truth = Expected(truth.value, {**truth.gradients, "logp": right})
                    break
        return FunctionExercise.ladder(self, case, seen, truth)

    def _matches(self, seen, imitated, cases, expected):
        """The value doesn't count: compare gradients alone."""
        if len(imitated) != len(cases):
            return False
        for one, other, truth in zip(seen, imitated, expected):
            pair = one.get("gradients"), other.get("gradients")
            if not all(isinstance(part, dict) for part in pair) or any("error" in p for p in pair):
                if pair[0] != pair[1]:
                    return False
                continue
            for name in truth.gradients:
                if not _alike(pair[0].get(name, "none"), pair[1].get(name, "none")):
                    return False
        return True


def _alike(one, other):
    if isinstance(one, str) or isinstance(other, str):
        zero = [x for x in (one, other) if not isinstance(x, str)]
        return not any(np.any(x) for x in zero)
    return one.shape == other.shape and np.allclose(one, other, 1e-4, 1e-6, equal_nan=True)


def reward_like(weigh, sign=1.0, mean=lambda x, mask: x.sum(1).mean(), data=lambda x: x.detach()):
    """A wrong loss from `weigh(log_ratio (B, L-1), mask)`."""

    def loss(logp, logp_ref, mask):
        x = kept(data(logp - logp_ref), mask)
        return sign * mean(kept(weigh(x, mask) * logp, mask), mask)

    return loss


def go(x, mask=None):
    return x.flip(1).cumsum(1).flip(1)


KL_REWARD_LOSS_HINTS = {
    "nan-from-outside": "What stands outside the mask spoils it. Mask the log-ratio before you add "
    "it up.",
    "minus-sign": "A loss is minimised, and so shall the KL be: which sign?",
    "differentiated": "The log-ratio is data here. Where is it detached?",
    "k1-in-the-loss": "That is the KL's estimate itself; its mean gradient is zero. What weighs "
    "log p?",
    "own-token-alone": "A token leads to the later ones: their log-ratios are on its account, too.",
    "the-past": "Log-ratio to go: this token's and the later ones'.",
    "own-token-left-out": "To go begins with the token itself.",
    "averaged-to-go": "The log-ratios to go are added up, not averaged.",
    "other-estimator": "The plain log-ratio is asked; it may be negative.",
}
KL_REWARD_LOSS_FACES = {
    "empty-mask": Symptom(of_nothing),
    "nan-from-outside": Symptom(spoiled_outside),
    "minus-sign": reward_like(lambda x, m: go(x), sign=-1.0),
    "differentiated": reward_like(lambda x, m: go(x), data=lambda x: x),
    "k1-in-the-loss": lambda logp, ref, mask: kept(logp - ref.detach(), mask).sum(1).mean(),
    "own-token-alone": reward_like(lambda x, m: x),
    "the-past": reward_like(lambda x, m: x.cumsum(1)),
    "own-token-left-out": reward_like(lambda x, m: go(x) - x),
    "mean-over-tokens": (
        reward_like(lambda x, m: go(x), mean=lambda x, m: x.sum() / m.sum().clamp(min=1)),
        reward_like(lambda x, m: go(x), mean=lambda x, m: x.mean()),
        reward_like(
            lambda x, m: go(x), mean=lambda x, m: (x.sum(1) / m.sum(1).clamp(min=1)).mean()
        ),
    ),
    "summed/over-tokens": reward_like(lambda x, m: go(x), mean=lambda x, m: x.sum()),
    "log-ratio-turned": reward_like(lambda x, m: -go(x)),
    "mask-ignored": lambda logp, ref, mask: reward_like(lambda x, m: go(x))(
        logp, ref, torch.ones_like(mask)
    ),
    "mask-inverted": lambda logp, ref, mask: reward_like(lambda x, m: go(x))(logp, ref, ~mask),
    "ratio-not-log": reward_like(lambda x, m: go(kept(x.exp(), m))),
    "averaged-to-go": reward_like(lambda x, m: go(x) / go(m.to(x.dtype)).clamp(min=1)),
    "other-estimator": (
        reward_like(lambda x, m: go(torch.expm1(-x) + x)),
        reward_like(lambda x, m: go(x**2 / 2)),
    ),
    "held-back": Symptom(far_from_one),
}
KL_REWARD_LOSS = GradientOnly(
    "kl_reward_loss",
    reward_cases,
    reward_truth,
    formula=formulas.kl_reward_formula,
    kind=TensorOf(),
    mistakes=listed(KL_REWARD_LOSS_FACES, KL_REWARD_LOSS_HINTS),
)
