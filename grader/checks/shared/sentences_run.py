"""What a run that trains on sentences did: its steps, its sentences, its networks, where it led."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.checking import N_, Problem, _, behaviour, kind_text
from grader.checks.shared import tabular
from grader.checks.shared.replay import follow
from grader.checks.shared.run_slips import gradients_pile_up
from grader.checks.shared.sentences import language_of, model

KEPT_OLD = N_(
    "The old log-probabilities are those of the moment of sampling: frozen for all epochs."
)
UNCLIPPED = N_("Outside the band the gradient looks unclipped. Is it the clipped loss?")


@dataclass(frozen=True)
class SentenceRun:
    """An exercise whose updates learn from sentences that the policy writes.

    rows: case -> number of sentences of an update; epochs: how often each one is used where the
    call doesn't say; other_size(found, asked) -> whether a batch has a wrong number of sentences;
    size_hint: the msgid of what to do then.
    """

    rows: Callable
    epochs: int
    other_size: Callable
    size_hint: str

    def steps_per_update(self, case) -> int:
        """Optimiser steps."""
        given = case.inputs
        parts = math.ceil(self.rows(case) / given.get("minibatch_size", 64))
        return given.get("epochs", self.epochs) * parts

    def batches(self, case, seen) -> list:
        """For each update the rows sampled since the one before, (B, L)."""
        each = self.steps_per_update(case)
        found = [[] for _update in range(case.inputs["num_updates"])]
        for row in seen["samples"]:
            update = row["steps"] // each
            if row["steps"] % each == 0 and update < len(found):
                found[update].append(row["tokens"])
        return [np.concatenate(rows) if rows else np.zeros((0, 0)) for rows in found]

    def rule_steps(self, case, seen):
        """The optimiser's steps, each with a fresh gradient."""
        spy = seen["optimizers"]["optimizer"]
        wanted = self.steps_per_update(case) * case.inputs["num_updates"]
        words = _("{n} optimiser steps")
        expected, got = words.format(n=wanted), words.format(n=spy["steps"])
        if spy["steps"] == 0 or spy["empty"] == spy["steps"]:
            hint = _("zero_grad, backward, step: all three, in this order?")
            return behaviour(expected, words.format(n=0), hint, "no-step")
        if spy["leftover"]:
            return gradients_pile_up()
        if spy["steps"] == wanted:
            return None
        hint = _("One step for each minibatch, epochs times over the batch, in each update.")
        return behaviour(expected, got, hint, "steps-miscounted")

    def rule_samples(self, case, seen):
        """Fresh sentences for each update, written by the policy itself."""
        size, parts = self.rows(case), self.batches(case, seen)
        expected = _("{n} sentences sampled from the policy for each update").format(n=size)
        if not seen["samples"]:
            got = _("language.sample was never called")
            hint = _("Where do the sentences of a batch come from?")
            return behaviour(expected, got, hint, "not-sampled")
        if any(row["source"] in ("reference", "critic") for row in seen["samples"]):
            got = _("sentences sampled from the reference")
            hint = _("Whose sentences does the policy gradient average over?")
            return behaviour(expected, got, hint, "sampled-from-reference")
        if any(len(rows) == 0 for rows in parts):
            hint = _("After an update the policy writes other sentences. Sample again.")
            return behaviour(expected, _("none for some updates"), hint, "sampled-once")
        if any(self.other_size(len(rows), size) for rows in parts):
            got = _("{n} sentences").format(n=min(map(len, parts)))
            return behaviour(expected, got, _(self.size_hint), "batch-size")
        return None


def rule_dicts(case, seen):
    """A list of dicts, one for each update."""
    updates, value = case.inputs["num_updates"], seen["value"]
    problem = tabular.one_dict_each(value, updates)
    other = [] if problem else [one for one in value["items"] if one.get("kind") != "mapping"]
    if not other:
        return problem
    return Problem(
        step="kind",
        expected=_("a list of {n} dicts").format(n=updates),
        got=kind_text(other[0]),
        hint=_("One dict for each update."),
        mistake="history-items",
    )


def rule_modules(case, seen):
    """The networks learn in place; the reference never moves."""
    moved = {
        name: any(not np.array_equal(one["before"][n], one["after"][n]) for n in one["before"])
        for name, one in seen["modules"].items()
    }
    if moved["reference"]:
        return behaviour(
            _("a reference that stays as it was"),
            _("its weights changed"),
            _("Old moves with every rollout; the reference never does."),
            "reference-moved",
        )
    if not moved["policy"]:
        return behaviour(
            _("a policy trained in place"),
            _("the same weights"),
            _("Does a gradient reach the policy, and is it this one that was handed in?"),
            "policy-not-trained",
        )
    if not moved.get("critic", True):
        return behaviour(
            _("a critic trained beside the policy"),
            _("the same weights"),
            _("Is the critic's loss part of the loss?"),
            "critic-not-trained",
        )
    return None


def same_weights(one, other) -> Problem | None:
    """Two runs with equal generators end with equal weights, parameter name -> array."""
    if all(np.array_equal(one[name], other[name]) for name in one):
        return None
    return behaviour(
        _("the same weights from the same rng"),
        _("other weights"),
        _("All randomness comes from rng, but for the sampling of sentences."),
        "not-from-rng",
    )


def reached_problem(case, seen, mark, bound, drifted, missed) -> Problem | None:
    """The exact expected score against its mark, the exact drift from the reference against its
    bound. drifted, missed: hints."""
    import policy_gradients as pg

    policy = model(case.inputs["policy"], follow(case, seen, "policy").end)
    reference = case.inputs["reference"].materialize()
    reached = pg.language.exact(language_of(case), policy, reference)
    expected = _(
        "an exact expected score of at least {mark}, with an exact KL to the reference of "
        "at most {bound}"
    ).format(mark=mark, bound=bound)
    words = _("exact expected score {score}, exact KL to the reference {kl}")
    got = words.format(score=f"{reached.score:.2f}", kl=f"{reached.kl:.2f}")
    if not reached.kl <= bound:
        return behaviour(expected, got, drifted, "drifted")
    if not reached.score >= mark:
        return behaviour(expected, got, missed, "mark-missed")
    return None
