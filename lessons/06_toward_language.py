# Source of lesson 06. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 06 · Toward language
#
# A language model is a policy. Its state is the text so far, its action the next token. So the
# loop of lesson 05 should train it, and it does. Four things are new: which number belongs to which
# token, sentences of unequal length, one reward at the very end, and a second policy that holds the
# first one back.
#
# In this lesson you will
#
# 1. read prompt and completion as one trajectory, and get shift, masks and padding right,
# 2. pay a score at the end of a sentence, and see which tokens get the credit,
# 3. charge for drifting away from a reference model,
# 4. train a tiny language model with PPO, using the functions of lessons 03 to 05 as they are,
# 5. watch the score rise while the sense is lost, and hold it with a leash,
# 6. read the best length of that leash off a plot.
#
# The language is so small that scores and divergences are *exact*: every sentence is listed. What
# you read off the figures is no sampling noise.
#
# *Outside the course's folder:* in Colab, first run `%pip install git+https://github.com/OWNER/REPOSITORY`
# and restart the session; in VS Code, choose the Python of the folder `.venv` as the kernel.

# %% setup=true
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch

import policy_gradients as pg
from grader import check

torch.set_num_threads(1)

# %% [markdown]
# From the earlier lessons we take what PPO needs, as it was solved there. Nothing in it is changed
# for tokens.

# %% given=["value_loss", "td_errors", "gae", "importance_ratio", "normalize_advantages", "minibatches"]

# %% [markdown]
# ## 1. A language with eight tokens
#
# **Question.** What is the smallest language model on which everything can be seen?
#
# The words are `Ann`, `Bob`, `is`, `and`, `happy`, `kind`, `sad` and the end, written `.`. The end is
# the **end-of-sequence token**, for short **eos**. A text begins with a **prompt**, "Ann is" or
# "Bob is". The model writes the rest, the **completion**, of at most five tokens. A sentence makes
# *sense* if adjectives and `and` alternate, and it ends: "sad and kind ." does, "kind happy ." does
# not.
#
# The model is a **causal transformer** (Vaswani et al. 2017) of one layer, about a page in
# `policy_gradients/transformer.py`. Causal says that its output at a position has seen the tokens up to
# there, none to the right. It is trained on sensible sentences to predict each next token. That takes a
# second. This model is where we start from, and later the **reference**.

# %% demo=true trained=true
language = pg.language.Language()
torch.manual_seed(0)
reference = pg.Transformer(language.num_tokens, language.length, language.num_tokens)
losses = language.pretrain(reference, np.random.default_rng(0))

torch.manual_seed(1)
tokens = language.sample(reference, 8)  # (B, L) = (8, 7)
print(pg.tr("prediction loss: {first:.2f} at first, {last:.2f} at last").format(
    first=losses[0], last=np.mean(losses[-20:])))
for row in tokens:
    print(" ", language.text(row))
exact = pg.language.exact(language, reference)
print(pg.tr("exact share of sentences that make sense: {share:.1%}").format(share=exact.sensible))

# %% [markdown]
# `pg.language.exact` lists all completions, weighs each with its probability, and adds up. So the
# share in the last line is no estimate.
#
# ### One trajectory
#
# | lessons 01 to 05 | here |
# |---|---|
# | state $s_t$ | the tokens up to position $t$: prompt, then what was written |
# | action $a_t$ | the next token, one of $V=8$ |
# | policy $\pi_\theta(a\mid s)$ | the model, with weights $\theta$ |
# | dynamics | none to speak of: the token is appended |
# | episode's end | eos, or the longest length |
# | reward | 0 for each token, a score at the end |
#
# A batch holds $B$ rows of $L$ tokens each. A completion that ends early is filled up, here with more
# eos. (Other models have a token of its own for that, called padding.) The filling was never chosen
# by the policy. It must not train it.

# %% [markdown]
# ## 2. Which number belongs to which token
#
# **Idea.** The model reads a row of tokens and returns logits `(B, L, V)`. Those at position $t$ have
# seen the tokens $0,\dots,t$ and speak about token $t+1$. So the log-probability of token $t+1$ stands
# in column $t$, and there are $L-1$ such columns: nothing foretells the first token, and the last
# position's logits speak of a token that does not exist.
#
# ### Exercise: `token_logp`
#
# - `logits`: tensor `(B, L, V)`; `tokens`: whole numbers `(B, L)`.
# - The result is a tensor `(B, L-1)`. Column $t$ holds $\log\pi_\theta(\text{token }t+1\mid\text{tokens }0..t)$.
# - Logits may be as large as 1e4. The result can be differentiated with respect to the logits.

# %% exercise="token_logp"
def token_logp(logits, tokens):
    """Log-probability of each token but the first, under the logits one position before it.

    logits (B, L, V), tokens (B, L) -> (B, L-1)

    Example: one row of two tokens [[0, 2]]; if softmax(logits[0, 0]) is [.7, .2, .1], the result
    is [[log .1]].
    """
    ### BEGIN SOLUTION
    logp = torch.log_softmax(logits[:, :-1], dim=-1)  # (B, L-1, V)
    return logp.gather(-1, tokens[:, 1:, None]).squeeze(-1)  # (B, L-1)
    ### END SOLUTION


# %% check="token_logp" points=2
check("token_logp")

# %% [markdown]
# **Predict.** The reference knows its language well. What happens to the mean log-probability of a
# token if the logits are read one position too late?

# %% demo=true trained=true
with torch.no_grad():
    logits = reference(tokens)  # (B, L, V)
late = torch.roll(logits, -1, dims=1)  # the logits of position t + 1 in place t
first_word = slice(language.prompt_length - 1, language.prompt_length)  # its column in token_logp
means = [token_logp(numbers, tokens)[:, first_word].mean().item() for numbers in (logits, late)]
for name, mean in zip([pg.tr("correct"), pg.tr("off by one")], means):
    print(pg.tr("{name:>10}: mean log-probability of the first word {mean:6.2f}, probability {p:.4f}")
          .format(name=name, mean=mean, p=np.exp(mean)))

