"""Commands that grade nothing start at once: they load neither torch nor the checks."""

import ast
import subprocess
import sys

import pytest

from grader.course import HERE
from grader.records.gradebook import Ledger
from tests.sandboxes import needs_walls

LOADED = """
import contextlib, io, sys
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    with contextlib.suppress(SystemExit):
        {code}
print([name for name in sys.modules if name == "torch" or name.startswith("grader.checks.lesson")])
"""


def loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)], cwd=HERE, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "download").mkdir()
    with Ledger(tmp_path / "gradebook.db", alone=True):
        pass
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["collect", "{}/download", "--from=canvas", "--to={}/to", "--lesson=01_reinforce"],
        ["export", "--out={}", "--format=moodle"],
        ["return", "--out={}", "--to=canvas", "--lesson=01_reinforce"],
        pytest.param(["doctor"], marks=needs_walls),
    ],
    ids=lambda words: words[0].strip("-"),
)
def test_a_command_that_grades_nothing_loads_no_checks(folder, words):
    arguments = [word.format(folder) for word in words]
    assert loaded_by(f"from grader.__main__ import main; main({arguments!r})") == []


def test_the_lessons_names_need_no_checks():
    assert loaded_by("from grader.course import Course; Course().names()") == []


def test_it_would_be_seen():
    assert "torch" in loaded_by("from grader.checks.registry import names; names()")
