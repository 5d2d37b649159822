"""Right answers of lessons 04 to 08 in unusual styles: functional transforms, scatter and gather,
matrices for means, generators and closures."""

import functools
import itertools
import math
import operator
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from bank import right, value

# lesson 04 ------------------------------------------------------------------------------------


@right("importance_ratio")
def softplus_of_nothing_but_a_log(logp, logp_old):
    return torch.logaddexp(logp, logp).sub(logp_old.detach()).sub(math.log(2)).exp()


@right("importance_ratio")
def vmapped_exponential(logp, logp_old):
    return torch.func.vmap(lambda new, old: (new - old).exp())(logp, logp_old.clone().detach())


@right("surrogate_loss")
def inner_product_by_functional_linear(logp, logp_old, adv):
    ratio = torch.exp(logp - logp_old.detach())
    return F.linear(ratio[None], -adv.detach()[None]).squeeze() / len(adv)


@right("surrogate_loss")
def reduced_pair_by_pair(logp, logp_old, adv):
    with torch.no_grad():
        old, weight = logp_old.unbind(), adv.unbind()
    terms = (torch.exp(n - o) * a for n, o, a in zip(logp.unbind(), old, weight))
    return functools.reduce(operator.sub, terms, 0) / logp.numel()


@right("ppo_clip_loss")
def excess_by_relu(logp, logp_old, adv, clip=0.2):
    adv, ratio = adv.detach(), torch.exp(logp - logp_old.detach())
    too_far = torch.where(adv >= 0, F.relu(ratio - 1 - clip), -F.relu(1 - clip - ratio))
    return -(adv * (ratio - too_far)).mean()


@right("ppo_clip_loss")
def smallest_along_a_new_axis(logp, logp_old, adv, clip=0.2):
    ratio = (logp - logp_old.detach()).exp()
    pair = torch.stack([ratio, F.hardtanh(ratio, 1 - clip, 1 + clip)]) * adv.detach()
    return pair.amin(dim=0).mean().negative()


@right("ppo_clip_loss")
def chosen_with_masked_select(logp, logp_old, adv, clip=0.2):
    ratio, adv = torch.exp(logp - logp_old.detach()), adv.detach()
    up = adv > 0
    good = torch.clamp(ratio.masked_select(up), max=1 + clip) * adv.masked_select(up)
    bad = torch.clamp(ratio.masked_select(~up), min=1 - clip) * adv.masked_select(~up)
    return -torch.cat((good, bad)).sum() / adv.numel()


@right("dual_clip_loss")
def bounds_for_each_sign_of_the_advantage(logp, logp_old, adv, clip=0.2, dual=3.0):
    adv = adv.detach()
    low = torch.where(adv < 0, 1 - clip, -torch.inf).to(adv)
    high = torch.where(adv < 0, dual, 1 + clip).to(adv)
    return -(torch.exp(logp - logp_old.detach()).clamp(low, high) * adv).mean()


@right("dual_clip_loss")
def sorted_middle_of_three(logp, logp_old, adv, clip=0.2, dual=3.0):
    ratio, weight = torch.exp(logp - logp_old.detach()), adv.detach()
    total = 0
    for r, a in zip(ratio, weight):
        gain = torch.minimum(r * a, r.clamp(1 - clip, 1 + clip) * a)
        total = total - (torch.maximum(gain, dual * a) if a.item() < 0 else gain)
    return total / len(weight)


@right("clip_gradient")
def product_of_signs(ratio, adv, clip=0.2):
    side = np.sign(ratio - 1) * (np.abs(ratio - 1) > clip)
    return adv * (side * np.sign(adv) < 0.5)


@right("clip_gradient")
def grad_by_functorch(ratio, adv, clip=0.2):
    def gain(r, a):
        return torch.minimum(r * a, r.clamp(1 - clip, 1 + clip) * a)

    slopes = torch.func.vmap(torch.func.grad(gain))
    return slopes(torch.tensor(np.array(ratio)), torch.tensor(np.array(adv))).numpy()


