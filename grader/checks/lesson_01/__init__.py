"""Checks of 01_reinforce.

Truths are definitions written out term by term, closed forms and autograd (where students work by
hand). Rollouts and training are judged by what spies saw and by the exact objective.
"""

from grader.checks.lesson_01.gradients import GRAD_LOG_PROB, REINFORCE_GRADIENT
from grader.checks.lesson_01.learning import TRAIN_REINFORCE
from grader.checks.lesson_01.loss import REINFORCE_LOSS
from grader.checks.lesson_01.policy import DISCOUNTED_RETURN, LOG_PROB, SOFTMAX
from grader.checks.lesson_01.questions import Q_ALL_POSITIVE, Q_LOSS_MUST_FALL
from grader.checks.lesson_01.rollout import ROLLOUT

EXERCISES = [
    SOFTMAX,
    LOG_PROB,
    ROLLOUT,
    DISCOUNTED_RETURN,
    GRAD_LOG_PROB,
    REINFORCE_GRADIENT,
    Q_LOSS_MUST_FALL,
    REINFORCE_LOSS,
    TRAIN_REINFORCE,
    Q_ALL_POSITIVE,
]
