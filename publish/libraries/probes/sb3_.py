"""Stable-Baselines3: its own collection and its own update, with a scripted policy."""

import numpy as np
import torch
from answers import INPUTS, Answers, defaults
from scripted import Scripted, value_of
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from stable_baselines3.common.utils import explained_variance

NAMES = [
    "learning_rate",
    "n_steps",
    "batch_size",
    "n_epochs",
    "gamma",
    "gae_lambda",
    "clip_range",
    "clip_range_vf",
    "normalize_advantage",
    "ent_coef",
    "vf_coef",
    "max_grad_norm",
    "target_kl",
]


def model(**options):
    made = PPO("MlpPolicy", Scripted(), device="cpu", **options)
    made.set_logger(configure(format_strings=[]))
    return made


def gae():
    """The advantages after collect_rollouts."""
    script = INPUTS["gae"]
    steps = len(script["rewards"])
    made = model(n_steps=steps, batch_size=steps, gamma=script["gamma"], gae_lambda=script["lam"])

    def values(obs):
        return torch.tensor([[value_of(one)] for one in obs.flatten()])

    made.policy.predict_values = values
    made.policy.forward = lambda obs: (torch.zeros(1), values(obs), torch.zeros(1))
    _total, callback = made._setup_learn(steps)
    made.collect_rollouts(made.env, callback, made.rollout_buffer, steps)
    return made.rollout_buffer.advantages[:, 0]


def batches(adv, logp_old, returns=None, old_values=None):
    """What the rollout buffer would hand the update: one minibatch."""
    n = len(adv)
    zeros = torch.zeros(n)
    returns = zeros if returns is None else returns
    old_values = zeros if old_values is None else old_values
    return [RolloutBufferSamples(zeros[:, None], zeros, old_values, logp_old, adv, returns)]


def trained(minibatches, evaluations, **options):
    """The numbers that PPO.train logs; evaluations: (values, logp) of each minibatch in turn."""
    made = model(n_steps=16, batch_size=16, **options)
    made.rollout_buffer.get = lambda size: iter(minibatches)
    turn = iter(evaluations * options.get("n_epochs", 1))

    def evaluate(obs, actions):
        values, logp = next(turn)
        return values, logp, torch.zeros(len(values))

    made.policy.evaluate_actions = evaluate
    made.train()
    return {k.removeprefix("train/"): v for k, v in made.logger.name_to_value.items()}


def tensor(numbers):
    return torch.tensor(numbers, requires_grad=True)


def clip():
    given = INPUTS["clip"]
    logp, old, adv = (torch.tensor(given[name]) for name in ("logp", "logp_old", "adv"))
    logs = trained(
        batches(adv, old),
        [(torch.zeros(len(adv), requires_grad=True), logp.requires_grad_())],
        n_epochs=1,
        normalize_advantage=False,
    )
    return {
        "loss": logs["policy_gradient_loss"],
        "clip_fraction": logs["clip_fraction"],
        "approx_kl": logs["approx_kl"],
    }


def epochs():
    """approx_kl of two epochs of two minibatches: the halves of the batch of eight, each twice."""
    given = INPUTS["clip"]
    logp, old, adv = (
        torch.tensor(given[name]).reshape(4, 2) for name in ("logp", "logp_old", "adv")
    )
    made = model(n_steps=16, batch_size=16, n_epochs=2, normalize_advantage=False)
    parts = [batches(adv[i], old[i])[0] for i in range(4)]
    rounds = iter([parts[:2], parts[2:]])
    made.rollout_buffer.get = lambda size: iter(next(rounds))
    turn = iter(logp)

    def evaluate(obs, actions):
        return tensor([0.0, 0.0]), next(turn).clone().requires_grad_(), torch.zeros(2)

    made.policy.evaluate_actions = evaluate
    made.train()
    return made.logger.name_to_value["train/approx_kl"]


def values(**options):
    given = INPUTS["values"]
    zeros = torch.zeros(4)
    returns, old = torch.tensor(given["returns"]), torch.tensor(given["old_values"])
    seen = [(tensor(given["values"]), zeros.clone().requires_grad_())]
    return trained(batches(zeros, zeros, returns, old), seen, n_epochs=1, **options)["value_loss"]


def whitened():
    """With ratio 1 everywhere the loss is minus the mean of ratio times whitened advantages, so its
    gradient in logp gives them one by one."""
    adv = torch.tensor(INPUTS["whitening"]["adv"])
    found = []
    for part in (adv, adv[:1]):
        logp = torch.zeros(len(part), requires_grad=True)
        trained(batches(part, torch.zeros(len(part))), [(torch.zeros(len(part)), logp)], n_epochs=1)
        found.append(-logp.grad * len(part))
    return {"adv": found[0], "of_one": found[1]}


answers = Answers("stable-baselines3")
answers.run("gae", OnPolicyAlgorithm.collect_rollouts, gae())
answers.run("whitening", PPO.train, whitened(), "per minibatch")
answers.run("clip", PPO.train, clip())
answers.run("approx_kl of two epochs", PPO.train, epochs(), "k3, last epoch only")
answers.run("values", PPO.train, {"loss": values(), "with clip": values(clip_range_vf=0.5)})
given = INPUTS["explained_variance"]
answers.run(
    "explained_variance",
    explained_variance,
    float(explained_variance(np.array(given["values"]), np.array(given["returns"]))),
)
answers.run("defaults", PPO.__init__, defaults(PPO.__init__, *NAMES))
answers.write()
