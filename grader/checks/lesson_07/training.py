"""Check of train_grpo: what spies saw, and the exact score and drift of the weights."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from grader.checking import Case, Problem, Rng, RuleExercise, _, kind_text, number_text
from grader.checks.shared import tabular
from grader.checks.shared.episodes import raised
from grader.checks.shared.replay import follow
from grader.checks.shared.sentences import (
    behaviour,
    in_order,
    language_of,
    log_probs,
    looked_at,
    mask_of,
    model,
    nudged,
    pretrained,
    weights_of,
)
from grader.checks.shared.sentences_led import Way, led_problem, moved
from grader.probes.language import Language
from grader.probes.ppo import LinearDecay
from grader.probes.train import Module, Optimizer

BETA, MARK, BOUND = 1.0, 0.85, 0.8
UPDATES, PROMPTS, SIZE = 20, 16, 8
LOGGED = "mean_score", "kl", "clip_fraction", "first_ratio", "equal_groups"
LOW, HIGH = 0.2, 0.28


# Cases ----------------------------------------------------------------------------------------


def train_cases(rng):
    """One batch looked at closely; equal and unequal rng; a run that learns."""
    order = rng.permutation(8)
    reference = in_order(pretrained(), order)
    policy, seed = nudged(reference, rng, 0.25), int(rng.integers(2**31))
    close_look = {
        "num_updates": 1,
        "num_prompts": 4,
        "group_size": 6,
        "beta": 0.3,
        "rng": Rng(1),
        "epochs": 4,
        "minibatch_size": 24,
        "divide": True,
        "how": "sentences",
    }
    short = {
        "num_updates": 2,
        "num_prompts": 12,
        "group_size": 3,
        "beta": 0.1,
        "rng": Rng(2),
        "epochs": 2,
        "minibatch_size": 10,
    }
    other = {**short, "rng": Rng(3)}
    whole = {
        "num_updates": UPDATES,
        "num_prompts": PROMPTS,
        "group_size": SIZE,
        "beta": BETA,
        "rng": Rng(int(rng.integers(2**31))),
    }
    plain = {**close_look, "divide": False, "how": "tokens", "epochs": 1}
    return [
        train_case(order, reference, policy, close_look, (seed, 1), watched=4, sgd=0.03),
        train_case(order, reference, policy, plain, (seed, 1), watched=1, sgd=0.2),
        train_case(order, reference, policy, short, (seed, 2)),
        train_case(order, reference, policy, short, (seed, 3)),
        train_case(order, reference, policy, other, (seed, 4)),
        train_case(order, reference, reference, whole, (seed + 1, 5)),
    ]


def train_case(order, reference, policy, options, chance, watched=0, sgd=None):
    sizes = {"num_tokens": 8, "length": 7, "out_size": 8}
    fading = LinearDecay("Adam", ["policy"], {"lr": 5e-3}, steps=UPDATES * PROMPTS * SIZE // 64)
    inputs = {
        "chance": list(chance),
        "watched": watched,
        "traced": options["num_updates"] == UPDATES,
        "language": Language({"order": order.tolist()}),
        "policy": Module("Transformer", sizes, policy),
        "reference": Module("Transformer", sizes, reference),
        "optimizer": Optimizer("SGD", ["policy"], {"lr": sgd}) if sgd else fading,
        **options,
    }
    words = ", ".join(f"{name}={options[name]!r}" for name in options if name != "rng")
    return Case(inputs, tuple(options), shown=_("train_grpo(..., {words})").format(words=words))


def rows_of(case):
    return case.inputs["num_prompts"] * case.inputs["group_size"]


def steps_per_update(case):
    given = case.inputs
    return given.get("epochs", 1) * math.ceil(rows_of(case) / given.get("minibatch_size", 64))


def batches(case, seen) -> list:
    """For each update the rows sampled since the one before, (B, L)."""
    each = steps_per_update(case)
    found = [[] for _update in range(case.inputs["num_updates"])]
    for row in seen["samples"]:
        update = row["steps"] // each
        if row["steps"] % each == 0 and update < len(found):
            found[update].append(row["tokens"])
    return [np.concatenate(rows) if rows else np.zeros((0, 0)) for rows in found]


def layouts(case, tokens):
    """Which rows may belong together: (B,) labels for each layout in which every group has one
    prompt: group after group, or one row of each group in turn."""
    prompts, size = case.inputs["num_prompts"], case.inputs["group_size"]
    begun = tokens[:, : language_of(case).prompt_length]
    found = []
    for labels in (np.repeat(np.arange(prompts), size), np.tile(np.arange(prompts), size)):
        if all(len(np.unique(begun[labels == one], axis=0)) == 1 for one in range(prompts)):
            found.append(labels)
    return found


# What was done --------------------------------------------------------------------------------


def rule_history(case, seen):
    """A list of dicts, one for each update, with the five numbers."""
    problem = tabular.one_dict_each(seen["value"], case.inputs["num_updates"])
    if problem:
        return problem
    for item in seen["value"]["items"]:
        if item.get("kind") != "mapping":
            words = _("a list of {n} dicts").format(n=case.inputs["num_updates"])
            hint = _("One dict for each update.")
            return Problem("kind", "", words, kind_text(item), hint, "history-items")
        missing = [name for name in LOGGED if number_in(item, name) is None]
        if missing:
            words = _("the keys {names}, each with a number").format(names=", ".join(LOGGED))
            got = _("no number at {name}").format(name=missing[0])
            return Problem("kind", "", words, got, "", "key-missing")
    return None


def number_in(item, name):
    told = {key.get("value"): one for key, one in item["items"]}.get(name, {})
    found = told.get("value", told.get("array"))
    return float(np.reshape(found, -1)[0]) if found is not None and np.size(found) == 1 else None


def rule_steps(case, seen):
    """The optimiser's steps, each with a fresh gradient."""
    spy, wanted = (
        seen["optimizers"]["optimizer"],
        steps_per_update(case) * case.inputs["num_updates"],
    )
    words = _("{n} optimiser steps")
    expected, got = words.format(n=wanted), words.format(n=spy["steps"])
    if spy["steps"] == 0 or spy["empty"] == spy["steps"]:
        hint = _("zero_grad, backward, step: all three, in this order?")
        return behaviour(expected, words.format(n=0), hint, "no-step")
    if spy["leftover"]:
        return behaviour(
            _("a fresh gradient at each step"),
            _("old gradients added to new ones"),
            _("backward() adds to what is there already. Who clears it?"),
            "gradients-pile-up",
        )
    if spy["steps"] == wanted:
        return None
    hint = _("One step for each minibatch, epochs times over the batch, in each update.")
    return behaviour(expected, got, hint, "steps-miscounted")


