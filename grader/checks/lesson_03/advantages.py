"""TD errors and GAE: truths go through each environment's steps one by one, by the definition."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Mistake, View

JUNK = 40.0  # stands in next_values where nothing follows: a right answer never shows it


def column(values, bootstrap, ends):
    """next_values (T,) of one environment: the value of each true successor.

    values: (T,); bootstrap: the value after the last step where that is no end; ends: step ->
    "terminated", or the value of the state in which the clock stopped the episode.
    """
    following = np.append(values[1:], bootstrap)
    for step, end in ends.items():
        following[step] = JUNK if end == "terminated" else end
    return following


def records(rewards, values, bootstraps, ends):
    """The five arrays (T, N) of a rollout, from columns (N, T) and one dict of ends a column."""
    rewards, values = np.array(rewards, float).T, np.array(values, float).T
    following = [column(v, b, e) for v, b, e in zip(values.T, bootstraps, ends, strict=True)]
    terminated = np.zeros(rewards.shape, bool)
    truncated = np.zeros(rewards.shape, bool)
    for n, column_ends in enumerate(ends):
        for step, end in column_ends.items():
            (terminated if end == "terminated" else truncated)[step, n] = True
    return {
        "rewards": rewards,
        "values": values,
        "next_values": np.stack(following, axis=1),
        "terminated": terminated,
        "truncated": truncated,
    }


def told_apart():
    """Two environments, five steps: an end, a cut, two in a row, and one on the last step."""
    return records(
        rewards=[[1, 0, 2, -1, 3], [0, 1, 1, 0, 2]],
        values=[[2, 1, 4, 3, 5], [1, -2, 3, 6, 2]],
        bootstraps=[7, 4],
        ends=[{1: "terminated"}, {0: 5.0, 1: -1.0, 4: "terminated"}],
    )


def unbroken():
    """Three steps of one environment, no end among them: easy to follow by hand."""
    return records([[1, 2, 3]], [[2, 1, 4]], [5], [{}])


def random_records(rng, longest=9):
    """Random sizes and ends; about a third of the steps end an episode in either way."""
    steps, count = int(rng.integers(4, longest)), int(rng.integers(1, 4))
    ends = []
    for _n in range(count):
        kinds = rng.choice(["", "terminated", "cut"], size=steps, p=[0.66, 0.17, 0.17])
        kinds[int(rng.integers(steps - 1))] = "cut"
        ends.append(
            {
                t: k if k == "terminated" else float(rng.normal() * 3)
                for t, k in enumerate(kinds)
                if k
            }
        )
    draw = rng.normal(size=(2, count, steps)) * 2
    return records(draw[0], draw[1], rng.normal(size=count), ends)


def one_step(end):
    return records([[2.0]], [[1.0]], [3.0], [{} if end is None else {0: end}])


def guised(fields, guise):
    return {name: View(array, guise) for name, array in fields.items()}


def td_cases(rng):
    def case(fields, gamma):
        kept = {name: fields[name] for name in fields if name != "truncated"}
        return Case(kept | {"gamma": gamma})

    return [
        case(one_step(None), 0.5),
        case(one_step("terminated"), 0.5),
        case(told_apart(), 0.5),
        case(told_apart(), 1.0),
        case(guised(random_records(rng), "read_only"), 0.0),
        case(guised(random_records(rng), "strided"), float(rng.uniform(0.5, 0.99))),
        case(random_records(rng), float(rng.uniform(0.5, 0.99))),
    ]


def td_truth(rewards, values, next_values, terminated, gamma):
    """Step by step: what was got and is still to come, minus what was expected."""
    result = np.empty(rewards.shape)
    for t, n in np.ndindex(rewards.shape):
        to_come = 0.0 if terminated[t, n] else gamma * next_values[t, n]
        result[t, n] = rewards[t, n] + to_come - values[t, n]
    return result


def deltas(rewards, values, next_values, going_on, gamma):
    """The usual form; going_on (T, N) masks the successor's value."""
    return rewards + gamma * next_values * going_on - values


def values_below(values):
    """The next row's values, which belong to the next episode where one has just ended."""
    return np.concatenate([values[1:], np.zeros_like(values[:1])])


