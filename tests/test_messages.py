"""What a message shows: the smallest call that fails, and where its entries differ."""

import warnings

import numpy as np
import pytest

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Mistake,
    Tensor,
    TensorOf,
    differing,
)
from grader.checking.text import side_by_side
from grader.checks.judge import run_check
from grader.probes import runtime
from grader.records.outcome import GRADED, WRONG, Mark, Outcome
from grader.reports.student_page import page_of


def tables(rng):
    return [Case({"x": rng.normal(size=(4, 6))}), Case({"x": np.array([[1.0, 10.0], [3.0, -4.5]])})]


def told(answer, *mistakes):
    exercise = FunctionExercise("f", tables, lambda x: 2 * x, mistakes=mistakes)
    return run_check(exercise, lambda q, ask: runtime.run({"f": answer}, "f", q, ask), 0).problem


def one_wrong(x):
    found = 2.0 * x
    found[0, 1] = 7
    return found


def test_the_smallest_call_that_fails_is_shown():
    problem = told(one_wrong)
    assert problem.shown == "f(x=[[1, 10], [3, -4.5]])"
    assert told(lambda x: 2 * x + (x.size > 4)).shown.startswith("f(x=[[0")


def test_entries_that_differ_are_marked_and_counted_and_the_first_is_named():
    assert told(one_wrong).got.splitlines()[-1] == "1 of 4 differ (≠), first at [0, 1]"
    everywhere = told(lambda x: 3 * x).got
    assert "4 of 4 differ, first at [0, 0]" in everywhere and "≠" not in everywhere


def test_equal_places_stand_below_one_another():
    problem = told(one_wrong)
    assert problem.expected == "[[2, 20],\n [6, -9]]"
    assert problem.got.startswith("[[2, ≠7],\n [6, -9]]")
    one, other = side_by_side(np.array([[1.0, 2.0]]), np.array([[-1.25, 2.0]]), "k1 = ")
    assert len(one) == len(other) and one.index("2]") == other.index("2]")


@pytest.mark.parametrize("shape", [(5,), (24,), (3, 4), (2, 3, 4)])
def test_only_what_differs_is_marked_in_arrays_of_any_shape(shape):
    right = np.random.default_rng(0).normal(size=shape)
    found = right.copy()
    found.flat[[1, -1]] = 123.25
    one, other = side_by_side(right, found, "k1 = ", found == right)
    assert other.count("≠123.25") == other.count("≠") == 2 and "≠" not in one
    assert [len(line) for line in one.splitlines()] == [len(line) for line in other.splitlines()]
    assert [line.find(",") for line in one.splitlines()] == [
        line.find(",") for line in other.splitlines()
    ]
    assert max(map(len, one.splitlines())) < 80


def test_a_nan_is_shown_without_a_warning():
    """nbgrader takes points for what a check prints to the error stream."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = told(lambda x: np.where(x == 10, np.nan, 2 * x)).got
    assert got == "[[2, ≠nan],\n [6,   -9]]"


def test_a_large_array_names_the_first_entry_that_differs():
    found = np.arange(40.0)
    found[[7, 9]] = -1
    good = found == np.arange(40)
    expected, got = differing(np.arange(40), found, good)
    assert expected == "at index (7,): 7"
    assert got == "at index (7,): -1\n2 of 40 differ, first at [7]"


def test_entries_of_a_gradient_are_marked_too():
    def truth(x):
        return Expected((x**2).sum(), {"x": 2 * x})

    exercise = FunctionExercise(
        "f",
        lambda rng: [Case({"x": Tensor(np.array([1.0, 2.0, 3.0]), grad=True)})],
        truth,
        kind=TensorOf(),
    )

    def last_detached(x):
        return (x[:2] ** 2).sum() + x[2].detach() ** 2

    reply = runtime.run({"f": last_detached}, "f", exercise.request(exercise.cases(None)))
    got = exercise.judge(exercise.cases(None), reply).problem.got
    assert got.endswith("x:\n[2, 4, ≠0]\n1 of 3 differ (≠), first at [2]")


def feedback_page(verdict):
    cell = {"metadata": {"policy_gradients": {"kind": "check"}, "nbgrader": {"grade_id": "f"}}}
    cell |= {"cell_type": "code", "id": "c", "source": "check('f')", "outputs": []}
    mark = Mark("f", 0.0, 1.0, WRONG, headline=verdict.headline(), lines=tuple(verdict.lines()))
    outcome = Outcome(GRADED, [], [mark], notes=[], language="en", notebook={"cells": [cell]})
    return page_of("ada", outcome, "01_tiny")


def test_marks_are_seen_in_the_notebook_and_on_the_feedback_page():
    exercise = FunctionExercise("f", tables, lambda x: 2 * x)
    cases = exercise.cases(np.random.default_rng(0))
    verdict = exercise.judge(cases, runtime.run({"f": one_wrong}, "f", exercise.request(cases)))
    assert "[[2, ≠7],\n             [6, -9]]" in verdict.text()
    page = feedback_page(verdict)
    for face in (verdict.html(), page):
        assert "[[2, 20],\n [6, -9]]" in face and "[[2, ≠7],\n [6, -9]]" in face
    assert "white-space: pre-wrap" in page and "white-space:pre-wrap" in verdict.html()


def test_a_symptom_is_shown_where_it_was_seen():
    """Its hint may speak of that very call."""
    large = Mistake("large", "Many numbers.", when=lambda case, one, truth: truth.value.size > 4)
    assert "..." not in told(one_wrong).shown
    assert told(one_wrong, large).mistake == "large" and len(told(one_wrong, large).shown) > 40
