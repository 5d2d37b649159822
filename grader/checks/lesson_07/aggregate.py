"""Check of aggregate_loss: one number from the losses of tokens."""

import math

import numpy as np
import torch

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Raises,
    Symptom,
    Tensor,
    TensorOf,
)
from grader.checks.lesson_07 import formulas
from grader.checks.shared.masks import of_nothing, spoiled_outside
from grader.checks.shared.slips import listed

HOWS = "tokens", "sentences", "constant"
OTHERS = "mean", "token", "sentence", "constants"
LENGTH = 5


def ragged(rng, rows, cols):
    """(rows, cols) bool: a prompt of one column, completions of unequal length, and a gap."""
    lengths = rng.integers(1, cols, size=(rows, 1))
    lengths[0], lengths[-1] = cols - 1, 1
    place = np.arange(cols)
    mask = (place >= 1) & (place < 1 + lengths)
    mask[0, cols // 2] = False
    return mask


def row_weights(mask, how, length):
    """What each true entry weighs, (B, L-1)."""
    weights = np.zeros(np.shape(mask))
    rows = len(mask)
    every = max(1, int(np.sum(mask)))
    for b, row in enumerate(mask):
        own = max(1, int(np.sum(row)))
        each = {"tokens": 1 / every, "sentences": 1 / (rows * own)}.get(how)
        weights[b, np.asarray(row, bool)] = 1 / (rows * length) if each is None else each
    return weights


ONE_TRUE = np.array([[False, False], [True, False]])
EMPTY_ROW = np.array([[True, False, True], [False, False, False], [True, True, True]])


def aggregate_cases(rng):
    """A short and a long sentence; gaps; an empty row; nothing at all; a nan outside; errors."""
    example = [[6.0, 0.0], [2.0, 4.0]], [[True, False], [True, True]]
    tall, wide = rng.normal(size=(4, 6)) + 2, rng.normal(size=(3, 3)) - 1
    spoiled = np.where(EMPTY_ROW, wide, np.nan)
    cases = []
    for how in HOWS:
        length = {"length": 2} if how == "constant" else {}
        other = {"length": LENGTH} if how == "constant" else {}
        cases += [
            aggregate_case(*example, how, **length),
            aggregate_case(tall, ragged(rng, 4, 6), how, **other),
            aggregate_case(wide, EMPTY_ROW, how, **other),
            aggregate_case(rng.normal(size=(5, 5)), ragged(rng, 5, 5), how, np.float32, **other),
            aggregate_case(np.full((3, 3), 2.0), EMPTY_ROW, how, **other),
            aggregate_case([[7.0, 7.0], [-100.0, 5.0]], ONE_TRUE, how, **other),
            aggregate_case(wide, np.zeros((3, 3), bool), how, edge=True, **other),
            aggregate_case(spoiled, EMPTY_ROW, how, edge=True, **other),
        ]
    return [
        *cases,
        *(aggregate_case(*example, how, edge=True, length=2) for how in OTHERS),
        aggregate_case(*example, "constant", edge=True),
    ]


def aggregate_case(per_token, mask, how, dtype=np.float64, edge=False, **others):
    inputs = {
        "per_token": Tensor(np.asarray(per_token, dtype), grad=True),
        "mask": Tensor(np.asarray(mask, bool)),
        "how": how,
        **others,
    }
    return Case(inputs, ("length",) if others else (), edge=edge)


def aggregate_truth(per_token, mask, how, length=None):
    if how not in HOWS or (how == "constant" and length is None):
        return Raises()
    weights = row_weights(mask, how, length)
    products = [w * float(x) for w, x in zip(weights.flat, np.asarray(per_token).flat) if w]
    return Expected(math.fsum(products), {"per_token": weights})


def kept(x, mask):
    return torch.where(mask, x, torch.zeros((), dtype=x.dtype))


def by_tokens(x, mask, length):
    return kept(x, mask).sum() / mask.sum().clamp(min=1)


def by_sentences(x, mask, length):
    return (kept(x, mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def by_constant(x, mask, length):
    return kept(x, mask).sum() / (len(mask) * length)


RIGHT = {"tokens": by_tokens, "sentences": by_sentences, "constant": by_constant}


def aggregate_like(**others):
    """A wrong answer: the named ways are others, `(x, mask, length) -> scalar`."""
    ways = RIGHT | others

    def aggregate(per_token, mask, how, length=None):
        if how not in ways or (how == "constant" and length is None):
            raise ValueError
        return ways[how](per_token, mask, length)

    return aggregate


def every(change):
    """The same mistake in all three ways: `change(x, mask) -> (x, mask)`."""
    return aggregate_like(
        **{
            how: lambda x, mask, length, way=way: way(*change(x, mask), length)
            for how, way in RIGHT.items()
        }
    )


def with_rows(x, mask):
    """Sentence means over the rows that have an entry."""
    means = kept(x, mask).sum(1) / mask.sum(1).clamp(min=1)
    return means.sum() / mask.any(1).sum().clamp(min=1)


def should_raise(case, seen, truth):
    return isinstance(truth, Raises)


AGGREGATE_LOSS_HINTS = {
    "no-error": "An unknown how, or a constant without its length, is a ValueError.",
    "nan-from-outside": "nan times 0 is nan. Choose the entries instead of multiplying by the "
    "mask.",
    "divided-by-size": "A mean over tokens divides by the number of true entries.",
    "divided-by-size/rows": "Each row's mean divides by the number of its own true entries.",
    "ways-swapped": "Which of the two gives every token of the batch the same weight?",
    "tokens-everywhere": "Each sentence first has a mean of its own; then comes the mean of those.",
    "sentences-everywhere": "A mean over tokens: long sentences have more of them, and count for "
    "more.",
    "empty-rows-left-out": "A row without a true entry counts 0, and is one of the B rows.",
    "sum-over-rows": "The sentences' means are averaged, not added up.",
    "rows-forgotten": "The constant is B times length: the batch's size must not change the step.",
    "length-ignored": "By what does the constant divide in this call?",
    "not-aggregated": "One number is asked, not one for each sentence.",
}
AGGREGATE_LOSS_FACES = {
    "no-error": Symptom(should_raise),
    "empty-mask": Symptom(of_nothing),
    "nan-from-outside": Symptom(spoiled_outside),
    "mask-ignored": every(lambda x, m: (x, torch.ones_like(m))),
    "mask-inverted": every(lambda x, m: (x, ~m)),
    "divided-by-size": aggregate_like(tokens=lambda x, m, n: kept(x, m).mean()),
    "divided-by-size/rows": aggregate_like(sentences=lambda x, m, n: kept(x, m).mean(1).mean()),
    "ways-swapped": aggregate_like(tokens=by_sentences, sentences=by_tokens),
    "tokens-everywhere": aggregate_like(sentences=by_tokens),
    "sentences-everywhere": aggregate_like(tokens=by_sentences),
    "empty-rows-left-out": aggregate_like(sentences=lambda x, m, n: with_rows(x, m)),
    "sum-over-rows": aggregate_like(sentences=lambda x, m, n: by_sentences(x, m, n) * len(m)),
    "rows-forgotten": aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / n),
    "length-ignored": (
        aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / len(m)),
        aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / m.numel()),
        aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / (len(m) * m.sum(1).max())),
    ),
    "not-aggregated": aggregate_like(
        sentences=lambda x, m, n: kept(x, m).sum(1) / m.sum(1).clamp(min=1)
    ),
}
AGGREGATE_LOSS = FunctionExercise(
    "aggregate_loss",
    aggregate_cases,
    aggregate_truth,
    formula=formulas.aggregate_formula,
    kind=TensorOf(),
    mistakes=listed(AGGREGATE_LOSS_FACES, AGGREGATE_LOSS_HINTS),
)
