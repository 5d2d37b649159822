"""Which of the wraps make sense for a step's result."""

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.checking.formulas.flags import FLAGS, FLAGS_ALONG
from grader.checking.formulas.ways import LIKELY
from grader.checking.formulas.wraps import ALONG, ARRAYS, NUMBERS, TABLES
from grader.i18n import N_

CUT = (LIKELY, "cut-off-inside", N_("no gradient flows through {what}"), v.data)


# Of a count or an index nobody takes a logarithm.
WHOLE = tuple(
    row for row in NUMBERS if row[1] in ("scaled-inside", "left-out-inside", "one-off-inside")
)


def wraps_of(result):
    """(likelihood, slug, clause, way) that make sense for a result like this."""
    if isinstance(result, (bool, np.bool_)):
        return ()
    if isinstance(result, (int, np.integer)):
        return WHOLE
    if isinstance(result, (float, np.floating)):
        return NUMBERS
    if v.is_tensor(result) and not result.is_floating_point():
        return ()
    if v.is_tensor(result):
        return (CUT, *NUMBERS, *(ARRAYS if result.ndim else ()))
    if not isinstance(result, np.ndarray):
        return ()
    axes = (0, -1) if result.ndim > 1 else (0,)
    if result.dtype == bool:
        return (*FLAGS, *(one for axis in axes if result.ndim for one in FLAGS_ALONG[axis]))
    if not result.ndim:
        return NUMBERS
    along = tuple(one for axis in axes for one in ALONG[axis])
    return (*NUMBERS, *ARRAYS, *along, *(TABLES if result.ndim > 1 else ()))
