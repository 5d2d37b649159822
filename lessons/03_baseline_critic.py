# Source of lesson 03. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 03 · Baselines, critic, advantage
#
# A return of 7 says little until you know what was to be expected. This lesson gives the return
# something to be compared with: first a constant, then a number for each state, at last a critic
# that is learned beside the policy.
#
# You will
#
# - subtract a baseline, and show to the last digit that the gradient stays right on average,
# - see which "baselines" do bias it,
# - find the best constant, and the reason for the place where it lies,
# - meet value, action value and advantage, and the policy gradient theorem in their terms,
# - train a critic, and compare what it says with the exact values,
# - train an actor and a critic together, and measure what that is worth.
#
# How the critic can do more than serve as a baseline is the subject of the next notebook, 03b.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`
# and restart the session; in VS Code, choose the Python of the folder `.venv` as the kernel.

# %% setup=true
import itertools
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch

import policy_gradients as pg
from grader import check

torch.set_num_threads(1)

# %% [markdown]
# From the earlier lessons we take these functions, as they were solved there.

# %% given=["softmax", "rollout", "grad_log_prob", "total_variance", "reward_to_go"]

# %% [markdown]
# ## 1. Something to compare with
#
# **Question.** Can we change the weights so that the mean gradient stays and the noise goes?
#
# **Recall.** In state $s_t$ the policy $\pi_\theta$ takes action $a_t$. The reward-to-go
# $G_t=\sum_{k\ge t}\gamma^{k-t}r_k$ is what is earned from step $t$ on; $\gamma$ is the discount.
# The score of step $t$ is $\nabla_\theta\log\pi_\theta(a_t\mid s_t)$. One trajectory $\tau$ of $T$
# steps gives the estimate $\sum_tG_t\,\nabla_\theta\log\pi_\theta(a_t\mid s_t)$ of the gradient
# of the objective $J(\theta)$, the expected return.
#
# **Idea.** If nearly every episode earns about -10, then every action gets blamed, and only the
# differences between large numbers teach anything. Subtract from each weight what was to be
# expected in that state, a *baseline* $b(s)$ (Williams 1992). An action that did better than expected
# gets a positive weight, one that did worse a negative one:
#
# $$g_b(\tau)=\sum_{t=0}^{T-1}\big(G_t-b(s_t)\big)\,\nabla_\theta\log\pi_\theta(a_t\mid s_t).$$
#
# ### Exercise: `baseline_gradient_samples`
#
# - `theta` is the table of logits, `(S, A)`; `trajectories` a list of N trajectories.
# - `baseline` holds one number for each state, `(S,)`.
# - The result is one gradient a trajectory, `(N, S, A)`.

# %% exercise="baseline_gradient_samples"
def baseline_gradient_samples(theta, trajectories, baseline, gamma=1.0):
    """One gradient per trajectory; each score is weighted by reward-to-go minus baseline.

    theta (S, A), N trajectories, baseline (S,) -> (N, S, A)

    Example: with a baseline of zeros these are the reward-to-go samples of lesson 02.
    """
    ### BEGIN SOLUTION
    states, actions = map(range, np.shape(theta))
    scores = np.array([[grad_log_prob(theta, s, a) for a in actions] for s in states])
    samples = np.zeros((len(trajectories), *np.shape(theta)))  # (N, S, A)
    for sample, traj in zip(samples, trajectories):
        weights = reward_to_go(traj.rewards, gamma) - np.asarray(baseline)[traj.states]  # (T,)
        sample += (weights[:, None, None] * scores[traj.states, traj.actions]).sum(axis=0)
    return samples
    ### END SOLUTION


# %% check="baseline_gradient_samples" points=2
check("baseline_gradient_samples")

# %% [markdown]
# ### Experiment: the cloud, with a knob
#
# The stage is the board of lesson 02 with its goal, two pits and a price for each step. The clock
# now allows 200 steps, so it hardly ever strikes: episodes end in the goal or in a pit. The
# policy knows nothing.
#
# The knob is one number $b$, used as the baseline of every state.

# %% demo=true
env = pg.envs.Grid(max_steps=200)
theta = np.zeros((env.num_states, env.num_actions))  # (S, A)
pi = softmax(theta)
exact = pg.exact.policy_gradient(env, pi)  # (S, A)
rng = np.random.default_rng(0)
many = [rollout(env, theta, rng) for _ in range(2000)]
longest = max(len(traj) for traj in many)
mean = np.mean([traj.rewards.sum() for traj in many])
print(pg.tr("{n} episodes of at most {longest} steps").format(n=len(many), longest=longest))
words = pg.tr("mean return {mean:.1f}, exactly {exact:.1f}")
print(words.format(mean=mean, exact=pg.exact.objective(env, pi)))

# %% [markdown]
# **Predict.** Where does the cloud of single-trajectory gradients become smallest? Where does its
# middle move?

# %% demo=true
pg.predict("smallest_cloud", pg.tr("The cloud is smallest at b ="), None)

# %% demo=true alt="Two rows of five panels, for the baselines 10, 0, minus 5, minus 10 and minus 15. Above, five clouds of gradient estimates, of which that at minus 10 is the smallest. Below, the middle of each cloud, enlarged: an ellipse of two standard errors around the mean. Each ellipse reaches about to the tip of the exact gradient, and the one at minus 10 is the smallest."
settings = [-20.0, -15.0, -12.5, -10.0, -7.5, -5.0, 0.0, 5.0, 10.0]
clouds = {
    b: baseline_gradient_samples(theta, many[:400], np.full(env.num_states, b)) for b in settings
}  # each (400, S, A)
plane = pg.plots.gradient_plane(np.concatenate(list(clouds.values())), exact)
points = dict(zip(settings, plane[0].reshape(len(settings), -1, 2)))  # each (400, 2)


def draw_cloud(ax, b):
    """The cloud at baseline b, with its total variance."""
    pg.plots.cloud(points[b], plane[1], reach=30, ax=ax)
    words = pg.tr("b = {b:g}: total variance {variance:.0f}")
    ax.set_title(words.format(b=b, variance=total_variance(clouds[b])), size=9)
    ax.set(xlabel="", ylabel="")


def draw_middle(ax, b):
    """The middle of the same cloud, ten times as large."""
    pg.plots.middle(points[b], plane[1], reach=3, ax=ax)
    ax.set(xlabel="", ylabel="")


shown = [10.0, 0.0, -5.0, -10.0, -15.0]
for draw in (draw_cloud, draw_middle):
    axes = pg.plots.strip(draw, shown, width=2.3)
    for ax in axes[1:]:
        ax.get_legend().remove()
    plt.show()
pg.outcome("smallest_cloud", min(clouds, key=lambda b: total_variance(clouds[b])))
pg.plots.slider(draw_cloud, settings, label=pg.tr("baseline b"), first=0.0)

# %% claim="the_middle_stays"
def apart(b):
    """How far the mean lies from the tip, in standard errors of the two coordinates together."""
    gap = points[b].mean(0) - plane[1]
    cov = np.cov(points[b].T) / len(points[b])
    return float(np.sqrt(gap @ np.linalg.solve(cov, gap)))


