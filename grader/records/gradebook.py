"""The gradebook: nbgrader's own tables, and one of ours that remembers what was graded and how.

One process writes it. Every write is one short transaction over a handful of submissions, so that
a run killed at any moment leaves whole submissions, and formgrader can work meanwhile.
"""

import hashlib
import json
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import (
    URL,
    Column,
    Float,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from grader.course import Lesson
from grader.course.lateness import ON_TIME, Lateness
from grader.course.moved import moved_from
from grader.course.notes import Note
from grader.errors import UserError
from grader.i18n import _
from grader.records import address, history, nbgrader_tables, remedies
from grader.records.nbgrader_tables import (
    ASSIGNMENT,
    BASE_CELL,
    COMMENT,
    GRADE,
    NOTEBOOK,
    STUDENT,
    SUBMITTED_ASSIGNMENT,
    SUBMITTED_NOTEBOOK,
    graded_cells,
)
from grader.records.outcome import FAILED, Mark, Outcome, Result, Status
from policy_gradients.handout import exercise_of

COURSE = "policy_gradients"
LOCK_SECONDS = 60
STATE = Table(
    "policy_gradients_submission",
    MetaData(),
    Column("student", String(256), primary_key=True),
    Column("lesson", String(128), primary_key=True),
    Column("key", String(64)),
    Column("by_hand", String(64)),  # holds page_key; gradebooks of earlier versions have this name
    Column("status", String(32)),
    Column("seconds", Float),
    Column("peak_mb", Float),
    Column("language", String(8)),
    Column("content", Text),
)
# The lessons whose rows stand in nbgrader's tables, and as of which text.
PREPARED = Table(
    "policy_gradients_lesson",
    STATE.metadata,
    Column("lesson", String(128), primary_key=True),
    Column("fingerprint", String(64)),
)


class GradebookError(UserError):
    """The gradebook can't be read or written; says what to do. What was written stays."""


@dataclass
class Record:
    """One submission's state: key (what it was graded from), page_key (what its feedback page was
    made from) and the outcome without notebook and page. listed: it has
    a status here, but no rows in nbgrader's tables. group: whose work it is, and
    lead: who handed it in; "" where somebody works alone; source: digest of the notebook."""

    student: str
    lesson: str
    key: str
    outcome: Outcome
    page_key: str = ""
    timestamp: str = ""
    unsafe: bool = False
    listed: bool = False
    late: Lateness = ON_TIME
    group: str = ""
    lead: str = ""
    source: str = ""


class Ledger:
    """The gradebook in a file, or at a server's URL, made where there is none. alone: no other run
    may write it meanwhile (files: Store sees to that). A context manager."""

    def __init__(self, where, wait=LOCK_SECONDS, *, alone=False):
        self.path = where if isinstance(where, URL) else Path(where).resolve()
        self._open, self._cells = ExitStack(), {}
        with self._open, _explained(self.path):
            if isinstance(where, URL) and alone:
                self._open.enter_context(address.alone(where))
            self.engine = create_engine(_url(self.path, wait))
            self._open.callback(self.engine.dispose)
            if not nbgrader_tables.are_there(self.engine):
                nbgrader_tables.say_version(self.engine)
                self.book  # noqa: B018  (making it makes the tables)
            for table in (STATE, PREPARED, history.TOLD):
                table.metadata.create_all(self.engine)
            self._open = self._open.pop_all()

    @cached_property
    def book(self):
        """nbgrader's Gradebook on the same database."""
        from nbgrader.api import Gradebook

        with _explained(self.path), _with_alembic():
            book = Gradebook(self.engine.url, COURSE)
        self._open.callback(book.close)
        return book

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._open.close()

    def explained(self):
        """A block in which errors of the database are told in words."""
        return _explained(self.path)

    def prepare(self, lesson: Lesson):
        """Makes the rows of an assignment, its notebook and its cells, unless they are there."""
        if not self._prepared(lesson):
            with _explained(self.path):
                self.book.update_or_create_assignment(lesson.name)
                self.book.db.commit()
                self._save_cells(lesson)
        with _explained(self.path), self.engine.begin() as connection:
            self._cells[lesson.name] = _cell_ids(connection, lesson.name)
            connection.execute(delete(PREPARED).where(PREPARED.c.lesson == lesson.name))
            values = {"lesson": lesson.name, "fingerprint": lesson.fingerprint}
            connection.execute(insert(PREPARED).values(**values))

    def _prepared(self, lesson):
        """Whether this gradebook's rows are those of the lesson as it is, none taken out since."""
        query = select(PREPARED.c.fingerprint).where(PREPARED.c.lesson == lesson.name)
        with _explained(self.path), self.engine.connect() as connection:
            same = connection.execute(query).scalar() == lesson.fingerprint
            cells = _cell_ids(connection, lesson.name)
        return same and cells and {cell.grade_id for cell in lesson.graded} == set(cells.grade)

    def _save_cells(self, lesson):
        """By nbgrader's own step of a release."""
        from nbformat import from_dict
        from nbgrader.preprocessors import SaveCells

        cells = [
            {"cell_type": cell.cell_type, "source": cell.source, "metadata": cell.metadata}
            for cell in lesson.cells
        ]
        notebook = from_dict({"cells": cells, "metadata": lesson.metadata})
        where = {"notebook": lesson.name, "assignment": lesson.name, "db_url": self.engine.url}
        try:
            SaveCells().preprocess(notebook, {"nbgrader": where})
        except RuntimeError as error:
            moved = moved_from(lesson.name)
            which = _("{names} moved to {lessons}.").format(
                names=", ".join(moved), lessons=", ".join(sorted(set(moved.values())))
            )
            words = _(
                "{path}: {lesson} has other cells now than the submissions graded in this "
                "gradebook ({why}). {which} Remedy: grade into a new --out folder."
            ).format(path=self.path, lesson=lesson.name, why=error, which=which * bool(moved))
            raise GradebookError(" ".join(words.split())) from None

    def write(self, records: list):
        """Writes the records in one transaction: all of them, or on an error none."""
        with _explained(self.path), self.engine.begin() as connection:
            for record in records:
                if record.outcome.status != FAILED and not record.listed:
                    self._grade(connection, record)
                _keep(connection, record)
                history.remember(connection, record)

    def _grade(self, connection, record):
        cells = self._cells[record.lesson]
        notebook_id = _submitted_notebook(connection, record, cells)
        before = self.state(record.student, record.lesson, connection)
        texts = {mark.exercise: mark.answer for mark in before.outcome.marks} if before else {}
        grades = {
            row.cell_id: row
            for row in connection.execute(select(GRADE).where(GRADE.c.notebook_id == notebook_id))
        }
        marks = {mark.exercise: mark for mark in record.outcome.marks}
        for name, cell_id in cells.grade.items():
            mark = marks.get(name) or Mark(name, 0.0, 0.0, "")
            same = texts.get(name) == mark.answer
            values = _grade_values(mark, grades.get(cell_id), same)
            _put(connection, GRADE, grades.get(cell_id), values, cell_id, notebook_id)
        comments = {
            row.cell_id: row
            for row in connection.execute(
                select(COMMENT).where(COMMENT.c.notebook_id == notebook_id)
            )
        }
        for cell_id in cells.solution.values():
            _put(
                connection,
                COMMENT,
                comments.get(cell_id),
                {"auto_comment": None},
                cell_id,
                notebook_id,
            )

    def touch(self, record: Record):
        """Keeps what the feedback page was made from now."""
        where = STATE.c.student == record.student, STATE.c.lesson == record.lesson
        with _explained(self.path), self.engine.begin() as connection:
            connection.execute(update(STATE).where(*where).values(by_hand=record.page_key))

    def state(self, student, lesson, connection=None) -> Record | None:
        """What is known of a submission, or None."""
        query = _rows_of_ours().where(STATE.c.student == student, STATE.c.lesson == lesson)
        if connection is not None:
            row = connection.execute(query).first()
            return _counted(row) if row else None
        with _explained(self.path), self.engine.connect() as opened:
            return self.state(student, lesson, opened)

    def states(self):
        """Every record, by lesson and student."""
        with _explained(self.path), self.engine.connect() as connection:
            # A server may sort as its language does; the tables are the same wherever they are.
            by = _BYTEWISE[self.engine.dialect.name]
            order = STATE.c.lesson.collate(by), STATE.c.student.collate(by)
            for row in connection.execute(_rows_of_ours().order_by(*order)):
                if (record := _counted(row)) is not None:
                    yield record

    def taken_out(self) -> list:
        """(student, lesson) of whoever somebody took out of nbgrader's tables, as its own commands
        do: our row is still there, and counts no more."""
        with _explained(self.path), self.engine.connect() as connection:
            rows = connection.execute(_rows_of_ours().where(~_booked())).all()
        return [(row.student, row.lesson) for row in rows if _counted(row) is None]

    def by_hand(self, student=None, lesson=None) -> dict:
        """(student, lesson) -> {exercise: (mark or None, comment)} as people gave them."""
        found = {}
        with _explained(self.path), self.engine.connect() as connection:
            for row in connection.execute(_hand_grades(student, lesson)):
                mark = row.manual_score
                mark = mark if row.extra_credit is None else (mark or 0.0) + row.extra_credit
                found.setdefault((row.student_id, row.lesson), {})[row.name] = (mark, "")
            for row in connection.execute(_hand_comments(student, lesson)):
                mine = found.setdefault((row.student_id, row.lesson), {})
                name = exercise_of(row.name)
                mine[name] = (mine.get(name, (None, ""))[0], row.manual_comment)
        return found


_BYTEWISE = {"sqlite": "BINARY", "postgresql": "C"}


def _url(where, wait):
    if isinstance(where, URL):
        return where
    return URL.create("sqlite", database=str(where), query={"timeout": str(wait)})


@dataclass(frozen=True)
class _Cells:
    """nbgrader's ids of one lesson's rows: assignment, notebook, cells by name."""

    assignment: str
    notebook: str
    grade: dict
    solution: dict


def _cell_ids(connection, name):
    notebook = connection.execute(
        select(NOTEBOOK.c.id, NOTEBOOK.c.assignment_id)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == NOTEBOOK.c.assignment_id)
        .where(ASSIGNMENT.c.name == name, NOTEBOOK.c.name == name)
    ).one_or_none()
    if notebook is None:
        return None
    rows = connection.execute(
        select(BASE_CELL.c.name, BASE_CELL.c.id, BASE_CELL.c.type).where(
            BASE_CELL.c.notebook_id == notebook.id
        )
    ).all()
    return _Cells(
        notebook.assignment_id,
        notebook.id,
        {row.name: row.id for row in rows if row.type == "GradeCell"},
        {row.name: row.id for row in rows if row.type == "SolutionCell"},
    )


