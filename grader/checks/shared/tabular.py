"""Rules for training exercises with a tabular policy: what a spy's report says about a run.

Each is a function (case, seen) -> Problem | None over what the probe "train" reports, for the
inputs ``env``, ``policy``, ``optimizer``, ``num_updates`` and ``batch_size``; they build on one
another and belong in the order of RULES. ``gradient_rule`` and ``mark_rule`` are made to measure.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from grader.checking import Case, Env, Rng, behaviour, close, wrong_gradient
from grader.checking.kinds import kind_text, none_hint
from grader.checking.remembering import remembered
from grader.checking.verdict import Problem
from grader.checks.shared.episodes import (
    DOUBT,
    drawn_from,
    environment,
    episodes,
    exact_share,
    foreign_chance,
    one_seed,
    played_on,
    raised,
    sampling_problem,
    softmax,
)
from grader.checks.shared.replay import (
    cosine_beside,
    elsewhere,
    first_led,
    follow,
    moved_by_steps,
)
from grader.checks.shared.run_slips import episodes_unreal
from grader.checks.shared.sampling import bent_problem
from grader.i18n import N_, _
from grader.probes.train import Module, Optimizer

MOMENTS = "before", "after"
LONG = 20  # updates of a run that is judged by where it leads


def env_text(env):
    """As one would type it, less the tables."""
    plain = {k: v for k, v in env.kwargs.items() if not isinstance(v, np.ndarray)}
    shown = [f"{name}={value}" for name, value in plain.items()]
    tables = ["..."] if len(plain) < len(env.kwargs) else []
    return f"pg.envs.{env.name}({', '.join(tables + shown)})"


def training_env(rng):
    """A small grid whose first cell, goal, pit and action names are drawn."""
    cells = [(row, column) for row in range(3) for column in range(3)]
    while True:
        first, goal, pit = (cells[i] for i in rng.permutation(len(cells))[:3])
        far = abs(first[0] - goal[0]) + abs(first[1] - goal[1])
        if far >= 3:
            break
    return Env(
        "Grid",
        {
            "size": 3,
            "goal": list(goal),
            "first": list(first),
            "pits": [list(pit)],
            "max_steps": 12,
            "action_order": rng.permutation(4).tolist(),
        },
    )


def table_policy(theta) -> Module:
    """A policy with these logits (S, A)."""
    sizes = {"num_states": theta.shape[0], "num_actions": theta.shape[1]}
    return Module("TabularPolicy", sizes, {"theta": theta})


def train_case(name, env, networks, numbers, seed) -> Case:
    """A call of the exercise ``name``. networks: those that learn, by the names of their inputs;
    numbers: num_updates, batch_size and what else it is asked for."""
    optimizer = Optimizer("Adam", [*networks], {"lr": 0.1})
    named = [f"{number}={value}" for number, value in numbers.items()]
    words = ", ".join(["env", *networks, "optimizer", *named, "rng"])
    return Case(
        {"env": env, **networks, "optimizer": optimizer, **numbers, "rng": Rng(seed)},
        shown=f"{name}({words}), env = {env_text(env)}",
    )


@remembered
def tables(case, seen) -> np.ndarray:
    """(updates + 1, S, A): the policy's logits before each update and after the last one, as the
    optimiser's steps make them."""
    path = follow(case, seen, "policy")
    return path.named(path.moments)["theta"]


@remembered
def batches(case, seen) -> list:
    """For each update the episodes played since the one before."""
    found = [[] for _update in range(case.inputs["num_updates"])]
    for episode in episodes(seen["envs"]["env"]):
        if 0 <= episode.update < len(found):
            found[episode.update].append(episode)
    return found


def rule_environment(case, seen):
    """The student's steps stay inside episodes, and chance isn't switched off."""
    log = seen["envs"]["env"]
    return played_on(log) or one_seed(log)


