#!/usr/bin/env bash
# Stable-Baselines3 2.9.2: train/approx_kl is the mean over the minibatches of the *last epoch*, while
# train/clip_fraction beside it is the mean over *all* epochs.
#
# One would guess that two gauges of one update average over the same samples.
# Output seen, for an update whose two epochs have log-ratios of 0 and of 0.5:
#     approx_kl 0.1487 (the whole update's is half of that), clip_fraction 0.5
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


still, far = numbers(0.0, 0.0), numbers(0.5, 0.5)
epochs = [[(still, numbers(0.0, 0.0))], [(far, numbers(0.0, 0.0))]]
logs = train(epochs, normalize_advantage=False)
kl, fraction = float(logs["train/approx_kl"]), float(logs["train/clip_fraction"])
print("approx_kl", round(kl, 4), "clip_fraction", fraction)
assert abs(kl - 0.148721) < 1e-4 and fraction == 0.5
PY
