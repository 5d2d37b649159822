"""Check of train_language_ppo: what spies saw, and the exact score and drift of the weights."""

import numpy as np
import torch

from grader.checking import (
    N_,
    Case,
    Problem,
    Rng,
    RuleExercise,
    _,
    behaviour,
    close,
    kind_text,
    number_text,
)
from grader.checks.lesson_06.critic import Look, critic_problem, last_of, old_problem
from grader.checks.shared.episodes import raised, softmax
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.replay import started
from grader.checks.shared.sentences import (
    directions,
    in_order,
    language_of,
    log_probs,
    looked_at,
    mask_of,
    nudged,
    pretrained,
    weights_of,
)
from grader.checks.shared.sentences_led import Way, led_problem, moved
from grader.checks.shared.sentences_run import (
    KEPT_OLD,
    UNCLIPPED,
    SentenceRun,
    reached_problem,
    rule_dicts,
    rule_modules,
    same_weights,
)
from grader.probes.language import Language
from grader.probes.ppo import LinearDecay
from grader.probes.train import Module, Optimizer

BETA, MARK, BOUND = 0.5, 1.15, 2.5
UPDATES, BATCH, EPOCHS, MINIBATCH = 20, 128, 2, 64
# Two thirds as wide as the lesson's models: these learn the language as well, in less time.
# Narrower ones let more sentences of others pass.
BODY = {"width": 32, "heads": 1}
SIZES = {"num_tokens": 8, "length": 7, **BODY}


# Cases ----------------------------------------------------------------------------------------


def train_cases(rng):
    """One batch looked at closely; equal and unequal orders of minibatches; a run that learns."""
    order = rng.permutation(8)
    reference = in_order(pretrained(**BODY), order)
    policy, seed = nudged(reference, rng, 0.1), int(rng.integers(2**31))
    close_look = {
        "num_updates": 1,
        "batch_size": 24,
        "beta": 0.3,  # not the one of the lesson: it must reach the rewards
        "rng": Rng(1),
        "epochs": 4,
        "minibatch_size": 24,
        "clip": 0.05,
    }
    short = {
        "num_updates": 2,
        "batch_size": 14,
        "beta": 0.1,
        "rng": Rng(2),
        "epochs": 2,
        "minibatch_size": 9,
    }
    other = {**short, "rng": Rng(3)}
    whole = {
        "num_updates": UPDATES,
        "batch_size": BATCH,
        "beta": BETA,
        "rng": Rng(int(rng.integers(2**31))),
        "epochs": EPOCHS,
        "minibatch_size": MINIBATCH,
    }
    critic = speaking(rng)
    return [
        train_case(order, reference, policy, close_look, (seed, 1), critic, watched=4, sgd=0.2),
        train_case(order, reference, policy, short, (seed, 2), sgd=0.01),
        train_case(order, reference, policy, short, (seed, 3), sgd=0.01),
        train_case(order, reference, policy, other, (seed, 4), sgd=0.01),
        train_case(order, reference, reference, whole, (seed + 1, 5)),
    ]


def speaking(rng) -> dict:
    """A critic that is wrong and far from 0, so that returns, advantages and whitened ones all
    differ. Small features keep a step of plain gradient descent from overshooting."""
    width = BODY["width"]
    head = rng.normal(size=(1, width)) * 3.5 / width**0.5
    return {
        "norm.weight": np.full(width, 0.2, np.float32),
        "head.weight": head.astype(np.float32),
        "head.bias": np.full(1, 2.0, np.float32),
    }


SILENT = {
    "head.weight": np.zeros((1, BODY["width"]), np.float32),
    "head.bias": np.zeros(1, np.float32),
}


