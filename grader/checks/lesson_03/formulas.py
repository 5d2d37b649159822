"""What lesson 03 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    by_state,
    count,
    data,
    discounted,
    matrix_product,
    mean,
    numbers,
    one_hot,
    softmax,
    stack,
    to_rows,
    total,
    width,
)


def baseline_formula(theta, trajectories, baseline, gamma=1.0):
    samples = []
    for one in trajectories:
        returns_to_go = discounted(one.rewards, gamma)
        advantage = returns_to_go - to_rows(baseline, one.states)
        scores = one_hot(one.actions, width(theta)) - softmax(theta)[one.states]
        weighted = advantage[:, None] * scores
        samples.append(matrix_product(by_state(one.states, count(theta)), weighted))
    return stack(samples)


def optimal_baseline_formula(scores, returns):
    square = total(scores**2, 1)
    return total(square * returns) / total(square)


def leave_one_out_formula(returns):
    values = numbers(returns)
    others = (total(values) - values) / (count(values) - 1)
    return values - others


def leave_one_out_from_the_mean(returns):
    values = numbers(returns)
    return (values - mean(values)) * count(values) / (count(values) - 1)


def value_loss_formula(values, returns):
    error = values - data(returns)
    return mean(error**2)


def actor_critic_formula(logp, values, returns, value_coef=0.5):
    advantage = data(returns - values)
    error = values - data(returns)
    return mean(-logp * advantage) + value_coef * mean(error**2)
