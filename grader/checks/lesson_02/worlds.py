"""A bonus in every reward, and a world in which reward-to-go gains nothing.

The second has many right answers. It is judged by the exact variance of both estimators in the
world that the answer's rewards make.
"""

from dataclasses import dataclass

import numpy as np

from grader.checking import (
    N_,
    Array,
    Case,
    FunctionExercise,
    Mismatch,
    Number,
    Problem,
    Raises,
    Symptom,
    _,
    number_text,
    plain,
)
from grader.checking.compare import inputs_problem, raising_problem, shape_problem
from grader.checking.text import call_text
from grader.checks.lesson_02 import formulas
from grader.checks.shared.slips import listed
from policy_gradients.envs import Corridor, Grid
from policy_gradients.envs.tabular import TabularEnv
from policy_gradients.exact import gradient_moments

MAX_STEPS, MOST_PAY = 12, 100.0


def bonus_cases(rng):
    """Rewards of either sign; the clock leaves at least two steps more than the way takes."""
    drawn = [
        (float(rng.normal() * 8), float(rng.normal()), int(rng.integers(2, 9)))
        for _number in range(3)
    ]
    fixed = [(6.0, 0.0, 2, 5), (10.0, -0.1, 3, 20), (-4.0, 0.5, 1, 3)]
    drawn = [(*one, one[2] + int(rng.integers(2, 15))) for one in drawn]
    names = "goal_reward", "step_reward", "distance", "max_steps"
    return [Case(dict(zip(names, one, strict=True))) for one in [*fixed, *drawn]]


def bonus_truth(goal_reward, step_reward, distance, max_steps):
    """Where two straight lines in the bonus meet: each plan's return at bonus 0 and at bonus 1."""
    goal = [goal_reward + distance * (step_reward + bonus) for bonus in (0.0, 1.0)]
    clock = [max_steps * (step_reward + bonus) for bonus in (0.0, 1.0)]
    return (goal[0] - clock[0]) / ((clock[1] - clock[0]) - (goal[1] - goal[0]))


BONUS_IN_REWARDS_HINTS = {
    "step-reward-forgotten": "A step pays something without the bonus, too.",
    "step-reward-sign": "A step that costs something needs a larger bonus, not a smaller one.",
    "way-unpaid": "The bonus is paid on the way to the goal as well. How many times?",
    "steps-added": "What counts is how many steps longer the one plan lives than the other.",
    "clock-forgotten": "How long does the plan live that never enters the goal?",
    "last-step-unpaid": "The step into the goal is a step, too: it pays the step's reward and the "
    "bonus.",
    "clock-one-short": "The clock stops after max_steps steps, and each of them is paid.",
    "not-per-step": "The bonus is paid at every step. By how many steps do the plans differ?",
    "minus-sign": "Let the goal be worth nothing. Which bonus makes a step worth nothing, too?",
    "nothing-changes": "A constant in every return changes nothing. This one is in every reward.",
}
BONUS_IN_REWARDS_FACES = {
    "step-reward-forgotten": lambda g, r, d, m: g / (m - d),
    "step-reward-sign": lambda g, r, d, m: g / (m - d) + r,
    "way-unpaid": lambda g, r, d, m: g / m - r,
    "steps-added": lambda g, r, d, m: g / (m + d) - r,
    "clock-forgotten": lambda g, r, d, m: g / d - r,
    "last-step-unpaid": lambda g, r, d, m: g / (m - d + 1) - r,
    "clock-one-short": lambda g, r, d, m: g / (m - d - 1) - r,
    "not-per-step": lambda g, r, d, m: g - r * (m - d),
    "minus-sign": lambda g, r, d, m: r - g / (m - d),
    "nothing-changes": lambda g, r, d, m: 0.0,
}
BONUS_IN_REWARDS = FunctionExercise(
    "bonus_in_rewards",
    bonus_cases,
    bonus_truth,
    formula=(formulas.bonus_formula, formulas.bonus_of_two_plans),
    kind=Number(),
    hint=N_("Write down the return of each plan, bonus included, and set them equal."),
    mistakes=listed(BONUS_IN_REWARDS_FACES, BONUS_IN_REWARDS_HINTS),
)


def random_world(rng):
    """Transitions (S, A, S) of a world whose last two states end it, and the flags (S,).

    A step ends it in at most one case of four: were its end certain before the clock's, to pay all
    ends alike would leave nothing to the policy."""
    num_states, num_actions = int(rng.integers(4, 6)), int(rng.integers(2, 4))
    table = rng.dirichlet(np.ones(num_states), size=(num_states, num_actions))
    terminal = np.arange(num_states) >= num_states - 2
    ending = rng.uniform(0.05, 0.25, size=(num_states, num_actions, 1))
    for part, share in ((terminal, ending), (~terminal, 1 - ending)):
        table[..., part] *= share / table[..., part].sum(axis=-1, keepdims=True)
    table[terminal] = np.eye(num_states)[terminal][:, None]
    return table, terminal


def world_cases(rng):
    """A corridor, a small board and a random world: their ends lie in different places."""
    tables = [
        (env.transitions, env.terminal) for env in (Corridor(length=4), Grid(size=3, pits=[(1, 1)]))
    ]
    tables.append(random_world(rng))
    return [Case({"transitions": table, "terminal": ends}) for table, ends in tables]


def world_truth(transitions, terminal):
    """One of many right answers; its shape is everybody's."""
    rewards = np.zeros(transitions.shape)
    rewards[:, :, np.flatnonzero(terminal)] = np.arange(1, terminal.sum() + 1)
    return rewards


def policies(num_states, num_actions):
    """The uniform policy, and one that differs from state to state: (S, A) each."""
    uneven = 1.0 + np.arange(num_states * num_actions).reshape(num_states, -1) % 3
    uniform = np.ones((num_states, num_actions))
    return [pi / pi.sum(axis=1, keepdims=True) for pi in (uniform, uneven)]


