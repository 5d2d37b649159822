"""Answers for the token loss."""

import math

import torch

from bank import right, wrong


@right("ppo_token_loss")
def masked_objective(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp((logp - logp_old.detach()).masked_fill(~mask, 0.0))
    adv = adv.detach()
    gain = torch.minimum(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(gain * mask).sum() / mask.sum().clamp(min=1)


@right("ppo_token_loss")
def chosen_tokens_alone(logp, logp_old, adv, mask, clip=0.2):
    logp, logp_old, adv = logp[mask], logp_old[mask].detach(), adv[mask].detach()
    ratio = (logp - logp_old).exp()
    losses = torch.maximum(-ratio * adv, -ratio.clip(1 - clip, 1 + clip) * adv)
    return losses.sum() / max(1, len(losses))


@right("ppo_token_loss")
def limit_by_sign(logp, logp_old, adv, mask, clip=0.2):
    adv = adv.data
    ratio = torch.where(mask, logp - logp_old.data, 0).exp()
    low = torch.where(adv > 0, torch.zeros_like(adv), torch.full_like(adv, 1 - clip))
    high = torch.where(adv > 0, torch.full_like(adv, 1 + clip), torch.full_like(adv, float("inf")))
    held = torch.minimum(torch.maximum(ratio, low), high)
    return -torch.where(mask, held * adv, 0).sum() / mask.sum().clamp(min=1)


@right("ppo_token_loss")
def token_loop(logp, logp_old, adv, mask, clip=0.2):
    terms = [0.0 * logp.sum()]
    for b, t in mask.nonzero().tolist():
        ratio, weight = torch.exp(logp[b, t] - logp_old[b, t].item()), float(adv[b, t])
        stopped = float(ratio) > 1 + clip if weight > 0 else float(ratio) < 1 - clip
        edge = 1 + clip if weight > 0 else 1 - clip
        terms.append(-(edge + 0 * ratio if stopped else ratio) * weight)
    return sum(terms) / max(1, len(terms) - 1)


@right("ppo_token_loss")
def weighted_by_share(logp, logp_old, adv, mask, clip=0.2):
    share = mask.to(logp.dtype) / max(1, int(mask.sum()))
    ratio = math.e ** (torch.where(mask, logp, 0) - torch.where(mask, logp_old.detach(), 0))
    pair = torch.stack([ratio * adv.detach(), ratio.clamp(1 - clip, 1 + clip) * adv.detach()])
    return -torch.einsum("bt,bt->", pair.amin(0), share)


@wrong("ppo_token_loss", "gradient-through-advantage")
def advantages_differentiated(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(torch.where(mask, logp - logp_old.detach(), 0.0))
    gained = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -(gained * mask).sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "empty-mask")
def mean_of_what_is_chosen(logp, logp_old, adv, mask, clip=0.2):
    logp, logp_old, adv = logp[mask], logp_old[mask].detach(), adv[mask].detach()
    return -gain(logp, logp_old, adv, clip).mean()


@wrong("ppo_token_loss", "mask-after-exp")
def where_after_exp(logp, logp_old, adv, mask, clip=0.2):
    gained = gain(logp, logp_old, adv.detach(), clip)
    return -torch.where(mask, gained, 0.0).sum() / mask.sum().clamp(min=1)


def dually_clipped(logp, logp_old, adv, mask, clip, bound):
    adv = adv.detach()
    gained = gain(logp, logp_old, adv, clip)
    gained = torch.where(adv < 0, torch.maximum(gained, bound * adv), gained)
    return -(gained * mask).sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "dual-clip")
def dual_clip_at_three(logp, logp_old, adv, mask, clip=0.2):
    return dually_clipped(logp, logp_old, adv, mask, clip, 3.0)


@wrong("ppo_token_loss", "dual-clip")
def dual_clip_at_five(logp, logp_old, adv, mask, clip=0.2):
    return dually_clipped(logp, logp_old, adv, mask, clip, 5.0)


def gain(logp, logp_old, adv, clip):
    ratio = torch.exp(logp - logp_old.detach())
    return torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)


@wrong("ppo_token_loss", "mask-ignored")
def padding_counts(logp, logp_old, adv, mask, clip=0.2):
    return -gain(logp, logp_old, adv, clip).mean()


@wrong("ppo_token_loss", "divided-by-size")
def padding_in_the_denominator(logp, logp_old, adv, mask, clip=0.2):
    return -(gain(logp, logp_old, adv, clip) * mask).mean()


@wrong("ppo_token_loss", "row-means")
def sentence_means(logp, logp_old, adv, mask, clip=0.2):
    total = (gain(logp, logp_old, adv, clip) * mask).sum(1)
    return -(total / mask.sum(1).clamp(min=1)).mean()


