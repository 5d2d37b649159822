"""What led the weights of a language model: its loss's gradients on the sentences of each step.

Sentences are those that the sampler gave; values, old log-probabilities and those of the reference
are of weights to which the steps so far have led. Steps are drawn and compared one by one.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import Problem, _, behaviour
from grader.checks.shared.episodes import FALSE_ALARM
from grader.checks.shared.replay import (
    EXACT,
    Networks,
    best_way,
    cosine,
    cosine_beside,
    drawn,
    elsewhere,
    follow,
    moved_by_steps,
)
from grader.checks.shared.run_slips import critic_elsewhere
from grader.checks.shared.sentences import language_of, mask_of
from grader.checks.shared.sentences_drawn import of_others

LOOKS = 24
CRITIC_LED = 0.8
FAR = 7.0  # standard deviations that chance doesn't reach


@dataclass(frozen=True)
class Way:
    """One right loss: advantages (B, L - 1) of the tokens; shares (B, L - 1), how much each token
    counts in the mean; and what a penalty in the loss adds as a weight of their log-probabilities:
    penalty(log-ratios to the reference, now) or None."""

    adv: np.ndarray
    shares: np.ndarray
    penalty: Callable | None = None


@dataclass(frozen=True)
class Written:
    """One update's sentences, from before its steps.

    tokens (B, L); mask, logp, logp_ref (B, L - 1); values (B, L), None without a critic;
    scores (B,)
    foreign: by how many standard deviations the tokens are less likely than draws are on average
    surplus, spread (V,): how much oftener than expected each token came, and the variance of that
    drawn: (probs (n, V), written (n,)), the tokens one by one
    """

    tokens: np.ndarray
    mask: np.ndarray
    logp: np.ndarray
    logp_ref: np.ndarray
    values: np.ndarray | None
    scores: np.ndarray
    foreign: float
    surplus: np.ndarray
    spread: np.ndarray
    drawn: tuple


class Writers(Networks):
    """The learning networks at any moment of their paths, and the reference."""

    def __init__(self, names, case, seen):
        super().__init__(names, case, seen)
        self.language = language_of(case)
        self.nets["reference"] = case.inputs["reference"].materialize()

    def written(self, tokens, moment) -> Written:
        rows = torch.as_tensor(tokens.astype(np.int64))
        mask = mask_of(self.language, tokens.astype(int))
        with torch.no_grad():
            policy, reference = self.at("policy", moment), self.nets["reference"]
            table = torch.log_softmax(told_once(policy, rows)[:, :-1].double(), -1)
            reference = torch.log_softmax(told_once(reference, rows)[:, :-1].double(), -1)
            values = None
            if "critic" in self.paths:
                values = told_once(self.at("critic", moment), rows).numpy().astype(float)
        logp, logp_ref = (taken(one, rows).numpy() for one in (table, reference))
        chances, came = table.exp().numpy()[mask], tokens[:, 1:][mask].astype(int)
        surplus, spread = _surplus(chances, came)
        return Written(
            tokens=tokens,
            mask=mask,
            logp=logp,
            logp_ref=logp_ref,
            values=values,
            scores=self.language.score(rows).numpy().astype(float),
            foreign=_foreign(table.numpy(), logp, mask),
            surplus=surplus,
            spread=spread,
            drawn=(chances, came),
        )


def told_once(net, rows):
    """net(rows), a sentence that was written several times read once: most are."""
    each, place = torch.unique(rows, dim=0, return_inverse=True)
    return net(each)[place]


def taken(table, rows):
    """(B, L - 1): of the tokens that were written."""
    return table.gather(-1, rows[:, 1:, None])[..., 0]


def _foreign(table, logp, mask):
    """How far the tokens' log-probabilities lie below what draws have on the average."""
    mean = (np.exp(table) * table).sum(-1)
    variance = ((np.exp(table) * table**2).sum(-1) - mean**2)[mask].sum()
    return float((mean - logp)[mask].sum() / np.sqrt(max(variance, 1e-12)))


def moved(case, seen, names) -> Problem | None:
    """The weights are those that the optimiser's steps lead to, where they were kept."""
    if not case.inputs["traced"]:
        return None
    found = (moved_by_steps(follow(case, seen, n), seen["modules"][n]["after"]) for n in names)
    return next((problem for problem in found if problem), None)


def led_problem(case, seen, batches, weigh, names, clip, floor) -> Problem | None:
    """Whether the way was led by what the exercise asks for.

    batches: for each update its rows (B, L); weigh: Written -> (list of right ``Way``s, list of
    right targets (B, L - 1) of the critic or none), as many for each update; names: of the networks
    that learn; clip: (low, high) edges of the ratio; floor: least mean cosine of the policy's steps
    """
    networks = Writers(names, case, seen)
    every = len(networks.paths["policy"].grads) // len(batches)
    texts = [networks.written(rows, n * every) for n, rows in enumerate(batches)]
    problem = _not_sampled(networks.language, texts)
    for name in names:
        problem = problem or _unseen(seen["looked"][name], batches, every)
    if problem:
        return problem
    return _told(_reached(networks, texts, weigh, seen["looked"], names, clip), floor)


