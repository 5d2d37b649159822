#!/usr/bin/env bash
# torchrl 0.14.1: ClipPPOLoss trains the critic with the smooth L1 loss unless told otherwise. Beyond
# an error of 1 its slope is constant. PPO's paper and most programs take the squared error.
#
# Output seen, gradients for errors of 0.5, 1, 10 and 100:
#     as it comes               [0.5, 1.0, 1.0, 1.0]
#     loss_critic_type='l2'     [1.0, 2.0, 20.0, 200.0]
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 torchrl==0.14.1 numpy
venv/bin/python - <<'PY'
import torch
from tensordict import TensorDict
from tensordict.nn import ProbabilisticTensorDictModule as Spread
from tensordict.nn import ProbabilisticTensorDictSequential as Policy
from tensordict.nn import TensorDictModule as Module
from torchrl.objectives import ClipPPOLoss


class Number(torch.nn.Module):
    def __init__(self, value, width):
        super().__init__()
        self.value = torch.nn.Parameter(torch.full((width,), float(value)))

    def forward(self, obs):
        return self.value.expand(len(obs), -1)


def slope(error, **options):
    actor = Module(Number(0, 2), ["observation"], ["logits"])
    categorical = torch.distributions.Categorical
    policy = Policy(actor, Spread(["logits"], ["action"], distribution_class=categorical))
    critic = Module(Number(error, 1), ["observation"], ["state_value"])
    loss = ClipPPOLoss(policy, critic, **options)
    one = torch.ones(1, 1)
    batch = {"observation": one, "action": torch.zeros(1, dtype=torch.long), "advantage": one}
    batch |= {"value_target": 0 * one, "state_value": 0 * one}
    batch |= {"action_log_prob": torch.tensor([0.5]).log()}
    loss(TensorDict(batch, [1]))["loss_critic"].backward()
    return critic.module.value.grad.item()


errors = [0.5, 1, 10, 100]
plain, squared = [slope(e) for e in errors], [slope(e, loss_critic_type="l2") for e in errors]
print("as it comes          ", plain)
print("loss_critic_type='l2'", squared)
assert plain[-1] == 1.0 and squared[-1] == 200.0
PY
