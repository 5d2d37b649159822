"""Checks of 05_ppo_loop.

Truths are definitions in loops, a scripted environment whose every number is known, PPO's update
by hand (``shared.ppo_update``), and the trained weights in the grader's own environments.
"""

from grader.checks.lesson_05.batches import MINIBATCHES
from grader.checks.lesson_05.collect import COLLECT
from grader.checks.lesson_05.numbers import ENTROPY, EXPLAINED_VARIANCE, NORMALIZE
from grader.checks.lesson_05.questions import BUG_HUNT, Q_FIRST_STEP
from grader.checks.lesson_05.train import TRAIN
from grader.checks.lesson_05.update import UPDATE

EXERCISES = [
    COLLECT,
    NORMALIZE,
    MINIBATCHES,
    ENTROPY,
    Q_FIRST_STEP,
    UPDATE,
    EXPLAINED_VARIANCE,
    TRAIN,
    BUG_HUNT,
]
