"""A class from folder to marks: gradebook, tables, pages; and a second run, and a third."""

import ast
import contextlib
import csv
import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Base, Gradebook, get_alembic_version
from nbgrader.utils import parse_utc

from bank import load
from bank.cells import cell_of
from grader.__main__ import main
from grader.checks.registry import get
from grader.course import HERE
from grader.executor.local import LocalExecutor
from grader.executor.settings import Settings
from grader.grading import demo
from grader.grading.autograde import Options, autograde
from grader.records import nbgrader_tables
from grader.records.gradebook import COURSE, Ledger, time_of
from grader.records.outcome import Task
from grader.records.secret import SecretError, read_secret, seeds_of
from grader.reports import tables
from grader.sandbox import doctor
from tests import classroom, forked
from tests.classroom import NAME, code, find, insert_after, submit
from tests.once import once
from tests.warm import WITH_TORCH, executor_for, warm  # noqa: F401

needs_walls = pytest.mark.skipif(not doctor.can_isolate(), reason="this machine can't isolate")
WRONG = "def softmax(x):\n    w = np.exp(x - x.max(0))\n    return w / w.sum(0)\n"


def make_class(folder):
    """A small class, graded once in the sandbox."""
    course = classroom.build_course(folder / "course")
    students = {
        "anna": classroom.solved(course, q_why="Because $a<b$ & <b>so</b>."),
        "ben": classroom.blank(course),
        "=cora": classroom.solved(course, softmax=WRONG),
        "dan": '{"cells": [',
        "eva": insert_after(classroom.solved(course), "softmax", code("import os; os._exit(3)")),
    }
    for student, notebook in students.items():
        submit(folder / "in", student, notebook)
    (folder / "in" / "anna" / NAME / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC\n")
    submit(folder / "in", "fay", classroom.solved(course), name="99_no_such_lesson")
    (folder / "in" / "bad\nname" / NAME).mkdir(parents=True)
    grade(folder)
    return folder


def grade(folder, course=None, **more):
    """(statuses, {student: outcome or None where nothing had changed})."""
    seen = {}
    options = Options(
        folder / "in",
        folder / "out",
        course or classroom.Course(folder / "course"),
        secret_file=folder / "secret",
        jobs=1,
        **more,
    )
    counts = autograde(options, lambda total: lambda s, _lesson, outcome: seen.update({s: outcome}))
    return counts, seen


def rows(folder, name="grades"):
    with open(folder / "out" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scores(folder):
    """student -> {exercise: (score, verdict, mistake)}."""
    found = {}
    for row in rows(folder):
        mine = found.setdefault(row["student"], {})
        mine[row["exercise"]] = row["score"], row["verdict"], row["mistake"]
    return found


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    return once(tmp_path_factory, "class", make_class)


@pytest.fixture
def copied(graded, tmp_path):
    """The graded class as a copy that a test may change."""
    shutil.copytree(graded, tmp_path / "class")
    return tmp_path / "class"


@functools.cache
def alembic_version():
    """nbgrader asks alembic, a process of its own, for each new gradebook."""
    return get_alembic_version()


@pytest.fixture(autouse=True)
def alembic_on_path(monkeypatch):
    """nbgrader runs alembic, which lies beside this Python; once is enough."""
    monkeypatch.setattr("nbgrader.api.get_alembic_version", alembic_version)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)


pytestmark = [needs_walls, pytest.mark.usefixtures("warm")]


def test_marks(graded):
    assert scores(graded) == {
        "anna": {
            "softmax": ("3", "passed", ""),
            "discounted_return": ("2", "passed", ""),
            "q_why": ("", "waiting", ""),
        },
        "ben": {
            "softmax": ("0", "failed", "not-written"),
            "discounted_return": ("0", "failed", "not-written"),
            "q_why": ("0", "blank", ""),
        },
        "'=cora": {
            "softmax": ("0", "failed", "softmax-axis"),
            "discounted_return": ("2", "passed", ""),
            "q_why": ("0", "blank", ""),
        },
        "dan": {
            "softmax": ("0", "not run", ""),
            "discounted_return": ("0", "not run", ""),
            "q_why": ("0", "blank", ""),
        },
        "eva": {
            "softmax": ("3", "passed", ""),
            "discounted_return": ("0", "not run", ""),
            "q_why": ("0", "blank", ""),
        },
    }
    assert list(rows(graded)[0]) == list(tables.GRADES)


def test_every_folder_has_a_status(graded):
    found = {row["student"]: row for row in rows(graded, "submissions")}
    assert {name.split("~")[0]: row["status"] for name, row in found.items()} == {
        "anna": "graded",
        "ben": "graded",
        "'=cora": "graded",
        "dan": "refused",
        "eva": "stopped",
        "fay": "refused",
        "bad name": "refused",
    }
    assert "no lesson 99_no_such_lesson" in found["fay"]["reason"]
    assert "not valid JSON" in found["dan"]["reason"] and "status 3" in found["eva"]["reason"]
    assert list(found["anna"]) == list(tables.SUBMISSIONS)
    assert float(found["anna"]["seconds"]) > 0 and float(found["anna"]["peak_mb"]) > 0


def test_nbgrader_reads_the_gradebook(graded):
    with Gradebook(f"sqlite:///{graded}/out/gradebook.db", COURSE) as book:
        totals = {
            s.student.id: (s.score, s.max_score, s.needs_manual_grade)
            for s in book.assignment_submissions(NAME)
        }
        assert totals == {
            "anna": (5, 9, True),
            "ben": (0, 9, False),
            "=cora": (2, 9, False),
            "dan": (0, 9, False),
            "eva": (3, 9, False),
        }
        anna = book.find_submission(NAME, "anna")
        assert str(anna.timestamp) == "2026-01-02 03:04:05"
        notebook = book.find_notebook(NAME, NAME)
        assert {c.name for c in notebook.solution_cells} == {
            "softmax-answer",
            "discounted_return-answer",
            "q_why",
        }
        assert {c.name: c.max_score for c in notebook.grade_cells} == {
            "softmax": 3,
            "discounted_return": 2,
            "q_why": 4,
        }
        assert [c.name for c in notebook.source_cells if c.locked] == [
            "setup-1",
            "softmax",
            "discounted_return",
        ]
        assert all(d["score"] is not None for d in book.submission_dicts(NAME))


def test_nbgrader_gives_the_marked_notebooks_the_same_marks(graded):
    """What SaveAutoGrades would read from the outputs is what the gradebook says."""
    from nbformat import from_dict
    from nbgrader.utils import determine_grade, is_grade

    for student, marks in scores(graded).items():
        path = graded / "out" / "autograded" / student.lstrip("'") / NAME / f"{NAME}.ipynb"
        notebook = from_dict(json.loads(path.read_text()))
        for cell in filter(is_grade, notebook.cells):
            score, most = determine_grade(cell)
            told = marks[cell.metadata.nbgrader.grade_id][0]
            assert told == ("" if score is None else f"{score:g}"), (student, most)


def test_nbgrader_makes_its_own_feedback_and_export(copied):
    out = copied / "out"
    command = ["-m", "nbgrader", "generate_feedback", NAME, f"--course-dir={out}"]
    done = forked.run(command, out, os.environ)
    assert done.returncode == 0, done.stderr
    text = (out / "feedback" / "anna" / NAME / f"{NAME}.html").read_text()
    assert "right in all" in text
    command = ["-m", "nbgrader", "export", f"--db=sqlite:///{out}/gradebook.db", "--to=x.csv"]
    done = forked.run(command, copied, os.environ)
    assert done.returncode == 0, done.stderr
    exported = {
        row["student_id"]: row["score"] for row in csv.DictReader((copied / "x.csv").open())
    }
    assert exported["anna"] == "5.0" and exported["eva"] == "3.0"


def test_feedback_shows_messages_and_hides_the_rest(graded):
    page = (graded / "out" / "feedback" / "=cora" / NAME / f"{NAME}.html").read_text()
    for words in (
        "2 of 9 points",
        "Which axis holds the actions?",
        "def softmax(x)",
        "the right values",
    ):
        assert words in page
    for path in (graded / "out" / "feedback").rglob("*.html"):
        text = path.read_text()
        for hidden in ("secret_total", "hidden rubric", "MARK SCHEME", "model answer"):
            assert hidden not in text, path
    refused = (graded / "out" / "feedback" / "dan" / NAME / f"{NAME}.html").read_text()
    assert "not valid JSON" in refused


def test_report_names_what_matters(graded):
    report = (graded / "out" / "report.html").read_text()
    for words in (
        "softmax-axis",
        "Not written: softmax 1, discounted_return 1.",
        "Refused",
        "Stopped",
        "Slowest",
        "Histogram of points",
        "Share of submissions that pass each check: softmax 50%",
    ):
        assert words in report
    assert report.count("<svg ") == 2 and "<script" not in report and "http://" not in report


DIES_LATER = """CALLS = []
def softmax(logits):
    CALLS.append(1)
    if len(CALLS) > 10:
        import os
        os._exit(3)
    odd = np.exp(np.sin(3 * (logits - np.max(logits, axis=-1, keepdims=True))))
    return odd / odd.sum(axis=-1, keepdims=True)
"""


def test_an_answer_that_dies_of_further_calls_costs_its_own_points_alone(copied):
    course = classroom.Course(copied / "course")
    submit(copied / "in", "kim", classroom.solved(course, softmax=DIES_LATER))
    _counts, seen = grade(copied)
    marks = {mark.exercise: mark for mark in seen["kim"].marks}
    assert marks["softmax"].score == 0 and marks["softmax"].mistake != "died"
    assert marks["discounted_return"].score == marks["discounted_return"].max_score
    assert seen["kim"].status == "graded"


def test_work_below_its_checks_is_told_why_it_counts_nothing(copied):
    course = classroom.Course(copied / "course")
    notebook = classroom.blank(course)
    notebook["cells"] += [code(text) for text in classroom.SOLUTIONS.values()]
    submit(copied / "in", "zoe", notebook)
    grade(copied)
    (row,) = [one for one in rows(copied, "submissions") if one["student"] == "zoe"]
    assert (row["status"], row["raw_score"]) == ("graded with note", "0")
    assert "too late for it: softmax, discounted_return." in row["reason"]
    assert "too late for it" in (copied / f"out/feedback/zoe/{NAME}/{NAME}.html").read_text()


def test_who_prints_much_keeps_the_points_and_who_prints_too_much_is_told(copied):
    course = classroom.Course(copied / "course")
    for student, times in (("yara", 100), ("zoe", 9_000)):
        chatty = (
            f"for _ in range({times}):\n    print('x' * 1000)\n" + classroom.SOLUTIONS["softmax"]
        )
        submit(copied / "in", student, classroom.solved(course, softmax=chatty))
    grade(copied)
    told = {row["student"]: row for row in rows(copied, "submissions")}
    assert told["yara"]["status"] == "graded" and told["yara"]["raw_score"] == "5"
    assert "printed 4 MB" in told["zoe"]["reason"] and told["zoe"]["raw_score"] == "2"


def test_second_run_grades_nothing_twice(copied):
    before = {p: p.stat().st_mtime_ns for p in (copied / "out").rglob("*.ipynb")}
    tables_before = (copied / "out" / "grades.csv").read_bytes()
    _counts, seen = grade(copied)
    assert {name for name, outcome in seen.items() if outcome is None} == {
        "anna",
        "ben",
        "=cora",
        "dan",
        "eva",
    }
    assert before == {p: p.stat().st_mtime_ns for p in (copied / "out").rglob("*.ipynb")}
    assert (copied / "out" / "grades.csv").read_bytes() == tables_before


def test_what_changed_is_graded_again(copied):
    course = classroom.Course(copied / "course")
    submit(copied / "in", "ben", classroom.solved(course))
    (copied / "out" / "feedback" / "eva" / NAME / f"{NAME}.html").unlink()
    _counts, seen = grade(copied)
    assert {name for name, outcome in seen.items() if outcome is not None} >= {"ben", "eva"}
    assert seen["anna"] is None
    assert scores(copied)["ben"]["softmax"] == ("3", "passed", "")
    assert (copied / "out" / "feedback" / "eva" / NAME / f"{NAME}.html").exists()


def test_another_secret_language_or_lesson_grades_again(copied):
    (copied / "secret").write_text("ab" * 32)
    assert grade(copied)[1]["anna"] is not None
    assert grade(copied, language="es")[1]["anna"] is not None
    assert grade(copied, language="es")[1]["anna"] is None


def test_regrade_gives_the_same_marks(copied):
    """Hidden cases come from the secret: the same one draws the same cases."""
    before = scores(copied)
    shutil.rmtree(copied / "out")
    grade(copied)
    assert scores(copied) == before


def give_by_hand(folder, student, cell, mark=None, comment=None):
    """What formgrader writes."""
    with Gradebook(f"sqlite:///{folder}/out/gradebook.db", COURSE) as book:
        if mark is not None:
            grade_row = book.find_grade(cell, NAME, NAME, student)
            grade_row.manual_score, grade_row.needs_manual_grade = mark, False
        if comment is not None:
            book.find_comment(cell, NAME, NAME, student).manual_comment = comment
        book.db.commit()


def test_hand_given_marks_and_comments_survive(copied):
    give_by_hand(copied, "anna", "q_why", 3.5, "Well argued, <b>mostly</b>.")
    give_by_hand(copied, "anna", "softmax-answer", comment="Nice.")
    page = copied / "out" / "feedback" / "anna" / NAME / f"{NAME}.html"
    for force in (False, True):  # the page alone is new; then everything is graded again
        if force:
            (copied / "secret").write_text("cd" * 32)
        _counts, seen = grade(copied)
        assert (seen["anna"] is not None) is force
        assert scores(copied)["anna"]["q_why"] == ("3.5", "marked", "")
        text = page.read_text()
        assert (
            "8.5 of 9 points" in text and "Well argued, &lt;b&gt;mostly" in text and "Nice." in text
        )
        with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
            kept = book.find_grade("q_why", NAME, NAME, "anna")
            assert (kept.manual_score, kept.needs_manual_grade) == (3.5, False)


def test_new_text_asks_for_a_new_look(copied):
    give_by_hand(copied, "anna", "q_why", 3.5, "Good.")
    course = classroom.Course(copied / "course")
    submit(copied / "in", "anna", classroom.solved(course, q_why="Another text."))
    grade(copied)
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        kept = book.find_grade("q_why", NAME, NAME, "anna")
        assert (kept.manual_score, kept.needs_manual_grade) == (3.5, True)


def test_what_changed_after_it_was_marked_is_said(copied, capsys):
    """The old mark counts on, and nothing else would tell that it is another text's."""
    command = ["autograde", "--submitted", str(copied / "in"), "--out", str(copied / "out")]
    command += ["--course", str(copied / "course"), "--secret-file", str(copied / "secret")]
    give_by_hand(copied, "anna", "q_why", 3.5, "Good.")
    assert main(command) == 0
    title = "Changed after it was marked by hand"
    assert "changed since" not in capsys.readouterr().out
    assert title not in (copied / "out" / "report.html").read_text()
    course = classroom.Course(copied / "course")
    submit(copied / "in", "anna", classroom.solved(course, q_why="Another text."))
    assert main(command) == 0
    assert "changed since: 1." in capsys.readouterr().out
    section = (copied / "out" / "report.html").read_text().split(title)[1].split("</table>")[0]
    assert ">anna<" in section and "<td>q_why</td>" in section
    give_by_hand(copied, "anna", "q_why", 2.0, "Less good.")
    assert main(command) == 0
    assert "changed since" not in capsys.readouterr().out


def test_new_picture_beside_the_same_text_asks_for_a_new_look(copied):
    course = classroom.Course(copied / "course")
    notebook = classroom.solved(course, q_why="See the picture.")
    for picture in ("iVBORw0KGgoAAAA=", "iVBORw0KGgoBBBB="):
        find(notebook, "q_why")["attachments"] = {"a.png": {"image/png": picture}}
        submit(copied / "in", "anna", notebook)
        grade(copied)
        if picture.endswith("AAAA="):
            give_by_hand(copied, "anna", "q_why", 3.5, "Good.")
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        kept = book.find_grade("q_why", NAME, NAME, "anna")
        assert (kept.manual_score, kept.needs_manual_grade) == (3.5, True)


def test_overruled_check_keeps_its_mark(copied):
    give_by_hand(copied, "=cora", "softmax", 1.0)
    course = classroom.Course(copied / "course")
    submit(copied / "in", "=cora", classroom.solved(course))
    grade(copied)
    assert scores(copied)["'=cora"]["softmax"] == ("1", "marked", "softmax-axis" if False else "")
    with Gradebook(f"sqlite:///{copied}/out/gradebook.db", COURSE) as book:
        kept = book.find_grade("softmax", NAME, NAME, "=cora")
        assert (kept.manual_score, kept.auto_score, kept.needs_manual_grade) == (1.0, 3.0, True)


def test_changed_cells_of_a_graded_lesson_are_refused_with_a_remedy(copied, capsys):
    course = classroom.Course(copied / "course")
    notebook = json.loads(course.path(NAME).read_text())
    notebook["cells"].remove(find(notebook, "q_why"))
    course.path(NAME).write_text(json.dumps(notebook))
    status = main(
        [
            "autograde",
            "--submitted",
            str(copied / "in"),
            "--out",
            str(copied / "out"),
            "--course",
            str(copied / "course"),
            "--secret-file",
            str(copied / "secret"),
        ]
    )
    assert status == 1 and "new --out folder" in capsys.readouterr().err


def test_canvas_and_moodle(copied, capsys):
    give_by_hand(copied, "anna", "q_why", 4)
    roster = copied / "canvas.csv"
    roster.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section\n"
        '"Doe, Anna",17,,anna,A\n"Roe, Cora",18,,=cora,A\n"Poe, Zoe",19,,zoe,A\n'
    )
    out = str(copied / "out")
    assert main(["export", "--format", "canvas", "--out", out, "--roster", str(roster)]) == 0
    told = capsys.readouterr()
    assert "Not in the roster" in told.err and "ben" in told.err and "anna" not in told.err
    table = list(csv.reader(told.out.splitlines()))
    assert table[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME]
    assert table[1] == ["    Points Possible", "", "", "", "", "9"]
    assert table[2:] == [
        ["Doe, Anna", "17", "", "anna", "A", "9"],
        ["Roe, Cora", "18", "", "'=cora", "A", "2"],
    ]
    assert main(["export", "--format", "moodle", "--out", out]) == 0
    table = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert table[0] == ["username", NAME] and ["ben", "0"] in table and ["anna", "9"] in table


