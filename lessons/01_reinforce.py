# Source of lesson 01. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 01 · REINFORCE by hand
#
# You know how to train a network on examples. Compute a loss, run backpropagation, take a step.
# In this course nobody shows the network a right answer. It acts, and at the end a number says how
# well that went.
#
# Surprisingly little has to change. **A policy gradient is backpropagation with a different
# loss.** What is hard about it is something else: the average that we climb runs over data that
# the policy makes itself.
#
# In this lesson you will
#
# 1. write a policy, let it act, and say exactly what "good" means,
# 2. find the gradient of that, although no derivative of the reward exists,
# 3. build the algorithm REINFORCE on it and train a policy,
# 4. look at what such a gradient believes, step by step and word by word.
#
# **How this notebook works.** An exercise is a function with `raise NotImplementedError` in it.
# Put your code there and run the `check` cell below it. The check says what is wrong and gives a
# hint. All other code runs as it is. Before an experiment you are asked for a prediction. Commit to
# it first, in the box, in the cell's code in place of `None`, or on paper. It is kept beside this
# notebook, shown with what came out, and not graded. A wrong prediction teaches more than a right
# one.
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
# ## 1. The setting
#
# ### A world of seven cells
#
# Our first world is a corridor. The agent starts in the middle. At the right end is a goal (+10),
# at the left end a pit (-10), and each step costs 0.1. An episode ends in the goal, in the pit, or
# after 20 steps.
#
# The cell where the agent stands is the **state** $s$. Going left or right is the **action** $a$.
# The number that follows each action is the **reward** $r$. So a step between two cells brings
# -0.1, and the step into the goal brings 10 - 0.1 = 9.9.

# %% demo=true alt="A corridor of seven cells with a pit at the left end and a goal at the right end. In each cell between them two arrows of equal length point left and right."
env = pg.envs.Corridor()
uniform = np.full((env.num_states, env.num_actions), 0.5)  # (S, A)
pg.plots.policy(env, uniform)
plt.show()
print(pg.tr("{S} states, {A} actions").format(S=env.num_states, A=env.num_actions))

# %% [markdown]
# ### What is a policy?
#
# A **policy** $\pi_\theta(a\mid s)$ gives the probability of each action in each state. The arrows
# above are one: left and right are equally likely everywhere.
#
# The letter $\theta$ stands for the numbers that training will change. Here they are a table with
# a row for each of the $S$ states and a column for each of the $A$ actions. An entry $\theta_{s,a}$,
# called a **logit**, may be any real number. The **softmax** turns a row of logits into probabilities:
#
# $$\pi_\theta(a\mid s)=\frac{e^{\theta_{s,a}}}{\sum_{b}e^{\theta_{s,b}}}$$
#
# where $b$ runs over all actions. A neural network does the same: its last layer gives the logits.
#
# ### Exercise: `softmax`
#
# - `logits` is an array `(..., A)`. The actions lie along the last axis; the dots stand for any other
#   axes, or none.
# - The result has the same shape. Along its last axis the numbers add up to 1.
# - Logits as large as 10000 must not overflow. Here is what helps: add a constant to every logit
#   of a row, and see what happens to the fraction above.
# - Leave `logits` as it is.

# %% exercise="softmax"
def softmax(logits):
    """Probabilities along the last axis.

    logits (..., A) -> (..., A)

    Example: softmax(np.array([0.0, np.log(3.0)])) is [0.25, 0.75].
    """
    ### BEGIN SOLUTION
    logits = np.asarray(logits, dtype=float)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))  # at most 1: no overflow
    return weights / weights.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% check="softmax" points=1
check("softmax")

# %% [markdown]
# ### Log-probabilities
#
# From here on the logarithm of a probability will matter more than the probability. Products turn
# into sums, and tiny numbers stay readable: a sentence of 100 words may have probability
# $10^{-300}$, and its log-probability is about $-690$.
#
# ### Exercise: `log_prob`
#
# Which log-probability has the action that was *taken*?
#
# - `logits` is `(..., A)`, as above. `actions` holds whole numbers and has the shape of the dots.
# - The result has that shape, too: one log-probability for each action taken.
# - It must be finite for logits as large as 10000, also for an action whose probability is too
#   small for a computer. So do not take the logarithm of `softmax`. Take the logarithm of the
#   formula on paper first.
#
# `np.take_along_axis` picks one entry of each row.

# %% exercise="log_prob"
def log_prob(logits, actions):
    """Log-probability of each action taken.

    logits (..., A), int actions (...) -> (...)

    Example: log_prob(np.array([[0.0, np.log(3.0)]]), np.array([1])) is [log(0.75)].
    """
    ### BEGIN SOLUTION
    logits, actions = np.asarray(logits, dtype=float), np.asarray(actions)
    centred = logits - logits.max(axis=-1, keepdims=True)
    logp = centred - np.log(np.exp(centred).sum(axis=-1, keepdims=True))  # (..., A)
    return np.take_along_axis(logp, actions[..., None], axis=-1)[..., 0]  # (...)
    ### END SOLUTION


# %% check="log_prob" points=2
check("log_prob")

# %% [markdown]
# ### Playing an episode
#
# The policy acts until the episode ends. What happened on the way is a **trajectory**
#
# $$\tau=(s_0,a_0,r_0,\;s_1,a_1,r_1,\;\dots,\;s_{T-1},a_{T-1},r_{T-1},\;s_T).$$
#
# $T$ is the number of steps. The reward $r_t$ follows the action $a_t$, which was chosen in the
# state $s_t$. In the last state $s_T$ nobody acts any more. A trajectory is random twice over: the
# policy draws the actions, and the world draws the next state and, in some worlds, the reward.
#
# Our environments speak [Gymnasium's](https://gymnasium.farama.org/) language:
#
# ```python
# state, info = env.reset()
# next_state, reward, terminated, truncated, info = env.step(action)
# ```
#
# An episode ends in one of two ways. `terminated` says that it came to its end, in the goal or in
# the pit. `truncated` says that the time ran out.
#
# ### Exercise: `rollout`
#
# Play one episode with the softmax policy `theta`, and write down what happened.
#
# - `env` is an environment whose observation is the number of the state.
# - `theta` is the table of logits, `(S, A)`.
# - `rng` is a NumPy generator. All chance comes from it: `rng.choice` draws an action.
# - The result is `pg.Trajectory(states, actions, rewards)` with T states, T actions, T rewards.
#   The last state $s_T$ is left out.

# %% exercise="rollout"
def rollout(env, theta, rng):
    """Plays one episode with the softmax policy of a table of logits.

    env, theta (S, A), rng -> pg.Trajectory of T states, T actions, T rewards

    Example: rollout(pg.envs.Corridor(length=3), np.zeros((3, 2)), rng) has one step.
    """
    ### BEGIN SOLUTION
    states, actions, rewards = [], [], []
    pi = softmax(theta)  # (S, A)
    state, _info = env.reset()
    over = False
    while not over:
        action = int(rng.choice(len(pi[state]), p=pi[state]))
        next_state, reward, terminated, truncated, _info = env.step(action)
        states.append(state)
        actions.append(action)
        rewards.append(reward)
        state, over = next_state, terminated or truncated
    return pg.Trajectory(states, actions, rewards, last_state=state, terminated=terminated)
    ### END SOLUTION


# %% check="rollout" points=3
check("rollout")

# %% [markdown]
# ### A trajectory and its policy
#
# Here is one episode of a policy that leans to the right. The arrows are the policy: the longer
# and darker, the more probable. The line is the trajectory. Time runs downwards, and each step's
# reward stands on the right. Another seed shows another episode.

# %% demo=true alt="A corridor seen from above, with time running downwards. Arrows in each cell are longer to the right than to the left. A line zigzags from the middle cell to the goal at the right end; small negative rewards stand beside its steps and +9.9 beside the last one."
leaning = np.tile([0.0, 0.8], (env.num_states, 1))  # (S, A), logits: right is likelier
trajectory = rollout(env, leaning, np.random.default_rng(0))
pg.plots.trajectory(env, trajectory, softmax(leaning))
plt.show()

