"""Sliders and switches, moved with keys and mouse: everything they govern follows."""

import io
import threading

import numpy as np
import pytest
from PIL import Image

from tests.browser.lab import CHROMIUM, Lab, excerpt
from tests.pages import pictured

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
LIT = (255, 233, 168)  # the cell of the table that stands out


class Widget:
    """The widget below one cell."""

    def __init__(self, lab, index):
        self.lab, self.index = lab, index
        lab.show(index)
        lab.wait(f"return !!({self.node} && {self.node}.querySelector('img'))")

    @property
    def node(self):
        cell = f"jupyterapp.shell.currentWidget.content.widgets[{self.index}].node"
        return f"{cell}.querySelector('.jp-OutputArea-output .jupyter-widgets')"

    def find(self, selector):
        return self.lab.driver.execute_script(f"return {self.node}.querySelector('{selector}')")

    def text(self):
        return self.lab.driver.execute_script(f"return {self.node}.innerText")

    def picture(self, ready=lambda pixels: True):
        """(RGB pixels, alternative text) once the pixels are ready; if never, the last seen."""
        for _ in range(100):
            script = f"return {self.node}.querySelector('img').outerHTML"
            drawn, words = pictured(self.lab.driver.execute_script(script))
            pixels = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB"))
            if ready(pixels):
                break
            threading.Event().wait(0.1)
        return pixels, words

    def press(self, *keys):
        """Keys with the focus on the slider's handle."""
        handle = self.find(".noUi-handle")
        self.lab.driver.execute_script("arguments[0].focus()", handle)
        handle.send_keys(*keys)

    def drag(self, pixels):
        from selenium.webdriver import ActionChains

        chain = ActionChains(self.lab.driver)
        chain.drag_and_drop_by_offset(self.find(".noUi-handle"), pixels, 0).perform()

    def wait_for(self, words):
        """Until the picture's own words, the last thing to change, hold these."""
        self.lab.wait(f"return {self.node}.querySelector('img').alt.includes(arguments[0])", words)


def is_lit(pixels) -> bool:
    """Whether a cell of the table stands out: not so in a picture that is being replaced."""
    return (pixels == LIT).all(-1).sum() > 1000


def lit_case(pixels):
    """(row, column) of the table's cell that stands out, by its colour."""
    rows, columns = np.nonzero((pixels == LIT).all(-1))
    height, width = pixels.shape[:2]
    assert len(rows) > 1000
    return int(3 * rows.mean() / height), int(columns.mean() > 0.86 * width)


def rise_beside_the_point(pixels):
    """Pixels that the black tangent climbs within 20 to the right of the black point."""
    black = (pixels[:, : int(0.6 * pixels.shape[1])] < 40).all(-1)
    squares = np.lib.stride_tricks.sliding_window_view(black, (7, 7)).all((-1, -2))
    row, column = np.median(np.argwhere(squares), axis=0).astype(int) + 3
    beside = np.nonzero(black[row - 40 : row + 40, column + 20])[0] - 40
    return -beside[np.abs(beside).argmin()]


def open_widget(driver, address, course, lesson, *texts):
    """(lab, widget) with the cells of a solved lesson that hold these texts, and have run; the
    last one shows the widget."""
    path = excerpt(course, f"solutions/en/{lesson}/{lesson}.ipynb", *texts)
    lab = Lab(driver, address, path)
    for text in texts:
        index = lab.index_of(text)
        lab.run(index)
    return lab, Widget(lab, index)


EXPLORER = (
    "import policy_gradients",
    "def softmax(",
    "def importance_ratio(",
    "def ppo_clip_loss(",
    "def clip_gradient(",
    "case_table = {",
    "ClipExplorer",
)


def test_the_clip_explorer_moves_ratio_branch_tangent_and_table_together(driver, address, course):
    lab, explorer = open_widget(driver, address, course, "04_ppo_clip", *EXPLORER)
    explorer.wait_for("r = 1.40, A > 0: above")
    assert "smaller branch is clip(r) A" in explorer.text() and "Slope 0" in explorer.text()
    pixels, words = explorer.picture(is_lit)
    assert lit_case(pixels) == (2, 0) and abs(rise_beside_the_point(pixels)) <= 1
    assert words.startswith("r = 1.40") and "A > 0, above: zero" in words
    lab.screenshot("explorer-above-positive")

    from selenium.webdriver.common.keys import Keys

    explorer.press(Keys.ARROW_LEFT)
    explorer.wait_for("r = 1.39")
    explorer.drag(-60)
    explorer.wait_for("inside the band")
    assert "Both branches agree" in explorer.text() and "Slope +1" in explorer.text()
    pixels, words = explorer.picture(is_lit)
    assert lit_case(pixels) == (1, 0) and rise_beside_the_point(pixels) > 5
    lab.screenshot("explorer-inside-positive")

    explorer.drag(-100)
    explorer.wait_for("below the band")
    assert "smaller branch is r A" in explorer.text() and "Slope +1" in explorer.text()
    pixels, _words = explorer.picture(is_lit)
    assert lit_case(pixels) == (0, 0) and rise_beside_the_point(pixels) > 5

    explorer.find(".widget-toggle-buttons button:nth-child(2)").click()
    explorer.wait_for("A < 0: below")
    assert "smaller branch is clip(r) A" in explorer.text() and "Slope 0" in explorer.text()
    pixels, words = explorer.picture(is_lit)
    assert lit_case(pixels) == (0, 1) and abs(rise_beside_the_point(pixels)) <= 1
    assert "A < 0, below: zero" in words
    lab.screenshot("explorer-below-negative")


BASELINES = (
    "import policy_gradients",
    "def softmax(",
    "def baseline_gradient_samples(",
    "env = pg.envs.Grid(max_steps=200)",
    "pg.plots.slider(",
)


def test_the_baselines_slider_draws_the_cloud_anew_and_keeps_the_pictures_size(
    driver, address, course
):
    from selenium.webdriver.common.keys import Keys

    lab, cloud = open_widget(driver, address, course, "03_baseline_critic", *BASELINES)
    before, words = cloud.picture()
    assert words.startswith("b = 0: total variance") and "baseline b" in cloud.text()
    cloud.press(Keys.ARROW_LEFT)
    cloud.wait_for("b = -5:")
    after, words = cloud.picture()
    assert not np.array_equal(before, after)
    lab.screenshot("baseline-slider")
    shown = driver.execute_script(
        "return [arguments[0].width, arguments[0].naturalWidth]", cloud.find("img")
    )
    assert shown[0] == shown[1]
