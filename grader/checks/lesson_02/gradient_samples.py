"""One gradient a trajectory, with the whole return and with reward-to-go."""

import numpy as np

from grader.checking import N_, FunctionExercise
from grader.checks.lesson_02 import formulas
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.score_sums import (
    RETURN_SLIPS,
    chosen_only,
    discounted,
    gradient_cases,
    imitation,
    never_reset,
    probability_score,
    repeats_lost,
    scores_kept,
    summed_scores,
    visited_only,
    whole,
)
from grader.checks.shared.slips import listed
from grader.checks.shared.whitening import white


def gradient_samples_truth(theta, trajectories, gamma=1.0):
    """The derivative of return times summed log-probability, one trajectory at a time."""
    weights = [[discounted_sum(t.rewards, gamma)] * len(t.rewards) for t in trajectories]
    return summed_scores(theta, trajectories, weights)


def flattened(samples):
    return np.array(samples).reshape(len(samples), -1)


def mean_of(samples):
    return np.mean(samples, axis=0)


def shared_out(samples):
    return np.array(samples) / len(samples)


def sum_of(samples):
    return np.sum(samples, axis=0)


GRADIENT_SAMPLES_HINTS = {
    "discount-from-the-end": "The last reward is the one discounted most.",
    "reward-to-go-already": "Here every step still gets the whole trajectory's return; "
    "reward-to-go comes later in this lesson.",
    "own-reward-only": "That credits each step with its own reward. Which return weighs all of "
    "them?",
    "last-step-only": "Every step of the trajectory has a score. Is your sum inside the loop?",
    "no-probabilities": "Is the score of an action that is already certain still one?",
}
GRADIENT_SAMPLES_FACES = {
    **RETURN_SLIPS,
    "mean-taken": (imitation(whole, combine=mean_of), imitation(whole, combine=shared_out)),
    "batch-summed": imitation(whole, combine=sum_of),
    "flattened": imitation(whole, combine=flattened),
    "discount-from-the-end": imitation(lambda r, g: whole(r[::-1], g)),
    "reward-to-go-already": (imitation(rewards_to_go), imitation(discounted(rewards_to_go))),
    "scores-kept": (scores_kept, imitation(whole, combine=never_reset)),
    "divided-by-steps": imitation(lambda r, g: whole(r, g) / len(r)),
    "other-actions-forgotten": imitation(whole, chosen_only),
    "no-probabilities": imitation(whole, visited_only),
}
GRADIENT_SAMPLES = FunctionExercise(
    "gradient_samples",
    gradient_cases,
    gradient_samples_truth,
    formula=formulas.gradient_samples_formula,
    hint=N_("One trajectory at a time: its return times the sum of its scores."),
    mistakes=listed(GRADIENT_SAMPLES_FACES, GRADIENT_SAMPLES_HINTS),
)


def reward_to_go_gradient_truth(theta, trajectories, gamma=1.0):
    """The derivative of log-probabilities, each weighted by the definition of its reward-to-go."""
    weights = [rewards_to_go(t.rewards, gamma) for t in trajectories]
    return summed_scores(theta, trajectories, weights)


def summed_apart(theta, trajectories, gamma=1.0):
    """Sum of rewards-to-go times sum of scores: every step's weight meets every step's score."""
    return imitation(lambda r, g: np.full(len(r), rewards_to_go(r, g).sum()))(
        theta, trajectories, gamma
    )


def run_together(theta, trajectories, gamma=1.0):
    """Rewards-to-go of all trajectories in one row."""
    row = rewards_to_go(np.concatenate([t.rewards for t in trajectories]), gamma)
    cuts = np.cumsum([len(t.rewards) for t in trajectories])[:-1]
    weights = iter(np.split(row, cuts))
    return imitation(lambda r, g: next(weights))(theta, trajectories, gamma)


REWARD_TO_GO_GRADIENT_SAMPLES_HINTS = {
    "whole-return": "Every step still gets the whole return. Which rewards can the action at step "
    "t change?",
    "extra-discount": "Step t is weighted by its reward-to-go alone, with no further gamma^t in "
    "front.",
    "summed-apart": "Multiply step by step, then sum: each score has a weight of its own.",
    "reversed": "Do the weights run in the same order as the steps?",
    "last-weight": "Every step has a weight of its own, not the last step's.",
    "episodes-run-together": "The rewards of later trajectories leak into earlier ones: each "
    "trajectory's rewards-to-go end with it.",
    "mean-of-episode": "The rewards-to-go as they are: nothing is subtracted or divided yet.",
}
REWARD_TO_GO_GRADIENT_SAMPLES_FACES = {
    "whole-return": imitation(whole),
    "extra-discount": imitation(discounted(rewards_to_go)),
    "summed-apart": summed_apart,
    "mean-taken": imitation(rewards_to_go, combine=mean_of),
    "batch-summed": imitation(rewards_to_go, combine=sum_of),
    "flattened": imitation(rewards_to_go, combine=flattened),
    "gamma-ignored": imitation(lambda r, g: rewards_to_go(r, 1.0)),
    "own-reward-only": imitation(lambda r, g: np.asarray(r)),
    "own-reward-missing": (
        imitation(lambda r, g: rewards_to_go(r, g) - np.asarray(r)),
        imitation(lambda r, g: np.append(rewards_to_go(r, g)[1:], 0.0)),
    ),
    "past-rewards": imitation(lambda r, g: rewards_to_go(r[::-1], g)[::-1]),
    "reversed": imitation(lambda r, g: rewards_to_go(r, g)[::-1]),
    "repeats-lost": repeats_lost(rewards_to_go),
    "divided-by-steps": imitation(lambda r, g: rewards_to_go(r, g) / len(r)),
    "last-weight": imitation(lambda r, g: np.full(len(r), rewards_to_go(r, g)[-1])),
    "minus-sign/downhill": imitation(lambda r, g: -rewards_to_go(r, g)),
    "probability-not-log": imitation(rewards_to_go, probability_score),
    "other-actions-forgotten": imitation(rewards_to_go, chosen_only),
    "episodes-run-together": run_together,
    "mean-of-episode": (
        imitation(lambda r, g: rewards_to_go(r, g) - rewards_to_go(r, g).mean()),
        imitation(lambda r, g: white(rewards_to_go(r, g))),
    ),
}
REWARD_TO_GO_GRADIENT_SAMPLES = FunctionExercise(
    "reward_to_go_gradient_samples",
    gradient_cases,
    reward_to_go_gradient_truth,
    formula=formulas.reward_to_go_gradient_formula,
    prerequisites=("reward_to_go",),
    hint=N_("Each step's score, times what that step earned from itself on; then the sum."),
    mistakes=listed(REWARD_TO_GO_GRADIENT_SAMPLES_FACES, REWARD_TO_GO_GRADIENT_SAMPLES_HINTS),
)
