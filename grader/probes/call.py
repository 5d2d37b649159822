"""The general probe: call a function on cases; report values, gradients and changed inputs."""

import numpy as np

from .inputs import materialize
from .observe import observe
from .runtime import attempt, probe


@probe("value")
def value(target, cases):
    """The observed answer itself, for questions and tables."""
    return [{"value": observe(target)} for _ in cases]


@probe("call")
def call(function, cases):
    """One observation per case: value or error, gradients by input name, names of changed inputs.

    A case: inputs (dict, in the order of the call), keywords (names passed by keyword),
    upstream (array that weighs a non-scalar result before the backward pass, or None).
    """
    return [_call_once(function, case) for case in cases]


def _call_once(function, case):
    inputs = {name: materialize(given) for name, given in case["inputs"].items()}
    before = {name: _frozen(given) for name, given in inputs.items()}
    keywords = case.get("keywords", [])
    positional = [given for name, given in inputs.items() if name not in keywords]
    result, error = attempt(function, *positional, **{name: inputs[name] for name in keywords})
    if error:
        return {"error": error}
    seen = {"value": observe(result)}
    seen["changed"] = [name for name in inputs if not _same(before[name], inputs[name])]
    wanted = [name for name, given in case["inputs"].items() if getattr(given, "grad", False)]
    if wanted:
        seen["gradients"] = _gradients(result, {n: inputs[n] for n in wanted}, case.get("upstream"))
    return seen


def _gradients(result, inputs, upstream):
    """Gradient of the (weighted) result by input name: an array, "none" where no path leads there,
    or {"error": why} where there is nothing to differentiate."""
    import torch

    if not isinstance(result, torch.Tensor):
        return {"error": "not a tensor"}
    if not result.requires_grad:
        return {"error": "detached"}
    if upstream is not None and tuple(result.shape) != tuple(upstream.shape):
        return {"error": "shape"}
    scalar = result if upstream is None else (result * torch.as_tensor(upstream)).sum()
    if scalar.numel() != 1:
        return {"error": "shape"}
    try:
        found = torch.autograd.grad(scalar, list(inputs.values()), allow_unused=True)
    except Exception as error:
        return {"error": str(error)[:300]}
    return {n: "none" if g is None else g.detach().numpy().copy() for n, g in zip(inputs, found)}


def _frozen(given):
    """A copy to compare with after the call; None for what may change (generators, envs)."""
    if hasattr(given, "detach"):
        return given.detach().numpy().copy()
    if isinstance(given, np.ndarray):
        return given.copy()
    if isinstance(given, list):
        return [_frozen(item) for item in given]
    if hasattr(given, "states") and hasattr(given, "rewards"):
        return [_frozen(x) for x in (given.states, given.actions, given.rewards)]
    return given if isinstance(given, (int, float, str, bool)) else None


def _same(before, after):
    if before is None:
        return True
    if hasattr(after, "detach"):
        after = after.detach().numpy()
    if isinstance(before, list) and not isinstance(after, list):
        after = [after.states, after.actions, after.rewards]
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, np.ndarray):
        if before.shape != after.shape:
            return False
        # Bytes are compared ten times as fast, and tell nearly all.
        return before.tobytes() == after.tobytes() or np.array_equal(before, after, equal_nan=True)
    return before == after or (before != before and after != after)  # nan is not itself
