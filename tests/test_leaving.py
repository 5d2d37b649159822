"""Who leaves the course goes whole, whichever command takes them out; others lose nothing."""

import shutil
from dataclasses import replace

import pytest
from nbgrader.api import Gradebook

from grader.__main__ import main
from grader.grading import leaving
from grader.grading.autograde import Options
from grader.grading.oversights import gone, unseen
from grader.handmarks.book import HandMarks
from grader.records.gradebook import COURSE, Ledger
from grader.records.store import Store
from tests import classroom
from tests.classroom import NAME, submit
from tests.test_autograde import (  # noqa: F401
    alembic_on_path,
    copied,
    give_by_hand,
    grade,
    graded,
    needs_walls,
    rows,
    scores,
    warm,
)

pytestmark = [needs_walls, pytest.mark.usefixtures("warm")]
OLD = "anna"


def command(folder, *more):
    return main(["forget", *more, "--out", str(folder / "out")])


def by_nbgrader(folder, student):
    """What `nbgrader db student remove --force` does."""
    with Gradebook(f"sqlite:///{folder}/out/gradebook.db", COURSE) as book:
        book.remove_student(student)


def in_the_tables(folder):
    found = {row["student"] for name in ("grades", "submissions") for row in rows(folder, name)}
    return found | {
        student for student in (OLD, "ben") if student in (folder / "out/report.html").read_text()
    }


def exported(folder, capsys):
    capsys.readouterr()
    assert main(["export", "--out", str(folder / "out"), "--format", "moodle"]) == 0
    lines = capsys.readouterr().out.split()[1:]
    return dict(line.split(",") for line in lines)


@pytest.mark.parametrize("way", ["command", "nbgrader"])
def test_who_left_is_in_no_table_and_others_keep_their_marks(copied, capsys, way):  # noqa: F811
    give_by_hand(copied, "ben", "q_why", 1)
    grade(copied)
    before = scores(copied)
    shutil.rmtree(copied / "in" / OLD)
    if way == "command":
        assert command(copied, OLD) == 0
        assert OLD in capsys.readouterr().out
    else:
        by_nbgrader(copied, OLD)
        assert OLD not in exported(copied, capsys)  # before any further run
        grade(copied)
    assert OLD not in in_the_tables(copied) | set(exported(copied, capsys))
    assert {**before, OLD: None} == {**scores(copied), OLD: None}
    assert not list((copied / "out").glob(f"*/{OLD}"))
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        assert OLD not in [one.id for one in book.students]
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        assert ledger.taken_out() == []


@pytest.mark.parametrize("way", ["command", "nbgrader"])
def test_who_comes_back_is_graded_anew_and_asked_for_marks_again(copied, way):  # noqa: F811
    give_by_hand(copied, OLD, "q_why", 3)
    grade(copied)
    command(copied, OLD) if way == "command" else by_nbgrader(copied, OLD)
    _counts, seen = grade(copied)
    assert seen[OLD] is not None and seen["ben"] is None
    assert scores(copied)[OLD]["softmax"] == ("3", "passed", "")
    assert scores(copied)[OLD]["q_why"] == ("", "waiting", "")
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        marks = HandMarks(ledger, classroom.Course(copied / "course"), copied / "out")
        (question,) = marks.questions()
        (text,) = marks.answers(question)
        assert text.student == OLD and text.score is None and text.ticks == ()


def test_who_is_on_nbgraders_list_alone_can_be_taken_off(copied, capsys):  # noqa: F811
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        book.add_student("listed")
    assert command(copied, "listed") == 0
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        assert "listed" not in [one.id for one in book.students]


def test_the_name_may_be_the_tables_own_and_a_wrong_one_is_told(copied, capsys):  # noqa: F811
    assert command(copied, "ana") == 1
    assert "nobody called ana. Is it anna" in capsys.readouterr().err
    assert command(copied, "anna", "--lesson", "02_other") == 1
    assert "no submission of 02_other by anna" in capsys.readouterr().err
    assert command(copied, "'=cora") == 0
    assert "'=cora" not in scores(copied) and "anna" in scores(copied)


def test_one_lesson_alone(copied):  # noqa: F811
    assert command(copied, OLD, "--lesson", NAME) == 0
    assert OLD not in scores(copied)


