"""Relations that can be told from the right result alone: factors, offsets, order, norm, shape."""

from functools import partial
from itertools import permutations

import numpy as np

from grader.checking.relations.evidence import Relation
from grader.i18n import N_, _

# (name, hint, from the right result to the wrong one)
WHOLE = (
    ("other-sign", N_("Every number has the wrong sign."), np.negative),
    ("absolute-value", N_("The numbers are right but for their signs: none is negative."), np.abs),
    (
        "zeros",
        N_("Every number is 0. What was meant to be added up, or written into it?"),
        np.zeros_like,
    ),
    ("squared", N_("Every number is the square of the right one."), np.square),
    (
        "rooted",
        N_("Every number is the square root of the right one."),
        lambda w: np.sqrt(np.abs(w)),
    ),
    ("in-logs", N_("Every number is the logarithm of the right one."), np.log),
    ("in-logs", N_("Every number is the right one in decibels."), lambda w: 10 * np.log10(w)),
    (
        "other-base",
        N_("The logarithm has base 10. The natural one is asked."),
        lambda w: w / np.log(10),
    ),
    (
        "other-base",
        N_("The logarithm has base 2. The natural one is asked."),
        lambda w: w / np.log(2),
    ),
    ("exponential", N_("Every number is the exponential of the right one."), np.exp),
    ("inverted", N_("Every number is one over the right one."), lambda w: 1 / w),
    (
        "first-order",
        N_("1 plus the logarithm of the right number came back: right near 1 alone."),
        lambda w: 1 + np.log(w),
    ),
    ("one-minus", N_("Every number is 1 minus the right one."), lambda w: 1 - w),
    (
        "complement",
        N_("The logarithm of 1 minus the right probability came back."),
        lambda w: np.log(-np.expm1(w)),
    ),
    (
        "complement",
        N_("The logarithm of 1 plus the right probability came back."),
        lambda w: np.log1p(np.exp(w)),
    ),
    ("rounded", N_("The numbers are rounded: whole numbers came back."), np.round),
    ("cut-off", N_("The numbers are cut off to whole numbers."), np.trunc),
    ("not-negative", N_("What should be negative is 0."), lambda w: np.maximum(w, 0)),
    ("not-positive", N_("What should be positive is 0."), lambda w: np.minimum(w, 0)),
)
ALONG = (
    ("reversed", N_("The numbers are right, in reversed order."), np.flip),
    ("sorted", N_("The numbers are right, but sorted."), np.sort),
    ("cumulated", N_("The numbers are running sums of the right ones."), np.cumsum),
    (
        "cumulated",
        N_("The numbers are running sums of the right ones, from the end."),
        lambda w, axis: np.flip(np.cumsum(np.flip(w, axis), axis), axis),
    ),
    (
        "largest-alone",
        N_("1 stands where the largest of the right numbers is, and 0 elsewhere."),
        lambda w, axis: (w == w.max(axis, keepdims=True)).astype(float),
    ),
    (
        "averaged",
        N_("Along one axis all numbers are the mean of the right ones."),
        lambda w, axis: np.broadcast_to(w.mean(axis, keepdims=True), w.shape),
    ),
    (
        "summed",
        N_("Along one axis all numbers are the sum of the right ones."),
        lambda w, axis: np.broadcast_to(w.sum(axis, keepdims=True), w.shape),
    ),
    (
        "mean-taken-off",
        N_("The right numbers minus their mean came back."),
        lambda w, axis: w - w.mean(axis, keepdims=True),
    ),
    (
        "normalised",
        N_("The right numbers came back divided by their sum."),
        lambda w, axis: w / w.sum(axis, keepdims=True),
    ),
    (
        "normalised",
        N_("The right numbers came back divided by their largest."),
        lambda w, axis: w / w.max(axis, keepdims=True),
    ),
    (
        "normalised",
        N_("The right numbers came back divided by their length."),
        lambda w, axis: w / np.linalg.norm(w, axis=axis, keepdims=True),
    ),
)
# A row of one number, or of equal ones, whitens to 0.
WHITENED = tuple(
    (
        "whitened",
        N_("The right numbers came back with mean 0 and standard deviation 1."),
        lambda w, axis, ddof=ddof: (
            (w - w.mean(axis, keepdims=True)) / (w.std(axis, keepdims=True, ddof=ddof) + 1e-8)
        ),
    )
    for ddof in (0, 1)
)
RESHAPED = (
    (
        "flattened",
        N_("The numbers are right, but in one row: an axis was lost."),
        lambda w: w.ravel() if w.ndim > 1 else w,
    ),
    ("transposed", N_("The numbers are right, with the axes swapped."), np.transpose),
    *(
        (
            "transposed",
            N_("The numbers are right, with the axes in another order."),
            partial(np.transpose, axes=order),
        )
        for order in ((1, 2, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2))
    ),
    (
        "axis-too-many",
        N_("The numbers are right, with an axis of length 1 too many in front."),
        lambda w: w[None],
    ),
    (
        "axis-too-many",
        N_("The numbers are right, with an axis of length 1 too many at the end."),
        lambda w: w[..., None],
    ),
    ("total", N_("The sum of the right numbers came back; each of them is asked."), np.sum),
    ("mean", N_("The mean of the right numbers came back; each of them is asked."), np.mean),
    ("one-short", N_("The last entry is missing."), lambda w: w[:-1]),
    ("one-short", N_("The first entry is missing."), lambda w: w[1:]),
    ("one-short", N_("The last column is missing."), lambda w: w[..., :-1]),
    ("one-short", N_("The first column is missing."), lambda w: w[..., 1:]),
    (
        "last-everywhere",
        N_("The last of the right numbers stands in every place."),
        lambda w: np.broadcast_to(w[-1:], w.shape),
    ),
    (
        "first-everywhere",
        N_("The first of the right numbers stands in every place."),
        lambda w: np.broadcast_to(w[:1], w.shape),
    ),
    (
        "differences",
        N_("The differences of neighbours came back, not the numbers themselves."),
        lambda w: np.diff(w, axis=0, prepend=w[:1] * 0),
    ),
    ("product", N_("The product of the right numbers came back; each is asked."), np.prod),
    ("largest", N_("The largest of the right numbers came back; each is asked."), np.max),
    ("first-alone", N_("The first entry alone came back."), lambda w: w[0]),
    ("last-alone", N_("The last entry alone came back."), lambda w: w[-1]),
)
# From what came to the right result: a step that is missing at the end.
MISSING = (
    ("not-reduced", N_("Many numbers came back; their sum is right."), np.sum),
    ("not-reduced", N_("Many numbers came back; their mean is right."), np.mean),
    ("not-reduced", N_("Many numbers came back; minus their mean is right."), lambda f: -f.mean()),
    ("one-too-many", N_("There is one entry too many, at the end."), lambda f: f[:-1]),
    ("one-too-many", N_("There is one entry too many, at the start."), lambda f: f[1:]),
    ("one-too-many", N_("There is one column too many, at the end."), lambda f: f[..., :-1]),
    ("one-too-many", N_("There is one column too many, at the start."), lambda f: f[..., 1:]),
)
CONSTANTS = (2.0, 3.0, 4.0, 10.0, np.log(2), np.log(10), np.pi)


