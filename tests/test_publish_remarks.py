"""Docstrings and comments are translated; the code around them is not touched."""

import ast
from pathlib import Path

import pytest

from publish.course import Course
from publish.remarks import remarks, with_remarks

COURSE = Course(Path(__file__).resolve().parents[1])
SOURCE = '''\
def mean(values):
    """The mean.

    values (T,) -> float: "half" of two.
    """
    ### BEGIN SOLUTION
    # one line
    # and its second
    total = sum(values)  # (T,) -> the sum
    return total / len(values)  # noqa: B018
    ### END SOLUTION


x = "# no comment"  # (S, A)
'''
SPANISH = {
    'The mean.\n\nvalues (T,) -> float: "half" of two.': "La media.\n\nvalues (T,) -> float.\nMás.",
    "one line\nand its second": "una sola línea",
    "(T,) -> the sum": "(T,) -> la suma",
}


def code_cells():
    for name in [*COURSE.page_names(), *COURSE.lesson_names()]:
        (lesson,) = COURSE.read([name])
        for cell in lesson.cells:
            if cell.kind not in ("prose", "free"):
                yield pytest.param(cell.source, id=f"{name}:{cell.line}")


def bare(source):
    """The code's structure without docstrings; comments are no part of it anyway."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            node.body[0].value.value = ""
    return ast.dump(tree)


def test_texts_for_readers_are_found_and_nothing_else():
    assert [one.text for one in remarks(SOURCE)] == list(SPANISH)


def test_they_are_replaced_in_place():
    assert (
        with_remarks(SOURCE, lambda text: SPANISH.get(text, text))
        == '''\
def mean(values):
    """La media.

    values (T,) -> float.
    Más.
    """
    ### BEGIN SOLUTION
    # una sola línea
    total = sum(values)  # (T,) -> la suma
    return total / len(values)  # noqa: B018
    ### END SOLUTION


x = "# no comment"  # (S, A)
'''
    )


def test_a_docstring_of_one_line_keeps_its_quotes_beside_it():
    source = 'def f():\n    """Short text."""\n'
    assert with_remarks(source, str.upper) == 'def f():\n    """SHORT TEXT."""\n'


def test_what_is_no_python_is_left_alone():
    for source in ("%matplotlib inline\nx = (  # words here", "def (:\n  # words", ""):
        assert with_remarks(source, str.upper) == source


@pytest.mark.parametrize("source", list(code_cells()))
def test_every_lessons_code_stays_as_it_is(source):
    assert all(one.rendered(one.text) == source[one.start : one.end] for one in remarks(source))
    changed = with_remarks(source, lambda text: f"¡{text}!\ny otra línea")
    assert bare(changed) == bare(source)