def _submitted_notebook(connection, record, cells):
    """The id of the submission's notebook row; makes student, submission and notebook rows."""
    _row(connection, STUDENT, {"id": record.student})
    own = {"assignment_id": cells.assignment, "student_id": record.student}
    submission = _row(connection, SUBMITTED_ASSIGNMENT, own)
    connection.execute(
        update(SUBMITTED_ASSIGNMENT)
        .where(SUBMITTED_ASSIGNMENT.c.id == submission)
        .values(timestamp=time_of(record.timestamp))
    )
    own = {"assignment_id": submission, "notebook_id": cells.notebook}
    return _row(connection, SUBMITTED_NOTEBOOK, own)


def _row(connection, table, values):
    """The id of the row with these values, made where there is none."""
    where = [table.c[name] == value for name, value in values.items()]
    found = connection.execute(select(table.c.id).where(*where)).scalar()
    return found or connection.execute(insert(table).values(**values)).inserted_primary_key[0]


def time_of(text):
    """nbgrader's idea of the time, or None where the text is none."""
    if not text:
        return None
    if text.endswith(" UTC") and text.count(" ") == 2:  # as nbgrader writes it
        with suppress(ValueError):
            moment = datetime.fromisoformat(text.removesuffix(" UTC"))
            if moment.tzinfo is None:
                return moment
    from nbgrader import utils

    try:
        return utils.parse_utc(text)
    except Exception:  # a student may have written it, and the parser fails in ways of its own
        return None


