#!/usr/bin/env bash
# verl 0.9.1: as a loss term k3 (low_var_kl) is held at 10. A token whose log-probability has fallen far
# below the reference's gives exp(x) - x - 1 above 10 from x = 2.6 on: its term is constant, and the
# leash has no pull just where the policy is furthest away.
#
# Output seen, log-probabilities below the reference's by 1, 2, 3 and 12:
#     terms [0.718, 4.389, 10.0, 10.0], gradients [-1.718, -6.389, 0, 0]
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy ray==2.60.0 tensordict==0.15.3 transformers==5.24.0 accelerate omegaconf hydra-core codetiming pandas orjson torchdata
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps verl==0.9.1
venv/bin/python - <<'PY'
import torch
from verl.trainer.ppo.core_algos import kl_penalty_forward

logp = torch.tensor([-1.0, -2.0, -3.0, -12.0], requires_grad=True)
term = kl_penalty_forward(logp, torch.zeros(4), "low_var_kl")
term.sum().backward()
print("terms", [round(x, 3) for x in term.tolist()])
print("gradients", [round(x, 3) for x in logp.grad.tolist()])
assert term[2:].tolist() == [10, 10] and logp.grad[2:].abs().max() == 0 and logp.grad[1] < -6
PY
