"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import functools
import itertools
import math
from collections import Counter, defaultdict, deque

import numpy as np
import torch

import policy_gradients as pg
from bank import right


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
