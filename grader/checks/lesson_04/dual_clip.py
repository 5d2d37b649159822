"""The dual clip: a floor below the objective of bad samples with large ratios."""

import math

import numpy as np
import torch

from grader.checking import N_, Case, Expected, FunctionExercise, Mistake, Tensor, TensorOf
from grader.checks.lesson_04 import formulas
from grader.checks.shared import slips
from grader.checks.shared.clip_truth import objective, ratios
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, loss_case, off_the_edges

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
        loss_case(NAME, *FAR, keywords=("dual",), dual=60.0),
    ]


def far_down():
    logs = np.array([-2000.0, -1900.0]), np.array([-2003.0, -1899.5])
    inputs = {"logp": Tensor(logs[0], grad=True), "logp_old": Tensor(logs[1], grad=True)}
    return Case(inputs | {"adv": Tensor(np.array([-1.0, 2.0]))})


def floored(ratio, adv, clip, dual):
    """One sample's objective by its definition, in plain numbers."""
    inner = objective(ratio, adv, clip)
    return max(inner, dual * adv) if adv < 0 else inner


def dual_truth(logp, logp_old, adv, clip=0.2, dual=3.0, step=1e-6):
    pairs = list(zip(ratios(logp, logp_old), np.asarray(adv, dtype=float), strict=True))
    loss = -math.fsum(floored(r, a, clip, dual) for r, a in pairs) / len(pairs)
    up, down = ([floored(r + s, a, clip, dual) for r, a in pairs] for s in (step, -step))
    slopes = (np.array(up) - np.array(down)) / (2 * step)
    # d ratio / d logp is the ratio itself.
    gradient = -slopes * np.array([r for r, _a in pairs]) / len(pairs)
    return Expected(loss, {"logp": gradient, "logp_old": None, "adv": None})


def dual_like(change):
    """A wrong loss from `change(ratio, adv, clip, dual)`; old and advantages are data in it."""

    def loss(logp, logp_old, adv, clip=0.2, dual=3.0):
        return change(torch.exp(logp - logp_old.detach()), adv.detach(), clip, dual)

    return loss


def once(r, a, c):
    return torch.min(r * a, r.clamp(1 - c, 1 + c) * a)


def right_loss(r, a, c, d):
    return -torch.where(a < 0, torch.max(once(r, a, c), d * a), once(r, a, c)).mean()


def gradient_in(logp, logp_old, adv, clip=0.2, dual=3.0):
    return right_loss(torch.exp(logp - logp_old), adv, clip, dual)


