"""Checks of 05b_practice: two details of PPO, and the Gaussian's formulas."""

from grader.checks.lesson_05b.details import SHOULD_STOP, VALUE_CLIP_LOSS
from grader.checks.lesson_05b.gaussian import GAUSSIAN_ENTROPY, GAUSSIAN_LOGP

EXERCISES = [SHOULD_STOP, VALUE_CLIP_LOSS, GAUSSIAN_LOGP, GAUSSIAN_ENTROPY]
