"""Answers for policy and return."""

import math

import numpy as np
import torch

from bank import right, wrong


def softmax(logits):
    weights = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def log_softmax(logits):
    centred = logits - logits.max(axis=-1, keepdims=True)
    return centred - np.log(np.exp(centred).sum(axis=-1, keepdims=True))


def taken(table, actions):
    return np.take_along_axis(table, np.asarray(actions)[..., None], axis=-1)[..., 0]


@right("softmax")
def vectorised(logits):
    weights = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@right("softmax")
def row_by_row(logits):
    logits = np.asarray(logits, dtype=float)
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]):
        weights = [math.exp(x - max(row)) for x in row]
        rows.append([w / sum(weights) for w in weights])
    return np.array(rows).reshape(logits.shape)


@right("softmax")
def along_axis(logits):
    def one(row):
        return np.exp(row - np.logaddexp.reduce(row))

    return np.apply_along_axis(one, -1, logits)


@right("softmax")
def by_torch(logits):
    return torch.softmax(torch.tensor(np.array(logits)), dim=-1).numpy()


@right("softmax")
def einsum_view(logits):
    moved = np.moveaxis(np.array(logits), -1, 0)
    weights = np.exp(moved - moved.max(0))
    return np.einsum("a...->...a", weights / weights.sum(0))


@wrong("softmax", "softmax-axis")
def over_the_batch(logits):
    weights = np.exp(logits - logits.max(0))
    return weights / weights.sum(0)


