"""Lesson 01: what its text claims, its checks' truths, and the cost of a single mistake."""

import itertools
import math

import numpy as np
import pytest
import torch

import policy_gradients as pg
from bank import load
from bank.judge import told
from grader.checking import seed_of
from grader.checks import lesson_01
from grader.checks.lesson_01 import gradients, learning, loss, policy, rollout
from grader.checks.shared import episodes, tabular
from grader.probes import runtime
from grader.probes.inputs import Trajectory
from tests.solved import replaced, solutions, verdicts

NAMES = [exercise.name for exercise in lesson_01.EXERCISES]
SOLVED = solutions("01_reinforce")
softmax, log_prob, play = SOLVED["softmax"], SOLVED["log_prob"], SOLVED["rollout"]
reinforce_gradient, train = SOLVED["reinforce_gradient"], SOLVED["train_reinforce"]


def nudged(function, theta, h=1e-6):
    """Derivative of function(theta) by central differences."""
    found = np.zeros(theta.shape)
    for entry in np.ndindex(theta.shape):
        step = np.zeros(theta.shape)
        step[entry] = h
        found[entry] = (function(theta + step) - function(theta - step)) / (2 * h)
    return found


# The checks as a whole


@pytest.mark.parametrize("seed", [0, 4711])
def test_the_solutions_pass_every_check(seed):
    found = verdicts(SOLVED, NAMES, seed)
    assert not [verdict.text() for verdict in found.values() if not verdict.passed]


# Wrong answers of which a later exercise's solution makes use, values and gradients.
SINGLE_MISTAKES = [
    ("softmax", "over_everything"),
    ("softmax", "naive"),
    ("softmax", "exponentials"),
    ("log_prob", "cross_entropy"),
    ("rollout", "greedy"),
    ("rollout", "terminated_only"),
    ("rollout", "reset_with_one_seed"),
    ("rollout", "rewards_one_late"),
    ("rollout", "bare_tuple"),
    ("discounted_return", "reversed_powers"),
    ("discounted_return", "mean"),
    ("discounted_return", "terms"),
    ("grad_log_prob", "sign_flipped"),
    ("grad_log_prob", "row_only"),
    ("reinforce_gradient", "descent_direction"),
    ("reinforce_loss", "objective"),
    ("reinforce_loss", "n_by_n"),
    ("reinforce_loss", "probabilities"),
    ("reinforce_loss", "through_numpy"),
    ("reinforce_loss", "a_float"),
]


@pytest.mark.parametrize("name, label", SINGLE_MISTAKES)
def test_one_mistake_costs_one_exercise(name, label):
    (entry,) = [e for e in load() if e.exercise == name and e.label == label and e.mistake]
    found = verdicts(replaced(SOLVED, **{name: entry.answer}), NAMES)
    assert [n for n, verdict in found.items() if not verdict.passed] == [name]


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("q_")])
def test_an_exercise_left_out_costs_its_own_points_alone(name):
    namespace = replaced(SOLVED)
    exec(f"def {name}(*args, **kwargs):\n    raise NotImplementedError", namespace)
    found = verdicts(namespace, NAMES)
    assert [n for n, verdict in found.items() if not verdict.passed] == [name]
    assert found[name].mistake == "not-written"


def test_two_mistakes_cost_two_exercises():
    wrong = {entry.label: entry.answer for entry in load() if entry.mistake}
    answers = {"rollout": wrong["greedy"], "reinforce_loss": wrong["objective"]}
    found = verdicts(replaced(SOLVED, **answers), NAMES)
    assert [n for n, verdict in found.items() if not verdict.passed] == list(answers)


def test_a_wrong_training_loop_is_not_saved_by_wrong_helpers():
    wrong = {entry.id: entry.answer for entry in load()}
    answers = {
        "reinforce_loss": wrong["reinforce_loss-wrong-objective"],
        "train_reinforce": wrong["train_reinforce-wrong-piling_up"],
    }
    found = verdicts(replaced(SOLVED, **answers), NAMES)
    assert found["train_reinforce"].mistake == "gradients-pile-up"


