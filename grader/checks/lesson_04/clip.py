"""The clipped objective: its loss, its slope by hand, the six cases and the share outside."""

import math

import numpy as np
import torch

from grader.checking import (
    N_,
    Array,
    Case,
    Expected,
    FunctionExercise,
    Mistake,
    Number,
    Problem,
    RuleExercise,
    Tensor,
    TensorOf,
    View,
    _,
    kind_text,
)
from grader.checks.lesson_04 import samples as words
from grader.checks.lesson_04.ratio import ratios
from grader.checks.lesson_04.samples import loss_case, off_the_edges

SIX = [(0.5, 2.0), (0.9, 3.0), (1.5, 1.0), (0.5, -3.0), (1.1, -2.0), (1.5, -1.0)]


def objective(ratio, adv, clip=0.2):
    """One sample's clipped objective, by its definition, in plain numbers."""
    return min(ratio * adv, min(max(ratio, 1 - clip), 1 + clip) * adv)


def slope(ratio, adv, clip=0.2, step=1e-6):
    """Its derivative with respect to the ratio, by a central difference (exact between edges)."""
    return (objective(ratio + step, adv, clip) - objective(ratio - step, adv, clip)) / (2 * step)


# ppo_clip_loss --------------------------------------------------------------------------------


def clip_cases(rng):
    """Equal policies, the six cases one by one, then mixed ones: other bands, dtypes, sizes."""
    name = "ppo_clip_loss"
    wide, size = float(rng.uniform(0.25, 0.5)), int(rng.integers(8, 16))
    ratio, adv = map(list, zip(*SIX, strict=True))
    far = {
        "logp": Tensor(np.array([-2000.0, -1900.0]), grad=True),
        "logp_old": Tensor(np.array([-2000.1, -1900.5]), grad=True),
        "adv": Tensor(np.array([1.0, -2.0])),
    }
    return [
        loss_case(name, [1.0, 1.0, 1.0], [3.0, -1.0, 0.5], rng),
        *[loss_case(name, [r, 1.0], [a, 1.0]) for r, a in SIX],
        loss_case(name, ratio, adv, rng, adv_grad=True),
        loss_case(name, ratio, adv, rng, clip=0.6),
        loss_case(name, [1.25, 0.75, 1.25, 0.75], [2.0, 1.0, -1.0, -2.0], rng, clip=0.1),
        loss_case(name, [1.4, 1.4, 1.0], [0.0, 1.0, 0.0], rng, keywords=("clip",), clip=0.3),
        Case(far),
        loss_case(name, off_the_edges(rng, size, 0.2), rng.normal(size=size) * 3, rng),
        loss_case(name, [1.1], [-0.5], rng),
        loss_case(name, [6.0, 0.05, 9.0], [-1.0, 2.0, 1.5], rng),
        loss_case(
            name,
            off_the_edges(rng, 9, wide),
            rng.normal(size=9) + 3,
            rng,
            np.float32,
            keywords=("clip",),
            clip=wide,
        ),
    ]


def clip_truth(logp, logp_old, adv, clip=0.2):
    ratio, adv = ratios(logp, logp_old), np.asarray(adv, dtype=float)
    pairs = list(zip(ratio, adv, strict=True))
    loss = -math.fsum(objective(r, a, clip) for r, a in pairs) / len(pairs)
    # d ratio / d logp is the ratio itself.
    gradient = -np.array([slope(r, a, clip) * r for r, a in pairs]) / len(pairs)
    return Expected(loss, {"logp": gradient, "logp_old": None, "adv": None})


def clip_like(change):
    """A wrong loss from `change(ratio, adv, clip)`; old and advantages are data in it."""

    def loss(logp, logp_old, adv, clip=0.2):
        return change(torch.exp(logp - logp_old.detach()), adv.detach(), clip)

    return loss


def right_loss(ratio, adv, clip):
    return -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()


def dead_outside(ratio, adv, clip):
    """The right value; no gradient for any sample outside the band."""
    outside = (ratio - 1).abs() > clip
    return right_loss(torch.where(outside, ratio.detach(), ratio), adv, clip)


def branches(ratio, adv, low=None, high=None):
    """r A and clip(r) A, each sample's two numbers."""
    return ratio * adv, ratio.clamp(low, high) * adv


def larger(ratio, adv, clip):
    return -torch.max(*branches(ratio, adv, 1 - clip, 1 + clip)).mean()


