"""Relations by asking again for parts: each row alone, and trajectories cut or changed."""

from dataclasses import replace
from functools import partial

import numpy as np

from grader.checking.case import Expected, labelled
from grader.checking.relations.evidence import Relation
from grader.checking.relations.inputs import asked
from grader.i18n import N_, _
from grader.probes.inputs import Trajectory

MOST_PARTS = 200
JOINED = (
    (N_("That is the mean of the answers for {what}."), lambda parts: np.mean(parts, 0)),
    (N_("That is the sum of the answers for {what}."), lambda parts: np.sum(parts, 0)),
    (N_("That is the largest of the answers for {what}."), lambda parts: np.max(parts, 0)),
    (N_("That is the smallest of the answers for {what}."), lambda parts: np.min(parts, 0)),
    (N_("That is the median of the answers for {what}."), lambda parts: np.median(parts, 0)),
    (
        N_("That is the median of the answers for {what}."),
        lambda parts: np.sort(parts, 0)[(len(parts) - 1) // 2],
    ),
    (N_("These are the answers for {what}."), lambda parts: np.stack(parts)),
    (N_("These are the answers for {what}."), lambda parts: np.concatenate(parts)),
)


def part_relations(exercise, evidence):
    """The relations, simplest first."""
    yield from _sliced(exercise, evidence)
    for name, value in evidence.cases[0].inputs.items():
        if isinstance(value, Trajectory):
            yield from _steps(exercise, name, lambda way: way)
        elif _trajectories(value):
            yield from _lists(exercise, name)
            yield from _by_length(name)
            yield from _steps(exercise, name, lambda way: lambda all_: [way(t) for t in all_])


def _trajectories(value):
    return isinstance(value, list) and bool(value) and isinstance(value[0], Trajectory)


# Each row alone -------------------------------------------------------------------------------


def _sliced(exercise, evidence):
    for names, axis, words in _groups(_widest(evidence)):
        parts = _remembered(partial(_parts, exercise, names, axis))
        for hint, join in JOINED:
            yield Relation(
                "each-part-alone",
                _(hint).format(what=words),
                lambda case, join=join, parts=parts: join(parts(case)),
            )
        yield from _mixtures(evidence, parts, words)


def _mixtures(evidence, parts, words):
    """The parts with weights of their own, where two calls have more numbers than parts."""
    rows = [case for case in evidence.cases if not case.right and case.wanted.size > 3]
    if sum(_mixed(case, parts) is not None for case in rows) > 1:
        hint = _("The answers for {what} are all in it, but not with equal weights.")
        yield Relation(
            "unequal-weights",
            hint.format(what=words),
            lambda case: case.found if (made := _mixed(case, parts)) is None else made,
        )


def _widest(evidence):
    """The inputs of the call whose arrays have the most axes."""

    def axes(case):
        return sum(np.ndim(v) for v in case.inputs.values() if isinstance(v, np.ndarray))

    return max(evidence.cases, key=axes).inputs


def _groups(inputs):
    """(names, axis, words) of what may have been taken in parts: all that have rows, one alone."""
    arrays = {n: v for n, v in inputs.items() if isinstance(v, np.ndarray) and v.ndim}
    lists = {n: v for n, v in inputs.items() if isinstance(v, list) and v}
    lengths = {len(v) for v in [*arrays.values(), *lists.values()]}
    if len(lengths) == 1:
        yield (*arrays, *lists), 0, _("each row or entry alone")
    if arrays and len({v.shape for v in arrays.values()}) == 1:
        yield tuple(arrays), None, _("each entry alone")
    wide = [n for n, v in arrays.items() if v.ndim > 1]
    if wide and len({arrays[n].shape[-1] for n in wide}) == 1:
        yield tuple(wide), -1, _("each column alone")
    for name in lists if len(lengths) > 1 else ():
        yield (name,), 0, _("each part of `{name}` alone").format(name=name)
    for name, value in arrays.items():
        if len(arrays) > 1 or len(lengths) > 1:
            for axis in (0, -1) if value.ndim > 1 else (0,):
                yield (name,), axis, _("each part of `{name}` alone").format(name=name)


def _mixed(case, parts):
    """The mixture of the parts that is nearest to what came; None where any may be one."""
    try:
        table = np.array(parts(case), float)
    except Exception:  # there are no parts of this kind
        return None
    if table[0].shape != case.wanted.shape or not 1 < len(table) < case.wanted.size - 1:
        return None
    table = table.reshape(len(table), -1).T
    if case.found.shape != case.wanted.shape or not np.isfinite(case.found).all():
        return np.full(case.wanted.shape, np.nan)
    weights = np.linalg.lstsq(table, np.ravel(case.found), rcond=None)[0]
    return np.reshape(table @ weights, case.wanted.shape)


def _remembered(way):
    known = {}

    def parts(case):
        if id(case) not in known:
            known[id(case)] = way(case)
        return known[id(case)]

    return parts


def _parts(exercise, names, axis, case):
    first = case.inputs[names[0]]
    count = len(first) if axis == 0 else np.size(first) if axis is None else first.shape[axis]
    if count > MOST_PARTS:
        raise ValueError("too many parts to ask for")
    return [_answer(exercise, case, _part(case.inputs, names, axis, k)) for k in range(count)]


def _part(inputs, names, axis, k):
    def cut(value):
        return value[k : k + 1] if isinstance(value, list) else np.take(value, [k], axis)

    return {**inputs, **{name: cut(inputs[name]) for name in names}}


def _answer(exercise, case, inputs):
    truth = exercise.truth(**inputs)
    parts = labelled(truth.value if isinstance(truth, Expected) else truth)
    return np.asarray(parts.get(case.label, parts.get("")), float)


# Trajectories ---------------------------------------------------------------------------------

OF_LISTS = (
    (N_("That is the answer for the first of `{name}` alone."), lambda all_: all_[:1]),
    (N_("That is the answer for the last of `{name}` alone."), lambda all_: all_[-1:]),
    (N_("That is the answer with the last of `{name}` in every place."), lambda a: a[-1:] * len(a)),
    (N_("That is the answer with the first of `{name}` in every place."), lambda a: a[:1] * len(a)),
    (N_("That is the answer without the last of `{name}`."), lambda all_: all_[:-1]),
    (N_("That is the answer without the first of `{name}`."), lambda all_: all_[1:]),
    (N_("That is the answer for `{name}` in reversed order."), lambda all_: all_[::-1]),
)


def _lists(exercise, name):
    for hint, way in OF_LISTS:
        yield asked(exercise, "other-trajectories", _(hint).format(name=name), _new(name, way))
    for hint, way in REWARDS:
        text = _("Over all trajectories together: {hint}").format(hint=_(hint))
        yield asked(exercise, "changed-rewards", text, _new(name, partial(_pooled, way=way)))


def _new(name, way):
    return lambda inputs: {**inputs, name: way(inputs[name])}


def _pooled(all_, way):
    """The rewards of all trajectories changed as one row."""
    cuts = np.cumsum([len(t.rewards) for t in all_])[:-1]
    rewards = np.split(way(np.concatenate([t.rewards for t in all_]).astype(float)), cuts)
    return [replace(t, rewards=r) for t, r in zip(all_, rewards, strict=True)]


def _by_length(name):
    for power, hint in (
        (1, N_("Each trajectory counts as often as it has steps.")),
        (-1, N_("Each trajectory is divided by its number of steps.")),
    ):
        yield Relation("length-weighted", _(hint), partial(_weighted, name=name, power=power))


def _weighted(case, name, power):
    lengths = np.array([len(t.rewards) for t in case.inputs[name]], float) ** power
    return case.wanted * lengths.reshape(-1, *[1] * (case.wanted.ndim - 1))


def _only(place):
    def way(rewards):
        kept = np.zeros_like(rewards)
        kept[place] = rewards[place]
        return kept

    return way


def _without(place):
    return lambda rewards: rewards - _only(place)(rewards)


REWARDS = (
    (N_("that is the answer if every reward were 1."), np.ones_like),
    (N_("that is the answer if the last reward alone counted."), _only(-1)),
    (N_("that is the answer if the first reward alone counted."), _only(0)),
    (N_("that is the answer without the last reward."), _without(-1)),
    (N_("that is the answer without the first reward."), _without(0)),
    (N_("that is the answer for the rewards in reversed order."), lambda r: r[::-1].copy()),
    (N_("that is the answer for the rewards minus their mean."), lambda r: r - r.mean()),
    (
        N_("that is the answer for whitened rewards."),
        lambda r: (r - r.mean()) / (r.std() + 1e-8),
    ),
    (N_("that is the answer for running sums of the rewards."), np.cumsum),
    (
        N_("that is the answer for the rewards-to-go in the place of the rewards."),
        lambda r: np.cumsum(r[::-1])[::-1].copy(),
    ),
    (N_("that is the answer for the mean reward at every step."), lambda r: r * 0 + r.mean()),
    (N_("that is the answer for the sum of the rewards at every step."), lambda r: r * 0 + r.sum()),
    (N_("that is the answer for the signs of the rewards alone."), np.sign),
    (N_("that is the answer for the positive rewards alone."), lambda r: np.maximum(r, 0)),
    (N_("that is the answer for rewards read one step too late."), lambda r: np.append(r[1:], 0)),
    (N_("that is the answer for rewards read one step too early."), lambda r: np.append(0, r[:-1])),
)
STEPS = (
    (N_("That is the answer for the first step of each trajectory alone."), lambda n: slice(0, 1)),
    (N_("That is the answer for the last step of each trajectory alone."), lambda n: slice(-1, n)),
    (N_("That is the answer without the last step of each trajectory."), lambda n: slice(0, n - 1)),
    (N_("That is the answer without the first step of each trajectory."), lambda n: slice(1, n)),
    (N_("That is the answer for each trajectory backwards."), lambda n: slice(None, None, -1)),
)
MOVED = (
    (N_("That is the answer for states read one step too late."), "states", -1),
    (N_("That is the answer for states read one step too early."), "states", 1),
    (N_("That is the answer for actions read one step too late."), "actions", -1),
    (N_("That is the answer for actions read one step too early."), "actions", 1),
)


def _steps(exercise, name, wrap):
    for hint, way in REWARDS:
        text = _(hint)
        change = wrap(lambda t, way=way: replace(t, rewards=way(t.rewards.astype(float))))
        yield asked(exercise, "changed-rewards", text[:1].upper() + text[1:], _new(name, change))
    for hint, where in STEPS:
        yield asked(exercise, "steps-left-out", _(hint), _new(name, wrap(partial(_cut, at=where))))
    for hint, field, by in MOVED:
        change = wrap(partial(_rolled, field=field, by=by))
        yield asked(exercise, "shifted-steps", _(hint), _new(name, change))
    hint = _("That is the answer if a step that comes again counted once.")
    yield asked(exercise, "repeats-lost", hint, _new(name, wrap(_first_visits)))


def _cut(trajectory, at):
    kept = at(len(trajectory.rewards))
    return Trajectory(
        trajectory.states[kept].copy(), trajectory.actions[kept].copy(), trajectory.rewards[kept]
    )


def _rolled(trajectory, field, by):
    return replace(trajectory, **{field: np.roll(getattr(trajectory, field), by)})


def _first_visits(trajectory):
    pairs = list(zip(trajectory.states.tolist(), trajectory.actions.tolist(), strict=True))
    kept = [pairs.index(pair) == t for t, pair in enumerate(pairs)]
    return _cut(trajectory, lambda _n: np.flatnonzero(kept))