# %% [markdown]
# ### How good was it?
#
# The **return** of a trajectory is the sum of its rewards. Often later rewards count less. A
# number $\gamma$ between 0 and 1, the **discount**, says by how much:
#
# $$R(\tau)=\sum_{t=0}^{T-1}\gamma^{t}\,r_t .$$
#
# With $\gamma=1$ this is the plain sum. We use $\gamma=1$ in this lesson's experiments.
#
# ### Exercise: `discounted_return`
#
# - `rewards` is an array `(T,)`, `gamma` the discount.
# - The result is one number.

# %% exercise="discounted_return"
def discounted_return(rewards, gamma=1.0):
    """Discounted sum of an episode's rewards.

    rewards (T,) -> float

    Example: discounted_return([0.0, 0.0, 1.0], gamma=0.5) is 0.25.
    """
    ### BEGIN SOLUTION
    rewards = np.asarray(rewards, dtype=float)
    return float(np.sum(gamma ** np.arange(len(rewards)) * rewards))
    ### END SOLUTION


# %% check="discounted_return" points=1
check("discounted_return")

# %% [markdown]
# ### The objective
#
# One return says little: the same policy may be lucky or not. What we want is a policy whose
# returns are high on average. That average is the **objective**
#
# $$J(\theta)=\mathbb E_{\tau\sim\pi_\theta}\big[R(\tau)\big]
# =\sum_{\tau}p_\theta(\tau)\,R(\tau).$$
#
# $\mathbb E$ is the expectation: each possible trajectory $\tau$ counts with its probability
# $p_\theta(\tau)$ under the policy.
#
# Our worlds are small enough to know $J$ exactly, by dynamic programming. `pg.exact.objective` is our
# referee: nothing that follows needs to be believed, it can be measured. In a world of real size there
# is no referee, and the average over episodes is all one has.
#
# **Predict.** The uniform policy goes left and right with equal probability. Roughly, what is its
# $J$? And what would a histogram of its returns look like?

# %% demo=true
pg.predict("uniform_objective", pg.tr("J of the uniform policy:"), None)

# %% demo=true alt="Histogram of returns. Two narrow groups of bars, one near minus ten and one near plus ten, and a small group near minus two. The exact objective, about minus 0.8, lies where there are almost no episodes."
rng = np.random.default_rng(0)
level = np.zeros((env.num_states, env.num_actions))  # (S, A), logits of the uniform policy
sample = [discounted_return(rollout(env, level, rng).rewards) for _ in range(4000)]
J = pg.exact.objective(env, softmax(level))
ax = pg.plots.returns(sample, J)
pg.outcome("uniform_objective", J, ax)
plt.show()
for count in (10, 100, 1000):
    averages = np.reshape(sample, (-1, count)).mean(axis=1)  # (4000 / count,)
    line = pg.tr("averages of {n:4d} returns lie between {low:6.2f} and {high:5.2f}")
    print(line.format(n=count, low=averages.min(), high=averages.max()))
print(pg.tr("exact objective: {J:.2f}").format(J=J))

# %% [markdown]
# $J$ lies a little below zero, since goal and pit balance and the steps cost something. Hardly any
# single episode comes near it. Returns jump between about -10 and +10. The small bar at -2 holds
# the episodes that the clock ended: 20 steps at -0.1. The average over ten episodes still jumps by
# several points, and even that of a thousand leaves the first digit in doubt. That is the reason for
# lessons 2 and 3.

# %% [markdown]
# ### The same words for a language model
#
# A language model is a policy. Nothing has to be added, only read anew:
#
# | | corridor | language model |
# |---|---|---|
# | state $s_t$ | the cell | the prompt and the tokens so far |
# | action $a_t$ | left or right | the next token |
# | policy $\pi_\theta(a\mid s)$ | softmax of a row of $\theta$ | softmax of the network's last layer |
# | next state | decided by the world | the text with the new token appended |
# | episode's end | goal, pit or time limit | the end-of-sequence token, or the length limit |
# | reward | at each step | often one number for the finished text |
#
# `pg.envs.TokenEnv` is such a world in small. The prompt is *the*. The vocabulary is two nouns,
# two verbs and the end-of-sequence token, written as a full stop. A finished sentence gets one
# reward: up to 10 for a noun with a verb that fits, less for nonsense. A text that has no full stop
# after four tokens is cut and gets 0. `rollout` needs no change.

# %% demo=true
words = pg.envs.TokenEnv()
no_idea = np.zeros((words.num_states, words.num_actions))  # (S, A), logits
rng = np.random.default_rng(3)
for _ in range(6):
    trajectory = rollout(words, no_idea, rng)
    text = " ".join(["the", *(words.symbols[token] for token in trajectory.actions)])
    print(f"{text:30}", pg.tr("return {R:4.0f}").format(R=discounted_return(trajectory.rewards)))

# %% [markdown]
# A model without any idea writes nonsense, and often stops too early or not at all. We will teach it.

# %% [markdown]
# ## 2. The log-derivative trick
#
# ### Why ordinary backpropagation does not work
#
# We want to climb $J$. So we need its gradient $\nabla_\theta J(\theta)$: the table of derivatives
# with respect to each logit, the same shape as $\theta$.
#
# In supervised learning the data are given and the loss depends on $\theta$. Here it is the other
# way round. Look at
#
# $$J(\theta)=\sum_\tau p_\theta(\tau)\,R(\tau).$$
#
# The return $R(\tau)$ of a given trajectory does not depend on $\theta$ at all. The reward may come
# from a black box: a game, a human's thumb. There is nothing to differentiate. $\theta$ only
# decides *which trajectories occur*. Once a trajectory has been drawn, the dependence is gone.
#
# ### The trick
#
# In words: instead of asking how the return changes with $\theta$, ask how the *probability* of
# what happened changes with $\theta$. Make probable what went well.
#
# For that, one identity from school is enough, the derivative of a logarithm. It holds for any
# positive function $p_\theta$:
#
# $$\nabla_\theta\,p_\theta(\tau)=p_\theta(\tau)\,\nabla_\theta\log p_\theta(\tau).$$
#
# It turns a gradient of probabilities back into an expectation, and expectations can be estimated
# by playing. The result (Williams 1992; Sutton and Barto 2018, chapter 13) is the sentence on which
# this whole course stands:
#
# $$\boxed{\;\nabla_\theta J(\theta)=\mathbb E_{\tau\sim\pi_\theta}\Big[R(\tau)\sum_{t=0}^{T-1}
# \nabla_\theta\log\pi_\theta(a_t\mid s_t)\Big]\;}$$
#
# Read it from the inside. $\nabla_\theta\log\pi_\theta(a_t\mid s_t)$ is the direction in which the
# action that was taken becomes more probable. It is called the **score**. Sum it over the
# trajectory, weight it with the return, average over trajectories.
#
# Something is missing in that formula: how the world works. No transition probability and no
# derivative of the reward appears.

# %% [markdown]
# ### Question: derive it
#
# Derive the boxed formula in the cell below.
#
# - Start from $J(\theta)=\sum_\tau p_\theta(\tau)R(\tau)$, and use the identity above.
# - Write $p_\theta(\tau)$ as a product: the probability of the first state, and at each step the
#   probability of the action and that of what the world answers: the next state and the reward.
# - Say in a sentence why the dynamics of the world drop out.
# - Say in another one why the result can be estimated by playing, while
#   $\sum_\tau\nabla_\theta p_\theta(\tau)\,R(\tau)$ cannot.
#
# This answer is read and marked by a person.

