"""What led train_ppo's weights: the gradients of PPO's loss on the samples of each step, or others.

All is worked out anew from the case and the actions: the environments play again, values and old
log-probabilities are those of the weights to which the steps so far have led. Steps are drawn and
compared one by one, each on the samples that it used.
"""

import functools
import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from grader.checking import Problem, _, behaviour
from grader.checking.remembering import remembered
from grader.checks.shared.gae import decayed_sums
from grader.checks.shared.replay import (
    Networks,
    best_way,
    cosine,
    cosine_beside,
    drawn,
    elsewhere,
)
from grader.checks.shared.run_slips import critic_elsewhere, episodes_unreal
from grader.checks.shared.sampling import ALARM

GAMMA, LAM, CLIP, EPOCHS = 0.98, 0.9, 0.2, 4  # the exercise's own, where none are asked for
LOOKS = 40
LED, CRITIC_LED = 0.97, 0.9  # right answers reach 0.99, imitation of the better actions 0.91


@remembered
def replayed_play(case, log):
    """(K, N, D): what followed each step, the last observation where an episode ended; None where
    the environments don't play what the log says."""
    envs, actions = case.inputs["envs"].materialize(), np.asarray(log["actions"])
    obs, _info = envs.reset(seed=log["seeds"][0])
    after, rows = np.zeros_like(np.asarray(log["obs"]), dtype=np.float32), []
    for step, action in enumerate(actions):
        following, *results, infos = envs.step(action)
        rows.append((obs, *results))
        after[step] = obs = following
        for i in np.flatnonzero(results[1] | results[2]):
            after[step, i] = infos["final_obs"][i]
    shown, *results = (np.array(column) for column in zip(*rows, strict=True))
    told = (log[name] for name in ("rewards", "terminated", "truncated"))
    same = np.allclose(shown, log["obs"], rtol=1e-4, atol=1e-4)
    same = same and all(np.array_equal(*pair) for pair in zip(results, told, strict=True))
    return after if same else None


def rule_real(case, seen):
    """The environments, played again from their seed with the same actions, show the same."""
    log = seen["envs"]["envs"]
    if not hasattr(case.inputs["envs"], "seed") or replayed_play(case, log) is not None:
        return None
    return episodes_unreal()


def steered(obs, actions, probs) -> bool:
    """Whether actions come too often or too rarely where some observation is positive, or where two
    have one sign, as where a controller plays now and then. By chance at most in ALARM of runs:
    Freedman (1975) for each of these features, none of them larger than 1.

    obs (n, D); actions (n,); probs (n, A), each row given all that went before
    """
    signs = np.sign(obs)
    pairs = [signs[:, i] * signs[:, j] for i, j in itertools.combinations(range(obs.shape[1]), 2)]
    features = np.stack([*signs.T, *pairs])
    surplus = np.abs(features @ (np.eye(probs.shape[1])[actions] - probs))
    variance = features**2 @ (probs * (1 - probs))
    evidence = surplus**2 / (2 * (variance + surplus / 3) + 1e-12)
    return bool((evidence > np.log(2 * surplus.size / ALARM)).any())


@dataclass(frozen=True)
class Update:
    """One rollout in one row: obs (B, D); actions, logp, adv, ret (B,), from before its steps."""

    obs: np.ndarray
    actions: torch.Tensor
    logp: torch.Tensor
    adv: torch.Tensor
    ret: torch.Tensor


def one_update(case, log, after, networks, number, moment) -> Update:
    """Update ``number``, whose first step is step ``moment``."""
    steps = case.inputs["num_steps"]
    rows = slice(number * steps, (number + 1) * steps)
    obs = np.asarray(log["obs"][rows], np.float32)
    ended, cut = log["terminated"][rows], log["truncated"][rows]
    with torch.no_grad():
        critic, policy = networks.at("critic", moment), networks.at("policy", moment)
        values, following = critic(obs).numpy(), critic(after[rows]).numpy()
        logits = policy(obs)
    errors = log["rewards"][rows] + GAMMA * following * ~ended - values
    adv = decayed_sums(errors, ended | cut, GAMMA * LAM)
    actions = torch.as_tensor(np.asarray(log["actions"][rows], np.int64).ravel())
    return Update(
        obs.reshape(actions.numel(), -1),
        actions,
        _log_probs(logits.flatten(0, 1), actions),
        torch.as_tensor(adv.ravel(), dtype=torch.float32),
        torch.as_tensor((adv + values).ravel(), dtype=torch.float32),
    )


