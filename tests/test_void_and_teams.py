"""A void check gives its points to all; a group's one submission counts for each member."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from nbgrader.api import Gradebook

from grader.__main__ import main
from grader.grading import autograde, oversights
from grader.handmarks.book import HandMarks
from grader.intake.classroom import ClassroomError
from grader.intake.deadlines import read_deadlines
from grader.intake.groups import Groups, read_groups, share
from grader.records.gradebook import COURSE, Ledger
from publish.lesson import parse_lesson
from publish.problems import PublishError
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


def page(folder, student):
    return (folder / "out" / "feedback" / student / NAME / f"{NAME}.html").read_text()


def voided(folder, void=True):
    """Rebuilds the course with one void check."""
    root = folder / "lessons-of-it"
    shutil.copytree(classroom.TINY, root)
    lesson = root / "lessons" / f"{NAME}.py"
    text = lesson.read_text()
    if void:
        text = text.replace('check="softmax" points=3', 'check="softmax" points=3 void=true')
    lesson.write_text(text)
    course = classroom.build_course(folder / "course", root)
    shutil.rmtree(root)
    return course


@needs_walls
def test_a_void_check_gives_full_marks_at_the_next_run_and_is_said(copied, warm):  # noqa: F811
    grade(copied, voided(copied))
    found = scores(copied)
    for student in ("anna", "ben", "'=cora", "eva"):
        assert found[student]["softmax"] == ("3", "void", "")
    assert found["dan"]["softmax"][0] == "0"  # nothing of it could be read
    assert found["'=cora"]["discounted_return"] == ("2", "passed", "")
    report = (copied / "out" / "report.html").read_text()
    assert "Void, full points" in report and "softmax" in report
    assert "void" in page(copied, "=cora") and "Which axis" not in page(copied, "=cora")
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        assert book.find_grade("softmax", NAME, NAME, "=cora").auto_score == 3
    grade(copied, voided(copied, void=False))
    assert scores(copied)["'=cora"]["softmax"] == ("0", "failed", "softmax-axis")
    assert "Void" not in (copied / "out" / "report.html").read_text()


@needs_walls
def test_nbgrader_gives_a_void_check_the_same_points(copied, warm):  # noqa: F811
    from nbformat import from_dict
    from nbgrader.utils import determine_grade

    grade(copied, voided(copied))
    path = copied / "out" / "autograded" / "ben" / NAME / f"{NAME}.ipynb"
    cell = classroom.find(json.loads(path.read_text()), "softmax")
    assert determine_grade(from_dict(cell)) == (3, 3)


@pytest.mark.parametrize("header", ['check="a" points=1 void=false', "demo=true void=true"])
def test_void_stands_in_a_checks_header_and_is_true(header):
    with pytest.raises(PublishError):
        parse_lesson(f'# %% [markdown]\n# # A\n\n# %% {header}\ncheck("a")\n', "01_a", "01_a.py")


# Groups


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("group,student\nx,ada\ny,ada\n", "ada is in two groups"),
        ("team,student\nx,ada\n", "no columns group and student"),
        ("group,student,lesson\nx,ada,99_no\n", "no lesson 99_no"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text, words):
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(ClassroomError, match=words):
        read_groups(tmp_path / "g.csv", [NAME])


def test_a_lessons_own_line_wins(tmp_path):
    (tmp_path / "g.csv").write_text(
        f"group;student;lesson\nx;ada;\nx;ben;\ny;ben;{NAME}\ny;cem;{NAME}\n"
    )
    found = read_groups(tmp_path / "g.csv", [NAME, "02_b"])
    assert found.members("y", NAME) == ["ben", "cem"] and found.members("x", NAME) == ["ada"]
    assert found.members("x", "02_b") == ["ada", "ben"] and found.group("cem", "02_b") == ""


def test_a_member_whom_nobody_knows_is_told_with_who_may_be_meant(tmp_path):
    """A misspelt name would get the marks in its owner's place."""
    for student in ("ada", "benedict", "team2"):
        (tmp_path / "in" / student / "01_reinforce").mkdir(parents=True)
    lines = ["x,ada,", "x,bendict,", "x,uma,", "team2,cem,", "y,vera,02_variance"]
    (tmp_path / "groups.csv").write_text("\n".join(["group,student,lesson", *lines]))
    asked = autograde.Options(tmp_path / "in", tmp_path / "out")
    found = oversights.strange_members(asked)
    assert list(found.items()) == [("bendict", "benedict"), ("cem", ""), ("uma", ""), ("vera", "")]
    asked = replace(asked, lessons=["01_reinforce"])
    assert list(oversights.strange_members(asked)) == ["bendict", "cem", "uma"]


