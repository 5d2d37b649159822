"""The REINFORCE loss, whose gradient is the estimate."""

import math

import numpy as np

from grader.checking import Expected, FunctionExercise, TensorOf
from grader.checks.lesson_01 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.slips import listed


def reinforce_loss_cases(rng):
    """Gradients are asked for where no step is padded: there they are right, masked or not."""
    square, wide = -rng.exponential(size=(3, 3)), -rng.exponential(size=(4, 6))
    padded = -rng.exponential(size=(3, 4))
    padded[0, 2:] = padded[2, 1:] = 0.0
    tall = -rng.exponential(size=(5, 2))
    returns = rng.normal(size=5) * 3 + 1
    case = tensor_caller("logp", "returns", grad=("logp",))
    return [
        case([[-1.0, -2.0]], [3.0]),
        case([[-0.5], [-1.5]], [2.0, -4.0]),
        case(square, returns[:3]),
        case(padded, returns[:3], grad=()),
        case(wide, returns[:4], dtype="float32"),
        case(tall, returns),
        case(wide[:1, :1], returns[:1], dtype="float32"),
        case(np.tile(square, (2, 1)), np.tile(returns[:3], 2)),
        case(square, [-2.0, -2.0, -2.0]),
        case(np.log([[0.01], [0.99], [0.01]]), [100.0, -100.0, 0.01]),
    ]


def reinforce_loss_truth(logp, returns):
    """Term by term; the gradient is minus a return over N at each of its trajectory's steps."""
    logp, returns = np.asarray(logp, float), np.asarray(returns, float)
    count = len(returns)
    terms = [float(r) * math.fsum(row) for r, row in zip(returns, logp, strict=True)]
    gradient = np.repeat(-returns[:, None] / count, logp.shape[1], axis=1)
    return Expected(-math.fsum(terms) / count, {"logp": gradient})


def loss_own_steps_only(logp, returns):
    steps = (logp != 0).sum(1).clamp(min=1)
    return -(returns * logp.sum(1) / steps).mean()


def loss_along_the_wrong_axis(logp, returns):
    return -(logp * returns).sum(1).mean()


def loss_whitened(logp, returns):
    apart = returns - returns.mean()
    return -(apart / (returns.std() + 1e-8) * logp.sum(1)).mean()


REINFORCE_LOSS_HINTS = {
    "minus-sign": "Optimisers descend. What must the loss be, so that going down on it goes up on "
    "J?",
    "sum-not-mean": "Duplicate the batch: did your step size just grow with N?",
    "mean-over-steps": "A trajectory's log-probabilities are summed; the mean is over "
    "trajectories. Duplicate the steps: what should happen to the loss?",
    "broadcast": "Each return weights its own trajectory alone. Print the shapes of what you "
    "multiply, and of the product.",
    "probability-not-log": "Where did the 1/pi go? logp holds logarithms already.",
    "returns-changed": "The returns count as they are here. Changing them is a later lesson's "
    "idea.",
    "unweighted": "Without the returns this is maximum likelihood: it copies whatever was played.",
    "not-a-scalar": "backward() needs one number. What is still to be done with these N?",
    "last-step-only": "Every step's log-probability counts, not only the last one's.",
}
REINFORCE_LOSS_FACES = {
    "minus-sign": lambda logp, returns: (returns * logp.sum(1)).mean(),
    "sum-not-mean": lambda logp, returns: -(returns * logp.sum(1)).sum(),
    "mean-over-steps": (
        lambda logp, returns: -(returns * logp.mean(1)).mean(),
        loss_own_steps_only,
        lambda logp, returns: -(returns[:, None] * logp).sum() / (logp != 0).sum(),
    ),
    "broadcast": (
        lambda logp, returns: -(returns[:, None] * logp.sum(1)).mean(),
        lambda logp, returns: -(returns[:, None] * logp.sum(1)).sum(1).mean(),
        loss_along_the_wrong_axis,
        lambda logp, returns: loss_along_the_wrong_axis(logp, returns) / logp.shape[1],
    ),
    "probability-not-log": (
        lambda logp, returns: -(returns * logp.exp().sum(1)).mean(),
        lambda logp, returns: -(returns * logp.sum(1).exp()).mean(),
    ),
    "returns-changed": (
        lambda logp, returns: -((returns - returns.mean()) * logp.sum(1)).mean(),
        loss_whitened,
    ),
    "unweighted": lambda logp, returns: -logp.sum(1).mean(),
    "not-a-scalar": lambda logp, returns: -returns * logp.sum(1),
    "last-step-only": lambda logp, returns: -(returns * logp[:, -1]).mean(),
}
REINFORCE_LOSS = FunctionExercise(
    "reinforce_loss",
    reinforce_loss_cases,
    reinforce_loss_truth,
    formula=formulas.reinforce_loss_formula,
    kind=TensorOf(),
    mistakes=listed(REINFORCE_LOSS_FACES, REINFORCE_LOSS_HINTS),
)
