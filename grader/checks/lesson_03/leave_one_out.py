"""Each return against the mean of the others."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Raises, Symptom, View
from grader.checks.lesson_03 import formulas
from grader.checks.shared.slips import listed
from grader.checks.shared.whitening import white


def leave_one_out_cases(rng):
    """Equal returns among others, two and one of them, every guise, whole numbers."""
    returns = rng.normal(size=int(rng.integers(5, 9))) * 4
    return [
        Case({"returns": np.array([1.0, 2.0, 6.0])}),
        Case({"returns": np.array([500.0, -300.0])}),
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


def pair_refused(case, seen, truth):
    return not isinstance(truth, Raises) and len(truth.value) == 2 and "error" in seen


def cut_to_whole(case, seen, truth):
    return np.array_equal(np.asarray(seen["value"]["array"]), np.trunc(truth.value))


LEAVE_ONE_OUT_HINTS = {
    "one-return": "With one return there are no others to compare with: raise ValueError.",
    "list-refused": "The returns come as a list here. np.asarray makes them an array.",
    "pair-refused": "With two returns each has the other one to be compared with.",
    "whole-numbers": "The returns are whole numbers here, the result need not be: an array made "
    "like the returns drops what follows the point.",
    "own-return-in-mean": "The mean must leave out the return that it is compared with.",
    "divided-by-n": "The others are N - 1.",
    "own-return-kept": "Their sum is without your own return.",
    "baseline-returned": "The advantage is asked, not the baseline.",
    "minus-sign": "A return above the others' is a good surprise: it should be positive.",
    "others-by-value": "Two trajectories can have the same return. Leave out one place, not one "
    "value.",
    "previous-only": "All the others count, not those before.",
    "neighbour": "All the others count, not one of them.",
    "median": "The mean of the others is asked.",
    "shrunk": "Check the factor: with two returns each is compared with the other.",
}
LEAVE_ONE_OUT_FACES = {
    "one-return": Symptom(one_return),
    "list-refused": Symptom(list_refused),
    "pair-refused": Symptom(pair_refused),
    "whole-numbers": Symptom(cut_to_whole),
    "own-return-in-mean": loo(lambda r: r - r.mean()),
    "divided-by-n": loo(lambda r: r - (r.sum() - r) / len(r)),
    "own-return-kept": loo(lambda r: r - r.sum() / (len(r) - 1)),
    "baseline-returned": loo(lambda r: (r.sum() - r) / (len(r) - 1)),
    "minus-sign": loo(lambda r: (r.sum() - r) / (len(r) - 1) - r),
    "baseline-added": loo(lambda r: (r.sum() - r) / (len(r) - 1) + r),
    "advantages-whitened/not-asked": (
        loo(white),
        loo(lambda r: white(r, 1)),
    ),
    "others-by-value": loo(others_by_value),
    "previous-only": loo(lambda r: r - np.append(0, np.cumsum(r)[:-1] / np.arange(1, len(r)))),
    "neighbour": (loo(lambda r: r - np.roll(r, 1)), loo(lambda r: r - np.roll(r, -1))),
    "sum-of-others": loo(lambda r: r - (r.sum() - r)),
    "median": loo(lambda r: np.array([r[i] - np.median(np.delete(r, i)) for i in range(len(r))])),
    "shrunk": loo(lambda r: (r - r.mean()) * (len(r) - 1) / len(r)),
}
LEAVE_ONE_OUT = FunctionExercise(
    "leave_one_out_advantages",
    leave_one_out_cases,
    leave_one_out_truth,
    formula=(formulas.leave_one_out_formula, formulas.leave_one_out_from_the_mean),
    hint=N_("Take the sum of all, then the sum without your own. Over how many is its mean?"),
    mistakes=listed(LEAVE_ONE_OUT_FACES, LEAVE_ONE_OUT_HINTS),
)
