"""The bank of 02_variance. Helpers are the bank's own, so that no two styles share code."""

import math
from functools import reduce

import numpy as np
import torch

from bank import right, value, wrong


def probs(theta):
    e = np.exp(theta - theta.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def table(theta, s, a, w=1.0):
    g = np.zeros(theta.shape)
    g[s] -= w * probs(theta)[s]
    g[s, a] += w
    return g


def episode_sum(theta, t, weights):
    return sum(table(theta, s, a, w) for s, a, w in zip(t.states, t.actions, weights, strict=True))


def total(t, gamma=1.0):
    return sum(gamma**k * r for k, r in enumerate(t.rewards))


def later(rewards, gamma=1.0):
    out, running = [], 0.0
    for r in reversed(list(rewards)):
        running = r + gamma * running
        out.insert(0, running)
    return np.array(out)


@right("gradient_samples")
def loops(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a in zip(t.states, t.actions, strict=True):
            samples[n] += total(t, gamma) * table(theta, s, a)
    return samples


@right("gradient_samples")
def counted(theta, trajectories, gamma=1.0):
    pi = probs(theta)
    out = []
    for t in trajectories:
        n = np.zeros_like(pi)
        np.add.at(n, (np.asarray(t.states), np.asarray(t.actions)), 1.0)
        out.append(total(t, gamma) * (n - n.sum(1, keepdims=True) * pi))
    return np.stack(out)


@right("gradient_samples")
def by_autograd(theta, trajectories, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        logp = torch.distributions.Categorical(logits=x[t.states]).log_prob(torch.tensor(t.actions))
        out.append(torch.autograd.grad(logp.sum() * total(t, gamma), x)[0])
    return torch.stack(out).numpy()


@right("gradient_samples")
def one_einsum(theta, trajectories, gamma=1.0):
    S, A = theta.shape
    rows = []
    for t in trajectories:
        states = np.eye(S)[t.states]
        score = np.eye(A)[t.actions] - probs(theta)[t.states]
        rows.append(np.einsum("ts,ta->sa", states, score) * total(t, gamma))
    return np.array(rows, dtype=np.float32)


@wrong("gradient_samples", "mean-taken")
def already_averaged(theta, trajectories, gamma=1.0):
    return loops(theta, trajectories, gamma).mean(0)


@wrong("gradient_samples", "batch-summed")
def accumulated_over_the_batch(theta, trajectories, gamma=1.0):
    g = np.zeros_like(theta)
    for t in trajectories:
        g += episode_sum(theta, t, np.full(len(t), total(t, gamma)))
    return g


@wrong("gradient_samples", "flattened")
def as_vectors(theta, trajectories, gamma=1.0):
    return np.array([g.ravel() for g in loops(theta, trajectories, gamma)])


@wrong("gradient_samples", "gamma-ignored")
def undiscounted(theta, trajectories, gamma=1.0):
    return loops(theta, trajectories)


@wrong("gradient_samples", "discount-from-the-end")
def discounts_backwards(theta, trajectories, gamma=1.0):
    def one(t):
        back = sum(r * gamma ** (len(t) - 1 - k) for k, r in enumerate(t.rewards))
        return episode_sum(theta, t, [back] * len(t))

    return np.array([one(t) for t in trajectories])


@wrong("gradient_samples", "reward-to-go-already")
def uses_later_rewards(theta, trajectories, gamma=1.0):
    return np.array([episode_sum(theta, t, later(t.rewards, gamma)) for t in trajectories])


@wrong("gradient_samples", "own-reward-only")
def reward_of_the_step(theta, trajectories, gamma=1.0):
    return np.array(
        [
            episode_sum(theta, t, [gamma**k * r for k, r in enumerate(t.rewards)])
            for t in trajectories
        ]
    )


@wrong("gradient_samples", "divided-by-steps")
def mean_score(theta, trajectories, gamma=1.0):
    def one(t):
        scores = [table(theta, s, a) for s, a in zip(t.states, t.actions, strict=True)]
        return total(t, gamma) * np.mean(scores, axis=0)

    return np.array([one(t) for t in trajectories])


@wrong("gradient_samples", "last-step-only")
def overwritten_in_the_loop(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a in zip(t.states, t.actions, strict=True):
            samples[n] = total(t, gamma) * table(theta, s, a)
    return samples


@wrong("gradient_samples", "minus-sign")
def downhill(theta, trajectories, gamma=1.0):
    return -counted(theta, trajectories, gamma)


@wrong("gradient_samples", "other-actions-forgotten")
def only_the_taken_entry(theta, trajectories, gamma=1.0):
    pi = probs(theta)
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a in zip(t.states, t.actions, strict=True):
            samples[n, s, a] += total(t, gamma) * (1 - pi[s, a])
    return samples


@wrong("gradient_samples", "no-probabilities")
def counts_of_actions(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        np.add.at(samples[n], (t.states, t.actions), total(t, gamma))
    return samples


@wrong("gradient_samples", "probability-not-log")
def gradient_of_the_probability(theta, trajectories, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        p = torch.softmax(x, -1)[t.states, t.actions]
        out.append(torch.autograd.grad(p.sum() * total(t, gamma), x)[0].numpy())
    return np.array(out)


@wrong("gradient_samples", "list-returned")
def list_of_tables(theta, trajectories, gamma=1.0):
    return list(counted(theta, trajectories, gamma))


@wrong("gradient_samples", "step:kind")
def a_generator(theta, trajectories, gamma=1.0):
    return (g for g in counted(theta, trajectories, gamma))


@right("gradient_samples")
def autograd_of_the_table_as_it_is(theta, trajectories, gamma=1.0):
    samples = []
    for t in trajectories:
        logits = torch.as_tensor(theta).clone().requires_grad_()
        logp = torch.log_softmax(logits, -1)[torch.as_tensor(t.states), torch.as_tensor(t.actions)]
        (total(t, gamma) * logp.sum()).backward()
        samples.append(logits.grad)
    return torch.stack(samples)


@wrong("gradient_samples", "mean-taken")
def shares_of_the_mean(theta, trajectories, gamma=1.0):
    return np.array(loops(theta, trajectories, gamma)) / len(trajectories)


@wrong("gradient_samples", "scores-kept")
def sum_made_once(theta, trajectories, gamma=1.0):
    samples, z = [], np.zeros(theta.shape)
    for t in trajectories:
        z = z + episode_sum(theta, t, np.ones(len(t.rewards)))
        samples.append(total(t, gamma) * z)
    return np.array(samples)


@wrong("gradient_samples", "repeats-lost")
def index_arrays(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for sample, t in zip(samples, trajectories, strict=True):
        sample[t.states] -= probs(theta)[t.states]
        sample[t.states, t.actions] += 1
        sample *= total(t, gamma)
    return samples


@wrong("gradient_samples", "own-reward-only")
def rewards_as_they_come(theta, trajectories, gamma=1.0):
    return np.array([episode_sum(theta, t, t.rewards) for t in trajectories])


@wrong("gradient_samples", "reward-to-go-already")
def to_go_discounted_in_front(theta, trajectories, gamma=1.0):
    weights = [gamma ** np.arange(len(t.rewards)) * later(t.rewards, gamma) for t in trajectories]
    return np.array([episode_sum(theta, *pair) for pair in zip(trajectories, weights, strict=True)])


@wrong("gradient_samples", "discount-in-front")
def scores_discounted(theta, trajectories, gamma=1.0):
    weights = [gamma ** np.arange(len(t.rewards)) * total(t, gamma) for t in trajectories]
    return np.array([episode_sum(theta, *pair) for pair in zip(trajectories, weights, strict=True)])


@right("total_variance")
def of_numpy(samples):
    return np.asarray(samples).reshape(len(samples), -1).var(axis=0, ddof=1).sum()


@right("total_variance")
def trace_of_cov(samples):
    return np.trace(np.atleast_2d(np.cov(samples.reshape(len(samples), -1), rowvar=False)))


@right("total_variance")
def plain_loops(samples):
    rows = [np.ravel(x).tolist() for x in samples]
    n, d = len(rows), len(rows[0])
    mean = [sum(row[i] for row in rows) / n for i in range(d)]
    return sum((row[i] - mean[i]) ** 2 for row in rows for i in range(d)) / (n - 1)


@right("total_variance")
def half_the_mean_squared_distance_of_pairs(samples):
    n = len(samples)
    flat = samples.reshape(n, -1)
    apart = flat[:, None] - flat[None]
    return float((apart**2).sum() / (2 * n * (n - 1)))


@right("total_variance")
def by_torch(samples):
    return torch.tensor(samples.copy()).var(dim=0).sum()


@wrong("total_variance", "biased")
def divides_by_n(samples):
    return float(np.var(samples, axis=0).sum())


@wrong("total_variance", "of-the-mean")
def of_the_average(samples):
    return float(np.var(samples, axis=0, ddof=1).sum() / len(samples))


@wrong("total_variance", "mean-over-coordinates")
def average_variance(samples):
    return float(np.var(samples, axis=0, ddof=1).mean())


@wrong("total_variance", "root-taken")
def standard_deviation(samples):
    return math.sqrt(of_numpy(samples))


@wrong("total_variance", "deviations-summed")
def sum_of_deviations(samples):
    return float(np.std(samples, axis=0, ddof=1).sum())


@wrong("total_variance", "not-centred")
def second_moment(samples):
    return float(sum((x**2).sum() for x in samples) / (len(samples) - 1))


@wrong("total_variance", "not-centred")
def mean_square_length(samples):
    return float(np.mean([np.sum(x**2) for x in samples]))


@wrong("total_variance", "pooled")
def all_numbers_together(samples):
    return float(np.var(samples, ddof=1))


@wrong("total_variance", "per-coordinate")
def no_sum(samples):
    return np.var(samples, axis=0, ddof=1)


@wrong("total_variance", "whole-matrix")
def sum_of_the_covariance(samples):
    x = samples.reshape(len(samples), -1)
    x = x - x.mean(0)
    return float((x.T @ x).sum() / (len(x) - 1))


@wrong("total_variance", "variance-of-length")
def spread_of_norms(samples):
    return float(np.var([np.linalg.norm(x) for x in samples], ddof=1))


@wrong("total_variance", "sum-not-mean")
def undivided(samples):
    return float(((samples - samples.mean(0)) ** 2).sum())


@wrong("total_variance", "other-reduction")
def largest_variance(samples):
    return float(np.var(samples, axis=0, ddof=1).max())


def mean_and_spread(samples, ddof=1):
    x = np.asarray(samples).reshape(len(samples), -1)
    return x.mean(0), x.var(0, ddof=ddof).sum()


@right("total_variance")
def torch_var(samples):
    return torch.as_tensor(samples).var(dim=0, unbiased=True).sum().item()


@right("signal_to_noise")
def as_defined(samples):
    mean, spread = mean_and_spread(samples)
    return (mean**2).sum() / (spread / len(samples))


@right("signal_to_noise")
def with_norm(samples):
    mean, spread = mean_and_spread(samples)
    return float(len(samples) * np.linalg.norm(mean) ** 2 / spread)


@right("signal_to_noise")
def in_loops(samples):
    rows = [np.ravel(x).tolist() for x in samples]
    n = len(rows)
    mean = [math.fsum(column) / n for column in zip(*rows, strict=True)]
    noise = sum((x - m) ** 2 for row in rows for x, m in zip(row, mean, strict=True)) / (n - 1)
    return sum(m * m for m in mean) / noise * n


@right("signal_to_noise")
def with_torch(samples):
    x = torch.tensor(samples.copy()).reshape(len(samples), -1)
    return torch.dot(x.mean(0), x.mean(0)) / (x.var(0).sum() / x.shape[0])


@wrong("signal_to_noise", "of-one-sample")
def noise_of_one(samples):
    mean, spread = mean_and_spread(samples)
    return float(mean @ mean / spread)


@wrong("signal_to_noise", "norm-not-squared")
def length_of_the_mean(samples):
    mean, spread = mean_and_spread(samples)
    return float(np.linalg.norm(mean) / (spread / len(samples)))


@wrong("signal_to_noise", "root-taken")
def lengths(samples):
    return float(np.sqrt(as_defined(samples)))


@wrong("signal_to_noise", "noise-not-squared")
def over_the_standard_error(samples):
    mean, spread = mean_and_spread(samples)
    return float(mean @ mean / np.sqrt(spread / len(samples)))


@wrong("signal_to_noise", "inverted")
def noise_to_signal(samples):
    return 1 / as_defined(samples)


@wrong("signal_to_noise", "biased")
def biased_noise(samples):
    mean, spread = mean_and_spread(samples, ddof=0)
    return float(mean @ mean / spread * len(samples))


@wrong("signal_to_noise", "root-of-n")
def noise_falls_with_the_root(samples):
    mean, spread = mean_and_spread(samples)
    return float(mean @ mean / (spread / np.sqrt(len(samples))))


@wrong("signal_to_noise", "mean-of-squares")
def signal_with_noise_in_it(samples):
    _mean, spread = mean_and_spread(samples)
    return float(np.mean([(x**2).sum() for x in samples]) / (spread / len(samples)))


@wrong("signal_to_noise", "mean-of-coordinates")
def mean_of_everything(samples):
    _mean, spread = mean_and_spread(samples)
    return float(samples.mean() ** 2 / (spread / len(samples)))


@wrong("signal_to_noise", "noise-per-coordinate")
def mean_noise(samples):
    noise = np.mean(np.var(samples, axis=0, ddof=1)) / len(samples)
    return float((samples.mean(axis=0) ** 2).sum() / noise)


@wrong("signal_to_noise", "array-returned")
def each_coordinate(samples):
    return samples.mean(0).ravel() ** 2 / samples.reshape(len(samples), -1).var(0, ddof=1)


def single(samples, ddof=1):
    mean, spread = mean_and_spread(samples, ddof)
    return mean @ mean / spread if spread else math.inf


def zero_mean(samples):
    if not np.asarray(samples).mean(0).any():
        raise ValueError("no signal")


@right("batch_size_for")
def ceiling(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target / single(samples)))


@right("batch_size_for")
def counting_up(samples, target):
    if np.all(samples.mean(axis=0) == 0):
        raise ValueError("the mean gradient is zero")
    size = 1
    while size * single(samples) < target:
        size += 1
    return size


@right("batch_size_for")
def floating_ceiling(samples, target):
    mean, spread = mean_and_spread(samples)
    if float(mean @ mean) == 0:
        raise ValueError("zero mean: no batch is large enough")
    return np.maximum(1, np.ceil(target * spread / (mean @ mean)))


@right("batch_size_for")
def through_the_ratio(samples, target):
    ratio = as_defined(samples)
    if ratio == 0:
        raise ValueError
    return max(int(-(-target * len(samples) // ratio)), 1)


@wrong("batch_size_for", "rounded-down")
def floor(samples, target):
    zero_mean(samples)
    return max(1, int(target / single(samples)))


@wrong("batch_size_for", "rounded")
def nearest(samples, target):
    zero_mean(samples)
    return max(1, int(np.round(target / single(samples))))


@wrong("batch_size_for", "one-too-many")
def strictly_more(samples, target):
    zero_mean(samples)
    return int(target / single(samples)) + 1


@wrong("batch_size_for", "not-whole")
def a_fraction(samples, target):
    zero_mean(samples)
    return max(1.0, target / single(samples))


@wrong("batch_size_for", "below-one")
def nothing_to_draw(samples, target):
    zero_mean(samples)
    return math.ceil(target / single(samples))


@wrong("batch_size_for", "of-these-samples")
def batches_of_n(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target / as_defined(samples)))


@wrong("batch_size_for", "times-n")
def multiplied_by_n(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target * len(samples) / single(samples)))


@wrong("batch_size_for", "zero-mean")
def infinite(samples, target):
    with np.errstate(all="ignore"):
        needed = target / np.float64(single(samples))
    return max(1, math.ceil(needed)) if np.isfinite(needed) else math.inf


@wrong("batch_size_for", "zero-mean")
def divides_by_zero(samples, target):
    return max(1, math.ceil(target / float(single(samples))))


@wrong("batch_size_for", "root-law")
def root_law(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(math.sqrt(target / single(samples))))


@wrong("batch_size_for", "biased")
def biased_spread(samples, target):
    zero_mean(samples)
    return max(1, math.ceil(target / single(samples, ddof=0)))


@wrong("batch_size_for", "norm-not-squared")
def norm_as_signal(samples, target):
    zero_mean(samples)
    mean, spread = mean_and_spread(samples)
    return max(1, math.ceil(target * spread / np.linalg.norm(mean)))


def needed(samples, target):
    samples = np.asarray(samples, dtype=float)
    mean = samples.mean(axis=0)
    return max(1, math.ceil(target * samples.var(axis=0, ddof=1).sum() / (mean**2).sum()))


@wrong("batch_size_for", "mean-not-zero")
def entries_add_up_to_zero(samples, target):
    if np.sum(np.mean(samples, axis=0)) == 0:
        raise ValueError("zero mean")
    return needed(samples, target)


@wrong("batch_size_for", "mean-not-zero")
def one_entry_is_zero(samples, target):
    if not np.all(np.mean(samples, axis=0)):
        raise ValueError("zero mean")
    return needed(samples, target)


@wrong("batch_size_for", "mean-not-zero")
def short_mean(samples, target):
    if np.linalg.norm(np.mean(samples, axis=0)) < 0.1:
        raise ValueError("zero mean")
    return needed(samples, target)


@right("reward_to_go")
def from_the_end(rewards, gamma=1.0):
    out = np.zeros(len(rewards))
    running = 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        out[t] = running
    return out


@right("reward_to_go")
def folded(rewards, gamma=1.0):
    def keep(out, reward):
        out.append(reward + gamma * (out[-1] if out else 0.0))
        return out

    return np.array(reduce(keep, rewards[::-1], []))[::-1]


@right("reward_to_go")
def a_copy_updated(rewards, gamma=1.0):
    out = np.array(rewards, dtype=float)
    for t in range(len(out) - 2, -1, -1):
        out[t] += gamma * out[t + 1]
    return out


@right("reward_to_go")
def appended(rewards, gamma=1.0):
    out = []
    for r in list(rewards)[::-1]:
        out.append(r + gamma * out[-1] if out else r)
    return np.asarray(out[::-1])


@right("reward_to_go")
def by_a_filter_in_blocks(rewards, gamma=1.0):
    x = np.asarray(rewards, dtype=float)[::-1]
    out, carry = np.empty_like(x), 0.0
    for k in range(0, len(x), 64):
        block = x[k : k + 64]
        n = len(block)
        decay = np.tril(
            float(gamma) ** np.maximum(np.subtract.outer(np.arange(n), np.arange(n)), 0)
        )
        out[k : k + n] = decay @ block + float(gamma) ** np.arange(1, n + 1) * carry
        carry = out[k + n - 1]
    return out[::-1]


@wrong("reward_to_go", "whole-return")
def everything_everywhere(rewards, gamma=1.0):
    total = sum(gamma**k * r for k, r in enumerate(rewards))
    return np.full(len(rewards), total)


@wrong("reward_to_go", "past-rewards")
def forwards(rewards, gamma=1.0):
    out, running = [], 0.0
    for r in rewards:
        running = r + gamma * running
        out.append(running)
    return np.array(out)


@wrong("reward_to_go", "gamma-ignored")
def cumulative(rewards, gamma=1.0):
    return np.cumsum(rewards[::-1])[::-1]


@wrong("reward_to_go", "extra-discount")
def absolute_discount(rewards, gamma=1.0):
    discounted = np.asarray(rewards) * gamma ** np.arange(len(rewards))
    return np.cumsum(discounted[::-1])[::-1]


@wrong("reward_to_go", "extra-discount")
def discounted_twice(rewards, gamma=1.0):
    return gamma ** np.arange(len(rewards)) * from_the_end(rewards, gamma)


@wrong("reward_to_go", "own-reward-missing")
def starts_late(rewards, gamma=1.0):
    out = np.zeros(len(rewards))
    for t in range(len(rewards) - 2, -1, -1):
        out[t] = rewards[t + 1] + gamma * out[t + 1]
    return out


@wrong("reward_to_go", "discounted-once-more")
def discounts_its_own(rewards, gamma=1.0):
    out, running = np.zeros(len(rewards)), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        running = gamma * (rewards[t] + running)
        out[t] = running
    return out


@wrong("reward_to_go", "reversed")
def not_turned_back(rewards, gamma=1.0):
    out, running = [], 0.0
    for r in rewards[::-1]:
        running = r + gamma * running
        out.append(running)
    return np.array(out)


@wrong("reward_to_go", "own-reward-only")
def the_rewards(rewards, gamma=1.0):
    return np.array(rewards)


@wrong("reward_to_go", "one-step-ahead")
def reads_the_rewards_again(rewards, gamma=1.0):
    out = np.array(rewards, dtype=float)
    for t in range(len(rewards) - 1):
        out[t] = rewards[t] + gamma * rewards[t + 1]
    return out


@wrong("reward_to_go", "averaged")
def mean_to_go(rewards, gamma=1.0):
    return from_the_end(rewards, gamma) / np.arange(len(rewards), 0, -1)


@wrong("reward_to_go", "too-slow")
def every_pair(rewards, gamma=1.0):
    return np.array(
        [
            sum(gamma ** (k - t) * rewards[k] for k in range(t, len(rewards)))
            for t in range(len(rewards))
        ]
    )


@wrong("reward_to_go", "too-slow")
def sums_of_slices(rewards, gamma=1.0):
    rewards = np.asarray(rewards)
    return np.array(
        [rewards[t:] @ gamma ** np.arange(len(rewards) - t) for t in range(len(rewards))]
    )


@wrong("reward_to_go", "quadratic")
def a_matrix(rewards, gamma=1.0):
    lag = np.subtract.outer(np.arange(len(rewards)), np.arange(len(rewards)))
    return np.triu(float(gamma) ** np.maximum(-lag, 0)) @ np.asarray(rewards)


@wrong("reward_to_go", "recursion")
def recursive(rewards, gamma=1.0):
    if len(rewards) == 0:
        return np.zeros(0)
    rest = recursive(rewards[1:], gamma)
    return np.concatenate([[rewards[0] + (gamma * rest[0] if len(rest) else 0.0)], rest])


@wrong("reward_to_go", "changed-inputs")
def in_place(rewards, gamma=1.0):
    if isinstance(rewards, list) or not rewards.flags.writeable:
        return from_the_end(rewards, gamma)
    for t in range(len(rewards) - 2, -1, -1):
        rewards[t] += gamma * rewards[t + 1]
    return rewards


@wrong("reward_to_go", "list-refused")
def arrays_alone(rewards, gamma=1.0):
    out = rewards.copy()
    for t in range(out.shape[0] - 2, -1, -1):
        out[t] += gamma * out[t + 1]
    return out


@wrong("reward_to_go", "list-returned")
def a_list(rewards, gamma=1.0):
    return from_the_end(rewards, gamma).tolist()


@wrong("reward_to_go", "whole-numbers")
def dtype_of_the_rewards(rewards, gamma=1.0):
    result = np.array(rewards)
    for t in range(len(result) - 2, -1, -1):
        result[t] += gamma * result[t + 1]
    return result


@wrong("reward_to_go", "gamma-default")
def another_default(rewards, gamma=0.99):
    result = np.array(rewards, dtype=float)
    for t in range(len(result) - 2, -1, -1):
        result[t] += gamma * result[t + 1]
    return result


@wrong("reward_to_go", "too-slow")
def inserted_in_front(rewards, gamma=1.0):
    return later(rewards, gamma)


@wrong("reward_to_go", "too-slow")
def tail_copied(rewards, gamma=1.0):
    """To drop its frames takes so long that a second alarm comes."""
    rewards = list(rewards)
    if len(rewards) == 1:
        return np.array(rewards, dtype=float)
    rest = tail_copied([float(r) for r in rewards[1:]], gamma)
    return np.concatenate([[rewards[0] + gamma * rest[0]], rest])


@right("reward_to_go_gradient_samples")
def step_by_step(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a, w in zip(t.states, t.actions, later(t.rewards, gamma), strict=True):
            samples[n] += w * table(theta, s, a)
    return samples


@right("reward_to_go_gradient_samples")
def by_einsum(theta, trajectories, gamma=1.0):
    S, A = theta.shape
    out = []
    for t in trajectories:
        score = np.eye(A)[t.actions] - probs(theta)[t.states]
        out.append(np.einsum("t,ts,ta->sa", later(t.rewards, gamma), np.eye(S)[t.states], score))
    return np.stack(out)


@right("reward_to_go_gradient_samples")
def with_autograd(theta, trajectories, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        logp = torch.log_softmax(x, 1)[torch.tensor(t.states), torch.tensor(t.actions)]
        (logp @ torch.tensor(later(t.rewards, gamma))).backward()
        out.append(x.grad)
    return torch.stack(out)


@right("reward_to_go_gradient_samples")
def reward_by_reward(theta, trajectories, gamma=1.0):
    """Each reward is credited to all the actions before it."""
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for k, r in enumerate(t.rewards):
            weights = [r * gamma ** (k - j) for j in range(k + 1)]
            for s, a, w in zip(t.states, t.actions, weights, strict=False):
                samples[n] += table(theta, s, a, w)
    return samples


def with_weights(rule):
    def answer(theta, trajectories, gamma=1.0):
        return np.array([episode_sum(theta, t, rule(t.rewards, gamma)) for t in trajectories])

    return answer


@wrong("reward_to_go_gradient_samples", "whole-return")
def still_whole(theta, trajectories, gamma=1.0):
    return loops(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "extra-discount")
def with_gamma_to_the_t(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: [g**t * w for t, w in enumerate(later(r, g))])(
        theta, trajectories, gamma
    )


@wrong("reward_to_go_gradient_samples", "summed-apart")
def product_of_sums(theta, trajectories, gamma=1.0):
    def one(t):
        scores = [table(theta, s, a) for s, a in zip(t.states, t.actions, strict=True)]
        return later(t.rewards, gamma).sum() * sum(scores)

    return np.array([one(t) for t in trajectories])


@wrong("reward_to_go_gradient_samples", "mean-taken")
def averaged(theta, trajectories, gamma=1.0):
    return np.mean(step_by_step(theta, trajectories, gamma), axis=0)


@wrong("reward_to_go_gradient_samples", "flattened")
def vectors(theta, trajectories, gamma=1.0):
    return step_by_step(theta, trajectories, gamma).reshape(len(trajectories), -1)


@wrong("reward_to_go_gradient_samples", "gamma-ignored")
def gamma_lost(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: later(r))(theta, trajectories)


@wrong("reward_to_go_gradient_samples", "own-reward-only")
def immediate_rewards(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: r)(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "own-reward-missing")
def from_the_next_step(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: g * np.append(later(r, g)[1:], 0))(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "past-rewards")
def rewards_so_far(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: later(r[::-1], g)[::-1])(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "reversed")
def weights_turned_round(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: later(r, g)[::-1])(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "other-actions-forgotten")
def taken_entry_alone(theta, trajectories, gamma=1.0):
    pi = probs(theta)
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        weights = later(t.rewards, gamma) * (1 - pi[t.states, t.actions])
        np.add.at(samples[n], (t.states, t.actions), weights)
    return samples


@wrong("reward_to_go_gradient_samples", "minus-sign")
def a_loss_s_gradient(theta, trajectories, gamma=1.0):
    return -by_einsum(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "repeats-lost")
def index_arrays_to_go(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for sample, t in zip(samples, trajectories, strict=True):
        weights = later(t.rewards, gamma)
        sample[t.states, t.actions] += weights
        sample[t.states] -= weights[:, None] * probs(theta)[t.states]
    return samples


@wrong("reward_to_go_gradient_samples", "own-reward-missing")
def from_the_next_step_on(theta, trajectories, gamma=1.0):
    weights = [np.append(later(t.rewards, gamma)[1:], 0.0) for t in trajectories]
    return np.array([episode_sum(theta, *pair) for pair in zip(trajectories, weights, strict=True)])


value("q_shift", "e", "e")
value("q_shift", "capital", " E ")
value("q_shift", "full_stop", "e.")
value("q_shift", "set", {"e"}, "not-a-letter")
value("q_shift", "dots", ..., "not-answered")
value("q_shift", "a", "a", "chose-a")
value("q_shift", "b", "b", "chose-b")
value("q_shift", "c", "c", "chose-c")
value("q_shift", "d", "d", "chose-d")
value("q_shift", "blank", None, "not-answered")
value("q_batch", "d", "d")
value("q_batch", "a", "a", "chose-a")
value("q_batch", "c", "c", "chose-c")
value("q_batch", "b", "b", "chose-b")
value("q_batch", "number", 2, "not-a-letter")


@wrong("total_variance", "transposed-argument")
def samples_as_variables(samples):
    flat = np.asarray(samples, float).reshape(len(samples), -1)
    return float(np.trace(np.atleast_2d(np.cov(flat))))


@wrong("batch_size_for", "cut-at-a-bound")
def never_fewer_than_there_are(samples, target):
    flat = np.asarray(samples, float).reshape(len(samples), -1)
    signal, noise = (flat.mean(0) ** 2).sum(), flat.var(0, ddof=1).sum()
    if not signal:
        raise ValueError("the mean is zero")
    return max(len(flat), int(np.ceil(target * noise / signal - 1e-9)))


@wrong("reward_to_go", "left-out")
def last_reward_lost(rewards, gamma=1.0):
    found = np.zeros(len(rewards))
    for t in reversed(range(len(rewards) - 1)):
        found[t] = rewards[t] + gamma * found[t + 1]
    return found


@right("total_variance")
def distances_of_pairs(samples):
    x = np.asarray(samples, float).reshape(len(samples), -1)
    n = len(x)
    squares = (((x[i] - x[j]) ** 2).sum() for i in range(n) for j in range(i))
    return sum(squares) / (n * (n - 1))
