"""What chance can do: a bound that never calls an honest player a cheat, however long they play."""

import math
from collections import Counter

import numpy as np

from grader.checking import Problem, _, behaviour

FALSE_ALARM = 1e-12  # probability of a wrong accusation, per comparison


def unlikely(hits, probabilities) -> bool:
    """Whether so many hits, or so few, come about by chance less often than FALSE_ALARM.

    hits: bool (n,), whether an event came at each step; probabilities: (n,), its probability given
    all that went before. Freedman's inequality (1975), which also holds where earlier outcomes
    decide which step comes next, as they do in an episode.
    """
    surplus = abs(float(np.sum(hits) - np.sum(probabilities)))
    variance = float(np.sum(probabilities * (1 - probabilities)))
    level = math.log(2 / FALSE_ALARM)
    return surplus > level / 3 + math.sqrt(level**2 / 9 + 2 * variance * level)


TEMPERATURES = (0.5, 0.7, 0.8, 0.9, 1.1, 1.2, 1.5, 2.0)
EXPLORING = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # the last one: the policy is ignored
SMALLEST = (("temperature", 0.8), ("temperature", 1.2), ("random-actions", 0.05))
REUSED = 0.1  # the smallest share of episodes that repeat an earlier one
ALARM = 1e-10  # probability of a wrong accusation, per call; a check makes fewer than ten


def bent(actions, probabilities) -> tuple | None:
    """("temperature", T) or ("random-actions", share) where the actions come from the policy at
    another temperature, or with a share of uniform ones mixed in; None where they may be draws.

    actions: (n,); probabilities: (n, A), each row given all that went before. Under the policy
    itself the mean of the alternatives' likelihood ratios is a martingale that starts at 1: it ever
    exceeds 1 / ALARM with probability ALARM at most (Ville 1939). SMALLEST is told in at least 99
    of 100 secrets.
    """
    rows, place = _distinct(probabilities)
    own = _log_likelihood(actions, rows, place)
    gains = {name: _log_likelihood(actions, p, place) - own for name, p in _alternatives(rows)}
    best = max(gains, key=gains.get)
    mean = np.logaddexp.reduce(list(gains.values())) - math.log(len(gains))
    return best if mean > -math.log(ALARM) else None


def power(probabilities, alternative) -> float:
    """The probability that `bent` tells actions that are drawn from one of its alternatives.

    probabilities: (n, A); alternative: one of SMALLEST. The log-likelihood ratio is a sum of n
    independent terms, here taken as normal; no other alternative is counted.
    """
    own, known = np.asarray(probabilities), dict(_alternatives(probabilities))
    other = known[alternative]
    gain = np.log(other) - np.log(own)
    mean = (other * gain).sum(-1)
    variance = float(((other * gain**2).sum(-1) - mean**2).sum())
    needed = math.log(len(known)) - math.log(ALARM)
    return 0.5 * math.erfc((needed - float(mean.sum())) / math.sqrt(2 * variance))


def repeated(episodes, chances) -> bool:
    """Whether more episodes repeat an earlier one than chance allows, as where a seed is reused.

    episodes: what tells one from another; chances: (N,), the log-probability of each under the
    policy. A player who repeats an earlier episode with probability REUSED, and else draws, is as
    many times likelier as is multiplied up here: a martingale under an honest player (Ville 1939).
    """
    log_gain, seen = 0.0, Counter()
    for number, (episode, chance) in enumerate(zip(episodes, chances, strict=True)):
        if number:
            again = seen[episode] / number * math.exp(min(-float(chance), 700.0))
            log_gain += math.log(1 - REUSED + REUSED * again)
        if log_gain > -math.log(ALARM):
            return True
        seen[episode] += 1
    return False


def _alternatives(probabilities):
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    for temperature in TEMPERATURES:
        weights = np.exp(logs / temperature)
        yield ("temperature", temperature), weights / weights.sum(-1, keepdims=True)
    for share in EXPLORING:
        mixed = (1 - share) * probabilities + share / probabilities.shape[-1]
        yield ("random-actions", share), mixed


def _distinct(probabilities):
    """(rows, place) with rows[place] the same array: in a table a few states come again and
    again."""
    whole = np.ascontiguousarray(probabilities)
    if not whole.size:
        return whole, np.arange(len(whole))
    keys = whole.view((np.void, whole.shape[1] * whole.itemsize)).ravel()
    _keys, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return whole[first], place


def _log_likelihood(actions, rows, place):
    """Of actions (n,), each drawn from the row that ``place`` (n,) names."""
    with np.errstate(divide="ignore"):
        return float(np.log(rows[place, actions]).sum())


def bent_problem(actions, probabilities, fits=lambda alternative: True) -> Problem | None:
    """The same as a problem in words; fits: whether the actions may come from these probabilities,
    asked for the alternative that explains them best."""
    found = bent(actions, probabilities)
    if found is None or not fits(dict(_alternatives(probabilities))[found]):
        return None
    return _told(found, len(actions))


def likeliest_problem(runs) -> Problem:
    """The one deviation that explains the actions of several runs best, in words. runs: (actions
    (n,), probabilities (n, A)) of each. One run alone may fit two deviations equally well."""
    gains = {}
    for actions, probabilities in runs:
        rows, place = _distinct(probabilities)
        for found, other in _alternatives(rows):
            gains[found] = gains.get(found, 0.0) + _log_likelihood(actions, other, place)
        weights = np.exp(rows)
        twice = _log_likelihood(actions, weights / weights.sum(-1, keepdims=True), place)
        gains[TWICE] = gains.get(TWICE, 0.0) + twice
    return _told(max(gains, key=gains.get), sum(len(actions) for actions, _p in runs))


TWICE = ("softmax-twice", 1)


def _told(found, steps):
    name, size = found
    expected = _("actions drawn from the policy as it is, over {n} steps").format(n=steps)
    if found == TWICE:
        got = _("actions as if drawn from a more even policy")
        hint = _("The policy is more even than it should be. Is softmax taken of probabilities?")
    elif name == "temperature":
        got = _("actions as if drawn at temperature {t:g}").format(t=size)
        hint = _(
            "Are the logits divided by something on the way? The log-probabilities that are kept "
            "belong to the policy itself."
        )
    elif size == 1:
        name, got = "policy-ignored", _("actions as if drawn evenly")
        hint = _("Every action came equally often. Does theta play a part in the draw?")
    else:
        got = _("about {share:.0%} of the actions as if drawn evenly").format(share=size)
        hint = _("Exploring comes from the policy's own chance. Is anything mixed into the draw?")
    return behaviour(expected, got, hint, name)
