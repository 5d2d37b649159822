"""CartPole, many at a time: the physics of Gymnasium's CartPole-v1 in one array operation."""

import operator

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ..i18n import _

GRAVITY, FORCE, SECONDS = 9.8, 10.0, 0.02
POLE_MASS, TOTAL_MASS = 0.1, 1.1
HALF_LENGTH = 0.5  # metres from the axle to the pole's middle
X_LIMIT, ANGLE_LIMIT = 2.4, 12 * 2 * np.pi / 360
START = 0.05


class VectorCartPole(VectorEnv):
    """N carts that run side by side, each balancing a pole (Barto, Sutton & Anderson 1983).

    ## Action Space
    `MultiDiscrete([2] * N)`: 0 pushes a cart to the left, 1 to the right.

    ## Observation Space
    `Box`, float32 (N, 4): position in metres, velocity, angle in radians, angular velocity.

    ## Starting State
    Each number uniform in [-0.05, 0.05].

    ## Rewards
    1 for each step, the last one included.

    ## Episode End
    Terminated when a cart is more than 2.4 m away or a pole leans more than 12 degrees;
    truncated after `max_steps` steps. Never both: termination wins.

    An environment whose episode has ended starts the next one in the same step (Gymnasium's
    SAME_STEP mode): the observation is already the next episode's first one, and
    `infos["final_obs"][i]` holds the last one of environment i's episode, None where none ended;
    `infos["_final_obs"]` says where. No key is there in a step in which no episode ends.

    ## Arguments
    num_envs: N, at least 1
    max_steps: the time limit, at least 1
    action_order: permutation of (0, 1); action a does what action `action_order[a]` would
    obs_order: permutation of range(4); number i of an observation is number `obs_order[i]`
    obs_signs: four factors of +1 or -1, applied after `obs_order`

    `state` holds the physical state, float64 (N, 4); `steps` the steps of each episode so far.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs=1,
        max_steps=500,
        action_order=(0, 1),
        obs_order=(0, 1, 2, 3),
        obs_signs=(1, 1, 1, 1),
    ):
        self.num_envs = operator.index(num_envs)
        self.max_steps = operator.index(max_steps)
        if self.num_envs < 1 or self.max_steps < 1:
            message = _("num_envs and max_steps must be at least 1; they are {0} and {1}")
            raise ValueError(message.format(num_envs, max_steps))
        self._forces = np.array([-FORCE, FORCE])[_permutation(action_order, 2)]
        self._order = _permutation(obs_order, 4)
        self._signs = np.array(obs_signs, dtype=np.float32)
        if self._signs.shape != (4,) or not np.all(np.abs(self._signs) == 1):
            message = _("obs_signs must be four numbers +1 or -1, not {given!r}")
            raise ValueError(message.format(given=obs_signs))
        self._plain = bool(np.all(self._order == np.arange(4)) and np.all(self._signs == 1))
        high = np.array([2 * X_LIMIT, np.inf, 2 * ANGLE_LIMIT, np.inf], dtype=np.float32)
        high = high[self._order]
        self.single_observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)
        self.single_action_space = gymnasium.spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._rows = None  # (4, N): one contiguous row for each of the four numbers
        self.steps = np.zeros(self.num_envs, dtype=np.int64)

    @property
    def state(self):
        """Physical state (N, 4), a copy; None before the first reset. May be set."""
        return None if self._rows is None else self._rows.T.copy()

    @state.setter
    def state(self, state):
        self._rows = np.array(state, dtype=np.float64).reshape(self.num_envs, 4).T.copy()

    def reset(self, *, seed=None, options=None):
        """Start N new episodes. Returns observations (N, 4) and an empty dict."""
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-START, START, size=(self.num_envs, 4))
        self.steps[:] = 0
        return self._obs(self._rows), {}

    def step(self, actions):
        """One step of each environment: obs (N, 4), rewards, terminated, truncated (N,), infos.

        RuntimeError before the first reset; ValueError where actions are not N numbers 0 or 1.
        """
        if self._rows is None:
            raise RuntimeError(_("call reset() before the first step()"))
        ended_badly = self._move(self._checked(actions))
        self.steps += 1
        truncated = (self.steps >= self.max_steps) & ~ended_badly
        ended = ended_badly | truncated
        infos = self._restart(ended) if ended.any() else {}
        return self._obs(self._rows), np.ones(self.num_envs), ended_badly, truncated, infos

    def _move(self, actions):
        """Euler's step of the equations of motion (Florian 2007), in place; who has fallen."""
        x, speed, angle, spin = self._rows
        cos, sin = np.cos(angle), np.sin(angle)
        push = (self._forces[actions] + POLE_MASS * HALF_LENGTH * spin * spin * sin) / TOTAL_MASS
        inertia = HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cos * cos / TOTAL_MASS)
        turn = (GRAVITY * sin - cos * push) / inertia
        x += SECONDS * speed
        speed += SECONDS * (push - POLE_MASS * HALF_LENGTH * turn * cos / TOTAL_MASS)
        angle += SECONDS * spin
        spin += SECONDS * turn
        return (np.abs(x) > X_LIMIT) | (np.abs(angle) > ANGLE_LIMIT)

    def _restart(self, ended):
        """New episodes where one has ended; the infos that keep the last observations."""
        final = np.full(self.num_envs, None, dtype=object)
        which = np.flatnonzero(ended)
        for i, obs in zip(which, self._obs(self._rows[:, which]), strict=True):
            final[i] = obs
        self._rows[:, which] = self.np_random.uniform(-START, START, size=(len(which), 4)).T
        self.steps[which] = 0
        return {
            "final_obs": final,
            "_final_obs": ended,
            "final_info": {},
            "_final_info": ended.copy(),
        }

    def _obs(self, rows):
        """Float32 observations (n, 4) of the rows (4, n), as this instance labels them."""
        if self._plain:
            return rows.T.astype(np.float32)
        return rows[self._order].T.astype(np.float32) * self._signs

    def _checked(self, actions):
        actions = np.asarray(actions)
        right = actions.shape == (self.num_envs,) and actions.dtype.kind in "iu"
        if not right or ((actions != 0) & (actions != 1)).any():
            message = _("actions must be {n} whole numbers, each 0 or 1; they are {actions!r}")
            raise ValueError(message.format(n=self.num_envs, actions=actions))
        return actions


def _permutation(order, size):
    order = [operator.index(i) for i in order]
    if sorted(order) != list(range(size)):
        message = _("each of 0..{last} must be there once, not {order}")
        raise ValueError(message.format(last=size - 1, order=order))
    return np.array(order)
