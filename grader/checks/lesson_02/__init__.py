"""Checks of 02_variance. Truths are autograd, sums by their definition and covariance matrices."""

from grader.checks.lesson_02.gradient_samples import GRADIENT_SAMPLES, REWARD_TO_GO_GRADIENT_SAMPLES
from grader.checks.lesson_02.questions import Q_ANGLE, Q_BATCH, Q_SHIFT
from grader.checks.lesson_02.reward_to_go import REWARD_TO_GO
from grader.checks.lesson_02.variance import BATCH_SIZE_FOR, SIGNAL_TO_NOISE, TOTAL_VARIANCE
from grader.checks.lesson_02.worlds import BONUS_IN_REWARDS, REWARDS_WITHOUT_GAIN

EXERCISES = [
    GRADIENT_SAMPLES,
    TOTAL_VARIANCE,
    Q_BATCH,
    SIGNAL_TO_NOISE,
    BATCH_SIZE_FOR,
    Q_ANGLE,
    Q_SHIFT,
    BONUS_IN_REWARDS,
    REWARD_TO_GO,
    REWARD_TO_GO_GRADIENT_SAMPLES,
    REWARDS_WITHOUT_GAIN,
]
