"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import itertools
import math
import operator

import numpy as np
import torch

from bank import right
from bank.lesson_02.styles import table_of_probabilities


@right("baseline_gradient_samples")
def weights_minus_values_by_matrices(theta, trajectories, baseline, gamma=1.0):
    probs, found = table_of_probabilities(theta), []
    for traj in trajectories:
        t = np.arange(len(traj.states))
        to_go = np.triu(float(gamma) ** np.abs(t - t[:, None])) @ np.asarray(traj.rewards, float)
        hot = np.eye(len(probs))[np.asarray(traj.states, dtype=int)]
        weights = to_go - hot @ np.asarray(baseline, dtype=float)
        what = np.eye(probs.shape[1])[np.asarray(traj.actions, dtype=int)] - hot @ probs
        found.append(np.einsum("ts,t,ta->sa", hot, weights, what))
    return np.array(found)


@right("optimal_baseline")
def slope_of_a_line_through_the_origin(scores, returns):
    length = np.linalg.norm(np.asarray(scores, dtype=float), axis=-1)
    target = length * np.asarray(returns, dtype=float)
    solution, *_ = np.linalg.lstsq(length[:, None], target, rcond=None)
    return solution.item()


@right("optimal_baseline")
def vertex_of_the_parabola(scores, returns):
    scores, returns = np.asarray(scores, dtype=float), np.asarray(returns, dtype=float)

    def size(b):
        return np.sum((scores * (returns - b)[:, None]) ** 2)

    left, middle, right_ = size(-1.0), size(0.0), size(1.0)
    return (left - right_) / (2 * (left - 2 * middle + right_))


@right("leave_one_out_advantages")
def sums_from_both_ends(returns):
    returns = np.array(returns, dtype=float)
    if returns.size <= 1:
        raise ValueError("needs two")
    before = np.concatenate([[0.0], np.cumsum(returns)[:-1]])
    after = np.concatenate([np.cumsum(returns[::-1])[::-1][1:], [0.0]])
    return returns - (before + after) / (returns.size - 1)


@right("leave_one_out_advantages")
def all_combinations(returns):
    numbers = [float(r) for r in returns]
    if len(numbers) == 1:
        raise ValueError("alone")
    kept = itertools.combinations(numbers, len(numbers) - 1)  # leaves the last one out first
    means = [math.fsum(part) / len(part) for part in kept][::-1]
    return np.array(list(map(operator.sub, numbers, means)))


@right("value_loss")
def variance_plus_squared_mean(values, returns):
    if tuple(values.shape) != tuple(returns.shape):
        raise ValueError("not of one shape")
    error = values - returns.detach()
    return torch.var(error, correction=0) + error.mean().square()


@right("value_loss")
def norm_of_the_flat_error(values, returns):
    if values.size() != returns.size():
        raise ValueError(f"{values.size()} and {returns.size()}")
    error = torch.flatten(values) - torch.flatten(returns).data
    return error @ error / error.numel()


@right("actor_critic_loss")
def one_module_for_the_critic(logp, values, returns, value_coef=0.5):
    fit = torch.nn.MSELoss(reduction="mean")(input=values, target=returns)
    with torch.no_grad():
        weight = torch.sub(returns, values)
    return torch.add(-torch.mean(torch.mul(weight, logp)), fit, alpha=value_coef)


@right("actor_critic_loss")
def each_step_by_vmap(logp, values, returns, value_coef=0.5):
    fixed = values.detach()

    def step(lp, v, old, g):
        return value_coef * (g - v) ** 2 - lp * (g - old)

    return torch.func.vmap(step)(logp, values, fixed, returns).mean()
