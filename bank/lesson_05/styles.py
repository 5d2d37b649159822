"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F

from bank import right


@right("normalize_advantages")
def by_the_statistics_of_a_list(adv):
    numbers = np.ravel(adv).astype(float).tolist()
    if len(set(numbers)) == 1:
        return np.zeros(np.shape(adv))
    mean = math.fsum(numbers) / len(numbers)
    spread = math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / len(numbers))
    return np.reshape([(x - mean) / spread for x in numbers], np.shape(adv))


@right("normalize_advantages")
def on_a_copy_in_place(adv):
    white = np.array(adv, dtype=np.float64, copy=True)
    white -= white.flat[0]  # equal numbers are 0 now, exactly
    white -= white.mean()
    white /= max(np.linalg.norm(white) / math.sqrt(white.size), 1e-8)
    return white.astype(np.asarray(adv).dtype)


@right("minibatches")
def popped_from_a_deck(batch_size, minibatch_size, rng):
    deck = rng.permutation(batch_size).tolist()
    hands = []
    while deck:
        hands.append(np.array(deck[-minibatch_size:]))
        del deck[-minibatch_size:]
    return hands


@right("minibatches")
def batched_by_islice(batch_size, minibatch_size, rng):
    cards = iter(np.argsort(rng.random(batch_size)).tolist())
    hands = iter(lambda: list(itertools.islice(cards, minibatch_size)), [])
    return [np.array(hand) for hand in hands]


@right("entropy")
def derivative_of_the_renyi_sum(logits):
    logp = F.log_softmax(logits, dim=-1)
    return torch.einsum("ba,ba->b", logp.exp(), logp).neg()


@right("entropy")
def cross_entropy_with_itself(logits):
    return F.cross_entropy(logits, torch.softmax(logits, dim=-1), reduction="none")


@right("entropy")
def log_size_less_the_kl_to_uniform(logits):
    logp = logits - torch.logsumexp(logits, dim=-1, keepdim=True)
    size = logits.shape[-1]
    uniform = torch.full_like(logits, -math.log(size))
    return math.log(size) - F.kl_div(uniform, logp, log_target=True, reduction="none").sum(-1)


@right("explained_variance")
def by_covariances(values, returns):
    values, returns = np.ravel(values).astype(float), np.ravel(returns).astype(float)
    if (returns == returns[0]).all():
        return math.nan
    (vv, vr), (_, rr) = np.cov(values, returns, bias=True)
    return (2 * vr - vv) / rr


@right("explained_variance")
def two_sums_of_squares(values, returns):
    error = np.subtract(returns, values, dtype=float)
    if np.max(returns) == np.min(returns):
        return np.nan
    left, whole = (np.square(x - x.mean()).sum() for x in (error, np.array(returns, dtype=float)))
    return (whole - left) / whole
