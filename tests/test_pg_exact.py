"""Exact answers against other ways to the same numbers.

Those ways: walking every possible course of events (`walks`), closed forms, finite differences,
autograd, brute force over policies, and samples with their standard error.
"""

import itertools

import numpy as np
import pytest

import policy_gradients as pg

exact = pg.exact


def tiny(noise=0.7, max_steps=3):
    """Three states, two actions, chance everywhere, one terminal state; returns of both signs."""
    rng = np.random.default_rng(11)
    return pg.envs.TabularEnv(
        transitions=rng.dirichlet(np.ones(3), size=(3, 2)),
        rewards=rng.uniform(-3, 3, size=(3, 2, 3)),
        terminal=[False, False, True],
        start=[0.6, 0.4, 0.0],
        max_steps=max_steps,
        noise=noise,
    )


ENVS = {
    "tiny": tiny,
    "bandit": lambda: pg.envs.Bandit(means=[1, 2, 7], noise=2.0),
    "contexts": lambda: pg.envs.ContextualBandit(means=np.arange(6).reshape(3, 2), noise=1.5),
    "corridor": lambda: pg.envs.Corridor(length=5, max_steps=5),
    "slippery": lambda: pg.envs.Grid(
        size=2, goal=(1, 1), pits=[(1, 0)], slip=0.3, max_steps=3, action_order=[2, 0, 1, 3]
    ),
    "tokens": lambda: pg.envs.TokenEnv(pairs=[("cat", "sleeps")], max_length=3),
}


everywhere = pytest.mark.parametrize("make", ENVS.values(), ids=ENVS.keys())


discounts = pytest.mark.parametrize("gamma", [1.0, 0.8, 0.0])


def table_of(theta):
    weights = np.exp(theta)
    return weights / weights.sum(1, keepdims=True)


def some_policy(env, seed=0):
    """Logits and their probabilities."""
    theta = np.random.default_rng(seed).normal(size=(env.num_states, env.num_actions))
    return theta, table_of(theta)


def walks(env, pi):
    """Yield (probability, steps) for every course of events, noise included.

    A step is (state, action, reward, successor). The noise is one of two equally likely values,
    -sigma and +sigma: no second moment can tell it from Gaussian noise.
    """
    noises = (-env.noise, env.noise) if env.noise else (0.0,)

    def go_on(probability, state, steps):
        if steps and (env.terminal[state] or len(steps) == env.max_steps):
            yield probability, steps
            return
        for action, following in itertools.product(range(env.num_actions), range(env.num_states)):
            chance = probability * pi[state, action] * env.transitions[state, action, following]
            for noise in noises if chance > 0 else ():
                reward = env.rewards[state, action, following] + noise
                step = (state, action, reward, following)
                yield from go_on(chance / len(noises), following, [*steps, step])

    for state in np.flatnonzero(env.start):
        yield from go_on(env.start[state], int(state), [])


# Values, visits, objective


@everywhere
@discounts
def test_objective_is_the_mean_over_all_courses_of_events(make, gamma):
    env = make()
    _theta, pi = some_policy(env)
    truth = sum(
        probability * sum(gamma**t * step[2] for t, step in enumerate(steps))
        for probability, steps in walks(env, pi)
    )
    assert exact.objective(env, pi, gamma) == pytest.approx(truth, abs=1e-10)


@everywhere
def test_enumerated_trajectories_are_all_of_them(make):
    env = make()
    _theta, pi = some_policy(env)
    found = list(exact.enumerate_trajectories(env, pi))
    assert sum(probability for probability, _traj in found) == pytest.approx(1, abs=1e-12)
    mean = sum(probability * traj.rewards.sum() for probability, traj in found)
    assert mean == pytest.approx(exact.objective(env, pi), abs=1e-10)
    quiet = pg.envs.TabularEnv(**{**tables_of(env), "noise": 0.0})
    assert len(found) == len(list(walks(quiet, pi)))
    assert all(len(traj) <= env.max_steps for _probability, traj in found)


def tables_of(env):
    names = ("transitions", "rewards", "terminal", "start", "max_steps", "noise")
    return {name: getattr(env, name) for name in names}


