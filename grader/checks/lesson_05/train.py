"""The check of ``train_ppo``: two exact updates, a spy's log, and weights in fresh CartPoles."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from grader.checking import (
    N_,
    Case,
    MappingOf,
    Mismatch,
    Number,
    Problem,
    Rng,
    RuleExercise,
    _,
    behaviour,
    number_text,
)
from grader.checks.lesson_05.collect import FIELDS, collect_fields
from grader.checks.lesson_05.led import led_problem, rule_real, steered
from grader.checks.lesson_05.replayed import agree, end_weights, replayed, start_weights
from grader.checks.shared import tabular
from grader.checks.shared.cartpole import mlp, sampled_returns
from grader.checks.shared.episodes import raised, softmax
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.ppo_update import METRICS
from grader.checks.shared.replay import follow, moved_by_steps, started
from grader.checks.shared.run_slips import gradients_pile_up, likeliest_actions
from grader.checks.shared.sampling import bent_problem, unlikely
from grader.checks.shared.scripted import linear, script
from grader.checks.shared.whitening import whitened
from grader.probes.ppo import Batch, LinearDecay, Started
from grader.probes.train import Optimizer

# Thirty right runs reached 162 to 477: whether one gets to 475 within its updates is luck. That it
# is right is told by its steps; the mark tells whether they lead uphill. It begins at about 20.
MARK, EPISODES = 100.0, 100
UPDATES, STEPS, COUNT = 12, 64, 32
ATTEMPTS = 2  # the first was enough in all of 30 right runs
FIRST = 10  # seed of the first weights, the same in every draw
KEYS = ("mean_return", *METRICS)
SMALL = {
    "gamma": 0.9,
    "lam": 0.7,
    "epochs": 2,
    "minibatch_size": 64,
    "clip": 0.05,
    "value_coef": 0.7,
    "entropy_coef": 0.05,
}


def train_cases(rng):
    """Two exact updates in a scripted environment, then CartPole in other words than usual."""
    small = {
        "envs": script(rng, 8, 3, size=3, ends={2: {0: "c"}, 3: {1: "t", 2: "c"}, 7: {0: "t"}}),
        "policy": linear(rng, 3, 3, 0.5),
        "critic": linear(rng, 3, None),
        "optimizer": Optimizer("SGD", ["policy", "critic"], {"lr": 0.3}),
        "num_updates": 2,
        "num_steps": 4,
        "rng": Rng(11),
        **SMALL,
    }
    words = {
        "action_order": rng.permutation(2).tolist(),
        "obs_order": rng.permutation(4).tolist(),
        "obs_signs": rng.choice([-1, 1], 4).tolist(),
    }
    steps = UPDATES * 4 * (STEPS * COUNT // 512)
    cartpole = {
        "envs": Started("VectorCartPole", {"num_envs": COUNT, **words}, int(rng.integers(2**31))),
        "policy": started("MLP", {"in_size": 4, "out_size": 2, "gain": 0.01}, FIRST),
        "critic": started("MLP", {"in_size": 4}, FIRST + 1),
        "optimizer": LinearDecay("Adam", ["policy", "critic"], {"lr": 0.01}, steps),
        "num_updates": UPDATES,
        "num_steps": STEPS,
        "rng": [Rng(int(rng.integers(2**31))) for _ in range(ATTEMPTS)],
    }
    shown = _("train_ppo on CartPole: {envs} environments, {updates} updates of {steps} steps")
    return [
        Case(small, tuple(SMALL), shown=_("train_ppo with num_updates=2 and epochs=2")),
        Case(cartpole, shown=shown.format(envs=COUNT, updates=UPDATES, steps=STEPS)),
    ]


def each_attempt(rule):
    """A rule on one report as a rule on a case's attempts."""

    def on_all(case, seen):
        if not seen["attempts"]:
            raise ValueError("no attempt at all")
        return next((p for p in (rule(case, one) for one in seen["attempts"]) if p), None)

    return on_all


