"""Answers for KL estimates and losses."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, wrong


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


@wrong("kl_estimates", "effect-turned")
def quotient_of_log_probs(logp, logp_old):
    r = logp / logp_old
    return -r.log().mean(), (r.log() ** 2).mean() / 2, (r - 1 - r.log()).mean()


@wrong("kl_estimates", "number-returned")
def k3_alone(logp, logp_old):
    return the_three(logp, logp_old)[2]


@wrong("kl_estimates", "tuple-returned")
def one_tensor_of_two(logp, logp_old):
    return the_three(logp, logp_old)[:2]


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


@wrong("kl_estimates", "held-back")
def logarithm_within_ten(logp, logp_old):
    d = (logp - logp_old).clamp(-10, 10)
    return -d.mean(), (d**2).mean() / 2, (torch.expm1(d) - d).mean()
