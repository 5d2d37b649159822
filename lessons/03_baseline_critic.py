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
# - train a critic, and compare what it says with the exact values,
# - build advantages from one-step surprises (TD errors) and mix them (GAE),
# - tell the end of an episode from the end of our patience,
# - train an actor and a critic together.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`;
# in VS Code, choose the Python of the folder `.venv` as the kernel.

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
# expected in that state, a *baseline* $b(s)$. An action that did better than expected gets a
# positive weight, one that did worse a negative one:
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
    samples = np.zeros((len(trajectories), *np.shape(theta)))  # (N, S, A)
    for sample, traj in zip(samples, trajectories):
        weights = reward_to_go(traj.rewards, gamma) - np.asarray(baseline)[traj.states]  # (T,)
        for state, action, weight in zip(traj.states, traj.actions, weights):
            sample += weight * grad_log_prob(theta, state, action)
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

# %% demo=true alt="Five clouds of gradient estimates for the baselines 10, 0, minus 5, minus 10 and minus 15. The cloud is smallest at minus 10. Its mean stays at the tip of the exact gradient in all five."
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


axes = pg.plots.strip(draw_cloud, [10.0, 0.0, -5.0, -10.0, -15.0], width=2.3)
for ax in axes[1:]:
    ax.get_legend().remove()
plt.show()
pg.plots.slider(draw_cloud, settings, label=pg.tr("baseline b"), first=0.0)

# %% [markdown]
# The cloud is smallest near $b=-10$, about the mean return, and wide on either side. Its middle
# (the cross) stays where the exact gradient's arrow ends, whatever the knob says. The next section
# shows why, and shows it without any sampling noise.

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
# - **a** Only for a constant, the same for all states.
# - **b** For any function of the state $s_t$ that does not depend on the action $a_t$.
# - **c** For any function of state and action.
# - **d** Only for the exact value of the state.

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
# value, of all things, is noisier here than no baseline at all; section 6 comes back to that.
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
# a mean of the returns in which a long score counts more.
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
# **Predict.** Is the best constant above the mean return or below it? Longer episodes
# have longer scores, and here they also pay more for their steps.

# %% demo=true alt="Total variance of the whole-return estimate over the constant baseline, a parabola. Its lowest point lies slightly below the mean return, and the variance at both is almost the same."
def summed_scores(theta, trajectories):
    """(N, S, A): the sum of each trajectory's scores."""
    pi = softmax(theta)
    sums = np.zeros((len(trajectories), *theta.shape))
    for total, traj in zip(sums, trajectories):
        np.add.at(total, (traj.states, traj.actions), 1.0)
        np.subtract.at(total, traj.states, pi[traj.states])
    return sums


returns = np.array([traj.rewards.sum() for traj in many])  # (2000,)
best = optimal_baseline(summed_scores(theta, many).reshape(len(many), -1), returns)

grid = np.linspace(-20, 0, 21)
width = [pg.exact.gradient_moments(env, pi, "return", shift=-b).total_variance for b in grid]
name = pg.tr("whole return minus b")
ax = pg.plots.exact_and_measured(
    {name: {"exact": (grid, width)}}, pg.tr("constant b"), pg.tr("total variance")
)
ax.axvline(best, color="black", lw=1.2)
ax.axvline(returns.mean(), color="black", lw=1.2, linestyle="--")
ax.legend([name, pg.tr("optimal_baseline"), pg.tr("mean return")])
plt.show()
print(pg.tr("best constant by 2000 samples: {best:.2f}, mean return: {mean:.2f}").format(
    best=best, mean=returns.mean()))
for b in (0.0, returns.mean(), best):
    width = pg.exact.gradient_moments(env, pi, "return", shift=-b).total_variance
    print(pg.tr("total variance at b = {b:6.2f}: {width:6.1f}").format(b=b, width=width))

