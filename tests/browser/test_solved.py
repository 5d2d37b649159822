"""Every solved lesson in JupyterLab: in Spanish, for the build's tests run the English ones. Those
with widgets of each kind are run from top to bottom; the others are read as they are committed."""

import pytest

from tests.browser.lab import CHROMIUM, ROOT, Lab

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


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson not in RUN])
def test_a_solved_lesson_can_be_read(driver, address, lesson):
    lab = Lab(driver, address, f"solutions/es/{lesson}/{lesson}.ipynb")
    lab.scroll_through(lesson)
    lab.wait("return document.querySelectorAll('.jp-Notebook mjx-container').length > 5")
    assert driver.execute_script(UNREADABLE) == []
    lab.shut_down()


@pytest.mark.parametrize("lesson", RUN)
def test_all_but_training_runs_in_a_solved_lesson_and_every_check_is_right(driver, address, lesson):
    lab = Lab(driver, address, f"solutions/es/{lesson}/{lesson}.ipynb")
    lab.run_all_but_training(seconds=600)
    cells = lab.outputs()
    assert all(cell["count"] for cell in cells if not cell["about"].get("trained"))
    assert all(cell["outputs"] for cell in cells if cell["about"].get("trained"))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert checks and all(_text(cell).startswith("✓") for cell in checks)
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


def _kinds(cell):
    return {kind for output in cell["outputs"] for kind in output.get("data", {})}


def _text(cell):
    return "".join("".join(o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
