# Source of lesson 02. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 02 · Why REINFORCE is noisy
#
# REINFORCE is right on average. This lesson asks how far a single estimate is from that average,
# what it costs, and which parts of the noise can be taken away for free.
#
# You will
#
# - see single-trajectory gradients scatter around the exact one,
# - measure the scatter, and compare it with the exact variance,
# - learn how many trajectories a trustworthy step needs,
# - shift every return by a constant and see what that does,
# - credit each action only with what came after it,
# - find out when that helps, and why a bonus in each reward is no constant in the return.
#
# Before an experiment you are asked for a prediction. Answer first, then run it. What you predict is
# kept and shown with what came out. Three questions are graded.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`
# and restart the session; in VS Code, choose the Python of the folder `.venv` as the kernel.

# %% setup=true
import matplotlib.pyplot as plt
import numpy as np

import policy_gradients as pg
from grader import check

# %% [markdown]
# From lesson 01 we take four functions. They are the solutions that the lesson gives, so this
# notebook runs alone.

# %% given=["softmax", "rollout", "discounted_return", "grad_log_prob"]

# %% [markdown]
# ## 1. One trajectory, one gradient
#
# **Question.** How good is the gradient that one episode gives?
#
# **Recall.** A policy $\pi_\theta(a\mid s)$ is the probability of action $a$ in state $s$; its
# parameters are a table $\theta$ of logits, $S$ states by $A$ actions. An episode is a trajectory
# $\tau=(s_0,a_0,r_0,\dots,s_{T-1},a_{T-1},r_{T-1})$ of $T$ steps. Its return is
# $R(\tau)=\sum_t\gamma^t r_t$ with discount $\gamma$, and the objective is the expected return,
# $J(\theta)=\mathbb E_\tau[R(\tau)]$. The REINFORCE estimate (Williams 1992) from one trajectory is
#
# $$g(\tau)=R(\tau)\sum_{t=0}^{T-1}\nabla_\theta\log\pi_\theta(a_t\mid s_t),
# \qquad \mathbb E_\tau[g(\tau)]=\nabla_\theta J(\theta).$$
#
# Each $\nabla_\theta\log\pi_\theta(a_t\mid s_t)$ is called a *score*. Lesson 01 averaged
# $g(\tau)$ over a batch. Here we keep the estimates apart, because we want to see how they differ.
#
# ### Exercise: `gradient_samples`
#
# Return one estimate $g(\tau)$ for each trajectory.
#
# - `theta` is the table of logits, `(S, A)`.
# - `trajectories` is a list of N trajectories. Each has `states`, `actions` and `rewards`, `(T,)`
#   each; the lengths T differ.
# - The result is an array `(N, S, A)`. Do not average over the trajectories.

# %% exercise="gradient_samples"
def gradient_samples(theta, trajectories, gamma=1.0):
    """One REINFORCE gradient per trajectory.

    theta (S, A), N trajectories -> (N, S, A)

    Example: with two states, two actions and three trajectories the result is (3, 2, 2).
    """
    ### BEGIN SOLUTION
    states, actions = map(range, np.shape(theta))
    scores = np.array([[grad_log_prob(theta, s, a) for a in actions] for s in states])
    samples = np.zeros((len(trajectories), *np.shape(theta)))  # (N, S, A)
    for sample, traj in zip(samples, trajectories):
        sample += scores[traj.states, traj.actions].sum(axis=0)  # (T, S, A) -> (S, A)
        sample *= discounted_return(traj.rewards, gamma)
    return samples
    ### END SOLUTION


# %% check="gradient_samples" points=3
check("gradient_samples")

# %% [markdown]
# ### Experiment: a cloud of gradients
#
# The stage is a board of four by four cells with a goal (+10), two pits (-10) and a small price
# for each step. The policy is the one that knows nothing: all logits are zero. It stays fixed, so
# every difference between two estimates is luck.

# %% demo=true
env = pg.envs.Grid()
theta = np.zeros((env.num_states, env.num_actions))  # (S, A)
exact = pg.exact.policy_gradient(env, softmax(theta))  # (S, A)
rng = np.random.default_rng(0)
trajectories = [rollout(env, theta, rng) for _ in range(4096)]
returns = [discounted_return(traj.rewards) for traj in trajectories]
words = pg.tr("{n} episodes; returns from {low:.1f} to {high:.1f}, mean {mean:.1f}")
print(words.format(n=len(returns), low=min(returns), high=max(returns), mean=np.mean(returns)))

# %% [markdown]
# Each of these episodes gives one estimate, a table of 16 by 4 numbers. We look at them in a plane:
# to the right along the exact gradient, upwards along the direction in which they scatter most.
#
# **Predict.** The exact gradient points uphill. What share of the single-trajectory gradients
# points downhill, at more than 90 degrees to it?

# %% demo=true
pg.predict("downhill_share", pg.tr("Share that points downhill, in %:"), None)

# %% demo=true alt="Left: a thousand gradient estimates scattered over a square of side 60 around a very short arrow. Right: averages of 64 estimates, on a square of side 12, form a cloud around the tip of the same arrow."
samples = gradient_samples(theta, trajectories)  # (4096, S, A)
points, arrow = pg.plots.gradient_plane(samples, exact)  # (4096, 2), (2,)
means = points.reshape(64, 64, 2).mean(axis=1)  # (64, 2)
fig, axes = plt.subplots(1, 2, figsize=(9, 4.6))
pg.plots.cloud(points[:1000], arrow, reach=30, inner=6, ax=axes[0])
axes[0].set_title(pg.tr("Single trajectories"))
pg.plots.cloud(means, arrow, reach=6, ax=axes[1])
axes[1].set_title(pg.tr("Averages of 64, the dashed square enlarged"))
plt.show()
scatter = samples - samples.mean(axis=0)  # (4096, S, A)
held = np.sum((points - points.mean(axis=0)) ** 2) / np.sum(scatter**2)
print(pg.tr("This plane holds {held:.0%} of the variance.").format(held=held))

