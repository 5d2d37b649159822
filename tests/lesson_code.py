"""The code of a lesson as its solved notebook has it, for tests of what the lesson claims."""

import functools
from pathlib import Path

from publish.course import Course
from publish.expand import given_source
from publish.rules import without_markers

COURSE = Course(Path(__file__).resolve().parents[1])


@functools.cache
def solved(name: str) -> dict:
    """The names that the lesson's setup, given and exercise cells define, solutions included.

    Demonstrations and checks are left out. The dict is shared: copy it before you change it.
    """
    names = [lesson for lesson in COURSE.lesson_names() if lesson <= name]
    solutions, namespace = {}, {}
    for lesson in COURSE.read(names):
        for cell in lesson.cells:
            if lesson.name == name and cell.kind in ("setup", "given", "exercise"):
                given = cell.kind == "given"
                source = given_source(cell.keys["given"], solutions) if given else cell.source
                exec(compile(without_markers(source), lesson.path, "exec"), namespace)
            if cell.kind == "exercise":
                solutions[cell.name] = (lesson.name, cell.source)
    return namespace
