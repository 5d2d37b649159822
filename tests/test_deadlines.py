"""Lateness: kept from the download on, paid by rule, anew at each run, beside the raw mark."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from nbgrader.api import Gradebook

from grader.__main__ import main
from grader.course.lateness import DAY, HOUR, Lateness, Rule
from grader.grading import autograde, oversights
from grader.intake.classroom import ClassroomError
from grader.intake.deadlines import moment_of, read_deadlines, rule_of
from grader.lms.download import collect
from grader.nbgrader_plugin.late import CourseLatePenalty
from grader.records.gradebook import COURSE
from tests.classroom import NAME
from tests.test_autograde import (  # noqa: F401
    alembic_on_path,
    copied,
    give_by_hand,
    grade,
    graded,
    needs_walls,
    rows,
    warm,
)
from tests.test_collect import zipped

RULE = "# 10% a day, grace 2 hours, at most 50%\n"


@pytest.mark.parametrize(
    ("seconds", "cost"),
    [
        (0, 0),
        (2 * HOUR, 0),
        (2 * HOUR + 1, 0.1),
        (DAY, 0.1),
        (DAY + 1, 0.2),
        (30 * DAY, 0.5),
        (None, 0.1),
    ],
)
def test_what_the_rule_costs(seconds, cost):
    assert rule_of(RULE).cost(seconds) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("5 % per hour", Rule(0.05, HOUR, 0, 1.0)),
        ("12.5%/d, at most 100%", Rule(0.125, DAY, 0, 1.0)),
        ("100% per day, grace 15 min", Rule(1.0, DAY, 900, 1.0)),
    ],
)
def test_rules_in_other_words(text, rule):
    assert rule_of(text) == rule


@pytest.mark.parametrize(
    "lines",
    [
        RULE,
        "# 10% a day\n# grace 2 hours\n# at most 50%\n",
        "# 10% a Day, Grace 2 Hours\n# Autumn term\n#At most 50%\n",
        '"# 10% a day, grace 2 hours, at most 50%",,\n',
    ],
)
def test_a_rule_on_several_lines_or_saved_by_a_spreadsheet_is_read_whole(tmp_path, lines):
    (tmp_path / "d.csv").write_text(lines + "lesson,student,due\n01_tiny,,2026-01-01 UTC\n")
    assert read_deadlines(tmp_path / "d.csv").rule == Rule(0.1, DAY, 2 * HOUR, 0.5)


def test_two_rules_are_refused(tmp_path):
    (tmp_path / "d.csv").write_text("# 10% a day\n# 20% a day\nlesson,due\n")
    with pytest.raises(ClassroomError, match="can't be read"):
        read_deadlines(tmp_path / "d.csv")


@pytest.mark.parametrize("text", ["", "10 points a day", "10% a day, 20 bonus", "grace 2 hours"])
def test_a_rule_that_cant_be_read_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="10% a day, grace 2 hours"):
        rule_of(text)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-30 23:59 Europe/Madrid", "2026-11-30 22:59:00"),
        ("2026-07-30T23:59:30 America/New_York", "2026-07-31 03:59:30"),
        ("2026-11-30T23:59:00+01:00", "2026-11-30 22:59:00"),
        ("2026-11-30 23:59Z", "2026-11-30 23:59:00"),
        ("2026-11-30 UTC", "2026-11-30 23:59:59"),
    ],
)
def test_a_moment_has_its_time_zone(text, utc):
    assert moment_of(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lesson,due\n01_tiny,2026-11-30 23:59\n", "time zone"),
        ("lesson,due\n01_tiny,2026-11-30 23:59 Mars/Olympus\n", "time zone"),
        ("lesson,due\n02_none,2026-11-30 23:59 UTC\n", "no lesson 02_none"),
        ("lesson\n01_tiny\n", "no columns lesson and due"),
        ("lesson,due\n01_tiny,2026-11-30 UTC\n01_tiny,2026-12-30 UTC\n", "two deadlines"),
        ("# ten percent\nlesson,due\n", "can't be read"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text, words):
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(ClassroomError, match=words):
        read_deadlines(tmp_path / "d.csv", ["01_tiny"])


def test_a_named_file_that_isnt_there_is_refused_and_an_unnamed_one_is_none(tmp_path):
    assert read_deadlines(tmp_path / "d.csv").due == {}
    with pytest.raises(ClassroomError, match="lesson,student,due"):
        read_deadlines(tmp_path / "d.csv", needed=True)


def test_extensions_are_the_students_own(tmp_path):
    (tmp_path / "d.csv").write_text(
        RULE + "lesson;student;due\n01_tiny;;2026-01-01 UTC\n01_tiny;ada;2026-01-05 UTC\n"
    )
    found = read_deadlines(tmp_path / "d.csv", ["01_tiny"])
    moment = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert not found.lateness("ada", "01_tiny", moment).late
    assert found.lateness("ben", "01_tiny", moment).share == pytest.approx(0.1)
    # Canvas's LATE comes without a time: one day begun, unless there is an extension.
    assert found.lateness("ben", "01_tiny", None, True).share == pytest.approx(0.1)
    assert not found.lateness("ada", "01_tiny", None, True).late
    assert not found.lateness("ben", "02_other", moment).late


def test_an_extension_for_nobody_is_told(tmp_path):
    """A misspelt name would cost its owner the marks that the extension was to save."""
    for student in ("ada", "team1"):
        (tmp_path / "in" / student / "01_reinforce").mkdir(parents=True)
    (tmp_path / "groups.csv").write_text("group,student\nteam1,cem\n")
    due = "2026-01-05 UTC\n"
    names = ("ada", "Ada Lovelace", "cem", "team1")
    lines = [f"01_reinforce,{name},{due}" for name in names]
    lines += [f"02_variance,dan,{due}", f"01_reinforce,,{due}"]
    (tmp_path / "deadlines.csv").write_text(RULE + "lesson,student,due\n" + "".join(lines))
    asked = autograde.Options(tmp_path / "in", tmp_path / "out", lessons=["01_reinforce"])
    assert oversights.strangers(asked) == ["Ada Lovelace", "team1"]
    assert oversights.strangers(replace(asked, lessons=None)) == ["Ada Lovelace", "dan", "team1"]


def test_a_table_in_another_place_or_under_another_name_is_seen(tmp_path):
    """Else nobody would hear that no deadline is in force."""
    (tmp_path / "in").mkdir()
    asked = autograde.Options(tmp_path / "in", tmp_path / "out")
    odd = ("Deadlines.csv", "deadline.csv", "deadlines.csv.txt", "deadlines (1).csv", "groups.xlsx")
    paths = [*(tmp_path / name for name in odd), tmp_path / "in" / "groups.csv"]
    for path in (*paths, tmp_path / "grouping.csv", tmp_path / "in" / "my deadlines.csv"):
        path.write_text("x")
    found = dict(oversights.misplaced(asked))
    assert set(found) == set(paths)
    assert found[paths[0]] == tmp_path / "deadlines.csv"
    assert found[paths[-1]] == tmp_path / "groups.csv"
    named = replace(asked, deadlines=paths[0], groups=paths[-1])
    assert oversights.misplaced(named) == []
    for name in ("deadlines.csv", "groups.csv"):
        (tmp_path / name).write_text("x")
    assert oversights.misplaced(asked) == []


@needs_walls
def test_the_command_tells_it(copied, warm, capsys):  # noqa: F811
    due = "2026-01-01 UTC\n"
    (copied / "deadlines.csv").write_text(
        RULE + f"lesson,student,due\n{NAME},,{due}{NAME},Anna B,{due}"
    )
    command = ["autograde", "--submitted", str(copied / "in"), "--out", str(copied / "out")]
    command += ["--course", str(copied / "course"), "--secret-file", str(copied / "secret")]
    assert main(command) == 0
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "deadlines" in one]
    assert "'Anna B'" in line and "as its folder is called" in line
    (copied / "deadlines.csv").write_text(RULE + f"lesson,student,due\n{NAME},ana,{due}")
    assert main(command) == 0
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "deadlines" in one]
    assert "ana (anna?)" in line
    (copied / "deadlines.csv").rename(copied / "in" / "deadlines.csv")
    assert main(command) == 0
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "deadlines" in one]
    assert "wasn't read" in line and "--deadlines" in line


def test_lateness_in_words():
    assert Lateness(2 * DAY + 3 * HOUR + 5).words() == "2 d 3 h"
    assert Lateness(20).words() == "1 min" and Lateness(None, True).words() == "late"
    assert Lateness(0).words() == "" and Lateness().penalty(8) == 0


def numbers(folder, student):
    (row,) = [row for row in rows(folder, "submissions") if row["student"] == student]
    return tuple(row[name] for name in ("late", "raw_score", "penalty", "score"))


def booked(folder, student):
    """(penalty, mark after it) in nbgrader's tables."""
    with Gradebook(f"sqlite:///{folder}/out/gradebook.db", COURSE) as book:
        found = book.find_submission(NAME, student)
        return found.late_submission_penalty, found.total_seconds_late


