"""A sum or mean that is taken too early or too late: of the parts of a step, or of its result."""

import numpy as np

from grader.checking.formulas import vocabulary as v
from grader.checking.formulas.ways import REDUCING, unreduced
from grader.i18n import N_

# Steps that don't commute with a sum.
BENT = ("exp", "log", "root", "Pow", "Div", "Mult", "minimum", "maximum", "cut", "Gt", "Lt")
DEPTH = 3  # how many steps before it a sum may stand


def reordered(watched):
    """(step, way, clause, word, others) of each: others are changes of other steps besides."""
    steps = watched.formula.steps
    turns = {turn.number: turn for turn in watched.turns}
    for step in steps:
        if step.kind in BENT and step.number in turns:
            sums = _sums_before(steps, step, DEPTH)
            sums = [one for one in dict.fromkeys(sums) if one in turns]
            if sums:
                yield _late(step, [steps[one] for one in sums], turns[sums[0]])
        if step.kind in ("log", "log_softmax") and step.number in turns:
            yield from _logs_after(steps, step, turns)
        if step.kind in REDUCING and step.number in turns:
            bent = _past_names(steps, step.sources[0])
            if bent and steps[bent[-1]].kind in BENT:
                yield _early(steps[bent[-1]], step, turns[step.number])


def _late(step, sums, first):
    """The sums are left out, and what the step makes is summed."""
    clause = N_("{word} is taken too late, of {what}")
    others = tuple((one.number, unreduced) for one in sums)
    return step, _then(_like(first)), clause, REDUCING[sums[0].kind], others


def _logs_after(steps, step, turns):
    """The sum of what the logarithm is taken of, and then its logarithm."""
    clause = N_("the logarithm of {word} is taken, not {word} of the logarithms of {what}")
    for one in steps:
        summed = one.kind in ("total", "mean") and one.number in turns
        if summed and step.number in _before(steps, one, DEPTH):
            unlogged = ((step.number, UNLOGGED[step.kind]),)
            yield one, _then(v.log), clause, REDUCING[one.kind], unlogged


UNLOGGED = {
    "log": lambda _how, x: x,
    "log_softmax": lambda _how, x: v.softmax(x),
}


def _before(steps, step, depth):
    """Numbers of the steps that led to this one."""
    for numbers in step.sources:
        for number in numbers:
            yield number
            if depth:
                yield from _before(steps, steps[number], depth - 1)


def _early(bent, step, turn):
    """The parts of the step are summed, and what it makes is not."""
    clause = N_("{word} is taken too early, of the parts of {what}")
    way = _of_parts(_like(turn))
    return bent, way, clause, REDUCING[step.kind], ((step.number, unreduced),)


def _like(turn):
    return lambda x: turn.how(x, *turn.operands[1:], **turn.settings)


def _then(reduce):
    return lambda how, *operands, **settings: reduce(how(*operands, **settings))


def _of_parts(reduce):
    return lambda how, *operands, **settings: how(
        *[reduce(one) if np.ndim(one) else one for one in operands], **settings
    )


def _sums_before(steps, step, depth):
    """Numbers of the sums among the steps that led to this one, the nearest of each way."""
    for numbers in step.sources:
        for number in numbers:
            source = steps[number]
            if source.kind in REDUCING:
                yield number
            elif depth:
                yield from _sums_before(steps, source, depth - 1)


def _past_names(steps, numbers):
    """The steps behind a name."""
    while numbers and steps[numbers[-1]].kind == "Name":
        numbers = steps[numbers[-1]].sources[0]
    return numbers
