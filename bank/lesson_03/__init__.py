"""The bank of lesson 03, and what banks of whole runs build on."""

from bank.lesson_03.baselines import to_go
from bank.lesson_03.critic import two_terms
from bank.lesson_03.learning import play, separate, table_of, trainer

__all__ = [
    "play",
    "separate",
    "table_of",
    "to_go",
    "trainer",
    "two_terms",
]
