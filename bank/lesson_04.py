"""The bank of 04_ppo_clip. Helpers are the bank's own, so that no two styles share code."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, value, wrong

# importance_ratio -----------------------------------------------------------------------------


@right("importance_ratio")
def detached_then_exp(logp, logp_old):
    return torch.exp(logp - logp_old.detach())


@right("importance_ratio")
def method_and_data(logp, logp_old):
    return (logp - logp_old.data).exp()


@right("importance_ratio")
def one_by_one(logp, logp_old):
    old = logp_old.tolist()
    return torch.stack([torch.exp(new - old[i]) for i, new in enumerate(logp)])


@right("importance_ratio")
def old_under_no_grad(logp, logp_old):
    with torch.no_grad():
        stored = logp_old.clone()
    return torch.expm1(logp - stored) + 1


@right("importance_ratio")
def power_of_e(logp, logp_old):
    return math.e ** torch.sub(logp, logp_old.detach())


@wrong("importance_ratio", "no-exp")
def log_ratio(logp, logp_old):
    return logp - logp_old.detach()


@wrong("importance_ratio", "ratio-of-logs")
def quotient_of_logs(logp, logp_old):
    return logp / logp_old.detach()


@wrong("importance_ratio", "ratio-of-logs")
def exp_of_quotient(logp, logp_old):
    return torch.exp(torch.div(logp, logp_old.detach()))


@wrong("importance_ratio", "inverted-ratio")
def old_over_new(logp, logp_old):
    return torch.exp(logp_old.detach() - logp)


@wrong("importance_ratio", "gradient-through-old")
def both_differentiated(logp, logp_old):
    return (logp - logp_old).exp()


@wrong("importance_ratio", "detached")
def nothing_moves(logp, logp_old):
    return torch.exp(logp - logp_old).detach()


@wrong("importance_ratio", "detached")
def new_detached(logp, logp_old):
    with torch.no_grad():
        return torch.exp(logp - logp_old)


@wrong("importance_ratio", "wrong-one-detached")
def wrong_one_detached(logp, logp_old):
    return torch.exp(logp.detach() - logp_old) + 0 * logp


@wrong("importance_ratio", "underflow")
def quotient_of_exps(logp, logp_old):
    return torch.exp(logp) / torch.exp(logp_old.detach())


@wrong("importance_ratio", "underflow")
def quotient_of_exps_undetached(logp, logp_old):
    return logp.exp() / logp_old.exp()


@wrong("importance_ratio", "difference-of-probabilities")
def difference(logp, logp_old):
    return logp.exp() - logp_old.exp().detach()


@wrong("importance_ratio", "averaged")
def mean_ratio(logp, logp_old):
    return torch.exp(logp - logp_old.detach()).mean()


@wrong("importance_ratio", "only-new")
def new_probability(logp, logp_old):
    return torch.exp(logp)


@wrong("importance_ratio", "array-returned")
def as_numpy(logp, logp_old):
    return np.exp(logp.detach().numpy() - logp_old.detach().numpy())


@wrong("importance_ratio", "tensor-returned")
def always_double(logp, logp_old):
    return torch.exp(logp.float() - logp_old.detach().float()).half()


@wrong("importance_ratio", "changed-inputs")
def in_place(logp, logp_old):
    logp.data -= logp_old.data
    return torch.exp(logp)


# surrogate_loss -------------------------------------------------------------------------------


def ratio_of(logp, logp_old):
    return torch.exp(logp - logp_old.detach())


@right("surrogate_loss")
def minus_mean(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old.detach()) * adv).mean()


@right("surrogate_loss")
def dot_product(logp, logp_old, adv):
    return -torch.dot(ratio_of(logp, logp_old), adv) / adv.numel()


@right("surrogate_loss")
def summed_in_a_loop(logp, logp_old, adv):
    total = torch.zeros((), dtype=logp.dtype)
    for new, old, a in zip(logp, logp_old.tolist(), adv.tolist(), strict=True):
        total = total - a * torch.exp(new - old)
    return total / len(logp)


@right("surrogate_loss")
def einsum(logp, logp_old, adv):
    weights = (-adv / adv.shape[0]).detach()
    return torch.einsum("b,b->", (logp - logp_old.data).exp(), weights)


@wrong("surrogate_loss", "objective-not-loss")
def surrogate_maximised(logp, logp_old, adv):
    return (ratio_of(logp, logp_old) * adv).mean()


@wrong("surrogate_loss", "log-prob-not-ratio")
def reinforce_again(logp, logp_old, adv):
    return -torch.mean(adv * logp)


@wrong("surrogate_loss", "inverted-ratio")
def surrogate_inverted(logp, logp_old, adv):
    return -(torch.exp(logp_old.detach() - logp) * adv).mean()


@wrong("surrogate_loss", "no-exp")
def surrogate_of_logs(logp, logp_old, adv):
    return -((logp - logp_old.detach()) * adv).mean()


@wrong("surrogate_loss", "ratio-of-logs")
def surrogate_of_quotient(logp, logp_old, adv):
    return -(logp / logp_old.detach() * adv).mean()


@wrong("surrogate_loss", "underflow")
def surrogate_of_exps(logp, logp_old, adv):
    return -(torch.exp(logp) / torch.exp(logp_old).detach() * adv).mean()


@wrong("surrogate_loss", "gradient-through-old")
def surrogate_undetached(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old) * adv).mean()


@wrong("surrogate_loss", "detached")
def surrogate_detached(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old).detach() * adv).mean()


@wrong("surrogate_loss", "sum-not-mean")
def surrogate_sum(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old) * adv).sum()


@wrong("surrogate_loss", "not-averaged")
def surrogate_per_sample(logp, logp_old, adv):
    return -ratio_of(logp, logp_old) * adv


@wrong("surrogate_loss", "product-of-means")
def surrogate_of_means(logp, logp_old, adv):
    return -ratio_of(logp, logp_old).mean() * adv.mean()


@wrong("surrogate_loss", "product-of-means")
def outer_product(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old).unsqueeze(1) * adv).mean()


@wrong("surrogate_loss", "clipped-here")
def surrogate_clipped(logp, logp_old, adv):
    r = ratio_of(logp, logp_old)
    return -torch.minimum(r * adv, torch.clip(r, 0.8, 1.2) * adv).mean()


@wrong("surrogate_loss", "number-returned")
def surrogate_item(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old) * adv).mean().item()


# ppo_clip_loss --------------------------------------------------------------------------------


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


# clip_gradient --------------------------------------------------------------------------------


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


@wrong("clip_gradient", "step:shape")
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


@wrong("clip_gradient", "step:value")
def cut_to_integers(ratio, adv, clip=0.2):
    return smaller_branch(ratio, adv, clip).astype(int)


# case_table -----------------------------------------------------------------------------------

TABLE = {
    ("below", "+"): "moves",
    ("below", "-"): "zero",
    ("inside", "+"): "moves",
    ("inside", "-"): "moves",
    ("above", "+"): "zero",
    ("above", "-"): "moves",
}


def but(*zeros):
    return {key: "zero" if key in zeros else "moves" for key in TABLE}


value("case_table", "plain", dict(TABLE))
value("case_table", "other_order", dict(reversed(TABLE.items())))
value("case_table", "capitals", {key: word.capitalize() for key, word in TABLE.items()})
value("case_table", "built", but(("below", "-"), ("above", "+")))
OUTSIDE = [key for key in TABLE if key[0] != "inside"]
value("case_table", "all_zero_outside", but(*OUTSIDE), "zero-outside-band")
value("case_table", "all_move", but(), "never-zero")
value("case_table", "other_branch", but(("below", "+"), ("above", "-")), "max-not-min")
value("case_table", "good_alone", but(("above", "+")), "one-sign")
value("case_table", "bad_alone", but(("below", "-")), "one-sign")
value("case_table", "above_alone", but(("above", "+"), ("above", "-")), "one-sign")
value("case_table", "dead_inside", but(("inside", "+"), ("inside", "-")), "dead-inside")
value("case_table", "nothing_moves", but(*TABLE), "dead-inside")
value("case_table", "three_zeros", but(*OUTSIDE[1:]), "one-side-for-both-signs")
value("case_table", "blank", dict.fromkeys(TABLE), "not-answered")
value("case_table", "half_blank", TABLE | {("above", "-"): None}, "not-a-word")
value("case_table", "text_keys", {"".join(key): w for key, w in TABLE.items()}, "other-keys")
value("case_table", "numbers", {key: len(TABLE[key]) for key in TABLE}, "not-a-word")
value("case_table", "true_and_false", {k: w == "moves" for k, w in TABLE.items()}, "not-a-word")
value("case_table", "a_list", list(TABLE.values()), "step:kind")

# clip_fraction --------------------------------------------------------------------------------


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


# kl_estimates ---------------------------------------------------------------------------------


@right("kl_estimates")
def vectorised(logp, logp_old):
    d = logp - logp_old
    return -d.mean(), 0.5 * (d**2).mean(), (d.exp() - 1 - d).mean()


@right("kl_estimates")
def plain_numbers(logp, logp_old):
    k1 = k2 = k3 = 0.0
    for new, old in zip(logp.tolist(), logp_old.tolist(), strict=True):
        d = new - old
        k1, k2, k3 = k1 - d, k2 + d * d / 2, k3 + math.exp(d) - 1 - d
    return k1 / len(logp), k2 / len(logp), k3 / len(logp)


@right("kl_estimates")
def in_numpy(logp, logp_old):
    d = np.asarray(logp_old) - np.asarray(logp)
    return [np.mean(d), np.mean(np.square(d)) / 2, np.mean(np.expm1(-d) + d)]


@right("kl_estimates")
def by_ratio(logp, logp_old):
    ratio = torch.exp(logp - logp_old)
    log_ratio = logp - logp_old
    k1 = (logp_old - logp).sum() / len(logp)
    return k1, log_ratio.square().mean() / 2, ratio.mean() - 1 - log_ratio.mean()


@right("kl_estimates")
def stacked_rows(logp, logp_old):
    d = logp - logp_old
    rows = torch.stack([-d, d.pow(2).div(2), torch.expm1(d) - d])
    return tuple(row.mean().item() for row in rows)


@right("kl_estimates")
def one_tensor(logp, logp_old):
    d = logp - logp_old
    return torch.stack([-d, d**2 / 2, d.exp() - 1 - d]).mean(dim=1)


def the_three(logp, logp_old):
    return plain_numbers(logp, logp_old)


@wrong("kl_estimates", "kl-direction")
def from_new_to_old(logp, logp_old):
    d = logp_old - logp
    return -d.mean(), (d**2).mean() / 2, (d.exp() - 1 - d).mean()


@wrong("kl_estimates", "kl-direction")
def weighted_to_the_other(logp, logp_old):
    d = logp - logp_old
    return (d.exp() * d).mean(), (d**2).mean() / 2, (d.exp() - 1 - d).mean()


@wrong("kl_estimates", "k1-sign")
def k1_negated(logp, logp_old):
    _, k2, k3 = the_three(logp, logp_old)
    return (logp - logp_old).mean(), k2, k3


@wrong("kl_estimates", "k3-sign")
def k3_of_inverse(logp, logp_old):
    d = logp_old - logp
    return d.mean(), (d**2).mean() / 2, (d.exp() - 1 - d).mean()


@wrong("kl_estimates", "k3-sign")
def k3_plus_log(logp, logp_old):
    d = logp - logp_old
    return -d.mean(), (d**2).mean() / 2, (d.exp() - 1 + d).mean()


@wrong("kl_estimates", "k3-without-one")
def one_missing(logp, logp_old):
    d = logp - logp_old
    return -d.mean(), (d**2).mean() / 2, (d.exp() - d).mean()


@wrong("kl_estimates", "k2-without-half")
def half_missing(logp, logp_old):
    d = logp - logp_old
    return -d.mean(), (d**2).mean(), (d.exp() - 1 - d).mean()


@wrong("kl_estimates", "square-of-mean")
def mean_squared(logp, logp_old):
    d = logp - logp_old
    return -d.mean(), d.mean() ** 2 / 2, (d.exp() - 1 - d).mean()


@wrong("kl_estimates", "cut-at-zero")
def never_negative(logp, logp_old):
    k1, k2, k3 = the_three(logp, logp_old)
    return max(k1, 0.0), k2, k3


@wrong("kl_estimates", "cut-at-zero")
def absolute(logp, logp_old):
    k1, k2, k3 = the_three(logp, logp_old)
    return abs(k1), k2, k3


@wrong("kl_estimates", "not-averaged")
def vectors(logp, logp_old):
    d = logp - logp_old
    return -d, d**2 / 2, d.exp() - 1 - d


@wrong("kl_estimates", "sum-not-mean")
def sums(logp, logp_old):
    d = logp - logp_old
    return -d.sum(), (d**2).sum() / 2, (d.exp() - 1 - d).sum()


@wrong("kl_estimates", "order")
def backwards(logp, logp_old):
    return tuple(reversed(the_three(logp, logp_old)))


@wrong("kl_estimates", "weighted-twice")
def weighted_again(logp, logp_old):
    d = logp - logp_old
    return -(d.exp() * d).mean(), (d**2).mean() / 2, (d.exp() - 1 - d).mean()


@wrong("kl_estimates", "step:value")
def quotient_of_log_probs(logp, logp_old):
    r = logp / logp_old
    return -r.log().mean(), (r.log() ** 2).mean() / 2, (r - 1 - r.log()).mean()


@wrong("kl_estimates", "number-returned")
def k3_alone(logp, logp_old):
    return the_three(logp, logp_old)[2]


@wrong("kl_estimates", "tuple-returned")
def one_tensor_of_two(logp, logp_old):
    return the_three(logp, logp_old)[:2]


# ppo_penalty_loss -----------------------------------------------------------------------------


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


# adapt_beta -----------------------------------------------------------------------------------


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


# questions ------------------------------------------------------------------------------------

value("q_outside_band", "c", "c")
value("q_outside_band", "a", "a", "chose-a")
value("q_outside_band", "b", "B", "chose-b")
value("q_outside_band", "d", "d", "chose-d")
value("q_outside_band", "blank", None, "not-answered")
value("q_negative_kl", "d", "d")
value("q_negative_kl", "a", "a", "chose-a")
value("q_negative_kl", "c", "c", "chose-c")
value("q_negative_kl", "b", "b", "chose-b")


# importance_ratio and surrogate_loss, more of them ----------------------------------------------


@right("importance_ratio")
def held_far_out(logp, logp_old):
    """Some guard the exponential; a ratio that a batch may really hold goes through."""
    return torch.exp((logp - logp_old.detach()).clamp(-20, 20))


@wrong("importance_ratio", "held-back")
def held_near(logp, logp_old):
    return torch.exp((logp - logp_old.detach()).clamp(-2, 2))


@wrong("importance_ratio", "held-back")
def already_in_the_band(logp, logp_old):
    return torch.exp(logp - logp_old.detach()).clamp(0.8, 1.2)


@wrong("importance_ratio", "underflow")
def epsilon_below(logp, logp_old):
    return logp.exp() / (logp_old.detach().exp() + 1e-8)


@wrong("importance_ratio", "wrong-one-detached")
def the_new_one_detached(logp, logp_old):
    return torch.exp(logp.detach() - logp_old)


@wrong("importance_ratio", "tensor-returned")
def in_double_precision(logp, logp_old):
    """All but the dtype is right, so nothing else may be named."""
    return torch.exp(logp.double() - logp_old.detach().double())


@wrong("importance_ratio", "changed-inputs")
def negated_in_place(logp, logp_old):
    return torch.exp(logp + logp_old.data.neg_())


@wrong("surrogate_loss", "advantages-whitened")
def whitens_on_the_way(logp, logp_old, adv):
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    return -(torch.exp(logp - logp_old.detach()) * adv).mean()


@wrong("surrogate_loss", "weights-normalised")
def over_the_sum_of_ratios(logp, logp_old, adv):
    ratio = torch.exp(logp - logp_old.detach())
    return -(ratio * adv).sum() / ratio.sum()


@wrong("surrogate_loss", "held-ratio")
def ratio_as_a_weight(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old).detach() * logp * adv).mean()


# ppo_clip_loss and what belongs to it, more of them ---------------------------------------------


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


# ppo_penalty_loss, adapt_beta and a question, more of them ----------------------------------------


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


value("q_outside_band", "with_a_full_stop", "c.")
value("q_outside_band", "quoted_twice", "'c'")


# dual_clip_loss -------------------------------------------------------------------------------


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


@wrong("kl_estimates", "kl-div-of-torch")
def kl_div_as_it_comes(logp, logp_old):
    x = logp - logp_old
    k1 = F.kl_div(logp, logp_old, log_target=True, reduction="mean")
    return k1, (x**2).mean() / 2, (x.exp() - 1 - x).mean()


@wrong("kl_estimates", "kl-div-of-torch")
def kl_div_the_other_way(logp, logp_old):
    x = logp - logp_old
    k1 = F.kl_div(logp_old, logp.exp(), reduction="sum")
    return k1, (x**2).mean() / 2, (x.exp() - 1 - x).mean()


@wrong("kl_estimates", "parts-swapped")
def third_before_second(logp, logp_old):
    x = logp - logp_old
    return -x.mean(), (x.exp() - 1 - x).mean(), (x**2).mean() / 2


@wrong("kl_estimates", "centred-inside")
def spread_for_square(logp, logp_old):
    x = logp - logp_old
    return -x.mean(), x.var(unbiased=False) / 2, (x.exp() - 1 - x).mean()


@wrong("ppo_penalty_loss", "root-of-kl")
def root_of_the_kl(logp, logp_old, adv, kl, beta):
    return -((logp - logp_old.detach()).exp() * adv).mean() + beta * kl.sqrt()


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


@wrong("importance_ratio", "first-order")
def one_plus_difference(logp, logp_old):
    return 1 + logp - logp_old.detach()


@wrong("surrogate_loss", "share-of-input")
def ratio_less_one(logp, logp_old, adv):
    return -(((logp - logp_old.detach()).exp() - 1) * adv).mean()


@right("ppo_clip_loss")
def edge_by_the_sign(logp, logp_old, adv, clip=0.2):
    """The clipped branch ends at (1 + clip sign(A)) A."""
    adv, ratio = adv.detach(), (logp - logp_old.detach()).exp()
    return -torch.minimum(ratio * adv, (1 + clip * torch.sign(adv)) * adv).mean()


@right("adapt_beta")
def power_of_two(beta, kl, target):
    return beta * 2.0 ** ((kl > 1.5 * target) - (kl < target / 1.5))