claim("The middle stays where the exact gradient's arrow ends, as far as 400 episodes can tell",
      max(map(apart, settings)), at_most=4)
widths = {b: total_variance(clouds[b]) for b in settings}
claim("The cloud is smallest near b = -10", min(widths, key=widths.get), at_least=-12.5, at_most=-7.5)
claim("The cloud is wide on either side", min(widths[10.0], widths[-20.0]) / widths[-10.0], at_least=2)

# %% [markdown]
# The cloud is smallest near $b=-10$, about the mean return, and wide on either side. Its middle
# stays where the exact gradient's arrow ends, as far as 400 episodes can tell: the lower row shows
# the mean inside an ellipse of two standard errors. The next section shows why, and shows it
# without any sampling noise.

# %% [markdown]
# ## 2. Why a baseline adds no bias
#
# **Question.** Which numbers may be subtracted without moving the mean?
#
# ### Question: `q_action_baseline`
#
# Commit before you run the experiment. From the weight of step $t$ you subtract some number $b$.
# For which $b$ does the estimate stay right on average?
#
# - **a** Only for a constant, the same for all states and at every step of an episode.
# - **b** For any function of the state $s_t$ that does not depend on the action $a_t$.
# - **c** For any function of state and action.
# - **d** Only for the exact value of the state; any other number moves the mean of the estimate.

# %% question="q_action_baseline"
q_action_baseline = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_action_baseline = "b"
### END SOLUTION

# %% check="q_action_baseline" points=1
check("q_action_baseline")

# %% [markdown]
# The experiment needs no luck. On a short corridor every possible episode can be listed, each
# with its probability. The expected estimate is a weighted sum over that list, and we compare it
# with the exact gradient.

# %% demo=true
corridor = pg.envs.Corridor(length=5, max_steps=8)
table = np.random.default_rng(1).normal(size=(5, 2))  # some policy, (S, A)
chances, episodes = zip(*pg.exact.enumerate_trajectories(corridor, softmax(table)))
right = pg.exact.policy_gradient(corridor, softmax(table))


def expectation(samples):
    """(N, S, A) -> (S, A): the mean over all episodes, each as probable as it is."""
    return np.tensordot(chances, samples, axes=1)


baselines = {
    pg.tr("none"): np.zeros(5),
    pg.tr("constant 100"): np.full(5, 100.0),
    pg.tr("random, by state"): np.random.default_rng(2).normal(size=5) * 10,
    pg.tr("exact value of the state"): pg.exact.state_values(corridor, softmax(table)),
}
print(pg.tr("{n} possible episodes, largest entry of the exact gradient {size:.2f}").format(
    n=len(episodes), size=np.abs(right).max()))
for name, baseline in baselines.items():
    samples = baseline_gradient_samples(table, episodes, baseline)  # (N, S, A)
    bias = np.abs(expectation(samples) - right).max()
    width = chances @ np.sum((samples - right) ** 2, axis=(1, 2))
    words = pg.tr("{name:>26}: largest error of the mean {bias:7.0e}, total variance {width:9.1f}")
    print(words.format(name=name, bias=bias, width=width))

# %% [markdown]
# All four are right to the last digits of a float, even the absurd ones. What the baseline changes
# is the variance, in either direction. A constant of 100 is unbiased and useless. And the exact
# value, of all things, is noisier here than no baseline at all; lesson 03b comes back to that.
#
# Now a "baseline" that sees the action. `pg.exact.gradient_moments` takes a table `(S, A)` and
# gives the exact mean. We try a small bonus for one action, and then what looks like the best idea
# of all: subtract the expected return $Q(s,a)$ of the very action that was taken.

# %% demo=true
bonus = np.zeros((5, 2))
bonus[:, 1] = 1.0
action_values = pg.exact.action_values(corridor, softmax(table))  # (S, A)
for name, baseline in [
    (pg.tr("1 for going right"), bonus),
    (pg.tr("expected return of the action"), action_values),
]:
    mean = pg.exact.gradient_moments(corridor, softmax(table), "baseline", baseline=baseline).mean
    bias, length = np.linalg.norm(mean - right), np.linalg.norm(mean) / np.linalg.norm(right)
    words = pg.tr("{name:>30}: bias {bias:.2f}, the mean's length is {length:.1%} of the exact one")
    print(words.format(name=name, bias=bias, length=length))

# %% [markdown]
# Back to your prediction. A function of the state alone is safe; one that sees the action is not.
# The second table is the instructive one: when the expected return of each action is subtracted,
# nothing is left that says which action is better. It took the signal away together with the
# noise. (The few tenths of a percent that remain are due to the clock, which the table
# does not know.)
#
# The reason takes one line. Given the state, $b(s)$ is a number, and
#
# $$\mathbb E_{a\sim\pi_\theta(\cdot\mid s)}\big[b(s)\,\nabla_\theta\log\pi_\theta(a\mid s)\big]
# =b(s)\,\nabla_\theta\sum_a\pi_\theta(a\mid s)=b(s)\,\nabla_\theta 1=0 .$$
#
# ### Question: `q_unbiased`
#
# Write the proof out in your own words, for a whole trajectory: show that subtracting $b(s_t)$
# from the weight of every step leaves $\mathbb E_\tau[g_b(\tau)]$ unchanged. Say at each step what
# you use, and where the proof would fail if $b$ depended on $a_t$.

# %% [markdown] free="q_unbiased" points=3
# It is enough to show that the subtracted part, $\sum_t b(s_t)\nabla_\theta\log\pi_\theta(a_t\mid
# s_t)$, has expectation zero; by linearity of the expectation we may look at one $t$.
#
# Condition on everything up to the state $s_t$. By the law of total expectation the expectation of
# term $t$ is the expectation, over $s_t$, of $\mathbb E_{a_t\sim\pi_\theta(\cdot\mid
# s_t)}[b(s_t)\nabla_\theta\log\pi_\theta(a_t\mid s_t)]$. Given $s_t$ the number $b(s_t)$ is fixed
# and can be taken out of this inner expectation.
#
# What remains is $\sum_a\pi_\theta(a\mid s_t)\nabla_\theta\log\pi_\theta(a\mid
# s_t)=\sum_a\nabla_\theta\pi_\theta(a\mid s_t)$, since $\pi\nabla\log\pi=\nabla\pi$. Sum and
# derivative can be exchanged, and the probabilities add up to 1: $\nabla_\theta 1=0$. So each term
# is zero, and so is the sum.
#
# If $b$ depended on $a_t$ it could not be taken out of the inner expectation: what remains is
# $\sum_a b(s_t,a)\nabla_\theta\pi_\theta(a\mid s_t)$, which is not zero in general.
#
# ### BEGIN MARK SCHEME
# 1 point: reduces the claim to one step and conditions on the state (law of total expectation).
# 1 point: takes b out because it is fixed given the state, uses pi grad log pi = grad pi, and that
# probabilities add up to 1.
# 1 point: says that an action-dependent b stays inside the sum, so that the sum need not vanish.
# ### END MARK SCHEME