def page(folder, student):
    return (folder / "out" / "feedback" / student / NAME / f"{NAME}.html").read_text()


@needs_walls
def test_a_penalty_is_anew_at_each_run_and_ends_with_its_cause(copied, warm):  # noqa: F811
    """anna's file is of 2026-01-02 03:04:05 UTC, worth 5 until her text is marked."""
    due = copied / "deadlines.csv"
    assert numbers(copied, "anna") == ("", "5", "0", "5")

    def run(text):
        due.write_text(text) if text else due.unlink()
        counts, seen = grade(copied)
        assert seen["anna"] is None  # nothing is run again for a deadline
        return numbers(copied, "anna"), booked(copied, "anna")[0]

    lines = f"lesson,student,due\n{NAME},,2026-01-01 00:00 UTC\n"
    late = timedelta(days=1, hours=3, minutes=4, seconds=5).total_seconds()
    assert run(RULE + lines) == (("1 d 3 h 4 min", "5", "1", "4"), 1.0)
    assert booked(copied, "anna") == (1.0, late)
    assert "1 d 3 h" in page(copied, "anna") and "4 of 9 points count" in page(copied, "anna")
    assert "1 d 3 h" in (copied / "out" / "report.html").read_text()
    give_by_hand(copied, "anna", "q_why", 4)  # the share is of the raw mark as it is now
    assert run(RULE + lines) == (("1 d 3 h 4 min", "9", "1.8", "7.2"), 1.8)
    assert run(lines) == (("1 d 3 h 4 min", "9", "0", "9"), 0.0)
    assert run(RULE + lines + f"{NAME},anna,2026-01-03 00:00 UTC\n") == (("", "9", "0", "9"), 0.0)
    assert booked(copied, "anna") == (0.0, 0.0)
    run(RULE + lines)
    assert run("") == (("", "9", "0", "9"), 0.0)
    assert "deadline" not in page(copied, "anna")


