"""The bank of lesson 05, and what banks of whole runs build on."""

from bank.lesson_05.batches import permuted
from bank.lesson_05.numbers import with_torch
from bank.lesson_05.questions import FOUND
from bank.lesson_05.rollouts import (
    collect,
    greedy,
    into_arrays_with_categorical,
    one_environment_at_a_time,
    tensors_and_a_shift,
)
from bank.lesson_05.training import advantages_of, train, train_by
from bank.lesson_05.updates import (
    KEYS,
    losses,
    objective_as_a_loss,
    update_by,
    whole_batch_then_indexed,
    with_a_closure,
)

__all__ = [
    "FOUND",
    "KEYS",
    "advantages_of",
    "collect",
    "greedy",
    "into_arrays_with_categorical",
    "losses",
    "objective_as_a_loss",
    "one_environment_at_a_time",
    "permuted",
    "tensors_and_a_shift",
    "train",
    "train_by",
    "update_by",
    "whole_batch_then_indexed",
    "with_a_closure",
    "with_torch",
]
