"""tianshou: its returns from a replay buffer, and its PPO update."""

import gymnasium
import numpy as np
import torch
from answers import INPUTS, Answers, defaults
from tianshou.algorithm import PPO
from tianshou.algorithm.algorithm_base import Algorithm
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import TorchOptimizerFactory
from tianshou.data import Batch, ReplayBuffer

NAMES = [
    "eps_clip",
    "dual_clip",
    "value_clip",
    "advantage_normalization",
    "vf_coef",
    "ent_coef",
    "max_grad_norm",
    "gae_lambda",
    "gamma",
]


def gae():
    script = INPUTS["gae"]
    steps = len(script["rewards"])
    buffer = ReplayBuffer(steps)
    for t in range(steps):
        ends = script["terminated"][t], script["truncated"][t]
        row = {"obs": t, "act": 0, "rew": script["rewards"][t], "info": {}, "obs_next": t + 1}
        buffer.add(Batch(**row, terminated=ends[0], truncated=ends[1]))
    indices = np.arange(steps)
    values = [np.array(script[name]) for name in ("next_values", "values")]
    options = {"gamma": script["gamma"], "gae_lambda": script["lam"]}
    return Algorithm.compute_episodic_return(buffer[indices], buffer, indices, *values, **options)[
        1
    ]


class Logp(torch.nn.Module):
    """One number a sample, whatever it is shown; obs holds the samples' numbers."""

    def __init__(self, numbers):
        super().__init__()
        self.numbers = torch.nn.Parameter(torch.tensor(numbers))

    def forward(self, obs, state=None, info=None):
        return self.numbers[torch.as_tensor(obs).long()], state


class Given:
    """A distribution whose log-probabilities are the actor's output."""

    def __init__(self, logp):
        self.logp = logp

    def log_prob(self, act):
        return self.logp

    def entropy(self):
        return torch.zeros_like(self.logp)


class Plain(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, obs):
        return self.net(obs)[0]


def updated(logp, logp_old, adv, values=None, returns=None, **options):
    """(statistics, gradient in logp) of one update with the whole batch."""
    zeros = [0.0] * len(adv)
    actor, critic = Logp(logp), Plain(Logp(values or zeros))
    policy = ProbabilisticActorPolicy(
        actor=actor, dist_fn=Given, action_space=gymnasium.spaces.Discrete(2), action_scaling=False
    )
    policy.forward = lambda batch, state=None: Batch(dist=Given(actor(batch.obs)[0]))
    made = PPO(
        policy=policy,
        critic=critic,
        optim=TorchOptimizerFactory(torch.optim.SGD, lr=1.0),
        **options,
    )
    batch = Batch(
        obs=np.arange(len(adv)),
        act=torch.zeros(len(adv)),
        adv=torch.tensor(adv),
        logp_old=torch.tensor(logp_old),
        v_s=torch.tensor(INPUTS["values"]["old_values"][: len(adv)] if values else zeros),
        returns=torch.tensor(returns or zeros),
    )
    before = actor.numbers.detach().clone()
    stats = made._update_with_batch(batch, None, 1)
    return stats, before - actor.numbers.detach()


def whitened(adv):
    return -updated([0.0] * len(adv), [0.0] * len(adv), adv)[1] * len(adv)


answers = Answers("tianshou")
answers.run("gae", Algorithm.compute_episodic_return, gae())
adv, update = INPUTS["whitening"]["adv"], PPO._update_with_batch
found = {"adv": whitened(adv), "of_one": whitened(adv[:1])}
answers.run("whitening", update, found, "per minibatch")
given = INPUTS["clip"]
stats, _gradient = updated(
    given["logp"], given["logp_old"], given["adv"], advantage_normalization=False
)
answers.run("clip", update, {"loss": stats.actor_loss.mean}, "clip fraction and KL are not logged")
given, zeros = INPUTS["values"], [0.0] * 4
found = {}
for name, options in {"loss": {}, "with clip": {"value_clip": True}}.items():
    given_values = given["values"], given["returns"]
    found[name] = updated(
        zeros, zeros, zeros, *given_values, advantage_normalization=False, eps_clip=0.5, **options
    )[0].vf_loss.mean
answers.run("values", update, found, "the value's clip is the policy's eps_clip, here 0.5")
answers.run("defaults", PPO.__init__, defaults(PPO.__init__, *NAMES))
answers.write()
