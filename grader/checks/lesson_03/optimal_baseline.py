"""The baseline of least variance."""

import numpy as np

from grader.checking import N_, FunctionExercise, Number, Symptom, View
from grader.checks.lesson_03 import formulas
from grader.checks.shared.cases import caller
from grader.checks.shared.slips import listed


def optimal_cases(rng):
    """(N, D) scores and (N,) returns; also one coordinate, one sample, and equal lengths N = D."""
    long = rng.normal(size=(8, 3)) * rng.uniform(0.2, 3, size=(8, 1))
    case = caller("scores", "returns")
    return [
        case([[1.0, 0.0], [0.0, 3.0]], [2.0, 4.0]),
        case([[1.0, 1.0], [2.0, 0.0], [0.0, -1.0]], [6.0, -1.0, 3.0]),
        case([[2.0, -1.0]], [7.0], edge=True),
        case([[1.0], [-3.0], [2.0]], [1.0, 5.0, -2.0]),
        case(View(long, "read_only"), View(rng.normal(size=8) * 5 + 3, "read_only")),
        case(rng.normal(size=(3, 3)), rng.normal(size=3) - 4),
        case(View(rng.normal(size=(6, 2)), "strided"), rng.normal(size=6) + 10),
    ]


def optimal_truth(scores, returns):
    """The vertex of the parabola of mean squared lengths, through three of its points."""

    def width(b):
        return sum(float(np.sum((s * (r - b)) ** 2)) for s, r in zip(scores, returns, strict=True))

    left, middle, right = width(-1.0), width(0.0), width(1.0)
    return (left - right) / (2 * (left + right - 2 * middle))


def lengths(scores):
    return (np.asarray(scores) ** 2).sum(axis=1)


def weighted_mean(weights, returns):
    return float(np.sum(weights * np.asarray(returns)) / np.sum(weights))


def least_total_variance(scores, returns):
    """The constant that minimises the samples' total variance, their mean held for fixed."""
    scores, returns = np.asarray(scores), np.asarray(returns)
    centred = scores - scores.mean(axis=0)
    moved = scores * returns[:, None]
    with np.errstate(all="ignore"):
        return float(((moved - moved.mean(0)) * centred).sum() / (centred**2).sum())


OPTIMAL_BASELINE_HINTS = {
    "mean-return": "The plain mean is close, not best. Weight each return by the size of its "
    "gradient.",
    "length-not-squared": "The variance counts squared lengths.",
    "sum-then-square": "First square each entry of a score, then add up.",
    "entries-not-squared": "Scores have either sign. What weighs a return is the squared length.",
    "absolute-entries": "Squares, not absolute values, measure the length.",
    "not-divided": "A baseline is a kind of return: divide by the mean squared length.",
    "divided-by-n": "Mean above and sum below: N does not cancel.",
    "times-n": "Sum above and mean below: N does not cancel.",
    "minus-sign": "In lesson 02 a constant was added; here it is subtracted.",
    "inverse-weights": "A long score should count more, not less.",
    "fourth-power": "Squared once is enough.",
    "products-of-means": "The mean of a product is not the product of the means.",
    "squared-returns": "One factor of the return is enough: take the derivative of (R - b)^2 with "
    "respect to b.",
    "per-coordinate": "One constant for all coordinates is asked: add the squares up over them "
    "first.",
    "median": "The median minimises absolute distances; here squares count.",
    "centred-scores": "The scores are taken as they are, without their mean.",
}
OPTIMAL_BASELINE_FACES = {
    "mean-return": lambda scores, returns: float(np.mean(returns)),
    "length-not-squared": lambda scores, returns: weighted_mean(lengths(scores) ** 0.5, returns),
    "sum-then-square": lambda scores, returns: weighted_mean(
        np.asarray(scores).sum(axis=1) ** 2, returns
    ),
    "entries-not-squared": lambda scores, returns: weighted_mean(
        np.asarray(scores).sum(axis=1), returns
    ),
    "absolute-entries": lambda scores, returns: weighted_mean(np.abs(scores).sum(axis=1), returns),
    "not-divided": lambda scores, returns: float(np.mean(lengths(scores) * np.asarray(returns))),
    "divided-by-n": lambda scores, returns: weighted_mean(lengths(scores), returns) / len(returns),
    "times-n": lambda scores, returns: weighted_mean(lengths(scores), returns) * len(returns),
    "minus-sign": lambda scores, returns: -weighted_mean(lengths(scores), returns),
    "inverse-weights": lambda scores, returns: weighted_mean(1 / lengths(scores), returns),
    "fourth-power": lambda scores, returns: weighted_mean(lengths(scores) ** 2, returns),
    "products-of-means": lambda scores, returns: float(
        np.mean(returns) * np.sum(np.mean(scores, axis=0) ** 2) / np.mean(lengths(scores))
    ),
    "squared-returns": lambda scores, returns: weighted_mean(
        lengths(scores), np.asarray(returns) ** 2
    ),
    "per-coordinate": Symptom(lambda case, seen, truth: np.size(seen["value"]["array"]) > 1),
    "median": lambda scores, returns: float(np.median(returns)),
    "centred-scores": least_total_variance,
}
OPTIMAL_BASELINE = FunctionExercise(
    "optimal_baseline",
    optimal_cases,
    optimal_truth,
    formula=formulas.optimal_baseline_formula,
    kind=Number(),
    absolute=1e-5,
    hint=N_("A mean of the returns, in which a sample with a long score counts more."),
    mistakes=listed(OPTIMAL_BASELINE_FACES, OPTIMAL_BASELINE_HINTS),
)