# %% [markdown]
# ## 3. The best constant, and one that costs nothing
#
# **Question.** Which constant is best?
#
# Take the whole-trajectory estimate $(R-b)\,z$ with return $R$ and summed score
# $z=\sum_t\nabla_\theta\log\pi_\theta(a_t\mid s_t)$. The mean does not depend on $b$, so the
# variance is least where the mean squared length $\mathbb E[(R-b)^2\lVert z\rVert^2]$ is. That is
# the parabola of lesson 02, seen from the other side ($b=-c$). Its derivative vanishes at
#
# $$b^\ast=\frac{\mathbb E\big[R\,\lVert z\rVert^2\big]}{\mathbb E\big[\lVert z\rVert^2\big]},$$
#
# a mean of the returns in which a long score counts more (Greensmith, Bartlett and Baxter 2004).
#
# ### Exercise: `optimal_baseline`
#
# - `scores` is `(N, D)`: the summed score of each trajectory as a vector. `returns` is `(N,)`.
# - The result is one number, $b^\ast$ with means over the N samples in place of expectations.

# %% exercise="optimal_baseline"
def optimal_baseline(scores, returns):
    """The constant b that minimises the mean squared length of scores * (returns - b).

    scores (N, D), returns (N,) -> float

    Example: scores [[1, 0], [0, 3]] with returns [2, 4] give (2 * 1 + 4 * 9) / (1 + 9) = 3.8.
    """
    ### BEGIN SOLUTION
    square = np.sum(np.asarray(scores) ** 2, axis=1)  # (N,)
    return float(np.sum(square * np.asarray(returns)) / np.sum(square))
    ### END SOLUTION


# %% check="optimal_baseline" points=2
check("optimal_baseline")
# %% [markdown]
# **Predict.** On lesson 02's board the best constant lay above the mean return. Here only the clock
# is another one: 200 steps in place of 20. Is the best constant above the mean return again?

# %% demo=true
sides = [pg.tr("above"), pg.tr("below")]
pg.predict("side_of_the_mean", pg.tr("The best constant, against the mean return:"), None, choices=sides)

# %% demo=true alt="Total variance of the whole-return estimate over the constant baseline, a parabola for each of two boards. On the board with 20 steps its lowest point lies to the right of the mean return, on the board with 200 steps to the left of it. In both cases the variance at the two places is almost the same."
def exact_parabola(board):
    """b -> exact total variance of the whole-return estimate: three of its points say it."""
    at = np.array([-16.0, -8.0, 0.0])
    widths = pg.exact.gradient_moments(board, pi, "return", shift=-at).total_variance
    return np.poly1d(np.polyfit(at, widths, 2))


grid = np.linspace(-16, 0, 17)
boards = {20: pg.envs.Grid(), 200: env}  # by the number of steps on the clock
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for ax, (steps, board) in zip(axes, boards.items()):
    width_at = exact_parabola(board)
    best, mean = width_at.deriv().roots[0], pg.exact.objective(board, pi)
    name = pg.tr("whole return minus b")
    curve = {name: {"exact": (grid, width_at(grid))}}
    pg.plots.exact_and_measured(curve, pg.tr("constant b"), pg.tr("total variance"), ax=ax)
    ax.axvline(best, color="black", lw=1.2)
    ax.axvline(mean, color="black", lw=1.2, linestyle="--")
    ax.legend([name, pg.tr("best constant"), pg.tr("mean return")], fontsize=9)
    ax.set_title(pg.tr("{steps} steps on the clock").format(steps=steps))
    words = pg.tr("{steps} steps: best constant {best:.2f}, mean return {mean:.2f}; total variance ")
    words += pg.tr("{none:.0f} without a baseline, {mean_width:.0f} at the mean, {width:.0f} at best")
    print(words.format(steps=steps, best=best, mean=mean, none=width_at(0.0),
                       mean_width=width_at(mean), width=width_at(best)))
pg.outcome("side_of_the_mean", sides[0] if best > mean else sides[1])  # of the last board
plt.show()

# %% [markdown]
# The lines are exact. Samples say the same with some luck in it: your `optimal_baseline` on our
# 2000 episodes.

# %% demo=true
def summed_scores(theta, trajectories):
    """(N, S, A): the sum of each trajectory's scores."""
    pi = softmax(theta)
    sums = np.zeros((len(trajectories), *theta.shape))
    for total, traj in zip(sums, trajectories):
        np.add.at(total, (traj.states, traj.actions), 1.0)
        np.subtract.at(total, traj.states, pi[traj.states])
    return sums


scores = summed_scores(theta, many).reshape(len(many), -1)  # (2000, S * A)
returns = np.array([traj.rewards.sum() for traj in many])  # (2000,)
for size in (20, 200, 2000):
    b = optimal_baseline(scores[:size], returns[:size])
    print(pg.tr("best constant by {size} samples: {b:.2f}").format(size=size, b=b))

# %% [markdown]
# On one board the best constant lies above the mean return, on the other below it. In both it gains
# next to nothing over the mean, which is why the plain mean is so popular: it takes nearly all that
# a constant can take, on the board with 200 steps about four fifths of the variance.
#
# Which way the best constant lies is for you to find out. Subtract the mean from the formula above:
#
# $$b^\ast-\mathbb E[R]=\frac{\operatorname{Cov}\big(R,\lVert z\rVert^2\big)}{\mathbb
# E\big[\lVert z\rVert^2\big]}.$$
#
# So ask which episodes have long scores, and what they earn. The table sorts the episodes of both
# boards by their length.

# %% demo=true
under_short_clock = [rollout(boards[20], theta, rng) for _ in range(2000)]
for steps, batch in ((20, under_short_clock), (200, many)):
    square = np.sum(summed_scores(theta, batch) ** 2, axis=(1, 2))  # (2000,)
    earned = np.array([traj.rewards.sum() for traj in batch])
    length = np.array([len(traj) for traj in batch])
    slope = np.cov(earned, square)[0, 1] / square.mean()
    words = pg.tr("{steps} steps on the clock; covariance over mean square {slope:+.2f}")
    print(words.format(steps=steps, slope=slope))
    for low, high in ((1, 5), (6, 10), (11, 19), (20, 200)):
        which = (low <= length) & (length <= high)
        words = pg.tr("  {low:>2} to {high:>3} steps: {share:3.0%} of the episodes, mean return ")
        words += pg.tr("{earned:5.1f}, mean squared score {square:4.1f}")
        print(words.format(low=low, high=min(high, steps), share=which.mean(),
                           earned=earned[which].mean(), square=square[which].mean()))

# %% claim="which_side_of_the_mean"
parabolas = {steps: exact_parabola(board) for steps, board in boards.items()}
lowest = {steps: parabola.deriv().roots[0] for steps, parabola in parabolas.items()}
claim("Above the mean return on the board with 20 steps",
      lowest[20] - pg.exact.objective(boards[20], pi), at_least=1)
