"""The training runs that lesson 05b draws: one detail of PPO changed at a time, on two tasks."""

import numpy as np
import torch

import policy_gradients as pg

LESSON = "05b_practice"
COUNT, STEPS = 32, 64  # environments, steps of a rollout
SEEDS, FRESH_SEEDS = range(100, 112), range(112, 124)

# Name -> what differs from lesson 05's loop, which is "plain".
CHANGES = {
    "plain": {},
    "anneal": {"anneal": True},
    "adam_eps": {"adam_eps": 1e-5},
    "grad_norm": {"max_grad_norm": 0.5},
    "value_clip": {"value_clip": 0.2},
    "target_kl": {"target_kl": 0.01},
    "whiten_minibatch": {"whiten": "minibatch"},
    "whiten_no": {"whiten": "no"},
    "init_torch": {"init": "torch"},
    "scale_obs": {"scale_obs": True},
}
USUAL = (
    "anneal",
    "adam_eps",
    "grad_norm",
    "value_clip",
    "target_kl",
    "whiten_minibatch",
    "scale_obs",
)
CHANGES["all"] = {key: value for name in USUAL for key, value in CHANGES[name].items()}


def cartpole(lesson, seed, updates=24, **changes):
    """Mean return of each update's finished episodes, (updates,); nan where none finished."""
    torch.manual_seed(seed)
    nets = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    envs, rng = pg.envs.VectorCartPole(COUNT), np.random.default_rng(seed)
    history = lesson["train"](envs, *nets, updates, STEPS, rng, lesson["Details"](**changes))
    return np.array([row["mean_return"] for row in history], np.float32)


# Discounts, epochs and rate with which lesson 05's loop swings the pendulum up.
PENDULUM = {"gamma": 0.9, "lam": 0.95, "epochs": 5, "learning_rate": 5e-3}


def pendulum(lesson, seed, updates=32, **changes):
    """As `cartpole`."""
    torch.manual_seed(seed)
    nets = pg.GaussianMLP(3, 1), pg.MLP(3)
    envs, rng = pg.envs.VectorPendulum(COUNT), np.random.default_rng(seed)
    details = lesson["Details"](**PENDULUM | changes)
    history = lesson["train"](envs, *nets, updates, STEPS, rng, details, lesson["Gaussian"])
    return np.array([row["mean_return"] for row in history], np.float32)


# What helped is looked at a second time, on seeds of its own: among twenty comparisons one or two
# help by luck.
HELPED = ("plain", "grad_norm", "init_torch")
# Name -> what makes a run, its seeds, its changes.
TASKS = {
    "cartpole": (cartpole, SEEDS, tuple(CHANGES)),
    "pendulum": (pendulum, SEEDS, tuple(CHANGES)),
    "pendulum_fresh": (pendulum, FRESH_SEEDS, HELPED),
}


def practice(lesson, names=None):
    """The stored arrays: "task/change" -> (seeds, updates); `names` are keys or tasks."""
    found = {}
    for task, (run, seeds, changes) in TASKS.items():
        for change in changes:
            key = f"{task}/{change}"
            if names and not {task, key} & set(names):
                continue
            found[key] = np.array([run(lesson, seed, **CHANGES[change]) for seed in seeds])
            print(key, round(float(np.nanmean(found[key])), 1), flush=True)
    return found
