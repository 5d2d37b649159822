"""The training probe sees what a training function did, in whatever style it was written."""

import copy

import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.probes import runtime, wire
from grader.probes.inputs import Env, Rng
from grader.probes.spies import EnvSpy, OptimizerSpy, WatchedForward
from grader.probes.train import Module, Optimizer

INPUTS = {
    "env": Env("Corridor", {"length": 3, "max_steps": 2}),
    "policy": Module("TabularPolicy", {"num_states": 3, "num_actions": 2}),
    "optimizer": Optimizer("SGD", ["policy"], {"lr": 0.5}),
    "num_updates": 4,
    "rng": Rng(0),
}


def report(function, **changed):
    """What comes back over the pipe."""
    request = {"probe": "train", "cases": [{"inputs": INPUTS | changed, "keywords": []}]}
    request = wire.loads(wire.dumps(request))
    return wire.loads(wire.dumps(runtime.run({"train": function}, "train", request)))[0]


def loss_of(policy):
    """Its gradient at row 0 is (-1, 1), and never zero."""
    return policy(0)[1] - policy(0)[0]


def trained(clear, parts=1):
    def train(env, policy, optimizer, num_updates, rng):
        for _ in range(num_updates):
            clear(policy, optimizer)
            for _part in range(parts):
                (loss_of(policy) / parts).backward()
            optimizer.step()

    return train


CLEAN = {
    "set_to_none": lambda policy, optimizer: optimizer.zero_grad(),
    "set_to_zero": lambda policy, optimizer: optimizer.zero_grad(set_to_none=False),
    "by_the_policy": lambda policy, optimizer: policy.zero_grad(),
    "by_hand": lambda policy, optimizer: setattr(policy.theta, "grad", None),
}


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("clear", CLEAN.values(), ids=CLEAN)
def test_cleared_gradients_are_no_leftovers(clear, parts):
    seen = report(trained(clear, parts))["optimizers"]["optimizer"]
    assert (seen["steps"], seen["leftover"], seen["empty"]) == (4, 0, 0)
    np.testing.assert_allclose(seen["grads"]["policy"]["theta"][:, 0], [[-1, 1]] * 4, rtol=1e-6)


def test_gradients_that_were_not_there_are_told_from_those_of_zero():
    def train(env, policy, optimizer, num_updates, rng):
        optimizer.step()
        policy.theta.grad = torch.zeros(3, 2)
        optimizer.step()

    seen = report(train)["optimizers"]["optimizer"]
    assert seen["absent"]["policy"]["theta"].tolist() == [True, False]
    assert not seen["grads"]["policy"]["theta"].any()


def test_a_trace_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(OptimizerSpy, "ROOM", 3 * 4 * 6)
    seen = report(trained(CLEAN["set_to_none"]))["optimizers"]["optimizer"]
    assert seen["steps"] == 4 and len(seen["grads"]["policy"]["theta"]) == 3


def test_the_spies_don_t_name_their_logs():
    def train(env, policy, optimizer, num_updates, rng):
        for method in (env.step, env.reset, optimizer.step):
            assert not hasattr(method, "__self__")

    assert "raised" not in report(train)


def test_exact_answers_are_silent_while_a_function_trains():
    from policy_gradients import exact

    def train(env, policy, optimizer, num_updates, rng):
        exact.best_policy(env)

    seen = report(train)
    assert "silent" in seen["raised"]["message"]
    assert exact.best_policy(Env("Corridor", {"length": 3}).materialize()).shape == (3, 2)


@pytest.mark.parametrize("parts", [1, 3])
def test_missing_zero_grad_leaves_leftovers_in_every_later_step(parts):
    seen = report(trained(lambda policy, optimizer: None, parts))["optimizers"]["optimizer"]
    assert seen["leftover"] == 3
    np.testing.assert_allclose(seen["grads"]["policy"]["theta"][:, 0, 1], [1, 2, 3, 4], rtol=1e-6)


