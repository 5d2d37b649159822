"""``train_reinforce`` in ten styles."""

import numpy as np
import torch
from torch.distributions import Categorical

from bank.lesson_01 import padded_logp, play, returns_of
from bank.styles import style


def flat(batch):
    """states, actions (B,), and for each step the number of its trajectory."""
    rows = np.repeat(np.arange(len(batch)), [len(t) for t in batch])
    states, actions = (
        np.concatenate([getattr(t, n) for t in batch]) for n in ("states", "actions")
    )
    return states, torch.as_tensor(actions), rows


@style("train_reinforce")
def sum_in_place_of_a_mean(env, policy, optimizer, num_updates, batch_size, rng):
    """Cleared after the step; the loss is a sum over everything."""
    history = np.zeros(num_updates)
    optimizer.zero_grad()
    for update in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        returns = returns_of(batch)
        (-returns[:, None] * padded_logp(policy, batch)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        history[update] = returns.mean()
    return history


@style("train_reinforce")
def less_the_mean_of_the_others(env, policy, optimizer, num_updates, batch_size, rng):
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        returns = returns_of(batch)
        baseline = (returns.sum() - returns) / (batch_size - 1)
        optimizer.zero_grad(set_to_none=False)
        loss = -torch.mean((returns - baseline) * padded_logp(policy, batch).sum(dim=1))
        loss.backward()
        optimizer.step()
        history.append(returns.mean().item())
    return history


@style("train_reinforce")
def whitened_returns(env, policy, optimizer, num_updates, batch_size, rng):
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        returns = returns_of(batch)
        weight = (returns - returns.mean()) / (returns.std() + 1e-8)
        states, actions, rows = flat(batch)
        logp = Categorical(logits=policy(states)).log_prob(actions)
        policy.zero_grad()
        (-(weight[rows] * logp).mean()).backward()
        optimizer.step()
        history.append(float(returns.mean()))
    return np.asarray(history)


@style("train_reinforce")
def running_baseline(env, policy, optimizer, num_updates, batch_size, rng):
    """The baseline is an average over the batches so far."""
    means, known = [], None
    while len(means) < num_updates:
        batch = play(env, policy, rng, batch_size)
        returns = returns_of(batch)
        baseline = 0.0 if known is None else known
        optimizer.zero_grad()
        total = 0
        for t, r in zip(batch, returns, strict=True):
            logits = policy(t.states)
            total = (
                total
                - (r - baseline)
                * Categorical(logits=logits).log_prob(torch.as_tensor(t.actions)).sum()
            )
        (total / batch_size).backward()
        optimizer.step()
        means.append(float(returns.mean()))
        known = means[-1] if known is None else 0.9 * known + 0.1 * means[-1]
    return means


@style("train_reinforce")
def to_go_less_the_mean_at_each_time(env, policy, optimizer, num_updates, batch_size, rng):
    """Reward-to-go less its mean over the episodes that are still running at that step."""
    history = np.empty(num_updates)
    for update in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        longest = max(map(len, batch))
        rewards, on = np.zeros((batch_size, longest)), np.zeros((batch_size, longest))
        for row, t in enumerate(batch):
            rewards[row, : len(t)], on[row, : len(t)] = t.rewards, 1.0
        to_go = np.cumsum(rewards[:, ::-1], 1)[:, ::-1]
        to_go = (to_go - (to_go * on).sum(0) / on.sum(0)) * on
        loss = -(torch.as_tensor(to_go) * padded_logp(policy, batch)).sum() / batch_size
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history[update] = rewards.sum(1).mean()
    return history


@style("train_reinforce")
def with_an_entropy_bonus(env, policy, optimizer, num_updates, batch_size, rng):
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        states, actions, rows = flat(batch)
        dist = Categorical(logits=policy(states))
        weight = returns_of(batch)[rows]
        loss = -(weight * dist.log_prob(actions)).mean() - 0.02 * dist.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(np.mean([t.rewards.sum() for t in batch]))
    return torch.tensor(history)


@style("train_reinforce")
def by_autograd_and_clipped(env, policy, optimizer, num_updates, batch_size, rng):
    """autograd.grad, its length clipped, put where the optimiser looks."""
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        returns = returns_of(batch)
        loss = -(returns @ padded_logp(policy, batch).sum(1)) / len(batch)
        (slope,) = torch.autograd.grad(loss, [policy.theta])
        policy.theta.grad = slope
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        optimizer.step()
        policy.theta.grad = None
        history.append(returns.mean().item())
    return history


@style("train_reinforce")
def climbing_in_double_precision(env, policy, optimizer, num_updates, batch_size, rng):
    """The objective is climbed: backward is handed -1."""
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        table = torch.log_softmax(policy.theta.double(), -1)
        objective = torch.zeros((), dtype=torch.float64)
        for t in batch:
            objective = objective + t.rewards.sum() * table[t.states, t.actions].sum()
        optimizer.zero_grad()
        objective.backward(gradient=-torch.ones((), dtype=torch.float64), retain_graph=True)
        optimizer.step()
        history.append(sum(t.rewards.sum() for t in batch) / batch_size)
    return np.array(history)


@style("train_reinforce")
def in_a_class(env, policy, optimizer, num_updates, batch_size, rng):
    """Two halves of the batch, two backward passes, the ratio to itself in the loss."""

    class Trainer:
        def __init__(self):
            self.history = []

        def half(self, batch):
            logp, returns = padded_logp(policy, batch), returns_of(batch)
            ratio = torch.exp(logp - logp.detach())
            return -(returns[:, None] * ratio * (logp != 0)).sum() / batch_size

        def update(self):
            batch = play(env, policy, rng, batch_size)
            optimizer.zero_grad()
            for part in (batch[::2], batch[1::2]):
                self.half(part).backward()
            optimizer.step()
            self.history.append(returns_of(batch).mean().item())

    trainer = Trainer()
    for _ in range(num_updates):
        trainer.update()
    return trainer.history


@style("train_reinforce")
def with_matrices_of_ones(env, policy, optimizer, num_updates, batch_size, rng):
    """Scores as one-hot minus pi, in NumPy, less a baseline for each state."""
    actions, history = np.eye(policy.theta.shape[1]), []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        states, taken, _rows = flat(batch)
        to_go = np.concatenate([np.cumsum(t.rewards[::-1])[::-1] for t in batch])
        seen = np.bincount(states, minlength=len(policy.theta)).clip(1)
        adv = to_go - (np.bincount(states, to_go, len(policy.theta)) / seen)[states]
        pi = torch.softmax(policy.theta.detach().double(), -1).numpy()
        one_each = (actions[taken] - pi[states]) * adv[:, None]
        total = np.zeros_like(pi)
        np.add.at(total, states, one_each)
        with torch.no_grad():
            policy.theta.grad = torch.from_numpy(-total / batch_size).float()
        optimizer.step()
        history.append(np.mean([np.sum(t.rewards) for t in batch]))
    return history
