"""What a student may read about a case that was drawn for grading alone: words and the hint.

A case counts as public where the check in the student's own notebook calls the function with the
very same inputs; of such a case everything is told.
"""

from dataclasses import replace

from grader.checking.drawing import drawn
from grader.checking.exercise import HINTS
from grader.checking.text import call_text
from grader.checking.verdict import Problem, Verdict
from grader.checks.judge import PUBLIC_SEED
from grader.i18n import _
from grader.marking.notebook import builtin_error
from grader.probes.wire import dumps

WORDED = ("defined", "behaviour")


def for_the_student(verdict: Verdict, exercise, seed: int) -> Verdict:
    """The verdict without the inputs, the truth and the outputs of a hidden case.

    exercise: the one judged; seed: what its cases were drawn from.
    """
    problem = verdict.problem
    if problem is None or not problem.shown or _is_public(problem, exercise, seed):
        return verdict
    return replace(verdict, problem=_worded(problem))


def _is_public(problem, exercise, seed):
    meant = [case for case in drawn(exercise, seed) if _shown(exercise, case) == problem.shown]
    weighted = problem.step == "gradient"
    known = {_key(case, weighted) for case in drawn(exercise, PUBLIC_SEED)}
    return bool(meant) and all(_key(case, weighted) in known for case in meant)


def _shown(exercise, case):
    return case.shown or call_text(exercise.name, case.inputs, case.keywords)


def _key(case, weighted):
    request = case.request()
    return dumps(request if weighted else request | {"upstream": None})


def _worded(problem):
    shown = _("a call that only the grading makes")
    kept = {"step": problem.step, "hint": _hint(problem), "mistake": problem.mistake}
    if problem.step in WORDED:
        kept |= {"expected": problem.expected, "got": problem.got}
    if problem.step == "shape":  # the sides of what came can be numbers of the input
        kept["got"] = _("another shape")
    if problem.step == "runs":
        kept["got"] = problem.got if problem.mistake == "too-slow" else _error_name(problem.got)
    return Problem(shown=shown, **kept)


def _hint(problem):
    """The hint, unless it speaks of an input that the student doesn't see."""
    if problem.hint not in [_(HINTS[step]) for step in ("runs", "kind", "value")]:
        return problem.hint
    return _(
        "Try your function on other inputs than the notebook's: other sizes, other shapes, "
        "extreme values."
    )


def _error_name(got):
    """The error's type alone, and only where Python has it: its message, its line and a name of
    the student's own making could carry the inputs out."""
    return builtin_error(got.split(":")[0])
