"""Exercises: cases, an independent truth, the usual mistakes, and the ladder that judges.

``FunctionExercise`` compares values and gradients with a truth. ``RuleExercise`` judges what a
special probe saw (rollouts, training) by rules. ``Choice`` is a question with one right letter.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from grader.i18n import N_, _
from grader.kinds import CUT, Array, Mismatch, Number, TensorOf, kind_text
from grader.probes import runtime
from grader.probes.inputs import Tensor, View
from grader.show import array_text, call_text, shape_text, value_text
from grader.verdict import Problem, Verdict

SECONDS = 10.0
# Why the probe "call" finds nothing to differentiate.
NO_GRADIENT = N_("not a tensor"), N_("detached"), N_("shape")
# Where no named mistake fits, what to do next.
HINTS = {
    "runs": N_("Call it yourself on this input, and read the error from its last line upwards."),
    "kind": N_("Call it yourself on this input, and look at the type of what comes back."),
    "shape": N_("Print the shape after each line. Where does it stop being what you expect?"),
    "finite": N_("Which line makes the first nan or inf? Print what goes into it."),
    "value": N_("Work this case out on paper, and print what your function has at each step."),
    "gradient": N_(
        "The value is right. Which inputs may move it, and which are only numbers here?"
    ),
}


@dataclass(frozen=True)
class Case:
    """One call. inputs: name -> plain value or record, in the order of the call; keywords: names
    passed by keyword; upstream: weighs a non-scalar result before its backward pass."""

    inputs: Mapping
    keywords: tuple = ()
    upstream: np.ndarray | None = None
    shown: str = ""

    def request(self) -> dict:
        return {
            "inputs": dict(self.inputs),
            "keywords": list(self.keywords),
            "upstream": self.upstream,
        }


@dataclass(frozen=True)
class Expected:
    """A truth with gradients: input name -> array, or None where no gradient may flow, or, for a
    result that isn't a scalar, a function of ``upstream`` (weights of the result's entries)."""

    value: object
    gradients: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class Raises:
    """The truth is an error of this type."""

    type: str = "ValueError"


@dataclass(frozen=True)
class Mistake:
    """A usual mistake: ``like`` computes it (same signature as the exercise), or ``when(case,
    seen, expected)`` recognises its symptom. ``hint`` is a msgid; it never prints the solution."""

    name: str
    hint: str
    like: Callable | None = None
    when: Callable | None = None


class Exercise:
    """What every exercise offers to the kernel's check and to the grader."""

    name: str
    probe: str
    seconds: float
    prerequisites: tuple

    def cases(self, rng: np.random.Generator) -> list[Case]:
        raise NotImplementedError

    def request(self, cases, replace=()) -> dict:
        return {
            "probe": self.probe,
            "cases": [case.request() for case in cases],
            "seconds": self.seconds,
            "replace": list(replace),
        }

    def judge(self, cases, seen) -> Verdict:
        """Never raises, whatever came back."""
        try:
            problem = self._early_problem(cases, seen) or self.problem(cases, seen)
        except Exception as error:  # a hostile reply may have any structure
            problem = Problem(
                "reply", got=type(error).__name__, hint=_("The result could not be read.")
            )
        return Verdict(self.name, problem is None, len(cases), problem)

    def problem(self, cases, seen) -> Problem | None:
        raise NotImplementedError

    def answer(self, question: Mapping) -> dict:
        """The right values for a later exercise's check, where this one was failed."""
        raise NotImplementedError

    def _early_problem(self, cases, seen):
        if not isinstance(seen, list) or not seen or not all(isinstance(s, dict) for s in seen):
            return Problem("reply", hint=_("The result could not be read."))
        if seen[0].get("error", {}).get("kind") == "undefined":
            hint = _("Run the cell that defines it, until it ends without an error; keep its name.")
            got = _("no {name} in this notebook").format(name=self.name)
            return Problem("defined", got=got, hint=hint)
        if len(seen) != len(cases):
            return error_problem(seen[0].get("error", {}), "")
        return None


