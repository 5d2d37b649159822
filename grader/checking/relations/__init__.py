"""What a wrong result has to do with the right one, where no listed mistake fits.

A relation is a way from the truth to what came: another factor, another order, the answer for
another argument. Each is computed anew in every case, never listed for an exercise, and is told
only where it explains all cases: those that went wrong by the relation, those that went right
because it changes nothing there. The simplest one that fits is told.
"""

from contextlib import suppress
from functools import cache, partial
from itertools import chain

from grader.checking.relations.asking import questions_about
from grader.checking.relations.changed import ChangedFormula
from grader.checking.relations.changed_gradient import changed_gradient
from grader.checking.relations.errors import error_relation, named_error
from grader.checking.relations.evidence import Relation, gather, quietly, remembered
from grader.checking.relations.fits import fitted_relations
from grader.checking.relations.further import UNSTEADY, further_relation
from grader.checking.relations.gradients import gradient_relation
from grader.checking.relations.inputs import input_relations
from grader.checking.relations.joined import parts_of, swapped_parts, two_at_once, wrong_parts
from grader.checking.relations.kinds import kind_relation
from grader.checking.relations.outputs import output_relations
from grader.checking.relations.places import (
    direction_relation,
    long_relation,
    near_relation,
    place_relation,
)
from grader.checking.relations.shapes import bounds_relation, shape_relation
from grader.checking.relations.slices import part_relations

__all__ = [
    "MAY_HANG_ON_THE_CALL",
    "UNSTEADY",
    "VAGUE",
    "Relation",
    "further_relation",
    "named_error",
    "questions_about",
    "relation",
]

# Names that say little: where one stands, or none, further calls are made.
VAGUE = ("", "too-large", "too-small", "order-alone", "out-of-range")
# Names that a result of chance, or of what is kept from call to call, may get.
MAY_HANG_ON_THE_CALL = ("wrong-for-some-calls", "some-factor", "misplaced", "not-zero")


def relation(exercise, problem, cases, seen, expected) -> Relation | None:
    """The simplest relation that explains the whole answer, or None.

    exercise: a FunctionExercise; problem: what its ladder found; cases, seen and expected: the
    calls, what was observed and the truths, in one order.
    """
    return quietly(_sought, exercise, problem, cases, seen, expected)


def _sought(exercise, problem, cases, seen, expected):
    rows = exercise, cases, seen, expected
    if problem.step == "runs":
        return error_relation(*rows)
    if problem.step == "kind":
        return kind_relation(*rows[1:])
    if problem.step not in ("gradient", "value", "shape", "finite"):
        return None
    of_gradient = problem.step == "gradient"
    ways = (gradient_relation, changed_gradient) if of_gradient else ()
    if found := _first_of(partial(way, *rows) for way in ways):
        return found
    # Where a gradient is wrong, the values of other calls may be, too.
    evidence = gather(*rows)
    told = _of_values(exercise, evidence, rows, of_gradient) if evidence else None
    return told or _first_of([partial(long_relation, *rows)])


def _first_of(ways):
    """What the first of them says that says anything. One that what came is too odd for is passed
    over."""
    for way in ways:
        with suppress(Exception):
            if found := way():
                return found
    return None


def _of_values(exercise, evidence, rows, of_gradient):
    """of_gradient: whether a gradient is wrong as well; for two changed steps there is no time."""
    parts = parts_of(*rows)
    other_calls = chain(input_relations(exercise, evidence), part_relations(exercise, evidence))
    asked = [remembered(one) for one in other_calls]
    changed = cache(partial(ChangedFormula, exercise, evidence))

    def plain_one():
        candidates = chain(output_relations(evidence), asked, fitted_relations(evidence))
        return next((one for one in candidates if evidence.explained_by(one)), None)

    return _first_of(
        (
            partial(swapped_parts, parts),
            plain_one,
            lambda: changed().one(),
            partial(two_at_once, asked, evidence),
            partial(place_relation, evidence),
            partial(shape_relation, evidence),
            lambda: None if of_gradient else changed().two(),
            partial(wrong_parts, parts),
            partial(near_relation, evidence),
            partial(bounds_relation, evidence),
            partial(direction_relation, evidence),
        )
    )
