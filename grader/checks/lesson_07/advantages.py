"""Advantages from groups: RLOO's and GRPO's."""

import math

import numpy as np
import torch

from grader.checking import Case, FunctionExercise, Raises, Symptom, Tensor, TensorOf
from grader.checks.lesson_07 import formulas
from grader.checks.shared.any_truth import AnyTruth
from grader.checks.shared.slips import listed

# Labels are any whole numbers, groups of any size, in any order.
LABELS = np.array([7, -1, 7, 30, -1, 7, -1, -1, 30])


def case(scores, groups, dtype=np.float64, keywords=(), edge=False, **others):
    inputs = {"scores": Tensor(np.asarray(scores, dtype)), "groups": Tensor(np.asarray(groups))}
    return Case(inputs | others, keywords, edge=edge)


def common_cases(rng):
    """One group; two in order; unequal sizes in any order and with any labels; float32. In a table
    by label the last row is both -1's and 30's. A table of a million rows costs nothing."""
    pairs = np.repeat(rng.permutation(4), 4)
    return [
        case([1.0, 3.0, 5.0], [0, 0, 0]),
        case([0.001, 0.003, 2.0, 10.0], [0, 0, 1, 1]),
        case([1.0, 5.0, 0.0, 10.0, 3.0, 2.0], [3, 8, 3, 8, 3, 8]),
        case(np.round(rng.normal(size=9) * 4, 2), LABELS),
        case(rng.normal(size=16) * 200 + 500, pairs),
        case(rng.normal(size=9) * 3, LABELS[rng.permutation(9)], np.float32),
        case([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0], np.repeat([10**6, 5], 4), np.float32),
    ]


def equal_scores():
    """Equal scores whose mean isn't exactly the score, beside a group that varies."""
    varied, same = [1.0, 3.0], {7: [1000.1, 0.3, 123456.7], 8: [0.1, 49.7]}
    return [
        case([*[number] * size, *varied], [*[4] * size, 9, 9], dtype, edge=True)
        for size, numbers in same.items()
        for number in numbers
        for dtype in (np.float32, np.float64)
    ]


def by_group(scores, groups, change):
    """`change(numbers of one group) -> as many`, group by group."""
    found = np.zeros(len(scores))
    for label in {int(label) for label in groups}:
        rows = [row for row, other in enumerate(groups) if int(other) == label]
        found[rows] = change([float(scores[row]) for row in rows])
    return found


# rloo_advantages ------------------------------------------------------------------------------


def rloo_cases(rng):
    alone = [case([1.0, 3.0, 2.0], [0, 0, 1], edge=True), case([2.0], [5], np.float32, edge=True)]
    return [*common_cases(rng), case([2.0] * 4, [1, 1, 3, 3]), *alone]


def rloo_truth(scores, groups):
    labels = [int(label) for label in groups]
    if any(labels.count(label) == 1 for label in labels):
        return Raises()

    def less_the_others(numbers):
        if min(numbers) == max(numbers):
            return [0.0] * len(numbers)
        total = math.fsum(numbers)
        return [number - (total - number) / (len(numbers) - 1) for number in numbers]

    return by_group(scores, groups, less_the_others)


def like_groups(change):
    """A wrong answer that treats the right rows, `change(scores (n,)) -> (n,)` a group."""

    def advantages(scores, groups, *_more, **_others):
        adv = torch.zeros_like(scores)
        for label in groups.unique():
            adv[groups == label] = change(scores[groups == label])
        return adv

    return advantages


def others_of(scores):
    return (scores.sum() - scores) / (len(scores) - 1)


def over_the_batch(change):
    return lambda scores, groups, *_more, **_others: change(scores)


def neighbours(change, turn):
    """The labels shifted by one row against the scores."""
    return lambda scores, groups, *more, **others: like_groups(change)(
        scores, torch.roll(groups, turn)
    )


