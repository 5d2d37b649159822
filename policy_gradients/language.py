"""A language so small that every sentence can be listed, and a score that can be cheated."""

from dataclasses import dataclass

import numpy as np
import torch

from .i18n import _

# How many adjectives a sentence of the training text has: one, two.
COUNTS = (0.6, 0.4)


class Language:
    """Sentences such as "Ann is happy and kind .", their score, and whether they make sense.

    A row of tokens, int (B, L), is one sentence: the prompt of `prompt_length` tokens, "Ann is",
    then a completion of at most `max_new` tokens. A completion that ends does so with the token
    `eos`, written "."; the rest of the row is filled up with `eos`.

        Ann is sad and kind .        prompt_length = 2, then a completion of 4 tokens
        Bob is sad  .   .   .        a completion of 2 tokens, then filling

    Sensible: adjectives with "and" between them, then the end.
    Score, by the task:
    "count": the number of pleasant words in the completion, whatever stands around them. That is
        the loophole: "Ann is happy happy happy" scores 3 and makes no sense.
    "once": 1 where the completion makes sense and holds a pleasant word, else 0, as a checker
        marks an answer. Length and score are linked: a second adjective is a second chance.

    names, adjectives: the words besides "is", "and" and "."
    pleasant: the adjectives that the score counts
    order: permutation of the tokens' numbers
    max_new: longest completion, the end counted
    task: "count" or "once"

    The default has 8 tokens, so that `exact` can list all completions. Everything happens on the
    device of the policy that is handed in.
    """

    prompt_length = 2

    def __init__(
        self,
        names=("Ann", "Bob"),
        adjectives=("happy", "kind", "sad"),
        pleasant=("happy", "kind"),
        order=None,
        max_new=5,
        task="count",
    ):
        words = (".", "is", "and", *names, *adjectives)
        if len(set(words)) != len(words) or len(adjectives) < 3 or not set(pleasant) < set(words):
            raise ValueError(
                _("every word needs its own spelling, and three adjectives are needed")
            )
        order = range(len(words)) if order is None else order
        if sorted(order) != list(range(len(words))):
            raise ValueError(_("order must be a permutation of {n} numbers").format(n=len(words)))
        if task not in ("count", "once"):
            message = _("task must be {known}, not {given!r}")
            raise ValueError(message.format(known='"count", "once"', given=task))
        self.task = task
        self.symbols = tuple(words[number] for number in order)
        self.num_tokens, self.max_new = len(words), max_new
        self.length = self.prompt_length + max_new
        self.names, self.adjectives = (self._numbers(some) for some in (names, adjectives))
        self.pleasant = self._numbers(pleasant)
        self.eos, self._is, self._and = self._numbers([".", "is", "and"])

    def _numbers(self, words):
        return [self.symbols.index(word) for word in words]

    def text(self, row):
        """The sentence as written, up to its end."""
        row = [int(token) for token in row]
        ends = [t for t in range(self.prompt_length, len(row)) if row[t] == self.eos]
        return " ".join(self.symbols[token] for token in row[: ends[0] + 1 if ends else None])

    def prompts(self):
        """(P, prompt_length): one prompt for each name, all equally likely."""
        return torch.tensor([[name, self._is] for name in self.names])

    def score(self, tokens):
        """(B, L) -> float (B,): by the task, the pleasant words of each completion, up to its
        end, or whether it makes sense and has one."""
        count = self._pleasant_words(tokens)
        return count if self.task == "count" else ((count > 0) & self.sensible(tokens)).float()

    def _pleasant_words(self, tokens):
        writing = torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        score = torch.zeros(len(tokens), device=tokens.device)
        for column in tokens[:, self.prompt_length :].T:
            writing = writing & (column != self.eos)
            score = score + (writing & _among(column, self.pleasant))
        return score

    def sensible(self, tokens):
        """(B, L) -> bool (B,)."""
        words = tokens[:, self.prompt_length :]
        right = torch.ones(len(words), dtype=torch.bool, device=words.device)
        over = torch.zeros_like(right)
        for t, column in enumerate(words.T):
            fitting = [self._and, self.eos] if t % 2 else self.adjectives
            right = right & (over | _among(column, fitting))
            over = over | (column == self.eos)
        return right & over

    @torch.no_grad()
    def sample(self, policy, batch_size=None, prompts=None, temperature=1.0, top_k=None):
        """(B, L): prompts, completed by the policy token by token (torch's generator).

        batch_size: so many random prompts; or prompts: int (B, prompt_length), these
        temperature: divides the logits; top_k: only so many likeliest tokens may be drawn.
        With either one, the sentences are no longer the policy's own.
        """
        device = next(policy.parameters()).device
        tokens = self._begun(batch_size, prompts, device)  # (B, 2)
        writing = torch.ones(len(tokens), dtype=torch.bool, device=device)
        for _step in range(self.max_new):
            logits = policy(tokens)[:, -1] / temperature  # (B, V)
            if top_k is not None:
                least = logits.topk(top_k).values[:, -1:]
                logits = torch.where(logits < least, -torch.inf, logits)
            probs = torch.softmax(logits, dim=-1)
            token = torch.where(writing, torch.multinomial(probs, 1)[:, 0], self.eos)
            tokens = torch.cat([tokens, token[:, None]], dim=1)
            writing = writing & (token != self.eos)
        return tokens

    def _begun(self, batch_size, prompts, device):
        if prompts is not None:
            return torch.as_tensor(prompts, device=device)
        prompts = self.prompts().to(device)
        return prompts[torch.randint(len(prompts), (batch_size,), device=device)]

    def sentences(self, count, rng, typos=0.01):
        """(count, L): the text that a model is pretrained on, sensible but for its typos.

        The first name's sentences are evenly mixed, the last name's are mostly unpleasant. Each
        token of a completion is replaced by a random one with probability `typos`.
        """
        gloom = np.linspace(1.0, 4.0, len(self.names))
        most = min(len(COUNTS), self.max_new // 2)
        share = np.array(COUNTS[:most]) / sum(COUNTS[:most])
        weights = [np.where(np.isin(self.adjectives, self.pleasant), 1.0, bad) for bad in gloom]
        lengths, words = _upto(share), [_upto(weight) for weight in weights]
        adjectives = np.array(self.adjectives)
        rows = np.full((count, self.length), self.eos)
        for row in rows:
            name, number = rng.integers(len(self.names)), 1 + _drawn(lengths, rng.random())
            chosen = adjectives[_drawn(words[name], rng.random(number))]
            row[: self.prompt_length] = self.names[name], self._is
            row[self.prompt_length :: 2][:number] = chosen
            row[self.prompt_length + 1 :: 2][: number - 1] = self._and
        wrong = rng.random(rows.shape) < typos
        wrong[:, : self.prompt_length] = False
        rows[wrong] = rng.integers(self.num_tokens, size=wrong.sum())
        return torch.tensor(rows)

    def pretrain(self, policy, rng, num_steps=300, batch_size=64, lr=1e-2):
        """Trains the policy in place to predict each next token; the loss of each step."""
        optimizer = torch.optim.Adam(policy.parameters(), lr=lr)
        text, losses = self.sentences(4096, rng), []
        for step in range(num_steps):
            for group in optimizer.param_groups:
                group["lr"] = lr * (1 - step / num_steps)
            batch = text[rng.integers(len(text), size=batch_size)].to(policy.device)
            after = policy(batch[:, :-1]).transpose(1, 2)  # (B, V, L-1)
            loss = torch.nn.functional.cross_entropy(after, batch[:, 1:])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    def tree(self):
        """All completions, as a `Tree` (made once)."""
        if not hasattr(self, "_tree"):
            self._tree = Tree(self)
        return self._tree


def large():
    """A `Language` of 123 tokens and completions of up to 15, too large for exact answers."""
    syllables = [first + second for first in "bdfg" for second in "aeiou"]
    adjectives = [first + second for first in syllables[:5] for second in syllables]
    names = tuple(syllable.capitalize() + "n" for syllable in syllables)
    return Language(names, tuple(adjectives), tuple(adjectives[:30]), max_new=15)


def _upto(weights):
    """Upper bounds of the outcomes' shares of [0, 1), as `rng.choice` makes them for each call."""
    upto = (weights / weights.sum()).cumsum()
    return upto / upto[-1]


def _drawn(upto, luck):
    """The outcomes that numbers from [0, 1) stand for."""
    return upto.searchsorted(luck, side="right")


def _among(column, numbers):
    return (column[:, None] == torch.tensor(numbers, device=column.device)).any(1)


LARGEST = 20_000  # prefixes


class Tree:
    """All prefixes of all completions. Those of one length stand in order, so that the children
    of prefix i are i * width, i * width + 1, ...

    prefixes: (width^(max_new - 1), max_new - 1), the longest ones
    going: the tokens that don't end a sentence, `width` of them
    scores, sensible: for each length, of each prefix ended by each token (n, V)
    """

    def __init__(self, language):
        depth = language.max_new - 1
        self.going = [v for v in range(language.num_tokens) if v != language.eos]
        self.width = len(self.going)
        if self.width**depth > LARGEST:
            raise ValueError(
                _("{n} prefixes are too many to list; exact answers need a small language").format(
                    n=self.width**depth
                )
            )
        grid = torch.cartesian_prod(*[torch.tensor(self.going)] * depth)
        self.prefixes = grid.reshape(-1, depth)
        self.depths = range(language.max_new)
        self.scores, self.sensible = [], []
        for length in self.depths:
            rows = self.rows(language, length)
            self.scores.append(language.score(rows).reshape(-1, language.num_tokens).double())
            found = language.sensible(rows).reshape(-1, language.num_tokens)
            self.sensible.append(found.double())

    def whole(self, language, length):
        """bool (n * V,): which of the `rows` are whole completions, ended or of full length."""
        ended = torch.arange(language.num_tokens) == language.eos
        last = length == self.depths[-1]
        return (ended | last).repeat(self.width**length)

    def paths(self, language):
        """For each whole completion the places of its tokens' log-probabilities, (N, max_new), in
        one row of all (n, V) tables, and which of them there are."""
        sizes = [self.width**length * language.num_tokens for length in self.depths]
        starts = np.cumsum([0, *sizes])
        index, own = [], []
        for length in self.depths:
            whole = self.whole(language, length).nonzero()[:, 0]  # (w,) prefix * V + token
            rows = self.rows(language, length)[whole, language.prompt_length :]  # (w, max_new)
            prefix = whole // language.num_tokens
            above = [prefix // self.width ** max(0, length - k) for k in self.depths]
            places = [starts[k] + above[k] * language.num_tokens + rows[:, k] for k in self.depths]
            there = torch.arange(language.max_new) <= length
            own.append(there.expand(len(whole), -1))
            index.append(torch.where(there, torch.stack(places, 1), 0))
        return torch.cat(index), torch.cat(own)

    def rows(self, language, length):
        """(n * V, L): each prefix of this length with each next token, filled up with eos."""
        short = self.prefixes[:: self.width ** (self.prefixes.shape[1] - length), :length]
        tokens, every = language.num_tokens, len(short)
        rows = torch.full((every, tokens, language.length), language.eos)
        rows[:, :, language.prompt_length :][:, :, :length] = short[:, None]
        rows[:, :, language.prompt_length + length] = torch.arange(tokens)
        return rows.flatten(0, 1)


def listed(language):
    """(N, L): every sentence there is, each once, prompt by prompt. ValueError for a language
    with too many."""
    tree, prompts = language.tree(), language.prompts()
    rows = torch.cat([tree.rows(language, k)[tree.whole(language, k)] for k in tree.depths])
    each = rows.repeat(len(prompts), 1)
    each[:, : language.prompt_length] = prompts.repeat_interleave(len(rows), dim=0)
    return each


def listed_logp(language, policy):
    """(N, L-1): log-probability of each token of the sentences `listed`, 0 outside completions.

    It can be differentiated with respect to the policy's weights. Its sum over a row is the
    log-probability of the completion, so that `listed_logp(...).sum(1).exp()` adds up to 1 over
    the sentences of a prompt.
    """
    tree = language.tree()
    index, own = tree.paths(language)  # (n, max_new) each
    parts = []
    for prompt in language.prompts():
        table = torch.cat([part.flatten() for part in _next_token(tree, policy, prompt)])
        parts.append(torch.where(own, table[index], 0.0))
    return torch.nn.functional.pad(torch.cat(parts), (language.prompt_length - 1, 0))


@dataclass(frozen=True)
class Exact:
    """score: expected score of one completion; sensible: probability that it makes sense;
    kl: KL(policy || reference) of a whole completion, in nats."""

    score: float
    sensible: float
    kl: float


def exact(language, policy, reference=None):
    """`Exact`, without sampling: every completion of every prompt, weighed by its probability.

    reference: a second policy for the divergence; without one kl is 0. Either may be given by its
    `tables`, so that a policy that is compared with many is asked once. ValueError for a language
    with too many completions.

    The divergence of two sequences adds up token by token (chain rule; Cover and Thomas 2006).
    """
    tree, totals = language.tree(), np.zeros(3)
    logp = tables(language, policy)
    logp_ref = logp if reference is None else tables(language, reference)
    for pair in zip(logp, logp_ref, strict=True):
        totals += _walk(language, tree, *pair)
    return Exact(*(totals / len(logp)).tolist())


@torch.no_grad()
def tables(language, policy):
    """All that `exact` asks of a policy as it is now: for each prompt, and for each length of a
    prefix, the log-probabilities (n, V) of the next token. Tables are returned as they are."""
    if isinstance(policy, list):
        return policy
    tree = language.tree()
    return [_next_token(tree, policy, prompt) for prompt in language.prompts()]


def optimum(language, reference, beta):
    """`Exact` of the best policy there is under the penalty: the one that maximises
    expected score - beta * KL(policy || reference). beta > 0.

    It weighs each completion y by reference(y) * exp(score(y) / beta), prompt by prompt
    (Ziegler et al. 2019; Korbak et al. 2022).
    """
    return optima(language, reference, [beta])[0]


@torch.no_grad()
def optima(language, reference, betas):
    """`optimum` for each of several betas."""
    tree, known = language.tree(), tables(language, reference)
    totals = np.zeros((len(betas), 3))
    scores, sensible = (_leaves(language, part) for part in (tree.scores, tree.sensible))
    for by_length in known:
        reached, leaves = torch.zeros(1, dtype=torch.double), []
        for ref in by_length:
            leaves.append(reached[:, None] + ref)  # (n, V) log-probabilities
            reached = leaves[-1][:, tree.going].flatten()
        logp_ref = _leaves(language, leaves)
        for total, beta in zip(totals, betas, strict=True):
            logp = torch.log_softmax(logp_ref + scores / float(beta), 0)
            parts = scores, sensible, logp - logp_ref
            total += [float((logp.exp() * part).sum()) for part in parts]
    return [Exact(*total) for total in (totals / len(known)).tolist()]


def _leaves(language, parts):
    """The entries of `parts`, (n, V) for each length, that belong to a whole completion."""
    ended = [part[:, language.eos] for part in parts[:-1]]
    return torch.cat([*ended, parts[-1].flatten()])


def _next_token(tree, policy, prompt):
    """One (n, V) array a length: log-probabilities of the next token after each prefix."""
    device = next(policy.parameters()).device
    rows = torch.cat([prompt.expand(len(tree.prefixes), -1), tree.prefixes], 1).to(device)
    parts = [policy(part)[:, len(prompt) - 1 :] for part in rows.split(4096)]
    logits, depth = torch.cat(parts), tree.prefixes.shape[1]  # (n, max_new, V)
    first = [logits[:: tree.width ** (depth - k), k] for k in range(depth + 1)]  # of each prefix
    return [torch.log_softmax(part.double(), -1).cpu() for part in first]


def _walk(language, tree, logp, logp_ref):
    """(score, sensible, kl) of one prompt's completions, from the root to the leaves."""
    reached, totals = torch.ones(1, dtype=torch.double), np.zeros(3)
    for k, (now, ref) in enumerate(zip(logp, logp_ref, strict=True)):
        arriving = reached[:, None] * now.exp()  # (n, V)
        last = k == len(logp) - 1
        leaf = arriving if last else arriving[:, [language.eos]]
        columns = slice(None) if last else [language.eos]
        totals += [
            float((leaf * tree.scores[k][:, columns]).sum()),
            float((leaf * tree.sensible[k][:, columns]).sum()),
            float((arriving * (now - ref)).sum()),
        ]
        reached = arriving[:, tree.going].flatten()
    return totals
