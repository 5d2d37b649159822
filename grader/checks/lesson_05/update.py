"""The check of ``ppo_update``: the update by hand, on the samples that each step really used."""

from dataclasses import dataclass, replace

import numpy as np

from grader.checking import (
    N_,
    Case,
    MappingOf,
    Mismatch,
    Number,
    Rng,
    RuleExercise,
    _,
    array_text,
    behaviour,
    number_text,
)
from grader.checks.lesson_05.batches import pieces
from grader.checks.lesson_05.metrics import update_metrics
from grader.checks.lesson_05.replayed import (
    agree,
    end_weights,
    near,
    replayed,
    start_weights,
    used_rows,
)
from grader.checks.shared.episodes import raised
from grader.checks.shared.ppo_update import METRICS, Samples, Way, derivatives, log_softmax
from grader.checks.shared.run_slips import always_one_order, gradients_pile_up, other_generator
from grader.checks.shared.scripted import layer, linear
from grader.checks.shared.slips import teller
from grader.probes.ppo import Batch
from grader.probes.train import Optimizer

OPTIONS = ("epochs", "minibatch_size", "clip", "value_coef", "entropy_coef")
UPDATE_HINTS = {
    "critic-not-trained": "Is the critic's loss part of the loss?",
    "one-step-an-epoch": "One step for each minibatch.",
    "one-epoch": "Is the return inside the loop? Each epoch uses every minibatch.",
    "last-dropped": "The last minibatch may be short; its samples count, too.",
    "first-minibatch-only": "Each epoch uses every minibatch, not the first alone.",
    "coverage": "One permutation an epoch, cut into minibatches.",
    "values-clipped": "The critic's loss is the plain squared error: nothing is clipped there.",
    "taken-apart": "Observation, action and advantage of one sample belong together: index all of "
    "them alike.",
    "not-shuffled": "Neighbours in time are alike. Shuffle before you cut.",
    "nothing-moves": "The optimiser steps, and no weight moves. Is the gradient cleared between "
    "backward() and step()?",
    "no-ratio": "The plain policy gradient is right only for the policy that played. After the "
    "first step another one is scored: where is the ratio?",
    "old-recomputed": "The old log-probabilities were frozen when the data were collected: they "
    "are in the rollout.",
    "no-clip": "Outside the band the gradient looks unclipped. Does clip reach the loss?",
    "entropy-sign": "Reward spread: the loss falls where the entropy grows.",
    "entropy-left-out": "Set entropy_coef to 1: does anything change?",
    "whitened-again": "Advantages come as they are to be used: whitening is the caller's.",
    "entropy-of-taken": "The entropy is that of the whole policy, not of the actions taken alone.",
    "other-clip": "Does clip reach the loss?",
    "critic-loss-halved": "The critic's loss is the mean squared error. What weighs it besides "
    "value_coef?",
    "gradient-clipped": "Nothing but the ratio is clipped here: no gradient clipping.",
    "sums-not-means": "Does your step grow with the minibatch?",
    "flattened-apart": "Two arrays (T, N) flattened in different orders no longer belong together.",
    "sampled-again": "Which actions earned these advantages? Score the stored ones.",
    "value-coef-ignored": "How much does value_coef weigh the critic's loss?",
    "critic": "The policy is right, the critic isn't. What is its target?",
    "policy": "The critic is right, the policy isn't. Look at the terms of its loss.",
    "both-networks": "Both networks end elsewhere. Is each term there, with its sign, and is each "
    "minibatch's loss its own?",
}
# Usual mistakes, and the ways of updating that show them.
WRONG_WAYS = {
    "old-recomputed": (Way(recompute="step"), Way(recompute="epoch")),
    "no-clip": (Way(clipped=False),),
    "entropy-sign": (Way(entropy=-1.0),),
    "entropy-left-out": (Way(entropy=0.0),),
    "whitened-again": (Way(whiten=True), Way(whiten=True, ddof=1)),
    "entropy-of-taken": (Way(taken=True),),
    "other-clip": (Way(clip=0.2),),
    "critic-loss-halved": (Way(value=0.5),),
    "gradient-clipped": tuple(Way(norm=length) for length in (0.5, 1.0, 2.0, 5.0, 10.0)),
    "sums-not-means": (Way(total=True),),
    "taken-apart": (Way(apart="order"),),
}


_told = teller(UPDATE_HINTS)


def update_cases(rng):
    """One full batch; short last minibatches; one case thrice, to see where chance comes from."""
    # Never close to the usual 0.2: who takes that whatever is asked must show.
    third = 0.2 + float(rng.choice([-1, 1]) * rng.uniform(0.05, 0.1))
    rows = [
        ((3, 2), (1, 6, 0.2, 0.5, 0.0)),
        ((4, 3), (2, 5, 0.2, 0.5, 0.1)),
        ((6, 4), (4, 8, third, 1.0, 0.05)),
        ((4, 2), (2, 50, 0.2, 0.5, 0.2)),
    ]
    plain, short, many, large = (
        _update_case(rng, shape, dict(zip(OPTIONS, given, strict=True)), seed)
        for seed, (shape, given) in enumerate(rows, 1)
    )
    other = replace(many, inputs=many.inputs | {"rng": Rng(5)})
    return [plain, short, many, many, other, large, _far(plain)]