def output_relations(evidence):
    """The relations, simplest first."""
    yield from (_simple(*row) for row in WHOLE)
    yield from _factors(evidence)
    yield from _offsets(evidence)
    yield from _with_inputs(evidence)
    for axis in (0, -1, None):
        yield from (_along(*row, axis) for row in (*ALONG, *WHITENED))
    for axis in (0, -1):
        yield from _shifts(axis)
    yield from (_simple(*row) for row in RESHAPED)
    yield from (_missing(*row) for row in MISSING)
    for axis in (0, -1):
        for way, word in ((np.sum, N_("sum")), (np.mean, N_("mean"))):
            hint = N_("One axis is still there; its {word} is right.")
            yield _missing("not-reduced", _(hint).format(word=_(word)), partial(way, axis=axis))


def _simple(name, hint, way):
    return Relation(name, _(hint), lambda case: way(case.wanted))


def _along(name, hint, way, axis):
    """A single number has no axis: NumPy makes one for it, and the sum along that is the number."""
    return Relation(
        name, _(hint), lambda case: way(case.wanted, axis=axis) if case.wanted.ndim else None
    )


def _missing(name, hint, way):
    """A relation that holds where the way from what came leads to the truth."""

    def predict(case):
        if case.right or case.found.shape == case.wanted.shape:
            return None
        made = np.asarray(way(case.found), dtype=float)
        good = made.shape == case.wanted.shape and np.allclose(made, case.wanted, 1e-4, 1e-6)
        return case.found if good else None

    return Relation(name, _(hint), predict)


