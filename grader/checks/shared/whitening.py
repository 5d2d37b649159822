"""Whitening by its definition."""

import math

import numpy as np


def whitened(adv, ddof=0):
    """Mean and deviation summed by their definition; zeros where nothing varies."""
    adv = np.asarray(adv, dtype=float)
    numbers = adv.ravel().tolist()
    mean = math.fsum(numbers) / len(numbers)
    square = math.fsum((x - mean) ** 2 for x in numbers) / max(len(numbers) - ddof, 1)
    return (adv - mean) / math.sqrt(square) if square else np.zeros_like(adv)
