"""``Choice`` is a question with one right letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.checking.case import Case
from grader.checking.exercise import SECONDS, Exercise
from grader.checking.kinds import kind_text
from grader.checking.verdict import Problem
from grader.i18n import _


@dataclass(frozen=True)
class Choice(Exercise):
    """A question with one right letter. hints: letter -> msgid for each wrong one."""

    name: str
    right: str
    hints: Mapping = field(default_factory=dict)
    probe: str = "value"
    seconds: float = SECONDS
    prerequisites: tuple = ()

    def cases(self, rng):
        return [Case({})]

    def problem(self, cases, seen):
        answer = seen[0].get("value", {})
        letters = ", ".join(repr(letter) for letter in sorted([self.right, *self.hints]))
        wanted = _("one of {letters}").format(letters=letters)
        if answer.get("kind") == "none" or answer.get("type") == "ellipsis":
            hint = _("Not answered yet: put one letter in place of None.")
            return Problem(
                step="defined", expected=wanted, got="None", hint=hint, mistake="not-answered"
            )
        letter = str(answer.get("value", "")).strip(" ().:'\"").lower()
        if letter == self.right:
            return None
        if letter in self.hints:
            return Problem(
                step="value",
                got=repr(letter),
                hint=_(self.hints[letter]),
                mistake=f"chose-{letter}",
            )
        return Problem(step="kind", expected=wanted, got=kind_text(answer), mistake="not-a-letter")
