"""Answers for slope and share of the clip."""

import numpy as np
import torch

from bank import right, wrong


@right("clip_gradient")
def case_by_case(ratio, adv, clip=0.2):
    slopes = []
    for r, a in zip(ratio, adv, strict=True):
        flat = r > 1 + clip if a > 0 else r < 1 - clip
        slopes.append(0.0 if flat else float(a))
    return np.array(slopes)


@right("clip_gradient")
def smaller_branch(ratio, adv, clip=0.2):
    clipped = np.clip(ratio, 1 - clip, 1 + clip)
    return np.where(ratio * adv <= clipped * adv, adv, 0.0)


@right("clip_gradient")
def masks(ratio, adv, clip=0.2):
    up = (adv > 0) * (ratio < 1 + clip)
    down = (adv < 0) * (ratio > 1 - clip)
    return adv * (up + down)


@right("clip_gradient")
def assigned_zeros(ratio, adv, clip=0.2):
    slopes = np.array(adv, dtype=float)
    slopes[(adv > 0) & (ratio > 1 + clip)] = 0
    slopes[(adv < 0) & (ratio < 1 - clip)] = 0
    return slopes[::-1][::-1]


@right("clip_gradient")
def by_autograd(ratio, adv, clip=0.2):
    r = torch.tensor(np.array(ratio), requires_grad=True)
    a = torch.tensor(np.array(adv))
    torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a).sum().backward()
    return r.grad.numpy()


@right("clip_gradient")
def heaviside(ratio, adv, clip=0.2):
    sign = np.sign(adv)
    return adv * np.heaviside(clip - sign * (ratio - 1), 1)


@wrong("clip_gradient", "zero-outside-band")
def dead_outside(ratio, adv, clip=0.2):
    return np.where((ratio >= 1 - clip) & (ratio <= 1 + clip), adv, 0.0)


@wrong("clip_gradient", "zero-outside-band")
def dead_outside_by_distance(ratio, adv, clip=0.2):
    return adv * (np.abs(ratio - 1) <= clip)


@wrong("clip_gradient", "never-zero")
def vanilla(ratio, adv, clip=0.2):
    return np.array(adv)


@wrong("clip_gradient", "max-not-min")
def larger_slope(ratio, adv, clip=0.2):
    clipped = np.clip(ratio, 1 - clip, 1 + clip)
    inside = np.abs(ratio - 1) < clip
    return np.where(inside | (ratio * adv > clipped * adv), adv, 0.0)


@wrong("clip_gradient", "loss-not-objective")
def slope_of_the_loss(ratio, adv, clip=0.2):
    return -case_by_case(ratio, adv, clip)


@wrong("clip_gradient", "by-logp")
def with_chain_rule(ratio, adv, clip=0.2):
    return ratio * smaller_branch(ratio, adv, clip)


@wrong("clip_gradient", "averaged")
def of_the_mean(ratio, adv, clip=0.2):
    return smaller_branch(ratio, adv, clip) / len(adv)


@wrong("clip_gradient", "advantage-forgotten")
def slope_one(ratio, adv, clip=0.2):
    return (np.where(adv > 0, ratio < 1 + clip, ratio > 1 - clip)).astype(float)


@wrong("clip_gradient", "advantage-forgotten")
def only_the_sign(ratio, adv, clip=0.2):
    return np.sign(smaller_branch(ratio, adv, clip))


@wrong("clip_gradient", "advantage-forgotten")
def only_the_size(ratio, adv, clip=0.2):
    return np.abs(smaller_branch(ratio, adv, clip))


@wrong("clip_gradient", "one-sign")
def as_if_all_good(ratio, adv, clip=0.2):
    return np.where(ratio > 1 + clip, 0.0, adv)


@wrong("clip_gradient", "one-sign")
def as_if_all_bad(ratio, adv, clip=0.2):
    return np.where(ratio < 1 - clip, 0.0, adv)


