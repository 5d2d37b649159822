"""Cases are drawn once, and what was worked out about them serves every answer after the first."""

import random
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch

from grader.checking import Case, FunctionExercise, Mistake, Number, drawing
from grader.checking.drawing import drawn
from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.probes import runtime
from policy_gradients.i18n import speaking


@pytest.fixture
def asked():
    """How often the truth, the mistake and the draw were asked for."""
    return {"truth": 0, "mistake": 0, "draw": 0}


@pytest.fixture
def exercise(asked):
    def once_more(what, value):
        asked[what] += 1
        return value

    def cases(rng):
        once_more("draw", None)
        return [Case({"x": float(x)}) for x in rng.uniform(1, 2, size=3)]

    return FunctionExercise(
        "double",
        cases,
        lambda x: once_more("truth", 2 * x),
        Number(),
        mistakes=(Mistake("squared", "", like=lambda x: once_more("mistake", x * x)),),
    )


def judged(exercise, function, seed=3):
    return run_check(exercise, lambda q, ask: runtime.run({"double": function}, "double", q), seed)


def test_a_second_answer_costs_no_further_draw_truth_or_imitation(exercise, asked):
    first = judged(exercise, lambda x: x * x)
    assert first.mistake == "squared" and asked == {"truth": 3, "mistake": 3, "draw": 1}
    again = judged(exercise, lambda x: x**2)
    assert again.text() == first.text() and asked == {"truth": 3, "mistake": 3, "draw": 1}


def test_another_seed_has_cases_of_its_own(exercise):
    assert drawn(exercise, 1)[0].inputs != drawn(exercise, 2)[0].inputs
    assert drawn(exercise, 1)[0] is drawn(exercise, 1)[0]


def test_words_of_a_case_are_in_the_language_of_whoever_is_judged():
    """One worker marks submissions in several languages, one after the other."""
    wrong = {"rollout": lambda env, theta, rng: None}
    told = {}
    for language in ("en", "es", "en"):
        with speaking(language):
            verdict = run_check(
                get("rollout"), lambda q, ask: runtime.run(wrong, "rollout", q, ask), 5
            )
            told.setdefault(language, verdict.problem.shown)
            assert verdict.problem.shown == told[language]
    assert " episodes, " in told["en"] and " episodios de " in told["es"]


def test_another_exercise_of_the_same_name_has_its_own_truth(exercise):
    other = replace(exercise, truth=lambda x: 3 * x, mistakes=())
    for _time in range(2):
        assert (
            judged(exercise, lambda x: 2 * x).passed and not judged(other, lambda x: 2 * x).passed
        )
        assert judged(other, lambda x: 3 * x).passed


def test_another_truth_on_the_same_cases_is_asked_anew(exercise):
    """As where the syllabus leaves a choice open: one exercise, several truths."""
    case = drawn(exercise, 0)[0]
    other = replace(exercise, truth=lambda x: -x)
    assert exercise.expected(case).value == -2 * other.expected(case).value


def test_a_student_who_changes_the_list_or_an_array_changes_it_for_nobody():
    given = np.array([1.0, 2.0])
    exercise = FunctionExercise("double", lambda rng: [Case({"x": given})], lambda x: 2 * x)

    def in_place(x):
        x *= 2
        return x

    assert not judged(exercise, in_place).passed
    drawn(exercise, 3).clear()
    assert judged(exercise, lambda x: 2 * x).passed


def test_an_imitation_that_was_cut_off_is_tried_again_for_the_next_answer():
    slow_at_first = count()

    def squared(x):
        while next(slow_at_first) < 10**9 and not slow_at_first_is_over:
            pass
        return x * x

    slow_at_first_is_over = False
    exercise = FunctionExercise(
        "double",
        lambda rng: [Case({"x": 3.0}), Case({"x": 5.0})],
        lambda x: 2 * x,
        Number(),
        mistakes=(Mistake("squared", "", like=squared),),
        seconds=0.1,
    )
    assert judged(exercise, lambda x: x * x).mistake != "squared"
    slow_at_first_is_over = True
    assert judged(exercise, lambda x: x * x).mistake == "squared"


def test_the_least_used_draws_are_let_go(exercise, asked):
    for seed in range(drawing.MOST + 1):
        drawn(exercise, seed)
    drawn(exercise, drawing.MOST)
    assert asked["draw"] == drawing.MOST + 1
    drawn(exercise, 0)
    assert asked["draw"] == drawing.MOST + 2


def luck():
    """What each global generator would draw next, a second normal number included."""
    return random.random(), np.random.randn(), torch.rand(1).item()


def test_global_generators_go_on_as_if_no_check_had_run():
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    luck()  # NumPy has the second of two normal numbers ready now
    wanted = luck()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    luck()
    exercise = FunctionExercise(
        "double",
        lambda rng: [Case({"x": 3.0}), Case({"x": 5.0})],
        lambda x: 2 * x,
        Number(),
        mistakes=(Mistake("by chance", "", like=lambda x: x + 0 * luck()[0]),) * 3,
    )
    assert judged(exercise, lambda x: x + 0 * luck()[0]).mistake == "by chance"
    assert luck() == wanted


def test_a_draw_of_an_imitation_is_the_same_within_a_block_and_alone():
    with runtime.generators_kept():
        with runtime.seeded():
            first = luck()
        with runtime.seeded():
            assert luck() == first
    with runtime.seeded():
        assert luck() == first