def min_of_means(ratio, adv, clip):
    return -torch.min((ratio * adv).mean(), (ratio.clamp(1 - clip, 1 + clip) * adv).mean())


def whitened(ratio, adv, clip):
    return right_loss(ratio, (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8), clip)


def whitened_unbiased(ratio, adv, clip):
    return right_loss(ratio, (adv - adv.mean()) / (adv.std() + 1e-8), clip)


IN_LOGS = N_("The band is 1 - clip to 1 + clip in the ratio itself, not in its logarithm.")
UNDO = N_("With r = 1.5 and A < 0: can it still undo a mistake?")
TAKE_MIN = N_(
    "The objective takes the min of two numbers. Minus a min is the max of the negated two."
)
BOTH_SIDES = N_("The band has two edges: 1 - clip and 1 + clip.")

PPO_CLIP_LOSS = FunctionExercise(
    "ppo_clip_loss",
    clip_cases,
    clip_truth,
    kind=TensorOf(),
    prerequisites=("importance_ratio", "surrogate_loss"),
    mistakes=(
        Mistake("max-not-min", TAKE_MIN, like=clip_like(larger)),
        Mistake(
            "clip-without-min",
            UNDO,
            like=clip_like(lambda r, adv, c: -(r.clamp(1 - c, 1 + c) * adv).mean()),
        ),
        Mistake("objective-not-loss", words.SIGN, like=clip_like(lambda *x: -right_loss(*x))),
        Mistake(
            "dead-outside-band",
            N_(
                "The value is right, the gradient is not. Outside the band "
                "it is zero only when moving further away."
            ),
            like=clip_like(dead_outside),
        ),
        Mistake(
            "not-clipped",
            N_("How far may a good action's ratio rise before it stops paying?"),
            like=clip_like(lambda r, adv, c: -(r * adv).mean()),
        ),
        Mistake(
            "one-side-clipped",
            BOTH_SIDES,
            like=clip_like(lambda r, a, c: -torch.min(*branches(r, a, None, 1 + c)).mean()),
        ),
        Mistake(
            "one-side-clipped",
            BOTH_SIDES,
            like=clip_like(lambda r, a, c: -torch.min(*branches(r, a, 1 - c, None)).mean()),
        ),
        Mistake(
            "inverted-ratio",
            words.NEW_OVER_OLD,
            like=clip_like(lambda r, adv, c: right_loss(1 / r, adv, c)),
        ),
        Mistake(
            "no-exp", words.NO_EXP, like=clip_like(lambda r, adv, c: right_loss(r.log(), adv, c))
        ),
        Mistake(
            "ratio-of-logs",
            words.LOGS_DIVIDED,
            like=lambda logp, logp_old, adv, clip=0.2: right_loss(
                logp / logp_old.detach(), adv.detach(), clip
            ),
        ),
        Mistake(
            "underflow",
            words.EXPS_DIVIDED,
            like=lambda logp, logp_old, adv, clip=0.2: right_loss(
                logp.exp() / logp_old.detach().exp(), adv.detach(), clip
            ),
        ),
        Mistake(
            "gradient-through-old",
            words.OLD_IS_DATA,
            like=lambda logp, logp_old, adv, clip=0.2: right_loss(
                torch.exp(logp - logp_old), adv.detach(), clip
            ),
        ),
        Mistake(
            "gradient-through-old",
            words.OLD_IS_DATA,
            like=lambda logp, logp_old, adv, clip=0.2: right_loss(
                torch.exp(logp - logp_old), adv, clip
            ),
        ),
        Mistake(
            "gradient-through-advantage",
            words.ADV_IS_DATA,
            like=lambda logp, logp_old, adv, clip=0.2: right_loss(
                torch.exp(logp - logp_old.detach()), adv, clip
            ),
        ),
        Mistake(
            "sum-not-mean",
            words.MEAN,
            like=clip_like(lambda r, adv, c: right_loss(r, adv, c) * len(r)),
        ),
        Mistake(
            "not-averaged",
            words.NOT_AVERAGED,
            like=clip_like(lambda r, adv, c: -torch.min(r * adv, r.clamp(1 - c, 1 + c) * adv)),
        ),
        Mistake(
            "min-of-means",
            N_(
                "The min is taken sample by sample, before the mean. Otherwise "
                "good and bad samples hide one another."
            ),
            like=clip_like(min_of_means),
        ),
        Mistake(
            "clip-fixed",
            N_("Which band does the call ask for?"),
            like=clip_like(lambda r, adv, c: right_loss(r, adv, 0.2)),
        ),
        Mistake(
            "product-clipped",
            N_("The ratio is clipped, not its product with the advantage."),
            like=clip_like(
                lambda r, adv, c: -torch.min(r * adv, (r * adv).clamp(1 - c, 1 + c)).mean()
            ),
        ),
        Mistake(
            "product-clipped",
            N_("The ratio is clipped, not its product with the advantage."),
            like=clip_like(lambda r, adv, c: -(r * adv).clamp(1 - c, 1 + c).mean()),
        ),
        Mistake(
            "band-around-zero",
            N_("Equal policies have ratio 1: the band lies around 1."),
            like=clip_like(lambda r, adv, c: -torch.min(r * adv, r.clamp(-c, c) * adv).mean()),
        ),
        Mistake("advantages-whitened", words.NOT_WHITENED, like=clip_like(whitened)),
        Mistake("advantages-whitened", words.NOT_WHITENED, like=clip_like(whitened_unbiased)),
        Mistake(
            "min-before-advantage",
            N_("The min compares two products. With A < 0 the smaller ratio makes the larger one."),
            like=clip_like(lambda r, adv, c: -(torch.min(r, r.clamp(1 - c, 1 + c)) * adv).mean()),
        ),
        Mistake(
            "band-in-logs",
            IN_LOGS,
            like=clip_like(
                lambda r, adv, c: -torch.min(r * adv, r.log().clamp(-c, c).exp() * adv).mean()
            ),
        ),
        Mistake(
            "sample-dropped",
            N_(
                "A sample outside the band keeps a value in the mean. Only "
                "its gradient may be zero."
            ),
            like=clip_like(lambda r, adv, c: -(r * adv * ((r - 1).abs() <= c)).mean()),
        ),
        Mistake(
            "clipped-branch-detached",
            N_(
                "Inside the band the two branches are equal, and the "
                "min shares the gradient between them. Does it reach "
                "the ratio through both?"
            ),
            like=clip_like(
                lambda r, adv, c: -torch.min(r * adv, r.detach().clamp(1 - c, 1 + c) * adv).mean()
            ),
        ),
        Mistake(
            "broadcast",
            N_(
                "Each sample's ratio meets its own advantage alone. Print the "
                "shapes of both, and of their product."
            ),
            like=clip_like(lambda r, adv, c: right_loss(r, adv[:, None], c)),
        ),
    ),
)


