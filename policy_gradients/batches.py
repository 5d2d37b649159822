"""From episodes of unequal length to rectangular batches."""

import numpy as np
import torch


def padded_logp(policy, trajectories):
    """Log-probabilities of the actions taken in N trajectories, under `policy` as it is now.

    policy: torch module, policy(states) -> logits (..., A)
    trajectories: list of N Trajectory of T_1, ..., T_N steps

    Returns a tensor (N, T), T being the longest length, that can be differentiated with respect
    to the policy's weights. Padded steps hold 0 and carry no gradient.

        T_1 = 3    logp logp logp
        T_2 = 1    logp  0    0
    """
    lengths = np.array([len(trajectory) for trajectory in trajectories])
    played = np.arange(lengths.max()) < lengths[:, None]  # (N, T)
    states, actions = np.zeros(played.shape, np.int64), np.zeros(played.shape, np.int64)
    states[played] = np.concatenate([trajectory.states for trajectory in trajectories])
    actions[played] = np.concatenate([trajectory.actions for trajectory in trajectories])
    logp = torch.log_softmax(policy(states), dim=-1)  # (N, T, A)
    logp = logp.gather(-1, torch.as_tensor(actions)[..., None]).squeeze(-1)  # (N, T)
    return torch.where(torch.as_tensor(played), logp, 0.0)
