"""PPO's ratio and clipped objective by their definitions, sample by sample."""

import math

import numpy as np

from grader.checking import Expected


def ratios(logp, logp_old):
    """(B,): each quotient of probabilities, from the difference of its logarithms."""
    pairs = zip(logp, logp_old, strict=True)
    return np.array([math.exp(float(new) - float(old)) for new, old in pairs])


def surrogate_truth(logp, logp_old, adv):
    weighted = ratios(logp, logp_old) * np.asarray(adv, dtype=float)
    loss = -math.fsum(weighted) / len(weighted)
    return Expected(loss, {"logp": -weighted / len(weighted), "logp_old": None})


def objective(ratio, adv, clip=0.2):
    """One sample's clipped objective, by its definition, in plain numbers."""
    return min(ratio * adv, min(max(ratio, 1 - clip), 1 + clip) * adv)


def slope(ratio, adv, clip=0.2):
    """Its derivative with respect to the ratio."""
    return derivative(lambda r: objective(r, adv, clip), ratio)


def derivative(function, ratio):
    """By a central difference, exact between edges. The step grows with the ratio: beside a
    million, 1e-6 is lost in rounding."""
    step = 1e-6 * max(1.0, ratio)
    return (function(ratio + step) - function(ratio - step)) / (2 * step)
