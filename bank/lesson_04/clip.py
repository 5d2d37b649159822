"""Answers for the clipped loss."""

import math

import torch
import torch.nn.functional as F

from bank import right, wrong
from bank.lesson_04.ratio import ratio_of


@right("ppo_clip_loss")
def min_of_two(logp, logp_old, adv, clip=0.2):
    adv = adv.detach()
    r = ratio_of(logp, logp_old)
    return -torch.min(r * adv, torch.clamp(r, 1 - clip, 1 + clip) * adv).mean()


@right("ppo_clip_loss")
def max_of_negated(logp, logp_old, adv, clip=0.2):
    r, adv = (logp - logp_old.data).exp(), adv.data
    return torch.maximum(-adv * r, -adv * r.clip(1 - clip, 1 + clip)).mean()


@right("ppo_clip_loss")
def by_sign(logp, logp_old, adv, clip=0.2):
    a, r = adv.detach(), ratio_of(logp, logp_old)
    bounded = torch.where(a >= 0, r.clamp(max=1 + clip), r.clamp(min=1 - clip))
    return -(bounded * a).mean()


@right("ppo_clip_loss")
def sample_by_sample(logp, logp_old, adv, clip=0.2):
    losses = []
    for new, old, a in zip(logp, logp_old.tolist(), adv.tolist(), strict=True):
        r = torch.exp(new - old)
        losses.append(-min(r * a, min(max(r, 1 - clip), 1 + clip) * a))
    return sum(losses) / len(losses)


@right("ppo_clip_loss")
def excess_taken_off(logp, logp_old, adv, clip=0.2):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    excess = F.relu(r - 1 - clip) * F.relu(a) + F.relu(1 - clip - r) * F.relu(-a)
    return (excess - r * a).mean()


@right("ppo_clip_loss")
def stacked(logp, logp_old, adv, clip=0.2):
    r = ratio_of(logp, logp_old)
    pair = torch.stack([r, r.clamp(1 - clip, 1 + clip)]) * adv.detach()
    return pair.amin(dim=0).neg().mean() if len(r) > 1 else -pair.min(dim=0).values.mean()


@right("ppo_clip_loss")
def flat_samples_left_constant(logp, logp_old, adv, clip=0.2):
    a, r = adv.detach(), ratio_of(logp, logp_old)
    flat = ((a > 0) & (r > 1 + clip)) | ((a < 0) & (r < 1 - clip))
    kept = torch.where(flat, r.clamp(1 - clip, 1 + clip).detach(), r)
    return -torch.sum(kept * a) / a.shape[0]


@wrong("ppo_clip_loss", "max-not-min")
def larger_branch(logp, logp_old, adv, clip=0.2):
    r = ratio_of(logp, logp_old)
    return -torch.max(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "max-not-min")
def min_of_negated(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return torch.min(-adv * r, -adv * r.clamp(1 - clip, 1 + clip)).mean()


@wrong("ppo_clip_loss", "clip-without-min")
def only_clipped(logp, logp_old, adv, clip=0.2):
    return -(ratio_of(logp, logp_old).clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "objective-not-loss")
def maximised(logp, logp_old, adv, clip=0.2):
    return -min_of_two(logp, logp_old, adv, clip)


@wrong("ppo_clip_loss", "dead-outside-band")
def masked_outside(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    objective = torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv)
    inside = (r > 1 - clip) & (r < 1 + clip)
    return -torch.where(inside, objective, objective.detach()).mean()


@wrong("ppo_clip_loss", "not-clipped")
def unclipped(logp, logp_old, adv, clip=0.2):
    return -(ratio_of(logp, logp_old) * adv.detach()).mean()


@wrong("ppo_clip_loss", "one-side-clipped")
def upper_edge_alone(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min(r * adv, torch.clamp(r, max=1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "one-side-clipped")
def lower_edge_alone(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min(r * adv, torch.clamp(r, min=1 - clip) * adv).mean()


@wrong("ppo_clip_loss", "inverted-ratio")
def clipped_old_over_new(logp, logp_old, adv, clip=0.2):
    r, adv = torch.exp(logp_old.detach() - logp), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "no-exp")
def clipped_log_ratio(logp, logp_old, adv, clip=0.2):
    r, adv = logp - logp_old.detach(), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "ratio-of-logs")
def clipped_quotient_of_logs(logp, logp_old, adv, clip=0.2):
    r, adv = logp / logp_old.detach(), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "underflow")
def clipped_quotient_of_exps(logp, logp_old, adv, clip=0.2):
    r, adv = logp.exp() / logp_old.detach().exp(), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "gradient-through-old")
def nothing_detached(logp, logp_old, adv, clip=0.2):
    r = torch.exp(logp - logp_old)
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "gradient-through-old")
def old_not_detached(logp, logp_old, adv, clip=0.2):
    r, adv = torch.exp(logp - logp_old), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "gradient-through-advantage")
def advantage_not_detached(logp, logp_old, adv, clip=0.2):
    r = ratio_of(logp, logp_old)
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "detached")
def ratio_detached(logp, logp_old, adv, clip=0.2):
    return min_of_two(logp.detach(), logp_old, adv, clip)


@wrong("ppo_clip_loss", "detached")
def clip_detached(logp, logp_old, adv, clip=0.2):
    return torch.tensor(min_of_two(logp, logp_old, adv, clip).item(), dtype=logp.dtype)


@wrong("ppo_clip_loss", "sum-not-mean")
def summed(logp, logp_old, adv, clip=0.2):
    return min_of_two(logp, logp_old, adv, clip) * len(adv)


@wrong("ppo_clip_loss", "not-averaged")
def per_sample(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv)


