"""The training runs that lesson 08 draws: ``python -m publish.libraries.beside``.

Needs the extra "libraries". The same task three times: the course's train_ppo, Stable-Baselines3
with the lesson's sb3_settings, and Stable-Baselines3 without any argument. The results are a few
kilobytes under policy_gradients/stored/.
"""

import argparse
import functools

import numpy as np
import torch

import policy_gradients as pg
from policy_gradients.libraries import train_sb3
from publish.solved import namespace

LESSON = "08_libraries"
FOLDER = pg.libraries.STORED.parent
FIRST_SEED = 100


@functools.cache
def lesson():
    """The lesson's names: its settings and its solutions."""
    return namespace(LESSON)


def course_run(seed):
    """(steps, mean return) of each update of the course's train_ppo."""
    return lesson()["course_curve"](seed)


def same_run(seed):
    """Of Stable-Baselines3 with the settings that make it the same algorithm."""
    ours = lesson()["ours"]
    total = ours["num_envs"] * ours["num_steps"] * ours["num_updates"]
    return train_sb3(lesson()["sb3_settings"](ours), total, seed, ours["num_envs"])


def default_run(seed):
    """Of Stable-Baselines3 on the same environments, with no argument given."""
    ours = lesson()["ours"]
    total = ours["num_envs"] * ours["num_steps"] * ours["num_updates"]
    return train_sb3({}, total, seed, ours["num_envs"])


# Name -> the run, and how many seeds: as it comes it takes minutes.
RUNS = {"course": (course_run, 10), "sb3_same": (same_run, 10), "sb3_defaults": (default_run, 3)}


def beside(names=RUNS):
    """By name mean returns (seeds, U), and under NAME_steps the steps played (U,)."""
    torch.set_num_threads(1)
    found = {}
    for name in names:
        run, count = RUNS[name]
        curves = []
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            steps, curve = run(seed)
            curves.append(curve)
            print(name, seed, np.nanmean(curve).round(1), flush=True)
        found |= {name: np.array(curves, np.float32), f"{name}_steps": np.array(steps)}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(RUNS)}; default: all")
    path = FOLDER / "beside.npz"
    stored = dict(np.load(path)) if path.exists() else {}
    np.savez_compressed(path, **stored | beside(parser.parse_args().names or RUNS))


if __name__ == "__main__":
    main()
