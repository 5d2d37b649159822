# Source of lesson 05b. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 05b · PPO in practice
#
# Lesson 05's loop (Schulman et al. 2017) fits on one screen. The programs that people use have more in
# them: a learning rate that falls, a limit on the gradient's length, a clip for the critic as well.
# Huang et al. (2022) list 37 such details. Which of them matter? And many things that one would like to
# control are not a choice between two buttons: a torque is a number.
#
# In this lesson you will
#
# 1. write two of the details, and see the others as one line each,
# 2. read an ablation: each detail alone, twelve seeds, two tasks,
# 3. write a policy for continuous actions, and swing a pendulum up with it.
#
# Before each experiment you are asked for a prediction. Commit to it first.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`
# and restart the session; in VS Code, choose the Python of the folder `.venv` as the kernel.

# %% setup=true
from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import numpy as np
import torch

import policy_gradients as pg
from grader import check

torch.set_num_threads(1)

# %% [markdown]
# From the lessons before we take the parts of PPO. They are the solutions that those lessons give, so
# this notebook runs alone.

# %% given=["value_loss", "td_errors", "gae", "importance_ratio", "ppo_clip_loss", "kl_estimates", "normalize_advantages", "minibatches", "entropy", "explained_variance"]

# %% [markdown]
# ## 1. Stop in time
#
# **Question.** Lesson 04 showed that the clip does not bound the KL. What can one do about an update
# that goes too far?
#
# **Idea.** Look at the gauge before each step. Once it says that the policy has gone too far from the
# one that collected the batch, leave the rest of the batch alone. The gauge is $k_3$ on the minibatch
# at hand, and "too far" is usually one and a half times a **target** $d$ that one chooses:
#
# $$\text{stop if}\quad k_3>1.5\,d.$$
#
# The factor gives room: on a minibatch the estimate scatters. Stable-Baselines3 does it this way, with
# no target unless one is given. One trap: a gauge that reads nan compares as false with everything.
# A program that asks "larger?" then runs on with broken weights.
#
# ### Exercise: `should_stop`
#
# - `approx_kl` is a float, `target` a float or `None`.
# - The result is `True` where the KL is above 1.5 times the target. Exactly at that bound the update
#   goes on. With a target of 0 any positive KL stops.
# - Where `target` is `None` it never stops. Where there is a target, a KL of nan stops.

# %% exercise="should_stop"
def should_stop(approx_kl, target):
    """Whether an update ends here: the KL is above 1.5 times the target.

    approx_kl float, target float or None -> bool; never where target is None, always at nan

    Example: should_stop(0.016, 0.01) is True, should_stop(0.014, 0.01) is False.
    """
    ### BEGIN SOLUTION
    return target is not None and not approx_kl <= 1.5 * target  # nan is never <= anything
    ### END SOLUTION


# %% check="should_stop" points=3
check("should_stop")

# %% [markdown]
# ## 2. A clip for the critic
#
# **Question.** The policy is kept from running away with one batch. Should the critic be, too?
#
# **Idea.** Do the same to its loss. Write down the value that the critic gave when the batch was
# collected, $V_\text{old}$, and let the new value gain nothing from going further than $\epsilon_V$
# from it. As in the policy's clip a pessimist chooses: of two errors the larger one counts.
#
# $$L^V=\operatorname{mean}\Big[\max\big((V-R)^2,\ (\mathrm{clip}(V,V_\text{old}-\epsilon_V,
# V_\text{old}+\epsilon_V)-R)^2\big)\Big].$$
#
# Here, too, there are cases, four of them:
#
# | the new value | which error is larger | the sample |
# |---|---|---|
# | within $\epsilon_V$ of the old one | both are equal | moves |
# | further, on the way to the return | the one at the edge | is at rest |
# | further, away from the return | the value's own | moves |
# | further, and past the return | the larger one, whichever it is | moves once it has overshot by more than the edge falls short |
#
# Note the unit. The policy's $\epsilon$ is a number without one, a share of a probability.
# $\epsilon_V$ is measured **in the units of the return**. A clip of 0.2 is wide for returns between 0
# and 1. Where returns are near 50, it is a leash of half a per cent.
#
# ### Exercise: `value_clip_loss`
#
# - `values`, `old_values`, `returns`: tensors `(B,)`; `clip` is $\epsilon_V$.
# - The result is a scalar tensor: the mean of the larger of the two squared errors, no factor one half.
# - The old values and the returns are data. Gradient flows into `values` alone.
# - `(B, 1)` against `(B,)` would broadcast in silence. Raise a `ValueError` where shapes differ.

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


