"""A formula taken apart into its steps: each can be changed alone when the formula is run.

The formula's source is rewritten once, so that every step asks ``step(number, how, *operands)``.
Where that number stands among the changes of a run, the change answers in the step's place.
A run that was watched is known turn by turn; then only what a change reaches is computed again.
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
RUN = 4  # what a run costs by itself, in steps
# Steps that decide what is run at all.
CONTROL = ("If", "Each", "range")


def _first(value, _others=None):
    return value


def _joined(rows, row):
    return [*rows, row]


def _dict(keys, *values):
    return dict(zip(keys, values, strict=True))


DEFAULTS = {**BINARY, **UNARY, **COMPARED, "Name": _first, "Constant": _first, "Each": _first}
DEFAULTS |= {"Item": operator.getitem, "Field": getattr, "If": bool, "Appended": _joined}
DEFAULTS |= {"Dict": _dict, "range": range}


@dataclass(frozen=True)
class Step:
    """One step. kind: a key of DEFAULTS or a word of the vocabulary; made_of: the arguments of the
    formula that went into it, in order; operands: what each of them is, for words; name: the
    number, field or word it is; others: for a name, those that stand beside it; sources: for each
    operand the numbers of the steps that may have made it."""

    number: int
    kind: str
    made_of: tuple
    sources: tuple
    operands: tuple = ()
    name: str = ""
    others: tuple = ()


@dataclass(frozen=True)
class Turn:
    """What one step did in its turn; sources: the turns that its operands come from, or None."""

    number: int
    how: object
    operands: tuple
    settings: dict
    sources: tuple
    result: object


class Formula:
    """A formula that can be run with changes; steps: all of its steps, innermost first."""

    def __init__(self, arguments, steps):
        self.arguments, self.steps = arguments, steps
        self.inputs, self.run = {}, None
        self._changes, self._watch = {}, None

    def __call__(self, inputs, changes=()):
        """The result for inputs (name -> value); changes: (step's number, way) pairs, where
        way(how, *operands, **settings) answers in the place of how(*operands, **settings)."""
        self.inputs, self._changes = inputs, dict(changes)
        return self.run(**inputs)

    def watch(self, inputs):
        """The run without changes, turn by turn."""
        self._watch = Watched(self, inputs)
        try:
            self._watch.result = self(inputs)
        finally:
            watched, self._watch = self._watch, None
        return watched

    def step(self, number, how, *operands, **settings):
        way = self._changes.get(number)
        if way is not None:
            return way(how, *operands, **settings)
        found = how(*operands, **settings)
        if self._watch is not None:
            self._watch.note(number, how, operands, settings, found)
        return found


class Watched:
    """The turns of one run, from which runs with changes are made."""

    def __init__(self, formula, inputs):
        self.formula, self.inputs = formula, inputs
        self.turns, self.result = [], None
        self._latest, self._reached = {}, {}

    def note(self, number, how, operands, settings, result):
        sources = tuple(map(self._turn_of, self.formula.steps[number].sources))
        self._latest[number] = len(self.turns)
        self.turns.append(Turn(number, how, operands, settings, sources, result))

    def _turn_of(self, numbers):
        turns = [self._latest[number] for number in numbers if number in self._latest]
        return max(turns, default=None)

    def changed(self, changes):
        """The result with these (number, way) pairs, from the turns that they reach alone."""
        ways = dict(changes)
        self.formula.inputs = self.inputs
        reached = self._reach(tuple(ways))
        if reached is None:  # what is run at all may change
            return self.formula(self.inputs, changes)
        values = {}
        for at in reached:
            turn = self.turns[at]
            operands = turn.operands
            if not values.keys().isdisjoint(turn.sources):
                pairs = zip(operands, turn.sources)
                operands = [values.get(s, given) for given, s in pairs]
            way = ways.get(turn.number)
            if way is None:
                values[at] = turn.how(*operands, **turn.settings)
            else:
                values[at] = way(turn.how, *operands, **turn.settings)
        return values.get(len(self.turns) - 1, self.result)

    def cost(self, changes):
        """How many steps a run with these changes takes, and a few for the run itself."""
        reached = self._reach(tuple(dict(changes)))
        return RUN + (2 * len(self.turns) if reached is None else len(reached))

    def _reach(self, numbers):
        """The turns that changes of these steps reach, in order; None where the course does."""
        if numbers not in self._reached:
            self._reached[numbers] = self._followed(numbers)
        return self._reached[numbers]

    def _followed(self, numbers):
        reached = set()
        for at, turn in enumerate(self.turns):
            if turn.number in numbers or not reached.isdisjoint(turn.sources):
                if self.formula.steps[turn.number].kind in CONTROL:
                    return None
                reached.add(at)
        return sorted(reached)


@functools.cache
def traced(function) -> Formula:
    """The formula behind a plain function of the vocabulary's words."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    source = tree.body[0]
    source.decorator_list = []
    arguments = tuple(one.arg for one in (*source.args.args, *source.args.kwonlyargs))
    walk = _Walk(arguments)
    source.body = [walk.visit(line) for line in source.body]
    formula = Formula(arguments, walk.finished())
    words = {name: getattr(vocabulary, name) for name in dir(vocabulary) if name[0] != "_"}
    given = {f"_{name}": how for name, how in DEFAULTS.items()}
    scope = {**function.__globals__, **words, **given, "_step": formula.step}
    exec(compile(ast.fix_missing_locations(tree), f"<{function.__name__}>", "exec"), scope)
    formula.run = scope[source.name]
    return formula


class _Walk(ast.NodeTransformer):
    """Rewrites expressions, innermost first; follows which arguments went into each name, and which
    steps give it its value."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.made_of = {name: (name,) for name in arguments}
        self.given_by = {}  # name -> numbers of the steps whose results it is given
        self.steps = []

    def finished(self):
        """The steps; what gives a name its value may stand in a later line of a loop."""
        names = self.given_by
        return [
            Step(**row | {"sources": tuple(tuple(names.get(s, s)) for s in row["sources"])})
            for row in self.steps
        ]

    def _step(self, kind, parts, made_of, **about):
        """The call that stands for this step. parts: its operands, rewritten."""
        number = len(self.steps)
        sources = about.pop("sources", None) or tuple(map(_number_of, parts))
        row = {"number": number, "kind": kind, "made_of": _unique(made_of), "sources": sources}
        self.steps.append(row | about)
        how = ast.Name(f"_{kind}" if kind in DEFAULTS else kind, ast.Load())
        return ast.Call(ast.Name("_step", ast.Load()), [ast.Constant(number), how, *parts], [])

    def _inside(self, *nodes):
        """The arguments that went into these (original) expressions."""
        names = (n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
        return tuple(one for name in names for one in self.made_of.get(name, ()))

    def _operation(self, kind, nodes):
        inside, sides = self._inside(*nodes), tuple(_about(self, one) for one in nodes)
        return self._step(kind, [self.visit(one) for one in nodes], inside, operands=sides)

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load) or node.id not in self.made_of:
            return node
        names = [ast.Name(name, ast.Load()) for name in self.made_of if name != node.id]
        others = tuple(_about(self, name) for name in names)
        beside = ast.Lambda(
            ast.arguments([], [], None, [], [], None, []), ast.Tuple(names, ast.Load())
        )
        about = {"operands": (_about(self, node),), "others": others}
        about["sources"] = (node.id if node.id not in self.arguments else (), ())
        return self._step("Name", [node, beside], self.made_of[node.id], **about)

    def visit_Constant(self, node):
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            return node
        return self._step("Constant", [node], (), name=f"{node.value:g}")

    def visit_BinOp(self, node):
        return self._operation(type(node.op).__name__, [node.left, node.right])

    def visit_UnaryOp(self, node):
        return self._operation(type(node.op).__name__, [node.operand])

    def visit_Compare(self, node):
        if type(node.ops[0]).__name__ not in COMPARED:  # is, in
            return node
        return self._operation(type(node.ops[0]).__name__, [node.left, *node.comparators])

    def visit_Dict(self, node):
        keys = ast.Tuple(node.keys, ast.Load())
        parts = [keys, *(self.visit(one) for one in node.values)]
        return self._step("Dict", parts, self._inside(*node.values))

    def visit_Subscript(self, node):
        inside, sides = self._inside(node), (_about(self, node.value),)
        plain = not isinstance(node.slice, (ast.Name, ast.BinOp, ast.Attribute))
        index = _index(node.slice) if plain else self.visit(node.slice)
        return self._step("Item", [self.visit(node.value), index], inside, operands=sides)

    def visit_Attribute(self, node):
        parts = [self.visit(node.value), ast.Constant(node.attr)]
        return self._step("Field", parts, self._inside(node), name=node.attr)

    def visit_Call(self, node):
        name = getattr(node.func, "id", "")
        if name in DEFAULTS:
            return self._operation(name, node.args)
        if not hasattr(vocabulary, name):
            node.args = [self.visit(one) for one in node.args]
            return node
        inside, sides = self._inside(*node.args), tuple(_about(self, one) for one in node.args)
        plain = 1 if name in REDUCING else len(node.args)  # an axis is no step of its own
        parts = [self.visit(one) for one in node.args[:plain]] + node.args[plain:]
        call = self._step(name, parts, inside, name=name, operands=sides)
        call.keywords = node.keywords
        return call

    def visit_Expr(self, node):
        """``rows.append(row)`` gives the list anew, so that no earlier turn's list is changed."""
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            return node
        rows, row = call.func.value, call.args[0]
        inside = (*self.made_of.get(rows.id, ()), *self._inside(row))
        parts = [ast.Name(rows.id, ast.Load()), self.visit(row)]
        made = self._step("Appended", parts, inside, sources=(rows.id, _number_of(parts[1])))
        self._learn(ast.Name(rows.id), inside, made)
        return ast.Assign([ast.Name(rows.id, ast.Store())], made)

    def visit_Assign(self, node):
        (target,) = node.targets
        if isinstance(target, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        else:
            pairs = [(target, node.value)]
        insides = [self._inside(value) for _target, value in pairs]
        values = [self.visit(value) for _target, value in pairs]
        for (one, _value), inside, value in zip(pairs, insides, values, strict=True):
            self._learn(one, inside, value)
        node.value = ast.Tuple(values, ast.Load()) if len(values) > 1 else values[0]
        return node

    def visit_For(self, node):
        inside = self._inside(node.iter)
        node.iter = self._step("Each", [self.visit(node.iter)], inside)
        self.made_of[node.target.id] = _unique(inside)
        node.body = [self.visit(line) for line in node.body]
        return node

    def visit_If(self, node):
        side, inside = (_about(self, node.test),), self._inside(node.test)
        node.test = self._step("If", [self.visit(node.test)], inside, operands=side)
        node.body = [self.visit(line) for line in node.body]
        node.orelse = [self.visit(line) for line in node.orelse]
        return node

    def _learn(self, target, inside, value):
        name = target.id
        self.made_of[name] = _unique((*self.made_of.get(name, ()), *inside))
        self.given_by.setdefault(name, []).extend(_number_of(value))


def _number_of(part):
    """The number of the step that a rewritten operand is, in a tuple; () where it is none."""
    called = getattr(getattr(part, "func", None), "id", "")
    return (part.args[0].value,) if called == "_step" else ()


def _index(node):
    """An index as it stands; its bounds are left to the step "Item"."""
    if isinstance(node, ast.Slice):
        parts = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.Call(ast.Name("slice", ast.Load()), parts, [])
    if isinstance(node, ast.Tuple):
        return ast.Tuple([_index(one) for one in node.elts], ast.Load())
    return node


def _about(walk, node):
    """What an operand is, for words: (kind, name or the arguments that went into it)."""
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
