"""Generalised advantage estimation by its definition (Schulman et al. 2016)."""

import numpy as np


def decayed_sums(errors, over, decay) -> np.ndarray:
    """(T, N): at each step the sum of decay^k errors_(t+k), up to the end of its episode.

    errors (T, N): TD errors; over bool (T, N): an episode ends after this step; decay: gamma lam.
    """
    errors = np.asarray(errors, dtype=float)
    sums = np.zeros(errors.shape)
    for t in range(len(errors)):
        going_on = np.ones(errors.shape[1], bool)
        for k in range(t, len(errors)):
            sums[t] += np.where(going_on, decay ** (k - t) * errors[k], 0.0)
            going_on &= ~over[k]
    return sums
