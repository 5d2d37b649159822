"""Exact moments of the gradient estimators against other ways to the same numbers."""

import numpy as np
import pytest

import policy_gradients as pg
from tests.test_pg_exact import (
    ENVS,
    discounts,
    everywhere,
    exact,
    some_policy,
    tables_of,
    tiny,
    walks,
)


def score(pi, state, action):
    table = np.zeros_like(pi)
    table[state] -= pi[state]
    table[state, action] += 1
    return table


def estimate(env, pi, steps, estimator, gamma, baseline=None, values=None, lam=None, shift=0.0):
    """One trajectory's gradient estimate, straight from its definition, sums and all."""
    rewards = [step[2] for step in steps]
    length = len(steps)
    ended = env.terminal[steps[-1][3]]
    total = np.zeros_like(pi)
    for t, (state, action, _reward, _following) in enumerate(steps):
        if estimator == "return":
            weight = sum(gamma**k * rewards[k] for k in range(length)) + shift
        elif estimator == "gae":
            weight = 0.0
            for k in range(t, length):
                follows = 0.0 if ended and k == length - 1 else values[steps[k][3]]
                delta = rewards[k] + gamma * follows - values[steps[k][0]]
                weight += (gamma * lam) ** (k - t) * delta
        else:
            weight = sum(gamma ** (k - t) * rewards[k] for k in range(t, length))
        if estimator == "baseline":
            weight -= baseline[state] if np.ndim(baseline) == 1 else baseline[state, action]
        total += weight * score(pi, state, action)
    return total


def moments_by_walking(env, pi, estimator, gamma, **options):
    mean, square = np.zeros_like(pi), 0.0
    for probability, steps in walks(env, pi):
        sample = estimate(env, pi, steps, estimator, gamma, **options)
        mean += probability * sample
        square += probability * np.sum(sample**2)
    return mean, square - np.sum(mean**2)


def options_of(estimator, env):
    rng = np.random.default_rng(5)
    return {
        "return": {"shift": 2.5},
        "reward_to_go": {},
        "baseline": {"baseline": rng.normal(size=env.num_states)},
        "gae": {"values": rng.normal(size=env.num_states), "lam": 0.6},
    }[estimator]


@everywhere
@discounts
@pytest.mark.parametrize("estimator", ["return", "reward_to_go", "baseline", "gae"])
def test_moments_agree_with_walking_every_course_of_events(make, gamma, estimator):
    env = make()
    _theta, pi = some_policy(env)
    options = options_of(estimator, env)
    mean, variance = moments_by_walking(env, pi, estimator, gamma, **options)
    found = exact.gradient_moments(env, pi, estimator, gamma, **options)
    assert found.mean.shape == pi.shape
    np.testing.assert_allclose(found.mean, mean, atol=1e-10)
    assert found.total_variance == pytest.approx(variance, rel=1e-9, abs=1e-9)
    assert variance > 1e-3  # a walk without chance would test nothing


@pytest.mark.parametrize("estimator", ["return", "reward_to_go", "baseline", "gae"])
def test_moments_agree_with_samples(estimator):
    env = pg.envs.Grid(size=3, goal=(2, 2), pits=[(1, 1)], slip=0.2, max_steps=8)
    env = pg.envs.TabularEnv(**{**tables_of(env), "noise": 1.5})
    _theta, pi = some_policy(env)
    options = options_of(estimator, env)
    samples = np.array(
        [
            estimate(env, pi, steps, estimator, 0.9, **options).ravel()
            for steps in played(env, pi, 4000)
        ]
    )
    found = exact.gradient_moments(env, pi, estimator, 0.9, **options)
    error = samples.std(0, ddof=1) / np.sqrt(len(samples))
    assert np.all(np.abs(samples.mean(0) - found.mean.ravel()) <= 5 * error + 1e-12)
    squares = ((samples - samples.mean(0)) ** 2).sum(1)
    error = squares.std(ddof=1) / np.sqrt(len(samples))
    assert abs(squares.mean() - found.total_variance) <= 5 * error


def played(env, pi, count, seed=4):
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _episode in range(count):
        state, _info = env.reset()
        steps, over = [], False
        while not over:
            action = int(rng.choice(env.num_actions, p=pi[state]))
            following, reward, terminated, truncated, _info = env.step(action)
            steps.append((state, action, reward, following))
            state, over = following, terminated or truncated
        yield steps


@everywhere
@discounts
@pytest.mark.parametrize(("estimator", "name"), [("return", "shift"), ("gae", "lam")])
def test_many_numbers_give_what_each_gives_alone(make, gamma, estimator, name):
    env = make()
    _theta, pi = some_policy(env)
    options, numbers = options_of(estimator, env), np.array([0.0, 0.3, 1.0])

    def moments(given):
        return exact.gradient_moments(env, pi, estimator, gamma, **options | {name: given})

    means, variances = moments(numbers)
    assert means.shape == (3, *pi.shape) and variances.shape == (3,)
    for number, mean, variance in zip(numbers, means, variances, strict=True):
        alone = moments(number)
        np.testing.assert_allclose(mean, alone.mean, atol=1e-12)
        assert variance == pytest.approx(alone.total_variance, rel=1e-12)


