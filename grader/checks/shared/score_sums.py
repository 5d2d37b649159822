"""Per-trajectory sums of weighted scores: cases, exact derivatives, wrong imitations."""

import math

import numpy as np

from grader.checking import Case, Trajectory, View
from grader.checks.shared.returns import discounted_sum

# So small that its square is lost, and with it all of a derivative's error but rounding.
STEP = 1e-20j


def summed_scores(theta, trajectories, weights):
    """(N, S, A): per trajectory the gradient of the weighted log-probabilities, by a complex step
    (Squire and Trapp 1998): the imaginary part of f(theta + ih) is h times the derivative.

    weights: one sequence (T,) a trajectory. Students compute the same by the formula of the score.
    """
    theta = np.array(theta, dtype=float)
    moved = STEP * np.eye(theta.size).reshape(-1, *theta.shape)  # one entry at a time
    logits = theta - theta.max(axis=-1, keepdims=True) + moved
    logp = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    sums = [
        logp[:, np.array(t.states, dtype=int), np.array(t.actions, dtype=int)]
        @ np.array(weight, dtype=float)
        for t, weight in zip(trajectories, weights, strict=True)
    ]
    return np.array(sums).imag.reshape(len(sums), *theta.shape) / STEP.imag


def softmax_rows(theta):
    """(S, A) logits -> probabilities; the imitated mistakes build on it."""
    weights = np.exp(theta - theta.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def random_trajectory(rng, num_states, num_actions):
    """A record of one to six random states, actions and rewards of either sign."""
    length = int(rng.integers(1, 7))
    rewards = rng.normal(size=length) * 3 + rng.uniform(-3, 3)
    return Trajectory(
        rng.integers(num_states, size=length), rng.integers(num_actions, size=length), rewards
    )


def short_episodes():
    """Two episodes whose states, lengths and rewards tell the usual mistakes apart."""
    return [
        Trajectory(np.array([0, 1, 0]), np.array([1, 0, 0]), np.array([1.0, -2.0, 4.0])),
        Trajectory(np.array([1]), np.array([1]), np.array([-3.0])),
    ]


def gradient_cases(rng):
    """Calls (theta, trajectories, gamma): fixed ones first, then random sizes."""
    theta = np.array([[0.0, math.log(3.0)], [math.log(2.0), 0.0]])
    sizes = [tuple(int(n) for n in rng.integers(2, 5, size=3)) for _ in range(2)]
    drawn = [
        (rng.normal(size=(s, a)), [random_trajectory(rng, s, a) for _ in range(n)])
        for s, a, n in sizes
    ]
    guises = View(drawn[0][0], "read_only"), View(drawn[1][0], "strided")
    gamma = float(rng.uniform(0.3, 0.95))
    return [
        Case({"theta": np.zeros((2, 2)), "trajectories": short_episodes()}),
        Case({"theta": theta, "trajectories": short_episodes(), "gamma": 0.5}),
        Case({"theta": theta, "trajectories": short_episodes()[:1], "gamma": 0.0}),
        Case({"theta": guises[0], "trajectories": drawn[0][1], "gamma": 0.9}, keywords=("gamma",)),
        Case({"theta": guises[1], "trajectories": drawn[1][1], "gamma": gamma}),
        Case({"theta": drawn[1][0], "trajectories": drawn[1][1]}),
    ]


def imitation(weight, score=None, combine=None):
    """A wrong (theta, trajectories, gamma) -> (N, S, A): weight(rewards, gamma) -> (T,) and
    score(pi, s, a) -> (S, A) say how it goes wrong; combine acts on the whole result."""

    def wrong(theta, trajectories, gamma=1.0):
        pi = softmax_rows(np.asarray(theta))
        samples = [
            sum(
                w * (score or log_score)(pi, s, a)
                for w, s, a in zip(weight(t.rewards, gamma), t.states, t.actions, strict=True)
            )
            for t in trajectories
        ]
        return (combine or np.array)(samples)

    return wrong


def log_score(pi, state, action):
    score = np.zeros_like(pi)
    score[state] = -pi[state]
    score[state, action] += 1
    return score


def chosen_only(pi, state, action):
    score = np.zeros_like(pi)
    score[state, action] = 1 - pi[state, action]
    return score


def visited_only(pi, state, action):
    score = np.zeros_like(pi)
    score[state, action] = 1
    return score


def probability_score(pi, state, action):
    return pi[state, action] * log_score(pi, state, action)


def whole(rewards, gamma):
    return np.full(len(rewards), discounted_sum(rewards, gamma))


def by_own_reward(rewards, gamma):
    return gamma ** np.arange(len(rewards)) * rewards


def discounted(weight):
    """Each step's weight once more times gamma^t."""
    return lambda rewards, gamma: gamma ** np.arange(len(rewards)) * weight(rewards, gamma)


def repeats_lost(weight):
    """(theta, trajectories, gamma) -> (N, S, A) by index arrays, which add only once to an entry
    that they name twice."""

    def one(pi, trajectory, gamma):
        sample, states = np.zeros_like(pi), trajectory.states
        weights = np.asarray(weight(trajectory.rewards, gamma))
        sample[states, trajectory.actions] += weights
        sample[states] -= weights[:, None] * pi[states]
        return sample

    def wrong(theta, trajectories, gamma=1.0):
        pi = softmax_rows(np.asarray(theta))
        return np.array([one(pi, trajectory, gamma) for trajectory in trajectories])

    return wrong


def never_reset(samples):
    """Each sample with all that came before it: the sum starts at zeros only once."""
    return np.cumsum(samples, axis=0)


def scores_kept(theta, trajectories, gamma=1.0):
    """The sum of scores goes on from one trajectory to the next."""
    returns = [discounted_sum(t.rewards, gamma) for t in trajectories]
    ones = imitation(lambda rewards, g: np.ones(len(rewards)), combine=never_reset)
    return np.array(returns)[:, None, None] * ones(theta, trajectories)


# Name -> wrong samples of an estimate with the whole return: (theta, trajectories, gamma) ->
# (N, S, A).
RETURN_SLIPS = {
    "minus-sign/downhill": imitation(lambda r, g: -whole(r, g)),
    "gamma-ignored": imitation(lambda r, g: whole(r, 1.0)),
    "own-reward-only": (imitation(by_own_reward), imitation(lambda r, g: r)),
    "scores-kept": scores_kept,
    "repeats-lost": repeats_lost(whole),
    "discount-in-front": imitation(discounted(whole)),
    "last-step-only": imitation(lambda r, g: whole(r, g) * (np.arange(len(r)) == len(r) - 1)),
    "probability-not-log": imitation(whole, probability_score),
}