# clip_gradient --------------------------------------------------------------------------------


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


VALUE = N_("That is a value, not a slope. How does it change when the ratio grows a little?")
BOTH_SIGNS = N_("Go through both signs of the advantage: which edge matters for which?")

CLIP_GRADIENT = FunctionExercise(
    "clip_gradient",
    gradient_cases,
    gradient_truth,
    kind=Array(),
    mistakes=(
        Mistake(
            "zero-outside-band",
            N_(
                "Outside the band the slope is zero only when moving "
                "further away. Which of the two branches is the smaller?"
            ),
            like=slope_like(inside),
        ),
        Mistake(
            "never-zero",
            N_("That is the slope without the clip. Where is the curve flat?"),
            like=slope_like(always),
        ),
        Mistake(
            "max-not-min",
            N_("These are the slopes of the larger branch. The objective takes the min."),
            like=slope_like(lambda r, a, c: np.where(a > 0, r > 1 - c, r < 1 + c)),
        ),
        Mistake(
            "loss-not-objective",
            N_(
                "This is asked of the objective, which is maximised. What "
                "sign has the slope of r A where A > 0?"
            ),
            like=slope_like(alive, lambda r, a, c: -a),
        ),
        Mistake(
            "by-logp",
            N_("With respect to the ratio, not to logp: the chain rule's factor comes later."),
            like=slope_like(alive, lambda r, a, c: r * a),
        ),
        Mistake(
            "averaged",
            N_("One slope per sample, of that sample's own objective: no mean."),
            like=slope_like(alive, lambda r, a, c: a / len(r)),
        ),
        Mistake(
            "averaged",
            N_("One slope per sample, of that sample's own objective: no mean."),
            like=lambda ratio, adv, clip=0.2: np.where(at_work(ratio, adv, clip), adv, 0.0).mean(),
        ),
        Mistake(
            "dead-inside",
            N_("Inside the band the clip changes nothing. What is left?"),
            like=slope_like(lambda r, a, c: r * a < np.clip(r, 1 - c, 1 + c) * a),
        ),
        Mistake(
            "advantage-forgotten",
            N_("How steep is r A as a function of r?"),
            like=slope_like(alive, lambda r, a, c: np.ones_like(a)),
        ),
        Mistake(
            "advantage-forgotten",
            N_("How steep is r A as a function of r?"),
            like=slope_like(at_work, lambda r, a, c: np.ones_like(a)),
        ),
        Mistake(
            "advantage-forgotten",
            N_("How steep is r A as a function of r?"),
            like=slope_like(at_work, lambda r, a, c: r),
        ),
        Mistake(
            "advantage-forgotten",
            N_("How steep is r A as a function of r?"),
            like=slope_like(alive, lambda r, a, c: r),
        ),
        Mistake(
            "advantage-forgotten",
            N_("How steep is r A as a function of r?"),
            like=slope_like(alive, lambda r, a, c: np.sign(a)),
        ),
        Mistake(
            "advantage-forgotten",
            N_("How steep is r A as a function of r?"),
            like=slope_like(alive, lambda r, a, c: np.abs(a)),
        ),
        Mistake("one-sign", BOTH_SIGNS, like=slope_like(lambda r, a, c: r < 1 + c)),
        Mistake("one-sign", BOTH_SIGNS, like=slope_like(lambda r, a, c: r > 1 - c)),
        Mistake("one-sign", BOTH_SIGNS, like=slope_like(lambda r, a, c: (a > 0) & (r < 1 + c))),
        Mistake("one-sign", BOTH_SIGNS, like=slope_like(lambda r, a, c: (a < 0) & (r > 1 - c))),
        Mistake("one-sign", BOTH_SIGNS, like=slope_like(lambda r, a, c: (a < 0) | (r < 1 + c))),
        Mistake("one-sign", BOTH_SIGNS, like=slope_like(lambda r, a, c: (a > 0) | (r > 1 - c))),
        Mistake(
            "flipped",
            N_("Alive and flat are swapped. What is the slope at equal policies?"),
            like=slope_like(lambda *x: ~alive(*x)),
        ),
        Mistake(
            "flipped",
            N_("Alive and flat are swapped. What is the slope at equal policies?"),
            like=slope_like(lambda *x: ~inside(*x)),
        ),
        Mistake(
            "clip-fixed",
            N_("Which band does the call ask for?"),
            like=slope_like(lambda r, a, c: alive(r, a, 0.2)),
        ),
        Mistake(
            "band-around-zero",
            N_("Equal policies have ratio 1: the band lies around 1."),
            like=slope_like(lambda r, a, c: np.abs(r) < c),
        ),
        Mistake("value-not-slope", VALUE, like=slope_like(always, clipped_objective)),
        Mistake(
            "value-not-slope",
            VALUE,
            like=slope_like(always, lambda r, a, c: np.clip(r, 1 - c, 1 + c) * a),
        ),
        Mistake(
            "value-not-slope",
            VALUE,
            like=slope_like(
                always, lambda r, a, c: np.where(alive(r, a, c), a, np.clip(r, 1 - c, 1 + c) * a)
            ),
        ),
    ),
)


