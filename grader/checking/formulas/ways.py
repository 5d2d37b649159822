"""The ways in which one step of a formula goes wrong, by the kind of step.

A way answers in the step's place: way(how, *operands, **settings). Each has words, a clause that
completes "That comes out where ...".
"""

import operator

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.i18n import N_

LIKELY, COMMON, PLAUSIBLE, ODD = 0, 1, 2, 3


def with_how(other):
    """The same operands, taken by something else."""
    return lambda _how, *operands, **settings: other(*operands, **settings)


def left(_how, a, _b):
    return a


def right(_how, _a, b):
    return b


def turned(how, a, b):
    return how(b, a)


LEFT_OUT_A = "left-out-inside", N_("{a} is left out"), left
LEFT_OUT_B = "left-out-inside", N_("{b} is left out"), right
WITHOUT_A = "left-out-inside", N_("{a} is left out"), right
WITHOUT_B = "left-out-inside", N_("{b} is left out"), left
OPERATION = "other-operation"
# Kind of step -> (slug, clause, way), likeliest first.
STEPS = {
    "Add": (
        (OPERATION, N_("{b} is taken off {a}, not added"), with_how(operator.sub)),
        WITHOUT_B,
        WITHOUT_A,
        (OPERATION, N_("{a} and {b} are multiplied, not added"), with_how(operator.mul)),
        (OPERATION, N_("the larger of {a} and {b} is taken, not their sum"), with_how(v.maximum)),
        (OPERATION, N_("the smaller of {a} and {b} is taken, not their sum"), with_how(v.minimum)),
        (OPERATION, N_("{a} is taken off {b}, not added"), lambda _h, a, b: b - a),
        (
            OPERATION,
            N_("{b} stands under a root with the square of {a}"),
            lambda _h, a, b: (a * a + b) ** 0.5,
        ),
    ),
    "Sub": (
        (OPERATION, N_("{b} is added to {a}, not taken off"), with_how(operator.add)),
        WITHOUT_B,
        WITHOUT_A,
        ("sign-inside", N_("the difference of {a} and {b} has the other sign"), turned),
        ("left-out-inside", N_("{a} is left out"), lambda _h, _a, b: -b),
        (OPERATION, N_("{a} is divided by {b}, which should be taken off"), with_how(np.divide)),
        (OPERATION, N_("{a} and {b} are multiplied"), with_how(operator.mul)),
        (
            OPERATION,
            N_("only the size of the difference of {a} and {b} counts"),
            (lambda _h, a, b: abs(a - b)),
        ),
    ),
    "Mult": (
        WITHOUT_A,
        WITHOUT_B,
        (OPERATION, N_("{a} is divided by {b}, not multiplied"), with_how(operator.truediv)),
        (OPERATION, N_("{b} is added to {a}, not multiplied by it"), with_how(operator.add)),
        (OPERATION, N_("{b} is divided by {a}, not multiplied"), lambda _h, a, b: b / a),
        (OPERATION, N_("{b} is taken off {a}, not multiplied by it"), with_how(operator.sub)),
        (OPERATION, N_("{a} counts twice as a factor"), lambda _h, a, b: a * a * b),
        (OPERATION, N_("{b} counts twice as a factor"), lambda _h, a, b: a * b * b),
        (
            OPERATION,
            N_("the smaller of {a} and {b} is taken, not their product"),
            (with_how(v.minimum)),
        ),
    ),
    "Div": (
        WITHOUT_B,
        (OPERATION, N_("{a} is multiplied by {b}, not divided"), with_how(operator.mul)),
        ("turned-over", N_("the quotient of {a} and {b} is turned over"), turned),
        (
            OPERATION,
            N_("{b} is taken off {a}, which should be divided by it"),
            (with_how(operator.sub)),
        ),
        (OPERATION, N_("{b} is rooted before {a} is divided by it"), lambda _h, a, b: a / b**0.5),
        (OPERATION, N_("{a} is divided by the square of {b}"), lambda _h, a, b: a / b**2),
        ("one-off-inside", N_("{a} is divided by one less"), lambda _h, a, b: a / (b - 1)),
        ("one-off-inside", N_("{a} is divided by one more"), lambda _h, a, b: a / (b + 1)),
    ),
    "Pow": (
        ("power-inside", N_("{a} is not raised to any power"), left),
        (OPERATION, N_("{a} is multiplied by {b}, not raised to it"), with_how(operator.mul)),
        ("power-inside", N_("the power of {a} is one too large"), lambda _h, a, b: a ** (b + 1)),
        ("power-inside", N_("the power of {a} is one too small"), lambda _h, a, b: a ** (b - 1.0)),
        ("power-inside", N_("{a} counts as 1, whatever its power"), lambda _h, a, b: a**b * 0 + 1),
        ("power-inside", N_("the power of {a} is doubled"), lambda _h, a, b: a ** (2 * b)),
        ("power-inside", N_("the power of {a} runs backwards"), lambda _h, a, b: a ** b[::-1]),
        ("power-inside", N_("{b} is raised to the power {a}"), lambda _h, a, b: b**a),
        ("power-inside", N_("only the size of {a} counts"), lambda _h, a, b: abs(a)),
    ),
    "BitAnd": (
        ("condition-inside", N_("one of two conditions is enough"), with_how(operator.or_)),
        ("condition-inside", N_("{b} is not asked for"), left),
        ("condition-inside", N_("{a} is not asked for"), right),
        ("condition-inside", N_("just one of two conditions holds"), with_how(operator.xor)),
    ),
    "BitOr": (
        ("condition-inside", N_("both of two conditions are asked for"), with_how(operator.and_)),
        ("condition-inside", N_("{b} is not asked for"), left),
        ("condition-inside", N_("{a} is not asked for"), right),
        ("condition-inside", N_("just one of two conditions holds"), with_how(operator.xor)),
    ),
    "USub": (("sign-inside", N_("a minus is missing before {a}"), lambda _h, a: a),),
    "Invert": (("condition-inside", N_("a not is missing before {a}"), lambda _h, a: a),),
    "Not": (("condition-inside", N_("a not is missing before {a}"), lambda _h, a: bool(a)),),
    "If": (
        ("condition-inside", N_("{a} is taken for true every time"), lambda _h, a: True),
        ("condition-inside", N_("{a} is taken for false every time"), lambda _h, a: False),
        ("condition-inside", N_("{a} is asked the wrong way round"), lambda _h, a: not a),
    ),
    "matrix_product": (),
}
COMPARE = {
    "Gt": (operator.ge, operator.lt),
    "GtE": (operator.gt, operator.le),
    "Lt": (operator.le, operator.gt),
    "LtE": (operator.lt, operator.ge),
    "Eq": (operator.ne, operator.ge),
    "NotEq": (operator.eq, operator.gt),
}
for _kind, (_strict, _other) in COMPARE.items():
    STEPS[_kind] = (
        (
            "comparison-inside",
            N_("the case of equality falls on the other side"),
            with_how(_strict),
        ),
        ("comparison-inside", N_("{a} and {b} are compared the wrong way round"), with_how(_other)),
    )
