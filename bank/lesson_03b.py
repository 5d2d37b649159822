"""The bank of 03b_gae. Helpers are the bank's own, so that no two styles share code."""

import numpy as np
import torch
import torch.nn.functional as F

import policy_gradients as pg
from bank import right, value, wrong


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


# td_errors and gae, more of them ---------------------------------------------------------------


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


@wrong("gae", "step:kind")
def advantages_and_targets(
    rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95
):
    delta = one_step(rewards, values, next_values, terminated, gamma)
    adv = added_up(delta, gamma * lam, ~(terminated | truncated))
    return adv, adv + values


# n_step_advantages -----------------------------------------------------------------------------


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
    return by_power(lambda k, n: n)(
        rewards, values, next_values, terminated, truncated, n, gamma
    )  # fmt: skip


@wrong("n_step_advantages", "power-too-small")
def discount_of_the_last_reward(rewards, values, next_values, terminated, truncated, n, gamma):
    return by_power(lambda k, n: k)(
        rewards, values, next_values, terminated, truncated, n, gamma
    )  # fmt: skip


@wrong("n_step_advantages", "value-discounted-once")
def discounts_once(rewards, values, next_values, terminated, truncated, n, gamma):
    return by_power(lambda k, n: 1)(
        rewards, values, next_values, terminated, truncated, n, gamma
    )  # fmt: skip


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


# train_with_gae --------------------------------------------------------------------------------


def episode(env, table, rng):
    """One episode by a table of probabilities, with the states' sequence."""
    states, actions, rewards, over = [], [], [], False
    obs, _info = env.reset(seed=int(rng.integers(2**31)))
    while not over:
        states.append(obs)
        actions.append(int(rng.choice(len(table[obs]), p=table[obs])))
        obs, reward, terminated, truncated, _info = env.step(actions[-1])
        rewards.append(reward)
        over = terminated or truncated
    return pg.Trajectory(states, actions, rewards, obs, terminated)


def probabilities(policy, env):
    with torch.no_grad():
        return torch.softmax(policy(np.arange(env.observation_space.n)).double(), -1).numpy()


def known_values(critic, env):
    with torch.no_grad():
        return critic(np.arange(env.observation_space.n)).double().numpy()


def of_one(t, known, gamma, lam):
    """The advantages of one episode, from its end to its start."""
    adv, later = np.zeros(len(t)), 0.0
    after = 0.0 if t.terminated else known[t.last_state]
    for k in reversed(range(len(t))):
        adv[k] = later = t.rewards[k] + gamma * after - known[t.states[k]] + gamma * lam * later
        after = known[t.states[k]]
    return adv


def half_error(values, target):
    return 0.5 * F.mse_loss(values, target)


