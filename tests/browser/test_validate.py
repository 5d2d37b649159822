"""nbgrader's Validate button: what it says to a student, notebook by notebook."""

import json
import re

import pytest

from tests import classroom
from tests.browser.lab import CHROMIUM, Lab

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
LESSON = "notebooks/en/02_variance/02_variance.ipynb"


@pytest.fixture(scope="package")
def tiny(course):
    """A course with one tiny lesson, inside the folder that is served."""
    return classroom.build_course(course / "validate")


def pressed(lab, name) -> str:
    """The words of the dialogue that the button opens."""
    from selenium.webdriver.common.by import By

    lab.driver.find_element(By.CSS_SELECTOR, ".validate-button").click()
    dialogue = "document.querySelector('.jp-Dialog-content')"
    words = lab.wait(
        f"return {dialogue} && /Ok$/.test({dialogue}.innerText.trim()) && {dialogue}.innerText",
        seconds=300,
    )
    lab.screenshot(f"validate-{name}")
    lab.driver.find_element(By.CSS_SELECTOR, ".jp-Dialog-button").click()
    lab.shut_down()
    return words


def submission(driver, address, tiny, name, notebook):
    """A student's notebook of the tiny lesson, open in the browser."""
    path = tiny.root / "notebooks" / "en" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))
    return Lab(driver, address, str(path.relative_to(tiny.root.parent)))


def test_a_blank_lesson_is_told_each_check_in_words(driver, address):
    lab = Lab(driver, address, LESSON)
    sources = [cell["source"] for cell in lab.outputs()]
    checks = {source.strip() for source in sources if source.startswith("check(")}
    words = pressed(lab, "blank")
    assert len(checks) >= 5
    assert set(re.findall(r"^check\(.*\)$", words, re.M)) == checks
    assert words.count("Replace raise NotImplementedError with your code.") >= 4
    assert "Traceback" not in words


def test_a_wrong_answer_is_told_its_hint_and_a_right_one_is_not_mentioned(driver, address, tiny):
    wrong = "def discounted_return(rewards, gamma=1.0):\n    return float(sum(rewards))\n"
    notebook = classroom.solved(tiny, q_why="So.", discounted_return=wrong)
    words = pressed(submission(driver, address, tiny, "wrong", notebook), "wrong")
    assert re.findall(r"^check\(.*\)$", words, re.M) == ['check("discounted_return")']
    assert "discounted_return: Set gamma to 0" in words and "Traceback" not in words


def test_a_right_notebook_passes(driver, address, tiny):
    notebook = classroom.solved(tiny, q_why="So.")
    words = pressed(submission(driver, address, tiny, "right", notebook), "right")
    assert "Success! Your notebook passes all the tests." in words and "failed" not in words