def variances(transitions, terminal, rewards):
    """(length of the uniform policy's gradient, [(whole return, reward-to-go) of each policy])."""
    start = ~terminal / (~terminal).sum()
    env = TabularEnv(transitions, rewards, terminal, start, MAX_STEPS)
    found = [
        [gradient_moments(env, pi, name) for name in ("return", "reward_to_go")]
        for pi in policies(*transitions.shape[:2])
    ]
    length = float(np.linalg.norm(found[0][0].mean))
    return length, [tuple(one.total_variance for one in pair) for pair in found]


def on_the_way(case, rewards):
    """The rewards of transitions that can happen and do not end the episode, as a flat array."""
    transitions, terminal = plain(case.inputs["transitions"]), plain(case.inputs["terminal"])
    possible = (transitions > 0) & ~terminal[:, None, None] & ~terminal
    return rewards[possible]


def at_the_end(case, rewards):
    """The rewards of transitions that can happen and end the episode, as a flat array."""
    transitions, terminal = plain(case.inputs["transitions"]), plain(case.inputs["terminal"])
    return rewards[(transitions > 0) & ~terminal[:, None, None] & terminal]


@dataclass(frozen=True)
class WorldExercise(FunctionExercise):
    """A table of rewards, judged by what becomes of both estimators in its world."""

    def questions(self, cases, seen, verdict):
        return []  # many tables are right, so no change of one is the right one

    def ladder(self, case, seen, truth):
        shown = call_text(self.name, case.inputs, case.keywords)
        if isinstance(truth, Raises) or "error" in seen:
            return raising_problem(seen, truth, shown)
        try:
            found = self.kind.arrays(seen["value"])
        except Mismatch as mismatch:
            return Problem(
                step="kind",
                shown=shown,
                expected=mismatch.expected,
                got=mismatch.got,
                hint=mismatch.hint,
            )
        return (
            shape_problem(found, {"": truth.value}, shown)
            or _size_problem(found[""], shown)
            or _gain_problem(case, found[""], shown)
            or inputs_problem(seen, shown)
        )


def _size_problem(rewards, shown):
    if not np.isfinite(rewards).all():
        return Problem(
            step="finite", shown=shown, expected=_("finite rewards"), got=_("nan or inf among them")
        )
    most = float(np.abs(rewards).max())
    if most > MOST_PAY:
        wanted = _("rewards of at most {most} in size").format(most=number_text(MOST_PAY))
        return Problem(
            step="value",
            shown=shown,
            expected=wanted,
            got=number_text(most),
            mistake="pays-too-much",
        )
    return None


def _gain_problem(case, rewards, shown):
    rewards = np.asarray(rewards, dtype=float)
    tables = plain(case.inputs["transitions"]), plain(case.inputs["terminal"])
    length, pairs = variances(*tables, rewards)
    for whole, to_go in pairs:
        if abs(whole - to_go) > 1e-9 * max(whole, to_go):
            words = _("whole return {whole}, reward-to-go {to_go}")
            got = words.format(whole=number_text(whole), to_go=number_text(to_go))
            return Problem(
                step="value",
                shown=shown,
                expected=_("the same variance for both estimators"),
                got=got,
            )
    if length < 1e-6:
        wanted = _("rewards for which the policy matters")
        return Problem(step="value", shown=shown, expected=wanted, got=_("a gradient of length 0"))
    return None


def _rewards(seen):
    return np.asarray(Array().arrays(seen["value"])[""], dtype=float)


def nothing_paid(case, seen, truth):
    rewards = _rewards(seen)
    return not on_the_way(case, rewards).any() and not at_the_end(case, rewards).any()


def paid_after_the_end(case, seen, truth):
    return nothing_paid(case, seen, truth) and _rewards(seen).any()


def price_per_step(case, seen, truth):
    paid = on_the_way(case, _rewards(seen))
    return paid.any() and np.ptp(paid) < 1e-12


def paid_on_the_way(case, seen, truth):
    return on_the_way(case, _rewards(seen)).any()


def has_shape(*axes):
    """Whether the result has only some of the axes (S, A, S)."""

    def when(case, seen, truth):
        whole = np.shape(plain(case.inputs["transitions"]))
        return _rewards(seen).shape == tuple(whole[axis] for axis in axes)

    return when


REWARDS_WITHOUT_GAIN_HINTS = {
    "paid-after-the-end": "Nobody acts in a terminal state. Pay on the way into it.",
    "nothing-paid": "Nothing is ever paid, so no policy is better than another.",
    "price-per-step": "A price per step is a reward on the way: reward-to-go leaves out those "
    "paid.",
    "paid-on-the-way": "A reward on the way lies before some later step, which leaves it out.",
    "per-state": "A reward for each transition is asked: state, action, next state.",
    "per-action": "A reward for each transition is asked: which next state does yours depend on?",
}
REWARDS_WITHOUT_GAIN_FACES = {
    "paid-after-the-end": Symptom(paid_after_the_end),
    "nothing-paid": Symptom(nothing_paid),
    "price-per-step": Symptom(price_per_step),
    "paid-on-the-way": Symptom(paid_on_the_way),
    "per-state": Symptom(has_shape(0)),
    "per-action": Symptom(has_shape(0, 1)),
}
REWARDS_WITHOUT_GAIN = WorldExercise(
    "rewards_without_gain",
    world_cases,
    world_truth,
    hint=N_("At step t reward-to-go leaves out the rewards before t. Which must be zero?"),
    mistakes=listed(REWARDS_WITHOUT_GAIN_FACES, REWARDS_WITHOUT_GAIN_HINTS),
)
