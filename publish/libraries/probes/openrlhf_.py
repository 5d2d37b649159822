"""OpenRLHF: its losses and its experience maker, with empty stand-ins for deepspeed and ray."""

import sys
from types import ModuleType, SimpleNamespace

import torch
from answers import INPUTS, Answers, defaults


def nothing(*args, **kwargs):
    """A function, and a decorator with or without arguments, that changes nothing."""
    return args[0] if len(args) == 1 and callable(args[0]) else nothing


class Anything(ModuleType):
    """A module in which every name is there and does nothing."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing


class Absent:
    """Finds a stand-in for whatever is asked of these packages."""

    names = (
        "deepspeed",
        "ray",
        "flash_attn",
        "vllm",
        "peft",
        "optree",
        "datasets",
        "wandb",
        "pylatexenc",
        "aiohttp",
        "torchdata",
    )

    def find_spec(self, name, path=None, target=None):
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self) if name.split(".")[0] in self.names else None

    def create_module(self, spec):
        return Anything(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Absent())

from openrlhf.models.loss import PolicyLoss, ValueLoss  # noqa: E402
from openrlhf.models.utils import compute_approx_kl, masked_mean  # noqa: E402
from openrlhf.trainer.ppo_utils import experience_maker  # noqa: E402


def rows(numbers):
    return torch.tensor(numbers)[None]  # (1, L): one answer


def clip():
    given = INPUTS["clip"]
    mask = torch.ones(1, len(given["adv"]))
    tensors = [rows(given[name]) for name in ("logp", "logp_old", "adv")]
    loss, fraction, kl, *_rest = PolicyLoss()(*tensors, mask)
    return {"loss": loss, "clip_fraction": fraction, "approx_kl": kl}


def values():
    given = INPUTS["values"]
    new, old, returns = (rows(given[name]) for name in ("values", "old_values", "returns"))
    mask = torch.ones(1, 4)
    return {
        "loss": first(ValueLoss()(new, old, returns, mask)),
        "with clip": first(ValueLoss(clip_eps=given["clip"])(new, old, returns, mask)),
    }


def first(out):
    return out[0] if isinstance(out, tuple) else out


def means():
    given = INPUTS["mask"]
    x, mask = torch.tensor(given["x"]), torch.tensor(given["mask"]).float()
    bad = torch.where(mask.bool(), x, torch.nan)
    empty = masked_mean(x, torch.zeros(3))
    return {"mean": masked_mean(x, mask), "empty": empty, "nan outside": masked_mean(bad, mask)}


def advantages(estimator, scores, clip_range=(-10.0, 10.0)):
    """Of answers of one token each, all to one prompt."""
    algo = SimpleNamespace(estimator=estimator, gamma=1.0, lambd=1.0, no_std_norm=False)
    args = SimpleNamespace(
        algo=SimpleNamespace(advantage=algo),
        rollout=SimpleNamespace(n_samples_per_prompt=len(scores)),
        reward=SimpleNamespace(
            clip_range=clip_range, overlong_buffer_len=None, stop_properly_penalty_coef=None
        ),
    )
    experience_maker.apply_length_penalties = lambda experiences, args: None
    maker = object.__new__(experience_maker.RemoteExperienceMaker)
    maker.strategy, maker.advantage_estimator = SimpleNamespace(args=args), estimator
    maker.kl_ctl = SimpleNamespace(value=0.0)
    n = len(scores)
    ones = torch.ones(n, 1)
    one = SimpleNamespace(
        index=list(range(n)), rewards=torch.tensor(scores), kl=0 * ones, action_mask=ones, info={}
    )
    return maker.compute_advantages_and_returns([one])[0].advantages[:, 0]


def kl():
    logp = torch.tensor(INPUTS["kl"]["log_ratio"], requires_grad=True)
    found = {}
    for kind in ("k1", "k2", "k3"):
        term = compute_approx_kl(logp, torch.zeros(len(logp)), kl_estimator=kind)
        (slope,) = torch.autograd.grad(term.sum(), logp)
        found |= {kind: term, f"gradient of {kind}": slope}
    return found


answers = Answers("openrlhf")
answers.run("clip", PolicyLoss.forward, clip(), "ppo_kl is k1")
answers.run("values", ValueLoss.forward, values(), "with its half")
answers.run("masked_mean", masked_mean, means())
maker = experience_maker.RemoteExperienceMaker.compute_advantages_and_returns
groups = INPUTS["groups"]
found = {
    "rloo": advantages("rloo", groups["scores"]),
    "grpo": advantages("group_norm", groups["scores"]),
}
found["grpo, equal"] = advantages("group_norm", groups["equal"])
answers.run("groups", maker, found, "GRPO is called group_norm")
found = advantages("rloo", [0.0, 0.0, 0.0, 100.0])
answers.run("rewards clipped at 10", maker, {"scores 0, 0, 0, 100": found}, "after the baseline")
found = {"adv": advantages("reinforce", INPUTS["whitening"]["adv"])}
answers.run("whitening", maker, found, "the whole batch, mask")
answers.run("kl", compute_approx_kl, kl())
names = "clip_eps_low", "clip_eps_high", "dual_clip", "token_level_loss", "policy_loss_type"
answers.run("defaults", PolicyLoss.__init__, defaults(PolicyLoss.__init__, *names))
answers.write()
