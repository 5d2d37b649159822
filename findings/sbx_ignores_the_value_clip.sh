#!/usr/bin/env bash
# sbx-rl 0.28.0: PPO takes clip_range_vf and does nothing with it: no value clip, no warning.
# In Stable-Baselines3 the argument of that name clips the critic's predictions.
#
# Output seen: the critics of two runs of one seed, without it and with a clip of 1e-9, are equal:
#     largest difference 0.0
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 sbx-rl==0.28.0
venv/bin/python - <<'PY'
import jax
import numpy as np
import sbx

critics = []
for clip in (None, 1e-9):
    model = sbx.PPO("MlpPolicy", "CartPole-v1", n_steps=128, batch_size=32, n_epochs=4, seed=0,
                    clip_range_vf=clip)
    model.learn(256)
    critics.append(jax.tree.leaves(model.policy.vf_state.params))
largest = max(float(np.abs(a - b).max()) for a, b in zip(*critics, strict=True))
print("largest difference", largest)
assert largest == 0.0
PY
