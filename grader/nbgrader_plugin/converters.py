"""The same grading for ``nbgrader autograde`` and the formgrader's button.

nbgrader_config.py names three things of this module: ``IntakeExporter`` reads a submission,
``SandboxedExecute`` runs and marks it, ``name_notebook`` lets a notebook with another name
through. Importing it also makes nbgrader look at regular files alone.
"""

import atexit
import json
import os
import stat
import threading
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from nbformat import from_dict
from nbgrader import utils
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import base
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from traitlets import Bool, Unicode

from grader.checks.registry import need_checks
from grader.course import LANGUAGES, Course, marks_version
from grader.course.notes import Note, Refused
from grader.executor.local import LocalExecutor
from grader.executor.settings import Settings
from grader.i18n import N_
from grader.intake.assemble import assemble, blank
from grader.intake.document import read_document
from grader.intake.folder import collect, timestamp_of
from grader.intake.matching import spoken_in
from grader.marking.notebook import build
from grader.records.gradebook import time_of
from grader.records.outcome import FAILED, Task
from grader.records.secret import read_secret, seeds_of
from grader.sandbox.limits import Limits
from grader.sandbox.system import NotLinux, need_linux

OURS = "intake"
MOST_COPIED = 100 << 20
_executors: dict = {}
_lock = threading.Lock()


class IntakeExporter(NotebookExporter):
    """Reads submissions as ``python -m grader autograde`` does: refuses nothing by an exception,
    follows no link, and puts the course's own cells in place."""

    course_root = Unicode("", help="The course's folder; nbgrader's root by default.").tag(
        config=True
    )

    def from_filename(self, filename, resources=None, **kwargs):
        """The notebook to grade; one that can't be is the lesson's own with the reason in it."""
        if not getattr(self.parent, "_sanitizing", True):
            return super().from_filename(filename, resources=resources, **kwargs)
        _need_linux()
        where = resources["nbgrader"]
        lesson = course_of(self).lesson(where["assignment"])
        notebook = taken_in(Path(filename).parent, lesson, course_of(self), self.log)
        resources.setdefault("metadata", {})["name"] = where["notebook"]
        return self.from_notebook_node(from_dict(notebook), resources=resources, **kwargs)


class SandboxedExecute(Execute):
    """nbgrader's Execute with no kernel: the checks are judged outside the student's process."""

    course_root = Unicode("", help="The course's folder; nbgrader's root by default.").tag(
        config=True
    )
    secret_file = Unicode("", help="The course's secret; .grader/secret by default.").tag(
        config=True
    )
    unsafe_no_sandbox = Bool(False, help="Run submissions unprotected.").tag(config=True)

    def preprocess(self, nb, resources=None, km=None):
        """The marked notebook. NbGraderException where the grader itself fails."""
        _need_linux()
        where = resources["nbgrader"]
        course = course_of(self)
        lesson = course.lesson(where["assignment"])
        outcome = self._mark(_task(nb, lesson, course, where["student"], self.secret_file))
        if outcome.status == FAILED:
            raise NbGraderException(" ".join(map(str, outcome.reason)))
        self.log.info("%s: %s", outcome.status, " ".join(map(str, outcome.reason)))
        return from_dict(json.loads(outcome.notebook)), resources

    def preprocess_cell(self, cell, resources, index):
        """Nothing is left to do for a single cell."""
        return cell, resources

    def _mark(self, task):
        settings = Settings(Limits(), self.unsafe_no_sandbox, marks_version())
        with _lock:  # formgrader may serve two requests at once
            if settings not in _executors:
                _executors[settings] = LocalExecutor(1, settings)
                atexit.register(_executors[settings].__exit__)
            return list(_executors[settings].run([(0, task)]))[0][1]


def _need_linux():
    try:
        need_linux()
    except NotLinux as error:
        raise NbGraderException(str(error)) from None


def _task(notebook, lesson, course, student, secret_file):
    """What SandboxedExecute is given, as a task. Notes of the first pass ride in the metadata."""
    kept = notebook.metadata.get("policy_gradients", {}).get(OURS, {})
    need_checks(lesson)
    seeds = seeds_of(read_secret(secret_file or None), lesson.name, lesson.checks)
    refused = Note(*kept["refused"]) if kept.get("refused") else None
    return Task(
        student,
        lesson,
        json.dumps(notebook).encode("utf-8", "replace"),
        seeds,
        notes=[Note(*n) for n in kept.get("notes", [])],
        refused=refused,
        translations=_translations(course, lesson.name),
    )


def taken_in(folder, lesson, course, log) -> dict:
    """A submission's notebook after intake, not yet run."""
    try:
        if os.path.islink(folder.parent):
            raise Refused(N_("The folder is a symbolic link. Put the files themselves there."))
        collected = collect(folder, lesson.name, lesson.allowed_files)
        document = read_document(collected.data)
        translations = _translations(course, lesson.name)
        spoken = document.language or spoken_in(document, translations)
        lesson = translations.get(spoken, lesson)
        plan = assemble(lesson, document)
        notes, refused = [*collected.notes, *document.notes, *plan.notes], None
    except Refused as why:
        plan, notes, refused = blank(lesson), [], why.note
        log.warning("%s: refused. %s", folder, refused)
    for note in notes:
        log.warning("%s: %s", folder, note)
    kept = {"notes": [note.plain() for note in notes], "refused": refused and refused.plain()}
    ours = {**lesson.metadata.get("policy_gradients", {}), OURS: kept}
    return build(plan, {}, {**lesson.metadata, "policy_gradients": ours})


def _translations(course, name):
    return {code: course.lesson(name, code) for code in LANGUAGES}


def course_of(part) -> Course:
    """The course of a converter's part: the one it is told, or that of nbgrader's root, or ours."""
    if part.course_root:
        return Course(part.course_root)
    while part is not None and not getattr(part, "coursedir", None):
        part = part.parent
    root = Path(part.coursedir.root) if part else None
    return Course(root) if root and (root / "notebooks").is_dir() else Course()


def name_notebook(assignment, student, notebooks):
    """nbgrader's pre-convert hook: it then looks for the lesson's own name, and IntakeExporter
    takes the one notebook that is there, or says why not."""
    folder = os.path.dirname(notebooks[0])
    notebooks[:] = [os.path.join(folder, os.path.basename(folder) + ".ipynb")]


def regular_files(path, exclude=None) -> list:
    """nbgrader's find_all_files without links, pipes, sockets and devices, and up to MOST_COPIED
    bytes: it copies what it finds, and would follow them, or fill the disk from a sparse file."""
    found, room = [], MOST_COPIED
    for name in utils.find_all_files(path, exclude):
        file = os.lstat(name)
        if stat.S_ISREG(file.st_mode) and file.st_size <= room:
            found.append(name)
            room -= file.st_size
    return found


def _time(folder):
    return time_of(timestamp_of(folder))


def patch_nbgrader():
    """Replaces nbgrader's readers of what a student put beside the notebook. Its own follow a
    link to any file, and wait for ever at a named pipe called timestamp.txt. Where nothing is
    graded, as on Windows, they stay: ours need flags that only POSIX systems have."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    base.find_all_files = regular_files
    CourseDirectory.get_existing_timestamp = lambda self, folder: _time(folder)
    NbGraderAPI.get_submitted_timestamp = lambda self, assignment, student: _time(
        self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment)
    )


patch_nbgrader()
