"""Checks of lesson 07."""

from grader.checks.lesson_07.advantages import GRPO_ADVANTAGES, RLOO_ADVANTAGES
from grader.checks.lesson_07.aggregate import AGGREGATE_LOSS
from grader.checks.lesson_07.grpo_loss import GRPO_LOSS
from grader.checks.lesson_07.kl import KL_IN_LOSS, KL_REWARD_LOSS
from grader.checks.lesson_07.questions import (
    Q_DIVIDE_BY_STD,
    Q_EQUAL_SCORES,
    Q_K3_AS_LOSS,
    Q_ZERO_LOSS,
    TOKEN_BUG_HUNT,
)
from grader.checks.lesson_07.training import TRAIN_GRPO

EXERCISES = [
    RLOO_ADVANTAGES,
    GRPO_ADVANTAGES,
    AGGREGATE_LOSS,
    GRPO_LOSS,
    KL_REWARD_LOSS,
    KL_IN_LOSS,
    TRAIN_GRPO,
    TOKEN_BUG_HUNT,
    Q_EQUAL_SCORES,
    Q_DIVIDE_BY_STD,
    Q_K3_AS_LOSS,
    Q_ZERO_LOSS,
]
