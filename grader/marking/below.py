"""Answers that stand below their own check: right ones, too, come too late there."""

import ast

from grader.course.notes import note
from grader.i18n import N_
from grader.intake.matching import MAX_PARSED, parsed

MOST_PARSED = 100_000


def below_their_check(plan, failed) -> list:
    """A note on those of the failed checks whose name the student defines further down. In a
    notebook that is open the check may have been asked again afterwards, and have passed."""
    left, names, asked = MOST_PARSED, [], set()
    for cell in plan.cells:
        if cell.kind == "check":
            asked |= {cell.source.grade_id} & set(failed)
        elif asked and cell.run and cell.written and len(cell.text) <= min(left, MAX_PARSED):
            left -= len(cell.text)
            names += sorted(_defined(cell.text) & asked)
    message = N_(
        "Defined below their own check, where they come too late for it: {names}. Notebooks are "
        "run from top to bottom; move the definitions above the check."
    )
    return [note(message, names=list(dict.fromkeys(names)))] if names else []


def _defined(text) -> set:
    """The names that the code gives a value, outside functions and classes."""
    found, tree = set(), parsed(text)
    for node in tree.body if tree else ():
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return found