@dataclass(frozen=True)
class FunctionExercise(Exercise):
    """A function judged by values and gradients.

    make_cases(rng) -> cases; truth has the exercise's own signature and gets plain NumPy inputs;
    kind says what kind of result is right; relative and absolute are tolerances, the latter in
    units of the largest expected number.
    """

    name: str
    make_cases: Callable
    truth: Callable
    kind: object = Array()
    mistakes: tuple = ()
    relative: float = 1e-4
    absolute: float = 1e-6
    seconds: float = SECONDS
    prerequisites: tuple = ()
    hint: str = ""
    probe: str = "call"

    def cases(self, rng):
        return self.make_cases(rng)

    def problem(self, cases, seen):
        expected = [self.expected(case) for case in cases]
        for case, one, truth in zip(cases, seen, expected):
            problem = self.ladder(case, one, truth)
            if problem:
                return self._named(problem, case, one, truth, cases, seen, expected)
        return None

    def expected(self, case) -> Expected | Raises:
        truth = self.truth(**{name: plain(given) for name, given in case.inputs.items()})
        truth = truth if isinstance(truth, (Expected, Raises)) else Expected(truth)
        return truth if isinstance(truth, Raises) else _weighted(truth, case)

    def answer(self, question):
        """question: args and kwargs as plain data, upstream where gradients are asked for; the
        answer holds the value and the gradients of the question's grad tensors."""
        names = self.truth.__code__.co_varnames[: self.truth.__code__.co_argcount]
        given = dict(zip(names, question["args"])) | dict(question["kwargs"])
        truth = self.expected(Case(given, upstream=question.get("upstream")))
        grads = [name for name, one in given.items() if isinstance(one, Tensor) and one.grad]
        return {
            "value": truth.value,
            "gradients": [_gradient_or_zeros(truth, n, given[n]) for n in grads],
        }

    def ladder(self, case, seen, truth) -> Problem | None:
        """The first step that fails on one case, without the mistake's name."""
        shown = case.shown or call_text(self.name, case.inputs, case.keywords)
        if isinstance(truth, Raises) or "error" in seen:
            return _raising(seen, truth, shown)
        try:
            found = self._kind_for(case).arrays(seen["value"])
        except Mismatch as mismatch:
            expected = mismatch.expected or value_text(truth.value)
            problem = Problem("kind", shown, expected, mismatch.got, mismatch.hint)
            return self._cut(seen, truth, shown) or problem
        wanted = labelled(truth.value)
        return (
            _shape_problem(found, wanted, shown)
            or _value_problem(found, wanted, shown, self.relative, self.absolute)
            or self._gradient_problem(seen, truth, shown)
            or _inputs_problem(seen, shown)
        )

    def _kind_for(self, case):
        if not isinstance(self.kind, TensorOf):
            return self.kind
        dtypes = {g.array.dtype.name for g in case.inputs.values() if isinstance(g, Tensor)}
        floats = {d for d in dtypes if d.startswith("float")}
        return TensorOf(floats.pop()) if len(floats) == 1 else self.kind

    def _gradient_problem(self, seen, truth, shown):
        if not truth.gradients:
            return None
        return gradient_problem(seen.get("gradients", {}), truth.gradients, shown, self.relative)

    def _cut(self, seen, truth, shown):
        """A tensor made anew often has another dtype, too; what was lost is the graph."""
        if seen["value"].get("kind") != "tensor":
            return None
        problem = self._gradient_problem(seen, truth, shown)
        return problem if problem and problem.mistake == "detached" else None

    def _named(self, problem, case, one, truth, cases, seen, expected):
        """The same problem with the name and hint of the mistake that it is, where one is known."""
        if problem.step == "inputs":  # nothing else is wrong in this case
            return problem
        imitations = []
        for mistake in self.mistakes:
            if mistake.when and _safely(mistake.when, case, one, truth):
                return _with(problem, mistake)
            if mistake.like:
                imitations.append((mistake, self._imitate(mistake, cases)))
                if self._matches(seen, imitations[-1][1], cases, expected):
                    return _with(problem, mistake)
        for mistake, imitated in imitations:
            # One gradient too many must not hide which mistake it is.
            asked = [_without_none(t) for t in expected]
            if not problem.mistake and self._matches(seen, imitated, cases, asked):
                return _with(problem, mistake)
        # The exercise's own hint is about what to compute.
        about_it = "" if problem.step in ("runs", "kind", "shape") else self.hint
        hint = about_it or HINTS.get(problem.step, "")
        return (
            problem
            if problem.hint
            else Problem(**{**vars(problem), "hint": _(hint) if hint else ""})
        )

    def _imitate(self, mistake, cases):
        return runtime.run({self.name: mistake.like}, self.name, self.request(cases))

    def _matches(self, seen, imitated, cases, expected):
        """Whether the outputs are the mistake's on every case, right ones included."""
        if len(imitated) != len(cases):
            return False
        return all(map(self._same, cases, seen, imitated, expected))

    def _same(self, case, one, other, truth):
        if "error" in one or "error" in other:
            return one.get("error", {}).get("type") == other.get("error", {}).get("type")
        kind = self._kind_for(case)
        try:
            found, wanted = kind.arrays(one["value"]), kind.arrays(other["value"])
        except Mismatch:
            return _same_oddity(one["value"], other["value"])
        if _shape_problem(found, wanted, "") or _value_problem(
            found, wanted, "", self.relative, self.absolute
        ):
            return False
        if not isinstance(truth, Expected) or not truth.gradients:
            return True
        gradients = one.get("gradients"), other.get("gradients")
        return _same_gradients(*gradients, truth.gradients, self.relative)


