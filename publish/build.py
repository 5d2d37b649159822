"""Build lessons: check all, then per lesson expand, execute, release, write or compare."""

import dataclasses
import json

from nbclient.exceptions import CellExecutionError
from nbgrader.nbgraderformat import MetadataValidator

from policy_gradients import handout
from publish import compare
from publish.claim_results import unmet_claims
from publish.course import ensure_writable, notebook_text, write_text
from publish.execute import Stopped, execute, faults
from publish.expand import expand, kind_of, without_claims
from publish.problems import Problem, PublishError
from publish.release import release
from publish.rules import check_lessons, solutions_of
from publish.translate import translate_lesson

# What Binder gives: a solved lesson should stay below both.
MOST_SECONDS, MOST_MB = 60, 1024


def prepare(course, names, language, registered, strict=False, claims=True):
    """The unexecuted notebook of each lesson in `names`, in the course's order.

    All lessons up to the last one named are read, since a lesson may be given earlier code.
    If `strict`, a text without a translation is a problem. Without `claims` they are left out.
    Raises PublishError with every problem found.
    """
    every = course.lesson_names()
    unknown = sorted(set(names) - set(every))
    if unknown:
        remedy = f"name one of: {', '.join(every) or '(none)'}."
        message = "There is no such lesson."
        raise PublishError(Problem(f"lessons/{name}.py", 1, message, remedy) for name in unknown)
    wanted = names or every
    lessons = course.read([name for name in every if name <= max(wanted, default="")])
    check_lessons(lessons, registered)
    solutions, notebooks = {}, {}
    for lesson in lessons:
        asked = lesson.name in wanted
        spoken = translate_lesson(lesson, course, language, strict and asked)
        if not claims:
            cells = [cell for cell in spoken.cells if cell.kind != "claim"]
            spoken = dataclasses.replace(spoken, cells=cells)
        if asked:
            notebooks[lesson.name] = (spoken, expand(spoken, solutions, language))
        solutions |= solutions_of(spoken)
    return notebooks


def run(notebook, lesson, import_from, **options):
    """Execute the notebook; errors and unmet claims become problems at their line.

    `options` are those of `execute`. Returns a Measure.
    """
    try:
        measure = execute(notebook, import_from, **options)
    except CellExecutionError:
        measure = None
    except Stopped as error:
        line = lesson.cells[error.index].line
        message, remedy = f"{error} while this cell ran.", "let it use less time and memory."
        raise PublishError([Problem(lesson.path, line, message, remedy)]) from None
    problems = [
        Problem(lesson.path, lesson.cells[index].line, message, remedy)
        for index, message, remedy in faults(notebook)
    ] + [
        Problem(lesson.path, lesson.cells[index].start + line, message, remedy)
        for index, line, message, remedy in unmet_claims(notebook)
    ]
    if problems:
        raise PublishError(problems)
    return measure


def build(course, name, lesson, notebook, language, executed, import_from):
    """Write one lesson's two notebooks and its stubs; returns a line that says what it cost."""
    paths = course.solution_path(name, language), course.notebook_path(name, language)
    stubs = course.stubs_path(name, language)
    for path in (*paths, stubs):
        # Before the lesson runs for a minute, not after.
        ensure_writable(path)
    solved, student, cost = _both(lesson, notebook, executed, import_from)
    for path, built in zip(paths, (solved, student), strict=True):
        write_text(path, notebook_text(built))
    write_text(stubs, stubs_text(student))
    return cost


def verify(course, name, lesson, notebook, language, executed, import_from, **options):
    """Yield (file, difference) for each generated file that a build would change; options: those of
    the execution."""
    solved, student, _ = _both(lesson, notebook, executed, import_from, **options)
    view = compare.without_luck if executed else compare.without_outputs
    for path, built, seen in (
        (course.solution_path(name, language), solved, view),
        (course.notebook_path(name, language), student, lambda notebook: notebook),
    ):
        found = compare.difference(built, path, seen)
        if found:
            yield course.shown(path), found
    path = course.stubs_path(name, language)
    if not path.exists() or path.read_text(encoding="utf-8") != stubs_text(student):
        yield course.shown(path), "the first versions of the answers are others"


def stubs_text(student):
    """A student's notebook's answers in code as JSON: exercise -> the cell as it is handed out."""
    cells = [cell for cell in student.cells if kind_of(cell) in handout.ANSWERS]
    stubs = {handout.exercise_of(cell.metadata.nbgrader.grade_id): cell.source for cell in cells}
    return json.dumps(stubs, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _both(lesson, notebook, executed, import_from, **options):
    """(solved notebook, student's notebook, what the execution cost in words)."""
    student = release(without_claims(notebook))
    MetadataValidator().validate_nb(notebook)
    cost = _cost(run(notebook, lesson, import_from, **options)) if executed else "not executed"
    return without_claims(notebook), student, cost


def _cost(measure):
    memory = "memory unknown" if measure.peak_mb is None else f"peak {measure.peak_mb:.0f} MB"
    words = f"{measure.seconds:.1f} s, {memory}"
    if measure.seconds > MOST_SECONDS:
        words += f" (over the {MOST_SECONDS} s that a lesson may take)"
    if (measure.peak_mb or 0) > MOST_MB:
        words += f" (over the {MOST_MB} MB that a lesson may take)"
    return words


def leftovers(course, language):
    """Generated folders that no lesson accounts for."""
    known = set(course.lesson_names())
    for folder in ("solutions", "notebooks"):
        for path in sorted((course.root / folder / language).glob("*/")):
            if path.is_dir() and path.name not in known and not path.name.startswith("."):
                yield course.shown(path)
    for path in sorted(course.stubs_path("*", language).parent.glob("*.json")):
        if path.stem not in known:
            yield course.shown(path)


def registered_names():
    """The names that the grader has checks for."""
    try:
        from grader.checks import registry as exercises

        return exercises.names()
    except ImportError as error:
        message = f"The grader's checks cannot be loaded ({error})."
        remedy = "run 'make setup', and see that every module under grader/checks/ imports."
        raise PublishError([Problem("grader/checks", 1, message, remedy)]) from None
