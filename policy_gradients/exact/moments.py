"""Mean and total variance of one trajectory's gradient estimate, exactly.

The estimate of one trajectory is a sum over its steps of (score of the action taken) times (a
weight that depends on later rewards). Both moments follow from dynamic programming backwards in
time. For every coordinate of the gradient it carries, by state, the expectations of the weight
W, of the sum G and of their products.
"""

from typing import NamedTuple

import numpy as np

from ..i18n import _
from .values import alive_transitions, checked_policy

ESTIMATORS = ("return", "reward_to_go", "baseline", "gae")


class GradientMoments(NamedTuple):
    """mean: (S, A) expectation of one trajectory's gradient estimate.
    total_variance: float, trace of its covariance; of a mean over N trajectories it is 1/N of it.
    """

    mean: np.ndarray
    total_variance: float


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

    Returns GradientMoments(mean (S, A), total_variance float). Reward noise is included.
    ValueError for an unknown estimator or for arguments that do not go with it.
    """
    pi = checked_policy(env, pi)
    _check_arguments(estimator, baseline, values, lam, shift)
    if estimator == "return":
        first, second = _whole_return_moments(env, pi, gamma, shift)
    elif estimator == "gae":
        values = _table(values, "values", (env.num_states,))
        gains = env.rewards + gamma * ~env.terminal * values - values[:, None, None]
        nothing = np.zeros(pi.shape)
        first, second = _forward_moments(env, pi, gains, gamma * lam, nothing)
    else:
        offset = _baseline_table(env, baseline)
        first, second = _forward_moments(env, pi, env.rewards, gamma, offset)
    mean = env.start @ first
    total = float(np.sum(env.start @ second - mean**2))
    return GradientMoments(mean.reshape(pi.shape), max(total, 0.0))


def _check_arguments(estimator, baseline, values, lam, shift):
    if estimator not in ESTIMATORS:
        message = _("estimator must be one of {known}, not {given!r}")
        raise ValueError(message.format(known=ESTIMATORS, given=estimator))
    given = {
        "baseline": baseline is not None,
        "values": values is not None,
        "lam": lam is not None,
        "shift": shift != 0,
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


def _own_scores(pi):
    """(S, A, A): score of action a at its own state's coordinate i, [a == i] - pi(i|s)."""
    return np.eye(pi.shape[1]) - pi[:, None, :]


def _spread(own):
    """(S, A) entries at each state's own coordinates -> (S, S * A), zero elsewhere."""
    num_states, num_actions = own.shape
    table = np.zeros((num_states, num_states, num_actions))
    table[np.arange(num_states), np.arange(num_states)] = own
    return table.reshape(num_states, -1)


def _own(table, num_actions):
    """(S, ..., S * A) -> (S, ..., A): what each state's row holds at its own coordinates."""
    return np.einsum("s...si->s...i", table.reshape(*table.shape[:-1], len(table), num_actions))


def _forward_moments(env, pi, gains, decay, offset):
    """First and second moments (S, S * A) of G_t = z_t (W_t - b_t) + G_{t+1}, from each state.

    W_t = x_t + decay * W_{t+1}, where x_t has mean gains[s, a, s'] and the reward's noise;
    b_t = offset[s, a]; z_t is the score. Nothing follows the end of the episode.
    """
    flow = alive_transitions(env)
    gain_flow, decayed = flow * gains, decay * flow
    gain = (env.transitions * gains).sum(2)  # (S, A)
    gain_square = (env.transitions * gains**2).sum(2) + env.noise**2
    weights = np.zeros((2, env.num_states))  # E[W], E[W^2]
    sums = np.zeros((3, env.num_states, pi.size))  # E[G], E[G^2], E[W G]
    for _step in range(env.max_steps):
        w1 = gain + decayed @ weights[0]  # (S, A), given the action
        w2 = gain_square + decay * (2 * gain_flow @ weights[0] + decayed @ weights[1])
        g1, g2, wg = flow @ sums[0], flow @ sums[1], flow @ sums[2]  # (S, A, S * A), of G'
        w_later = gain_flow @ sums[0] + decay * wg  # E[W G']
        sums = _add_step(pi, offset, (w1, w2), (g1, g2, w_later))
        weights = np.array([(pi * w1).sum(1), (pi * w2).sum(1)])
    return sums[0], sums[1]


