# Source of lesson 07. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 07 · Groups instead of a critic
#
# The chapter that this course follows ends with lesson 06. From here on we are *beyond the chapter*:
# this is how language models are trained today. Instead of a critic, several answers to the same
# prompt judge each other. The two best-known methods are **RLOO** (Ahmadian et al. 2024) and
# **GRPO** (Shao et al. 2024). They are short, and most of their trouble lies in places that look
# harmless: a divisor, a mean, a penalty.
#
# In this lesson you will
#
# 1. compute advantages from groups, and see which of them are unbiased,
# 2. find out what dividing by the group's deviation does to easy and hard prompts,
# 3. choose whose mean a loss is, and measure the length bias that comes with it,
# 4. compare the gradients of three KL penalties with the true one, exactly,
# 5. train without a critic, and hunt six bugs.
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

# %% given=["minibatches", "token_logp", "completion_mask"]

# %% [markdown]
# ## 1. Without a critic
#
# **Question.** A critic has to learn what an average answer is worth. Is there a way to know it
# without learning?
#
# **Idea.** Let the model answer the same prompt several times. What the *other* answers got is an
# estimate of what was to be expected. It costs more samples and no second network.
#
# A batch now holds $G$ completions of each of $P$ prompts, $B=PG$ rows. `groups` says which prompt a
# row belongs to. Each completion $i$ has one score $s_i$ and one advantage $A_i$, which all of its
# tokens share. **RLOO** (REINFORCE leave-one-out, Kool et al. 2019) compares with the mean of the
# others, lesson 03's leave-one-out by prompt. **GRPO** compares with the mean of the whole group and
# divides by its standard deviation:
#
# $$A_i^\text{RLOO}=s_i-\frac1{G-1}\sum_{j\ne i}s_j,\qquad
# A_i^\text{GRPO}=\frac{s_i-\bar s}{\mathrm{std}(s)+\epsilon}.$$
#
# ### Exercise: `rloo_advantages`
#
# - `scores`: a float tensor `(B,)`; `groups`: whole numbers `(B,)`. Labels may be any whole numbers, in
#   any order, and groups may differ in size. The result is a tensor `(B,)` of the scores' dtype.
# - A group with a single row has no others: raise `ValueError`.

# %% exercise="rloo_advantages"
def rloo_advantages(scores, groups):
    """Each score minus the mean of the others of its group.

    scores (B,), groups int (B,) -> (B,)

    Example: scores [1., 3., 5.] in one group give [-3., 0., 3.].
    """
    ### BEGIN SOLUTION
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = groups == label
        size = int(own.sum())
        if size == 1:
            raise ValueError("a group of one row has no others")
        # score - (sum - score) / (G - 1) is G / (G - 1) times the distance from the mean
        adv[own] = (scores[own] - scores[own].mean()) * (size / (size - 1))
    return adv
    ### END SOLUTION


# %% check="rloo_advantages" points=2
check("rloo_advantages")

# %% [markdown]
# ### Exercise: `grpo_advantages`
#
# - Score minus the group's mean; where `divide`, divided by the group's standard deviation plus `eps`.
#   The deviation may have either divisor, $G$ or $G-1$.
# - Where all scores of a group are equal, the advantages are 0, whatever the scores are; and so is that
#   of a group of one row. *Equal* must be asked, not hoped for: the mean of seven numbers 1000.1 is not
#   quite 1000.1 in float32, and rounding divided by rounding is a number of full size.

# %% exercise="grpo_advantages"
def grpo_advantages(scores, groups, divide=True, eps=1e-4):
    """Scores less their group's mean, divided by the group's deviation + eps where `divide`.

    scores (B,), groups int (B,) -> (B,)

    Example: scores [1., 3., 7., 7.] with groups [0, 0, 1, 1] give about [-.7, .7, 0., 0.].
    """
    ### BEGIN SOLUTION
    adv = torch.zeros_like(scores)
    for label in groups.unique():
        own = groups == label
        group = scores[own]
        if group.min() == group.max():
            continue
        centred = group - group.mean()
        adv[own] = centred / (group.std() + eps) if divide else centred
    return adv
    ### END SOLUTION


# %% check="grpo_advantages" points=3
check("grpo_advantages")

# %% [markdown]
# ### Which one is unbiased?
#
# We take lesson 06's language with completions of at most four tokens. The score counts pleasant words,
# so it is 0, 1, 2, 3 or 4. For groups of four we can go through *every* group of scores that may be drawn,
# hand each to your functions, and weigh it by its probability. Nothing is sampled.
#
# **Predict.** Three estimates: RLOO, GRPO without the division, GRPO with it. Which of them point along
# the true gradient? Which have its length?

# %% demo=true trained=true
language = pg.language.Language(max_new=4)
torch.manual_seed(0)
reference = pg.Transformer(language.num_tokens, language.length, language.num_tokens)
language.pretrain(reference, np.random.default_rng(0))
rows = pg.language.listed(language)  # (N, L), all 5,602 sentences
mask = completion_mask(rows, language.prompt_length, language.eos)
about = [rows[:, 0] == name for name in language.names]  # two prompts, (N,) each


def flat(parts):
    return torch.cat([part.flatten() for part in parts])


def gradient(number, policy):
    return flat(torch.autograd.grad(number, list(policy.parameters()), retain_graph=True))


def cosine(one, other):
    return float(one @ other / (one.norm() * other.norm()).clamp(min=1e-12))


def expected_advantages(advantages, levels, shares, size):
    """Mean advantage of a row of each score level, over all groups of `size` rows: (K,)."""
    others = torch.cartesian_prod(*[torch.arange(len(levels))] * (size - 1))  # (M, size - 1)
    groups = torch.arange(len(others)).repeat_interleave(size)
    found = []
    for level in levels:
        scores = torch.cat([level.expand(len(others), 1), levels[others]], dim=1)  # (M, size)
        adv = advantages(scores.flatten(), groups).reshape(-1, size)[:, 0]
        found.append((shares[others].prod(1) * adv).sum())
    return torch.stack(found)


def estimated_gradient(advantages, size=4):
    """The exact mean of the estimate: each sentence's log-probability times its mean advantage."""
    scores, logp = language.score(rows).long(), pg.language.listed_logp(language, reference).sum(1)
    levels, p, weight = torch.arange(5.0).double(), logp.detach().exp(), torch.zeros_like(logp)
    for own in about:
        shares = torch.stack([p[own & (scores == level)].sum() for level in levels])
        weight[own] = expected_advantages(advantages, levels, shares, size)[scores[own]].detach()
    return gradient((p * weight * logp).sum() / 2, reference)


