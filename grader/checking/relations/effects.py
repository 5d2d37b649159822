"""What moves a wrong result, and what should: read off further calls (see asking.py).

Each relation holds in every call that was changed, and in one of them it could have failed.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from grader.checking.relations.evidence import Relation
from grader.i18n import N_, _

MOVED, STILL = 1e-5, 2e-6  # in units of the largest number of a result
NEAR = 1.15  # of factors that count as one
SAME = 2e-3  # of an effect, as against the right one


@dataclass(frozen=True)
class Answer:
    """One further call: what came and what is right, before the change and after it."""

    base: int
    how: str
    part: str
    at: tuple
    inputs: dict
    before: tuple  # (found, wanted)
    after: tuple  # (found, wanted)

    def change(self, side):
        """The difference that the change made to what came (0) or to what is right (1); None where
        the shape is another."""
        one, other = self.before[side], self.after[side]
        return other - one if one.shape == other.shape else None

    def moves(self, side):
        """Whether anything moved, the shape included."""
        moved = self.moved(side)
        return moved is None or bool(moved.any())

    def moved(self, side):
        """Entry by entry, whether it moved; None where that can't be told."""
        change = self.change(side)
        if change is None or not np.isfinite(change).all():
            return None
        scale = max(float(np.abs(self.before[side]).max(initial=0.0)), 1e-3)
        unsure = (np.abs(change) > STILL * scale) & (np.abs(change) < MOVED * scale)
        return None if unsure.any() else np.abs(change) > MOVED * scale


def effect_relations(answers, lawful):
    """The relations of one input's effect, simplest first. answers: of one input changed by itself,
    one entry at a time; lawful: see symmetries.py."""
    parts = _by_part(answers)
    others = {name: [one for one in answers if one.part == name] for name in parts}
    for way in (partial(_whole, others=others, lawful=lawful), _entries, _pairs, _turned):
        yield from (found for name, rows in parts.items() if (found := way(name, rows)))


def lesser_effects(answers):
    """Relations that say less."""
    parts = _by_part(answers)
    yield from (found for name, rows in parts.items() if (found := _some_right(name, rows)))
    yield from _shares(parts)
    yield from _one_of_them(parts)
    for name, rows in parts.items():
        if found := _entries(name, rows, anywhere=True):
            yield found
    if found := in_proportion(answers):
        yield found


def in_proportion(answers) -> Relation | None:
    """A single number that moves with the right one whatever changes, by one factor in a call."""
    rows = [a for a in answers if a.how in ("entry", "number") and a.moved(0) is not None]
    if not rows or any(one.before[0].shape or one.before[1].shape for one in rows):
        return None
    told, bases = 0, {one.base for one in rows}
    for base in bases:
        pairs = [(float(o.change(0)), float(o.change(1))) for o in rows if o.base == base]
        if any((found == 0) != (wanted == 0) for found, wanted in pairs):
            return None
        ratios = [found / wanted for found, wanted in pairs if wanted]
        told += len(ratios)
        if not ratios or min(ratios) <= 0 or max(ratios) > NEAR * min(ratios):
            return None
    hint = N_(
        "Whatever changes, your result moves with the right one, by about one factor within a "
        "call. What is done to the whole: a root, a power, another divisor?"
    )
    return Relation("effects-in-proportion", _(hint)) if told > 5 else None


def _by_part(answers):
    parts = {}
    for one in answers:
        alone = one.how in ("entry", "number")
        if alone and one.moved(0) is not None and one.moved(1) is not None:
            parts.setdefault(one.part, []).append(one)
    return parts


def _any(one, side):
    return bool(one.moved(side).any())


