"""Means over tokens and sentences, and GRPO's loss."""

import math

import numpy as np
import torch

from grader.checking import (
    N_,
    Case,
    Expected,
    FunctionExercise,
    Mistake,
    Raises,
    Tensor,
    TensorOf,
    _,
    array_text,
    call_text,
)
from grader.checks.shared import ratios as words
from grader.checks.shared import slips

HOWS = "tokens", "sentences", "constant"
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


# aggregate_loss -------------------------------------------------------------------------------

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
        aggregate_case(*example, "mean", edge=True),
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


def of_nothing(case, seen, truth):
    return case.edge and not case.inputs["mask"].array.any()


def spoiled_outside(case, seen, truth):
    return case.edge and case.inputs["mask"].array.any()


PADDING = N_("Prompt and filling count as well. Which entries does the mask mark?")
EMPTY = N_("Where nothing is true, the result is 0. What is divided by what?")

AGGREGATE_LOSS = FunctionExercise(
    "aggregate_loss",
    aggregate_cases,
    aggregate_truth,
    kind=TensorOf(),
    mistakes=(
        Mistake(
            "no-error",
            "An unknown how, or a constant without its length, is a ValueError.",
            when=should_raise,
        ),
        slips.empty_mask(when=of_nothing),
        Mistake(
            "nan-from-outside",
            "nan times 0 is nan. Choose the entries instead of multiplying by the mask.",
            when=spoiled_outside,
        ),
        slips.mask_ignored(every(lambda x, m: (x, torch.ones_like(m)))),
        slips.mask_inverted(every(lambda x, m: (x, ~m))),
        Mistake(
            "divided-by-size",
            "A mean over tokens divides by the number of true entries.",
            like=aggregate_like(tokens=lambda x, m, n: kept(x, m).mean()),
        ),
        Mistake(
            "divided-by-size",
            "Each row's mean divides by the number of its own true entries.",
            like=aggregate_like(sentences=lambda x, m, n: kept(x, m).mean(1).mean()),
        ),
        Mistake(
            "ways-swapped",
            "Which of the two gives every token of the batch the same weight?",
            like=aggregate_like(tokens=by_sentences, sentences=by_tokens),
        ),
        Mistake(
            "tokens-everywhere",
            "Each sentence first has a mean of its own; then comes the mean of those.",
            like=aggregate_like(sentences=by_tokens),
        ),
        Mistake(
            "sentences-everywhere",
            "A mean over tokens: long sentences have more of them, and count for more.",
            like=aggregate_like(tokens=by_sentences),
        ),
        Mistake(
            "empty-rows-left-out",
            "A row without a true entry counts 0, and is one of the B rows.",
            like=aggregate_like(sentences=lambda x, m, n: with_rows(x, m)),
        ),
        Mistake(
            "sum-over-rows",
            "The sentences' means are averaged, not added up.",
            like=aggregate_like(sentences=lambda x, m, n: by_sentences(x, m, n) * len(m)),
        ),
        Mistake(
            "rows-forgotten",
            "The constant is B times length: the batch's size must not change the step.",
            like=aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / n),
        ),
        Mistake(
            "length-ignored",
            "By what does the constant divide in this call?",
            like=(
                aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / len(m)),
                aggregate_like(constant=lambda x, m, n: kept(x, m).sum() / m.numel()),
                aggregate_like(
                    constant=lambda x, m, n: kept(x, m).sum() / (len(m) * m.sum(1).max())
                ),
            ),
        ),
        Mistake(
            "not-aggregated",
            "One number is asked, not one for each sentence.",
            like=aggregate_like(
                sentences=lambda x, m, n: kept(x, m).sum(1) / m.sum(1).clamp(min=1)
            ),
        ),
    ),
)


# grpo_loss ------------------------------------------------------------------------------------