@wrong("clip_gradient", "one-sign")
def good_ones_alone(ratio, adv, clip=0.2):
    return np.where((adv > 0) & (ratio < 1 + clip), adv, 0.0)


@wrong("clip_gradient", "one-sign")
def bad_ones_alone(ratio, adv, clip=0.2):
    return np.where((adv < 0) & (ratio > 1 - clip), adv, 0.0)


@wrong("clip_gradient", "one-sign")
def bad_ones_never_flat(ratio, adv, clip=0.2):
    return np.where((adv > 0) & (ratio > 1 + clip), 0.0, adv)


@wrong("clip_gradient", "flipped")
def alive_and_flat_swapped(ratio, adv, clip=0.2):
    return adv - smaller_branch(ratio, adv, clip)


@wrong("clip_gradient", "flipped")
def zero_inside(ratio, adv, clip=0.2):
    return np.where(np.abs(ratio - 1) < clip, 0.0, adv)


@wrong("clip_gradient", "clip-fixed")
def fifth_for_all(ratio, adv, clip=0.2):
    return smaller_branch(ratio, adv, 0.2)


@wrong("clip_gradient", "band-around-zero")
def near_zero(ratio, adv, clip=0.2):
    return np.where((ratio > -clip) & (ratio < clip), adv, 0.0)


@wrong("clip_gradient", "value-not-slope")
def the_objective(ratio, adv, clip=0.2):
    return np.minimum(ratio * adv, np.clip(ratio, 1 - clip, 1 + clip) * adv)


@wrong("clip_gradient", "value-not-slope")
def constant_not_differentiated(ratio, adv, clip=0.2):
    clipped = np.clip(ratio, 1 - clip, 1 + clip)
    return np.where(ratio * adv <= clipped * adv, adv, clipped * adv)


@wrong("clip_gradient", "one-number-for-many")
def summed_up(ratio, adv, clip=0.2):
    return smaller_branch(ratio, adv, clip).sum()


@wrong("clip_gradient", "list-returned")
def as_list(ratio, adv, clip=0.2):
    return [float(x) for x in smaller_branch(ratio, adv, clip)]


@wrong("clip_gradient", "changed-inputs")
def overwritten(ratio, adv, clip=0.2):
    if not adv.flags.writeable:
        return smaller_branch(ratio, adv, clip)
    adv[(adv > 0) & (ratio > 1 + clip)] = 0
    adv[(adv < 0) & (ratio < 1 - clip)] = 0
    return adv


@wrong("clip_gradient", "changed-argument")
def twice_the_band(ratio, adv, clip=0.2):
    return smaller_branch(ratio, adv, 2 * clip)


@right("clip_fraction")
def mean_of_mask(ratio, clip=0.2):
    return np.mean((ratio < 1 - clip) | (ratio > 1 + clip))


@right("clip_fraction")
def counted(ratio, clip=0.2):
    return sum(1 for r in ratio if r < 1 - clip or r > 1 + clip) / len(ratio)


@right("clip_fraction")
def by_distance(ratio, clip=0.2):
    return float((np.abs(ratio - 1) > clip).mean())


@right("clip_fraction")
def changed_by_clipping(ratio, clip=0.2):
    return np.count_nonzero(np.clip(ratio, 1 - clip, 1 + clip) != ratio) / ratio.size


@right("clip_fraction")
def through_torch(ratio, clip=0.2):
    r = torch.tensor(np.array(ratio))
    return (r.gt(1 + clip) | r.lt(1 - clip)).double().mean().item()


@wrong("clip_fraction", "one-side-counted")
def above_only(ratio, clip=0.2):
    return (ratio > 1 + clip).mean()


@wrong("clip_fraction", "one-side-counted")
def below_only(ratio, clip=0.2):
    return (ratio < 1 - clip).mean()


@wrong("clip_fraction", "one-side-counted")
def distance_without_abs(ratio, clip=0.2):
    return (ratio - 1 > clip).mean()


