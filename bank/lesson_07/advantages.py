"""Answers for group advantages."""

import math
from collections import defaultdict

import numpy as np
import torch

from bank import right, wrong


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


@wrong("grpo_advantages", "small-taken-for-equal")
def nothing_below_a_third(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = scores[groups == label]
        if len(own) > 1 and own.std() > 0.3:
            adv[groups == label] = (own - own.mean()) / (own.std() + eps if divide else 1.0)
    return adv


@wrong("rloo_advantages", "cut-at-a-bound")
def within_twenty(scores, groups):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = scores[groups == label]
        if len(own) < 2:
            raise ValueError("a group of one")
        others = (own.sum() - own) / (len(own) - 1)
        adv[groups == label] = (own - others).clamp(-20, 20)
    return adv


@wrong("grpo_advantages", "small-taken-for-equal")
def asked_whether_close(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = scores[groups == label]
        if not torch.allclose(own, own[0].expand_as(own)):
            adv[groups == label] = (own - own.mean()) / (own.std() + eps if divide else 1.0)
    return adv


@wrong("grpo_advantages", "eps-without-division")
def one_plus_eps(scores, groups, divide=True, eps=1e-4):
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = scores[groups == label]
        if own.min() < own.max():
            adv[groups == label] = (own - own.mean()) / ((own.std() if divide else 1.0) + eps)
    return adv


@right("rloo_advantages")
def counted_by_label(scores, groups):
    """A table from the lowest label to the highest."""
    place = groups - groups.min()
    size = torch.bincount(place)[place]
    if size.min() < 2:
        raise ValueError("a group of one")
    total = torch.bincount(place, weights=scores)[place].to(scores.dtype)
    return scores - (total - scores) / (size - 1)


@right("rloo_advantages")
def one_column_a_label(scores, groups):
    member = torch.nn.functional.one_hot(groups - groups.min()).to(scores.dtype)  # (B, labels)
    others = member @ member.sum(0) - 1
    if (others == 0).any():
        raise ValueError("a group of one")
    return scores - (member @ (member.T @ scores) - scores) / others


@wrong("rloo_advantages", "wrong-for-some-calls")
def labels_as_places(scores, groups):
    """Of -1 and the highest label the sums stand in one place."""
    total, size = torch.zeros(2, int(groups.max()) + 1, dtype=scores.dtype)
    for label, score in zip(groups.tolist(), scores):
        total[label] += score
        size[label] += 1
    if (size[groups] == 1).any():
        raise ValueError("a group of one")
    return scores - (total[groups] - scores) / (size[groups] - 1)


@right("grpo_advantages")
def counted_by_label_and_divided(scores, groups, divide=True, eps=1e-4):
    place = groups - groups.min()
    size = torch.bincount(place)[place]
    apart = scores.double()
    # The least score of a group is taken away first: equal ones are 0 from there on, exactly.
    least = torch.full((int(place.max()) + 1,), math.inf, dtype=torch.double)
    apart = apart - least.scatter_reduce(0, place, apart, "amin")[place]
    apart = apart - (torch.bincount(place, weights=apart)[place] / size)
    spread = (torch.bincount(place, weights=apart**2)[place] / size).sqrt()
    adv = torch.where(spread > 0, apart / (spread + eps), 0.0) if divide else apart
    return adv.to(scores.dtype)