# %% [markdown]
# The pictures flatter. A plane shows two directions of dozens, and most of the scatter lies in the
# others. The angle to the exact gradient counts them all.

# %% demo=true alt="Histogram of angles to the exact gradient. Single trajectories spread from 60 to 120 degrees around 86; averages of 64 lie mostly between 45 and 75 degrees."
samples = gradient_samples(theta, trajectories)  # (4096, S, A)
batches = samples.reshape(64, 64, *theta.shape).mean(axis=1)  # (64, S, A), averages of 64
angle = pg.plots.angles(samples, exact)
pg.plots.angle_histogram(
    {
        pg.tr("single trajectories"): angle,
        pg.tr("averages of 64"): pg.plots.angles(batches, exact),
    }
)
plt.show()
downhill = np.mean(angle > 90)
pg.outcome("downhill_share", 100 * downhill)
print(pg.tr("{share:.0%} of the single gradients point downhill.").format(share=downhill))
print(pg.tr("Half of them are at more than {middle:.0f} degrees.").format(middle=np.median(angle)))
of_means = pg.plots.angles(batches, exact)
print(pg.tr("Averages of 64: {mean:.0f} degrees on average.").format(mean=of_means.mean()))

# %% claim="angles_of_the_beginner" seeds=12
def spread(seed):
    """Share downhill, middle angle, share of averages of 64 that point uphill, their mean angle."""
    rng = np.random.default_rng(seed)
    drawn = gradient_samples(theta, [rollout(env, theta, rng) for _ in range(2048)])
    single = pg.plots.angles(drawn, exact)
    means = pg.plots.angles(drawn.reshape(32, 64, *theta.shape).mean(axis=1), exact)
    return np.array([np.mean(single > 90), np.median(single), np.mean(means < 90), means.mean()])


import functools

once = functools.lru_cache(maxsize=1)(spread)
claim("Almost four in ten single gradients point downhill", abs(np.mean(angle > 90) - 0.375),
      at_most=0.05, again=lambda seed: abs(once(seed)[0] - 0.375))
claim("The middle angle is almost a right one", np.median(angle), at_least=82, at_most=89,
      again=lambda seed: once(seed)[1])
claim("Averages of 64 nearly all point uphill", np.mean(of_means < 90), at_least=0.9,
      again=lambda seed: once(seed)[2])
claim("Averages of 64 are some 60 degrees off", of_means.mean(), at_least=56, at_most=70,
      again=lambda seed: once(seed)[3])

# %% [markdown]
# Almost four in ten single gradients point downhill, and the middle one is almost at a right angle
# to the truth. The exact arrow is short; the cloud around it is wide. Averages of 64 trajectories
# nearly all point uphill, yet even they are some 60 degrees off. The table has dozens of entries
# that count (13 cells where an action is taken, 4 actions each), and noise goes into all of them.
#
# The weight of a trajectory explains the picture. A return of -10.3 multiplies *every* score of
# its episode, and so does a return of 9.4. The scores themselves add up to a random walk. A large
# number times a random walk is a large random vector.

# %% [markdown]
# ## 2. Measuring the scatter
#
# **Question.** How can the width of a cloud in many dimensions be one number?
#
# **Idea.** Measure each sample's squared distance from the mean of all, and average. That is the
# sum of the variances of all coordinates, the *total variance*. As a formula, with the covariance
# matrix $\Sigma$ of the vector $g(\tau)$ and samples $g_1,\dots,g_N$ whose mean is $\bar g$,
#
# $$\operatorname{tr}\Sigma=\mathbb E\,\lVert g(\tau)-\nabla J\rVert^2
# \;\approx\;\frac1{N-1}\sum_{i=1}^N\lVert g_i-\bar g\rVert^2 .$$
#
# $\operatorname{tr}$ is the trace, the sum of the diagonal. The division by $N-1$ instead of $N$
# makes the estimate unbiased: $\bar g$ comes from the same samples, and lies a little too close
# to them.
#
# ### Exercise: `total_variance`
#
# - `samples` is an array `(N, ...)`: N samples of any shape, N at least 2.
# - The result is one number: the trace of the unbiased sample covariance (divide by N - 1).

# %% exercise="total_variance"
def total_variance(samples):
    """Trace of the unbiased sample covariance (division by N - 1).

    (N, ...) -> float

    Example: total_variance([[0, 1], [2, 5]]) is 2 + 8 = 10.
    """
    ### BEGIN SOLUTION
    samples = np.asarray(samples)
    return float(samples.var(axis=0, ddof=1).sum())
    ### END SOLUTION


# %% check="total_variance" points=3
check("total_variance")

# %% [markdown]
# For our small board the variance can also be computed without any sampling, by adding up over
# all possible episodes. `pg.exact.gradient_moments` does so by dynamic programming. It returns
# the mean and the total variance of one trajectory's estimate.
#
# **Predict.** The exact gradient has a length of about 1.6. How long is the typical error of a
# single estimate, $\sqrt{\operatorname{tr}\Sigma}$?

# %% demo=true
pg.predict("single_error", pg.tr("Typical error of one estimate:"), None)

# %% demo=true
moments = pg.exact.gradient_moments(env, softmax(theta), "return")
samples = gradient_samples(theta, trajectories)  # (4096, S, A)
rows = [
    (pg.tr("total variance, from {n} samples"), total_variance(samples)),
    (pg.tr("total variance, exact"), moments.total_variance),
    (pg.tr("typical error of one estimate"), np.sqrt(moments.total_variance)),
    (pg.tr("length of the exact gradient"), np.linalg.norm(exact)),
]
for label, number in rows:
    print(f"{label.format(n=len(samples)):>40}: {number:6.1f}")
