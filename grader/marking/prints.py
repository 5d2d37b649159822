"""Prints of a student's code, by which two submissions can be compared without keeping their text.

A print is the hash of a piece of the syntax tree with all names of the student's own taken out:
renaming variables and rewriting comments change none of them. Of each answer the smallest few are
kept, which is a sample that falls on the same pieces in everybody's code (Broder, 1997).
"""

import ast
import hashlib

from grader.course import ANSWERS
from grader.intake.matching import MAX_PARSED, parsed

KEPT = 48
# Nodes of a piece: smaller ones are everybody's, larger ones the whole function.
FEWEST, MOST = 5, 80
MOST_NODES = 3_000


def prints_of(plan) -> dict:
    """exercise -> prints of its answer, from the plan of a submission."""
    return {
        cell.source.exercise: sample(cell.text)
        for cell in plan.cells
        if cell.kind in ANSWERS and cell.written and len(cell.text) <= MAX_PARSED
    }


def sample(text) -> list:
    """The smallest prints of a code; none where it can't be parsed."""
    return sorted(all_prints(text))[:KEPT]


def all_prints(text) -> set:
    """A print of each piece of the code."""
    tree = parsed(text)
    nodes = list(ast.walk(tree)) if tree else []
    if len(nodes) > MOST_NODES:
        return set()
    found, shapes = set(), {}
    for node in reversed(nodes):  # children come before their parents
        children = list(ast.iter_child_nodes(node))
        size = 1 + sum(shapes[id(child)][0] for child in children)
        shape = f"{_label(node)}({','.join(shapes[id(child)][1] for child in children)})"
        digest = hashlib.sha256(shape.encode()).hexdigest()[:12]
        shapes[id(node)] = size, digest
        if FEWEST <= size <= MOST:
            found.add(int(digest, 16))
    return found


def _label(node):
    """A node without the names that a student chooses."""
    if isinstance(node, ast.Attribute):
        return f"Attribute.{node.attr}"
    if isinstance(node, ast.Constant):
        return f"Constant.{node.value!r}"[:80]
    return type(node).__name__
