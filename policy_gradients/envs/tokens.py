"""A language model's situation as a table: write a sentence, token by token."""

from itertools import product

import numpy as np

from ..i18n import N_, _
from .tabular import TabularEnv


class TokenEnv(TabularEnv):
    """Complete a prompt; the finished sentence is scored once, at its end.

    ## Action Space
    `Discrete(A)`: the next token, one of the words or the end-of-sequence token `end`.
    `symbols[a]` is how action a is written, `eos` the action that ends the sentence.

    ## Observation Space
    `Discrete(S)`: the prompt plus the tokens so far (`tokens(state)`, `text(state)`), and two
    more states that close the table: the sentence ended, and the sentence was cut.

    ## Starting State
    Each prompt is equally likely.

    ## Rewards
    0 for each word; for the end-of-sequence token the sum of these points:

    * the first word is a noun: +3, else -3;
    * the second word is a verb: +4, else -4;
    * the verb fits the noun (they stand in one of the `pairs`): +3;
    * each further word: -3.

    So "the cat sleeps ." earns 10, "the dog sleeps ." 7, "the cat ." -1, "the ." -7. The
    word `article` in front does not count.

    ## Episode End
    Terminated by the end-of-sequence token; truncated, with reward 0, where `max_length` tokens
    were written without it.

    ## Arguments
    pairs: nouns, each with the verb that fits it; they are the vocabulary
    prompts: texts to complete
    max_length: number of tokens after the prompt, the end-of-sequence token counted
    article: word in front of the noun
    end: how the end-of-sequence token is written
    action_order: permutation of the actions
    """

    def __init__(
        self,
        pairs=(("cat", "sleeps"), ("dog", "barks")),
        prompts=("the",),
        max_length=4,
        article="the",
        end=".",
        action_order=None,
        render_mode=None,
    ):
        self.pairs = tuple((str(noun), str(verb)) for noun, verb in pairs)
        self.prompts = tuple(prompts)
        self.article = article
        words = [noun for noun, _verb in self.pairs] + [verb for _noun, verb in self.pairs]
        self._written = (*words, end)
        if len(set(self._written)) != len(self._written) or not self.prompts or not words:
            raise ValueError(
                _("every word needs its own spelling; one pair and one prompt at least")
            )
        if max_length < 1:
            message = _("max_length must be at least 1, not {n}")
            raise ValueError(message.format(n=max_length))
        self._prefixes = [
            (prompt, prefix)
            for length in range(max_length)
            for prompt in range(len(self.prompts))
            for prefix in product(range(len(words)), repeat=length)
        ]
        self._numbers = {key: number for number, key in enumerate(self._prefixes)}
        super().__init__(
            *self._tables(max_length),
            max_steps=max_length,
            action_order=action_order,
            render_mode=render_mode,
        )
        self.symbols = tuple(self._written[a] for a in self.action_order)
        self.action_names = self.symbols
        self.eos = self.symbols.index(end)
        self._kwargs = {
            "pairs": [list(pair) for pair in self.pairs],
            "prompts": list(self.prompts),
            "max_length": max_length,
            "article": article,
            "end": end,
            "action_order": self.action_order.tolist(),
        }

    def _tables(self, max_length):
        """(transitions, rewards, terminal, start) before the actions are permuted."""
        num_states, num_actions = len(self._prefixes) + 2, len(self._written)
        ended, cut = num_states - 2, num_states - 1
        transitions = np.zeros((num_states, num_actions, num_states))
        rewards = np.zeros_like(transitions)
        # What was cut is worth nothing more, and the table needs rows for it.
        transitions[[ended, cut], :, ended] = 1.0
        for state, (prompt, prefix) in enumerate(self._prefixes):
            for word in range(num_actions - 1):
                following = self._numbers.get((prompt, (*prefix, word)), cut)
                transitions[state, word, following] = 1.0
            transitions[state, -1, ended] = 1.0
            rewards[state, -1, ended] = self.score(self._words(prompt, prefix))
        terminal = np.arange(num_states) == ended
        start = np.zeros(num_states)
        start[: len(self.prompts)] = 1 / len(self.prompts)
        return transitions, rewards, terminal, start

    def _words(self, prompt, prefix):
        return (*self.prompts[prompt].split(), *(self._written[token] for token in prefix))

    def explain(self, words):
        """The points of a finished sentence (without its end token): a list of (reason, points).

        words: a text, or a sequence of words. Reasons are "noun", "no noun", "verb", "no verb",
        "fit" and "further word".
        """
        words = words.split() if isinstance(words, str) else list(words)
        words = words[1:] if words[:1] == [self.article] else words
        fits = dict(self.pairs)
        first, second = (*words, None, None)[:2]
        points = [(N_("noun"), 3.0) if first in fits else (N_("no noun"), -3.0)]
        points.append((N_("verb"), 4.0) if second in fits.values() else (N_("no verb"), -4.0))
        if second is not None and fits.get(first) == second:
            points.append((N_("fit"), 3.0))
        return points + [(N_("further word"), -3.0)] * max(0, len(words) - 2)

    def score(self, words):
        """Sum of the points that `explain` lists."""
        return sum(points for _reason, points in self.explain(words))

    def tokens(self, state):
        """The actions taken since the prompt, a tuple of ints; ValueError for an ended sentence."""
        prompt_and_prefix = self._prefix(state)
        renamed = np.argsort(self.action_order)
        return tuple(int(renamed[token]) for token in prompt_and_prefix[1])

    def text(self, state):
        """Prompt and words so far, as a reader sees them."""
        if state == self.num_states - 2:
            return _("[ended]")
        if state == self.num_states - 1:
            return _("[cut]")
        return " ".join(self._words(*self._prefix(state)))

    def state_of(self, tokens, prompt=0):
        """Number of the state after these actions; KeyError where there is none."""
        return self._numbers[prompt, tuple(int(self.action_order[token]) for token in tokens)]

    def _prefix(self, state):
        if not 0 <= state < len(self._prefixes):
            message = _("state {state} is not a sentence in progress")
            raise ValueError(message.format(state=state))
        return self._prefixes[state]
