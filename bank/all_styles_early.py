"""Right answers of lessons 01 to 03b in unusual styles: recursion, closures, folds, torch inside
NumPy, matrices for loops."""

import functools
import itertools
import math
import operator
from collections import Counter, defaultdict, deque

import numpy as np
import torch

import policy_gradients as pg
from bank import right

# lesson 01 ------------------------------------------------------------------------------------


@right("softmax")
def by_one_comprehension_a_row(logits):
    table = np.asarray(logits, dtype=float)
    flat = table.reshape(-1, table.shape[-1])

    def row(numbers):
        top = max(numbers)
        weights = [math.exp(x - top) for x in numbers]
        return [w / math.fsum(weights) for w in weights]

    return np.array([row(numbers) for numbers in flat.tolist()]).reshape(table.shape)


@right("softmax")
def one_over_a_sum_of_differences(logits):
    logits = np.asarray(logits, dtype=float)
    with np.errstate(over="ignore"):
        return 1 / np.exp(logits[..., None, :] - logits[..., :, None]).sum(-1)


@right("softmax")
def derivative_of_the_log_of_the_sum(logits):
    x = torch.tensor(np.asarray(logits, dtype=float), requires_grad=True)
    torch.logsumexp(x, dim=-1).sum().backward()
    return x.grad.numpy()


@right("log_prob")
def folded_with_logaddexp(logits, actions):
    logits, actions = np.asarray(logits, dtype=float), np.asarray(actions)
    total = functools.reduce(np.logaddexp, np.moveaxis(logits, -1, 0))
    chosen = np.choose(actions, np.moveaxis(logits, -1, 0))
    return chosen - total


@right("log_prob")
def minus_cross_entropy(logits, actions):
    logits = torch.tensor(np.asarray(logits, dtype=float))
    flat = logits.reshape(-1, logits.shape[-1])
    picked = torch.tensor(np.asarray(actions), dtype=torch.long).reshape(-1)
    loss = torch.nn.functional.cross_entropy(flat, picked, reduction="none")
    return -loss.reshape(logits.shape[:-1]).numpy()


@right("log_prob")
def gaps_to_the_chosen_logit(logits, actions):
    logits = np.asarray(logits, dtype=float)
    hot = np.eye(logits.shape[-1])[np.asarray(actions)]
    gaps = logits - (logits * hot).sum(-1, keepdims=True)
    top = gaps.max(-1, keepdims=True)
    return -(top[..., 0] + np.log(np.exp(gaps - top).sum(-1)))


@right("rollout")
def yielded_step_by_step(env, theta, rng):
    def steps(state):
        while True:
            weights = np.exp(theta[state] - np.max(theta[state]))
            edges = np.cumsum(weights) / weights.sum()
            action = int(np.searchsorted(edges[:-1], rng.random(), side="right"))
            before = state
            state, reward, *ends, _info = env.step(action)
            yield before, action, reward
            if any(ends):
                return

    first, _ = env.reset()
    return pg.Trajectory(*zip(*steps(first)))


@right("rollout")
def recursive_with_multinomial(env, theta, rng):
    def play(state):
        p = np.exp(theta[state] - theta[state].max())
        action = int(rng.multinomial(1, p / p.sum()).argmax())
        after, reward, terminated, truncated, _ = env.step(action)
        step = ((state, action, float(reward)),)
        return step if terminated or truncated else step + play(after)

    states, actions, rewards = map(np.array, zip(*play(env.reset()[0])))
    return pg.Trajectory(states=states, actions=actions, rewards=rewards)


@right("discounted_return")
def folded_from_the_right(rewards, gamma=1.0):
    return functools.reduce(lambda later, r: r + gamma * later, reversed(list(rewards)), 0.0)


@right("discounted_return")
def a_row_times_a_column(rewards, gamma=1.0):
    powers = np.cumprod([1.0, *itertools.repeat(gamma, max(len(rewards) - 1, 0))])
    return np.asarray(rewards, dtype=float) @ powers[: len(rewards)]


@right("discounted_return")
def a_queue_emptied(rewards, gamma=1.0):
    queue, total = deque(rewards), 0.0
    while queue:
        total = total * gamma + queue.pop()
    return np.float64(total)


