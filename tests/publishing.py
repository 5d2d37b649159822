"""What the tests of publish/ share: the fixture course, copied and built in a folder of its own."""

import functools
import shutil
from pathlib import Path

import nbformat

from publish.__main__ import main
from publish.course import Course
from publish.translations import messages_template

ROOT = Path(__file__).resolve().parents[1]
FIXTURE = Path(__file__).parent / "fixtures" / "course"
LESSONS = ["01_first", "02_second", "02b_claims"]
# The xdist group of tests that run the course's notebooks: one process loads torch for all.
KERNELS = "kernels-of-lessons"


@functools.cache
def messages() -> list:
    """The course's own messages, as the catalogues ask for them."""
    return [entry.id for entry in messages_template(Course(ROOT)) if entry.id]


def copy_course(folder):
    """A copy of the fixture course's lessons under `folder`; returns the course's root."""
    shutil.copytree(FIXTURE / "lessons", folder / "lessons")
    return folder


def publish(root, *arguments, registered=None):
    """Run ``python -m publish`` on the course at `root`; returns the exit status."""
    return main(["--root", str(root), *arguments], registered=lambda: registered)


def read(root, kind, name, language="en"):
    """The built notebook of lesson `name`; `kind` is "solutions" or "notebooks"."""
    return nbformat.read(path(root, kind, name, language), as_version=4)


def path(root, kind, name, language="en"):
    """Where the built notebook is."""
    return root / kind / language / name / f"{name}.ipynb"


def files(root):
    """Every file below `root` and its bytes."""
    return {file: file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}
