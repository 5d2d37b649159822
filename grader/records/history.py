"""Which mistakes a student was told, for the question whether being told helped."""

from sqlalchemy import Column, MetaData, String, Table, insert, select

from grader.records.outcome import WRONG

TOLD = Table(
    "policy_gradients_told",
    MetaData(),
    Column("student", String(256), primary_key=True),
    Column("lesson", String(128), primary_key=True),
    Column("exercise", String(128), primary_key=True),
    Column("mistake", String(128), primary_key=True),
    Column("source", String(64)),
)
NOT_TOLD = ("", "not-written", "not-answered", "too-slow", "died", "bad-reply")


def is_named(mistake) -> bool:
    """Whether it is a mistake with a name of its own, not a step or an outcome of the run."""
    return mistake not in NOT_TOLD and not mistake.startswith("step:")


def remember(connection, record) -> None:
    """Keeps the mistakes that a record names, once each. record.source: digest of the notebook."""
    where = TOLD.c.student == record.student, TOLD.c.lesson == record.lesson
    query = select(TOLD.c.exercise, TOLD.c.mistake).where(*where)
    known = {(row.exercise, row.mistake) for row in connection.execute(query)}
    for mark in record.outcome.marks:
        key = mark.exercise, mark.mistake
        if mark.verdict == WRONG and is_named(mark.mistake) and key not in known:
            connection.execute(
                insert(TOLD).values(
                    student=record.student,
                    lesson=record.lesson,
                    exercise=mark.exercise,
                    mistake=mark.mistake,
                    source=record.source,
                )
            )


def told(ledger) -> list:
    """Every (student, lesson, exercise, mistake, source) that was ever told."""
    with ledger.explained(), ledger.engine.connect() as connection:
        return connection.execute(select(TOLD)).all()