# %% check="value_clip_loss" points=6
check("value_clip_loss")

# %% [markdown]
# **Predict.** One sample with an old value of 0 and a return of 2, and $\epsilon_V=0.5$. Draw the loss
# over the new value from $-2$ to 5. Where is it flat?

# %% demo=true alt="The clipped loss of one sample over the new value, with the plain squared error dashed. Up to 0.5 the two agree. From 0.5 to 3.5 the clipped loss is flat at 2.25, while the plain one falls to 0 at 2 and rises again. Beyond 3.5 they agree."
grid = np.linspace(-2, 5, 141)
zero, two = torch.zeros(1, dtype=torch.float64), torch.full((1,), 2.0, dtype=torch.float64)
held = [float(value_clip_loss(torch.tensor([v]), zero, two, 0.5)) for v in grid]
free = [float(value_loss(torch.tensor([v]), two)) for v in grid]
pg.plots.value_clip(grid, held, free, old=0.0, ret=2.0, clip=0.5)
plt.show()

# %% [markdown]
# From 0.5 on the value gains nothing by coming nearer to the return. The flat piece ends where the
# value has overshot by as much as the edge falls short: at 3.5.
#
# ## 3. The details, one line each
#
# | detail | what it says | why one might want it |
# |---|---|---|
# | annealing | the learning rate falls linearly to 0 | big steps early, small ones late |
# | Adam's epsilon | $10^{-5}$ in place of $10^{-8}$ | smaller steps where gradients nearly vanish (Kingma and Ba 2015) |
# | gradient norm | a gradient longer than 0.5 is shortened to 0.5 | one strange minibatch can't throw the weights (Pascanu et al. 2013) |
# | value clip | section 2, with 0.2 | the critic keeps near its old values |
# | target KL | section 1, with 0.01 | an update stops in time |
# | whitening per minibatch | advantages are normalised in each minibatch | the same scale in each step; lesson 05 does it once a rollout |
# | no whitening | advantages as they are | to see what whitening is worth |
# | torch's initialisation | that of `nn.Linear`, in place of orthogonal weights with a small last layer (Saxe et al. 2014) | to see what `pg.MLP` has done for you all along |
# | observation scaling | mean 0 and deviation 1 for each number, from all seen so far | a network learns easily from numbers of one size |
# | all together | seven at once: annealing, Adam's epsilon, gradient norm, value clip, target KL, whitening per minibatch, scaling | programs switch on many of them together |
#
# Here is lesson 05's loop with all of them. First the switches, the networks, and the running mean and
# variance of the observations (Chan et al. 1979).

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

# %% [markdown]
# Then what an action is. The loop asks for four things: draw, log-probability, entropy, and what the
# environment is handed. And the loop itself. Nothing in it should be new but the details.
#
# A remark on the scaling. It is brought up to date *after* a rollout. Playing and scoring then see the
# same numbers, and the first ratio is 1.

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
            a = adv[idx]
            if d.whiten == "minibatch":
                a = torch.as_tensor(normalize_advantages(a.numpy()))
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
        with torch.no_grad():
            spread = kind.entropy(policy(rollout.obs)).mean().item()
        kls = update(policy, critic, optimizer, rollout, adv, ret, kind, rng, d)
        history.append({"mean_return": episodes.mean_return(rollout), "approx_kl": np.mean(kls),
                        "steps": len(kls), "entropy": spread,
                        "explained_variance": explained_variance(rollout.values, ret)})
    return history

