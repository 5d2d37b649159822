"""All changes of one step that a formula allows, with words for each, likeliest first."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from grader.checking.formulas import ways
from grader.checking.formulas.choice import wraps_of
from grader.checking.formulas.orders import reordered
from grader.checking.formulas.ways import COMMON, LIKELY, ODD, PLAUSIBLE, STEPS
from grader.checking.formulas.words import WORDS
from grader.i18n import N_, _

# Locals of formulas that go by the field's own name; of others a hint tells what they are made of.
LOCALS = {
    "ratio": N_("the ratio"),
    "clipped": N_("the clipped ratio"),
    "delta": N_("the TD error"),
    "probabilities": N_("the probabilities"),
    "scores": N_("the scores"),
    "weights": N_("the weights"),
    "square": N_("the squared length"),
    "log_ratio": N_("the log-ratio"),
    "advantage": N_("the advantage"),
    "estimate": N_("the mean of the samples"),
    "error": N_("the error"),
    "returns_to_go": N_("the reward-to-go"),
    "goes_on": N_("the flag that the episode goes on"),
    "bootstrap": N_("the successor's value"),
    "sigma": N_("the deviation"),
    "z": N_("the distance in deviations"),
}
FIELDS = {"rewards": N_("the rewards"), "states": N_("the states"), "actions": N_("the actions")}
TURNS = 3  # of a step in a loop, that are looked at
OTHER_NUMBERS = (0, 1, 2, 0.5, -1, 1.5, 3, 4, 5, 10, 100, 0.1, 0.2, 0.25, 1.2, 1.25, 0.9, 0.95)


@dataclass(frozen=True)
class Change:
    """One change of one step. words() completes "That comes out where ..."."""

    number: int
    way: Callable
    likelihood: int
    name: str
    clause: str
    about: dict
    also: tuple = ()  # (number, way) of other steps that change with it

    @property
    def pairs(self):
        """(number, way) of every step that changes."""
        return [(self.number, self.way), *self.also]

    def words(self) -> str:
        told = {key: _(value[0]).format(**value[1]) for key, value in self.about.items()}
        # In Spanish two words become one here.
        return _(self.clause).format(**told).replace(" de el ", " del ").replace(" a el ", " al ")


def changes_of(watched):
    """(changes, silent): every change of one step, likeliest first, once each; the silent ones make
    no difference in this call."""
    turns = {}
    for turn in watched.turns:
        turns.setdefault(turn.number, []).append(turn)
    loud, silent, again = [], [], _told_elsewhere(watched.formula.steps)
    for step in watched.formula.steps:
        if step.number in turns:
            found = _changes(
                watched.formula, step, turns[step.number][:TURNS], step.number in again
            )
            _sort_out(found, turns[step.number][:TURNS], loud, silent)
    loud += [
        Change(step.number, way, PLAUSIBLE, "other-order-inside", clause, _told(step, word), also)
        for step, way, clause, word, also in reordered(watched)
    ]
    return [sorted(some, key=lambda change: change.likelihood) for some in (loud, silent)]


def _told(step, word):
    return {"what": _about_result(step), "word": (word, {})}


def _told_elsewhere(steps):
    """The steps whose result is another step's, and used by no other: a name that stands once, what
    is taken as data."""
    names = [step.operands[0] for step in steps if step.kind == "Name"]
    once = {side for side, times in Counter(names).items() if side[0] == "local" and times == 1}
    found = {one.number for one in steps if one.kind == "Name" and one.operands[0] in once}
    return found | {n for one in steps if one.kind == "data" for n in one.sources[0]}


def _sort_out(changes, turns, loud, silent):
    """A step's changes without repetitions."""
    known, own = set(), [_print_of(turn.result) for turn in turns]
    for change in changes:
        try:
            made = [_print_of(change.way(_default(t.result), *t.operands)) for t in turns]
        except Exception:  # nothing of this shape can be changed so
            continue
        if made == own:
            silent.append(change)
        elif tuple(made) not in known:
            known.add(tuple(made))
            loud.append(change)


def _default(result):
    return lambda *_operands, **_settings: result


def _print_of(value):
    """What tells two results apart."""
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray) or np.isscalar(value):
        array = np.asarray(value)
        if array.dtype.kind in "fiub":
            digits = np.round(array.astype(float), 9) + 0.0
            return array.shape, array.dtype.kind == "b", digits.tobytes()
    return repr(value)


def _changes(formula, step, turns, elsewhere):
    """All changes of a step, told by its largest turn; elsewhere: what is done to its result is."""
    turn = max(turns, key=lambda turn: np.size(turn.result))
    operands, result = turn.operands, turn.result
    yield from _of_the_step(step, operands)
    if step.kind == "Name":
        yield from _other_names(step, operands, result)
        yield from _fixed(step, result)
        yield from _with_locals(step, operands, result)
    if step.kind == "Constant":
        yield from _other_constants(step, result)
    elif not elsewhere:
        yield from _of_the_result(formula, step, result)
    if step.kind == "Item":
        yield from _other_items(step, operands)


