"""Checks of completion_mask and masked_mean: which tokens count."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import (
    N_,
    Expected,
    FunctionExercise,
    Mismatch,
    Symptom,
    TensorOf,
    _,
    kind_text,
    none_hint,
)
from grader.checks.lesson_06 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.slips import listed

# completion_mask ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mask:
    """A torch tensor of truth values."""

    def arrays(self, seen, label=""):
        words = _("a torch tensor of dtype bool")
        if seen.get("kind") != "tensor":
            raise Mismatch(kind_text(seen), none_hint(seen), words)
        if seen["dtype"] != "bool":
            got = _("a tensor of dtype {dtype}").format(dtype=seen["dtype"])
            raise Mismatch(got, _("A mask answers yes or no for each token."), words)
        return {label: np.asarray(seen["array"])}


def mask_cases(rng):
    """Ends early, late, at once and never; filled up with eos, with others, with text that goes on
    after the end; an end-of-sequence token in the prompt; prompts of every length."""
    eos = int(rng.integers(1, 6))
    words = rng.choice([v for v in range(7) if v != eos], size=(5, 8))
    drawn, ends = words.copy(), rng.integers(3, 8, size=5)
    for row, end in zip(drawn, ends, strict=True):
        row[end:] = eos
    twice = words.copy()
    twice[:, 4] = twice[:, 6] = twice[2, 7] = twice[3, 3] = eos
    prompted = twice.copy()
    prompted[:2, 0] = prompted[3, 1] = eos
    return [
        mask_case([[5, 6, 3, 4, 0, 0]], 2, 0),
        mask_case([[5, 6, 3, 4, 0, 1, 2]], 2, 0),
        mask_case([[5, 6, 3, 4, 2, 1]], 2, 0),
        mask_case([[5, 6, 0, 0, 0], [5, 6, 1, 0, 0], [5, 6, 1, 2, 3]], 2, 0),
        mask_case([[1, 5, 2, 1, 1], [1, 5, 2, 3, 1]], 2, 1),
        mask_case([[4, 4, 2, 4], [3, 1, 4, 4]], 1, 4),
        mask_case([[3, 0]], 1, 0),
        mask_case(drawn, 3, eos),
        mask_case(twice, 2, eos),
        mask_case(prompted, 3, eos),
        mask_case(prompted, 7, eos),
    ]


mask_case = tensor_caller("tokens", "prompt_length", "eos")


def mask_truth(tokens, prompt_length, eos):
    """Row by row: write on until the first eos after the prompt."""
    mask = np.zeros((len(tokens), np.shape(tokens)[1] - 1), dtype=bool)
    for row, found in zip(tokens, mask, strict=True):
        for t in range(int(prompt_length), len(row)):
            found[t - 1] = True
            if row[t] == eos:
                break
    return mask


def to_first(ends):
    return ends.long().cumsum(1) - ends.long() == 0


def whole_row(tokens, prompt_length, eos, keep=to_first):
    """Aligned with the tokens instead of with the predictions."""
    found = torch.zeros_like(tokens, dtype=torch.bool)
    found[:, prompt_length:] = keep(tokens[:, prompt_length:] == eos)
    return found


def mask_like(keep):
    """A wrong mask: `keep(is_eos (B, C)) -> bool (B, C)` over the completion alone, aligned."""
    return lambda tokens, prompt_length, eos: whole_row(tokens, prompt_length, eos, keep)[:, 1:]


right_mask = mask_like(to_first)


def right_but(columns, value):
    """The right mask, and one value at all columns(prompt_length)."""

    def mask(tokens, prompt_length, eos):
        found = right_mask(tokens, prompt_length, eos)
        found[:, columns(prompt_length)] = value
        return found

    return mask


def begun(tokens, start, eos):
    """The right mask of a completion that is taken to begin at `start`."""
    chosen = torch.arange(tokens.shape[1]) >= start
    ends = (tokens == eos) & chosen
    return (chosen & to_first(ends))[:, 1:]


def up_to(last):
    """From the prompt's end up to last(tokens, prompt_length, eos) (B, 1), that included."""

    def mask(tokens, prompt_length, eos):
        place = torch.arange(tokens.shape[1])
        end = last(tokens, prompt_length, eos)
        return ((place >= prompt_length) & (place <= end))[:, 1:]

    return mask


def last_end(tokens, prompt_length, eos):
    """The last eos; the row's end where the completion has none."""
    last = torch.where(tokens == eos, torch.arange(tokens.shape[1]), -1).amax(1, keepdim=True)
    return torch.where(last < prompt_length, tokens.shape[1] - 1, last)


def prompt_ends(tokens, prompt_length, eos):
    """An eos in the prompt counts as the end."""
    found = to_first(tokens == eos)
    found[:, :prompt_length] = False
    return found[:, 1:]


def argmax_as_end(tokens, prompt_length, eos):
    """argmax of nothing but False is 0: a completion without an end gets no entry."""
    ends = (tokens == eos) & (torch.arange(tokens.shape[1]) >= prompt_length)
    return ends.long().argmax(1, keepdim=True)


