"""``FunctionExercise`` compares values and gradients with an independent truth."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass, replace

import numpy as np

from grader.checking.case import Case, Expected, Raises, labelled, plain
from grader.checking.compare import (
    close,
    gradient_problem,
    inputs_problem,
    raising_problem,
    same_gradients,
    same_oddity,
    shape_problem,
    value_problem,
    without_none,
)
from grader.checking.exercise import HINTS, SECONDS, Exercise
from grader.checking.kinds import Array, Mismatch, TensorOf
from grader.checking.relations import (
    MAY_HANG_ON_THE_CALL,
    UNSTEADY,
    VAGUE,
    further_relation,
    questions_about,
    relation,
)
from grader.checking.text import call_text, value_text
from grader.checking.verdict import Problem
from grader.i18n import _
from grader.probes import runtime
from grader.probes.inputs import Tensor

# Steps of the ladder after which further calls may tell something.
STEPS_ASKED = "shape", "value", "gradient"


@dataclass(frozen=True)
class FunctionExercise(Exercise):
    """A function judged by values and gradients.

    make_cases(rng) -> cases; truth has the exercise's own signature and gets plain NumPy inputs;
    kind says what kind of result is right; relative and absolute are tolerances, the latter in
    units of the largest expected number; formula: what is asked in a few plain steps, or several
    ways to it (see grader/checking/formulas), for the search of one step that was changed.
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
    formula: Callable | tuple = ()

    def cases(self, rng):
        return self.make_cases(rng)

    def problem(self, cases, seen):
        expected = [self.expected(case) for case in cases]
        for case, one, truth in zip(cases, seen, expected):
            problem = self.ladder(case, one, truth)
            if problem:
                named = self._named(problem, case, one, truth, cases, seen, expected)
                return self._in_the_smallest(named, case, cases, seen, expected)
        return None

    def questions(self, cases, seen, verdict):
        """Asked where nothing but a step, a direction, or in which calls it goes wrong, is told."""
        problem = verdict.problem
        asked = problem.mistake in (*VAGUE, *MAY_HANG_ON_THE_CALL) and problem.step in STEPS_ASKED
        return questions_about(self, problem.step, cases, seen) if asked else []

    def explained(self, verdict, questions, seen, cases):
        found = further_relation(self, verdict.step, questions, seen, cases)
        told = found and (verdict.mistake in VAGUE or found.name == UNSTEADY)
        if not told:
            return verdict
        problem = replace(verdict.problem, mistake=found.name, hint=found.hint)
        return replace(verdict, problem=problem)

    def _in_the_smallest(self, problem, first, cases, seen, expected):
        """The same problem in the smallest call in which the same step fails. A symptom's hint
        speaks of the call that it was seen in."""
        if problem.step not in ("shape", "value", "gradient") or self._by_symptom(problem):
            return problem
        best, size = problem, _numbers(first)
        for case, one, truth in zip(cases, seen, expected):
            if case.edge == first.edge and _numbers(case) < size:
                other = self.ladder(case, one, truth)
                if other and other.step == problem.step:
                    best = replace(other, hint=best.hint, mistake=best.mistake)
                    size = _numbers(case)
        return best

    def _by_symptom(self, problem):
        return any(m.when and m.name == problem.mistake for m in self.mistakes)

    def expected(self, case) -> Expected | Raises:
        return case.once(self.truth, lambda: self._expected(case))

    def _expected(self, case):
        truth = self.truth(**{name: plain(given) for name, given in case.inputs.items()})
        truth = truth if isinstance(truth, (Expected, Raises)) else Expected(truth)
        return truth if isinstance(truth, Raises) else _weighted(truth, case)

    def answer(self, question):
        """question: args and kwargs as plain data, upstream where gradients are asked for; the
        answer holds the value and the gradients of the question's grad tensors."""
        names = inspect.signature(self.truth).parameters
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
            return raising_problem(seen, truth, shown)
        try:
            found = self.kind_for(case).arrays(seen["value"])
        except Mismatch as mismatch:
            expected = mismatch.expected or value_text(truth.value)
            problem = Problem(
                step="kind", shown=shown, expected=expected, got=mismatch.got, hint=mismatch.hint
            )
            return self._cut(seen, truth, shown) or problem
        wanted = labelled(truth.value)
        return (
            shape_problem(found, wanted, shown)
            or value_problem(found, wanted, shown, self.relative, self.absolute)
            or self._gradient_problem(seen, truth, shown)
            or inputs_problem(seen, shown)
        )

    def kind_for(self, case):
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

    @runtime.generators_kept()
    def _named(self, problem, case, one, truth, cases, seen, expected):
        """The same problem with the name and hint of the mistake that it is, where one is known."""
        if problem.step == "inputs":  # nothing else is wrong in this case
            return problem
        if not case.edge:
            kept = [number for number, other in enumerate(cases) if not other.edge]
            cases, seen, expected = ([all_[n] for n in kept] for all_ in (cases, seen, expected))
        fits = self._imitations(next(n for n, c in enumerate(cases) if c is case), cases, seen)
        for mistake in self.mistakes:
            if mistake.when and _safely(mistake.when, case, one, truth):
                return _with(problem, mistake)
            if any(fits(face, expected) for face in mistake.faces):
                return _with(problem, mistake)
        # One gradient too many must not hide which mistake it is.
        asked = [without_none(t) for t in expected]
        for mistake in () if problem.mistake else self.mistakes:
            if any(fits(face, asked) for face in mistake.faces):
                return _with(problem, mistake)
        return self._related(problem, cases, seen, expected) or self._unnamed(problem)

    def _related(self, problem, cases, seen, expected):
        """The problem with what the answer has to do with the right one, where that can be told."""
        if problem.mistake not in ("", "raises"):
            return None
        found = relation(self, problem, cases, seen, expected)
        return found and replace(problem, mistake=found.name, hint=problem.hint or found.hint)

    def _unnamed(self, problem):
        # The exercise's own hint is about what to compute.
        about_it = "" if problem.step in ("runs", "kind", "shape") else self.hint
        hint = about_it or HINTS.get(problem.step, "")
        return problem if problem.hint else replace(problem, hint=_(hint) if hint else "")

    def _imitations(self, at, cases, seen):
        """fits(face, expected): whether the outputs are those of a mistake's face on every case.
        The case that failed, at this place, is tried first: it tells nearly every face apart."""
        order = sorted(range(len(cases)), key=lambda n: n != at)

        def fits(face, expected):
            return all(self._imitates(face, cases[n], seen[n], expected[n]) for n in order)

        return fits

    def _imitates(self, face, case, one, truth):
        """Whether what came is the face's, on a case that it gets right, too."""
        imitated = self._imitate(face, case)
        return not runtime.is_slow(imitated) and self._same(case, one, imitated[0], truth)

    def _imitate(self, face, case):
        """What is observed of a mistake's face on one case. A busy machine may cut it off now, and
        not the next time."""

        def observed():
            return runtime.run({self.name: face}, self.name, self.request([case]))

        return case.once((face, self.probe), observed, lasts=lambda seen: not runtime.is_slow(seen))

    def _same(self, case, one, other, truth):
        if "error" in one or "error" in other:
            return one.get("error", {}).get("type") == other.get("error", {}).get("type")
        kind = self.kind_for(case)
        try:
            found, wanted = kind.arrays(one["value"]), kind.arrays(other["value"])
        except Mismatch:
            return same_oddity(one["value"], other["value"])
        tolerances = self.relative, self.absolute
        if not all(_alike(found[label], wanted[label], *tolerances) for label in wanted):
            return False
        if not isinstance(truth, Expected) or not truth.gradients:
            return True
        gradients = one.get("gradients"), other.get("gradients")
        return same_gradients(*gradients, truth.gradients, self.relative)


def _alike(found, wanted, relative, absolute):
    return found.shape == wanted.shape and bool(close(found, wanted, relative, absolute).all())


def _numbers(case):
    """How many numbers a call holds."""
    return sum(_size(plain(given)) for given in case.inputs.values())


def _size(value):
    if isinstance(value, list):
        return sum(map(_size, value))
    return sum(map(np.size, vars(value).values())) if is_dataclass(value) else np.size(value)


def _with(problem, mistake):
    return replace(problem, mistake=mistake.name, hint=_(mistake.hint))


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
