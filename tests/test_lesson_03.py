"""What lesson 03 claims, and its checks' truths against something else than themselves."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import policy_gradients as pg
from bank.lesson_03.learning import with_one_step_errors
from grader.checks.judge import run_check
from grader.checks.lesson_01.learning import TRAIN_REINFORCE
from grader.checks.lesson_03 import (
    EXERCISES,
    baselines,
    critic,
    learning,
    leave_one_out,
    optimal_baseline,
)
from grader.checks.registry import get
from grader.checks.shared import tabular
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


@pytest.mark.parametrize("seed", [13, 16])
def test_one_step_errors_that_miss_the_mark_by_bad_luck_are_right(seed):
    """Each step is along a right estimate, but the critic knows nothing when the run begins."""
    answer = {"train_actor_critic": with_one_step_errors}
    verdict = judged("train_actor_critic", answer, seed=seed)
    assert verdict.passed, verdict.text()


def test_weights_below_the_mark_are_told_where_steps_are_wrong():
    (case,) = learning.train_actor_critic_cases(np.random.default_rng(0))[-1:]
    claimed = {"theta": np.zeros((1, 9, 4), np.float32)}, {"theta": np.zeros(1)}
    log = {"steps": 1, "grads": {"policy": claimed[0]}, "absent": {"policy": claimed[1]}}
    seen = {"optimizers": {"optimizer": log}}
    assert tabular.mark_rule(0.9)(case, seen).mistake == "mark-missed"
    assert tabular.mark_rule(0.9, lambda case, seen: "wrong")(case, seen).mistake == "mark-missed"
    assert tabular.mark_rule(0.9, lambda case, seen: None)(case, seen) is None


# One mistake, one exercise


def judged(name, namespace, failed=(), seed=0):
    def probe(request, ask):
        return runtime.run(namespace, name, request, ask)

    return run_check(get(name), probe, seed, frozenset(failed))


@pytest.mark.parametrize(
    ("broken", "answer", "dependants"),
    [
        ("value_loss", lambda v, r: ((v - r) ** 2).sum() * 3, ["actor_critic_loss"]),
        ("value_loss", lambda v, r: v.detach().mean(), ["actor_critic_loss"]),
        (
            "actor_critic_loss",
            lambda p, v, r, value_coef=0.5: (p * (r - v)).mean(),
            ["train_actor_critic"],
        ),
    ],
    ids=["value_loss", "value_loss detached", "actor_critic_loss"],
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


def test_on_the_short_board_the_mean_helps_whole_returns_more():
    env, policies = board()
    pi = policies["nothing"]
    mean = pg.exact.objective(env, pi)
    whole = total_variance(env, pi, "return", shift=-mean)
    to_go = total_variance(env, pi, "baseline", baseline=np.full(16, mean))
    assert round(whole) == 278 and round(to_go) == 314


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
