"""The check of ``minibatches``: sizes, coverage, and an order that only ``rng`` decides."""

from dataclasses import dataclass

import numpy as np

from grader.checking import (
    N_,
    Case,
    Problem,
    Rng,
    RuleExercise,
    _,
    array_text,
    kind_text,
)
from grader.checks.shared.episodes import raised
from grader.checks.shared.run_slips import always_one_order, other_generator
from grader.checks.shared.sampling import unlikely
from grader.checks.shared.slips import hint_of, teller

CALLS = 80  # with orders of 40 indices: none is sorted by chance, and no two come again
TIMES = 700  # with six indices in three pairs: chance can be judged
# The smallest deviations that are told in at least 99 of 100 secrets.
AGAIN = SORTED = 0.1  # share of calls with an order that came before, or with none
TOGETHER = 0.4  # how often two indices share a minibatch, instead of one time in five
THERE = 0.55  # how often an index is in one of the three, instead of one time in three


def minibatch_cases(rng):
    """Sizes that divide and that don't; then one size drawn so often that chance can be judged."""

    def case(size, part, calls=2, seed=None, noise=0):
        seed = int(rng.integers(2**31)) if seed is None else seed
        given = {"batch_size": size, "minibatch_size": part, "rng": Rng(seed)}
        words = f"minibatches(batch_size={size}, minibatch_size={part}, rng)"
        return Case(given | {"calls": calls, "global_seed": noise}, shown=words)

    size = int(rng.integers(40, 60))
    return [
        case(6, 2),
        case(9, 4),
        case(5, 8),
        case(4, 4),
        case(1, 1),
        case(7, 1),
        case(size, int(rng.integers(7, 12))),
        case(40, 16, seed=7),
        case(40, 16, seed=7, noise=1),
        case(40, 16, seed=8, calls=CALLS),
        case(6, 2, calls=TIMES),
    ]


def batches_kind(case, seen):
    """Index arrays, whole numbers, one axis each."""
    for result in seen["results"]:
        if result["kind"] == "other":
            return _not_arrays(kind_text(result["seen"]))
        if result["kind"] == "flat":
            return _not_arrays(_("single numbers, one after another"), mistake="not-cut")
        for item in result["items"]:
            if item.get("kind") == "tuple":
                return _not_arrays(kind_text(item), _(BATCH_HINTS["tuples"]), "tuples")
            if item.get("kind") != "array" or np.ndim(item["array"]) != 1:
                return _not_arrays(kind_text(item))
            if item["array"].dtype.kind not in "iu":
                mask = item["array"].dtype.kind == "b"
                hint = _("An index array holds the numbers of the samples, as whole numbers.")
                got = _("an array of dtype {known}").format(known=item["array"].dtype)
                return _not_arrays(kind_text(item) if mask else got, hint, "mask" if mask else "")
    return None


def _not_arrays(got, hint="", mistake=""):
    hint = hint or _("Cut one random order of all indices into pieces.")
    expected = _("index arrays, each of shape (m,)")
    return Problem(step="kind", expected=expected, got=got, hint=hint, mistake=mistake)


BATCH_HINTS = {
    "tuples": "logp[(3, 0)] asks for row 3, column 0. logp[np.array([3, 0])] takes samples 3 and "
    "0: an array is asked.",
    "last-dropped": "The last minibatch may be short; its samples count, too.",
    "with-replacement": "Draw one permutation of all indices; drawing them one by one repeats "
    "some.",
    "padded": "The last minibatch may be short: nothing needs to be filled up.",
    "first-index-missing": "The first index is 0.",
    "count": "minibatch_size is how many indices one has, not how many there are.",
    "not-shuffled": "Consecutive steps are alike. Shuffle before you cut.",
    "blocks-shuffled": "Is it the indices that are shuffled, or only the finished pieces?",
    "not-shuffled/now-and-then": "Is there a way through your function on which nothing is "
    "shuffled?",
    "same-order": "Draw from rng at each call. Is an order kept from an earlier one?",
    "uneven": "Every order must be equally likely.",
}


_told = teller(BATCH_HINTS)


def batches_shapes(case, seen):
    """Every index once; full pieces but for the last."""
    size, part = case.inputs["batch_size"], case.inputs["minibatch_size"]
    wanted = [min(part, size - start) for start in range(0, size, part)]
    for result in seen["results"]:
        arrays = [item["array"] for item in result["items"]]
        sizes = [len(array) for array in arrays]
        found = np.concatenate([np.zeros(0, int), *arrays])
        problem = _coverage(np.sort(found), size, sizes, wanted, part)
        if problem or sizes != wanted:
            return problem or _sizes(sizes, wanted, part)
    return None