FAR = 300.0  # times as large: gradients of lengths that no usual bound lets through


def _far(case):
    """One step along a gradient of a hundred and more. Comes last: what shows elsewhere is told
    there."""
    given = case.inputs
    returns = FAR * (1 + np.abs(given["returns"]))  # of one sign, so that they add up
    far = {"advantages": FAR * given["advantages"], "returns": returns}
    return replace(case, inputs=given | far)


def _update_case(rng, shape, options, seed, size=3, num_actions=3):
    """Stored log-probabilities of a policy somewhat apart, so that ratios leave the band."""
    policy, critic = linear(rng, size, num_actions, 0.5), linear(rng, size, None)
    obs = rng.normal(size=(*shape, size)).astype(np.float32)
    actions = rng.integers(num_actions, size=shape)
    now = log_softmax(layer(policy, obs))
    now = np.take_along_axis(now, actions[..., None], -1)[..., 0]
    old = log_softmax(layer(policy, obs) + rng.normal(size=(*shape, num_actions)) * 0.4)
    logp = np.take_along_axis(old, actions[..., None], -1)[..., 0].astype(np.float32)
    advantages = rng.normal(size=shape) + 0.5
    # On either side of the band one sample that the clip holds, whatever was drawn.
    for sample, ratio in enumerate((1.6, 0.6)):
        logp.flat[sample] = now.flat[sample] - np.log(ratio)
        advantages.flat[sample] = np.sign(ratio - 1) * (abs(advantages.flat[sample]) + 0.5)
    flags = np.zeros(shape, bool)
    values = layer(critic, obs).astype(np.float32)
    rollout = Batch(obs, actions, logp, rng.normal(size=shape), values, values, flags, flags)
    inputs = {
        "policy": policy,
        "critic": critic,
        "optimizer": Optimizer("SGD", ["policy", "critic"], {"lr": 0.3}),
        "rollout": rollout,
        "advantages": advantages,
        "returns": rng.normal(size=shape) * 2,
        **options,
        "rng": Rng(seed),
    }
    words = ", ".join(f"{name}={number_text(options[name])}" for name in OPTIONS)
    shown = _("ppo_update(...) with {n} samples, {words}").format(n=actions.size, words=words)
    return Case(inputs, keywords=(*OPTIONS, "rng"), shown=shown)


def update_steps(case, seen):
    """The optimiser's steps: how many, and on which samples."""
    given = case.inputs
    size, part, epochs = given["rollout"].actions.size, given["minibatch_size"], given["epochs"]
    wanted = [min(part, size - start) for start in range(0, size, part)]
    rows = used_rows(seen)
    if not rows or not any(len(r) for r in rows):
        return _no_step(seen, len(wanted) * epochs)
    if seen["leftover"]:
        return gradients_pile_up()
    if len(rows) != len(wanted) * epochs:
        return _step_count(rows, len(wanted), epochs, size, part)
    return _rows_together(seen, epochs, part, size) or _epochs_whole(rows, wanted, epochs, size)


def _no_step(seen, count):
    if any(len(step["policy"]) for step in seen["rows"]):
        return _told(_("a gradient for the critic"), _("none reaches it"), "critic-not-trained")
    hint = _("zero_grad, backward, step: all three, in this order?")
    return behaviour(
        _("{n} optimiser steps").format(n=count),
        _("{n} optimiser steps with a gradient").format(n=0),
        hint if len(seen["rows"]) else _("Who calls the optimiser?"),
        "no-step",
    )


