"""The start page as ``make lab`` opens it: its check speaks, its table shows the saved work."""

import json
import shutil

import pytest

from tests.browser.lab import CHROMIUM, ROOT, TOKEN, Lab
from tests.classroom import NAME, build_course, solved

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
PAGE = "notebooks/en/00_start.ipynb"


@pytest.fixture
def beside(course):
    """The folder, below the one that is served, of the start page beside a tiny lesson, half of
    which is solved and saved."""
    made = build_course(course / "start")
    shutil.copy(ROOT / PAGE, made.root / PAGE)
    wrong = "def discounted_return(rewards, gamma=1.0):\n    return 0.0\n"
    made.path(NAME).write_text(json.dumps(solved(made, discounted_return=wrong)))
    return "start"


def test_the_first_page_of_lab_is_the_start_page_and_it_shows_the_progress(driver, address, beside):
    driver.get(f"{address}/?token={TOKEN}")
    assert driver.current_url.split("?")[0] == f"{address}/lab/tree/{PAGE}"
    lab = Lab(driver, address, f"{beside}/{PAGE}")
    lab.run_all()
    # A student's lab: nbgrader's Validate alone, no tool of the instructor's.
    menus = "return [...document.querySelectorAll('.lm-MenuBar-item')].map(n => n.innerText)"
    assert "Nbgrader" not in driver.execute_script(menus)
    commands = "return jupyterapp.commands.listCommands().filter(c => c.includes('nbgrader'))"
    assert "nbgrader:open-create-assignment" not in driver.execute_script(commands)
    assert driver.execute_script("return !!document.querySelector('.validate-button')")
    greetings = "return document.querySelectorAll('.Toastify__toast').length"
    assert driver.execute_script(greetings) == 0
    example, progress = lab.index_of("discounted_return"), lab.index_of("pg.progress()")
    assert "not yet" in lab.output(example)
    told = lab.output(progress)
    lab.show(example)
    lab.screenshot("start-check")
    lab.show(progress)
    lab.screenshot("start-progress")
    assert "1 / 2" in told and "3 / 5" in told and "Next: discounted_return" in told
    links = driver.execute_script(
        "const w = jupyterapp.shell.currentWidget.content.widgets[arguments[0]];"
        "return [...w.node.querySelectorAll('td a, th a')].map(a => a.innerText)",
        progress,
    )
    assert links == ["A tiny lesson"]
