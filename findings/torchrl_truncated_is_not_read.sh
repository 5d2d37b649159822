#!/usr/bin/env bash
# torchrl 0.14.1: GAE reads `done` and `terminated`. Where the data hold `done` and `truncated` and no
# `terminated`, the cut step is taken for an end: no bootstrap, although `truncated` says otherwise.
#
# One would guess that `truncated` is what tells a cut from an end.
# Output seen, for one step of reward 1 with V = 0 and V of the successor = 10, gamma 0.9:
#     done, terminated             10.0
#     done, truncated              1.0
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 torchrl==0.14.1 numpy
venv/bin/python - <<'PY'
import torch
from tensordict import TensorDict
from torchrl.objectives.value import GAE


def advantage(**flags):
    one = torch.ones(1, 1, 1)
    then = {"reward": one, "state_value": 10 * one}
    then |= {name: torch.full((1, 1, 1), flag) for name, flag in flags.items()}
    data = TensorDict({"state_value": 0 * one, "next": TensorDict(then, [1, 1])}, [1, 1])
    return GAE(gamma=0.9, lmbda=0.95, value_network=None)(data)["advantage"].item()


with_terminated = advantage(done=True, terminated=False)
with_truncated = advantage(done=True, truncated=True)
print("done, terminated", with_terminated)
print("done, truncated ", with_truncated)
assert abs(with_terminated - 10) < 1e-5 and abs(with_truncated - 1) < 1e-5
PY
