"""Whitening by its definition, and as it is usually written."""

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


def white(x, ddof=0):
    """What is usually written, of an array or a tensor; ddof 1: with the deviation of torch."""
    apart = x - x.mean()
    return apart / (((apart**2).sum() / (math.prod(x.shape) - ddof)) ** 0.5 + 1e-8)
