"""RLlib: its learner's connectors with scripted values, and the loss of its PPO learner."""

from types import SimpleNamespace

import numpy as np
import torch
from answers import INPUTS, Answers
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.connectors.learner import AddOneTsToEpisodesAndTruncate, GeneralAdvantageEstimation
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.utils.metrics.metrics_logger import MetricsLogger
from scripted import value_of

POLICY = "default_policy"


class Values(ValueFunctionAPI):
    """A module whose values are the script's, and whose distribution is what it is handed."""

    def __init__(self, values=None):
        self.values = values

    def compute_values(self, batch, embeddings=None):
        if self.values is not None:
            return self.values
        return torch.tensor([value_of(one) for one in batch[Columns.OBS]])

    def is_stateful(self):
        return False

    def unwrapped(self):
        return self

    def get_train_action_dist_cls(self):
        return SimpleNamespace(from_logits=lambda logp: Given(logp))

    get_exploration_action_dist_cls = get_train_action_dist_cls


class Given:
    def __init__(self, logp):
        self.given = logp

    def logp(self, actions):
        return self.given

    def entropy(self):
        return torch.zeros_like(self.given)

    def kl(self, other):
        return torch.zeros_like(self.given)


class Modules(dict):
    def foreach_module(self, func, return_dict=False):
        return {name: func(name, one) for name, one in self.items()}


def episodes():
    """The script's three, the last one unfinished."""
    script, found, start = INPUTS["gae"], [], 0
    steps = len(script["rewards"])
    for t in range(steps):
        ends = script["terminated"][t], script["truncated"][t]
        if any(ends) or t == steps - 1:
            last = 10 + t if any(ends) else t + 1
            one = SingleAgentEpisode(
                observations=[*range(start, t + 1), last],
                actions=[0] * (t + 1 - start),
                rewards=script["rewards"][start : t + 1],
                terminated=ends[0],
                truncated=ends[1],
                len_lookback_buffer=0,
            )
            found.append(one.to_numpy())
            start = t + 1
    return found


def learned():
    """The learner's batch after both connectors, and which of its rows count in the loss."""
    script, played, batch = INPUTS["gae"], episodes(), {}
    AddOneTsToEpisodesAndTruncate()(rl_module=None, batch=batch, episodes=played, shared_data={})
    rows = {name: np.array(sum(parts.values(), [])).flatten() for name, parts in batch.items()}
    rows[Columns.OBS] = np.concatenate([one.get_observations(slice(0, len(one))) for one in played])
    rows[Columns.REWARDS] = np.concatenate([one.get_rewards() for one in played]).astype(np.float32)
    made = GeneralAdvantageEstimation(gamma=script["gamma"], lambda_=script["lam"])
    made._numpy_to_tensor_connector = lambda batch, **others: batch
    made(rl_module=Modules({POLICY: Values()}), episodes=played, batch={POLICY: rows})
    return rows, rows[Columns.LOSS_MASK].astype(bool)


def loss(logp, logp_old, adv, values, returns, **options):
    """What the learner logs."""
    config, n = PPOConfig().training(use_kl_loss=False, **options), len(adv)
    logs = MetricsLogger()
    still = SimpleNamespace(get_current_value=lambda: 0.0)
    learner = SimpleNamespace(
        module={POLICY: Values(values)},
        metrics=logs,
        entropy_coeff_schedulers_per_module={POLICY: still},
    )
    batch = {
        Columns.ACTION_DIST_INPUTS: logp_old,
        Columns.ACTIONS: torch.zeros(n),
        Columns.ACTION_LOGP: logp_old,
        "advantages": adv,
        "value_targets": returns,
    }
    total = PPOTorchLearner.compute_loss_for_module(
        learner,
        module_id=POLICY,
        config=config,
        batch=batch,
        fwd_out={Columns.ACTION_DIST_INPUTS: logp},
    )
    return {
        "total": total,
        **{name: logs.peek((POLICY, name)) for name in ("policy_loss", "vf_loss")},
    }


answers = Answers("ray")
rows, counted = learned()
values = np.array(INPUTS["gae"]["values"])
answers.run("gae", GeneralAdvantageEstimation, rows["value_targets"][counted] - values)
adv = rows["advantages"]
found = {"rows": len(adv), "in the loss": int(counted.sum())}
found |= {"mean in the loss": adv[counted].mean(), "std in the loss": adv[counted].std()}
found |= {"mean of all": adv.mean(), "std of all": adv.std()}
answers.run(
    "whitening", GeneralAdvantageEstimation, found, "the whole batch, added rows counted, ddof 0"
)
given = {name: torch.tensor(one) for name, one in INPUTS["clip"].items()}
tensors = [given[name] for name in ("logp", "logp_old", "adv")]
zeros = torch.zeros(8)
found = {"loss": loss(*tensors, zeros, zeros, clip_param=0.2)["policy_loss"]}
answers.run("clip", PPOTorchLearner.compute_loss_for_module, found, "with clip_param=0.2")
given = {name: torch.tensor(one) for name, one in INPUTS["values"].items()}
values = given["values"].requires_grad_()
zeros = torch.zeros(4)
out = loss(zeros, zeros, zeros, values, given["returns"])
(slope,) = torch.autograd.grad(out["total"], values)
found = {"loss": out["vf_loss"], "gradient": slope}
answers.run(
    "values", PPOTorchLearner.compute_loss_for_module, found, "each squared error cut at 10"
)
held, names = (
    PPOConfig(),
    [
        "lr",
        "num_epochs",
        "minibatch_size",
        "lambda_",
        "gamma",
        "clip_param",
        "vf_clip_param",
        "vf_loss_coeff",
        "entropy_coeff",
        "kl_coeff",
        "kl_target",
        "use_kl_loss",
        "grad_clip",
    ],
)
answers.run("defaults", PPOConfig.__init__, {name: getattr(held, name) for name in names})
answers.write()