# %% claim="late_logits_make_own_words_unlikely"
claim("the first words' log-probability falls by more than 3 if read late", means[0] - means[1],
      at_least=3)

# %% [markdown]
# Nothing crashes, and the number is far off: the model seems to find its own first words next to
# impossible. There is a quick test for this bug: sample from a model, compute its log-probabilities of
# the samples, and see whether the model finds them likely.

# %% [markdown]
# ### Exercise: `completion_mask`
#
# The **mask** says which columns of `token_logp` are the policy's own choices.
#
# - `tokens`: `(B, L)`; the first `prompt_length` tokens of each row are the prompt (at least one);
#   `eos` is the number of the end-of-sequence token.
# - The result is a `bool` tensor `(B, L-1)`, aligned with `token_logp`: true for the completion's
#   tokens up to and *including* its first eos. To stop is an action, too.
# - What stands after the first eos is false, whatever it is. A completion without eos is true to the
#   row's end. An eos inside the prompt ends nothing.

# %% exercise="completion_mask"
def completion_mask(tokens, prompt_length, eos):
    """True for the completion's tokens up to and including its first eos.

    tokens (B, L) -> bool (B, L-1), aligned with token_logp

    Example: prompt_length 2 and eos 0: [[5, 6, 3, 0, 0]] gives [[False, True, True, False]].
    """
    ### BEGIN SOLUTION
    chosen = torch.arange(tokens.shape[1], device=tokens.device) >= prompt_length  # (L,)
    ends = (tokens == eos) & chosen  # (B, L)
    ended_before = ends.cumsum(dim=1) - ends.long()  # (B, L)
    return (chosen & (ended_before == 0))[:, 1:]  # (B, L-1)
    ### END SOLUTION


# %% check="completion_mask" points=3
check("completion_mask")

# %% [markdown]
# Here is all of it in one figure. Look at the lower row: which column speaks of the first token that
# the model chose itself? Which one of the end?

# %% demo=true trained=true alt="Two sentences of seven tokens. Above each a bracket marks prompt, completion and filling. Below each token but the last a cell holds the log-probability of the next token, with an arrow to it. Cells of the completion, its first end token included, are blue; those of the prompt and of the filling are white."
logp, mask = token_logp(logits, tokens), completion_mask(tokens, language.prompt_length, language.eos)
length = mask.sum(1)
chosen = [int(length.argmin()), int(length.argmax())]  # a short sentence, and a long one
rows = [([language.symbols[v] for v in tokens[b]], logp[b], mask[b]) for b in chosen]
pg.plots.predictions(rows, language.prompt_length)
plt.show()

# %% [markdown]
# The cell below `is` belongs to the first word of the completion, so the mask begins one column
# before the completion does. The last blue cell lies one before the end. The filling is foretold with
# near certainty, with a log-probability near zero. That is harmless to look at, and harmful to average
# over.

# %% [markdown]
# ### Exercise: `masked_mean`
#
# - `x`: a tensor of any shape; `mask`: a `bool` tensor of the same shape.
# - The result is the mean over *all* true entries together, a scalar tensor. It is 0 where there are
#   none, and the gradient must not hold a NaN then.

# %% exercise="masked_mean"
def masked_mean(x, mask):
    """Mean of the entries where mask is true; 0 where there are none.

    x (...), mask bool (...) -> scalar tensor

    Example: x [[1., 9.], [3., 9.]] with mask [[True, False], [True, False]] gives 2.
    """
    ### BEGIN SOLUTION
    return torch.where(mask, x, 0.0).sum() / mask.sum().clamp(min=1)
    ### END SOLUTION


# %% check="masked_mean" points=2
check("masked_mean")

# %% [markdown]
# **Predict.** By how much does the mean change if prompt and filling are averaged over as well?

# %% demo=true trained=true
logp, mask = token_logp(logits, tokens), completion_mask(tokens, language.prompt_length, language.eos)
print(pg.tr("tokens in the batch: {all}, chosen by the policy: {own}").format(
    all=mask.numel(), own=int(mask.sum())))
print(pg.tr("mean log-probability, completion alone: {mean:.3f}").format(mean=masked_mean(logp, mask)))
print(pg.tr("mean log-probability, all columns:      {mean:.3f}").format(mean=logp.mean()))

# %% claim="filling_and_prompt_change_the_mean"
claim("the mean over all columns differs from the completion's by at least 0.1",
      abs(masked_mean(logp, mask) - logp.mean()).item(), at_least=0.1)

# %% [markdown]
# The second number mixes three kinds of tokens. It changes with the amount of filling, that is with
# the longest row of the batch, which says nothing about the policy.

# %% [markdown]
# ## 3. One score at the end, and its credit
#
# **Question.** A whole sentence gets one number. Which token earned it?
#
# We reward friendliness. The **score** of a sentence is the number of pleasant words, `happy` or
# `kind`, in its completion. It is a **proxy**: we want friendly sentences, and count friendly words.
# Nobody asks whether they make sense. Keep that in mind. (This score is no derivative: lesson 01 used
# the word for $\nabla\log\pi$.)
#
# As rewards, the score is paid once, at the token that ends the completion, and 0 before.
#
# ### Exercise: `terminal_rewards`
#
# - `scores`: a float tensor `(B,)`; `mask`: `bool` `(B, L-1)`; each row has at least one true entry.
# - The result is a tensor `(B, L-1)`: each row's score at its *last* true entry, 0 elsewhere. (A mask
#   may have gaps; the last true entry counts.)

# %% exercise="terminal_rewards"
def terminal_rewards(scores, mask):
    """Each row's score at the row's last true entry, 0 elsewhere.

    scores (B,), mask bool (B, L-1) -> (B, L-1)

    Example: scores [3.] and mask [[False, True, True, False]] give [[0., 0., 3., 0.]].
    """
    ### BEGIN SOLUTION
    columns = torch.arange(mask.shape[1], device=mask.device)  # (L-1,)
    last = torch.where(mask, columns, -1).amax(dim=1, keepdim=True)  # (B, 1)
    return torch.where(columns == last, scores[:, None], 0.0)  # (B, L-1)
    ### END SOLUTION


