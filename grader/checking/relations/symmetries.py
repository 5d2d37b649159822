"""What a whole input's change does to a wrong result, and what it should do (see asking.py):
doubled, raised, negated; its rows in another order, or each of them twice."""

import numpy as np

from grader.checking.relations.asking import RAISED, changes_of_call, truth_of
from grader.checking.relations.evidence import Relation
from grader.i18n import N_, _

CHANGES = {
    "doubled": N_("With every number of `{name}` doubled"),
    "negated": N_("With the other sign for every number of `{name}`"),
    "raised": N_("With the same number added to all of `{name}`"),
    "row-raised": N_("With the same number added to one row of `{name}`"),
    "column-raised": N_("With the same number added to one column of `{name}`"),
    "reordered": N_("With all rows (or entries) in another order"),
    "repeated": N_("With every row (or entry) twice"),
    "list-reordered": N_("With `{name}` in another order"),
    "list-repeated": N_("With every one of `{name}` twice"),
}


def _reordered(value):
    return np.roll(value, 1, 0) if value.ndim else value * np.nan


def _repeated(value):
    return np.repeat(value, 2, 0) if value.ndim else value * np.nan


# (words for the right result, words for the student's, what becomes of a result)
EFFECTS = (
    (N_("the right result stays as it is"), N_("yours stays as it is"), lambda r: r),
    (N_("the right result is doubled"), N_("yours is doubled"), lambda r: 2 * r),
    (
        N_("the right result is four times as large"),
        N_("yours is four times as large"),
        lambda r: 4 * r,
    ),
    (
        N_("the right result is eight times as large"),
        N_("yours is eight times as large"),
        lambda r: 8 * r,
    ),
    (
        N_("the right result grows by the root of 2 alone"),
        N_("yours grows by the root of 2 alone"),
        lambda r: 2**0.5 * r,
    ),
    (N_("the right result is halved"), N_("yours is halved"), lambda r: r / 2),
    (N_("the right result is a quarter"), N_("yours is a quarter"), lambda r: r / 4),
    (N_("the right result has the other sign"), N_("yours has the other sign"), lambda r: -r),
    (
        N_("the right result grows by that number"),
        N_("yours grows by that number"),
        lambda r: r + RAISED,
    ),
    (
        N_("the right result falls by that number"),
        N_("yours falls by that number"),
        lambda r: r - RAISED,
    ),
    (
        N_("the right result is the same in that order"),
        N_("yours is the same in that order"),
        _reordered,
    ),
    (N_("the right result has every row twice"), N_("yours has every row twice"), _repeated),
)
ORDER = ("reordered", "repeated", "raised", "doubled", "negated", "row-raised", "column-raised")
OF_ROWS = "reordered", "repeated"


def symmetry_relations(answers, lawful):
    """What should happen, and what happens instead. lawful: see Lawful."""
    for (how, part), wanted, found in _broken(answers):
        if wanted and found and not set(wanted) & set(found) and lawful(how, part, wanted):
            yield _told(how, part, _(EFFECTS[wanted[0]][0]), _(EFFECTS[found[0]][1]))


def lesser_symmetries(answers, lawful):
    """What should happen and doesn't; what happens and shouldn't."""
    for (how, part), wanted, found in _broken(answers):
        if wanted and found == [] and lawful(how, part, wanted):
            yield _told(how, part, _(EFFECTS[wanted[0]][0]), _("yours doesn't follow"))
    for (how, part), wanted, found in _broken(answers):
        if found and wanted == [] and how not in OF_ROWS:
            right = _("the right result follows no such rule")
            yield _told(how, part, right, _(EFFECTS[found[0]][1]))


def _broken(answers):
    """((how, part), effects of the right result, effects of the student's), most telling first."""
    groups = {}
    for one in answers:
        if one.how in ORDER:
            groups.setdefault((one.how, one.part), []).append(one)
    keys = sorted(groups, key=lambda key: ORDER.index(key[0]))
    return [(key, *_effects(groups[key])) for key in keys]


def _told(how, part, right, yours):
    which = f"list-{how}" if part and how in OF_ROWS else how
    change = _(CHANGES[which]).format(name=part)
    hint = _("{change}, {right}; {yours}.").format(change=change, right=right, yours=yours)
    return Relation(f"when-{how}", hint)


class Lawful:
    """Whether a right result behaves so in every case, not only in those that were changed. cases:
    of moderate size; read: from a truth to the array that is looked at."""

    def __init__(self, exercise, cases, read):
        self.exercise, self.cases, self.read = exercise, cases, read
        self.known = {}

    def __call__(self, how, part, effects):
        pairs = [pair for case in self.cases for pair in self._pairs(case, how, part)]
        return any(all(_is(EFFECTS[at][2], *pair) for pair in pairs) for at in effects)

    def _pairs(self, case, how, part):
        """(before, after) of what is right in this case."""
        before, others = self._asked(case)
        if before is None:
            return
        for one in others:
            if (one.how, one.part) == (how, part):
                truth = truth_of(self.exercise, one.case)
                if truth is not None and np.any(before):
                    yield before, self.read(truth)

    def _asked(self, case):
        if id(case) not in self.known:
            truth = truth_of(self.exercise, case)
            self.known[id(case)] = (
                (None, ()) if truth is None else (self.read(truth), changes_of_call(0, case))
            )
        return self.known[id(case)]


def _effects(rows):
    """(right, yours): the effects that hold in every call, as places in EFFECTS; None where no
    result says anything, since 0 stays 0 whatever happens to it."""
    sides = []
    for side in (1, 0):
        pairs = [(one.before[side], one.after[side]) for one in rows]
        told = [pair for pair in pairs if np.isfinite(pair[0]).all() and np.any(pair[0])]
        held = [n for n, effect in enumerate(EFFECTS) if all(_is(effect[2], *p) for p in told)]
        sides.append(held if told else None)
    return sides


def _is(effect, before, after):
    made = effect(np.asarray(before, float))
    if made.shape != np.shape(after) or not np.isfinite(after).all():
        return False
    scale = max(float(np.abs(made).max(initial=0.0)), 1e-6)
    return bool((np.abs(after - made) <= 1e-4 * scale).all())
