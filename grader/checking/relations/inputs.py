"""Relations by asking again: the right answer to another call than the one that was made.

The truth is computed for changed inputs: an argument fixed, negated or ignored, two of them
swapped, an array reversed or shifted, flags inverted.
"""

import inspect
from functools import partial
from itertools import combinations

import numpy as np

from grader.checking.case import Expected, labelled
from grader.checking.relations.evidence import Relation
from grader.checking.relations.outputs import _is_number, _moved
from grader.i18n import N_, _

NUMBERS = (0.0, 1.0, 0.1, 0.2, 0.3, 0.5, 0.9, 0.95, 0.98, 0.99, 2.0)
CHANGED_NUMBERS = (
    (N_("That is the answer for 1 - `{name}` in the place of `{name}`."), lambda x: 1 - x),
    (N_("That is the answer for -`{name}` in the place of `{name}`."), lambda x: -x),
    (N_("That is the answer for 1 / `{name}` in the place of `{name}`."), lambda x: 1 / x),
    (N_("That is the answer for the square of `{name}`."), lambda x: x * x),
    (N_("That is the answer for the root of `{name}`."), lambda x: x**0.5),
    (N_("That is the answer for twice `{name}`."), lambda x: 2 * x),
    (N_("That is the answer for half of `{name}`."), lambda x: x / 2),
    (N_("That is the answer for 1 + `{name}` in the place of `{name}`."), lambda x: 1 + x),
    (
        N_("That is the answer for 1 / (1 + `{name}`) in the place of `{name}`."),
        lambda x: 1 / (1 + x),
    ),
    (N_("That is the answer for `{name}` minus 1."), lambda x: x - 1),
    (N_("That is the answer for exp of `{name}`."), np.exp),
    (N_("That is the answer for the logarithm of `{name}`."), np.log),
)
CHANGED_FLAGS = (
    ("ignored-argument", N_("That is the answer if `{name}` were true everywhere."), np.ones_like),
    (
        "ignored-argument",
        N_("That is the answer if `{name}` were false everywhere."),
        np.zeros_like,
    ),
    ("inverted-flags", N_("That is the answer for `{name}` inverted."), np.logical_not),
)
COUNTED = (
    ("ignored-argument", N_("That is the answer for a `{name}` of zeros."), np.zeros_like),
    (
        "counted-from-one",
        N_("That is the answer for `{name}` minus 1: does it count from 0?"),
        lambda a: a - 1,
    ),
    (
        "counted-from-one",
        N_("That is the answer for `{name}` plus 1: does it count from 0?"),
        lambda a: a + 1,
    ),
)
CHANGED_ARRAYS = (
    ("ignored-argument", N_("That is the answer for a `{name}` of zeros."), np.zeros_like),
    ("ignored-argument", N_("That is the answer for a `{name}` of ones."), np.ones_like),
    ("argument-sign", N_("That is the answer for `{name}` with the other sign."), np.negative),
    ("changed-argument", N_("That is the answer for the absolute values of `{name}`."), np.abs),
    ("changed-argument", N_("That is the answer for exp of `{name}`."), np.exp),
    ("changed-argument", N_("That is the answer for the logarithm of `{name}`."), np.log),
    ("changed-argument", N_("That is the answer for the squares of `{name}`."), np.square),
    ("changed-argument", N_("That is the answer for twice `{name}`."), lambda a: a * 2),
    ("changed-argument", N_("That is the answer for half of `{name}`."), lambda a: a / 2),
    (
        "changed-argument",
        N_("That is the answer for `{name}` minus its mean."),
        lambda a: a - a.mean(),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` minus its smallest number."),
        lambda a: a - a.min(),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` minus its largest number."),
        lambda a: a - a.max(),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` divided by its largest size."),
        lambda a: a / np.abs(a).max(),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` whitened."),
        lambda a: (a - a.mean()) / (a.std() + 1e-8),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` whitened."),
        lambda a: (a - a.mean()) / (a.std(ddof=1) + 1e-8) if a.size > 1 else a,
    ),
    ("changed-argument", N_("That is the answer for the signs of `{name}` alone."), np.sign),
    ("changed-argument", N_("That is the answer for the root of `{name}`."), np.sqrt),
    (
        "changed-argument",
        N_("That is the answer with 0 for each negative number of `{name}`."),
        lambda a: np.maximum(a, 0),
    ),
    (
        "changed-argument",
        N_("That is the answer with 0 for each positive number of `{name}`."),
        lambda a: np.minimum(a, 0),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` divided by its standard deviation."),
        lambda a: a / (a.std() + 1e-8),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` divided by its sum."),
        lambda a: a / a.sum(),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` cut to [-1, 1]."),
        lambda a: np.clip(a, -1, 1),
    ),
    ("changed-argument", N_("That is the answer for 1 minus `{name}`."), lambda a: 1 - a),
    ("changed-argument", N_("That is the answer for 1 plus `{name}`."), lambda a: 1 + a),
    (
        "changed-argument",
        N_("That is the answer for `{name}` in powers of 2 instead of e."),
        lambda a: a * np.log(2),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` in powers of 10 instead of e."),
        lambda a: a * np.log(10),
    ),
    (
        "changed-argument",
        N_("That is the answer for the softmax of `{name}`."),
        lambda a: _softmax(a),
    ),
    ("changed-argument", N_("That is the answer for `{name}` rounded."), np.round),
)
MOVED_ARRAYS = (
    ("reversed-argument", N_("That is the answer for `{name}` in reversed order."), np.flip),
    (
        "shifted-argument",
        N_("That is the answer for `{name}` read one place too late."),
        lambda a, axis: np.roll(a, -1, axis),
    ),
    (
        "shifted-argument",
        N_("That is the answer for `{name}` read one place too early."),
        lambda a, axis: np.roll(a, 1, axis),
    ),
    (
        "shifted-argument",
        N_("That is the answer for `{name}` read one place too late."),
        lambda a, axis: _moved(a, -1, axis),
    ),
    (
        "shifted-argument",
        N_("That is the answer for `{name}` read one place too early."),
        lambda a, axis: _moved(a, 1, axis),
    ),
    (
        "changed-argument",
        N_("That is the answer for the mean of `{name}` at every place."),
        lambda a, axis: np.broadcast_to(a.mean(axis, keepdims=True), a.shape),
    ),
    (
        "changed-argument",
        N_("That is the answer for the first of `{name}` at every place."),
        lambda a, axis: np.broadcast_to(np.take(a, [0], axis), a.shape),
    ),
    (
        "changed-argument",
        N_("That is the answer for the last of `{name}` at every place."),
        lambda a, axis: np.broadcast_to(np.take(a, [-1], axis), a.shape),
    ),
    (
        "left-out",
        N_("That is the answer as if the first of `{name}` were 0."),
        lambda a, axis: _blank(a, 0, axis),
    ),
    (
        "left-out",
        N_("That is the answer as if the last of `{name}` were 0."),
        lambda a, axis: _blank(a, -1, axis),
    ),
    (
        "counted-twice",
        N_("That is the answer for a last of `{name}` of twice its size."),
        lambda a, axis: a + a - _blank(a, -1, axis),
    ),
    (
        "counted-twice",
        N_("That is the answer for a first of `{name}` of twice its size."),
        lambda a, axis: a + a - _blank(a, 0, axis),
    ),
    (
        "counted-twice",
        N_("That is the answer if the last of `{name}` came twice."),
        lambda a, axis: np.concatenate([a, np.take(a, [-1], axis)], axis),
    ),
    (
        "counted-twice",
        N_("That is the answer if the first of `{name}` came twice."),
        lambda a, axis: np.concatenate([np.take(a, [0], axis), a], axis),
    ),
    (
        "left-out",
        N_("That is the answer without the first of `{name}`."),
        lambda a, axis: np.delete(a, 0, axis),
    ),
    (
        "left-out",
        N_("That is the answer without the last of `{name}`."),
        lambda a, axis: np.delete(a, -1, axis),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` minus its mean along one axis."),
        lambda a, axis: a - a.mean(axis, keepdims=True),
    ),
    (
        "changed-argument",
        N_("That is the answer for the running sums of `{name}`."),
        lambda a, axis: np.cumsum(a, axis),
    ),
    (
        "changed-argument",
        N_("That is the answer for the running sums of `{name}` from the end."),
        lambda a, axis: np.flip(np.cumsum(np.flip(a, axis), axis), axis),
    ),
    (
        "changed-argument",
        N_("That is the answer for the differences of neighbours in `{name}`."),
        lambda a, axis: np.diff(a, axis=axis, prepend=0),
    ),
    (
        "changed-argument",
        N_("That is the answer for `{name}` whitened along one axis."),
        lambda a, axis: (a - a.mean(axis, keepdims=True)) / (a.std(axis, keepdims=True) + 1e-8),
    ),
    (
        "sorted-argument",
        N_("That is the answer for a sorted `{name}`."),
        lambda a, axis: np.sort(a, axis),
    ),
)
TURNED_ARRAYS = (
    (
        "transposed-argument",
        N_("That is the answer for `{name}` with rows and columns swapped."),
        lambda a: a.reshape(len(a), -1).T,
    ),
    (
        "flattened-argument",
        N_("That is the answer for `{name}` with its first two axes taken as one."),
        lambda a: a.reshape(-1, *a.shape[2:]),
    ),
    (
        "flattened-argument",
        N_("That is the answer for `{name}` as one row of numbers."),
        lambda a: a.reshape(1, -1),
    ),
)


