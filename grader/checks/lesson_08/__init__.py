"""Checks of lesson 08."""

from grader.checks.lesson_08.dialects import APPROX_KL_DIALECTS, CLIP_FRACTION_DIALECTS
from grader.checks.lesson_08.questions import Q_DEFAULTS, Q_TIME_LIMIT, Q_VALUE_LOSS, WHOSE_GAE
from grader.checks.lesson_08.settings import GRPO_SETTINGS, SB3_SETTINGS

EXERCISES = [
    WHOSE_GAE,
    Q_TIME_LIMIT,
    APPROX_KL_DIALECTS,
    CLIP_FRACTION_DIALECTS,
    Q_VALUE_LOSS,
    SB3_SETTINGS,
    Q_DEFAULTS,
    GRPO_SETTINGS,
]