def flags_shifted(flags, by):
    """by 1: each row holds the flags of the step before; by -1: those of the step after."""
    shifted = np.zeros_like(flags)
    if by > 0:
        shifted[1:] = flags[:-1]
    else:
        shifted[:-1] = flags[1:]
    return shifted


def td(rule):
    """A wrong td_errors: rule(rewards, values, next_values, going_on, gamma)."""

    def wrong(rewards, values, next_values, terminated, gamma):
        return rule(rewards, values, next_values, ~terminated, gamma)

    return wrong


def last_row_ended(flags):
    """The flags, and the last row ended whatever they say."""
    ended = flags.copy()
    ended[-1] = True
    return ended


def one_flag_for_all(flags):
    """Each row ended for all environments where it did for one of them."""
    return np.broadcast_to(flags.any(axis=1, keepdims=True), flags.shape)


LAST_ROW = N_(
    "The last row is no end, if its flag does not say so. next_values holds what its "
    "successor is worth."
)
OWN_FLAGS = N_("Each column is an environment of its own, with its own flags.")

TD_ERRORS = FunctionExercise(
    "td_errors",
    td_cases,
    td_truth,
    hint=N_("Reward, plus the discounted value of what follows, minus the value expected before."),
    mistakes=(
        Mistake(
            "terminal-not-masked",
            N_("Nothing follows a terminal state: what is its successor worth?"),
            like=td(lambda r, v, w, go, g: r + g * w - v),
        ),
        Mistake(
            "mask-inverted",
            N_("Which steps keep the value of their successor: those that ended, or the others?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, ~go, g)),
        ),
        Mistake(
            "next-row",
            N_("values[t + 1] can belong to the next episode. Whose value is next_values[t]?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, values_below(v), go, g)),
        ),
        Mistake(
            "next-row",
            N_("values[t + 1] can belong to the next episode. Whose value is next_values[t]?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, np.concatenate([v[1:], w[-1:]]), go, g)),
        ),
        Mistake(
            "next-row",
            N_("values[t + 1] can belong to the next episode. Whose value is next_values[t]?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, np.roll(v, -1, axis=0), go, g)),
        ),
        Mistake(
            "last-row-ended",
            LAST_ROW,
            like=td(lambda r, v, w, go, g: deltas(r, v, w, ~last_row_ended(~go), g)),
        ),
        Mistake(
            "one-flag-for-all",
            OWN_FLAGS,
            like=td(lambda r, v, w, go, g: deltas(r, v, w, ~one_flag_for_all(~go), g)),
        ),
        Mistake(
            "flag-of-next-step",
            N_("Does the flag speak of leaving this step, or of entering it?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, ~flags_shifted(~go, -1), g)),
        ),
        Mistake(
            "flag-of-step-before",
            N_("Does the flag speak of leaving this step, or of entering it?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, ~flags_shifted(~go, 1), g)),
        ),
        Mistake(
            "sign",
            N_("A reward above what was expected is a positive surprise."),
            like=td(lambda r, v, w, go, g: -deltas(r, v, w, go, g)),
        ),
        Mistake(
            "gamma-ignored",
            N_("Set gamma to 0: what remains?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, go, 1.0)),
        ),
        Mistake(
            "gamma-ignored",
            N_("Set gamma to 0: what remains?"),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, go, 0.99)),
        ),
        Mistake(
            "gamma-on-reward",
            N_("The reward comes at once; only what follows is discounted."),
            like=td(lambda r, v, w, go, g: g * (r + w * go) - v),
        ),
        Mistake(
            "gamma-on-value",
            N_("Only the successor's value is discounted."),
            like=td(lambda r, v, w, go, g: r + g * (w * go - v)),
        ),
        Mistake(
            "reward-minus-value",
            N_("That credits one step. What follows is worth something, too."),
            like=td(lambda r, v, w, go, g: r - v),
        ),
        Mistake(
            "target-not-error",
            N_("That is the target. By how much does it differ from what was expected?"),
            like=td(lambda r, v, w, go, g: r + g * w * go),
        ),
        Mistake(
            "value-masked-too",
            N_(
                "At an end only the successor's value is missing. This "
                "state was worth something before the step."
            ),
            like=td(lambda r, v, w, go, g: r + (g * w - v) * go),
        ),
        Mistake(
            "everything-masked",
            N_("The last reward counts like any other."),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, go, g) * go),
        ),
        Mistake(
            "reward-masked",
            N_("The last reward counts like any other."),
            like=td(lambda r, v, w, go, g: (r + g * w) * go - v),
        ),
        Mistake(
            "roles-swapped",
            N_("Which of the two values was expected before the step, and which comes after?"),
            like=td(lambda r, v, w, go, g: r + g * v * go - w),
        ),
        Mistake(
            "value-added",
            N_("By how much was it better than expected? Subtract what was expected."),
            like=td(lambda r, v, w, go, g: r + g * w * go + v),
        ),
        Mistake(
            "gamma-squared",
            N_("One step ahead is discounted once."),
            like=td(lambda r, v, w, go, g: deltas(r, v, w, go, g * g)),
        ),
    ),
)


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
    result = np.empty(delta.shape)
    for t, n in np.ndindex(delta.shape):
        over = np.flatnonzero((terminated | truncated)[t:, n])
        last = over[0] if len(over) else len(delta) - 1 - t
        result[t, n] = sum((gamma * lam) ** k * delta[t + k, n] for k in range(last + 1))
    return result


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
    prerequisites=("td_errors",),
    hint=N_(
        "From the last step to the first: the step's own TD error, plus gamma times lam times "
        "the next advantage, if the same episode goes on."
    ),
    mistakes=(
        Mistake(
            "time-limit-as-terminal",
            N_(
                "The clock ran out; the state still had a value. "
                "Which of the two flags ends the bootstrap?"
            ),
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~(te | tr), g)),
        ),
        Mistake(
            "flags-merged-in-place",
            N_(
                "You changed the flags in place: from there on an "
                "ended step and a cut one look the same. Give what "
                "you make of them a name of its own."
            ),
            when=flags_changed,
        ),
        Mistake(
            "bootstrapped-twice",
            N_(
                "next_values already stands in the TD error of a step "
                "that was cut. Was it added to its reward as well?"
            ),
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
            N_("Each column is an environment of its own: with what does its recursion begin?"),
            like=advantage(finish=across_columns),
        ),
        Mistake(
            "wraps-around",
            N_("After the last row nothing is known. Does yours read the first row there?"),
            like=advantage(finish=wrapped_around),
        ),
        Mistake(
            "gamma-not-in-delta",
            N_("The successor's value in the TD error is discounted, too."),
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~te, 1.0)),
        ),
        Mistake(
            "weights-normalised",
            N_("The sum has no factor 1 - lam in front."),
            like=lambda rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95: (
                (1 - lam)
                * advantage()(rewards, values, next_values, terminated, truncated, gamma, lam)
            ),
        ),
        Mistake(
            "leaks-across-cut",
            N_(
                "After a time limit the next row is another episode: the "
                "recursion must stop there, too."
            ),
            like=advantage(going_on=lambda te, tr: ~te),
        ),
        Mistake(
            "leaks-across-end",
            N_(
                "After an end the next row is another episode. Which flag "
                "did you forget in the recursion?"
            ),
            like=advantage(going_on=lambda te, tr: ~tr),
        ),
        Mistake(
            "leaks-across-episodes",
            N_("Rows of several episodes stand in one column. Where does the recursion stop?"),
            like=advantage(going_on=lambda te, tr: np.ones_like(te)),
        ),
        Mistake(
            "terminal-not-masked",
            N_("Nothing follows a terminal state: what is its successor worth?"),
            like=advantage(delta=lambda r, v, w, te, tr, g: r + g * w - v),
        ),
        Mistake(
            "terminal-not-masked",
            N_("Nothing follows a terminal state, and its TD error holds no successor."),
            like=advantage(
                delta=lambda r, v, w, te, tr, g: r + g * w - v,
                going_on=lambda te, tr: np.ones_like(te),
            ),
        ),
        Mistake(
            "flags-swapped",
            N_("Which flag means that nothing follows, and which only that the clock ran out?"),
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~tr, g)),
        ),
        Mistake(
            "next-row",
            N_("values[t + 1] can belong to the next episode. Whose value is next_values[t]?"),
            like=advantage(delta=lambda r, v, w, te, tr, g: deltas(r, v, values_below(v), ~te, g)),
        ),
        Mistake(
            "next-row",
            N_("values[t + 1] can belong to the next episode. Whose value is next_values[t]?"),
            like=advantage(
                delta=lambda r, v, w, te, tr, g: deltas(
                    r, v, np.concatenate([v[1:], w[-1:]]), ~te, g
                )
            ),
        ),
        Mistake(
            "flag-of-next-step",
            N_("Does the flag speak of leaving this step, or of entering it?"),
            like=advantage(going_on=lambda te, tr: ~flags_shifted(te | tr, -1)),
        ),
        Mistake(
            "flag-of-next-step",
            N_("Does the flag speak of leaving this step, or of entering it?"),
            like=advantage(
                delta=lambda r, v, w, te, tr, g: deltas(r, v, w, ~flags_shifted(te, -1), g),
                going_on=lambda te, tr: ~flags_shifted(te | tr, -1),
            ),
        ),
        Mistake(
            "flag-of-step-before",
            N_("Does the flag speak of leaving this step, or of entering it?"),
            like=advantage(going_on=lambda te, tr: ~flags_shifted(te | tr, 1)),
        ),
        Mistake(
            "flag-of-step-before",
            N_("Does the flag speak of leaving this step, or of entering it?"),
            like=advantage(going_on=lambda te, tr: ~np.roll(te | tr, 1, axis=0)),
        ),
        Mistake(
            "lam-alone",
            N_("What lies k steps ahead decays by (gamma times lam) to the k."),
            like=advantage(decay=lambda g, lam: lam),
        ),
        Mistake(
            "gamma-alone",
            N_("What lies k steps ahead decays by (gamma times lam) to the k."),
            like=advantage(decay=lambda g, lam: g),
        ),
        Mistake(
            "defaults-ignored",
            N_("Call it with another gamma: does the result change?"),
            like=advantage(gamma=0.99),
        ),
        Mistake(
            "defaults-ignored",
            N_("Call it with another lam: does the result change?"),
            like=advantage(lam=0.95),
        ),
        Mistake(
            "defaults-ignored",
            N_("Call it with another gamma and lam: does the result change?"),
            like=advantage(gamma=0.99, lam=0.95),
        ),
        Mistake(
            "forward-loop",
            N_("An advantage depends on the future: start at the end."),
            like=advantage(finish=forwards),
        ),
        Mistake(
            "forward-loop",
            N_("An advantage depends on the future: start at the end."),
            like=advantage(finish=forwards_reset),
        ),
        Mistake(
            "own-step",
            N_("The recursion needs the advantage of step t + 1."),
            like=advantage(finish=own_step),
        ),
        Mistake(
            "one-step-ahead",
            N_("The next advantage carries all later errors, not one of them."),
            like=advantage(finish=one_ahead),
        ),
        Mistake(
            "td-errors-alone",
            N_("That is lam = 0. What do later surprises add?"),
            like=advantage(decay=lambda g, lam: 0.0),
        ),
        Mistake(
            "last-row-empty",
            N_("The last step has a TD error of its own."),
            like=advantage(finish=last_row_empty),
        ),
        Mistake(
            "target-returned",
            N_("The advantage is asked. Advantage plus value is the critic's target."),
            like=advantage(finish=lambda a, d, v, o, c: a + v),
        ),
        Mistake(
            "whitened",
            N_("No normalisation is asked here."),
            like=advantage(finish=lambda a, d, v, o, c: (a - a.mean()) / (a.std() + 1e-8)),
        ),
        Mistake(
            "zero-at-ends",
            N_("The last step of an episode has a surprise, too."),
            like=advantage(finish=lambda a, d, v, o, c: recursion(d * ~o, c, ~o)),
        ),
        Mistake(
            "sign",
            N_("A reward above what was expected is a positive surprise."),
            like=advantage(finish=lambda a, d, v, o, c: -a),
        ),
    ),
)
