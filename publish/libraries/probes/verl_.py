"""verl: the functions of its core_algos, called one by one."""

import numpy as np
import torch
import verl.trainer.ppo.core_algos as core
from answers import INPUTS, Answers
from verl.utils.torch_functional import masked_mean
from verl.workers.config import ActorConfig


def rows(numbers):
    return torch.tensor(numbers)[None]  # (1, L): one answer


def clip(logp, logp_old, adv):
    config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1)
    given = [rows(one) for one in (logp_old, logp, adv)]
    loss, logs = core.compute_policy_loss_vanilla(*given, torch.ones_like(given[0]), config=config)
    return {
        "loss": loss,
        "clip_fraction": logs["actor/pg_clipfrac"],
        "dual clip": logs["actor/pg_clipfrac_lower"],
        "approx_kl": logs["actor/ppo_kl"],
    }


def groups(advantages, scores, index=None, **options):
    """Advantages of answers of one token, all to one prompt."""
    score = torch.tensor(scores)[:, None]
    index = np.zeros(len(scores), int) if index is None else index
    return advantages(score.clone(), torch.ones_like(score), index=index, **options)[0][:, 0]


def gae():
    """Two answers of three tokens, the second cut after two; reward 1 at the last token of each."""
    rewards = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    values = torch.tensor([[0.5, 0.25, 0.75], [0.5, 0.25, 5.0]])
    mask = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    adv, returns = core.compute_gae_advantage_return(rewards, values, mask, 1.0, 1.0)
    return {"adv": adv, "returns": returns}


def kl():
    logp = torch.tensor(INPUTS["kl"]["log_ratio"], requires_grad=True)
    found = {}
    for kind in ("k1", "k2", "k3"):
        term = core.kl_penalty_forward(logp, torch.zeros(len(logp)), kind)
        (slope,) = torch.autograd.grad(term.sum(), logp)
        found |= {kind: term, f"gradient of {kind}": slope}
    return found


def values():
    given = INPUTS["values"]
    new, old, returns = (rows(given[name]) for name in ("values", "old_values", "returns"))
    return core.compute_value_loss(new, returns, old, torch.ones(1, 4), given["clip"])[0]


def means():
    given = INPUTS["mask"]
    x, mask = torch.tensor(given["x"]), torch.tensor(given["mask"])
    bad = torch.where(mask, x, torch.nan)
    empty = masked_mean(x, torch.zeros(3))
    return {"mean": masked_mean(x, mask), "empty": empty, "nan outside": masked_mean(bad, mask)}


def whitened():
    adv = rows(INPUTS["whitening"]["adv"])
    return {"adv": core.verl_F.masked_whiten(adv, torch.ones_like(adv))[0]}


answers = Answers("verl")
answers.run(
    "token gae",
    core.compute_gae_advantage_return,
    gae(),
    "whitened; masked tokens get numbers, too",
)
answers.run(
    "whitening",
    core.verl_F.masked_whiten,
    whitened(),
    "the whole batch; a single token raises ValueError",
)
given = INPUTS["clip"]
found = clip(given["logp"], given["logp_old"], given["adv"])
answers.run(
    "clip", core.compute_policy_loss_vanilla, found, "dual clip at ratio 3 is on; ppo_kl is k1"
)
answers.run("values", core.compute_value_loss, {"with clip": values()}, "with its half")
answers.run("masked_mean", masked_mean, means())
scores, rloo, grpo = (
    INPUTS["groups"]["scores"],
    core.compute_rloo_outcome_advantage,
    core.compute_grpo_outcome_advantage,
)
vectorized = core.compute_rloo_vectorized_outcome_advantage
found = {"rloo": groups(rloo, scores), "grpo": groups(grpo, scores)}
found["grpo, not divided"] = groups(grpo, scores, norm_adv_by_std_in_grpo=False)
found["grpo, equal"] = groups(grpo, INPUTS["groups"]["equal"])
answers.run("groups", grpo, found)
found = {
    "rloo": groups(rloo, [3.0]),
    "rloo_vectorized": groups(vectorized, [3.0]),
    "grpo": groups(grpo, [3.0]),
}
answers.run("group of one, score 3", rloo, found)
answers.run("kl", core.kl_penalty_forward, kl())
config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1)
names = [
    "clip_ratio",
    "clip_ratio_c",
    "loss_agg_mode",
    "entropy_coeff",
    "use_kl_loss",
    "ppo_epochs",
    "shuffle",
    "kl_loss_type",
]
answers.run("defaults", ActorConfig, {name: getattr(config, name) for name in names})
answers.write()
