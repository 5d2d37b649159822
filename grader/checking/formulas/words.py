"""The ways in which a word of the vocabulary goes wrong (see ways.py)."""

import operator

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.checking.formulas.ways import OPERATION, WITHOUT_A, WITHOUT_B, with_how
from grader.i18n import N_


def _two_ahead(x, factor):
    result, factor = np.array(x, dtype=float), np.broadcast_to(factor, np.shape(x))
    for t in range(len(result) - 3, -1, -1):
        result[t] = x[t] + factor[t] * result[t + 2]
    return result


def _last(factor):
    return np.asarray(factor)[-1:] if np.ndim(factor) else factor


def _window(reward=lambda k: k, value=lambda k, n: k + 1, weight=lambda k, last: 1.0):
    """Vocabulary's window with other powers of gamma, and other weights of the rewards."""

    def way(_how, rewards, over, n, gamma, later):
        result, end = np.empty(np.shape(rewards)), len(rewards) - 1
        for t, i in np.ndindex(result.shape):
            k = 0
            while k < n - 1 and t + k < end and not over[t + k, i]:
                k += 1
            terms = (weight(j, k) * gamma ** reward(j) * rewards[t + j, i] for j in range(k + 1))
            result[t, i] = sum(terms) + gamma ** value(k, n) * later[t + k, i]
        return result

    return way


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
            "one-off-inside",
            N_("a step gets what comes two steps later, not one"),
            lambda _h, x, f: _two_ahead(x, f),
        ),
        (
            "counted-twice-inside",
            N_("the last step's own number is passed on to itself"),
            lambda _h, x, f: v.discounted(np.concatenate([x[:-1], x[-1:] * (1 + _last(f))]), f),
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
    "window": (
        ("power-inside", N_("the rewards are not discounted"), _window(reward=lambda k: 0)),
        (
            "power-inside",
            N_("the rewards are discounted one step too far"),
            (_window(reward=lambda k: k + 1)),
        ),
        (
            "power-inside",
            N_("each reward is discounted like the first after it"),
            (_window(reward=lambda k: min(k, 1))),
        ),
        (
            "power-inside",
            N_("what follows the rewards is not discounted"),
            (_window(value=lambda k, n: 0)),
        ),
        (
            "power-inside",
            N_("what follows the rewards is discounted once"),
            (_window(value=lambda k, n: 1)),
        ),
        (
            "power-inside",
            N_("what follows is discounted by n steps, however few were taken"),
            (_window(value=lambda k, n: n)),
        ),
        (
            "power-inside",
            N_("what follows the rewards is discounted one step too little"),
            (_window(value=lambda k, n: k)),
        ),
        (
            "left-out-inside",
            N_("only the last of the rewards counts"),
            (_window(weight=lambda k, last: float(k == last))),
        ),
        (
            "left-out-inside",
            N_("only the first of the rewards counts"),
            (_window(weight=lambda k, last: float(k == 0))),
        ),
        (
            "scaled-inside",
            N_("the rewards are averaged, not added"),
            (_window(weight=lambda k, last: 1 / (last + 1))),
        ),
    ),
}
