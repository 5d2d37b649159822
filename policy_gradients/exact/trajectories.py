"""Every possible episode of a small environment, one by one."""

import numpy as np

from ..data import Trajectory
from ..i18n import _
from .values import checked_policy


def enumerate_trajectories(env, pi, max_count=100_000):
    """Yield (probability, Trajectory) for each possible episode, with mean rewards.

    The probabilities add up to 1. Reward noise is left out: a reward is its transition's mean.
    RuntimeError once more than `max_count` episodes were found; their number grows
    exponentially with the time limit.
    """
    pi = checked_policy(env, pi)
    open_ends = [(env.start[s], (int(s),), (), ()) for s in np.flatnonzero(env.start)[::-1]]
    count = 0
    while open_ends:
        probability, states, actions, rewards = open_ends.pop()
        if actions and (env.terminal[states[-1]] or len(actions) == env.max_steps):
            count += 1
            if count > max_count:
                message = _("there are more than {n} possible episodes")
                raise RuntimeError(message.format(n=max_count))
            ended = bool(env.terminal[states[-1]])
            yield float(probability), Trajectory(states[:-1], actions, rewards, states[-1], ended)
            continue
        state = states[-1]
        weights = pi[state][:, None] * env.transitions[state]
        for action, following in np.argwhere(weights)[::-1].tolist():
            open_ends.append(
                (
                    probability * weights[action, following],
                    (*states, following),
                    (*actions, action),
                    (*rewards, env.rewards[state, action, following]),
                )
            )
