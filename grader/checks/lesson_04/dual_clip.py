"""The dual clip: a floor below the objective of bad samples with large ratios."""

import math

import numpy as np
import torch

from grader.checking import N_, Case, Expected, FunctionExercise, Symptom, Tensor, TensorOf
from grader.checks.lesson_04 import formulas
from grader.checks.shared.clip_truth import derivative, objective, ratios
from grader.checks.shared.ppo_slips import RATIOS, clipped, new_over_old
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, loss_case, off_the_edges
from grader.checks.shared.slips import listed, made

NAME = "dual_clip_loss"
# A ratio and an advantage for each of the seven cases, and for a good sample far above.
SEVEN = [
    (0.5, 2.0),
    (0.9, 3.0),
    (1.5, 1.0),
    (0.5, -3.0),
    (1.1, -2.0),
    (1.5, -1.0),
    (20.0, -1.0),
    (100.0, 2.0),
]


def dual_cases(rng):
    """The seven cases one by one, then mixed ones: other bands and floors, dtypes, sizes.

    Each case has a sample that moves: where all are at rest, a right answer may be a constant.
    """
    ratio, adv = map(list, zip(*SEVEN, strict=True))
    wide, floor = float(rng.uniform(0.25, 0.5)), float(rng.uniform(2.0, 4.0))
    drawn = off_the_edges(rng, 9, wide) * np.where(np.arange(9) % 3 == 0, 2.2 * floor, 1.0)
    return [
        *[loss_case(NAME, [r, 1.0], [a, 1.0]) for r, a in SEVEN],
        loss_case(NAME, ratio, adv, rng, adv_grad=True),
        loss_case(
            NAME, [2.5, 4.0, 1.7, 1.0], [-1.0, -2.0, 1.0, -1.0], rng, keywords=("dual",), dual=2.0
        ),
        loss_case(NAME, [2.5, 4.0, 6.0], [-1.0, -2.0, -0.5], rng, keywords=("dual",), dual=5.0),
        loss_case(NAME, [1.4, 0.65, 8.0, 9.0, 1.1], [2.0, -1.5, -1.0, 0.0, 1.0], rng, clip=0.3),
        loss_case(NAME, *EQUAL),
        far_down(),
        loss_case(NAME, [50.0, 1.1], [-0.5, -2.0], rng),
        loss_case(NAME, [2.0], [-0.5], rng),
        loss_case(
            NAME,
            drawn,
            rng.normal(size=9) - 1,
            rng,
            np.float32,
            keywords=("clip", "dual"),
            clip=wide,
            dual=floor,
        ),
        loss_case(NAME, *FAR),
        loss_case(NAME, *FAR, keywords=("dual",), dual=1e5),
    ]


def far_down():
    logs = np.array([-2000.0, -1900.0]), np.array([-2003.0, -1899.5])
    inputs = {"logp": Tensor(logs[0], grad=True), "logp_old": Tensor(logs[1], grad=True)}
    return Case(inputs | {"adv": Tensor(np.array([-1.0, 2.0]))})


def floored(ratio, adv, clip, dual):
    """One sample's objective by its definition, in plain numbers."""
    inner = objective(ratio, adv, clip)
    return max(inner, dual * adv) if adv < 0 else inner


def dual_truth(logp, logp_old, adv, clip=0.2, dual=3.0):
    pairs = list(zip(ratios(logp, logp_old), np.asarray(adv, dtype=float), strict=True))
    loss = -math.fsum(floored(r, a, clip, dual) for r, a in pairs) / len(pairs)
    slopes = [derivative(lambda x, a=a: floored(x, a, clip, dual), r) for r, a in pairs]
    # d ratio / d logp is the ratio itself.
    gradient = -np.array(slopes) * np.array([r for r, _a in pairs]) / len(pairs)
    return Expected(loss, {"logp": gradient, "logp_old": None, "adv": None})


def right(r, a, c, d):
    """The right objective of each sample."""
    return torch.where(a < 0, torch.max(clipped(r, a, c), d * a), clipped(r, a, c))


def dual_like(change=right, mean=torch.mean, ratio=new_over_old, data=torch.detach):
    """A wrong loss: minus mean of `change(ratio, adv, clip, dual)`; data: what becomes of adv."""

    def loss(logp, logp_old, adv, clip=0.2, dual=3.0):
        return -mean(change(ratio(logp, logp_old), data(adv), clip, dual))

    return loss


ONLY_BAD = N_(
    "The floor is there for A < 0 alone. With A > 0 the objective is already below (1 + clip) A."
)
DUAL_CLIP_LOSS_HINTS = {
    "no-floor": "The floor is dual times the advantage, not a bound of the ratio alone. With r = "
    "20 and A = -1: which of -20 and -3 is the objective?",
    "floor-for-both-signs": ONLY_BAD,
    "min-with-floor": "A floor is a max: of the clipped objective and dual times A, which is "
    "larger?",
    "dual-fixed": "Which floor does the call ask for? dual need not be 3.",
    "ratio-capped-for-both-signs": ONLY_BAD,
    "floor-above-one": "The floor lies at dual times A, not at (1 + dual) times A.",
    "floor-without-clip": "The band is still there: the floor is one more case beside the six.",
    "one-edge": "With A < 0 the lower edge of the band still counts: r = 0.5 is at rest there.",
    "alive-beyond-floor": "The value is right, the gradient is not: beyond the floor the objective "
    "is flat, so the sample rests.",
    "other-floor": "Each bad sample has its own floor: dual times its own advantage, no less and "
    "no more.",
    "floored-sample-dropped": "Beyond the floor a sample still has a value, dual times its "
    "advantage, and keeps its place in the mean.",
    "floored-together": "The floor is taken sample by sample, before the mean.",
}


