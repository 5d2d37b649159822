"""A library's arguments for the course's algorithm: what the returned dict amounts to there."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from grader.checking import N_, Case, Problem, RuleExercise, _, dict_hint, kind_text


class Slip(NamedTuple):
    """A usual mistake: its name, its hint (a msgid), and (ours, value) -> whether it is this."""

    name: str
    hint: str
    test: Callable


@dataclass(frozen=True)
class Argument:
    """One argument of the library.

    name: what it is called there; default: its value where the dict leaves it out
    right: (ours, settings) -> whether the value in settings is right
    slips: in order
    """

    name: str
    default: object
    right: Callable
    hint: str
    slips: tuple = ()


def read(seen):
    """A plain value of what was observed: numbers, texts, None, lists, dicts; else its kind in
    words."""
    kind = seen.get("kind")
    if kind in ("number", "text"):
        return seen["value"]
    if kind in ("array", "tensor") and np.size(seen["array"]) == 1:
        return np.asarray(seen["array"]).item()
    if kind in ("list", "tuple"):
        return [read(item) for item in seen["items"]]
    if kind == "mapping":
        return {str(read(key)): read(value) for key, value in seen["items"]}
    return None if kind == "none" else f"<{kind_text(seen)}>"


def same(one, other):
    """Equal as an argument: numbers by value, whatever their type."""
    nested = isinstance(one, (str, list, dict)) or isinstance(other, (list, dict))
    if nested or isinstance(one, bool) != isinstance(other, bool):
        return one == other
    try:
        return bool(np.isclose(one, other, rtol=1e-9, atol=0))
    except TypeError:
        return one == other


def argument(name, default, right, hint, *slips) -> Argument:
    return Argument(name, default, right, hint, slips)


def from_ours(*keys):
    """Whether the value is the product of ours under these keys."""
    return lambda ours, value: same(value, math.prod(ours[key] for key in keys))


def settings_rule(library, arguments, allowed):
    """A rule: a dict whose values, with the library's defaults, are ours.

    allowed: names of other arguments -> the values that change nothing, None for any
    """

    def rule(case, seen):
        ours, value = dict(case.inputs["ours"]), seen["value"]
        if value.get("kind") != "mapping":
            got, hint = kind_text(value), dict_hint(value)
            return Problem(step="kind", expected=_("a dict of arguments"), got=got, hint=hint)
        found = read(value)
        return _strange(found, library, arguments, allowed) or next(
            (p for p in (_judged(one, ours, found) for one in arguments) if p), None
        )

    return rule


def _strange(found, library, arguments, allowed):
    """A name that the library doesn't know, or another argument that changes the algorithm."""
    known = {one.name for one in arguments}
    for name, value in found.items():
        got = f"{name} = {value!r}"
        if name not in known and name not in allowed:
            hint = _("{library} calls it something else, or has no such argument.")
            hint = hint.format(library=library)
            wanted = _("arguments of {library}").format(library=library)
            return Problem(
                step="value", expected=wanted, got=got, hint=hint, mistake="unknown-argument"
            )
        if name in allowed and not neutral(name, value, allowed):
            hint = _("The course's algorithm has nothing of the kind. Leave it switched off.")
            return Problem(step="value", got=got, hint=hint, mistake="extra-switched-on")
    return None


def neutral(name, value, allowed):
    """Whether the argument is an allowed one with a value that changes nothing."""
    if name not in allowed:
        return False
    return allowed[name] is None or any(same(value, one) for one in allowed[name])


def _judged(argument, ours, found):
    given = argument.name in found
    value = found.get(argument.name, argument.default)
    if argument.right(ours, value):
        return None
    got = f"{argument.name} = {value!r}"
    if not given:
        got += " " + _("(left out: the library's default)")
    for slip in argument.slips:
        if _safely(slip.test, ours, value):
            return Problem(step="value", got=got, hint=_(slip.hint), mistake=slip.name)
    name = "wrong-value" if given else "default-kept"
    return Problem(step="value", got=got, hint=_(argument.hint), mistake=name)