@right("grad_log_prob")
def central_differences(theta, state, action):
    theta = np.array(theta, dtype=float)

    def logp(change):
        row = theta[state] + change
        return row[action] - row.max() - math.log(np.exp(row - row.max()).sum())

    score, step = np.zeros_like(theta), 1e-5
    for a, unit in enumerate(np.eye(theta.shape[1]) * step):
        score[state, a] = (logp(unit) - logp(-unit)) / (2 * step)
    return score


@right("grad_log_prob")
def jacobian_of_torch(theta, state, action):
    def logp(table):
        return torch.log_softmax(table, dim=1)[state, action]

    return torch.func.grad(logp)(torch.tensor(np.asarray(theta, dtype=float))).numpy()


@right("grad_log_prob")
def kronecker_products(theta, state, action):
    theta = np.asarray(theta, dtype=float)
    weights = np.exp(theta[state] - theta[state].max())
    row = (np.arange(theta.shape[1]) == action) - weights / weights.sum()
    return np.kron((np.arange(len(theta)) == state)[:, None], row)


@right("reinforce_gradient")
def counts_of_pairs(theta, trajectories, gamma=1.0):
    theta = np.asarray(theta, dtype=float)
    weight = defaultdict(float)
    for traj in trajectories:
        ret = sum(r * gamma**t for t, r in enumerate(traj.rewards))
        for pair, times in Counter(zip(map(int, traj.states), map(int, traj.actions))).items():
            weight[pair] += times * ret / len(trajectories)
    found = np.zeros_like(theta)
    for (s, a), w in weight.items():
        p = np.exp(theta[s] - theta[s].max())
        found[s] += w * (np.eye(theta.shape[1])[a] - p / p.sum())
    return found


@right("reinforce_gradient")
def scattered_by_ufunc_at(theta, trajectories, gamma=1.0):
    theta = np.asarray(theta, dtype=float)
    probs = np.exp(theta - theta.max(1, keepdims=True))
    probs /= probs.sum(1, keepdims=True)
    total = np.zeros_like(theta)
    for traj in trajectories:
        states, actions = np.asarray(traj.states), np.asarray(traj.actions)
        ret = np.polynomial.polynomial.polyval(gamma, np.asarray(traj.rewards, dtype=float))
        np.add.at(total, (states, actions), ret)
        np.subtract.at(total, states, ret * probs[states])
    return total / len(trajectories)


@right("reinforce_loss")
def two_contractions_by_tensordot(logp, returns):
    ones = torch.ones(logp.shape[1], dtype=logp.dtype)
    return torch.tensordot(returns, logp @ ones, dims=1).neg() / returns.numel()


@right("reinforce_loss")
def vmapped_over_trajectories(logp, returns):
    each = torch.func.vmap(lambda row, ret: ret * row.sum())(logp, returns)
    return torch.mean(-each, dim=0)


@right("reinforce_loss")
def folded_over_rows(logp, returns):
    def add(total, pair):
        return total - pair[0].sum() * pair[1]

    return functools.reduce(add, zip(logp, returns), logp.new_zeros(())) / len(logp)


# lesson 02 ------------------------------------------------------------------------------------


