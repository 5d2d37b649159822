"""Groups in the gradebook: hand-given marks of the one submission reach every member's row."""

from sqlalchemy import update

from grader.records.nbgrader_tables import (
    ASSIGNMENT,
    COMMENT,
    GRADE,
    SUBMITTED_ASSIGNMENT,
    graded_cells,
)

# What a person gives, in nbgrader's two tables.
GIVEN = {
    GRADE: ("manual_score", "extra_credit", "needs_manual_grade"),
    COMMENT: ("manual_comment",),
}
GIVEN_BY_HAND = ("manual_score", "extra_credit", "manual_comment")


def mirror(ledger) -> list:
    """Gives the members of groups what was given by hand to the one who handed in, where something
    was; returns the (student, lesson) pairs for which something changed."""
    changed = []
    members = [record for record in ledger.states() if record.lead not in ("", record.student)]
    with ledger.explained(), ledger.engine.begin() as connection:
        for record in members:
            where = record.lesson, record.lead, record.student
            copied = [_copy(connection, table, *where) for table in GIVEN]
            if True in copied:
                changed.append((record.student, record.lesson))
    return changed


def _copy(connection, table, lesson, lead, student):
    theirs = _rows(connection, table, lesson, lead)
    changed = False
    for cell, row in _rows(connection, table, lesson, student).items():
        values = {name: getattr(theirs[cell], name) for name in GIVEN[table] if cell in theirs}
        if not _is_given(values) and _is_given(row._mapping):
            continue  # the formgrader shows each member's copy: somebody marked this one
        if any(getattr(row, name) != value for name, value in values.items()):
            connection.execute(update(table).where(table.c.id == row.id).values(**values))
            changed = True
    return changed


def _is_given(values):
    """Whether a person gave something, to the text as it is now."""
    given = any(values.get(name) is not None for name in GIVEN_BY_HAND)
    return given and not values.get("needs_manual_grade")


def _rows(connection, table, lesson, student) -> dict:
    """cell's id -> row."""
    columns = [table.c[name] for name in ("id", "cell_id", *GIVEN[table])]
    query = graded_cells(table, *columns).where(
        ASSIGNMENT.c.name == lesson, SUBMITTED_ASSIGNMENT.c.student_id == student
    )
    return {row.cell_id: row for row in connection.execute(query)}


def team_words(group, members) -> str:
    """A group with its members, in words; "" for nobody's group."""
    return f"{group} ({', '.join(sorted(members))})" if group else ""


def team_of(record, records) -> str:
    """The words of a record's group, from all records of its lesson."""
    mine = [one.student for one in records if one.group and one.lead == record.lead]
    return team_words(record.group, mine)