STEPS["Eq"] = (("comparison-inside", N_("equal and unequal are swapped"), with_how(operator.ne)),)


def median(x, axis=None, keep=False):
    return np.median(np.asarray(x), axis, keepdims=keep and axis is not None)


def first(x, axis=None, keep=False):
    if axis is None:
        return x.reshape(-1)[0]
    found = np.take(x, [0], axis)
    return found if keep else found.squeeze(axis)


def last(x, axis=None, keep=False):
    if axis is None:
        return x.reshape(-1)[-1]
    found = np.take(x, [-1], axis)
    return found if keep else found.squeeze(axis)


def mean_size(x, axis=None, keep=False):
    return v.mean(abs(x), axis, keep)


def mean_square(x, axis=None, keep=False):
    return v.mean(x**2, axis, keep)


def length(x, axis=None, keep=False):
    return v.root(v.total(x**2, axis, keep))


def product(x, axis=None, keep=False):
    return np.prod(x, axis, keepdims=keep and axis is not None)


def _rows(x, axis, keep):
    return x.shape[0] if axis is None else x.shape[axis]


def by_rows(x, axis=None, keep=False):
    """A sum of all, divided by the number of rows alone."""
    return v.total(x, axis, keep) / x.shape[0]


def by_columns(x, axis=None, keep=False):
    return v.total(x, axis, keep) / x.shape[-1]


