# Source of lesson 05. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 05 · The full PPO loop
#
# The parts lie on the table: a policy, returns, a critic and its advantages, the clip. This
# lesson puts them together into PPO, proximal policy optimisation (Schulman et al. 2017).
#
# In this lesson you will
#
# 1. collect experience from many environments at once, and treat time limits correctly,
# 2. write the update: several epochs of minibatches on one rollout,
# 3. read the gauges that tell a healthy run from a sick one,
# 4. close the loop, and balance a pole,
# 5. measure what it is worth to use a batch several times,
# 6. find the bugs in eight broken programs.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`
# and restart the session; in VS Code, choose the Python of the folder `.venv` as the kernel.

# %% setup=true
import copy

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import torch

import policy_gradients as pg
from grader import check

torch.set_num_threads(1)

# %% [markdown]
# From lessons 03 and 04 we take the critic's loss, the advantages and the clip, as they were solved
# there.

# %% given=["value_loss", "td_errors", "gae", "importance_ratio", "ppo_clip_loss", "clip_fraction", "kl_estimates"]

# %% [markdown]
# ## 1. Collecting
#
# ### The loop in words
#
# **Question.** How do the parts fit together?
#
# PPO repeats four steps, always in this order.
#
# | step | what happens | with what |
# |---|---|---|
# | **collect** | $N$ environments play $T$ steps each | the policy $\pi_{\theta_\text{old}}$ as it is now |
# | **advantages** | how much better than expected was each action? | the critic $V_\phi$ as it is now, GAE (Schulman et al. 2016) |
# | **update** | $K$ epochs of minibatches: the policy climbs the clip objective, the critic learns the returns | $\theta$ and $\phi$ move, $\theta_\text{old}$ stays |
# | **log** | write down how it went | the gauges of section 3 |
#
# Then $\theta_\text{old}\leftarrow\theta$, which needs no code: the next batch is collected with
# the policy as it is by then. $\theta$ stands for the policy's weights, $\phi$ for the critic's.
#
# The data of one round are called a **rollout**: $T$ steps of $N$ environments, $B=TN$ samples.
#
# ### The world: a pole on a cart
#
# The corridor had seven states. Now the state is four real numbers, and the policy is a network.
# In **CartPole** (Barto, Sutton and Anderson 1983) a pole stands on a cart that rolls on a track.
# Each step pushes the cart to the left (action 0) or to the right (action 1).
#
# - **Observation**: the cart's position and velocity, the pole's angle and angular velocity.
# - **Reward**: 1 for each step. So the return is the number of steps.
# - **End**: *terminated*, when the pole leans more than 12 degrees or the cart is more than 2.4 m
#   from the middle; *truncated*, when 500 steps are over.
#
# `pg.envs.VectorCartPole(N)` runs $N$ of them side by side, with the physics of CartPole-v1 in
# Gymnasium (Towers et al. 2024). One call of `step` takes $N$ actions and gives $N$ observations.
# That is many times faster than $N$ calls, and the batch mixes many episodes.
#
# ### Where does an episode end?
#
# Where an episode ends, a vector environment starts the next one *in the same step*: the observation
# it returns is already the first one of the new episode. The last observation of the old one would be
# lost, so it is handed out separately.
#
# ```python
# obs, rew, terminated, truncated, infos = envs.step(actions)
# infos["final_obs"][i]  # last observation of environment i's episode, where it has just ended
# ```
#
# `infos["final_obs"]` is there only in a step in which some episode ends. It holds `None` for every
# environment whose episode goes on.
#
# The next cell runs three environments with a time limit of only 12 steps, and prints the steps in
# which an episode ends. Look at the pole's angle.

# %% demo=true
envs = pg.envs.VectorCartPole(3, max_steps=12)
obs, _ = envs.reset(seed=4)
rng = np.random.default_rng(4)
print(pg.tr("step  environment  ended by    angle in obs   angle in final_obs"))
for t in range(24):
    obs, rew, terminated, truncated, infos = envs.step(rng.integers(2, size=3))
    for i in np.flatnonzero(terminated | truncated):
        how = pg.tr("falling") if terminated[i] else pg.tr("the clock")
        print(f"{t:4} {i:9}     {how:10} {obs[i][2]:12.3f} {infos['final_obs'][i][2]:16.3f}")

# %% [markdown]
# The angle in `obs` is always close to 0: that pole has just been set up again. The true last
# angle stands in `final_obs`. It is beyond 12 degrees (0.209 radians) where the pole fell, and
# inside where only the clock ran out.
#
# ### Why it matters
#
# The advantages need the value of what comes *after* each step, `next_values`. Three cases:
#
# | the step | what follows | its value |
# |---|---|---|
# | inside an episode | the next observation | $V_\phi(\text{obs})$ |
# | truncated | a pole that still stands | $V_\phi(\text{final\_obs})$ |
# | terminated | nothing | never looked at |
#
# **Predict.** A perfect player never drops the pole. With $\gamma=0.98$, what is the value of a
# standing pole, if nothing ever ends? And which value does a critic learn for the same pole, if
# each cut at step 500 is taken for an end? The observation does not say what time it is.

# %% demo=true
left = np.array([1, 10, 50, 250, 500])
value = (1 - 0.98**left) / (1 - 0.98)
for steps, worth in zip(left, value):
    print(pg.tr("{n:4} steps before a wrong end: {v:5.1f}").format(n=steps, v=worth))
print(pg.tr("no end:                        {v:5.1f}").format(v=1 / (1 - 0.98)))

# %% [markdown]
# Without an end a standing pole is worth 50. With a wrong end it is worth anything between 1 and
# 50, and the observation does not tell which. The critic is asked to learn noise, and the last
# actions before the clock look terrible through no fault of their own (Pardo et al. 2018).
#
# The same care is needed at the edge of the rollout. After $T$ steps the recording stops, the
# episode does not: the last step's successor has a value as well.
#
# ### Exercise: `collect_rollout`
#
# Play $T$ steps with the policy as it is, and write down everything that the update will need.
#
# - `envs` is a vector environment, `policy(obs)` gives logits `(N, A)`, `critic(obs)` gives values
#   `(N,)`. Both take arrays or tensors.
# - `obs` `(N, D)` is where the environments stand. Do not reset: the rollout goes on from there.
# - Actions are drawn from the policy through torch's generator, for example with
#   `torch.multinomial` or `torch.distributions.Categorical(logits=...).sample()`.
# - The result is a pair. First a `pg.Rollout(obs, actions, logp, rewards, values, next_values,
#   terminated, truncated)` of NumPy arrays, each `(T, N)` or `(T, N, D)`; `logp` is the
#   log-probability of each action when it was drawn; the two flags stay apart, as bool. Then the
#   observation from which the next rollout goes on.
# - Nothing here is a training step: no gradients.