def test_enumeration_stops_before_it_drowns():
    env = pg.envs.Grid()
    _theta, pi = some_policy(env)
    with pytest.raises(RuntimeError, match="more than 1000"):
        list(exact.enumerate_trajectories(env, pi, max_count=1000))


@everywhere
@discounts
def test_visits_count_the_actions_taken(make, gamma):
    env = make()
    _theta, pi = some_policy(env)
    truth = np.zeros(env.num_states)
    for probability, steps in walks(env, pi):
        for t, step in enumerate(steps):
            truth[step[0]] += probability * gamma**t
    np.testing.assert_allclose(exact.visits(env, pi, gamma), truth, atol=1e-12)


def test_value_of_a_reward_of_one_for_ever():
    env = pg.envs.TabularEnv([[[1.0]]], [[[1.0]]], [False], [1.0], max_steps=10)
    assert exact.state_values(env, [[1.0]], 0.9) == pytest.approx([10.0])
    rows = exact.state_values(env, [[1.0]], 0.9, horizon=10)[:, 0]
    np.testing.assert_allclose(rows, [(1 - 0.9**h) / (1 - 0.9) for h in range(11)])
    with pytest.raises(ValueError, match="never leads to an end"):
        exact.state_values(env, [[1.0]], 1.0)


@pytest.mark.parametrize("right", [0.5, 0.3, 0.8])
def test_gamblers_ruin(right):
    """Probability of reaching the goal first, for a walk on 0..n (Feller 1968, chapter XIV)."""
    n, odds = 6, (1 - right) / right
    env = pg.envs.Corridor(length=n + 1, goal_reward=1, pit_reward=0, step_reward=0)
    pi = np.tile([1 - right, right], (n + 1, 1))
    i = np.arange(1, n)
    truth = i / n if right == 0.5 else (1 - odds**i) / (1 - odds**n)
    np.testing.assert_allclose(exact.state_values(env, pi)[1:-1], truth, atol=1e-12)


def test_expected_length_of_a_fair_walk():
    """i (n - i) steps on average (Feller 1968, chapter XIV)."""
    env = pg.envs.Corridor(length=7, goal_reward=0, pit_reward=0, step_reward=1, max_steps=3000)
    pi = np.full((7, 2), 0.5)
    i = np.arange(1, 6)
    np.testing.assert_allclose(exact.state_values(env, pi)[1:-1], i * (6 - i), atol=1e-9)
    assert exact.visits(env, pi).sum() == pytest.approx(9, abs=1e-9)


def test_a_state_that_may_get_lost_is_noticed():
    """State 1 ends or falls into state 2, which never ends."""
    transitions = np.zeros((3, 1, 3))
    transitions[0, 0, [1, 0]] = 0.5
    transitions[1, 0, [2, 0]] = 0.5
    transitions[2, 0, 2] = 1.0
    env = pg.envs.TabularEnv(
        transitions, np.ones((3, 1, 3)), [True, False, False], [0, 1, 0], max_steps=5
    )
    with pytest.raises(ValueError, match="never leads to an end"):
        exact.state_values(env, np.ones((3, 1)))
    assert np.isfinite(exact.state_values(env, np.ones((3, 1)), 0.99)).all()


@everywhere
@discounts
def test_action_values_average_to_state_values(make, gamma):
    env = make()
    _theta, pi = some_policy(env)
    horizons = [4] if env.num_states == 3 and gamma == 1 else [4, None]
    for horizon in horizons:
        state = exact.state_values(env, pi, gamma, horizon)
        action = exact.action_values(env, pi, gamma, horizon)
        assert action.shape == (*state.shape, env.num_actions)
        np.testing.assert_allclose((pi * action).sum(-1), state, atol=1e-10)


@pytest.mark.parametrize("env", [pg.envs.Grid(), pg.envs.Corridor()], ids=["grid", "corridor"])
def test_nothing_is_earned_after_the_end(env):
    _theta, pi = some_policy(env)
    assert not exact.state_values(env, pi)[env.terminal].any()
    assert not exact.state_values(env, pi, horizon=3)[:, env.terminal].any()