# %% [markdown] free="q_log_derivative" points=4
# The return of a given trajectory does not depend on $\theta$, so
#
# $$\nabla_\theta J=\sum_\tau \nabla_\theta p_\theta(\tau)\,R(\tau)
# =\sum_\tau p_\theta(\tau)\,\nabla_\theta\log p_\theta(\tau)\,R(\tau)
# =\mathbb E_{\tau\sim\pi_\theta}\big[R(\tau)\,\nabla_\theta\log p_\theta(\tau)\big].$$
#
# Let $\rho(s_0)$ be the probability of the first state and $P(s'\mid s,a)$ that of the next state.
# Then
#
# $$\log p_\theta(\tau)=\log\rho(s_0)+\sum_t\log\pi_\theta(a_t\mid s_t)
# +\sum_t\log P(s_{t+1}\mid s_t,a_t),$$
#
# with $t$ from $0$ to $T-1$ in both sums.
#
# Only the middle sum contains $\theta$. The gradient of the other two terms is zero, so the
# dynamics drop out:
# $\nabla_\theta\log p_\theta(\tau)=\sum_t\nabla_\theta\log\pi_\theta(a_t\mid s_t)$.
# Where the world draws the rewards, too, $P$ is the probability of both, $P(r,s'\mid s,a)$, and
# drops out in the same way.
#
# The result is an expectation under the policy, so the average over trajectories that the policy
# plays estimates it. In $\sum_\tau\nabla_\theta p_\theta(\tau)R(\tau)$ the trajectories are not
# weighted with their probabilities, so it is no average of anything that is played.
#
# ### BEGIN MARK SCHEME
# One point each:
#
# - The gradient is moved inside the sum, with the reason that $R(\tau)$ does not depend on
#   $\theta$.
# - $\nabla p=p\,\nabla\log p$ is used, and the sum is recognised as an expectation again.
# - $p_\theta(\tau)$ is written as a product, the logarithm makes it a sum, and the terms of the
#   world have gradient zero.
# - It is said that an average over played trajectories estimates the expectation, and why the sum
#   before the trick is no such average.
#
# An integral in place of the sum is right. So is a derivation through the ratio
# $p_\theta/p_{\theta'}$ at $\theta'=\theta$.
# ### END MARK SCHEME

# %% [markdown]
# ### The score, by hand
#
# The only derivative in the formula is that of $\log\pi_\theta(a\mid s)$. For our table it can be
# written down. Take the logarithm of the softmax,
#
# $$\log\pi_\theta(a\mid s)=\theta_{s,a}-\log\sum_b e^{\theta_{s,b}},$$
#
# and differentiate it with respect to each entry of the table. Three kinds of entries behave
# differently: the action that was taken, the other actions of the same state, and all the other
# states.
#
# ### Exercise: `grad_log_prob`
#
# - `theta` is the table of logits, `(S, A)`; `state` and `action` are whole numbers.
# - The result is the derivative of $\log\pi_\theta(a\mid s)$ with respect to the *whole table*,
#   `(S, A)`.
# - By hand: NumPy, no autograd.

# %% exercise="grad_log_prob"
def grad_log_prob(theta, state, action):
    """Derivative of the log-probability of one action with respect to all logits.

    theta (S, A), state and action: int -> (S, A)

    Example: grad_log_prob(np.zeros((2, 2)), 0, 1) is [[-0.5, 0.5], [0, 0]].
    """
    ### BEGIN SOLUTION
    theta = np.asarray(theta, dtype=float)
    score = np.zeros(theta.shape)  # (S, A): other states don't matter
    score[state] = -softmax(theta[state])
    score[state, action] += 1.0
    return score
    ### END SOLUTION


# %% check="grad_log_prob" points=2
check("grad_log_prob")

# %% [markdown]
# A derivative made by hand deserves a test. Nudge each logit up and down by a small $h$, look at
# how the log-probability moves, and divide by $2h$. If the two tables agree to many digits, the
# formula is right.

# %% demo=true
theta = np.random.default_rng(1).normal(size=(4, 3))  # (S, A)
state, action, h = 2, 0, 1e-5
nudged = np.zeros_like(theta)
for entry in np.ndindex(theta.shape):
    step = np.zeros_like(theta)
    step[entry] = h
    up, down = log_prob((theta + step)[state], action), log_prob((theta - step)[state], action)
    nudged[entry] = (up - down) / (2 * h)
print(pg.tr("by hand:"), grad_log_prob(theta, state, action).round(4), sep="\n")
print(pg.tr("by nudging:"), (nudged + 0.0).round(4), sep="\n")

# %% [markdown]
# Each row adds up to zero: what one action gains, the others lose. Remember that. It will answer a
# question later.

# %% [markdown]
# ### The estimate
#
# An expectation is estimated by an average. Play $N$ trajectories $\tau_1,\dots,\tau_N$ and take
#
# $$\hat g=\frac1N\sum_{i=1}^{N}R(\tau_i)\sum_{t}\nabla_\theta\log\pi_\theta(a_t^{(i)}\mid
# s_t^{(i)}),$$
#
# where the small $(i)$ marks the steps of trajectory $i$.
#
# ### Exercise: `reinforce_gradient`
#
# - `theta` is `(S, A)`; `trajectories` is a list of N trajectories of different lengths, each with
#   `states`, `actions` and `rewards`; `gamma` is the discount inside the return.
# - The result is $\hat g$, `(S, A)`.
# - Every score of a trajectory gets the *whole* return of that trajectory.

# %% exercise="reinforce_gradient"
def reinforce_gradient(theta, trajectories, gamma=1.0):
    """REINFORCE estimate: mean over trajectories of return times summed score.

    theta (S, A), N trajectories -> (S, A)

    Example: one step with action 1 in state 0 and reward 2, from np.zeros((2, 2)), gives
    [[-1, 1], [0, 0]].
    """
    ### BEGIN SOLUTION
    total = np.zeros(np.shape(theta))  # (S, A)
    for trajectory in trajectories:
        ret = discounted_return(trajectory.rewards, gamma)
        for state, action in zip(trajectory.states, trajectory.actions):
            total += ret * grad_log_prob(theta, state, action)
    return total / len(trajectories)
    ### END SOLUTION


# %% check="reinforce_gradient" points=3
check("reinforce_gradient")

# %% [markdown]
# ### Is that really the gradient of $J$?
#
# A corridor of five cells with at most eight steps has so few trajectories that we can list them all,
# each with its probability. Then the boxed formula is an ordinary sum. We compare it with a
# computation that knows nothing of the trick: nudge each logit and watch $J$ itself.

# %% demo=true
small = pg.envs.Corridor(length=5, max_steps=8)
theta = 0.5 * np.random.default_rng(2).normal(size=(small.num_states, small.num_actions))  # (S, A)

listed = list(pg.exact.enumerate_trajectories(small, softmax(theta)))
exact = sum(p * reinforce_gradient(theta, [tau]) for p, tau in listed)  # (S, A)

h, nudged = 1e-5, np.zeros_like(theta)
for entry in np.ndindex(theta.shape):
    step = np.zeros_like(theta)
    step[entry] = h
    up, down = (pg.exact.objective(small, softmax(theta + sign * step)) for sign in (1, -1))
    nudged[entry] = (up - down) / (2 * h)

total = sum(p for p, _tau in listed)
mean = sum(p * discounted_return(tau.rewards) for p, tau in listed)
J = pg.exact.objective(small, softmax(theta))
print(pg.tr("{n} trajectories, their probabilities add up to {p:.6f}").format(n=len(listed), p=total))
print(pg.tr("mean return {mean:.6f}, objective {J:.6f}").format(mean=mean, J=J))
print(pg.tr("the formula, summed over all of them:"), exact.round(4), sep="\n")
agree = np.abs(exact - nudged).max() < 1e-6
print(pg.tr("equal to the derivative of J itself, to six digits: {yes}").format(yes=agree))

# %% [markdown]
# The trick is no approximation. Summed over all trajectories, it *is* the gradient. The first and
# the last row are zero: in the pit and in the goal nobody acts.
#
# ### How fast does the estimate get there?
#
# In any larger world there are sampled trajectories only. We play 20,000 episodes of the same policy,
# cut them into groups of $N$, and measure how far each group's estimate lies from the exact gradient:
# the root of the mean squared distance.
#
# **Predict.** With 100 times as many trajectories, how many times closer does the estimate come?
# And what will the law look like where both axes are logarithmic?

