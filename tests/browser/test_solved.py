"""Every solved lesson, run from top to bottom in JupyterLab."""

import shutil

import pytest

from tests.browser.lab import CHROMIUM, ROOT, Lab, browser, server

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
LESSONS = sorted(path.name for path in (ROOT / "solutions" / "en").iterdir())
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved")
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    with server(folder) as address:
        yield address


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_cell_of_a_solved_lesson_runs_and_every_check_is_right(driver, address, lesson):
    lab = Lab(driver, address, f"solutions/en/{lesson}/{lesson}.ipynb")
    lab.clear()
    lab.run_all(seconds=600)
    cells = lab.outputs()
    assert all(cell["count"] for cell in cells if cell["source"].strip())
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert checks and all(_text(cell).startswith("✓") for cell in checks)
    lab.screenshots(lesson)


def _text(cell):
    return "".join("".join(o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