def _safely(test, *args):
    try:
        return bool(test(*args))
    except Exception:  # a value of another type is no such slip
        return False


# sb3_settings ---------------------------------------------------------------------------------


def sb3_case(**changes):
    ours = {
        "num_envs": 32,
        "num_steps": 64,
        "num_updates": 36,
        "gamma": 0.98,
        "lam": 0.9,
        "epochs": 4,
        "minibatch_size": 512,
        "clip": 0.2,
        "value_coef": 0.5,
        "entropy_coef": 0.0,
        "learning_rate": 0.01,
    }
    return Case({"ours": ours | changes})


def sb3_cases(rng):
    """Other settings than the lesson's, so that constants show, and its own. In the first no
    number of ours is a default that stands for something else."""
    return [
        sb3_case(num_envs=8, num_steps=128, minibatch_size=256),
        sb3_case(),
        sb3_case(clip=0.1, value_coef=0.25, entropy_coef=0.01, learning_rate=3e-4),
        sb3_case(
            num_steps=int(rng.integers(16, 50)) * 4,
            epochs=int(rng.integers(2, 9)),
            gamma=float(rng.uniform(0.9, 0.999)),
            lam=float(rng.uniform(0.8, 0.89)),
            clip=float(rng.uniform(0.1, 0.4)),
            value_coef=float(rng.uniform(0.3, 0.9)),
            entropy_coef=float(rng.uniform(0.001, 0.02)),
            learning_rate=float(rng.uniform(1e-4, 1e-2)),
        ),
    ]


LAYERS = [64, 64]
# What policy_kwargs may say without another algorithm: name -> values, None for any.
OF_THE_NETWORK = {
    "net_arch": (LAYERS, {"pi": LAYERS, "vf": LAYERS}),
    "activation_fn": None,
    "ortho_init": (True,),
    "optimizer_class": None,
    "optimizer_kwargs": None,  # see OF_ADAM
}
OF_ADAM = {"eps": (1e-8, 1e-5), "weight_decay": (0,), "amsgrad": (False,), "betas": ([0.9, 0.999],)}


def same_network(ours, given):
    """policy_kwargs that leave network and optimiser as they are, but for Adam's epsilon."""
    if given is None:
        return True
    adam = given.get("optimizer_kwargs") or {} if isinstance(given, dict) else None
    return isinstance(adam, dict) and all(
        neutral(name, value, allowed)
        for found, allowed in ((given, OF_THE_NETWORK), (adam, OF_ADAM))
        for name, value in found.items()
    )


COUNTS = N_("Stable-Baselines3 counts the steps of each environment, and so does train_ppo.")
NETWORK = N_(
    "policy_kwargs may set Adam's epsilon. The networks, two hidden layers of 64, and the rest of "
    "the optimiser stay as they are."
)
LOSS = N_("Both value losses are plain mean squared errors. Does the weight change?")

