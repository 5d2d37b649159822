"""Runs the real check on one entry of the bank."""

from bank import Entry
from grader.checking import Verdict
from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.probes import runtime


def told(entry: Entry, seed: int) -> tuple[Verdict, str | None]:
    """The verdict, and what the student is told: None, a mistake's name, or "step:NAME"."""
    namespace = {entry.exercise: entry.answer}

    def probe(request, ask):
        return runtime.run(namespace, entry.exercise, request, ask)

    verdict = run_check(get(entry.exercise), probe, seed)
    if verdict.passed:
        return verdict, None
    return verdict, verdict.mistake or f"step:{verdict.step}"
