"""The optimiser replayed: which weights the reported gradients really lead to, and who led them.

What comes from the student's process is a claim. The first weights are the case's own, the
optimiser is the one that the case hands out, and from the gradients claimed at each of its steps
follow the weights at every moment. Weights that were put there by anything else don't appear.
"""

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grader.checking import Problem, _, behaviour
from grader.checking.remembering import remembered
from grader.probes.train import Module

# Single precision, over hundreds of steps; a policy of other weights by so little is no other one.
APART = 2e-3


@dataclass(frozen=True)
class Path:
    """The way of one module's weights, T steps long, P numbers in one row.

    shapes: parameter name -> shape, in the order of the row
    grads: (T, P), what each step was handed
    moments: (T + 1, P), the weights before each step and after the last one
    effects: (T, P), the part of the whole way, end minus start, that each gradient brought about
    """

    shapes: dict
    grads: np.ndarray
    moments: np.ndarray
    effects: np.ndarray

    def weights(self, moment) -> dict:
        """parameter name -> array before this step."""
        return self.named(self.moments[moment])

    def named(self, rows) -> dict:
        """Rows (..., P) by parameter names."""
        found, at = {}, 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape))
            found[name] = rows[..., at : at + size].reshape(*rows.shape[:-1], *shape)
            at += size
        return found

    @property
    def end(self) -> dict:
        return self.weights(-1)

    @cached_property
    def shares(self) -> np.ndarray:
        """(T,): how much each step's gradient counted, adding up to 1; 0 where nothing moved."""
        sizes = np.array([np.linalg.norm(row.astype(float)) for row in self.effects])
        return sizes / max(sizes.sum(), 1e-300)


def drawn(path, count) -> np.ndarray:
    """(count,): steps to be looked at closely, each drawn as often as its gradient counted, so that
    the mean over them stands for the whole way. The draw hangs on all gradients that were claimed:
    nobody knows it before."""
    seed = zlib.crc32(np.ascontiguousarray(path.grads).tobytes())
    if not path.shares.any():
        return np.zeros(0, int)
    return np.random.default_rng(seed).choice(len(path.grads), count, p=path.shares)


def started(name, kwargs, seed, given=None) -> Module:
    """A network whose first weights are drawn here, and so are known to the verdict. given: those
    that are not drawn, parameter name -> array."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = Module(name, kwargs).materialize()
    drawn = {key: p.detach().numpy().copy() for key, p in module.named_parameters()}
    return Module(name, kwargs, drawn | (given or {}))


def follow(case, seen, module, optimizer="optimizer") -> Path:
    """The path of the input called ``module`` under the case's optimiser.

    seen: a report whose optimizers hold grads and absent. ValueError where it doesn't fit the case.
    """
    start, record = case.inputs[module].weights, case.inputs[optimizer]
    log = seen["optimizers"][optimizer]
    return _followed(start, record, log, log["grads"][module], log["absent"][module])


@remembered
def _followed(start, record, log, claimed, absent) -> Path:
    steps = int(log["steps"])
    shapes = {name: np.shape(array) for name, array in start.items()}
    grads = {name: np.asarray(claimed[name], np.float32) for name in shapes}
    if any(grads[name].shape != (steps, *shape) for name, shape in shapes.items()):
        raise ValueError("gradients of another shape")
    rests = np.stack([np.asarray(absent[name], bool) for name in shapes], axis=1)
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    rows = np.concatenate([grads[name].reshape(steps, -1) for name in shapes], axis=1)
    flat = np.concatenate([np.ravel(array) for array in start.values()]).astype(np.float64)
    run = {"SGD": _plain, "Adam": _adam}[record.name]
    moments, effects = run(flat, rows, np.repeat(~rests, sizes, axis=1), rates(record, steps))
    return Path(shapes, rows, moments, effects)


def rates(record, steps) -> np.ndarray:
    """(T,): the learning rate of each step, as the case's optimiser sets it."""
    start, fading = record.kwargs["lr"], getattr(record, "steps", None)
    if fading is None:
        return np.full(steps, start)
    return start * np.maximum(0.05, 1 - np.arange(steps) / fading)


def _plain(weights, grads, on, rate):
    """Plain gradient descent: (moments, effects)."""
    effects = -rate[:, None] * grads
    return np.cumsum(np.concatenate([weights[None], effects]), axis=0), effects


BETAS, EPSILON = (0.9, 0.999), 1e-8


