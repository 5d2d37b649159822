"""The package as a whole: cheap to import, no exercise answered, data in the right shape."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import policy_gradients as pg

PACKAGE = Path(pg.__file__).parent

# The exercises of all lessons, whose answers must not be found in the helper package.
# fmt: off
EXERCISES = [
    "softmax", "log_prob", "rollout", "discounted_return", "grad_log_prob", "reinforce_gradient",
    "reinforce_loss", "train_reinforce", "gradient_samples", "total_variance", "signal_to_noise",
    "batch_size_for", "reward_to_go", "reward_to_go_gradient_samples",
    "baseline_gradient_samples", "optimal_baseline", "leave_one_out_advantages", "value_loss",
    "td_errors", "gae", "actor_critic_loss", "train_actor_critic", "importance_ratio",
    "surrogate_loss", "ppo_clip_loss", "clip_gradient", "case_table", "clip_fraction",
    "kl_estimates", "ppo_penalty_loss", "adapt_beta", "normalize_advantages", "entropy",
    "collect_rollout", "minibatches", "ppo_update", "explained_variance", "train_ppo",
    "token_logp", "completion_mask", "masked_mean", "terminal_rewards", "kl_shaped_rewards",
    "ppo_token_loss", "train_language_ppo",
]
# fmt: on


def loaded_after(code):
    """Which heavy modules a fresh interpreter has loaded after running this code."""
    heavy = ("torch", "matplotlib", "gymnasium")
    code += f"; import sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return ast.literal_eval(run.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import policy_gradients as pg", []),
        ("import policy_gradients as pg; pg.Trajectory([0], [1], [2.0]); pg.exact", []),
        ("import policy_gradients as pg; pg.plots", []),
        ("import policy_gradients as pg; pg.envs.Grid()", ["gymnasium"]),
        ("import policy_gradients as pg; pg.TabularPolicy(2, 2)", ["torch"]),
    ],
)
def test_heavy_libraries_are_loaded_on_first_use_only(code, loaded):
    assert loaded_after(code) == loaded


def test_every_public_name_is_there():
    for name in pg.__all__:
        assert getattr(pg, name) is not None
        assert name in dir(pg)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pg.nothing


def test_no_function_is_named_like_an_exercise():
    """A helper of an exercise's name would be an answer, or be taken for one."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name.strip("_"))
    assert "objective" in found
    assert found.isdisjoint(EXERCISES)


def test_a_trajectory_takes_lists():
    traj = pg.Trajectory([0, 1], [1, 0], [3, -1])
    assert len(traj) == 2
    assert traj.rewards.dtype == np.float64
    assert traj.states.tolist() == [0, 1]


@pytest.mark.parametrize(
    "fields", [([0, 1], [1], [1.0, 2.0]), ([0], [1], [1.0, 2.0]), ([[0]], [[1]], [[1.0]])]
)
def test_a_crooked_trajectory_is_refused(fields):
    with pytest.raises(ValueError, match="equally long"):
        pg.Trajectory(*fields)


def rollout_fields(steps=3, envs=2):
    flat = np.zeros((steps, envs))
    fields = dict.fromkeys(("actions", "logp", "rewards", "values", "next_values"), flat)
    flags = flat.astype(bool)
    return {"obs": np.zeros((steps, envs, 4)), **fields, "terminated": flags, "truncated": flags}


def test_a_rollout_takes_arrays_and_tensors():
    fields = rollout_fields()
    assert pg.Rollout(**fields).obs.shape == (3, 2, 4)
    fields["logp"] = torch.zeros(3, 2)
    pg.Rollout(**fields)


@pytest.mark.parametrize("name", list(rollout_fields()))
def test_a_crooked_rollout_names_the_field(name):
    fields = {**rollout_fields(), name: np.zeros((2, 3))}
    wrong = "obs" if name == "rewards" else name  # (T, N) is what the rewards say
    with pytest.raises(ValueError, match=f"{wrong} has shape"):
        pg.Rollout(**fields)
