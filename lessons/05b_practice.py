# Source of lesson 05b. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 05b · PPO in practice
#
# INTRO

# %% setup=true
from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import numpy as np
import torch

import policy_gradients as pg
from grader import check

torch.set_num_threads(1)

# %% given=["value_loss", "td_errors", "gae", "importance_ratio", "ppo_clip_loss", "kl_estimates", "normalize_advantages", "minibatches", "entropy", "explained_variance"]

# %% exercise="should_stop"
def should_stop(approx_kl, target):
    """Whether an update ends here: the KL is above 1.5 times the target.

    approx_kl float, target float or None -> bool; never where target is None, always at nan

    Example: should_stop(0.016, 0.01) is True, should_stop(0.014, 0.01) is False.
    """
    ### BEGIN SOLUTION
    return target is not None and not approx_kl <= 1.5 * target  # nan is never <= anything
    ### END SOLUTION


# %% check="should_stop" points=2
check("should_stop")

# %% exercise="value_clip_loss"
def value_clip_loss(values, old_values, returns, clip):
    """Mean of the larger of two squared errors: the value's, and the value's held near the old one.

    values (B,), old_values (B,), returns (B,) -> scalar tensor; gradient through values alone

    Example: value 3, old value 1, return 4 and clip 0.5 give max((3 - 4)^2, (1.5 - 4)^2) = 6.25.
    """
    ### BEGIN SOLUTION
    if not values.shape == old_values.shape == returns.shape:
        raise ValueError(f"shapes {values.shape}, {old_values.shape}, {returns.shape} differ")
    old_values, returns = old_values.detach(), returns.detach()
    near = old_values + torch.clamp(values - old_values, -clip, clip)  # (B,)
    return torch.max((values - returns) ** 2, (near - returns) ** 2).mean()
    ### END SOLUTION


# %% check="value_clip_loss" points=4
check("value_clip_loss")

# %% setup=true
@dataclass(frozen=True)
class Details:
    """How PPO is run. As it stands: lesson 05's loop."""

    gamma: float = 0.98
    lam: float = 0.9
    epochs: int = 4
    minibatch_size: int = 512
    clip: float = 0.2
    value_coef: float = 0.5
    learning_rate: float = 0.01
    whiten: str = "rollout"  # or "minibatch", or "no"
    anneal: bool = False  # the learning rate falls linearly, to 0 after the last update
    adam_eps: float = 1e-8
    max_grad_norm: float | None = None
    value_clip: float | None = None
    target_kl: float | None = None
    init: str = "orthogonal"  # small last layer in the policy; or "torch", what nn.Linear does
    scale_obs: bool = False


def networks(policy, critic, d):
    """The two networks, started as `d` says, and their optimiser."""
    if d.init == "torch":
        for layer in [*policy.modules(), *critic.modules()]:
            if isinstance(layer, torch.nn.Linear):
                layer.reset_parameters()
    weights = [*policy.parameters(), *critic.parameters()]
    return policy, critic, torch.optim.Adam(weights, lr=d.learning_rate, eps=d.adam_eps)


class Scaling:
    """Mean 0 and deviation 1 for each number of an observation, from all that were seen so far."""

    def __init__(self, size, active):
        self.count, self.mean, self.var, self.active = 0, np.zeros(size), np.ones(size), active

    def update(self, obs):
        """Merges mean and variance with those of new observations (..., D) (Chan et al. 1979)."""
        obs = obs.reshape(-1, len(self.mean)).astype(np.float64)
        both, shift = self.count + len(obs), obs.mean(0) - self.mean
        spread = self.var * self.count + obs.var(0) * len(obs)
        self.var = (spread + shift**2 * self.count * len(obs) / both) / both
        self.mean, self.count = self.mean + shift * len(obs) / both, both

    def __call__(self, obs):
        if not self.active:
            return obs
        return ((obs - self.mean) / np.sqrt(self.var + 1e-8)).astype(np.float32)

# %% setup=true
class Softmax:
    """Discrete actions: the policy's output are logits (..., A), an action is a number (...)."""

    entropy = staticmethod(entropy)

    @staticmethod
    def draw(logits):
        return torch.multinomial(torch.softmax(logits, dim=-1), 1)[..., 0]

    @staticmethod
    def logp(logits, act):
        return torch.log_softmax(logits, dim=-1).gather(-1, act[..., None])[..., 0]

    @staticmethod
    def played(act, space):
        return act.numpy()


def collect(envs, policy, critic, obs, num_steps, kind, scaling):
    """Lesson 05's `collect_rollout` for any kind of action, with scaled observations."""
    rows = []
    with torch.no_grad():
        for _ in range(num_steps):
            out = policy(scaling(obs))
            act = kind.draw(out)
            played = kind.played(act, envs.single_action_space)
            next_obs, rew, terminated, truncated, infos = envs.step(played)
            successor = next_obs.copy()
            for i in np.flatnonzero(truncated):
                successor[i] = infos["final_obs"][i]
            logp = kind.logp(out, act).numpy()
            rows.append((obs, act.numpy(), logp, rew, successor, terminated, truncated))
            obs = next_obs
        raw, act, logp, rew, successor, terminated, truncated = map(np.stack, zip(*rows))
        seen = scaling(raw)
        val, next_val = critic(seen).numpy(), critic(scaling(successor)).numpy()
    scaling.update(raw)  # from the next rollout on: this one was played with the old scaling
    return pg.Rollout(seen, act, logp, rew, val, next_val, terminated, truncated), obs


