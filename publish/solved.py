"""A lesson's functions as a student would have written them, ready to be called.

Benchmarks, stored runs and tests of claims take the algorithm from the lesson's own text, so that
it stands in one place.
"""

from pathlib import Path

from publish.course import Course
from publish.rules import given_source, solutions_of, without_markers

ROOT = Path(__file__).resolve().parents[1]


def namespace(name, root=ROOT):
    """Names and values after the setup, given and exercise cells of the lesson called `name`."""
    course = Course(root)
    earlier = {}
    for lesson in course.read([one for one in course.lesson_names() if one <= name]):
        if lesson.name == name:
            break
        earlier = solutions_of(lesson) | earlier
    found = {"__name__": name}
    for cell in lesson.cells:
        if cell.kind in ("setup", "exercise"):
            exec(compile(without_markers(cell.source), f"<{name}>", "exec"), found)
        elif cell.kind == "given":
            exec(compile(given_source(cell.keys["given"], earlier), f"<{name}>", "exec"), found)
    return found