def _whole(name, rows, others, lawful):
    """An input that should move the result and doesn't, or the other way round. others: input ->
    all answers to a change of it, of whole inputs too."""
    found, wanted = ([_any(one, side) for one in rows] for side in (0, 1))
    if any(wanted) and not any(one.moves(0) for one in others[name]):
        hint = N_("Your result stays as it is when `{name}` changes; the right one doesn't.")
        return Relation("input-without-effect", _(hint).format(name=name))
    still = (0,)  # the effect that a result stays as it is
    if any(found) and not any(wanted) and lawful("doubled", name, still):
        hint = N_("Your result changes with `{name}`; the right one doesn't.")
        return Relation("effect-of-other-input", _(hint).format(name=name))
    return None


def _turned(name, rows):
    """The result moves the other way than it should, in every place."""
    if not any(_any(one, 0) for one in rows):
        return None
    pairs = [(one.change(0), one.change(1), one.moved(1)) for one in rows]
    pairs = [(f[here], w[here]) for f, w, here in pairs if f.shape == w.shape]
    found, wanted = (np.concatenate([np.ravel(pair[n]) for pair in pairs]) for n in (0, 1))
    if len(wanted) > 2 and (np.sign(found) == -np.sign(wanted)).all():
        hint = N_("When `{name}` changes, your result moves the other way than the right one.")
        return Relation("effect-turned", _(hint).format(name=name))
    return None


# Which entries --------------------------------------------------------------------------------


def _entries(name, rows, anywhere=False):
    """Entries that should move the result and don't, or the other way round."""
    rows = [one for one in rows if one.how == "entry"]
    silent = [one for one in rows if _any(one, 1) and not _any(one, 0)]
    loud = [one for one in rows if _any(one, 0) and not _any(one, 1)]
    if silent and not loud and any(_any(one, 0) for one in rows):
        hint = N_(
            "Your result stays as it is when `{name}` changes {place}; the right one doesn't."
        )
        others = [one for one in rows if _any(one, 0)]
        return _placed("entries-without-effect", hint, name, silent, others, anywhere)
    if loud and not silent and any(_any(one, 1) for one in rows):
        hint = N_("Your result changes with `{name}` {place}; the right one doesn't.")
        others = [one for one in rows if not _any(one, 0) or _any(one, 1)]
        return _placed("effect-of-other-entries", hint, name, loud, others, anywhere)
    return None


def _some_right(name, rows):
    """Entries whose effect is right, beside others whose effect is not."""
    rows = [one for one in rows if one.how == "entry" and (_any(one, 0) or _any(one, 1))]
    right = [one for one in rows if _is_right(one)]
    wrong = [one for one in rows if not _is_right(one)]
    if not right or not wrong:
        return None
    if len({one.base for one in wrong}) < 2 or len({one.base for one in right}) < 2:
        return None  # among few places some words always fit
    few, many = sorted((wrong, right), key=len)
    for here, there in ((few, many), (many, few)):
        place = _described(here, there)
        if place:
            hint = N_("`{name}` counts as it should only {place}.")
            if here is wrong:
                hint = N_("Some of `{name}` counts as it should, but not {place}.")
            return Relation("effect-of-some-entries", _(hint).format(name=name, place=place))
    return None


def _is_right(one):
    found, wanted = one.change(0), one.change(1)
    top = max(float(np.abs(wanted).max(initial=0.0)), 1e-9)
    return bool((np.abs(found - wanted) <= SAME * top).all())


def _placed(slug, hint, name, here, there, anywhere):
    """anywhere: whether it is told where no words for the places are found."""
    place = _described(here, there)
    if place is None:
        bases = {one.base for one in here}
        some = _described(here, [one for one in there if one.base in bases])
        place = some and _("{place}, in some calls").format(place=some)
    if place is None and anywhere:
        place = _("in some places")
    return place and Relation(slug, _(hint).format(name=name, place=place))


