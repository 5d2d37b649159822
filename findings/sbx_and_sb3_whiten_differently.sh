#!/usr/bin/env bash
# sbx-rl 0.28.0 and Stable-Baselines3 2.9.2 have one interface, and their PPO whitens each minibatch with
# another divisor: sbx divides by the deviation with n, Stable-Baselines3 by that with n - 1.
# It shows in small minibatches: with two samples the advantages differ by a factor of 1.41.
#
# Output seen, advantages 1 and -1 at ratio 1, read off the policy's gradient:
#     Stable-Baselines3 0.7071, sbx 1.0
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 sbx-rl==0.28.0 stable-baselines3==2.9.2
venv/bin/python - <<'PY'
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.type_aliases import RolloutBufferSamples


def train(epochs, **options):
    """PPO.train on given minibatches; epochs: lists of (logp, values) of minibatches, where the
    old logp and values are 0, the returns 1, the advantages 1 and -1."""
    model = PPO("MlpPolicy", "CartPole-v1", n_epochs=len(epochs), device="cpu", **options)
    model.set_logger(configure(format_strings=[]))
    rounds = iter(epochs)
    turn = iter([minibatch for epoch in epochs for minibatch in epoch])

    def batches(size):
        for logp, _values in next(rounds):
            zero = torch.zeros(len(logp))
            yield RolloutBufferSamples(zero[:, None], zero, zero, zero, torch.tensor([1.0, -1.0]), zero + 1)

    def evaluate(obs, actions):
        logp, values = next(turn)
        return values, logp, torch.zeros(len(logp))

    model.rollout_buffer.get, model.policy.evaluate_actions = batches, evaluate
    model.train()
    return model.logger.name_to_value


def numbers(*values):
    return torch.tensor(values, requires_grad=True)


from types import SimpleNamespace

import jax.numpy as jnp
import optax
import sbx
from flax.training.train_state import TrainState

logp = numbers(0.0, 0.0)
train([[(logp, numbers(0.0, 0.0))]], max_grad_norm=float("inf"))
theirs = -2 * logp.grad[0].item()


def logits(params, obs):
    return SimpleNamespace(log_prob=lambda actions: params["logp"], entropy=lambda: jnp.zeros(2))


def critic(params, obs):
    return params["v"]


two, step = jnp.zeros(2), optax.sgd(1.0)
actor_state = TrainState.create(apply_fn=logits, params={"logp": two}, tx=step)
vf_state = TrainState.create(apply_fn=critic, params={"v": two}, tx=step)
(after, _vf), _logs = sbx.PPO._one_update(
    actor_state, vf_state, two, two, jnp.array([1.0, -1.0]), two, two, 0.2, 0.0, 0.5
)
ours = 2 * float(after.params["logp"][0])
print(f"Stable-Baselines3 {theirs:.4f}, sbx {ours:.4f}")
assert abs(theirs - 0.5**0.5) < 1e-4 and abs(ours - 1) < 1e-4
PY