def in_blocks(change):
    """Rows taken in blocks of equal size, whatever their labels say."""

    def advantages(scores, groups, *_more, **_others):
        size = max(1, len(scores) // len(groups.unique()))
        parts = scores[: len(scores) // size * size].reshape(-1, size)
        found = torch.cat([change(part) for part in parts])
        return torch.cat([found, scores[len(found) :] * 0])

    return advantages


def next_group(statistic):
    """Each group is compared with the group of the next label."""

    def advantages(scores, groups, *_more, **_others):
        labels, adv = groups.unique(), torch.zeros_like(scores)
        for place, label in enumerate(labels):
            other = scores[groups == labels[(place + 1) % len(labels)]]
            adv[groups == label] = scores[groups == label] - statistic(other)
        return adv

    return advantages


def one_row(case, seen, truth):
    return isinstance(truth, Raises)


def not_quite_zero(case, seen, truth):
    """Equal scores whose advantages are not 0."""
    return bool(case.edge)


RLOO_ADVANTAGES_HINTS = {
    "group-of-one": "A group of one row has no others. What does the exercise ask for there?",
    "own-score-in-the-mean": "Leave-one-out: is a row's own score among those that it is compared "
    "with?",
    "divided-by-deviation": "RLOO divides by no deviation. That is GRPO.",
    "divided-by-size": "How many others are there in a group of G rows?",
    "minus-sign": "Better than the others is a positive advantage.",
    "baseline-returned": "That is what the others got. The advantage is the score less that.",
    "best-of-the-group": "The baseline is the mean of the others, not the best or the middle one.",
    "scores-returned": "Compared with what?",
}
RLOO_ADVANTAGES_FACES = {
    "group-of-one": Symptom(one_row),
    "own-score-in-the-mean": like_groups(lambda s: s - s.mean()),
    "over-the-batch": (
        over_the_batch(lambda s: s - others_of(s)),
        over_the_batch(lambda s: s - s.mean()),
    ),
    "divided-by-deviation": (
        like_groups(lambda s: (s - s.mean()) / (s.std() + 1e-4)),
        like_groups(lambda s: (s - others_of(s)) / (s.std() + 1e-4)),
    ),
    "divided-by-size": like_groups(lambda s: s - (s.sum() - s) / len(s)),
    "groups-misaligned": (
        neighbours(lambda s: s - others_of(s), 1),
        neighbours(lambda s: s - others_of(s), -1),
    ),
    "wrong-group": next_group(torch.mean),
    "order-assumed": in_blocks(lambda s: s - others_of(s)),
    "minus-sign": like_groups(lambda s: others_of(s) - s),
    "baseline-returned": like_groups(others_of),
    "sum-of-others": like_groups(lambda s: s - (s.sum() - s)),
    "best-of-the-group": (
        like_groups(lambda s: s - s.max()),
        like_groups(lambda s: s - s.median()),
    ),
    "scores-returned": over_the_batch(lambda s: s * 1),
}
RLOO_ADVANTAGES = FunctionExercise(
    "rloo_advantages",
    rloo_cases,
    rloo_truth,
    formula=(formulas.rloo_by_others, formulas.rloo_formula, formulas.rloo_from_the_mean),
    kind=TensorOf(),
    mistakes=listed(RLOO_ADVANTAGES_FACES, RLOO_ADVANTAGES_HINTS),
)


# grpo_advantages ------------------------------------------------------------------------------


def grpo_cases(rng):
    options = {"divide": False}
    wide = {"divide": True, "eps": 0.5}
    # torch.isclose takes the first two for equal; mean and deviation are exact in float32, too.
    near = case([2.0**20, 2.0**20 + 8, 1.0, 3.0], [4, 4, 9, 9])
    return [
        *common_cases(rng),
        *(
            Case(one.inputs | options, ("divide",) if n % 2 else ())
            for n, one in enumerate(common_cases(rng)[1:5])
        ),
        Case(common_cases(rng)[2].inputs | wide, ("divide", "eps")),
        Case(common_cases(rng)[2].inputs | options | {"eps": 0.5}, ("divide", "eps")),
        near,
        case([1.0, 3.0, 2.0], [0, 0, 1], edge=True),
        case([5.0], [3], np.float32, ("divide",), edge=True, divide=False),
        *equal_scores(),
        *(
            Case(one.inputs | {"divide": True, "eps": 0.0}, ("eps",), edge=True)
            for one in equal_scores()
        ),
    ]


def grpo_truth(scores, groups, divide=True, eps=1e-4):
    return normalised(scores, groups, divide, eps, ddof=0)


def grpo_truth_of_samples(scores, groups, divide=True, eps=1e-4):
    """With the unbiased deviation."""
    return normalised(scores, groups, divide, eps, ddof=1)


def normalised(scores, groups, divide, eps, ddof):
    def centred(numbers):
        if min(numbers) == max(numbers):
            return [0.0] * len(numbers)
        mean = math.fsum(numbers) / len(numbers)
        square = math.fsum((number - mean) ** 2 for number in numbers)
        scale = math.sqrt(square / (len(numbers) - ddof)) + eps if divide else 1.0
        return [(number - mean) / scale for number in numbers]

    return by_group(scores, groups, centred)


def grpo_like(spread, centre=torch.mean, way=like_groups):
    """A wrong answer from the divisor of one group, `spread(scores, eps)`."""

    def advantages(scores, groups, divide=True, eps=1e-4):
        def change(s):
            return (s - centre(s)) / (spread(s, eps) if divide else 1)

        return way(change)(scores, groups)

    return advantages


def deviation(s, eps):
    return s.std() + eps if len(s) > 1 else torch.ones(())


def no_parentheses(scores, groups, divide=True, eps=1e-4):
    return like_groups(lambda s: s - s.mean() / (deviation(s, eps) if divide else 1))(
        scores, groups
    )


def leave_one_out_and_divided(scores, groups, divide=True, eps=1e-4):
    def change(s):
        return (s - others_of(s)) / (deviation(s, eps) if divide else 1)

    return like_groups(change)(scores, groups)


def not_finite(case, seen, truth):
    return not np.isfinite(seen["value"]["array"]).all()


def alone(case, seen, truth):
    """A group of one row, and a number that isn't 0."""
    labels = case.inputs["groups"].array.tolist()
    return case.edge and any(labels.count(label) == 1 for label in labels)


def small_taken_for_equal(case, seen, truth):
    """A group of scores that are small, or hardly differ, got 0, and no other one."""
    scores = np.abs(case.inputs["scores"].array)
    small = (scores < 0.01) | (scores > 2**19)
    still = (seen["value"]["array"] == 0) & (np.asarray(truth) != 0)
    return still.any() and np.array_equal(still, small)


GRPO_ADVANTAGES_HINTS = {
    "small-taken-for-equal": "These scores differ by little, and yet they differ. Does your "
    "condition ask whether they are equal?",
    "not-finite": "What is the deviation of one row, or of equal ones? And what is 0 / 0? The "
    "advantage is 0 there.",
    "group-of-one": "A row that is alone in its group is compared with nobody: its advantage is 0.",
    "equal-not-zero": "All scores of this group are equal: the advantages are 0. Their mean is "
    "rounded, and rounding divided by rounding has full size. What tells exactly whether numbers "
    "are equal?",
    "batch-deviation": "The mean is the group's. And the deviation?",
    "deviation-is-one": "Divided by 1? Read the divisor once more, and mind which operator comes "
    "first.",
    "always-divided": "With divide=False only the mean is taken away.",
    "leave-one-out": "GRPO compares with the mean of the whole group, the row's own score "
    "included.",
    "eps-ignored": "How large is eps in this call?",
    "eps-without-division": "With divide=False there is no divisor that eps could stand in.",
    "minus-sign": "Better than the group's mean is a positive advantage.",
    "range-not-deviation": "The deviation is asked, not the range.",
    "median-not-mean": "The group's mean is asked, not its median.",
}
GRPO_ADVANTAGES_FACES = {
    "small-taken-for-equal": Symptom(small_taken_for_equal),
    "not-finite": Symptom(not_finite),
    "group-of-one": Symptom(alone),
    "equal-not-zero": Symptom(not_quite_zero),
    "over-the-batch": grpo_like(deviation, way=over_the_batch),
    "batch-deviation": lambda scores, groups, divide=True, eps=1e-4: (
        like_groups(lambda s: s - s.mean())(scores, groups)
        / (deviation(scores, eps) if divide else 1)
    ),
    "groups-misaligned": (
        lambda s, g, *more, **others: grpo_like(deviation)(s, torch.roll(g, 1), *more, **others),
        lambda s, g, *more, **others: grpo_like(deviation)(s, torch.roll(g, -1), *more, **others),
    ),
    "order-assumed": grpo_like(deviation, way=in_blocks),
    "wrong-group": lambda scores, groups, *_more, **_others: next_group(torch.mean)(scores, groups),
    "deviation-is-one": (grpo_like(lambda s, eps: 1.0), grpo_like(lambda s, eps: 1 + eps)),
    "always-divided": lambda scores, groups, divide=True, eps=1e-4: grpo_like(deviation)(
        scores, groups, True, eps
    ),
    "variance-not-deviation": (
        grpo_like(lambda s, eps: s.var() + eps),
        grpo_like(lambda s, eps: s.var(unbiased=False) + eps),
    ),
    "no-parentheses": no_parentheses,
    "not-centred": grpo_like(deviation, centre=lambda s: 0.0),
    "leave-one-out": leave_one_out_and_divided,
    "eps-without-division": lambda scores, groups, divide=True, eps=1e-4: (
        grpo_like(deviation)(scores, groups, divide, eps) / (1 if divide else 1 + eps)
    ),
    "eps-ignored": tuple(
        lambda scores, groups, divide=True, eps=1e-4, fixed=fixed: grpo_like(deviation)(
            scores, groups, divide, fixed
        )
        for fixed in (1e-4, 1e-8)
    ),
    "minus-sign": lambda s, g, *more, **others: -grpo_like(deviation)(s, g, *more, **others),
    "range-not-deviation": grpo_like(lambda s, eps: s.max() - s.min() + eps),
    "median-not-mean": grpo_like(deviation, centre=torch.median),
}
GRPO_ADVANTAGES = AnyTruth(
    "grpo_advantages",
    grpo_cases,
    grpo_truth,
    formula=(formulas.grpo_formula, formulas.grpo_of_samples),
    others=(grpo_truth_of_samples,),
    kind=TensorOf(),
    relative=1e-4,
    mistakes=listed(GRPO_ADVANTAGES_FACES, GRPO_ADVANTAGES_HINTS),
)