def _grade_values(mark, before, same_text):
    """auto_score, and whether a person must look: at a free text without a mark or with a new
    text, and at a hand-given mark whose automatic one has changed since."""
    manual = before.manual_score if before else None
    if mark.score is None:
        waits = manual is None or not same_text
        if manual is not None and same_text:
            waits = before.needs_manual_grade
    else:
        changed = before is not None and before.auto_score != mark.score
        waits = manual is not None and (before.needs_manual_grade or changed)
    return {"auto_score": mark.score, "needs_manual_grade": bool(waits)}


def _put(connection, table, before, values, cell_id, notebook_id):
    if before:
        connection.execute(update(table).where(table.c.id == before.id).values(**values))
    else:
        connection.execute(insert(table).values(cell_id=cell_id, notebook_id=notebook_id, **values))


def _given(table, student, lesson, *columns):
    """Who (student_id), which lesson, which cell (name), and these columns."""
    of = SUBMITTED_ASSIGNMENT.c.student_id, ASSIGNMENT.c.name.label("lesson"), BASE_CELL.c.name
    query = graded_cells(table, *of, *columns)
    if student is not None:
        query = query.where(SUBMITTED_ASSIGNMENT.c.student_id == student)
    if lesson is not None:
        query = query.where(ASSIGNMENT.c.name == lesson)
    return query


