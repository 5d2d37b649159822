"""The inputs that every library is fed, as plain numbers."""

import math

# Ratios of the six cases: below, inside and above the band 0.8 to 1.2, for both signs.
RATIOS = [0.5, 0.9, 1.5, 0.5, 1.1, 1.5, 4.0, 1.0]
ADVANTAGES = [1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 2.0]

INPUTS = {
    # One environment, seven steps: the time limit cuts at step 2, the task ends at step 4, and
    # step 6 is the last of the rollout. The value of step 2's successor, 4, is that of the
    # episode's last observation; the next episode's first has 0.5.
    "gae": {
        "rewards": [1.0, 0.5, 2.0, -1.0, 1.5, 0.5, 1.0],
        "values": [1.0, 2.0, 3.0, 0.5, 1.0, -0.5, 0.25],
        "next_values": [2.0, 3.0, 4.0, 1.0, 9.0, 0.25, 1.2],
        "terminated": [False, False, False, False, True, False, False],
        "truncated": [False, False, True, False, False, False, False],
        "gamma": 0.9,
        "lam": 0.8,
    },
    "whitening": {"adv": [1.0, 2.0, 4.0, -3.0]},
    # Eight samples; where minibatches are asked, four of two, the last two being the last epoch.
    "clip": {
        "logp": [math.log(ratio) - 1.5 for ratio in RATIOS],
        "logp_old": [-1.5] * len(RATIOS),
        "adv": ADVANTAGES,
        "clip": 0.2,
    },
    "values": {
        "values": [1.0, 3.0, -1.0, 5.0],
        "old_values": [1.0, 1.0, 1.0, 1.0],
        "returns": [1.5, 4.0, 0.0, 1.0],
        "clip": 0.5,
    },
    # Seven equal scores: their mean in float32 is not quite 0.1.
    "groups": {"scores": [0.0, 1.0, 1.0, 4.0], "equal": [0.1] * 7},
    "mask": {"x": [1.0, 2.0, 9.0], "mask": [True, True, False]},
    "kl": {"log_ratio": [0.5, -0.5, 2.0, -12.0]},  # log policy - log reference, by token
    "explained_variance": {"values": [0.3, 0.5, 0.2], "returns": [0.1, 0.1, 0.1]},
}
