"""Answers for leave-one-out advantages."""

import numpy as np

from bank import right, wrong


@right("leave_one_out_advantages")
def by_the_sum(returns):
    returns = np.asarray(returns)
    if len(returns) == 1:
        raise ValueError("there are no others")
    return returns - (returns.sum() - returns) / (len(returns) - 1)


@right("leave_one_out_advantages")
def with_delete(returns):
    if len(returns) < 2:
        raise ValueError
    return np.array([r - np.delete(returns, i).mean() for i, r in enumerate(returns)])


@right("leave_one_out_advantages")
def a_factor(returns):
    n = len(returns)
    if n < 2:
        raise ValueError("at least two returns are needed")
    return (np.array(returns) - np.mean(returns)) * n / (n - 1)


@right("leave_one_out_advantages")
def a_matrix(returns):
    n = len(returns)
    if n <= 1:
        raise ValueError("one return has no others")
    return ((np.eye(n) * n - np.ones((n, n))) / (n - 1)) @ np.asarray(returns)


def several(returns):
    returns = np.asarray(returns, dtype=float)
    if len(returns) < 2:
        raise ValueError
    return returns, len(returns)


@wrong("leave_one_out_advantages", "own-return-in-mean")
def less_the_mean(returns):
    x, _n = several(returns)
    return x - x.mean()


@wrong("leave_one_out_advantages", "divided-by-n")
def over_all(returns):
    x, n = several(returns)
    return x - (x.sum() - x) / n


@wrong("leave_one_out_advantages", "own-return-kept")
def whole_sum(returns):
    x, n = several(returns)
    return x - x.sum() / (n - 1)


@wrong("leave_one_out_advantages", "baseline-returned")
def the_baseline(returns):
    x, n = several(returns)
    return (x.sum() - x) / (n - 1)


@wrong("leave_one_out_advantages", "minus-sign")
def others_minus_own(returns):
    return -by_the_sum(returns)


@wrong("leave_one_out_advantages", "advantages-whitened")
def standardised(returns):
    x, _n = several(returns)
    return (x - x.mean()) / (x.std() + 1e-8)


@wrong("leave_one_out_advantages", "others-by-value")
def without_equal_ones(returns):
    x, _n = several(returns)
    with np.errstate(all="ignore"):
        return np.array([r - x[x != r].sum() / np.float64((x != r).sum()) for r in x])


@wrong("leave_one_out_advantages", "neighbour")
def the_next_one(returns):
    x, n = several(returns)
    return np.array([x[i] - x[(i + 1) % n] for i in range(n)])


@wrong("leave_one_out_advantages", "sum-of-others")
def undivided(returns):
    x, _n = several(returns)
    return x - (x.sum() - x)


@wrong("leave_one_out_advantages", "median")
def median_of_others(returns):
    x, n = several(returns)
    return np.array([x[i] - np.median(np.delete(x, i)) for i in range(n)])


@wrong("leave_one_out_advantages", "shrunk")
def factor_upside_down(returns):
    x, n = several(returns)
    return (x - x.mean()) * (n - 1) / n


@wrong("leave_one_out_advantages", "one-return")
def divides_by_zero(returns):
    x = np.asarray(returns)
    with np.errstate(all="ignore"):
        return x - (x.sum() - x) / (len(x) - 1)


@wrong("leave_one_out_advantages", "one-return")
def zero_for_one(returns):
    return np.zeros(1) if len(returns) == 1 else by_the_sum(returns)


@wrong("leave_one_out_advantages", "changed-inputs")
def in_place(returns):
    x, n = several(returns)
    if isinstance(returns, list) or not returns.flags.writeable:
        return by_the_sum(returns)
    returns -= (returns.sum() - returns) / (n - 1)
    return returns


@wrong("leave_one_out_advantages", "list-refused")
def arrays_alone(returns):
    n = returns.size
    if n < 2:
        raise ValueError
    return returns - (returns.sum() - returns) / (n - 1)


@wrong("leave_one_out_advantages", "whole-numbers")
def filled_into_its_like(returns):
    returns = np.asarray(returns)
    if len(returns) == 1:
        raise ValueError("one return")
    adv = np.zeros_like(returns)
    for i in range(len(returns)):
        adv[i] = returns[i] - np.delete(returns, i).mean()
    return adv


@wrong("leave_one_out_advantages", "pair-refused")
def wants_three(returns):
    if len(returns) <= 2:
        raise ValueError("too few")
    return by_the_sum(returns)


@wrong("leave_one_out_advantages", "list-returned")
def a_list_of_floats(returns):
    return list(by_the_sum(returns))


@wrong("leave_one_out_advantages", "large-inputs")
def cut_at_ten(returns):
    returns = np.asarray(returns, dtype=float)
    if len(returns) < 2:
        raise ValueError("two returns at least")
    return np.clip(returns - (returns.sum() - returns) / (len(returns) - 1), -10, 10)
