"""What lesson 03b asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    discounted,
    next_row,
    where,
    window,
)


def td_errors_formula(rewards, values, next_values, terminated, gamma):
    bootstrap = gamma * where(terminated, 0.0, next_values)
    return rewards + bootstrap - values


def n_step_formula(rewards, values, next_values, terminated, truncated, n, gamma):
    delta = rewards + gamma * where(terminated, 0.0, next_values) - values
    goes_on = ~(terminated | truncated)
    advantage = delta
    for _ in range(n - 1):
        advantage = delta + gamma * goes_on * next_row(advantage)
    return advantage


def n_step_sums(rewards, values, next_values, terminated, truncated, n, gamma):
    over = terminated | truncated
    sums = window(rewards, over, n, gamma, where(terminated, 0.0, next_values))
    return sums - values


def gae_formula(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    delta = rewards + gamma * where(terminated, 0.0, next_values) - values
    goes_on = ~(terminated | truncated)
    return discounted(delta, gamma * lam * goes_on)