@dataclass(frozen=True)
class RuleExercise(Exercise):
    """An exercise judged by rules over what a special probe saw.

    rules: functions (case, seen) -> Problem | None, in the order of the ladder, run on each case
    in turn; overall: functions (cases, seen) -> Problem | None over all cases at the end.
    """

    name: str
    probe: str
    make_cases: Callable
    rules: tuple = ()
    overall: tuple = ()
    seconds: float = SECONDS
    prerequisites: tuple = ()

    def cases(self, rng):
        return self.make_cases(rng)

    def problem(self, cases, seen):
        for case, one in zip(cases, seen):
            shown = case.shown or call_text(self.name, case.inputs, case.keywords)
            if "error" in one:
                return error_problem(one["error"], shown)
            for rule in self.rules:
                problem = rule(case, one)
                if problem and problem.mistake == "not-written":
                    return problem
                if problem:
                    return Problem(**{**vars(problem), "shown": problem.shown or shown})
        return next((p for p in (rule(cases, seen) for rule in self.overall) if p), None)


@dataclass(frozen=True)
class Choice(Exercise):
    """A question with one right letter. hints: letter -> msgid for each wrong one."""

    name: str
    right: str
    hints: Mapping = field(default_factory=dict)
    probe: str = "value"
    seconds: float = SECONDS
    prerequisites: tuple = ()

    def cases(self, rng):
        return [Case({})]

    def problem(self, cases, seen):
        answer = seen[0].get("value", {})
        letters = ", ".join(repr(letter) for letter in sorted([self.right, *self.hints]))
        wanted = _("one of {letters}").format(letters=letters)
        if answer.get("kind") == "none" or answer.get("type") == "ellipsis":
            hint = _("Not answered yet: put one letter in place of None.")
            return Problem("defined", "", wanted, "None", hint, "not-answered")
        letter = str(answer.get("value", "")).strip(" ().:'\"").lower()
        if letter == self.right:
            return None
        if letter in self.hints:
            return Problem("value", "", "", repr(letter), _(self.hints[letter]), f"chose-{letter}")
        return Problem("kind", "", wanted, kind_text(answer), "", "not-a-letter")


def plain(value):
    """The NumPy value behind an input record, for truths."""
    if isinstance(value, (Tensor, View)):
        return np.array(value.array)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def labelled(value) -> dict:
    """A truth's value as labelled arrays, as kinds give them."""
    if isinstance(value, Mapping):
        return {name: np.asarray(part) for name, part in value.items()}
    return {"": np.asarray(value)}


