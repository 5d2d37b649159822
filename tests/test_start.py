"""The start page: built from its text, no assignment, true about the lessons, and it runs."""

import re
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest

from grader.course import Course as Graded
from publish.__main__ import main
from publish.course import Course
from publish.execute import execute
from tests import reading
from tests.classroom import build_course
from tests.publishing import copy_course, files, publish, read

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
PAGE = COURSE.page_path("00_start", "en")


def test_what_is_committed_is_what_the_build_makes(capsys):
    assert main(["--check", "00_start"]) == 0, capsys.readouterr()


def test_it_is_no_assignment():
    assert "00_start" in COURSE.page_names() and "00_start" not in COURSE.lesson_names()
    assert "00_start" not in Graded().names()
    assert not COURSE.solution_path("00_start", "en").parent.exists()
    assert not any("nbgrader" in cell.metadata for cell in nbformat.read(PAGE, 4).cells)


def rows():
    """lesson's name -> (title, minutes, count, points) of the page's table."""
    text = "\n".join(cell.source for cell in nbformat.read(PAGE, 4).cells)
    row = re.compile(r"\| \[(.+)\]\((\w+)/\2\.ipynb\) \| .* \| (\d+) min \| (\d+) \| (\d+) \|")
    return {m[2]: (m[1], int(m[3]), int(m[4]), int(m[5])) for m in row.finditer(text)}


@pytest.mark.parametrize("lesson", COURSE.read(COURSE.lesson_names()), ids=lambda one: one.name)
def test_the_table_is_true(lesson):
    title, minutes, count, points = rows()[lesson.name]
    graded = [cell for cell in lesson.cells if "points" in cell.keys]
    assert (count, points) == (len(graded), sum(cell.keys["points"] for cell in graded))
    assert lesson.cells[0].source.startswith(f"# {title}\n")
    # A sentence more or less need not change the table.
    assert abs(reading.minutes(read(ROOT, "notebooks", lesson.name)) - minutes) < 1


def test_the_table_names_no_other_lesson():
    assert list(rows()) == COURSE.lesson_names()


def test_it_runs_and_its_check_speaks(tmp_path):
    build_course(tmp_path)
    notebook = nbformat.read(PAGE, 4)
    assert notebook.cells[-1].source == "pg.progress()"
    notebook.cells[-1].source = f"pg.progress({str(tmp_path / 'notebooks' / 'en')!r})"
    execute(notebook, ROOT)
    example, progress = (cell for cell in notebook.cells if cell.get("outputs"))
    said = "".join(output.get("data", {}).get("text/plain", "") for output in example.outputs)
    assert "discounted_return: not yet" in said and "hint" in said
    (table,) = progress.outputs
    assert "<table>" in table.data["text/html"] and "not begun" in table.data["text/plain"]


def test_an_exercise_on_a_page_is_refused(tmp_path, capsys):
    root = copy_course(tmp_path)
    page = "# %% [markdown]\n# # Page\n\n# %% setup=true\nx = 1\n"
    (root / "lessons" / "00_page.py").write_text(page)
    before = files(root)
    assert publish(root, "--no-execute") == 2
    assert "00_page.py:4" in (said := capsys.readouterr().err) and "prose and demos alone" in said
    assert files(root) == before


def test_a_stale_page_is_told(tmp_path, capsys):
    root = copy_course(tmp_path)
    (root / "lessons" / "00_page.py").write_text("# %% [markdown]\n# # Page\n")
    assert publish(root, "00_page") == 0
    assert publish(root, "00_page", "--check") == 0
    (root / "lessons" / "00_page.py").write_text("# %% [markdown]\n# # Another\n")
    assert publish(root, "00_page", "--check") == 1
    assert "Another" in capsys.readouterr().out


def test_lab_and_the_badge_open_it():
    where = PAGE.relative_to(ROOT).as_posix()
    for code, readme in (("en", "README.md"), ("es", "README.es.md")):
        page = where.replace("/en/", f"/{code}/")
        command = ["make", "--dry-run", "lab", f"LAB_LANGUAGE={code}"]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert f"default_url=/lab/tree/{page} " in told
        badge = f"(https://mybinder.org/v2/gh/OWNER/REPOSITORY/HEAD?urlpath=lab/tree/{page})"
        assert badge in (ROOT / readme).read_text()


def test_an_installation_from_the_repositorys_address_brings_all_files():
    """Colab installs a wheel: what is no .py must be named as package data."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    data = project["tool"]["setuptools"]["package-data"]
    for package in ("policy_gradients", "grader", "publish"):
        folder = ROOT / package
        named = {file for pattern in data.get(package, []) for file in folder.glob(pattern)}
        for file in folder.rglob("*"):
            needed = file.is_file() and file.suffix not in (".py", ".pyc", ".md")
            assert not needed or file in named, file
