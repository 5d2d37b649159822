"""The words that formulas of exercises are written in: for NumPy arrays and torch tensors alike.

A formula is what an exercise asks for, in a few plain steps. Each word is one step that may be
changed (see changes.py), so no word does two things.
"""

import math

import numpy as np


def is_tensor(x) -> bool:
    """Whether it is a torch tensor; torch itself isn't imported for it."""
    return hasattr(x, "detach")


def _library(x):
    if is_tensor(x):
        import torch

        return torch
    return np


def numbers(x):
    """As floats, where it isn't a tensor already."""
    return x if is_tensor(x) else np.asarray(x, dtype=float)


def exp(x):
    return _library(x).exp(x)


def log(x):
    return _library(x).log(x)


def root(x):
    return _library(x).sqrt(x) if is_tensor(x) else np.sqrt(x)


def total(x, axis=None, keep=False):
    """The sum of all, or along an axis; keep: the axis stays, with length 1."""
    if axis is None:
        return x.sum()
    return x.sum(axis, keepdims=keep)


def mean(x, axis=None, keep=False):
    if axis is None:
        return numbers(x).mean()
    return numbers(x).mean(axis, keepdims=keep)


def variance(x, axis=None, ddof=0, keep=False):
    away = (x - mean(x, axis, True)) ** 2 if axis is not None else (x - mean(x)) ** 2
    count = x.shape[axis] if axis is not None else math.prod(x.shape)
    return total(away, axis, keep) / (count - ddof)


def deviation(x, axis=None, ddof=0, keep=False):
    return root(variance(x, axis, ddof, keep))


def largest(x, axis=None, keep=False):
    if axis is None:
        return x.max()
    return x.amax(axis, keepdim=keep) if is_tensor(x) else x.max(axis, keepdims=keep)


def smallest(x, axis=None, keep=False):
    return -largest(-x, axis, keep)


def minimum(a, b):
    """Entry by entry, the smaller of two; torch's own shares the gradient of equal ones."""
    if is_tensor(a) and is_tensor(b):
        return _library(a).minimum(a, b)
    return where(a < b, a, b)


def maximum(a, b):
    """Entry by entry, the larger of two; torch's own shares the gradient of equal ones."""
    if is_tensor(a) and is_tensor(b):
        return _library(a).maximum(a, b)
    return where(a > b, a, b)


def cut(x, low, high):
    """What lies outside the bounds is set to them."""
    return x.clip(low, high) if is_tensor(x) else np.clip(x, low, high)


def where(condition, yes, no):
    if is_tensor(yes) or is_tensor(no):
        import torch

        return torch.where(torch.as_tensor(condition), yes, no)
    return np.where(condition, yes, no)


def data(x):
    """The numbers alone, through which no gradient flows."""
    return x.detach() if is_tensor(x) else x


def pick(table, index):
    """Along the last axis, the entry that the index names."""
    if is_tensor(table):
        import torch

        return table.gather(-1, torch.as_tensor(index)[..., None])[..., 0]
    return np.take_along_axis(table, np.asarray(index)[..., None], -1)[..., 0]


def softmax(x):
    weights = exp(x - largest(x, -1, True))
    return weights / total(weights, -1, True)


def log_softmax(x):
    centred = x - largest(x, -1, True)
    return centred - log(total(exp(centred), -1, True))


def one_hot(index, count):
    """(..., count): 1 at the index, 0 elsewhere."""
    return np.eye(count)[index]


def by_state(states, count):
    """(S, T): 1 where the step's state is the row's, 0 elsewhere."""
    return one_hot(states, count).T


def places(x):
    """0, 1, 2, ... along the first axis."""
    return np.arange(len(x))


def columns(x):
    """0, 1, 2, ... along the last axis."""
    return np.arange(x.shape[-1])


def count(x):
    """The number of rows, or of entries where there are no rows."""
    return len(x)


def width(x):
    """The length of the last axis."""
    return x.shape[-1]


def rows_of(x):
    """(N, ...) as a table (N, D)."""
    x = numbers(x)
    return x.reshape(len(x), -1)


def flat(x):
    return numbers(x).reshape(-1)


def discounted(x, factor):
    """From the last row to the first: y[t] = x[t] + factor[t] * y[t + 1]."""
    result, later = np.array(x, dtype=float), 0.0
    factor = np.broadcast_to(factor, result.shape)
    for t in range(len(result) - 1, -1, -1):
        later = result[t] + factor[t] * later
        result[t] = later
    return result


def to_go(x):
    """Along the last axis, the sum from each place on."""
    return x.flip(-1).cumsum(-1).flip(-1) if is_tensor(x) else x[..., ::-1].cumsum(-1)[..., ::-1]


def so_far(x):
    """Along the last axis, the sum up to each place."""
    return x.cumsum(-1)


def next_row(x):
    """Each row's successor, and zeros after the last."""
    moved = np.zeros_like(x)
    moved[:-1] = x[1:]
    return moved


def to_rows(values, states):
    """The value of each state."""
    return np.asarray(values, float)[np.asarray(states, int)]


def stack(rows):
    return np.stack(rows)


def matrix_product(a, b):
    return a @ b


def as_number(flags):
    """True as 1, false as 0."""
    return flags.double() if is_tensor(flags) else flags * 1.0


def next_whole(x):
    return float(np.ceil(x))


def window(rewards, over, n, gamma, later):
    """(T, N): the discounted sum of up to n rewards from each step on, no farther than `over`, and
    after the last of them the discounted `later`."""
    result, last = np.empty(np.shape(rewards)), len(rewards) - 1
    for t, i in np.ndindex(result.shape):
        k = 0
        while k < n - 1 and t + k < last and not over[t + k, i]:
            k += 1
        powers = gamma ** np.arange(k + 1)
        result[t, i] = powers @ rewards[t : t + k + 1, i] + gamma ** (k + 1) * later[t + k, i]
    return result


def by_group(x, groups, how):
    """(B,): of each row, how(the numbers of its group)."""
    values, labels = numbers(x), np.asarray(groups)
    return np.array([how(values[labels == label]) for label in labels])


def group_mean(x, groups):
    """Of each row, the mean of its group."""
    return by_group(x, groups, np.mean)


def others_mean(x, groups):
    """Of each row, the mean of the other rows of its group."""
    count = group_size(x, groups)
    return (by_group(x, groups, np.sum) - numbers(x)) / (count - 1)


def group_size(x, groups):
    """Of each row, the number of rows of its group."""
    return by_group(x, groups, len).astype(float)


def group_spread(x, groups):
    """Of each row, the standard deviation of its group."""
    return by_group(x, groups, np.std)


def sample_spread(x, groups):
    """Of each row, the standard deviation of its group, divided by one less than its size."""
    return by_group(x, groups, lambda own: np.std(own, ddof=1) if len(own) > 1 else 0.0)