@right("clip_fraction")
def complement_of_between(ratio, clip=0.2):
    inside = np.logical_and(np.greater_equal(ratio, 1 - clip), np.less_equal(ratio, 1 + clip))
    return 1 - np.count_nonzero(inside) / np.size(inside)


@right("clip_fraction")
def places_in_the_sorted_ratios(ratio, clip=0.2):
    order = np.sort(ratio)
    below = np.searchsorted(order, 1 - clip, side="left")
    above = len(order) - np.searchsorted(order, 1 + clip, side="right")
    return (below + above) / len(order)


@right("kl_estimates")
def means_of_a_generator(logp, logp_old):
    gap = logp_old - logp
    each = lambda g: g, lambda g: g * g / 2, lambda g: g + torch.expm1(-g)
    return tuple(torch.mean(estimate(gap)) for estimate in each)


@right("kl_estimates")
def a_matrix_of_powers(logp, logp_old):
    d = (logp - logp_old).double()
    table = torch.stack([d, d.square(), d.exp()])
    mean = table.mean(dim=1)
    return -mean[0], mean[1] / 2, mean[2] - 1 - mean[0]


@right("ppo_penalty_loss")
def summed_with_addcmul(logp, logp_old, adv, kl, beta):
    gain = torch.exp(logp - logp_old.detach()).mul(adv.detach()).mean()
    return torch.sub(kl * beta, gain)


@right("ppo_penalty_loss")
def double_inside_and_cast_back(logp, logp_old, adv, kl, beta):
    ratio = torch.exp(logp.double() - logp_old.detach().double())
    gain = torch.dot(ratio, adv.detach().double()) / len(adv)
    return (beta * kl.double() - gain).to(logp.dtype)


@right("adapt_beta")
def exponent_from_two_comparisons(beta, kl, target):
    return beta * 2.0 ** (int(kl > target * 1.5) - int(kl < target / 1.5))


@right("adapt_beta")
def matched_on_the_case(beta, kl, target):
    match (kl * 1.5 < target, kl > 1.5 * target):
        case (True, _):
            return beta * 0.5
        case (_, True):
            return beta + beta
    return beta


value(
    "case_table",
    "with_a_default",
    dict.fromkeys(itertools.product(("below", "inside", "above"), "+-"), "moves")
    | {("below", "-"): "zero", ("above", "+"): "zero"},
)

# lesson 05 ------------------------------------------------------------------------------------


@right("normalize_advantages")
def by_the_statistics_of_a_list(adv):
    numbers = np.ravel(adv).astype(float).tolist()
    if len(set(numbers)) == 1:
        return np.zeros(np.shape(adv))
    mean = math.fsum(numbers) / len(numbers)
    spread = math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / len(numbers))
    return np.reshape([(x - mean) / spread for x in numbers], np.shape(adv))


@right("normalize_advantages")
def on_a_copy_in_place(adv):
    white = np.array(adv, dtype=np.float64, copy=True)
    white -= white.flat[0]  # equal numbers are 0 now, exactly
    white -= white.mean()
    white /= max(np.linalg.norm(white) / math.sqrt(white.size), 1e-8)
    return white.astype(np.asarray(adv).dtype)


@right("minibatches")
def popped_from_a_deck(batch_size, minibatch_size, rng):
    deck = rng.permutation(batch_size).tolist()
    hands = []
    while deck:
        hands.append(np.array(deck[-minibatch_size:]))
        del deck[-minibatch_size:]
    return hands


@right("minibatches")
def batched_by_islice(batch_size, minibatch_size, rng):
    cards = iter(np.argsort(rng.random(batch_size)).tolist())
    hands = iter(lambda: list(itertools.islice(cards, minibatch_size)), [])
    return [np.array(hand) for hand in hands]