# %% exercise="collect_rollout"
def collect_rollout(envs, policy, critic, obs, num_steps):
    """Plays T steps of N environments with the policy as it is.

    envs, policy, critic, obs (N, D), T -> (pg.Rollout of fields (T, N, ...), next obs (N, D))

    Example: 64 steps of 32 CartPoles give obs (64, 32, 4) and rewards (64, 32).
    """
    ### BEGIN SOLUTION
    rows = []
    with torch.no_grad():
        for _ in range(num_steps):
            logp = torch.log_softmax(policy(obs), dim=-1)  # (N, A)
            action = torch.multinomial(logp.exp(), 1)  # (N, 1)
            next_obs, rew, terminated, truncated, infos = envs.step(action[:, 0].numpy())
            successor = next_obs.copy()  # (N, D)
            for i in np.flatnonzero(truncated):  # the clock ran out: the pole still stands
                successor[i] = infos["final_obs"][i]
            taken = logp.gather(1, action)[:, 0].numpy()  # (N,)
            rows.append((obs, action[:, 0].numpy(), taken, rew, successor, terminated, truncated))
            obs = next_obs
        seen, act, logp, rew, successor, terminated, truncated = map(np.stack, zip(*rows))
        val, next_val = critic(seen).numpy(), critic(successor).numpy()  # (T, N) each
    return pg.Rollout(seen, act, logp, rew, val, next_val, terminated, truncated), obs
    ### END SOLUTION


# %% check="collect_rollout" points=4
check("collect_rollout")

# %% [markdown]
# ### A rollout from above
#
# Here is one rollout of a policy that knows nothing. Each row is an environment, time runs to the
# right. The time limit is 25 steps here, so that both kinds of end occur.

# %% demo=true alt="A board with twelve rows, one for each environment, and 64 columns, one for each step. Colour darkens along each episode and starts anew after each mark. Crosses mark where a pole fell, squares where an episode was cut after 25 steps."
torch.manual_seed(0)
envs = pg.envs.VectorCartPole(12, max_steps=25)
policy, critic = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
obs, _ = envs.reset(seed=0)
rollout, obs = collect_rollout(envs, policy, critic, obs, 64)
pg.plots.rollout_board(rollout)
plt.show()

# %% [markdown]
# Episodes begin and end anywhere. The rollout's right edge cuts most of them in the middle, and the
# next rollout goes on there.
#
# ## 2. The update
#
# ### Advantages on one scale
#
# `gae` of lesson 03b turns the rollout into advantages. Multiply all rewards by ten, and the policy's
# gradient is ten times as long. Plain gradient steps need another learning rate then; Adam evens most of
# it out.
#
# So PPO's programs bring the advantages of a batch to mean zero and standard deviation one:
#
# $$\hat A_i\leftarrow\frac{A_i-\operatorname{mean}(A)}{\operatorname{std}(A)+10^{-8}}$$
#
# Lesson 03 asked what this does to the bias. It is a small price for a learning rate that means the
# same in every batch. Andrychowicz et al. (2020) found that it matters little on their tasks; lesson
# 05b measures it on ours.
#
# One trap: the mean of seven 32-bit numbers 0.3 is off by a rounding error of $3\cdot10^{-8}$, and so
# is the deviation. Beside those the $10^{-8}$ in the divisor is small. The quotient is 0.75 for each
# sample, a push of full size from nothing. Equal numbers are recognised by comparing them, not by a
# deviation that is nearly 0.
#
# ### Exercise: `normalize_advantages`
#
# - `adv` is an array `(T, N)`, or of any other shape. The mean and the deviation are taken over
#   *all* of its numbers.
# - The result has the same shape. Where all numbers are equal, or where there is only one, it is
#   zero: not nan, and not a quotient of rounding errors either, whatever the numbers' size and type.

# %% exercise="normalize_advantages"
def normalize_advantages(adv):
    """Zero mean and unit standard deviation over all samples.

    adv (T, N) -> (T, N)

    Example: normalize_advantages(np.array([1.0, 3.0])) is [-1.0, 1.0].
    """
    ### BEGIN SOLUTION
    adv = np.asarray(adv)
    if np.ptp(adv) == 0:  # largest minus smallest: exact, which the mean of equal numbers isn't
        return np.zeros_like(adv)
    return (adv - adv.mean()) / (adv.std() + 1e-8)
    ### END SOLUTION


# %% check="normalize_advantages" points=1
check("normalize_advantages")

# %% [markdown]
# ### Minibatches
#
# An **epoch** is one pass over all $B$ samples. It takes a step for each **minibatch** of $M$ of
# them. More steps than with the whole batch at once, each a little noisier.
#
# Neighbours in a rollout are alike: the same pole, a fiftieth of a second later. A minibatch of
# neighbours would push the policy towards what one pole happened to need. So the samples are
# shuffled, anew in each epoch.
#
# ### Exercise: `minibatches`
#
# - The result is a list (or any other sequence) of index arrays. Together they hold each of
#   $0,\dots,B-1$ exactly once, in random order.
# - Each holds `minibatch_size` indices. Only the last may be shorter.
# - All randomness comes from the NumPy generator `rng`.

# %% exercise="minibatches"
def minibatches(batch_size, minibatch_size, rng):
    """Random index arrays that together hold each of 0..batch_size-1 once.

    Example: minibatches(5, 2, rng) may be [array([3, 0]), array([4, 2]), array([1])].
    """
    ### BEGIN SOLUTION
    order = rng.permutation(batch_size)
    return [order[start : start + minibatch_size] for start in range(0, batch_size, minibatch_size)]
    ### END SOLUTION


# %% check="minibatches" points=2
check("minibatches")

# %% [markdown]
# ### Entropy
#
# A policy that is sure of everything explores nothing. Its **entropy** measures how unsure it is:
#
# $$H(\pi(\cdot\mid s))=-\sum_a\pi(a\mid s)\log\pi(a\mid s).$$
#
# It is 0 where one action has all the probability, and $\log A$ where all $A$ actions are equally
# likely. For two actions that is 0.69.
#
# Many programs reward entropy a little (Mnih et al. 2016), so that the policy does not make up its
# mind too early. CartPole does not need that, but the entropy is worth watching in any case.
#
# ### Exercise: `entropy`
#
# - `logits` is a tensor `(B, A)`. The result is a tensor `(B,)`, one entropy for each row.
# - It must be finite, and so must its gradient, where a probability is too small for the computer.
#   Which of the two factors in the sum causes the trouble?

