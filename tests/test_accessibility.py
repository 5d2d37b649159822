"""The course for those who see no colours, or not well, or nothing: figures, notebooks, pages.

What JupyterLab itself shows below a cell has no alternative text: its renderer of pictures knows
none. The words stand in the notebooks, the site and the feedback show them.
"""

import itertools
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.text import Text
from nbconvert import HTMLExporter
from nbgrader.api import Gradebook

import policy_gradients as pg
from grader.checking.verdict import Problem, Verdict
from grader.grading.autograde import Options, autograde
from policy_gradients.plots.style import COLORS, LINESTYLES, MARKERS, diverging_colors, ink_on
from tests import classroom
from tests.colours import VISIONS, contrast, distance, on
from tests.pages import Page, jumps
from tests.test_spanish_words import figures

ROOT = Path(__file__).resolve().parents[1]
SOLVED = sorted((ROOT / "solutions").glob("*/*/*.ipynb"))
NOTEBOOKS = [*SOLVED, *sorted((ROOT / "notebooks").glob("*/**/*.ipynb"))]
AA = 4.5  # WCAG 2.2's level AA for text of usual size
APART = 15.0  # CIE 1976: far more than can be noticed, as thin lines need
IDS = {"ids": lambda path: "/".join(path.parts[-3:])}


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def is_picture(output):
    return any(kind.startswith("image/") for kind in output.get("data", {}))


# Notebooks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOLVED, **IDS)
def test_every_figure_of_a_lesson_has_words_of_its_own(path):
    cells = [
        cell
        for cell in nbformat.read(path, 4).cells
        if any(map(is_picture, cell.get("outputs", [])))
    ]
    words = [cell.metadata.get("alt", "") for cell in cells]
    assert words and len(set(words)) == len(words)
    for cell, alt in zip(cells, words):
        assert len(alt.split()) >= 10 and alt.endswith("."), cell.id
        assert not re.search(r"[$`*<>]|\\\\|\\.png", alt), f"{cell.id}: not for reading aloud"


@pytest.fixture(scope="module")
def exporter():
    """It compiles its templates once, which takes half of the time of a page."""
    return HTMLExporter(template_name="classic")