pg.outcome("single_error", np.sqrt(moments.total_variance))

# %% [markdown]
# The error of a single estimate is more than ten times as long as what it estimates.

# %% [markdown]
# ## 3. Averaging: the 1/N law
#
# **Question.** How fast does an average over a batch improve?
#
# The *standard error* is the typical distance between the batch's gradient and the exact one: the
# root of the mean squared distance.
#
# ### Question: `q_batch`
#
# Commit to an answer before you read on. The law comes after the experiment. You take a batch that
# is **four times** as large. What happens to the standard error of the gradient?
#
# - **a** It falls to a quarter.
# - **b** It stays as it is: more samples of the same policy bring nothing new.
# - **c** It falls to a sixteenth.
# - **d** It falls to a half.

# %% question="q_batch"
q_batch = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_batch = "d"
### END SOLUTION

# %% check="q_batch" points=2
check("q_batch")

# %% demo=true alt="Total variance of the batch mean over batch size on logarithmic axes. Measured points lie on the exact line, which falls by a factor of N."
sizes = 2 ** np.arange(0, 9)  # 1, 2, 4, ... 256
samples, measured = gradient_samples(theta, trajectories), []
for size in sizes:
    means = samples.reshape(-1, size, *theta.shape).mean(axis=1)  # (4096 / size, S, A)
    measured.append(total_variance(means))

pg.plots.exact_and_measured(
    {
        pg.tr("variance of the batch mean"): {
            "exact": (sizes, moments.total_variance / sizes),
            "measured": (sizes, measured),
        }
    },
    xlabel=pg.tr("batch size N"),
    ylabel=pg.tr("total variance"),
    log="xy",
)
plt.show()
law = np.polyfit(np.log(sizes), np.log(measured), 1)[0]
print(pg.tr("measured slope on these axes: {slope:.2f} (the law says -1)").format(slope=law))

# %% [markdown]
# The points fall along a line of slope -1: the variance of a mean of $N$ independent samples is one
# $N$-th of that of a single sample,
#
# $$\operatorname{tr}\operatorname{Cov}\Big(\frac1N\sum_{i=1}^N g_i\Big)
# =\frac{\operatorname{tr}\Sigma}{N}.$$
#
# Independent errors cancel. Back to your prediction: the variance falls to a quarter when the batch
# is four times as large, so the standard error, its root, falls to a half. This is the bad news of
# the lesson: to be ten times as precise by averaging alone you pay a hundred times as many episodes.

# %% [markdown]
# ## 4. Signal to noise: how large a batch?
#
# **Question.** When is a gradient precise enough for a step?
#
# **Idea.** Compare the squared length of the mean with the variance that this mean still has. At
# a ratio of 1 the error is as long as the gradient itself; well below 1 the step is mostly luck.
#
# $$\mathrm{SNR}=\frac{\lVert\bar g\rVert^2}{\operatorname{tr}\widehat\Sigma/N},$$
#
# where $\widehat\Sigma$ is the sample covariance of the $N$ samples and $\bar g$ their mean.
#
# ### Exercise: `signal_to_noise`
#
# - `samples` is an array `(N, ...)`; the result is one number, the ratio above.
# - Both lengths are squared. The noise is that of the *mean* of these N samples.

# %% exercise="signal_to_noise"
def signal_to_noise(samples):
    """Squared length of the mean over the total variance of that mean.

    (N, ...) -> float

    Example: for [[1], [3]] the mean is 2 and its variance 2 / 2 = 1, so the ratio is 4.
    """
    ### BEGIN SOLUTION
    mean = np.mean(samples, axis=0)
    return float(np.sum(mean**2) / (total_variance(samples) / len(samples)))
    ### END SOLUTION


# %% check="signal_to_noise" points=3
check("signal_to_noise")

# %% [markdown]
# ### Exercise: `batch_size_for`
#
# The samples tell the ratio of a single trajectory. By the 1/N law a batch of $B$ trajectories
# has $B$ times that ratio. Return the smallest whole $B$ at which the ratio is at least `target`.
#
# - The result is a whole number, at least 1. Where the target is met exactly, that is enough.
# - Where the mean of the samples is zero no batch will do: raise `ValueError`.

# %% exercise="batch_size_for"
def batch_size_for(samples, target):
    """Smallest batch size whose signal to noise ratio is at least `target`, by the 1/N law.

    (N, ...), float -> int, at least 1; ValueError where the mean of the samples is zero.

    Example: for [[1], [3]] one sample has the ratio 2, so a target of 4 needs a batch of 2.
    """
    ### BEGIN SOLUTION
    if not np.any(np.mean(samples, axis=0)):
        raise ValueError("the mean is zero: no batch is large enough")
    single = signal_to_noise(samples) / len(samples)
    return max(1, int(np.ceil(target / single)))
    ### END SOLUTION


# %% check="batch_size_for" points=2
check("batch_size_for")

# %% [markdown]
# **Predict.** A policy that knows nothing, and one that takes the best action with a good half of
# its probability: which of the two needs more trajectories for a ratio of 1?

# %% demo=true
pg.predict("needs_more", pg.tr("The policy that needs more trajectories:"), None,
           choices=[pg.tr("knows nothing"), pg.tr("knows half")])