@pytest.mark.parametrize(
    ("assignments", "heading"),
    [
        (["Essay (3)", f"Homework {NAME.replace('_', ' ').title()} (4711)"], 1),
        ([f"{NAME} (4711)", f"{NAME} again (12)"], None),  # which of the two, only a person knows
        ([f"{NAME}b (4711)", f"{NAME} points"], None),
    ],
)
def test_a_lesson_fills_the_assignment_that_canvas_has(copied, capsys, assignments, heading):
    roster = copied / "canvas.csv"
    columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *assignments]
    roster.write_text(",".join(columns) + '\n"Doe, Anna",17,,anna,A,,\n')
    options = ["--out", str(copied / "out"), "--format", "canvas", "--roster", str(roster)]
    assert main(["export", *options]) == 0
    head = next(csv.reader(capsys.readouterr().out.splitlines()))
    assert head[5:] == [NAME if heading is None else assignments[heading]]


def test_seeds_come_from_the_secret(tmp_path):
    secret = read_secret(tmp_path / "deep" / "secret")
    assert (tmp_path / "deep" / "secret").stat().st_mode & 0o777 == 0o600
    assert read_secret(tmp_path / "deep" / "secret") == secret
    one, other = seeds_of(secret, "01", ["a", "b"]), seeds_of(b"x" * 32, "01", ["a", "b"])
    assert one == seeds_of(secret, "01", ["a", "b"])
    assert len({*one.values(), *other.values(), *seeds_of(secret, "02", ["a", "b"]).values()}) == 6


