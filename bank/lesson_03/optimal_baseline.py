"""Answers for the best constant baseline."""

import numpy as np
import torch

from bank import right, wrong


@right("optimal_baseline")
def ratio_of_means(scores, returns):
    square = (scores**2).sum(axis=1)
    return np.mean(square * returns) / np.mean(square)


@right("optimal_baseline")
def numpy_average(scores, returns):
    return np.average(returns, weights=np.einsum("nd,nd->n", scores, scores))


@right("optimal_baseline")
def loop(scores, returns):
    above = below = 0.0
    for score, ret in zip(scores, returns, strict=True):
        size = sum(x * x for x in score)
        above, below = above + size * ret, below + size
    return float(above / below)


@right("optimal_baseline")
def least_squares(scores, returns):
    """The b that brings scores * returns closest to b * scores: a projection."""
    moved = (scores * returns[:, None]).ravel()
    return float(np.linalg.lstsq(scores.reshape(-1, 1), moved, rcond=None)[0][0])


@wrong("optimal_baseline", "mean-return")
def the_mean(scores, returns):
    return float(returns.mean())


@wrong("optimal_baseline", "length-not-squared")
def by_length(scores, returns):
    return np.average(returns, weights=np.linalg.norm(scores, axis=1))


@wrong("optimal_baseline", "entries-not-squared")
def by_sum(scores, returns):
    weights = scores.sum(1)
    return float((weights * returns).sum() / weights.sum())


@wrong("optimal_baseline", "sum-then-square")
def by_square_of_sum(scores, returns):
    return np.average(returns, weights=scores.sum(axis=1) ** 2)


@wrong("optimal_baseline", "absolute-entries")
def by_absolute_sum(scores, returns):
    return np.average(returns, weights=np.abs(scores).sum(axis=1))


@wrong("optimal_baseline", "not-divided")
def only_above(scores, returns):
    return float(((scores**2).sum(1) * returns).mean())


@wrong("optimal_baseline", "divided-by-n")
def mean_over_sum(scores, returns):
    square = (scores**2).sum(1)
    return float((square * returns).mean() / square.sum())


@wrong("optimal_baseline", "times-n")
def sum_over_mean(scores, returns):
    square = (scores**2).sum(1)
    return float((square * returns).sum() / square.mean())


@wrong("optimal_baseline", "minus-sign")
def to_be_added(scores, returns):
    return -ratio_of_means(scores, returns)


@wrong("optimal_baseline", "inverse-weights")
def by_inverse(scores, returns):
    return np.average(returns, weights=1 / (scores**2).sum(1))


@wrong("optimal_baseline", "fourth-power")
def squared_twice(scores, returns):
    return np.average(returns, weights=(scores**2).sum(1) ** 2)


@wrong("optimal_baseline", "per-coordinate")
def one_for_each(scores, returns):
    return (scores**2 * returns[:, None]).mean(0) / (scores**2).mean(0)


@wrong("optimal_baseline", "squared-returns")
def returns_squared(scores, returns):
    return np.average(returns**2, weights=(scores**2).sum(1))


@wrong("optimal_baseline", "median")
def the_median(scores, returns):
    return float(np.median(returns))


@right("optimal_baseline")
def torch_from_the_arrays(scores, returns):
    square = torch.as_tensor(scores).pow(2).sum(1)
    return (square * torch.as_tensor(returns)).sum() / square.sum()


@wrong("optimal_baseline", "array-returned")
def in_brackets(scores, returns):
    square = (scores**2).sum(1)
    return np.array([(square * returns).sum() / square.sum()])
