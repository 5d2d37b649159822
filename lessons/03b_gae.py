# Source of lesson 03b. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 03b · From one step to λ
#
# In lesson 03 the critic was subtracted from a return and did nothing else. Here it takes the place
# of the future: after one step, after $n$ steps, or after a mixture of them all that one number
# $\lambda$ sets. That is how PPO computes its advantages.
#
# You will
#
# - show that the surprise of one step is, on average, the advantage,
# - tell the end of an episode from the end of our patience,
# - build advantages from one step, from $n$ steps, and from all of them at once (GAE),
# - see what $\lambda$ trades, and for which batch and which critic it should be large,
# - train an actor and a critic with your own `gae`, and race them against lesson 03's.
#
# *Moved:* until recently `td_errors` and `gae` were part of lesson 03. Whoever solved them there
# copies the two functions into the cells below.
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
# From the earlier lessons we take these functions, as they were solved there. The `rollout` of
# lesson 01 fills in two more fields of a `Trajectory`, which this lesson needs: `last_state`, the
# state that the last action led to, and `terminated`, which is true where the environment ended the
# episode and false where the clock cut it.

# %% given=["softmax", "rollout", "total_variance", "reward_to_go", "leave_one_out_advantages", "value_loss"]

# %% [markdown]
# ## 1. One-step surprises, and two ways to stop
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
# What several environments played for $T$ steps, one column each, is called a *rollout*, too. It
# holds many episodes, one below the other. So the next *row*
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
# ### What the surprise is on average
#
# Lesson 03 defined the value $V^\pi(s)$, the action value $Q^\pi(s,a)$ and the advantage
# $A^\pi(s,a)=Q^\pi(s,a)-V^\pi(s)$. Split a return into its first reward and the rest, and take the
# expectation. That is the **Bellman equation**, once for each of the two:
#
# $$Q^\pi(s,a)=\mathbb E\big[r_t+\gamma V^\pi(s_{t+1})\mid s_t=s,a_t=a\big],\qquad
# V^\pi(s)=\mathbb E_\pi\big[r_t+\gamma V^\pi(s_{t+1})\mid s_t=s\big].$$
#
# Subtract $V^\pi(s)$ on both sides, and the TD error stands there:
#
# $$\mathbb E\big[\delta_t\mid s_t=s,a_t=a\big]=A^\pi(s,a),\qquad
# \mathbb E_\pi\big[\delta_t\mid s_t=s\big]=0 .$$
#
# With the true value, one step is enough for an unbiased advantage. In numbers, on a slippery board
# where an action may lead to several cells: your `td_errors` on every possible step, each weighted
# by its probability.

# %% demo=true
slippery = pg.envs.Grid(slip=0.3)
some = softmax(np.random.default_rng(3).normal(size=(16, 4)))  # some policy, (S, A)
V = pg.exact.state_values(slippery, some, gamma=0.9)  # (S,)
Q = pg.exact.action_values(slippery, some, gamma=0.9)  # (S, A)
s, a, following = np.nonzero(slippery.transitions)  # every possible step, K of them
chance = slippery.transitions[s, a, following]  # (K,)
paid, ended = slippery.rewards[s, a, following], slippery.terminal[following]
steps = (paid, V[s], V[following], ended)
delta = td_errors(*(row[:, None] for row in steps), gamma=0.9)[:, 0]  # (K,)
expected_delta = np.zeros((16, 4))
np.add.at(expected_delta, (s, a), chance * delta)
print(pg.tr("{n} possible steps").format(n=len(s)))
for name, one, other in [
    (pg.tr("expected TD error against Q - V"), expected_delta, Q - V[:, None]),
    (pg.tr("its mean over the policy's actions against 0"), (some * expected_delta).sum(1), 0.0),
]:
    gap = np.abs(one - other).max()
    print(pg.tr("{name:>45}: {fate}").format(
        name=name, fate=pg.tr("equal to ten digits") if gap < 1e-10 else f"{gap:.1e}"))

# %% [markdown]
# (At the terminal cells both sides are zero.)


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

# %% demo=true
sizes = [pg.tr("too high"), pg.tr("too low"), pg.tr("right")]
pg.predict("merged_flags", pg.tr("With merged flags the values will be"), None, choices=sizes)

# %% demo=true alt="Three rows of six cells. Exact values and the critic with both flags apart show 10 in every cell. The critic with merged flags shows values around 5."
ring = pg.envs.Ring(pay=np.ones(6), max_steps=10)
luck = np.random.default_rng(0)
walks = [rollout(ring, np.zeros((6, 2)), luck) for _ in range(300)]


def following_states(traj):
    """(T,): the state that each action led to."""
    return np.append(traj.states[1:], traj.last_state)


obs = np.stack([walk.states for walk in walks], axis=1)  # (T, N)
next_obs = np.stack([following_states(walk) for walk in walks], axis=1)  # (T, N)
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
pg.outcome("merged_flags", sizes[1] if table.mean() < 9 else sizes[2])
plt.show()

# %% claim="merged_flags_halve"
flags_apart, flags_merged = list(learned.values())[1:]
claim("Too low, by about half", flags_merged.mean() / 10, at_least=0.4, at_most=0.6)
claim("With the flags apart the critic finds 10", np.abs(flags_apart - 10).max(), at_most=0.01)

# %% [markdown]
# Back to your prediction: too low, by about half. With the flags apart the critic finds 10 in
# every cell, although no walk ever lasted longer than 10 steps. Merged, it learns that one step in
# ten leads to a state worth nothing, which is a fact about our clock and not about the ring. If a
# clock really belongs to the task, the honest way is to show it to the policy as part of the
# state (Pardo et al. 2018).

# %% [markdown]
# ## 2. From one step to $n$
#
# **Question.** What if we trust the critic a little later?
#
# **Idea.** Take $n$ rewards as they came, and let the critic speak for the rest (Sutton and Barto 2018,
# chapter 7):
#
# $$\hat A^{(n)}_t=r_t+\gamma r_{t+1}+\dots+\gamma^{n-1}r_{t+n-1}+\gamma^nV(s_{t+n})-V(s_t)
# =\sum_{k=0}^{n-1}\gamma^k\,\delta_{t+k}.$$
#
# The second form is the same sum: written out, each value in between stands there once with plus
# and once with minus. For $n=1$ it is the TD error. For an $n$ that reaches past the end of the
# episode no value is left but $V(s_t)$: reward-to-go with a baseline. A larger $n$ brings more of
# the luck of real rewards and less of the critic's errors.
#
# Where the $n$ steps would leave the episode or the rollout, there are fewer of them:
#
# - after a **terminated** step nothing follows, and no value either;
# - after a **truncated** step there are no more rewards, but the state in which the clock stopped us
#   has its value;
# - after the last row the same holds: `next_values` says what its successor is worth.
#
# ### Exercise: `n_step_advantages`
#
# - All arrays are `(T, N)` as for `td_errors`; `n` is a whole number of at least 1.
# - The result is `(T, N)`. `next_values` of a terminated step is never looked at.