def floored_at(floor):
    """The objective of bad samples with floor(adv, clip, dual) below it."""
    return dual_like(
        lambda r, a, c, d: torch.where(
            a < 0, torch.max(clipped(r, a, c), floor(a, c, d)), clipped(r, a, c)
        )
    )


def in_logs(r, a, c, d):
    """The right floor below a band of the logarithm."""
    once = torch.min(r * a, r.log().clamp(-c, c).exp() * a)
    return torch.where(a < 0, torch.max(once, d * a), once)


def alive(r, a, c, d):
    """The right value with the gradient of the clip alone."""
    return (right(r, a, c, d) - clipped(r, a, c)).detach() + clipped(r, a, c)


def not_floored(r, a, d):
    return (a >= 0) | (r <= d)


def bad_together(r, a, c, d):
    """The floor below the sum of all bad samples."""
    once = clipped(r, a, c)
    bad = torch.max((once * (a < 0)).sum(), (d * a * (a < 0)).sum())
    return ((once * (a >= 0)).sum() + bad) / len(r)


DUAL_CLIP_LOSS_FACES = {
    "no-floor": dual_like(lambda r, a, c, d: clipped(r, a, c)),
    "floor-for-both-signs": dual_like(lambda r, a, c, d: torch.max(clipped(r, a, c), d * a)),
    "min-with-floor": dual_like(
        lambda r, a, c, d: torch.where(a < 0, torch.min(clipped(r, a, c), d * a), clipped(r, a, c))
    ),
    "dual-fixed": dual_like(lambda r, a, c, d: right(r, a, c, 3.0)),
    "clip-fixed": dual_like(lambda r, a, c, d: right(r, a, 0.2, d)),
    "band-in-logs": dual_like(in_logs),
    "ratio-capped-for-both-signs": dual_like(
        lambda r, a, c, d: torch.min(r.clamp(max=d) * a, clipped(r, a, c))
    ),
    "floor-above-one": dual_like(lambda r, a, c, d: right(r, a, c, 1 + d)),
    "floor-without-clip": dual_like(
        lambda r, a, c, d: torch.where(a < 0, torch.max(r * a, d * a), r * a)
    ),
    "one-edge": dual_like(
        lambda r, a, c, d: torch.where(a < 0, torch.max(r * a, d * a), clipped(r, a, c))
    ),
    "clip-without-min": dual_like(lambda r, a, c, d: torch.max(r.clamp(1 - c, 1 + c) * a, d * a)),
    "objective-not-loss": dual_like(mean=lambda x: -x.mean()),
    "sum-not-mean": dual_like(mean=torch.sum),
    "not-averaged": dual_like(mean=lambda x: x),
    **made(lambda ratio: dual_like(ratio=ratio), RATIOS),
    "gradient-through-advantage": dual_like(data=lambda adv: adv),
    "alive-beyond-floor": dual_like(alive),
    "other-floor": (
        floored_at(lambda a, c, d: -d + 0 * a),
        floored_at(lambda a, c, d: d * a.mean() + 0 * a),
        floored_at(lambda a, c, d: d * a.min() + 0 * a),
        floored_at(lambda a, c, d: (d + c) * a),
        floored_at(lambda a, c, d: (d - c) * a),
        floored_at(lambda a, c, d: d * (1 + c) * a),
        floored_at(lambda a, c, d: a / d),
        floored_at(lambda a, c, d: a * math.exp(d)),
        floored_at(lambda a, c, d: d * a.abs()),
        floored_at(lambda a, c, d: -(d * a.square())),
    ),
    "floored-sample-dropped": (
        dual_like(lambda r, a, c, d: clipped(r, a, c) * not_floored(r, a, d)),
        dual_like(
            lambda r, a, c, d: (
                (clipped(r, a, c) * not_floored(r, a, d)).sum()
                / not_floored(r, a, d).sum().clamp(min=1)
            )
        ),
    ),
    "floored-together": (
        dual_like(lambda r, a, c, d: torch.max(clipped(r, a, c).mean(), (d * a).mean())),
        dual_like(bad_together),
    ),
    "held-back": Symptom(far_from_one),
}
DUAL_CLIP_LOSS = FunctionExercise(
    NAME,
    dual_cases,
    dual_truth,
    formula=formulas.dual_clip_formula,
    kind=TensorOf(),
    prerequisites=("importance_ratio", "ppo_clip_loss"),
    mistakes=listed(DUAL_CLIP_LOSS_FACES, DUAL_CLIP_LOSS_HINTS),
)
