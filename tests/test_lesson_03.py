"""What lesson 03 claims, and its checks' truths against something else than themselves."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.checks.judge import run_check
from grader.checks.lesson_01.learning import TRAIN_REINFORCE
from grader.checks.lesson_03 import (
    EXERCISES,
    baselines,
    critic,
    gae,
    learning,
    leave_one_out,
    optimal_baseline,
    td_errors,
)
from grader.checks.registry import get
from grader.probes import runtime
from tests.lesson_code import solved
from tests.pages import pictured

LESSON = solved("03_baseline_critic")


@pytest.fixture(scope="module")
def corridor():
    """env, logits, probabilities and all its episodes."""
    env = pg.envs.Corridor(length=5, max_steps=7)
    theta = np.random.default_rng(1).normal(size=(5, 2))
    chances, episodes = zip(
        *pg.exact.enumerate_trajectories(env, LESSON["softmax"](theta)), strict=True
    )
    return env, theta, np.array(chances), episodes


def board(**how):
    env = pg.envs.Grid(**how)
    best = pg.exact.best_policy(env)
    return env, {"nothing": np.full(best.shape, 0.25), "half": 0.5 * best + 0.125}


def total_variance(env, pi, name, **how):
    return pg.exact.gradient_moments(env, pi, name, **how).total_variance


def one_column(env, traj, values):
    """td_errors' and gae's arrays (T, 1) of one episode without random steps."""
    last = env.transitions[traj.states[-1], traj.actions[-1]].argmax()
    following = np.append(traj.states[1:], last)
    terminated = env.terminal[following]
    truncated = np.arange(len(traj)) == len(traj) - 1
    rows = traj.rewards, values[traj.states], values[following], terminated, truncated & ~terminated
    return [np.asarray(row)[:, None] for row in rows]


# Truths


def test_any_state_baseline_leaves_the_truths_mean_alone(corridor):
    env, theta, chances, episodes = corridor
    exact = pg.exact.policy_gradient(env, LESSON["softmax"](theta))
    for seed in range(3):
        baseline = np.random.default_rng(seed).normal(size=5) * 10
        samples = baselines.baseline_truth(theta, episodes, baseline)
        np.testing.assert_allclose(np.tensordot(chances, samples, 1), exact, atol=1e-12)


def test_truth_of_the_best_constant_is_the_best():
    rng = np.random.default_rng(3)
    scores, returns = rng.normal(size=(20, 4)), rng.normal(size=20) * 3 + 2
    best = optimal_baseline.optimal_truth(scores, returns)

    def width(b):
        return np.sum((scores * (returns - b)[:, None]) ** 2)

    assert all(width(best) <= width(best + step) for step in (-0.01, 0.01, -1, 1))


@pytest.mark.parametrize("size", [2, 3, 5])
def test_leave_one_out_truth_is_unbiased_in_a_bandit(size):
    arms, chance = np.array([0.0, 1.0, 5.0]), np.array([0.6, 0.3, 0.1])
    total = np.zeros(3)
    for batch in itertools.product(range(3), repeat=size):
        pulled = np.array(batch)
        weights = leave_one_out.leave_one_out_truth(arms[pulled])
        total += chance[pulled].prod() * weights @ (np.eye(3)[pulled] - chance) / size
    np.testing.assert_allclose(total, chance * (arms - chance @ arms), atol=1e-12)


def test_truths_of_the_losses_agree_with_autograd():
    rng = np.random.default_rng(0)
    logp, values, returns = (
        torch.tensor(rng.normal(size=6), requires_grad=grad) for grad in (True, True, False)
    )
    loss = torch.nn.functional.mse_loss(values, returns)
    truth = critic.value_loss_truth(values.detach().numpy(), returns.numpy())
    assert truth.value == pytest.approx(loss.item())
    found = torch.autograd.grad(loss, values)[0].numpy()
    np.testing.assert_allclose(truth.gradients["values"], found)
    both = -(logp * (returns - values).detach()).mean() + 0.3 * (values - returns).pow(2).mean()
    arrays = (x.detach().numpy() for x in (logp, values, returns))
    truth = critic.actor_critic_truth(*arrays, value_coef=0.3)
    assert truth.value == pytest.approx(both.item())
    found = torch.autograd.grad(both, (logp, values))
    np.testing.assert_allclose(truth.gradients["logp"], found[0].numpy())
    np.testing.assert_allclose(truth.gradients["values"], found[1].numpy())


def test_td_errors_of_the_exact_values_average_to_zero(corridor):
    """Expected TD error under the policy's own values is 0 in every state (Bellman)."""
    env, theta, _chances, _episodes = corridor
    pi = LESSON["softmax"](theta)
    values = pg.exact.state_values(env, pi, gamma=0.9)
    total = np.zeros(5)
    for s, a, n in np.argwhere(env.transitions > 0):
        columns = ([[x]] for x in (env.rewards[s, a, n], values[s], values[n], env.terminal[n]))
        error = td_errors.td_truth(*(np.array(x) for x in columns), 0.9)
        total[s] += pi[s, a] * env.transitions[s, a, n] * error[0, 0]
    np.testing.assert_allclose(total[~env.terminal], 0, atol=1e-12)


