"""Mean and total variance of one trajectory's gradient estimate, exactly.

The estimate of one trajectory is a sum over its steps of (score of the action taken) times (a
weight that depends on later rewards). Both moments follow from dynamic programming backwards in
time, which carry, by state, the expectations of the weight W, of the sum G and of W G for every
coordinate of the gradient, and of the squared length of G. What an action changes is the score at
its own state; all else is averaged over the actions at once.
"""

import math
from typing import NamedTuple

import numpy as np

from ..i18n import _
from .values import alive_transitions, checked_policy

ESTIMATORS = ("return", "reward_to_go", "baseline", "gae")


class GradientMoments(NamedTuple):
    """mean: (S, A) expectation of one trajectory's gradient estimate.
    total_variance: float, trace of its covariance; of a mean over N trajectories it is 1/N of it.

    For K numbers lam or shift both have a first axis more: (K, S, A) and (K,).
    """

    mean: np.ndarray
    total_variance: float | np.ndarray


def gradient_moments(
    env, pi, estimator, gamma=1.0, baseline=None, values=None, lam=None, shift=0.0
):
    """Exact mean and total variance of one trajectory's estimate of the policy gradient.

    The gradient is with respect to the logits (S, A) of a softmax table with probabilities `pi`.

    estimator:
        "return": (discounted return of the whole trajectory + shift) times the summed score
        "reward_to_go": each score times the discounted return from its own step on, with no
            further gamma^t in front
        "baseline": as "reward_to_go", minus `baseline` of the state, (S,), or of the state and
            the action, (S, A)
        "gae": each score times the generalised advantage estimate (Schulman et al. 2016) with
            `values` (S,), gamma and `lam`. Termination ends with value 0; the time limit
            bootstraps from the value of the true successor.
    lam, shift: a number, or (K,) numbers, all of which take little longer than one

    Returns GradientMoments(mean (S, A), total_variance float), or, for K numbers, (mean (K, S, A),
    total_variance (K,)). Reward noise is included.
    ValueError for an unknown estimator or for arguments that do not go with it.
    """
    pi = checked_policy(env, pi)
    _check_arguments(estimator, baseline, values, lam, shift)
    several = np.ndim(shift if estimator == "return" else lam)
    if estimator == "return":
        first, second = _whole_return_moments(env, pi, gamma, np.atleast_1d(shift))
    elif estimator == "gae":
        values = _table(values, "values", (env.num_states,))
        gains = env.rewards + gamma * ~env.terminal * values - values[:, None, None]
        decay = gamma * np.atleast_1d(lam)
        first, second = _forward_moments(env, pi, gains, decay, np.zeros(pi.shape))
    else:
        offset = _baseline_table(env, baseline)
        first, second = _forward_moments(env, pi, env.rewards, np.array([gamma]), offset)
    mean = np.moveaxis(first, 2, 0)  # (K, S, A)
    total = np.maximum(second - np.sum(mean**2, axis=(1, 2)), 0.0)
    return GradientMoments(mean, total) if several else GradientMoments(mean[0], float(total[0]))


def _check_arguments(estimator, baseline, values, lam, shift):
    if estimator not in ESTIMATORS:
        message = _("estimator must be one of {known}, not {given!r}")
        raise ValueError(message.format(known=ESTIMATORS, given=estimator))
    given = {
        "baseline": baseline is not None,
        "values": values is not None,
        "lam": lam is not None,
        "shift": np.any(shift),
    }
    needed = {"baseline": {"baseline"}, "gae": {"values", "lam"}}.get(estimator, set())
    allowed = {"shift"} if estimator == "return" else needed
    for name, is_given in given.items():
        if is_given and name not in allowed:
            message = _("estimator {estimator!r} takes no {name}")
            raise ValueError(message.format(estimator=estimator, name=name))
        if not is_given and name in needed:
            message = _("estimator {estimator!r} needs {name}")
            raise ValueError(message.format(estimator=estimator, name=name))


def _table(array, name, *shapes):
    array = np.asarray(array, dtype=np.float64)
    if array.shape not in shapes:
        message = _("{name} must have shape {wanted}, not {got}")
        wanted = " / ".join(map(str, shapes))
        raise ValueError(message.format(name=name, wanted=wanted, got=array.shape))
    return array


def _baseline_table(env, baseline):
    if baseline is None:
        return np.zeros((env.num_states, env.num_actions))
    by_state, by_action = (env.num_states,), (env.num_states, env.num_actions)
    baseline = _table(baseline, "baseline", by_state, by_action)
    return np.broadcast_to(baseline.reshape(env.num_states, -1), by_action)


def _scores(pi):
    """Of the scores [a == i] - pi(i|s) at their own state's coordinates i: the squared lengths,
    (S, A, 1), and each times the probability of its action, (S, A, A), both for sums over a."""
    scores = np.eye(pi.shape[1]) - pi[:, None, :]
    return (pi * (scores**2).sum(2))[..., None], pi[:, :, None] * scores


