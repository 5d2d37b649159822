"""The slope of the clipped objective, and the share of samples outside the band."""

import numpy as np

from grader.checking import N_, Array, Case, FunctionExercise, Number, Symptom, View
from grader.checks.lesson_04 import formulas
from grader.checks.lesson_04.clip import SIX
from grader.checks.shared.clip_truth import slope
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, off_the_edges
from grader.checks.shared.slips import listed


def gradient_cases(rng):
    """Inside; the four outside one by one; other bands, views and sizes. None on an edge."""
    wide = float(rng.uniform(0.25, 0.5))
    ratio, adv = (np.array(numbers) for numbers in zip(*SIX, strict=True))
    drawn = off_the_edges(rng, 12, 0.2)
    return [
        Case({"ratio": np.array([1.0, 0.9]), "adv": np.array([2.0, -3.0])}),
        Case({"ratio": np.array([1.5]), "adv": np.array([2.0])}),
        Case({"ratio": np.array([1.5]), "adv": np.array([-2.0])}),
        Case({"ratio": np.array([6.0, 0.05]), "adv": np.array([-1.0, 2.0])}),
        Case({"ratio": np.array([0.5]), "adv": np.array([3.0])}),
        Case({"ratio": np.array([0.5]), "adv": np.array([-3.0])}),
        Case({"ratio": ratio, "adv": adv}),
        Case({"ratio": ratio, "adv": adv, "clip": 0.6}),
        Case({"ratio": ratio, "adv": adv, "clip": 0.05}, keywords=("clip",)),
        Case({"ratio": np.array([1.4, 0.3, 1.0]), "adv": np.array([0.0, 0.0, 0.0])}),
        Case({"ratio": View(drawn, "read_only"), "adv": View(rng.normal(size=12), "strided")}),
        Case({"ratio": off_the_edges(rng, 9, wide), "adv": rng.normal(size=9), "clip": wide}),
        Case({"ratio": off_the_edges(rng, 30, 0.2), "adv": rng.normal(size=30) * 4}),
        *(Case({"ratio": np.array(r), "adv": np.array(adv)}) for r, adv in (EQUAL, FAR)),
    ]


def gradient_truth(ratio, adv, clip=0.2):
    pairs = zip(ratio, adv, strict=True)
    return np.array([slope(float(r), float(a), clip) for r, a in pairs])


def slope_like(alive, value=lambda ratio, adv, clip: adv):
    """A wrong slope: `value` where `alive(ratio, adv, clip)`, zero elsewhere."""

    def gradient(ratio, adv, clip=0.2):
        return np.where(alive(ratio, adv, clip), value(ratio, adv, clip), 0.0)

    return gradient


def alive(ratio, adv, clip):
    return np.where(adv > 0, ratio < 1 + clip, ratio > 1 - clip)


def at_work(ratio, adv, clip):
    """Not at rest; where the advantage is zero, too."""
    return ~(((adv > 0) & (ratio > 1 + clip)) | ((adv < 0) & (ratio < 1 - clip)))


def inside(ratio, adv, clip):
    return np.abs(ratio - 1) < clip


def always(ratio, adv, clip):
    return np.ones(np.shape(ratio), dtype=bool)


def clipped_objective(ratio, adv, clip):
    return np.minimum(ratio * adv, np.clip(ratio, 1 - clip, 1 + clip) * adv)


BOTH_SIGNS = N_("Go through both signs of the advantage: which edge matters for which?")
CLIP_GRADIENT_HINTS = {
    "zero-outside-band": "Outside the band the slope is zero only when moving further away. Which "
    "of the two branches is the smaller?",
    "never-zero": "That is the slope without the clip. Where is the curve flat?",
    "max-not-min": "These are the slopes of the larger branch. The objective takes the min.",
    "loss-not-objective": "This is asked of the objective, which is maximised. What sign has the "
    "slope of r A where A > 0?",
    "by-logp": "With respect to the ratio, not to logp: the chain rule's factor comes later.",
    "averaged": "One slope per sample, of that sample's own objective: no mean.",
    "dead-inside": "Inside the band the clip changes nothing. What is left?",
    "advantage-forgotten": "How steep is r A as a function of r?",
    "one-sign": BOTH_SIGNS,
    "flipped": "Alive and flat are swapped. What is the slope at equal policies?",
    "value-not-slope": "That is a value, not a slope. How does it change when the ratio grows a "
    "little?",
    "sample-dropped": "Samples at rest keep their place in the result, with a 0.",
}
CLIP_GRADIENT_FACES = {
    "zero-outside-band": slope_like(inside),
    "never-zero": slope_like(always),
    "max-not-min": slope_like(lambda r, a, c: np.where(a > 0, r > 1 - c, r < 1 + c)),
    "loss-not-objective": slope_like(alive, lambda r, a, c: -a),
    "by-logp": slope_like(alive, lambda r, a, c: r * a),
    "averaged": (
        slope_like(alive, lambda r, a, c: a / len(r)),
        lambda ratio, adv, clip=0.2: np.where(at_work(ratio, adv, clip), adv, 0.0).mean(),
    ),
    "dead-inside": slope_like(lambda r, a, c: r * a < np.clip(r, 1 - c, 1 + c) * a),
    "advantage-forgotten": (
        slope_like(alive, lambda r, a, c: np.ones_like(a)),
        slope_like(at_work, lambda r, a, c: np.ones_like(a)),
        slope_like(at_work, lambda r, a, c: r),
        slope_like(alive, lambda r, a, c: r),
        slope_like(alive, lambda r, a, c: np.sign(a)),
        slope_like(alive, lambda r, a, c: np.abs(a)),
    ),
    "one-sign": (
        slope_like(lambda r, a, c: r < 1 + c),
        slope_like(lambda r, a, c: r > 1 - c),
        slope_like(lambda r, a, c: (a > 0) & (r < 1 + c)),
        slope_like(lambda r, a, c: (a < 0) & (r > 1 - c)),
        slope_like(lambda r, a, c: (a < 0) | (r < 1 + c)),
        slope_like(lambda r, a, c: (a > 0) | (r > 1 - c)),
    ),
    "flipped": (slope_like(lambda *x: ~alive(*x)), slope_like(lambda *x: ~inside(*x))),
    "clip-fixed": slope_like(lambda r, a, c: alive(r, a, 0.2)),
    "band-in-logs": slope_like(lambda r, a, c: alive(1 + np.log(r), a, c)),
    "band-around-zero": slope_like(lambda r, a, c: np.abs(r) < c),
    "value-not-slope": (
        slope_like(always, clipped_objective),
        slope_like(always, lambda r, a, c: np.clip(r, 1 - c, 1 + c) * a),
        slope_like(
            always,
            lambda r, a, c: np.where(alive(r, a, c), a, np.clip(r, 1 - c, 1 + c) * a),
        ),
    ),
    "sample-dropped": Symptom(
        lambda case, seen, truth: (
            np.size(seen["value"]["array"]) == np.count_nonzero(truth.value)
            and np.size(seen["value"]["array"]) < np.size(truth.value)
        )
    ),
    "held-back": Symptom(far_from_one),
}
CLIP_GRADIENT = FunctionExercise(
    "clip_gradient",
    gradient_cases,
    gradient_truth,
    formula=(formulas.clip_gradient_formula, formulas.clip_gradient_by_bounds),
    kind=Array(),
    mistakes=listed(CLIP_GRADIENT_FACES, CLIP_GRADIENT_HINTS),
)