# %% demo=true
pg.predict("hundredfold", pg.tr("With 100 times as many trajectories, closer by a factor of:"), None)

# %% demo=true alt="Distance from the exact gradient over the number of trajectories, both axes logarithmic. Measured points from N = 4 to N = 2000 fall on a straight line that runs alongside the reference line of slope minus one half."
rng = np.random.default_rng(5)
episodes = [rollout(small, theta, rng) for _ in range(20_000)]
single = np.array([reinforce_gradient(theta, [tau]) for tau in episodes])  # (20000, S, A)

sizes, distances = [4, 20, 100, 500, 2000], []
for N in sizes:
    estimates = single.reshape(-1, N, *theta.shape).mean(axis=1)  # (20000 / N, S, A)
    squares = ((estimates - exact) ** 2).sum(axis=(1, 2))  # (20000 / N,)
    distances.append(np.sqrt(squares.mean()))
pg.plots.convergence(sizes, distances)
plt.show()
pg.outcome("hundredfold", distances[1] / distances[4])
for N, distance in zip(sizes, distances):
    print(pg.tr("N = {N:4d}   distance {d:.2f}").format(N=N, d=distance))
length = np.linalg.norm(exact)
print(pg.tr("length of the exact gradient itself: {length:.2f}").format(length=length))

# %% [markdown]
# The estimate converges to the exact gradient, on logarithmic axes along a straight line of slope
# $-\tfrac12$: the distance shrinks like $1/\sqrt N$, as for every average of independent samples. 100
# times as many trajectories come 10 times closer, give or take the luck of the few groups at the
# right end. That is slow. With four trajectories the error is more than half as long as the gradient
# itself. Lesson 2 is about that.

# %% [markdown]
# ## 3. REINFORCE
#
# ### From a gradient to a loss
#
# **Question.** Deep learning libraries want a loss and find the gradient themselves. Which loss
# has the REINFORCE estimate as its gradient?
#
# **Idea.** The returns are numbers, already known. Only the log-probabilities depend on $\theta$.
# So write down the estimate without its $\nabla$ and let autograd put it in:
#
# $$L(\theta)=-\frac1N\sum_{i=1}^N R(\tau_i)\sum_t\log\pi_\theta(a_t^{(i)}\mid s_t^{(i)}),
# \qquad \nabla_\theta L=-\hat g .$$
#
# The minus sign is there because optimisers descend, and we want to climb.
#
# **One practical matter.** Trajectories differ in length, tensors are rectangular. So short rows
# are filled up with zeros, which is called padding. `pg.padded_logp` computes the
# log-probabilities of a batch in that form, with their graph attached. The policy is now a torch
# module, `pg.TabularPolicy`; its table is `policy.theta`.

# %% demo=true
policy = pg.TabularPolicy(env.num_states, env.num_actions)
rng = np.random.default_rng(7)
batch = [rollout(env, np.zeros((env.num_states, env.num_actions)), rng) for _ in range(4)]
print(pg.tr("lengths:"), [len(trajectory) for trajectory in batch])
print(pg.padded_logp(policy, batch).detach().numpy().round(2))  # (N, T)

# %% [markdown]
# ### Exercise: `reinforce_loss`
#
# - `logp` is a tensor `(N, T)`: log-probabilities, zero at padded steps. `returns` is a tensor
#   `(N,)`.
# - The result is $L$, a tensor with a single number, still attached to the graph.
# - The sum is over steps, the mean is over trajectories. A padded zero adds nothing to a sum, but
#   it would count in a mean.

# %% exercise="reinforce_loss"
def reinforce_loss(logp, returns):
    """Loss whose gradient is minus the REINFORCE estimate.

    logp (N, T) with zeros at padded steps, returns (N,) -> scalar tensor

    Example: reinforce_loss(torch.tensor([[-1.0, -2.0]]), torch.tensor([3.0])) is 9.
    """
    ### BEGIN SOLUTION
    return -(returns * logp.sum(dim=1)).mean()  # (N,) -> ()
    ### END SOLUTION


# %% check="reinforce_loss" points=3
check("reinforce_loss")

# %% [markdown]
# ### You know this loss already
#
# A classifier is trained with the **cross-entropy**: minus the log-probability of the right class.
# Take the action as the class and the action *that the policy itself has taken* as the label. Then
# $-\log\pi_\theta(a_t\mid s_t)$ is that cross-entropy, and REINFORCE weights it with the return:
#
# $$L(\theta)=\frac1N\sum_{i=1}^N R(\tau_i)\sum_t
# \mathrm{CE}\big(\pi_\theta(\cdot\mid s_t^{(i)}),\,a_t^{(i)}\big).$$
#
# Two things differ from a classifier. The policy made the labels up. And the weight may be negative:
# "less of this".

# %% demo=true
theta, rng = np.zeros((env.num_states, env.num_actions)), np.random.default_rng(7)
batch = [rollout(env, theta, rng) for _ in range(4)]
policy = pg.TabularPolicy(env.num_states, env.num_actions).double()
returns = torch.tensor([discounted_return(trajectory.rewards) for trajectory in batch])  # (N,)
yours = reinforce_loss(pg.padded_logp(policy, batch), returns)

cross_entropy = torch.stack([
    torch.nn.functional.cross_entropy(
        policy(trajectory.states), torch.tensor(trajectory.actions), reduction="sum")
    for trajectory in batch
])  # (N,), summed over the steps of each trajectory
library = (returns * cross_entropy).mean()
print(pg.tr("reinforce_loss:         {loss:.10f}").format(loss=yours))
print(pg.tr("weighted cross-entropy: {loss:.10f}").format(loss=library))

# %% [markdown]
# ### Three ways to one gradient
#
# Now three computations stand side by side, on the same world and the same policy:
#
# - **by hand**: your `reinforce_gradient`, NumPy and a formula on paper;
# - **autograd**: your `reinforce_loss`, one ordinary backward pass, with the sign turned round;
# - **exact**: dynamic programming, no trajectory involved.
#
# **Predict.** Which two agree to ten digits? How far from them is the third, with 500
# trajectories?

# %% demo=true
pg.predict("distance_of_500", pg.tr("Distance to the exact gradient, in % of its length:"), None)

# %% demo=true alt="Entries of one gradient for each cell and action. Circles (by hand) and squares (autograd) coincide everywhere; both lie near the black lines of the exact gradient, a little above or below."
theta = np.random.default_rng(2).normal(size=(env.num_states, env.num_actions))  # (S, A)
rng = np.random.default_rng(11)
batch = [rollout(env, theta, rng) for _ in range(500)]
by_hand = reinforce_gradient(theta, batch)  # (S, A)

policy = pg.TabularPolicy(env.num_states, env.num_actions).double()
policy.theta.data = torch.tensor(theta)
returns = torch.tensor(
    [discounted_return(trajectory.rewards) for trajectory in batch], dtype=torch.float64
)  # (N,)
reinforce_loss(pg.padded_logp(policy, batch), returns).backward()
autograd = -policy.theta.grad.numpy()  # (S, A)

exact = pg.exact.policy_gradient(env, softmax(theta))  # (S, A)
acting = ~env.terminal  # nobody acts in the pit and in the goal
names = [f"{s}{arrow}" for s in np.flatnonzero(acting) for arrow in "←→"]
estimates = {pg.tr("by hand"): by_hand[acting].ravel(), pg.tr("autograd"): autograd[acting].ravel()}
pg.plots.gradients(names, exact[acting].ravel(), estimates)
plt.show()
same = np.allclose(by_hand, autograd, rtol=0, atol=1e-10)
print(pg.tr("by hand and autograd equal to ten digits: {yes}").format(yes=same))
apart = np.linalg.norm(by_hand - exact) / np.linalg.norm(exact)
print(pg.tr("distance to the exact gradient: {share:.0%} of its length").format(share=apart))
pg.outcome("distance_of_500", 100 * apart)

