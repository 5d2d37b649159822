"""The bank of 06_toward_language. Helpers are the bank's own, so that no two styles share code."""

import copy
import math

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, value, wrong

# token_logp -----------------------------------------------------------------------------------


@right("token_logp")
def gathered(logits, tokens):
    logp = torch.log_softmax(logits, dim=-1)[:, :-1]
    return torch.gather(logp, 2, tokens[:, 1:].unsqueeze(2)).squeeze(2)


@right("token_logp")
def cross_entropy(logits, tokens):
    return -F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


@right("token_logp")
def categorical(logits, tokens):
    return torch.distributions.Categorical(logits=logits[:, :-1]).log_prob(tokens[:, 1:])


@right("token_logp")
def in_loops(logits, tokens):
    rows = []
    for b in range(len(tokens)):
        row = [F.log_softmax(logits[b, t], 0)[tokens[b, t + 1]] for t in range(tokens.shape[1] - 1)]
        rows.append(torch.stack(row))
    return torch.stack(rows)


@right("token_logp")
def one_hot_and_logsumexp(logits, tokens):
    logits, tokens = logits[:, :-1, :], tokens[:, 1:]
    hot = F.one_hot(tokens, logits.shape[-1]).to(logits.dtype)
    return (logits * hot).sum(-1) - torch.logsumexp(logits, -1)


def taken(table, tokens):
    return torch.gather(table, -1, tokens.unsqueeze(-1))[..., 0]


@wrong("token_logp", "off-by-one")
def same_position(logits, tokens):
    return taken(logits.log_softmax(-1)[:, :-1], tokens[:, :-1])


@wrong("token_logp", "off-by-one")
def same_position_late(logits, tokens):
    return taken(logits.log_softmax(-1)[:, 1:], tokens[:, 1:])


@wrong("token_logp", "shifted-backwards")
def backwards(logits, tokens):
    return taken(logits.log_softmax(-1)[:, 1:], tokens[:, :-1])


@wrong("token_logp", "not-shifted")
def unshifted(logits, tokens):
    return taken(logits.log_softmax(-1), tokens)


@wrong("token_logp", "all-tokens")
def whole_vocabulary(logits, tokens):
    return logits.log_softmax(-1)[:, :-1]


@wrong("token_logp", "probability-not-log")
def probabilities(logits, tokens):
    return taken(logits.softmax(-1)[:, :-1], tokens[:, 1:])


@wrong("token_logp", "not-normalised")
def raw_logits(logits, tokens):
    return taken(logits[:, :-1], tokens[:, 1:])


@wrong("token_logp", "wrong-axis")
def over_positions(logits, tokens):
    return taken(logits[:, :-1].log_softmax(dim=1), tokens[:, 1:])


@wrong("token_logp", "wrong-axis")
def over_the_batch(logits, tokens):
    return taken(logits[:, :-1].log_softmax(dim=0), tokens[:, 1:])


@wrong("token_logp", "minus-sign")
def negative_log_likelihood(logits, tokens):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


@wrong("token_logp", "greedy")
def likeliest(logits, tokens):
    return logits[:, :-1].log_softmax(-1).amax(-1)


@wrong("token_logp", "summed")
def sentence(logits, tokens):
    return taken(logits.log_softmax(-1)[:, :-1], tokens[:, 1:]).sum(1)


@wrong("token_logp", "detached")
def without_graph(logits, tokens):
    with torch.no_grad():
        return taken(logits.log_softmax(-1)[:, :-1], tokens[:, 1:])


@wrong("token_logp", "overflow")
def log_after_softmax(logits, tokens):
    return torch.log(taken(logits.softmax(-1)[:, :-1], tokens[:, 1:]))


@wrong("token_logp", "overflow")
def by_hand(logits, tokens):
    weights = logits.exp()
    return torch.log(taken(weights[:, :-1], tokens[:, 1:]) / weights[:, :-1].sum(-1))


@wrong("token_logp", "array-returned")
def as_numpy(logits, tokens):
    return gathered(logits, tokens).detach().numpy()


# completion_mask ------------------------------------------------------------------------------


@right("completion_mask")
def cumulated(tokens, prompt_length, eos):
    completion = tokens[:, prompt_length:]
    before = torch.cumsum((completion == eos).int(), 1) - (completion == eos).int()
    prompt = torch.zeros(len(tokens), prompt_length - 1, dtype=torch.bool)
    return torch.cat([prompt, before == 0], dim=1)


