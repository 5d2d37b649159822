"""Every solved lesson in JupyterLab: in Spanish, for the build's tests run the English ones. Those
with widgets of each kind are run from top to bottom, one of them with all solutions typed into the
student's notebook; the others are read as they are committed."""

import pytest

from tests.browser.lab import CHROMIUM, ROOT, Lab, code_cells, solutions

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
WIDGET = "application/vnd.jupyter.widget-view+json"
CODE = (
    "const cells = jupyterapp.shell.currentWidget.content.widgets"
    ".filter(w => w.model.type == 'code');"
)
# Formulas in error, pictures that are none, and what is wider than the page.
UNREADABLE = """
const all = selector => [...document.querySelectorAll(`.jp-Notebook ${selector}`)];
const shown = ".jp-RenderedMarkdown, .jp-RenderedText, .jp-RenderedHTMLCommon";
return [...all("mjx-merror"), ...all("img").filter(n => !n.naturalWidth),
        ...all(shown).filter(n => n.scrollWidth > n.clientWidth + 1)]
    .map(n => (n.innerText || n.outerHTML).slice(0, 200));
"""
LESSONS = sorted(path.name for path in (ROOT / "solutions" / "es").iterdir())
# Predictions and one slider, two sliders, the clip explorer.
RUN = ("01_reinforce", "03b_gae", "04_ppo_clip")
TYPED = "01_reinforce"


def committed(lesson):
    """The file of a solved lesson."""
    return ROOT / "solutions" / "es" / lesson / f"{lesson}.ipynb"


@pytest.mark.parametrize("lesson", [one for one in LESSONS if one not in RUN or one == TYPED])
def test_a_solved_lesson_can_be_read(driver, address, lesson):
    lab = Lab(driver, address, f"solutions/es/{lesson}/{lesson}.ipynb")
    assert all(cell["outputs"] for cell in lab.outputs() if cell["about"].get("trained"))
    lab.scroll_through(lesson)
    lab.wait("return document.querySelectorAll('.jp-Notebook mjx-container').length > 5")
    assert driver.execute_script(UNREADABLE) == []
    lab.shut_down()


def opened(driver, address, lesson):
    """The solved lesson, or the student's notebook with every solution typed in."""
    if lesson != TYPED:
        return Lab(driver, address, f"solutions/es/{lesson}/{lesson}.ipynb")
    lab = Lab(driver, address, f"notebooks/es/{lesson}/{lesson}.ipynb")
    for grade_id, source in solutions(committed(lesson)).items():
        name = grade_id.removesuffix("-answer")
        first = f"{name} = None" if name.startswith("q_") else f"def {name}("
        lab.write(lab.index_of(first), source)
    return lab


@pytest.mark.parametrize("lesson", RUN)
def test_all_but_training_runs_and_every_check_is_right(driver, address, lesson):
    lab = opened(driver, address, lesson)
    lab.run_all_but_training(seconds=600)
    cells = lab.outputs()
    lab.screenshot(f"solved-{lesson}")
    assert all(cell["count"] for cell in cells if not cell["about"].get("trained"))
    if lesson != TYPED:
        assert all(cell["outputs"] for cell in cells if cell["about"].get("trained"))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert checks and all(_text(cell).startswith("✓") for cell in checks)
    made = [cell for cell in cells if not cell["about"].get("trained")]
    was = code_cells(committed(lesson))
    was = [cell for cell in was if not cell["metadata"]["policy_gradients"].get("trained")]
    assert figures(made) == figures(was) > 4
    assert len(checks) == sum("".join(c["source"]).startswith("check(") for c in was)
    lab.scroll_through(lesson)
    for widget in (i for i, cell in enumerate(cells) if WIDGET in _kinds(cell)):
        lab.wait(
            f"{CODE} const n = cells[arguments[0]].node.querySelector('.jupyter-widgets');"
            "return !!n && (n.querySelector('.noUi-handle') ? n.querySelector('img')"
            " : n.querySelector('button, input, select'))",
            widget,
        )
    assert driver.execute_script(UNREADABLE) == []
    lab.shut_down()


def figures(cells) -> int:
    """How many pictures the cells show."""
    return sum("image/png" in o.get("data", {}) for cell in cells for o in cell["outputs"])


def _kinds(cell):
    return {kind for output in cell["outputs"] for kind in output.get("data", {})}


def _text(cell):
    return "".join("".join(o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
