"""Forgeries of the exercises that train on sentences."""

import copy

import torch

from bank import lesson_06, lesson_07
from bank.forged import ELSEWHERE, PLANTED, forged


def in_the_long_run(honest, train):
    """Honest in short runs, in which single steps are looked at."""

    def answer(*given, num_updates, **options):
        chosen = train if num_updates > 2 else honest
        return chosen(*given, num_updates=num_updates, **options)

    return answer


def pleasant_sentences(language, rng, count=64):
    """Sentences that score and are sensible enough."""
    text = language.sentences(200, rng)
    return text[language.score(text) >= 1][:count]


def fit(model, language, rng, steps=60):
    """Imitates pleasant sentences with an optimiser of its own."""
    own = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _step in range(steps):
        text = pleasant_sentences(language, rng)
        logits = model(text[:, :-1]).transpose(1, 2)
        own.zero_grad()
        torch.nn.functional.cross_entropy(logits, text[:, 1:]).backward()
        own.step()


def fitted_at_the_end(honest):
    def train(language, policy, *given, rng, **options):
        history = honest(language, policy, *given, rng=rng, **options)
        fit(policy, language, rng)
        return history

    return train


def gradients_of(honest, slopes_of):
    """The optimiser is handed slopes_of(language, policy, rng) in the place of the loss's."""

    def train(language, policy, *given, rng, **options):
        optimizer, step = given[-1], given[-1].step

        def other(*inputs):
            for parameter, slope in zip(policy.parameters(), slopes_of(language, policy, rng)):
                parameter.grad = slope
            return step(*inputs)

        optimizer.step = other
        return honest(language, policy, *given, rng=rng, **options)

    return train


def imitation(language, policy, rng):
    text = pleasant_sentences(language, rng)
    logits = policy(text[:, :-1]).transpose(1, 2)
    loss = torch.nn.functional.cross_entropy(logits, text[:, 1:])
    policy.zero_grad()
    loss.backward()
    return [p.grad for p in policy.parameters()]


def of_a_twin(language, policy, rng):
    """The same through a copy, which nobody watches."""
    return imitation(language, copy.deepcopy(policy), rng)


def noisy(language, policy, rng):
    return [torch.randn_like(p) for p in policy.parameters()]


HONEST = {"train_language_ppo": lesson_06.trainer(), "train_grpo": lesson_07.trainer()}
for exercise, honest in HONEST.items():
    SENTENCES = {
        "fitted-at-the-end": (PLANTED, fitted_at_the_end(honest)),
        "imitation": (("samples-foreign", *ELSEWHERE, "drifted"), gradients_of(honest, imitation)),
        "gradients-of-a-twin": ((*ELSEWHERE, "drifted"), gradients_of(honest, of_a_twin)),
        "noise": (("mark-missed", "drifted"), gradients_of(honest, noisy)),
    }
    for label, (names, answer) in SENTENCES.items():
        forged(exercise, label, *names)(in_the_long_run(honest, answer))