def _coverage(found, size, sizes, wanted, part):
    words = _("every index from 0 to {last} exactly once").format(last=size - 1)
    missing = sorted(set(range(size)) - set(found.tolist()))
    twice = sorted({int(i) for i in found[1:][found[1:] == found[:-1]]})
    if not missing and not twice and len(found) == size:
        return None
    got = _("missing: {missing}; more than once: {twice}").format(missing=missing, twice=twice)
    name = ""
    if sizes == wanted[:-1] and not twice:
        name = "last-dropped"
    elif twice and len(found) == size:
        name = "with-replacement"
    elif len(found) > size:
        name = "padded"
    elif missing == [size - 1]:
        name = "last-index-missing"
    elif missing == [0]:
        name = "first-index-missing"
    hint = hint_of(BATCH_HINTS, name) or _("Does every sample take part in every epoch?")
    return Problem(step="value", expected=words, got=got, hint=hint, mistake=name)


def _sizes(sizes, wanted, part):
    words, got = (_("minibatches of sizes {sizes}").format(sizes=one) for one in (wanted, sizes))
    name = "sizes"
    if len(sizes) == part and sizes != wanted:
        name = "count"
    elif 0 in sizes:
        name = "empty-minibatch"
    elif max(sizes) - min(sizes) <= 1 and len(sizes) == len(wanted):
        name = "even-sizes"
    only_last = _("Each has minibatch_size indices; only the last may be short.")
    hint = hint_of(BATCH_HINTS, name) or only_last
    return Problem(step="shape", expected=words, got=got, hint=hint, mistake=name)


def batches_random(cases, seen):
    """The order: random, anew at each call, from ``rng`` and nothing else."""
    orders = [
        [np.concatenate([i["array"] for i in r["items"]]).tolist() for r in one["results"]]
        for one in seen
    ]
    if all(order == sorted(order) for one in orders[6:10] for order in one):
        return _told(_("a random order"), array_text(np.array(orders[7][0])), "not-shuffled")
    if all(_is_run(item["array"]) for result in seen[6]["results"] for item in result["items"]):
        return _told(_("a random order"), _("neighbours stay together"), "blocks-shuffled")
    if orders[7] != orders[8]:
        return other_generator(_("the same order from the same rng"))
    if orders[7] == orders[9][:2] or orders[7][0] == orders[7][1]:
        return always_one_order(_("a new order at each call"))
    return now_and_then(orders[9]) or evenness(seen[10]["results"])


def now_and_then(orders):
    """Most calls are right: in some the order is none, or it is an earlier one."""
    unsorted, new = (sum(order != sorted(order) for order in orders), len(set(map(tuple, orders))))
    if unsorted < len(orders):
        expected = _("a random order in {n} of {n} calls").format(n=len(orders))
        return _told(expected, _("in {k} of them").format(k=unsorted), "not-shuffled/now-and-then")
    if new < len(orders) - 1:  # a generator that rng seeds may draw the same seed again
        expected = _("{n} different orders in {n} calls").format(n=len(orders))
        return _told(expected, _("{k} different ones").format(k=new), "same-order")
    return None


def _is_run(array):
    return bool((np.diff(np.asarray(array, int)) == 1).all())


def evenness(results):
    """Six indices in three pairs: every pair comes together in one call of five."""
    calls = [[tuple(item["array"]) for item in result["items"]] for result in results]
    for a in range(6):
        for b in range(a):
            together = np.array([any({a, b} == set(part) for part in call) for call in calls])
            if unlikely(together, np.full(len(calls), 0.2)):
                words = _("{a} and {b} in one minibatch: {k} of {n} times")
                expected = words.format(a=b, b=a, n=len(calls), k=round(len(calls) / 5))
                got = words.format(a=b, b=a, n=len(calls), k=int(together.sum()))
                return _told(expected, got, "blocks-shuffled")
    for position in range(3):
        for index in range(6):
            here = np.array([index in call[position] for call in calls])
            if unlikely(here, np.full(len(calls), 1 / 3)):
                words = _("index {index} in minibatch {position}: {k} of {n} times")
                texts = (
                    words.format(index=index, position=position, n=len(calls), k=k)
                    for k in (round(len(calls) / 3), int(here.sum()))
                )
                return _told(*texts, "uneven")
    return None


@dataclass(frozen=True)
class Minibatches(RuleExercise):
    """Answers for later exercises: index arrays from a seed."""

    def answer(self, question):
        return {"value": pieces(*question["args"])}


def pieces(size, part, seed):
    order = np.random.default_rng(seed).permutation(size)
    return [order[start : start + part] for start in range(0, size, part)]


MINIBATCHES = Minibatches(
    "minibatches",
    "minibatches",
    minibatch_cases,
    rules=(raised, batches_kind, batches_shapes),
    overall=(batches_random,),
    hint=N_("Print what comes back for batch_size 5 and minibatch_size 2."),
)
