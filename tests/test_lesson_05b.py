"""Lesson 05b: its checks' truths, the pendulum's physics and the loop with its details."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.checks.lesson_05b import gaussian
from publish import practice_runs as runs
from publish.solved import namespace
from tests.solved import verdicts

NAME = "05b_practice"
SOLVED = namespace(NAME)
NAMES = ["should_stop", "value_clip_loss", "gaussian_logp", "gaussian_entropy"]


@pytest.mark.parametrize("seed", [0, 4711])
def test_the_solutions_pass_every_check(seed):
    found = verdicts(SOLVED, NAMES, seed)
    assert not [verdict.text() for verdict in found.values() if not verdict.passed]


def test_truths_of_the_gaussian_are_torch_s():
    rng = np.random.default_rng(0)
    for case in gaussian.logp_cases(rng):
        inputs = {k: torch.tensor(v.array.astype(float)) for k, v in case.inputs.items()}
        normal = torch.distributions.Normal(inputs["mean"], inputs["log_std"].exp())
        truth = gaussian.logp_truth(**{k: v.array for k, v in case.inputs.items()})
        wanted = normal.log_prob(inputs["actions"]).sum(-1)
        np.testing.assert_allclose(truth.value, wanted, rtol=1e-5, atol=1e-6)
        entropy = gaussian.entropy_truth(np.broadcast_to(inputs["log_std"], inputs["mean"].shape))
        np.testing.assert_allclose(entropy.value, normal.entropy().sum(-1), rtol=1e-6)


def test_pendulums_move_as_gymnasium_s_does():
    envs, one = pg.envs.VectorPendulum(3), gym.make("Pendulum-v1")
    obs, _info = envs.reset(seed=1)
    starts = list(zip(envs.angle, envs.speed, strict=True))
    actions = np.random.default_rng(0).normal(size=(200, 3, 1)).astype(np.float32) * 2
    ends, found = [], []
    for action in actions:
        obs, rewards, terminated, truncated, infos = envs.step(action)
        found.append((obs, rewards))
        assert not terminated.any()
        ends.append(truncated.copy())
    assert not np.any(ends[:-1]) and np.all(ends[-1])
    for i, start in enumerate(starts):
        one.reset(seed=0)
        one.unwrapped.state = np.array(start)
        for t, action in enumerate(actions):
            seen, reward, _terminated, cut, _info = one.step(action[i])
            ours = infos["final_obs"][i] if t == 199 else found[t][0][i]
            np.testing.assert_allclose(ours, seen, atol=1e-3)
            assert found[t][1][i] == pytest.approx(reward, abs=1e-3)
        assert cut


def test_the_running_scaling_is_that_of_all_observations_at_once():
    scaling = SOLVED["Scaling"](3, True)
    parts = np.random.default_rng(0).normal(size=(5, 7, 2, 3)) * [1, 5, 100] + [0, 3, 1000]
    for part in parts:
        scaling.update(part)
    rows = parts.reshape(-1, 3)
    np.testing.assert_allclose(scaling.mean, rows.mean(0))
    np.testing.assert_allclose(scaling.var, rows.var(0))


def test_stored_runs_are_those_that_the_script_makes():
    stored = pg.stored_runs("practice")
    again = runs.cartpole(SOLVED, runs.SEEDS[0], updates=3)
    np.testing.assert_allclose(stored["cartpole"]["plain"][0, :3], again, rtol=0.02)
    assert all(run.shape[0] == 12 for task in stored.values() for run in task.values())


def test_an_update_stops_at_its_target():
    torch.manual_seed(0)
    nets, envs = (pg.MLP(4, 2, gain=0.01), pg.MLP(4)), pg.envs.VectorCartPole(8)
    details = SOLVED["Details"](target_kl=0.0, minibatch_size=64)
    (row,) = SOLVED["train"](envs, *nets, 1, 16, np.random.default_rng(0), details)
    assert 1 <= row["steps"] <= 3  # the first ratio is 1 but for rounding
