"""grades.csv and submissions.csv."""

import csv
import io
import re
from collections import defaultdict

from grader.i18n import _
from grader.records.outcome import MARKED, WAITING
from grader.reports.pages import number

# Wide signs count in some languages' spreadsheets; characters without a width may go before them.
_FORMULA = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*[-=+@\uff1d\uff0b\uff0d\uff20]")
GRADES = ("student", "lesson", "exercise", "score", "max_score", "verdict", "mistake")
SUBMISSIONS = (
    *("student", "lesson", "status", "reason", "seconds", "peak_mb"),
    *("late", "raw_score", "penalty", "score", "max_score", "group"),
)


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
        rows.append((mark, mark.score, mark.verdict) if score is None else (mark, score, MARKED))
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
    """submissions.csv: what became of each submission, and its mark before and after lateness."""
    by_hand = ledger.by_hand()
    rows = (
        (
            safe(record.student),
            safe(record.lesson),
            record.outcome.status,
            safe(reason(record)),
            f"{record.outcome.seconds:.2f}",
            f"{record.outcome.peak_mb:.0f}",
            record.late.words(),
            *map(number, _sums(record, by_hand)),
            safe(record.group),
        )
        for record in ledger.states()
    )
    return csv_text(SUBMISSIONS, rows)


def _sums(record, by_hand):
    """(raw mark, penalty, mark, points) of a submission."""
    rows = marks_of(record, by_hand)
    raw = raw_score(rows)
    penalty = record.late.penalty(raw)
    return raw, penalty, raw - penalty, sum(mark.max_score for mark, _score, _verdict in rows)


def raw_score(rows) -> float:
    """The sum of marks_of, before any penalty; what waits counts 0."""
    return sum(score or 0.0 for _mark, score, _verdict in rows)


def reason(record) -> str:
    """Why a submission has its status, in one line."""
    words = [_("Graded without a sandbox.")] if record.unsafe else []
    return " ".join([*words, *map(str, record.outcome.reason)])


def totals(ledger) -> dict:
    """student -> {lesson: (score after any penalty, whether a mark is still missing)}."""
    by_hand, found = ledger.by_hand(), defaultdict(dict)
    for record in ledger.states():
        rows = marks_of(record, by_hand)
        if rows:
            raw = raw_score(rows)
            missing = any(score is None for _mark, score, _verdict in rows)
            found[record.student][record.lesson] = raw - record.late.penalty(raw), missing
    return found


def most_points(ledger) -> dict:
    """lesson -> its points."""
    return {
        r.lesson: sum(m.max_score for m in r.outcome.marks)
        for r in ledger.states()
        if r.outcome.marks
    }


def waiting(path) -> int:
    """How many marks of a grades.csv a person has yet to give."""
    with open(path, encoding="utf-8", newline="") as file:
        return sum(row["verdict"] == WAITING for row in csv.DictReader(file))