# %% [markdown]
# Your formula and autograd give the same numbers. The exact gradient differs, because 500 trajectories
# are a sample. So the difficulty lies in the sample, not in the backward pass.

# %% [markdown]
# ### Question: must the loss fall?
#
# Soon you will train a policy with this loss. **While the policy gets better, must the loss
# fall?** Commit yourself now; the experiment comes after.
#
# - `"a"` Yes. A falling loss is how one sees learning.
# - `"b"` No, it must rise, because we climb.
# - `"c"` Yes, once the batch is large enough to average the noise out.
# - `"d"` No. Its gradient is what counts; its value may fall or rise while the returns rise.

# %% question="q_loss_must_fall"
q_loss_must_fall = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_loss_must_fall = "d"
### END SOLUTION

# %% check="q_loss_must_fall" points=1
check("q_loss_must_fall")

# %% [markdown]
# ### The algorithm
#
# REINFORCE (Williams 1992) repeats four lines:
#
# 1. **Collect**: play a batch of episodes with the policy as it is now.
# 2. **Returns**: compute the return of each.
# 3. **Update**: one backward pass through `reinforce_loss`, one optimiser step.
# 4. **Log**: write down the mean return of the batch.
#
# Then throw the batch away. After the step the policy is another one, and the expectation runs
# over *its* samples. An algorithm that learns only from what its present policy has just done is
# called **on-policy**.
#
# ### Exercise: `train_reinforce`
#
# - `env` is a tabular environment; `policy` a torch module that gives logits, with its table in
#   `policy.theta`; `optimizer` moves its weights; `rng` is the generator for `rollout`.
# - Do `num_updates` updates with `batch_size` episodes each. The discount is 1.
# - The result is the mean return of each batch, `(num_updates,)`.
# - `rollout` wants the table as a NumPy array: `policy.theta.detach().numpy()`.
# - `backward()` adds to the gradients that are already there. The optimiser can clear them.
#
# The check trains a policy in a small grid that you have not seen. The trained policy must reach
# 90 % of the best objective, by the referee's exact computation.

# %% exercise="train_reinforce"
def train_reinforce(env, policy, optimizer, num_updates, batch_size, rng):
    """Trains the policy in place by REINFORCE.

    Returns the mean return of each batch, (num_updates,).

    Example: train_reinforce(env, policy, torch.optim.Adam(policy.parameters(), lr=0.1), 60, 16,
    np.random.default_rng(0)) ends with higher numbers than it began with.
    """
    ### BEGIN SOLUTION
    history = np.zeros(num_updates)
    for update in range(num_updates):
        theta = policy.theta.detach().numpy()  # (S, A), the policy as it is now
        batch = [rollout(env, theta, rng) for _ in range(batch_size)]
        logp = pg.padded_logp(policy, batch)  # (N, T)
        returns = [discounted_return(trajectory.rewards) for trajectory in batch]
        loss = reinforce_loss(logp, torch.tensor(returns, dtype=logp.dtype))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history[update] = np.mean(returns)
    return history
    ### END SOLUTION


# %% check="train_reinforce" points=4
check("train_reinforce")

# %% [markdown]
# ### Learning curves
#
# Time for a harder world: a board of four by four cells, start at the top left, goal at the bottom
# right, two pits. We train five policies that differ only in their seed, with Adam (Kingma and Ba
# 2015). Between updates the referee computes the exact objective, which the algorithm never sees.
#
# **Predict.** The best objective is 9.4. How many of the five come within one of it? And will the
# sampled curves, averages of 16 episodes, look smooth?

# %% demo=true
pg.predict("five_learn", pg.tr("How many of the five end above 8.4:"), None)

# %% demo=true trained=true alt="Mean return over 80 updates for five seeds. The sampled curves start near minus nine, wobble, and rise to about nine. The mean of the exact objective, in black, runs smoothly through their middle and approaches the best reachable value, a dotted line at 9.4."
grid = pg.envs.Grid()
best = pg.exact.best_stationary(grid)


def objective(policy, world=grid):
    """The referee's exact objective of a policy."""
    return pg.exact.objective(world, softmax(policy.theta.detach().numpy()))


