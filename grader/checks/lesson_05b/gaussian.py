"""Log-density and entropy of a Gaussian with independent dimensions."""

import math

import numpy as np
import torch

from grader.checking import Case, Expected, FunctionExercise, Symptom, Tensor, TensorOf
from grader.checks.lesson_05b import formulas
from grader.checks.shared.slips import listed

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# Far from 1 on both sides; seen last.
SPREADS = 0.001, 1000.0


def logp_cases(rng):
    """One dimension, several, of one spread or many; far out; single precision; deeper batches."""

    def case(mean, log_std, actions, dtype=np.float64):
        mean, log_std, actions = (np.asarray(x, dtype) for x in (mean, log_std, actions))
        shape = np.broadcast_shapes(mean.shape, log_std.shape, actions.shape)[:-1]
        inputs = {"mean": Tensor(mean, True), "log_std": Tensor(log_std, True)}
        upstream = rng.uniform(0.5, 2, shape).astype(dtype)
        return Case(inputs | {"actions": Tensor(actions)}, upstream=upstream)

    many, dims = int(rng.integers(3, 6)), int(rng.integers(2, 4))
    return [
        case([[0.0]], [0.0], [[1.0]]),
        case([[0.0, 0.0]], [0.0, 0.0], [[0.0, 0.0]]),
        case([[1.0]], [math.log(0.1)], [[1.0]]),
        case([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]], [0.5, -1.0], [[1.0, 1.0], [0.0, 0.0], [1, -1]]),
        case([[0.0, 0.0]], [-3.0, -2.0], [[4.0, -5.0]]),
        case([0.3, -0.2], [0.1, 0.2], [1.0, 1.0]),
        case(
            rng.normal(size=(many, dims)),
            rng.normal(size=(many, dims)),
            rng.normal(size=(many, dims)),
        ),
        case(
            rng.normal(size=(2, many, dims)),
            rng.normal(size=dims),
            rng.normal(size=(2, many, dims)),
        ),
        case(
            rng.normal(size=(many, 3)),
            rng.normal(size=3) / 2,
            rng.normal(size=(many, 3)),
            np.float32,
        ),
        case(rng.normal(size=(1, 1)), [-0.5], rng.normal(size=(1, 1))),
        *(case([[0.0], [5.0]], [math.log(spread)], [[3.0], [5.0]]) for spread in SPREADS),
    ]


def logp_truth(mean, log_std, actions):
    """Term by term in plain numbers; derivatives written out."""
    mean, log_std, actions = (np.asarray(x, dtype=float) for x in (mean, log_std, actions))
    spread = np.broadcast_to(log_std, mean.shape)
    value, by_mean, by_spread = (np.zeros(mean.shape) for _ in range(3))
    for index in np.ndindex(mean.shape):
        sigma = math.exp(spread[index])
        z = (actions[index] - mean[index]) / sigma
        value[index] = -0.5 * z * z - spread[index] - HALF_LOG_2PI
        by_mean[index], by_spread[index] = z / sigma, z * z - 1
    extra = tuple(range(mean.ndim - log_std.ndim))
    return Expected(
        value.sum(-1),
        {
            "mean": lambda upstream: upstream[..., None] * by_mean,
            "log_std": lambda upstream: (upstream[..., None] * by_spread).sum(axis=extra),
        },
    )


def terms(mean, log_std, actions):
    """z and log_std of each dimension, both of the mean's shape."""
    z = (actions - mean) / torch.exp(log_std)
    return z, log_std + torch.zeros_like(z)


def logp_like(rule):
    """A wrong log-density from `rule(z, log_std)`, each of shape (..., D)."""
    return lambda mean, log_std, actions: rule(*terms(mean, log_std, actions))


def each(z, s):
    return -0.5 * z**2 - s - HALF_LOG_2PI


def std_as_given(mean, log_std, actions):
    return (-0.5 * ((actions - mean) / log_std) ** 2 - torch.log(log_std) - HALF_LOG_2PI).sum(-1)


