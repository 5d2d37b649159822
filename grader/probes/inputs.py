"""What a case hands to the student's function, as plain records that can travel.

A case is written once, in the grader; ``materialize`` makes the real thing beside the student.
"""

from dataclasses import dataclass, field

import numpy as np

from .wire import record


@record
@dataclass(frozen=True)
class Tensor:
    """A torch tensor of the array's dtype; ``grad`` asks for its gradient after the call."""

    array: np.ndarray
    grad: bool = False

    def materialize(self):
        import torch

        return torch.tensor(self.array, requires_grad=self.grad)


@record
@dataclass(frozen=True)
class Rng:
    """``numpy.random.default_rng(seed)``."""

    seed: int

    def materialize(self):
        return np.random.default_rng(self.seed)


@record
@dataclass(frozen=True)
class Env:
    """An environment of the helper package: class name in ``pg.envs`` and its keyword arguments."""

    name: str
    kwargs: dict = field(default_factory=dict)

    def materialize(self):
        import policy_gradients as pg

        return getattr(pg.envs, self.name)(**materialize(self.kwargs))


@record
@dataclass(frozen=True)
class Trajectory:
    """A ``pg.Trajectory`` of three arrays, each (T,)."""

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray

    def materialize(self):
        import policy_gradients as pg

        return pg.Trajectory(self.states.copy(), self.actions.copy(), self.rewards.copy())


@record
@dataclass(frozen=True)
class View:
    """The same numbers in another guise: ``read_only``, ``strided``, ``reversed`` strides or a
    ``list``. torch reads no array of reversed strides, so where torch may be used inside, a
    ``strided`` one, whose rows lie apart, shows as well that results don't lean on the layout."""

    array: np.ndarray
    guise: str

    def materialize(self):
        if self.guise == "list":
            return self.array.tolist()
        if self.guise == "strided":
            return np.repeat(self.array, 2, axis=0)[::2]
        if self.guise == "reversed":
            return self.array[::-1].copy()[::-1]
        array = self.array.copy()
        array.flags.writeable = False
        return array


def materialize(value):
    """The real thing behind a record, through lists and dicts; arrays are copied."""
    if hasattr(value, "materialize"):
        return value.materialize()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return [materialize(item) for item in value]
    if isinstance(value, dict):
        return {key: materialize(item) for key, item in value.items()}
    return value
