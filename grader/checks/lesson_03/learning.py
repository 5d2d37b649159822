"""Check of train_actor_critic: what spies saw, and the exact objective of the weights."""

import numpy as np

from grader.checking import RuleExercise, _, wrong_gradient
from grader.checks.shared import tabular
from grader.checks.shared.actor_critic import (
    CRITIC_UNUSED,
    CRITIC_UPHILL,
    ON_ADVANTAGE,
    ON_REWARDS,
    VALUE_WEIGHS,
    critic_stays,
    direction_rule,
    explained,
    networks,
    of_actor,
    of_critic,
    of_probability,
    policy_moves_critic,
    rule_discounted_history,
    updates,
)
from grader.checks.shared.convention import which_mean
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.tabular import WrongForm, parallel, training_env

UPDATES, BATCH = 30, 16
LOOKS = 4  # updates whose gradients are looked at


def train_case(env, weights, num_updates, batch_size, gamma, seed):
    numbers = {"num_updates": num_updates, "batch_size": batch_size, "gamma": gamma}
    return tabular.train_case("train_actor_critic", env, networks(*weights), numbers, seed)


def train_actor_critic_cases(rng):
    """Two equal short runs from crooked weights, the same with another generator, and one with half
    of train_reinforce's episodes that must reach its mark."""
    env, seed = training_env(rng), int(rng.integers(10**6))
    crooked = rng.normal(size=(9, 4)).astype(np.float32) * 0.5
    values = (rng.normal(size=9) * 3).astype(np.float32)
    plain = np.zeros((9, 4), np.float32), np.zeros(9, np.float32)
    updates, size = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    gamma = float(rng.uniform(0.6, 0.9))
    return [
        train_case(env, (crooked, values), updates, size, gamma, seed),
        train_case(env, (crooked, values), updates, size, gamma, seed),
        train_case(env, (crooked, values), updates, size, gamma, seed + 2),
        train_case(env, plain, UPDATES, BATCH, 1.0, seed + 1),
    ]


def to_go(episode, values, gamma):
    return rewards_to_go(episode.rewards, gamma)


def surprise(episode, values, gamma):
    return to_go(episode, values, gamma) - values[episode.states]


def whole_surprise(episode, values, gamma):
    return to_go(episode, values, gamma)[0] - values[episode.states]


def added(episode, values, gamma):
    return to_go(episode, values, gamma) + values[episode.states]


def reward_surprise(episode, values, gamma):
    return episode.rewards - values[episode.states]


def value_alone(episode, values, gamma):
    return values[episode.states]


def backwards(episode, values, gamma):
    return -surprise(episode, values, gamma)


def undiscounted(episode, values, gamma):
    return surprise(episode, values, 1.0)


def leaking(update, gamma):
    """Reward-to-go over the whole batch, as if it were one long episode."""
    together = rewards_to_go(np.concatenate([e.rewards for e in update.batch]), gamma)
    cuts = np.cumsum([len(e.rewards) for e in update.batch])[:-1]
    parts = zip(np.split(together, cuts), update.batch, strict=True)
    return [g - update.values[e.states] for g, e in parts]


def each(weigh):
    """A form of weights: for each episode of an update weigh(episode, values, gamma) -> (T,)."""
    return lambda update, gamma: [weigh(e, update.values, gamma) for e in update.batch]


right = each(surprise)
WRONG_WEIGHTS = (
    WrongForm("minus-sign", tabular.UPHILL, each(backwards)),
    WrongForm("actor-ignores-critic", CRITIC_UNUSED, each(to_go)),
    WrongForm("baseline-added", "Better than expected is return minus expectation.", each(added)),
    WrongForm(
        "whole-return",
        "Every step gets the whole return. Which rewards can the action at step t change?",
        each(whole_surprise),
    ),
    WrongForm("own-reward-only", tabular.OWN_REWARD, each(reward_surprise)),
    WrongForm("gamma-ignored", "gamma plays no part in the returns.", each(undiscounted)),
    WrongForm(
        "returns-leak",
        "Returns leak from one episode into the one before. Reset where an episode ends.",
        leaking,
    ),
    WrongForm("value-as-weight", VALUE_WEIGHS, each(value_alone)),
)


def rule_actor(case, seen):
    """Names a wrong policy gradient; one of an unknown form passes, its effect is what counts."""
    gamma, every = case.inputs["gamma"], updates(case, seen)[:LOOKS]
    if any(parallel(*of_actor(update, right(update, gamma))) for update in every):
        return None
    not_log = WrongForm("probability-not-log", tabular.NOT_LOG, right)
    wrong = explained(every, WRONG_WEIGHTS, of_actor, gamma) or explained(
        every, [not_log], of_probability, gamma
    )
    expected = _("log-probabilities weighted by how much better than expected it went")
    return wrong and wrong_gradient(expected, _("other weights"), _(wrong.hint), wrong.mistake)


WRONG_TARGETS = (
    WrongForm("critic-uphill", CRITIC_UPHILL, each(surprise)),
    WrongForm("critic-on-rewards", ON_REWARDS, each(lambda e, v, g: v[e.states] - e.rewards)),
    WrongForm(
        "critic-on-whole-return",
        "The critic learns the whole episode's return at every step. What is still to come there?",
        each(lambda e, v, g: v[e.states] - to_go(e, v, g)[0]),
    ),
    WrongForm(
        "critic-on-advantage", ON_ADVANTAGE, each(lambda e, v, g: v[e.states] - surprise(e, v, g))
    ),
)


def rule_critic(case, seen):
    """The critic is trained, and by its own error alone."""
    gamma, every = case.inputs["gamma"], updates(case, seen)[:LOOKS]
    expected = _("the critic's values move towards the returns")
    if problem := critic_stays(every, expected):
        return problem
    errors = [each(backwards)(update, gamma) for update in every]
    if any(parallel(*of_critic(*pair)) for pair in zip(every, errors, strict=True)):
        return None
    if problem := policy_moves_critic(every, errors, expected):
        return problem
    wrong = explained(every, WRONG_TARGETS, of_critic, gamma)
    return wrong and wrong_gradient(expected, _("another direction"), _(wrong.hint), wrong.mistake)


def remark(cases, seen) -> str:
    """Which mean the loss takes, told to whoever is right."""
    gamma, every = cases[0].inputs["gamma"], updates(cases[0], seen[0])[:LOOKS]
    forms = [of_actor(update, right(update, gamma))[1] for update in every]
    return which_mean([u.actor for u in every], forms, [u.batch for u in every])


# One-step errors of a critic that knows nothing yet end a run in ten below the mark.
LED = direction_rule(lambda case: lambda episode, values: 0.0)
TRAIN_ACTOR_CRITIC = RuleExercise(
    "train_actor_critic",
    "train",
    train_actor_critic_cases,
    rules=(
        *tabular.RULES,
        rule_actor,
        rule_critic,
        rule_discounted_history,
        tabular.rule_history,
        tabular.mark_rule(0.9, LED),
        LED,
    ),
    overall=(tabular.same_draws, tabular.other_draws),
    short_cases=3,
    seconds=30.0,
    prerequisites=("value_loss", "actor_critic_loss"),
    remark=remark,
)
