"""The check of ``train_ppo``: one exact update, a spy's log, and the weights in fresh CartPoles."""

import math
from dataclasses import replace

import numpy as np

from grader import training
from grader.chance import unlikely
from grader.checks.lesson_05.collect import FIELDS, collect_fields
from grader.checks.lesson_05.common import Ruled, behaviour, linear, script
from grader.checks.lesson_05.numbers import whitened
from grader.checks.lesson_05.update import agree, end_weights, replayed, start_weights
from grader.evaluation import sampled_returns
from grader.exercise import N_, Case, Number, Problem
from grader.i18n import _
from grader.kinds import MappingOf, Mismatch
from grader.played import raised, softmax
from grader.probes.inputs import Rng
from grader.probes.ppo import Batch, Fading, Started
from grader.probes.train import Module, Optimizer
from grader.replay import METRICS
from grader.show import number_text

MARK, EPISODES = 475.0, 100
UPDATES, STEPS, COUNT = 30, 64, 32
KEYS = ("mean_return", *METRICS)
SMALL = {
    "gamma": 0.9,
    "lam": 0.7,
    "epochs": 1,
    "minibatch_size": 64,
    "clip": 0.2,
    "value_coef": 0.7,
    "entropy_coef": 0.05,
}


def train_cases(rng):
    """One exact update in a scripted environment, then CartPole in other words than usual."""
    small = {
        "envs": script(rng, 8, 3, size=3, ends={2: {0: "c"}, 3: {1: "t", 2: "c"}, 7: {0: "t"}}),
        "policy": linear(rng, 3, 3, 0.5),
        "critic": linear(rng, 3, None),
        "optimizer": Optimizer("SGD", ["policy", "critic"], {"lr": 0.3}),
        "num_updates": 1,
        "num_steps": 8,
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
        "policy": Module("MLP", {"in_size": 4, "out_size": 2, "gain": 0.01}),
        "critic": Module("MLP", {"in_size": 4}),
        "optimizer": Fading("Adam", ["policy", "critic"], {"lr": 0.01}, steps),
        "num_updates": UPDATES,
        "num_steps": STEPS,
        "rng": [Rng(int(rng.integers(2**31))) for _ in range(3)],
    }
    shown = _("train_ppo on CartPole: {envs} environments, {updates} updates of {steps} steps")
    return [
        Case(small, tuple(SMALL), shown=_("train_ppo with num_updates=1 and epochs=1")),
        Case(cartpole, shown=shown.format(envs=COUNT, updates=UPDATES, steps=STEPS)),
    ]


def each_attempt(rule):
    """A rule on one report as a rule on a case's attempts."""

    def on_all(case, seen):
        return next((p for p in (rule(case, one) for one in seen["attempts"]) if p), None)

    return on_all


