"""Inputs and outputs as short texts that fit a message."""

import numpy as np

from grader.i18n import _
from grader.probes.inputs import Env, Rng, Tensor, Trajectory, View

MAX_NUMBERS = 24
LINE = 76
MARK = "≠"  # a screen reader says "not equal to"


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


def side_by_side(one, other, name="", good=None) -> tuple[str, str]:
    """Two arrays of one shape as texts in which equal places stand below one another: rows as
    lines, columns aligned, as NumPy prints them. name: stands in front of both; good: entry by
    entry, whether `other` is right: where some are, MARK stands before those that aren't."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.ndim < 1 or not 0 < one.size <= MAX_NUMBERS:
        return name + array_text(one), name + array_text(other)
    marks = good is not None and np.any(good) and not np.all(good)
    first, second = _texts(one), _texts(other)
    if marks:
        second = np.where(good, second, MARK + second)
    width = [
        max(map(len, (*first[..., column].flat, *second[..., column].flat)))
        for column in range(one.shape[-1])
    ]
    indent = len(name.rpartition("\n")[2])
    if indent + sum(width) + 2 * len(width) > LINE:
        width = [max(width)] * len(width)
    return name + _nested(first, width, indent), name + _nested(second, width, indent)


def _texts(numbers):
    """An array of the same shape. np.vectorize would warn of each nan."""
    found = np.empty(numbers.shape, object)
    found.flat = [number_text(number) for number in numbers.flat]
    return found


def _nested(cells, width, indent):
    """An array of texts in brackets; a row that is too long goes on in the next line."""
    inner = indent + 1
    if cells.ndim > 1:
        rows = [_nested(row, width, inner) for row in cells]
        return "[" + (",\n" + " " * inner).join(rows) + "]"
    text, length = "", inner
    for cell, w in zip(cells, width, strict=True):
        if text and length + w > LINE:
            text, length = text.rstrip() + "\n" + " " * inner, inner
        text, length = text + cell.rjust(w) + ", ", length + w + 2
    return "[" + text[:-2] + "]"


def shape_text(shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
