#!/usr/bin/env bash
# skrl 2.1.1, PPO as it comes: nothing stops at a step that the time limit cut. Its successor is the
# row below, the next episode's first observation, and that episode's advantages flow into this one.
#
# One would guess that a library with separate `terminated` and `truncated` stops at both.
# Output seen:
#     as it comes [1.81, 0.9, 1.0]
#     time_limit_bootstrap=True [1.0, 0.0, 1.0]
# With the option the recursion stops, and PPO adds the bootstrap to the reward beforehand.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 skrl==2.1.1
venv/bin/python - <<'PY'
import torch
from skrl.agents.torch.ppo.ppo import compute_gae


def column(*numbers):
    return torch.tensor(numbers)[:, None, None]


# Two steps of an episode that the limit cuts, then one step of the next, worth 1.
values = column(0.0, 1.0, 0.0)
given = {
    "rewards": column(0.0, 1.0, 1.0),
    "terminated": column(False, False, True),
    "truncated": column(False, True, False),
    "values": values,
    "last_values": torch.zeros(1, 1),
    "discount_factor": 1.0,
    "lambda_coefficient": 0.9,
}
returns, _whitened = compute_gae(**given)
adv = (returns - values).flatten().tolist()
print("as it comes", [round(a, 4) for a in adv])
returns, _whitened = compute_gae(**given, time_limit_bootstrap=True)
stopped = (returns - values).flatten().tolist()
print("time_limit_bootstrap=True", [round(a, 4) for a in stopped])
# delta of the cut step is 1 + V(row below) - 1 = 0; 0.9 of the next episode's advantage comes in
assert abs(adv[1] - 0.9) < 1e-6 and abs(stopped[1]) < 1e-6
PY
