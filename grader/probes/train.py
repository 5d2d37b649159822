"""The probe of training exercises: runs the student's function, and reports what spies saw.

It fits any signature whose arguments are environments, modules, an optimiser and numbers. Each of
these is recognised by what it can do, so a case's inputs need no marks: whatever has ``reset`` and
``step`` is watched by an ``EnvSpy``, each optimiser by an ``OptimizerSpy``, each torch module has
its weights kept before and after. An object of another kind that has a method ``report`` adds
what it returns.
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

from policy_gradients.i18n import _

from .inputs import materialize
from .observe import observe
from .runtime import attempt, probe
from .spies import EnvSpy, OptimizerSpy, weights
from .wire import record


@record
@dataclass(frozen=True)
class Module:
    """A network of the helper package by class name, with arguments and (where given) weights:
    parameter name -> array."""

    name: str
    kwargs: dict = field(default_factory=dict)
    weights: dict = field(default_factory=dict)

    def materialize(self):
        import torch

        import policy_gradients as pg

        module = getattr(pg, self.name)(**materialize(self.kwargs))
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if name in self.weights:
                    parameter.copy_(torch.as_tensor(np.array(self.weights[name])))
        return module


@record
@dataclass(frozen=True)
class Optimizer:
    """``torch.optim.NAME`` over the parameters of the inputs called ``of``, in that order."""

    name: str
    of: list
    kwargs: dict = field(default_factory=dict)

    def over(self, inputs):
        import torch

        parameters = [p for name in self.of for p in inputs[name].parameters()]
        return getattr(torch.optim, self.name)(parameters, **self.kwargs)


@probe("train")
def train(function, cases):
    """One report per case: value or error, modules, optimizers, envs and others, each by the name
    of its input (``train_once`` says what is in them)."""
    return [train_once(function, case) for case in cases]


def train_once(function, case, look=None) -> dict:
    """value: the observed result, or raised: the observed error. modules: name -> before, after
    (parameter -> array). optimizers, envs: name -> what their spies report. others: name -> report.
    look: (inputs, spies of the environments) -> an object whose ``report`` is added as looked.
    """
    inputs = build(case["inputs"])
    keywords = case.get("keywords", [])
    modules = {n: x for n, x in inputs.items() if hasattr(x, "parameters")}
    others = {n: x for n, x in inputs.items() if n not in modules}
    optimizers = {n: OptimizerSpy(x, modules) for n, x in others.items() if hasattr(x, "zero_grad")}
    envs = watch(inputs, optimizers)
    looked = look and look(inputs, envs)
    before = {name: weights(module) for name, module in modules.items()}
    positional = [given for name, given in inputs.items() if name not in keywords]
    with without_answers():
        result, error = attempt(function, *positional, **{name: inputs[name] for name in keywords})
    seen = {"raised": error} if error else {"value": observe(result)}
    seen["modules"] = {n: {"before": before[n], "after": weights(m)} for n, m in modules.items()}
    seen["optimizers"] = {name: spy.report() for name, spy in optimizers.items()}
    seen["envs"] = {name: spy.report() for name, spy in envs.items()}
    seen["others"] = {n: x.report() for n, x in others.items() if hasattr(x, "report")}
    return seen | ({"looked": looked.report()} if looked else {})


ANSWERS = ("best_policy", "best_stationary", "gradient_moments", "optimal_objective")


@contextlib.contextmanager
def without_answers():
    """While a student's function trains, pg.exact knows neither the best policy nor the gradient.
    Whoever looks for them finds them; the marks don't rest on this."""
    from policy_gradients import exact

    def silent(*args, **kwargs):
        raise RuntimeError(_("pg.exact is silent while a check trains: learn from the episodes"))

    kept = {name: getattr(exact, name) for name in (*ANSWERS, "policy_gradient")}
    for name in kept:
        setattr(exact, name, silent)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(exact, name, function)


def build(given) -> dict:
    """The inputs in their order; an optimiser gets the modules that were built before it."""
    inputs = {}
    for name, one in given.items():
        inputs[name] = one.over(inputs) if isinstance(one, Optimizer) else materialize(one)
    return inputs


def watch(inputs, optimizers) -> dict:
    """A spy on each environment."""

    spies = list(optimizers.values())

    def now():  # at each step of an environment, so without a generator
        done = 0
        for spy in spies:
            done += spy.steps
        return done

    envs = {n: x for n, x in inputs.items() if hasattr(x, "reset") and hasattr(x, "step")}
    return {name: EnvSpy(env, now) for name, env in envs.items()}