@right("completion_mask")
def row_by_row(tokens, prompt_length, eos):
    mask = torch.zeros(tokens.shape[0], tokens.shape[1] - 1, dtype=torch.bool)
    for b, row in enumerate(tokens.tolist()):
        t = prompt_length
        while t < len(row):
            mask[b, t - 1] = True
            if row[t] == eos:
                break
            t += 1
    return mask


@right("completion_mask")
def by_places(tokens, prompt_length, eos):
    place = torch.arange(tokens.shape[1])
    is_end = (tokens == eos) & (place >= prompt_length)
    last = torch.where(is_end, place, tokens.shape[1]).amin(1, keepdim=True)
    return ((place >= prompt_length) & (place <= last))[:, 1:]


@right("completion_mask")
def with_a_loop_over_time(tokens, prompt_length, eos):
    alive, columns = torch.ones(len(tokens), dtype=torch.bool), []
    for t in range(1, tokens.shape[1]):
        if t < prompt_length:
            columns.append(torch.zeros_like(alive))
        else:
            columns.append(alive.clone())
            alive = alive & (tokens[:, t] != eos)
    return torch.stack(columns, dim=1)


@right("completion_mask")
def with_numpy(tokens, prompt_length, eos):
    tokens = tokens.numpy()
    ends = np.logical_or.accumulate(tokens[:, prompt_length:] == eos, axis=1)
    mask = np.zeros((len(tokens), tokens.shape[1] - 1), dtype=bool)
    mask[:, prompt_length - 1 : prompt_length] = True
    mask[:, prompt_length:] = ~ends[:, :-1] if ends.shape[1] else True
    return torch.from_numpy(mask)


def finished(tokens, prompt_length, eos):
    """How many eos there were before each token of the completion, and whether it is one."""
    ends = (tokens[:, prompt_length:] == eos).int()
    return ends.cumsum(1) - ends, ends.bool()


def filled(part, prompt_length, before=False):
    return torch.cat([torch.full((len(part), prompt_length - 1), before), part], 1)


@wrong("completion_mask", "eos-left-out")
def without_the_first_eos(tokens, prompt_length, eos):
    seen, ends = finished(tokens, prompt_length, eos)
    return filled((seen == 0) & ~ends, prompt_length)


@wrong("completion_mask", "kept-after-eos")
def everything_after_the_prompt(tokens, prompt_length, eos):
    return (torch.arange(1, tokens.shape[1]) >= prompt_length).expand(len(tokens), -1)


@wrong("completion_mask", "kept-after-eos")
def to_the_last_eos(tokens, prompt_length, eos):
    ends = (tokens[:, prompt_length:] == eos).int()
    return filled(ends.flip(1).cumsum(1).flip(1) > 0, prompt_length)


@wrong("completion_mask", "kept-after-eos")
def one_token_too_many(tokens, prompt_length, eos):
    seen, ends = finished(tokens, prompt_length, eos)
    return filled(seen + ends.int() <= 1, prompt_length)


@wrong("completion_mask", "all-eos-left-out")
def not_eos(tokens, prompt_length, eos):
    return filled(tokens[:, prompt_length:] != eos, prompt_length)


@wrong("completion_mask", "only-eos")
def the_end_alone(tokens, prompt_length, eos):
    seen, ends = finished(tokens, prompt_length, eos)
    return filled((seen == 0) & ends, prompt_length)


@wrong("completion_mask", "inverted")
def true_where_to_ignore(tokens, prompt_length, eos):
    return ~cumulated(tokens, prompt_length, eos)


@wrong("completion_mask", "misaligned")
def last_column_cut(tokens, prompt_length, eos):
    seen, _ends = finished(tokens, prompt_length, eos)
    return filled(seen == 0, prompt_length + 1)[:, :-1]


@wrong("completion_mask", "misaligned")
def first_token_forgotten(tokens, prompt_length, eos):
    mask = cumulated(tokens, prompt_length, eos)
    mask[:, :prompt_length] = False
    return mask


@wrong("completion_mask", "misaligned")
def last_prompt_token_kept(tokens, prompt_length, eos):
    mask = cumulated(tokens, prompt_length, eos)
    mask[:, max(0, prompt_length - 2)] = True
    return mask


@wrong("completion_mask", "not-aligned")
def as_long_as_the_tokens(tokens, prompt_length, eos):
    seen, _ends = finished(tokens, prompt_length, eos)
    return filled(seen == 0, prompt_length + 1)


@wrong("completion_mask", "prompt-kept")
def prompt_and_completion(tokens, prompt_length, eos):
    seen, _ends = finished(tokens, prompt_length, eos)
    return filled(seen == 0, prompt_length, True)


