"""What goes wrong while a class is graded: nothing written is lost, and a rerun ends the same."""

import errno
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading

import pytest
from nbgrader.coursedir import CourseDirectory

import grader.hook  # noqa: F401  it replaces nbgrader's reader of times
from grader.__main__ import main
from grader.course import HERE
from grader.executor import local, worker
from grader.executor.local import LocalExecutor
from grader.executor.settings import Settings
from grader.grading import autograde as grading
from grader.records import gradebook, store
from grader.records.gradebook import GradebookError, Ledger, Record
from grader.records.outcome import GRADED, Mark, Outcome, Task
from grader.sandbox import doctor
from tests import classroom, forked
from tests.classroom import NAME, submit
from tests.once import once
from tests.warm import executor_for, warm  # noqa: F401

pytestmark = pytest.mark.skipif(not doctor.can_isolate(), reason="this machine can't isolate")
SIZE = 10
# The command, which gets a signal once so many submissions are told. It sends it to itself: the
# whole run takes less time than another process may need to notice a line.
RUN = """
import os, signal, sys
from grader.grading import autograde
from grader.__main__ import main

# A shell's background job, as this test may be one, hands on that SIGINT is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
lines, number, *arguments = sys.argv[1:]
plain = autograde.watch_lines

def watch():
    def start(total):
        told, heard = plain()(total), 0
        def counted(*submission):
            nonlocal heard
            told(*submission)
            heard += 1
            if heard == int(lines):
                os.kill(os.getpid(), int(number))
        if heard == int(lines):
            os.kill(os.getpid(), int(number))
        return counted
    return start

autograde.watch_lines = watch
sys.exit(main(arguments))
"""


def make_class(folder):
    """Submissions of every sort, and the marks of an unbroken run."""
    course = classroom.build_course(folder / "course")
    for number in range(SIZE):
        notebook = classroom.solved(course) if number % 3 else classroom.blank(course)
        submit(folder / "in", f"s{number:02}", "broken" if number == 4 else notebook)
    assert grade(folder, folder / "unbroken") == 0
    return folder


def arguments(folder, out):
    return [
        "autograde",
        "--submitted",
        str(folder / "in"),
        "--out",
        str(out),
        "--course",
        str(folder / "course"),
        "--secret-file",
        str(folder / "secret"),
        "--jobs",
        "1",
    ]


def grade(folder, out):
    return main(arguments(folder, out))


def marks(out):
    return (out / "grades.csv").read_text(encoding="utf-8")


def book_rows(out):
    """What nbgrader's tables say, without ids."""
    with sqlite3.connect(out / "gradebook.db") as database:
        return sorted(
            database.execute(
                "select submitted_assignment.student_id, base_cell.name, grade.auto_score,"
                " grade.needs_manual_grade from grade"
                " join base_cell on base_cell.id = grade.cell_id"
                " join submitted_notebook on submitted_notebook.id = grade.notebook_id"
                " join submitted_assignment"
                " on submitted_assignment.id = submitted_notebook.assignment_id"
            )
        )


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    return once(tmp_path_factory, "faults", make_class)


def broken_off(folder, out, lines, number):
    """Runs the command until so many submissions are told; returns its status and its errors."""
    command = ["-c", RUN, lines, int(number), *arguments(folder, out)]
    more = {"PYTHONPATH": str(HERE), "RUN_OF_A_TEST": str(out)}
    done = forked.run(command, HERE, {**os.environ, **more})
    return done.returncode, done.stderr


@pytest.mark.usefixtures("warm")
def test_killed_again_and_again_ends_with_the_same_marks(classes, tmp_path):
    out = tmp_path / "out"
    for lines in (0, 1, 3):
        status, _errors = broken_off(classes, out, lines, signal.SIGKILL)
        assert status == -signal.SIGKILL
        assert_no_worker_outlives(out)
    assert grade(classes, out) == 0
    assert marks(out) == marks(classes / "unbroken")
    assert book_rows(out) == book_rows(classes / "unbroken")
    assert not list(out.rglob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("warm")
def test_interrupted_run_keeps_what_it_graded(classes, tmp_path, number):
    out = tmp_path / "out"
    status, errors = broken_off(classes, out, 1, number)
    assert status == 130 and "goes on from there" in errors and "Traceback" not in errors
    kept = marks(out).splitlines()
    assert len(kept) > 3 and set(kept) <= set(marks(classes / "unbroken").splitlines())
    assert grade(classes, out) == 0
    assert marks(out) == marks(classes / "unbroken")


def assert_no_worker_outlives(out):
    mine = f"RUN_OF_A_TEST={out}\0".encode()
    for _ in range(100):
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and mine in _environment(pid)]
        if not left:
            break
        threading.Event().wait(0.1)
    assert not left, "a worker outlives the run that was killed"


