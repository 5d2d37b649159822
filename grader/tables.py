"""grades.csv, submissions.csv, and the files that Canvas and Moodle import."""

import csv
import io
import re
from collections import defaultdict

from grader.classroom import ClassroomError
from grader.i18n import _
from grader.records.outcome import WAITING
from grader.reports.student_page import number

# Wide signs count in some languages' spreadsheets; characters without a width may go before them.
_FORMULA = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*[-=+@\uff1d\uff0b\uff0d\uff20]")
GRADES = ("student", "lesson", "exercise", "score", "max_score", "verdict", "mistake")
SUBMISSIONS = ("student", "lesson", "status", "reason", "seconds", "peak_mb")


def safe(text) -> str:
    """A text that a student may have chosen, so that no spreadsheet takes it for a formula, in one
    line. Spaces within stay: names that differ in them are two names."""
    text = re.sub(r"[^\S ]+", " ", str(text)).strip()
    return "'" + text if _FORMULA.match(text) else text


def csv_text(header, rows) -> str:
    """The rows as CSV (RFC 4180, UTF-8)."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def marks_of(record, by_hand) -> list:
    """(mark, score, verdict) of a record: what a person gave counts before what the grader gave."""
    given = by_hand.get((record.student, record.lesson), {})
    rows = []
    for mark in record.outcome.marks:
        score, _comment = given.get(mark.exercise, (None, ""))
        rows.append((mark, mark.score, mark.verdict) if score is None else (mark, score, "marked"))
    return rows


def grades(ledger) -> str:
    """grades.csv. A mark that a person has yet to give is empty, its verdict is "waiting"."""
    by_hand = ledger.by_hand()
    rows = (
        (
            safe(record.student),
            safe(record.lesson),
            mark.exercise,
            "" if score is None else number(score),
            number(mark.max_score),
            verdict,
            safe(mark.mistake),
        )
        for record in ledger.states()
        for mark, score, verdict in marks_of(record, by_hand)
    )
    return csv_text(GRADES, rows)


def submissions(ledger) -> str:
    """submissions.csv."""
    rows = (
        (
            safe(record.student),
            safe(record.lesson),
            record.outcome.status,
            safe(reason(record)),
            f"{record.outcome.seconds:.2f}",
            f"{record.outcome.peak_mb:.0f}",
        )
        for record in ledger.states()
    )
    return csv_text(SUBMISSIONS, rows)


def reason(record) -> str:
    """Why a submission has its status, in one line."""
    words = [_("Graded without a sandbox.")] if record.unsafe else []
    return " ".join([*words, *map(str, record.outcome.reason)])


def totals(ledger) -> dict:
    """student -> {lesson: (score, whether a mark is still missing)}."""
    by_hand, found = ledger.by_hand(), defaultdict(dict)
    for record in ledger.states():
        rows = marks_of(record, by_hand)
        if rows:
            score = sum(score or 0.0 for _mark, score, _verdict in rows)
            found[record.student][record.lesson] = score, any(s is None for _m, s, _v in rows)
    return found


def most_points(ledger) -> dict:
    """lesson -> its points."""
    return {
        r.lesson: sum(m.max_score for m in r.outcome.marks)
        for r in ledger.states()
        if r.outcome.marks
    }


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


def waiting(path) -> int:
    """How many marks of a grades.csv a person has yet to give."""
    with open(path, encoding="utf-8", newline="") as file:
        return sum(row["verdict"] == WAITING for row in csv.DictReader(file))


FORMATS = {"canvas": canvas, "moodle": lambda ledger, roster=None: moodle(ledger)}
