"""Turns whatever a student's function returned or raised into a plain tree (see ``observe``)."""

import dataclasses
import itertools
import linecache
import traceback

import numpy as np

from .wire import DTYPES, MAX_AXES, MAX_SIDE, name_of

MAX_ITEMS = 5_000
MAX_PARTS = 50_000
MAX_NUMBERS = 4_000_000
MAX_TEXT = 500
PLAIN = {bool: "bool", float: "float64"}
INT = np.dtype(int).name


def observe(value, depth: int = 0, room: list | None = None):
    """A plain tree with a ``kind``: number, array, tensor, text, none, list, tuple, mapping,
    record, error or other. Arrays are copied, so nothing changes after the look.

    room: how many parts may still be looked at, counted down (a list that holds itself has no end).
    """
    room = [MAX_PARTS] if room is None else room
    room[0] -= 1
    try:
        return _look(value, depth, room)
    except Exception:  # an object that can't even be looked at is a wrong answer, and no more
        return _other(value)


def _look(value, depth, room):
    if value is None:
        return {"kind": "none"}
    if isinstance(value, str):
        return {"kind": "text", "value": str(value)[:MAX_TEXT]}
    if isinstance(value, (bool, int, float, np.generic)):
        return _number(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if type(value).__module__.startswith("torch") or hasattr(value, "requires_grad"):
        return _tensor(value)
    if depth < 6 and room[0] > 0:
        return _container(value, depth + 1, room)
    return _other(value)


def _other(value, what=None, **known):
    name = what or type(value).__name__
    return {"kind": "other", "type": name if type(name) is str else "object", **known}


def _number(value):
    dtype = PLAIN.get(type(value)) or _dtype_of(value)
    if dtype not in DTYPES and not isinstance(value, int):
        return _other(value)
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, int) and abs(plain) > 2**63:
        plain = float(plain) if abs(plain) < 1e300 else float("inf")
    return {"kind": "number", "value": plain, "dtype": dtype}


def _dtype_of(value):
    small = type(value) is int and abs(value) < 2**31
    return INT if small else np.asarray(value).dtype.name


def _array(value):
    value = np.asarray(value)
    name = name_of(value.dtype)
    if name is None:
        return _other(value, "array", dtype=str(value.dtype))
    if _too_large(value.shape):
        return _other(value, "array", shape=str(value.shape))
    return {"kind": "array", "array": np.array(value), "dtype": name}


def _too_large(shape):
    """Whether an array of this shape is more than the grader reads."""
    numbers = 1
    for side in shape:
        numbers *= side
    return numbers > MAX_NUMBERS or len(shape) > MAX_AXES or max(shape, default=0) > MAX_SIDE


def _tensor(value):
    import torch

    if not isinstance(value, torch.Tensor):
        return _other(value)
    dtype = str(value.dtype).removeprefix("torch.")
    if _too_large(tuple(value.shape)):
        return _other(value, "tensor", shape=str(tuple(value.shape)))
    if value.layout != torch.strided or value.device.type == "meta" or value.is_quantized:
        what = "sparse" if value.layout != torch.strided else "meta"
        return _other(value, f"a {'quantized' if value.is_quantized else what} tensor")
    array = value.detach().cpu()
    if dtype not in DTYPES:
        array = array.to(torch.float32)
    numbers = np.array(array.numpy())
    return {
        "kind": "tensor",
        "array": numbers,
        "dtype": dtype,
        "requires_grad": bool(value.requires_grad),
    }


def _container(value, depth, room):
    def look(part):
        return observe(part, depth, room)

    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        items = [look(item) for item in itertools.islice(value, MAX_ITEMS)]
        return {"kind": kind, "length": len(value), "items": items}
    if isinstance(value, dict):
        items = itertools.islice(value.items(), MAX_ITEMS)
        return {"kind": "mapping", "items": [[look(k), look(v)] for k, v in items]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value)]
        fields = {name: look(getattr(value, name, None)) for name in names}
        return {"kind": "record", "type": type(value).__name__, "fields": fields}
    return _other(value)


def observe_error(error: BaseException):
    """Type, message, and the student's own line and function where it was raised."""
    every = traceback.extract_tb(error.__traceback__)
    frames = [f for f in every if _is_students(f.filename)]
    line, function = "", ""
    if frames:
        function = frames[-1].name
        line = frames[-1].line or linecache.getline(frames[-1].filename, frames[-1].lineno)
    try:
        message = str(error)
    except Exception:  # a student's exception may fail to print itself
        message = ""
    return {
        "kind": "error",
        "type": type(error).__name__,
        "message": message[:MAX_TEXT],
        "line": line.strip()[:MAX_TEXT],
        "function": function[:MAX_TEXT],
        "bases": [c.__name__ for c in type(error).__mro__],
        # Raised by a line of the student's own that says so, not by a library that it called.
        "own": not frames or (frames[-1] is every[-1] and (not line or "raise" in line)),
    }


def _is_students(filename: str) -> bool:
    return filename.startswith("<") or "ipykernel" in filename or "ipython-input" in filename
