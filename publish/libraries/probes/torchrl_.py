"""torchrl: its GAE module and its ClipPPOLoss."""

import torch
from answers import INPUTS, Answers, defaults
from tensordict import TensorDict
from tensordict.nn import (
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
)
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE


def column(numbers):
    return torch.tensor(numbers)[None, :, None]  # (1, T, 1)


def gae(*flags):
    """flags: which of done, terminated and truncated the data hold."""
    script = INPUTS["gae"]
    ended = column(script["terminated"]), column(script["truncated"])
    held = {"terminated": ended[0], "truncated": ended[1], "done": ended[0] | ended[1]}
    then = {name: held[name] for name in flags}
    then |= {"reward": column(script["rewards"]), "state_value": column(script["next_values"])}
    steps = len(script["rewards"])
    data = TensorDict(
        {"state_value": column(script["values"]), "next": TensorDict(then, [1, steps])}, [1, steps]
    )
    estimator = GAE(gamma=script["gamma"], lmbda=script["lam"], value_network=None)
    return estimator(data)["advantage"].flatten()


def averaged():
    script = INPUTS["gae"]
    steps = len(script["rewards"])
    ended = column(script["terminated"])
    then = {"reward": column(script["rewards"]), "state_value": column(script["next_values"])}
    then |= {"terminated": ended, "done": ended | column(script["truncated"])}
    data = {"state_value": column(script["values"]), "next": TensorDict(then, [1, steps])}
    made = GAE(gamma=script["gamma"], lmbda=script["lam"], value_network=None, average_gae=True)
    adv = made(TensorDict(data, [1, steps]))["advantage"]
    return {"mean": adv.mean(), "std, ddof 1": adv.std(), "std, ddof 0": adv.std(correction=0)}


class Logits(torch.nn.Module):
    def __init__(self, logp):
        super().__init__()
        p = torch.tensor(logp).exp()
        self.logits = torch.nn.Parameter(torch.stack([p, 1 - p], -1).log())

    def forward(self, obs):
        return self.logits


class Values(torch.nn.Module):
    def __init__(self, values):
        super().__init__()
        self.values = torch.nn.Parameter(torch.tensor(values)[:, None])

    def forward(self, obs):
        return self.values


def losses(logp, logp_old, adv, values=None, returns=None, **options):
    """What ClipPPOLoss gives for one batch in which action 0 was always taken."""
    n = len(adv)
    zeros = [0.0] * n
    spread = ProbabilisticTensorDictModule(
        ["logits"],
        ["action"],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
    )
    net = TensorDictModule(Logits(logp), ["observation"], ["logits"])
    critic = TensorDictModule(Values(values or zeros), ["observation"], ["state_value"])
    loss = ClipPPOLoss(ProbabilisticTensorDictSequential(net, spread), critic, **options)
    given = {
        "observation": torch.zeros(n, 1),
        "action": torch.zeros(n, dtype=torch.long),
        "action_log_prob": torch.tensor(logp_old),
        "advantage": torch.tensor(adv)[:, None],
        "value_target": torch.tensor(returns or zeros)[:, None],
        "state_value": torch.tensor(values or zeros)[:, None],
    }
    return loss(TensorDict(given, [n])), net.module.logits


def whitened(adv):
    logp = [-0.7] * len(adv)
    found, logits = losses(logp, logp, adv, normalize_advantage=True, entropy_coeff=0.0)
    found["loss_objective"].backward()
    # d logp_0 / d logits_0 is 1 - p at ratio 1
    return -logits.grad[:, 0] / (1 - torch.tensor(logp).exp()) * len(adv)


answers = Answers("torchrl")
answers.run("gae", GAE, gae("done", "terminated"), "with done and terminated given")
answers.run("gae, done alone", GAE, gae("done"), "the data hold no terminated")
answers.run("gae, done and truncated", GAE, gae("done", "truncated"), "the data hold no terminated")
answers.run("gae averaged", GAE, averaged(), "average_gae=True")
given = INPUTS["clip"]
out, _logits = losses(given["logp"], given["logp_old"], given["adv"])
names = {"loss": "loss_objective", "clip_fraction": "clip_fraction", "approx_kl": "kl_approx"}
answers.run("clip", ClipPPOLoss, {name: out[key] for name, key in names.items()}, "kl_approx is k1")
adv = INPUTS["whitening"]["adv"]
note = "normalize_advantage=True; off by default"
answers.run("whitening", ClipPPOLoss, {"adv": whitened(adv), "of_one": whitened(adv[:1])}, note)
given, zeros = INPUTS["values"], [-0.7] * 4
out, _logits = losses(zeros, zeros, [0.0] * 4, given["values"], given["returns"])
note = "smooth L1, with its weight of 1"
answers.run("values", ClipPPOLoss, {"loss": out["loss_critic"]}, note)
out, _logits = losses(
    zeros, zeros, [0.0] * 4, given["values"], given["returns"], loss_critic_type="l2"
)
answers.run("values, l2", ClipPPOLoss, {"loss": out["loss_critic"]}, "loss_critic_type='l2'")
out, _logits = losses([-0.7] * 4, [-0.7] * 4, [0.0] * 4)
names = "clip_epsilon", "entropy_bonus", "normalize_advantage", "loss_critic_type"
held = defaults(ClipPPOLoss.__init__, *names)
# Its default is set below the signature: seen from a loss.
held["entropy_coeff"] = -out["loss_entropy"] / out["entropy"]
answers.run("defaults", ClipPPOLoss.__init__, held)
answers.write()