def _environment(pid):
    """What a process was started with, and what started it hands on."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _tasks(classes, names):
    lesson = classroom.Course(classes / "course").lesson(NAME)
    seeds = {"softmax": 1, "discounted_return": 1}
    for name in names:
        path = classes / "in" / name / NAME / f"{NAME}.ipynb"
        yield name, Task(name, lesson, path.read_bytes(), seeds)


class Killing(local.Worker):
    """Workers that are killed as soon as they are given certain students' tasks: so many times."""

    victims: dict = {}

    def give(self, job):
        super().give(job)
        if Killing.victims.get(job[0], 0) > 0:
            Killing.victims[job[0]] -= 1
            self.process.kill()


def test_a_worker_whose_run_is_gone_ends_without_a_word():
    """Before the Settings came: the run had been refused meanwhile."""
    ours, theirs = socket.socketpair()
    module, descriptor = "grader.executor.worker", theirs.fileno()
    command = [sys.executable, "-m", module, str(descriptor), str(os.getpid())]
    with subprocess.Popen(
        command, pass_fds=[descriptor], stderr=subprocess.PIPE, cwd=HERE, text=True
    ) as started:
        ours.close()
        theirs.close()
        assert started.communicate(timeout=60) == (None, "") and started.returncode == 0


def test_an_answer_that_nobody_reads_ends_a_worker_without_a_word(monkeypatch):
    def unread(connection):
        raise ConnectionResetError

    monkeypatch.setattr(worker, "serve", unread)
    monkeypatch.setattr(worker, "_follow", lambda parent: None)
    ours, theirs = socket.socketpair()
    with ours:
        worker.main(theirs.detach(), os.getpid())


def test_killed_worker_costs_one_retry(classes, monkeypatch):
    monkeypatch.setattr(local, "Worker", Killing)
    monkeypatch.setattr(Killing, "victims", {"s01": 1, "s02": 2})
    with LocalExecutor(2, Settings()) as executor:
        outcomes = dict(executor.run(_tasks(classes, ["s00", "s01", "s02", "s05"])))
    assert {name: one.status for name, one in outcomes.items()} == {
        "s00": "graded",
        "s01": "graded",
        "s02": "failed",
        "s05": "graded",
    }
    assert "SIGKILL" in str(outcomes["s02"].reason[0])


def test_failed_submission_is_tried_again_by_the_next_run(classes, tmp_path, monkeypatch):
    class Kills(local.Worker):
        def give(self, job):
            super().give(job)
            if job[1].student == "s01":
                self.process.kill()

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(local, "Worker", Kills)
        assert grade(classes, out) == 0
    assert "s01,01_tiny,failed," in (out / "submissions.csv").read_text()
    assert "s01," not in marks(out)
    monkeypatch.setattr(grading, "executor_for", executor_for)
    assert grade(classes, out) == 0
    assert marks(out) == marks(classes / "unbroken")


class Silent(local.Worker):
    """Workers that never answer."""

    def __init__(self, settings):
        super().__init__(settings)
        os.kill(self.process.pid, signal.SIGSTOP)


def test_silent_worker_is_replaced(classes, monkeypatch):
    monkeypatch.setattr(local, "Worker", Silent)
    monkeypatch.setattr(Settings, "patience", property(lambda self: 0.5))
    with LocalExecutor(1, Settings()) as executor:
        outcomes = dict(executor.run(_tasks(classes, ["s01"])))
    assert outcomes["s01"].status == "failed"


def test_defect_of_the_grader_stops_nobody_else(classes, tmp_path):
    """A task that makes the marker itself raise."""
    good, bad = list(_tasks(classes, ["s01", "s02"]))
    bad[1].seeds = {}
    with executor_for(grading.Options(tmp_path, tmp_path)) as executor:
        outcomes = dict(executor.run(iter([bad, good])))
    assert outcomes["s01"].status == "graded"
    assert outcomes["s02"].status == "failed" and "KeyError" in str(outcomes["s02"].reason[0])


# The disk


@pytest.mark.usefixtures("warm")
def test_full_disk_stops_with_words_and_loses_nothing(classes, tmp_path, monkeypatch, capsys):
    out, writes = tmp_path / "out", []
    whole = store.write_whole

    def full_after_seven(path, text):
        writes.append(path)
        if len(writes) > 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(path, text)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write_whole", full_after_seven)
        assert grade(classes, out) == 1
    error = capsys.readouterr().err
    assert (
        "No space left on device" in error and "start again" in error and "Traceback" not in error
    )
    assert len(book_rows(out)) == 3 * 3
    assert grade(classes, out) == 0
    assert marks(out) == marks(classes / "unbroken")


