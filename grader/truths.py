"""Truths that several lessons' checks share: gradients by autograd, sums by their definition."""

import math

import numpy as np


def summed_scores(theta, trajectories, weights):
    """(N, S, A): per trajectory the gradient of the weighted log-probabilities, by autograd.

    weights: one sequence (T,) a trajectory. Students compute the same by hand.
    """
    import torch

    gradients = []
    for trajectory, weight in zip(trajectories, weights, strict=True):
        logits = torch.tensor(np.array(theta, dtype=float), requires_grad=True)
        logp = torch.log_softmax(logits, -1)[list(trajectory.states), list(trajectory.actions)]
        (logp * torch.tensor(np.array(weight, dtype=float))).sum().backward()
        gradients.append(logits.grad.numpy())
    return np.array(gradients)


def discounted_sum(rewards, gamma=1.0, start=0):
    """Sum of gamma^(k - start) r_k over k >= start, term by term, rounded once."""
    return math.fsum(gamma ** (k - start) * float(rewards[k]) for k in range(start, len(rewards)))


def rewards_to_go(rewards, gamma=1.0):
    """(T,): the definition at every step."""
    return np.array([discounted_sum(rewards, gamma, t) for t in range(len(rewards))])


def moments(samples):
    """(mean (D,), covariance (D, D)) of samples (N, ...), each entry by its definition."""
    flat = [np.ravel(sample) for sample in np.asarray(samples, dtype=float)]
    count, size = len(flat), len(flat[0])
    mean = np.array([math.fsum(x[i] for x in flat) / count for i in range(size)])
    apart = [x - mean for x in flat]
    cov = np.empty((size, size))
    for i, j in np.ndindex(size, size):
        cov[i, j] = math.fsum(x[i] * x[j] for x in apart) / (count - 1)
    return mean, cov
