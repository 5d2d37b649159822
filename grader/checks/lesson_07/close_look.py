"""What the first gradients of a batch of train_grpo say about advantages, penalty and means."""

from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import N_, _, behaviour
from grader.checks.shared.sentences import (
    language_of,
    log_probs,
    looked_at,
    mask_of,
    proportional,
    weights_of,
)
from grader.checks.shared.sentences_run import KEPT_OLD, UNCLIPPED, SentenceRun

LOW, HIGH = 0.2, 0.28  # how far the band goes below 1, and above it
ROOM = 4e-3  # single precision


def rows_of(case):
    return case.inputs["num_prompts"] * case.inputs["group_size"]


RUN = SentenceRun(
    rows=rows_of,
    epochs=1,
    other_size=lambda found, asked: found != asked,
    size_hint=N_("num_prompts times group_size rows: is each prompt answered group_size times?"),
)


def layouts(case, tokens):
    """Which rows may belong together: (B,) labels for each layout in which every group has one
    prompt: group after group, or one row of each group in turn."""
    prompts, size = case.inputs["num_prompts"], case.inputs["group_size"]
    begun = tokens[:, : language_of(case).prompt_length]
    numbers, found = np.arange(prompts), []
    in_blocks, in_turn = begun.reshape(prompts, size, -1), begun.reshape(size, prompts, -1)
    if (in_blocks == in_blocks[:, :1]).all():
        found.append(np.repeat(numbers, size))
    if (in_turn == in_turn[:1]).all():
        found.append(np.tile(numbers, size))
    return found


def log_ratios(case, seen, tokens):
    """(B, L-1): log of policy over reference at the completions' tokens, 0 elsewhere."""
    whole, logs = torch.tensor(tokens.astype(np.int64)), []
    policy = case.inputs["policy"].materialize()
    with torch.no_grad():
        for net in (policy, case.inputs["reference"].materialize()):
            logs.append(log_probs(tokens, net(whole).numpy().astype(float)))
    return np.where(mask_of(language_of(case), tokens.astype(int)), logs[0] - logs[1], 0.0)


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
    (tokens,) = RUN.batches(case, seen)
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
        tokens=tokens,
        mask=mask_of(language_of(case), tokens.astype(int)),
        log_ratio=log_ratios(case, seen, tokens),
        scores=scores,
        labels=labels,
        beta=given["beta"],
        divide=given.get("divide", False),
        how=given.get("how", "tokens"),
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
        if proportional(found, form, ROOM):
            return name
    if any(name == "right" and proportional(found, -form, ROOM) for name, form in pairs):
        return "minus-sign"
    return ""


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
    hints = {"old-recomputed": _(KEPT_OLD), "no-clip": _(UNCLIPPED)}
    expected = _("ratios to the log-probabilities of the sampling, clipped at {low} and {high}")
    got = _("another gradient from the second step on")
    return behaviour(expected.format(low=1 - LOW, high=1 + HIGH), got, hints[name], name)
