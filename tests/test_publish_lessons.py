"""The course's own lessons: what other languages show, and that a blank one runs to its end.

tests/test_claims.py builds each lesson."""

import copy
import re
from itertools import zip_longest
from pathlib import Path

import pytest
from nbgrader.nbgraderformat import MetadataValidator

from publish.__main__ import main
from publish.build import leftovers
from publish.catalogue import SOURCE_LANGUAGE, languages
from publish.compare import without_luck
from publish.course import Course
from publish.execute import execute
from publish.rules import without_solution
from tests.publishing import KERNELS, read

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
LESSONS = COURSE.lesson_names()


OTHERS = [language for language in languages(COURSE) if language != SOURCE_LANGUAGE]
NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


@pytest.mark.parametrize("language", OTHERS)
def test_another_language_has_the_cells_that_the_build_makes(language, capsys):
    """All lessons in one build, which reads each lesson that comes before one that it makes."""
    command = ["--check", "--no-execute", "--language", language, *LESSONS]
    assert main(command) == 0, capsys.readouterr()
    assert capsys.readouterr().out.count("unchanged") == len(LESSONS)


def shown(name, language):
    """Of each output the cell, the kinds and the numbers in its text; of trained ones the kinds."""
    notebook = without_luck(read(ROOT, "solutions", name, language))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = sorted(output.get("data", {}).items())
            texts = [output.get("text", ""), *(text for _kind, text in data)]
            kinds = [output.output_type, output.get("name"), *(kind for kind, _text in data)]
            yield cell.id, kinds, [NUMBER.findall(str(text)) for text in texts]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", LESSONS)
def test_another_language_shows_the_same_outputs(name, language):
    """The pictures and numbers of the build's test; the browser's tests run these notebooks."""
    here, there = shown(name, SOURCE_LANGUAGE), shown(name, language)
    for one, other in zip_longest(here, there):
        assert one == other


def test_every_notebook_has_its_lesson():
    assert list(leftovers(COURSE, "en")) == []


@pytest.mark.xdist_group(KERNELS)
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