DRAWS_FROM_LISTS = """
def softmax(logits):
    return np.exp(logits)


def rollout(env, theta, rng):
    states, actions, rewards, over = [], [], [], False
    rows, (state, _info) = softmax(theta).tolist(), env.reset()
    while not over:
        action = rng.choice(len(rows[state]), p=rows[state])
        following, reward, ended, cut, _info = env.step(action)
        states, actions, rewards = [*states, state], [*actions, action], [*rewards, reward]
        state, over = following, ended or cut
    return pg.Trajectory(states, actions, rewards)
"""


def test_a_rollout_that_draws_from_lists_is_right_beside_a_wrong_softmax():
    """The policy that trains holds 32-bit numbers. Probabilities in a list have to add up in 64."""
    namespace = replaced(SOLVED)
    exec(DRAWS_FROM_LISTS, namespace)
    found = verdicts(namespace, NAMES)
    assert [n for n, verdict in found.items() if not verdict.passed] == ["softmax"]


# Truths against something else than themselves


def test_truths_of_softmax_and_log_prob_agree_with_torch():
    rng = np.random.default_rng(0)
    for case in policy.log_prob_cases(rng):
        logits = np.array(getattr(case.inputs["logits"], "array", case.inputs["logits"]))
        logp = torch.log_softmax(torch.tensor(logits), -1)
        np.testing.assert_allclose(policy.softmax_truth(logits), logp.exp(), atol=1e-12)
        actions = case.inputs["actions"]
        chosen = logp.gather(-1, torch.tensor(actions)[..., None])[..., 0]
        np.testing.assert_allclose(policy.log_prob_truth(logits, actions), chosen, rtol=1e-12)


def test_truth_of_grad_log_prob_agrees_with_differences():
    theta = np.random.default_rng(1).normal(size=(3, 4))
    truth = gradients.grad_log_prob_truth(theta, 1, 2)
    np.testing.assert_allclose(
        truth, nudged(lambda t: policy.log_prob_truth(t[1], np.array(2)), theta), atol=1e-8
    )


def test_truth_of_reinforce_gradient_averages_to_the_exact_gradient():
    env = pg.envs.Corridor(length=4, max_steps=5)
    theta = np.random.default_rng(2).normal(size=(4, 2))
    pi, gamma = episodes.softmax(theta), 0.8
    mean = sum(
        p * gradients.reinforce_gradient_truth(theta, [tau], gamma)
        for p, tau in pg.exact.enumerate_trajectories(env, pi)
    )
    np.testing.assert_allclose(mean, pg.exact.policy_gradient(env, pi, gamma), atol=1e-10)


def test_truth_of_reinforce_loss_agrees_with_differences():
    logp, returns = -np.random.default_rng(3).exponential(size=(3, 4)), np.array([1.0, -2.0, 5.0])
    truth = loss.reinforce_loss_truth(logp, returns)
    found = nudged(lambda x: float(loss.reinforce_loss_truth(x, returns).value), logp)
    np.testing.assert_allclose(truth.gradients["logp"], found, atol=1e-6)


def test_forms_of_the_training_gradient_agree_with_autograd():
    rng = np.random.default_rng(4)
    env, theta = pg.envs.Grid(size=3, pits=[(1, 1)]), rng.normal(size=(9, 4))
    batch = [play(env, theta, rng) for _ in range(5)]
    played = [episodes.Episode(t.states, t.actions, t.rewards, "terminated", 0) for t in batch]
    records = [Trajectory(t.states, t.actions, t.rewards) for t in batch]
    np.testing.assert_allclose(
        learning.RIGHT[0](theta, played) / 5,
        -gradients.reinforce_gradient_truth(theta, records),
        atol=1e-10,
    )
    table = torch.tensor(theta, requires_grad=True)
    pi = torch.softmax(table, -1)
    (-sum(t.rewards.sum() * pi[t.states, t.actions].sum() for t in batch)).backward()
    form = {name: form for name, _hint, form in learning.WRONG}["probability-not-log"]
    np.testing.assert_allclose(form(theta, played), table.grad, atol=1e-10)


# Honest draws


def test_bets_are_a_probability_distribution_over_all_sequences():
    """So the gambler's expected gain is one, and Ville's inequality bounds false alarms."""
    obs = np.array([0, 0, 1, 0])
    sequences = [np.array(s) for s in itertools.product(range(3), repeat=len(obs))]
    total = sum(
        math.exp(np.log(episodes.learned_probabilities(obs, s, 3)).sum()) for s in sequences
    )
    assert total == pytest.approx(1.0)


