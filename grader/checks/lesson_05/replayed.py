"""The updates of a case done by hand, and what they are compared with."""

import numpy as np

from grader.checks.shared.ppo_update import Samples, Way, replay


def samples_of(inputs, transposed=False):
    """The rollout's samples in one row; transposed: advantages and returns cut the other way."""
    rollout = inputs["rollout"]
    other = (lambda x: np.asarray(x, float).T.ravel()) if transposed else np.ravel
    obs = np.asarray(rollout.obs, float).reshape(-1, rollout.obs.shape[-1])
    return Samples(
        obs,
        rollout.actions.ravel(),
        np.asarray(rollout.logp, float).ravel(),
        other(inputs["advantages"]),
        other(inputs["returns"]),
    )


def start_weights(inputs):
    found = {
        f"{name}.{part}": np.asarray(inputs[name].weights[f"layers.0.{part}"])
        for name in ("policy", "critic")
        for part in ("weight", "bias")
    }
    return found


def end_weights(seen):
    return {
        f"{name}.{part}": np.asarray(seen["modules"][name]["after"][f"layers.0.{part}"], float)
        for name in ("policy", "critic")
        for part in ("weight", "bias")
    }


RIGHT = Way()


def replayed(inputs, rows, way=RIGHT, transposed=False, start=None):
    options = {name: inputs[name] for name in ("epochs", "clip", "value_coef", "entropy_coef")}
    lr = inputs["optimizer"].kwargs["lr"]
    return replay(
        start or start_weights(inputs),
        samples_of(inputs, transposed),
        rows,
        lr=lr,
        way=way,
        **options,
    )


def agree(found, wanted, start):
    """Whether weights moved to where they must, within a thousandth of the longest move."""
    reach = max(np.abs(wanted[name] - start[name]).max() for name in wanted)
    return all(np.allclose(found[n], wanted[n], rtol=0, atol=1e-3 * reach + 1e-6) for n in wanted)


def used_rows(seen):
    """For each optimiser step the samples that had a gradient, each once, as they were taken."""
    return [_each_once(np.asarray(step["critic"])) for step in seen["rows"]]


def _each_once(rows):
    return rows if len(np.unique(rows)) == len(rows) else np.unique(rows)


def near(found, wanted):
    return bool(np.isclose(found, wanted, rtol=2e-3, atol=1e-5))
