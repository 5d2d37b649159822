"""Answers for libraries' settings."""

import numpy as np
import torch

from bank import right, wrong


def sb3(ours):
    return {
        "n_steps": ours["num_steps"],
        "batch_size": ours["minibatch_size"],
        "n_epochs": ours["epochs"],
        "gamma": ours["gamma"],
        "gae_lambda": ours["lam"],
        "clip_range": ours["clip"],
        "vf_coef": ours["value_coef"],
        "ent_coef": ours["entropy_coef"],
        "learning_rate": ours["learning_rate"],
        "max_grad_norm": float("inf"),
    }


@right("sb3_settings")
def defaults_left_out(ours):
    return sb3(ours)


@right("sb3_settings")
def everything_said(ours):
    off = {"clip_range_vf": None, "target_kl": None, "use_sde": False, "normalize_advantage": True}
    eps = {"policy_kwargs": {"optimizer_kwargs": {"eps": 1e-8}}, "seed": 0, "device": "cpu"}
    return sb3(ours) | off | eps | {"verbose": 0}


@right("sb3_settings")
def a_huge_limit(ours):
    return sb3(ours) | {"max_grad_norm": 1e9}


@right("sb3_settings")
def renamed(ours):
    names = {
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
    found = {new: np.float64(ours[old]) for old, new in names.items()}
    return found | {"max_grad_norm": np.inf}


@wrong("sb3_settings", "gradient-norm-kept")
def norm_not_mentioned(ours):
    return {key: x for key, x in sb3(ours).items() if key != "max_grad_norm"}


@wrong("sb3_settings", "gradient-norm-kept")
def norm_of_ten(ours):
    return sb3(ours) | {"max_grad_norm": 10.0}


@wrong("sb3_settings", "none-for-no-limit")
def norm_none(ours):
    return sb3(ours) | {"max_grad_norm": None}


@wrong("sb3_settings", "no-gradient-left")
def norm_zero(ours):
    return sb3(ours) | {"max_grad_norm": 0.0}


@wrong("sb3_settings", "half-imagined")
def twice_the_weight(ours):
    return sb3(ours) | {"vf_coef": 2 * ours["value_coef"]}


@wrong("sb3_settings", "half-imagined")
def half_the_weight(ours):
    return sb3(ours) | {"vf_coef": 0.5 * ours["value_coef"]}


@wrong("sb3_settings", "steps-of-all-environments")
def all_steps(ours):
    return sb3(ours) | {"n_steps": ours["num_steps"] * ours["num_envs"]}


@wrong("sb3_settings", "count-not-size")
def how_many_minibatches(ours):
    return sb3(ours) | {
        "batch_size": ours["num_steps"] * ours["num_envs"] // ours["minibatch_size"]
    }


@wrong("sb3_settings", "whole-batch")
def one_minibatch(ours):
    return sb3(ours) | {"batch_size": ours["num_steps"] * ours["num_envs"]}


@wrong("sb3_settings", "updates-for-epochs")
def epochs_are_updates(ours):
    return sb3(ours) | {"n_epochs": ours["num_updates"]}


@wrong("sb3_settings", "gamma-and-lambda-swapped")
def gamma_lambda(ours):
    return sb3(ours) | {"gamma": ours["lam"], "gae_lambda": ours["gamma"]}


@wrong("sb3_settings", "whitening-off")
def not_whitened(ours):
    return sb3(ours) | {"normalize_advantage": False}


@wrong("sb3_settings", "entropy-sign")
def entropy_as_a_loss(ours):
    return sb3(ours) | {"ent_coef": -ours["entropy_coef"]}


@wrong("sb3_settings", "unknown-argument")
def our_names(ours):
    return dict(ours)


@wrong("sb3_settings", "unknown-argument")
def environments_too(ours):
    return sb3(ours) | {"n_envs": ours["num_envs"]}


@wrong("sb3_settings", "extra-switched-on")
def value_clip_on(ours):
    return sb3(ours) | {"clip_range_vf": ours["clip"]}


@wrong("sb3_settings", "extra-switched-on")
def stops_by_kl(ours):
    return sb3(ours) | {"target_kl": 0.01}


@wrong("sb3_settings", "default-kept")
def rate_forgotten(ours):
    return {key: x for key, x in sb3(ours).items() if key != "learning_rate"}


@wrong("sb3_settings", "default-kept")
def nothing_said(ours):
    return {"max_grad_norm": float("inf")}


@wrong("sb3_settings", "wrong-value")
def the_lesson_s_numbers(ours):
    told = {"num_steps": 64, "minibatch_size": 512, "epochs": 4, "gamma": 0.98, "lam": 0.9}
    told |= {"clip": 0.2, "value_coef": 0.5, "entropy_coef": 0.0, "learning_rate": 0.01}
    return sb3(told)


@wrong("sb3_settings", "band-not-distance")
def upper_edge(ours):
    return sb3(ours) | {"clip_range": 1 + ours["clip"]}


@wrong("sb3_settings", "step:kind")
def a_list(ours):
    return list(sb3(ours).items())


@wrong("sb3_settings", "step:kind")
def forgot_to_return(ours):
    sb3(ours)


def grpo(ours):
    return {
        "beta": ours["beta"],
        "epsilon": ours["clip_low"],
        "epsilon_high": ours["clip_high"],
        "loss_type": {"tokens": "dapo", "sentences": "grpo", "constant": "dr_grpo"}[ours["how"]],
        "scale_rewards": ours["divide"],
        "num_iterations": ours["epochs"],
        "num_generations": ours["group_size"],
    }


@right("grpo_settings")
def whole_batch_s_tokens(ours):
    return grpo(ours)


@right("grpo_settings")
def minibatch_s_tokens(ours):
    found = grpo(ours) | {"scale_rewards": "group" if ours["divide"] else "none"}
    return found | ({"loss_type": "bnpo"} if ours["how"] == "tokens" else {})


@right("grpo_settings")
def with_others(ours):
    return grpo(ours) | {"max_completion_length": 4, "temperature": 1.0, "learning_rate": 5e-3}


@right("grpo_settings")
def says_only_what_differs(ours):
    defaults = {"beta": 0.0, "epsilon": 0.2, "loss_type": "dapo", "scale_rewards": True}
    defaults |= {"num_iterations": 1, "num_generations": 8}
    return {key: x for key, x in grpo(ours).items() if key not in defaults or x != defaults[key]}


@wrong("grpo_settings", "one-edge-for-both")
def upper_forgotten(ours):
    return {key: x for key, x in grpo(ours).items() if key != "epsilon_high"}


@wrong("grpo_settings", "one-edge-for-both")
def same_edge_twice(ours):
    return grpo(ours) | {"epsilon_high": ours["clip_low"]}


@wrong("grpo_settings", "edges-swapped")
def edges(ours):
    return grpo(ours) | {"epsilon": ours["clip_high"], "epsilon_high": ours["clip_low"]}


@wrong("grpo_settings", "band-not-distance")
def ratio_of_the_edge(ours):
    return grpo(ours) | {"epsilon_high": 1 + ours["clip_high"]}


@wrong("grpo_settings", "our-word")
def how_as_it_is(ours):
    return grpo(ours) | {"loss_type": ours["how"]}


@wrong("grpo_settings", "other-mean")
def always_grpo(ours):
    return grpo(ours) | {"loss_type": "grpo"}


@wrong("grpo_settings", "other-mean")
def default_loss(ours):
    return {key: x for key, x in grpo(ours).items() if key != "loss_type"}


@wrong("grpo_settings", "division-turned-round")
def scaled_by_default(ours):
    return {key: x for key, x in grpo(ours).items() if key != "scale_rewards"}


@wrong("grpo_settings", "division-turned-round")
def the_other_way(ours):
    return grpo(ours) | {"scale_rewards": not ours["divide"]}


@wrong("grpo_settings", "other-group")
def by_batch(ours):
    return grpo(ours) | {"scale_rewards": "batch"}


@wrong("grpo_settings", "prompts-for-generations")
def prompts(ours):
    return grpo(ours) | {"num_generations": ours["num_prompts"]}


@wrong("grpo_settings", "whole-batch")
def all_completions(ours):
    return grpo(ours) | {"num_generations": ours["num_prompts"] * ours["group_size"]}


@wrong("grpo_settings", "default-kept")
def one_pass(ours):
    return {key: x for key, x in grpo(ours).items() if key != "num_iterations"}


@wrong("grpo_settings", "default-kept")
def no_leash(ours):
    return {key: x for key, x in grpo(ours).items() if key != "beta"}


@wrong("grpo_settings", "unknown-argument")
def group_size_kept(ours):
    return grpo(ours) | {"group_size": ours["group_size"]}


@wrong("grpo_settings", "extra-switched-on")
def by_sentence(ours):
    return grpo(ours) | {"importance_sampling_level": "sequence"}


@wrong("sb3_settings", "other-network")
def smaller_network(ours):
    return sb3(ours) | {"policy_kwargs": {"net_arch": [4], "ortho_init": False}}


@wrong("sb3_settings", "other-network")
def weights_that_decay(ours):
    adam = {"eps": 1e-8, "weight_decay": 0.1}
    return sb3(ours) | {"policy_kwargs": {"optimizer_kwargs": adam}}


@right("sb3_settings")
def layers_as_they_are(ours):
    adam = {"eps": 1e-8, "betas": (0.9, 0.999)}
    network = {"net_arch": {"pi": [64, 64], "vf": [64, 64]}, "activation_fn": torch.nn.Tanh}
    return sb3(ours) | {"policy_kwargs": network | {"optimizer_kwargs": adam}}
