"""The bank: for each exercise, wrong implementations with the mistake each must be told, and right
ones in different styles. A folder a lesson, with files named after those of its checks, and
``all_`` modules over the whole course; each function is self-contained or uses the bank's helpers.
"""

import importlib
import pkgutil
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One implementation. mistake: the name that the verdict must give, or None for a right one.
    A wrong one that no named mistake covers names the ladder's step instead, as "step:value"."""

    exercise: str
    label: str
    answer: object
    mistake: str | None

    @property
    def id(self):
        return f"{self.exercise}-{'wrong' if self.mistake else 'right'}-{self.label}"


ENTRIES: list[Entry] = []


def right(exercise: str):
    """Registers a right implementation: ``@right("softmax")``."""
    return _register(exercise, None)


def wrong(exercise: str, mistake: str):
    """Registers a wrong one and what it must be told: ``@wrong("softmax", "softmax-axis")``."""
    return _register(exercise, mistake)


def value(exercise: str, label: str, answer, mistake: str | None = None):
    """Registers an answer that is a value (a question's letter, a table)."""
    ENTRIES.append(Entry(exercise, label, answer, mistake))


def _register(exercise, mistake):
    def keep(function):
        ENTRIES.append(Entry(exercise, function.__name__.strip("_"), function, mistake))
        return function

    return keep


def load() -> list[Entry]:
    """Every entry of every lesson's modules; two entries of one id are an error."""
    names = sorted(info.name for info in pkgutil.walk_packages(__path__, f"{__name__}."))
    for name in names:
        if name.split(".")[1].startswith(("lesson_", "all_")):
            importlib.import_module(name)
    twice = {name for name, times in Counter(entry.id for entry in ENTRIES).items() if times > 1}
    if twice:
        raise ValueError(f"entries of one name: {sorted(twice)}")
    return ENTRIES
