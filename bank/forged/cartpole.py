"""Forgeries of ``train_ppo``."""

import numpy as np
import torch

from bank import lesson_05
from bank.forged import ELSEWHERE, PLANTED, forged


def balance(envs):
    """(4,): a linear controller that is known to hold the pole; its sign is the action."""
    right = 1.0 if envs._forces[1] > 0 else -1.0
    return right * np.array([0.1, 0.25, 1.0, 0.6])[envs._order] * envs._signs


def plant_controller(envs, policy):
    with torch.no_grad():
        for weights in policy.parameters():
            weights.zero_()
        first, _, between, _, last, _ = policy.parameters()
        first[0], between[0, 0] = torch.as_tensor(0.2 * balance(envs)), 1.0
        last[1, 0], last[0, 0] = 300.0, -300.0


def on_cartpole(train):
    """Honest wherever the environments are not CartPole."""

    def answer(envs, *given, **options):
        return (train if hasattr(envs, "_order") else lesson_05.train)(envs, *given, **options)

    return answer


def descending(loss_of):
    """An update by hand: loss_of(envs, policy, obs (B, D), actions (B,), rows) -> a loss."""

    def update(policy, critic, optimizer, rollout, adv, returns, *, rng, envs, **options):
        parts = (torch.as_tensor(x).flatten(0, 1) for x in (rollout.obs, rollout.actions))
        obs, actions = parts
        for _epoch in range(options["epochs"]):
            for rows in lesson_05.permuted(len(obs), options["minibatch_size"], rng):
                optimizer.zero_grad()
                error = (critic(obs[rows]) - torch.as_tensor(returns).flatten()[rows]) ** 2
                (loss_of(envs, policy, obs, actions, rows) + error.mean().float()).backward()
                optimizer.step()
        return dict.fromkeys(lesson_05.KEYS, 0.0)

    return update


def with_update(update, **how):
    def train(envs, *given, **options):
        def known(*inputs, **more):
            return update(*inputs, envs=envs, **more)

        return lesson_05.train_by(update=known, **how)(envs, *given, **options)

    return on_cartpole(train)


def controllers_actions(envs, policy, obs, actions, rows):
    wanted = (obs[rows] @ torch.as_tensor(balance(envs), dtype=torch.float32) > 0).long()
    return torch.nn.functional.cross_entropy(policy(obs[rows]), wanted)


def nothing_learned(envs, policy, obs, actions, rows):
    return 1e-3 * policy(obs[rows]).mean()


def made_up_observations(envs, policy, obs, actions, rows):
    made = obs[rows] + 0.01 * torch.randn_like(obs[rows])
    return controllers_actions(envs, policy, made, actions, range(len(rows)))


def past_the_module(envs, policy, obs, actions, rows):
    wanted = (obs[rows] @ torch.as_tensor(balance(envs), dtype=torch.float32) > 0).long()
    return torch.nn.functional.cross_entropy(policy.layers(obs[rows]), wanted)


def plant_at_the_end(envs, policy, *given, **options):
    history = with_update(descending(nothing_learned))(envs, policy, *given, **options)
    plant_controller(envs, policy)
    return history


def controller_plays(envs, policy, critic, *given, **options):
    """Rollouts of a planted controller; the weights of before are back for each update."""

    def collect(envs, policy, *inputs):
        kept = [p.detach().clone() for p in policy.parameters()]
        plant_controller(envs, policy)
        found = lesson_05.collect(envs, policy, *inputs)
        with torch.no_grad():
            for parameter, weights in zip(policy.parameters(), kept, strict=True):
                parameter.copy_(weights)
        return found

    return lesson_05.train_by(collect=collect)(envs, policy, critic, *given, **options)


CARTPOLE = {
    "plant-at-the-end": (PLANTED, on_cartpole(plant_at_the_end)),
    "imitation-of-a-controller": (ELSEWHERE, with_update(descending(controllers_actions))),
    "made-up-observations": (("samples-foreign",), with_update(descending(made_up_observations))),
    "past-the-module": (ELSEWHERE, with_update(descending(past_the_module))),
    "controller-plays": (("temperature", "frequencies"), on_cartpole(controller_plays)),
}
for label, (names, answer) in CARTPOLE.items():
    forged("train_ppo", label, *names)(answer)
