# Source of lesson 04. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 04 · The clip, case by case
#
# So far every batch was used for one step and thrown away. Episodes are expensive, for a language
# model above all: each one is a text that had to be written. Can a batch be used ten times?
#
# It can, but not without a leash. In this lesson you will
#
# 1. reuse one batch and watch a policy collapse,
# 2. weigh stale samples correctly, and see that this alone does not help,
# 3. write PPO's objective, the *clip*, case by case, and see the collapse disappear,
# 4. measure what the clip does not promise, and put a penalty beside it,
# 5. ask at which learning rates all this holds.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`
# and restart the session; in VS Code, choose the Python of the folder `.venv` as the kernel.

# %% setup=true
import matplotlib.pyplot as plt
import numpy as np
import torch

import policy_gradients as pg
from grader import check

torch.set_num_threads(1)

# %% [markdown]
# From lesson 01 we take the softmax and REINFORCE's loss (Williams 1992), as they were solved there.

# %% given=["softmax", "reinforce_loss"]

# %% [markdown]
# ## 1. One batch, many steps
#
# **Question.** What happens when we take ten gradient steps on one batch instead of one?
#
# ### The stage
#
# In this world everything can be computed exactly: a **contextual bandit**. The agent sees one of
# $S=10$ contexts $s$, chooses one of $A=5$ arms $a$, gets one reward and the episode is over. Read
# "prompt" for context and "answer" for arm, and it is the smallest language model there is.
#
# The mean rewards lie between $-2$ and $2$. The noise on top has a standard deviation of 8, so a single
# reward says little about its arm.
#
# The policy $\pi_\theta(a\mid s)$ is a softmax over a table $\theta$ of logits, $S$ by $A$. Its
# objective is the expected reward $J(\theta)=\frac1S\sum_s\sum_a\pi_\theta(a\mid s)\,\mu(s,a)$,
# where $\mu(s,a)$ is the mean reward. We report it as a share of the best possible value,
# $J/J^*$.
#
# How *far* has a policy moved? The **Kullback-Leibler divergence** from an old policy to a new one
# says how badly the new one predicts the old one's actions. It is measured in nats, the unit that
# comes with the natural logarithm; it is 0 for equal policies, and never negative:
#
# $$\mathrm{KL}(\pi_\text{old}\,\|\,\pi_\theta)=\frac1S\sum_s\sum_a\pi_\text{old}(a\mid s)
# \,\log\frac{\pi_\text{old}(a\mid s)}{\pi_\theta(a\mid s)}.$$
#
# A table of logits may hold several copies of the stage, one below the other: copy $i$ owns the
# rows $Si$ to $Si+S-1$. So many runs go side by side.

# %% demo=true
env = pg.envs.ContextualBandit(noise=8.0)
S, A = env.num_states, env.num_actions
MEANS = env.rewards[:, :, 0]  # (S, A)
BEST = pg.exact.optimal_objective(env)


def table(policy):
    """The policy's probabilities, (R S, A) for R copies."""
    return softmax(policy.theta.detach().numpy())


def share_of_best(pi):
    """Exact J / best J of each copy, (..., R S, A) -> (..., R)."""
    return (pi.reshape(*pi.shape[:-2], -1, S, A) * MEANS).sum(-1).mean(-1) / BEST


def exact_kl(old, new):
    """Exact KL(old, new) of each copy, (..., R S, A) -> (..., R)."""
    return (old * np.log(old / new)).sum(-1).reshape(*new.shape[:-2], -1, S).mean(-1)


def copies(theta, runs):
    """A policy that holds `runs` copies of the table theta (S, A)."""
    policy = pg.TabularPolicy(runs * S, A).double()
    with torch.no_grad():
        policy.theta.copy_(torch.as_tensor(theta).repeat(runs, 1))
    return policy


print(pg.tr("best J {best:.2f}, uniform policy {uniform:.2f}").format(
    best=BEST, uniform=MEANS.mean()))

# %% [markdown]
# `collect` draws a batch with the current policy, for each copy $B=256$ contexts, arms and
# advantages. The advantage $A_t$ of sample $t$ is its reward minus the batch's mean reward. `reuse`
# takes $K$ steps on that batch. Before the first one it freezes the log-probabilities with which the
# batch was drawn, `logp_old`: the loss may need them.

# %% demo=true
def collect(policy, size, rng):
    """One batch for each copy -> obs, act, adv, (R B,) each."""
    runs = len(policy.theta) // S
    obs = rng.integers(S, size=(runs, size)) + S * np.arange(runs)[:, None]  # (R, B)
    upto = table(policy)[obs].cumsum(axis=-1)  # (R, B, A)
    act = (rng.random((runs, size, 1)) > upto[..., :-1]).sum(axis=-1)  # (R, B)
    rew = MEANS[obs % S, act] + env.noise * rng.standard_normal(obs.shape)
    adv = rew - rew.mean(axis=1, keepdims=True)
    return [torch.as_tensor(x.ravel()) for x in (obs, act, adv)]


def logp_of(policy, obs, act):
    """Log-probabilities of the arms that were pulled, (R B,)."""
    return torch.log_softmax(policy(obs), -1).gather(-1, act[:, None])[:, 0]


def reuse(policy, optimizer, batch, loss, steps):
    """K steps on one batch -> the table before each step and at the end, (K + 1, R S, A)."""
    obs, act, adv = batch
    runs = len(policy.theta) // S
    logp_old = logp_of(policy, obs, act).detach()  # (R B,)  frozen
    tables = [table(policy)]
    for _step in range(steps):
        logp = logp_of(policy, obs, act)
        optimizer.zero_grad()
        (runs * loss(logp, logp_old, adv)).backward()  # each copy gets the mean of its own batch
        optimizer.step()
        tables.append(table(policy))
    return np.array(tables)


def adam(policy, rate=0.2):
    return torch.optim.Adam(policy.parameters(), lr=rate)


def repeated_reinforce(logp, logp_old, adv):
    """Lesson 01's loss, whatever policy drew the batch; an episode has one step."""
    return reinforce_loss(logp[:, None], adv)  # (B, 1), (B,) -> ()

# %% [markdown]
# A decent policy to start from: twenty batches, one step on each, as in the lessons before.

# %% demo=true
policy, rng = copies(torch.zeros(S, A), 1), np.random.default_rng(0)
optimizer = adam(policy)
for _batch in range(20):
    reuse(policy, optimizer, collect(policy, 256, rng), repeated_reinforce, steps=1)
START = policy.theta.detach().clone()
START_PI = table(policy)
print(pg.tr("J / best J = {share:.2f}").format(share=share_of_best(START_PI)[0]))

# %% [markdown]
# **Predict.** From this policy we draw forty batches. On each of them, separately, we take
# twenty steps of REINFORCE's loss. The loss falls, so minus the loss rises. How does the *exact* $J$
# go meanwhile: up all the way, up and then level, or up and then down?

# %% demo=true alt="Three panels over 20 gradient steps, 40 runs each. Minus the loss rises steadily in all runs. The exact J as a share of the best is level for about three steps and then falls in most runs; the run of the bad batch falls to less than half. The exact KL grows faster and faster, beyond one."
batches = collect(copies(START, 40), 256, np.random.default_rng(3))  # the forty batches
policy = copies(START, 40)
walk = reuse(policy, adam(policy), batches, repeated_reinforce, steps=20)  # (21, 400, 5)
obs, act, adv = (x.numpy() for x in batches)
minus_loss = (np.log(walk[:, obs, act]) * adv).reshape(21, 40, -1).mean(-1)  # (21, 40)
share, kl = share_of_best(walk), exact_kl(walk[0], walk)
BAD = share[10].argmin()
pg.plots.bundles(
    {pg.tr("minus the loss"): minus_loss, pg.tr("exact J / best J"): share, pg.tr("exact KL"): kl},
    xlabel=pg.tr("gradient steps on one batch"), marked=BAD,
    levels={pg.tr("exact J / best J"): (share[0, 0], pg.tr("start"))})
plt.show()
print(pg.tr("after 10 steps: {n} of 40 below the start, mean {mean:.2f}, worst {worst:.2f}").format(
    n=int((share[10] < share[0]).sum()), mean=share[10].mean(), worst=share[10].min()))
print(pg.tr("steps at which the mean is highest: {n}").format(n=share.mean(1).argmax()))

# %% claim="ten_steps_harm_most"
claim("after ten steps of REINFORCE's loss most of forty policies are below the start",
      (share[10] < share[0]).mean(), at_least=0.55)
claim("minus the loss rises at each step in each run", np.diff(minus_loss, axis=0).min(), at_least=0)
claim("the mean is highest after a few steps", share.mean(1).argmax(), at_least=1, at_most=4)
claim("the bad batch's run loses more than half", share[10, BAD] / share[0, BAD], at_most=0.5)
claim("the mean KL passes one", kl[20].mean(), at_least=1)

