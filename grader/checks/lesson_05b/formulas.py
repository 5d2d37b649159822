"""What lesson 05b asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    cut,
    data,
    exp,
    log,
    maximum,
    mean,
    total,
)

PI = 3.141592653589793


def should_stop_formula(approx_kl, target):
    if target is None:
        return 0.0
    return float(not approx_kl <= 1.5 * target)


def value_clip_formula(values, old_values, returns, clip):
    near = data(old_values) + cut(values - data(old_values), -clip, clip)
    error = values - data(returns)
    return mean(maximum(error**2, (near - data(returns)) ** 2))


def value_clip_by_bounds(values, old_values, returns, clip):
    near = cut(values, data(old_values) - clip, data(old_values) + clip)
    error = values - data(returns)
    return mean(maximum(error**2, (near - data(returns)) ** 2))


def gaussian_logp_formula(mean, log_std, actions):
    z = (actions - mean) / exp(log_std)
    return total(-0.5 * z**2 - log_std - 0.5 * log(2 * PI), -1)


def gaussian_logp_by_variance(mean, log_std, actions):
    sigma = exp(log_std)
    square = (actions - mean) ** 2
    return total(-square / (2 * sigma**2) - log_std - 0.5 * log(2 * PI), -1)


def gaussian_entropy_formula(log_std):
    return total(log_std + 0.5 + 0.5 * log(2 * PI), -1)
