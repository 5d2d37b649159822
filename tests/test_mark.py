"""Marking by hand: boxes from the scheme, into nbgrader's gradebook, on a page for one person."""

import http.client
import json
import threading

import pytest
from nbgrader.api import Gradebook

from grader.course import HERE, Course
from grader.handmarks.book import HandMarks
from grader.handmarks.scheme import _parsed, read_scheme
from grader.handmarks.server import Server
from grader.records.gradebook import COURSE, Ledger
from tests import classroom
from tests.classroom import NAME, submit
from tests.test_autograde import (  # noqa: F401
    alembic_on_path,
    copied,
    give_by_hand,
    grade,
    graded,
    needs_walls,
    warm,
)

STYLE, RUBRIC = "for style", "for the rubric"
SCHEME = f"Model.\n\n### BEGIN MARK SCHEME\n- 2 points: {RUBRIC}\n- 1.5 points: {STYLE}\n"


@pytest.mark.parametrize(
    ("lesson", "question", "most", "count"),
    [
        ("01_reinforce", "q_log_derivative", 4, 4),
        ("03_baseline_critic", "q_unbiased", 3, 3),
    ],
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_lessons_schemes_become_boxes(lesson, question, most, count, language):
    scheme = read_scheme(HERE, lesson, question, language)
    assert [item.points for item in scheme.items] == [1.0] * count and count == most
    english = read_scheme(HERE, lesson, question)
    assert [item.key for item in scheme.items] == [item.key for item in english.items]
    assert scheme.answer and "MARK SCHEME" not in scheme.answer
    assert (scheme.items[0].words == english.items[0].words) is (language == "en")


@pytest.mark.parametrize(
    ("text", "points", "words"),
    [
        ("Two points each:\n\n- a\n  b\n- c\n\nd is right, too.", [2, 2], ["a b", "c"]),
        ("1 point: a\nb\n0.5 points: c", [1, 0.5], ["a b", "c"]),
        ("Two points for this, two for that.", [], []),
        ("", [], []),
    ],
)
def test_schemes_in_other_words(text, points, words):
    found = _parsed(f"x\n### BEGIN MARK SCHEME\n{text}\n### END MARK SCHEME").items
    assert [item.points for item in found] == points and [i.words for i in found] == words


@pytest.fixture
def marks(copied, warm):  # noqa: F811
    """The class with two more texts, and a scheme of two boxes."""
    course = classroom.Course(copied / "course")
    for student, text in (("ben", "Ben's $x^2$."), ("gil", "<script>alert(1)</script>")):
        submit(copied / "in", student, classroom.solved(course, q_why=text))
    grade(copied)
    path = copied / "course" / "solutions" / "en" / NAME / f"{NAME}.ipynb"
    solutions = json.loads(path.read_text())
    classroom.find(solutions, "q_why")["source"] = SCHEME
    path.write_text(json.dumps(solutions))
    with Ledger(copied / "out" / "gradebook.db") as ledger:
        yield HandMarks(ledger, course, copied / "out")


def booked(marks, student):
    """(mark, whether it waits, comment) as nbgrader reads them."""
    with Gradebook(f"sqlite:///{marks.out}/gradebook.db", COURSE) as book:
        kept = book.find_grade("q_why", NAME, NAME, student)
        comment = book.find_comment("q_why", NAME, NAME, student)
        return kept.manual_score, kept.needs_manual_grade, comment.manual_comment


def ids(marks, question):
    return {one.student: one.id for one in marks.answers(question)}


@needs_walls
def test_written_texts_come_in_a_stable_order_without_names(marks):
    (question,) = marks.questions()
    first = [one.id for one in marks.answers(question)]
    assert first == [one.id for one in marks.answers(question)] and len(set(first)) == 3
    assert sorted(ids(marks, question)) == ["anna", "ben", "gil"]
    assert not any(one.student in one.id for one in marks.answers(question))


@needs_walls
def test_boxes_make_the_mark_as_the_formgrader_would_write_it(marks):
    (question,) = marks.questions()
    rubric, style = question.scheme.items
    one = ids(marks, question)
    assert marks.mark(question, one["anna"], [rubric.key, style.key], None, "Good.") == 3.5
    assert booked(marks, "anna") == (3.5, False, "Good.")
    assert marks.mark(question, one["ben"], [], 0) == 0.0
    assert booked(marks, "ben") == (0.0, False, None)
    assert marks.mark(question, one["gil"], [], 99) == 4.0  # never more than the question is worth
    assert marks.mark(question, one["gil"], []) is None
    assert booked(marks, "gil") == (None, True, None)
    with pytest.raises(KeyError):
        marks.mark(question, "0" * 16, [rubric.key])


@needs_walls
def test_changing_a_point_marks_all_anew_but_what_the_formgrader_gave(marks, copied):  # noqa: F811
    (question,) = marks.questions()
    rubric, style = question.scheme.items
    one = ids(marks, question)
    marks.mark(question, one["anna"], [rubric.key, style.key], None, "Kept.")
    marks.mark(question, one["ben"], [rubric.key])
    marks.mark(question, one["gil"], [rubric.key])
    give_by_hand(copied, "gil", "q_why", 0.5)
    changed = marks.set_points(question, rubric.key, 1)
    assert changed == {one["anna"]: 2.5, one["ben"]: 1.0}
    assert booked(marks, "anna") == (2.5, False, "Kept.") and booked(marks, "ben")[0] == 1.0
    assert booked(marks, "gil")[0] == 0.5
    with pytest.raises(KeyError):
        marks.set_points(question, "no such box", 1)


@needs_walls
def test_a_scheme_changed_in_the_lesson_counts_at_the_next_start(marks, copied):  # noqa: F811
    (question,) = marks.questions()
    rubric = question.scheme.items[0]
    marks.mark(question, ids(marks, question)["anna"], [rubric.key])
    path = copied / "course" / "solutions" / "en" / NAME / f"{NAME}.ipynb"
    path.write_text(path.read_text().replace("2 points", "3 points"))
    (question,) = marks.questions()
    assert marks.rescore(question) == {ids(marks, question)["anna"]: 3.0}


@needs_walls
def test_marks_given_here_are_on_the_page_after_the_next_run(marks, copied):  # noqa: F811
    (question,) = marks.questions()
    marks.mark(question, ids(marks, question)["anna"], [], 3, "Well argued.")
    grade(copied)
    page = (copied / "out" / "feedback" / "anna" / NAME / f"{NAME}.html").read_text()
    assert "8 of 9 points" in page and "Well argued." in page


@pytest.fixture
def page(marks):
    """A function that asks the server: (status, text, headers)."""
    server = Server(marks)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def ask(path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        headers = {"Host": server.host, **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = None if body is None else json.dumps(body)
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request("GET" if body is None else "POST", path, data, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers

    ask.root, ask.server = f"/{server.token}/", server
    yield ask
    server.shutdown()
    server.server_close()


@needs_walls
def test_the_page_lists_marks_and_hides_names(page, marks):
    status, text, headers = page(page.root)
    assert status == 200 and "q_why" in text and "0 / 3" in text
    status, text, headers = page(f"{page.root}{NAME}/q_why")
    assert status == 200 and RUBRIC in text and "Ben's $x^2$." in text.replace("&#39;", "'")
    assert (
        "<script>alert" not in text and "default-src 'none'" in headers["Content-Security-Policy"]
    )
    for name in ("anna", "gil"):
        assert name not in text
    (question,) = marks.questions()
    told = {
        "id": ids(marks, question)["anna"],
        "ticks": [question.scheme.items[0].key],
        "points": None,
        "comment": "So.",
    }
    status, text, _headers = page(f"{page.root}mark/{NAME}/q_why", told)
    assert (status, json.loads(text)) == (200, {"score": 2.0, "waiting": 2})
    assert booked(marks, "anna") == (2.0, False, "So.")
    told = {"item": question.scheme.items[0].key, "points": 1}
    status, text, _headers = page(f"{page.root}worth/{NAME}/q_why", told)
    assert status == 200 and list(json.loads(text)["scores"].values()) == [1.0]


@needs_walls
def test_nobody_but_the_page_itself_is_answered(page, marks):
    assert page.server.server_address[0] == "127.0.0.1"
    (question,) = marks.questions()
    told = {"id": ids(marks, question)["anna"], "ticks": [], "points": 4, "comment": ""}
    mark = f"{page.root}mark/{NAME}/q_why"
    assert page("/")[0] == page("/wrong/")[0] == page(f"/wrong{mark}", told)[0] == 403
    assert page(page.root, Host="evil.example:80")[0] == 403
    assert page(mark, told, Origin="http://evil.example")[0] == 403
    assert page(mark, told, Content_Type="text/plain")[0] == 403
    assert page(mark, told, Host="evil.example")[0] == 403
    assert booked(marks, "anna")[0] is None
    for path in ("../../etc/passwd", f"{NAME}/no_such", "a/b/c", f"mark/{NAME}/q_why"):
        assert page(page.root + path)[0] == 404
    for body in ({}, [], {"id": 3}, {**told, "points": "many"}, {**told, "ticks": 5}):
        assert page(mark, body)[0] == 404, body
    assert page(f"{page.root}{NAME}/q_why")[0] == 200


def test_the_course_of_this_repository_has_questions_to_mark():
    free = [
        c.grade_id
        for n in Course(HERE).names()
        for c in Course(HERE).lesson(n).graded
        if c.kind == "free"
    ]
    assert "q_log_derivative" in free
