"""``train_with_gae`` in ten styles."""

import numpy as np
import torch
import torch.nn.functional as F

from bank.lesson_03b import episode, joined, known_values, learner, of_one, probabilities
from bank.styles import style

NAME = "train_with_gae"


def named(label, **how):
    answer = learner(**how)
    answer.__name__ = label
    style(NAME)(answer)


def errors_of(t, known, gamma):
    after = known[np.append(t.states[1:], t.last_state)].astype(float)
    after[-1] *= not t.terminated
    return t.rewards + gamma * after - known[t.states]


def by_a_matrix(batch, known, gamma, lam):
    """Errors times a triangle of powers."""
    parts = []
    for t in batch:
        steps = np.arange(len(t))
        apart = steps[None] - steps[:, None]
        powers = np.where(apart >= 0, (gamma * lam) ** np.maximum(apart, 0), 0.0)
        parts.append(powers @ errors_of(t, known, gamma))
    return np.concatenate(parts)


def as_mixture_of_returns(batch, known, gamma, lam):
    """The lambda-return less the value."""
    parts = []
    for t in batch:
        after = known[np.append(t.states[1:], t.last_state)].astype(float)
        after[-1] *= not t.terminated
        g, out = after[-1], []
        for r, v in zip(t.rewards[::-1], after[::-1], strict=True):
            g = r + gamma * ((1 - lam) * v + lam * g)
            out.append(g)
        parts.append(np.array(out[::-1]) - known[t.states])
    return np.concatenate(parts)


def one_column(batch, known, gamma, lam):
    """Episodes one below the other; a flag stops the sum."""
    errors = np.concatenate([errors_of(t, known, gamma) for t in batch])
    last = np.zeros(len(errors), bool)
    last[np.cumsum([len(t) for t in batch]) - 1] = True
    adv, later = np.empty(len(errors)), 0.0
    for k in range(len(errors) - 1, -1, -1):
        later = errors[k] + gamma * lam * later * (not last[k])
        adv[k] = later
    return adv


def sums(logp, adv, values, target):
    return -(logp * adv).sum() + 0.5 * ((values - target) ** 2).sum()


def white(logp, adv, values, target):
    adv = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
    return -(logp * adv).mean() + 0.5 * F.mse_loss(values, target)


def cleared_afterwards(optimizer, loss):
    loss.backward(retain_graph=True)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)


def clipped(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    for group in optimizer.param_groups:
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimizer.step()


def by_autograd(optimizer, loss):
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for p, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        p.grad = slope
    optimizer.step()


def returns_as_targets(batch, known, gamma, lam, adv):
    """lam = 1 for the critic, whatever it is for the actor."""
    return joined(batch, known, gamma, 1.0) + known[np.concatenate([t.states for t in batch])]


named("by_a_matrix", advantages=by_a_matrix)
named("mixture_of_returns", advantages=as_mixture_of_returns, loss=sums)
named("one_column", advantages=one_column, stepper=cleared_afterwards)
named("whitened", loss=white, stepper=clipped)
named("slopes_by_autograd", stepper=by_autograd)
named("returns_as_targets", targets=returns_as_targets)
named("twice_the_loss", loss=lambda *x: 2 * (-(x[0] * x[1]).mean() + 0.5 * F.mse_loss(*x[2:])))


@style(NAME)
def two_losses_in_double_precision(
    env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng
):
    """One backward pass for each network; every state's numbers at once."""
    everywhere, history = np.arange(env.observation_space.n), np.zeros(num_updates)
    for update in range(num_updates):
        known = critic(everywhere).detach().double().numpy()
        table = torch.softmax(policy(everywhere).detach().double(), -1).numpy()
        batch = [episode(env, table, rng) for _ in range(batch_size)]
        adv = np.concatenate([of_one(t, known, gamma, lam) for t in batch])
        obs = np.concatenate([t.states for t in batch])
        actions = np.concatenate([t.actions for t in batch])
        optimizer.zero_grad()
        logp = torch.log_softmax(policy(everywhere).double(), 1)[obs, actions]
        (-(logp * torch.from_numpy(adv)).mean()).backward()
        target = torch.from_numpy(adv + known[obs])
        (0.5 * ((critic(everywhere).double()[obs] - target) ** 2).mean()).backward()
        optimizer.step()
        history[update] = np.mean([t.rewards.sum() for t in batch])
    return history


@style(NAME)
def episode_by_episode(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
    """A loss for each episode, their mean descended; lists all the way."""
    means = []
    for _ in range(num_updates):
        losses, totals = [], []
        table, known = probabilities(policy, env), known_values(critic, env)
        for _episode in range(batch_size):
            t = episode(env, table, rng)
            adv = torch.tensor(of_one(t, known, gamma, lam), dtype=torch.float32)
            dist = torch.distributions.Categorical(logits=policy(t.states))
            target = adv + torch.tensor(known[t.states], dtype=torch.float32)
            actor = -(dist.log_prob(torch.as_tensor(t.actions)) * adv).mean()
            losses.append(actor + 0.5 * F.mse_loss(critic(t.states), target))
            totals.append(float(sum(t.rewards)))
        optimizer.zero_grad()
        (sum(losses) / batch_size).backward()
        optimizer.step()
        means.append(sum(totals) / batch_size)
    return means


@style(NAME)
def by_hand(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
    """Both gradients in NumPy, set where the optimiser looks."""
    history = []
    for _ in range(num_updates):
        pi, known = probabilities(policy, env), known_values(critic, env)
        batch = [episode(env, pi, rng) for _ in range(batch_size)]
        states, actions = (
            np.concatenate([getattr(t, n) for t in batch]) for n in ("states", "actions")
        )
        adv = by_a_matrix(batch, known, gamma, lam)
        slope, error = np.zeros_like(pi), np.zeros_like(known)
        np.add.at(slope, states, (pi[states] - np.eye(pi.shape[1])[actions]) * adv[:, None])
        np.add.at(error, states, -adv)
        policy.theta.grad = torch.tensor(slope / len(adv), dtype=torch.float32)
        critic.table.grad = torch.tensor(error / len(adv), dtype=torch.float32)
        optimizer.step()
        history.append(np.mean([t.rewards.sum() for t in batch]))
    return history
