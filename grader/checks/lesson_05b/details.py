"""Stopping by the KL, and the critic's clip."""

import math

import numpy as np
import torch

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Number,
    Raises,
    Symptom,
    Tensor,
    TensorOf,
)
from grader.checks.lesson_05b import formulas
from grader.checks.shared.slips import listed


def stop_cases(rng):
    """Both sides of the bound, far off and very near, the bound itself (exact in binary), no
    target, 0, nan, negative."""
    target = float(rng.uniform(0.005, 0.05))
    pairs = [
        (0.016, 0.01),
        (0.008, 0.01),
        (0.014, 0.01),
        (0.75, 0.5),
        (5.0, None),
        (1e-9, 0.0),
        (0.0, 0.0),
        (math.nan, 0.01),
        (math.nan, None),
        (-0.1, 0.02),
        (math.inf, 0.02),
        (1.499 * target, target),
        (1.501 * target, target),
        (-1.6 * target, target),
    ]
    return [Case({"approx_kl": kl, "target": target}) for kl, target in pairs]


def stop_truth(approx_kl, target):
    if target is None:
        return 0.0
    return float(math.isnan(approx_kl) or approx_kl > 1.5 * target)


def stop_like(rule):
    """A wrong answer that minds None and nan: rule(kl, target)."""

    def wrong(approx_kl, target):
        if target is None:
            return False
        return math.isnan(approx_kl) or bool(rule(approx_kl, target))

    return wrong


def raised_without_target(case, seen, truth):
    return case.inputs["target"] is None and "error" in seen


def ran_on_with_nan(case, seen, truth):
    nan = math.isnan(case.inputs["approx_kl"]) and case.inputs["target"] is not None
    return nan and "error" not in seen


SHOULD_STOP_HINTS = {
    "none-compared": "None is no number. What should happen where no target is given?",
    "no-factor": "The bound is 1.5 times the target, not the target.",
    "on-the-bound": "Exactly at 1.5 times the target the update goes on.",
    "backwards": "It stops where the policy has gone too far: is that a small KL or a large one?",
    "zero-taken-for-none": "A target of 0 is a target. What does `if not target` say of 0?",
    "factor-inverted": "The bound lies above the target, to leave room for scatter.",
    "other-factor": "The factor is 1.5.",
    "nan-runs-on": "nan compares as false with everything. Turn the question round: is the KL "
    "fine?",
    "stops-without-target": "Without a target the update is never cut short, whatever the KL.",
}
SHOULD_STOP_FACES = {
    "none-compared": Symptom(raised_without_target),
    "no-factor": (
        stop_like(lambda kl, target: kl > target),
        lambda kl, target: target is not None and kl > target,
    ),
    "on-the-bound": (
        stop_like(lambda kl, target: kl >= 1.5 * target),
        lambda kl, target: target is not None and kl >= 1.5 * target,
    ),
    "backwards": (
        stop_like(lambda kl, target: kl < 1.5 * target),
        lambda kl, target: target is not None and kl < 1.5 * target,
        lambda kl, target: target is None or kl <= 1.5 * target,
    ),
    "zero-taken-for-none": (
        lambda kl, target: bool(target) and kl > 1.5 * target,
        lambda kl, target: bool(target) and not kl <= 1.5 * target,
    ),
    "absolute-kl": (
        stop_like(lambda kl, target: abs(kl) > 1.5 * target),
        lambda kl, target: target is not None and abs(kl) > 1.5 * target,
    ),
    "factor-inverted": (
        stop_like(lambda kl, target: kl > target / 1.5),
        lambda kl, target: target is not None and kl > target / 1.5,
        stop_like(lambda kl, target: 1.5 * kl > target),
    ),
    "other-factor": (
        stop_like(lambda kl, target: kl > 2 * target),
        lambda kl, target: target is not None and kl > 2 * target,
    ),
    "nan-runs-on": Symptom(ran_on_with_nan),
    "stops-without-target": Symptom(lambda case, seen, truth: case.inputs["target"] is None),
}
SHOULD_STOP = FunctionExercise(
    "should_stop",
    stop_cases,
    stop_truth,
    formula=formulas.should_stop_formula,
    kind=Number(),
    mistakes=listed(SHOULD_STOP_FACES, SHOULD_STOP_HINTS),
)