def test_a_name_with_an_accent_is_the_folders_whichever_way_it_is_written(tmp_path):
    """One character, as most write it, or two, as folders from a Mac have it."""
    one, two = "Jos\u00e9", "Jose\u0301"
    for folder, written in ((one, two), (two, one)):
        root = tmp_path / ascii(folder)
        (root / "in" / folder / "01_reinforce").mkdir(parents=True)
        (root / "groups.csv").write_text(f"group,student\nx,{written}\nx,uma\n")
        (root / "deadlines.csv").write_text(
            f"lesson,student,due\n01_reinforce,{written},2026-01-05 UTC\n"
        )
        asked = autograde.Options(root / "in", root / "out")
        assert oversights.strangers(asked) == [] and list(oversights.strange_members(asked)) == [
            "uma"
        ]
        together = autograde.beside(asked, read_groups, None, "groups.csv")
        assert together.members("x", "01_reinforce") == [folder, "uma"]
        (root / "groups.csv").write_text(f"group,student\n{written},uma\n")
        assert autograde.beside(asked, read_groups, None, "groups.csv").names() == {folder}
        dues = autograde.beside(asked, read_deadlines, None, "deadlines.csv")
        assert (dues.due_of(folder, "01_reinforce"), dues.due_of("uma", "01_reinforce")) == (
            datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC),
            None,
        )


@needs_walls
def test_the_command_tells_it_and_counts_every_member(copied, warm, capsys):  # noqa: F811
    (copied / "groups.csv").write_text("group,student\nteam,anna\nteam,bem\nteam,ida\n")
    command = ["autograde", "--submitted", str(copied / "in"), "--out", str(copied / "out")]
    command += ["--course", str(copied / "course"), "--secret-file", str(copied / "secret")]
    assert main(command) == 0
    said = capsys.readouterr()
    (line,) = [one for one in said.err.splitlines() if "groups" in one]
    assert "bem (ben?), ida" in line
    steps = [one.split("]")[0] for one in said.out.splitlines() if one.startswith("[")]
    assert steps == [f"[{n}/{len(steps)}" for n in range(1, len(steps) + 1)]


TEAM = "group,student\nteam,anna\nteam,hal\nteam,ida\n"


@needs_walls
def test_one_submission_counts_for_each_member(copied, warm):  # noqa: F811
    (copied / "groups.csv").write_text(TEAM)
    _counts, seen = grade(copied)
    assert {"anna", "hal", "ida"} <= set(seen)
    found = scores(copied)
    assert found["anna"] == found["hal"] == found["ida"]
    assert found["hal"]["softmax"] == ("3", "passed", "")
    assert "Handed in together: team (anna, hal, ida)" in page(copied, "hal")
    assert f"{NAME}: hal" in page(copied, "hal")
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        assert book.find_submission(NAME, "ida").score == 5
    assert {r["group"] for r in rows(copied, "submissions") if r["student"] in seen} == {"team", ""}
    _counts, seen = grade(copied)
    assert seen["hal"] is None and seen["anna"] is None


@needs_walls
def test_marks_by_hand_reach_each_member_and_are_asked_once(copied, warm):  # noqa: F811
    (copied / "groups.csv").write_text(TEAM)
    grade(copied)
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        course = classroom.Course(copied / "course")
        marks = HandMarks(ledger, course, copied / "out")
        (question,) = marks.questions()
        assert [one.student for one in marks.answers(question)] == ["anna"]
    give_by_hand(copied, "anna", "q_why", 3, "Together well argued.")
    grade(copied)
    for student in ("anna", "hal", "ida"):
        assert scores(copied)[student]["q_why"] == ("3", "marked", "")
        assert "Together well argued." in page(copied, student)
        with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
            assert not book.find_grade("q_why", NAME, NAME, student).needs_manual_grade


@needs_walls
def test_a_mark_given_to_a_member_alone_stays_until_the_group_has_one(copied, warm):  # noqa: F811
    """The formgrader shows a copy of each, and doesn't say which of them counts for all."""
    (copied / "groups.csv").write_text(TEAM)
    grade(copied)
    give_by_hand(copied, "hal", "q_why", 3, "Yours.")
    for _again in range(2):
        grade(copied)
        assert scores(copied)["hal"]["q_why"] == ("3", "marked", "")
        assert "Yours." in page(copied, "hal")
        assert scores(copied)["ida"]["q_why"] == ("", "waiting", "")
    give_by_hand(copied, "anna", "q_why", 2, "For all.")
    grade(copied)
    assert [scores(copied)[name]["q_why"][0] for name in ("anna", "hal", "ida")] == ["2"] * 3
    assert "For all." in page(copied, "hal") and "Yours." not in page(copied, "hal")


@needs_walls
def test_a_mark_that_is_taken_back_is_taken_from_each_member(copied, warm):  # noqa: F811
    (copied / "groups.csv").write_text(TEAM)
    grade(copied)
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        marks = HandMarks(ledger, classroom.Course(copied / "course"), copied / "out")
        (question,) = marks.questions()
        (text,) = marks.answers(question)
        marks.mark(question, text.id, points=3, comment="Good.")
    grade(copied)
    assert scores(copied)["ida"]["q_why"] == ("3", "marked", "")
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        marks = HandMarks(ledger, classroom.Course(copied / "course"), copied / "out")
        marks.mark(question, text.id)
    grade(copied)
    for student in ("anna", "hal", "ida"):
        assert scores(copied)[student]["q_why"] == ("", "waiting", "")
        assert "Good." not in page(copied, student)