# %% exercise="n_step_advantages"
def n_step_advantages(rewards, values, next_values, terminated, truncated, n, gamma):
    """Up to n rewards, then the critic's value, minus the value expected before.

    (T, N) each, n at least 1 -> (T, N); fewer rewards where an episode or the rollout ends

    Example: rewards [1, 2, 4], values 0, next_values [0, 0, 8], nothing ended, gamma 0.5, n = 2:
    [1 + 0.5 * 2, 2 + 0.5 * 4 + 0.25 * 8, 4 + 0.5 * 8] = [2, 6, 8].
    """
    ### BEGIN SOLUTION
    delta = td_errors(rewards, values, next_values, terminated, gamma)  # (T, N)
    goes_on = ~(np.asarray(terminated) | np.asarray(truncated))  # (T, N)
    adv = delta
    for _ in range(min(n, len(delta)) - 1):  # with each round one more step ahead
        later = np.concatenate([adv[1:], np.zeros_like(adv[:1])])  # (T, N)
        adv = delta + gamma * goes_on * later
    return adv
    ### END SOLUTION


# %% check="n_step_advantages" points=3
check("n_step_advantages")

# %% [markdown]
# ## 3. GAE: all $n$ at once
#
# **Question.** Which $n$?
#
# **Idea.** None of them alone. Take a mean of all, in which each further step counts less by a
# factor $\lambda$ between 0 and 1. The weights $(1-\lambda)\lambda^{n-1}$ add up to one for
# $\lambda<1$; $\lambda=1$ is the limit, in which all weight falls on the longest. This is
# *generalised advantage estimation* (Schulman et al. 2016):
#
# $$\hat A_t=(1-\lambda)\sum_{n\ge1}\lambda^{n-1}\hat A^{(n)}_t.$$
#
# **Predict.** At $\lambda=0.9$, how many steps pass on average before the critic speaks?

# %% demo=true
pg.predict("steps_before_the_critic", pg.tr("Mean number of steps at λ = 0.9:"), None)

# %% demo=true alt="Three bar charts of the weight of the n-step advantage over n, for lambda 0.5, 0.8 and 0.95. At 0.5 nearly all weight lies on the first five steps; at 0.95 it falls slowly and reaches past twenty. A vertical line marks the mean number of steps."
def draw_weights(ax, lam):
    """(1 - lambda) lambda^(n - 1) over n, and its mean."""
    n = np.arange(1, 26)
    ax.bar(n, (1 - lam) * lam ** (n - 1), color="#A9CCE3", edgecolor=pg.plots.COLORS[0])
    ax.axvline(1 / (1 - lam), color="black", linestyle="--", lw=1.2)
    ax.set_title(pg.tr("λ = {lam:g}: {mean:.1f} steps on average").format(lam=lam, mean=1 / (1 - lam)))
    ax.set(xlabel="n", ylabel=pg.tr("weight"), xticks=(1, 5, 10, 15, 20, 25))


axes = pg.plots.strip(draw_weights, [0.5, 0.8, 0.95], width=3.1, height=2.8)
for ax in axes[1:]:
    ax.set_ylabel("")
pg.outcome("steps_before_the_critic", 1 / (1 - 0.9))
plt.show()
knob = [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95]
pg.plots.slider(draw_weights, knob, label=pg.tr("λ, with its mean number of steps"), first=0.8)

# %% [markdown]
# The mean number of steps is $1/(1-\lambda)$: one at $\lambda=0$, ten at $0.9$, twenty at $0.95$.
# Where an episode ends after $m$ steps, all longer ones are the same, and the rest of the weight,
# $\lambda^{m-1}$, falls on $\hat A^{(m)}$.
#
# Put the sum of TD errors in the place of $\hat A^{(n)}$, and the mixture becomes as simple as its
# parts. TD error $\delta_{t+k}$ stands in all $\hat A^{(n)}$ with $n>k$, whose weights add up to
# $\lambda^k$:
#
# $$\hat A_t=\sum_{k\ge0}(\gamma\lambda)^k\,\delta_{t+k}=\delta_t+\gamma\lambda\,\hat A_{t+1}.$$
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
# ### Both forms, and the two ends of $\lambda$
#
# Your two functions must agree: the mixture of all `n_step_advantages` is `gae`. We try it on a
# batch of episodes that ended in both ways, with a critic that knows nothing in particular.

# %% demo=true
board = pg.envs.Grid()  # lesson 02's board: 20 steps on the clock
know_nothing = np.full((board.num_states, board.num_actions), 0.25)
play = pg.play_many(board, np.repeat(know_nothing[None], 50, axis=0), np.random.default_rng(1))
guess = np.random.default_rng(2).normal(size=board.num_states) * 3  # some critic, (S,)
rows = (play.rewards, guess[play.states], guess[play.next_states], play.terminated, play.truncated)
print(pg.tr("{n} episodes, {ended} ended and {cut} cut").format(
    n=50, ended=play.terminated.sum(), cut=play.truncated.sum()))


def difference(one, other):
    """Largest difference where an episode was under way, in words."""
    gap = np.abs(one - other)[play.alive].max()
    return pg.tr("equal to ten digits") if gap < 1e-10 else f"{gap:.1e}"


gamma, lam, longest = 0.9, 0.7, len(play.rewards)
each = [n_step_advantages(*rows, n, gamma) for n in range(1, longest + 1)]  # longest of (T, N)
weights = (1 - lam) * lam ** np.arange(longest)
weights[-1] = lam ** (longest - 1)  # the rest of the weight
mixture = np.tensordot(weights, each, axes=1)  # (T, N)
print(pg.tr("the mixture against gae: {fate}").format(
    fate=difference(mixture, gae(*rows, gamma=gamma, lam=lam))))
one = gae(*rows, gamma=gamma, lam=1.0)
to_go = np.apply_along_axis(lambda r: reward_to_go(r, gamma), 0, play.rewards)  # (T, N)
left = play.alive[::-1].cumsum(0)[::-1]  # (T, N), steps to the episode's end
kept = (play.truncated * guess[play.next_states]).sum(0)  # (N,), value where the clock struck
print(pg.tr("λ = 1 against reward-to-go minus value: {fate}").format(
    fate=difference(one, to_go - guess[play.states])))
print(pg.tr("with the discounted value of the cut state: {fate}").format(
    fate=difference(one, to_go + gamma**left * kept - guess[play.states])))

