"""No forgery of the bank earns a point, and each is told by a name."""

import pytest

from bank.forged import load
from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.probes import runtime


@pytest.mark.parametrize("forgery", load(), ids=lambda one: f"{one.exercise}-{one.label}")
def test_a_forgery_earns_nothing(forgery):
    names = {forgery.exercise: forgery.answer}

    def probe(request, ask):
        return runtime.run(names, forgery.exercise, request, ask)

    verdict = run_check(get(forgery.exercise), probe, 0)
    assert not verdict.passed
    assert verdict.mistake in forgery.names, verdict.text()