@wrong("completion_mask", "eos-in-prompt")
def any_eos_ends(tokens, prompt_length, eos):
    ends = (tokens == eos).int()
    mask = ends.cumsum(1) - ends == 0
    mask[:, :prompt_length] = False
    return mask[:, 1:]


@wrong("completion_mask", "not-bool")
def zeros_and_ones(tokens, prompt_length, eos):
    return cumulated(tokens, prompt_length, eos).float()


@wrong("completion_mask", "step:value")
def eos_is_the_last_number(tokens, prompt_length, eos):
    return cumulated(tokens, prompt_length, int(tokens.max()))


@wrong("completion_mask", "end-not-there")
def argmax_of_the_ends(tokens, prompt_length, eos):
    place = torch.arange(tokens.shape[1])
    ends = (tokens == eos) & (place >= prompt_length)
    last = ends.int().argmax(1)
    return ((place >= prompt_length) & (place <= last[:, None]))[:, 1:]


@wrong("completion_mask", "argument-ignored")
def prompts_of_two(tokens, prompt_length, eos):
    rows = []
    for row in tokens.tolist():
        open_, kept = True, []
        for place, token in enumerate(row):
            kept.append(place >= 2 and open_)
            open_ = open_ and not (place >= 2 and token == eos)
        rows.append(kept[1:])
    return torch.tensor(rows, dtype=torch.bool)


# masked_mean ----------------------------------------------------------------------------------


@right("masked_mean")
def clamped_count(x, mask):
    return (x * mask).sum() / mask.sum().clamp(min=1)


@right("masked_mean")
def where_and_max(x, mask):
    chosen = torch.where(mask, x, torch.zeros_like(x))
    return chosen.sum() / max(1, int(mask.sum()))


@right("masked_mean")
def indexed(x, mask):
    return x[mask].mean() if mask.any() else x.new_zeros(())


@right("masked_mean")
def sum_of_indexed(x, mask):
    kept = torch.masked_select(x, mask)
    return torch.sum(kept) / (len(kept) or 1)


@right("masked_mean")
def weighted(x, mask):
    weights = mask.to(x.dtype)
    return torch.dot(x.flatten(), (weights / (weights.sum() + (weights.sum() == 0))).flatten())


@wrong("masked_mean", "mask-ignored")
def plain_mean(x, mask):
    return x.mean()


@wrong("masked_mean", "divided-by-size")
def zeros_averaged(x, mask):
    return (x * mask).mean()


@wrong("masked_mean", "not-divided")
def just_the_sum(x, mask):
    return x[mask].sum()


@wrong("masked_mean", "row-means")
def mean_of_means(x, mask):
    return ((x * mask).sum(-1) / mask.sum(-1).clamp(min=1)).mean()


@wrong("masked_mean", "one-per-row")
def each_row(x, mask):
    return (x * mask).sum(-1) / mask.sum(-1).clamp(min=1)


@wrong("masked_mean", "empty-mask")
def zero_by_zero(x, mask):
    return (x * mask).sum() / mask.sum()


@wrong("masked_mean", "empty-mask")
def mean_of_indexed(x, mask):
    return torch.masked_select(x, mask).mean()


@wrong("masked_mean", "nan-in-gradient")
def where_after_dividing(x, mask):
    mean = (x * mask).sum() / mask.sum()
    return torch.where(mask.any(), mean, torch.zeros_like(mean))


@wrong("masked_mean", "zeros-skipped")
def count_of_nonzero(x, mask):
    kept = x * mask
    return kept.sum() / torch.count_nonzero(kept).clamp(min=1)


@wrong("masked_mean", "inverted")
def the_others(x, mask):
    return (x * ~mask).sum() / (~mask).sum().clamp(min=1)


@wrong("masked_mean", "count-plus-one")
def guarded_by_one(x, mask):
    return (x * mask).sum() / (mask.sum() + 1)


@wrong("masked_mean", "detached")
def a_python_number(x, mask):
    return torch.tensor(clamped_count(x, mask).item(), dtype=x.dtype)


@wrong("masked_mean", "row-means")
def rows_by_number(x, mask):
    return (torch.where(mask, x, 0.0).sum(1) / mask.sum(1).clamp(min=1)).mean()


@wrong("masked_mean", "changed-inputs")
def erased_in_place(x, mask):
    with torch.no_grad():
        x[~mask] = 0
    return x.sum() / mask.sum().clamp(min=1)