def _add_step(pi, offset, weights, later):
    """E[G], E[G^2], E[W G] by state, of G = z (W - b) + G', from moments given the action."""
    scores = _own_scores(pi)
    (w1, w2), (g1, g2, w_later) = weights, later
    surplus_square = w2 - 2 * offset * w1 + offset**2
    surplus_later = _own(w_later - offset[:, :, None] * g1, pi.shape[1])
    own_g1 = _with_scores(pi, scores, w1 - offset)
    own_g2 = _with_scores(pi, scores**2, surplus_square)
    own_g2 += 2 * np.einsum("sa,sai,sai->si", pi, scores, surplus_later)
    own_wg = _with_scores(pi, scores, w2 - offset * w1)
    pairs = ((own_g1, g1), (own_g2, g2), (own_wg, w_later))
    return np.array([_spread(own) + _mean_over_actions(pi, after) for own, after in pairs])


def _with_scores(pi, scores, weight):
    """Sum over actions of pi * score * weight, (S, A) weights -> (S, A) at own coordinates."""
    return np.einsum("sa,sai,sa->si", pi, scores, weight)


def _mean_over_actions(pi, table):
    return np.einsum("sa,sad->sd", pi, table)


def _whole_return_moments(env, pi, gamma, shift):
    """First and second moments (S, S * A) of (R + shift) Z, from each state.

    R = x + gamma R' is the discounted return, Z = z + Z' the summed score. The table
    joint[j][k] holds E[R^j Z^k], (S, S * A); each step expands both powers by the binomial
    theorem.
    """
    num_states, num_actions = pi.shape
    flow, scores = alive_transitions(env), _own_scores(pi)
    stop = env.transitions * env.terminal
    gain_powers = _reward_powers(env)
    ended = [(stop * power).sum(2)[:, :, None] for power in gain_powers]
    going = [  # from joint[m][k] to E[R^j Z'^k] given the state and the action
        [_choose(j, m) * gamma**m * (flow * gain_powers[j - m]) for m in range(j + 1)]
        for j in range(3)
    ]
    joint = _ended(num_states, pi.size)
    for _step in range(env.max_steps):
        later = [
            [
                ended[j] * (k == 0) + sum(step @ joint[m][k] for m, step in enumerate(going[j]))
                for k in range(3)
            ]
            for j in range(3)
        ]
        joint = [[_add_score(pi, scores, row, k) for k in range(3)] for row in later]
    first = joint[1][1] + shift * joint[0][1]
    second = joint[2][2] + 2 * shift * joint[1][2] + shift**2 * joint[0][2]
    return first, second


def _reward_powers(env):
    return [np.ones_like(env.rewards), env.rewards, env.rewards**2 + env.noise**2]


def _ended(num_states, size):
    """Moments after the end: R = Z = 0, so that only E[R^0 Z^0] = 1."""
    return [[np.full((num_states, size), float(j == k == 0)) for k in range(3)] for j in range(3)]


def _choose(n, k):
    return 2 if (n, k) == (2, 1) else 1


def _add_score(pi, scores, later, k):
    """E[R^j (z + Z')^k] from the row of E[R^j Z'^m]: averaged over actions, (S, S * A)."""
    num_actions = pi.shape[1]
    own = sum(
        _choose(k, m)
        * np.einsum("sa,sai,sai->si", pi, scores ** (k - m), _own(later[m], num_actions))
        for m in range(k)
    )
    whole = _mean_over_actions(pi, later[k])
    return whole + _spread(own) if k else whole