# %% [markdown]
# ## 4. Which of them matter?
#
# **Question.** Does any of these make PPO learn faster, or more?
#
# Each row below is lesson 05's loop with one thing changed, on twelve seeds. The tasks are CartPole (24
# rounds of 2048 steps) and Pendulum (32 rounds), which you will meet in section 6. The measure is the
# mean return over the whole training, so that both speed and height count. Each seed is compared with
# itself: the same start, with the change and without. The bars are two standard errors of the mean
# difference.
#
# With twenty comparisons, one bar may miss 0 by luck alone. So what helped by more than its bar ran once
# more, on twelve other seeds. `python -m publish.runs practice` makes all runs again, with the cells
# above.
#
# **Predict.** Which changes will help, which will harm, and which three will matter most?

# %% demo=true trained=true alt="Two panels, CartPole and Pendulum, with one row for each change. A dot shows the mean difference in return to the plain loop over twelve seeds, a bar two standard errors, small marks the single seeds; a vertical line stands at 0. On CartPole the bars of value clip, target KL, no whitening, torch's initialisation, scaled observations and all together lie left of 0, the others cover it. On the pendulum those of annealing, value clip, target KL and all together lie left of 0, those of the gradient norm and of torch's initialisation right of it."
stored = pg.stored_runs("practice")
second = stored.pop("pendulum_fresh")  # what helped, on seeds of its own
labels = {
    "anneal": pg.tr("annealing"), "adam_eps": pg.tr("Adam's epsilon 1e-5"),
    "grad_norm": pg.tr("gradient norm 0.5"), "value_clip": pg.tr("value clip 0.2"),
    "target_kl": pg.tr("target KL 0.01"), "whiten_minibatch": pg.tr("whitening per minibatch"),
    "whiten_no": pg.tr("no whitening"), "init_torch": pg.tr("torch's initialisation"),
    "scale_obs": pg.tr("observations scaled"), "all": pg.tr("all together"),
}
tasks = {"cartpole": pg.tr("CartPole"), "pendulum": pg.tr("Pendulum")}


def overall(returns):
    """Mean over all rounds, (seeds,); where no episode ended, the last mean stands."""
    filled = returns.copy()
    for t in range(1, filled.shape[1]):
        filled[:, t] = np.where(np.isnan(filled[:, t]), filled[:, t - 1], filled[:, t])
    return np.nanmean(filled, axis=1)


def gain_and_bar(runs, change):
    """Each seed's difference to the plain loop, (seeds,); two standard errors of its mean."""
    gain = overall(runs[change]) - overall(runs["plain"])
    return gain, 2 * gain.std(ddof=1) / np.sqrt(len(gain))


def rows(runs):
    """Print a row for each change."""
    for change in (name for name in labels if name in runs):
        gain, bar = gain_and_bar(runs, change)
        mark = "*" if abs(gain.mean()) > bar else " "
        end = (overall(runs[change][:, -5:]) - overall(runs["plain"][:, -5:])).mean()
        print(f"   {labels[change]:28} {gain.mean():+7.1f} +- {bar:5.1f} {mark}  "
              + pg.tr("last rounds {end:+7.1f}").format(end=end))


gains = {
    task: {change: gain_and_bar(runs, change)[0] for change in labels if change in runs}
    for task, runs in stored.items()
}
pg.plots.differences({tasks[task]: {labels[c]: d for c, d in of.items()} for task, of in gains.items()},
                     xlabel=pg.tr("mean return over the training, minus that of the plain loop"))
plt.show()
for task, runs in stored.items():
    print(pg.tr("{task}: the plain loop {mean:.0f} over the training, {end:.0f} in the last five rounds").format(
        task=tasks[task], mean=overall(runs["plain"]).mean(), end=overall(runs["plain"][:, -5:]).mean()))
    rows(runs)
print(pg.tr("Pendulum once more, on twelve other seeds"))
rows(second)

# %% claim="what_the_details_are_worth"
cart, swing = gains["cartpole"], gains["pendulum"]
bars = {(task, c): gain_and_bar(runs, c)[1] for task, runs in stored.items() for c in labels}


def over(task, change):
    """By how much a change helps more than its bar."""
    return gains[task][change].mean() - bars[task, change]


claim("no whitening costs CartPole", cart["whiten_no"].mean(), at_most=-60)
claim("so does the target KL", cart["target_kl"].mean(), at_most=-60)
claim("and the value clip", cart["value_clip"].mean(), at_most=-20)
claim("four make no difference that shows on CartPole",
      max(abs(cart[c].mean()) / bars["cartpole", c]
          for c in ("anneal", "adam_eps", "grad_norm", "whiten_minibatch")), at_most=1)
