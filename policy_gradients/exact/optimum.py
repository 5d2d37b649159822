"""The best that can be reached."""

import numpy as np

from .values import (
    alive_transitions,
    mean_rewards,
    objective,
    policy_gradient,
)

POLISH_STEPS = 300


def optimal_objective(env, gamma=1.0):
    """Best expected discounted return of any policy, also one that watches the clock: a float."""
    return float(env.start @ _optimal_action_values(env, gamma)[-1].max(1))


def best_stationary(env, gamma=1.0):
    """Best objective that a softmax table (which does not see the clock) can come close to.

    A float: `objective` of `best_policy`. Where it equals `optimal_objective` nothing better
    exists; that holds for every environment of the package without slip. With slip it is the
    best of many greedy policies, each improved by gradient ascent: a lower bound, and what a
    learner can be measured by.
    """
    return objective(env, best_policy(env, gamma), gamma)


def best_policy(env, gamma=1.0):
    """Probabilities (S, A) of the policy behind `best_stationary`."""
    bound = optimal_objective(env, gamma)
    candidates = [_greedy(values) for values in _optimal_action_values(env, gamma)]
    for improve in (None, _improved, _polished):
        candidates = _distinct(candidates)
        if improve is not None:
            candidates += [improve(env, pi, gamma) for pi in candidates]
        best = max(candidates, key=lambda pi: objective(env, pi, gamma))
        if objective(env, best, gamma) >= bound - 1e-9:
            break
    return best


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


def _improved(env, pi, gamma):
    """Change one state's action at a time while the objective grows."""
    best = objective(env, pi, gamma)
    improving = True
    while improving:
        improving = False
        for state in range(env.num_states):
            for action in range(env.num_actions):
                trial = pi.copy()
                trial[state] = np.eye(env.num_actions)[action]
                value = objective(env, trial, gamma)
                if value > best + 1e-12:
                    pi, best, improving = trial, value, True
    return pi


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
        else:
            length /= 2
    return pi
