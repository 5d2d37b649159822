"""Comparisons with the truth, and the words for what differs: values, gradients, errors, inputs."""

import math

import numpy as np

from grader.checking.case import Expected, Raises
from grader.checking.kinds import CUT
from grader.checking.text import MARK, MAX_NUMBERS, array_text, shape_text, side_by_side
from grader.checking.verdict import Problem
from grader.i18n import N_, _

# Why the probe "call" finds nothing to differentiate.
NO_GRADIENT = N_("not a tensor"), N_("detached"), N_("shape")


def close(found, wanted, relative=1e-4, absolute=1e-6) -> np.ndarray:
    """Elementwise: equal within the tolerances (``absolute`` in units of the largest number)."""
    found, wanted = np.asarray(found, float), np.asarray(wanted, dtype=float)
    size = np.abs(wanted)
    top = float(size.max(initial=0.0))
    if math.isfinite(top):  # np.isclose, at a fraction of its price
        return np.abs(found - wanted) <= absolute * max(top, 1e-6) + relative * size
    finite = size[np.isfinite(size)]
    scale = max(float(finite.max(initial=0.0)), 1e-6)
    return np.isclose(found, wanted, relative, absolute * scale, equal_nan=True)


def error_problem(error, shown) -> Problem:
    """Words for a student's function that raised, timed out or isn't written."""
    if error.get("kind") == "slow":
        return Problem(
            step="runs",
            shown=shown,
            got=_("no answer within the time limit"),
            hint=_("Is there a loop that never ends, or one over every pair?"),
            mistake="too-slow",
        )
    got = f"{error.get('type')}: {error.get('message')}"
    if "NotImplementedError" in error.get("bases", []) and error.get("own", True):
        return unwritten_problem(str(error.get("function", "")))
    if error.get("kind") == "untold":
        hint = _(
            "Call it yourself on this input, and look at the shape and type of what comes back."
        )
        got = _("something too large, too deep or too strange to be read")
        return Problem(step="kind", shown=shown, got=got, hint=hint, mistake="unreadable-result")
    if error.get("line"):
        got += "\n" + _("at: {line}").format(line=error["line"])
    return Problem(step="runs", shown=shown, got=got, mistake="raises")


def unwritten_problem(name) -> Problem:
    """Words for a stub. name: whose"""
    got = _("{name} is not written yet").format(name=name) if name.isidentifier() else ""
    return Problem(
        step="runs",
        got=got or _("not written yet"),
        hint=_("Replace raise NotImplementedError with your code."),
        mistake="not-written",
    )


def raising_problem(seen, truth, shown):
    error = seen.get("error")
    if not isinstance(truth, Raises):
        return error_problem(error, shown)
    wanted = _("{error} is raised").format(error=truth.type)
    if error is None:
        return Problem(
            step="runs",
            shown=shown,
            expected=wanted,
            got=_("no error"),
        )
    if truth.type in error.get("bases", []):
        return None
    problem = error_problem(error, shown)
    if problem.mistake == "not-written":
        return problem
    if truth.or_other and problem.mistake == "raises":
        return None
    return Problem(step="runs", shown=shown, expected=wanted, got=problem.got)


def shape_problem(found, wanted, shown):
    for label, truth in wanted.items():
        shape = found[label].shape
        if shape != truth.shape:
            name = f"{label}: " if label else ""
            return Problem(
                step="shape",
                shown=shown,
                expected=name + _("shape {shape}").format(shape=shape_text(truth.shape)),
                got=name + _("shape {shape}").format(shape=shape_text(shape)),
            )
    return None


def value_problem(found, wanted, shown, relative, absolute):
    for label, truth in wanted.items():
        name = f"{label} = " if label else ""
        good = close(found[label], truth, relative, absolute)
        if (np.isfinite(truth) & ~np.isfinite(np.asarray(found[label], float))).any():
            expected, got = side_by_side(truth, found[label], name, good)
            return Problem(step="finite", shown=shown, expected=expected, got=got)
        if not good.all():
            expected, got = differing(truth, found[label], good, name)
            return Problem(step="value", shown=shown, expected=expected, got=got)
    return None


def differing(truth, found, good, name=""):
    """Both as texts, with the entries that differ marked and counted; of large arrays the first of
    them alone, with its index. good: entry by entry, whether found is right."""
    texts = side_by_side(truth, found, name, good)
    if truth.size < 2:
        return texts
    index = tuple(int(i) for i in np.argwhere(~good)[0])
    place = "[" + ", ".join(map(str, index)) + "]"
    count = _("{n} of {all} differ, first at {place}")
    if MARK in texts[1]:
        count = _("{n} of {all} differ (≠), first at {place}")
    count = count.format(n=int((~good).sum()), all=truth.size, place=place)
    if truth.size <= MAX_NUMBERS:
        return texts[0], texts[1] + "\n" + count
    at = name + _("at index {index}: ").format(index=shape_text(index))
    return at + array_text(truth[index]), at + array_text(found[index]) + "\n" + count


