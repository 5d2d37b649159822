"""Values, visits, the objective and its gradient."""

import numpy as np

from ..i18n import _


def checked_policy(env, pi):
    """`pi` as a float64 array (S, A); ValueError where it is no table of probabilities."""
    pi = np.asarray(pi, dtype=np.float64)
    wanted = (env.num_states, env.num_actions)
    if pi.shape != wanted:
        message = _("pi must have shape (S, A) = {wanted}, not {shape}")
        raise ValueError(message.format(wanted=wanted, shape=pi.shape))
    if not ((pi >= 0).all() and (np.abs(pi.sum(1) - 1) <= 1e-6).all()):
        raise ValueError(_("pi must hold probabilities: none negative, each row adding up to 1"))
    return pi


def alive_transitions(env):
    """(S, A, S): probability of each successor at which the episode goes on."""
    return env.transitions * ~env.terminal


def mean_rewards(env):
    """(S, A): expected reward of each action."""
    return (env.transitions * env.rewards).sum(2)


def state_values(env, pi, gamma=1.0, horizon=None):
    """Expected discounted return from each state under `pi`.

    horizon None: the time limit is ignored -> (S,), from a linear equation.
    horizon H: -> (H + 1, S); row h holds the values with h steps left, so row 0 is zero.

    ValueError for horizon None and gamma 1 where some state never leads to an end.
    """
    pi = checked_policy(env, pi)
    if horizon is None:
        return _endless_values(env, pi, gamma)
    return _horizon_states(pi, mean_rewards(env), gamma * alive_transitions(env), horizon)


def action_values(env, pi, gamma=1.0, horizon=None):
    """Expected discounted return of each action, followed by `pi`.

    horizon None -> (S, A); horizon H -> (H + 1, S, A), row h with h steps left, row 0 zero.
    """
    pi = checked_policy(env, pi)
    if horizon is not None:
        return horizon_values(env, pi, gamma, horizon)[0]
    return mean_rewards(env) + gamma * alive_transitions(env) @ _endless_values(env, pi, gamma)


def horizon_values(env, pi, gamma, horizon):
    """Values of the actions (H + 1, S, A) and of the states (H + 1, S), row h with h steps left."""
    rewards, flow = mean_rewards(env), gamma * alive_transitions(env)
    states = _horizon_states(pi, rewards, flow, horizon)
    actions = np.zeros((horizon + 1, *pi.shape))
    actions[1:] = rewards + (states[:-1] @ flow.reshape(pi.size, -1).T).reshape(-1, *pi.shape)
    return actions, states


def _horizon_states(pi, rewards, flow, horizon):
    """(horizon + 1, S), from the mean rewards (S, A) and discounted moves (S, A, S) of actions."""
    gains, moves = (pi * rewards).sum(1), np.einsum("sa,sat->st", pi, flow)
    states = np.zeros((horizon + 1, len(pi)))
    for before, now in zip(states, states[1:], strict=False):
        np.add(gains, moves.dot(before), out=now)
    return states


def _endless_values(env, pi, gamma):
    flow = np.einsum("sa,sat->st", pi, alive_transitions(env))
    if gamma >= 1 and not np.all(_may_end(flow)):
        raise ValueError(
            _(
                "without a time limit and with gamma = 1 some state never leads to an end under "
                "this policy, so its value is no finite number; give a horizon or gamma < 1"
            )
        )
    rewards = (pi * mean_rewards(env)).sum(1)
    return np.linalg.solve(np.eye(env.num_states) - gamma * flow, rewards)


def _may_end(flow):
    """bool (S,): the states with some way to an end. Where all have one, every episode ends."""
    has_way = flow.sum(1) < 1 - 1e-12
    for _step in range(len(flow)):
        has_way |= (flow[:, has_way] > 0).any(1)
    return has_way


def objective(env, pi, gamma=1.0):
    """Expected discounted return of one episode, time limit included: a float."""
    return float(env.start @ state_values(env, pi, gamma, env.max_steps)[-1])


def _occupancy(env, pi):
    """(max_steps, S): probability that the episode still runs at step t and is in state s."""
    flow = np.einsum("sa,sat->st", pi, alive_transitions(env))
    rows = [env.start]
    for _step in range(env.max_steps - 1):
        rows.append(rows[-1] @ flow)
    return np.array(rows)


def visits(env, pi, gamma=1.0):
    """Expected number of actions taken in each state in one episode, discounted -> (S,).

    With gamma = 1 the entries add up to the expected length of an episode.
    """
    occupancy = _occupancy(env, checked_policy(env, pi))
    return gamma ** np.arange(env.max_steps) @ occupancy


def policy_gradient(env, pi, gamma=1.0):
    """Gradient of `objective` with respect to the logits of a softmax table -> (S, A).

    `pi` is that softmax table's probabilities. The policy gradient theorem (Sutton et al. 2000),
    summed over the steps: at step t, max_steps - t steps are left.
    """
    pi = checked_policy(env, pi)
    return gradient_by(env, pi, gamma, horizon_values(env, pi, gamma, env.max_steps)[0])


def gradient_by(env, pi, gamma, actions):
    """`policy_gradient` from the values of the actions with 0, 1, ... max_steps steps left."""
    occupancy = _occupancy(env, pi) * gamma ** np.arange(env.max_steps)[:, None]
    gains = actions[:0:-1]  # (max_steps, S, A), from step 0
    gains = gains - (pi * gains).sum(2, keepdims=True)
    return np.einsum("ts,sa,tsa->sa", occupancy, pi, gains)


def kl(pi, pi_ref, weights=None):
    """Mean over states of KL(pi(.|s), pi_ref(.|s)) in nats: a float.

    weights: (S,), how much each state counts, for example `visits(env, pi)`; all equally by
        default. They are divided by their sum.

    Infinite where `pi` does what `pi_ref` never does, in a state that counts.
    """
    pi, pi_ref = np.asarray(pi, dtype=np.float64), np.asarray(pi_ref, dtype=np.float64)
    weights = np.ones(len(pi)) if weights is None else np.asarray(weights, dtype=np.float64)
    if pi.shape != pi_ref.shape or weights.shape != pi.shape[:1] or not weights.sum() > 0:
        message = _(
            "pi and pi_ref must have one shape (S, A), weights (S,) and a positive sum; "
            "their shapes are {0}, {1} and {2}"
        )
        raise ValueError(message.format(pi.shape, pi_ref.shape, weights.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(pi > 0, pi * (np.log(pi) - np.log(pi_ref)), 0.0).sum(1)
    counts = weights > 0
    return float(weights[counts] @ terms[counts] / weights.sum())
