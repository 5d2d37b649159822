"""No forgery of the bank earns a point, and each is told by a name."""

import os

import pytest

from bank.forged import load
from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.probes import runtime

# Those of train_grpo are the same ones under the same rules, and take a third of the time; this one
# plays 20 seconds. EVERY_FORGERY=1 takes all, and so does python -m bank.margins.
SLOW = {("train_ppo", "elite-actions")}
SAMPLE = {
    "gradients-of-a-twin",
    "half-imitation",
    "fitted-before-the-last-step",
    "best-of-four",
    "noise",
    "now-and-then",
}
LUCKY = {("train_language_ppo", "now-and-then"): 1}  # a secret on which it came closest


def tried():
    """The forgeries of this run."""
    for one in load():
        slow = (one.exercise, one.label) in SLOW
        slow |= one.exercise == "train_language_ppo" and one.label not in SAMPLE
        if not slow or os.environ.get("EVERY_FORGERY"):
            yield one


@pytest.mark.parametrize("forgery", [*tried()], ids=lambda one: f"{one.exercise}-{one.label}")
def test_a_forgery_earns_nothing(forgery):
    names = {forgery.exercise: forgery.answer}

    def probe(request, ask):
        return runtime.run(names, forgery.exercise, request, ask)

    secret = LUCKY.get((forgery.exercise, forgery.label), 0)
    verdict = run_check(get(forgery.exercise), probe, secret)
    assert not verdict.passed
    assert verdict.mistake in forgery.names, verdict.text()
