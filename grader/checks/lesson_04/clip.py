"""The clipped objective: its loss, its slope by hand, the six cases and the share outside."""

import math

import numpy as np
import torch

from grader.checking import N_, Case, Expected, FunctionExercise, Mistake, Tensor, TensorOf
from grader.checks.lesson_04 import formulas
from grader.checks.shared import slips
from grader.checks.shared.clip_truth import objective, ratios, slope
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, loss_case, off_the_edges

SIX = [(0.5, 2.0), (0.9, 3.0), (1.5, 1.0), (0.5, -3.0), (1.1, -2.0), (1.5, -1.0)]


def clip_cases(rng):
    """Equal policies, the six cases one by one, then mixed ones: other bands, dtypes, sizes."""
    name = "ppo_clip_loss"
    wide, size = float(rng.uniform(0.25, 0.5)), int(rng.integers(8, 16))
    ratio, adv = map(list, zip(*SIX, strict=True))
    far = {
        "logp": Tensor(np.array([-2000.0, -1900.0]), grad=True),
        "logp_old": Tensor(np.array([-2000.1, -1900.5]), grad=True),
        "adv": Tensor(np.array([1.0, -2.0])),
    }
    return [
        loss_case(name, [1.0, 1.0, 1.0], [3.0, -1.0, 0.5], rng),
        *[loss_case(name, [r, 1.0], [a, 1.0]) for r, a in SIX],
        loss_case(name, ratio, adv, rng, adv_grad=True),
        loss_case(name, ratio, [2.5, *adv[1:]], rng, clip=0.6),
        loss_case(name, [1.25, 0.75, 1.25, 0.75], [2.0, 1.0, -1.0, -2.0], rng, clip=0.1),
        loss_case(name, [1.4, 1.4, 1.0], [0.0, 1.0, 0.0], rng, keywords=("clip",), clip=0.3),
        Case(far),
        loss_case(name, off_the_edges(rng, size, 0.2), rng.normal(size=size) * 3, rng),
        loss_case(name, [1.1], [-0.5], rng),
        loss_case(name, [6.0, 0.05, 9.0], [-1.0, 2.0, 1.5], rng),
        loss_case(
            name,
            off_the_edges(rng, 9, wide),
            rng.normal(size=9) + 3,
            rng,
            np.float32,
            keywords=("clip",),
            clip=wide,
        ),
        loss_case(name, *EQUAL),
        loss_case(name, *FAR),
    ]