def std_not_logged(mean, log_std, actions):
    return (-0.5 * ((actions - mean) / log_std) ** 2 - log_std - HALF_LOG_2PI).sum(-1)


def as_variance(mean, log_std, actions):
    var = torch.exp(log_std)
    return (-0.5 * (actions - mean) ** 2 / var - 0.5 * log_std - HALF_LOG_2PI).sum(-1)


def spread_far(case, seen, truth):
    return (np.abs(case.inputs["log_std"].array) > 5).any()


def infinite(case, seen, truth):
    return not np.isfinite(seen["value"]["array"]).all()


GAUSSIAN_LOGP_HINTS = {
    "mean-over-dimensions": "Independent dimensions multiply, so their logarithms add. A mean "
    "divides by D.",
    "log-std-as-std": "log_std is a logarithm. What is the standard deviation where it is 0?",
    "variance-for-deviation": "exp(log_std) is the deviation; the variance is its square.",
    "no-spread": "A narrow Gaussian is higher. Which term says so?",
    "no-constant": "A density has area 1: the constant of 2 pi is missing.",
    "constant-once": "The constant of 2 pi stands in each dimension's term.",
    "whole-log": "The constant is one half of log(2 pi): it stands under a root in the density.",
    "no-half": "One half stands before the square.",
    "not-squared": "The distance is squared: both sides of the mean are alike.",
    "spread-added": "A wide Gaussian is low: with which sign does log_std stand?",
    "negated": "That is minus the log-density. Is the mean the likeliest action?",
    "density-not-log": "The logarithm of the density is asked.",
    "underflow": "Far from the mean the density underflows to 0. Write the logarithm down "
    "directly.",
    "spread-detached": "The spread is learned, too: gradient flows into log_std.",
}
GAUSSIAN_LOGP_FACES = {
    "not-summed": logp_like(each),
    "mean-over-dimensions": logp_like(lambda z, s: each(z, s).mean(-1)),
    "summed-over-all": logp_like(lambda z, s: each(z, s).sum()),
    "log-std-as-std": (std_as_given, std_not_logged),
    "variance-for-deviation": (
        as_variance,
        lambda m, s, a: (-0.5 * (a - m) ** 2 / s.exp() - s - HALF_LOG_2PI).sum(-1),
    ),
    "no-spread": logp_like(lambda z, s: (-0.5 * z**2 - HALF_LOG_2PI).sum(-1)),
    "no-constant": logp_like(lambda z, s: (-0.5 * z**2 - s).sum(-1)),
    "constant-once": logp_like(lambda z, s: (-0.5 * z**2 - s).sum(-1) - HALF_LOG_2PI),
    "whole-log": logp_like(lambda z, s: (-0.5 * z**2 - s - 2 * HALF_LOG_2PI).sum(-1)),
    "no-half": logp_like(lambda z, s: (-(z**2) - s - HALF_LOG_2PI).sum(-1)),
    "not-squared": logp_like(lambda z, s: (-0.5 * z - s - HALF_LOG_2PI).sum(-1)),
    "spread-added": logp_like(lambda z, s: (-0.5 * z**2 + s - HALF_LOG_2PI).sum(-1)),
    "negated": logp_like(lambda z, s: -each(z, s).sum(-1)),
    "density-not-log": logp_like(lambda z, s: each(z, s).sum(-1).exp()),
    "underflow": Symptom(infinite),
    "spread-detached": (
        lambda m, s, a: each(*terms(m, s.detach(), a)).sum(-1),
        Symptom(
            lambda case, seen, truth: (
                isinstance(seen["gradients"], dict)
                and isinstance(seen["gradients"].get("log_std"), str)
            )
        ),
    ),
    "spread-held-back": Symptom(spread_far),
}
GAUSSIAN_LOGP = FunctionExercise(
    "gaussian_logp",
    logp_cases,
    logp_truth,
    formula=(formulas.gaussian_logp_formula, formulas.gaussian_logp_by_variance),
    kind=TensorOf(),
    mistakes=listed(GAUSSIAN_LOGP_FACES, GAUSSIAN_LOGP_HINTS),
)