# terminal_rewards -----------------------------------------------------------------------------


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


# kl_shaped_rewards ----------------------------------------------------------------------------


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


# ppo_token_loss -------------------------------------------------------------------------------


@right("ppo_token_loss")
def masked_objective(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp((logp - logp_old.detach()).masked_fill(~mask, 0.0))
    adv = adv.detach()
    gain = torch.minimum(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(gain * mask).sum() / mask.sum().clamp(min=1)


@right("ppo_token_loss")
def chosen_tokens_alone(logp, logp_old, adv, mask, clip=0.2):
    logp, logp_old, adv = logp[mask], logp_old[mask].detach(), adv[mask].detach()
    ratio = (logp - logp_old).exp()
    losses = torch.maximum(-ratio * adv, -ratio.clip(1 - clip, 1 + clip) * adv)
    return losses.sum() / max(1, len(losses))


@right("ppo_token_loss")
def limit_by_sign(logp, logp_old, adv, mask, clip=0.2):
    adv = adv.data
    ratio = torch.where(mask, logp - logp_old.data, 0).exp()
    low = torch.where(adv > 0, torch.zeros_like(adv), torch.full_like(adv, 1 - clip))
    high = torch.where(adv > 0, torch.full_like(adv, 1 + clip), torch.full_like(adv, float("inf")))
    held = torch.minimum(torch.maximum(ratio, low), high)
    return -torch.where(mask, held * adv, 0).sum() / mask.sum().clamp(min=1)


@right("ppo_token_loss")
def token_loop(logp, logp_old, adv, mask, clip=0.2):
    terms = [0.0 * logp.sum()]
    for b, t in mask.nonzero().tolist():
        ratio, weight = torch.exp(logp[b, t] - logp_old[b, t].item()), float(adv[b, t])
        stopped = float(ratio) > 1 + clip if weight > 0 else float(ratio) < 1 - clip
        edge = 1 + clip if weight > 0 else 1 - clip
        terms.append(-(edge + 0 * ratio if stopped else ratio) * weight)
    return sum(terms) / max(1, len(terms) - 1)


@right("ppo_token_loss")
def weighted_by_share(logp, logp_old, adv, mask, clip=0.2):
    share = mask.to(logp.dtype) / max(1, int(mask.sum()))
    ratio = math.e ** (torch.where(mask, logp, 0) - torch.where(mask, logp_old.detach(), 0))
    pair = torch.stack([ratio * adv.detach(), ratio.clamp(1 - clip, 1 + clip) * adv.detach()])
    return -torch.einsum("bt,bt->", pair.amin(0), share)


@wrong("ppo_token_loss", "gradient-through-advantage")
def advantages_differentiated(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(torch.where(mask, logp - logp_old.detach(), 0.0))
    gained = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -(gained * mask).sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "empty-mask")
def mean_of_what_is_chosen(logp, logp_old, adv, mask, clip=0.2):
    logp, logp_old, adv = logp[mask], logp_old[mask].detach(), adv[mask].detach()
    return -gain(logp, logp_old, adv, clip).mean()


@wrong("ppo_token_loss", "mask-after-exp")
def where_after_exp(logp, logp_old, adv, mask, clip=0.2):
    gained = gain(logp, logp_old, adv.detach(), clip)
    return -torch.where(mask, gained, 0.0).sum() / mask.sum().clamp(min=1)


def dually_clipped(logp, logp_old, adv, mask, clip, bound):
    adv = adv.detach()
    gained = gain(logp, logp_old, adv, clip)
    gained = torch.where(adv < 0, torch.maximum(gained, bound * adv), gained)
    return -(gained * mask).sum() / mask.sum().clamp(min=1)


@wrong("ppo_token_loss", "dual-clip")
def dual_clip_at_three(logp, logp_old, adv, mask, clip=0.2):
    return dually_clipped(logp, logp_old, adv, mask, clip, 3.0)


@wrong("ppo_token_loss", "dual-clip")
def dual_clip_at_five(logp, logp_old, adv, mask, clip=0.2):
    return dually_clipped(logp, logp_old, adv, mask, clip, 5.0)


def gain(logp, logp_old, adv, clip):
    ratio = torch.exp(logp - logp_old.detach())
    return torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)


@wrong("ppo_token_loss", "mask-ignored")
def padding_counts(logp, logp_old, adv, mask, clip=0.2):
    return -gain(logp, logp_old, adv, clip).mean()


@wrong("ppo_token_loss", "divided-by-size")
def padding_in_the_denominator(logp, logp_old, adv, mask, clip=0.2):
    return -(gain(logp, logp_old, adv, clip) * mask).mean()


@wrong("ppo_token_loss", "row-means")
def sentence_means(logp, logp_old, adv, mask, clip=0.2):
    total = (gain(logp, logp_old, adv, clip) * mask).sum(1)
    return -(total / mask.sum(1).clamp(min=1)).mean()


@wrong("ppo_token_loss", "sum-not-mean")
def total_loss(logp, logp_old, adv, mask, clip=0.2):
    return -gain(logp, logp_old, adv, clip)[mask].sum()


@wrong("ppo_token_loss", "sum-not-mean")
def mean_of_sentence_sums(logp, logp_old, adv, mask, clip=0.2):
    return -(gain(logp, logp_old, adv, clip) * mask).sum(1).mean()


@wrong("ppo_token_loss", "objective-not-loss")
def to_be_maximised(logp, logp_old, adv, mask, clip=0.2):
    return gain(logp, logp_old, adv, clip)[mask].mean()


@wrong("ppo_token_loss", "max-not-min")
def the_larger(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp - logp_old.detach())
    return -torch.max(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "clip-without-min")
def clip_alone(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp - logp_old.detach()).clamp(1 - clip, 1 + clip)
    return -(ratio * adv)[mask].mean()


@wrong("ppo_token_loss", "not-clipped")
def surrogate(logp, logp_old, adv, mask, clip=0.2):
    return -(torch.exp(logp - logp_old.detach()) * adv)[mask].mean()


@wrong("ppo_token_loss", "clip-fixed")
def always_a_fifth(logp, logp_old, adv, mask, clip=0.2):
    return -gain(logp, logp_old, adv, 0.2)[mask].mean()


@wrong("ppo_token_loss", "inverted-ratio")
def old_over_new(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp_old.detach() - logp)
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "no-exp")
def difference_of_logs(logp, logp_old, adv, mask, clip=0.2):
    ratio = logp - logp_old.detach()
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "sentence-ratio")
def one_ratio_a_sentence(logp, logp_old, adv, mask, clip=0.2):
    ratio = ((logp - logp_old.detach()) * mask).sum(1, keepdim=True).exp().expand_as(adv)
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "gradient-through-old")
def old_differentiated(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(logp - logp_old)
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)[mask].mean()


