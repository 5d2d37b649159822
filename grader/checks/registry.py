"""The registry: every exercise of every lesson, by name. One module or folder a lesson."""

import functools
import importlib
import pkgutil

from grader.checking import Exercise, _
from grader.course import CourseError, Lesson

_found: dict[str, Exercise] = {}


@functools.cache
def _modules() -> list[str]:
    """The modules of checks that are not imported yet, in the order of the lessons."""
    package = importlib.import_module("grader.checks")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [name for name in names if name.startswith("lesson_")]


def _import_next():
    """Takes in the exercises of one more lesson."""
    module = _modules().pop(0)
    for exercise in importlib.import_module(f"grader.checks.{module}").EXERCISES:
        if exercise.name in _found:
            raise ValueError(f"grader/checks/{module}: {exercise.name} exists already")
        _found[exercise.name] = exercise


def registry() -> dict[str, Exercise]:
    """name -> Exercise, from the list EXERCISES of each grader.checks.lesson_*."""
    while _modules():
        _import_next()
    return _found


def known(name: str) -> bool:
    """Whether there is such an exercise. Imports no lesson beyond its own: later ones are heavy."""
    while name not in _found and _modules():
        _import_next()
    return name in _found


def names() -> set[str]:
    """The names of all exercises that have a check."""
    return set(registry())


def need_checks(lesson: Lesson) -> None:
    """CourseError where a cell of the lesson asks for a check that doesn't exist."""
    missing = [name for name in lesson.checks if not known(name)]
    if missing:
        words = _(
            "{path}: the grader has no check for {names}. "
            "Remedy: register it in grader/checks, or correct its name."
        )
        raise CourseError(words.format(path=lesson.name, names=", ".join(missing)))


def get(name: str) -> Exercise:
    """The exercise called ``name``; KeyError with the names that exist."""
    if known(name):
        return _found[name]
    there = ", ".join(sorted(registry()))
    message = _("no exercise is called {name!r}; there are: {known}")
    raise KeyError(message.format(name=name, known=there))