SB3 = (
    argument(
        "n_steps",
        2048,
        from_ours("num_steps"),
        COUNTS,
        Slip("steps-of-all-environments", COUNTS, from_ours("num_steps", "num_envs")),
    ),
    argument(
        "batch_size",
        64,
        from_ours("minibatch_size"),
        N_("Its batch_size is the size of one minibatch."),
        Slip(
            "whole-batch",
            "Its batch_size is the size of one minibatch, not of the rollout.",
            from_ours("num_steps", "num_envs"),
        ),
        Slip(
            "count-not-size",
            "How many minibatches there are follows from their size.",
            lambda ours, v: same(v, ours["num_steps"] * ours["num_envs"] // ours["minibatch_size"]),
        ),
    ),
    argument(
        "n_epochs",
        10,
        from_ours("epochs"),
        N_("How often does an update go through its rollout?"),
        Slip(
            "updates-for-epochs",
            "Epochs are passes over one rollout. The number of updates is for learn().",
            from_ours("num_updates"),
        ),
    ),
    argument(
        "gamma",
        0.99,
        from_ours("gamma"),
        N_("Is this our discount?"),
        Slip(
            "gamma-and-lambda-swapped",
            "gamma discounts rewards, lambda mixes the lengths of GAE.",
            from_ours("lam"),
        ),
    ),
    argument("gae_lambda", 0.95, from_ours("lam"), N_("Is this our lambda?")),
    argument(
        "clip_range",
        0.2,
        from_ours("clip"),
        N_("Which band does ours ask for?"),
        Slip(
            "band-not-distance",
            "clip_range is the distance from 1 to the edge.",
            lambda ours, v: same(v, 1 + ours["clip"]),
        ),
    ),
    argument(
        "vf_coef",
        0.5,
        from_ours("value_coef"),
        LOSS,
        Slip(
            "half-imagined",
            LOSS,
            lambda ours, v: same(v, 2 * ours["value_coef"]) or same(v, ours["value_coef"] / 2),
        ),
    ),
    argument(
        "ent_coef",
        0.0,
        from_ours("entropy_coef"),
        N_("Which weight has the entropy in ours?"),
        Slip(
            "entropy-sign",
            "The library takes the sign of the bonus upon itself, as ours does.",
            lambda ours, v: v < 0,
        ),
    ),
    argument(
        "learning_rate", 3e-4, from_ours("learning_rate"), N_("Which learning rate has ours?")
    ),
    argument(
        "max_grad_norm",
        0.5,
        lambda ours, v: not isinstance(v, str) and v is not None and v >= 1e6,
        N_("Ours shortens no gradient. Above which length does the library, if told so?"),
        Slip(
            "gradient-norm-kept",
            "Ours has no limit on the gradient's norm, the library has one by default. "
            "How large must it be, never to matter?",
            lambda ours, v: v is not None and 0 < v < 1e6,
        ),
        Slip(
            "no-gradient-left",
            "A limit of 0 shortens every gradient to nothing.",
            lambda ours, v: v is not None and v <= 0,
        ),
        Slip(
            "none-for-no-limit",
            "It needs a number here: None is an error. Which number never matters?",
            lambda ours, v: v is None,
        ),
    ),
    argument(
        "normalize_advantage",
        True,
        lambda ours, v: v is True or same(v, 1),
        N_("Ours whitens advantages. The library does so for each minibatch, or not at all."),
        Slip(
            "whitening-off",
            "Ours whitens the rollout. By minibatch is nearer to that than not at all.",
            lambda ours, v: not v,
        ),
    ),
    argument(
        "policy_kwargs",
        None,
        same_network,
        NETWORK,
        Slip("other-network", NETWORK, lambda ours, v: True),
    ),
)
NEUTRAL_SB3 = {
    "clip_range_vf": (None,),
    "target_kl": (None,),
    "use_sde": (False,),
    "sde_sample_freq": None,
    "stats_window_size": None,
    "seed": None,
    "device": None,
    "verbose": None,
    "tensorboard_log": None,
    "rollout_buffer_class": (None,),
    "rollout_buffer_kwargs": (None, {}),
    "_init_setup_model": (True,),
}

SB3_SETTINGS = RuleExercise(
    "sb3_settings", "call", sb3_cases, rules=(settings_rule("Stable-Baselines3", SB3, NEUTRAL_SB3),)
)


# grpo_settings --------------------------------------------------------------------------------


def grpo_case(**changes):
    ours = {
        "beta": 0.04,
        "clip_low": 0.2,
        "clip_high": 0.28,
        "how": "tokens",
        "divide": False,
        "epochs": 2,
        "group_size": 6,
        "num_prompts": 16,
    }
    return Case({"ours": ours | changes})


def grpo_cases(rng):
    """Each way to average, with and without the division; drawn numbers."""
    return [
        grpo_case(),
        grpo_case(how="sentences", divide=True, beta=0.0),
        grpo_case(how="constant", clip_low=0.1, clip_high=0.1, epochs=1),
        grpo_case(
            beta=float(rng.uniform(0.01, 0.1)),
            clip_low=float(rng.uniform(0.1, 0.19)),
            clip_high=float(rng.uniform(0.25, 0.4)),
            how=str(rng.choice(["tokens", "sentences", "constant"])),
            epochs=int(rng.integers(3, 6)),
            group_size=int(rng.integers(3, 8)),
            divide=bool(rng.integers(2)),
        ),
    ]


# The loss of TRL whose mean is ours. dapo and bnpo differ in which batch's tokens are counted.
LOSSES = {"tokens": ("dapo", "bnpo"), "sentences": ("grpo",), "constant": ("dr_grpo",)}
WHOSE_MEAN = N_("Whose mean is each loss? Read the table above the exercise once more.")


def edge(ours, value):
    """The upper edge, where the default None means that of the lower one."""
    return same(value, ours["clip_high"])


GRPO = (
    argument(
        "beta", 0.0, from_ours("beta"), N_("Which weight has the KL to the reference in ours?")
    ),
    argument(
        "epsilon",
        0.2,
        from_ours("clip_low"),
        N_("epsilon is the lower edge's distance from 1."),
        Slip(
            "edges-swapped",
            "epsilon is the lower edge, epsilon_high the upper one.",
            from_ours("clip_high"),
        ),
    ),
    argument(
        "epsilon_high",
        None,
        lambda ours, v: edge(ours, ours["clip_low"] if v is None else v),
        N_("epsilon_high is the upper edge's distance from 1."),
        Slip(
            "one-edge-for-both",
            "Left out or None, it is that of the lower edge. Is it, in ours?",
            lambda ours, v: v is None or same(v, ours["clip_low"]),
        ),
        Slip(
            "band-not-distance",
            "epsilon_high is the distance from 1 to the upper edge.",
            lambda ours, v: same(v, 1 + ours["clip_high"]),
        ),
    ),
    argument(
        "loss_type",
        "dapo",
        lambda ours, v: v in LOSSES[ours["how"]],
        WHOSE_MEAN,
        Slip(
            "our-word",
            "That is our word for it. Which is the library's?",
            lambda ours, v: v in LOSSES,
        ),
        Slip("other-mean", WHOSE_MEAN, lambda ours, v: v in ("dapo", "bnpo", "grpo", "dr_grpo")),
    ),
    argument(
        "scale_rewards",
        "group",
        lambda ours, v: v in ((True, "group") if ours["divide"] else (False, "none")),
        N_("Does ours divide by the deviation of the group?"),
        Slip(
            "other-group",
            '"batch" divides by the deviation of the whole batch.',
            lambda ours, v: v == "batch",
        ),
        Slip(
            "division-turned-round",
            "Does ours divide by the group's deviation here? And do these settings?",
            lambda ours, v: v in (True, False, "group", "none"),
        ),
    ),
    argument(
        "num_iterations",
        1,
        from_ours("epochs"),
        N_("num_iterations is the number of passes over one batch."),
    ),
    argument(
        "num_generations",
        8,
        from_ours("group_size"),
        N_("num_generations is the number of completions of each prompt."),
        Slip(
            "prompts-for-generations",
            "That is the number of prompts. How many completions has each?",
            from_ours("num_prompts"),
        ),
        Slip(
            "whole-batch",
            "Completions of each prompt are asked, not all of the batch.",
            from_ours("num_prompts", "group_size"),
        ),
    ),
)
NEUTRAL_GRPO = {
    "max_completion_length": None,
    "output_dir": None,
    "learning_rate": None,
    "lr_scheduler_type": None,
    "max_grad_norm": None,
    "temperature": (1.0,),
    "delta": (None,),
    "importance_sampling_level": ("token",),
    "per_device_train_batch_size": None,
    "generation_batch_size": None,
    "steps_per_generation": None,
    "gradient_accumulation_steps": None,
    "max_steps": None,
    "report_to": None,
    "seed": None,
    "use_cpu": None,
    "bf16": None,
    "use_bias_correction_kl": None,
    "mask_truncated_completions": (False,),
}

GRPO_SETTINGS = RuleExercise(
    "grpo_settings",
    "call",
    grpo_cases,
    rules=(settings_rule("TRL's GRPOConfig", GRPO, NEUTRAL_GRPO),),
)
