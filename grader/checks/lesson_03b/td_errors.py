"""TD errors of a rollout: both flags, both kinds of end."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, View
from grader.checks.lesson_03b import formulas
from grader.checks.shared.slips import listed

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


def large():
    """Two steps whose rewards nobody may cut off."""
    return records([[200.0, -150.0]], [[1.0, 2.0]], [3.0], [{}])


def side_by_side():
    """Two environments of which neither ends on the last step: nothing passes from one to the
    other, in whichever order they are gone through."""
    return records([[1, 2], [3, -1]], [[2, 1], [1, 4]], [5, -2], [{}, {}])


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
        case(large(), 0.5),
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


TD_ERRORS_HINTS = {
    "mask-inverted": "Which steps keep the value of their successor: those that ended, or the "
    "others?",
    "gamma-on-reward": "The reward comes at once; only what follows is discounted.",
    "gamma-on-value": "Only the successor's value is discounted.",
    "reward-minus-value": "That credits one step. What follows is worth something, too.",
    "target-not-error": "That is the target. By how much does it differ from what was expected?",
    "value-masked-too": "At an end only the successor's value is missing. This state was worth "
    "something before the step.",
    "everything-masked": "The last reward counts like any other.",
    "reward-masked": "The last reward counts like any other.",
    "roles-swapped": "Which of the two values was expected before the step, and which comes after?",
    "gamma-squared": "One step ahead is discounted once.",
}
TD_ERRORS_FACES = {
    "terminal-not-masked": td(lambda r, v, w, go, g: r + g * w - v),
    "mask-inverted": td(lambda r, v, w, go, g: deltas(r, v, w, ~go, g)),
    "next-row": (
        td(lambda r, v, w, go, g: deltas(r, v, values_below(v), go, g)),
        td(lambda r, v, w, go, g: deltas(r, v, np.concatenate([v[1:], w[-1:]]), go, g)),
        td(lambda r, v, w, go, g: deltas(r, v, np.roll(v, -1, axis=0), go, g)),
    ),
    "last-row-ended": td(lambda r, v, w, go, g: deltas(r, v, w, ~last_row_ended(~go), g)),
    "one-flag-for-all": td(lambda r, v, w, go, g: deltas(r, v, w, ~one_flag_for_all(~go), g)),
    "flag-of-next-step": td(lambda r, v, w, go, g: deltas(r, v, w, ~flags_shifted(~go, -1), g)),
    "flag-of-step-before": td(lambda r, v, w, go, g: deltas(r, v, w, ~flags_shifted(~go, 1), g)),
    "minus-sign/surprise": td(lambda r, v, w, go, g: -deltas(r, v, w, go, g)),
    "gamma-ignored": (
        td(lambda r, v, w, go, g: deltas(r, v, w, go, 1.0)),
        td(lambda r, v, w, go, g: deltas(r, v, w, go, 0.99)),
    ),
    "gamma-on-reward": td(lambda r, v, w, go, g: g * (r + w * go) - v),
    "gamma-on-value": td(lambda r, v, w, go, g: r + g * (w * go - v)),
    "reward-minus-value": td(lambda r, v, w, go, g: r - v),
    "target-not-error": td(lambda r, v, w, go, g: r + g * w * go),
    "value-masked-too": td(lambda r, v, w, go, g: r + (g * w - v) * go),
    "everything-masked": td(lambda r, v, w, go, g: deltas(r, v, w, go, g) * go),
    "reward-masked": td(lambda r, v, w, go, g: (r + g * w) * go - v),
    "roles-swapped": td(lambda r, v, w, go, g: r + g * v * go - w),
    "value-added": td(lambda r, v, w, go, g: r + g * w * go + v),
    "gamma-squared": td(lambda r, v, w, go, g: deltas(r, v, w, go, g * g)),
}
TD_ERRORS = FunctionExercise(
    "td_errors",
    td_cases,
    td_truth,
    formula=formulas.td_errors_formula,
    hint=N_("Reward, plus the discounted value of what follows, minus the value expected before."),
    mistakes=listed(TD_ERRORS_FACES, TD_ERRORS_HINTS),
)