claim("Below it on the board with 200 steps", pg.exact.objective(env, pi) - lowest[200],
      at_least=0.3)
for steps, board in boards.items():
    places = 0.0, pg.exact.objective(board, pi), lowest[steps]
    none, mean, best = map(parabolas[steps], places)
    own = pg.exact.gradient_moments(board, pi, "return", shift=-places[1]).total_variance
    claim("Three points say the whole parabola", abs(mean / own - 1), at_most=1e-9)
    claim("The mean takes nearly all that a constant can take", (none - mean) / (none - best),
          at_least=0.95)
claim("About four fifths of the variance", 1 - mean / none, at_least=0.75, at_most=0.85)
for batch, sign in ((under_short_clock, 1), (many, -1)):
    square = np.sum(summed_scores(theta, batch) ** 2, axis=(1, 2))
    earned = np.array([traj.rewards.sum() for traj in batch])
    long = np.array([len(traj) >= 20 for traj in batch])
    claim("The longest episodes have the longest scores", square[long].mean() / square[~long].mean(),
          at_least=1.8)
    claim("They earn more than the mean under the short clock, and less under the long one",
          sign * (earned[long].mean() - earned.mean()), at_least=0.2)

# %% [markdown]
# ### Question: `q_best_constant`
#
# Why does the best constant lie above the mean return under the short clock, and below it under the
# long one?
#
# - **a** Under the short clock the mean return is higher than under the long one, and in both the best constant moves
#   with it.
# - **b** The longest episodes count most: the short clock cut them while they were ahead, the long one didn't.
# - **c** The short clock biases the estimate by what it leaves out, and the best constant makes up for that bias each
#   time.
# - **d** The shortest episodes have the longest scores, and under the short clock more of them reach the goal than
#   meet a pit.

# %% question="q_best_constant"
q_best_constant = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_best_constant = "b"
### END SOLUTION

# %% check="q_best_constant" points=1
check("q_best_constant")

# %% [markdown]
# ### Exercise: `leave_one_out_advantages`
#
# Where does the mean come from? From the same batch, usually. Then there is a catch: the batch's
# mean contains the return that it is subtracted from, and so it depends on the action after all.
# The remedy is cheap. Compare each return with the mean of the **others** (Kool, van Hoof and
# Welling 2019).
#
# - `returns` is a list or an array `(N,)`; the result is an array `(N,)`.
# - One return has no others: raise `ValueError` for N = 1.

# %% exercise="leave_one_out_advantages"
def leave_one_out_advantages(returns):
    """Each return minus the mean of the others.

    (N,) -> (N,); ValueError for N = 1

    Example: [1, 2, 6] gives [1 - 4, 2 - 3.5, 6 - 1.5] = [-3, -1.5, 4.5].
    """
    ### BEGIN SOLUTION
    returns = np.asarray(returns, dtype=float)
    if len(returns) < 2:
        raise ValueError("one return has no others to be compared with")
    others = (returns.sum() - returns) / (len(returns) - 1)  # (N,)
    return returns - others
    ### END SOLUTION


# %% check="leave_one_out_advantages" points=2
check("leave_one_out_advantages")

# %% [markdown]
# ### Question: `q_whitening`
#
# A common recipe *whitens* the returns of a batch: subtract the batch's mean, divide by its
# standard deviation. Commit to an answer before the next experiment. Is the gradient estimate
# still unbiased, up to one fixed scale?
#
# - **a** Yes: the batch's mean is a constant baseline, and dividing only changes the scale.
# - **b** No: mean and deviation depend on the sampled actions. The bias shrinks as the batch
#   grows.
# - **c** No, and the bias is the same for all batch sizes.
# - **d** The subtraction biases it, the division doesn't: to divide by a positive number only changes the scale.

# %% question="q_whitening"
q_whitening = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_whitening = "b"
### END SOLUTION

# %% check="q_whitening" points=1
check("q_whitening")

# %% [markdown]
# A bandit with three arms is small enough to list every possible *batch*. The arms pay 0, 1 and 5
# and are pulled with probabilities 0.6, 0.3 and 0.1. For each way to share out the credit we
# compute the exact expectation of the batch's gradient, and compare its length and its direction
# with the exact gradient.

# %% demo=true
arms, chance = np.array([0.0, 1.0, 5.0]), np.array([0.6, 0.3, 0.1])
truth = chance * (arms - chance @ arms)  # (3,), exact gradient with respect to the logits


def expected_gradient(weigh, size):
    """Mean over all batches of `size` pulls; weigh(returns (N,)) -> (N,)."""
    total = np.zeros(3)
    for batch in itertools.product(range(3), repeat=size):
        pulled = np.array(batch)  # (N,)
        scores = np.eye(3)[pulled] - chance  # (N, 3)
        gradient = weigh(arms[pulled]) @ scores / size  # (3,)
        total += np.prod(chance[pulled]) * gradient
    return total


ways = {
    pg.tr("minus the batch mean"): lambda r: r - r.mean(),
    pg.tr("leave one out"): leave_one_out_advantages,
    pg.tr("whitened"): lambda r: (r - r.mean()) / (r.std() + 1e-8),
}
print(pg.tr("expected gradient against the exact one: length, and angle in degrees"))
for name, weigh in ways.items():
    row = f"{name:>22}"
    for size in (2, 4, 8):
        found = expected_gradient(weigh, size)
        length = np.linalg.norm(found) / np.linalg.norm(truth)
        angle = pg.plots.angles(found[None], truth)[0]
        row += f"   N={size}: {length:5.3f} {angle:4.1f}°"
    print(row)

# %% [markdown]
# Back to your prediction.
#
# - Subtracting the batch mean shrinks the expected gradient by the factor $(N-1)/N$, and keeps its
#   direction. That is harmless: the learning rate absorbs it.
# - Leave-one-out is exact at every batch size.
# - Whitening turns the expected gradient itself, here by more than 30 degrees for pairs and still
#   by 20 for eight. A batch that happens to hold one rare success is divided by a large deviation,
#   a dull batch by a small one, so samples no longer count alike. The bias shrinks as the batch
#   grows, since mean and deviation settle.
#
# Whitening is used all the same, lesson 05 included: with thousands of samples the bias is small,
# and a fixed scale of the gradient is worth a lot. Now you know the price.
#
# Two methods for language models take their advantages from this section. RLOO (Ahmadian et al.
# 2024) samples several answers to one prompt and uses leave-one-out. GRPO (Shao et al. 2024) whitens
# within such a group; it adds more to that, a clip and a KL term.

# %% [markdown]
# ### Experiment: a bandit with and without a baseline
#
# Variance is a number; what does it do to learning? Three arms pay 0, 1 and 2, plus the same number
# for all. That number changes nothing about which arm is best. Thirty learners with batches of
# eight pulls start even, once with the return as weight and once with your
# `leave_one_out_advantages`.
#
# **Predict.** What does adding 20 to every payment do to the two kinds of learner? And subtracting 20?

