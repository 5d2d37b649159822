"""Answers for training."""

import numpy as np
import torch
import torch.nn.functional as F

import policy_gradients as pg
from bank import right, wrong
from bank.lesson_03.baselines import to_go
from bank.lesson_03.critic import (
    critic_gets_worse,
    critic_not_trained,
    not_detached,
    policy_alone,
    return_as_weight,
    two_terms,
    uphill_sign,
    value_added,
)


def play(env, table, rng):
    """One episode by a table of probabilities, with the states' sequence."""
    states, actions, rewards, over = [], [], [], False
    obs, _info = env.reset(seed=int(rng.integers(2**31)))
    while not over:
        states.append(obs)
        actions.append(int(rng.choice(len(table[obs]), p=table[obs])))
        obs, reward, terminated, truncated, _info = env.step(actions[-1])
        rewards.append(reward)
        over = terminated or truncated
    return pg.Trajectory(states, actions, rewards)


def table_of(policy, env):
    with torch.no_grad():
        return torch.softmax(policy(np.arange(env.observation_space.n)).double(), -1).numpy()


def trainer(loss, rewards_to_go=None, history=None, stepper=None):
    """A train_actor_critic: loss(logp, values, returns, batch) is its core."""

    def train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
        means = []
        for _update in range(num_updates):
            table = table_of(policy, env)
            batch = [play(env, table, rng) for _ in range(batch_size)]
            obs = torch.as_tensor(np.concatenate([t.states for t in batch]))
            actions = torch.as_tensor(np.concatenate([t.actions for t in batch]))
            returns = (rewards_to_go or separate)(batch, gamma)
            logp = torch.log_softmax(policy(obs), -1)[torch.arange(len(obs)), actions]
            values = critic(obs)
            total = loss(logp, values, torch.as_tensor(returns, dtype=values.dtype))
            (stepper or step)(optimizer, total)
            means.append((history or plain_mean)(batch, gamma))
        return np.array(means)

    return train


def separate(batch, gamma):
    return np.concatenate([to_go(t.rewards, gamma) for t in batch])


def plain_mean(batch, gamma):
    return np.mean([t.rewards.sum() for t in batch])


def step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


right("train_actor_critic")(trainer(two_terms))


@right("train_actor_critic")
def as_torch_does(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    """Categorical, one episode's loss at a time, a list of floats as history."""
    history = []
    for _update in range(num_updates):
        table, losses, total = table_of(policy, env), [], 0.0
        for _episode in range(batch_size):
            t = play(env, table, rng)
            logp = torch.distributions.Categorical(logits=policy(t.states)).log_prob(
                torch.tensor(t.actions)
            )
            ret = torch.tensor(to_go(t.rewards, gamma), dtype=torch.float32)
            values = critic(t.states)
            losses.append(-(logp * (ret - values.detach())).sum() + ((values - ret) ** 2).sum())
            total += float(np.sum(t.rewards))
        optimizer.zero_grad()
        (sum(losses) / batch_size).backward()
        optimizer.step()
        history.append(total / batch_size)
    return history


@right("train_actor_critic")
def with_one_step_errors(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    """TD advantages for the actor, returns for the critic."""
    history = torch.zeros(num_updates)
    for k in range(num_updates):
        table = table_of(policy, env)
        batch = [play(env, table, rng) for _ in range(batch_size)]
        loss = torch.zeros(())
        for t in batch:
            logp = torch.log_softmax(policy(t.states), -1).gather(
                1, torch.tensor(t.actions)[:, None]
            )
            values = critic(t.states)
            following = torch.cat([values[1:], torch.zeros(1)])
            adv = torch.tensor(t.rewards, dtype=torch.float32) + gamma * following - values
            ret = torch.tensor(to_go(t.rewards, gamma), dtype=torch.float32)
            loss = loss - (logp[:, 0] * adv.detach()).mean() + 0.5 * ((values - ret) ** 2).mean()
        step(optimizer, loss / batch_size)
        history[k] = float(plain_mean(batch, gamma))
    return history


@right("train_actor_critic")
def whitened_advantages(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    def loss(logp, values, returns):
        adv = (returns - values).detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        return -(logp * adv).mean() + 0.5 * F.mse_loss(values, returns)

    return trainer(loss)(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


def train_wrong(label, mistake, **how):
    answer = trainer(**how)
    answer.__name__ = label
    wrong("train_actor_critic", mistake)(answer)


train_wrong("uphill", "minus-sign", loss=uphill_sign)


train_wrong("ignores_the_critic", "actor-ignores-critic", loss=return_as_weight)


train_wrong("adds_the_value", "baseline-added", loss=value_added)


train_wrong("never_trains_the_critic", "critic-untrained", loss=policy_alone)


train_wrong("critic_cut_off", "critic-untrained", loss=critic_not_trained)


train_wrong("moves_the_critic", "policy-moves-critic", loss=not_detached)


train_wrong("critic_uphill", "critic-uphill", loss=critic_gets_worse)


train_wrong(
    "forgets_gamma",
    "gamma-ignored",
    loss=two_terms,
    rewards_to_go=lambda batch, gamma: separate(batch, 1.0),
)


train_wrong(
    "leaks",
    "returns-leak",
    loss=two_terms,
    rewards_to_go=lambda b, g: to_go(np.hstack([t.rewards for t in b]), g),
)


train_wrong(
    "discounted_history",
    "history-discounted",
    loss=two_terms,
    history=lambda batch, g: np.mean([to_go(t.rewards, g)[0] for t in batch]),
)


train_wrong(
    "summed_history",
    "history",
    loss=two_terms,
    history=lambda batch, g: sum(t.rewards.sum() for t in batch),
)


train_wrong("no_step", "no-step", loss=two_terms, stepper=lambda optimizer, loss: loss.backward())


def no_zero_grad(optimizer, loss):
    loss.backward()
    optimizer.step()


train_wrong("piles_up", "gradients-pile-up", loss=two_terms, stepper=no_zero_grad)


@wrong("train_actor_critic", "own-reward-only")
def own_rewards(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    rewards = []

    def keep(batch, gamma):
        rewards[:] = [np.concatenate([t.rewards for t in batch])]
        return separate(batch, gamma)

    def loss(logp, values, returns):
        adv = torch.as_tensor(rewards[0], dtype=values.dtype) - values.detach()
        return -(logp * adv).mean() + 0.5 * F.mse_loss(values, returns)

    train = trainer(loss, rewards_to_go=keep)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


@wrong("train_actor_critic", "argmax")
def plays_the_best(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    class Greedy:
        def integers(self, *args):
            return rng.integers(*args)

        def choice(self, n, p):
            return int(np.argmax(p))

    train = trainer(two_terms)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, Greedy())


@wrong("train_actor_critic", "history-missing")
def no_history(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    trainer(two_terms)(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


@wrong("train_actor_critic", "batch-size")
def too_many_episodes(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    train = trainer(two_terms)
    return train(env, policy, critic, optimizer, num_updates, 2 * batch_size, gamma, rng)


@wrong("train_actor_critic", "rng-ignored")
def a_seed_of_its_own(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    rng = np.random.default_rng(0)
    train = trainer(two_terms)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


train_wrong(
    "of_probabilities",
    "probability-not-log",
    loss=lambda logp, values, returns: two_terms(logp.exp(), values, returns),
)