def test_gae_truth_at_its_limits(corridor):
    """lambda 0 is the TD error; lambda 1 telescopes to reward-to-go (plus what the clock cut off)
    minus the value."""
    env, _theta, _chances, episodes = corridor
    values = np.random.default_rng(0).normal(size=5)
    for traj in episodes:
        columns = one_column(env, traj, values)
        rewards, own, following, terminated, truncated = columns
        td = td_errors.td_truth(rewards, own, following, terminated, 0.9)
        adv = gae.gae_truth(*columns, gamma=0.9, lam=0.0)
        np.testing.assert_allclose(adv, td)
        left = np.arange(len(traj), 0, -1)
        cut = np.where(truncated[-1], following[-1], 0.0) * 0.9**left
        wanted = LESSON["reward_to_go"](traj.rewards, 0.9) + cut - own[:, 0]
        adv = gae.gae_truth(*columns, gamma=0.9, lam=1.0)
        np.testing.assert_allclose(adv[:, 0], wanted)


def test_gae_truth_averages_to_the_exact_estimate(corridor):
    """The expected gradient with truth's advantages is what dynamic programming says."""
    env, theta, chances, episodes = corridor
    pi, values = LESSON["softmax"](theta), np.array([1.0, -2.0, 0.5, 3.0, 1.0])
    zero = np.zeros(5)
    samples = []
    for traj in episodes:
        adv = gae.gae_truth(*one_column(env, traj, values), gamma=0.9, lam=0.6)[:, 0]
        fake = pg.Trajectory(traj.states, traj.actions, adv)
        samples.append(baselines.baseline_truth(theta, [fake], zero, gamma=0.0)[0])
    exact = pg.exact.gradient_moments(env, pi, "gae", gamma=0.9, values=values, lam=0.6)
    np.testing.assert_allclose(np.tensordot(chances, np.array(samples), 1), exact.mean, atol=1e-12)


def test_next_values_of_a_terminated_step_are_junk_and_of_a_cut_one_are_not():
    """The fixture holds what the two flags are to be told apart by."""
    fields = td_errors.told_apart()
    terminated, truncated = fields["terminated"], fields["truncated"]
    assert terminated.any() and truncated.any() and not (terminated & truncated).any()
    assert (fields["next_values"][terminated] == td_errors.JUNK).all()
    cut = np.argwhere(truncated[:-1])
    assert all(fields["next_values"][t, n] != fields["values"][t + 1, n] for t, n in cut)
    inside = ~(terminated | truncated)[:-1]
    same = fields["next_values"][:-1] == fields["values"][1:]
    assert same[inside].all()


# The check of the training


def test_the_budget_is_half_of_train_reinforces_episodes():
    ours = learning.train_actor_critic_cases(np.random.default_rng(0))
    theirs = TRAIN_REINFORCE.cases(np.random.default_rng(0))
    episodes = [
        max(case.inputs["num_updates"] * case.inputs["batch_size"] for case in cases)
        for cases in (ours, theirs)
    ]
    assert 2 * episodes[0] <= episodes[1]


