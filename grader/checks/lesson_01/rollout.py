"""Check of rollout: what came back against what a spy saw, and the actions' frequencies."""

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from grader.checking import (
    Case,
    Env,
    Problem,
    Rng,
    RuleExercise,
    _,
    array_text,
    differing,
    kind_text,
    none_hint,
)
from grader.checking.remembering import remembered
from grader.checks.shared import tabular
from grader.checks.shared.episodes import (
    DOUBT,
    FALSE_ALARM,
    drawn_from,
    episodes,
    foreign_chance,
    log_likelihood,
    one_seed,
    played_on,
    raised,
    sampling_problem,
    softmax,
)
from grader.checks.shared.sampling import bent_problem, likeliest_problem, repeated
from grader.checks.shared.slips import teller
from grader.checks.shared.tabular import env_text
from grader.probes.rollout import FIELDS

PLAN_STEPS = 24
OF_DRAWS = "temperature", "random-actions", "softmax-twice", "policy-ignored"


@dataclass(frozen=True)
class RolloutExercise(RuleExercise):
    """Judged by rules; where it was failed, the grader draws the actions for later exercises. What
    is wrong with the draws is named by all cases together."""

    def problem(self, cases, seen):
        problem = super().problem(cases, seen)
        if problem is not None and problem.mistake == "past-truncated":
            return replace(_past_either_end(seen), shown=problem.shown)
        if problem is None or problem.mistake not in (*OF_DRAWS, "frequencies"):
            return problem
        named = _named_by_all(problem.mistake, cases, seen)
        return replace(named, shown=problem.shown) if named else problem

    def answer(self, question):
        """args: theta (S, A), seed -> actions (PLAN_STEPS, S), a draw for each step and state."""
        theta, seed = question["args"]
        bounds = softmax(theta).cumsum(-1)[:, :-1]
        draws = np.random.default_rng(int(seed)).random((PLAN_STEPS, len(bounds), 1))
        return {"value": (draws > bounds).sum(-1)}


def _past_either_end(seen):
    """Who plays on past both ends is told the plainer one, whichever came first."""
    return played_on({"late": [end for one in seen for end in one["played"]["late"]]})


def rollout_case(env, theta, seed, count):
    words = _("{n} episodes, rollout(env, theta, rng) with env = {env}")
    shown = words.format(n=count, env=env_text(env))
    inputs = {"env": env, "theta": theta, "rng": Rng(seed), "episodes": count}
    return Case(inputs, shown=shown)


def rollout_cases(rng):
    """Two equal calls, which may all be cut; episodes of one step that end by themselves; enough
    episodes to count frequencies, and some that last longer than those of the lesson. In the
    corridor neighbours prefer opposite actions, so that a wrong row of theta shows."""
    grid = Env("Grid", {"size": 3, "pits": [[1, 1]], "max_steps": 12})
    short = Env("Corridor", {"length": 3})
    corridor = Env("Corridor", {"length": 6, "goal": 5, "first": 2, "max_steps": 6})
    signs = np.array([1, -1, 1, -1, 1, -1]) * rng.choice([-1, 1])
    theta = np.stack([signs * rng.uniform(0.5, 0.9, 6), np.zeros(6)], 1)
    even = rng.normal(size=(9, 4)) * 0.1
    seed = int(rng.integers(10**6))
    # Everywhere some actions are likelier: a softmax over the states takes that away.
    uneven = rng.normal(size=(9, 4)) + rng.permutation([1.2, 0.4, -0.4, -1.2])
    # Where one of many actions is likely, a few draws tell another temperature; where all others
    # are next to impossible, an action that was drawn evenly. See sampling.bent for how many.
    likely = np.eye(64)[rng.integers(64, size=3)] * [[4.5], [4.5], [13.0]]
    long = Env("Corridor", {"length": 60, "max_steps": 120})
    return [
        rollout_case(grid, even, seed, 4),
        rollout_case(grid, even, seed, 4),
        rollout_case(short, np.array([[0.0, 1.0]] * 3), seed + 1, 6),
        rollout_case(corridor, theta, seed + 2, 200),
        rollout_case(grid, uneven, seed + 3, 80),
        rollout_case(wheel(rng), likely, seed + 5, 60),
        rollout_case(long, np.zeros((60, 2)), seed + 4, 2),
    ]


def wheel(rng):
    """Three states that follow one another whatever is done, and 64 actions."""
    transitions = np.repeat(np.eye(3)[[1, 2, 0]][:, None], 64, axis=1)
    rewards = np.repeat(rng.normal(size=(3, 64, 1)).round(2), 3, axis=2)
    tables = {"transitions": transitions, "rewards": rewards, "terminal": [False] * 3}
    return Env("TabularEnv", {**tables, "start": [1.0, 0.0, 0.0], "max_steps": 24})


