"""How good is a policy? Sampled episodes in fresh environments, side by side."""

import numpy as np


def sampled_returns(policy, envs, seed=0, greedy=False):
    """Undiscounted returns (N,) of one episode in each of N environments.

    policy: module, observations (N, D) -> logits (N, A)
    envs: vector environment in SAME_STEP mode; it is reset with `seed`, which also draws the
        actions, without a trace on torch's own generator
    greedy: the likeliest action in place of one that is drawn
    """
    import torch

    chance = torch.Generator().manual_seed(seed)
    obs, _info = envs.reset(seed=seed)
    playing, returns = np.ones(envs.num_envs, bool), np.zeros(envs.num_envs)
    while playing.any():
        with torch.no_grad():
            probs = torch.softmax(policy(obs), dim=-1)
        if greedy:
            actions = probs.argmax(-1).numpy()
        else:
            actions = torch.multinomial(probs, 1, generator=chance)[:, 0].numpy()
        obs, rewards, terminated, truncated, _infos = envs.step(actions)
        returns += rewards * playing
        playing &= ~(terminated | truncated)
    return returns


def recorded_states(policy, seed=0):
    """Physical states (T, 4) of one CartPole episode with sampled actions, for a moving picture."""
    import torch

    from .envs import VectorCartPole

    envs, chance = VectorCartPole(1), torch.Generator().manual_seed(seed)
    (obs, _info), states, over = envs.reset(seed=seed), [], False
    while not over:
        states.append(envs.state[0])
        with torch.no_grad():
            probs = torch.softmax(policy(obs), dim=-1)
        actions = torch.multinomial(probs, 1, generator=chance)[:, 0].numpy()
        obs, _rewards, terminated, truncated, _infos = envs.step(actions)
        over = bool(terminated[0] or truncated[0])
    return np.array(states)
