#!/usr/bin/env bash
# sbx-rl 0.28.0: PPO's target_kl does not stop an update, as in Stable-Baselines3, whose interface sbx
# has. It moves the learning rate, between 1e-5 and 1e-2: by 1.5 downwards where the KL is above twice
# the target, by 1.5 upwards where it is below half of it.
#
# Output seen, with target_kl=1e-9 and then 1e9, from a rate of 3e-4; 16 minibatches, all trained:
#     smallest target: 1e-05, minibatches 16
#     largest target:  0.01, minibatches 16
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 sbx-rl==0.28.0
venv/bin/python - <<'PY'
import sbx

found = {}
for target in (1e-9, 1e9):
    model = sbx.PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=16, n_epochs=4, seed=0,
                    target_kl=target)
    count, plain = [0], model._one_update

    def update(*args, plain=plain, count=count, **options):
        count[0] += 1
        return plain(*args, **options)

    model._one_update = update
    model.learn(64)
    found[target] = float(model.adaptive_lr.current_adaptive_lr), count[0]
    print(f"target {target}: rate {found[target][0]:.6g}, minibatches {count[0]}")
assert abs(found[1e-9][0] - 1e-5) < 1e-9 and abs(found[1e9][0] - 1e-2) < 1e-6
assert found[1e-9][1] == found[1e9][1] == 16
PY