def test_honest_draws_are_never_called_wrong():
    rng = np.random.default_rng(5)
    for _ in range(300):
        obs = rng.integers(4, size=400)
        pi = episodes.softmax(rng.normal(size=(4, 3)) * rng.uniform(0, 4))[obs]
        actions = (pi.cumsum(1) < rng.random((400, 1))).sum(1)
        assert episodes.sampling_problem(obs, actions, pi) is None


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_draws_at_another_temperature_are_told(temperature):
    rng = np.random.default_rng(6)
    obs, logits = rng.integers(3, size=1500), np.array([[3.0, 0.0], [0.0, 4.0], [-2.0, 2.0]])
    actions = (rng.random(1500) < episodes.softmax(logits / temperature)[obs, 1]).astype(int)
    problem = episodes.sampling_problem(obs, actions, episodes.softmax(logits)[obs])
    assert problem.mistake == "frequencies"


def test_draws_from_softmax_of_probabilities_are_told():
    rng = np.random.default_rng(6)
    obs, logits = rng.integers(3, size=1500), np.array([[3.0, 0.0], [0.0, 4.0], [-2.0, 2.0]])
    twice = episodes.softmax(episodes.softmax(logits))
    actions = (rng.random(1500) < twice[obs, 1]).astype(int)
    assert episodes.sampling_problem(obs, actions, episodes.softmax(logits)[obs]).mistake == (
        "softmax-twice"
    )


def test_training_environments_differ_and_can_be_solved():
    drawn = [tabular.training_env(np.random.default_rng(seed)) for seed in range(30)]
    assert len({repr(env.kwargs) for env in drawn}) == 30
    for record in drawn:
        env = episodes.environment(record)
        assert pg.exact.best_stationary(env) > 9
        even = episodes.exact_share(env, np.zeros((9, 4)))
        assert even < 0.5, "a policy that knows nothing is far from the mark"


def test_no_fixed_weights_reach_the_mark_everywhere():
    env = tabular.training_env(np.random.default_rng(0))
    ready = np.log(pg.exact.best_policy(episodes.environment(env)) + 1e-6)
    others = [tabular.training_env(np.random.default_rng(seed)) for seed in range(1, 40)]
    passed = [episodes.exact_share(episodes.environment(other), ready) >= 0.9 for other in others]
    assert episodes.exact_share(episodes.environment(env), ready) > 0.99 and sum(passed) <= 2


def test_hidden_cases_hang_on_the_seed():
    one, same, other = (rollout.rollout_cases(seed_of("rollout", seed)) for seed in (1, 1, 2))
    for case, again, changed in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(case.inputs["theta"], again.inputs["theta"])
        assert case.inputs["rng"] == again.inputs["rng"] != changed.inputs["rng"]


def test_a_malformed_report_is_no_crash():
    exercise = learning.TRAIN_REINFORCE
    cases = exercise.cases(seed_of(exercise.name, 0))
    nothing = {"value": {"kind": "none"}, "modules": {}, "optimizers": {}, "envs": {}}
    for one in (nothing, {}, {"envs": {"env": {"late": 3}}}):
        verdict = exercise.judge(cases, [one] * len(cases))
        assert not verdict.passed and verdict.step == "reply"


def test_a_rollouts_columns_that_do_not_add_up_are_no_crash():
    exercise = rollout.ROLLOUT
    cases = exercise.cases(seed_of(exercise.name, 0))
    (right, *others) = runtime.run({"rollout": play}, "rollout", exercise.request(cases))
    assert exercise.judge(cases, [right, *others]).passed
    columns = right["trajectories"]
    for wrong in (
        {"lengths": columns["lengths"][:-1]},
        {"lengths": -columns["lengths"]},
        {"lengths": columns["lengths"] * 1.5},
        {"lengths": "many"},
        {"states": columns["states"][:-1]},
        {"rewards": None},
    ):
        reported = right | {"trajectories": columns | wrong}
        assert not exercise.judge(cases, [reported, *others]).passed, wrong


