"""What may be done to a step's result that nobody asked for: way(x) -> x, with words of its own."""

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.checking.formulas.ways import COMMON, ODD, PLAUSIBLE, median
from grader.i18n import N_


def _away(x, axis=None):
    return x - v.mean(x, axis, True)


def _whitened(x, axis=None, ddof=0):
    return _away(x, axis) / (v.deviation(x, axis, ddof, True) + 1e-8)


def _everywhere(how, axis=None):
    return lambda x: how(x, axis, True) + x * 0


def moved(x, by, axis):
    """Shifted, with zeros in the free place."""
    moved = np.moveaxis(np.roll(np.asarray(x), by, axis), axis, 0).copy()
    moved[0 if by > 0 else -1] = 0
    return np.moveaxis(moved, 0, axis)


def _kept(x, by, axis):
    """Shifted, with the end's own number in the free place."""
    moved = np.moveaxis(np.roll(np.asarray(x), by, axis), axis, 0).copy()
    free = 0 if by > 0 else -1
    moved[free] = np.moveaxis(np.asarray(x), axis, 0)[free]
    return np.moveaxis(moved, 0, axis)


def without(x, place, axis):
    left = np.moveaxis(np.asarray(x), axis, 0).copy()
    left[place] = 0
    return np.moveaxis(left, 0, axis)


def _ranks(x):
    return np.argsort(np.argsort(np.ravel(x), kind="stable"), kind="stable").reshape(x.shape) * 1.0


def _by_place(x, axis, power, start=1.0):
    places = np.arange(start, x.shape[axis] + start) ** power
    shape = [1] * x.ndim
    shape[axis] = -1
    return x * places.reshape(shape)


def _running_mean(x, axis):
    return _by_place(np.cumsum(x, axis), axis, -1.0)