def _factors(evidence):
    for number in CONSTANTS:
        yield _factor(_("{c:.4g} times").format(c=number), lambda case, c=number: c)
        words = _("one part in {c:.4g} of").format(c=number)
        yield _factor(words, lambda case, c=number: 1 / c)
    for words, value in quantities(evidence):
        yield _factor(_("{what} times").format(what=words), value)
        words = _("as many times too small as {what} says:").format(what=words)
        yield _factor(words, lambda case, value=value: 1 / value(case))
    yield from _quotients(evidence)


POWERS = ((0.5, N_("the root of {what} times")), (-0.5, N_("1 / root of {what} times")))


def _quotients(evidence):
    """One size in the place of another, or its root: divided by the wrong one. The smallest call
    tells which may be meant."""
    known = list(quantities(evidence))
    first = evidence.cases[0]
    needed = factor_between(first.wanted, first.found)
    if needed is None:
        return
    values = [float(value(first)) for _words, value in known]
    near = _near(needed)
    for at, over in permutations(range(len(known)), 2):
        if values[over] and near(values[at] / values[over]):
            one, other = known[at], known[over]
            words = _("{one}, divided by {other}, times").format(one=one[0], other=other[0])
            yield _factor(words, lambda case, a=one[1], b=other[1]: a(case) / b(case))
    for (words, value), number in zip(known, values, strict=True):
        for power, text in POWERS:
            if number > 0 and near(number**power):
                words = _(text).format(what=words)
                yield _factor(words, lambda case, v=value, p=power: v(case) ** p)


def _near(needed):
    return lambda number: abs(number - needed) <= 1e-2 * abs(needed)


def factor_between(wanted, found):
    """About how many times what is wanted came, read off its largest number; None where it is 0, or
    of another shape."""
    if np.shape(found) != np.shape(wanted) or not np.size(wanted):
        return None
    at = int(np.argmax(np.abs(wanted)))
    largest = float(np.ravel(wanted)[at])
    return float(np.ravel(found)[at]) / largest if largest else None


def _factor(words, value):
    """Every number is c times what it should be."""
    hint = _("Every number is {words} what it should be.").format(words=words)
    return Relation("other-factor", hint, lambda case: value(case) * case.wanted)


def _offsets(evidence):
    hint = _("Every number is off by the same amount, in all calls.")
    first = evidence.cases[0]
    if first.found.shape == first.wanted.shape and first.wanted.size:
        apart = float(np.ravel(first.found - first.wanted)[0])
        if np.isfinite(apart) and abs(apart) > 1e-6:
            apart = round(apart, 4)
            yield Relation("offset", hint, lambda case: case.wanted + apart)
    for words, value in quantities(evidence):
        for sign, hint in (
            (1, N_("Every number is too large by {what}.")),
            (-1, N_("Every number is too small by {what}.")),
        ):
            text = _(hint).format(what=words)
            yield Relation(
                "offset", text, lambda case, s=sign, value=value: case.wanted + s * value(case)
            )
    yield Relation(
        "offset",
        _("The numbers are right up to a constant: all of a call are off by the same amount."),
        _same_amount,
    )


