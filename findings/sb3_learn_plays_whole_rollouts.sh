#!/usr/bin/env bash
# Stable-Baselines3 2.9.2: learn(total_timesteps) plays whole rollouts, and a rollout is n_steps of
# *each* environment. With 8 environments and the default n_steps of 2048 a call of learn(1000) plays
# 16,384 steps, and the first update comes after all of them.
#
# Output seen:
#     learn(1000): 16384 steps, rollouts 1
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 stable-baselines3==2.9.2
venv/bin/python - <<'PY'
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

# One epoch of one minibatch, to be quick: what counts is how many steps are played.
envs = make_vec_env("CartPole-v1", n_envs=8)
model = PPO("MlpPolicy", envs, n_epochs=1, batch_size=16_384, device="cpu", seed=0)
model.learn(1000)
print("learn(1000):", model.num_timesteps, "steps, rollouts", model._n_updates)
assert model.num_timesteps == 16_384
PY
