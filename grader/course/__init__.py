"""The lessons as data: what was handed out, and notes in words about what came back."""

from grader.course.lessons import (
    ANSWERS,
    HERE,
    LANGUAGES,
    Course,
    CourseError,
    Lesson,
    SourceCell,
    grader_version,
    no_lesson,
    read_lesson,
    source_cell,
)

__all__ = [
    "ANSWERS",
    "HERE",
    "LANGUAGES",
    "Course",
    "CourseError",
    "Lesson",
    "SourceCell",
    "grader_version",
    "no_lesson",
    "read_lesson",
    "source_cell",
]
