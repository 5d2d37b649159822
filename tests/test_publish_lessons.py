"""The course's own lessons: what is committed is what the build makes, and a blank one runs."""

import copy
from pathlib import Path

import pytest
from nbgrader.nbgraderformat import MetadataValidator

from publish.__main__ import main
from publish.build import leftovers
from publish.course import Course
from publish.execute import execute
from publish.rules import without_solution
from tests.publishing import read

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
LESSONS = COURSE.lesson_names()


@pytest.mark.parametrize("name", LESSONS)
def test_what_is_committed_is_what_the_build_makes(name, capsys):
    assert main(["--check", name]) == 0, capsys.readouterr()


def test_every_notebook_has_its_lesson():
    assert list(leftovers(COURSE, "en")) == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_blank_notebook_runs_to_its_end_and_fails_in_words(name):
    notebook = read(ROOT, "notebooks", name)
    execute(notebook, ROOT)
    for cell in notebook.cells:
        kind = cell.metadata.policy_gradients.kind
        outputs = cell.get("outputs", [])
        # What a stub's absence breaks is told in words; an error is left for the checks alone.
        errors = [output.ename for output in outputs if output.output_type == "error"]
        assert errors == (["CheckFailed"] if kind == "check" else []), cell.id
        assert not any(output.get("name") == "stderr" for output in outputs), cell.id


@pytest.mark.parametrize("name", LESSONS)
def test_no_line_of_a_solution_is_in_the_students_cell(name):
    solved, student = read(ROOT, "solutions", name), read(ROOT, "notebooks", name)
    for full, blank in zip(solved.cells, student.cells, strict=True):
        if full.metadata.policy_gradients.kind in ("exercise", "question"):
            kept = set(without_solution(full.source).split("\n"))
            secret = set(full.source.split("\n")) - kept
            assert not secret & set(blank.source.split("\n")), full.id
        elif full.metadata.policy_gradients.kind == "free":
            assert blank.source == "*Write your answer here.*"
        else:
            assert blank.source == full.source


@pytest.mark.parametrize("name", LESSONS)
def test_the_metadata_is_nbgraders(name):
    for kind in ("solutions", "notebooks"):
        notebook = copy.deepcopy(read(ROOT, kind, name))
        MetadataValidator().validate_nb(notebook)
        assert "jupytext" not in notebook.metadata and "widgets" not in notebook.metadata
