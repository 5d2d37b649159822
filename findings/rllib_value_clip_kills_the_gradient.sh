#!/usr/bin/env bash
# ray[rllib] 2.60.0: PPO's vf_clip_param, 10 as it comes, cuts each *squared error* at 10. It is no clip
# around the old value. Beyond an error of 3.16 the critic's loss is constant and its gradient is 0, so
# that with returns in the hundreds a fresh critic doesn't learn.
#
# Output seen, for errors of 1, 3, 4 and 100:
#     gradients [0.5, 1.5, 0.0, 0.0]
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 'ray[rllib]==2.60.0'
venv/bin/python - <<'PY'
from types import SimpleNamespace

import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner


class Module:
    def __init__(self, values):
        self.values = values

    def unwrapped(self):
        return self

    def compute_values(self, batch, embeddings=None):
        return self.values

    def get_train_action_dist_cls(self):
        zero = torch.zeros(4)
        given = SimpleNamespace(logp=lambda actions: zero, entropy=lambda: zero)
        return SimpleNamespace(from_logits=lambda logits: given)

    get_exploration_action_dist_cls = get_train_action_dist_cls


values, zero = torch.tensor([1.0, 3.0, 4.0, 100.0], requires_grad=True), torch.zeros(4)
learner = SimpleNamespace(
    module={"p": Module(values)},
    metrics=SimpleNamespace(log_dict=lambda *args, **options: None),
    entropy_coeff_schedulers_per_module={"p": SimpleNamespace(get_current_value=lambda: 0.0)},
)
batch = {"action_dist_inputs": zero, "actions": zero, "action_logp": zero, "advantages": zero}
PPOTorchLearner.compute_loss_for_module(
    learner,
    module_id="p",
    config=PPOConfig().training(use_kl_loss=False),
    batch=batch | {"value_targets": zero},
    fwd_out={"action_dist_inputs": zero},
).backward()
print("gradients", values.grad.tolist())
assert values.grad.tolist() == [0.5, 1.5, 0.0, 0.0]
PY
