"""Where the course's folders are, and how generated files get there."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat

from policy_gradients import handout
from publish.lesson import read_lesson
from publish.problems import Problem, PublishError

# A text in lessons/ that begins with this is a page: prose and demos, no assignment.
PAGE = "00_"


@dataclass(frozen=True)
class Course:
    """The folders of a course under `root`."""

    root: Path

    def lesson_path(self, name):
        return self.root / "lessons" / f"{name}.py"

    def solution_path(self, name, language):
        return handout.solution_path(self.root, language, name)

    def notebook_path(self, name, language):
        return handout.notebook_path(self.root, language, name)

    def stubs_path(self, name, language):
        """The first versions of a lesson's answers, which `pg.reset` gives back."""
        return self.root / "policy_gradients" / "stubs" / language / f"{name}.json"

    def page_path(self, name, language):
        """Where a page is built: beside the lessons' folders, where no assignment is looked for."""
        return self.root / "notebooks" / language / f"{name}.ipynb"

    def shown(self, path):
        """The path as messages show it: from the course's root."""
        return path.relative_to(self.root).as_posix()

    def lesson_names(self):
        """All lessons' names in the course's order."""
        return [name for name in self._names() if not name.startswith(PAGE)]

    def page_names(self):
        """Names of the pages: notebooks without exercises, such as the start page."""
        return [name for name in self._names() if name.startswith(PAGE)]

    def _names(self):
        folder = self.root / "lessons"
        if not folder.is_dir():
            remedy = "run the command from the course's repository."
            raise PublishError([Problem("lessons", 1, "There is no folder of lessons.", remedy)])
        return sorted(path.stem for path in folder.glob("*.py"))

    def read(self, names):
        """The lessons called `names`; raises PublishError with the problems of all of them."""
        lessons, problems = [], []
        for name in names:
            path = self.lesson_path(name)
            try:
                lessons.append(read_lesson(path, self.shown(path)))
            except PublishError as error:
                problems += error.problems
        if problems:
            raise PublishError(problems)
        return lessons


def notebook_text(notebook):
    """The notebook as the bytes that are written, in text: sorted keys, one final newline."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write_text(path, text):
    """Write the whole file or nothing of it, in UTF-8 with "\n" as line ends."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path, content):
    """Write the whole file or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def ensure_writable(path):
    """Raise OSError where the file at `path` could not be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent):
        pass