ONLY_BAD = N_(
    "The floor is there for A < 0 alone. With A > 0 the objective is already below (1 + clip) A."
)
DUAL_CLIP_LOSS = FunctionExercise(
    NAME,
    dual_cases,
    dual_truth,
    formula=formulas.dual_clip_formula,
    kind=TensorOf(),
    prerequisites=("importance_ratio", "ppo_clip_loss"),
    mistakes=(
        Mistake(
            "no-floor",
            "The floor is dual times the advantage, not a bound of the ratio alone. With r = 20 "
            "and A = -1: which of -20 and -3 is the objective?",
            like=dual_like(lambda r, a, c, d: -once(r, a, c).mean()),
        ),
        Mistake(
            "floor-for-both-signs",
            ONLY_BAD,
            like=dual_like(lambda r, a, c, d: -torch.max(once(r, a, c), d * a).mean()),
        ),
        Mistake(
            "min-with-floor",
            "A floor is a max: of the clipped objective and dual times A, which is larger?",
            like=dual_like(
                lambda r, a, c, d: (
                    -torch.where(a < 0, torch.min(once(r, a, c), d * a), once(r, a, c)).mean()
                )
            ),
        ),
        Mistake(
            "dual-fixed",
            "Which floor does the call ask for? dual need not be 3.",
            like=dual_like(lambda r, a, c, d: right_loss(r, a, c, 3.0)),
        ),
        slips.clip_fixed(dual_like(lambda r, a, c, d: right_loss(r, a, 0.2, d))),
        Mistake(
            "ratio-capped-for-both-signs",
            ONLY_BAD,
            like=dual_like(lambda r, a, c, d: -torch.min(r.clamp(max=d) * a, once(r, a, c)).mean()),
        ),
        Mistake(
            "floor-above-one",
            "The floor lies at dual times A, not at (1 + dual) times A.",
            like=dual_like(lambda r, a, c, d: right_loss(r, a, c, 1 + d)),
        ),
        Mistake(
            "floor-without-clip",
            "The band is still there: the floor is one more case beside the six.",
            like=dual_like(
                lambda r, a, c, d: -torch.where(a < 0, torch.max(r * a, d * a), r * a).mean()
            ),
        ),
        Mistake(
            "one-edge",
            "With A < 0 the lower edge of the band still counts: r = 0.5 is at rest there.",
            like=dual_like(
                lambda r, a, c, d: (
                    -torch.where(a < 0, torch.max(r * a, d * a), once(r, a, c)).mean()
                )
            ),
        ),
        slips.clip_without_min(
            dual_like(lambda r, a, c, d: -torch.max(r.clamp(1 - c, 1 + c) * a, d * a).mean())
        ),
        slips.objective_not_loss(dual_like(lambda *given: -right_loss(*given))),
        slips.sum_not_mean(dual_like(lambda r, a, c, d: right_loss(r, a, c, d) * len(r))),
        slips.not_averaged(
            dual_like(
                lambda r, a, c, d: (
                    -torch.where(a < 0, torch.max(once(r, a, c), d * a), once(r, a, c))
                )
            )
        ),
        slips.inverted_ratio(dual_like(lambda r, a, c, d: right_loss(1 / r, a, c, d))),
        slips.gradient_through_old(
            gradient_in,
            lambda logp, logp_old, adv, clip=0.2, dual=3.0: gradient_in(
                logp, logp_old, adv.detach(), clip, dual
            ),
        ),
        slips.gradient_through_advantage(
            lambda logp, logp_old, adv, clip=0.2, dual=3.0: gradient_in(
                logp, logp_old.detach(), adv, clip, dual
            )
        ),
        Mistake(
            "alive-beyond-floor",
            "The value is right, the gradient is not: beyond the floor the objective is flat, "
            "so the sample rests.",
            like=dual_like(
                lambda r, a, c, d: (
                    (right_loss(r, a, c, d) + once(r, a, c).mean()).detach() - once(r, a, c).mean()
                )
            ),
        ),
        Mistake(
            "other-floor",
            "Each bad sample has its own floor: dual times its own advantage, no less and no more.",
            like=tuple(
                dual_like(
                    lambda r, a, c, d, floor=floor: (
                        -torch.where(a < 0, torch.max(once(r, a, c), floor(a, c, d)), once(r, a, c))
                    ).mean()
                )
                for floor in (
                    lambda a, c, d: -d + 0 * a,
                    lambda a, c, d: d * a.mean() + 0 * a,
                    lambda a, c, d: d * a.min() + 0 * a,
                    lambda a, c, d: (d + c) * a,
                    lambda a, c, d: (d - c) * a,
                    lambda a, c, d: d * (1 + c) * a,
                    lambda a, c, d: a / d,
                    lambda a, c, d: a * math.exp(d),
                    lambda a, c, d: d * a.abs(),
                    lambda a, c, d: -(d * a.square()),
                )
            ),
        ),
        Mistake(
            "floored-sample-dropped",
            "Beyond the floor a sample still has a value, dual times its advantage, and keeps its "
            "place in the mean.",
            like=(
                dual_like(lambda r, a, c, d: -(once(r, a, c) * ((a >= 0) | (r <= d))).mean()),
                dual_like(
                    lambda r, a, c, d: (
                        -(once(r, a, c) * ((a >= 0) | (r <= d))).sum()
                        / ((a >= 0) | (r <= d)).sum().clamp(min=1)
                    )
                ),
            ),
        ),
        Mistake(
            "floored-together",
            "The floor is taken sample by sample, before the mean.",
            like=(
                dual_like(lambda r, a, c, d: -torch.max(once(r, a, c).mean(), (d * a).mean())),
                dual_like(
                    lambda r, a, c, d: (
                        -(
                            (once(r, a, c) * (a >= 0)).sum()
                            + torch.max((once(r, a, c) * (a < 0)).sum(), (d * a * (a < 0)).sum())
                        )
                        / len(r)
                    )
                ),
            ),
        ),
        slips.held_back(when=far_from_one),
    ),
)
