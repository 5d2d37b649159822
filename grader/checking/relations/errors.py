"""What an error says, in words: its message as a learner can read it, or the calls that raise."""

import re
from dataclasses import dataclass, replace

from grader.checking.case import Expected
from grader.checking.relations.evidence import Relation, plain_inputs
from grader.checking.relations.splits import split_relation
from grader.i18n import N_, _

# (name, what the message holds, hint)
MESSAGES = (
    (
        "logits-as-probabilities",
        r"parameter probs",
        N_(
            "The first argument of torch's Categorical is probs, and logits are none. Name the "
            "argument: Categorical(logits=...)."
        ),
    ),
    (
        "key-of-older-releases",
        r"final_observation|terminal_observation",
        N_("The key has another name in this release. Print the keys of infos: final_obs is it."),
    ),
    (
        "unpacked-into-too-few",
        r"too many values to unpack",
        N_(
            "More values came than names stand on the left of =. How many does that call give? "
            "env.step gives five: state, reward, terminated, truncated, info."
        ),
    ),
    (
        "unpacked-into-too-many",
        r"not enough values to unpack|cannot unpack",
        N_("Fewer values came than names stand on the left of =. What does that call give?"),
    ),
    (
        "numpy-of-a-graph",
        r"[Cc]an't call numpy\(\) on Tensor that requires grad|__array__",
        N_("NumPy can't follow a gradient. Stay with torch's functions where a gradient flows."),
    ),
    (
        "graph-missing",
        r"does not require grad",
        N_("There is nothing to differentiate any more. Where was the graph cut?"),
    ),
    (
        "changed-in-place",
        r"in-place operation|inplace operation|read-only",
        N_("An input is changed in place. Work on a copy, or compute a new one."),
    ),
    (
        "shapes-dont-fit",
        (
            r"broadcast|size of tensor|must match|inhomogeneous|same shape|expanded size|mat1 and "
            r"mat2|not aligned|same number of dimensions|mismatch in its core dimension"
        ),
        N_("Two shapes don't fit together. Print both, just above the line."),
    ),
    (
        "index-out-of-range",
        r"out of bounds|out of range|boolean index did not match|too many indices",
        N_("An index points beyond the end. Which axis is meant, and how long is it?"),
    ),
    (
        "seed-of-numpy",
        r"Seed must be a python integer",
        N_("Gymnasium takes no NumPy integer as a seed. What makes Python's own of it?"),
    ),
    (
        "no-whole-number-index",
        (
            r"must be integers|arrays used as indices|only integer|expected dtype int64|"
            r"tensors used as indices|Long|int64"
        ),
        N_("An index is a whole number. What type has this one?"),
    ),
    (
        "no-single-truth",
        r"truth value of an array|Boolean value of Tensor",
        N_("An if asks one question, and an array has many answers: any, all, or where?"),
    ),
    (
        "no-single-number",
        r"only (length-1|0-dimensional|one element)|only size-1|cannot be converted to Scalar",
        N_("A single number is asked for there, and an array stands there."),
    ),
    (
        "array-or-tensor",
        r"must be Tensor|not numpy|numpy\.ndarray|'?torch\.Tensor'?|'Tensor'|expected Tensor",
        N_("NumPy arrays and torch tensors are mixed up there. Which of the two is it?"),
    ),
    (
        "other-signature",
        r"positional argument|unexpected keyword|multiple values for argument",
        N_("The function is called with other arguments than it takes. Compare its first line."),
    ),
    (
        "no-distribution",
        r"[Pp]robabilities|[Ee]xpected parameter|pvals|Simplex",
        N_("These are no probabilities: none negative, and their sum is 1."),
    ),
    ("divided-by-zero", r"division by zero|divide by zero", N_("What is divided by 0 here?")),
    (
        "endless-recursion",
        r"maximum recursion",
        N_("The function calls itself without end. Is one of its names the exercise's own?"),
    ),
    ("of-nothing", r"empty|zero-size|no identity", N_("Nothing is left there to compute with.")),
)
TYPES = (
    ("name-not-defined", "NameError", N_("A name has no value there. Is it typed as above?")),
    ("no-such-attribute", "AttributeError", N_("What is there has no such part. Print its type.")),
    ("no-such-key", "KeyError", N_("There is no such key. Print the keys that are there.")),
    ("index-out-of-range", "IndexError", N_("Which axis is meant, and how long is it?")),
    ("types-dont-fit", "TypeError", N_("Print the types of what stands in that line.")),
    ("assertion-failed", "AssertionError", N_("Your own assert stops a call that is allowed.")),
    (
        "value-refused",
        "ValueError",
        N_("What is called there refuses what it is given. Print its value and its shape."),
    ),
    (
        "value-refused",
        "RuntimeError",
        N_("What is called there refuses what it is given. Print its value and its shape."),
    ),
)


@dataclass(frozen=True)
class Call:
    """One call: its inputs, and whether it went through."""

    inputs: dict
    right: bool


def error_relation(exercise, cases, seen, expected) -> Relation | None:
    """The error in words, and, where others of the calls go through, which of them raise."""
    pairs = list(zip(cases, seen, expected))
    errors = [one["error"] for _c, one, truth in pairs if "error" in one and _asked(truth)]
    if not errors:
        return _none_raised(pairs)
    found = explained(errors[0])
    calls = [Call(plain_inputs(exercise, c), "error" not in s) for c, s, t in pairs if _asked(t)]
    parted = split_relation(calls)
    if parted is None:
        return found
    return Relation(found.name if found else "raises-for-some-calls", parted.hint)


def _asked(truth):
    return isinstance(truth, Expected)


def _none_raised(pairs):
    """An error was asked for, and a value came."""
    if any("error" in one for _c, one, truth in pairs if not _asked(truth)):
        return None
    hint = _("This call makes no sense, and an error is asked. What does your function do with it?")
    return Relation("no-error", hint)


def explained(error) -> Relation | None:
    """The name and the hint of a usual message of Python's, NumPy's or torch's."""
    message, bases = str(error.get("message", "")), [error.get("type"), *error.get("bases", [])]
    if str(error.get("line", "")).strip().startswith("raise "):
        return Relation("raises-by-itself", _("Your own raise stops a call that is allowed."))
    for name, pattern, hint in MESSAGES:
        if re.search(pattern, message):
            return Relation(name, _(hint))
    for name, kind, hint in TYPES:
        if kind in bases:
            return Relation(name, _(hint))
    return None


def named_error(problem, error):
    """The problem "raises" with the name and the hint of a usual error, where it is one."""
    found = explained(error) if problem.mistake == "raises" else None
    return replace(problem, mistake=found.name, hint=found.hint) if found else problem
