"""What the rules of one verdict work out once, though several of them ask for it."""

import functools
from collections import deque

_KEPT = []  # the results of each function, as pairs (arguments, result)


def remembered(function):
    """The function with its last two results kept, by the very objects that were handed in, until
    ``forget`` is called."""
    kept = deque(maxlen=2)
    _KEPT.append(kept)

    @functools.wraps(function)
    def once(*given):
        for known, result in kept:
            if all(one is other for one, other in zip(known, given, strict=True)):
                return result
        kept.append((given, function(*given)))
        return kept[-1][1]

    return once


def forget():
    """Lets go of all results: those of a long training are a hundred megabytes."""
    for kept in _KEPT:
        kept.clear()
