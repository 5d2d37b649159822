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
        (OPERATION, N_("{b} is multiplied by {a}, not taken off"), with_how(operator.mul)),
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


REDUCTIONS = (
    (N_("the sum of {a} is taken, not {word}"), v.total),
    (N_("the mean of {a} is taken, not {word}"), v.mean),
    (N_("the largest of {a} is taken, not {word}"), v.largest),
    (N_("the smallest of {a} is taken, not {word}"), v.smallest),
    (N_("the median of {a} is taken, not {word}"), median),
    (N_("the first of {a} is taken, not {word}"), first),
    (N_("the last of {a} is taken, not {word}"), last),
    (N_("the standard deviation of {a} is taken, not {word}"), v.deviation),
    (N_("the variance of {a} is taken, not {word}"), v.variance),
    (N_("the mean size of {a} is taken, not {word}"), mean_size),
    (N_("the mean square of {a} is taken, not {word}"), mean_square),
    (N_("the length of {a} as a vector is taken, not {word}"), length),
    (N_("the sum of {a} is divided by one less than their number"), one_less),
    (N_("the sum of {a} is divided by the number of rows"), by_rows),
    (N_("the sum of {a} is divided by the number of columns"), by_columns),
    (N_("the sum of {a} is divided by the root of their number"), by_root),
    (N_("the sum of {a} is divided by the number of those that aren't 0"), without_zeros),
    (N_("the numbers of {a} are multiplied"), product),
)
REDUCING = {
    "total": N_("the sum"),
    "mean": N_("the mean"),
    "largest": N_("the largest number"),
    "smallest": N_("the smallest number"),
    "variance": N_("the variance"),
    "deviation": N_("the standard deviation"),
}


def unreduced(_how, x, *_rest, **_settings):
    return x


def other_axis(axis):
    return lambda how, x, _axis=None, *rest, **settings: how(x, axis, *rest, **settings)


def other_ddof(how, x, axis=None, ddof=0, keep=False):
    return how(x, axis, 1 - ddof, keep)


AXES = (
    ("other-axis-inside", N_("{word} of {a} is taken over everything"), other_axis(None)),
    ("other-axis-inside", N_("{word} of {a} is taken along the first axis"), other_axis(0)),
    ("other-axis-inside", N_("{word} of {a} is taken along the last axis"), other_axis(-1)),
    ("not-reduced-inside", N_("{word} of {a} is never taken"), unreduced),
)
DDOF = (
    "other-ddof-inside",
    N_("{word} of {a} is divided by N for N - 1, or the other way round"),
    other_ddof,
)