def by_root(x, axis=None, keep=False):
    return v.total(x, axis, keep) / _rows(x, axis, keep) ** 0.5


def one_less(x, axis=None, keep=False):
    count = x.shape[axis] if axis is not None else np.size(x)
    return v.total(x, axis, keep) / (count - 1)


def without_zeros(x, axis=None, keep=False):
    return v.total(x, axis, keep) / np.maximum((x != 0).sum(axis, keepdims=keep), 1)


def along_rows(how):
    return lambda _how, x, axis=None, keep=False: how(how(x, -1), 0)


REDUCTIONS = (
    (N_("the sum of {a} is taken, not its {word}"), v.total),
    (N_("the mean of {a} is taken, not its {word}"), v.mean),
    (N_("the largest of {a} is taken, not its {word}"), v.largest),
    (N_("the smallest of {a} is taken, not its {word}"), v.smallest),
    (N_("the median of {a} is taken, not its {word}"), median),
    (N_("the first of {a} is taken, not its {word}"), first),
    (N_("the last of {a} is taken, not its {word}"), last),
    (N_("the standard deviation of {a} is taken, not its {word}"), v.deviation),
    (N_("the variance of {a} is taken, not its {word}"), v.variance),
    (N_("the mean size of {a} is taken, not its {word}"), mean_size),
    (N_("the mean square of {a} is taken, not its {word}"), mean_square),
    (N_("the length of {a} as a vector is taken, not its {word}"), length),
    (N_("the sum of {a} is divided by one less than their number"), one_less),
    (N_("the sum of {a} is divided by the number of rows"), by_rows),
    (N_("the sum of {a} is divided by the number of columns"), by_columns),
    (N_("the sum of {a} is divided by the root of their number"), by_root),
    (N_("the sum of {a} is divided by the number of those that aren't 0"), without_zeros),
    (N_("the numbers of {a} are multiplied"), product),
)
REDUCING = {
    "total": N_("sum"),
    "mean": N_("mean"),
    "largest": N_("largest"),
    "smallest": N_("smallest"),
    "variance": N_("variance"),
    "deviation": N_("standard deviation"),
}


def unreduced(_how, x, *_rest, **_settings):
    return x


def other_axis(axis):
    return lambda how, x, _axis=None, *rest, **settings: how(x, axis, *rest, **settings)


def other_ddof(how, x, axis=None, ddof=0, keep=False):
    return how(x, axis, 1 - ddof, keep)


AXES = (
    ("other-axis-inside", N_("the {word} of {a} is taken over everything"), other_axis(None)),
    ("other-axis-inside", N_("the {word} of {a} is taken along the first axis"), other_axis(0)),
    ("other-axis-inside", N_("the {word} of {a} is taken along the last axis"), other_axis(-1)),
    ("not-reduced-inside", N_("the {word} of {a} is never taken"), unreduced),
)
DDOF = (
    "other-ddof-inside",
    N_("the {word} of {a} is divided by N for N - 1, or the other way round"),
    other_ddof,
)


def cut_above(_how, x, _low, high):
    return v.minimum(x, high)


def cut_below(_how, x, low, _high):
    return v.maximum(x, low)


def uncut(_how, x, *_bounds):
    return x


