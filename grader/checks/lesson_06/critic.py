"""What the first step's gradients say about the critic's side of train_language_ppo.

The gradient at a critic's output is proportional to value minus target, whatever the loss's
factor; the gradient at the policy's logits says how much each token counted. A known mistake is
named where it alone explains them. Everything unknown passes.
"""

from dataclasses import dataclass, replace

import numpy as np

from grader.checking import N_, _, behaviour
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.sentences import proportional
from grader.checks.shared.whitening import whitened

LAMS = (0.95, 1.0, 0.9, 0.97, 0.98, 0.99, 0.8, 0.5, 0.0)


@dataclass(frozen=True)
class Look:
    """One batch before the first step, rows in one order.

    mask, logp, logp_ref, weight (B, L - 1): weight of each written token in the objective
    scores (B,); values (B, L): the critic's, at each token
    value_grads: for each watched step (B, L), the gradient at the critic's output; None: not seen
    """

    mask: np.ndarray
    logp: np.ndarray
    logp_ref: np.ndarray
    weight: np.ndarray
    scores: np.ndarray
    values: np.ndarray
    value_grads: list | None
    beta: float
    clip: float


def rewards_of(look):
    """(B, L - 1): the score at the last token, and each token's charge."""
    rewards = -look.beta * np.where(look.mask, look.logp - look.logp_ref, 0.0)
    rewards[last_of(look.mask)] += look.scores
    return rewards


def last_of(mask):
    """Indices of each row's last true entry."""
    return np.arange(len(mask)), mask.shape[1] - 1 - mask[:, ::-1].argmax(1)


def advantages(look, values, lam):
    """(B, L - 1): what the lesson's token_gae gives with these values (B, L - 1), also outside the
    mask, where it means nothing."""
    ends = np.zeros_like(look.mask)
    ends[last_of(look.mask)] = True
    errors = rewards_of(look) + np.where(ends, 0.0, np.roll(values, -1, 1)) - values
    return decayed_sums(errors.T, ends.T, lam).T


def named(found, forms):
    """The first form's name that found is a positive multiple of, or "" for an unknown one."""
    return next((name for name, form in forms if proportional(found, form)), "")


def centred(adv):
    return adv - adv.mean()


# Old log-probabilities ------------------------------------------------------------------------


def old_problem(look):
    """Ratios before the first step that are not 1, but those to the reference."""
    on = look.mask
    ratio = np.exp(look.logp - look.logp_ref)[on]
    found = look.weight[on]
    known = []
    for lam in LAMS:
        for charged in (look, replace(look, beta=0.0)):
            adv = advantages(charged, look.values[:, :-1], lam)[on]
            known += [adv, centred(adv)]
    if any(proportional(found, adv) for adv in known):
        return None
    for adv in known:
        inside = np.where(adv > 0, ratio < 1 + look.clip, ratio > 1 - look.clip)
        if proportional(found, inside * ratio * adv):
            return behaviour(
                _("a ratio of 1 before the first step"),
                _("the ratio to the reference"),
                _("Old is who wrote these sentences. Who computed logp_old?"),
                "old-from-reference",
            )
    return None


# Critic ---------------------------------------------------------------------------------------


def critic_problem(look):
    """Places, targets and use of the critic's values."""
    return _places(look) or _target(look) or _use(look)


LATE = N_(
    "The value of a token's state has not seen that token. Which column of critic(tokens) meets "
    "column 0 of token_logp?"
)


def _late():
    return behaviour(
        _("values of the states before each token"),
        _("values read one position late"),
        _(LATE),
        "values-late",
    )


def _places(look):
    """Where the critic's loss has entries."""
    if look.value_grads is None:
        return None
    seen = np.any([np.abs(g) > 1e-5 * np.abs(g).max() for g in look.value_grads], axis=0)
    last = np.zeros((len(seen), 1), bool)
    own, late = np.hstack([look.mask, last]), np.hstack([last, look.mask])
    if not (seen & ~own).any():
        return None
    if not (seen & ~late).any():
        return _late()
    return behaviour(
        _("a critic's loss over the completion's tokens alone"),
        _("other entries count in it as well"),
        _("Does the mask reach value_loss? Prompt and filling have no return to foretell."),
        "value-loss-unmasked",
    )


def _target(look):
    """What the critic learns to foretell."""
    if look.value_grads is None:
        return None
    on, values = look.mask, look.values[:, :-1]
    ways = [(advantages(look, values, lam)[on], values[on]) for lam in LAMS]
    found = named(
        look.value_grads[0][:, :-1][on],
        [("return", -adv) for adv, _v in ways]
        + [("target-is-advantage", v - adv) for adv, v in ways]
        + [("target-is-whitened", v - whitened(adv, n)) for adv, v in ways for n in (0, 1)]
        + [("target-is-whitened", -whitened(adv)) for adv, _v in ways],
    )
    gots = {
        "target-is-advantage": _("the advantages themselves"),
        "target-is-whitened": _("targets made of whitened advantages"),
    }
    if found not in gots:
        return None
    hint = _("The critic learns to foretell returns. Is its target a return?")
    return behaviour(_("advantages plus values as targets"), gots[found], hint, found)


def _use(look):
    """What the policy's advantages are made of."""
    on, ways = look.mask, []
    for lam in LAMS:
        adv = advantages(look, look.values[:, :-1], lam)
        ways += [("right", adv[on]), ("right", centred(adv[on]))]
    for lam in LAMS:
        adv = advantages(look, look.values[:, :-1], lam)
        ways += [("all", adv[on] - adv.mean()), ("all", adv[on] - (adv * on).mean())]
        late = advantages(look, look.values[:, 1:], lam)
        ways += [("late", late[on]), ("late", centred(late[on]))]
    found = named(look.weight[on], ways)
    if found == "late":
        return _late()
    if found != "all":
        return None
    return behaviour(
        _("advantages whitened over the completion's tokens"),
        _("whitened over all columns"),
        _("Mean and spread are those of the entries that the mask marks. Which ones went in?"),
        "whitened-everywhere",
    )