def test_secret_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "secret"
    path.write_text("ab" * 32)
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        read_secret(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(SecretError, match="holds no secret"):
        read_secret(path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--submitted", "/no/such/folder"], "STUDENT/LESSON/LESSON.ipynb"),
        (["--lessons", "07_no_such"], "There is no lesson 07_no_such; there are 01_tiny."),
        (["--jobs", "-3"], "leave it out for one per core"),
        (["--out", "/proc/nothing"], "Choose a folder that you may write"),
        (["--scheduler", "nonsense"], "no scheduler answers"),
    ],
)
def test_wrong_arguments_get_a_clear_error(graded, tmp_path, capsys, arguments, words):
    base = [
        "autograde",
        "--submitted",
        str(graded / "in"),
        "--out",
        str(tmp_path / "out"),
        "--course",
        str(graded / "course"),
        "--secret-file",
        str(tmp_path / "secret"),
    ]
    if "--scheduler" in arguments:
        pytest.importorskip("distributed")
    with contextlib.suppress(SystemExit):  # argparse's way, status 2
        assert main([*base, *arguments]) == 1
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error


@needs_walls
def test_a_folder_without_submissions_is_said(graded, tmp_path, capsys):
    """--submitted one level too deep, as in submitted/anna."""
    options = ["--course", str(graded / "course"), "--secret-file", str(tmp_path / "secret")]
    folders = ["--submitted", str(graded / "in" / "anna"), "--out", str(tmp_path / "out")]
    assert main(["autograde", *folders, "--lessons", NAME, *options]) == 0
    error = capsys.readouterr().err
    assert f"no submission of {NAME}" in error and "STUDENT/LESSON/LESSON.ipynb" in error


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "--roster names the CSV"),
        (lambda path: path.mkdir(), "--roster names the CSV"),
        (lambda path: path.write_text("Identifier,Full name\n1,Ada\n"), "no column ID"),
    ],
)
def test_a_roster_of_another_kind_is_refused(graded, tmp_path, capsys, make, words):
    make(tmp_path / "roster.csv")
    options = ["--format", "canvas", "--roster", str(tmp_path / "roster.csv")]
    assert main(["export", "--out", str(graded / "out"), *options]) == 1
    told = capsys.readouterr()
    assert words in told.err and not told.out


