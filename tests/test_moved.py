"""Notebooks and gradebooks from before an exercise moved to another lesson."""

import copy
import json
from dataclasses import replace

import pytest

from grader.course import Course
from grader.course.moved import MOVED, moved_from
from grader.intake.assemble import assemble
from grader.intake.document import read_document
from grader.records.gradebook import GradebookError, Ledger, Record
from grader.records.outcome import GRADED, Mark, Outcome
from tests.classroom import find

OLD, NEW = "03_baseline_critic", "03b_gae"
COURSE = Course()


@pytest.fixture(scope="module")
def older():
    """Lesson 03's notebook as it was: with the cells that are lesson 03b's now, answered."""
    notebook = json.loads(COURSE.path(OLD).read_text(encoding="utf-8"))
    newer = json.loads(COURSE.path(NEW).read_text(encoding="utf-8"))
    for name in MOVED[OLD]:
        answer = copy.deepcopy(find(newer, f"{name}-answer"))
        answer["source"] = f"def {name}(*arguments):\n    return 0\n"
        notebook["cells"] += [answer, copy.deepcopy(find(newer, name))]
    return notebook


def plan(notebook):
    return assemble(COURSE.lesson(OLD), read_document(json.dumps(notebook).encode()))


def test_what_moved_is_where_the_table_says():
    for lesson, names in MOVED.items():
        for name, now in names.items():
            assert name not in COURSE.lesson(lesson).checks and name in COURSE.lesson(now).checks
    assert moved_from(NEW) == {}


def test_an_older_notebook_is_told_what_moved_and_its_other_answers_count(older):
    find(older, "value_loss-answer")["source"] = "def value_loss(values, returns):\n    return 1\n"
    found = plan(older)
    (told,) = [str(one) for one in found.notes if NEW in str(one)]
    assert "td_errors" in told and "gae" in told and "hand" in told
    texts = {cell.source.grade_id: cell.text for cell in found.cells}
    assert "return 1" in texts["value_loss-answer"]
    graded = [cell.source.grade_id for cell in found.cells if cell.kind == "check"]
    assert graded == COURSE.lesson(OLD).checks, "what moved has no mark here"


def test_todays_notebook_is_told_nothing_of_it():
    notebook = json.loads(COURSE.path(OLD).read_text(encoding="utf-8"))
    assert not any(NEW in str(one) for one in plan(notebook).notes)


def test_an_older_gradebook_says_what_moved_and_the_remedy(tmp_path):
    lesson = COURSE.lesson(OLD)
    moved = [cell for cell in COURSE.lesson(NEW).cells if cell.grade_id in MOVED[OLD]]
    before = replace(lesson, cells=(*lesson.cells, *moved))
    marks = [Mark(cell.grade_id, 0.0, cell.points, "failed") for cell in before.graded]
    where = tmp_path / "gradebook.db"
    with Ledger(where) as ledger:
        ledger.prepare(before)
        ledger.write([Record("ada", OLD, "key", Outcome(GRADED, marks=marks))])
    with Ledger(where) as ledger, pytest.raises(GradebookError) as told:
        ledger.prepare(lesson)
    words = str(told.value)
    assert "td_errors, gae moved to 03b_gae" in words and "--out" in words
