"""Pages: notebooks of prose and demos that are no assignments, such as the start page."""

from publish import compare
from publish.course import notebook_text, write_text
from publish.expand import expand
from publish.problems import Problem, PublishError
from publish.rules import check_lessons
from publish.translate import translate_lesson

KINDS = ("prose", "demo")


def prepare_page(course, name, language, strict=False):
    """The notebook of the page `name`; as for a student's lesson, without outputs.

    Raises PublishError with every problem found.
    """
    (page,) = course.read([name])
    check_lessons([page])
    wrong = [cell for cell in page.cells if cell.kind not in KINDS]
    if wrong:
        message, remedy = "A page holds prose and demos alone.", "put this cell into a lesson."
        raise PublishError(Problem(page.path, cell.line, message, remedy) for cell in wrong)
    return expand(translate_lesson(page, course, language, strict), {}, language)


def build_page(course, name, language, notebook):
    """Write the page; returns a word that says so."""
    write_text(course.page_path(name, language), notebook_text(notebook))
    return "written"


def verify_page(course, name, language, notebook):
    """Yield (file, difference) where a build would change the page."""
    path = course.page_path(name, language)
    found = compare.difference(notebook, path)
    if found:
        yield course.shown(path), found
