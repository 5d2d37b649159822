"""The formula with one step changed, as a relation: which change makes of it what came."""

import contextlib
from dataclasses import is_dataclass
from functools import partial
from itertools import product

import numpy as np

from grader.checking.case import labelled
from grader.checking.formulas.changes import changes_of
from grader.checking.formulas.tracing import traced
from grader.checking.formulas.ways import COMMON, LIKELY, ODD
from grader.checking.relations.evidence import Relation
from grader.checking.relations.outputs import quantities
from grader.i18n import _

# Steps that are run, not seconds: the same answer is told the same on any machine.
STEPS_OF_ONE = 36_000  # for one change, in all forms of the formula together
STEPS_OF_TWO = 20_000  # for two at once
SILENT = 60  # changes that show in other calls alone, that are tried besides
CORE = 20  # changes that are tried together with others


def formulas_of(exercise):
    """The exercise's formulas, each the same function in another form."""
    given = exercise.formula
    return [traced(one) for one in (given if isinstance(given, tuple) else (given,))]


class ChangedFormula:
    """The search in all formulas of an exercise: one() before any vaguer relation, two() after."""

    def __init__(self, exercise, evidence):
        self._searches = []
        formulas = formulas_of(exercise)
        for formula in formulas:
            # A call that the formula itself can't take has nothing to tell.
            with contextlib.suppress(Exception):
                self._searches.append(_Search(formula, evidence, STEPS_OF_ONE // len(formulas)))

    def one(self) -> Relation | None:
        """The likeliest change of one step that explains every case."""
        return next((found for search in self._searches if (found := search.one())), None)

    def two(self) -> Relation | None:
        """Two changes that explain every case together."""
        for search in self._searches:
            search.left = STEPS_OF_TWO // len(self._searches)
            for way in WAYS_OF_TWO:
                if found := way(search):
                    return found
        return None


class _Search:
    """One formula. The most telling wrong case is tried first: nearly all changes fail on it."""

    def __init__(self, formula, evidence, share):
        self.formula, self.evidence = formula, evidence
        self.first = evidence.cases[0]
        self.inputs = {id(case): self._inputs(case) for case in evidence.cases}
        self.beyond = {id(case) for case in evidence.cases if not self._known(case)}
        wrong = [c for c in evidence.cases if not c.right and id(c) not in self.beyond]
        self.first = max(wrong, key=telling)
        self.watched = formula.watch(self.inputs[id(self.first)])
        self.changes, self.silent = changes_of(self.watched)
        self.left = share
        # Of counts, some odd change or pair is right by chance.
        self.most, self.most_of_two = (COMMON, LIKELY) if _counted(evidence) else (ODD, COMMON)
        self.fitting, self.results = [], []

    def _inputs(self, case):
        return {n: case.inputs[n] for n in self.formula.arguments if n in case.inputs}

    def _known(self, case):
        """Whether the formula is right in this call: some leave out what asks for care alone."""
        made = self._value(case, [])
        return made is not None and self.evidence.same(made, case.wanted)

    def one(self):
        for change in self.changes:
            tried = self.left > 0 and change.likelihood <= self.most
            made = self._made([change]) if tried else None
            if made is None:
                continue
            self.results.append((change, made))
            if self._same(made, self.first.found):
                self.fitting.append(change)
                if self._explain([change]):
                    return self._told([change])
        return None

    def with_a_silent_one(self):
        """A change that explains the smallest call, and one that shows in others alone."""
        for one, other in product(self.fitting[:3], self.silent[:SILENT]):
            if self.left < 0:
                return None
            plain = self.most == ODD or max(one.likelihood, other.likelihood) <= LIKELY
            if plain and one.number != other.number and self._explain([one, other]):
                return self._told([one, other])
        return None

    def with_a_factor(self):
        """A change, and every number of what it makes times one factor."""
        found = self.first.found
        rows = [row for row in self.results if row[1].shape == found.shape and found.size]
        if not rows:
            return None
        at = int(np.argmax(np.abs(found)))  # the number that tells the factor best
        ratios = found.flat[at] / np.array([made.flat[at] for _change, made in rows])
        for words, value in _factors(self.evidence):
            factor = _or_nan(value, self.first)
            for row in np.flatnonzero(np.abs(ratios - factor) <= 1e-3 * abs(factor)):
                change, made = rows[row]
                near = self.left > 0 and self._same(made * factor, found)
                if near and self._explain([change], value):
                    return self._told([change], words)
        return None

    def two_apart(self):
        """Two changes that don't touch each other: what they add, or multiply by, tells them."""
        base = self._made([])
        rows = [(c, m.flat[0]) for c, m in self.results if m.shape == base.shape and m.size]
        if self.first.found.shape != base.shape or not rows:
            return None
        numbers = np.array([number for _change, number in rows], float)
        found, whole = float(self.first.found.flat[0]), float(base.flat[0])
        if self.most < ODD:
            return None
        for needed in (found + whole - numbers, found * whole / numbers):
            for at, there in _meetings(numbers, needed):
                if self.left > 0 and self._both(rows[at][0], rows[there][0]):
                    return self._told([rows[at][0], rows[there][0]])
        return None

    def two(self):
        """A likely change, of the last steps first, and another one."""
        likely = self._different(self.most_of_two)
        core = [change for change in likely if change.likelihood == LIKELY]
        core = sorted(core, key=lambda change: -change.number)[:CORE]
        for one, other in product(core, likely):
            if self.left < 0:
                return None
            if self._both(one, other):
                return self._told([one, other])
        return None

    def _different(self, most):
        """Changes up to this likelihood, one for each result."""
        known = {}
        for change, made in self.results:
            if change.likelihood <= most:
                known.setdefault((made.shape, np.round(made, 9).tobytes()), change)
        return list(known.values())

    def _both(self, one, other):
        if one.number == other.number:
            return False
        made = self._made([one, other])
        near = made is not None and self._same(made, self.first.found)
        return near and self._explain([one, other])

    def _told(self, changes, more=""):
        words = list(dict.fromkeys(change.words() for change in changes))
        if len(words) == 1 and not more:
            return Relation(changes[0].name, _("That comes out where {one}.").format(one=words[0]))
        one, other = [*words, more][:2]
        if more:
            hint = _("Two things at once: that comes out where {one}, and {other}.")
        else:
            hint = _("Two things at once: that comes out where {one}, and where {other}.")
        return Relation("two-steps-changed", hint.format(one=one, other=other))

    def _explain(self, changes, factor=lambda case: 1.0):
        self.left -= 2 * len(self.watched.turns)  # about two more calls are looked at

        def predict(case):
            return None if id(case) in self.beyond else self._value(case, changes) * factor(case)

        return self.evidence.explained_by(Relation("", "", predict))

    def _same(self, made, found):
        """A quick look at one number, then at all."""
        if made.shape != found.shape:
            return False
        if made.size:
            one, other = made.flat[0], found.flat[0]
            if np.isfinite(other) and not abs(one - other) <= 1e-3 * (abs(other) + 1):
                return False
        return self.evidence.same(found, made)

    def _made(self, changes):
        """What comes out in the smallest call."""
        self.left -= self.watched.cost(_pairs(changes))
        return self._read(self.watched.changed, changes)

    def _value(self, case, changes):
        return self._read(partial(self.formula, self.inputs[id(case)]), changes)

    def _read(self, run, changes):
        try:
            value = labelled(run(_pairs(changes)))
            return np.asarray(value.get(self.first.label, value.get("")), dtype=float)
        except Exception:  # a change that this call doesn't allow
            return None


WAYS_OF_TWO = _Search.with_a_factor, _Search.two_apart, _Search.with_a_silent_one, _Search.two


def _pairs(changes):
    return [pair for change in changes for pair in change.pairs]


def _counted(evidence):
    """Whether all that came are counts, shares of a count, or flags."""
    return all(_is_counted(case) for case in evidence.cases if not case.right)


def _is_counted(case):
    arrays = [np.shape(one) for one in case.inputs.values() if np.ndim(one)]
    size = arrays[0][0] if arrays else 1
    parts = np.asarray(case.found, float) * size
    return bool(np.isfinite(parts).all() and np.allclose(parts, np.round(parts), 0, 1e-6))


def telling(case):
    """Plain numbers other than 0 and 1, and many different ones in arrays, tell changes apart;
    beyond a dozen, fewer take less time."""
    given = list(case.inputs.values())
    plain = sum(isinstance(one, (int, float)) and one not in (0, 1) for one in given)
    numbers = np.concatenate([np.ravel(one) for one in _numbers_in(given)])
    different = len(np.setdiff1d(np.round(numbers, 6), (-1, 0, 0.5, 1, 2)))
    return plain, min(different, 12), -numbers.size


def _numbers_in(values):
    for value in values:
        if isinstance(value, list):
            yield from _numbers_in(value)
        elif is_dataclass(value):
            yield from _numbers_in(list(vars(value).values()))
        elif np.asarray(value).dtype.kind in "fiub":
            yield np.asarray(value, float)


def _meetings(numbers, needed):
    """(at, there) of pairs with needed[at] = numbers[there], up to rounding."""
    order = np.argsort(numbers)
    places = np.searchsorted(numbers[order], needed)
    for at, place in enumerate(places):
        for near in (place - 1, place):
            if 0 <= near < len(order):
                there = order[near]
                if abs(numbers[there] - needed[at]) <= 1e-6 * abs(needed[at]) + 1e-12:
                    yield at, there


def _factors(evidence):
    """(words, case -> number): what every number may have been multiplied by, besides."""
    yield _("every number has the other sign"), lambda case: -1.0
    yield _("every number is doubled"), lambda case: 2.0
    yield _("every number is halved"), lambda case: 0.5
    for what, value in quantities(evidence):
        yield _("every number is {what} times that").format(what=what), value
        words = _("every number is divided by {what}").format(what=what)
        yield words, lambda case, value=value: 1 / value(case)


def _or_nan(value, case):
    try:
        return float(value(case))
    except ZeroDivisionError:
        return np.nan
