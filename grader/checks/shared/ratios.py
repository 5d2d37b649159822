"""What the checks of this lesson share: samples with chosen ratios, and words of their hints."""

import numpy as np

from grader.checking import Case, Tensor, _, array_text, call_text

# A log-ratio of 13.8. A bound of 20 that guards against an overflow is no mistake.
HUGE = 1e6
# Ratios far from 1 with both signs of a large advantage: nothing but the band holds a sample there.
FAR = [0.01, HUGE, 0.01, HUGE], [100.0, 200.0, -300.0, -400.0]
# What every sample or token may share.
EQUAL = [1.5, 1.5, 1.5], [-2.0, -2.0, -2.0]


def far_from_one(case, seen, truth):
    """Wrong in a call with a ratio far from 1. Of a check in which such calls come last, this is
    the symptom of a ratio that is held back."""
    given = {name: one.array for name, one in case.inputs.items() if isinstance(one, Tensor)}
    others = [given[name] for name in ("logp_old", "logp_ref") if name in given]
    logs = [given["logp"] - other for other in others] or [np.log(case.inputs["ratio"])]
    return any((np.abs(one) > 4).any() for one in logs)


def old_logp(rng, size):
    """Log-probabilities of actions as an old policy might have given them, (size,)."""
    return np.log(rng.uniform(0.05, 0.6, size=size))


def logs(ratio, rng=None, dtype=np.float64):
    """(logp, logp_old) whose ratios are `ratio` (B,)."""
    ratio = np.asarray(ratio, dtype=float)
    logp_old = np.full(ratio.shape, -1.0) if rng is None else old_logp(rng, ratio.shape)
    return (logp_old + np.log(ratio)).astype(dtype), logp_old.astype(dtype)


def off_the_edges(rng, size, clip, margin=0.02):
    """Ratios on both sides of and inside the band, none near an edge, (size,)."""
    ratio = np.exp(rng.normal(0, 1.6 * clip + 0.1, size=size))
    for edge in (1 - clip, 1 + clip):
        near = np.abs(ratio - edge) < margin
        ratio[near] = edge + margin * np.where(ratio[near] < edge, -2.0, 2.0)
    return ratio


def loss_case(
    name, ratio, adv, rng=None, dtype=np.float64, adv_grad=False, keywords=(), edge=False, **others
):
    """A call with these ratios: gradients are asked of logp and of what must get none."""
    logp, logp_old = logs(ratio, rng, dtype)
    inputs = {
        "logp": Tensor(logp, grad=True),
        "logp_old": Tensor(logp_old, grad=True),
        "adv": Tensor(np.asarray(adv, dtype=dtype), grad=adv_grad),
        **others,
    }
    words = _("ratios: {ratios}").format(ratios=array_text(np.round(ratio, 4)))
    return Case(inputs, keywords, shown=call_text(name, inputs) + "\n" + words, edge=edge)
