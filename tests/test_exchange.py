"""nbgrader's exchange, as a JupyterHub class has it: an instructor and two students, each a user
of the system with a home of their own."""

import functools
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.course import HERE
from tests import classroom, forked
from tests.classroom import NAME
from tests.sandboxes import needs_walls
from tests.test_instructors import GUIDE, commands

ADA, BEN = "games", "nobody"  # accounts that every Debian has
COURSE = "policy_gradients"


@functools.cache
def python_for_all():
    """A Python of this version that any user may run, and where its packages are."""
    packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    for python in (sys.executable, "/usr/bin/python3"):
        ask = [python, "-c", "import sys, nbgrader; print(*sys.version_info[:2])"]
        try:
            done = subprocess.run(
                ask,
                user=BEN,
                group="nogroup",
                env={"PYTHONPATH": str(packages), "HOME": "/"},
                capture_output=True,
                text=True,
            )
        except (OSError, LookupError):
            continue
        if done.returncode == 0 and done.stdout.split() == [str(n) for n in sys.version_info[:2]]:
            return python, packages
    return None


users = pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0, reason="needs the right to act as other users"
)


class Class:
    """An exchange, the course's folder, a home for each student, and the hub's configuration as the
    guide has it."""

    def __init__(self, root):
        self.root, (self.python, self.packages) = root, python_for_all()
        self.exchange, self.course = root / "exchange", root / "course"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        (root / "etc").mkdir()
        config = re.search(r"```python\n(c = get_config\(\)\n.*?)```", GUIDE, re.DOTALL)[1]
        assert "/srv/nbgrader/exchange" in config
        config = config.replace("/srv/nbgrader/exchange", str(self.exchange))
        (root / "etc" / "nbgrader_config.py").write_text(config)
        for name in (ADA, BEN):
            (root / name).mkdir(mode=0o700)
            shutil.chown(root / name, name)

    def student(self, name, command):
        """Runs an nbgrader command as this user, in their home."""
        home = self.root / name
        environment = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "JUPYTER_PREFER_ENV_PATH": "0",
            "JUPYTER_CONFIG_PATH": str(self.root / "etc"),
            "PYTHONPATH": str(self.packages),
        }
        person = pwd.getpwnam(name)
        ids = person.pw_gid, person.pw_uid
        return forked.run(["-m", *command.split()], home, environment, self.python, ids)

    def instructor(self, command):
        """Runs a command line of the guide in the course's folder."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(HERE),
            "JUPYTER_CONFIG_PATH": str(self.root / "etc"),
            "COURSE_SECRET_FILE": str(self.root / "secret"),
        }
        command = command.replace("grader autograde", f"grader autograde --course {self.course}")
        within = re.fullmatch(r"\(cd (\S+) && (.*)\)", command)
        folder, command = within.groups() if within else ("", command)
        words = command.removeprefix("python -m ").split()
        done = forked.run(["-m", *words], self.course / folder, environment)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout + done.stderr


@pytest.fixture
def hub():
    """pytest's own folders are closed to other users."""
    if python_for_all() is None:
        pytest.skip("no Python that other users may run has nbgrader")
    root = Path(tempfile.mkdtemp(prefix="hub"))
    root.chmod(0o755)
    try:
        made = Class(root)
        classroom.build_course(made.course)
        shutil.copy(HERE / "nbgrader_config.py", made.course)
        yield made
    finally:
        shutil.rmtree(root)


def answer(path, texts):
    """Types answers into a fetched notebook."""
    notebook = json.loads(path.read_text())
    for exercise, text in texts.items():
        classroom.find(notebook, f"{exercise}-answer")["source"] = text
    path.write_text(json.dumps(notebook))


@users
@needs_walls
def test_two_students_get_their_work_and_their_own_feedback_back(hub):
    """The guide's commands in the guide's order, each student's as that student."""
    told = ""
    for line in commands(3):
        line = line.replace("01_reinforce", NAME)
        if not line.startswith("student: "):
            told += hub.instructor(line)
            continue
        for name, texts in ((ADA, classroom.SOLUTIONS), (BEN, {})):
            if "submit" in line:
                answer(hub.root / name / NAME / f"{NAME}.ipynb", texts)
            done = hub.student(name, line.removeprefix("student: "))
            assert done.returncode == 0, done.stderr
    assert ADA in told and "graded 5/9" in told and "graded with note" not in told
    for name, total in ((ADA, "5 of 9 points"), (BEN, "0 of 9 points")):
        (page,) = (hub.root / name / NAME / "feedback").rglob("*.html")
        assert total in page.read_text() and f"{NAME}: {name}" in page.read_text()
    # Nobody can list what others handed in or get back.
    for folder in ("inbound", "feedback"):
        listed = subprocess.run(
            ["ls", str(hub.exchange / COURSE / folder)], user=BEN, capture_output=True, text=True
        )
        assert listed.returncode != 0, listed.stdout