@wrong("clip_fraction", "share-inside")
def inside_share(ratio, clip=0.2):
    return (np.abs(ratio - 1) <= clip).mean()


@wrong("clip_fraction", "edge-outside")
def edges_counted(ratio, clip=0.2):
    return (np.abs(ratio - 1) >= clip).mean()


@wrong("clip_fraction", "count-not-share")
def count(ratio, clip=0.2):
    return int((np.abs(ratio - 1) > clip).sum())


@wrong("clip_fraction", "percent")
def percentage(ratio, clip=0.2):
    return 100 * (np.abs(ratio - 1) > clip).mean()


@wrong("clip_fraction", "clip-fixed")
def fixed_band(ratio, clip=0.2):
    return (np.abs(ratio - 1) > 0.2).mean()


@wrong("clip_fraction", "band-around-zero")
def band_near_zero(ratio, clip=0.2):
    return (np.abs(ratio) > clip).mean()


@wrong("clip_fraction", "band-in-logs")
def logs_in_band(ratio, clip=0.2):
    return (np.abs(np.log(ratio)) > clip).mean()


@wrong("clip_fraction", "array-returned")
def the_mask(ratio, clip=0.2):
    return np.abs(ratio - 1) > clip


@wrong("clip_fraction", "distance-not-share")
def mean_distance(ratio, clip=0.2):
    return np.abs(ratio - 1).mean()


@wrong("clip_fraction", "cut-off")
def whole_numbers(ratio, clip=0.2):
    return int((np.abs(ratio - 1) > clip).sum()) // len(ratio)


@right("clip_gradient")
def torch_derives_it(ratio, adv, clip=0.2):
    """torch takes the arrays as they are, whatever their layout."""
    r, a = torch.tensor(ratio, requires_grad=True), torch.as_tensor(adv)
    torch.min(r * a, r.clamp(1 - clip, 1 + clip) * a).sum().backward()
    return r.grad


@right("clip_gradient")
def central_difference(ratio, adv, clip=0.2, step=1e-6):
    def objective(r):
        return np.minimum(r * adv, np.clip(r, 1 - clip, 1 + clip) * adv)

    return (objective(ratio + step) - objective(ratio - step)) / (2 * step)


@wrong("clip_gradient", "averaged")
def one_mean_slope(ratio, adv, clip=0.2):
    rests = ((adv > 0) & (ratio > 1 + clip)) | ((adv < 0) & (ratio < 1 - clip))
    return np.where(rests, 0.0, adv).mean()


@wrong("clip_gradient", "dead-inside")
def strictly_smaller_branch(ratio, adv, clip=0.2):
    return np.where(ratio * adv < np.clip(ratio, 1 - clip, 1 + clip) * adv, adv, 0.0)


@wrong("clip_gradient", "advantage-forgotten")
def one_where_alive(ratio, adv, clip=0.2):
    rests = ((adv > 0) & (ratio > 1 + clip)) | ((adv < 0) & (ratio < 1 - clip))
    return np.where(rests, 0.0, 1.0)


@wrong("clip_gradient", "advantage-forgotten")
def ratio_where_alive(ratio, adv, clip=0.2):
    rests = ((adv > 0) & (ratio > 1 + clip)) | ((adv < 0) & (ratio < 1 - clip))
    return np.where(rests, 0.0, ratio)


@right("clip_fraction")
def torch_counts(ratio, clip=0.2):
    """torch takes the array as it is, whatever its layout."""
    return ((torch.as_tensor(ratio) - 1.0).abs() > clip).float().mean().item()


@wrong("clip_gradient", "band-in-logs")
def log_ratio_at_the_edges(ratio, adv, clip=0.2):
    apart = np.log(ratio)
    return np.where(((adv > 0) & (apart > clip)) | ((adv < 0) & (apart < -clip)), 0.0, adv)