# %% [markdown]
# At $\lambda=0$ GAE is the TD error. At $\lambda=1$ all values in between cancel, and what remains
# is reward-to-go minus $V(s_t)$ in an episode that ended by itself. Where the clock cut it one more
# value is left over, as the last line shows.
#
# ### Question: `q_cut_episode`
#
# An episode starts in $s_0$ and is cut by the clock in $s_T$ after $T$ steps. What is its first
# advantage at $\lambda=1$?
#
# - **a** $\sum_{t<T}\gamma^tr_t-V(s_0)$: at $\lambda=1$ all values in between cancel, so that of the first state
#   alone is left.
# - **b** $\sum_{t<T}\gamma^tr_t+\gamma^TV(s_T)-V(s_0)$: the rewards that the clock hid are still
#   the critic's to guess.
# - **c** $\sum_{t<T}\gamma^tr_t+V(s_T)-V(s_0)$: the last value is not discounted.
# - **d** $r_0+\gamma V(s_1)-V(s_0)$: a cut episode only allows one step.

# %% question="q_cut_episode"
q_cut_episode = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_cut_episode = "b"
### END SOLUTION

# %% check="q_cut_episode" points=1
check("q_cut_episode")

# %% [markdown]
# ## 4. How far to trust the critic
#
# **Question.** What does $\lambda$ cost, and what does it buy?
#
# Any critic is wrong somewhere. Ours has seen 30 episodes of the policy that knows nothing, on the
# board with 200 steps. For each $\lambda$ we compute exactly, without sampling, how far the expected
# estimate is from the truth (bias), how much an average over 100 trajectories still scatters
# (standard error), and both together, the root of the sum of their squares. The squares with their
# bars are your `gae` on 4000 sampled episodes.
#
# **Predict.** Where is the bias largest, where the scatter? Which $\lambda$ would you take?

# %% demo=true
pg.predict("best_lambda", pg.tr("Least error at λ ="), None)

# %% demo=true alt="Error relative to the exact gradient over lambda. The bias falls to zero at lambda 1. The standard error hardly changes up to about 0.5 and rises steeply towards 1. Both together are lowest in between, closer to 1 than to 0. Squares with error bars mark the measured standard error, on its line or about as far from it as the bars are long."
env = pg.envs.Grid(max_steps=200)
pi = know_nothing
exact = pg.exact.policy_gradient(env, pi)  # (S, A)
size_of_truth = np.linalg.norm(exact)
lams = np.linspace(0, 1, 21)


def played(count, seed, policy=pi):
    """`count` episodes of a policy (S, A) on the long board, side by side."""
    return pg.play_many(env, np.repeat(policy[None], count, axis=0), np.random.default_rng(seed))


def fitted_critic(play):
    """(S,): the mean reward-to-go in each state, which is what least squares finds; 0 elsewhere."""
    returns = np.apply_along_axis(reward_to_go, 0, play.rewards)  # (T, N)
    seen = play.states[play.alive]
    count = np.bincount(seen, minlength=env.num_states)
    return np.bincount(seen, returns[play.alive], env.num_states) / np.maximum(count, 1)


def exact_errors(critic, lams):
    """Bias and standard deviation of one trajectory's estimate, (K,) each, in exact gradients."""
    means, variances = pg.exact.gradient_moments(env, pi, "gae", values=critic, lam=lams)
    bias = np.linalg.norm(means - exact, axis=(1, 2))
    return bias / size_of_truth, np.sqrt(variances) / size_of_truth


def gradient_samples_of(play, weights, policy=pi):
    """(N, S, A): each episode's scores, weighted step by step; weights (T, N)."""
    run = np.broadcast_to(np.arange(play.states.shape[1]), play.alive.shape)[play.alive]
    samples = np.zeros((play.states.shape[1], *policy.shape))
    weight = np.broadcast_to(weights, play.alive.shape)[play.alive]
    np.add.at(samples, (run, play.states[play.alive], play.actions[play.alive]), weight)
    return samples - samples.sum(2, keepdims=True) * policy


def spread(samples):
    """Total variance of the samples, and its own standard error."""
    apart = np.sum((samples - samples.mean(0)) ** 2, axis=(1, 2))  # (N,)
    return total_variance(samples), apart.std() / np.sqrt(len(apart))


critic = fitted_critic(played(30, seed=0))  # (S,)
bias, scatter = exact_errors(critic, lams)
together = np.hypot(bias, scatter / 10)  # 100 trajectories: a tenth of the scatter
play = played(4000, seed=1)
rows = play.rewards, critic[play.states], critic[play.next_states], play.terminated, play.truncated
some = np.array([0.0, 0.4, 0.8, 0.95, 1.0])
found = np.array([spread(gradient_samples_of(play, gae(*rows, gamma=1.0, lam=l))) for l in some])
measured = np.sqrt(found[:, 0] / 100) / size_of_truth
error_bar = measured * found[:, 1] / found[:, 0]  # two standard errors of the root: 2 * half
ax = pg.plots.exact_and_measured(
    {
        pg.tr("bias"): {"exact": (lams, bias)},
        pg.tr("standard error"): {"exact": (lams, scatter / 10), "measured": (some, measured)},
        pg.tr("both together"): {"exact": (lams, together)},
    },
    xlabel="λ",
    ylabel=pg.tr("error, in lengths of the exact gradient"),
)
ax.errorbar(some, measured, error_bar, fmt="none", ecolor="black", capsize=4, lw=1)
pg.outcome("best_lambda", lams[together.argmin()], ax=ax)
plt.show()
words = pg.tr("bias at λ = 0: {zero:.2f}, at λ = 1: {one:.0e}; least error at λ = {best:.2f}")
print(words.format(zero=bias[0], one=bias[-1], best=lams[together.argmin()]))

# %% claim="lambda_trades_bias_for_noise" seeds=12
def again(seed):
    """The best lambda at 100 trajectories for another critic of 30 episodes."""
    few = np.linspace(0, 1, 11)
    one, other = exact_errors(fitted_critic(played(30, 100 + seed)), few)
    return few[np.hypot(one, other / 10).argmin()]


claim("The least error lies in between", lams[together.argmin()], at_least=0.3, at_most=0.95,
      again=again)
claim("No bias at lambda 1", bias[-1], at_most=1e-3)
claim("The bias falls", np.diff(bias).max(), at_most=0)
claim("The scatter hardly changes up to one half", np.ptp(scatter[:11]) / scatter[0], at_most=0.2)
claim("It rises steeply towards 1", scatter[-1] / scatter[0], at_least=1.5)
claim("The squares lie on the line, within three standard errors",
      np.abs(measured - np.interp(some, lams, scatter / 10)).max() / error_bar.max() * 2, at_most=4)

