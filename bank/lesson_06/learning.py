"""Answers for training."""

import copy

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, wrong
from bank.lesson_06.masks import cumulated, everything_after_the_prompt, row_by_row
from bank.lesson_06.rewards import reversed_argmax
from bank.lesson_06.token_logp import gathered
from bank.lesson_06.token_loss import chosen_tokens_alone, masked_objective


def advantages(rewards, values, mask, lam):
    """GAE along each row (gamma 1), for the masked entries; 0 elsewhere."""
    adv, running = torch.zeros_like(values), torch.zeros(len(values))
    following = torch.zeros(len(values))
    for t in reversed(range(values.shape[1])):
        on = mask[:, t]
        error = rewards[:, t] + following - values[:, t]
        running = torch.where(on, error + lam * running, 0.0)
        following = torch.where(on, values[:, t], 0.0)
        adv[:, t] = running
    return adv


def scored(model, tokens):
    return gathered(model(tokens), tokens)


def orders(size, part, rng):
    places = rng.permutation(size)
    return [torch.as_tensor(places[i : i + part]) for i in range(0, size, part)]


def paid(language, tokens, mask, logp, logp_ref, beta):
    return reversed_argmax(language.score(tokens), mask) - beta * (logp - logp_ref) * mask


def trainer(
    *,
    lam=0.95,
    white=True,
    reward=paid,
    old=None,
    loss_of=masked_objective,
    value_coef=0.5,
    sample=None,
    reference_of=None,
    extra=None,
    draw=orders,
    mask_of=cumulated,
    zero=True,
    places=slice(None, -1),
    loss_places=None,
    target=lambda adv, white, values: adv + values,
    value_mask=lambda mask: mask,
    whiten=lambda adv, mask: (adv - adv[mask].mean()) / (adv[mask].std() + 1e-8),
    gae_of=advantages,
    backward=lambda loss, value_loss: (loss + value_loss).backward(),
    first_of=lambda logp, logp_ref: logp,
):
    """A right training loop, with places where one thing can be changed."""

    def train(
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
        history = []
        kept = copy.deepcopy(policy)
        for _ in range(num_updates):
            writer = policy if sample is None else sample(policy, reference)
            tokens = language.sample(writer, batch_size)
            mask = mask_of(tokens, language.prompt_length, language.eos)
            with torch.no_grad():
                logp_old, values = scored(policy, tokens), critic(tokens)[:, places]
                model = reference if reference_of is None else reference_of(policy, kept, reference)
                logp_ref = scored(model, tokens)
            rewards = reward(language, tokens, mask, logp_old, logp_ref, beta)
            logp_old = first_of(logp_old, logp_ref)
            raw = gae_of(rewards, values, mask, lam)
            adv = whiten(raw, mask) if white else raw
            ret = target(raw, adv, values)
            for _ in range(epochs):
                for idx in draw(batch_size, minibatch_size, rng):
                    logp = scored(policy, tokens[idx])
                    before = logp_old[idx] if old is None else old(logp)
                    loss = loss_of(logp, before, adv[idx], mask[idx], clip)
                    error = (critic(tokens[idx])[:, loss_places or places] - ret[idx]) ** 2
                    value_loss = value_coef * error[value_mask(mask[idx])].mean()
                    if extra is not None:
                        loss = loss + beta * extra(policy, reference, tokens[idx], mask[idx])
                    if zero:
                        optimizer.zero_grad()
                    backward(loss, value_loss)
                    optimizer.step()
            history.append({"score": language.score(tokens).mean().item()})
        return history

    return train


def named(exercise, mistake, label, function):
    """Registers a function under another name than its own."""
    function.__name__ = label
    (wrong(exercise, mistake) if mistake else right(exercise))(function)


NAME = "train_language_ppo"


named(NAME, None, "gae_and_whitening", trainer())


named(NAME, None, "reward_to_go_as_it_is", trainer(lam=1.0, white=False))


named(
    NAME,
    None,
    "penalty_at_the_end",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: reversed_argmax(
            language.score(tokens) - beta * ((logp - ref) * mask).sum(1), mask
        )
    ),
)


