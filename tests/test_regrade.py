"""Which change of code makes marks stale, which one pages alone, and that pages need no rerun."""

import shutil

import pytest

from grader.course import HERE
from grader.course import version as versions
from grader.grading import autograde
from tests.sandboxes import needs_walls
from tests.test_autograde import NAME, copied, grade, graded, make_class  # noqa: F401
from tests.warm import warm  # noqa: F401


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """A copy of all code that one could change."""
    root = tmp_path_factory.mktemp("code")
    for name in ("grader", "policy_gradients", "publish", "bank", "docs"):
        shutil.copytree(HERE / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def of_marks(root):
    return versions.version_of(versions.MARKS, versions.NOT_MARKS, root)


def of_pages(root):
    return versions.version_of(versions.PAGES, root=root)


def changed_by_a_comment(root, path):
    """(whether marks are stale, whether pages are), with one line more at the end of a file."""
    before, text = (of_marks(root), of_pages(root)), (root / path).read_bytes()
    (root / path).write_bytes(text + b"\n# a comment\n")
    after = of_marks(root), of_pages(root)
    (root / path).write_bytes(text)
    return before[0] != after[0], before[1] != after[1]


@pytest.mark.parametrize(
    "path",
    [
        "grader/checking/function.py",
        "grader/checks/judge.py",
        "grader/checks/shared/gae.py",
        "grader/checks/lesson_01/policy.py",
        "grader/course/lessons.py",
        "grader/intake/assemble.py",
        "grader/marking/marker.py",
        "grader/probes/runtime.py",
        "grader/sandbox/inside/isolate.py",
        "grader/sandbox/view.py",
        "policy_gradients/envs/cartpole.py",
    ],
)
def test_a_change_of_what_judges_makes_all_marks_stale(code, path):
    assert changed_by_a_comment(code, path) == (True, False)


@pytest.mark.parametrize("path", ["grader/reports/student_page.py", "grader/reports/figures.py"])
def test_a_change_of_pages_makes_pages_stale_alone(code, path):
    assert changed_by_a_comment(code, path) == (False, True)


@pytest.mark.parametrize(
    "path",
    [
        "grader/__main__.py",
        "grader/executor/local.py",
        "grader/grading/autograde.py",
        "grader/nbgrader_plugin/converters.py",
        "grader/records/gradebook.py",
        "grader/student/progress.py",
        "policy_gradients/plots/clip.py",
        "publish/build.py",
        "bank/lesson_01/policy.py",
        "docs/grading.md",
    ],
)
def test_a_change_elsewhere_leaves_marks_and_pages(code, path):
    assert changed_by_a_comment(code, path) == (False, False)


def test_every_folder_of_the_grader_is_one_or_the_other():
    """A new folder is judged by its author: does a mark depend on it?"""
    folders = {path.parent.name for path in HERE.glob("grader/*/__init__.py")}
    free = {"executor", "grading", "handmarks", "lms", "nbgrader_plugin", "records", "student"}
    named = {name.split("/")[1] for name in versions.MARKS + versions.PAGES if "grader/" in name}
    assert folders <= named | free and not (named - {"records"}) & free


@needs_walls
@pytest.mark.usefixtures("warm")
def test_new_pages_are_written_without_running_a_submission(copied, monkeypatch):  # noqa: F811
    pages = copied / "out" / "feedback"
    page = pages / "anna" / NAME / f"{NAME}.html"
    words, kept = page.read_text(), {path: path.read_bytes() for path in pages.rglob("*.html")}
    page.write_text("made by other code")
    monkeypatch.setattr(autograde, "pages_version", lambda: "another")
    _counts, seen = grade(copied)
    assert seen["anna"] is None and seen["eva"] is None
    assert page.read_text() == words
    assert {path: path.read_bytes() for path in pages.rglob("*.html")} == kept
    page.write_text("made by other code")
    grade(copied)  # the version is the kept one now
    assert page.read_text() == "made by other code"


@needs_walls
@pytest.mark.usefixtures("warm")
def test_other_marking_code_judges_anew(copied, monkeypatch):  # noqa: F811
    monkeypatch.setattr(autograde, "marks_version", lambda: "another")
    _counts, seen = grade(copied)
    assert all(seen[name] is not None for name in ("anna", "ben", "eva"))
