"""Check of grpo_loss: the clipped objective with the KL in the loss."""

import math

import numpy as np
import torch

from grader.checking import (
    N_,
    Case,
    Expected,
    FunctionExercise,
    Raises,
    Symptom,
    Tensor,
    TensorOf,
    _,
    array_text,
    call_text,
)
from grader.checks.lesson_07 import formulas
from grader.checks.lesson_07.aggregate import (
    HOWS,
    LENGTH,
    ONE_TRUE,
    RIGHT,
    aggregate_like,
    kept,
    ragged,
    row_weights,
)
from grader.checks.shared import ratios as words
from grader.checks.shared.masks import of_nothing, spoiled_outside
from grader.checks.shared.slips import listed


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
        # A reference may be there, though nothing is asked of it.
        grpo_case(ratios, adv, ragged_mask, rng=rng, apart=near, how="sentences"),
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
        grpo_case([[0.01, words.HUGE], [0.01, words.HUGE]], [1.0, -2.0], np.ones((2, 2), bool)),
        grpo_case([[1.5, 1.5], [1.5, 1.5]], [-2.0, -2.0], np.ones((2, 2), bool)),
        *(
            grpo_case([[0.9, 1.1], [ratio, 1.0]], [2.0, -4.0], ONE_TRUE, apart=apart, beta=0.5)
            for ratio in (0.01, words.HUGE)
            for apart in (np.full((2, 2), np.log(0.01)), np.full((2, 2), np.log(words.HUGE)))
        ),
        *(
            grpo_case(*eight, ~whole, edge=True, apart=np.ones((2, 4)), beta=0.3, how=how, length=4)
            for how in HOWS
        ),
        *(far_outside(which) for which in ("logp_old", "logp_ref")),
        grpo_case(*eight, whole, edge=True, how="constant"),
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
    if how == "constant" and length is None:
        return Raises(or_other=True)
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
    unasked=0.0,
):
    """A wrong loss, right where nothing else is said. unasked: beta where a reference is there,
    but nothing is asked of it."""

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
        if logp_ref is not None:
            each = each + weigh(beta or unasked) * term(kept(logp_ref.detach() - logp, mask))
        return (aggregate or aggregate_like())(each, mask, how, length)

    return loss


def should_raise(case, seen, truth):
    return isinstance(truth, Raises)


def of_means(x, mask, how, length=None):
    return RIGHT["tokens"](x, mask, length)


TWO_EDGES = N_("The band goes from 1 - clip_low to 1 + clip_high. Which one holds a good token?")
THE_TERM = N_("k3 is exp(x) - 1 - x with x = logp_ref - logp, per token.")

GRPO_LOSS_HINTS = {
    "no-error": "A constant without its length is a ValueError, as in aggregate_loss: by what "
    "should it divide?",
    "one-band": TWO_EDGES,
    "edges-swapped": TWO_EDGES,
    "dual-clip": "For a bad token whose ratio is large the loss asked for has no second bound.",
    "kl-sign": "The KL is a cost: a larger one makes the loss larger.",
    "kl-left-out": "What does beta weigh?",
    "beta-ignored": "How much does beta weigh the KL in this call?",
    "other-estimator": THE_TERM,
    "other-direction": THE_TERM,
    "kl-detached": "The value is right, the gradient is not: the KL's gradient flows through logp.",
    "how-ignored": "How does this call ask for the tokens to be put together?",
    "shared-out": "Every token of a sentence has the sentence's whole advantage.",
}
GRPO_LOSS_FACES = {
    "no-error": Symptom(should_raise),
    "empty-mask": Symptom(of_nothing),
    "mask-after-exp": Symptom(spoiled_outside),
    "one-band": (
        grpo_like(lambda r, a, low, high: clipped(r, a, low, low)),
        grpo_like(lambda r, a, low, high: clipped(r, a, high, high)),
    ),
    "edges-swapped": grpo_like(lambda r, a, low, high: clipped(r, a, high, low)),
    "clip-fixed": grpo_like(lambda r, a, low, high: clipped(r, a, 0.2, 0.28)),
    "band-in-logs": grpo_like(
        lambda r, a, lo, hi: torch.min(r * a, r.log().clamp(-lo, hi).exp() * a)
    ),
    "max-not-min": grpo_like(lambda r, a, lo, hi: torch.max(r * a, r.clamp(1 - lo, 1 + hi) * a)),
    "clip-without-min": grpo_like(lambda r, a, lo, hi: r.clamp(1 - lo, 1 + hi) * a),
    "not-clipped": grpo_like(lambda r, a, lo, hi: r * a),
    "dual-clip": tuple(
        grpo_like(
            lambda r, a, lo, hi, bound=bound: torch.where(
                a < 0, torch.max(clipped(r, a, lo, hi), bound * a), clipped(r, a, lo, hi)
            )
        )
        for bound in (2.0, 3.0, 5.0, 10.0)
    ),
    "objective-not-loss": grpo_like(sign=1.0),
    "sentence-ratio": (
        grpo_like(ratio_of=lambda x, m: x.sum(1, keepdim=True).exp().expand(x.shape) + 0 * x),
        grpo_like(
            ratio_of=lambda x, m: (
                (x.sum(1, keepdim=True) / m.sum(1, keepdim=True).clamp(min=1)).exp() + 0 * x
            )
        ),
    ),
    "gradient-through-old": grpo_like(data=lambda x: x),
    "gradient-through-advantage": grpo_like(advantage=lambda a, m: a[:, None]),
    "kl-sign": grpo_like(weigh=lambda beta: -beta),
    "kl-left-out": grpo_like(weigh=lambda beta: 0.0),
    "beta-ignored": (
        grpo_like(weigh=lambda beta: 1.0),
        *(grpo_like(unasked=beta) for beta in (0.001, 0.01, 0.02, 0.04, 0.1, 1.0)),
    ),
    "other-estimator": (grpo_like(term=lambda x: -x), grpo_like(term=lambda x: x**2 / 2)),
    "other-direction": grpo_like(term=lambda x: torch.expm1(-x) + x),
    "kl-detached": grpo_like(term=lambda x: third(x).detach()),
    "how-ignored": grpo_like(aggregate=of_means),
    "mask-ignored": lambda logp, logp_old, logp_ref, adv, mask, **options: grpo_like()(
        logp, logp_old, logp_ref, adv, torch.ones_like(mask), **options
    ),
    "mask-inverted": lambda logp, logp_old, logp_ref, adv, mask, **options: grpo_like()(
        logp, logp_old, logp_ref, adv, ~mask, **options
    ),
    "shared-out": grpo_like(
        advantage=lambda a, m: a.detach()[:, None] / m.sum(1, keepdim=True).clamp(min=1)
    ),
    "advantages-whitened": grpo_like(
        advantage=lambda a, m: ((a - a.mean()) / (a.std(unbiased=False) + 1e-8)).detach()[:, None]
    ),
    "held-back": Symptom(words.far_from_one),
}
GRPO_LOSS = FunctionExercise(
    "grpo_loss",
    grpo_cases,
    grpo_truth,
    formula=formulas.grpo_loss_formula,
    kind=TensorOf(),
    prerequisites=("aggregate_loss",),
    mistakes=listed(GRPO_LOSS_FACES, GRPO_LOSS_HINTS),
)
