"""Environments with a map: the reward comes late, after a walk."""

import numpy as np

from ..i18n import N_, _
from .tabular import TabularEnv


class Grid(TabularEnv):
    """Walk over a square board to the goal and around the pits.

    ## Action Space
    `Discrete(4)`: up, right, down, left.

    ## Observation Space
    `Discrete(size * size)`: row * size + column, from the top left.

    ## Starting State
    The cell `first`.

    ## Rewards
    `step_reward` for each step, plus `goal_reward` on entering the goal, plus `pit_reward` on
    entering a pit. With the defaults returns lie between -12 and 9.4.

    ## Episode End
    Terminated on entering the goal or a pit; truncated after `max_steps` steps.

    ## Arguments
    size: side of the board
    goal, first: (row, column)
    pits: list of (row, column); without it (1, 3) and (2, 1), less the goal and the first cell
    slip: probability of sliding to one of the two sides instead (half of it for each)
    action_order: permutation of the actions

    A step against the wall stays where it is. ValueError where no way leads to the goal within
    `max_steps`.
    """

    NAMES = (N_("up"), N_("right"), N_("down"), N_("left"))
    MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])

    def __init__(
        self,
        size=4,
        goal=None,
        pits=None,
        slip=0.0,
        max_steps=20,
        first=(0, 0),
        goal_reward=10.0,
        pit_reward=-10.0,
        step_reward=-0.1,
        action_order=None,
        render_mode=None,
    ):
        goal = (size - 1, size - 1) if goal is None else tuple(goal)
        if pits is None:
            pits = [cell for cell in ((1, 3), (2, 1)) if cell not in (goal, tuple(first))]
        self._build(
            shape=(size, size),
            goal=goal,
            pits=pits,
            first=first,
            prizes=(goal_reward, pit_reward, step_reward),
            slip=slip,
            max_steps=max_steps,
            action_order=action_order,
            render_mode=render_mode,
        )
        self._kwargs = {
            "size": size,
            "goal": list(goal),
            "pits": [list(pit) for pit in pits],
            "slip": slip,
            "max_steps": max_steps,
            "first": list(first),
            "goal_reward": goal_reward,
            "pit_reward": pit_reward,
            "step_reward": step_reward,
            "action_order": self.action_order.tolist(),
        }

    def _build(self, shape, goal, pits, first, prizes, slip, action_order, **kwargs):
        """Fill the tables of a board of `shape` and hand them to `TabularEnv`."""
        self.shape = shape
        self.cells = np.argwhere(np.ones(shape, dtype=bool))
        self.goal = self._cell_number(goal)
        self.pits = tuple(self._cell_number(pit) for pit in pits)
        start = self._cell_number(first)
        if self.goal in self.pits or start in (self.goal, *self.pits):
            raise ValueError(_("the first cell, the goal and the pits must be different cells"))
        if not 0 <= slip <= 1:
            raise ValueError(_("slip is a probability, not {slip}").format(slip=slip))
        num_states = len(self.cells)
        terminal = np.isin(np.arange(num_states), (self.goal, *self.pits))
        transitions = self._transitions(terminal, slip)
        goal_reward, pit_reward, step_reward = prizes
        entering = np.full(num_states, float(step_reward))
        entering[self.goal] += goal_reward
        entering[list(self.pits)] += pit_reward
        rewards = np.broadcast_to(entering, transitions.shape).copy()
        rewards[terminal] = 0.0
        super().__init__(
            transitions,
            rewards,
            terminal,
            start=np.eye(num_states)[start],
            action_order=action_order,
            **kwargs,
        )
        self.moves = self.MOVES[self.action_order]
        self.action_names = tuple(self.NAMES[a] for a in self.action_order)
        self._check_way(start)

    def _cell_number(self, cell):
        row, column = cell
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            message = _("cell {cell} is not on the board of shape {shape}")
            raise ValueError(message.format(cell=(row, column), shape=self.shape))
        return int(row * self.shape[1] + column)

    def _transitions(self, terminal, slip):
        edge = np.array(self.shape) - 1
        count = len(self.MOVES)
        sure = np.zeros((len(self.cells), count, len(self.cells)))
        for action, move in enumerate(self.MOVES):
            target = np.clip(self.cells + move, 0, edge) @ (self.shape[1], 1)
            sure[np.arange(len(self.cells)), action, target] = 1.0
        # Neighbours in MOVES are at right angles, so rolling by one slides to a side.
        slid = (np.roll(sure, 1, axis=1) + np.roll(sure, -1, axis=1)) / 2
        table = (1 - slip) * sure + slip * slid
        table[terminal] = np.eye(len(self.cells))[terminal][:, None]
        return table

    def _check_way(self, start):
        reached = np.zeros(self.num_states, dtype=bool)
        reached[start] = True
        edges = self.transitions.any(1)
        for _step in range(self.max_steps):
            reached |= edges[reached & ~self.terminal].any(0)
        if not reached[self.goal]:
            message = _("no way leads to the goal within {n} steps")
            raise ValueError(message.format(n=self.max_steps))


class Corridor(Grid):
    """Walk along a corridor: a goal at one end, a pit at the other, nothing to see between.

    ## Action Space
    `Discrete(2)`: left, right.

    ## Observation Space
    `Discrete(length)`: the cell, counted from the left.

    ## Starting State
    The cell `first`, the middle by default.

    ## Rewards
    `step_reward` for each step, plus `goal_reward` on entering the goal, plus `pit_reward` on
    entering the pit. With the defaults returns lie between -11.9 and 9.7.

    ## Episode End
    Terminated on entering the goal or the pit; truncated after `max_steps` steps.

    ## Arguments
    length: number of cells, at least 3
    goal: cell of the goal; the last one by default
    pit: cell of the pit; by default the end that is further from the goal; None for no pit
    action_order: permutation of the actions
    """

    NAMES = (N_("left"), N_("right"))
    MOVES = np.array([(0, -1), (0, 1)])

    def __init__(
        self,
        length=7,
        goal=None,
        pit="far",
        first=None,
        goal_reward=10.0,
        pit_reward=-10.0,
        step_reward=-0.1,
        max_steps=20,
        action_order=None,
        render_mode=None,
    ):
        goal = length - 1 if goal is None else goal
        if pit == "far":
            pit = 0 if goal > (length - 1) / 2 else length - 1
        first = (length - 1) // 2 if first is None else first
        self._build(
            shape=(1, length),
            goal=(0, goal),
            pits=[] if pit is None else [(0, pit)],
            first=(0, first),
            prizes=(goal_reward, pit_reward, step_reward),
            slip=0.0,
            max_steps=max_steps,
            action_order=action_order,
            render_mode=render_mode,
        )
        self._kwargs = {
            "length": length,
            "goal": goal,
            "pit": pit,
            "first": first,
            "goal_reward": goal_reward,
            "pit_reward": pit_reward,
            "step_reward": step_reward,
            "max_steps": max_steps,
            "action_order": self.action_order.tolist(),
        }
