"""nbgrader's exchange, as a JupyterHub class has it: an instructor and two students, each a user
of the system with a home of their own."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.course import HERE
from tests import classroom
from tests.classroom import NAME
from tests.test_autograde import needs_walls

ADA, BEN = "games", "nobody"  # accounts that every Debian has
COURSE = "policy_gradients"


def python_for_all():
    """A Python of this version that any user may run, and where its packages are."""
    packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    for python in (sys.executable, "/usr/bin/python3"):
        ask = [python, "-c", "import sys, nbgrader; print(*sys.version_info[:2])"]
        try:
            done = subprocess.run(
                ask, user=BEN, group="nogroup", env={"PYTHONPATH": str(packages), "HOME": "/"},
                capture_output=True, text=True,
            )  # fmt: skip
        except (OSError, LookupError):
            continue
        if done.returncode == 0 and done.stdout.split() == [str(n) for n in sys.version_info[:2]]:
            return python, packages
    return None


users = pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0 or python_for_all() is None,
    reason="needs the right to act as other users",
)


class Class:
    """An exchange, the course's folder and a home for each student."""

    def __init__(self, root):
        self.root, (self.python, self.packages) = root, python_for_all()
        self.exchange, self.course = root / "exchange", root / "course"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        for name in (ADA, BEN):
            home = root / name
            home.mkdir(mode=0o700)
            shutil.chown(home, name)
            config = f"c = get_config()\nc.Exchange.root = {str(self.exchange)!r}\n"
            config += f"c.CourseDirectory.course_id = {COURSE!r}\n"
            (home / "nbgrader_config.py").write_text(config)

    def student(self, name, *arguments):
        """Runs nbgrader as this user, in their home."""
        home = self.root / name
        environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "JUPYTER_PREFER_ENV_PATH": "0",
                       "PYTHONPATH": str(self.packages)}  # fmt: skip
        return subprocess.run(
            [self.python, "-m", "nbgrader", *arguments], cwd=home, env=environment, user=name,
            group=pwd.getpwnam(name).pw_gid, extra_groups=[], capture_output=True, text=True,
        )  # fmt: skip

    def instructor(self, *arguments, folder=None):
        """Runs a command of the course in its folder."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(HERE),
                       "COURSE_SECRET_FILE": str(self.root / "secret")}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=folder or self.course, env=environment,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def hub():
    """pytest's own folders are closed to other users."""
    root = Path(tempfile.mkdtemp(prefix="hub"))
    root.chmod(0o755)
    try:
        made = Class(root)
        classroom.build_course(made.course)
        config = (HERE / "nbgrader_config.py").read_text()
        config += f"\nc.Exchange.root = {str(made.exchange)!r}\n"
        (made.course / "nbgrader_config.py").write_text(config)
        yield made
    finally:
        shutil.rmtree(root)


@users
@needs_walls
def test_two_students_get_their_work_and_their_own_feedback_back(hub):
    hub.instructor("nbgrader", "generate_assignment", NAME)
    hub.instructor("nbgrader", "release_assignment", NAME)
    for name, texts in ((ADA, classroom.SOLUTIONS), (BEN, {})):
        done = hub.student(name, "fetch_assignment", NAME)
        assert done.returncode == 0, done.stderr
        path = hub.root / name / NAME / f"{NAME}.ipynb"
        notebook = json.loads(path.read_text())
        for exercise, text in texts.items():
            classroom.find(notebook, f"{exercise}-answer")["source"] = text
        path.write_text(json.dumps(notebook))
        done = hub.student(name, "submit", NAME)
        assert done.returncode == 0, done.stderr
    hub.instructor("nbgrader", "collect", NAME)
    out = hub.course / "out" / "marks"
    run = ["autograde", "--submitted", "submitted", "--out", str(out), "--course", str(hub.course)]
    told = hub.instructor("grader", *run)
    assert f"{ADA}" in told and "graded 5/9" in told and "graded with note" not in told
    with (out / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(hub.exchange)!r}\n")
    hub.instructor("nbgrader", "release_feedback", NAME, folder=out)
    for name, total in ((ADA, "5 of 9 points"), (BEN, "0 of 9 points")):
        done = hub.student(name, "fetch_feedback", NAME)
        assert done.returncode == 0, done.stderr
        (page,) = (hub.root / name / NAME / "feedback").rglob("*.html")
        assert total in page.read_text() and f"{NAME}: {name}" in page.read_text()
    # Nobody can list what others handed in or get back.
    for folder in ("inbound", "feedback"):
        listed = subprocess.run(
            ["ls", str(hub.exchange / COURSE / folder)], user=BEN, capture_output=True, text=True
        )
        assert listed.returncode != 0, listed.stdout