def entropy_cases(rng):
    """Zero, narrow (negative), several dimensions, rows, single precision."""

    def case(log_std, dtype=np.float64):
        log_std = np.asarray(log_std, dtype)
        upstream = rng.uniform(0.5, 2, log_std.shape[:-1]).astype(dtype)
        return Case({"log_std": Tensor(log_std, True)}, upstream=upstream)

    dims = int(rng.integers(2, 5))
    return [
        case([0.0]),
        case([-3.0]),
        case([0.5, -1.0]),
        case([[0.0, 1.0, -4.0], [0.5, 0.5, 0.5]]),
        case(rng.normal(size=dims)),
        case(rng.normal(size=(3, dims)) - 2),
        case(rng.normal(size=(2, 3, dims)), np.float32),
        *(case([math.log(spread)] * 2) for spread in SPREADS),
    ]


def entropy_truth(log_std):
    log_std = np.asarray(log_std, dtype=float)
    value = np.zeros(log_std.shape)
    for index in np.ndindex(log_std.shape):
        value[index] = log_std[index] + 0.5 + HALF_LOG_2PI
    ones = np.ones(log_std.shape)
    return Expected(
        value.sum(-1), {"log_std": lambda upstream: np.asarray(upstream)[..., None] * ones}
    )


CONSTANT = 0.5 + HALF_LOG_2PI
GAUSSIAN_ENTROPY_HINTS = {
    "mean-over-dimensions": "Entropies of independent dimensions add. A mean divides by D.",
    "constant-once": "The constant stands in each dimension's term.",
    "no-constant": "With a deviation of 1 the entropy is about 1.419, not 0.",
    "no-e": "The mean of z squared is 1: it adds one half, which is where the e comes from.",
    "whole-log": "One half stands before the logarithm of 2 pi e.",
    "not-below-zero": "The entropy of a density may be negative: don't cut it off.",
    "log-std-as-std": "log_std is a logarithm already.",
    "variance-for-deviation": "log_std belongs to the deviation: log of the variance is twice as "
    "much.",
    "negated": "A wider Gaussian has the larger entropy.",
    "no-gradient": "The bonus moves the spread through its gradient. Where was the graph cut?",
}
GAUSSIAN_ENTROPY_FACES = {
    "not-summed": lambda s: s + CONSTANT,
    "summed-over-all": lambda s: (s + CONSTANT).sum(),
    "mean-over-dimensions": lambda s: (s + CONSTANT).mean(-1),
    "constant-once": lambda s: s.sum(-1) + CONSTANT,
    "no-constant": lambda s: s.sum(-1),
    "no-e": lambda s: (s + HALF_LOG_2PI).sum(-1),
    "whole-log": lambda s: (s + 2 * CONSTANT).sum(-1),
    "not-below-zero": (
        lambda s: (s + CONSTANT).sum(-1).clamp(min=0),
        lambda s: (s + CONSTANT).clamp(min=0).sum(-1),
        lambda s: (s + CONSTANT).sum(-1).abs(),
    ),
    "log-std-as-std": (
        lambda s: (torch.log(s) + CONSTANT).sum(-1),
        lambda s: (torch.exp(s) + CONSTANT).sum(-1),
    ),
    "variance-for-deviation": (
        lambda s: (0.5 * s + CONSTANT).sum(-1),
        lambda s: (2 * s + CONSTANT).sum(-1),
    ),
    "negated": (lambda s: -(s + CONSTANT).sum(-1), lambda s: (CONSTANT - s).sum(-1)),
    "no-gradient": lambda s: (s + CONSTANT).sum(-1).detach(),
    "spread-held-back": Symptom(spread_far),
}
GAUSSIAN_ENTROPY = FunctionExercise(
    "gaussian_entropy",
    entropy_cases,
    entropy_truth,
    formula=formulas.gaussian_entropy_formula,
    kind=TensorOf(),
    mistakes=listed(GAUSSIAN_ENTROPY_FACES, GAUSSIAN_ENTROPY_HINTS),
)
