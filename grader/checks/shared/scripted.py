"""What the checks of the PPO loop share: scripted environments and networks of one layer."""

import numpy as np

from grader.probes.ppo import Script
from grader.probes.train import Module


def script(rng, steps, count, size=2, num_actions=3, ends=None):
    """Random observations and rewards; ends as in ENDS, or drawn."""
    kind = rng.choice([0, 1, 2], size=(steps, count), p=[0.7, 0.15, 0.15])
    if ends is not None:
        kind[:] = 0
        for step, row in ends.items():
            for env, how in row.items():
                kind[step, env] = 1 if how == "t" else 2
    return Script(
        rng.normal(size=(steps + 1, count, size)).astype(np.float32),
        rng.normal(size=(steps, count, size)).astype(np.float32),
        rng.normal(size=(steps, count)),
        rng.normal(size=(steps, count)),
        kind == 1,
        kind == 2,
        num_actions,
    )


def linear(rng, size, out, scale=1.0):
    """A network of one layer with drawn weights; out None for a critic."""
    rows = 1 if out is None else out
    weights = {
        "layers.0.weight": rng.normal(size=(rows, size)).astype(np.float32) * np.float32(scale),
        "layers.0.bias": rng.normal(size=rows).astype(np.float32) * np.float32(scale),
    }
    return Module("MLP", {"in_size": size, "out_size": out, "hidden": []}, weights)


def layer(module, obs):
    """What ``linear`` gives, in float64."""
    weights = {name: np.asarray(array, float) for name, array in module.weights.items()}
    out = np.asarray(obs, float) @ weights["layers.0.weight"].T + weights["layers.0.bias"]
    return out[..., 0] if module.kwargs["out_size"] is None else out
