"""What lesson 08 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    count,
    cut,
    exp,
    mean,
)


def kl_dialects_formula(logp, logp_old):
    log_ratio = logp - logp_old
    k3 = exp(log_ratio) - 1 - log_ratio
    half = count(logp) // 2
    return {
        "k1": -mean(log_ratio),
        "k2": mean(log_ratio**2) / 2,
        "k3": mean(k3),
        "k3 last epoch": mean(k3[half:]),
        "k3 last minibatch": mean(k3[-1]),
    }


def clip_dialects_formula(ratio, adv, clip=0.2):
    too_far_up, too_far_down = ratio > 1 + clip, ratio < 1 - clip
    bites = (too_far_up & (adv > 0)) | (too_far_down & (adv < 0))
    return {
        "outside the band": mean(too_far_up | too_far_down),
        "where the clip bites": mean(bites),
    }


def clip_dialects_by_bounds(ratio, adv, clip=0.2):
    clipped = cut(ratio, 1 - clip, 1 + clip)
    bites = clipped * adv < ratio * adv
    return {"outside the band": mean(ratio != clipped), "where the clip bites": mean(bites)}