@right("entropy")
def derivative_of_the_renyi_sum(logits):
    logp = F.log_softmax(logits, dim=-1)
    return torch.einsum("ba,ba->b", logp.exp(), logp).neg()


@right("entropy")
def cross_entropy_with_itself(logits):
    return F.cross_entropy(logits, torch.softmax(logits, dim=-1), reduction="none")


@right("entropy")
def log_size_less_the_kl_to_uniform(logits):
    logp = logits - torch.logsumexp(logits, dim=-1, keepdim=True)
    size = logits.shape[-1]
    uniform = torch.full_like(logits, -math.log(size))
    return math.log(size) - F.kl_div(uniform, logp, log_target=True, reduction="none").sum(-1)


@right("explained_variance")
def by_covariances(values, returns):
    values, returns = np.ravel(values).astype(float), np.ravel(returns).astype(float)
    if (returns == returns[0]).all():
        return math.nan
    (vv, vr), (_, rr) = np.cov(values, returns, bias=True)
    return (2 * vr - vv) / rr


@right("explained_variance")
def two_sums_of_squares(values, returns):
    error = np.subtract(returns, values, dtype=float)
    if np.max(returns) == np.min(returns):
        return np.nan
    left, whole = (np.square(x - x.mean()).sum() for x in (error, np.array(returns, dtype=float)))
    return (whole - left) / whole


# lesson 05b -----------------------------------------------------------------------------------


@right("should_stop")
def one_chained_comparison(approx_kl, target):
    limit = math.inf if target is None else 1.5 * target
    return False if target is None else not (-math.inf <= approx_kl <= limit)


@right("should_stop")
def walrus_and_any(approx_kl, target):
    return bool(
        target is not None and any((math.isnan(kl := float(approx_kl)), kl > target + target / 2))
    )


@right("value_clip_loss")
def maximum_over_a_stack(values, old_values, returns, clip):
    if len({values.shape, old_values.shape, returns.shape}) > 1:
        raise ValueError("three shapes must be one")
    old, goal = old_values.data, returns.data
    both = torch.stack((values, torch.minimum(torch.maximum(values, old - clip), old + clip)))
    return F.mse_loss(both, goal.expand_as(both), reduction="none").amax(0).mean()


@right("value_clip_loss")
def by_vmap_over_samples(values, old_values, returns, clip):
    if values.shape != old_values.shape or values.shape != returns.shape:
        raise ValueError("shapes differ")

    def one(v, o, r):
        near = o + F.hardtanh(v - o, -clip, clip)
        return torch.where((v - r).abs() >= (near - r).abs(), (v - r) ** 2, (near - r) ** 2)

    flat = (x.reshape(-1) for x in (values, old_values.detach(), returns.detach()))
    return torch.func.vmap(one)(*flat).mean()


@right("gaussian_logp")
def negative_of_gaussian_nll(mean, log_std, actions):
    variance = torch.exp(2 * log_std).expand_as(mean)
    losses = F.gaussian_nll_loss(mean, actions, variance, full=True, eps=1e-30, reduction="none")
    return -losses.sum(dim=-1)


@right("gaussian_logp")
def determinant_and_quadratic_form(mean, log_std, actions):
    apart = (actions - mean) * torch.exp(-log_std)
    quadratic = torch.einsum("...d,...d->...", apart, apart)
    volume = log_std.expand_as(mean).sum(-1) + mean.shape[-1] * math.log(math.tau) / 2
    return -(quadratic / 2) - volume


@right("gaussian_entropy")
def log_of_a_determinant(log_std):
    spread = torch.diag_embed(torch.exp(log_std))
    return torch.logdet(spread) + log_std.shape[-1] * (1 + math.log(math.tau)) / 2


@right("gaussian_entropy")
def unbound_and_added(log_std):
    constant = math.log(math.sqrt(2 * math.pi * math.e))
    return functools.reduce(torch.add, (part + constant for part in log_std.unbind(-1)))


