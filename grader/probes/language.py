"""The probe of training on tokens: what was sampled, from whom, and which gradient each step used.

The tokens that a student's function trains on are known from the language's own sampler. The
gradient that reaches the policy's logits, step by step, shows the loss in whatever style it is
written.
"""

from dataclasses import dataclass, field

import numpy as np

from .inputs import materialize
from .observe import observe
from .runtime import Oracle, attempt, probe, stand_in
from .spies import OptimizerSpy, WatchedForward, unbound, weights
from .train import build
from .wire import record


@record
@dataclass(frozen=True)
class Language:
    """``pg.language.Language`` with these arguments."""

    kwargs: dict = field(default_factory=dict)

    def materialize(self):
        import policy_gradients as pg

        return pg.language.Language(**materialize(self.kwargs))


@probe("train_language")
def train_language(function, cases):
    """One report per case (inputs of the call; before them chance, seeds of torch's and of NumPy's
    global generators, watched, how many optimiser steps are looked at closely, and traced, whether
    all gradients are kept): value or raised; modules before and after; optimizers, what its spy
    reports; samples (tokens, source, steps before it); steps of the policy and value_steps of the
    critic, see ``OutputWatch``; looked: module -> steps of its ``SentenceWatch``."""
    return [_train_once(function, case) for case in cases]


def _train_once(function, case):
    import torch

    given = dict(case["inputs"])
    (torch_seed, numpy_seed), watched = given.pop("chance"), given.pop("watched")
    traced = given.pop("traced")
    torch.manual_seed(torch_seed)
    np.random.seed(numpy_seed)
    inputs = build(given)
    names = [name for name in ("policy", "critic", "reference") if name in inputs]
    modules = {name: inputs[name] for name in names}
    before = {name: weights(module) for name, module in modules.items()}
    learners = [name for name in ("policy", "critic") if name in inputs]
    learning = {name: inputs[name] for name in learners if traced}
    spy = OptimizerSpy(inputs["optimizer"], learning, LANGUAGE_ROOM)
    samples = SampleSpy(inputs["language"], modules, lambda: spy.steps)
    rows = {n: SentenceWatch(inputs[n], inputs["optimizer"], samples) for n in learners}
    looks = [OutputWatch(inputs[n], inputs["optimizer"], watched, spy.turned) for n in learners]
    keywords = case.get("keywords", [])
    positional = [one for name, one in inputs.items() if name not in keywords]
    result, error = attempt(function, *positional, **{name: inputs[name] for name in keywords})
    seen = {"raised": error} if error else {"value": observe(result)}
    seen["modules"] = {n: {"before": before[n], "after": weights(m)} for n, m in modules.items()}
    seen |= {"steps": looks[0].steps, "value_steps": looks[-1].steps}
    seen["looked"] = {name: watch.steps for name, watch in rows.items()}
    return seen | {"optimizers": {"optimizer": spy.report()}, "samples": samples.rows}


LANGUAGE_ROOM = 45 << 20  # bytes of kept gradients, within what a reply may hold


class SampleSpy:
    """Writes down each batch that the language's sampler gives."""

    def __init__(self, language, modules, now):
        self.rows, self._modules, self._now = [], modules, now
        self._sample = language.sample
        language.sample = unbound(self.sample)

    def sample(self, policy, *args, **kwargs):
        tokens = self._sample(policy, *args, **kwargs)
        source = next((name for name, m in self._modules.items() if m is policy), "other")
        kept = np.array(tokens.detach().cpu().numpy(), dtype=np.int16)
        self.rows.append({"tokens": kept, "source": source, "steps": self._now()})
        return tokens


class SentenceWatch:
    """Notes, for each step of the optimiser, the sentences whose gradient reached a module's
    output: the number of the first such row among all that were sampled since the step before,
    counted from the first sample on; -1 where none was. A sentence may lack its last token.

    steps: one array of numbers for each step
    """

    def __init__(self, module, optimizer, samples):
        self.steps, self._now, self._samples = [], [], samples
        self._number, self._known, self._first, self._since = {}, 0, 0, -1
        WatchedForward(module, self._seen)
        optimizer.register_step_pre_hook(self._cut)

    def _seen(self, output, shown):
        if output.requires_grad:
            output.register_hook(lambda gradient: self._keep(shown, gradient))

    def _keep(self, shown, gradient):
        shown = np.asarray(shown, dtype=np.int16)
        reached = gradient.detach().numpy().reshape(len(shown), -1).any(axis=1)
        self._learn()
        found = [self._number.get(row.tobytes(), -1) for row in shown[reached]]
        found = np.array(found, dtype=np.int32)
        # The same minibatch shown twice is one minibatch.
        if len(found) == 1 or not any(np.array_equal(found, one) for one in self._now):
            self._now.append(found)

    def _learn(self):
        for batch in self._samples.rows[self._known :]:
            if batch["steps"] != self._since:
                self._number, self._since = {}, batch["steps"]
            for row in batch["tokens"]:
                for part in (row, row[:-1]):
                    self._number.setdefault(part.tobytes(), self._first)
                self._first += 1
        self._known = len(self._samples.rows)

    def _cut(self, *_):
        self.steps.append(np.concatenate([np.zeros(0, np.int32), *self._now]))
        self._now = []


class OutputWatch:
    """For the first optimiser steps: what a module was shown and the gradient at its output.

    steps: for each a list of passes, each with tokens (B, L), output and grad, both (B, L, V) for
    a policy and (B, L) for a critic; grad is that of what goes down. turned: whether it was one of
    what goes up, before a step.
    """

    def __init__(self, module, optimizer, count, turned):
        self.steps, self._passes, self._left, self._turned = [], [], count, turned
        if count:
            module.register_forward_hook(self._see, with_kwargs=True)
            optimizer.register_step_pre_hook(self._cut)

    def _see(self, module, args, kwargs, output):
        if not self._left or not output.requires_grad:
            return
        (shown,) = [*args, *kwargs.values()]
        row = {"tokens": np.array(shown), "output": output.detach().numpy().copy()}
        output.register_hook(lambda gradient: self._keep(row, gradient))

    def _keep(self, row, gradient):
        self._passes.append({**row, "grad": gradient.detach().numpy().copy()})

    def _cut(self, *_):
        if self._left:
            if self._turned():
                self._passes = [{**row, "grad": -row["grad"]} for row in self._passes]
            self.steps.append(self._passes)
            self._passes, self._left = [], self._left - 1


@stand_in("completion_mask")
class AskedMask(Oracle):
    """The grader's mask, as truth values on the tokens' device."""

    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs).bool()
