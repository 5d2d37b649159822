"""The best that can be reached."""

import functools

import numpy as np

from .values import alive_transitions, gradient_by, horizon_values, mean_rewards, objective

# Where waiting costs nothing, acting now and acting later tie, and a tie may be broken by never
# acting; a little extra discount tells them apart.
IMPATIENCE = (1.0, 0.99, 0.9)
POLISHED = 4
SOFTENING = (0.02, 0.3)
POLISH_STEPS = 300


def optimal_objective(env, gamma=1.0):
    """Best expected discounted return of any policy, also one that watches the clock: a float."""
    return float(env.start @ _optimal_tables(env, gamma)[-1].max(1))


def best_stationary(env, gamma=1.0):
    """Best objective that a softmax table (which does not see the clock) can come close to.

    A float: `objective` of `best_policy`. Where it equals `optimal_objective` nothing better
    exists; that holds for every environment of the package with its own rewards and no slip.
    Elsewhere it is the best that gradient ascent finds from the uniform policy and from greedy
    ones: a lower bound, and what a learner can be measured by.
    """
    return objective(env, best_policy(env, gamma), gamma)


def best_policy(env, gamma=1.0):
    """Probabilities (S, A) of the policy behind `best_stationary`."""
    discounts = [gamma * factor for factor in IMPATIENCE]
    greedy = [_greedy(row) for discount in discounts for row in _optimal_tables(env, discount)]
    greedy = list({pi.tobytes(): pi for pi in greedy}.values())
    greedy.sort(key=lambda pi: objective(env, pi, gamma), reverse=True)
    if objective(env, greedy[0], gamma) >= optimal_objective(env, gamma) - 1e-9:
        return greedy[0]
    uniform = np.full_like(greedy[0], 1 / env.num_actions)
    starts = [(1 - part) * pi + part * uniform for pi in greedy[:POLISHED] for part in SOFTENING]
    polished = [_polished(env, pi, gamma) for pi in [uniform, *starts]]
    return max([greedy[0], *polished], key=lambda pi: objective(env, pi, gamma))


def _optimal_tables(env, gamma):
    """max_steps tables (S, A): the best return with 1, 2, ... steps left."""
    rewards, flow = mean_rewards(env), alive_transitions(env)
    tables = [rewards]
    for _step in range(env.max_steps - 1):
        tables.append(rewards + gamma * flow @ tables[-1].max(1))
    return tables


def _greedy(values):
    return np.eye(values.shape[1])[values.argmax(1)]


def _polished(env, pi, gamma):
    """Gradient ascent from `pi`, none of it zero, by multiplicative steps of adapted length."""
    (best, direction), length = _judged(env, pi, gamma), 1.0
    for _step in range(POLISH_STEPS):
        trial = pi * np.exp(np.clip(length * direction(), -50, 50))
        trial /= trial.sum(1, keepdims=True)
        value, onwards = _judged(env, trial, gamma)
        if value > best:
            pi, best, direction, length = trial, value, onwards, 1.5 * length
        elif length < 1e-9:
            break
        else:
            length /= 2
    return pi


def _judged(env, pi, gamma):
    """The objective, and a function for the direction of ascent in the logarithms of `pi`."""
    actions, states = horizon_values(env, pi, gamma, env.max_steps)

    @functools.cache  # a refused trial needs none, and a policy that is kept needs it often
    def direction():
        return gradient_by(env, pi, gamma, actions) / np.maximum(pi, 1e-300)

    return float(env.start @ states[-1]), direction