def test_report_of_a_folder_that_isnt_there_makes_none(tmp_path, capsys):
    assert main(["report", "--out", str(tmp_path / "typo")]) == 1
    assert "Name the --out folder" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


def test_a_python_without_the_course_is_told_the_remedy(tmp_path, monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("grader.sandbox.doctor.main", missing)
    assert main(["doctor"]) == 1
    error = capsys.readouterr().err
    assert "no package torch" in error and ". .venv/bin/activate" in error


@pytest.mark.parametrize(
    ("system", "words"), [("C.UTF-8", "has no package"), ("es_ES.UTF-8", "no tiene el paquete")]
)
def test_a_bare_python_is_told_the_remedy_in_the_last_line(system, words):
    """-S: no site-packages, so not even NumPy."""
    command = [sys.executable, "-S", "-E", "-m", "grader", "doctor"]
    spoken = {**os.environ, "LC_ALL": system}
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, env=spoken)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and ". .venv/bin/activate" in last and words in last


def test_no_command_lists_them(capsys):
    assert main([]) == 2
    assert "autograde" in capsys.readouterr().err


def test_two_runs_into_one_folder_do_not_mix(graded, capsys):
    from grader.records.store import Store

    with Store(graded / "out"):
        assert main(["report", "--out", str(graded / "out")]) == 1
    assert "another run" in capsys.readouterr().err