@wrong("ppo_clip_loss", "min-of-means")
def min_after_mean(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min((r * adv).mean(), (r.clamp(1 - clip, 1 + clip) * adv).mean())


@wrong("ppo_clip_loss", "clip-fixed")
def always_a_fifth(logp, logp_old, adv, clip=0.2):
    return min_of_two(logp, logp_old, adv)


@wrong("ppo_clip_loss", "product-clipped")
def product_clipped(logp, logp_old, adv, clip=0.2):
    x = ratio_of(logp, logp_old) * adv.detach()
    return -torch.min(x, x.clamp(1 - clip, 1 + clip)).mean()


@wrong("ppo_clip_loss", "band-around-zero")
def band_at_zero(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min(r * adv, r.clamp(-clip, clip) * adv).mean()


@wrong("ppo_clip_loss", "advantages-whitened")
def whitened_inside(logp, logp_old, adv, clip=0.2):
    a = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
    return min_of_two(logp, logp_old, a, clip)


@wrong("ppo_clip_loss", "band-in-logs")
def band_of_logs(logp, logp_old, adv, clip=0.2):
    d, adv = logp - logp_old.detach(), adv.detach()
    return -torch.min(d.exp() * adv, d.clamp(-clip, clip).exp() * adv).mean()


@wrong("ppo_clip_loss", "dual-clip")
def clipped_twice(logp, logp_old, adv, clip=0.2):
    """The dual clip of another paper bounds bad samples with large ratios as well."""
    r, adv = ratio_of(logp, logp_old), adv.detach()
    once = torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv)
    return -torch.where(adv < 0, torch.max(once, 3 * adv), once).mean()


@wrong("ppo_clip_loss", "changed-argument")
def absolute_advantage(logp, logp_old, adv, clip=0.2):
    return min_of_two(logp, logp_old, adv.abs(), clip)


@wrong("ppo_clip_loss", "number-returned")
def python_number(logp, logp_old, adv, clip=0.2):
    return float(min_of_two(logp, logp_old, adv, clip).detach())


@wrong("ppo_clip_loss", "gradient-doubled")
def gradient_doubled(logp, logp_old, adv, clip=0.2):
    loss = min_of_two(logp, logp_old, adv, clip)
    return 2 * loss - loss.detach()


@wrong("ppo_clip_loss", "changed-inputs")
def old_logp_in_place(logp, logp_old, adv, clip=0.2):
    loss = min_of_two(logp, logp_old, adv, clip)
    logp_old.data += 1
    return loss


def ratio_and_adv(logp, logp_old, adv):
    return torch.exp(logp - logp_old.detach()), adv.detach()


@right("ppo_clip_loss")
def excess_taken_back(logp, logp_old, adv, clip=0.2):
    """The surrogate, less what lies beyond the band on the side that pays."""
    ratio, adv = ratio_and_adv(logp, logp_old, adv)
    above = F.relu(ratio - (1 + clip)) * adv.clamp(min=0)
    below = F.relu(1 - clip - ratio) * (-adv).clamp(min=0)
    return (above + below - ratio * adv).mean()


@right("ppo_clip_loss")
def band_by_logarithms(logp, logp_old, adv, clip=0.2):
    """log(1 - clip) and log(1 + clip) are the band's edges in the logarithm."""
    log_ratio, adv = logp - logp_old.detach(), adv.detach()
    held = log_ratio.clamp(math.log1p(-clip), math.log1p(clip))
    return -torch.min(log_ratio.exp() * adv, held.exp() * adv).mean()


@wrong("ppo_clip_loss", "min-before-advantage")
def smaller_ratio(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratio_and_adv(logp, logp_old, adv)
    return -(torch.min(ratio, ratio.clamp(1 - clip, 1 + clip)) * adv).mean()


@wrong("ppo_clip_loss", "sample-dropped")
def leaves_samples_out(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratio_and_adv(logp, logp_old, adv)
    return -(ratio * adv * ((ratio - 1).abs() <= clip)).mean()


@wrong("ppo_clip_loss", "clipped-branch-detached")
def half_a_gradient(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratio_and_adv(logp, logp_old, adv)
    return -torch.min(ratio * adv, ratio.detach().clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "broadcast")
def column_of_advantages(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratio_and_adv(logp, logp_old, adv[:, None])
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "advantages-whitened")
def whitens_with_ddof_one(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratio_and_adv(logp, logp_old, (adv - adv.mean()) / (adv.std() + 1e-8))
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "other-default")
def default_of_a_tenth(logp, logp_old, adv, clip=0.1):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv).mean()


@wrong("ppo_clip_loss", "other-band")
def soft_edges(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    return -torch.min(r * adv, (1 + clip * torch.tanh((r - 1) / clip)) * adv).mean()


@wrong("ppo_clip_loss", "sample-dropped")
def mean_of_those_inside(logp, logp_old, adv, clip=0.2):
    r, adv = ratio_of(logp, logp_old), adv.detach()
    least = torch.min(r * adv, r.clamp(1 - clip, 1 + clip) * adv)
    return -least[(r - 1).abs() <= clip].mean()


@right("ppo_clip_loss")
def edge_by_the_sign(logp, logp_old, adv, clip=0.2):
    """The clipped branch ends at (1 + clip sign(A)) A."""
    adv, ratio = adv.detach(), (logp - logp_old.detach()).exp()
    return -torch.minimum(ratio * adv, (1 + clip * torch.sign(adv)) * adv).mean()


@wrong("ppo_clip_loss", "held-back")
def logarithm_within_ten(logp, logp_old, adv, clip=0.2):
    r = (logp - logp_old.detach()).clamp(-10, 10).exp()
    return -torch.min(r * adv.detach(), r.clamp(1 - clip, 1 + clip) * adv.detach()).mean()
