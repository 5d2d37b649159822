"""Check of train_reinforce: what spies saw, and the exact objective of the weights."""

import numpy as np

from grader.checking import RuleExercise
from grader.checks.shared import tabular
from grader.checks.shared.episodes import softmax
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.tabular import (
    NOT_LOG,
    OWN_REWARD,
    UPHILL,
    WrongForm,
    training_env,
)


def train_case(env, theta, num_updates, batch_size, seed):
    numbers = {"num_updates": num_updates, "batch_size": batch_size}
    networks = {"policy": tabular.table_policy(theta)}
    return tabular.train_case("train_reinforce", env, networks, numbers, seed)


def train_reinforce_cases(rng):
    """Two equal short runs from a crooked start, the same with another generator, and one long
    enough to learn."""
    env, seed = training_env(rng), int(rng.integers(10**6))
    crooked = rng.normal(size=(9, 4)).astype(np.float32)
    updates, size = int(rng.integers(3, 6)), int(rng.integers(10, 14))
    return [
        train_case(env, crooked, updates, size, seed),
        train_case(env, crooked, updates, size, seed),
        train_case(env, crooked, updates, size, seed + 2),
        train_case(env, np.zeros((9, 4), np.float32), 40, 24, seed + 1),
    ]


def descent(weigh, **how):
    """What one step's gradient of a loss should be, with weights ``weigh(episode) -> (T,)``."""
    return lambda theta, batch: (
        -tabular.weighted_scores(theta, batch, [weigh(episode) for episode in batch], **how)
    )


def whole_return(episode):
    return np.full(len(episode.rewards), episode.total)


def discounted_return(gamma):
    return lambda episode: np.full(len(episode.rewards), discounted_sum(episode.rewards, gamma))


def centred_descent(theta, batch):
    mean = np.mean([episode.total for episode in batch])
    return descent(lambda episode: whole_return(episode) - mean)(theta, batch)


def averaged_descent(theta, batch):
    mean = np.mean([episode.total for episode in batch])
    return descent(lambda episode: np.full(len(episode.rewards), mean))(theta, batch)


def padded_descent(theta, batch):
    """Padded steps counted as if action 0 had been played in state 0."""
    longest, found = max(len(e.rewards) for e in batch), descent(whole_return)(theta, batch)
    for episode in batch:
        found[0] += (longest - len(episode.rewards)) * episode.total * softmax(theta[0])
        found[0, 0] -= (longest - len(episode.rewards)) * episode.total
    return found


RIGHT = (
    descent(whole_return),
    descent(lambda episode: rewards_to_go(episode.rewards)),
    centred_descent,
)
WRONG = (
    *(
        WrongForm("minus-sign", UPHILL, lambda theta, batch, f=form: -f(theta, batch))
        for form in RIGHT
    ),
    WrongForm("probability-not-log", NOT_LOG, descent(whole_return, of_log=False)),
    WrongForm(
        "padding-counted",
        "Steps after an episode's end move the policy, too. What should their log-probability "
        "count?",
        padded_descent,
    ),
    WrongForm(
        "last-trajectory-only",
        "Only the last episode of the batch counts. Does your loop add, or overwrite?",
        lambda theta, batch: descent(whole_return)(theta, batch[-1:]),
    ),
    WrongForm("own-reward-only", OWN_REWARD, descent(lambda episode: episode.rewards)),
    *(
        WrongForm(
            "discounted",
            "The returns in the loss are discounted. Here the discount is 1.",
            descent(discounted_return(gamma)),
        )
        for gamma in (0.9, 0.95, 0.98, 0.99)
    ),
    WrongForm(
        "broadcast",
        "Every episode is weighted by the mean return. Print the shape of the product of "
        "returns and log-probabilities.",
        averaged_descent,
    ),
    WrongForm(
        "unweighted",
        "The returns play no part in the gradient.",
        descent(lambda episode: np.ones(len(episode.rewards))),
    ),
)


def ways(theta, batch):
    """Right estimates: the whole return, or the reward-to-go, at each step; less its mean over the
    batch at the same time or in the same state."""
    yield from tabular.in_means(theta, batch, [whole_return(episode) for episode in batch])
    to_go = [rewards_to_go(episode.rewards) for episode in batch]
    yield from tabular.in_means(theta, batch, to_go)
    times = [np.arange(len(one)) for one in to_go]
    for places in times, [episode.states for episode in batch]:
        yield from tabular.in_means(theta, batch, less_means(to_go, places))


def less_means(weights, places):
    """Each step's weight less the mean over all steps of its place. Both: one array an episode."""
    flat, where = np.concatenate(weights), np.concatenate(places)
    mean = np.bincount(where, flat) / np.maximum(np.bincount(where), 1)
    cuts = np.cumsum([len(one) for one in weights])[:-1]
    return np.split(flat - mean[where], cuts)


TRAIN_REINFORCE = RuleExercise(
    "train_reinforce",
    "train",
    train_reinforce_cases,
    rules=(
        *tabular.RULES,
        tabular.gradient_rule(RIGHT, WRONG),
        tabular.rule_history,
        tabular.mark_rule(0.9),
        tabular.direction_rule(ways),
    ),
    overall=(tabular.same_draws, tabular.other_draws),
    short_cases=3,
    seconds=30.0,
    prerequisites=(
        "softmax",
        "log_prob",
        "rollout",
        "discounted_return",
        "grad_log_prob",
        "reinforce_gradient",
        "reinforce_loss",
    ),
)
