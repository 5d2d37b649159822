"""The formula with one step changed, differentiated: which change makes of it the gradients that
came, where the values are right."""

import contextlib

import numpy as np

from grader.checking.case import Expected
from grader.checking.compare import close
from grader.checking.formulas.changes import changes_of
from grader.checking.relations.changed import formulas_of, telling
from grader.checking.relations.evidence import Relation, plain_inputs
from grader.i18n import _
from grader.probes.inputs import Tensor

DERIVATIVES = 250  # that are taken at most, in each form of the formula


def changed_gradient(exercise, cases, seen, expected) -> Relation | None:
    """The likeliest change of one step whose gradients came in every case."""
    rows = [
        _Row(exercise, case, one)
        for case, one, truth in zip(cases, seen, expected)
        if isinstance(truth, Expected) and truth.gradients and "error" not in one
    ]
    if not rows or any("error" in row.found for row in rows):
        return None
    for formula in formulas_of(exercise):
        with contextlib.suppress(Exception):  # a formula that can't be differentiated
            if found := _sought(formula, rows):
                return found
    return None


class _Row:
    """One call: its tensors, its value and the gradients that came."""

    def __init__(self, exercise, case, one):
        self.inputs, self.case = plain_inputs(exercise, case), case
        self.found, self.value = one.get("gradients", {}), one["value"]["array"]
        self.names = [n for n, given in case.inputs.items() if getattr(given, "grad", False)]

    def tensors(self, arguments):
        import torch

        given = self.inputs | {
            name: torch.tensor(one.array.astype(float), requires_grad=one.grad)
            if one.array.dtype.kind == "f"
            else torch.tensor(one.array)
            for name, one in self.case.inputs.items()
            if isinstance(one, Tensor)
        }
        return {name: given[name] for name in arguments if name in given}

    def gradients(self, result, inputs):
        """Input name -> gradient, zeros where none flows."""
        import torch

        if not result.requires_grad:
            return {name: np.zeros(inputs[name].shape) for name in self.names}
        weights = self.case.upstream
        scalar = result if weights is None else (result * torch.as_tensor(weights)).sum()
        wanted = [inputs[name] for name in self.names]
        made = torch.autograd.grad(scalar, wanted, retain_graph=True, allow_unused=True)
        pairs = zip(self.names, made)
        return {n: np.zeros(inputs[n].shape) if g is None else g.numpy() for n, g in pairs}

    def right(self, gradients):
        """Whether these are the gradients that came."""
        for name, made in gradients.items():
            found = self.found.get(name, "none")
            found = np.zeros(made.shape) if isinstance(found, str) else found
            if found.shape != made.shape or not np.allclose(found, made, 1e-4, 1e-6):
                return False
        return True


def _sought(formula, rows):
    inputs = {id(row): row.tensors(formula.arguments) for row in rows}
    base = {id(row): formula(inputs[id(row)]) for row in rows}
    values = [row for row in rows if _same_value(base[id(row)], row)]
    wrong = [row for row in rows if not row.right(row.gradients(base[id(row)], inputs[id(row)]))]
    first = max(wrong, key=telling)
    watched = formula.watch(inputs[id(first)])
    left = DERIVATIVES
    for change in (one for some in changes_of(watched) for one in some):
        pairs = change.pairs
        with contextlib.suppress(Exception):  # a change that this call doesn't allow
            result = watched.changed(pairs)
            if len(values) == len(rows) and not _same_value(result, first):
                continue
            left -= 1
            near = first.right(first.gradients(result, inputs[id(first)]))
            if near and _explains(formula, pairs, rows, inputs, len(values) == len(rows)):
                hint = _("The gradient is that of a loss where {one}.").format(one=change.words())
                return Relation(change.name, hint)
        if left < 0:
            return None
    return None


def _explains(formula, pairs, rows, inputs, valued):
    for row in rows:
        result = formula(inputs[id(row)], pairs)
        if valued and not _same_value(result, row):
            return False
        if not row.right(row.gradients(result, inputs[id(row)])):
            return False
    return True


def _same_value(result, row):
    made = result.detach().numpy()
    return made.shape == row.value.shape and bool(close(made, row.value).all())