@pytest.mark.parametrize("name", ["tiny", "slippery", "tokens"])
def test_estimators_that_must_be_unbiased_are(name):
    env = ENVS[name]()
    _theta, pi = some_policy(env)
    truth = exact.policy_gradient(env, pi)
    rng = np.random.default_rng(2)
    for estimator, options in [
        ("return", {}),
        ("return", {"shift": -40.0}),
        ("reward_to_go", {}),
        ("baseline", {"baseline": rng.normal(0, 30, env.num_states)}),
    ]:
        mean = exact.gradient_moments(env, pi, estimator, **options).mean
        np.testing.assert_allclose(mean, truth, atol=1e-11)


def test_a_baseline_that_sees_the_action_biases_by_its_own_gradient():
    """E[b(s, a) grad log pi] = pi (b - mean b) in each state, times how often it is seen."""
    env = tiny()
    _theta, pi = some_policy(env)
    baseline = np.random.default_rng(3).normal(size=pi.shape)
    mean = exact.gradient_moments(env, pi, "baseline", baseline=baseline).mean
    bias = pi * (baseline - (pi * baseline).sum(1, keepdims=True))
    bias *= exact.visits(env, pi)[:, None]
    assert np.abs(bias).max() > 0.1
    np.testing.assert_allclose(mean, exact.policy_gradient(env, pi) - bias, atol=1e-12)


def test_a_baseline_equal_in_all_actions_is_a_baseline_by_state():
    env = tiny()
    _theta, pi = some_policy(env)
    by_state = np.array([1.0, -2.0, 5.0])
    by_action = np.repeat(by_state[:, None], 2, 1)
    first = exact.gradient_moments(env, pi, "baseline", 0.9, baseline=by_state)
    second = exact.gradient_moments(env, pi, "baseline", 0.9, baseline=by_action)
    np.testing.assert_array_equal(first.mean, second.mean)
    assert first.total_variance == second.total_variance


def test_bandit_moments_in_closed_form():
    """Two arms at probability 1/2: the score is +-1/2 in both coordinates."""
    env = pg.envs.Bandit(means=[3.0, 1.0], noise=2.0)
    pi = np.full((1, 2), 0.5)
    mean, variance = exact.gradient_moments(env, pi, "return", shift=10.0)
    np.testing.assert_allclose(mean, [[0.5, -0.5]])
    second = 2 * 0.25 * (0.5 * (13**2 + 2**2) + 0.5 * (11**2 + 2**2))
    assert variance == pytest.approx(second - 0.5)


def test_gae_at_lambda_one_is_reward_to_go_minus_value_where_no_clock_interferes():
    env = pg.envs.TokenEnv(max_length=3)
    _theta, pi = some_policy(env)
    pi = pi.copy()
    last = [state for state in range(env.num_states - 2) if len(env.tokens(state)) == 2]
    pi[last] = np.eye(env.num_actions)[env.eos]  # every sentence ends, none is cut
    values = np.random.default_rng(4).normal(size=env.num_states)
    gae = exact.gradient_moments(env, pi, "gae", 0.9, values=values, lam=1.0)
    plain = exact.gradient_moments(env, pi, "baseline", 0.9, baseline=values)
    np.testing.assert_allclose(gae.mean, plain.mean, atol=1e-12)
    assert gae.total_variance == pytest.approx(plain.total_variance, rel=1e-10)


def test_gae_at_lambda_zero_with_exact_values_is_unbiased_without_a_clock():
    env = pg.envs.Corridor(length=5, max_steps=400)  # so long that the clock never matters
    _theta, pi = some_policy(env)
    values = exact.state_values(env, pi)
    for lam in (0.0, 0.5, 1.0):
        mean = exact.gradient_moments(env, pi, "gae", values=values, lam=lam).mean
        np.testing.assert_allclose(mean, exact.policy_gradient(env, pi), atol=1e-9)


@pytest.mark.parametrize(
    ("estimator", "options", "message"),
    [
        ("td", {}, "must be one of"),
        ("baseline", {}, "needs baseline"),
        ("gae", {"values": np.zeros(3)}, "needs lam"),
        ("gae", {"lam": 0.5}, "needs values"),
        ("return", {"baseline": np.zeros(3)}, "takes no baseline"),
        ("reward_to_go", {"shift": 1.0}, "takes no shift"),
        ("baseline", {"baseline": np.zeros(4)}, "shape"),
        ("gae", {"values": np.zeros((3, 1)), "lam": 0.5}, "shape"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(estimator, options, message):
    env = tiny()
    with pytest.raises(ValueError, match=message):
        exact.gradient_moments(env, np.full((3, 2), 0.5), estimator, **options)