# %% [markdown]
# The best constant lies somewhat below the mean return, and gains next to nothing over it. This is
# why the plain mean is so popular: it takes nearly all that a constant can take, about four fifths
# of the variance here.
#
# ### Exercise: `leave_one_out_advantages`
#
# Where does the mean come from? From the same batch, usually. Then there is a catch: the batch's
# mean contains the return that it is subtracted from, and so it depends on the action after all.
# The remedy is cheap. Compare each return with the mean of the **others**.
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
# - **d** The subtraction biases it, the division doesn't: a division only changes the scale.

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
# Two methods for language models are built from this section alone. RLOO (Ahmadian et al. 2024)
# samples several answers to one prompt and uses leave-one-out. GRPO (Shao et al. 2024) whitens
# within such a group.

# %% [markdown]
# ## 4. The value function, and a critic that learns it
#
# **Question.** What is the natural baseline for each state?
#
# **Idea.** What was to be expected there: the *value* of the state under the policy,
#
# $$V^\pi(s)=\mathbb E_\pi\big[G_t\mid s_t=s\big].$$
#
# The difference $G_t-V^\pi(s_t)$ says how much better than average things went after $a_t$. Its
# expectation for a given action is the *advantage* $A^\pi(s,a)$.
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

# %% demo=true alt="Three boards with a number in each cell. Left the exact values, close to minus 10 in most cells and nearly 0 beside the goal; in the middle the critic after 30 episodes, far off beside the goal; right the critic after 2000 episodes, close to the exact values."
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
for ax, table, title in [
    (axes[0], values, pg.tr("exact values")),
    (axes[1], rough, pg.tr("critic, 30 episodes")),
    (axes[2], fine, pg.tr("critic, 2000 episodes")),
]:
    pg.plots.values(env, table, limit=10, ax=ax)
    ax.set_title(title)
plt.show()
inside = ~env.terminal
for name, table in ((pg.tr("30 episodes"), rough), (pg.tr("2000 episodes"), fine)):
    error = np.abs(table - values)[inside].max()
    print(pg.tr("{name}: largest error {error:.1f}").format(name=name, error=error))

# %% [markdown]
# The exact values are a picture of the environment as this policy lives in it: bad nearly
# everywhere, since a random walk meets a pit sooner or later, and best beside the goal. After 30
# episodes the critic is right where most episodes pass, and far off near the goal, where few of
# them ever came. After 2000 the picture is there.

# %% [markdown]
# ## 5. One-step surprises, and two ways to stop
#
# **Question.** Must we wait for the end of the episode to know whether an action was good?
#
# **Idea.** No. After one step we know the reward and the next state, and the critic says what that
# state is worth. The *TD error* compares this with what was expected before:
#
# $$\delta_t=r_t+\gamma\,V(s_{t+1})-V(s_t).$$
#
# (TD is for temporal difference.) Using $V(s_{t+1})$ in place of the rewards to come is called
# *bootstrapping*.
#
# **Two ways to stop.** An episode ends in one of two ways, and they are not the same.
#
# - **Terminated**: the world ended it. The goal was reached, the pole fell. Nothing follows, so
#   $V(s_{t+1})$ must count as 0.
# - **Truncated**: our clock ended it. The state $s_{t+1}$ was reached, and it is worth what it
#   would have been worth without a clock. Bootstrap from it.
#
# A rollout from several environments holds many episodes, one below the other. So the next *row*
# may belong to the next episode. Therefore each row carries the value of its own true successor:
#
# | t | what happens | `values[t]` | `next_values[t]` | `terminated` | `truncated` |
# |---|---|---|---|---|---|
# | 0 | goes on | V(s₀) | V(s₁), the value in the next row | no | no |
# | 1 | time is up | V(s₁) | V(s₂), of the state where it was cut | no | yes |
# | 2 | new episode, ends | V(s′₀) | never looked at | yes | no |
#
# ### Exercise: `td_errors`
#
# - All arrays are `(T, N)`: T steps of N environments; `terminated` holds bools, `gamma` is a
#   number. The result is `(T, N)`.
# - `next_values[t]` is the value of the true successor, also where an episode was cut by its
#   clock. Nothing follows a terminated step, whatever `next_values` says there.