named(
    NAME,
    None,
    "loss_of_chosen_tokens",
    trainer(loss_of=chosen_tokens_alone, lam=0.9, value_coef=1.0),
)


def whole_rows(rewards, values, mask, lam):
    """GAE as the lesson's token_gae: entries outside the mask get numbers as well."""
    last = mask & (mask.flip(1).cumsum(1).flip(1) == 1)
    errors = rewards + torch.roll(values, -1, 1) * ~last - values
    adv, running = torch.zeros_like(values), torch.zeros(len(values))
    for t in reversed(range(values.shape[1])):
        running = errors[:, t] + lam * running * ~last[:, t]
        adv[:, t] = running
    return adv


def one_after_the_other(loss, value_loss):
    value_loss.backward()
    loss.backward()


class Shorter:
    """A module that is never shown the last token, by keyword."""

    def __init__(self, module):
        self.module, self.parameters = module, module.parameters

    def __call__(self, tokens):
        return F.pad(self.module(obs=tokens[:, :-1]), (0, 1))


@right(NAME)
def critic_of_shorter_rows(language, policy, critic, *given, **options):
    return trainer(gae_of=whole_rows)(language, policy, Shorter(critic), *given, **options)


named(
    NAME,
    None,
    "two_backward_passes",
    trainer(backward=one_after_the_other, value_coef=1.0, gae_of=whole_rows),
)


@right(NAME)
def sentence_by_sentence(
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
    """Advantages one sentence at a time in plain Python, whitened in each minibatch."""
    log = []
    for _ in range(num_updates):
        tokens = language.sample(policy, batch_size)
        scores, mask = (
            language.score(tokens),
            row_by_row(tokens, language.prompt_length, language.eos),
        )
        old, ref = scored(policy, tokens).detach(), scored(reference, tokens).detach()
        values, adv, ret = critic(tokens).detach(), torch.zeros(mask.shape), torch.zeros(mask.shape)
        for b in range(batch_size):
            total, places = float(scores[b]), mask[b].nonzero()[:, 0].tolist()
            for t in reversed(places):
                total -= beta * float(old[b, t] - ref[b, t])
                ret[b, t], adv[b, t] = total, total - float(values[b, t])
        for _ in range(epochs):
            for idx in orders(batch_size, minibatch_size, rng):
                m, a = mask[idx], adv[idx]
                a = (a - a[m].mean()) / (a[m].std(unbiased=False) + 1e-6)
                value = F.mse_loss(critic(tokens[idx])[:, :-1][m], ret[idx][m])
                loss = (
                    chosen_tokens_alone(scored(policy, tokens[idx]), old[idx], a, m, clip) + value
                )
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
        log.append({"score": float(scores.mean()), "kl": float(((old - ref) * mask).sum(1).mean())})
    return log


def unclipped(logp, old, adv, mask, clip):
    return -((torch.exp(logp - old) * adv) * mask).sum() / mask.sum()


def whole_divergence(policy, reference, tokens, mask):
    logp, ref = (m(tokens)[:, :-1].log_softmax(-1) for m in (policy, reference))
    return (logp.exp() * (logp - ref)).sum(-1)[mask].mean()


named(
    NAME,
    "no-leash",
    "nothing_charged",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: reversed_argmax(
            language.score(tokens), mask
        )
    ),
)


named(
    NAME,
    "other-beta",
    "half_whatever_is_asked",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: paid(
            language, tokens, mask, logp, ref, 0.5
        )
    ),
)


named(NAME, "no-leash", "old_for_reference", trainer(reference_of=lambda policy, kept, ref: policy))


named(
    NAME,
    "kl-sign",
    "drift_is_paid",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: paid(
            language, tokens, mask, logp, ref, -beta
        )
    ),
)


named(
    NAME,
    "kl-twice",
    "charged_twice",
    trainer(
        reward=lambda language, tokens, mask, logp, ref, beta: paid(
            language, tokens, mask, logp, ref, 2 * beta
        )
    ),
)


named(NAME, "kl-twice", "in_reward_and_loss", trainer(extra=whole_divergence))