def learn(seed, rate=0.1, make=pg.TabularPolicy, world=grid, num_updates=80):
    """Train: mean return of each batch (updates,), exact objectives (updates,), the policy."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    policy = make(world.num_states, world.num_actions)
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    sampled, exact = np.zeros((2, num_updates))
    for update in range(num_updates):
        exact[update] = objective(policy, world)
        sampled[update] = train_reinforce(world, policy, optimizer, 1, 16, rng)[0]
    return sampled, exact, policy


runs = [learn(seed) for seed in range(5)]
sampled, exact = (np.array(curves) for curves in list(zip(*runs))[:2])  # (seeds, updates)
pg.plots.learning_curves({pg.tr("sampled"): sampled}, reference=best, exact=exact)
plt.show()
print(pg.tr("best objective that can be reached: {best:.2f}").format(best=best))
print(pg.tr("exact objective of the last policies:"), exact[:, -1].round(1))
pg.outcome("five_learn", sum(exact[:, -1] > 8.4))

# %% claim="all_five_learn"
claim("all five learn", exact[:, -1].min(), at_least=8)
claim("the sampled curves start near -9", abs(sampled[:, :3].mean() + 8.5), at_most=1.5)
claim("the sampled curves end near 9", sampled[:, -5:].mean(), at_least=8)
claim("sampled curves wobble more than the exact ones",
      np.std(np.diff(sampled)) / np.std(np.diff(exact)), at_least=3)

# %% claim="the_board_is_learned" seeds=12 rates=[0.05, 0.1, 0.2]
import functools

once = functools.lru_cache(maxsize=1)(learn)


def ends(seed, rate):
    return once(seed, rate)[1][-1]


def jump(sampled, exact):
    return np.std(np.diff(sampled)) / np.std(np.diff(exact))


def jumps(seed, rate):
    return jump(*once(seed, rate)[:2])


claim("REINFORCE learns the board in 80 updates of 16 episodes: from -8.5 to above 7",
      exact[0, -1], at_least=7, again=ends)
claim("From update to update the sampled return jumps at least twice as much as the objective",
      jump(sampled[0], exact[0]), at_least=2, again=jumps)

# %% [markdown]
# All five learn. The exact objective rises smoothly, while the sampled returns of the same policies
# jump around it. In practice one sees a single sampled curve: noise on top of a trend.
#
# Here is what the last of the five policies does. Follow the longest arrow of each cell from the
# top left: they lead to the goal. Off that way, where few episodes came, an arrow may point anywhere.

# %% demo=true trained=true alt="A board of four by four cells with two pits and a goal at the bottom right. The longest arrows lead from the top left along one way around the pits to the goal."
policy = learn(4)[2]
pg.plots.policy(grid, softmax(policy.theta.detach().numpy()))
plt.show()

# %% claim="the_longest_arrows"
longest = np.eye(4)[policy.theta.detach().numpy().argmax(axis=1)]  # (S, A)
claim("the longest arrows lead from the start to the goal", pg.exact.objective(grid, longest),
      at_least=9)

# %% [markdown]
# ### A batch is used once
#
# Why throw the batch away? Here both are tried. One policy gets a fresh batch of 64 episodes for
# every step. The other one keeps its first batch and steps on it again and again.
#
# **Predict.** What does the second one reach?

# %% demo=true
pg.predict("same_batch", pg.tr("Objective after 60 steps on one batch of 64 episodes:"), None)

# %% demo=true trained=true alt="Exact objective over 60 gradient steps, three seeds each. With a fresh batch for every step it rises from minus 8.5 to about nine. With the first batch used again and again it rises at first and then stays far below."
def practise(seed, rate=0.1, fresh=True, num_steps=60):
    """Exact objectives and losses, (steps,) each, with fresh batches or with the first one alone."""
    rng, found, losses = np.random.default_rng(seed), np.zeros(num_steps), np.zeros(num_steps)
    policy = pg.TabularPolicy(grid.num_states, grid.num_actions)
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    for step in range(num_steps):
        theta = policy.theta.detach().numpy()
        found[step] = objective(policy)
        if fresh or step == 0:
            batch = [rollout(grid, theta, rng) for _ in range(64)]
            returns = torch.tensor([discounted_return(trajectory.rewards) for trajectory in batch])
        loss = reinforce_loss(pg.padded_logp(policy, batch), returns)
        losses[step] = loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found, losses


fresh = np.array([practise(seed)[0] for seed in range(3)])  # (seeds, steps)
same, losses = np.array([practise(seed, fresh=False) for seed in range(3)]).transpose(1, 0, 2)
ax = pg.plots.learning_curves(
    {pg.tr("a fresh batch each step"): fresh, pg.tr("one batch, again and again"): same},
    reference=best)
ax.set(xlabel=pg.tr("gradient step"), ylabel=pg.tr("exact objective"))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
pg.outcome("same_batch", same[:, -1].mean(), ax, axis="y")
plt.show()
print(pg.tr("loss on the one batch, first and last:"), losses[:, [0, -1]].round().tolist())

# %% claim="one_batch_serves_one_step" seeds=10 rates=[0.05, 0.1, 0.2]
def again(seed, rate):
    return practise(seed, rate)[0][-1] - practise(seed, rate, fresh=False)[0][-1]


claim("Sixty steps on one batch end at least 2 below sixty steps on fresh ones",
      fresh[0, -1] - same[0, -1], at_least=2, again=again)
claim("fresh batches reach about nine", fresh[:, -1].min(), at_least=8.5)
claim("the one batch's loss falls at every step", np.diff(losses).max(), at_most=0)

# %% [markdown]
# On its one batch the second policy does better and better: that loss falls with every step. Its
# objective rises at first and then stays far below, or falls. The batch says what the *first* policy
# met. The policy has become another one, goes where the batch has never been, and nobody tells it
# what is there. The gradient was right for one step. Lessons 4 and 5 get more out of a batch.
#
# ### The loss while learning
#
# Now the experiment to your answer about the loss. We train once more. Before each update an extra
# batch of 64 episodes is played, and we write down its loss and its mean return.

# %% demo=true trained=true alt="Two panels over 80 updates. The loss above starts far below zero, rises well above zero, and then sinks. The mean return below rises all the while from minus eight to about nine."
def loss_and_return(seed, rate=0.1, num_updates=80):
    """Loss and mean return of an extra batch before each update, (updates,) each."""
    rng = np.random.default_rng(seed)
    policy = pg.TabularPolicy(grid.num_states, grid.num_actions)
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    losses, mean_returns = np.zeros((2, num_updates))
    for update in range(num_updates):
        theta = policy.theta.detach().numpy()
        batch = [rollout(grid, theta, rng) for _ in range(64)]
        returns = torch.tensor([discounted_return(trajectory.rewards) for trajectory in batch])
        losses[update] = reinforce_loss(pg.padded_logp(policy, batch), returns).item()
        mean_returns[update] = returns.mean().item()
        train_reinforce(grid, policy, optimizer, 1, 16, rng)
    return losses, mean_returns


losses, mean_returns = loss_and_return(0)
pg.plots.loss_and_return(losses, mean_returns)
plt.show()
print(pg.tr("loss of the first batch {a:.0f}, highest {b:.0f}, last {c:.0f}").format(
    a=losses[0], b=max(losses), c=losses[-1]))

# %% claim="the_loss_rises_and_sinks"
claim("the loss starts far below zero", losses[0], at_most=-80)
claim("the loss rises well above zero", max(losses), at_least=40)
claim("the loss sinks in the end", losses[-5:].mean() / max(losses), at_most=0.9)
claim("the mean return rises to about nine", mean_returns[-5:].mean(), at_least=8)

# %% claim="the_loss_rises_while_the_returns_do" seeds=12 rates=[0.05, 0.1, 0.2]
def risen(losses, mean_returns):
    highest = int(np.argmax(losses))
    return min(losses[highest] - losses[0], 10 * (mean_returns[highest] - mean_returns[0]))


claim("The loss rises by more than 100 while the mean return rises by more than 10",
      risen(losses, mean_returns), at_least=100,
      again=lambda seed, rate: risen(*loss_and_return(seed, rate)))

# %% [markdown]
# The policy gets better and better, and the loss climbs from far below zero to far above it. The
# formula says why. Log-probabilities are negative. So while the returns are negative, the loss is, too;
# when they have become positive, it is positive. And as the policy becomes sure of itself, its
# log-probabilities come close to zero, and the loss sinks again.
#
# So the loss is no measure of anything. It carries the right gradient, at this policy, for this batch.
# After the step both are gone. To see learning, look at the returns.

# %% [markdown]
# ### Question: all returns positive
#
# A slot machine has three arms that pay 1, 2 and 3. Every return is positive, so every action that
# is taken has its log-probability pushed *up*. **Can REINFORCE learn which arm is best?**
#
# - `"a"` Yes. The probabilities compete: on average an arm that pays more than the mean rises at
#   the cost of those that pay less.
# - `"b"` No. Every arm that is pulled is pushed up, the good ones and the bad ones alike, so none can gain on another
#   and the policy stays as it is.
# - `"c"` Only after the returns are shifted, so that bad arms have negative ones.
# - `"d"` No. It ends with whichever arm happened to be pulled most often.

# %% question="q_all_positive"
q_all_positive = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_all_positive = "a"
### END SOLUTION

# %% check="q_all_positive" points=1
check("q_all_positive")

# %% [markdown]
# The experiment: the exact gradient at the start, then ten runs with batches of 16 pulls. The slider
# subtracts a constant from every return before the update, as the question suggests. Is a shift
# needed? Does it do anything?

# %% demo=true trained=true alt="Three panels with the probabilities of three arms over 60 updates, ten runs each. In all of them the arm that pays 3 rises from one third to nearly one. With nothing subtracted the single runs differ widely at first and the arm that pays 2 leads in some; with 2 subtracted they lie close together; with 4 subtracted they lie farther apart again."
bandit = pg.envs.Bandit(means=(1.0, 2.0, 3.0), noise=0.0)
print(pg.tr("exact gradient:"), pg.exact.policy_gradient(bandit, np.full((1, 3), 1 / 3)).round(3))


def pull(seed, rate=0.1, constant=0.0, num_updates=60):
    """Probabilities (updates, 3) of one run in which `constant` is subtracted from each return."""
    rng, pi = np.random.default_rng(seed), np.zeros((num_updates, 3))
    policy = pg.TabularPolicy(1, 3)
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    for update in range(num_updates):
        theta = policy.theta.detach().numpy()
        pi[update] = softmax(theta)[0]
        batch = [rollout(bandit, theta, rng) for _ in range(16)]
        returns = torch.tensor([discounted_return(trajectory.rewards) for trajectory in batch])
        optimizer.zero_grad()
        reinforce_loss(pg.padded_logp(policy, batch), returns - constant).backward()
        optimizer.step()
    return pi


constants = [0.0, 2.0, 4.0]
pulls = {c: np.array([pull(seed, constant=c) for seed in range(10)]) for c in constants}
arms = [pg.tr("arm that pays {n}").format(n=n) for n in (1, 2, 3)]


def draw(ax, constant):
    pg.plots.probabilities(pulls[constant], arms, ax=ax)
    ax.set_title(pg.tr("return minus {c:g}").format(c=constant))


pg.plots.strip(draw, constants, width=3.0, height=3.0)
plt.show()
leads = {c: int(((p[:, :, 1] > p[:, :, 2]).sum(axis=1) > 2).sum()) for c, p in pulls.items()}
for c in constants:
    line = pg.tr("minus {c:g}: in {n} of 10 runs the arm that pays 2 led for more than two updates")
    print(line.format(c=c, n=leads[c]))
pg.plots.slider(draw, constants, pg.tr("subtracted"), first=0.0)

# %% claim="three_arms"
claim("all ten runs of each kind end at the best arm", min(p[:, -1, 2].min() for p in pulls.values()),
      at_least=0.9)
claim("the arm that pays 2 leads in some runs", leads[0.0], at_least=1)
claim("but in hardly any with 2 subtracted", leads[2.0], at_most=1)
spread = {c: pulls[c][:, 10, 2].std() for c in constants}
claim("runs lie closer together with 2 subtracted", spread[2.0] / spread[0.0], at_most=0.7)
claim("and farther apart again with 4", spread[4.0] / spread[2.0], at_least=1.3)

# %% claim="all_positive_returns_teach" seeds=12 rates=[0.05, 0.1, 0.2]
def again(seed, rate):
    return pull(seed, rate)[-1, 2]


claim("With returns that are all positive the best arm's probability rises above 0.8",
      pulls[0.0][0, -1, 2], at_least=0.8, again=again)

# %% claim="the_mean_subtracted_keeps_runs_together" seeds=12 rates=[0.05, 0.1, 0.2]
def again(seed, rate):
    early = {c: [pull(10 * seed + run, rate, c, num_updates=11)[-1, 2] for run in range(10)]
             for c in (0.0, 2.0)}
    return np.std(early[2.0]) / np.std(early[0.0])


early = {c: pulls[c][:, 10, 2].std() for c in (0.0, 2.0)}
claim("After ten updates ten runs are closer together with the mean return subtracted",
      early[2.0] / early[0.0], at_most=1, again=again)

# %% [markdown]
# It learns, with every constant. Think of the rows of `grad_log_prob`, which add up to zero.
# Pushing one action up pushes the others down. All three arms push; the one that pays 3 pushes
# hardest, and the arm that pays 1 loses more from the others' pushes than it gains from its own.
# What counts is the return compared with the mean.
#
# But look at the thin lines, the single runs. With nothing subtracted they part widely, and in some
# of them the arm that pays 2 leads for a while: whatever happens to be pulled is pushed up, good or
# not. That cancels on average, not in one batch. With 2 subtracted, the mean return at the start, the
# runs stay together: an arm that pays the mean is not pushed at all. Lesson 3 makes a method of
# that.

# %% [markdown]
# ## 4. What the gradient believes
#
# ### Credit by association
#
# **Question.** A trajectory brought +9.1. Which of its steps deserve the credit?
#
# REINFORCE has a simple answer: all of them, equally. In $R(\tau)\sum_t\nabla\log\pi(a_t\mid s_t)$
# every score has the same weight, the return of the whole trajectory. A step is good because it
# was *there* when things went well.
#
# The strips below show two episodes, step by step. Colour and number are the weight of the step's
# log-probability. Below stands the reward that the step itself brought.
#
# **Predict.** The first episode goes left three times in a row, almost into the pit, then turns and
# reaches the goal. Which weight do those three steps get? The second episode starts in the right
# direction and ends in the pit. Which weight does its first step get?

# %% demo=true
pg.predict("first_step_weight", pg.tr("Weight of the second episode's first step:"), None)

# %% demo=true alt="Two strips of coloured cells. In the upper one every step, left or right, is blue with the weight +9.1. In the lower one every step, also the one to the right, is vermilion with the weight minus 10.5."
detour = pg.Trajectory(
    [3, 4, 3, 2, 1, 2, 3, 4, 5], [1, 0, 0, 0, 1, 1, 1, 1, 1], [-0.1] * 8 + [9.9]
)
fall = pg.Trajectory([3, 4, 3, 2, 1], [1, 0, 0, 0, 0], [-0.1] * 4 + [-10.1])

both = (detour, fall)
R = [discounted_return(trajectory.rewards) for trajectory in both]

pg.plots.use_style()
fig, axes = plt.subplots(2, 1, figsize=(7, 3.6))
for ax, trajectory, weight in zip(axes, both, R):
    labels = [pg.tr(env.action_names[action]) for action in trajectory.actions]
    weights = np.full(len(labels), weight)  # (T,): the same for every step
    pg.plots.credit_strip(labels, weights, trajectory.rewards, ax=ax, limit=11)
    ax.set_title(pg.tr("Return {R:+.1f}, the weight of every step").format(R=weight))
plt.show()
pg.outcome("first_step_weight", R[1])

# %% [markdown]
# The steps to the left in the first episode are rewarded as warmly as those to the right. The
# right step in the second one is punished. About these single steps the gradient is wrong.
#
# ### Why it works all the same
#
# Left and right steps meet good ends and bad ends, but not equally often. Averaged over many episodes,
# the difference remains. Here is the mean weight of every left step and of every right step, by cell,
# over 5000 episodes of the uniform policy.

# %% demo=true alt="Two rows of five cells, for steps to the left and to the right in cells 1 to 5. Weights rise from strongly negative in cell 1 to strongly positive in cell 5, and in every cell the one for right is larger than the one for left."
rng = np.random.default_rng(0)
acting = ~env.terminal  # nobody acts in the pit and in the goal
count, total = np.zeros((2, env.num_states, env.num_actions))  # (S, A) each
for _ in range(5000):
    trajectory = rollout(env, level, rng)
    R = discounted_return(trajectory.rewards)
    np.add.at(count, (trajectory.states, trajectory.actions), 1)
    np.add.at(total, (trajectory.states, trajectory.actions), R)
mean_weight = (total[acting] / count[acting]).T  # (A, 5)
cells = [pg.tr("cell {n}").format(n=n) for n in np.flatnonzero(acting)]
rows = {pg.tr(name): row for name, row in zip(env.action_names, mean_weight)}
ax = pg.plots.credit_strip(cells, rows)
ax.set_title(pg.tr("Mean weight of a step in each cell"))
plt.show()

# %% claim="right_steps_meet_better_ends" seeds=12
def again(seed):
    own = np.random.default_rng(seed)
    count, total = np.zeros((2, env.num_states, env.num_actions))
    for _ in range(2000):
        trajectory = rollout(env, level, own)
        np.add.at(count, (trajectory.states, trajectory.actions), 1)
        weight = discounted_return(trajectory.rewards)
        np.add.at(total, (trajectory.states, trajectory.actions), weight)
    left, right = (total[acting] / count[acting]).T
    return (right - left).min()


claim("In each cell steps to the right meet better ends", (mean_weight[1] - mean_weight[0]).min(),
      at_least=1, again=again)

# %% [markdown]
# In each cell the step to the right has met better ends than the step to the left, and that
# difference is all that the softmax feels. Association is a poor judge of one episode and a fair
# judge of many. The price is noise: each single weight is mostly about *other* steps.
#
# ### The same picture with words
#
# Now read the strip as a language model would. The prompt was given, so it gets no credit. After it
# come three tokens, with one reward at the end, and each token gets the whole of it.

# %% demo=true alt="Three strips of words, each after the grey prompt word 'the'. In 'the cat sleeps .' all tokens are dark blue with weight +10. In 'the cat barks .' all tokens are paler blue with weight +7. In 'the sleeps cat .' all tokens are vermilion with weight minus 7."
fig, axes = plt.subplots(3, 1, figsize=(7, 5))
for ax, text in zip(axes, ("cat sleeps .", "cat barks .", "sleeps cat .")):
    tokens = text.split()
    R = words.score(tokens[:-1])
    rewards = np.array([0.0] * (len(tokens) - 1) + [R])
    weights = np.full(len(tokens), R)
    pg.plots.token_strip(tokens, weights, rewards, prompt="the", ax=ax, limit=11)
    ax.set_title(pg.tr("Score {R:+.0f}, the weight of every token").format(R=R))
plt.show()

# %% [markdown]
# In *the cat barks* only the verb is at fault, yet *cat* gets no more credit than *barks*. In
# *the sleeps cat* each word is blamed alike. No single sentence tells which word it was. Many
# sentences do.
#
# **Predict.** Your `train_reinforce` knows nothing about language. Given this world, will it learn
# to write? And which noun will it prefer? We ask six times, with six seeds.

# %% demo=true
pg.predict("which_noun", pg.tr("The preferred noun in six runs:"), None,
           choices=[pg.tr("always cat"), pg.tr("always dog"), pg.tr("it depends on the run")])

# %% demo=true trained=true alt="For six seeds a bar split between cat and dog, the probabilities of the first word. The split differs from seed to seed."
def write(seed, rate=0.1, num_updates=100):
    """A policy of words after training: its probabilities (S, A), and each batch's mean return."""
    policy = pg.TabularPolicy(words.num_states, words.num_actions)
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    rng = np.random.default_rng(seed)
    history = train_reinforce(words, policy, optimizer, num_updates, 32, rng)
    return softmax(policy.theta.detach().numpy()), history


