"""Answers for GAE."""

import numpy as np
import torch

from bank import right, wrong


def td(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * next_values * (1 - terminated) - values


@right("gae")
def backward_loop(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, terminated, gamma)
    adv, running = np.zeros_like(delta), 0.0
    for t in reversed(range(len(delta))):
        running = delta[t] + gamma * lam * (1 - (terminated[t] | truncated[t])) * running
        adv[t] = running
    return adv


@right("gae")
def forward_sums(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, terminated, gamma)
    T, N = delta.shape
    adv = np.zeros((T, N))
    for n in range(N):
        for t in range(T):
            weight = 1.0
            for k in range(t, T):
                adv[t, n] += weight * delta[k, n]
                if terminated[k, n] or truncated[k, n]:
                    break
                weight *= gamma * lam
    return adv


@right("gae")
def one_linear_system(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    """A = delta + gamma lam M A, with M one step ahead inside the episode."""
    delta = td(rewards, values, next_values, terminated, gamma)
    goes_on = ~(np.asarray(terminated) | np.asarray(truncated))
    columns = []
    for n in range(delta.shape[1]):
        ahead = np.diag(goes_on[:-1, n].astype(float), k=1) if len(delta) > 1 else np.zeros((1, 1))
        columns.append(np.linalg.solve(np.eye(len(delta)) - gamma * lam * ahead, delta[:, n]))
    return np.array(columns).T


@right("gae")
def mix_of_targets(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    """The lambda-return, which mixes the critic's value into each step's target, minus V."""
    target, following = np.empty_like(rewards), np.asarray(next_values)[-1]
    for t in reversed(range(len(rewards))):
        cut = truncated[t] | (t == len(rewards) - 1)
        later = np.where(cut, next_values[t], (1 - lam) * next_values[t] + lam * following)
        target[t] = rewards[t] + gamma * np.where(terminated[t], 0.0, later)
        following = target[t]
    return target - values


@right("gae")
def in_torch(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = torch.tensor(td(rewards, values, next_values, terminated, gamma))
    alive = torch.tensor(np.logical_not(np.logical_or(terminated, truncated)))
    rows = [delta[-1]]
    for t in range(len(delta) - 2, -1, -1):
        rows.insert(0, delta[t] + gamma * lam * alive[t] * rows[0])
    return torch.stack(rows)


def backwards(delta, over, rate):
    adv, running = np.zeros(delta.shape), np.zeros(delta.shape[1])
    for t in reversed(range(len(delta))):
        running = delta[t] + rate * (1.0 - over[t]) * running
        adv[t] = running
    return adv


@wrong("gae", "time-limit-as-terminal")
def one_done_flag(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    done = terminated | truncated
    return backwards(td(rewards, values, next_values, done, gamma), done, gamma * lam)


@wrong("gae", "leaks-across-cut")
def stops_at_ends_only(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    return backwards(td(rewards, values, next_values, terminated, gamma), terminated, gamma * lam)


@wrong("gae", "leaks-across-end")
def stops_at_cuts_only(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    return backwards(td(rewards, values, next_values, terminated, gamma), truncated, gamma * lam)


@wrong("gae", "leaks-across-episodes")
def never_stops(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, terminated, gamma)
    return backwards(delta, np.zeros_like(delta), gamma * lam)


@wrong("gae", "terminal-not-masked")
def bootstraps_everywhere(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    return backwards(rewards + gamma * next_values - values, terminated | truncated, gamma * lam)


@wrong("gae", "flags-swapped")
def masks_the_cut(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, truncated, gamma)
    return backwards(delta, terminated | truncated, gamma * lam)


@wrong("gae", "next-row")
def row_below_as_successor(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    following = np.concatenate([values[1:], next_values[-1:]])
    return backwards(
        td(rewards, values, following, terminated, gamma), terminated | truncated, gamma * lam
    )


@wrong("gae", "flag-of-next-step")
def flag_of_the_row_below(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    done = terminated | truncated
    below = np.concatenate([done[1:], np.zeros_like(done[:1])])
    return backwards(td(rewards, values, next_values, terminated, gamma), below, gamma * lam)


@wrong("gae", "lam-alone")
def without_gamma_in_decay(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    return backwards(
        td(rewards, values, next_values, terminated, gamma), terminated | truncated, lam
    )


@wrong("gae", "gamma-alone")
def without_lam(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    return backwards(
        td(rewards, values, next_values, terminated, gamma), terminated | truncated, gamma
    )


@wrong("gae", "defaults-ignored")
def fixed_numbers(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    return backward_loop(rewards, values, next_values, terminated, truncated)


@wrong("gae", "defaults-ignored")
def fixed_lam(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    return backward_loop(rewards, values, next_values, terminated, truncated, gamma)


@wrong("gae", "forward-loop")
def from_the_start(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, terminated, gamma)
    adv, running = np.zeros_like(delta), 0.0
    for t in range(len(delta)):
        running = delta[t] + gamma * lam * (1 - (terminated[t] | truncated[t])) * running
        adv[t] = running
    return adv


@wrong("gae", "own-step")
def reads_its_own_error(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, terminated, gamma)
    return delta + gamma * lam * (1 - (terminated | truncated)) * delta


@wrong("gae", "td-errors-alone")
def no_recursion(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    return td(rewards, values, next_values, terminated, gamma)


@wrong("gae", "last-row-empty")
def starts_too_early(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = td(rewards, values, next_values, terminated, gamma)
    adv = np.zeros_like(delta)
    for t in range(len(delta) - 2, -1, -1):
        adv[t] = delta[t] + gamma * lam * (1 - (terminated[t] | truncated[t])) * adv[t + 1]
    return adv


@wrong("gae", "target-returned")
def returns_not_advantages(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    adv = backward_loop(rewards, values, next_values, terminated, truncated, gamma, lam)
    return adv + values


@wrong("gae", "advantages-whitened")
def normalised(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    adv = backward_loop(rewards, values, next_values, terminated, truncated, gamma, lam)
    return (adv - adv.mean()) / (adv.std() + 1e-8)


def one_step(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * np.where(terminated, 0.0, next_values) - values


def added_up(delta, decay, going_on):
    """The recursion, as students write it."""
    adv, later = np.zeros_like(delta), 0.0
    for t in reversed(range(len(delta))):
        adv[t] = later = delta[t] + decay * going_on[t] * later
    return adv


@right("gae")
def torch_on_the_arrays(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    r, v, w = (torch.as_tensor(x) for x in (rewards, values, next_values))
    ended, cut = torch.as_tensor(terminated), torch.as_tensor(truncated)
    adv, later = torch.zeros_like(r), torch.zeros_like(r[0])
    for t in reversed(range(len(r))):
        delta = r[t] + gamma * w[t].masked_fill(ended[t], 0) - v[t]
        adv[t] = later = delta + gamma * lam * later.masked_fill(ended[t] | cut[t], 0)
    return adv


@right("gae")
def a_linear_system(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    """(1 - gamma lam M) adv = delta, column by column."""
    delta = one_step(rewards, values, next_values, terminated, gamma)
    columns = []
    for n in range(delta.shape[1]):
        goes_on = ~(terminated[:-1, n] | truncated[:-1, n])
        matrix = np.eye(len(delta)) - gamma * lam * np.diag(goes_on, 1)
        columns.append(np.linalg.solve(matrix, delta[:, n]))
    return np.stack(columns, axis=1)


@wrong("gae", "flags-merged-in-place")
def one_flag_in_place(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    terminated |= truncated
    delta = one_step(rewards, values, next_values, terminated, gamma)
    return added_up(delta, gamma * lam, ~terminated)


@wrong("gae", "bootstrapped-twice")
def value_in_the_reward_as_well(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    paid = rewards + gamma * next_values * truncated
    delta = one_step(paid, values, next_values, terminated, gamma)
    return added_up(delta, gamma * lam, ~(terminated | truncated))


@wrong("gae", "last-row-ended")
def no_value_after_the_last_row(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    following = next_values.copy()
    following[-1] = 0.0
    delta = one_step(rewards, values, following, terminated, gamma)
    return added_up(delta, gamma * lam, ~(terminated | truncated))


@wrong("gae", "one-flag-for-all")
def stops_everywhere_at_once(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    over = (terminated | truncated).any(axis=1)
    return added_up(delta, gamma * lam, ~over)


@wrong("gae", "across-columns")
def one_number_for_all_columns(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    adv, later = np.zeros_like(delta), 0.0
    for n in range(delta.shape[1]):
        for t in reversed(range(len(delta))):
            goes_on = not (terminated[t, n] or truncated[t, n])
            adv[t, n] = later = delta[t, n] + gamma * lam * goes_on * later
    return adv


@wrong("gae", "wraps-around")
def modulo_the_length(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    adv = one_step(rewards, values, next_values, terminated, gamma)
    for t in reversed(range(len(adv))):
        goes_on = ~(terminated[t] | truncated[t])
        adv[t] += gamma * lam * goes_on * adv[(t + 1) % len(adv)]
    return adv


@wrong("gae", "gamma-not-in-delta")
def undiscounted_errors(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = one_step(rewards, values, next_values, terminated, 1.0)
    return added_up(delta, gamma * lam, ~(terminated | truncated))


@wrong("gae", "weights-normalised")
def weights_that_add_up_to_one(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    return (1 - lam) * added_up(delta, gamma * lam, ~(terminated | truncated))


@wrong("gae", "flag-of-step-before")
def one_row_up(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    over = terminated | truncated
    return added_up(delta, gamma * lam, [~over[t - 1] for t in range(len(over))])


@wrong("gae", "tuple-returned")
def advantages_and_targets(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    adv = added_up(delta, gamma * lam, ~(terminated | truncated))
    return adv, adv + values


@wrong("gae", "large-inputs")
def advantages_within_twenty(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    found, later = np.zeros_like(delta), 0.0
    for t in reversed(range(len(delta))):
        later = delta[t] + gamma * lam * np.where(terminated[t] | truncated[t], 0.0, later)
        found[t] = later
    return np.clip(found, -20, 20)
