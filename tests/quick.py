"""The quick set of ``make test ARGS=--quick``: a maintainer's inner loop.

What every change can break, and for each lesson that git says was touched its checks' tests and its
part of the bank. Builds, sandbox, grading and browsers are left to the whole suite.
"""

import importlib
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = {
    "test_checks",
    "test_wire",
    "test_pg_envs",
    "test_pg_exact",
    "test_pg_i18n",
    "test_pg_moments",
    "test_pg_nets",
    "test_translations",
}
# Where a lesson's number stands in the path of a file that belongs to it.
OF_LESSON = re.compile(
    r"^(?:lessons/|locale/\w+/LC_MESSAGES/|bank/lesson_|grader/checks/lesson_|tests/test_lesson_)"
    r"(\d\d[a-z]?)(?![^_./])"
)


def changed_files(root=ROOT) -> list[str]:
    """What differs from the branch main, committed or not; without git or main what git can say."""

    def lines(*command):
        done = subprocess.run(["git", *command], cwd=root, capture_output=True, text=True)
        return done.stdout.splitlines() if done.returncode == 0 else []

    return [
        *lines("diff", "--name-only", "main...HEAD"),
        *lines("diff", "--name-only", "HEAD"),
        *lines("ls-files", "--others", "--exclude-standard"),
    ]


def lessons_of(files) -> set[str]:
    """The numbers of the lessons that these files belong to: {"03b"}."""
    found = (OF_LESSON.match(file) for file in files)
    return {match[1] for match in found if match}


def exercises_of(numbers) -> set[str]:
    """The exercises whose checks these lessons hold."""
    found = set()
    for number in numbers:
        try:
            module = importlib.import_module(f"grader.checks.lesson_{number}")
        except ModuleNotFoundError:
            continue
        found |= {exercise.name for exercise in module.EXERCISES}
    return found


def selected(items, numbers):
    """The items of the quick set, where the lessons of these numbers were touched."""
    mine = ALWAYS | {f"test_lesson_{number}" for number in numbers}
    exercises = exercises_of(numbers)

    def belongs(item):
        if item.path.stem == "test_bank":
            entry = getattr(item, "callspec", None) and item.callspec.params.get("entry")
            return entry is not None and entry.exercise in exercises
        return any(re.fullmatch(rf"{name}(_[a-z]\w*)?", item.path.stem) for name in mine)

    return [item for item in items if belongs(item)]