def test_what_a_rollout_returned_is_seen_as_it_was_then():
    """Whoever changes a trajectory at the next call, or returns the same one again."""
    kept = []

    def later(env, theta, rng):
        for one in kept:
            one.rewards[:] = 100.0
        kept.append(play(env, theta, rng))
        return kept[-1]

    def first(env, theta, rng):
        kept.append(play(env, theta, rng))
        return kept[0]

    assert verdicts(replaced(SOLVED, rollout=later), ["rollout"])["rollout"].passed
    kept.clear()
    assert not verdicts(replaced(SOLVED, rollout=first), ["rollout"])["rollout"].passed


def test_one_odd_result_among_trajectories_is_told():
    calls = itertools.count()

    def now_and_then(env, theta, rng):
        found = play(env, theta, rng)
        return found if next(calls) % 4 else (found.states, found.actions, found.rewards)

    told = verdicts(replaced(SOLVED, rollout=now_and_then), ["rollout"])["rollout"]
    assert told.mistake == "no-trajectory"


# What the text says


def test_the_uniform_policy_in_the_corridor():
    env = pg.envs.Corridor()
    J = pg.exact.objective(env, np.full((7, 2), 0.5))
    assert -1.0 < J < -0.7
    rng = np.random.default_rng(1)
    returns = np.array([play(env, np.zeros((7, 2)), rng).rewards.sum() for _ in range(2000)])
    assert (np.abs(returns - J) < 1).mean() < 0.01, "hardly any episode comes near it"
    assert (np.abs(returns) > 7).mean() > 0.85


def test_c1_the_formula_summed_over_all_trajectories_is_the_gradient():
    env = pg.envs.Corridor(length=5, max_steps=8)
    theta = 0.5 * np.random.default_rng(2).normal(size=(5, 2))
    listed = list(pg.exact.enumerate_trajectories(env, softmax(theta)))
    assert len(listed) == 46
    exact = sum(p * reinforce_gradient(theta, [tau]) for p, tau in listed)
    found = nudged(lambda t: pg.exact.objective(env, softmax(t)), theta)
    np.testing.assert_allclose(exact, found, atol=1e-6)


def test_c1_the_estimate_converges_with_slope_one_half():
    env = pg.envs.Corridor(length=5, max_steps=8)
    theta = 0.5 * np.random.default_rng(2).normal(size=(5, 2))
    exact = pg.exact.policy_gradient(env, softmax(theta))
    rng = np.random.default_rng(8)
    batch = [play(env, theta, rng) for _ in range(6400)]
    each = np.array([reinforce_gradient(theta, [tau]) for tau in batch])
    sizes = np.array([4, 16, 64, 128])
    distances = [
        np.sqrt(((each.reshape(-1, n, 5, 2).mean(1) - exact) ** 2).sum((1, 2)).mean())
        for n in sizes
    ]
    slope = np.polyfit(np.log(sizes), np.log(distances), 1)[0]
    assert -0.58 < slope < -0.42
    moments = pg.exact.gradient_moments(env, softmax(theta), "return")
    np.testing.assert_allclose(distances[0], math.sqrt(moments.total_variance / 4), rtol=0.05)


def test_c2_by_hand_equals_autograd_and_nears_the_exact_gradient():
    env = pg.envs.Corridor()
    theta = np.random.default_rng(2).normal(size=(7, 2))
    rng = np.random.default_rng(11)
    batch = [play(env, theta, rng) for _ in range(500)]
    table = pg.TabularPolicy(7, 2).double()
    table.theta.data = torch.tensor(theta)
    returns = torch.tensor([t.rewards.sum() for t in batch], dtype=torch.float64)
    SOLVED["reinforce_loss"](pg.padded_logp(table, batch), returns).backward()
    by_hand = reinforce_gradient(theta, batch)
    np.testing.assert_allclose(by_hand, -table.theta.grad.numpy(), rtol=0, atol=1e-10)
    exact = pg.exact.policy_gradient(env, softmax(theta))
    assert 0.01 < np.linalg.norm(by_hand - exact) / np.linalg.norm(exact) < 0.2


def trained(env, seed, updates, size):
    table = pg.TabularPolicy(env.num_states, env.num_actions)
    optimizer = torch.optim.Adam(table.parameters(), lr=0.1)
    history = train(env, table, optimizer, updates, size, np.random.default_rng(seed))
    return table.theta.detach().numpy(), history


