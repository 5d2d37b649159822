"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import itertools

import numpy as np

from bank import right


@right("td_errors")
def nonterminal_as_a_power_of_gamma(rewards, values, next_values, terminated, gamma):
    alive = np.logical_not(np.asarray(terminated, dtype=bool))
    worth = np.nan_to_num(np.asarray(next_values, dtype=float)) * alive
    return np.add(rewards, np.subtract(np.multiply(gamma, worth), values))


@right("td_errors")
def by_nested_maps(rewards, values, next_values, terminated, gamma):
    def one(r, v, nv, end):
        return r - v if end else r - v + gamma * nv

    rows = zip(*(np.asarray(x).tolist() for x in (rewards, values, next_values, terminated)))
    return np.array([list(map(one, *row)) for row in rows], dtype=float)


@right("n_step_advantages")
def weights_in_one_band_matrix(rewards, values, next_values, terminated, truncated, n, gamma):
    rewards, values, next_values = (
        np.asarray(x, dtype=float) for x in (rewards, values, next_values)
    )
    ends = np.asarray(terminated, dtype=bool) | np.asarray(truncated, dtype=bool)
    delta = rewards - values + gamma * np.where(terminated, 0.0, next_values)
    found, t = np.empty_like(delta), np.arange(len(delta))
    for column in range(delta.shape[1]):
        episode = np.concatenate([[0], np.cumsum(ends[:-1, column])])
        ahead = t - t[:, None]
        seen = (ahead >= 0) & (ahead < n) & (episode == episode[:, None])
        found[:, column] = np.where(seen, gamma ** np.maximum(ahead, 0.0), 0.0) @ delta[:, column]
    return found


@right("n_step_advantages")
def recursion_on_n(rewards, values, next_values, terminated, truncated, n, gamma):
    given = rewards, values, next_values, terminated, truncated
    rew, val, nxt, term, trunc = (np.asarray(x) for x in given)

    def target(t, i, left):
        worth = rew[t, i]
        if term[t, i]:
            return worth
        if left == 1 or trunc[t, i] or t == len(rew) - 1:
            return worth + gamma * nxt[t, i]
        return worth + gamma * target(t + 1, i, left - 1)

    found = [[target(t, i, n) for i in range(rew.shape[1])] for t in range(len(rew))]
    return np.array(found, dtype=float) - val


@right("gae")
def exponents_summed_up(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = np.asarray(rewards) - values + gamma * np.where(terminated, 0.0, next_values)
    cut = np.logical_or(terminated, truncated)

    def column(deltas, cuts):
        def step(later, pair):
            return pair[0] + (0.0 if pair[1] else gamma * lam * later)

        back = itertools.accumulate(zip(deltas[::-1], cuts[::-1]), step, initial=0.0)
        return list(back)[:0:-1]

    return np.column_stack([column(d, c) for d, c in zip(delta.T, cut.T)])


@right("gae")
def td_lambda_targets_minus_values(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    target = np.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        worth = np.array(next_values[t], dtype=float)
        if t + 1 < len(rewards):
            on = ~(np.asarray(terminated[t]) | np.asarray(truncated[t]))
            worth = np.where(on, (1 - lam) * worth + lam * target[t + 1], worth)
        target[t] = rewards[t] + gamma * np.where(terminated[t], 0.0, worth)
    return target - values