def table_of_probabilities(theta):
    theta = np.asarray(theta, dtype=float)
    weights = np.exp(theta - theta.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@right("gradient_samples")
def added_at_flat_places(theta, trajectories, gamma=1.0):
    probs = table_of_probabilities(theta)
    count, (rows, cols) = len(trajectories), probs.shape
    found = np.zeros(count * rows * cols)
    for i, traj in enumerate(trajectories):
        ret = sum(gamma**k * float(r) for k, r in enumerate(traj.rewards))
        for s, a in zip(traj.states, traj.actions):
            start = (i * rows + int(s)) * cols
            found[start : start + cols] -= ret * probs[s]
            found[start + int(a)] += ret
    return found.reshape(count, rows, cols)


@right("gradient_samples")
def jacobian_of_all_trajectories(theta, trajectories, gamma=1.0):
    def weighted(table):
        logp, sums = torch.log_softmax(table, dim=-1), []
        for traj in trajectories:
            states, actions = (torch.as_tensor(np.array(x)) for x in (traj.states, traj.actions))
            ret = float(np.dot(traj.rewards, gamma ** np.arange(len(traj.rewards))))
            sums.append(ret * logp[states, actions].sum())
        return torch.stack(sums)

    theta = torch.tensor(np.asarray(theta, dtype=float))
    return torch.func.jacrev(weighted)(theta).numpy()


@right("total_variance")
def frobenius_norm_of_what_is_left(samples):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    return np.linalg.norm(flat - flat.mean(0), "fro") ** 2 / (len(flat) - 1)


@right("total_variance")
def welfords_running_update(samples):
    mean, square = 0.0, 0.0
    for count, sample in enumerate(np.asarray(samples, dtype=float), start=1):
        apart = sample - mean
        mean = mean + apart / count
        square = square + apart * (sample - mean)
    return float(np.sum(square) / (count - 1))


@right("signal_to_noise")
def by_singular_values(samples):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    mean = flat.mean(axis=0)
    noise = np.sum(np.linalg.svd(flat - mean, compute_uv=False) ** 2) / (len(flat) - 1)
    return np.inner(mean, mean) * len(flat) / noise


@right("signal_to_noise")
def by_the_statistics_module(samples):
    import statistics

    columns = np.asarray(samples, dtype=float).reshape(len(samples), -1).T.tolist()
    signal = math.fsum(statistics.fmean(column) ** 2 for column in columns)
    return signal / math.fsum(statistics.variance(c) / len(samples) for c in columns)


@right("batch_size_for")
def doubled_then_halved(samples, target):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    signal, noise = np.sum(flat.mean(0) ** 2), flat.var(axis=0, ddof=1).sum()
    if signal == 0:
        raise ValueError("no signal")

    def enough(size):
        return size * signal >= target * noise

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@right("batch_size_for")
def floor_division_of_the_negative(samples, target):
    flat = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    if not (signal := float(np.square(flat.mean(0)).sum())):
        raise ValueError("a mean of zero has no signal")
    noise = float(flat.var(0, ddof=1).sum())
    return max(int(-(-target * noise // signal)), 1)


@right("bonus_in_rewards")
def secant_through_two_tries(goal_reward, step_reward, distance, max_steps):
    def gap(bonus):
        each = step_reward + bonus
        return goal_reward + distance * each - max_steps * each

    at_zero, at_one = gap(0.0), gap(1.0)
    return at_zero / (at_zero - at_one)


@right("bonus_in_rewards")
def root_of_a_polynomial(goal_reward, step_reward, distance, max_steps):
    left = max_steps - distance
    (root,) = np.roots([-left, goal_reward - left * step_reward])
    return root.item()


@right("reward_to_go")
def accumulated_backwards(rewards, gamma=1.0):
    backwards = itertools.accumulate(reversed(list(rewards)), lambda later, r: r + gamma * later)
    return np.array(list(backwards)[::-1], dtype=float)


@right("reward_to_go")
def a_generator_filled_from_the_back(rewards, gamma=1.0):
    found = deque()
    for reward in np.flip(np.asarray(rewards, dtype=float)).tolist():
        found.appendleft(reward + (gamma * found[0] if found else 0.0))
    return np.fromiter(found, dtype=float)


@right("reward_to_go_gradient_samples")
def upper_triangle_of_discounts(theta, trajectories, gamma=1.0):
    probs, found = table_of_probabilities(theta), []
    for traj in trajectories:
        states, actions = np.asarray(traj.states, dtype=int), np.asarray(traj.actions, dtype=int)
        t = np.arange(len(states))
        powers = np.triu(float(gamma) ** np.abs(t - t[:, None]))
        to_go = powers @ np.asarray(traj.rewards, dtype=float)
        where = np.eye(len(probs))[states]
        what = np.eye(probs.shape[1])[actions] - probs[states]
        found.append(where.T @ (to_go[:, None] * what))
    return np.stack(found)


@right("reward_to_go_gradient_samples")
def backwards_in_time_with_one_sum(theta, trajectories, gamma=1.0):
    probs = table_of_probabilities(theta)

    def one(traj):
        sample, later = np.zeros_like(probs), 0.0
        for s, a, r in reversed(list(zip(traj.states, traj.actions, traj.rewards))):
            later = float(r) + gamma * later
            sample[s] -= later * probs[s]
            sample[s, a] += later
        return sample

    return np.array(list(map(one, trajectories)))


@right("rewards_without_gain")
def broadcast_over_the_successors(transitions, terminal):
    shape = np.shape(transitions)
    prize = np.where(terminal, 1.0 + np.arange(shape[-1]), 0.0)
    return np.broadcast_to(prize, shape).copy()


# lesson 03 ------------------------------------------------------------------------------------


@right("baseline_gradient_samples")
def weights_minus_values_by_matrices(theta, trajectories, baseline, gamma=1.0):
    probs, found = table_of_probabilities(theta), []
    for traj in trajectories:
        t = np.arange(len(traj.states))
        to_go = np.triu(float(gamma) ** np.abs(t - t[:, None])) @ np.asarray(traj.rewards, float)
        hot = np.eye(len(probs))[np.asarray(traj.states, dtype=int)]
        weights = to_go - hot @ np.asarray(baseline, dtype=float)
        what = np.eye(probs.shape[1])[np.asarray(traj.actions, dtype=int)] - hot @ probs
        found.append(np.einsum("ts,t,ta->sa", hot, weights, what))
    return np.array(found)


@right("optimal_baseline")
def slope_of_a_line_through_the_origin(scores, returns):
    length = np.linalg.norm(np.asarray(scores, dtype=float), axis=-1)
    target = length * np.asarray(returns, dtype=float)
    solution, *_ = np.linalg.lstsq(length[:, None], target, rcond=None)
    return solution.item()


@right("optimal_baseline")
def vertex_of_the_parabola(scores, returns):
    scores, returns = np.asarray(scores, dtype=float), np.asarray(returns, dtype=float)

    def size(b):
        return np.sum((scores * (returns - b)[:, None]) ** 2)

    left, middle, right_ = size(-1.0), size(0.0), size(1.0)
    return (left - right_) / (2 * (left - 2 * middle + right_))


@right("leave_one_out_advantages")
def sums_from_both_ends(returns):
    returns = np.array(returns, dtype=float)
    if returns.size <= 1:
        raise ValueError("needs two")
    before = np.concatenate([[0.0], np.cumsum(returns)[:-1]])
    after = np.concatenate([np.cumsum(returns[::-1])[::-1][1:], [0.0]])
    return returns - (before + after) / (returns.size - 1)


@right("leave_one_out_advantages")
def all_combinations(returns):
    numbers = [float(r) for r in returns]
    if len(numbers) == 1:
        raise ValueError("alone")
    kept = itertools.combinations(numbers, len(numbers) - 1)  # leaves the last one out first
    means = [math.fsum(part) / len(part) for part in kept][::-1]
    return np.array(list(map(operator.sub, numbers, means)))


@right("value_loss")
def variance_plus_squared_mean(values, returns):
    if tuple(values.shape) != tuple(returns.shape):
        raise ValueError("not of one shape")
    error = values - returns.detach()
    return torch.var(error, correction=0) + error.mean().square()


@right("value_loss")
def norm_of_the_flat_error(values, returns):
    if values.size() != returns.size():
        raise ValueError(f"{values.size()} and {returns.size()}")
    error = torch.flatten(values) - torch.flatten(returns).data
    return error @ error / error.numel()


@right("actor_critic_loss")
def one_module_for_the_critic(logp, values, returns, value_coef=0.5):
    fit = torch.nn.MSELoss(reduction="mean")(input=values, target=returns)
    with torch.no_grad():
        weight = torch.sub(returns, values)
    return torch.add(-torch.mean(torch.mul(weight, logp)), fit, alpha=value_coef)


@right("actor_critic_loss")
def each_step_by_vmap(logp, values, returns, value_coef=0.5):
    fixed = values.detach()

    def step(lp, v, old, g):
        return value_coef * (g - v) ** 2 - lp * (g - old)

    return torch.func.vmap(step)(logp, values, fixed, returns).mean()


# lesson 03b -----------------------------------------------------------------------------------


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
