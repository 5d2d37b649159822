"""Nothing that a submission can import in the sandbox answers an exercise."""

import importlib
import inspect
import multiprocessing
import pkgutil

import matplotlib.pyplot as plt
import pytest

import policy_gradients
from grader import probes
from grader.checking import FunctionExercise, seed_of
from grader.checks.judge import run_check
from grader.checks.registry import get, names
from grader.probes import runtime
from policy_gradients import i18n


def callables():
    """(name, function or class) of every module of the helper package and of the probes."""
    for package in (policy_gradients, probes):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            module = importlib.import_module(info.name)
            for name, thing in vars(module).items():
                owner = getattr(thing, "__module__", "") or ""
                if callable(thing) and owner.startswith(package.__name__):
                    yield f"{info.name}.{name}", thing


# One name for each: packages hand on what their modules define.
CALLABLES = list({id(thing): (path, thing) for path, thing in callables()}.values())


def takes(thing, case) -> bool:
    """Whether the case's call fits the signature at all."""
    positional = [name for name in case.inputs if name not in case.keywords]
    try:
        inspect.signature(thing).bind(*positional, **dict.fromkeys(case.keywords))
    except (TypeError, ValueError):
        return False
    return True


def _drawn(*args, **kwargs):
    raise RuntimeError("a figure")


def in_a_copy(work):
    """What work() returns in a copy of this process. Strange functions are called with strange
    inputs and stopped anywhere, which leaves a process in disorder: Python before 3.11.5 can't
    parse any more when it was stopped while it parsed (CPython issue 106905)."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    copy = context.Process(target=lambda: there.send(work()))
    copy.start()
    there.close()
    try:
        return here.recv()
    finally:
        copy.join()


@pytest.mark.parametrize("name", sorted(n for n in names() if not n.startswith(("q_", "train_"))))
def test_nothing_importable_passes(name, monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", "en")
    # What draws is no answer, and drawing takes most of the time; so does the search for the
    # mistake that a wrong answer is, and only right or wrong matters here.
    monkeypatch.setattr(plt, "figure", _drawn)
    monkeypatch.setattr(FunctionExercise, "_named", lambda self, problem, *_others: problem)
    exercise = get(name)
    cases = exercise.cases(seed_of(name, 0))

    def passes(thing, cases):
        request = {**exercise.request(cases), "seconds": 0.2}
        seen = runtime.run({name: thing}, name, request)
        i18n.set_language("en")  # one of the functions tried sets the language
        verdict = exercise.judge(cases, seen)
        return verdict.passed

    def found():
        fitting = [(path, thing) for path, thing in CALLABLES if takes(thing, cases[0])]
        # One case is enough to refuse nearly all.
        likely = [(path, thing) for path, thing in fitting if passes(thing, cases[:1])]
        return [path for path, thing in likely if passes(thing, cases)]

    assert in_a_copy(found) == []


def test_the_copy_answers():
    assert in_a_copy(lambda: ["a name"]) == ["a name"]
    with pytest.raises(EOFError):
        in_a_copy(lambda: 1 / 0)


def test_the_search_would_find_one():
    """The same loop over a namespace that holds an answer finds it."""
    answer = get("discounted_return").truth
    verdict = run_check(
        get("discounted_return"),
        lambda q, a: runtime.run({"discounted_return": answer}, "discounted_return", q, a),
        0,
    )
    assert verdict.passed and len(CALLABLES) > 50
