"""The bank of lesson 03b, and what banks of whole runs build on."""

from bank.lesson_03b.learning import episode, joined, known_values, learner, of_one, probabilities

__all__ = [
    "episode",
    "joined",
    "known_values",
    "learner",
    "of_one",
    "probabilities",
]
