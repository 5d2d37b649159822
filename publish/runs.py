"""The training runs that lessons 05 and 05b draw but don't repeat: ``python -m publish.runs``.

Every run is made with the lesson's own functions, as its text solves the exercises. A broken run
has one of them replaced. The results are a few kilobytes under policy_gradients/stored/.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import policy_gradients as pg
from publish import practice_runs
from publish.solved import namespace

LESSON = "05_ppo_loop"
FOLDER = Path(pg.__file__).parent / "stored"
# Runs that nobody is shown, lest they tell which bugs are none of the hunt's.
UNSEEN = Path(__file__).resolve().parents[1] / "tests" / "fixtures"
COUNT, STEPS, UPDATES = 32, 64, 48  # environments, steps of a rollout, updates
RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
TUNING_SEEDS, SEEDS = range(4), range(100, 112)
EPISODES, EVERY = 50, 2  # episodes of an evaluation, updates between two


def networks(seed, rate, trained=("policy", "critic")):
    """Policy, critic and their common optimiser; `trained` says whose weights it holds."""
    torch.manual_seed(seed)
    both = {"policy": pg.MLP(4, 2, gain=0.01), "critic": pg.MLP(4)}
    weights = [p for name in trained for p in both[name].parameters()]
    return *both.values(), torch.optim.Adam(weights, lr=rate)


# Learning curves ------------------------------------------------------------------------------


def ppo(lesson, epochs, clip=0.2, minibatch_size=512):
    """A training run (seed, rate) -> (steps, mean returns), by the lesson's PPO."""

    def run(seed, rate):
        policy, critic, optimizer = networks(seed, rate)
        update, curve = lesson["ppo_update"], Curve(policy)

        def watched(*args, **options):
            curve.before_update(COUNT * STEPS)
            return update(*args, **options)

        lesson["ppo_update"] = watched
        try:
            envs, rng = pg.envs.VectorCartPole(COUNT), np.random.default_rng(seed)
            options = {"epochs": epochs, "clip": clip, "minibatch_size": minibatch_size}
            lesson["train_ppo"](envs, policy, critic, optimizer, UPDATES, STEPS, rng, **options)
        finally:
            lesson["ppo_update"] = update
        return curve.finished()

    return run


def reinforce(lesson):
    """Whole episodes, about as many steps a batch as the others; whitened reward-to-go."""

    def run(seed, rate):
        policy, _critic, optimizer = networks(seed, rate, trained=("policy",))
        curve, rng, length = Curve(policy), np.random.default_rng(seed), 20.0
        while curve.steps < UPDATES * COUNT * STEPS:
            count = max(4, round(COUNT * STEPS / length))
            obs, actions, weights = episodes(policy, count, int(rng.integers(2**31)))
            curve.before_update(len(actions))
            logp = torch.log_softmax(policy(obs), dim=-1).gather(1, actions[:, None])[:, 0]
            weights = torch.as_tensor(lesson["normalize_advantages"](weights), dtype=logp.dtype)
            optimizer.zero_grad()
            (-(weights * logp).mean()).backward()
            optimizer.step()
            length = len(actions) / count
        return curve.finished()

    return run


def episodes(policy, count, seed, gamma=0.98):
    """Observations (B, 4), actions (B,) and rewards-to-go (B,) of `count` whole episodes."""
    envs = pg.envs.VectorCartPole(count)
    obs, _info = envs.reset(seed=seed)
    playing, rows = np.ones(count, bool), []
    while playing.any():
        with torch.no_grad():
            actions = torch.multinomial(torch.softmax(policy(obs), dim=-1), 1)[:, 0].numpy()
        following, rewards, terminated, truncated, _infos = envs.step(actions)
        rows.append((obs, actions, rewards * playing, playing.copy()))
        obs, playing = following, playing & ~(terminated | truncated)
    obs, actions, rewards, played = map(np.stack, zip(*rows, strict=True))
    to_go = np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        to_go[t] = rewards[t] + (gamma * to_go[t + 1] if t + 1 < len(rewards) else 0.0)
    return torch.as_tensor(obs[played]), torch.as_tensor(actions[played]), to_go[played]


