"""The bank of 07_groups. Helpers are the bank's own, so that no two styles share code."""

import copy
import math
from collections import defaultdict

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, value, wrong

# rloo_advantages ------------------------------------------------------------------------------


@right("rloo_advantages")
def label_by_label(scores, groups):
    adv = torch.empty_like(scores)
    for label in torch.unique(groups):
        chosen = scores[groups == label]
        if len(chosen) < 2:
            raise ValueError("nobody to compare with")
        adv[groups == label] = chosen - (chosen.sum() - chosen) / (len(chosen) - 1)
    return adv


@right("rloo_advantages")
def one_matrix(scores, groups):
    same = (groups[:, None] == groups[None, :]).to(scores.dtype)
    same = same - torch.eye(len(scores), dtype=scores.dtype)
    count = same.sum(1)
    if (count == 0).any():
        raise ValueError
    return scores - same @ scores / count


@right("rloo_advantages")
def in_dictionaries(scores, groups):
    rows = defaultdict(list)
    for row, label in enumerate(groups.tolist()):
        rows[label].append(row)
    adv = [0.0] * len(scores)
    numbers = scores.tolist()
    for members in rows.values():
        for row in members:
            others = [numbers[other] for other in members if other != row]
            if not others:
                raise ValueError("a group of one")
            adv[row] = numbers[row] - sum(others) / len(others)
    return torch.tensor(adv, dtype=scores.dtype)


@right("rloo_advantages")
def scaled_distance(scores, groups):
    _labels, place, size = torch.unique(groups, return_inverse=True, return_counts=True)
    if size.min() == 1:
        raise ValueError("single row")
    mean = torch.zeros(len(size), dtype=scores.dtype).scatter_add(0, place, scores) / size
    return (scores - mean[place]) * (size / (size - 1))[place]


@right("rloo_advantages")
def with_numpy(scores, groups):
    s, g = scores.numpy().astype(float), groups.numpy()
    adv = np.array(
        [s[i] - np.mean(s[(g == g[i]) & (np.arange(len(s)) != i)]) for i in range(len(s))]
    )
    if np.isnan(adv).any():
        raise ValueError
    return torch.from_numpy(adv).to(scores.dtype)


def each_group(change):
    def advantages(scores, groups):
        found = torch.zeros_like(scores)
        for label in groups.unique().tolist():
            found[groups == label] = change(scores[groups == label])
        return found

    return advantages


def checked(scores, groups):
    if groups.unique(return_counts=True)[1].min() < 2:
        raise ValueError


def others_mean(s):
    return (s.sum() - s) / (len(s) - 1)


@wrong("rloo_advantages", "own-score-in-the-mean")
def the_groups_mean(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: s - s.mean())(scores, groups)


@wrong("rloo_advantages", "over-the-batch")
def leave_one_out_of_all(scores, groups):
    checked(scores, groups)
    return scores - others_mean(scores)


@wrong("rloo_advantages", "over-the-batch")
def batch_mean(scores, groups):
    checked(scores, groups)
    return scores - scores.mean()


@wrong("rloo_advantages", "divided-by-deviation")
def normalised_leave_one_out(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: (s - others_mean(s)) / (s.std() + 1e-4))(scores, groups)


@wrong("rloo_advantages", "divided-by-deviation")
def grpos(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: (s - s.mean()) / (s.std() + 1e-4))(scores, groups)


@wrong("rloo_advantages", "divided-by-size")
def sum_of_others_over_g(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: s - (s.sum() - s) / len(s))(scores, groups)


@wrong("rloo_advantages", "groups-misaligned")
def labels_rolled(scores, groups):
    checked(scores, groups)
    return label_by_label(scores, torch.roll(groups, 1))


@wrong("rloo_advantages", "order-assumed")
def reshaped(scores, groups):
    checked(scores, groups)
    size = len(scores) // len(groups.unique())
    if len(scores) % size:
        return scores * 0
    table = scores.reshape(-1, size)
    return (table - (table.sum(1, keepdim=True) - table) / (size - 1)).flatten()


@wrong("rloo_advantages", "wrong-group")
def mean_of_the_next_label(scores, groups):
    checked(scores, groups)
    labels, found = groups.unique().tolist(), torch.zeros_like(scores)
    for one, other in zip(labels, [*labels[1:], labels[0]]):
        found[groups == one] = scores[groups == one] - scores[groups == other].mean()
    return found


@wrong("rloo_advantages", "minus-sign")
def others_less_own(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: others_mean(s) - s)(scores, groups)


@wrong("rloo_advantages", "baseline-returned")
def what_the_others_got(scores, groups):
    checked(scores, groups)
    return each_group(others_mean)(scores, groups)


@wrong("rloo_advantages", "sum-of-others")
def less_the_sum(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: s - (s.sum() - s))(scores, groups)


@wrong("rloo_advantages", "best-of-the-group")
def against_the_best(scores, groups):
    checked(scores, groups)
    return each_group(lambda s: s - s.max())(scores, groups)


