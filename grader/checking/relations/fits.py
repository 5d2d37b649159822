"""Relations with a number of their own: read off the first wrong calls, confirmed in all others.

None of the hints says that number, unless it is one that everybody writes down: an answer could
hand a hidden input back as a factor.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from grader.checking.relations.evidence import Relation
from grader.checking.relations.inputs import plain_list
from grader.checking.relations.outputs import quantities
from grader.i18n import N_, _

NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 1, 2, 3)
FEWEST = 4  # numbers from which a line may be read off


def fitted_relations(evidence):
    """The relations, simplest first."""
    yield from _rounded(evidence)
    yield from _bounded(evidence)
    yield from _against_sizes(evidence)
    yield from _constant(evidence)
    yield from _of_inputs(evidence)
    yield from _with_a_share(evidence)
    yield from _lines(evidence)
    yield from _proportional(evidence)


def _rounded(evidence):
    hint = N_("The numbers are right, but rounded. Who asked for fewer digits?")
    for digits in (1, 2, 3, 4):
        yield Relation(
            "rounded", _(hint), lambda case, d=digits: np.round(np.asarray(case.wanted, float), d)
        )
    yield Relation("rounded", _("The numbers are rounded up."), lambda case: np.ceil(case.wanted))
    yield Relation(
        "rounded", _("The numbers are rounded down."), lambda case: np.floor(case.wanted)
    )
    hint = N_("Whole numbers, but some are one too large or too small: at which bound?")
    if all(np.isin(case.wanted, (0, 1)).all() for case in evidence.cases):
        hint = N_("Yes where no is right, or no where yes is right. Where is your bound?")
    yield Relation("off-by-one-result", _(hint), _off_by_one)
    hint = N_("Powers of two came back: the right number is rounded up to the next.")
    yield Relation(
        "rounded", _(hint), lambda case: 2.0 ** np.ceil(np.log2(np.maximum(case.wanted, 1)))
    )


def _off_by_one(case):
    if case.found.shape != case.wanted.shape:
        return None
    apart = case.found - case.wanted
    whole = np.array_equal(case.wanted, np.round(case.wanted))
    return case.found if whole and np.isin(apart, (-1, 0, 1)).all() else None


def _bounded(evidence):
    """The right numbers cut off at one bound, the same in all calls."""
    found = np.concatenate([np.ravel(case.found) for case in evidence.cases if not case.right])
    if not np.isfinite(found).all() or not found.size:
        return
    top, low = found.max(), found.min()
    above = N_("The numbers are right up to a bound; larger ones are cut off there.")
    below = N_("The numbers are right down to a bound; smaller ones are cut off there.")
    both = N_("The numbers are right between two bounds; what lies outside is cut off.")
    if len(np.unique(found)) > 1 or sum(not case.right for case in evidence.cases) > 1:
        yield Relation("cut-at-a-bound", _(above), lambda case: np.minimum(case.wanted, top))
        yield Relation("cut-at-a-bound", _(below), lambda case: np.maximum(case.wanted, low))
    if len(np.unique(found)) > 2:
        yield Relation("cut-at-a-bound", _(both), lambda case: np.clip(case.wanted, low, top))


def _against_sizes(evidence):
    for words, value in quantities(evidence):
        for way, hint in (
            (np.maximum, N_("Right, but never less than {what}.")),
            (np.minimum, N_("Right, but never more than {what}.")),
        ):
            yield Relation(
                "cut-at-a-bound",
                _(hint).format(what=words),
                lambda case, way=way, value=value: way(case.wanted, value(case)),
            )


def _constant(evidence):
    wrong = [case for case in evidence.cases if not case.right]
    if len(wrong) > 1 and wrong[0].found.size:
        number = np.ravel(wrong[0].found)[0]
        hint = _("The same number came back in every call. Which inputs does your answer use?")
        yield Relation("constant-result", hint, lambda case: np.full(case.wanted.shape, number))


# What a number may have been made of: words, and the way from one input.
WHOLE_INPUT = (
    (N_("What came is `{name}` itself."), lambda a: a),
    (N_("What came is minus `{name}`."), np.negative),
    (N_("What came is exp of `{name}`."), np.exp),
    (N_("What came is the logarithm of `{name}`."), np.log),
    (N_("What came is the square of `{name}`."), np.square),
    (N_("What came is the running sum of `{name}`."), lambda a: np.cumsum(a, -1)),
    (N_("What came is `{name}` minus its mean."), lambda a: a - a.mean()),
    (N_("What came is `{name}` whitened."), lambda a: (a - a.mean()) / a.std()),
    (N_("What came is `{name}` whitened."), lambda a: (a - a.mean()) / a.std(ddof=1)),
    (N_("What came is `{name}` whitened."), lambda a: (a - a.mean()) / (a.std(ddof=1) + 1e-4)),
    (N_("What came is `{name}` divided by its sum."), lambda a: a / a.sum()),
)
REDUCED = (
    (N_("the mean of `{name}`"), np.mean),
    (N_("the sum of `{name}`"), np.sum),
    (N_("the standard deviation of `{name}`"), np.std),
    (N_("the variance of `{name}`"), np.var),
    (N_("the largest of `{name}`"), np.max),
    (N_("the smallest of `{name}`"), np.min),
    (N_("the mean square of `{name}`"), lambda a: np.mean(np.square(a))),
    (N_("the mean size of `{name}`"), lambda a: np.mean(np.abs(a))),
    (N_("the first of `{name}`"), lambda a: np.ravel(a)[0]),
    (N_("the last of `{name}`"), lambda a: np.ravel(a)[-1]),
)


def _of_inputs(evidence):
    """What came depends on one input alone."""
    for name in _arrays(evidence):
        for hint, way in WHOLE_INPUT:
            yield Relation(
                "input-returned",
                _(hint).format(name=name),
                lambda case, way=way, name=name: way(np.asarray(case.inputs[name], float)),
            )
    for words, value in _numbers_of(evidence):
        for sign, hint in ((1, N_("What came is {what}.")), (-1, N_("What came is minus {what}."))):
            yield Relation(
                "input-returned",
                _(hint).format(what=words),
                lambda case, s=sign, value=value: np.asarray(s * value(case)),
            )


def _arrays(evidence):
    for name, value in evidence.cases[0].inputs.items():
        if plain_list(value) or (isinstance(value, np.ndarray) and value.ndim):
            yield name


def _numbers_of(evidence):
    """(words, case -> number) of what can be taken of one input."""
    for name in _arrays(evidence):
        for words, way in REDUCED:
            yield (
                _(words).format(name=name),
                lambda case, way=way, name=name: float(way(np.asarray(case.inputs[name], float))),
            )


def _with_a_share(evidence):
    """The right result plus a fixed share of something that was handed in."""
    rows = [case for case in evidence.cases if case.found.shape == case.wanted.shape]
    if sum(not case.right for case in rows) < 2 or len(rows) < len(evidence.cases):
        return
    parts = [(f"`{name}`", partial(_input, name=name)) for name in _arrays(evidence)]
    every = *parts, *_numbers_of(evidence), *_products(evidence), *_along_rows(evidence)
    for words, part in every:
        share = _share(rows[0], part)
        if share is not None:
            yield Relation("share-of-input", _share_words(share, words), _added(part, share))


def _input(case, name):
    return np.asarray(case.inputs[name], float)


def _products(evidence):
    """The mean of the product of two arrays, and of a number and an array's mean."""
    names = [n for n in _arrays(evidence) if np.ndim(evidence.cases[0].inputs[n])]
    for at, one in enumerate(names):
        for other in names[at:]:
            words = _("the mean of `{one}` times `{other}`").format(one=one, other=other)
            yield (
                words,
                lambda case, a=one, b=other: float(np.mean(_input(case, a) * _input(case, b))),
            )


