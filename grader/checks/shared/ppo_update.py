"""PPO's update by hand, in NumPy: what the weights must be after steps on known samples.

The truth of ``ppo_update``: derivatives of the clip loss, the squared error and the entropy are
written out, networks are linear and the optimiser is plain gradient descent, so that nothing is
shared with a student's autograd. The usual mistakes are the same replay with one thing changed.
"""

from dataclasses import dataclass

import numpy as np

METRICS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")


@dataclass(frozen=True)
class Samples:
    """B samples: obs (B, D) and actions, logp, adv, ret (B,)."""

    obs: np.ndarray
    actions: np.ndarray
    logp: np.ndarray
    adv: np.ndarray
    ret: np.ndarray

    def take(self, rows):
        return Samples(*(array[rows] for array in vars(self).values()))


@dataclass(frozen=True)
class Way:
    """How an update is done; every field but the right values stands for a mistake."""

    recompute: str = ""  # "epoch" or "step": when old log-probabilities are computed anew
    clipped: bool = True
    entropy: float = 1.0  # factor of the bonus
    taken: bool = False  # the bonus is of the actions taken alone
    value: float = 1.0  # factor of the critic's loss
    whiten: bool = False  # advantages normalised once more, ...
    ddof: int = 0  # ... with this standard deviation
    clip: float | None = None  # another band than the one asked for
    norm: float = 0.0  # gradient clipped to this length
    total: bool = False  # sums in place of means
    apart: str = ""  # "order" or "axes": observations and the rest no longer belong together


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def derivatives(logits, values, samples, clip, value_coef, entropy_coef, clipped=True, taken=False):
    """(d loss / d logits (M, A), d loss / d values (M,), metrics), by the rules of calculus.

    loss = mean of -min(r A, clip(r) A) + value_coef * mean squared error - entropy_coef * entropy
    """
    count, every = len(samples.actions), np.arange(len(samples.actions))
    logp_all = log_softmax(logits)
    probs, logp = np.exp(logp_all), logp_all[every, samples.actions]
    ratio, adv = np.exp(logp - samples.logp), samples.adv
    blocked = ((adv > 0) & (ratio > 1 + clip)) | ((adv < 0) & (ratio < 1 - clip))
    moving = ~blocked if clipped else np.ones(count, bool)
    score = -probs
    score[every, samples.actions] += 1  # derivative of logp with respect to the logits
    spread = -(probs * logp_all).sum(1)
    by_logits = -(moving * ratio * adv)[:, None] * score
    by_logits += entropy_coef * (score if taken else probs * (logp_all + spread[:, None]))
    error = values - samples.ret
    limited = np.clip(ratio, 1 - clip, 1 + clip) if clipped else ratio
    metrics = {
        "policy_loss": -np.minimum(ratio * adv, limited * adv).mean(),
        "value_loss": (error**2).mean(),
        "entropy": spread.mean(),
        "approx_kl": (ratio - 1 - (logp - samples.logp)).mean(),
        "clip_fraction": (np.abs(ratio - 1) > clip).mean(),
    }
    bonus = entropy_coef * metrics["entropy"]
    metrics |= {
        "edge": float(np.abs(np.abs(ratio - 1) - clip).min(initial=np.inf)),
        "above": (ratio > 1 + clip).mean(),
        "without_ratio": -(logp * adv).mean(),
        "total": metrics["policy_loss"] + value_coef * metrics["value_loss"] - bonus,
        "k1": (samples.logp - logp).mean(),
        "k2": ((logp - samples.logp) ** 2).mean() / 2,
    }
    return by_logits / count, 2 * value_coef * error / count, metrics


def replay(weights, samples, rows, *, epochs, clip, value_coef, entropy_coef, lr, way=None):
    """(weights after the last step, metrics of each step).

    weights: "policy.weight" (A, D), "policy.bias" (A,), "critic.weight" (1, D), "critic.bias" (1,)
    rows: one index array for each optimiser step, all epochs in a row
    """
    way = way or Way()
    weights = {name: np.array(array, dtype=np.float64) for name, array in weights.items()}
    log, frozen = [], samples
    for step, idx in enumerate(rows):
        if way.recompute and (way.recompute == "step" or step % (len(rows) // epochs) == 0):
            every = np.arange(len(samples.actions))
            logp = log_softmax(_policy(weights, samples.obs))[every, samples.actions]
            frozen = Samples(samples.obs, samples.actions, logp, samples.adv, samples.ret)
        batch = _batch(frozen, idx, step % max(1, len(rows) // epochs), way)
        factors = value_coef * way.value, entropy_coef * way.entropy
        by_logits, by_values, metrics = derivatives(
            _policy(weights, batch.obs),
            _critic(weights, batch.obs),
            batch,
            clip if way.clip is None else way.clip,
            *factors,
            clipped=way.clipped,
            taken=way.taken,
        )
        _descend(weights, batch.obs, by_logits, by_values, lr, way)
        log.append(metrics)
    return weights, log


def _policy(weights, obs):
    return obs @ weights["policy.weight"].T + weights["policy.bias"]


def _critic(weights, obs):
    return (obs @ weights["critic.weight"].T + weights["critic.bias"])[:, 0]


def _batch(samples, idx, position, way):
    batch = samples.take(idx)
    if way.apart:
        start = position * len(idx)
        other = samples.take(np.arange(start, start + len(idx)) % len(samples.actions))
        batch = Samples(batch.obs, other.actions, other.logp, other.adv, other.ret)
    if way.whiten:
        deviation = batch.adv.std(ddof=min(way.ddof, len(idx) - 1)) + 1e-8
        adv = (batch.adv - batch.adv.mean()) / deviation
        batch = Samples(batch.obs, batch.actions, batch.logp, adv, batch.ret)
    return batch


def _descend(weights, obs, by_logits, by_values, lr, way):
    scale = len(obs) if way.total else 1.0
    gradients = {
        "policy.weight": scale * by_logits.T @ obs,
        "policy.bias": scale * by_logits.sum(0),
        "critic.weight": scale * (by_values @ obs)[None],
        "critic.bias": scale * by_values.sum(keepdims=True),
    }
    length = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    if way.norm and length > way.norm:
        gradients = {name: g * way.norm / (length + 1e-6) for name, g in gradients.items()}
    for name, gradient in gradients.items():
        weights[name] -= lr * gradient
