"""What a notebook of the course looks like: agreed between ``publish``, which makes them, and
``grader``, which reads them."""

import hashlib
from pathlib import Path

from .i18n import N_

# Kinds of cells in which a student answers in code.
ANSWERS = ("exercise", "question")
# Composed, for this file goes into the sandbox, where a search for the marks has to find nothing.
BEGIN_SOLUTION, END_SOLUTION = (f"### {edge} SOLUTION" for edge in ("BEGIN", "END"))
BEGIN_SCHEME, END_SCHEME = (f"### {edge} MARK SCHEME" for edge in ("BEGIN", "END"))
# What stands in place of an answer: of a function, and of a free text.
STUB = "raise NotImplementedError"
TEXT_STUB = N_("*Write your answer here.*")
_SUFFIX = "-answer"


def answer_id(name: str) -> str:
    """The grade id of the cell with the answer; the check of it is graded under ``name`` itself."""
    return name + _SUFFIX


def exercise_of(grade_id: str) -> str:
    """The exercise that a cell with this grade id is about."""
    return grade_id.removesuffix(_SUFFIX)


def text_mark(text: str) -> str:
    """What the release writes beside a text of its own, so that it is known again once the lesson
    has another. Spaces at the ends of lines don't count."""
    lines = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def notebook_path(root, language, name) -> Path:
    """The student's version of a lesson."""
    return Path(root) / "notebooks" / language / name / f"{name}.ipynb"


def solution_path(root, language, name) -> Path:
    """The instructor's version of a lesson."""
    return Path(root) / "solutions" / language / name / f"{name}.ipynb"
