"""The files of marks that Canvas and Moodle import."""

import csv
import re

from grader.feedback import number
from grader.i18n import _
from grader.intake.classroom import ClassroomError
from grader.reports.tables import csv_text, most_points, safe, totals


def canvas(ledger, roster: list[dict] | None = None) -> str:
    """A gradebook file for Canvas (Grades, Import). roster: rows of Canvas's own export, whose
    Student, ID, SIS User ID, SIS Login ID and Section columns it needs; students are matched by
    SIS Login ID, then ID. A lesson's column is headed as the roster's assignment of that name."""
    columns = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    points, students = most_points(ledger), totals(ledger)
    lessons = sorted(points)
    people = roster if roster is not None else [{"Student": s, "SIS Login ID": s} for s in students]
    rows = [("    Points Possible", "", "", "", "", *(number(points[name]) for name in lessons))]
    for person in people:
        mine = students.get(person.get("SIS Login ID")) or students.get(person.get("ID")) or {}
        cells = [number(mine[name][0]) if name in mine else "" for name in lessons]
        if any(cells):
            rows.append((*(safe(person.get(column, "")) for column in columns), *cells))
    return csv_text((*columns, *(_heading(name, roster) for name in lessons)), rows)


def _heading(lesson, roster):
    """The heading "Title (number)" of the one assignment whose title holds the lesson's name, by
    which Canvas knows it again; the lesson's name where there is none, or more than one."""
    headings = [name for name in (roster or [{}])[0] if re.fullmatch(r".+ \(\d+\)", name or "")]
    found = [name for name in headings if f" {_plain(lesson)} " in f" {_plain(name)} "]
    return found[0] if len(found) == 1 else lesson


def _plain(title):
    return " ".join(re.findall(r"[^\W_]+", title.casefold()))


def moodle(ledger) -> str:
    """A file for Moodle (Grades, Import, CSV file): one row a student, one column a lesson; map
    ``username`` to the users' field and each lesson to its grade item."""
    students, lessons = totals(ledger), sorted(most_points(ledger))
    rows = [
        (safe(student), *(number(mine[name][0]) if name in mine else "" for name in lessons))
        for student, mine in sorted(students.items())
    ]
    return csv_text(("username", *lessons), rows)


def read_roster(path) -> list[dict]:
    """The rows of the CSV that Canvas's gradebook exports. Raises ClassroomError."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error)
        words = _("{path}: {why}. --roster names the CSV that Canvas's gradebook exports.")
        raise ClassroomError(words.format(path=path, why=why)) from None
    if not rows or "ID" not in rows[0] or "Student" not in rows[0]:
        words = _(
            "{path}: there are no columns Student and ID. In Canvas, export the gradebook "
            "under Grades, and name that file."
        )
        raise ClassroomError(words.format(path=path))
    return rows


def left_out(ledger, roster: list[dict] | None = None):
    """Lines about what an exported file doesn't hold: people that the roster lacks, and marks that
    a person has yet to give."""
    students = totals(ledger)
    if roster is not None:
        known = {person.get(column) for person in roster for column in ("SIS Login ID", "ID")}
        if missing := sorted(set(students) - known):
            words = _("Not in the roster, so not in this file: {names}.")
            yield words.format(names=", ".join(map(safe, missing)))
    waiting = sum(missing for mine in students.values() for _score, missing in mine.values())
    if waiting:
        words = _("Submissions with a text that waits for its mark and counts 0 until then: {n}.")
        yield words.format(n=waiting)


FORMATS = {"canvas": canvas, "moodle": lambda ledger, roster=None: moodle(ledger)}
