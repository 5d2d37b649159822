"""What further calls of a wrong answer tell (see asking.py): the simplest relation they show."""

from dataclasses import replace
from functools import partial
from itertools import chain

import numpy as np

from grader.checking.case import labelled
from grader.checking.compare import close
from grader.checking.kinds import Mismatch
from grader.checking.relations.asking import MOST_NUMBERS, size_of, without_gradients
from grader.checking.relations.effects import Answer, effect_relations, lesser_effects
from grader.checking.relations.evidence import Relation, plain_inputs, quietly
from grader.checking.relations.symmetries import Lawful, lesser_symmetries, symmetry_relations
from grader.i18n import N_, _

UNSTEADY = "differs-each-time"
# What may hold in the calls that go wrong, and not in those that go right.
OF_ONE_CALL = "input-without-effect", "entries-without-effect", "effect-of-one-input"
EACH_TIME = N_(
    "The same call gave another result when it was made again. What is kept from one call to the "
    "next, or drawn at random?"
)


def further_relation(exercise, step, questions, seen, cases) -> Relation | None:
    """The simplest relation. step: of the ladder, the one that failed; seen: the answers; cases:
    all of the exercise's."""
    return quietly(_sought, exercise, step, questions, seen, cases)


def _sought(exercise, step, questions, seen, cases):
    gradients = step == "gradient"
    read = _gradients if gradients else _values
    pairs = zip(questions, seen, strict=True)
    rows = [(one, made) for one, came in pairs if (made := read(exercise, one, came)) is not None]
    label = _first_wrong(rows, exercise)
    if label is None:
        return None
    bases, answers = {}, []
    for question, made in rows:
        if question.how != "again":
            inputs = plain_inputs(exercise, question.case)
            about = question.base, question.how, question.part, question.at, inputs
            answers.append(Answer(*about, bases[question.base], made[label]))
        elif not _same(bases.setdefault(question.base, made[label])[0], made[label][0]):
            return Relation(UNSTEADY, _(EACH_TIME))
    lawful = Lawful(exercise, _moderate(cases, gradients), partial(_right, label, gradients))
    sure = chain(effect_relations(answers, lawful), symmetry_relations(answers, lawful))
    found = next(chain(sure, lesser_effects(answers), lesser_symmetries(answers, lawful)), None)
    if found and gradients:
        found = replace(found, hint=_of_gradient(label, found.hint))
    if found and questions[0].right_elsewhere and found.name in OF_ONE_CALL:
        found = replace(found, hint=_("In the calls that go wrong: {hint}").format(hint=found.hint))
    return found


def _moderate(cases, gradients):
    """Cases of moderate size that ask for more than care at the edges."""
    plain_ones = [case for case in cases if not case.edge]
    asked = plain_ones if gradients else map(without_gradients, plain_ones)
    return [case for case in asked if size_of(case) <= 2 * MOST_NUMBERS]


def _right(label, gradients, truth):
    """What is looked at of a truth."""
    if gradients:
        found = truth.gradients.get(label)
        return np.zeros(()) if found is None else np.asarray(found, float)
    return np.asarray(labelled(truth.value)[label], float)


def _of_gradient(name, hint):
    return _("Of the gradient with respect to {name}: {hint}").format(name=name, hint=hint)


def _same(one, other):
    return one.shape == other.shape and bool(close(one, other, 1e-9, 1e-9).all())


def _first_wrong(rows, exercise):
    """The part of the result, or the input of a gradient, that is wrong in a call as it was."""
    for question, made in rows:
        for label, (found, wanted) in made.items():
            tolerances = exercise.relative, exercise.absolute
            right = found.shape == wanted.shape and close(found, wanted, *tolerances).all()
            if question.how == "again" and not right and np.isfinite(found).all():
                return label
    return None


def _values(exercise, question, one):
    """Label -> (found, wanted)."""
    if "value" not in one:
        return None
    try:
        found = exercise.kind_for(question.case).arrays(one["value"])
    except Mismatch:
        return None
    wanted = labelled(question.truth.value)
    return {n: (np.asarray(found[n], float), np.asarray(wanted[n], float)) for n in wanted}


def _gradients(exercise, question, one):
    """Input's name -> (found, wanted)."""
    found = one.get("gradients", {"error": ""})
    if "error" in found:
        return None
    made = {}
    for name, wanted in question.truth.gradients.items():
        came = found.get(name, "none")
        zeros = np.zeros(question.case.inputs[name].array.shape)
        made[name] = (
            zeros if isinstance(came, str) else np.asarray(came, float),
            zeros if wanted is None else np.asarray(wanted, float),
        )
    return made
