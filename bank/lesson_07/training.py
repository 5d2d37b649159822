"""Answers for train_grpo."""

import copy

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, wrong
from bank.lesson_07.advantages import others_mean, usual
from bank.lesson_07.aggregate import where_and_sums
from bank.lesson_07.grpo_loss import listed, masked_first, variant


def scored(model, tokens):
    return -F.cross_entropy(model(tokens)[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


def own_tokens(tokens, language):
    place = torch.arange(tokens.shape[1])
    ends = ((tokens == language.eos) & (place >= language.prompt_length)).int()
    return ((place >= language.prompt_length) & (ends.cumsum(1) - ends == 0))[:, 1:]


def parts_of(size, part, rng):
    places = rng.permutation(size)
    return [torch.as_tensor(places[i : i + part]) for i in range(0, size, part)]


def trainer(
    *,
    in_loss=False,
    loo=False,
    blocks=True,
    prompts_of=None,
    adv_of=None,
    charge=1.0,
    loss_of=None,
    mask_of=own_tokens,
    sample=None,
    old=None,
    zero=True,
    draw=parts_of,
    log=None,
    twice=False,
    reference_of=None,
    spread=lambda s: s.std(),
    how_of=lambda how: how,
    sign=1.0,
):
    """A right training loop, with places where one thing can be changed."""

    def advantages(scores, labels, divide):
        adv = torch.zeros_like(scores)
        for label in labels.unique():
            group = scores[labels == label]
            if group.min() == group.max():
                continue
            centred = group - (others_mean(group) if loo and not divide else group.mean())
            adv[labels == label] = centred / (spread(group) + 1e-4) if divide else centred
        return adv

    def train(
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
        history, every = [], language.prompts()
        labels = torch.arange(num_prompts)
        labels = labels.repeat_interleave(group_size) if blocks else labels.repeat(group_size)
        for _ in range(num_updates):
            asked = (prompts_of or drawn)(every, num_prompts, rng)
            writer = policy if sample is None else sample(policy, reference)
            tokens = language.sample(writer, prompts=asked[labels])
            mask = mask_of(tokens, language)
            with torch.no_grad():
                before, ref = scored(policy, tokens), scored(reference, tokens)
                if reference_of is not None:
                    ref = reference_of(policy, reference, tokens)
            drift = ((before - ref) * own_tokens(tokens, language)).sum(1)
            scores = language.score(tokens)
            paid = scores if in_loss and not twice else scores - charge * beta * drift
            adv = sign * (adv_of or advantages)(paid, labels, divide)
            ratios = []
            for _ in range(epochs):
                for idx in draw(len(tokens), minibatch_size, rng):
                    logp = scored(policy, tokens[idx])
                    stored = before[idx] if old is None else old(logp)
                    loss = (loss_of or masked_first)(
                        logp,
                        stored,
                        ref[idx],
                        adv[idx],
                        mask[idx],
                        how=how_of(how),
                        beta=charge * beta if in_loss else 0.0,
                        length=language.max_new,
                    )
                    ratios.append((logp.detach() - stored).exp()[mask[idx]])
                    if zero:
                        optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            apart = torch.cat(ratios)
            table = [scores[labels == label] for label in range(num_prompts)]
            row = {
                "mean_score": scores.mean().item(),
                "kl": drift.mean().item(),
                "clip_fraction": ((apart < 0.8) | (apart > 1.28)).float().mean().item(),
                "first_ratio": ratios[0].mean().item(),
                "equal_groups": sum(bool((g == g[0]).all()) for g in table) / num_prompts,
            }
            history.append(log(row) if log else row)
        return history

    return train


def drawn(prompts, count, rng):
    return prompts[torch.as_tensor(rng.integers(len(prompts), size=count))]


NAME = "train_grpo"


listed(NAME, None, "kl_in_the_score", trainer())


listed(NAME, None, "kl_in_the_loss", trainer(in_loss=True))


listed(NAME, None, "leave_one_out", trainer(loo=True, spread=lambda s: s.std(unbiased=False)))


listed(
    NAME,
    None,
    "prompts_in_turn",
    trainer(
        blocks=False, prompts_of=lambda every, count, rng: every[rng.choice(len(every), count)]
    ),
)


@right(NAME)
def prompt_by_prompt(
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
    """One call of the sampler for each prompt, and k2 in the loss."""
    log = []
    for _ in range(num_updates):
        groups = []
        for number in rng.integers(len(language.prompts()), size=num_prompts):
            prompt = language.prompts()[int(number)].repeat(group_size, 1)
            groups.append(language.sample(policy, prompts=prompt))
        tokens = torch.cat(groups)
        scores = language.score(tokens).reshape(num_prompts, group_size)
        adv = scores - scores.mean(1, keepdim=True)
        if divide:
            adv = adv / (scores.std(1, keepdim=True) + 1e-4)
        adv, mask = adv.flatten(), own_tokens(tokens, language)
        old, ref = scored(policy, tokens).detach(), scored(reference, tokens).detach()
        seen = []
        for _epoch in range(epochs):
            order = rng.permutation(len(tokens))
            for start in range(0, len(order), minibatch_size):
                idx = torch.from_numpy(order[start : start + minibatch_size])
                logp = scored(policy, tokens[idx])
                r = torch.exp(logp - old[idx])
                seen.append(r.detach()[mask[idx]])
                gain = torch.min(r * adv[idx, None], r.clamp(0.8, 1.28) * adv[idx, None])
                each = beta * (logp - ref[idx]) ** 2 / 2 - gain
                optimizer.zero_grad(set_to_none=True)
                where_and_sums(each, mask[idx], how, language.max_new).backward()
                optimizer.step()
        log.append(
            {
                "mean_score": float(scores.mean()),
                "kl": float(((old - ref) * mask).sum(1).mean()),
                "clip_fraction": float(torch.cat(seen).sub(1.04).abs().gt(0.24).float().mean()),
                "first_ratio": float(seen[0].mean()),
                "equal_groups": float((scores == scores[:, :1]).all(1).float().mean()),
            }
        )
    return log


listed(NAME, "no-leash", "nothing_charged", trainer(charge=0.0))


listed(NAME, "kl-sign", "drift_is_paid", trainer(charge=-1.0))


listed(NAME, "kl-twice", "charged_twice", trainer(charge=2.0))


listed(NAME, "kl-twice", "in_score_and_loss", trainer(in_loss=True, twice=True))


listed(
    NAME,
    "no-leash",
    "reference_is_the_policy",
    trainer(reference_of=lambda policy, ref, tokens: scored(policy, tokens)),
)


listed(
    NAME,
    "over-the-batch",
    "whitened_over_the_batch",
    trainer(adv_of=lambda s, g, divide: (s - s.mean()) / (s.std() + 1e-4 if divide else 1)),
)


listed(
    NAME,
    "groups-misaligned",
    "labels_off_by_one",
    trainer(adv_of=lambda s, g, divide: usual(s, torch.roll(g, 1), divide)),
)


listed(
    NAME, "divide-ignored", "never_divides", trainer(adv_of=lambda s, g, divide: usual(s, g, False))
)


listed(
    NAME, "divide-ignored", "always_divides", trainer(adv_of=lambda s, g, divide: usual(s, g, True))
)


listed(NAME, "how-ignored", "token_mean_always", trainer(how_of=lambda how: "tokens"))


listed(NAME, "no-baseline", "scores_as_they_are", trainer(adv_of=lambda s, g, divide: s))


listed(NAME, "minus-sign", "uphill", trainer(sign=-1.0))


listed(
    NAME,
    "mask-inverted",
    "prompt_and_filling",
    trainer(mask_of=lambda t, lang: ~own_tokens(t, lang)),
)


listed(
    NAME,
    "mask-ignored",
    "no_mask",
    trainer(mask_of=lambda t, lang: torch.ones_like(own_tokens(t, lang))),
)


listed(
    NAME,
    "sampled-from-reference",
    "the_references_words",
    trainer(sample=lambda policy, reference: reference),
)


listed(NAME, "gradients-pile-up", "no_zero_grad", trainer(zero=False))


listed(
    NAME,
    "not-from-rng",
    "numpys_own_order",
    trainer(draw=lambda size, part, rng: parts_of(size, part, np.random)),
)


listed(
    NAME,
    "same-prompts",
    "prompts_in_a_row",
    trainer(prompts_of=lambda every, count, rng: every.repeat(count, 1)[:count]),
)


listed(
    NAME,
    "first-ratio",
    "distance_logged",
    trainer(log=lambda row: row | {"first_ratio": row["first_ratio"] + 0.1}),
)


listed(
    NAME,
    "logged-wrong",
    "penalty_in_the_score",
    trainer(log=lambda row: row | {"mean_score": row["mean_score"] - row["kl"]}),
)


listed(
    NAME,
    "key-missing",
    "four_of_five",
    trainer(log=lambda row: {key: row[key] for key in row if key != "equal_groups"}),
)


listed(NAME, "old-recomputed", "ratio_always_one", trainer(old=lambda logp: logp.detach()))


listed(NAME, "no-clip", "surrogate", trainer(loss_of=variant(lambda r, a, low, high: r * a)))


@wrong(NAME, "not-in-groups")
def each_row_its_own_prompt(language, policy, *given, num_prompts, group_size, rng, **options):
    class Mixed:
        prompt_length, eos, score = language.prompt_length, language.eos, language.score
        max_new, prompts = language.max_new, language.prompts

        @staticmethod
        def sample(policy, prompts):
            every = language.prompts()
            return language.sample(policy, prompts=drawn(every, len(prompts), rng))

    return trainer()(
        Mixed, policy, *given, num_prompts=num_prompts, group_size=group_size, rng=rng, **options
    )


@wrong(NAME, "no-history")
def nothing_returned(*given, **options):
    trainer()(*given, **options)


@wrong(NAME, "reference-moved")
def reference_follows(language, policy, reference, *given, **options):
    def follow(policy, ref, tokens):
        ref.load_state_dict(copy.deepcopy(policy.state_dict()))
        return scored(ref, tokens)

    return trainer(reference_of=follow)(language, policy, reference, *given, **options)