# %% exercise="entropy"
def entropy(logits):
    """Entropy of each row's softmax distribution, in nats.

    logits (B, A) -> (B,)

    Example: entropy(torch.zeros(1, 2)) is [log 2].
    """
    ### BEGIN SOLUTION
    logp = torch.log_softmax(logits, dim=-1)  # finite where a probability underflows
    return -(logp.exp() * logp).sum(dim=-1)
    ### END SOLUTION


# %% check="entropy" points=1
check("entropy")

# %% [markdown]
# ### The whole loss
#
# Policy and critic are trained together, by one optimiser. The loss of a minibatch is
#
# $$L(\theta,\phi)=\underbrace{-\operatorname{mean}\big[\min(r\hat A,\ \operatorname{clip}(r,1-\epsilon,
# 1+\epsilon)\,\hat A)\big]}_{\text{the policy's clip loss}}
# +c_V\,\underbrace{\operatorname{mean}\big[(V_\phi(s)-R)^2\big]}_{\text{the critic's loss}}
# -c_H\,\underbrace{\operatorname{mean}\big[H(\pi_\theta(\cdot\mid s))\big]}_{\text{the entropy}}$$
#
# with the ratio $r=\pi_\theta(a\mid s)/\pi_{\theta_\text{old}}(a\mid s)$, the returns $R$ that
# the critic is to learn, and two weights: $c_V$ (`value_coef`) and $c_H$ (`entropy_coef`).
#
# What is frozen and what moves? Observations, actions, old log-probabilities, advantages and returns
# are *data*: they stay through all $K$ epochs as they were when the rollout was collected. Only
# $\theta$ and $\phi$ move.
#
# ### Question: the first step
#
# Look at the very first minibatch of an update. No step has been taken yet. **What is true there?**
#
# - `"a"` All ratios are 1. The clip is inactive, and the gradient is the plain policy gradient.
# - `"b"` About half of the ratios are outside the band, so the clip holds back half of the samples already.
# - `"c"` All ratios are 1. So their logarithms are 0, and the gradient is 0.
# - `"d"` All ratios are 1, but only if the learning rate is small.

# %% question="q_first_step"
q_first_step = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_first_step = "a"
### END SOLUTION

# %% check="q_first_step" points=1
check("q_first_step")

# %% [markdown]
# ### Exercise: `ppo_update`
#
# - `rollout` is what `collect_rollout` gives. `advantages` and `returns` are arrays `(T, N)`, to
#   be used as they come: whoever calls this function has normalised them, or has not.
# - `epochs` times: draw `minibatches` of all $B=TN$ samples from `rng`, and take one optimiser
#   step for each. Compare with the log-probabilities that are *stored* in the rollout. No
#   gradient clipping.
# - The result is a dict with five means over all minibatches of all epochs, as floats, each
#   computed from the forward pass before its step: `policy_loss` (the clip loss alone),
#   `value_loss` (without $c_V$), `entropy`, `approx_kl` (the estimate $k_3$) and `clip_fraction`.
#
# `torch.as_tensor(array).flatten(0, 1)` makes `(B, ...)` of `(T, N, ...)`. `value_loss`,
# `ppo_clip_loss`, `importance_ratio`, `kl_estimates` and `clip_fraction` are there to be used;
# `clip_fraction` takes a NumPy array.

# %% exercise="ppo_update"
def ppo_update(policy, critic, optimizer, rollout, advantages, returns, *, epochs, minibatch_size,
               clip, value_coef, entropy_coef, rng):
    """K epochs of minibatch steps on one rollout; trains policy and critic in place.

    rollout of fields (T, N, ...), advantages (T, N), returns (T, N) -> dict of means over the
    minibatches: policy_loss, value_loss, entropy, approx_kl (k3), clip_fraction
    """
    ### BEGIN SOLUTION
    fields = rollout.obs, rollout.actions, rollout.logp, advantages, returns
    obs, act, logp_old, adv, ret = (torch.as_tensor(x).flatten(0, 1) for x in fields)  # (B, ...)
    adv, ret = adv.to(logp_old.dtype), ret.to(logp_old.dtype)
    log = []
    for _ in range(epochs):
        for idx in minibatches(len(act), minibatch_size, rng):
            logits = policy(obs[idx])  # (M, A)
            logp = torch.log_softmax(logits, dim=-1).gather(1, act[idx, None])[:, 0]  # (M,)
            policy_loss = ppo_clip_loss(logp, logp_old[idx], adv[idx], clip)
            critic_loss = value_loss(critic(obs[idx]), ret[idx])
            spread = entropy(logits).mean()
            optimizer.zero_grad()
            (policy_loss + value_coef * critic_loss - entropy_coef * spread).backward()
            optimizer.step()
            with torch.no_grad():
                k3 = kl_estimates(logp, logp_old[idx])[2]
                outside = clip_fraction(importance_ratio(logp, logp_old[idx]).numpy(), clip)
            log.append([policy_loss.item(), critic_loss.item(), spread.item(), k3.item(), outside])
    names = "policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction"
    return dict(zip(names, np.mean(log, axis=0).tolist()))
    ### END SOLUTION


# %% check="ppo_update" points=4
check("ppo_update")

# %% [markdown]
# ### One rollout, one epoch after the other
#
# We collect one rollout of 2048 samples and call `ppo_update` with one epoch at a time, twice
# from the same networks: once with the clip, once without ($\epsilon=\infty$). In the first line
# the whole rollout is one minibatch, and its numbers are those *before* that single step. All later
# epochs have four minibatches.
#
# **Predict.** What are the loss, the KL and the clip fraction in the first line? And what becomes
# of the two KLs after eight more epochs?

# %% demo=true trained=true
torch.manual_seed(0)
envs = pg.envs.VectorCartPole(32)
start = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
obs, _ = envs.reset(seed=0)
rollout, obs = collect_rollout(envs, *start, obs, 64)
adv = gae(rollout.rewards, rollout.values, rollout.next_values,
          rollout.terminated, rollout.truncated, gamma=0.98, lam=0.9)  # (T, N)
table = []
for clip in (0.2, np.inf):
    nets = [copy.deepcopy(net) for net in start]
    optimizer = torch.optim.Adam([p for net in nets for p in net.parameters()], lr=0.01)
    table.append([
        ppo_update(*nets, optimizer, rollout, normalize_advantages(adv), adv + rollout.values,
                   epochs=1, minibatch_size=size, clip=clip, value_coef=0.5, entropy_coef=0.0,
                   rng=np.random.default_rng(epoch))
        for epoch, size in enumerate([2048] + [512] * 8)
    ])