def train_history(case, seen):
    """A list of dicts, one for each update."""
    problem = tabular.one_dict_each(seen["value"], case.inputs["num_updates"])
    if problem:
        return problem
    for item in seen["value"]["items"]:
        try:
            MappingOf({name: Number() for name in KEYS}).arrays(item)
        except Mismatch as mismatch:
            return Problem(
                step="kind",
                expected=mismatch.expected,
                got=mismatch.got,
                hint=mismatch.hint,
                mistake="history-keys",
            )
    return None


def train_played(case, seen):
    """As many steps as asked, from one reset."""
    log, given = seen["envs"]["envs"], case.inputs
    wanted = given["num_updates"] * given["num_steps"]
    if len(log["starts"]) > 1:
        return behaviour(
            _("one reset, before the first update"),
            _("{n} resets").format(n=len(log["starts"])),
            _(
                "Where does the next rollout begin? collect_rollout hands you the "
                "observation to go on from."
            ),
            "resets",
        )
    if len(log["rewards"]) != wanted:
        words = _("{n} steps of the environments")
        return behaviour(
            words.format(n=wanted),
            words.format(n=len(log["rewards"])),
            _("num_updates rollouts of num_steps steps each."),
            "step-count",
        )
    return None


def train_stepped(case, seen):
    """The optimiser's steps, and the weights in place."""
    given, spy = case.inputs, seen["optimizers"]["optimizer"]
    size = given["num_steps"] * np.shape(seen["envs"]["envs"]["rewards"])[1]
    parts = math.ceil(size / given.get("minibatch_size", 512))
    wanted = given["num_updates"] * given.get("epochs", 4) * parts
    words = _("{n} optimiser steps")
    if spy["steps"] == 0:
        return behaviour(
            words.format(n=wanted),
            words.format(n=0),
            _("Is it this optimiser that ppo_update gets?"),
            "no-step",
        )
    if problem := _unmoved(seen):
        return problem
    if spy["leftover"]:
        return gradients_pile_up()
    if spy["steps"] != wanted:
        return behaviour(
            words.format(n=wanted),
            words.format(n=spy["steps"]),
            _("Do epochs and minibatch_size reach ppo_update?"),
            "optimiser-steps",
        )
    return None


def _unmoved(seen):
    """The steps found nothing to do: what was trained is something else."""
    for name, module in seen["modules"].items():
        if all(np.array_equal(module["before"][k], module["after"][k]) for k in module["before"]):
            return behaviour(
                _("{name} trained in place").format(name=name),
                _("the same weights"),
                _("Is it a copy that was trained?"),
                "not-in-place",
            )
    return None


def train_moved(case, seen):
    """The weights are those that the optimiser's steps lead to."""
    for name in ("policy", "critic"):
        problem = moved_by_steps(follow(case, seen, name), seen["modules"][name]["after"])
        if problem:
            return problem
    return None


def train_sampled(case, seen):
    """Actions are draws from the policy of the moment, as the steps so far have made it."""
    log, given = seen["envs"]["envs"], case.inputs
    obs, path = np.asarray(log["obs"]), follow(case, seen, "policy")
    every = len(path.grads) // given["num_updates"]
    parts = np.split(obs, given["num_updates"])
    logits = [mlp(path.weights(update * every), part) for update, part in enumerate(parts)]
    probs = softmax(np.concatenate(logits)).reshape(-1, logits[0].shape[-1])
    actions = np.asarray(log["actions"]).ravel()
    likeliest = probs.argmax(1) == actions
    if likeliest[:2000].all() and unlikely(likeliest[:2000], probs.max(1)[:2000]):
        return likeliest_actions(len(actions))
    if unlikely(actions == 0, probs[:, 0]):
        return _other_draws(_("action 0 too often or too rarely"))
    problem = bent_problem(actions, probs)
    if problem and problem.mistake == "policy-ignored":
        return replace(problem, mistake="frequencies")
    if not problem and steered(obs.reshape(len(actions), -1), actions, probs):
        return _other_draws(_("actions that hang on the observation in another way"))
    return problem


