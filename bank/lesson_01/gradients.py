"""Answers for gradients by hand."""

import numpy as np
import torch

from bank import right, wrong
from bank.lesson_01.policy import backwards, power_sum, softmax


@right("grad_log_prob")
def one_hot_minus_softmax(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state] = -softmax(theta[state])
    grad[state, action] += 1.0
    return grad


@right("grad_log_prob")
def outer(theta, state, action):
    num_states, num_actions = theta.shape
    return np.outer(np.eye(num_states)[state], np.eye(num_actions)[action] - softmax(theta[state]))


@right("grad_log_prob")
def entry_by_entry(theta, state, action):
    pi = softmax(theta)
    return np.array(
        [
            [(s == state) * ((a == action) - pi[s, a]) for a in range(theta.shape[1])]
            for s in range(theta.shape[0])
        ]
    )


@right("grad_log_prob")
def autograd(theta, state, action):
    table = torch.tensor(np.array(theta), requires_grad=True)
    torch.log_softmax(table, -1)[state, action].backward()
    return table.grad.numpy()


@right("grad_log_prob")
def masked_einsum(theta, state, action):
    rows = np.arange(len(theta)) == state
    score = (np.arange(theta.shape[1]) == action) - softmax(theta)
    return np.einsum("s,sa->sa", rows, score)


@wrong("grad_log_prob", "row-only")
def row_only(theta, state, action):
    return np.eye(theta.shape[1])[action] - softmax(theta[state])


@wrong("grad_log_prob", "minus-sign")
def sign_flipped(theta, state, action):
    return -one_hot_minus_softmax(theta, state, action)


@wrong("grad_log_prob", "one-hot-only")
def normaliser_forgotten(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state, action] = 1.0
    return grad


@wrong("grad_log_prob", "normaliser-only")
def one_hot_forgotten(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state] = -softmax(theta[state])
    return grad


@wrong("grad_log_prob", "probability-not-log")
def of_the_probability(theta, state, action):
    return softmax(theta[state])[action] * one_hot_minus_softmax(theta, state, action)


@wrong("grad_log_prob", "all-states")
def every_row(theta, state, action):
    grad = -softmax(theta)
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "softmax-all")
def one_softmax_for_the_table(theta, state, action):
    weights = np.exp(theta - theta.max())
    grad = -weights / weights.sum()
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "softmax-axis")
def softmax_over_states(theta, state, action):
    weights = np.exp(theta - theta.max(0))
    grad = np.zeros_like(theta)
    grad[state] = -(weights / weights.sum(0))[state]
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "taken-entry-only")
def one_minus_p(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state, action] = 1 - softmax(theta[state])[action]
    return grad


@wrong("grad_log_prob", "state-action-swapped")
def state_and_action_swapped(theta, state, action):
    return one_hot_minus_softmax(theta, action, state)


@wrong("grad_log_prob", "changed-inputs")
def on_theta_itself(theta, state, action):
    grad = theta if theta.flags.writeable else theta.copy()
    row = softmax(theta[state])
    grad[:] = 0
    grad[state] -= row
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "divided-by-probability")
def score_over_p(theta, state, action):
    p = softmax(theta[state])[action]
    return one_hot_minus_softmax(theta, state, action) / max(p, 1e-300)


def steps_of(trajectory):
    return zip(trajectory.states, trajectory.actions, strict=True)


def scores_of(theta, trajectory):
    return np.array([one_hot_minus_softmax(theta, s, a) for s, a in steps_of(trajectory)])


@right("reinforce_gradient")
def double_loop(theta, trajectories, gamma=1.0):
    total = np.zeros(theta.shape)
    for trajectory in trajectories:
        ret = power_sum(trajectory.rewards, gamma)
        for state, action in steps_of(trajectory):
            total += ret * one_hot_minus_softmax(theta, state, action)
    return total / len(trajectories)


