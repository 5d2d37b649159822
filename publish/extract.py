"""Babel's view of a lesson: an extractor that yields each prose block."""

from publish.lesson import parse_lesson
from publish.translate import texts


def extract_lesson(fileobj, keywords, comment_tags, options):
    """Yield (line, function, message, comments), as Babel asks of an extractor.

    `fileobj` is a lesson opened in binary mode; keywords and comment tags do not matter.
    """
    lesson = parse_lesson(fileobj.read().decode("utf-8"), "lesson", "lesson.py")
    for line, text in texts(lesson):
        yield line, None, text, []