def _other_draws(got):
    expected = _("actions drawn at random from the policy")
    hint = _("Compare how often each action came with its probability.")
    return behaviour(expected, got, hint, "frequencies")


def fields_of(case, seen, update=0, weights=None, stale=False):
    """What a right rollout of this update holds in the scripted run. weights: of the networks by
    then. stale: the first step is written down with the observation after the reset."""
    inputs = dict(case.inputs)
    steps = inputs["num_steps"]
    for name in ("policy", "critic") if weights else ():
        parts = {f"layers.0.{part}": weights[f"{name}.{part}"] for part in ("weight", "bias")}
        inputs[name] = replace(inputs[name], weights=parts)
    if stale and update:
        shown = inputs["envs"].shown.copy()
        shown[update * steps] = shown[0]
        inputs["envs"] = replace(inputs["envs"], shown=shown)
    log = {"actions": np.asarray(seen["envs"]["envs"]["actions"])[update * steps :]}
    then = replace(case, inputs={**inputs, "before": update * steps})
    return collect_fields(then, {"played": log}, 0)


def gae_truth(fields, gamma, lam, cut_ends=False):
    """(T, N): the sum of discounted errors at every step, to the episode's or rollout's end."""
    ends = fields["terminated"] | fields["truncated"] if cut_ends else fields["terminated"]
    errors = fields["rewards"] + gamma * fields["next_values"] * ~ends - fields["values"]
    return decayed_sums(errors, fields["terminated"] | fields["truncated"], gamma * lam)


TARGET = N_("The critic learns to foretell returns. Is its target a return?")
PASSED = N_("Do all arguments reach the functions that need them? Set gamma to 0: what changes?")
CUT = N_("The clock ran out; the state still had a value.")
ONE_AXIS = N_("One mean and one deviation for the whole batch, over both axes.")
HALVED = N_("The critic's loss is the mean squared error. What weighs it besides value_coef?")
NAMES_SWAPPED = N_("One number discounts rewards, the other weighs errors. Which is which?")
STALE = N_(
    "Each rollout goes on where the last one stopped: hand collect_rollout the observation that "
    "came back."
)


def adv_of(fields, gamma=SMALL["gamma"], lam=SMALL["lam"], **kwargs):
    return gae_truth(fields, gamma, lam, **kwargs)


def whitened_along(axis, ddof, adv):
    """A mean and a deviation for each environment (axis 0) or each step (1)."""
    spread = adv.std(axis, ddof=ddof, keepdims=True)
    return (adv - adv.mean(axis, keepdims=True)) / (spread + 1e-8)


WHITENINGS = whitened, partial(whitened, ddof=1), np.asarray
EACH_ENVIRONMENT, EACH_STEP = (
    tuple(partial(whitened_along, axis, ddof) for ddof in (0, 1)) for axis in (0, 1)
)


@dataclass(frozen=True)
class TrainWay:
    """How the scripted run may have been made; every field but the right values is a mistake.

    mistake, hint: "" where the way is right
    advantages: of a rollout's fields; target: of (advantages, whitened ones, values)
    options: what ppo_update gets in place of the call's; stale: as in ``fields_of``
    whitenings: what may have become of the advantages
    """

    mistake: str = ""
    hint: str = ""
    advantages: Callable = adv_of
    target: Callable = lambda adv, white, values: adv + values
    options: Mapping = field(default_factory=dict)
    stale: bool = False
    whitenings: tuple = WHITENINGS


