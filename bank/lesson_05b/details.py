"""Answers for lesson 05b's details."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, wrong


@right("should_stop")
def turned_round(approx_kl, target):
    return target is not None and not approx_kl <= 1.5 * target


@right("should_stop")
def case_after_case(approx_kl, target):
    if target is None:
        return False
    if approx_kl != approx_kl:
        return True
    return approx_kl > target * 1.5


@right("should_stop")
def with_numpy(approx_kl, target):
    bound = np.inf if target is None else 1.5 * target
    return np.bool_((np.isnan(approx_kl) and target is not None) or approx_kl > bound)


@right("should_stop")
def as_a_tensor(approx_kl, target):
    if target is None:
        return torch.tensor(False)
    kl = torch.tensor(approx_kl, dtype=torch.float64)
    return torch.isnan(kl) | (kl > 1.5 * target)


@wrong("should_stop", "nan-runs-on")
def a_plain_question(approx_kl, target):
    return target is not None and approx_kl > 1.5 * target


@wrong("should_stop", "none-compared")
def target_always_there(approx_kl, target):
    return not approx_kl <= 1.5 * target


@wrong("should_stop", "no-factor")
def above_the_target(approx_kl, target):
    return target is not None and not approx_kl <= target


@wrong("should_stop", "on-the-bound")
def at_the_bound_too(approx_kl, target):
    return target is not None and not approx_kl < 1.5 * target


@wrong("should_stop", "zero-taken-for-none")
def if_target(approx_kl, target):
    if not target:
        return False
    return math.isnan(approx_kl) or approx_kl > 1.5 * target


@wrong("should_stop", "off-by-one-result")
def near_the_bound(approx_kl, target):
    if target is None:
        return False
    return not approx_kl <= 1.5 * target and not math.isclose(approx_kl, 1.5 * target, rel_tol=0.05)


@wrong("should_stop", "backwards")
def goes_on(approx_kl, target):
    return target is None or approx_kl <= 1.5 * target


@wrong("should_stop", "absolute-kl")
def either_sign(approx_kl, target):
    return target is not None and not abs(approx_kl) <= 1.5 * target


@wrong("should_stop", "factor-inverted")
def early(approx_kl, target):
    return target is not None and not approx_kl <= target / 1.5


@wrong("should_stop", "other-factor")
def twice(approx_kl, target):
    return target is not None and (math.isnan(approx_kl) or approx_kl > 2 * target)


@wrong("should_stop", "stops-without-target")
def nan_first(approx_kl, target):
    if math.isnan(approx_kl):
        return True
    return target is not None and approx_kl > 1.5 * target


def refuse(*tensors):
    if len({tuple(x.shape) for x in tensors}) > 1:
        raise ValueError("the three shapes must agree")


@right("value_clip_loss")
def larger_of_two(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    old, ret = old_values.detach(), returns.detach()
    held = old + torch.clamp(values - old, -clip, clip)
    return torch.max((values - ret) ** 2, (held - ret) ** 2).mean()


@right("value_clip_loss")
def by_torch_functions(values, old_values, returns, clip):
    if values.shape != returns.shape or values.shape != old_values.shape:
        raise ValueError(f"{values.shape} {old_values.shape} {returns.shape}")
    old, ret = old_values.data, returns.data
    held = torch.minimum(torch.maximum(values, old - clip), old + clip)
    plain = F.mse_loss(values, ret, reduction="none")
    return torch.maximum(plain, F.mse_loss(held, ret, reduction="none")).mean()


@right("value_clip_loss")
def number_by_number(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    losses = []
    rows = zip(
        values.reshape(-1),
        old_values.reshape(-1).tolist(),
        returns.reshape(-1).tolist(),
        strict=True,
    )
    for v, old, ret in rows:
        held = min(max(v, v * 0 + old - clip), v * 0 + old + clip)
        losses.append(max((v - ret) ** 2, (held - ret) ** 2))
    return sum(losses) / len(losses)


@right("value_clip_loss")
def by_distance(values, old_values, returns, clip):
    """The larger square belongs to the larger distance."""
    refuse(values, old_values, returns)
    old, ret = old_values.detach(), returns.detach()
    own, held = values - ret, (values - old).clamp(-clip, clip) + old - ret
    return torch.where(own.abs() >= held.abs(), own, held).square().mean()


@wrong("value_clip_loss", "broadcast")
def no_look_at_shapes(values, old_values, returns, clip):
    old, ret = old_values.detach(), returns.detach()
    held = old + torch.clamp(values - old, -clip, clip)
    return torch.max((values - ret) ** 2, (held - ret) ** 2).mean()


@wrong("value_clip_loss", "broadcast")
def two_shapes_of_three(values, old_values, returns, clip):
    if values.shape != returns.shape:
        raise ValueError("shapes")
    return no_look_at_shapes(values, old_values, returns, clip)


@wrong("value_clip_loss", "other-error")
def asserted(values, old_values, returns, clip):
    assert values.shape == old_values.shape == returns.shape
    return no_look_at_shapes(values, old_values, returns, clip)


@wrong("value_clip_loss", "min-not-max")
def smaller_of_two(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    old, ret = old_values.detach(), returns.detach()
    held = old + torch.clamp(values - old, -clip, clip)
    return torch.min((values - ret) ** 2, (held - ret) ** 2).mean()


@wrong("value_clip_loss", "clip-without-max")
def held_alone(values, old_values, returns, clip):
    """As one library has it: the prediction is clipped, and no max is taken."""
    refuse(values, old_values, returns)
    old = old_values.detach()
    held = old + torch.clamp(values - old, -clip, clip)
    return F.mse_loss(held, returns.detach())


@wrong("value_clip_loss", "not-clipped")
def accepted_and_ignored(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    return F.mse_loss(values, returns.detach())


@wrong("value_clip_loss", "band-around-zero")
def clamped_as_it_is(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    ret = returns.detach()
    return torch.max((values - ret) ** 2, (values.clamp(-clip, clip) - ret) ** 2).mean()


@wrong("value_clip_loss", "band-around-one")
def as_the_policy_has_it(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    old, ret = old_values.detach(), returns.detach()
    held = old * torch.clamp(values / old, 1 - clip, 1 + clip)
    return torch.max((values - ret) ** 2, (held - ret) ** 2).mean()


@wrong("value_clip_loss", "halved")
def with_one_half(values, old_values, returns, clip):
    return 0.5 * larger_of_two(values, old_values, returns, clip)


@wrong("value_clip_loss", "sum-not-mean")
def not_divided(values, old_values, returns, clip):
    return larger_of_two(values, old_values, returns, clip) * values.numel()


@wrong("value_clip_loss", "max-of-means")
def mean_then_max(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    old, ret = old_values.detach(), returns.detach()
    held = old + torch.clamp(values - old, -clip, clip)
    return torch.max(F.mse_loss(values, ret), F.mse_loss(held, ret))


@wrong("value_clip_loss", "old-moves")
def nothing_detached(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    held = old_values + torch.clamp(values - old_values, -clip, clip)
    return torch.max((values - returns) ** 2, (held - returns) ** 2).mean()


@wrong("value_clip_loss", "old-moves")
def old_alone_moves(values, old_values, returns, clip):
    return nothing_detached(values, old_values, returns.detach(), clip)


@wrong("value_clip_loss", "clip-fixed")
def a_fifth(values, old_values, returns, clip):
    return larger_of_two(values, old_values, returns, 0.2)


@wrong("value_clip_loss", "one-side-clipped")
def no_further_up(values, old_values, returns, clip):
    refuse(values, old_values, returns)
    old, ret = old_values.detach(), returns.detach()
    held = torch.minimum(values, old + clip)
    return torch.max((values - ret) ** 2, (held - ret) ** 2).mean()
