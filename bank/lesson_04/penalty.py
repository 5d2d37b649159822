"""Answers for the KL penalty."""

import math

import numpy as np
import torch

from bank import right, wrong
from bank.lesson_04.ratio import ratio_of


@right("ppo_penalty_loss")
def sum_of_two(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).mean() + beta * kl


@right("ppo_penalty_loss")
def negated_objective(logp, logp_old, adv, kl, beta):
    objective = torch.mean(torch.exp(logp - logp_old.data) * adv) - beta * kl
    return -objective


@right("ppo_penalty_loss")
def penalty_inside_the_mean(logp, logp_old, adv, kl, beta):
    return (beta * kl - torch.exp(logp - logp_old.detach()) * adv).mean()


@right("ppo_penalty_loss")
def added_up(logp, logp_old, adv, kl, beta):
    loss = torch.mul(kl, beta)
    for new, old, a in zip(logp, logp_old.tolist(), adv.tolist(), strict=True):
        loss = loss - torch.exp(new - old) * a / len(logp)
    return loss


@wrong("ppo_penalty_loss", "kl-rewarded")
def kl_subtracted(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).mean() - beta * kl


@wrong("ppo_penalty_loss", "objective-not-loss")
def penalised_objective(logp, logp_old, adv, kl, beta):
    return (ratio_of(logp, logp_old) * adv).mean() - beta * kl


@wrong("ppo_penalty_loss", "objective-not-loss")
def half_turned(logp, logp_old, adv, kl, beta):
    return (ratio_of(logp, logp_old) * adv).mean() + beta * kl


@wrong("ppo_penalty_loss", "kl-detached")
def kl_as_number(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).mean() + beta * kl.item()


@wrong("ppo_penalty_loss", "beta-ignored")
def no_beta(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).mean() + kl


@wrong("ppo_penalty_loss", "penalty-missing")
def no_penalty(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).mean()


@wrong("ppo_penalty_loss", "clipped-here")
def clip_and_penalty(logp, logp_old, adv, kl, beta):
    r = ratio_of(logp, logp_old)
    return -torch.min(r * adv, r.clamp(0.8, 1.2) * adv).mean() + beta * kl


@wrong("ppo_penalty_loss", "log-prob-not-ratio")
def log_probs_and_penalty(logp, logp_old, adv, kl, beta):
    return -(logp * adv).mean() + beta * kl


@wrong("ppo_penalty_loss", "gradient-through-old")
def penalty_undetached(logp, logp_old, adv, kl, beta):
    return -(torch.exp(logp - logp_old) * adv).mean() + beta * kl


@wrong("ppo_penalty_loss", "inverted-ratio")
def penalty_inverted(logp, logp_old, adv, kl, beta):
    return -(torch.exp(logp_old.detach() - logp) * adv).mean() + beta * kl


@wrong("ppo_penalty_loss", "sum-not-mean")
def penalty_and_sum(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).sum() + beta * kl


@wrong("ppo_penalty_loss", "not-averaged")
def penalised_samples(logp, logp_old, adv, kl, beta):
    return -ratio_of(logp, logp_old) * adv + beta * kl


@wrong("ppo_penalty_loss", "detached")
def all_detached(logp, logp_old, adv, kl, beta):
    return (-(ratio_of(logp, logp_old) * adv).mean() + beta * kl).detach()


@wrong("ppo_penalty_loss", "root-of-kl")
def squared_kl(logp, logp_old, adv, kl, beta):
    return -(ratio_of(logp, logp_old) * adv).mean() + beta * kl**2


@right("adapt_beta")
def three_branches(beta, kl, target):
    if kl < target / 1.5:
        return beta / 2
    if kl > 1.5 * target:
        return beta * 2
    return beta


@right("adapt_beta")
def by_quotient(beta, kl, target):
    return beta * (2.0 if kl / target > 1.5 else 0.5 if target / 1.5 > kl else 1.0)


@right("adapt_beta")
def as_power_of_two(beta, kl, target):
    return beta * 2.0 ** (int(kl > target * 1.5) - int(kl < target / 1.5))


@right("adapt_beta")
def with_where(beta, kl, target):
    lowered = np.where(kl < target / 1.5, 0.5 * beta, beta)
    return np.where(kl > 1.5 * target, 2 * beta, lowered)[()]


@wrong("adapt_beta", "beta-backwards")
def pulls_less(beta, kl, target):
    return beta * 2 if kl < target / 1.5 else beta / 2 if kl > 1.5 * target else beta


@wrong("adapt_beta", "no-range")
def always_changes(beta, kl, target):
    return beta / 2 if kl < target else beta * 2


@wrong("adapt_beta", "no-range")
def keeps_at_target_alone(beta, kl, target):
    return beta / 2 if kl < target else beta * 2 if kl > target else beta


@wrong("adapt_beta", "on-the-bound")
def bounds_included(beta, kl, target):
    return beta / 2 if kl <= target / 1.5 else beta * 2 if kl >= 1.5 * target else beta