# %% exercise="td_errors"
def td_errors(rewards, values, next_values, terminated, gamma):
    """One-step surprises: reward plus discounted value of the successor, minus value.

    (T, N) each, gamma a number -> (T, N); nothing follows a terminated step

    Example: reward 2, value 1, next value 3, gamma 0.5: 2.5, and 1.0 where terminated.
    """
    ### BEGIN SOLUTION
    to_come = gamma * np.where(terminated, 0.0, next_values)  # (T, N)
    return np.asarray(rewards) + to_come - np.asarray(values)
    ### END SOLUTION


# %% check="td_errors" points=2
check("td_errors")

# %% [markdown]
# ### Experiment: what merging the two ends costs
#
# On this ring every step pays 1, and nothing ever ends the walk but our clock, after 10 steps.
# With $\gamma=0.9$ each cell is worth $1+0.9+0.9^2+\dots=1/(1-0.9)=10$.
#
# A critic learns by nudging each value along its mean TD error. Once with the flags as they are,
# once by a code that merges both flags into one `done` and masks every last step.
#
# **Predict.** Which values will the second critic find: too high, too low, or right?

# %% demo=true alt="Three rows of six cells. Exact values and the critic with both flags apart show 10 in every cell. The critic with merged flags shows values around 5."
ring = pg.envs.Ring(pay=np.ones(6), max_steps=10)
walks = [rollout(ring, np.zeros((6, 2)), rng) for _ in range(300)]


def following_states(env, traj):
    """(T,): the state that each action led to, where nothing is left to chance."""
    last = env.transitions[traj.states[-1], traj.actions[-1]].argmax()
    return np.append(traj.states[1:], last)


obs = np.stack([walk.states for walk in walks], axis=1)  # (T, N)
next_obs = np.stack([following_states(ring, walk) for walk in walks], axis=1)  # (T, N)
rewards = np.stack([walk.rewards for walk in walks], axis=1)  # (T, N)
last_row = np.zeros(rewards.shape, dtype=bool)
last_row[-1] = True  # where the clock struck


def td_values(no_successor, gamma=0.9, sweeps=400):
    """Values (S,) that nudging along the mean TD errors settles at."""
    values, count = np.zeros(6), np.bincount(obs.ravel(), minlength=6)
    for _ in range(sweeps):
        error = td_errors(rewards, values[obs], values[next_obs], no_successor, gamma)  # (T, N)
        values += 0.5 * np.bincount(obs.ravel(), error.ravel(), minlength=6) / count
    return values


learned = {
    pg.tr("exact"): pg.exact.state_values(ring, np.full((6, 2), 0.5), gamma=0.9),
    pg.tr("flags apart"): td_values(no_successor=np.zeros_like(last_row)),
    pg.tr("flags merged"): td_values(no_successor=last_row),
}
fig, axes = plt.subplots(3, 1, figsize=(6.5, 4.6))
for ax, (name, table) in zip(axes, learned.items()):
    pg.plots.values(ring, table, limit=10, ax=ax)
    ax.set_title(name)
plt.show()

# %% [markdown]
# Back to your prediction: too low, by about half. With the flags apart the critic finds 10 in
# every cell, although no walk ever lasted longer than 10 steps. Merged, it learns that one step in
# ten leads to a state worth nothing, which is a fact about our clock and not about the ring. If a
# clock really belongs to the task, the honest way is to show it to the policy as part of the
# state (Pardo et al. 2018).

# %% [markdown]
# ## 6. GAE: how far to trust the critic
#
# **Question.** Reward-to-go trusts the rewards alone; a TD error trusts the critic after one step.
# What lies between?
#
# **Idea.** Add later surprises, each discounted by a further factor $\lambda$ between 0 and 1. This
# is *generalised advantage estimation* (Schulman et al. 2016):
#
# $$\hat A_t=\sum_{k\ge0}(\gamma\lambda)^k\,\delta_{t+k}=\delta_t+\gamma\lambda\,\hat A_{t+1}.$$
#
# At $\lambda=0$ it is the TD error. At $\lambda=1$ the values in between cancel, and
# $G_t-V(s_t)$ remains: reward-to-go with a baseline.
#
# The sum runs to the end of its own episode, whichever way that ended. So there are two rules, and
# they use different flags:
#
# - the **recursion** stops where the episode was terminated *or* truncated, because the next row
#   belongs to another episode;
# - the **bootstrap** inside $\delta_t$ is dropped only where it was terminated.
#
# ### Exercise: `gae`
#
# - All arrays are `(T, N)` as before; the result is `(T, N)`.
# - After the last row nothing is known: the recursion starts there with its TD error alone.