def gradient_problem(gradients, wanted, shown, relative=1e-4) -> Problem | None:
    """The first gradient that differs; wanted: name -> array, or None where none may flow."""
    needed = any(truth is not None for truth in wanted.values())
    if gradients.get("error") and not needed:
        return None
    if gradients.get("error"):
        return Problem(
            step="gradient",
            shown=shown,
            expected=_("a result that can be differentiated"),
            got=_("no gradient ({why})").format(why=_(str(gradients["error"]))),
            hint=_(CUT),
            mistake="detached",
        )
    for name, truth in wanted.items():
        problem = _one_gradient(name, gradients.get(name, "none"), truth, shown, relative)
        if problem:
            return problem
    return None


def _one_gradient(name, found, truth, shown, relative):
    words = _("gradient with respect to {name}: {value}")
    none = _("no gradient with respect to {name}").format(name=name)
    if truth is None:
        if isinstance(found, str) or not np.any(found):
            return None
        return Problem(
            step="gradient",
            shown=shown,
            expected=none,
            got=words.format(name=name, value=array_text(found)),
        )
    wanted = words.format(name=name, value=array_text(truth))
    if isinstance(found, str):
        missing = not np.any(truth)
        if missing:
            return None
        return Problem(
            step="gradient",
            shown=shown,
            expected=wanted,
            got=none,
            hint=_(CUT),
            mistake="detached",
        )
    good = found.shape == np.shape(truth) and close(found, truth, relative)
    if np.all(good):
        return None
    got = words.format(name=name, value=array_text(found))
    if found.shape == np.shape(truth) and np.ndim(truth):
        before = words.format(name=name, value="").rstrip() + "\n"
        wanted, got = differing(np.asarray(truth), found, good, before)
    return Problem(step="gradient", shown=shown, expected=wanted, got=got)


def same_oddity(one, other):
    """Whether two results of a wrong kind are of the same one, with the same numbers."""
    if one.get("kind") != other.get("kind") or one.get("kind") not in ("none", "array", "tensor"):
        return False
    if one["kind"] == "none":
        return True
    found, wanted = one["array"], other["array"]
    # A dtype that the exercise refuses is its own mistake, whatever numbers are in it.
    if found.shape != wanted.shape or one.get("dtype") != other.get("dtype"):
        return False
    return bool(close(found, wanted).all())


def without_none(truth):
    """The truth without the inputs into which no gradient may flow."""
    if not isinstance(truth, Expected):
        return truth
    needed = {name: g for name, g in truth.gradients.items() if g is not None}
    return Expected(truth.value, needed)


def same_gradients(one, other, names, relative):
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    if "error" in one or "error" in other:
        return one.get("error") == other.get("error")
    return all(
        np.shape(_zero(one.get(n), g)) == np.shape(g)
        and close(_zero(one.get(n), g), g, relative).all()
        for n, g in ((n, _zero(g, one.get(n))) for n, g in other.items() if n in names)
    )


def _zero(gradient, like):
    """A missing gradient counts as zeros of the other's shape."""
    if not isinstance(gradient, (str, type(None))):
        return gradient
    return np.zeros(np.shape(like)) if not isinstance(like, (str, type(None))) else np.zeros(())


def inputs_problem(seen, shown):
    changed = seen.get("changed", [])
    if not changed:
        return None
    return Problem(
        step="inputs",
        shown=shown,
        expected=_("inputs as they were"),
        got=_("changed in place: {names}").format(names=", ".join(map(str, changed))),
        hint=_("Work on a copy: the caller still needs its array."),
        mistake="changed-inputs",
    )


def switches_problem(seen) -> Problem | None:
    """Global switches of torch that a right answer leaves as they were. Each run of a probe notes
    them with its first case, and short cases have a run of their own."""
    changed = [name for one in seen for name in one.get("switches", [])]
    if not changed:
        return None
    return Problem(
        step="inputs",
        expected=_("torch's global switches as they were"),
        got=_("left changed: {names}").format(names=", ".join(map(str, changed))),
        hint=_(
            "Whatever runs next lives with it: no gradient is computed any more, or numbers are of "
            "another type. A with block ends by itself."
        ),
        mistake="switch-left-changed",
    )
