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
    place = answer.__name__, answer.__code__.co_firstlineno
    if place not in _placed(answer.__module__):
        return None
    parts, imports = [], []  # what it needs, in order
    _collect(_placed(answer.__module__)[place], answer.__module__, parts, imports, set())
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
def _tree(module):
    return ast.parse(inspect.getsource(sys.modules[module])).body


@cache
def _placed(module):
    """{(name, line): node} of every function and constant of a bank's module."""
    found = {}
    for node in _tree(module):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[node.name, line] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id, node.lineno] = node
    return found


@cache
def _seen(module):
    """{name: (node, its module)} of what the module's functions see of the bank."""
    found = {}
    for node in _tree(module):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("bank."):
            found.update({alias.name: _seen(node.module)[alias.name] for alias in node.names})
    own = {name: (node, module) for (name, _line), node in _placed(module).items()}
    return found | own  # the last definition of a name, as Python finds it


@cache
def _imports(module):
    """The lines that import something from outside the bank."""
    nodes = [node for node in _tree(module) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return [ast.unparse(n) for n in nodes if getattr(n, "module", "").split(".")[0] != "bank"]


def _collect(node, module, parts, imports, done):
    """The node's text after the texts of everything in the bank that it uses."""
    done.add(id(node))
    imports += [line for line in _imports(module) if line not in imports]
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    for name, (other, home) in _seen(module).items():
        if name in used and id(other) not in done:
            _collect(other, home, parts, imports, done)
    bare = ast.parse(ast.unparse(node)).body[0]
    if isinstance(bare, ast.FunctionDef):
        bare.decorator_list = []
    parts.append(bare)
