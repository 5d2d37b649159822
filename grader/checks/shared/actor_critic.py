"""What a training run with a tabular actor and critic did: tables, gradients of known forms."""

import numpy as np

from grader.checking import Problem, _
from grader.checks.shared import tabular
from grader.checks.shared.episodes import softmax
from grader.checks.shared.returns import rewards_to_go


def critic_tables(seen) -> np.ndarray:
    """(updates + 1, S): the critic's values before each update and after the last one."""
    before = seen["modules"]["critic"]["before"]["table"]
    after_each = seen["optimizers"]["optimizer"]["weights"]["critic"]["table"]
    return np.concatenate([before[None], after_each])


def descent(theta, batch, weights):
    return -tabular.weighted_scores(theta, batch, weights)


def of_probabilities(theta, batch, weights):
    """The descent where the probability stands in the loss: each score once more weighted by it."""
    pi = softmax(theta)
    chances = [pi[episode.states, episode.actions] for episode in batch]
    return descent(theta, batch, [w * p for w, p in zip(weights, chances, strict=True)])


def per_state(batch, weights, size) -> np.ndarray:
    """(S,): the weights of all steps, added up by state."""
    total = np.zeros(size)
    for episode, weight in zip(batch, weights, strict=True):
        np.add.at(total, episode.states, weight)
    return total


def taken_log_probs(theta, batch) -> list:
    return [np.log(softmax(theta)[e.states, e.actions]) for e in batch]


def rule_discounted_history(case, seen):
    """The usual slip of the history: discounted returns."""
    found, gamma = tabular.numbers(seen["value"]), case.inputs["gamma"]
    batches = tabular.batches(case, seen)
    wrong = [np.mean([rewards_to_go(e.rewards, gamma)[0] for e in batch]) for batch in batches]
    if found is None or gamma == 1 or found.shape != np.shape(wrong):
        return None
    if not np.allclose(found, wrong, rtol=1e-4, atol=1e-4):
        return None
    expected, got = _("mean returns as they were earned"), _("discounted ones")
    hint = _("gamma serves the learning; the history shows what was earned.")
    return Problem("value", "", expected, got, hint, "history-discounted")