@right("reinforce_gradient")
def stacked(theta, trajectories, gamma=1.0):
    returns = np.array([power_sum(t.rewards, gamma) for t in trajectories])
    scores = np.stack([scores_of(theta, t).sum(0) for t in trajectories])
    return np.einsum("n,nsa->sa", returns, scores) / len(returns)


@right("reinforce_gradient")
def counted(theta, trajectories, gamma=1.0):
    """Counts of each state and action are all that the sum of scores depends on."""
    weight = np.zeros(theta.shape)
    for trajectory in trajectories:
        np.add.at(
            weight, (trajectory.states, trajectory.actions), power_sum(trajectory.rewards, gamma)
        )
    return (weight - weight.sum(1, keepdims=True) * softmax(theta)) / len(trajectories)


@right("reinforce_gradient")
def by_autograd(theta, trajectories, gamma=1.0):
    table = torch.tensor(np.array(theta), requires_grad=True)
    logp = torch.log_softmax(table, -1)
    objective = sum(
        power_sum(t.rewards, gamma) * logp[t.states, t.actions].sum() for t in trajectories
    )
    (objective / len(trajectories)).backward()
    return table.grad.numpy()


@right("reinforce_gradient")
def running_mean(theta, trajectories, gamma=1.0):
    mean = np.zeros(theta.shape)
    for n, trajectory in enumerate(trajectories, start=1):
        one = sum(scores_of(theta, trajectory)) * backwards(trajectory.rewards, gamma)
        mean = mean + (one - mean) / n
    return mean


def weighed(theta, trajectories, weigh):
    """Mean over trajectories of scores times weigh(rewards) (T,)."""
    each = [np.einsum("t,tsa->sa", weigh(t.rewards), scores_of(theta, t)) for t in trajectories]
    return np.mean(each, axis=0)


def to_go(rewards, gamma):
    return np.array([power_sum(rewards[t:], gamma) for t in range(len(rewards))])


@wrong("reinforce_gradient", "minus-sign")
def descent_direction(theta, trajectories, gamma=1.0):
    return -double_loop(theta, trajectories, gamma)


@wrong("reinforce_gradient", "sum-not-mean")
def summed_over_trajectories(theta, trajectories, gamma=1.0):
    return double_loop(theta, trajectories, gamma) * len(trajectories)


@wrong("reinforce_gradient", "gamma-ignored")
def undiscounted(theta, trajectories, gamma=1.0):
    return double_loop(theta, trajectories)


@wrong("reinforce_gradient", "mean-over-steps")
def mean_score(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: np.full(len(r), power_sum(r, gamma)) / len(r))


@wrong("reinforce_gradient", "mean-over-steps")
def divided_by_all_steps(theta, trajectories, gamma=1.0):
    steps = sum(len(t) for t in trajectories)
    return double_loop(theta, trajectories, gamma) * len(trajectories) / steps


@wrong("reinforce_gradient", "reward-to-go")
def rewards_to_go(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: to_go(r, gamma))


@wrong("reinforce_gradient", "own-reward-only")
def own_reward(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: r)


@wrong("reinforce_gradient", "own-reward-only")
def own_discounted_reward(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: gamma ** np.arange(len(r)) * r)


@wrong("reinforce_gradient", "discount-in-front")
def scores_discounted_too(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: gamma ** np.arange(len(r)) * power_sum(r, gamma))


@wrong("reinforce_gradient", "product-of-means")
def means_multiplied(theta, trajectories, gamma=1.0):
    mean_return = np.mean([power_sum(t.rewards, gamma) for t in trajectories])
    return mean_return * np.mean([scores_of(theta, t).sum(0) for t in trajectories], axis=0)


@wrong("reinforce_gradient", "probability-not-log")
def probabilities_in_place_of_logs(theta, trajectories, gamma=1.0):
    pi, total = softmax(theta), np.zeros(theta.shape)
    for t in trajectories:
        for s, a in steps_of(t):
            total += power_sum(t.rewards, gamma) * pi[s, a] * one_hot_minus_softmax(theta, s, a)
    return total / len(trajectories)