# %% [markdown]
# Minus the loss rises at every step, in every run. The exact $J$ gains a hair in the first steps,
# and then it falls. After ten steps most of the forty policies are worse than before, and have moved
# far. All this is at one learning rate, Adam's 0.2; section 10 asks about others.
#
# The runs differ in nothing but their batch. The dashed line is the one that did most harm. Call it
# **the bad batch**. It isn't broken, only bad luck. That would pass with the next batch, were it not
# for this:

# %% demo=true
best_arm = MEANS.argmax(axis=1)
mine = slice(BAD * S, BAD * S + S)
print(pg.tr("expected draws of each context's best arm in a batch of 256"))
for words, pi in ((pg.tr("before"), walk[0, mine]), (pg.tr("after the bad batch"), walk[10, mine])):
    print(f"{words:>20}:", *(f"{256 / S * pi[s, best_arm[s]]:5.1f}" for s in range(S)))

# %% claim="the_best_arm_is_hardly_drawn"
after = 256 / S * walk[10, mine][np.arange(S), best_arm]
claim("in some context the next batch holds the best arm less than once in two batches",
      after.min(), at_most=0.5)

# %% [markdown]
# In some contexts the next batch will hardly hold the best arm, and a policy gradient learns from
# what the policy tries. **The damage is done to the next batch**, and so to all that come after it.
# That makes reinforcement learning brittle. In supervised learning a bad step leaves the data as they
# were.
#
# Two things can be at fault. Lesson 01's loss assumes samples from the *current* policy; after the
# first step they are stale. And the steps go too far. We mend the first and look again.

# %% [markdown]
# ## 2. Stale samples: the importance ratio
#
# **Question.** The samples come from $\pi_\text{old}$. How can they tell us something about
# another policy $\pi_\theta$?
#
# **Idea.** Weigh each sample. Where the new policy plays an action twice as often as the old one
# did, that sample should count twice. The weight is the **importance ratio**
#
# $$r_t(\theta)=\frac{\pi_\theta(a_t\mid s_t)}{\pi_\text{old}(a_t\mid s_t)}.$$
#
# (The letter is the field's. It is no reward.) For any function $f$ of the action, weighing turns
# one mean into the other. This is called a change of measure:
#
# $$\mathbb E_{a\sim\pi_\text{old}}\big[r(\theta)f(a)\big]
# =\sum_a\pi_\text{old}(a\mid s)\,\frac{\pi_\theta(a\mid s)}{\pi_\text{old}(a\mid s)}f(a)
# =\mathbb E_{a\sim\pi_\theta}\big[f(a)\big].$$
#
# It needs the old policy to play every action now and then: what was never tried can't be
# weighed.
#
# ### Exercise: `importance_ratio`
#
# - `logp`, `logp_old`: tensors `(B,)`, the log-probabilities of the same actions under the new and
#   the old policy.
# - The result is the ratio of each sample, `(B,)`.
# - The old policy is data. No gradient may flow into `logp_old`.
# - Probabilities of long texts are far smaller than the smallest number a computer knows. With
#   `logp = -2000` and `logp_old = -2001` the ratio is still $e$.

# %% exercise="importance_ratio"
def importance_ratio(logp, logp_old):
    """Ratio of the taken actions' probabilities, new over old; no gradient into logp_old.

    logp (B,), logp_old (B,) -> (B,)

    Example: log-probabilities of 0.5 (new) and 0.25 (old) give the ratio 2.
    """
    ### BEGIN SOLUTION
    return torch.exp(logp - logp_old.detach())  # (B,)
    ### END SOLUTION


# %% check="importance_ratio" points=1
check("importance_ratio")

# %% [markdown]
# **Predict.** Take the policies after 1, 3, 10 and 20 steps on the bad batch. Their exact $J$
# is one sum over all contexts and arms. Now compute it as a mean over the *old* policy, weighted with
# the ratio. How many digits will agree? And what does the old policy's mean say without weights?

# %% demo=true
old = START_PI
print(pg.tr("steps   J of the new policy   old one, weighted      old one, as it is"))
for step in (1, 3, 10, 20):
    new = walk[step, mine]
    ratio = importance_ratio(torch.tensor(np.log(new)).ravel(), torch.tensor(np.log(old)).ravel())
    weighted = (old * ratio.numpy().reshape(S, A) * MEANS).sum() / S
    numbers = (new * MEANS).sum() / S, weighted, (old * MEANS).sum() / S
    print(f"{step:5d}" + "".join(f"{number:22.12f}" for number in numbers))

# %% [markdown]
# All printed digits agree. Without weights the old samples can't even see that the policy changed.
#
# ### The surrogate
#
# So an objective for the new policy can be a mean over old samples, the **surrogate**:
#
# $$L(\theta)=\mathbb E_t\big[r_t(\theta)\,A_t\big],$$
#
# where $\mathbb E_t$ is the mean over the batch's samples. Here that is exact, because the
# contexts don't depend on the policy. In longer episodes the ratio of the *actions* leaves one
# thing uncorrected: a new policy also visits other states. The surrogate is then right to first
# order, near the old policy (Kakade and Langford 2002).
#
# Its gradient holds an old friend. Since
# $\nabla_\theta\pi_\theta=\pi_\theta\nabla_\theta\log\pi_\theta$,
#
# $$\nabla_\theta L=\mathbb E_t\big[r_t\,A_t\,\nabla_\theta\log\pi_\theta(a_t\mid s_t)\big].$$
#
# At equal policies every $r_t$ is 1, and this is the policy gradient of lessons 01 to 03.
#
# ### Exercise: `surrogate_loss`
#
# - `logp`, `logp_old`, `adv`: tensors `(B,)`.
# - The result is a scalar tensor that an optimiser *minimises*: minus the mean of ratio times
#   advantage. Old log-probabilities are data.

# %% exercise="surrogate_loss"
def surrogate_loss(logp, logp_old, adv):
    """Minus the mean of ratio times advantage, without a clip.

    logp (B,), logp_old (B,), adv (B,) -> scalar tensor

    Example: ratios [2, 0.5] and advantages [1, 4] give -2.
    """
    ### BEGIN SOLUTION
    return -(importance_ratio(logp, logp_old) * adv).mean()  # (B,) -> ()
    ### END SOLUTION


# %% check="surrogate_loss" points=2
check("surrogate_loss")

# %% [markdown]
# Is its gradient right? We enumerate: every context and arm stands once in the batch, its mean reward
# weighted by the old policy's share of it. `pg.exact` computes the gradient of the *new* policy without
# any ratio.
#
# **Predict.** Along the bad batch's walk, what is the cosine between the exact gradient and each
# loss's expected one: the surrogate's, and repeated REINFORCE's?

# %% demo=true
every_obs = torch.arange(S).repeat_interleave(A)  # (S A,)
every_act = torch.arange(A).repeat(S)
share_of_pair = torch.tensor(old).ravel() * A  # the mean over S A pairs of this is 1
all_adv = share_of_pair * torch.tensor(MEANS).ravel()


def expected_gradient(loss, pi):
    """Minus the loss's gradient at the policy pi (S, A), all old samples enumerated."""
    policy = copies(np.log(pi), 1)
    logp_old = torch.tensor(np.log(old)).ravel()
    loss(logp_of(policy, every_obs, every_act), logp_old, all_adv).backward()
    return -policy.theta.grad.numpy()


def cosine(x, y):
    return (x * y).sum() / np.linalg.norm(x) / np.linalg.norm(y)


print(pg.tr("steps   surrogate   repeated REINFORCE   surrogate, largest error"))
for step in (0, 1, 3, 10, 20):
    exact = pg.exact.policy_gradient(env, walk[step, mine])
    found = expected_gradient(surrogate_loss, walk[step, mine])
    naive = expected_gradient(repeated_reinforce, walk[step, mine])
    error = np.abs(found - exact).max()
    print(f"{step:5d} {cosine(found, exact):11.4f} {cosine(naive, exact):20.4f}"
          f" {'< 1e-12' if error < 1e-12 else f'{error:.1e}':>26}")

# %% [markdown]
# At step 0 both are the policy gradient. Afterwards REINFORCE's loss drifts away from it, while
# the surrogate's expected gradient stays exact, to rounding.
#
# ### Is that enough?
#
# **Predict.** The same forty batches, twenty steps again, now with your surrogate, whose expected
# gradient is exact at every step. Will $J$ still fall?

# %% demo=true alt="Two panels over 20 gradient steps, 40 runs each. With the surrogate the exact J as a share of the best is level for a few steps and then falls in nearly all runs, on average to less than half of the start. The exact KL grows beyond one."
policy = copies(START, 40)
surrogate_walk = reuse(policy, adam(policy), batches, surrogate_loss, steps=20)
share, kl = share_of_best(surrogate_walk), exact_kl(surrogate_walk[0], surrogate_walk)
pg.plots.bundles(
    {pg.tr("exact J / best J"): share, pg.tr("exact KL"): kl},
    xlabel=pg.tr("gradient steps on one batch"), marked=BAD,
    levels={pg.tr("exact J / best J"): (share[0, 0], pg.tr("start"))})
plt.show()
print(pg.tr("after 10 steps: {n} of 40 below the start, mean {mean:.2f}, worst {worst:.2f}").format(
    n=int((share[10] < share[0]).sum()), mean=share[10].mean(), worst=share[10].min()))

