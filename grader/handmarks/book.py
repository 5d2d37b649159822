"""Texts and their marks, in nbgrader's gradebook as its formgrader writes them.

Two tables of ours stand beside it: which boxes were ticked, and which points were changed. Whatever
the formgrader writes counts, too: a mark that isn't the one our boxes gave is left alone.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Column, Float, MetaData, String, Table, Text, delete, insert, select

from grader.handmarks.scheme import Scheme, read_scheme
from grader.records.nbgrader_tables import (
    ASSIGNMENT,
    BASE_CELL,
    GRADE,
    SUBMITTED_ASSIGNMENT,
    graded_cells,
)

TICKS = Table(
    "policy_gradients_ticks",
    MetaData(),
    Column("student", String(256), primary_key=True),
    Column("lesson", String(128), primary_key=True),
    Column("question", String(128), primary_key=True),
    Column("ticks", Text),
    Column("score", Float),
)
POINTS = Table(
    "policy_gradients_points",
    TICKS.metadata,
    Column("lesson", String(128), primary_key=True),
    Column("question", String(128), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("points", Float),
)


@dataclass(frozen=True)
class Question:
    """A free text of a lesson. most: its points."""

    lesson: str
    name: str
    most: float
    scheme: Scheme = field(compare=False)


@dataclass
class Answer:
    """One student's text. id: tells nobody whose it is; score: None while it waits; by_boxes:
    whether the score is the one that the ticked boxes give."""

    id: str
    student: str
    text: str
    pictures: list
    score: float | None = None
    comment: str = ""
    ticks: tuple = ()
    by_boxes: bool = False


class HandMarks:
    """The free texts of a gradebook. root: the course's folder; out: the folder of results."""

    def __init__(self, ledger, course, out, language="en"):
        self.ledger, self.course, self.out = ledger, course, Path(out)
        self.language, self.lock = language, threading.Lock()
        with ledger.explained():
            TICKS.metadata.create_all(ledger.engine)

    def questions(self) -> list:
        """Every free text of the lessons that the gradebook knows."""
        return [
            Question(name, cell.grade_id, cell.points, self._scheme(name, cell.grade_id))
            for name in self._lessons()
            for cell in self.course.lesson(name).graded
            if cell.kind == "free"
        ]

    def _lessons(self):
        known = set(self.course.names())
        with self.ledger.explained(), self.ledger.engine.connect() as connection:
            found = connection.execute(select(ASSIGNMENT.c.name)).scalars()
            return sorted(known & set(found))

    def _scheme(self, lesson, question):
        return read_scheme(self.course.root, lesson, question, self.language)

    def question(self, lesson, name) -> Question:
        """KeyError where there is none."""
        for one in self.questions():
            if (one.lesson, one.name) == (lesson, name):
                return one
        raise KeyError(name)

    def points(self, question) -> dict:
        """item's key -> points, as they count now."""
        where = POINTS.c.lesson == question.lesson, POINTS.c.question == question.name
        query = select(POINTS.c.item, POINTS.c.points).where(*where)
        with self.ledger.explained(), self.ledger.engine.connect() as connection:
            changed = {row.item: row.points for row in connection.execute(query)}
        return {item.key: changed.get(item.key, item.points) for item in question.scheme.items}

    def answers(self, question) -> list:
        """The written texts in an order that is random, but always the same."""
        with self.ledger.explained(), self.ledger.engine.connect() as connection:
            rows = connection.execute(_grades(question)).all()
            where = TICKS.c.lesson == question.lesson, TICKS.c.question == question.name
            ticked = {row.student: row for row in connection.execute(select(TICKS).where(*where))}
        given = self.ledger.by_hand(lesson=question.lesson)
        members = {one for led in self._led(question.lesson).values() for one in led}
        found = []
        for row in rows:
            if row.auto_score is None and row.student_id not in members:
                mine = given.get((row.student_id, question.lesson), {})
                comment = mine.get(question.name, (None, ""))[1] or ""
                ticks = ticked.get(row.student_id)
                found.append(self._answer(question, row, ticks, comment))
        return sorted(found, key=lambda one: one.id)

    def _led(self, lesson) -> dict:
        """Who handed in for a group -> its other members, who get the same marks."""
        led = {}
        for record in self.ledger.states():
            if record.lesson == lesson and record.lead not in ("", record.student):
                led.setdefault(record.lead, []).append(record.student)
        return led

    def _answer(self, question, row, ticked, comment):
        text, pictures = self._text(row.student_id, question)
        score = None if row.needs_manual_grade else row.manual_score
        return Answer(
            _id(question, row.student_id),
            row.student_id,
            text,
            pictures,
            score,
            comment,
            tuple(json.loads(ticked.ticks)) if ticked else (),
            ticked is not None and ticked.score == row.manual_score,
        )

    def _text(self, student, question):
        path = self.out / "autograded" / student / question.lesson / f"{question.lesson}.ipynb"
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError):
            return "", []
        for cell in cells:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == question.name:
                kept = cell.get("attachments", {}).values()
                pictures = [f"data:{k};base64,{d}" for kinds in kept for k, d in kinds.items()]
                return "".join(cell["source"]), pictures
        return "", []

    def mark(self, question, answer_id, ticks=(), points=None, comment="") -> float | None:
        """Gives a mark: the sum of the ticked boxes, or ``points`` where they are given; neither
        puts it back among those that wait. KeyError where there is no such text."""
        with self.lock:
            student = {one.id: one.student for one in self.answers(question)}[answer_id]
            known = self.points(question)
            ticks = [key for key in known if key in ticks]
            if points is None and ticks:
                points = sum(known[key] for key in ticks)
            score = None if points is None else min(max(float(points), 0.0), question.most)
            others = self._led(question.lesson).get(student, ())
            self._write(question, (student, *others), score, comment)
            self._remember(question, student, ticks, score)
        return score

    def set_points(self, question, key, points) -> dict:
        """Changes what a box is worth and marks all texts anew that it is ticked in; returns id ->
        score of those. KeyError where there is no such box."""
        with self.lock:
            if key not in self.points(question):
                raise KeyError(key)
            points = min(max(float(points), 0.0), question.most)
            row = {"lesson": question.lesson, "question": question.name, "item": key}
            with self.ledger.explained(), self.ledger.engine.begin() as connection:
                where = [POINTS.c[name] == value for name, value in row.items()]
                connection.execute(delete(POINTS).where(*where))
                connection.execute(insert(POINTS).values(**row, points=points))
        return self.rescore(question)

    def rescore(self, question) -> dict:
        """Brings every mark up to date that its boxes gave."""
        changed = {}
        with self.lock:
            known, led = self.points(question), self._led(question.lesson)
            for one in self.answers(question):
                score = min(sum(known.get(key, 0.0) for key in one.ticks), question.most)
                if one.ticks and one.by_boxes and one.score is not None and score != one.score:
                    whose = one.student, *led.get(one.student, ())
                    self._write(question, whose, score, one.comment)
                    self._remember(question, one.student, one.ticks, score)
                    changed[one.id] = score
        return changed

    def _write(self, question, students, score, comment):
        """As the formgrader does, to the one who handed in and to everybody of their group."""
        with self.ledger.explained():
            book = self.ledger.book
            book.db.expire_all()
            for one in students:
                where = question.name, question.lesson, question.lesson, one
                grade = book.find_grade(*where)
                grade.manual_score = score
                grade.needs_manual_grade = score is None and grade.auto_score is None
                book.find_comment(*where).manual_comment = comment or None
            book.db.commit()

    def _remember(self, question, student, ticks, score):
        row = {"student": student, "lesson": question.lesson, "question": question.name}
        with self.ledger.explained(), self.ledger.engine.begin() as connection:
            connection.execute(delete(TICKS).where(*(TICKS.c[k] == v for k, v in row.items())))
            connection.execute(
                insert(TICKS).values(**row, ticks=json.dumps(list(ticks)), score=score)
            )


def _id(question, student):
    text = json.dumps([question.lesson, question.name, student])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _grades(question):
    """The grades of one question, with their students."""
    return graded_cells(
        GRADE,
        SUBMITTED_ASSIGNMENT.c.student_id,
        GRADE.c.auto_score,
        GRADE.c.manual_score,
        GRADE.c.needs_manual_grade,
    ).where(ASSIGNMENT.c.name == question.lesson, BASE_CELL.c.name == question.name)