# %% check="terminal_rewards" points=2
check("terminal_rewards")

# %% [markdown]
# Lesson 03b's `gae` (Schulman et al. 2016) wants arrays `(T, N)` whose time runs downwards. A sentence's
# time runs along a row. The next cell turns the one into the other; that is all that PPO needs to be told
# about tokens.
# The critic is a transformer as well, with one number per position instead of $V$ logits. Its value at
# position $t$ has seen the tokens up to $t$. So it belongs to the choice of token $t+1$, and column $t$ of
# the values meets column $t$ of `token_logp`.
#
# One thing looks like the mistake that lesson 05 warned of. A completion that was cut at the longest
# length counts as *terminated* here: nothing is bootstrapped after it. In CartPole the clock was no part
# of the task, and a pole that still stood had a future that the clock hid. Here the limit belongs to the
# task: the score is paid at the cut, as at an end, and nothing can follow. The future is known: it is 0.

# %% setup=true
def token_gae(rewards, values, mask, gamma=1.0, lam=0.95):
    """Lesson 03b's gae on sentences: (B, L-1) each -> advantages (B, L-1)."""
    ends = terminal_rewards(torch.ones(len(mask), device=mask.device), mask) == 1
    following = torch.roll(values, -1, dims=1)  # after an end it is never looked at
    columns = [x.cpu().numpy().T for x in (rewards, values, following, ends, torch.zeros_like(ends))]
    adv = gae(*columns, gamma=gamma, lam=lam).T
    return torch.as_tensor(adv, dtype=values.dtype, device=values.device)

# %% [markdown]
# **Predict.** In "Bob is sad and happy ." the score is 1. Which token gets most of the credit by the
# return? Which one by the reward-to-go? And which one by the advantage, whose critic knows what the
# reference usually writes about Bob?