# %% [markdown]
# It falls even deeper. The stale samples were not the main fault.

# %% claim="the_surrogate_falls_deeper" seeds=12 rates=[0.1, 0.2, 0.4]
def after_ten_steps(loss, seed, rate=0.2):
    """J / best J of forty runs after ten steps on a batch of their own, (40,)."""
    policy = copies(START, 40)
    drawn = collect(policy, 256, np.random.default_rng(1000 + seed))
    return share_of_best(reuse(policy, adam(policy, rate), drawn, loss, steps=10)[-1])


def deeper(seed, rate):
    return (after_ten_steps(repeated_reinforce, seed, rate).mean()
            - after_ten_steps(surrogate_loss, seed, rate).mean())


claim("after ten steps the surrogate is, on average, below REINFORCE's loss",
      share_of_best(walk)[10].mean() - share[10].mean(), at_least=0.0, again=deeper)
claim("the surrogate leaves most of the policies below the start",
      (share[10] < share[0]).mean(), at_least=0.6)
claim("the surrogate's mean falls below half of the start in twenty steps",
      share[20].mean() / share[0].mean(), at_most=0.5)

# %% [markdown]
#
# The formula is exact *in expectation*, over all batches. But we climb on what one batch says. Let
# us ask it: along the straight line from the old policy's logits to those after ten steps, what gain
# does the batch promise, and what is the exact gain? Ten **fresh** batches from the old policy,
# which had no part in the climb, are asked the same.

# %% demo=true alt="Gain in expected reward along the way from the old policy to the new one. The exact gain falls below zero. A grey band around it widens. The lines of ten fresh batches lie in the band or near it. The line of the batch that was climbed on rises steeply, far outside the band."
policy = copies(START, 40)
end = reuse(policy, adam(policy), batches, surrogate_loss, steps=10)[-1, mine]
mix = np.linspace(0, 1, 11)
news = softmax(np.log(old) + mix[:, None, None] * np.log(end / old))  # (11, S, A)
ratios = news / old


def promised(batch, runs):
    """What each copy's batch says about each policy of the mix, (11, R)."""
    obs, act, adv = (np.asarray(x).reshape(runs, -1) for x in batch)
    return (ratios[:, obs % S, act] * adv).mean(-1)


own = promised(batches, 40)[:, BAD]
fresh = promised(collect(copies(START, 10), 256, np.random.default_rng(4)), 10)
gain = ((news - old) * MEANS).sum(-1).mean(-1)
surplus = (MEANS - (old * MEANS).sum() / S) ** 2 + env.noise**2
second = (old * (ratios - 1) ** 2 * surplus).sum(-1).mean(-1)
spread = np.sqrt((second - gain**2).clip(0) / 256)  # standard deviation of what one batch says
pg.plots.claims(mix, gain, spread, own, fresh)
plt.show()
print(pg.tr("exact gain {gain:.2f}; promised by its own batch {own:.2f}, "
            "by ten fresh ones {low:.2f} to {high:.2f}").format(
    gain=gain[-1], own=own[-1], low=fresh[-1].min(), high=fresh[-1].max()))

# %% claim="only_its_own_batch_promises_a_gain"
claim("the exact gain is a loss", gain[-1], at_most=-0.3)
claim("the batch that was climbed on promises more than three deviations above it",
      (own[-1] - gain[-1]) / spread[-1], at_least=3)
claim("no fresh batch promises as much", own[-1] - fresh[-1].max(), at_least=1)

# %% [markdown]
# The batch promises a large gain where there is a loss. No fresh batch would say so: it is the
# *climb* that found the direction in which this batch errs most. An exact weight even lends a hand:
# a lucky sample's ratio can grow without end, and its promise with it.
#
# You know this as overfitting. The second suspect is guilty: the steps go too far.

# %% [markdown]
# ## 3. A trust region
#
# **Question.** How far can a batch be trusted, and how does one say "no further"?
#
# **Trust region policy optimisation**, TRPO (Schulman et al. 2015), says this in one formula:
#
# $$\max_\theta\ \mathbb E_t\big[r_t(\theta)\,A_t\big]
# \qquad\text{subject to}\qquad
# \mathbb E_t\big[\mathrm{KL}\big(\pi_\text{old}(\cdot\mid s_t)\,\|\,\pi_\theta(\cdot\mid s_t)\big)\big]
# \le\delta.$$
#
# In words: climb the surrogate, but stay within a KL of $\delta$ of the policy that drew the
# batch. Distance is measured in what the policy *does*, not in its parameters: a step that looks
# small in $\theta$ can turn a policy over, and a large one can leave it as it was.
#
# Such a constraint is costly to keep. TRPO needs the curvature of the KL, a second-order
# quantity, solves a linear system for each step and then searches along a line until the
# constraint holds.
#
# **Proximal policy optimisation**, PPO (Schulman et al. 2017), asks for less. It changes the
# objective so that leaving the neighbourhood doesn't *pay*, and then takes ordinary first-order
# steps.

# %% [markdown]
# ## 4. The clip
#
# **Question.** Can an ordinary gradient step be made to stop at the right place?
#
# **Idea.** A sample with a positive advantage wants its action more likely: it pushes its ratio
# up. Let it, up to $1+\epsilon$, and pay it nothing beyond. A sample with a negative advantage
# pushes its ratio down. Let it, down to $1-\epsilon$. The interval from $1-\epsilon$ to
# $1+\epsilon$ is **the band**; usually $\epsilon=0.2$. The objective is
#
# $$L^\text{CLIP}(\theta)=\mathbb E_t\Big[\min\big(r_t(\theta)A_t,\
# \mathrm{clip}(r_t(\theta),1-\epsilon,1+\epsilon)\,A_t\big)\Big],$$
#
# where $\mathrm{clip}(x,l,h)$ is $x$ moved to the nearest point between $l$ and $h$. The two
# numbers inside the min are called its **branches**. The min is a pessimist: of two promises it
# believes the smaller, so the objective is never *better* than the unclipped one.
#
# ### Exercise: `ppo_clip_loss`
#
# - `logp`, `logp_old`, `adv`: tensors `(B,)`; `clip` is $\epsilon$.
# - The result is a scalar tensor to be *minimised*.
# - The gradient flows through `logp` alone: neither into `logp_old` nor into `adv`.

# %% exercise="ppo_clip_loss"
def ppo_clip_loss(logp, logp_old, adv, clip=0.2):
    """PPO's clipped objective as a loss; gradient through logp alone.

    logp (B,), logp_old (B,), adv (B,) -> scalar tensor

    Example: one sample with ratio 1.5 and advantage 2 gives -2.4.
    """
    ### BEGIN SOLUTION
    adv = adv.detach()
    ratio = importance_ratio(logp, logp_old)  # (B,)
    clipped = torch.clamp(ratio, 1 - clip, 1 + clip)  # (B,)
    return -torch.min(ratio * adv, clipped * adv).mean()  # (B,) -> ()
    ### END SOLUTION


# %% check="ppo_clip_loss" points=3
check("ppo_clip_loss")

# %% [markdown]
# **Predict.** Draw two curves on paper: a single sample's objective as its ratio runs from 0.4 to
# 1.6, once with advantage $+1$ and once with $-1$. Where is each of them flat?

# %% demo=true alt="Two panels of the objective over the ratio, the band from 0.8 to 1.2 shaded. For advantage plus one the curve rises with slope one up to ratio 1.2 and is flat above; it also goes on falling below 0.8. For advantage minus one the curve is flat at minus 0.8 below ratio 0.8 and then falls with slope minus one, also above 1.2."
grid = np.linspace(0.4, 1.6, 121)


def objective_of(ratio, adv):
    """Your objective of one sample: minus your loss."""
    one = torch.tensor([float(adv)], dtype=torch.float64)
    return -float(ppo_clip_loss(torch.tensor([np.log(ratio)]), torch.zeros_like(one), one))


pg.plots.clip_curves(grid, {a: np.array([objective_of(r, a) for r in grid]) for a in (1.0, -1.0)})
plt.show()

# %% [markdown]
# Each curve is flat on *one* side only. With $A>0$ it is flat above the band, and goes on below it
# as if there were no clip. With $A<0$ it is the other way round.

# %% [markdown]
# ## 5. Six cases
#
# **Question.** Exactly when does a sample still move the policy?
#
# A sample's push is the slope of its objective with respect to its ratio, times
# $\nabla_\theta r_t=r_t\nabla_\theta\log\pi_\theta(a_t\mid s_t)$. Where the slope is zero, the sample is
# at rest. There are three places (below, inside, above the band) and two signs of the advantage: six
# cases.
#
# ### Exercise: `clip_gradient`
#
# By hand now: no autograd needed.
#
# - `ratio`, `adv`: NumPy arrays `(B,)`; `clip` is $\epsilon$.
# - The result `(B,)` holds for each sample the derivative of *its own* objective,
#   $\min(rA,\mathrm{clip}(r)A)$, with respect to its ratio $r$. No mean, no minus sign.
# - Exactly on an edge the objective has a kink. There either one-sided slope is right.