# (likelihood, slug, clause, way) for any number or array of numbers.
NUMBERS = (
    (COMMON, "sign-inside", N_("{what} has the other sign"), lambda x: -x),
    (COMMON, "size-inside", N_("only the size of {what} counts, not its sign"), abs),
    (COMMON, "power-inside", N_("{what} is squared"), lambda x: x**2),
    (COMMON, "scaled-inside", N_("{what} counts twice"), lambda x: 2 * x),
    (COMMON, "scaled-inside", N_("{what} counts half"), lambda x: x / 2),
    (COMMON, "left-out-inside", N_("{what} counts as 0"), lambda x: x * 0),
    (COMMON, "left-out-inside", N_("{what} counts as 1"), lambda x: x * 0 + 1.0),
    (COMMON, "function-inside", N_("the exponential of {what} is taken"), lambda x: v.exp(x)),
    (PLAUSIBLE, "function-inside", N_("the logarithm of {what} is taken"), lambda x: v.log(x)),
    (PLAUSIBLE, "function-inside", N_("the root of {what} is taken"), lambda x: abs(x) ** 0.5),
    (PLAUSIBLE, "turned-over", N_("1 over {what} is taken"), lambda x: 1.0 / x),
    (PLAUSIBLE, "one-minus-inside", N_("1 minus {what} is taken"), lambda x: 1 - x),
    (PLAUSIBLE, "one-off-inside", N_("{what} is 1 too large"), lambda x: x + 1),
    (PLAUSIBLE, "one-off-inside", N_("{what} is 1 too small"), lambda x: x - 1),
    (
        PLAUSIBLE,
        "signs-lost",
        N_("{what} counts as 0 where it is negative"),
        lambda x: v.maximum(x, x * 0),
    ),
    (
        PLAUSIBLE,
        "signs-lost",
        N_("{what} counts as 0 where it is positive"),
        lambda x: v.minimum(x, x * 0),
    ),
    (
        PLAUSIBLE,
        "signs-lost",
        N_("only the sign of {what} counts"),
        lambda x: (x > 0) * 1.0 - (x < 0) * 1.0,
    ),
    (ODD, "cut-inside", N_("{what} is cut to [-1, 1]"), lambda x: v.cut(x, -1.0, 1.0)),
    (ODD, "cut-inside", N_("{what} is cut to [0, 1]"), lambda x: v.cut(x, 0.0, 1.0)),
    (ODD, "cut-inside", N_("{what} is cut at 1"), lambda x: v.minimum(x, x * 0 + 1)),
    (ODD, "cut-inside", N_("{what} is never less than 1"), lambda x: v.maximum(x, x * 0 + 1)),
    (ODD, "power-inside", N_("{what} is raised to the third power"), lambda x: x**3),
    (ODD, "power-inside", N_("{what} is multiplied by its own size"), lambda x: x * abs(x)),
    (ODD, "scaled-inside", N_("{what} counts three times"), lambda x: 3 * x),
    (ODD, "scaled-inside", N_("{what} counts a third"), lambda x: x / 3),
    (ODD, "scaled-inside", N_("{what} counts a quarter"), lambda x: x / 4),
    (ODD, "scaled-inside", N_("{what} counts four times"), lambda x: 4 * x),
    (ODD, "function-inside", N_("{what} is divided by 1 minus itself"), lambda x: x / (1 - x)),
    (ODD, "function-inside", N_("{what} is divided by 1 plus itself"), lambda x: x / (1 + x)),
    (ODD, "rounded-inside", N_("{what} is rounded"), np.round),
    (ODD, "rounded-inside", N_("{what} is rounded down"), np.floor),
    (ODD, "rounded-inside", N_("{what} is rounded up"), np.ceil),
    (ODD, "function-inside", N_("tanh of {what} is taken"), np.tanh),
    (
        ODD,
        "function-inside",
        N_("the logistic function of {what} is taken"),
        lambda x: 1 / (1 + v.exp(-x)),
    ),
    (ODD, "function-inside", N_("exp of {what} minus 1 is taken"), lambda x: v.exp(x) - 1),
    (
        ODD,
        "function-inside",
        N_("1 is added to {what}, and the logarithm taken"),
        lambda x: v.log(1 + x),
    ),
)
# For arrays with an axis.
ARRAYS = (
    (
        COMMON,
        "averaged-inside",
        N_("the mean of {what} stands in every place"),
        (_everywhere(v.mean)),
    ),
    (COMMON, "summed-inside", N_("the sum of {what} stands in every place"), _everywhere(v.total)),
    (COMMON, "centred-inside", N_("the mean is taken off {what}"), _away),
    (COMMON, "whitened-inside", N_("{what} is whitened"), _whitened),
    (PLAUSIBLE, "whitened-inside", N_("{what} is whitened"), lambda x: _whitened(x, None, 1)),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by its deviation"),
        lambda x: x / (v.deviation(x) + 1e-8),
    ),
    (PLAUSIBLE, "scaled-inside", N_("{what} is divided by its sum"), lambda x: x / v.total(x)),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by its largest number"),
        lambda x: x / v.largest(x),
    ),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by its largest size"),
        lambda x: x / v.largest(abs(x)),
    ),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by its length as a vector"),
        lambda x: x / v.root(v.total(x * x)),
    ),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by the mean of its sizes"),
        lambda x: x / (v.mean(abs(x)) + 1e-8),
    ),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by the number of its rows"),
        lambda x: x / len(x),
    ),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is multiplied by the number of its rows"),
        lambda x: x * len(x),
    ),
    (
        PLAUSIBLE,
        "scaled-inside",
        N_("{what} is divided by the root of the number of its rows"),
        (lambda x: x / len(x) ** 0.5),
    ),
    (
        PLAUSIBLE,
        "everywhere-inside",
        N_("the largest of {what} stands in every place"),
        (_everywhere(v.largest)),
    ),
    (
        PLAUSIBLE,
        "everywhere-inside",
        N_("the smallest of {what} stands in every place"),
        (_everywhere(v.smallest)),
    ),
    (
        ODD,
        "everywhere-inside",
        N_("the median of {what} stands in every place"),
        (_everywhere(median)),
    ),
    (
        ODD,
        "centred-inside",
        N_("the median is taken off {what}"),
        lambda x: x - median(x, None, True),
    ),
    (ODD, "centred-inside", N_("the smallest is taken off {what}"), lambda x: x - v.smallest(x)),
    (ODD, "centred-inside", N_("the largest is taken off {what}"), lambda x: x - v.largest(x)),
    (
        ODD,
        "scaled-inside",
        N_("{what} is stretched to [0, 1]"),
        lambda x: (x - v.smallest(x)) / (v.largest(x) - v.smallest(x) + 1e-8),
    ),
    (ODD, "ranked-inside", N_("{what} counts by its rank alone"), _ranks),
)


