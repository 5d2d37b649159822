"""Many episodes at once are the same episodes as one by one."""

import numpy as np
import pytest

import policy_gradients as pg


def softmax(theta):
    weights = np.exp(theta - theta.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    "env",
    [pg.envs.Corridor(length=5, max_steps=6), pg.envs.Grid(slip=0.3), pg.envs.Bandit(noise=0.5)],
    ids=["corridor", "slippery grid", "bandit"],
)
def test_returns_and_ends_are_those_of_the_tables(env):
    pi = softmax(np.random.default_rng(0).normal(size=(env.num_states, env.num_actions)))
    play = pg.play_many(env, np.repeat(pi[None], 4000, axis=0), np.random.default_rng(1))
    returns = play.rewards.sum(0)
    error = returns.std() / np.sqrt(len(returns))
    assert abs(returns.mean() - pg.exact.objective(env, pi)) < 4 * error + 1e-12
    visits = np.bincount(play.states[play.alive], minlength=env.num_states) / 4000
    np.testing.assert_allclose(visits, pg.exact.visits(env, pi), atol=0.15)
    assert (play.terminated.sum(0) + play.truncated.sum(0) == 1).all(), "each ends once"
    last = play.alive.sum(0) - 1
    column = np.arange(4000)
    assert (env.terminal[play.next_states[last, column]] == play.terminated[last, column]).all()
    assert (last[play.truncated.any(0)] + 1 == env.max_steps).all()
    inside = play.alive[1:]
    assert (play.states[1:][inside] == play.next_states[:-1][inside]).all()
    assert not play.rewards[~play.alive].any()


def test_equal_generators_play_equal_episodes():
    env, pi = pg.envs.Grid(), np.full((3, 16, 4), 0.25)
    one, other = (pg.play_many(env, pi, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.actions, other.actions)
    third = pg.play_many(env, pi, np.random.default_rng(6))
    assert one.actions.shape != third.actions.shape or (one.actions != third.actions).any()


def test_one_update_goes_along_the_exact_gradient():
    """From the uniform policy, with a huge batch and whole returns as weights."""
    env = pg.envs.Corridor(length=5, max_steps=8)
    seen = []

    def whole(play, values, next_values):
        seen.append((values.any(), next_values.any()))
        returns = play.rewards.sum(0, keepdims=True)
        return returns, np.broadcast_to(returns, play.rewards.shape)

    found = pg.learn_many(
        env, whole, np.random.default_rng(0), 0.01, runs=2, num_updates=2, batch_size=4000
    )
    pi = np.full((5, 2), 0.5)
    slope = np.sum(pg.exact.policy_gradient(env, pi) ** 2)
    start = pg.exact.objective(env, pi)
    assert found.shape == (2, 2)
    np.testing.assert_allclose((found[:, 0] - start) / 0.01, slope, rtol=0.15)
    assert seen == [(False, False), (True, True)], "the critic learns between the updates"


def test_a_critic_moves_towards_its_target_by_visits():
    env = pg.envs.Bandit(means=(1.0, 1.0), noise=0.0)
    tables = []

    def note(play, values, next_values):
        tables.append(values[0, 0])
        return np.zeros((1, 1)), np.full(play.rewards.shape, 8.0)

    pg.learn_many(
        env, note, np.random.default_rng(0), 0.1, 1, num_updates=3, batch_size=2, critic_rate=0.5
    )
    assert tables == [0.0, 6.0, 7.5]  # each update has two visits: 1 - 0.5^2 of the way


def test_a_trajectory_keeps_where_it_stopped_and_does_without():
    old = pg.Trajectory([0, 1], [1, 1], [0.0, 1.0])
    assert old.last_state is None and old.terminated is None
    corridor = pg.envs.Corridor(length=5, max_steps=3)
    for _chance, traj in pg.exact.enumerate_trajectories(corridor, np.full((5, 2), 0.5)):
        following = corridor.transitions[traj.states[-1], traj.actions[-1]].argmax()
        assert traj.last_state == following
        assert traj.terminated == corridor.terminal[following]


def test_several_sliders_draw_with_all_their_settings():
    drawn = []

    def draw(ax, size, name):
        drawn.append((size, name))
        ax.plot([0, size], [0, name])
        ax.set_title(f"{size:g} and {name:g}")

    shown = pg.plots.sliders(draw, {"size": [1.0, 2.0], "name": [3.0, 4.0]}, first=(1.0, 4.0))
    one, other, _picture = shown.widget.children
    one.value, other.value = 2.0, 3.0
    assert drawn == [(1.0, 4.0), (2.0, 4.0), (2.0, 3.0)]
