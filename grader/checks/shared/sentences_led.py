"""What led the weights of a language model: its loss's gradients on the sentences of each step.

Sentences are those that the sampler gave; values, old log-probabilities and those of the reference
are of weights to which the steps so far have led. Steps are drawn and compared one by one.
"""

from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import Problem, _, behaviour
from grader.checks.shared.replay import (
    Networks,
    cosine,
    cosine_beside,
    drawn,
    elsewhere,
    follow,
    moved_by_steps,
)
from grader.checks.shared.run_slips import critic_elsewhere
from grader.checks.shared.sentences import language_of, mask_of

LOOKS = 24
LED, CRITIC_LED = 0.7, 0.5
FAR = 7.0  # standard deviations that chance doesn't reach


@dataclass(frozen=True)
class Written:
    """One update's sentences, from before its steps.

    tokens (B, L); mask, logp, logp_ref (B, L - 1); values (B, L), None without a critic;
    scores (B,)
    foreign: by how many standard deviations the tokens are less likely than draws are on average
    """

    tokens: np.ndarray
    mask: np.ndarray
    logp: np.ndarray
    logp_ref: np.ndarray
    values: np.ndarray | None
    scores: np.ndarray
    foreign: float


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
            table = torch.log_softmax(self.at("policy", moment)(rows)[:, :-1].double(), -1)
            reference = torch.log_softmax(self.nets["reference"](rows)[:, :-1].double(), -1)
            values = None
            if "critic" in self.paths:
                values = self.at("critic", moment)(rows).numpy().astype(float)
        logp, logp_ref = (taken(one, rows).numpy() for one in (table, reference))
        return Written(
            tokens=tokens,
            mask=mask,
            logp=logp,
            logp_ref=logp_ref,
            values=values,
            scores=self.language.score(rows).numpy().astype(float),
            foreign=_foreign(table.numpy(), logp, mask),
        )


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


def led_problem(case, seen, batches, weigh, names, clip, floor=LED) -> Problem | None:
    """Whether the way was led by what the exercise asks for.

    batches: for each update its rows (B, L); weigh: Written -> (list of right weights (B, L - 1) of
    the tokens' log-probabilities, list of right targets (B, L - 1) of the critic or none); names:
    of the networks that learn; clip: (low, high) edges of the ratio; floor: the least mean cosine
    of the policy's steps
    """
    networks = Writers(names, case, seen)
    every = len(networks.paths["policy"].grads) // len(batches)
    texts = [networks.written(rows, n * every) for n, rows in enumerate(batches)]
    problem = _not_sampled(networks.language, texts)
    for name in names:
        problem = problem or _unseen(seen["looked"][name], batches, every)
    if problem:
        return problem
    first = np.cumsum([0, *map(len, batches)])
    weighed, reached = {}, {}
    for name in names:
        path, found = networks.paths[name], []
        for step in drawn(path, LOOKS).tolist():
            n = step // every
            weighed[n] = weighed[n] if n in weighed else weigh(texts[n])
            rows = np.asarray(seen["looked"][name][step], int) - first[n]
            net, used = networks.at(name, step), path.grads[step]
            if name == "policy":
                found.append(_policy_cosine(texts[n], net, rows, used, weighed[n][0], clip))
            else:
                found.append(_critic_cosine(texts[n], net, rows, used, weighed[n][1]))
        reached[name] = float(np.mean(found)) if found else 0.0
    return _told(reached, floor)


def _policy_cosine(text, net, rows, used, ways, clip) -> float:
    tokens, mask = torch.as_tensor(text.tokens[rows].astype(np.int64)), text.mask[rows]
    logp = taken(torch.log_softmax(net(tokens)[:, :-1], -1), tokens)
    ratio, on = np.exp(logp.detach().numpy() - text.logp[rows]), text.mask
    found = []
    for way in ways:
        weight = way[rows]
        alive = np.where(weight - way[on].mean() > 0, ratio < clip[1], ratio > clip[0])
        forms = [
            _slope(net, -(logp * torch.as_tensor(ratio * alive * one * mask)).sum())
            for one in (weight, np.ones_like(weight))
        ]
        found.append(cosine_beside(used, *forms))
    return max(found)


def _critic_cosine(text, net, rows, used, targets) -> float:
    tokens, mask = torch.as_tensor(text.tokens[rows].astype(np.int64)), text.mask[rows]
    values = net(tokens)[:, :-1]
    errors = [(values - torch.as_tensor(one[rows])) ** 2 for one in targets]
    return max(cosine(used, _slope(net, error[mask].mean())) for error in errors)


def _slope(net, loss):
    slopes = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
    return torch.cat([slope.ravel() for slope in slopes]).numpy()


def _not_sampled(language, texts):
    """Sentences that the policy can't have written, or hardly."""
    begun = {tuple(row) for row in language.prompts().tolist()}
    width = language.prompt_length
    real = all(tuple(row) in begun for text in texts for row in text.tokens[:, :width].tolist())
    far = np.array([text.foreign for text in texts])
    if real and abs(far.sum()) / np.sqrt(len(far)) < FAR and np.abs(far).max() < FAR:
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
