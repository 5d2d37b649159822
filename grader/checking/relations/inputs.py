"""Relations by asking again: the right answer to another call than the one that was made.

The truth is computed for changed inputs: an argument fixed, negated or ignored, two of them
swapped, an array reversed or shifted, flags inverted.
"""

import inspect
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
        N_("That is the answer for `{name}` whitened."),
        lambda a: (a - a.mean()) / (a.std() + 1e-8),
    ),
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
)


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
            yield _asked(exercise, "swapped-arguments", hint, _swapping(one, other))
    for name, value in first.items():
        if isinstance(value, np.ndarray) and value.ndim:
            yield from _arrays(exercise, name, value)


def _numbers(exercise, name):
    default = inspect.signature(exercise.truth).parameters[name].default
    known = [default] if _is_number(default) else []
    for number in [*known, *NUMBERS]:
        hint = _("That is the answer for {name} = {number:g}, whatever `{name}` is handed in.")
        hint = hint.format(name=name, number=number)
        yield _asked(exercise, "ignored-argument", hint, _changing(name, lambda _x, n=number: n))
    for hint, way in CHANGED_NUMBERS:
        yield _asked(exercise, "changed-argument", _(hint).format(name=name), _changing(name, way))


def _arrays(exercise, name, value):
    whole = CHANGED_FLAGS if value.dtype == bool else CHANGED_ARRAYS
    if value.dtype.kind in "iu":
        whole = CHANGED_ARRAYS[:1]
    for slug, hint, way in whole:
        yield _asked(exercise, slug, _(hint).format(name=name), _changing(name, way))
    for axis in dict.fromkeys((0, value.ndim - 1)):
        for slug, hint, way in MOVED_ARRAYS[: 5 if value.dtype.kind in "biu" else None]:
            moving = _changing(name, lambda a, way=way, axis=axis: way(a, axis=axis))
            yield _asked(exercise, slug, _(hint).format(name=name), moving)


def _alike(one, other):
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.ndim > 0 and one.shape == other.shape and one.dtype == other.dtype
    return _is_number(one) and _is_number(other) and isinstance(one, type(other))


def _changing(name, way):
    return lambda inputs: {**inputs, name: way(inputs[name])} if name in inputs else None


def _swapping(one, other):
    return lambda inputs: {**inputs, one: inputs[other], other: inputs[one]}


def _asked(exercise, name, hint, change):
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
