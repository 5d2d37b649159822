"""What can be wrong with a lesson, said with file, line and remedy."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a lesson's text; `line` counts from 1, `remedy` says what to do about it."""

    path: str
    line: int
    message: str
    remedy: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message} Remedy: {self.remedy}"


class PublishError(Exception):
    """The build cannot go on; `problems` holds every reason that was found."""

    def __init__(self, problems):
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
