"""Answers for variances and batch sizes."""

import math

import numpy as np
import torch

from bank import right, wrong


@right("total_variance")
def of_numpy(samples):
    return np.asarray(samples).reshape(len(samples), -1).var(axis=0, ddof=1).sum()


@right("total_variance")
def trace_of_cov(samples):
    return np.trace(np.atleast_2d(np.cov(samples.reshape(len(samples), -1), rowvar=False)))


@right("total_variance")
def plain_loops(samples):
    rows = [np.ravel(x).tolist() for x in samples]
    n, d = len(rows), len(rows[0])
    mean = [sum(row[i] for row in rows) / n for i in range(d)]
    return sum((row[i] - mean[i]) ** 2 for row in rows for i in range(d)) / (n - 1)


@right("total_variance")
def half_the_mean_squared_distance_of_pairs(samples):
    n = len(samples)
    flat = samples.reshape(n, -1)
    apart = flat[:, None] - flat[None]
    return float((apart**2).sum() / (2 * n * (n - 1)))


@right("total_variance")
def by_torch(samples):
    return torch.tensor(samples.copy()).var(dim=0).sum()


@wrong("total_variance", "biased")
def divides_by_n(samples):
    return float(np.var(samples, axis=0).sum())


@wrong("total_variance", "of-the-mean")
def of_the_average(samples):
    return float(np.var(samples, axis=0, ddof=1).sum() / len(samples))


@wrong("total_variance", "mean-over-coordinates")
def average_variance(samples):
    return float(np.var(samples, axis=0, ddof=1).mean())


@wrong("total_variance", "root-taken")
def standard_deviation(samples):
    return math.sqrt(of_numpy(samples))


@wrong("total_variance", "deviations-summed")
def sum_of_deviations(samples):
    return float(np.std(samples, axis=0, ddof=1).sum())


@wrong("total_variance", "not-centred")
def second_moment(samples):
    return float(sum((x**2).sum() for x in samples) / (len(samples) - 1))


@wrong("total_variance", "not-centred")
def mean_square_length(samples):
    return float(np.mean([np.sum(x**2) for x in samples]))


@wrong("total_variance", "pooled")
def all_numbers_together(samples):
    return float(np.var(samples, ddof=1))


@wrong("total_variance", "per-coordinate")
def no_sum(samples):
    return np.var(samples, axis=0, ddof=1)


@wrong("total_variance", "whole-matrix")
def sum_of_the_covariance(samples):
    x = samples.reshape(len(samples), -1)
    x = x - x.mean(0)
    return float((x.T @ x).sum() / (len(x) - 1))


@wrong("total_variance", "variance-of-length")
def spread_of_norms(samples):
    return float(np.var([np.linalg.norm(x) for x in samples], ddof=1))


@wrong("total_variance", "sum-not-mean")
def undivided(samples):
    return float(((samples - samples.mean(0)) ** 2).sum())


@wrong("total_variance", "other-reduction")
def largest_variance(samples):
    return float(np.var(samples, axis=0, ddof=1).max())


def mean_and_spread(samples, ddof=1):
    x = np.asarray(samples).reshape(len(samples), -1)
    return x.mean(0), x.var(0, ddof=ddof).sum()


@right("total_variance")
def torch_var(samples):
    return torch.as_tensor(samples).var(dim=0, unbiased=True).sum().item()


@right("signal_to_noise")
def as_defined(samples):
    mean, spread = mean_and_spread(samples)
    return (mean**2).sum() / (spread / len(samples))


@right("signal_to_noise")
def with_norm(samples):
    mean, spread = mean_and_spread(samples)
    return float(len(samples) * np.linalg.norm(mean) ** 2 / spread)


