"""One gradient a trajectory, with the whole return and with reward-to-go."""

import numpy as np

from grader.checking import N_, FunctionExercise, Mistake
from grader.checks.lesson_02 import formulas
from grader.checks.shared import slips
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.score_sums import (
    by_own_reward,
    chosen_only,
    gradient_cases,
    imitation,
    probability_score,
    repeats_lost,
    summed_scores,
    to_go,
    visited_only,
    whole,
)


def gradient_samples_truth(theta, trajectories, gamma=1.0):
    """The derivative of return times summed log-probability, one trajectory at a time."""
    weights = [[discounted_sum(t.rewards, gamma)] * len(t.rewards) for t in trajectories]
    return summed_scores(theta, trajectories, weights)


def scores_kept(theta, trajectories, gamma=1.0):
    """The sum of scores goes on from one trajectory to the next."""
    returns = [discounted_sum(t.rewards, gamma) for t in trajectories]
    scores = imitation(lambda r, g: np.ones(len(r)), combine=sums_kept)(theta, trajectories)
    return np.array(returns)[:, None, None] * scores


def flattened(samples):
    return np.array(samples).reshape(len(samples), -1)


def mean_of(samples):
    return np.mean(samples, axis=0)


def shared_out(samples):
    return np.array(samples) / len(samples)


def sums_kept(samples):
    return np.cumsum(samples, axis=0)


def sum_of(samples):
    return np.sum(samples, axis=0)


GRADIENT_SAMPLES = FunctionExercise(
    "gradient_samples",
    gradient_cases,
    gradient_samples_truth,
    formula=formulas.gradient_samples_formula,
    hint=N_("One trajectory at a time: its return times the sum of its scores."),
    mistakes=(
        slips.mean_taken(imitation(whole, combine=mean_of), imitation(whole, combine=shared_out)),
        slips.batch_summed(imitation(whole, combine=sum_of)),
        slips.flattened(imitation(whole, combine=flattened)),
        slips.gamma_ignored(imitation(lambda r, g: whole(r, 1.0))),
        Mistake(
            "discount-from-the-end",
            "The last reward is the one discounted most.",
            like=imitation(lambda r, g: whole(r[::-1], g)),
        ),
        Mistake(
            "reward-to-go-already",
            "Here every step still gets the whole trajectory's "
            "return; reward-to-go comes later in this lesson.",
            like=(imitation(to_go), imitation(lambda r, g: g ** np.arange(len(r)) * to_go(r, g))),
        ),
        Mistake(
            "own-reward-only",
            "That credits each step with its own reward. Which return weighs all of them?",
            like=(imitation(by_own_reward), imitation(lambda r, g: r)),
        ),
        slips.scores_kept(scores_kept, imitation(whole, combine=sums_kept)),
        slips.repeats_lost(repeats_lost(whole)),
        slips.discount_in_front(imitation(lambda r, g: g ** np.arange(len(r)) * whole(r, g))),
        slips.divided_by_steps(imitation(lambda r, g: whole(r, g) / len(r))),
        Mistake(
            "last-step-only",
            "Every step of the trajectory has a score. Is your sum inside the loop?",
            like=imitation(lambda r, g: whole(r, g) * (np.arange(len(r)) == len(r) - 1)),
        ),
        slips.downhill(imitation(lambda r, g: -whole(r, g))),
        slips.probability_not_log(imitation(whole, probability_score)),
        slips.other_actions_forgotten(imitation(whole, chosen_only)),
        Mistake(
            "no-probabilities",
            "Is the score of an action that is already certain still one?",
            like=imitation(whole, visited_only),
        ),
    ),
)


def reward_to_go_gradient_truth(theta, trajectories, gamma=1.0):
    """The derivative of log-probabilities, each weighted by the definition of its reward-to-go."""
    weights = [rewards_to_go(t.rewards, gamma) for t in trajectories]
    return summed_scores(theta, trajectories, weights)


def summed_apart(theta, trajectories, gamma=1.0):
    """Sum of rewards-to-go times sum of scores: every step's weight meets every step's score."""
    return imitation(lambda r, g: np.full(len(r), to_go(r, g).sum()))(theta, trajectories, gamma)


def white(weights):
    return (weights - weights.mean()) / (weights.std() + 1e-8)


def run_together(theta, trajectories, gamma=1.0):
    """Rewards-to-go of all trajectories in one row."""
    row = to_go(np.concatenate([t.rewards for t in trajectories]), gamma)
    cuts = np.cumsum([len(t.rewards) for t in trajectories])[:-1]
    weights = iter(np.split(row, cuts))
    return imitation(lambda r, g: next(weights))(theta, trajectories, gamma)


REWARD_TO_GO_GRADIENT_SAMPLES = FunctionExercise(
    "reward_to_go_gradient_samples",
    gradient_cases,
    reward_to_go_gradient_truth,
    formula=formulas.reward_to_go_gradient_formula,
    prerequisites=("reward_to_go",),
    hint=N_("Each step's score, times what that step earned from itself on; then the sum."),
    mistakes=(
        Mistake(
            "whole-return",
            "Every step still gets the whole return. Which rewards can the "
            "action at step t change?",
            like=imitation(whole),
        ),
        Mistake(
            "extra-discount",
            "Step t is weighted by its reward-to-go alone, with no further gamma^t in front.",
            like=imitation(lambda r, g: g ** np.arange(len(r)) * to_go(r, g)),
        ),
        Mistake(
            "summed-apart",
            "Multiply step by step, then sum: each score has a weight of its own.",
            like=summed_apart,
        ),
        slips.mean_taken(imitation(to_go, combine=mean_of)),
        slips.batch_summed(imitation(to_go, combine=sum_of)),
        slips.flattened(imitation(to_go, combine=flattened)),
        slips.gamma_ignored(imitation(lambda r, g: to_go(r, 1.0))),
        slips.own_reward_only(imitation(lambda r, g: np.asarray(r))),
        slips.own_reward_missing(
            imitation(lambda r, g: to_go(r, g) - np.asarray(r)),
            imitation(lambda r, g: np.append(to_go(r, g)[1:], 0.0)),
        ),
        slips.past_rewards(imitation(lambda r, g: to_go(r[::-1], g)[::-1])),
        Mistake(
            "reversed",
            "Do the weights run in the same order as the steps?",
            like=imitation(lambda r, g: to_go(r, g)[::-1]),
        ),
        slips.repeats_lost(repeats_lost(to_go)),
        slips.divided_by_steps(imitation(lambda r, g: to_go(r, g) / len(r))),
        Mistake(
            "last-weight",
            "Every step has a weight of its own, not the last step's.",
            like=imitation(lambda r, g: np.full(len(r), to_go(r, g)[-1])),
        ),
        slips.downhill(imitation(lambda r, g: -to_go(r, g))),
        slips.probability_not_log(imitation(to_go, probability_score)),
        slips.other_actions_forgotten(imitation(to_go, chosen_only)),
        Mistake(
            "episodes-run-together",
            "The rewards of later trajectories leak into earlier ones: each trajectory's "
            "rewards-to-go end with it.",
            like=run_together,
        ),
        Mistake(
            "mean-of-episode",
            "The rewards-to-go as they are: nothing is subtracted or divided yet.",
            like=(
                imitation(lambda r, g: to_go(r, g) - to_go(r, g).mean()),
                imitation(lambda r, g: white(to_go(r, g))),
            ),
        ),
    ),
)
