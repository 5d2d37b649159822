"""Spies on what a training function is handed: the environment and the optimiser.

They change nothing that the student's code can see: the object's own methods are wrapped, and
what passes through them is written down. What they saw is plain data.

A function that looks for them finds them: Python hides nothing in one process. So what they say is
a claim, and the verdict works out elsewhere what can be worked out (``checks/shared/replay.py``).
"""

import types

import numpy as np

PLAIN = {int, float, bool, np.int64, np.float64, np.bool_, np.float32}  # never change
COLUMNS = ("obs", "actions", "rewards", "terminated", "truncated", "update")


class EnvSpy:
    """Writes down every reset and step of an environment (single or vectorised).

    now: a function that says how many optimiser steps there were, so that each step of the
    environment is known to its update. obs: what an environment that is under way already shows.
    """

    def __init__(self, env, now=lambda: 0, obs=None):
        self._now = now
        self._rows = []
        self._seeds, self._starts, self._late = [], [], []
        self._obs, self._over = None if obs is None else as_now(obs), ""
        self._reset, self._step = env.reset, env.step
        env.reset, env.step = unbound(self.reset), unbound(self.step)

    def reset(self, *args, **kwargs):
        seed = args[0] if args else kwargs.get("seed")
        result = self._reset(*args, **kwargs)
        self._seeds.append(int(seed) if isinstance(seed, (int, np.integer)) else None)
        self._starts.append(len(self._rows))
        self._obs, self._over = as_now(result[0]), ""
        return result

    def step(self, action):
        if self._over:
            self._late.append(self._over)
        result = self._step(action)
        after, *others = map(as_now, result[:4])
        self._rows.append((self._obs, as_now(action), *others, self._now()))
        self._obs = after
        _reward, terminated, truncated = others
        if type(terminated) in PLAIN or np.ndim(terminated) == 0:
            self._over = "terminated" if terminated else "truncated" if truncated else ""
        return result

    def observations(self, since: int = 0) -> list:
        """What each step from this one on began from."""
        return [row[0] for row in self._rows[since:]]

    def report(self) -> dict:
        """obs, actions, rewards, terminated, truncated, update: one row a step, in order of play;
        starts: the row at which each reset came, seeds: what it was seeded with (None: nothing);
        late: for each step after an episode's end, how that had ended."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(COLUMNS)
        kept = {name: np.array(list(rows)) for name, rows in zip(COLUMNS, columns, strict=True)}
        kept["update"] = kept["update"].astype(np.int64)
        return kept | {"starts": self._starts, "seeds": self._seeds, "late": self._late}


def as_now(value):
    """The value as it is now, whatever becomes of an array later."""
    return value if type(value) in PLAIN else np.array(value)


class OptimizerSpy:
    """Counts an optimiser's steps and keeps the gradients that each of them used.

    modules: name -> module, whose gradients are kept, up to ``room`` bytes in all (ROOM).
    """

    ROOM = 20 << 20

    def __init__(self, optimizer, modules, room=None):
        self.steps = self.leftover = self.empty = 0
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._fresh, self._left = {}, {}
        for parameter in self._parameters:
            parameter.register_hook(lambda g, p=parameter: self._see(p, g))
        self._traced = {
            (name, key): p for name, m in modules.items() for key, p in m.named_parameters()
        }
        self._grads = {key: [] for key in self._traced}
        self._absent = {key: [] for key in self._traced}
        self._room = (room or self.ROOM) // max(
            1, 4 * sum(p.numel() for p in self._traced.values())
        )
        self._step = optimizer.step
        optimizer.step = unbound(self.step)

    def _see(self, parameter, gradient):
        """A backward pass reaches a parameter: was there a gradient of the step before?"""
        key, kept = id(parameter), parameter.grad
        if key not in self._fresh:
            self._fresh[key] = gradient.detach().clone()
            self._left[key] = kept if kept is not None and kept.any() else None
        else:
            self._fresh[key] += gradient.detach()

    def step(self, closure=None):
        import torch

        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._write_down()
        self._step()
        self._fresh, self._left = {}, {}
        return loss

    def _write_down(self):
        self.steps += 1
        self.leftover += any(map(self._is_leftover, self._parameters))
        self.empty += all(p.grad is None or not p.grad.any() for p in self._parameters)
        if self.steps > self._room:
            return
        for key, parameter in self._traced.items():
            seen = parameter.grad
            kept = np.zeros(tuple(parameter.shape), np.float32)
            self._grads[key].append(kept if seen is None else seen.detach().numpy().copy())
            self._absent[key].append(seen is None)

    def turned(self) -> bool:
        """Whether the next step is handed the opposite of what backward passes brought: whoever
        differentiates the objective turns its gradient round for an optimiser that descends."""
        along = 0.0
        for p in self._parameters:
            fresh = self._fresh.get(id(p))
            if fresh is not None and p.grad is not None:
                along += float((p.grad * fresh).sum())
        return along < 0

    def _is_leftover(self, parameter):
        """The gradient used is the old one with the new one added in place."""
        import torch

        left = self._left.get(id(parameter))
        if left is None or parameter.grad is None or parameter.grad.data_ptr() != left.data_ptr():
            return False
        return not torch.allclose(parameter.grad, self._fresh[id(parameter)], rtol=1e-4)

    def report(self) -> dict:
        """steps; leftover: how many of them used a gradient that held an older one as well; empty:
        how many found no gradient; module -> parameter -> grads (steps, ...), 0 where there was
        none, and absent (steps,), whether there was none."""
        found = {"steps": self.steps, "leftover": self.leftover, "empty": self.empty}
        for kind, traces in (("grads", self._grads), ("absent", self._absent)):
            found[kind] = {}
            for (name, key), rows in traces.items():
                found[kind].setdefault(name, {})[key] = np.array(rows)
        return found


class WatchedForward:
    """A network's forward, whoever calls it, by a function that sees output and argument.

    A copy of the network (an old policy, a target) gets its own forward, which nobody watches.
    """

    def __init__(self, module, see):
        self._module, self._forward, self._see = module, module.forward, see
        module.forward = self

    def __call__(self, *args, **kwargs):
        output = self._forward(*args, **kwargs)
        self._see(output, [*args, *kwargs.values()][0])
        return output

    def __deepcopy__(self, memo):
        return types.MethodType(type(self._module).forward, memo[id(self._module)])


def unbound(method):
    """The same as a plain function, which doesn't name the object behind it."""
    return lambda *args, **kwargs: method(*args, **kwargs)


def weights(module) -> dict:
    """parameter name -> array, copied."""
    return {name: p.detach().numpy().copy() for name, p in module.named_parameters()}
