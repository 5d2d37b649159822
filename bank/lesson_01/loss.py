"""Answers for the REINFORCE loss."""

import torch

from bank import right, wrong


@right("reinforce_loss")
def sum_then_mean(logp, returns):
    return -(returns * logp.sum(dim=1)).mean()


@right("reinforce_loss")
def dot_product(logp, returns):
    return -torch.dot(logp.sum(1), returns) / len(returns)


@right("reinforce_loss")
def einsum(logp, returns):
    return torch.einsum("nt,n->", logp, -returns) / logp.shape[0]


@right("reinforce_loss")
def looped(logp, returns):
    loss = 0.0
    for row, ret in zip(logp, returns, strict=True):
        for entry in row:
            loss = loss - ret * entry / len(logp)
    return loss


@right("reinforce_loss")
def columns(logp, returns):
    return (logp * returns.unsqueeze(1)).sum().neg().div(returns.numel())


@right("reinforce_loss")
def masked(logp, returns):
    mask = (logp != 0).to(logp.dtype)
    return -((logp * mask).sum(-1) * returns.detach()).mean()


@right("reinforce_loss")
def matrix_product(logp, returns):
    return -(returns @ logp).sum() / returns.shape[0]


@wrong("reinforce_loss", "minus-sign")
def objective(logp, returns):
    return (returns * logp.sum(1)).mean()


@wrong("reinforce_loss", "sum-not-mean")
def summed(logp, returns):
    return -(returns * logp.sum(1)).sum()


@wrong("reinforce_loss", "mean-over-steps")
def mean_of_each_row(logp, returns):
    return -(returns * logp.mean(1)).mean()


@wrong("reinforce_loss", "mean-over-steps")
def mean_of_everything(logp, returns):
    return -(returns[:, None] * logp).mean()


@wrong("reinforce_loss", "mean-over-steps")
def mean_over_real_steps(logp, returns):
    return -(returns * logp.sum(1) / (logp != 0).sum(1)).mean()


@wrong("reinforce_loss", "mean-over-steps")
def divided_by_real_steps(logp, returns):
    return -(returns[:, None] * logp).sum() / (logp != 0).sum()


@wrong("reinforce_loss", "broadcast")
def n_by_n(logp, returns):
    return -(returns[:, None] * logp.sum(1)).mean()


@wrong("reinforce_loss", "broadcast")
def n_by_n_kept_dimension(logp, returns):
    return -(returns * logp.sum(1, keepdim=True)).mean()


@wrong("reinforce_loss", "broadcast")
def returns_along_the_steps(logp, returns):
    return -(logp * returns).sum(1).mean()


@wrong("reinforce_loss", "detached")
def through_numpy(logp, returns):
    value = -(returns.numpy() * logp.detach().numpy().sum(1)).mean()
    return torch.tensor(value, dtype=logp.dtype)


@wrong("reinforce_loss", "detached")
def through_item(logp, returns):
    pairs = zip(returns, logp, strict=True)
    value = sum(r.item() * row.sum().item() for r, row in pairs)
    return torch.tensor(-value / len(returns), dtype=logp.dtype)


@wrong("reinforce_loss", "probability-not-log")
def probabilities(logp, returns):
    return -(returns * logp.exp().sum(1)).mean()


@wrong("reinforce_loss", "probability-not-log")
def probability_of_the_trajectory(logp, returns):
    return -(returns * logp.sum(1).exp()).mean()


@wrong("reinforce_loss", "returns-changed")
def normalised_returns(logp, returns):
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    return -(returns * logp.sum(1)).mean()


@wrong("reinforce_loss", "returns-changed")
def mean_subtracted(logp, returns):
    return -((returns - returns.mean()) * logp.sum(1)).mean()


@wrong("reinforce_loss", "unweighted")
def likelihood(logp, returns):
    return -logp.sum(1).mean()


@wrong("reinforce_loss", "broadcast")
def product_of_means(logp, returns):
    return -returns.mean() * logp.sum(1).mean()


@wrong("reinforce_loss", "not-a-scalar")
def one_loss_each(logp, returns):
    return -returns * logp.sum(1)


@wrong("reinforce_loss", "last-step-only")
def last_column(logp, returns):
    return -(returns * logp[:, -1]).mean()


@wrong("reinforce_loss", "number-returned")
def a_float(logp, returns):
    return float(-(returns * logp.sum(1)).mean().detach())


@wrong("reinforce_loss", "tensor-returned")
def other_dtype(logp, returns):
    return -(returns.double() * logp.double().sum(1)).mean()


@wrong("reinforce_loss", "power-inside")
def scores_squared(logp, returns):
    return (returns * logp.sum(1) ** 2).mean()


@wrong("reinforce_loss", "detached")
def made_anew_from_a_number(logp, returns):
    return torch.tensor(sum_then_mean(logp, returns).item(), requires_grad=True)
