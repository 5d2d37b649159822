"""Generalised advantage estimation on a whole rollout."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Symptom
from grader.checks.lesson_03b import formulas
from grader.checks.lesson_03b.td_errors import (
    deltas,
    flags_shifted,
    guised,
    large,
    last_row_ended,
    one_flag_for_all,
    one_step,
    random_records,
    side_by_side,
    td_truth,
    told_apart,
    unbroken,
    values_below,
)
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.slips import listed
from grader.checks.shared.whitening import white


def gae_cases(rng):
    def case(fields, gamma=None, lam=None, keywords=()):
        given = {n: x for n, x in (("gamma", gamma), ("lam", lam)) if x is not None}
        return Case(fields | given, keywords)

    both = ("gamma", "lam")
    return [
        case(unbroken(), 0.5, 0.8),
        case(told_apart(), 0.5, 0.8),
        case(told_apart(), 1.0, 0.5),
        case(told_apart(), 0.5, 1.0),
        case(told_apart(), 0.9, 0.0, both),
        case(told_apart()),
        case(one_step(None), 0.9, 0.8),
        case(one_step(5.0), 0.9, 0.8),
        case(large(), 0.5, 0.8),
        case(side_by_side(), 0.5, 0.8),
        case(guised(random_records(rng), "read_only"), 0.8, keywords=("gamma",)),
        case(guised(random_records(rng), "strided"), lam=0.6, keywords=("lam",)),
        case(random_records(rng, 15), *(float(rng.uniform(0.3, 0.97)) for _n in both), both),
    ]


def gae_truth(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    """Schulman et al. 2016: the sum of (gamma lam)^k delta_(t+k) up to the episode's end."""
    delta = td_truth(rewards, values, next_values, terminated, gamma)
    return decayed_sums(delta, terminated | truncated, gamma * lam)


def recursion(delta, decay, going_on):
    """A_t = delta_t + decay * going_on_t * A_(t+1), from the last step to the first."""
    result, later = np.zeros(delta.shape), np.zeros(delta.shape[1])
    for t in reversed(range(len(delta))):
        later = delta[t] + decay * going_on[t] * later
        result[t] = later
    return result


