"""The optimiser's replay agrees with torch's own, and finds what each gradient counted."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grader.checking import Case, RuleExercise, remembering
from grader.checks.shared import replay
from grader.probes.ppo import LinearDecay
from grader.probes.spies import OptimizerSpy
from grader.probes.train import Module, Optimizer, build

POLICY = Module("TabularPolicy", {"num_states": 3, "num_actions": 2}, {"theta": np.ones((3, 2))})
CRITIC = Module("TabularCritic", {"num_states": 3}, {"table": np.arange(3.0)})
WAYS = {
    "adam": Optimizer("Adam", ["policy", "critic"], {"lr": 0.1}),
    "sgd": Optimizer("SGD", ["policy", "critic"], {"lr": 0.3}),
    "fading": LinearDecay("Adam", ["policy", "critic"], {"lr": 0.1}, 12),
}


def run(record, steps=15, rests=()):
    """(case, report, modules) of so many steps on random gradients; rests: steps at which the
    critic has none."""
    inputs = {"policy": POLICY, "critic": CRITIC, "optimizer": record}
    made, rng = build(inputs), np.random.default_rng(0)
    modules = {name: made[name] for name in ("policy", "critic")}
    spy = OptimizerSpy(made["optimizer"], modules)
    for step in range(steps):
        for name, module in modules.items():
            for p in module.parameters():
                p.grad = torch.as_tensor(rng.normal(size=p.shape), dtype=p.dtype)
                if name == "critic" and step in rests:
                    p.grad = None
        made["optimizer"].step()
    return SimpleNamespace(inputs=inputs), {"optimizers": {"optimizer": spy.report()}}, modules


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rests", [(), (0, 3, 4)])
def test_the_replay_ends_where_torch_ends(way, rests):
    case, seen, modules = run(WAYS[way], rests=rests)
    for name, module in modules.items():
        path = replay.follow(case, seen, name)
        for key, parameter in module.named_parameters():
            np.testing.assert_allclose(path.end[key], parameter.detach(), atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_effects_add_up_to_the_way(way):
    case, seen, _modules = run(WAYS[way], rests=(2, 9))
    for name in ("policy", "critic"):
        path = replay.follow(case, seen, name)
        whole = path.moments[-1] - path.moments[0]
        np.testing.assert_allclose(path.effects.sum(0), whole, atol=1e-5)
        assert path.shares.sum() == pytest.approx(1)


def test_weights_put_there_are_told_and_weights_of_the_steps_are_not():
    case, seen, modules = run(WAYS["adam"])
    path = replay.follow(case, seen, "policy")
    honest = {"theta": modules["policy"].theta.detach().numpy()}
    assert replay.moved_by_steps(path, honest) is None
    planted = {"theta": honest["theta"] + [[0.1, 0.0]] * 3}
    assert replay.moved_by_steps(path, planted).mistake == "moved-without-steps"


def test_a_few_huge_gradients_count_as_much_as_they_move():
    """Steps before them are honest by number; by what they moved they are a tenth."""
    rng, right = np.random.default_rng(0), np.ones(6)
    grads = np.outer(np.ones(40), right) + 0.1 * rng.normal(size=(40, 6))
    grads[5:8] = -100.0
    log = {
        "steps": 40,
        "grads": {"policy": {"theta": grads.reshape(40, 3, 2)}},
        "absent": {"policy": {"theta": np.zeros(40, bool)}},
    }
    case = SimpleNamespace(inputs={"policy": POLICY, "optimizer": WAYS["adam"]})
    path = replay.follow(case, {"optimizers": {"optimizer": log}}, "policy")
    cosines = [replay.cosine(g, right) for g in grads]
    assert np.mean(cosines) > 0.8
    assert replay.led_by(path.shares, cosines) < 0.2


def test_a_baselines_part_is_right_alone_only_where_all_returns_are_equal():
    """Whitened, equal returns leave rounding errors of either sign in front of the scores."""
    scores = np.array([1.0, -2.0, 0.5, 1.5])
    form, free = 3.0 * scores, scores
    assert replay.cosine_beside(-0.2 * scores, form, free) == pytest.approx(1)
    form = np.array([2.0, 1.0, -1.0, 0.5])
    assert replay.cosine_beside(form - 7 * free, form, free) == pytest.approx(1)
    assert replay.cosine_beside(-form, form, free) == pytest.approx(-1)


def test_what_a_verdict_worked_out_is_let_go_with_it():
    """A long training leaves a hundred megabytes of paths in whichever process judges it."""
    seen = []

    @remembering.remembered
    def rule(case, one):
        seen.append(one)
        return None

    exercise = RuleExercise("any", "train", None, rules=(rule, rule))
    case, report = Case({}, shown="any()"), {"value": np.zeros(3)}
    assert exercise.judge([case], [report]).passed
    assert len(seen) == 1
    gone = weakref.ref(report["value"])
    seen.clear()
    del report
    assert gone() is None
