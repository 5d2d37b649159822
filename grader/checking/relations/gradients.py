"""Relations of gradients, where the values are right."""

from itertools import chain

import numpy as np

from grader.checking.case import Expected
from grader.checking.compare import close
from grader.checking.relations.evidence import Evidence, Relation, Seen, plain_inputs
from grader.checking.relations.fits import fitted_relations
from grader.checking.relations.outputs import output_relations
from grader.i18n import N_, _

FACTORS = (
    (-1.0, "gradient-sign", N_("The gradient with respect to {name} has the wrong sign.")),
    (0.0, "gradient-missing", N_("No gradient reaches {name}. Where is it cut off?")),
    (2.0, "gradient-doubled", N_("The gradient with respect to {name} is twice the right one.")),
    (0.5, "gradient-halved", N_("The gradient with respect to {name} is half the right one.")),
    (-2.0, "gradient-sign", N_("The gradient with respect to {name} has the wrong sign and size.")),
)
DATA = N_("A gradient flows into {name}, which is data here: only a number, nothing to learn.")


def gradient_relation(exercise, cases, seen, expected) -> Relation | None:
    """The simplest relation that holds for the first input whose gradient is wrong."""
    rows = [
        (plain_inputs(exercise, case), truth.gradients, one.get("gradients", {}))
        for case, one, truth in zip(cases, seen, expected)
        if isinstance(truth, Expected) and truth.gradients and "error" not in one
    ]
    if any("error" in found for _inputs, _wanted, found in rows):
        return None
    for name in {name: None for _inputs, wanted, _found in rows for name in wanted}:
        pairs = [(i, w[name], f.get(name, "none")) for i, w, f in rows if name in w]
        if all(_fits(found, wanted, exercise.relative) for _i, wanted, found in pairs):
            continue
        return (
            _into_data(name, pairs)
            or _scaled(name, pairs, exercise)
            or _partly(name, pairs, exercise)
            or _like_a_value(name, pairs, exercise)
        )
    return None


def _array(found, like):
    return np.zeros(np.shape(like)) if isinstance(found, str) else np.asarray(found, float)


def _fits(found, wanted, relative, factor=1.0):
    if wanted is None:
        return isinstance(found, str) or not np.any(found)
    wanted = factor * np.asarray(wanted, float)
    found = _array(found, wanted)
    return found.shape == wanted.shape and bool(close(found, wanted, relative).all())


def _into_data(name, pairs):
    if any(wanted is not None for _i, wanted, _f in pairs):
        return None
    return Relation("gradient-into-data", _(DATA).format(name=name))


def _scaled(name, pairs, exercise):
    known = [pair for pair in pairs if pair[1] is not None]
    for factor, slug, hint in FACTORS:
        if all(_fits(found, wanted, exercise.relative, factor) for _i, wanted, found in known):
            return Relation(slug, _(hint).format(name=name))
    for words, value in _sizes(pairs):
        for power, text in (
            (1, N_("The gradient with respect to {name} is {words} times the right one.")),
            (-1, N_("The gradient with respect to {name} is too small by a factor of {words}.")),
        ):
            scaled = ((f, w, value(i) ** power) for i, w, f in known)
            if all(_fits(f, w, exercise.relative, c) for f, w, c in scaled):
                return Relation("gradient-factor", _(text).format(name=name, words=words))
    return None


def _like_a_value(name, pairs, exercise):
    """What a wrong gradient has to do with the right one, as if it were a result."""
    rows = []
    for inputs, wanted, found in pairs:
        if wanted is not None:
            wanted = np.asarray(wanted, float)
            found = _array(found, wanted)
            right = _fits(found, wanted, exercise.relative)
            rows.append(Seen(inputs, frozenset(inputs), "", wanted, found, right))
    evidence = Evidence(rows, exercise.relative, exercise.absolute)
    for one in chain(output_relations(evidence), fitted_relations(evidence)):
        if evidence.explained_by(one):
            hint = _("The gradient with respect to {name}: {hint}").format(name=name, hint=one.hint)
            return Relation(one.name, hint)
    return None


def _sizes(pairs):
    for name, value in pairs[0][0].items():
        if isinstance(value, np.ndarray) and value.ndim and value.size:
            yield (
                _("the length of `{name}`").format(name=name),
                lambda inputs, name=name: float(len(inputs[name])),
            )
            yield (
                _("the number of entries of `{name}`").format(name=name),
                lambda inputs, name=name: float(np.size(inputs[name])),
            )


def _partly(name, pairs, exercise):
    """Right in some entries, and 0, too much or of another sign in all others."""
    missing, alive = True, True
    for _inputs, wanted, found in pairs:
        if wanted is None or np.shape(wanted) != _array(found, wanted).shape:
            return None
        wanted, found = np.asarray(wanted, float), _array(found, wanted)
        wrong = ~close(found, wanted, exercise.relative)
        missing &= not found[wrong].any()
        alive &= not wanted[wrong].any()
    if missing:
        hint = _("Of {name}, some entries get no gradient that should get one.")
        return Relation("gradient-missing", hint.format(name=name))
    if alive:
        hint = _("Of {name}, some entries get a gradient that should get none.")
        return Relation("gradient-alive", hint.format(name=name))
    return None
