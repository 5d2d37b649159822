"""Where the wrong entries are, if they follow no rule of their own: at an end, behind a mask, in
rows of extreme numbers, or in the calls in which an argument has another value."""

import numpy as np

from grader.checking.compare import close
from grader.checking.relations.evidence import Relation, plain_inputs
from grader.checking.relations.outputs import _is_number
from grader.checking.relations.splits import split_relation
from grader.i18n import N_, _

ENDS = (
    ("first-entry", N_("All is right but the first entry."), lambda i, n: i == 0),
    ("last-entry", N_("All is right but the last entry."), lambda i, n: i == n - 1),
    ("ends", N_("All is right but the first and last entry."), lambda i, n: i % max(n - 1, 1) == 0),
)
LARGE = 50.0
MUCH_LONGER = 10
NEAR = 1e-2
TOLD = {0.0, 0.5, 1.0, 2.0}  # an argument's values that a hint may name: no hidden input is told


def place_relation(evidence) -> Relation | None:
    """The simplest description of the places that holds in every case."""
    if all(case.found.shape == case.wanted.shape for case in evidence.cases):
        found = (
            _not_finite(evidence)
            or _ends(evidence)
            or _flagged(evidence)
            or _addressed(evidence)
            or _zeros(evidence)
            or _signed(evidence)
            or _extreme(evidence)
        )
        if found:
            return found
    return _calls(evidence) or split_relation(evidence.cases)


def near_relation(evidence) -> Relation | None:
    """All numbers within a hundredth of the right ones, in every case."""
    for case in evidence.cases:
        if case.found.shape != case.wanted.shape or not np.isfinite(case.found).all():
            return None
        top = float(np.abs(case.wanted).max(initial=0.0))
        if not (np.abs(case.found - case.wanted) <= NEAR * top).all():
            return None
    hint = _(
        "All numbers are nearly right, within a hundredth. What is approximated, rounded, or added "
        "so that nothing is divided by 0?"
    )
    return Relation("nearly-right", hint)


def direction_relation(evidence) -> Relation | None:
    """The least that can be said: the numbers stand in the right order, or err in one direction."""
    rows = [case for case, _w in _wrong(evidence)]
    if len(rows) < 2 or any(case.found.shape != case.wanted.shape for case in rows):
        return None
    if not all(np.isfinite(case.found).all() for case in rows):
        return None
    if all(_ordered(case) for case in rows) and sum(case.found.size > 2 for case in rows) > 1:
        hint = _("Larger numbers stand where larger ones should, but their sizes are wrong.")
        return Relation("order-alone", hint)
    bad = [(case.found - case.wanted)[wrong] for case, wrong in _wrong(evidence)]
    apart = np.concatenate([np.ravel(one) for one in bad])
    if len(apart) < 3 or not ((apart > 0).all() or (apart < 0).all()):
        return None
    sizes = np.concatenate([(np.abs(c.found) - np.abs(c.wanted))[w] for c, w in _wrong(evidence)])
    if (sizes > 0).all():
        return Relation("too-large", _("All that is wrong is too large, or too far from 0."))
    if (sizes < 0).all():
        return Relation("too-small", _("All that is wrong is too small, or too near to 0."))
    if (apart > 0).all():
        return Relation("too-large", _("All that is wrong is too large. What is counted too much?"))
    return Relation("too-small", _("All that is wrong is too small. What is missing?"))


def _ordered(case):
    """Whether the numbers that came stand in the order of the right ones, and differ like them."""
    found, wanted = np.ravel(case.found), np.ravel(case.wanted)
    order = np.argsort(wanted, kind="stable")
    apart = np.diff(wanted[order]) > 1e-9
    return bool((np.diff(found[order])[apart] > 0).all())


def _wrong(evidence):
    return [(case, ~evidence.good(case)) for case in evidence.cases if not case.right]


def _not_finite(evidence):
    """Right but for entries that are no numbers at all, in calls of large inputs."""
    bad = [(case, wrong) for case, wrong in _wrong(evidence)]
    if any(np.isfinite(case.found[wrong]).any() for case, wrong in bad):
        return None
    if all(_largest(case) > LARGE for case, _w in bad):
        hint = _("The wrong entries are nan or inf, and come from large inputs: what overflows?")
        return Relation("overflow", hint)
    return Relation("not-finite", _("The wrong entries are nan or inf; all others are right."))


ZEROS = (
    (
        "not-zero",
        N_("All is right but where 0 is due: there something else stands."),
        lambda found, wanted: not wanted.any(),
    ),
    (
        "left-at-zero",
        N_("What is wrong is 0. Which entries are never written, or lost on the way?"),
        lambda found, wanted: not found.any(),
    ),
    (
        "some-signs",
        N_("Some numbers have the wrong sign; all sizes are right. What decides the sign?"),
        lambda found, wanted: bool(close(found, -wanted).all()),
    ),
)