# %% exercise="clip_gradient"
def clip_gradient(ratio, adv, clip=0.2):
    """Derivative of each sample's clipped objective with respect to its ratio.

    ratio (B,), adv (B,) -> (B,)

    Example: ratio [1.0] and adv [3.0] give [3.0].
    """
    ### BEGIN SOLUTION
    too_far_up = (adv > 0) & (ratio > 1 + clip)
    too_far_down = (adv < 0) & (ratio < 1 - clip)
    return np.where(too_far_up | too_far_down, 0.0, adv)  # (B,)
    ### END SOLUTION


# %% check="clip_gradient" points=2
check("clip_gradient")

# %% [markdown]
# ### Exercise: `case_table`
#
# Fill in the six cases: `"moves"` where the sample still moves the policy, `"zero"` where its gradient
# is zero. `("above", "-")` means: the ratio is above the band, the advantage negative.

# %% exercise="case_table"
case_table = {
    ("below", "+"): None, ("below", "-"): None,  # "moves" or "zero"
    ("inside", "+"): None, ("inside", "-"): None,
    ("above", "+"): None, ("above", "-"): None,
}
### BEGIN SOLUTION
case_table = {
    ("below", "+"): "moves", ("below", "-"): "zero",
    ("inside", "+"): "moves", ("inside", "-"): "moves",
    ("above", "+"): "zero", ("above", "-"): "moves",
}
### END SOLUTION


# %% check="case_table" points=2
check("case_table")

# %% [markdown]
# ### The clip explorer
#
# All three of your answers in one picture: the curve is your loss with its sign turned round,
# the tangent your slope, the words your table. Put the ratio at 1.4 and switch the sign. Which branch
# is the smaller one now, and does the sample rest?

# %% demo=true alt="Six panels of the clipped objective over the ratio with the band shaded. Advantage positive: below the band the sample moves, inside it moves, above it is at rest on the flat part. Advantage negative: below the band it is at rest, inside it moves, above it moves."
pg.plots.ClipExplorer(ppo_clip_loss, clip_gradient, case_table)

# %% [markdown]
# ### By value, by hand, by autograd
#
# The same six cases in numbers, one sample each. The last two columns are two ways to the slope:
# your formula, and a backward pass through your loss, divided by the ratio.

# %% demo=true
print(pg.tr("place    A   ratio   objective   by hand   autograd"))
for place, ratio in (("below", 0.5), ("inside", 0.9), ("above", 1.5)):
    for sign in (1.0, -1.0):
        logp = torch.tensor([np.log(ratio)], requires_grad=True)
        adv_one = torch.tensor([sign], dtype=torch.float64)
        loss = ppo_clip_loss(logp, torch.zeros_like(adv_one), adv_one)
        loss.backward()
        by_hand = clip_gradient(np.array([ratio]), np.array([sign]))[0]
        print(f"{pg.tr(place):7s} {sign:+.0f} {ratio:6.1f} {-loss.item():+11.2f} {by_hand:+9.2f}"
              f" {0.0 - logp.grad.item() / ratio:+10.2f}")

# %% [markdown]
# Two cases are at rest: above with $A>0$, below with $A<0$. Both have already gone as far as
# their advantage wants them to go.
#
# **Two cases lie outside the band and are alive.** Many texts get them wrong. A good action whose
# ratio has fallen *below* the band ($A>0$, $r<1-\epsilon$), and a bad one whose ratio has risen
# *above* it ($A<0$, $r>1+\epsilon$): here the policy has gone the wrong way, dragged along by
# other samples. The min chooses the unclipped branch, and the sample can pull its action back. A
# mistake can be undone.
#
# Inside the band the clip changes nothing: the sample's gradient is
# $r_t\,A_t\,\nabla_\theta\log\pi_\theta$, that of the surrogate. At the first step, with every
# ratio at 1, it is the ordinary policy gradient.

# %% [markdown]
# ### Two edges
#
# A sample with $A>0$ never meets the lower edge, and one with $A<0$ never the upper. So the two
# edges need not lie equally far from 1. "Clip higher" (Yu et al. 2025) takes the band from $1-0.2$
# to $1+0.28$. An action of probability 0.9 can rise to 1 inside the band. One of probability 0.01
# comes to rest at 0.012, and with the wider edge at 0.0128: a rare good action gets a little more
# room. The explorer's second switch shows this band, drawn with your own loss.
#
# ### Exercise: `dual_clip_loss`
#
# One of the six cases has no floor. With $A<0$ and a ratio above the band the sample moves the more
# the higher its ratio is. In a long update, or with data from an older policy, a ratio can be 20.
# Then one sample outweighs twenty others. The **dual clip** (Ye et al. 2020) cuts this off: for
# $A<0$ the objective is never below $cA$, with a constant $c>1+\epsilon$, usually 3.
#
# $$L^\text{DUAL}=\begin{cases}\max\big(\min(rA,\ \mathrm{clip}(r)A),\ cA\big)&A<0\\
# \min(rA,\ \mathrm{clip}(r)A)&A\ge0\end{cases}$$
#
# - `logp`, `logp_old`, `adv`: tensors `(B,)`; `clip` is $\epsilon$, `dual` is $c$.
# - The result is a scalar tensor to be minimised; gradient through `logp` alone.
# - It is a seventh case: where $A<0$ and the ratio is beyond `dual`, the sample is at rest.

# %% exercise="dual_clip_loss"
def dual_clip_loss(logp, logp_old, adv, clip=0.2, dual=3.0):
    """The clip loss in which a negative advantage counts at most `dual` times.

    logp (B,), logp_old (B,), adv (B,) -> scalar tensor; gradient through logp alone

    Example: one sample with ratio 20 and advantage -1 gives 3, where the clip loss gives 20.
    """
    ### BEGIN SOLUTION
    adv = adv.detach()
    ratio = importance_ratio(logp, logp_old)  # (B,)
    clipped = torch.clamp(ratio, 1 - clip, 1 + clip)  # (B,)
    objective = torch.min(ratio * adv, clipped * adv)  # (B,)
    floored = torch.max(objective, dual * adv)  # (B,)
    return -torch.where(adv < 0, floored, objective).mean()  # (B,) -> ()
    ### END SOLUTION


# %% check="dual_clip_loss" points=2
check("dual_clip_loss")

# %% [markdown]
# **Predict.** One sample with $A=-1$, from ratio 0 to 6: where do the clip's objective and the dual
# clip's part, and what is the slope beyond?

# %% demo=true
print(pg.tr("ratio   clip: value, slope   dual clip: value, slope"))
minus_one = torch.tensor([-1.0], dtype=torch.float64)
for ratio in (0.5, 0.9, 1.5, 2.9, 3.1, 20.0):
    print(f"{ratio:5.1f}", end="")
    for loss in (ppo_clip_loss, dual_clip_loss):
        logp = torch.tensor([np.log(ratio)], requires_grad=True)
        loss(logp, torch.zeros(1, dtype=torch.float64), minus_one).backward()
        value = -loss(logp, torch.zeros(1, dtype=torch.float64), minus_one).item()
        print(f"{value:14.2f} {0.0 - logp.grad.item() / ratio:+8.2f}", end="")
    print()

# %% [markdown]
# Up to a ratio of 3 the two agree. Beyond it the dual clip stays at $-3$ and the sample rests. The
# way back is lost: an action made twenty times as likely by mistake gets no push from this sample
# any more. verl has the dual clip on by default, OpenRLHF and tianshou have it switched off.
#
# ### Question: outside the band
#
# The ratio of a sample lies outside the band. **Is its gradient zero?**
#
# - `"a"` Yes, always. That is what the clip is for.
# - `"b"` Only if its advantage is positive.
# - `"c"` Only if it lies on the side to which its advantage pushes. On the other side it is alive.
# - `"d"` No, never. The clip changes the value alone.

# %% question="q_outside_band"
q_outside_band = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_outside_band = "c"
### END SOLUTION

# %% check="q_outside_band" points=1
check("q_outside_band")

# %% [markdown]
# ## 6. The collapse, and its absence
#
# **Question.** Is a clip on single samples enough to save the policy?
#
# **Predict.** Ten steps on each of the forty batches, and then thirty more batches with ten steps on
# each, once with your surrogate and once with your clip. Where is each after its first batch, and
# where at the end?

# %% demo=true trained=true alt="Two panels over 31 batches, 40 runs each, starting at 0.68. With the surrogate the runs fall after the first batch and again after the second, on average to less than 0.5, and creep up afterwards without coming back to the start; the bad batch's run falls deepest at first. With the clip the runs stay level at first and rise to well above 0.8 on average, the bad batch's run as well."
def go_on(loss, later=30):
    """J / best J before and after the forty batches and after each later one, (later + 2, 40)."""
    policy, rng = copies(START, 40), np.random.default_rng(7)
    optimizer = adam(policy)
    first = reuse(policy, optimizer, batches, loss, steps=10)
    shares = [share_of_best(first[0]), share_of_best(first[-1])]
    for _batch in range(later):
        tables = reuse(policy, optimizer, collect(policy, 256, rng), loss, steps=10)
        shares.append(share_of_best(tables[-1]))
    return np.array(shares)


