"""Answers for minibatches."""

import numpy as np
import torch

from bank import right, wrong


@right("minibatches")
def permuted(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@right("minibatches")
def generator(batch_size, minibatch_size, rng):
    order = np.arange(batch_size)
    rng.shuffle(order)
    while len(order):
        yield order[:minibatch_size]
        order = order[minibatch_size:]


@right("minibatches")
def split_at(batch_size, minibatch_size, rng):
    cuts = np.arange(minibatch_size, batch_size, minibatch_size)
    return np.split(np.argsort(rng.random(batch_size)), cuts)


@right("minibatches")
def plain_lists(batch_size, minibatch_size, rng):
    left, result = list(range(batch_size)), []
    while left:
        part = []
        while left and len(part) < minibatch_size:
            part.append(left.pop(int(rng.integers(len(left)))))
        result.append(part)
    return result


@right("minibatches")
def tensors_sorted_within(batch_size, minibatch_size, rng):
    order = torch.as_tensor(rng.choice(batch_size, batch_size, replace=False))
    return tuple(part.sort().values for part in torch.split(order, minibatch_size))


@wrong("minibatches", "last-dropped")
def whole_ones_only(batch_size, minibatch_size, rng):
    return permuted(batch_size, minibatch_size, rng)[: batch_size // minibatch_size]


@wrong("minibatches", "with-replacement")
def drawn_one_by_one(batch_size, minibatch_size, rng):
    order = rng.integers(batch_size, size=batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "with-replacement")
def choice_with_replacement(batch_size, minibatch_size, rng):
    order = rng.choice(batch_size, batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "padded")
def filled_up(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    missing = -batch_size % minibatch_size
    order = np.concatenate([order, np.resize(order, missing)])
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "not-shuffled")
def in_order(batch_size, minibatch_size, rng):
    order = np.arange(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "blocks-shuffled")
def pieces_shuffled(batch_size, minibatch_size, rng):
    parts = in_order(batch_size, minibatch_size, rng)
    short = parts.pop() if len(parts[-1]) < minibatch_size else None
    rng.shuffle(parts)
    return [*parts, short] if short is not None else parts


@wrong("minibatches", "not-from-rng")
def global_generator(batch_size, minibatch_size, rng):
    order = np.random.permutation(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "not-from-rng")
def torchs_generator(batch_size, minibatch_size, rng):
    return list(torch.randperm(batch_size).split(minibatch_size))


@wrong("minibatches", "same-order")
def seeded_inside(batch_size, minibatch_size, rng):
    return permuted(batch_size, minibatch_size, np.random.default_rng(0))


@wrong("minibatches", "count")
def that_many(batch_size, minibatch_size, rng):
    return np.array_split(rng.permutation(batch_size), minibatch_size)


@wrong("minibatches", "even-sizes")
def evened_out(batch_size, minibatch_size, rng):
    return np.array_split(rng.permutation(batch_size), -(-batch_size // minibatch_size))


@wrong("minibatches", "last-index-missing")
def one_too_few(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size - 1)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "first-index-missing")
def counted_from_one(batch_size, minibatch_size, rng):
    return [part + 1 for part in permuted(batch_size, minibatch_size, rng)]


@wrong("minibatches", "mask")
def masks(batch_size, minibatch_size, rng):
    parts = permuted(batch_size, minibatch_size, rng)
    return [np.isin(np.arange(batch_size), part) for part in parts]


@wrong("minibatches", "not-cut")
def one_permutation(batch_size, minibatch_size, rng):
    return rng.permutation(batch_size)


@wrong("minibatches", "empty-minibatch")
def one_more_at_the_end(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    starts = range(0, batch_size + 1, minibatch_size)
    return [order[i : i + minibatch_size] for i in starts]


@wrong("minibatches", "uneven")
def rotated(batch_size, minibatch_size, rng):
    order = np.arange(batch_size).reshape(-1)
    order[1:] = rng.permutation(order[1:])
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@right("minibatches")
def from_a_generator_of_torch(batch_size, minibatch_size, rng):
    own = torch.Generator().manual_seed(int(rng.integers(2**31)))
    return torch.randperm(batch_size, generator=own).split(minibatch_size)


@wrong("minibatches", "step:kind")
def whole_numbers_as_floats(batch_size, minibatch_size, rng):
    return [part.astype(float) for part in permuted(batch_size, minibatch_size, rng)]


@wrong("minibatches", "tuples")
def tuples_of_numbers(batch_size, minibatch_size, rng):
    """As itertools.batched cuts."""
    return [tuple(part.tolist()) for part in permuted(batch_size, minibatch_size, rng)]


@wrong("minibatches", "tuples")
def tuples_in_a_tuple(batch_size, minibatch_size, rng):
    return tuple(map(tuple, permuted(batch_size, minibatch_size, rng)))


@wrong("minibatches", "step:kind")
def an_iterator_for_each(batch_size, minibatch_size, rng):
    return [iter(part.tolist()) for part in permuted(batch_size, minibatch_size, rng)]
