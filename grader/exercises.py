"""The registry: every exercise of every lesson, by name. One module a lesson in grader/checks."""

import functools
import importlib
import pkgutil

from grader.exercise import Exercise
from grader.i18n import _


@functools.cache
def registry() -> dict[str, Exercise]:
    """name -> Exercise, from the list EXERCISES of each module in grader.checks."""
    package = importlib.import_module("grader.checks")
    found: dict[str, Exercise] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for exercise in importlib.import_module(f"grader.checks.{module}").EXERCISES:
            if exercise.name in found:
                raise ValueError(f"grader/checks/{module}.py: {exercise.name} exists already")
            found[exercise.name] = exercise
    return found


def names() -> set[str]:
    """The names of all exercises that have a check."""
    return set(registry())


def get(name: str) -> Exercise:
    """The exercise called ``name``; KeyError with the names that exist."""
    try:
        return registry()[name]
    except KeyError:
        known = ", ".join(sorted(registry()))
        message = _("no exercise is called {name!r}; there are: {known}")
        raise KeyError(message.format(name=name, known=known)) from None