def _along_rows(evidence):
    """What each row of an input comes to."""
    for name in _arrays(evidence):
        for hint, way in (
            (N_("the largest of each row of `{name}`"), np.max),
            (N_("the mean of each row of `{name}`"), np.mean),
            (N_("the sum of each row of `{name}`"), np.sum),
        ):
            yield _(hint).format(name=name), partial(_row_by_row, name=name, way=way)


def _row_by_row(case, name, way):
    return way(_input(case, name), axis=-1)


def _share(case, part):
    """The number c with found = wanted + c * part, read where the part is largest."""
    try:
        value = np.broadcast_to(part(case), case.wanted.shape).ravel()
    except Exception:  # nothing of this shape can have been added
        return None
    apart = np.ravel(case.found - case.wanted)
    if not value.size or not np.isfinite(apart).all() or not np.isfinite(value).all():
        return None
    at = int(np.argmax(np.abs(value)))
    return apart[at] / value[at] if abs(value[at]) > 1e-9 else None


def _added(part, share):
    return lambda case: case.wanted + share * np.broadcast_to(part(case), case.wanted.shape)


def _share_words(share, words):
    size = next((n for n in NICE if abs(abs(share) - n) < 1e-4 * n), None)
    text = (
        words if size == 1 else _("{size} of {what}").format(size=size or _("a part"), what=words)
    )
    hint = N_("The right result plus {what} came back.") if share > 0 else None
    return _(hint or N_("The right result minus {what} came back.")).format(what=text)


