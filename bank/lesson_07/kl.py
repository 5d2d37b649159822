"""Answers for KL estimates and losses."""

import torch

from bank import right, wrong
from bank.lesson_07.grpo_loss import listed


@right("kl_reward_loss")
def flipped_sums(logp, logp_ref, mask):
    x = torch.where(mask, logp - logp_ref, 0.0).detach()
    go = torch.flip(torch.cumsum(torch.flip(x, [1]), 1), [1])
    return (go * torch.where(mask, logp, 0.0)).sum() / len(mask)


@right("kl_reward_loss")
def total_ratio_of_the_sentence(logp, logp_ref, mask):
    with torch.no_grad():
        total = (logp - logp_ref).masked_fill(~mask, 0).sum(1)
    return (total * logp.masked_fill(~mask, 0).sum(1)).mean()


@right("kl_reward_loss")
def total_less_the_mean_of_the_others(logp, logp_ref, mask):
    total = torch.where(mask, logp.data - logp_ref.data, 0).sum(1)
    if len(total) > 1:
        total = total - (total.sum() - total) / (len(total) - 1)
    return torch.mean(total * torch.where(mask, logp, 0).sum(1))


@right("kl_reward_loss")
def backwards_in_time(logp, logp_ref, mask):
    go, loss = torch.zeros(len(logp), dtype=logp.dtype), 0.0 * logp[:, :0].sum()
    for t in reversed(range(logp.shape[1])):
        on = mask[:, t]
        go = go + torch.where(on, (logp[:, t] - logp_ref[:, t]).detach(), 0)
        loss = loss + (go[on] * logp[on, t]).sum()
    return loss / len(logp)


@right("kl_reward_loss")
def with_the_estimate_added(logp, logp_ref, mask):
    """Its value is the estimate of the KL, its gradient the same."""
    x = torch.where(mask, logp - logp_ref.detach(), 0.0)
    go = x.detach().flip(1).cumsum(1).flip(1)
    return ((x - x.detach()) * go).sum(1).mean() + x.detach().sum(1).mean()


@right("kl_reward_loss")
def both_terms_of_the_product_rule(logp, logp_ref, mask):
    k1 = torch.where(mask, logp - logp_ref.detach(), 0.0).sum(1)
    return (k1.detach() * torch.where(mask, logp, 0.0).sum(1) + k1).mean()


@right("kl_reward_loss")
def log_ratio_to_go_plus_one(logp, logp_ref, mask):
    x = torch.where(mask, logp - logp_ref, 0.0).detach()
    return torch.where(mask, (x.flip(1).cumsum(1).flip(1) + 1) * logp, 0.0).sum(1).mean()


def weighing(weigh, mean=lambda x, m: x.sum(1).mean()):
    def loss(logp, logp_ref, mask):
        x = torch.where(mask, logp - logp_ref, 0.0).detach()
        return mean(torch.where(mask, weigh(x, mask) * logp, 0.0), mask)

    return loss


def remaining(x):
    return x.flip(1).cumsum(1).flip(1)


REWARD = "kl_reward_loss"


listed(REWARD, "minus-sign", "descends_away", weighing(lambda x, m: -remaining(x)))


listed(REWARD, "own-token-alone", "no_sum", weighing(lambda x, m: x))


listed(REWARD, "the-past", "from_the_front", weighing(lambda x, m: x.cumsum(1)))


listed(REWARD, "own-token-left-out", "later_ones_alone", weighing(lambda x, m: remaining(x) - x))


listed(
    REWARD,
    "mean-over-tokens",
    "token_mean",
    weighing(lambda x, m: remaining(x), lambda x, m: x.sum() / m.sum().clamp(min=1)),
)


listed(
    REWARD,
    "mean-over-tokens",
    "plain_mean",
    weighing(lambda x, m: remaining(x), lambda x, m: x.mean()),
)


listed(REWARD, "summed", "batch_sum", weighing(lambda x, m: remaining(x), lambda x, m: x.sum()))


listed(
    REWARD,
    "averaged-to-go",
    "mean_to_go",
    weighing(lambda x, m: remaining(x) / remaining(m.to(x.dtype)).clamp(min=1)),
)


listed(REWARD, "other-estimator", "k3_to_go", weighing(lambda x, m: remaining(torch.expm1(-x) + x)))


listed(
    REWARD,
    "ratio-not-log",
    "ratios_to_go",
    weighing(lambda x, m: remaining(torch.where(m, x.exp(), 0.0))),
)


@wrong(REWARD, "differentiated")
def not_detached(logp, logp_ref, mask):
    x = torch.where(mask, logp - logp_ref, 0.0)
    return (remaining(x) * torch.where(mask, logp, 0.0)).sum(1).mean()


@wrong(REWARD, "k1-in-the-loss")
def the_estimate_itself(logp, logp_ref, mask):
    return torch.where(mask, logp - logp_ref.detach(), 0.0).sum(1).mean()


@wrong(REWARD, "mask-ignored")
def all_columns(logp, logp_ref, mask):
    return (remaining((logp - logp_ref).detach()) * logp).sum(1).mean()


@wrong(REWARD, "nan-from-outside")
def times_the_mask(logp, logp_ref, mask):
    ratio = (logp.detach().exp() / logp_ref.detach().exp()).log() * mask
    return (remaining(ratio) * logp * mask).sum(1).mean()