# %% demo=true
best = pg.exact.best_policy(env)  # (S, A)
policies = {
    pg.tr("knows nothing"): np.full(theta.shape, 1 / env.num_actions),
    pg.tr("knows half"): 0.5 * best + 0.5 / env.num_actions,
    pg.tr("knows nearly all"): 0.95 * best + 0.05 / env.num_actions,
}
print(pg.tr("batch size for a ratio of 1"))
for name, pi in policies.items():
    logits = np.log(pi)
    drawn = [rollout(env, logits, rng) for _ in range(1000)]
    needed = batch_size_for(gradient_samples(logits, drawn), 1.0)
    mean, variance = pg.exact.gradient_moments(env, pi, "return")
    right = int(np.ceil(variance / np.sum(mean**2)))
    words = pg.tr("{name:>18}: {needed:4d} by 1000 samples, {right:4d} exactly")
    print(words.format(name=name, needed=needed, right=right))
pg.outcome("needs_more", pg.tr("knows nothing"))
ends = [trajectory.rewards[-1] for trajectory in trajectories]
words = pg.tr("of the beginner's episodes {pit:.0%} end in a pit, {goal:.0%} in the goal")
print(words.format(pit=np.mean(np.array(ends) < -5), goal=np.mean(np.array(ends) > 5)))

# %% claim="samples_pass_noise_for_signal" seeds=20
logits = np.log(policies[pg.tr("knows nothing")])
mean, variance = pg.exact.gradient_moments(env, softmax(logits), "return")


def again(seed):
    own = np.random.default_rng(seed)
    drawn = [rollout(env, logits, own) for _ in range(1000)]
    return batch_size_for(gradient_samples(logits, drawn), 1.0) / (variance / np.sum(mean**2))


claim("1000 samples of the beginner ask for too small a batch", again(0), at_most=1, again=again)

# %% [markdown]
# The beginner needs the most: three episodes in four end in a pit and one in twenty-five in the
# goal, so there is much noise and little signal. In the middle of learning about two dozen
# trajectories do. Near the end the variance is small, but the gradient is smaller still, and the
# need rises again.
#
# The samples' own answers tend to come out too low where much is needed. The mean of 1000 samples
# still contains noise, noise has length, and that passes for signal.

# %% [markdown]
# ### From the ratio to the angle
#
# The ratio foretells the picture of section 1. The batch's gradient is the exact one plus an error.
# In a space of many dimensions the error is nearly at a right angle to any given direction, so the
# three make a right triangle. Its legs are $\lVert\nabla J\rVert$ and the standard error, and the
# angle between the batch's gradient and the exact one is about
#
# $$\alpha_N\approx\arctan\frac{\sqrt{\operatorname{tr}\Sigma/N}}{\lVert\nabla J\rVert}
# =\arctan\frac1{\sqrt{\mathrm{SNR}_N}} .$$

# %% demo=true
ratio = 64 * np.sum(exact**2) / moments.total_variance  # of an average of 64
print(pg.tr("exact ratio of an average of 64: {ratio:.2f}").format(ratio=ratio))
angle = np.degrees(np.arctan(1 / np.sqrt(ratio)))
print(pg.tr("angle that it foretells: {angle:.0f} degrees").format(angle=angle))
batches = gradient_samples(theta, trajectories).reshape(64, 64, *theta.shape).mean(axis=1)
angle = pg.plots.angles(batches, exact).mean()
print(pg.tr("mean angle measured: {angle:.0f} degrees").format(angle=angle))

# %% [markdown]
# ### Question: `q_angle`
#
# You average **four times 64** trajectories of this policy. About how far from the exact gradient
# does the average point?
#
# - **a** 16 degrees, a quarter of before.
# - **b** 32 degrees, a half of before.
# - **c** 46 degrees.
# - **d** 64 degrees, as before: only the length changes.

# %% question="q_angle"
q_angle = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_angle = "c"
### END SOLUTION

# %% check="q_angle" points=2
check("q_angle")

# %% demo=true alt="Angle over batch size from 1 to 1024, logarithmic. Measured mean angles lie on the curve arctan of one over the root of the ratio, which falls from 86 degrees for one trajectory over 64 degrees at 64 towards 27 degrees at 1024."
sizes = 4 ** np.arange(6)  # 1, 4, ... 1024
samples = gradient_samples(theta, trajectories)  # (4096, S, A)
means = [samples.reshape(-1, n, *theta.shape).mean(axis=1) for n in sizes]  # averages of n
measured = [pg.plots.angles(one, exact).mean() for one in means]
fine = np.geomspace(1, 1024, 60)
foretold = np.degrees(np.arctan(np.sqrt(moments.total_variance / fine) / np.linalg.norm(exact)))
ax = pg.plots.exact_and_measured(
    {pg.tr("mean angle, measured"): {"measured": (sizes, measured)}},
    pg.tr("batch size N"), pg.tr("degrees to the exact gradient"), "x")
ax.plot(fine, foretold, "--", color="black", label=pg.tr("arctan of one over the root of the ratio"))
ax.set(xticks=sizes, xticklabels=sizes, ylim=(0, 90))
ax.xaxis.set_minor_locator(plt.NullLocator())
ax.legend()
plt.show()

# %% [markdown]
# Four times the batch doubles the root of the ratio: from 64 to 46 degrees. As long as the error is
# the longer leg, the angle moves slowly. It takes a thousand trajectories to come below 30 degrees.

# %% [markdown]
# ## 5. The shift experiment
#
# **Question.** Does it matter where the zero of the returns lies?
#
# Suppose every return grows by the same constant $c$. On this board the returns lie between -12
# and 9.4. With $c=12$ none is negative any more, so every action that was taken is pushed up.
#
# ### Question: `q_shift`
#
# Commit to an answer before you run the next experiment. 12 is added to every return. What happens
# to the mean of the gradient estimates, and to their variance, 725 before?
#
# - **a** The mean moves towards the actions that are taken most; the variance stays.
# - **b** The mean stays, and the variance stays: all returns move alike.
# - **c** Both change: larger weights make longer gradients.
# - **d** The mean moves, since all actions are pushed up, and the variance shrinks.
# - **e** The mean stays, and the variance shrinks.

