"""Checks of ppo_penalty_loss and adapt_beta: the KL as a penalty, and its coefficient."""

import numpy as np

from grader.checking import (
    N_,
    Case,
    Expected,
    FunctionExercise,
    Number,
    Symptom,
    Tensor,
    TensorOf,
)
from grader.checks.lesson_04 import formulas
from grader.checks.lesson_04.kl import k2_right, k3_right
from grader.checks.shared.clip_truth import surrogate_truth
from grader.checks.shared.ppo_slips import RATIOS, clipped, new_over_old
from grader.checks.shared.ratios import EQUAL, FAR, far_from_one, loss_case
from grader.checks.shared.slips import listed, made

# ppo_penalty_loss -----------------------------------------------------------------------------


def penalty_case(ratio, adv, kl, beta, rng=None, dtype=np.float64, keywords=()):
    kl = Tensor(np.array(kl, dtype=dtype), grad=True)
    return loss_case(
        "ppo_penalty_loss", ratio, adv, rng, dtype, keywords=keywords, kl=kl, beta=beta
    )


def penalty_cases(rng):
    """Each part alone, then both; ratios beyond any band; other dtypes and sizes."""
    size = int(rng.integers(5, 10))
    drawn = np.exp(rng.normal(size=size)), rng.normal(size=size) * 2
    return [
        penalty_case([1.0, 1.0], [3.0, -1.0], 0.5, 2.0),
        penalty_case([2.0, 0.25], [1.0, 3.0], 0.75, 0.0),
        penalty_case([1.5], [0.0], 0.25, 3.0),
        penalty_case(
            [2.0, 0.25, 2.0, 0.25], [1.0, -3.0, 1.0, -3.0], 0.1, 10.0, keywords=("kl", "beta")
        ),
        penalty_case(*drawn, float(rng.uniform(0.01, 1)), float(rng.uniform(0.5, 5)), rng),
        penalty_case(
            *drawn, float(rng.uniform(0.01, 1)), float(rng.uniform(0.5, 5)), rng, np.float32
        ),
        penalty_case(*EQUAL, 0.25, 2.0),
        penalty_case(*FAR, 0.25, 2.0),
    ]


def penalty_truth(logp, logp_old, adv, kl, beta):
    surrogate = surrogate_truth(logp, logp_old, adv)
    return Expected(
        surrogate.value + beta * float(kl), {**surrogate.gradients, "kl": np.array(beta)}
    )


def surrogate(ratio, adv):
    return -(ratio * adv).mean()


def penalty_like(change=lambda r, a, kl, b: surrogate(r, a) + b * kl, ratio=new_over_old):
    """A wrong loss from `change(ratio, adv, kl, beta)`."""
    return lambda logp, logp_old, adv, kl, beta: change(ratio(logp, logp_old), adv, kl, beta)


