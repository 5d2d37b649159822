"""Checks of the policy and the return: softmax, log_prob, discounted_return."""

import math

import numpy as np

from grader.checking import Case, FunctionExercise, Number, Symptom, View, close
from grader.checks.lesson_01 import formulas
from grader.checks.shared.categorical import of_logits
from grader.checks.shared.episodes import softmax
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.slips import listed


def softmax_cases(rng):
    """Fixed ones that tell the axes apart and overflow; one row at 1e4 beside ordinary rows."""
    rows = rng.normal(size=(3, 2))
    mixed = np.vstack([rng.normal(size=(2, 4)), [1e4, 0.0, -1e4, 9999.0]])
    return [
        Case({"logits": np.array([0.0, math.log(3.0)])}),
        Case({"logits": np.array([[0.0, 0.0], [math.log(4.0), 0.0], [1.0, 1.0]])}),
        Case({"logits": np.array([1e4, 1e4 - 1.0])}),
        Case({"logits": np.array([-1e4, -1e4 - 1.0])}),
        Case({"logits": mixed}),
        Case({"logits": rows}),
        Case({"logits": rng.normal(size=(2, 3, 4)) * 3}),
        Case({"logits": View(rng.normal(size=(4, 3)), "read_only")}),
        Case({"logits": View(rng.normal(size=(4, 3)), "strided")}),
        Case({"logits": rng.normal(size=(1,))}),
    ]


def softmax_truth(logits):
    """Each entry by its definition, 1 / sum of exp of differences: nothing overflows to nan."""
    logits = np.asarray(logits, dtype=np.float64)  # rng.choice wants lists to add up in 64 bits
    with np.errstate(over="ignore"):
        return 1.0 / np.exp(logits[..., None, :] - logits[..., None]).sum(-1)


def softmax_like(less, axis=-1, keepdims=True):
    """A wrong softmax: less(logits) is subtracted first, and sums run over the axis."""

    def wrong(logits):
        with np.errstate(all="ignore"):
            weights = np.exp(logits - less(logits))
            return weights / weights.sum(axis=axis, keepdims=keepdims)

    return wrong


softmax_other_axis = softmax_like(lambda x: x.max(axis=0, keepdims=True), axis=0)


def unnormalised(case, seen, truth):
    """Not negative, but the rows' sums aren't 1."""
    found = seen["value"]["array"]
    same = found.shape == truth.value.shape and np.isfinite(found).all()
    return same and not np.allclose(found.sum(-1), 1)


SOFTMAX_HINTS = {
    "softmax-axis": "Which axis holds the actions? Each row must sum to 1.",
    "softmax-all": "Each state has a distribution of its own: each row sums to 1.",
    "overflow": "exp overflows. Softmax doesn't change when you subtract a constant from a row.",
    "overflow/mean": "exp overflows. Which constant, subtracted from a row, leaves nothing above "
    "0?",
    "lost-axis": "A maximum or a sum over the last axis has one axis less. keepdims keeps it.",
    "log-softmax": "These are logarithms of probabilities.",
    "not-normalised": "Do the probabilities of a row sum to 1?",
}
SOFTMAX_FACES = {
    "softmax-axis": softmax_other_axis,
    "softmax-all": softmax_like(np.max, axis=None),
    "overflow": softmax_like(lambda x: 0.0),
    "overflow/mean": softmax_like(lambda x: x.mean(axis=-1, keepdims=True)),
    "row-underflows": softmax_like(np.max),
    "lost-axis": softmax_like(lambda x: x.max(axis=-1), keepdims=False),
    "log-softmax": Symptom(
        lambda case, seen, truth: np.allclose(np.exp(seen["value"]["array"]), truth.value)
    ),
    "not-normalised": Symptom(unnormalised),
    "softmax-twice": lambda logits: softmax(softmax(logits)),
}
SOFTMAX = FunctionExercise(
    "softmax",
    softmax_cases,
    softmax_truth,
    formula=formulas.softmax_formula,
    mistakes=listed(SOFTMAX_FACES, SOFTMAX_HINTS),
)


