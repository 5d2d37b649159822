"""Answers for ppo_update's steps and minibatches."""

import numpy as np
import torch

from bank import wrong
from bank.lesson_05.batches import in_order, permuted
from bank.lesson_05.updates import flat, losses, parts_of, update, update_by


@wrong("ppo_update", "gradients-pile-up")
def never_cleared(*args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
        optimizer.step()

    return update_by(step)(*args, **kwargs)


@wrong("ppo_update", "no-step")
def never_stepped(*args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()

    return update_by(step)(*args, **kwargs)


@wrong("ppo_update", "critic-not-trained")
def actor_alone(*args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] - entropy_coef * found[2]).backward()
        optimizer.step()

    return update_by(step)(*args, **kwargs)


@wrong("ppo_update", "one-epoch")
def return_inside_the_loop(*args, **kwargs):
    return update(*args, **{**kwargs, "epochs": 1})


@wrong("ppo_update", "last-dropped")
def short_one_left_out(*args, **kwargs):
    def plan(size, part, rng, epochs):
        whole = size // part or 1
        return [idx for _ in range(epochs) for idx in permuted(size, part, rng)[:whole]]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "first-minibatch-only")
def break_in_the_loop(*args, **kwargs):
    def plan(size, part, rng, epochs):
        return [permuted(size, part, rng)[0] for _ in range(epochs)]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "one-step-an-epoch")
def full_batches(*args, **kwargs):
    return update(*args, **{**kwargs, "minibatch_size": 10**6})


@wrong("ppo_update", "coverage")
def drawn_with_replacement(*args, **kwargs):
    def plan(size, part, rng, epochs):
        steps = -(-size // part) * epochs
        return [rng.integers(size, size=min(part, size)) for _ in range(steps)]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "not-shuffled")
def one_after_another(*args, **kwargs):
    def plan(size, part, rng, epochs):
        return in_order(size, part, rng) * epochs

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "not-from-rng")
def torchs_permutation(*args, **kwargs):
    def plan(size, part, rng, epochs):
        return [idx for _ in range(epochs) for idx in torch.randperm(size).split(part)]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "same-order")
def own_seed(*args, **kwargs):
    return update(*args, **{**kwargs, "rng": np.random.default_rng(0)})


@wrong("ppo_update", "taken-apart")
def advantages_in_their_old_order(*args, **kwargs):
    position = 0

    def loss_of(policy, critic, batch, clip):
        nonlocal position
        everything = parts_of(*args[3:6])
        size, part = len(everything[0]), kwargs["minibatch_size"]
        start = position
        position = 0 if position + part >= size else position + part
        rest = [x[start : start + part] for x in everything[1:]]
        return losses(policy, critic, (batch[0], *rest), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "taken-apart")
def critic_has_its_own_permutation(*args, **kwargs):
    rng = kwargs["rng"]

    def loss_of(policy, critic, batch, clip):
        everything = parts_of(*args[3:6])
        idx = rng.permutation(len(everything[0]))[: len(batch[0])]
        own = losses(policy, critic, batch, clip)
        other = losses(policy, critic, [x[idx] for x in everything], clip)
        return own[0], other[1], *own[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "flattened-apart")
def time_and_environments_mixed_up(*args, **kwargs):
    def parts_from(rollout, advantages, returns):
        return parts_of(rollout, np.array(advantages).T, np.array(returns).T)

    return update_by(parts_from=parts_from)(*args, **kwargs)


@wrong("ppo_update", "sampled-again")
def fresh_actions(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, _, *rest = batch
        actions = torch.distributions.Categorical(logits=policy(obs)).sample()
        return losses(policy, critic, (obs, actions, *rest), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "critic")
def critic_learns_advantages(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp, adv, _ = batch
        return losses(policy, critic, (obs, actions, logp, adv, adv), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "values-clipped")
def clipped_values(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, *_, ret = batch
        everything, old = flat(args[3].obs), flat(args[3].values)
        idx = [int((everything == row).all(-1).nonzero()) for row in obs]
        values, old = critic(obs), old[idx]
        near = old + (values - old).clamp(-clip, clip)
        worse = torch.max((values - ret) ** 2, (near - ret) ** 2).mean()
        found = losses(policy, critic, batch, clip)
        return found[0], worse, *found[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)