def train_case(order, reference, policy, options, chance, critic=SILENT, watched=0, sgd=None):
    trained = ["policy", "critic"]
    steps = UPDATES * EPOCHS * BATCH // MINIBATCH
    optimizer = LinearDecay("Adam", trained, {"lr": 5e-3}, steps=steps)
    inputs = {
        "chance": list(chance),
        "watched": watched,
        "traced": options["num_updates"] == UPDATES,
        "language": Language({"order": order.tolist()}),
        "policy": Module("Transformer", {**SIZES, "out_size": 8}, policy),
        "critic": started("Transformer", SIZES, 0, critic),
        "reference": Module("Transformer", {**SIZES, "out_size": 8}, reference),
        "optimizer": Optimizer("SGD", trained, {"lr": sgd}) if sgd else optimizer,
        **options,
    }
    words = ", ".join(f"{name}={number_text(options[name])}" for name in options if name != "rng")
    shown = _("train_language_ppo(..., {words})").format(words=words)
    return Case(inputs, tuple(options), shown=shown)


# What was done --------------------------------------------------------------------------------

RUN = SentenceRun(
    rows=lambda case: case.inputs["batch_size"],
    epochs=4,
    other_size=lambda found, asked: found < asked,
    size_hint=N_("Does batch_size reach the sampler?"),
)


def rule_score_told(case, seen):
    """Where the dicts tell a score, it is the batch's mean score."""
    language, parts = language_of(case), RUN.batches(case, seen)
    for item, tokens in zip(seen["value"]["items"], parts, strict=True):
        told = {key.get("value"): one for key, one in item["items"]}.get("score")
        if told is None:
            continue
        wanted = float(language.score(torch.tensor(tokens.astype(np.int64))).mean())
        found = told.get("value", told.get("array"))
        if found is None or np.shape(found) or not close(found, wanted, 1e-3):
            got = kind_text(told)
            hint = _("The mean of language.score over the batch, without the penalty.")
            return Problem(
                step="value",
                expected="score = " + number_text(wanted),
                got=got,
                hint=hint,
                mistake="score-told",
            )
    return None


# One batch, looked at closely -----------------------------------------------------------------


def rule_close_look(case, seen):
    """What the first gradients say about mask, penalty, old log-probabilities and clip. Forms that
    are unknown pass: what counts is where they lead."""
    if not case.inputs["watched"]:
        return None
    (tokens,) = RUN.batches(case, seen)
    steps = looked_at(tokens, seen["steps"])
    if not steps:
        return None
    language = language_of(case)
    mask = mask_of(language, steps[0][0].astype(int))
    look = _look(case, seen, steps[0], mask)
    return (
        _outside(language, steps[0], mask)
        or old_problem(look)
        or _penalty(case, look, steps[0], mask)
        or _later_steps(case, steps, mask)
        or critic_problem(look)
    )


def _look(case, seen, step, mask):
    """The batch before the first step, as the networks of that moment see it."""
    whole = torch.tensor(step[0].astype(np.int64))
    critic = case.inputs["critic"].materialize()
    with torch.no_grad():
        values = critic(whole).numpy().astype(float)
        logits_ref = case.inputs["reference"].materialize()(whole).numpy().astype(float)
    watched = looked_at(whole.numpy(), seen["value_steps"])
    return Look(
        mask=mask,
        logp=log_probs(*step[:2]),
        logp_ref=log_probs(step[0], logits_ref),
        weight=weights_of(*step)[0],
        scores=language_of(case).score(whole).numpy().astype(float),
        values=values,
        value_grads=[one[2] for one in watched] if watched else None,
        beta=case.inputs["beta"],
        clip=case.inputs["clip"],
    )


def _outside(language, step, mask):
    """Gradient where the policy chose nothing."""
    size = np.abs(step[2]).max(-1)
    stray = (size[:, :-1] > 1e-5 * size.max()) & ~mask
    expected = _("a gradient at the completion's tokens alone")
    if stray[:, : language.prompt_length - 1].any():
        return behaviour(
            expected,
            _("the prompt's tokens are trained as well"),
            _("Who wrote the prompt? Let the mask reach the loss."),
            "prompt-trained",
        )
    if stray.any():
        return behaviour(
            expected,
            _("the filling after the end is trained as well"),
            _("After the first eos nothing is chosen. Let the mask reach the loss."),
            "padding-trained",
        )
    return None