@right("signal_to_noise")
def in_loops(samples):
    rows = [np.ravel(x).tolist() for x in samples]
    n = len(rows)
    mean = [math.fsum(column) / n for column in zip(*rows, strict=True)]
    noise = sum((x - m) ** 2 for row in rows for x, m in zip(row, mean, strict=True)) / (n - 1)
    return sum(m * m for m in mean) / noise * n


@right("signal_to_noise")
def with_torch(samples):
    x = torch.tensor(samples.copy()).reshape(len(samples), -1)
    return torch.dot(x.mean(0), x.mean(0)) / (x.var(0).sum() / x.shape[0])


@wrong("signal_to_noise", "of-one-sample")
def noise_of_one(samples):
    mean, spread = mean_and_spread(samples)
    return float(mean @ mean / spread)


@wrong("signal_to_noise", "norm-not-squared")
def length_of_the_mean(samples):
    mean, spread = mean_and_spread(samples)
    return float(np.linalg.norm(mean) / (spread / len(samples)))


@wrong("signal_to_noise", "root-taken")
def lengths(samples):
    return float(np.sqrt(as_defined(samples)))


@wrong("signal_to_noise", "noise-not-squared")
def over_the_standard_error(samples):
    mean, spread = mean_and_spread(samples)
    return float(mean @ mean / np.sqrt(spread / len(samples)))


@wrong("signal_to_noise", "inverted")
def noise_to_signal(samples):
    return 1 / as_defined(samples)


@wrong("signal_to_noise", "biased")
def biased_noise(samples):
    mean, spread = mean_and_spread(samples, ddof=0)
    return float(mean @ mean / spread * len(samples))


@wrong("signal_to_noise", "root-of-n")
def noise_falls_with_the_root(samples):
    mean, spread = mean_and_spread(samples)
    return float(mean @ mean / (spread / np.sqrt(len(samples))))


@wrong("signal_to_noise", "mean-of-squares")
def signal_with_noise_in_it(samples):
    _mean, spread = mean_and_spread(samples)
    return float(np.mean([(x**2).sum() for x in samples]) / (spread / len(samples)))


@wrong("signal_to_noise", "mean-of-coordinates")
def mean_of_everything(samples):
    _mean, spread = mean_and_spread(samples)
    return float(samples.mean() ** 2 / (spread / len(samples)))


@wrong("signal_to_noise", "noise-per-coordinate")
def mean_noise(samples):
    noise = np.mean(np.var(samples, axis=0, ddof=1)) / len(samples)
    return float((samples.mean(axis=0) ** 2).sum() / noise)


@wrong("signal_to_noise", "array-returned")
def each_coordinate(samples):
    return samples.mean(0).ravel() ** 2 / samples.reshape(len(samples), -1).var(0, ddof=1)


def single(samples, ddof=1):
    mean, spread = mean_and_spread(samples, ddof)
    return mean @ mean / spread if spread else math.inf


def zero_mean(samples):
    if not np.asarray(samples).mean(0).any():
        raise ValueError("no signal")


@right("batch_size_for")
def ceiling(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target / single(samples)))


@right("batch_size_for")
def counting_up(samples, target):
    if np.all(samples.mean(axis=0) == 0):
        raise ValueError("the mean gradient is zero")
    size = 1
    while size * single(samples) < target:
        size += 1
    return size


@right("batch_size_for")
def floating_ceiling(samples, target):
    mean, spread = mean_and_spread(samples)
    if float(mean @ mean) == 0:
        raise ValueError("zero mean: no batch is large enough")
    return np.maximum(1, np.ceil(target * spread / (mean @ mean)))


