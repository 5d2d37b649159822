"""Answers for rewards."""

import torch
import torch.nn.functional as F

from bank import right, wrong


@right("terminal_rewards")
def reversed_argmax(scores, mask):
    last = mask.shape[1] - 1 - mask.flip(1).int().argmax(1)
    rewards = torch.zeros(mask.shape, dtype=scores.dtype)
    rewards[torch.arange(len(scores)), last] = scores
    return rewards


@right("terminal_rewards")
def row_loop(scores, mask):
    rewards = scores.new_zeros(mask.shape)
    for b in range(len(scores)):
        rewards[b, mask[b].nonzero()[-1, 0]] = scores[b]
    return rewards


@right("terminal_rewards")
def nothing_true_follows(scores, mask):
    left = mask.int().flip(1).cumsum(1).flip(1)
    return torch.where(mask & (left == 1), scores.unsqueeze(1), torch.zeros((), dtype=scores.dtype))


@right("terminal_rewards")
def one_hot_of_largest_place(scores, mask):
    last = (torch.arange(mask.shape[1]) * mask).amax(1)
    return F.one_hot(last, mask.shape[1]).to(scores.dtype) * scores[:, None]


@right("terminal_rewards")
def scattered(scores, mask):
    last = torch.where(mask, torch.arange(mask.shape[1]), -1).max(1, keepdim=True).values
    return torch.zeros(mask.shape, dtype=scores.dtype).scatter(1, last, scores[:, None])


def at(scores, mask, place):
    rewards = torch.zeros(mask.shape, dtype=scores.dtype)
    rewards[torch.arange(len(scores)), place] = scores
    return rewards


def end_of(mask):
    return (torch.arange(mask.shape[1]) * mask).amax(1)


@wrong("terminal_rewards", "at-the-row-end")
def last_column(scores, mask):
    rewards = torch.zeros(mask.shape, dtype=scores.dtype)
    rewards[:, -1] = scores
    return rewards


@wrong("terminal_rewards", "everywhere")
def at_every_token(scores, mask):
    return scores[:, None] * mask


@wrong("terminal_rewards", "shared-out")
def divided(scores, mask):
    return scores[:, None] * mask / mask.sum(1, keepdim=True)


@wrong("terminal_rewards", "at-the-first")
def first_token(scores, mask):
    return at(scores, mask, mask.int().argmax(1))


@wrong("terminal_rewards", "after-the-end")
def one_too_late(scores, mask):
    return at(scores, mask, (end_of(mask) + 1).clamp(max=mask.shape[1] - 1))


@wrong("terminal_rewards", "one-before-the-end")
def one_too_early(scores, mask):
    return at(scores, mask, (end_of(mask) - 1).clamp(min=0))


@wrong("terminal_rewards", "length-as-index")
def number_of_true_entries(scores, mask):
    return at(scores, mask, mask.sum(1) - 1)


@wrong("terminal_rewards", "gap-taken-for-end")
def start_and_length(scores, mask):
    return at(scores, mask, mask.int().argmax(1) + mask.sum(1) - 1)


@wrong("terminal_rewards", "absolute-value")
def sign_lost(scores, mask):
    return at(scores.abs(), mask, end_of(mask))


@wrong("terminal_rewards", "array-returned")
def in_numpy(scores, mask):
    return at(scores, mask, end_of(mask)).numpy()


@right("terminal_rewards")
def of_torchs_usual_dtype(scores, mask):
    rewards = torch.zeros(mask.shape)
    for row, kept in enumerate(mask):
        rewards[row, torch.where(kept)[0][-1]] = scores[row].float()
    return rewards


@wrong("terminal_rewards", "gap-taken-for-end")
def where_the_next_is_false(scores, mask):
    following = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
    return torch.where(mask & ~following, scores[:, None], 0.0)


@wrong("terminal_rewards", "tensor-returned")
def whole_numbers(scores, mask):
    return of_torchs_usual_dtype(scores, mask).long()


