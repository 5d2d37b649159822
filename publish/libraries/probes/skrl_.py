"""skrl: its compute_gae with and without the bootstrap; the update is read."""

import dataclasses

import torch
from answers import INPUTS, Answers
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.agents.torch.ppo.ppo import compute_gae

NAMES = [
    "rollouts",
    "learning_epochs",
    "mini_batches",
    "discount_factor",
    "gae_lambda",
    "learning_rate",
    "grad_norm_clip",
    "ratio_clip",
    "value_clip",
    "entropy_loss_scale",
    "value_loss_scale",
    "kl_threshold",
    "time_limit_bootstrap",
]


def column(numbers):
    return torch.tensor(numbers)[:, None, None]  # (T, 1, 1): steps, environments, one number


def gae(bootstrap):
    """The raw advantages: returns minus values. What compute_gae calls advantages is whitened."""
    script = INPUTS["gae"]
    rewards = torch.tensor(script["rewards"])
    if bootstrap:  # what PPO.record_transition adds
        cut = torch.tensor(script["truncated"])
        rewards = rewards + script["gamma"] * torch.tensor(script["next_values"]) * cut
    returns, adv = compute_gae(
        rewards=rewards[:, None, None],
        terminated=column(script["terminated"]),
        truncated=column(script["truncated"]),
        values=column(script["values"]),
        last_values=torch.tensor([[script["next_values"][-1]]]),
        discount_factor=script["gamma"],
        lambda_coefficient=script["lam"],
        time_limit_bootstrap=bootstrap,
    )
    return (returns - column(script["values"])).flatten(), adv.flatten()


def whitened(adv):
    """Rewards in which every step ends are advantages, where all values are 0."""
    given, zeros = column(adv), torch.zeros(len(adv), 1, 1)
    ended = torch.ones(len(adv), 1, 1, dtype=torch.bool)
    return compute_gae(
        rewards=given, terminated=ended, truncated=~ended, values=zeros, last_values=zeros[0]
    )[1].flatten()


answers = Answers("skrl")
answers.run("gae", compute_gae, gae(False)[0], "as it comes")
answers.run(
    "gae, bootstrap",
    compute_gae,
    gae(True)[0],
    "time_limit_bootstrap=True; the rewards with what PPO.record_transition adds to them",
)
adv = INPUTS["whitening"]["adv"]
found = {"adv": whitened(adv), "of_one": whitened(adv[:1])}
answers.run("whitening", compute_gae, found, "the whole rollout")
answers.read("clip", PPO.update, "the same loss; clip fraction and KL are not logged")
answers.read(
    "values",
    PPO.update,
    "2.5 times the MSE of the prediction held within 0.2 of the old one; no max",
)
held = {field.name: field.default for field in dataclasses.fields(PPO_CFG)}
answers.run("defaults", PPO_CFG, {name: held[name] for name in NAMES})
answers.write()
