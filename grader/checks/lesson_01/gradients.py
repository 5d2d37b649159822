"""Checks of the gradient by hand and of the loss that autograd differentiates."""

import math

import numpy as np

from grader.checking import Case, FunctionExercise, Trajectory, View
from grader.checks.lesson_01 import formulas
from grader.checks.lesson_01.policy import softmax_other_axis
from grader.checks.shared.episodes import softmax
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.score_sums import (
    RETURN_SLIPS,
    discounted,
    imitation,
    summed_scores,
    whole,
)
from grader.checks.shared.slips import listed, made


def grad_log_prob_cases(rng):
    size = int(rng.integers(3, 6))
    theta = rng.normal(size=(size, 3))
    large = np.array([[1e4, 0.0], [0.5, -0.5], [1.0, 1.0]])
    return [
        Case({"theta": np.zeros((2, 2)), "state": 0, "action": 1}),
        Case({"theta": np.array([[0.0, math.log(3.0)], [0.0, 0.0]]), "state": 0, "action": 0}),
        Case({"theta": theta, "state": size - 1, "action": 2}),
        Case({"theta": theta, "state": 0, "action": 1}),
        Case({"theta": large, "state": 0, "action": 1}),
        Case({"theta": large, "state": 1, "action": 0}),
        Case({"theta": rng.normal(size=(4, 4)), "state": 1, "action": 3}),
        Case({"theta": View(rng.normal(size=(3, 5)), "read_only"), "state": 2, "action": 0}),
        Case({"theta": np.zeros((1, 1)), "state": 0, "action": 0}),
    ]


def grad_log_prob_truth(theta, state, action):
    """The derivative of the log-probability, taken numerically; students differentiate by hand."""
    step = Trajectory(np.array([state]), np.array([action]), np.array([0.0]))
    return summed_scores(theta, [step], [[1.0]])[0]


def score(theta, state, action, hot=1.0, cold=1.0, scale=1.0):
    """hot times the one-hot row minus cold times the probabilities, in the state's row."""
    found = np.zeros(np.shape(theta))
    probabilities = softmax(theta[state])
    found[state] = scale * (hot * (np.arange(theta.shape[1]) == action) - cold * probabilities)
    return found


def score_less(probabilities):
    """A wrong score: probabilities(theta, state, action) (S, A) in place of the state's row."""

    def wrong(theta, state, action):
        found = -probabilities(theta, state, action)
        found[state, action] += 1
        return found

    return wrong


def score_swapped(theta, state, action):
    found = np.zeros(theta.shape)
    found[action] = -softmax(theta[action])
    found[action, state] += 1
    return found


def in_row(theta, state, action):
    return softmax_other_axis(theta) * (np.arange(len(theta)) == state)[:, None]


def in_column(theta, state, action):
    return softmax_other_axis(theta) * (np.arange(theta.shape[1]) == action)


GRAD_LOG_PROB_HINTS = {
    "row-only": "The derivative is with respect to the whole table. What stands in the rows of the "
    "states that were not visited?",
    "minus-sign": "Raise the logit of the action taken: does its log-probability grow or shrink?",
    "one-hot-only": "Raising one logit lowers the other probabilities. Where is the derivative of "
    "the normaliser?",
    "normaliser-only": "The logit of the action taken appears twice in its log-probability.",
    "probability-not-log": "That is the derivative of the probability. What does the logarithm "
    "divide by?",
    "all-states": "Does the probability in this state depend on the logits of another state?",
    "softmax-all": "Each state has a softmax of its own.",
    "softmax-axis": "Which axis of theta holds the actions?",
    "taken-entry-only": "The other actions' logits stand in the normaliser, so they matter, too.",
    "state-action-swapped": "Rows are states, columns are actions. Which index comes first?",
    "divided-by-probability": "One division too many: the logarithm has already divided by the "
    "probability.",
}
GRAD_LOG_PROB_FACES = {
    "row-only": lambda theta, state, action: score(theta, state, action)[state],
    "minus-sign": lambda theta, state, action: -score(theta, state, action),
    "one-hot-only": lambda theta, state, action: score(theta, state, action, cold=0.0),
    "normaliser-only": lambda theta, state, action: score(theta, state, action, hot=0.0),
    "probability-not-log": lambda theta, state, action: score(
        theta, state, action, scale=softmax(theta[state])[action]
    ),
    "all-states": score_less(lambda theta, state, action: softmax(theta)),
    "softmax-all": score_less(lambda theta, s, a: softmax(theta.ravel()).reshape(theta.shape)),
    "softmax-axis": (score_less(in_column), score_less(in_row)),
    "taken-entry-only": lambda theta, state, action: (
        score(theta, state, action) * (np.arange(theta.shape[1]) == action)
    ),
    "state-action-swapped": score_swapped,
    "divided-by-probability": lambda theta, state, action: score(
        theta, state, action, scale=1 / max(softmax(theta[state])[action], 1e-300)
    ),
}
GRAD_LOG_PROB = FunctionExercise(
    "grad_log_prob",
    grad_log_prob_cases,
    grad_log_prob_truth,
    formula=formulas.grad_log_prob_formula,
    prerequisites=("softmax",),
    mistakes=listed(GRAD_LOG_PROB_FACES, GRAD_LOG_PROB_HINTS),
)


def trajectories_of(rng, lengths, num_states, num_actions):
    return [
        Trajectory(
            rng.integers(num_states, size=n),
            rng.integers(num_actions, size=n),
            np.round(rng.normal(size=n), 3) + 1.5,
        )
        for n in lengths
    ]