def test_report_alone_writes_the_tables_anew(copied):
    before = (copied / "out" / "grades.csv").read_bytes()
    (copied / "out" / "grades.csv").unlink()
    assert main(["report", "--out", str(copied / "out")]) == 0
    assert (copied / "out" / "grades.csv").read_bytes() == before
    assert main(["report", "--out", str(copied / "elsewhere")]) == 1


def test_lessons_are_graded_apart(copied):
    course = copied / "course" / "notebooks" / "en"
    shutil.copytree(course / NAME, course / "02_other")
    (course / "02_other" / f"{NAME}.ipynb").rename(course / "02_other" / "02_other.ipynb")
    submit(
        copied / "in",
        "anna",
        classroom.solved(classroom.Course(copied / "course")),
        name="02_other",
    )
    _counts, seen = grade(copied, lessons=["02_other"])
    assert set(seen) == {"anna"}
    assert {row["lesson"] for row in rows(copied)} == {NAME, "02_other"}


def test_unsafe_is_said_in_every_output(graded, tmp_path, capsys):
    out = tmp_path / "out"
    (tmp_path / "in").mkdir()
    shutil.copytree(graded / "in" / "ben", tmp_path / "in" / "ben")
    status = main(
        [
            "autograde",
            "--submitted",
            str(tmp_path / "in"),
            "--out",
            str(out),
            "--course",
            str(graded / "course"),
            "--secret-file",
            str(tmp_path / "s"),
            "--unsafe-no-sandbox",
        ]
    )
    assert status == 0 and "no sandbox" in capsys.readouterr().err
    assert "without a sandbox" in (out / "submissions.csv").read_text()
    assert "without a sandbox" in (out / "report.html").read_text()
    assert "without a sandbox" in (out / "feedback" / "ben" / NAME / f"{NAME}.html").read_text()


