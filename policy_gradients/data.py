"""Containers for what an agent saw. They hold NumPy arrays: data, without gradients."""

from dataclasses import dataclass

import numpy as np

from .i18n import _


@dataclass(eq=False)
class Trajectory:
    """One episode of T steps.

    states: int (T,), the state each action was taken in
    actions: int (T,), the action taken in each state
    rewards: float (T,), what each action brought at once
    last_state: int, the state that the last action led to; None where nobody kept it
    terminated: bool, how the episode stopped: True where the environment ended it, False where
        the time limit cut it; None where nobody kept it

        states   s0 s1 s2    then last_state
        actions  a0 a1 a2
        rewards  r0 r1 r2    r0 follows a0

    Lists are converted to arrays; ValueError where the three lengths differ.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    last_state: int | None = None
    terminated: bool | None = None

    def __post_init__(self):
        self.states = np.asarray(self.states)
        self.actions = np.asarray(self.actions)
        self.rewards = np.asarray(self.rewards, dtype=np.float64)
        shapes = self.states.shape, self.actions.shape, self.rewards.shape
        if len(set(shapes)) != 1 or self.rewards.ndim != 1:
            raise ValueError(
                _(
                    "states, actions and rewards must be one-dimensional and equally long; "
                    "their shapes are {0}, {1} and {2}"
                ).format(*shapes)
            )

    def __len__(self):
        return len(self.rewards)


@dataclass(eq=False)
class Rollout:
    """T steps of N environments that run side by side; episodes may end anywhere inside.

    obs: (T, N, ...) observation each action was taken on
    actions: (T, N, ...) action taken
    logp: (T, N) log-probability of that action when it was drawn
    rewards: (T, N)
    values: (T, N) critic's value of `obs`
    next_values: (T, N) critic's value of the true successor, also where an episode was cut;
        never looked at where `terminated` is true
    terminated: bool (T, N), the environment ended the episode: nothing follows
    truncated: bool (T, N), the time limit cut it: the successor still has a value

    ValueError where the leading shapes (T, N) differ.
    """

    obs: np.ndarray
    actions: np.ndarray
    logp: np.ndarray
    rewards: np.ndarray
    values: np.ndarray
    next_values: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def __post_init__(self):
        leading = np.shape(self.rewards)[:2]
        for name in self.__dataclass_fields__:
            shape = tuple(np.shape(getattr(self, name)))
            if shape[:2] != tuple(leading):
                raise ValueError(
                    _(
                        "every field of a Rollout starts with (T, N) = {leading}; "
                        "{name} has shape {shape}"
                    ).format(leading=tuple(leading), name=name, shape=shape)
                )
