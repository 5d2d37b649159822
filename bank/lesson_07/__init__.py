"""The bank of lesson 07, and what banks of whole runs build on."""

from bank.lesson_07.grpo_loss import masked_first, variant
from bank.lesson_07.training import own_tokens, scored, trainer

__all__ = [
    "masked_first",
    "own_tokens",
    "scored",
    "trainer",
    "variant",
]