def _of_the_result(formula, step, result):
    about = {"what": _about_result(step)}
    for likelihood, name, clause, way in wraps_of(result):
        yield Change(step.number, _after(way), likelihood, name, clause, about)
    yield from _with_arguments(formula, step, result)


def _after(way):
    return lambda how, *operands, **settings: way(how(*operands, **settings))


# With an argument that is no part of the step.
JOINED = (
    (COMMON, N_("{what} is multiplied by {other}"), lambda x, y: x * y),
    (PLAUSIBLE, N_("{what} is divided by {other}"), lambda x, y: x / y),
    (COMMON, N_("{other} is added to {what}"), lambda x, y: x + y),
    (COMMON, N_("{other} is taken off {what}"), lambda x, y: x - y),
    (PLAUSIBLE, N_("{what} is multiplied by 1 - {other}"), lambda x, y: x * (1 - y)),
    (ODD, N_("{what} is multiplied by 1 + {other}"), lambda x, y: x * (1 + y)),
    (ODD, N_("{what} is raised to the power {other}"), lambda x, y: x**y),
)
BY_PLACE = (
    (COMMON, N_("{what} is multiplied by a power of {other} that grows with the place"), 0),
    (PLAUSIBLE, N_("{what} is multiplied by a power of {other} that falls with the place"), -1),
)
ARRAYS_JOINED = (
    (PLAUSIBLE, N_("{what} counts only where {other} is positive"), lambda x, y: x * (y > 0)),
    (PLAUSIBLE, N_("{what} counts only where {other} is negative"), lambda x, y: x * (y < 0)),
    (ODD, N_("{what} is multiplied by the size of {other}"), lambda x, y: x * abs(y)),
)
FLAGS_JOINED = (
    (COMMON, N_("{what} counts as true where {other} is, too"), lambda x, y: x | y),
    (COMMON, N_("{what} counts only where {other} is true"), lambda x, y: x & y),
    (COMMON, N_("{what} counts only where {other} is false"), lambda x, y: x & ~y),
)


def _with_arguments(formula, step, result):
    if not _is_float(result) and not _is_flags(result):
        return
    for name in formula.arguments:
        value = formula.inputs.get(name)
        about = {"what": _about_result(step), "other": _about_side(("argument", name))}
        for likelihood, clause, way in _joins(result, value):
            joined = _joining(formula, name, way)
            yield Change(step.number, joined, likelihood, "argument-inside", clause, about)


def _with_locals(step, operands, result):
    """What was computed before gets into a name's value."""
    for at, (other, value) in enumerate(zip(step.others, _beside(operands), strict=False)):
        if other[0] == "local" and _is_float(result) and _is_float(value):
            about = {"what": _about_result(step), "other": _about_side(other)}
            for likelihood, clause, way in JOINED[:4]:
                joined = _joining_local(at, way)
                yield Change(step.number, joined, likelihood, "argument-inside", clause, about)


def _joining_local(at, way):
    return lambda _how, value, others: way(value, others()[at])


def _joins(result, value):
    """(likelihood, clause, way(result, value)) that make sense for these two."""
    if isinstance(value, bool):
        return
    same_shape = getattr(value, "shape", None) == np.shape(result) != ()
    if _is_flags(result):
        yield from FLAGS_JOINED if same_shape and _is_flags(value) else ()
    elif isinstance(value, (int, float)):
        yield from JOINED
        if np.ndim(result):
            for likelihood, clause, last in BY_PLACE:
                yield likelihood, clause, _by_powers(last)
    elif same_shape and value.dtype.kind == "f":
        yield from (*JOINED[:4], *ARRAYS_JOINED)


def _by_powers(last):
    def way(x, factor):
        places = np.arange(x.shape[0], dtype=float)
        powers = factor ** (places[::-1] if last else places)
        return x * powers.reshape(-1, *[1] * (x.ndim - 1))

    return way


def _joining(formula, name, way):
    return lambda how, *operands, **settings: way(how(*operands, **settings), formula.inputs[name])


def _is_flags(value):
    return getattr(getattr(value, "dtype", None), "kind", "") == "b"


def _is_float(value):
    if isinstance(value, (int, float, np.number)):
        return not isinstance(value, (bool, np.bool_))
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"


def _of_the_step(step, operands):
    sides = [_about_side(side) for side in step.operands]
    about = dict(zip("ab", sides, strict=False))
    rows = STEPS.get(step.kind) or WORDS.get(step.kind) or ()
    for at, (name, clause, way) in enumerate(rows):
        yield Change(step.number, way, LIKELY if at < 4 else PLAUSIBLE, name, clause, about)
    if step.kind in ways.REDUCING:
        about |= {"word": (ways.REDUCING[step.kind], {})}
        for name, clause, way in ways.AXES:
            yield Change(step.number, way, LIKELY, name, clause, about)
        if step.kind in ("variance", "deviation"):
            name, clause, way = ways.DDOF
            yield Change(step.number, way, LIKELY, name, clause, about)
        for at, (clause, how) in enumerate(ways.REDUCTIONS):
            likelihood = LIKELY if at < 4 else PLAUSIBLE
            way = _reduced_by(how)
            yield Change(step.number, way, likelihood, "other-reduction", clause, about)