@wrong("ppo_token_loss", "advantages-whitened")
def whitened_inside(logp, logp_old, adv, mask, clip=0.2):
    chosen = adv[mask]
    adv = (adv - chosen.mean()) / (chosen.std(unbiased=False) + 1e-8)
    return -gain(logp, logp_old, adv, clip)[mask].mean()


@wrong("ppo_token_loss", "detached")
def a_number(logp, logp_old, adv, mask, clip=0.2):
    with torch.no_grad():
        return -gain(logp, logp_old, adv, clip)[mask].mean()


@wrong("ppo_token_loss", "advantages-whitened")
def whitened_by_torchs_std(logp, logp_old, adv, mask, clip=0.2):
    chosen = adv[mask]
    if len(chosen) > 1:
        adv = (adv - chosen.mean()) / (chosen.std() + 1e-8)
    ratio = torch.exp(logp - logp_old.detach())
    gained = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -gained[mask].sum() / mask.sum().clamp(min=1)


# train_language_ppo ---------------------------------------------------------------------------


def advantages(rewards, values, mask, lam):
    """GAE along each row (gamma 1), for the masked entries; 0 elsewhere."""
    adv, running = torch.zeros_like(values), torch.zeros(len(values))
    following = torch.zeros(len(values))
    for t in reversed(range(values.shape[1])):
        on = mask[:, t]
        error = rewards[:, t] + following - values[:, t]
        running = torch.where(on, error + lam * running, 0.0)
        following = torch.where(on, values[:, t], 0.0)
        adv[:, t] = running
    return adv


def scored(model, tokens):
    return gathered(model(tokens), tokens)


def orders(size, part, rng):
    places = rng.permutation(size)
    return [torch.as_tensor(places[i : i + part]) for i in range(0, size, part)]


def paid(language, tokens, mask, logp, logp_ref, beta):
    return reversed_argmax(language.score(tokens), mask) - beta * (logp - logp_ref) * mask