lives = {pg.tr("surrogate"): go_on(surrogate_loss), pg.tr("clip"): go_on(ppo_clip_loss)}
start = share_of_best(START_PI)[0], pg.tr("start")
pg.plots.bundles(lives, xlabel=pg.tr("batches"), marked=BAD, sharey=True,
                 levels=dict.fromkeys(lives, start), legend=1, ylabel=pg.tr("exact J / best J"))
plt.show()
for name, shares in lives.items():
    print(pg.tr("{name}: first batch {a:.2f}, second {b:.2f}, last {c:.2f}; "
                "the bad batch {d:.2f}, last {e:.2f}").format(
        name=name, a=shares[1].mean(), b=shares[2].mean(), c=shares[-1].mean(),
        d=shares[1, BAD], e=shares[-1, BAD]))

# %% claim="the_clip_prevents_the_collapse"
free, held = lives.values()
claim("without the clip most of forty runs fall by more than 0.2",
      (free.min(0) < free[0] - 0.2).mean(), at_least=0.6)
claim("without the clip the second batch makes it worse", free[2].mean() - free[1].mean(), at_most=0)
claim("without the clip the mean doesn't come back", free[-1].mean() - free[0].mean(), at_most=-0.02)
claim("with the clip no run falls by more than 0.2", (held.min(0) < held[0] - 0.2).sum(), at_most=0)
claim("with the clip the mean goes on to learn", held[-1].mean(), at_least=0.8)
claim("the bad batch's run learns with the clip", held[-1, BAD] - held[0, BAD], at_least=0.1)

# %% [markdown]
# Without the clip most runs fall by more than 0.2. The second batch, drawn by a damaged policy, makes
# things worse still. After thirty more the mean has not come back. That is the collapse. With the clip
# the same forty batches do little harm, the bad one included, and the runs go on to learn.
#
# ### From the beginning, twenty seeds
#
# Now whole runs, from the uniform policy: 60 batches of 256, twenty seeds each. A run has
# **collapsed** if it has fallen, at some time, by more than 0.2 from its highest point so far. It is
# **stuck** if it ends below 0.7.
#
# **Predict.** One step a batch; ten steps of REINFORCE's loss, of the surrogate, of the clip. How many
# of each twenty collapse, how many get stuck?

# %% demo=true trained=true alt="Four panels over 60 batches, 20 runs each. One step a batch rises slowly to nearly 0.9. Ten steps of REINFORCE's loss and of the surrogate rise fast at first and then spread out and stay far apart, on average below 0.7. Ten steps of the clip rise to nearly 0.9, all runs together."
def train(loss, steps, iterations=60, runs=20, seed=1, rate=0.2):
    """From the uniform policy. J / best J before and after each batch (iterations + 1, R),
    each batch's exact KL (iterations, R), probability of the favourite arm (iterations, R)."""
    policy, rng = copies(torch.zeros(S, A), runs), np.random.default_rng(seed)
    optimizer, shares = adam(policy, rate), [share_of_best(table(policy))]
    kls, sure = [], []
    for _batch in range(iterations):
        tables = reuse(policy, optimizer, collect(policy, 256, rng), loss, steps)
        shares.append(share_of_best(tables[-1]))
        kls.append(exact_kl(tables[0], tables[-1]))
        sure.append(tables[-1].max(-1).reshape(runs, S).mean(-1))
    return np.array(shares), np.array(kls), np.array(sure)


def collapsed(shares):
    """Which runs have fallen by more than 0.2 from a height that they had reached, (R,)."""
    return (np.maximum.accumulate(shares) - shares).max(0) > 0.2


def stuck(shares):
    return shares[-1] < 0.7


runs = {
    pg.tr("one step"): train(surrogate_loss, steps=1),
    pg.tr("REINFORCE, K = 10"): train(repeated_reinforce, steps=10),
    pg.tr("surrogate, K = 10"): train(surrogate_loss, steps=10),
    pg.tr("clip, K = 10"): train(ppo_clip_loss, steps=10),
}
pg.plots.bundles({name: found[0] for name, found in runs.items()}, pg.tr("batches"),
                 sharey=True, levels=dict.fromkeys(runs, (0.7, "0.7")),
                 ylabel=pg.tr("exact J / best J"))
plt.show()
print(" " * 18, pg.tr("batch 10  batch 20  last  collapsed  stuck"),
      pg.tr("largest KL  favourite arm after 5 batches"), sep="  ")
for name, (shares, kls, sure) in runs.items():
    print(f"{name:18s} {shares[10].mean():9.2f} {shares[20].mean():9.2f} {shares[-1].mean():5.2f}"
          f" {collapsed(shares).sum():10d} {stuck(shares).sum():6d} {kls.max():11.2f}"
          f" {sure[4].mean():30.0%}")

# %% claim="a_leash_keeps_from_getting_stuck" seeds=12
def stuck_runs(seed):
    """The clip's stuck runs, of twenty, and how many more the surrogate has."""
    return int(stuck(train(ppo_clip_loss, steps=10, seed=100 + seed)[0]).sum())


one, naive, free, held = runs.values()
claim("with the clip hardly a run gets stuck, at rate 0.2", stuck(held[0]).sum(), at_most=1,
      again=stuck_runs)
claim("REINFORCE's loss leaves most runs stuck", stuck(naive[0]).sum(), at_least=11)
claim("the surrogate leaves most runs stuck", stuck(free[0]).sum(), at_least=13)
claim("some of the surrogate's runs collapse", collapsed(free[0]).sum(), at_least=1, at_most=10)
claim("with the clip none collapses", collapsed(held[0]).sum(), at_most=0)
claim("with one step none collapses", collapsed(one[0]).sum(), at_most=0)
claim("without a leash a batch moves by more than a nat",
      min(naive[1].max(), free[1].max()), at_least=1)
claim("without a leash nearly one arm is played", min(naive[2][4].mean(), free[2][4].mean()),
      at_least=0.9)
claim("with one step learning is slower at this rate",
      held[0][20].mean() - one[0][20].mean(), at_least=0.05)

# %% [markdown]
# Without a leash most of the twenty runs get stuck. A few collapse; the others never were high
# enough to fall. A single batch moves them by more than one nat. After five batches they play one
# arm in each context nearly always, the best one or not, and learn next to nothing from then on. With
# the clip this doesn't happen.
#
# One step a batch collapses as little as the clip. It is slower at this learning rate: compare the
# columns for ten and twenty batches. Section 10 gives each its own rate. There reuse gains little, so
# large is the noise on this stage; what it gains with longer episodes, lesson 05 measures.

# %% [markdown]
# ## 7. What the clip does not promise
#
# **Question.** The name suggests that the ratio is kept in the band. Is it?
#
# Suppose it were, for every context and arm. Then the KL could not be large. It is the mean of
# $-\log r$ over the old policy, and the mean of $r$ is 1. Since $-\log$ is convex, it is largest when
# half the weight lies on each edge:
#
# $$\mathrm{KL}(\pi_\text{old}\,\|\,\pi_\theta)\le-\tfrac12\log(1-\epsilon^2)\approx0.0204
# \quad\text{for }\epsilon=0.2.$$
#
# ### Exercise: `clip_fraction`
#
# The share of samples outside the band is what one watches during training.
#
# - `ratio`: NumPy array `(B,)`; `clip` is $\epsilon$.
# - The result is a float between 0 and 1. A ratio exactly on an edge counts as inside.

# %% exercise="clip_fraction"
def clip_fraction(ratio, clip=0.2):
    """Share of the samples whose ratio is outside the band.

    ratio (B,) -> float

    Example: clip_fraction(np.array([0.5, 1.0, 1.1, 1.3])) is 0.5.
    """
    ### BEGIN SOLUTION
    return float(np.mean((ratio < 1 - clip) | (ratio > 1 + clip)))
    ### END SOLUTION


# %% check="clip_fraction" points=1
check("clip_fraction")

# %% [markdown]
# **Predict.** The forty batches again, forty steps on each, with the clip at $\epsilon=0.2$.
# After how many steps will the first ratios be outside the band? What share after ten? Will the KL
# stay below 0.0204?

# %% demo=true trained=true alt="Four histograms of the ratio on a logarithmic axis with the band from 0.8 to 1.2 shaded, after 1, 3, 10 and 40 steps. After one step all ratios lie near the band, some outside it. With more steps the distribution widens to both sides, by far more than the band's width."
policy = copies(START, 40)
clip_walk = reuse(policy, adam(policy), batches, ppo_clip_loss, steps=40)
ratio_at = clip_walk[:, obs, act] / clip_walk[0, obs, act]  # (41, 40 B)
kl = exact_kl(clip_walk[0], clip_walk)  # (41, 40)
shown = (1, 3, 10, 40)
pg.plots.ratio_histograms({k: ratio_at[k] for k in shown},
                          {k: clip_fraction(ratio_at[k]) for k in shown},
                          {k: kl[k].mean() for k in shown})