writers, histories = zip(*(write(seed) for seed in range(6)))
start = int(np.argmax(words.start))
first_word = np.array([pi[start] for pi in writers])  # (6, A)

ax, left = pg.plots.new_axes(height=2.6), np.zeros(6)
for token, color, hatch in zip((0, 1), pg.plots.COLORS, ("", "///")):
    style = {"color": color, "hatch": hatch, "edgecolor": "white"}
    ax.barh(range(6), first_word[:, token], left=left, label=words.symbols[token], **style)
    left += first_word[:, token]
ax.set(xlabel=pg.tr("probability as the first word"), ylabel=pg.tr("seed"), xlim=(0, 1))
ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
plt.show()
line = pg.tr("seed {n}: mean return from {a:4.1f} to {b:4.1f}; it writes: the {text}")
rng = np.random.default_rng(0)
for seed, (pi, history) in enumerate(zip(writers, histories)):
    actions = rollout(words, np.log(pi), rng).actions
    text = " ".join(words.symbols[token] for token in actions)
    print(line.format(n=seed, a=history[0], b=history[-1], text=text))
print(pg.tr("best possible: {best:.1f}").format(best=pg.exact.best_stationary(words)))
pg.outcome("which_noun", pg.tr("it depends on the run"))

# %% [markdown]
# Here is what the last of the six is likely to write.

