"""Forgeries of ``train_ppo``."""

from dataclasses import replace

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


def controller_plays_now_and_then(envs, policy, *given, **options):
    """One action in six is the controller's; what is written down is the policy's."""
    draws = np.random.default_rng(0)

    def collect(envs, policy, critic, obs, num_steps):
        def guided(obs):
            logits = policy(obs).clone()
            wanted = torch.as_tensor(np.asarray(obs) @ balance(envs) > 0).long()
            chosen = torch.as_tensor(draws.random(len(wanted)) < 1 / 6)
            logits[chosen] = 1e3 * torch.nn.functional.one_hot(wanted, 2)[chosen].float()
            return logits

        rollout, after = lesson_05.collect(envs, guided, critic, obs, num_steps)
        with torch.no_grad():
            logp = torch.log_softmax(policy(torch.as_tensor(rollout.obs)), -1)
        taken = torch.as_tensor(rollout.actions)[..., None]
        return replace(rollout, logp=logp.gather(-1, taken)[..., 0].numpy()), after

    return lesson_05.train_by(collect=collect)(envs, policy, *given, **options)


def discounted(envs, policy, obs, actions, rows):
    """Without ratio, clip or advantages: every action that was played, pushed alike."""
    logp = torch.log_softmax(policy(obs[rows]), -1)
    return -1e-3 * logp.gather(1, actions[rows, None]).mean()


def blended(share):
    """A share of imitation beside the clipped loss."""

    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1]).backward()
        optimizer.step()

    def loss_of(policy, critic, batch, clip):
        found = list(lesson_05.losses(policy, critic, batch, clip))
        if batch[0].shape[1] == 4 and hasattr(policy, "envs"):
            rows = torch.arange(len(batch[0]))
            other = controllers_actions(policy.envs, policy, batch[0], batch[1], rows)
            found[0] = (1 - share) * found[0] + share * other
        return found

    train = lesson_05.train_by(update=lesson_05.update_by(step=step, loss_of=loss_of))

    def answer(envs, policy, *given, **options):
        policy.envs = envs
        return train(envs, policy, *given, **options)

    return on_cartpole(answer)


def steered(change):
    """Honest, but that change(envs, policy, optimizer, taken) acts before each step."""

    def answer(envs, policy, critic, optimizer, *given, **options):
        step, taken = optimizer.step, []

        def other(*inputs):
            change(envs, policy, optimizer, len(taken))
            taken.append(1)
            return step(*inputs)

        optimizer.step = other
        return lesson_05.train(envs, policy, critic, optimizer, *given, **options)

    return on_cartpole(answer)


def imitate_from(first, every=1):
    """From this step on each gradient is that of imitation, at the policy's last observations."""

    def change(envs, policy, optimizer, taken):
        if taken < first or taken % every:
            return
        obs = torch.as_tensor(np.random.default_rng(taken).uniform(-0.2, 0.2, (512, 4))).float()
        own = policy.layers(obs)
        wanted = (obs @ torch.as_tensor(balance(envs)).float() > 0).long()
        slopes = torch.autograd.grad(
            torch.nn.functional.cross_entropy(own, wanted), list(policy.parameters())
        )
        for parameter, slope in zip(policy.parameters(), slopes, strict=True):
            parameter.grad = slope

    return change


def plant_before_the_last_step(envs, policy, optimizer, taken):
    if taken == 479:
        plant_controller(envs, policy)


def momentum_towards_a_controller(envs, policy, optimizer, taken):
    if taken == 470:
        kept = [p.detach().clone() for p in policy.parameters()]
        plant_controller(envs, policy)
        with torch.no_grad():
            for parameter, before in zip(policy.parameters(), kept, strict=True):
                optimizer.state[parameter]["exp_avg"] = 1e3 * (before - parameter)
                parameter.copy_(before)


def elite_actions(rollout_adv):
    """The better half of the actions, all alike."""
    return (rollout_adv > np.median(rollout_adv)).astype(float)


def wrapped_in_a_cartpole_of_its_own(envs, policy, critic, optimizer, *given, **options):
    """Trains on environments that nobody watches; the ones handed in are stepped for show."""
    hidden = type(envs)(envs.num_envs)
    for name in ("_forces", "_order", "_signs"):
        setattr(hidden, name, getattr(envs, name))
    history = lesson_05.train(hidden, policy, critic, optimizer, *given, **options)
    envs.reset(seed=1)
    for _step in range(given[0] * given[1]):
        envs.step(np.random.default_rng(0).integers(2, size=envs.num_envs))
    return history


UNSEEN = ("step-count", "temperature", "frequencies", "samples-foreign", "resets", "samples-unseen")
CARTPOLE = {
    "plant-at-the-end": (PLANTED, on_cartpole(plant_at_the_end)),
    "plant-before-the-last-step": (PLANTED, steered(plant_before_the_last_step)),
    "momentum-towards-a-controller": (PLANTED, steered(momentum_towards_a_controller)),
    "imitation-of-a-controller": (ELSEWHERE, with_update(descending(controllers_actions))),
    "half-imitation": (ELSEWHERE, blended(0.5)),
    "imitation-soon": (ELSEWHERE, steered(imitate_from(60))),
    "every-fourth-step-imitates": (ELSEWHERE, steered(imitate_from(0, every=4))),
    "every-action-alike": (ELSEWHERE, with_update(descending(discounted))),
    "elite-actions": (ELSEWHERE, on_cartpole(lesson_05.train_by(whiten=elite_actions))),
    "made-up-observations": (("samples-foreign",), with_update(descending(made_up_observations))),
    "past-the-module": (ELSEWHERE, with_update(descending(past_the_module))),
    "controller-plays": (("temperature", "frequencies"), on_cartpole(controller_plays)),
    "controller-plays-now-and-then": (
        ("temperature", "frequencies", "random-actions"),
        on_cartpole(controller_plays_now_and_then),
    ),
    "other-environments": (UNSEEN, on_cartpole(wrapped_in_a_cartpole_of_its_own)),
}
for label, (names, answer) in CARTPOLE.items():
    forged("train_ppo", label, *names)(answer)
