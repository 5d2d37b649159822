#!/usr/bin/env bash
# gymnasium 1.4.0: make_vec without further arguments resets in NEXT_STEP mode. The step after an
# episode's end ignores the action, gives reward 0 and the new episode's first observation, and is
# returned like any other. A loop written for the old way, in which an ended environment came back
# reset at once, stores one false step for each episode.
#
# Output seen, one environment whose episodes last two steps, rewards 1:
#     rewards [1.0, 1.0, 0.0, 1.0, 1.0, 0.0]
#     with autoreset_mode SAME_STEP [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check gymnasium==1.4.0 numpy
venv/bin/python - <<'PY'
import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode


class Two(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(0, 9, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.played = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.played += 1
        return np.full(1, self.played, np.float32), 1.0, self.played == 2, False, {}


gymnasium.register("Two-v0", Two)
found = {}
for name, options in {
    "as it comes": {},
    "SAME_STEP": {"vector_kwargs": {"autoreset_mode": AutoresetMode.SAME_STEP}},
}.items():
    envs = gymnasium.make_vec("Two-v0", num_envs=1, **options)
    envs.reset()
    found[name] = [float(envs.step(np.zeros(1, int))[1][0]) for _ in range(6)]
    print(name, found[name])
assert found["as it comes"] == [1, 1, 0, 1, 1, 0] and found["SAME_STEP"] == [1] * 6
PY