@pytest.mark.parametrize("kilobytes", [40, 120, 180, 300])
@pytest.mark.usefixtures("warm")
def test_really_full_disk(classes, tmp_path, capsys, kilobytes):
    """The results lie on a file system that is full at one point or another."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user can't mount")
    try:
        assert grade(classes, disk / "out") == 1
        error = capsys.readouterr().err
        assert "full" in error or "No space left" in error
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert grade(classes, disk / "out") == 0
        assert marks(disk / "out") == marks(classes / "unbroken")
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_half_written_file_never_takes_the_place_of_a_whole_one(tmp_path):
    path = tmp_path / "a.txt"
    store.write_whole(path, "old")

    with pytest.raises(AttributeError):
        store.write_whole(path, 3)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


# The gradebook


def _record(student, score):
    outcome = Outcome(
        GRADED,
        marks=[
            Mark("softmax", score, 3.0, "passed"),
            Mark("discounted_return", 0.0, 2.0, "failed"),
            Mark("q_why", 0.0, 4.0, "blank"),
        ],
    )
    return Record(student, NAME, "key", outcome)


@pytest.fixture
def ledger(classes, tmp_path):
    with Ledger(tmp_path / "gradebook.db", wait=0.2) as opened:
        opened.prepare(classroom.Course(classes / "course").lesson(NAME))
        yield opened


def test_locked_gradebook_says_so_and_keeps_what_it_has(ledger, tmp_path):
    ledger.write([_record("a", 3.0)])
    with sqlite3.connect(ledger.path) as other:
        other.execute("begin exclusive")
        with pytest.raises(GradebookError, match="locked.*formgrader"):
            ledger.write([_record("b", 3.0)])
        other.rollback()
    ledger.write([_record("b", 3.0)])
    assert [record.student for record in ledger.states()] == ["a", "b"]


BAD_TIMES = ["9" * 28 + "12h", "99999-99-99 xyz", "9" * 200, "0001-01-01 00:00 +2359"]


@pytest.mark.parametrize("text", BAD_TIMES)
def test_a_time_that_bursts_the_parser_is_none_and_harms_nobody(ledger, tmp_path, text):
    (tmp_path / "timestamp.txt").write_text(text)
    assert CourseDirectory.get_existing_timestamp(None, str(tmp_path)) is None
    record = _record("eve", 0.0)
    record.timestamp = text
    ledger.write([_record("ada", 3.0), record])
    assert [one.student for one in ledger.states()] == ["ada", "eve"]


def test_lock_of_a_moment_is_waited_for(classes, tmp_path):
    with Ledger(tmp_path / "gradebook.db", wait=30) as ledger:
        ledger.prepare(classroom.Course(classes / "course").lesson(NAME))
        other = sqlite3.connect(ledger.path, check_same_thread=False)
        other.execute("begin exclusive")
        timer = threading.Timer(0.5, lambda: (other.rollback(), other.close()))
        timer.start()
        ledger.write([_record("a", 3.0)])
        timer.join()
        assert ledger.state("a", NAME).outcome.marks[0].score == 3.0


def test_batch_is_written_whole_or_not_at_all(ledger, monkeypatch):
    keep = gradebook._keep

    def fails_for_b(connection, record):
        if record.student == "b":
            raise OSError("pulled the plug")
        keep(connection, record)

    monkeypatch.setattr(gradebook, "_keep", fails_for_b)
    with pytest.raises(OSError, match="plug"):
        ledger.write([_record("a", 3.0), _record("b", 3.0)])
    assert list(ledger.states()) == []
    with sqlite3.connect(ledger.path) as database:
        assert database.execute("select count(*) from grade").fetchone() == (0,)


@pytest.mark.usefixtures("warm")
def test_locked_gradebook_stops_a_run_that_can_go_on_later(classes, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    monkeypatch.setattr(Ledger.__init__, "__defaults__", (0.2,))
    write, calls = Ledger.write, []

    def locked_once(self, records):
        calls.append(len(records))
        if len(calls) == 2:
            with sqlite3.connect(self.path) as other:
                other.execute("begin immediate")
                try:
                    write(self, records)
                finally:
                    other.rollback()
        else:
            write(self, records)

    monkeypatch.setattr("grader.grading.autograde.BATCH", 3)
    monkeypatch.setattr("grader.grading.autograde.BATCH_SECONDS", 1e9)
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "write", locked_once)
        assert grade(classes, out) == 1
    assert "locked" in capsys.readouterr().err
    assert len(book_rows(out)) == 3 * 3
    assert grade(classes, out) == 0
    assert marks(out) == marks(classes / "unbroken")