@needs_walls
def test_a_mark_for_another_text_is_none_of_the_groups(copied, warm):  # noqa: F811
    """ben's own text was marked, before he and anna handed in together."""
    course = classroom.Course(copied / "course")
    submit(copied / "in", "ben", classroom.solved(course, q_why="My own."))
    grade(copied)
    give_by_hand(copied, "ben", "q_why", 4)
    grade(copied)
    shutil.rmtree(copied / "in" / "ben")
    (copied / "groups.csv").write_text("group,student\nteam,anna\nteam,ben\n")
    grade(copied)
    assert scores(copied)["ben"]["q_why"] == ("", "waiting", "")


@needs_walls
def test_who_leaves_a_group_leaves_its_marks(copied, warm):  # noqa: F811
    (copied / "groups.csv").write_text(TEAM)
    grade(copied)
    (copied / "groups.csv").write_text(TEAM.replace("team,ida\n", ""))
    grade(copied)
    assert "ida" not in scores(copied) and "hal" in scores(copied)
    assert not (copied / "out" / "feedback" / "ida" / NAME / f"{NAME}.html").exists()
    assert "ida" not in page(copied, "hal")
    (copied / "groups.csv").unlink()
    grade(copied)
    assert "hal" not in scores(copied) and scores(copied)["anna"]["softmax"][0] == "3"
    assert "together" not in page(copied, "anna")


@needs_walls
def test_a_member_has_their_own_deadline(copied, warm):  # noqa: F811
    (copied / "groups.csv").write_text(TEAM)
    (copied / "deadlines.csv").write_text(
        f"# 10% a day\nlesson,student,due\n{NAME},,2026-01-01 UTC\n{NAME},ida,2026-01-09 UTC\n"
    )
    grade(copied)
    late = {row["student"]: row["late"] for row in rows(copied, "submissions")}
    assert late["hal"] == late["anna"] != "" and late["ida"] == ""


@needs_walls
def test_of_two_submissions_the_latest_counts_and_without_times_neither(copied, warm):  # noqa: F811
    course = classroom.Course(copied / "course")
    submit(copied / "in", "hal", classroom.blank(course))
    (copied / "groups.csv").write_text(TEAM)
    grade(copied)
    (row,) = [r for r in rows(copied, "submissions") if r["student"] == "hal"]
    assert row["status"] == "refused" and "anna, hal" in row["reason"]
    assert scores(copied)["anna"]["softmax"][0] == "0"
    (copied / "in" / "hal" / NAME / "timestamp.txt").write_text("2025-12-31 03:04:05 UTC\n")
    grade(copied)
    assert [scores(copied)[name]["softmax"][0] for name in ("anna", "hal", "ida")] == ["3"] * 3


@needs_walls
def test_the_same_work_of_several_members_is_one_submission(copied, warm):  # noqa: F811
    """As Moodle gives it for a team: each member has the file, all with one time."""
    shutil.copytree(copied / "in" / "anna", copied / "in" / "hal")
    (copied / "groups.csv").write_text(TEAM)
    for when in ("", "2026-01-02 03:04:05 UTC\n"):
        for student in ("anna", "hal"):
            (copied / "in" / student / NAME / "timestamp.txt").write_text(when)
        grade(copied)
        assert [scores(copied)[name]["softmax"][0] for name in ("anna", "hal", "ida")] == ["3"] * 3
        with Ledger(copied / "out" / "gradebook.db") as ledger:
            marks = HandMarks(ledger, classroom.Course(copied / "course"), copied / "out")
            (question,) = marks.questions()
            assert [one.student for one in marks.answers(question)] == ["anna"]


def test_only_those_clash_of_whom_none_is_known_to_be_the_last():
    class Found:
        refused = None

        def __init__(self, student, when, work):
            self.student, self.when, self.work = student, when, work
            self.lesson = NAME

    def shared(*found):
        together = Groups({(one.student, ""): "team" for one in found})
        return share(found, together, lambda one: one.when, lambda one: one.work)

    early = Found("a", 1, "x"), Found("b", 1, "y")
    (one,) = shared(*early, Found("c", 2, "z"))
    assert one.found.student == "c" and one.members == ("a", "b", "c") and not one.clash
    assert [one.clash for one in shared(*early)] == [("a", "b")] * 2
    unread = Found("a", None, None), Found("b", None, None)
    assert [one.clash for one in shared(*unread)] == [("a", "b")] * 2
    same = Found("b", None, "x"), Found("a", 3, "x")
    (one,) = shared(*same)
    assert one.found.student == "a" and one.members == ("a", "b")


@needs_walls
def test_a_submission_under_the_groups_own_name_counts_for_its_members(copied, warm):  # noqa: F811
    shutil.move(copied / "in" / "anna", copied / "in" / "duo")
    (copied / "groups.csv").write_text("group,student\nduo,hal\nduo,ida\n")
    grade(copied)
    assert "duo" not in scores(copied)
    assert scores(copied)["hal"]["softmax"] == scores(copied)["ida"]["softmax"]