def _zeros(evidence):
    """What the wrong entries have in common with the right ones, beside entries that are right."""
    rows = [(case.found[wrong], case.wanted[wrong]) for case, wrong in _wrong(evidence)]
    if not any(case.wanted.size > 2 and not wrong.all() for case, wrong in _wrong(evidence)):
        return None
    for name, hint, test in ZEROS:
        if all(test(found, wanted) for found, wanted in rows):
            return Relation(name, _(hint))
    ratios = np.concatenate([np.ravel(f / np.where(w == 0, np.nan, w)) for f, w in rows])
    if len(ratios) > 2 and np.isfinite(ratios).all() and np.ptp(ratios) < 1e-4 * abs(ratios[0]):
        hint = N_("Some numbers are right; all others are off by the same factor.")
        return Relation("some-factor", _(hint))
    return _mixed_in(evidence) or _misplaced(rows, evidence)


MIXED = (
    (N_("What is wrong is the right number times `{name}`."), np.multiply),
    (N_("What is wrong is the right number divided by `{name}`."), np.divide),
    (N_("What is wrong is the right number plus `{name}`."), np.add),
    (N_("What is wrong is the right number minus `{name}`."), np.subtract),
    (N_("What is wrong is `{name}` itself."), lambda _wanted, given: given),
)


def _mixed_in(evidence):
    """The wrong entries are the right ones with an input of their shape in it."""
    rows = _wrong(evidence)
    for name in evidence.cases[0].inputs:
        given = [case.inputs[name] for case, _w in rows]
        if not all(np.shape(one) == w.shape for one, (_c, w) in zip(given, rows)):
            continue
        for hint, way in MIXED:
            made = (way(c.wanted, np.asarray(one, float)) for one, (c, _w) in zip(given, rows))
            if all(close(c.found[w], m[w]).all() for m, (c, w) in zip(made, rows)):
                return Relation("some-mixed-with-input", _(hint).format(name=name))
    return None


def _misplaced(rows, evidence):
    """Each wrong number is the right one of another place."""
    wrong = _wrong(evidence)
    if sum(len(found) for found, _wanted in rows) < 4:
        return None
    for (found, _wanted), (case, _places) in zip(rows, wrong, strict=True):
        others = np.unique(case.wanted)
        if len(others) < 3 or not all(close(np.full(others.shape, x), others).any() for x in found):
            return None
    return Relation("misplaced", _("Right numbers came, but some stand in the wrong places."))


def _largest(case):
    arrays = [np.abs(np.asarray(x, float)) for x in case.inputs.values() if _numeric(x)]
    return max((float(np.nanmax(a)) for a in arrays if a.size), default=0.0)


def _numeric(value):
    return _is_number(value) or (isinstance(value, np.ndarray) and value.dtype.kind in "fiu")


def _ends(evidence):
    rows = [(case, wrong) for case, wrong in _wrong(evidence) if case.wanted.ndim]
    if len(rows) < len(_wrong(evidence)) or not any(case.wanted.shape[0] > 2 for case, _w in rows):
        return None
    for axis in (0, -1):
        for name, hint, inside in ENDS:
            if all(_only(wrong, axis, inside) for _case, wrong in rows):
                return Relation(name, _(hint))
    return None


def _only(wrong, axis, inside):
    """Whether every wrong entry, and nearly nothing else, is at such a place."""
    size = wrong.shape[axis]
    here = inside(np.arange(size), size)
    lines = np.moveaxis(wrong, axis, 0).reshape(size, -1).any(1)
    return bool((lines <= here).all()) and (here.sum() <= 2 or bool(lines[here].mean() > 0.5))


def _flagged(evidence):
    for name, value in evidence.cases[0].inputs.items():
        if not (isinstance(value, np.ndarray) and value.dtype == bool):
            continue
        for wanted, hint in (
            (True, N_("Right where `{name}` is false, wrong only where it is true.")),
            (False, N_("Right where `{name}` is true, wrong only where it is false.")),
        ):
            rows = _wrong(evidence)
            if all(_within(wrong, case.inputs.get(name), wanted) for case, wrong in rows):
                return Relation("wrong-where-flagged", _(hint).format(name=name))
    return None


def _within(wrong, flags, wanted):
    if not isinstance(flags, np.ndarray) or flags.shape != wrong.shape:
        return False
    return not (wrong & (flags != wanted)).any() and not (flags == wanted).all()


def _addressed(evidence):
    """Wrong only in the row, the column or the entry that whole-number arguments name; what they
    are an index of has the result's shape."""
    rows = _wrong(evidence)
    if not all(any(_like(g, w) for g in case.inputs.values()) for case, w in rows):
        return None
    names = [
        name
        for name, value in evidence.cases[0].inputs.items()
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    ]
    if not names or any(wrong.ndim < 2 for _case, wrong in rows):
        return None
    row, column = names[0], names[1] if len(names) > 1 else None
    if column and all(
        _confined(wrong, (case.inputs[row], case.inputs[column])) for case, wrong in rows
    ):
        hint = _("All is right but the entry [{row}, {column}].").format(row=row, column=column)
        return Relation("wrong-at-index", hint)
    for name, places in ((row, lambda x: (x,)), (column, lambda x: (slice(None), x))):
        if name and all(_confined(wrong, places(case.inputs[name])) for case, wrong in rows):
            hint = _("Wrong only where the index is {name}; all other entries are right.")
            return Relation("wrong-at-index", hint.format(name=name))
        if name and all(_beside(wrong, places(case.inputs[name])) for case, wrong in rows):
            hint = _("Right where the index is {name}, wrong elsewhere. What is written there?")
            return Relation("wrong-beside-index", hint.format(name=name))
    return None


