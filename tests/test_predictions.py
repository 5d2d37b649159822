"""Predictions are kept beside the notebook, shown beside the outcome and never lost."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import policy_gradients as pg
from policy_gradients import kept


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new_kernel()
    return tmp_path


def new_kernel():
    kept._memory.clear()


def text_box(shown):
    return shown.widget.children[0]


def test_a_typed_prediction_outlives_the_kernel_and_a_cell_that_is_run_again():
    pg.predict("share", "Share in %:", 40)
    new_kernel()
    assert pg.predicted("share") == 40
    pg.predict("share", "Share in %:")  # run again as it was handed out
    assert pg.predicted("share") == 40


def test_the_widget_keeps_what_is_typed_and_shows_it_again():
    box = text_box(pg.predict("share", "Share in %:"))
    box.value = "37,5 %"
    new_kernel()
    assert pg.predicted("share") == 37.5
    assert text_box(pg.predict("share", "Share in %:")).value == "37.5"


def test_the_widget_says_what_it_cannot_read_and_keeps_what_was():
    shown = pg.predict("share", "Share:", 3)
    text_box(shown).value = "many"
    assert "'many'" in shown.widget.children[1].value and pg.predicted("share") == 3


def test_a_choice_is_one_of_those_offered():
    shown = pg.predict("which", "Which?", choices=["steps", "reuse"])
    text_box(shown).value = "reuse"
    assert pg.predicted("which") == "reuse"
    with pytest.raises(ValueError, match="steps"):
        pg.predict("which", "Which?", "both", choices=["steps", "reuse"])


def test_the_first_prediction_stays_once_its_outcome_was_seen(capsys):
    pg.predict("share", "Share:", 1)
    pg.predict("share", "Share:", 2)
    pg.outcome("share", 5)
    assert "Your prediction: 2. What came out: 5." in capsys.readouterr().out
    pg.predict("share", "Share:", 5)
    assert pg.predicted("share") == 2


def test_an_outcome_without_a_prediction_writes_no_file(folder, capsys):
    pg.predict("share", "Share:")
    pg.outcome("share", 0.123456)
    assert "0.123. No prediction" in capsys.readouterr().out
    assert list(folder.iterdir()) == []
    pg.predict("share", "Share:", 4)  # a late one is kept all the same
    assert pg.predicted("share") == 4


def test_the_figure_shows_the_prediction_and_only_where_there_is_one():
    ax = plt.figure().subplots()
    pg.outcome("share", 5, ax)
    assert not ax.lines
    pg.predict("share", "Share:", 3)
    pg.outcome("share", 5, ax)
    pg.outcome("share", 5, ax, axis="y")
    assert [list(line.get_xdata()) for line in ax.lines][0] == [3, 3]
    assert list(ax.lines[1].get_ydata()) == [3, 3]
    assert "your prediction" in [text.get_text() for text in ax.get_legend().get_texts()]
    plt.close("all")


def test_the_list_at_the_end_has_every_question_of_this_notebook(capsys):
    pg.predict("share", "Share:", 3)
    pg.predict("which", "Which?", choices=["a", "b"])
    pg.outcome("share", 5)
    new_kernel()
    pg.predict("which", "Which?", choices=["a", "b"])
    capsys.readouterr()
    pg.predictions()
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "Share:",
        "    predicted: 3, came out: 5",
        "Which?",
        "    predicted: (nothing), came out: (nothing)",
    ]


def test_where_nothing_can_be_written_the_kernel_remembers(monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(kept.tempfile, "mkstemp", full)
    pg.predict("share", "Share:", 3)
    assert pg.predicted("share") == 3 and not Path(kept.FILE).exists()


@pytest.mark.parametrize("text", ["{", "[1]", '{"share": 3}', "\xff"])
def test_a_broken_file_is_put_aside_and_not_thrown_away(folder, text):
    Path(kept.FILE).write_bytes(text.encode("latin-1"))
    pg.predict("share", "Share:", 3)
    assert pg.predicted("share") == 3
    assert Path(kept.FILE + ".unreadable").read_bytes() == text.encode("latin-1")
    assert json.loads(Path(kept.FILE).read_text())["share"]["prediction"] == 3


def test_without_widgets_stands_a_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    bundle = pg.predict("share", "Share in %:")._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Your prediction: Share in %:")
