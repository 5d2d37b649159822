"""Answers for n-step advantages."""

import numpy as np
import torch

from bank import right, wrong
from bank.lesson_03b.gae import td


@right("n_step_advantages")
def rewards_one_by_one(rewards, values, next_values, terminated, truncated, n, gamma):
    T, N = np.shape(rewards)
    adv = np.zeros((T, N))
    for i in range(N):
        for t in range(T):
            total, discount, k = 0.0, 1.0, t
            while True:
                total += discount * rewards[k, i]
                discount *= gamma
                if terminated[k, i]:
                    break
                if truncated[k, i] or k - t + 1 == n or k == T - 1:
                    total += discount * next_values[k, i]
                    break
                k += 1
            adv[t, i] = total - values[t, i]
    return adv


@right("n_step_advantages")
def n_errors_added_up(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = td(rewards, values, next_values, terminated, gamma)
    over = np.logical_or(terminated, truncated)
    adv = np.zeros_like(delta)
    for t in range(len(delta)):
        alive = np.ones(delta.shape[1])
        for k in range(min(n, len(delta) - t)):
            adv[t] += gamma**k * alive * delta[t + k]
            alive = alive * ~over[t + k]
    return adv


@right("n_step_advantages")
def lookahead_of_targets(rewards, values, next_values, terminated, truncated, n, gamma):
    """The n-step target from the (n - 1)-step target of the row below."""
    after = np.where(terminated, 0.0, next_values)
    target = np.asarray(rewards) + gamma * after
    over = np.asarray(terminated) | np.asarray(truncated)
    for _ in range(n - 1):
        below = np.vstack([target[1:], after[-1:]])
        below = np.where(over, after, below)
        target = rewards + gamma * below
    return target - values


@right("n_step_advantages")
def torch_reads_every_array(rewards, values, next_values, terminated, truncated, n, gamma):
    r, v, w, end, cut = map(torch.as_tensor, (rewards, values, next_values, terminated, truncated))
    delta = r + gamma * w.masked_fill(end, 0) - v
    adv = delta.clone()
    for _ in range(min(n, len(r)) - 1):
        below = torch.cat([adv[1:], torch.zeros_like(adv[:1])])
        adv = delta + gamma * below.masked_fill(end | cut, 0)
    return adv


def n_errors(delta, over, n, gamma):
    adv = delta
    for _ in range(min(n, len(delta)) - 1):
        below = np.concatenate([adv[1:], np.zeros_like(adv[:1])])
        adv = delta + gamma * (1.0 - over) * below
    return adv


@wrong("n_step_advantages", "time-limit-as-terminal")
def done_for_both(rewards, values, next_values, terminated, truncated, n, gamma):
    done = terminated | truncated
    return n_errors(td(rewards, values, next_values, done, gamma), done, n, gamma)


@wrong("n_step_advantages", "terminal-not-masked")
def value_after_the_end(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = rewards + gamma * next_values - values
    return n_errors(delta, terminated | truncated, n, gamma)


@wrong("n_step_advantages", "leaks-across-cut")
def runs_over_the_cut(rewards, values, next_values, terminated, truncated, n, gamma):
    total = np.zeros(rewards.shape)
    for t, i in np.ndindex(total.shape):
        for k in range(n):
            total[t, i] += gamma**k * rewards[t + k, i]
            if terminated[t + k, i]:
                break
            if k == n - 1 or t + k == len(rewards) - 1:
                total[t, i] += gamma ** (k + 1) * next_values[t + k, i]
                break
    return total - values


@wrong("n_step_advantages", "leaks-across-episodes")
def sees_no_flag(rewards, values, next_values, terminated, truncated, n, gamma):
    total = np.zeros(rewards.shape)
    for t, i in np.ndindex(total.shape):
        taken = min(n, len(rewards) - t)
        total[t, i] = sum(gamma**k * rewards[t + k, i] for k in range(taken))
        if not terminated[t + taken - 1, i]:
            total[t, i] += gamma**taken * next_values[t + taken - 1, i]
    return total - values


@wrong("n_step_advantages", "next-row")
def bootstraps_from_the_rows(rewards, values, next_values, terminated, truncated, n, gamma):
    following = np.concatenate([values[1:], next_values[-1:]])
    delta = td(rewards, values, following, terminated, gamma)
    total = np.zeros(rewards.shape)
    for t, i in np.ndindex(total.shape):
        for k in range(min(n, len(rewards) - t)):
            total[t, i] += gamma**k * delta[t + k, i]
            if terminated[t + k, i] or truncated[t + k, i]:
                break
    return total


@wrong("n_step_advantages", "no-bootstrap")
def rewards_alone(rewards, values, next_values, terminated, truncated, n, gamma):
    total, over = np.zeros(rewards.shape), terminated | truncated
    for t, i in np.ndindex(total.shape):
        for k in range(min(n, len(rewards) - t)):
            total[t, i] += gamma**k * rewards[t + k, i]
            if over[t + k, i]:
                break
    return total - values


@wrong("n_step_advantages", "one-too-many")
def counts_from_zero(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = td(rewards, values, next_values, terminated, gamma)
    return n_errors(delta, terminated | truncated, n + 1, gamma)


@wrong("n_step_advantages", "n-ignored")
def always_to_the_end(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = td(rewards, values, next_values, terminated, gamma)
    return n_errors(delta, terminated | truncated, len(delta), gamma)


@wrong("n_step_advantages", "n-ignored")
def always_one_step(rewards, values, next_values, terminated, truncated, n, gamma):
    return td(rewards, values, next_values, terminated, gamma)


def by_power(power):
    def answer(rewards, values, next_values, terminated, truncated, n, gamma):
        total, over = np.zeros(rewards.shape), terminated | truncated
        for t, i in np.ndindex(total.shape):
            for k in range(min(n, len(rewards) - t)):
                total[t, i] += gamma**k * rewards[t + k, i]
                if over[t + k, i]:
                    break
            if not terminated[t + k, i]:
                total[t, i] += gamma ** power(k, n) * next_values[t + k, i]
        return total - values

    return answer


@wrong("n_step_advantages", "power-of-n")
def discount_of_n(rewards, values, next_values, terminated, truncated, n, gamma):
    return by_power(lambda k, n: n)(rewards, values, next_values, terminated, truncated, n, gamma)


@wrong("n_step_advantages", "power-too-small")
def discount_of_the_last_reward(rewards, values, next_values, terminated, truncated, n, gamma):
    return by_power(lambda k, n: k)(rewards, values, next_values, terminated, truncated, n, gamma)


@wrong("n_step_advantages", "value-discounted-once")
def discounts_once(rewards, values, next_values, terminated, truncated, n, gamma):
    return by_power(lambda k, n: 1)(rewards, values, next_values, terminated, truncated, n, gamma)


@wrong("n_step_advantages", "target-returned")
def targets(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = td(rewards, values, next_values, terminated, gamma)
    return n_errors(delta, terminated | truncated, n, gamma) + values


@wrong("n_step_advantages", "last-rows-empty")
def full_steps_only(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = td(rewards, values, next_values, terminated, gamma)
    adv = n_errors(delta, terminated | truncated, n, gamma).copy()
    if n > 1:
        adv[max(len(adv) - n + 1, 0) :] = 0.0
    return adv
