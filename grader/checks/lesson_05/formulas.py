"""What lesson 05 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    deviation,
    exp,
    flat,
    log_softmax,
    mean,
    numbers,
    softmax,
    total,
    variance,
)


def normalize_formula(adv):
    values = numbers(adv)
    return (values - mean(values)) / (deviation(values) + 1e-8)


def entropy_formula(logits):
    logp = log_softmax(logits)
    return -total(exp(logp) * logp, -1)


def entropy_of_probabilities(logits):
    probabilities = softmax(logits)
    return -total(probabilities * log_softmax(logits), -1)


def explained_variance_formula(values, returns):
    targets = flat(returns)
    error = targets - flat(values)
    return 1 - variance(error) / variance(targets)


def explained_variance_by_squares(values, returns):
    targets = flat(returns)
    error = targets - flat(values)
    distance = targets - mean(targets)
    return 1 - total((error - mean(error)) ** 2) / total(distance**2)
