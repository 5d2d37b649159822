"""Wrong answers that nobody had listed: right ones with one step changed, or two. What is told of
them was found by changing the exercise's formula (see grader/checking/formulas)."""

import numpy as np
import torch

from bank import wrong


@wrong("bonus_in_rewards", "argument-inside")
def goal_step_pays_no_price(goal_reward, step_reward, distance, max_steps):
    paid = goal_reward + (distance - 1) * step_reward - max_steps * step_reward
    return paid / (max_steps - distance)


@wrong("leave_one_out_advantages", "shifted-inside")
def neighbour_left_out(returns):
    values = np.asarray(returns, float)
    if len(values) < 2:
        raise ValueError("one return")
    others = (values.sum() - np.append(0, values[:-1])) / (len(values) - 1)
    return values - others


@wrong("actor_critic_loss", "argument-inside")
def convex_combination(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    error = ((values - returns.detach()) ** 2).mean()
    return -(1 - value_coef) * (logp * adv).mean() + value_coef * error


@wrong("actor_critic_loss", "cut-inside")
def advantages_cut(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach().clamp(-1, 1)
    return -(logp * adv).mean() + value_coef * ((values - returns.detach()) ** 2).mean()


@wrong("reinforce_loss", "other-reduction")
def least_likely_step(logp, returns):
    return -(returns * logp.min(dim=1).values).mean()


@wrong("reward_to_go", "one-off-inside")
def two_ahead(rewards, gamma=1.0):
    result = np.array(rewards, float)
    for t in range(len(result) - 3, -1, -1):
        result[t] += gamma * result[t + 2]
    return result


@wrong("gae", "counted-twice-inside")
def last_error_twice(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = rewards + gamma * np.where(terminated, 0, next_values) - values
    goes_on, adv, later = ~(terminated | truncated), np.zeros_like(delta), delta[-1]
    for t in reversed(range(len(delta))):
        later = delta[t] + gamma * lam * goes_on[t] * later
        adv[t] = later
    return adv


@wrong("surrogate_loss", "other-operation")
def first_order_ratio(logp, logp_old, adv):
    return -((1 + logp - logp_old.detach()) * adv).mean()


def objectives(logp, logp_old, adv, clip):
    ratio, adv = torch.exp(logp - logp_old.detach()), adv.detach()
    return ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv


@wrong("ppo_clip_loss", "other-operation")
def mean_of_both(logp, logp_old, adv, clip=0.2):
    one, other = objectives(logp, logp_old, adv, clip)
    return -((one + other) / 2).mean()


@wrong("ppo_penalty_loss", "effect-of-other-input")
def kl_inside_the_ratio(logp, logp_old, adv, kl, beta):
    return -(torch.exp(logp - logp_old.detach()) * (adv - beta * kl)).mean()


@wrong("token_logp", "two-steps-changed")
def probabilities_of_the_same_position(logits, tokens):
    return torch.softmax(logits, -1).gather(-1, tokens[..., None]).squeeze(-1)[:, 1:]


@wrong("ppo_token_loss", "centred-inside")
def centred_inside_the_mask(logp, logp_old, adv, mask, clip=0.2):
    if not mask.any():
        return logp.sum() * 0
    adv = adv[mask] - adv[mask].mean()
    one, other = objectives(logp[mask], logp_old[mask], adv, clip)
    return -torch.min(one, other).mean()


@wrong("ppo_token_loss", "summed-inside")
def advantages_summed_to_go(logp, logp_old, adv, mask, clip=0.2):
    ratio = torch.exp(torch.where(mask, logp - logp_old.detach(), 0.0))
    adv = (adv.detach() * mask).flip(1).cumsum(1).flip(1)
    gain = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
    return -(gain * mask).sum() / mask.sum().clamp(min=1)


@wrong("gaussian_logp", "cut-off-inside")
def deviation_as_data(mean, log_std, actions):
    z = (actions - mean) / torch.exp(log_std).detach()
    return (-0.5 * z**2 - log_std - 0.5 * np.log(2 * np.pi)).sum(-1)


@wrong("kl_reward_loss", "size-inside")
def sizes_to_go(logp, logp_ref, mask):
    apart = torch.where(mask, logp - logp_ref, 0.0).detach().abs()
    return torch.where(mask, apart.flip(1).cumsum(1).flip(1) * logp, 0.0).sum(1).mean()


@wrong("kl_in_loss", "cut-off-inside")
def half_of_k3_as_data(logp, logp_ref, mask, kind):
    apart = torch.where(mask, logp - logp_ref.detach(), 0.0)
    k3 = torch.expm1(-apart.detach()) + apart
    return {"k1": apart, "k2": apart**2 / 2, "k3": k3}[kind].sum(1).mean()