# case_table -----------------------------------------------------------------------------------

PLACES = {"below": 0.5, "inside": 1.0, "above": 1.5}
KEYS = [(place, sign) for place in PLACES for sign in "+-"]
# What each usual wrong picture of the clip says: the keys that it takes to be at rest.
WRONG_PICTURES = [
    (
        "zero-outside-band",
        N_(
            "Outside the band the gradient is zero only when moving further away. "
            "Evaluate your clip_gradient on both sides for both signs."
        ),
        {("below", "+"), ("below", "-"), ("above", "+"), ("above", "-")},
    ),
    ("never-zero", N_("Then the clip would do nothing. Where is the objective flat?"), set()),
    (
        "max-not-min",
        N_("The objective takes the smaller branch. Which is it at r = 1.5, A > 0?"),
        {("below", "+"), ("above", "-")},
    ),
    ("one-sign", BOTH_SIGNS, {("above", "+")}),
    ("one-sign", BOTH_SIGNS, {("below", "-")}),
    ("one-sign", BOTH_SIGNS, {("above", "+"), ("above", "-")}),
    ("one-sign", BOTH_SIGNS, {("below", "+"), ("below", "-")}),
]


def table_truth():
    """The six words, from slopes at one ratio in each place."""
    signs = {"+": 1.0, "-": -1.0}
    return {key: "moves" if slope(PLACES[key[0]], signs[key[1]]) else "zero" for key in KEYS}


