"""Answers for ppo_update."""

import numpy as np
import torch

from bank import right, wrong
from bank.lesson_05.batches import generator, permuted, tensors_sorted_within

KEYS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")


def flat(array):
    """(T, N, ...) -> tensor (T * N, ...)."""
    return torch.as_tensor(np.asarray(array)).flatten(0, 1)


def losses(policy, critic, batch, clip):
    """Clip loss, squared error, mean entropy and the two diagnostics of one minibatch."""
    obs, actions, logp_old, adv, ret = batch
    logp_all = torch.log_softmax(policy(obs), -1)
    logp = logp_all.gather(1, actions[:, None])[:, 0]
    log_ratio = logp - logp_old
    ratio = log_ratio.exp()
    policy_loss = -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()
    value_loss = ((critic(obs) - ret) ** 2).mean()
    spread = -(logp_all.exp() * logp_all).sum(-1).mean()
    with torch.no_grad():
        kl = (ratio - 1 - log_ratio).mean()
        outside = ((ratio - 1).abs() > clip).float().mean()
    return policy_loss, value_loss, spread, kl, outside


def parts_of(rollout, advantages, returns):
    numbers = (rollout.logp, advantages, returns)
    return flat(rollout.obs), flat(rollout.actions), *(flat(x).float() for x in numbers)


