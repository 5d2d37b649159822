"""What a wrong result has to do with the right one, where no listed mistake fits.

A relation is a way from the truth to what came: another factor, another order, the answer for
another argument. Each is computed anew in every case, never listed for an exercise, and is told
only where it explains all cases: those that went wrong by the relation, those that went right
because it changes nothing there. The simplest one that fits is told.
"""

import warnings

from grader.checking.relations.evidence import Relation, gather
from grader.checking.relations.gradients import gradient_relation
from grader.checking.relations.inputs import input_relations
from grader.checking.relations.kinds import kind_relation
from grader.checking.relations.outputs import output_relations
from grader.checking.relations.places import place_relation

__all__ = ["Relation", "relation"]


def relation(exercise, problem, cases, seen, expected) -> Relation | None:
    """The simplest relation that explains the whole answer, or None.

    exercise: a FunctionExercise; problem: what its ladder found; cases, seen and expected: the
    calls, what was observed and the truths, in one order.
    """
    with warnings.catch_warnings():
        # The search tries what makes no sense for some shapes; nbgrader takes points for a warning.
        warnings.simplefilter("ignore")
        try:
            return _sought(exercise, problem, cases, seen, expected)
        except Exception:  # what came may have any structure; then there is nothing to tell
            return None


def _sought(exercise, problem, cases, seen, expected):
    if problem.step == "kind":
        return kind_relation(cases, seen, expected)
    if problem.step == "gradient":
        return gradient_relation(exercise, cases, seen, expected)
    if problem.step not in ("value", "shape", "finite"):
        return None
    evidence = gather(exercise, cases, seen, expected)
    if evidence is None:
        return None
    candidates = [*output_relations(evidence), *input_relations(exercise, evidence)]
    fitting = next((one for one in candidates if evidence.explained_by(one)), None)
    return fitting or place_relation(evidence)
