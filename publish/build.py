"""Build lessons: check all, then per lesson expand, execute, release, write or compare."""

import sys

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbgrader.nbgraderformat import MetadataValidator

from publish import compare
from publish.course import notebook_text, write_text
from publish.execute import execute, faults
from publish.expand import expand
from publish.problems import Problem, PublishError
from publish.release import release
from publish.rules import check_lessons

# What Binder gives: a solved lesson should stay below both.
MOST_SECONDS, MOST_MB = 60, 1024


def prepare(course, names, language, registered):
    """The unexecuted notebook of each lesson in `names`, in the course's order.

    All lessons up to the last one named are read, since a lesson may be given earlier code.
    Raises PublishError with every problem found.
    """
    every = course.lesson_names()
    unknown = sorted(set(names) - set(every))
    if unknown:
        remedy = f"name one of: {', '.join(every) or '(none)'}."
        message = "There is no such lesson."
        raise PublishError(
            [Problem(f"lessons/{name}.py", 1, message, remedy) for name in unknown]
        )
    wanted = names or every
    lessons = course.read([name for name in every if name <= max(wanted, default="")])
    check_lessons(lessons, registered)
    solutions, notebooks = {}, {}
    for lesson in lessons:
        if lesson.name in wanted:
            notebooks[lesson.name] = (lesson, expand(lesson, solutions, language))
        for cell in lesson.cells:
            if cell.kind == "exercise":
                solutions[cell.name] = (lesson.name, cell.source)
    return notebooks


def run(notebook, lesson, import_from):
    """Execute the notebook; errors become problems at the cell's line. Returns a Measure."""
    try:
        measure = execute(notebook, import_from)
    except CellExecutionError:
        measure = None
    except (CellTimeoutError, DeadKernelError) as error:
        first_line = str(error).strip().splitlines()[0]
        remedy = "make the lesson lighter, and see which cell ran last."
        raise PublishError([Problem(lesson.path, 1, first_line, remedy)]) from None
    problems = [
        Problem(lesson.path, lesson.cells[index].line, message, "correct the lesson or its check.")
        for index, message in faults(notebook)
    ]
    if problems:
        raise PublishError(problems)
    return measure


def build(course, name, lesson, notebook, language, executed, import_from):
    """Write one lesson's two notebooks; returns a line that says what it cost."""
    solution, student = _both(lesson, notebook, executed, import_from)
    write_text(course.solution_path(name, language), notebook_text(solution[0]))
    write_text(course.notebook_path(name, language), notebook_text(student))
    return solution[1]


def verify(course, name, lesson, notebook, language, executed, import_from):
    """Yield (file, difference) for each generated file that a build would change."""
    solution, student = _both(lesson, notebook, executed, import_from)
    view = compare.without_pixels if executed else compare.without_outputs
    for path, built, seen in (
        (course.solution_path(name, language), solution[0], view),
        (course.notebook_path(name, language), student, lambda notebook: notebook),
    ):
        found = compare.difference(built, path, seen)
        if found:
            yield course.shown(path), found


def _both(lesson, notebook, executed, import_from):
    """((solved notebook, its cost in words), student's notebook)."""
    student = release(notebook)
    MetadataValidator().validate_nb(notebook)
    cost = "not executed"
    if executed:
        cost = _cost(run(notebook, lesson, import_from))
    return (notebook, cost), student


def _cost(measure):
    memory = "memory unknown" if measure.peak_mb is None else f"peak {measure.peak_mb:.0f} MB"
    words = f"{measure.seconds:.1f} s, {memory}"
    if measure.seconds > MOST_SECONDS:
        words += f" (over the {MOST_SECONDS} s that a lesson may take)"
    if (measure.peak_mb or 0) > MOST_MB:
        words += f" (over the {MOST_MB} MB that a lesson may take)"
    return words


def registered_names():
    """The names that the grader has checks for, or None while it has no registry."""
    try:
        from grader import exercises
    except ImportError as error:
        print(f"note: registered checks are not compared ({error})", file=sys.stderr)
        return None
    return set(exercises.names())