print(pg.tr("           with the clip                            without it"))
print(pg.tr("epoch  policy loss     KL  clip fraction    policy loss     KL  entropy"))
for epoch, (held, free) in enumerate(zip(*table)):
    cells = held["policy_loss"], held["approx_kl"], held["clip_fraction"]
    cells += free["policy_loss"], free["approx_kl"], free["entropy"]
    cells = [round(cell, 4) + 0.0 for cell in cells]  # adding 0.0 turns -0.0 into 0.0
    print("{:4} {:12.3f} {:8.3f} {:11.2f} {:17.3f} {:8.3f} {:7.2f}".format(epoch, *cells))

# %% claim="the_clip_holds_a_reused_batch"
held, free = ({key: np.array([row[key] for row in rows]) for key in rows[0]} for rows in table)
claim("before the first step loss and KL are 0", abs(held["policy_loss"][0]) + held["approx_kl"][0],
      at_most=1e-4)
claim("before the first step nothing is outside", held["clip_fraction"][0], at_most=0)
claim("with the clip the KL stays small", held["approx_kl"].max(), at_most=0.06)
claim("after two epochs it doesn't grow much any more",
      held["approx_kl"][5:].mean() / held["approx_kl"][2:5].mean(), at_most=2.5)
claim("without it the KL passes 1", free["approx_kl"].max(), at_least=1)
claim("without it the entropy comes near 0", free["entropy"][-1], at_most=0.1)
claim("without it the loss falls much further", free["policy_loss"][-1] / held["policy_loss"][-1],
      at_least=3)

# %% [markdown]
# In the first line all ratios are 1. The loss is minus the mean of the advantages, and that is 0
# after normalisation. The step is the plain policy gradient, whatever its loss says.
#
# Then the two programs part. With the clip, the policy goes most of its way in the first epochs.
# From there KL and clip fraction stay at about the same level: a sample past the edge to which its
# advantage pushes is at rest. One outside on the other side still moves, as lesson 04 showed. The loss
# falls slowly: the batch is used up.
#
# Without the clip the loss falls much further, a false friend. The KL passes 1, and the entropy goes
# to 0: within a few epochs the policy has made up its mind almost everywhere, on the evidence of 64
# steps.
#
# ## 3. The gauges
#
# **Question.** A training run takes hours, and the return does not rise. What is wrong?
#
# The loss does not tell: lesson 01 showed that it means nothing. A pilot looks at gauges.
#
# | gauge | what it measures | healthy |
# |---|---|---|
# | mean return | what we want | rises |
# | KL | how far an update moves the policy | small, about 0.01 nats per step, and not 0 |
# | clip fraction | share of ratios outside the band | some, about 0.05 to 0.3 |
# | entropy | how undecided the policy is | falls slowly from $\log A$ |
# | explained variance | how much the critic knows | rises from 0 towards 1 |
#
# The clip fraction counts all that is outside, at rest or not. Some libraries log what is at rest
# alone, a smaller number (lesson 04).
#
# The last gauge is new. A critic's squared error alone says little: 100 is a lot where the returns
# differ by 10, and nothing where they differ by 1000. So compare the spread of its error with how
# much there was to know:
#
# $$\mathrm{EV}=1-\frac{\operatorname{Var}(R-V)}{\operatorname{Var}(R)}$$
#
# It is 1 for a perfect critic and 0 for one that always says the same. It is negative for one that
# makes things worse. A constant error doesn't show: a critic that is 100 too high everywhere has EV 1.
#
# ### Exercise: `explained_variance`
#
# - `values` and `returns` are arrays of one shape, often `(T, N)`. The variances are taken over all
#   numbers.
# - The result is one number. Where the returns do not vary, there is nothing to explain: return
#   nan, `float("nan")`. Returns do not vary where all are equal. Their variance tells that only up to
#   rounding: for 64 equal 32-bit returns of 0.1 it is not 0, and the formula gives $-10^{16}$ or so.

# %% exercise="explained_variance"
def explained_variance(values, returns):
    """1 - Var(returns - values) / Var(returns); nan where the returns don't vary.

    values (T, N), returns (T, N) -> float

    Example: explained_variance(np.array([0.0, 1.0]), np.array([1.0, 3.0])) is 0.75.
    """
    ### BEGIN SOLUTION
    if np.ptp(returns) == 0:  # exact, which the variance of equal numbers isn't
        return float("nan")
    return float(1 - np.var(returns - values) / np.var(returns))
    ### END SOLUTION


# %% check="explained_variance" points=1
check("explained_variance")

# %% [markdown]
# ## 4. The loop
#
# Now close the loop: collect, advantages, update, log.
#
# One thing needs bookkeeping: an episode may go on over several rollouts. `pg.EpisodeReturns(N)` adds
# up its rewards. Make one before the first round, and feed it each rollout once:
# `mean_return(rollout)` gives the mean return of the episodes that ended in this rollout, and nan
# where none did.
#
# ### Exercise: `train_ppo`
#
# - Reset the environments once, at the start, with a seed drawn from `rng`. After that each
#   rollout goes on where the last one stopped.
# - `num_updates` times: collect `num_steps` steps, compute the advantages with `gamma` and `lam`,
#   call `ppo_update`. Normalise the advantages for the policy. The check does not insist: to take off
#   their mean is one more baseline, and Adam's steps hardly depend on the size of a gradient. The
#   critic learns the returns: the advantages *before* normalisation plus the values that it gave.
# - The result is a list with one dict for each update: `mean_return`, and what `ppo_update`
#   returns. Add `explained_variance`, too; the gauges need it.
# - `policy` and `critic` are trained in place.
#
# The check follows two updates number by number. Then your function trains a policy for 12 updates,
# in a CartPole whose actions and observations are mixed up, with a learning rate that falls from
# 0.01. Its steps must go along the gradients of the clipped loss on their own samples, and 100
# sampled episodes must have a mean return of at least 100; a policy that tosses coins gets about 20.
# Whether all 500 steps are reached by then is luck.