def _step_count(rows, parts, epochs, size, part):
    expected = _("{n} optimiser steps: {epochs} epochs of {parts} minibatches").format(
        n=parts * epochs, epochs=epochs, parts=parts
    )
    got = _("{n} optimiser steps").format(n=len(rows))
    full = sum(len(r) == size for r in rows)
    if len(rows) == epochs and full == epochs and parts > 1:
        return _told(expected, got, "one-step-an-epoch")
    if len(rows) == parts and epochs > 1:
        return _told(expected, got, "one-epoch")
    if len(rows) == epochs * (size // part):
        return _told(expected, got, "last-dropped")
    first_only = len(rows) == epochs
    return _told(expected, got, "first-minibatch-only" if first_only else "steps-miscounted")


def _epochs_whole(rows, wanted, epochs, size):
    for epoch in range(epochs):
        mine = rows[epoch * len(wanted) : (epoch + 1) * len(wanted)]
        found = np.sort(np.concatenate(mine))
        if np.array_equal(found, np.arange(size)) and [len(r) for r in mine] == wanted:
            continue
        words = _("each of the {n} samples once an epoch").format(n=size)
        missing = sorted(set(range(size)) - set(found.tolist()))
        got = _("minibatches of sizes {sizes}").format(sizes=[len(r) for r in mine])
        got += "; " + _("missing: {missing}").format(missing=missing) if missing else ""
        return _told(words, got, "coverage")
    return None


def _rows_together(seen, epochs, part, size):
    """Both networks look at the same samples; the order is no plain count."""
    for step in seen["rows"]:
        policy, critic = (set(step[name].tolist()) for name in ("policy", "critic"))
        if critic < policy and len(policy) <= part:
            wanted = _("every sample of a minibatch moves the critic")
            got = _("{n} of {all} do").format(n=len(critic), all=len(policy))
            return _told(wanted, got, "values-clipped")
        if not policy <= critic:
            got = _("policy and critic look at different ones")
            return _told(_("one set of samples a step"), got, "taken-apart")
    rows = used_rows(seen)
    blocks = len(rows) // epochs
    counted = all(
        np.array_equal(r, np.arange(i % blocks * part, min(size, (i % blocks + 1) * part)))
        for i, r in enumerate(rows)
    )
    if blocks > 1 and size > 8 and counted:
        got = _("samples one after another")
        return _told(_("minibatches in random order"), got, "not-shuffled")
    return None


def update_weights(case, seen):
    """Where the weights must be after these steps on these samples."""
    inputs, rows, found = case.inputs, used_rows(seen), end_weights(seen)
    start = start_weights(inputs)
    wanted, log = replayed(inputs, rows)
    if agree(found, wanted, start) or min(m["edge"] for m in log) < 1e-5:
        return None
    name = _update_mistake(inputs, rows, found, start, seen)
    part = max(wanted, key=lambda n: np.abs(found[n] - wanted[n]).max())
    words = _("after all steps, {name} = {value}")
    expected, got = (words.format(name=part, value=array_text(w[part])) for w in (wanted, found))
    return _told(expected, got, name, "value")


def _plain_gradient(seen, log):
    """Whether the loss that is told is minus the mean of logp A: no ratio, frozen or not."""
    try:
        told = MappingOf({"policy_loss": Number()}).arrays(seen["value"])["policy_loss"]
    except Mismatch:
        return False
    return near(told, np.mean([m["without_ratio"] for m in log]))


def _update_mistake(inputs, rows, found, start, seen):
    if all(np.array_equal(found[name], start[name]) for name in start):
        return "nothing-moves"
    if inputs["returns"].min() >= FAR and _short_of(found, replayed(inputs, rows)[0], start):
        return "gradient-clipped"
    for name, way in ((name, way) for name, ways in WRONG_WAYS.items() for way in ways):
        wanted, log = replayed(inputs, rows, way)
        if agree(found, wanted, start):
            plain = way.recompute == "step" and _plain_gradient(seen, log)
            return "no-ratio" if plain else name
    if agree(found, replayed(inputs, rows, transposed=True)[0], start):
        return "flattened-apart"
    if seen["torch_drawn"]:
        return "sampled-again"
    wanted = replayed(inputs, rows)[0]
    if _near("policy", found, wanted):
        unweighed = replayed(inputs, rows, Way(value=1 / inputs["value_coef"]))[0]
        return "value-coef-ignored" if _near("critic", found, unweighed) else "critic"
    return "policy" if _near("critic", found, wanted) else "both-networks"


def _short_of(found, wanted, start):
    """Whether all weights went the right way, and not as far."""
    one, other = (
        np.concatenate([(w[n] - start[n]).ravel() for n in start]) for w in (found, wanted)
    )
    length = one @ other / (other @ other)
    return 0 < length < 1 and bool(np.allclose(one, length * other, atol=1e-3 * np.abs(one).max()))


def _near(network, found, wanted):
    names = [name for name in wanted if name.startswith(network)]
    return all(np.allclose(found[name], wanted[name], atol=1e-4) for name in names)


def update_chance(cases, seen):
    """The same rng gives the same minibatches, another one others."""
    orders = [[r.tolist() for r in used_rows(one)] for one in seen]
    if orders[2] != orders[3]:
        return other_generator(_("the same minibatches from the same rng"))
    if orders[2] == orders[4]:
        return always_one_order(_("other minibatches from another rng"))
    return None


@dataclass(frozen=True)
class Update(RuleExercise):
    """Answers for later exercises: minibatches, and gradients at the networks' outputs."""

    def answer(self, question):
        kind, *given = question["args"]
        if kind == "plan":
            size, part, epochs, seed = given
            seeds = np.random.default_rng(seed).integers(2**31, size=epochs)
            return {"value": [idx for one in seeds for idx in pieces(size, part, one)]}
        logits, values, actions, logp, adv, ret, *options = given
        samples = Samples(None, actions, logp, adv, ret)
        *slopes, metrics = derivatives(np.asarray(logits, float), values, samples, *options)
        return {"value": {"slopes": slopes, "metrics": {n: metrics[n] for n in METRICS}}}


UPDATE = Update(
    "ppo_update",
    "update",
    update_cases,
    rules=(raised, update_steps, update_weights, update_metrics),
    overall=(update_chance,),
    hint=N_("Take one minibatch and one step, and print each term of the loss and its shape."),
    prerequisites=("entropy", "minibatches"),
)
