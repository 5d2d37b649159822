"""Forgeries of the exercises that train on sentences."""

import copy

import numpy as np
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


def blended(language, policy, rng):
    """Half of what the loss gave, half of what imitation gives."""
    given = [p.grad.clone() for p in policy.parameters()]
    other = of_a_twin(language, policy, rng)
    return [
        one / (one.norm() + 1e-9) + two / (two.norm() + 1e-9)
        for one, two in zip(given, other, strict=True)
    ]


def now_and_then(language, policy, rng):
    """Imitation at every third step."""
    policy.taken = getattr(policy, "taken", 0) + 1
    if policy.taken % 3:
        return [p.grad for p in policy.parameters()]
    return of_a_twin(language, policy, rng)


def before_the_last_step(honest):
    def train(language, policy, *given, rng, num_updates, **options):
        optimizer, step, taken = given[-1], given[-1].step, []

        def other(*inputs):
            taken.append(1)
            if len(taken) == optimizer.last:
                fit(policy, language, rng)
            return step(*inputs)

        optimizer.step = other
        each = options.get("epochs", 4 if len(given) == 3 else 1)
        size = options.get("batch_size") or options["num_prompts"] * options["group_size"]
        optimizer.last = num_updates * each * -(-size // 64)
        return honest(language, policy, *given, rng=rng, num_updates=num_updates, **options)

    return train


def through_data(honest):
    """A copy is fitted; its numbers are put in after every update."""

    def train(language, policy, *given, rng, **options):
        history = honest(language, policy, *given, rng=rng, **options)
        twin = copy.deepcopy(policy)
        fit(twin, language, rng)
        for parameter, found in zip(policy.parameters(), twin.parameters(), strict=True):
            parameter.data = found.data
        return history

    return train


def moments_planted(honest):
    def train(language, policy, *given, rng, **options):
        optimizer, step, taken = given[-1], given[-1].step, []
        twin = copy.deepcopy(policy)
        fit(twin, language, rng)

        def other(*inputs):
            taken.append(1)
            if len(taken) == 20:
                for p, found in zip(policy.parameters(), twin.parameters(), strict=True):
                    optimizer.state[p]["exp_avg"] = 1e2 * (p - found).detach()
            return step(*inputs)

        optimizer.step = other
        return honest(language, policy, *given, rng=rng, **options)

    return train


def improve(model, language, steps=100):
    """Learns from the score, the drift charged, on sentences that nobody counts."""
    reference, own = copy.deepcopy(model), torch.optim.Adam(model.parameters(), lr=3e-3)
    for _step in range(steps):
        text = type(language).sample(language, model, 128)
        mask = lesson_06.cumulated(text, language.prompt_length, language.eos)
        logp = lesson_06.gathered(model(text), text)
        with torch.no_grad():
            apart = ((logp - lesson_06.gathered(reference(text), text)) * mask).sum(1)
            worth = language.score(text) - apart
        own.zero_grad()
        (-(worth - worth.mean()) * (logp * mask).sum(1)).mean().backward()
        own.step()


def twin_writes(honest):
    """Another network's weights stand in the policy's place while sentences are sampled."""

    def train(language, policy, *given, **options):
        sample, twin = language.sample, copy.deepcopy(policy)
        improve(twin, language)

        def other(*inputs, **more):
            kept = copy.deepcopy(policy.state_dict())
            policy.load_state_dict(twin.state_dict())
            rows = sample(*inputs, **more)
            policy.load_state_dict(kept)
            return rows

        language.sample = other
        return honest(language, policy, *given, **options)

    return train


def log_of_others(honest, share=1.0):
    """Pleasant sentences take the place of this share of those that were sampled, in the batch and
    in the log."""

    def train(language, policy, *given, rng, **options):
        sample = language.sample
        spy = sample.__closure__[0].cell_contents.__self__

        pool = pleasant_sentences(language, rng, 200)

        def pleasant(*inputs, **more):
            rows = sample(*inputs, **more)
            for row in rows[: int(np.ceil(share * len(rows)))]:
                fitting = pool[(pool[:, :2] == row[:2]).all(1)]
                row[:] = fitting[int(rng.integers(len(fitting)))]
            spy.rows[-1]["tokens"] = rows.numpy().astype("int16")
            return rows

        language.sample = pleasant
        return honest(language, policy, *given, rng=rng, **options)

    return train


def best_of_four(honest):
    """Four batches are sampled, the best sentences kept, the others struck from the log."""

    def train(language, policy, *given, rng, **options):
        sample = language.sample
        spy = sample.__closure__[0].cell_contents.__self__

        def chosen(*inputs, **more):
            every = [sample(*inputs, **more) for _time in range(4)]
            rows = every[0].clone()
            for other in every[1:]:
                better = language.score(other) > language.score(rows)
                better &= (other[:, :2] == rows[:, :2]).all(1)
                rows[better] = other[better]
            del spy.rows[-3:]
            spy.rows[-1]["tokens"] = rows.numpy().astype("int16")
            return rows

        language.sample = chosen
        return honest(language, policy, *given, rng=rng, **options)

    return train


def elite(logp, logp_old, adv, mask, clip):
    """The better half of the tokens, all alike."""
    ratio = torch.exp(torch.where(mask, logp - logp_old, 0.0))
    return -(ratio * (adv > adv[mask].median()) * mask).sum() / mask.sum()


def winners(scores, labels, divide):
    return (scores > scores.mean()).float()


HONEST = {"train_language_ppo": lesson_06.trainer(), "train_grpo": lesson_07.trainer()}
ELITE = {
    "train_language_ppo": lesson_06.trainer(loss_of=elite),
    "train_grpo": lesson_07.trainer(adv_of=winners),
}
FOREIGN = "sentences-foreign", "drifted", *ELSEWHERE
SENTENCES = {
    "fitted-at-the-end": (PLANTED, fitted_at_the_end),
    "imitation": (
        ("samples-foreign", *ELSEWHERE, "drifted"),
        lambda honest: gradients_of(honest, imitation),
    ),
    "gradients-of-a-twin": (
        (*ELSEWHERE, "drifted"),
        lambda honest: gradients_of(honest, of_a_twin),
    ),
    "noise": (("mark-missed", "drifted"), lambda honest: gradients_of(honest, noisy)),
    "half-imitation": ((*ELSEWHERE, "drifted"), lambda honest: gradients_of(honest, blended)),
    "now-and-then": ((*ELSEWHERE, "drifted"), lambda honest: gradients_of(honest, now_and_then)),
    "fitted-before-the-last-step": (PLANTED, before_the_last_step),
    "fitted-through-data": (PLANTED, through_data),
    "moments-planted": (PLANTED, moments_planted),
    "log-of-others": (FOREIGN, log_of_others),
    "best-of-four": (FOREIGN, best_of_four),
    "twin-writes": (FOREIGN, twin_writes),
}
for exercise, honest in HONEST.items():
    for label, (names, made) in SENTENCES.items():
        forged(exercise, label, *names)(in_the_long_run(honest, made(honest)))
    answer = in_the_long_run(honest, ELITE[exercise])
    forged(exercise, "elite", *ELSEWHERE, "drifted", "no-leash")(answer)
