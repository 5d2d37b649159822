"""Relations of several parts of a result, and two relations at once."""

from itertools import permutations

import numpy as np

from grader.checking.case import Expected, labelled
from grader.checking.compare import close
from grader.checking.kinds import Mismatch
from grader.checking.relations.evidence import Relation
from grader.checking.relations.outputs import factor_between, quantities
from grader.i18n import _

MOST_PARTS = 4


def parts_of(exercise, cases, seen, expected):
    """(wanted, found) of every case, each by the names of the result's parts."""
    rows = []
    for case, one, truth in zip(cases, seen, expected):
        if isinstance(truth, Expected) and "error" not in one:
            try:
                rows.append((labelled(truth.value), exercise.kind_for(case).arrays(one["value"])))
            except Mismatch:
                return []
    return rows


def swapped_parts(rows) -> Relation | None:
    """The parts of a result, right but in another order."""
    names = list(rows[0][0]) if rows else []
    if not 1 < len(names) <= MOST_PARTS:
        return None
    for order in permutations(names):
        if all(_same(wanted[a], found[b]) for wanted, found in rows for a, b in zip(names, order)):
            hint = _("The parts of the result are right, but in the order {order}.")
            return Relation("parts-swapped", hint.format(order=", ".join(_inverse(names, order))))
    return None


def wrong_parts(rows) -> Relation | None:
    """Which parts of a result are wrong, where others are right throughout."""
    names = list(rows[0][0]) if rows else []
    right = [n for n in names if all(_same(wanted[n], found[n]) for wanted, found in rows)]
    if not right:
        return None
    others = ", ".join(n for n in names if n not in right)
    hint = _("Of the parts of the result {right} is right throughout, and {wrong} is not.")
    return Relation("part-wrong", hint.format(right=", ".join(right), wrong=others))


def _inverse(names, order):
    """What stands in the first place, in the second, ..."""
    return [names[order.index(name)] for name in names]


def _same(wanted, found):
    return wanted.shape == found.shape and bool(close(found, wanted).all())


def two_at_once(asked, evidence) -> Relation | None:
    """The answer to another call, and that with another sign or factor. asked: the relations that
    ask for other calls, each with its predictions remembered."""
    factors = [
        (_("every number has the other sign"), lambda case: -1.0),
        (_("every number is doubled"), lambda case: 2.0),
        (_("every number is halved"), lambda case: 0.5),
    ]
    for words, value in quantities(evidence):
        factors.append((_("every number is {what} times that").format(what=words), value))
        words = _("every number is divided by {what}").format(what=words)
        factors.append((words, lambda case, value=value: 1 / value(case)))
    hints = _("Two things at once. {first} And {second}.")
    first = evidence.cases[0]
    known = np.array([_or_nan(value, first) for _words, value in factors])
    for one in asked:
        predicted = one.predict(first)
        needed = None if predicted is None else factor_between(predicted, first.found)
        if needed is None:
            continue
        for at in np.flatnonzero(np.abs(known - needed) <= 1e-2 * abs(needed)):
            words, value = factors[at]
            hint = hints.format(first=one.hint, second=words)
            both = Relation(
                "two-at-once",
                hint,
                lambda case, one=one, value=value: one.predict(case) * value(case),
            )
            if evidence.explained_by(both):
                return both
    return None


def _or_nan(value, case):
    try:
        return float(value(case))
    except ZeroDivisionError:
        return np.nan
