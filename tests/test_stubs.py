"""An answer's first version is given back, in the learner's language."""

import sys
import types

import nbformat
import pytest

import policy_gradients as pg
from grader.checks.registry import names
from policy_gradients import handout, i18n
from publish.claims import HERE
from publish.course import Course

COURSE = Course(HERE)


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", "en")


def test_every_exercise_has_its_stub_and_it_is_the_notebooks_cell():
    for lesson in COURSE.lesson_names():
        for code in ("en", "es"):
            i18n.set_language(code)
            notebook = nbformat.read(COURSE.notebook_path(lesson, code), as_version=4)
            for cell in notebook.cells:
                if cell.metadata.policy_gradients.kind in handout.ANSWERS:
                    name = handout.exercise_of(cell.metadata.nbgrader.grade_id)
                    assert pg.stub(name) == cell.source
    assert all(pg.stub(name) for name in names())


def test_a_strange_name_is_told_with_the_nearest():
    with pytest.raises(ValueError, match="no exercise called sofmax.*Is it softmax"):
        pg.stub("sofmax")


def test_without_a_notebook_the_stub_is_printed(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    pg.reset("softmax")
    assert capsys.readouterr().out == pg.stub("softmax") + "\n"


def test_in_a_notebook_the_cell_is_replaced(monkeypatch, capsys):
    asked = []
    shell = types.SimpleNamespace(
        set_next_input=lambda text, replace: asked.append((text, replace))
    )
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    pg.reset("softmax")
    assert asked == [(pg.stub("softmax"), True)]
    assert "pg.stub('softmax')" in capsys.readouterr().out