@wrong("reinforce_gradient", "unweighted")
def returns_forgotten(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: np.ones(len(r)))


@wrong("reinforce_gradient", "last-trajectory-only")
def overwritten_in_the_loop(theta, trajectories, gamma=1.0):
    for trajectory in trajectories:
        total = power_sum(trajectory.rewards, gamma) * scores_of(theta, trajectory).sum(0)
    return total


@wrong("reinforce_gradient", "last-trajectory-only")
def overwritten_then_divided(theta, trajectories, gamma=1.0):
    return overwritten_in_the_loop(theta, trajectories, gamma) / len(trajectories)


@wrong("reinforce_gradient", "last-step-only")
def last_score(theta, trajectories, gamma=1.0):
    each = [power_sum(t.rewards, gamma) * scores_of(theta, t)[-1] for t in trajectories]
    return np.mean(each, axis=0)


@wrong("reinforce_gradient", "centred")
def mean_return_subtracted(theta, trajectories, gamma=1.0):
    mean_return = np.mean([power_sum(t.rewards, gamma) for t in trajectories])
    return weighed(
        theta, trajectories, lambda r: np.full(len(r), power_sum(r, gamma) - mean_return)
    )


@wrong("reinforce_gradient", "not-reduced")
def one_each(theta, trajectories, gamma=1.0):
    return np.array([double_loop(theta, [t], gamma) for t in trajectories])


@wrong("reinforce_gradient", "unequal-weights")
def returns_run_together(theta, trajectories, gamma=1.0):
    everything = power_sum(np.concatenate([t.rewards for t in trajectories]), gamma)
    return weighed(theta, trajectories, lambda r: np.full(len(r), everything))


@wrong("reinforce_gradient", "changed-inputs")
def theta_updated(theta, trajectories, gamma=1.0):
    grad = double_loop(theta, trajectories, gamma)
    if theta.flags.writeable:
        theta += 0.1 * grad
    return grad


@wrong("reinforce_gradient", "first-trajectory-only")
def returned_inside_the_loop(theta, trajectories, gamma=1.0):
    for t in trajectories:
        return power_sum(t.rewards, gamma) * sum(scores_of(theta, t)) / len(trajectories)


@wrong("reinforce_gradient", "scores-kept")
def sum_made_once(theta, trajectories, gamma=1.0):
    total, scores = np.zeros(np.shape(theta)), np.zeros(np.shape(theta))
    for t in trajectories:
        scores = scores + sum(scores_of(theta, t))
        total += power_sum(t.rewards, gamma) * scores
    return total / len(trajectories)


@wrong("reinforce_gradient", "repeats-lost")
def index_arrays(theta, trajectories, gamma=1.0):
    total, pi = np.zeros(np.shape(theta)), softmax(theta)
    for t in trajectories:
        scores = np.zeros(np.shape(theta))
        scores[t.states] -= pi[t.states]
        scores[t.states, t.actions] += 1
        total += power_sum(t.rewards, gamma) * scores
    return total / len(trajectories)


@wrong("reinforce_gradient", "reward-to-go")
def to_go_discounted_in_front(theta, trajectories, gamma=1.0):
    total = np.zeros(np.shape(theta))
    for t in trajectories:
        for k, score in enumerate(scores_of(theta, t)):
            total += gamma**k * power_sum(t.rewards[k:], gamma) * score
    return total / len(trajectories)


@wrong("reinforce_gradient", "centred")
def whitened(theta, trajectories, gamma=1.0):
    returns = np.array([power_sum(t.rewards, gamma) for t in trajectories])
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    scores = [sum(scores_of(theta, t)) for t in trajectories]
    return np.tensordot(returns, scores, 1) / len(returns)


@wrong("grad_log_prob", "wrong-at-index")
def one_written_over(theta, state, action):
    score = np.zeros(np.shape(theta))
    score[state] = -softmax(theta[state])
    score[state, action] = 1.0
    return score
