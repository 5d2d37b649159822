"""Calls of an exercise, written by their values alone."""

from collections.abc import Callable

import numpy as np

from grader.checking import Case, Tensor


def caller(*names: str) -> Callable:
    """case(*values, **options) -> Case: values in the order of names, the last ones may be left
    out; a list becomes an array of floats."""

    def case(*values, **options):
        arrays = [np.array(v, float) if isinstance(v, list) else v for v in values]
        return Case(dict(zip(names, arrays, strict=False)), **options)

    return case


def tensor_caller(*names: str, grad: tuple = ()) -> Callable:
    """The same with tensors; only plain numbers and words stay as they are. dtype: of all that has
    a fraction; grad: names of those that ask for a gradient."""
    usual = grad

    def case(*values, dtype=None, grad=usual, **options):
        named = zip(names, values, strict=False)
        inputs = {name: _tensor(value, dtype, name in grad) for name, value in named}
        return Case(inputs, **options)

    return case


def _tensor(value, dtype, grad):
    if isinstance(value, (int, float, str)):
        return value
    array = np.asarray(value)
    fraction = dtype is not None and array.dtype.kind == "f"
    return Tensor(array.astype(dtype) if fraction else array, grad)