def log_prob_cases(rng):
    mixed = np.vstack([rng.normal(size=(2, 3)), [1e4, 0.0, -1e4]])
    square = rng.normal(size=(3, 3))
    deep = rng.normal(size=(2, 3, 4))
    return [
        Case({"logits": np.array([0.0, math.log(3.0)]), "actions": np.array(1)}),
        Case({"logits": rng.normal(size=(4, 2)), "actions": np.array([0, 1, 1, 0])}),
        Case({"logits": square, "actions": np.array([2, 0, 1])}),
        Case({"logits": mixed, "actions": np.array([1, 0, 2])}),
        Case({"logits": np.array([[1e4, 1e4 - 1.0]]), "actions": np.array([1])}),
        Case({"logits": deep, "actions": rng.integers(4, size=(2, 3))}),
        Case({"logits": View(square[::-1], "read_only"), "actions": np.array([0, 0, 1])}),
        Case({"logits": np.zeros((1, 1)), "actions": np.array([0])}),
    ]


def log_prob_truth(logits, actions):
    """minus log of the sum of exp of differences to the taken action's logit, by math.fsum."""
    found = np.empty(np.shape(actions))
    for index in np.ndindex(found.shape):
        apart = logits[index] - logits[index][actions[index]]
        top = max(apart)
        found[index] = -(top + math.log(math.fsum(math.exp(x - top) for x in apart)))
    return found


def taken(table, actions):
    return np.take_along_axis(table, np.asarray(actions)[..., None], -1)[..., 0]


def stable_log_softmax(logits):
    centred = logits - logits.max(-1, keepdims=True)
    return centred - np.log(np.exp(centred).sum(-1, keepdims=True))


def log_of_softmax(logits, actions):
    with np.errstate(all="ignore"):
        return np.log(taken(softmax(logits), actions))


def log_prob_overflowing(logits, actions):
    with np.errstate(all="ignore"):
        return taken(logits, actions) - np.log(np.exp(logits).sum(-1))


def log_prob_shared_maximum(logits, actions):
    with np.errstate(all="ignore"):
        apart = logits - logits.max()
        return taken(apart - np.log(np.exp(apart).sum(-1, keepdims=True)), actions)


def floored(case, seen, truth):
    """Right, but for actions whose probability is next to nothing."""
    found, wanted = seen["value"]["array"], truth.value
    wrong = ~close(found, wanted)
    return found.shape == wanted.shape and np.isfinite(found).all() and wanted[wrong].max() < -14


def categorical_of_logits(logits, actions):
    import torch

    return of_logits(logits).log_prob(torch.as_tensor(actions)).numpy()


LOG_PROB_HINTS = {
    "log-of-softmax": "The probability underflows to 0 before its logarithm is taken. Can you "
    "write the logarithm of softmax without dividing?",
    "floored": "A floor under the probability hides that it underflows. Can you write the "
    "logarithm of softmax without dividing?",
    "overflow": "exp overflows. Subtract each row's largest logit first.",
    "all-actions": "Which action was played? One number for each, not one for each possible "
    "action.",
    "every-pair": "Each row has one action of its own. Here every row met every action.",
    "not-the-taken-action": "That is the likeliest action. Which one was played?",
    "minus-sign": "A probability is at most 1. Which sign has its logarithm?",
    "summed": "One number for each action played. The sum comes later.",
    "logit": "That is the logit. What turns logits into log-probabilities?",
    "counted-from-one": "The first action has number 0, and the first column.",
}
LOG_PROB_FACES = {
    "log-of-softmax": log_of_softmax,
    "floored": Symptom(floored),
    "row-underflows": log_prob_shared_maximum,
    "overflow": log_prob_overflowing,
    "all-actions": lambda logits, actions: stable_log_softmax(logits),
    "every-pair": lambda logits, actions: stable_log_softmax(logits)[..., actions],
    "not-the-taken-action": lambda logits, actions: stable_log_softmax(logits).max(-1),
    "probability-not-log/log-missing": lambda logits, actions: taken(softmax(logits), actions),
    "minus-sign": lambda logits, actions: -taken(stable_log_softmax(logits), actions),
    "summed": lambda logits, actions: taken(stable_log_softmax(logits), actions).sum(),
    "logit": (
        taken,
        lambda logits, actions: taken(logits - logits.max(-1, keepdims=True), actions),
    ),
    "softmax-twice/log": lambda logits, actions: taken(
        stable_log_softmax(softmax(logits)), actions
    ),
    "logits-as-probabilities": categorical_of_logits,
    "counted-from-one": lambda logits, actions: taken(stable_log_softmax(logits), actions - 1),
}
LOG_PROB = FunctionExercise(
    "log_prob",
    log_prob_cases,
    log_prob_truth,
    formula=(formulas.log_prob_formula, formulas.log_prob_of_probabilities),
    prerequisites=("softmax",),
    mistakes=listed(LOG_PROB_FACES, LOG_PROB_HINTS),
)


