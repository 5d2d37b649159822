"""What a reply may cost the grader's own process."""

import dataclasses
import itertools
import resource

import numpy as np
import pytest

from grader.checking import Case, RuleExercise
from grader.marking import marker
from grader.marking.resource_guard import resource_guard
from grader.probes.runtime import TooSlow
from grader.sandbox import doctor
from tests import classroom
from tests.classroom import NAME

if not doctor.can_isolate():
    pytest.skip("this machine can't isolate", allow_module_level=True)


def hoard():
    """Takes memory that a reply of a few bytes could ask for; two gigabytes at most."""
    return [np.ones(2_000_000) for _ in range(125)]


def spin():
    """Two thousand million steps: minutes, so that nothing but the guard ends it."""
    for _step in itertools.repeat(None, 2 * 10**9):
        pass


def test_memory_ends_and_the_limits_are_as_before():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(MemoryError), resource_guard(60, 200):
        hoard()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    with resource_guard(60, 200):
        assert len(np.ones(1_000_000)) == 1_000_000


def test_time_ends_also_where_it_is_swallowed_once():
    with pytest.raises(TooSlow), resource_guard(0.2, 500):
        try:
            spin()
        except BaseException:
            spin()


def test_a_tighter_limit_stays():
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (10**10, hard))
    try:
        with resource_guard(60, 10**6):
            assert resource.getrlimit(resource.RLIMIT_DATA)[0] == 10**10
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@dataclasses.dataclass(frozen=True)
class Dear(RuleExercise):
    """Its rule costs what the reply makes it cost; its answers as well."""

    def answer(self, question):
        return {"value": len(hoard())}


class Session:
    """Answers each probe with the same reply."""

    ended = ""

    def __init__(self, question=None):
        self.question, self.answers = question, []

    def probe(self, name, request, seconds, ask=None):
        if ask and self.question:
            self.answers.append(ask(self.question))
        return [{}]


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A function from what a check's rule does, and a session, to the verdict and the run."""
    lesson = classroom.build_course(tmp_path).lesson(NAME)
    monkeypatch.setattr(marker, "JUDGING_SECONDS", 0.3)
    monkeypatch.setattr(marker, "ANSWER_MB", 200)
    monkeypatch.setattr(marker, "JUDGING_MB", 200)

    def judge(act, session, needs=()):
        case, rules = Case({}, shown="softmax()"), (lambda *_: act(),)
        exercise = Dear("softmax", "call", lambda rng: [case], rules, prerequisites=needs)
        monkeypatch.setattr(marker, "get", lambda name: exercise)
        monkeypatch.setattr("grader.checks.judge.get", lambda name: exercise)
        task = marker.Task("eve", lesson, b"", {"softmax": 1})
        run = marker._Run(task, lesson, marker.blank(lesson))
        run.failed = set(needs)
        return run._verdict("softmax", session), run

    return judge


def test_a_reply_that_would_cost_memory_fails_its_check(judged):
    verdict, _run = judged(lambda: hoard() and None, Session())
    assert not verdict.passed and verdict.step == "reply"


def test_a_reply_that_would_cost_time_fails_its_check_and_is_told(judged):
    verdict, run = judged(spin, Session())
    assert not verdict.passed and verdict.mistake == "bad-reply"
    assert "took longer than allowed" in str(run.plan.suspicions[0])


def test_all_checks_together_have_a_limit(judged, monkeypatch):
    monkeypatch.setattr(marker, "JUDGING_SECONDS", 1000)
    monkeypatch.setattr(marker, "ALL_JUDGING_SECONDS", 0.3)
    assert judged(spin, Session())[0].mistake == "bad-reply"


def test_an_answer_that_would_cost_memory_is_not_given(judged):
    session = Session({"name": "softmax", "args": [], "kwargs": {}})
    judged(lambda: 1 / 0, session, needs=("softmax",))
    assert session.answers == [{}]