def _with_inputs(evidence):
    """The right result with an input of its own shape added, taken off, multiplied or divided."""
    ways = (
        (N_("What came is the right result minus `{name}`."), np.subtract),
        (N_("What came is the right result plus `{name}`."), np.add),
        (N_("What came is the right result times `{name}`."), np.multiply),
        (N_("What came is the right result divided by `{name}`."), np.divide),
    )
    for name, value in evidence.cases[0].inputs.items():
        if isinstance(value, np.ndarray) and value.ndim:
            for hint, way in ways:
                yield Relation(
                    "mixed-with-input",
                    _(hint).format(name=name),
                    lambda case, way=way, name=name: way(case.wanted, case.inputs[name]),
                )


def _same_amount(case):
    if case.right or case.found.size < 3 or case.found.shape != case.wanted.shape:
        return None
    return case.wanted + np.mean(case.found - case.wanted)


def quantities(evidence):
    """(words, case -> number): the sizes and plain numbers that stand in every call."""
    for name in evidence.cases[0].inputs:
        if all(_is_number(case.inputs.get(name)) for case in evidence.cases):
            yield f"`{name}`", lambda case, name=name: float(case.inputs[name])
            yield f"1 - `{name}`", lambda case, name=name: 1 - float(case.inputs[name])
            continue
        dims = {np.ndim(case.inputs.get(name)) for case in evidence.cases if _sized(case, name)}
        if not all(_sized(case, name) for case in evidence.cases):
            continue
        words = _("the length of `{name}`").format(name=name)
        yield words, lambda case, name=name: float(len(case.inputs[name]))
        yield from _counts(evidence, name)
        less = _("the length of `{name}` minus 1").format(name=name)
        yield less, lambda case, name=name: float(len(case.inputs[name]) - 1)
        if max(dims) > 1 and all(isinstance(c.inputs[name], np.ndarray) for c in evidence.cases):
            words = _("the last axis of `{name}`").format(name=name)
            yield words, lambda case, name=name: float(case.inputs[name].shape[-1])
            words = _("the number of entries of `{name}`").format(name=name)
            yield words, lambda case, name=name: float(case.inputs[name].size)


COUNTS = (
    (N_("the number of true entries of `{name}`"), np.sum),
    (N_("the number of rows of `{name}` with a true entry"), lambda m: m.any(-1).sum()),
    (N_("the true entries of the fullest row of `{name}`"), lambda m: m.sum(-1).max()),
    (
        N_("the true entries of the first row of `{name}`"),
        lambda m: m.reshape(-1, m.shape[-1])[0].sum(),
    ),
)


def _counts(evidence, name):
    """What can be counted in flags; 1 where that is 0."""
    if not all(np.asarray(case.inputs[name]).dtype == bool for case in evidence.cases):
        return
    for words, way in COUNTS:
        yield (
            _(words).format(name=name),
            lambda case, way=way: max(1.0, float(way(np.asarray(case.inputs[name])))),
        )


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


def _sized(case, name):
    value = case.inputs.get(name)
    return isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _shifts(axis):
    later = N_("The numbers are right, but each stands one place too late.")
    early = N_("The numbers are right, but each stands one place too early.")
    for step, hint in ((1, later), (-1, early)):
        yield _simple("shifted", hint, partial(np.roll, shift=step, axis=axis))
        yield _simple("shifted", hint, partial(_moved, step=step, axis=axis))
        yield _simple("shifted", hint, partial(_moved, step=step, axis=axis, filled=True))


def _moved(array, step, axis, filled=False):
    """Shifted by one place; the free place holds 0, or what stood there."""
    moved = np.moveaxis(np.roll(array, step, axis), axis, 0).copy()
    free = 0 if step > 0 else -1
    moved[free] = np.moveaxis(array, axis, 0)[free] if filled else 0
    return np.moveaxis(moved, 0, axis)