claim("torch's initialisation costs CartPole", cart["init_torch"].mean(), at_most=-20)
claim("scaled observations cost it", cart["scale_obs"].mean(), at_most=-20)
for gain in (cart, swing):
    claim("all together costs most",
          gain["all"].mean() - min(gain[c].mean() for c in gain if c != "all"), at_most=0)
claim("of single changes the value clip costs the pendulum most",
      swing["value_clip"].mean() - min(swing[c].mean() for c in swing if c not in ("all", "value_clip")),
      at_most=0)
claim("annealing costs the pendulum", swing["anneal"].mean(), at_most=-50)
claim("the target KL costs it", swing["target_kl"].mean(), at_most=-60)
claim("whitening shows no difference there", abs(swing["whiten_no"].mean()) / bars["pendulum", "whiten_no"],
      at_most=1)
claim("for scaled observations the bar ends at 0", over("pendulum", "scale_obs") +
      2 * bars["pendulum", "scale_obs"], at_least=-5, at_most=5)
claim("nothing helps CartPole by more than its bar", max(over("cartpole", c) for c in cart), at_most=0)
claim("just two help the pendulum", sum(over("pendulum", c) > 0 for c in swing), at_least=2, at_most=2)
gain, bar = gain_and_bar(second, "grad_norm")
claim("the gradient norm is one of them", over("pendulum", "grad_norm"), at_least=10)
claim("it helps on other seeds, too", gain.mean() - bar, at_least=30)
gain, bar = gain_and_bar(second, "init_torch")
claim("torch's initialisation is the other", over("pendulum", "init_torch"), at_least=0)
claim("on other seeds it doesn't show", gain.mean() / bar, at_most=0.9)

# %% [markdown]
# On CartPole nothing on this list helps by more than its bar. Four changes make no difference there that
# twelve seeds can show: annealing, Adam's epsilon, the gradient norm and whitening per minibatch. The
# others cost. On the pendulum two help.
#
# - **The gradient norm** helps the pendulum, and helped again on the twelve other seeds. Returns are
#   large there, and the critic's errors with them, which is what the limit is for.
# - **Torch's initialisation** helped the pendulum on the first twelve seeds. On the others its bar covers
#   0: the first help may have been luck. On CartPole it costs. The orthogonal start, with a last layer
#   so small that the first policy is nearly even, was lesson 05's silent help.
# - **Whitening** carries the loop on CartPole: without it the runs lose more than a third of their
#   return. On the pendulum the difference doesn't show.
# - **The target KL** of 0.01 costs both tasks. It is less than what this loop spends in an update at its
#   learning rate. Updates stop after a few minibatches, and lesson 05 has shown what fewer steps cost.
#   A target belongs to a learning rate.
# - **The value clip** of 0.2 is in the units of the return. Those reach 50 on CartPole and go below
#   $-50$ on the pendulum, where the critic crawls and hardly anything is learned.
# - **Annealing** costs the pendulum: the rate has fallen before the rod stands. A schedule belongs to
#   a length of training.
# - **Scaled observations** cost CartPole, whose numbers are small from the start: the scale still moves
#   while the policy learns, and with it what the policy sees. On the pendulum the bar ends at 0.
# - **All together** costs more than any one of them, on both tasks. A recipe is no sum of good deeds: it
#   was tuned as a whole, with its learning rate and its length of training.
#
# This doesn't say that the details are useless. Each was found by somebody on other tasks, at other
# rates, in longer runs (Engstrom et al. 2020; Andrychowicz et al. 2020). It says that a default was
# right for the one who set it. One learning rate and one length of training were tried for each
# task, and twelve seeds see differences of about a tenth of the return, not smaller ones.
#
# ## 5. Continuous actions
#
# **Question.** A torque can be any number between $-2$ and 2. What is the probability of 0.731?
#
# **Idea.** Zero. But there is a density. The policy network gives the mean $\mu(s)$ of a Gaussian, and
# a free parameter for each dimension gives the logarithm of its standard deviation, $\log\sigma$. An
# action is drawn from it. With $D$ independent dimensions the log-density is a sum:
#
# $$\log\pi(a\mid s)=\sum_{d=1}^{D}\Big[-\tfrac12\Big(\frac{a_d-\mu_d(s)}{\sigma_d}\Big)^2
# -\log\sigma_d-\tfrac12\log2\pi\Big].$$
#
# Nothing else in PPO changes. The ratio of two densities is a ratio like any other, and the score's
# mean is 0 here as well. Two habits have to go, though. A log-density can be **positive**: a narrow
# Gaussian is higher than 1. And the entropy can be **negative**:
#
# $$H=\sum_{d=1}^{D}\Big[\log\sigma_d+\tfrac12\log(2\pi e)\Big],$$
#
# which is below 0 for each $\sigma$ below 0.242. An entropy of 0 is nothing special any more.
#
# ### Exercise: `gaussian_logp`
#
# - `mean`, `actions`: tensors `(..., D)`; `log_std`: `(D,)`, or of the mean's shape.
# - The result `(...)` is the log-density of each action, summed over its dimensions.
# - Gradient flows into `mean` and `log_std`.

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


