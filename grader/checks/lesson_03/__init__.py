"""Checks of 03_baseline_critic.

Truths are definitions written out step by step, derivatives by hand (where students use autograd)
and autograd (where they work by hand). Training is judged by what spies saw and by the exact
objective.
"""

from grader.checks.lesson_03.baselines import BASELINE_GRADIENT_SAMPLES
from grader.checks.lesson_03.critic import ACTOR_CRITIC_LOSS, VALUE_LOSS
from grader.checks.lesson_03.learning import TRAIN_ACTOR_CRITIC
from grader.checks.lesson_03.leave_one_out import LEAVE_ONE_OUT
from grader.checks.lesson_03.optimal_baseline import OPTIMAL_BASELINE
from grader.checks.lesson_03.questions import Q_ACTION_BASELINE, Q_BEST_CONSTANT, Q_WHITENING

EXERCISES = [
    BASELINE_GRADIENT_SAMPLES,
    Q_ACTION_BASELINE,
    OPTIMAL_BASELINE,
    Q_BEST_CONSTANT,
    LEAVE_ONE_OUT,
    Q_WHITENING,
    VALUE_LOSS,
    ACTOR_CRITIC_LOSS,
    TRAIN_ACTOR_CRITIC,
]
