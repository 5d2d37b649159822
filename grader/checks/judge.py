"""One check from cases to verdict, the same in a notebook's kernel and in grading."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from grader.checking import Exercise, Verdict, _
from grader.checking.drawing import drawn
from grader.checks.registry import get

PUBLIC_SEED = 0
SECONDS_ASKED = 1.0  # for the further calls of a wrong answer, all together


def run_check(
    exercise: Exercise,
    probe: Callable,
    seed: int,
    failed=frozenset(),
    guarded=nullcontext,
    further=True,
) -> Verdict:
    """Judges one exercise.

    probe(request, ask) runs the exercise's probe beside the student's code and returns its
    observations; seed draws the random cases; failed holds the exercises failed earlier. Where
    the exercise builds on one of those, it is judged a second time with right values in that
    one's place, so that one mistake costs one exercise's points. guarded() makes the context
    in which a reply is read. further: whether a wrong answer that nobody listed is called again.
    """
    cases = drawn(exercise, seed)
    verdict = _judged(exercise, cases, partial(_seen, exercise, probe, ()), guarded, further)
    helped = [name for name in exercise.prerequisites if name in failed]
    if verdict.passed or not helped:
        return verdict
    again = _judged(exercise, cases, partial(_seen, exercise, probe, helped), guarded, False)
    if not again.passed:
        return verdict
    words = _("right once {names} is right; mend that first")
    return replace(again, note=words.format(names=", ".join(helped)))


def _seen(exercise, probe, helped, cases, more=None):
    """more: what stands otherwise in the request."""
    return probe(exercise.request(cases, helped) | (more or {}), answer if helped else None)


def _judged(exercise, cases, look, guarded, further) -> Verdict:
    """Whoever is wrong in the short cases is told so before a long one is run."""
    count, seen = exercise.short_cases, []
    if count:
        seen = look(cases[:count])
        with guarded():
            early = exercise.of_short_cases(cases, seen)
        if not early.passed:
            return early
        exercise = exercise.past_short_cases()
    seen = [*seen, *look(cases[count:])]
    with guarded():
        verdict = exercise.judge(cases, seen)
        asked = further and not verdict.passed
        questions = _questions(exercise, cases, seen, verdict) if asked else []
    return _asked(exercise, verdict, questions, look, guarded, cases) if questions else verdict


def _questions(exercise, cases, seen, verdict) -> list:
    """What is to be asked further; nothing where the reply can't be read."""
    try:
        return exercise.questions(cases, seen, verdict)
    except Exception:  # a hostile reply may have any structure
        return []


def _asked(exercise, verdict, questions, look, guarded, cases) -> Verdict:
    """Where it isn't known why an answer is wrong, a few calls more may tell."""
    brief = {"seconds": min(exercise.seconds, SECONDS_ASKED), "shorter": (), "further": True}
    try:
        answers = look([question.case for question in questions], more=brief)
    except Exception:  # whatever such a call sets off, what was judged stands
        return verdict
    with guarded():
        return exercise.explained(verdict, questions, answers, cases)


def answer(question) -> dict:
    """The right values of an earlier exercise, asked for from beside the student's code."""
    return get(question["name"]).answer(question)
