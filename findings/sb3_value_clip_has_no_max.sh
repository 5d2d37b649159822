#!/usr/bin/env bash
# Stable-Baselines3 2.9.2: with clip_range_vf the critic's loss is the squared error of the clipped
# prediction. PPO's well-known value clip takes the larger of the clipped and the plain error. Without
# it a value that has moved *away* from its return by more than the clip gets no gradient to come back.
#
# Output seen: old value 0, return 1, new value -2, clip 0.2
#     loss 1.44 (the plain error is 9), gradient 0.0
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 stable-baselines3==2.9.2
venv/bin/python - <<'PY'
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.type_aliases import RolloutBufferSamples


def train(epochs, **options):
    """PPO.train on given minibatches; epochs: lists of (logp, values) of minibatches, where the
    old logp, the old values, the returns and the advantages are 0, 0, 1 and 1."""
    model = PPO("MlpPolicy", "CartPole-v1", n_epochs=len(epochs), device="cpu", **options)
    model.set_logger(configure(format_strings=[]))
    rounds = iter(epochs)
    turn = iter([minibatch for epoch in epochs for minibatch in epoch])

    def batches(size):
        for logp, _values in next(rounds):
            zero = torch.zeros(len(logp))
            yield RolloutBufferSamples(zero[:, None], zero, zero, zero, zero + 1, zero + 1)

    def evaluate(obs, actions):
        logp, values = next(turn)
        return values, logp, torch.zeros(len(logp))

    model.rollout_buffer.get, model.policy.evaluate_actions = batches, evaluate
    model.train()
    return model.logger.name_to_value


def numbers(*values):
    return torch.tensor(values, requires_grad=True)


values = numbers(-2.0, -2.0)
logs = train([[(numbers(0.0, 0.0), values)]], clip_range_vf=0.2, normalize_advantage=False)
print("loss", round(logs["train/value_loss"], 4), "gradient", values.grad.tolist())
assert abs(logs["train/value_loss"] - 1.44) < 1e-6 and values.grad.abs().max() == 0
PY