WORDS = {
    "exp": (
        ("left-out-inside", N_("no exp of {a} is taken"), lambda _h, x: x),
        (OPERATION, N_("1 plus {a} is taken, not exp of it"), lambda _h, x: 1 + x),
        (OPERATION, N_("exp of {a} minus 1 is taken"), lambda _h, x: v.exp(x) - 1),
        (OPERATION, N_("2 is raised to {a}, not e"), lambda _h, x: v.exp(x * np.log(2))),
        (OPERATION, N_("the logistic function of {a} is taken"), lambda _h, x: 1 / (1 + v.exp(-x))),
        (OPERATION, N_("exp of {a} is cut at 1"), lambda _h, x: v.minimum(v.exp(x), v.exp(x * 0))),
    ),
    "log": (
        ("left-out-inside", N_("no logarithm of {a} is taken"), lambda _h, x: x),
        (OPERATION, N_("1 is added to {a} before its logarithm"), lambda _h, x: v.log(1 + x)),
        (OPERATION, N_("the logarithm of {a} has base 2"), lambda _h, x: v.log(x) / np.log(2)),
        (OPERATION, N_("the logarithm of {a} has base 10"), lambda _h, x: v.log(x) / np.log(10)),
        (OPERATION, N_("{a} minus 1 is taken for its logarithm"), lambda _h, x: x - 1),
    ),
    "root": (("left-out-inside", N_("no root of {a} is taken"), lambda _h, x: x),),
    "minimum": (
        (OPERATION, N_("the larger of two is taken, not the smaller"), with_how(v.maximum)),
        WITHOUT_B,
        WITHOUT_A,
        (OPERATION, N_("the two are added, not compared"), with_how(operator.add)),
        (OPERATION, N_("the mean of the two is taken"), lambda _h, a, b: (a + b) / 2),
        (
            OPERATION,
            N_("the two are compared by their sizes"),
            lambda _h, a, b: v.where(abs(a) < abs(b), a, b),
        ),
    ),
    "maximum": (
        (OPERATION, N_("the smaller of two is taken, not the larger"), with_how(v.minimum)),
        WITHOUT_B,
        WITHOUT_A,
        (OPERATION, N_("the two are added, not compared"), with_how(operator.add)),
        (OPERATION, N_("the mean of the two is taken"), lambda _h, a, b: (a + b) / 2),
    ),
    "cut": (
        ("left-out-inside", N_("{a} is not cut at all"), uncut),
        ("one-bound-inside", N_("{a} is cut above alone"), cut_above),
        ("one-bound-inside", N_("{a} is cut below alone"), cut_below),
        (
            "one-bound-inside",
            N_("{a} is set to the lower bound, or to the upper one"),
            (lambda _h, x, low, high: v.where(x > (low + high) / 2, x * 0 + high, x * 0 + low)),
        ),
        (
            "one-bound-inside",
            N_("{a} counts as 0 outside the bounds"),
            (lambda _h, x, low, high: v.where((x < low) | (x > high), x * 0, x)),
        ),
        (
            "one-bound-inside",
            N_("{a} counts as 1 outside the bounds"),
            (lambda _h, x, low, high: v.where((x < low) | (x > high), x * 0 + 1, x)),
        ),
        (
            "one-bound-inside",
            N_("{a} is cut by half the width"),
            (lambda _h, x, low, high: v.cut(x, (3 * low + high) / 4, (low + 3 * high) / 4)),
        ),
        (
            "one-bound-inside",
            N_("{a} is cut by twice the width"),
            (lambda _h, x, low, high: v.cut(x, (3 * low - high) / 2, (3 * high - low) / 2)),
        ),
        (
            "one-bound-inside",
            N_("the lower bound is one over the upper one"),
            (lambda _h, x, low, high: v.cut(x, 1 / high, high)),
        ),
    ),
    "where": (
        (
            "condition-inside",
            N_("{a} is asked the wrong way round"),
            lambda _h, c, a, b: v.where(c, b, a),
        ),
        ("condition-inside", N_("{a} is taken for true everywhere"), lambda _h, c, a, b: a + b * 0),
        (
            "condition-inside",
            N_("{a} is taken for false everywhere"),
            lambda _h, c, a, b: b + a * 0,
        ),
    ),
    "data": (("data-inside", N_("a gradient flows through {a}"), lambda _h, x: x),),
    "softmax": (
        (
            "other-axis-inside",
            N_("the softmax of {a} is taken along the first axis"),
            (lambda _h, x: v.softmax(x.T).T),
        ),
        ("left-out-inside", N_("{a} are taken for probabilities"), lambda _h, x: x),
        (OPERATION, N_("exp of {a} is never divided by its sum"), lambda _h, x: v.exp(x)),
        (OPERATION, N_("log-probabilities are taken for probabilities"), with_how(v.log_softmax)),
        (OPERATION, N_("{a} are taken at another temperature"), lambda _h, x: v.softmax(2 * x)),
        (OPERATION, N_("every action counts as equally likely"), lambda _h, x: v.softmax(x * 0)),
        (OPERATION, N_("softmax is taken twice"), lambda _h, x: v.softmax(v.softmax(x))),
        (OPERATION, N_("{a} are divided by their sum"), lambda _h, x: x / v.total(x, -1, True)),
    ),
    "log_softmax": (
        ("left-out-inside", N_("{a} are taken for log-probabilities"), lambda _h, x: x),
        ("left-out-inside", N_("no logarithm is taken of the probabilities"), with_how(v.softmax)),
        (
            OPERATION,
            N_("{a} are divided by their sum, then the logarithm is taken"),
            (lambda _h, x: v.log(x / v.total(x, -1, True))),
        ),
        (OPERATION, N_("softmax is taken twice"), lambda _h, x: v.log_softmax(v.softmax(x))),
        (OPERATION, N_("{a} are taken at another temperature"), lambda _h, x: v.log_softmax(2 * x)),
    ),
    "discounted": (
        (
            "order-inside",
            N_("the running sum goes from the first step to the last"),
            (lambda _h, x, f: v.discounted(x[::-1], _turned(f))[::-1]),
        ),
        ("left-out-inside", N_("nothing is passed on from later steps"), lambda _h, x, f: x),
        (
            "left-out-inside",
            N_("what comes later is passed on whole"),
            lambda _h, x, f: v.discounted(x, np.asarray(f) * 0 + 1.0),
        ),
        (
            "left-out-inside",
            N_("a step's own number is left out, later ones count"),
            (lambda _h, x, f: v.discounted(x, f) - x),
        ),
        (
            "one-off-inside",
            N_("what is passed on is multiplied by the next step's factor"),
            (lambda _h, x, f: v.discounted(x, np.concatenate([f[1:], f[-1:]]))),
        ),
        (
            "one-off-inside",
            N_("what is passed on is multiplied by the step's before factor"),
            (lambda _h, x, f: v.discounted(x, np.concatenate([f[:1], f[:-1]]))),
        ),
        (
            "power-inside",
            N_("a step's own number is discounted, too"),
            lambda _h, x, f: v.discounted(x * f, f),
        ),
        (
            "power-inside",
            N_("the discount counts from the first step, not from each"),
            (lambda _h, x, f: v.discounted(_discounted_from_start(x, f), np.asarray(f) * 0 + 1.0)),
        ),
        (
            "power-inside",
            N_("the discount counts from the end"),
            (
                lambda _h, x, f: (
                    v.discounted(x, f) * np.asarray(f) ** np.arange(len(x) - 1, -1, -1.0)
                )
            ),
        ),
        (
            "power-inside",
            N_("what comes later is discounted twice"),
            lambda _h, x, f: v.discounted(x, np.asarray(f) ** 2),
        ),
        (
            "left-out-inside",
            N_("only the next step counts of what comes later"),
            (lambda _h, x, f: x + f * v.next_row(x)),
        ),
        (
            "left-out-inside",
            N_("all steps get what the first one gets"),
            lambda _h, x, f: np.broadcast_to(v.discounted(x, f)[:1], x.shape),
        ),
        (
            "scaled-inside",
            N_("the sum of what comes later is divided by the steps left"),
            (lambda _h, x, f: _by_steps_left(v.discounted(x, f))),
        ),
        (
            "scaled-inside",
            N_("each sum is divided by the sum of its own weights"),
            (lambda _h, x, f: v.discounted(x, f) / v.discounted(np.ones_like(x * 1.0), f)),
        ),
        (
            "scaled-inside",
            N_("what comes later gets the weight, a step's own the rest"),
            (lambda _h, x, f: v.discounted(x * (1 - f), f)),
        ),
    ),
    "to_go": (
        (
            "order-inside",
            N_("the sum runs from the start, not from each place on"),
            (with_how(v.so_far)),
        ),
        ("left-out-inside", N_("each place counts alone, nothing that follows"), lambda _h, x: x),
        (
            "left-out-inside",
            N_("a place's own number is left out of its sum"),
            lambda _h, x: v.to_go(x) - x,
        ),
        (
            "left-out-inside",
            N_("each place gets the whole sum"),
            lambda _h, x: v.total(x, -1, True) + x * 0,
        ),
    ),
    "so_far": (
        (
            "order-inside",
            N_("the sum runs from each place on, not from the start"),
            (with_how(v.to_go)),
        ),
        ("left-out-inside", N_("each place counts alone, nothing before it"), lambda _h, x: x),
        (
            "left-out-inside",
            N_("a place's own number is left out of its sum"),
            lambda _h, x: v.so_far(x) - x,
        ),
    ),
    "next_row": (
        ("one-off-inside", N_("the step itself is taken, not the next"), lambda _h, x: x),
        (
            "one-off-inside",
            N_("the step before is taken, not the next"),
            lambda _h, x: v.next_row(x[::-1])[::-1],
        ),
        (
            "one-off-inside",
            N_("the last step has the first for its successor"),
            lambda _h, x: np.roll(x, -1, 0),
        ),
        (
            "one-off-inside",
            N_("the last step is its own successor"),
            lambda _h, x: np.concatenate([x[1:], x[-1:]]),
        ),
    ),
    "places": (
        ("one-off-inside", N_("places are counted from 1"), lambda _h, x: v.places(x) + 1),
        ("order-inside", N_("places are counted from the end"), lambda _h, x: v.places(x)[::-1]),
        ("left-out-inside", N_("every place counts as the first"), lambda _h, x: v.places(x) * 0),
        (
            "left-out-inside",
            N_("every place counts as the second"),
            lambda _h, x: v.places(x) * 0 + 1,
        ),
        ("one-off-inside", N_("places begin before the first"), lambda _h, x: v.places(x) - 1.0),
    ),
    "columns": (
        ("one-off-inside", N_("places are counted from 1"), lambda _h, x: v.columns(x) + 1),
        ("order-inside", N_("places are counted from the end"), lambda _h, x: v.columns(x)[::-1]),
        ("one-off-inside", N_("places begin before the first"), lambda _h, x: v.columns(x) - 1),
    ),
    "count": (
        ("one-off-inside", N_("the number of {a} is one too small"), lambda _h, x: len(x) - 1),
        ("one-off-inside", N_("the number of {a} is one too large"), lambda _h, x: len(x) + 1),
        (
            "other-count-inside",
            N_("all entries of {a} are counted, not its rows"),
            lambda _h, x: np.size(x),
        ),
        (
            "other-count-inside",
            N_("the columns of {a} are counted, not its rows"),
            lambda _h, x: x.shape[-1],
        ),
        (
            "other-count-inside",
            N_("the root of the number of {a} is taken"),
            lambda _h, x: len(x) ** 0.5,
        ),
        (
            "other-count-inside",
            N_("the square of the number of {a} is taken"),
            lambda _h, x: len(x) ** 2,
        ),
    ),
    "width": (
        (
            "other-count-inside",
            N_("the rows of {a} are counted, not its columns"),
            lambda _h, x: len(x),
        ),
        (
            "one-off-inside",
            N_("the number of columns is one too small"),
            lambda _h, x: x.shape[-1] - 1,
        ),
    ),
    "pick": (
        (
            "other-entry-inside",
            N_("the first entry is picked, not the one that was named"),
            (lambda _h, x, at: x[..., 0]),
        ),
        (
            "other-entry-inside",
            N_("the last entry is picked, not the one that was named"),
            (lambda _h, x, at: x[..., -1]),
        ),
        (
            "other-entry-inside",
            N_("the largest entry is picked, not the one that was named"),
            (lambda _h, x, at: v.largest(x, -1)),
        ),
        (
            "other-entry-inside",
            N_("the smallest entry is picked, not the one that was named"),
            (lambda _h, x, at: v.smallest(x, -1)),
        ),
        (
            "other-entry-inside",
            N_("the entry after the named one is picked"),
            lambda _h, x, at: v.pick(x, (at + 1) % x.shape[-1]),
        ),
        (
            "other-entry-inside",
            N_("the entry before the named one is picked"),
            lambda _h, x, at: v.pick(x, at - 1 + x.shape[-1] * (at == 0)),
        ),
        (
            "other-entry-inside",
            N_("all entries but the named one are added up"),
            (lambda _h, x, at: v.total(x, -1) - v.pick(x, at)),
        ),
        (
            "other-entry-inside",
            N_("the mean of all entries is taken, not the named one"),
            (lambda _h, x, at: v.mean(x, -1)),
        ),
        (
            "other-entry-inside",
            N_("all entries are added up, not the named one taken"),
            (lambda _h, x, at: v.total(x, -1)),
        ),
    ),
    "one_hot": (
        (
            "other-entry-inside",
            N_("the entry after the named one is marked"),
            lambda _h, at, n: v.one_hot((np.asarray(at) + 1) % n, n),
        ),
        (
            "other-entry-inside",
            N_("all are marked but the named one"),
            lambda _h, at, n: 1 - v.one_hot(at, n),
        ),
        (
            "other-entry-inside",
            N_("every entry is marked, not the named one alone"),
            (lambda _h, at, n: v.one_hot(at, n) * 0 + 1),
        ),
        ("left-out-inside", N_("no entry is marked"), lambda _h, at, n: v.one_hot(at, n) * 0),
    ),
    "to_rows": (
        (
            "one-off-inside",
            N_("the state after it is looked up"),
            lambda _h, x, s: v.to_rows(x, np.append(s[1:], s[-1:])),
        ),
        (
            "one-off-inside",
            N_("the state before it is looked up"),
            lambda _h, x, s: v.to_rows(x, np.append(s[:1], s[:-1])),
        ),
        (
            "other-entry-inside",
            N_("the first state is looked up at every step"),
            lambda _h, x, s: v.to_rows(x, s * 0 + s[0]),
        ),
        (
            "other-entry-inside",
            N_("the last state is looked up at every step"),
            lambda _h, x, s: v.to_rows(x, s * 0 + s[-1]),
        ),
        (
            "other-entry-inside",
            N_("the step's number is looked up, not its state"),
            (lambda _h, x, s: v.to_rows(x, np.arange(len(s)) % len(x))),
        ),
        (
            "other-entry-inside",
            N_("the mean of {a} is taken for every state"),
            lambda _h, x, s: v.to_rows(x, s) * 0 + np.mean(x),
        ),
    ),
}


def _turned(factor):
    return np.asarray(factor)[::-1] if np.ndim(factor) else factor


def _discounted_from_start(x, factor):
    """Each row with the product of the factors before it."""
    factors = np.broadcast_to(factor, np.shape(x)).astype(float)
    before = np.cumprod(np.concatenate([np.ones_like(factors[:1]), factors[:-1]]), 0)
    return x * before


def _by_steps_left(x):
    left = np.arange(len(x), 0, -1.0)
    return x / left.reshape(-1, *[1] * (x.ndim - 1))
