"""The ways in which words for sequences go wrong: running sums, places, windows (see ways.py)."""

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.checking.formulas.ways import with_how
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


SEQUENCES = {
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
        (
            "order-inside",
            N_("each step gets the discounted sum up to it, not from it on"),
            lambda _h, x, f: np.cumsum(_discounted_from_start(x, f), 0),
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