# %% exercise="train_ppo"
def train_ppo(envs, policy, critic, optimizer, num_updates, num_steps, rng, *, gamma=0.98, lam=0.9,
              epochs=4, minibatch_size=512, clip=0.2, value_coef=0.5, entropy_coef=0.0):
    """The whole of PPO; trains policy and critic in place.

    -> a list of num_updates dicts: mean_return and what ppo_update returns
    """
    ### BEGIN SOLUTION
    obs, _info = envs.reset(seed=int(rng.integers(2**31)))
    episodes, history = pg.EpisodeReturns(envs.num_envs), []
    for _ in range(num_updates):
        rollout, obs = collect_rollout(envs, policy, critic, obs, num_steps)
        adv = gae(rollout.rewards, rollout.values, rollout.next_values,
                  rollout.terminated, rollout.truncated, gamma, lam)  # (T, N)
        ret = adv + rollout.values  # (T, N), what the critic should have said
        log = ppo_update(policy, critic, optimizer, rollout, normalize_advantages(adv), ret,
                         epochs=epochs, minibatch_size=minibatch_size, clip=clip,
                         value_coef=value_coef, entropy_coef=entropy_coef, rng=rng)
        log["mean_return"] = episodes.mean_return(rollout)
        log["explained_variance"] = explained_variance(rollout.values, ret)
        history.append(log)
    return history
    ### END SOLUTION


# %% check="train_ppo" points=4
check("train_ppo")

# %% [markdown]
# ### Watching it learn
#
# 32 environments, 64 steps each, so 2048 samples a round; 4 epochs of minibatches of 512; Adam with
# learning rate 0.01; 24 rounds. The networks start with orthogonal weights and a small last layer in
# the policy (Engstrom et al. 2020); Huang et al. (2022) list 37 such details, and lesson 05b asks
# which of them matter. The panels are drawn anew while your function runs.
#
# **Predict.** After how many rounds will the pole stand for 500 steps? And which of the five gauges
# may look sick at the end, although the policy is not?

# %% demo=true trained=true alt="Five panels over 24 updates. The mean return rises from about 20 to 500, with gaps where no episode ended. KL and clip fraction rise at first and then fall, the KL staying small. The entropy falls from 0.69 slowly. The explained variance rises towards 1, and where every pole stands it can fall again."
torch.manual_seed(2)
envs, rng = pg.envs.VectorCartPole(32), np.random.default_rng(2)
policy, critic = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
untrained = copy.deepcopy(policy)
optimizer = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=0.01)
panels = pg.plots.LivePanels(num_envs=32, updates=24)
with panels.watching(globals()):
    history = train_ppo(envs, policy, critic, optimizer, 24, 64, rng)
furthest = max(row["first_ratio"] for row in panels.rows)
print(pg.tr("largest distance of a first ratio from 1, over all rounds: {d:.5f}").format(d=furthest))

# %% claim="ppo_solves_cartpole" seeds=12 rates=[0.005, 0.01, 0.02]
def best_return(seed, rate):
    """The highest mean return of a round within 36 rounds."""
    torch.manual_seed(100 + seed)
    nets = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    adam = torch.optim.Adam([p for net in nets for p in net.parameters()], lr=rate)
    rows = train_ppo(pg.envs.VectorCartPole(32), *nets, adam, 36, 64, np.random.default_rng(seed))
    return np.nanmax([row["mean_return"] for row in rows])


gauges = {key: np.array([row[key] for row in history]) for key in history[0]}
claim("a round's mean return reaches 475", np.nanmax(gauges["mean_return"]), at_least=475,
      again=best_return)
claim("the first round scores little", gauges["mean_return"][0], at_most=35)
claim("the KL stays small", gauges["approx_kl"].max(), at_most=0.06)
claim("the entropy falls", gauges["entropy"][0] - gauges["entropy"][-1], at_least=0.15)
claim("the explained variance rises", gauges["explained_variance"].max(), at_least=0.7)
claim("the first ratios are 1 up to rounding", furthest, at_most=1e-4)

# %% [markdown]
# Within these 24 rounds, 49 000 steps, the poles stand. The gaps in the return are rounds in which
# no episode ended.
#
# The gauge that can look sick is the explained variance. Once every pole stands, all returns are
# nearly alike. There is little left to explain, and in many runs the gauge drops, in some of them
# below 0. Read gauges together.
#
# The line below the panels is about the ratios before each round's first step. They are 1, up to the
# rounding of 32-bit numbers. This is worth a line in your own programs. If the first ratio is not 1,
# the policy that is scored is not the one that played: another observation, another action, dropout,
# a temperature.
#
# ### How good is it?
#
# "Solved" needs a criterion. Ours is the mean return of 100 *sampled* episodes, at least 475. Why
# not let the policy always play its likeliest action?
#
# **Predict.** Eight policies, each after a single round of training from another seed: what are
# their mean returns when they sample, and when they play the likeliest action?

# %% demo=true trained=true
tests = pg.envs.VectorCartPole(100)


def both_returns(net):
    """Mean return of 100 episodes: sampled actions, and the likeliest ones."""
    return [pg.evaluation.sampled_returns(net, tests, seed=1, greedy=greedy).mean()
            for greedy in (False, True)]


def beginner(seed):
    """A policy after one round of training."""
    torch.manual_seed(seed)
    nets = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    adam = torch.optim.Adam([p for net in nets for p in net.parameters()], lr=0.01)
    train_ppo(pg.envs.VectorCartPole(32), *nets, adam, 1, 64, np.random.default_rng(seed))
    return nets[0]


found = np.array([both_returns(beginner(seed)) for seed in range(8)])  # (8, 2)
print(pg.tr("after 1 round, seeds 0 to 7"))
print(pg.tr("   sampled:  "), *(f"{number:5.0f}" for number in found[:, 0]))
print(pg.tr("   likeliest:"), *(f"{number:5.0f}" for number in found[:, 1]))
print(pg.tr("after 24 rounds: sampled {a:.0f}, likeliest {b:.0f}").format(
    **dict(zip("ab", both_returns(policy)))))

# %% claim="sampled_and_likeliest_differ"
claim("sampling, the beginners score little", found[:, 0].max(), at_most=60)
claim("the likeliest action scores from poor", found[:, 1].min(), at_most=80)
claim("to far better", found[:, 1].max() / found[:, 1].min(), at_least=3)

# %% [markdown]
# Sampling, the eight are nearly alike. The likeliest action gives anything from poor to good: which
# way a hardly trained policy leans is chance. The training's gradient, KL and return are about the
# policy that samples. Whoever reports a number must say to which of the two it belongs.
#
# And here it is, before and after. Both policies sample.

# %% demo=true alt="An animation of two carts with poles, one above the other. The upper one, before training, falls within a second and stands still. The lower one, after training, balances its pole for 500 steps."
recorded = [pg.evaluation.recorded_states(net, seed=3) for net in (untrained, policy)]
display(pg.plots.cart_clip(recorded, [pg.tr("before"), pg.tr("after 24 rounds, 49 000 steps")]))