def argmax_in_completion(tokens, prompt_length, eos):
    """The same, counted from the prompt's end: such a completion keeps its first token alone."""
    ends = tokens[:, prompt_length:] == eos
    return prompt_length + ends.long().argmax(1, keepdim=True)


COMPLETION_MASK_HINTS = {
    "eos-left-out": "The model chose to stop there. Is that not an action, too?",
    "all-eos-left-out": "Every eos is left out, and what follows the first one is kept. Where does "
    "the completion end?",
    "kept-after-eos": "What stands after the first eos was never chosen, or never read.",
    "only-eos": "Only the end is kept. Which tokens did the model choose?",
    "inverted": "True and false are swapped: what is to be learned from is true.",
    "misaligned": "Column t of token_logp speaks of token t + 1. Which column speaks of the "
    "completion's first token?",
    "not-aligned": "L tokens give L - 1 predictions: the mask belongs to these.",
    "prompt-kept": "Who wrote the prompt? The policy learns from its own tokens.",
    "eos-in-prompt": "An eos inside the prompt ends nothing: the completion begins after the "
    "prompt.",
    "end-not-there": "A completion without eos is true to the row's end. What does your way to "
    "find the first eos give where there is none?",
    "argument-ignored": "Do prompt_length and eos come from the call, or is one of them a number "
    "in your code?",
    "not-bool": "A mask answers yes or no: give it dtype bool.",
}
COMPLETION_MASK_FACES = {
    "eos-left-out": mask_like(lambda ends: ends.long().cumsum(1) == 0),
    "all-eos-left-out": mask_like(lambda ends: ~ends),
    "kept-after-eos": (
        mask_like(lambda ends: torch.ones_like(ends)),
        mask_like(lambda ends: ends.flip(1).long().cumsum(1).flip(1) > 0),
        mask_like(lambda ends: ends.long().cumsum(1) <= 1),
        mask_like(lambda ends: ~ends | (ends & to_first(ends))),
        up_to(last_end),
    ),
    "only-eos": (mask_like(lambda ends: ends & to_first(ends)), mask_like(lambda ends: ends)),
    "inverted": lambda *given: ~right_mask(*given),
    "misaligned": (
        lambda *given: whole_row(*given)[:, :-1],
        right_but(lambda length: length - 1, False),
        right_but(lambda length: max(length - 2, 0), True),
        lambda tokens, length, eos: begun(tokens, length + 1, eos),
        lambda tokens, length, eos: begun(tokens, length - 1, eos),
    ),
    "not-aligned": whole_row,
    "prompt-kept": (
        right_but(lambda length: slice(length - 1), True),
        lambda tokens, prompt_length, eos: to_first(tokens == eos)[:, 1:],
    ),
    "eos-in-prompt": prompt_ends,
    "end-not-there": (up_to(argmax_as_end), up_to(argmax_in_completion)),
    "argument-ignored": (
        lambda t, p, eos: right_mask(t, 2, eos),
        lambda t, p, eos: right_mask(t, p, 0),
        lambda t, p, eos: right_mask(t, 2, 0),
    ),
    "not-bool": Symptom(
        lambda case, seen, truth: (
            seen["value"]["kind"] == "tensor"
            and seen["value"]["dtype"] != "bool"
            and np.array_equal(seen["value"]["array"], truth.value)
        )
    ),
}
COMPLETION_MASK = FunctionExercise(
    "completion_mask",
    mask_cases,
    mask_truth,
    formula=(formulas.completion_mask_formula, formulas.completion_mask_by_last),
    kind=Mask(),
    mistakes=listed(COMPLETION_MASK_FACES, COMPLETION_MASK_HINTS),
)


# masked_mean ----------------------------------------------------------------------------------


def mean_cases(rng):
    """Gaps, true zeros, rows of unequal length, an empty mask, one entry, one dimension."""
    rows, cols = int(rng.integers(3, 6)), int(rng.integers(4, 8))
    ragged = np.arange(cols) < rng.integers(1, cols + 1, size=(rows, 1))
    ragged[0, -1], ragged[1, 1:] = False, False
    gaps = rng.random((rows, cols)) < 0.5
    gaps[0, 0] = True
    first = np.array([[True, False, True], [False, False, True]])
    return [
        mean_case([[1.0, 100.0, 3.0], [100.0, 100.0, 8.0]], first),
        mean_case([[0.0, 5.0, 0.0], [5.0, 7.0, 6.0]], first),
        mean_case(rng.normal(size=(rows, cols)) + 2, ragged),
        mean_case(rng.normal(size=(rows, cols)), gaps),
        mean_case(rng.normal(size=(2, 3)), np.ones((2, 3), dtype=bool)),
        mean_case(rng.normal(size=(2, 3)).astype(np.float32), np.zeros((2, 3), dtype=bool)),
        mean_case([[-4.0]], [[True]]),
        mean_case(rng.normal(size=7), rng.permutation([True] * 3 + [False] * 4)),
        mean_case(
            rng.normal(size=(4, 9)).astype(np.float32),
            np.arange(9) < np.array([[2], [9], [5], [0]]),
        ),
        mean_case([[2.0, 2.0, 2.0], [2.0, 9.0, 9.0]], np.arange(6).reshape(2, 3) < 4),
        *(mean_case([[7.0, 7.0, 9.0], [9.0, far, 5.0]], ONE_TRUE) for far in (0.01, -100.0)),
    ]