@wrong("softmax", "softmax-all")
def over_everything(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@wrong("softmax", "overflow")
def naive(logits):
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


@wrong("softmax", "row-underflows")
def one_maximum_for_all(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum(-1, keepdims=True)


@wrong("softmax", "not-normalised")
def exponentials(logits):
    return np.exp(logits - logits.max(-1, keepdims=True))


@wrong("softmax", "log-softmax")
def logarithms(logits):
    return log_softmax(logits)


@wrong("softmax", "lost-axis")
def no_keepdims(logits):
    weights = np.exp(logits - logits.max(-1))
    return weights / weights.sum(-1)


@wrong("softmax", "changed-inputs")
def in_place(logits):
    if logits.flags.writeable:
        logits -= logits.max(-1, keepdims=True)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@wrong("softmax", "changed-argument")
def clipped(logits):
    weights = np.exp(np.clip(logits, -1, 1))
    return weights / weights.sum(-1, keepdims=True)


@wrong("softmax", "step:kind")
def a_generator(logits):
    return (row for row in softmax(logits))


@wrong("softmax", "step:kind")
def an_object_array(logits):
    return softmax(logits).astype(object)


@wrong("softmax", "nothing-returned")
def printed_only(logits):
    print(softmax(logits))


@right("softmax")
def in_torch(logits):
    return torch.softmax(torch.as_tensor(logits), dim=-1).numpy()


@right("softmax")
def torch_categorical(logits):
    return torch.distributions.Categorical(logits=torch.tensor(logits)).probs.numpy()


@wrong("softmax", "overflow")
def less_the_mean(logits):
    with np.errstate(all="ignore"):
        weights = np.exp(logits - np.mean(logits, axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)


@right("log_prob")
def log_sum_exp(logits, actions):
    return taken(log_softmax(logits), actions)


@right("log_prob")
def logaddexp(logits, actions):
    normaliser = np.logaddexp.reduce(logits, axis=-1)
    return (logits * (np.arange(logits.shape[-1]) == actions[..., None])).sum(-1) - normaliser


@right("log_prob")
def loops(logits, actions):
    found = np.zeros(actions.shape)
    for index in np.ndindex(*actions.shape):
        row = logits[index]
        top = max(row)
        found[index] = row[actions[index]] - top - math.log(sum(math.exp(x - top) for x in row))
    return found


@right("log_prob")
def torch_gather(logits, actions):
    logp = torch.log_softmax(torch.tensor(np.array(logits)), -1)
    return logp.gather(-1, torch.tensor(np.array(actions))[..., None]).squeeze(-1).numpy()


@right("log_prob")
def torch_distribution(logits, actions):
    policy = torch.distributions.Categorical(logits=torch.tensor(np.array(logits)))
    return policy.log_prob(torch.tensor(np.array(actions)))


@right("log_prob")
def flat_index(logits, actions):
    flat = log_softmax(logits).reshape(-1, logits.shape[-1])
    return flat[np.arange(len(flat)), np.ravel(actions)].reshape(np.shape(actions))


@wrong("log_prob", "log-of-softmax")
def log_of_softmax(logits, actions):
    return np.log(taken(softmax(logits), actions))


@wrong("log_prob", "overflow")
def naive_log_sum_exp(logits, actions):
    return taken(logits, actions) - np.log(np.sum(np.exp(logits), axis=-1))


@wrong("log_prob", "all-actions")
def every_action(logits, actions):
    return log_softmax(logits)


@wrong("log_prob", "every-pair")
def rows_by_columns(logits, actions):
    return log_softmax(logits)[..., actions]


@wrong("log_prob", "not-the-taken-action")
def likeliest(logits, actions):
    return log_softmax(logits).max(axis=-1)


@wrong("log_prob", "probability-not-log")
def probability(logits, actions):
    return taken(softmax(logits), actions)


@wrong("log_prob", "minus-sign")
def cross_entropy(logits, actions):
    return -taken(log_softmax(logits), actions)


@wrong("log_prob", "summed")
def summed_up(logits, actions):
    return float(np.sum(taken(log_softmax(logits), actions)))


@wrong("log_prob", "logit")
def bare_logit(logits, actions):
    return taken(logits, actions)


@wrong("log_prob", "floored")
def nudged(logits, actions):
    return np.log(taken(softmax(logits), actions) + 1e-8)


@wrong("log_prob", "other-base")
def base_two(logits, actions):
    return taken(log_softmax(logits), actions) / np.log(2)


@wrong("log_prob", "floored")
def no_smaller_than(logits, actions):
    return np.log(np.maximum(taken(softmax(logits), actions), 1e-300))


@wrong("log_prob", "row-underflows")
def one_maximum_of_all_rows(logits, actions):
    with np.errstate(all="ignore"):
        apart = logits - logits.max()
        return taken(apart - np.log(np.exp(apart).sum(axis=-1, keepdims=True)), actions)


@wrong("log_prob", "logit")
def centred_alone(logits, actions):
    return taken(logits - logits.max(axis=-1, keepdims=True), actions)


@right("discounted_return")
def power_sum(rewards, gamma=1.0):
    return float((gamma ** np.arange(len(rewards)) * np.asarray(rewards)).sum())


@right("discounted_return")
def backwards(rewards, gamma=1.0):
    total = 0.0
    for reward in reversed(list(rewards)):
        total = reward + gamma * total
    return total


@right("discounted_return")
def running_discount(rewards, gamma=1.0):
    total, weight = 0, 1
    for reward in rewards:
        total += weight * reward
        weight *= gamma
    return total


@right("discounted_return")
def polynomial(rewards, gamma=1.0):
    return np.polynomial.polynomial.polyval(gamma, rewards)


@right("discounted_return")
def recursive(rewards, gamma=1.0):
    return rewards[0] + (gamma * recursive(rewards[1:], gamma) if len(rewards) > 1 else 0.0)


@right("discounted_return")
def zero_dimensional(rewards, gamma=1.0):
    return np.einsum("t,t->", np.power(float(gamma), np.arange(len(rewards))), rewards)


@wrong("discounted_return", "gamma-ignored")
def plain_sum(rewards, gamma=1.0):
    return float(np.sum(rewards))


@wrong("discounted_return", "gamma-fixed")
def fixed_gamma(rewards, gamma=1.0):
    return float(np.sum(0.99 ** np.arange(len(rewards)) * rewards))


@wrong("discounted_return", "discount-from-the-end")
def reversed_powers(rewards, gamma=1.0):
    return float(np.sum(gamma ** np.arange(len(rewards))[::-1] * rewards))


@wrong("discounted_return", "discount-from-the-end")
def forward_recursion(rewards, gamma=1.0):
    total = 0.0
    for reward in rewards:
        total = reward + gamma * total
    return total


@wrong("discounted_return", "discount-shifted")
def powers_from_one(rewards, gamma=1.0):
    return float(np.sum(gamma ** np.arange(1, len(rewards) + 1) * rewards))


@wrong("discounted_return", "discount-once")
def one_factor_for_the_rest(rewards, gamma=1.0):
    return float(rewards[0] + gamma * np.sum(rewards[1:]))


@wrong("discounted_return", "mean-not-sum")
def mean(rewards, gamma=1.0):
    return float(np.mean(gamma ** np.arange(len(rewards)) * rewards))


@wrong("discounted_return", "one-per-step")
def for_every_step(rewards, gamma=1.0):
    found, total = np.zeros(len(rewards)), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        found[t] = total = rewards[t] + gamma * total
    return found


@wrong("discounted_return", "discounted-rewards-not-summed")
def terms(rewards, gamma=1.0):
    return gamma ** np.arange(len(rewards)) * rewards


@wrong("discounted_return", "left-out")
def last_reward_left_out(rewards, gamma=1.0):
    return float(sum(gamma**t * rewards[t] for t in range(len(rewards) - 1)))


@wrong("discounted_return", "other-signature")
def gamma_required(rewards, gamma):
    return power_sum(rewards, gamma)


@wrong("discounted_return", "absolute-value")
def never_negative(rewards, gamma=1.0):
    return abs(power_sum(rewards, gamma))


@wrong("discounted_return", "gamma-default")
def another_default(rewards, gamma=0.99):
    return power_sum(rewards, gamma)


@wrong("softmax", "softmax-twice")
def softmax_taken_again(logits):
    return softmax(softmax(np.asarray(logits, dtype=float)))


def log_prob_of(logits, actions):
    apart = logits - logits.max(-1, keepdims=True)
    table = apart - np.log(np.exp(apart).sum(-1, keepdims=True))
    return np.take_along_axis(table, np.asarray(actions)[..., None], -1)[..., 0]


@wrong("log_prob", "softmax-twice")
def log_softmax_of_softmax(logits, actions):
    return log_prob_of(softmax(np.asarray(logits, dtype=float)), actions)


@wrong("log_prob", "logits-as-probabilities")
def categorical_by_position(logits, actions):
    chosen = torch.distributions.Categorical(torch.as_tensor(logits, dtype=torch.float64))
    return chosen.log_prob(torch.as_tensor(actions)).numpy()


@wrong("log_prob", "counted-from-one")
def first_action_is_one(logits, actions):
    return log_prob_of(np.asarray(logits, dtype=float), np.asarray(actions) - 1)


@wrong("discounted_return", "weighted-mean")
def mean_under_the_discount(rewards, gamma=1.0):
    weights = gamma ** np.arange(len(rewards))
    return float(np.dot(weights, rewards) / weights.sum())


@wrong("discounted_return", "changed-argument")
def as_banks_do(rewards, gamma=1.0):
    return float(sum(r / (1 + gamma) ** t for t, r in enumerate(rewards)))


@wrong("discounted_return", "large-inputs")
def rewards_cut_at_ten(rewards, gamma=1.0):
    held = np.clip(np.asarray(rewards, dtype=float), -10, 10)
    return float(held @ gamma ** np.arange(len(held)))