def seed_of(name: str, seed: int) -> np.random.Generator:
    """The generator of an exercise's random cases; crc32 keeps it the same in every process."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def close(found, wanted, relative=1e-4, absolute=1e-6) -> np.ndarray:
    """Elementwise: equal within the tolerances (``absolute`` in units of the largest number)."""
    wanted = np.asarray(wanted, dtype=float)
    finite = np.abs(wanted[np.isfinite(wanted)])
    scale = max(float(finite.max(initial=0.0)), 1e-6)
    return np.isclose(np.asarray(found, float), wanted, relative, absolute * scale, equal_nan=True)


def error_problem(error, shown) -> Problem:
    """Words for a student's function that raised, timed out or isn't written."""
    if error.get("kind") == "slow":
        return Problem(
            "runs",
            shown,
            "",
            _("no answer within the time limit"),
            _("Is there a loop that never ends, or one over every pair?"),
            "too-slow",
        )
    got = f"{error.get('type')}: {error.get('message')}"
    if "NotImplementedError" in error.get("bases", []):
        name = str(error.get("function", ""))
        got = _("{name} is not written yet").format(name=name) if name.isidentifier() else ""
        return Problem(
            "runs",
            "",
            "",
            got or _("not written yet"),
            _("Replace raise NotImplementedError with your code."),
            "not-written",
        )
    if error.get("line"):
        got += "\n" + _("at: {line}").format(line=error["line"])
    return Problem("runs", shown, "", got, "", "raises")


def _raising(seen, truth, shown):
    error = seen.get("error")
    if not isinstance(truth, Raises):
        return error_problem(error, shown)
    wanted = _("{error} is raised").format(error=truth.type)
    if error is None:
        return Problem("runs", shown, wanted, _("no error"), "", "")
    if truth.type in error.get("bases", []):
        return None
    problem = error_problem(error, shown)
    return (
        problem if problem.mistake == "not-written" else Problem("runs", shown, wanted, problem.got)
    )


def _shape_problem(found, wanted, shown):
    for label, truth in wanted.items():
        shape = found[label].shape
        if shape != truth.shape:
            name = f"{label}: " if label else ""
            return Problem(
                "shape",
                shown,
                name + _("shape {shape}").format(shape=shape_text(truth.shape)),
                name + _("shape {shape}").format(shape=shape_text(shape)),
            )
    return None


def _value_problem(found, wanted, shown, relative, absolute):
    for label, truth in wanted.items():
        name = f"{label} = " if label else ""
        texts = name + array_text(truth), name + array_text(found[label])
        if (np.isfinite(truth) & ~np.isfinite(np.asarray(found[label], float))).any():
            return Problem("finite", shown, *texts)
        good = close(found[label], truth, relative, absolute)
        if not good.all():
            return Problem("value", shown, *_focus(texts, found[label], truth, good, name))
    return None


def _focus(texts, found, truth, good, name):
    """For large arrays: the first entry that differs, with its index."""
    if truth.size <= 24:
        return texts
    index = tuple(int(i) for i in np.argwhere(~good)[0])
    at = name + _("at index {index}: ").format(index=shape_text(index))
    return at + array_text(truth[index]), at + array_text(found[index])


def gradient_problem(gradients, wanted, shown, relative=1e-4) -> Problem | None:
    """The first gradient that differs; wanted: name -> array, or None where none may flow."""
    needed = any(truth is not None for truth in wanted.values())
    if gradients.get("error") and not needed:
        return None
    if gradients.get("error"):
        return Problem(
            "gradient",
            shown,
            _("a result that can be differentiated"),
            _("no gradient ({why})").format(why=_(str(gradients["error"]))),
            _(CUT),
            "detached",
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
        return Problem("gradient", shown, none, words.format(name=name, value=array_text(found)))
    wanted = words.format(name=name, value=array_text(truth))
    if isinstance(found, str):
        missing = not np.any(truth)
        return None if missing else Problem("gradient", shown, wanted, none, _(CUT), "detached")
    if found.shape == np.shape(truth) and close(found, truth, relative).all():
        return None
    return Problem("gradient", shown, wanted, words.format(name=name, value=array_text(found)))


def _same_oddity(one, other):
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


def _without_none(truth):
    """The truth without the inputs into which no gradient may flow."""
    if not isinstance(truth, Expected):
        return truth
    needed = {name: g for name, g in truth.gradients.items() if g is not None}
    return Expected(truth.value, needed)


def _same_gradients(one, other, names, relative):
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


def _inputs_problem(seen, shown):
    changed = seen.get("changed", [])
    if not changed:
        return None
    return Problem(
        "inputs",
        shown,
        _("inputs as they were"),
        _("changed in place: {names}").format(names=", ".join(map(str, changed))),
        _("Work on a copy: the caller still needs its array."),
        "changed-inputs",
    )


def _with(problem, mistake):
    return Problem(**{**vars(problem), "mistake": mistake.name, "hint": _(mistake.hint)})


def _safely(predicate, *args):
    try:
        return bool(predicate(*args))
    except Exception:  # a symptom that can't be read is no symptom
        return False


def _weighted(truth, case):
    """The truth with the gradients that the case asks for, as arrays; a fixed one is that of a
    scalar result."""
    weights = 1.0 if case.upstream is None else np.asarray(case.upstream)
    asked = [name for name, given in case.inputs.items() if getattr(given, "grad", False)]
    found = {name: g for name, g in truth.gradients.items() if name in asked}
    for name, gradient in found.items():
        if callable(gradient):
            found[name] = gradient(weights)
        elif gradient is not None and np.ndim(weights) == 0:
            found[name] = gradient * weights
    return Expected(truth.value, found)


def _gradient_or_zeros(truth, name, given):
    gradient = truth.gradients.get(name)
    return np.zeros_like(given.array) if gradient is None else np.asarray(gradient)


__all__ = [
    "Array",
    "Case",
    "Choice",
    "Exercise",
    "Expected",
    "FunctionExercise",
    "Mistake",
    "N_",
    "Number",
    "Problem",
    "Raises",
    "RuleExercise",
    "TensorOf",
    "Verdict",
    "close",
    "error_problem",
    "gradient_problem",
    "seed_of",
]
