"""Stubs are told at once, and with the words that running them would bring."""

import json

import pytest

from grader.checking import FunctionExercise
from grader.checks import judge
from grader.checks.registry import registry
from grader.student import kernel
from publish import claims
from publish.course import Course

COURSE = Course(claims.HERE)


def stubs():
    """(exercise, the cell that students get) of all exercises whose answer is a function."""
    for lesson in COURSE.lesson_names():
        cells = json.loads(COURSE.stubs_path(lesson, "en").read_text(encoding="utf-8"))
        yield from ((name, cell) for name, cell in cells.items() if "raise NotImpl" in cell)


def defined(source, name):
    namespace = {}
    exec(source, namespace)
    return namespace[name]


@pytest.mark.parametrize(("name", "cell"), list(stubs()), ids=lambda given: given.split("\n")[0])
def test_a_stub_is_told_before_a_case_is_drawn(name, cell, monkeypatch):
    monkeypatch.setattr(judge, "drawn", None)
    failed = set()
    verdict = kernel.judged({name: defined(cell, name)}, name, failed)
    assert not verdict.passed and verdict.mistake == "not-written" and failed == {name}
    assert f"{name} is not written yet" in verdict.text()


def test_the_words_are_those_of_a_stub_that_was_run(monkeypatch):
    name = "softmax"
    assert isinstance(registry()[name], FunctionExercise)
    stub = defined("def softmax(logits):\n    raise NotImplementedError\n", name)
    soon = kernel.judged({name: stub}, name, set())
    monkeypatch.setattr(kernel, "is_unwritten", lambda function: False)
    assert kernel.judged({name: stub}, name, set()).text() == soon.text()


@pytest.mark.parametrize(
    "body",
    [
        "'''What it does.'''\n    raise NotImplementedError",
        "raise NotImplementedError()",
        "pass; raise NotImplementedError",
    ],
)
def test_a_stub_by_any_form_is_unwritten(body):
    assert kernel.is_unwritten(defined(f"def f(x):\n    {body}\n", "f"))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    if x: raise NotImplementedError\n    return 2",
        "def f(x):\n    y = x\n    raise NotImplementedError",
        "def f(x):\n    return NotImplementedError",
        "def f(x):\n    raise NotImplementedError('fewer than two')",
        "def f(x):\n    yield\n    raise NotImplementedError",
        "def f(x):\n    return 2",
        "class f:\n    def __call__(self, x):\n        raise NotImplementedError",
        "f = print",
        "f = None",
    ],
)
def test_what_does_anything_else_is_run(source):
    assert not kernel.is_unwritten(defined(source, "f"))
