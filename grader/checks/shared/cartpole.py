"""Scores of trained policies, from their weights alone, in environments of the grader's own."""

import numpy as np

from grader.checks.shared.episodes import softmax


def mlp(weights, obs):
    """The output of a ``pg.MLP`` with these weights (parameter name -> array), in NumPy."""
    numbers = sorted({int(name.split(".")[1]) for name in weights})
    out = np.asarray(obs, dtype=np.float64)
    for number in numbers:
        layer = (np.asarray(weights[f"layers.{number}.{part}"]) for part in ("weight", "bias"))
        matrix, bias = layer
        out = out @ matrix.T.astype(float) + bias
        out = np.tanh(out) if number != numbers[-1] else out
    return out


def sampled_returns(weights, kwargs, seed):
    """Returns (N,) of one episode in each of N fresh CartPoles, actions drawn from the policy.

    kwargs: of ``pg.envs.VectorCartPole``, num_envs = N among them.
    """
    import policy_gradients as pg

    envs, rng = pg.envs.VectorCartPole(**kwargs), np.random.default_rng(seed)
    obs, _info = envs.reset(seed=seed)
    playing, returns = np.ones(envs.num_envs, bool), np.zeros(envs.num_envs)
    while playing.any():
        cumulated = softmax(mlp(weights, obs)).cumsum(-1)
        actions = (rng.random((envs.num_envs, 1)) > cumulated[:, :-1]).sum(-1)
        obs, rewards, terminated, truncated, _infos = envs.step(actions)
        returns += rewards * playing
        playing &= ~(terminated | truncated)
    return returns