def trainer(
    *,
    lam=0.95,
    white=True,
    reward=paid,
    old=None,
    loss_of=masked_objective,
    value_coef=0.5,
    sample=None,
    reference_of=None,
    extra=None,
    draw=orders,
    mask_of=cumulated,
    zero=True,
    places=slice(None, -1),
    loss_places=None,
    target=lambda adv, white, values: adv + values,
    value_mask=lambda mask: mask,
    whiten=lambda adv, mask: (adv - adv[mask].mean()) / (adv[mask].std() + 1e-8),
    gae_of=advantages,
    backward=lambda loss, value_loss: (loss + value_loss).backward(),
    first_of=lambda logp, logp_ref: logp,
):
    """A right training loop, with places where one thing can be changed."""

    def train(
        language,
        policy,
        critic,
        reference,
        optimizer,
        *,
        num_updates,
        batch_size,
        beta,
        rng,
        epochs=4,
        minibatch_size=64,
        clip=0.2,
    ):
        history = []
        kept = copy.deepcopy(policy)
        for _ in range(num_updates):
            writer = policy if sample is None else sample(policy, reference)
            tokens = language.sample(writer, batch_size)
            mask = mask_of(tokens, language.prompt_length, language.eos)
            with torch.no_grad():
                logp_old, values = scored(policy, tokens), critic(tokens)[:, places]
                model = reference if reference_of is None else reference_of(policy, kept, reference)
                logp_ref = scored(model, tokens)
            rewards = reward(language, tokens, mask, logp_old, logp_ref, beta)
            logp_old = first_of(logp_old, logp_ref)
            raw = gae_of(rewards, values, mask, lam)
            adv = whiten(raw, mask) if white else raw
            ret = target(raw, adv, values)
            for _ in range(epochs):
                for idx in draw(batch_size, minibatch_size, rng):
                    logp = scored(policy, tokens[idx])
                    before = logp_old[idx] if old is None else old(logp)
                    loss = loss_of(logp, before, adv[idx], mask[idx], clip)
                    error = (critic(tokens[idx])[:, loss_places or places] - ret[idx]) ** 2
                    value_loss = value_coef * error[value_mask(mask[idx])].mean()
                    if extra is not None:
                        loss = loss + beta * extra(policy, reference, tokens[idx], mask[idx])
                    if zero:
                        optimizer.zero_grad()
                    backward(loss, value_loss)
                    optimizer.step()
            history.append({"score": language.score(tokens).mean().item()})
        return history

    return train


def named(exercise, mistake, label, function):
    """Registers a function under another name than its own."""
    function.__name__ = label
    (wrong(exercise, mistake) if mistake else right(exercise))(function)


NAME = "train_language_ppo"
named(NAME, None, "gae_and_whitening", trainer())
named(NAME, None, "reward_to_go_as_it_is", trainer(lam=1.0, white=False))
named(
    NAME,
    None,
    "penalty_at_the_end",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: reversed_argmax(
            language.score(tokens) - beta * ((logp - ref) * mask).sum(1), mask
        )
    ),
)
named(
    NAME,
    None,
    "loss_of_chosen_tokens",
    trainer(loss_of=chosen_tokens_alone, lam=0.9, value_coef=1.0),
)


def whole_rows(rewards, values, mask, lam):
    """GAE as the lesson's token_gae: entries outside the mask get numbers as well."""
    last = mask & (mask.flip(1).cumsum(1).flip(1) == 1)
    errors = rewards + torch.roll(values, -1, 1) * ~last - values
    adv, running = torch.zeros_like(values), torch.zeros(len(values))
    for t in reversed(range(values.shape[1])):
        running = errors[:, t] + lam * running * ~last[:, t]
        adv[:, t] = running
    return adv


def one_after_the_other(loss, value_loss):
    value_loss.backward()
    loss.backward()


class Shorter:
    """A module that is never shown the last token, by keyword."""

    def __init__(self, module):
        self.module, self.parameters = module, module.parameters

    def __call__(self, tokens):
        return F.pad(self.module(obs=tokens[:, :-1]), (0, 1))


@right(NAME)
def critic_of_shorter_rows(language, policy, critic, *given, **options):
    return trainer(gae_of=whole_rows)(language, policy, Shorter(critic), *given, **options)


named(
    NAME,
    None,
    "two_backward_passes",
    trainer(backward=one_after_the_other, value_coef=1.0, gae_of=whole_rows),
)


