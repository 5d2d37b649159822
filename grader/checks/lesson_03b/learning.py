"""Check of train_with_gae: what spies saw, and the exact objective of the weights."""

from dataclasses import dataclass, replace

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
from grader.checks.shared.episodes import environment
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.replay import remembered
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.tabular import env_text, parallel, training_env
from grader.probes.train import Module, Optimizer

UPDATES, BATCH = 60, 16
SHORT = 6  # steps on the clock of the short runs: many of their episodes are cut


def train_case(env, weights, sizes, gamma, lam, seed):
    theta, table = weights
    num_updates, batch_size = sizes
    shown = _(
        "train_with_gae(env, policy, critic, optimizer, num_updates={updates}, "
        "batch_size={size}, gamma={gamma}, lam={lam}, rng), env = {env}"
    ).format(updates=num_updates, size=batch_size, gamma=gamma, lam=lam, env=env_text(env))
    shape = {"num_states": theta.shape[0], "num_actions": theta.shape[1]}
    return Case(
        {
            "env": env,
            "policy": Module("TabularPolicy", shape, {"theta": theta}),
            "critic": Module("TabularCritic", {"num_states": len(table)}, {"table": table}),
            "optimizer": Optimizer("Adam", ["policy", "critic"], {"lr": 0.1}),
            "num_updates": num_updates,
            "batch_size": batch_size,
            "gamma": gamma,
            "lam": lam,
            "rng": Rng(seed),
        },
        shown=shown,
    )


def train_with_gae_cases(rng):
    """Two equal short runs from crooked weights, the same with another generator, and one that must
    reach the mark."""
    env, seed = training_env(rng), int(rng.integers(10**6))
    hasty = replace(env, kwargs=env.kwargs | {"max_steps": SHORT})
    crooked = rng.normal(size=(9, 4)).astype(np.float32) * 0.5
    values = (rng.normal(size=9) * 3).astype(np.float32)
    plain = np.zeros((9, 4), np.float32), np.zeros(9, np.float32)
    sizes = int(rng.integers(3, 5)), int(rng.integers(8, 11))
    gamma, lam = (round(float(rng.uniform(0.5, 0.8)), 2) for _n in range(2))
    return [
        train_case(hasty, (crooked, values), sizes, gamma, lam, seed),
        train_case(hasty, (crooked, values), sizes, gamma, lam, seed),
        train_case(hasty, (crooked, values), sizes, gamma, lam, seed + 2),
        train_case(env, plain, (UPDATES, BATCH), 1.0, 0.9, seed + 1),
    ]


@dataclass(frozen=True)
class Update:
    """One optimiser step: the gradients it used, and the tables and episodes from before it."""

    actor: np.ndarray
    critic: np.ndarray
    theta: np.ndarray
    values: np.ndarray
    batch: list
    rows: list


@remembered
def updates(case, seen) -> list[Update]:
    """The first few of a run."""
    grads = seen["optimizers"]["optimizer"]["grads"]
    env = environment(case.inputs["env"])
    columns = zip(
        grads["policy"]["theta"],
        grads["critic"]["table"],
        tabular.tables(case, seen),
        critic_tables(case, seen),
        tabular.batches(case, seen),
        strict=False,
    )
    return [
        Update(*column, rows=[Rows.of(env, episode, column[3]) for episode in column[4]])
        for column in list(columns)[:4]
    ]


@dataclass(frozen=True)
class Rows:
    """One episode as columns (T,): rewards, values and the values of what followed; its end."""

    rewards: np.ndarray
    values: np.ndarray
    following: np.ndarray
    terminated: bool

    @classmethod
    def of(cls, env, episode, values):
        last = int(env.transitions[episode.states[-1], episode.actions[-1]].argmax())
        reached = np.append(episode.states[1:], last)
        ended = episode.ended == "terminated"
        return cls(np.asarray(episode.rewards), values[episode.states], values[reached], ended)

    def advantages(self, gamma, lam, ended=None, follows=None):
        """Generalised advantages. ended: whether nothing follows; follows: the last value."""
        ended = self.terminated if ended is None else ended
        following = self.following.astype(float)
        following[-1] = 0.0 if ended else following[-1] if follows is None else follows
        delta = self.rewards + gamma * following - self.values
        over = np.zeros((len(delta), 1), bool)
        return decayed_sums(delta[:, None], over, gamma * lam)[:, 0]

    def to_go(self, gamma):
        """Reward-to-go, for which the clock is an end."""
        return rewards_to_go(self.rewards, gamma)


def each(weigh):
    """A form of weights: for each episode of an update weigh(rows, gamma, lam) -> (T,)."""
    return lambda update, gamma, lam: [weigh(rows, gamma, lam) for rows in update.rows]


right = each(lambda rows, gamma, lam: rows.advantages(gamma, lam))


