"""Each return against the mean of the others."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Mistake, Raises, View
from grader.checks.lesson_03 import formulas
from grader.checks.shared import slips


def leave_one_out_cases(rng):
    """Equal returns among others, two and one of them, every guise, whole numbers."""
    returns = rng.normal(size=int(rng.integers(5, 9))) * 4
    return [
        Case({"returns": np.array([1.0, 2.0, 6.0])}),
        Case({"returns": np.array([5.0, -3.0])}),
        Case({"returns": np.array([2.0, 2.0, 2.0, 2.0])}),
        Case({"returns": np.array([1.0, 1.0, 4.0, 1.0, 8.0])}),
        Case({"returns": np.array([3.0])}),
        Case({"returns": View(returns, "read_only")}),
        Case({"returns": View(returns, "strided")}),
        Case({"returns": View(returns, "list")}),
        Case({"returns": View(np.array([1, 2, 6]), "list")}),
    ]


def leave_one_out_truth(returns):
    """Each return and the mean of the list without it."""
    if len(returns) < 2:
        return Raises("ValueError")
    values = [float(r) for r in returns]
    others = [values[:i] + values[i + 1 :] for i in range(len(values))]
    return np.array([r - sum(rest) / len(rest) for r, rest in zip(values, others, strict=True)])


def loo(rule):
    """A wrong (returns) -> (N,) that still refuses one return."""

    def wrong(returns):
        returns = np.asarray(returns, dtype=float)
        if len(returns) < 2:
            raise ValueError("one return")
        with np.errstate(all="ignore"):
            return rule(returns)

    return wrong


def others_by_value(returns):
    parts = [returns[returns != r] for r in returns]
    return np.array([r - (p.mean() if len(p) else np.nan) for r, p in zip(returns, parts)])


def one_return(case, seen, truth):
    return isinstance(truth, Raises)


def list_refused(case, seen, truth):
    return getattr(case.inputs["returns"], "guise", "") == "list" and "error" in seen


def count(returns):
    return len(returns)


def pair_refused(case, seen, truth):
    return not isinstance(truth, Raises) and len(truth.value) == 2 and "error" in seen


def cut_to_whole(case, seen, truth):
    return np.array_equal(np.asarray(seen["value"]["array"]), np.trunc(truth.value))


LEAVE_ONE_OUT = FunctionExercise(
    "leave_one_out_advantages",
    leave_one_out_cases,
    leave_one_out_truth,
    formula=(formulas.leave_one_out_formula, formulas.leave_one_out_from_the_mean),
    hint=N_("Take the sum of all, then the sum without your own. Over how many is its mean?"),
    mistakes=(
        Mistake(
            "one-return",
            "With one return there are no others to compare with: raise ValueError.",
            when=one_return,
        ),
        Mistake(
            "list-refused",
            "The returns come as a list here. np.asarray makes them an array.",
            when=list_refused,
        ),
        Mistake(
            "pair-refused",
            "With two returns each has the other one to be compared with.",
            when=pair_refused,
        ),
        Mistake(
            "whole-numbers",
            "The returns are whole numbers here, the result need not be: "
            "an array made like the returns drops what follows the point.",
            when=cut_to_whole,
        ),
        Mistake(
            "own-return-in-mean",
            "The mean must leave out the return that it is compared with.",
            like=loo(lambda r: r - r.mean()),
        ),
        Mistake(
            "divided-by-n",
            "The others are N - 1.",
            like=loo(lambda r: r - (r.sum() - r) / count(r)),
        ),
        Mistake(
            "own-return-kept",
            "Their sum is without your own return.",
            like=loo(lambda r: r - r.sum() / (count(r) - 1)),
        ),
        Mistake(
            "baseline-returned",
            "The advantage is asked, not the baseline.",
            like=loo(lambda r: (r.sum() - r) / (count(r) - 1)),
        ),
        Mistake(
            "minus-sign",
            "A return above the others' is a good surprise: it should be positive.",
            like=loo(lambda r: (r.sum() - r) / (count(r) - 1) - r),
        ),
        slips.baseline_added(loo(lambda r: (r.sum() - r) / (count(r) - 1) + r)),
        slips.not_whitened_here(
            loo(lambda r: (r - r.mean()) / (r.std() + 1e-8)),
            loo(lambda r: (r - r.mean()) / (r.std(ddof=1) + 1e-8)),
        ),
        Mistake(
            "others-by-value",
            "Two trajectories can have the same return. Leave out one place, not one value.",
            like=loo(others_by_value),
        ),
        Mistake(
            "previous-only",
            "All the others count, not those before.",
            like=loo(lambda r: r - np.append(0, np.cumsum(r)[:-1] / np.arange(1, count(r)))),
        ),
        Mistake(
            "neighbour",
            "All the others count, not one of them.",
            like=(loo(lambda r: r - np.roll(r, 1)), loo(lambda r: r - np.roll(r, -1))),
        ),
        slips.sum_of_others(loo(lambda r: r - (r.sum() - r))),
        Mistake(
            "median",
            "The mean of the others is asked.",
            like=loo(
                lambda r: np.array([r[i] - np.median(np.delete(r, i)) for i in range(count(r))])
            ),
        ),
        Mistake(
            "shrunk",
            "Check the factor: with two returns each is compared with the other.",
            like=loo(lambda r: (r - r.mean()) * (count(r) - 1) / count(r)),
        ),
    ),
)
