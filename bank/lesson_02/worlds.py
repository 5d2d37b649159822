"""The bank of 02_variance, continued: the bonus in every reward, worlds without gain, the angle."""

from fractions import Fraction

import numpy as np
import torch

from bank import right, value, wrong


@right("bonus_in_rewards")
def solved_on_paper(goal_reward, step_reward, distance, max_steps):
    return goal_reward / (max_steps - distance) - step_reward


@right("bonus_in_rewards")
def net_pay_first(goal_reward, step_reward, distance, max_steps):
    longer = max_steps - distance
    per_step = goal_reward / longer  # what a step must bring, bonus included
    return np.float64(per_step - step_reward)


@right("bonus_in_rewards")
def linear_system(goal_reward, step_reward, distance, max_steps):
    # V - distance * b = goal plan, V - max_steps * b = clock plan
    lines = np.array([[1.0, -distance], [1.0, -max_steps]])
    plans = np.array([goal_reward + distance * step_reward, max_steps * step_reward])
    return np.linalg.solve(lines, plans)[1]


@right("bonus_in_rewards")
def fractions(goal_reward, step_reward, distance, max_steps):
    return float(Fraction(goal_reward) / (max_steps - distance) - Fraction(step_reward))


@right("bonus_in_rewards")
def by_torch(goal_reward, step_reward, distance, max_steps):
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    gap = goal_reward + distance * (step_reward + b) - max_steps * (step_reward + b)
    (slope,) = torch.autograd.grad(gap, b)
    return float(-gap / slope)


@right("bonus_in_rewards")
def bisection(goal_reward, step_reward, distance, max_steps):
    def goal_is_better(bonus):
        pay = step_reward + bonus
        return goal_reward + distance * pay > max_steps * pay

    low, high = -1e4, 1e4
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if goal_is_better(middle) else (low, middle)
    return (low + high) / 2


@wrong("bonus_in_rewards", "step-reward-forgotten")
def bonus_alone(goal_reward, step_reward, distance, max_steps):
    return goal_reward / (max_steps - distance)


@wrong("bonus_in_rewards", "step-reward-sign")
def price_the_wrong_way(goal_reward, step_reward, distance, max_steps):
    return step_reward + goal_reward / (max_steps - distance)


@wrong("bonus_in_rewards", "way-unpaid")
def goal_at_once(goal_reward, step_reward, distance, max_steps):
    return goal_reward / max_steps - step_reward


@wrong("bonus_in_rewards", "steps-added")
def both_lengths(goal_reward, step_reward, distance, max_steps):
    return goal_reward / (distance + max_steps) - step_reward


@wrong("bonus_in_rewards", "clock-forgotten")
def only_the_way(goal_reward, step_reward, distance, max_steps):
    return goal_reward / distance - step_reward


@wrong("bonus_in_rewards", "last-step-unpaid")
def goal_step_is_free(goal_reward, step_reward, distance, max_steps):
    on_the_way = distance - 1
    return goal_reward / (max_steps - on_the_way) - step_reward


@wrong("bonus_in_rewards", "clock-one-short")
def until_the_last_but_one(goal_reward, step_reward, distance, max_steps):
    steps = len(range(1, max_steps))
    return goal_reward / (steps - distance) - step_reward


@wrong("bonus_in_rewards", "not-per-step")
def once_in_all(goal_reward, step_reward, distance, max_steps):
    return goal_reward + distance * step_reward - max_steps * step_reward


@wrong("bonus_in_rewards", "minus-sign")
def other_side(goal_reward, step_reward, distance, max_steps):
    return goal_reward / (distance - max_steps) + step_reward


@wrong("bonus_in_rewards", "nothing-changes")
def a_constant_is_innocent(goal_reward, step_reward, distance, max_steps):
    return 0.0


@wrong("bonus_in_rewards", "tuple-returned")
def both_returns(goal_reward, step_reward, distance, max_steps):
    return goal_reward + distance * step_reward, max_steps * step_reward


# Worlds without gain ----------------------------------------------------------------------------


@right("rewards_without_gain")
def one_prize(transitions, terminal):
    rewards = np.zeros_like(transitions)
    rewards[:, :, np.argmax(terminal)] = 10.0
    return rewards


