"""What lesson 07 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    as_number,
    count,
    cut,
    data,
    exp,
    group_mean,
    group_size,
    group_spread,
    maximum,
    mean,
    minimum,
    others_mean,
    sample_spread,
    to_go,
    total,
    where,
)


def rloo_formula(scores, groups):
    size = group_size(scores, groups)
    others = (group_mean(scores, groups) * size - scores) / (size - 1)
    return scores - others


def rloo_from_the_mean(scores, groups):
    size = group_size(scores, groups)
    return (scores - group_mean(scores, groups)) * size / (size - 1)


def rloo_by_others(scores, groups):
    return scores - others_mean(scores, groups)


def grpo_formula(scores, groups, divide=True, eps=1e-4):
    advantage = scores - group_mean(scores, groups)
    if divide:
        return advantage / (group_spread(scores, groups) + eps)
    return advantage


def grpo_of_samples(scores, groups, divide=True, eps=1e-4):
    advantage = scores - group_mean(scores, groups)
    if divide:
        return advantage / (sample_spread(scores, groups) + eps)
    return advantage


def aggregate_formula(per_token, mask, how, length=None):
    kept = where(mask, per_token, 0.0)
    if how == "tokens":
        return total(kept) / maximum(total(as_number(mask)), 1)
    if how == "sentences":
        return mean(total(kept, 1) / maximum(total(as_number(mask), 1), 1))
    return total(kept) / (count(mask) * length)


def grpo_loss_formula(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    ratio = exp(where(mask, logp - data(logp_old), 0.0))
    advantage = data(adv)[:, None]
    clipped = cut(ratio, 1 - clip_low, 1 + clip_high)
    loss = -minimum(ratio * advantage, clipped * advantage)
    if beta:
        log_ratio = where(mask, data(logp_ref) - logp, 0.0)
        loss = loss + beta * (exp(log_ratio) - 1 - log_ratio)
    kept = where(mask, loss, 0.0)
    if how == "tokens":
        return total(kept) / maximum(total(as_number(mask)), 1)
    if how == "sentences":
        return mean(total(kept, 1) / maximum(total(as_number(mask), 1), 1))
    return total(kept) / (count(mask) * length)


def kl_reward_formula(logp, logp_ref, mask):
    log_ratio = where(mask, data(logp - logp_ref), 0.0)
    kept = where(mask, to_go(log_ratio) * logp, 0.0)
    return mean(total(kept, 1))


def kl_in_loss_formula(logp, logp_ref, mask, kind):
    log_ratio = where(mask, logp - data(logp_ref), 0.0)
    if kind == "k1":
        return mean(total(log_ratio, 1))
    if kind == "k2":
        return mean(total(log_ratio**2 / 2, 1))
    return mean(total(exp(-log_ratio) - 1 + log_ratio, 1))