@wrong("rloo_advantages", "group-of-one")
def zero_for_one(scores, groups):
    return each_group(lambda s: s - others_mean(s) if len(s) > 1 else 0 * s)(scores, groups)


@wrong("rloo_advantages", "group-of-one")
def nan_for_one(scores, groups):
    return each_group(lambda s: s - others_mean(s))(scores, groups)


@wrong("rloo_advantages", "list-returned")
def a_list(scores, groups):
    return in_dictionaries(scores, groups).tolist()


# grpo_advantages ------------------------------------------------------------------------------


@right("grpo_advantages")
def compared_first(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in torch.unique(groups):
        own = groups == label
        group = scores[own]
        if torch.all(group == group[0]):
            continue
        adv[own] = group - group.mean()
        if divide:
            adv[own] /= group.std(unbiased=False) + eps
    return adv


@right("grpo_advantages")
def by_row_in_double(scores, groups, divide=True, eps=1e-4):
    numbers, labels, adv = scores.double().tolist(), groups.tolist(), []
    for number, label in zip(numbers, labels):
        group = [n for n, other in zip(numbers, labels) if other == label]
        mean = math.fsum(group) / len(group)
        if len(set(group)) == 1:
            adv.append(0.0)
            continue
        spread = math.sqrt(math.fsum((n - mean) ** 2 for n in group) / (len(group) - 1))
        adv.append((number - mean) / (spread + eps) if divide else number - mean)
    return torch.tensor(adv, dtype=scores.dtype)


@right("grpo_advantages")
def scattered_extremes(scores, groups, divide=True, eps=1e-4):
    labels, place = torch.unique(groups, return_inverse=True)
    n = len(labels)
    size = torch.bincount(place, minlength=n).to(scores.dtype)
    low = torch.full((n,), math.inf, dtype=scores.dtype).scatter_reduce(0, place, scores, "amin")
    high = torch.full((n,), -math.inf, dtype=scores.dtype).scatter_reduce(0, place, scores, "amax")
    mean = scores.new_zeros(n).index_add(0, place, scores) / size
    centred = scores - mean[place]
    if divide:
        square = scores.new_zeros(n).index_add(0, place, centred**2) / size
        centred = centred / (square.sqrt()[place] + eps)
    return torch.where((low == high)[place], 0.0, centred)


@right("grpo_advantages")
def shifted_by_the_first(scores, groups, divide=True, eps=1e-4):
    """Differences from one of the group's scores: exactly 0 where all are equal."""
    adv = torch.zeros_like(scores)
    for label in set(groups.tolist()):
        apart = scores[groups == label] - scores[groups == label][0]
        centred = apart - apart.mean()
        if divide and bool((apart != 0).any()):
            centred = centred / (apart.std() + eps)
        adv[groups == label] = centred
    return adv


def grouped(divisor, centre=torch.mean, one=0.0):
    def advantages(scores, groups, divide=True, eps=1e-4):
        adv = torch.zeros_like(scores)
        for label in groups.unique():
            group = scores[groups == label]
            if len(group) == 1 or group.min() == group.max():
                adv[groups == label] = one
                continue
            adv[groups == label] = (group - centre(group)) / (divisor(group, eps) if divide else 1)
        return adv

    return advantages


usual = grouped(lambda s, eps: s.std() + eps)


@wrong("grpo_advantages", "equal-not-zero")
def as_it_is_written(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        group = scores[groups == label]
        spread = group.std(unbiased=False)
        centred = group - group.mean()
        adv[groups == label] = centred / (spread + max(eps, 1e-12)) if divide else centred
    return adv


@wrong("grpo_advantages", "not-finite")
def deviation_of_one_row(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        group = scores[groups == label]
        adv[groups == label] = (group - group.mean()) / (group.std() + eps if divide else 1)
    return adv


@wrong("grpo_advantages", "group-of-one")
def raw_score_for_one(scores, groups, divide=True, eps=1e-4):
    adv = usual(scores, groups, divide, eps)
    alone = (groups[:, None] == groups[None, :]).sum(1) == 1
    return torch.where(alone, scores, adv)


@wrong("grpo_advantages", "over-the-batch")
def whitened_over_the_batch(scores, groups, divide=True, eps=1e-4):
    centred = scores - scores.mean()
    return centred / (scores.std() + eps) if divide and len(scores) > 1 else centred


@wrong("grpo_advantages", "batch-deviation")
def one_deviation_for_all(scores, groups, divide=True, eps=1e-4):
    adv = usual(scores, groups, divide=False)
    return adv / (scores.std() + eps) if divide and len(scores) > 1 else adv


@wrong("grpo_advantages", "groups-misaligned")
def off_by_one_row(scores, groups, divide=True, eps=1e-4):
    return usual(scores, torch.roll(groups, 1), divide, eps)


@wrong("grpo_advantages", "order-assumed")
def rows_in_blocks(scores, groups, divide=True, eps=1e-4):
    blocks = torch.arange(len(scores)) // max(1, len(scores) // len(groups.unique()))
    blocks = blocks.clamp(max=len(groups.unique()) - 1)
    return usual(scores, blocks, divide, eps)


@wrong("grpo_advantages", "deviation-is-one")
def precedence(scores, groups, divide=True, eps=1e-4):
    # Meant: std + eps if divide else 1, in one divisor.
    return grouped(lambda s, eps: s.std() ** 0)(scores, groups, divide, eps)


@wrong("grpo_advantages", "deviation-is-one")
def never_divided(scores, groups, divide=True, eps=1e-4):
    return usual(scores, groups, divide=False)


@wrong("grpo_advantages", "always-divided")
def divide_overlooked(scores, groups, divide=True, eps=1e-4):
    return usual(scores, groups, True, eps)


@wrong("grpo_advantages", "variance-not-deviation")
def by_the_variance(scores, groups, divide=True, eps=1e-4):
    return grouped(lambda s, eps: s.var() + eps)(scores, groups, divide, eps)


@wrong("grpo_advantages", "no-parentheses")
def mean_over_deviation(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        group = scores[groups == label]
        spread = group.std() + eps if divide else 1.0
        adv[groups == label] = group - group.mean() / spread
    return adv


@wrong("grpo_advantages", "not-centred")
def divided_alone(scores, groups, divide=True, eps=1e-4):
    return grouped(lambda s, eps: s.std() + eps, centre=lambda s: 0.0)(scores, groups, divide, eps)


@wrong("grpo_advantages", "leave-one-out")
def against_the_others(scores, groups, divide=True, eps=1e-4):
    return grouped(lambda s, eps: s.std() + eps, centre=others_mean)(scores, groups, divide, eps)


@wrong("grpo_advantages", "eps-ignored")
def a_fixed_eps(scores, groups, divide=True, eps=1e-4):
    return usual(scores, groups, divide, 1e-8)


@wrong("grpo_advantages", "minus-sign")
def mean_less_score(scores, groups, divide=True, eps=1e-4):
    return -usual(scores, groups, divide, eps)


@wrong("grpo_advantages", "range-not-deviation")
def by_the_range(scores, groups, divide=True, eps=1e-4):
    return grouped(lambda s, eps: s.max() - s.min() + eps)(scores, groups, divide, eps)


@wrong("grpo_advantages", "changed-inputs")
def in_place(scores, groups, divide=True, eps=1e-4):
    scores.copy_(usual(scores.clone(), groups, divide, eps))
    return scores


# aggregate_loss -------------------------------------------------------------------------------


@right("aggregate_loss")
def where_and_sums(per_token, mask, how, length=None):
    chosen = torch.where(mask, per_token, torch.zeros_like(per_token))
    if how == "tokens":
        return chosen.sum() / max(1, int(mask.sum()))
    if how == "sentences":
        count = mask.sum(dim=1)
        return (chosen.sum(dim=1) / torch.where(count > 0, count, 1)).sum() / mask.shape[0]
    if how == "constant":
        if length is None:
            raise ValueError("length is needed")
        return chosen.sum() / length / mask.shape[0]
    raise ValueError(how)


@right("aggregate_loss")
def row_after_row(per_token, mask, how, length=None):
    if how not in ("tokens", "sentences", "constant") or how == "constant" and not length:
        raise ValueError
    nothing = per_token[:, :0].sum()
    rows = [per_token[b][mask[b]] for b in range(len(mask))]
    if how == "sentences":
        return sum((row.mean() for row in rows if len(row)), nothing) / len(rows)
    total = sum((row.sum() for row in rows), nothing)
    return total / (length * len(rows) if how == "constant" else max(1, sum(map(len, rows))))


@right("aggregate_loss")
def weights_first(per_token, mask, how, length=None):
    m = mask.to(per_token.dtype)
    match how:
        case "tokens":
            weights = m / m.sum().clamp(min=1)
        case "sentences":
            weights = m / m.sum(1, keepdim=True).clamp(min=1) / len(m)
        case "constant" if length is not None:
            weights = m / (len(m) * length)
        case _:
            raise ValueError(f"unknown: {how}")
    return (per_token.masked_fill(~mask, 0.0) * weights).sum()


@right("aggregate_loss")
def from_a_table(per_token, mask, how, length=None):
    x = per_token.masked_fill(~mask, 0)
    ways = {
        "tokens": lambda: x.sum() / mask.sum().clamp_min(1),
        "sentences": lambda: torch.mean(x.sum(-1) / mask.sum(-1).clamp_min(1)),
    }
    if length:
        ways["constant"] = lambda: x.sum() / (x.shape[0] * length)
    if how not in ways:
        raise ValueError(how)
    return ways[how]()


def changed(**others):
    """where_and_sums with some of the ways replaced, each (x, mask, length) -> scalar."""

    def aggregate(per_token, mask, how, length=None):
        if how in others and not (how == "constant" and length is None):
            return others[how](per_token.masked_fill(~mask, 0), mask, length)
        return where_and_sums(per_token, mask, how, length)

    return aggregate


@wrong("aggregate_loss", "mask-ignored")
def every_token(per_token, mask, how, length=None):
    return where_and_sums(per_token, torch.ones_like(mask), how, length)


@wrong("aggregate_loss", "mask-inverted")
def the_other_tokens(per_token, mask, how, length=None):
    return where_and_sums(per_token, ~mask, how, length)


@wrong("aggregate_loss", "divided-by-size")
def zeros_in_the_mean(per_token, mask, how, length=None):
    return changed(tokens=lambda x, m, n: x.mean())(per_token, mask, how, length)


@wrong("aggregate_loss", "divided-by-size")
def zeros_in_the_rows_means(per_token, mask, how, length=None):
    return changed(sentences=lambda x, m, n: x.mean(1).mean())(per_token, mask, how, length)


@wrong("aggregate_loss", "ways-swapped")
def names_mixed_up(per_token, mask, how, length=None):
    how = {"tokens": "sentences", "sentences": "tokens"}.get(how, how)
    return where_and_sums(per_token, mask, how, length)


@wrong("aggregate_loss", "tokens-everywhere")
def a_mean_over_all_tokens(per_token, mask, how, length=None):
    return where_and_sums(per_token, mask, "tokens" if how == "sentences" else how, length)


@wrong("aggregate_loss", "sentences-everywhere")
def a_mean_of_means(per_token, mask, how, length=None):
    return where_and_sums(per_token, mask, "sentences" if how == "tokens" else how, length)


@wrong("aggregate_loss", "empty-rows-left-out")
def rows_that_have_tokens(per_token, mask, how, length=None):
    def sentences(x, m, n):
        means = [x[b].sum() / m[b].sum() for b in range(len(m)) if m[b].any()]
        return torch.stack(means).mean() if means else x.sum()

    return changed(sentences=sentences)(per_token, mask, how, length)


@wrong("aggregate_loss", "sum-over-rows")
def means_added_up(per_token, mask, how, length=None):
    def sentences(x, m, n):
        return (x.sum(1) / m.sum(1).clamp(min=1)).sum()

    return changed(sentences=sentences)(per_token, mask, how, length)


@wrong("aggregate_loss", "rows-forgotten")
def divided_by_length_alone(per_token, mask, how, length=None):
    return changed(constant=lambda x, m, n: x.sum() / n)(per_token, mask, how, length)


@wrong("aggregate_loss", "length-ignored")
def divided_by_the_width(per_token, mask, how, length=None):
    return changed(constant=lambda x, m, n: x.sum() / m.numel())(per_token, mask, how, length)


@wrong("aggregate_loss", "length-ignored")
def divided_by_the_longest(per_token, mask, how, length=None):
    def constant(x, m, n):
        return x.sum() / (len(m) * m.sum(1).max().clamp(min=1))

    return changed(constant=constant)(per_token, mask, how, length)


@wrong("aggregate_loss", "no-error")
def tokens_for_anything(per_token, mask, how, length=None):
    known = how == "sentences" or (how == "constant" and length is not None)
    return where_and_sums(per_token, mask, how if known else "tokens", length)


@wrong("aggregate_loss", "empty-mask")
def nothing_over_nothing(per_token, mask, how, length=None):
    def tokens(x, m, n):
        return x.sum() / m.sum()

    return changed(tokens=tokens)(per_token, mask, how, length)


@wrong("aggregate_loss", "nan-from-outside")
def multiplied_by_the_mask(per_token, mask, how, length=None):
    x = per_token * mask
    if how == "tokens":
        return x.sum() / mask.sum().clamp(min=1)
    if how == "sentences":
        return (x.sum(1) / mask.sum(1).clamp(min=1)).mean()
    if how == "constant" and length:
        return x.sum() / (len(mask) * length)
    raise ValueError


@wrong("aggregate_loss", "not-aggregated")
def one_number_a_sentence(per_token, mask, how, length=None):
    def sentences(x, m, n):
        return x.sum(1) / m.sum(1).clamp(min=1)

    return changed(sentences=sentences)(per_token, mask, how, length)


# grpo_loss ------------------------------------------------------------------------------------


@right("grpo_loss")
def masked_first(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    x = (logp - logp_old.detach()).masked_fill(~mask, 0.0)
    ratio, a = x.exp(), adv.detach().unsqueeze(1)
    loss = torch.maximum(-a * ratio, -a * ratio.clip(1 - clip_low, 1 + clip_high))
    if beta != 0:
        y = (logp_ref.detach() - logp).masked_fill(~mask, 0.0)
        loss = loss + beta * (y.exp() - y - 1)
    return where_and_sums(loss, mask, how, length)


@right("grpo_loss")
def zeros_outside(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    new, old = torch.where(mask, logp, 0), torch.where(mask, logp_old.data, 0)
    ratio = torch.exp(new) / torch.exp(old)
    gain = ratio * adv.data[:, None]
    edge = torch.where(adv.data[:, None] > 0, 1 + clip_high, 1 - clip_low) * adv.data[:, None]
    gain = torch.minimum(gain, edge)
    kl = 0.0
    if logp_ref is not None:
        log_ratio = torch.where(mask, logp_ref.data, 0) - new
        kl = torch.expm1(log_ratio) - log_ratio
    return weights_first(-gain + beta * kl, mask, how, length)


@right("grpo_loss")
def on_chosen_entries(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    rows = torch.arange(len(mask))[:, None].expand_as(mask)[mask]
    a, new, old = adv.detach()[rows], logp[mask], logp_old.detach()[mask]
    ratio = (new - old).exp()
    each = -torch.min(ratio * a, torch.clamp(ratio, min=1 - clip_low, max=1 + clip_high) * a)
    if beta:
        apart = logp_ref.detach()[mask] - new
        each = each + beta * (apart.exp() - 1 - apart)
    table = torch.zeros_like(logp).masked_scatter(mask, each)
    return from_a_table(table, mask, how, length)


@right("grpo_loss")
def entry_by_entry(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    rows = []
    for b in range(logp.shape[0]):
        row = []
        for t in range(logp.shape[1]):
            if not mask[b, t]:
                row.append(torch.zeros((), dtype=logp.dtype))
                continue
            ratio, a = torch.exp(logp[b, t] - logp_old[b, t].item()), adv[b].item()
            one = -min(ratio * a, ratio.clamp(1 - clip_low, 1 + clip_high) * a)
            if beta:
                x = logp_ref[b, t].item() - logp[b, t]
                one = one + beta * (torch.exp(x) - 1 - x)
            row.append(one)
        rows.append(torch.stack(row))
    return (
        where_and_sums(torch.stack(rows) + 0 * logp.detach(), mask, how, length)
        + 0 * logp[:, :0].sum()
    )


def kept_in_band(r, a, low, high):
    return torch.min(r * a, r.clamp(1 - low, 1 + high) * a)


def variant(
    gain=kept_in_band,
    term=lambda x: torch.expm1(x) - x,
    total=where_and_sums,
    sign=-1,
    ratio=torch.exp,
    adv_of=lambda a, m: a.detach()[:, None],
    old=lambda x: x.detach(),
    scale=1.0,
    mask_of=lambda m: m,
):
    def loss(
        logp,
        logp_old,
        logp_ref,
        adv,
        mask,
        *,
        clip_low=0.2,
        clip_high=0.28,
        beta=0.0,
        how="tokens",
        length=None,
    ):
        mask = mask_of(mask)
        x = torch.where(mask, logp - old(logp_old), 0.0)
        each = sign * gain(ratio(x), adv_of(adv, mask), clip_low, clip_high)
        if beta:
            each = each + scale * beta * term(torch.where(mask, logp_ref.detach() - logp, 0.0))
        return total(each, mask, how, length)

    return loss


def listed(exercise, mistake, label, function):
    """Registers a function under another name than its own."""
    function.__name__ = label
    (wrong(exercise, mistake) if mistake else right(exercise))(function)


LOSS = "grpo_loss"
listed(
    LOSS,
    "one-band",
    "the_same_to_both_sides",
    variant(lambda r, a, low, high: kept_in_band(r, a, low, low)),
)
listed(
    LOSS,
    "edges-swapped",
    "high_below",
    variant(lambda r, a, low, high: kept_in_band(r, a, high, low)),
)
listed(
    LOSS,
    "clip-fixed",
    "always_the_defaults",
    variant(lambda r, a, low, high: kept_in_band(r, a, 0.2, 0.28)),
)
listed(
    LOSS,
    "max-not-min",
    "the_larger_of_the_two",
    variant(lambda r, a, low, high: torch.max(r * a, r.clamp(1 - low, 1 + high) * a)),
)
listed(
    LOSS,
    "clip-without-min",
    "clamp_alone",
    variant(lambda r, a, low, high: r.clamp(1 - low, 1 + high) * a),
)
listed(LOSS, "not-clipped", "ratio_times_advantage", variant(lambda r, a, low, high: r * a))
listed(
    LOSS,
    "dual-clip",
    "bounded_at_three",
    variant(
        lambda r, a, low, high: torch.where(
            a < 0, torch.max(kept_in_band(r, a, low, high), 3 * a), kept_in_band(r, a, low, high)
        )
    ),
)
listed(LOSS, "objective-not-loss", "maximised", variant(sign=1))
listed(
    LOSS,
    "sentence-ratio",
    "ratio_of_the_answer",
    variant(ratio=lambda x: (x.sum(1, keepdim=True) + 0 * x).exp()),
)
listed(LOSS, "gradient-through-old", "old_not_detached", variant(old=lambda x: x))
listed(
    LOSS,
    "gradient-through-advantage",
    "advantage_not_detached",
    variant(adv_of=lambda a, m: a[:, None]),
)
listed(LOSS, "kl-sign", "kl_subtracted", variant(scale=-1.0))
listed(LOSS, "kl-left-out", "no_kl_at_all", variant(scale=0.0))
listed(LOSS, "other-estimator", "k1_in_the_loss", variant(term=lambda x: -x))
listed(LOSS, "other-estimator", "k2_in_the_loss", variant(term=lambda x: x**2 / 2))
listed(LOSS, "other-direction", "ratio_turned", variant(term=lambda x: torch.expm1(-x) + x))
listed(LOSS, "kl-detached", "kl_as_a_number", variant(term=lambda x: (torch.expm1(x) - x).detach()))
listed(
    LOSS,
    "how-ignored",
    "tokens_always",
    variant(total=lambda x, m, how, length: where_and_sums(x, m, "tokens")),
)
listed(LOSS, "mask-ignored", "all_columns", variant(mask_of=torch.ones_like))
listed(LOSS, "mask-inverted", "complement", variant(mask_of=torch.logical_not))
listed(
    LOSS,
    "shared-out",
    "advantage_divided_among_tokens",
    variant(adv_of=lambda a, m: a.detach()[:, None] / m.sum(1, keepdim=True).clamp(min=1)),
)


@wrong(LOSS, "mask-after-exp")
def multiplied_after_exp(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    ratio, a = torch.exp(logp - logp_old.detach()), adv.detach()[:, None]
    each = -torch.min(ratio * a, ratio.clamp(1 - clip_low, 1 + clip_high) * a)
    if beta:
        x = logp_ref.detach() - logp
        each = each + beta * (x.exp() - x - 1)
    return where_and_sums(each, mask, how, length)


# kl_reward_loss -------------------------------------------------------------------------------


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


# kl_in_loss -----------------------------------------------------------------------------------


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


# train_grpo -----------------------------------------------------------------------------------


def scored(model, tokens):
    return -F.cross_entropy(model(tokens)[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


def own_tokens(tokens, language):
    place = torch.arange(tokens.shape[1])
    ends = ((tokens == language.eos) & (place >= language.prompt_length)).int()
    return ((place >= language.prompt_length) & (ends.cumsum(1) - ends == 0))[:, 1:]


def parts_of(size, part, rng):
    places = rng.permutation(size)
    return [torch.as_tensor(places[i : i + part]) for i in range(0, size, part)]


def trainer(
    *,
    in_loss=False,
    loo=False,
    blocks=True,
    prompts_of=None,
    adv_of=None,
    charge=1.0,
    loss_of=None,
    mask_of=own_tokens,
    sample=None,
    old=None,
    zero=True,
    draw=parts_of,
    log=None,
    twice=False,
    reference_of=None,
    spread=lambda s: s.std(),
    how_of=lambda how: how,
    sign=1.0,
):
    """A right training loop, with places where one thing can be changed."""

    def advantages(scores, labels, divide):
        adv = torch.zeros_like(scores)
        for label in labels.unique():
            group = scores[labels == label]
            if group.min() == group.max():
                continue
            centred = group - (others_mean(group) if loo and not divide else group.mean())
            adv[labels == label] = centred / (spread(group) + 1e-4) if divide else centred
        return adv

    def train(
        language,
        policy,
        reference,
        optimizer,
        *,
        num_updates,
        num_prompts,
        group_size,
        beta,
        rng,
        epochs=1,
        minibatch_size=64,
        divide=False,
        how="tokens",
    ):
        history, every = [], language.prompts()
        labels = torch.arange(num_prompts)
        labels = labels.repeat_interleave(group_size) if blocks else labels.repeat(group_size)
        for _ in range(num_updates):
            asked = (prompts_of or drawn)(every, num_prompts, rng)
            writer = policy if sample is None else sample(policy, reference)
            tokens = language.sample(writer, prompts=asked[labels])
            mask = mask_of(tokens, language)
            with torch.no_grad():
                before, ref = scored(policy, tokens), scored(reference, tokens)
                if reference_of is not None:
                    ref = reference_of(policy, reference, tokens)
            drift = ((before - ref) * own_tokens(tokens, language)).sum(1)
            scores = language.score(tokens)
            paid = scores if in_loss and not twice else scores - charge * beta * drift
            adv = sign * (adv_of or advantages)(paid, labels, divide)
            ratios = []
            for _ in range(epochs):
                for idx in draw(len(tokens), minibatch_size, rng):
                    logp = scored(policy, tokens[idx])
                    stored = before[idx] if old is None else old(logp)
                    loss = (loss_of or masked_first)(
                        logp,
                        stored,
                        ref[idx],
                        adv[idx],
                        mask[idx],
                        how=how_of(how),
                        beta=charge * beta if in_loss else 0.0,
                        length=language.max_new,
                    )
                    ratios.append((logp.detach() - stored).exp()[mask[idx]])
                    if zero:
                        optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            apart = torch.cat(ratios)
            table = [scores[labels == label] for label in range(num_prompts)]
            row = {
                "mean_score": scores.mean().item(),
                "kl": drift.mean().item(),
                "clip_fraction": ((apart < 0.8) | (apart > 1.28)).float().mean().item(),
                "first_ratio": ratios[0].mean().item(),
                "equal_groups": sum(bool((g == g[0]).all()) for g in table) / num_prompts,
            }
            history.append(log(row) if log else row)
        return history

    return train


def drawn(prompts, count, rng):
    return prompts[torch.as_tensor(rng.integers(len(prompts), size=count))]


NAME = "train_grpo"
listed(NAME, None, "kl_in_the_score", trainer())
listed(NAME, None, "kl_in_the_loss", trainer(in_loss=True))
listed(NAME, None, "leave_one_out", trainer(loo=True, spread=lambda s: s.std(unbiased=False)))
listed(
    NAME,
    None,
    "prompts_in_turn",
    trainer(
        blocks=False, prompts_of=lambda every, count, rng: every[rng.choice(len(every), count)]
    ),
)


@right(NAME)
def prompt_by_prompt(
    language,
    policy,
    reference,
    optimizer,
    *,
    num_updates,
    num_prompts,
    group_size,
    beta,
    rng,
    epochs=1,
    minibatch_size=64,
    divide=False,
    how="tokens",
):
    """One call of the sampler for each prompt, and k2 in the loss."""
    log = []
    for _ in range(num_updates):
        groups = []
        for number in rng.integers(len(language.prompts()), size=num_prompts):
            prompt = language.prompts()[int(number)].repeat(group_size, 1)
            groups.append(language.sample(policy, prompts=prompt))
        tokens = torch.cat(groups)
        scores = language.score(tokens).reshape(num_prompts, group_size)
        adv = scores - scores.mean(1, keepdim=True)
        if divide:
            adv = adv / (scores.std(1, keepdim=True) + 1e-4)
        adv, mask = adv.flatten(), own_tokens(tokens, language)
        old, ref = scored(policy, tokens).detach(), scored(reference, tokens).detach()
        seen = []
        for _epoch in range(epochs):
            order = rng.permutation(len(tokens))
            for start in range(0, len(order), minibatch_size):
                idx = torch.from_numpy(order[start : start + minibatch_size])
                logp = scored(policy, tokens[idx])
                r = torch.exp(logp - old[idx])
                seen.append(r.detach()[mask[idx]])
                gain = torch.min(r * adv[idx, None], r.clamp(0.8, 1.28) * adv[idx, None])
                each = beta * (logp - ref[idx]) ** 2 / 2 - gain
                optimizer.zero_grad(set_to_none=True)
                where_and_sums(each, mask[idx], how, language.max_new).backward()
                optimizer.step()
        log.append(
            {
                "mean_score": float(scores.mean()),
                "kl": float(((old - ref) * mask).sum(1).mean()),
                "clip_fraction": float(torch.cat(seen).sub(1.04).abs().gt(0.24).float().mean()),
                "first_ratio": float(seen[0].mean()),
                "equal_groups": float((scores == scores[:, :1]).all(1).float().mean()),
            }
        )
    return log


listed(NAME, "no-leash", "nothing_charged", trainer(charge=0.0))
listed(NAME, "kl-sign", "drift_is_paid", trainer(charge=-1.0))
listed(NAME, "kl-twice", "charged_twice", trainer(charge=2.0))
listed(NAME, "kl-twice", "in_score_and_loss", trainer(in_loss=True, twice=True))
listed(
    NAME,
    "no-leash",
    "reference_is_the_policy",
    trainer(reference_of=lambda policy, ref, tokens: scored(policy, tokens)),
)
listed(
    NAME,
    "over-the-batch",
    "whitened_over_the_batch",
    trainer(adv_of=lambda s, g, divide: (s - s.mean()) / (s.std() + 1e-4 if divide else 1)),
)
listed(
    NAME,
    "groups-misaligned",
    "labels_off_by_one",
    trainer(adv_of=lambda s, g, divide: usual(s, torch.roll(g, 1), divide)),
)
listed(
    NAME, "divide-ignored", "never_divides", trainer(adv_of=lambda s, g, divide: usual(s, g, False))
)
listed(
    NAME, "divide-ignored", "always_divides", trainer(adv_of=lambda s, g, divide: usual(s, g, True))
)
listed(NAME, "how-ignored", "token_mean_always", trainer(how_of=lambda how: "tokens"))
listed(NAME, "no-baseline", "scores_as_they_are", trainer(adv_of=lambda s, g, divide: s))
listed(NAME, "minus-sign", "uphill", trainer(sign=-1.0))
listed(
    NAME,
    "mask-inverted",
    "prompt_and_filling",
    trainer(mask_of=lambda t, lang: ~own_tokens(t, lang)),
)
listed(
    NAME,
    "mask-ignored",
    "no_mask",
    trainer(mask_of=lambda t, lang: torch.ones_like(own_tokens(t, lang))),
)
listed(
    NAME,
    "sampled-from-reference",
    "the_references_words",
    trainer(sample=lambda policy, reference: reference),
)
listed(NAME, "gradients-pile-up", "no_zero_grad", trainer(zero=False))
listed(
    NAME,
    "not-from-rng",
    "numpys_own_order",
    trainer(draw=lambda size, part, rng: parts_of(size, part, np.random)),
)
listed(
    NAME,
    "same-prompts",
    "prompts_in_a_row",
    trainer(prompts_of=lambda every, count, rng: every.repeat(count, 1)[:count]),
)
listed(
    NAME,
    "first-ratio",
    "distance_logged",
    trainer(log=lambda row: row | {"first_ratio": row["first_ratio"] + 0.1}),
)
listed(
    NAME,
    "logged-wrong",
    "penalty_in_the_score",
    trainer(log=lambda row: row | {"mean_score": row["mean_score"] - row["kl"]}),
)
listed(
    NAME,
    "key-missing",
    "four_of_five",
    trainer(log=lambda row: {key: row[key] for key in row if key != "equal_groups"}),
)


listed(NAME, "old-recomputed", "ratio_always_one", trainer(old=lambda logp: logp.detach()))
listed(NAME, "no-clip", "surrogate", trainer(loss_of=variant(lambda r, a, low, high: r * a)))


@wrong(NAME, "not-in-groups")
def each_row_its_own_prompt(language, policy, *given, num_prompts, group_size, rng, **options):
    class Mixed:
        prompt_length, eos, score = language.prompt_length, language.eos, language.score
        max_new, prompts = language.max_new, language.prompts

        @staticmethod
        def sample(policy, prompts):
            every = language.prompts()
            return language.sample(policy, prompts=drawn(every, len(prompts), rng))

    return trainer()(
        Mixed, policy, *given, num_prompts=num_prompts, group_size=group_size, rng=rng, **options
    )


@wrong(NAME, "no-history")
def nothing_returned(*given, **options):
    trainer()(*given, **options)


@wrong(NAME, "reference-moved")
def reference_follows(language, policy, reference, *given, **options):
    def follow(policy, ref, tokens):
        ref.load_state_dict(copy.deepcopy(policy.state_dict()))
        return scored(ref, tokens)

    return trainer(reference_of=follow)(language, policy, reference, *given, **options)


# Questions ------------------------------------------------------------------------------------

for question, answer in [
    ("q_equal_scores", "a"),
    ("q_divide_by_std", "d"),
    ("q_k3_as_loss", "c"),
    ("q_zero_loss", "b"),
]:
    value(question, answer, answer)
    value(question, "in-brackets", f"({answer.upper()})")
    for letter in "abcd":
        if letter != answer:
            value(question, letter, letter, f"chose-{letter}")
    value(question, "empty", None, "not-answered")

FOUND = {
    "A": "hot-sampler",
    "B": "deviation-is-one",
    "C": "kl-sign",
    "D": "batch-whitened",
    "E": "mask-inverted",
    "F": "groups-misaligned",
}
value("token_bug_hunt", "as_asked", FOUND)
value("token_bug_hunt", "another_order", dict(reversed(FOUND.items())))
value("token_bug_hunt", "with_notes", FOUND | {"note": "F took long"})
value("token_bug_hunt", "spelled_freely", {run: f" {bug.upper()} " for run, bug in FOUND.items()})
for run, other in [
    ("A", "score-sign"),
    ("B", "batch-whitened"),
    ("C", "reference-follows"),
    ("D", "groups-misaligned"),
    ("E", "score-sign"),
    ("F", "groups-of-one-prompt"),
]:
    value("token_bug_hunt", f"{other}_in_{run}", FOUND | {run: other}, f"run-{run}")
value("token_bug_hunt", "all_alike", dict.fromkeys(FOUND, "kl-sign"), "run-A")
value("token_bug_hunt", "unanswered", dict.fromkeys(FOUND), "not-answered")
value("token_bug_hunt", "half_answered", FOUND | {"D": None}, "not-answered")
value("token_bug_hunt", "own_words", FOUND | {"B": "no deviation"}, "unknown-bug")
value("token_bug_hunt", "numbers", FOUND | {"C": 3}, "unknown-bug")
value("token_bug_hunt", "one_missing", {run: FOUND[run] for run in "ABCDE"}, "run-left-out")
value("token_bug_hunt", "a_list", list(FOUND.values()), "step:kind")


@wrong("aggregate_loss", "other-reduction")
def root_of_lengths(per_token, mask, how, length=None):
    kept = torch.where(mask, per_token, 0.0)
    if how == "tokens":
        return kept.sum() / mask.sum().clamp(min=1)
    if how == "sentences":
        return (kept.sum(1) / mask.sum(1).clamp(min=1) ** 0.5).mean()
    if how == "constant" and length is not None:
        return kept.sum() / (len(kept) * length)
    raise ValueError(how)
