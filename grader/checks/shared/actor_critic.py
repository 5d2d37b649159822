"""What a training run with a tabular actor and critic did: tables, gradients of known forms."""

from dataclasses import dataclass

import numpy as np

from grader.checking import N_, Problem, _, behaviour, wrong_gradient
from grader.checks.shared import tabular
from grader.checks.shared.episodes import softmax
from grader.checks.shared.replay import best_led, cosine, cosine_beside, elsewhere, follow
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.run_slips import critic_elsewhere
from grader.checks.shared.tabular import parallel
from grader.probes.train import Module


def critic_tables(case, seen) -> np.ndarray:
    """(updates + 1, S): the critic's values before each update and after the last one."""
    return follow(case, seen, "critic").moments


@dataclass(frozen=True)
class Update:
    """One optimiser step: the gradients that it used, (S, A) and (S,), and from before it the
    logits (S, A), the values (S,) and the episodes that were played."""

    actor: np.ndarray
    critic: np.ndarray
    theta: np.ndarray
    values: np.ndarray
    batch: list


def updates(case, seen) -> list[Update]:
    """All of a run."""
    actor, critic = follow(case, seen, "policy"), follow(case, seen, "critic")
    columns = (
        actor.named(actor.grads)["theta"],
        critic.grads,
        tabular.tables(case, seen),
        critic_tables(case, seen),
        tabular.batches(case, seen),
    )
    return [Update(*row) for row in zip(*columns, strict=False)]


def networks(theta, values) -> dict:
    """A call's policy with these logits (S, A), and its critic with these values (S,)."""
    critic = Module("TabularCritic", {"num_states": len(values)}, {"table": values})
    return {"policy": tabular.table_policy(theta), "critic": critic}


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


def of_actor(update, weights):
    """(the policy's gradient that was used, the one of these weights, (T,) for each episode)."""
    return update.actor, descent(update.theta, update.batch, weights)


def of_probability(update, weights):
    """The same where the loss holds probabilities, not their logarithms."""
    return update.actor, of_probabilities(update.theta, update.batch, weights)


def of_critic(update, errors):
    """(the critic's gradient that was used, the one of these errors, (T,) for each episode)."""
    return update.critic, per_state(update.batch, errors, len(update.values))


def explained(every, wrongs, gradients, *numbers):
    """The first WrongForm whose weights, form(update, *numbers), explain all updates' gradients."""
    for wrong in wrongs:
        if all(parallel(*gradients(u, wrong.form(u, *numbers))) for u in every):
            return wrong
    return None


CRITIC_UPHILL = N_("The critic's error grows. A loss is minimised.")
ON_REWARDS = N_("The critic learns single rewards. A value is what is still to come, all of it.")
ON_ADVANTAGE = N_("A target is a return, not an advantage.")
CRITIC_UNUSED = N_("The actor is weighted by the return alone. What is the critic there for?")
VALUE_WEIGHS = N_("The value alone says how good the state is, not how good the action was.")


def critic_stays(every, expected) -> Problem | None:
    """No update moves the critic."""
    if any(np.any(update.critic) for update in every):
        return None
    hint = _("No gradient reaches the critic. Does the loss hold its error?")
    return behaviour(expected, _("they stay"), hint, "critic-untrained")


def policy_moves_critic(every, errors, expected) -> Problem | None:
    """The critic's gradients are a sum of its own errors' and of the policy term's. errors: for
    each update (T,) for each episode."""
    for update, own in zip(every, errors, strict=True):
        leaked = of_critic(update, taken_log_probs(update.theta, update.batch))[1]
        both = np.stack([of_critic(update, own)[1], leaked], axis=1)
        share = np.linalg.lstsq(both, update.critic, rcond=None)[0]
        room = 1e-5 * np.abs(update.critic).max()
        if not (np.allclose(both @ share, update.critic, atol=room) and share[1] > 0):
            return None
    hint = _("The advantage is a number: the policy's term must not move the critic.")
    got = _("the policy's term moves them as well")
    return wrong_gradient(expected, got, hint, "policy-moves-critic")


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
        found = [_cosines(update, *given) for update in updates(case, seen)]
        return _actor_led(actor, [one for one, _other in found]) or _critic_led(
            critic, [other for _one, other in found]
        )

    return rule


def _cosines(update, last_of, gamma, lams):
    """Of one update: the cosines with each right policy gradient, and each right critic's."""
    actor, critic, values = [], [], update.values
    lasts = [last_of(episode, values) for episode in update.batch]
    for lam in lams:
        pairs = zip(update.batch, lasts, strict=True)
        adv = [advantages(episode, values, last, gamma, lam) for episode, last in pairs]
        ways = tabular.in_means(update.theta, update.batch, adv)
        actor += [cosine_beside(update.actor, *pair) for pair in ways]
        for errors in (adv, [np.clip(one, -1, 1) for one in adv]):
            for form in (errors, [one / len(one) for one in errors]):
                critic.append(cosine(update.critic, -per_state(update.batch, form, len(values))))
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
        return wrong_gradient(expected, _("another direction"), _(CRITIC_UPHILL), "critic-uphill")
    hint = _("Is the critic's error that of the batch just played, at every update?")
    return critic_elsewhere(hint)


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