PPO_PENALTY_LOSS_HINTS = {
    "kl-rewarded": "A loss is minimised: which sign makes a large KL expensive?",
    "kl-detached": "The penalty must pull: let the gradient flow through kl.",
    "beta-ignored": "What does the loss become with beta = 0?",
    "penalty-missing": "Where is the penalty?",
    "clipped-here": "The penalty stands in place of the clip: the surrogate in it is not clipped.",
    "log-prob-not-ratio": "The surrogate weighs advantages with the ratio, new over old.",
    "beta-on-surrogate": "beta weighs the KL, and nothing else.",
    "kl-not-used": "The KL is handed in, already computed. Does your result change with it?",
    "surrogate-detached": "Nothing moves the policy but the penalty. Where was the surrogate's "
    "graph cut?",
    "root-of-kl": "The KL as it is: no root and no square of it.",
    "mixture": "beta is a price on the KL. Does the surrogate lose weight where beta grows?",
    "kl-averaged-again": "kl is a mean already: it isn't divided by the number of samples.",
}
PPO_PENALTY_LOSS_FACES = {
    "kl-rewarded": penalty_like(lambda r, a, kl, b: surrogate(r, a) - b * kl),
    "objective-not-loss": (
        penalty_like(lambda r, a, kl, b: -surrogate(r, a) - b * kl),
        penalty_like(lambda r, a, kl, b: -surrogate(r, a) + b * kl),
    ),
    "kl-detached": penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * kl.detach()),
    "beta-ignored": penalty_like(lambda r, a, kl, b: surrogate(r, a) + kl),
    "penalty-missing": penalty_like(lambda r, a, kl, b: surrogate(r, a)),
    "clipped-here": penalty_like(lambda r, a, kl, b: b * kl - clipped(r, a, 0.2).mean()),
    "log-prob-not-ratio": lambda logp, logp_old, adv, kl, beta: -(logp * adv).mean() + beta * kl,
    **made(lambda ratio: penalty_like(ratio=ratio), RATIOS),
    "sum-not-mean": penalty_like(lambda r, a, kl, b: surrogate(r, a) * len(r) + b * kl),
    "not-averaged": penalty_like(lambda r, a, kl, b: -r * a + b * kl),
    "beta-on-surrogate": (
        penalty_like(lambda r, a, kl, b: b * surrogate(r, a) + kl),
        penalty_like(lambda r, a, kl, b: b * (surrogate(r, a) + kl)),
    ),
    "kl-not-used": (
        penalty_like(lambda r, a, kl, b: surrogate(r, a) - b * r.log().mean()),
        penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * k3_right(r.log())),
        penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * k2_right(r.log())),
    ),
    "surrogate-detached": penalty_like(lambda r, a, kl, b: surrogate(r.detach(), a) + b * kl),
    "root-of-kl": (
        penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * kl.sqrt()),
        penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * kl**2),
    ),
    "mixture": penalty_like(lambda r, a, kl, b: (1 - b) * surrogate(r, a) + b * kl),
    "kl-averaged-again": (
        penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * kl / len(a)),
        penalty_like(lambda r, a, kl, b: surrogate(r, a) + b * kl * len(a)),
    ),
    "held-back": Symptom(far_from_one),
}
PPO_PENALTY_LOSS = FunctionExercise(
    "ppo_penalty_loss",
    penalty_cases,
    penalty_truth,
    formula=formulas.penalty_formula,
    kind=TensorOf(),
    prerequisites=("importance_ratio", "surrogate_loss"),
    mistakes=listed(PPO_PENALTY_LOSS_FACES, PPO_PENALTY_LOSS_HINTS),
)


# adapt_beta -----------------------------------------------------------------------------------


def beta_cases(rng):
    """Far below, far above, in between; both bounds met exactly; half and twice the target."""
    rows = [
        (1.0, 0.5, 0.1),
        (1.0, 0.01, 0.1),
        (3.0, 0.1, 0.1),
        (4.0, 1.5, 1.0),
        (4.0, 1.0, 1.5),  # both exact in binary: on the bounds, so kept
        (2.0, 0.06, 0.1),
        (2.0, 0.13, 0.1),
        (2.0, 0.17, 0.1),
        (2.0, 0.075, 0.1),
        (2.0, 0.0, 0.02),
        (0.25, -0.01, 0.05),
        (3.0, -0.25, 0.05),  # estimates below zero: small ones
        (1e-5, 0.01, 0.1),
        (2e5, 3.0, 0.1),  # beta itself has no bounds
    ]
    for factor in rng.uniform([0.1, 0.7, 1.6], [0.6, 1.4, 4.0]):
        beta, target = float(rng.uniform(0.1, 20)), float(rng.uniform(0.005, 0.5))
        rows.append((beta, float(factor * target), target))
    return [Case({"beta": beta, "kl": kl, "target": target}) for beta, kl, target in rows]


def beta_truth(beta, kl, target):
    """The three ranges, in multiples of the target."""
    return 2 * beta if kl > 1.5 * target else beta / 2 if 1.5 * kl < target else beta


def beta_like(below, above, low=1 / 1.5, high=1.5, on_bound=False):
    """A wrong rule: factors below and above the range, and the range's ends."""

    def adapt(beta, kl, target):
        if kl > high * target or (on_bound and kl >= high * target):
            return beta * above
        if kl < low * target or (on_bound and kl <= low * target + 1e-12):
            return beta * below
        return beta

    return adapt


