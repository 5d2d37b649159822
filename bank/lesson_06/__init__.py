"""The bank of lesson 06, and what banks of whole runs build on."""

from bank.lesson_06.learning import trainer
from bank.lesson_06.masks import clamped_count, cumulated
from bank.lesson_06.rewards import reversed_argmax, times_mask
from bank.lesson_06.token_logp import gathered
from bank.lesson_06.token_loss import limit_by_sign, masked_objective

__all__ = [
    "clamped_count",
    "cumulated",
    "gathered",
    "limit_by_sign",
    "masked_objective",
    "reversed_argmax",
    "times_mask",
    "trainer",
]