@right("kl_shaped_rewards")
def times_mask(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * (logp - logp_ref) * mask


@right("kl_shaped_rewards")
def where_true(rewards, logp, logp_ref, mask, beta):
    return torch.where(mask, rewards + beta * (logp_ref - logp), rewards)


@right("kl_shaped_rewards")
def on_a_copy(rewards, logp, logp_ref, mask, beta):
    shaped = rewards.clone()
    shaped[mask] -= beta * (logp[mask] - logp_ref[mask])
    return shaped


@right("kl_shaped_rewards")
def entry_by_entry(rewards, logp, logp_ref, mask, beta):
    shaped = rewards.detach().clone()
    for b, t in mask.nonzero().tolist():
        shaped[b, t] = rewards[b, t] - beta * logp[b, t] + beta * logp_ref[b, t]
    return shaped


@right("kl_shaped_rewards")
def masked_filled(rewards, logp, logp_ref, mask, beta):
    return torch.sub(rewards, (logp - logp_ref).masked_fill(~mask, 0.0), alpha=beta)


@wrong("kl_shaped_rewards", "kl-sign")
def bonus(rewards, logp, logp_ref, mask, beta):
    return rewards + beta * (logp - logp_ref) * mask


@wrong("kl_shaped_rewards", "kl-sign")
def roles_swapped(rewards, logp, logp_ref, mask, beta):
    return torch.where(mask, rewards - beta * (logp_ref - logp), rewards)


@wrong("kl_shaped_rewards", "mask-ignored")
def charged_everywhere(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * (logp - logp_ref)


@wrong("kl_shaped_rewards", "outside-erased")
def rest_set_to_zero(rewards, logp, logp_ref, mask, beta):
    return torch.where(mask, rewards - beta * (logp - logp_ref), torch.zeros_like(rewards))


@wrong("kl_shaped_rewards", "mask-inverted")
def charged_outside(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * (logp - logp_ref) * ~mask


@wrong("kl_shaped_rewards", "ratio-not-log")
def ratio(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * torch.exp(logp - logp_ref) * mask


@wrong("kl_shaped_rewards", "ratio-not-log")
def difference_of_probabilities(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * (torch.exp(logp) - torch.exp(logp_ref)) * mask


@wrong("kl_shaped_rewards", "ratio-of-logs")
def quotient_of_logs(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * (logp / logp_ref) * mask


@wrong("kl_shaped_rewards", "other-estimator")
def third_estimate(rewards, logp, logp_ref, mask, beta):
    apart = logp_ref - logp
    return rewards - beta * (apart.exp() - 1 - apart) * mask


@wrong("kl_shaped_rewards", "other-estimator")
def squared(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * 0.5 * (logp - logp_ref) ** 2 * mask


@wrong("kl_shaped_rewards", "other-estimator")
def never_negative(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * torch.relu(logp - logp_ref) * mask


@wrong("kl_shaped_rewards", "beta-ignored")
def full_price(rewards, logp, logp_ref, mask, beta):
    return rewards - (logp - logp_ref) * mask


@wrong("kl_shaped_rewards", "paid-at-the-end")
def whole_sentence_at_the_end(rewards, logp, logp_ref, mask, beta):
    shaped = rewards.clone()
    total = ((logp - logp_ref) * mask).sum(1)
    shaped[torch.arange(len(shaped)), end_of(mask)] -= beta * total
    return shaped


@wrong("kl_shaped_rewards", "averaged")
def mean_of_the_batch(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * (logp - logp_ref)[mask].mean() * mask


@wrong("kl_shaped_rewards", "averaged")
def sum_of_the_row(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * ((logp - logp_ref) * mask).sum(1, keepdim=True) * mask


@wrong("kl_shaped_rewards", "no-reference")
def own_log_probability(rewards, logp, logp_ref, mask, beta):
    return rewards - beta * logp * mask


@wrong("kl_shaped_rewards", "rewards-left-out")
def penalty_alone(rewards, logp, logp_ref, mask, beta):
    return -beta * (logp - logp_ref) * mask


@wrong("kl_shaped_rewards", "changed-inputs")
def in_place(rewards, logp, logp_ref, mask, beta):
    rewards -= beta * (logp - logp_ref) * mask
    return rewards


@wrong("kl_shaped_rewards", "other-estimator")
def kl_div_by_token(rewards, logp, logp_ref, mask, beta):
    penalty = torch.nn.functional.kl_div(logp, logp_ref, log_target=True, reduction="none")
    return rewards - beta * penalty * mask


@wrong("kl_shaped_rewards", "held-back")
def charge_within_ten(rewards, logp, logp_ref, mask, beta):
    charge = beta * (logp - logp_ref).clamp(-10, 10)
    return torch.where(mask, rewards - charge, rewards)