def discounted_return_truth(rewards, gamma=1.0):
    return discounted_sum(rewards, gamma)


def discounted_return_cases(rng):
    rewards = rng.normal(size=6)
    return [
        Case({"rewards": np.array([0.0, 0.0, 1.0]), "gamma": 0.5}),
        Case({"rewards": np.array([1.0, 2.0, 3.0]), "gamma": 1.0}),
        Case({"rewards": np.array([3.0, 5.0]), "gamma": 0.0}),
        Case({"rewards": np.array([1.0, -2.0, 4.0])}),
        Case({"rewards": np.array([-200.0, 100.0, -400.0]), "gamma": 0.5}),
        Case({"rewards": np.array([7.0]), "gamma": 0.9}),
        Case({"rewards": View(rewards, "read_only"), "gamma": 0.9}, keywords=("gamma",)),
        Case({"rewards": View(rewards[:5], "strided"), "gamma": 0.5}),
        Case({"rewards": rng.normal(size=9), "gamma": float(rng.uniform(0.3, 0.99))}),
    ]


def return_like(rule):
    """A wrong discounted_return: rule(rewards, gamma)."""
    return lambda rewards, gamma=1.0: rule(rewards, gamma)


DISCOUNTED_RETURN_HINTS = {
    "gamma-fixed": "A fixed gamma? Use the argument, and its default of 1.",
    "discount-from-the-end": "The first reward counts in full, and the last one is discounted "
    "most.",
    "discount-shifted": "Which power of gamma weighs the very first reward?",
    "discount-once": "gamma, gamma squared, gamma to the third: the discount grows with each step.",
    "mean-not-sum": "A return is a sum. Does a longer episode not collect more?",
    "one-per-step": "One number for the whole episode, seen from its start.",
    "discounted-rewards-not-summed": "These are the discounted rewards. A return is their sum.",
    "weighted-mean": "A return is a sum: it isn't divided by the sum of its weights.",
    "other-discount": "Step t counts gamma to the power t: each step multiplies once more.",
}
DISCOUNTED_RETURN_FACES = {
    "gamma-ignored": return_like(lambda r, g: float(np.sum(r))),
    "gamma-fixed": return_like(lambda r, g: discounted_sum(r, 0.99)),
    "gamma-default": tuple(
        lambda rewards, gamma=default: discounted_sum(rewards, gamma)
        for default in (0.99, 0.95, 0.9)
    ),
    "discount-from-the-end": return_like(lambda r, g: discounted_sum(r[::-1], g)),
    "discount-shifted": return_like(lambda r, g: g * discounted_sum(r, g)),
    "discount-once": return_like(lambda r, g: r[0] + g * float(np.sum(r[1:]))),
    "mean-not-sum": return_like(lambda r, g: discounted_sum(r, g) / len(r)),
    "one-per-step": return_like(rewards_to_go),
    "discounted-rewards-not-summed": return_like(lambda r, g: g ** np.arange(len(r)) * r),
    "weighted-mean": return_like(
        lambda r, g: discounted_sum(r, g) / discounted_sum(np.ones(len(r)), g)
    ),
    "other-discount": (
        return_like(lambda r, g: float(np.sum(r / (1 + (1 - g) * np.arange(len(r)))))),
        return_like(lambda r, g: float(np.sum(r * g / (1 + np.arange(len(r)))))),
        return_like(lambda r, g: float(np.sum(r * np.maximum(0, 1 - (1 - g) * np.arange(len(r)))))),
    ),
}
DISCOUNTED_RETURN = FunctionExercise(
    "discounted_return",
    discounted_return_cases,
    discounted_return_truth,
    formula=(formulas.discounted_return_formula, formulas.discounted_return_backwards),
    kind=Number(),
    mistakes=listed(DISCOUNTED_RETURN_FACES, DISCOUNTED_RETURN_HINTS),
)