# %% [markdown]
# Back to your prediction. At $\lambda=1$ there is no bias, however wrong the critic: it is only a
# baseline there. (The tiny rest comes from the very rare episodes that the clock cuts.) At
# $\lambda=0$ the critic's errors go straight into the gradient. The scatter is nearly the same for
# all $\lambda$ up to one half, sometimes with a shallow dip, and rises steeply towards 1. So the
# best mixture lies in between.
#
# ### Question: `q_more_trajectories`
#
# Commit before you move the sliders below. You can afford ten times as many trajectories for each
# update, with the same critic. What becomes of the best $\lambda$?
#
# - **a** It falls: more data make the critic's guess better.
# - **b** It stays where it is: bias and noise both shrink with the batch, in step with each other.
# - **c** It rises: the noise of the mean shrinks with the batch, the bias does not.
# - **d** It becomes 1 whatever the critic: with enough data only the bias counts, and there it is 0.

# %% question="q_more_trajectories"
q_more_trajectories = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_more_trajectories = "c"
### END SOLUTION

# %% check="q_more_trajectories" points=1
check("q_more_trajectories")

# %% demo=true alt="Two rows of three panels with bias, standard error and both together over lambda. Upper row: a critic of 100 episodes with batches of 10, 100 and 1000 trajectories; the best lambda moves to the right. Lower row: batches of 100 with critics of 10, 100 and 1000 episodes; the best lambda moves to the left."
few = np.linspace(0, 1, 11)
qualities, batches = [10, 100, 1000], [10, 30, 100, 300, 1000]


def typical_errors(episodes, critics=4):
    """Root mean squares of bias and scatter over several critics that saw so many episodes."""
    found = [exact_errors(fitted_critic(played(episodes, seed)), few) for seed in range(critics)]
    return np.sqrt(np.mean(np.square(found), axis=0))  # (2, K)


by_quality = {episodes: typical_errors(episodes) for episodes in qualities}


def best_lambda(batch, episodes):
    """Where bias and noise together are least."""
    bias, scatter = by_quality[episodes]
    return few[np.hypot(bias, scatter / np.sqrt(batch)).argmin()]


def draw_trade(ax, batch, episodes):
    """Bias, noise and total error over lambda, the least one marked."""
    bias, scatter = by_quality[episodes]
    noise = scatter / np.sqrt(batch)
    lines = [(pg.tr("bias"), bias), (pg.tr("standard error"), noise),
             (pg.tr("both together"), np.hypot(bias, noise))]
    for i, (name, line) in enumerate(lines):
        style = {"color": pg.plots.COLORS[i], "linestyle": pg.plots.LINESTYLES[i]}
        ax.plot(few, line, label=name, **style)
    least = best_lambda(batch, episodes)
    ax.axvline(least, color="black", lw=1.0, linestyle=":")
    words = pg.tr("batch {batch}, critic of {episodes}: λ = {least:.1f}")
    ax.set_title(words.format(batch=batch, episodes=episodes, least=least), size=9)
    ax.set(xlabel="λ", ylim=(0, 3), ylabel=pg.tr("error"))


rows_of_knobs = [[(10, 100), (100, 100), (1000, 100)], [(100, 10), (100, 100), (100, 1000)]]
fig, axes = plt.subplots(2, 3, figsize=(9, 5.2), sharex=True, sharey=True)
for ax, (batch, episodes) in zip(axes.flat, sum(rows_of_knobs, [])):
    draw_trade(ax, batch, episodes)
for ax in axes[:, 1:].flat:
    ax.set_ylabel("")
for ax in axes[0]:
    ax.set_xlabel("")
axes[0, 0].legend(fontsize=8)
plt.show()
knobs = {pg.tr("trajectories in the batch"): batches, pg.tr("episodes the critic saw"): qualities}
pg.plots.sliders(draw_trade, knobs, first=(100, 100))

# %% claim="what_moves_lambda"
rising = [best_lambda(batch, 100) for batch in batches]
falling = [best_lambda(100, episodes) for episodes in qualities]
claim("More trajectories call for a larger lambda", np.diff(rising).min(), at_least=0)
claim("And move it far", rising[-1] - rising[0], at_least=0.2)
claim("A better critic allows a smaller one", np.diff(falling).max(), at_most=0)
claim("And moves it far", falling[0] - falling[-1], at_least=0.2)

# %% [markdown]
# Noise is divided by the root of the batch, bias by nothing. So more trajectories call for a larger
# $\lambda$, and a better critic allows a smaller one. The usual values, 0.9 to 0.97, fit a critic
# that is still learning.
#
# (Each panel shows the root mean square over four critics, since one critic may be lucky.)

# %% [markdown]
# ## 5. All weights on one page
#
# **Question.** Which of all these weights is how wrong, and how noisy?
#
# Every estimator so far is a sum of scores with some weight. Here they stand one below the other:
# what biases it, by how much of the exact gradient's length, and the total variance of one
# trajectory's estimate. The critic is the rough one of section 4; $Q$ and $A$ are the exact ones,
# which nobody has in practice. The biases are exact, the variances measured on 4000 episodes, with
# their standard errors.
#
# **Predict.** Which has the smaller variance: the exact action value $Q$, or the sampled
# reward-to-go minus a rough $V$?

# %% demo=true
choices = [pg.tr("exact Q"), pg.tr("to go - V")]
pg.predict("quieter_weight", pg.tr("The smaller variance:"), None, choices=choices)

# %% demo=true
visits = pg.exact.visits(env, pi)  # (S,)
V, Q = pg.exact.state_values(env, pi), pg.exact.action_values(env, pi)


def bias_of(expected):
    """Relative bias of weights with this expectation (S, A), by the policy gradient theorem."""
    mean = (pi * expected).sum(1, keepdims=True)
    return np.linalg.norm(visits[:, None] * pi * (expected - mean) - exact) / size_of_truth


def n_step_expectation(critic, n):
    """(S, A): expectation of n rewards and the critic's value, for each action."""
    values = np.where(env.terminal, 0.0, critic)
    for _ in range(n):
        backup = (env.transitions * (env.rewards + values * ~env.terminal)).sum(2)  # (S, A)
        values = (pi * backup).sum(1)
    return backup


returns = np.apply_along_axis(reward_to_go, 0, play.rewards)  # (T, N)
whole, mean_return = returns[0], pg.exact.objective(env, pi)
nothing, critics = pg.tr("nothing"), pg.tr("the critic's errors")
lines = [  # name, biased by, bias, weights (T, N)
    (pg.tr("whole return"), nothing, 0.0, whole),
    (pg.tr("whole - mean"), nothing, 0.0, whole - mean_return),
    (pg.tr("to go"), nothing, 0.0, returns),
    (pg.tr("to go - mean"), nothing, 0.0, returns - mean_return),
    (pg.tr("to go - V"), nothing, 0.0, returns - critic[play.states]),
    (pg.tr("exact Q"), nothing, bias_of(Q), Q[play.states, play.actions]),
    (pg.tr("exact A"), nothing, bias_of(Q), (Q - V[:, None])[play.states, play.actions]),
]
for n in (10, 3, 1):
    weights, expected = n_step_advantages(*rows, n, 1.0), n_step_expectation(critic, n)
    lines.append((f"n = {n}", critics, bias_of(expected), weights))