def _confined(wrong, place):
    if not _inside(wrong, place):
        return False
    rest = wrong.copy()
    rest[place] = False
    return not rest.any()


def _like(given, wrong):
    floats = isinstance(given, np.ndarray) and given.dtype.kind == "f"
    return floats and given.shape == wrong.shape


def _beside(wrong, place):
    return _inside(wrong, place) and not wrong[place].any()


def _inside(array, place):
    """Whether the whole numbers are an index at all: others are counts, or tokens."""
    sizes = zip(place, array.shape)
    return all(isinstance(at, slice) or -size <= at < size for at, size in sizes)


SIGNS = (
    (N_("Right where `{name}` isn't negative, wrong only where it is."), lambda a: a < 0),
    (N_("Right where `{name}` isn't positive, wrong only where it is."), lambda a: a > 0),
    (N_("Right where `{name}` isn't 0, wrong only where it is."), lambda a: a == 0),
    (N_("Right where `{name}` isn't above 1, wrong only where it is."), lambda a: a > 1),
    (N_("Right where `{name}` isn't below 1, wrong only where it is."), lambda a: a < 1),
)


def _signed(evidence):
    """Wrong only where an input of the result's shape has a sign, or lies on one side of 1."""
    rows = _wrong(evidence)
    for name, value in evidence.cases[0].inputs.items():
        if not (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
            continue
        for hint, test in SIGNS:
            flags = [(w, np.asarray(test(np.asarray(c.inputs[name])))) for c, w in rows]
            if all(_within(wrong, here, True) for wrong, here in flags):
                return Relation("wrong-for-a-sign", _(hint).format(name=name))
    return None


def _extreme(evidence):
    """Wrong only in calls of large inputs, right in several others."""
    wrong = [case for case in evidence.cases if not case.right]
    right = [case for case in evidence.cases if case.right]
    if len(right) > 2 and min(map(_largest, wrong)) > max(LARGE, max(map(_largest, right))):
        hint = _("Ordinary inputs go right. What becomes of large ones, line by line?")
        return Relation("large-inputs", hint)
    return None


def _calls(evidence):
    """Right in the calls in which an argument has one value, or a length of 1, and in no other."""
    wrong = [case for case in evidence.cases if not case.right]
    right = [case for case in evidence.cases if case.right]
    if len(right) < 2:
        return None
    for name, value in evidence.cases[0].inputs.items():
        if _is_number(value):
            values = {
                float(case.inputs[name]) for case in right if _is_number(case.inputs.get(name))
            }
            others = {
                float(case.inputs[name]) for case in wrong if _is_number(case.inputs.get(name))
            }
            if len(values) == 1 and values <= TOLD and not values & others:
                hint = _(
                    "Right where {name} is {number:g}, and in no other call. Where is it used?"
                )
                hint = hint.format(name=name, number=values.pop())
                return Relation("right-for-one-value", hint)
        if isinstance(value, (list, np.ndarray)) and np.ndim(value):
            if all(_length(c, name) < 2 for c in right) and all(
                _length(c, name) > 1 for c in wrong
            ):
                hint = _("Right where `{name}` has one entry, wrong where it has more.")
                return Relation("right-for-one-entry", hint.format(name=name))
            if isinstance(value, np.ndarray) and value.dtype == bool:
                found = _any_flag(name, right, wrong)
                if found:
                    return found
    return None


def long_relation(exercise, cases, seen, expected) -> Relation | None:
    """Right in all calls but those that are much longer than any that goes right."""
    sizes = {True: [], False: []}
    for case, one, truth in zip(cases, seen, expected):
        right = exercise.ladder(case, one, truth) is None
        sizes[right].append(sum(map(_numbers_of, plain_inputs(exercise, case).values())))
    if len(sizes[True]) > 3 and min(sizes[False], default=0) > MUCH_LONGER * max(sizes[True]):
        hint = _("Short calls go right, and the longest goes wrong. What in yours has an end?")
        return Relation("wrong-when-long", hint)
    return None


def _numbers_of(value):
    return sum(map(_numbers_of, value)) if isinstance(value, list) else np.size(value)


def _length(case, name):
    try:
        return len(case.inputs[name])
    except (KeyError, TypeError):
        return 0


def _any_flag(name, right, wrong):
    def flags(case):
        return np.asarray(case.inputs.get(name, False), bool)

    if all(flags(c).any() for c in wrong) and not any(flags(c).any() for c in right):
        hint = _("Right where `{name}` is false throughout; wrong as soon as one is true.")
        return Relation("wrong-where-flagged", hint.format(name=name))
    if not any(flags(c).all() for c in wrong) and all(flags(c).all() for c in right):
        hint = _("Right where `{name}` is true throughout; wrong as soon as one is false.")
        return Relation("wrong-where-flagged", hint.format(name=name))
    return None