@wrong("adapt_beta", "other-bounds")
def half_and_twice(beta, kl, target):
    return beta / 2 if kl < target / 2 else beta * 2 if kl > 2 * target else beta


@wrong("adapt_beta", "other-bounds")
def half_the_target_below(beta, kl, target):
    return beta / 2 if kl < 0.5 * target else beta * 2 if kl > 1.5 * target else beta


@wrong("adapt_beta", "one-way")
def only_up(beta, kl, target):
    return 2 * beta if kl > 1.5 * target else beta


@wrong("adapt_beta", "one-way")
def only_down(beta, kl, target):
    return beta / 2 if kl < target / 1.5 else beta


@wrong("adapt_beta", "other-factor")
def by_one_and_a_half(beta, kl, target):
    return beta / 1.5 if kl < target / 1.5 else beta * 1.5 if kl > 1.5 * target else beta


@wrong("adapt_beta", "nothing-returned")
def forgets_the_range(beta, kl, target):
    if kl < target / 1.5:
        return beta / 2
    if kl > 1.5 * target:
        return beta * 2


@wrong("adapt_beta", "in-proportion")
def in_proportion(beta, kl, target):
    return beta * kl / target


def plain_surrogate(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old.detach()) * adv).mean()


@wrong("ppo_penalty_loss", "beta-on-surrogate")
def weighs_the_surrogate(logp, logp_old, adv, kl, beta):
    return beta * plain_surrogate(logp, logp_old, adv) + kl


@wrong("ppo_penalty_loss", "beta-on-surrogate")
def weighs_the_two(logp, logp_old, adv, kl, beta):
    return beta * (plain_surrogate(logp, logp_old, adv) + kl)


@wrong("ppo_penalty_loss", "kl-not-used")
def estimates_its_own(logp, logp_old, adv, kl, beta):
    return plain_surrogate(logp, logp_old, adv) + beta * (logp_old.detach() - logp).mean()


@wrong("ppo_penalty_loss", "kl-not-used")
def estimates_k3(logp, logp_old, adv, kl, beta):
    log_ratio = logp - logp_old.detach()
    own = (log_ratio.exp() - 1 - log_ratio).mean()
    return plain_surrogate(logp, logp_old, adv) + beta * own


@wrong("ppo_penalty_loss", "surrogate-detached")
def penalty_alone_pulls(logp, logp_old, adv, kl, beta):
    return plain_surrogate(logp, logp_old, adv).detach() + beta * kl


@wrong("adapt_beta", "on-the-bound")
def doubles_on_the_bound(beta, kl, target):
    return beta / 2 if kl < target / 1.5 else beta * 2 if kl >= 1.5 * target else beta


@wrong("adapt_beta", "on-the-bound")
def halves_on_the_bound(beta, kl, target):
    return beta / 2 if kl <= target / 1.5 else beta * 2 if kl > 1.5 * target else beta


@wrong("adapt_beta", "no-range")
def one_bound_for_both(beta, kl, target):
    return beta / 2 if kl < 1.5 * target else beta * 2 if kl > 1.5 * target else beta


@wrong("adapt_beta", "absolute-kl")
def size_of_the_kl(beta, kl, target):
    return beta / 2 if abs(kl) < target / 1.5 else beta * 2 if abs(kl) > 1.5 * target else beta


@wrong("adapt_beta", "factor-returned")
def the_factor(beta, kl, target):
    return 0.5 if kl < target / 1.5 else 2.0 if kl > 1.5 * target else 1.0


@wrong("adapt_beta", "nothing-returned")
def prints_it(beta, kl, target):
    print(beta / 2 if kl < target / 1.5 else beta * 2 if kl > 1.5 * target else beta)


@wrong("adapt_beta", "beta-bounded")
def beta_clamped(beta, kl, target):
    step = 0.5 if kl < target / 1.5 else 2 if kl > 1.5 * target else 1
    return min(max(beta * step, 1e-3), 10.0) if step != 1 else beta


@wrong("adapt_beta", "beta-bounded")
def beta_floored(beta, kl, target):
    if kl > 1.5 * target:
        return 2 * beta
    return max(beta / 2, 1e-4) if kl < target / 1.5 else beta


@wrong("adapt_beta", "root-of-kl")
def root_of_kl(beta, kl, target):
    distance = math.sqrt(max(kl, 0.0))
    return 2 * beta if distance > 1.5 * target else beta / 2 if distance < target / 1.5 else beta


@wrong("ppo_penalty_loss", "root-of-kl")
def root_of_the_kl(logp, logp_old, adv, kl, beta):
    return -((logp - logp_old.detach()).exp() * adv).mean() + beta * kl.sqrt()


@right("adapt_beta")
def power_of_two(beta, kl, target):
    return beta * 2.0 ** ((kl > 1.5 * target) - (kl < target / 1.5))
