"""Right answers of training exercises pass in any style; the wrong are told before long runs."""

from dataclasses import replace

import numpy as np
import pytest

from bank import styles
from bank.margins import judged
from grader.checking import Case, Problem, RuleExercise
from grader.checks import judge
from grader.checks.lesson_05 import led
from grader.checks.registry import registry
from grader.checks.shared import sentences_drawn
from grader.checks.shared.replay import best_way
from grader.probes import ppo

STYLES = styles.load()
# The others are run by python -m bank.margins: these take other ways than the bank's.
SAMPLE = {
    "train_reinforce": ("to_go_less_the_mean_at_each_time", "with_matrices_of_ones"),
    "train_actor_critic": ("an_error_cut_at_one", "by_hand"),
    "train_with_gae": ("episode_by_episode",),
    "train_language_ppo": ("mean_of_each_sentence",),
    "train_grpo": ("all_in_one", "k2_in_the_loss"),
    "train_ppo": ("climbing",),
}


@pytest.mark.parametrize("exercise, name", [(one, n) for one in SAMPLE for n in SAMPLE[one]])
def test_a_right_answer_passes_in_another_style(exercise, name):
    (answer,) = [one for one in STYLES[exercise] if one.__name__ == name]
    verdict, reached = judged(exercise, answer, 3)
    assert verdict.passed, verdict.text()
    assert min(reached) > 0.97


def test_each_training_exercise_has_ten_styles():
    assert set(STYLES) == {name for name in registry() if name.startswith("train_")}
    assert all(len(answers) == 10 for answers in STYLES.values())


def twice_as_much(case, seen):
    right = seen["value"] == 2 * case.inputs["x"]
    return None if right else Problem(step="value", mistake="not-doubled")


DOUBLED = RuleExercise(
    "doubled",
    "none",
    lambda rng: [Case({"x": x}) for x in (1, 2, 1000)],
    rules=(twice_as_much,),
    overall=(lambda cases, seen: None if len(seen) == 3 else Problem(step="value"),),
    short_cases=2,
)


@pytest.mark.parametrize("factor, asked", [(2, [[1, 2], [1000]]), (3, [[1, 2]])])
def test_a_long_case_is_run_only_where_the_short_ones_are_right(factor, asked):
    found = []

    def probe(request, ask):
        found.append([case["inputs"]["x"] for case in request["cases"]])
        return [{"value": factor * x} for x in found[-1]]

    verdict = judge.run_check(DOUBLED, probe, 0)
    assert found == asked and verdict.cases == 3
    assert verdict.passed == (factor == 2)
    assert verdict.mistake == ("" if factor == 2 else "not-doubled")


@pytest.mark.parametrize("wrong", [None, 1000])
def test_each_case_is_judged_once_and_the_long_one_too(wrong):
    asked = []

    def rule(case, seen):
        asked.append(case.inputs["x"])
        return twice_as_much(case, seen)

    def probe(request, ask):
        given = [case["inputs"]["x"] for case in request["cases"]]
        return [{"value": 0 if x == wrong else 2 * x} for x in given]

    verdict = judge.run_check(replace(DOUBLED, rules=(rule,)), probe, 0)
    assert asked == [1, 2, 1000]
    assert verdict.mistake == ("not-doubled" if wrong else "")


def test_a_switch_left_changed_in_the_long_case_is_told():
    def probe(request, ask):
        seen = [{"value": 2 * case["inputs"]["x"]} for case in request["cases"]]
        if request["cases"][0]["inputs"]["x"] == 1000:
            seen[0]["switches"] = ["torch.is_grad_enabled() = False"]
        return seen

    verdict = judge.run_check(DOUBLED, probe, 0)
    assert not verdict.passed and verdict.mistake == "switch-left-changed"


def test_a_way_that_fits_is_followed_and_others_are_dropped():
    asked = []

    def measure(step, ways):
        asked.append(list(ways))
        return [(0.5, 0.99, 0.7)[way] for way in ways]

    assert best_way(range(20), 3, measure) == pytest.approx(0.99)
    assert [0, 1, 2] in asked and asked[-1] == [1]
    assert best_way([], 3, measure) == 0.0


def test_of_several_attempts_the_best_comes_back(monkeypatch):
    """A run that learned nothing is tried again; one that learned is enough."""
    late = iter([20.0, 120.0, 9.0, 499.0])
    monkeypatch.setattr(ppo, "train_once", lambda function, case, look: dict(case["inputs"]))
    monkeypatch.setattr(ppo, "_late_return", lambda report: next(late))
    case = {"inputs": {"rng": [0, 1, 2]}}
    assert ppo._best_attempt(None, case) == {"rng": 1}
    late = iter([200.0, 499.0])
    assert ppo._best_attempt(None, case) == {"rng": 0}


def test_luck_decides_nothing_where_the_steps_are_right():
    """Without normalised advantages this run ends far from 475."""
    (answer,) = [one for one in STYLES["train_ppo"] if one.__name__ == "as_the_advantages_come"]
    verdict, reached = judged("train_ppo", answer, 1)
    assert verdict.passed, verdict.text()
    assert min(reached) > 0.97


@pytest.mark.parametrize("share, told", [(0.0, False), (0.1, True)])
def test_a_controller_that_plays_now_and_then_is_told(share, told):
    """Its actions are as frequent as the policy's, but hang on what was seen."""
    draws = np.random.default_rng(0)
    obs, probs = draws.normal(size=(20_000, 4)), np.full((20_000, 2), 0.5)
    its_own = obs @ [0.1, 0.2, 1.0, 0.6] > 0
    actions = np.where(draws.random(20_000) < share, its_own, draws.integers(2, size=20_000))
    assert led.steered(obs, actions, probs) == told


@pytest.mark.parametrize("shift, others, told", [(0, [], 0), (1, [3], 1), (0.3, range(20), 1)])
def test_sentences_of_somebody_else_are_told(shift, others, told):
    """Of a single update, or a little at each."""
    rng, draws = np.random.default_rng(0), []
    for update in range(20):
        probs = rng.dirichlet(np.ones(8), size=400)
        weights = probs * np.exp(shift * (update in others) * np.arange(8) / 4)
        bounds = (weights / weights.sum(1, keepdims=True)).cumsum(1)
        draws.append((probs, (rng.random((400, 1)) > bounds[:, :-1]).sum(1)))
    assert sentences_drawn.of_others(draws) == told


def test_where_a_way_is_exact_throughout_the_others_are_not_tried():
    asked = []

    def measure(step, ways):
        asked.extend(ways)
        return [(0.99, 0.9995, 1.0)[way] for way in ways]

    assert best_way(range(20), 3, measure) == pytest.approx(0.9995)
    assert asked.count(0) == 1 and 2 not in asked


def test_a_way_that_is_exact_at_first_does_not_hide_another():
    def measure(step, ways):
        later = (1.0 if step < 5 else 0.0, 0.9995)
        return [later[way] for way in ways]

    assert best_way(range(20), 2, measure) == pytest.approx(0.9995)
