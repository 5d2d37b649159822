"""Mistakes across all lessons, and what became of those who were told one by its name."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from grader.records.history import is_named
from grader.records.outcome import PASSED, WRONG


@dataclass
class Across:
    """One mistake. exercises: where it is made now; times: how often; told: to how many it was ever
    told; again: how many of them handed in again; passed: how many of those pass now."""

    mistake: str
    exercises: list
    times: int
    told: int
    again: int
    passed: int


class Mistakes:
    """Collects records. rows: history.told."""

    def __init__(self, rows):
        self.rows, self.current = rows, {}
        self.where, self.times = defaultdict(set), Counter()

    def add(self, record):
        """One submission as it is now."""
        for mark in record.outcome.marks:
            key = record.student, record.lesson, mark.exercise
            self.current[key] = record.source, mark.verdict
            if mark.verdict == WRONG and is_named(mark.mistake):
                self.times[mark.mistake] += 1
                self.where[mark.mistake].add(mark.exercise)

    def found(self) -> list:
        """The mistakes, those told most first."""
        told, again, passed = Counter(), Counter(), Counter()
        for row in self.rows:
            source, verdict = self.current.get(
                (row.student, row.lesson, row.exercise), (row.source, "")
            )
            told[row.mistake] += 1
            again[row.mistake] += source != row.source
            passed[row.mistake] += source != row.source and verdict == PASSED
        return [
            Across(name, sorted(self.where[name]), self.times[name], told[name], again[name],
                   passed[name])
            for name, _count in told.most_common()
        ]  # fmt: skip