for lam in (0.95, 0.8, 0.0):
    mean = pg.exact.gradient_moments(env, pi, "gae", values=critic, lam=lam).mean
    found = np.linalg.norm(mean - exact) / size_of_truth
    lines.append((f"GAE, λ = {lam:g}", critics, found, gae(*rows, gamma=1.0, lam=lam)))
table = {}
heads = pg.tr("weight"), pg.tr("biased by"), pg.tr("bias"), pg.tr("total variance")
print("{:<17} {:<22} {:>6} {:>15}".format(*heads))
for name, reason, bias_here, weights in lines:
    width, doubt = spread(gradient_samples_of(play, weights))
    table[name] = bias_here, width
    print(f"{name:<17} {reason:<22} {bias_here:6.0%} {width:8.1f} ± {doubt:4.1f}")
pg.outcome("quieter_weight", min(choices, key=lambda name: table[name][1]))

# %% claim="the_page_of_weights"
noise = [width for _bias, width in table.values()]
claim("A baseline takes most of the whole return's variance", noise[1] / noise[0], at_most=0.4)
claim("Leaving out earlier rewards takes less than subtracting the mean", noise[2] / noise[1],
      at_least=1.5)
claim("The rough V does no better than the mean", noise[4] / noise[3], at_least=0.9)
claim("The exact Q is not a quiet weight: it has no baseline", noise[5] / noise[6], at_least=3)
claim("The exact advantage is quieter than any sum of rewards minus a baseline",
      noise[6] / min(noise[:5]), at_most=0.5)
claim("Fewer steps are quieter", noise[9] / noise[7], at_most=0.95)
biases = [found for found, _width in table.values()]
claim("The fewer steps, the larger the bias", min(np.diff(biases[7:10])), at_least=0)
claim("No bias without a critic", biases[5], at_most=1e-3)

# %% [markdown]
# Compare the rows. To leave out rewards that came before the action takes a little of the variance,
# to subtract what was to be expected takes most; a rough $V$ does no better than the mean here. What
# is left in "to go - V" is the noise of everything that happens later.
# The exact $Q$ has none of that noise, and is noisier all the same: it has no baseline, so every
# action is blamed for the bad state. The exact advantage has neither fault. The rows with a critic
# come close to it, and pay with a bias.
#
# ### Experiment: the textbook's order, and where it fails
#
# Two policies now: the one that knows nothing, and one that takes the best action with half of its
# probability, and any action with the other half. All values are exact this time, so every estimator
# is unbiased (up to the clock), and only the variance differs.
#
# **Predict.** Put these in order for the second policy, from noisy to quiet: whole return,
# reward-to-go, reward-to-go minus the mean return, reward-to-go minus the exact value.

# %% demo=true
four = [pg.tr("whole return"), pg.tr("to go"), pg.tr("to go - mean"), pg.tr("to go - V")]
pg.predict("noisiest_of_four", pg.tr("The noisiest of the four:"), None, choices=four)

# %% demo=true alt="Two bar charts of total variance on a logarithmic scale, measured bars with exact diamonds near their tops. Above, for the policy that knows nothing, the variance falls from about 1500 for the whole return to below 20 for GAE with lambda 0. Below, for the policy that knows half, the first five bars are almost equal, the one with the exact value slightly higher by its diamond, and only GAE lowers it."
half = 0.5 * pg.exact.best_policy(env) + 0.5 / env.num_actions  # (S, A)


def contestants(policy):
    """name: (weights (T, N) of 2000 episodes, exact total variance); the episodes."""
    play, value = played(2000, 7, policy), pg.exact.state_values(env, policy)
    returns, mean = np.apply_along_axis(reward_to_go, 0, play.rewards), pg.exact.objective(env, policy)
    rows = play.rewards, value[play.states], value[play.next_states], play.terminated, play.truncated

    def exactly(kind, **how):
        return pg.exact.gradient_moments(env, policy, kind, **how).total_variance

    zero = 0 * value
    found = {
        pg.tr("whole\nreturn"): (returns[0], exactly("return")),
        pg.tr("whole\n- mean"): (returns[0] - mean, exactly("return", shift=-mean)),
        pg.tr("return\nto go"): (returns, exactly("baseline", baseline=zero)),
        pg.tr("to go\n- mean"): (returns - mean, exactly("baseline", baseline=zero + mean)),
        pg.tr("to go\n- V"): (returns - rows[1], exactly("baseline", baseline=value)),
    }
    for lam in (0.95, 0.5, 0.0):
        weights = gae(*rows, gamma=1.0, lam=lam)
        found[f"GAE\nλ={lam:g}"] = weights, exactly("gae", values=value, lam=lam)
    return found, play


compared = {
    pg.tr("policy that knows nothing"): pi,
    pg.tr("policy that knows half"): half,
}
fig, axes = plt.subplots(2, 1, figsize=(9, 7), sharey=True)
for ax, (title, policy) in zip(axes, compared.items()):
    found, drawn = contestants(policy)
    widths = [total_variance(gradient_samples_of(drawn, w, policy)) for w, _exact in found.values()]
    truth = [exactly for _weights, exactly in found.values()]
    pg.plots.bars(list(found), widths, truth, ylabel=pg.tr("total variance"), ax=ax)
    ax.set_title(title)
pg.outcome("noisiest_of_four", four[int(np.argmax([truth[i] for i in (0, 2, 3, 4)]))])
plt.show()

# %% claim="the_textbook_order_fails"
claim("For the second policy V is worse than nothing", truth[4] / truth[2], at_least=1.01)
claim("483 against 468, exactly", max(abs(truth[4] - 483), abs(truth[2] - 468)), at_most=0.5)
claim("The first five hardly differ", max(truth[:5]) / min(truth[:5]), at_most=1.25)
claim("Only GAE lowers it", truth[5] / min(truth[:5]), at_most=0.8)

# %% [markdown]
# For the beginner the order is the textbook's: reward-to-go takes a little, a constant takes four
# fifths, the value a little more, and GAE most of the rest, down to little more than a hundredth of
# what we began with. (One episode in twenty reaches the goal, and those few carry most of the
# variance. So even 2000 episodes measure it only roughly.)
#
# For the second policy it is **not**. The first five bars hardly differ. Subtracting the exact value
# is even a little *worse* than subtracting nothing: 483 against 468, exactly. No theorem is broken.
# That $V$ leaves the mean alone is proved; that it lowers the variance is not, and the
# state-dependent baseline that minimises it is another one, weighted by the lengths of the scores
# as in lesson 03.
#
# What helps under both policies is not the value as a baseline but the value as a *bootstrap*: GAE
# with $\lambda<1$ replaces the noise of the far future by the critic's expectation. That is where a
# critic earns its keep, and where its errors turn into bias.

