"""The numbers that libraries log for one and the same batch."""

import math

import numpy as np
import torch

from grader.checking import (
    N_,
    Case,
    FunctionExercise,
    MappingOf,
    Number,
    Symptom,
    Tensor,
    TupleOf,
)
from grader.checks.lesson_08 import formulas
from grader.checks.shared.ratios import EQUAL, FAR, HUGE, far_from_one
from grader.checks.shared.slips import listed

KEYS = "k1", "k2", "k3", "k3 last epoch", "k3 last minibatch"


# approx_kl_dialects ---------------------------------------------------------------------------


def kl_case(log_ratio, rng=None, dtype=np.float64):
    log_ratio = np.asarray(log_ratio, float)
    old = -1.5 * np.ones(log_ratio.shape) if rng is None else rng.normal(size=log_ratio.shape) - 2
    pair = {"logp": old + log_ratio, "logp_old": old}
    return Case({name: Tensor(one.astype(dtype)) for name, one in pair.items()})


def kl_cases(rng):
    """Two minibatches; of one sample each; a policy that drifts; drawn ones; equal policies."""
    updates, size = 2 * int(rng.integers(2, 5)), int(rng.integers(2, 6))
    drift = np.linspace(0, 1, updates)[:, None] * rng.normal(size=(updates, size))
    drawn = rng.normal(size=(6, 3))
    return [
        kl_case(np.log([[0.5, 2.0], [1.5, 4.0]])),
        kl_case([[0.25], [-1.0]]),
        kl_case(np.log([[1.1, 0.9], [1.2, 0.7], [1.4, 0.5], [3.0, 0.3]])),
        kl_case(drift, rng),
        kl_case(drawn, rng, np.float32),
        kl_case(np.zeros((2, 3))),
        kl_case(np.log([[1.0, 1 / HUGE], [1.1, 0.9]])),
        kl_case(np.log([[1.0, 1.1], [0.9, HUGE]])),
    ]


def k3_of(gaps):
    """Mean of k3 over numbers old minus new."""
    return math.fsum(math.expm1(-gap) + gap for gap in gaps) / len(gaps)


