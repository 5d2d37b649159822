"""Expand a lesson's cells to a notebook in nbgrader's own schema (its source version)."""

from nbformat import NotebookNode, from_dict, v4

from policy_gradients.handout import ANSWERS, answer_id
from publish.rules import given_source

SCHEMA_VERSION = 3
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
# nbgrader's flags of each kind of cell: (grade, solution, locked).
FLAGS = {
    "setup": (False, False, True),
    "given": (False, False, True),
    "exercise": (False, True, False),
    "question": (False, True, False),
    "check": (True, False, True),
    "free": (True, True, False),
}
# An unsolved check or demo raises; with this tag "Run all" goes on to the end of the notebook.
GOES_ON = ("check", "demo", "claim")


def expand(lesson, solutions, language="en"):
    """The instructor's notebook of `lesson`, not executed.

    `solutions` maps each earlier exercise's name to (lesson name, cell source).
    """
    counts, cells = {}, []
    for cell in lesson.cells:
        counts[cell.kind] = counts.get(cell.kind, 0) + 1
        cells.append(_expand_cell(cell, counts[cell.kind], solutions, language))
    notebook = v4.new_notebook(cells=cells)
    notebook.nbformat_minor = 5
    notebook.metadata = from_dict(
        {
            "kernelspec": KERNEL,
            "language_info": LANGUAGE_INFO,
            "policy_gradients": {"lesson": lesson.name, "language": language},
        }
    )
    return notebook


def kind_of(cell):
    """The kind of a notebook's cell, as the lesson's header named it."""
    return cell.metadata["policy_gradients"]["kind"]


def without_claims(notebook):
    """The notebook less its claims, which are for the build alone; cells are shared."""
    cells = [cell for cell in notebook.cells if kind_of(cell) != "claim"]
    return NotebookNode({**notebook, "cells": cells})


def _expand_cell(cell, count, solutions, language):
    grade_id = _grade_id(cell, count)
    source = cell.source
    if cell.kind == "given":
        source = given_source(cell.keys["given"], solutions, language)
    new = v4.new_markdown_cell if cell.kind in ("prose", "free") else v4.new_code_cell
    expanded = new(source, id=grade_id)
    ours = {"kind": cell.kind}
    if cell.kind == "claim":
        ours["claim"] = dict(cell.keys)
    for key in ("trained", "void"):
        if key in cell.keys:
            ours[key] = True
    if "alt" in cell.keys:
        # The second one is where nbconvert looks when it makes feedback and pages.
        ours["alt"] = expanded.metadata["alt"] = cell.keys["alt"]
    expanded.metadata["policy_gradients"] = ours
    if cell.kind in FLAGS:
        expanded.metadata["nbgrader"] = _nbgrader(cell, grade_id)
    if cell.kind in GOES_ON:
        expanded.metadata["tags"] = ["raises-exception"]
    return expanded


def _grade_id(cell, count):
    """The grade id, or, where nbgrader needs none, an id by kind and position."""
    if cell.kind in ("check", "free"):
        return cell.name
    if cell.kind in ANSWERS:
        return answer_id(cell.name)
    return f"{cell.kind}-{count}"


def _nbgrader(cell, grade_id):
    grade, solution, locked = FLAGS[cell.kind]
    metadata = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": SCHEMA_VERSION,
        "solution": solution,
        "task": False,
    }
    if grade:
        metadata["points"] = cell.keys["points"]
    return metadata