class Curve:
    """Mean return over sampled evaluation episodes, at steps of the environment."""

    def __init__(self, policy):
        self.policy, self.envs = policy, pg.envs.VectorCartPole(EPISODES)
        self.steps, self.rows, self._next = 0, [], 0

    def before_update(self, steps):
        """Called with the steps of each batch, before the policy learns from it."""
        if self.steps >= self._next:
            self._measure()
        self.steps += steps

    def _measure(self):
        returns = pg.evaluation.sampled_returns(self.policy, self.envs, seed=self.steps)
        self.rows.append((self.steps, returns.mean()))
        self._next += EVERY * COUNT * STEPS

    def finished(self):
        """steps (P,), mean returns (P,), on a common grid of steps."""
        self._measure()
        steps, means = np.array(self.rows).T
        grid = np.arange(UPDATES // EVERY + 1) * EVERY * COUNT * STEPS
        return grid, np.interp(grid, steps, means)


def methods(lesson):
    """Name -> run(seed, rate). The names are keys of the stored file."""
    return {
        "reinforce": reinforce(lesson),
        "actor_critic": ppo(lesson, epochs=1, minibatch_size=COUNT * STEPS),
        "ppo_k1": ppo(lesson, epochs=1),
        "ppo_k1_small": ppo(lesson, epochs=1, minibatch_size=128),  # as many steps as K = 4
        "ppo_k4": ppo(lesson, epochs=4),
        "ppo_k10": ppo(lesson, epochs=10),
        "no_clip_k10": ppo(lesson, epochs=10, clip=float("inf")),
    }


def cut_as_terminated():
    """A namespace of its own in which an episode that the clock cut counts as ended."""
    lesson = namespace(LESSON)
    gae = lesson["gae"]

    def merged(rewards, values, next_values, terminated, truncated, *factors):
        return gae(rewards, values, next_values, terminated | truncated, truncated, *factors)

    lesson["gae"] = merged
    return lesson


def learning_curves(lesson, names=None):
    """The stored arrays. For each method NAME: NAME, its runs at the best learning rate, (seeds,
    points); NAME_rate, that rate; NAME_tuning, mean return over all steps for each rate.

    Rates are compared on seeds of their own, by the mean return over the whole training.
    """
    grid = np.arange(UPDATES // EVERY + 1) * EVERY * COUNT * STEPS
    found = {"steps": grid, "rates": np.array(RATES)}
    for name, run in methods(lesson).items():
        if names and name not in names:
            continue
        tuning = [np.mean([run(seed, rate)[1] for seed in TUNING_SEEDS]) for rate in RATES]
        rate = RATES[int(np.argmax(tuning))]
        found |= {f"{name}_tuning": np.array(tuning), f"{name}_rate": np.array(rate)}
        found[name] = runs_of(run, rate)
        print(name, rate, np.round(tuning), flush=True)
    if not names or "cut_as_terminated" in names:
        wrong = ppo(cut_as_terminated(), epochs=4)
        found["cut_as_terminated"] = runs_of(wrong, best_rate(found, "ppo_k4"))
    return found


def best_rate(found, name):
    """The method's rate, as found just now or as stored."""
    key = f"{name}_rate"
    return float(found[key] if key in found else pg.stored_runs("learning_curves")[key])


def runs_of(run, rate):
    return np.array([run(seed, rate)[1] for seed in SEEDS], dtype=np.float32)


# The bug hunt ---------------------------------------------------------------------------------

HUNT_UPDATES, HUNT_EPOCHS, HUNT_RATE = 40, 10, 1e-2
GAUGES = (
    "mean_return",
    "approx_kl",
    "clip_fraction",
    "entropy",
    "explained_variance",
    "first_ratio",
)


def without_clip(lesson):
    def loss(logp, logp_old, adv, clip=0.2):
        return -(lesson["importance_ratio"](logp, logp_old) * adv).mean()

    return {"ppo_clip_loss": loss}


def old_recomputed(lesson):
    """Each minibatch is compared with the policy as it is at that moment."""
    kl, ratio = lesson["kl_estimates"], lesson["importance_ratio"]
    return {
        "importance_ratio": lambda logp, old: ratio(logp, logp.detach()),
        "ppo_clip_loss": lambda logp, old, *rest: lesson["ppo_clip_loss"](
            logp, logp.detach(), *rest
        ),
        "kl_estimates": lambda logp, old: kl(logp, logp.detach()),
    }


def actions_resampled(lesson):
    def update(policy, critic, optimizer, rollout, *rest, **options):
        with torch.no_grad():
            probs = torch.softmax(policy(rollout.obs), dim=-1)
        drawn = torch.multinomial(probs.flatten(0, 1), 1)
        rollout.actions = drawn.reshape(rollout.actions.shape).numpy()
        return lesson["ppo_update"](policy, critic, optimizer, rollout, *rest, **options)

    return {"ppo_update": update}


def loss_sign(lesson):
    return {"ppo_clip_loss": lambda *args: -lesson["ppo_clip_loss"](*args)}


def reward_sign(lesson):
    """The advantages are those of minus the reward."""
    return {"gae": lambda rewards, *rest, **factors: lesson["gae"](-rewards, *rest, **factors)}


def at_temperature(lesson):
    """Actions are drawn, and their log-probabilities stored, at temperature 2; the update scores
    at 1."""

    def collect(envs, policy, *rest):
        return lesson["collect_rollout"](envs, lambda obs: policy(obs) / 2, *rest)

    return {"collect_rollout": collect}


def episodes_leak(lesson):
    """The advantages run on over the end of an episode."""

    def leaking(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
        errors = lesson["td_errors"](rewards, values, next_values, terminated, gamma)
        zeros, never = np.zeros_like(errors), np.zeros_like(terminated)
        # With rewards that are TD errors and no values, GAE is the sum of all errors to come.
        return lesson["gae"](errors, zeros, zeros, never, never, gamma, lam)

    return {"gae": leaking}


# Run -> what is wrong with it: functions replaced, options of train_ppo, whose weights are trained.
BROKEN = {
    "A": {"options": {"value_coef": 0.0}},
    "B": {"replaced": old_recomputed},
    "C": {"replaced": actions_resampled},
    "D": {"replaced": without_clip},
    "E": {"replaced": loss_sign},
    "F": {"trained": ("critic",)},
    "G": {"replaced": reward_sign},
    "H": {"replaced": at_temperature},
    "healthy": {},
}
# Names that the exercise offers although no run shown has that bug.
DECOYS = {
    "entropy-bonus": {"options": {"entropy_coef": 10.0}},
    "episodes-leak": {"replaced": episodes_leak},
}


def bug_run(
    lesson, replaced=None, options=None, trained=("policy", "critic"), seed=1, updates=None
):
    """The gauges of one run, {key: (updates,)}."""
    names = replaced(dict(lesson)) if replaced else {}
    kept = {name: lesson[name] for name in (*names, "ppo_update")}
    lesson.update(names)
    ratios = with_first_ratios(lesson)
    try:
        policy, critic, optimizer = networks(seed, HUNT_RATE, trained)
        envs, rng = pg.envs.VectorCartPole(COUNT), np.random.default_rng(seed)
        options = {"epochs": HUNT_EPOCHS, **(options or {})}
        count = updates or HUNT_UPDATES
        history = lesson["train_ppo"](envs, policy, critic, optimizer, count, STEPS, rng, **options)
    finally:
        lesson.update(kept)
    rows = [row | {"first_ratio": ratio} for row, ratio in zip(history, ratios, strict=True)]
    return {key: np.array([row[key] for row in rows], np.float32) for key in GAUGES}


def with_first_ratios(lesson):
    """Watches `ppo_update`; the list that it fills holds, for each update, the largest distance
    from 1 among the ratios before its first step."""
    update, found = lesson["ppo_update"], []

    def watched(policy, critic, optimizer, rollout, *rest, **options):
        found.append(first_ratio(policy, rollout))
        return update(policy, critic, optimizer, rollout, *rest, **options)

    lesson["ppo_update"] = watched
    return found


def first_ratio(policy, rollout):
    with torch.no_grad():
        played = torch.distributions.Categorical(logits=policy(rollout.obs))
        logp = played.log_prob(torch.as_tensor(rollout.actions)).numpy()
    return float(np.abs(np.exp(logp - rollout.logp) - 1).max())


def bug_hunt(lesson, names=None):
    """The stored arrays of the bug hunt: "run/gauge" -> (updates,)."""
    return _gauges(lesson, BROKEN, names)


def decoys(lesson, names=None):
    """The stored arrays of the bugs that no run shown has, as those of `bug_hunt`."""
    return _gauges(lesson, DECOYS, names)


def _gauges(lesson, bugs, names):
    found = {}
    for name, wrong in bugs.items():
        if names and name not in names:
            continue
        run = bug_run(lesson, **wrong)
        found |= {f"{name}/{key}": values for key, values in run.items()}
    return found


MAKERS = {
    "bug_hunt": bug_hunt,
    "decoys": decoys,
    "learning_curves": learning_curves,
    "practice": practice_runs.practice,
}


def main(arguments=None):
    """Make the named files again, all where none is named."""
    parser = argparse.ArgumentParser(prog="python -m publish.runs", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MAKERS, []], metavar="NAME")
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    parser.add_argument("--only", nargs="+", metavar="RUN", help="these runs; the others stay")
    chosen = parser.parse_args(arguments)
    for name in chosen.names or MAKERS:
        path = (UNSEEN if name == "decoys" else FOLDER) / f"{name}.npz"
        kept = dict(np.load(path)) if chosen.only else {}
        lesson = namespace(practice_runs.LESSON if name == "practice" else LESSON)
        np.savez_compressed(path, **kept | MAKERS[name](lesson, chosen.only))
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
