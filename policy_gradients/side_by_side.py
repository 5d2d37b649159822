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
    count, (states, actions) = len(pi), pi.shape[1:]
    # One row for each pair: to take a row by one number is faster than by two.
    choices, outcomes = _bounds(pi).reshape(-1, actions), _bounds(env.transitions)
    outcomes, first = outcomes.reshape(-1, states), states * np.arange(count)
    state = _drawn(np.broadcast_to(_bounds(env.start), (count, states)), rng)
    alive, rows, noise = np.ones(count, dtype=bool), [], []
    while len(rows) < env.max_steps and alive.any():
        action = _drawn(choices.take(first + state, 0), rng)
        following = _drawn(outcomes.take(state * actions + action, 0), rng)
        rows.append((state, action, following, alive))
        if env.noise:
            noise.append(env.noise * rng.standard_normal(count))
        state, alive = following, alive & ~env.terminal[following]
    states, actions, following, alive = map(np.array, zip(*rows, strict=True))  # (T, N) each
    rewards = env.rewards[states, actions, following] + (np.array(noise) if noise else 0.0)
    ended = alive & env.terminal[following]
    cut = alive & ~ended
    cut[: env.max_steps - 1] = False  # the clock strikes at the last step alone
    played = (np.where(alive, part, 0) for part in (states, actions, rewards, following))
    return Episodes(*played, ended, cut, alive)


def _bounds(probabilities):
    """The upper bounds of each outcome's share of [0, 1), along the last axis."""
    upto = probabilities.cumsum(-1)
    return upto / upto[..., -1:]  # rounding must not leave a gap below 1


def _drawn(bounds, rng):
    """One outcome a row of bounds (N, K) -> int (N,)."""
    return (bounds > rng.random((len(bounds), 1))).argmax(1)


def learn_many(env, weigh, rng, rate, runs=12, num_updates=40, batch_size=10, critic_rate=0.1):
    """Many runs of plain gradient ascent at once -> exact objective after each update,
    (runs, num_updates).

    weigh(play, values, next_values) -> (weights, targets), each (T, N): the weight of each step's
        score, and what the critic is to learn there. N is runs * batch_size, the columns of one
        run beside each other; values and next_values (T, N) are the critic's values of the states
        and their successors, from before the batch is learned from
    rate: step size of the ascent, on the mean over the batch's episodes
    critic_rate: how far each visit of a state moves its value towards the target

    Each run has a table of logits and one of values, all zero at first.
    """
    theta = np.zeros((runs, env.num_states, env.num_actions))
    critic = np.zeros((runs, env.num_states))
    owner, history = np.repeat(np.arange(runs), batch_size), []
    for _update in range(num_updates):
        pi = _policies(env, theta)
        play = play_many(env, pi[owner], rng)
        values, following = critic[owner, play.states], critic[owner, play.next_states]
        weights, targets = weigh(play, values, following)
        theta = theta + rate / batch_size * _scores(play, weights, pi, owner)
        critic = _nudged(critic, play, targets, owner, critic_rate)
        history.append(_objectives(env, _policies(env, theta)))
    return np.array(history).T


def _policies(env, theta):
    """Tables (R, S, A) of probabilities. It takes the world, too, so that it is nobody's answer
    to the exercise ``softmax``."""
    theta = theta.reshape(-1, env.num_states, env.num_actions)
    weights = np.exp(theta - theta.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def _per_cell(play, numbers, owner, shape):
    """Sums over the played steps, by run and state (and action) -> `shape`."""
    rows, sizes = play.alive, shape[1:]
    cell = np.broadcast_to(owner, rows.shape)[rows]
    for part, size in zip((play.states, play.actions), sizes, strict=False):
        cell = cell * size + part[rows]
    numbers = np.broadcast_to(numbers, rows.shape)[rows]
    return np.bincount(cell, numbers, minlength=np.prod(shape)).reshape(shape)


def _scores(play, weights, pi, owner):
    """(R, S, A): each run's sum of weighted scores."""
    taken = _per_cell(play, weights, owner, pi.shape)
    return taken - taken.sum(-1, keepdims=True) * pi


def _nudged(critic, play, targets, owner, rate):
    """The critic after as many nudges towards the mean target as the state had visits."""
    visits = _per_cell(play, 1.0, owner, critic.shape)
    mean = _per_cell(play, targets, owner, critic.shape) / np.maximum(visits, 1)
    return critic + (1 - (1 - rate) ** visits) * (mean - critic)


def _objectives(env, pi):
    """(R,): `pg.exact.objective` of each table of pi (R, S, A)."""
    gains = (pi * (env.transitions * env.rewards).sum(2)).sum(2, keepdims=True)  # (R, S, 1)
    flow = (pi[:, :, None] @ (env.transitions * ~env.terminal))[:, :, 0]  # (R, S, S)
    values = np.zeros_like(gains)
    for _step in range(env.max_steps):
        values = gains + flow @ values
    return values[:, :, 0] @ env.start
