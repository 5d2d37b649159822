"""The training runs that lesson 07 draws but doesn't repeat: ``python -m publish.group_runs``.

Every run is made with the lesson's own functions, as its text solves the exercises. A broken run
has one of them replaced. The results are a few kilobytes under policy_gradients/stored/.
"""

import argparse
import copy
import functools
import time
from pathlib import Path

import numpy as np
import torch

import policy_gradients as pg
from publish.solved import namespace

LESSON, PPO_LESSON = "07_groups", "06_toward_language"
FOLDER = Path(pg.__file__).parent / "stored"
UPDATES, PROMPTS, SIZE = 40, 16, 8  # updates of 16 prompts, 8 completions each
BETAS, BETA, RATE = (0.2, 0.3, 0.5), 0.3, 5e-3
EVERY = 5  # updates between two looks at the objective
RATES, TUNING_SEEDS, SEEDS = (1e-3, 2e-3, 5e-3, 1e-2), range(2), range(100, 112)


@functools.cache
def lesson(name=LESSON):
    return namespace(name)


@functools.cache
def reference():
    """(language, pretrained model): those of the lesson."""
    language = pg.language.Language(max_new=4)
    torch.manual_seed(0)
    model = pg.Transformer(language.num_tokens, language.length, language.num_tokens)
    language.pretrain(model, np.random.default_rng(0))
    return language, model


class Replaced:
    """For the length of a block some of a namespace's functions are others."""

    def __init__(self, names, **others):
        self.names, self.others = names, others

    def __enter__(self):
        self.kept = {name: self.names[name] for name in self.others}
        self.names.update(self.others)
        return self.names

    def __exit__(self, *_error):
        self.names.update(self.kept)