plt.show()

# %% [markdown]
# The same walk, step by step.

# %% demo=true trained=true alt="Exact KL over 40 gradient steps, 40 runs. It rises within a few steps above the dotted line at 0.02 and goes on to several times its height. A second panel shows the share of samples outside the band, which rises fast and then stays near a third. A third panel shows the share of samples at rest, which is smaller."
policy = copies(START, 40)
clip_walk = reuse(policy, adam(policy), batches, ppo_clip_loss, steps=40)
ratio_at = (clip_walk[:, obs, act] / clip_walk[0, obs, act]).reshape(41, 40, -1)
outside = np.array([[clip_fraction(one) for one in row] for row in ratio_at])  # (41, 40)
slopes = clip_gradient(ratio_at.ravel(), np.broadcast_to(adv.reshape(40, -1), ratio_at.shape).ravel())
at_rest = (slopes == 0).reshape(ratio_at.shape).mean(-1)  # (41, 40)
if_kept = -0.5 * np.log(1 - 0.2**2)
kl = exact_kl(clip_walk[0], clip_walk)
pg.plots.bundles({pg.tr("exact KL"): kl, pg.tr("share outside the band"): outside,
                  pg.tr("share at rest"): at_rest}, marked=BAD, legend=1,
                 xlabel=pg.tr("gradient steps on one batch"),
                 levels={pg.tr("exact KL"): (if_kept, pg.tr("if the band were kept"))})
plt.show()
for k in (1, 2, 10, 40):
    words = pg.tr("steps: {k}, outside {out:.0%}, at rest {rest:.0%}, mean KL {kl:.3f}, "
                  "{times:.1f} times {limit:.4f}")
    print(words.format(k=k, out=outside[k].mean(), rest=at_rest[k].mean(), kl=kl[k].mean(),
                       limit=if_kept, times=kl[k].mean() / if_kept))

# %% claim="the_clip_is_no_wall" seeds=12 rates=[0.1, 0.2, 0.4]
def times_of_a_kept_band(seed, rate):
    policy = copies(START, 40)
    drawn = collect(policy, 256, np.random.default_rng(1000 + seed))
    tables = reuse(policy, adam(policy, rate), drawn, ppo_clip_loss, steps=10)
    return exact_kl(tables[0], tables[-1]).mean() / if_kept


claim("after ten steps the mean KL is more than twice what a kept band allows",
      kl[10].mean() / if_kept, at_least=2, again=times_of_a_kept_band)
claim("some ratios leave with the first step", outside[1].mean(), at_least=0.02)
claim("about a third is outside later", outside[40].mean(), at_least=0.25, at_most=0.45)
claim("fewer are at rest than outside", at_rest[10].mean() / outside[10].mean(), at_most=0.9)
claim("the KL goes on growing", kl[40].mean() - kl[10].mean(), at_least=0.02)
claim("single ratios go far", ratio_at[40].max(), at_least=3)

# %% [markdown]
# Some ratios leave with the first step, a third in the end, and single ones go far. The KL is soon
# several times what a kept band would allow, and goes on growing. The clip is no wall:
#
# - At the first step all ratios are 1. That step is as long as the optimiser likes.
# - A sample at rest doesn't pull back. Others in the same context still push, and all arms of a
#   context share one softmax. The optimiser's momentum pushes, too.
# - An arm that the batch doesn't hold has no ratio in the loss at all.
#
# Engstrom et al. (2020) saw ratios leave the band on larger tasks, too. The clip only takes away the
# *reward* for going further. "PPO keeps the new policy close" is a hope, not a property. **The KL is
# monitored, not constrained.** Lesson 05b measures what it does to stop once the KL passes a limit.
#
# ### Two clip fractions
#
# Of the six cases four lie outside the band, and two of these are at rest. So there are two shares
# that one may call the clip fraction, and libraries don't agree on one.
#
# | counted | logged by |
# |---|---|
# | outside the band, as your `clip_fraction` does | Stable-Baselines3, sbx, CleanRL, torchrl |
# | at rest, where the clipped branch is the smaller one | TRL, verl, OpenRLHF |
#
# Numbers of the two can't be compared.

# %% [markdown]
# ## 8. KL from samples
#
# **Question.** How do you watch a KL that you can't compute?
#
# For five arms the exact KL is a short sum. For a text of a thousand tokens nobody can add it up.
# What we have is the batch: actions drawn from the *old* policy, with two log-probabilities each.
#
# With $r=\pi_\theta/\pi_\text{old}$ for each sample, three estimates are in use (Schulman 2020),
# each a mean over the samples:
#
# | name | one sample's term | |
# |---|---|---|
# | $k_1$ | $-\log r$ | the definition |
# | $k_2$ | $\tfrac12(\log r)^2$ | never negative |
# | $k_3$ | $(r-1)-\log r$ | never negative, since $\log r\le r-1$ |
#
# Since the mean of $r-1$ over the old policy is zero, $k_3$ has the same expectation as $k_1$.
#
# For a ratio near 1 the two parts of $k_3$ nearly cancel. In 32-bit numbers `exp(x) - 1 - x` even
# comes out negative for some $x$ near $10^{-5}$. `torch.expm1(x)` gives $e^x-1$ without that loss.
#
# ### Exercise: `kl_estimates`
#
# - `logp`, `logp_old`: tensors `(B,)`; the actions were drawn from the old policy.
# - Return the three mean estimates of $\mathrm{KL}(\pi_\text{old}\,\|\,\pi_\theta)$ as three scalars,
#   in this order: k1, k2, k3. Numbers or scalar tensors, as you like.

# %% exercise="kl_estimates"
def kl_estimates(logp, logp_old):
    """Three estimates of KL(old, new) from actions that the old policy drew.

    logp (B,), logp_old (B,) -> (k1, k2, k3), three scalars

    Example: one sample with ratio 1/e gives (1, 0.5, 0.3679).
    """
    ### BEGIN SOLUTION
    log_ratio = logp - logp_old  # (B,)
    k1 = -log_ratio.mean()
    k2 = (log_ratio**2).mean() / 2
    k3 = (torch.expm1(log_ratio) - log_ratio).mean()  # exp(x) - 1 loses the digits that count
    return k1, k2, k3
    ### END SOLUTION


# %% check="kl_estimates" points=2
check("kl_estimates")

# %% [markdown]
# How much is lost? One sample, in 32-bit numbers, whose true $k_3$ is $x^2/2$ to many digits.

# %% demo=true
print(pg.tr("log-ratio     x^2 / 2   exp(x) - 1 - x   expm1(x) - x"))
for x in (1e-3, 1e-4, 3e-5, 1e-5):
    x = torch.tensor(x)
    rounded, better = torch.exp(x) - 1 - x, torch.expm1(x) - x
    print(f"{x:9.0e} {x * x / 2:11.2e} {rounded:16.2e} {better:14.2e}")

# %% [markdown]
# ### Question: a negative KL
#
# During training your program reports $k_1=-0.003$. A KL is never negative. **Is that a bug?**
#
# - `"a"` Yes. Something that can't be negative came out negative.
# - `"b"` No, and every estimate from samples can fall below zero.
# - `"c"` Yes. The two policies were swapped.
# - `"d"` No. A mean over samples scatters around the KL, which may be smaller than the scatter.

# %% question="q_negative_kl"
q_negative_kl = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_negative_kl = "d"
### END SOLUTION

# %% check="q_negative_kl" points=1
check("q_negative_kl")

# %% [markdown]
# **Predict.** We move from the start policy to where the surrogate led it on the bad batch, from a KL
# below a thousandth to one above two. At each of eight points we draw 400 batches of 256. Which
# estimate is best where the KL is small, and which where it is large?

# %% demo=true trained=true alt="Two panels over the exact KL on a logarithmic axis. Left, the mean estimate divided by the exact KL: k1 and k3 stay at one, k1 with long error bars where the KL is small; k2 sinks a little below one and then rises far above it. Right, the scatter divided by the exact KL: k1 is highest at the smallest KL and falls; k2 and k3 lie far below it, until they meet it at a KL of about one."
policy = copies(START, 40)
far = reuse(policy, adam(policy), batches, surrogate_loss, steps=20)[-1, mine]
old = START_PI
rng = np.random.default_rng(11)
exact, expected, found = [], [], []
for mix in np.geomspace(0.01, 1, 8):
    new = softmax(np.log(old) + mix * np.log(far / old))
    pairs = torch.tensor(np.log([new, old])).reshape(2, -1, 1)  # each context and arm alone
    terms = np.array([[float(k) for k in kl_estimates(*pair)] for pair in pairs.unbind(1)])
    expected.append((old.reshape(-1, 1) / S * terms).sum(0))
    batch_obs = rng.integers(S, size=(400, 256))
    batch_act = (rng.random((400, 256, 1)) > old[batch_obs].cumsum(-1)[..., :-1]).sum(-1)
    drawn = torch.tensor(np.log([pi[batch_obs, batch_act] for pi in (new, old)]))  # (2, 400, 256)
    found.append([[float(k) for k in kl_estimates(*pair)] for pair in drawn.unbind(1)])
    exact.append(exact_kl(old, new)[0])
