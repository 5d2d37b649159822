"""Check of kl_estimates: the KL from samples."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F

from grader.checking import N_, FunctionExercise, Number, Symptom, TupleOf
from grader.checks.lesson_04 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.ratios import EQUAL, HUGE, far_from_one, logs
from grader.checks.shared.slips import listed


def whole_policy(new, old, counts, dtype=np.float64):
    """Every action as often as the old policy plays it: means over these samples are exact."""
    actions = np.repeat(np.arange(len(old)), counts)
    return kl_case(np.log(new)[actions], np.log(old)[actions], dtype)


def kl_case(logp, logp_old, dtype=np.float64):
    return tensor_caller("logp", "logp_old")(logp, logp_old, dtype=dtype)


def kl_cases(rng):
    """Exact ones, large and small; one that is negative; one sample; far down; random ones."""
    size = int(rng.integers(6, 12))
    tiny = rng.normal(size=8) * 1e-2
    return [
        whole_policy([0.125, 0.125, 0.75], [0.5, 0.25, 0.25], [2, 1, 1]),
        whole_policy([0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [2, 1, 1]),
        kl_case(*logs([1.5, 1.2, 0.9])),
        kl_case(*logs([0.25])),
        kl_case([-2000.0, -2000.0], [-2000.5, -1999.0]),
        kl_case(*logs(np.exp(tiny), rng)),
        kl_case(*logs(np.exp(rng.normal(size=size)), rng)),
        kl_case(*logs(np.exp(rng.uniform(-2, -0.2, size=7)), rng), np.float32),
        kl_case(*logs(EQUAL[0])),
        kl_case(*logs([1 / HUGE, 1.0])),
        kl_case(*logs([HUGE, 1.0])),
    ]


def kl_truth(logp, logp_old):
    """Sample by sample in plain numbers; samples come from the old policy."""
    gaps = [float(old) - float(new) for new, old in zip(logp, logp_old, strict=True)]
    count = len(gaps)
    return {
        "k1": math.fsum(gaps) / count,
        "k2": math.fsum(gap**2 / 2 for gap in gaps) / count,
        "k3": math.fsum(math.expm1(-gap) + gap for gap in gaps) / count,
    }


def kl_like(k1, k2, k3):
    """Wrong estimates from per-sample functions of the log-ratio d = log new - log old."""

    def estimates(logp, logp_old):
        d = logp - logp_old
        return k1(d), k2(d), k3(d)

    return estimates


def k1_right(d):
    return -d.mean()


def k2_right(d):
    return (d**2).mean() / 2


def k3_right(d):
    return (torch.exp(d) - 1 - d).mean()


def k3_other_ratio(d):
    return (torch.exp(-d) - 1 + d).mean()


def weighed(d, weights):
    return (
        -(weights * d).mean(),
        (weights * d**2).mean() / 2,
        (weights * (torch.exp(d) - 1 - d)).mean(),
    )


def torch_kl_div(log_target, reduction, turned):
    """k1 by F.kl_div, the two policies in either order."""

    def estimates(logp, logp_old):
        first, second = (logp_old, logp) if turned else (logp, logp_old)
        second = second if log_target else second.exp()
        k1 = F.kl_div(first, second, log_target=log_target, reduction=reduction)
        return k1, k2_right(logp - logp_old), k3_right(logp - logp_old)

    return estimates


LARGE = N_("Compare with the exact KL where it is large: which sign has the log-ratio in this one?")


@dataclass(frozen=True)
class Three(TupleOf):
    """Three numbers: a tuple, a list, or one array or tensor (3,), which unpacks as well."""

    def arrays(self, seen, label=""):
        if seen.get("kind") in ("array", "tensor") and np.shape(seen["array"]) == (
            len(self.parts),
        ):
            return dict(zip(self.parts, np.asarray(seen["array"], dtype=float), strict=True))
        return super().arrays(seen, label)


KL_ESTIMATES_HINTS = {
    "kl-direction": "Which policy drew the samples? Every mean here runs over the old policy's "
    "actions.",
    "k1-sign": LARGE,
    "k3-sign": LARGE,
    "k3-without-one": "At equal policies every estimate is zero. Is k3?",
    "k2-without-half": "Compare k2 with the exact KL where it is small: is it twice as large?",
    "square-of-mean": "k2 averages squares. Does it square an average?",
    "not-averaged": "Three scalars: each estimate is a mean over the samples.",
    "sum-not-mean": "Does the estimate double when the batch is doubled?",
    "order": "In this order: k1, k2, k3.",
    "weighted-twice": "The samples come from the old policy already. Do they need the ratio as a "
    "weight?",
    "kl-div-of-torch": "F.kl_div compares whole distributions, and takes the second policy first. "
    "Of each sample there is only one action's log-probability here: average the formulas.",
    "weighted-twice/all": "The samples come from the old policy already. Do they need a weight?",
}
KL_ESTIMATES_FACES = {
    "kl-direction": (
        kl_like(lambda d: d.mean(), k2_right, k3_other_ratio),
        kl_like(lambda d: (torch.exp(d) * d).mean(), k2_right, k3_right),
        kl_like(lambda d: (torch.exp(d) * d).mean(), k2_right, k3_other_ratio),
    ),
    "k1-sign": kl_like(lambda d: d.mean(), k2_right, k3_right),
    "k3-sign": (
        kl_like(k1_right, k2_right, k3_other_ratio),
        kl_like(k1_right, k2_right, lambda d: (torch.exp(d) - 1 + d).mean()),
        kl_like(k1_right, k2_right, lambda d: (torch.exp(-d) - 1 - d).mean()),
    ),
    "k3-without-one": kl_like(k1_right, k2_right, lambda d: (torch.exp(d) - d).mean()),
    "k2-without-half": kl_like(k1_right, lambda d: (d**2).mean(), k3_right),
    "square-of-mean": kl_like(k1_right, lambda d: d.mean() ** 2 / 2, k3_right),
    "cut-at-zero": (
        kl_like(lambda d: (-d.mean()).clamp(min=0), k2_right, k3_right),
        kl_like(lambda d: d.mean().abs(), k2_right, k3_right),
        kl_like(lambda d: d.abs().mean(), k2_right, k3_right),
        kl_like(lambda d: (-d).clamp(min=0).mean(), k2_right, k3_right),
    ),
    "not-averaged": Symptom(
        lambda case, seen, truth: any(np.ndim(part.get("array")) for part in seen["value"]["items"])
    ),
    "sum-not-mean": kl_like(
        lambda d: -d.sum(),
        lambda d: (d**2).sum() / 2,
        lambda d: (torch.exp(d) - 1 - d).sum(),
    ),
    "order": kl_like(k3_right, k2_right, k1_right),
    "weighted-twice": kl_like(lambda d: -(torch.exp(d) * d).mean(), k2_right, k3_right),
    "kl-div-of-torch": tuple(
        torch_kl_div(*how)
        for how in product((True, False), ("mean", "sum", "batchmean"), (False, True))
    ),
    "weighted-twice/all": (
        lambda logp, logp_old: weighed(logp - logp_old, logp.exp()),
        lambda logp, logp_old: weighed(logp - logp_old, logp_old.exp()),
        lambda logp, logp_old: weighed(logp - logp_old, (logp - logp_old).exp()),
    ),
    "held-back": Symptom(far_from_one),
}
KL_ESTIMATES = FunctionExercise(
    "kl_estimates",
    kl_cases,
    kl_truth,
    formula=formulas.kl_formula,
    kind=Three({"k1": Number(), "k2": Number(), "k3": Number()}),
    prerequisites=("importance_ratio",),
    mistakes=listed(KL_ESTIMATES_FACES, KL_ESTIMATES_HINTS),
)
