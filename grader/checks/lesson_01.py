"""Checks of 01_reinforce. Truths are loops over plain numbers, closed forms and limits."""

import math

import numpy as np

from grader.exercise import Array, Case, FunctionExercise, Mistake, N_, Number
from grader.probes.inputs import View


def softmax_cases(rng):
    """Fixed ones that tell the axes apart and overflow; one row at 1e4 beside ordinary rows."""
    rows = rng.normal(size=(3, 2))
    mixed = np.vstack([rng.normal(size=(2, 4)), [1e4, 0.0, -1e4, 9999.0]])
    return [
        Case({"logits": np.array([0.0, math.log(3.0)])}),
        Case({"logits": np.array([[0.0, 0.0], [math.log(4.0), 0.0], [1.0, 1.0]])}),
        Case({"logits": np.array([1e4, 1e4 - 1.0])}),
        Case({"logits": mixed}),
        Case({"logits": rows}),
        Case({"logits": rng.normal(size=(2, 3, 4)) * 3}),
        Case({"logits": View(rng.normal(size=(4, 3)), "read_only")}),
        Case({"logits": rng.normal(size=(1,))}),
    ]


def softmax_truth(logits):
    """Each entry by its definition, 1 / sum of exp of differences: nothing overflows to nan."""
    result = np.empty_like(logits)
    for index in np.ndindex(logits.shape):
        row = logits[index[:-1]]
        with np.errstate(over="ignore"):
            result[index] = 1.0 / sum(np.exp(other - logits[index]) for other in row)
    return result


def softmax_other_axis(logits):
    weights = np.exp(logits - logits.max(axis=0, keepdims=True))
    return weights / weights.sum(axis=0, keepdims=True)


def softmax_over_everything(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def softmax_overflowing(logits):
    with np.errstate(all="ignore"):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


SOFTMAX = FunctionExercise(
    "softmax", softmax_cases, softmax_truth,
    mistakes=(
        Mistake("softmax-axis", N_("Which axis holds the actions? Each row must sum to 1."),
                like=softmax_other_axis),
        Mistake("softmax-all", N_("Each state has a distribution of its own: each row sums to 1."),
                like=softmax_over_everything),
        Mistake("overflow", N_("exp overflows. Softmax doesn't change when you subtract a constant "
                               "from a row."), like=softmax_overflowing),
        Mistake("not-normalised", N_("Do the probabilities of a row sum to 1?"),
                like=lambda logits: np.exp(logits - logits.max(axis=-1, keepdims=True))),
    ),
)  # fmt: skip


def discounted_return_truth(rewards, gamma=1.0):
    """The definition, term by term."""
    return math.fsum(gamma**t * float(reward) for t, reward in enumerate(rewards))


def discounted_return_cases(rng):
    rewards = rng.normal(size=6)
    return [
        Case({"rewards": np.array([0.0, 0.0, 1.0]), "gamma": 0.5}),
        Case({"rewards": np.array([1.0, 2.0, 3.0]), "gamma": 1.0}),
        Case({"rewards": np.array([3.0, 5.0]), "gamma": 0.0}),
        Case({"rewards": np.array([1.0, -2.0, 4.0])}),
        Case({"rewards": np.array([7.0]), "gamma": 0.9}),
        Case({"rewards": View(rewards, "list"), "gamma": 0.9}),
        Case({"rewards": View(rewards, "read_only"), "gamma": float(rng.uniform(0.3, 0.99))}),
    ]


DISCOUNTED_RETURN = FunctionExercise(
    "discounted_return", discounted_return_cases, discounted_return_truth, kind=Number(),
    mistakes=(
        Mistake("gamma-ignored", N_("Set gamma to 0: what remains?"),
                like=lambda rewards, gamma=1.0: float(np.sum(rewards))),
        Mistake("discount-from-the-end", N_("Start at the end: the last reward is the one "
                                            "discounted most."),
                like=lambda rewards, gamma=1.0: discounted_return_truth(rewards[::-1], gamma)),
        Mistake("discount-shifted", N_("Which power of gamma weighs the very first reward?"),
                like=lambda rewards, gamma=1.0: gamma * discounted_return_truth(rewards, gamma)),
    ),
)  # fmt: skip

EXERCISES = [SOFTMAX, DISCOUNTED_RETURN]
