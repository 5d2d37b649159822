"""What a lesson asks of its reader: one sitting, cited references, one line on Colab."""

import re
from pathlib import Path

import nbformat
import pytest

from publish.catalogue import SOURCE_LANGUAGE, languages
from publish.course import Course
from tests.publishing import read
from tests.reading import MOST_CODE_LINES, MOST_MINUTES, REFERENCES, code_lines, minutes, words

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
LESSONS = COURSE.lesson_names()
SPOKEN = [SOURCE_LANGUAGE, *languages(COURSE)]
SURNAME = re.compile(r"(?<![.\w])(?:[A-Z]\. )+(?:van |de )?([A-Z]\w+)")
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
INSTALL = "`%pip install git+https://github.com/OWNER/REPOSITORY`"


def text_of(name, language):
    cells = read(ROOT, "notebooks", name, language).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_a_word_holds_a_letter_or_a_digit_and_references_are_none():
    assert words("| a | b-c |\n|---|---|\n- It is $x + 1$.") == 6
    assert words("## What is next\n\nMuch.\n\n## References\n\n- A. Name. A title. 2001.") == 4


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_read_in_one_sitting(name, language):
    notebook = read(ROOT, "notebooks", name, language)
    assert minutes(notebook) <= MOST_MINUTES
    assert code_lines(notebook) <= MOST_CODE_LINES


def references(text):
    """(first author's surname, years) of each reference."""
    listed = REFERENCES.search(text).group()
    for entry in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]:
        bare = re.sub(r"\(https?://\S+\)|\[?arXiv:\S+|https?://\S+", "", entry)
        yield SURNAME.search(entry)[1], YEAR.findall(bare)


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("name", LESSONS)
def test_a_reference_is_cited_where_it_is_used(name, language):
    text = text_of(name, language)
    body = " ".join(REFERENCES.sub("", text).split())
    for surname, years in references(text):
        cited = re.compile(rf"\b{surname}\b[^;)]{{0,60}}?\b({'|'.join(years)})\b")
        assert years and cited.search(body), (surname, years)


def pages():
    for language in SPOKEN:
        yield pytest.param(nbformat.read(COURSE.page_path("00_start", language), 4), id=language)
        for name in LESSONS:
            yield pytest.param(read(ROOT, "notebooks", name, language), id=f"{language}-{name}")


@pytest.mark.parametrize("notebook", list(pages()))
def test_whoever_installs_in_colab_is_told_to_restart(notebook):
    """A package that was imported stays as it was until then."""
    (told,) = [cell.source for cell in notebook.cells if "%pip install" in cell.source]
    line = r"Colab\W.*?" + re.escape(INSTALL) + r".*?(restart the session|reinicia la sesión)"
    assert re.search(line, told, re.DOTALL)
