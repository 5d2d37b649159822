"""The page for marking by hand, with keys alone: what is pressed is what the gradebook is told."""

import threading

import pytest

from grader.handmarks.book import Answer, Question
from grader.handmarks.scheme import Item, Scheme
from grader.handmarks.server import Server
from tests.browser.lab import CHROMIUM

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
ITEMS = Item("aa", "moves the gradient", 2.0), Item("bb", "names the score", 1.5)


class Texts:
    """In place of a gradebook: three texts, and everything that it was told."""

    def __init__(self):
        self.one = Question("01_a", "q_why", 4.0, Scheme(ITEMS, "Model.", ""))
        self.told, self.worth = [], {item.key: item.points for item in ITEMS}
        self.given = {f"id{n}": (None, ()) for n in range(3)}

    def questions(self):
        return [self.one]

    def question(self, lesson, name):
        return self.one

    def points(self, question):
        return self.worth

    def answers(self, question):
        return [
            Answer(one, f"student{one}", "<b>$x$</b>", [], score, "", ticks, bool(ticks))
            for one, (score, ticks) in self.given.items()
        ]

    def mark(self, question, answer_id, ticks=(), points=None, comment=""):
        score = sum(self.worth[key] for key in ticks) if points is None and ticks else points
        self.given[answer_id] = score, tuple(ticks)
        self.told.append((answer_id, list(ticks), score, comment))
        return score

    def set_points(self, question, key, points):
        self.worth[key] = points
        changed = {one: points for one, (_score, ticks) in self.given.items() if ticks == (key,)}
        for one, score in changed.items():
            self.given[one] = score, (key,)
        return changed


@pytest.fixture
def page(driver):
    """(texts, driver on the question's page)."""
    texts = Texts()
    server = Server(texts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    driver.get(server.address)
    driver.find_element("css selector", "td a").click()
    yield texts, driver
    server.shutdown()
    server.server_close()


def press(driver, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def until(driver, condition):
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 60).until(lambda _driver: condition())


def shown(driver):
    """(points of each text, progress, number of the text that has the keys)."""
    return driver.execute_script(
        "return [[...document.querySelectorAll('.points')].map(box => box.value),"
        "document.getElementById('count').textContent,"
        "[...document.querySelectorAll('article')].findIndex(a => a.matches('.here'))]"
    )


def test_digits_tick_boxes_and_enter_goes_on(page):
    from selenium.webdriver.common.keys import Keys

    texts, driver = page
    assert "studentid" not in driver.page_source and "&lt;b&gt;$x$" in driver.page_source
    press(driver, "1")
    until(driver, lambda: len(texts.told) == 1)
    press(driver, "2")
    until(driver, lambda: len(texts.told) == 2)
    press(driver, Keys.ENTER, "0")
    until(driver, lambda: len(texts.told) == 3)
    assert texts.told == [
        ("id0", ["aa"], 2.0, ""),
        ("id0", ["aa", "bb"], 3.5, ""),
        ("id1", [], 0, ""),
    ]
    until(driver, lambda: shown(driver) == [["3.5", "0", ""], "2 / 3", 1])
    press(driver, Keys.BACKSPACE)
    assert shown(driver)[2] == 0
    driver.refresh()
    assert shown(driver) == [["3.5", "0", ""], "2 / 3", 2]  # on with the first that waits


def test_a_comment_keeps_the_mark_and_digits_in_it_tick_nothing(page):
    from selenium.webdriver.common.keys import Keys

    texts, driver = page
    press(driver, "1")
    until(driver, lambda: len(texts.told) == 1)
    press(driver, "c", "2", "!", Keys.ESCAPE)
    until(driver, lambda: len(texts.told) == 2)
    assert texts.told[-1] == ("id0", ["aa"], 2.0, "2!")


def test_what_a_box_is_worth_can_be_changed(page):
    from selenium.webdriver.common.keys import Keys

    texts, driver = page
    press(driver, "1")
    until(driver, lambda: len(texts.told) == 1)
    worth = driver.find_element("css selector", ".worth")
    worth.clear()
    worth.send_keys("3", Keys.TAB)
    until(driver, lambda: shown(driver)[0][0] == "3")
    assert texts.worth == {"aa": 3, "bb": 1.5}
