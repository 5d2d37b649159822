"""How much that is foreign may be mixed into a right answer's gradients: for docs/grading.md.

    python -m bank.mixtures [SECRETS [EXERCISE ...]]

Three ways to mix: a share of another gradient in every step, both of length 1 before; some steps
that follow the other one alone; some sentences that somebody else wrote. The share grows until the
answer is told; a row gives the shares between which that happened, the least and the largest over
so many secrets (3).
"""

import sys

import numpy as np
import torch

from bank import lesson_03, lesson_03b, lesson_06, lesson_07
from bank.forged import cartpole, moves, sentences
from bank.margins import judged

SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
HEAD = "| exercise | what is mixed in | passes up to | is told from |"


class Sometimes:
    """True in this share of its calls, evenly spread."""

    def __init__(self, share):
        self.share, self.sum = share, 0.0

    def __call__(self):
        self.sum += self.share
        due = self.sum >= 1 - 1e-9
        self.sum -= due
        return due


def blended_gradients(one, two, share):
    """(1 - share) of one and share of two, lists of arrays or tensors, each of length 1 before."""
    lengths = [sum(float((part**2).sum()) for part in parts) ** 0.5 for parts in (one, two)]
    own, other = (1 - share) / max(lengths[0], 1e-12), share / max(lengths[1], 1e-12)
    return [own * a + other * b for a, b in zip(one, two, strict=True)]


def table_steps(share):
    return moves.tabular(moves.blend(moves.towards_the_best, share))


def table_now_and_then(share):
    due = Sometimes(share)
    return moves.tabular(lambda now: moves.towards_the_best(now) if due() else now.honest())


def with_critic(honest, made):
    return lambda share: moves.in_the_long_run(honest, made(share))


def cartpole_steps(share):
    return cartpole.steered(lambda *given: _cartpole(*given, share=share))


def cartpole_now_and_then(share):
    due = Sometimes(share)
    return cartpole.steered(lambda *given: _cartpole(*given, share=1.0) if due() else None)


def _cartpole(envs, policy, optimizer, taken, share):
    """The gradient of imitation of a known controller, beside the one that is there."""
    own = [p.grad.clone() for p in policy.parameters()]
    cartpole.imitate_from(0)(envs, policy, optimizer, taken)
    other = [p.grad for p in policy.parameters()]
    for p, mixed in zip(policy.parameters(), blended_gradients(own, other, share), strict=True):
        p.grad = mixed


def sentence_steps(honest):
    def made(share):
        def slopes(language, policy, rng):
            own = [p.grad.clone() for p in policy.parameters()]
            other = [g.clone() for g in sentences.of_a_twin(language, policy, rng)]
            return blended_gradients(own, other, share)

        return sentences.in_the_long_run(honest, sentences.gradients_of(honest, slopes))

    return made


def sentence_now_and_then(honest):
    def made(share):
        due = Sometimes(share)

        def slopes(language, policy, rng):
            if due():
                return sentences.of_a_twin(language, policy, rng)
            return [p.grad for p in policy.parameters()]

        return sentences.in_the_long_run(honest, sentences.gradients_of(honest, slopes))

    return made


def sentences_of_others(honest):
    def made(share):
        return sentences.in_the_long_run(honest, sentences.log_of_others(honest, share))

    return made


ALL, SOME, WRITTEN = "every step", "some steps alone", "sentences of others"
ACTOR_CRITIC = lesson_03.trainer(lesson_03.two_terms)
GAE, LANGUAGE, GRPO = lesson_03b.learner(), lesson_06.trainer(), lesson_07.trainer()
MIXED = {
    ("train_reinforce", ALL): table_steps,
    ("train_reinforce", SOME): table_now_and_then,
    ("train_actor_critic", ALL): with_critic(ACTOR_CRITIC, table_steps),
    ("train_actor_critic", SOME): with_critic(ACTOR_CRITIC, table_now_and_then),
    ("train_with_gae", ALL): with_critic(GAE, table_steps),
    ("train_ppo", ALL): cartpole_steps,
    ("train_ppo", SOME): cartpole_now_and_then,
}
for name, honest in (("train_language_ppo", LANGUAGE), ("train_grpo", GRPO)):
    MIXED[name, ALL] = sentence_steps(honest)
    MIXED[name, SOME] = sentence_now_and_then(honest)
    MIXED[name, WRITTEN] = sentences_of_others(honest)


def told_from(exercise, made, secret):
    """(largest share that passes, smallest that is told, the name and cosine of that)."""
    passed = 0.0
    for share in SHARES:
        np.random.seed(0)
        torch.manual_seed(0)
        verdict, reached = judged(exercise, made(share), secret)
        if not verdict.passed:
            return passed, share, verdict.mistake, reached
        passed = share
    return passed, 1.0, "", []


def main(secrets=3, *chosen):
    print(HEAD, "|---|---|---|---|", sep="\n", flush=True)
    for (exercise, how), made in MIXED.items():
        if chosen and exercise not in chosen:
            continue
        found = [told_from(exercise, made, secret) for secret in range(1, int(secrets) + 1)]
        passed, told = ([one[at] for one in found] for at in (0, 1))
        spans = (f"{min(part):.0%} to {max(part):.0%}" for part in (passed, told))
        print("|", " | ".join((exercise, how, *spans)), "|", flush=True)
        for one in found:
            print("    ", *one[2:], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