def _log_probs(logits, actions):
    return torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]


def _as_they_are(adv):
    return adv, 1 + 0 * adv


def _centred(adv):
    return adv - adv.mean(), 1 + 0 * adv


def _signs(adv):
    return torch.sign(adv), 0 * adv


# Of all advantages (B,) of an update: right weights of its ratios, and what may be added to them
# any number of times.
WAYS = (_centred, _as_they_are, _signs)


def policy_cosines(update, net, rows, used, ways) -> list:
    """With PPO's gradients on these rows, by each of the ways."""
    ratio = torch.exp(_log_probs(net(update.obs[rows]), update.actions[rows]) - update.logp[rows])
    found = []
    for way in ways:
        weight, free = (part[rows] for part in way(update.adv))
        alive = torch.where(weight > 0, ratio < 1 + CLIP, ratio > 1 - CLIP)
        forms = [_slope(net, -(ratio * alive * one).mean()) for one in (weight, free)]
        found.append(cosine_beside(used, *forms))
    return found


def critic_cosines(update, net, rows, used, _ways) -> list:
    return [cosine(used, _slope(net, ((net(update.obs[rows]) - update.ret[rows]) ** 2).mean()))]


def _slope(net, loss):
    slopes = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
    return torch.cat([slope.ravel() for slope in slopes]).numpy()


def led_problem(case, seen) -> Problem | None:
    """Whether the way was led by what PPO asks for."""
    given, samples = case.inputs, seen["looked"]
    log = {name: np.asarray(part) for name, part in seen["envs"]["envs"].items()}
    networks = Networks(("policy", "critic"), case, seen)
    size = log["actions"].size // given["num_updates"]
    every = len(networks.paths["policy"].grads) // given["num_updates"]
    problem = _unseen(samples, given["num_updates"], every, size)
    if problem:
        return problem
    after = replayed_play(case, seen["envs"]["envs"])

    @functools.cache
    def update(number):
        return one_update(case, log, after, networks, number, number * every)

    def measure(name, cosines, ways, step, left):
        number = step // every
        rows = np.asarray(samples[step]) - number * size
        used = networks.paths[name].grads[step]
        chosen = [ways[way] for way in left]
        return cosines(update(number), networks.at(name, step), rows, used, chosen)

    reached = {}
    for name, cosines, ways in (("policy", policy_cosines, WAYS), ("critic", critic_cosines, "v")):
        steps = drawn(networks.paths[name], LOOKS).tolist()
        reached[name] = best_way(steps, len(ways), partial(measure, name, cosines, ways))
    return _told(reached)


def _unseen(samples, updates, every, size):
    """Whether each update's steps used its own samples, each once an epoch."""
    expected = _("the samples of each rollout, each of them once an epoch")
    if len(samples) != updates * every or not any(np.size(one) for one in samples):
        got = _("gradients of samples that were not seen to pass through the networks")
        hint = _("Call policy(obs) and critic(obs) on the rollout's own observations.")
        return behaviour(expected, got, hint, "samples-unseen")
    counts = np.zeros((updates, size), int)
    for step, rows in enumerate(samples):
        own = np.asarray(rows) - step // every * size
        if ((own < 0) | (own >= size)).any():
            got = _("gradients of other observations than the rollout's own")
            hint = _("An update learns from the rollout just collected, and from nothing else.")
            return behaviour(expected, got, hint, "samples-foreign")
        counts[step // every, own] += 1
    if np.mean(counts == EPOCHS) < 0.9:
        got = _("samples left out, or used more often than others")
        hint = _("Minibatches divide a shuffled rollout: do they hold every sample?")
        return behaviour(expected, got, hint, "samples-picked")
    return None


def _told(reached):
    if reached["policy"] < LED:
        hint = _(
            "Is it ppo_update that moves the weights, with the advantages of this rollout and "
            "the actions that were played?"
        )
        return elsewhere(_("steps along the gradients of the clipped loss"), hint)
    if reached["critic"] < CRITIC_LED:
        hint = _("The critic learns to foretell returns. Is its target a return?")
        return critic_elsewhere(hint)
    return None