def grpo_cases(rng):
    """The cases of an uneven band, a KL, each aggregation, a far end, nothing, an overflow."""
    eight = [[0.5, 0.9, 1.25, 1.5], [0.5, 0.78, 1.25, 1.5]], [1.5, -2.0]
    whole = np.ones((2, 4), bool)
    part = np.array([[False, True, True, False], [False, True, True, True]])
    ragged_mask = ragged(rng, 4, 6)
    ratios = np.exp(rng.normal(0, 0.5, size=(4, 6)))
    ratios[np.abs(ratios - 0.8) < 0.02] = 0.75
    ratios[np.abs(ratios - 1.28) < 0.02] = 1.35
    adv, near = rng.normal(size=4) * 2, rng.normal(size=(4, 6)) * 0.7
    cases = [
        grpo_case([[1.0, 1.0]], [2.0], [[True, True]]),
        grpo_case(*eight, whole),
        grpo_case(*eight, part),
        grpo_case(*eight, whole, clip_low=0.3, clip_high=0.6),
        grpo_case(ratios, adv, ragged_mask, rng=rng),
        grpo_case(ratios, adv, ragged_mask, rng=rng, how="sentences"),
        grpo_case(ratios, adv, ragged_mask, rng=rng, how="constant", length=LENGTH),
        grpo_case([[1.0, 1.0]], [0.0], [[True, True]], apart=[[1.0, -2.0]], beta=0.5),
        grpo_case(ratios, adv, ragged_mask, rng=rng, apart=near, beta=0.3),
        grpo_case(ratios, adv, ragged_mask, rng=rng, apart=near, beta=0.1, how="sentences"),
        grpo_case(
            ratios,
            adv,
            ragged_mask,
            rng=rng,
            apart=near,
            beta=0.2,
            dtype=np.float32,
            how="constant",
            length=3,
        ),
        # Far away nothing but the band holds a sample: no second bound, no cut of the log-ratio.
        grpo_case([[0.01, 100.0], [0.01, 100.0]], [1.0, -2.0], np.ones((2, 2), bool)),
        grpo_case([[1.5, 1.5], [1.5, 1.5]], [-2.0, -2.0], np.ones((2, 2), bool)),
        *(
            grpo_case([[0.9, 1.1], [ratio, 1.0]], [2.0, -4.0], ONE_TRUE, apart=apart, beta=0.5)
            for ratio in (0.01, 100.0)
            for apart in (np.full((2, 2), np.log(0.01)), np.full((2, 2), np.log(100.0)))
        ),
        *(
            grpo_case(*eight, ~whole, edge=True, apart=np.ones((2, 4)), beta=0.3, how=how, length=4)
            for how in HOWS
        ),
        *(far_outside(which) for which in ("logp_old", "logp_ref")),
    ]
    return cases


def far_outside(which):
    """A padded column whose ratio is beyond float32's largest number."""
    case = grpo_case(
        [[1.1, 1.0, 0.9]],
        [1.0],
        [[True, False, True]],
        apart=[[0.1, 0.0, -0.1]],
        beta=0.3,
        dtype=np.float32,
        edge=True,
    )
    case.inputs[which].array[0, 1] += -89.0 if which == "logp_old" else 89.0
    return case


def grpo_case(ratio, adv, mask, rng=None, dtype=np.float64, apart=None, edge=False, **options):
    """apart: (B, L-1), logp_ref - logp; without it there is no reference."""
    logp, logp_old = words.logs(ratio, rng, dtype)
    reference = None
    if apart is not None:
        reference = Tensor((logp + np.asarray(apart)).astype(dtype), grad=True)
    inputs = {
        "logp": Tensor(logp, grad=True),
        "logp_old": Tensor(logp_old, grad=True),
        "logp_ref": reference,
        "adv": Tensor(np.asarray(adv, dtype), grad=True),
        "mask": Tensor(np.asarray(mask, bool)),
        **options,
    }
    text = _("ratios: {ratios}").format(ratios=array_text(np.round(np.asarray(ratio), 4)))
    shown = call_text("grpo_loss", inputs, tuple(options)) + "\n" + text
    return Case(inputs, tuple(options), shown=shown, edge=edge)


def band(ratio, adv, low, high):
    """One token's clipped objective; the band of width 0 to both sides stands for its edges."""
    return min(ratio * adv, min(max(ratio, 1 - low), 1 + high) * adv)


def slope(ratio, adv, low, high, step=1e-6):
    return (band(ratio + step, adv, low, high) - band(ratio - step, adv, low, high)) / (2 * step)


