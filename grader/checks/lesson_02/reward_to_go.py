"""Reward-to-go, by its definition; also of very long episodes."""

from dataclasses import dataclass, replace

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Symptom, View, _
from grader.checks.lesson_02 import formulas
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.slips import listed

MANY_STEPS = 300_000
LONG_CALL = f"reward_to_go(rewards=np.ones({MANY_STEPS}), gamma=1.0)"


def reward_to_go_cases(rng):
    """The long one comes last: a time limit that strikes there spares the others."""
    rewards = rng.normal(size=int(rng.integers(5, 9)))
    return [
        Case({"rewards": np.array([1.0, 2.0, 4.0]), "gamma": 0.5}),
        Case({"rewards": np.array([0.0, 0.0, 1.0]), "gamma": 0.5}),
        Case({"rewards": np.array([300.0, -100.0, 0.0, 500.0])}),
        Case({"rewards": np.array([3.0, 5.0]), "gamma": 0.0}),
        Case({"rewards": np.array([7.0]), "gamma": 0.9}),
        Case({"rewards": View(rewards, "read_only"), "gamma": float(rng.uniform(0.3, 0.99))}),
        Case({"rewards": View(rewards, "strided"), "gamma": 0.9}, keywords=("gamma",)),
        Case({"rewards": View(rewards, "list")}),
        Case({"rewards": View(np.array([1, 0, 3]), "list"), "gamma": 0.5}),
        Case({"rewards": np.ones(MANY_STEPS), "gamma": 1.0}, shown=LONG_CALL),
    ]


def reward_to_go_truth(rewards, gamma=1.0):
    """The definition at every step; for the long row of ones the number of steps left."""
    if len(rewards) == MANY_STEPS:
        return np.arange(MANY_STEPS, 0, -1.0)
    return rewards_to_go(rewards, gamma)


def accumulated(rewards, gamma):
    """Discounted sums from the first step on, in O(T): what the imitated mistakes build on."""
    if gamma == 1:
        return np.cumsum(rewards, dtype=float)
    sums = np.array(rewards, dtype=float)
    for t in range(1, len(sums)):
        sums[t] += gamma * sums[t - 1]
    return sums


def backwards(rewards, gamma):
    return accumulated(rewards[::-1], gamma)[::-1]


def powers(gamma, rewards):
    return gamma ** np.arange(len(rewards))


def one_step(rewards, gamma):
    return rewards + gamma * np.append(rewards[1:], 0.0)


def moving_average(rewards, gamma):
    """What a filter does, with the last reward in full; for gamma = 1 the plain sums."""
    if gamma == 1:
        return backwards(rewards, gamma)
    scaled = (1 - gamma) * rewards
    scaled[-1] = rewards[-1]
    return backwards(scaled, gamma)


def to_go_like(rule):
    """A wrong reward_to_go: rule(rewards as an array, gamma)."""
    return lambda rewards, gamma=1.0: rule(np.asarray(rewards, dtype=float), gamma)


def out_of_memory(case, seen, truth):
    return "MemoryError" in seen["error"]["bases"]


def too_deep(case, seen, truth):
    return "RecursionError" in seen["error"]["bases"]


def whole_numbers(case, seen, truth):
    return seen["value"]["array"].dtype.kind in "iu"


@dataclass(frozen=True)
class LongExercise(FunctionExercise):
    """Linear time is asked for, on any machine: growth is judged, not seconds. Whoever is too slow
    hears of the long case: the time runs out for all cases together."""

    @property
    def by_the_clock(self):
        return 40.0  # the quarter's and the whole one's turn come after the first

    def request(self, cases, replace=()):
        shorter = [
            Case({"rewards": np.ones(MANY_STEPS // part), "gamma": 1.0}).request()
            for part in (4, 16, 64, 256)
        ]
        return {**super().request(cases, replace), "shorter": shorter}

    def judge(self, cases, seen):
        verdict = super().judge(cases, seen)
        if verdict.mistake != "too-slow":
            return verdict
        hint = _(
            "The last case is an episode of {n} steps. Is there a loop that never ends, or does "
            "each step loop over, or copy, all the others?"
        ).format(n=MANY_STEPS)
        return replace(verdict, problem=replace(verdict.problem, hint=hint))


def list_refused(case, seen, truth):
    given = case.inputs["rewards"]
    return getattr(given, "guise", "") == "list" and "error" in seen


REWARD_TO_GO_HINTS = {
    "list-refused": "The rewards come as a list here. np.asarray makes them an array.",
    "whole-numbers": "The result was cut to whole numbers. Which dtype has your array where the "
    "rewards are a list of whole numbers?",
    "quadratic": "A table of T by T numbers is too large. One pass from the end is enough.",
    "recursion": "One nested call per step goes too deep. Use a loop from the end.",
    "whole-return": "Can this action change the past? Earlier rewards don't count.",
    "extra-discount": "The discount counts from step t itself: its own reward has weight one, with "
    "no gamma^t in front.",
    "discounted-once-more": "With which power of gamma does a step's own reward count?",
    "reversed": "Which entry belongs to the first step? Turn the result round.",
    "one-step-ahead": "All later rewards count, not the next one alone. Which value do you carry "
    "along?",
    "averaged": "A sum is asked, not a mean over the steps that are left.",
    "moving-average": "A sum is asked: nothing weighs a step's own reward with 1 - gamma.",
    "normalised": "The rewards-to-go as they are; no mean or deviation is taken out of them.",
}
REWARD_TO_GO_FACES = {
    "list-refused": Symptom(list_refused),
    "whole-numbers": Symptom(whole_numbers),
    "gamma-default": tuple(
        lambda rewards, gamma=default: to_go_like(backwards)(rewards, gamma)
        for default in (0.99, 0.95, 0.9)
    ),
    "quadratic": Symptom(out_of_memory),
    "recursion": Symptom(too_deep),
    "whole-return": to_go_like(lambda r, g: np.full(len(r), powers(g, r) @ r)),
    "past-rewards": to_go_like(accumulated),
    "gamma-ignored": to_go_like(lambda r, g: backwards(r, 1.0)),
    "extra-discount": to_go_like(lambda r, g: backwards(powers(g, r) * r, 1.0)),
    "own-reward-missing": to_go_like(lambda r, g: np.append(backwards(r, g)[1:], 0.0)),
    "discounted-once-more": to_go_like(lambda r, g: g * backwards(r, g)),
    "reversed": to_go_like(lambda r, g: backwards(r, g)[::-1]),
    "own-reward-only": to_go_like(lambda r, g: r.copy()),
    "one-step-ahead": to_go_like(one_step),
    "averaged": to_go_like(lambda r, g: backwards(r, g) / np.arange(len(r), 0, -1)),
    "moving-average": to_go_like(moving_average),
    "normalised": to_go_like(lambda r, g: backwards(r, g) - backwards(r, g).mean()),
}
REWARD_TO_GO = LongExercise(
    "reward_to_go",
    reward_to_go_cases,
    reward_to_go_truth,
    formula=formulas.reward_to_go_formula,
    seconds=0.5,
    hint=N_(
        "What does a step earn from itself on? Compare the last two entries with the definition."
    ),
    mistakes=listed(REWARD_TO_GO_FACES, REWARD_TO_GO_HINTS),
)