@wrong("ppo_token_loss", "sum-not-mean")
def total_loss(logp, logp_old, adv, mask, clip=0.2):
    return -gain(logp, logp_old, adv, clip)[mask].sum()


@wrong("ppo_token_loss", "sum-not-mean")
def mean_of_sentence_sums(logp, logp_old, adv, mask, clip=0.2):
    return -(gain(logp, logp_old, adv, clip) * mask).sum(1).mean()


@wrong("ppo_token_loss", "objective-not-loss")
def to_be_maximised(logp, logp_old, adv, mask, clip=0.2):
    return gain(logp, logp_old, adv, clip)[mask].mean()


@wrong("ppo_token_loss", "max-not-min")
def the_larger(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp - logp_old.detach())
    return -torch.max(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "clip-without-min")
def clip_alone(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp - logp_old.detach()).clamp(1 - clip, 1 + clip)
    return -(ratio * adv)[mask].mean()


@wrong("ppo_token_loss", "not-clipped")
def surrogate(logp, logp_old, adv, mask, clip=0.2):
    return -(torch.exp(logp - logp_old.detach()) * adv)[mask].mean()


@wrong("ppo_token_loss", "clip-fixed")
def always_a_fifth(logp, logp_old, adv, mask, clip=0.2):
    return -gain(logp, logp_old, adv, 0.2)[mask].mean()


@wrong("ppo_token_loss", "inverted-ratio")
def old_over_new(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp_old.detach() - logp)
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "no-exp")
def difference_of_logs(logp, logp_old, adv, mask, clip=0.2):
    ratio = logp - logp_old.detach()
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "sentence-ratio")
def one_ratio_a_sentence(logp, logp_old, adv, mask, clip=0.2):
    ratio = ((logp - logp_old.detach()) * mask).sum(1, keepdim=True).exp().expand_as(adv)
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "gradient-through-old")
def old_differentiated(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp - logp_old)
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "advantages-whitened")
def whitened_inside(logp, logp_old, adv, mask, clip=0.2):
    chosen = adv[mask]
    adv = (adv - chosen.mean()) / (chosen.std(unbiased=False) + 1e-8)
    return -gain(logp, logp_old, adv, clip)[mask].mean()


@wrong("ppo_token_loss", "detached")
def a_number(logp, logp_old, adv, mask, clip=0.2):
    with torch.no_grad():
        return -gain(logp, logp_old, adv, clip)[mask].mean()


@wrong("ppo_token_loss", "advantages-whitened")
def whitened_by_torchs_std(logp, logp_old, adv, mask, clip=0.2):
    chosen = adv[mask]
    if len(chosen) > 1:
        adv = (adv - chosen.mean()) / (chosen.std() + 1e-8)
    ratio = torch.exp(logp - logp_old.detach())
    gained = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -gained[mask].sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "clip-higher")
def wider_above(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.where(mask, logp - logp_old.detach(), 0.0).exp()
    adv = torch.where(mask, adv.detach(), 0.0)
    least = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + 1.4 * clip) * adv)
    return -least.sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "other-reduction")
def by_the_tokens_with_an_advantage(logp, logp_old, adv, mask, clip=0.2):
    adv = torch.where(mask, adv.detach(), 0.0)
    ratio = torch.where(mask, logp - logp_old.detach(), 0.0).exp()
    gained = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -gained.sum() / (adv != 0).sum().clamp(min=1)


@wrong("ppo_token_loss", "held-back")
def logarithm_within_ten(logp, logp_old, adv, mask, clip=0.2):
    apart = torch.where(mask, logp - logp_old.detach(), 0.0).clamp(-10, 10)
    r, a = apart.exp(), adv.detach()
    least = torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a)
    return -torch.where(mask, least, 0.0).sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "band-in-logs")
def log_ratio_within_the_band(logp, logp_old, adv, mask, clip=0.2):
    apart = torch.where(mask, logp - logp_old.detach(), 0.0)
    r, a = apart.exp(), adv.detach()
    least = torch.min(r * a, apart.clamp(-clip, clip).exp() * a)
    return -torch.where(mask, least, 0.0).sum() / mask.sum().clamp(min=1)


@right("ppo_token_loss")
def edges_in_logs(logp, logp_old, adv, mask, clip=0.2):
    apart = torch.where(mask, logp - logp_old.detach(), 0.0)
    held = apart.clamp(math.log1p(-clip), math.log1p(clip)).exp()
    least = torch.min(apart.exp() * adv.detach(), held * adv.detach())
    return -torch.where(mask, least, 0.0).sum() / mask.sum().clamp(min=1)