# %% demo=true
harmed = [pg.tr("both"), pg.tr("the one without a baseline"), pg.tr("neither")]
pg.predict("harmed_by_a_shift", pg.tr("Learners that the shift harms:"), None, choices=harmed)

# %% demo=true trained=true alt="Three panels of learning curves of a bandit, for payments shifted by minus 20, 0 and plus 20. With leave-one-out the share of the best arm climbs close to 1 in all three, in the same way. Without a baseline it climbs as well at 0, and ends well below 1 at plus and minus 20."
def best_arm(shift, weigh, seed=0, runs=30, updates=80, size=8, rate=0.3):
    """Probability of the best arm after each update, (runs, updates); weigh((size,)) -> (size,)."""
    paid, luck = np.array([0.0, 1.0, 2.0]) + shift, np.random.default_rng(seed)
    logits, found = np.zeros((runs, 3)), []
    for _ in range(updates):
        pi = softmax(logits)  # (runs, 3)
        pulled = (pi.cumsum(1)[:, None] < luck.random((runs, size, 1))).sum(2)  # (runs, size)
        weights = np.apply_along_axis(weigh, 1, paid[pulled])  # (runs, size)
        scores = np.eye(3)[pulled] - pi[:, None]  # (runs, size, 3)
        logits = logits + rate * (weights[:, :, None] * scores).mean(1)
        found.append(softmax(logits)[:, 2])
    return np.array(found).T


def draw_bandit(ax, shift):
    """The mean over the learners, with and without the baseline."""
    for i, (name, curve) in enumerate(learned_arms[shift].items()):
        style = {"color": pg.plots.COLORS[i], "linestyle": pg.plots.LINESTYLES[i]}
        ax.plot(curve.mean(0), label=name, **style)
    ax.set(ylim=(0, 1.02), xlabel=pg.tr("update"), ylabel=pg.tr("probability of the best arm"))
    ax.set_title(pg.tr("payments {shift:+g}").format(shift=shift))
    ax.legend(fontsize=8, loc="lower right")


shifts = [-20.0, -10.0, 0.0, 10.0, 20.0]
weighings = {
    pg.tr("no baseline"): lambda r: r,
    pg.tr("leave one out"): leave_one_out_advantages,
}
learned_arms = {
    shift: {name: best_arm(shift, weigh) for name, weigh in weighings.items()} for shift in shifts
}
axes = pg.plots.strip(draw_bandit, [-20.0, 0.0, 20.0], width=3.0, height=3.0)
for ax in axes[1:]:
    ax.set_ylabel("")
    ax.get_legend().remove()
plt.show()
lost = [np.ptp([learned_arms[shift][name][:, -1].mean() for shift in shifts]) for name in weighings]
pg.outcome("harmed_by_a_shift", harmed[2 - sum(loss > 0.05 for loss in lost)])
pg.plots.slider(draw_bandit, shifts, label=pg.tr("added to every payment"), first=0.0)

# %% claim="a_shift_harms_the_learner_without_a_baseline" seeds=12 rates=[0.1, 0.2, 0.3]
def again(seed, rate):
    """How much further leave-one-out gets, at the worse one of the two shifts for it."""
    gaps = []
    for shift in (-20.0, 20.0):
        ends = [best_arm(shift, w, seed, rate=rate)[:, -1].mean() for w in weighings.values()]
        gaps.append(ends[1] - ends[0])
    return min(gaps)


claim("A shift of twenty costs the learner without a baseline much", again(0, 0.3), at_least=0.15,
      again=again)
curves = [learned_arms[shift][pg.tr("leave one out")] for shift in shifts]
claim("With leave-one-out the shift changes nothing", np.ptp(curves, axis=0).max(), at_most=1e-6)

# %% [markdown]
# With leave-one-out the shift cancels, so all panels show the same curve. Without a baseline it
# turns every batch into a large step towards whatever was pulled, or away from it. After a few such
# steps many learners are nearly certain of an arm that luck chose, and pull hardly anything else.

# %% [markdown]
# ## 4. Value, action value, advantage
#
# **Question.** What is the natural baseline for each state?
#
# **Idea.** What was to be expected there: the *value* of the state under the policy. If the first
# action is fixed as well it is the *action value*. Their difference says how much better than
# average an action is, the *advantage*:
#
# $$V^\pi(s)=\mathbb E_\pi\big[G_t\mid s_t=s\big],\qquad
# Q^\pi(s,a)=\mathbb E_\pi\big[G_t\mid s_t=s,a_t=a\big],\qquad
# A^\pi(s,a)=Q^\pi(s,a)-V^\pi(s).$$
#
# The value is the mean of the action values, $V^\pi(s)=\sum_a\pi(a\mid s)\,Q^\pi(s,a)$, so the
# advantages of a state average to zero. And $G_t$ is one noisy sample of $Q^\pi(s_t,a_t)$. Putting
# its mean in its place gives the **policy gradient theorem** (Sutton et al. 2000): with $d(s)$, the
# expected number of visits to $s$ in an episode (undiscounted here, $\gamma=1$),
#
# $$\nabla_\theta J=\sum_s d(s)\sum_a\pi_\theta(a\mid s)\,Q^\pi(s,a)\,\nabla_\theta\log\pi_\theta(a\mid
# s)=\sum_s d(s)\sum_a\pi_\theta(a\mid s)\,A^\pi(s,a)\,\nabla_\theta\log\pi_\theta(a\mid s).$$
#
# The second form is section 2 once more: $V^\pi(s)$ is a baseline. Each equation in numbers, on a
# board whose clock is so long that it never strikes:

# %% demo=true
endless = pg.envs.Grid(max_steps=2000)
some = softmax(np.random.default_rng(3).normal(size=theta.shape))  # some policy, (S, A)
V = pg.exact.state_values(endless, some)  # (S,)
Q = pg.exact.action_values(endless, some)  # (S, A)
visits = pg.exact.visits(endless, some)  # (S,)


def by_the_theorem(weight):
    """(S, A): the sum over states and actions, with these weights in the place of Q."""
    mean = (some * weight).sum(1, keepdims=True)
    return visits[:, None] * some * (weight - mean)


gradient = pg.exact.policy_gradient(endless, some)
for name, one, other in [
    (pg.tr("V against the mean of Q"), V, (some * Q).sum(1)),
    (pg.tr("advantages of a state, averaged, against 0"), (some * (Q - V[:, None])).sum(1), 0.0),
    (pg.tr("the theorem with Q against the gradient"), by_the_theorem(Q), gradient),
    (pg.tr("the theorem with A against the gradient"), by_the_theorem(Q - V[:, None]), gradient),
]:
    gap = np.abs(one - other).max()
    print(pg.tr("{name:>45}: {fate}").format(
        name=name, fate=pg.tr("equal to ten digits") if gap < 1e-10 else f"{gap:.1e}"))

