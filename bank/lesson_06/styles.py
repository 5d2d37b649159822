"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import torch
import torch.nn.functional as F

from bank import right


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
