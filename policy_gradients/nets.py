"""Small networks: tables and a multilayer perceptron."""

import torch
from torch import nn


def _states(obs):
    return torch.as_tensor(obs, dtype=torch.long)


class TabularPolicy(nn.Module):
    """One logit for each state and action, all zero at first: every action is equally likely.

    policy(obs): int (...) array, tensor or number -> logits (..., A)
    policy.theta: the table, (S, A)
    """

    def __init__(self, num_states, num_actions):
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(num_states, num_actions))

    def forward(self, obs):
        return self.theta[_states(obs)]


class TabularCritic(nn.Module):
    """One value for each state, all zero at first.

    critic(obs): int (...) array, tensor or number -> values (...)
    critic.table: (S,)
    """

    def __init__(self, num_states):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(num_states))

    def forward(self, obs):
        return self.table[_states(obs)]


class MLP(nn.Module):
    """Linear layers with tanh between them.

    in_size: length of an observation
    out_size: length of the output; None for one value, returned without a last axis
    hidden: widths of the hidden layers
    gain: scale of the last layer; 0.01 starts a policy near the uniform one, 1 suits a critic

    net(obs): (..., in_size) array or tensor -> (..., out_size), or (...) for out_size=None

    Weights start orthogonal, with gain sqrt(2) in the hidden layers, and biases at zero
    (Saxe et al. 2014; usual for PPO, Engstrom et al. 2020).
    """

    def __init__(self, in_size, out_size=None, hidden=(64, 64), gain=1.0):
        super().__init__()
        self.out_size = out_size
        sizes = [in_size, *hidden]
        layers = []
        for before, after in zip(sizes, sizes[1:], strict=False):
            layers += [_linear(before, after, 2**0.5), nn.Tanh()]
        layers.append(_linear(sizes[-1], 1 if out_size is None else out_size, gain))
        self.layers = nn.Sequential(*layers)

    def forward(self, obs):
        dtype = self.layers[-1].weight.dtype
        out = self.layers(torch.as_tensor(obs, dtype=dtype))
        return out.squeeze(-1) if self.out_size is None else out


class GaussianMLP(MLP):
    """A policy for continuous actions: a network for the mean, one free number for each spread.

    in_size: length of an observation; dims: D, length of an action
    log_std: logarithm of the standard deviation at first, the same for each dimension

    policy(obs): (..., in_size) array or tensor -> mean (..., D), log_std (D,)

    The spread doesn't depend on the observation (usual for PPO, Schulman et al. 2015).
    """

    def __init__(self, in_size, dims, hidden=(64, 64), gain=0.01, log_std=0.0):
        super().__init__(in_size, dims, hidden, gain)
        self.log_std = nn.Parameter(torch.full((dims,), float(log_std)))

    def forward(self, obs):
        return super().forward(obs), self.log_std


def _linear(before, after, gain):
    layer = nn.Linear(before, after)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
