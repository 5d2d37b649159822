"""Answers for losses of actor and critic."""

import torch
import torch.nn.functional as F

from bank import right, wrong


def checked(values, returns):
    if values.shape != returns.shape:
        raise ValueError(f"{values.shape} against {returns.shape}")


@right("value_loss")
def mean_of_squares(values, returns):
    checked(values, returns)
    return ((values - returns.detach()) ** 2).mean()


@right("value_loss")
def torch_mse(values, returns):
    if values.size() != returns.size():
        raise ValueError("shapes differ")
    return F.mse_loss(values, returns.detach())


@right("value_loss")
def a_graph_free_target(values, returns):
    checked(values, returns)
    with torch.no_grad():
        target = returns.clone()
    apart = (target - values).flatten()
    return torch.dot(apart, apart) / apart.numel()


@right("value_loss")
def own_exception_and_square(values, returns):
    class ShapeError(ValueError):
        pass

    if values.ndim != returns.ndim or any(a != b for a, b in zip(values.shape, returns.shape)):
        raise ShapeError("compare the shapes")
    return torch.square(returns.data - values).sum() / values.numel()


@wrong("value_loss", "broadcast")
def unchecked(values, returns):
    return ((values - returns.detach()) ** 2).mean()


@wrong("value_loss", "broadcast")
def torch_mse_unchecked(values, returns):
    return F.mse_loss(values, returns.detach())


@wrong("value_loss", "target-moves")
def target_in_the_graph(values, returns):
    checked(values, returns)
    return ((values - returns) ** 2).mean()


@wrong("value_loss", "critic-detached")
def critic_cut(values, returns):
    checked(values, returns)
    return ((values.detach() - returns.detach()) ** 2).mean()


@wrong("value_loss", "critic-detached")
def wrong_one_cut(values, returns):
    checked(values, returns)
    return ((values.detach() - returns) ** 2).mean()


@wrong("value_loss", "sum-not-mean")
def a_sum(values, returns):
    checked(values, returns)
    return ((values - returns.detach()) ** 2).sum()


@wrong("value_loss", "halved")
def half(values, returns):
    checked(values, returns)
    return F.mse_loss(values, returns.detach()) / 2


@wrong("value_loss", "absolute")
def l_one(values, returns):
    checked(values, returns)
    return F.l1_loss(values, returns.detach())


@wrong("value_loss", "root-taken")
def root(values, returns):
    checked(values, returns)
    return F.mse_loss(values, returns.detach()).sqrt()


@wrong("value_loss", "square-of-mean")
def mean_first(values, returns):
    checked(values, returns)
    return (values - returns.detach()).mean() ** 2


@wrong("value_loss", "not-averaged")
def each_error(values, returns):
    checked(values, returns)
    return (values - returns.detach()) ** 2


@wrong("value_loss", "other-error")
def asserts(values, returns):
    assert values.shape == returns.shape
    return ((values - returns.detach()) ** 2).mean()


@wrong("value_loss", "critic-detached")
def a_number(values, returns):
    checked(values, returns)
    return torch.tensor(((values - returns) ** 2).mean().item(), dtype=values.dtype)


@right("actor_critic_loss")
def two_terms(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).mean() + value_coef * ((values - returns) ** 2).mean()


@right("actor_critic_loss")
def with_functional(logp, values, returns, value_coef=0.5):
    return F.mse_loss(values, returns) * value_coef - torch.mean(logp * (returns - values.detach()))


@right("actor_critic_loss")
def one_sum(logp, values, returns, value_coef=0.5):
    with torch.no_grad():
        adv = returns - values
    return (value_coef * (values - returns).pow(2) - adv * logp).sum() / len(logp)


@right("actor_critic_loss")
def step_by_step(logp, values, returns, value_coef=0.5):
    losses = [
        -p * (r - v).item() + value_coef * (r - v) ** 2
        for p, v, r in zip(logp, values, returns, strict=True)
    ]
    return torch.stack(losses).mean()


@wrong("actor_critic_loss", "policy-moves-critic")
def not_detached(logp, values, returns, value_coef=0.5):
    adv = returns - values
    return -(logp * adv).mean() + value_coef * (adv**2).mean()


@wrong("actor_critic_loss", "minus-sign")
def uphill_sign(logp, values, returns, value_coef=0.5):
    return (logp * (returns - values).detach()).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "minus-sign")
def advantage_reversed(logp, values, returns, value_coef=0.5):
    return -(logp * (values - returns).detach()).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "baseline-added")
def value_added(logp, values, returns, value_coef=0.5):
    return -(logp * (returns + values.detach())).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "actor-ignores-critic")
def return_as_weight(logp, values, returns, value_coef=0.5):
    return -(logp * returns).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "value-as-weight")
def value_weight(logp, values, returns, value_coef=0.5):
    return -(logp * values.detach()).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "sum-not-mean")
def policy_summed(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).sum() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "no-value-loss")
def policy_alone(logp, values, returns, value_coef=0.5):
    return -(logp * (returns - values).detach()).mean()


@wrong("actor_critic_loss", "critic-detached")
def critic_not_trained(logp, values, returns, value_coef=0.5):
    values = values.detach()
    return -(logp * (returns - values)).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "value-coef-ignored")
def fixed_coefficient(logp, values, returns, value_coef=0.5):
    return two_terms(logp, values, returns)


@wrong("actor_critic_loss", "value-coef-on-both")
def weighs_both(logp, values, returns, value_coef=0.5):
    return value_coef * two_terms(logp, values, returns, 1.0)


@wrong("actor_critic_loss", "value-loss-subtracted")
def critic_gets_worse(logp, values, returns, value_coef=0.5):
    return two_terms(logp, values, returns, -value_coef)


@wrong("actor_critic_loss", "detached")
def a_float(logp, values, returns, value_coef=0.5):
    return torch.tensor(two_terms(logp, values, returns, value_coef).item(), dtype=logp.dtype)


@wrong("actor_critic_loss", "number-returned")
def no_tensor(logp, values, returns, value_coef=0.5):
    return two_terms(logp, values, returns, value_coef).item()


@wrong("value_loss", "length-not-compared")
def counts_dimensions(values, returns):
    if values.dim() != returns.dim():
        raise ValueError("dimensions")
    return ((values - returns.detach()) ** 2).mean()


@wrong("actor_critic_loss", "logp-detached")
def detaches_the_wrong_factor(logp, values, returns, value_coef=0.5):
    policy = -(logp.detach() * (returns - values)).mean()
    return policy + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "value-coef-on-policy")
def weighs_the_policy(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -value_coef * (logp * adv).mean() + F.mse_loss(values, returns)


@wrong("actor_critic_loss", "product-of-means")
def a_column_times_a_row(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp[:, None] * adv).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "halved")
def half_an_error(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).mean() + value_coef * 0.5 * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "not-averaged")
def one_for_each_step(logp, values, returns, value_coef=0.5):
    return -logp * (returns - values).detach() + value_coef * (values - returns) ** 2


@wrong("value_loss", "huber")
def smooth_l1(values, returns):
    if values.shape != returns.shape:
        raise ValueError("shapes differ")
    return torch.nn.functional.smooth_l1_loss(values, returns.detach())


@wrong("value_loss", "variance-of-error")
def variance_of_the_error(values, returns):
    if values.shape != returns.shape:
        raise ValueError("shapes differ")
    return (values - returns.detach()).var(unbiased=False)


@wrong("actor_critic_loss", "huber")
def huber_critic(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).mean() + value_coef * torch.nn.functional.huber_loss(values, returns)
