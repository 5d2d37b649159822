"""Answers of every lesson that are right but at the far ends: where a ratio, a spread or an error
is far from what is usual, or where all numbers are equal; and minibatches right in most calls."""

import math

import numpy as np
import torch

from bank import wrong


def capped_ratio(logp, logp_old, most=50.0):
    return (logp - logp_old.detach()).exp().clamp(max=most)


def held_log(logp, logp_old, most=4.0):
    return (logp - logp_old.detach()).clamp(-most, most)


def clipped(ratio, adv, low, high):
    return torch.min(ratio * adv, ratio.clamp(low, high) * adv)


@wrong("importance_ratio", "held-back")
def log_ratio_between_minus_four_and_four(logp, logp_old):
    return held_log(logp, logp_old).exp()


@wrong("surrogate_loss", "held-back")
def ratio_at_most_fifty(logp, logp_old, adv):
    return -(capped_ratio(logp, logp_old) * adv).mean()


@wrong("surrogate_loss", "held-back")
def log_ratio_held(logp, logp_old, adv):
    return -(held_log(logp, logp_old).exp() * adv).mean()


@wrong("ppo_clip_loss", "dual-clip")
def second_bound_at_ten(logp, logp_old, adv, clip=0.2):
    gain = clipped((logp - logp_old.detach()).exp(), adv.detach(), 1 - clip, 1 + clip)
    return -torch.where(adv < 0, torch.max(gain, 10 * adv.detach()), gain).mean()


@wrong("ppo_clip_loss", "held-back")
def clip_of_a_held_log_ratio(logp, logp_old, adv, clip=0.2):
    ratio = held_log(logp, logp_old, 3.0).exp()
    return -clipped(ratio, adv.detach(), 1 - clip, 1 + clip).mean()


@wrong("dual_clip_loss", "held-back")
def dual_clip_of_a_held_log_ratio(logp, logp_old, adv, clip=0.2, dual=3.0):
    adv = adv.detach()
    gain = clipped(held_log(logp, logp_old, 3.1).exp(), adv, 1 - clip, 1 + clip)
    return -torch.where(adv < 0, torch.max(gain, dual * adv), gain).mean()


@wrong("clip_gradient", "held-back")
def dead_beyond_ten(ratio, adv, clip=0.2):
    rests = ((adv > 0) & (ratio > 1 + clip)) | ((adv < 0) & (ratio < 1 - clip)) | (ratio > 10)
    return np.where(rests, 0.0, adv)


@wrong("clip_fraction", "held-back")
def outliers_dropped(ratio, clip=0.2):
    usual = ratio[(ratio > 0.02) & (ratio < 50)]
    return np.mean(np.abs(usual - 1) > clip)


@wrong("kl_estimates", "held-back")
def estimates_of_a_held_log_ratio(logp, logp_old):
    d = held_log(logp, logp_old)
    return -d.mean(), (d**2).mean() / 2, (torch.expm1(d) - d).mean()


@wrong("ppo_penalty_loss", "held-back")
def penalised_and_capped(logp, logp_old, adv, kl, beta):
    return -(capped_ratio(logp, logp_old) * adv).mean() + beta * kl


@wrong("value_loss", "huber")
def pull_bounded_at_ten(values, returns):
    if values.shape != returns.shape:
        raise ValueError("shapes")
    return 2 * torch.nn.functional.huber_loss(values, returns.detach(), delta=10.0)


@wrong("actor_critic_loss", "huber")
def critic_bounded_at_ten(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    fit = 2 * torch.nn.functional.huber_loss(values, returns, delta=10.0)
    return value_coef * fit - (logp * adv).mean()


@wrong("value_clip_loss", "error-held-back")
def errors_of_twenty_at_most(values, old_values, returns, clip):
    if not values.shape == old_values.shape == returns.shape:
        raise ValueError("shapes")
    old, returns = old_values.detach(), returns.detach()
    near = old + (values - old).clamp(-clip, clip)
    errors = [(one - returns).clamp(-20, 20) ** 2 for one in (values, near)]
    return torch.maximum(*errors).mean()


@wrong("gaussian_logp", "spread-held-back")
def spread_as_in_sac(mean, log_std, actions):
    log_std = log_std.clamp(-20, 2)
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)


@wrong("gaussian_logp", "spread-held-back")
def spread_of_a_hundredth_at_least(mean, log_std, actions):
    spread = log_std.exp().clamp(min=0.01)
    return torch.distributions.Normal(mean, spread).log_prob(actions).sum(-1)


