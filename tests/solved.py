"""A lesson's own code without a notebook: its solutions, and the checks run as a notebook would."""

import ast
from pathlib import Path

from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.probes import runtime, wire
from publish.lesson import read_lesson
from publish.rules import without_markers

LESSONS = Path(__file__).resolve().parents[1] / "lessons"


def solutions(name) -> dict:
    """The namespace after the setup, exercises and questions of a lesson, as it solves them."""
    namespace = {}
    lesson = read_lesson(LESSONS / f"{name}.py", name)
    for cell in lesson.cells:
        if cell.kind in ("setup", "exercise", "question"):
            exec(compile(ast.parse(without_markers(cell.source)), name, "exec"), namespace)
    return namespace


def replaced(namespace, **answers) -> dict:
    """A copy in which these answers stand, and the other solutions call them."""
    copied = {}
    for key, value in namespace.items():
        is_function = type(value).__name__ == "function" and value.__globals__ is namespace
        copied[key] = _bound(value, copied) if is_function else value
    copied.update(answers)
    return copied


def _bound(function, namespace):
    made = type(function)(function.__code__, namespace, function.__name__)
    made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return made


def verdicts(namespace, names, seed=0) -> dict:
    """Each check in turn, told which ones failed before it, as in a notebook and in grading.

    What goes to the student's side and comes back travels as bytes, as it does in grading.
    """
    failed, found = set(), {}
    for name in names:

        def probe(request, ask, name=name):
            def asked(question):
                return _travelled(ask(_travelled(question)))

            return _travelled(runtime.run(namespace, name, _travelled(request), asked))

        found[name] = run_check(get(name), probe, seed, failed)
        if not found[name].passed:
            failed.add(name)
    return found


def _travelled(tree):
    return wire.loads(wire.dumps(tree))