@right(NAME)
def sentence_by_sentence(
    language,
    policy,
    critic,
    reference,
    optimizer,
    *,
    num_updates,
    batch_size,
    beta,
    rng,
    epochs=4,
    minibatch_size=64,
    clip=0.2,
):
    """Advantages one sentence at a time in plain Python, whitened in each minibatch."""
    log = []
    for _ in range(num_updates):
        tokens = language.sample(policy, batch_size)
        scores, mask = (
            language.score(tokens),
            row_by_row(tokens, language.prompt_length, language.eos),
        )
        old, ref = scored(policy, tokens).detach(), scored(reference, tokens).detach()
        values, adv, ret = critic(tokens).detach(), torch.zeros(mask.shape), torch.zeros(mask.shape)
        for b in range(batch_size):
            total, places = float(scores[b]), mask[b].nonzero()[:, 0].tolist()
            for t in reversed(places):
                total -= beta * float(old[b, t] - ref[b, t])
                ret[b, t], adv[b, t] = total, total - float(values[b, t])
        for _ in range(epochs):
            for idx in orders(batch_size, minibatch_size, rng):
                m, a = mask[idx], adv[idx]
                a = (a - a[m].mean()) / (a[m].std(unbiased=False) + 1e-6)
                value = F.mse_loss(critic(tokens[idx])[:, :-1][m], ret[idx][m])
                loss = (
                    chosen_tokens_alone(scored(policy, tokens[idx]), old[idx], a, m, clip) + value
                )
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
        log.append({"score": float(scores.mean()), "kl": float(((old - ref) * mask).sum(1).mean())})
    return log


def unclipped(logp, old, adv, mask, clip):
    return -((torch.exp(logp - old) * adv) * mask).sum() / mask.sum()


def whole_divergence(policy, reference, tokens, mask):
    logp, ref = (m(tokens)[:, :-1].log_softmax(-1) for m in (policy, reference))
    return (logp.exp() * (logp - ref)).sum(-1)[mask].mean()


named(
    NAME,
    "no-leash",
    "nothing_charged",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: reversed_argmax(
            language.score(tokens), mask
        )
    ),
)
named(
    NAME,
    "other-beta",
    "half_whatever_is_asked",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: paid(
            language, tokens, mask, logp, ref, 0.5
        )
    ),
)
named(NAME, "no-leash", "old_for_reference", trainer(reference_of=lambda policy, kept, ref: policy))
named(
    NAME,
    "kl-sign",
    "drift_is_paid",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: paid(
            language, tokens, mask, logp, ref, -beta
        )
    ),
)
named(
    NAME,
    "kl-twice",
    "charged_twice",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: paid(
            language, tokens, mask, logp, ref, 2 * beta
        )
    ),
)
named(NAME, "kl-twice", "in_reward_and_loss", trainer(extra=whole_divergence))
named(NAME, "old-recomputed", "ratio_is_always_one", trainer(old=lambda logp: logp.detach()))
named(NAME, "no-clip", "surrogate_on_tokens", trainer(loss_of=unclipped))
named(
    NAME,
    "other-clip",
    "clip_left_at_its_default",
    trainer(loss_of=lambda logp, old, adv, mask, clip: masked_objective(logp, old, adv, mask)),
)
named(NAME, "minus-sign", "uphill", trainer(loss_of=lambda *given: -masked_objective(*given)))
named(
    NAME,
    "prompt-trained",
    "no_mask_in_the_loss",
    trainer(
        loss_of=lambda logp, old, adv, mask, clip: masked_objective(
            logp, old, adv, torch.ones_like(mask), clip
        )
    ),
)
named(NAME, "padding-trained", "all_after_the_prompt", trainer(mask_of=everything_after_the_prompt))
named(
    NAME,
    "sampled-from-reference",
    "the_references_sentences",
    trainer(sample=lambda policy, reference: reference),
)
named(
    NAME,
    "critic-not-trained",
    "no_value_loss",
    trainer(backward=lambda loss, value_loss: loss.backward()),
)
for label, gae_of in {"": advantages, "_whole_rows": whole_rows}.items():
    named(
        NAME,
        "target-is-advantage",
        "critic_learns_advantages" + label,
        trainer(gae_of=gae_of, target=lambda adv, white, values: adv),
    )
    named(
        NAME,
        "whitened-everywhere",
        "all_columns_whitened" + label,
        trainer(gae_of=gae_of, whiten=lambda adv, mask: (adv - adv.mean()) / adv.std()),
    )
