"""Pendulum, many at a time: the physics of Gymnasium's Pendulum-v1 in one array operation."""

import operator

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ..i18n import _

GRAVITY, MASS, LENGTH, SECONDS = 10.0, 1.0, 1.0, 0.05
TORQUE_LIMIT, SPEED_LIMIT = 2.0, 8.0


class VectorPendulum(VectorEnv):
    """N pendulums that run side by side, to be swung up and held there by a weak motor.

    ## Action Space
    `Box(-2, 2)`, float32 (N, 1): the torque in newton metres. What lies beyond is cut off.

    ## Observation Space
    `Box`, float32 (N, 3): cosine and sine of the angle (0 is upright), angular velocity.

    ## Starting State
    Angle uniform in [-pi, pi], angular velocity uniform in [-1, 1].

    ## Rewards
    -(angle^2 + 0.1 velocity^2 + 0.001 torque^2), the angle in [-pi, pi]: at best 0, at worst
    about -16.3 a step.

    ## Episode End
    Never terminated; truncated after `max_steps` steps.

    Autoreset and `infos["final_obs"]` are those of `VectorCartPole`: the next episode starts in
    the same step.

    ## Arguments
    num_envs: N, at least 1
    max_steps: the time limit, at least 1

    `angle` and `speed` hold the physical state, float64 (N,) each.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs=1, max_steps=200):
        self.num_envs, self.max_steps = operator.index(num_envs), operator.index(max_steps)
        if self.num_envs < 1 or self.max_steps < 1:
            message = _("num_envs and max_steps must be at least 1; they are {0} and {1}")
            raise ValueError(message.format(num_envs, max_steps))
        high = np.array([1.0, 1.0, SPEED_LIMIT], dtype=np.float32)
        self.single_observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)
        torque = np.full(1, TORQUE_LIMIT, dtype=np.float32)
        self.single_action_space = gymnasium.spaces.Box(-torque, torque, dtype=np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.angle = self.speed = None
        self.steps = np.zeros(self.num_envs, dtype=np.int64)

    def reset(self, *, seed=None, options=None):
        """Start N new episodes. Returns observations (N, 3) and an empty dict."""
        super().reset(seed=seed)
        self.angle, self.speed = self._starts(self.num_envs)
        self.steps[:] = 0
        return self._obs(), {}

    def _starts(self, count):
        return self.np_random.uniform([[-np.pi], [-1.0]], [[np.pi], [1.0]], size=(2, count))

    def step(self, actions):
        """One step of each environment: obs (N, 3), rewards, terminated, truncated (N,), infos.

        RuntimeError before the first reset; ValueError where actions are not (N, 1) numbers.
        """
        if self.angle is None:
            raise RuntimeError(_("call reset() before the first step()"))
        rewards = self._move(self._torque(actions))
        self.steps += 1
        truncated = self.steps >= self.max_steps
        infos = self._restart(truncated) if truncated.any() else {}
        return self._obs(), rewards, np.zeros(self.num_envs, bool), truncated, infos

    def _torque(self, actions):
        actions = np.asarray(actions, dtype=np.float64)
        if actions.shape != (self.num_envs, 1) or not np.isfinite(actions).all():
            message = _("actions must be {n} rows of one finite number; they are {actions!r}")
            raise ValueError(message.format(n=self.num_envs, actions=actions))
        return actions[:, 0].clip(-TORQUE_LIMIT, TORQUE_LIMIT)

    def _move(self, torque):
        """Euler's step, in place; the rewards of the state before it."""
        off = (self.angle + np.pi) % (2 * np.pi) - np.pi
        rewards = -(off**2 + 0.1 * self.speed**2 + 0.001 * torque**2)
        gain = 3 * GRAVITY / (2 * LENGTH) * np.sin(self.angle)
        self.speed = self.speed + SECONDS * (gain + 3.0 / (MASS * LENGTH**2) * torque)
        self.speed = self.speed.clip(-SPEED_LIMIT, SPEED_LIMIT)
        self.angle = self.angle + SECONDS * self.speed
        return rewards

    def _restart(self, ended):
        """New episodes where one has ended; the infos that keep the last observations."""
        final, last = np.full(self.num_envs, None, dtype=object), self._obs()
        which = np.flatnonzero(ended)
        for i in which:
            final[i] = last[i]
        self.angle[which], self.speed[which] = self._starts(len(which))
        self.steps[which] = 0
        return {
            "final_obs": final,
            "_final_obs": ended.copy(),
            "final_info": {},
            "_final_info": ended.copy(),
        }

    def _obs(self):
        columns = np.cos(self.angle), np.sin(self.angle), self.speed
        return np.stack(columns, axis=1).astype(np.float32)
