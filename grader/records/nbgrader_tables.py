"""nbgrader's tables, as far as they are read and written here, without nbgrader: importing it costs
more than a run in which nothing has changed. A test compares them with nbgrader's own."""

import importlib.util
import re
from pathlib import Path
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Engine,
    Float,
    Interval,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)


def new_id() -> str:
    """An id for a row, of nbgrader's kind."""
    return uuid4().hex


def _table(name, *columns, id_length=32, own_id=False):
    given = {} if own_id else {"default": new_id}
    return Table(
        name, METADATA, Column("id", String(id_length), primary_key=True, **given), *columns
    )


def _key(name, length=32):
    return Column(name, String(length))


METADATA = MetaData()
ASSIGNMENT = _table("assignment", _key("name", 128), Column("duedate", DateTime))
NOTEBOOK = _table("notebook", _key("name", 128), _key("assignment_id"))
BASE_CELL = _table("base_cell", _key("name", 128), _key("notebook_id"), _key("type", 50))
STUDENT = _table("student", id_length=128, own_id=True)
SUBMITTED_ASSIGNMENT = _table(
    "submitted_assignment",
    _key("assignment_id"),
    _key("student_id", 128),
    Column("timestamp", DateTime),
    Column("extension", Interval),
)
SUBMITTED_NOTEBOOK = _table(
    "submitted_notebook",
    _key("assignment_id"),
    _key("notebook_id"),
    Column("flagged", Boolean, default=False),
    Column("late_submission_penalty", Float),
)
GRADE = _table(
    "grade",
    _key("notebook_id"),
    _key("cell_id"),
    Column("auto_score", Float),
    Column("manual_score", Float),
    Column("extra_credit", Float),
    Column("needs_manual_grade", Boolean, default=True),
)
COMMENT = _table(
    "comment",
    _key("notebook_id"),
    _key("cell_id"),
    Column("auto_comment", Text),
    Column("manual_comment", Text),
)
# As nbgrader makes it, to the letter.
VERSION = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);"


def graded_cells(table, *columns):
    """select(columns) over all rows of GRADE or COMMENT, joined with cell, submission, lesson."""
    return (
        select(*columns)
        .select_from(table)
        .join(BASE_CELL, BASE_CELL.c.id == table.c.cell_id)
        .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.id == table.c.notebook_id)
        .join(SUBMITTED_ASSIGNMENT, SUBMITTED_ASSIGNMENT.c.id == SUBMITTED_NOTEBOOK.c.assignment_id)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED_ASSIGNMENT.c.assignment_id)
    )


def are_there(engine: Engine) -> bool:
    """Whether the database has the tables."""
    return set(METADATA.tables) <= set(inspect(engine).get_table_names())


def say_version(engine: Engine) -> None:
    """Writes into an empty database which schema it gets. nbgrader would start a program to learn
    it; where its folder looks different some day, that is left to it."""
    if len(heads := schema_heads()) == 1 and not inspect(engine).get_table_names():
        with engine.begin() as connection:
            connection.execute(text(VERSION))
            row = {"version": heads.pop()}
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), row)


def schema_heads() -> set:
    """The newest revisions of nbgrader's schema: those that no other one follows."""
    folder = Path(importlib.util.find_spec("nbgrader").origin).parent / "alembic" / "versions"
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    named = r"^{}\s*=\s*['\"](\w+)['\"]"
    found, followed = (
        {match[1] for one in sources if (match := re.search(named.format(word), one, re.M))}
        for word in ("revision", "down_revision")
    )
    return found - followed