def train_history(case, seen):
    """A list of dicts, one for each update."""
    problem = training.one_dict_each(seen["value"], case.inputs["num_updates"])
    if problem:
        return problem
    for item in seen["value"]["items"]:
        try:
            MappingOf({name: Number() for name in KEYS}).arrays(item)
        except Mismatch as mismatch:
            return Problem(
                "kind", "", mismatch.expected, mismatch.got, mismatch.hint, "history-keys"
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
    if spy["leftover"]:
        return behaviour(
            _("a fresh gradient at each step"),
            _("old gradients added to new ones"),
            _("backward() adds to what is there already. Who clears it?"),
            "no-zero-grad",
        )
    if spy["steps"] != wanted:
        return behaviour(
            words.format(n=wanted),
            words.format(n=spy["steps"]),
            _("Do epochs and minibatch_size reach ppo_update?"),
            "optimiser-steps",
        )
    for name, module in seen["modules"].items():
        if all(np.array_equal(module["before"][k], module["after"][k]) for k in module["before"]):
            return behaviour(
                _("{name} trained in place").format(name=name),
                _("the same weights"),
                _("Is it a copy that was trained?"),
                "not-in-place",
            )
    return None


def train_sampled(case, seen):
    """Actions are draws from the policy of the moment, as far as it was watched."""
    log = seen["envs"]["envs"]
    if "logits" not in log:
        return None
    probs = softmax(log["logits"]).reshape(-1, np.shape(log["logits"])[-1])
    actions = np.asarray(log["actions"]).ravel()
    if len(actions) != len(probs):
        return None
    likeliest = probs.argmax(1) == actions
    if likeliest[:2000].all() and unlikely(likeliest[:2000], probs.max(1)[:2000]):
        return behaviour(
            _("actions drawn at random from the policy"),
            _("the likeliest action at each step"),
            _("Without sampling there is no expectation to estimate."),
            "argmax",
        )
    if unlikely(actions == 0, probs[:, 0]):
        return behaviour(
            _("actions drawn at random from the policy"),
            _("action 0 too often or too rarely"),
            _("Compare how often each action came with its probability."),
            "frequencies",
        )
    return None


def fields_of(case, seen):
    """What a right rollout of the scripted run holds."""
    log = seen["envs"]["envs"]
    given = case.inputs | {"before": 0}
    return collect_fields(replace(case, inputs=given), {"played": log}, 0)


def gae_truth(fields, gamma, lam, cut_ends=False):
    """(T, N): the sum of discounted errors at every step, to the episode's or rollout's end."""
    ends = fields["terminated"] | fields["truncated"] if cut_ends else fields["terminated"]
    errors = fields["rewards"] + gamma * fields["next_values"] * ~ends - fields["values"]
    over, adv = fields["terminated"] | fields["truncated"], np.zeros_like(errors)
    for t, i in np.ndindex(errors.shape):
        for k in range(t, len(errors)):
            adv[t, i] += (gamma * lam) ** (k - t) * errors[k, i]
            if over[k, i]:
                break
    return adv


def train_ways(fields):
    """(mistake, hint, advantages before whitening, returns or None for adv + values, options)."""
    right = gae_truth(fields, SMALL["gamma"], SMALL["lam"])
    target = N_("The critic learns to foretell returns. Is its target a return?")
    passed = N_(
        "Do all arguments reach the functions that need them? Set gamma to 0: what changes?"
    )
    yield "", "", right, right + fields["values"], {}
    yield "target-is-advantage", target, right, right, {}
    for ddof in (0, 1):
        yield "target-is-whitened", target, right, whitened(right, ddof), {}
        yield "target-is-whitened", target, right, whitened(right, ddof) + fields["values"], {}
    for gamma, lam in (
        (0.98, 0.9),
        (0.99, 0.95),
        (0.9, 0.95),
        (0.9, 0.9),
        (0.98, 0.7),
        (0.99, 0.7),
    ):
        adv = gae_truth(fields, gamma, lam)
        yield "arguments-ignored", passed, adv, adv + fields["values"], {}
    for options in (
        {"value_coef": 0.5},
        {"entropy_coef": 0.0},
        {"value_coef": 0.5, "entropy_coef": 0.0},
    ):
        yield "arguments-ignored", passed, right, right + fields["values"], options
    cut = gae_truth(fields, SMALL["gamma"], SMALL["lam"], cut_ends=True)
    yield (
        "cut-as-terminated",
        N_("The clock ran out; the state still had a value."),
        cut,
        cut + fields["values"],
        {},
    )


def train_exactly(case, seen):
    """One update of known size: a weight that only a mistake explains names it. Other choices than
    the lesson's are left to the weights that they lead to."""
    if case.inputs["num_updates"] != 1:
        return None
    fields, found = fields_of(case, seen), end_weights(seen)
    start = start_weights(case.inputs)
    for name, hint, adv, returns, options in train_ways(fields):
        for scaled in (whitened(adv), whitened(adv, 1), adv):
            rollout = Batch(**{n: np.asarray(fields[n]) for n in FIELDS})
            inputs = {
                **case.inputs,
                **options,
                "rollout": rollout,
                "advantages": scaled,
                "returns": returns,
            }
            wanted = replayed(inputs, [np.arange(adv.size)])[0]
            if agree(found, wanted, start):
                return name and Problem("value", hint=_(hint), mistake=name)
    return None


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
        texts = (
            words.format(n=update, value=number_text(v)) for v in (np.mean(returns), told[update])
        )
        return Problem("value", "", *texts, hint, name)
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
    """The policy's weights, in environments of the grader's own."""
    if case.inputs["num_updates"] == 1:
        return None
    scores = []
    for report in seen["attempts"]:
        before, after = (report["modules"]["policy"][k] for k in ("before", "after"))
        if {k: np.shape(v) for k, v in before.items()} != {
            k: np.shape(v) for k, v in after.items()
        }:
            raise ValueError("weights of another shape")
        scores.append(_score(case.inputs["envs"].kwargs, after))
        if scores[-1] >= MARK:
            return None
    words = _("mean return of at least {mark} over {n} fresh episodes")
    return Problem(
        "behaviour",
        "",
        words.format(mark=MARK, n=EPISODES),
        number_text(max(scores)),
        _(
            "Draw return, KL, clip fraction, entropy and explained variance over the "
            "updates: which of them looks unlike the lesson's?"
        ),
        "mark-missed",
    )


def _score(kwargs, weights):
    """Mean return over 100 sampled episodes, confirmed on 100 fresh ones where it is enough."""
    kwargs = {**kwargs, "num_envs": EPISODES}
    first = sampled_returns(weights, kwargs, seed=1).mean()
    return min(first, sampled_returns(weights, kwargs, seed=2).mean()) if first >= MARK else first


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


TRAIN = Ruled(
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
            train_sampled,
            train_exactly,
            train_returns,
        )
    )
    + (train_mark,),
    overall=(train_seeds,),
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
