"""The importance ratio and the unclipped surrogate."""

import numpy as np
import torch

from grader.checking import (
    Expected,
    FunctionExercise,
    Symptom,
    TensorOf,
    close,
)
from grader.checks.lesson_04 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.clip_truth import ratios, surrogate_truth
from grader.checks.shared.ppo_slips import RATIOS, clipped, new_over_old
from grader.checks.shared.ratios import EQUAL, FAR, HUGE, far_from_one, logs, loss_case
from grader.checks.shared.slips import listed, made
from grader.checks.shared.whitening import white


def ratio_cases(rng):
    """2, 1/2 and 1; equal policies; probabilities far below the smallest float; ratios far from 1;
    random sizes."""
    drawn = rng.normal(size=(2, int(rng.integers(4, 9)))) * 0.5
    known = logs([2.0, 0.5, 1.0])
    far = np.array([-2000.0, -1500.0]), np.array([-2001.0, -1500.0])
    equal = np.log([0.3, 0.05])
    return [
        ratio_case(*known),
        ratio_case(equal, equal),
        ratio_case(*far),
        ratio_case(*logs(np.exp([6.0, -6.0, 0.5]))),
        ratio_case(*logs([1 / HUGE, HUGE, 1.5])),
        ratio_case(*logs([1.25], rng)),
        ratio_case(*logs(np.exp(drawn[0]), rng)),
        ratio_case(*logs(np.exp(drawn[1]), rng, np.float32)),
    ]


def ratio_case(logp, logp_old):
    """Both ask for a gradient; unequal weights show which entry moves which."""
    pair = "logp", "logp_old"
    return tensor_caller(*pair, grad=pair)(logp, logp_old, upstream=1.0 + np.arange(len(logp)))


def ratio_truth(logp, logp_old):
    ratio = ratios(logp, logp_old)
    return Expected(ratio, {"logp": lambda upstream: upstream * ratio, "logp_old": None})


def far_down(case, seen, truth):
    """Wrong where no probability can be told from 0: an epsilon in the quotient hides the nan."""
    logp = case.inputs["logp"].array
    return (logp < -1000).all() and not close(seen["value"]["array"], truth.value).all()


def only_far(case, seen, truth):
    """Wrong where ratios are large or small, and there alone: held back in the logarithm."""
    found, ratio = seen["value"]["array"], np.asarray(truth.value)
    far = np.abs(np.log(ratio)) > 4
    return (
        far.any()
        and not close(found[far], ratio[far]).any()
        and close(found[~far], ratio[~far]).all()
    )


IMPORTANCE_RATIO_HINTS = {
    "difference-of-probabilities": "A ratio, not a difference: at equal policies it is 1.",
    "wrong-one-detached": "One of the two is data, the other one is being learned. Which did you "
    "detach?",
    "only-new": "Where is the old policy in this?",
    "averaged": "One ratio per sample: the result has the shape of logp.",
}
IMPORTANCE_RATIO_FACES = {
    **RATIOS,
    "ratio-of-logs": (
        RATIOS["ratio-of-logs"],
        lambda logp, logp_old: torch.exp(logp / logp_old.detach()),
    ),
    "difference-of-probabilities": lambda logp, logp_old: logp.exp() - logp_old.detach().exp(),
    "underflow": (
        RATIOS["underflow"],
        lambda logp, logp_old: logp.exp() / logp_old.exp(),
        Symptom(far_down),
    ),
    "wrong-one-detached": lambda logp, logp_old: torch.exp(logp.detach() - logp_old),
    "held-back": (
        lambda logp, logp_old: new_over_old(logp, logp_old).clamp(0.8, 1.2),
        Symptom(only_far),
    ),
    "only-new": lambda logp, logp_old: logp.exp(),
    "averaged": lambda logp, logp_old: new_over_old(logp, logp_old).mean(),
}
IMPORTANCE_RATIO = FunctionExercise(
    "importance_ratio",
    ratio_cases,
    ratio_truth,
    formula=formulas.ratio_formula,
    kind=TensorOf(),
    mistakes=listed(IMPORTANCE_RATIO_FACES, IMPORTANCE_RATIO_HINTS),
)