def rule_steps(case, seen):
    """One optimiser step an update, each with a gradient of its own batch."""
    spy, wanted = seen["optimizers"]["optimizer"], case.inputs["num_updates"]
    expected = _("{n} optimiser steps, one for each update").format(n=wanted)
    got = _("{n} optimiser steps").format(n=spy["steps"])
    if spy["steps"] == 0:
        hint = _("Who moves the weights?")
        if not np.array_equal(*(seen["modules"]["policy"][when]["theta"] for when in MOMENTS)):
            hint = _("The weights moved, but not by the optimizer that was handed in.")
        return behaviour(expected, got, hint, "no-step")
    if spy["steps"] != wanted:
        per_episode = spy["steps"] == wanted * case.inputs["batch_size"]
        name = "step-per-episode" if per_episode else "steps-miscounted"
        hint = _("An update uses the whole batch for one step.")
        if not per_episode:
            hint = _("num_updates says how many updates there are; each takes one step.")
        return behaviour(expected, got, hint, name)
    if spy["empty"] == spy["steps"]:
        got = _("no gradient at any step")
        hint = _(
            "Either no backward pass came before the step, or its gradient was erased, or the "
            "loss is cut off from the policy."
        )
        return behaviour(_("a gradient at each step"), got, hint, "no-gradient")
    if spy["leftover"]:
        got = _("old gradients still there at {n} of {steps} steps")
        return behaviour(
            _("each step uses its own batch's gradient alone"),
            got.format(n=spy["leftover"], steps=spy["steps"]),
            _("backward() adds to what is there. What empties it?"),
            "gradients-pile-up",
        )
    return None


def rule_moved(case, seen):
    """The weights are those that the optimiser's steps lead to."""
    names = [name for name in ("policy", "critic") if name in seen["modules"]]
    found = (
        moved_by_steps(follow(case, seen, name), seen["modules"][name]["after"]) for name in names
    )
    return next((problem for problem in found if problem), None)


def rule_real(case, seen):
    """What was played is what the environment does. It is played again here: its worlds leave
    nothing to chance but the actions."""
    env, played = environment(case.inputs["env"]), episodes(seen["envs"]["env"])
    if _played_by(env, played):
        return None
    return episodes_unreal()


def _played_by(env, played):
    """Whether the episodes, all in one row, are what the actions lead to."""
    if not played:
        return True
    states, actions, rewards = (
        np.concatenate([getattr(one, name) for one in played])
        for name in ("states", "actions", "rewards")
    )
    lengths = np.array([len(one.states) for one in played])
    last = np.cumsum(lengths) - 1
    after = env.transitions.argmax(-1)[states, actions]
    under_way = np.delete(np.arange(len(states)), last)
    ended = np.where(lengths == env.max_steps, "truncated", "")
    ended = np.where(env.terminal[after[last]], "terminated", ended)
    return (
        (env.start[states[last - lengths + 1]] > 0).all()
        and np.array_equal(states[under_way + 1], after[under_way])
        and not env.terminal[after[under_way]].any()
        and lengths.max() <= env.max_steps
        and close(rewards, env.rewards[states, actions, after]).all()
        and ended.tolist() == [one.ended for one in played]
    )


def rule_episodes(case, seen):
    """Each update plays its own batch, every episode to its end."""
    played = batches(case, seen)
    size, total = case.inputs["batch_size"], sum(map(len, played))
    expected = _("{size} episodes for each of {n} updates").format(size=size, n=len(played))
    if any(not episode.ended for batch in played for episode in batch):
        hint = _("Play until the environment says that the episode is over.")
        return behaviour(expected, _("an episode broken off"), hint, "stops-early")
    if all(len(batch) == size for batch in played):
        return None
    if len(played) > 1 and played[0] and total == len(played[0]):
        return behaviour(
            expected,
            _("all episodes before the first update"),
            _(
                "The expectation runs over the policy's own samples. Whose samples are "
                "these after the first step?"
            ),
            "batch-reused",
        )
    counts = ", ".join(str(len(batch)) for batch in played[:4])
    got = _("{total} episodes; by update {counts}, ...").format(total=total, counts=counts)
    hint = _("Count the episodes that one update plays: batch_size says how many there are.")
    return behaviour(expected, got, hint, "batch-size")


def rule_sampling(case, seen):
    """The actions are draws from the policy as it was at that moment."""
    log, logits = seen["envs"]["env"], tables(case, seen)
    update = np.minimum(log["update"], len(logits) - 1)
    actual = softmax(logits[update, log["obs"]])
    problem = sampling_problem(log["obs"], log["actions"], actual)
    if problem is None:
        return bent_problem(log["actions"], actual)
    if problem.mistake == "argmax":
        return problem
    first = softmax(logits[np.zeros_like(update), log["obs"]])
    if drawn_from(log["obs"], log["actions"], first, DOUBT):
        hint = _(
            "The episodes come from the policy as it was at the start. Look where its table "
            "is read."
        )
        return behaviour(problem.expected, problem.got, hint, "stale-policy")
    return problem