# %% check="gaussian_logp" points=7
check("gaussian_logp")

# %% [markdown]
# ### Exercise: `gaussian_entropy`
#
# - `log_std`: tensor `(..., D)`. The result `(...)` is the entropy of each row, summed over dimensions.

# %% exercise="gaussian_entropy"
def gaussian_entropy(log_std):
    """Entropy of a Gaussian with independent dimensions, in nats; may be negative.

    log_std (..., D) -> (...)

    Example: one dimension with log_std 0 gives log(2 pi e) / 2, about 1.419.
    """
    ### BEGIN SOLUTION
    return (log_std + 0.5 * np.log(2 * np.pi * np.e)).sum(dim=-1)
    ### END SOLUTION


# %% check="gaussian_entropy" points=4
check("gaussian_entropy")

# %% [markdown]
# With these two in the softmax's place the loop is complete:

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

# %% [markdown]
# ### What the motor can't do
#
# A Gaussian has no ends, a motor has. What is beyond its limits is cut off: `np.clip` in `played`. But
# the log-probability is that of the number that was *drawn*. The environment's limits belong to the
# environment.
#
# What if one put the cut action into the log-probability? The theorem of lesson 01 needs the score's
# mean to be 0, else any constant in the returns pushes the policy. Let us compute that mean, by
# summing over a fine grid of actions, for a Gaussian near the edge.
#
# **Predict.** The limit is 2, $\mu=1.5$, $\sigma=1$. In which direction would a constant return push
# the mean?

# %% demo=true
grid = torch.linspace(-8, 11, 20001, dtype=torch.float64)[:, None]  # (A, 1)
for start in (0.0, 1.5, 2.5):
    mean = torch.full((1,), start, dtype=torch.float64, requires_grad=True)
    log_std = torch.zeros(1, dtype=torch.float64)
    density = torch.exp(gaussian_logp(mean.detach(), log_std, grid))
    weight = density / density.sum()  # (A,)
    slopes = []
    for scored in (grid, grid.clamp(-2, 2)):
        (slope,) = torch.autograd.grad((weight * gaussian_logp(mean, log_std, scored)).sum(), mean)
        slopes.append(slope.item() + 0.0)
    print(pg.tr("mean {m:3.1f}: mean score {a:+.4f} with the drawn action, {b:+.4f} with the cut one").format(
        m=start, a=round(slopes[0], 8) + 0.0, b=slopes[1]))

# %% [markdown]
# With the drawn action it is 0. With the cut one it is not, and the nearer the mean is to the limit the
# further. A positive return that is the same for all actions would push the mean back inside; a negative
# one, as all are on the pendulum below, would push it further out. One can do better than ignore the
# limit, by giving the cut actions their true probability (Fujita and Maeda 2018). Putting the cut number
# into the density is not that.
#
# ## 6. A pendulum
#
# **Question.** Does it work?
#
# In **Pendulum-v1** a rod hangs from a hinge with a motor too weak to lift it. It has to swing.
# Observed are cosine and sine of the angle and the angular velocity; the reward is 0 for standing
# upright at rest and down to $-16$ a step otherwise. It never terminates: after 200 steps the clock
# cuts, and the value of what would have followed counts. `pg.envs.VectorPendulum` has Gymnasium's
# physics, many at a time.
#
# **Predict.** A random policy scores about $-1200$ an episode. What becomes of the entropy while the
# pendulum learns to stand: can it cross 0?

