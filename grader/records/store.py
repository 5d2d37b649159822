"""Files of the --out folder: written whole or not at all."""

import os
from pathlib import Path

from grader.course.reasons import reason
from grader.errors import UserError
from grader.i18n import _


class StoreError(UserError):
    """The --out folder can't be written, or another run is at work there; says what to do."""


class Store:
    """The --out folder, held by one run at a time. A context manager."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self._lock = None

    def __enter__(self):
        import fcntl  # not on Windows, where nothing is graded but this module is imported

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.root / ".grader.lock", "w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            words = _(
                "{folder}: another run is grading into this folder. "
                "Wait for it, or choose another --out."
            )
            raise StoreError(words.format(folder=self.root)) from None
        except OSError as error:
            words = _("{folder}: {why}. Choose a folder that you may write.")
            raise StoreError(words.format(folder=self.root, why=reason(error))) from None
        return self

    def __exit__(self, *exc):
        self._lock.close()

    def autograded(self, student, lesson) -> Path:
        return self.root / "autograded" / student / lesson / f"{lesson}.ipynb"

    def feedback(self, student, lesson) -> Path:
        return self.root / "feedback" / student / lesson / f"{lesson}.html"

    def write(self, path, text):
        """Writes the text under a name of its own first; an error leaves the old file in place."""
        try:
            write_whole(path, text)
        except OSError as error:
            words = _("{path}: {why}. What was graded so far is safe; mend this, then start again.")
            raise StoreError(words.format(path=path, why=reason(error))) from None


def write_whole(path, text):
    """The file at ``path`` holds all of ``text`` (str or bytes), or what it held before. Raises
    OSError."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # One fixed name per file: a killed run leaves at most this, and the next one overwrites it.
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("utf-8"))
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
