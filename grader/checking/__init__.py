"""The framework of checks, and all that the author of one imports.

An exercise has cases, an independent truth, the usual mistakes by name, and the ladder that judges:
``FunctionExercise`` compares values and gradients, ``RuleExercise`` applies rules to what a special
probe saw, ``Choice`` is a question with one right letter.
"""

from grader.checking.case import Case, Expected, Mistake, Raises, Symptom, labelled, plain, seed_of
from grader.checking.choice import Choice
from grader.checking.compare import close, differing, error_problem, gradient_problem
from grader.checking.exercise import Exercise
from grader.checking.function import FunctionExercise
from grader.checking.kinds import (
    Array,
    Flexible,
    MappingOf,
    Mismatch,
    Number,
    TensorOf,
    TupleOf,
    dict_hint,
    kind_text,
    none_hint,
)
from grader.checking.rules import RuleExercise
from grader.checking.text import (
    array_text,
    call_text,
    list_text,
    number_text,
    shape_text,
    value_text,
)
from grader.checking.verdict import Problem, Verdict, behaviour, wrong_gradient
from grader.i18n import N_, _
from grader.probes.inputs import Env, Rng, Tensor, Trajectory, View

__all__ = [
    "_",
    "Array",
    "array_text",
    "behaviour",
    "call_text",
    "Case",
    "Choice",
    "close",
    "dict_hint",
    "differing",
    "Env",
    "error_problem",
    "Exercise",
    "Expected",
    "Flexible",
    "FunctionExercise",
    "gradient_problem",
    "kind_text",
    "labelled",
    "list_text",
    "MappingOf",
    "Mismatch",
    "Mistake",
    "N_",
    "none_hint",
    "Number",
    "number_text",
    "plain",
    "Problem",
    "Raises",
    "Rng",
    "RuleExercise",
    "seed_of",
    "shape_text",
    "Symptom",
    "Tensor",
    "TensorOf",
    "Trajectory",
    "TupleOf",
    "value_text",
    "Verdict",
    "View",
    "wrong_gradient",
]
