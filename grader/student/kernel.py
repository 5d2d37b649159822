"""Probe and verdict in one process, that of the student's code: for ``check("name")`` in a notebook
and for ``progress``."""

import dis
import types

from grader.checking.compare import unwritten_problem
from grader.checking.verdict import Verdict
from grader.checks.judge import PUBLIC_SEED, run_check
from grader.checks.registry import get
from grader.probes import runtime

# What Python makes of ``raise NotImplementedError`` and ``raise NotImplementedError()``.
RAISES = {"RESUME", "NOP", "PUSH_NULL", "LOAD_GLOBAL", "PRECALL", "CALL", "RAISE_VARARGS"}


def judged(namespace: dict, name: str, failed: set) -> Verdict:
    """The verdict on the exercise ``name`` as it stands in the namespace.

    failed: the exercises that failed so far, where this one is noted or struck off
    """
    exercise = get(name)
    if is_unwritten(namespace.get(name)):  # its cases may take a second to draw
        verdict = Verdict(name, False, problem=unwritten_problem(name))
    else:
        verdict = run_check(exercise, _probe(namespace, name), PUBLIC_SEED, failed)
    (failed.discard if verdict.passed else failed.add)(name)
    return verdict


def _probe(namespace, name):
    return lambda request, ask: runtime.run(namespace, name, request, ask)


def is_unwritten(function) -> bool:
    """Whether it is a stub, which does nothing but raise NotImplementedError."""
    code = isinstance(function, types.FunctionType) and function.__code__
    if not code or code.co_names != ("NotImplementedError",):
        return False
    steps = {step.opname for step in dis.get_instructions(code)}
    return "RAISE_VARARGS" in steps and steps <= RAISES