# %% [markdown]
# ### Any environment?
#
# Nothing in your `train_ppo` knows of poles. It needs a vector environment whose next episode starts
# in the same step. Gymnasium makes one of any of its environments. In **Acrobot-v1** two links hang
# from a hinge, a motor at the joint between them pushes left, not at all, or right, and the tip is to
# swing above a line. Each step costs 1, for at most 500 steps.

# %% demo=true trained=true
same_step = {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP}
envs = gym.make_vec("Acrobot-v1", num_envs=16, vectorization_mode="sync", vector_kwargs=same_step)
torch.manual_seed(1)
swinger, other = pg.MLP(6, 3, gain=0.01), pg.MLP(6)
optimizer = torch.optim.Adam([*swinger.parameters(), *other.parameters()], lr=0.005)
swings = train_ppo(envs, swinger, other, optimizer, 14, 128, np.random.default_rng(1),
                   gamma=0.99, lam=0.95)
print(pg.tr("mean return of the episodes that ended, round by round:"))
print(*(f"{row['mean_return']:.0f}" if np.isfinite(row["mean_return"]) else "-" for row in swings))

# %% claim="acrobot_swings"
claim("the last rounds are far from -500", np.nanmean([row["mean_return"] for row in swings[-3:]]),
      at_least=-330)

# %% [markdown]
# The function is the same, to the letter. Three numbers had to be told to the networks: six
# observations, three actions, a learning rate.
#
# > **Warning: there are two kinds of autoreset.** `gym.make_vec` without further arguments starts the
# > next episode one step *later*. In the step that ends an episode, `obs` is its true last
# > observation, and there is no `final_obs`. In the step after, the action is ignored, the reward is
# > 0, and `obs` is the first of the next episode. **That row is no transition.** Code that was written
# > for the same step runs on such an environment without a complaint, until the first time limit stops
# > it with `KeyError: 'final_obs'`. The two modes can't be told from shapes:
# > look at `envs.metadata["autoreset_mode"]`.
#
# What do those rows do to the advantages? We train a critic for a few rounds, then collect from
# CartPole as `make_vec` makes it by default.
#
# **Predict.** About one row in a hundred is no transition. How large is its advantage, beside those of
# the others? The action in it was ignored, the reward was 0.

# %% demo=true trained=true
torch.manual_seed(3)
nets = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
optimizer = torch.optim.Adam([p for net in nets for p in net.parameters()], lr=0.01)
train_ppo(pg.envs.VectorCartPole(32), *nets, optimizer, 4, 64, np.random.default_rng(3))

envs = gym.make_vec("CartPole-v1", num_envs=32)  # autoreset in the next step
obs, _ = envs.reset(seed=0)
rollout, obs = collect_rollout(envs, *nets, obs, 192)
ended = rollout.terminated | rollout.truncated  # (T, N)
fresh = np.zeros_like(ended)
fresh[1:] = ended[:-1]  # the row after an end
adv = normalize_advantages(gae(rollout.rewards, rollout.values, rollout.next_values,
                               rollout.terminated, rollout.truncated, gamma=0.98, lam=0.9))
among = fresh.ravel()[np.argsort(-adv.ravel())[:20]].mean()
print(pg.tr("rows that are no transition: {share:.1%}").format(share=fresh.mean()))
print(pg.tr("mean size of a normalised advantage: {a:.2f} in these rows, {b:.2f} in the others").format(
    a=np.abs(adv[fresh]).mean(), b=np.abs(adv[~fresh]).mean()))
print(pg.tr("share of these rows among the 20 largest advantages: {share:.0%}").format(share=among))

# %% claim="rows_after_an_end_are_loud"
claim("few rows are no transition", fresh.mean(), at_most=0.03)
claim("their advantages are several times as large",
      np.abs(adv[fresh]).mean() / np.abs(adv[~fresh]).mean(), at_least=2.5)
claim("they are overrepresented among the largest", among / fresh.mean(), at_least=10)

# %% [markdown]
# The row goes from a falling pole to one that stands. Its TD error is $0+\gamma V(\text{standing})
# -V(\text{falling})$, the largest there is, and it is credited to an action that nobody carried out.
# Four lines handle it:
#
# ```python
# fresh = np.zeros(envs.num_envs, bool)            # before the loop: no episode has just ended
# successor = next_obs                             # in the loop: the true one, also at a time limit
# rows.append((..., fresh)); fresh = terminated | truncated    # the next row is no transition
# keep = ~fresh_rows.ravel()                       # after GAE: only such rows enter the update
# ```
#
# GAE itself needs no change. Its recursion stops at the end, one row before, so nothing of the wrong
# row leaks into the others.

# %% [markdown]
# ## 5. What is it worth to use a batch several times?
#
# **Question.** Ten epochs cost ten times the arithmetic of one. What do they buy, and do they
# need the clip?
#
# Seven programs learn CartPole. All play about 2048 steps between two updates. All use the same
# networks and Adam.
#
# | program | what it does with a batch |
# |---|---|
# | REINFORCE | one step; whole episodes, rewards-to-go, normalised |
# | actor-critic | one step; advantages from GAE and a critic |
# | PPO, $K=1$ | one epoch of four minibatches, with the clip: 4 steps |
# | $K=1$, 16 steps | one epoch of 16 minibatches of 128: 16 steps |
# | PPO, $K=4$ | four epochs of four minibatches: 16 steps |
# | PPO, $K=10$ | ten epochs |
# | $K=10$, no clip | ten epochs of the bare ratio objective |
#
# To be fair, each program got the learning rate that suits it: of five from 0.001 to 0.1, the one
# with the highest mean return over the whole training, on four seeds. Then it ran on twelve new ones.
# The runs were made beforehand, with the very functions of this notebook: `python -m publish.runs`
# makes them again. The grey line is made now: a third of one more run without the clip.
#
# **Predict: steps or reuse?** $K=4$ uses each sample four times, and takes four times as many gradient
# steps as $K=1$. The program with one epoch and 16 steps separates the two. Will it learn like $K=1$,
# like $K=4$, or in between? And ten epochs without the clip, at *their* best learning rate?