def leaking(update, gamma, lam):
    """The recursion runs on from one episode into the next."""
    adv, later, parts = 0.0, 0.0, []
    for rows in reversed(update.rows):
        following = rows.following.astype(float)
        following[-1] = 0.0 if rows.terminated else following[-1]
        delta, out = rows.rewards + gamma * following - rows.values, []
        for one in delta[::-1]:
            adv = one + gamma * lam * later
            later = adv
            out.append(adv)
        parts.append(np.array(out[::-1]))
    return parts[::-1]


def next_row(update, gamma, lam):
    """A cut episode bootstraps from the row below, the next episode's first state."""
    firsts = [rows.values[0] for rows in update.rows[1:]] + [0.0]
    pairs = zip(update.rows, firsts, strict=True)
    return [rows.advantages(gamma, lam, follows=first) for rows, first in pairs]


WRONG_WEIGHTS = {
    "minus-sign": (
        N_("The steps go downhill on J. Optimisers descend."),
        each(lambda rows, g, lam: -rows.advantages(g, lam)),
    ),
    "returns-not-gae": (
        N_("The weights are returns minus values, as in lesson 03. Where is your gae?"),
        each(lambda rows, g, lam: rows.to_go(g) - rows.values),
    ),
    "actor-ignores-critic": (
        N_("The actor is weighted by the return alone. What is the critic there for?"),
        each(lambda rows, g, lam: rows.to_go(g)),
    ),
    "time-limit-as-terminal": (
        N_("The clock ran out; the state still had a value. Bootstrap from last_state."),
        each(lambda rows, g, lam: rows.advantages(g, lam, ended=True)),
    ),
    "terminal-not-masked": (
        N_("Nothing follows a terminal state. Which of the two flags did the last row get?"),
        each(lambda rows, g, lam: rows.advantages(g, lam, ended=False)),
    ),
    "next-row": (
        N_("A cut episode goes on from its own last_state, not from the next episode's start."),
        next_row,
    ),
    "cut-state-repeated": (
        N_("The last value is that of the state that the last action led to: last_state."),
        each(lambda rows, g, lam: rows.advantages(g, lam, follows=rows.values[-1])),
    ),
    "leaks-across-episodes": (
        N_("Rows of several episodes stand in one column. Which flags stop the recursion?"),
        leaking,
    ),
    "lam-ignored": (
        N_("Call it with another lam: do the weights change?"),
        each(lambda rows, g, lam: rows.advantages(g, 1.0)),
    ),
    "td-errors-alone": (
        N_("That is lam = 0. What do later surprises add?"),
        each(lambda rows, g, lam: rows.advantages(g, 0.0)),
    ),
    "gamma-ignored": (
        N_("gamma plays no part in the advantages."),
        each(lambda rows, g, lam: rows.advantages(1.0, lam)),
    ),
    "defaults-ignored": (
        N_("The advantages are those of gae's defaults. Hand it gamma and lam."),
        each(lambda rows, g, lam: rows.advantages(0.99, 0.95)),
    ),
    "target-returned": (
        N_("The weight is the advantage. Advantage plus value is the critic's target."),
        each(lambda rows, g, lam: rows.advantages(g, lam) + rows.values),
    ),
    "value-as-weight": (
        N_("The value alone says how good the state is, not how good the action was."),
        each(lambda rows, g, lam: rows.values),
    ),
}


def means(weights):
    """The conventions of a mean: over all steps (or trajectories), and over each episode's own."""
    return [weights, [weight / len(weight) for weight in weights]]


def is_right(update, gamma, lam) -> bool:
    """Whether the actor's gradient is that of the advantages, whitened or not, in any mean."""
    for weights in means(right(update, gamma, lam)):
        one = descent(update.theta, update.batch, weights)
        flat = descent(update.theta, update.batch, [np.ones(len(w)) for w in weights])
        both = np.stack([one.ravel(), flat.ravel()], axis=1)
        share = np.linalg.lstsq(both, np.ravel(update.actor), rcond=None)[0]
        if share[0] > 0 and parallel(update.actor, (both @ share).reshape(one.shape)):
            return True
    return False


def rule_actor(case, seen):
    """The policy's gradient weighs each step by its generalised advantage."""
    gamma, lam, every = case.inputs["gamma"], case.inputs["lam"], updates(case, seen)
    if all(is_right(update, gamma, lam) for update in every):
        return None
    expected = _("log-probabilities weighted by gae of the values from before the update")
    got = _("other weights")
    for name, (hint, weigh) in WRONG_WEIGHTS.items():
        forms = ((u.actor, descent(u.theta, u.batch, weigh(u, gamma, lam))) for u in every)
        if all(parallel(used, form) for used, form in forms):
            return Problem("gradient", "", expected, got, _(hint), name)
    forms = ((u.actor, of_probabilities(u.theta, u.batch, right(u, gamma, lam))) for u in every)
    if all(parallel(used, form) for used, form in forms):
        hint = _("The gradient is that of probabilities. Where did the 1/pi go?")
        return Problem("gradient", "", expected, got, hint, "probability-not-log")
    hint = _(
        "Take the values before the batch is learned from, call gae with both flags, and let the "
        "advantage be a number."
    )
    return Problem("gradient", "", expected, got, hint, "other-weights")


