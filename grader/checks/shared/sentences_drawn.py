"""Whether sentences are draws of the policy, by how often each token comes."""

import numpy as np

from grader.checks.shared.episodes import FALSE_ALARM

SHIFT = 0.4  # deviation of what somebody else's log-odds of a token may differ by
OTHERS = 0.2  # share of updates whose sentences somebody else may have written


def shift_gain(probs, written) -> float:
    """The log of how many times likelier the tokens are where the log-odds of each of them may be
    shifted by a normal deviate of size SHIFT. Under the policy itself the ratio is 1 on average; it
    is an integral, taken by Laplace's approximation.

    probs (n, V): of each token, given all before it; written (n,): which one came
    """
    count, prior = np.bincount(written, minlength=probs.shape[1]), np.eye(probs.shape[1]) / SHIFT**2
    shift = np.zeros(len(count))
    for _step in range(20):  # Newton's method on a concave function
        chances, _sizes, curvature = _shifted(probs, shift)
        slope = count - chances - prior @ shift
        shift = shift + np.clip(np.linalg.solve(curvature + prior, slope), -1, 1)
    _chances, sizes, curvature = _shifted(probs, shift)
    height = shift @ count - np.log(sizes).sum() - shift @ prior @ shift / 2
    width = np.linalg.slogdet(np.eye(len(count)) + SHIFT**2 * curvature)[1] / 2
    return float(height - width)


def _shifted(probs, shift):
    """Of the tilted policy: expected counts (V,), the normalisers (n,), the counts' covariance."""
    weights = probs * np.exp(shift)
    sizes = weights.sum(1)
    chances = weights / sizes[:, None]
    expected = chances.sum(0)
    return expected, sizes, np.diag(expected) - chances.T @ chances


def of_others(gains) -> bool:
    """Whether some updates' sentences are somebody else's. gains: ``shift_gain`` of each update.

    A player who lets others write in a share OTHERS of the updates is as many times likelier as is
    multiplied up here: a martingale under an honest one, which ever exceeds 1 / FALSE_ALARM with
    probability FALSE_ALARM at most (Ville 1939).
    """
    each = np.logaddexp(np.log(1 - OTHERS), np.log(OTHERS) + np.asarray(gains, float))
    return bool((np.cumsum(each) > -np.log(FALSE_ALARM)).any())
