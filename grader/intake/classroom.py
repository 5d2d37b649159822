"""The folder of submissions: who handed in what, by nbgrader's layout STUDENT/LESSON/."""

import difflib
import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from grader.course.notes import Note, clean, note, shown
from grader.course.reasons import reason
from grader.errors import UserError
from grader.i18n import N_, _
from grader.intake.folder import is_archive, is_notebook
from grader.intake.junk import is_junk

MOST_NAME = 120


class ClassroomError(UserError):
    """The folder of submissions can't be read; says what to do."""


@dataclass(frozen=True)
class Found:
    """One submission's folder. student and lesson are fit for tables; where refused is set, the
    names are not fit for folders, or there is no such lesson."""

    student: str
    lesson: str
    path: Path
    refused: Note | None = None


def find_submissions(folder, known, wanted=None, ungraded=()) -> list[Found]:
    """Every submission below ``folder``, sorted. known: the course's graded lessons; wanted: those
    to grade, None for all (then a folder of another name is refused, unless it is a lesson that is
    not graded)."""
    found = []
    for student in _folders(folder):
        for lesson in _folders(student.path, quiet=True):
            if lesson.name in wanted if wanted else lesson.name not in ungraded:
                found.append(_found(student, lesson, known))
    return sorted(found, key=lambda one: (one.lesson, one.student))


def astray(folder, lessons) -> list:
    """Paths below ``folder`` where nobody looks for a submission, though one may be there:
    notebooks and archives beside students' or lessons' folders, and folders named like no lesson.
    lessons: the course's, graded or not."""
    found = _loose(folder)
    for student in _folders(folder):
        if student.is_symlink():
            continue
        inside = _loose(student.path)
        inside += [one.name for one in _folders(student.path, True) if one.name not in lessons]
        found += [f"{student.name}/{name}" for name in inside]
    return sorted(found)


def _loose(folder):
    """The notebooks and archives directly in a folder."""
    try:
        with os.scandir(folder) as entries:
            return [
                one.name
                for one in entries
                if one.is_file(follow_symlinks=False)
                and not is_junk(one.name)
                and (is_notebook(one.name) or is_archive(one.name))
            ]
    except OSError:
        return []


def students(folder) -> set:
    """The names of all students' folders, whatever is in them."""
    return {_label(student.name) for student in _folders(folder)}


def closest(names, known) -> dict:
    """Each name -> the one of those known that may be meant, or ""."""
    return {name: next(iter(difflib.get_close_matches(name, known, 1)), "") for name in names}


def spelling(folder):
    """A function from a name in a table to that of the student's folder which reads the same: a
    letter with an accent may be one character or two, as on a Mac."""
    known = students(folder)
    same = {unicodedata.normalize("NFC", name): name for name in sorted(known)}
    return lambda name: (
        name if name in known else same.get(unicodedata.normalize("NFC", name), name)
    )


def _found(student, lesson, known):
    refused = _name_problem(student.name) or _name_problem(lesson.name)
    if refused is None and lesson.name not in known:
        message = N_("The course has no lesson {name}; it has {known}. Rename the folder.")
        refused = note(message, name=lesson.name, known=sorted(known))
    if refused is None and student.is_symlink():
        refused = note(N_("The folder is a symbolic link. Put the files themselves there."))
    return Found(_label(student.name), _label(lesson.name), Path(lesson.path), refused)


def _label(name):
    """The name, or one fit for tables in its place, which is no other folder's."""
    if _name_problem(name) is None:
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    return f"{' '.join(clean(name).split())[: MOST_NAME - 9]}~{digest}"


def _name_problem(name):
    odd_spaces = re.search(r"[^\S ]", name) or name != name.strip()
    if clean(name) != name or odd_spaces or len(name) > MOST_NAME:
        message = N_("The folder's name {name} can't be a student's or a lesson's. Rename it.")
        return note(message, name=shown(name))
    return None


def _folders(folder, quiet=False):
    """Entries that are folders, or links where a folder belongs; hidden ones are passed over."""
    try:
        with os.scandir(folder) as entries:
            return [
                entry
                for entry in entries
                if not entry.name.startswith(".")
                and not is_junk(entry.name)
                and (entry.is_symlink() or entry.is_dir(follow_symlinks=False))
            ]
    except OSError as error:
        if quiet:
            return []
        words = _(
            "{folder}: {why}. --submitted names the folder that holds STUDENT/LESSON/LESSON.ipynb."
        )
        raise ClassroomError(words.format(folder=folder, why=reason(error))) from None
