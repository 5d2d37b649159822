"""Hostile and broken submissions, each a function; tests/test_attacks.py runs them as one class.

A function takes the course and returns a notebook (dict, text or bytes), or takes (course, folder)
and writes the submission itself. ``earned`` is what the submission's honest part is worth.
"""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field

ATTACKS: list = []
MARKER = "course-attack-marker"


@dataclass(frozen=True)
class Attack:
    """earned: exercise -> points that are its due (0 where not named), a tuple where the honest
    part may have been cut off; status: those that are right; told: words that the instructor
    must find in the report."""

    name: str
    make: object
    earned: dict = field(default_factory=dict)
    status: tuple = ()
    told: str = ""

    @property
    def writes_itself(self) -> bool:
        return len(inspect.signature(self.make).parameters) == 2


def attack(status=("graded", "graded with note"), told="", **earned):
    """Registers a submission and what must become of it."""

    def keep(function):
        statuses = (status,) if isinstance(status, str) else status
        ATTACKS.append(Attack(function.__name__, function, earned, statuses, told))
        return function

    return keep


def load() -> list:
    """Every attack of every module of this package."""
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return ATTACKS
