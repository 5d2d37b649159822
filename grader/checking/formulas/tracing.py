"""A formula taken apart into its steps: each can be changed alone when the formula is run.

The formula's source is rewritten once, so that every step asks ``step(number, how, *operands)``.
Where that number stands among the changes of a run, the change answers in the step's place.
"""

import ast
import functools
import inspect
import operator
import textwrap
from dataclasses import dataclass

from grader.checking.formulas import vocabulary

BINARY = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Pow": operator.pow,
    "BitAnd": operator.and_,
    "BitOr": operator.or_,
    "MatMult": operator.matmul,
}
REDUCING = ("total", "mean", "variance", "deviation", "largest", "smallest")
UNARY = {"USub": operator.neg, "Invert": operator.invert, "Not": operator.not_}
COMPARED = {
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Eq": operator.eq,
    "NotEq": operator.ne,
}


def _first(value, _others=None):
    return value


def _item(value, index):
    return value[index]


def _told(condition):
    return bool(condition)


DEFAULTS = {**BINARY, **UNARY, **COMPARED, "Name": _first, "Constant": _first, "Item": _item}
DEFAULTS |= {"Field": getattr, "If": _told}


@dataclass(frozen=True)
class Step:
    """One step. kind: a key of DEFAULTS or a word of the vocabulary; made_of: the arguments of the
    formula that went into it, in order; name: the argument, local, field or word it is; others: for
    a name, those that stand beside it."""

    number: int
    kind: str
    made_of: tuple
    name: str = ""
    operands: tuple = ()
    others: tuple = ()


@dataclass(frozen=True)
class Turn:
    """What one step did in its turn."""

    number: int
    operands: tuple
    result: object


class Formula:
    """A formula that can be run with changes; steps: all of its steps, innermost first."""

    def __init__(self, arguments, steps):
        self.arguments, self.steps = arguments, steps
        self.inputs, self.run = {}, None
        self._changes, self._at = {}, 0
        self._watching, self._turns, self._watched = False, [], None

    def __call__(self, inputs, changes=()):
        """The result for inputs (name -> value); changes: (step's number, way) pairs, where
        way(how, *operands, **settings) answers in the place of how(*operands, **settings)."""
        self.inputs, self._changes, self._at = inputs, dict(changes), 0
        return self.run(**inputs)

    def watch(self, inputs):
        """The turns of all steps. Later runs on the same inputs take from them what no change
        reaches."""
        self._watching, self._turns, self._watched = True, [], None
        try:
            self(inputs)
        finally:
            self._watching = False
        self._watched = inputs
        return self._turns

    def step(self, number, how, *operands, **settings):
        way = self._changes.get(number)
        if way is not None:
            self._at += 1
            return way(how, *operands, **settings)
        if self._watching:
            found = how(*operands, **settings)
            self._turns.append(Turn(number, operands, found))
            return found
        if self._watched is self.inputs and self._at < len(self._turns):
            turn = self._turns[self._at]
            self._at += 1
            if turn.number == number and _untouched(how, operands, turn.operands):
                return turn.result
        return how(*operands, **settings)


def _untouched(how, operands, before):
    if how is _first:
        return operands[0] is before[0]
    return all(map(_same, operands, before))


def _same(one, other):
    if one is other:
        return True
    plain = isinstance(one, (slice, int, float)) and isinstance(other, type(one))
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(map(_same, one, other))
    return plain and one == other