def learner(advantages=None, targets=None, loss=None, stepper=None, history=None):
    """A train_with_gae; advantages(batch, known, gamma, lam) -> (B,), targets(batch, known, gamma,
    lam, adv) -> (B,), loss(logp, adv, values, target)."""

    def train(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
        means = []
        for _update in range(num_updates):
            table, known = probabilities(policy, env), known_values(critic, env)
            batch = [episode(env, table, rng) for _ in range(batch_size)]
            obs = np.concatenate([t.states for t in batch])
            actions = torch.as_tensor(np.concatenate([t.actions for t in batch]))
            adv = (advantages or joined)(batch, known, gamma, lam)
            target = adv + known[obs] if targets is None else targets(batch, known, gamma, lam, adv)
            values = critic(obs)
            logp = torch.log_softmax(policy(obs), -1)[torch.arange(len(obs)), actions]
            parts = (torch.as_tensor(x, dtype=values.dtype) for x in (adv, target))
            weight, target = parts
            total = (loss or usual)(logp, weight, values, target)
            (stepper or one_step_down)(optimizer, total)
            means.append((history or undiscounted_mean)(batch, gamma))
        return np.array(means)

    return train


def joined(batch, known, gamma, lam):
    return np.concatenate([of_one(t, known, gamma, lam) for t in batch])


def usual(logp, adv, values, target):
    return -(logp * adv).mean() + half_error(values, target)


def undiscounted_mean(batch, gamma):
    return np.mean([t.rewards.sum() for t in batch])


def one_step_down(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


right("train_with_gae")(learner())


@right("train_with_gae")
def with_the_gae_of_the_notebook(
    env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng
):  # fmt: skip
    """Padded columns, one an episode, and a mean over trajectories."""
    history = np.zeros(num_updates)
    for update in range(num_updates):
        table, known = probabilities(policy, env), known_values(critic, env)
        batch = [episode(env, table, rng) for _ in range(batch_size)]
        longest = max(map(len, batch))
        shape = (longest, batch_size)
        rewards, values, following = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        ended, cut = np.zeros(shape, bool), np.zeros(shape, bool)
        for n, t in enumerate(batch):
            size = len(t)
            rewards[:size, n], values[:size, n] = t.rewards, known[t.states]
            following[:size, n] = known[np.append(t.states[1:], t.last_state)]
            ended[size - 1, n], cut[size - 1, n] = t.terminated, not t.terminated
        adv = backward_loop(rewards, values, following, ended, cut, gamma, lam)
        losses = []
        for n, t in enumerate(batch):
            a = torch.as_tensor(adv[: len(t), n], dtype=torch.float32)
            logp = torch.log_softmax(policy(t.states), -1).gather(
                1, torch.as_tensor(t.actions)[:, None]
            )[:, 0]
            target = a + torch.as_tensor(known[t.states], dtype=torch.float32)
            losses.append(-(logp * a).sum() + 0.5 * ((critic(t.states) - target) ** 2).sum())
        one_step_down(optimizer, torch.stack(losses).mean())
        history[update] = np.mean([t.rewards.sum() for t in batch])
    return history


@right("train_with_gae")
def whitened(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
    def loss(logp, adv, values, target):
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        return usual(logp, adv, values, target)

    train = learner(loss=loss)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng)


@right("train_with_gae")
def critic_on_bootstrapped_returns(
    env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng
):  # fmt: skip
    """The critic learns returns that go on where the clock struck; a list of floats comes back."""

    def targets(batch, known, gamma, lam, adv):
        return np.concatenate([of_one(t, known, gamma, 1.0) + known[t.states] for t in batch])

    train = learner(targets=targets)
    found = train(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng)
    return [float(x) for x in found]


def gae_wrong(label, mistake, **how):
    answer = learner(**how)
    answer.__name__ = label
    wrong("train_with_gae", mistake)(answer)


def lesson_three(batch, known, gamma, lam):
    parts = []
    for t in batch:
        later, out = 0.0, []
        for r in t.rewards[::-1]:
            later = r + gamma * later
            out.append(later)
        parts.append(np.array(out[::-1]) - known[t.states])
    return np.concatenate(parts)


def replaced_end(terminated):
    """The advantages where the episodes' kind of end is another one."""

    def advantages(batch, known, gamma, lam):
        changed = [
            pg.Trajectory(t.states, t.actions, t.rewards, t.last_state, terminated) for t in batch
        ]
        return joined(changed, known, gamma, lam)

    return advantages


def one_long_column(batch, known, gamma, lam):
    adv, later = [], 0.0
    for t in batch[::-1]:
        after = 0.0 if t.terminated else known[t.last_state]
        for k in reversed(range(len(t))):
            later = t.rewards[k] + gamma * after - known[t.states[k]] + gamma * lam * later
            adv.append(later)
            after = known[t.states[k]]
    return np.array(adv[::-1])


def from_the_row_below(batch, known, gamma, lam):
    states = [t.states[0] for t in batch[1:]] + [None]
    parts = []
    for t, first in zip(batch, states):
        end = t.terminated if first is not None or t.terminated else True
        last = t.last_state if first is None else first
        parts.append(
            of_one(pg.Trajectory(t.states, t.actions, t.rewards, last, end), known, gamma, lam)
        )
    return np.concatenate(parts)


gae_wrong("as_in_lesson_three", "returns-not-gae", advantages=lesson_three)
gae_wrong("clock_is_an_end", "time-limit-as-terminal", advantages=replaced_end(True))
gae_wrong("every_end_is_a_cut", "terminal-not-masked", advantages=replaced_end(False))
gae_wrong("no_flags", "leaks-across-episodes", advantages=one_long_column)
gae_wrong("row_below", "next-row", advantages=from_the_row_below)
gae_wrong("lam_one", "lam-ignored", advantages=lambda b, v, g, lam: joined(b, v, g, 1.0))
gae_wrong("lam_zero", "td-errors-alone", advantages=lambda b, v, g, lam: joined(b, v, g, 0.0))
gae_wrong("gamma_one", "gamma-ignored", advantages=lambda b, v, g, lam: joined(b, v, 1.0, lam))
gae_wrong(
    "gaes_defaults", "defaults-ignored", advantages=lambda b, v, g, lam: joined(b, v, 0.99, 0.95)
)
gae_wrong("minus", "minus-sign", loss=lambda p, a, v, t: (p * a).mean() + half_error(v, t))
gae_wrong("no_critic", "critic-untrained", loss=lambda p, a, v, t: -(p * a).mean())
gae_wrong(
    "critic_sees_the_clock", "critic-clock-as-end",
    targets=lambda b, v, g, lam, adv: lesson_three(b, v, g, lam)
    + np.concatenate([v[t.states] for t in b]),
)  # fmt: skip
gae_wrong("critic_learns_advantages", "critic-on-advantage", targets=lambda b, v, g, lam, adv: adv)
gae_wrong("log_of_nothing", "probability-not-log", loss=lambda p, a, v, t: usual(p.exp(), a, v, t))


def advantage_in_the_graph(logp, adv, values, target):
    return -(logp * (target - values)).mean() + half_error(values, target)


gae_wrong("pushes_the_critic", "policy-moves-critic", loss=advantage_in_the_graph)


def never_zeroed(optimizer, loss):
    loss.backward()
    optimizer.step()


gae_wrong("old_gradients", "gradients-pile-up", stepper=never_zeroed)


def discounted_mean(batch, gamma):
    return np.mean([np.sum(gamma ** np.arange(len(t)) * t.rewards) for t in batch])


gae_wrong("discounted_history", "history-discounted", history=discounted_mean)


@wrong("train_with_gae", "other-weights")
def values_of_the_last_update(
    env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng
):  # fmt: skip
    """Reads the critic once, before the first update."""
    first = known_values(critic, env)
    train = learner(advantages=lambda b, v, g, lam: joined(b, first, g, lam))
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng)


@wrong("train_with_gae", "rng-ignored")
def own_generator(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
    rng = np.random.default_rng(3)
    return learner()(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng)


value("q_cut_episode", "b", "b")
value("q_cut_episode", "a", "a", "chose-a")
value("q_cut_episode", "c", "c", "chose-c")
value("q_cut_episode", "d", "d", "chose-d")
value("q_more_trajectories", "c", "c")
value("q_more_trajectories", "a", "a", "chose-a")
value("q_more_trajectories", "b", "b", "chose-b")
value("q_more_trajectories", "d", "d", "chose-d")