@right("ppo_update")
def update(
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
    parts, log = parts_of(rollout, advantages, returns), []
    for _ in range(epochs):
        for idx in permuted(len(parts[0]), minibatch_size, rng):
            found = losses(policy, critic, [part[idx] for part in parts], clip)
            optimizer.zero_grad()
            (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
            optimizer.step()
            log.append([float(x.detach()) for x in found])
    return dict(zip(KEYS, np.mean(log, axis=0), strict=True))


@right("ppo_update")
def whole_batch_then_indexed(
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
    """Networks see all samples each time; the loss takes the minibatch's rows."""
    logs = {key: [] for key in KEYS}
    adv, ret = (torch.tensor(x, dtype=torch.float32) for x in (advantages, returns))
    index = np.stack(np.unravel_index(np.arange(adv.numel()), adv.shape), 1)
    for _ in range(epochs):
        for idx in permuted(adv.numel(), minibatch_size, rng):
            t, n = index[idx].T
            policy.zero_grad(set_to_none=False)
            critic.zero_grad(set_to_none=False)
            dist = torch.distributions.Categorical(logits=policy(rollout.obs)[t, n])
            logp_old = torch.as_tensor(rollout.logp[t, n])
            ratio = torch.exp(dist.log_prob(torch.as_tensor(rollout.actions[t, n])) - logp_old)
            gain = torch.where(adv[t, n] > 0, ratio.clamp(max=1 + clip), ratio.clamp(min=1 - clip))
            policy_loss = -(gain * adv[t, n]).mean()
            (policy_loss - entropy_coef * dist.entropy().mean()).backward()
            value_loss = torch.nn.functional.mse_loss(critic(rollout.obs)[t, n], ret[t, n])
            (value_coef * value_loss).backward()
            optimizer.step()
            ratio = ratio.detach()
            logs["policy_loss"].append(policy_loss.item())
            logs["value_loss"].append(value_loss.item())
            logs["entropy"].append(dist.entropy().mean().item())
            logs["approx_kl"].append((ratio - 1 - ratio.log()).mean().item())
            logs["clip_fraction"].append(((ratio < 1 - clip) | (ratio > 1 + clip)).float().mean())
    return {key: torch.tensor(rows).mean() for key, rows in logs.items()} | {"steps": len(logs)}


@right("ppo_update")
def sample_by_sample(
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
    """Gradients added up over single samples; means weighted by the minibatches' sizes."""
    parts, log, sizes = parts_of(rollout, advantages, returns), [], []
    for _ in range(epochs):
        for idx in generator(len(parts[0]), minibatch_size, rng):
            optimizer.zero_grad()
            rows = []
            for i in idx:
                found = losses(policy, critic, [part[i : i + 1] for part in parts], clip)
                loss = found[0] + value_coef * found[1] - entropy_coef * found[2]
                (loss / len(idx)).backward()
                rows.append([float(x.detach()) for x in found])
            optimizer.step()
            log.append(np.mean(rows, axis=0))
            sizes.append(len(idx))
    return dict(zip(KEYS, np.average(log, axis=0, weights=sizes).tolist(), strict=True))


@right("ppo_update")
def with_a_closure(
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
    parts, log = parts_of(rollout, advantages, returns), []

    def closure(idx):
        optimizer.zero_grad()
        found = losses(policy, critic, [part[idx] for part in parts], clip)
        total = found[0] + value_coef * found[1] - entropy_coef * found[2]
        total.backward()
        log.append(torch.stack([x.detach() for x in found]))
        return total

    for _ in range(epochs):
        for idx in tensors_sorted_within(len(parts[0]), minibatch_size, rng):
            optimizer.step(lambda idx=idx: closure(idx))
    return {key: value.numpy() for key, value in zip(KEYS, torch.stack(log).mean(0), strict=True)}


@right("ppo_update")
def one_split_for_all_epochs(
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
    """Autograd's own gradients set by hand; the minibatches are drawn once."""
    parts, log = parts_of(rollout, advantages, returns), []
    batches = permuted(len(parts[0]), minibatch_size, rng)
    parameters = [*policy.parameters(), *critic.parameters()]
    for idx in [idx for _ in range(epochs) for idx in batches]:
        found = losses(policy, critic, [part[idx] for part in parts], clip)
        loss = found[0] + value_coef * found[1] - entropy_coef * found[2]
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = slope
        optimizer.step()
        log.append([float(x.detach()) for x in found])
    return dict(zip(KEYS, np.mean(log, axis=0), strict=True))


def update_by(step=None, plan=None, parts_from=parts_of, summary=None, loss_of=losses):
    """An update that differs in one place: step(optimizer, losses, coefs), plan(B, M, rng, epochs),
    parts_from(rollout, adv, ret), summary(log), loss_of(policy, critic, batch, clip)."""

    def plain_step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
        optimizer.step()

    def plain_plan(size, part, rng, epochs):
        return [idx for _ in range(epochs) for idx in permuted(size, part, rng)]

    def wrongly(
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
        parts, log = parts_from(rollout, advantages, returns), []
        for idx in (plan or plain_plan)(len(parts[0]), minibatch_size, rng, epochs):
            found = loss_of(policy, critic, [part[idx] for part in parts], clip)
            (step or plain_step)(optimizer, found, value_coef, entropy_coef)
            log.append([float(x.detach()) for x in found])
        rows = (summary or (lambda log: np.mean(log, axis=0)))(np.array(log))
        return dict(zip(KEYS, rows, strict=True))

    return wrongly


def rescored(batch, policy):
    """The same batch with old log-probabilities of the policy as it is now."""
    obs, actions, _, adv, ret = batch
    logp_all = torch.log_softmax(policy(obs), -1)
    return obs, actions, logp_all.gather(1, actions[:, None])[:, 0].detach(), adv, ret


@wrong("ppo_update", "old-recomputed")
def rescored_at_each_step(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        return losses(policy, critic, rescored(batch, policy), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "old-recomputed")
def rescored_at_each_epoch(
    policy, critic, optimizer, rollout, advantages, returns, *, epochs, **options
):
    for _ in range(epochs):
        with torch.no_grad():
            logp_all = torch.log_softmax(policy(rollout.obs), -1)
            actions = torch.as_tensor(rollout.actions)[..., None]
            rollout.logp = logp_all.gather(-1, actions)[..., 0].numpy()
        log = update(policy, critic, optimizer, rollout, advantages, returns, epochs=1, **options)
    return log


@wrong("ppo_update", "no-clip")
def surrogate_only(*args, **kwargs):
    return update(*args, **{**kwargs, "clip": 1e9})


@wrong("ppo_update", "entropy-sign")
def punished_spread(*args, **kwargs):
    return update(*args, **{**kwargs, "entropy_coef": -kwargs["entropy_coef"]})


@wrong("ppo_update", "entropy-left-out")
def no_bonus(*args, **kwargs):
    return update(*args, **{**kwargs, "entropy_coef": 0.0})


@wrong("ppo_update", "value-coef-ignored")
def critic_weighs_one(*args, **kwargs):
    return update(*args, **{**kwargs, "value_coef": 1.0})


@wrong("ppo_update", "whitened-again")
def whitened_inside(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp, adv, ret = batch
        adv = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
        return losses(policy, critic, (obs, actions, logp, adv, ret), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "gradient-clipped")
def clipped_length(policy, critic, *args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
        torch.nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], 0.5)
        optimizer.step()

    return update_by(step)(policy, critic, *args, **kwargs)


@wrong("ppo_update", "sums-not-means")
def summed(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        found = losses(policy, critic, batch, clip)
        return tuple(x * len(batch[0]) for x in found)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "policy")
def objective_as_a_loss(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        found = losses(policy, critic, batch, clip)
        return -found[0], *found[1:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "metrics-of-the-last")
def last_minibatch(*args, **kwargs):
    return update_by(summary=lambda log: log[-1])(*args, **kwargs)


@wrong("ppo_update", "metrics-summed")
def added_up(*args, **kwargs):
    return update_by(summary=lambda log: log.sum(0))(*args, **kwargs)


@wrong("ppo_update", "kl-estimator")
def first_estimate(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp_old, *_ = batch
        found = list(losses(policy, critic, batch, clip))
        logp = torch.log_softmax(policy(obs), -1).gather(1, actions[:, None])[:, 0]
        found[3] = (logp_old - logp).mean().detach()
        return found

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "one-side")
def above_the_band_only(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp_old, *_ = batch
        found = list(losses(policy, critic, batch, clip))
        logp = torch.log_softmax(policy(obs), -1).gather(1, actions[:, None])[:, 0]
        found[4] = (torch.exp(logp - logp_old) > 1 + clip).float().mean()
        return found

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "whole-loss")
def everything_in_policy_loss(*args, **kwargs):
    def summary(log):
        rows = log.copy()
        rows[:, 0] += kwargs["value_coef"] * log[:, 1] - kwargs["entropy_coef"] * log[:, 2]
        return rows.mean(0)

    return update_by(summary=summary)(*args, **kwargs)


@wrong("ppo_update", "step:kind")
def a_tuple(*args, **kwargs):
    return tuple(update(*args, **kwargs).values())


@wrong("ppo_update", "no-ratio")
def plain_policy_gradient(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, _, adv, _ = batch
        logp = torch.log_softmax(policy(obs), -1).gather(1, actions[:, None])[:, 0]
        return -(logp * adv).mean(), *losses(policy, critic, batch, clip)[1:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "critic-loss-halved")
def half_the_squared_error(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        found = losses(policy, critic, batch, clip)
        return found[0], found[1] / 2, *found[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "whitened-again")
def whitened_inside_by_torchs_std(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp, adv, ret = batch
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        return losses(policy, critic, (obs, actions, logp, adv, ret), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "other-clip")
def always_a_fifth(*args, **kwargs):
    return update(*args, **{**kwargs, "clip": 0.2})


@wrong("ppo_update", "value-loss-weighed")
def coefficient_in_the_log(*args, **kwargs):
    def summary(log):
        return log.mean(0) * np.array([1, kwargs["value_coef"], 1, 1, 1])

    return update_by(summary=summary)(*args, **kwargs)


def with_gradients(change):
    """An update whose gradients, of all parameters together, are changed before each step."""

    def wrongly(policy, critic, *args, **kwargs):
        def step(optimizer, found, value_coef, entropy_coef):
            optimizer.zero_grad()
            (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
            change([*policy.parameters(), *critic.parameters()])
            optimizer.step()

        return update_by(step)(policy, critic, *args, **kwargs)

    return wrongly


@wrong("ppo_update", "gradient-clipped")
def clipped_at_ten(*args, **kwargs):
    return with_gradients(lambda all_: torch.nn.utils.clip_grad_norm_(all_, 10))(*args, **kwargs)


@wrong("ppo_update", "gradient-clipped")
def clipped_at_forty(*args, **kwargs):
    return with_gradients(lambda all_: torch.nn.utils.clip_grad_norm_(all_, 40))(*args, **kwargs)


@wrong("ppo_update", "critic")
def error_bounded_at_twenty(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        error = torch.nn.functional.huber_loss(critic(batch[0]), batch[4], delta=20.0)
        found = losses(policy, critic, batch, clip)
        return found[0], 2 * error, *found[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)