def test_action_values_by_hand():
    env = pg.envs.Corridor(length=4, first=1, step_reward=-1)
    pi = np.tile([0.0, 1.0], (4, 1))  # always right: from cell 1 the goal is two steps away
    values = exact.action_values(env, pi, gamma=0.5)
    np.testing.assert_allclose(values[1], [-11, -1 + 0.5 * 9])
    np.testing.assert_allclose(values[2], [-1 + 0.5 * (-1 + 0.5 * 9), 9])
    np.testing.assert_allclose(exact.action_values(env, pi, 0.5, horizon=1)[1, 1], [-11, -1])


def test_endless_values_are_the_limit_of_long_horizons():
    env = pg.envs.Grid(slip=0.2)
    _theta, pi = some_policy(env)
    long = exact.state_values(env, pi, 0.95, horizon=2000)[-1]
    np.testing.assert_allclose(exact.state_values(env, pi, 0.95), long, atol=1e-10)


# Gradient


@everywhere
@discounts
def test_policy_gradient_is_the_slope_of_the_objective(make, gamma):
    env = make()
    theta, pi = some_policy(env)
    slopes = np.zeros_like(theta)
    for entry in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[entry] = 1e-5
        up, down = (exact.objective(env, table_of(theta + s), gamma) for s in (step, -step))
        slopes[entry] = (up - down) / 2e-5
    np.testing.assert_allclose(exact.policy_gradient(env, pi, gamma), slopes, atol=1e-8)


def test_policy_gradient_agrees_with_autograd_through_every_trajectory():
    torch = pytest.importorskip("torch")
    env = tiny(max_steps=4)
    theta, pi = some_policy(env)
    logits = torch.tensor(theta, requires_grad=True)
    logp = torch.log_softmax(logits, 1)
    objective = 0.0
    for probability, traj in exact.enumerate_trajectories(env, pi):
        taken = logp[torch.as_tensor(traj.states), torch.as_tensor(traj.actions)].sum()
        chance_of_world = probability / float(taken.exp().detach())
        weight = 0.9 ** np.arange(len(traj)) @ traj.rewards
        objective = objective + chance_of_world * taken.exp() * weight
    objective.backward()
    found = exact.policy_gradient(env, pi, 0.9)
    np.testing.assert_allclose(found, logits.grad.numpy(), atol=1e-12)


# The optimum


def best_by_brute_force(env, gamma):
    """Best objective over all deterministic stationary policies."""
    choices = itertools.product(range(env.num_actions), repeat=env.num_states)
    tables = (np.eye(env.num_actions)[list(choice)] for choice in choices)
    return max(exact.objective(env, pi, gamma) for pi in tables)


@pytest.mark.parametrize("name", ["tiny", "bandit", "contexts", "corridor", "slippery"])
@discounts
def test_best_stationary_is_the_best(name, gamma):
    env = ENVS[name]()
    best = exact.best_stationary(env, gamma)
    assert best >= best_by_brute_force(env, gamma) - 1e-9
    assert best <= exact.optimal_objective(env, gamma) + 1e-12
    pi = exact.best_policy(env, gamma)
    assert exact.objective(env, pi, gamma) == best


@pytest.mark.parametrize(
    "env",
    [
        pg.envs.Bandit(),
        pg.envs.ContextualBandit(),
        pg.envs.Corridor(),
        pg.envs.Corridor(goal=0, length=9),
        pg.envs.Grid(),
        pg.envs.Grid(goal=(0, 3), action_order=[3, 1, 0, 2]),
        pg.envs.TokenEnv(),
        pg.envs.TokenEnv(prompts=("the cat", "the dog", "a"), max_length=3),
    ],
    ids=lambda env: type(env).__name__,
)
@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_no_clock_is_needed_in_the_packages_environments(env, gamma):
    best = exact.best_stationary(env, gamma)
    assert best == pytest.approx(exact.optimal_objective(env, gamma), abs=1e-9)


def test_known_optima():
    assert exact.best_stationary(pg.envs.Bandit([1, 5, 2])) == 5
    env = pg.envs.ContextualBandit([[1, 4], [6, 2]])
    assert exact.best_stationary(env) == 5
    assert exact.best_stationary(pg.envs.Corridor()) == pytest.approx(9.7)
    assert exact.best_stationary(pg.envs.Grid(), 0.9) == pytest.approx(
        10 * 0.9**5 - 0.1 * sum(0.9**t for t in range(6))
    )
    assert exact.best_stationary(pg.envs.TokenEnv()) == 10


