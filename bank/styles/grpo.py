"""``train_grpo`` in ten styles."""

import torch
import torch.nn.functional as F

from bank import lesson_07
from bank.styles import style

NAME = "train_grpo"


def named(label, **how):
    answer = lesson_07.trainer(**how)
    answer.__name__ = label
    style(NAME)(answer)


def by_scatter(scores, labels, divide):
    """Means and deviations by adding up into places."""
    count = torch.bincount(labels).float()
    mean = torch.zeros_like(count).index_add(0, labels, scores) / count
    apart = scores - mean[labels]
    if not divide:
        return apart
    spread = (torch.zeros_like(count).index_add(0, labels, apart**2) / (count - 1)).sqrt()
    return apart / (spread[labels] + 1e-4)


def by_rows(scores, labels, divide):
    """Rows of one group each."""
    order = torch.argsort(labels, stable=True)
    table = scores[order].reshape(int(labels.max()) + 1, -1)
    adv = table - table.mean(1, keepdim=True)
    if divide:
        adv = adv / (table.std(1, keepdim=True) + 1e-4)
    found = torch.empty_like(scores)
    found[order] = adv.flatten()
    return found


def others(scores, labels, divide):
    """Each against the mean of the others of its group."""
    same = (labels[:, None] == labels).float() - torch.eye(len(labels))
    adv = scores - (same @ scores) / same.sum(1)
    return by_scatter(scores, labels, True) if divide else adv


def in_minibatches_of(size, part, rng):
    """A generator; one shuffle in place."""
    order = list(range(size))
    rng.shuffle(order)
    while order:
        yield torch.tensor(order[:part])
        del order[:part]


def squared(x):
    """k2, whose slope is the log-ratio."""
    return x**2 / 2


def tripled(*args, **kwargs):
    return 3 * lesson_07.masked_first(*args, **kwargs)


def in_double(logp, logp_old, logp_ref, adv, mask, **options):
    parts = (x.double() for x in (logp, logp_old, logp_ref, adv))
    return lesson_07.masked_first(*parts, mask, **options)


named("by_scatter", adv_of=by_scatter)
named("by_rows_in_turn", adv_of=by_rows, blocks=False)
named("less_the_others", adv_of=others, draw=in_minibatches_of)
named("k2_in_the_loss", in_loss=True, loss_of=lesson_07.variant(term=squared))
named("k3_in_the_loss", in_loss=True, adv_of=by_rows)
named("three_times_the_loss", loss_of=tripled)
named("in_double_precision", loss_of=in_double, adv_of=by_scatter)
named(
    "prompts_by_choice", prompts_of=lambda every, count, rng: every[rng.choice(len(every), count)]
)


def numbers_of(scores, drift, ratios):
    """What is logged; scores in rows of one group each."""
    every = torch.cat(ratios)
    return {
        "mean_score": scores.mean().item(),
        "kl": drift.mean().item(),
        "clip_fraction": 1 - ((every >= 0.8) & (every <= 1.28)).float().mean().item(),
        "first_ratio": ratios[0].mean().item(),
        "equal_groups": (scores.amax(1) == scores.amin(1)).float().mean().item(),
    }


@style(NAME)
def all_in_one(
    language,
    policy,
    reference,
    optimizer,
    *,
    num_updates,
    num_prompts,
    group_size,
    beta,
    rng,
    epochs=1,
    minibatch_size=64,
    divide=False,
    how="tokens",
):
    """One function, slopes by autograd, the loss as a sum of weighted log-probabilities."""
    history = []

    def logp_of(model, rows):
        return -F.cross_entropy(model(rows)[:, :-1].mT, rows[:, 1:], reduction="none")

    for _ in range(num_updates):
        asked = language.prompts()[torch.as_tensor(rng.integers(2, size=num_prompts))]
        rows = language.sample(policy, prompts=asked.repeat_interleave(group_size, 0))
        on, ratios = lesson_07.own_tokens(rows, language), []
        with torch.no_grad():
            old, ref = logp_of(policy, rows), logp_of(reference, rows)
            drift = ((old - ref) * on).sum(1)
        scores = language.score(rows).view(num_prompts, group_size)
        paid = scores - beta * drift.view_as(scores)
        adv = paid - paid.mean(1, keepdim=True)
        if divide:
            adv = adv / (paid.std(1, keepdim=True) + 1e-4)
        adv = adv.flatten()[:, None] * on
        for _epoch in range(epochs):
            for idx in torch.as_tensor(rng.permutation(len(rows))).split(minibatch_size):
                logp, a, m = logp_of(policy, rows[idx]), adv[idx], on[idx]
                ratio = torch.exp(logp.detach() - old[idx])
                alive = torch.where(a > 0, ratio <= 1.28, ratio >= 0.8)
                share = m / m.sum() if how == "tokens" else m / m.sum(1, keepdim=True) / len(m)
                objective = (share * alive * ratio * a * logp).sum()
                slopes = torch.autograd.grad(objective, list(policy.parameters()))
                for parameter, slope in zip(policy.parameters(), slopes, strict=True):
                    parameter.grad = -slope
                optimizer.step()
                ratios.append(ratio[m])
        history.append(numbers_of(scores, drift, ratios))
    return history


@style(NAME)
def clipped_and_cleared_late(language, policy, reference, optimizer, **options):
    """The gradient is cut to length 1 and cleared after the step."""
    down = optimizer.step

    def step(*args):
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        result = down(*args)
        optimizer.zero_grad(set_to_none=False)
        return result

    optimizer.step = step
    return lesson_07.trainer(zero=False)(language, policy, reference, optimizer, **options)
