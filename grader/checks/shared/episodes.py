"""What the grader makes of a spy's log: episodes, honest frequencies, exact scores, rules.

The rules are functions (case, seen) -> Problem | None for a ``RuleExercise``; they read what the
probes "rollout" and "train" report. ``seen`` comes from a sandbox: whatever in it is malformed
raises here, and ``Exercise.judge`` turns that into a verdict.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from grader.checking import behaviour, error_problem
from grader.checking.exercise import HINTS
from grader.checking.relations import named_error
from grader.checking.remembering import remembered
from grader.checking.verdict import Problem
from grader.checks.shared.run_slips import likeliest_actions
from grader.i18n import _

FALSE_ALARM = 1e-9  # at most so often is an honest draw called a wrong one, per comparison
NEAR = 0.998  # of the likeliest action's probability, that counts as well
DOUBT = 1e-2  # at most so often is another policy, from which the draws come, not named


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


@remembered
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


def log_likelihood(actions, probabilities) -> float:
    """Of the actions taken, (n,), under the probabilities of each step, (n, A)."""
    with np.errstate(divide="ignore"):
        return float(np.log(probabilities[np.arange(len(actions)), actions]).sum())


def learned_probabilities(obs, actions, num_actions) -> np.ndarray:
    """(n,): what one would have bet on each action taken, having seen only the earlier steps.

    In each state the count of the action so far plus a half, over the sum for all actions: the
    estimate of Krichevsky and Trofimov (1981), which loses next to nothing against the best
    constant policy.
    """
    often = _earlier(obs * num_actions + actions)
    return (often + 0.5) / (_earlier(obs) + 0.5 * num_actions)


def _earlier(kinds):
    """How often each entry of (n,) came before."""
    order = np.argsort(kinds, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(kinds[order]) != 0))
    found = np.empty(len(kinds), dtype=np.int64)
    lengths = np.diff(first, append=len(kinds))
    found[order] = np.arange(len(kinds)) - np.repeat(first, lengths)
    return found


def drawn_from(obs, actions, probabilities, alarm=FALSE_ALARM) -> bool:
    """Whether the actions may be draws from these probabilities, (n, A); honest ones are called
    foreign at most with the probability ``alarm``.

    A gambler who bets as ``learned_probabilities`` says, at fair odds under ``probabilities``,
    multiplies his stake by the ratio of the likelihoods. At fair odds nobody reaches k times his
    stake more often than once in k (Ville 1939), however episodes and updates go on.
    """
    bets = learned_probabilities(obs, actions, probabilities.shape[1])
    gain = float(np.log(bets).sum()) - log_likelihood(actions, probabilities)
    return gain < -math.log(alarm)


def always_likeliest(actions, probabilities) -> bool:
    """Whether each action was the likeliest one, or nearly, and chance can't explain it."""
    near = probabilities >= NEAR * probabilities.max(1, keepdims=True)
    chance = float(np.log((probabilities * near).sum(1)).sum())
    return bool(near[np.arange(len(actions)), actions].all()) and chance < math.log(FALSE_ALARM)


def oddest(obs, actions, probabilities) -> tuple:
    """(state, action, times in that state, times that action, expected times) where the count is
    furthest from what is expected, in standard deviations."""
    found = []
    for state in np.unique(obs).tolist():
        here = obs == state
        for action, p in enumerate(probabilities[here].T):
            hits, deviation = int((actions[here] == action).sum()), math.sqrt((p * (1 - p)).sum())
            apart = abs(hits - p.sum()) / max(deviation, 0.1)
            found.append((apart, state, action, int(here.sum()), hits, float(p.sum())))
    return max(found)[1:]


def sampling_problem(obs, actions, probabilities) -> Problem | None:
    """Whether the actions are draws from these probabilities, told by their frequencies."""
    if always_likeliest(actions, probabilities):
        return likeliest_actions(len(actions))
    if drawn_from(obs, actions, probabilities):
        return None
    state, action, n, hits, wanted = oddest(obs, actions, probabilities)
    words = _("action {action} in state {state}: {count} of {n} times")
    got = words.format(action=action, state=state, n=n, count=hits)
    about = _("about {k}").format(k=round(wanted))
    expected = words.format(action=action, state=state, n=n, count=about)
    even, twice = np.full_like(probabilities, 1 / probabilities.shape[1]), softmax(probabilities)
    likelier = log_likelihood(actions, twice) > log_likelihood(actions, even)
    if likelier and drawn_from(obs, actions, twice, DOUBT):
        hint = _("The policy is more even than it should be. Is softmax taken of probabilities?")
        return behaviour(expected, got, hint, "softmax-twice")
    if drawn_from(obs, actions, even, DOUBT):
        hint = _("Every action came equally often. Does theta play a part in the draw?")
        return behaviour(expected, got, hint, "policy-ignored")
    hint = _("Compare how often each action came with its probability in that very state.")
    return behaviour(expected, got, hint, "frequencies")


OTHER_SIZE = "size mismatch for "  # torch, of weights that a network of fixed sizes is to load


def raised(case, seen) -> Problem | None:
    """The student's function stopped with an error."""
    if "raised" not in seen:
        return None
    problem = named_error(error_problem(seen["raised"], case.shown), seen["raised"])
    hint = problem.hint or _(HINTS[problem.step])
    if OTHER_SIZE in problem.got:
        hint = _("The networks handed in may have other sizes. copy.deepcopy copies any network.")
    return replace(problem, hint=hint)


def played_on(log) -> Problem | None:
    """Steps after an episode's end."""
    if not log["late"]:
        return None
    if "terminated" in log["late"]:
        name, got = "past-terminated", _("a step after terminated was True")
    else:
        name, got = "past-truncated", _("a step after truncated was True")
    return behaviour(
        _("no step after the episode's end"),
        got,
        _("An episode ends in one of two ways. Look at both flags."),
        name,
    )


def one_seed(log) -> Problem | None:
    """The environment was seeded alike at each of at least three resets."""
    seeds = log["seeds"]
    if len(seeds) < 3 or seeds[0] is None or len(set(seeds)) > 1:
        return None
    got = _("reset(seed={seed}) every time").format(seed=seeds[0])
    return behaviour(
        _("a fresh episode every time"),
        got,
        _("With the same seed each time, chance repeats itself. Are your trajectories all alike?"),
        "same-seed",
    )


def foreign_chance(shown) -> Problem:
    """Two calls from the same state of rng played different episodes."""
    return Problem(
        step="behaviour",
        shown=shown,
        expected=_("the same episodes from the same state of rng"),
        got=_("other episodes"),
        hint=_("Let all chance come from rng."),
        mistake="foreign-chance",
    )


@remembered
def environment(record):
    """The environment of a case, built in the grader's own process."""
    import policy_gradients as pg

    return getattr(pg.envs, record.name)(**record.kwargs)


def exact_share(env, logits) -> float:
    """The exact objective of a softmax table (S, A) over the best one that such a table reaches."""
    from policy_gradients import exact

    return exact.objective(env, softmax(logits)) / exact.best_stationary(env)
