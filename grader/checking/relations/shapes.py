"""What a wrong shape has to do with the right one, where the numbers tell nothing; and numbers that
no right result can be."""

import numpy as np

from grader.checking.relations.evidence import Relation
from grader.i18n import N_, _

FEWEST = 8  # right numbers from which a bound may be read off


def shape_relation(evidence) -> Relation | None:
    """The simplest that holds in every case of a wrong shape."""
    rows = [case for case in evidence.cases if case.found.shape != case.wanted.shape]
    if not rows:
        return None
    for slug, hint, test in SHAPES:
        if all(test(case.found.shape, case.wanted.shape) for case in rows):
            return Relation(slug, _(hint).format(asked=_asked(rows)))
    for name, value in rows[0].inputs.items():
        if np.ndim(value) and all(np.shape(c.inputs.get(name)) == c.found.shape for c in rows):
            hint = _("What came has the shape of `{name}`. {asked}")
            return Relation("shape-of-input", hint.format(name=name, asked=_asked(rows)))
    return None


def _one_longer(one, other):
    """Whether one shape is the other with one place more along one axis."""
    apart = [a - b for a, b in zip(one, other)]
    return len(one) == len(other) and sum(map(abs, apart)) == 1 == sum(apart)


# (slug, hint, test of (the shape that came, the right one))
SHAPES = (
    (
        "one-number-for-many",
        N_("A single number came back. {asked}"),
        lambda found, wanted: found == () and len(wanted) > 0,
    ),
    (
        "axis-missing",
        N_("The first axis is missing in what came. {asked}"),
        lambda found, wanted: found == wanted[1:],
    ),
    (
        "axis-missing",
        N_("The last axis is missing in what came. {asked}"),
        lambda found, wanted: found == wanted[:-1],
    ),
    (
        "axis-extra",
        N_("What came has an axis too many, the first one. {asked}"),
        lambda found, wanted: len(found) > 0 and found[1:] == wanted,
    ),
    (
        "axis-extra",
        N_("What came has an axis too many, the last one. {asked}"),
        lambda found, wanted: len(found) > 0 and found[:-1] == wanted,
    ),
    (
        "axes-swapped",
        N_("What came has rows where columns should be. {asked}"),
        lambda found, wanted: len(found) > 1 and found == wanted[::-1],
    ),
    (
        "length-off-by-one",
        N_("What came is one place too short. {asked}"),
        lambda found, wanted: _one_longer(wanted, found),
    ),
    (
        "length-off-by-one",
        N_("What came is one place too long. {asked}"),
        lambda found, wanted: _one_longer(found, wanted),
    ),
)


def _asked(rows):
    """What is asked, by the shape of an input."""
    for name, value in rows[0].inputs.items():
        shapes = [(np.shape(c.inputs.get(name)), c.wanted.shape) for c in rows]
        if not np.ndim(value):
            continue
        if all(given == wanted for given, wanted in shapes):
            return _("A number is asked for each entry of `{name}`.").format(name=name)
        if all(given[:-1] == wanted for given, wanted in shapes):
            return _("A number is asked for each row of `{name}`.").format(name=name)
    for name, value in rows[0].inputs.items():
        if isinstance(value, list) and all(len(c.inputs[name]) == c.wanted.shape[:1] for c in rows):
            return _("A row is asked for each of `{name}`.").format(name=name)
    return _("Which axes are asked, and what does each of them stand for?")


# Bounds ---------------------------------------------------------------------------------------

BOUNDS = (
    (N_("Right results are never negative; some of yours are."), lambda a: (a >= 0).all()),
    (N_("Right results are never positive; some of yours are."), lambda a: (a <= 0).all()),
    (N_("Right results are never above 1; some of yours are."), lambda a: (a <= 1).all()),
    (
        N_("Right results lie between -1 and 1; some of yours don't."),
        lambda a: (np.abs(a) <= 1).all(),
    ),
    (N_("Right results are whole numbers; some of yours aren't."), lambda a: (a % 1 == 0).all()),
)


def bounds_relation(evidence) -> Relation | None:
    """A bound that all right results keep, and what came doesn't."""
    wanted, found = (
        np.concatenate([np.ravel(getattr(case, side)).astype(float) for case in evidence.cases])
        for side in ("wanted", "found")
    )
    if len(np.unique(wanted)) < FEWEST or not np.isfinite(found).all():
        return None
    for hint, keeps in BOUNDS:
        if keeps(wanted) and not keeps(np.round(found, 9)):
            return Relation("out-of-range", _(hint))
    return None
