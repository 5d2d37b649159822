"""What every exercise offers to the kernel's check and to the grader."""

from collections.abc import Mapping

import numpy as np

from grader.checking.case import Case
from grader.checking.compare import error_problem, switches_problem
from grader.checking.verdict import Problem, Verdict
from grader.i18n import N_, _
from grader.probes.runtime import PATIENCE

SECONDS = 4.0
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


class Exercise:
    """What every exercise offers to the kernel's check and to the grader."""

    name: str
    probe: str
    seconds: float
    prerequisites: tuple
    short_cases = 0  # so many of the first cases are judged before the others are run

    def cases(self, rng: np.random.Generator) -> list[Case]:
        raise NotImplementedError

    @property
    def by_the_clock(self) -> float:
        """Seconds after which a process that hasn't answered is given up."""
        return PATIENCE * self.seconds

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
            problem = (
                self._early_problem(cases, seen)
                or self.problem(cases, seen)
                or switches_problem(seen)
            )
        except Exception as error:  # a hostile reply may have any structure
            problem = Problem(
                step="reply", got=type(error).__name__, hint=_("The result could not be read.")
            )
        return Verdict(self.name, problem is None, len(cases), problem)

    def problem(self, cases, seen) -> Problem | None:
        raise NotImplementedError

    def questions(self, cases, seen, verdict) -> list:
        """Further calls that may tell why an answer is wrong, each with its ``case``."""
        return []

    def explained(self, verdict, questions, seen, cases) -> Verdict:
        """The verdict of a wrong answer, with what further calls tell."""
        return verdict

    def answer(self, question: Mapping) -> dict:
        """The right values for a later exercise's check, where this one was failed."""
        raise NotImplementedError

    def _early_problem(self, cases, seen):
        if not isinstance(seen, list) or not seen or not all(isinstance(s, dict) for s in seen):
            return Problem(step="reply", hint=_("The result could not be read."))
        if seen[0].get("error", {}).get("kind") == "undefined":
            hint = _("Run the cell that defines it, until it ends without an error; keep its name.")
            got = _("no {name} in this notebook").format(name=self.name)
            return Problem(step="defined", got=got, hint=hint)
        if len(seen) != len(cases):
            return error_problem(seen[0].get("error", {}), "")
        return None
