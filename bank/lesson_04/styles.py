"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import functools
import itertools
import math
import operator

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, value


@right("importance_ratio")
def softplus_of_nothing_but_a_log(logp, logp_old):
    return torch.logaddexp(logp, logp).sub(logp_old.detach()).sub(math.log(2)).exp()


@right("importance_ratio")
def vmapped_exponential(logp, logp_old):
    return torch.func.vmap(lambda new, old: (new - old).exp())(logp, logp_old.clone().detach())


@right("surrogate_loss")
def inner_product_by_functional_linear(logp, logp_old, adv):
    ratio = torch.exp(logp - logp_old.detach())
    return F.linear(ratio[None], -adv.detach()[None]).squeeze() / len(adv)


@right("surrogate_loss")
def reduced_pair_by_pair(logp, logp_old, adv):
    with torch.no_grad():
        old, weight = logp_old.unbind(), adv.unbind()
    terms = (torch.exp(n - o) * a for n, o, a in zip(logp.unbind(), old, weight))
    return functools.reduce(operator.sub, terms, 0) / logp.numel()


@right("ppo_clip_loss")
def excess_by_relu(logp, logp_old, adv, clip=0.2):
    adv, ratio = adv.detach(), torch.exp(logp - logp_old.detach())
    too_far = torch.where(adv >= 0, F.relu(ratio - 1 - clip), -F.relu(1 - clip - ratio))
    return -(adv * (ratio - too_far)).mean()


@right("ppo_clip_loss")
def smallest_along_a_new_axis(logp, logp_old, adv, clip=0.2):
    ratio = (logp - logp_old.detach()).exp()
    pair = torch.stack([ratio, F.hardtanh(ratio, 1 - clip, 1 + clip)]) * adv.detach()
    return pair.amin(dim=0).mean().negative()


@right("ppo_clip_loss")
def chosen_with_masked_select(logp, logp_old, adv, clip=0.2):
    ratio, adv = torch.exp(logp - logp_old.detach()), adv.detach()
    up = adv > 0
    good = torch.clamp(ratio.masked_select(up), max=1 + clip) * adv.masked_select(up)
    bad = torch.clamp(ratio.masked_select(~up), min=1 - clip) * adv.masked_select(~up)
    return -torch.cat((good, bad)).sum() / adv.numel()


@right("dual_clip_loss")
def bounds_for_each_sign_of_the_advantage(logp, logp_old, adv, clip=0.2, dual=3.0):
    adv = adv.detach()
    low = torch.where(adv < 0, 1 - clip, -torch.inf).to(adv)
    high = torch.where(adv < 0, dual, 1 + clip).to(adv)
    return -(torch.exp(logp - logp_old.detach()).clamp(low, high) * adv).mean()


@right("dual_clip_loss")
def sorted_middle_of_three(logp, logp_old, adv, clip=0.2, dual=3.0):
    ratio, weight = torch.exp(logp - logp_old.detach()), adv.detach()
    total = 0
    for r, a in zip(ratio, weight):
        gain = torch.minimum(r * a, r.clamp(1 - clip, 1 + clip) * a)
        total = total - (torch.maximum(gain, dual * a) if a.item() < 0 else gain)
    return total / len(weight)


@right("clip_gradient")
def product_of_signs(ratio, adv, clip=0.2):
    side = np.sign(ratio - 1) * (np.abs(ratio - 1) > clip)
    return adv * (side * np.sign(adv) < 0.5)


@right("clip_gradient")
def grad_by_functorch(ratio, adv, clip=0.2):
    def gain(r, a):
        return torch.minimum(r * a, r.clamp(1 - clip, 1 + clip) * a)

    slopes = torch.func.vmap(torch.func.grad(gain))
    return slopes(torch.tensor(np.array(ratio)), torch.tensor(np.array(adv))).numpy()


@right("clip_fraction")
def complement_of_between(ratio, clip=0.2):
    inside = np.logical_and(np.greater_equal(ratio, 1 - clip), np.less_equal(ratio, 1 + clip))
    return 1 - np.count_nonzero(inside) / np.size(inside)


@right("clip_fraction")
def places_in_the_sorted_ratios(ratio, clip=0.2):
    order = np.sort(ratio)
    below = np.searchsorted(order, 1 - clip, side="left")
    above = len(order) - np.searchsorted(order, 1 + clip, side="right")
    return (below + above) / len(order)


@right("kl_estimates")
def means_of_a_generator(logp, logp_old):
    gap = logp_old - logp
    each = lambda g: g, lambda g: g * g / 2, lambda g: g + torch.expm1(-g)
    return tuple(torch.mean(estimate(gap)) for estimate in each)


@right("kl_estimates")
def a_matrix_of_powers(logp, logp_old):
    d = (logp - logp_old).double()
    table = torch.stack([d, d.square(), d.exp()])
    mean = table.mean(dim=1)
    return -mean[0], mean[1] / 2, mean[2] - 1 - mean[0]


@right("ppo_penalty_loss")
def summed_with_addcmul(logp, logp_old, adv, kl, beta):
    gain = torch.exp(logp - logp_old.detach()).mul(adv.detach()).mean()
    return torch.sub(kl * beta, gain)


@right("ppo_penalty_loss")
def double_inside_and_cast_back(logp, logp_old, adv, kl, beta):
    ratio = torch.exp(logp.double() - logp_old.detach().double())
    gain = torch.dot(ratio, adv.detach().double()) / len(adv)
    return (beta * kl.double() - gain).to(logp.dtype)


@right("adapt_beta")
def exponent_from_two_comparisons(beta, kl, target):
    return beta * 2.0 ** (int(kl > target * 1.5) - int(kl < target / 1.5))


@right("adapt_beta")
def matched_on_the_case(beta, kl, target):
    match (kl * 1.5 < target, kl > 1.5 * target):
        case (True, _):
            return beta * 0.5
        case (_, True):
            return beta + beta
    return beta


value(
    "case_table",
    "with_a_default",
    dict.fromkeys(itertools.product(("below", "inside", "above"), "+-"), "moves")
    | {("below", "-"): "zero", ("above", "+"): "zero"},
)