def _hand_grades(student, lesson):
    query = _given(GRADE, student, lesson, GRADE.c.manual_score, GRADE.c.extra_credit)
    return query.where(GRADE.c.manual_score.is_not(None) | GRADE.c.extra_credit.is_not(None))


def _hand_comments(student, lesson):
    query = _given(COMMENT, student, lesson, COMMENT.c.manual_comment)
    return query.where(COMMENT.c.manual_comment.is_not(None))


def _keep(connection, record):
    """Our own row. A failure keeps an earlier result's key away, so that it is tried again."""
    outcome = record.outcome
    content = {
        "reason": _plain(outcome.reason),
        "notes": _plain(outcome.notes),
        "signs": _plain(outcome.suspicions),
        "marks": [asdict(mark) for mark in outcome.marks],
        "unsafe": record.unsafe,
        "late": asdict(record.late) if record.late.late else None,
        "group": [record.group, record.lead],
        "source": record.source,
        "prints": outcome.prints,
    }
    where = STATE.c.student == record.student, STATE.c.lesson == record.lesson
    connection.execute(delete(STATE).where(*where))
    connection.execute(
        insert(STATE).values(
            student=record.student,
            lesson=record.lesson,
            by_hand=record.page_key,
            key="" if outcome.status == FAILED else record.key,
            status=str(outcome.status),
            seconds=outcome.seconds,
            peak_mb=outcome.peak_mb,
            language=outcome.language,
            content=json.dumps(content),
        )
    )


def _rows_of_ours():
    """select(STATE) with one column more: whether nbgrader's tables know the submission."""
    return select(STATE, _booked().label("booked"))


def _booked():
    known = (
        select(SUBMITTED_ASSIGNMENT.c.id)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED_ASSIGNMENT.c.assignment_id)
        .where(
            SUBMITTED_ASSIGNMENT.c.student_id == STATE.c.student,
            ASSIGNMENT.c.name == STATE.c.lesson,
        )
    )
    return known.exists()


def _counted(row) -> Record | None:
    """The row's record; None where it has marks that nbgrader's tables no longer know."""
    record = _record(row)
    return record if row.booked or not record.outcome.marks else None


def _mark(plain):
    lines = tuple(map(tuple, plain["lines"]))
    return Mark(**plain | {"verdict": Result(plain["verdict"]), "lines": lines})


def _record(row):
    content = json.loads(row.content)
    marks = list(map(_mark, content["marks"]))
    outcome = Outcome(
        Status(row.status),
        _notes(content["reason"]),
        marks,
        row.seconds,
        row.peak_mb,
        _notes(content["notes"]),
        _notes(content["signs"]),
        row.language,
        prints=content.get("prints", {}),
    )
    return Record(
        row.student,
        row.lesson,
        row.key,
        outcome,
        row.by_hand,
        unsafe=content["unsafe"],
        listed=not marks and outcome.status != FAILED,
        late=Lateness(**(content.get("late") or {})),
        group=content.get("group", ["", ""])[0],
        lead=content.get("group", ["", ""])[1],
        source=content.get("source", ""),
    )


def _plain(notes):
    return [n.plain() if isinstance(n, Note) else str(n) for n in notes]


def _notes(plain):
    return [Note(*n) if isinstance(n, list) else n for n in plain]


def page_key(marks: dict, version: str, late: Lateness = ON_TIME, group: str = "") -> str:
    """A digest of what a submission's page shows beside its marks: hand-given marks and comments,
    its lateness and its group. version: of the code that made the page."""
    given = sorted((name, mark, words) for name, (mark, words) in marks.items())
    shown = [version, given, asdict(late) if late.late else None, group]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


@contextmanager
def _with_alembic():
    """nbgrader asks the program alembic for the schema's version; it lies beside this Python."""
    kept = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept])
    try:
        yield
    finally:
        os.environ["PATH"] = kept


def _errors():
    """What goes wrong in a database; nbgrader, where it is in use, says some in its own way."""
    api = sys.modules.get("nbgrader.api")
    return DatabaseError, InterfaceError, *([api.InvalidEntry] if api else [])


@contextmanager
def _explained(where):
    """Database errors in words an instructor can act on."""
    try:
        yield
    except _errors() as error:
        said = str(getattr(error, "orig", error)).strip()  # nbgrader says some its own way
        if isinstance(where, URL):
            name, remedy = address.shown(where), remedies.for_server(said.lower())
        else:
            broken = isinstance(error, DatabaseError) and not isinstance(error, OperationalError)
            name, remedy = (
                where,
                _(remedies.NO_GRADEBOOK) if broken else remedies.for_file(said.lower()),
            )
        raise GradebookError(f"{name}: {said}. {remedy}") from None