def _reached(networks, texts, weigh, looked, names, clip) -> dict:
    """name -> mean cosine of the steps drawn with the right way that fits best."""
    every = len(networks.paths["policy"].grads) // len(texts)
    first = np.cumsum([0, *(len(text.tokens) for text in texts)])
    weighed = functools.cache(lambda update: weigh(texts[update]))

    def measure(name, step, ways):
        n = step // every
        rows = np.asarray(looked[name][step], int) - first[n]
        net, used = networks.at(name, step), networks.paths[name].grads[step]
        if name == "policy":
            chosen = [weighed(n)[0][way] for way in ways]
            return _policy_cosines(texts[n], net, rows, used, chosen, clip)
        return _critic_cosines(texts[n], net, rows, used, [weighed(n)[1][way] for way in ways])

    reached = {}
    for place, name in enumerate(names):
        steps = drawn(networks.paths[name], LOOKS).tolist()
        count = len(weighed(0)[place])
        reached[name] = best_way(steps, count, functools.partial(measure, name))
    return reached


def _policy_cosines(text, net, rows, used, ways, clip) -> list:
    tokens, mask = torch.as_tensor(text.tokens[rows].astype(np.int64)), text.mask[rows]
    logp = taken(torch.log_softmax(told_once(net, tokens)[:, :-1], -1), tokens)
    known = logp.detach().numpy().astype(float)
    ratio = np.exp(known - text.logp[rows])

    def slope(weight):
        return _slope(net, -(logp * torch.as_tensor(weight * mask)).sum())

    def along(way, middle):
        adv, share = way.adv[rows], way.shares[rows]
        alive = np.where(adv > middle, ratio < clip[1], ratio > clip[0])
        free = ratio * alive * share
        right = free * (adv - middle)
        if way.penalty:
            right = right + share * way.penalty(known - text.logp_ref[rows])
        centred = slope(right)
        if (found := cosine(used, centred)) >= EXACT:
            return found
        baseline = slope(free)  # advantages may be moved by any constant
        return cosine_beside(used, centred + middle * baseline, baseline)

    found = [along(way, way.adv[text.mask].mean()) for way in ways]
    best = int(np.argmax(found))
    if found[best] < EXACT:
        # Advantages that nobody centred are good or bad by their own sign.
        found[best] = max(found[best], along(ways[best], 0.0))
    return found


def _critic_cosines(text, net, rows, used, targets) -> list:
    tokens, mask = torch.as_tensor(text.tokens[rows].astype(np.int64)), text.mask[rows]
    values = told_once(net, tokens)[:, :-1]
    errors = [(values - torch.as_tensor(one[rows])) ** 2 for one in targets]
    return [cosine(used, _slope(net, error[mask].mean())) for error in errors]


def _slope(net, loss):
    slopes = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
    return torch.cat([slope.ravel() for slope in slopes]).numpy()


def _surplus(probs, written):
    """(V,) twice: of each token the number of times beyond what was expected, and its variance."""
    count = np.bincount(written, minlength=probs.shape[1])
    return count - probs.sum(0), (probs * (1 - probs)).sum(0)


def _picked(texts) -> bool:
    """Whether some token comes too often or too rarely, as where sentences are picked by their
    score. Draws of the policy do so at most once in 10 ** 9 (Freedman 1975)."""
    apart = np.abs(sum(text.surplus for text in texts))
    spread = sum(text.spread for text in texts)
    evidence = apart**2 / (2 * (spread + apart / 3) + 1e-12)
    return bool((evidence > np.log(2 * len(apart) / FALSE_ALARM)).any())


def _not_sampled(language, texts):
    """Sentences that the policy can't have written, or hardly."""
    begun = {tuple(row) for row in language.prompts().tolist()}
    width = language.prompt_length
    real = all(tuple(row) in begun for text in texts for row in text.tokens[:, :width].tolist())
    far = np.array([text.foreign for text in texts])
    if (
        real
        and not _picked(texts)
        and not of_others([text.drawn for text in texts])
        and abs(far.sum()) / np.sqrt(len(far)) < FAR
        and np.abs(far).max() < FAR
    ):
        return None
    return behaviour(
        _("sentences that the policy writes"),
        _("sentences that it would hardly write"),
        _("Whose sentences does the policy gradient average over?"),
        "sentences-foreign",
    )


def _unseen(looked, batches, every):
    """Whether each step's gradient came of sentences of its own update, and of which."""
    expected = _("the sentences of each update, each of them once an epoch")
    if len(looked) != every * len(batches) or not any(np.size(one) for one in looked):
        got = _("gradients of sentences that were not seen to pass through the networks")
        hint = _("Call policy(tokens) on the sentences that language.sample gave.")
        return behaviour(expected, got, hint, "samples-unseen")
    first = 0
    for n, rows in enumerate(batches):
        used = np.concatenate(looked[n * every : (n + 1) * every]).astype(int) - first
        first += len(rows)
        if ((used < 0) | (used >= len(rows))).any():
            got = _("gradients of other sentences than the update's own")
            hint = _("An update learns from the sentences just sampled, and from nothing else.")
            return behaviour(expected, got, hint, "samples-foreign")
    return None


def _told(reached, floor):
    if reached["policy"] < floor:
        hint = _(
            "Take one minibatch: is the loss made of its own tokens' log-probabilities and "
            "advantages?"
        )
        return elsewhere(_("steps along the gradients of the clipped loss"), hint)
    if reached.get("critic", 1.0) < CRITIC_LED:
        hint = _("The critic learns to foretell returns. Is its target a return?")
        return critic_elsewhere(hint)
    return None