def rule_samples(case, seen):
    """Fresh groups for each update, written by the policy itself."""
    size, parts = rows_of(case), batches(case, seen)
    expected = _("{n} sentences sampled from the policy for each update").format(n=size)
    if not seen["samples"]:
        got = _("language.sample was never called")
        hint = _("Where do the sentences of a batch come from?")
        return behaviour(expected, got, hint, "not-sampled")
    if any(row["source"] == "reference" for row in seen["samples"]):
        got = _("sentences sampled from the reference")
        hint = _("Whose sentences does the policy gradient average over?")
        return behaviour(expected, got, hint, "sampled-from-reference")
    if any(len(rows) == 0 for rows in parts):
        hint = _("After an update the policy writes other sentences. Sample again.")
        return behaviour(expected, _("none for some updates"), hint, "sampled-once")
    if any(len(rows) != size for rows in parts):
        got = _("{n} sentences").format(n=min(map(len, parts)))
        hint = _("num_prompts times group_size rows: is each prompt answered group_size times?")
        return behaviour(expected, got, hint, "batch-size")
    if not all(layouts(case, rows) for rows in parts):
        return behaviour(
            _("groups of {n} completions of one prompt").format(n=case.inputs["group_size"]),
            _("rows of one group have different prompts"),
            _("Hand the prompts to language.sample, each group_size times."),
            "not-in-groups",
        )
    return None


def rule_modules(case, seen):
    """The policy learns in place; the reference never moves."""
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
    return None