named(
    NAME,
    "target-is-whitened",
    "whitened_targets",
    trainer(gae_of=whole_rows, target=lambda adv, white, values: white),
)
named(
    NAME,
    "target-is-whitened",
    "whitened_too_early",
    trainer(gae_of=whole_rows, target=lambda adv, white, values: white + values),
)
named(
    NAME,
    "value-loss-unmasked",
    "every_entry_in_the_critics_loss",
    trainer(gae_of=whole_rows, value_mask=torch.ones_like),
)
named(
    NAME,
    "value-loss-unmasked",
    "frozen_values_outside",
    trainer(value_mask=torch.ones_like),
)
named(NAME, "values-late", "values_that_saw_the_token", trainer(places=slice(1, None)))
named(
    NAME,
    "values-late",
    "baselines_that_saw_the_token",
    trainer(places=slice(1, None), loss_places=slice(None, -1)),
)
named(
    NAME,
    "old-from-reference",
    "ratio_to_the_reference",
    trainer(first_of=lambda logp, logp_ref: logp_ref),
)
named(NAME, "gradients-pile-up", "no_zero_grad", trainer(zero=False))
named(
    NAME,
    "not-from-rng",
    "numpys_own_order",
    trainer(draw=lambda size, part, rng: orders(size, part, np.random)),
)
named(
    NAME,
    "same-order",
    "order_from_a_fixed_seed",
    trainer(draw=lambda size, part, rng: orders(size, part, np.random.default_rng(0))),
)
named(
    NAME,
    "steps-miscounted",
    "last_minibatch_dropped",
    trainer(
        draw=lambda size, part, rng: [idx for idx in orders(size, part, rng) if len(idx) == part]
    ),
)


@wrong(NAME, "no-history")
def nothing_returned(*given, **options):
    trainer()(*given, **options)


@wrong(NAME, "sampled-once")
def one_batch_for_all(language, *given, **options):
    once = []

    class Same:
        prompt_length, eos, score = language.prompt_length, language.eos, language.score

        @staticmethod
        def sample(policy, size):
            once.extend([] if once else [language.sample(policy, size)])
            return once[0]

    return trainer()(Same, *given, **options)


@wrong(NAME, "reference-moved")
def reference_follows(language, policy, critic, reference, optimizer, **options):
    def follow(policy, kept, ref):
        ref.load_state_dict(policy.state_dict())
        return ref

    return trainer(reference_of=follow)(language, policy, critic, reference, optimizer, **options)


# Questions ------------------------------------------------------------------------------------

value("q_which_kl", "e", "e")
value("q_which_kl", "b", "b", "chose-b")
value("q_which_kl", "a", "a", "chose-a")
value("q_which_kl", "c", "c", "chose-c")
value("q_which_kl", "d", "d", "chose-d")
value("q_which_kl", "empty", None, "not-answered")
value("q_beta", "c", "c")
value("q_beta", "in-brackets", "(C)")
value("q_beta", "a", "a", "chose-a")
value("q_beta", "b", "b", "chose-b")
value("q_beta", "d", "d", "chose-d")
value("q_beta", "e", "e", "chose-e")


@wrong("token_logp", "softmax-twice")
def log_softmax_of_probabilities(logits, tokens):
    probs = logits[:, :-1].softmax(-1)
    return probs.log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]


@wrong("token_logp", "logits-as-probabilities")
def categorical_by_position(logits, tokens):
    return torch.distributions.Categorical(logits[:, :-1]).log_prob(tokens[:, 1:])


@wrong("token_logp", "logits-as-probabilities")
def categorical_by_position_unchecked(logits, tokens):
    chosen = torch.distributions.Categorical(logits[:, :-1], validate_args=False)
    return chosen.log_prob(tokens[:, 1:])


@wrong("kl_shaped_rewards", "other-estimator")
def kl_div_by_token(rewards, logp, logp_ref, mask, beta):
    penalty = torch.nn.functional.kl_div(logp, logp_ref, log_target=True, reduction="none")
    return rewards - beta * penalty * mask


@wrong("masked_mean", "epsilon-in-count")
def guard_of_a_hundredth(x, mask):
    return torch.where(mask, x, 0.0).sum() / (mask.sum() + 1e-2)


@wrong("completion_mask", "kept-after-eos")
def up_to_the_last_end(tokens, prompt_length, eos):
    at = torch.arange(tokens.shape[1])
    last = torch.where(tokens == eos, at, -1).amax(1)
    last = torch.where(last < prompt_length, tokens.shape[1] - 1, last)
    return ((at >= prompt_length) & (at <= last[:, None]))[:, 1:]


@wrong("ppo_token_loss", "clip-higher")
def wider_above(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.where(mask, logp - logp_old.detach(), 0.0).exp()
    adv = torch.where(mask, adv.detach(), 0.0)
    least = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + 1.4 * clip) * adv)
    return -least.sum() / mask.sum().clamp(min=1)
