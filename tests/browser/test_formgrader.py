"""The formgrader beside the marks, as docs/instructors.md opens it: its buttons are pressed."""

import csv
import os
import re
import sys
from pathlib import Path

import pytest

from grader.grading.autograde import Options, autograde
from tests import classroom
from tests.browser.lab import CHROMIUM, TOKEN, Window, serving
from tests.classroom import NAME, submit
from tests.pages import Page
from tests.sandboxes import needs_walls
from tests.warm import warm_module  # noqa: F401

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
    needs_walls,
]
WRONG = "def discounted_return(rewards, gamma=1.0):\n    return 0.0\n"


@pytest.fixture(scope="module")
def marks(tmp_path_factory, warm_module):  # noqa: F811 - a fixture
    """A folder of marks: Ada and Ben are graded, Cleo came after that. Each test changes what no
    other one looks at."""
    folder = tmp_path_factory.mktemp("marks")
    course = classroom.build_course(folder / "course")
    submitted = folder / "submitted"
    submit(submitted, "ada", classroom.solved(course, q_why="Because <b>so</b>."))
    submit(submitted, "ben", classroom.blank(course))
    (folder / "secret").write_text("ab" * 32)
    (folder / "secret").chmod(0o600)
    grade(folder, "marks")
    submit(submitted, "cleo", classroom.solved(course, discounted_return=WRONG))
    return folder / "marks"


def grade(folder, out) -> dict:
    """Grades by our own command; student -> (points, most)."""
    course = classroom.Course(folder / "course")
    autograde(
        Options(folder / "submitted", folder / out, course, jobs=1, secret_file=folder / "secret")
    )
    totals = {}
    with open(folder / out / "grades.csv", newline="") as file:
        for row in csv.DictReader(file):
            score, most = totals.get(row["student"], (0, 0))
            score, most = score + float(row["score"] or 0), most + float(row["max_score"])
            totals[row["student"]] = score, most
    return totals


@pytest.fixture(scope="module")
def instructors(marks):
    """The address of an instructor's server in the folder of marks."""
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    with serving([str(programs / "jupyter"), "lab"], marks, PATH=path) as address:
        yield address


@pytest.fixture
def formgrader(driver, instructors):
    """The formgrader, opened by JupyterLab's menu; where it is open, its first page anew."""
    window, is_open = Window(driver), driver.current_url.startswith(f"{instructors}/lab")
    if not is_open:
        driver.get(f"{instructors}/lab?token={TOKEN}&reset")
        window.choose("Nbgrader", "Formgrader")
    frame = "return document.querySelector('iframe[src*=formgrader]')"
    driver.switch_to.frame(window.wait(frame))
    if is_open:
        driver.execute_script("location.reload()")
    yield Formgrader(window)
    driver.switch_to.default_content()


class Formgrader:
    """Its pages, inside the frame."""

    def __init__(self, window):
        self.window, self.driver = window, window.driver

    def rows(self) -> dict:
        """student -> (status, score) of the list of submissions, once it is drawn."""
        self.window.wait(
            "const names = [...document.querySelectorAll('#main-table .student-id')];"
            "return names.length && names.every(name => name.innerText.trim())"
        )
        return dict(
            self.driver.execute_script(
                "const words = (row, name) => row.querySelector('.' + name).innerText.trim();"
                "return [...document.querySelectorAll('#main-table tr')].map(row => ["
                "words(row, 'student-id'), [words(row, 'status'), words(row, 'score')]])"
            )
        )

    def press(self, button, student=None) -> str:
        """Presses a button of the first row, or of a student's; the words that come of it."""
        self.driver.execute_script(
            "[...document.querySelectorAll('#main-table tr')].find(row => !arguments[1] ||"
            " row.querySelector('.student-id').innerText.trim() == arguments[1])"
            ".querySelector(`.${arguments[0]} a`).click()",
            button,
            student,
        )
        shown = "document.querySelector('.modal.in .modal-body')"
        words = self.window.wait(f"return {shown} && {shown}.innerText", seconds=300)
        self.window.screenshot(f"formgrader-{button}")
        self.driver.execute_script(
            "document.querySelector('.modal.in .modal-footer button').click()"
        )
        self.window.wait("return !document.querySelector('.modal.in')")
        return words

    def open_submissions(self):
        self.window.wait("return !!document.querySelector('.num-submissions a')")
        self.driver.execute_script("document.querySelector('.num-submissions a').click()")
        self.window.wait("return document.querySelectorAll('#main-table .autograde a').length == 3")


def test_the_generate_button_makes_the_students_version_that_was_handed_out(formgrader, marks):
    release = marks.parent / "course" / "notebooks" / "en" / NAME / f"{NAME}.ipynb"
    before = release.read_bytes()
    release.unlink()
    formgrader.window.wait("return !!document.querySelector('#main-table .assign a')")
    assert "Successfully created the student version" in formgrader.press("assign")
    assert release.read_bytes() == before


def test_autograde_and_feedback_by_the_buttons(formgrader, driver, marks):
    formgrader.open_submissions()
    before = formgrader.rows()
    assert before["cleo"] == ["needs autograding", ""]
    assert before["ada"] == ["needs manual grading", "5 / 9"] and before["ben"][1] == "0 / 9"
    assert "Successfully autograded" in formgrader.press("autograde", "cleo")
    formgrader.window.wait("return document.querySelectorAll('.label-warning').length == 0")
    scores = {student: score for student, (_status, score) in formgrader.rows().items()}
    ours = grade(marks.parent, "ours")
    assert scores == {name: f"{score:g} / {most:g}" for name, (score, most) in ours.items()}
    assert scores["cleo"] == "3 / 9"
    assert "Successfully generated feedback" in formgrader.press("generate-feedback", "cleo")
    page = marks / "feedback" / "cleo" / NAME / f"{NAME}.html"
    driver.switch_to.default_content()
    driver.get(page.as_uri())
    formgrader.window.screenshot("formgrader-page")
    words = driver.execute_script("return document.body.innerText")
    assert "Score: 3.0 / 9.0" in words and "✗ discounted_return: not yet" in words


def test_our_own_feedback_and_report_open_without_a_server(driver, marks):
    window = Window(driver)
    for name, page in (
        ("feedback", marks / "feedback" / "ada" / NAME / f"{NAME}.html"),
        ("report", marks / "report.html"),
    ):
        driver.get(page.as_uri())
        window.screenshot(name)
        assert driver.title == Page(page.read_text()).title
        assert driver.execute_script(
            "return document.documentElement.scrollWidth <= innerWidth"
            " && [...document.images].every(image => image.naturalWidth)"
        )
        assert re.search(r"\d", driver.execute_script("return document.body.innerText"))
