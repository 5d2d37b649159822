"""``deadlines.csv``: until when each lesson is due, for whom, and what lateness costs.

# 10% a day, grace 2 hours, at most 50%
lesson,student,due
01_reinforce,,2026-11-30 23:59 Europe/Madrid
01_reinforce,ada@x.org,2026-12-04 23:59 Europe/Madrid
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.course.lateness import DAY, HOUR, MINUTE, ON_TIME, Lateness, Rule
from grader.course.reasons import reason
from grader.i18n import _
from grader.intake.classroom import ClassroomError
from grader.intake.sheets import decoded, sheet_of

FILE = "deadlines.csv"
UNITS = {"min": MINUTE, "minute": MINUTE, "minutes": MINUTE, "h": HOUR, "hour": HOUR,
         "hours": HOUR, "d": DAY, "day": DAY, "days": DAY}  # fmt: skip
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_SHARE = re.compile(rf"(\d+(?:\.\d+)?)\s*%\s*(?:a|an|per|/)\s*({_UNIT})")
_GRACE = re.compile(rf"grace\s*:?\s*(\d+(?:\.\d+)?)\s*({_UNIT})")
_MOST = re.compile(r"at most\s*(\d+(?:\.\d+)?)\s*%")
_DUE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?\s*(\S+)")


@dataclass(frozen=True)
class Deadlines:
    """due: (lesson, student) -> moment; student "" stands for everybody."""

    rule: Rule = Rule()
    due: dict = field(default_factory=dict, hash=False)

    def due_of(self, student, lesson) -> datetime | None:
        """When the student's lesson is due; None where nobody said."""
        return self.due.get((lesson, student), self.due.get((lesson, "")))

    def spelt(self, spelling) -> "Deadlines":
        """The same with names as the folders have them."""
        due = {(lesson, spelling(who)): moment for (lesson, who), moment in self.due.items()}
        return Deadlines(self.rule, due)

    def strangers(self, students, lessons) -> list:
        """Who has a deadline of their own in one of these lessons and is none of the students:
        misspelt, it counts for nobody."""
        named = {student for lesson, student in self.due if student and lesson in lessons}
        return sorted(named - set(students))

    def lateness(self, student, lesson, moment: datetime | None, marked=False) -> Lateness:
        """moment: when it was submitted, None where unknown; marked: the platform calls it late,
        which an extension makes void."""
        due = self.due_of(student, lesson)
        if moment is not None and due is not None:
            seconds = max(0.0, (moment - due).total_seconds())
            return Lateness(seconds, marked, self.rule.cost(seconds) if seconds else 0.0)
        if marked and (lesson, student) not in self.due:
            return Lateness(None, True, self.rule.cost(None) if self.due else 0.0)
        return ON_TIME


def read_deadlines(path, lessons=(), needed=False) -> Deadlines:
    """The file's deadlines; none where there is no file, unless it is needed. lessons: those that
    exist. Raises ClassroomError."""
    if not needed and not Path(path).is_file():
        return Deadlines()
    try:
        text = decoded(Path(path).read_bytes()).lstrip("\ufeff")
    except (OSError, UnicodeError) as error:
        words = _("{path}: {why}. It holds a line lesson,student,due and then one line a deadline.")
        raise ClassroomError(words.format(path=path, why=reason(error))) from None
    lines = text.splitlines()
    comments = [line.lstrip('# "') for line in lines if _is_comment(line)]
    rest = "\n".join(line for line in lines if not _is_comment(line))
    try:
        rule = rule_of(_rule_text(comments)) if comments else Rule()
        return Deadlines(rule, _dues(sheet_of(rest), lessons))
    except ValueError as error:
        raise ClassroomError(f"{path}: {error}") from None


def _is_comment(line):
    return line.lstrip(' "').startswith("#")  # a spreadsheet may have quoted it


def _rule_text(comments):
    """The first comment, and what further ones add to it; else a grace would be lost in silence."""
    first, *others = comments
    parts = [
        one for one in others if any(p.search(one.casefold()) for p in (_SHARE, _GRACE, _MOST))
    ]
    return ", ".join([first, *parts])


def rule_of(text) -> Rule:
    """The rule in a line such as "10% a day, grace 2 hours, at most 50%". Raises ValueError."""
    rest = text.casefold()
    share, grace, most = _SHARE.search(rest), _GRACE.search(rest), _MOST.search(rest)
    for pattern in (_SHARE, _GRACE, _MOST):
        rest = pattern.sub("", rest, count=1)
    if share is None or re.search(r"\w", rest):
        words = _("the rule {text} can't be read. It is written as {example}.")
        example = "10% a day, grace 2 hours, at most 50%"
        raise ValueError(words.format(text=repr(text), example=example))
    return Rule(
        float(share[1]) / 100,
        UNITS[share[2]],
        float(grace[1]) * UNITS[grace[2]] if grace else 0.0,
        min(1.0, float(most[1]) / 100) if most else 1.0,
    )


def _dues(sheet, lessons):
    columns = {name: sheet.column({name}) for name in ("lesson", "student", "due")}
    if columns["lesson"] is None or columns["due"] is None:
        words = _("there are no columns lesson and due ({found}).")
        raise ValueError(words.format(found=", ".join(sheet.header) or "-"))
    cells = {name: sheet.cells(column) for name, column in columns.items()}
    found = {}
    for lesson, student, due in zip(cells["lesson"], cells["student"], cells["due"], strict=True):
        if lessons and lesson not in lessons:
            words = _("there is no lesson {name}; there are {known}.")
            raise ValueError(words.format(name=lesson, known=", ".join(lessons)))
        if (lesson, student) in found:
            words = _("{lesson} has two deadlines for {student}.")
            raise ValueError(words.format(lesson=lesson, student=student or _("everybody")))
        found[lesson, student] = moment_of(due)
    return found


def moment_of(text) -> datetime:
    """A moment with its time zone; a day without a time ends at its end. Raises ValueError."""
    found = _DUE.fullmatch(text.strip())
    zone = _zone(found[3]) if found else None
    if zone is None:
        words = _("{text} is no time with a time zone, such as 2026-11-30 23:59 Europe/Madrid.")
        raise ValueError(words.format(text=repr(text)))
    clock = time.fromisoformat(found[2]) if found[2] else time(23, 59, 59)
    day = datetime.fromisoformat(found[1]).date()
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _zone(name):
    if re.fullmatch(r"Z|[+-]\d\d:?\d\d", name):
        return datetime.strptime(name, "%z").tzinfo
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
