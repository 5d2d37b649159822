"""Check of train_with_gae: what spies saw, and the exact objective of the weights."""

from dataclasses import dataclass, replace

import numpy as np

from grader.checking import N_, RuleExercise, _, wrong_gradient
from grader.checking.remembering import remembered
from grader.checks.shared import actor_critic, tabular
from grader.checks.shared.actor_critic import (
    CRITIC_UNUSED,
    CRITIC_UPHILL,
    ON_ADVANTAGE,
    ON_REWARDS,
    VALUE_WEIGHS,
    critic_stays,
    descent,
    direction_rule,
    explained,
    networks,
    of_actor,
    of_critic,
    of_probability,
    per_state,
    policy_moves_critic,
    rule_discounted_history,
)
from grader.checks.shared.convention import which_mean
from grader.checks.shared.episodes import environment
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.returns import rewards_to_go
from grader.checks.shared.tabular import WrongForm, parallel, training_env

UPDATES, BATCH = 60, 16
SHORT = 6  # steps on the clock of the short runs: many of their episodes are cut


def train_case(env, weights, sizes, gamma, lam, seed):
    numbers = dict(zip(("num_updates", "batch_size"), sizes, strict=True), gamma=gamma, lam=lam)
    return tabular.train_case("train_with_gae", env, networks(*weights), numbers, seed)


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
class Update(actor_critic.Update):
    """The episodes as columns, besides."""

    rows: list


@remembered
def updates(case, seen) -> list[Update]:
    """The first few of a run."""
    env = environment(case.inputs["env"])
    return [
        Update(**vars(one), rows=[Rows.of(env, episode, one.values) for episode in one.batch])
        for one in actor_critic.updates(case, seen)[:4]
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


WRONG_WEIGHTS = (
    WrongForm(
        "minus-sign",
        tabular.UPHILL,
        each(lambda rows, g, lam: -rows.advantages(g, lam)),
    ),
    WrongForm(
        "returns-not-gae",
        "The weights are returns minus values, as in lesson 03. Where is your gae?",
        each(lambda rows, g, lam: rows.to_go(g) - rows.values),
    ),
    WrongForm(
        "actor-ignores-critic",
        CRITIC_UNUSED,
        each(lambda rows, g, lam: rows.to_go(g)),
    ),
    WrongForm(
        "time-limit-as-terminal",
        "The clock ran out; the state still had a value. Bootstrap from last_state.",
        each(lambda rows, g, lam: rows.advantages(g, lam, ended=True)),
    ),
    WrongForm(
        "terminal-not-masked",
        "Nothing follows a terminal state. Which of the two flags did the last row get?",
        each(lambda rows, g, lam: rows.advantages(g, lam, ended=False)),
    ),
    WrongForm(
        "next-row",
        "A cut episode goes on from its own last_state, not from the next episode's start.",
        next_row,
    ),
    WrongForm(
        "cut-state-repeated",
        "The last value is that of the state that the last action led to: last_state.",
        each(lambda rows, g, lam: rows.advantages(g, lam, follows=rows.values[-1])),
    ),
    WrongForm(
        "leaks-across-episodes",
        "Rows of several episodes stand in one column. Which flags stop the recursion?",
        leaking,
    ),
    WrongForm(
        "lam-ignored",
        "Call it with another lam: do the weights change?",
        each(lambda rows, g, lam: rows.advantages(g, 1.0)),
    ),
    WrongForm(
        "td-errors-alone",
        "That is lam = 0. What do later surprises add?",
        each(lambda rows, g, lam: rows.advantages(g, 0.0)),
    ),
    WrongForm(
        "gamma-ignored",
        "gamma plays no part in the advantages.",
        each(lambda rows, g, lam: rows.advantages(1.0, lam)),
    ),
    WrongForm(
        "defaults-ignored",
        "The advantages are those of gae's defaults. Hand it gamma and lam.",
        each(lambda rows, g, lam: rows.advantages(0.99, 0.95)),
    ),
    WrongForm(
        "target-returned",
        "The weight is the advantage. Advantage plus value is the critic's target.",
        each(lambda rows, g, lam: rows.advantages(g, lam) + rows.values),
    ),
    WrongForm(
        "value-as-weight",
        VALUE_WEIGHS,
        each(lambda rows, g, lam: rows.values),
    ),
)


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
    not_log = WrongForm("probability-not-log", tabular.NOT_LOG, right)
    wrong = explained(every, WRONG_WEIGHTS, of_actor, gamma, lam) or explained(
        every, [not_log], of_probability, gamma, lam
    )
    if wrong:
        return wrong_gradient(expected, got, _(wrong.hint), wrong.mistake)
    hint = _(
        "Take the values before the batch is learned from, call gae with both flags, and let the "
        "advantage be a number."
    )
    return wrong_gradient(expected, got, hint, "other-weights")


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


CLOCK_ENDS = N_("The critic's target takes the clock for an end. Advantage plus value does not.")
WRONG_TARGETS = (
    WrongForm(
        "critic-uphill",
        CRITIC_UPHILL,
        each(lambda rows, g, lam: rows.advantages(g, lam)),
    ),
    WrongForm(
        "critic-clock-as-end",
        CLOCK_ENDS,
        each(lambda rows, g, lam: rows.values - rows.to_go(g)),
    ),
    WrongForm(
        "critic-on-advantage",
        ON_ADVANTAGE,
        each(lambda rows, g, lam: rows.values - rows.advantages(g, lam)),
    ),
    WrongForm(
        "critic-on-rewards",
        ON_REWARDS,
        each(lambda rows, g, lam: rows.values - rows.rewards),
    ),
    WrongForm(
        "critic-target-ended",
        CLOCK_ENDS,
        each(lambda rows, g, lam: -rows.advantages(g, lam, ended=True)),
    ),
)


def rule_critic(case, seen):
    """The critic is trained, by its own error alone, on a target that bootstraps at the cut."""
    gamma, lam, every = case.inputs["gamma"], case.inputs["lam"], updates(case, seen)
    expected = _("the critic's values move towards advantage plus value")
    if problem := critic_stays(every, expected):
        return problem
    if all(critic_is_right(update, gamma, lam) for update in every):
        return None
    wrong = explained(every, WRONG_TARGETS, of_critic, gamma, lam)
    if wrong:
        return wrong_gradient(expected, _("another direction"), _(wrong.hint), wrong.mistake)
    errors = [[-weights for weights in right(update, gamma, lam)] for update in every]
    if problem := policy_moves_critic(every, errors, expected):
        return problem
    hint = _("The target is data: your advantages plus the values from before the update.")
    return wrong_gradient(expected, _("another direction"), hint, "critic-target")


def remark(cases, seen) -> str:
    """Which mean the loss takes, told to whoever is right."""
    case, every = cases[0], updates(cases[0], seen[0])
    gamma, lam = case.inputs["gamma"], case.inputs["lam"]
    forms = [of_actor(u, right(u, gamma, lam))[1] for u in every]
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
