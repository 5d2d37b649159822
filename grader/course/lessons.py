"""The lessons as the grader sees them: the student's version of each notebook, and nothing else.

Check cells, points, setup and given cells are taken from here, whatever a submission says. The
instructor's version with its solutions is not opened in grading.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from grader.course.reasons import reason
from grader.errors import UserError
from grader.i18n import _
from policy_gradients.handout import ANSWERS, exercise_of, notebook_path
from policy_gradients.i18n import languages

HERE = Path(__file__).resolve().parents[2]
LANGUAGES = languages()


class CourseError(UserError):
    """The course itself (not a submission) is not as the grader needs it; says the remedy."""


def no_lesson(names, known) -> CourseError:
    """The error of a command that names lessons which the course doesn't have."""
    words = _("There is no lesson {names}; there are {known}.")
    return CourseError(words.format(names=", ".join(names), known=", ".join(known)))


@dataclass(frozen=True)
class SourceCell:
    """A cell of the student's notebook. points: 0 where the cell is not graded."""

    kind: str
    cell_type: str
    source: str
    id: str
    grade_id: str = ""
    points: float = 0.0
    metadata: dict = field(default_factory=dict, hash=False)

    @property
    def void(self) -> bool:
        """Whether the check was found to be at fault: everybody gets its points."""
        return self.kind == "check" and bool(self.metadata.get("policy_gradients", {}).get("void"))

    @property
    def exercise(self) -> str:
        """The exercise that the cell is about; "" for prose, setup, given and demo cells."""
        return exercise_of(self.grade_id) if self.kind in (*ANSWERS, "check") else ""


def checksum(cell: dict) -> str:
    """What nbgrader writes beside a cell of the release, without nbgrader: importing it takes most
    of a second, in each lesson's process. A test compares the two."""
    about = cell["metadata"]["nbgrader"]
    grade, solution = about.get("grade", False), about.get("solution", False)
    locked = not solution and (grade or about.get("locked", False))
    parts = ["".join(cell["source"]), cell["cell_type"], str(grade), str(solution), str(locked)]
    parts += [about["grade_id"], *([str(float(about["points"]))] if grade else [])]
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Lesson:
    """One lesson's cells in order, and a fingerprint of everything that marks depend on."""

    name: str
    language: str
    cells: tuple
    metadata: dict = field(hash=False)
    fingerprint: str = ""

    @property
    def graded(self) -> list[SourceCell]:
        return [cell for cell in self.cells if cell.kind in ("check", "free")]

    @property
    def checks(self) -> list[str]:
        """The names of its exercises and questions that a check judges, in order."""
        return [cell.grade_id for cell in self.cells if cell.kind == "check"]

    @property
    def allowed_files(self) -> tuple:
        """Names of files that a submission may bring along; none unless the lesson says so."""
        return tuple(self.metadata.get("policy_gradients", {}).get("allowed_files", ()))


class Course:
    """The lessons under ``root``/notebooks."""

    def __init__(self, root=HERE):
        self.root = Path(root).resolve()
        self._read = {}

    def path(self, name, language="en") -> Path:
        return notebook_path(self.root, language, name)

    def names(self) -> list[str]:
        """The graded lessons in order. Raises CourseError where no lesson is built."""
        return [name for name in self._built() if self.lesson(name).graded]

    def ungraded(self) -> list[str]:
        """Lessons in which there is nothing to mark."""
        return [name for name in self._built() if not self.lesson(name).graded]

    def _built(self):
        folder = self.root / "notebooks" / "en"
        paths = folder.glob("*/*.ipynb")
        found = sorted(path.stem for path in paths if path.stem == path.parent.name)
        if not found:
            words = _("There are no notebooks under {folder}. Remedy: make notebooks")
            raise CourseError(words.format(folder=folder))
        return found

    def lesson(self, name, language="en") -> Lesson:
        """The lesson in that language, or in English where it is not translated."""
        if not self.path(name, language).is_file():
            language = "en"
        if (name, language) not in self._read:
            self._read[name, language] = read_lesson(self.path(name, language), name, language)
        return self._read[name, language]


def read_lesson(path, name, language) -> Lesson:
    """Raises CourseError where the file is missing, unreadable or not one of our notebooks."""
    try:
        raw = Path(path).read_bytes()
        notebook = json.loads(raw)
        cells = tuple(source_cell(cell) for cell in notebook["cells"])
    except OSError as error:
        words = _("{path}: {why}. Remedy: make notebooks")
        raise CourseError(words.format(path=path, why=reason(error))) from None
    except (ValueError, KeyError, TypeError) as error:
        words = _("{path} is not a notebook of this course ({why}). Remedy: make notebooks")
        why = f"{type(error).__name__}: {error}"
        raise CourseError(words.format(path=path, why=why)) from None
    return Lesson(name, language, cells, notebook["metadata"], hashlib.sha256(raw).hexdigest())


def source_cell(cell) -> SourceCell:
    """A cell of a notebook of ours, as its JSON holds it. Raises KeyError where it is not ours."""
    metadata = cell["metadata"]
    nbgrader = metadata.get("nbgrader", {})
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    points = float(nbgrader.get("points", 0)) if nbgrader.get("grade") else 0.0
    kind = metadata["policy_gradients"]["kind"]
    return SourceCell(
        kind, cell["cell_type"], source, cell["id"], nbgrader.get("grade_id", ""), points, metadata
    )