@wrong(REWARD, "detached")
def a_python_number(logp, logp_ref, mask):
    return torch.tensor(flipped_sums(logp, logp_ref, mask).item())


@right("kl_in_loss")
def three_ifs(logp, logp_ref, mask, kind):
    x = torch.where(mask, logp - logp_ref.detach(), 0.0)
    if kind == "k1":
        each = x
    elif kind == "k2":
        each = 0.5 * x.square()
    else:
        each = torch.exp(-x) - 1 + x
    return each.sum(1).mean()


@right("kl_in_loss")
def matched(logp, logp_ref, mask, kind):
    x = (logp - logp_ref.data).masked_fill(~mask, 0)
    match kind:
        case "k1":
            total = x.sum()
        case "k2":
            total = (x * x).sum() / 2
        case "k3":
            total = (torch.expm1(-x) + x).sum()
    return total / x.shape[0]


@right("kl_in_loss")
def row_loop(logp, logp_ref, mask, kind):
    each = {"k1": lambda x: x, "k2": lambda x: x**2 / 2, "k3": lambda x: torch.expm1(-x) + x}[kind]
    loss = logp[:, :0].sum()
    for b in range(len(mask)):
        loss = loss + each(logp[b][mask[b]] - logp_ref[b][mask[b]].detach()).sum() / len(mask)
    return loss


@right("kl_in_loss")
def chosen_entries(logp, logp_ref, mask, kind):
    x = logp[mask] - logp_ref[mask].detach()
    each = x if kind == "k1" else x.pow(2).div(2) if kind == "k2" else (-x).exp() + x - 1
    return each.sum() / mask.size(0)


def estimate(x, kind):
    return {"k1": x, "k2": x**2 / 2, "k3": torch.expm1(-x) + x}[kind]


def of_ratio(change=estimate, mean=lambda x, m: x.sum(1).mean(), sign=1, mask_of=lambda m: m):
    def loss(logp, logp_ref, mask, kind):
        mask = mask_of(mask)
        x = sign * torch.where(mask, logp - logp_ref.detach(), 0.0)
        return mean(change(x, kind), mask)

    return loss


IN_LOSS = "kl_in_loss"


listed(IN_LOSS, "log-ratio-turned", "reference_less_policy", of_ratio(sign=-1))


listed(IN_LOSS, "mask-ignored", "unmasked", of_ratio(mask_of=torch.ones_like))


listed(IN_LOSS, "mask-inverted", "the_rest", of_ratio(mask_of=torch.logical_not))


listed(
    IN_LOSS,
    "mean-over-tokens",
    "per_token_mean",
    of_ratio(mean=lambda x, m: x.sum() / m.sum().clamp(min=1)),
)


listed(
    IN_LOSS,
    "mean-over-tokens",
    "sentence_means",
    of_ratio(mean=lambda x, m: (x.sum(1) / m.sum(1).clamp(min=1)).mean()),
)


listed(IN_LOSS, "summed", "never_averaged", of_ratio(mean=lambda x, m: x.sum()))


listed(
    IN_LOSS,
    "half-forgotten",
    "whole_square",
    of_ratio(lambda x, kind: x**2 if kind == "k2" else estimate(x, kind)),
)


listed(
    IN_LOSS,
    "k3-direction",
    "k3_of_the_other_sign",
    of_ratio(lambda x, kind: torch.expm1(x) - x if kind == "k3" else estimate(x, kind)),
)


listed(
    IN_LOSS,
    "k3-incomplete",
    "one_forgotten",
    of_ratio(lambda x, kind: torch.exp(-x) + x if kind == "k3" else estimate(x, kind)),
)


listed(IN_LOSS, "kind-ignored", "k3_always", of_ratio(lambda x, kind: estimate(x, "k3")))


listed(
    IN_LOSS,
    "k1-absolute",
    "never_negative",
    of_ratio(lambda x, kind: x.abs() if kind == "k1" else estimate(x, kind)),
)


@wrong(IN_LOSS, "gradient-through-reference")
def reference_differentiated(logp, logp_ref, mask, kind):
    return estimate(torch.where(mask, logp - logp_ref, 0.0), kind).sum(1).mean()


@wrong(IN_LOSS, "of-the-sentence")
def of_the_summed_ratio(logp, logp_ref, mask, kind):
    return estimate(torch.where(mask, logp - logp_ref.detach(), 0.0).sum(1), kind).mean()


@wrong(IN_LOSS, "nan-from-outside")
def masked_at_the_end(logp, logp_ref, mask, kind):
    x = logp - logp_ref.detach()
    each = {"k1": x, "k2": x**2 / 2, "k3": torch.exp(-x) - 1 + x}[kind]
    return torch.where(mask, each, 0.0).sum(1).mean()


@wrong("kl_in_loss", "held-back")
def logarithm_within_ten(logp, logp_ref, mask, kind):
    x = torch.where(mask, logp - logp_ref.detach(), 0.0).clamp(-10, 10)
    terms = {"k1": x, "k2": x**2 / 2, "k3": torch.expm1(-x) + x}
    return terms[kind].sum(1).mean()


@wrong("kl_reward_loss", "held-back")
def rewards_within_ten(logp, logp_ref, mask):
    x = torch.where(mask, (logp - logp_ref).clamp(-10, 10), 0.0).detach()
    to_go = x.flip(1).cumsum(1).flip(1)
    return (to_go * torch.where(mask, logp, 0.0)).sum(1).mean()
