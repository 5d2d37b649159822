"""In which calls the answer is right: one property of the inputs that parts right from wrong."""

import math

import numpy as np

from grader.checking.relations.evidence import Relation
from grader.i18n import N_, _

LARGE = 50.0


def _array(value):
    return np.asarray(value, float)


def _several(test):
    """A property of arrays with at least one axis and one entry."""
    return lambda v: isinstance(v, (list, np.ndarray)) and np.size(v) > 0 and bool(test(_array(v)))


# (words where it holds, words where it doesn't, property of one input)
OF_NUMBERS = (
    (N_("{name} is 0"), N_("{name} isn't 0"), lambda x: x == 0),
    (N_("{name} is 1"), N_("{name} isn't 1"), lambda x: x == 1),
    (N_("{name} is negative"), N_("{name} isn't negative"), lambda x: x < 0),
    (N_("{name} is above 1"), N_("{name} isn't above 1"), lambda x: x > 1),
)
OF_ARRAYS = (
    (N_("`{name}` has one entry"), N_("`{name}` has several"), _several(lambda a: a.size == 1)),
    (N_("`{name}` has one row"), N_("`{name}` has several rows"), _several(lambda a: len(a) == 1)),
    (N_("`{name}` has one axis"), N_("`{name}` has more axes"), _several(lambda a: a.ndim == 1)),
    (N_("`{name}` has three axes"), N_("`{name}` has fewer"), _several(lambda a: a.ndim == 3)),
    (
        N_("`{name}` has negative numbers"),
        N_("`{name}` has none that is negative"),
        _several(lambda a: (a < 0).any()),
    ),
    (
        N_("`{name}` has positive numbers"),
        N_("`{name}` has none that is positive"),
        _several(lambda a: (a > 0).any()),
    ),
    (N_("`{name}` has zeros"), N_("`{name}` has none"), _several(lambda a: (a == 0).any())),
    (
        N_("`{name}` has equal numbers"),
        N_("all of `{name}` differ"),
        _several(lambda a: len(np.unique(a)) < a.size),
    ),
    (
        N_("all of `{name}` are equal"),
        N_("`{name}` has different numbers"),
        _several(lambda a: len(np.unique(a)) == 1),
    ),
    (
        N_("`{name}` holds large numbers"),
        N_("`{name}` holds ordinary ones"),
        _several(lambda a: np.nanmax(np.abs(a)) > LARGE),
    ),
    (
        N_("the rows of `{name}` have its columns' number"),
        N_("`{name}` is not square"),
        _several(lambda a: a.ndim > 1 and len(set(a.shape)) == 1),
    ),
)
OF_FLAGS = (
    (N_("`{name}` is true somewhere"), N_("`{name}` is false throughout"), np.any),
    (N_("`{name}` is true throughout"), N_("`{name}` is false somewhere"), np.all),
    (N_("`{name}` begins with true"), N_("`{name}` begins with false"), lambda f: np.ravel(f)[0]),
    (N_("`{name}` ends with true"), N_("`{name}` ends with false"), lambda f: np.ravel(f)[-1]),
)


def split_relation(cases) -> Relation | None:
    """What all wrong calls have in common and no right one has. cases: with .inputs and .right.

    Among few calls some property parts right from wrong by chance. Where that is likely, the
    hint asks and doesn't claim.
    """
    wrong = [case.inputs for case in cases if not case.right]
    right = [case.inputs for case in cases if case.right]
    if not wrong or len(right) < 2:
        return None
    worded = _words_apart(wrong, right)
    if worded:
        return worded
    parting, varying = [], 0
    for name, value in wrong[0].items():
        for yes, no, test in _properties(value):
            here, there = ({_holds(test, i.get(name)) for i in some} for some in (wrong, right))
            varying += len(here | there) > 1
            if (here, there) in (({True}, {False}), ({False}, {True})):
                parting.append((name, *((no, yes) if here == {True} else (yes, no))))
    if not parting:
        return None
    sure = varying < math.comb(len(cases), len(wrong)) / 2
    return _told(*parting[0], len(right), len(cases), sure)


def _words_apart(wrong, right):
    """An argument that is a word: for some of its values most calls go wrong, for all others none.
    A call with such a value may be right by luck: a sum of one number."""
    for name, value in wrong[0].items():
        if not isinstance(value, str):
            continue
        here, there = ([i[name] for i in some if _is_word(i.get(name))] for some in (wrong, right))
        lucky, sound = [w for w in there if w in here], {w for w in there if w not in here}
        if sound and len(lucky) < len(here) / 2:
            hint = _("Right where {name} is {right}, wrong where it is {wrong}.")
            if lucky:
                hint = _("Right where {name} is {right}; most calls with {wrong} go wrong.")
            named = (", ".join(map(repr, sorted(values))) for values in (sound, set(here)))
            words = dict(zip(("right", "wrong"), named, strict=True))
            return Relation("wrong-for-some-calls", hint.format(name=name, **words))
    return None


def _is_word(value):
    return isinstance(value, str)


def _told(name, right, wrong, count, total, sure):
    words = {"right": _(right).format(name=name), "wrong": _(wrong).format(name=name)}
    hint = _("Right in the calls in which {right}, wrong in those in which {wrong}.")
    if not sure:
        hint = _(
            "Right in {n} of {all} calls. In those {right}, in the others {wrong}: is it that?"
        )
    return Relation("wrong-for-some-calls", hint.format(n=count, all=total, **words))


def _properties(value):
    if isinstance(value, np.ndarray) and value.dtype == bool:
        return OF_FLAGS
    if isinstance(value, (list, np.ndarray)) and np.ndim(value):
        return OF_ARRAYS
    return OF_NUMBERS if isinstance(value, (int, float, np.number)) else ()


def _holds(test, value):
    try:
        return bool(test(value))
    except Exception:  # no property of this kind of input
        return None
