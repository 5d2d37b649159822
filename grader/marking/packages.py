"""Packages that a submission imports and this machine lacks: it fails here for that alone."""

import ast
import importlib.util
import re

from grader.course.notes import note
from grader.i18n import N_
from grader.intake.matching import MAX_PARSED, parsed

MOST_PARSED = 100_000
# A cell that writes a module of the student's own.
WRITES = re.compile(r"\s*%%(?:writefile|file)\s+(?:-a\s+)?(?:\./)?(\w+)\.py\s*\n")


def lacking(plan) -> list:
    """A note on the packages that the student's code imports and the grader doesn't have."""
    left, names = MOST_PARSED, set()
    for cell in plan.cells:
        if cell.run and cell.written and len(cell.text) <= min(left, MAX_PARSED):
            left -= len(cell.text)
            names |= _imported(cell.text)
    names -= {found[1] for cell in plan.cells if cell.run and (found := WRITES.match(cell.text))}
    missing = sorted(name for name in names if not _is_here(name))
    message = N_(
        "The code imports {names}, which isn't installed where this was graded, and stops there. "
        "Use the packages that the course installs."
    )
    return [note(message, names=missing)] if missing else []


def _imported(text) -> set:
    found, tree = set(), parsed(text)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def _is_here(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return name == "__main__"
