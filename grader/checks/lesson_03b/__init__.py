"""Checks of 03b_gae.

Truths go through each environment's steps one by one, by the definition. Training is judged by what
spies saw and by the exact objective.
"""

from grader.checks.lesson_03b.gae import GAE
from grader.checks.lesson_03b.learning import TRAIN_WITH_GAE
from grader.checks.lesson_03b.n_step import N_STEP_ADVANTAGES
from grader.checks.lesson_03b.questions import Q_CUT_EPISODE, Q_MORE_TRAJECTORIES
from grader.checks.lesson_03b.td_errors import TD_ERRORS

EXERCISES = [TD_ERRORS, N_STEP_ADVANTAGES, GAE, Q_CUT_EPISODE, Q_MORE_TRAJECTORIES, TRAIN_WITH_GAE]
