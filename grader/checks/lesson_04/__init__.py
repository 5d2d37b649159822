"""Checks of 04_ppo_clip.

Truths are definitions sample by sample in plain numbers, slopes by finite differences, and samples
whose frequencies are a policy's own probabilities, so that a mean over them is exact.
"""

from grader.checks.lesson_04.case_table import CASE_TABLE
from grader.checks.lesson_04.clip import PPO_CLIP_LOSS
from grader.checks.lesson_04.clip_gradient import CLIP_FRACTION, CLIP_GRADIENT
from grader.checks.lesson_04.dual_clip import DUAL_CLIP_LOSS
from grader.checks.lesson_04.kl import KL_ESTIMATES
from grader.checks.lesson_04.penalty import ADAPT_BETA, PPO_PENALTY_LOSS
from grader.checks.lesson_04.questions import Q_NEGATIVE_KL, Q_OUTSIDE_BAND
from grader.checks.lesson_04.ratio import IMPORTANCE_RATIO, SURROGATE_LOSS

EXERCISES = [
    IMPORTANCE_RATIO,
    SURROGATE_LOSS,
    PPO_CLIP_LOSS,
    CLIP_GRADIENT,
    CASE_TABLE,
    DUAL_CLIP_LOSS,
    Q_OUTSIDE_BAND,
    CLIP_FRACTION,
    KL_ESTIMATES,
    Q_NEGATIVE_KL,
    PPO_PENALTY_LOSS,
    ADAPT_BETA,
]