def _lines(evidence):
    """found = a * wanted + b, with the same a and b, or the same a alone, in every call."""
    rows = [case for case in evidence.cases if case.found.shape == case.wanted.shape]
    if len(rows) < len(evidence.cases):
        return
    wanted, found = (np.concatenate([np.ravel(getattr(c, n)) for c in rows]) for n in _SIDES)
    if not np.isfinite(found).all() or len(np.unique(wanted)) < FEWEST:
        return
    slope, level = np.polyfit(wanted, found, 1)
    hint = _("The right numbers came back times one number plus another, the same in all calls.")
    yield Relation("line-of-the-right", hint, lambda case: slope * case.wanted + level)
    slope = _common_slope(rows)
    if slope is not None:
        hint = _(
            "Within a call, the right numbers came back times a number plus another. What is "
            "mixed into them?"
        )
        yield Relation("line-of-the-right", hint, partial(_own_level, slope=slope))


_SIDES = ("wanted", "found")


def _common_slope(rows):
    centred = [
        (c.wanted - c.wanted.mean(), c.found - c.found.mean()) for c in rows if c.wanted.size
    ]
    x, y = (np.concatenate([np.ravel(pair[n]) for pair in centred]) for n in (0, 1))
    many = sum(len(np.unique(c.wanted)) > 2 for c in rows if not c.right) > 1
    return float(x @ y / (x @ x)) if many and x @ x > 0 else None


def _own_level(case, slope):
    return case.found.mean() + slope * (case.wanted - case.wanted.mean())


def _proportional(evidence):
    hint = N_("The numbers of a call are right up to one common factor.")
    yield from _by_lines(evidence, "common-factor", hint, _scaled, None)
    yield from _by_groups(evidence)
    for axis in (-1, 0):
        hint = N_("The numbers are right up to a factor, one for each row or column.")
        yield from _by_lines(evidence, "common-factor", hint, _scaled, axis)
        hint = N_("The numbers are right up to a constant, one for each row or column.")
        yield from _by_lines(evidence, "common-offset", hint, _levelled, axis)


def _by_groups(evidence):
    """A factor for each group of rows, where an argument of whole numbers says who belongs
    together."""
    for hint, change in (
        (
            N_("The numbers of a group are right up to a factor, one for each group in `{name}`."),
            _scaled,
        ),
        (
            N_(
                "The numbers of a group are right up to a constant, one for each group in `{name}`."
            ),
            _levelled,
        ),
    ):
        yield from _of_each_group(evidence, hint, change)


def _of_each_group(evidence, hint, change):
    for name, labels in evidence.cases[0].inputs.items():
        if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu" and labels.ndim == 1:
            parted = partial(_group_by_group, name=name, change=change)
            if sum(parted(case)[1] > 0 for case in evidence.cases if not case.right) > 1:
                text = _(hint).format(name=name)
                yield Relation("common-factor", text, lambda case, p=parted: p(case)[0])


def _group_by_group(case, name, change):
    """(what the factors or constants make of the truth, how many groups confirm it); groups of one
    or two numbers, which any factor fits, are taken as they came."""
    labels, made, told = np.asarray(case.inputs[name]), np.array(case.found, float), 0
    if labels.shape != case.wanted.shape or case.found.shape != case.wanted.shape:
        return None, 0
    for label in np.unique(labels):
        own = labels == label
        if np.count_nonzero(case.wanted[own]) > 2:
            group = replace(case, wanted=case.wanted[own], found=case.found[own])
            made[own] = change(group, None if change is _scaled else 0)
            told += 1
    return made, told


def _by_lines(evidence, name, hint, way, axis):
    """A relation that a call of few numbers can't refuse, where two calls of many confirm it."""
    if sum(_enough(case, axis) and not case.right for case in evidence.cases) < 2:
        return

    def predict(case):
        if case.right or case.found.shape != case.wanted.shape:
            return None
        return way(case, axis) if _enough(case, axis) else case.found

    yield Relation(name, _(hint), predict)


def _enough(case, axis):
    """Whether a factor along this axis says anything: three numbers or more, but 0, share it."""
    if case.found.shape != case.wanted.shape or case.wanted.ndim < (1 if axis is None else 2):
        return False
    alive = np.sum(case.wanted != 0, axis=axis)
    return bool(np.min(alive, initial=3) > 2)


def _scaled(case, axis):
    top = np.argmax(np.abs(case.wanted), axis=axis, keepdims=True)
    if axis is None:
        at = np.unravel_index(top.ravel()[0], case.wanted.shape)
        return case.wanted * (case.found[at] / case.wanted[at])
    found, wanted = (np.take_along_axis(a, top, axis) for a in (case.found, case.wanted))
    return case.wanted * (found / wanted)


def _levelled(case, axis):
    return case.wanted + (case.found - case.wanted).mean(axis, keepdims=True)
