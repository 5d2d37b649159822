"""The probe of ``rollout``: plays episodes with the student's function while a spy watches."""

import numpy as np

from .inputs import materialize
from .observe import observe
from .runtime import Oracle, attempt, probe, stand_in
from .spies import EnvSpy
from .wire import name_of


@probe("rollout")
def rollout(function, cases):
    """One report per case (inputs: env, theta, rng, episodes): results, the observed value of each
    call, or in its place trajectories, where each call returned one, as columns: the ``FIELDS`` of
    all of them one after another, and their lengths; played, the spy's log of all calls; raised,
    the observed error of the call that ended the case early; changed, the names of inputs that were
    changed."""
    return [_play(function, case["inputs"]) for case in cases]


def _play(function, given):
    env, theta, rng = (materialize(given[name]) for name in ("env", "theta", "rng"))
    spy, before, results = EnvSpy(env), theta.copy(), []
    seen = {}
    for _episode in range(given["episodes"]):
        result, error = attempt(function, env, theta, rng)
        if error:
            seen["raised"] = error
            break
        results.append(_copied(result) or observe(result))
    seen |= _reported(results) | {"played": spy.report()}
    return seen | {"changed": [] if np.array_equal(before, theta) else ["theta"]}


FIELDS = "states", "actions", "rewards"


def _copied(result):
    """The FIELDS of a pg.Trajectory of numbers, as they are now; None for anything else."""
    import policy_gradients as pg

    if type(result) is not pg.Trajectory:
        return None
    parts = [getattr(result, name, None) for name in FIELDS]
    if not all(type(p) is np.ndarray and p.ndim == 1 and name_of(p.dtype) for p in parts):
        return None
    return tuple(p.copy() for p in parts) if len({*map(len, parts)}) == 1 else None


def _reported(results):
    """A tree of its own for each of hundreds of episodes would take longer than to play them."""
    if results and all(type(one) is tuple for one in results):
        columns = dict(zip(FIELDS, map(np.concatenate, zip(*results, strict=True)), strict=True))
        return {"trajectories": columns | {"lengths": np.array([len(one[0]) for one in results])}}
    return {"results": [_observed(one) if type(one) is tuple else one for one in results]}


def _observed(parts):
    fields = {name: observe(part) for name, part in zip(FIELDS, parts, strict=True)}
    return {"kind": "record", "type": "Trajectory", "fields": fields}


@stand_in("rollout")
class AskedRollout(Oracle):
    """Plays with actions that the grader draws. One question an episode: for each of the next
    steps and each state, the action to take there."""

    def __call__(self, env, theta, rng):
        import policy_gradients as pg

        theta = np.asarray(theta.detach() if hasattr(theta, "detach") else theta, float)
        steps, plan, over = [], iter(()), False
        obs, _info = env.reset()
        while not over:
            row = next(plan, None)
            if row is None:
                question = {"name": self.name, "args": [theta, int(rng.integers(2**62))]}
                plan = iter(self.ask({**question, "kwargs": {}})["value"])
                continue
            action = int(row[obs])
            following, reward, terminated, truncated, _info = env.step(action)
            steps.append((obs, action, reward))
            obs, over = following, terminated or truncated
        return pg.Trajectory(*zip(*steps, strict=True))
