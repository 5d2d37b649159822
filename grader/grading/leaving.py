"""Who leaves: one submission, or all of a student's, out of nbgrader's tables, of ours and of the
folder of results."""

import difflib
import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy import delete

from grader.course.notes import shown
from grader.errors import UserError
from grader.handmarks.book import TICKS
from grader.i18n import _
from grader.records.gradebook import STATE, Ledger
from grader.records.history import TOLD
from grader.records.store import Store
from grader.reports.tables import safe


class LeavingError(UserError):
    """Nobody can be taken out by that name, or others would lose their marks; says what to do."""


def forget(ledger: Ledger, store: Store, student: str, lesson=None) -> list:
    """Takes out a student's submission of the lesson, or all of theirs and the student; returns the
    names of the lessons. Raises LeavingError."""
    records = list(ledger.states())
    known = {(record.student, record.lesson) for record in records} | set(ledger.taken_out())
    student = next((who for who, _name in known if safe(who) == student), student)
    lessons = sorted(name for who, name in known if who == student and lesson in (None, name))
    if not lessons and not (lesson is None and student in _on_nbgraders_list(ledger)):
        raise LeavingError(_nobody(store.root, student, lesson, {who for who, _name in known}))
    for name in lessons:
        if others := _who_share(records, student, name):
            words = _(
                "What {student} handed in for {lesson} counts for {others}, too. Move the notebook "
                "into the folder of one of them first and run autograde, so that it stays theirs."
            )
            raise LeavingError(words.format(student=student, lesson=name, others=others))
    for name in lessons:
        take_out(ledger, store, student, name)
    if lesson is None and student in _on_nbgraders_list(ledger):
        with ledger.explained():
            ledger.book.remove_student(student)
    return lessons


def take_out(ledger, store, student, lesson) -> None:
    """Takes one submission out, with its marks and pages."""
    with ledger.explained():
        book = ledger.book
        book.db.expire_all()
        if student in [one.student_id for one in book.assignment_submissions(lesson)]:
            book.remove_submission(lesson, student)
        TICKS.metadata.create_all(ledger.engine)
        with ledger.engine.begin() as connection:
            for table in (STATE, TOLD, TICKS):
                where = table.c.student == student, table.c.lesson == lesson
                connection.execute(delete(table).where(*where))
    for page in (store.autograded(student, lesson), store.feedback(student, lesson)):
        _remove(page.parent)


def _remove(folder: Path):
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # other lessons of the student's are in it
        folder.parent.rmdir()


def _on_nbgraders_list(ledger):
    with ledger.explained():
        ledger.book.db.expire_all()
        return {one.id for one in ledger.book.students}


def _who_share(records, student, lesson):
    """The others, in words, for whom the student handed in."""
    mine = [one for one in records if one.lesson == lesson and one.lead == student and one.group]
    return ", ".join(shown(one.student) for one in mine if one.student != student)


def _nobody(out, student, lesson, known):
    name, close = shown(student), difflib.get_close_matches(student, known, 3)
    words = _("{out} knows nobody called {name}.")
    if student in known:
        words = _("{out} has no submission of {lesson} by {name}.")
    told = words.format(out=out, name=name, lesson=lesson)
    if close and student not in known:
        told += " " + _("Is it {names}?").format(names=", ".join(map(shown, close)))
    return told
