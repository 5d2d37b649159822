"""Right answers in unusual styles to the exercises that play and train."""

import functools
import itertools
from dataclasses import fields

import numpy as np
import torch
import torch.nn.functional as F

import policy_gradients as pg
from bank import right


@right("collect_rollout")
def a_generator_of_steps(envs, policy, critic, obs, num_steps):
    """Actions by the Gumbel trick of torch's own generator; values asked for in one batch."""

    def steps():
        nonlocal obs
        for _ in range(num_steps):
            logits = policy(torch.as_tensor(obs))
            noise = -torch.empty_like(logits).exponential_().log()
            action = (logits + noise).argmax(-1)
            logp = -F.cross_entropy(logits, action, reduction="none")
            after, reward, terminated, truncated, infos = envs.step(action.numpy())
            successor = np.array(after)
            if truncated.any():
                successor[truncated] = np.stack(infos["final_obs"][truncated])
            yield obs, action, logp, reward, successor, terminated, truncated
            obs = after

    with torch.inference_mode():
        columns = map(np.array, zip(*steps()))
        seen, action, logp, reward, successor, terminated, truncated = columns
        values, next_values = critic(torch.tensor(np.stack([seen, successor]))).numpy()
    found = seen, action, logp, reward, values, next_values, terminated, truncated
    return pg.Rollout(**dict(zip((field.name for field in fields(pg.Rollout)), found))), obs


@right("ppo_update")
def gradients_of_autograd_put_in_place(
    policy,
    critic,
    optimizer,
    rollout,
    advantages,
    returns,
    *,
    epochs,
    minibatch_size,
    clip,
    value_coef,
    entropy_coef,
    rng,
):
    obs, act, old = (
        torch.from_numpy(x.reshape(-1, *x.shape[2:]))
        for x in (rollout.obs, rollout.actions, rollout.logp)
    )
    adv, ret = (torch.tensor(np.ravel(x), dtype=torch.float32) for x in (advantages, returns))
    trained = [*policy.parameters(), *critic.parameters()]

    def parts(idx):
        logp = F.log_softmax(policy(obs[idx]), -1)
        change = logp[torch.arange(len(idx)), act[idx]] - old[idx]
        ratio, weight = change.exp(), adv[idx]
        yield torch.maximum(-ratio * weight, -ratio.clamp(1 - clip, 1 + clip) * weight).mean()
        yield F.mse_loss(critic(obs[idx]), ret[idx])
        yield torch.special.entr(logp.exp()).sum(-1).mean()
        yield (ratio.detach() - 1 - change.detach()).mean()
        yield ((ratio.detach() - 1).abs() > clip).double().mean()

    log = []
    for idx in itertools.chain.from_iterable(
        np.array_split(rng.permutation(len(act)), range(minibatch_size, len(act), minibatch_size))
        for _ in range(epochs)
    ):
        found = list(parts(idx))
        loss = found[0] + value_coef * found[1] - entropy_coef * found[2]
        for weight, slope in zip(trained, torch.autograd.grad(loss, trained)):
            weight.grad = slope
        optimizer.step()
        log.append([x.item() for x in found])
    names = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")
    return {name: float(np.mean(column)) for name, column in zip(names, zip(*log))}


def episode(env, probs, rng):
    """(states, actions, rewards) of one episode, tuples."""

    def steps(state, over=False):
        while not over:
            action = int(rng.choice(probs.shape[1], p=probs[state]))
            before = state
            state, reward, terminated, truncated, _ = env.step(action)
            over = terminated or truncated
            yield before, action, float(reward)

    return tuple(zip(*steps(env.reset()[0])))


def probabilities(policy, env):
    with torch.no_grad():
        logits = policy(np.arange(env.observation_space.n)).double()
    return torch.softmax(logits, -1).numpy()


@right("train_reinforce")
def one_sum_over_pairs_of_the_table(env, policy, optimizer, num_updates, batch_size, rng):
    """The loss as minus the sum of a table of weights times the table of log-probabilities."""

    def update(_):
        table = probabilities(policy, env)
        weight, batch = (
            torch.zeros(table.shape),
            [episode(env, table, rng) for _ in range(batch_size)],
        )
        for states, actions, rewards in batch:
            place = torch.tensor(states), torch.tensor(actions)
            weight.index_put_(place, torch.tensor(sum(rewards)), accumulate=True)
        logp = F.log_softmax(policy(np.arange(len(table))), dim=-1)
        optimizer.zero_grad(set_to_none=True)
        (weight * logp).sum().div(-batch_size).backward()
        optimizer.step()
        return sum(sum(rewards) for _, _, rewards in batch) / batch_size

    return list(map(update, range(num_updates)))


@right("train_actor_critic")
def folded_over_the_updates(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    def update(history, _):
        table, sums, losses = probabilities(policy, env), [], []
        for _episode in range(batch_size):
            states, actions, rewards = episode(env, table, rng)
            back = itertools.accumulate(rewards[::-1], lambda later, r: r + gamma * later)
            goal = torch.tensor(list(back)[::-1])
            logp = -F.cross_entropy(
                policy(np.array(states)), torch.tensor(actions), reduction="none"
            )
            error = goal - critic(np.array(states))
            losses.append((error.square() / 2 - logp * error.detach()).sum())
            sums.append(sum(rewards))
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
        return [*history, np.mean(sums)]

    return functools.reduce(update, range(num_updates), [])
