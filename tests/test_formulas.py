"""Formulas: what exercises ask for in plain steps, and the search for a step that was changed."""

import numpy as np
import pytest
import torch

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Number,
    Tensor,
    TensorOf,
    labelled,
    seed_of,
)
from grader.checking.compare import close
from grader.checking.formulas.tracing import traced
from grader.checking.formulas.vocabulary import (
    data,
    discounted,
    exp,
    log,
    mean,
    numbers,
    total,
    where,
)
from grader.checking.relations.changed import formulas_of
from grader.checking.relations.evidence import plain_inputs
from grader.checks.judge import run_check
from grader.checks.registry import registry
from grader.probes import runtime

WITH_FORMULAS = [name for name, one in registry().items() if getattr(one, "formula", ())]


@pytest.mark.filterwarnings("ignore:Mean of empty slice")  # of a mask that is empty
@pytest.mark.parametrize("name", WITH_FORMULAS)
def test_a_formula_is_the_truth(name):
    """In every case that asks for more than care at the edges, one of an exercise's truths."""
    exercise = registry()[name]
    truths = (exercise.truth, *getattr(exercise, "others", ()))
    for formula in formulas_of(exercise):
        good = 0
        for case in exercise.cases(seed_of(name, 1)):
            inputs = plain_inputs(exercise, case)
            wanted = [truth(**{n: inputs[n] for n in case.inputs}) for truth in truths]
            if case.edge or not isinstance(exercise.expected(case), Expected):
                continue
            with np.errstate(all="ignore"):
                made = labelled(formula({n: inputs[n] for n in formula.arguments if n in inputs}))
            good += any(agree(made, one, exercise) for one in wanted)
        assert good > 2, formula.run.__name__


def agree(made, truth, exercise):
    value = labelled(truth.value if isinstance(truth, Expected) else truth)
    same = set(made) == set(value) and all(np.shape(made[n]) == value[n].shape for n in value)
    if exercise.name == "kl_reward_loss":  # its value is free
        return same
    tolerances = exercise.relative, exercise.absolute
    return same and all(close(made[n], value[n], *tolerances).all() for n in value)


def toy(rewards, values, gamma):
    later = numbers(rewards)
    for _ in range(2):
        later = rewards + gamma * later
    if gamma > 1:
        return values
    return later - values


def test_a_watched_run_and_a_new_one_agree_under_every_change():
    rng = np.random.default_rng(0)
    formula = traced(toy)
    inputs = {"rewards": rng.normal(size=3), "values": rng.normal(size=3), "gamma": 0.9}
    watched = formula.watch(inputs)
    assert np.allclose(watched.changed([]), toy(**inputs))
    assert len(watched.turns) > len(formula.steps)  # the loop's steps have two turns
    changed = 0
    for step in formula.steps:
        if step.kind in ("Name", "Mult", "Add", "Sub", "Constant"):
            pairs = [(step.number, lambda how, *given: 2 * how(*given))]
            try:
                anew = formula(inputs, pairs)
            except TypeError:
                continue
            assert np.allclose(watched.changed(pairs), anew, equal_nan=True), step
            changed += not np.allclose(anew, watched.result)
    assert changed > 5


def weighed_formula(rewards, values, done, gamma=0.9):
    bootstrap = gamma * where(done, 0.0, values)
    returns_to_go = discounted(rewards, gamma)
    return mean(returns_to_go) + total((bootstrap - values) ** 2)


def weighed_cases(rng):
    """Six calls of different lengths."""
    return [
        Case(
            {
                "rewards": rng.normal(size=n) + 1,
                "values": rng.normal(size=n),
                "done": rng.random(n) < 0.4,
                "gamma": float(rng.uniform(0.4, 0.95)),
            }
        )
        for n in (1, 3, 4, 5, 6, 7)
    ]


WEIGHED = FunctionExercise(
    "f", weighed_cases, weighed_formula, kind=Number(), formula=weighed_formula
)


def told(exercise, answer):
    """(name, hint) of what the check says of the answer."""
    verdict = run_check(exercise, lambda q, ask: runtime.run({"f": answer}, "f", q, ask), 0)
    assert not verdict.passed
    return verdict.mistake, verdict.problem.hint


def go(rewards, gamma):
    return discounted(rewards, gamma)


def boot(values, done, gamma):
    return gamma * np.where(done, 0, values)


@pytest.mark.parametrize(
    ("answer", "name", "words"),
    [
        (
            lambda r, v, d, g: np.mean(go(r, g)) + np.sum((boot(v, d, g) + v) ** 2),
            "other-operation",
            "added to",
        ),
        (
            lambda r, v, d, g: np.max(go(r, g)) + np.sum((boot(v, d, g) - v) ** 2),
            "other-reduction",
            "is taken, not the mean",
        ),
        (
            lambda r, v, d, g: np.mean(go(r, g) ** 2) + np.sum((boot(v, d, g) - v) ** 2),
            "power-inside",
            "is squared",
        ),
        (
            lambda r, v, d, g: np.mean(go(r, g) * g) + np.sum((boot(v, d, g) - v) ** 2),
            "argument-inside",
            "multiplied by `gamma`",
        ),
        (
            lambda r, v, d, g: np.max(go(r, g)) + np.sum((boot(v, d, g) + v) ** 2),
            "two-steps-changed",
            "Two things at once",
        ),
        (
            lambda r, v, d, g: np.mean(go(r, 0.99)) + np.sum((boot(v, d, g) - v) ** 2),
            "fixed-number-inside",
            "a fixed number stands in the place of `gamma`",
        ),
    ],
)
def test_a_changed_step_is_told(answer, name, words):
    got, hint = told(WEIGHED, answer)
    assert (got, words in hint) == (name, True), hint


def test_nothing_is_told_of_what_no_change_explains():
    _got, hint = told(WEIGHED, lambda r, v, d, g: float(np.sum(np.sin(5 * r)) + np.prod(v)))
    assert "comes out" not in hint


def loss_formula(logp, returns):
    ratio = exp(logp)
    return -mean(ratio * logp * data(returns))


def loss_truth(logp, returns):
    terms = np.exp(logp) * returns / len(logp)
    return Expected(-(terms * logp).sum(), {"logp": -terms * (logp + 1), "returns": None})


def loss_cases(rng):
    """Four calls of different lengths, whose gradients are asked for."""
    return [
        Case({n: Tensor(rng.normal(size=size), grad=True) for n in ("logp", "returns")})
        for size in (2, 3, 4, 5)
    ]


LOSS = FunctionExercise("f", loss_cases, loss_truth, kind=TensorOf(), formula=loss_formula)


def test_a_gradient_cut_off_in_one_factor_is_told():
    """The value is right, and the gradient is that of a loss with one step changed."""

    def answer(logp, returns):
        return -(torch.exp(logp).detach() * logp * returns.detach()).mean()

    got, hint = told(LOSS, answer)
    assert got == "cut-off-inside" and hint.startswith("The gradient is that of a loss where"), hint


def test_a_logarithm_of_a_sum_in_the_place_of_a_sum_of_logarithms_is_told():
    def surprise_formula(weights, chances):
        return -total(weights * log(chances), -1)

    def cases(rng):
        return [
            Case({n: rng.uniform(0.1, 0.9, size=(rows, 3)) for n in ("weights", "chances")})
            for rows in (2, 3, 4)
        ]

    exercise = FunctionExercise("f", cases, surprise_formula, formula=surprise_formula)
    name, hint = told(exercise, lambda w, p: -np.log((w * p).sum(-1)))
    assert name == "other-order-inside" and "the logarithm of the sum is taken" in hint