# lesson 06 ------------------------------------------------------------------------------------


@right("token_logp")
def flat_index_select(logits, tokens):
    batch, length, vocabulary = logits.shape
    logp = (logits - logits.logsumexp(-1, keepdim=True))[:, :-1].reshape(-1)
    places = torch.arange(batch * (length - 1)) * vocabulary + tokens[:, 1:].reshape(-1)
    return logp.index_select(0, places).view(batch, length - 1)


@right("token_logp")
def nll_loss_of_turned_axes(logits, tokens):
    turned = F.log_softmax(logits, dim=2).transpose(1, 2)[..., :-1]
    return -F.nll_loss(turned, tokens[:, 1:], reduction="none")


@right("completion_mask")
def cumulative_product_of_not_ended(tokens, prompt_length, eos):
    rows = []
    for row in tokens.tolist():
        own = row[prompt_length:]
        kept = own.index(eos) + 1 if eos in own else len(own)
        rows.append([prompt_length <= t < prompt_length + kept for t in range(1, len(row))])
    return torch.tensor(rows)


@right("completion_mask")
def shifted_cumprod(tokens, prompt_length, eos):
    going = (tokens[:, prompt_length:] != eos).int().cumprod(dim=1)
    kept = F.pad(going[:, :-1], (1, 0), value=1)
    return F.pad(kept, (prompt_length - 1, 0)).bool()


@right("masked_mean")
def masked_select_and_numel(x, mask):
    chosen = torch.masked_select(x, mask)
    return chosen.mean() if chosen.numel() else x.sum() * 0


@right("masked_mean")
def weights_handed_to_einsum(x, mask):
    weights = mask.to(x.dtype).reshape(-1)
    weights = weights / torch.clamp_min(weights.sum(), 1)
    return torch.einsum("i,i->", x.reshape(-1), weights)


@right("terminal_rewards")
def fill_by_index_put(scores, mask):
    rewards = scores.new_zeros(mask.shape)
    rows = mask.any(dim=1).nonzero().squeeze(1)
    columns = mask.shape[1] - 1 - mask[rows].flip(1).int().argmax(dim=1)
    return rewards.index_put((rows, columns), scores[rows])


@right("terminal_rewards")
def where_the_count_is_reached(scores, mask):
    count = mask.cumsum(dim=1)
    last = mask & (count == mask.sum(dim=1, keepdim=True))
    return torch.einsum("b,bt->bt", scores, last.to(scores.dtype))


@right("kl_shaped_rewards")
def lerp_and_addcmul(rewards, logp, logp_ref, mask, beta):
    return torch.addcmul(rewards, mask.to(logp.dtype), logp - logp_ref, value=-beta)


@right("kl_shaped_rewards")
def scattered_into_a_clone(rewards, logp, logp_ref, mask, beta):
    charged = rewards[mask] - beta * logp[mask] + beta * logp_ref[mask]
    return rewards.clone().masked_scatter(mask, charged)


@right("ppo_token_loss")
def chunks_of_one_row(logp, logp_old, adv, mask, clip=0.2):
    terms = logp.new_zeros(())
    for new, old, a, own in zip(logp, logp_old.detach(), adv.detach(), mask):
        ratio = (new[own] - old[own]).exp()
        terms = terms - torch.minimum(ratio * a[own], ratio.clip(1 - clip, 1 + clip) * a[own]).sum()
    return terms / max(1, int(mask.sum()))


@right("ppo_token_loss")
def relu_of_the_excess(logp, logp_old, adv, mask, clip=0.2):
    zero = torch.zeros_like(logp)
    ratio = torch.where(mask, logp - logp_old.detach(), zero).exp()
    weight = torch.where(mask, adv.detach(), zero)
    excess = F.relu(weight) * F.relu(ratio - 1 - clip) + F.relu(-weight) * F.relu(1 - clip - ratio)
    return (excess - weight * ratio).sum() / mask.sum().clamp_min(1)


