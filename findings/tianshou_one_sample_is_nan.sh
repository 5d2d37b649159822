#!/usr/bin/env bash
# tianshou 2.0.1: PPO whitens each minibatch with the deviation of n - 1, also where n is 1. The result
# is nan, and so is every weight of the actor after the step. Stable-Baselines3 leaves such a minibatch
# as it is. A last short minibatch is merged with the one before it; a batch of one step isn't spared.
#
# Output seen:
#     weights after an update on one step: nan
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 tianshou==2.0.1
venv/bin/python - <<'PY'
import warnings

import gymnasium
import numpy as np
import torch
from tianshou.algorithm import PPO
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Batch

warnings.filterwarnings("ignore")


class Actor(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(1, 2)

    def forward(self, obs, state=None, info=None):
        return self.net(torch.as_tensor(np.asarray(obs), dtype=torch.float32)), state


class Critic(Actor):
    def forward(self, obs):
        return super().forward(obs)[0][:, :1]


actor = Actor()
policy = ProbabilisticActorPolicy(
    actor=actor,
    dist_fn=lambda logits: torch.distributions.Categorical(logits=logits),
    action_space=gymnasium.spaces.Discrete(2),
    action_scaling=False,
)
algorithm = PPO(policy=policy, critic=Critic(), optim=AdamOptimizerFactory(lr=1e-3))
one = torch.ones(1)
batch = Batch(obs=np.ones((1, 1)), act=one.long(), adv=one, returns=one, v_s=one, logp_old=-one,
              info=Batch())
algorithm._update_with_batch(batch, None, 1)
print("weights after an update on one step:", actor.net.weight.flatten()[0].item())
assert torch.isnan(actor.net.weight).all()
PY