logp = pg.language.listed_logp(language, reference).sum(1)
truth = gradient((logp.exp() * language.score(rows)).sum() / 2, reference)
estimates = {
    "RLOO": estimated_gradient(rloo_advantages),
    pg.tr("GRPO, not divided"): estimated_gradient(lambda s, g: grpo_advantages(s, g, divide=False)),
    pg.tr("GRPO, divided"): estimated_gradient(grpo_advantages),
}
for name, estimate in estimates.items():
    turned = np.degrees(np.arccos(min(1.0, cosine(estimate, truth))))
    print(pg.tr("{name:18} turned by {angle:.1f} degrees, length {length:.2f} times").format(
        name=name, angle=turned, length=estimate.norm() / truth.norm()))

# %% claim="which_group_advantages_are_unbiased"
unbiased, scaled, divided = estimates.values()
claim("RLOO's mean is the true gradient", (unbiased - truth).norm() / truth.norm(), at_most=1e-3)
claim("GRPO's undivided mean is three quarters of it in groups of four",
      (scaled - 0.75 * truth).norm() / truth.norm(), at_most=1e-3)
claim("divided, it is turned by at least one degree", turned, at_least=1)
claim("divided, it is turned by less than four degrees", turned, at_most=4)

# %% [markdown]
# RLOO is the true gradient. Its own score is not in its baseline, so lesson 03's proof holds. The group's
# mean holds the row's own score, which takes a share of $1/G$ from each advantage: the gradient keeps its
# direction and is $(G-1)/G$ as long. That is only a learning rate. The division is more than that: it turns
# the gradient, here by a degree or two, with two prompts that are much alike. Where to?
#
# ### Question: `q_equal_scores`
#
# All eight completions of a prompt get the score 0. What does this prompt add to the gradient (RLOO, or
# GRPO without a KL)?
#
# - **a** Nothing. Its tokens were sampled in vain, and the same holds where all eight succeed.
# - **b** It makes all eight less likely, for they all failed; eight successes would become likelier.
# - **c** A small random push, since $\epsilon$ keeps the divisor away from 0 and the deviation is rounded.
# - **d** It makes the eight less alike.

# %% question="q_equal_scores"
q_equal_scores = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_equal_scores = "a"
### END SOLUTION

# %% check="q_equal_scores" points=1
check("q_equal_scores")

# %% [markdown]
# ## 2. What the division does
#
# **Question.** Scores are now 1 for right and 0 for wrong, as a checker gives them. A prompt is *easy* if its
# chance of success $p$ is near 1, *hard* if it is near 0. How strongly does each pull at the policy?
#
# **Idea.** The true gradient of a prompt is $\nabla p$. A row's mean advantage is one number if it is right, $a_1$,
# and another if it is wrong, $a_0$. Since $\mathbb E[\nabla\log\pi]=0$, the mean of the estimate is
# $(a_1-a_0)\nabla p$. So $a_1-a_0$ is the prompt's weight, and your function gives it exactly.
#
# **Predict.** Draw the weight over $p$ for GRPO with and without the division.

# %% demo=true trained=true alt="Weight of a prompt over its chance of success between 0 and 1. Without the division a horizontal line at 7/8 for groups of eight. With it the weight is lowest at one half, about 2, and rises to both sides; in groups of four it hardly rises, in groups of eight to about 2.5, in groups of 64 to more than four close to the edges. Two marks show the prompts about Ann and Bob on the line for groups of eight."
def weight_of_prompt(p, size, divide):
    """a_1 - a_0 over all groups, p (K,) -> (K,)."""
    right = torch.arange(size)  # right ones among the others
    chance = torch.distributions.Binomial(size - 1, p[:, None]).log_prob(right.double()).exp()
    rest = (torch.arange(size - 1) < right[:, None]).double()  # (size, size - 1)
    adv = []
    for own in (1.0, 0.0):
        scores = torch.cat([torch.full((size, 1), own), rest], dim=1)
        found = grpo_advantages(scores.flatten(), right.repeat_interleave(size), divide)
        adv.append(found.reshape(size, size)[:, 0])
    return chance @ (adv[0] - adv[1])


checker = pg.language.Language(max_new=4, task="once")  # 1 where it makes sense and is pleasant
chances = torch.stack([(logp.exp() * checker.score(rows))[own].sum() for own in about]).detach()
p = torch.linspace(0.01, 0.99, 99).double()
weights = {
    pg.tr("divided, G = {size}").format(size=size): weight_of_prompt(p, size, True) for size in (4, 8, 64)
}
weights[pg.tr("not divided, G = 8")] = weight_of_prompt(p, 8, False)
marked = dict(zip(("Ann", "Bob"), zip(chances.tolist(), weight_of_prompt(chances, 8, True).tolist())))
pg.plots.prompt_weights(p, weights, marked)
plt.show()

# %% claim="the_division_favours_the_extremes"
at = torch.tensor([0.01, 0.5]).double()
edge, middle = weight_of_prompt(at, 64, True)
claim("in groups of 64 a hard prompt pulls more than twice as hard as an even one", edge / middle, at_least=2)
few = weight_of_prompt(at, 8, True)
claim("in groups of eight by at least a fifth", few[0] / few[1], at_least=1.2)
claim("without the division all pull alike", weight_of_prompt(at, 8, False).std(), at_most=1e-6)

# %% [markdown]
# Without the division all prompts pull alike. With it those pull hardest which hardly ever change: nearly always
# right, or nearly never. In large groups the weight approaches $1/\sqrt{p(1-p)}$. That is another objective than
# the mean score (Liu et al. 2025). Whether it is a good one is open; that it is a *choice* is not written on it.
#
# ### Question: `q_divide_by_std`
#
# Scores are 0 or 1, groups are large. What does the division by the group's deviation change in the mean gradient?
#
# - **a** Only its length: all prompts get the same factor, which the learning rate can undo.
# - **b** It takes away the bias that the group's mean brings in.
# - **c** It lowers the weight of the prompts that are nearly always or nearly never solved.
# - **d** It raises their weight against the prompts that are solved half of the time.

# %% question="q_divide_by_std"
q_divide_by_std = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_divide_by_std = "d"
### END SOLUTION

# %% check="q_divide_by_std" points=1
check("q_divide_by_std")

# %% [markdown]
# ### Phantom advantages
#
# **Question.** What if nobody solves a prompt, and the judge is a little noisy? All true scores are 0. The judge
# says 0.003, -0.008, 0.011.
#
# **Predict.** There is nothing to be learned. What does the policy do in thirty updates, with and without the
# division? (Plain gradient steps, with a rate at which the task of the checker is learned.)

