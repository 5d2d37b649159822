"""nbgrader's own commands on a course of our making, with the repository's configuration.

The fixture course's checks are stand-ins, so nbgrader's plain execution is used here; the sandboxed
one has tests of its own.
"""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pytest

from publish.course import notebook_text
from publish.rules import without_markers
from tests import forked
from tests.jupyter import address_of
from tests.publishing import copy_course, path, publish, read

# One worker builds the class and asks all questions about it.
pytestmark = pytest.mark.xdist_group("nbgrader")

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
}
CONFIG = f"""
exec(compile(open({str(ROOT / "nbgrader_config.py")!r}).read(), "nbgrader_config.py", "exec"))
from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import Execute
c.Autograde.autograde_preprocessors[0] = Execute
c.Autograde.exporter_class = NotebookExporter
c.Autograde.pre_convert_hook = None
"""


def nbgrader(root, *arguments):
    done = forked.run(["-m", "nbgrader", *arguments], root, ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def submit(root, student, sources):
    """A submission of the first lesson in which the cells with the given ids are answered."""
    notebook = read(root, "notebooks", "01_first")
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    folder = root / "submitted" / student / "01_first"
    folder.mkdir(parents=True)
    (folder / "01_first.ipynb").write_text(notebook_text(notebook))
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A graded class: ada solved all, bob nothing, eve the first exercise alone."""
    root = copy_course(tmp_path_factory.mktemp("nbgrader"))
    assert publish(root, "--no-execute") == 0
    (root / "nbgrader_config.py").write_text(CONFIG)
    shutil.copytree(root / "notebooks", root / "as_built")
    nbgrader(root, "generate_assignment", "01_first")
    answers = {
        cell.id: without_markers(cell.source)
        for cell in read(root, "solutions", "01_first").cells
        if cell.id.endswith("-answer")
    }
    submit(root, "ada", answers)
    submit(root, "bob", {})
    beside = submit(root, "eve", {"total-answer": answers["total-answer"]})
    (beside / "matplotlib.py").write_text("raise SystemExit('imported in place of the library')")
    nbgrader(root, "autograde", "01_first")
    nbgrader(root, "generate_feedback", "01_first")
    nbgrader(root, "export")
    return root


def test_nbgraders_release_is_the_builds_to_the_byte(course):
    built = course / "as_built" / "en" / "01_first" / "01_first.ipynb"
    assert path(course, "notebooks", "01_first").read_bytes() == built.read_bytes()


def test_marks_are_as_solved(course):
    with (course / "grades.csv").open(newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    # The free text is marked by hand: 4 of the 8 points.
    assert scores == {"ada": 4, "bob": 0, "eve": 2}


def test_tags_and_kinds_survive_autograding(course):
    graded = nbformat.read(course / "autograded/bob/01_first/01_first.ipynb", as_version=4)
    released = read(course, "notebooks", "01_first")
    for new, old in zip(graded.cells, released.cells, strict=True):
        assert new.metadata.get("tags") == old.metadata.get("tags")
        assert new.metadata.policy_gradients == old.metadata.policy_gradients


def test_a_file_beside_the_notebook_is_left_behind(course):
    kept = {file.name for file in (course / "autograded/eve/01_first").iterdir()}
    assert kept == {"01_first.ipynb"}


def test_feedback_says_what_was_wrong(course):
    page = (course / "feedback/bob/01_first/01_first.html").read_text()
    assert "NotImplementedError" in page and "not answered yet" in page
    assert "secret_sum" not in page and "Two points" not in page


def test_validate_tells_solved_from_unsolved(course):
    unsolved = nbgrader(course, "validate", "submitted/bob/01_first/01_first.ipynb")
    assert "VALIDATION FAILED ON 4 CELL(S)" in unsolved
    solved = nbgrader(course, "validate", "submitted/ada/01_first/01_first.ipynb")
    assert "VALIDATION FAILED ON 1 CELL(S)" in solved  # the free text, which has no answer


LATE = """
import json, pathlib, socket, sys, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
told = {"hostname": "127.0.0.1", "port": server.getsockname()[1], "url": "here"}
pathlib.Path(sys.argv[1], "jpserver-1.json").write_text(json.dumps(told))
time.sleep(0.5)
server.listen()
time.sleep(60)
"""


def test_a_server_is_asked_no_sooner_than_it_listens(tmp_path):
    with subprocess.Popen([sys.executable, "-c", LATE, str(tmp_path)]) as process:
        try:
            assert address_of(process, tmp_path) == "here"
            told = json.loads((tmp_path / "jpserver-1.json").read_text())
            socket.create_connection((told["hostname"], told["port"]), timeout=60).close()
        finally:
            process.kill()


def ask(address, data=None):
    request = urllib.request.Request(address, data, {"Authorization": "token t"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def server(course):
    """Jupyter's server, started as ``make lab`` starts it, on a port that is free."""
    command = [
        "-m",
        "jupyter",
        "server",
        "--no-browser",
        "--allow-root",
        "--port=8950",
        "--IdentityProvider.token=t",
    ]
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=course,
        env={**ENVIRONMENT, "JUPYTER_RUNTIME_DIR": str(course / "runtime")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield address_of(process, course / "runtime")
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_the_formgrader_lists_and_grades(course, server):
    (assignment,) = [
        found
        for found in json.loads(ask(f"{server}formgrader/api/assignments"))
        if found["name"] == "01_first"
    ]
    assert assignment["num_submissions"] == 3
    assert assignment["source_path"].endswith("solutions/en/01_first")
    assert "<title>nbgrader formgrade" in ask(f"{server}formgrader/manage_students")
    graded = json.loads(
        ask(f"{server}formgrader/api/submission/01_first/ada/autograde", data=b"{}")
    )
    assert graded["success"], graded
