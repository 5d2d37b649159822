"""The baseline of least variance."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Mistake, Number, View
from grader.checks.lesson_03 import formulas


def optimal_cases(rng):
    """(N, D) scores and (N,) returns; also one coordinate, one sample, and equal lengths N = D."""
    long = rng.normal(size=(8, 3)) * rng.uniform(0.2, 3, size=(8, 1))
    return [
        Case({"scores": np.array([[1.0, 0.0], [0.0, 3.0]]), "returns": np.array([2.0, 4.0])}),
        Case(
            {
                "scores": np.array([[1.0, 1.0], [2.0, 0.0], [0.0, -1.0]]),
                "returns": np.array([6.0, -1.0, 3.0]),
            }
        ),
        Case({"scores": np.array([[2.0, -1.0]]), "returns": np.array([7.0])}, edge=True),
        Case({"scores": np.array([[1.0], [-3.0], [2.0]]), "returns": np.array([1.0, 5.0, -2.0])}),
        Case(
            {
                "scores": View(long, "read_only"),
                "returns": View(rng.normal(size=8) * 5 + 3, "read_only"),
            }
        ),
        Case({"scores": rng.normal(size=(3, 3)), "returns": rng.normal(size=3) - 4}),
        Case(
            {"scores": View(rng.normal(size=(6, 2)), "strided"), "returns": rng.normal(size=6) + 10}
        ),
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


OPTIMAL_BASELINE = FunctionExercise(
    "optimal_baseline",
    optimal_cases,
    optimal_truth,
    formula=formulas.optimal_baseline_formula,
    kind=Number(),
    absolute=1e-5,
    hint=N_("A mean of the returns, in which a sample with a long score counts more."),
    mistakes=(
        Mistake(
            "mean-return",
            "The plain mean is close, not best. Weight each return by the size of its gradient.",
            like=lambda scores, returns: float(np.mean(returns)),
        ),
        Mistake(
            "length-not-squared",
            "The variance counts squared lengths.",
            like=lambda scores, returns: weighted_mean(lengths(scores) ** 0.5, returns),
        ),
        Mistake(
            "sum-then-square",
            "First square each entry of a score, then add up.",
            like=lambda scores, returns: weighted_mean(
                np.asarray(scores).sum(axis=1) ** 2, returns
            ),
        ),
        Mistake(
            "entries-not-squared",
            "Scores have either sign. What weighs a return is the squared length.",
            like=lambda scores, returns: weighted_mean(np.asarray(scores).sum(axis=1), returns),
        ),
        Mistake(
            "absolute-entries",
            "Squares, not absolute values, measure the length.",
            like=lambda scores, returns: weighted_mean(np.abs(scores).sum(axis=1), returns),
        ),
        Mistake(
            "not-divided",
            "A baseline is a kind of return: divide by the mean squared length.",
            like=lambda scores, returns: float(np.mean(lengths(scores) * np.asarray(returns))),
        ),
        Mistake(
            "divided-by-n",
            "Mean above and sum below: N does not cancel.",
            like=lambda scores, returns: weighted_mean(lengths(scores), returns) / len(returns),
        ),
        Mistake(
            "times-n",
            "Sum above and mean below: N does not cancel.",
            like=lambda scores, returns: weighted_mean(lengths(scores), returns) * len(returns),
        ),
        Mistake(
            "minus-sign",
            "In lesson 02 a constant was added; here it is subtracted.",
            like=lambda scores, returns: -weighted_mean(lengths(scores), returns),
        ),
        Mistake(
            "inverse-weights",
            "A long score should count more, not less.",
            like=lambda scores, returns: weighted_mean(1 / lengths(scores), returns),
        ),
        Mistake(
            "fourth-power",
            "Squared once is enough.",
            like=lambda scores, returns: weighted_mean(lengths(scores) ** 2, returns),
        ),
        Mistake(
            "products-of-means",
            "The mean of a product is not the product of the means.",
            like=lambda scores, returns: float(
                np.mean(returns) * np.sum(np.mean(scores, axis=0) ** 2) / np.mean(lengths(scores))
            ),
        ),
        Mistake(
            "squared-returns",
            "One factor of the return is enough: take the derivative of "
            "(R - b)^2 with respect to b.",
            like=lambda scores, returns: weighted_mean(lengths(scores), np.asarray(returns) ** 2),
        ),
        Mistake(
            "per-coordinate",
            "One constant for all coordinates is asked: add the squares up over them first.",
            when=lambda case, seen, truth: np.size(seen["value"]["array"]) > 1,
        ),
        Mistake(
            "median",
            "The median minimises absolute distances; here squares count.",
            like=lambda scores, returns: float(np.median(returns)),
        ),
        Mistake(
            "centred-scores",
            "The scores are taken as they are, without their mean.",
            like=least_total_variance,
        ),
    ),
)
