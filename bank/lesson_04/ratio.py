"""Answers for ratio and surrogate."""

import math

import numpy as np
import torch

from bank import right, wrong


@right("importance_ratio")
def detached_then_exp(logp, logp_old):
    return torch.exp(logp - logp_old.detach())


@right("importance_ratio")
def method_and_data(logp, logp_old):
    return (logp - logp_old.data).exp()


@right("importance_ratio")
def one_by_one(logp, logp_old):
    old = logp_old.tolist()
    return torch.stack([torch.exp(new - old[i]) for i, new in enumerate(logp)])


@right("importance_ratio")
def old_under_no_grad(logp, logp_old):
    with torch.no_grad():
        stored = logp_old.clone()
    return torch.expm1(logp - stored) + 1


@right("importance_ratio")
def power_of_e(logp, logp_old):
    return math.e ** torch.sub(logp, logp_old.detach())


@wrong("importance_ratio", "no-exp")
def log_ratio(logp, logp_old):
    return logp - logp_old.detach()


@wrong("importance_ratio", "ratio-of-logs")
def quotient_of_logs(logp, logp_old):
    return logp / logp_old.detach()


@wrong("importance_ratio", "ratio-of-logs")
def exp_of_quotient(logp, logp_old):
    return torch.exp(torch.div(logp, logp_old.detach()))


@wrong("importance_ratio", "inverted-ratio")
def old_over_new(logp, logp_old):
    return torch.exp(logp_old.detach() - logp)


@wrong("importance_ratio", "gradient-through-old")
def both_differentiated(logp, logp_old):
    return (logp - logp_old).exp()


@wrong("importance_ratio", "detached")
def nothing_moves(logp, logp_old):
    return torch.exp(logp - logp_old).detach()


@wrong("importance_ratio", "detached")
def new_detached(logp, logp_old):
    with torch.no_grad():
        return torch.exp(logp - logp_old)


@wrong("importance_ratio", "wrong-one-detached")
def wrong_one_detached(logp, logp_old):
    return torch.exp(logp.detach() - logp_old) + 0 * logp


@wrong("importance_ratio", "underflow")
def quotient_of_exps(logp, logp_old):
    return torch.exp(logp) / torch.exp(logp_old.detach())


@wrong("importance_ratio", "underflow")
def quotient_of_exps_undetached(logp, logp_old):
    return logp.exp() / logp_old.exp()


@wrong("importance_ratio", "difference-of-probabilities")
def difference(logp, logp_old):
    return logp.exp() - logp_old.exp().detach()


@wrong("importance_ratio", "averaged")
def mean_ratio(logp, logp_old):
    return torch.exp(logp - logp_old.detach()).mean()


@wrong("importance_ratio", "only-new")
def new_probability(logp, logp_old):
    return torch.exp(logp)


@wrong("importance_ratio", "array-returned")
def as_numpy(logp, logp_old):
    return np.exp(logp.detach().numpy() - logp_old.detach().numpy())


@wrong("importance_ratio", "tensor-returned")
def always_double(logp, logp_old):
    return torch.exp(logp.float() - logp_old.detach().float()).half()


@wrong("importance_ratio", "changed-inputs")
def in_place(logp, logp_old):
    logp.data -= logp_old.data
    return torch.exp(logp)


def ratio_of(logp, logp_old):
    return torch.exp(logp - logp_old.detach())


@right("surrogate_loss")
def minus_mean(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old.detach()) * adv).mean()


@right("surrogate_loss")
def dot_product(logp, logp_old, adv):
    return -torch.dot(ratio_of(logp, logp_old), adv) / adv.numel()


@right("surrogate_loss")
def summed_in_a_loop(logp, logp_old, adv):
    total = torch.zeros((), dtype=logp.dtype)
    for new, old, a in zip(logp, logp_old.tolist(), adv.tolist(), strict=True):
        total = total - a * torch.exp(new - old)
    return total / len(logp)


@right("surrogate_loss")
def einsum(logp, logp_old, adv):
    weights = (-adv / adv.shape[0]).detach()
    return torch.einsum("b,b->", (logp - logp_old.data).exp(), weights)


@wrong("surrogate_loss", "objective-not-loss")
def surrogate_maximised(logp, logp_old, adv):
    return (ratio_of(logp, logp_old) * adv).mean()


@wrong("surrogate_loss", "log-prob-not-ratio")
def reinforce_again(logp, logp_old, adv):
    return -torch.mean(adv * logp)


@wrong("surrogate_loss", "inverted-ratio")
def surrogate_inverted(logp, logp_old, adv):
    return -(torch.exp(logp_old.detach() - logp) * adv).mean()


