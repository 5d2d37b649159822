#!/usr/bin/env bash
# verl 0.9.1: a prompt with a single answer has no others to be compared with. rloo and grpo then give
# the raw score as its advantage, grpo nearly so; rloo_vectorized, the same estimator by name, gives 0.
#
# Output seen, one answer with a score of 3:
#     rloo 3.0, rloo_vectorized 0.0, grpo 3.0
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy ray==2.60.0 tensordict==0.15.3 transformers==5.24.0 accelerate omegaconf hydra-core codetiming pandas orjson torchdata
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps verl==0.9.1
venv/bin/python - <<'PY'
import numpy as np
import torch
import verl.trainer.ppo.core_algos as core

found = {}
for name in ("rloo", "rloo_vectorized", "grpo"):
    estimate = core.get_adv_estimator_fn(name)
    score, mask = torch.tensor([[3.0]]), torch.ones(1, 1)
    found[name] = estimate(score, mask, index=np.zeros(1, int))[0].item()
    print(name, round(found[name], 4))
assert found["rloo"] == 3 and found["rloo_vectorized"] == 0 and abs(found["grpo"] - 3) < 1e-4
PY
