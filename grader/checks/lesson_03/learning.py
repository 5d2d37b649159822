"""Check of train_actor_critic: what spies saw, and the exact objective of the weights."""

import numpy as np

from grader.checking import N_, Case, Problem, Rng, RuleExercise, _
from grader.checks.shared import tabular
from grader.checks.shared.actor_critic import (
    critic_tables,
    descent,
    direction_rule,
    of_probabilities,
    per_state,
    rule_discounted_history,
    taken_log_probs,
)
from grader.checks.shared.convention import which_mean
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.tabular import env_text, parallel, training_env
from grader.probes.train import Module, Optimizer

UPDATES, BATCH = 60, 16


def train_case(env, weights, num_updates, batch_size, gamma, seed):
    theta, table = weights
    shown = _(
        "train_actor_critic(env, policy, critic, optimizer, num_updates={updates}, "
        "batch_size={size}, gamma={gamma}, rng), env = {env}"
    ).format(updates=num_updates, size=batch_size, gamma=gamma, env=env_text(env))
    sizes = {"num_states": theta.shape[0], "num_actions": theta.shape[1]}
    critic = {"num_states": len(table)}
    return Case(
        {
            "env": env,
            "policy": Module("TabularPolicy", sizes, {"theta": theta}),
            "critic": Module("TabularCritic", critic, {"table": table}),
            "optimizer": Optimizer("Adam", ["policy", "critic"], {"lr": 0.1}),
            "num_updates": num_updates,
            "batch_size": batch_size,
            "gamma": gamma,
            "rng": Rng(seed),
        },
        shown=shown,
    )


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


def updates(case, seen):
    """(policy's gradient, critic's gradient, theta, values, batch) of the first few updates."""
    grads = seen["optimizers"]["optimizer"]["grads"]
    rows = zip(
        grads["policy"]["theta"],
        grads["critic"]["table"],
        tabular.tables(case, seen),
        critic_tables(case, seen),
        tabular.batches(case, seen),
        strict=False,
    )
    return list(rows)[:4]


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


def leaking(batch, values, gamma):
    """Reward-to-go over the whole batch, as if it were one long episode."""
    together = rewards_to_go(np.concatenate([e.rewards for e in batch]), gamma)
    cuts = np.cumsum([len(e.rewards) for e in batch])[:-1]
    parts = np.split(together, cuts)
    return [g - values[e.states] for g, e in zip(parts, batch, strict=True)]


def each(weigh):
    return lambda batch, values, gamma: [weigh(episode, values, gamma) for episode in batch]


WRONG_WEIGHTS = {
    "minus-sign": (N_("The steps go downhill on J. Optimisers descend."), each(backwards)),
    "actor-ignores-critic": (
        N_("The actor is weighted by the return alone. What is the critic there for?"),
        each(to_go),
    ),
    "baseline-added": (N_("Better than expected is return minus expectation."), each(added)),
    "whole-return": (
        N_("Every step gets the whole return. Which rewards can the action at step t change?"),
        each(whole_surprise),
    ),
    "own-reward-only": (
        N_("Each step is weighted by its own reward. Which step earned the goal?"),
        each(reward_surprise),
    ),
    "gamma-ignored": (N_("gamma plays no part in the returns."), each(undiscounted)),
    "returns-leak": (
        N_("Returns leak from one episode into the one before. Reset where an episode ends."),
        leaking,
    ),
    "value-as-weight": (
        N_("The value alone says how good the state is, not how good the action was."),
        each(value_alone),
    ),
}


def rule_actor(case, seen):
    """Names a wrong policy gradient; one of an unknown form passes, its effect is what counts."""
    gamma, every = case.inputs["gamma"], updates(case, seen)
    for used, _critic, theta, values, batch in every:
        if parallel(used, descent(theta, batch, each(surprise)(batch, values, gamma))):
            return None
    expected = _("log-probabilities weighted by how much better than expected it went")
    for name, (hint, weigh) in WRONG_WEIGHTS.items():
        if all(parallel(g, descent(th, b, weigh(b, v, gamma))) for g, _c, th, v, b in every):
            return Problem("gradient", "", expected, _("other weights"), _(hint), name)
    forms = ((g, of_probabilities(th, b, each(surprise)(b, v, gamma))) for g, _c, th, v, b in every)
    if all(parallel(g, form) for g, form in forms):
        hint = _("The gradient is that of probabilities. Where did the 1/pi go?")
        return Problem("gradient", "", expected, _("other weights"), hint, "probability-not-log")
    return None


def moved_by_policy(used, theta, values, batch, gamma) -> bool:
    """Whether the critic's gradient is a sum of its own error's and of the policy term's."""
    errors = per_state(batch, each(backwards)(batch, values, gamma), len(values))
    leaked = per_state(batch, taken_log_probs(theta, batch), len(values))
    both = np.stack([errors, leaked], axis=1)
    share = np.linalg.lstsq(both, used, rcond=None)[0]
    return bool(np.allclose(both @ share, used, atol=1e-5 * np.abs(used).max())) and share[1] > 0


WRONG_TARGETS = {
    "critic-uphill": (N_("The critic's error grows. A loss is minimised."), each(surprise)),
    "critic-on-rewards": (
        N_("The critic learns single rewards. A value is what is still to come, all of it."),
        each(lambda e, v, g: v[e.states] - e.rewards),
    ),
    "critic-on-whole-return": (
        N_(
            "The critic learns the whole episode's return at every step. What is still to come "
            "there?"
        ),
        each(lambda e, v, g: v[e.states] - to_go(e, v, g)[0]),
    ),
    "critic-on-advantage": (
        N_("A target is a return, not an advantage."),
        each(lambda e, v, g: v[e.states] - surprise(e, v, g)),
    ),
}


def rule_critic(case, seen):
    """The critic is trained, and by its own error alone."""
    gamma, every = case.inputs["gamma"], updates(case, seen)
    expected = _("the critic's values move towards the returns")
    if not any(np.any(critic) for _g, critic, _th, _v, _b in every):
        hint = _("No gradient reaches the critic. Does the loss hold its error?")
        return Problem("behaviour", "", expected, _("they stay"), hint, "critic-untrained")
    for _g, used, _th, values, batch in every:
        if parallel(used, per_state(batch, each(backwards)(batch, values, gamma), len(values))):
            return None
    if all(moved_by_policy(c, th, v, b, gamma) for _g, c, th, v, b in every):
        hint = _("The advantage is a number: the policy's term must not move the critic.")
        got = _("the policy's term moves them as well")
        return Problem("gradient", "", expected, got, hint, "policy-moves-critic")
    for name, (hint, weigh) in WRONG_TARGETS.items():
        forms = ((c, per_state(b, weigh(b, v, gamma), len(v))) for _g, c, _th, v, b in every)
        if all(parallel(c, form) for c, form in forms):
            return Problem("gradient", "", expected, _("another direction"), _(hint), name)
    return None


def remark(cases, seen) -> str:
    """Which mean the loss takes, told to whoever is right."""
    gamma, every = cases[0].inputs["gamma"], updates(cases[0], seen[0])
    weigh = each(surprise)
    forms = [descent(theta, batch, weigh(batch, v, gamma)) for _g, _c, theta, v, batch in every]
    return which_mean([row[0] for row in every], forms, [row[-1] for row in every])


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
        tabular.mark_rule(0.9),
        direction_rule(lambda case: lambda episode, values: 0.0),
    ),
    overall=(tabular.same_draws, tabular.other_draws),
    short_cases=3,
    seconds=30.0,
    prerequisites=("value_loss", "actor_critic_loss"),
    remark=remark,
)