# %% question="q_shift"
q_shift = None  # "a", "b", "c", "d" or "e"
### BEGIN SOLUTION
q_shift = "e"
### END SOLUTION

# %% check="q_shift" points=2
check("q_shift")

# %% demo=true alt="Left: total variance over the added constant, a parabola whose minimum lies near 7; measured points lie on the exact curve. Right: the mean along the exact gradient stays the same for every constant, with error bars that are shortest near the minimum."
def shifted(trajectory, constant):
    """The same episode with `constant` added to its last reward, and so to its return."""
    rewards = trajectory.rewards.copy()
    rewards[-1] += constant
    return pg.Trajectory(trajectory.states, trajectory.actions, rewards)


constants = np.arange(-6, 19, 3.0)
shifted_samples = [
    gradient_samples(theta, [shifted(t, c) for t in trajectories[:2000]]) for c in constants
]  # one array (2000, S, A) a constant
direction = exact / np.linalg.norm(exact)  # (S, A)
progress = np.array([np.sum(s * direction, axis=(1, 2)) for s in shifted_samples])  # (9, 2000)

fine = np.linspace(-6, 18, 49)
means, parabola = pg.exact.gradient_moments(env, softmax(theta), "return", shift=fine)
lowest = fine[np.argmin(parabola)]

fig, axes = plt.subplots(1, 2, figsize=(9, 3.8))
measured = [total_variance(s) for s in shifted_samples]
label, added = pg.tr("total variance"), pg.tr("constant c added to every return")
both = {"exact": (fine, parabola), "measured": (constants, measured)}
pg.plots.exact_and_measured({label: both}, added, label, ax=axes[0])
pg.plots.mark_lowest(axes[0], lowest, min(parabola), pg.tr("least noise"))
error = progress.std(axis=1) / np.sqrt(2000)
axes[1].errorbar(constants, progress.mean(axis=1), 2 * error, fmt="o", capsize=4)
axes[1].axhline(np.linalg.norm(exact), color="black", linestyle="--", label=pg.tr("exact"))
axes[1].set(xlabel=added, ylabel=pg.tr("mean, along the exact gradient"), ylim=(0, 3.2))
axes[1].legend()
plt.show()

stays = np.abs(means - exact).max() < 1e-12
print(pg.tr("the exact mean stays, to twelve digits: {yes}").format(yes=stays))
words = pg.tr("total variance: {zero:.0f} at c = 0, {least:.0f} at c = {lowest:.1f}, its lowest")
print(words.format(zero=moments.total_variance, least=min(parabola), lowest=lowest))
print(pg.tr("mean return: {mean:.1f}").format(mean=pg.exact.objective(env, softmax(theta))))

# %% [markdown]
# Back to your prediction. The mean does not move: on the right the exact line lies within the error
# bars (two standard errors), and the exact mean agrees to twelve digits. The variance follows a
# parabola. At $c=12$ it is about two thirds of what it was.
#
# **Why the mean stays.** Write $z(\tau)=\sum_t\nabla_\theta\log\pi_\theta(a_t\mid s_t)$ for the
# summed score, so that a sample is $(R+c)\,z$. Then
# $\mathbb E[(R+c)\,z]=\mathbb E[R\,z]+c\,\mathbb E[z]$, and the expected score is zero. The
# probabilities of all episodes add up to 1 whatever $\theta$ is, so their derivative
# $\sum_\tau\nabla_\theta p_\theta(\tau)=\mathbb E[z]$ is zero.
#
# **Why a parabola.** The mean is fixed, so only the mean squared length of a sample changes:
#
# $$\operatorname{tr}\Sigma(c)=c^2\,\mathbb E\lVert z\rVert^2+2c\,\mathbb E\big[R\lVert z\rVert^2\big]
# +\mathbb E\big[R^2\lVert z\rVert^2\big]-\lVert\nabla J\rVert^2 .$$
#
# Its lowest point lies at $c^\ast=-\mathbb E[R\lVert z\rVert^2]/\mathbb E\lVert z\rVert^2$. That is
# minus a *weighted* mean return, where long scores count more. Here it is near 7, while minus the
# plain mean is 8.5. Keep this minimum in mind: lesson 03 will call it the best constant baseline
# (Greensmith et al. 2004).
#
# So a constant is not innocent. With rewards that are all positive nothing is wrong on average,
# and yet the noise can be many times what it need be. Adding the right constant removes
# almost two thirds of the variance here, for free.
#
# What the cloud does meanwhile can be seen. Move the slider: where does the mean go, where does the
# width? Each point is an average of 64 gradients, as in section 1.

# %% demo=true alt="Three clouds of averages of 64 gradients, with 0, 7 and 18 added to every return. The arrow of the exact gradient and the cross of the mean stay where they are. The cloud in the middle is the narrowest, the one on the right the widest."
plain = gradient_samples(theta, trajectories)  # (4096, S, A)
scores = gradient_samples(theta, [shifted(t, 1.0) for t in trajectories]) - plain  # z of each


def draw(ax, constant):
    averages = (plain + constant * scores).reshape(64, 64, *theta.shape).mean(axis=1)
    in_plane, arrow = pg.plots.gradient_plane(averages, exact)
    pg.plots.cloud(in_plane, arrow, reach=8, ax=ax)
    ax.set_title(pg.tr("c = {c:g}").format(c=constant))