# %% exercise="gae"
def gae(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    """Generalised advantage estimates (Schulman et al. 2016).

    (T, N) each -> (T, N); the recursion stops at either end, the bootstrap only at termination.
    """
    ### BEGIN SOLUTION
    delta = td_errors(rewards, values, next_values, terminated, gamma)  # (T, N)
    goes_on = ~(np.asarray(terminated) | np.asarray(truncated))  # (T, N)
    adv = np.zeros_like(delta)
    later = np.zeros(delta.shape[1])  # (N,)
    for t in reversed(range(len(delta))):
        later = delta[t] + gamma * lam * goes_on[t] * later
        adv[t] = later
    return adv
    ### END SOLUTION


# %% check="gae" points=3
check("gae")

# %% [markdown]
# ### Experiment: bias against variance
#
# Any critic is wrong somewhere. Ours is the one that saw 30 episodes. For each $\lambda$ we compute
# exactly, without sampling, how far the expected estimate is from the truth (bias), how much an
# average over 100 trajectories still scatters (standard error), and both together, the root of
# the sum of their squares.
#
# **Predict.** Where is the bias largest, where the scatter? Which $\lambda$ would you take?

# %% demo=true alt="Error relative to the exact gradient over lambda. The bias falls to zero at lambda 1, the standard error rises steeply towards 1, and their combination is lowest between 0.6 and 0.9. Squares that mark the measured standard error lie on its line."
def advantages(env, traj, values, lam):
    """gae on one trajectory at gamma 1: its arrays become columns (T, 1), and back -> (T,)."""
    following = following_states(env, traj)
    terminated = env.terminal[following]
    truncated = np.zeros(len(traj), dtype=bool)
    truncated[-1] = not terminated[-1]
    rows = traj.rewards, values[traj.states], values[following], terminated, truncated
    return gae(*(row[:, None] for row in rows), gamma=1.0, lam=lam)[:, 0]


def weighted_samples(theta, trajectories, weights):
    """(N, S, A): each trajectory's scores, weighted step by step; weights: N arrays (T,)."""
    pi = softmax(theta)
    samples = np.zeros((len(trajectories), *theta.shape))
    for sample, traj, weight in zip(samples, trajectories, weights):
        np.add.at(sample, (traj.states, traj.actions), weight)
        np.subtract.at(sample, traj.states, weight[:, None] * pi[traj.states])
    return samples


rough = fit_critic(many[:30])  # (S,)
lams = np.linspace(0, 1, 21)
moments = [pg.exact.gradient_moments(env, pi, "gae", values=rough, lam=lam) for lam in lams]
scale = np.linalg.norm(exact)
bias = np.array([np.linalg.norm(mean - exact) for mean, _ in moments]) / scale
error = np.sqrt([variance / 100 for _, variance in moments]) / scale
some = np.array([0.0, 0.4, 0.8, 0.95, 1.0])
measured = [
    total_variance(weighted_samples(theta, many, [advantages(env, t, rough, lam) for t in many]))
    for lam in some
]
pg.plots.exact_and_measured(
    {
        pg.tr("bias"): {"exact": (lams, bias)},
        pg.tr("standard error"): {
            "exact": (lams, error),
            "measured": (some, np.sqrt(np.array(measured) / 100) / scale),
        },
        pg.tr("both together"): {"exact": (lams, np.hypot(bias, error))},
    },
    xlabel="λ",
    ylabel=pg.tr("error, in lengths of the exact gradient"),
)
plt.show()
lowest = lams[np.argmin(np.hypot(bias, error))]
words = pg.tr("bias at λ = 0: {zero:.2f}, at λ = 1: {one:.0e}; lowest together at λ = {best:.2f}")
print(words.format(zero=bias[0], one=bias[-1], best=lowest))

# %% [markdown]
# Back to your prediction. At $\lambda=1$ there is no bias, however wrong the critic: it is only a
# baseline there. (The tiny rest comes from the very rare episodes that the clock cuts.)
# At $\lambda=0$ the critic's errors go straight into the gradient. The scatter runs the other
# way. The best mixture lies in between, and where exactly depends on how good the critic is and on
# how many trajectories are averaged: more trajectories call for a larger $\lambda$.

# %% [markdown]
# ### Experiment: the estimators side by side
#
# Nine estimators, two policies: the one that knows nothing, and one that takes the best action with
# half of its probability, and any action with the other half. All values are exact this time, so
# every estimator is unbiased (up to the clock), and only the variance differs.
#
# **Predict.** Put these in order for the second policy, from noisy to quiet: whole return,
# reward-to-go, reward-to-go minus the mean return, reward-to-go minus the exact value.

# %% demo=true alt="Two bar charts of total variance on a logarithmic scale, measured bars with exact diamonds on top of them. Above, for the policy that knows nothing, the variance falls from about 1500 for the whole return to below 20 for GAE with lambda 0. Below, for the policy that knows half, the first six bars are almost equal, the one with the exact value slightly higher, and only GAE lowers it."
def contestants(mean, best, value):
    """name: (weight of a trajectory's steps, what gradient_moments needs for the exact answer)."""

    def whole(t):
        return np.full(len(t), t.rewards.sum())

    def to_go(t):
        return reward_to_go(t.rewards)

    zero = 0 * value
    found = {
        pg.tr("whole\nreturn"): (whole, {}),
        pg.tr("whole\n- mean"): (lambda t: whole(t) - mean, {"shift": -mean}),
        pg.tr("whole\n- best"): (lambda t: whole(t) - best, {"shift": -best}),
        pg.tr("to go"): (to_go, {"baseline": zero}),
        pg.tr("to go\n- mean"): (lambda t: to_go(t) - mean, {"baseline": zero + mean}),
        pg.tr("to go\n- V"): (lambda t: to_go(t) - value[t.states], {"baseline": value}),
    }
    for lam in (0.95, 0.5, 0.0):
        weigh = partial(advantages, env, values=value, lam=lam)
        found[f"GAE\nλ={lam:g}"] = weigh, {"values": value, "lam": lam}
    return found


def compare(pi):
    """Names, measured and exact total variances of all contestants under policy `pi`."""
    logits, value = np.log(pi), pg.exact.state_values(env, pi)
    drawn = [rollout(env, logits, rng) for _ in range(2000)]
    returns = np.array([traj.rewards.sum() for traj in drawn])
    best = optimal_baseline(summed_scores(logits, drawn).reshape(len(drawn), -1), returns)
    measured, truth = [], []
    rivals = contestants(pg.exact.objective(env, pi), best, value)
    for weigh, keys in rivals.values():
        kind = "gae" if "lam" in keys else "baseline" if "baseline" in keys else "return"
        measured.append(total_variance(weighted_samples(logits, drawn, [weigh(t) for t in drawn])))
        truth.append(pg.exact.gradient_moments(env, pi, kind, **keys).total_variance)
    return list(rivals), measured, truth


half = 0.5 * pg.exact.best_policy(env) + 0.5 / env.num_actions  # (S, A)
compared = {
    pg.tr("policy that knows nothing"): compare(pi),
    pg.tr("policy that knows half"): compare(half),
}
fig, axes = plt.subplots(2, 1, figsize=(9, 7), sharey=True)
for ax, (title, columns) in zip(axes, compared.items()):
    pg.plots.bars(*columns, ylabel=pg.tr("total variance"), ax=ax)
    ax.set_title(title)
plt.show()

# %% [markdown]
# For the beginner the order is the textbook's: reward-to-go takes a little, a constant takes four
# fifths, the value a little more, and GAE most of the rest, down to little more than a hundredth of
# what we began with. (One episode in twenty reaches the goal, and those few carry most of the
# variance. So even 2000 episodes measure it only roughly.)
#
# For the second policy it is **not**. The first six bars hardly differ. Subtracting the exact value
# is even a little *worse* than subtracting nothing: 483 against 468, exactly. No theorem is broken.
# That $V$ leaves the mean alone is proved; that it lowers the variance is not, and the
# state-dependent baseline that minimises it is another one, weighted by the lengths of the scores
# as in section 3.
#
# Such surprises are common. On the 20-step board of lesson 02 the mean return subtracted from
# *whole* returns beats the mean return subtracted from rewards-to-go, 278 against 314:

# %% demo=true
short = pg.envs.Grid()
mean = pg.exact.objective(short, pi)
for name, keys in [
    ("return", {"shift": -mean}),
    ("baseline", {"baseline": np.full(short.num_states, mean)}),
]:
    print(f"{name:>10} {pg.exact.gradient_moments(short, pi, name, **keys).total_variance:6.1f}")

# %% [markdown]
# Late in an episode the rewards still to come differ from the mean of a whole one, so a constant is
# the wrong thing to compare them with. What helps under both policies is not the value as a
# baseline but the value as a *bootstrap*: GAE with $\lambda<1$ replaces the noise of the far future
# by the critic's expectation. That is where a critic earns its keep, and where its errors turn into
# bias.

# %% [markdown]
# ## 7. Actor and critic, trained together
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
# The check gives you half of the episodes that `train_reinforce` had in lesson 01, and asks for
# the same 90 % of the best reachable objective.

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

# %% demo=true alt="Above, learning curves of the actor-critic over three seeds, rising from minus 8 to about 9 within 100 updates, one of them only after a long stay near minus 2. Below, three boards: the trained policy as arrows, the critic's values, and the exact values of that policy. The critic agrees along the path that the policy walks, and is far off elsewhere."
board = pg.envs.Grid()
best_return = pg.exact.best_stationary(board)
curves = []
for seed in range(3):
    policy = pg.TabularPolicy(board.num_states, board.num_actions)
    critic = pg.TabularCritic(board.num_states)
    groups = [
        {"params": policy.parameters(), "lr": 0.1},
        {"params": critic.parameters(), "lr": 0.5},
    ]
    optimizer = torch.optim.Adam(groups)
    rng = np.random.default_rng(seed)
    curves.append(train_actor_critic(board, policy, critic, optimizer, 100, 16, 1.0, rng))
pg.plots.learning_curves({pg.tr("actor-critic"): np.array(curves)}, reference=best_return)
plt.show()

trained = softmax(policy(np.arange(board.num_states)).detach().double().numpy())  # (S, A)
learned = critic.table.detach().numpy().astype(float)  # (S,)
right = pg.exact.state_values(board, trained, horizon=board.max_steps)[-1]  # (S,)
fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.9))
pg.plots.policy(board, trained, ax=axes[0])
axes[0].set_title(pg.tr("trained policy"))
pg.plots.values(board, learned, limit=10, ax=axes[1])
axes[1].set_title(pg.tr("critic"))
pg.plots.values(board, right, limit=10, ax=axes[2])
axes[2].set_title(pg.tr("exact values of that policy"))
plt.show()
visits = pg.exact.visits(board, trained)  # (S,), expected number of visits in an episode
often, seldom = visits > 0.5, (visits < 0.05) & ~board.terminal
gap = np.abs(learned - right)
words = pg.tr("mean error of the critic: {often:.1f} in cells on the way, {seldom:.1f} far from it")
print(words.format(often=gap[often].mean(), seldom=gap[seldom].mean()))