def test_machine_that_cannot_isolate_refuses(graded, tmp_path):
    """No bubblewrap on PATH: nothing is run, nothing is marked."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}",
        "PYTHONPATH": str(HERE),
        "HOME": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    command = [
        "-m",
        "grader",
        "autograde",
        "--submitted",
        str(graded / "in"),
        "--out",
        str(tmp_path / "out"),
        "--course",
        str(graded / "course"),
        "--secret-file",
        str(tmp_path / "s"),
    ]
    done = forked.run(command, HERE, environment)
    assert done.returncode == 1
    assert "bubblewrap" in done.stderr and "--unsafe-no-sandbox" in done.stderr
    assert "Traceback" not in done.stderr
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8") as file:
        assert not [row for row in csv.DictReader(file) if row["verdict"] == "passed"]


def test_tasks_are_pulled_as_workers_become_free(graded):
    """Memory stays bounded: of many submissions only a handful is ever held."""
    lesson = classroom.Course(graded / "course").lesson(NAME)
    data = (graded / "in" / "ben" / NAME / f"{NAME}.ipynb").read_bytes()
    pulled, finished, most = 0, 0, 0

    def tasks():
        nonlocal pulled
        for number in range(15):
            pulled += 1
            yield number, Task("s", lesson, data, {"softmax": 1, "discounted_return": 1})

    with LocalExecutor(2, Settings()) as executor:
        for _key, _outcome in executor.run(tasks()):
            finished += 1
            most = max(most, pulled - finished)
    assert finished == 15 and most <= 2


def some_of_the_bank(names):
    """(entry, its text as a cell): about ten of each exercise, from all of its entries."""
    for name in names:
        mine = [one for one in load() if one.exercise == name and one.mistake != "too-slow"]
        written = [(one, text) for one in mine if (text := cell_of(one)) is not None]
        yield from written[:: max(len(written) // 10, 1)]


def packed(written, size=4):
    """Lists of up to so many (entry, text) that don't meet: no exercise builds on another one's,
    and no cell defines what another one does."""
    packs = []
    for entry, text in written:
        mine = {entry.exercise, *get(entry.exercise).prerequisites}, _defined(text)
        for pack, built_on, names in packs:
            apart = not mine[0] & {one.exercise for one, _text in pack}
            apart = apart and entry.exercise not in built_on and not mine[1] & names
            if apart and len(pack) < size:
                break
        else:
            packs.append(((pack := []), (built_on := set()), (names := set())))
        pack.append((entry, text))
        built_on |= mine[0]
        names |= mine[1]
    return [pack for pack, _built_on, _names in packs]


def _defined(text):
    """The names that a cell's text leaves behind."""
    space = set()
    for node in ast.parse(text).body:
        space |= {getattr(node, "name", "")}
        for target in getattr(node, "targets", []):
            space |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
    return space - {""}


