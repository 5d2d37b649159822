"""A gradebook on a PostgreSQL server that the tests start: as the guide says, and in trouble."""

import csv
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Engine
from traitlets.config.loader import PyFileConfigLoader

from grader.__main__ import main
from grader.records import address
from grader.records.gradebook import COURSE, GradebookError, Ledger
from tests import classroom, forked
from tests.classroom import NAME, submit
from tests.sandboxes import needs_walls
from tests.warm import warm  # noqa: F401

psycopg = pytest.importorskip("psycopg", reason="no driver: pip install -e '.[postgres]'")
GUIDE = Path(__file__).resolve().parents[1] / "docs" / "instructors.md"
WRONG = "def softmax(x):\n    w = np.exp(x - x.max(0))\n    return w / w.sum(0)\n"


def programs():
    """The folder of initdb and postgres, which Debian keeps off PATH; None where there is none."""
    found = [Path(name) for name in [shutil.which("initdb")] if name]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[0].resolve().parent if found else None


pytestmark = [
    pytest.mark.xdist_group("postgres"),
    pytest.mark.skipif(programs() is None, reason="no initdb: Debian's package is postgresql"),
    pytest.mark.usefixtures("warm"),
]


@dataclass
class Server:
    """A PostgreSQL server on a socket in its own folder; postgres refuses to run as root."""

    folder: Path
    user: int | None
    process: subprocess.Popen | None = None

    def run(self, program, *arguments):
        return subprocess.Popen(
            [programs() / program, *arguments],
            user=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def make(self):
        """A cluster that sorts as English does and is trusted to nobody but this folder's users."""
        words = ["--auth=trust", "--username=boss", "--no-sync", "--encoding=UTF8"]
        icu = ["--locale-provider=icu", "--icu-locale=en"]
        for more in (icu, []):  # before version 15 there is no such option
            made = self.run("initdb", "--pgdata=data", *words, *more)
            error = made.communicate()[1]
            if made.returncode == 0:
                return
        raise RuntimeError(error)

    def start(self):
        self.process = self.run(
            "postgres", "-D", "data", "-k", str(self.folder), "-F", "-c", "listen_addresses="
        )
        for _ in range(300):
            try:
                return self.ask("select 1")
            except psycopg.OperationalError:
                assert self.process.poll() is None, self.process.stderr.read()
                time.sleep(0.1)
        raise TimeoutError("the server does not answer")

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # with clients still there
        self.process.communicate(timeout=60)

    def ask(self, query, database="postgres"):
        with psycopg.connect(
            host=str(self.folder), user="boss", dbname=database, autocommit=True
        ) as connection:
            rows = connection.execute(query)
            return rows.fetchall() if rows.description else []

    def address(self, database, user="teacher"):
        return f"postgresql://{user}@/{database}?host={self.folder}"


@pytest.fixture(scope="module")
def server():
    # Sockets' paths are short, and another user must reach this one: not pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody").pw_uid
        os.chown(folder, user, -1)
    made = Server(folder, user)
    try:
        made.make()
        made.start()
        made.ask("create role teacher login")
        yield made
        made.stop()
    finally:
        if made.process and made.process.poll() is None:
            made.process.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server, request):
    """An empty database of the ordinary user teacher, as the guide makes it."""
    name = re.sub(r"\W", "_", request.node.name)[:40]
    server.ask(f'create database "{name}" owner teacher')
    return name


@pytest.fixture
def at_work(server, database, tmp_path):
    return Class(server, database, tmp_path)


class Class:
    """A small class, and its grading."""

    def __init__(self, server, database, folder):
        self.address, self.folder = server.address(database), folder
        self.server, self.database = server, database
        course = self.course = classroom.build_course(folder / "course")
        submit(folder / "in", "anna", classroom.solved(course, q_why="Por qué: $a<b$ ✓"))
        submit(folder / "in", "Zoe", classroom.solved(course, softmax=WRONG))
        submit(folder / "in", "ben", classroom.blank(course))
        submit(folder / "in", "dan", '{"cells": [')

    def grade(self, out="out", *more):
        words = f"autograde --submitted submitted --out out/marks {' '.join(more)}"
        return self.type(words, out)

    def type(self, words, out="out"):
        """Runs a command of the guide on this class."""
        words = words.replace("postgresql://teacher@HOST/grades", self.address).split()
        words[words.index("--submitted") + 1] = str(self.folder / "in")
        words[words.index("--out") + 1] = str(self.folder / out)
        return main(
            [
                *words,
                "--course",
                str(self.folder / "course"),
                "--secret-file",
                str(self.folder / "secret"),
                "--jobs",
                "1",
            ]
        )

    def on_server(self, out="out"):
        return self.grade(out, "--gradebook", self.address)

    def file(self, name, out="out"):
        return (self.folder / out / name).read_text(encoding="utf-8")

    def scores(self, out="out"):
        rows = csv.DictReader(self.file("grades.csv", out).splitlines())
        return {(row["student"], row["exercise"]): row["score"] for row in rows}

    def book(self):
        return Gradebook(address.server(self.address), COURSE)

    def give(self, mark):
        """Anna's mark for her text, as the formgrader writes it."""
        with self.book() as book:
            grade = book.find_grade("q_why", NAME, NAME, "anna")
            grade.manual_score, grade.needs_manual_grade = mark, False
            book.find_comment("q_why", NAME, NAME, "anna").manual_comment = "Bien."
            book.db.commit()