RIGHT = TrainWay()
DEFAULTS = (
    {"value_coef": 0.5},
    {"entropy_coef": 0.0},
    {"value_coef": 0.5, "entropy_coef": 0.0},
    {"clip": 0.2},
    {"entropy_coef": 0.01},
    {"value_coef": 1.0},
    {"value_coef": 0.5, "entropy_coef": 0.0, "clip": 0.2},
)
DISCOUNTS = ((0.98, 0.9), (0.99, 0.95), (0.9, 0.95), (0.9, 0.9), (0.98, 0.7), (0.99, 0.7))
WRONG_WAYS = (
    TrainWay("obs-not-handed-on", STALE, stale=True),
    TrainWay("target-is-advantage", TARGET, target=lambda adv, white, values: adv),
    TrainWay("target-is-whitened", TARGET, target=lambda adv, white, values: white),
    TrainWay("target-is-whitened", TARGET, target=lambda adv, white, values: white + values),
    *(
        TrainWay("arguments-ignored", PASSED, partial(adv_of, gamma=gamma, lam=lam))
        for gamma, lam in DISCOUNTS
    ),
    *(TrainWay("arguments-ignored", PASSED, options=options) for options in DEFAULTS),
    TrainWay(
        "gamma-and-lam-swapped",
        NAMES_SWAPPED,
        partial(adv_of, gamma=SMALL["lam"], lam=SMALL["gamma"]),
    ),
    TrainWay("cut-as-terminated", CUT, partial(adv_of, cut_ends=True)),
    TrainWay("critic-loss-halved", HALVED, options={"value_coef": SMALL["value_coef"] / 2}),
    TrainWay("per-environment", ONE_AXIS, whitenings=EACH_ENVIRONMENT),
    TrainWay("per-step", ONE_AXIS, whitenings=EACH_STEP),
)


SAME_WAY = 0.25  # advantages of other kinds go 0.4 to 0.99 along; what no advantage moves, about 0


def train_exactly(case, seen):
    """Two updates of known size: weights that only a mistake explains name it. Other choices than
    the lesson's are left to the weights that they lead to, as long as the policy moves by and
    large the way of PPO's updates: a finished controller can be copied into weights, too."""
    if case.inputs["num_updates"] == UPDATES:
        return None
    found, start = end_weights(seen), start_weights(case.inputs)
    by_right = [trained_by(case, seen, whiten, RIGHT) for whiten in WHITENINGS]
    if any(agree(found, wanted, start) for wanted in by_right):
        return None
    for way in WRONG_WAYS:
        if any(agree(found, trained_by(case, seen, w, way), start) for w in way.whitenings):
            return Problem(step="value", hint=_(way.hint), mistake=way.mistake)
    if max(along(found, wanted, start) for wanted in by_right) >= SAME_WAY:
        return None
    return behaviour(
        _("a policy that two updates move where their advantages point"),
        _("a policy that moved elsewhere"),
        _(
            "Is it ppo_update that moves the weights, with the advantages of this rollout and "
            "the actions that were played?"
        ),
        "moved-elsewhere",
    )


def along(found, wanted, start):
    """Cosine between two ways of the policy's weights."""
    names = [name for name in start if name.startswith("policy")]
    one, other = (
        np.concatenate([(end[name] - start[name]).ravel() for name in names])
        for end in (found, wanted)
    )
    return one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12)


def trained_by(case, seen, whiten, way):
    """The weights after all updates of the scripted run, each on its whole rollout."""
    weights = None
    for update in range(case.inputs["num_updates"]):
        fields = fields_of(case, seen, update, weights, way.stale)
        adv = way.advantages(fields)
        white = whiten(adv)
        inputs = {
            **case.inputs,
            **way.options,
            "rollout": Batch(**{name: np.asarray(fields[name]) for name in FIELDS}),
            "advantages": white,
            "returns": way.target(adv, white, fields["values"]),
        }
        rows = [np.arange(adv.size)] * case.inputs["epochs"]
        weights = replayed(inputs, rows, start=weights)[0]
    return weights