# %% demo=true trained=true alt="Left: mean return over 98 thousand steps for seven programs. PPO with 4 and 10 epochs rises to 475 within about 35 thousand steps and stays there. One epoch with 16 steps follows a little later. REINFORCE rises almost as fast at first and falls back to below 300. Actor-critic and PPO with one epoch of 4 steps climb slowly to about 300. Ten epochs without the clip stay at about 200. A grey line, one run made now without the clip, jumps up and down. Right: where each run ended. All runs of PPO with 4 and 10 epochs lie close to 500; the runs of the other programs are scattered."
runs = pg.stored_runs("learning_curves")
labels = {
    "reinforce": pg.tr("REINFORCE"), "actor_critic": pg.tr("actor-critic"),
    "ppo_k1": pg.tr("PPO, K = 1"), "ppo_k1_small": pg.tr("K = 1, 16 steps"), "ppo_k4": pg.tr("PPO, K = 4"), "ppo_k10": pg.tr("PPO, K = 10"),
    "no_clip_k10": pg.tr("K = 10, no clip"),
}
torch.manual_seed(7)
wild, other = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
optimizer = torch.optim.Adam([*wild.parameters(), *other.parameters()], lr=float(runs["no_clip_k10_rate"]))
live = train_ppo(pg.envs.VectorCartPole(32), wild, other, optimizer, 16, 64, np.random.default_rng(7),
                 epochs=10, clip=np.inf)
played = 2048 * (np.arange(len(live)) + 1)
pg.plots.over_steps(runs["steps"], {name: runs[name] for name in labels}, mark=475, labels=labels,
                    live=(played, [row["mean_return"] for row in live]))
plt.show()

# %% demo=true
heads = pg.tr("program"), pg.tr("rate"), pg.tr("mean"), pg.tr("475 at step"), pg.tr("below 200")
print("{:18} {:>7} {:>7} {:>14} {:>12}".format(*heads))
for name, label in labels.items():
    curves = runs[name]  # (seeds, P)
    reached = np.where((curves >= 475).any(1), runs["steps"][(curves >= 475).argmax(1)], np.inf)
    typical = np.median(reached)
    when = f"{typical:,.0f}".replace(",", " ") if np.isfinite(typical) else pg.tr("rarely")
    fallen = (curves[:, -3:].mean(1) < 200).sum()
    print(f"{label:18} {runs[name + '_rate']:7.3f} {curves.mean():7.0f} {when:>14} {fallen:9}/{len(curves)}")

# %% claim="steps_and_reuse"
first = {name: np.where((runs[name] >= 475).any(1), runs["steps"][(runs[name] >= 475).argmax(1)], np.inf)
         for name in labels}
claim("K = 4: all twelve runs reach 475", np.isfinite(first["ppo_k4"]).sum(), at_least=12)
claim("one epoch of 16 steps: all twelve, too", np.isfinite(first["ppo_k1_small"]).sum(), at_least=12)
claim("one epoch of 4 steps: a third", np.isfinite(first["ppo_k1"]).sum(), at_least=3, at_most=5)
claim("reuse at equal steps saves about a third",
      np.median(first["ppo_k1_small"]) / np.median(first["ppo_k4"]), at_least=1.3, at_most=1.7)
claim("REINFORCE: five runs end below 200", (runs["reinforce"][:, -3:].mean(1) < 200).sum(),
      at_least=5, at_most=5)
claim("no clip: most reach 475", np.isfinite(first["no_clip_k10"]).sum(), at_least=7)
claim("no clip: few stay", (runs["no_clip_k10"][:, -3:].mean(1) >= 400).sum(), at_most=5)

# %% [markdown]
# With one epoch of 4 steps a third of the runs get to 475 at all within these 98 000 steps. With one
# epoch of 16 steps all twelve do, in the median after about 35 000. With $K=4$, as many gradient steps
# again, it is about 22 500. So most of what looks like reuse is the number of gradient steps. **What
# reuse adds is the rest: here about one and a half times fewer steps of the environment.** Ten epochs
# add nothing further.
#
# A surprise is REINFORCE, which keeps up with PPO at first. Its best rate is a high one, and
# steps of that length throw the policy back again and again. At the end five of its twelve runs
# are below 200.
#
# And reuse needs the clip. Without it, ten epochs do best with a smaller rate than with it. Even
# so they are the worst of all seven: most runs reach 475 at some time, few stay, and some end
# at 9 steps, the mark of a policy that always pushes to the same side.
#
# Here is the mean return over the whole training for each rate that was tried.

# %% demo=true
print(pg.tr("learning rate").ljust(20) + "".join(f"{rate:9.3f}" for rate in runs["rates"]))
for name, label in labels.items():
    print(f"{label:20}" + "".join(f"{mean:9.0f}" for mean in runs[name + "_tuning"]))

# %% claim="rates_with_and_without_the_clip"
held, free = (dict(zip(runs["rates"], runs[f"{name}_tuning"])) for name in ("ppo_k10", "no_clip_k10"))
claim("with the clip each of three rates does", min(held[r] for r in (0.003, 0.01, 0.03)), at_least=300)
claim("without it 0.03 destroys everything", free[0.03], at_most=50)
claim("without it the best rate is smaller", runs["no_clip_k10_rate"] / runs["ppo_k10_rate"], at_most=0.5)

# %% [markdown]
# With the clip, each of the rates 0.003, 0.01 and 0.03 does. Without it a rate of 0.03 destroys
# everything. That is lesson 04's finding again: the clip widens the range of rates at which reuse is
# safe.
#
# ### What CartPole does not show
#
# CartPole is easy. REINFORCE solves it, too. With its one step per batch it even needs fewer *seconds*
# to its first 475: on the machine where this was measured about 0.3, PPO with $K=4$ about 0.45. PPO's
# case is the number of *steps*. Here one costs a few millionths of a second. It counts where a step
# is expensive: a robot that wears out, a text that a large model has to write. CartPole also has two
# actions, a reward at every step and no need to explore. Twelve seeds of one task prove nothing about
# another one.
#
# One more thing was measured on the way: PPO with $K=4$, in which every cut episode counts as
# ended.

# %% demo=true
late = runs["steps"] >= 49_000
for name, label in (("ppo_k4", pg.tr("cut episodes have a value")),
                    ("cut_as_terminated", pg.tr("cut episodes count as ended"))):
    share = (runs[name][:, late] >= 475).mean()
    print(pg.tr("{label:30} {share:4.0%} of the late evaluations reach 475").format(label=label, share=share))

# %% claim="a_wrong_end_costs"
found = [(runs[name][:, late] >= 475).mean() for name in ("ppo_k4", "cut_as_terminated")]
claim("about three evaluations of ten are lost", found[0] - found[1], at_least=0.2, at_most=0.4)