def _penalty(case, look, step, mask):
    """How much the score and the log-ratio count for the last token of each sentence."""
    weight, rest = weights_of(*step)
    if np.abs(rest[mask]).max() > 1e-3 * np.abs(weight[mask]).max():
        with torch.no_grad():
            reference = case.inputs["reference"].materialize()
            logits_ref = reference(torch.tensor(step[0].astype(np.int64))).numpy().astype(float)
        return _kl_in_loss(step, logits_ref, rest, mask)
    last = last_of(mask)
    log_ratio, value = (look.logp - look.logp_ref)[last], look.values[last]
    known = np.stack([look.scores, log_ratio, value, np.ones(len(mask))], 1)
    factors, *_others = np.linalg.lstsq(known, weight[last], rcond=None)
    per_score, per_ratio = factors[:2]
    apart = np.abs(known @ factors - weight[last]).max()
    if apart > 1e-3 * np.abs(weight[last]).max() or abs(per_score) < 1e-9:
        return None
    if per_score < 0:
        return behaviour(
            _("a higher score makes a sentence likelier"),
            _("it makes it less likely"),
            _("Which way does the optimiser go?"),
            "minus-sign",
        )
    return _leash(-per_ratio / per_score, case.inputs["beta"])


def _leash(found, beta):
    """found: the factor with which the log-ratio is charged, beside a score that counts once."""
    words = _("the log-ratio to the reference is charged {factor} times")
    expected, got = (
        words.format(factor=number_text(beta)),
        words.format(factor=number_text(round(found, 3))),
    )
    if abs(found - beta) < 0.02 * beta:
        return None
    if abs(found) < 0.02 * beta:
        hint = _(
            "Nothing holds the policy to its reference. Old moves with every rollout; the "
            "reference never does."
        )
        return behaviour(expected, got, hint, "no-leash")
    if abs(found + beta) < 0.02 * beta:
        hint = _(
            "The policy is paid for its drift, not charged. Which log-probability is subtracted?"
        )
        return behaviour(expected, got, hint, "kl-sign")
    if abs(found - 2 * beta) < 0.02 * beta:
        return behaviour(expected, got, _(TWICE), "kl-twice")
    return behaviour(expected, got, _("Does beta reach the rewards?"), "other-beta")


TWICE = N_("The penalty is in the reward and in the loss at once. Once is enough.")


def _kl_in_loss(step, logits_ref, rest, mask):
    """A gradient that is not the written tokens' alone: is it that of a divergence?"""
    tokens, logits, _grad = step
    probs, slope = softmax(logits[:, :-1])[mask], directions(tokens, logits)[mask]
    apart = np.log(probs) - np.log(softmax(logits_ref[:, :-1])[mask])
    known = probs * (apart - (probs * apart).sum(-1, keepdims=True))
    # What lies along the written token's direction was taken for its weight.
    known -= (known * slope).sum(-1, keepdims=True) / (slope**2).sum(-1, keepdims=True) * slope
    left = rest[mask]
    cosine = (known * left).sum() / np.sqrt((known**2).sum() * (left**2).sum())
    if cosine < 0.99:
        return None
    expected, got = _("the penalty in the rewards alone"), _("one in the loss as well")
    return behaviour(expected, got, _(TWICE), "kl-twice")


def _later_steps(case, steps, mask):
    """In later epochs of the same batch: is the ratio to the stored log-probabilities, clipped?"""
    first, clip = weights_of(*steps[0])[0][mask], case.inputs["clip"]
    start = log_probs(*steps[0][:2])[mask]
    ratios, found = [], []
    for step in steps[1:]:
        ratios.append(np.exp(log_probs(*step[:2])[mask] - start))
        found.append(weights_of(*step)[0][mask])
    ratios, found = np.array(ratios), np.array(found)
    clear = np.abs(first) > 0.05 * np.abs(first).max()
    forms = {
        "": alive(ratios, first, clip) * ratios * first,
        "old-recomputed": first + 0 * ratios,
        "no-clip": ratios * first,
        "other-clip": alive(ratios, first, 0.2) * ratios * first,
    }
    errors = {name: _share_apart(found, form, first, clear) for name, form in forms.items()}
    name = min(errors, key=errors.get)
    if not name or errors[name] > 0.01 or errors[""] < errors[name] + 0.05:
        return None
    hints = {
        "old-recomputed": _(KEPT_OLD),
        "no-clip": _(UNCLIPPED),
        "other-clip": _("Does clip reach the loss?"),
    }
    expected = _("ratios to the log-probabilities of the sampling, clipped at {clip}")
    got = _("another gradient from the second step on")
    return behaviour(expected.format(clip=number_text(clip)), got, hints[name], name)