@pytest.mark.parametrize("seed", range(5))
def test_all_five_seeds_learn_the_grid(seed):
    env = pg.envs.Grid()
    theta, history = trained(env, seed, 80, 16)
    assert pg.exact.objective(env, softmax(theta)) > 8
    assert history[:10].mean() < -4 and history[-10:].mean() > 8


def test_the_loss_rises_while_the_policy_gets_better():
    env, rng = pg.envs.Grid(), np.random.default_rng(9)
    table = pg.TabularPolicy(16, 4)
    optimizer = torch.optim.Adam(table.parameters(), lr=0.1)
    losses, objectives = [], []
    for _ in range(5):
        theta = table.theta.detach().numpy().copy()
        batch = [play(env, theta, rng) for _ in range(100)]
        returns = torch.tensor([t.rewards.sum() for t in batch], dtype=torch.float32)
        losses.append(SOLVED["reinforce_loss"](pg.padded_logp(table, batch), returns).item())
        objectives.append(pg.exact.objective(env, softmax(theta)))
        train(env, table, optimizer, 16, 16, rng)
    assert objectives == sorted(objectives) and objectives[-1] > objectives[0] + 10
    assert losses[0] < -50 and losses[-1] > 20


def test_positive_returns_teach_the_best_arm():
    env = pg.envs.Bandit(means=(1.0, 2.0, 3.0), noise=0.0)
    gradient = pg.exact.policy_gradient(env, np.full((1, 3), 1 / 3))
    np.testing.assert_allclose(gradient, [[-1 / 3, 0, 1 / 3]])
    ends = [softmax(trained(env, seed, 60, 16)[0])[0] for seed in range(10)]
    assert min(pi[2] for pi in ends) > 0.9


def test_right_steps_meet_better_ends_in_every_cell():
    env, rng = pg.envs.Corridor(), np.random.default_rng(3)
    count, total = np.zeros((7, 2)), np.zeros((7, 2))
    for _ in range(3000):
        t = play(env, np.zeros((7, 2)), rng)
        np.add.at(count, (t.states, t.actions), 1)
        np.add.at(total, (t.states, t.actions), t.rewards.sum())
    mean = total[1:6] / count[1:6]
    assert (mean[:, 1] > mean[:, 0] + 2).all()


def test_the_same_function_learns_to_write():
    env = pg.envs.TokenEnv()
    theta, history = trained(env, 0, 100, 32)
    assert history[0] < 0 and pg.exact.objective(env, softmax(theta)) > 9


def test_the_loss_is_cross_entropy_on_ones_own_actions_weighted_by_the_return():
    env, rng = pg.envs.Grid(), np.random.default_rng(4)
    table = pg.TabularPolicy(16, 4).double()
    table.theta.data = torch.tensor(rng.normal(size=(16, 4)))
    batch = [play(env, table.theta.detach().numpy(), rng) for _ in range(9)]
    returns = torch.tensor([t.rewards.sum() for t in batch])
    entropies = [
        torch.nn.functional.cross_entropy(table(t.states), torch.tensor(t.actions), reduction="sum")
        for t in batch
    ]
    weighted = (returns * torch.stack(entropies)).mean()
    loss = SOLVED["reinforce_loss"](pg.padded_logp(table, batch), returns)
    torch.testing.assert_close(loss, weighted, rtol=1e-12, atol=0)
    for one in (loss, weighted):
        table.theta.grad = None
        one.backward()
        gradient = table.theta.grad.numpy().copy()
        by_hand = reinforce_gradient(table.theta.detach().numpy(), batch)
        np.testing.assert_allclose(gradient, -by_hand, atol=1e-10)


def test_the_episodes_that_the_clock_ends_make_the_small_bar_at_minus_two():
    env, rng = pg.envs.Corridor(), np.random.default_rng(8)
    ends = [play(env, np.zeros((7, 2)), rng).rewards for _ in range(2000)]
    cut = [rewards.sum() for rewards in ends if abs(rewards[-1]) < 1]
    assert 0.04 < len(cut) / len(ends) < 0.13
    np.testing.assert_allclose(cut, -2.0)


# The helper package's part