def clip_cases(rng):
    """The four cases one by one, then mixed ones: other widths, dtypes, shapes that differ."""
    size = int(rng.integers(6, 11))
    four = [3.0, 1.2, -1.0, 7.5], [1.0, 1.0, 1.0, 1.0], [4.0, 4.0, 4.0, 4.0]

    def case(values, old, returns, clip, dtype=np.float64):
        given = {"values": values, "old_values": old, "returns": returns}
        tensors = {k: Tensor(np.asarray(v, dtype), grad=True) for k, v in given.items()}
        return Case(tensors | {"clip": clip})

    return [
        *[case([v, 1.0], [o, 1.0], [r, 2.0], 0.5) for v, o, r in zip(*four, strict=True)],
        case([4.5, 1.0], [1.0, 1.0], [4.0, 2.0], 0.5),
        case([-2.0, 1.0], [1.0, 1.0], [-3.0, 2.0], 0.5),
        case(*four, 0.5),
        case([52.0, 40.0, 49.9], [50.0, 50.0, 50.0], [60.0, 55.0, 49.0], 0.2),
        case([0.4, -0.3], [-0.2, 0.2], [0.0, 0.0], 0.1),
        case([[1.0], [2.0]], [1.0, 2.0], [1.0, 2.0], 0.5),
        case([1.0, 2.0], [1.0, 2.0], [[1.0], [2.0]], 0.5),
        case([1.0, 2.0], [1.0], [1.0, 2.0], 0.5),
        case(
            rng.normal(size=size) * 3,
            rng.normal(size=size),
            rng.normal(size=size) * 2,
            float(rng.uniform(0.3, 1.2)),
            np.float32,
        ),
        case(rng.normal(size=(3, 2)) * 3, rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), 0.4),
        case([2.0, 2.0], [1.0, 1.0], [5.0, 5.0], 0.5),
        case([100.0, -100.0, 0.01], [0.0, 0.0, 100.0], [0.01, 0.0, 100.0], 50.0),
    ]


def one_sample(value, old, ret, clip):
    """The larger of two squared errors, in plain numbers."""
    near = min(max(value, old - clip), old + clip)
    return max((value - ret) ** 2, (near - ret) ** 2)


def clip_truth(values, old_values, returns, clip, step=1e-6):
    if not np.shape(values) == np.shape(old_values) == np.shape(returns):
        return Raises("ValueError")
    flat = [np.asarray(x, dtype=float).ravel() for x in (values, old_values, returns)]
    rows = list(zip(*flat, strict=True))
    loss = math.fsum(one_sample(*row, clip) for row in rows) / len(rows)
    slope = [
        (one_sample(v + step, o, r, clip) - one_sample(v - step, o, r, clip)) / (2 * step)
        for v, o, r in rows
    ]
    slope = np.reshape(slope, np.shape(values)) / len(rows)
    return Expected(loss, {"values": slope, "old_values": None, "returns": None})


def clip_like(rule, data=True):
    """A wrong loss that still refuses other shapes: rule(values, old, returns, clip)."""

    def wrong(values, old_values, returns, clip):
        if not values.shape == old_values.shape == returns.shape:
            raise ValueError("shapes")
        if data:
            old_values, returns = old_values.detach(), returns.detach()
        return rule(values, old_values, returns, clip)

    return wrong


def near(v, o, c):
    return o + (v - o).clamp(-c, c)


def both(v, o, r, c):
    return (v - r) ** 2, (near(v, o, c) - r) ** 2


def right(v, o, r, c):
    return torch.max(*both(v, o, r, c)).mean()


