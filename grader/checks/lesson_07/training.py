"""Check of train_grpo: what spies saw, and the exact score and drift of the weights."""

from functools import partial

import numpy as np
import torch

from grader.checking import Case, Problem, Rng, RuleExercise, _, behaviour, number_text
from grader.checks.lesson_07.close_look import (
    HIGH,
    LOW,
    RUN,
    advantage,
    layouts,
    log_ratios,
    rule_close_look,
)
from grader.checks.shared.episodes import raised
from grader.checks.shared.sentences import (
    in_order,
    language_of,
    nudged,
    pretrained,
)
from grader.checks.shared.sentences_led import Way, led_problem, moved
from grader.checks.shared.sentences_run import (
    reached_problem,
    rule_dicts,
    rule_modules,
    same_weights,
)
from grader.probes.language import Language
from grader.probes.ppo import LinearDecay
from grader.probes.train import Module, Optimizer

BETA, MARK, BOUND = 1.0, 0.85, 0.8
UPDATES, PROMPTS, SIZE = 20, 16, 8
LOGGED = "mean_score", "kl", "clip_fraction", "first_ratio", "equal_groups"


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
        "minibatch_size": 20,
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
        train_case(order, reference, policy, short, (seed, 2), sgd=0.01),
        train_case(order, reference, policy, short, (seed, 3), sgd=0.01),
        train_case(order, reference, policy, other, (seed, 4), sgd=0.01),
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


# What was done --------------------------------------------------------------------------------


def rule_keys(case, seen):
    """Each update's dict has the five numbers."""
    for item in seen["value"]["items"]:
        missing = [name for name in LOGGED if number_in(item, name) is None]
        if missing:
            words = _("the keys {names}, each with a number").format(names=", ".join(LOGGED))
            got = _("no number at {name}").format(name=missing[0])
            hint = _("Each update's dict has all of these keys, spelled so.")
            return Problem(step="kind", expected=words, got=got, hint=hint, mistake="key-missing")
    return None


def number_in(item, name):
    told = {key.get("value"): one for key, one in item["items"]}.get(name, {})
    found = told.get("value", told.get("array"))
    return float(np.reshape(found, -1)[0]) if found is not None and np.size(found) == 1 else None


def rule_groups(case, seen):
    """Rows of one group go on from one prompt."""
    if all(layouts(case, rows) for rows in RUN.batches(case, seen)):
        return None
    return behaviour(
        _("groups of {n} completions of one prompt").format(n=case.inputs["group_size"]),
        _("rows of one group have different prompts"),
        _("Hand the prompts to language.sample, each group_size times."),
        "not-in-groups",
    )


def rule_logged(case, seen):
    """The numbers in the dicts are those of the batches."""
    language, parts = language_of(case), RUN.batches(case, seen)
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
        step="value",
        expected=words + number_text(round(float(right), 4)),
        got=words + number_text(found),
        hint=hints[name],
        mistake=names.get(name, "logged-wrong"),
    )


# Where it led ---------------------------------------------------------------------------------


def rule_mark(case, seen):
    """The exact expected score, and the exact drift from the reference."""
    if case.inputs["num_updates"] < UPDATES:
        return None
    drifted = _(
        "Take one sentence, and print its score, its summed log-ratio to the reference and its "
        "advantage. Is the drift charged, once, against a reference that never moves?"
    )
    missed = _(
        "Take one group, and print its scores, its advantages, and the ratio before the first "
        "step. Is that 1, and has the best completion the largest advantage?"
    )
    clip, parts = (1 - LOW, 1 + HIGH), RUN.batches(case, seen)
    problem = reached_problem(case, seen, MARK, BOUND, drifted, missed)
    return problem or led_problem(case, seen, parts, weigh_by(case), ["policy"], clip, LED)


LED = 0.97  # right answers reach 0.989, imitation now and then 0.92


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
    one, same, _other = (seen[n]["modules"]["policy"]["after"] for n in places)
    if problem := same_weights(one, same):
        return problem
    width = language_of(cases[0]).prompt_length
    asked = [[rows[:, :width] for rows in RUN.batches(cases[n], seen[n])] for n in places]
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
        rule_dicts,
        rule_keys,
        RUN.rule_steps,
        RUN.rule_samples,
        rule_groups,
        rule_modules,
        rule_moved,
        rule_close_look,
        rule_logged,
        rule_mark,
    ),
    short_cases=5,
    short_overall=(rule_chance,),
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