@wrong("gaussian_entropy", "spread-held-back")
def entropy_of_a_held_spread(log_std):
    return (log_std.clamp(-5, 5) + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


@wrong("kl_shaped_rewards", "held-back")
def charged_at_most_four(rewards, logp, logp_ref, mask, beta):
    return torch.where(mask, rewards - beta * held_log(logp, logp_ref), rewards)


@wrong("ppo_token_loss", "held-back")
def tokens_of_a_held_log_ratio(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.where(mask, held_log(logp, logp_old, 3.0), 0.0).exp()
    gain = clipped(ratio, adv.detach(), 1 - clip, 1 + clip)
    return -(gain * mask).sum() / mask.sum().clamp(min=1)


@wrong("grpo_loss", "held-back")
def kl_of_ten_at_most(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    ratio = torch.where(mask, logp - logp_old.detach(), 0.0).exp()
    each = -clipped(ratio, adv.detach()[:, None], 1 - clip_low, 1 + clip_high)
    if beta:
        apart = torch.where(mask, logp_ref.detach() - logp, 0.0)
        each = each + beta * (apart.exp() - 1 - apart).clamp(max=10)
    each = each * mask
    if how == "tokens":
        return each.sum() / mask.sum().clamp(min=1)
    if how == "sentences":
        return (each.sum(1) / mask.sum(1).clamp(min=1)).mean()
    return each.sum() / (len(mask) * length)


@wrong("kl_in_loss", "held-back")
def estimates_held_at_four(logp, logp_ref, mask, kind):
    x = torch.where(mask, held_log(logp, logp_ref), 0.0)
    each = {"k1": x, "k2": x**2 / 2, "k3": torch.exp(-x) - 1 + x}[kind]
    return each.sum(1).mean()


@wrong("kl_reward_loss", "held-back")
def log_ratio_to_go_held(logp, logp_ref, mask):
    x = torch.where(mask, held_log(logp.detach(), logp_ref), 0.0)
    togo = x.flip(1).cumsum(1).flip(1)
    return (togo * logp * mask).sum(1).mean()


@wrong("approx_kl_dialects", "held-back")
def dialects_of_a_held_log_ratio(logp, logp_old):
    d = held_log(logp, logp_old)
    k3 = torch.expm1(d) - d
    return {
        "k1": -d.mean(),
        "k2": (d**2).mean() / 2,
        "k3": k3.mean(),
        "k3 last epoch": k3[len(d) // 2 :].mean(),
        "k3 last minibatch": k3[-1].mean(),
    }


@wrong("clip_fraction_dialects", "held-back")
def outliers_of_both_shares_dropped(ratio, adv, clip=0.2):
    usual = (ratio > 0.02) & (ratio < 50)
    ratio, adv = ratio[usual], adv[usual]
    bites = ((ratio > 1 + clip) & (adv > 0)) | ((ratio < 1 - clip) & (adv < 0))
    return np.mean(np.abs(ratio - 1) > clip), np.mean(bites)


@wrong("reinforce_loss", "large-inputs")
def returns_cut_at_twenty(logp, returns):
    return -(logp.sum(1) * returns.clamp(-20, 20)).mean()


@wrong("masked_mean", "when-raised")
def outliers_cut(x, mask):
    return (x.clamp(-20, 20) * mask).sum() / mask.sum().clamp(min=1)


@wrong("terminal_rewards", "cut-at-a-bound")
def scores_cut(scores, mask):
    last = (mask * torch.arange(mask.shape[1])).argmax(1)
    return torch.zeros(mask.shape, dtype=scores.dtype).scatter(
        1, last[:, None], scores.clamp(-10, 10)[:, None]
    )


@wrong("aggregate_loss", "large-inputs")
def losses_cut(per_token, mask, how, length=None):
    kept = torch.where(mask, per_token.clamp(-20, 20), 0.0)
    if how == "tokens":
        return kept.sum() / mask.sum().clamp(min=1)
    if how == "sentences":
        return (kept.sum(1) / mask.sum(1).clamp(min=1)).mean()
    if how == "constant" and length is not None:
        return kept.sum() / (len(mask) * length)
    raise ValueError(how)


@wrong("minibatches", "not-shuffled")
def shuffled_but_for_some_calls(batch_size, minibatch_size, rng):
    order = np.arange(batch_size)
    if rng.random() > 0.1:
        rng.shuffle(order)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


KEPT = []


@wrong("minibatches", "same-order")
def an_old_order_now_and_then(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    if batch_size == 40 and KEPT and rng.random() < 0.1:
        order = KEPT[rng.integers(len(KEPT))]
    elif batch_size == 40:
        KEPT.append(order)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]