# %% [markdown]
# ## 6. Train with your own GAE
#
# **Question.** What changes in the training loop?
#
# Lesson 03's `train_actor_critic` is REINFORCE with a baseline. Its reward-to-go takes the clock for
# an end, just what section 1 warned of. Three things change, all of them in front of the loss:
#
# - the weights are your `gae`, with the values from *before* the batch is learned from;
# - a cut episode bootstraps from its `last_state`;
# - the critic's target is advantage plus value. At $\lambda=1$ that is the return with the cut
#   state's value, at $\lambda=0$ the reward plus the next value.
#
# ### Exercise: `train_with_gae`
#
# For each update: play `batch_size` episodes, compute every step's advantage with your `gae`, form
# one loss over all steps of the batch, take one optimiser step. The loss is minus log-probability
# times advantage, plus half of your `value_loss` against the targets.
#
# - `env, policy, critic, optimizer, num_updates, batch_size, gamma, rng` as for
#   `train_actor_critic`; `lam` is $\lambda$.
# - `rollout(env, theta, rng)` gives trajectories with `last_state` and `terminated`.
# - Episodes may stand one below the other in one column of `gae`'s arrays: that is what the flags
#   are for.
# - All randomness comes from `rng`.
# - Return the mean return of each batch, `(num_updates,)`, without discount.

