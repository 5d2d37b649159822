# Source of the start page. It is no assignment: prose and demos only.

# %% [markdown]
# # Start here
#
# This course takes you from backpropagation to PPO, the algorithm with which language models are
# trained on rewards. You write the algorithms yourself. You need Python, NumPy and a first
# acquaintance with PyTorch; reinforcement learning is explained from the start.
#
# Each lesson is a notebook. You read, predict, write a function, and ask a check whether it is
# right. Every claim in the text is shown by code that you can run and change.
#
# [English](../en/00_start.ipynb) · [Español](../es/00_start.ipynb)

# %% [markdown]
# ## Is everything installed?
#
# Run the cell below: click into it and press Shift+Enter. If it prints nothing, all is well.

# %% demo=true
import policy_gradients as pg
from grader import check

# %% [markdown]
# If it says `ModuleNotFoundError`, the course's packages are not where this notebook runs.
#
# - **In this course's folder on your machine:** `make lab` installs everything and opens this page.
# - **VS Code:** run `make setup` (or the commands for Windows in `README.md`), then choose the
#   Python of the folder `.venv` as the notebook's kernel.
# - **Colab:** run `%pip install git+https://github.com/OWNER/REPOSITORY` in a first cell, with the
#   address of the repository that you got the notebook from, and restart the session.

# %% [markdown]
# ## How a check speaks
#
# An exercise asks for one function. Below it stands its check. Here is one from lesson 01, with a
# wrong answer already in place. The discounted sum of the rewards $r_0, r_1, \ldots$ is
# $\sum_t \gamma^t r_t$, where the number $\gamma$ (`gamma`) between 0 and 1 makes later rewards
# count less.
#
# **Predict:** what is wrong with this function, and on which input would you notice?

# %% demo=true
def discounted_return(rewards, gamma=1.0):
    return float(sum(rewards))


check("discounted_return")

# %% [markdown]
# Read it from the top. **step** names the question that was asked: does it run, has the result the
# right kind, shape and values? **input** is a call that you can repeat. **expected** and **got**
# are what should have come and what came. **hint** points at the mistake and never prints the
# solution.
#
# Change the function and run the cell again, as often as you like. Checks cost nothing, and asking
# ten times is no worse than asking once. To begin anew, run `pg.reset("softmax")`, with your
# exercise's name, in the cell of your answer: its first version comes back.

# %% [markdown]
# ## The lessons
#
# **Part one, the chapter:** from the log-derivative trick to PPO on a small language model.
#
# | lesson | what you learn | reading | exercises and questions | points |
# |---|---|---|---|---|
# | [01 · REINFORCE by hand](01_reinforce/01_reinforce.ipynb) | the log-derivative trick, the estimator, its loss | 24 min | 11 | 25 |
# | [02 · Why REINFORCE is noisy](02_variance/02_variance.ipynb) | where the noise comes from, and how much there is | 17 min | 11 | 28 |
# | [03 · Baselines, critic, advantage](03_baseline_critic/03_baseline_critic.ipynb) | baselines, advantages, actor-critic | 18 min | 10 | 19 |
# | [03b · From one step to λ](03b_gae/03b_gae.ipynb) | TD errors, n-step advantages, GAE | 17 min | 6 | 14 |
# | [04 · The clip, case by case](04_ppo_clip/04_ppo_clip.ipynb) | importance ratios, PPO's clip, what it doesn't bound | 24 min | 12 | 20 |
# | [05 · The full PPO loop](05_ppo_loop/05_ppo_loop.ipynb) | rollouts, minibatches, the whole algorithm, its bugs | 24 min | 9 | 20 |
# | [05b · PPO in practice](05b_practice/05b_practice.ipynb) | the details and what they do, continuous actions | 11 min | 4 | 20 |
# | [06 · Toward language](06_toward_language/06_toward_language.ipynb) | the same loop on tokens, and the KL leash | 21 min | 9 | 20 |
#
# **Part two, beyond the chapter:** how language models are trained today.
#
# | lesson | what you learn | reading | exercises and questions | points |
# |---|---|---|---|---|
# | [07 · Groups instead of a critic](07_groups/07_groups.ipynb) | RLOO, GRPO, whose mean a loss is, the KL's gradient | 17 min | 12 | 25 |
# | [08 · Your code beside the libraries'](08_libraries/08_libraries.ipynb) | what ten libraries call GAE, KL, clip fraction and value loss | 12 min | 8 | 21 |
#
# **What the times mean.** They are for reading alone: the words of the text, counted, at 180 words
# a minute, without the code and the references. Writing the exercises takes longer than reading, and
# how long differs much from one person to the next. Nobody has been timed. One lesson in one or two
# evenings is a sensible plan.
#
# The lessons build on each other. Each notebook still runs alone: what an earlier lesson taught is
# given again, so that one unsolved exercise does not lock the rest.

# %% [markdown]
# ## How far are you?
#
# The cell below reads your saved notebooks, runs those that you have begun, and asks all their
# checks. With much done this takes a minute or two. Save your work first (Ctrl+S, on a Mac Cmd+S).
#
# In a terminal, `python -m grader progress` says the same.

# %% demo=true
pg.progress()
