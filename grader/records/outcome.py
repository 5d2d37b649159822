"""What travels between the process that reads and writes files and the workers that mark."""

from dataclasses import dataclass, field
from enum import StrEnum

from grader.course import Lesson
from grader.course.lateness import ON_TIME, Lateness
from grader.i18n import N_


class Status(StrEnum):
    """What became of a submission, as submissions.csv says it."""

    GRADED = "graded"
    NOTED = "graded with note"
    STOPPED = "stopped"
    REFUSED = "refused"
    FAILED = "failed"


class Result(StrEnum):
    """What became of an exercise, as grades.csv says it."""

    PASSED = "passed"
    WRONG = "failed"
    NOT_RUN = N_("not run")
    BLANK = "blank"
    WAITING = "waiting"
    MARKED = "marked"
    # The check itself was at fault, and gives its points to everybody whose notebook could be read.
    VOID = "void"


GRADED, NOTED, STOPPED, REFUSED, FAILED = Status
PASSED, WRONG, NOT_RUN, BLANK, WAITING, MARKED, VOID = Result


@dataclass(frozen=True)
class Mark:
    """One exercise's mark. score: None while it waits for a mark by hand; lines: (label, text)
    pairs of the check's message, in the student's language; got: what came, for the report;
    answer: digest of a free text."""

    exercise: str
    score: float | None
    max_score: float
    verdict: Result
    mistake: str = ""
    headline: str = ""
    lines: tuple = ()
    got: str = ""
    answer: str = ""


@dataclass
class Task:
    """One submission to mark. data: the notebook's bytes, or None where ``refused`` says why not;
    seeds: exercise -> seed of its hidden cases; by_hand: exercise -> (mark, comment) given so far;
    language: "" leaves it to the notebook; late: what lateness costs; group: in
    words."""

    student: str
    lesson: Lesson
    data: bytes | None
    seeds: dict
    files: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    suspicions: list = field(default_factory=list)
    by_hand: dict = field(default_factory=dict)
    refused: object = None
    language: str = ""
    translations: dict = field(default_factory=dict)
    unsafe: bool = False
    late: Lateness = ON_TIME
    group: str = ""


@dataclass
class Outcome:
    """What became of a task. reason, notes and suspicions are Notes or plain texts; notebook and
    page are the marked notebook (a dict; its text once the worker is through) and the feedback page
    (a text), or None; pages_version: of the code that made the page; prints: exercise -> prints of
    its code."""

    status: Status
    reason: list = field(default_factory=list)
    marks: list = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    notes: list = field(default_factory=list)
    suspicions: list = field(default_factory=list)
    language: str = "en"
    notebook: dict | str | None = None
    page: str | None = None
    pages_version: str = ""
    prints: dict = field(default_factory=dict)
