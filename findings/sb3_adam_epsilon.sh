#!/usr/bin/env bash
# Stable-Baselines3 2.9.2: PPO's Adam has an epsilon of 1e-5, torch's own default is 1e-8. It stands in
# no argument of PPO: policy_kwargs={"optimizer_kwargs": {"eps": 1e-8}} sets it. Where gradients are
# small it shortens the steps: here the first step of a weight with a gradient of 1e-6, at rate 0.01.
#
# Output seen:
#     PPO's epsilon 1e-05, torch's 1e-08
#     first step 0.000909 and 0.009901
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 stable-baselines3==2.9.2
venv/bin/python - <<'PY'
import torch
from stable_baselines3 import PPO


def first_step(eps):
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([weight], lr=0.01, eps=eps)
    weight.grad = torch.full((1,), 1e-6, dtype=torch.float64)
    adam.step()
    return -weight.item()


theirs = PPO("MlpPolicy", "CartPole-v1", device="cpu").policy.optimizer.defaults["eps"]
own = torch.optim.Adam([torch.zeros(1)]).defaults["eps"]
print(f"PPO's epsilon {theirs}, torch's {own}")
print(f"first step {first_step(theirs):.6f} and {first_step(own):.6f}")
assert theirs == 1e-5 and own == 1e-8
PY
