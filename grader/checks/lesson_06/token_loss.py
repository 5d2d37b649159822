"""Check of ppo_token_loss: the clipped objective on tokens."""

import math

import numpy as np
import torch

from grader.checking import (
    N_,
    Expected,
    FunctionExercise,
    Symptom,
    Tensor,
    TensorOf,
)
from grader.checks.lesson_06 import formulas
from grader.checks.lesson_06.rewards import ONE_TRUE, completions
from grader.checks.shared import ratios
from grader.checks.shared.clip_truth import objective, slope
from grader.checks.shared.masks import of_nothing, spoiled_outside
from grader.checks.shared.ppo_slips import OBJECTIVES, RATIOS, clipped, new_over_old
from grader.checks.shared.ratios import HUGE, off_the_edges
from grader.checks.shared.slips import listed, made


def loss_cases(rng):
    """Equal policies, the six cases of the clip, padding with large numbers, other bands."""
    wide = float(rng.uniform(0.25, 0.5))
    ragged, advantages = completions(rng, 4, 6), rng.normal(size=(4, 6)) * 3
    advantages[2] = 0.0  # such tokens count as others do
    gaps = rng.random((3, 5)) < 0.6
    gaps[0, 0], gaps[2, 4] = True, False
    six = (
        np.array([[0.5, 0.9, 1.5], [0.5, 1.1, 1.5]]),
        np.array([[2.0, 3.0, 1.0], [-3.0, -2.0, -1.0]]),
    )
    inside = np.array([[False, True, True, False]])
    return [
        loss_case([[1.0, 1.0, 1.0, 1.0]], [[50.0, 3.0, -1.0, 80.0]], inside),
        loss_case([[3.0, 1.5, 1.1, 0.1]], [[50.0, 2.0, 1.0, -80.0]], inside),
        loss_case(*six, np.ones((2, 3), dtype=bool)),
        loss_case(*six, np.array([[False, True, True], [True, True, False]]), clip=0.6),
        loss_case(off_the_edges(rng, 24, 0.2).reshape(4, 6), advantages, ragged, rng=rng),
        loss_case(
            off_the_edges(rng, 15, 0.2).reshape(3, 5), rng.normal(size=(3, 5)) + 2, gaps, rng=rng
        ),
        loss_case(
            off_the_edges(rng, 12, wide).reshape(2, 6),
            rng.normal(size=(2, 6)),
            completions(rng, 2, 6),
            rng=rng,
            dtype=np.float32,
            keywords=("clip",),
            clip=wide,
        ),
        loss_case([[1.1]], [[-0.5]], [[True]]),
        # Far away nothing but the band holds a sample: no second bound, no cut of the log-ratio.
        loss_case([[0.01, HUGE], [0.01, HUGE]], [[1.0, 2.0], [-1.0, -2.0]], np.ones((2, 2), bool)),
        loss_case([[1.5, 1.5], [1.5, 1.5]], [[-2.0, -2.0], [-2.0, -2.0]], np.ones((2, 2), bool)),
        loss_case([[0.9, HUGE], [1.1, 0.01]], [[2.0, -4.0], [1.0, 3.0]], ONE_TRUE),
        loss_case([[1.5, 0.9]], [[1.0, 2.0]], [[False, False]], edge=True),
        *(far_outside(dtype) for dtype in (np.float32, np.float64)),
    ]


def far_outside(dtype):
    """A padded column whose ratio is beyond the dtype's largest number."""
    far = 89.0 if dtype == np.float32 else 710.0
    ratio = np.exp(np.array([[0.1, 0.0, -0.1]]))
    case = loss_case(ratio, [[1.0, 1.0, -1.0]], [[True, False, True]], dtype=dtype, edge=True)
    case.inputs["logp_old"].array[0, 1] -= far
    return case


def loss_case(ratio, adv, mask, **how):
    mask = Tensor(np.array(mask))
    return ratios.loss_case("ppo_token_loss", ratio, adv, adv_grad=True, mask=mask, **how)