def rule_history(case, seen):
    """The mean return of each batch, in order."""
    wanted = np.array([np.mean([e.total for e in batch]) for batch in batches(case, seen)])
    expected = _("the mean return of each batch, {n} numbers").format(n=len(wanted))
    found = numbers(seen["value"])
    if found is None:
        got, hint = kind_text(seen["value"]), none_hint(seen["value"])
        return Problem(
            step="kind", expected=expected, got=got, hint=hint, mistake="history-missing"
        )
    if found.shape != wanted.shape:
        got = _("shape {shape}").format(shape=found.shape)
        hint = _("One number for each update: the mean over its batch.")
        return Problem(step="shape", expected=expected, got=got, hint=hint, mistake="history-shape")
    if close(found, wanted).all():
        return None
    hint = _(
        "Each number is the mean of one batch's returns: every episode of it, all its rewards, "
        "undiscounted. A loss isn't a return."
    )
    if close(found, wanted * case.inputs["batch_size"]).all():
        hint = _("Sum and mean confused?")
    shown = "{:.4g}, {:.4g}, ..."
    expected, got = f"{expected}: {shown.format(*wanted[:2])}", shown.format(*found[:2])
    return Problem(step="value", expected=expected, got=got, hint=hint, mistake="history")


def one_dict_each(value, updates) -> Problem | None:
    """Whether a history, as observed, is a list of as many entries as there were updates."""
    words = _("a list of {n} dicts").format(n=updates)
    if value.get("kind") not in ("list", "tuple"):
        hint = _("Keep one dict for each update, and return the list.")
        return Problem(
            step="kind", expected=words, got=kind_text(value), hint=hint, mistake="no-history"
        )
    if value["length"] != updates:
        hint = _("One dict for each update.")
        return Problem(
            step="shape", expected=words, got=kind_text(value), hint=hint, mistake="history-length"
        )
    return None


def numbers(observed) -> np.ndarray | None:
    """An observed array, tensor, or list of numbers as a float array; None for anything else."""
    if observed.get("kind") in ("array", "tensor"):
        return np.asarray(observed["array"], float)
    if observed.get("kind") not in ("list", "tuple"):
        return None
    parts = [item.get("value", item.get("array")) for item in observed["items"]]
    if any(np.ndim(part) or not isinstance(part, (int, float, np.ndarray)) for part in parts):
        return None
    return np.array(parts, dtype=float)


def rule_raised(case, seen):
    """No error; the one that a cut graph raises has a name."""
    problem = raised(case, seen)
    if problem and "does not require grad" in seen["raised"].get("message", ""):
        hint = _("Where was the graph cut? Look for item(), detach(), numpy() or no_grad.")
        return replace(problem, hint=hint, mistake="detached")
    return problem


RULES = (
    rule_environment,
    rule_raised,
    rule_steps,
    rule_moved,
    rule_real,
    rule_episodes,
    rule_sampling,
)


def same_draws(cases, seen):
    """The first two cases are the same call: equal generators and weights give equal episodes."""
    one, other = (report["envs"]["env"]["actions"] for report in seen[:2])
    return None if np.array_equal(one, other) else foreign_chance(cases[0].shown)


def other_draws(cases, seen):
    """The third case is the first one from another state of the generator."""
    one, other = (seen[at]["envs"]["env"]["actions"] for at in (0, 2))
    if not np.array_equal(one, other):
        return None
    return Problem(
        step="behaviour",
        shown=cases[2].shown,
        expected=_("other episodes from another state of rng"),
        got=_("the same episodes"),
        hint=_("Let all chance come from rng."),
        mistake="rng-ignored",
    )