@needs_walls
def test_the_guides_command_gives_the_marks_that_a_file_gives(at_work):
    guide = GUIDE.read_text(encoding="utf-8")
    command = re.search(r"^    python -m grader (autograde .*--gradebook .*)$", guide, re.M)[1]
    assert at_work.type(command) == 0
    assert at_work.grade("beside") == 0
    assert not (at_work.folder / "out" / address.FILE).exists()
    assert at_work.file("grades.csv") == at_work.file("grades.csv", "beside")
    assert at_work.scores()["anna", "softmax"] == "3"
    assert at_work.scores()["Zoe", "softmax"] == "0"
    with at_work.book() as book:
        assert {one.id for one in book.students} == {"anna", "ben", "dan", "Zoe"}


@needs_walls
def test_the_folder_remembers_its_server(at_work, capsys):
    assert at_work.on_server() == 0
    marked = at_work.folder / "out" / "autograded" / "anna" / NAME / f"{NAME}.ipynb"
    first = marked.stat().st_mtime_ns
    assert at_work.grade() == 0
    assert marked.stat().st_mtime_ns == first
    before = at_work.file("grades.csv")
    (at_work.folder / "out" / "grades.csv").unlink()
    out = str(at_work.folder / "out")
    assert main(["report", "--out", out]) == 0 and at_work.file("grades.csv") == before
    capsys.readouterr()
    assert main(["export", "--out", out, "--format", "moodle"]) == 0
    assert "anna,5\n" in capsys.readouterr().out.replace("\r", "")


@needs_walls
def test_marks_given_by_hand_survive_another_run_and_another_folder(at_work):
    assert at_work.on_server() == 0
    assert at_work.scores()["anna", "q_why"] == ""
    at_work.give(3.5)
    submit(at_work.folder / "in", "ben", classroom.solved(at_work.course, softmax=WRONG))
    for out in ("out", "elsewhere"):
        assert at_work.on_server(out) == 0
        scores = at_work.scores(out)
        assert scores["anna", "q_why"] == "3.5" and scores["ben", "discounted_return"] == "2"
        page = at_work.file(f"feedback/anna/{NAME}/{NAME}.html", out)
        assert "8.5 of 9 points" in page and "Bien." in page


@needs_walls
@pytest.mark.parametrize("way", ["forget", "nbgrader"])
def test_who_left_is_gone_there_too(at_work, way):
    assert at_work.on_server() == 0
    shutil.rmtree(at_work.folder / "in" / "anna")
    out = str(at_work.folder / "out")
    if way == "forget":
        assert main(["forget", "anna", "--out", out]) == 0
    else:
        with at_work.book() as book:
            book.remove_student("anna")
        assert main(["report", "--out", out]) == 0
    assert "anna" not in at_work.file("grades.csv") and "ben" in at_work.file("grades.csv")
    assert at_work.grade() == 0
    assert "anna" not in at_work.file("grades.csv") + at_work.file("submissions.csv")
    assert not (at_work.folder / "out" / "feedback" / "anna").exists()