def train_returns(case, seen):
    """mean_return is the mean over the episodes that ended during the update."""
    log, given = seen["envs"]["envs"], case.inputs
    told = [
        float(MappingOf({"mean_return": Number()}).arrays(item)["mean_return"])
        for item in seen["value"]["items"]
    ]
    steps = given["num_steps"]
    wanted, restarted = (returns_by_update(log, steps, again) for again in (False, True))
    for update, returns in enumerate(wanted):
        if not returns or np.isclose(told[update], np.mean(returns), rtol=1e-3):
            continue
        name, hint = "mean-return", _("Undiscounted, over the episodes that ended in this update.")
        if np.isclose(told[update], np.mean(restarted[update]), rtol=1e-3):
            name = "returns-restart"
            hint = _("An episode goes on from one rollout to the next. Does its sum, too?")
        words = _("mean_return of update {n}: {value}")
        expected, got = (
            words.format(n=update, value=number_text(v)) for v in (np.mean(returns), told[update])
        )
        return Problem(step="value", expected=expected, got=got, hint=hint, mistake=name)
    return None


def returns_by_update(log, steps, restart=False):
    """For each update the returns of the episodes that ended in it; restart: sums that begin anew
    with each rollout."""
    ended = np.asarray(log["terminated"]) | np.asarray(log["truncated"])
    rewards, found = np.asarray(log["rewards"], float), []
    running = np.zeros(rewards.shape[1])
    for t, (reward, over) in enumerate(zip(rewards, ended, strict=True)):
        if t % steps == 0:
            found.append([])
            running = running * (not restart)
        running = running + reward
        found[-1] += running[over].tolist()
        running = np.where(over, 0.0, running)
    return found


def train_mark(case, seen):
    """The policy's weights, in environments of the grader's own, and what led there."""
    if case.inputs["num_updates"] != UPDATES:
        return None
    problem, missed = None, []
    for report in seen["attempts"]:
        problem = led_problem(case, report)
        reached = _score(case.inputs["envs"].kwargs, follow(case, report, "policy").end)
        if not problem and reached >= MARK:
            return None
        missed.append(reached)
    return problem or _missed(max(missed))


def _missed(reached):
    words = _("mean return of at least {mark} over {n} fresh episodes")
    return behaviour(
        words.format(mark=MARK, n=EPISODES),
        number_text(reached),
        _(
            "Draw return, KL, clip fraction, entropy and explained variance over the "
            "updates: which of them looks unlike the lesson's?"
        ),
        "mark-missed",
    )


def _score(kwargs, weights):
    """Mean return over 100 sampled episodes."""
    return sampled_returns(weights, {**kwargs, "num_envs": EPISODES}, seed=1).mean()


def train_seeds(cases, seen):
    """Two runs whose rng differ reset their environments alike."""
    seeds = [one["envs"]["envs"]["seeds"][:1] for report in seen for one in report["attempts"]]
    if seeds[0] != seeds[1] or seeds[0] in ([], [None]):
        return None
    return behaviour(
        _("a reset without a seed, or with one drawn from rng"),
        _("reset(seed={seed}) every time").format(seed=seeds[0][0]),
        _("With the same seed each time, chance repeats itself."),
        "same-seed",
    )


TRAIN = RuleExercise(
    "train_ppo",
    "train_ppo",
    train_cases,
    rules=tuple(
        each_attempt(rule)
        for rule in (
            raised,
            train_history,
            train_played,
            train_stepped,
            train_moved,
            rule_real,
            train_sampled,
            train_exactly,
            train_returns,
        )
    )
    + (train_mark,),
    overall=(train_seeds,),
    short_cases=1,
    hint=N_("Run two updates, and print what each of the four steps hands to the next."),
    seconds=90.0,
    prerequisites=(
        "normalize_advantages",
        "entropy",
        "collect_rollout",
        "minibatches",
        "ppo_update",
        "explained_variance",
    ),
)