# %% [markdown]
# No. The critic is good where the policy goes, and knows little about the rest: it learns from the
# policy's own episodes. For the actor that is enough, since those are the states where advantages
# are needed.
#
# Look at the thin lines, too. The three runs differ by their seeds alone, and one of them may sit
# at -2 for long before it finds the goal. One run tells little about a method.

# %% [markdown]
# ## 8. A race
#
# **Question.** Does less variance mean faster learning?
#
# Five estimators run on a board with 50 steps a game, with the same budget: 40 updates of 10
# episodes, plain gradient ascent, the same learning rate for all, twelve seeds each. Critics start
# from zero and learn beside the policy; each advantage uses the values from *before* its batch is
# learned from. Thin lines are runs, the bold one is their median, the band holds the middle half.
#
# **Predict.** Which of them will reach the goal in all twelve runs?

# %% demo=true alt="Five panels of learning curves, twelve runs each. With leave-one-out and with GAE all runs climb to about 9, with GAE the fastest; with the other three some runs get stuck near minus 5."
def learn(env, weigh, rng, rate, num_updates=40, batch_size=10):
    """Plain gradient ascent; weigh(trajectories, values) gives each trajectory's weights (T,)."""
    theta = np.zeros((env.num_states, env.num_actions))
    values, history = np.zeros(env.num_states), []
    for _ in range(num_updates):
        batch = [rollout(env, theta, rng) for _ in range(batch_size)]
        samples = weighted_samples(theta, batch, weigh(batch, values))  # (batch_size, S, A)
        theta = theta + rate * samples.mean(axis=0)
        for traj in batch:
            for state, ret in zip(traj.states, reward_to_go(traj.rewards)):
                values[state] += 0.1 * (ret - values[state])
        history.append(pg.exact.objective(env, softmax(theta)))
    return history


