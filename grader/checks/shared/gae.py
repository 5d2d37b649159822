"""Generalised advantage estimation by its definition (Schulman et al. 2016)."""

import numpy as np


def decayed_sums(errors, over, decay) -> np.ndarray:
    """(T, N): at each step the sum of decay^k errors_(t+k), up to the end of its episode.

    errors (T, N): TD errors; over bool (T, N): an episode ends after this step; decay: gamma lam.
    """
    errors, over = np.asarray(errors, dtype=float), np.asarray(over, dtype=bool)
    steps = np.arange(len(errors))
    ahead = steps - steps[:, None]  # (T, T): k of the docstring
    powers = np.where(ahead >= 0, float(decay) ** np.maximum(ahead, 0), 0.0)
    episode = np.cumsum(over, axis=0) - over  # (T, N): how many ended before this step
    of_same = np.where(episode[:, None] == episode, errors, 0.0)  # (T, T, N)
    return np.einsum("tk,tkn->tn", powers, of_same)