pg.plots.strip(draw, [0, 7, 18], width=3.0, height=3.2)
plt.show()
pg.plots.slider(draw, [-6, -3, 0, 3, 7, 12, 18], pg.tr("constant c"), first=0)

# %% [markdown]
# ### A bonus in every reward
#
# A constant in every *return* changes nothing on average. What about a constant $b$ in every
# *reward*? An episode of $T$ steps collects it $T$ times:
#
# $$\sum_{t=0}^{T-1}(r_t+b)=R(\tau)+b\,T(\tau),\qquad
# \nabla_\theta\,\mathbb E[R+bT]=\nabla_\theta J+b\,\nabla_\theta\,\mathbb E[T] .$$
#
# The length $T$ depends on the policy, so this is another task. A bonus per step pays for staying
# alive, and the goal ends the income.
#
# ### Exercise: `bonus_in_rewards`
#
# A corridor has a goal and a clock. From the start it takes `distance` steps to the goal. Each step
# pays `step_reward`, the step into the goal pays `goal_reward` in addition, and the clock ends the
# episode after `max_steps` steps. Compare two plans: walk straight to the goal, or walk to and fro
# and never enter it, until the clock stops you. Now a bonus is added to every reward. **At which
# bonus have both plans the same return?**
#
# - `goal_reward` and `step_reward` are numbers of either sign; `distance` and `max_steps` are whole
#   numbers, `distance` the smaller one. There is no discount.
# - The result is one number, of either sign. Below it the goal is worth more, above it the clock.
#
# Write down both returns first, then set them equal.

# %% exercise="bonus_in_rewards"
def bonus_in_rewards(goal_reward, step_reward, distance, max_steps):
    """The bonus per step at which the goal and staying alive have the same return.

    float, float, int, int -> float

    Example: bonus_in_rewards(6.0, 0.0, 2, 5) is 2.0: 6 + 2 * 2 steps = 5 * 2 steps.
    """
    ### BEGIN SOLUTION
    # goal_reward + distance * (step_reward + b) = max_steps * (step_reward + b)
    return goal_reward / (max_steps - distance) - step_reward
    ### END SOLUTION


# %% check="bonus_in_rewards" points=3
check("bonus_in_rewards")

# %% [markdown]
# Now build the corridor. It has seven cells and no pit, the goal (+10) is three steps away, a step
# costs 0.1, and the clock stops after 20 steps. For each bonus the referee finds the best table of
# probabilities, which may mix the two plans.
#
# **Predict.** How many steps does the best policy take, on average, where both plans are equal?

# %% demo=true
pg.predict("life_with_bonus", pg.tr("Steps of the best policy where both plans are equal:"), None)

# %% demo=true alt="Two panels over the bonus per step, from 0 to 1.4. Left: the return of walking straight to the goal rises slowly, that of walking to and fro steeply; they cross at 0.69, where the formula says, and the best table lies above both in between. Right: the best table's steps rise from 3 at no bonus to 12 at the crossing and 20 at the right end."
turns = bonus_in_rewards(10.0, -0.1, 3, 20)
bonuses = np.linspace(0, 1.4, 8)
best_return, steps = np.zeros((2, len(bonuses)))
for n, bonus in enumerate(bonuses):
    world = pg.envs.Corridor(pit=None, step_reward=-0.1 + bonus)
    pi = pg.exact.best_policy(world)
    best_return[n], steps[n] = pg.exact.objective(world, pi), pg.exact.visits(world, pi).sum()

fig, axes = plt.subplots(1, 2, figsize=(9, 3.4))
straight, to_and_fro = 10 + 3 * (bonuses - 0.1), 20 * (bonuses - 0.1)
plans = {pg.tr("straight to the goal"): straight, pg.tr("to and fro"): to_and_fro}
plans = {label: {"exact": (bonuses, line)} for label, line in plans.items()}
plans[pg.tr("best table")] = {"measured": (bonuses, best_return)}
pg.plots.exact_and_measured(plans, pg.tr("bonus per step"), pg.tr("return"), ax=axes[0])
axes[1].plot(bonuses, steps, "^", color=pg.plots.COLORS[2], mec="black", mew=0.6)
axes[1].set(xlabel=pg.tr("bonus per step"), ylabel=pg.tr("steps of the best table"), ylim=(0, 21))
for ax in axes:
    ax.axvline(turns, color="black", linestyle=":", label=pg.tr("your formula"))
    ax.legend(fontsize=9)
at_turn = pg.envs.Corridor(pit=None, step_reward=-0.1 + turns)
life = pg.exact.visits(at_turn, pg.exact.best_policy(at_turn)).sum()
pg.outcome("life_with_bonus", life, axes[1], axis="y")
plt.show()

# %% [markdown]
# The two plans change places where your formula says. And there is something better than both: to
# dawdle first and take the goal later. It pays as soon as a step earns more than it costs, here
# from a bonus of 0.1 on. The larger the bonus, the longer the agent stays away from the goal.
# Nothing in a learning curve would look wrong: the returns rise. Whoever shapes a reward with a
# constant per step, or forgets the price of one, trains for another task.