# %% demo=true trained=true alt="Exact KL to the reference over thirty updates for six seeds on a logarithmic axis. With the division the policy drifts to between a tenth and a few nats. Without it the KL stays hundreds or thousands of times smaller."
class Hopeless(pg.language.Language):
    """Nobody solves these prompts; the judge's scores differ by hundredths."""

    def score(self, tokens):
        return 0.01 * torch.randn(len(tokens))


def update_from_groups(language, policy, optimizer, divide, num_prompts=8, group_size=8):
    """One step of gradient descent on one fresh batch: the shortest training there is."""
    groups = torch.arange(num_prompts).repeat_interleave(group_size)  # (B,)
    asked = language.prompts()[torch.randint(2, (num_prompts,))]  # (P, 2)
    tokens = language.sample(policy, prompts=asked[groups])
    own = completion_mask(tokens, language.prompt_length, language.eos)
    adv = grpo_advantages(language.score(tokens), groups, divide)
    loss = -(adv[:, None] * token_logp(policy(tokens), tokens))[own].mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


REFERENCE = pg.language.tables(language, reference)  # all that `exact` asks of a policy


def drift(divide, seed, rate=0.3, language=Hopeless(max_new=4)):
    """The exact KL to the reference before the first of thirty updates and after each third one."""
    torch.manual_seed(seed)
    policy = copy.deepcopy(reference)
    optimizer = torch.optim.SGD(policy.parameters(), lr=rate)
    found = [0.0]
    for update in range(1, 31):
        update_from_groups(language, policy, optimizer, divide)
        if update % 3 == 0:
            found.append(pg.language.exact(language, policy, REFERENCE).kl)
    return np.array(found)


drifts = {
    pg.tr("divided by the deviation"): np.array([drift(True, seed) for seed in range(6)]),
    pg.tr("not divided"): np.array([drift(False, seed) for seed in range(6)]),
}
pg.plots.drifts(drifts, every=3)
plt.show()

# %% claim="phantom_advantages_move_the_policy" seeds=12 rates=[0.1, 0.3, 0.6]
def again(seed, rate):
    """How many times as far the division lets the policy drift."""
    return drift(True, seed, rate)[-1] / drift(False, seed, rate)[-1]


with_it, without = (runs[:, -1] for runs in drifts.values())
claim("the drift is at least a hundred times as large with the division", np.min(with_it / without),
      at_least=100, again=again)
claim("without the division it stays below a thousandth of a nat", without.max(), at_most=1e-3)

# %% [markdown]
# The division turns hundredths into advantages of full size. Each batch pushes in another direction, and the sum of
# the pushes is a random walk away from the reference. Without the division a noise of a hundredth stays a hundredth.
# (Adam divides by the size of recent gradients and so brings back a part of the problem.)
#
# ## 3. Whose mean?
#
# **Question.** A batch of sentences has a loss at every token. A scalar is wanted. Which mean?
#
# **Idea.** There are three usual answers, and each gives a token another weight. `"tokens"` is a mean over all tokens of
# the batch. `"sentences"` takes the mean of each sentence first, then the mean of the means, as GRPO was published.
# `"constant"` adds up and divides by a fixed number (Liu et al. 2025).
#
# ### Exercise: `aggregate_loss`
#
# - `per_token`: `(B, L-1)`; `mask`: `bool` `(B, L-1)`; the result is a scalar tensor.
# - `"tokens"`: mean over all true entries. `"sentences"`: mean over the $B$ rows of each row's mean over its true
#   entries. `"constant"`: sum over the true entries divided by $B$ times `length`.
# - A row without a true entry counts 0 and is one of the $B$. An all-false mask gives 0, with a finite gradient.
#   What stands outside the mask may be a nan.
# - Another `how`, or `"constant"` without `length`: `ValueError`.

# %% exercise="aggregate_loss"
def aggregate_loss(per_token, mask, how, length=None):
    """One number from the losses of all tokens: "tokens", "sentences" or "constant".

    per_token (B, L-1), mask bool (B, L-1) -> scalar tensor

    Example: [[6., 0.], [2., 4.]] with mask [[True, False], [True, True]]: "tokens" gives 4,
    "sentences" 4.5, "constant" with length 2 gives 3.
    """
    ### BEGIN SOLUTION
    kept = torch.where(mask, per_token, 0.0)
    if how == "tokens":
        return kept.sum() / mask.sum().clamp(min=1)
    if how == "sentences":
        return (kept.sum(1) / mask.sum(1).clamp(min=1)).mean()
    if how == "constant" and length is not None:
        return kept.sum() / (len(mask) * length)
    raise ValueError(f"how is {how!r} and length {length!r}")
    ### END SOLUTION


# %% check="aggregate_loss" points=2
check("aggregate_loss")

# %% [markdown]
# **Predict.** A batch of a short and a long sentence. How much does each token weigh?

# %% demo=true alt="Two strips of cells, one for a sentence of two tokens and one for a sentence of four. The mean over tokens gives each of the six tokens a sixth, 0.17. The mean of sentence means gives 0.25 to the tokens of the short sentence and 0.12 to those of the long one. The sum over a constant of four gives 0.12 to all."
short_and_long = torch.tensor([[True, True, False, False], [True, True, True, True]])
token_weights = {}
for how in ("tokens", "sentences", "constant"):
    per_token = torch.zeros(2, 4, requires_grad=True)
    aggregate_loss(per_token, short_and_long, how, length=4).backward()
    token_weights[how] = per_token.grad
sentences = "Bob is sad .".split(), "Ann is sad and kind .".split()
fig, axes = plt.subplots(1, 2, figsize=(9.5, 2.3), width_ratios=(4, 6))
for row, (ax, words) in enumerate(zip(axes, sentences)):
    own = short_and_long[row]
    strips = {how: weights[row][own].numpy() for how, weights in token_weights.items()}
    pg.plots.token_strip(words[2:], strips, prompt=words[:2], ax=ax, limit=0.5)
plt.show()

# %% [markdown]
# ### The length bias, exactly
#
# The checker's task links length and score: a second adjective is a second chance to be pleasant, so longer
# sentences are right more often. The true gradient makes right sentences longer. Does the loss see that?
#
# For the smallest batch, two sentences of one prompt, we go through all pairs of a score and a length, and add up
# what your `rloo_advantages` and your `aggregate_loss` give each sentence's tokens. That is the exact mean gradient of
# each way. We then ask: if a step along it raises the score by one hundredth, by how much does the mean length of
# the right sentences change, and that of the wrong ones?