@needs_walls
def test_exported_marks_are_those_after_the_penalty(copied, warm, capsys):  # noqa: F811
    (copied / "deadlines.csv").write_text(RULE + f"lesson,due\n{NAME},2026-01-01 00:00 UTC\n")
    grade(copied)
    assert main(["export", "--out", str(copied / "out"), "--format", "moodle"]) == 0
    assert "anna,4" in capsys.readouterr().out.split()


@needs_walls
def test_canvass_mark_is_kept_and_costs_one_day(copied, warm):  # noqa: F811
    notebook = (copied / "in" / "anna" / NAME / f"{NAME}.ipynb").read_text()
    path = zipped(copied / "a.zip", {f"zoe_LATE_17_98765_{NAME}.ipynb": notebook})
    collect(path, copied / "in", NAME, "canvas")
    grade(copied)
    assert numbers(copied, "17") == ("late", "5", "0", "5")
    (copied / "deadlines.csv").write_text(RULE + f"lesson,due\n{NAME},2026-01-01 00:00 UTC\n")
    grade(copied)
    assert numbers(copied, "17") == ("late", "5", "0.5", "4.5") and booked(copied, "17")[0] == 0.5


def test_nbgraders_own_hook_takes_the_same_rule(tmp_path):
    (tmp_path / "d.csv").write_text(RULE + "lesson,due\n")
    hook = CourseLatePenalty()
    hook.deadlines = str(tmp_path / "d.csv")
    assert hook.late_submission_penalty("ada", 8.0, DAY + 1) == pytest.approx(1.6)
    assert hook.late_submission_penalty("ada", 8.0, 60) is None
