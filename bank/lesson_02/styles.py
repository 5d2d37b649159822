"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import itertools
import math
from collections import deque

import numpy as np
import torch

from bank import right


def table_of_probabilities(theta):
    theta = np.asarray(theta, dtype=float)
    weights = np.exp(theta - theta.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@right("gradient_samples")
def added_at_flat_places(theta, trajectories, gamma=1.0):
    probs = table_of_probabilities(theta)
    count, (rows, cols) = len(trajectories), probs.shape
    found = np.zeros(count * rows * cols)
    for i, traj in enumerate(trajectories):
        ret = sum(gamma**k * float(r) for k, r in enumerate(traj.rewards))
        for s, a in zip(traj.states, traj.actions):
            start = (i * rows + int(s)) * cols
            found[start : start + cols] -= ret * probs[s]
            found[start + int(a)] += ret
    return found.reshape(count, rows, cols)


@right("gradient_samples")
def jacobian_of_all_trajectories(theta, trajectories, gamma=1.0):
    def weighted(table):
        logp, sums = torch.log_softmax(table, dim=-1), []
        for traj in trajectories:
            states, actions = (torch.as_tensor(np.array(x)) for x in (traj.states, traj.actions))
            ret = float(np.dot(traj.rewards, gamma ** np.arange(len(traj.rewards))))
            sums.append(ret * logp[states, actions].sum())
        return torch.stack(sums)

    theta = torch.tensor(np.asarray(theta, dtype=float))
    return torch.func.jacrev(weighted)(theta).numpy()


@right("total_variance")
def frobenius_norm_of_what_is_left(samples):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    return np.linalg.norm(flat - flat.mean(0), "fro") ** 2 / (len(flat) - 1)


@right("total_variance")
def welfords_running_update(samples):
    mean, square = 0.0, 0.0
    for count, sample in enumerate(np.asarray(samples, dtype=float), start=1):
        apart = sample - mean
        mean = mean + apart / count
        square = square + apart * (sample - mean)
    return float(np.sum(square) / (count - 1))


@right("signal_to_noise")
def by_singular_values(samples):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    mean = flat.mean(axis=0)
    noise = np.sum(np.linalg.svd(flat - mean, compute_uv=False) ** 2) / (len(flat) - 1)
    return np.inner(mean, mean) * len(flat) / noise


@right("signal_to_noise")
def by_the_statistics_module(samples):
    import statistics

    columns = np.asarray(samples, dtype=float).reshape(len(samples), -1).T.tolist()
    signal = math.fsum(statistics.fmean(column) ** 2 for column in columns)
    return signal / math.fsum(statistics.variance(c) / len(samples) for c in columns)


@right("batch_size_for")
def doubled_then_halved(samples, target):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    signal, noise = np.sum(flat.mean(0) ** 2), flat.var(axis=0, ddof=1).sum()
    if signal == 0:
        raise ValueError("no signal")

    def enough(size):
        return size * signal >= target * noise

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@right("batch_size_for")
def floor_division_of_the_negative(samples, target):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    if not (signal := float(np.square(flat.mean(0)).sum())):
        raise ValueError("a mean of zero has no signal")
    noise = float(flat.var(0, ddof=1).sum())
    return max(int(-(-target * noise // signal)), 1)


@right("bonus_in_rewards")
def secant_through_two_tries(goal_reward, step_reward, distance, max_steps):
    def gap(bonus):
        each = step_reward + bonus
        return goal_reward + distance * each - max_steps * each

    at_zero, at_one = gap(0.0), gap(1.0)
    return at_zero / (at_zero - at_one)


@right("bonus_in_rewards")
def root_of_a_polynomial(goal_reward, step_reward, distance, max_steps):
    left = max_steps - distance
    (root,) = np.roots([-left, goal_reward - left * step_reward])
    return root.item()


@right("reward_to_go")
def accumulated_backwards(rewards, gamma=1.0):
    backwards = itertools.accumulate(reversed(list(rewards)), lambda later, r: r + gamma * later)
    return np.array(list(backwards)[::-1], dtype=float)


@right("reward_to_go")
def a_generator_filled_from_the_back(rewards, gamma=1.0):
    found = deque()
    for reward in np.flip(np.asarray(rewards, dtype=float)).tolist():
        found.appendleft(reward + (gamma * found[0] if found else 0.0))
    return np.fromiter(found, dtype=float)


@right("reward_to_go_gradient_samples")
def upper_triangle_of_discounts(theta, trajectories, gamma=1.0):
    probs, found = table_of_probabilities(theta), []
    for traj in trajectories:
        states, actions = np.asarray(traj.states, dtype=int), np.asarray(traj.actions, dtype=int)
        t = np.arange(len(states))
        powers = np.triu(float(gamma) ** np.abs(t - t[:, None]))
        to_go = powers @ np.asarray(traj.rewards, dtype=float)
        where = np.eye(len(probs))[states]
        what = np.eye(probs.shape[1])[actions] - probs[states]
        found.append(where.T @ (to_go[:, None] * what))
    return np.stack(found)


@right("reward_to_go_gradient_samples")
def backwards_in_time_with_one_sum(theta, trajectories, gamma=1.0):
    probs = table_of_probabilities(theta)

    def one(traj):
        sample, later = np.zeros_like(probs), 0.0
        for s, a, r in reversed(list(zip(traj.states, traj.actions, traj.rewards))):
            later = float(r) + gamma * later
            sample[s] -= later * probs[s]
            sample[s, a] += later
        return sample

    return np.array(list(map(one, trajectories)))


@right("rewards_without_gain")
def broadcast_over_the_successors(transitions, terminal):
    shape = np.shape(transitions)
    prize = np.where(terminal, 1.0 + np.arange(shape[-1]), 0.0)
    return np.broadcast_to(prize, shape).copy()