def fraction_cases(rng):
    """Shares that differ from their rest; edges that are exact in binary; the default left out."""
    edges = np.array([0.75, 1.25, 1.0, 0.5, 1.5, 1.5, 1.5, 2.0])
    return [
        Case({"ratio": np.array([0.5, 1.0, 1.5, 1.5, 1.1])}),
        Case({"ratio": np.array([1.0, 0.95])}),
        Case({"ratio": np.array([0.3])}),
        Case({"ratio": edges, "clip": 0.25}),
        Case({"ratio": edges, "clip": 0.5}, keywords=("clip",)),
        Case({"ratio": np.array([0.85, 1.15, 1.25, 0.7, 1.0, 1.6, 1.05]), "clip": 0.1}),
        Case({"ratio": View(off_the_edges(rng, 40, 0.2), "strided")}),
        Case({"ratio": View(off_the_edges(rng, 23, 0.3), "read_only"), "clip": 0.3}),
        Case({"ratio": off_the_edges(rng, 17, 0.2)}),
        Case({"ratio": np.array(EQUAL[0])}),
        Case({"ratio": np.array([*FAR[0], 1.0])}),
    ]


def fraction_truth(ratio, clip=0.2):
    """Counted one by one; an edge belongs to the band."""
    return sum(not 1 - clip <= float(r) <= 1 + clip for r in ratio) / len(ratio)


def fraction_like(outside):
    return lambda ratio, clip=0.2: float(np.mean(outside(ratio, clip)))


CLIP_FRACTION_HINTS = {
    "edge-outside": "A ratio exactly on the edge counts as inside.",
    "percent": "A share lies between 0 and 1.",
    "distance-not-share": "How many are outside is asked, not how far outside they are.",
}
CLIP_FRACTION_FACES = {
    "one-side-counted": (
        fraction_like(lambda r, c: r > 1 + c),
        fraction_like(lambda r, c: r - 1 > c),
        fraction_like(lambda r, c: r < 1 - c),
    ),
    "share-inside": fraction_like(lambda r, c: (r >= 1 - c) & (r <= 1 + c)),
    "edge-outside": fraction_like(lambda r, c: (r <= 1 - c) | (r >= 1 + c)),
    "count-not-share": lambda ratio, clip=0.2: len(ratio) * fraction_truth(ratio, clip),
    "percent": lambda ratio, clip=0.2: 100 * fraction_truth(ratio, clip),
    "clip-fixed": lambda ratio, clip=0.2: fraction_truth(ratio, 0.2),
    "band-around-zero": fraction_like(lambda r, c: np.abs(r) > c),
    "band-in-logs": fraction_like(lambda r, c: np.abs(np.log(r)) > c),
    "distance-not-share": (
        lambda ratio, clip=0.2: float(np.mean(np.maximum(np.abs(ratio - 1) - clip, 0))),
        lambda ratio, clip=0.2: float(np.mean(np.abs(ratio - 1))),
        lambda ratio, clip=0.2: float(
            np.mean(np.abs(ratio - np.clip(ratio, 1 - clip, 1 + clip)) / clip)
        ),
    ),
    "held-back": Symptom(far_from_one),
}
CLIP_FRACTION = FunctionExercise(
    "clip_fraction",
    fraction_cases,
    fraction_truth,
    formula=(formulas.clip_fraction_formula, formulas.clip_fraction_by_distance),
    kind=Number(),
    mistakes=listed(CLIP_FRACTION_FACES, CLIP_FRACTION_HINTS),
)