def _softmax(a):
    weights = np.exp(a - a.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def _blank(a, place, axis):
    changed = np.moveaxis(a, axis, 0).copy()
    changed[place] = 0
    return np.moveaxis(changed, 0, axis)


def input_relations(exercise, evidence):
    """The relations, simplest first; each asks the exercise's truth anew."""
    first = evidence.cases[0].inputs
    for name, value in first.items():
        if _is_number(value):
            yield from _numbers(exercise, name)
    for one, other in combinations(first, 2):
        if _alike(first[one], first[other]):
            hint = _("That is the answer with `{one}` and `{other}` swapped.")
            hint = hint.format(one=one, other=other)
            yield asked(exercise, "swapped-arguments", hint, _swapping(one, other))
            hint = _("That is the answer with `{one}` in the place of `{other}`.")
            for here, there in ((one, other), (other, one)):
                text = hint.format(one=here, other=there)
                yield asked(exercise, "wrong-argument", text, _standing_in(here, there))
    yield from _all_but_one(exercise, first)
    for name, value in first.items():
        if isinstance(value, np.ndarray) and value.ndim:
            yield from _arrays(exercise, name, value, lambda way: way)
        elif plain_list(value):
            yield from _arrays(exercise, name, np.asarray(value), _on_lists)


def _all_but_one(exercise, inputs):
    """All arrays of one shape but one, read one place too early or too late."""
    for name, value in inputs.items():
        if not isinstance(value, np.ndarray) or not value.ndim:
            continue
        others = [
            other
            for other, one in inputs.items()
            if other != name and isinstance(one, np.ndarray) and one.shape == value.shape
        ]
        if len(others) < 2:
            continue
        for by, hint in (
            (-1, N_("That is the answer with all but `{name}` read one place too late.")),
            (1, N_("That is the answer with all but `{name}` read one place too early.")),
        ):
            moving = partial(_rolled, names=others, by=by)
            yield asked(exercise, "shifted-argument", _(hint).format(name=name), moving)


def _rolled(inputs, names, by):
    return inputs | {name: np.roll(inputs[name], by, -1) for name in names}


def plain_list(value):
    """Whether it is a list of numbers."""
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


def _on_lists(way):
    return lambda numbers, **axis: list(way(np.asarray(numbers, float), **axis))


def _numbers(exercise, name):
    default = inspect.signature(exercise.truth).parameters[name].default
    known = [default] if _is_number(default) else []
    for number in [*known, *NUMBERS]:
        hint = _("That is the answer for {name} = {number:g}, whatever `{name}` is handed in.")
        hint = hint.format(name=name, number=number)
        yield asked(exercise, "ignored-argument", hint, _changing(name, lambda _x, n=number: n))
        if known:
            yield _by_default(exercise, name, number)
    for hint, way in CHANGED_NUMBERS:
        yield asked(exercise, "changed-argument", _(hint).format(name=name), _changing(name, way))


def _by_default(exercise, name, number):
    hint = _("Calls that leave `{name}` out go wrong: what is its default in your first line?")
    right = asked(exercise, "", "", lambda inputs: inputs).predict
    other = asked(exercise, "", "", _changing(name, lambda _x: number)).predict
    return Relation(
        "other-default",
        hint.format(name=name),
        lambda case: right(case) if name in case.given else other(case),
    )


def _arrays(exercise, name, value, wrap):
    """wrap: from a way for arrays to one for what the input is."""
    whole = {"b": CHANGED_FLAGS, "i": COUNTED, "u": COUNTED}.get(value.dtype.kind, CHANGED_ARRAYS)
    for slug, hint, way in (*whole, *(TURNED_ARRAYS if value.ndim > 1 else ())):
        yield asked(exercise, slug, _(hint).format(name=name), _changing(name, wrap(way)))
    for axis in (0, -1):
        for slug, hint, way in MOVED_ARRAYS[: 5 if value.dtype.kind in "biu" else None]:
            moving = _changing(name, partial(wrap(way), axis=axis))
            yield asked(exercise, slug, _(hint).format(name=name), moving)


def _alike(one, other):
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.ndim > 0 and one.shape == other.shape and one.dtype == other.dtype
    return _is_number(one) and _is_number(other) and isinstance(one, type(other))


def _changing(name, way):
    return lambda inputs: {**inputs, name: way(inputs[name])} if name in inputs else None


def _swapping(one, other):
    return lambda inputs: {**inputs, one: inputs[other], other: inputs[one]}


def _standing_in(one, other):
    return lambda inputs: {**inputs, other: inputs[one]}


def asked(exercise, name, hint, change):
    """The relation "right for other inputs": what the truth says of the changed ones."""

    def predict(case):
        changed = change(case.inputs)
        if changed is None:
            return None
        truth = exercise.truth(**changed)
        value = truth.value if isinstance(truth, Expected) else truth
        parts = labelled(value)
        return parts.get(case.label, parts.get(""))

    return Relation(name, hint, predict)