def surrogate_cases(rng):
    """Equal policies first; ratios far apart; a doubled batch; probabilities that underflow."""
    name = "surrogate_loss"
    size = int(rng.integers(5, 12))
    case = tensor_caller("logp", "logp_old", "adv", grad=("logp", "logp_old"))
    far = case([-2000.0, -1.0], [-2000.5, -1.5], [1.0, -0.5])
    return [
        loss_case(name, [1.0, 1.0, 1.0], [3.0, -1.0, 0.5], rng),
        loss_case(name, [2.0, 0.5], [1.0, 3.0]),
        loss_case(name, [3.0], [-2.0]),
        loss_case(name, [2.0, 0.5, 2.0, 0.5], [1.0, 3.0, 1.0, 3.0]),
        far,
        loss_case(name, np.exp(rng.normal(size=size)), rng.normal(size=size) * 2, rng),
        loss_case(name, np.exp(rng.normal(size=7) * 0.2), rng.normal(size=7) + 3, rng, np.float32),
        loss_case(name, *EQUAL),
        loss_case(name, *FAR),
    ]


def surrogate_like(change=lambda ratio, adv: -(ratio * adv).mean(), ratio=new_over_old):
    """A wrong surrogate from `change(ratio, adv)`."""
    return lambda logp, logp_old, adv: change(ratio(logp, logp_old), adv)


SURROGATE_LOSS_HINTS = {
    "log-prob-not-ratio": "That is REINFORCE's loss: right on the first pass, wrong once the "
    "policies differ. Where is the old policy?",
    "product-of-means": "Each sample's ratio weighs its own advantage. Multiply first, then "
    "average.",
    "clipped-here": "The surrogate has no clip yet. That is the next exercise.",
    "weights-normalised": "Divide by the number of samples, not by the sum of the ratios.",
    "held-ratio": "Its gradient is right, its value is not. The ratio itself carries the gradient; "
    "no log-probability stands beside it.",
}
SURROGATE_LOSS_FACES = {
    "objective-not-loss": surrogate_like(lambda r, adv: (r * adv).mean()),
    "log-prob-not-ratio": lambda logp, logp_old, adv: -(logp * adv).mean(),
    **made(lambda ratio: surrogate_like(ratio=ratio), RATIOS),
    "sum-not-mean": surrogate_like(lambda r, adv: -(r * adv).sum()),
    "not-averaged": surrogate_like(lambda r, adv: -r * adv),
    "product-of-means": surrogate_like(lambda r, adv: -r.mean() * adv.mean()),
    "clipped-here": (
        surrogate_like(lambda r, adv: -clipped(r, adv, 0.2).mean()),
        surrogate_like(lambda r, adv: -(r.clamp(0.8, 1.2) * adv).mean()),
    ),
    "advantages-whitened": (
        surrogate_like(lambda r, adv: -(r * white(adv)).mean()),
        surrogate_like(lambda r, adv: -(r * white(adv, 1)).mean()),
    ),
    "weights-normalised": surrogate_like(lambda r, adv: -(r * adv).sum() / r.sum()),
    "held-ratio": lambda logp, logp_old, adv: (
        -((logp - logp_old).exp().detach() * logp * adv).mean()
    ),
    "held-back": Symptom(far_from_one),
}
SURROGATE_LOSS = FunctionExercise(
    "surrogate_loss",
    surrogate_cases,
    surrogate_truth,
    formula=formulas.surrogate_formula,
    kind=TensorOf(),
    prerequisites=("importance_ratio",),
    mistakes=listed(SURROGATE_LOSS_FACES, SURROGATE_LOSS_HINTS),
)
