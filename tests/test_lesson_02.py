"""What lesson 02 claims, and its checks' truths against something else than themselves."""

import dataclasses

import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.checks.judge import run_check
from grader.checks.lesson_02 import gradient_samples, reward_to_go, variance
from grader.checks.lesson_02.variance import moments
from grader.checks.registry import get
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.score_sums import random_trajectory, summed_scores
from grader.probes import runtime
from tests.lesson_code import solved

LESSON = solved("02_variance")


@pytest.fixture(scope="module")
def board():
    """The lesson's stage: uniform policy on the board, 3000 episodes."""
    env, rng = pg.envs.Grid(), np.random.default_rng(11)
    theta = np.zeros((16, 4))
    return env, theta, [LESSON["rollout"](env, theta, rng) for _ in range(3000)]


def uniform(env):
    return np.full((env.num_states, env.num_actions), 1 / env.num_actions)


def expectation(chances, samples):
    return np.tensordot(np.array(chances), samples, axes=1)


def test_summed_scores_are_the_derivative_that_autograd_takes():
    rng = np.random.default_rng(5)
    for scale in (1.0, 10.0, 300.0):
        theta = rng.normal(size=(3, 4)) * scale
        played = [random_trajectory(rng, 3, 4) for _ in range(5)]
        weights = [rng.normal(size=len(one.rewards)) for one in played]
        for one, weight, found in zip(played, weights, summed_scores(theta, played, weights)):
            logits = torch.tensor(theta, requires_grad=True)
            logp = torch.log_softmax(logits, -1)[list(one.states), list(one.actions)]
            (logp * torch.tensor(weight)).sum().backward()
            np.testing.assert_allclose(found, logits.grad.numpy(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("estimator", ["return", "reward_to_go"])
def test_truths_of_the_gradients_are_right_on_average_and_in_their_spread(estimator):
    """Over every episode of a small corridor: the mean is the exact gradient, and the variance
    that of dynamic programming."""
    env = pg.envs.Corridor(length=4, max_steps=5)
    theta = np.random.default_rng(0).normal(size=(4, 2))
    pi = LESSON["softmax"](theta)
    chances, episodes = zip(*pg.exact.enumerate_trajectories(env, pi), strict=True)
    truth = {
        "return": gradient_samples.gradient_samples_truth,
        "reward_to_go": gradient_samples.reward_to_go_gradient_truth,
    }[estimator]
    samples = truth(theta, episodes)
    exact = pg.exact.gradient_moments(env, pi, estimator)
    np.testing.assert_allclose(expectation(chances, samples), exact.mean, atol=1e-12)
    np.testing.assert_allclose(exact.mean, pg.exact.policy_gradient(env, pi), atol=1e-12)
    width = expectation(chances, np.sum((samples - exact.mean) ** 2, axis=(1, 2)))
    assert width == pytest.approx(exact.total_variance, rel=1e-9)


def test_truths_of_the_moments_agree_with_numpy():
    samples = np.random.default_rng(1).normal(size=(9, 2, 3))
    mean, covariance = moments(samples)
    np.testing.assert_allclose(covariance, np.cov(samples.reshape(9, -1).T))
    np.testing.assert_allclose(mean, samples.mean(0).ravel())


def test_reward_to_go_of_ones_is_a_geometric_series():
    found = rewards_to_go(np.ones(50), 0.9)
    np.testing.assert_allclose(found, (1 - 0.9 ** np.arange(50, 0, -1)) / (1 - 0.9))


def test_the_long_case_agrees_with_the_definition():
    """The shortcut of the long case is what the definition gives for ones."""
    np.testing.assert_allclose(rewards_to_go(np.ones(40)), np.arange(40, 0, -1.0))
    assert reward_to_go.reward_to_go_truth(np.ones(reward_to_go.MANY_STEPS))[[0, -1]].tolist() == [
        reward_to_go.MANY_STEPS,
        1.0,
    ]


def test_batch_size_truth_is_the_smallest_that_reaches_the_target():
    samples = np.random.default_rng(2).normal(size=(40, 3)) + 0.4
    single = variance.signal_to_noise_truth(samples) / 40
    for target in (0.3, 2.0, 17.0):
        size = variance.batch_size_truth(samples, target)
        assert size * single >= target and (size == 1 or (size - 1) * single < target)


def test_the_secret_seed_never_puts_a_target_on_a_whole_number():
    """A target whose batch size is whole but for rounding would call right answers wrong."""
    for seed in range(200):
        for case in variance.batch_size_cases(np.random.default_rng(seed)):
            samples = np.asarray(getattr(case.inputs["samples"], "array", case.inputs["samples"]))
            mean, covariance = moments(samples)
            if mean.any():
                size = case.inputs["target"] * np.trace(covariance) / (mean @ mean)
                assert size < 0.5 or size in (2.0, 2.75) or abs(size - round(size)) > 0.01


def judged(name, namespace, failed=()):
    def probe(request, ask):
        return runtime.run(namespace, name, request, ask)

    return run_check(get(name), probe, 0, frozenset(failed))


@pytest.mark.parametrize(
    ("broken", "answer", "dependants"),
    [
        ("total_variance", lambda samples: 0.0, ["signal_to_noise", "batch_size_for"]),
        ("signal_to_noise", lambda samples: 1.0, ["batch_size_for"]),
        ("reward_to_go", lambda r, gamma=1.0: np.zeros(len(r)), ["reward_to_go_gradient_samples"]),
    ],
)
def test_a_wrong_prerequisite_costs_its_own_points_alone(broken, answer, dependants):
    notebook = solved.__wrapped__("02_variance")
    for name in (*dependants, broken):
        assert judged(name, notebook).passed
    notebook[broken] = answer
    assert not judged(broken, notebook).passed
    for name in dependants:
        assert not judged(name, notebook).passed
        assert judged(name, notebook, failed=[broken]).passed


def test_about_four_in_ten_single_gradients_point_downhill(board):
    env, theta, trajectories = board
    samples = LESSON["gradient_samples"](theta, trajectories)
    angle = pg.plots.angles(samples, pg.exact.policy_gradient(env, uniform(env)))
    assert 0.33 < np.mean(angle > 90) < 0.45
    assert 82 < np.median(angle) < 89


def test_a_single_error_is_more_than_ten_times_as_long_as_the_gradient(board):
    env = board[0]
    mean, variance = pg.exact.gradient_moments(env, uniform(env), "return")
    assert np.sqrt(variance) > 10 * np.linalg.norm(mean)


def test_the_variance_of_a_mean_falls_as_one_over_n(board):
    env, theta, trajectories = board
    samples = LESSON["gradient_samples"](theta, trajectories)[:2048]
    sizes = 2 ** np.arange(8)
    found = [
        LESSON["total_variance"](samples.reshape(-1, size, 16, 4).mean(axis=1)) for size in sizes
    ]
    assert np.polyfit(np.log(sizes), np.log(found), 1)[0] == pytest.approx(-1, abs=0.08)


def test_a_shift_moves_no_mean_and_the_variance_along_a_parabola(board):
    env = board[0]
    exact = pg.exact.policy_gradient(env, uniform(env))
    shifts = np.arange(-6, 19, 3.0)
    curve = [pg.exact.gradient_moments(env, uniform(env), "return", shift=c) for c in shifts]
    assert max(np.abs(point.mean - exact).max() for point in curve) < 1e-12
    variances = [point.total_variance for point in curve]
    fit = np.polyfit(shifts, variances, 2)
    np.testing.assert_allclose(np.polyval(fit, shifts), variances, rtol=1e-9)
    assert -fit[1] / (2 * fit[0]) == pytest.approx(7.2, abs=0.2)
    lowest = np.polyval(fit, -fit[1] / (2 * fit[0]))
    assert 0.6 < 1 - lowest / variances[2] < 0.67  # "almost two thirds"


def test_the_beginner_needs_the_most_trajectories_and_the_middle_the_fewest():
    env = pg.envs.Grid()
    best = pg.exact.best_policy(env)
    needed = []
    for share in (0.0, 0.5, 0.95):
        mean, variance = pg.exact.gradient_moments(env, share * best + (1 - share) / 4, "return")
        needed.append(variance / np.sum(mean**2))
    assert needed[0] > needed[2] > needed[1] and 15 < needed[1] < 30


@pytest.mark.parametrize(
    ("make", "low", "high"), [(pg.envs.Ring, 2.3, 3.0), (pg.envs.Grid, 1.0, 1.25)]
)
def test_reward_to_go_gains_where_rewards_come_all_along(make, low, high):
    for horizon in (6, 12, 24, 48):
        env = make(max_steps=horizon)
        whole, to_go = (
            pg.exact.gradient_moments(env, uniform(env), name).total_variance
            for name in ("return", "reward_to_go")
        )
        assert low < whole / to_go < high


def test_reward_to_go_changes_nothing_for_one_reward_at_the_end():
    env, rng = pg.envs.TokenEnv(), np.random.default_rng(0)
    theta = np.zeros((env.num_states, env.num_actions))
    sentences = [LESSON["rollout"](env, theta, rng) for _ in range(50)]
    np.testing.assert_allclose(
        LESSON["gradient_samples"](theta, sentences),
        LESSON["reward_to_go_gradient_samples"](theta, sentences),
    )


def test_ring_pays_the_cell_it_enters_and_never_terminates():
    env = pg.envs.Ring(pay=[1.0, 2.0, 3.0, 4.0], first=0, max_steps=3)
    assert env.reset(seed=0)[0] == 0
    seen = [env.step(action)[:4] for action in (0, 1, 1)]
    assert seen == [(3, 4.0, False, False), (0, 1.0, False, False), (1, 2.0, False, True)]
    again = type(env)(**env.spec_kwargs())
    np.testing.assert_array_equal(again.transitions, env.transitions)
    np.testing.assert_array_equal(again.rewards, env.rewards)


def test_ring_refuses_what_is_no_ring():
    for wrong in ({"pay": [1.0, 2.0]}, {"pay": [[1.0]]}, {"first": 6}, {"first": -1}):
        with pytest.raises(ValueError):
            pg.envs.Ring(**wrong)


def test_ring_is_worth_its_geometric_series():
    env = pg.envs.Ring(pay=np.ones(5), max_steps=10)
    values = pg.exact.state_values(env, uniform(env), gamma=0.9)
    np.testing.assert_allclose(values, 10.0)


def played(env, actions):
    """The return of a walk, given its actions, until the episode is over."""
    env.reset(seed=0)
    total, over = 0.0, False
    for action in actions:
        if over:
            break
        _state, reward, terminated, truncated, _info = env.step(action)
        total, over = total + reward, terminated or truncated
    assert over
    return total


@pytest.mark.parametrize(
    ("length", "max_steps", "goal", "price"), [(7, 20, 10.0, -0.1), (9, 11, -3.0, 0.4)]
)
def test_at_the_bonus_both_plans_have_the_same_return_in_a_corridor(length, max_steps, goal, price):
    distance = (length - 1) // 2
    bonus = LESSON["bonus_in_rewards"](goal, price, distance, max_steps)
    for off, sign in ((0.0, 0), (0.1, -1), (-0.1, 1)):
        world = {"length": length, "pit": None, "goal_reward": goal, "max_steps": max_steps}
        env = pg.envs.Corridor(**world, step_reward=price + bonus + off)
        gap = played(env, [1] * distance) - played(env, [0, 1] * max_steps)
        assert np.sign(round(gap, 9)) == sign


def test_more_bonus_keeps_the_best_table_away_from_the_goal():
    steps = []
    for bonus in (0.0, 0.2, 0.5, 0.69, 1.0, 1.4):
        env = pg.envs.Corridor(pit=None, step_reward=-0.1 + bonus)
        steps.append(pg.exact.visits(env, pg.exact.best_policy(env)).sum())
    assert steps == sorted(steps) and steps[0] == pytest.approx(3) and steps[-1] > 19
    assert 11 < steps[3] < 13


@pytest.mark.parametrize("make", [pg.envs.Corridor, pg.envs.Grid])
def test_in_the_solved_world_reward_to_go_gains_nothing_and_the_policy_matters(make):
    env = make()
    rewards = LESSON["rewards_without_gain"](env.transitions, env.terminal)
    world = pg.envs.TabularEnv(env.transitions, rewards, env.terminal, env.start, env.max_steps)
    whole, to_go = (
        pg.exact.gradient_moments(world, uniform(world), name)
        for name in ("return", "reward_to_go")
    )
    assert whole.total_variance == pytest.approx(to_go.total_variance, rel=1e-12)
    assert np.linalg.norm(whole.mean) > 0.1


def test_a_reward_on_the_way_is_found_however_small():
    def answer(transitions, terminal):
        rewards = np.zeros(transitions.shape)
        rewards[:, :, terminal] = np.random.default_rng(5).normal(size=int(terminal.sum()))
        return rewards

    def almost(transitions, terminal):
        rewards = answer(transitions, terminal)
        rewards[:, 0, ~terminal] += 1e-3
        return rewards

    assert judged("rewards_without_gain", {"rewards_without_gain": answer}).passed
    verdict = judged("rewards_without_gain", {"rewards_without_gain": almost})
    assert verdict.mistake == "paid-on-the-way"


@pytest.mark.parametrize("seed", [5, 20_261_125])
def test_in_every_world_that_is_drawn_it_counts_to_end_before_the_clock(seed):
    """Equal pay for all ends teaches a policy to end, unless each one ends in time anyway."""

    def answer(transitions, terminal):
        return np.ones(transitions.shape) * terminal

    def probe(request, ask):
        return runtime.run({"rewards_without_gain": answer}, "rewards_without_gain", request, ask)

    assert run_check(get("rewards_without_gain"), probe, seed).passed


def test_an_angle_is_foretold_by_the_ratio(board):
    env, theta, trajectories = board
    mean, variance = pg.exact.gradient_moments(env, uniform(env), "return")
    for size in (64, 256):
        foretold = np.degrees(np.arctan(np.sqrt(variance / size) / np.linalg.norm(mean)))
        assert foretold == pytest.approx({64: 64, 256: 46}[size], abs=0.5)  # q_angle's letters
    samples = LESSON["gradient_samples"](theta, trajectories)[:2048]
    measured = pg.plots.angles(samples.reshape(32, 64, 16, 4).mean(axis=1), mean).mean()
    assert measured == pytest.approx(64, abs=5)


def test_the_beginner_meets_pits_in_three_of_four_episodes(board):
    last = np.array([trajectory.rewards[-1] for trajectory in board[2]])
    assert np.mean(last < -5) == pytest.approx(0.76, abs=0.03)
    assert np.mean(last > 5) == pytest.approx(0.04, abs=0.015)


def test_past_rewards_add_nothing_to_the_mean_of_the_gradient():
    """The proof's two lines, summed over every episode of a small corridor."""
    env = pg.envs.Corridor(length=4, max_steps=5)
    theta = np.random.default_rng(0).normal(size=(4, 2))
    total = np.zeros((4, 2))
    for chance, episode in pg.exact.enumerate_trajectories(env, LESSON["softmax"](theta)):
        for t, (state, action) in enumerate(zip(episode.states, episode.actions, strict=True)):
            score = LESSON["grad_log_prob"](theta, state, action)
            total += chance * episode.rewards[:t].sum() * score
    np.testing.assert_allclose(total, 0, atol=1e-12)


def step_by_step(rewards, gamma=1.0):
    """Linear, at the speed of a slow machine."""
    result, total = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        for _turn in range(6):
            result[t] = float(rewards[t]) + gamma * total
        total = result[t]
    return result


def sum_by_sum(rewards, gamma=1.0):
    """Each step looks at all that come after it."""
    rewards = np.asarray(rewards, dtype=float)
    return np.array(
        [rewards[t:] @ gamma ** np.arange(len(rewards) - t) for t in range(len(rewards))]
    )


@pytest.mark.parametrize(("answer", "mistake"), [(step_by_step, ""), (sum_by_sum, "too-slow")])
def test_growth_is_judged_and_not_the_speed_of_the_machine(answer, mistake):
    """A limit a fifth as long is a machine at a fifth of the speed."""
    exercise = dataclasses.replace(get("reward_to_go"), seconds=get("reward_to_go").seconds / 5)

    def probe(request, ask):
        return runtime.run({"reward_to_go": answer}, "reward_to_go", request, ask)

    assert run_check(exercise, probe, 0).mistake == mistake


def test_the_shortest_episodes_that_tell_growth_are_enough():
    """Whoever compares all pairs isn't kept waiting for pairs of 75,000 steps."""
    exercise = dataclasses.replace(get("reward_to_go"), seconds=get("reward_to_go").seconds / 5)
    lengths = []

    def noted(rewards, gamma=1.0):
        lengths.append(len(rewards))
        return sum_by_sum(rewards, gamma)

    def probe(request, ask):
        return runtime.run({"reward_to_go": noted}, "reward_to_go", request, ask)

    assert run_check(exercise, probe, 0).mistake == "too-slow"
    assert max(lengths) == 300_000 and 75_000 not in lengths