# lesson 07 ------------------------------------------------------------------------------------


def group_numbers(groups):
    """(labels' places (B,), sizes (P,))."""
    _labels, place, size = torch.unique(groups, return_inverse=True, return_counts=True)
    return place, size


@right("rloo_advantages")
def index_add_of_sums(scores, groups):
    place, size = group_numbers(groups)
    if bool((size < 2).any()):
        raise ValueError("a group of one")
    total = scores.new_zeros(len(size)).index_add(0, place, scores)[place]
    return scores - (total - scores) / (size[place] - 1)


@right("rloo_advantages")
def others_listed_one_by_one(scores, groups):
    numbers, labels = scores.tolist(), groups.tolist()
    found = []
    for i, (score, label) in enumerate(zip(numbers, labels)):
        others = [s for j, (s, g) in enumerate(zip(numbers, labels)) if g == label and j != i]
        if not others:
            raise ValueError(label)
        found.append(score - math.fsum(others) / len(others))
    return torch.tensor(found, dtype=scores.dtype)


@right("grpo_advantages")
def scatter_reduced_moments(scores, groups, divide=True, eps=1e-4):
    place, size = group_numbers(groups)
    empty = scores.new_zeros(len(size))
    lowest = empty.scatter_reduce(0, place, scores, "amin", include_self=False)[place]
    above = scores - lowest  # exactly 0 where all are equal
    mean = empty.scatter_reduce(0, place, above, "mean", include_self=False)[place]
    centred = above - mean
    if not divide:
        return centred
    square = empty.scatter_reduce(0, place, centred**2, "mean", include_self=False)[place]
    return torch.where(square > 0, centred / (square.sqrt() + eps), 0)


@right("grpo_advantages")
def dictionary_of_generators(scores, groups, divide=True, eps=1e-4):
    rows = {}
    for row, label in enumerate(groups.tolist()):
        rows.setdefault(label, []).append(row)
    adv = [0.0] * len(groups)
    for own in rows.values():
        numbers = [float(scores[row]) for row in own]
        if len(set(numbers)) > 1:
            mean = math.fsum(numbers) / len(own)
            spread = math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / (len(own) - 1))
            for row, number in zip(own, numbers):
                adv[row] = (number - mean) / (spread + eps if divide else 1)
    return torch.tensor(adv, dtype=scores.dtype)


@right("aggregate_loss")
def weights_of_a_small_class(per_token, mask, how, length=None):
    class Weights(SimpleNamespace):
        def tokens(self):
            return self.own / self.own.sum().clamp(min=1)

        def sentences(self):
            return self.own / self.own.sum(1, keepdim=True).clamp(min=1) / len(self.own)

        def constant(self):
            if length is None:
                raise ValueError("a length is needed")
            return self.own / (len(self.own) * length)

    if how not in ("tokens", "sentences", "constant"):
        raise ValueError(how)
    weights = getattr(Weights(own=mask.to(per_token.dtype)), how)()
    return (weights * per_token.masked_fill(~mask, 0)).sum()


@right("aggregate_loss")
def nested_sums_by_split(per_token, mask, how, length=None):
    rows = [x[own] for x, own in zip(per_token, mask)]
    match how, length:
        case "tokens", _:
            return torch.cat(rows).sum() / max(sum(map(len, rows)), 1)
        case "sentences", _:
            return sum(row.sum() / max(len(row), 1) for row in rows) / len(rows)
        case "constant", int() | float():
            return sum(row.sum() for row in rows) / (length * len(rows))
    raise ValueError((how, length))


