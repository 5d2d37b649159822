"""Generalised advantage estimation on a whole rollout."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Mistake
from grader.checks.lesson_03b import formulas
from grader.checks.lesson_03b.td_errors import (
    LAST_ROW,
    OWN_FLAGS,
    deltas,
    flags_shifted,
    guised,
    last_row_ended,
    one_flag_for_all,
    one_step,
    random_records,
    td_truth,
    told_apart,
    unbroken,
    values_below,
)
from grader.checks.shared import slips
from grader.checks.shared.gae import decayed_sums


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


def advantage(delta=None, decay=None, going_on=None, finish=None, gamma=None, lam=None):
    """A wrong gae: what is given replaces that part. delta(r, v, w, term, trunc, gamma),
    decay(gamma, lam), going_on(term, trunc), finish(adv, delta, values, over, decay)."""
    fixed = {"gamma": gamma, "lam": lam}

    def wrong(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
        gamma = gamma if fixed["gamma"] is None else fixed["gamma"]
        lam = lam if fixed["lam"] is None else fixed["lam"]
        right = deltas(rewards, values, next_values, ~terminated, gamma)
        parts = rewards, values, next_values, terminated, truncated, gamma
        own = right if delta is None else delta(*parts)
        rate = gamma * lam if decay is None else decay(gamma, lam)
        go = ~(terminated | truncated) if going_on is None else going_on(terminated, truncated)
        adv = recursion(own, rate, go)
        return adv if finish is None else finish(adv, own, values, ~go, rate)

    return wrong


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
    mistakes=(
        Mistake(
            "time-limit-as-terminal",
            "The clock ran out; the state still had a value. "
            "Which of the two flags ends the bootstrap?",
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~(te | tr), g)),
        ),
        Mistake(
            "flags-merged-in-place",
            "You changed the flags in place: from there on an ended step and a cut one look the "
            "same. Give what you make of them a name of its own.",
            when=flags_changed,
        ),
        Mistake(
            "bootstrapped-twice",
            "next_values already stands in the TD error of a step "
            "that was cut. Was it added to its reward as well?",
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r + g * w * tr, v, w, ~te, g)),
        ),
        Mistake(
            "last-row-ended",
            LAST_ROW,
            like=advantage(
                delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~last_row_ended(te), g)
            ),
        ),
        Mistake(
            "one-flag-for-all",
            OWN_FLAGS,
            like=advantage(going_on=lambda te, tr: ~one_flag_for_all(te | tr)),
        ),
        Mistake(
            "across-columns",
            "Each column is an environment of its own: with what does its recursion begin?",
            like=advantage(finish=across_columns),
        ),
        Mistake(
            "wraps-around",
            "After the last row nothing is known. Does yours read the first row there?",
            like=advantage(finish=wrapped_around),
        ),
        Mistake(
            "gamma-not-in-delta",
            "The successor's value in the TD error is discounted, too.",
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~te, 1.0)),
        ),
        Mistake(
            "weights-normalised",
            "The sum has no factor 1 - lam in front.",
            like=lambda rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95: (
                (1 - lam)
                * advantage()(rewards, values, next_values, terminated, truncated, gamma, lam)
            ),
        ),
        Mistake(
            "leaks-across-cut",
            "After a time limit the next row is another episode: the "
            "recursion must stop there, too.",
            like=advantage(going_on=lambda te, tr: ~te),
        ),
        Mistake(
            "leaks-across-end",
            "After an end the next row is another episode. Which flag "
            "did you forget in the recursion?",
            like=advantage(going_on=lambda te, tr: ~tr),
        ),
        Mistake(
            "leaks-across-episodes",
            "Rows of several episodes stand in one column. Where does the recursion stop?",
            like=advantage(going_on=lambda te, tr: np.ones_like(te)),
        ),
        slips.terminal_not_masked(
            advantage(delta=lambda r, v, w, te, tr, g: r + g * w - v),
            advantage(
                delta=lambda r, v, w, te, tr, g: r + g * w - v,
                going_on=lambda te, tr: np.ones_like(te),
            ),
        ),
        Mistake(
            "flags-swapped",
            "Which flag means that nothing follows, and which only that the clock ran out?",
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~tr, g)),
        ),
        slips.next_row(
            advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, values_below(v), ~te, g)),
            advantage(
                delta=lambda r, v, w, te, tr, g: deltas(
                    r, v, np.concatenate([v[1:], w[-1:]]), ~te, g
                )
            ),
        ),
        slips.flag_of_next_step(
            advantage(going_on=lambda te, tr: ~flags_shifted(te | tr, -1)),
            advantage(
                delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~flags_shifted(te, -1), g),
                going_on=lambda te, tr: ~flags_shifted(te | tr, -1),
            ),
        ),
        slips.flag_of_step_before(
            advantage(going_on=lambda te, tr: ~flags_shifted(te | tr, 1)),
            advantage(going_on=lambda te, tr: ~np.roll(te | tr, 1, axis=0)),
        ),
        Mistake(
            "lam-alone",
            "What lies k steps ahead decays by (gamma times lam) to the k.",
            like=advantage(decay=lambda g, lam: lam),
        ),
        Mistake(
            "gamma-alone",
            "What lies k steps ahead decays by (gamma times lam) to the k.",
            like=advantage(decay=lambda g, lam: g),
        ),
        Mistake(
            "defaults-ignored",
            "Call it with another gamma: does the result change?",
            like=advantage(gamma=0.99),
        ),
        Mistake(
            "defaults-ignored",
            "Call it with another lam: does the result change?",
            like=advantage(lam=0.95),
        ),
        Mistake(
            "defaults-ignored",
            "Call it with another gamma and lam: does the result change?",
            like=advantage(gamma=0.99, lam=0.95),
        ),
        Mistake(
            "forward-loop",
            "An advantage depends on the future: start at the end.",
            like=(advantage(finish=forwards), advantage(finish=forwards_reset)),
        ),
        Mistake(
            "own-step",
            "The recursion needs the advantage of step t + 1.",
            like=advantage(finish=own_step),
        ),
        Mistake(
            "one-step-ahead",
            "The next advantage carries all later errors, not one of them.",
            like=advantage(finish=one_ahead),
        ),
        Mistake(
            "td-errors-alone",
            "That is lam = 0. What do later surprises add?",
            like=advantage(decay=lambda g, lam: 0.0),
        ),
        Mistake(
            "last-row-empty",
            "The last step has a TD error of its own.",
            like=advantage(finish=last_row_empty),
        ),
        slips.target_returned(advantage(finish=lambda a, d, v, o, c: a + v)),
        slips.not_whitened_here(
            advantage(finish=lambda a, d, v, o, c: (a - a.mean()) / (a.std() + 1e-8))
        ),
        Mistake(
            "zero-at-ends",
            "The last step of an episode has a surprise, too.",
            like=advantage(finish=lambda a, d, v, o, c: recursion(d * ~o, c, ~o)),
        ),
        slips.minus_sign(advantage(finish=lambda a, d, v, o, c: -a)),
    ),
)
