"""The ways in which a word of the vocabulary goes wrong (see ways.py)."""

import operator

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.checking.formulas.sequences import SEQUENCES
from grader.checking.formulas.ways import OPERATION, WITHOUT_A, WITHOUT_B, with_how
from grader.i18n import N_


def _of_others(x, groups):
    """Of each row, the mean of the rows of other groups; 0 where there are none."""
    values, labels = v.numbers(x), np.asarray(groups)
    others = [values[labels != label] for label in labels]
    return np.array([own.mean() if own.size else 0.0 for own in others])


SPREADS = (
    (
        "other-group-inside",
        N_("the deviation of all is taken, not that of the group"),
        (lambda _h, x, g: x * 0 + np.std(x)),
    ),
    (
        "other-group-inside",
        N_("the deviation of all is taken, not that of the group"),
        (lambda _h, x, g: x * 0 + np.std(x, ddof=1)),
    ),
    (
        "other-group-inside",
        N_("the range of the group is taken, not its deviation"),
        (lambda _h, x, g: v.by_group(x, g, np.ptp)),
    ),
    (
        "other-group-inside",
        N_("the mean distance of the group is taken, not its deviation"),
        (lambda _h, x, g: v.by_group(x, g, lambda own: np.mean(abs(own - np.mean(own))))),
    ),
    (
        "other-group-inside",
        N_("the largest of the group is taken, not its deviation"),
        (lambda _h, x, g: v.by_group(x, g, np.max)),
    ),
    (
        "other-group-inside",
        N_("the group's length as a vector is taken, not its deviation"),
        (lambda _h, x, g: v.by_group(x, g, lambda own: np.sum(own**2) ** 0.5)),
    ),
    (
        "other-group-inside",
        N_("the mean deviation of all groups is taken"),
        (lambda how, x, g: x * 0 + np.mean(how(x, g))),
    ),
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
    "group_mean": (
        (
            "other-group-inside",
            N_("the mean of all is taken, not that of the group"),
            (lambda _h, x, g: x * 0 + np.mean(x)),
        ),
        (
            "other-group-inside",
            N_("the median of the group is taken, not its mean"),
            (lambda _h, x, g: v.by_group(x, g, np.median)),
        ),
        (
            "other-group-inside",
            N_("the largest of the group is taken, not its mean"),
            (lambda _h, x, g: v.by_group(x, g, np.max)),
        ),
        (
            "other-group-inside",
            N_("the smallest of the group is taken, not its mean"),
            (lambda _h, x, g: v.by_group(x, g, np.min)),
        ),
        (
            "other-group-inside",
            N_("the sum of the group is taken, not its mean"),
            (lambda _h, x, g: v.by_group(x, g, np.sum)),
        ),
        (
            "other-group-inside",
            N_("the mean of the other groups is taken"),
            (lambda _h, x, g: _of_others(x, g)),
        ),
        (
            "other-group-inside",
            N_("the first of the group is taken, not its mean"),
            (lambda _h, x, g: v.by_group(x, g, lambda own: own[0])),
        ),
    ),
    "others_mean": (
        (
            "other-group-inside",
            N_("the mean of the whole group is taken, not that of the others"),
            (lambda _h, x, g: v.group_mean(x, g)),
        ),
        (
            "other-group-inside",
            N_("the mean of all is taken, not that of the group"),
            (lambda _h, x, g: x * 0 + np.mean(x)),
        ),
        (
            "other-group-inside",
            N_("the mean of the other groups is taken"),
            (lambda _h, x, g: _of_others(x, g)),
        ),
        (
            "other-group-inside",
            N_("all other rows are taken, not those of the group alone"),
            (lambda _h, x, g: (np.sum(x) - x) / (len(x) - 1)),
        ),
        (
            "other-group-inside",
            N_("the sum of the others is taken, not their mean"),
            (lambda _h, x, g: v.by_group(x, g, np.sum) - x),
        ),
    ),
    "group_size": (
        (
            "other-group-inside",
            N_("all rows are counted, not those of the group"),
            (lambda _h, x, g: x * 0 + len(x)),
        ),
        (
            "other-group-inside",
            N_("groups are counted, not the group's rows"),
            (lambda _h, x, g: x * 0 + len(np.unique(g))),
        ),
        (
            "other-group-inside",
            N_("the rows of the largest group are counted"),
            (lambda _h, x, g: x * 0 + np.max(v.group_size(x, g))),
        ),
        (
            "other-group-inside",
            N_("the rows of the smallest group are counted"),
            (lambda _h, x, g: x * 0 + np.min(v.group_size(x, g))),
        ),
    ),
    **dict.fromkeys(("group_spread", "sample_spread"), SPREADS),
    **SEQUENCES,
}
