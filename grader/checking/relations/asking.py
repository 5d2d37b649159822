"""Further calls of a wrong answer: one that went wrong, again, with one input changed.

Their answers say which input moves the result, and how (see effects.py and symmetries.py). No call
is made where the answer is right.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from grader.checking.case import Case, Expected, labelled, plain
from grader.probes.inputs import Tensor, Trajectory, View

BASES = 2  # calls that are changed
MOST_ENTRIES = 8  # entries of one input that are changed one at a time
MOST_NUMBERS = 60  # a call of more numbers is changed only where there is no smaller one
TOO_LARGE = 300  # a call of more numbers is never changed
RAISED = 0.7  # what is added to every number of an input


@dataclass(frozen=True)
class Part:
    """What is changed of a call. get: from the inputs to an array; put: the inputs with another
    array in its place; kind: "f" of floats, "i" of whole numbers, "b" of flags."""

    name: str
    get: Callable
    put: Callable
    kind: str = "f"


@dataclass(frozen=True)
class Question:
    """One call. base: the number of the case that was changed; how: what was done to it; part: the
    name of what was changed, or ""; at: the index of the entry; truth: what is right;
    right_elsewhere: whether other calls went right."""

    base: int
    how: str
    part: str
    at: tuple
    case: Case
    truth: Expected | None = None
    right_elsewhere: bool = False


def questions_about(exercise, step, cases, seen) -> list[Question]:
    """The further calls. step: of the ladder, the one that failed; seen: what came of the cases."""
    found, gradients = [], step == "gradient"
    small = [n for n in range(len(cases)) if size_of(cases[n]) <= TOO_LARGE]
    wrong = [n for n in small if _is_wrong(exercise, cases[n], seen[n])]
    elsewhere = any(not cases[n].edge for n in small if n not in wrong)
    for number in _bases(cases, [n for n in wrong if "error" not in seen[n]]):
        case = cases[number] if gradients else without_gradients(cases[number])
        again = Question(number, "again", "", (), case, right_elsewhere=elsewhere)
        found.append(again)
        found += _of_parts(number, case)
        found += changes_of_call(number, case, rows=not gradients)
        found.append(again)
    return with_truths(exercise, found)


def _is_wrong(exercise, case, one):
    return exercise.ladder(case, one, exercise.expected(case)) is not None


def with_truths(exercise, questions) -> list[Question]:
    """Those that the exercise can be asked, with what is right."""
    pairs = [(one, truth_of(exercise, one.case)) for one in questions]
    return [replace(one, truth=truth) for one, truth in pairs if truth]


def truth_of(exercise, case) -> Expected | None:
    """What is right; None where the exercise asks nothing of such a call, or no finite number."""
    try:
        truth = exercise.expected(case)
        arrays = labelled(truth.value).values() if isinstance(truth, Expected) else [np.nan]
        finite = all(np.isfinite(np.asarray(one, float)).all() for one in arrays)
    except Exception:  # the truth can't be computed of such inputs
        return None
    return truth if finite else None


def without_gradients(case):
    """The same call, of which the value alone is asked."""
    inputs = {
        name: replace(given, grad=False) if isinstance(given, Tensor) else given
        for name, given in case.inputs.items()
    }
    return replace(case, inputs=inputs, upstream=None)


def _bases(cases, wrong):
    """Small calls among the wrong ones, of two sizes."""
    ordinary = [n for n in wrong if not cases[n].edge] or wrong
    ordered = sorted(ordinary, key=lambda n: _worth(cases[n]))
    first = ordered[:1]
    others = [n for n in ordered[1:] if _sizes_of(cases[n]) != _sizes_of(cases[first[0]])]
    return [*first, *others, *ordered[1:]][:BASES]


def _sizes_of(case):
    return [part.get(case.inputs).shape for part in parts_of_call(case)]


def _worth(case):
    """Several numbers in every array, no plain number of 0 or 1, and few in all."""
    arrays = [part.get(case.inputs) for part in parts_of_call(case)]
    sizes = [array.size for array in arrays if array.ndim]
    special = sum(array.ndim == 0 and float(array) in (0, 1) for array in arrays)
    total = sum(sizes)
    return not sizes, min(sizes, default=0) < 4, special, total > MOST_NUMBERS, total


def size_of(case):
    """How many numbers can be changed."""
    return sum(part.get(case.inputs).size for part in parts_of_call(case))


# What can be changed --------------------------------------------------------------------------


def parts_of_call(case) -> list[Part]:
    """The numbers and flags that a call holds: arrays, lists, single ones, rewards of
    trajectories."""
    found = []
    for name, given in case.inputs.items():
        kind = "f" if _is_trajectories(given) else _kind(given)
        if kind:
            ways = _of_rewards(name, given) if _is_trajectories(given) else _of_input(name)
            found.append(Part("rewards" if _is_trajectories(given) else name, *ways, kind))
    return [part for part in found if np.isfinite(part.get(case.inputs)).all()]


def _kind(given):
    """The kind of what was given; "" where nothing of it is changed."""
    value = plain(given)
    if isinstance(value, list) and value and all(isinstance(x, (int, float)) for x in value):
        return "b" if any(isinstance(x, bool) for x in value) else "f"
    if isinstance(value, (bool, str)) or value is None or np.size(value) == 0:
        return ""
    kind = np.asarray(value).dtype.kind if not isinstance(value, list) else ""
    return {"f": "f", "i": "i", "u": "i", "b": "b"}.get(kind, "")


def _is_trajectories(value):
    value = value[0] if isinstance(value, list) and value else value
    return isinstance(value, Trajectory)


def _of_input(name):
    def put(inputs, array):
        return {**inputs, name: like(inputs[name], array)}

    return (lambda inputs: np.asarray(plain(inputs[name]))), put


def like(given, array):
    """The array in the guise of what was given."""
    if isinstance(given, Tensor):
        return Tensor(np.asarray(array, given.array.dtype), given.grad)
    if isinstance(given, View):
        return View(np.asarray(array, given.array.dtype), given.guise)
    if isinstance(given, list):
        return np.asarray(array, float).tolist()
    if isinstance(given, (int, float)):
        return type(given)(array)
    return np.asarray(array, given.dtype)


def _listed(value):
    return value if isinstance(value, list) else [value]


def _of_rewards(name, given):
    cuts = np.cumsum([len(one.rewards) for one in _listed(given)])[:-1]

    def get(inputs):
        return np.concatenate([np.asarray(t.rewards, float) for t in _listed(inputs[name])])

    def put(inputs, array):
        rows = zip(_listed(inputs[name]), np.split(array, cuts), strict=True)
        made = [replace(one, rewards=rewards) for one, rewards in rows]
        return {**inputs, name: made if isinstance(inputs[name], list) else made[0]}

    return get, put


# One input, entry by entry --------------------------------------------------------------------


def _of_parts(number, case):
    """Each number changed alone."""
    found = []
    for part in parts_of_call(case):
        array = part.get(case.inputs)
        if array.ndim == 0:
            found += _of_number(number, case, part, array)
            continue
        for at in _places(array.shape):
            changed = array.astype(float if part.kind == "f" else array.dtype)
            changed[at] = _other(array, at, part.kind)
            found.append(_changed(number, case, part, changed, "entry", at))
    return found


def _places(shape):
    """Some indexes of an array, the first and the last among them, spread over rows and columns."""
    every = list(np.ndindex(shape))
    if len(every) <= MOST_ENTRIES:
        return every
    inner = np.random.default_rng(len(every)).permutation(len(every) - 2)[: MOST_ENTRIES - 2] + 1
    return [every[k] for k in (0, *sorted(inner), len(every) - 1)]


def _of_number(number, case, part, value):
    """A plain number a little smaller, and much smaller and larger."""
    if part.kind != "f":
        return [_changed(number, case, part, value + 1, "number")]
    others = [value * by for by in (0.9, 0.2, 5.0)] if value else [0.1]
    return [_changed(number, case, part, other, "number") for other in others]


def _other(array, at, kind):
    """Another number for this entry: of the same sign, or one that stands elsewhere."""
    value = array[at]
    if kind == "b":
        return not value
    if kind == "i":
        others = np.setdiff1d(array, [value])
        return others[int(np.searchsorted(others, value)) % len(others)] if len(others) else value
    if (array >= 0).all() or (array <= 0).all():
        sign = 1.0 if (array >= 0).all() else -1.0
        return 1.1 * value if value else sign * 0.1
    return value + 0.05 + 0.1 * abs(value)


def _changed(number, case, part, array, how, at=()):
    inputs = part.put(case.inputs, array)
    return Question(number, how, part.name, at, replace(case, inputs=inputs, shown=""))


# Whole inputs ---------------------------------------------------------------------------------


def changes_of_call(number, case, rows=True) -> list[Question]:
    """Whole inputs doubled, raised or negated, alone and by twos; rows in another order, twice."""
    floats = [part for part in parts_of_call(case) if part.kind == "f"]
    arrays = [part for part in floats if part.get(case.inputs).ndim]
    found = []
    for part in arrays:
        found += [_together(number, case, [part], how) for how in ("doubled", "negated", "raised")]
        if part.get(case.inputs).ndim == 2:
            sides = "row-raised", "column-raised"
            found += [_together(number, case, [part], how) for how in sides]
    for pair in combinations(floats, 2):
        found.append(_together(number, case, pair, "doubled"))
        if all(part in arrays for part in pair):
            found.append(_together(number, case, pair, "raised"))
    if len(arrays) > 2:
        found += [_together(number, case, arrays, how) for how in ("doubled", "raised")]
    return [*found, *(_of_rows(number, case) if rows else ())]


def _row_raised(array):
    return array + RAISED * (np.arange(len(array)) == 0)[:, None]


WAYS = {
    "doubled": lambda a: 2 * a,
    "negated": lambda a: -a,
    "raised": lambda a: a + RAISED,
    "row-raised": _row_raised,
    "column-raised": lambda a: _row_raised(a.T).T,
}


def _together(number, case, parts, how):
    inputs = case.inputs
    for part in parts:
        inputs = part.put(inputs, WAYS[how](part.get(case.inputs).astype(float)))
    names = "` and `".join(part.name for part in parts)
    return Question(number, how, names, (), replace(case, inputs=inputs, shown=""))


def _of_rows(number, case):
    """All that has rows in another order, and each row twice; trajectories alone, where there are
    some."""
    rows = _rowed(case)
    if not rows:
        return []
    count = len(_rows(case.inputs[rows[0]]))
    found = []
    for how, index in (
        ("reordered", np.roll(np.arange(count), 1)),
        ("repeated", np.repeat(np.arange(count), 2)),
    ):
        inputs = {**case.inputs, **{name: _taken(case.inputs[name], index) for name in rows}}
        part = rows[0] if _is_trajectories(case.inputs[rows[0]]) else ""
        found.append(Question(number, how, part, (), replace(case, inputs=inputs, shown="")))
    return found


def _rows(given):
    return given if isinstance(given, list) else plain(given)


def _rowed(case):
    """The names of what has rows, where all have as many, and more than one."""
    given = case.inputs.items()
    lists = [name for name, one in given if isinstance(one, list) and _is_trajectories(one)]
    names = lists or [name for name, one in given if _has_rows(plain(one))]
    lengths = {len(_rows(case.inputs[name])) for name in names}
    return names if len(lengths) == 1 and max(lengths) > 1 else []


def _has_rows(value):
    return isinstance(value, (list, np.ndarray)) and np.ndim(value) > 0


def _taken(given, index):
    if isinstance(given, list):
        return [given[i] for i in index]
    if isinstance(given, Tensor):
        return Tensor(given.array[index], given.grad)
    if isinstance(given, View):
        return View(given.array[index], given.guise)
    return given[index]
