"""Deadlines and late penalties in nbgrader's tables, and why in ours.

Everything is written anew at each run, from the deadlines as they are: a penalty ends with what it
came from.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update

from grader.course.lateness import Lateness
from grader.records.gradebook import STATE
from grader.records.nbgrader_tables import ASSIGNMENT, SUBMITTED_ASSIGNMENT, SUBMITTED_NOTEBOOK


@dataclass(frozen=True)
class Settled:
    """One submission's lateness now. penalty: in points; due: the student's own deadline."""

    student: str
    lesson: str
    lateness: Lateness
    penalty: float
    due: datetime | None = None


def timestamps(ledger) -> dict:
    """(student, lesson) -> when it was submitted, where nbgrader's tables know it."""
    query = (
        select(
            SUBMITTED_ASSIGNMENT.c.student_id, ASSIGNMENT.c.name, SUBMITTED_ASSIGNMENT.c.timestamp
        )
        .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED_ASSIGNMENT.c.assignment_id)
        .where(SUBMITTED_ASSIGNMENT.c.timestamp.is_not(None))
    )
    with ledger.explained(), ledger.engine.connect() as connection:
        rows = connection.execute(query).all()
    return {(student, lesson): moment.replace(tzinfo=UTC) for student, lesson, moment in rows}


def settle(ledger, dues: dict, rows: list) -> None:
    """Writes the lessons' deadlines, students' extensions and all penalties. dues: lesson -> moment
    or None; rows: a Settled for each submission."""
    with ledger.explained(), ledger.engine.begin() as connection:
        for lesson, due in dues.items():
            where = ASSIGNMENT.c.name == lesson
            connection.execute(update(ASSIGNMENT).where(where).values(duedate=_naive(due)))
        for row in rows:
            _settle(connection, row, dues.get(row.lesson))


def _settle(connection, row, due):
    own = select(SUBMITTED_ASSIGNMENT.c.id).join(
        ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED_ASSIGNMENT.c.assignment_id
    )
    own = own.where(
        ASSIGNMENT.c.name == row.lesson, SUBMITTED_ASSIGNMENT.c.student_id == row.student
    )
    if submission := connection.execute(own).scalar():
        extension = row.due - due if row.due and due and row.due != due else None
        where = SUBMITTED_ASSIGNMENT.c.id == submission
        connection.execute(update(SUBMITTED_ASSIGNMENT).where(where).values(extension=extension))
        where = SUBMITTED_NOTEBOOK.c.assignment_id == submission
        connection.execute(
            update(SUBMITTED_NOTEBOOK)
            .where(where)
            .values(late_submission_penalty=row.penalty or None)
        )
    _keep(connection, row)


def _keep(connection, row):
    """The reason in our own table."""
    where = STATE.c.student == row.student, STATE.c.lesson == row.lesson
    content = connection.execute(select(STATE.c.content).where(*where)).scalar()
    if content is None:
        return
    content = json.loads(content)
    late = asdict(row.lateness) if row.lateness.late else None
    if content.get("late") != late:
        content["late"] = late
        connection.execute(update(STATE).where(*where).values(content=json.dumps(content)))


def _naive(moment):
    """As nbgrader keeps times: UTC without saying so."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
