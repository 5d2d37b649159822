"""What may be done to flags that nobody asked for: way(x) -> x, with words of its own."""

import numpy as np

from grader.checking.formulas.ways import COMMON, PLAUSIBLE
from grader.checking.formulas.wraps import moved, without
from grader.i18n import N_

FLAGS = (
    (COMMON, "condition-inside", N_("{what} is taken for its opposite"), np.logical_not),
    (COMMON, "condition-inside", N_("{what} is taken for true everywhere"), np.ones_like),
    (COMMON, "condition-inside", N_("{what} is taken for false everywhere"), np.zeros_like),
)
FLAGS_ALONG = {
    axis: (
        (
            COMMON,
            "shifted-inside",
            N_("{what} is read one place too late"),
            (lambda x, axis=axis: moved(x, -1, axis)),
        ),
        (
            COMMON,
            "shifted-inside",
            N_("{what} is read one place too early"),
            (lambda x, axis=axis: moved(x, 1, axis)),
        ),
        (
            PLAUSIBLE,
            "order-inside",
            N_("{what} stands in reversed order"),
            (lambda x, axis=axis: np.flip(x, axis)),
        ),
        (
            PLAUSIBLE,
            "condition-inside",
            N_("the last of {what} is taken for true"),
            (lambda x, axis=axis: x | (without(~x, -1, axis) != ~x)),
        ),
        (
            PLAUSIBLE,
            "condition-inside",
            N_("the last of {what} is taken for false"),
            (lambda x, axis=axis: without(x, -1, axis)),
        ),
        (
            PLAUSIBLE,
            "condition-inside",
            N_("the first of {what} is taken for false"),
            (lambda x, axis=axis: without(x, 0, axis)),
        ),
        (
            PLAUSIBLE,
            "condition-inside",
            N_("what was true once in {what} stays true"),
            (lambda x, axis=axis: np.maximum.accumulate(x, axis)),
        ),
        (
            PLAUSIBLE,
            "condition-inside",
            N_("{what} is true where anything of a row or column is"),
            (lambda x, axis=axis: np.broadcast_to(x.any(axis, keepdims=True), x.shape)),
        ),
    )
    for axis in (0, -1)
}
