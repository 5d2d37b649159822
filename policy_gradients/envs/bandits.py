"""Environments of one step: nothing but the choice of an arm."""

import numpy as np

from ..i18n import _
from .tabular import TabularEnv


class ContextualBandit(TabularEnv):
    """See a context, pull one arm, get one noisy reward.

    ## Action Space
    `Discrete(A)`: the arm.

    ## Observation Space
    `Discrete(S)`: the context.

    ## Starting State
    Each context is equally likely.

    ## Rewards
    `means[s, a]` plus Gaussian noise of standard deviation `noise`.

    ## Episode End
    Terminated after one step.

    ## Arguments
    means: (S, A), mean reward of each arm in each context. Without it: 10 contexts, 5 arms,
        means drawn once and for all from [-2, 2].
    noise: standard deviation; at the default of 4 a single reward says little about its arm
    action_order: permutation of the arms
    """

    def __init__(self, means=None, noise=4.0, action_order=None, render_mode=None):
        if means is None:
            means = np.random.default_rng(7).uniform(-2, 2, size=(10, 5)).round(2)
        means = np.array(means, dtype=np.float64)
        if means.ndim != 2:
            message = _("{name} must have shape {wanted}, not {got}")
            raise ValueError(message.format(name="means", wanted="(S, A)", got=means.shape))
        num_states, num_actions = means.shape
        super().__init__(
            transitions=np.tile(np.eye(num_states)[:, None], (1, num_actions, 1)),
            rewards=np.tile(means[:, :, None], (1, 1, num_states)),
            terminal=np.ones(num_states, dtype=bool),
            start=np.full(num_states, 1 / num_states),
            max_steps=1,
            noise=noise,
            action_order=action_order,
            render_mode=render_mode,
        )
        self._kwargs = {
            "means": means.tolist(),
            "noise": self.noise,
            "action_order": self.action_order.tolist(),
        }


class Bandit(ContextualBandit):
    """Pull one of A arms, get one noisy reward.

    ## Action Space
    `Discrete(A)`: the arm.

    ## Observation Space
    `Discrete(1)`: always 0.

    ## Starting State
    0.

    ## Rewards
    `means[a]` plus Gaussian noise of standard deviation `noise`.

    ## Episode End
    Terminated after one step.

    ## Arguments
    means: (A,), mean reward of each arm
    noise: standard deviation
    action_order: permutation of the arms
    """

    def __init__(self, means=(1.0, 2.0, 3.0), noise=1.0, action_order=None, render_mode=None):
        means = np.array(means, dtype=np.float64)
        if means.ndim != 1:
            message = _("{name} must have shape {wanted}, not {got}")
            raise ValueError(message.format(name="means", wanted="(A,)", got=means.shape))
        super().__init__(means[None], noise, action_order, render_mode)
        self._kwargs["means"] = means.tolist()