@pytest.mark.parametrize("name", [NAME, pytest.param("04_ppo_clip", marks=WITH_TORCH)])
def test_bank_is_told_the_same_through_sandbox_and_frames(tmp_path, name):
    """Answers of the bank as cells: the verdict, and that none costs another exercise's points."""
    course = classroom.build_course(tmp_path, *((HERE, [name]) if name != NAME else ()))
    lesson = course.lesson(name)
    seeds = {cell.grade_id: 7 for cell in lesson.cells if cell.kind == "check"}
    answers = demo.solved_answers(course, name)
    tasks = []
    for pack in packed(some_of_the_bank(seeds)):
        notebook = classroom.blank(course, name)
        mine = {**answers, **{f"{entry.exercise}-answer": text for entry, text in pack}}
        for cell in notebook["cells"]:
            cell["source"] = mine.get(cell["id"], cell["source"])
        entries = [entry for entry, _text in pack]
        tasks.append((entries, Task("s", lesson, json.dumps(notebook).encode(), seeds)))
    assert sum(len(entries) for entries, _task in tasks) >= 8 * len(seeds)
    for entries, outcome in executor_for(Options(tmp_path, tmp_path)).executor.run(iter(tasks)):
        told = {mark.exercise: mark.mistake or None for mark in outcome.marks}
        for entry in entries:
            assert told.pop(entry.exercise) == entry.mistake, entry.id
        assert not any(told.values()), ([entry.id for entry in entries], told)