def not_refused(case, seen, truth):
    return isinstance(truth, Raises) and "error" not in seen


VALUE_CLIP_LOSS_HINTS = {
    "min-not-max": "A pessimist takes the larger of the two errors.",
    "clip-without-max": "Two errors are compared. Where the value has moved away from the return: "
    "which?",
    "not-clipped": "That is the plain squared error. What may a value not gain beyond the band?",
    "band-around-zero": "The band lies around the old value.",
    "band-around-return": "The band lies around the old value, not around the return.",
    "band-around-one": "The policy's band is one of ratios. The critic's is one of differences.",
    "one-side-clipped": "The band has two edges: clip below the old value and clip above it.",
    "clip-fixed": "How wide a band does the call ask for?",
    "max-of-means": "The larger error is chosen sample by sample, before the mean.",
    "old-moves": "The old values and the returns are data: no gradient flows into them.",
    "error-held-back": "An error may be large. Is it cut off somewhere, or is its square?",
}
VALUE_CLIP_LOSS_FACES = {
    "broadcast/errors": Symptom(not_refused),
    "other-error": Symptom(lambda case, seen, truth: isinstance(truth, Raises)),
    "min-not-max": clip_like(lambda v, o, r, c: torch.min(*both(v, o, r, c)).mean()),
    "clip-without-max": clip_like(lambda v, o, r, c: both(v, o, r, c)[1].mean()),
    "not-clipped": clip_like(lambda v, o, r, c: both(v, o, r, c)[0].mean()),
    "band-around-zero": clip_like(
        lambda v, o, r, c: torch.max((v - r) ** 2, (v.clamp(-c, c) - r) ** 2).mean()
    ),
    "band-around-return": clip_like(
        lambda v, o, r, c: torch.max((v - r) ** 2, (near(v, r, c) - r) ** 2).mean()
    ),
    "band-around-one": clip_like(
        lambda v, o, r, c: torch.max(
            (v - r) ** 2, (o * (v / o).clamp(1 - c, 1 + c) - r) ** 2
        ).mean()
    ),
    "one-side-clipped": (
        clip_like(
            lambda v, o, r, c: torch.max((v - r) ** 2, (o + (v - o).clamp(max=c) - r) ** 2).mean()
        ),
        clip_like(
            lambda v, o, r, c: torch.max((v - r) ** 2, (o + (v - o).clamp(min=-c) - r) ** 2).mean()
        ),
    ),
    "clip-fixed": clip_like(lambda v, o, r, c: right(v, o, r, 0.2)),
    "halved": clip_like(lambda v, o, r, c: 0.5 * right(v, o, r, c)),
    "sum-not-mean": clip_like(lambda v, o, r, c: right(v, o, r, c) * v.numel()),
    "max-of-means": clip_like(lambda v, o, r, c: torch.max(*(x.mean() for x in both(v, o, r, c)))),
    "not-averaged": clip_like(lambda v, o, r, c: torch.max(*both(v, o, r, c))),
    "old-moves": (
        clip_like(right, data=False),
        clip_like(lambda v, o, r, c: right(v, o, r.detach(), c), data=False),
        clip_like(lambda v, o, r, c: right(v, o.detach(), r, c), data=False),
    ),
    "absolute": clip_like(
        lambda v, o, r, c: torch.max((v - r).abs(), (near(v, o, c) - r).abs()).mean()
    ),
    "negated": clip_like(lambda v, o, r, c: -right(v, o, r, c)),
    "error-held-back": Symptom(lambda case, seen, truth: case.inputs["clip"] == 50.0),
}
VALUE_CLIP_LOSS = FunctionExercise(
    "value_clip_loss",
    clip_cases,
    clip_truth,
    formula=(formulas.value_clip_formula, formulas.value_clip_by_bounds),
    kind=TensorOf(),
    mistakes=listed(VALUE_CLIP_LOSS_FACES, VALUE_CLIP_LOSS_HINTS),
)