exact, expected, found = np.array(exact), np.array(expected), np.array(found)
expectations = {f"k{i + 1}": expected[:, i] for i in range(3)}
pg.plots.kl_estimates_figure(exact, expectations, {f"k{i + 1}": found[:, :, i] for i in range(3)})
plt.show()
print(pg.tr("as a share of the exact KL"))
print(pg.tr("exact KL   expected k1, k2, k3      scatter k1, k2, k3       k1 < 0"))
for i in (0, 2, 4, 6, 7):
    shares = *expected[i] / exact[i], *found[i].std(0) / exact[i]
    print(f"{exact[i]:8.5f} " + " ".join(f"{x:7.2f}" for x in shares)
          + f" {(found[i, :, 0] < 0).mean():11.0%}")

# %% claim="k3_is_the_better_gauge"
claim("expectations of k1 and k3 are the KL", np.abs(expected[:, [0, 2]] / exact[:, None] - 1).max(),
      at_most=1e-6)
claim("where the KL is small, k1 scatters by a multiple of it", found[0, :, 0].std() / exact[0],
      at_least=2)
claim("almost half of k1's values are negative there", (found[0, :, 0] < 0).mean(), at_least=0.35,
      at_most=0.5)
claim("k3 scatters far less there", found[0, :, 2].std() / found[0, :, 0].std(), at_most=0.1)
claim("k2 is far off where the KL is large", expected[-1, 1] / exact[-1], at_least=1.5)
claim("k3 scatters as much as k1 or more there", found[-1, :, 2].std() / found[-1, :, 0].std(),
      at_least=0.9)

# %% [markdown]
# The expectations are exact, enumerated: those of $k_1$ and $k_3$ *are* the KL. Where it is small,
# $k_1$ is nevertheless useless in a single batch: its scatter is a multiple of the KL, and almost
# half of its values are negative. $k_2$ and $k_3$ scatter far less. Where the KL is large, $k_2$ is
# wrong on average, and $k_3$ scatters as much as $k_1$ or more, since single ratios are large. $k_3$
# is unbiased everywhere and, up to rounding, never negative. That makes it the better gauge. Not all
# libraries use it (lesson 08).
#
# ### A gauge, not a loss
#
# **Question.** An estimate can be differentiated. Can one put it into the loss, to hold the policy
# near a reference $\pi_\text{ref}$?
#
# Above, the samples came from a fixed policy. Now they come from the policy itself, which moves
# with $\theta$: we want $\mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref})$, so
# $r=\pi_\text{ref}/\pi_\theta$. A gradient taken through the estimate sees the term. It doesn't see
# that other actions would be drawn.
#
# **Predict.** For each of $k_1$, $k_2$, $k_3$: does its expected gradient point where the KL's own
# gradient points, and is it as long? All actions are enumerated.

# %% demo=true
def gradient_of(kind, pi, reference):
    """Expected gradient of an estimate of KL(pi, reference), actions drawn from pi."""
    policy = copies(np.log(pi), 1)
    logp = logp_of(policy, every_obs, every_act)  # (S A,)
    log_ratio = torch.tensor(np.log(reference)).ravel() - logp
    weight = logp.detach().exp() / S  # the actions are drawn, they are data
    terms = {"k1": -log_ratio, "k2": log_ratio**2 / 2, "k3": torch.expm1(log_ratio) - log_ratio}
    terms["KL"] = -log_ratio
    weight = logp.exp() / S if kind == "KL" else weight  # the KL's own gradient sees them move
    (weight * terms[kind]).sum().backward()
    return policy.theta.grad.numpy()


# From the start policy towards another one, whose logits are drawn.
near = START_PI
far = softmax(np.random.default_rng(0).normal(scale=2, size=(S, A)))
print(pg.tr("     KL    length k1, k2, k3 (the KL's own is 1)    cosine k2, k3"))
for mix in (0.03, 0.1, 0.3, 0.6, 1.0):
    new = softmax(np.log(near) + mix * np.log(far / near))
    own, *others = (gradient_of(kind, new, near) for kind in ("KL", "k1", "k2", "k3"))
    lengths = (np.linalg.norm(other) / np.linalg.norm(own) for other in others)
    print(f"{exact_kl(new, near)[0]:7.4f}" + "".join(f"{length:9.2f}" for length in lengths)
          + " " * 20 + "".join(f"{cosine(other, own):9.3f}" for other in others[1:]))

# %% claim="k3_is_no_loss"
claim("k1 in the loss has no gradient on average", np.abs(others[0]).max(), at_most=1e-12)
claim("k2 in the loss has the KL's gradient", np.abs(others[1] - own).max(), at_most=1e-12)
claim("far away k3 in the loss points elsewhere", cosine(others[2], own), at_most=0.9)

# %% [markdown]
# The best gauge is not the right loss, and the biased one is. $k_1$ in the loss does nothing at all
# on average: its gradient is the score, whose mean is zero. $k_2$ has the KL's own gradient,
# here where an episode has one step. $k_3$ descends another function:
# $\mathrm{KL}(\pi_\text{ref}\,\|\,\pi_\theta)$, the other direction. Near the reference the two
# directions agree. Far away the gradient turns aside, and its length is wrong, too. So: **read $k_3$,
# don't descend it.** Some programs for language models do descend it; lesson 07 measures what comes
# of that.

# %% [markdown]
# ## 9. A penalty in place of the clip
#
# **Question.** Can the KL itself be kept where we want it?
#
# **Idea.** Put it into the objective. PPO's second form (Schulman et al. 2017) subtracts a multiple
# of it:
#
# $$L^\text{KLPEN}(\theta)=\mathbb E_t\big[r_t(\theta)A_t\big]
# -\beta\,\mathbb E_t\big[\mathrm{KL}(\pi_\text{old}(\cdot\mid s_t)\,\|\,\pi_\theta(\cdot\mid s_t))\big].$$
#
# Unlike the clip, it pulls back. But which coefficient $\beta$? Choose a target $d$ for the KL of
# one iteration, and let $\beta$ look after itself: measure the KL after each batch, halve $\beta$
# if it is smaller than $d/1.5$, double it if it is larger than $1.5\,d$, else keep it.
#
# ### Exercise: `ppo_penalty_loss`
#
# - `logp`, `logp_old`, `adv`: tensors `(B,)`, as before.
# - `kl`: a scalar tensor, already computed, through which the gradient must flow.
# - `beta`: a number.
# - The result is a scalar tensor to be minimised. No clip in it.

# %% exercise="ppo_penalty_loss"
def ppo_penalty_loss(logp, logp_old, adv, kl, beta):
    """The surrogate's loss plus beta times the KL.

    logp (B,), logp_old (B,), adv (B,), kl scalar tensor, beta float -> scalar tensor

    Example: a surrogate loss of -2, kl = 0.5 and beta = 3 give -0.5.
    """
    ### BEGIN SOLUTION
    return surrogate_loss(logp, logp_old, adv) + beta * kl
    ### END SOLUTION


# %% check="ppo_penalty_loss" points=2
check("ppo_penalty_loss")

# %% [markdown]
# ### Exercise: `adapt_beta`
#
# Return the next coefficient by that rule. Exactly on a bound `beta` is kept.

# %% exercise="adapt_beta"
def adapt_beta(beta, kl, target):
    """The next penalty coefficient, from the KL that was measured.

    beta, kl, target: floats -> float

    Example: adapt_beta(1.0, kl=0.4, target=0.1) is 2.
    """
    ### BEGIN SOLUTION
    if kl < target / 1.5:
        return beta / 2
    if kl > 1.5 * target:
        return beta * 2
    return beta
    ### END SOLUTION


# %% check="adapt_beta" points=1
check("adapt_beta")

# %% [markdown]
# ### The clip beside the penalty, at equal KL
#
# Two leashes can be compared only if they let go equally far. So we run each with three settings
# ($\epsilon$ for the clip, $d$ for the penalty), and measure the mean exact KL of an iteration. The
# twenty copies share one $\beta$.
#
# **Predict.** At the same mean KL, which one learns more? And how will $\beta$ move?

# %% demo=true
def train_penalty(target, beta=10.0, iterations=60, steps=10, runs=20, seed=1, rate=0.2):
    """As `train`, with the penalty; also each batch's coefficient (iterations,)."""
    policy, rng = copies(torch.zeros(S, A), runs), np.random.default_rng(seed)
    optimizer, shares = adam(policy, rate), [share_of_best(table(policy))]
    kls, betas = [], []
    for _batch in range(iterations):
        obs, act, adv = collect(policy, 256, rng)
        old, all_old = table(policy), torch.log_softmax(policy(obs), -1).detach()  # (R B, A)
        for _step in range(steps):
            all_new = torch.log_softmax(policy(obs), -1)  # (R B, A)
            kl = (all_old.exp() * (all_old - all_new)).sum(-1).mean()
            logp, logp_old = (x.gather(-1, act[:, None])[:, 0] for x in (all_new, all_old))
            optimizer.zero_grad()
            (runs * ppo_penalty_loss(logp, logp_old, adv, kl, beta)).backward()
            optimizer.step()
        betas.append(beta)
        kls.append(exact_kl(old, table(policy)))
        beta = adapt_beta(beta, float(kls[-1].mean()), target)
        shares.append(share_of_best(table(policy)))
    return np.array(shares), np.array(kls), np.array(betas)