ONE_TRUE = np.array([[False] * 3, [False, True, False]])


mean_case = tensor_caller("x", "mask", grad=("x",))


def mean_truth(x, mask):
    chosen = [
        float(number) for number, kept in zip(np.ravel(x), np.ravel(mask), strict=True) if kept
    ]
    if not chosen:
        return Expected(0.0, {"x": None})
    share = np.asarray(mask, dtype=float) / len(chosen)
    return Expected(math.fsum(chosen) / len(chosen), {"x": share})


def nan_gradient(x, mask):
    count = mask.sum()
    return torch.where(count > 0, (x * mask).sum() / count, torch.zeros((), dtype=x.dtype))


def by_rows(x, mask, axis):
    return (x * mask).sum(axis) / mask.sum(axis).clamp(min=1)


COUNT = N_("Divide by the number of true entries.")

MASKED_MEAN_HINTS = {
    "mask-ignored": "Entries outside the mask count as well. Change one: does the result change?",
    "divided-by-size": COUNT,
    "not-divided": COUNT,
    "changed-inputs": "Work on a copy: the caller still needs its array.",
    "row-means": "A mean of the rows' means weighs a token of a short row more than one of a long "
    "row.",
    "one-per-row": "One number for the whole batch is asked.",
    "empty-mask": "With no true entry the count is 0. What is 0 divided by 0?",
    "nan-in-gradient": "The value is right, its gradient is not a number: both branches of where "
    "are differentiated. Keep the zero out of the denominator.",
    "zeros-skipped": "An entry may be true and 0. Count the mask, not the numbers.",
    "inverted": "The entries outside the mask are averaged.",
    "count-plus-one": "The guard against 0 changes every other mean, too.",
    "detached": "Losses are built on this mean. Where was the graph cut?",
    "epsilon-in-count": "The guard against 0 changes every other mean, too.",
    "divided-by-rows": COUNT,
    "filled-with-zeros": "Entries outside are left out, not counted as zeros or as their mean.",
}
MASKED_MEAN_FACES = {
    "mask-ignored": lambda x, mask: x.mean(),
    "divided-by-size": lambda x, mask: (x * mask).mean(),
    "not-divided": lambda x, mask: (x * mask).sum(),
    "changed-inputs": Symptom(lambda case, seen, truth: bool(seen.get("changed"))),
    "row-means": (
        lambda x, mask: by_rows(x, mask, -1).mean(),
        lambda x, mask: by_rows(x, mask, 1).mean(),
        lambda x, mask: ((x * mask).sum(-1) / mask.sum(-1)).mean(),
    ),
    "one-per-row": (
        lambda x, mask: (x * mask).sum(-1) / mask.sum(-1).clamp(min=1),
        lambda x, mask: (x * mask).sum(-1) / mask.sum(-1),
        lambda x, mask: by_rows(x, mask, 1),
    ),
    "empty-mask": (lambda x, mask: x[mask].mean(), lambda x, mask: (x * mask).sum() / mask.sum()),
    "nan-in-gradient": nan_gradient,
    "zeros-skipped": lambda x, mask: (x * mask).sum() / ((x * mask) != 0).sum().clamp(min=1),
    "inverted": lambda x, mask: (x * ~mask).sum() / (~mask).sum().clamp(min=1),
    "count-plus-one": lambda x, mask: (x * mask).sum() / (mask.sum() + 1),
    "detached": lambda x, mask: ((x * mask).sum() / mask.sum().clamp(min=1)).detach(),
    "epsilon-in-count": tuple(
        lambda x, mask, e=e: (x * mask).sum() / (mask.sum() + e) for e in (1e-2, 1e-3, 0.1, 0.5)
    ),
    "divided-by-rows": (
        lambda x, mask: (x * mask).sum() / len(mask),
        lambda x, mask: (x * mask).sum() / mask.shape[-1],
        lambda x, mask: (x * mask).sum() / mask.any(-1).sum().clamp(min=1),
    ),
    "filled-with-zeros": lambda x, mask: x.masked_fill(~mask, 0.0).mean(),
}
MASKED_MEAN = FunctionExercise(
    "masked_mean",
    mean_cases,
    mean_truth,
    formula=(
        formulas.masked_mean_formula,
        formulas.masked_mean_of_chosen,
        formulas.masked_mean_by_rows,
    ),
    kind=TensorOf(),
    mistakes=listed(MASKED_MEAN_FACES, MASKED_MEAN_HINTS),
)