def test_gradebook_made_by_nbgrader_is_taken_over(graded, tmp_path):
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", COURSE) as book:
        book.add_assignment(NAME, duedate="2026-12-24")
        book.add_student("anna", first_name="Anna")
    with Ledger(tmp_path / "gradebook.db") as ledger:
        ledger.prepare(classroom.Course(graded / "course").lesson(NAME))
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", COURSE) as book:
        assert book.find_assignment(NAME).duedate is not None
        assert book.find_student("anna").first_name == "Anna"
        assert len(book.find_notebook(NAME, NAME).grade_cells) == 3


def test_rows_that_somebody_took_out_are_made_again(graded, tmp_path):
    lesson = classroom.Course(graded / "course").lesson(NAME)
    with Ledger(tmp_path / "gradebook.db") as ledger:
        ledger.prepare(lesson)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", COURSE) as book:
        book.remove_assignment(NAME)
    with Ledger(tmp_path / "gradebook.db") as ledger:
        ledger.prepare(lesson)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", COURSE) as book:
        assert len(book.find_notebook(NAME, NAME).grade_cells) == 3


HEAVY = ("torch", "matplotlib", "nbgrader", "nbformat", "IPython")
RERUN = f"""
import sys
from pathlib import Path
from grader.course import Course
from grader.grading.autograde import Options, autograde
folder = Path(sys.argv[1])
course = Course(folder / "course")
options = Options(folder / "in", folder / "out", course, secret_file=folder / "secret", jobs=1)
seen = []
autograde(options, lambda total: lambda student, lesson, outcome: seen.append(outcome))
print(sum(outcome is None for outcome in seen), [name for name in {HEAVY} if name in sys.modules])
"""


def test_a_rerun_in_which_nothing_changed_loads_nothing_heavy(copied, warm):  # noqa: F811
    grade(copied)
    run = subprocess.run(
        [sys.executable, "-c", RERUN, str(copied)], cwd=HERE, capture_output=True, text=True
    )
    assert run.stdout.split(" ", 1) == ["5", "[]\n"], run.stderr


def test_nbgraders_tables_are_declared_as_nbgrader_has_them():
    for name, table in nbgrader_tables.METADATA.tables.items():
        theirs = Base.metadata.tables[name].columns
        for column in table.columns:
            own, other = column.type, theirs[column.name].type
            assert type(own) is type(other), column
            assert getattr(own, "length", None) == getattr(other, "length", None), column
    assert nbgrader_tables.schema_heads() == {alembic_version()}


@pytest.mark.parametrize("at", ["2026-01-02 03:04:05 UTC", "2026-01-02 03:04:05.678901 UTC"])
def test_times_are_read_as_nbgrader_reads_them(at):
    assert time_of(at) == parse_utc(at)
    for other in (at.replace("UTC", "+0200"), at[:10], at[:-4], f"{at[:-4]}+02:00", "2 January"):
        assert time_of(other) == parse_utc(other), other
    assert time_of("") is None and time_of("soon UTC") is None


def test_file_that_is_no_gradebook(graded, tmp_path, capsys):
    (tmp_path / "gradebook.db").write_bytes(b"this is not a database" * 100)
    assert main(["report", "--out", str(tmp_path)]) == 1
    assert "no gradebook" in capsys.readouterr().err


def test_nbgraders_schema_is_as_nbgrader_made_it(graded, tmp_path):
    """Our own table stands beside nbgrader's; those are untouched."""

    def schema(path):
        with sqlite3.connect(path) as database:
            return {
                row[0]: row[1]
                for row in database.execute(
                    "select name, sql from sqlite_master where sql is not null"
                )
            }

    Gradebook(f"sqlite:///{tmp_path}/plain.db", COURSE).close()
    plain, ours = schema(tmp_path / "plain.db"), schema(graded / "out" / "gradebook.db")
    assert {name: sql for name, sql in ours.items() if "policy_gradients" not in name} == plain