def rule_logged(case, seen):
    """The numbers in the dicts are those of the batches."""
    language, parts = language_of(case), batches(case, seen)
    for number, (item, tokens) in enumerate(zip(seen["value"]["items"], parts, strict=True)):
        scores = language.score(torch.tensor(tokens.astype(np.int64))).numpy().astype(float)
        wanted = {"mean_score": [scores.mean()], "first_ratio": [1.0]}
        groups = layouts(case, tokens)
        wanted["equal_groups"] = [share_of_equal(scores, labels) for labels in groups]
        if number == 0:
            wanted["kl"] = first_kl(case, seen, tokens)
        for name, rights in wanted.items():
            found = number_in(item, name)
            if not any(abs(found - right) <= 2e-3 * max(1.0, abs(right)) for right in rights):
                return told_wrong(name, found, rights[0])
        if not -1e-6 <= number_in(item, "clip_fraction") <= 1 + 1e-6:
            return told_wrong("clip_fraction", number_in(item, "clip_fraction"), 0.0)
    return None


def share_of_equal(scores, labels):
    groups = [scores[labels == one] for one in np.unique(labels)]
    return np.mean([group.min() == group.max() for group in groups])


def first_kl(case, seen, tokens):
    """The first batch's estimates of the KL per sentence: k1, or one of the others."""
    x = log_ratios(case, seen, tokens)
    return [one.sum(1).mean() for one in (x, x**2 / 2, np.expm1(-x) + x)]


def log_ratios(case, seen, tokens):
    """(B, L-1): log of policy over reference at the completions' tokens, 0 elsewhere."""
    whole, logs = torch.tensor(tokens.astype(np.int64)), []
    policy = case.inputs["policy"].materialize()
    with torch.no_grad():
        for net in (policy, case.inputs["reference"].materialize()):
            logs.append(log_probs(tokens, net(whole).numpy().astype(float)))
    return np.where(mask_of(language_of(case), tokens.astype(int)), logs[0] - logs[1], 0.0)


def told_wrong(name, found, right):
    hints = {
        "mean_score": _("The mean of language.score over the batch, without the penalty."),
        "first_ratio": _("The ratio to the log-probabilities of the sampling, before any step."),
        "equal_groups": _("The share of groups in which all scores are equal."),
        "kl": _("The sum over a sentence's own tokens of the log-ratio, mean over sentences."),
        "clip_fraction": _("A share lies between 0 and 1."),
    }
    names = {"first_ratio": "first-ratio"}
    words = f"{name} = "
    return Problem(
        "value",
        "",
        words + number_text(round(float(right), 4)),
        words + number_text(found),
        hints[name],
        names.get(name, "logged-wrong"),
    )


# One batch, looked at closely -----------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """The first batch: tokens (B, L), mask and log-ratios (B, L-1), scores and labels (B,)."""

    tokens: np.ndarray
    mask: np.ndarray
    log_ratio: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    beta: float
    divide: bool
    how: str


def rule_close_look(case, seen):
    """What the first gradients say about advantages, penalty and means. Forms that are unknown
    pass: what counts is where they lead."""
    if not case.inputs["watched"]:
        return None
    (tokens,) = batches(case, seen)
    steps = looked_at(tokens, seen["steps"])
    if not steps:
        return None
    ours = mask_of(language_of(case), steps[0][0].astype(int))
    problem = outside(language_of(case), steps[0], ours)
    if problem:
        return problem
    weights = [weights_of(*step)[0] for step in steps]
    found = summed(steps[0][0], np.where(ours, weights[0], 0.0))
    looks = [batch_of(case, seen, tokens, labels) for labels in layouts(case, tokens)]
    name = named(found, looks)
    if name and name != "right":
        return behaviour(*MISTAKES[name](), name)
    return stale(case, steps, weights, ours) if name == "right" else None


def batch_of(case, seen, tokens, labels):
    given = case.inputs
    scores = language_of(case).score(torch.tensor(tokens.astype(np.int64))).numpy().astype(float)
    return Batch(
        tokens,
        mask_of(language_of(case), tokens.astype(int)),
        log_ratios(case, seen, tokens),
        scores,
        labels,
        given["beta"],
        given.get("divide", False),
        given.get("how", "tokens"),
    )