def grpo_truth(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    weights, terms = row_weights(mask, how, length), []
    gradient = np.zeros(np.shape(logp))
    for index in zip(*np.nonzero(mask), strict=True):
        ratio = math.exp(float(logp[index]) - float(logp_old[index]))
        a = float(adv[index[0]])
        loss = -band(ratio, a, clip_low, clip_high)
        change = -slope(ratio, a, clip_low, clip_high) * ratio
        if beta:
            apart = float(logp_ref[index]) - float(logp[index])
            loss += beta * (math.expm1(apart) - apart)
            change -= beta * math.expm1(apart)
        terms.append(weights[index] * loss)
        gradient[index] = weights[index] * change
    data = dict.fromkeys(("logp_old", "logp_ref", "adv"))
    return Expected(math.fsum(terms), {"logp": gradient, **data})


def clipped(r, a, low, high):
    return torch.min(r * a, r.clamp(1 - low, 1 + high) * a)


def third(x):
    """k3 from logp_ref - logp."""
    return torch.expm1(x) - x


def grpo_like(
    gain=clipped,
    term=third,
    aggregate=None,
    sign=-1.0,
    data=lambda x: x.detach(),
    ratio_of=None,
    advantage=lambda a, m: a.detach()[:, None],
    weigh=lambda beta: beta,
):
    """A wrong loss, right where nothing else is said."""

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
        apart = kept(logp - data(logp_old), mask)
        ratio = torch.exp(apart) if ratio_of is None else ratio_of(apart, mask)
        each = sign * gain(ratio, advantage(adv, mask), clip_low, clip_high)
        if beta:
            each = each + weigh(beta) * term(kept(logp_ref.detach() - logp, mask))
        return (aggregate or aggregate_like())(each, mask, how, length)

    return loss


def of_means(x, mask, how, length=None):
    return RIGHT["tokens"](x, mask, length)


TWO_EDGES = N_("The band goes from 1 - clip_low to 1 + clip_high. Which one holds a good token?")
THE_TERM = N_("k3 is exp(x) - 1 - x with x = logp_ref - logp, per token.")

GRPO_LOSS = FunctionExercise(
    "grpo_loss",
    grpo_cases,
    grpo_truth,
    kind=TensorOf(),
    prerequisites=("aggregate_loss",),
    mistakes=(
        slips.empty_mask(when=of_nothing),
        Mistake(
            "mask-after-exp",
            "Outside the mask a ratio can be infinite. Backward multiplies its gradient by 0, "
            "and 0 times infinity is nan. Mask before the exponential.",
            when=spoiled_outside,
        ),
        Mistake(
            "one-band",
            TWO_EDGES,
            like=(
                grpo_like(lambda r, a, low, high: clipped(r, a, low, low)),
                grpo_like(lambda r, a, low, high: clipped(r, a, high, high)),
            ),
        ),
        Mistake(
            "edges-swapped",
            TWO_EDGES,
            like=grpo_like(lambda r, a, low, high: clipped(r, a, high, low)),
        ),
        slips.clip_fixed(grpo_like(lambda r, a, low, high: clipped(r, a, 0.2, 0.28))),
        slips.max_not_min(
            grpo_like(lambda r, a, lo, hi: torch.max(r * a, r.clamp(1 - lo, 1 + hi) * a))
        ),
        slips.clip_without_min(grpo_like(lambda r, a, lo, hi: r.clamp(1 - lo, 1 + hi) * a)),
        slips.not_clipped(grpo_like(lambda r, a, lo, hi: r * a)),
        Mistake(
            "dual-clip",
            "For a bad token whose ratio is large the loss asked for has no second bound.",
            like=tuple(
                grpo_like(
                    lambda r, a, lo, hi, bound=bound: torch.where(
                        a < 0, torch.max(clipped(r, a, lo, hi), bound * a), clipped(r, a, lo, hi)
                    )
                )
                for bound in (2.0, 3.0, 5.0, 10.0)
            ),
        ),
        slips.objective_not_loss(grpo_like(sign=1.0)),
        Mistake(
            "sentence-ratio",
            "Each token has its own ratio, and its own clip.",
            like=(
                grpo_like(
                    ratio_of=lambda x, m: x.sum(1, keepdim=True).exp().expand(x.shape) + 0 * x
                ),
                grpo_like(
                    ratio_of=lambda x, m: (
                        (x.sum(1, keepdim=True) / m.sum(1, keepdim=True).clamp(min=1)).exp() + 0 * x
                    )
                ),
            ),
        ),
        slips.gradient_through_old(grpo_like(data=lambda x: x)),
        slips.gradient_through_advantage(grpo_like(advantage=lambda a, m: a[:, None])),
        Mistake(
            "kl-sign",
            "The KL is a cost: a larger one makes the loss larger.",
            like=grpo_like(weigh=lambda beta: -beta),
        ),
        Mistake("kl-left-out", "What does beta weigh?", like=grpo_like(weigh=lambda beta: 0.0)),
        Mistake(
            "beta-ignored",
            "How much does beta weigh the KL in this call?",
            like=grpo_like(weigh=lambda beta: 1.0),
        ),
        Mistake(
            "other-estimator",
            THE_TERM,
            like=(grpo_like(term=lambda x: -x), grpo_like(term=lambda x: x**2 / 2)),
        ),
        Mistake("other-direction", THE_TERM, like=grpo_like(term=lambda x: torch.expm1(-x) + x)),
        Mistake(
            "kl-detached",
            "The value is right, the gradient is not: the KL's gradient flows through logp.",
            like=grpo_like(term=lambda x: third(x).detach()),
        ),
        Mistake(
            "how-ignored",
            "How does this call ask for the tokens to be put together?",
            like=grpo_like(aggregate=of_means),
        ),
        slips.mask_ignored(
            lambda logp, logp_old, logp_ref, adv, mask, **options: grpo_like()(
                logp, logp_old, logp_ref, adv, torch.ones_like(mask), **options
            )
        ),
        slips.mask_inverted(
            lambda logp, logp_old, logp_ref, adv, mask, **options: grpo_like()(
                logp, logp_old, logp_ref, adv, ~mask, **options
            )
        ),
        Mistake(
            "shared-out",
            "Every token of a sentence has the sentence's whole advantage.",
            like=grpo_like(
                advantage=lambda a, m: a.detach()[:, None] / m.sum(1, keepdim=True).clamp(min=1)
            ),
        ),
        slips.advantages_whitened(
            grpo_like(
                advantage=lambda a, m: ((a - a.mean()) / (a.std(unbiased=False) + 1e-8)).detach()[
                    :, None
                ]
            )
        ),
        slips.held_back(when=words.far_from_one),
    ),
)
