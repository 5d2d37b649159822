"""Checks of lesson 06."""

from grader.checks.lesson_06.learning import TRAIN_LANGUAGE_PPO
from grader.checks.lesson_06.masks import COMPLETION_MASK, MASKED_MEAN
from grader.checks.lesson_06.questions import Q_BETA, Q_WHICH_KL
from grader.checks.lesson_06.rewards import KL_SHAPED_REWARDS, TERMINAL_REWARDS
from grader.checks.lesson_06.token_logp import TOKEN_LOGP
from grader.checks.lesson_06.token_loss import PPO_TOKEN_LOSS

EXERCISES = [
    TOKEN_LOGP,
    COMPLETION_MASK,
    MASKED_MEAN,
    TERMINAL_REWARDS,
    KL_SHAPED_REWARDS,
    PPO_TOKEN_LOSS,
    TRAIN_LANGUAGE_PPO,
    Q_WHICH_KL,
    Q_BETA,
]
