"""An environment without an end: rewards all along the way, until the clock stops."""

import numpy as np

from ..i18n import N_, _
from .tabular import TabularEnv


class Ring(TabularEnv):
    """Walk round a ring of cells, each of which pays something whenever it is entered.

    ## Action Space
    `Discrete(2)`: left, right.

    ## Observation Space
    `Discrete(len(pay))`: the cell.

    ## Starting State
    The cell `first`.

    ## Rewards
    `pay[s']` on entering the cell s'. With the defaults returns lie between -10 and 10.

    ## Episode End
    Never terminated; truncated after `max_steps` steps.

    ## Arguments
    pay: (S,), reward of each cell, at least 3 of them
    action_order: permutation of the actions
    """

    NAMES = (N_("left"), N_("right"))

    def __init__(
        self,
        pay=(1.0, 1.0, 0.0, -1.0, -1.0, 0.0),
        first=2,
        max_steps=10,
        action_order=None,
        render_mode=None,
    ):
        pay = np.array(pay, dtype=np.float64)
        if pay.ndim != 1 or len(pay) < 3:
            message = _("pay must hold one reward for each of 3 or more cells, not {pay}")
            raise ValueError(message.format(pay=pay))
        size = len(pay)
        if not 0 <= first < size:
            message = _("first must be a cell from 0 to {last}, not {first!r}")
            raise ValueError(message.format(last=size - 1, first=first))
        step = np.eye(size)
        transitions = np.stack([np.roll(step, -1, axis=1), np.roll(step, 1, axis=1)], axis=1)
        super().__init__(
            transitions,
            rewards=np.broadcast_to(pay, transitions.shape),
            terminal=np.zeros(size, dtype=bool),
            start=step[first],
            max_steps=max_steps,
            action_order=action_order,
            render_mode=render_mode,
        )
        self.action_names = tuple(self.NAMES[a] for a in self.action_order)
        self._kwargs = {
            "pay": pay.tolist(),
            "first": int(first),
            "max_steps": self.max_steps,
            "action_order": self.action_order.tolist(),
        }
