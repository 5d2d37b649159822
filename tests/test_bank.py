"""Every right answer of the bank passes, every wrong one fails and is told its mistake."""

from pathlib import Path

import pytest

import bank
from bank import load
from bank.judge import told
from bank.kill_table import table
from grader.checks.registry import names, registry

ENTRIES = load()
PLACES = {name: place for place, name in enumerate(registry())}
SLOW = {name for name in registry() if name.startswith("train_")}
# Told after seconds of waiting, and by the clock, not by what was drawn.
SLOW_TO_TELL = {"too-slow", "quadratic"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_entry_gets_its_verdict(entry, record_property):
    # A second seed stands for the secret one: what is right or named must not hang on the draw.
    once = entry.exercise in SLOW or entry.mistake in SLOW_TO_TELL
    for seed in (0,) if once else (0, 20_261_122):
        verdict, got = told(entry, seed)
        judged = PLACES[entry.exercise], entry.exercise, entry.mistake, got
        record_property("judged", judged)
        assert got == entry.mistake, verdict.text()
        # A question's answer is told by the question's own words.
        assert got is None or entry.exercise.startswith("q_") or verdict.problem.hint


def test_two_entries_of_one_name_are_an_error(monkeypatch):
    monkeypatch.setattr(bank, "ENTRIES", [*ENTRIES, ENTRIES[0]])
    with pytest.raises(ValueError, match=ENTRIES[0].id):
        load()


def test_every_exercise_has_a_bank():
    missing = names() - {entry.exercise for entry in ENTRIES}
    assert not missing


@pytest.mark.parametrize("name", sorted(names()))
def test_bank_is_wide_enough(name):
    entries = [entry for entry in ENTRIES if entry.exercise == name]
    choice = name.startswith("q_")
    wrongs = sum(entry.mistake is not None for entry in entries)
    rights = len(entries) - wrongs
    least = (2, 1) if choice else (8, 4)
    remedy = f"{name}: add to its bank, up to {least[0]} wrong answers and {least[1]} right ones"
    assert wrongs >= least[0] and rights >= least[1], remedy


def test_the_kill_table_in_the_docs_is_of_this_bank():
    """Each test above asserts one entry's verdict; so the table must say that all are as meant."""
    as_meant = table([(entry.exercise, entry.mistake, entry.mistake) for entry in ENTRIES])
    page = (Path(__file__).parents[1] / "docs" / "kill_table.md").read_text()
    assert as_meant in page, "Remedy: python -m bank.kill_table > docs/kill_table.md"
