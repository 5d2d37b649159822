"""Pairs of submissions that share what is rare in the class: wrong answers, or pieces of code.

It proves nothing and costs no points. What all learned from one lesson is alike, so only what few
have counts, and nothing that the model answers have.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations

from grader.records.outcome import WRONG

# At most so many people, or this share of the class, have what counts as rare.
FEW, SHARE = 2, 0.03
# How much of it a pair has to share before it is named.
WRONG_ANSWERS, PIECES, ALIKE = 2, 10, 0.8
NOT_OWN = ("not-written", "not-answered", "too-slow", "died", "bad-reply")


@dataclass
class Pair:
    """Two students; wrong: exercises with the same rare wrong answer; code: exercises with nearly
    the same tree."""

    one: str
    other: str
    wrong: list = field(default_factory=list)
    code: list = field(default_factory=list)

    @property
    def weight(self):
        return len(self.wrong) + len(self.code)


class Pairs:
    """Collects records, and tells which pairs to look at. known: exercise -> prints of the course's
    own answers."""

    def __init__(self, known=None):
        self.known = known or {}
        self.students, self.groups = set(), {}
        self.wrong, self.pieces = defaultdict(set), defaultdict(set)
        self.sizes = Counter()

    def add(self, record):
        """One submission."""
        student = record.student
        self.students.add(student)
        if record.group:
            self.groups[student, record.lesson] = record.lead
        where = record.lesson
        for mark in record.outcome.marks:
            told = mark.mistake not in NOT_OWN and mark.got
            if mark.verdict == WRONG and told:
                self.wrong[where, mark.exercise, mark.mistake, mark.got].add(student)
        for exercise, prints in record.outcome.prints.items():
            for one in set(prints) - self.known.get(exercise, set()):
                self.pieces[where, exercise, one].add(student)

    def found(self) -> list:
        """The pairs, those that share most first."""
        most = max(FEW, int(SHARE * len(self.students)))
        pairs = {}
        for (one, other), exercises in self._wrong(most).items():
            if len(exercises) >= WRONG_ANSWERS:
                pairs.setdefault((one, other), Pair(one, other)).wrong = sorted(exercises)
        for (one, other), exercises in self._code(most).items():
            pairs.setdefault((one, other), Pair(one, other)).code = sorted(exercises)
        return sorted(pairs.values(), key=lambda pair: (-pair.weight, pair.one, pair.other))

    def _wrong(self, most):
        shared = defaultdict(set)
        for (lesson, exercise, *_what), students in self.wrong.items():
            for pair in self._couples(students, most, lesson):
                shared[pair].add(exercise)
        return shared

    def _code(self, most):
        """Pairs that share nearly all of the rare pieces that either has in an exercise."""
        common, own = defaultdict(Counter), Counter()
        for (lesson, exercise, _one), students in self.pieces.items():
            if len(students) > most:
                continue
            for student in students:
                own[student, lesson, exercise] += 1
            for pair in self._couples(students, most, lesson):
                common[pair][lesson, exercise] += 1
        found = defaultdict(set)
        for pair, exercises in common.items():
            for (lesson, exercise), count in exercises.items():
                larger = max(own[student, lesson, exercise] for student in pair)
                if count >= PIECES and count >= ALIKE * larger:
                    found[pair].add(exercise)
        return found

    def _couples(self, students, most, lesson):
        if not 1 < len(students) <= most:
            return
        for one, other in combinations(sorted(students), 2):
            teams = self.groups.get((one, lesson)), self.groups.get((other, lesson))
            if teams[0] is None or teams[0] != teams[1]:
                yield one, other