def target_forms(update, gamma):
    """Errors of the critic against every target that bootstraps at the cut: any mixture's."""
    for lam in np.linspace(0, 1, 21):
        yield [-rows.advantages(gamma, lam) for rows in update.rows]


def critic_is_right(update, gamma, lam) -> bool:
    size = len(update.values)
    exact = [-rows.advantages(gamma, lam) for rows in update.rows]
    for errors in [exact, *target_forms(update, gamma)]:
        for form in means(errors):
            if parallel(update.critic, per_state(update.batch, form, size)):
                return True
    return False


WRONG_TARGETS = {
    "critic-uphill": (
        N_("The critic's error grows. A loss is minimised."),
        each(lambda rows, g, lam: rows.advantages(g, lam)),
    ),
    "critic-clock-as-end": (
        N_("The critic's target takes the clock for an end. Advantage plus value does not."),
        each(lambda rows, g, lam: rows.values - rows.to_go(g)),
    ),
    "critic-on-advantage": (
        N_("A target is a return, not an advantage."),
        each(lambda rows, g, lam: rows.values - rows.advantages(g, lam)),
    ),
    "critic-on-rewards": (
        N_("The critic learns single rewards. A value is what is still to come, all of it."),
        each(lambda rows, g, lam: rows.values - rows.rewards),
    ),
    "critic-target-ended": (
        N_("The critic's target takes the clock for an end. Advantage plus value does not."),
        each(lambda rows, g, lam: -rows.advantages(g, lam, ended=True)),
    ),
}


def moved_by_policy(update, gamma, lam) -> bool:
    """Whether the critic's gradient is a sum of its own error's and of the policy term's."""
    size = len(update.values)
    errors = per_state(update.batch, [-w for w in right(update, gamma, lam)], size)
    leaked = per_state(update.batch, taken_log_probs(update.theta, update.batch), size)
    both = np.stack([errors, leaked], axis=1)
    share = np.linalg.lstsq(both, update.critic, rcond=None)[0]
    near = np.allclose(both @ share, update.critic, atol=1e-5 * np.abs(update.critic).max())
    return bool(near) and share[1] > 0


def rule_critic(case, seen):
    """The critic is trained, by its own error alone, on a target that bootstraps at the cut."""
    gamma, lam, every = case.inputs["gamma"], case.inputs["lam"], updates(case, seen)
    expected = _("the critic's values move towards advantage plus value")
    if not any(np.any(update.critic) for update in every):
        hint = _("No gradient reaches the critic. Does the loss hold its error?")
        return Problem("behaviour", "", expected, _("they stay"), hint, "critic-untrained")
    if all(critic_is_right(update, gamma, lam) for update in every):
        return None
    for name, (hint, weigh) in WRONG_TARGETS.items():
        forms = ((u.critic, per_state(u.batch, weigh(u, gamma, lam), len(u.values))) for u in every)
        if all(parallel(used, form) for used, form in forms):
            return Problem("gradient", "", expected, _("another direction"), _(hint), name)
    if all(moved_by_policy(update, gamma, lam) for update in every):
        hint = _("The advantage is a number: the policy's term must not move the critic.")
        got = _("the policy's term moves them as well")
        return Problem("gradient", "", expected, got, hint, "policy-moves-critic")
    hint = _("The target is data: your advantages plus the values from before the update.")
    return Problem("gradient", "", expected, _("another direction"), hint, "critic-target")


def remark(cases, seen) -> str:
    """Which mean the loss takes, told to whoever is right."""
    case, every = cases[0], updates(cases[0], seen[0])
    gamma, lam = case.inputs["gamma"], case.inputs["lam"]
    forms = [descent(u.theta, u.batch, right(u, gamma, lam)) for u in every]
    return which_mean([u.actor for u in every], forms, [u.batch for u in every])


def value_after(case):
    """The value of the state that an episode's last step led to; 0 where it terminated."""
    following = environment(case.inputs["env"]).transitions.argmax(-1)

    def last(episode, values):
        if episode.ended == "terminated":
            return 0.0
        return values[following[episode.states[-1], episode.actions[-1]]]

    return last


TRAIN_WITH_GAE = RuleExercise(
    "train_with_gae",
    "train",
    train_with_gae_cases,
    rules=(
        *tabular.RULES,
        rule_actor,
        rule_critic,
        rule_discounted_history,
        tabular.rule_history,
        tabular.mark_rule(0.9),
        direction_rule(value_after),
    ),
    overall=(tabular.same_draws, tabular.other_draws),
    short_cases=3,
    seconds=60.0,
    prerequisites=("gae",),
    remark=remark,
)