def outside(language, step, mask):
    """Gradient where the policy chose nothing."""
    size = np.abs(step[2]).max(-1)
    stray = (size[:, :-1] > 1e-5 * size.max()) & ~mask
    if not stray.any():
        return None
    inside = (size[:, :-1] > 1e-5 * size.max()) & mask
    name = "mask-ignored" if inside.any() else "mask-inverted"
    return behaviour(
        _("a gradient at the completion's tokens alone"),
        _("prompt or filling are trained"),
        _("Let the mask reach the loss: true where the policy chose a token."),
        name,
    )


def summed(tokens, weights):
    """Weights added up over rows that are alike, in the order of np.unique."""
    _rows, place = np.unique(tokens.astype(int), axis=0, return_inverse=True)
    total = np.zeros((place.max() + 1, weights.shape[1]))
    np.add.at(total, place.reshape(-1), weights)
    return total


def advantage(scores, labels, kind):
    """(B,): scores less their group's mean, by the way `kind` of dividing."""
    adv = np.zeros_like(scores)
    for label in np.unique(labels):
        own = labels == label
        group = scores[own]
        if group.min() == group.max():
            continue
        spread = {"ddof0": group.std(), "ddof1": group.std(ddof=1), "plain": 1.0}[kind]
        adv[own] = (group - group.mean()) / (spread + (1e-4 if kind != "plain" else 0.0))
    return adv


def per_token(batch, adv, kl, how):
    """(U, L-1): each token's weight in the objective, with `kl` (B, L-1) charged in the loss."""
    own = np.maximum(batch.mask.sum(1, keepdims=True), 1)
    share = {"tokens": 1.0, "constant": 1.0, "sentences": 1 / own}[how]
    weights = np.where(batch.mask, (adv[:, None] - kl) * share, 0.0)
    return summed(batch.tokens, weights)


def forms(batch):
    """(name, weights (U, L-1)) of the right ways and of known mistakes; "right" comes first."""
    x, beta, none = batch.log_ratio, batch.beta, np.zeros_like(batch.log_ratio)
    in_loss = [-np.expm1(-x), x]  # slopes of k3 and of k2
    drift = x.sum(1)
    ways = ("ddof0", "ddof1") if batch.divide else ("plain",)
    others = ("plain",) if batch.divide else ("ddof0", "ddof1")

    def all_of(scores, kls, kinds, labels=batch.labels, how=batch.how):
        return [
            per_token(batch, advantage(scores, labels, kind), kl, how)
            for kl in kls
            for kind in kinds
        ]

    def charged(sign, kinds, **more):
        paid = all_of(batch.scores - sign * beta * drift, [none], kinds, **more)
        return paid + all_of(batch.scores, [sign * beta * one for one in in_loss], kinds, **more)

    paid = batch.scores - beta * drift
    wrong_how = [how for how in ("tokens", "sentences") if how != batch.how]
    yield from (("right", one) for one in charged(1, ways))
    yield from (("no-leash", one) for one in all_of(batch.scores, [none], ways))
    yield from (("kl-sign", one) for one in charged(-1, ways))
    yield from (
        ("kl-twice", one)
        for one in charged(2, ways) + all_of(paid, [beta * one for one in in_loss], ways)
    )
    yield from (("divide-ignored", one) for one in charged(1, others))
    yield from (("how-ignored", one) for how in wrong_how for one in charged(1, ways, how=how))
    for turn in (1, -1):
        rolled = np.roll(batch.labels, turn)
        yield from (("groups-misaligned", one) for one in charged(1, ways, labels=rolled))
    for scores, kls in [(paid, [none]), (batch.scores, [beta * one for one in in_loss])]:
        together = np.zeros(len(scores), int)
        kinds = (*ways, *others)
        yield from (("over-the-batch", one) for one in all_of(scores, kls, kinds, labels=together))
        raw = [per_token(batch, scores, kl, batch.how) for kl in kls]
        yield from (("no-baseline", one) for one in raw)


