"""The clipped objective: its loss, its slope by hand, the six cases and the share outside."""

import math

import numpy as np
import torch

from grader.checking import Expected, FunctionExercise, Symptom, TensorOf
from grader.checks.lesson_04 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.clip_truth import objective, ratios, slope
from grader.checks.shared.ppo_slips import OBJECTIVES, RATIOS, clipped, new_over_old
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, loss_case, off_the_edges
from grader.checks.shared.slips import listed, made
from grader.checks.shared.whitening import white

SIX = [(0.5, 2.0), (0.9, 3.0), (1.5, 1.0), (0.5, -3.0), (1.1, -2.0), (1.5, -1.0)]


def clip_cases(rng):
    """Equal policies, the six cases one by one, then mixed ones: other bands, dtypes, sizes."""
    name = "ppo_clip_loss"
    wide, size = float(rng.uniform(0.25, 0.5)), int(rng.integers(8, 16))
    ratio, adv = map(list, zip(*SIX, strict=True))
    case = tensor_caller("logp", "logp_old", "adv", grad=("logp", "logp_old"))
    far = case([-2000.0, -1900.0], [-2000.1, -1900.5], [1.0, -2.0])
    return [
        loss_case(name, [1.0, 1.0, 1.0], [3.0, -1.0, 0.5], rng),
        *[loss_case(name, [r, 1.0], [a, 1.0]) for r, a in SIX],
        loss_case(name, ratio, adv, rng, adv_grad=True),
        loss_case(name, ratio, [2.5, *adv[1:]], rng, clip=0.6),
        loss_case(name, [1.25, 0.75, 1.25, 0.75], [2.0, 1.0, -1.0, -2.0], rng, clip=0.1),
        loss_case(name, [1.4, 1.4, 1.0], [0.0, 1.0, 0.0], rng, keywords=("clip",), clip=0.3),
        far,
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


def clip_like(change=clipped, mean=torch.mean, ratio=new_over_old, data=torch.detach):
    """A wrong loss: minus mean of `change(ratio, adv, clip)`; data: what becomes of adv."""

    def loss(logp, logp_old, adv, clip=0.2):
        return -mean(change(ratio(logp, logp_old), data(adv), clip))

    return loss


def banded(low, high):
    """The objective with the band from 1 - low(clip) to 1 + high(clip)."""
    return lambda r, a, c: torch.min(r * a, r.clamp(1 - low(c), 1 + high(c)) * a)


def min_of_means(ratio, adv, clip):
    return torch.min((ratio * adv).mean(), (ratio.clamp(1 - clip, 1 + clip) * adv).mean())


def fewer_samples(case, seen, truth):
    """The mean over those inside the band alone."""
    given = {name: case.inputs[name].array for name in ("logp", "logp_old", "adv")}
    clip = case.inputs.get("clip", 0.2)
    ratio = np.exp(given["logp"] - given["logp_old"])
    inside = np.abs(ratio - 1) <= clip
    found = float(seen["value"]["array"])
    kept = -np.mean((ratio * given["adv"])[inside]) if inside.any() else np.nan
    return bool(np.isclose(found, kept, rtol=1e-4, equal_nan=True)) and not inside.all()


PPO_CLIP_LOSS_HINTS = {
    "min-of-means": "The min is taken sample by sample, before the mean. Otherwise good and bad "
    "samples hide one another.",
    "product-clipped": "The ratio is clipped, not its product with the advantage.",
    "min-before-advantage": "The min compares two products. With A < 0 the smaller ratio makes the "
    "larger one.",
    "sample-dropped": "A sample outside the band keeps a value in the mean. Only its gradient may "
    "be zero.",
    "clipped-branch-detached": "Inside the band the two branches are equal, and the min shares the "
    "gradient between them. Does it reach the ratio through both?",
    "broadcast": "Each sample's ratio meets its own advantage alone. Print the shapes of both, and "
    "of their product.",
    "dual-clip": "With A < 0 and a large ratio the loss has no second bound here. Some libraries "
    "add one, the dual clip: that is a later exercise.",
    "other-band": "The band reaches from 1 - clip to 1 + clip: as far down as up, with sharp "
    "edges.",
}
PPO_CLIP_LOSS_FACES = {
    **made(clip_like, OBJECTIVES),
    "objective-not-loss": clip_like(mean=lambda x: -x.mean()),
    **made(lambda ratio: clip_like(ratio=ratio), RATIOS),
    "gradient-through-advantage": clip_like(data=lambda adv: adv),
    "sum-not-mean": clip_like(mean=torch.sum),
    "not-averaged": clip_like(mean=lambda x: x),
    "min-of-means": clip_like(min_of_means),
    "product-clipped": (
        clip_like(lambda r, a, c: torch.min(r * a, (r * a).clamp(1 - c, 1 + c))),
        clip_like(lambda r, a, c: (r * a).clamp(1 - c, 1 + c)),
    ),
    "band-around-zero": clip_like(lambda r, a, c: torch.min(r * a, r.clamp(-c, c) * a)),
    "advantages-whitened": (
        clip_like(lambda r, a, c: clipped(r, white(a), c)),
        clip_like(lambda r, a, c: clipped(r, white(a, 1), c)),
    ),
    "min-before-advantage": clip_like(lambda r, a, c: torch.min(r, r.clamp(1 - c, 1 + c)) * a),
    "sample-dropped": (
        clip_like(lambda r, a, c: r * a * ((r - 1).abs() <= c)),
        Symptom(fewer_samples),
    ),
    "clipped-branch-detached": clip_like(
        lambda r, a, c: torch.min(r * a, r.detach().clamp(1 - c, 1 + c) * a)
    ),
    "broadcast": clip_like(lambda r, a, c: clipped(r, a[:, None], c)),
    "other-band": (
        clip_like(banded(lambda c: c / (1 + c), lambda c: c)),
        clip_like(banded(lambda c: c, lambda c: c / (1 - c))),
        clip_like(banded(lambda c: c / 2, lambda c: c / 2)),
        clip_like(lambda r, a, c: torch.min(r * a, (1 + c * torch.tanh((r - 1) / c)) * a)),
    ),
    "held-back": Symptom(far_from_one),
}
PPO_CLIP_LOSS = FunctionExercise(
    "ppo_clip_loss",
    clip_cases,
    clip_truth,
    formula=(formulas.clip_formula, formulas.clip_by_sign),
    kind=TensorOf(),
    prerequisites=("importance_ratio", "surrogate_loss"),
    mistakes=listed(PPO_CLIP_LOSS_FACES, PPO_CLIP_LOSS_HINTS),
)
