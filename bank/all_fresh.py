"""Wrong answers that nobody had listed: what is told of them is a relation or, by now, a name."""

import numpy as np
import torch

from bank import wrong


def advantages_by_hand(given, n, gamma, discount=lambda k: k, steps=slice(None)):
    """n-step advantages, step by step; discount: the power of gamma at the k-th reward."""
    rewards, values, next_values, terminated, truncated = (np.asarray(x)[steps] for x in given)
    found = -np.array(values, dtype=float)
    for t, i in np.ndindex(found.shape):
        for k in range(n):
            found[t, i] += gamma ** discount(k) * rewards[t + k, i]
            if terminated[t + k, i]:
                break
            if k == n - 1 or truncated[t + k, i] or t + k == len(found) - 1:
                found[t, i] += gamma ** (k + 1) * next_values[t + k, i]
                break
    return found


@wrong("n_step_advantages", "rewards-undiscounted")
def only_the_value_discounted(rewards, values, next_values, terminated, truncated, n, gamma):
    given = rewards, values, next_values, terminated, truncated
    return advantages_by_hand(given, n, gamma, discount=lambda k: 0)


@wrong("n_step_advantages", "rewards-discounted-too-far")
def first_reward_discounted(rewards, values, next_values, terminated, truncated, n, gamma):
    given = rewards, values, next_values, terminated, truncated
    return advantages_by_hand(given, n, gamma, discount=lambda k: k + 1)


@wrong("n_step_advantages", "averaged-over-lengths")
def mean_of_all_lengths(rewards, values, next_values, terminated, truncated, n, gamma):
    given = rewards, values, next_values, terminated, truncated
    return sum(advantages_by_hand(given, k + 1, gamma) for k in range(n)) / n


@wrong("n_step_advantages", "in-blocks")
def block_by_block(rewards, values, next_values, terminated, truncated, n, gamma):
    given = rewards, values, next_values, terminated, truncated
    starts = range(0, len(rewards), n)
    return np.vstack(
        [advantages_by_hand(given, n, gamma, steps=slice(at, at + n)) for at in starts]
    )


def clipped(logp, logp_old, adv, clip):
    """(ratio, advantage, clipped objective), each (B,)."""
    ratio, adv = torch.exp(logp - logp_old.detach()), adv.detach()
    return ratio, adv, torch.minimum(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)


@wrong("dual_clip_loss", "other-floor")
def floor_whatever_the_advantage(logp, logp_old, adv, clip=0.2, dual=3.0):
    _, adv, gain = clipped(logp, logp_old, adv, clip)
    return -torch.where(adv < 0, torch.maximum(gain, -dual + 0 * adv), gain).mean()


@wrong("dual_clip_loss", "other-floor")
def floor_of_the_mean_advantage(logp, logp_old, adv, clip=0.2, dual=3.0):
    _, adv, gain = clipped(logp, logp_old, adv, clip)
    return -torch.where(adv < 0, torch.maximum(gain, dual * adv.mean()), gain).mean()


@wrong("dual_clip_loss", "floored-sample-dropped")
def nothing_beyond_the_floor(logp, logp_old, adv, clip=0.2, dual=3.0):
    ratio, adv, gain = clipped(logp, logp_old, adv, clip)
    return -gain.masked_fill((adv < 0) & (ratio > dual), 0).mean()


@wrong("dual_clip_loss", "floored-together")
def one_floor_for_all_bad_samples(logp, logp_old, adv, clip=0.2, dual=3.0):
    _, adv, gain = clipped(logp, logp_old, adv, clip)
    bad = adv < 0
    floored = torch.maximum(gain[bad].sum(), dual * adv[bad].sum())
    return -(gain[~bad].sum() + floored) / len(adv)


@wrong("log_prob", "complement")
def one_plus_the_probability(logits, actions):
    weights = np.exp(logits - np.max(logits, -1, keepdims=True))
    probs = weights / weights.sum(-1, keepdims=True)
    return np.log1p(np.take_along_axis(probs, np.asarray(actions)[..., None], -1)[..., 0])


@wrong("masked_mean", "other-factor")
def divided_by_the_root_of_the_count(x, mask):
    return (x * mask).sum() / mask.sum().clamp(min=1).sqrt()


@wrong("masked_mean", "other-factor")
def divided_by_the_first_rows_count(x, mask):
    return (x * mask).sum() / mask.reshape(-1, mask.shape[-1])[0].sum().clamp(min=1)


@wrong("kl_shaped_rewards", "shifted-argument")
def charged_one_token_early(rewards, logp, logp_ref, mask, beta):
    charge = torch.where(mask, logp - logp_ref, 0.0)
    return rewards - beta * charge.roll(-1, dims=1)


@wrong("kl_estimates", "each-part-alone")
def medians_for_means(logp, logp_old):
    d = logp - logp_old
    return (
        -d.median() if len(d) % 2 else (-d).median(),
        (d**2).median() / 2,
        (d.expm1() - d).median(),
    )


@wrong("grpo_advantages", "common-factor")
def divided_by_the_mean_distance(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = groups == label
        apart = scores[own] - scores[own].mean()
        if scores[own].min() < scores[own].max():
            adv[own] = apart / (apart.abs().mean() + eps) if divide else apart
    return adv
