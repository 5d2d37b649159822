"""Truths that several lessons' checks share: gradients by autograd, sums by their definition."""

import math

import numpy as np


def discounted_sum(rewards, gamma=1.0, start=0):
    """Sum of gamma^(k - start) r_k over k >= start, term by term, rounded once."""
    return math.fsum(gamma ** (k - start) * float(rewards[k]) for k in range(start, len(rewards)))


def rewards_to_go(rewards, gamma=1.0):
    """(T,): the definition at every step."""
    return np.array([discounted_sum(rewards, gamma, t) for t in range(len(rewards))])