def kl_truth(logp, logp_old):
    """Sample by sample in plain numbers."""
    rows = (np.asarray(logp_old, float) - np.asarray(logp, float)).tolist()
    every = [gap for row in rows for gap in row]
    late = [gap for row in rows[len(rows) // 2 :] for gap in row]
    return {
        "k1": math.fsum(every) / len(every),
        "k2": math.fsum(gap**2 / 2 for gap in every) / len(every),
        "k3": k3_of(every),
        "k3 last epoch": k3_of(late),
        "k3 last minibatch": k3_of(rows[-1]),
    }


def right_parts(d):
    """The five, each a function of the log-ratios new minus old (U, M)."""
    half = len(d) // 2
    return {
        "k1": -d.mean(),
        "k2": (d**2).mean() / 2,
        "k3": k3(d),
        "k3 last epoch": k3(d[half:]),
        "k3 last minibatch": k3(d[-1]),
    }


def k3(d):
    return (torch.exp(d) - 1 - d).mean()


def kl_like(change):
    """A wrong answer: the right one with the keys of change(d) replaced."""

    def wrong(logp, logp_old):
        d = logp - logp_old
        return right_parts(d) | change(d)

    return wrong


def all_k3(estimate):
    """The three k3 with another estimate of it."""

    def change(d):
        half = len(d) // 2
        parts = zip(KEYS[2:], (d, d[half:], d[-1]), strict=True)
        return {key: estimate(part) for key, part in parts}

    return change


WHICH_HALF = N_("The last epoch is the last half of the rows.")

APPROX_KL_DIALECTS_HINTS = {
    "kl-direction": "The samples are the old policy's: k1 is the mean of old minus new.",
    "k3-sign": "In k3 the ratio is new over old, and its mean under the old policy is 1.",
    "k2-without-half": "k2 is half of the mean square.",
    "last-epoch-everything": WHICH_HALF,
    "first-epoch": WHICH_HALF,
    "epoch-is-a-minibatch": "An epoch goes through all of its minibatches. Is one row all of them?",
    "last-sample": "The last minibatch is the last row, with all of its samples.",
    "first-minibatch": "The rows are in the order of the update. Which one comes last?",
    "rows-and-columns": "A row is a minibatch: (U, M).",
    "sum-not-mean": "Does the number double when the batch is doubled?",
    "ratio-of-means": "The exponential of a mean is not the mean of exponentials.",
}
APPROX_KL_DIALECTS_FACES = {
    "kl-direction": (
        lambda logp, logp_old: right_parts(logp_old - logp),
        kl_like(lambda d: {"k1": d.mean()}),
    ),
    "k3-sign": kl_like(all_k3(lambda d: k3(-d))),
    "k2-without-half": kl_like(lambda d: {"k2": (d**2).mean()}),
    "last-epoch-everything": kl_like(lambda d: {"k3 last epoch": k3(d)}),
    "first-epoch": kl_like(lambda d: {"k3 last epoch": k3(d[: len(d) // 2])}),
    "epoch-is-a-minibatch": kl_like(lambda d: {"k3 last epoch": k3(d[-1])}),
    "last-sample": kl_like(lambda d: {"k3 last minibatch": k3(d[-1:, -1:])}),
    "first-minibatch": kl_like(lambda d: {"k3 last minibatch": k3(d[0])}),
    "rows-and-columns": (
        kl_like(lambda d: {"k3 last minibatch": k3(d[:, -1])}),
        lambda logp, logp_old: right_parts((logp - logp_old).T),
    ),
    "cut-at-zero": (
        kl_like(lambda d: {"k1": (-d.mean()).clamp(min=0)}),
        kl_like(lambda d: {"k1": d.mean().abs()}),
        kl_like(lambda d: {"k1": d.abs().mean()}),
    ),
    "sum-not-mean": lambda logp, logp_old: {
        key: value * count
        for (key, value), count in zip(
            right_parts(logp - logp_old).items(),
            (logp.numel(),) * 3 + (logp.numel() / 2, logp.shape[1]),
            strict=True,
        )
    },
    "ratio-of-means": kl_like(all_k3(lambda d: torch.exp(d.mean()) - 1 - d.mean())),
    "held-back": Symptom(far_from_one),
}
APPROX_KL_DIALECTS = FunctionExercise(
    "approx_kl_dialects",
    kl_cases,
    kl_truth,
    formula=formulas.kl_dialects_formula,
    kind=MappingOf({key: Number() for key in KEYS}),
    prerequisites=("kl_estimates",),
    mistakes=listed(APPROX_KL_DIALECTS_FACES, APPROX_KL_DIALECTS_HINTS),
)


# clip_fraction_dialects -----------------------------------------------------------------------


def fraction_case(ratio, adv, clip=None):
    given = {"ratio": np.asarray(ratio, float), "adv": np.asarray(adv, float)}
    return Case(given if clip is None else given | {"clip": clip})


def fraction_cases(rng):
    """The six cases with other counts each; advantages of 0; ratios on the edge; other bands."""
    six = [0.5] * 5 + [1.0] * 7 + [2.0] * 4
    signs = [1, 1, 1, -1, -1] + [1, 1, 1, -1, -1, -1, -1] + [1, -1, -1, -1]
    size = int(rng.integers(9, 15))
    return [
        fraction_case(six, signs),
        fraction_case([0.5, 2.0, 0.5, 2.0], [1.0, 1.0, -1.0, 0.0]),
        fraction_case([0.5, 2.0, 0.5, 1.0], [0.0, 1.0, 1.0, 0.0]),
        fraction_case([1.1, 0.9, 1.0], [1.0, -1.0, 2.0]),
        fraction_case([0.5, 1.5, 1.0, 2.0], [-1.0, 1.0, 1.0, -3.0], 0.5),
        fraction_case([3.0], [2.0]),
        fraction_case(np.exp(rng.normal(size=size) / 2), rng.normal(size=size), 0.3),
        fraction_case(np.exp(rng.normal(size=size) / 2), rng.normal(size=size)),
        *(fraction_case([*r, 1.0], [*adv, 1.0]) for r, adv in (EQUAL, FAR)),
    ]


def fraction_truth(ratio, adv, clip=0.2):
    """Counted one by one: outside, and where the clipped objective is the smaller one."""
    outside = bites = 0
    for r, a in zip(ratio, adv, strict=True):
        edge = min(max(r, 1 - clip), 1 + clip)
        outside += r != edge
        bites += edge * a < r * a
    return {"outside the band": outside / len(ratio), "where the clip bites": bites / len(ratio)}


def fraction_like(rule):
    """A wrong pair: rule(ratio, adv, clip) -> two masks."""

    def wrong(ratio, adv, clip=0.2):
        one, other = rule(ratio, adv, clip)
        return float(np.mean(one)), float(np.mean(other))

    return wrong


def outside(r, c):
    return (r > 1 + c) | (r < 1 - c)


def bites(r, a, c):
    return ((r > 1 + c) & (a > 0)) | ((r < 1 - c) & (a < 0))


CLIP_FRACTION_DIALECTS_HINTS = {
    "order": "First the share outside the band, then the share where the clip bites.",
    "bites-on-the-other-side": "r = 1.5 and A > 0: is the clipped objective the smaller one? And "
    "for A < 0?",
    "sign-ignored": "Two of the four cases outside the band still move. Which sign decides?",
    "one-sign-only": "The clip bites above the band for one sign, and below it for the other.",
    "zero-counted": "An advantage of 0 has no side: nothing is cut off there.",
    "share-of-the-outside": "Both are shares of the whole batch.",
}
CLIP_FRACTION_DIALECTS_FACES = {
    "order": fraction_like(lambda r, a, c: (bites(r, a, c), outside(r, c))),
    "bites-on-the-other-side": fraction_like(lambda r, a, c: (outside(r, c), bites(r, -a, c))),
    "sign-ignored": fraction_like(lambda r, a, c: (outside(r, c), outside(r, c))),
    "one-sign-only": (
        fraction_like(lambda r, a, c: (outside(r, c), (r > 1 + c) & (a > 0))),
        fraction_like(lambda r, a, c: (outside(r, c), (r < 1 - c) & (a < 0))),
        fraction_like(lambda r, a, c: (outside(r, c), outside(r, c) & (a > 0))),
        fraction_like(lambda r, a, c: (outside(r, c), outside(r, c) & (a < 0))),
    ),
    "zero-counted": (
        fraction_like(
            lambda r, a, c: (
                outside(r, c),
                ((r > 1 + c) & (a >= 0)) | ((r < 1 - c) & (a <= 0)),
            )
        ),
        fraction_like(
            lambda r, a, c: (
                outside(r, c),
                ((r > 1 + c) & (a >= 0)) | ((r < 1 - c) & (a < 0)),
            )
        ),
        fraction_like(
            lambda r, a, c: (
                outside(r, c),
                ((r > 1 + c) & (a > 0)) | ((r < 1 - c) & (a <= 0)),
            )
        ),
    ),
    "share-of-the-outside": lambda ratio, adv, clip=0.2: (
        outside(ratio, clip).mean(),
        bites(ratio, adv, clip).sum() / max(outside(ratio, clip).sum(), 1),
    ),
    "one-side-counted": (
        fraction_like(lambda r, a, c: (r > 1 + c, bites(r, a, c))),
        fraction_like(lambda r, a, c: (r < 1 - c, bites(r, a, c))),
    ),
    "share-inside": fraction_like(lambda r, a, c: (~outside(r, c), bites(r, a, c))),
    "count-not-share": lambda ratio, adv, clip=0.2: (
        int(outside(ratio, clip).sum()),
        int(bites(ratio, adv, clip).sum()),
    ),
    "clip-fixed": fraction_like(lambda r, a, c: (outside(r, 0.2), bites(r, a, 0.2))),
    "band-in-logs": fraction_like(
        lambda r, a, c: (outside(1 + np.log(r), c), bites(1 + np.log(r), a, c))
    ),
    "band-around-zero": fraction_like(lambda r, a, c: (np.abs(r) > c, (np.abs(r) > c) & (a > 0))),
    "held-back": Symptom(far_from_one),
}
CLIP_FRACTION_DIALECTS = FunctionExercise(
    "clip_fraction_dialects",
    fraction_cases,
    fraction_truth,
    formula=(formulas.clip_dialects_formula, formulas.clip_dialects_by_bounds),
    kind=TupleOf({"outside the band": Number(), "where the clip bites": Number()}),
    mistakes=listed(CLIP_FRACTION_DIALECTS_FACES, CLIP_FRACTION_DIALECTS_HINTS),
)
