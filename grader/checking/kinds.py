"""Kinds of results: which observed things count as a number, an array, a tensor, ...

Each kind turns an observation of ``probes.observe`` into labelled arrays, or raises Mismatch with
the step of the ladder and the words. Kinds are generous where both answers make sense.
"""

from dataclasses import dataclass

import numpy as np

from grader.checking.text import array_text, number_text
from grader.i18n import N_, _

CUT = N_("Where was the graph cut? Look for item(), detach(), numpy() or no_grad.")


class Mismatch(Exception):
    """The observation is not of the kind. ``got`` and ``hint`` are translated texts."""

    def __init__(self, got: str, hint: str = "", expected: str = ""):
        super().__init__(got)
        self.got, self.hint, self.expected = got, hint, expected


def kind_text(seen) -> str:
    """What came, in words, with its value where that is short."""
    kind = seen.get("kind")
    if kind == "none":
        return "None"
    if kind == "number":
        return number_text(seen["value"])
    if kind in ("array", "tensor"):
        name = _("an array") if kind == "array" else _("a tensor")
        return f"{name} {array_text(seen['array'])}"
    if kind == "text":
        return repr(seen["value"])
    if kind in ("list", "tuple"):
        return _("a {kind} of {n} items").format(kind=kind, n=seen.get("length", "?"))
    if kind == "mapping":
        return _("a dict of {n} items").format(n=len(seen.get("items", [])))
    return _oddity_text(seen)


def _oddity_text(seen):
    """An array or tensor that could not travel, or the type's name."""
    kind = str(seen.get("type", seen.get("kind")))
    words = {
        ("array", "dtype"): _("an array of dtype {known}"),
        ("array", "shape"): _("an array of shape {known}"),
        ("tensor", "shape"): _("a tensor of shape {known}"),
    }
    for (name, key), message in words.items():
        if kind == name and key in seen:
            return message.format(known=seen[key])
    return kind


def none_hint(seen) -> str:
    return (
        _("Nothing came back. Does the function end with return?")
        if seen.get("kind") == "none"
        else ""
    )


def dict_hint(seen) -> str:
    """What to say of an answer that is no dict."""
    return none_hint(seen) or _("A dict is asked for: keys, each with its value.")


@dataclass(frozen=True)
class Number:
    """A Python or NumPy scalar; a 0-d array or tensor holds one as well."""

    def arrays(self, seen, label=""):
        if seen.get("kind") == "number":
            return {label: np.asarray(seen["value"], dtype=float)}
        if seen.get("kind") in ("array", "tensor") and np.ndim(seen["array"]) == 0:
            return {label: np.asarray(seen["array"], dtype=float)}
        raise Mismatch(kind_text(seen), none_hint(seen), _("a number"))


@dataclass(frozen=True)
class Array:
    """A NumPy array (views, read-only and non-contiguous ones are right; so is a tensor)."""

    def arrays(self, seen, label=""):
        if seen.get("kind") in ("array", "tensor"):
            return {label: np.asarray(seen["array"])}
        if seen.get("kind") == "number":
            return {label: np.asarray(seen["value"])}
        hint = none_hint(seen)
        if seen.get("kind") == "list":
            hint = _("A list came back. Wrap it: np.array(...).")
        if seen.get("kind") == "tuple":
            hint = _("Several results came back. One array is asked.")
        raise Mismatch(kind_text(seen), hint, _("a NumPy array of numbers"))


@dataclass(frozen=True)
class TensorOf:
    """A torch tensor; ``dtype`` (where given) is the one that the inputs share."""

    dtype: str | None = None

    def arrays(self, seen, label=""):
        if seen.get("kind") != "tensor":
            number = seen.get("kind") in ("number", "array")
            hint = _(CUT) if number else none_hint(seen)
            raise Mismatch(kind_text(seen), hint, _("a torch tensor"))
        if self.dtype and seen["dtype"] != self.dtype:
            got = _("a tensor of dtype {dtype}").format(dtype=seen["dtype"])
            hint = _("Results keep the dtype of their inputs.")
            raise Mismatch(got, hint, _("dtype {dtype}").format(dtype=self.dtype))
        return {label: np.asarray(seen["array"])}


@dataclass(frozen=True)
class Flexible:
    """A number, an array or a tensor: where the syllabus leaves the choice open."""

    def arrays(self, seen, label=""):
        return (
            Number().arrays(seen, label)
            if seen.get("kind") == "number"
            else Array().arrays(seen, label)
        )


@dataclass(frozen=True)
class TupleOf:
    """A tuple (or list) of named parts."""

    parts: dict

    def arrays(self, seen, label=""):
        words = _("a tuple ({names})").format(names=", ".join(self.parts))
        if seen.get("kind") not in ("tuple", "list"):
            raise Mismatch(kind_text(seen), none_hint(seen), words)
        if seen.get("length") != len(self.parts):
            raise Mismatch(kind_text(seen), "", words)
        found = {}
        for (name, kind), item in zip(self.parts.items(), seen["items"]):
            found |= kind.arrays(item, name)
        return found


@dataclass(frozen=True)
class MappingOf:
    """A dict with these string keys (more are allowed)."""

    parts: dict

    def arrays(self, seen, label=""):
        words = _("a dict with the keys {names}").format(names=", ".join(self.parts))
        if seen.get("kind") != "mapping":
            raise Mismatch(kind_text(seen), none_hint(seen), words)
        items = {key.get("value"): value for key, value in seen["items"]}
        missing = [name for name in self.parts if name not in items]
        if missing:
            raise Mismatch(_("no key {name}").format(name=missing[0]), "", words)
        found = {}
        for name, kind in self.parts.items():
            found |= kind.arrays(items[name], name)
        return found