def advantage(
    keeps=lambda ended, cut: ~ended,
    follows=lambda values, next_values: next_values,
    delta=None,
    decay=lambda gamma, lam: gamma * lam,
    going_on=lambda ended, cut: ~(ended | cut),
    finish=lambda adv, delta, values, over, decay: adv,
    gamma=None,
    lam=None,
):
    """A wrong gae: what is given replaces that part. keeps: where the successor's value counts;
    delta(r, v, w, term, trunc, gamma): the TD errors as a whole."""
    fixed = {"gamma": gamma, "lam": lam}

    def wrong(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
        gamma = gamma if fixed["gamma"] is None else fixed["gamma"]
        lam = lam if fixed["lam"] is None else fixed["lam"]
        flags, rate = (terminated, truncated), decay(gamma, lam)
        after, go = follows(values, next_values), going_on(*flags)
        own = deltas(rewards, values, after, keeps(*flags), gamma)
        if delta is not None:
            own = delta(rewards, values, next_values, *flags, gamma)
        return finish(recursion(own, rate, go), own, values, ~go, rate)

    return wrong


def weights_normalised(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    """With a factor 1 - lam in front."""
    return (1 - lam) * gae_truth(rewards, values, next_values, terminated, truncated, gamma, lam)


def forwards(adv, delta, values, over, rate):
    """The loop that runs from the first step on and carries the past along."""
    result, carried = np.zeros(delta.shape), np.zeros(delta.shape[1])
    for t in range(len(delta)):
        carried = delta[t] + rate * (~over[t]) * carried
        result[t] = carried
    return result


def forwards_reset(adv, delta, values, over, rate):
    """The same, with the flag of the step before."""
    return forwards(adv, delta, values, flags_shifted(over, 1), rate)


def own_step(adv, delta, values, over, rate):
    """delta_t + rate * delta_t: the slot that is still empty, or its own."""
    return delta * (1 + rate * ~over)


def one_ahead(adv, delta, values, over, rate):
    return delta + rate * ~over * values_below(delta)


def last_row_empty(adv, delta, values, over, rate):
    """The loop starts at T - 2 and leaves zeros in the last row."""
    delta = delta.copy()
    delta[-1] = 0.0
    return recursion(delta, rate, ~over)


def wrapped_around(adv, delta, values, over, rate):
    """The last row reads the one at index T, taken as 0: the first one, which holds its delta."""
    delta = delta.copy()
    delta[-1] += rate * ~over[-1] * delta[0]
    return recursion(delta, rate, ~over)


def across_columns(adv, delta, values, over, rate):
    """One number is carried through all columns, and each begins with what the last one left."""
    result, later = np.zeros(delta.shape), 0.0
    for n in range(delta.shape[1]):
        for t in reversed(range(len(delta))):
            result[t, n] = later = delta[t, n] + rate * ~over[t, n] * later
    return result


def flags_changed(case, seen, truth):
    """The usual `terminated |= truncated`, which fails where an array is read-only."""
    return {"terminated", "truncated"} & set(seen.get("changed", ()))


GAE_HINTS = {
    "time-limit-as-terminal": "The clock ran out; the state still had a value. Which of the two "
    "flags ends the bootstrap?",
    "flags-merged-in-place": "You changed the flags in place: from there on an ended step and a "
    "cut one look the same. Give what you make of them a name of its own.",
    "bootstrapped-twice": "next_values already stands in the TD error of a step that was cut. Was "
    "it added to its reward as well?",
    "across-columns": "Each column is an environment of its own: with what does its recursion "
    "begin?",
    "wraps-around": "After the last row nothing is known. Does yours read the first row there?",
    "gamma-not-in-delta": "The successor's value in the TD error is discounted, too.",
    "weights-normalised": "The sum has no factor 1 - lam in front.",
    "leaks-across-cut": "After a time limit the next row is another episode: the recursion must "
    "stop there, too.",
    "leaks-across-end": "After an end the next row is another episode. Which flag did you forget "
    "in the recursion?",
    "leaks-across-episodes": "Rows of several episodes stand in one column. Where does the "
    "recursion stop?",
    "flags-swapped": "Which flag means that nothing follows, and which only that the clock ran "
    "out?",
    "lam-alone": "What lies k steps ahead decays by (gamma times lam) to the k.",
    "gamma-alone": "What lies k steps ahead decays by (gamma times lam) to the k.",
    "defaults-ignored/gamma": "Call it with another gamma: does the result change?",
    "defaults-ignored/lam": "Call it with another lam: does the result change?",
    "defaults-ignored": "Call it with another gamma and lam: does the result change?",
    "forward-loop": "An advantage depends on the future: start at the end.",
    "own-step": "The recursion needs the advantage of step t + 1.",
    "one-step-ahead": "The next advantage carries all later errors, not one of them.",
    "td-errors-alone": "That is lam = 0. What do later surprises add?",
    "last-row-empty": "The last step has a TD error of its own.",
    "zero-at-ends": "The last step of an episode has a surprise, too.",
}
GAE_FACES = {
    "time-limit-as-terminal": advantage(keeps=lambda te, tr: ~(te | tr)),
    "flags-merged-in-place": Symptom(flags_changed),
    "bootstrapped-twice": advantage(
        delta=lambda r, v, w, te, tr, g: deltas(r + g * w * tr, v, w, ~te, g)
    ),
    "last-row-ended": advantage(keeps=lambda te, tr: ~last_row_ended(te)),
    "one-flag-for-all": advantage(going_on=lambda te, tr: ~one_flag_for_all(te | tr)),
    "across-columns": advantage(finish=across_columns),
    "wraps-around": advantage(finish=wrapped_around),
    "gamma-not-in-delta": advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~te, 1.0)),
    "weights-normalised": weights_normalised,
    "leaks-across-cut": advantage(going_on=lambda te, tr: ~te),
    "leaks-across-end": advantage(going_on=lambda te, tr: ~tr),
    "leaks-across-episodes": advantage(going_on=lambda te, tr: np.ones_like(te)),
    "terminal-not-masked": (
        advantage(keeps=lambda te, tr: np.ones_like(te)),
        advantage(keeps=lambda te, tr: np.ones_like(te), going_on=lambda te, tr: np.ones_like(te)),
    ),
    "flags-swapped": advantage(keeps=lambda te, tr: ~tr),
    "next-row": (
        advantage(follows=lambda v, w: values_below(v)),
        advantage(follows=lambda v, w: np.concatenate([v[1:], w[-1:]])),
    ),
    "flag-of-next-step": (
        advantage(going_on=lambda te, tr: ~flags_shifted(te | tr, -1)),
        advantage(
            keeps=lambda te, tr: ~flags_shifted(te, -1),
            going_on=lambda te, tr: ~flags_shifted(te | tr, -1),
        ),
    ),
    "flag-of-step-before": (
        advantage(going_on=lambda te, tr: ~flags_shifted(te | tr, 1)),
        advantage(going_on=lambda te, tr: ~np.roll(te | tr, 1, axis=0)),
    ),
    "lam-alone": advantage(decay=lambda g, lam: lam),
    "gamma-alone": advantage(decay=lambda g, lam: g),
    "defaults-ignored/gamma": advantage(gamma=0.99),
    "defaults-ignored/lam": advantage(lam=0.95),
    "defaults-ignored": advantage(gamma=0.99, lam=0.95),
    "forward-loop": (advantage(finish=forwards), advantage(finish=forwards_reset)),
    "own-step": advantage(finish=own_step),
    "one-step-ahead": advantage(finish=one_ahead),
    "td-errors-alone": advantage(decay=lambda g, lam: 0.0),
    "last-row-empty": advantage(finish=last_row_empty),
    "target-returned": advantage(finish=lambda a, d, v, o, c: a + v),
    "advantages-whitened/not-asked": advantage(finish=lambda a, d, v, o, c: white(a)),
    "zero-at-ends": advantage(finish=lambda a, d, v, o, c: recursion(d * ~o, c, ~o)),
    "minus-sign/surprise": advantage(finish=lambda a, d, v, o, c: -a),
}
GAE = FunctionExercise(
    "gae",
    gae_cases,
    gae_truth,
    formula=formulas.gae_formula,
    prerequisites=("td_errors",),
    hint=N_(
        "From the last step to the first: the step's own TD error, plus gamma times lam times "
        "the next advantage, if the same episode goes on."
    ),
    mistakes=listed(GAE_FACES, GAE_HINTS),
)
