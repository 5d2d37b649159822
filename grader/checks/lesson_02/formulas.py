"""What lesson 02 asks for as formulas; the checks look for one step changed (see
grader/checking/formulas)."""

from grader.checking.formulas.vocabulary import (
    by_state,
    count,
    discounted,
    matrix_product,
    maximum,
    mean,
    next_whole,
    numbers,
    one_hot,
    places,
    rows_of,
    softmax,
    stack,
    total,
    variance,
    width,
)


def gradient_samples_formula(theta, trajectories, gamma=1.0):
    samples = []
    for one in trajectories:
        weights = total(gamma ** places(one.rewards) * one.rewards)
        scores = one_hot(one.actions, width(theta)) - softmax(theta)[one.states]
        samples.append(matrix_product(by_state(one.states, count(theta)), weights * scores))
    return stack(samples)


def total_variance_formula(samples):
    return total(variance(rows_of(samples), 0, 1))


def total_variance_by_squares(samples):
    rows = rows_of(samples)
    error = rows - mean(rows, 0)
    return total(error**2) / (count(rows) - 1)


def signal_to_noise_formula(samples):
    rows = rows_of(samples)
    estimate = mean(rows, 0)
    return total(estimate**2) / (total(variance(rows, 0, 1)) / count(rows))


def batch_size_formula(samples, target):
    rows = rows_of(samples)
    estimate = mean(rows, 0)
    ratio = total(estimate**2) / total(variance(rows, 0, 1))
    return maximum(next_whole(target / ratio - 1e-9), 1)


def bonus_formula(goal_reward, step_reward, distance, max_steps):
    return goal_reward / (max_steps - distance) - step_reward


def bonus_of_two_plans(goal_reward, step_reward, distance, max_steps):
    plans = goal_reward + distance * step_reward - max_steps * step_reward
    return plans / (max_steps - distance)


def reward_to_go_formula(rewards, gamma=1.0):
    return discounted(numbers(rewards), gamma)


def reward_to_go_gradient_formula(theta, trajectories, gamma=1.0):
    samples = []
    for one in trajectories:
        returns_to_go = discounted(one.rewards, gamma)
        scores = one_hot(one.actions, width(theta)) - softmax(theta)[one.states]
        weighted = returns_to_go[:, None] * scores
        samples.append(matrix_product(by_state(one.states, count(theta)), weighted))
    return stack(samples)