# %% demo=true trained=true
lengths, right = mask.sum(1), checker.score(rows)  # (N,) each
kinds = (2 * lengths + right).long()  # a number for each pair of length and score


def weights_of_pairs(how, shares):
    """Mean weight of a sentence's tokens in the loss, by its kind, over all pairs: (K,)."""
    found, there = torch.zeros_like(shares), shares.nonzero()[:, 0]
    for one in there:
        for other in there:
            pair = torch.stack([one, other])
            adv = rloo_advantages((pair % 2).double(), torch.zeros(2, dtype=torch.long))
            own = torch.arange(4) < (pair // 2)[:, None]  # (2, 4)
            logp = torch.zeros(2, 4, dtype=torch.double, requires_grad=True)
            aggregate_loss(-adv[:, None] * logp, own, how, length=4).backward()
            found[one] += -2 * shares[other] * logp.grad[0, 0]
    return found


def gradient_of(how):
    logp = pg.language.listed_logp(language, reference).sum(1)
    p, weight = logp.detach().exp(), torch.zeros_like(logp)
    for own in about:
        shares = torch.zeros(10).double().index_add(0, kinds[own], p[own])
        weight[own] = weights_of_pairs(how, shares)[kinds[own]]
    return gradient((p * weight * logp).sum() / 2, reference)


p = pg.language.listed_logp(language, reference).sum(1).exp() / 2
success = gradient((p * right).sum(), reference)
longer = {
    name: gradient((p * some * lengths).sum() / (p * some).sum(), reference)
    for name, some in [("right", right), ("wrong", 1 - right)]
}
changes = {}
for how, direction in [("true", success), *((how, gradient_of(how)) for how in token_weights)]:
    step = 0.01 * direction / (direction @ success)
    changes[how] = [float(longer[name] @ step) for name in longer]
    print(pg.tr("{how:10} right sentences {right:+.4f} tokens, wrong ones {wrong:+.4f}").format(
        how=how, right=changes[how][0], wrong=changes[how][1]))

# %% claim="the_sentence_mean_has_a_length_bias"
claim("the constant agrees with the true gradient for right sentences",
      abs(changes["constant"][0] - changes["true"][0]), at_most=1e-5)
claim("and for wrong ones", abs(changes["constant"][1] - changes["true"][1]), at_most=1e-5)
claim("the mean of sentence means lengthens right sentences at most nine tenths as much",
      changes["sentences"][0] / changes["true"][0], at_most=0.9)
claim("and so does a mean over the tokens of two sentences",
      changes["tokens"][0] / changes["true"][0], at_most=0.9)
claim("the true gradient makes right sentences longer", changes["true"][0], at_least=0.001)

# %% [markdown]
# The sum over a constant is the true gradient. The mean of sentence means divides each sentence's push by its own
# length. A right answer is praised less for each token if it is long; a wrong one is blamed less if it is long. Here the
# first of the two decides. A second adjective is the way out of `sad`, its praise is halved, and sentences grow less
# than they should. Where most long answers are wrong, the second decides, and failures grow long (Liu et al. 2025).
#
# The mean over tokens divides by a number that the batch itself draws. In a batch of two it has a bias of the same kind;
# in a large batch that number hardly varies, and the bias goes away.
#
# ## 4. The loss
#
# **Idea.** GRPO's loss is lesson 06's clip per token with two additions. The band may be wider above than below
# ("clip higher", Yu et al. 2025): in a band of 0.28 a token with probability 0.01 pushes itself up to 0.0128 and then
# rests, and rare good tokens are those that need room. And a KL estimate against the reference may stand in the loss, $k_3$ of lesson 04
# (Schulman 2020): $\frac{\pi_\text{ref}}{\pi_\theta}-1-\log\frac{\pi_\text{ref}}{\pi_\theta}$. Section 5 looks at that term.
#
# ### Exercise: `grpo_loss`
#
# - `logp`, `logp_old`, `logp_ref`: `(B, L-1)`; `adv`: `(B,)`, one for each sentence; `mask`: `bool` `(B, L-1)`.
# - Per token: minus the clipped objective with the band `1 - clip_low` to `1 + clip_high`, plus `beta` times $k_3$. Then
#   `aggregate_loss` by `how`. The result is a scalar to be *minimised*.
# - Gradient flows through `logp` alone. `logp_ref` may be `None` where `beta` is 0.
# - As in lesson 06, mask *before* the exponentials: a log-ratio of 89 outside must do no harm.

# %% exercise="grpo_loss"
def grpo_loss(logp, logp_old, logp_ref, adv, mask, *, clip_low=0.2, clip_high=0.28, beta=0.0,
              how="tokens", length=None):
    """GRPO's loss: clip per token, plus beta times k3 to the reference, aggregated by `how`.

    logp, logp_old, logp_ref (B, L-1), adv (B,), mask bool (B, L-1) -> scalar tensor

    Example: one token with ratio 1.5 and advantage 2 gives -2.56; with ratio 0.5 and -2 it gives 1.6.
    """
    ### BEGIN SOLUTION
    adv = adv.detach()[:, None]  # (B, 1)
    ratio = torch.exp(torch.where(mask, logp - logp_old.detach(), 0.0))  # (B, L-1)
    clipped = torch.clamp(ratio, 1 - clip_low, 1 + clip_high)
    loss = -torch.min(ratio * adv, clipped * adv)
    if beta:
        apart = torch.where(mask, logp_ref.detach() - logp, 0.0)
        loss = loss + beta * (torch.expm1(apart) - apart)
    return aggregate_loss(loss, mask, how, length)
    ### END SOLUTION


# %% check="grpo_loss" points=4
check("grpo_loss")

# %% [markdown]
# **Predict.** We sample four sentences for each prompt, and compute the loss before the first step. What is its
# value? What is the length of its gradient?

# %% demo=true trained=true
torch.manual_seed(1)
groups = torch.arange(2).repeat_interleave(4)  # (8,)
tokens = language.sample(reference, prompts=language.prompts()[groups])
policy, own = copy.deepcopy(reference), completion_mask(tokens, language.prompt_length, language.eos)
logp = token_logp(policy(tokens), tokens)
adv = grpo_advantages(language.score(tokens), groups)
loss = grpo_loss(logp, logp.detach(), None, adv, own, how="sentences")
pull = flat(torch.autograd.grad(loss, list(policy.parameters())))
print(pg.tr("loss {loss:.4f}, length of its gradient {length:.2f}").format(
    loss=abs(loss.item()), length=pull.norm()))

# %% claim="a_loss_of_zero_learns"
claim("the loss is zero", abs(loss.item()), at_most=1e-5)
claim("its gradient is not", pull.norm(), at_least=0.1)

# %% [markdown]
# ### Question: `q_zero_loss`
#
# A training with one step for each batch logs a loss of 0.0000 in every update, and no KL is charged. What is wrong?
#
# - **a** The advantages were detached, so nothing can be learned.
# - **b** Nothing. At equal policies the value is minus the mean advantage, which is 0 in each group; its gradient isn't.
# - **c** All groups have equal scores.
# - **d** The learning rate is too small to be seen in four digits.

# %% question="q_zero_loss"
q_zero_loss = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_zero_loss = "b"
### END SOLUTION

# %% check="q_zero_loss" points=1
check("q_zero_loss")

# %% [markdown]
# ## 5. The KL's gradient
#
# **Question.** Lesson 06 charged $k_1$ in the *reward*. GRPO puts $k_3$ into the *loss* and lets autograd differentiate it.
# Both estimate the same number. Do they have the same gradient?
#
# **Idea.** An unbiased estimate of a number need not have an unbiased gradient. Autograd differentiates the estimate
# and forgets that the samples, too, come from $\pi_\theta$. Lesson 06 had both parts of $\nabla\,\mathbb E[k_1]$: the one
# with $k_1$ as data was everything, and $\mathbb E[\nabla k_1]$ was zero.
#
# ### Exercise: `kl_reward_loss`
#
# - `logp`, `logp_ref`: `(B, L-1)`; `mask`: `bool` `(B, L-1)`. The rows are samples of the policy itself.
# - The result is a scalar whose *gradient* estimates that of $\mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref})$ per sentence: each
#   token's log-probability, weighted by the log-ratio *to go* (its own and all later ones of its row), as data; summed over
#   the tokens, mean over the rows. The value doesn't matter.

# %% exercise="kl_reward_loss"
def kl_reward_loss(logp, logp_ref, mask):
    """A loss whose gradient is, over samples of the policy, that of KL(policy, reference).

    logp, logp_ref (B, L-1), mask bool (B, L-1) -> scalar tensor

    Example: one row of log-ratios [1., 2.] weighs its two tokens' log-probabilities by 3 and 2.
    """
    ### BEGIN SOLUTION
    log_ratio = torch.where(mask, logp - logp_ref, 0.0).detach()  # (B, L-1)
    to_go = log_ratio.flip(1).cumsum(1).flip(1)
    return torch.where(mask, to_go * logp, 0.0).sum(1).mean()
    ### END SOLUTION


# %% check="kl_reward_loss" points=2
check("kl_reward_loss")

# %% [markdown]
# ### Exercise: `kl_in_loss`
#
# The three estimates, differentiated as they are. With the log-ratio $x=\log\pi_\theta-\log\pi_\text{ref}$ of a token: $k_1=x$,
# $k_2=x^2/2$, $k_3=e^{-x}-1+x$ (`torch.expm1` keeps small ones exact).
#
# - `kind`: `"k1"`, `"k2"` or `"k3"`. Mean over rows of the sum over the tokens in the mask. Gradient flows through `logp`
#   alone.

# %% exercise="kl_in_loss"
def kl_in_loss(logp, logp_ref, mask, kind):
    """Mean over rows of the sum over tokens of k1, k2 or k3, to be differentiated by autograd.

    logp, logp_ref (B, L-1), mask bool (B, L-1) -> scalar tensor

    Example: one token with log-ratio 1: "k1" gives 1, "k2" 0.5, "k3" exp(-1).
    """
    ### BEGIN SOLUTION
    x = torch.where(mask, logp - logp_ref.detach(), 0.0)  # (B, L-1)
    estimate = {"k1": x, "k2": x**2 / 2, "k3": torch.expm1(-x) + x}[kind]
    return estimate.sum(1).mean()
    ### END SOLUTION


# %% check="kl_in_loss" points=2
check("kl_in_loss")

# %% [markdown]
# **Experiment.** We shake the reference's weights, at random and by various amounts, and ask for the gradient of the exact
# KL. Beside it we put the *exact mean* of the gradient that autograd finds in your four losses, over all sentences.
#
# **Predict.** Which of the four points along the true gradient?

# %% demo=true trained=true alt="Cosine with the true gradient over the exact KL on a logarithmic axis, for forty shaken policies. k1 in the reward lies at one throughout. k1 in the loss lies at zero. k2 in the loss stays near one for small KL and falls somewhat beyond a few tenths of a nat. k3 in the loss scatters widely beyond a few tenths of a nat, in some cases far below one."
logp_ref = pg.language.listed_logp(language, reference).detach()


def shaken(size, seed):
    torch.manual_seed(seed)
    policy = copy.deepcopy(reference)
    with torch.no_grad():
        for weight in policy.parameters():
            weight += size * torch.randn_like(weight)
    return policy


def mean_gradient(policy, logp, loss_of):
    """The exact mean of the gradient of `loss_of(logp)`, over the policy's own sentences."""
    share = logp.detach().sum(1).exp() / 2  # (N,)
    (each,) = torch.autograd.grad(loss_of(logp), logp)  # of a mean over N rows
    return gradient((each * len(logp) * share[:, None] * logp).sum(), policy)


LOSSES = {
    pg.tr("k1 in the reward"): lambda logp: kl_reward_loss(logp, logp_ref, mask),
    pg.tr("k1 in the loss"): lambda logp: kl_in_loss(logp, logp_ref, mask, "k1"),
    pg.tr("k2 in the loss"): lambda logp: kl_in_loss(logp, logp_ref, mask, "k2"),
    pg.tr("k3 in the loss"): lambda logp: kl_in_loss(logp, logp_ref, mask, "k3"),
}


def compared(policy):
    """The exact KL, and each loss's cosine with the KL's gradient."""
    logp = pg.language.listed_logp(language, policy)  # (N, L-1)
    kl = (logp.sum(1).exp() * (logp - logp_ref).sum(1)).sum() / 2
    truth = gradient(kl, policy)
    found = [mean_gradient(policy, logp, loss_of) for loss_of in LOSSES.values()]
    # A gradient of nothing but rounding has no direction.
    return kl.item(), [cosine(g, truth) if g.norm() > 1e-6 * truth.norm() else 0.0 for g in found]


cloud = [compared(shaken(size, seed)) for size in (0.03, 0.06, 0.1, 0.2, 0.3) for seed in range(8)]
drifted = np.array([kl for kl, _found in cloud])
cosines = dict(zip(LOSSES, np.array([found for _kl, found in cloud]).T))
pg.plots.cosine_cloud(drifted, cosines)
plt.show()
far = drifted > 0.3
print(pg.tr("cosine with the true gradient beyond 0.3 nats: lowest, median, highest"))
for name, values in cosines.items():
    print(f"{name:18} {values[far].min():6.3f} {np.median(values[far]):6.3f} {values[far].max():6.3f}")

# %% claim="only_k1_in_the_reward_is_the_gradient"
in_reward, one, two, three = cosines.values()
claim("k1 in the reward is the true gradient everywhere", in_reward.min(), at_least=0.9999)
claim("k1 in the loss is zero everywhere", np.abs(one).max(), at_most=1e-6)
claim("k2 in the loss is nearly right below 0.05 nats", two[drifted < 0.05].min(), at_least=0.98)
claim("k3 in the loss is nearly right below 0.05 nats", three[drifted < 0.05].min(), at_least=0.98)
claim("beyond 0.3 nats k3 in the loss can have a cosine below 0.7", three[far].min(), at_most=0.7)

# %% claim="k3_in_the_loss_is_worse_than_k2" seeds=24
def again(seed):
    """By how much k2's cosine exceeds k3's, in the median of nine shaken policies."""
    found = [compared(shaken(0.25, 100 * seed + n))[1] for n in range(9)]
    return float(np.median([row[2] - row[3] for row in found]))


_reward, _one, two, three = cosines.values()
claim("beyond 0.3 nats k2 in the loss is nearer to the true gradient than k3, in the median",
      np.median((two - three)[far]), at_least=0.0, again=again)

# %% [markdown]
# Only $k_1$ in the reward is the gradient of the KL. $k_1$ in the loss is no penalty at all: its mean gradient is zero.
# $k_2$ is nearly right, and right for a single token; what it misses is that an early token leads to the later ones, whose
# charges it doesn't see. $k_3$ descends something else. Its mean gradient at a token is
# $-\sum_a\pi_\text{ref}(a)\nabla\log\pi_\theta(a)$, the gradient of the *other* direction, $\mathrm{KL}(\pi_\text{ref}\,\|\,\pi_\theta)$.
# Close to the reference the two directions agree. Far away, where a leash is needed, they don't.
#
# So $k_3$ is a fine **gauge** and a poor **loss**. Some programs multiply $k_3$ by the importance ratio before
# they differentiate it; its gradient is then that of $k_2$.
#
# ### Question: `q_k3_as_loss`
#
# $k_3$ is unbiased, never negative, and scatters little. What is its mean gradient, if it stands in the loss and the samples
# are the policy's own?
#
# - **a** That of $\mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref})$, because $k_3$ is an unbiased estimate of it.
# - **b** Zero, as for $k_1$.
# - **c** At each token that of $\mathrm{KL}(\pi_\text{ref}\,\|\,\pi_\theta)$, the other direction.
# - **d** That of $\mathrm{KL}(\pi_\theta\,\|\,\pi_\text{ref})$ with less noise, because $k_3$ is never negative.

# %% question="q_k3_as_loss"
q_k3_as_loss = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_k3_as_loss = "c"
### END SOLUTION

# %% check="q_k3_as_loss" points=1
check("q_k3_as_loss")

# %% [markdown]
# ## 6. The loop
#
# ### Exercise: `train_grpo`
#
# One update:
#
# 1. **collect**: draw `num_prompts` of `language.prompts()`, `(2, prompt_length)`, by `rng`;
#    `language.sample(policy, prompts=...)` completes the rows that it is handed, here each prompt `group_size` times;
#    without gradients, the log-probabilities under policy and reference;
# 2. **advantages**: charge the KL in the score, `beta` times each sentence's summed log-ratio, and hand the result to
#    `grpo_advantages`, with `divide` as asked. (Or leave the scores alone and hand `beta` to `grpo_loss`, as GRPO was
#    published. One of the two.)
# 3. **update**: `epochs` times over `minibatches` of rows, `grpo_loss` by `how` (`length` is `language.max_new`),
#    zero_grad, backward, step;
# 4. **log** a dict: `mean_score`, the batch's mean of `language.score`; `kl`, the mean of the summed log-ratios to the
#    reference; `clip_fraction`, the share of ratios outside the band, over all steps; `first_ratio`, the mean ratio in the
#    first minibatch, before the first step; `equal_groups`, the share of groups whose scores are all equal.
#
# The check trains for 20 updates of 16 prompts, 8 completions each, with $\beta=1$. The exact score must reach 0.85 (the
# reference has about 0.65), and the exact KL must stay within 0.8 nats per sentence.

# %% exercise="train_grpo"
def train_grpo(language, policy, reference, optimizer, *, num_updates, num_prompts, group_size, beta,
               rng, epochs=1, minibatch_size=64, divide=False, how="tokens"):
    """Trains the policy in place on groups of completions, without a critic.

    Returns a list of num_updates dicts: mean_score, kl, clip_fraction, first_ratio, equal_groups.
    """
    ### BEGIN SOLUTION
    history, prompts = [], language.prompts()
    groups = torch.arange(num_prompts).repeat_interleave(group_size)  # (B,)
    for _ in range(num_updates):
        asked = prompts[rng.integers(len(prompts), size=num_prompts)]  # (P, prompt_length)
        tokens = language.sample(policy, prompts=asked[groups])  # (B, L)
        mask = completion_mask(tokens, language.prompt_length, language.eos)  # (B, L-1)
        with torch.no_grad():
            logp_old = token_logp(policy(tokens), tokens)  # (B, L-1)
            logp_ref = token_logp(reference(tokens), tokens)
        drift = torch.where(mask, logp_old - logp_ref, 0.0).sum(1)  # (B,)
        scores, labels = language.score(tokens), groups.to(tokens.device)
        adv = grpo_advantages(scores - beta * drift, labels, divide)
        ratios = []
        for _ in range(epochs):
            for idx in minibatches(len(tokens), minibatch_size, rng):
                logp = token_logp(policy(tokens[idx]), tokens[idx])
                loss = grpo_loss(logp, logp_old[idx], logp_ref[idx], adv[idx], mask[idx], how=how,
                                 length=language.max_new)  # beta is 0 here: the KL is in the score
                ratios.append(torch.exp((logp.detach() - logp_old[idx])[mask[idx]]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        in_groups, every = scores.reshape(num_prompts, group_size), torch.cat(ratios)
        history.append({
            "mean_score": scores.mean().item(),
            "kl": drift.mean().item(),
            "clip_fraction": ((every < 0.8) | (every > 1.28)).float().mean().item(),
            "first_ratio": ratios[0].mean().item(),
            "equal_groups": (in_groups == in_groups[:, :1]).all(1).float().mean().item(),
        })
    return history
    ### END SOLUTION


# %% check="train_grpo" points=4
check("train_grpo")

# %% [markdown]
# **Experiment.** The same $\beta$, three placements of the KL: $k_1$ in the score, $k_2$ in the loss, $k_3$ in the loss. Twelve
# seeds each, 40 updates, at three values of $\beta$; `python -m publish.group_runs` made these runs and makes them again.
#
# **Predict.** Which of them end near the line of the best possible policies? Where do the others end?

# %% demo=true alt="Exact score over the root of the exact KL, twelve runs for each of three placements and three betas, and a dashed line of the best possible policies. Runs with k1 in the score lie close to the line, in tight clusters. Runs with k2 in the loss lie on or a little below it. Runs with k3 in the loss are scattered far to the right and below the line."
placed = pg.stored_runs("placements")
names = {"reward": pg.tr("k1 in the score"), "k2": pg.tr("k2 in the loss"), "k3": pg.tr("k3 in the loss")}
pg.plots.scattered_frontier(
    {label: placed[f"placed_{key}"] for key, label in names.items()}, placed["best_possible"]
)
plt.show()
print(pg.tr("median over 12 seeds: exact KL per sentence (best possible), share below the line"))
gaps = {}
for key, label in names.items():
    runs = placed[f"placed_{key}"]  # (betas, seeds, 2): KL and score
    best = np.interp(runs[..., 0], *placed["best_possible"])
    gaps[key] = np.median(best - runs[..., 1], axis=1)
    for beta, kl, gap, aim in zip(placed["betas"], np.median(runs[..., 0], axis=1), gaps[key], placed["aims"]):
        print(f"{label:18} β = {beta:4.2f}  {kl:6.2f} ({aim:5.2f})  {gap:6.2f}")

# %% claim="k1_in_the_score_stays_on_the_line"
reached = {key: np.median(placed[f"placed_{key}"][..., 0], axis=1) for key in names}
claim("k1 in the score ends within a quarter of the best possible KL, at all betas",
      np.abs(reached["reward"] / placed["aims"] - 1).max(), at_most=0.25)
claim("k3 in the loss drifts at least 1.5 times as far at the second smallest beta",
      reached["k3"][1] / placed["aims"][1], at_least=1.5)
claim("and pays more for its score: it lies at least 0.2 below the line", gaps["k3"][1], at_least=0.2)
claim("k1 in the score lies within 0.1 of it", gaps["reward"].max(), at_most=0.1)

# %% claim="k3_lets_go_of_the_leash" seeds=12 rates=[0.003, 0.005, 0.01]
from publish import group_runs

group_runs.reference = lambda: (language, reference)  # the same as it would train once more


def again(seed, rate):
    """By how much more the objective, score - beta KL, is worth with k1 in the score."""
    found = [group_runs.placed_run(place, 0.3, seed, rate) for place in ("reward", "k3")]
    (kl, score), (kl_3, score_3) = found
    return (score - 0.3 * kl) - (score_3 - 0.3 * kl_3)


worth = {key: placed[f"placed_{key}"][1] @ np.array([-0.3, 1.0]) for key in names}
claim("at beta 0.3 score minus beta times KL is higher with k1 in the score than with k3 in the loss",
      np.median(worth["reward"]) - np.median(worth["k3"]), at_least=0.02, again=again)

# %% [markdown]
# With $k_1$ in the score the runs end on the line, where their $\beta$ says. With $k_3$ in the loss the same $\beta$ holds much
# less, and what is spent in KL isn't fully paid back in score.
#
# ## 7. Sampler and scorer
#
# **Question.** Large systems sample with one program and train with another. What if the two differ, for instance because the
# sampler draws from the likeliest $k$ tokens only, or at another temperature?
#
# **Idea.** `logp_old` must be the log-probability of the token *under the distribution that drew it*. Otherwise the ratio isn't 1
# before the first step. If the sampler $q$ leaves tokens out, the mean of $\pi/q$ over its samples is
# $\sum_{q>0}q\,\pi/q$: the mass that was kept.
#
# **Predict.** The first ratio's mean under top-2 sampling, and at temperature 0.7.

# %% demo=true trained=true
begun = language.prompts()[:1]  # Ann is
with torch.no_grad():
    pi = torch.softmax(reference(begun)[0, -1].double(), -1)  # (V,) the first word's probabilities
kept = pi.topk(2).values.sum().item()


def sampled_ratios(temperature=1.0, top_k=None, count=4_000):
    """Ratios of the policy to the sampler for the first word of `count` completions."""
    torch.manual_seed(7)
    words = language.sample(reference, prompts=begun.expand(count, -1), temperature=temperature,
                            top_k=top_k)[:, language.prompt_length]
    q = pi.pow(1 / temperature)
    if top_k is not None:
        q = torch.where(q < q.topk(top_k).values[-1], 0.0, q)
    return (pi / (q / q.sum()))[words]


ratios = {
    pg.tr("the policy itself"): sampled_ratios(),
    pg.tr("top 2"): sampled_ratios(top_k=2),
    pg.tr("temperature 0.7"): sampled_ratios(temperature=0.7),
}
for name, ratio in ratios.items():
    print(pg.tr("{name:18} mean ratio {mean:.3f}, smallest {low:.3f}, largest {high:.3f}").format(
        name=name, mean=ratio.mean(), low=ratio.min(), high=ratio.max()))
print(pg.tr("mass that the top 2 keep, exactly: {kept:.3f}").format(kept=kept))

# %% claim="the_first_ratio_tells_the_sampler"
same, top, cold = ratios.values()
claim("the policy's own samples have ratio 1", (same - 1).abs().max(), at_most=1e-6)
claim("under top 2 every ratio is the mass that was kept", (top - kept).abs().max(), at_most=1e-5)
claim("at another temperature the mean is near 1 all the same", abs(cold.mean() - 1), at_most=0.1)
claim("but single ratios are not", cold.max() - cold.min(), at_least=0.3)

# %% [markdown]
# Under top-2 every ratio is the kept mass. At another temperature the ratios differ from 1 one by one, although their *mean* is
# 1: no token was left out, and the errors cancel. So look at single ratios as well. The rule of thumb: **first ratio not 1, stop
# and look.**
#
# ## 8. A bug hunt on tokens
#
# Six programs, each this lesson's solution (with `divide=True`, $\beta=0.3$) and one thing changed. Beside the logged numbers, two gauges look at the advantages:
# their spread over the batch, and the spread of the groups' *mean* advantages, which is 0 where each group is
# compared with itself. Dashed: the healthy program. What lies beyond a panel is drawn at its edge; the numbers are each
# gauge's smallest and largest.

# %% demo=true alt="Six rows of six panels for the runs A to F, a healthy run dashed behind: mean score, KL to the reference, first ratio, equal groups, spread of the advantages, spread of the groups' means. The table below gives each gauge's smallest and largest value."
hunt = pg.stored_runs("token_bug_hunt")
shown = {name: gauges for name, gauges in hunt.items() if name in "ABCDEF"}
pg.plots.broken_token_runs(shown, hunt["healthy"])
plt.show()
pg.plots.gauge_table({**shown, "healthy": hunt["healthy"]})

# %% [markdown]
# ### Exercise: `token_bug_hunt`
#
# Name the bug of each run. Three of the candidates are not there.
#
# | name | the bug |
# |---|---|
# | `"batch-whitened"` | scores are whitened over the whole batch, not by group |
# | `"groups-misaligned"` | the labels are shifted by one row against the scores |
# | `"deviation-is-one"` | the deviation is always 1: nothing is divided |
# | `"mask-inverted"` | the loss counts prompt and filling, not the completion |
# | `"kl-sign"` | the drift is paid instead of charged |
# | `"hot-sampler"` | the sampler runs at temperature 1.5, the scorer at 1 |
# | `"score-sign"` | the scores enter with a minus sign |
# | `"reference-follows"` | the reference is replaced by the policy after each update |
# | `"groups-of-one-prompt"` | every group of a batch has the same prompt |

# %% exercise="token_bug_hunt"
token_bug_hunt = {"A": None, "B": None, "C": None, "D": None, "E": None, "F": None}
### BEGIN SOLUTION
token_bug_hunt = {
    "A": "hot-sampler",  # the first ratio isn't 1
    "B": "deviation-is-one",  # groups agree with themselves, the spread is the scores' own
    "C": "kl-sign",  # the KL grows without bound, and more KL is better
    "D": "batch-whitened",  # a spread of 1, and whole groups above others
    "E": "mask-inverted",  # everything is in order but the policy's words don't learn
    "F": "groups-misaligned",  # the groups' means are off by a little
}
### END SOLUTION

# %% check="token_bug_hunt" points=2
check("token_bug_hunt")

# %% [markdown]
# ## 9. With or without a critic?
#
# **Experiment.** Lesson 06's PPO with a critic, RLOO and GRPO, at equal numbers of sampled tokens: 40 updates of 128 completions,
# two epochs, $\beta=0.3$ in the reward. Each method's learning rate is tuned over the same four rates on the same two seeds; then
# twelve others. The runs are stored.

# %% demo=true alt="Left, the objective score minus beta times KL over forty updates for PPO with a critic, RLOO and GRPO: means over twelve seeds, and a dotted line at the best possible. All three rise and come close to it. Right, exact score over exact KL of the final policies with the line of the best possible ones."
contest = pg.stored_runs("contest")
labels = {"ppo": pg.tr("PPO, critic"), "rloo": "RLOO", "grpo": "GRPO"}
pg.plots.contest(
    contest["updates"], {label: contest[f"curve_{key}"] for key, label in labels.items()},
    {label: contest[f"final_{key}"] for key, label in labels.items()},
    contest["best_possible"], float(contest["best_objective"]),
)
plt.show()
print(pg.tr("method        rate  objective  time per update  numbers held"))
for key, label in labels.items():
    objective = contest[f"curve_{key}"][:, -1]  # (seeds,)
    print(f"{label:12} {contest[f'rate_{key}']:6g} {objective.mean():7.2f} ± {objective.std() / 12**0.5:.2f}"
          f" {contest[f'time_{key}'] / contest['time_rloo']:13.1f} {int(contest[f'held_{key}']):14,}")

# %% claim="all_three_come_close"
final = {key: contest[f"curve_{key}"][:, -1].mean() for key in labels}
best = float(contest["best_objective"])
claim("RLOO ends within 0.1 of the best possible objective", best - final["rloo"], at_most=0.1)
claim("and so does GRPO", best - final["grpo"], at_most=0.2)
claim("without the critic half of the numbers are held", contest["held_ppo"] / contest["held_rloo"], at_least=1.8)

# %% [markdown]
# On a task of this size all come close to the best possible, and none of the differences would decide for one of them. What is
# saved is clear: no second network with its optimiser's memory, and no pass through it. What is paid is clear, too: several
# completions of each prompt, and groups of equal scores that teach nothing. Where one prompt can be answered many times and
# checked by a program, that is a good bargain. Where an episode is expensive and runs once, as in lesson 05, the critic stays.
#
# ## What you take along
#
# - The others of a group are a baseline that needs no training. Leave-one-out is unbiased.
# - Dividing by the deviation weighs prompts, and blows up noise where scores are equal.
# - Say whose mean a loss is. A mean of sentence means judges long answers by another measure than short ones.
# - An unbiased estimate need not have an unbiased gradient. $k_3$ is a gauge; the KL belongs in the reward.
# - A loss of 0 may learn. A first ratio other than 1 is a bug.
#
# ## References
#
# - W. Kool, H. van Hoof, M. Welling (2019), *Buy 4 REINFORCE samples, get a baseline for free!* ICLR workshop.
# - A. Ahmadian et al. (2024), *Back to basics* (RLOO). [arXiv:2402.14740](https://arxiv.org/abs/2402.14740)
# - Z. Shao et al. (2024), *DeepSeekMath* (GRPO). [arXiv:2402.03300](https://arxiv.org/abs/2402.03300)
# - Z. Liu et al. (2025), *Understanding R1-Zero-like training: a critical perspective* (Dr. GRPO).
#   [arXiv:2503.20783](https://arxiv.org/abs/2503.20783)
# - Q. Yu et al. (2025), *DAPO* (clip higher, mean over tokens). [arXiv:2503.14476](https://arxiv.org/abs/2503.14476)
# - J. Schulman (2020), [*Approximating KL divergence*](http://joschu.net/blog/kl-approx.html): $k_1$, $k_2$ and $k_3$.