def named(found, looks):
    """The name of the first form that found is a positive multiple of; "" for an unknown one."""
    pairs = [pair for batch in looks for pair in forms(batch)]
    pairs.sort(key=lambda pair: pair[0] != "right")
    for name, form in pairs:
        if proportional(found, form):
            return name
    if any(name == "right" and proportional(found, -form) for name, form in pairs):
        return "minus-sign"
    return ""


def proportional(found, form):
    """Whether found is a positive multiple of form."""
    scale = (found * form).sum() / max((form**2).sum(), 1e-12)
    return scale > 0 and np.abs(found - scale * form).max() < 4e-3 * np.abs(found).max()


MISTAKES = {
    "no-leash": lambda: (
        _("the drift from the reference charged beta times"),
        _("nothing charged"),
        _("Where does beta enter: the scores, or the loss? One of the two."),
    ),
    "kl-sign": lambda: (
        _("the drift from the reference charged"),
        _("the drift is paid"),
        _("The policy is paid for its drift, not charged. Which log-probability is subtracted?"),
    ),
    "kl-twice": lambda: (
        _("the drift charged once"),
        _("charged twice"),
        _("The penalty is in the score and in the loss at once. Once is enough."),
    ),
    "divide-ignored": lambda: (
        _("advantages divided by the group's deviation where divide asks for it"),
        _("the other way"),
        _("Does divide reach grpo_advantages?"),
    ),
    "how-ignored": lambda: (
        _("tokens put together as how asks"),
        _("another mean"),
        _("Does how reach grpo_loss?"),
    ),
    "groups-misaligned": lambda: (
        _("each completion compared with its own group"),
        _("labels shifted by a row"),
        _("Does row i of groups speak of row i of tokens?"),
    ),
    "over-the-batch": lambda: (
        _("each completion compared with its own group"),
        _("compared with the whole batch"),
        _("With whom is a completion compared: with all, or with its own prompt's?"),
    ),
    "no-baseline": lambda: (
        _("each completion compared with its own group"),
        _("scores as they are"),
        _("Which function makes advantages of scores?"),
    ),
    "minus-sign": lambda: (
        _("a higher score makes a sentence likelier"),
        _("it makes it less likely"),
        _("Which way does the optimiser go?"),
    ),
}


def stale(case, steps, weights, mask):
    """In later epochs: is the ratio one to the stored log-probabilities, and clipped?"""
    # Rows that are alike may come in another order at each step: the others are enough.
    _rows, place, count = np.unique(
        steps[0][0].astype(int), axis=0, return_inverse=True, return_counts=True
    )
    mask = mask & (count[place.reshape(-1)] == 1)[:, None]
    if not mask.any():
        return None
    first = weights[0][mask]
    clear = np.abs(first) > 0.05 * np.abs(first).max()
    start = log_probs(*steps[0][:2])[mask]
    ratio = np.array([np.exp(log_probs(*step[:2])[mask] - start) for step in steps[1:]])
    if not len(ratio):
        return None
    found = np.array([one[mask] for one in weights[1:]])
    alive = np.where(first > 0, ratio < 1 + HIGH, ratio > 1 - LOW)
    known = {"": alive * ratio, "old-recomputed": 1 + 0 * ratio, "no-clip": ratio}
    apart = {
        name: np.mean(np.abs(found - form * first)[:, clear] > 0.01 * np.abs(first[clear]))
        for name, form in known.items()
    }
    name = min(apart, key=apart.get)
    if not name or apart[name] > 0.02 or apart[""] < apart[name] + 0.05:
        return None
    hints = {
        "old-recomputed": _(
            "The old log-probabilities are those of the moment of sampling: frozen for all epochs."
        ),
        "no-clip": _("Outside the band the gradient looks unclipped. Is it the clipped loss?"),
    }
    expected = _("ratios to the log-probabilities of the sampling, clipped at {low} and {high}")
    got = _("another gradient from the second step on")
    return behaviour(expected.format(low=1 - LOW, high=1 + HIGH), got, hints[name], name)


# Where it led ---------------------------------------------------------------------------------


