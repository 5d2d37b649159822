"""What a graded student is told of a case that only the grading draws: words and the hint."""

import re

import numpy as np
import pytest

from grader.checking import FunctionExercise, seed_of
from grader.checking.exercise import HINTS
from grader.checks.judge import PUBLIC_SEED, run_check
from grader.checks.registry import get
from grader.marking.hidden import for_the_student
from grader.marking.notebook import withheld
from grader.probes import runtime
from grader.probes.wire import dumps

HIDDEN = 987654321
NUMPY = ("discounted_return", "reward_to_go", "td_errors", "gae", "explained_variance")


def told(name, function, seed=HIDDEN):
    """The verdict of the grading on a student's function, whole and as the student reads it."""
    exercise = get(name)
    space = {name: function}

    def probe(request, ask):
        return runtime.run(space, name, request, ask)

    verdict = run_check(exercise, probe, seed)
    return verdict, for_the_student(verdict, exercise, seed)


def right_in_public(name, otherwise):
    """Answers as the truth does on the public cases; on all others as `otherwise` does."""
    exercise = get(name)
    public = exercise.cases(seed_of(name, PUBLIC_SEED))
    known = {_numbers(case.inputs.values()) for case in public}

    def function(*args, **kwargs):
        truth = exercise.truth(*args, **kwargs)
        value = getattr(truth, "value", truth)
        return value if _numbers([*args, *kwargs.values()]) in known else otherwise(args, value)

    return function


def _numbers(values):
    return b"".join(
        np.asarray(getattr(v, "array", v), dtype=float).tobytes()
        for v in values
        if not isinstance(v, (str, dict))
    )


def digits(text):
    return re.findall(r"-?\d+\.\d+", text)


@pytest.mark.parametrize("name", NUMPY)
def test_of_a_hidden_case_no_number_is_told(name):
    assert isinstance(get(name), FunctionExercise)
    verdict, shown = told(name, right_in_public(name, lambda args, value: value * 1.5 + 1))
    assert not verdict.passed and not shown.passed
    assert verdict.problem.expected, "the whole verdict, for the instructor, knows the number"
    assert shown.problem.expected == shown.problem.got == ""
    assert shown.problem.shown == "a call that only the grading makes"
    assert not digits(shown.text())
    assert (shown.step, shown.mistake) == (verdict.step, verdict.mistake)
    general = verdict.problem.hint == HINTS["value"]  # "work this case out": it isn't shown
    assert ("other inputs" in shown.problem.hint) == general
    assert general or shown.problem.hint == verdict.problem.hint


@pytest.mark.parametrize("message", ["the inputs were {}", "first\nat: {}", "a\nb\nat: {}"])
def test_an_error_on_a_hidden_case_tells_its_type_alone(message):
    def loud(args, value):
        raise ValueError(message.format(args))

    verdict, shown = told("discounted_return", right_in_public("discounted_return", loud))
    assert digits(verdict.problem.got)
    assert shown.problem.got == "ValueError"
    assert not digits(shown.text()) and "this input" not in shown.text()


def test_an_errors_own_name_carries_nothing_out():
    def loud(args, value):
        raise type(f"Was {args}", (Exception,), {})

    _verdict, shown = told("discounted_return", right_in_public("discounted_return", loud))
    assert shown.problem.got == "an error"


def test_a_case_that_the_students_notebook_shows_is_told_whole():
    verdict, shown = told("discounted_return", lambda rewards, gamma=1.0: float(sum(rewards)))
    assert shown == verdict
    assert shown.problem.shown.startswith("discounted_return(") and shown.problem.expected


def test_the_students_own_check_hides_nothing():
    verdict, shown = told(
        "discounted_return", lambda rewards, gamma=1.0: sum(rewards) + 1, PUBLIC_SEED
    )
    assert shown == verdict


def test_hidden_and_public_cases_really_differ():
    """Without this, the tests above would look at public cases alone."""
    for name in NUMPY:
        keys = [
            {dumps(case.request()) for case in get(name).cases(seed_of(name, seed))}
            for seed in (PUBLIC_SEED, HIDDEN)
        ]
        assert keys[0] & keys[1], "fixed cases are in both"
        assert keys[1] - keys[0], "drawn ones are not"


def test_the_sides_of_a_hidden_shape_are_not_told():
    """A result's shape can carry the numbers of the input."""
    verdict, shown = told(
        "reward_to_go", right_in_public("reward_to_go", lambda args, value: np.zeros((26797, 0)))
    )
    assert "26797" in verdict.problem.got
    assert shown.problem.got == "another shape" and not shown.problem.expected
    assert "26797" not in shown.text()


def test_what_cells_print_after_the_first_check_is_left_out():
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "the input was 26797"},
        {"output_type": "error", "ename": "E26797", "evalue": "26797", "traceback": ["26797"]},
    ]
    kept = withheld(outputs)
    assert "26797" not in str(kept) and "not shown" in str(kept)
    assert [output["output_type"] for output in kept] == ["stream", "error"]
    assert withheld([]) == []
