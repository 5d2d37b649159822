"""What lesson 04 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    cut,
    data,
    exp,
    maximum,
    mean,
    minimum,
    where,
)


def ratio_formula(logp, logp_old):
    return exp(logp - data(logp_old))


def surrogate_formula(logp, logp_old, adv):
    ratio = exp(logp - data(logp_old))
    return -mean(ratio * adv)


def clip_formula(logp, logp_old, adv, clip=0.2):
    ratio = exp(logp - data(logp_old))
    advantage = data(adv)
    clipped = cut(ratio, 1 - clip, 1 + clip)
    return -mean(minimum(ratio * advantage, clipped * advantage))


def clip_by_sign(logp, logp_old, adv, clip=0.2):
    ratio = exp(logp - data(logp_old))
    advantage = data(adv)
    edge = where(advantage > 0, 1 + clip, 1 - clip)
    bound = edge * advantage
    return -mean(minimum(ratio * advantage, bound))


def clip_gradient_formula(ratio, adv, clip=0.2):
    too_far_up = (adv > 0) & (ratio > 1 + clip)
    too_far_down = (adv < 0) & (ratio < 1 - clip)
    return where(too_far_up | too_far_down, 0.0, adv)


def clip_gradient_by_bounds(ratio, adv, clip=0.2):
    clipped = cut(ratio, 1 - clip, 1 + clip)
    return adv * (ratio * adv <= clipped * adv)


def dual_clip_formula(logp, logp_old, adv, clip=0.2, dual=3.0):
    ratio = exp(logp - data(logp_old))
    advantage = data(adv)
    clipped = cut(ratio, 1 - clip, 1 + clip)
    objective = minimum(ratio * advantage, clipped * advantage)
    floored = maximum(objective, dual * advantage)
    return -mean(where(advantage < 0, floored, objective))


def clip_fraction_formula(ratio, clip=0.2):
    return mean((ratio < 1 - clip) | (ratio > 1 + clip))


def clip_fraction_by_distance(ratio, clip=0.2):
    error = ratio - 1
    return mean(abs(error) > clip)


def kl_formula(logp, logp_old):
    log_ratio = logp - logp_old
    ratio = exp(log_ratio)
    return {
        "k1": -mean(log_ratio),
        "k2": mean(log_ratio**2) / 2,
        "k3": mean(ratio - 1 - log_ratio),
    }


def penalty_formula(logp, logp_old, adv, kl, beta):
    penalty = beta * kl
    ratio = exp(logp - data(logp_old))
    return -mean(ratio * adv) + penalty


def beta_formula(beta, kl, target):
    if kl > 1.5 * target:
        return beta * 2
    if kl < target / 1.5:
        return beta / 2
    return beta
