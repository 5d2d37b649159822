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
        rows.append([state, action, reward, following, ended, cut, alive])
        state, alive = following, alive & ~(ended | cut)
    *steps, ended, cut, played = map(np.stack, zip(*rows, strict=True))  # (T, N) each
    return Episodes(*(np.where(played, part, 0) for part in steps), ended, cut, played)


def _drawn(bounds, rng):
    """One outcome a row, from rising sums of probabilities (N, K) -> int (N,)."""
    luck = rng.random(len(bounds)) * bounds[:, -1]  # rounding must not leave a gap below 1
    return (bounds > luck[:, None]).argmax(1)


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
    total, rows = np.zeros(shape), play.alive
    run = np.broadcast_to(owner, rows.shape)[rows]
    cell = (run, play.states[rows], play.actions[rows])[: len(shape)]
    np.add.at(total, cell, np.broadcast_to(numbers, rows.shape)[rows])
    return total


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
    gains, values = (env.transitions * env.rewards).sum(2), np.zeros(pi.shape[:2])
    flow = (env.transitions * ~env.terminal).reshape(-1, env.num_states).T  # (S, S * A)
    for _step in range(env.max_steps):
        values = (pi * (gains + (values @ flow).reshape(pi.shape))).sum(2)
    return values @ env.start
