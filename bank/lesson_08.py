"""The bank of 08_libraries. Helpers are the bank's own, so that no two styles share code."""

import math

import numpy as np
import torch

from bank import right, value, wrong

# approx_kl_dialects ---------------------------------------------------------------------------


@right("approx_kl_dialects")
def vectorised(logp, logp_old):
    d = logp - logp_old
    per_sample = d.exp() - 1 - d
    half = d.shape[0] // 2
    return {
        "k1": -d.mean(),
        "k2": 0.5 * (d * d).mean(),
        "k3": per_sample.mean(),
        "k3 last epoch": per_sample[half:].mean(),
        "k3 last minibatch": per_sample[-1].mean(),
    }


@right("approx_kl_dialects")
def row_by_row(logp, logp_old):
    """Each minibatch's numbers first, as a program logs them, then their means."""
    rows = []
    for new, old in zip(logp.tolist(), logp_old.tolist(), strict=True):
        gaps = [b - a for a, b in zip(new, old, strict=True)]
        k1 = sum(gaps) / len(gaps)
        k2 = sum(g * g for g in gaps) / len(gaps) / 2
        rows.append((k1, k2, sum(math.exp(-g) - 1 + g for g in gaps) / len(gaps)))
    k1, k2, k3 = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    late = [row[2] for row in rows[len(rows) // 2 :]]
    last = sum(late) / len(late)
    return {"k1": k1, "k2": k2, "k3": k3, "k3 last epoch": last, "k3 last minibatch": rows[-1][2]}


@right("approx_kl_dialects")
def in_numpy(logp, logp_old):
    d = np.asarray(logp, dtype=np.float64) - np.asarray(logp_old, dtype=np.float64)
    k3 = (np.expm1(d) - d).mean(axis=1)
    found = {"k1": np.mean(-d), "k2": np.square(d).mean() / 2, "k3": k3.mean()}
    found["k3 last epoch"] = np.split(k3, 2)[1].mean()
    found["k3 last minibatch"] = k3[-1]
    return found


@right("approx_kl_dialects")
def with_more_keys(logp, logp_old):
    with torch.no_grad():
        d = logp - logp_old
        k3 = torch.expm1(d) - d
        early, late = k3.chunk(2)
        return {
            "k3 last minibatch": late[-1].mean().item(),
            "k3 last epoch": late.mean().item(),
            "k3 first epoch": early.mean().item(),
            "k3": k3.mean().item(),
            "k2": d.pow(2).mean().div(2).item(),
            "k1": d.neg().mean().item(),
        }


def parts(d):
    k3 = (d.exp() - 1 - d).mean(1)
    late = len(d) // 2
    numbers = -d.mean(), (d**2).mean() / 2, k3.mean(), k3[late:].mean(), k3[-1]
    return dict(zip(("k1", "k2", "k3", "k3 last epoch", "k3 last minibatch"), numbers, strict=True))


@wrong("approx_kl_dialects", "kl-direction")
def everything_turned(logp, logp_old):
    return parts(logp_old - logp)


@wrong("approx_kl_dialects", "kl-direction")
def new_minus_old(logp, logp_old):
    return parts(logp - logp_old) | {"k1": (logp - logp_old).mean()}


@wrong("approx_kl_dialects", "k3-sign")
def other_ratio(logp, logp_old):
    found, turned = parts(logp - logp_old), parts(logp_old - logp)
    return found | {key: turned[key] for key in turned if key.startswith("k3")}


@wrong("approx_kl_dialects", "k2-without-half")
def mean_square(logp, logp_old):
    return parts(logp - logp_old) | {"k2": ((logp - logp_old) ** 2).mean()}


@wrong("approx_kl_dialects", "last-epoch-everything")
def epoch_is_the_update(logp, logp_old):
    found = parts(logp - logp_old)
    return found | {"k3 last epoch": found["k3"]}


@wrong("approx_kl_dialects", "first-epoch")
def first_half(logp, logp_old):
    d = logp - logp_old
    return parts(d) | {"k3 last epoch": parts(d[: len(d) // 2])["k3"]}


@wrong("approx_kl_dialects", "epoch-is-a-minibatch")
def last_row_twice(logp, logp_old):
    found = parts(logp - logp_old)
    return found | {"k3 last epoch": found["k3 last minibatch"]}


@wrong("approx_kl_dialects", "last-sample")
def very_last_number(logp, logp_old):
    d = (logp - logp_old)[-1, -1]
    return parts(logp - logp_old) | {"k3 last minibatch": d.exp() - 1 - d}


@wrong("approx_kl_dialects", "first-minibatch")
def first_row(logp, logp_old):
    d = (logp - logp_old)[0]
    return parts(logp - logp_old) | {"k3 last minibatch": (d.exp() - 1 - d).mean()}


@wrong("approx_kl_dialects", "rows-and-columns")
def last_column(logp, logp_old):
    d = (logp - logp_old)[:, -1]
    return parts(logp - logp_old) | {"k3 last minibatch": (d.exp() - 1 - d).mean()}


@wrong("approx_kl_dialects", "cut-at-zero")
def never_negative(logp, logp_old):
    return parts(logp - logp_old) | {"k1": (logp_old - logp).mean().clamp(min=0.0)}


@wrong("approx_kl_dialects", "cut-at-zero")
def without_sign(logp, logp_old):
    return parts(logp - logp_old) | {"k1": (logp_old - logp).mean().abs()}


@wrong("approx_kl_dialects", "sum-not-mean")
def sums(logp, logp_old):
    d = logp - logp_old
    k3 = d.exp() - 1 - d
    numbers = -d.sum(), (d**2).sum() / 2, k3.sum(), k3[len(d) // 2 :].sum(), k3[-1].sum()
    return dict(zip(parts(d), numbers, strict=True))


@wrong("approx_kl_dialects", "ratio-of-means")
def exp_of_the_mean(logp, logp_old):
    d = logp - logp_old

    def k3(x):
        return x.mean().exp() - 1 - x.mean()

    late = d[len(d) // 2 :]
    return parts(d) | {"k3": k3(d), "k3 last epoch": k3(late), "k3 last minibatch": k3(d[-1])}


@wrong("approx_kl_dialects", "tuple-returned")
def a_tuple(logp, logp_old):
    return tuple(parts(logp - logp_old).values())


@wrong("approx_kl_dialects", "dict-returned")
def other_keys(logp, logp_old):
    return {key.replace(" ", "_"): x for key, x in parts(logp - logp_old).items()}


# clip_fraction_dialects -----------------------------------------------------------------------


@right("clip_fraction_dialects")
def by_cases(ratio, adv, clip=0.2):
    out = (ratio < 1 - clip) | (ratio > 1 + clip)
    cut = ((ratio > 1 + clip) & (adv > 0)) | ((ratio < 1 - clip) & (adv < 0))
    return out.mean(), cut.mean()


@right("clip_fraction_dialects")
def by_the_smaller_objective(ratio, adv, clip=0.2):
    held = np.clip(ratio, 1 - clip, 1 + clip)
    return np.mean(held != ratio), np.mean(held * adv < ratio * adv)


@right("clip_fraction_dialects")
def one_by_one(ratio, adv, clip=0.2):
    outside = bites = 0
    for r, a in zip(ratio, adv, strict=True):
        if r > 1 + clip:
            outside, bites = outside + 1, bites + (a > 0)
        elif r < 1 - clip:
            outside, bites = outside + 1, bites + (a < 0)
    return outside / len(ratio), bites / len(ratio)


@right("clip_fraction_dialects")
def through_torch(ratio, adv, clip=0.2):
    r, a = torch.as_tensor(ratio), torch.as_tensor(adv)
    out = (r > 1 + clip) | (r < 1 - clip)
    cut = out & ((r - 1) * a > 0)
    return [out.double().mean(), cut.double().mean()]


def masks(ratio, adv, clip):
    above, below = ratio > 1 + clip, ratio < 1 - clip
    return above | below, (above & (adv > 0)) | (below & (adv < 0))


@wrong("clip_fraction_dialects", "order")
def swapped(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return cut.mean(), out.mean()


@wrong("clip_fraction_dialects", "bites-on-the-other-side")
def signs_turned(ratio, adv, clip=0.2):
    return masks(ratio, adv, clip)[0].mean(), masks(ratio, -adv, clip)[1].mean()


@wrong("clip_fraction_dialects", "sign-ignored")
def the_same_twice(ratio, adv, clip=0.2):
    out = float(masks(ratio, adv, clip)[0].mean())
    return out, out


@wrong("clip_fraction_dialects", "one-sign-only")
def above_alone_bites(ratio, adv, clip=0.2):
    out, _cut = masks(ratio, adv, clip)
    return out.mean(), ((ratio > 1 + clip) & (adv > 0)).mean()


@wrong("clip_fraction_dialects", "one-sign-only")
def positive_alone(ratio, adv, clip=0.2):
    out, _cut = masks(ratio, adv, clip)
    return out.mean(), (out & (adv > 0)).mean()


@wrong("clip_fraction_dialects", "zero-counted")
def zeros_too(ratio, adv, clip=0.2):
    out, _cut = masks(ratio, adv, clip)
    return out.mean(), (
        ((ratio > 1 + clip) & (adv >= 0)) | ((ratio < 1 - clip) & (adv <= 0))
    ).mean()


@wrong("clip_fraction_dialects", "zero-counted")
def held_is_not_larger(ratio, adv, clip=0.2):
    held = np.clip(ratio, 1 - clip, 1 + clip)
    return np.mean(held != ratio), np.mean((held != ratio) & (held * adv <= ratio * adv))


@wrong("clip_fraction_dialects", "share-of-the-outside")
def of_those_outside(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return out.mean(), cut.sum() / max(1, out.sum())


@wrong("clip_fraction_dialects", "one-side-counted")
def above_only(ratio, adv, clip=0.2):
    return (ratio > 1 + clip).mean(), masks(ratio, adv, clip)[1].mean()


@wrong("clip_fraction_dialects", "share-inside")
def inside(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return 1 - out.mean(), cut.mean()


@wrong("clip_fraction_dialects", "count-not-share")
def counts(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, clip)
    return out.sum(), cut.sum()


@wrong("clip_fraction_dialects", "clip-fixed")
def always_a_fifth(ratio, adv, clip=0.2):
    out, cut = masks(ratio, adv, 0.2)
    return out.mean(), cut.mean()


@wrong("clip_fraction_dialects", "number-returned")
def one_number(ratio, adv, clip=0.2):
    return masks(ratio, adv, clip)[0].mean()


# sb3_settings ---------------------------------------------------------------------------------


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


# grpo_settings --------------------------------------------------------------------------------


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


# Questions ------------------------------------------------------------------------------------

for question, answer in [("q_time_limit", "b"), ("q_value_loss", "c"), ("q_defaults", "c")]:
    value(question, answer, answer)
    value(question, "in-brackets", f"({answer.upper()})")
    for letter in "abcd":
        if letter != answer:
            value(question, letter, letter, f"chose-{letter}")
    value(question, "empty", None, "not-answered")

STOP, END, ON = "bootstrap, stop", "end", "runs on"
FOUND = {"A": ON, "B": STOP, "C": END, "D": STOP, "E": END, "F": STOP}
value("whose_gae", "as_asked", FOUND)
value("whose_gae", "another_order", dict(reversed(FOUND.items())))
value("whose_gae", "with_notes", FOUND | {"note": "skrl?"})
value("whose_gae", "spelled_freely", {run: f" {way.upper()} " for run, way in FOUND.items()})
for run, other in [("A", END), ("B", ON), ("C", ON), ("D", END), ("E", STOP), ("F", ON)]:
    value("whose_gae", f"{run}_is_{other[:3]}", FOUND | {run: other}, f"run-{run}")
value("whose_gae", "all_alike", dict.fromkeys(FOUND, STOP), "run-A")
value("whose_gae", "unanswered", dict.fromkeys(FOUND), "not-answered")
value("whose_gae", "half_answered", FOUND | {"D": None}, "not-answered")
value("whose_gae", "own_words", FOUND | {"B": "bootstraps"}, "unknown-bug")
value("whose_gae", "one_missing", {run: FOUND[run] for run in "ABCDE"}, "run-left-out")
value("whose_gae", "in_a_list", list(FOUND.values()), "step:kind")