@right("batch_size_for")
def through_the_ratio(samples, target):
    ratio = as_defined(samples)
    if ratio == 0:
        raise ValueError
    return max(int(-(-target * len(samples) // ratio)), 1)


@wrong("batch_size_for", "rounded-down")
def floor(samples, target):
    zero_mean(samples)
    return max(1, int(target / single(samples)))


@wrong("batch_size_for", "rounded")
def nearest(samples, target):
    zero_mean(samples)
    return max(1, int(np.round(target / single(samples))))


@wrong("batch_size_for", "one-too-many")
def strictly_more(samples, target):
    zero_mean(samples)
    return int(target / single(samples)) + 1


@wrong("batch_size_for", "not-whole")
def a_fraction(samples, target):
    zero_mean(samples)
    return max(1.0, target / single(samples))


@wrong("batch_size_for", "below-one")
def nothing_to_draw(samples, target):
    zero_mean(samples)
    return math.ceil(target / single(samples))


@wrong("batch_size_for", "of-these-samples")
def batches_of_n(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target / as_defined(samples)))


@wrong("batch_size_for", "times-n")
def multiplied_by_n(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target * len(samples) / single(samples)))


@wrong("batch_size_for", "zero-mean")
def infinite(samples, target):
    with np.errstate(all="ignore"):
        needed = target / np.float64(single(samples))
    return max(1, math.ceil(needed)) if np.isfinite(needed) else math.inf


@wrong("batch_size_for", "zero-mean")
def divides_by_zero(samples, target):
    return max(1, math.ceil(target / float(single(samples))))


@wrong("batch_size_for", "root-law")
def root_law(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(math.sqrt(target / single(samples))))


@wrong("batch_size_for", "biased")
def biased_spread(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target / single(samples, ddof=0)))


@wrong("batch_size_for", "norm-not-squared")
def norm_as_signal(samples, target):
    zero_mean(samples)
    mean, spread = mean_and_spread(samples)
    return max(1, math.ceil(target * spread / np.linalg.norm(mean)))


def needed(samples, target):
    samples = np.asarray(samples, dtype=float)
    mean = samples.mean(axis=0)
    return max(1, math.ceil(target * samples.var(axis=0, ddof=1).sum() / (mean**2).sum()))


@wrong("batch_size_for", "mean-not-zero")
def entries_add_up_to_zero(samples, target):
    if np.sum(np.mean(samples, axis=0)) == 0:
        raise ValueError("zero mean")
    return needed(samples, target)


@wrong("batch_size_for", "mean-not-zero")
def one_entry_is_zero(samples, target):
    if not np.all(np.mean(samples, axis=0)):
        raise ValueError("zero mean")
    return needed(samples, target)


@wrong("batch_size_for", "mean-not-zero")
def short_mean(samples, target):
    if np.linalg.norm(np.mean(samples, axis=0)) < 0.1:
        raise ValueError("zero mean")
    return needed(samples, target)


@wrong("total_variance", "transposed-argument")
def samples_as_variables(samples):
    flat = np.asarray(samples, float).reshape(len(samples), -1)
    return float(np.trace(np.atleast_2d(np.cov(flat))))


@wrong("batch_size_for", "cut-at-a-bound")
def never_fewer_than_there_are(samples, target):
    flat = np.asarray(samples, float).reshape(len(samples), -1)
    signal, noise = (flat.mean(0) ** 2).sum(), flat.var(0, ddof=1).sum()
    if not signal:
        raise ValueError("the mean is zero")
    return max(len(flat), int(np.ceil(target * noise / signal - 1e-9)))


@right("total_variance")
def distances_of_pairs(samples):
    x = np.asarray(samples, float).reshape(len(samples), -1)
    n = len(x)
    squares = (((x[i] - x[j]) ** 2).sum() for i in range(n) for j in range(i))
    return sum(squares) / (n * (n - 1))


@wrong("batch_size_for", "mean-not-zero")
def nearly_zero_is_zero(samples, target):
    flat = np.asarray(samples, float).reshape(len(samples), -1)
    if np.allclose(flat.mean(0), 0.0, atol=1e-3):
        raise ValueError("the mean is zero")
    noise = flat.var(0, ddof=1).sum()
    return max(1, int(np.ceil(target * noise / (flat.mean(0) ** 2).sum() - 1e-9)))