def trained(seed, rate, updates=UPDATES, watch=None, language=None, **options):
    """The policy after training by the lesson's train_grpo, and its history.

    watch(policy): called after every five updates
    """
    ours, model = reference()
    torch.manual_seed(seed)
    policy, rng, history = copy.deepcopy(model), np.random.default_rng(seed), []
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    options = {"num_prompts": PROMPTS, "group_size": SIZE, "beta": BETA, "rng": rng, **options}
    for _ in range(updates // EVERY):
        history += lesson()["train_grpo"](
            language or ours, policy, model, optimizer, num_updates=EVERY, **options
        )
        if watch:
            watch(policy)
    return policy, history


def measured(policy):
    """(exact KL to the reference, exact score)"""
    language, model = reference()
    exact = pg.language.exact(language, policy, model)
    return exact.kl, exact.score


# Three placements of the KL -------------------------------------------------------------------


def placed_run(place, beta, seed, rate=RATE):
    """(KL, score) of a run with the KL in the score ("reward") or in the loss ("k2", "k3")."""
    if place == "reward":
        return measured(trained(seed, rate, beta=beta)[0])
    names = lesson()
    plain_loss = names["grpo_loss"]

    def with_kl(logp, logp_old, logp_ref, adv, mask, *, how, length):
        loss = plain_loss(logp, logp_old, None, adv, mask, how=how, length=length)
        apart = torch.where(mask, logp - logp_ref, 0.0)
        term = apart**2 / 2 if place == "k2" else torch.expm1(-apart) + apart
        return loss + beta * names["aggregate_loss"](term, mask, how, length)

    with Replaced(names, grpo_loss=with_kl):
        return measured(trained(seed, rate, beta=0.0)[0])


def placements():
    """placed_PLACE (betas, seeds, 2) of KL and score; best_possible (2, K); aims (betas,)."""
    language, model = reference()
    line = pg.language.optima(language, model, np.geomspace(0.05, 30, 120))
    order = np.argsort([one.kl for one in line])
    found = {
        "betas": np.array(BETAS),
        "best_possible": np.array([[line[i].kl, line[i].score] for i in order]).T,
        "aims": np.array([one.kl for one in pg.language.optima(language, model, BETAS)]),
    }
    for place in ("reward", "k2", "k3"):
        runs = [[placed_run(place, beta, seed) for seed in SEEDS] for beta in BETAS]
        found[f"placed_{place}"] = np.array(runs, np.float32)
        print(place, np.median(found[f"placed_{place}"], axis=1).round(2).tolist(), flush=True)
    return found


# With and without a critic --------------------------------------------------------------------


def objective(policy):
    kl, score = measured(policy)
    return score - BETA * kl


def ppo_run(seed, rate):
    """Lesson 06's PPO on as many tokens: (policy, objective after every five updates)."""
    language, model = reference()
    torch.manual_seed(seed)
    policy, rng, curve = copy.deepcopy(model), np.random.default_rng(seed), []
    critic = pg.Transformer(language.num_tokens, language.length)
    optimizer = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=rate)
    for _ in range(UPDATES // EVERY):
        lesson(PPO_LESSON)["train_language_ppo"](
            language,
            policy,
            critic,
            model,
            optimizer,
            num_updates=EVERY,
            batch_size=PROMPTS * SIZE,
            beta=BETA,
            rng=rng,
            epochs=2,
        )
        curve.append(objective(policy))
    return policy, curve


def group_run(method):
    """RLOO or GRPO, a run (seed, rate) -> (policy, objective after every five updates)."""

    def run(seed, rate):
        names, curve = lesson(), []
        loo = names["rloo_advantages"]
        others = {"grpo_advantages": lambda scores, groups, divide: loo(scores, groups)}
        with Replaced(names, **(others if method == "rloo" else {})):
            policy, _history = trained(
                seed,
                rate,
                epochs=2,
                divide=method == "grpo",
                watch=lambda policy: curve.append(objective(policy)),
            )
        return policy, curve

    return run


def contest():
    """For each METHOD: curve_METHOD (seeds, updates / 5) objectives, final_METHOD (seeds, 2) of
    KL and score, rate_METHOD, time_METHOD in processor seconds an update, held_METHOD numbers:
    weights, gradients, and Adam's two means of each."""
    language, model = reference()
    best = pg.language.optimum(language, model, BETA)
    line = pg.language.optima(language, model, np.geomspace(0.05, 30, 120))
    found = {
        "best_objective": np.array(best.score - BETA * best.kl),
        "best_possible": np.array(sorted((one.kl, one.score) for one in line)).T,
        "updates": np.arange(1, UPDATES // EVERY + 1) * EVERY,
    }
    weights = sum(p.numel() for p in model.parameters())
    critic = sum(p.numel() for p in pg.Transformer(8, language.length).parameters())
    runs = {"ppo": ppo_run, "rloo": group_run("rloo"), "grpo": group_run("grpo")}
    for name, run in runs.items():
        tuning = [np.mean([run(seed, rate)[1] for seed in TUNING_SEEDS]) for rate in RATES]
        rate = RATES[int(np.argmax(tuning))]
        finals = [run(seed, rate) for seed in SEEDS]
        found[f"curve_{name}"] = np.array([curve for _policy, curve in finals], np.float32)
        found[f"final_{name}"] = np.array([measured(policy) for policy, _c in finals], np.float32)
        found[f"rate_{name}"] = np.array(rate)
        found[f"time_{name}"] = np.array(seconds_of(name))
        found[f"held_{name}"] = np.array(4 * (weights + critic * (name == "ppo")))
        print(name, rate, np.round(tuning, 3).tolist(), found[f"time_{name}"], flush=True)
    return found


def seconds_of(name, updates=10):
    """Processor seconds of an update, without what is measured beside it."""
    language, model = reference()
    policy, critic = copy.deepcopy(model), pg.Transformer(8, language.length)
    both = [*policy.parameters(), *(critic.parameters() if name == "ppo" else [])]
    optimizer, rng = torch.optim.Adam(both, lr=1e-3), np.random.default_rng(0)
    common = {"num_updates": updates, "beta": BETA, "rng": rng, "epochs": 2}
    begun = time.process_time()
    if name == "ppo":
        lesson(PPO_LESSON)["train_language_ppo"](
            language, policy, critic, model, optimizer, batch_size=PROMPTS * SIZE, **common
        )
    else:
        lesson()["train_grpo"](
            language,
            policy,
            model,
            optimizer,
            num_prompts=PROMPTS,
            group_size=SIZE,
            divide=name == "grpo",
            **common,
        )
    return (time.process_time() - begun) / updates


# The bug hunt on tokens -----------------------------------------------------------------------

HUNT_UPDATES = 30
GAUGES = ("mean_score", "kl", "first_ratio", "equal_groups", "spread", "between")


class Hot(pg.language.Language):
    """A sampler hotter than the scorer."""

    def sample(self, policy, batch_size=None, prompts=None, **_others):
        return super().sample(policy, batch_size, prompts, temperature=1.5)


def told_by_the_sampler(names):
    """What is stored are the sampler's log-probabilities, at its own temperature."""
    right = names["token_logp"]

    def token_logp(logits, tokens):
        return right(logits if torch.is_grad_enabled() else logits / 1.5, tokens)

    return {"token_logp": token_logp}


class OnePrompt(pg.language.Language):
    """Every group of a batch asks the same."""

    def sample(self, policy, batch_size=None, prompts=None, **_others):
        return super().sample(policy, prompts=prompts[:1].expand(len(prompts), -1))


class Worse(pg.language.Language):
    """The scores with a minus sign; the log tells them as they are."""

    def score(self, tokens):
        return -super().score(tokens)


def batch_whitened(names):
    return {"grpo_advantages": lambda s, g, divide: (s - s.mean()) / (s.std() + 1e-4)}


def misaligned(names):
    right = names["grpo_advantages"]
    return {"grpo_advantages": lambda s, g, divide: right(s, torch.roll(g, 1), divide)}


def deviation_is_one(names):
    right = names["grpo_advantages"]
    return {"grpo_advantages": lambda s, g, divide: right(s, g, divide=False)}


def mask_inverted(names):
    right = names["grpo_loss"]

    def loss(logp, logp_old, ref, adv, mask, **options):
        return right(logp, logp_old, ref, adv, ~mask, **options)

    return {"grpo_loss": loss}


# Run -> what is wrong with it: functions replaced, another language, options of train_grpo.
BROKEN = {
    "A": {"language": Hot, "replaced": told_by_the_sampler},
    "B": {"replaced": deviation_is_one},
    "C": {"options": {"beta": -BETA}},
    "D": {"replaced": batch_whitened},
    "E": {"replaced": mask_inverted},
    "F": {"replaced": misaligned},
    "healthy": {},
    "score-sign": {"language": Worse},
    "reference-follows": {"follows": True},
    "groups-of-one-prompt": {"language": OnePrompt},
}


def bug_run(replaced=None, language=None, options=None, follows=False, seed=1, updates=None):
    """The gauges of one run, {key: (updates,)}."""
    names = lesson()
    others = replaced(names) if replaced else {}
    rows, advantages = [], others.get("grpo_advantages", names["grpo_advantages"])

    def watched(scores, groups, divide):
        adv = advantages(scores, groups, divide)
        means = adv.reshape(PROMPTS, SIZE).mean(1)
        rows.append((adv.std().item(), means.std().item()))
        return adv

    with Replaced(names, **{**others, "grpo_advantages": watched}):
        history = hunted(language, options or {}, follows, seed, updates or HUNT_UPDATES)
    found = {key: np.array([row[key] for row in history], np.float32) for key in GAUGES[:4]}
    if language is Worse:
        found["mean_score"] = -found["mean_score"]
    return found | dict(zip(GAUGES[4:], np.array(rows, np.float32).T, strict=True))


def hunted(language, options, follows, seed, updates):
    ours, model = reference()
    task = language(max_new=4) if language else ours
    torch.manual_seed(seed)
    policy, rng, history = copy.deepcopy(model), np.random.default_rng(seed), []
    compared = copy.deepcopy(model)
    optimizer = torch.optim.Adam(policy.parameters(), lr=RATE)
    options = {"beta": BETA, "divide": True, **options}
    for _ in range(updates):
        history += lesson()["train_grpo"](
            task,
            policy,
            compared,
            optimizer,
            num_updates=1,
            num_prompts=PROMPTS,
            group_size=SIZE,
            rng=rng,
            **options,
        )
        if follows:
            compared.load_state_dict(policy.state_dict())
    return history


def token_bug_hunt(updates=None):
    """The stored arrays: "run/gauge" -> (updates,); decoys' runs by their names."""
    return {
        f"{name}/{key}": values
        for name, wrong in BROKEN.items()
        for key, values in bug_run(**wrong, updates=updates).items()
    }


MAKERS = {"token_bug_hunt": token_bug_hunt, "placements": placements, "contest": contest}


def main(arguments=None):
    """Make the named files again, all where none is named."""
    parser = argparse.ArgumentParser(prog="python -m publish.group_runs", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MAKERS, []], metavar="NAME")
    torch.set_num_threads(1)
    for name in parser.parse_args(arguments).names or MAKERS:
        path = FOLDER / f"{name}.npz"
        np.savez_compressed(path, **MAKERS[name]())
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
