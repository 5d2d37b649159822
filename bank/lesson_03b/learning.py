"""Answers for training."""

import numpy as np
import torch
import torch.nn.functional as F

import policy_gradients as pg
from bank import right, wrong
from bank.lesson_03b.gae import backward_loop


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
):
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
):
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
    "critic_sees_the_clock",
    "critic-clock-as-end",
    targets=lambda b, v, g, lam, adv: (
        lesson_three(b, v, g, lam) + np.concatenate([v[t.states] for t in b])
    ),
)


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
):
    """Reads the critic once, before the first update."""
    first = known_values(critic, env)
    train = learner(advantages=lambda b, v, g, lam: joined(b, first, g, lam))
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng)


@wrong("train_with_gae", "rng-ignored")
def own_generator(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
    rng = np.random.default_rng(3)
    return learner()(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng)
