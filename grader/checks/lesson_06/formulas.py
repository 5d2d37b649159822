"""What lesson 06 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    as_number,
    columns,
    cut,
    data,
    exp,
    largest,
    log_softmax,
    maximum,
    mean,
    minimum,
    pick,
    smallest,
    so_far,
    total,
    where,
    width,
)


def token_logp_formula(logits, tokens):
    logp = log_softmax(logits[:, :-1])
    return pick(logp, tokens[:, 1:])


def completion_mask_formula(tokens, prompt_length, eos):
    chosen = columns(tokens) >= prompt_length
    ends = (tokens == eos) & chosen
    ended_before = so_far(as_number(ends)) - as_number(ends)
    mask = chosen & (ended_before == 0)
    return as_number(mask[:, 1:])


def completion_mask_by_last(tokens, prompt_length, eos):
    chosen = columns(tokens) >= prompt_length
    ends = (tokens == eos) & chosen
    last = smallest(where(ends, columns(tokens), width(tokens)), -1, True)
    mask = chosen & (columns(tokens) <= last)
    return as_number(mask[:, 1:])


def masked_mean_formula(x, mask):
    kept = where(mask, x, 0.0)
    return total(kept) / maximum(total(as_number(mask)), 1)


def masked_mean_of_chosen(x, mask):
    return mean(x[mask])


def masked_mean_by_rows(x, mask):
    weights = as_number(mask)
    return total(total(where(mask, x, 0.0), -1)) / maximum(total(total(weights, -1)), 1)


def terminal_rewards_formula(scores, mask):
    last = largest(where(mask, columns(mask), -1), -1, True)
    return where(columns(mask) == last, scores[:, None], 0.0)


def kl_shaped_formula(rewards, logp, logp_ref, mask, beta):
    log_ratio = where(mask, logp - logp_ref, 0.0)
    return rewards - beta * log_ratio


def token_loss_formula(logp, logp_old, adv, mask, clip=0.2):
    ratio = exp(where(mask, logp - data(logp_old), 0.0))
    advantage = where(mask, data(adv), 0.0)
    clipped = cut(ratio, 1 - clip, 1 + clip)
    objective = minimum(ratio * advantage, clipped * advantage)
    kept = where(mask, objective, 0.0)
    return -total(kept) / maximum(total(as_number(mask)), 1)


def token_loss_of_chosen(logp, logp_old, adv, mask, clip=0.2):
    ratio = exp(logp[mask] - data(logp_old[mask]))
    advantage = data(adv[mask])
    clipped = cut(ratio, 1 - clip, 1 + clip)
    return -mean(minimum(ratio * advantage, clipped * advantage))