# %% [markdown]
# (The formula for the softmax table uses that $\sum_a\pi(a\mid s)\,w(a)\,\nabla\log\pi(a\mid s)$ has
# the entries $\pi(i\mid s)\,(w(i)-\bar w)$ with the mean weight $\bar w$.)
#
# ### A critic that learns the value
#
# Nobody hands us $V^\pi$. A *critic* $V_\phi$ with parameters $\phi$ of its own learns it by
# regression: make $\big(V_\phi(s_t)-G_t\big)^2$ small. The mean is what minimises a squared error,
# and the mean of $G_t$ in a state is its value.
#
# ### Exercise: `value_loss`
#
# - `values` is what the critic says, `returns` what was earned: tensors of the same shape.
# - The result is the mean squared error, a scalar tensor.
# - The returns are data: no gradient may flow into them.
# - Shapes that differ, such as `(N, 1)` against `(N,)`, raise `ValueError`. PyTorch would
#   broadcast them to N by N in silence.

# %% exercise="value_loss"
def value_loss(values, returns):
    """Mean squared error; no gradient flows into `returns`.

    two tensors of one shape -> scalar tensor; ValueError where the shapes differ
    """
    ### BEGIN SOLUTION
    if values.shape != returns.shape:
        raise ValueError(f"values {tuple(values.shape)}, returns {tuple(returns.shape)}")
    return ((values - returns.detach()) ** 2).mean()
    ### END SOLUTION


# %% check="value_loss" points=2
check("value_loss")

# %% [markdown]
# **Predict.** A critic learns from 30 episodes of the policy that knows nothing, another one from
# 2000. In which cells will the first one be wrong?

# %% demo=true
places = [pg.tr("at the start"), pg.tr("beside the goal"), pg.tr("everywhere alike")]
pg.predict("rough_critic", pg.tr("The critic of 30 episodes is worst"), None, choices=places)

# %% demo=true trained=true alt="Three boards with a number in each cell. Left the exact values, close to minus 10 in most cells and nearly 0 beside the goal; in the middle the critic after 30 episodes, far off in some cells beside the goal; right the critic after 2000 episodes, close to the exact values."
def fit_critic(trajectories, steps=150):
    """A table of values, trained on rewards-to-go by gradient descent."""
    critic = pg.TabularCritic(env.num_states)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.3)
    obs = np.concatenate([traj.states for traj in trajectories])  # (B,)
    returns = np.concatenate([reward_to_go(traj.rewards) for traj in trajectories])  # (B,)
    for _ in range(steps):
        loss = value_loss(critic(obs), torch.as_tensor(returns, dtype=torch.float32))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return critic.table.detach().numpy().astype(float)  # (S,)


values = pg.exact.state_values(env, pi)  # (S,), without a time limit
rough = fit_critic(many[:30])
fine = fit_critic(many)
fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.9))
for ax, known, title in [
    (axes[0], values, pg.tr("exact values")),
    (axes[1], rough, pg.tr("critic, 30 episodes")),
    (axes[2], fine, pg.tr("critic, 2000 episodes")),
]:
    pg.plots.values(env, known, limit=10, ax=ax)
    ax.set_title(title)
plt.show()
inside = ~env.terminal
beside = inside & (env.transitions[:, :, env.goal] > 0).any(1)  # one step from the goal
for name, known in ((pg.tr("30 episodes"), rough), (pg.tr("2000 episodes"), fine)):
    error = np.abs(known - values)
    words = pg.tr("{name}: error at the start {start:.1f}, beside the goal up to {goal:.1f}")
    print(words.format(name=name, start=error[0], goal=error[beside].max()))
gaps = np.abs(rough - values)
pg.outcome("rough_critic", places[1] if gaps[beside].max() > 2 * gaps[0] else places[2])

# %% claim="few_episodes_know_little_of_the_goal" seeds=12
def again(seed):
    """Error beside the goal of a critic of 30 fresh episodes over that of one of 2000."""
    luck = np.random.default_rng(1000 + seed)
    fresh = [rollout(env, theta, luck) for _ in range(2000)]
    errors = [np.abs(fit_critic(few) - values)[beside].max() for few in (fresh[:30], fresh)]
    return errors[0] / errors[1]


ratio = np.abs(rough - values)[beside].max() / np.abs(fine - values)[beside].max()
claim("Beside the goal the critic of 30 episodes is further off", ratio, at_least=1.5, again=again)
claim("It is right about the start", np.abs(rough - values)[0], at_most=3)
claim("After 2000 episodes the picture is there", np.abs(fine - values)[inside].max(), at_most=3)

# %% [markdown]
# The exact values are a picture of the environment as this policy lives in it: bad nearly
# everywhere, since a random walk meets a pit sooner or later, and best beside the goal. After 30
# episodes the critic is about right at the start, where every episode passes, and far off near the
# goal, where few of them ever came. After 2000 the picture is there.

# %% [markdown]
# ## 5. Actor and critic, trained together
#
# **Question.** How does it all fit into one loop?
#
# **Idea.** The actor (the policy) is moved by log-probabilities times advantages. The critic is
# moved by its squared error. One loss holds both:
#
# $$L=-\frac1T\sum_t\log\pi_\theta(a_t\mid s_t)\,\underbrace{\big(G_t-V_\phi(s_t)\big)}_{\text{a
# number}}\;+\;c\cdot\frac1T\sum_t\big(V_\phi(s_t)-G_t\big)^2 ,$$
#
# with a weight $c$, `value_coef` in code. The advantage is a number here: it says how hard to push
# the actor, and must not push the critic.
#
# ### Exercise: `actor_critic_loss`
#
# - `logp`, `values` and `returns` are tensors `(T,)`; the result is a scalar tensor.
# - First term: the mean of minus `logp` times advantage, where the advantage is `returns` minus
#   `values` and carries no gradient. Second term: `value_coef` times your `value_loss`.

# %% exercise="actor_critic_loss"
def actor_critic_loss(logp, values, returns, value_coef=0.5):
    """Policy loss weighted by the advantage, plus value_coef times the critic's loss.

    (T,) each -> scalar tensor; the policy's term moves no critic
    """
    ### BEGIN SOLUTION
    adv = (returns - values).detach()  # (T,)
    return -(logp * adv).mean() + value_coef * value_loss(values, returns)
    ### END SOLUTION


# %% check="actor_critic_loss" points=2
check("actor_critic_loss")

# %% [markdown]
# ### A mean over steps is not a mean over trajectories
#
# Lesson 01 divided by the number of trajectories, and its estimate was unbiased. The loss above
# divides by the number of steps, as nearly all code does. With $N$ trajectories of lengths
# $T_1,\dots,T_N$ the two differ by the factor $N/\sum_iT_i$. That looks like a mere step size. But
# the lengths are random: a batch with long episodes is divided by more than one with short
# episodes, so long episodes count less than their share.
#
# **Predict.** Does the division by a random number change the length of the expected gradient, its
# direction, or both? And with more trajectories in the batch?
#
# Listing all episodes of the corridor, and all pairs of them, answers exactly.

# %% demo=true
changes = [pg.tr("its length"), pg.tr("its direction"), pg.tr("both of them")]
pg.predict("random_denominator", pg.tr("The random denominator changes"), None, choices=changes)

