"""``train_language_ppo`` in ten styles."""

import numpy as np
import torch
import torch.nn.functional as F

from bank import lesson_06
from bank.styles import style

NAME = "train_language_ppo"


def named(label, **how):
    answer = lesson_06.trainer(**how)
    answer.__name__ = label
    style(NAME)(answer)


def cut_errors(adv, mask):
    """Whitened with the biased deviation."""
    own = adv[mask]
    return (adv - own.mean()) / (own.std(unbiased=False) + 1e-5)


def scaled_alone(adv, mask):
    return adv / (adv[mask].pow(2).mean().sqrt() + 1e-8)


def white_again(logp, logp_old, adv, mask, clip):
    """Whitened in each minibatch."""
    own = adv[mask]
    own = (own - own.mean()) / (own.std() + 1e-8)
    ratio = torch.exp(logp[mask] - logp_old[mask])
    return -torch.minimum(ratio * own, ratio.clamp(1 - clip, 1 + clip) * own).mean()


def in_sums(logp, logp_old, adv, mask, clip):
    return lesson_06.masked_objective(logp, logp_old, adv, mask, clip) * mask.sum()


def mean_of_each_sentence(logp, logp_old, adv, mask, clip):
    """Each sentence counts once, however long it is."""
    ratio = torch.exp(torch.where(mask, logp - logp_old, 0.0))
    gain = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -(torch.where(mask, gain, 0.0).sum(1) / mask.sum(1)).mean()


def turned_order(size, part, rng):
    """A shuffle in place, cut from the end."""
    order = np.arange(size)
    rng.shuffle(order)
    return [torch.as_tensor(one.copy()) for one in np.array_split(order, -(-size // part))]


def policy_first(loss, value_loss):
    loss.backward()
    value_loss.backward()


named("biased_deviation", whiten=cut_errors)
named("scaled_alone", whiten=scaled_alone, value_coef=1.0)
named("whitened_in_minibatches", white=False, loss_of=white_again)
named("sums", loss_of=in_sums, value_coef=20.0)
named("mean_of_each_sentence", loss_of=mean_of_each_sentence)
named("two_passes", backward=policy_first, draw=turned_order)
named("returns_less_values", lam=1.0, loss_of=lesson_06.limit_by_sign)
named("short_sight", lam=0.8)


@style(NAME)
def all_in_one(
    language,
    policy,
    critic,
    reference,
    optimizer,
    *,
    num_updates,
    batch_size,
    beta,
    rng,
    epochs=4,
    minibatch_size=64,
    clip=0.2,
):
    """One function: cross-entropies, a loop over columns, slopes by autograd."""
    history, nets = [], [*policy.parameters(), *critic.parameters()]

    def logp_of(model, rows):
        return -F.cross_entropy(model(rows)[:, :-1].mT, rows[:, 1:], reduction="none")

    while len(history) < num_updates:
        rows = language.sample(policy, batch_size)
        width = rows.shape[1]
        place = torch.arange(1, width)
        closed = (rows[:, 1:] == language.eos) & (place >= language.prompt_length)
        on = (place >= language.prompt_length) & (closed.long().cumsum(1) - closed.long() == 0)
        old, ref = logp_of(policy, rows).detach(), logp_of(reference, rows).detach()
        values = critic(rows).detach()[:, :-1]
        score = language.score(rows).float()
        pay = -beta * (old - ref) * on
        pay[torch.arange(batch_size), (place * on).argmax(1)] += score
        adv, after, later = torch.zeros_like(pay), torch.zeros(batch_size), torch.zeros(batch_size)
        for t in range(width - 2, -1, -1):
            later = torch.where(on[:, t], pay[:, t] + after - values[:, t] + 0.95 * later, 0.0)
            after = torch.where(on[:, t], values[:, t], 0.0)
            adv[:, t] = later
        target, own = adv + values, adv[on]
        adv = (adv - own.mean()) / (own.std() + 1e-8)
        for _ in range(epochs):
            for idx in torch.as_tensor(rng.permutation(batch_size)).split(minibatch_size):
                m = on[idx]
                ratio = (logp_of(policy, rows[idx]) - old[idx])[m].exp()
                a = adv[idx][m]
                loss = -torch.min(ratio * a, ratio.clip(1 - clip, 1 + clip) * a).mean()
                error = critic(rows[idx])[:, :-1][m] - target[idx][m]
                slopes = torch.autograd.grad(loss + 0.5 * error.square().mean(), nets)
                for parameter, slope in zip(nets, slopes, strict=True):
                    parameter.grad = slope
                optimizer.step()
        history.append(
            {"score": float(score.mean()), "kl": float(((old - ref) * on).sum(1).mean())}
        )
    return history


@style(NAME)
def clipped_length(language, policy, critic, reference, optimizer, **options):
    """Each network's gradient is cut to length 1; nothing but the loss is written down."""
    kept = []

    def both(loss, value_loss):
        (loss + value_loss).backward()
        for net in (policy, critic):
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        kept.append(float(loss))

    train = lesson_06.trainer(backward=both)
    history = train(language, policy, critic, reference, optimizer, **options)
    return [{"loss": kept[n]} for n in range(len(history))]