def reinforce_gradient_cases(rng):
    """Unequal lengths tell a mean over steps from one over trajectories; rewards aren't centred."""
    right = Trajectory(np.array([0]), np.array([1]), np.array([2.0]))
    pair = Trajectory(np.array([0, 1]), np.array([1, 0]), np.array([0.0, 1.0]))
    theta, size = rng.normal(size=(4, 3)), int(rng.integers(3, 7))
    some = trajectories_of(rng, (3, 1, 5), 4, 3)
    guised = View(rng.normal(size=(5, 2)), "read_only")
    equal = trajectories_of(rng, (4, 4, 4, 4), 5, 2)
    drawn, gamma = rng.normal(size=(3, 2)), float(rng.uniform(0.3, 0.95))
    unequal = trajectories_of(rng, rng.integers(1, 6, size=size), 3, 2)
    return [
        Case({"theta": np.zeros((2, 2)), "trajectories": [right]}),
        Case({"theta": np.zeros((2, 2)), "trajectories": [pair], "gamma": 0.5}),
        Case({"theta": theta, "trajectories": some}),
        Case({"theta": theta, "trajectories": some, "gamma": 0.5}, keywords=("gamma",)),
        Case({"theta": theta, "trajectories": some[:1] * 2, "gamma": 0.0}),
        Case({"theta": guised, "trajectories": equal, "gamma": 0.9}),
        Case({"theta": drawn, "gamma": gamma, "trajectories": unequal}, keywords=("gamma",)),
    ]


def reinforce_gradient_truth(theta, trajectories, gamma=1.0):
    """The derivative of the weighted log-probabilities; students sum scores by hand."""
    weights = [whole(one.rewards, gamma) for one in trajectories]
    return summed_scores(theta, trajectories, weights).mean(0)


def mean_of(samples):
    """A wrong gradient, the mean of wrong samples(theta, trajectories, gamma) (N, S, A)."""
    return lambda *given, **named: samples(*given, **named).mean(0)


def gradient_like(weight):
    return mean_of(imitation(weight))


def gradient_times(factor):
    """The right estimate times factor(trajectories)."""
    return lambda theta, trajectories, gamma=1.0: (
        factor(trajectories) * reinforce_gradient_truth(theta, trajectories, gamma)
    )


def product_of_means(theta, trajectories, gamma=1.0):
    mean_return = np.mean([discounted_sum(one.rewards, gamma) for one in trajectories])
    return mean_return * gradient_like(lambda r, g: np.ones(len(r)))(theta, trajectories)


def gradient_of(some, divisor=lambda trajectories: 1):
    """The right estimate from some(trajectories) alone, divided once more."""
    return lambda theta, trajectories, gamma=1.0: (
        reinforce_gradient_truth(theta, some(trajectories), gamma) / divisor(trajectories)
    )


def centred_returns(theta, trajectories, gamma=1.0):
    mean_return = np.mean([discounted_sum(one.rewards, gamma) for one in trajectories])
    return gradient_like(lambda r, g: whole(r, g) - mean_return)(theta, trajectories, gamma)


def whitened_returns(theta, trajectories, gamma=1.0):
    spread = np.std([discounted_sum(one.rewards, gamma) for one in trajectories])
    return centred_returns(theta, trajectories, gamma) / (spread + 1e-8)


REINFORCE_GRADIENT_HINTS = {
    "sum-not-mean": "Duplicate the batch: does your estimate double?",
    "mean-over-steps": "The scores of a trajectory are summed. Only over trajectories is there a "
    "mean.",
    "reward-to-go": "A good idea, and the next lesson's. Here every score gets the whole return.",
    "own-reward-only": "An early step may earn a late reward. Which number weights every score?",
    "product-of-means": "The mean of products isn't the product of means: each return weights the "
    "scores of its own trajectory.",
    "unweighted": "Without the returns, every trajectory looks equally good.",
    "last-trajectory-only": "Only the last trajectory is left. Does your loop add, or overwrite?",
    "last-step-only": "Every step's score counts, not only the last one's.",
    "centred": "Subtracting the mean return is lesson 3's idea. Here each return counts as it is.",
    "first-trajectory-only": "Only the first trajectory counts. Does your function return too "
    "early?",
}
REINFORCE_GRADIENT_FACES = {
    **made(mean_of, RETURN_SLIPS),
    "sum-not-mean": gradient_times(len),
    "mean-over-steps": (
        gradient_like(lambda r, g: whole(r, g) / len(r)),
        gradient_times(lambda ts: len(ts) / sum(len(one.rewards) for one in ts)),
    ),
    "reward-to-go": (gradient_like(rewards_to_go), gradient_like(discounted(rewards_to_go))),
    "product-of-means": product_of_means,
    "unweighted": gradient_like(lambda r, g: np.ones(len(r))),
    "last-trajectory-only": (gradient_of(lambda ts: ts[-1:]), gradient_of(lambda ts: ts[-1:], len)),
    "centred": (centred_returns, whitened_returns),
    "first-trajectory-only": (gradient_of(lambda ts: ts[:1]), gradient_of(lambda ts: ts[:1], len)),
}
REINFORCE_GRADIENT = FunctionExercise(
    "reinforce_gradient",
    reinforce_gradient_cases,
    reinforce_gradient_truth,
    formula=formulas.reinforce_gradient_formula,
    prerequisites=("softmax", "grad_log_prob", "discounted_return"),
    mistakes=listed(REINFORCE_GRADIENT_FACES, REINFORCE_GRADIENT_HINTS),
)
