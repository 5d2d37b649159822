"""What chance can do: a bound that never calls an honest player a cheat, however long they play."""

import math

import numpy as np

FALSE_ALARM = 1e-12  # probability of a wrong accusation, per comparison


def unlikely(hits, probabilities) -> bool:
    """Whether so many hits, or so few, come about by chance less often than FALSE_ALARM.

    hits: bool (n,), whether an event came at each step; probabilities: (n,), its probability given
    all that went before. Freedman's inequality (1975), which also holds where earlier outcomes
    decide which step comes next, as they do in an episode.
    """
    surplus = abs(float(np.sum(hits) - np.sum(probabilities)))
    variance = float(np.sum(probabilities * (1 - probabilities)))
    level = math.log(2 / FALSE_ALARM)
    return surplus > level / 3 + math.sqrt(level**2 / 9 + 2 * variance * level)