def _along(axis):
    """Ways along one axis."""
    return (
        (COMMON, "order-inside", N_("{what} stands in reversed order"), lambda x: np.flip(x, axis)),
        (
            COMMON,
            "shifted-inside",
            N_("{what} is read one place too late"),
            lambda x: moved(x, -1, axis),
        ),
        (
            COMMON,
            "shifted-inside",
            N_("{what} is read one place too early"),
            lambda x: moved(x, 1, axis),
        ),
        (
            PLAUSIBLE,
            "shifted-inside",
            N_("{what} is read one place too late"),
            lambda x: np.roll(x, -1, axis),
        ),
        (
            PLAUSIBLE,
            "shifted-inside",
            N_("{what} is read one place too early"),
            lambda x: np.roll(x, 1, axis),
        ),
        (
            PLAUSIBLE,
            "shifted-inside",
            N_("{what} is read one place too late"),
            lambda x: _kept(x, -1, axis),
        ),
        (
            PLAUSIBLE,
            "shifted-inside",
            N_("{what} is read one place too early"),
            lambda x: _kept(x, 1, axis),
        ),
        (
            COMMON,
            "summed-inside",
            N_("running sums of {what} are taken"),
            lambda x: np.cumsum(x, axis),
        ),
        (
            COMMON,
            "summed-inside",
            N_("running sums of {what} from the end are taken"),
            lambda x: np.flip(np.cumsum(np.flip(x, axis), axis), axis),
        ),
        (
            PLAUSIBLE,
            "left-out-inside",
            N_("the first of {what} counts as 0"),
            lambda x: without(x, 0, axis),
        ),
        (
            PLAUSIBLE,
            "left-out-inside",
            N_("the last of {what} counts as 0"),
            lambda x: without(x, -1, axis),
        ),
        (
            PLAUSIBLE,
            "left-out-inside",
            N_("only the last of {what} counts"),
            lambda x: x - without(x, -1, axis),
        ),
        (
            PLAUSIBLE,
            "left-out-inside",
            N_("only the first of {what} counts"),
            lambda x: x - without(x, 0, axis),
        ),
        (
            PLAUSIBLE,
            "left-out-inside",
            N_("the first of {what} is left out"),
            lambda x: np.delete(x, 0, axis),
        ),
        (
            PLAUSIBLE,
            "left-out-inside",
            N_("the last of {what} is left out"),
            lambda x: np.delete(x, -1, axis),
        ),
        (
            PLAUSIBLE,
            "counted-twice-inside",
            N_("the last of {what} counts twice"),
            lambda x: 2 * x - without(x, -1, axis),
        ),
        (
            PLAUSIBLE,
            "counted-twice-inside",
            N_("the first of {what} counts twice"),
            lambda x: 2 * x - without(x, 0, axis),
        ),
        (
            PLAUSIBLE,
            "everywhere-inside",
            N_("the first of {what} stands in every place"),
            (lambda x: np.take(x, [0], axis) + x * 0),
        ),
        (
            PLAUSIBLE,
            "everywhere-inside",
            N_("the last of {what} stands in every place"),
            (lambda x: np.take(x, [-1], axis) + x * 0),
        ),
        (ODD, "sorted-inside", N_("{what} is sorted"), lambda x: np.sort(x, axis)),
        (
            ODD,
            "sorted-inside",
            N_("{what} is sorted, the largest first"),
            lambda x: np.flip(np.sort(x, axis), axis),
        ),
        (
            ODD,
            "by-place-inside",
            N_("{what} is multiplied by its place, counted from 1"),
            (lambda x: _by_place(x, axis, 1.0)),
        ),
        (
            ODD,
            "by-place-inside",
            N_("{what} is multiplied by its place, counted from 0"),
            (lambda x: _by_place(x, axis, 1.0, 0.0)),
        ),
        (
            ODD,
            "by-place-inside",
            N_("{what} is divided by its place, counted from 1"),
            (lambda x: _by_place(x, axis, -1.0)),
        ),
        (
            ODD,
            "averaged-inside",
            N_("running means of {what} are taken"),
            lambda x: _running_mean(x, axis),
        ),
        (
            ODD,
            "averaged-inside",
            N_("running means of {what} from the end are taken"),
            lambda x: np.flip(_running_mean(np.flip(x, axis), axis), axis),
        ),
        (
            ODD,
            "differences-inside",
            N_("differences of neighbours in {what} are taken"),
            lambda x: np.diff(x, axis=axis, prepend=np.take(x, [0], axis) * 0),
        ),
        (
            ODD,
            "running-largest",
            N_("the largest of {what} so far is taken"),
            lambda x: np.maximum.accumulate(x, axis),
        ),
        (
            ODD,
            "running-largest",
            N_("the largest of {what} still to come is taken"),
            lambda x: np.flip(np.maximum.accumulate(np.flip(x, axis), axis), axis),
        ),
        (
            ODD,
            "averaged-inside",
            N_("the mean of two neighbours in {what} is taken"),
            lambda x: (x + _kept(x, 1, axis)) / 2,
        ),
    )


ALONG = {axis: _along(axis) for axis in (0, -1)}
TABLES = tuple(
    row
    for axis in (0, -1)
    for row in (
        (
            PLAUSIBLE,
            "averaged-inside",
            N_("the mean of {what} along one axis stands in every place"),
            (_everywhere(v.mean, axis)),
        ),
        (
            PLAUSIBLE,
            "summed-inside",
            N_("the sum of {what} along one axis stands in every place"),
            (_everywhere(v.total, axis)),
        ),
        (
            PLAUSIBLE,
            "centred-inside",
            N_("the mean along one axis is taken off {what}"),
            (lambda x, axis=axis: _away(x, axis)),
        ),
        (
            PLAUSIBLE,
            "whitened-inside",
            N_("{what} is whitened along one axis"),
            (lambda x, axis=axis: _whitened(x, axis)),
        ),
        (
            PLAUSIBLE,
            "scaled-inside",
            N_("{what} is divided by its sum along one axis"),
            (lambda x, axis=axis: x / v.total(x, axis, True)),
        ),
        (
            ODD,
            "everywhere-inside",
            N_("the largest of {what} along one axis stands in every place"),
            (_everywhere(v.largest, axis)),
        ),
    )
) + (
    (PLAUSIBLE, "softmax-inside", N_("the softmax of {what} is taken"), v.softmax),
    (PLAUSIBLE, "transposed-inside", N_("{what} has rows and columns swapped"), lambda x: x.T),
)