# %% demo=true
lengths = np.array([len(traj) for traj in episodes])  # of the corridor's episodes, listed above
value = pg.exact.state_values(corridor, softmax(table), horizon=corridor.max_steps)[-1]
one_each = baseline_gradient_samples(table, episodes, value).reshape(len(episodes), -1)
chance_of = np.array(chances)
pairs = chance_of[:, None] * chance_of / (lengths[:, None] + lengths)  # chance over common length
luck = np.random.default_rng(0).choice(len(episodes), p=chance_of, size=(20_000, 16))
sixteen = (one_each[luck].sum(1) / lengths[luck].sum(1, keepdims=True)).mean(0)
typical = chance_of @ lengths
over_steps = {
    1: typical * (chance_of / lengths) @ one_each,
    2: typical * 2 * pairs.sum(1) @ one_each,
    16: typical * sixteen,
}
true_gradient = right.ravel()
for size, found in over_steps.items():
    length = np.linalg.norm(found) / np.linalg.norm(true_gradient)
    turned = pg.plots.angles(found[None], true_gradient)[0]
    words = pg.tr("mean over the steps of {size:>2} episodes: {length:.2f} times as long as the mean ")
    words += pg.tr("over trajectories, turned by {turned:.1f} degrees")
    print(words.format(size=size, length=length, turned=turned))
pg.outcome("random_denominator", changes[2])

# %% [markdown]
# Both, and both fade as the batch grows: for one episode the mean is off by several degrees, for
# sixteen by less than one. (The first two rows are exact, the last one is the mean of 20,000
# batches; all are multiplied by the mean length, so that only the random part is left.) Either
# convention trains well. With plain gradient steps a learning rate found under one is not a learning
# rate for the other: the mean over trajectories takes steps as many times larger as an episode has
# steps. Adam divides by the size of recent gradients; there the two take nearly the same steps. The
# check of the next exercise accepts both, and says which one you used.
#
# ### Exercise: `train_actor_critic`
#
# For each update: play `batch_size` episodes with the current policy, compute every step's
# reward-to-go with `gamma`, form one loss over all steps of the batch, take one optimiser step.
#
# - `policy(obs)` gives logits `(..., A)`, `critic(obs)` values `(...)`; `obs` may be an array of
#   states. `optimizer` holds the parameters of both.
# - `rollout(env, theta, rng)` plays an episode from a table of logits; `policy` of all states
#   gives you that table (without gradient, as a NumPy array of float64).
# - All randomness comes from `rng`.
# - Return the mean return of each batch, `(num_updates,)`: the plain sum of an episode's rewards,
#   without discount.
#
# What is it that you write here? REINFORCE, with a learned baseline. The reward-to-go is still a
# sum of rewards alone; the critic is subtracted from it and does nothing else.
#
# The check gives you half of the episodes that `train_reinforce` had in lesson 01, and asks for
# the same 90 % of the best reachable objective. (REINFORCE itself mostly manages with half of them;
# what a critic gains in speed is measured below, not assumed.)


# %% exercise="train_actor_critic"
def train_actor_critic(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    """Train both modules in place.

    Returns the mean undiscounted return of each batch, (num_updates,).
    """
    ### BEGIN SOLUTION
    states = np.arange(env.observation_space.n)
    history = np.zeros(num_updates)
    for update in range(num_updates):
        logits = policy(states).detach().double().numpy()  # (S, A)
        batch = [rollout(env, logits, rng) for _ in range(batch_size)]
        obs = np.concatenate([traj.states for traj in batch])  # (B,)
        actions = torch.as_tensor(np.concatenate([traj.actions for traj in batch]))
        returns = np.concatenate([reward_to_go(traj.rewards, gamma) for traj in batch])
        values = critic(obs)  # (B,)
        logp = torch.log_softmax(policy(obs), dim=-1).gather(-1, actions[:, None])[:, 0]
        loss = actor_critic_loss(logp, values, torch.as_tensor(returns).to(values))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history[update] = np.mean([traj.rewards.sum() for traj in batch])
    return history
    ### END SOLUTION


# %% check="train_actor_critic" points=3
check("train_actor_critic")

# %% [markdown]
# ### Experiment: watch them learn
#
# The board of lesson 02, 20 steps a game, 100 updates of 16 episodes. **Predict.** At the end, will
# the critic know the value of every cell?

# %% demo=true
cells = [pg.tr("every cell"), pg.tr("cells on the way"), pg.tr("cells off the way")]
pg.predict("known_cells", pg.tr("The critic will know"), None, choices=cells)

# %% demo=true trained=true alt="Above, learning curves of the actor-critic over three seeds, rising from minus 8; the thin lines of the runs may differ much. Below, three boards: the last run's policy as arrows, the critic's values, and the exact values of that policy. The critic agrees along the path that the policy walks, and is far off elsewhere."
board = pg.envs.Grid()
best_return = pg.exact.best_stationary(board)


def actor_critic_run(seed, rate=0.1, num_updates=100):
    """policy, critic and mean returns of one run."""
    policy = pg.TabularPolicy(board.num_states, board.num_actions)
    critic = pg.TabularCritic(board.num_states)
    groups = [
        {"params": policy.parameters(), "lr": rate},
        {"params": critic.parameters(), "lr": 0.5},
    ]
    optimizer, rng = torch.optim.Adam(groups), np.random.default_rng(seed)
    returns = train_actor_critic(board, policy, critic, optimizer, num_updates, 16, 1.0, rng)
    return policy, critic, returns


def critic_errors(policy, critic):
    """Mean error of the critic in cells on the way and in cells far from it."""
    acting = softmax(policy(np.arange(board.num_states)).detach().double().numpy())  # (S, A)
    right = pg.exact.state_values(board, acting, horizon=board.max_steps)[-1]  # (S,)
    visits = pg.exact.visits(board, acting)  # (S,), expected number of visits in an episode
    gap = np.abs(critic.table.detach().numpy() - right)
    seldom = (visits < 0.05) & ~board.terminal
    return gap[visits > 0.5].mean(), gap[seldom].mean()


three = [actor_critic_run(seed) for seed in range(3)]
curves = np.array([returns for _policy, _critic, returns in three])  # (3, 100)
pg.plots.learning_curves({pg.tr("actor-critic"): curves}, reference=best_return)
plt.show()

policy, critic, _returns = three[-1]
trained = softmax(policy(np.arange(board.num_states)).detach().double().numpy())  # (S, A)
fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.9))
pg.plots.policy(board, trained, ax=axes[0])
axes[0].set_title(pg.tr("trained policy"))
pg.plots.values(board, critic.table.detach().numpy().astype(float), limit=10, ax=axes[1])
axes[1].set_title(pg.tr("critic"))
right_values = pg.exact.state_values(board, trained, horizon=board.max_steps)[-1]  # (S,)
pg.plots.values(board, right_values, limit=10, ax=axes[2])
axes[2].set_title(pg.tr("exact values of that policy"))
plt.show()
for policy, critic, _returns in three:
    words = pg.tr("mean error of the critic: {often:.1f} on the way, {seldom:.1f} far from it")
    print(words.format(**dict(zip(("often", "seldom"), critic_errors(policy, critic)))))