# %% demo=true trained=true alt="Three panels. Left, the share of the best J over the mean exact KL: the clip's three points lie above the penalty's three points. Middle, the KL of each iteration on a logarithmic axis: the clip starts high and falls by about a factor of ten; the penalty jumps up and down around 0.02. Right, the coefficient moves up and down in steps of a factor of two."
def clip_of(width):
    return lambda logp, logp_old, adv: ppo_clip_loss(logp, logp_old, adv, clip=width)


clips = {width: train(clip_of(width), steps=10) for width in (0.1, 0.2, 0.3)}
penalties = {target: train_penalty(target) for target in (0.01, 0.02, 0.03)}
names = pg.tr("clip"), pg.tr("penalty")
points = [{setting: (way[1].mean(), way[0][-1].mean()) for setting, way in ways.items()}
          for ways in (clips, penalties)]
spent = [clips[0.2][1].mean(1), penalties[0.02][1].mean(1)]
pg.plots.leashes(dict(zip(names, points)), dict(zip(names, spent)), penalties[0.02][2])
plt.show()
for name, ways in zip(names, points):
    for setting, (kl, share) in ways.items():
        words = pg.tr("mean KL {kl:.4f}, J / best J {share:.2f}").format(kl=kl, share=share)
        print(f"{name:12s} {setting:5.2f}: {words}")

# %% claim="the_penalty_holds_its_target"
own_kl = {target: kls.mean() / target for target, (_shares, kls, _betas) in penalties.items()}
claim("the mean KL ends within a factor of 1.5 of the target", max(own_kl.values()), at_most=1.5)
claim("and not below it by more", min(own_kl.values()), at_least=1 / 1.5)
claim("clip 0.2 and penalty 0.02 have nearly the same KL",
      clips[0.2][1].mean() / penalties[0.02][1].mean(), at_least=0.75, at_most=1.33)
claim("at this rate the clip makes more of it",
      clips[0.2][0][-1].mean() - penalties[0.02][0][-1].mean(), at_least=0.03)
claim("beta changes in most iterations",
      (np.diff(penalties[0.02][2]) != 0).mean(), at_least=0.2)
claim("the clip spends most of its KL early",
      clips[0.2][1][:5].mean() / clips[0.2][1][-10:].mean(), at_least=3)

# %% [markdown]
# The penalty works: the mean KL comes out near the target. $\beta$ hunts between few values, and the KL
# swings with it.
#
# Compare the clip at $\epsilon=0.2$ with the penalty at $d=0.02$: nearly the same mean KL,
# measured exactly. At this learning rate the clip makes more of it. The middle panel shows one reason:
# the penalty spends about the same KL in every iteration, the clip most of it early, when there is
# most to learn. The PPO paper, too, found the clip ahead on its tasks.
#
# The penalty remains the right tool where the KL itself is what matters. Lesson 06 meets it again,
# with another policy as its reference.

# %% [markdown]
# ## 10. At other learning rates
#
# **Question.** Is all this about the methods, or about Adam's 0.2?
#
# **Predict.** Five ways, four rates from 0.05 to 0.4, twenty runs each. Which of the five depends
# least on the rate? And at the smallest rate: how much better than the bare surrogate is the clip?

# %% demo=true trained=true alt="J as a share of the best after 60 batches over four learning rates, with the range from the worst to the best of twenty runs. The clip stays above 0.8 on average at each rate. REINFORCE's loss and the surrogate with ten steps begin as high at the smallest rate and fall as the rate grows. The penalty falls as well. One step a batch is low at the smallest rate and rises."
RATES = (0.05, 0.1, 0.2, 0.4)
ways = {
    pg.tr("one step"): lambda rate: train(surrogate_loss, steps=1, rate=rate),
    pg.tr("REINFORCE, K = 10"): lambda rate: train(repeated_reinforce, steps=10, rate=rate),
    pg.tr("surrogate, K = 10"): lambda rate: train(surrogate_loss, steps=10, rate=rate),
    pg.tr("penalty, d = 0.02"): lambda rate: train_penalty(0.02, rate=rate),
    pg.tr("clip, K = 10"): lambda rate: train(ppo_clip_loss, steps=10, rate=rate),
}
at_rates = {name: np.array([way(rate)[0] for rate in RATES]) for name, way in ways.items()}
pg.plots.by_rate(RATES, {name: shares[:, -1] for name, shares in at_rates.items()})
plt.show()
print(pg.tr("J / best J at the end, and how many of 20 are stuck, collapsed"))
print(pg.tr("learning rate").ljust(20) + "".join(f"{rate:>18.2f}" for rate in RATES))
for name, shares in at_rates.items():
    cells = (f"{one[-1].mean():.2f} ({stuck(one).sum():2d}, {collapsed(one).sum():2d})" for one in shares)
    print(f"{name:20s}" + "".join(f"{cell:>18s}" for cell in cells))

# %% claim="the_clip_widens_the_range_of_rates" seeds=12 rates=[0.05, 0.1, 0.2, 0.4]
def last(loss, seed, rate, steps=10):
    return train(loss, steps, seed=100 + seed, rate=rate)[0][-1].mean()


def with_clip(seed, rate):
    return last(ppo_clip_loss, seed, rate)


def lead_of_the_clip(seed, rate):
    return last(ppo_clip_loss, seed, rate) - last(surrogate_loss, seed, rate)


one, naive, free, penalty, held = (shares[:, -1].mean(-1) for shares in at_rates.values())
claim("with the clip the mean ends above 0.8 at each rate", held.min(), at_least=0.8, again=with_clip)
claim("the clip ends no lower than the bare surrogate", (held - free).min(), at_least=-0.03,
      again=lead_of_the_clip)
claim("at the smallest rate the lead is small", (held - free)[0], at_most=0.06)
claim("at the largest rate it is large", (held - free)[-1], at_least=0.25)
claim("the penalty needs a smaller rate", penalty[0] - penalty[-1], at_least=0.2)
claim("at its own rate one step comes near the clip", held.max() - one.max(), at_most=0.08)

# %% [markdown]
# This table is the honest result of the lesson.
#
# - At the smallest rate ten bare steps end about as high as ten clipped ones: such short steps don't
#   climb a batch far enough to do harm.
# - With every doubling of the rate the losses without a leash get worse. The clip stays.
# - The penalty with a target of 0.02 keeps up at small rates and falls behind at large ones: ten
#   long steps leap over its slope before it can pull back.
# - One step a batch needs a large rate, and then it ends nearly as high as the clip.
#
# So the clip learns nothing that other losses could not learn. **It widens the range of rates at
# which reuse is safe.** That is worth much where nobody can afford to try four rates.

# %% [markdown]
# ## What you have seen
#
# - Several steps on one batch overfit it. The policy is damaged, and the next batch with it.
# - The importance ratio makes old samples speak for a new policy. That alone prevents no collapse.
# - TRPO constrains the KL. PPO-Clip takes away the reward for leaving the band.
# - Of the six cases two are at rest. Outside the band, on the other side, a sample is alive.
# - The clip holds neither ratio nor KL. Watch the clip fraction and $k_3$, a gauge and no loss.
# - The clip is safe over the widest range of learning rates. Lesson 05 puts it into the whole algorithm.
#
# ## References
#
# - J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov. [Proximal policy optimization
#   algorithms](https://arxiv.org/abs/1707.06347). 2017. The clip, the penalty and its rule.
# - J. Schulman, S. Levine, P. Moritz, M. Jordan, P. Abbeel. [Trust region policy
#   optimization](https://arxiv.org/abs/1502.05477). ICML 2015.
# - S. Kakade, J. Langford. [Approximately optimal approximate reinforcement
#   learning](https://dl.acm.org/doi/10.5555/645531.656005). ICML 2002. The surrogate, and how far it
#   can be trusted.
# - J. Schulman. [Approximating KL divergence](http://joschu.net/blog/kl-approx.html). 2020. The three
#   estimates.
# - L. Engstrom, A. Ilyas, S. Santurkar, D. Tsipras, F. Janoos, L. Rudolph, A. Madry. [Implementation
#   matters in deep policy gradients: a case study on PPO and TRPO](https://arxiv.org/abs/2005.12729).
#   ICLR 2020.
# - D. Ye et al. [Mastering complex control in MOBA games with deep reinforcement
#   learning](https://arxiv.org/abs/1912.09729). AAAI 2020. The dual clip.
# - Q. Yu et al. [DAPO: an open-source LLM reinforcement learning system at
#   scale](https://arxiv.org/abs/2503.14476). 2025. Clip higher.
# - R. J. Williams. [Simple statistical gradient-following algorithms for connectionist reinforcement
#   learning](https://doi.org/10.1007/BF00992696). Machine Learning 8, 1992.
