"""What a training run with a tabular actor and critic did: tables, gradients of known forms."""

import numpy as np

from grader.checking import Problem, _
from grader.checks.shared import tabular
from grader.checks.shared.episodes import softmax
from grader.checks.shared.replay import best_led, cosine, cosine_beside, elsewhere, follow
from grader.checks.shared.returns import rewards_to_go


def critic_tables(case, seen) -> np.ndarray:
    """(updates + 1, S): the critic's values before each update and after the last one."""
    return follow(case, seen, "critic").moments


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


LAMS = (1.0, 0.95, 0.9, 0.5, 0.0)
CRITIC_LED = 0.7  # right targets reach 0.9 and more, random gradients 0.3, climbing ones below 0


def advantages(episode, values, last, gamma, lam):
    """(T,): generalised advantages; last: the value of what followed the last step."""
    known = np.append(values[episode.states], last)
    errors = np.asarray(episode.rewards) + gamma * known[1:] - known[:-1]
    return rewards_to_go(errors, gamma * lam)


def direction_rule(last_of, lams=LAMS):
    """Both ways were led by the right estimates on the batches played: the policy's by advantages,
    the critic's by its own error.

    last_of: case -> function (episode, values) -> value of what followed its last step.
    """

    def rule(case, seen):
        if case.inputs["num_updates"] < tabular.LONG:
            return None
        given = last_of(case), case.inputs["gamma"], lams
        actor, critic = follow(case, seen, "policy"), follow(case, seen, "critic")
        rows = zip(
            actor.named(actor.grads)["theta"],
            critic.grads,
            tabular.tables(case, seen),
            critic_tables(case, seen),
            tabular.batches(case, seen),
            strict=False,
        )
        found = [_cosines(*row, *given) for row in rows]
        return _actor_led(actor, [one for one, _other in found]) or _critic_led(
            critic, [other for _one, other in found]
        )

    return rule


def _cosines(used, moved, theta, values, batch, last_of, gamma, lams):
    """Of one update: the cosines with each right policy gradient, and each right critic's."""
    actor, critic = [], []
    lasts = [last_of(episode, values) for episode in batch]
    for lam in lams:
        pairs = zip(batch, lasts, strict=True)
        adv = [advantages(episode, values, last, gamma, lam) for episode, last in pairs]
        actor += [cosine_beside(used, *pair) for pair in tabular.in_means(theta, batch, adv)]
        for errors in (adv, [np.clip(one, -1, 1) for one in adv]):
            for form in (errors, [one / len(one) for one in errors]):
                critic.append(cosine(moved, -per_state(batch, form, len(values))))
    return actor, critic


def _actor_led(path, found):
    if best_led(path, found) >= tabular.LED:
        return None
    expected = _("steps along the gradients that each batch's own episodes estimate")
    hint = _("Does each step use the log-probabilities and advantages of the batch just played?")
    return elsewhere(expected, hint)


def _critic_led(path, found):
    reached = best_led(path, found)
    if reached >= CRITIC_LED:
        return None
    expected = _("the critic's values move towards the returns")
    if reached < 0:
        hint = _("The critic's error grows. A loss is minimised.")
        return Problem(
            step="gradient",
            expected=expected,
            got=_("another direction"),
            hint=hint,
            mistake="critic-uphill",
        )
    hint = _("Is the critic's error that of the batch just played, at every update?")
    return Problem(
        step="gradient",
        expected=expected,
        got=_("another direction"),
        hint=hint,
        mistake="critic-elsewhere",
    )


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
    return Problem(
        step="value", expected=expected, got=got, hint=hint, mistake="history-discounted"
    )