def rule_mark(case, seen):
    """The exact expected score, and the exact drift from the reference."""
    import policy_gradients as pg

    if case.inputs["num_updates"] < UPDATES:
        return None
    policy = model(case.inputs["policy"], follow(case, seen, "policy").end)
    reference = case.inputs["reference"].materialize()
    reached = pg.language.exact(language_of(case), policy, reference)
    words = _("exact expected score {score}, exact KL to the reference {kl}")
    expected = _(
        "an exact expected score of at least {mark}, with an exact KL to the reference of "
        "at most {bound}"
    ).format(mark=MARK, bound=BOUND)
    got = words.format(score=f"{reached.score:.2f}", kl=f"{reached.kl:.2f}")
    if not reached.kl <= BOUND:
        hint = _(
            "Take one sentence, and print its score, its summed log-ratio to the reference and its "
            "advantage. Is the drift charged, once, against a reference that never moves?"
        )
        return behaviour(expected, got, hint, "drifted")
    if not reached.score >= MARK:
        hint = _(
            "Take one group, and print its scores, its advantages, and the ratio before the first "
            "step. Is that 1, and has the best completion the largest advantage?"
        )
        return behaviour(expected, got, hint, "mark-missed")
    clip, parts = (1 - LOW, 1 + HIGH), batches(case, seen)
    return led_problem(case, seen, parts, weigh_by(case), ["policy"], clip)


def rule_moved(case, seen):
    """The weights are those that the optimiser's steps lead to."""
    return moved(case, seen, ["policy"])


def weigh_by(case):
    """Right weights of the tokens of one update's sentences. Sentences that are alike may stand in
    several groups, and which one a minibatch held isn't known: they count as their mean."""

    def weigh(text):
        found, beta = [], case.inputs["beta"]
        drift = np.where(text.mask, text.logp - text.logp_ref, 0.0)
        _rows, place = np.unique(text.tokens, axis=0, return_inverse=True)
        place = place.reshape(-1)
        for labels in layouts(case, text.tokens)[:1]:
            charged = advantage(text.scores - beta * drift.sum(1), labels, "plain")
            apart = advantage(text.scores, labels, "plain")
            even = np.ones_like(drift)
            found.append(Way(_shared(charged[:, None] * even, place), even))
            alone = _shared(apart[:, None] * even, place)
            found += [Way(alone, even, partial(one, beta)) for one in (of_k2, of_k3)]
        return found, []

    return weigh


def of_k2(beta, log_ratio):
    """The slope, with its sign, of a penalty that stands in the loss."""
    return -beta * log_ratio


def of_k3(beta, log_ratio):
    return beta * np.expm1(-log_ratio)


def _shared(weights, place):
    """(B, L - 1): each row the mean over the rows that are alike."""
    total = np.zeros((place.max() + 1, weights.shape[1]))
    np.add.at(total, place, weights)
    return (total / np.bincount(place)[:, None])[place]


def rule_chance(cases, seen):
    """Prompts and minibatches come from rng: equal ones give equal weights, others others."""
    places = [n for n, case in enumerate(cases) if case.inputs["num_prompts"] == 12]
    one, same, other = (seen[n]["modules"]["policy"]["after"] for n in places)
    if not all(np.array_equal(one[name], same[name]) for name in one):
        return behaviour(
            _("the same weights from the same rng"),
            _("other weights"),
            _("All randomness comes from rng, but for the sampling of sentences."),
            "not-from-rng",
        )
    width = language_of(cases[0]).prompt_length
    asked = [[rows[:, :width] for rows in batches(cases[n], seen[n])] for n in places]
    if all(np.array_equal(a, b) for a, b in zip(asked[0], asked[2])):
        return behaviour(
            _("other prompts from another rng"),
            _("the same prompts"),
            _("Does rng draw the prompts?"),
            "same-prompts",
        )
    return None


TRAIN_GRPO = RuleExercise(
    "train_grpo",
    "train_language",
    train_cases,
    rules=(
        raised,
        rule_history,
        rule_steps,
        rule_samples,
        rule_modules,
        rule_moved,
        rule_close_look,
        rule_logged,
        rule_mark,
    ),
    overall=(rule_chance,),
    short_cases=5,
    seconds=60.0,
    prerequisites=(
        "token_logp",
        "completion_mask",
        "rloo_advantages",
        "grpo_advantages",
        "aggregate_loss",
        "grpo_loss",
    ),
)