def alive(ratio, adv, clip):
    return np.where(adv > 0, ratio < 1 + clip, ratio > 1 - clip)


def _share_apart(found, form, first, clear):
    """Share of tokens whose weight is not this form's."""
    return float(np.mean(np.abs(found - form)[:, clear] > 0.005 * np.abs(first[clear])))


# Where it led ---------------------------------------------------------------------------------


def rule_mark(case, seen):
    """The exact expected score, and the exact drift from the reference."""
    if case.inputs["num_updates"] < UPDATES:
        return None
    drifted = _(
        "Take one sentence, and print for each of its tokens the reward and the penalty. Is "
        "the score paid once? Is each log-ratio one to the reference, which never moves?"
    )
    missed = _(
        "Take one sentence, and print for each of its tokens the reward, the value, the "
        "advantage, and the ratio before the first step. Is that 1, and does the score at the "
        "end reach the first advantage?"
    )
    problem, clip = reached_problem(case, seen, MARK, BOUND, drifted, missed), (1 - CLIP, 1 + CLIP)
    return problem or led_problem(
        case, seen, RUN.batches(case, seen), weigh_by(case), LEARNERS, clip, LED
    )


LEARNERS, CLIP = ("policy", "critic"), 0.2
LED = 0.985  # right answers reach 0.999, forgeries at most 0.93


def rule_moved(case, seen):
    """The weights are those that the optimiser's steps lead to."""
    return moved(case, seen, LEARNERS)


def weigh_by(case):
    """Right weights of the tokens, and right targets of the critic, of one update's sentences."""

    def weigh(text):
        values, last = text.values[:, :-1], last_of(text.mask)
        charge = case.inputs["beta"] * np.where(text.mask, text.logp - text.logp_ref, 0.0)
        ends, together = np.zeros_like(text.mask), np.zeros_like(charge)
        ends[last], together[last] = True, charge.sum(1)
        even = np.ones_like(charge)
        of_sentences = even / text.mask.sum(1, keepdims=True)
        ways, targets = [], []
        for charged in (charge, together):
            rewards = -charged
            rewards[last] += text.scores
            errors = rewards + np.where(ends, 0.0, np.roll(values, -1, 1)) - values
            for lam in LAMS:
                adv = np.where(text.mask, decayed_sums(errors.T, ends.T, lam).T, 0.0)
                ways += [Way(adv, even), Way(adv, of_sentences)]
                targets.append(adv + values)
        return ways, targets

    return weigh


LAMS = (0.95, 1.0, 0.9, 0.8)  # the lesson's own, and others that are no mistake


def rule_chance(cases, seen):
    """Minibatches come from rng: the same one gives the same weights, another one others."""

    def after(number):
        return seen[number]["modules"]["policy"]["after"]

    if problem := same_weights(after(1), after(2)):
        return problem
    if not same_weights(after(1), after(3)):
        return behaviour(
            _("other minibatches from another rng"),
            _("the same weights"),
            _("Does rng draw the order of the sentences?"),
            "same-order",
        )
    return None


TRAIN_LANGUAGE_PPO = RuleExercise(
    "train_language_ppo",
    "train_language",
    train_cases,
    rules=(
        raised,
        rule_dicts,
        RUN.rule_steps,
        RUN.rule_samples,
        rule_modules,
        rule_moved,
        rule_close_look,
        rule_score_told,
        rule_mark,
    ),
    short_cases=4,
    short_overall=(rule_chance,),
    seconds=60.0,
    prerequisites=(
        "token_logp",
        "completion_mask",
        "masked_mean",
        "terminal_rewards",
        "kl_shaped_rewards",
        "ppo_token_loss",
    ),
)