# %% demo=true trained=true alt="Three panels over 32 updates of one run. The mean return rises from about -1200; gaps show rounds in which no episode ended. The entropy falls steadily. The KL stays small."
torch.manual_seed(0)
policy, critic = pg.GaussianMLP(3, 1), pg.MLP(3)
details = Details(gamma=0.9, lam=0.95, epochs=5, learning_rate=5e-3)
envs = pg.envs.VectorPendulum(32)
history = train(envs, policy, critic, 32, 64, np.random.default_rng(0), details, Gaussian)
pg.plots.gauges({
    pg.tr("mean return"): [row["mean_return"] for row in history],
    pg.tr("KL (nats per step)"): [row["approx_kl"] for row in history],
    pg.tr("entropy"): [row["entropy"] for row in history],
})
plt.show()
print(pg.tr("last mean return {a:.0f}, standard deviation of the torque {b:.2f}").format(
    a=[row["mean_return"] for row in history if np.isfinite(row["mean_return"])][-1],
    b=policy.log_std.exp().item()))

# %% claim="the_pendulum_learns"
returns = np.array([row["mean_return"] for row in history])
claim("the first episodes score about as chance", np.nanmean(returns[:6]), at_most=-1000)
claim("the last ones far more", np.nanmean(returns[-6:]), at_least=-850)
claim("the entropy falls", history[0]["entropy"] - history[-1]["entropy"], at_least=0.2)

# %% [markdown]
# It works: the same loop, and two functions in place of the softmax's. The entropy begins at 1.42,
# that of $\sigma=1$, and falls as the policy becomes sure. It would cross 0 at $\sigma=0.242$, and nothing
# would happen there.
#
# ## What you have seen
#
# - An update can stop in time by the KL gauge; a gauge of nan must stop it, too.
# - The value clip is the policy's clip on the critic, in the units of the return.
# - Most details are one line. What a line is worth is a question for twelve seeds, not for one.
# - Continuous actions change the log-probability and the entropy, and nothing else. Log-densities may
#   be positive, entropies negative. What the motor can't do is cut after the log-probability.
#
# [Lesson 06](../06_toward_language/06_toward_language.ipynb) takes the loop to language.
#
# ## References
#
# - J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov. [Proximal policy optimization
#   algorithms](https://arxiv.org/abs/1707.06347). 2017.
# - S. Huang, R. F. J. Dossa, A. Raffin, A. Kanervisto, W. Wang. [The 37 implementation details of
#   proximal policy
#   optimization](https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/). ICLR
#   blog track, 2022.
# - L. Engstrom et al. [Implementation matters in deep policy gradients: a case study on PPO and
#   TRPO](https://arxiv.org/abs/2005.12729). ICLR 2020. The value clip and other details, taken apart.
# - M. Andrychowicz et al. [What matters in on-policy reinforcement learning? A large-scale
#   empirical study](https://arxiv.org/abs/2006.05990). 2020. The same on many more runs.
# - D. P. Kingma, J. Ba. [Adam: a method for stochastic optimization](https://arxiv.org/abs/1412.6980).
#   ICLR 2015.
# - R. Pascanu, T. Mikolov, Y. Bengio. [On the difficulty of training recurrent neural
#   networks](https://arxiv.org/abs/1211.5063). ICML 2013. The gradient's norm.
# - A. M. Saxe, J. L. McClelland, S. Ganguli. [Exact solutions to the nonlinear dynamics of learning in
#   deep linear neural networks](https://arxiv.org/abs/1312.6120). ICLR 2014. Orthogonal weights.
# - T. F. Chan, G. H. Golub, R. J. LeVeque. [Updating formulae and a pairwise algorithm for computing
#   sample variances](http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf). Stanford
#   University, STAN-CS-79-773, 1979.
# - Y. Fujita, S. Maeda. [Clipped action policy gradient](https://arxiv.org/abs/1802.07564). ICML 2018.
