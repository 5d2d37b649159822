"""Answers for dialects of measures."""

import math

import numpy as np
import torch

from bank import right, wrong


@right("approx_kl_dialects")
def vectorised(logp, logp_old):
    d = logp - logp_old
    per_sample = d.exp() - 1 - d
    half = d.shape[0] // 2
    return {
        "k1": -d.mean(),
        "k2": 0.5 * (d * d).mean(),
        "k3": per_sample.mean(),
        "k3 last epoch": per_sample[half:].mean(),
        "k3 last minibatch": per_sample[-1].mean(),
    }


@right("approx_kl_dialects")
def row_by_row(logp, logp_old):
    """Each minibatch's numbers first, as a program logs them, then their means."""
    rows = []
    for new, old in zip(logp.tolist(), logp_old.tolist(), strict=True):
        gaps = [b - a for a, b in zip(new, old, strict=True)]
        k1 = sum(gaps) / len(gaps)
        k2 = sum(g * g for g in gaps) / len(gaps) / 2
        rows.append((k1, k2, sum(math.exp(-g) - 1 + g for g in gaps) / len(gaps)))
    k1, k2, k3 = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    late = [row[2] for row in rows[len(rows) // 2 :]]
    last = sum(late) / len(late)
    return {"k1": k1, "k2": k2, "k3": k3, "k3 last epoch": last, "k3 last minibatch": rows[-1][2]}


@right("approx_kl_dialects")
def in_numpy(logp, logp_old):
    d = np.asarray(logp, dtype=np.float64) - np.asarray(logp_old, dtype=np.float64)
    k3 = (np.expm1(d) - d).mean(axis=1)
    found = {"k1": np.mean(-d), "k2": np.square(d).mean() / 2, "k3": k3.mean()}
    found["k3 last epoch"] = np.split(k3, 2)[1].mean()
    found["k3 last minibatch"] = k3[-1]
    return found


@right("approx_kl_dialects")
def with_more_keys(logp, logp_old):
    with torch.no_grad():
        d = logp - logp_old
        k3 = torch.expm1(d) - d
        early, late = k3.chunk(2)
        return {
            "k3 last minibatch": late[-1].mean().item(),
            "k3 last epoch": late.mean().item(),
            "k3 first epoch": early.mean().item(),
            "k3": k3.mean().item(),
            "k2": d.pow(2).mean().div(2).item(),
            "k1": d.neg().mean().item(),
        }


def parts(d):
    k3 = (d.exp() - 1 - d).mean(1)
    late = len(d) // 2
    numbers = -d.mean(), (d**2).mean() / 2, k3.mean(), k3[late:].mean(), k3[-1]
    return dict(zip(("k1", "k2", "k3", "k3 last epoch", "k3 last minibatch"), numbers, strict=True))


@wrong("approx_kl_dialects", "kl-direction")
def everything_turned(logp, logp_old):
    return parts(logp_old - logp)


@wrong("approx_kl_dialects", "kl-direction")
def new_minus_old(logp, logp_old):
    return parts(logp - logp_old) | {"k1": (logp - logp_old).mean()}


@wrong("approx_kl_dialects", "k3-sign")
def other_ratio(logp, logp_old):
    found, turned = parts(logp - logp_old), parts(logp_old - logp)
    return found | {key: turned[key] for key in turned if key.startswith("k3")}


@wrong("approx_kl_dialects", "k2-without-half")
def mean_square(logp, logp_old):
    return parts(logp - logp_old) | {"k2": ((logp - logp_old) ** 2).mean()}


@wrong("approx_kl_dialects", "last-epoch-everything")
def epoch_is_the_update(logp, logp_old):
    found = parts(logp - logp_old)
    return found | {"k3 last epoch": found["k3"]}


@wrong("approx_kl_dialects", "first-epoch")
def first_half(logp, logp_old):
    d = logp - logp_old
    return parts(d) | {"k3 last epoch": parts(d[: len(d) // 2])["k3"]}


@wrong("approx_kl_dialects", "epoch-is-a-minibatch")
def last_row_twice(logp, logp_old):
    found = parts(logp - logp_old)
    return found | {"k3 last epoch": found["k3 last minibatch"]}


@wrong("approx_kl_dialects", "last-sample")
def very_last_number(logp, logp_old):
    d = (logp - logp_old)[-1, -1]
    return parts(logp - logp_old) | {"k3 last minibatch": d.exp() - 1 - d}


@wrong("approx_kl_dialects", "first-minibatch")
def first_row(logp, logp_old):
    d = (logp - logp_old)[0]
    return parts(logp - logp_old) | {"k3 last minibatch": (d.exp() - 1 - d).mean()}


@wrong("approx_kl_dialects", "rows-and-columns")
def last_column(logp, logp_old):
    d = (logp - logp_old)[:, -1]
    return parts(logp - logp_old) | {"k3 last minibatch": (d.exp() - 1 - d).mean()}


@wrong("approx_kl_dialects", "cut-at-zero")
def never_negative(logp, logp_old):
    return parts(logp - logp_old) | {"k1": (logp_old - logp).mean().clamp(min=0.0)}


@wrong("approx_kl_dialects", "cut-at-zero")
def without_sign(logp, logp_old):
    return parts(logp - logp_old) | {"k1": (logp_old - logp).mean().abs()}


@wrong("approx_kl_dialects", "sum-not-mean")
def sums(logp, logp_old):
    d = logp - logp_old
    k3 = d.exp() - 1 - d
    numbers = -d.sum(), (d**2).sum() / 2, k3.sum(), k3[len(d) // 2 :].sum(), k3[-1].sum()
    return dict(zip(parts(d), numbers, strict=True))


@wrong("approx_kl_dialects", "ratio-of-means")
def exp_of_the_mean(logp, logp_old):
    d = logp - logp_old

    def k3(x):
        return x.mean().exp() - 1 - x.mean()

    late = d[len(d) // 2 :]
    return parts(d) | {"k3": k3(d), "k3 last epoch": k3(late), "k3 last minibatch": k3(d[-1])}


@wrong("approx_kl_dialects", "tuple-returned")
def a_tuple(logp, logp_old):
    return tuple(parts(logp - logp_old).values())


@wrong("approx_kl_dialects", "dict-returned")
def other_keys(logp, logp_old):
    return {key.replace(" ", "_"): x for key, x in parts(logp - logp_old).items()}


@right("clip_fraction_dialects")
def by_cases(ratio, adv, clip=0.2):
    out = (ratio < 1 - clip) | (ratio > 1 + clip)
    cut = ((ratio > 1 + clip) & (adv > 0)) | ((ratio < 1 - clip) & (adv < 0))
    return out.mean(), cut.mean()


@right("clip_fraction_dialects")
def by_the_smaller_objective(ratio, adv, clip=0.2):
    held = np.clip(ratio, 1 - clip, 1 + clip)
    return np.mean(held != ratio), np.mean(held * adv < ratio * adv)


@right("clip_fraction_dialects")
def one_by_one(ratio, adv, clip=0.2):
    outside = bites = 0
    for r, a in zip(ratio, adv, strict=True):
        if r > 1 + clip:
            outside, bites = outside + 1, bites + (a > 0)
        elif r < 1 - clip:
            outside, bites = outside + 1, bites + (a < 0)
    return outside / len(ratio), bites / len(ratio)


@right("clip_fraction_dialects")
def through_torch(ratio, adv, clip=0.2):
    r, a = torch.as_tensor(ratio), torch.as_tensor(adv)
    out = (r > 1 + clip) | (r < 1 - clip)
    cut = out & ((r - 1) * a > 0)
    return [out.double().mean(), cut.double().mean()]


def masks(ratio, adv, clip):
    above, below = ratio > 1 + clip, ratio < 1 - clip
    return above | below, (above & (adv > 0)) | (below & (adv < 0))


@wrong("clip_fraction_dialects", "order")
def swapped(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return cut.mean(), out.mean()


@wrong("clip_fraction_dialects", "bites-on-the-other-side")
def signs_turned(ratio, adv, clip=0.2):
    return masks(ratio, adv, clip)[0].mean(), masks(ratio, -adv, clip)[1].mean()


@wrong("clip_fraction_dialects", "sign-ignored")
def the_same_twice(ratio, adv, clip=0.2):
    out = float(masks(ratio, adv, clip)[0].mean())
    return out, out


@wrong("clip_fraction_dialects", "one-sign-only")
def above_alone_bites(ratio, adv, clip=0.2):
    out, _cut = masks(ratio, adv, clip)
    return out.mean(), ((ratio > 1 + clip) & (adv > 0)).mean()


@wrong("clip_fraction_dialects", "one-sign-only")
def positive_alone(ratio, adv, clip=0.2):
    out, _cut = masks(ratio, adv, clip)
    return out.mean(), (out & (adv > 0)).mean()


@wrong("clip_fraction_dialects", "zero-counted")
def zeros_too(ratio, adv, clip=0.2):
    out, _cut = masks(ratio, adv, clip)
    return out.mean(), (
        ((ratio > 1 + clip) & (adv >= 0)) | ((ratio < 1 - clip) & (adv <= 0))
    ).mean()


@wrong("clip_fraction_dialects", "zero-counted")
def held_is_not_larger(ratio, adv, clip=0.2):
    held = np.clip(ratio, 1 - clip, 1 + clip)
    return np.mean(held != ratio), np.mean((held != ratio) & (held * adv <= ratio * adv))


@wrong("clip_fraction_dialects", "share-of-the-outside")
def of_those_outside(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return out.mean(), cut.sum() / max(1, out.sum())


@wrong("clip_fraction_dialects", "one-side-counted")
def above_only(ratio, adv, clip=0.2):
    return (ratio > 1 + clip).mean(), masks(ratio, adv, clip)[1].mean()


@wrong("clip_fraction_dialects", "share-inside")
def inside(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return 1 - out.mean(), cut.mean()


@wrong("clip_fraction_dialects", "count-not-share")
def counts(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return out.sum(), cut.sum()


@wrong("clip_fraction_dialects", "clip-fixed")
def always_a_fifth(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, 0.2)
    return out.mean(), cut.mean()


@wrong("clip_fraction_dialects", "number-returned")
def one_number(ratio, adv, clip=0.2):
    return masks(ratio, adv, clip)[0].mean()


@wrong("approx_kl_dialects", "held-back")
def logarithm_within_ten(logp, logp_old):
    gap = (logp_old - logp).clamp(-10, 10)
    k3 = torch.expm1(-gap) + gap
    rows = {"k3": k3, "k3 last epoch": k3[len(k3) // 2 :], "k3 last minibatch": k3[-1]}
    found = {"k1": gap, "k2": gap**2 / 2} | rows
    return {name: one.mean().item() for name, one in found.items()}


@wrong("clip_fraction_dialects", "zero-counted")
def not_positive_bites_below(ratio, adv, clip=0.2):
    outside = np.abs(ratio - 1) > clip
    return float(outside.mean()), float((outside & ((ratio > 1) == (adv > 0))).mean())


@wrong("clip_fraction_dialects", "band-in-logs")
def log_ratio_outside(ratio, adv, clip=0.2):
    apart = np.log(ratio)
    bites = ((adv > 0) & (apart > clip)) | ((adv < 0) & (apart < -clip))
    return np.mean(np.abs(apart) > clip), np.mean(bites)