def clip_truth(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratios(logp, logp_old), np.asarray(adv, dtype=float)
    pairs = list(zip(ratio, adv, strict=True))
    loss = -math.fsum(objective(r, a, clip) for r, a in pairs) / len(pairs)
    # d ratio / d logp is the ratio itself.
    gradient = -np.array([slope(r, a, clip) * r for r, a in pairs]) / len(pairs)
    return Expected(loss, {"logp": gradient, "logp_old": None, "adv": None})


def clip_like(change):
    """A wrong loss from `change(ratio, adv, clip)`; old and advantages are data in it."""

    def loss(logp, logp_old, adv, clip=0.2):
        return change(torch.exp(logp - logp_old.detach()), adv.detach(), clip)

    return loss


def right_loss(ratio, adv, clip):
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()


def dead_outside(ratio, adv, clip):
    """The right value; no gradient for any sample outside the band."""
    outside = (ratio - 1).abs() > clip
    return right_loss(torch.where(outside, ratio.detach(), ratio), adv, clip)


def branches(ratio, adv, low=None, high=None):
    """r A and clip(r) A, each sample's two numbers."""
    return ratio * adv, ratio.clamp(low, high) * adv


def larger(ratio, adv, clip):
    return -torch.max(*branches(ratio, adv, 1 - clip, 1 + clip)).mean()


def min_of_means(ratio, adv, clip):
    return -torch.min((ratio * adv).mean(), (ratio.clamp(1 - clip, 1 + clip) * adv).mean())


def whitened(ratio, adv, clip):
    return right_loss(ratio, (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8), clip)


def whitened_unbiased(ratio, adv, clip):
    return right_loss(ratio, (adv - adv.mean()) / (adv.std() + 1e-8), clip)


def fewer_samples(case, seen, truth):
    """The mean over those inside the band alone."""
    given = {name: case.inputs[name].array for name in ("logp", "logp_old", "adv")}
    clip = case.inputs.get("clip", 0.2)
    ratio = np.exp(given["logp"] - given["logp_old"])
    inside = np.abs(ratio - 1) <= clip
    found = float(seen["value"]["array"])
    kept = -np.mean((ratio * given["adv"])[inside]) if inside.any() else np.nan
    return bool(np.isclose(found, kept, rtol=1e-4, equal_nan=True)) and not inside.all()


IN_LOGS = N_("The band is 1 - clip to 1 + clip in the ratio itself, not in its logarithm.")
PPO_CLIP_LOSS = FunctionExercise(
    "ppo_clip_loss",
    clip_cases,
    clip_truth,
    formula=(formulas.clip_formula, formulas.clip_by_sign),
    kind=TensorOf(),
    prerequisites=("importance_ratio", "surrogate_loss"),
    mistakes=(
        slips.max_not_min(clip_like(larger)),
        slips.clip_without_min(clip_like(lambda r, adv, c: -(r.clamp(1 - c, 1 + c) * adv).mean())),
        slips.objective_not_loss(clip_like(lambda *x: -right_loss(*x))),
        slips.dead_outside_band(clip_like(dead_outside)),
        slips.not_clipped(clip_like(lambda r, adv, c: -(r * adv).mean())),
        slips.one_side_clipped(
            clip_like(lambda r, a, c: -torch.min(*branches(r, a, None, 1 + c)).mean()),
            clip_like(lambda r, a, c: -torch.min(*branches(r, a, 1 - c, None)).mean()),
        ),
        slips.inverted_ratio(clip_like(lambda r, adv, c: right_loss(1 / r, adv, c))),
        slips.no_exp(clip_like(lambda r, adv, c: right_loss(r.log(), adv, c))),
        slips.ratio_of_logs(
            lambda logp, logp_old, adv, clip=0.2: right_loss(
                logp / logp_old.detach(), adv.detach(), clip
            )
        ),
        slips.underflow(
            lambda logp, logp_old, adv, clip=0.2: right_loss(
                logp.exp() / logp_old.detach().exp(), adv.detach(), clip
            )
        ),
        slips.gradient_through_old(
            lambda logp, logp_old, adv, clip=0.2: right_loss(
                torch.exp(logp - logp_old), adv.detach(), clip
            ),
            lambda logp, logp_old, adv, clip=0.2: right_loss(torch.exp(logp - logp_old), adv, clip),
        ),
        slips.gradient_through_advantage(
            lambda logp, logp_old, adv, clip=0.2: right_loss(
                torch.exp(logp - logp_old.detach()), adv, clip
            )
        ),
        slips.sum_not_mean(clip_like(lambda r, adv, c: right_loss(r, adv, c) * len(r))),
        slips.not_averaged(
            clip_like(lambda r, adv, c: -torch.min(r * adv, r.clamp(1 - c, 1 + c) * adv))
        ),
        Mistake(
            "min-of-means",
            "The min is taken sample by sample, before the mean. Otherwise "
            "good and bad samples hide one another.",
            like=clip_like(min_of_means),
        ),
        slips.clip_fixed(clip_like(lambda r, adv, c: right_loss(r, adv, 0.2))),
        Mistake(
            "product-clipped",
            "The ratio is clipped, not its product with the advantage.",
            like=(
                clip_like(
                    lambda r, adv, c: -torch.min(r * adv, (r * adv).clamp(1 - c, 1 + c)).mean()
                ),
                clip_like(lambda r, adv, c: -(r * adv).clamp(1 - c, 1 + c).mean()),
            ),
        ),
        slips.band_around_zero(
            clip_like(lambda r, adv, c: -torch.min(r * adv, r.clamp(-c, c) * adv).mean())
        ),
        slips.advantages_whitened(clip_like(whitened), clip_like(whitened_unbiased)),
        Mistake(
            "min-before-advantage",
            "The min compares two products. With A < 0 the smaller ratio makes the larger one.",
            like=clip_like(lambda r, adv, c: -(torch.min(r, r.clamp(1 - c, 1 + c)) * adv).mean()),
        ),
        Mistake(
            "band-in-logs",
            IN_LOGS,
            like=clip_like(
                lambda r, adv, c: -torch.min(r * adv, r.log().clamp(-c, c).exp() * adv).mean()
            ),
        ),
        Mistake(
            "sample-dropped",
            "A sample outside the band keeps a value in the mean. Only its gradient may be zero.",
            like=clip_like(lambda r, adv, c: -(r * adv * ((r - 1).abs() <= c)).mean()),
            when=fewer_samples,
        ),
        Mistake(
            "clipped-branch-detached",
            "Inside the band the two branches are equal, and the min shares the gradient between "
            "them. Does it reach the ratio through both?",
            like=clip_like(
                lambda r, adv, c: -torch.min(r * adv, r.detach().clamp(1 - c, 1 + c) * adv).mean()
            ),
        ),
        Mistake(
            "broadcast",
            "Each sample's ratio meets its own advantage alone. Print the "
            "shapes of both, and of their product.",
            like=clip_like(lambda r, adv, c: right_loss(r, adv[:, None], c)),
        ),
        Mistake(
            "dual-clip",
            "With A < 0 and a large ratio the loss has no second bound here. Some "
            "libraries add one, the dual clip: that is a later exercise.",
            like=tuple(
                clip_like(
                    lambda r, a, c, bound=bound: (
                        -torch.where(
                            a < 0,
                            torch.max(torch.min(*branches(r, a, 1 - c, 1 + c)), bound * a),
                            torch.min(*branches(r, a, 1 - c, 1 + c)),
                        ).mean()
                    )
                )
                for bound in (2.0, 3.0, 4.0, 5.0, 10.0)
            ),
        ),
        Mistake(
            "other-band",
            "The band reaches from 1 - clip to 1 + clip: as far down as up, with sharp edges.",
            like=(
                clip_like(lambda r, a, c: -torch.min(*branches(r, a, 1 / (1 + c), 1 + c)).mean()),
                clip_like(lambda r, a, c: -torch.min(*branches(r, a, 1 - c, 1 / (1 - c))).mean()),
                clip_like(lambda r, a, c: -torch.min(*branches(r, a, 1 - c / 2, 1 + c / 2)).mean()),
                clip_like(
                    lambda r, a, c: -torch.min(r * a, (1 + c * torch.tanh((r - 1) / c)) * a).mean()
                ),
            ),
        ),
        slips.held_back(when=far_from_one),
    ),
)
