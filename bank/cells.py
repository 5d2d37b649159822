"""An entry of the bank as the text of a notebook cell, as a student would have typed it."""

import ast
import inspect
import sys
from functools import cache

from bank import Entry


def cell_of(entry: Entry) -> str | None:
    """The cell's text; None for answers that have no text of their own (lambdas, closures)."""
    answer = entry.answer
    if not inspect.isfunction(answer):
        return f"{entry.exercise} = {answer!r}\n" if isinstance(answer, (str, dict)) else None
    if answer.__closure__ or answer.__name__ == "<lambda>":
        return None
    imports, defined = _module(answer.__module__)
    if (answer.__name__, answer.__code__.co_firstlineno) not in defined:
        return None
    parts, done = [], set()  # what it needs, in order, and what is taken care of
    _collect(defined[answer.__name__, answer.__code__.co_firstlineno], defined, parts, done)
    if answer.__name__ != entry.exercise:
        # A helper of the exercise's own name must not be replaced by the answer.
        parts = [_Renamed(entry.exercise).visit(part) for part in parts]
        parts.append(ast.parse(f"{entry.exercise} = {answer.__name__}"))
    texts = [ast.unparse(part) for part in parts]
    return "\n".join([*imports, "", "", "\n\n\n".join(texts), ""]).lstrip("\n")


class _Renamed(ast.NodeTransformer):
    """Gives a name, where it is defined and where it is used, an underscore in front."""

    def __init__(self, name):
        self.name = name

    def visit_Name(self, node):
        return ast.Name("_" + node.id, node.ctx) if node.id == self.name else node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.name = "_" + node.name if node.name == self.name else node.name
        return node


@cache
def _module(name):
    """(import lines, {(name, line): node} of every function and constant) of a bank's module."""
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    imports, defined = [], {}
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if getattr(node, "module", "") != "bank":
                imports.append(ast.unparse(node))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            defined[node.name, line] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            defined[node.targets[0].id, node.lineno] = node
    return imports, defined


def _collect(node, defined, parts, done):
    """The node's text after the texts of everything in the module that it uses."""
    done.add(id(node))
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    last = {name: other for (name, _line), other in defined.items()}  # as Python finds them
    for name, other in last.items():
        if name in used and id(other) not in done:
            _collect(other, defined, parts, done)
    bare = ast.parse(ast.unparse(node)).body[0]
    if isinstance(bare, ast.FunctionDef):
        bare.decorator_list = []
    parts.append(bare)