def read_table(seen):
    """The observed dict as {(place, sign): word}; None where it is something else."""
    if seen.get("kind") != "mapping":
        return None
    table = {}
    for key, word in seen["items"]:
        parts = key.get("items")
        name = tuple(part.get("value") for part in parts) if parts else str(key.get("value"))
        word = word.get("value")
        table[name] = word.strip().lower() if isinstance(word, str) else word
    return table


def judge_table(case, seen):
    table, truth = read_table(seen["value"]), table_truth()
    form = _('a dict with six keys such as ("below", "+"), each "moves" or "zero"')
    if table is None:
        return Problem("kind", "case_table", form, kind_text(seen["value"]))
    strange = sorted(set(table) ^ set(KEYS), key=str)
    if strange:
        words_for = _("a key {key}") if strange[0] in table else _("no key {key}")
        return Problem("kind", "case_table", form, words_for.format(key=repr(strange[0])))
    if not any(table.values()):
        hint = _('Not answered yet: put "moves" or "zero" in place of each None.')
        return Problem("defined", "case_table", form, "None", hint, "not-answered")
    odd = [key for key in KEYS if table[key] not in ("moves", "zero")]
    if odd:
        return Problem("kind", "case_table", form, f"{odd[0]!r}: {table[odd[0]]!r}")
    right = sum(table[key] == truth[key] for key in KEYS)
    return None if right == len(KEYS) else wrong_picture(table, right)


def wrong_picture(table, right):
    """How many of the six are right, and the picture of the clip that the answer fits."""
    rest = {key for key in KEYS if table[key] == "zero"}
    name, hint = next(((n, _(h)) for n, h, keys in WRONG_PICTURES if rest == keys), ("", ""))
    if ("inside", "+") in rest or ("inside", "-") in rest:
        name, hint = "dead-inside", _("Inside the band the clip changes nothing. What is left?")
    wanted, got = _("{n} of 6 right").format(n=6), _("{n} of 6 right").format(n=right)
    default = _("For each case: which of r A and clip(r) A is the smaller? Is that one flat?")
    return Problem("value", "case_table", wanted, got, hint or default, name)


CASE_TABLE = RuleExercise("case_table", "value", lambda rng: [Case({})], rules=(judge_table,))


# clip_fraction --------------------------------------------------------------------------------


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
    ]


def fraction_truth(ratio, clip=0.2):
    """Counted one by one; an edge belongs to the band."""
    return sum(not 1 - clip <= float(r) <= 1 + clip for r in ratio) / len(ratio)


def fraction_like(outside):
    return lambda ratio, clip=0.2: float(np.mean(outside(ratio, clip)))


ONE_SIDE = N_("A ratio can leave the band on either side.")

CLIP_FRACTION = FunctionExercise(
    "clip_fraction",
    fraction_cases,
    fraction_truth,
    kind=Number(),
    mistakes=(
        Mistake("one-side-counted", ONE_SIDE, like=fraction_like(lambda r, c: r > 1 + c)),
        Mistake("one-side-counted", ONE_SIDE, like=fraction_like(lambda r, c: r - 1 > c)),
        Mistake("one-side-counted", ONE_SIDE, like=fraction_like(lambda r, c: r < 1 - c)),
        Mistake(
            "share-inside",
            N_("That is the share inside the band."),
            like=fraction_like(lambda r, c: (r >= 1 - c) & (r <= 1 + c)),
        ),
        Mistake(
            "edge-outside",
            N_("A ratio exactly on the edge counts as inside."),
            like=fraction_like(lambda r, c: (r <= 1 - c) | (r >= 1 + c)),
        ),
        Mistake(
            "count-not-share",
            N_("A share: divide by the number of samples."),
            like=lambda ratio, clip=0.2: len(ratio) * fraction_truth(ratio, clip),
        ),
        Mistake(
            "percent",
            N_("A share lies between 0 and 1."),
            like=lambda ratio, clip=0.2: 100 * fraction_truth(ratio, clip),
        ),
        Mistake(
            "clip-fixed",
            N_("Which band does the call ask for?"),
            like=lambda ratio, clip=0.2: fraction_truth(ratio, 0.2),
        ),
        Mistake(
            "band-around-zero",
            N_("Equal policies have ratio 1: the band lies around 1."),
            like=fraction_like(lambda r, c: np.abs(r) > c),
        ),
        Mistake("band-in-logs", IN_LOGS, like=fraction_like(lambda r, c: np.abs(np.log(r)) > c)),
    ),
)