@needs_walls
def test_nbgraders_own_programs_read_it(at_work):
    """``nbgrader export`` in the folder of results, and what the formgrader's pages ask for."""
    assert at_work.on_server() == 0
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    out = at_work.folder / "out"
    command = ["-m", "nbgrader", "export", "--to", "theirs.csv"]
    done = forked.run(command, out, {**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    with open(out / "theirs.csv", newline="") as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert theirs == {"anna": 5.0, "Zoe": 2.0, "ben": 0.0, "dan": 0.0}
    config = PyFileConfigLoader("nbgrader_config.py", str(out)).load_config()
    config.CourseDirectory.root = str(out)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    (assignment,) = [one for one in api.get_assignments() if one["name"] == NAME]
    assert assignment["num_submissions"] == 4 and assignment["max_score"] == 9.0
    notebooks = {one["student"]: one for one in api.get_notebook_submissions(NAME, NAME)}
    assert notebooks["Zoe"]["score"] == 2.0 and notebooks["anna"]["needs_manual_grade"]


@needs_walls
def test_a_second_run_meanwhile_is_refused(at_work, capsys):
    with Ledger(address.server(at_work.address), alone=True):
        assert at_work.on_server() == 1
        said = capsys.readouterr().err
        assert "another run is grading into this gradebook" in said and "Traceback" not in said
    assert at_work.on_server() == 0


def test_a_run_that_ended_holds_nothing_when_the_next_begins(database, server, monkeypatch):
    """The server notices an ended connection in its own time; here it never does."""
    url = address.server(server.address(database))
    monkeypatch.setattr(Engine, "dispose", lambda engine: None)
    for _run in range(2):
        with address.alone(url):
            pass


def test_a_run_that_died_holds_nothing(at_work):
    url = address.server(at_work.address)
    code = f"""
import os
from grader.records import address
from grader.records.gradebook import Ledger
with Ledger(address.server({at_work.address!r}), alone=True):
    os.kill(os.getpid(), 9)
"""
    done = forked.run(["-c", code], at_work.folder, os.environ)
    assert done.returncode == -9, done.stderr
    for _ in range(100):  # the server sees the closed connection in its own time
        try:
            with Ledger(url, alone=True) as ledger:
                assert list(ledger.states()) == []
                return
        except address.AddressError:
            time.sleep(0.1)
    raise AssertionError("the dead run's lock is still there")


@needs_walls
def test_a_server_that_goes_away_stops_the_run_and_the_next_goes_on(at_work, monkeypatch, capsys):
    write, lost = Ledger.write, []

    def cut(self, records):
        if not lost:
            lost.append(len(records))
            at_work.server.ask(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'teacher'"
            )
        write(self, records)

    monkeypatch.setattr(Ledger, "write", cut)
    assert at_work.on_server() == 1
    said = capsys.readouterr().err
    assert "start the same command again" in said and "Marks written so far are safe" in said
    assert at_work.on_server() == 0
    assert at_work.scores()["anna", "softmax"] == "3"


@needs_walls
def test_a_server_that_is_away_is_told_with_a_remedy(at_work, capsys):
    at_work.server.stop()
    try:
        assert at_work.on_server() == 1
        said = capsys.readouterr().err
    finally:
        at_work.server.start()
    assert said.startswith(f"error: {at_work.address}: ") and "Traceback" not in said
    assert "Is the server running" in said
    assert not (at_work.folder / "out" / address.NOTE).exists()


def test_other_refusals_of_the_server_name_their_remedy(server, database):
    server.ask("create role stranger login")
    for user, base, words in (
        ("stranger", database, "must belong to its user"),
        ("teacher", "nothing_here", "createdb -O USER"),
        ("nobody_known", database, "createuser USER"),
    ):
        with pytest.raises(GradebookError, match=words):
            Ledger(address.server(server.address(base, user)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("teacher at host", "is no database's address"),
        ("mysql://teacher@host/grades", "leave --gradebook out"),
        ("postgresql://teacher:secret@host/grades", ".pgpass"),
        ("postgresql://teacher@host", "names no database"),
    ],
)
def test_addresses_that_cannot_be(given, words):
    with pytest.raises(address.AddressError, match=re.escape(words)) as told:
        address.server(given)
    assert "secret" not in str(told.value)


def test_a_missing_driver_is_told(monkeypatch):
    monkeypatch.setattr(address.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(address.AddressError, match=re.escape("pip install -e '.[postgres]'")):
        address.server("postgresql://teacher@host/grades")


def test_marks_in_a_file_are_not_left_behind(tmp_path):
    (tmp_path / address.FILE).touch()
    with pytest.raises(address.AddressError, match="new --out folder"):
        address.gradebook_of(tmp_path, "postgresql://teacher@host/grades")


def test_what_is_kept_in_the_folder_is_what_was_written():
    given = "postgresql://teacher@/grades?host=/run/postgresql"
    assert address.server(address.shown(address.server(given))) == address.server(given)
    assert address.shown(address.server(given)) == given
