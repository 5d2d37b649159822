"""``RuleExercise`` judges what a special probe saw (rollouts, training) by rules."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from grader.checking.compare import error_problem
from grader.checking.exercise import SECONDS, Exercise
from grader.checking.relations import named_error
from grader.checking.remembering import forget
from grader.checking.text import call_text
from grader.i18n import _


@dataclass(frozen=True)
class RuleExercise(Exercise):
    """An exercise judged by rules over what a special probe saw.

    rules: functions (case, seen) -> Problem | None, in the order of the ladder, run on each case
    in turn; overall: functions (cases, seen) -> Problem | None over all cases at the end; remark:
    (cases, seen) -> what a right answer is told besides, or ""; hint: the msgid of what to do
    where a rule has no hint of its own; short_cases: how many of the first cases are judged before
    the others, which take long, are run; short_overall: functions as in overall, over those alone;
    met: how many of the first cases are known to meet the rules.
    """

    name: str
    probe: str
    make_cases: Callable
    rules: tuple = ()
    overall: tuple = ()
    seconds: float = SECONDS
    prerequisites: tuple = ()
    remark: Callable | None = None
    short_cases: int = 0
    short_overall: tuple = ()
    hint: str = ""
    met: int = 0

    def judge(self, cases, seen):
        try:
            return self._remarked(super().judge(cases, seen), cases, seen)
        finally:
            forget()

    def _remarked(self, verdict, cases, seen):
        if not (verdict.passed and self.remark):
            return verdict
        try:
            return replace(verdict, note=self.remark(cases, seen))
        except Exception:  # a remark is no part of the judgement
            return verdict

    def of_short_cases(self, cases, seen):
        """The verdict by the rules on the first cases; seen: what was seen of them alone."""
        alone = replace(self, overall=self.short_overall, remark=None)
        return replace(alone.judge(cases[: self.short_cases], seen), cases=len(cases))

    def past_short_cases(self):
        """The exercise where the short cases have met the rules: these aren't asked again."""
        return replace(self, met=self.short_cases)

    def cases(self, rng):
        return self.make_cases(rng)

    def problem(self, cases, seen):
        problem = self._first_problem(cases, seen)
        if problem and self.hint and not problem.hint:
            return replace(problem, hint=_(self.hint))
        return problem

    def _first_problem(self, cases, seen):
        for case, one in zip(cases[self.met :], seen[self.met :]):
            shown = case.shown or call_text(self.name, case.inputs, case.keywords)
            if "error" in one:
                return named_error(error_problem(one["error"], shown), one["error"])
            for rule in self.rules:
                problem = rule(case, one)
                if problem and problem.mistake == "not-written":
                    return problem
                if problem:
                    return replace(problem, shown=problem.shown or shown)
        return next((p for p in (rule(cases, seen) for rule in self.overall) if p), None)