@functools.cache
def traced(function) -> Formula:
    """The formula behind a plain function of the vocabulary's words."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    source = tree.body[0]
    source.decorator_list = []
    arguments = tuple(one.arg for one in (*source.args.args, *source.args.kwonlyargs))
    walk = _Walk(arguments)
    source.body = [walk.visit(line) for line in source.body]
    formula = Formula(arguments, walk.steps)
    words = {name: getattr(vocabulary, name) for name in dir(vocabulary) if name[0] != "_"}
    given = {f"_{name}": how for name, how in DEFAULTS.items()}
    scope = {**function.__globals__, **words, **given, "_step": formula.step}
    exec(compile(ast.fix_missing_locations(tree), f"<{function.__name__}>", "exec"), scope)
    formula.run = scope[source.name]
    return formula


class _Walk(ast.NodeTransformer):
    """Rewrites expressions, innermost first; follows which arguments went into each name."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.made_of = {name: (name,) for name in arguments}
        self.steps = []

    def _step(self, kind, parts, made_of, **about):
        """The call that stands for this step."""
        number = len(self.steps)
        self.steps.append(Step(number, kind, _unique(made_of), **about))
        how = ast.Name(f"_{kind}" if kind in DEFAULTS else kind, ast.Load())
        return ast.Call(ast.Name("_step", ast.Load()), [ast.Constant(number), how, *parts], [])

    def _inside(self, *nodes):
        """The arguments that went into these (original) expressions."""
        names = (n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
        return tuple(one for name in names for one in self.made_of.get(name, ()))

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load) or node.id not in self.made_of:
            return node
        names = [ast.Name(name, ast.Load()) for name in self.made_of if name != node.id]
        others = tuple(_about(self, name) for name in names)
        beside = ast.Lambda(
            ast.arguments([], [], None, [], [], None, []), ast.Tuple(names, ast.Load())
        )
        sides, inside = (_about(self, node),), self.made_of[node.id]
        return self._step("Name", [node, beside], inside, operands=sides, others=others)

    def visit_Constant(self, node):
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            return node
        return self._step("Constant", [node], (), name=f"{node.value:g}")

    def visit_BinOp(self, node):
        inside = self._inside(node)
        sides = (_about(self, node.left), _about(self, node.right))
        operands = [self.visit(node.left), self.visit(node.right)]
        return self._step(type(node.op).__name__, operands, inside, operands=sides)

    def visit_UnaryOp(self, node):
        inside, side = self._inside(node), (_about(self, node.operand),)
        operand = self.visit(node.operand)
        return self._step(type(node.op).__name__, [operand], inside, operands=side)

    def visit_Compare(self, node):
        if type(node.ops[0]).__name__ not in COMPARED:  # is, in
            return node
        inside = self._inside(node)
        sides = (_about(self, node.left), _about(self, node.comparators[0]))
        operands = [self.visit(node.left), self.visit(node.comparators[0])]
        return self._step(type(node.ops[0]).__name__, operands, inside, operands=sides)

    def visit_Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            node.slice = self.visit(node.slice)
            return node
        inside, sides = self._inside(node), (_about(self, node.value),)
        operands = [self.visit(node.value), _index(node.slice, self)]
        return self._step("Item", operands, inside, operands=sides)

    def visit_Attribute(self, node):
        inside = self._inside(node)
        operands = [self.visit(node.value), ast.Constant(node.attr)]
        return self._step("Field", operands, inside, name=node.attr)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute):  # a method of a list
            node.args = [self.visit(one) for one in node.args]
            return node
        inside = self._inside(*node.args)
        sides = tuple(_about(self, one) for one in node.args)
        name = node.func.id
        plain = 1 if name in REDUCING else len(node.args)  # an axis is no step of its own
        operands = [self.visit(one) for one in node.args[:plain]] + node.args[plain:]
        if not hasattr(vocabulary, name):
            return ast.Call(node.func, operands, node.keywords)
        call = self._step(name, operands, inside, name=name, operands=sides)
        call.keywords = node.keywords
        return call

    def visit_Assign(self, node):
        inside = self._inside(node.value)
        node.value = self.visit(node.value)
        node.targets = [self.visit(one) for one in node.targets]
        for target in node.targets:
            self._learn(target, inside)
        return node

    def visit_For(self, node):
        inside = self._inside(node.iter)
        node.iter = self.visit(node.iter)
        self._learn(node.target, inside)
        node.body = [self.visit(line) for line in node.body]
        return node

    def visit_If(self, node):
        side = (_about(self, node.test),)
        inside = self._inside(node.test)
        node.test = self._step("If", [self.visit(node.test)], inside, operands=side)
        node.body = [self.visit(line) for line in node.body]
        node.orelse = [self.visit(line) for line in node.orelse]
        return node

    def _learn(self, target, inside):
        names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
        for name in names[:1] if isinstance(target, ast.Subscript) else names:
            self.made_of[name] = _unique((*self.made_of.get(name, ()), *inside))


def _index(node, walk):
    """An index: slices become calls of slice, whose bounds are left to the step "Item"."""
    if isinstance(node, ast.Slice):
        parts = [p or ast.Constant(None) for p in (node.lower, node.upper, node.step)]
        return ast.Call(ast.Name("slice", ast.Load()), parts, [])
    if isinstance(node, ast.Tuple):
        return ast.Tuple([_index(one, walk) for one in node.elts], ast.Load())
    plain = isinstance(node, (ast.Constant, ast.UnaryOp))
    return node if plain else walk.visit(node)


def _about(walk, node):
    """What an operand is, for words: ("name", name), ("number", text) or ("made", arguments)."""
    if isinstance(node, ast.Name):
        if node.id in walk.arguments:
            return "argument", node.id
        return "local", (node.id, walk.made_of.get(node.id, ()))
    if isinstance(node, ast.Constant):
        return "number", f"{node.value:g}" if isinstance(node.value, (int, float)) else ""
    if isinstance(node, ast.Attribute):
        return "field", node.attr
    return "made", _unique(walk._inside(node))


def _unique(names):
    return tuple(dict.fromkeys(names))
