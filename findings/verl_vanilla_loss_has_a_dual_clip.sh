#!/usr/bin/env bash
# verl 0.9.1: the loss that is called "vanilla" has a third clip, on by default: for negative advantages
# the objective is held at clip_ratio_c = 3 times the advantage, and there is no gradient beyond a ratio
# of 3. That is the dual clip of Ye et al. (2020). In PPO's own loss such a sample pulls hardest.
#
# Output seen, advantage -1, ratios 2, 2.9, 3.1 and 10:
#     losses [2.0, 2.9, 3.0, 3.0], gradients in the ratio [1, 1, 0, 0]
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy ray==2.60.0 tensordict==0.15.3 transformers==5.24.0 accelerate omegaconf hydra-core codetiming pandas orjson torchdata
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps verl==0.9.1
venv/bin/python - <<'PY'
import torch
from verl.trainer.ppo.core_algos import compute_policy_loss_vanilla
from verl.workers.config import ActorConfig

config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1)
losses, slopes = [], []
for number in (2.0, 2.9, 3.1, 10.0):
    ratio = torch.tensor([[number]], requires_grad=True)
    one = torch.ones(1, 1)
    loss, _logs = compute_policy_loss_vanilla(0 * one, ratio.log(), -one, one, config=config)
    loss.backward()
    losses.append(round(loss.item(), 4))
    slopes.append(round(ratio.grad.item(), 4))
print("losses", losses, "gradients", slopes)
assert losses == [2.0, 2.9, 3.0, 3.0] and slopes == [1.0, 1.0, 0.0, 0.0]
PY