def compare_with_others(batch, values):
    adv = leave_one_out_advantages([traj.rewards.sum() for traj in batch])  # (batch_size,)
    return [np.full(len(traj), a) for traj, a in zip(batch, adv)]


arena = pg.envs.Grid(max_steps=50)
racers = {
    pg.tr("whole return"): lambda batch, v: [np.full(len(t), t.rewards.sum()) for t in batch],
    pg.tr("reward-to-go"): lambda batch, v: [reward_to_go(t.rewards) for t in batch],
    pg.tr("leave one out"): compare_with_others,
    pg.tr("minus V"): lambda batch, v: [reward_to_go(t.rewards) - v[t.states] for t in batch],
    pg.tr("GAE, λ = 0.8"): lambda batch, v: [advantages(arena, t, v, 0.8) for t in batch],
}
runs = {
    name: np.array([learn(arena, weigh, np.random.default_rng(s), rate=0.4) for s in range(12)])
    for name, weigh in racers.items()
}
pg.plots.race(runs, pg.exact.best_stationary(arena), solved=5.0, ylabel=pg.tr("exact objective"))
plt.show()
for name, run in runs.items():
    words = pg.tr("{name:>17}: mean objective over all runs and updates {mean:5.2f}")
    print(words.format(name=name, mean=run.mean()))

