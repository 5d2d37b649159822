"""The bank of lesson 01, and what banks of whole runs build on."""

from bank.lesson_01.learning import padded_logp, play, returns_of

__all__ = [
    "padded_logp",
    "play",
    "returns_of",
]
