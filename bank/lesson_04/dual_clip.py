"""Answers for the dual clip."""

import torch

from bank import right, wrong
from bank.lesson_04.clip import min_of_two


@right("dual_clip_loss")
def floor_by_where(logp, logp_old, adv, clip=0.2, dual=3.0):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    obj = torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a)
    return -torch.where(a < 0, torch.max(obj, dual * a), obj).mean()


@right("dual_clip_loss")
def in_losses(logp, logp_old, adv, clip=0.2, dual=3.0):
    """As verl writes it: two losses, the larger one, then the smaller of it and the bound."""
    adv = adv.data
    ratio = (logp - logp_old.data).exp()
    pessimist = torch.maximum(-adv * ratio, -adv * torch.clamp(ratio, 1 - clip, 1 + clip))
    bounded = torch.minimum(pessimist, -adv * dual)
    return torch.where(adv < 0, bounded, pessimist).mean()


@right("dual_clip_loss")
def ratio_bounded_by_sign(logp, logp_old, adv, clip=0.2, dual=3.0):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    good, bad = r.clamp(max=1 + clip), r.clamp(1 - clip, dual)
    return -(torch.where(a >= 0, good, bad) * a).sum() / len(a)


@right("dual_clip_loss")
def each_sample_alone(logp, logp_old, adv, clip=0.2, dual=3.0):
    total = 0.0
    for new, old, a in zip(logp, logp_old.tolist(), adv.tolist(), strict=True):
        r = torch.exp(new - old)
        obj = min(r * a, min(max(r, 1 - clip), 1 + clip) * a)
        total = total + (max(obj, torch.full_like(r, dual * a)) if a < 0 else obj)
    return -total / len(adv)


@right("dual_clip_loss")
def two_groups(logp, logp_old, adv, clip=0.2, dual=3.0):
    a = adv.detach()
    r = torch.exp(logp - logp_old.detach())
    bad = a < 0
    parts = [torch.min(r[~bad], torch.full_like(r[~bad], 1 + clip)) * a[~bad]]
    parts.append(r[bad].clamp(min=1 - clip).clamp(max=dual) * a[bad])
    return -torch.cat(parts).mean()


@wrong("dual_clip_loss", "no-floor")
def the_usual_clip(logp, logp_old, adv, clip=0.2, dual=3.0):
    return min_of_two(logp, logp_old, adv, clip)


@wrong("dual_clip_loss", "floor-for-both-signs")
def floor_everywhere(logp, logp_old, adv, clip=0.2, dual=3.0):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    return -torch.max(torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a), dual * a).mean()


@wrong("dual_clip_loss", "min-with-floor")
def smaller_of_all_three(logp, logp_old, adv, clip=0.2, dual=3.0):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    three = torch.minimum(torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a), dual * a)
    return -torch.where(a < 0, three, torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a)).mean()


@wrong("dual_clip_loss", "dual-fixed")
def always_three(logp, logp_old, adv, clip=0.2, dual=3.0):
    return floor_by_where(logp, logp_old, adv, clip, 3.0)


@wrong("dual_clip_loss", "clip-fixed")
def the_clip_always_a_fifth(logp, logp_old, adv, clip=0.2, dual=3.0):
    return floor_by_where(logp, logp_old, adv, dual=dual)


@wrong("dual_clip_loss", "floor-above-one")
def floor_like_an_edge(logp, logp_old, adv, clip=0.2, dual=3.0):
    return floor_by_where(logp, logp_old, adv, clip, 1 + dual)


@wrong("dual_clip_loss", "floor-without-clip")
def a_floor_alone(logp, logp_old, adv, clip=0.2, dual=3.0):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    return -torch.where(a < 0, torch.clamp(r, max=dual) * a, r * a).mean()


@wrong("dual_clip_loss", "one-edge")
def lower_edge_forgotten(logp, logp_old, adv, clip=0.2, dual=3.0):
    a, r = adv.detach(), torch.exp(logp - logp_old.detach())
    return -torch.where(a < 0, r.clamp(max=dual) * a, r.clamp(max=1 + clip) * a).mean()


@wrong("dual_clip_loss", "objective-not-loss")
def dual_maximised(logp, logp_old, adv, clip=0.2, dual=3.0):
    return -floor_by_where(logp, logp_old, adv, clip, dual)


@wrong("dual_clip_loss", "sum-not-mean")
def dual_summed(logp, logp_old, adv, clip=0.2, dual=3.0):
    return floor_by_where(logp, logp_old, adv, clip, dual) * adv.numel()


@wrong("dual_clip_loss", "gradient-through-advantage")
def advantage_alive(logp, logp_old, adv, clip=0.2, dual=3.0):
    r = torch.exp(logp - logp_old.detach())
    good, bad = r.clamp(max=1 + clip), r.clamp(1 - clip, dual)
    return -(torch.where(adv >= 0, good, bad) * adv).mean()


@wrong("dual_clip_loss", "alive-beyond-floor")
def value_alone_floored(logp, logp_old, adv, clip=0.2, dual=3.0):
    plain = min_of_two(logp, logp_old, adv, clip)
    return plain + (floor_by_where(logp, logp_old, adv, clip, dual) - plain).detach()


@wrong("dual_clip_loss", "inverted-ratio")
def dual_old_over_new(logp, logp_old, adv, clip=0.2, dual=3.0):
    return floor_by_where(-logp, -logp_old, adv, clip, dual)


@wrong("dual_clip_loss", "held-back")
def logarithm_within_ten(logp, logp_old, adv, clip=0.2, dual=3.0):
    held = logp_old.detach() + (logp - logp_old.detach()).clamp(-10, 10)
    return floor_by_where(held, logp_old, adv, clip, dual)


@wrong("dual_clip_loss", "band-in-logs")
def log_ratio_within_the_band(logp, logp_old, adv, clip=0.2, dual=3.0):
    apart, a = logp - logp_old.detach(), adv.detach()
    gain = torch.min(apart.exp() * a, apart.clamp(-clip, clip).exp() * a)
    return -torch.where(a < 0, torch.max(gain, dual * a), gain).mean()
