"""The registry: every exercise of every lesson, by name. One module or folder a lesson."""

import functools
import importlib
import pkgutil

from grader.checking import Exercise, _
from grader.course import CourseError, Lesson


@functools.cache
def registry() -> dict[str, Exercise]:
    """name -> Exercise, from the list EXERCISES of each grader.checks.lesson_*."""
    package = importlib.import_module("grader.checks")
    found: dict[str, Exercise] = {}
    modules = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    for module in (name for name in modules if name.startswith("lesson_")):
        for exercise in importlib.import_module(f"grader.checks.{module}").EXERCISES:
            if exercise.name in found:
                raise ValueError(f"grader/checks/{module}: {exercise.name} exists already")
            found[exercise.name] = exercise
    return found


def names() -> set[str]:
    """The names of all exercises that have a check."""
    return set(registry())


def need_checks(lesson: Lesson) -> None:
    """CourseError where a cell of the lesson asks for a check that doesn't exist."""
    missing = [name for name in lesson.checks if name not in registry()]
    if missing:
        words = _(
            "{path}: the grader has no check for {names}. "
            "Remedy: register it in grader/checks, or correct its name."
        )
        raise CourseError(words.format(path=lesson.name, names=", ".join(missing)))


def get(name: str) -> Exercise:
    """The exercise called ``name``; KeyError with the names that exist."""
    try:
        return registry()[name]
    except KeyError:
        known = ", ".join(sorted(registry()))
        message = _("no exercise is called {name!r}; there are: {known}")
        raise KeyError(message.format(name=name, known=known)) from None