# %% demo=true trained=true alt="A tree of the likeliest continuations of 'the' after training. Thick dark lines lead through a noun and the verb that fits it to the full stop, with a score of +10. A line's width is the probability of that token after the ones before it."
pg.plots.token_tree(words, write(5)[0], top=2)
plt.show()

# %% claim="it_learns_to_write" seeds=12 rates=[0.05, 0.1, 0.2]
def again(seed, rate):
    return pg.exact.objective(words, write(seed, rate)[0])


claim("100 updates of 32 sentences reach an expected score above 9",
      min(pg.exact.objective(words, pi) for pi in writers), at_least=9, again=again)

# %% claim="the_noun_is_luck"
claim("some seed prefers cat", first_word[:, 0].max(), at_least=0.7)
claim("some seed prefers dog", first_word[:, 1].max(), at_least=0.55)
claim("the first word is a noun", first_word[:, :2].sum(axis=1).min(), at_least=0.95)

# %% [markdown]
# All of them write, and they do not agree on the noun. Both sentences earn 10, so the gradient
# prefers neither. Luck in the first batches tips the balance, and whatever is written more often is
# learned faster. Whoever wants variety must ask for it: REINFORCE is content with one good answer.
# This is the skeleton of how language models are trained with rewards. What separates it from the
# real thing is noise, stability, and a leash, one lesson after the other.
#
# ## 5. A network instead of the table
#
# A table has a row for each state. A language model's states are texts, and nobody has a row for
# each text. There a network turns what it sees into logits. What changes in the algorithm?
#
# Below, a network of one hidden layer sees the cell as a one-hot vector, a 1 in the cell's place
# among zeros. `policy(states)` gives logits, as the table did, and `policy.theta` asks the network
# for all cells at once. Nothing else is new: the functions that train it are yours.
#
# **Predict.** It gets 80 batches of 16 episodes, in the corridor and on the board, as a table does.
# Will it come as far?

# %% demo=true
pg.predict("network_objective", pg.tr("Mean objective of five networks on the board:"), None)

# %% demo=true trained=true alt="Exact objective over 80 updates, five seeds each, a table and a network. In the corridor, on the left, both rise from about minus one to between nine and ten. On the board, on the right, the table rises to about nine, and the network rises to minus two and stays there."
class Network(torch.nn.Module):
    """A small network as a policy on a board: policy(states) -> logits (..., A)."""

    def __init__(self, num_states, num_actions):
        super().__init__()
        self.one_hot = torch.eye(num_states)  # (S, S), a row for each state
        self.layers = pg.MLP(num_states, num_actions, hidden=(32,), gain=0.01)

    def forward(self, states):
        return self.layers(self.one_hot[torch.as_tensor(states)])

    @property
    def theta(self):
        """The logits of all states, (S, A), as a table holds them."""
        return self.layers(self.one_hot)


def network(seed, rate=0.01, world=env):
    """Exact objectives (updates,) of a network in training."""
    return learn(seed, rate, Network, world)[1]


tables = [np.array([learn(seed, world=env)[1] for seed in range(5)]), exact]
networks = [np.array([network(seed, world=world) for seed in range(5)]) for world in (env, grid)]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for ax, table, net, title in zip(axes, tables, networks, (pg.tr("Corridor"), pg.tr("Board"))):
    pg.plots.learning_curves({pg.tr("table"): table, pg.tr("network"): net}, ax=ax)
    ax.set(title=title, ylabel=pg.tr("exact objective"))
pg.outcome("network_objective", networks[1][:, -1].mean(), axes[1], axis="y")
plt.show()

# %% claim="a_network_learns_the_corridor" seeds=12 rates=[0.003, 0.01, 0.03]
claim("A network learns the corridor in 80 updates of 16 episodes: above 9", networks[0][:, -1].min(),
      at_least=9, again=lambda seed, rate: network(seed, rate)[-1])
claim("so does the table", tables[0][:, -1].min(), at_least=9)
claim("on the board the network ends near -2", np.abs(networks[1][:, -1] + 2).max(), at_most=0.5)

# %% [markdown]
# In the corridor the network learns as the table does, by the same four lines. Backpropagation
# carries the score through its layers, and you wrote nothing for that. From here on a policy is a
# table, this network or a language model.
#
# The right panel is a warning. On the board the same network, with the same budget, ends at -2 in
# all five runs: it stays out of the pits, never finds the goal often enough, and waits for the
# clock. The cells share its weights, so that what happens near the start changes the policy
# everywhere. A gradient follows what has been seen; it does not go and look.
#
# ## What you have, and what is missing
#
# - A policy gives probabilities. Its objective is the mean return of what it does.
# - The log-derivative trick turns the gradient of that mean into a mean of returns times scores.
# - With a loss made for the purpose, one backward pass computes it. The loss itself means nothing.
# - Each step is weighted by the whole return. Averages sort out what single episodes confuse.
# - REINFORCE is on-policy: a batch serves one step and is thrown away.
#
# What is missing is a better estimate. Single returns jump between -10 and +10, and the gradient jumps
# with them. [Lesson 2](../02_variance/02_variance.ipynb) measures how much, and takes the first part of
# the noise away. Your predictions, beside what came out:

# %% demo=true trained=true
pg.predictions()

# %% [markdown]
# ## References
#
# - R. J. Williams. [Simple statistical gradient-following algorithms for connectionist
#   reinforcement learning](https://doi.org/10.1007/BF00992696). Machine Learning 8, 1992.
# - R. S. Sutton, A. G. Barto. [Reinforcement Learning: An
#   Introduction](http://incompleteideas.net/book/the-book-2nd.html), second edition, chapter 13.
#   MIT Press, 2018.
# - D. P. Kingma, J. Ba. [Adam: a method for stochastic
#   optimization](https://arxiv.org/abs/1412.6980). ICLR 2015.
