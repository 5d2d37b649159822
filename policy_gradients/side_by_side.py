"""Many episodes of a tabular environment at once, for experiments over many runs."""

from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class Episodes:
    """N episodes side by side, one a column; T is the length of the longest.

    states, actions, next_states: int (T, N); rewards: float (T, N)
    terminated, truncated: bool (T, N), true at the step that ended the episode in this way
    alive: bool (T, N), the steps that were played; below them a column is filled with zeros

        column 0   s0 s1 s2     ended by the environment at its third step
        column 1   s0 s1 .      ended at its second one: the third row isn't alive
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_states: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    alive: np.ndarray


def play_many(env, pi, rng):
    """N whole episodes, played step by step together -> Episodes.

    env: a TabularEnv, whose tables are used; it isn't stepped
    pi: probabilities (N, S, A), a table for each episode; (S, A) is one episode
    rng: numpy.random.Generator, from which all chance comes
    """
    pi = np.asarray(pi, dtype=np.float64)
    pi = pi[None] if pi.ndim == 2 else pi
    choices, outcomes = pi.cumsum(-1), env.transitions.cumsum(-1)
    column = np.arange(len(pi))
    state = _drawn(np.broadcast_to(env.start.cumsum(), (len(pi), env.num_states)), rng)
    alive, rows = np.ones(len(pi), dtype=bool), []
    while alive.any():
        action = _drawn(choices[column, state], rng)
        following = _drawn(outcomes[state, action], rng)
        reward = env.rewards[state, action, following]
        if env.noise:
            reward = reward + env.noise * rng.standard_normal(len(pi))
        ended = alive & env.terminal[following]
        cut = alive & ~ended & (len(rows) + 1 >= env.max_steps)
        row = state, action, reward, following
        rows.append([*(np.where(alive, part, 0) for part in row), ended, cut, alive])
        state, alive = following, alive & ~(ended | cut)
    return Episodes(*map(np.stack, zip(*rows, strict=True)))


def _drawn(bounds, rng):
    """One outcome a row, from rising sums of probabilities (N, K) -> int (N,)."""
    luck = rng.random(len(bounds)) * bounds[:, -1]  # rounding must not leave a gap below 1
    return (bounds <= luck[:, None]).sum(1)