ROLLOUT_HINTS = {
    "last-state-appended": "T actions were taken in T states. Which state is one too many?",
    "reset-returns-two": "reset returns two things, the observation and a dict; step returns five.",
    "stops-early": "Play until the environment says that the episode is over.",
    "episodes-miscounted": "In each call reset env once, and take every step in env itself.",
    "fields-swapped": "The order is states, actions, rewards.",
    "last-step-missing": "The last step counts: it often brings the only reward.",
    "rewards-summed": "Keep each step's own reward. Summing comes later.",
    "rewards-shifted": "Which action earned this reward?",
    "state-not-updated": "Where are you after a step? Does your state know?",
    "states-shifted": "Keep the state in which the action was chosen, not the one it led to.",
    "first-state": "The first state is the one that reset returned.",
    "same-seed": "Are your trajectories all alike? A generator made anew starts over each time.",
    "seed-reused": "The same episode comes again and again. Is a generator made or seeded inside?",
    "changed-inputs": "Work on a copy: the caller still needs its array.",
}
_told = teller(ROLLOUT_HINTS)


def rollout_raised(case, seen):
    problem, log = raised(case, seen), seen["played"]
    if problem is None or problem.mistake in ("too-slow", "not-written"):
        return problem
    lengths = [int(n) for n in re.findall(r"\((\d+),?\)", seen["raised"].get("message", ""))]
    if len(lengths) == 3 and lengths[0] == lengths[1] + 1 == lengths[2] + 1:
        expected = _("as many states as actions")
        return _told(expected, problem.got, "last-state-appended", "shape")
    unpacked = seen["raised"]["type"] in ("IndexError", "TypeError")
    if log["starts"] and not len(log["rewards"]) and unpacked:
        return _told("", problem.got, "reset-returns-two", "runs")
    return problem


@remembered
def returned(seen):
    """What each call returned, observed."""
    if "trajectories" not in seen:
        return seen["results"]
    columns = {name: np.asarray(seen["trajectories"][name], float) for name in FIELDS}
    ends = np.cumsum(seen["trajectories"]["lengths"])
    parts = {name: np.split(column, ends[:-1]) for name, column in columns.items()}
    rows = zip(*parts.values(), strict=True)
    return [{"fields": dict(zip(FIELDS, map(_observed, row), strict=True))} for row in rows]


def _observed(array):
    return {"kind": "array", "array": array, "dtype": array.dtype.name}


def rollout_kind(case, seen):
    for result in returned(seen):
        fields = result.get("fields", {})
        if not set(FIELDS) <= set(fields):
            hint = none_hint(result) or _("Wrap the three sequences in pg.Trajectory.")
            wanted, got = _("a pg.Trajectory"), kind_text(result)
            return Problem(
                step="kind", expected=wanted, got=got, hint=hint, mistake="no-trajectory"
            )
        if any(tabular.numbers(fields[name]) is None for name in FIELDS):
            wanted, got = _("arrays or lists of numbers"), kind_text(fields["states"])
            return Problem(step="kind", expected=wanted, got=got)
    return None


def rollout_played(case, seen):
    """Each call plays one episode, from reset to its end."""
    played, count = episodes(seen["played"]), len(returned(seen))
    if any(not episode.ended for episode in played):
        broken = next(episode for episode in played if not episode.ended)
        got = _("an episode broken off after {n} steps").format(n=len(broken.rewards))
        return _told(_("whole episodes"), got, "stops-early")
    if len(played) == count:
        return None
    got = _("{played} episodes in {n} calls").format(played=len(played), n=count)
    return _told(_("one episode a call"), got, "episodes-miscounted")


def rollout_recorded(case, seen):
    """What came back is what was played, step by step."""
    for result, episode in zip(returned(seen), episodes(seen["played"]), strict=True):
        for name in FIELDS:
            found = tabular.numbers(result["fields"][name])
            truth = getattr(episode, name)
            # Nearly always to the bit, which is seen at a tenth of the cost.
            if np.array_equal(found, truth):
                continue
            if found.shape == truth.shape and np.allclose(found, truth):
                continue
            return _record_problem(name, found, truth, episode)
    return None