@pytest.mark.parametrize("path", SOLVED, **IDS)
def test_a_page_made_by_nbconvert_shows_the_words(path, exporter):
    """With the template that nbgrader's feedback uses."""
    notebook = nbformat.read(path, 4)
    # No picture comes of the other cells, nor of code; to show them takes most of the time.
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.get("outputs") or re.search(r"!\[|<img|<svg", cell.source)
    ]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = ""
    page, _resources = exporter.from_notebook_node(notebook)
    drawn = [
        cell.metadata.alt
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert [image["alt"] for image in Page(page).images] == drawn


@pytest.mark.parametrize("path", NOTEBOOKS, **IDS)
def test_headings_of_a_notebook_form_an_outline(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    text = re.sub(r"^```.*?^```", "", "\n".join(prose), flags=re.DOTALL | re.MULTILINE)
    levels = [len(marks) for marks in re.findall(r"^(#{1,6}) +\S", text, re.MULTILINE)]
    assert len(levels) >= 4 and jumps(levels) == []


def test_jumps_are_seen():
    assert jumps([1, 2, 3, 2, 3, 3]) == []
    assert jumps([1, 3]) == [(1, 3)] and jumps([2, 3]) == [(0, 2)] and jumps([1, 2, 1]) == [(2, 1)]


# Colours of figures -----------------------------------------------------------------------------


def test_the_simulations_keep_white_and_grey_and_lose_what_they_must():
    for vision in VISIONS:
        for grey in (0.0, 0.5, 1.0):
            assert distance((grey,) * 3, (grey,) * 3, vision) == 0
        assert np.allclose(np.sum(VISIONS[vision], axis=1), 1, atol=1e-5)
    # A red and a green that only the green-blind and the red-blind take for one another.
    red, green = to_rgb("#A04A30"), to_rgb("#6F6A2F")
    for vision in ("protanopia", "deuteranopia"):
        assert distance(red, green, vision) < 0.75 * distance(red, green)
    assert distance(to_rgb("#0072B2"), to_rgb("#009E73"), "tritanopia") < 20
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast(to_rgb("#777777"), (1, 1, 1)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("vision", [name for name in VISIONS if name != "greyscale"])
def test_any_two_colours_can_be_told_apart(vision):
    for one, other in itertools.combinations(COLORS, 2):
        assert distance(to_rgb(one), to_rgb(other), vision) > APART, (one, other)


def test_in_greyscale_neighbours_differ_and_the_rest_has_other_marks_and_lines():
    shades = [to_rgb(color) for color in COLORS]
    for one, other in itertools.pairwise(shades):
        assert distance(one, other, "greyscale") > 10
    near = [
        (i, j)
        for i, j in itertools.combinations(range(len(COLORS)), 2)
        if distance(shades[i], shades[j], "greyscale") <= APART
    ]
    assert near, "then nothing would have to differ"
    for i, j in near:
        assert MARKERS[i] != MARKERS[j] and LINESTYLES[i] != LINESTYLES[j]
    assert len(COLORS) == len(MARKERS) == len(LINESTYLES)


def test_numbers_on_a_colour_can_be_read():
    for number in np.linspace(-1, 1, 401):
        face = diverging_colors(number, 1.0)
        assert contrast(to_rgb(ink_on(face)), face[:3]) >= AA, number


def many():
    """Figures with as many things in one panel as the lessons ever draw, or more."""
    p, rng = pg.plots, np.random.default_rng(0)
    x = np.arange(1.0, 9.0)
    runs = {str(i): np.cumsum(rng.normal(size=(3, 8)), axis=1) for i in range(6)}
    both = {"exact": (x, x), "measured": (x, x)}
    ks = {f"k{i}": x for i in (1, 2, 3)}
    leash = {"score": x, "sensible": x / 9, "kl_reference": x, "kl_old": x[1:]}
    ended = np.array([[True, False], [False, False]])
    words = {(place, sign): "moves" for place in p.clip.PLACES for sign in p.clip.SIGNS}

    def clipped(logp, logp_old, adv, clip):
        ratio = (logp - logp_old).exp()
        return -(ratio * adv).minimum(ratio.clamp(1 - clip, 1 + clip) * adv).mean()

    explorer = p.ClipExplorer(clipped, lambda ratio, adv, clip: ratio * 0 + adv, words)
    ends = {str(i): np.ones((4, 2)) for i in range(3)}
    return {
        "ClipExplorer": lambda: (explorer.still(), explorer.figure(1.4, "-")),
        "angle_histogram": lambda: p.angle_histogram({str(i): x * 20 for i in range(3)}),
        "bars": lambda: p.bars(["1", "2"], [3, 4], [3, 4]),
        "bundle": lambda: p.bundle(x[:, None] * [1.0, 2.0], marked=0).legend(),
        "claims": lambda: p.claims(x, x, x, x, x[:, None] * [1.0, 2.0]),
        "clip_curves": lambda: p.clip_curves(x, {1.0: x, -1.0: -x}),
        "cloud": lambda: p.cloud(x[:, None] * [1.0, 2.0], [1, 1], 2),
        "contest": lambda: p.contest(
            x, {str(i): np.outer([1.0, 2.0], x) for i in range(3)}, ends, (x, x), 9.0
        ),
        "convergence": lambda: p.convergence(x, [x, 2 * x]),
        "cosine_cloud": lambda: p.cosine_cloud(x, {str(i): x / 9 for i in range(4)}),
        "drifts": lambda: p.drifts({"1": runs["0"], "2": runs["1"]}),
        "exact_and_measured": lambda: p.exact_and_measured(
            {str(i): both for i in range(4)}, "", ""
        ),
        "frontier": lambda: p.frontier({0.1: (1.0, 2.0, 0.5)}, (x, x)),
        "gradients": lambda: p.gradients(["1"], [2.0], {str(i): [2.0] for i in range(4)}),
        "kl_estimates_figure": lambda: p.kl_estimates_figure(
            x, ks, {name: np.ones((8, 3)) for name in ks}
        ),
        "learning_curves": lambda: p.learning_curves(runs, 3.0, runs["0"]),
        "leashes": lambda: p.leashes({"1": {0.1: (1, 1)}, "2": {0.1: (1, 2)}}, {"1": x, "2": x}, x),
        "leashes_compared": lambda: p.leashes_compared({"1": leash, "2": leash}),
        "over_steps": lambda: p.over_steps(x, runs, 3.0, live=(x, x)),
        "prompt_weights": lambda: p.prompt_weights(
            x / 9, {str(i): x for i in range(4)}, {"a": (0.5, 2.0)}
        ),
        "probabilities": lambda: p.probabilities(np.ones((2, 5, 4)) / 4, list("1234")),
        "rollout_board": lambda: p.rollout_board(
            pg.Rollout(*[np.zeros((2, 2))] * 6, ended, ~ended)
        ),
        "value_clip": lambda: p.value_clip(x, x, x, 2.0, 3.0, 0.2),
    }


def look(handle):
    """(colour, everything else that tells a legend's entry from another one)."""
    if hasattr(handle, "lines"):  # an error bar
        handle = handle.lines[0]
    if hasattr(handle, "patches"):  # bars
        handle = handle.patches[0]
    if hasattr(handle, "get_segments"):  # short lines
        return on(handle.get_color()[0]), ("strokes", handle.get_linewidth()[0])
    if not hasattr(handle, "get_marker"):
        return on(np.ravel(handle.get_facecolor())), ("area", handle.get_hatch(), 0)
    dashes = handle._unscaled_dash_pattern if handle.get_linestyle() != "None" else None
    marker = handle.get_marker() if handle.get_marker() not in ("", None) else "None"
    alone = dashes is None
    ink = handle.get_markerfacecolor() if alone and marker != "None" else handle.get_color()
    if alone and to_rgba(ink)[3] == 0:
        ink = handle.get_markeredgecolor()
    size = handle.get_markersize() if alone else handle.get_linewidth()
    color = on((*to_rgb(ink), handle.get_alpha() or 1.0))
    return color, ("points" if alone else "line", dashes, marker, size)


def differ(one, other):
    """Whether two legend entries differ in more than a colour: in dashes, marks, hatches, or by a
    factor of 1.8 in size."""
    sizes = sorted((one[-1], other[-1]))
    return one[:-1] != other[:-1] or sizes[1] > 1.8 * sizes[0]


@pytest.mark.parametrize("name", sorted(many()))
def test_what_a_legend_tells_apart_differs_without_colours(name):
    many()[name]()
    panels = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
    entries = [[look(handle) for handle in ax.get_legend_handles_labels()[0]] for ax in panels]
    assert any(entries)
    for (color, one), (color_2, other) in itertools.chain.from_iterable(
        itertools.combinations(panel, 2) for panel in entries
    ):
        nearest = min(distance(color, color_2, vision) for vision in VISIONS)
        assert nearest > APART or differ(one, other), (color, one, color_2, other)


def background(figure, text):
    """The colour that fills most of the place of a text, once all texts are away."""
    box = text.get_window_extent().extents.round().astype(int)
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    x0, y0, x1, y1 = np.clip(box, 0, None)
    part = pixels[pixels.shape[0] - y1 : pixels.shape[0] - y0, x0:x1].reshape(-1, 3)
    colors, counts = np.unique(part, axis=0, return_counts=True)
    return colors[counts.argmax()] / 255 if len(colors) else (1.0, 1.0, 1.0)


@pytest.mark.parametrize("name", sorted(figures()))
def test_words_in_a_figure_can_be_read(name, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(plt, "close", lambda *_figures: None)
        figures()[name]()
    for number in plt.get_fignums():
        figure = plt.figure(number)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # everything has its place by now
        texts = [
            text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()
        ]
        inks = [on((*to_rgb(text.get_color()), text.get_alpha() or 1.0)) for text in texts]
        for text in texts:
            text.set_alpha(0)
        figure.canvas.draw()
        for text, ink in zip(texts, inks):
            assert contrast(ink, background(figure, text)) >= AA, text.get_text()
            assert text.get_size() >= 7, text.get_text()


# Messages ---------------------------------------------------------------------------------------


PROBLEM = Problem(step="value", shown="f(x=1)", expected="2", got="3", hint="Try x = 0.")


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("f", True),
        Verdict("f", True, 8),
        Verdict("f", True, note="right"),
        Verdict("f", False),
        Verdict("f", False, 8, PROBLEM),
    ],
)
def test_a_check_says_by_a_sign_and_in_words_what_its_colour_says(verdict):
    sign, words = ("✓", "right") if verdict.passed else ("✗", "not yet")
    seen = " ".join(text for text, _inside in Page(verdict.html()).texts)
    for face in (verdict.text(), seen):
        assert face.startswith(sign) and words in face
    for label, text in verdict.lines():
        assert label in seen and text in seen


def test_the_labels_of_a_check_can_be_read_on_light_and_on_dark_pages():
    """JupyterLab's two themes: text of alpha .87 on white, white text on #111111."""
    faint = float(re.search(r"opacity:([.\d]+)", Verdict("f", False, 8, PROBLEM).html())[1])
    assert contrast(on((0, 0, 0, 0.87 * faint)), (1, 1, 1)) >= AA
    night = to_rgb("#111111")
    assert contrast(on((1, 1, 1, faint), night), night) >= AA


# Pages of feedback and the report ---------------------------------------------------------------


PICTURE = {
    "a.png": {
        "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+"
        "M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    }
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """name -> page, of a class in which everything occurs that a page can hold."""
    folder = tmp_path_factory.mktemp("class")
    course = classroom.build_course(folder / "course")
    wrong = "def discounted_return(rewards, gamma=1.0):\n    print(rewards)\n    return 0.0\n"
    own = classroom.code("import os\nos.getpid()\nprint(undefined)")
    told = classroom.solved(course, q_why="So: ![](attachment:a.png)", discounted_return=wrong)
    classroom.find(told, "q_why")["attachments"] = PICTURE
    stopped = classroom.solved(course, softmax="import os\nos._exit(1)\n")
    for student, notebook in {
        "ada": classroom.insert_after(told, "softmax", own),
        "ben": classroom.blank(course),
        "cleo": '{"cells": [',
        "dan": stopped,
        "eve": classroom.solved(course, q_why="So."),
    }.items():
        classroom.submit(folder / "submitted", student, notebook)
    options = Options(
        folder / "submitted",
        folder / "marks",
        course,
        jobs=1,
        unsafe=True,
        secret_file=folder / "secret",
    )
    autograde(options)
    with Gradebook(f"sqlite:///{folder}/marks/gradebook.db", "policy_gradients") as book:
        grade = book.find_grade("q_why", classroom.NAME, classroom.NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 3.0, False
        comment = book.find_comment("q_why", classroom.NAME, classroom.NAME, "ada")
        comment.manual_comment = "A picture says it."
        book.db.commit()
    autograde(options)
    files = sorted((folder / "marks").rglob("*.html"))
    return {
        file.parts[-3] if "feedback" in str(file) else "report": Page(
            file.read_text(encoding="utf-8")
        )
        for file in files
    }


def test_the_class_shows_everything_that_a_page_can_hold(pages):
    assert set(pages) == {"ada", "ben", "cleo", "dan", "eve", "report"}
    everything = " ".join(page.source for page in pages.values())
    for part in (
        'class="comment"',
        'class="note"',
        'class="told good"',
        'class="output"',
        "neutral",
        "<img",
        'class="warning"',
        "<h3>",
    ):
        assert part in everything, part


def test_pages_say_their_language_and_title_and_have_an_outline(pages):
    for name, page in pages.items():
        assert page.language == "en" and page.title.strip()
        assert jumps(level for level, _words in page.headings) == [], name
        assert all(words.strip() for _level, words in page.headings)
        assert name == "report" or name in page.title


def test_pictures_on_pages_have_words(pages):
    assert pages["ada"].images and pages["report"].images
    for page in pages.values():
        for image in page.images:
            assert len(image["alt"].split()) >= 3


def test_results_on_pages_are_told_in_words(pages):
    seen = [text for text, _inside in pages["ada"].texts]
    assert "✓ correct" in seen and "✗ not yet" in seen


def test_text_on_pages_has_contrast_enough(pages):
    for name, page in pages.items():
        assert len(page.texts) > 5
        for text, inside in page.texts:
            ink, ground = page.colors(inside)
            assert contrast(to_rgb(ink), to_rgb(ground)) >= AA, (name, text)
