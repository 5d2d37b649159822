"""make demo: each typical mistake costs exactly its exercise's points and is named."""

import csv

import pytest

from grader.course import HERE, CourseError
from grader.grading import demo
from grader.records.store import StoreError
from grader.sandbox import doctor
from tests import classroom
from tests.warm import WITH_TORCH, warm  # noqa: F401

LESSON = "01_reinforce"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return classroom.build_course(tmp_path_factory.mktemp("course"), HERE, [LESSON])


def test_mistakes_are_different_ones_of_different_exercises(course, tmp_path):
    mistakes = demo.make_class(course, LESSON, tmp_path)
    assert len(mistakes) == len(set(mistakes.values())) == demo.MISTAKES
    assert len({exercise for exercise, _mistake in mistakes.values()}) == demo.MISTAKES


@pytest.mark.skipif(not doctor.can_isolate(), reason="this machine can't isolate")
@pytest.mark.usefixtures("warm")
@WITH_TORCH
def test_demo(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET_FILE", str(tmp_path / "secret"))
    mistakes = demo.make_class(course, LESSON, tmp_path / "again")
    assert demo.main(tmp_path / "out", LESSON, course=course) == 0
    printed = capsys.readouterr().out
    marks = {}
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            marks.setdefault(row["student"], {})[row["exercise"]] = row
    automatic = [c.grade_id for c in course.lesson(LESSON).cells if c.kind == "check"]
    lost = {
        student: {
            n: mine[n]["mistake"] for n in automatic if mine[n]["score"] != mine[n]["max_score"]
        }
        for student, mine in marks.items()
    }
    assert lost["ada"] == {}
    assert set(lost["ben"]) == set(lost[demo.BROKEN]) == set(automatic)
    for student, (exercise, mistake) in mistakes.items():
        assert lost[student] == {exercise: mistake}
        assert marks[student][exercise]["score"] == "0"
        assert mistake in printed
    for words in ("refused", "not valid JSON", "feedback/STUDENT/01_reinforce", "report.html"):
        assert words in printed


def test_demo_says_where_it_cant_write(course, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="Choose a folder that you may write"):
        demo.main(tmp_path / "file", course=course)


def test_demo_says_what_it_lacks(course, tmp_path):
    with pytest.raises(CourseError, match="There is no lesson 9"):
        demo.main(tmp_path, "9", course=course)
    (course.root / "solutions" / "en" / LESSON / f"{LESSON}.ipynb").rename(tmp_path / "away")
    with pytest.raises(CourseError, match="make notebooks"):
        demo.make_class(course, LESSON, tmp_path / "in")
    (tmp_path / "away").rename(course.root / "solutions" / "en" / LESSON / f"{LESSON}.ipynb")