named(NAME, "old-recomputed", "ratio_is_always_one", trainer(old=lambda logp: logp.detach()))


named(NAME, "no-clip", "surrogate_on_tokens", trainer(loss_of=unclipped))


named(
    NAME,
    "other-clip",
    "clip_left_at_its_default",
    trainer(loss_of=lambda logp, old, adv, mask, clip: masked_objective(logp, old, adv, mask)),
)


named(NAME, "minus-sign", "uphill", trainer(loss_of=lambda *given: -masked_objective(*given)))


named(
    NAME,
    "prompt-trained",
    "no_mask_in_the_loss",
    trainer(
        loss_of=lambda logp, old, adv, mask, clip: masked_objective(
            logp, old, adv, torch.ones_like(mask), clip
        )
    ),
)


named(NAME, "padding-trained", "all_after_the_prompt", trainer(mask_of=everything_after_the_prompt))


named(
    NAME,
    "sampled-from-reference",
    "the_references_sentences",
    trainer(sample=lambda policy, reference: reference),
)


named(
    NAME,
    "critic-not-trained",
    "no_value_loss",
    trainer(backward=lambda loss, value_loss: loss.backward()),
)


for label, gae_of in {"": advantages, "_whole_rows": whole_rows}.items():
    named(
        NAME,
        "target-is-advantage",
        "critic_learns_advantages" + label,
        trainer(gae_of=gae_of, target=lambda adv, white, values: adv),
    )
    named(
        NAME,
        "whitened-everywhere",
        "all_columns_whitened" + label,
        trainer(gae_of=gae_of, whiten=lambda adv, mask: (adv - adv.mean()) / adv.std()),
    )


named(
    NAME,
    "target-is-whitened",
    "whitened_targets",
    trainer(gae_of=whole_rows, target=lambda adv, white, values: white),
)


named(
    NAME,
    "target-is-whitened",
    "whitened_too_early",
    trainer(gae_of=whole_rows, target=lambda adv, white, values: white + values),
)


named(
    NAME,
    "value-loss-unmasked",
    "every_entry_in_the_critics_loss",
    trainer(gae_of=whole_rows, value_mask=torch.ones_like),
)


named(
    NAME,
    "value-loss-unmasked",
    "frozen_values_outside",
    trainer(value_mask=torch.ones_like),
)


named(NAME, "values-late", "values_that_saw_the_token", trainer(places=slice(1, None)))


named(
    NAME,
    "values-late",
    "baselines_that_saw_the_token",
    trainer(places=slice(1, None), loss_places=slice(None, -1)),
)


named(
    NAME,
    "old-from-reference",
    "ratio_to_the_reference",
    trainer(first_of=lambda logp, logp_ref: logp_ref),
)


named(NAME, "gradients-pile-up", "no_zero_grad", trainer(zero=False))


named(
    NAME,
    "not-from-rng",
    "numpys_own_order",
    trainer(draw=lambda size, part, rng: orders(size, part, np.random)),
)


named(
    NAME,
    "same-order",
    "order_from_a_fixed_seed",
    trainer(draw=lambda size, part, rng: orders(size, part, np.random.default_rng(0))),
)


named(
    NAME,
    "steps-miscounted",
    "last_minibatch_dropped",
    trainer(
        draw=lambda size, part, rng: [idx for idx in orders(size, part, rng) if len(idx) == part]
    ),
)


@wrong(NAME, "no-history")
def nothing_returned(*given, **options):
    trainer()(*given, **options)


@wrong(NAME, "sampled-once")
def one_batch_for_all(language, *given, **options):
    once = []

    class Same:
        prompt_length, eos, score = language.prompt_length, language.eos, language.score

        @staticmethod
        def sample(policy, size):
            once.extend([] if once else [language.sample(policy, size)])
            return once[0]

    return trainer()(Same, *given, **options)


@wrong(NAME, "reference-moved")
def reference_follows(language, policy, critic, reference, optimizer, **options):
    def follow(policy, kept, ref):
        ref.load_state_dict(policy.state_dict())
        return ref

    return trainer(reference_of=follow)(language, policy, critic, reference, optimizer, **options)