@pytest.mark.parametrize("pay", [0.0, 0.2, 0.4, 0.6, 0.9])
def test_without_a_clock_the_best_policy_may_have_to_mix(pay):
    """One state, two steps: action 0 pays `pay` and stays, action 1 pays 1 and ends.

    With a clock: first 0, then 1, together 1 + pay. Without one, where p is the probability of
    action 0: J(p) = 1 + pay p - (1 - pay) p^2, highest at p = pay / (2 (1 - pay)), or at 1.
    """
    transitions = np.zeros((2, 2, 2))
    transitions[0, 0, 0] = transitions[0, 1, 1] = 1.0
    transitions[1, :, 1] = 1.0
    rewards = np.zeros((2, 2, 2))
    rewards[0, 0, 0], rewards[0, 1, 1] = pay, 1.0
    env = pg.envs.TabularEnv(transitions, rewards, [False, True], [1.0, 0.0], max_steps=2)
    p = min(pay / (2 * (1 - pay)), 1.0)
    best = 1 + pay * p - (1 - pay) * p**2
    assert exact.optimal_objective(env) == pytest.approx(1 + pay)
    assert exact.best_stationary(env) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    "env",
    [
        pg.envs.Grid(step_reward=0.0),
        pg.envs.Grid(step_reward=0.0, goal=(0, 3), action_order=[1, 3, 0, 2]),
        pg.envs.Corridor(length=9, step_reward=0.0),
        pg.envs.Corridor(goal=0, step_reward=0.0),
    ],
)
def test_ties_between_now_and_later_do_not_end_in_never(env):
    assert exact.best_stationary(env) == pytest.approx(10, abs=1e-9)


def test_a_stationary_policy_that_is_paid_to_linger_mixes():
    """Lingering pays 0.6 a step, so that a clock earns 20 * 0.6 + 10; a table cannot count.

    Going to the goal and staying before it with the best constant probability is within reach;
    neither lingering for ever (12) nor going straight (13.6) is as good.
    """
    env = pg.envs.Grid(step_reward=0.6)
    assert exact.optimal_objective(env) == pytest.approx(22)
    straight = exact.best_policy(pg.envs.Grid())
    before = env.cells.tolist().index([2, 3])
    found = []
    for stay in np.linspace(0, 1, 51):
        pi = straight.copy()
        pi[before] = [0, stay, 1 - stay, 0]  # against the wall, or down into the goal
        pi[env.cells.tolist().index([3, 2])] = [0, 1 - stay, stay, 0]
        found.append(exact.objective(env, pi))
    assert max(found) > 14
    assert max(found) <= exact.best_stationary(env) <= 22


# Divergence and bad input


def test_kl_in_closed_form():
    pi, ref = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    first = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert exact.kl(pi, ref) == pytest.approx((first + np.log(2)) / 2)
    assert exact.kl(pi, ref, [3, 1]) == pytest.approx((3 * first + np.log(2)) / 4)
    assert exact.kl(pi, pi) == 0
    assert exact.kl(ref, pi) == np.inf
    assert exact.kl(ref, pi, [1, 0]) == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5))
    for weights in ([1], [0, 0]):
        with pytest.raises(ValueError, match="positive sum"):
            exact.kl(pi, ref, weights)


@pytest.mark.parametrize(
    "pi",
    [np.full((2, 3), 1 / 3), np.full((3, 2), 0.6), [[1.5, -0.5]] * 3, np.full((3, 2), np.nan)],
    ids=["shape", "sum", "negative", "nan"],
)
@pytest.mark.parametrize(
    "function",
    [
        exact.objective,
        exact.state_values,
        exact.action_values,
        exact.policy_gradient,
        exact.visits,
        lambda env, pi: list(exact.enumerate_trajectories(env, pi)),
        lambda env, pi: exact.gradient_moments(env, pi, "return"),
    ],
)
def test_what_is_no_policy_is_refused(function, pi):
    with pytest.raises(ValueError, match="pi must"):
        function(tiny(), pi)


def test_a_policy_in_single_precision_is_taken():
    env = pg.envs.Grid()
    _theta, pi = some_policy(env)
    rough = exact.objective(env, pi.astype(np.float32))
    assert rough == pytest.approx(exact.objective(env, pi), abs=1e-4)
