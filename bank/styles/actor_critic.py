"""``train_actor_critic`` in ten styles."""

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Categorical

from bank.lesson_03 import play, separate, table_of, to_go
from bank.styles import style


def loop(update):
    """The frame of the ten: update(policy, critic, optimizer, batch, gamma) takes the step."""

    def train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
        history = []
        for _ in range(num_updates):
            table = table_of(policy, env)
            batch = [play(env, table, rng) for _episode in range(batch_size)]
            update(policy, critic, optimizer, batch, gamma)
            history.append(float(np.mean([t.rewards.sum() for t in batch])))
        return history

    train.__name__, train.__doc__ = update.__name__, update.__doc__
    return style("train_actor_critic")(train)


def columns(policy, critic, batch, gamma):
    """logp, values, returns, each (B,), and the distribution of all steps."""
    states = np.concatenate([t.states for t in batch])
    dist = Categorical(logits=policy(states))
    logp = dist.log_prob(torch.as_tensor(np.concatenate([t.actions for t in batch])))
    values = critic(states)
    return logp, values, torch.as_tensor(separate(batch, gamma), dtype=values.dtype), dist


def down(optimizer, *losses):
    optimizer.zero_grad()
    for loss in losses:
        loss.backward()
    optimizer.step()


@loop
def sums_over_all_steps(policy, critic, optimizer, batch, gamma):
    logp, values, returns, _dist = columns(policy, critic, batch, gamma)
    adv = (returns - values).detach()
    down(optimizer, -(logp * adv).sum() + ((returns - values) ** 2).sum())


@loop
def two_backward_passes(policy, critic, optimizer, batch, gamma):
    logp, values, returns, _dist = columns(policy, critic, batch, gamma)
    with torch.no_grad():
        adv = returns - values
    down(optimizer, F.mse_loss(values, returns), -torch.mean(logp * adv))


@loop
def one_slope_each(policy, critic, optimizer, batch, gamma):
    """autograd.grad for either network, put into .grad by hand."""
    logp, values, returns, _dist = columns(policy, critic, batch, gamma)
    losses = -(logp * (returns - values.detach())).mean(), 0.5 * (values - returns).pow(2).mean()
    for module, loss in zip((policy, critic), losses, strict=True):
        slopes = torch.autograd.grad(loss, list(module.parameters()))
        for parameter, slope in zip(module.parameters(), slopes, strict=True):
            parameter.grad = slope
    optimizer.step()


@loop
def an_error_cut_at_one(policy, critic, optimizer, batch, gamma):
    """Huber's loss for the critic."""
    logp, values, returns, _dist = columns(policy, critic, batch, gamma)
    adv = returns - values.detach()
    down(optimizer, -(logp * adv).mean() + F.smooth_l1_loss(values, returns))


@loop
def whitened_and_clipped(policy, critic, optimizer, batch, gamma):
    logp, values, returns, _dist = columns(policy, critic, batch, gamma)
    adv = (returns - values).detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    optimizer.zero_grad()
    (-(logp * adv).mean() + 0.5 * F.mse_loss(values, returns)).backward()
    torch.nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], 0.5)
    optimizer.step()


@loop
def with_an_entropy_bonus(policy, critic, optimizer, batch, gamma):
    logp, values, returns, dist = columns(policy, critic, batch, gamma)
    adv = returns - values.detach()
    loss = -(logp * adv).mean() + 0.5 * F.mse_loss(values, returns)
    down(optimizer, loss - 0.02 * dist.entropy().mean())


@loop
def a_mean_for_each_episode(policy, critic, optimizer, batch, gamma):
    losses = []
    for t in batch:
        logp, values, returns, _dist = columns(policy, critic, [t], gamma)
        adv = returns - values.detach()
        losses.append(-(logp * adv).mean() + 0.5 * F.mse_loss(values, returns))
    down(optimizer, torch.stack(losses).mean())


@loop
def generalised_advantages(policy, critic, optimizer, batch, gamma):
    """lam = 0.95 for the actor, returns for the critic."""
    adv = []
    for t in batch:
        with torch.no_grad():
            known = np.append(critic(t.states).double().numpy(), 0.0)
        errors = t.rewards + gamma * known[1:] - known[:-1]
        adv.append(to_go(errors, 0.95 * gamma))
    logp, values, returns, _dist = columns(policy, critic, batch, gamma)
    weight = torch.as_tensor(np.concatenate(adv)).to(logp)
    down(optimizer, (0.5 * F.mse_loss(values, returns) - (logp * weight).mean()))


@loop
def by_hand(policy, critic, optimizer, batch, gamma):
    """Both gradients in NumPy."""
    pi = torch.softmax(policy.theta.detach().double(), -1).numpy()
    known, steps = critic.table.detach().double().numpy(), sum(map(len, batch))
    actor, error = np.zeros_like(pi), np.zeros_like(known)
    for t in batch:
        gone = to_go(t.rewards, gamma)
        for s, a, g in zip(t.states, t.actions, gone, strict=True):
            actor[s] += (g - known[s]) * pi[s]
            actor[s, a] -= g - known[s]
            error[s] += known[s] - g
    policy.theta.grad = torch.tensor(actor / steps, dtype=torch.float32)
    critic.table.grad = torch.tensor(error / steps, dtype=torch.float32)
    optimizer.step()


@loop
def whole_tables_in_double_precision(policy, critic, optimizer, batch, gamma):
    """Tables of all states, indexed; cleared after the step."""
    states = np.arange(len(critic.table))
    logp, known = torch.log_softmax(policy(states).double(), -1), critic(states).double()
    objective = torch.zeros((), dtype=torch.float64)
    for t in batch:
        for s, a, g in zip(t.states, t.actions, to_go(t.rewards, gamma), strict=True):
            adv = g - known[s]
            objective = objective + logp[s, a] * adv.detach() - 0.5 * adv**2
    (-objective / sum(map(len, batch))).backward()
    optimizer.step()
    optimizer.zero_grad()
