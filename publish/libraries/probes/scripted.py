"""An environment that plays the script of the inputs: its observations are numbers of states."""

import gymnasium
import numpy as np
from answers import INPUTS


class Scripted(gymnasium.Env):
    """Deals out the rewards and flags of INPUTS["gae"]; an observation names the state.

    Observation space: Box (1,), the step's number, or 10 + the number for an episode's last one
    Starting state: the next step of the script. Rewards and episode ends: the script's
    """

    observation_space = gymnasium.spaces.Box(-1, 100, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self):
        self.step_number = 0

    def reset(self, *, seed=None, options=None):
        return self._seen(self.step_number), {}

    def step(self, action):
        t, self.step_number = self.step_number, self.step_number + 1
        script = INPUTS["gae"]
        ended = script["terminated"][t], script["truncated"][t]
        obs = self._seen(10 + t if any(ended) else t + 1)
        return obs, script["rewards"][t], *ended, {}

    def _seen(self, number):
        return np.array([number], np.float32)


def value_of(number):
    """The value of an observation, from the script."""
    script, number = INPUTS["gae"], int(number)
    if number >= 10:
        return script["next_values"][number - 10]
    last = len(script["values"])
    return script["values"][number] if number < last else script["next_values"][last - 1]