# %% [markdown]
# Leave-one-out and GAE get there every time, GAE first. With the others some runs end at -5. They
# have learned one thing, to walk into a wall for 50 steps and so avoid the pits, before enough
# episodes showed them the goal. A policy that is nearly certain hardly explores any more, and its
# gradient is nearly zero. Noise pushed them there: one unlucky batch with large weights is enough.
#
# The learned value as a mere baseline is not worth more than the mean of the other returns. It
# starts out wrong, and it leaves the noise of the whole future in place. GAE uses the same critic
# as a bootstrap.
#
# Two cautions. The learning rate of 0.4 is large, which is what makes noise dangerous. With a rate
# so small that no batch can do harm the five would differ far less, and all would be slow: less
# variance buys larger steps. And a race is a race on one track. Set `max_steps` to 20 and `rate` to
# 0.3, and the first four fail alike, in about half of the runs. We counted 16, 15, 18 and 14
# successes in 30 seeds, which is no difference, against 29 for GAE.

# %% [markdown]
# ## 9. Who gets the credit?
#
# In lesson 01 every step of an episode carried the same weight. Here is one episode on the board
# under each estimator, with the exact values of the policy that knows half.
#
# **Predict.** Which steps will turn negative although the episode ended well?

# %% demo=true alt="Credit strip of one successful episode. Whole return gives every step the same positive weight; reward-to-go almost the same; minus V gives smaller weights; the TD errors are negative at the steps that lead away from the goal or beside a pit, and positive at those that lead towards it."
logits = np.log(half)
value = pg.exact.state_values(board, half)
luck = np.random.default_rng(4)
games = (rollout(board, logits, luck) for _ in range(1000))
game = next(g for g in games if 9 <= len(g) <= 11 and g.rewards.sum() > 8)
rows = {
    pg.tr("whole return"): np.full(len(game), game.rewards.sum()),
    pg.tr("reward-to-go"): reward_to_go(game.rewards),
    pg.tr("minus V"): reward_to_go(game.rewards) - value[game.states],
    pg.tr("GAE, λ = 0.8"): advantages(board, game, value, 0.8),
    pg.tr("TD error"): advantages(board, game, value, 0.0),
}
pg.plots.credit_strip([board.action_names[a] for a in game.actions], rows, game.rewards)
plt.show()

