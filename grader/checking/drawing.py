"""The cases of an exercise, drawn once for all answers that are judged by them."""

from collections import OrderedDict

from grader.checking.case import seed_of
from policy_gradients.i18n import language

MOST = 64  # draws that are kept: of a lesson's exercises, by the public seed and by a secret one
_kept = OrderedDict()


def drawn(exercise, seed: int) -> list:
    """The exercise's cases for this seed. A class is judged by the same ones, and they remember
    what was worked out about them (``Case.once``)."""
    key = id(exercise), seed, language()  # words of a case are in the language of its draw
    if key not in _kept:
        # The exercise is kept as well: no other one can get its id meanwhile.
        _kept[key] = exercise, exercise.cases(seed_of(exercise.name, seed))
    _kept.move_to_end(key)
    if len(_kept) > MOST:
        _kept.popitem(last=False)
    return list(_kept[key][1])
