"""Answers for Gaussian policies."""

import math

import numpy as np
import torch

from bank import right, wrong


@right("gaussian_logp")
def written_out(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-z.pow(2) / 2 - log_std - math.log(2 * math.pi) / 2).sum(-1)


@right("gaussian_logp")
def by_distributions(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(dim=-1)


@right("gaussian_logp")
def as_one_distribution(mean, log_std, actions):
    std = torch.exp(log_std).expand_as(mean)
    normal = torch.distributions.Independent(torch.distributions.Normal(mean, std), 1)
    return normal.log_prob(actions)


@right("gaussian_logp")
def dimension_by_dimension(mean, log_std, actions):
    total = torch.zeros_like(mean[..., 0])
    spread = log_std + torch.zeros_like(mean)
    for d in range(mean.shape[-1]):
        var = torch.exp(2 * spread[..., d])
        total = total - (actions[..., d] - mean[..., d]) ** 2 / (2 * var) - spread[..., d]
    return total - 0.5 * mean.shape[-1] * math.log(2 * math.pi)


@right("gaussian_logp")
def with_exp_of_minus(mean, log_std, actions):
    scaled = (mean - actions) * torch.exp(-log_std)
    return -0.5 * (scaled.square() + 2 * log_std + np.log(2 * np.pi)).sum(-1)


@wrong("gaussian_logp", "not-summed")
def one_for_each_dimension(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions)


@wrong("gaussian_logp", "mean-over-dimensions")
def averaged_dimensions(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).mean(-1)


@wrong("gaussian_logp", "summed-over-all")
def one_number(mean, log_std, actions):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum()


@wrong("gaussian_logp", "variance-for-deviation")
def log_of_the_variance(mean, log_std, actions):
    return torch.distributions.Normal(mean, (0.5 * log_std).exp()).log_prob(actions).sum(-1)


@wrong("gaussian_logp", "no-constant")
def without_two_pi(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1)


@wrong("gaussian_logp", "constant-once")
def two_pi_once(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1) - 0.5 * math.log(2 * math.pi)


@wrong("gaussian_logp", "no-spread")
def height_forgotten(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(-1)


@wrong("gaussian_logp", "no-half")
def whole_square(mean, log_std, actions):
    z = (actions - mean) / log_std.exp()
    return (-(z**2) - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


@wrong("gaussian_logp", "negated")
def loss_of_it(mean, log_std, actions):
    return -written_out(mean, log_std, actions)


@wrong("gaussian_logp", "underflow")
def log_of_the_density(mean, log_std, actions):
    std = log_std.exp()
    density = torch.exp(-0.5 * ((actions - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    return torch.log(density).sum(-1)


@wrong("gaussian_logp", "density-not-log")
def product_of_densities(mean, log_std, actions):
    std = log_std.exp()
    density = torch.exp(-0.5 * ((actions - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    return density.prod(-1)


@wrong("gaussian_logp", "spread-detached")
def fixed_spread(mean, log_std, actions):
    return written_out(mean, log_std.detach(), actions)


@right("gaussian_entropy")
def closed_form(log_std):
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


@right("gaussian_entropy")
def asked_of_torch(log_std):
    return torch.distributions.Normal(torch.zeros_like(log_std), log_std.exp()).entropy().sum(-1)


@right("gaussian_entropy")
def from_the_variance(log_std):
    return 0.5 * torch.log(2 * math.pi * math.e * torch.exp(log_std) ** 2).sum(dim=-1)


@right("gaussian_entropy")
def sum_and_count(log_std):
    dims = log_std.shape[-1]
    return torch.sum(log_std, -1) + dims * (1 + np.log(2 * np.pi)) / 2


@wrong("gaussian_entropy", "not-summed")
def entropy_of_each(log_std):
    return log_std + 0.5 * math.log(2 * math.pi * math.e)


@wrong("gaussian_entropy", "summed-over-all")
def entropy_of_all(log_std):
    return closed_form(log_std).sum()


@wrong("gaussian_entropy", "mean-over-dimensions")
def entropy_averaged(log_std):
    return closed_form(log_std) / log_std.shape[-1]


@wrong("gaussian_entropy", "constant-once")
def entropy_constant_once(log_std):
    return log_std.sum(-1) + 0.5 * math.log(2 * math.pi * math.e)


@wrong("gaussian_entropy", "no-constant")
def spread_alone(log_std):
    return log_std.sum(-1)


@wrong("gaussian_entropy", "no-e")
def log_two_pi_alone(log_std):
    return (log_std + 0.5 * math.log(2 * math.pi)).sum(-1)


@wrong("gaussian_entropy", "not-below-zero")
def never_negative(log_std):
    return closed_form(log_std).clamp(min=0.0)


@wrong("gaussian_entropy", "log-std-as-std")
def log_taken_twice(log_std):
    return (torch.exp(log_std) + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


@wrong("gaussian_entropy", "variance-for-deviation")
def log_std_halved(log_std):
    return (0.5 * log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


@wrong("gaussian_entropy", "negated")
def negative_entropy(log_std):
    return -closed_form(log_std)


@wrong("gaussian_entropy", "no-gradient")
def entropy_without_graph(log_std):
    return closed_form(log_std.detach())