def three_ways(near, far):
    """A wrong rule: halved where near(kl, target) holds, else doubled where far does."""
    return lambda beta, kl, target: (
        beta / 2 if near(kl, target) else beta * 2 if far(kl, target) else beta
    )


def bounded_beta(case, seen, truth):
    """Wrong where beta is very small or very large; the cases with an ordinary beta come first."""
    return not 1e-3 < case.inputs["beta"] < 1e3


RANGE = N_("Between target / 1.5 and 1.5 target, the bounds included, beta stays as it is.")

ADAPT_BETA_HINTS = {
    "beta-backwards": "Too far: pull harder. Which way does a larger beta pull?",
    "no-range": RANGE,
    "on-the-bound": RANGE,
    "beta-bounded": "A small beta is halved like any other, a large one doubled: it has no bounds.",
    "root-of-kl": "The KL itself is compared with the target, not its square root.",
    "factor-returned": "The next beta is asked, not the factor.",
    "nothing-returned": "Nothing came back. Does the function end with return?",
    "other-bounds": "Too near means below target / 1.5, too far above 1.5 target.",
    "one-way": "Beta must be able to fall as well as to rise.",
    "other-factor": "Doubled or halved: 1.5 belongs to the range.",
    "nothing-returned/in-range": "And where the KL is in its range?",
    "in-proportion": "Three steps are asked: half, the same, twice. Nothing in proportion to the "
    "KL.",
    "whole-number-division": "Half of 1.0 is 0.5. Which operator divides without rounding?",
}
ADAPT_BETA_FACES = {
    "beta-backwards": beta_like(2, 0.5),
    "no-range": (
        beta_like(0.5, 2, low=1, high=1),
        three_ways(lambda kl, target: kl < target, lambda kl, target: True),
        three_ways(lambda kl, target: kl <= target, lambda kl, target: True),
        three_ways(lambda kl, target: kl < 1.5 * target, lambda kl, target: kl > 1.5 * target),
    ),
    "on-the-bound": (
        beta_like(0.5, 2, on_bound=True),
        three_ways(lambda kl, target: kl < target / 1.5, lambda kl, target: kl >= 1.5 * target),
        three_ways(lambda kl, target: kl <= target / 1.5, lambda kl, target: kl > 1.5 * target),
    ),
    "absolute-kl": lambda beta, kl, target: beta_like(0.5, 2)(beta, abs(kl), target),
    "beta-bounded": Symptom(bounded_beta),
    "root-of-kl": lambda beta, kl, target: beta_like(0.5, 2)(beta, max(kl, 0) ** 0.5, target),
    "factor-returned": lambda beta, kl, target: beta_like(0.5, 2)(1.0, kl, target),
    "nothing-returned": Symptom(
        lambda case, seen, truth: (
            seen["value"]["kind"] == "none" and truth.value != case.inputs["beta"]
        )
    ),
    "other-bounds": (beta_like(0.5, 2, low=0.5, high=2), beta_like(0.5, 2, low=0.5)),
    "one-way": (beta_like(1, 2), beta_like(0.5, 1)),
    "other-factor": beta_like(1 / 1.5, 1.5),
    "nothing-returned/in-range": Symptom(lambda case, seen, truth: seen["value"]["kind"] == "none"),
    "in-proportion": (
        lambda beta, kl, target: beta * kl / target,
        lambda beta, kl, target: beta * (1 + 0.1 * min(max(kl / target - 1, -0.2), 0.2)),
        lambda beta, kl, target: beta * (1 + 0.1 * (kl / target - 1)),
        lambda beta, kl, target: beta * (kl / target) ** 0.5 if kl > 0 else beta / 2,
        lambda beta, kl, target: beta + kl - target,
    ),
    "whole-number-division": lambda beta, kl, target: (
        beta // 2 if kl < target / 1.5 else beta * 2 if kl > 1.5 * target else beta
    ),
}
ADAPT_BETA = FunctionExercise(
    "adapt_beta",
    beta_cases,
    beta_truth,
    formula=formulas.beta_formula,
    kind=Number(),
    mistakes=listed(ADAPT_BETA_FACES, ADAPT_BETA_HINTS),
)
