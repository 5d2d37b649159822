"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import math
from types import SimpleNamespace

import torch

from bank import right


def group_numbers(groups):
    """(labels' places (B,), sizes (P,))."""
    _labels, place, size = torch.unique(groups, return_inverse=True, return_counts=True)
    return place, size


@right("rloo_advantages")
def index_add_of_sums(scores, groups):
    place, size = group_numbers(groups)
    if bool((size < 2).any()):
        raise ValueError("a group of one")
    total = scores.new_zeros(len(size)).index_add(0, place, scores)[place]
    return scores - (total - scores) / (size[place] - 1)


@right("rloo_advantages")
def others_listed_one_by_one(scores, groups):
    numbers, labels = scores.tolist(), groups.tolist()
    found = []
    for i, (score, label) in enumerate(zip(numbers, labels)):
        others = [s for j, (s, g) in enumerate(zip(numbers, labels)) if g == label and j != i]
        if not others:
            raise ValueError(label)
        found.append(score - math.fsum(others) / len(others))
    return torch.tensor(found, dtype=scores.dtype)


@right("grpo_advantages")
def scatter_reduced_moments(scores, groups, divide=True, eps=1e-4):
    place, size = group_numbers(groups)
    empty = scores.new_zeros(len(size))
    lowest = empty.scatter_reduce(0, place, scores, "amin", include_self=False)[place]
    above = scores - lowest  # exactly 0 where all are equal
    mean = empty.scatter_reduce(0, place, above, "mean", include_self=False)[place]
    centred = above - mean
    if not divide:
        return centred
    square = empty.scatter_reduce(0, place, centred**2, "mean", include_self=False)[place]
    return torch.where(square > 0, centred / (square.sqrt() + eps), 0)


@right("grpo_advantages")
def dictionary_of_generators(scores, groups, divide=True, eps=1e-4):
    rows = {}
    for row, label in enumerate(groups.tolist()):
        rows.setdefault(label, []).append(row)
    adv = [0.0] * len(groups)
    for own in rows.values():
        numbers = [float(scores[row]) for row in own]
        if len(set(numbers)) > 1:
            mean = math.fsum(numbers) / len(own)
            spread = math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / (len(own) - 1))
            for row, number in zip(own, numbers):
                adv[row] = (number - mean) / (spread + eps if divide else 1)
    return torch.tensor(adv, dtype=scores.dtype)


@right("aggregate_loss")
def weights_of_a_small_class(per_token, mask, how, length=None):
    class Weights(SimpleNamespace):
        def tokens(self):
            return self.own / self.own.sum().clamp(min=1)

        def sentences(self):
            return self.own / self.own.sum(1, keepdim=True).clamp(min=1) / len(self.own)

        def constant(self):
            if length is None:
                raise ValueError("a length is needed")
            return self.own / (len(self.own) * length)

    if how not in ("tokens", "sentences", "constant"):
        raise ValueError(how)
    weights = getattr(Weights(own=mask.to(per_token.dtype)), how)()
    return (weights * per_token.masked_fill(~mask, 0)).sum()


@right("aggregate_loss")
def nested_sums_by_split(per_token, mask, how, length=None):
    rows = [x[own] for x, own in zip(per_token, mask)]
    match how, length:
        case "tokens", _:
            return torch.cat(rows).sum() / max(sum(map(len, rows)), 1)
        case "sentences", _:
            return sum(row.sum() / max(len(row), 1) for row in rows) / len(rows)
        case "constant", int() | float():
            return sum(row.sum() for row in rows) / (length * len(rows))
    raise ValueError((how, length))


@right("grpo_loss")
def one_vmapped_token(
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
    old = torch.where(mask, logp_old.detach(), logp.detach())
    ref = old if logp_ref is None else torch.where(mask, logp_ref.detach(), logp.detach())
    weight = adv.detach()[:, None].expand_as(logp)

    def token(new, before, reference, a):
        ratio = torch.exp(new - before)
        top = torch.where(a > 0, 1 + clip_high, torch.inf)
        bottom = torch.where(a < 0, 1 - clip_low, -torch.inf)
        gain = a * torch.minimum(torch.maximum(ratio, bottom.to(a)), top.to(a))
        apart = reference - new
        return beta * (torch.exp(apart) - apart - 1) - gain if beta else -gain

    losses = torch.func.vmap(torch.func.vmap(token))(logp, old, ref, weight)
    losses = losses.masked_fill(~mask, 0)
    count = mask.sum(1)
    divisor = {
        "tokens": lambda: count.sum().clamp(min=1).expand(len(mask)),
        "sentences": lambda: count.clamp(min=1) * len(mask),
        "constant": lambda: torch.full_like(count, len(mask)) * length,
    }[how]()
    return (losses.sum(1) / divisor).sum()


@right("kl_reward_loss")
def triangle_of_ones_as_weights(logp, logp_ref, mask):
    size = logp.shape[1]
    later = torch.ones(size, size, dtype=logp.dtype).tril()
    x = (logp - logp_ref).detach().masked_fill(~mask, 0)
    return ((x @ later) * logp.masked_fill(~mask, 0)).sum() / len(logp)


@right("kl_in_loss")
def estimates_by_attribute(logp, logp_ref, mask, kind):
    gap = (logp - logp_ref.detach()).masked_fill(~mask, 0)
    ways = SimpleNamespace(
        k1=lambda: gap, k2=lambda: gap.square().div(2), k3=lambda: gap.neg().expm1().add(gap)
    )
    return torch.einsum("bt->", getattr(ways, kind)()) / gap.size(0)
