"""What a check says: a Verdict, with its plain-text and HTML faces."""

import html
from dataclasses import dataclass

from grader.i18n import N_, _

STEPS = {
    "defined": N_("is it there"),
    "runs": N_("does it run"),
    "kind": N_("the right kind of result"),
    "shape": N_("the right shape"),
    "finite": N_("finite numbers"),
    "value": N_("the right values"),
    "gradient": N_("the right gradient"),
    "inputs": N_("inputs left unchanged"),
    "behaviour": N_("the right behaviour"),
    "reply": N_("a readable result"),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The first step of the ladder that failed, in words a learner reads (already translated)."""

    step: str
    shown: str = ""
    expected: str = ""
    got: str = ""
    hint: str = ""
    mistake: str = ""


def behaviour(expected: str, got: str, hint: str, mistake: str) -> Problem:
    """What a run did is not what was asked for."""
    return Problem(step="behaviour", expected=expected, got=got, hint=hint, mistake=mistake)


def wrong_gradient(expected: str, got: str, hint: str, mistake: str) -> Problem:
    """The steps go another way than the right loss's gradient does."""
    return Problem(step="gradient", expected=expected, got=got, hint=hint, mistake=mistake)


@dataclass(frozen=True)
class Verdict:
    """One check's outcome. ``mistake`` is the name of a recognised mistake, or ""."""

    exercise: str
    passed: bool
    cases: int = 0
    problem: Problem | None = None
    note: str = ""

    @property
    def mistake(self) -> str:
        return self.problem.mistake if self.problem else ""

    @property
    def step(self) -> str:
        return self.problem.step if self.problem else ""

    def lines(self) -> list[tuple[str, str]]:
        """(label, text) pairs of a failure, in reading order, without the empty ones."""
        if self.problem is None:
            return []
        pairs = [
            (_("step"), _(STEPS.get(self.problem.step, self.problem.step))),
            (_("input"), self.problem.shown),
            (_("expected"), self.problem.expected),
            (_("got"), self.problem.got),
            (_("hint"), self.problem.hint),
        ]
        return [(label, text) for label, text in pairs if text]

    def headline(self) -> str:
        if not self.passed:
            return _("✗ {name}: not yet").format(name=self.exercise)
        if self.note:
            return f"✓ {self.exercise}: {self.note}"
        if self.cases > 1:
            return _("✓ {name}: right in all {n} cases").format(name=self.exercise, n=self.cases)
        return _("✓ {name}: right").format(name=self.exercise)

    def text(self) -> str:
        """The plain-text face: one line on success, at most six on failure."""
        width = max((len(label) for label, _text in self.lines()), default=0)
        rows = [
            f"  {label.ljust(width)}  " + text.replace("\n", "\n" + " " * (width + 4))
            for label, text in self.lines()
        ]
        return "\n".join([self.headline(), *rows])

    def html(self) -> str:
        """The rich face: the same words, everything from the student escaped."""
        colour = "#009E73" if self.passed else "#D55E00"
        rows = "".join(_row(label, text) for label, text in self.lines())
        table = f"<table style='margin:.3em 0 0 0;border-collapse:collapse'>{rows}</table>"
        return (
            f"<div style='border-left:4px solid {colour};padding:.2em .8em'>"
            f"<b>{html.escape(self.headline())}</b>{table if rows else ''}</div>"
        )


def _row(label: str, text: str) -> str:
    cell = "text-align:left;vertical-align:top;padding:.1em .8em .1em 0;background:none"
    return (
        f"<tr style='background:none'><td style='{cell};opacity:.7'>{html.escape(label)}</td>"
        f"<td style='{cell}'><span style='white-space:pre-wrap;font-family:monospace'>"
        f"{html.escape(text)}</span></td></tr>"
    )
