"""Answers for aggregate_loss."""

import torch

from bank import right, wrong


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
def any_other_way_is_constant(per_token, mask, how, length=None):
    kept = torch.where(mask, per_token, 0.0)
    if how == "tokens":
        return kept.sum() / mask.sum().clamp(min=1)
    if how == "sentences":
        return (kept.sum(1) / mask.sum(1).clamp(min=1)).mean()
    if length is None:
        raise ValueError(how)
    return kept.sum() / (len(kept) * length)


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


@wrong("aggregate_loss", "no-error")
def any_word_with_that_letter(per_token, mask, how, length=None):
    meant = {"t": "tokens", "s": "sentences", "c": "constant"}.get(how[:1], how)
    return where_and_sums(per_token, mask, meant, length)
