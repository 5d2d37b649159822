"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import functools
import math

import torch
import torch.nn.functional as F

from bank import right


@right("should_stop")
def one_chained_comparison(approx_kl, target):
    limit = math.inf if target is None else 1.5 * target
    return False if target is None else not (-math.inf <= approx_kl <= limit)


@right("should_stop")
def walrus_and_any(approx_kl, target):
    return bool(
        target is not None and any((math.isnan(kl := float(approx_kl)), kl > target + target / 2))
    )


@right("value_clip_loss")
def maximum_over_a_stack(values, old_values, returns, clip):
    if len({values.shape, old_values.shape, returns.shape}) > 1:
        raise ValueError("three shapes must be one")
    old, goal = old_values.data, returns.data
    both = torch.stack((values, torch.minimum(torch.maximum(values, old - clip), old + clip)))
    return F.mse_loss(both, goal.expand_as(both), reduction="none").amax(0).mean()


@right("value_clip_loss")
def by_vmap_over_samples(values, old_values, returns, clip):
    if values.shape != old_values.shape or values.shape != returns.shape:
        raise ValueError("shapes differ")

    def one(v, o, r):
        near = o + F.hardtanh(v - o, -clip, clip)
        return torch.where((v - r).abs() >= (near - r).abs(), (v - r) ** 2, (near - r) ** 2)

    flat = (x.reshape(-1) for x in (values, old_values.detach(), returns.detach()))
    return torch.func.vmap(one)(*flat).mean()


@right("gaussian_logp")
def negative_of_gaussian_nll(mean, log_std, actions):
    variance = torch.exp(2 * log_std).expand_as(mean)
    losses = F.gaussian_nll_loss(mean, actions, variance, full=True, eps=1e-30, reduction="none")
    return -losses.sum(dim=-1)


@right("gaussian_logp")
def determinant_and_quadratic_form(mean, log_std, actions):
    apart = (actions - mean) * torch.exp(-log_std)
    quadratic = torch.einsum("...d,...d->...", apart, apart)
    volume = log_std.expand_as(mean).sum(-1) + mean.shape[-1] * math.log(math.tau) / 2
    return -(quadratic / 2) - volume


@right("gaussian_entropy")
def log_of_a_determinant(log_std):
    spread = torch.diag_embed(torch.exp(log_std))
    return torch.logdet(spread) + log_std.shape[-1] * (1 + math.log(math.tau)) / 2


@right("gaussian_entropy")
def unbound_and_added(log_std):
    constant = math.log(math.sqrt(2 * math.pi * math.e))
    return functools.reduce(torch.add, (part + constant for part in log_std.unbind(-1)))