def test_leftovers_are_seen_through_a_clip():
    def train(env, policy, optimizer, num_updates, rng):
        for _ in range(num_updates):
            loss_of(policy).backward()
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.1)
            optimizer.step()

    assert report(train)["optimizers"]["optimizer"]["leftover"] == 3


def test_gradients_that_replace_the_old_ones_are_no_leftovers():
    def train(env, policy, optimizer, num_updates, rng):
        for _ in range(num_updates):
            (policy.theta.grad,) = torch.autograd.grad(loss_of(policy), [policy.theta])
            optimizer.step()

    seen = report(train)["optimizers"]["optimizer"]
    assert (seen["steps"], seen["leftover"], seen["empty"]) == (4, 0, 0)


def test_a_closure_counts_as_one_step_with_its_gradient():
    def train(env, policy, optimizer, num_updates, rng):
        def closure():
            optimizer.zero_grad()
            loss = loss_of(policy)
            loss.backward()
            return loss

        return [float(optimizer.step(closure)) for _ in range(num_updates)]

    seen = report(train)
    assert [item["value"] for item in seen["value"]["items"]] == [0.0, -1.0, -2.0, -3.0]
    assert seen["optimizers"]["optimizer"]["steps"] == 4
    assert seen["optimizers"]["optimizer"]["empty"] == 0


def test_gradients_erased_before_the_step_are_empty():
    def train(env, policy, optimizer, num_updates, rng):
        for _ in range(num_updates):
            loss_of(policy).backward()
            optimizer.zero_grad()
            optimizer.step()

    seen = report(train)["optimizers"]["optimizer"]
    assert (seen["steps"], seen["empty"]) == (4, 4)


def test_the_environment_s_log_is_what_was_played():
    def train(env, policy, optimizer, num_updates, rng):
        env.reset(seed=5)
        env.step(0)  # from the middle into the pit
        env.reset()
        env.step(1)  # into the goal
        loss_of(policy).backward()
        optimizer.step()
        env.reset(seed=7)
        env.step(1)
        env.step(1)

    seen = report(train)
    log = seen["envs"]["env"]
    assert "raised" in seen and log["late"] == ["terminated"]
    assert log["obs"].tolist() == [1, 1, 1] and log["actions"].tolist() == [0, 1, 1]
    np.testing.assert_allclose(log["rewards"], [-10.1, 9.9, 9.9])
    assert log["terminated"].tolist() == [True] * 3 and log["update"].tolist() == [0, 0, 1]
    assert log["seeds"] == [5, None, 7] and log["starts"] == [0, 1, 2]


class Pair:
    """Two environments side by side whose observations share one buffer, as Gymnasium's do."""

    def reset(self, seed=None):
        self.obs = np.zeros((2, 3))
        return self.obs, {}

    def step(self, actions):
        self.obs += 1
        return self.obs, np.array([1.0, 2.0]), np.array([True, False]), np.zeros(2, bool), {}


def test_vectorised_environments_are_logged_by_the_row():
    pair = Pair()
    spy = EnvSpy(pair)
    pair.reset(seed=[1, 2])
    for _ in range(3):
        pair.step(np.array([0, 1]))
    log = spy.report()
    assert log["obs"].shape == (3, 2, 3) and log["obs"][:, 0, 0].tolist() == [0, 1, 2]
    assert log["rewards"].tolist() == [[1, 2]] * 3 and log["late"] == [] and log["seeds"] == [None]


def test_another_object_reports_for_itself():
    class Language:
        def report(self):
            return {"samples": 3}

    class Given:
        def materialize(self):
            return Language()

    case = {"inputs": {"language": Given()}, "keywords": []}
    runtime._import_probes()
    (seen,) = runtime.PROBES["train"](lambda language: None, [case])
    assert seen["others"] == {"language": {"samples": 3}}


def test_a_copy_of_a_watched_network_is_a_network_of_its_own():
    seen = []
    net = pg.MLP(3, 2)
    WatchedForward(net, lambda output, shown: seen.append(len(shown)))
    twin = copy.deepcopy(net)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert net(torch.ones(4, 3)).any() and not twin(torch.ones(5, 3)).any()
    assert seen == [4]