PLACES = (
    (N_("in the first place"), lambda at, shape: at[0] == 0),
    (N_("in the last place"), lambda at, shape: at[0] == shape[0] - 1),
    (N_("after the first place"), lambda at, shape: at[0] > 0),
    (N_("before the last place"), lambda at, shape: at[0] < shape[0] - 1),
    (N_("in the first column"), lambda at, shape: at[-1] == 0),
    (N_("in the last column"), lambda at, shape: at[-1] == shape[-1] - 1),
    (N_("after the first column"), lambda at, shape: at[-1] > 0),
    (N_("before the last column"), lambda at, shape: at[-1] < shape[-1] - 1),
    (N_("in the second place"), lambda at, shape: at[0] == 1),
    (N_("after the second place"), lambda at, shape: at[0] > 1),
    (N_("in the first two places"), lambda at, shape: at[0] < 2),
    (N_("in the last place but one"), lambda at, shape: at[0] == shape[0] - 2),
    (N_("between the first and the last place"), lambda at, shape: 0 < at[0] < shape[0] - 1),
)
OF_VALUES = (
    (N_("where `{other}` is negative"), lambda v, all_: v < 0),
    (N_("where `{other}` is positive"), lambda v, all_: v > 0),
    (N_("where `{other}` is 0"), lambda v, all_: v == 0),
    (N_("where `{other}` isn't 0"), lambda v, all_: v != 0),
    (N_("where `{other}` is above 1"), lambda v, all_: v > 1),
    (N_("where `{other}` is below 1"), lambda v, all_: v < 1),
    (N_("where `{other}` is largest"), lambda v, all_: v == all_.max()),
    (N_("where `{other}` is smallest"), lambda v, all_: v == all_.min()),
)
OF_FLAGS = (
    (N_("where `{other}` is true"), lambda v, all_: bool(v)),
    (N_("where `{other}` is false"), lambda v, all_: not v),
)


def _described(here, there):
    """Words for the places of the answers `here`, and of none `there`; None where there are none
    that fit."""
    if len(here) + len(there) < 3:
        return None
    for words, test in _tests(here[0], min(len(here), len(there)) > 1):
        if all(_holds(test, one) for one in here) and not any(_holds(test, o) for o in there):
            return words
    return None


def _tests(one, many):
    """(words, answer -> bool); many: whether there are enough places that no other input's numbers
    fit by chance."""
    for words, test in PLACES:
        yield _(words), lambda a, test=test: test(a.at, _shape(a))
    for other, value in one.inputs.items() if many else ():
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "fb":
            for words, test in OF_FLAGS if value.dtype.kind == "b" else OF_VALUES:
                yield (
                    _(words).format(other=other),
                    lambda a, test=test, other=other: test(_at(a, other), a.inputs[other]),
                )


def _shape(one):
    value = one.inputs.get(one.part)
    return np.shape(value) or (1 + max(one.at),)


def _at(one, other):
    """What stands in another input at the changed entry's place, or in its row."""
    value = one.inputs[other]
    return value[one.at] if value.shape == _shape(one) else value[one.at[: value.ndim]]


def _holds(test, one):
    try:
        return bool(test(one))
    except (IndexError, KeyError, ValueError):  # another shape: nothing stands there
        return False


# From where to where --------------------------------------------------------------------------

# (words of the changed entry as seen from the result's, test of (result's index, changed index))
WAYS = (
    (N_("of another row"), lambda i, j: len(i) > 1 and i[0] != j[0] and i[1:] == j[1:]),
    (N_("of another column"), lambda i, j: len(i) > 1 and i[0] == j[0] and i[1:] != j[1:]),
    (N_("of later steps"), lambda i, j: j[0] > i[0] and j[1:] == i[1:]),
    (N_("of earlier steps"), lambda i, j: j[0] < i[0] and j[1:] == i[1:]),
    (N_("of later places in the row"), lambda i, j: j[0] == i[0] and j[1:] > i[1:]),
    (N_("of earlier places in the row"), lambda i, j: j[0] == i[0] and j[1:] < i[1:]),
    (N_("of the next step"), lambda i, j: j[0] == i[0] + 1 and j[1:] == i[1:]),
    (N_("of the step before"), lambda i, j: j[0] == i[0] - 1 and j[1:] == i[1:]),
    (N_("of the same place"), lambda i, j: j == i),
    (N_("of other places"), lambda i, j: j != i),
)
ORDER = (8, 2, 3, 4, 5, 0, 1, 9)