def _reduced_by(how):
    return lambda _how, x, axis=None, keep=False, **_settings: how(x, axis, keep=keep)


def _other_names(step, operands, result):
    """Another name of the same kind and shape stands in the place of this one."""
    beside = _beside(operands)
    clause = N_("{other} stands in the place of {name}")
    for at, (other, value) in enumerate(zip(step.others, beside, strict=False)):
        if not _alike(value, result):
            continue
        about = {"name": _about_result(step), "other": _about_side(other)}
        yield Change(step.number, _name_at(at), LIKELY, "other-name-inside", clause, about)


FIXED = (0.99, 0.95, 0.9, 0.5, 0.2, 0.1, 0.01, 1.0, 0.0)


def _fixed(step, result):
    """An argument that is a plain number gives way to a number that is written down."""
    if step.operands[0][0] != "argument" or not isinstance(result, float):
        return
    clause = N_("a fixed number stands in the place of {name}")
    about = {"name": _about_result(step)}
    for number in FIXED:
        way = partial(_always, number)
        yield Change(step.number, way, PLAUSIBLE, "fixed-number-inside", clause, about)


def _always(number, _how, _value, _others):
    return number


def _beside(operands):
    try:
        return operands[1]()
    except NameError:  # a name that a later line gives
        return ()


def _name_at(at):
    return lambda _how, _value, others: others()[at]


def _alike(one, other):
    if type(one) is not type(other) and not (np.isscalar(one) and np.isscalar(other)):
        return False
    if isinstance(one, (bool, str)) or not hasattr(one, "shape"):
        return isinstance(one, (int, float)) and not isinstance(one, bool)
    return one.shape == other.shape and one.dtype == other.dtype


def _other_constants(step, result):
    about = {"number": ("{number}", {"number": step.name})}
    clause = N_("another number stands in the place of {number}")
    for number in (*OTHER_NUMBERS, result + 1, result - 1, -result, result / 2, result * 2):
        yield Change(
            step.number, lambda _how, _value, n=number: n, PLAUSIBLE, "other-number", clause, about
        )


def _other_items(step, operands):
    """An index or a slice one place off."""
    about = dict(zip("ab", map(_about_side, step.operands), strict=False))
    rows = (
        (N_("{a} is read one place too late"), 1),
        (N_("{a} is read one place too early"), -1),
    )
    for clause, by in rows:
        moved = _moved_index(by)
        yield Change(step.number, moved, LIKELY, "one-off-inside", clause, about)
    clause = N_("all of {a} is taken, not the part that was named")
    yield Change(step.number, lambda _h, x, _at: x, PLAUSIBLE, "left-out-inside", clause, about)


def _moved_index(by):
    def way(_how, value, index):
        return value[_moved(index, by, np.shape(value) or (len(value),))]

    return way


def _moved(index, by, shape):
    if isinstance(index, tuple):
        sizes = iter(shape)
        return tuple(one if one is None else _moved_one(one, by, next(sizes)) for one in index)
    return _moved_one(index, by, shape[0])


def _moved_one(index, by, size):
    if not isinstance(index, slice):
        return (index + by) % size
    if index == slice(None):
        return index
    start, stop, _step = index.indices(size)
    return slice(max(start + by, 0), min(max(stop + by, 0), size))


# Words ----------------------------------------------------------------------------------------


def _about_result(step):
    """(msgid, values) of what a step's result is."""
    if step.kind in ("Name", "Item"):
        return _about_side(step.operands[0])
    if step.kind == "Field":
        return _about_side(("field", step.name))
    return _about_side(("made", step.made_of))


def _about_side(side):
    kind, what = side
    if kind == "argument":
        return "{name}", {"name": f"`{what}`"}
    if kind == "number":
        return "{name}", {"name": what}
    if kind == "field":
        return FIELDS.get(what, "{name}"), {"name": f"`{what}`"}
    if kind == "local":
        name, made_of = what
        return (LOCALS[name], {}) if name in LOCALS else _about_side(("made", made_of))
    return _made_of(what)


def _made_of(arguments):
    names = [f"`{name}`" for name in arguments]
    if not names:
        return N_("a number"), {}
    if len(names) == 1:
        return N_("what is made of {one}"), {"one": names[0]}
    if len(names) == 2:
        return N_("what is made of {one} and {two}"), {"one": names[0], "two": names[1]}
    return N_("what is made of {all}"), {"all": ", ".join(names)}