# %% [markdown]
# The upper rows praise every step, detours included. The TD errors name them: a step away from the
# goal, or one that leads beside a pit, is negative even in a good game. GAE shades from one view
# to the other.
#
# ### What this means for a language model
#
# A sentence is scored once, at its end, so whole return and reward-to-go are the same for all of
# its tokens (lesson 02). A critic that knows what a half-written sentence is worth can do better.

# %% demo=true alt="Credit strip for the sentence the dog sleeps. Return and reward-to-go give each token 7. The TD errors are positive for all three tokens and largest for the full stop."
language = pg.envs.TokenEnv()
even = np.full((language.num_states, language.num_actions), 1 / language.num_actions)
value = pg.exact.state_values(language, even)
words = [language.symbols.index(word) for word in ("dog", "sleeps", ".")]
states = [language.state_of(words[:k]) for k in range(len(words))]
rewards = [0.0, 0.0, float(language.score("the dog sleeps"))]
sentence = pg.Trajectory(states, words, rewards)
rows = {
    pg.tr("return"): np.full(3, sentence.rewards.sum()),
    pg.tr("reward-to-go"): reward_to_go(sentence.rewards),
    pg.tr("minus V"): reward_to_go(sentence.rewards) - value[sentence.states],
    pg.tr("TD error"): advantages(language, sentence, value, 0.0),
}
pg.plots.token_strip(["dog", "sleeps", "."], rows, sentence.rewards, prompt="the")
plt.show()

# %% [markdown]
# The return praises all three tokens alike. The TD errors say what each token *changed*: how much
# better the sentence was expected to become once that token stood there. The largest credit goes to
# the full stop. This policy picks its tokens at random, each further word costs 3, and so to stop
# in time was the best thing it did. Whether a critic can be
# trained well enough to say so is one of the questions that separate PPO (lessons 05 and 06) from
# methods that do with comparisons between whole answers.

# %% [markdown]
# ## What you take along
#
# - A baseline that does not see the action leaves the mean gradient alone; one that does see it can
#   take the whole signal away.
# - The best constant is a mean return weighted by squared scores; the plain mean is nearly as good.
#   Leave-one-out is unbiased, whitening is not, and its bias shrinks with the batch.
# - A critic learns $V$ by regression. As a baseline it leaves the gradient unbiased, and need not
#   lower the variance. As a bootstrap it cuts the variance by much, and brings its errors along.
# - Terminated means that nothing follows; truncated means that we stopped looking.
# - $\lambda$ trades bias against variance.
#
# ## References
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist
#   reinforcement learning*, Machine Learning 8:229-256.
#   [doi:10.1007/BF00992696](https://doi.org/10.1007/BF00992696)
# - E. Greensmith, P. L. Bartlett, J. Baxter (2004), *Variance reduction techniques for gradient
#   estimates in reinforcement learning*, JMLR 5:1471-1530.
#   [jmlr.org](https://www.jmlr.org/papers/v5/greensmith04a.html)
# - J. Schulman, P. Moritz, S. Levine, M. Jordan, P. Abbeel (2016), *High-dimensional continuous
#   control using generalized advantage estimation*, ICLR.
#   [arXiv:1506.02438](https://arxiv.org/abs/1506.02438)
# - F. Pardo, A. Tavakoli, V. Levdik, P. Kormushev (2018), *Time limits in reinforcement learning*,
#   ICML. [arXiv:1712.00378](https://arxiv.org/abs/1712.00378)
# - A. Ahmadian et al. (2024), *Back to basics: revisiting REINFORCE-style optimization for learning
#   from human feedback in LLMs*. [arXiv:2402.14740](https://arxiv.org/abs/2402.14740)
# - Z. Shao et al. (2024), *DeepSeekMath: pushing the limits of mathematical reasoning in open
#   language models*. [arXiv:2402.03300](https://arxiv.org/abs/2402.03300)
