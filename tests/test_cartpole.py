"""The vectorised CartPole against Gymnasium's own, and the episode returns against plain sums."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

import policy_gradients as pg

NAMES = ("final_obs", "_final_obs", "final_info", "_final_info")


def test_each_step_is_gymnasiums():
    envs = pg.envs.VectorCartPole(16)
    reference = gymnasium.make("CartPole-v1").unwrapped
    rng = np.random.default_rng(0)
    obs, _ = envs.reset(seed=3)
    for _ in range(300):
        before, actions = envs.state, rng.integers(2, size=16)
        obs, rewards, terminated, truncated, infos = envs.step(actions)
        assert not truncated.any()
        for i in range(16):
            reference.reset()
            reference.state = before[i]
            wanted, reward, ended, _, _ = reference.step(int(actions[i]))
            got = infos["final_obs"][i] if terminated[i] else obs[i]
            np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-7)
            assert (rewards[i], terminated[i]) == (reward, ended)
            assert reference.observation_space.contains(
                got
            ) == envs.single_observation_space.contains(got)


def test_same_shapes_dtypes_and_infos_as_gymnasiums_same_step_mode():
    makers = [lambda: gymnasium.make("CartPole-v1")] * 3
    reference = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    envs = pg.envs.VectorCartPole(3)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert envs.action_space == reference.action_space
    assert envs.observation_space == reference.observation_space
    for one in (reference, envs):
        one.reset(seed=0)
    infos = [_run_until_an_end(one) for one in (reference, envs)]
    assert set(infos[0]) == set(infos[1]) == set(NAMES)
    for one in infos:
        assert one["final_obs"].dtype == object and one["_final_obs"].dtype == bool
        for last, ended in zip(one["final_obs"], one["_final_obs"], strict=True):
            assert (last is not None) == ended
            if ended:
                assert last.shape == (4,) and last.dtype == np.float32


def _run_until_an_end(envs):
    for t in range(100):
        obs, rewards, terminated, truncated, infos = envs.step(np.array([0, 1, t % 2]))
        assert obs.shape == (3, 4) and obs.dtype == np.float32
        assert rewards.shape == (3,) and rewards.dtype == np.float64
        assert terminated.dtype == truncated.dtype == bool
        if terminated.any():
            assert np.abs(obs[terminated]).max() <= 0.05
            return infos
        assert infos == {}


def test_time_limit_truncates_and_termination_wins():
    envs = pg.envs.VectorCartPole(2, max_steps=3)
    envs.reset(seed=0)
    envs.step(np.array([0, 1]))
    envs.step(np.array([1, 0]))
    state = envs.state
    state[1] = [2.4, 5.0, 0.0, 0.0]  # the third step takes this cart over the edge
    envs.state = state
    _, _, terminated, truncated, infos = envs.step(np.array([0, 1]))
    assert terminated.tolist() == [False, True] and truncated.tolist() == [True, False]
    assert infos["_final_obs"].all() and abs(infos["final_obs"][1][0]) > 2.4
    assert envs.steps.tolist() == [0, 0]


def test_every_full_episode_has_500_steps():
    """A linear controller that never falls: all episodes end together, at Gymnasium's limit."""
    envs = pg.envs.VectorCartPole(8)
    obs, _ = envs.reset(seed=1)
    ends = []
    for t in range(1, 1001):
        obs, _, terminated, truncated, _ = envs.step((obs @ [0.5, 1.0, 10.0, 3.0] > 0).astype(int))
        assert not terminated.any()
        if truncated.any():
            assert truncated.all()
            ends.append(t)
    assert ends == [500, 1000]
    assert gymnasium.spec("CartPole-v1").max_episode_steps == 500


def test_starts_are_uniform_and_seeded():
    envs = pg.envs.VectorCartPole(4000)
    first, _ = envs.reset(seed=5)
    again, _ = envs.reset(seed=5)
    other, _ = envs.reset()
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(first).max() <= 0.05
    np.testing.assert_allclose(first.var(0), 0.1**2 / 12, rtol=0.1)
    np.testing.assert_allclose(first.mean(0), 0, atol=0.003)


def test_relabelled_environment_is_the_same_one_in_other_words():
    plain = pg.envs.VectorCartPole(5)
    other = pg.envs.VectorCartPole(
        5, action_order=(1, 0), obs_order=(2, 0, 3, 1), obs_signs=(1, -1, 1, -1)
    )
    plain.reset(seed=2)
    other.reset(seed=2)
    for t in range(60):
        actions = np.array([0, 1, 0, 1, 1]) ^ (t % 3 == 0)
        obs, _, ended, _, infos = plain.step(actions)
        seen, _, ended_too, _, infos_too = other.step(1 - actions)
        np.testing.assert_array_equal(seen, obs[:, [2, 0, 3, 1]] * np.float32([1, -1, 1, -1]))
        np.testing.assert_array_equal(ended, ended_too)
        assert other.observation_space.contains(seen)
        for i in np.flatnonzero(ended):
            last = infos["final_obs"][i]
            wanted = last[[2, 0, 3, 1]] * np.float32([1, -1, 1, -1])
            np.testing.assert_array_equal(infos_too["final_obs"][i], wanted)


def test_what_was_handed_out_never_changes():
    envs = pg.envs.VectorCartPole(2)
    obs, _ = envs.reset(seed=0)
    state, kept = envs.state, obs.copy()
    envs.step(np.array([0, 1]))
    state[:] = 9.0
    np.testing.assert_array_equal(obs, kept)
    assert np.abs(envs.state).max() < 1


@pytest.mark.parametrize(
    "actions", [[0, 1, 0], 1, [0.0, 1.0], [0, 2], [-1, 0], [[0], [1]], [True, False]]
)
def test_wrong_actions_are_named(actions):
    envs = pg.envs.VectorCartPole(2)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="actions must be 2 whole numbers"):
        envs.step(actions)


def test_wrong_use_is_named():
    with pytest.raises(RuntimeError, match="reset"):
        pg.envs.VectorCartPole(1).step([0])
    for wrong in (
        {"num_envs": 0},
        {"max_steps": 0},
        {"action_order": (0, 0)},
        {"obs_order": (0, 1, 2)},
        {"obs_signs": (1, 1, 1, 2)},
    ):
        with pytest.raises(ValueError):
            pg.envs.VectorCartPole(**wrong)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_episode_returns_are_sums_over_whole_episodes(data):
    steps, count = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    rewards, ended = rng.normal(size=(steps, count)), rng.random((steps, count)) < 0.3
    cut = data.draw(st.integers(0, steps))
    episodes, got = pg.EpisodeReturns(count), []
    for part in (slice(0, cut), slice(cut, steps)):
        got.extend(episodes.finished(_rollout(rewards[part], ended[part])))
    wanted = []
    for i in range(count):
        start = 0
        for t in np.flatnonzero(ended[:, i]):
            wanted.append(rewards[start : t + 1, i].sum())
            start = t + 1
    np.testing.assert_allclose(sorted(got), sorted(wanted))


def test_mean_return_without_an_end_is_nan():
    episodes = pg.EpisodeReturns(1)
    assert np.isnan(episodes.mean_return(_rollout(np.ones((2, 1)), np.zeros((2, 1), bool))))
    assert episodes.mean_return(_rollout(np.ones((1, 1)), np.ones((1, 1), bool))) == 3.0


def _rollout(rewards, ended):
    zeros = np.zeros_like(rewards)
    return pg.Rollout(zeros, zeros, zeros, rewards, zeros, zeros, ended, np.zeros_like(ended))
