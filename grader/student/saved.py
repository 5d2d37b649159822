"""A student's saved notebooks: where they are, and what was written in one."""

import json
from dataclasses import replace
from pathlib import Path

from grader.course import ANSWERS, HERE, CourseError, Lesson, read_lesson, source_cell
from grader.course.lessons import checksum
from grader.i18n import _
from grader.intake.assemble import Plan, assemble
from grader.intake.document import read_document
from policy_gradients.i18n import language, languages, system_language


class ProgressError(CourseError):
    """There is no progress to show; says what to do."""


def find_notebooks(notebooks=None) -> Path:
    """The folder that holds LESSON/LESSON.ipynb: the one named, one around or below the working
    directory, or the course's own; of several languages the one in use, which is the system's
    where nobody chose. Raises ProgressError."""
    here, spoken = Path.cwd(), language(default=system_language())
    nearby = [here, *here.parents[:2], here / "notebooks" / spoken]
    own = [HERE / "notebooks" / spoken, HERE / "notebooks" / "en"]
    folders = [Path(notebooks).resolve()] if notebooks is not None else [*nearby, *own]
    for folder in folders:
        if any(folder.glob("[0-9][0-9]*_*/[0-9][0-9]*_*.ipynb")):
            return folder
    words = _("{folder}: there are no lessons. Name the folder that holds LESSON/LESSON.ipynb.")
    raise ProgressError(words.format(folder=folders[0]))


def read(folder: Path, name: str) -> tuple[Lesson, Plan, bool]:
    """(lesson, plan, begun) of one saved notebook. Raises Refused, CourseError or OSError."""
    data = (folder / name / f"{name}.ipynb").read_bytes()
    document = read_document(data)
    lesson = _lesson(folder, name, document.language or _language_of(folder), data)
    plan = assemble(lesson, document)
    return lesson, plan, _begun(plan, data)


def _lesson(folder, name, spoken, data):
    """The lesson as it was handed out, as far as it can still be told.

    The student works in the handed-out notebook itself. The instructor's version tells what a
    student may have deleted there; its solutions are used for nothing. Where it was held back,
    the cells that the student still has are the lesson.
    """
    mine = folder / name / f"{name}.ipynb"
    paths = [
        root / kind / spoken / name / f"{name}.ipynb"
        for kind in ("solutions", "notebooks")
        for root in (folder.parent.parent, HERE)
    ]
    for path in paths:
        if path.is_file() and not path.samefile(mine):
            return read_lesson(path, name, spoken)
    try:
        cells = _own_cells(json.loads(data)["cells"])
    except (ValueError, KeyError, TypeError) as error:
        words = _("This is not a notebook of the course ({error}).")
        raise ProgressError(words.format(error=type(error).__name__)) from None
    if not any(cell.kind in ("check", "free") for cell in cells):
        words = _(
            "No exercise was found in it: the program that saved it dropped what marks its cells. "
            "Copy your answers into a fresh copy of the notebook."
        )
        raise ProgressError(words)
    return Lesson(name, spoken, cells, {})


def _own_cells(raw) -> tuple:
    """The cells that still say what they are, each once, without the student's answers."""
    known = [
        source_cell({**cell, "id": cell.get("id") or f"cell-{number}"})
        for number, cell in enumerate(raw)
        if "policy_gradients" in cell["metadata"]
    ]
    once = {cell.grade_id or cell.id: _unwritten(cell) for cell in reversed(known)}
    return tuple(reversed(once.values()))


def _language_of(folder):
    return folder.name if folder.name in languages() else "en"


def _unwritten(cell):
    return replace(cell, source="") if cell.kind in (*ANSWERS, "free") else cell


def _begun(plan, data):
    """Whether the student wrote anything: an own cell, a changed demo or an answer."""
    if any(
        cell.written and cell.kind in ("extra", "demo") and cell.text.strip() for cell in plan.cells
    ):
        return True
    try:
        return any(_answered(cell) for cell in json.loads(data)["cells"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return True  # metadata was lost on the way; running it is the safe side


def _answered(cell):
    """Whether the text of an answer cell is another than nbgrader's checksum of the release."""
    kept = cell["metadata"].get("nbgrader", {})
    return bool(kept.get("solution")) and checksum(cell) != kept["checksum"]