def _adam(weights, grads, on, rate):
    """Adam (Kingma & Ba 2015), as torch has it, where a parameter without gradient rests.

    Given the second moments as they came out, the way is a sum over the gradients: what each of
    them counts is found from the last step backwards.
    """
    one, two = BETAS
    weights, first, second = weights.copy(), np.zeros(len(weights)), np.zeros(len(weights))
    faded, faded_twice = np.ones(len(weights)), np.ones(len(weights))  # powers of both betas
    lengths = np.zeros(grads.shape, np.float32)
    moments = np.empty((len(grads) + 1, len(weights)), np.float32)
    for step, gradient in enumerate(grads):
        moments[step] = weights
        here = slice(None) if on[step].all() else on[step]
        g = gradient[here].astype(np.float64)
        faded[here] *= one
        faded_twice[here] *= two
        first[here] = one * first[here] + (1 - one) * g
        second[here] = two * second[here] + (1 - two) * g * g
        spread = np.sqrt(second[here] / (1 - faded_twice[here])) + EPSILON
        length = rate[step] / (1 - faded[here]) / spread
        weights[here] -= length * first[here]
        lengths[step, here] = length
    moments[-1] = weights
    later, effects = np.zeros(len(weights)), np.empty(grads.shape, np.float32)
    for step in reversed(range(len(grads))):
        later = np.where(on[step], lengths[step] + one * later, later)
        effects[step] = -(1 - one) * later * grads[step] * on[step]
    return moments, effects


def moved_by_steps(path, reported) -> Problem | None:
    """Whether the weights that came back are those which the steps lead to.

    reported: parameter name -> array, at the end.
    """
    for name, wanted in path.end.items():
        found = np.asarray(reported[name], float)
        if found.shape != wanted.shape:
            raise ValueError("weights of another shape")
        room = APART * (1 + np.abs(wanted))
        if not (np.abs(found - wanted) <= room)[np.isfinite(wanted)].all():
            return behaviour(
                _("weights moved by the optimizer's steps alone"),
                _("weights that its steps, from the gradients they were handed, don't lead to"),
                _(
                    "Nothing but optimizer.step() may change the weights, and its learning rate "
                    "stays as it came."
                ),
                "moved-without-steps",
            )
    return None


def cosine(one, other) -> float:
    """Between two arrays of one shape; 0 where one of them is 0."""
    one, other = np.ravel(one).astype(float), np.ravel(other).astype(float)
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-300))


ALIKE = 1 - 1e-9  # from this cosine on two directions are one


def cosine_beside(used, form, free) -> float:
    """The largest cosine between ``used`` and form + c * free, for any c."""
    if abs(cosine(form, free)) > ALIKE:
        # Equal returns: nothing is left but a baseline's part, of either sign.
        return abs(cosine(used, free))
    both = np.stack([np.ravel(form), np.ravel(free)], axis=1).astype(float)
    used = np.ravel(used).astype(float)
    share = np.linalg.lstsq(both, used, rcond=None)[0]
    return cosine(used, both @ share) if share[0] > 0 else cosine(used, form)


def led_by(shares, cosines) -> float:
    """Mean of the steps' cosines with the right direction, each weighted by what it counted."""
    return float(np.dot(shares, cosines))


def best_way(steps, ways, measure) -> float:
    """Mean cosine over steps with the way, among several right ones, that fits best.

    measure: (step, numbers of ways) -> their cosines. To measure takes long: where one way is exact
    throughout, the others aren't tried, and a way that falls behind is looked at no more.
    """

    def of(way, some):
        return [measure(step, [way])[0] for step in some]

    first = next((way for way in range(ways) if min(of(way, steps[:1]), default=0) >= EXACT), None)
    if first is not None and (mean := np.mean(of(first, steps))) >= EXACT:
        return float(mean)
    left, sums = list(range(ways)), np.zeros(ways)
    for count, step in enumerate(steps, 1):
        sums[left] += measure(step, left)
        if count >= PATIENT:
            left = [way for way in left if sums[way] >= sums[left].max() - BEHIND]
    return float(sums[left].max()) / max(len(steps), 1)


PATIENT, BEHIND = 3, 0.1  # steps before a way is dropped, and by how much it lies behind in all
EXACT = 0.999  # a cosine where nothing but rounding is apart


def best_led(path, cosines) -> float:
    """The same for the right direction that fits best. cosines: one row a step, one column for
    each direction that is right."""
    if len(cosines) != len(path.grads):
        raise ValueError("steps without a batch")
    return max(led_by(path.shares, column) for column in zip(*cosines, strict=True))


def first_led(path, columns, enough) -> float:
    """Mean cosine with the first right direction that reaches ``enough``, or with the one that fits
    best. columns: for each direction its cosines at all steps, computed as they are asked for."""
    best = -1.0
    for column in columns:
        best = max(best, led_by(path.shares, column))
        if best >= enough:
            break
    return best


def elsewhere(expected, hint) -> Problem:
    """Weights that reached the mark, but not by the gradients of their own batches."""
    got = _("gradients that point elsewhere")
    return Problem(
        step="gradient", expected=expected, got=got, hint=hint, mistake="gradients-elsewhere"
    )


class Networks:
    """The networks of these names, at any moment of their paths."""

    def __init__(self, names, case, seen):
        self.paths = {name: follow(case, seen, name) for name in names}
        self.nets = {name: case.inputs[name].materialize() for name in names}

    def at(self, name, moment):
        import torch  # tables of numbers are judged without it

        weights, net = self.paths[name].weights(moment), self.nets[name]
        with torch.no_grad():
            for key, parameter in net.named_parameters():
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(weights[key])))
        return net
