"""Answers for masks and means."""

import numpy as np
import torch

from bank import right, wrong


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


@wrong("masked_mean", "axis-too-many")
def in_a_row_of_one(x, mask):
    return clamped_count(x, mask)[None]


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


@wrong("masked_mean", "epsilon-in-count")
def guard_of_a_hundredth(x, mask):
    return torch.where(mask, x, 0.0).sum() / (mask.sum() + 1e-2)


@wrong("completion_mask", "kept-after-eos")
def up_to_the_last_end(tokens, prompt_length, eos):
    at = torch.arange(tokens.shape[1])
    last = torch.where(tokens == eos, at, -1).amax(1)
    last = torch.where(last < prompt_length, tokens.shape[1] - 1, last)
    return ((at >= prompt_length) & (at <= last[:, None]))[:, 1:]