# %% [markdown]
# ## 6. Reward-to-go: no credit for the past
#
# **Question.** Does every reward belong in every step's weight?
#
# **Idea.** An action cannot change a reward that came before it. Take a reward $r_k$ with $k<t$. Once
# the past and $s_t$ are known, $r_k$ is a fixed number, and the mean of the score over the actions
# is zero, since their probabilities add up to 1 in every state:
#
# $$\mathbb E\big[r_k\,\nabla\log\pi_\theta(a_t\mid s_t)\big]
# =\mathbb E\big[r_k\;\mathbb E[\nabla\log\pi_\theta(a_t\mid s_t)\mid\text{past},s_t]\big],$$
#
# $$\mathbb E[\nabla\log\pi_\theta(a_t\mid s_t)\mid\text{past},s_t]
# =\sum_a\pi_\theta(a\mid s_t)\,\nabla\log\pi_\theta(a\mid s_t)
# =\nabla\sum_a\pi_\theta(a\mid s_t)=0 .$$
#
# So earlier rewards add nothing to the mean. They do add noise. (Section 5 does not say this by
# itself: there a constant was the same in all episodes, and $r_k$ is not.) Leave them out, and
# weight step $t$ by its *reward-to-go*, as the policy gradient theorem does in expectation (Sutton et
# al. 2000):
#
# $$G_t=\sum_{k=t}^{T-1}\gamma^{\,k-t}\,r_k .$$
#
# The discount counts from step $t$ itself: its own reward has weight 1. There is no further
# $\gamma^t$ in front. With $\gamma<1$ the mean of $\sum_t G_t\nabla\log\pi_\theta(a_t\mid s_t)$
# is then no longer the gradient of $\mathbb E[\sum_t\gamma^tr_t]$, and in general not the gradient
# of any function (Nota and Thomas 2020). This course follows common practice here, and compares
# estimators at $\gamma=1$, where nothing is lost.
#
# ### Exercise: `reward_to_go`
#
# ```
# rewards   r0                    r1             r2
# result    r0 + γ·r1 + γ²·r2     r1 + γ·r2      r2
# ```
#
# - `rewards` is a list or an array `(T,)`, T at least 1; the result is an array `(T,)`.
# - One pass is enough: your function must manage a very long episode. (A sum inside a loop over
#   all steps takes T² additions.)

# %% exercise="reward_to_go"
def reward_to_go(rewards, gamma=1.0):
    """Discounted sum of the rewards from each step on, in O(T).

    list or array (T,) -> (T,)

    Example: reward_to_go([1.0, 2.0, 4.0], gamma=0.5) is [3.0, 4.0, 4.0].
    """
    ### BEGIN SOLUTION
    result = np.array(rewards, dtype=float)  # a copy: the caller keeps its rewards
    for t in range(len(result) - 2, -1, -1):
        result[t] += gamma * result[t + 1]
    return result
    ### END SOLUTION


# %% check="reward_to_go" points=3
check("reward_to_go")

# %% [markdown]
# ### Exercise: `reward_to_go_gradient_samples`
#
# As `gradient_samples`, but each score is weighted by the reward-to-go of its own step:
#
# $$g(\tau)=\sum_{t=0}^{T-1}G_t\,\nabla_\theta\log\pi_\theta(a_t\mid s_t).$$

# %% exercise="reward_to_go_gradient_samples"
def reward_to_go_gradient_samples(theta, trajectories, gamma=1.0):
    """One gradient per trajectory, each score weighted by its own reward-to-go.

    theta (S, A), N trajectories -> (N, S, A)
    """
    ### BEGIN SOLUTION
    states, actions = map(range, np.shape(theta))
    scores = np.array([[grad_log_prob(theta, s, a) for a in actions] for s in states])
    samples = np.zeros((len(trajectories), *np.shape(theta)))  # (N, S, A)
    for sample, traj in zip(samples, trajectories):
        weights = reward_to_go(traj.rewards, gamma)[:, None, None]  # (T, 1, 1)
        sample += (weights * scores[traj.states, traj.actions]).sum(axis=0)
    return samples
    ### END SOLUTION


# %% check="reward_to_go_gradient_samples" points=2
check("reward_to_go_gradient_samples")

# %% [markdown]
# ### Experiment: variance against horizon
#
# How much reward-to-go helps depends on *when* the rewards come. We compare two worlds while the
# horizon, the largest number of steps, grows.
#
# - **Ring**: six cells in a circle. Each step pays +1, 0 or -1. Nothing ever ends the walk but
#   the clock, so with 10 steps returns lie between -10 and 10.
# - **Board**: the board from above. What matters, +10 or -10, comes with the last step.
#
# **Predict.** In which world does reward-to-go save more? And how does the variance grow when the
# horizon doubles?

# %% demo=true
pg.predict("variance_at_twice", pg.tr("On the ring, twice the horizon multiplies the variance by:"), None)

# %% demo=true alt="Total variance over horizon on logarithmic axes. On the ring reward-to-go lies at less than half of the whole return's variance, at every horizon; on the board the two lines nearly coincide. Both grow steeply with the horizon."
def variances(env, num_samples=300):
    """Exact and measured total variance of both estimators, under the uniform policy."""
    theta = np.zeros((env.num_states, env.num_actions))
    drawn = [rollout(env, theta, rng) for _ in range(num_samples)]
    return [
        (pg.exact.gradient_moments(env, softmax(theta), name).total_variance, total_variance(s))
        for name, s in [
            ("return", gradient_samples(theta, drawn)),
            ("reward_to_go", reward_to_go_gradient_samples(theta, drawn)),
        ]
    ]  # [(exact, measured) of the whole return, (exact, measured) of reward-to-go]


horizons = np.array([6, 12, 24, 48])
worlds = {
    pg.tr("Ring: rewards all along"): pg.envs.Ring,
    pg.tr("Board: the reward comes last"): pg.envs.Grid,
}
tables = {
    title: np.array([variances(make(max_steps=int(h))) for h in horizons])  # (4, 2, 2)
    for title, make in worlds.items()
}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for ax, (title, table) in zip(axes, tables.items()):
    curves = {
        label: {"exact": (horizons, table[:, i, 0]), "measured": (horizons, table[:, i, 1])}
        for i, label in enumerate([pg.tr("whole return"), pg.tr("reward-to-go")])
    }
    pg.plots.exact_and_measured(curves, pg.tr("horizon"), pg.tr("total variance"), "xy", ax=ax)
    ax.set(title=title, xticks=horizons, xticklabels=horizons)
    ax.xaxis.set_minor_locator(plt.NullLocator())
    gain = table[:, 0, 0] / table[:, 1, 0]
    growth = table[-1, 1, 0] / table[-2, 1, 0]
    words = pg.tr("{title}. Reward-to-go divides the variance by {low:.1f} to {high:.1f};")
    print(words.format(title=title, low=gain.min(), high=gain.max()))
    print(pg.tr("    from 24 to 48 steps it still grows by {growth:.1f}.").format(growth=growth))
    if title == pg.tr("Ring: rewards all along"):
        pg.outcome("variance_at_twice", growth)
