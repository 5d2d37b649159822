"""The cases of one answer side by side: what was asked, what is right, what came."""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass, replace

import numpy as np

from grader.checking.case import Expected, labelled, plain
from grader.checking.compare import close
from grader.checking.kinds import Mismatch
from policy_gradients.i18n import language, speaking

MOST_NUMBERS = 20_000  # a larger result is left out of the search


@dataclass(frozen=True)
class Relation:
    """name: as the class report counts it; hint: words for the learner, translated; predict: from
    one case to what this relation makes of its truth (None: it says nothing of this case)."""

    name: str
    hint: str
    predict: Callable | None = None


@dataclass(frozen=True)
class Seen:
    """One case. inputs: name -> plain value, in the order of the call; given: the names that the
    call hands in; label: the part of the result that is looked at, "" where it has one; wanted,
    found: arrays."""

    inputs: dict
    given: frozenset
    label: str
    wanted: np.ndarray
    found: np.ndarray
    right: bool


class Evidence:
    """All cases with a readable result, the smallest wrong one in front: most relations fail on
    it, and soon."""

    def __init__(self, cases, relative, absolute):
        self.cases = sorted(cases, key=lambda case: (case.right, _size(case)))
        self._tolerances = relative, absolute

    def explained_by(self, relation) -> bool:
        """Whether what came is, in every case, what the relation makes of the truth; where that
        can't be computed, no number at all."""
        with np.errstate(all="ignore"):
            return all(self._explains(relation, case) for case in self.cases) and any(
                _safely(relation.predict, case) is not None for case in self.cases if not case.right
            )

    def _explains(self, relation, case) -> bool:
        predicted = _safely(relation.predict, case)
        if predicted is None:
            return case.right or not np.isfinite(case.found).any()
        return self.same(case.found, predicted)

    def same(self, found, wanted) -> bool:
        """Equal in shape and, within the exercise's tolerances, in value."""
        found, wanted = np.asarray(found), np.asarray(wanted)
        return found.shape == wanted.shape and bool(close(found, wanted, *self._tolerances).all())

    def good(self, case) -> np.ndarray:
        """Entry by entry, whether a result of the right shape is right."""
        with np.errstate(all="ignore"):
            return close(case.found, case.wanted, *self._tolerances)


def _size(case):
    return case.wanted.size + sum(_numbers_in(value) for value in case.inputs.values())


def _numbers_in(value):
    if isinstance(value, list):
        return sum(map(_numbers_in, value))
    return sum(map(np.size, vars(value).values())) if is_dataclass(value) else np.size(value)


def quietly(search, *given) -> Relation | None:
    """What a search finds. It tries what makes no sense for some shapes, and nbgrader takes points
    for a warning; the language is asked for once, since it writes thousands of hints that nobody
    reads."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), speaking(language()):
        warnings.simplefilter("ignore")
        try:
            return search(*given)
        except Exception:  # what came may have any structure; then there is nothing to tell
            return None


def remembered(relation) -> Relation:
    """The same relation, which asks for each case's prediction once."""
    known = {}

    def predict(case):
        if id(case) not in known:
            known[id(case)] = _safely(relation.predict, case)
        return known[id(case)]

    return replace(relation, predict=predict)


def _safely(predict, case):
    try:
        predicted = predict(case)
        return None if predicted is None else np.asarray(predicted, dtype=float)
    except Exception:  # a way that doesn't exist for these shapes explains nothing
        return None


def gather(exercise, cases, seen, expected) -> Evidence | None:
    """The evidence on the first label that is wrong; None where there is too little to compare."""
    rows = [
        (plain_inputs(exercise, case), labelled(truth.value), found, frozenset(case.inputs))
        for case, one, truth in zip(cases, seen, expected)
        if isinstance(truth, Expected) and (found := _found(exercise, case, one)) is not None
    ]
    label = next((n for row in rows for n in row[1] if not _is_right(exercise, row, n)), None)
    if label is None:
        return None
    kept = [
        Seen(row[0], row[3], label, row[1][label], row[2][label], _is_right(exercise, row, label))
        for row in rows
        if max(row[1][label].size, row[2][label].size) <= MOST_NUMBERS
    ]
    if all(case.right for case in kept):
        return None
    return Evidence(kept, exercise.relative, exercise.absolute)


def plain_inputs(exercise, case) -> dict:
    """Input name -> plain value; what the call leaves out has its default."""
    parameters = inspect.signature(exercise.truth).parameters
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    return defaults | {name: plain(given) for name, given in case.inputs.items()}


def _found(exercise, case, one):
    if "error" in one:
        return None
    try:
        return exercise.kind_for(case).arrays(one["value"])
    except Mismatch:
        return None


def _is_right(exercise, row, label):
    wanted, found = row[1:3]
    same_shape = found[label].shape == wanted[label].shape
    if not same_shape:
        return False
    with np.errstate(all="ignore"):
        return bool(close(found[label], wanted[label], exercise.relative, exercise.absolute).all())
