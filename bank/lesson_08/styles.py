"""Right answers in unusual styles: recursion, closures, folds, matrices for loops."""

import math
import operator

import numpy as np

from bank import right


@right("approx_kl_dialects")
def cumulated_from_the_last_row(logp, logp_old):
    d = (logp.double() - logp_old.double()).numpy()
    k3 = (np.exp(d) - 1 - d).mean(axis=1)
    from_the_end = np.cumsum(k3[::-1]) / np.arange(1, len(k3) + 1)
    names = "k3 last minibatch", "k3 last epoch", "k3"
    places = 0, len(k3) // 2 - 1, len(k3) - 1
    found = {name: float(from_the_end[place]) for name, place in zip(names, places)}
    return {"k1": float(np.mean(-d)), "k2": float(np.mean(np.square(d)) * 0.5), **found}


@right("clip_fraction_dialects")
def lost_gain_of_the_clip(ratio, adv, clip=0.2):
    near = np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)
    return np.mean(near != ratio).item(), np.mean((ratio - near) * adv > 0).item()


@right("sb3_settings")
def renamed_by_a_table(ours):
    table = {
        "num_steps": "n_steps",
        "minibatch_size": "batch_size",
        "epochs": "n_epochs",
        "gamma": "gamma",
        "lam": "gae_lambda",
        "clip": "clip_range",
        "value_coef": "vf_coef",
        "entropy_coef": "ent_coef",
        "learning_rate": "learning_rate",
    }
    settings = {theirs: ours[name] for name, theirs in table.items()}
    settings.update(max_grad_norm=math.inf, normalize_advantage=True)
    settings["policy_kwargs"] = {"optimizer_kwargs": {"eps": 1e-8}}
    return settings


@right("grpo_settings")
def zipped_names(ours):
    theirs = "beta", "epsilon", "epsilon_high", "num_iterations", "num_generations"
    mine = operator.itemgetter("beta", "clip_low", "clip_high", "epochs", "group_size")(ours)
    how = {"tokens": "bnpo", "sentences": "grpo", "constant": "dr_grpo"}[ours["how"]]
    return dict(zip(theirs, mine), loss_type=how, scale_rewards=("none", "group")[ours["divide"]])
