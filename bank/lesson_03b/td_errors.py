"""Answers for TD errors."""

import numpy as np
import torch

from bank import right, wrong


@right("td_errors")
def masked(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * next_values * ~terminated - values


@right("td_errors")
def with_where(rewards, values, next_values, terminated, gamma):
    return rewards + np.where(terminated, 0.0, gamma * next_values) - values


@right("td_errors")
def row_by_row(rewards, values, next_values, terminated, gamma):
    out = []
    for r, v, w, end in zip(rewards, values, next_values, terminated, strict=True):
        out.append(
            [a + (0 if e else gamma * c) - b for a, b, c, e in zip(r, v, w, end, strict=True)]
        )
    return np.array(out)


@right("td_errors")
def copied_and_zeroed(rewards, values, next_values, terminated, gamma):
    following = np.array(next_values)
    following[terminated] = 0
    return np.float32(rewards - values + gamma * following)


@right("td_errors")
def with_torch(rewards, values, next_values, terminated, gamma):
    r, v, w, e = (torch.tensor(x.copy()) for x in (rewards, values, next_values, terminated))
    return r + gamma * w * (1 - e.double()) - v


@wrong("td_errors", "terminal-not-masked")
def unmasked(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * next_values - values


@wrong("td_errors", "mask-inverted")
def mask_the_others(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * next_values * terminated - values


@wrong("td_errors", "next-row")
def row_below(rewards, values, next_values, terminated, gamma):
    following = np.vstack([values[1:], next_values[-1:]])
    return rewards + gamma * following * (1 - terminated) - values


@wrong("td_errors", "flag-of-next-step")
def next_flag(rewards, values, next_values, terminated, gamma):
    flags = np.vstack([terminated[1:], np.zeros_like(terminated[:1])])
    return rewards + gamma * next_values * (1 - flags) - values


@wrong("td_errors", "flag-of-step-before")
def flag_of_entering(rewards, values, next_values, terminated, gamma):
    flags = np.vstack([np.zeros_like(terminated[:1]), terminated[:-1]])
    return rewards + gamma * next_values * (1 - flags) - values


@wrong("td_errors", "minus-sign")
def expected_minus_got(rewards, values, next_values, terminated, gamma):
    return values - rewards - gamma * next_values * (1 - terminated)


@wrong("td_errors", "gamma-ignored")
def without_gamma(rewards, values, next_values, terminated, gamma):
    return masked(rewards, values, next_values, terminated, 1.0)


@wrong("td_errors", "gamma-on-reward")
def discounts_the_reward(rewards, values, next_values, terminated, gamma):
    return gamma * (rewards + next_values * (1 - terminated)) - values


@wrong("td_errors", "gamma-on-value")
def discounts_the_value(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * (next_values * (1 - terminated) - values)


@wrong("td_errors", "reward-minus-value")
def one_step_credit(rewards, values, next_values, terminated, gamma):
    return rewards - values


@wrong("td_errors", "target-not-error")
def the_target(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * next_values * (1 - terminated)


@wrong("td_errors", "value-masked-too")
def both_values_masked(rewards, values, next_values, terminated, gamma):
    return rewards + (gamma * next_values - values) * (1 - terminated)


@wrong("td_errors", "everything-masked")
def all_masked(rewards, values, next_values, terminated, gamma):
    return np.where(terminated, 0.0, rewards + gamma * next_values - values)


@wrong("td_errors", "reward-masked")
def last_reward_lost(rewards, values, next_values, terminated, gamma):
    return (rewards + gamma * next_values) * (1 - terminated) - values


@wrong("td_errors", "roles-swapped")
def swapped(rewards, values, next_values, terminated, gamma):
    return masked(rewards, next_values, values, terminated, gamma)


@wrong("td_errors", "changed-inputs")
def writes_zeros(rewards, values, next_values, terminated, gamma):
    if not next_values.flags.writeable:
        next_values = next_values.copy()
    next_values[terminated] = 0
    return rewards + gamma * next_values - values


@right("td_errors")
def torch_where_on_the_arrays(rewards, values, next_values, terminated, gamma):
    r, v, w, over = map(torch.as_tensor, (rewards, values, next_values, terminated))
    return r + gamma * torch.where(over, torch.zeros_like(w), w) - v


@wrong("td_errors", "next-row")
def rolled_values(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * np.roll(values, -1, axis=0) * ~terminated - values


@wrong("td_errors", "last-row-ended")
def nothing_after_the_last_row(rewards, values, next_values, terminated, gamma):
    going_on = ~terminated
    going_on[-1] = False
    return rewards + gamma * next_values * going_on - values


@wrong("td_errors", "one-flag-for-all")
def any_of_the_flags(rewards, values, next_values, terminated, gamma):
    delta = rewards - values
    for t in range(len(rewards)):
        if not terminated[t].any():
            delta[t] += gamma * next_values[t]
    return delta


@wrong("td_errors", "gamma-ignored")
def always_the_usual_gamma(rewards, values, next_values, terminated, gamma):
    return rewards + 0.99 * next_values * ~terminated - values


@wrong("td_errors", "large-inputs")
def errors_cut_at_ten(rewards, values, next_values, terminated, gamma):
    return np.clip(rewards + gamma * np.where(terminated, 0, next_values) - values, -10, 10)