# %% [markdown]
# One flag taken for the other, and about three evaluations of ten are lost, just when the poles have
# learned to stand so long that the clock matters.
#
# ## 6. The bug hunt
#
# **Question.** A program runs, prints numbers, and does not learn. Which line is wrong?
#
# Here are eight broken programs. Each is this lesson's solution with a single thing changed, and ten
# epochs per rollout. The solid lines are its gauges, the dashed lines those of the healthy program.
# The dotted line in the entropy's column is $\log 2$, two equally likely actions. What lies beyond a
# panel's edge is drawn at the edge. The last column is the gauge of section 4: how far a ratio is
# from 1 before the first step of an update, the furthest of all samples. Below the panels stand the
# smallest and the largest number of each gauge: a line cannot show the difference between small
# and 0. These runs, too, are stored.

# %% demo=true alt="Eight rows of six panels, for the runs A to H, with a healthy run dashed behind. A: the return stays below 200, the explained variance is 0 throughout. B: return rises to 200 and falls to 9, KL and clip fraction are exactly 0, entropy falls to 0 at once. C: return stays near 20, KL and clip fraction are positive, entropy stays at log 2. D: return rises to 350 and falls to 9, KL is off the scale at first, entropy is low. E: return is 9 from the start, KL is off the scale for a few updates and then 0, entropy falls to 0 at once, explained variance is 1. F: return stays near 20, KL and clip fraction are exactly 0, entropy stays at log 2, explained variance rises to 0.7. G: return falls to 9 and stays, entropy falls to 0 over several updates, explained variance rises to 1, KL jumps, up to 0.2. H: return rises to about 60 only, the clip fraction is above 0.4, and the first ratios are off by up to 0.4."
hunt = pg.stored_runs("bug_hunt")
healthy = hunt.pop("healthy")
pg.plots.broken_runs(hunt, healthy)
plt.show()
print(pg.tr("smallest and largest").ljust(20), *(f"{name:>18}" for name in list(healthy)[1:]))
for name, run in {**hunt, pg.tr("healthy"): healthy}.items():
    ranges = (f"{np.nanmin(run[key]):.2g} .. {np.nanmax(run[key]):.2g}" for key in list(run)[1:])
    print(f"{name:20}", *(f"{text:>18}" for text in ranges))

# %% [markdown]
# ### Exercise: `bug_hunt`
#
# Name the bug of each run. The candidates, of which two are not there:
#
# | name | the bug |
# |---|---|
# | `"no-clip"` | the ratio is used as it is, nothing is clipped |
# | `"old-recomputed"` | the old log-probabilities are computed anew for each minibatch |
# | `"actions-resampled"` | the update scores freshly drawn actions instead of the stored ones |
# | `"critic-untrained"` | the critic's loss never reaches the optimiser |
# | `"policy-frozen"` | the optimiser holds the critic's weights only |
# | `"loss-sign"` | the objective is handed to the optimiser as if it were a loss |
# | `"entropy-bonus"` | the entropy's weight $c_H$ is far too large |
# | `"episodes-leak"` | the advantages run on from one episode into the next |
# | `"reward-sign"` | the advantages are those of minus the reward |
# | `"temperature"` | actions are drawn at temperature 2, and scored at 1 |
#
# Work by exclusion. What does a gauge of exactly 0 mean? Which gauges belong to the policy, which
# one to the critic? What would the return be, if nothing were learned at all? And where two programs
# have learned the wrong thing: which of them kept to small steps?

# %% exercise="bug_hunt"
bug_hunt = {"A": None, "B": None, "C": None, "D": None, "E": None, "F": None, "G": None, "H": None}
### BEGIN SOLUTION
bug_hunt = {
    "A": "critic-untrained",  # the policy learns, slowly; the critic explains nothing
    "B": "old-recomputed",  # measured against itself, no policy ever moves
    "C": "actions-resampled",  # it moves, but the advantages belong to other actions
    "D": "no-clip",  # learns quickly, by steps of any size, and falls
    "E": "loss-sign",  # learns to drop the pole as fast as it can
    "F": "policy-frozen",  # only the critic learns
    "G": "reward-sign",  # learns to drop the pole, by PPO's own steps, and its critic knows it
    "H": "temperature",  # the first ratios are not 1: another policy played
}
### END SOLUTION

# %% check="bug_hunt" points=2
check("bug_hunt")

# %% [markdown]
# One of the two bugs that are not there was run as well, and its return reached 500: on this task
# nobody would have seen it. Gauges find what goes wrong. What is wrong and goes well is found by
# tests.
#
# ## What you have, and what is missing
#
# - PPO is four steps in a loop: collect, advantages, update, log.
# - Data are frozen when they are collected. Only the weights move during an update.
# - An episode that the clock cut still has a future. One that ended has none.
# - Several epochs on a batch save steps of the environment. Much of that is the number of gradient
#   steps; reuse as such adds a part. It needs the clip, and several gauges beside the return.
#
# The pole gets a reward at every step. A language model gets one at the end of its text, and must not
# forget its language while it chases it. [Lesson
# 06](../06_toward_language/06_toward_language.ipynb) takes this loop there. Before that, [lesson
# 05b](../05b_practice/05b_practice.ipynb) shows the details that programs add to it, and continuous
# actions.
#
# ## References
#
# - J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov. [Proximal policy optimization
#   algorithms](https://arxiv.org/abs/1707.06347). 2017.
# - J. Schulman, P. Moritz, S. Levine, M. Jordan, P. Abbeel. [High-dimensional continuous control
#   using generalized advantage estimation](https://arxiv.org/abs/1506.02438). ICLR 2016.
# - V. Mnih et al. [Asynchronous methods for deep reinforcement
#   learning](https://arxiv.org/abs/1602.01783). ICML 2016. Actor-critic with an entropy bonus.
# - F. Pardo, A. Tavakoli, V. Levdik, P. Kormushev. [Time limits in reinforcement
#   learning](https://arxiv.org/abs/1712.00378). ICML 2018.
# - L. Engstrom et al. [Implementation matters in deep policy gradients: a case study on PPO and
#   TRPO](https://arxiv.org/abs/2005.12729). ICLR 2020.
# - M. Andrychowicz et al. [What matters in on-policy reinforcement learning? A large-scale
#   empirical study](https://arxiv.org/abs/2006.05990). 2020.
# - S. Huang, R. F. J. Dossa, A. Raffin, A. Kanervisto, W. Wang. [The 37 implementation details of
#   proximal policy
#   optimization](https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/). ICLR
#   blog track, 2022.
# - A. G. Barto, R. S. Sutton, C. W. Anderson. [Neuronlike adaptive elements that can solve
#   difficult learning control problems](https://doi.org/10.1109/TSMC.1983.6313077). IEEE
#   Transactions on Systems, Man, and Cybernetics, 1983. The cart and its pole.
# - M. Towers et al. [Gymnasium: a standard interface for reinforcement learning
#   environments](https://arxiv.org/abs/2407.17032). 2024.
