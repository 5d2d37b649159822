"""n rewards, then the critic: the advantages between the TD error and the whole return."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise
from grader.checks.lesson_03b import formulas
from grader.checks.lesson_03b.td_errors import (
    flags_shifted,
    guised,
    last_row_ended,
    one_flag_for_all,
    one_step,
    random_records,
    told_apart,
    unbroken,
)
from grader.checks.shared.slips import listed

FAR = 50  # more steps than any case has


def n_step_cases(rng):
    def case(fields, n, gamma, keywords=()):
        return Case(fields | {"n": n, "gamma": gamma}, keywords)

    return [
        case(unbroken(), 2, 0.5),
        case(told_apart(), 1, 0.5),
        case(told_apart(), 2, 0.5),
        case(told_apart(), 3, 0.5, ("n", "gamma")),
        case(told_apart(), FAR, 0.5),
        case(told_apart(), 2, 1.0),
        case(one_step(None), 2, 0.9),
        case(one_step(5.0), 1, 0.9),
        case(guised(random_records(rng), "read_only"), 2, float(rng.uniform(0.4, 0.9))),
        case(guised(random_records(rng), "strided"), 3, float(rng.uniform(0.4, 0.9))),
        case(random_records(rng, 15), int(rng.integers(4, 6)), float(rng.uniform(0.4, 0.9))),
        case(unbroken(), FAR, 0.5),
    ]


def steps_taken(over, t, n, last):
    """How many rewards count from step t on: at most n, and none past the end of the episode."""
    taken = 1
    while taken < n and t + taken <= last and not over[t + taken - 1]:
        taken += 1
    return taken


def n_step_truth(rewards, values, next_values, terminated, truncated, n, gamma):
    """By the definition, step by step."""
    result, last = np.empty(rewards.shape), len(rewards) - 1
    for t, i in np.ndindex(rewards.shape):
        taken = steps_taken((terminated | truncated)[:, i], t, n, last)
        total = sum(gamma**k * rewards[t + k, i] for k in range(taken))
        if not terminated[t + taken - 1, i]:
            total += gamma**taken * next_values[t + taken - 1, i]
        result[t, i] = total - values[t, i]
    return result


def slip(
    stops=lambda end, cut: end | cut,
    masks=lambda end, cut: end,
    steps=lambda n: n,
    power=lambda taken, n: taken,
    follows=None,
    gamma=None,
    discount=lambda k: k,
    minus=1.0,
    finish=None,
):
    """A wrong answer: what is given replaces that part of the definition.

    stops, masks: flags (T, N) at which rewards stop, and at which no value follows; power of gamma
    at the value, discount of it at the k-th reward; follows(next_values, values, at, i): the value
    at the end of column i's steps; finish(result, n) -> result.
    """
    fixed = gamma

    def wrong(rewards, values, next_values, terminated, truncated, n, gamma):
        gamma = gamma if fixed is None else fixed
        over, ended = stops(terminated, truncated), masks(terminated, truncated)
        result, last = np.empty(rewards.shape), len(rewards) - 1
        for t, i in np.ndindex(rewards.shape):
            taken = steps_taken(over[:, i], t, steps(n), last)
            at = t + taken - 1
            value = next_values[at, i] if follows is None else follows(next_values, values, at, i)
            total = sum(gamma ** discount(k) * rewards[t + k, i] for k in range(taken))
            total += 0.0 if ended[at, i] else gamma ** power(taken, n) * value
            result[t, i] = total - minus * values[t, i]
        return result if finish is None else finish(result, n)

    return wrong


def row_below(next_values, values, at, i):
    """values[t + n], and the last row's next_values where there is none."""
    return values[at + 1, i] if at + 1 < len(values) else next_values[at, i]


def zero_at_the_end(next_values, values, at, i):
    return values[at + 1, i] if at + 1 < len(values) else 0.0


def over_all_lengths(rewards, values, next_values, terminated, truncated, n, gamma):
    """The mean of the advantages of 1 to n steps."""
    given = rewards, values, next_values, terminated, truncated
    return np.mean([n_step_truth(*given, k, gamma) for k in range(1, n + 1)], axis=0)


def in_blocks(rewards, values, next_values, terminated, truncated, n, gamma):
    """Rows cut into blocks of n, beyond which nothing is looked at."""
    given = rewards, values, next_values, terminated, truncated
    parts = (tuple(x[at : at + n] for x in given) for at in range(0, len(rewards), n))
    return np.concatenate([n_step_truth(*part, n, gamma) for part in parts])