def _pairs(name, rows):
    """A place of the result that moves with an entry that it shouldn't move with."""
    rows = [one for one in rows if one.how == "entry" and _fits_in(one)]
    if not rows:
        return None
    loud, silent, both = [], [], []
    for one in rows:
        found, wanted = one.moved(0), one.moved(1)
        for i in np.ndindex(found.shape):
            pair = i, one.at
            group = {(1, 0): loud, (0, 1): silent, (1, 1): both}.get((found[i], wanted[i]))
            if group is not None:
                group.append(pair)
    if loud and not silent:
        hint = N_("A place of your result changes with `{name}` {way}; the right one doesn't.")
        return _way("effect-across-places", hint, name, loud)
    if silent and not loud and both:
        hint = N_(
            "A place of your result stays as it is when `{name}` {way} changes; the right one "
            "doesn't."
        )
        return _way("no-effect-across-places", hint, name, silent)
    return None


def _fits_in(one):
    """Whether the result has the axes of the input that was changed, or begins with them."""
    found, wanted = one.before
    shape = _shape(one)
    return found.shape == wanted.shape == shape and found.size > 1


def _way(slug, hint, name, pairs):
    for at in ORDER:
        words, test = WAYS[at]
        if all(test(i, j) for i, j in pairs):
            return Relation(slug, _(hint).format(name=name, way=_(words)))
    return None


# By how much ----------------------------------------------------------------------------------

FACTORS = (
    (-1.0, N_("`{name}` counts with the other sign; all else counts as it should.")),
    (2.0, N_("`{name}` counts twice as much as it should; all else counts as it should.")),
    (0.5, N_("`{name}` counts half as much as it should; all else counts as it should.")),
    (-2.0, N_("`{name}` counts twice, with the other sign; all else counts as it should.")),
    (-0.5, N_("`{name}` counts half, with the other sign; all else counts as it should.")),
)


def _shares(parts):
    """One input counts with another factor than all others."""
    known = {name: _factor(rows) for name, rows in parts.items()}
    others = [name for name in known if known[name] is None or abs(known[name] - 1) > SAME]
    if len(others) != 1 or len(known) < 2 or known[others[0]] is None:
        return
    for factor, hint in FACTORS:
        if abs(known[others[0]] - factor) < SAME:
            yield Relation("effect-of-one-input", _(hint).format(name=others[0]))


def _factor(rows):
    """The number c with every effect of this input c times the right one; None where there is
    none."""
    pairs = [(one.change(0).ravel(), one.change(1).ravel()) for one in rows]
    found, wanted = (np.concatenate([pair[n] for pair in pairs]) for n in (0, 1))
    if found.shape != wanted.shape or not (wanted @ wanted > 0):
        return None
    factor = float(found @ wanted / (wanted @ wanted))
    apart = np.abs(found - factor * wanted).max()
    return factor if apart <= SAME * np.abs(wanted).max() * max(1.0, abs(factor)) else None


def _one_of_them(parts):
    """Some inputs count as they should, others don't."""
    moving = {
        name: rows
        for name, rows in parts.items()
        if _is_real(rows[0]) and any(_any(one, 1) for one in rows)
    }
    right = [name for name, rows in moving.items() if all(map(_is_right, rows))]
    wrong = [name for name in moving if name not in right]
    if not right or not wrong:
        return
    slug = "effect-of-one-input" if len(wrong) == 1 else "effect-of-some-inputs"
    if len(right) == 1:
        hint = N_("{good} counts as it should; not so {name}. How does that go in?")
    else:
        hint = N_("{good} count as they should; not so {name}. How does that go in?")
    good, bad = (", ".join(f"`{name}`" for name in names) for names in (right, wrong))
    yield Relation(slug, _(hint).format(good=good, name=bad))


def _is_real(one):
    """Whether it is no flag and no whole number that was changed."""
    return np.asarray(one.inputs.get(one.part, 0.0)).dtype.kind == "f"