def test_others_of_a_group_dont_lose_what_was_handed_in_for_them(copied):  # noqa: F811
    (copied / "groups.csv").write_text("group,student\nteam,anna\nteam,hal\n")
    grade(copied)
    refused = pytest.raises(leaving.LeavingError, match="counts for hal, too")
    with Ledger(copied / "out" / "gradebook.db") as ledger, Store(copied / "out") as store, refused:
        leaving.forget(ledger, store, OLD)
    give_by_hand(copied, OLD, "q_why", 3)
    grade(copied)
    shutil.move(copied / "in" / OLD, copied / "in" / "hal")
    (copied / "groups.csv").write_text("group,student\nteam,hal\n")
    grade(copied)
    assert told_gone(copied) == [(OLD, NAME)] and command(copied, OLD) == 0
    assert OLD not in scores(copied) and scores(copied)["hal"]["q_why"] == ("3", "marked", "")
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        marks = HandMarks(ledger, classroom.Course(copied / "course"), copied / "out")
        (question,) = marks.questions()
        assert [one.student for one in marks.answers(question)] == ["hal"]


def told_gone(folder):
    return gone(Options(folder / "in", folder / "out", classroom.Course(folder / "course")))


def test_a_folder_that_is_gone_is_told_and_its_marks_stay(copied, capsys):  # noqa: F811
    assert told_gone(copied) == []
    shutil.copy(copied / "in" / OLD / NAME / f"{NAME}.ipynb", copied / "in" / "loose.ipynb")
    shutil.move(copied / "in" / OLD, copied / "in" / "ana")
    arguments = ["autograde", "--submitted", str(copied / "in"), "--out", str(copied / "out")]
    arguments += ["--course", str(copied / "course"), "--secret-file", str(copied / "secret")]
    assert main(arguments) == 0
    said = capsys.readouterr().err
    (line,) = [one for one in said.splitlines() if "Not looked at" in one]
    assert "loose.ipynb" in line and "/in/STUDENT/LESSON/LESSON.ipynb" in line
    (line,) = [one for one in said.splitlines() if "no longer holds" in one]
    assert f"{OLD} ({NAME})" in line and "python -m grader forget NAME" in line
    assert OLD in scores(copied) and "ana" in scores(copied)


def test_another_folder_takes_no_groups_marks_away(copied):  # noqa: F811
    """Who names the wrong folder, or one without groups.csv beside it, loses no marks by hand."""
    (copied / "groups.csv").write_text("group,student\nteam,anna\nteam,hal\n")
    grade(copied)
    give_by_hand(copied, OLD, "q_why", 3)
    grade(copied)
    (copied / "in").rename(copied / "kept")
    (copied / "in").mkdir()
    grade(copied)
    assert {OLD, "hal"} <= {who for who, _lesson in told_gone(copied)}
    for student in (OLD, "hal"):
        assert scores(copied)[student]["q_why"] == ("3", "marked", "")


def test_a_folder_of_a_groups_name_is_nobodys_own(copied):  # noqa: F811
    """anna's was graded before somebody said that it is the work of two."""
    (copied / "groups.csv").write_text("group,student\nanna,hal\nanna,ida\n")
    grade(copied)
    assert told_gone(copied) == [(OLD, NAME)]


def test_a_folder_that_was_renamed_as_told_is_refused_no_more(copied):  # noqa: F811
    assert "fay" in {row["student"] for row in rows(copied, "submissions")}
    (copied / "in" / "fay" / "99_no_such_lesson").rename(copied / "in" / "fay" / NAME)
    shutil.move(copied / "in" / "bad\nname", copied / "in" / "gil")
    submit(copied / "in", "gil", classroom.blank(classroom.Course(copied / "course")))
    grade(copied, lessons=[NAME])
    assert "99_no_such_lesson" in {row["lesson"] for row in rows(copied, "submissions")}
    grade(copied)
    assert {row["lesson"] for row in rows(copied, "submissions")} == {NAME}
    assert {"fay", "gil"} <= set(scores(copied)) and not any("bad" in who for who in scores(copied))
    assert "The course has no lesson" not in (copied / "out" / "report.html").read_text()


def test_work_that_no_lesson_was_found_for_is_told_where_one_lesson_is_graded(copied):  # noqa: F811
    """With --lessons a misspelt folder isn't refused, since it is no folder of that lesson."""
    options = Options(copied / "in", copied / "out", classroom.Course(copied / "course"))
    (copied / "in" / "gil").mkdir()
    (copied / "in" / "gil" / f"{NAME}.ipynb").write_text("{}")
    assert unseen(options) == [f"gil/{NAME}.ipynb"]
    found = unseen(replace(options, lessons=[NAME]))
    assert found == ["fay/99_no_such_lesson", f"gil/{NAME}.ipynb"]