def last_rows_empty(result, n):
    result = result.copy()
    if n > 1:
        result[max(len(result) - n + 1, 0) :] = 0.0
    return result


N_STEP_ADVANTAGES_HINTS = {
    "time-limit-as-terminal": "The clock ran out; the state still had a value. After which steps "
    "does really nothing follow?",
    "leaks-across-cut": "After a time limit the next row is another episode: its rewards don't "
    "count.",
    "leaks-across-end": "After an end the next row is another episode: its rewards don't count.",
    "leaks-across-episodes": "Rows of several episodes stand in one column. Where do the rewards "
    "stop?",
    "next-row": "values[t + n] can belong to the next episode. Whose value is next_values?",
    "no-bootstrap": "After n rewards the critic speaks for the rest. Where is its value?",
    "one-too-many": "How many rewards does your sum hold at n = 1?",
    "one-too-few": "How many rewards does your sum hold at n = 2?",
    "n-ignored": "Call it with another n: does the result change?",
    "power-of-n": "Where an episode ends early there were fewer steps. What is the value's "
    "discount?",
    "power-too-small": "After n rewards, how many steps away is the state whose value you add?",
    "value-undiscounted": "The value lies n steps ahead, and is discounted like a reward there.",
    "value-discounted-once": "The value lies n steps ahead, not one.",
    "last-rows-empty": "Near the end of the rollout there are fewer than n steps; they count as "
    "well.",
    "rewards-undiscounted": "The second reward comes a step later than the first: how much does it "
    "count?",
    "rewards-discounted-too-far": "The reward of the step itself isn't discounted.",
    "averaged-over-lengths": "One length is asked: n steps, not the mean over 1 to n. That mixture "
    "comes with GAE.",
    "in-blocks": "Every row looks n steps ahead, wherever it stands. Do blocks of n rows begin "
    "anew?",
}
N_STEP_ADVANTAGES_FACES = {
    "time-limit-as-terminal": slip(masks=lambda end, cut: end | cut),
    "terminal-not-masked": slip(masks=lambda end, cut: np.zeros_like(end)),
    "leaks-across-cut": slip(stops=lambda end, cut: end),
    "leaks-across-end": slip(stops=lambda end, cut: cut),
    "leaks-across-episodes": slip(stops=lambda end, cut: np.zeros_like(end)),
    "next-row": (slip(follows=row_below), slip(follows=zero_at_the_end)),
    "last-row-ended": slip(masks=lambda end, cut: last_row_ended(end)),
    "one-flag-for-all": slip(stops=lambda end, cut: one_flag_for_all(end | cut)),
    "flag-of-next-step": slip(stops=lambda end, cut: flags_shifted(end | cut, -1)),
    "no-bootstrap": slip(masks=lambda end, cut: np.ones_like(end)),
    "one-too-many": slip(steps=lambda n: n + 1),
    "one-too-few": slip(steps=lambda n: max(n - 1, 1)),
    "n-ignored": (slip(steps=lambda n: 1), slip(steps=lambda n: FAR)),
    "power-of-n": slip(power=lambda taken, n: n),
    "power-too-small": slip(power=lambda taken, n: taken - 1),
    "value-undiscounted": slip(power=lambda taken, n: 0),
    "value-discounted-once": slip(power=lambda taken, n: 1),
    "gamma-ignored": slip(gamma=1.0),
    "target-returned": slip(minus=0.0),
    "value-added": slip(minus=-1.0),
    "last-rows-empty": slip(finish=last_rows_empty),
    "rewards-undiscounted": (
        slip(discount=lambda k: 0),
        slip(discount=lambda k: 0, power=lambda k, n: 1),
    ),
    "rewards-discounted-too-far": slip(discount=lambda k: k + 1),
    "averaged-over-lengths": over_all_lengths,
    "in-blocks": in_blocks,
}
N_STEP_ADVANTAGES = FunctionExercise(
    "n_step_advantages",
    n_step_cases,
    n_step_truth,
    formula=(formulas.n_step_formula, formulas.n_step_sums),
    prerequisites=("td_errors",),
    hint=N_(
        "Add rewards until there are n, or until the episode or the rollout ends; then the "
        "discounted value of what follows, if anything does; then subtract the value at the start."
    ),
    mistakes=listed(N_STEP_ADVANTAGES_FACES, N_STEP_ADVANTAGES_HINTS),
)