def mark_rule(share: float, led: Callable | None = None):
    """The trained weights reach this share of the best reachable exact objective. led: the rule of
    the steps, for losses that are right and yet miss the mark now and then: where each step is
    right, that was bad luck.
    """

    def rule(case, seen):
        env = environment(case.inputs["env"])
        # A short run shows how the function works, not what it reaches.
        if case.inputs["num_updates"] < LONG:
            return None
        reached = exact_share(env, tables(case, seen)[-1])
        if reached >= share or (led and led(case, seen) is None):
            return None
        words = _("{percent:.0f}% of the best reachable exact objective")
        hint = _("What does each log-probability have to be multiplied with?")
        expected = _("at least {text}").format(text=words.format(percent=100 * share))
        got = words.format(percent=100 * reached)
        return behaviour(expected, got, hint, "mark-missed")

    return rule


LED = 0.985  # right answers reach 0.99; the cross-entropy method 0.94, other episodes 0.6


def direction_rule(ways):
    """The way was led by gradients that point where the right estimates on the batches point.

    ways: (theta (S, A), batch) -> pairs of descent directions (right, free), each (S, A): a right
    estimate, and what may be added to it any number of times, a baseline's part.
    """

    def rule(case, seen):
        if case.inputs["num_updates"] < LONG:
            return None
        path = follow(case, seen, "policy")
        used = path.named(path.grads)["theta"]
        given = zip(tables(case, seen), batches(case, seen), strict=False)
        pairs = zip(*(ways(theta, batch) for theta, batch in given), strict=True)
        found = (list(map(cosine_beside, used, *zip(*of_steps, strict=True))) for of_steps in pairs)
        if first_led(path, found, LED) >= LED:
            return None
        expected = _("steps along the gradients that each batch's own episodes estimate")
        hint = _("Does each step use the log-probabilities and returns of the batch just played?")
        return elsewhere(expected, hint)

    return rule


def in_means(theta, batch, weights):
    """Pairs (direction of the weights, direction of a constant baseline), for the mean over all
    steps and the mean over each episode's own."""
    for share in (np.ones, lambda size: np.full(size, 1 / size)):
        shares = [share(len(w)) for w in weights]
        scaled = [w * one for w, one in zip(weights, shares, strict=True)]
        yield -weighted_scores(theta, batch, scaled), -weighted_scores(theta, batch, shares)


class WrongForm(NamedTuple):
    """A usual mistake in a gradient: its name, its hint (a msgid), and the form that it has."""

    mistake: str
    hint: str
    form: Callable


UPHILL = N_("The steps go downhill on J. Optimisers descend.")
NOT_LOG = N_("The gradient is that of probabilities. Where did the 1/pi go?")
OWN_REWARD = N_("Each step is weighted by its own reward. Which step earned the goal?")


def gradient_rule(right, wrongs):
    """Names a wrong gradient: the one that each step used is a positive multiple of a wrong form,
    and not of a right one. Unknown forms pass, since what counts is where they lead.

    right: forms (theta (S, A), batch) -> (S, A), a descent direction, up to scale;
    wrongs: WrongForms of the same arguments.
    """

    def rule(case, seen):
        used = seen["optimizers"]["optimizer"]["grads"]["policy"]["theta"]
        every = list(zip(used, tables(case, seen), batches(case, seen), strict=False))[:4]
        if any(parallel(g, form(theta, batch)) for form in right for g, theta, batch in every):
            return None
        for wrong in wrongs:
            if all(parallel(g, wrong.form(theta, batch)) for g, theta, batch in every):
                expected = _("minus the estimated gradient of the expected return")
                got = _("another direction")
                return wrong_gradient(expected, got, _(wrong.hint), wrong.mistake)
        return None

    return rule


def parallel(one, other) -> bool:
    """Whether one is a positive multiple of the other, up to single precision."""
    one, other = np.ravel(one).astype(float), np.ravel(other).astype(float)
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return lengths > 0 and one @ other / lengths > 1 - 1e-6


def weighted_scores(theta, batch, weights, of_log=True) -> np.ndarray:
    """(S, A): sum over a batch's steps of weight times the gradient of log pi (or of pi)."""
    probabilities, total = softmax(theta), np.zeros(np.shape(theta))
    states = np.concatenate([episode.states for episode in batch])
    actions = np.concatenate([episode.actions for episode in batch])
    weights = np.concatenate(weights).astype(float)
    if not of_log:
        weights = weights * probabilities[states, actions]
    np.add.at(total, (states, actions), weights)
    return total - probabilities * total.sum(1, keepdims=True)