def test_padded_logp_is_zero_where_nothing_was_played():
    table = pg.TabularPolicy(3, 2).double()
    table.theta.data = torch.tensor(np.random.default_rng(0).normal(size=(3, 2)))
    batch = [pg.Trajectory([0, 1, 2], [1, 0, 1], [0, 0, 1]), pg.Trajectory([2], [0], [5])]
    logp = pg.padded_logp(table, batch)
    theta = table.theta.detach().numpy()
    expected = np.zeros((2, 3))
    expected[0] = log_prob(theta, np.array([1, 0, 1]))
    expected[1, 0] = log_prob(theta[2], np.array(0))
    np.testing.assert_allclose(logp.detach(), expected, atol=1e-12)
    logp[1, 1:].sum().backward()
    assert not table.theta.grad.any()


def test_a_seed_drawn_from_a_generator_is_a_seed():
    env, draw = pg.envs.ContextualBandit(), np.random.default_rng(0).integers(2**31)
    assert isinstance(draw, np.integer)
    first = [env.reset(seed=draw)[0], env.step(0)[1]]
    assert [env.reset(seed=int(draw))[0], env.step(0)[1]] == first
    with pytest.raises(TypeError):
        env.reset(seed=1.5)


def test_figures_show_the_numbers_that_they_are_given():
    ax = pg.plots.gradients(["a", "b"], [1.0, -1.0], {"by hand": [1.1, -0.9], "auto": [1.1, -0.9]})
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert drawn["by hand"] == drawn["auto"] == [1.1, -0.9]
    upper, lower = pg.plots.loss_and_return([3.0, 1.0], [0.0, 2.0])
    assert list(upper.get_lines()[0].get_ydata()) == [3.0, 1.0]
    assert list(lower.get_lines()[0].get_ydata()) == [0.0, 2.0]
    ax = pg.plots.probabilities(np.array([[[0.5, 0.5], [0.2, 0.8]]] * 2), ["x", "y"])
    means = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert means["x"] == [0.5, 0.2] and means["y"] == [0.5, 0.8]
    ax = pg.plots.returns([-10.0, 10.0, 10.0], 3.3)
    assert sum(bar.get_height() for bar in ax.patches) == 3
    assert "3.30" in ax.texts[0].get_text()


def test_tables_and_batches_follow_the_updates():
    exercise = learning.TRAIN_REINFORCE
    case = exercise.cases(seed_of(exercise.name, 0))[0]
    from grader.probes import runtime

    (seen,) = runtime.run(SOLVED, exercise.name, {**exercise.request([case]), "seconds": 0})
    sizes = [len(batch) for batch in tabular.batches(case, seen)]
    assert sizes == [case.inputs["batch_size"]] * case.inputs["num_updates"]
    tables = tabular.tables(case, seen)
    np.testing.assert_array_equal(tables[0], seen["modules"]["policy"]["before"]["theta"])
    after = seen["modules"]["policy"]["after"]["theta"]
    np.testing.assert_allclose(tables[-1], after, atol=1e-5)  # the steps, taken again
    assert len(tables) == case.inputs["num_updates"] + 1


@pytest.mark.parametrize(
    ("answer", "mistake", "seeds"),
    [
        ("sharpened", "argmax", (5,)),
        ("warmer", "temperature", (2,)),
        ("generator_made_anew", "same-seed", (1, 4, 9)),
        ("softmax_of_softmax", "softmax-twice", (1,)),
        ("one_in_ten_at_random", "random-actions", (1, 3)),
    ],
)
def test_what_is_wrong_with_draws_is_named_whatever_was_drawn(answer, mistake, seeds):
    """In one case alone these draws fit another deviation as well; all cases together tell."""
    entry = next(e for e in load() if e.id == f"rollout-wrong-{answer}")
    assert [told(entry, seed)[1] for seed in seeds] == [mistake] * len(seeds)


def test_nearly_equal_actions_are_no_argmax():
    """Where all actions are as likely as the likeliest, whatever was drawn is honest."""
    rng = np.random.default_rng(0)
    even = np.full((500, 4), 0.25) + rng.normal(size=(500, 1)) * 0
    actions = rng.integers(4, size=500)
    assert not episodes.always_likeliest(actions, even)
    close_to_even = np.tile([0.5001, 0.4999], (500, 1))
    assert not episodes.always_likeliest(rng.integers(2, size=500), close_to_even)
    assert episodes.always_likeliest(np.zeros(500, int), np.tile([0.7, 0.3], (500, 1)))