pg.outcome("known_cells", cells[1])

# %% claim="the_critic_knows_the_way"
for policy, critic, returns in three:
    often, seldom = critic_errors(policy, critic)
    claim("The critic is good where the policy goes", often, at_most=2)
    claim("It knows little about the rest", seldom / often, at_least=2)

# %% [markdown]
# No. The critic is good where the policy goes, and knows little about the rest: it learns from the
# policy's own episodes. For the actor that is enough, since those are the states where advantages
# are needed.
#
# Even on the way it is not exact. It follows its last few episodes at a large rate, so a value may
# lie above anything that can be earned, which from the start is 9.4 at most.
#
# Look at the thin lines, too. The runs differ by their seeds alone. One run tells little about a
# method.

# %% [markdown]
# ## 6. Is the critic worth it?
#
# **Question.** Does the learned baseline learn faster, at the same number of episodes?
#
# Three learners on the board of lesson 02, twelve runs each, 60 updates of 10 episodes, plain
# gradient ascent. They differ in the weight of a step alone: the whole return (REINFORCE), the
# return minus the mean of the others, the reward-to-go minus a learned value. All three are tuned
# in the same way: five learning rates, and each is shown at its own best.
#
# `pg.learn_many` is the loop of `train_actor_critic` for many runs at once; what it needs from us
# is the weight of every step, and the critic's target.
#
# **Predict.** Which of the three is ahead?

# %% demo=true
names = [pg.tr("REINFORCE"), pg.tr("leave one out"), pg.tr("minus a learned V")]
pg.predict("best_of_three", pg.tr("Ahead over all updates:"), None, choices=names)

# %% demo=true trained=true alt="Left, the mean objective of three learners over 60 updates, each a line with a band of its twelve runs' middle half: the three wide bands overlap all the way and stay well below the best reachable objective. Right, the mean over all updates for five learning rates."
def to_go(play):
    """What `reward_to_go` gives for each episode of a batch, all at once: (T, N)."""
    return play.rewards[::-1].cumsum(axis=0)[::-1]  # summed from the last step on


def whole_return(play, values, next_values):
    returns = to_go(play)
    return returns[:1], returns  # the return of the first step, for all steps


def minus_the_others(play, values, next_values):
    returns = to_go(play)
    batches = returns[0].reshape(-1, 10)  # (runs, episodes)
    return np.apply_along_axis(leave_one_out_advantages, 1, batches).reshape(1, -1), returns


def minus_the_critic(play, values, next_values):
    returns = to_go(play)
    return returns - values, returns


racers = dict(zip(names, (whole_return, minus_the_others, minus_the_critic)))
rates = [0.1, 0.2, 0.4, 0.8, 1.6]


def race(weigh, seed, rate):
    """Exact objectives (12, 60) of twelve runs."""
    return pg.learn_many(board, weigh, np.random.default_rng(seed), rate, num_updates=60)


runs = {name: [race(weigh, 0, rate) for rate in rates] for name, weigh in racers.items()}
pg.plots.tuned(runs, rates, pg.exact.best_stationary(board), pg.tr("exact objective"))
plt.show()
for name, found in runs.items():
    best = max(range(len(rates)), key=lambda i: found[i].mean())
    words = pg.tr("{name:>17}: best rate {rate:g}, mean over all updates {mean:.2f}, ")
    words += pg.tr("{stuck} of {runs} runs end below 5")
    print(words.format(name=name, rate=rates[best], mean=found[best].mean(),
                       stuck=(found[best][:, -1] < 5).sum(), runs=len(found[best])))
pg.outcome("best_of_three", max(runs, key=lambda name: max(map(np.mean, runs[name]))))

# %% claim="the_critic_alone_is_no_faster_and_runs_get_stuck" seeds=12
import functools


@functools.lru_cache(maxsize=1)  # the same races serve both claims
def at_their_best(seed):
    """Each racer's objectives (12, 60) at its best rate."""
    return [max((race(weigh, seed, rate) for rate in rates), key=np.mean)
            for weigh in racers.values()]


def lead(found):
    """How far the learned value leads over the mean of the others."""
    return found[2].mean() - found[1].mean()


def lost(found):
    """The smallest number of runs, of twelve, that any of the three loses."""
    return min((one[:, -1] < 5).sum() for one in found)


best_runs = [max(found, key=np.mean) for found in runs.values()]
claim("Between the two baselines luck decides", lead(best_runs), at_least=-3, at_most=3,
      again=lambda seed: lead(at_their_best(seed)))
claim("Each of the three gets stuck in some runs", lost(best_runs), at_least=1,
      again=lambda seed: lost(at_their_best(seed)))

# %% [markdown]
# Between the two baselines luck decides: with twelve other runs now one and now the other leads.
# REINFORCE is not far behind. All three lose some runs for good, and for the same reason: these
# runs have learned to walk into a wall until the clock stops them. That costs 2, and a pit costs
# ten. By the time an episode finds the goal the policy hardly explores any more, and its gradient is
# nearly zero.
#
# So a lower variance of the estimate is not yet faster learning, and a critic that is only
# subtracted leaves the noise of the whole future in place. But the critic knows something that no
# return can tell: what the state was worth in which the clock stopped us. The next notebook, 03b,
# uses that, and trusts the critic in place of the far future.

# %% [markdown]
# ## What you take along
#
# - A baseline that does not see the action leaves the mean gradient alone; one that does see it can
#   take the whole signal away.
# - The best constant is a mean return weighted by squared scores; the plain mean is nearly as good.
#   Leave-one-out is unbiased, whitening is not, and its bias shrinks with the batch.
# - $V$, $Q$ and $A=Q-V$ are expected returns from a state, after an action, and the difference of
#   the two. The policy gradient is a sum over visited states and actions with $Q$, or with $A$.
# - A critic learns $V$ by regression. As a baseline it leaves the gradient unbiased, and need not
#   learn faster than a mean of other returns.
# - A mean over steps is not a mean over trajectories: its denominator is random.
#
# Your predictions, and what came:

# %% demo=true trained=true
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
# - W. Kool, H. van Hoof, M. Welling (2019), *Buy 4 REINFORCE samples, get a baseline for free*,
#   ICLR workshop on deep reinforcement learning meets structured prediction.
#   [openreview.net](https://openreview.net/forum?id=r1lgTGL5DE)
# - A. Ahmadian et al. (2024), *Back to basics: revisiting REINFORCE-style optimization for learning
#   from human feedback in LLMs*. [arXiv:2402.14740](https://arxiv.org/abs/2402.14740)
# - Z. Shao et al. (2024), *DeepSeekMath: pushing the limits of mathematical reasoning in open
#   language models*. [arXiv:2402.03300](https://arxiv.org/abs/2402.03300)
