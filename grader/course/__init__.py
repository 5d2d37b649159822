"""The lessons as data: what was handed out, and notes in words about what came back."""

from grader.course.lessons import (
    ANSWERS,
    HERE,
    LANGUAGES,
    Course,
    CourseError,
    Lesson,
    SourceCell,
    no_lesson,
    read_lesson,
    source_cell,
)
from grader.course.version import marks_version, pages_version

__all__ = [
    "ANSWERS",
    "HERE",
    "LANGUAGES",
    "Course",
    "CourseError",
    "Lesson",
    "SourceCell",
    "marks_version",
    "pages_version",
    "no_lesson",
    "read_lesson",
    "source_cell",
]