@wrong("surrogate_loss", "no-exp")
def surrogate_of_logs(logp, logp_old, adv):
    return -((logp - logp_old.detach()) * adv).mean()


@wrong("surrogate_loss", "ratio-of-logs")
def surrogate_of_quotient(logp, logp_old, adv):
    return -(logp / logp_old.detach() * adv).mean()


@wrong("surrogate_loss", "underflow")
def surrogate_of_exps(logp, logp_old, adv):
    return -(torch.exp(logp) / torch.exp(logp_old).detach() * adv).mean()


@wrong("surrogate_loss", "gradient-through-old")
def surrogate_undetached(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old) * adv).mean()


@wrong("surrogate_loss", "detached")
def surrogate_detached(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old).detach() * adv).mean()


@wrong("surrogate_loss", "sum-not-mean")
def surrogate_sum(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old) * adv).sum()


@wrong("surrogate_loss", "not-averaged")
def surrogate_per_sample(logp, logp_old, adv):
    return -ratio_of(logp, logp_old) * adv


@wrong("surrogate_loss", "product-of-means")
def surrogate_of_means(logp, logp_old, adv):
    return -ratio_of(logp, logp_old).mean() * adv.mean()


@wrong("surrogate_loss", "product-of-means")
def outer_product(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old).unsqueeze(1) * adv).mean()


@wrong("surrogate_loss", "clipped-here")
def surrogate_clipped(logp, logp_old, adv):
    r = ratio_of(logp, logp_old)
    return -torch.minimum(r * adv, torch.clip(r, 0.8, 1.2) * adv).mean()


@wrong("surrogate_loss", "number-returned")
def surrogate_item(logp, logp_old, adv):
    return -(ratio_of(logp, logp_old) * adv).mean().item()


@right("importance_ratio")
def held_far_out(logp, logp_old):
    """Some guard the exponential; a ratio that a batch may really hold goes through."""
    return torch.exp((logp - logp_old.detach()).clamp(-20, 20))


@wrong("importance_ratio", "held-back")
def held_near(logp, logp_old):
    return torch.exp((logp - logp_old.detach()).clamp(-2, 2))


@wrong("importance_ratio", "held-back")
def already_in_the_band(logp, logp_old):
    return torch.exp(logp - logp_old.detach()).clamp(0.8, 1.2)


@wrong("importance_ratio", "underflow")
def epsilon_below(logp, logp_old):
    return logp.exp() / (logp_old.detach().exp() + 1e-8)


@wrong("importance_ratio", "wrong-one-detached")
def the_new_one_detached(logp, logp_old):
    return torch.exp(logp.detach() - logp_old)


@wrong("importance_ratio", "tensor-returned")
def in_double_precision(logp, logp_old):
    """All but the dtype is right, so nothing else may be named."""
    return torch.exp(logp.double() - logp_old.detach().double())


@wrong("importance_ratio", "changed-inputs")
def negated_in_place(logp, logp_old):
    return torch.exp(logp + logp_old.data.neg_())


@wrong("surrogate_loss", "advantages-whitened")
def whitens_on_the_way(logp, logp_old, adv):
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    return -(torch.exp(logp - logp_old.detach()) * adv).mean()


@wrong("surrogate_loss", "weights-normalised")
def over_the_sum_of_ratios(logp, logp_old, adv):
    ratio = torch.exp(logp - logp_old.detach())
    return -(ratio * adv).sum() / ratio.sum()


@wrong("surrogate_loss", "held-ratio")
def ratio_as_a_weight(logp, logp_old, adv):
    return -(torch.exp(logp - logp_old).detach() * logp * adv).mean()


@wrong("importance_ratio", "first-order")
def one_plus_difference(logp, logp_old):
    return 1 + logp - logp_old.detach()


@wrong("surrogate_loss", "share-of-input")
def ratio_less_one(logp, logp_old, adv):
    return -(((logp - logp_old.detach()).exp() - 1) * adv).mean()


@wrong("surrogate_loss", "held-back")
def logarithm_within_ten(logp, logp_old, adv):
    ratio = (logp - logp_old.detach()).clamp(-10, 10).exp()
    return -(ratio * adv).mean()


@wrong("surrogate_loss", "held-back")
def advantages_within_ten(logp, logp_old, adv):
    return -((logp - logp_old.detach()).exp() * adv.clamp(-10, 10)).mean()


@right("surrogate_loss")
def guarded_against_an_overflow(logp, logp_old, adv):
    return -((logp - logp_old.detach()).clamp(max=20).exp() * adv).mean()


@wrong("importance_ratio", "cut-at-a-bound")
def within_ten(logp, logp_old):
    return (logp - logp_old.detach()).clamp(-10, 10).exp()
