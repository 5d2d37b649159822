"""The base class: a finite Markov decision process, given by its tables."""

import operator
from bisect import bisect_right

import gymnasium
import numpy as np

from ..i18n import _

CELL_PIXELS = 24


class TabularEnv(gymnasium.Env):
    """A finite Markov decision process whose tables are open to `pg.exact`.

    ## Action Space
    `Discrete(A)`: the number of an action.

    ## Observation Space
    `Discrete(S)`: the number of the state.

    ## Starting State
    Drawn from `start`, or given by `reset(options={"state": s})`.

    ## Rewards
    `rewards[s, a, s']` plus Gaussian noise of standard deviation `noise`.

    ## Episode End
    Terminated when a state with `terminal[s']` is entered; truncated after `max_steps` steps.
    Never both: termination wins. A terminal state may be a starting state (a bandit has one
    state, and each step enters it): only entering it ends the episode.

    ## Arguments
    transitions: (S, A, S), probabilities of s' given s, a
    rewards: (S, A, S), mean reward of each transition
    terminal: bool (S,)
    start: (S,), probabilities of the first state
    max_steps: int, at least 1
    noise: standard deviation of the reward around its mean, at least 0
    action_order: permutation of range(A); action a does what action `action_order[a]` of the
        tables does. The attributes `transitions` and `rewards` hold the permuted tables.

    ValueError where the tables contradict one another.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}
    cells = None  # (S, 2) row and column of each state, where the environment has a map
    moves = None  # (A, 2) change of row and column that each action means, where it has a map

    def __init__(
        self,
        transitions,
        rewards,
        terminal,
        start,
        max_steps,
        noise=0.0,
        action_order=None,
        render_mode=None,
    ):
        transitions = np.array(transitions, dtype=np.float64)
        rewards = np.array(rewards, dtype=np.float64)
        if transitions.ndim != 3 or transitions.shape[0] != transitions.shape[2]:
            message, got = _("{name} must have shape {wanted}, not {got}"), transitions.shape
            raise ValueError(message.format(name="transitions", wanted="(S, A, S)", got=got))
        if action_order is None:
            action_order = range(transitions.shape[1])
        self.action_order = _permutation(action_order, transitions.shape[1])
        self.transitions = transitions[:, self.action_order]
        self.rewards = rewards[:, self.action_order] if rewards.ndim == 3 else rewards
        self.terminal = np.array(terminal, dtype=bool)
        self.start = np.array(start, dtype=np.float64)
        self.max_steps = operator.index(max_steps)
        self.noise = float(noise)
        self.num_states, self.num_actions = transitions.shape[:2]
        self._check_tables()
        self.observation_space = gymnasium.spaces.Discrete(self.num_states)
        self.action_space = gymnasium.spaces.Discrete(self.num_actions)
        self.action_names = tuple(str(a) for a in range(self.num_actions))
        if render_mode not in (None, *self.metadata["render_modes"]):
            message = _("render_mode must be None or 'rgb_array', not {mode!r}")
            raise ValueError(message.format(mode=render_mode))
        self.render_mode = render_mode
        self._kwargs = None
        self._state = self._over = None
        self._steps = 0
        self._prepare_sampling()

    def _check_tables(self):
        shape = self.transitions.shape
        expected = {"rewards": shape, "terminal": shape[:1], "start": shape[:1]}
        for name, wanted in expected.items():
            got = getattr(self, name).shape
            if got != wanted:
                message = _("{name} must have shape {wanted}, not {got}")
                raise ValueError(message.format(name=name, wanted=wanted, got=got))
        for name in ("transitions", "start"):
            table = getattr(self, name)
            if not (np.all(table >= 0) and np.allclose(table.sum(-1), 1, atol=1e-9, rtol=0)):
                message = _("{name} must hold probabilities that add up to 1")
                raise ValueError(message.format(name=name))
        if not np.all(np.isfinite(self.rewards)):
            raise ValueError(_("rewards must be finite"))
        if self.max_steps < 1 or not (np.isfinite(self.noise) and self.noise >= 0):
            raise ValueError(_("max_steps must be at least 1 and noise at least 0"))

    def _prepare_sampling(self):
        # Plain lists: bisecting two or three numbers is many times faster than NumPy's choice.
        self._start_draw = _draw_table(self.start)
        self._draws = [[_draw_table(row) for row in rows] for rows in self.transitions]
        self._reward_lists = self.rewards.tolist()
        self._ends = self.terminal.tolist()

    @property
    def state(self):
        """Number of the current state; None before the first reset."""
        return self._state

    def spec_kwargs(self):
        """Plain keyword arguments (numbers and lists) from which `type(env)` builds it again."""
        if self._kwargs is not None:
            return dict(self._kwargs)
        original = np.argsort(self.action_order)
        return {
            "transitions": self.transitions[:, original].tolist(),
            "rewards": self.rewards[:, original].tolist(),
            "terminal": self.terminal.tolist(),
            "start": self.start.tolist(),
            "max_steps": self.max_steps,
            "noise": self.noise,
            "action_order": self.action_order.tolist(),
        }

    def reset(self, *, seed=None, options=None):
        # Gymnasium wants a Python integer, and a generator's draw is a NumPy one.
        super().reset(seed=None if seed is None else operator.index(seed))
        wanted = (options or {}).get("state")
        if wanted is None:
            states, bounds = self._start_draw
            self._state = states[bisect_right(bounds, self.np_random.random())]
        elif self.observation_space.contains(wanted):
            self._state = int(wanted)
        else:
            message = _("state must be in 0..{last}, not {given!r}")
            raise ValueError(message.format(last=self.num_states - 1, given=wanted))
        self._steps, self._over = 0, False
        return self._state, {}

    def step(self, action):
        if self._over is not False:
            raise RuntimeError(
                _("the episode is over: call reset() before the next step()")
                if self._over
                else _("call reset() before the first step()")
            )
        action = self._checked(action)
        state, rng = self._state, self.np_random
        states, bounds = self._draws[state][action]
        following = states[bisect_right(bounds, rng.random())]
        reward = self._reward_lists[state][action][following]
        if self.noise:
            reward += self.noise * rng.standard_normal()
        self._state = following
        self._steps += 1
        terminated = self._ends[following]
        truncated = not terminated and self._steps >= self.max_steps
        self._over = terminated or truncated
        return following, reward, terminated, truncated, {}

    def _checked(self, action):
        try:
            number = operator.index(action)
        except TypeError:
            message = _("an action is one whole number, not {action!r}")
            raise TypeError(message.format(action=action)) from None
        if not 0 <= number < self.num_actions:
            message = _("an action is a number from 0 to {last}, not {number}")
            raise ValueError(message.format(last=self.num_actions - 1, number=number))
        return number

    def render(self):
        """RGB picture (rows * 24, columns * 24, 3) in mode "rgb_array": the state is dark."""
        if self.render_mode is None:
            return None
        cells = self.cells
        if cells is None:
            cells = np.stack([np.zeros(self.num_states, int), np.arange(self.num_states)], 1)
        rows, columns = cells.max(0) + 1
        picture = np.full((rows, columns, 3), 235, dtype=np.uint8)
        picture[tuple(cells[self.terminal].T)] = (170, 200, 225)
        if self._state is not None:
            picture[tuple(cells[self._state])] = (30, 30, 30)
        return picture.repeat(CELL_PIXELS, 0).repeat(CELL_PIXELS, 1)


def _permutation(order, size):
    order = np.array([operator.index(a) for a in order])
    if sorted(order.tolist()) != list(range(size)):
        message = _("action_order must hold each of 0..{last} once, not {order}")
        raise ValueError(message.format(last=size - 1, order=order.tolist()))
    return order


def _draw_table(probabilities):
    """Possible outcomes and the upper bounds of their shares of [0, 1)."""
    outcomes = np.flatnonzero(probabilities)
    bounds = np.cumsum(probabilities[outcomes])
    bounds[-1] = 1.0  # rounding must not leave a gap below 1
    return outcomes.tolist(), bounds.tolist()
