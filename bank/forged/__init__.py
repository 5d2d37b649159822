"""Forgeries: answers that look as if they had learned, for the exercises in which a policy trains.

None does what was asked, and none may earn a point. Each differs from an honest answer in what it
plants: weights, gradients, episodes or what the spies have written down.
"""

import importlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Forgery:
    """exercise; label; answer, the function; names, the mistakes one of which it must be told."""

    exercise: str
    label: str
    answer: object
    names: tuple


FORGED: list[Forgery] = []
PLANTED, ELSEWHERE = ("moved-without-steps",), ("gradients-elsewhere", "mark-missed")


def forged(exercise, label, *names):
    """Registers the function below it."""

    def keep(function):
        FORGED.append(Forgery(exercise, label, function, names))
        return function

    return keep


def load() -> list[Forgery]:
    for name in ("tables", "cartpole", "sentences"):
        importlib.import_module(f"{__name__}.{name}")
    return FORGED
