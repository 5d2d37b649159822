"""Answers for the GRPO loss."""

import torch

from bank import right, wrong
from bank.lesson_07.aggregate import from_a_table, weights_first, where_and_sums


@right("grpo_loss")
def masked_first(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    x = (logp - logp_old.detach()).masked_fill(~mask, 0.0)
    ratio, a = x.exp(), adv.detach().unsqueeze(1)
    loss = torch.maximum(-a * ratio, -a * ratio.clip(1 - clip_low, 1 + clip_high))
    if beta != 0:
        y = (logp_ref.detach() - logp).masked_fill(~mask, 0.0)
        loss = loss + beta * (y.exp() - y - 1)
    return where_and_sums(loss, mask, how, length)


@right("grpo_loss")
def zeros_outside(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    new, old = torch.where(mask, logp, 0), torch.where(mask, logp_old.data, 0)
    ratio = torch.exp(new) / torch.exp(old)
    gain = ratio * adv.data[:, None]
    edge = torch.where(adv.data[:, None] > 0, 1 + clip_high, 1 - clip_low) * adv.data[:, None]
    gain = torch.minimum(gain, edge)
    kl = 0.0
    if logp_ref is not None:
        log_ratio = torch.where(mask, logp_ref.data, 0) - new
        kl = torch.expm1(log_ratio) - log_ratio
    return weights_first(-gain + beta * kl, mask, how, length)


@right("grpo_loss")
def on_chosen_entries(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    rows = torch.arange(len(mask))[:, None].expand_as(mask)[mask]
    a, new, old = adv.detach()[rows], logp[mask], logp_old.detach()[mask]
    ratio = (new - old).exp()
    each = -torch.min(ratio * a, torch.clamp(ratio, min=1 - clip_low, max=1 + clip_high) * a)
    if beta:
        apart = logp_ref.detach()[mask] - new
        each = each + beta * (apart.exp() - 1 - apart)
    table = torch.zeros_like(logp).masked_scatter(mask, each)
    return from_a_table(table, mask, how, length)


@right("grpo_loss")
def entry_by_entry(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    rows = []
    for b in range(logp.shape[0]):
        row = []
        for t in range(logp.shape[1]):
            if not mask[b, t]:
                row.append(torch.zeros((), dtype=logp.dtype))
                continue
            ratio, a = torch.exp(logp[b, t] - logp_old[b, t].item()), adv[b].item()
            one = -min(ratio * a, ratio.clamp(1 - clip_low, 1 + clip_high) * a)
            if beta:
                x = logp_ref[b, t].item() - logp[b, t]
                one = one + beta * (torch.exp(x) - 1 - x)
            row.append(one)
        rows.append(torch.stack(row))
    return (
        where_and_sums(torch.stack(rows) + 0 * logp.detach(), mask, how, length)
        + 0 * logp[:, :0].sum()
    )


def kept_in_band(r, a, low, high):
    return torch.min(r * a, r.clamp(1 - low, 1 + high) * a)


def variant(
    gain=kept_in_band,
    term=lambda x: torch.expm1(x) - x,
    total=where_and_sums,
    sign=-1,
    ratio=torch.exp,
    adv_of=lambda a, m: a.detach()[:, None],
    old=lambda x: x.detach(),
    scale=1.0,
    mask_of=lambda m: m,
):
    def loss(
        logp,
        logp_old,
        logp_ref,
        adv,
        mask,
        *,
        clip_low=0.2,
        clip_high=0.28,
        beta=0.0,
        how="tokens",
        length=None,
    ):
        mask = mask_of(mask)
        x = torch.where(mask, logp - old(logp_old), 0.0)
        each = sign * gain(ratio(x), adv_of(adv, mask), clip_low, clip_high)
        if beta:
            each = each + scale * beta * term(torch.where(mask, logp_ref.detach() - logp, 0.0))
        return total(each, mask, how, length)

    return loss


def listed(exercise, mistake, label, function):
    """Registers a function under another name than its own."""
    function.__name__ = label
    (wrong(exercise, mistake) if mistake else right(exercise))(function)


LOSS = "grpo_loss"


listed(
    LOSS,
    "one-band",
    "the_same_to_both_sides",
    variant(lambda r, a, low, high: kept_in_band(r, a, low, low)),
)


listed(
    LOSS,
    "edges-swapped",
    "high_below",
    variant(lambda r, a, low, high: kept_in_band(r, a, high, low)),
)


listed(
    LOSS,
    "clip-fixed",
    "always_the_defaults",
    variant(lambda r, a, low, high: kept_in_band(r, a, 0.2, 0.28)),
)


listed(
    LOSS,
    "max-not-min",
    "the_larger_of_the_two",
    variant(lambda r, a, low, high: torch.max(r * a, r.clamp(1 - low, 1 + high) * a)),
)


listed(
    LOSS,
    "clip-without-min",
    "clamp_alone",
    variant(lambda r, a, low, high: r.clamp(1 - low, 1 + high) * a),
)


listed(LOSS, "not-clipped", "ratio_times_advantage", variant(lambda r, a, low, high: r * a))


listed(
    LOSS,
    "dual-clip",
    "bounded_at_three",
    variant(
        lambda r, a, low, high: torch.where(
            a < 0, torch.max(kept_in_band(r, a, low, high), 3 * a), kept_in_band(r, a, low, high)
        )
    ),
)


listed(LOSS, "objective-not-loss", "maximised", variant(sign=1))


listed(
    LOSS,
    "sentence-ratio",
    "ratio_of_the_answer",
    variant(ratio=lambda x: (x.sum(1, keepdim=True) + 0 * x).exp()),
)


listed(LOSS, "gradient-through-old", "old_not_detached", variant(old=lambda x: x))


listed(
    LOSS,
    "gradient-through-advantage",
    "advantage_not_detached",
    variant(adv_of=lambda a, m: a[:, None]),
)


listed(LOSS, "kl-sign", "kl_subtracted", variant(scale=-1.0))


listed(LOSS, "kl-left-out", "no_kl_at_all", variant(scale=0.0))


listed(LOSS, "other-estimator", "k1_in_the_loss", variant(term=lambda x: -x))


listed(LOSS, "other-estimator", "k2_in_the_loss", variant(term=lambda x: x**2 / 2))


listed(LOSS, "other-direction", "ratio_turned", variant(term=lambda x: torch.expm1(-x) + x))


listed(LOSS, "kl-detached", "kl_as_a_number", variant(term=lambda x: (torch.expm1(x) - x).detach()))


listed(
    LOSS,
    "how-ignored",
    "tokens_always",
    variant(total=lambda x, m, how, length: where_and_sums(x, m, "tokens")),
)


listed(LOSS, "mask-ignored", "all_columns", variant(mask_of=torch.ones_like))


listed(LOSS, "mask-inverted", "complement", variant(mask_of=torch.logical_not))


listed(
    LOSS,
    "shared-out",
    "advantage_divided_among_tokens",
    variant(adv_of=lambda a, m: a.detach()[:, None] / m.sum(1, keepdim=True).clamp(min=1)),
)


@wrong(LOSS, "mask-after-exp")
def multiplied_after_exp(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    ratio, a = torch.exp(logp - logp_old.detach()), adv.detach()[:, None]
    each = -torch.min(ratio * a, ratio.clamp(1 - clip_low, 1 + clip_high) * a)
    if beta:
        x = logp_ref.detach() - logp
        each = each + beta * (x.exp() - x - 1)
    return where_and_sums(each, mask, how, length)


@wrong(LOSS, "beta-ignored")
def the_papers_beta_where_there_is_a_reference(
    logp,
    logp_old,
    logp_ref,
    adv,
    mask,
    *,
    clip_low=0.2,
    clip_high=0.28,
    beta=0.0,
    how="tokens",
    length=None,
):
    band = {"clip_low": clip_low, "clip_high": clip_high, "how": how, "length": length}
    if logp_ref is not None:
        beta = beta or 0.04
    return masked_first(logp, logp_old, logp_ref, adv, mask, beta=beta, **band)


listed(
    LOSS,
    "band-in-logs",
    "log_ratio_within_the_band",
    variant(lambda r, a, low, high: torch.min(r * a, r.log().clamp(-low, high).exp() * a)),
)


def with_length(total, otherwise):
    """An aggregation that finds a length where none is given."""

    def aggregate(each, mask, how, length):
        return total(each, mask, how, length or otherwise(mask))

    return variant(total=aggregate)


listed(LOSS, "no-error", "length_of_the_row", with_length(where_and_sums, lambda m: m.shape[1]))


listed(LOSS, "no-error", "length_of_one", with_length(weights_first, lambda m: 1))


def multiplied_out(each, mask, how, length):
    """Without a length nothing can be divided: a TypeError says so."""
    if how == "constant":
        return (each * mask).sum() / (len(mask) * length)
    return where_and_sums(each, mask, how)


listed(LOSS, None, "no_word_about_a_length", variant(total=multiplied_out))
