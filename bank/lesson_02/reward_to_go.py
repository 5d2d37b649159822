"""Answers for reward-to-go."""

from functools import reduce

import numpy as np

from bank import right, wrong
from bank.lesson_02.gradient_samples import later


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


@wrong("reward_to_go", "left-out")
def last_reward_lost(rewards, gamma=1.0):
    found = np.zeros(len(rewards))
    for t in reversed(range(len(rewards) - 1)):
        found[t] = rewards[t] + gamma * found[t + 1]
    return found


@wrong("reward_to_go", "large-inputs")
def rewards_cut_at_ten(rewards, gamma=1.0):
    total, found = 0.0, np.zeros(len(rewards))
    for t in reversed(range(len(rewards))):
        total = min(max(float(rewards[t]), -10.0), 10.0) + gamma * total
        found[t] = total
    return found
