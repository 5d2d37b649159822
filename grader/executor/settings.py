"""How workers mark, and what becomes of a task that took its worker along."""

from dataclasses import dataclass

from grader.course.notes import note
from grader.errors import UserError
from grader.i18n import N_
from grader.records.outcome import FAILED, Outcome
from grader.sandbox.limits import Limits

TRIES = 2


@dataclass(frozen=True)
class Settings:
    """limits of each submission; unsafe: without a sandbox; version of the code that marks."""

    limits: Limits = Limits()
    unsafe: bool = False
    version: str = ""

    @property
    def patience(self) -> float:
        """Seconds after which a worker that says nothing is taken for dead."""
        return 60 + 2 * self.limits.submission_seconds


class CannotGrade(UserError):
    """No submission can be marked here; the message has the remedy."""


def failed(why: str) -> Outcome:
    """The outcome of a task that could not be marked, twice."""
    message = N_(
        "The grader could not finish ({why}). Run it again; nothing of this submission "
        "was recorded."
    )
    return Outcome(FAILED, [note(message, why=why)])