# %% exercise="train_with_gae"
def train_with_gae(env, policy, critic, optimizer, num_updates, batch_size, gamma, lam, rng):
    """Train both modules in place, with generalised advantages.

    Returns the mean undiscounted return of each batch, (num_updates,).
    """
    ### BEGIN SOLUTION
    every_state, history = np.arange(env.observation_space.n), np.zeros(num_updates)
    for update in range(num_updates):
        logits = policy(every_state).detach().double().numpy()  # (S, A)
        known = critic(every_state).detach().double().numpy()  # (S,), before this batch
        batch = [rollout(env, logits, rng) for _ in range(batch_size)]
        states = np.concatenate([traj.states for traj in batch])  # (B,)
        rewards = np.concatenate([traj.rewards for traj in batch])
        reached = np.concatenate([np.append(traj.states[1:], traj.last_state) for traj in batch])
        last = np.cumsum([len(traj) for traj in batch]) - 1  # the row in which each one stopped
        ended, cut = np.zeros(len(states), dtype=bool), np.zeros(len(states), dtype=bool)
        ended[last] = [traj.terminated for traj in batch]
        cut[last] = ~ended[last]
        rows = rewards, known[states], known[reached], ended, cut
        adv = gae(*(row[:, None] for row in rows), gamma, lam)[:, 0]  # (B,)
        values = critic(states)  # (B,)
        adv, target = torch.as_tensor(adv).to(values), torch.as_tensor(adv + known[states]).to(values)
        actions = torch.as_tensor(np.concatenate([traj.actions for traj in batch]))
        logp = torch.log_softmax(policy(states), dim=-1).gather(-1, actions[:, None])[:, 0]
        loss = -(logp * adv).mean() + 0.5 * value_loss(values, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history[update] = np.mean([traj.rewards.sum() for traj in batch])
    return history
    ### END SOLUTION


# %% check="train_with_gae" points=4
check("train_with_gae")

# %% [markdown]
# ## 7. The race
#
# **Question.** Who learns faster, and why?
#
# Five learners on lesson 02's board, 20 steps a game, at the same number of episodes: 60 updates of
# 10, twelve runs each, plain gradient ascent. All are tuned in the same way, over five learning
# rates, and the curves show each at its own best.
#
# - **REINFORCE**: the whole return.
# - **minus V, clock as end**: lesson 03's actor-critic.
# - **minus V, cut**: the same, but a cut episode gets the value of its last state. That is your
#   `gae` at $\lambda=1$.
# - **GAE, λ = 0.95** and **0.8**.
#
# **Predict.** Which step is the larger one: from REINFORCE to a critic, from the clock as an end to
# the cut, or from $\lambda=1$ to $0.8$?

# %% demo=true
stages = [pg.tr("the critic as a baseline"), pg.tr("the cut instead of an end"), "λ < 1"]
pg.predict("largest_stage", pg.tr("The largest step forward:"), None, choices=stages)

# %% demo=true trained=true alt="Left, the mean objective of five learners over 60 updates: REINFORCE and the critic that takes the clock for an end stay well below the others, with wide bands; the three that bootstrap at the cut climb close to the best reachable objective. Right, the mean over all updates for five learning rates: the three that bootstrap lie above the two others."
def to_go(play):
    """What `reward_to_go` gives for each episode of a batch, all at once: (T, N)."""
    return play.rewards[::-1].cumsum(axis=0)[::-1]  # summed from the last step on


def whole_return(play, values, next_values):
    returns = to_go(play)
    return returns[:1], returns


def clock_as_end(play, values, next_values):
    returns = to_go(play)
    return returns - values, returns


def with_gae(lam):
    """Your gae as the weights, and advantage plus value as the critic's target."""

    def weigh(play, values, next_values):
        rows = play.rewards, values, next_values, play.terminated, play.truncated
        adv = gae(*rows, gamma=1.0, lam=lam)
        return adv, adv + values

    return weigh


racers = {
    pg.tr("REINFORCE"): whole_return,
    pg.tr("minus V, clock as end"): clock_as_end,
    pg.tr("minus V, cut"): with_gae(1.0),
    "GAE, λ = 0.95": with_gae(0.95),
    "GAE, λ = 0.8": with_gae(0.8),
}
rates = [0.1, 0.2, 0.4, 0.8, 1.6]


def race(weigh, seed, rate):
    """Exact objectives (12, 60) of twelve runs."""
    return pg.learn_many(board, weigh, np.random.default_rng(seed), rate, num_updates=60)


runs = {name: [race(weigh, 0, rate) for rate in rates] for name, weigh in racers.items()}
pg.plots.tuned(runs, rates, pg.exact.best_stationary(board), pg.tr("exact objective"))
plt.show()
print(pg.tr("runs of 12 that end above 5, by learning rate"))
print(" " * 24 + "".join(f"{rate:>6g}" for rate in rates))
for name, found in runs.items():
    print(f"{name:>24}" + "".join(f"{(run[:, -1] > 5).sum():>6}" for run in found))
at_best = [max(run.mean() for run in found) for found in runs.values()]
pg.outcome("largest_stage", stages[int(np.argmax(np.diff(at_best)[[0, 1, 3]]))])

# %% claim="the_cut_is_the_larger_step" seeds=12 rates=[0.1, 0.2, 0.4]
def again(seed, rate):
    """Mean over updates: bootstrapped at the cut less clock as end, both without lambda."""
    return race(with_gae(1.0), seed, rate).mean() - race(clock_as_end, seed, rate).mean()


_whole, as_end, at_cut, *_gae = (found[1].mean() for found in runs.values())  # at rate 0.2
claim("Bootstrapping at the cut is a large step forward", at_cut - as_end, at_least=0.8, again=again)

# %% claim="gae_solves_it" seeds=12 rates=[0.1, 0.2, 0.4]
def again(seed, rate):
    """Runs of 12 that end above 5."""
    return (race(with_gae(0.8), seed, rate)[:, -1] > 5).sum()


with_0_8 = list(runs.values())[4][1]  # lambda 0.8 at rate 0.2
claim("With GAE eleven of twelve runs at least get there", (with_0_8[:, -1] > 5).sum(), at_least=11,
      again=again)

# %% claim="the_clock_as_an_end_loses_runs" seeds=12 rates=[0.2, 0.4, 0.8]
def again(seed, rate):
    """Runs of 12 that end above 5 where the clock is an end."""
    return (race(clock_as_end, seed, rate)[:, -1] > 5).sum()


as_end = list(runs.values())[1][2]  # at rate 0.4
claim("Where the clock is an end at least two of twelve are lost", (as_end[:, -1] > 5).sum(),
      at_most=10, again=again)

# %% claim="lambda_widens_the_range_of_rates" seeds=12 rates=[0.4, 0.8, 1.6]
def again(seed, rate):
    """How far GAE leads over the same without lambda, at large rates."""
    return race(with_gae(0.8), seed, rate).mean() - race(with_gae(1.0), seed, rate).mean()


_whole, _end, at_cut, _high, low = (found[-1].mean() for found in runs.values())  # at rate 1.6
claim("At large rates a smaller lambda keeps learning", low - at_cut, at_least=-0.3, again=again)

# %% [markdown]
# The large step is the cut. Under a clock that counts as an end, walking into a wall costs 2 and
# then it is over, which beats a pit. Bootstrapped, the same walk is worth what would come after it,
# and hardly a run settles there. A $\lambda$ below 1 adds little at small rates; at large ones it keeps
# learning where $\lambda=1$ begins to lose runs, since every batch is less noisy. So the lead of GAE
# is a wider range of safe rates.
#
# Where is the newer method slower? In the first updates: to walk into a wall is learned faster than
# the way to the goal, so those who count the clock as an end are ahead at first. And its lead needs
# the clock: on the board with 50 steps, where it seldom strikes, the mean of the other returns of
# the batch, without any critic, comes much closer.

# %% demo=true trained=true
def minus_the_others(play, values, next_values):
    returns = to_go(play)
    batches = returns[0].reshape(-1, 10)  # (runs, episodes)
    return np.apply_along_axis(leave_one_out_advantages, 1, batches).reshape(1, -1), returns


def at_its_best(weigh, seed, steps):
    """Mean objective over updates and twelve runs at the best rate; steps: on the clock."""
    other, found = pg.envs.Grid(max_steps=steps), []
    for rate in (0.2, 0.4, 0.8):
        luck = np.random.default_rng(seed)
        found.append(pg.learn_many(other, weigh, luck, rate, num_updates=60).mean())
    return max(found)


all_of_them = racers | {pg.tr("leave one out"): minus_the_others}
with_50 = {name: at_its_best(weigh, 0, 50) for name, weigh in all_of_them.items()}
runs[pg.tr("leave one out")] = [race(minus_the_others, 0, rate) for rate in rates]
with_20 = {name: max(run.mean() for run in found[1:4]) for name, found in runs.items()}
print(pg.tr("mean objective after 5 updates, and over all with 20 and with 50 steps on the clock"))
for name in all_of_them:
    first = runs[name][1][:, 4].mean()  # at the rate 0.2
    print(f"{name:>24}: {first:6.1f} {with_20[name]:6.1f} {with_50[name]:6.1f}")

# %% claim="slower_at_first" seeds=12 rates=[0.15, 0.2, 0.25]
def again(seed, rate):
    """Clock as end less GAE, after five updates, mean over twelve runs."""
    first = [race(weigh, seed, rate)[:, 4].mean() for weigh in (clock_as_end, with_gae(0.8))]
    return first[0] - first[1]


first = [found[1][:, 4].mean() for found in runs.values()]  # at rate 0.2
claim("Those who count the clock as an end are ahead at first", first[1] - first[4], at_least=0,
      again=again)

# %% claim="the_lead_needs_the_clock" seeds=12
def again(seed):
    """GAE's lead over leave-one-out on the board with 20 steps, less that on the one with 50."""
    leads = [
        at_its_best(with_gae(0.8), seed, steps) - at_its_best(minus_the_others, seed, steps)
        for steps in (20, 50)
    ]
    return leads[0] - leads[1]


leads = [found["GAE, λ = 0.8"] - found[pg.tr("leave one out")] for found in (with_20, with_50)]
claim("Leave-one-out comes much closer where the clock seldom strikes", leads[0] - leads[1],
      at_least=1, again=again)

# %% [markdown]
# One more caution. The objective still counts with the clock. We trained for a world without one,
# because on this board both worlds have the same best policy. Where the clock belongs to the task,
# bootstrapping at the cut aims at something else.
#
# Your own loop in torch, at last, with Adam in place of plain ascent:

# %% demo=true trained=true alt="Learning curves of train_with_gae over three seeds, which climb from about minus 8 to close to the best reachable return; the thin lines of the runs lie close together at the end."
def gae_run(seed, rate=0.1, num_updates=60):
    """Mean returns of one run of your own loop."""
    policy = pg.TabularPolicy(board.num_states, board.num_actions)
    critic = pg.TabularCritic(board.num_states)
    groups = [
        {"params": policy.parameters(), "lr": rate},
        {"params": critic.parameters(), "lr": 0.5},
    ]
    optimizer, luck = torch.optim.Adam(groups), np.random.default_rng(seed)
    return train_with_gae(board, policy, critic, optimizer, num_updates, 16, 1.0, 0.9, luck)


curves = np.array([gae_run(seed) for seed in range(3)])  # (3, 60)
best_return = pg.exact.best_stationary(board)
pg.plots.learning_curves({"train_with_gae": curves}, reference=best_return)
plt.show()

# %% claim="the_students_loop_gets_there" seeds=12 rates=[0.05, 0.1, 0.2]
def again(seed, rate):
    """Mean return of the last ten of 60 updates of one run."""
    return gae_run(seed, rate)[-10:].mean()


claim("Each of the three runs gets there", curves[:, -10:].mean(1).min(), at_least=6, again=again)

# %% [markdown]
# ## 8. Who gets the credit?
#
# In lesson 01 every step of an episode carried the same weight. Here is one episode on the board
# under each estimator, with the exact values of the policy that knows half.
#
# **Predict.** Which steps will turn negative although the episode ended well?

# %% demo=true
pg.predict("negative_steps", pg.tr("Number of steps with a negative TD error:"), None)

# %% demo=true alt="Credit strip of one successful episode. Whole return gives every step the same positive weight, and reward-to-go almost the same. Minus V gives weights that are all positive and grow where the state was worth little. The TD errors are negative at the steps that lead away from the goal or beside a pit, and positive at those that lead towards it."
def advantages(env, traj, values, lam):
    """gae on one trajectory at gamma 1: its arrays become columns (T, 1), and back -> (T,)."""
    ended, cut = np.zeros(len(traj), dtype=bool), np.zeros(len(traj), dtype=bool)
    ended[-1], cut[-1] = traj.terminated, not traj.terminated
    rows = traj.rewards, values[traj.states], values[following_states(traj)], ended, cut
    return gae(*(row[:, None] for row in rows), gamma=1.0, lam=lam)[:, 0]


value = pg.exact.state_values(board, half)
luck = np.random.default_rng(4)
games = (rollout(board, np.log(half), luck) for _ in range(1000))
game = next(g for g in games if 9 <= len(g) <= 11 and g.rewards.sum() > 8)
credit = {
    pg.tr("whole return"): np.full(len(game), game.rewards.sum()),
    pg.tr("reward-to-go"): reward_to_go(game.rewards),
    pg.tr("minus V"): reward_to_go(game.rewards) - value[game.states],
    pg.tr("GAE, λ = 0.8"): advantages(board, game, value, 0.8),
    pg.tr("TD error"): advantages(board, game, value, 0.0),
}
pg.plots.credit_strip([board.action_names[a] for a in game.actions], credit, game.rewards)
plt.show()
pg.outcome("negative_steps", int((credit[pg.tr("TD error")] < 0).sum()))

# %% claim="minus_v_praises_every_step"
to_go_row, minus_v, td_row = (list(credit.values())[i] for i in (1, 2, 4))
claim("Minus V is positive at every step of the good episode", minus_v.min(), at_least=0)
claim("It is no smaller throughout", minus_v.max() / to_go_row.max(), at_least=1)
claim("Some TD errors are negative", td_row.min(), at_most=-0.1)

# %% [markdown]
# The upper rows praise every step, detours included. The TD errors name them: a step away from the
# goal, or one that leads beside a pit, is negative even in a good game. GAE shades from one view
# to the other.
#
# ### What this means for a language model
#
# A sentence is scored once, at its end, so whole return and reward-to-go are the same for all of
# its tokens (lesson 02). A critic that knows what a half-written sentence is worth can do better.
# How much better depends on the policy that it values. We take two: one that knows nothing, and one
# after 20 exact gradient steps, which has learned a good deal.
#
# **Predict.** "the dog sleeps" holds a noun and a verb, but the wrong verb. Which token will the
# critic blame?

# %% demo=true
tokens = ["dog", "sleeps", ".", pg.tr("none of them")]
pg.predict("blamed_token", pg.tr("The learned policy's critic blames"), None, choices=tokens)

# %% demo=true alt="Two credit strips for the sentence the dog sleeps. In both the return gives each token 7. Under the policy that knows nothing all three TD errors are positive, that of the wrong verb as well. Under the policy that has learned something the wrong verb's TD error is negative, those of the two other tokens are positive."
language = pg.envs.TokenEnv()
logits = np.zeros((language.num_states, language.num_actions))
beginner = softmax(logits)
for _ in range(20):
    logits = logits + 0.3 * pg.exact.policy_gradient(language, softmax(logits))
words = [language.symbols.index(word) for word in ("dog", "sleeps", ".")]
states = [language.state_of(words[:k]) for k in range(len(words))]
paid = [0.0, 0.0, float(language.score("the dog sleeps"))]
ended_state = int(np.flatnonzero(language.terminal)[0])
sentence = pg.Trajectory(states, words, paid, last_state=ended_state, terminated=True)
verb = {}
fig, axes = plt.subplots(2, 1, figsize=(7, 6.4))
for ax, (name, policy) in zip(axes, {
    pg.tr("critic of a policy that knows nothing"): beginner,
    pg.tr("critic of a policy that has learned something"): softmax(logits),
}.items()):
    value = pg.exact.state_values(language, policy)
    surprise = advantages(language, sentence, value, 0.0)
    credit = {
        pg.tr("return"): np.full(3, sentence.rewards.sum()),
        pg.tr("minus V"): reward_to_go(sentence.rewards) - value[sentence.states],
        pg.tr("TD error"): surprise,
    }
    pg.plots.token_strip(["dog", "sleeps", "."], credit, sentence.rewards, prompt="the", ax=ax)
    ax.set_title(name)
    verb[name] = surprise
plt.show()
pg.outcome("blamed_token", tokens[int(surprise.argmin())] if surprise.min() < 0 else tokens[3])

# %% claim="who_is_blamed"
early, late = verb.values()
claim("The beginner's critic praises all three tokens", early.min(), at_least=1)
claim("And the full stop most", early[2] - early[:2].max(), at_least=1)
claim("The learned one blames the wrong verb", late[1], at_most=-2)
claim("And praises the others", min(late[0], late[2]), at_least=0.2)

# %% [markdown]
# The return praises all three tokens alike. The TD errors say what each token *changed*: how much
# better the sentence was expected to become once that token stood there. The critic of the beginner
# expects so little that any verb is good news, and the largest credit goes to the full stop: each
# further word costs 3, so stopping in time was the best thing it did. The critic of the policy that
# has learned something expects the right verb after "dog", and blames the wrong one. Credit is
# measured against what this policy would have done.
#
# Whether a critic can be trained well enough to say so is one of the questions that separate PPO
# (lessons 05 and 06) from methods that do with comparisons between whole answers (lesson 07).

# %% [markdown]
# ## What you take along
#
# - Bellman: the expected TD error of an action is its advantage, if the value is the true one.
# - Terminated means that nothing follows; truncated means that we stopped looking.
# - $n$ steps, or their mixture by $\lambda$: fewer real rewards, less noise, more of the critic's
#   errors. More trajectories call for a larger $\lambda$, a better critic allows a smaller one.
# - On our board the cut was the large step, and a smaller $\lambda$ made larger rates safe.
# - Credit is measured against what the policy would have done.
#
# Your predictions, and what came:

# %% demo=true trained=true
pg.predictions()

# %% [markdown]
# ## References
#
# - J. Schulman, P. Moritz, S. Levine, M. Jordan, P. Abbeel (2016), *High-dimensional continuous
#   control using generalized advantage estimation*, ICLR.
#   [arXiv:1506.02438](https://arxiv.org/abs/1506.02438)
# - F. Pardo, A. Tavakoli, V. Levdik, P. Kormushev (2018), *Time limits in reinforcement learning*,
#   ICML. [arXiv:1712.00378](https://arxiv.org/abs/1712.00378)
# - R. S. Sutton, A. G. Barto (2018), *Reinforcement learning: an introduction*, second edition,
#   chapters 7 and 12. [incompleteideas.net](http://incompleteideas.net/book/the-book-2nd.html)