@right("rewards_without_gain")
def goal_and_pits(transitions, terminal):
    pay = np.where(terminal, -10.0, 0.0)
    pay[np.flatnonzero(terminal)[-1]] = 10.0
    return np.broadcast_to(pay, transitions.shape)


@right("rewards_without_gain")
def nested_loops(transitions, terminal):
    states, actions, _ = transitions.shape
    rewards = [[[0.0] * states for _ in range(actions)] for _ in range(states)]
    for s in range(states):
        for a in range(actions):
            for following in range(states):
                if terminal[following] and not terminal[s]:
                    rewards[s][a][following] = float(1 + a + s)
    return np.array(rewards)


@right("rewards_without_gain")
def every_end_pays_alike(transitions, terminal):
    # Whoever ends before the clock is paid: the policy matters.
    return np.ones(transitions.shape) * terminal


@right("rewards_without_gain")
def where_nobody_walks(transitions, terminal):
    rewards = np.where(transitions > 0, 0.0, 99.0)  # of what can't happen nothing is ever paid
    rewards[~terminal] += np.einsum("n,n->n", terminal, np.arange(len(terminal))) * (
        transitions[~terminal] > 0
    )
    return rewards


@right("rewards_without_gain")
def a_prize_for_the_last_action(transitions, terminal):
    by_action = np.arange(transitions.shape[1], dtype=float)[None, :, None]
    return by_action * terminal[None, None, :] * np.ones(transitions.shape)


@wrong("rewards_without_gain", "nothing-paid")
def zero_everywhere(transitions, terminal):
    return np.zeros(transitions.shape)


@wrong("rewards_without_gain", "paid-after-the-end")
def first_axis(transitions, terminal):
    rewards = np.zeros(transitions.shape)
    rewards[np.flatnonzero(terminal)] = 5.0
    return rewards


@wrong("rewards_without_gain", "price-per-step")
def goal_and_a_price(transitions, terminal):
    rewards = np.full(transitions.shape, -0.1)
    rewards[:, :, np.argmax(terminal)] += 10.0
    return rewards


@wrong("rewards_without_gain", "price-per-step")
def one_for_every_step(transitions, terminal):
    return np.ones_like(transitions)


@wrong("rewards_without_gain", "paid-on-the-way")
def the_cell_s_number(transitions, terminal):
    return np.arange(len(terminal)) * np.ones(transitions.shape)


@wrong("rewards_without_gain", "paid-on-the-way")
def potential(transitions, terminal):
    height = np.arange(len(terminal), dtype=float)
    return np.broadcast_to(height[None, None, :] - height[:, None, None], transitions.shape)


@wrong("rewards_without_gain", "paid-on-the-way")
def everything_but_the_end(transitions, terminal):
    cells = np.where(terminal, 0.0, 1.0 + np.arange(len(terminal)))
    return cells * np.ones(transitions.shape)


@wrong("rewards_without_gain", "paid-on-the-way")
def random_pay(transitions, terminal):
    return np.random.default_rng(0).normal(size=transitions.shape)


@wrong("rewards_without_gain", "per-state")
def one_number_a_state(transitions, terminal):
    return np.where(terminal, 10.0, 0.0)


@wrong("rewards_without_gain", "per-action")
def one_number_an_action(transitions, terminal):
    return (transitions * terminal).sum(axis=2)


@wrong("rewards_without_gain", "pays-too-much")
def a_million(transitions, terminal):
    return np.ones(transitions.shape) * terminal * 1e6


@wrong("rewards_without_gain", "step:finite")
def infinite_pit(transitions, terminal):
    rewards = np.zeros(transitions.shape)
    rewards[:, :, np.argmax(terminal)] = -np.inf
    return rewards


@wrong("rewards_without_gain", "nothing-returned")
def nothing_returned(transitions, terminal):
    rewards = np.zeros(transitions.shape)
    rewards[:, :, terminal] = 1.0


value("q_angle", "c", "c")
value("q_angle", "full_stop", "C.")
value("q_angle", "a", "a", "chose-a")
value("q_angle", "b", "b", "chose-b")
value("q_angle", "d", "d", "chose-d")
value("q_angle", "number", 46, "not-a-letter")
