"""What an author of a check writes down: cases, the truth of each, and the usual mistakes."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from grader.probes.inputs import Tensor, View


@dataclass(frozen=True)
class Case:
    """One call. inputs: name -> plain value or record, in the order of the call; keywords: names
    passed by keyword; upstream: weighs a non-scalar result before its backward pass; edge: a case
    that asks for care alone (an overflow, an empty mask). A mistake that shows elsewhere keeps its
    name, whatever it makes of the edge cases."""

    inputs: Mapping
    keywords: tuple = ()
    upstream: np.ndarray | None = None
    shown: str = ""
    edge: bool = False
    _known: dict = field(init=False, repr=False, compare=False, default_factory=dict)

    def once(self, key, make: Callable, lasts: Callable = lambda made: True):
        """What ``make()`` gave the first time it was asked for ``key``, where that lasts. Many
        answers are judged by one case; what hangs on the case alone is worked out for the first."""
        if key in self._known:
            return self._known[key]
        made = make()
        if lasts(made):
            self._known[key] = made
        return made

    def request(self) -> dict:
        return {
            "inputs": dict(self.inputs),
            "keywords": list(self.keywords),
            "upstream": self.upstream,
        }


@dataclass(frozen=True)
class Expected:
    """A truth with gradients: input name -> array, or None where no gradient may flow, or, for a
    result that isn't a scalar, a function of ``upstream`` (weights of the result's entries)."""

    value: object
    gradients: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class Raises:
    """The truth is an error of this type; or_other: one of another type will do."""

    type: str = "ValueError"
    or_other: bool = False


@dataclass(frozen=True)
class Symptom:
    """What a mistake is recognised by: seen(case, seen, expected), where nothing computes it."""

    seen: Callable


@dataclass(frozen=True)
class Mistake:
    """A usual mistake: ``like`` computes it (the exercise's signature; several functions where it
    has several faces), or ``when(case, seen, expected)`` recognises its symptom. ``hint`` is a
    msgid, which publish.translations finds at its place; it never prints the solution."""

    name: str
    hint: str
    like: Callable | tuple = ()
    when: Callable | None = None

    @property
    def faces(self) -> tuple:
        """The functions that make the mistake."""
        return self.like if isinstance(self.like, tuple) else (self.like,)


def plain(value):
    """The NumPy value behind an input record, for truths."""
    if isinstance(value, (Tensor, View)):
        return np.array(value.array)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def labelled(value) -> dict:
    """A truth's value as labelled arrays, as kinds give them."""
    if isinstance(value, Mapping):
        return {name: np.asarray(part) for name, part in value.items()}
    return {"": np.asarray(value)}


def seed_of(name: str, seed: int) -> np.random.Generator:
    """The generator of an exercise's random cases; crc32 keeps it the same in every process."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
