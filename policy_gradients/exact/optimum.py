"""The best that can be reached."""

import numpy as np

from .values import (
    alive_transitions,
    mean_rewards,
    objective,
    policy_gradient,
)

POLISHED = 4
POLISH_STEPS = 300


def optimal_objective(env, gamma=1.0):
    """Best expected discounted return of any policy, also one that watches the clock: a float."""
    return float(env.start @ _optimal_action_values(env, gamma)[-1].max(1))


def best_stationary(env, gamma=1.0):
    """Best objective that a softmax table (which does not see the clock) can come close to.

    A float: `objective` of `best_policy`. Where it equals `optimal_objective` nothing better
    exists; that holds for every environment of the package without slip. With slip it is the
    best of the greedy policies of each time to go, improved by gradient ascent: a lower bound,
    and what a learner can be measured by.
    """
    return objective(env, best_policy(env, gamma), gamma)


def best_policy(env, gamma=1.0):
    """Probabilities (S, A) of the policy behind `best_stationary`."""
    greedy = _distinct(_greedy(values) for values in _optimal_action_values(env, gamma))
    greedy.sort(key=lambda pi: objective(env, pi, gamma), reverse=True)
    best = greedy[0]
    if objective(env, best, gamma) >= optimal_objective(env, gamma) - 1e-9:
        return best
    polished = [_polished(env, pi, gamma) for pi in greedy[:POLISHED]]
    return max([best, *polished], key=lambda pi: objective(env, pi, gamma))


def _optimal_action_values(env, gamma):
    """max_steps tables (S, A): the best return with 1, 2, ... steps left."""
    rewards, flow = mean_rewards(env), alive_transitions(env)
    tables = [rewards]
    for _step in range(env.max_steps - 1):
        tables.append(rewards + gamma * flow @ tables[-1].max(1))
    return tables


def _greedy(values):
    return np.eye(values.shape[1])[values.argmax(1)]


def _distinct(policies):
    return list({pi.tobytes(): pi for pi in policies}.values())


def _polished(env, pi, gamma):
    """Gradient ascent from a softened `pi`, by multiplicative steps of adapted length."""
    pi = 0.98 * pi + 0.02 / env.num_actions
    best, length = objective(env, pi, gamma), 1.0
    for _step in range(POLISH_STEPS):
        direction = policy_gradient(env, pi, gamma) / np.maximum(pi, 1e-300)
        trial = pi * np.exp(np.clip(length * direction, -50, 50))
        trial /= trial.sum(1, keepdims=True)
        value = objective(env, trial, gamma)
        if value > best:
            pi, best, length = trial, value, 1.5 * length
        elif length < 1e-9:
            break
        else:
            length /= 2
    return pi