plt.show()

# %% [markdown]
# On the ring reward-to-go cuts the variance to less than half, whatever the horizon. On the board
# it hardly helps: the large reward comes last, so it is in everybody's reward-to-go, and only the
# small prices of the steps drop out. Leaving out the past saves much where rewards come all along,
# and little where they come at the end.
#
# Neither estimator is rescued from the horizon. On the ring twice the horizon means four times the
# variance or a little more: the returns get larger, and there are more scores to multiply. On the
# board the growth slows down, since most episodes end before the clock does.
#
# ### Exercise: `rewards_without_gain`
#
# Now the other way round. Here is how a world moves; **you choose its rewards** so that reward-to-go
# gains *nothing*: under any policy both estimators have the same total variance. Zero everywhere
# would do, and teach nothing. So the policy must matter: the uniform one must have a gradient.
#
# - `transitions` is `(S, A, S)`: the probability of each next state, given state and action.
# - `terminal` is `(S,)`, bool: an episode ends when such a state is entered. There are at least two
#   of them, and nobody acts there any more. Or the clock ends it.
# - The result is the table of rewards `(S, A, S)`: what each transition pays, at most 100 in size.
#
# The check computes both variances exactly, in worlds of its own, with your rewards. Which rewards
# does reward-to-go leave out? Let there be none of them.

# %% exercise="rewards_without_gain"
def rewards_without_gain(transitions, terminal):
    """Rewards for a given world in which reward-to-go gains nothing and the policy matters.

    transitions (S, A, S), terminal bool (S,) -> rewards (S, A, S)
    """
    ### BEGIN SOLUTION
    rewards = np.zeros(np.shape(transitions))
    ends = np.flatnonzero(terminal)
    rewards[:, :, ends] = 1.0 + np.arange(len(ends))  # each end pays something else, all else 0
    return rewards
    ### END SOLUTION


# %% check="rewards_without_gain" points=3
check("rewards_without_gain")

# %% demo=true
world = pg.envs.Grid()
yours = pg.envs.TabularEnv(
    world.transitions, rewards_without_gain(world.transitions, world.terminal), world.terminal,
    world.start, world.max_steps)
for name in ("return", "reward_to_go"):
    variance = pg.exact.gradient_moments(yours, softmax(theta), name).total_variance
    print(f"{name:>14}: {variance:.2f}")

# %% [markdown]
# ### What this means for a language model
#
# A sentence is an episode, a token is an action, and there is often one reward, at the
# end-of-sequence token. It is the world that you have just built. What does reward-to-go gain there,
# at $\gamma=1$?

# %% demo=true
language = pg.envs.TokenEnv()
blank = np.zeros((language.num_states, language.num_actions))
sentences = [rollout(language, blank, rng) for _ in range(200)]
same = np.allclose(
    gradient_samples(blank, sentences), reward_to_go_gradient_samples(blank, sentences)
)
print(pg.tr("whole return and reward-to-go give the same gradients:"), same)
for name in ("return", "reward_to_go"):
    variance = pg.exact.gradient_moments(language, softmax(blank), name).total_variance
    print(f"{name:>14}: {variance:.2f}")

# %% [markdown]
# Nothing at all. With one reward at the end, every token's reward-to-go *is* the return. All
# tokens of a sentence share one weight, and the noise of that weight is the noise of the
# gradient. A language model needs another remedy, and so does the board: a number to compare the
# return with. That is lesson 03.

# %% [markdown]
# ## What you take along
#
# - A single trajectory's gradient is right on average, and its error can be ten times as long as
#   what it estimates.
# - Averaging over $N$ trajectories divides the variance by $N$, and the standard error by
#   $\sqrt N$.
# - A constant added to all returns leaves the mean alone and moves the variance along a parabola.
# - Reward-to-go drops rewards that an action cannot have caused. It helps where rewards come all
#   along, and not at all where the only reward comes last.
# - A constant in every reward is another task: it pays for the length of the episode.
#
# Your predictions, beside what came out:

# %% demo=true
pg.predictions()

# %% [markdown]
# ## References
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist
#   reinforcement learning*, Machine Learning 8:229-256.
#   [doi:10.1007/BF00992696](https://doi.org/10.1007/BF00992696)
# - R. S. Sutton, D. McAllester, S. Singh, Y. Mansour (2000), *Policy gradient methods for
#   reinforcement learning with function approximation*, NIPS 12:1057-1063.
#   [papers.nips.cc](https://papers.nips.cc/paper/1713-policy-gradient-methods-for-reinforcement-learning-with-function-approximation)
# - E. Greensmith, P. L. Bartlett, J. Baxter (2004), *Variance reduction techniques for gradient
#   estimates in reinforcement learning*, JMLR 5:1471-1530.
#   [jmlr.org](https://www.jmlr.org/papers/v5/greensmith04a.html)
# - C. Nota, P. S. Thomas (2020), *Is the policy gradient a gradient?*, AAMAS.
#   [arXiv:1906.07073](https://arxiv.org/abs/1906.07073)