# %% demo=true trained=true alt="Strip of four tokens after the prompt Bob is. The rows return and reward-to-go give +1 to every token alike. The two rows of the advantage give the tokens different weights. With lambda 0 sad has a negative weight, and a positive one, happy the largest."
torch.manual_seed(2)
critic = pg.Transformer(language.num_tokens, language.length)
optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
for _ in range(120):  # the critic of the reference, learned from its samples
    batch = language.sample(reference, 64)
    chosen = completion_mask(batch, language.prompt_length, language.eos)
    target = language.score(batch)[:, None].expand(chosen.shape)  # (B, L-1), gamma is 1
    loss = value_loss(critic(batch)[:, :-1][chosen], target[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

words = "Bob is sad and happy . .".split()
sentence = torch.tensor([[language.symbols.index(word) for word in words]])  # (1, L)
own = completion_mask(sentence, language.prompt_length, language.eos)  # (1, L-1)
rewards = terminal_rewards(language.score(sentence), own)
with torch.no_grad():
    values = critic(sentence)[:, :-1]  # (1, L-1)
credit = {
    pg.tr("return"): rewards.sum() * own,
    pg.tr("reward-to-go"): rewards.flip(1).cumsum(1).flip(1),
    pg.tr("GAE, λ = 0.95"): token_gae(rewards, values, own, lam=0.95),
    pg.tr("GAE, λ = 0"): token_gae(rewards, values, own, lam=0.0),
}
pg.plots.token_strip(
    words[2:6], {name: row[own].numpy() for name, row in credit.items()}, rewards[own].numpy(), words[:2]
)
plt.show()

# %% claim="one_step_advantages_blame_sad_and_praise_happy"
alone = credit[pg.tr("GAE, λ = 0")][own]
claim("with λ = 0 the weight of `sad` is negative", alone[0], at_most=-0.05)
claim("with λ = 0 the weight of `and` is positive", alone[1], at_least=0.05)
claim("with λ = 0 `happy` weighs more than `and`", alone[2] - alone[1], at_least=0.02)

# %% [markdown]
# With one reward at the end and $\gamma=1$, return and reward-to-go are the same for every token, as
# lesson 02 found: all are praised alike, `sad` included. The critic tells them apart. Read the last row first:
# with $\lambda=0$ each token answers for its own step alone. After `sad` less is to be expected than before, so
# `sad` is blamed. At `and` there is hope again, and `happy` fulfils it. With $\lambda=0.95$ what follows counts
# almost in full, so `sad` has its share in the luck of the later words. That is noisier, and does not depend
# on the critic being right: the trade of lesson 03b.

# %% [markdown]
# ## 4. The leash
#
# **Question.** The score sees only a part of what we want. What keeps the rest?
#
# **Idea.** The reference $\pi_\text{ref}$ writes sensible text. Let the policy be paid for its score and
# charged for leaving the reference. The measure of leaving is the KL divergence from lesson 04, this time
# of whole completions $y$ given a prompt $x$:
#
# $$J_\beta(\theta)=\mathbb E\big[\text{score}(y)\big]-\beta\,\mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref}),
# \qquad \mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref})
# =\mathbb E_{y\sim\pi_\theta}\Big[\log\frac{\pi_\theta(y\mid x)}{\pi_\text{ref}(y\mid x)}\Big].$$
#
# $\beta\ge0$ is the price of one nat of drift. Mind the unit: this KL is counted in nats *per sentence*. The
# KL that lesson 05's panels show is a mean over steps, in nats *per step*.
#
# A completion's probability is the product of its tokens' probabilities. So the logarithm in the bracket is a *sum over tokens* of
# $\log\pi_\theta(a_t\mid s_t)-\log\pi_\text{ref}(a_t\mid s_t)$. A sum over steps is what rewards are. Each
# token is charged for its own log-ratio, right where it stands, and $J_\beta$ becomes an ordinary
# expected return (Jaques et al. 2017; Ziegler et al. 2019).
#
# ### Exercise: `kl_shaped_rewards`
#
# - `rewards`, `logp`, `logp_ref`: tensors `(B, L-1)`; `mask`: `bool` `(B, L-1)`; `beta`: a number.
# - Inside the mask, take `beta` times `logp - logp_ref` away from the reward. A log-ratio may be negative:
#   a token that the reference likes better is paid a little.
# - Outside the mask the rewards stay as they are. The inputs stay as they were.

# %% exercise="kl_shaped_rewards"
def kl_shaped_rewards(rewards, logp, logp_ref, mask, beta):
    """Rewards minus beta times the log-ratio of each token inside the mask.

    rewards, logp, logp_ref (B, L-1), mask bool (B, L-1), beta float -> (B, L-1)

    Example: reward 1, a token e times as likely under the policy as under the reference, beta 0.1:
    0.9.
    """
    ### BEGIN SOLUTION
    log_ratio = torch.where(mask, logp - logp_ref, 0.0)  # (B, L-1)
    return rewards - beta * log_ratio
    ### END SOLUTION


# %% check="kl_shaped_rewards" points=3
check("kl_shaped_rewards")

# %% [markdown]
# Does the sum of the charges really estimate the KL? We shake the reference's weights a little, sample
# from the result, and compare with the exact divergence of the two.
#
# **Predict.** Some sentences have a negative sum. Can the mean of many still be right?

# %% demo=true trained=true
torch.manual_seed(3)
shaken = copy.deepcopy(reference)
with torch.no_grad():
    for weight in shaken.parameters():
        weight += 0.1 * torch.randn_like(weight)
    drawn = language.sample(shaken, 5_000)
    own = completion_mask(drawn, language.prompt_length, language.eos)
    logs = [token_logp(model(drawn), drawn) for model in (shaken, reference)]
charges = -kl_shaped_rewards(torch.zeros_like(logs[0]), *logs, own, beta=1.0).sum(1)  # (B,)
print(pg.tr("exact KL: {kl:.3f} nats per sentence").format(kl=pg.language.exact(language, shaken, reference).kl))
for count in (100, 5_000):
    mean, error = charges[:count].mean(), charges[:count].std() / count**0.5
    print(pg.tr("mean of {count:6d} sentences: {mean:.3f} ± {error:.3f}").format(
        count=count, mean=mean, error=error))
print(pg.tr("{share:.0%} of the sentences have a negative sum").format(share=(charges < 0).float().mean()))

# %% claim="charges_estimate_the_kl"
exact_kl = pg.language.exact(language, shaken, reference).kl
claim("the mean of 5,000 sentences lies within 4 standard errors of the exact KL",
      abs(charges.mean().item() - exact_kl) / (charges.std().item() / 5_000**0.5), at_most=4)
claim("a good share of the sentences has a negative sum", (charges < 0).float().mean(), at_least=0.2)

# %% [markdown]
# It is the estimate $k_1$ of lesson 04: unbiased, and negative for many a single sentence. Only the roles have
# changed. $k_1$ is always the logarithm of "who wrote the samples over the other": in lesson 04 the old policy
# wrote them, so it was $\log\pi_\text{old}-\log\pi_\theta$; here the policy itself writes, so it is
# $\log\pi_\theta-\log\pi_\text{ref}$. Take it the other way round, and the drift is paid for.
#
# ### May a reward hold $\log\pi_\theta$?
#
# **Question.** The charge depends on $\theta$. PPO treats rewards as fixed numbers. Does it lose a part of the
# gradient?
#
# **Idea.** Write the sentence's log-ratio as $k_1(y)$. By the product rule the gradient of the KL has two parts:
#
# $$\nabla_\theta\,\mathbb E_{y\sim\pi_\theta}[k_1(y)]
# =\mathbb E\big[k_1(y)\,\nabla\log\pi_\theta(y)\big]+\mathbb E\big[\nabla k_1(y)\big].$$
#
# The first treats $k_1$ as data. The second is $\mathbb E[\nabla\log\pi_\theta(y)]$, and lesson 02 showed that it is
# zero. So nothing is lost. `pg.language.listed_logp` gives the log-probabilities of *all* sentences, with a
# gradient, so both parts can be added up exactly.

# %% demo=true trained=true
logp = pg.language.listed_logp(language, shaken)  # (N, L-1), N = 39,216 sentences
logp_ref = pg.language.listed_logp(language, reference).detach()
written = logp.sum(1).exp() / len(language.prompts())  # (N,) how often each sentence is written
k1 = (logp - logp_ref).sum(1)  # (N,) one charge a sentence


def exact_gradient(number):
    parts = torch.autograd.grad(number, list(shaken.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


whole = exact_gradient((written * k1).sum())
as_data = exact_gradient((written.detach() * k1.detach() * logp.sum(1)).sum())
left_out = exact_gradient((written.detach() * k1).sum())
print(pg.tr("gradient of the exact KL: length {length:.4f}").format(length=whole.norm()))
print(pg.tr("log-ratio as data:        length {length:.4f}").format(length=as_data.norm()))
print(pg.tr("left out:                 length {length:.4f}").format(length=left_out.norm()))
apart = (whole - as_data).norm() / whole.norm()

# %% claim="the_log_ratio_may_be_data"
claim("the gradient with the log-ratio as data is the gradient of the KL", apart, at_most=1e-3)
claim("what is left out is zero", left_out.norm() / whole.norm(), at_most=1e-3)

# %% [markdown]
# The first two lengths agree, and so do the two vectors; the third is rounding. Lesson 07 shows what becomes of
# this when the estimate stands in the *loss* instead.

# %% [markdown]
# ## 5. PPO on tokens
#
# **Idea.** Every column that the mask marks is one sample: a state, an action, a stored log-probability, an
# advantage. PPO (Schulman et al. 2017) does not care that the state is a text. Its objective is the one of
# lesson 04, averaged over the true entries. With the ratio
# $r_t=\pi_\theta(a_t\mid s_t)/\pi_{\theta_\text{old}}(a_t\mid s_t)$, the advantage $A_t$ and the band's half width $\epsilon$ (`clip`),
#
# $$L=-\frac1{|M|}\sum_{t\in M}\min\big(r_tA_t,\ \mathrm{clip}(r_t,1-\epsilon,1+\epsilon)A_t\big),$$
#
# where $M$ is the set of all true entries of the batch.
#
# ### Exercise: `ppo_token_loss`
#
# - `logp`, `logp_old`, `adv`: tensors `(B, L-1)`; `mask`: `bool` `(B, L-1)`; the result is a scalar to be
#   *minimised*.
# - Every token of the batch weighs the same, be its sentence long or short.
# - As in lesson 04 gradient flows through `logp` only: `logp_old` and `adv` are data. The advantages are used as
#   they come. Where the mask is empty, the loss is 0.
# - Mask *before* the exponential. Outside the mask anything may stand. A log-ratio of 89 there has an infinite
#   ratio in float32. Masking the infinite number afterwards saves the value and not the gradient: backward
#   multiplies 0 by infinity, and a nan reaches every weight.

# %% exercise="ppo_token_loss"
def ppo_token_loss(logp, logp_old, adv, mask, clip=0.2):
    """PPO's clipped objective per token as a loss, averaged over the mask.

    logp, logp_old, adv (B, L-1), mask bool (B, L-1) -> scalar tensor

    Example: one true entry with ratio 1.5 and advantage 2 gives -2.4.
    """
    ### BEGIN SOLUTION
    logp, logp_old, adv = logp[mask], logp_old[mask], adv[mask].detach()  # (M,) own choices alone
    ratio = importance_ratio(logp, logp_old)
    clipped = torch.clamp(ratio, 1 - clip, 1 + clip)
    return -masked_mean(torch.min(ratio * adv, clipped * adv), mask[mask])
    ### END SOLUTION


# %% check="ppo_token_loss" points=3
check("ppo_token_loss")

# %% [markdown]
# ### Exercise: `train_language_ppo`
#
# Now the loop of lesson 05, on sentences. One update:
#
# 1. **collect**: `language.sample(policy, batch_size)` gives tokens `(B, L)`; make the mask; without
#    gradients, compute the log-probabilities under the policy (these are the *old* ones, kept for all epochs)
#    and under the reference, and the critic's values;
# 2. **advantages**: `language.score(tokens)` at the end, shaped by the log-ratio to the reference; then
#    `token_gae`; the critic's targets are advantages plus values; whiten the advantages of the *masked*
#    entries with `normalize_advantages`, which takes and returns NumPy arrays;
# 3. **update**: `epochs` times over `minibatches(batch_size, minibatch_size, rng)`, index arrays of rows; the
#    loss is `ppo_token_loss` plus half the `value_loss` of the masked entries; zero_grad, backward, step;
# 4. **log**: append one dict. Put in it what you like to watch; `score`, the batch's mean score, is a
#    good start.
#
# - `policy(tokens)` gives logits `(B, L, V)`, `critic(tokens)` values `(B, L)`; both learn in place through
#   `optimizer`. They are separate networks. (Large rewards sent through a shared body would spoil the
#   language.) `reference` is a policy, too, and never moves.
# - `language.prompt_length` and `language.eos` say what the mask needs.
# - The result is the list of dicts, one for each update.
#
# The check hands in a language whose tokens have other numbers, and smaller models. It trains for 20
# updates at $\beta=0.5$. The exact expected score must reach 1.15 (the reference has about 0.65), and the exact KL to
# the reference must stay within 2.5 nats per sentence.

# %% exercise="train_language_ppo"
def train_language_ppo(language, policy, critic, reference, optimizer, *, num_updates, batch_size,
                       beta, rng, epochs=4, minibatch_size=64, clip=0.2):
    """Trains policy and critic in place by PPO on sampled sentences, leashed to the reference.

    Returns a list of num_updates dicts, for example [{"score": 0.7}, {"score": 0.9}].
    """
    ### BEGIN SOLUTION
    history = []
    for _ in range(num_updates):
        tokens = language.sample(policy, batch_size)  # (B, L)
        mask = completion_mask(tokens, language.prompt_length, language.eos)  # (B, L-1)
        with torch.no_grad():
            logp_old = token_logp(policy(tokens), tokens)  # (B, L-1)
            logp_ref = token_logp(reference(tokens), tokens)
            values = critic(tokens)[:, :-1]
        scores = language.score(tokens)  # (B,)
        rewards = terminal_rewards(scores, mask)
        rewards = kl_shaped_rewards(rewards, logp_old, logp_ref, mask, beta)
        adv = token_gae(rewards, values, mask)
        ret = adv + values
        adv[mask] = torch.as_tensor(normalize_advantages(adv[mask].cpu().numpy())).to(adv)
        for _ in range(epochs):
            for idx in minibatches(batch_size, minibatch_size, rng):
                own = mask[idx]
                logp = token_logp(policy(tokens[idx]), tokens[idx])
                loss = ppo_token_loss(logp, logp_old[idx], adv[idx], own, clip)
                loss = loss + 0.5 * value_loss(critic(tokens[idx])[:, :-1][own], ret[idx][own])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        history.append({"score": scores.mean().item()})
    return history
    ### END SOLUTION


# %% check="train_language_ppo" points=3
check("train_language_ppo")

# %% [markdown]
# ## 6. With and without the leash
#
# **Experiment.** We start twice from the reference and train for 24 updates, once with $\beta=0$ and once
# with $\beta=0.5$. After every update we measure exactly: the expected score, the share of sentences that
# make sense, and two divergences, both in nats per sentence.
# $\mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref})$ compares with the reference.
# $\mathrm{KL}(\pi_{\theta_\text{old}}\,\|\,\pi_\theta)$ compares with the policy that wrote the last batch, the
# one of lesson 04 and of the trust region (Schulman et al. 2015).
#
# **Predict.** In which of the two runs does the score rise? Draw the four curves of the divergences in
# your mind: which of them grow, which stay small? And what will a model write that is paid for pleasant
# words alone?

# %% demo=true
REFERENCE = pg.language.tables(language, reference)  # all that `exact` asks of a policy


def train_from_reference(beta, num_updates=24, watch=False, seed=0, rate=2e-3):
    """A policy trained from the reference on, its exact measures, and the KL of each to the next:
    at the start and at the end, or after each update."""
    torch.manual_seed(seed)
    policy, rng = copy.deepcopy(reference), np.random.default_rng(seed)
    critic = pg.Transformer(language.num_tokens, language.length)
    optimizer = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=rate)
    known = [REFERENCE]
    for update in range(num_updates):
        train_language_ppo(language, policy, critic, reference, optimizer, num_updates=1,
                           batch_size=64, beta=beta, rng=rng)
        if watch or update == num_updates - 1:
            known.append(pg.language.tables(language, policy))
    measured = [pg.language.exact(language, one, REFERENCE) for one in known]
    kl_old = [pg.language.exact(language, old, new).kl for old, new in zip(known, known[1:])]
    return policy, measured, kl_old


def curves(measured, kl_old):
    return {
        "score": [one.score for one in measured],
        "sensible": [one.sensible for one in measured],
        "kl_reference": [one.kl for one in measured],
        "kl_old": kl_old,
    }

# %% demo=true trained=true alt="Three panels over 24 updates. The exact score rises in both runs, much further without the leash. The share of sensible sentences falls to zero without the leash and stays high with it. The KL to the reference climbs beyond ten nats without the leash and stays below two with it; the KL to the old policy lies far below in most updates of both runs."
free, free_measured, free_old = train_from_reference(beta=0.0, watch=True)
held, held_measured, held_old = train_from_reference(beta=0.5, watch=True)
runs = {"β = 0": curves(free_measured, free_old), "β = 0.5": curves(held_measured, held_old)}
pg.plots.leashes_compared(runs)
plt.show()
for name, run in runs.items():
    print(pg.tr("{name:>7}: score {first:.2f} to {score:.2f}, sensible {sensible:.0%}").format(
        name=name, first=run["score"][0], score=run["score"][-1], sensible=run["sensible"][-1]))
    print(pg.tr("         nats per sentence: KL to the reference {kl:.2f}, to the old policy {old:.2f} in the median").format(
        kl=run["kl_reference"][-1], old=np.median(run["kl_old"])))

torch.manual_seed(6)
columns = {
    pg.tr("reference"): reference,
    pg.tr("trained, β = 0"): free,
    pg.tr("trained, β = 0.5"): held,
}
print("".join(f"{name:38}" for name in columns))
samples = [language.sample(model, 8) for model in columns.values()]
for row in zip(*samples):
    print("".join(f"{language.text(sentence):38}" for sentence in row))

# %% claim="the_sense_is_lost_and_kept"
claim("without the leash at most 2 % of the sentences make sense", free_measured[-1].sensible, at_most=0.02)
claim("with it at least 90 % do", held_measured[-1].sensible, at_least=0.9)
claim("free, the median update goes less than a quarter nat", np.median(free_old), at_most=0.25)
claim("and so it does with the leash", np.median(held_old), at_most=0.25)
claim("free, the largest update goes further than the median one",
      max(free_old) / np.median(free_old), at_least=2)

# %% [markdown]
# The score rises in both runs. Without the leash it rises much further, and in the end hardly a sentence makes
# sense any more. Its drift from the reference goes beyond ten nats. With the leash the score gains more than half
# a point, nine sentences in ten or more make sense, and the drift stays below two nats.
#
# The thin lines are the other divergence. It begins anew with each batch, and in most updates it is a small
# fraction of a nat, in *both* runs. Many steps of that size in one direction lead far away all the same. (Some
# updates are larger: lesson 04 showed that the clip watches the KL, and doesn't bound it.)
#
# Now read the samples. The middle column is **reward hacking**. The model does what is paid, not what is meant: it
# found the loophole in the score. Nothing in the algorithm is broken. By its own measure this is the best model of
# the three. It also writes nearly the same sentence again and again, for nothing pays for variety.
#
# The right column is friendlier than the reference, and it makes sense. A sad sentence may still occur: to forbid it
# altogether would cost more drift than it earns.
#
# ### Question: `q_which_kl`
#
# Two divergences, two jobs. Which statement is right?
#
# - **a** The KL to the old policy keeps the model near the text it was pretrained on; the KL to the
#   reference makes each update safe.
# - **b** The clip holds every ratio inside the band, and so it bounds the distance to the reference.
# - **c** They say the same: if every step is small, the model stays near the reference.
# - **d** The KL to the old policy adds up over the updates, so charging for it holds the drift as well.
# - **e** The KL to the old policy tells how far one update went; the KL to the reference tells how far all of them
#   went.

# %% question="q_which_kl"
q_which_kl = None  # "a", "b", "c", "d" or "e"
### BEGIN SOLUTION
q_which_kl = "e"
### END SOLUTION

# %% check="q_which_kl" points=1
check("q_which_kl")

# %% [markdown]
# ## 7. How long a leash?
#
# **Experiment.** The same training for five values of $\beta$. Each run gives one point: its exact KL to the
# reference and its exact score. Together they are the **frontier** of reward against drift.
#
# In a language this small the best possible policy for each $\beta$ is known as well. The policy that
# maximises $J_\beta$ weighs each completion $y$ by
# $\pi_\text{ref}(y\mid x)\,e^{\text{score}(y)/\beta}$ (Ziegler et al. 2019; Korbak et al. 2022). The
# dashed line shows these optima; those for $\beta$ = 0.3, 0.2 and 0.1 are marked by diamonds. No policy lies
# above the line. The axis shows the *root* of the KL: near the reference the score grows with the root, and the
# line begins straight there. The first tenth of a nat buys more than the whole sixth nat.
#
# **Predict.** Which way do the points move along the line as $\beta$ grows? Where will the sense be lost?

# %% demo=true trained=true alt="Exact score over the root of the exact KL to the reference. Five points lie on or below a dashed line of the best possible policies, which rises steeply at first. The points for beta 2, 1 and 0.5 lie within two nats, nearly all of their sentences sensible; those for beta 0.03 and 0 lie beyond eight nats, with hardly a sensible sentence. Between them three diamonds mark the optima for beta 0.3, 0.2 and 0.1, with 84, 36 and 0 percent sensible."
points = {beta: train_from_reference(beta)[1][-1] for beta in (0.03, 1.0, 2.0)}
points |= {0.0: free_measured[-1], 0.5: held_measured[-1]}  # trained above
points = dict(sorted(points.items()))
line = pg.language.optima(language, reference, np.geomspace(0.04, 20, 80))
between = dict(zip((0.3, 0.2, 0.1), pg.language.optima(language, reference, (0.3, 0.2, 0.1))))
pg.plots.frontier(
    {beta: (p.kl, p.score, p.sensible) for beta, p in points.items()},
    ([p.kl for p in line], [p.score for p in line]),
    {beta: (p.kl, p.score, p.sensible) for beta, p in between.items()},
)
plt.show()
print(pg.tr("trained  exact score  exact KL (nats per sentence)  sensible"))
for beta, p in points.items():
    print(f"{beta:7.2f} {p.score:12.2f} {p.kl:30.2f} {p.sensible:9.0%}")
print(pg.tr("best possible"))
for beta, p in between.items():
    print(f"{beta:7.2f} {p.score:12.2f} {p.kl:30.2f} {p.sensible:9.0%}")

# %% claim="only_the_leash_holds_the_drift_and_one_half_is_the_best_beta" seeds=12 rates=[0.0015, 0.002, 0.004]
import functools


@functools.cache  # one run serves all claims
def end(beta, seed, rate):
    return train_from_reference(beta, seed=seed, rate=rate)[1][-1]


def gain(beta):
    return lambda seed, rate: end(beta, seed, rate).score - free_measured[0].score


def drift(beta):
    return lambda seed, rate: end(beta, seed, rate).kl


def lead(seed, rate):
    """By how much β = 0.5 scores above β = 1; -1 where its drift is beyond the bound."""
    half, one = (end(beta, seed, rate) for beta in (0.5, 1.0))
    return half.score - one.score if half.kl <= 2 else -1.0


claim("without the leash the exact score rises by at least 2",
      free_measured[-1].score - free_measured[0].score, at_least=2, again=gain(0.0))
claim("with it the score rises by at least 0.5",
      held_measured[-1].score - free_measured[0].score, at_least=0.5, again=gain(0.5))
claim("without the leash the KL to the reference ends above 10 nats", free_measured[-1].kl,
      at_least=10, again=drift(0.0))
claim("with it the KL to the reference ends below 2 nats", held_measured[-1].kl, at_most=2,
      again=drift(0.5))
claim("within 2 nats β = 0.5 scores highest",
      points[0.5].score - max(points[1.0].score, points[2.0].score), at_least=0.1, again=lead)
claim("β = 0.5 keeps the bound of 2 nats", points[0.5].kl, at_most=1.8)
claim("β = 0.03 is far beyond it", points[0.03].kl, at_least=8)
claim("and has lost the sense", points[0.03].sensible, at_most=0.05)

# %% claim="the_optima_tip_over_between"
claim("at β = 0.3 the best policy still makes sense", between[0.3].sensible, at_least=0.8)
claim("at β = 0.2 in about a third of its sentences", between[0.2].sensible, at_least=0.3, at_most=0.42)
claim("at β = 0.1 hardly ever", between[0.1].sensible, at_most=0.001)
best = [np.interp(kl, *zip(*sorted((p.kl, p.score) for p in line))) for kl in (0.001, 0.1, 5, 6)]
claim("the first tenth of a nat buys more than the sixth nat", best[1] - best[0] - (best[3] - best[2]),
      at_least=0.02)

# %% [markdown]
# The smaller $\beta$, the further to the right. Between 0.3 and 0.1 the language tips over, and the diamonds show
# that this is no fault of the training: the best possible policy itself makes sense in most of its sentences at
# 0.3, in about a third at 0.2, in none at 0.1. From there on one more pleasant word is worth more than the nonsense
# around it costs. At $\beta=0.5$ a drift of two nats costs as much as one word pays, at $\beta=0.03$ one word pays
# for more than thirty.
#
# Points lie below the line where 24 updates were too few, or where the training came to rest in a local optimum.
#
# ### Question: `q_beta`
#
# "Best" needs a criterion. Ours: **the highest exact score among the runs whose exact KL to the reference is at
# most 2 nats.** Which $\beta$ of the table is the best one?
#
# - **a** $\beta=0$
# - **b** $\beta=0.03$
# - **c** $\beta=0.5$
# - **d** $\beta=1$
# - **e** $\beta=2$

# %% question="q_beta"
q_beta = None  # "a", "b", "c", "d" or "e"
### BEGIN SOLUTION
q_beta = "c"
### END SOLUTION

# %% check="q_beta" points=1
check("q_beta")

# %% [markdown]
# Why a bound on the KL, and not on the share of sensible sentences? For our language there is a judge of sense. For
# real text there is none, or we would have used it as the score. The KL can always be measured, and people read
# samples to find out how much of it is too much. Here two nats turn out to be a good bound: compare the last column.

# %% [markdown]
# ### A larger language, and a GPU
#
# With a hundred and more tokens and longer sentences nothing can be listed any more, and scores are sampled. Set
# `LARGE` to `True` to try: some minutes on a CPU, less on a GPU. Nothing in your functions needs to change.
# The rule for devices is short: the data follow the policy. The language samples on the policy's device, your
# functions make their tensors where their inputs are, and only `gae`, which is NumPy, sees a copy on the CPU.

# %% demo=true
LARGE = False
if LARGE:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    big = pg.language.large()
    body = {"width": 128, "layers": 3, "heads": 4}
    model = pg.Transformer(big.num_tokens, big.length, big.num_tokens, **body).to(device)
    big.pretrain(model, np.random.default_rng(0), num_steps=2000, lr=1e-3)
    policy = copy.deepcopy(model)
    critic = pg.Transformer(big.num_tokens, big.length, **body).to(device)
    optimizer = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=5e-4)
    for _ in range(10):
        log = train_language_ppo(big, policy, critic, model, optimizer, num_updates=10, batch_size=256,
                                 beta=0.3, rng=np.random.default_rng(0))
        drawn = big.sample(policy, 1000)
        print(f"{log[-1]['score']:.2f} {big.sensible(drawn).float().mean():.0%} {big.text(drawn[0])}")

# %% [markdown]
# ## 8. What comes next
#
# You now have the whole road from the log-derivative trick (Williams 1992) to a language model that is
# trained by what it writes. Between this and the systems in the news lie two large pieces and much
# engineering.
#
# **A reward signal.** Our score counts words. Nobody can write down a score for "helpful". So people compare two
# answers, and a **reward model** learns to predict which one they prefer; its output takes the place of
# `language.score` (Ziegler et al. 2019; Stiennon et al. 2020; Ouyang et al. 2022). It is a proxy as ours is, with
# loopholes nobody knows beforehand. Gao et al. (2022) measured it with a large reward model in the place of the
# people: the further the policy drifts, the more the proxy and the judge part. Reward models are the next thing to
# read about. Where an answer can be *checked*, as in mathematics or code, the checker replaces the model, and the
# loopholes become fewer.
#
# **Control of the drift.** A fixed $\beta$ is the simplest leash. Ziegler et al. (2019) adapt it so that the KL meets
# a target, in the spirit of lesson 04's `adapt_beta`. The optimum $\pi_\text{ref}\,e^{\text{score}/\beta}$, which we
# drew as a dashed line, can be turned around into a loss on preference pairs without any sampling: direct
# preference optimisation (Rafailov et al. 2023). Read about it after reward models.
#
# **Where this loss stands today.** You will recognise your functions in current libraries.
#
# | yours | in the libraries |
# |---|---|
# | `token_logp`, `completion_mask`, `masked_mean` | in all of them, under these or similar names |
# | `ppo_token_loss` | at its core the policy loss of [OpenRLHF](https://github.com/OpenRLHF/OpenRLHF), of [verl](https://github.com/verl-project/verl), which adds a further bound for negative advantages (lesson 04's dual clip), and of the GRPO in [TRL](https://huggingface.co/docs/trl) |
# | `kl_shaped_rewards` | the KL penalty inside the rewards, token by token, in OpenRLHF, and in verl if asked for; summed over the answer in TRL's RLOO |
# | the critic and `gae` | in verl and OpenRLHF; TRL has no PPO any more (version 1.16 looked at). GRPO (Shao et al. 2024) and RLOO (Ahmadian et al. 2024) leave the critic out: several answers to one prompt judge each other. That is lesson 07 |
#
# What these libraries add is scale: sampling on one set of machines and training on another, models cut into pieces.
# The arithmetic is yours.
#
# **Before and after.** The backward pass through a transformer is the backpropagation that you brought along. Why
# learning rates, gradient clipping and batch sizes behave as they do is the subject of training dynamics.
#
# ## What you take along
#
# - A completion is an episode; logits at position $t$ belong to token $t+1$; the mask says who chose a token.
# - One score at the end becomes credit for tokens through a critic.
# - A KL to the reference is a reward like any other: token by token, inside the mask.
# - PPO keeps most single steps small. Only the reference holds the sum of all steps.
# - A score that rises proves nothing. Look at the drift, and read the samples.
#
# ## References
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist reinforcement
#   learning*, Machine Learning 8:229-256. [doi:10.1007/BF00992696](https://doi.org/10.1007/BF00992696)
# - J. Schulman et al. (2015), *Trust region policy optimization*.
#   [arXiv:1502.05477](https://arxiv.org/abs/1502.05477)
# - J. Schulman et al. (2016), *High-dimensional continuous control using generalized advantage estimation*.
#   [arXiv:1506.02438](https://arxiv.org/abs/1506.02438)
# - J. Schulman et al. (2017), *Proximal policy optimization algorithms*.
#   [arXiv:1707.06347](https://arxiv.org/abs/1707.06347)
# - A. Vaswani et al. (2017), *Attention is all you need*. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)
# - N. Jaques et al. (2017), *Sequence tutor: conservative fine-tuning of sequence generation models with
#   KL-control*. [arXiv:1611.02796](https://arxiv.org/abs/1611.02796)
# - D. M. Ziegler et al. (2019), *Fine-tuning language models from human preferences*.
#   [arXiv:1909.08593](https://arxiv.org/abs/1909.08593)
# - N. Stiennon et al. (2020), *Learning to summarize from human feedback*.
#   [arXiv:2009.01325](https://arxiv.org/abs/2009.01325)
# - L. Ouyang et al. (2022), *Training language models to follow instructions with human feedback*.
#   [arXiv:2203.02155](https://arxiv.org/abs/2203.02155)
# - T. Korbak, E. Perez, C. Buckley (2022), *RL with KL penalties is better viewed as Bayesian inference*.
#   [arXiv:2205.11275](https://arxiv.org/abs/2205.11275)
# - L. Gao, J. Schulman, J. Hilton (2022), *Scaling laws for reward model overoptimization*.
#   [arXiv:2210.10760](https://arxiv.org/abs/2210.10760)
# - A. Ahmadian et al. (2024), *Back to basics: revisiting REINFORCE-style optimization for learning from human
#   feedback in LLMs* (RLOO). [arXiv:2402.14740](https://arxiv.org/abs/2402.14740)
# - R. Rafailov et al. (2023), *Direct preference optimization*. [arXiv:2305.18290](https://arxiv.org/abs/2305.18290)
# - Z. Shao et al. (2024), *DeepSeekMath* (GRPO). [arXiv:2402.03300](https://arxiv.org/abs/2402.03300)