def _record_problem(name, found, truth, episode):
    words = {"states": _("states {x}"), "actions": _("actions {x}"), "rewards": _("rewards {x}")}
    expected, got = (words[name].format(x=array_text(x)) for x in (truth, found))
    if found.shape == truth.shape:
        before = words[name].format(x="")
        expected, got = differing(truth, found, np.isclose(found, truth), before)
    mistake = _record_mistake(name, found, truth)
    if mistake not in ROLLOUT_HINTS and any(
        name != other and np.array_equal(found, getattr(episode, other)) for other in FIELDS
    ):
        mistake = "fields-swapped"
    return _told(expected, got, mistake, "value" if found.shape == truth.shape else "shape")


def _record_mistake(name, found, truth):
    if len(found) == len(truth) - 1:
        return "last-step-missing"
    if len(found) != len(truth):
        return "lengths"
    if name == "rewards" and np.allclose(found, np.cumsum(truth)):
        return "rewards-summed"
    if name == "rewards" and np.allclose(found[1:], truth[:-1]):
        return "rewards-shifted"
    if name == "states" and (found == found[0]).all():
        return "state-not-updated"
    if name == "states" and np.array_equal(found[:-1], truth[1:]):
        return "states-shifted"
    if name == "states" and np.array_equal(found[1:], truth[1:]):
        return "first-state"
    return f"{name}-wrong"


def rollout_sampling(case, seen):
    log = seen["played"]
    actual = softmax(case.inputs["theta"])[log["obs"]]
    if not _fixed(log) and _all_alike(log, actual):
        got = _("the same actions in every episode")
        return _told(_("a fresh episode every time"), got, "same-seed")
    problem = one_seed(log) or sampling_problem(log["obs"], log["actions"], actual)
    if problem and problem.mistake != "frequencies":
        return problem

    def fits(alternative):
        return drawn_from(log["obs"], log["actions"], alternative, DOUBT)

    return (
        bent_problem(log["actions"], actual, fits)
        or problem
        or bent_problem(log["actions"], actual)
    )


def _named_by_all(mistake, cases, seen):
    """What is wrong with the draws of all cases; None where they say no more than one does."""
    runs = []
    for case, report in zip(cases, seen):
        log = report.get("played")
        if log and len(log["actions"]) == len(log["obs"]):
            runs.append((log, softmax(case.inputs["theta"])[log["obs"]]))
    if mistake in OF_DRAWS:
        return likeliest_problem([(log["actions"], chances) for log, chances in runs])
    if not any(_all_alike(*run) and not _fixed(run[0]) for run in runs):
        return None
    got = _("the same actions in every episode")
    return _told(_("a fresh episode every time"), got, "same-seed")


def _fixed(log):
    """Whether the action hangs on the state alone: then it isn't the generator that repeats."""
    pairs = zip(log["obs"].tolist(), log["actions"].tolist(), strict=True)
    return len(set(pairs)) == len(set(log["obs"].tolist()))


def _all_alike(log, probabilities):
    """Whether all episodes took the same actions, though chance would hardly have it so."""
    played = episodes(log)
    if len({episode.actions.tobytes() for episode in played}) > 1:
        return False
    again = slice(len(played[0].actions), None)
    return log_likelihood(log["actions"][again], probabilities[again]) < math.log(FALSE_ALARM)


def rollout_fresh(cases, seen):
    """No episode comes again more often than chance has it; the frequencies are right by now."""
    if not any(map(_reused, cases, seen)):
        return None
    expected, got = _("a fresh episode every time"), _("episodes that repeat earlier ones")
    return _told(expected, got, "seed-reused")


def _reused(case, report):
    log, played = report["played"], episodes(report["played"])
    probabilities = softmax(case.inputs["theta"])[log["obs"]]
    cuts = np.cumsum([len(episode.actions) for episode in played])[:-1]
    taken = np.log(probabilities[np.arange(len(log["actions"])), log["actions"]])
    chances = [part.sum() for part in np.split(taken, cuts)]
    return repeated([episode.actions.tobytes() for episode in played], chances)


def rollout_unchanged(case, seen):
    if not seen["changed"]:
        return None
    got = _("changed in place: {names}").format(names="theta")
    return _told(_("inputs as they were"), got, "changed-inputs", "inputs")


def rollout_chance(cases, seen):
    """The first two cases are the same call."""
    one, other = (report["played"]["actions"] for report in seen[:2])
    return None if np.array_equal(one, other) else foreign_chance(cases[0].shown)


ROLLOUT = RolloutExercise(
    "rollout",
    "rollout",
    rollout_cases,
    rules=(
        lambda case, seen: played_on(seen["played"]),
        rollout_raised,
        rollout_kind,
        rollout_played,
        rollout_recorded,
        rollout_sampling,
        rollout_unchanged,
    ),
    overall=(rollout_fresh,),
    short_cases=3,
    short_overall=(rollout_chance,),
    prerequisites=("softmax",),
)
