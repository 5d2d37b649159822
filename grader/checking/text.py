"""Inputs and outputs as short texts that fit a message."""

import numpy as np

from grader.i18n import _
from grader.probes.inputs import Env, Rng, Tensor, Trajectory, View

MAX_NUMBERS = 24


def call_text(name: str, inputs: dict, keywords=()) -> str:
    """``name(a=..., b=...)`` with arrays cut short; every input named."""
    return f"{name}({', '.join(f'{key}={value_text(given)}' for key, given in inputs.items())})"


def value_text(value) -> str:
    """A value or an input record as a learner would write it."""
    if isinstance(value, Tensor):
        return f"tensor({array_text(value.array)})"
    if isinstance(value, View):
        return array_text(value.array)
    if isinstance(value, Rng):
        return f"default_rng({value.seed})"
    if isinstance(value, Env):
        given = ", ".join(f"{key}={value_text(one)}" for key, one in value.kwargs.items())
        return f"pg.envs.{value.name}({given})"
    if isinstance(value, Trajectory):
        return (
            f"Trajectory(states={array_text(value.states)}, actions={array_text(value.actions)}, "
            f"rewards={array_text(value.rewards)})"
        )
    if isinstance(value, np.ndarray):
        return array_text(value)
    if isinstance(value, (list, tuple)):
        return list_text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {value_text(v)}" for k, v in value.items()) + "}"
    return number_text(value) if isinstance(value, (int, float, np.generic)) else repr(value)


def list_text(items) -> str:
    shown = ", ".join(value_text(item) for item in items[:4])
    return f"[{shown}, ... ({len(items)})]" if len(items) > 4 else f"[{shown}]"


def number_text(value) -> str:
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    value = float(value)
    # What rounding left of a zero is a zero to a reader, and there is no minus zero.
    return "0" if abs(value) < 1e-13 else f"{value:.6g}"


def array_text(array) -> str:
    """All numbers of a small array; the shape and the first numbers of a large one; the shape of
    one that has rows or columns and no number."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number_text(array[()])
    if array.size == 0 and array.ndim > 1:  # it may have any number of rows
        return _("[] of shape {shape}").format(shape=shape_text(array.shape))
    if array.size > MAX_NUMBERS:
        head = ", ".join(number_text(x) for x in array.ravel()[:4])
        return _("[{head}, ...] of shape {shape}").format(head=head, shape=shape_text(array.shape))
    return "[" + ", ".join(array_text(row) for row in array) + "]"


def side_by_side(one, other, name="") -> tuple[str, str]:
    """Two arrays of one shape as texts in which equal places stand below one another: rows as
    lines, columns aligned, as NumPy prints them. name: stands in front of both."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.ndim != 2 or not 0 < one.size <= MAX_NUMBERS:
        return name + array_text(one), name + array_text(other)
    width = [
        max(len(number_text(x)) for x in (*one[:, column], *other[:, column]))
        for column in range(one.shape[1])
    ]
    return name + _rows_text(one, width, name), name + _rows_text(other, width, name)


def _rows_text(table, width, name):
    rows = (
        "[" + ", ".join(number_text(x).rjust(w) for x, w in zip(row, width, strict=True)) + "]"
        for row in table
    )
    return "[" + (",\n" + " " * (len(name) + 1)).join(rows) + "]"


def shape_text(shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
