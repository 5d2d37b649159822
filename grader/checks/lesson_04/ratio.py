"""The importance ratio and the unclipped surrogate."""

import numpy as np
import torch

from grader.checking import Case, Expected, FunctionExercise, Mistake, Tensor, TensorOf, close
from grader.checks.lesson_04 import formulas
from grader.checks.shared import slips
from grader.checks.shared.clip_truth import ratios, surrogate_truth
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, logs, loss_case


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
        ratio_case(*logs([0.01, 100.0, 1.5])),
        ratio_case(*logs([1.25], rng)),
        ratio_case(*logs(np.exp(drawn[0]), rng)),
        ratio_case(*logs(np.exp(drawn[1]), rng, np.float32)),
    ]


def ratio_case(logp, logp_old):
    """Both ask for a gradient; unequal weights show which entry moves which."""
    inputs = {"logp": Tensor(logp, grad=True), "logp_old": Tensor(logp_old, grad=True)}
    return Case(inputs, upstream=1.0 + np.arange(len(logp)))


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


IMPORTANCE_RATIO = FunctionExercise(
    "importance_ratio",
    ratio_cases,
    ratio_truth,
    formula=formulas.ratio_formula,
    kind=TensorOf(),
    mistakes=(
        slips.inverted_ratio(lambda logp, logp_old: torch.exp(logp_old.detach() - logp)),
        slips.no_exp(lambda logp, logp_old: logp - logp_old.detach()),
        slips.ratio_of_logs(
            lambda logp, logp_old: logp / logp_old.detach(),
            lambda logp, logp_old: torch.exp(logp / logp_old.detach()),
        ),
        Mistake(
            "difference-of-probabilities",
            "A ratio, not a difference: at equal policies it is 1.",
            like=lambda logp, logp_old: logp.exp() - logp_old.detach().exp(),
        ),
        slips.underflow(
            lambda logp, logp_old: logp.exp() / logp_old.detach().exp(),
            lambda logp, logp_old: logp.exp() / logp_old.exp(),
            when=far_down,
        ),
        slips.gradient_through_old(lambda logp, logp_old: torch.exp(logp - logp_old)),
        Mistake(
            "wrong-one-detached",
            "One of the two is data, the other one is being learned. Which did you detach?",
            like=lambda logp, logp_old: torch.exp(logp.detach() - logp_old),
        ),
        slips.held_back(
            lambda logp, logp_old: torch.exp(logp - logp_old.detach()).clamp(0.8, 1.2),
            when=only_far,
        ),
        Mistake(
            "only-new", "Where is the old policy in this?", like=lambda logp, logp_old: logp.exp()
        ),
        Mistake(
            "averaged",
            "One ratio per sample: the result has the shape of logp.",
            like=lambda logp, logp_old: torch.exp(logp - logp_old.detach()).mean(),
        ),
    ),
)


def surrogate_cases(rng):
    """Equal policies first; ratios far apart; a doubled batch; probabilities that underflow."""
    name = "surrogate_loss"
    size = int(rng.integers(5, 12))
    far = Case(
        {
            "logp": Tensor(np.array([-2000.0, -1.0]), grad=True),
            "logp_old": Tensor(np.array([-2000.5, -1.5]), grad=True),
            "adv": Tensor(np.array([1.0, -0.5])),
        }
    )
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


def surrogate_like(change):
    """A wrong surrogate from `change(ratio, adv)`."""
    return lambda logp, logp_old, adv: change(torch.exp(logp - logp_old.detach()), adv)


def whitened_by(unbiased):
    """The surrogate of advantages that are whitened on the way."""

    def loss(ratio, adv):
        deviation = adv.std(unbiased=unbiased) + 1e-8
        return -(ratio * (adv - adv.mean()) / deviation).mean()

    return loss


SURROGATE_LOSS = FunctionExercise(
    "surrogate_loss",
    surrogate_cases,
    surrogate_truth,
    formula=formulas.surrogate_formula,
    kind=TensorOf(),
    prerequisites=("importance_ratio",),
    mistakes=(
        slips.objective_not_loss(surrogate_like(lambda r, adv: (r * adv).mean())),
        Mistake(
            "log-prob-not-ratio",
            "That is REINFORCE's loss: right on the first pass, wrong "
            "once the policies differ. Where is the old policy?",
            like=lambda logp, logp_old, adv: -(logp * adv).mean(),
        ),
        slips.inverted_ratio(surrogate_like(lambda r, adv: -(adv / r).mean())),
        slips.no_exp(surrogate_like(lambda r, adv: -(r.log() * adv).mean())),
        slips.ratio_of_logs(lambda logp, logp_old, adv: -(logp / logp_old.detach() * adv).mean()),
        slips.underflow(
            lambda logp, logp_old, adv: -(logp.exp() / logp_old.detach().exp() * adv).mean()
        ),
        slips.gradient_through_old(
            lambda logp, logp_old, adv: -(torch.exp(logp - logp_old) * adv).mean()
        ),
        slips.sum_not_mean(surrogate_like(lambda r, adv: -(r * adv).sum())),
        slips.not_averaged(surrogate_like(lambda r, adv: -r * adv)),
        Mistake(
            "product-of-means",
            "Each sample's ratio weighs its own advantage. Multiply first, then average.",
            like=surrogate_like(lambda r, adv: -r.mean() * adv.mean()),
        ),
        Mistake(
            "clipped-here",
            "The surrogate has no clip yet. That is the next exercise.",
            like=(
                surrogate_like(lambda r, adv: -torch.min(r * adv, r.clamp(0.8, 1.2) * adv).mean()),
                surrogate_like(lambda r, adv: -(r.clamp(0.8, 1.2) * adv).mean()),
            ),
        ),
        slips.advantages_whitened(
            surrogate_like(whitened_by(unbiased=False)), surrogate_like(whitened_by(unbiased=True))
        ),
        Mistake(
            "weights-normalised",
            "Divide by the number of samples, not by the sum of the ratios.",
            like=surrogate_like(lambda r, adv: -(r * adv).sum() / r.sum()),
        ),
        Mistake(
            "held-ratio",
            "Its gradient is right, its value is not. The ratio itself "
            "carries the gradient; no log-probability stands beside it.",
            like=lambda logp, logp_old, adv: (
                -((logp - logp_old).exp().detach() * logp * adv).mean()
            ),
        ),
        slips.held_back(when=far_from_one),
    ),
)