@right("grpo_loss")
def one_vmapped_token(
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
    old = torch.where(mask, logp_old.detach(), logp.detach())
    ref = old if logp_ref is None else torch.where(mask, logp_ref.detach(), logp.detach())
    weight = adv.detach()[:, None].expand_as(logp)

    def token(new, before, reference, a):
        ratio = torch.exp(new - before)
        top = torch.where(a > 0, 1 + clip_high, torch.inf)
        bottom = torch.where(a < 0, 1 - clip_low, -torch.inf)
        gain = a * torch.minimum(torch.maximum(ratio, bottom.to(a)), top.to(a))
        apart = reference - new
        return beta * (torch.exp(apart) - apart - 1) - gain if beta else -gain

    losses = torch.func.vmap(torch.func.vmap(token))(logp, old, ref, weight)
    losses = losses.masked_fill(~mask, 0)
    count = mask.sum(1)
    divisor = {
        "tokens": lambda: count.sum().clamp(min=1).expand(len(mask)),
        "sentences": lambda: count.clamp(min=1) * len(mask),
        "constant": lambda: torch.full_like(count, len(mask)) * length,
    }[how]()
    return (losses.sum(1) / divisor).sum()


@right("kl_reward_loss")
def triangle_of_ones_as_weights(logp, logp_ref, mask):
    size = logp.shape[1]
    later = torch.ones(size, size, dtype=logp.dtype).tril()
    x = (logp - logp_ref).detach().masked_fill(~mask, 0)
    return ((x @ later) * logp.masked_fill(~mask, 0)).sum() / len(logp)


@right("kl_in_loss")
def estimates_by_attribute(logp, logp_ref, mask, kind):
    gap = (logp - logp_ref.detach()).masked_fill(~mask, 0)
    ways = SimpleNamespace(
        k1=lambda: gap, k2=lambda: gap.square().div(2), k3=lambda: gap.neg().expm1().add(gap)
    )
    return torch.einsum("bt->", getattr(ways, kind)()) / gap.size(0)


# lesson 08 ------------------------------------------------------------------------------------


@right("approx_kl_dialects")
def cumulated_from_the_last_row(logp, logp_old):
    d = (logp.double() - logp_old.double()).numpy()
    k3 = (np.exp(d) - 1 - d).mean(axis=1)
    from_the_end = np.cumsum(k3[::-1]) / np.arange(1, len(k3) + 1)
    names = "k3 last minibatch", "k3 last epoch", "k3"
    places = 0, len(k3) // 2 - 1, len(k3) - 1
    found = {name: float(from_the_end[place]) for name, place in zip(names, places)}
    return {"k1": float(np.mean(-d)), "k2": float(np.mean(np.square(d)) * 0.5), **found}


@right("clip_fraction_dialects")
def lost_gain_of_the_clip(ratio, adv, clip=0.2):
    near = np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)
    return np.mean(near != ratio).item(), np.mean((ratio - near) * adv > 0).item()


@right("sb3_settings")
def renamed_by_a_table(ours):
    table = {
        "num_steps": "n_steps",
        "minibatch_size": "batch_size",
        "epochs": "n_epochs",
        "gamma": "gamma",
        "lam": "gae_lambda",
        "clip": "clip_range",
        "value_coef": "vf_coef",
        "entropy_coef": "ent_coef",
        "learning_rate": "learning_rate",
    }
    settings = {theirs: ours[name] for name, theirs in table.items()}
    settings.update(max_grad_norm=math.inf, normalize_advantage=True)
    settings["policy_kwargs"] = {"optimizer_kwargs": {"eps": 1e-8}}
    return settings


@right("grpo_settings")
def zipped_names(ours):
    theirs = "beta", "epsilon", "epsilon_high", "num_iterations", "num_generations"
    mine = operator.itemgetter("beta", "clip_low", "clip_high", "epochs", "group_size")(ours)
    how = {"tokens": "bnpo", "sentences": "grpo", "constant": "dr_grpo"}[ours["how"]]
    return dict(zip(theirs, mine), loss_type=how, scale_rewards=("none", "group")[ours["divide"]])
