"""What the grader makes of a spy's log: episodes, honest frequencies, exact scores, rules.

The rules are functions (case, seen) -> Problem | None for a ``RuleExercise``; they read what the
probes "rollout" and "train" report. ``seen`` comes from a sandbox: whatever in it is malformed
raises here, and ``Exercise.judge`` turns that into a verdict.
"""

import math
from dataclasses import dataclass

import numpy as np

from grader.exercise import error_problem
from grader.i18n import _
from grader.verdict import Problem

FALSE_ALARM = 1e-12  # probability that an honest player is called a cheat, per comparison


@dataclass(frozen=True)
class Episode:
    """What was really played. ended: "terminated", "truncated", or "" where it was broken off.
    update: optimiser steps before its first step."""

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    ended: str
    update: int

    @property
    def total(self) -> float:
        return float(self.rewards.sum())


def episodes(log) -> list[Episode]:
    """The log of one environment, cut where an episode ended or a reset came."""
    over = np.asarray(log["terminated"], bool) | np.asarray(log["truncated"], bool)
    cuts = {*log["starts"], *(np.flatnonzero(over) + 1).tolist(), 0, len(over)}
    bounds = sorted(cut for cut in cuts if 0 <= cut <= len(over))
    return [_episode(log, slice(*pair)) for pair in zip(bounds, bounds[1:], strict=False)]


def _episode(log, rows):
    ended = (
        "terminated"
        if log["terminated"][rows][-1]
        else "truncated"
        if log["truncated"][rows][-1]
        else ""
    )
    update = int(log["update"][rows][0])
    return Episode(log["obs"][rows], log["actions"][rows], log["rewards"][rows], ended, update)


def softmax(logits) -> np.ndarray:
    """(..., A) probabilities in float64."""
    logits = np.asarray(logits, dtype=np.float64)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def unlikely(hits, probabilities) -> bool:
    """Whether so many hits, or so few, come about by chance less often than FALSE_ALARM.

    hits: bool (n,), whether an event came at each step; probabilities: (n,), its probability given
    all that went before. Freedman's inequality (1975), which also holds where earlier outcomes
    decide which step comes next, as they do in an episode.
    """
    surplus = abs(float(np.sum(hits) - np.sum(probabilities)))
    variance = float(np.sum(probabilities * (1 - probabilities)))
    level = math.log(2 / FALSE_ALARM)
    return surplus > level / 3 + math.sqrt(level**2 / 9 + 2 * variance * level)


def odd_state(obs, actions, probabilities) -> tuple | None:
    """(state, action, times in that state, times that action, expected times) of the first
    frequency that chance can't explain; None where all can be. Shapes (n,), (n,), (n, A)."""
    for state in np.unique(obs):
        here = obs == state
        for action in range(probabilities.shape[1]):
            hits, expected = actions[here] == action, probabilities[here, action]
            if unlikely(hits, expected):
                return int(state), action, len(hits), int(hits.sum()), float(expected.sum())
    return None


def always_likeliest(actions, probabilities) -> bool:
    """Whether each action was the likeliest one, and chance can't explain it."""
    likeliest = probabilities.argmax(1)
    share = probabilities[np.arange(len(likeliest)), likeliest]
    return bool((actions == likeliest).all()) and unlikely(actions == likeliest, share)


def sampling_problem(obs, actions, probabilities) -> Problem | None:
    """Whether the actions are draws from these probabilities, told by their frequencies."""
    if always_likeliest(actions, probabilities):
        return Problem(
            "behaviour",
            expected=_("actions drawn at random from the policy"),
            got=_("the likeliest action at each of {n} steps").format(n=len(actions)),
            hint=_("Without sampling there is no expectation to estimate."),
            mistake="argmax",
        )
    odd = odd_state(obs, actions, probabilities)
    if odd is None:
        return None
    words = _("action {action} in state {state}: {count} of {n} times")
    wanted, got = (
        {"state": odd[0], "action": odd[1], "n": odd[2], "count": count}
        for count in (_("about {k}").format(k=round(odd[4])), odd[3])
    )
    even = np.full_like(probabilities, 1 / probabilities.shape[1])
    if odd_state(obs, actions, even):
        name = "frequencies"
        hint = _("Compare how often each action came with its probability in that very state.")
    else:
        name = "policy-ignored"
        hint = _("Every action came equally often. Does theta play a part in the draw?")
    return Problem("behaviour", "", words.format(**wanted), words.format(**got), hint, name)


def raised(case, seen) -> Problem | None:
    """The student's function stopped with an error."""
    return error_problem(seen["raised"], case.shown) if "raised" in seen else None


def played_on(log) -> Problem | None:
    """Steps after an episode's end."""
    if not log["late"]:
        return None
    if "terminated" in log["late"]:
        name, got = "past-terminated", _("a step after terminated was True")
    else:
        name, got = "past-truncated", _("a step after truncated was True")
    return Problem(
        "behaviour",
        expected=_("no step after the episode's end"),
        got=got,
        hint=_("An episode ends in one of two ways. Look at both flags."),
        mistake=name,
    )


def one_seed(log) -> Problem | None:
    """The environment was seeded alike at each of at least three resets."""
    seeds = log["seeds"]
    if len(seeds) < 3 or seeds[0] is None or len(set(seeds)) > 1:
        return None
    got = _("reset(seed={seed}) every time").format(seed=seeds[0])
    return Problem(
        "behaviour",
        expected=_("a fresh episode every time"),
        got=got,
        hint=_(
            "With the same seed each time, chance repeats itself. Are your trajectories all alike?"
        ),
        mistake="same-seed",
    )


def foreign_chance(shown) -> Problem:
    """Two calls from the same state of rng played different episodes."""
    return Problem(
        "behaviour",
        shown,
        _("the same episodes from the same state of rng"),
        _("other episodes"),
        _("Let all chance come from rng."),
        "foreign-chance",
    )


def environment(record):
    """The environment of a case, built in the grader's own process."""
    import policy_gradients as pg

    return getattr(pg.envs, record.name)(**record.kwargs)


def exact_share(env, logits) -> float:
    """The exact objective of a softmax table (S, A) over the best one that such a table reaches."""
    from policy_gradients import exact

    return exact.objective(env, softmax(logits)) / exact.best_stationary(env)