def loss_truth(logp, logp_old, adv, mask, clip=0.2):
    """The definition of the clip's objective, token by token (see lesson 04's check)."""
    gradient, objectives = np.zeros(np.shape(logp)), []
    count = max(1, int(np.sum(mask)))
    for index in zip(*np.nonzero(mask), strict=True):
        ratio, weight = math.exp(float(logp[index]) - float(logp_old[index])), float(adv[index])
        objectives.append(objective(ratio, weight, clip))
        gradient[index] = -slope(ratio, weight, clip) * ratio / count
    gradients = {"logp": gradient, "logp_old": None, "adv": None}
    return Expected(-math.fsum(objectives) / count, gradients)


def mean_of(x, mask):
    return (x * mask).sum() / mask.sum().clamp(min=1)


def loss_like(change=clipped, mean=mean_of, ratio=new_over_old, data=torch.detach):
    """A wrong loss: minus `mean(x, mask)` of `change(ratio, adv, clip)`; data: what becomes of
    adv."""

    def loss(logp, logp_old, adv, mask, clip=0.2):
        return -mean(change(ratio(logp, logp_old), data(adv), clip), mask)

    return loss


def row_means(x, mask):
    return ((x * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def sequence_ratio(logp, logp_old, adv, mask, clip=0.2):
    log_ratio = ((logp - logp_old.detach()) * mask).sum(1, keepdim=True)
    return -mean_of(clipped(log_ratio.exp(), adv.detach(), clip), mask)


def whitened(logp, logp_old, adv, mask, clip=0.2, unbiased=False):
    chosen = adv[mask]
    unbiased = unbiased and len(chosen) > 1
    white = (adv - chosen.mean()) / (chosen.std(unbiased=unbiased) + 1e-8)
    return loss_like()(logp, logp_old, white, mask, clip)


def whitened_by_torch(logp, logp_old, adv, mask, clip=0.2):
    """With torch's own deviation, and one number left as it is."""
    if mask.sum() == 1:
        return loss_like()(logp, logp_old, adv, mask, clip)
    return whitened(logp, logp_old, adv, mask, clip, unbiased=True)


PADDING = N_(
    "Prompt and padding count as well. Divide by the mask's sum, and add up its entries alone."
)


PPO_TOKEN_LOSS_HINTS = {
    "mask-ignored": PADDING,
    "divided-by-size": PADDING,
    "row-means": "Every token weighs the same: no mean of each sentence first.",
    "dual-clip": "A bad token whose ratio is large: the loss asked for has no second bound there. "
    "Some libraries add one; lesson 04 calls it the dual clip.",
    "clip-higher": "The band is as wide above 1 as below it: from 1 - clip to 1 + clip.",
}
PPO_TOKEN_LOSS_FACES = {
    "empty-mask": Symptom(of_nothing),
    "mask-after-exp": Symptom(spoiled_outside),
    "mask-ignored": loss_like(mean=lambda x, mask: x.mean()),
    "divided-by-size": loss_like(mean=lambda x, mask: (x * mask).mean()),
    "row-means": loss_like(mean=row_means),
    "sum-not-mean": (
        loss_like(mean=lambda x, mask: (x * mask).sum()),
        loss_like(mean=lambda x, mask: (x * mask).sum(1).mean()),
    ),
    "not-averaged": loss_like(mean=lambda x, mask: x * mask),
    "objective-not-loss": loss_like(mean=lambda x, mask: -mean_of(x, mask)),
    **made(loss_like, OBJECTIVES),
    **made(lambda ratio: loss_like(ratio=ratio), RATIOS),
    "sentence-ratio": sequence_ratio,
    "gradient-through-advantage": loss_like(data=lambda adv: adv),
    "advantages-whitened": (whitened, whitened_by_torch),
    "clip-higher": tuple(
        loss_like(lambda r, a, c, up=up: torch.min(r * a, r.clamp(1 - c, 1 + up * c) * a))
        for up in (1.4, 2.0, 1.5)
    ),
    "held-back": Symptom(ratios.far_from_one),
}
PPO_TOKEN_LOSS = FunctionExercise(
    "ppo_token_loss",
    loss_cases,
    loss_truth,
    formula=(formulas.token_loss_formula, formulas.token_loss_of_chosen),
    kind=TensorOf(),
    prerequisites=("masked_mean",),
    mistakes=listed(PPO_TOKEN_LOSS_FACES, PPO_TOKEN_LOSS_HINTS),
)
