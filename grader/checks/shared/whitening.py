"""Whitening by its definition."""

import math

import numpy as np


def whitened(adv, ddof=0):
    """Mean and deviation summed by their definition; zeros where nothing varies.

    Whether something varies is seen by comparing: the mean of equal numbers may be off by a
    rounding error, and the deviation with it.
    """
    adv = np.asarray(adv, dtype=float)
    numbers = adv.ravel().tolist()
    if min(numbers) == max(numbers):
        return np.zeros_like(adv)
    mean = math.fsum(numbers) / len(numbers)
    square = math.fsum((x - mean) ** 2 for x in numbers) / max(len(numbers) - ddof, 1)
    return (adv - mean) / math.sqrt(square) if square else np.zeros_like(adv)