def _to_own(chances, flow):
    """(S', S, A, 1): twice the score times `flow` to s', summed over the actions in s."""
    return 2 * np.einsum("sai,sat->tsi", chances, flow)[..., None]


def _add_own(table, chances, weight):
    """Adds the scores times `weight` (S, A, K) at each state's own coordinates; -> the table
    (S, S, A, K), whose first axis is the state that it is seen from."""
    states = np.arange(len(chances))
    table[states, states] += chances.transpose(0, 2, 1) @ weight
    return table


def _forward_moments(env, pi, gains, decay, offset):
    """E[G_0] (S, A, K) and E[|G_0|^2] (K,), for each of K decays.

    W_t = x_t + decay * W_{t+1}, where x_t has mean gains[s, a, s'] and the reward's noise;
    G_t = z_t (W_t - b_t) + G_{t+1}, where b_t = offset[s, a] and z_t is the score. Nothing follows
    the end of the episode.
    """
    flow, (lengths, chances), offset = alive_transitions(env), _scores(pi), offset[..., None]
    moves, gain_moves = (np.einsum("sa,sat->st", pi, part) for part in (flow, flow * gains))
    mixed_to_own, first_to_own = (_to_own(chances, flow * part) for part in (1, gains - offset))
    step = _weight_step(env, flow, gains, decay)
    second = np.zeros((len(pi), len(decay)))  # E[|G|^2]
    weights = second, second  # E[W], E[W^2]
    first = mixed = np.zeros((len(pi), *pi.shape, len(decay)))  # E[G], E[W G]
    for _step in range(env.max_steps):
        w1, w2 = step(*weights)
        weights = [(pi[..., None] * moment).sum(1) for moment in (w1, w2)]
        second = moves @ second + (lengths * (w2 - 2 * offset * w1 + offset**2)).sum(1)
        second += (first_to_own * first + mixed_to_own * (decay * mixed)).sum((0, 2))
        mixed = np.tensordot(gain_moves, first, 1) + decay * np.tensordot(moves, mixed, 1)
        mixed = _add_own(mixed, chances, w2 - offset * w1)
        first = _add_own(np.tensordot(moves, first, 1), chances, w1 - offset)
    return np.tensordot(env.start, first, 1), env.start @ second


def _weight_step(env, flow, gains, decay):
    """The step from E[W], E[W^2] of what follows, (S, K) each, to those of W given the action,
    (S, A, K)."""
    gain, gain_flow = (env.transitions * gains).sum(2)[..., None], 2 * flow * gains
    gain_square = ((env.transitions * gains**2).sum(2) + env.noise**2)[..., None]

    def step(later, later_square):
        w1 = gain + decay * (flow @ later)
        mixed = gain_flow @ later + decay * (flow @ later_square)
        return w1, gain_square + decay * mixed

    return step


def _whole_return_moments(env, pi, gamma, shift):
    """E[(R + c) Z] (S, A, K) and E[|(R + c) Z|^2] (K,), for each of K shifts c.

    R = x + gamma R' is the discounted return, Z = z + Z' the summed score. The tables hold
    E[R^j], E[R^j Z] and E[R^j |Z|^2] for j = 0, 1, 2.
    """
    (ended, going), (lengths, chances) = _return_step(env, gamma), _scores(pi)
    moves = np.einsum("sa,jsamt->jsmt", pi, going)
    to_own = 2 * np.einsum("sai,jsamt->jmtsi", chances, going)
    lengths, states = lengths[..., 0], np.arange(len(pi))
    powers, first = np.zeros((3, len(pi))), np.zeros((3, len(pi), *pi.shape))
    powers[0], second = 1.0, np.zeros((3, len(pi)))  # after the end R = Z = 0
    for _step in range(env.max_steps):
        given = ended + np.tensordot(going, powers, 2)  # (3, S, A): E[R^j] by action
        second = np.tensordot(moves, second, 2) + (lengths * given).sum(2)
        second += np.einsum("jmtsi,mtsi->js", to_own, first)
        first = np.tensordot(moves, first, 2)
        first[:, states, states] += np.einsum("sai,jsa->jsi", chances, given)
        powers = (pi * given).sum(2)
    first, second = np.tensordot(first, env.start, (1, 0)), second @ env.start
    return (
        first[1][..., None] + shift * first[0][..., None],
        second[2] + 2 * shift * second[1] + shift**2 * second[0],
    )


def _return_step(env, gamma):
    """Powers of R = x + gamma R' by the binomial theorem: what each has where the episode ends,
    (3, S, A), and what it takes from each power of R', (3, S, A, 3, S)."""
    flow, stop = alive_transitions(env), env.transitions * env.terminal
    gains = [np.ones_like(env.rewards), env.rewards, env.rewards**2 + env.noise**2]  # E[x^j]
    going = np.zeros((3, *env.transitions.shape[:2], 3, env.num_states))
    for j in range(3):
        for m in range(j + 1):
            going[j, :, :, m] = math.comb(j, m) * gamma**m * flow * gains[j - m]
    return np.array([(stop * gain).sum(2) for gain in gains]), going
