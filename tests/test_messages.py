"""What a message shows: the smallest call that fails, and where its entries differ."""

import numpy as np

from grader.checking import Case, FunctionExercise, Mistake
from grader.checking.text import side_by_side
from grader.checks.judge import run_check
from grader.probes import runtime


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


def test_entries_that_differ_are_counted_and_the_first_is_named():
    assert told(one_wrong).got.splitlines()[-1] == "1 of 4 differ, first at [0, 1]"
    assert "4 of 4 differ, first at [0, 0]" in told(lambda x: 3 * x).got


def test_equal_places_stand_below_one_another():
    problem = told(one_wrong)
    assert problem.expected == "[[2, 20],\n [6, -9]]"
    assert problem.got.startswith("[[2,  7],\n [6, -9]]")
    one, other = side_by_side(np.array([[1.0, 2.0]]), np.array([[-1.25, 2.0]]), "k1 = ")
    assert len(one) == len(other) and one.index("2]") == other.index("2]")


def test_a_symptom_is_shown_where_it_was_seen():
    """Its hint may speak of that very call."""
    large = Mistake("large", "Many numbers.", when=lambda case, one, truth: truth.value.size > 4)
    assert "..." not in told(one_wrong).shown
    assert told(one_wrong, large).mistake == "large" and len(told(one_wrong, large).shown) > 40
