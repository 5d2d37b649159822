"""Checks of the gradient by hand and of the loss that autograd differentiates."""

import math

import numpy as np

from grader.checking import Case, FunctionExercise, Mistake, Trajectory, View
from grader.checks.lesson_01 import formulas
from grader.checks.lesson_01.policy import softmax_other_axis
from grader.checks.shared import slips
from grader.checks.shared.episodes import softmax
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.score_sums import summed_scores


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


GRAD_LOG_PROB = FunctionExercise(
    "grad_log_prob",
    grad_log_prob_cases,
    grad_log_prob_truth,
    formula=formulas.grad_log_prob_formula,
    prerequisites=("softmax",),
    mistakes=(
        Mistake(
            "row-only",
            "The derivative is with respect to the whole table. What stands in the rows of the "
            "states that were not visited?",
            like=lambda theta, state, action: score(theta, state, action)[state],
        ),
        Mistake(
            "minus-sign",
            "Raise the logit of the action taken: does its log-probability grow or shrink?",
            like=lambda theta, state, action: -score(theta, state, action),
        ),
        Mistake(
            "one-hot-only",
            "Raising one logit lowers the other probabilities. Where is the derivative of the "
            "normaliser?",
            like=lambda theta, state, action: score(theta, state, action, cold=0.0),
        ),
        Mistake(
            "normaliser-only",
            "The logit of the action taken appears twice in its log-probability.",
            like=lambda theta, state, action: score(theta, state, action, hot=0.0),
        ),
        Mistake(
            "probability-not-log",
            "That is the derivative of the probability. What does the logarithm divide by?",
            like=lambda theta, state, action: score(
                theta, state, action, scale=softmax(theta[state])[action]
            ),
        ),
        Mistake(
            "all-states",
            "Does the probability in this state depend on the logits of another state?",
            like=score_less(lambda theta, state, action: softmax(theta)),
        ),
        Mistake(
            "softmax-all",
            "Each state has a softmax of its own.",
            like=score_less(lambda theta, s, a: softmax(theta.ravel()).reshape(theta.shape)),
        ),
        Mistake(
            "softmax-axis",
            "Which axis of theta holds the actions?",
            like=(score_less(in_column), score_less(in_row)),
        ),
        Mistake(
            "taken-entry-only",
            "The other actions' logits stand in the normaliser, so they matter, too.",
            like=lambda theta, state, action: (
                score(theta, state, action) * (np.arange(theta.shape[1]) == action)
            ),
        ),
        Mistake(
            "state-action-swapped",
            "Rows are states, columns are actions. Which index comes first?",
            like=score_swapped,
        ),
        Mistake(
            "divided-by-probability",
            "One division too many: the logarithm has already divided by the probability.",
            like=lambda theta, state, action: score(
                theta, state, action, scale=1 / max(softmax(theta[state])[action], 1e-300)
            ),
        ),
    ),
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
    return [
        Case({"theta": np.zeros((2, 2)), "trajectories": [right]}),
        Case({"theta": np.zeros((2, 2)), "trajectories": [pair], "gamma": 0.5}),
        Case({"theta": theta, "trajectories": some}),
        Case({"theta": theta, "trajectories": some, "gamma": 0.5}, keywords=("gamma",)),
        Case({"theta": theta, "trajectories": some[:1] * 2, "gamma": 0.0}),
        Case(
            {
                "theta": View(rng.normal(size=(5, 2)), "read_only"),
                "trajectories": trajectories_of(rng, (4, 4, 4, 4), 5, 2),
                "gamma": 0.9,
            }
        ),
        Case(
            {
                "theta": rng.normal(size=(3, 2)),
                "gamma": float(rng.uniform(0.3, 0.95)),
                "trajectories": trajectories_of(rng, rng.integers(1, 6, size=size), 3, 2),
            },
            keywords=("gamma",),
        ),
    ]


def estimate(theta, trajectories, weigh, kind=summed_scores):
    """Mean over trajectories of scores, each weighted as ``weigh(rewards) -> (T,)`` says."""
    weights = [np.asarray(weigh(one.rewards)) for one in trajectories]
    return kind(theta, trajectories, weights).mean(0)


def whole(gamma):
    """Every step weighted by the whole trajectory's return."""
    return lambda rewards: np.full(len(rewards), discounted_sum(rewards, gamma))


def reinforce_gradient_truth(theta, trajectories, gamma=1.0):
    """The derivative of the weighted log-probabilities; students sum scores by hand."""
    return estimate(theta, trajectories, whole(gamma))


def gradient_like(weigh):
    return lambda theta, trajectories, gamma=1.0: estimate(theta, trajectories, weigh(gamma))


def gradient_times(factor):
    """The right estimate times factor(trajectories)."""
    return lambda theta, trajectories, gamma=1.0: (
        factor(trajectories) * reinforce_gradient_truth(theta, trajectories, gamma)
    )


def gradient_of_probabilities(theta, trajectories, gamma=1.0):
    def probability_scores(theta, trajectories, weights):
        """As summed_scores, but of pi in place of log pi: each weight times pi(a|s)."""
        pairs = zip(trajectories, weights, strict=True)
        scaled = [w * softmax(theta)[one.states, one.actions] for one, w in pairs]
        return summed_scores(theta, trajectories, scaled)

    return estimate(theta, trajectories, whole(gamma), probability_scores)


def product_of_means(theta, trajectories, gamma=1.0):
    mean_return = np.mean([discounted_sum(one.rewards, gamma) for one in trajectories])
    return mean_return * estimate(theta, trajectories, lambda rewards: np.ones(len(rewards)))


def gradient_of(some, divisor=lambda trajectories: 1):
    """The right estimate from some(trajectories) alone, divided once more."""
    return lambda theta, trajectories, gamma=1.0: (
        reinforce_gradient_truth(theta, some(trajectories), gamma) / divisor(trajectories)
    )


def divided_twice(theta, trajectories, gamma=1.0):
    weights = [whole(gamma)(one.rewards) / len(one.rewards) for one in trajectories]
    return summed_scores(theta, trajectories, weights).mean(0)


def scores_kept(theta, trajectories, gamma=1.0):
    """The sum of scores goes on from one trajectory to the next."""
    ones = [np.ones(len(one.rewards)) for one in trajectories]
    returns = [discounted_sum(one.rewards, gamma) for one in trajectories]
    kept = summed_scores(theta, trajectories, ones).cumsum(0)
    return np.tensordot(returns, kept, 1) / len(trajectories)


def repeats_lost(theta, trajectories, gamma=1.0):
    """Index arrays add only once to an entry that they name twice."""
    theta, total = np.asarray(theta), np.zeros(np.shape(theta))
    for one in trajectories:
        scores = np.zeros(theta.shape)
        scores[one.states] -= softmax(theta)[one.states]
        scores[one.states, one.actions] += 1
        total += discounted_sum(one.rewards, gamma) * scores
    return total / len(trajectories)


def centred_returns(theta, trajectories, gamma=1.0):
    mean_return = np.mean([discounted_sum(one.rewards, gamma) for one in trajectories])
    return estimate(theta, trajectories, lambda r: whole(gamma)(r) - mean_return)


def whitened_returns(theta, trajectories, gamma=1.0):
    spread = np.std([discounted_sum(one.rewards, gamma) for one in trajectories])
    return centred_returns(theta, trajectories, gamma) / (spread + 1e-8)


def discounted_in_front(gamma):
    return lambda rewards: gamma ** np.arange(len(rewards)) * discounted_sum(rewards, gamma)


REINFORCE_GRADIENT = FunctionExercise(
    "reinforce_gradient",
    reinforce_gradient_cases,
    reinforce_gradient_truth,
    formula=formulas.reinforce_gradient_formula,
    prerequisites=("softmax", "grad_log_prob", "discounted_return"),
    mistakes=(
        slips.downhill(gradient_times(lambda trajectories: -1.0)),
        Mistake(
            "sum-not-mean",
            "Duplicate the batch: does your estimate double?",
            like=gradient_times(len),
        ),
        slips.gamma_ignored(
            lambda theta, trajectories, gamma=1.0: reinforce_gradient_truth(theta, trajectories)
        ),
        Mistake(
            "mean-over-steps",
            "The scores of a trajectory are summed. Only over trajectories is there a mean.",
            like=(
                divided_twice,
                gradient_times(lambda ts: len(ts) / sum(len(one.rewards) for one in ts)),
            ),
        ),
        Mistake(
            "reward-to-go",
            "A good idea, and the next lesson's. Here every score gets the whole return.",
            like=(
                gradient_like(lambda gamma: lambda rewards: rewards_to_go(rewards, gamma)),
                gradient_like(
                    lambda gamma: (
                        lambda rewards: (
                            gamma ** np.arange(len(rewards)) * rewards_to_go(rewards, gamma)
                        )
                    )
                ),
            ),
        ),
        Mistake(
            "own-reward-only",
            "An early step may earn a late reward. Which number weights every score?",
            like=(
                gradient_like(lambda gamma: lambda rewards: rewards),
                gradient_like(lambda gamma: lambda r: gamma ** np.arange(len(r)) * r),
            ),
        ),
        slips.discount_in_front(gradient_like(discounted_in_front)),
        Mistake(
            "product-of-means",
            "The mean of products isn't the product of means: each return weights the scores "
            "of its own trajectory.",
            like=product_of_means,
        ),
        slips.probability_not_log(gradient_of_probabilities),
        Mistake(
            "unweighted",
            "Without the returns, every trajectory looks equally good.",
            like=gradient_like(lambda gamma: lambda rewards: np.ones(len(rewards))),
        ),
        Mistake(
            "last-trajectory-only",
            "Only the last trajectory is left. Does your loop add, or overwrite?",
            like=(gradient_of(lambda ts: ts[-1:]), gradient_of(lambda ts: ts[-1:], len)),
        ),
        Mistake(
            "last-step-only",
            "Every step's score counts, not only the last one's.",
            like=gradient_like(
                lambda gamma: (
                    lambda rewards: (
                        whole(gamma)(rewards) * (np.arange(len(rewards)) == len(rewards) - 1)
                    )
                )
            ),
        ),
        Mistake(
            "centred",
            "Subtracting the mean return is lesson 3's idea. Here each return counts as it is.",
            like=(centred_returns, whitened_returns),
        ),
        Mistake(
            "first-trajectory-only",
            "Only the first trajectory counts. Does your function return too early?",
            like=(gradient_of(lambda ts: ts[:1]), gradient_of(lambda ts: ts[:1], len)),
        ),
        slips.scores_kept(scores_kept),
        slips.repeats_lost(repeats_lost),
    ),
)