def test_more_episodes_than_the_budget_are_told():
    def greedy_for_data(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
        history = LESSON["train_actor_critic"](
            env, policy, critic, optimizer, num_updates, 3 * batch_size, gamma, rng
        )
        return history

    verdict = judged("train_actor_critic", {**LESSON, "train_actor_critic": greedy_for_data})
    assert verdict.mistake == "batch-size"


@pytest.mark.parametrize("seed", range(5))
def test_the_lessons_training_reaches_the_mark_on_other_draws(seed):
    assert judged("train_actor_critic", LESSON, seed=seed).passed


# One mistake, one exercise


def judged(name, namespace, failed=(), seed=0):
    def probe(request, ask):
        return runtime.run(namespace, name, request, ask)

    return run_check(get(name), probe, seed, frozenset(failed))


@pytest.mark.parametrize(
    ("broken", "answer", "dependants"),
    [
        ("td_errors", lambda r, v, w, end, g: r + g * w - v, ["gae"]),
        ("value_loss", lambda v, r: ((v - r) ** 2).sum() * 3, ["actor_critic_loss"]),
        ("value_loss", lambda v, r: v.detach().mean(), ["actor_critic_loss"]),
        (
            "actor_critic_loss",
            lambda p, v, r, value_coef=0.5: (p * (r - v)).mean(),
            ["train_actor_critic"],
        ),
    ],
    ids=["td_errors", "value_loss", "value_loss detached", "actor_critic_loss"],
)
def test_a_wrong_prerequisite_costs_its_own_points_alone(broken, answer, dependants):
    """Value and gradient: the stand-in trains what it should."""
    notebook = solved.__wrapped__("03_baseline_critic")
    notebook[broken] = answer
    assert not judged(broken, notebook).passed
    for name in dependants:
        assert not judged(name, notebook).passed
        assert judged(name, notebook, failed=[broken]).passed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_a_check_survives_a_reply_of_any_shape(exercise):
    cases = exercise.cases(np.random.default_rng(0))
    for reply in ([], None, [{}] * len(cases), [{"value": {"kind": "array"}}] * len(cases)):
        assert not exercise.judge(cases, reply).passed


# Claims


def test_c4_the_estimate_is_unbiased_to_the_last_digits_for_any_state_baseline(corridor):
    env, theta, chances, episodes = corridor
    exact = pg.exact.policy_gradient(env, LESSON["softmax"](theta))
    for baseline in (np.zeros(5), np.full(5, 100.0), np.arange(5.0) ** 2):
        samples = LESSON["baseline_gradient_samples"](theta, episodes, baseline)
        assert np.abs(np.tensordot(chances, samples, 1) - exact).max() < 1e-12


def test_c4_a_baseline_that_sees_the_action_is_biased():
    env = pg.envs.Corridor(length=5, max_steps=8)
    pi = LESSON["softmax"](np.random.default_rng(1).normal(size=(5, 2)))
    exact = pg.exact.policy_gradient(env, pi)
    bonus = np.stack([np.zeros(5), np.ones(5)], axis=1)
    mean = pg.exact.gradient_moments(env, pi, "baseline", baseline=bonus).mean
    assert np.linalg.norm(mean - exact) > 0.3
    expected = pg.exact.action_values(env, pi)
    mean = pg.exact.gradient_moments(env, pi, "baseline", baseline=expected).mean
    assert np.linalg.norm(mean) < 0.01 * np.linalg.norm(exact)


def test_c4_a_constant_removes_four_fifths_of_the_beginners_variance():
    env, policies = board(max_steps=200)
    pi = policies["nothing"]
    mean = pg.exact.objective(env, pi)
    gain = total_variance(env, pi, "return", shift=-mean) / total_variance(env, pi, "return")
    assert 0.15 < gain < 0.25


@pytest.mark.parametrize(("size", "angle"), [(2, 31.6), (4, 28.5), (8, 20.3)])
def test_whitening_turns_the_expected_gradient(size, angle):
    arms, chance = np.array([0.0, 1.0, 5.0]), np.array([0.6, 0.3, 0.1])
    truth, total = chance * (arms - chance @ arms), np.zeros(3)
    for batch in itertools.product(range(3), repeat=size):
        pulled = np.array(batch)
        r = arms[pulled]
        weights = (r - r.mean()) / (r.std() + 1e-8)
        total += chance[pulled].prod() * weights @ (np.eye(3)[pulled] - chance) / size
    assert pg.plots.angles(total[None], truth)[0] == pytest.approx(angle, abs=0.1)


def test_the_textbook_order_holds_for_the_beginner_and_fails_for_the_second_policy():
    env, policies = board(max_steps=200)
    found = {}
    for name, pi in policies.items():
        value, mean = pg.exact.state_values(env, pi), pg.exact.objective(env, pi)
        found[name] = [
            total_variance(env, pi, "return"),
            total_variance(env, pi, "reward_to_go"),
            total_variance(env, pi, "baseline", baseline=np.full(16, mean)),
            total_variance(env, pi, "baseline", baseline=value),
            *(total_variance(env, pi, "gae", values=value, lam=lam) for lam in (0.95, 0.5, 0)),
        ]
    assert found["nothing"] == sorted(found["nothing"], reverse=True)
    assert found["nothing"][0] > 80 * found["nothing"][-1]
    whole, to_go, _mean, value, *gae = found["half"]
    assert value > whole > to_go and gae[0] < 0.7 * value and gae[2] < 0.2 * value
    assert round(value) == 483 and round(to_go) == 468


def test_on_the_short_board_the_mean_helps_whole_returns_more():
    env, policies = board()
    pi = policies["nothing"]
    mean = pg.exact.objective(env, pi)
    whole = total_variance(env, pi, "return", shift=-mean)
    to_go = total_variance(env, pi, "baseline", baseline=np.full(16, mean))
    assert round(whole) == 278 and round(to_go) == 314


def test_bias_falls_and_scatter_rises_with_lambda_for_a_wrong_critic():
    env, policies = board(max_steps=200)
    pi = policies["nothing"]
    exact = pg.exact.policy_gradient(env, pi)
    wrong = pg.exact.state_values(env, pi) + np.random.default_rng(1).normal(size=16) * 2
    lams = (0.0, 0.5, 0.8, 0.95, 1.0)
    points = [pg.exact.gradient_moments(env, pi, "gae", values=wrong, lam=lam) for lam in lams]
    bias = [np.linalg.norm(point.mean - exact) for point in points]
    scatter = [np.sqrt(point.total_variance / 100) for point in points]
    assert bias == sorted(bias, reverse=True) and bias[-1] < 1e-6
    assert scatter[-1] > 2 * scatter[0]
    assert 0 < np.argmin(np.hypot(bias, scatter)) < len(lams) - 1


def test_merging_the_flags_halves_the_values_of_an_endless_ring():
    """Values at which TD learning settles: a linear system over the rows that were walked."""
    ring, rng = pg.envs.Ring(pay=np.ones(6), max_steps=10), np.random.default_rng(0)
    walks = [LESSON["rollout"](ring, np.zeros((6, 2)), rng) for _ in range(300)]
    for merged, low, high in ((False, 9.99, 10.01), (True, 4.0, 6.0)):
        matrix, right = np.zeros((6, 6)), np.zeros(6)
        for walk in walks:
            columns = one_column(ring, walk, np.arange(6.0))
            following = columns[2][:, 0].astype(int)
            for t, (s, n) in enumerate(zip(walk.states, following, strict=True)):
                masked = merged and t == len(walk) - 1
                matrix[s, s] += 1
                matrix[s, n] -= 0.0 if masked else 0.9
                right[s] += walk.rewards[t]
        values = np.linalg.solve(matrix, right)
        assert (low < values).all() and (values < high).all()


def ascend(env, weigh, seed, rate, updates=40, size=10):
    """The race's learner, on counts instead of score tables."""
    rng, theta = np.random.default_rng(seed), np.zeros((env.num_states, env.num_actions))
    values = np.zeros(env.num_states)
    for _update in range(updates):
        batch = [LESSON["rollout"](env, theta, rng) for _ in range(size)]
        pi, step = LESSON["softmax"](theta), np.zeros(theta.shape)
        for traj, weight in zip(batch, weigh(batch, values), strict=True):
            np.add.at(step, (traj.states, traj.actions), weight)
            np.subtract.at(step, traj.states, np.asarray(weight)[:, None] * pi[traj.states])
        theta = theta + rate * step / size
        for traj in batch:
            for state, ret in zip(traj.states, LESSON["reward_to_go"](traj.rewards), strict=True):
                values[state] += 0.1 * (ret - values[state])
    return pg.exact.objective(env, LESSON["softmax"](theta))


def test_bootstrapping_wins_the_race_on_the_short_board():
    """12 seeds: GAE loses at most one, whole returns at least three."""
    env = pg.envs.Grid()

    def with_gae(batch, values):
        columns = (one_column(env, traj, values) for traj in batch)
        return [LESSON["gae"](*column, gamma=1.0, lam=0.8)[:, 0] for column in columns]

    def whole(batch, values):
        return [np.full(len(traj), traj.rewards.sum()) for traj in batch]

    solved_by = [
        sum(ascend(env, weigh, seed, 0.3) > 5 for seed in range(12)) for weigh in (with_gae, whole)
    ]
    assert solved_by[0] >= 11 and solved_by[1] <= 9


# Figures that move


def test_a_strip_draws_each_setting_and_a_slider_redraws():
    drawn, known = [], []

    def draw(ax, setting):
        drawn.append(setting)
        known.append(plt.get_fignums())
        ax.plot([0, setting], [0, 1])
        ax.set_title(f"to {setting:g} & back")

    axes = pg.plots.strip(draw, [1.0, 2.0, 3.0])
    assert len(axes) == 3 and drawn == [1.0, 2.0, 3.0]
    plt.close("all")
    known.clear()
    shown = pg.plots.slider(draw, [1.0, 2.0, 3.0], "x", first=2.0)
    knob, picture = shown.widget.children
    before = picture.value
    knob.value = 3.0
    (old, words), (new, later) = pictured(before), pictured(picture.value)
    assert (words, later) == ("to 2 & back", "to 3 & back") and old != new
    assert known == [[], []], "a widget's message closes pyplot's figures, also half drawn ones"
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "widget" not in bundle["text/plain"].lower()


def test_without_widgets_a_slider_is_a_sentence(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    shown = pg.plots.slider(lambda ax, setting: None, [1.0], "x")
    assert set(shown._repr_mimebundle_()) == {"text/plain"}


def test_the_plane_of_a_gradient_keeps_lengths_along_it():
    rng = np.random.default_rng(0)
    exact = np.array([3.0, 4.0, 0.0])
    samples = rng.normal(size=(200, 3)) * [0.1, 0.1, 5.0] + exact
    points, arrow = pg.plots.gradient_plane(samples, exact)
    np.testing.assert_allclose(arrow, [5.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(points[:, 0], samples @ exact / 5.0)
    assert abs(np.corrcoef(points[:, 1], samples[:, 2])[0, 1]) > 0.99


def test_angles_between_gradients():
    found = pg.plots.angles(np.array([[1.0, 0], [0, 2], [-3, 0], [1, 1], [0, 0]]), [2.0, 0])
    np.testing.assert_allclose(found[:4], [0, 90, 180, 45])
    assert np.isnan(found[4])


def test_a_race_counts_who_solves_it():
    runs = {"slow": np.zeros((4, 5)), "fast": np.tile([[0.0, 9], [1, 9], [2, 0]], (1, 1))}
    axes = pg.plots.race(runs, reference=9.5, solved=5.0, ylabel="J")
    assert [ax.get_title("left").split("\n") for ax in axes] == [
        ["slow", "0 of 4 solve it"],
        ["fast", "2 of 3 solve it"],
    ]