def update(policy, critic, optimizer, rollout, adv, ret, kind, rng, d):
    """Lesson 05's `ppo_update` with the details; returns the KL of each minibatch it looked at."""
    fields = rollout.obs, rollout.actions, rollout.logp, adv, ret, rollout.values
    obs, act, logp_old, adv, ret, val_old = (torch.as_tensor(x).flatten(0, 1) for x in fields)
    adv, ret, kls = adv.to(logp_old.dtype), ret.to(logp_old.dtype), []
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    for _ in range(d.epochs):
        for idx in minibatches(len(act), d.minibatch_size, rng):
            logp = kind.logp(policy(obs[idx]), act[idx])
            kls.append(kl_estimates(logp.detach(), logp_old[idx])[2].item())
            if should_stop(kls[-1], d.target_kl):
                return kls
            a = torch.as_tensor(normalize_advantages(adv[idx].numpy())) if d.whiten == "minibatch" else adv[idx]
            val = critic(obs[idx])
            if d.value_clip is None:
                critic_loss = value_loss(val, ret[idx])
            else:
                critic_loss = value_clip_loss(val, val_old[idx], ret[idx], d.value_clip)
            optimizer.zero_grad()
            (ppo_clip_loss(logp, logp_old[idx], a, d.clip) + d.value_coef * critic_loss).backward()
            if d.max_grad_norm is not None:
                torch.nn.utils.clip_grad_norm_(weights, d.max_grad_norm)
            optimizer.step()
    return kls


def train(envs, policy, critic, num_updates, num_steps, rng, d, kind=Softmax):
    """PPO with the details `d`, a dict for each update; trains the networks in place."""
    policy, critic, optimizer = networks(policy, critic, d)
    obs, _info = envs.reset(seed=int(rng.integers(2**31)))
    scaling = Scaling(obs.shape[-1], d.scale_obs)
    episodes, history = pg.EpisodeReturns(envs.num_envs), []
    for number in range(num_updates):
        if d.anneal:
            optimizer.param_groups[0]["lr"] = d.learning_rate * (1 - number / num_updates)
        rollout, obs = collect(envs, policy, critic, obs, num_steps, kind, scaling)
        adv = gae(rollout.rewards, rollout.values, rollout.next_values,
                  rollout.terminated, rollout.truncated, d.gamma, d.lam)
        ret = adv + rollout.values
        adv = normalize_advantages(adv) if d.whiten == "rollout" else adv
        kls = update(policy, critic, optimizer, rollout, adv, ret, kind, rng, d)
        history.append({"mean_return": episodes.mean_return(rollout), "approx_kl": np.mean(kls),
                        "steps": len(kls),
                        "explained_variance": explained_variance(rollout.values, ret)})
    return history

# %% exercise="gaussian_logp"
def gaussian_logp(mean, log_std, actions):
    """Log-density of actions under a Gaussian with independent dimensions, summed over them.

    mean (..., D), log_std (D,) or (..., D), actions (..., D) -> (...)

    Example: mean [0, 0], log_std [0, 0] and action [0, 0] give -log(2 pi), about -1.838.
    """
    ### BEGIN SOLUTION
    z = (actions - mean) / torch.exp(log_std)  # (..., D)
    return (-0.5 * z**2 - log_std - 0.5 * np.log(2 * np.pi)).sum(dim=-1)
    ### END SOLUTION


# %% check="gaussian_logp" points=4
check("gaussian_logp")

# %% exercise="gaussian_entropy"
def gaussian_entropy(log_std):
    """Entropy of a Gaussian with independent dimensions, in nats; may be negative.

    log_std (..., D) -> (...)

    Example: one dimension with log_std 0 gives log(2 pi e) / 2, about 1.419.
    """
    ### BEGIN SOLUTION
    return (log_std + 0.5 * np.log(2 * np.pi * np.e)).sum(dim=-1)
    ### END SOLUTION


# %% check="gaussian_entropy" points=2
check("gaussian_entropy")

# %% setup=true
class Gaussian:
    """Continuous actions: the output is mean (..., D) and log_std (D,), an action is (..., D)."""

    @staticmethod
    def draw(out):
        mean, log_std = out
        return mean + torch.exp(log_std) * torch.randn_like(mean)

    @staticmethod
    def logp(out, act):
        return gaussian_logp(*out, act)

    @staticmethod
    def entropy(out):
        return gaussian_entropy(out[1])

    @staticmethod
    def played(act, space):
        return np.clip(act.numpy(), space.low, space.high)  # what the motor can do
