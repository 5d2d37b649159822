# Source of lesson 08. CONTRIBUTING.md says how to build it.

# %% [markdown]
# # 08 · Your code beside the libraries'
#
# You can write PPO. Tomorrow you will open a library, and find your words in it: clip range, GAE,
# `approx_kl`, value loss. The words are the same. The numbers aren't. Ten libraries were asked for
# this lesson. Nine were installed, and their own functions were fed the same small inputs; CleanRL is no
# package, so its lines were written anew. What they answered is stored with the course, and you install
# nothing.
#
# In this lesson you will
#
# 1. find out from numbers alone what a library does with a step that a time limit cut,
# 2. log one batch in five dialects of `approx_kl` and two of the clip fraction,
# 3. see what became of the value loss and of whitening,
# 4. say your algorithm in the words of Stable-Baselines3 and of TRL, and train beside the former.
#
# Before each experiment you are asked for a prediction. Commit to it first.
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

# %% given=["value_loss", "td_errors", "gae", "importance_ratio", "ppo_clip_loss", "clip_fraction", "kl_estimates", "normalize_advantages", "entropy", "collect_rollout", "minibatches", "ppo_update", "explained_variance", "train_ppo", "grpo_advantages", "rloo_advantages"]

# %% [markdown]
# ## 1. Who was asked what
#
# **Question.** How can one know what a library computes? Its documentation says it in words, and the
# words are the ones that everybody uses.
#
# **Idea.** Call it. A handful of numbers that tell the possible answers apart says more than a page.
# A row below is *run* where the library's own function gave the number, *read* where only its text was
# read, *restated* where there is no package to call and the text was written anew. Each row knows the
# file in which it stands. `python -m publish.libraries` asks all of them again.
#
# Seven of the ten come from control: Stable-Baselines3 (Raffin et al. 2021) and its sibling sbx, CleanRL
# (Huang et al. 2022), Tianshou (Weng et al. 2022), TorchRL (Bou et al. 2024), RLlib (Liang et al. 2018)
# and skrl. Three train language models: TRL, verl (Sheng et al. 2024) and OpenRLHF (Hu et al. 2024).

# %% demo=true
asked = pg.libraries.answers()
inputs, libraries = asked["inputs"], asked["libraries"]
print(pg.tr("{name:18} {version:8} {run:>9} {read:>6} {restated:>9}").format(
    name=pg.tr("library"), version=pg.tr("version"), run=pg.tr("run"), read=pg.tr("read"),
    restated=pg.tr("restated")))
for name, library in libraries.items():
    ways = [row["how"] for row in library["rows"].values()]
    print(f"{name:18} {library['version'] or '-':8} {ways.count('run'):9} {ways.count('read'):6} "
          f"{ways.count('restated'):9}")

# %% [markdown]
# ## 2. A step that the time limit cut
#
# **Question.** Lesson 03b: a cut episode isn't over (Pardo et al. 2018). Its last step bootstraps from
# the value of its own last observation, and the recursion stops. Does everybody do so?
#
# **Idea.** Seven steps of one environment tell. The time limit cuts at step 2, the task ends at step 4,
# and the rollout ends in mid-episode. The successor of step 2 is worth 4. The row below it belongs to
# the next episode, whose first observation is worth 0.5. There are three ways:
#
# | name | the successor of the cut step | the recursion |
# |---|---|---|
# | `"bootstrap, stop"` | its own: 4 | stops |
# | `"end"` | nothing: a cut is taken for an end | stops |
# | `"runs on"` | the row below: 0.5 | goes on into the next episode |
#
# Here are the script and the answers of six programs, unnamed.

# %% demo=true
script = inputs["gae"]
who = {
    "A": ("skrl", "gae"), "B": ("stable-baselines3", "gae"), "C": ("torchrl", "gae, done alone"),
    "D": ("rllib", "gae"), "E": ("cleanrl", "gae"), "F": ("tianshou", "gae"),
}
results = {letter: np.array(libraries[name]["rows"][row]["answer"]) for letter, (name, row) in who.items()}
print(pg.tr("step         ") + "".join(f"{t:8}" for t in range(7)))
for name in ("rewards", "values", "next_values"):
    print(f"{name:13}" + "".join(f"{x:8.2f}" for x in script[name]))
for name in ("terminated", "truncated"):
    print(f"{name:13}" + "".join(f"{'x' if x else '.':>8}" for x in script[name]))
print()
for letter, adv in results.items():
    print(f"{letter:13}" + "".join(f"{x:8.3f}" for x in adv))

# %% [markdown]
# Your `gae` gives one of the three as it stands. For the others think of what you would hand it: other
# flags, or other next values. Use the cell below for your experiments.

# %% demo=true
flags = np.array(script["terminated"]), np.array(script["truncated"])
columns = [np.array(script[name])[:, None] for name in ("rewards", "values", "next_values")]  # (T, 1)
mine = gae(*columns, *(flag[:, None] for flag in flags), script["gamma"], script["lam"])
print(mine[:, 0].round(3))

# %% [markdown]
# ### Exercise: `whose_gae`
#
# Say for each letter how the program that gave this result treats a truncated step: `"bootstrap, stop"`,
# `"end"` or `"runs on"`.

# %% exercise="whose_gae"
whose_gae = {"A": None, "B": None, "C": None, "D": None, "E": None, "F": None}
### BEGIN SOLUTION
whose_gae = {
    "A": "runs on",  # the next episode's value and advantage flow into this one
    "B": "bootstrap, stop",
    "C": "end",
    "D": "bootstrap, stop",
    "E": "end",
    "F": "bootstrap, stop",
}
### END SOLUTION

# %% check="whose_gae" points=3
check("whose_gae")

# %% [markdown]
# The next cell names them. Two are worth a second look. torchrl was handed data that know `done` alone;
# with `terminated` in them it gives your numbers. skrl ran as it comes; with `time_limit_bootstrap=True`
# it does, too. So the way isn't the library's alone. It depends on an option, and on what the data hold.

# %% demo=true
def near(answer, forms):
    """The names of the forms that have this value, joined; "-" where none has."""
    fits = [name for name, form in forms.items() if np.allclose(answer, form, atol=2e-5)]
    return ", ".join(fits) or "-"


cut, nothing = flags[0] | flags[1], np.zeros_like(flags[0])
below = np.append(script["values"][1:], script["next_values"][-1])
ways = {
    "bootstrap, stop": mine,
    "end": gae(*columns, cut[:, None], nothing[:, None], script["gamma"], script["lam"]),
    "runs on": gae(*columns[:2], below[:, None], flags[0][:, None], nothing[:, None],
                   script["gamma"], script["lam"]),
}
rows = [(name, row) for name in libraries for row in libraries[name]["rows"] if row.startswith("gae")]
for name, row in rows:
    answer = libraries[name]["rows"][row]["answer"]
    if len(answer) == 7:
        print(f"{name:18} {row:25} {near(answer, {way: adv[:, 0] for way, adv in ways.items()})}")

# %% claim="three_ways_are_there"
found = {letter: near(results[letter], {way: adv[:, 0] for way, adv in ways.items()}) for letter in who}
claim("each letter is one of the three ways", sum(way in ways for way in found.values()), at_least=6)
claim("and they are those of the solution", sum(found[x] == whose_gae[x] for x in who), at_least=6)

# %% [markdown]
# ### Question: `q_time_limit`
#
# CartPole pays 1 a step, and the time limit cuts after 500. A program takes every cut for an end. What
# does its critic learn?
#
# - **a** The right values: after the last step nothing follows, whatever the reason, so nothing is left to estimate.
# - **b** Values that are too low where the pole stands well, since good episodes seem to die for no reason.
# - **c** Values that are too high, since the cut steps get no penalty.
# - **d** It doesn't matter: every value is off by the same amount, and whitening takes that out of the advantages.

# %% question="q_time_limit"
q_time_limit = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_time_limit = "b"
### END SOLUTION

# %% check="q_time_limit" points=1
check("q_time_limit")

# %% [markdown]
# ## 3. Five numbers called approx_kl
#
# **Question.** Two programs log `approx_kl`. One says 0.03, the other $-0.01$. Is one of them wrong?
#
# **Idea.** Lesson 04 had three estimates of one KL from the same samples. Libraries choose among them,
# and they choose what to average over: all minibatches of the update, those of its last epoch, or the
# last minibatch alone. The policy moves away during an update, so later ones are larger.
#
# ### Exercise: `approx_kl_dialects`
#
# - `logp`, `logp_old`: tensors `(U, M)`: $U$ minibatches of $M$ samples, in the order of the update. $U$ is
#   even, and the last half of the rows is the last epoch.
# - The result is a dict. `"k1"`, `"k2"`, `"k3"` are the means over everything; `"k3 last epoch"` is the mean
#   of $k_3$ over the last half of the rows, `"k3 last minibatch"` over the last row.

# %% exercise="approx_kl_dialects"
def approx_kl_dialects(logp, logp_old):
    """What is logged as approx_kl for one update, by dialect.

    logp (U, M), logp_old (U, M): U minibatches in order, the last half of them the last epoch
    -> dict of five numbers: "k1", "k2", "k3", "k3 last epoch", "k3 last minibatch"

    Example: [[0.5], [0.]] against [[0.], [0.]]: k1 is -0.25, k3 about 0.074, its last epoch 0.
    """
    ### BEGIN SOLUTION
    k1, k2, k3 = kl_estimates(logp.flatten(), logp_old.flatten())
    late = slice(len(logp) // 2, None)
    return {
        "k1": k1,
        "k2": k2,
        "k3": k3,
        "k3 last epoch": kl_estimates(logp[late].flatten(), logp_old[late].flatten())[2],
        "k3 last minibatch": kl_estimates(logp[-1], logp_old[-1])[2],
    }
    ### END SOLUTION


# %% check="approx_kl_dialects" points=4
check("approx_kl_dialects")

# %% [markdown]
# **Predict.** Eight samples with ratios from 0.5 to 4 went to everyone who logs a KL, as one minibatch. Which
# of your numbers will appear, and will one be negative?

# %% demo=true
pg.predict("negative_approx_kl", pg.tr("Will a library log a negative KL?"), None,
           choices=[pg.tr("yes"), pg.tr("no")])

# %% demo=true trained=true
batch = inputs["clip"]
logp, logp_old = (torch.tensor(batch[name], dtype=torch.float64) for name in ("logp", "logp_old"))
logged = {name: library["rows"]["clip"].get("answer", {}) for name, library in libraries.items()}
kinds = dict(zip(("k1", "k2", "k3"), map(float, kl_estimates(logp, logp_old))))
whole = {key: float(x) for key, x in approx_kl_dialects(logp.reshape(4, 2), logp_old.reshape(4, 2)).items()}
print({key: round(x, 4) for key, x in whole.items()})
for name, answer in logged.items():
    for key in ("approx_kl", "old_approx_kl"):
        if key in answer:
            print(f"{name:18} {key:14} {answer[key]:8.4f}  {near(answer[key], kinds)}")
two = libraries["stable-baselines3"]["rows"]["approx_kl of two epochs"]["answer"]
print(pg.tr("stable-baselines3, as four minibatches in two epochs: {x:.4f}, {kind}").format(
    x=two, kind=near(two, whole)))
pg.outcome("negative_approx_kl", pg.tr("yes"))

# %% claim="dialects_of_the_kl"
of = {name: near(answer["approx_kl"], kinds) for name, answer in logged.items() if "approx_kl" in answer}
claim("k1 and k3 are both there", len({*of.values()} & {"k1", "k3"}), at_least=2)
claim("nobody's number is none of ours", sum(kind == "-" for kind in of.values()), at_most=0)
claim("the first library's is that of its last epoch", abs(two - whole["k3 last epoch"]), at_most=1e-4)
claim("k1 is negative here", whole["k1"], at_most=-0.05)

# %% [markdown]
# So a `target_kl` of 0.01 is one thing in one program and another in the next, and a curve of `approx_kl` from a
# paper can be compared with yours only if you know which number it is. RLlib isn't in the list: it needs no
# estimate, for it has both distributions and adds their exact KL to the loss.
#
# ## 4. Two numbers called clip fraction
#
# **Question.** Outside the band, says lesson 04, two of four cases still move. Are those "clipped"?
#
# **Idea.** Both countings are in use: every ratio **outside the band**, or only the samples **where the clip
# bites**, those whose gradient it has cut off. The second number is smaller.
#
# ### Exercise: `clip_fraction_dialects`
#
# - `ratio`, `adv`: arrays `(B,)`. The result is a tuple of two shares of the batch: outside the band, and
#   where the clip bites. A ratio exactly on the edge is inside. A sample with an advantage of 0 isn't counted
#   in the second.

# %% exercise="clip_fraction_dialects"
def clip_fraction_dialects(ratio, adv, clip=0.2):
    """Shares of a batch: ratios outside the band, samples where the clip has cut off the gradient.

    ratio (B,), adv (B,) -> (float, float)

    Example: ratios [2., 2., 1., 0.5] with advantages [1., -1., 1., 1.] give (0.75, 0.25).
    """
    ### BEGIN SOLUTION
    above, below = ratio > 1 + clip, ratio < 1 - clip
    bites = (above & (adv > 0)) | (below & (adv < 0))
    return float((above | below).mean()), float(bites.mean())
    ### END SOLUTION


# %% check="clip_fraction_dialects" points=3
check("clip_fraction_dialects")

# %% demo=true
ratio, adv = np.exp(np.array(batch["logp"]) - batch["logp_old"]), np.array(batch["adv"])
counted_names = pg.tr("outside the band"), pg.tr("where the clip bites")
own = pg.tr("yours")
counted = dict(zip(counted_names, clip_fraction_dialects(ratio, adv)))
loss = float(ppo_clip_loss(logp, logp_old, torch.tensor(adv)))
print(pg.tr("{name:18} {loss:>8} {fraction:>8}").format(
    name=pg.tr("library"), loss=pg.tr("loss"), fraction=pg.tr("fraction")))
print(f"{own:18} {loss:8.4f}")
for name, answer in logged.items():
    if "loss" in answer:
        fraction = answer.get("clip_fraction")
        word = f"{fraction:8.3f}  {near(fraction, counted)}" if fraction is not None else "       -"
        print(f"{name:18} {answer['loss']:8.4f} {word}")

# %% claim="one_loss_two_countings"
losses = {name: answer["loss"] for name, answer in logged.items() if "loss" in answer}
same = [name for name, x in losses.items() if abs(x - loss) < 1e-4]
claim("all but one have your loss", len(losses) - len(same), at_most=1)
claim("and that one is verl", int("verl" not in same and losses["verl"] < loss), at_least=1)

# %% [markdown]
# The loss itself is the one thing on which nearly all agree. verl's is smaller: it has lesson 04's dual clip
# switched on, at a ratio of 3, and the batch holds a ratio of 4 with a negative advantage. With clip fractions
# it is half and half: those who come from control count what is outside, those who train language models count
# what is cut off. Two programs that learn alike can report 0.63 and 0.25.
#
# ## 5. What became of the value loss
#
# **Question.** "Value loss, weighted by 0.5." How much is that?
#
# Four values, their returns, and what each library calls its value loss. The squared errors are 0.25, 1, 1 and 16.

# %% demo=true
four = inputs["values"]
new, returns = (torch.tensor(four[name], dtype=torch.float64) for name in ("values", "returns"))
mse = float(value_loss(new, returns))
forms = {
    "MSE": mse,
    pg.tr("half of it"): mse / 2,
    pg.tr("smooth L1"): float(torch.nn.functional.smooth_l1_loss(new, returns)),
    pg.tr("squared errors cut at 10"): float(((new - returns) ** 2).clamp(max=10).mean()),
}
for name, library in libraries.items():
    answer = library["rows"].get("values", {}).get("answer", {})
    if "loss" in answer:
        print(f"{name:18} {answer['loss']:8.4f}  {near(answer['loss'], forms)}")
print(pg.tr("gradient of the cut one in the four values:"), libraries["rllib"]["rows"]["values"]["answer"]["gradient"])

# %% claim="value_losses"
said = {name: near(library["rows"]["values"]["answer"]["loss"], forms) for name, library in libraries.items()
        if "loss" in library["rows"].get("values", {}).get("answer", {})}
claim("every one is a form that is named", sum(form == "-" for form in said.values()), at_most=0)
claim("there are four forms", len({*said.values()}), at_least=4)
claim("the cut one's gradient is 0 for the largest error",
      abs(libraries["rllib"]["rows"]["values"]["answer"]["gradient"][3]), at_most=0.0)

# %% [markdown]
# A weight says nothing without the loss that it weighs: 0.5 of the MSE is 1 of its half. (sbx's is half because it
# is logged with its weight.) With the smooth L1 loss an error of 100 pulls no harder than one of 1. And where squared
# errors are cut off, look at the last entry of the gradient.
#
# ### Question: `q_value_loss`
#
# RLlib cuts each squared error at `vf_clip_param`, 10 as it comes. A task pays returns of around 200, and the
# critic starts near 0. What happens?
#
# - **a** The largest errors pull hardest, so the critic is quick to find the height.
# - **b** The errors are shortened to 10, so the critic learns slowly but surely.
# - **c** The critic doesn't move: beyond an error of about 3.2 the loss is constant, and its slope is 0.
# - **d** Nothing unusual: the cut acts only once the critic is nearly right.

# %% question="q_value_loss"
q_value_loss = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_value_loss = "c"
### END SOLUTION

# %% check="q_value_loss" points=1
check("q_value_loss")

# %% [markdown]
# ### Whitening, and the last sample
#
# Whitening has two divisors and three scopes: the rollout, the minibatch, the batch of all workers. The divisor
# hardly matters. What happens to **one** sample does: 2049 samples in minibatches of 64 leave one over.

# %% demo=true
spread = {"ddof 0": normalize_advantages(np.array(inputs["whitening"]["adv"]))}
spread["ddof 1"] = spread["ddof 0"] * np.sqrt(3 / 4)
for name, library in libraries.items():
    row = library["rows"].get("whitening", {})
    if "adv" in row.get("answer", {}):
        of_one = row["answer"].get("of_one", ["-"])[0]
        print(f"{name:18} {near(row['answer']['adv'], spread):8} "
              + pg.tr("of one sample: {x}").format(x=of_one))

# %% claim="one_sample_is_nan_somewhere"
ones = [library["rows"].get("whitening", {}).get("answer", {}).get("of_one", [0])[0] for library in libraries.values()]
claim("one sample gives nan in at least two libraries", ones.count("nan"), at_least=2)

# %% [markdown]
# One nan in the advantages is one step of the optimiser away from nan in every weight. tianshou merges a short
# last minibatch with the one before it, so that it is spared; skrl whitens the rollout, which has more than one
# sample. Both hold as long as nobody changes the batch.
#
# ## 6. Your algorithm in Stable-Baselines3's words
#
# **Question.** Which arguments make a library run *this* algorithm, lesson 05's?
#
# **Idea.** Go through your own code line by line, and ask for each line: what is it called there, what is its
# unit, and what happens if I say nothing? Its signature, with the defaults of version 2.9.2:
#
# ```python
# PPO(policy, env, learning_rate=3e-4, n_steps=2048, batch_size=64, n_epochs=10, gamma=0.99,
#     gae_lambda=0.95, clip_range=0.2, clip_range_vf=None, normalize_advantage=True, ent_coef=0.0,
#     vf_coef=0.5, max_grad_norm=0.5, target_kl=None, policy_kwargs=None, ...)
# ```
#
# - `n_steps` counts the steps of **each** environment; `batch_size` is the size of a **minibatch**.
# - The value loss is the MSE without a half. The entropy is a bonus, and its sign is taken care of.
# - Advantages are whitened in each minibatch, or not at all. Whitening the rollout isn't on offer.
# - The gradient's norm is cut at `max_grad_norm`. It must be a number: `None` is an error, and
#   `float("inf")` switches it off. Adam's epsilon is $10^{-5}$, torch's own is $10^{-8}$;
#   `policy_kwargs={"optimizer_kwargs": {"eps": 1e-8}}` sets it. It matters little, and may be left out.
#
# ### Exercise: `sb3_settings`
#
# - `ours` is a dict as below. The number of environments and of updates isn't PPO's: they go to
#   `make_vec_env` and to `learn`.
# - The result is a dict of arguments of Stable-Baselines3's `PPO` for the same algorithm, or what comes
#   nearest to it. What you leave out has the library's default.

# %% setup=true
ours = {
    "num_envs": 32, "num_steps": 64, "num_updates": 36, "gamma": 0.98, "lam": 0.9, "epochs": 4,
    "minibatch_size": 512, "clip": 0.2, "value_coef": 0.5, "entropy_coef": 0.0, "learning_rate": 0.01,
}

# %% exercise="sb3_settings"
def sb3_settings(ours):
    """Stable-Baselines3's arguments for the algorithm that `ours` describes.

    ours: dict of train_ppo's arguments, and num_envs, num_steps, num_updates, learning_rate
    -> dict of arguments of stable_baselines3.PPO
    """
    ### BEGIN SOLUTION
    return {
        "n_steps": ours["num_steps"],
        "batch_size": ours["minibatch_size"],
        "n_epochs": ours["epochs"],
        "gamma": ours["gamma"],
        "gae_lambda": ours["lam"],
        "clip_range": ours["clip"],
        "vf_coef": ours["value_coef"],  # neither loss has a half
        "ent_coef": ours["entropy_coef"],
        "learning_rate": ours["learning_rate"],
        "max_grad_norm": float("inf"),  # ours shortens no gradient
        "normalize_advantage": True,  # by minibatch, which is nearest to ours
        "policy_kwargs": {"optimizer_kwargs": {"eps": 1e-8}},
    }
    ### END SOLUTION


# %% check="sb3_settings" points=5
check("sb3_settings")

# %% [markdown]
# **Experiment.** CartPole three times: your `train_ppo`; Stable-Baselines3 with these settings; and
# Stable-Baselines3 on the same 32 environments without a single argument. Ten seeds each of the first two, three
# of the third. The runs are stored, and `python -m publish.libraries.beside` makes them again. If the library is
# installed (`pip install -e '.[libraries]'`), a run of your own settings is added, and one of `train_ppo`.
#
# **Predict.** 32 environments, no argument. After how many steps does the policy change for the first time?

# %% demo=true
pg.predict("first_change", pg.tr("Thousands of steps, of all environments together, before the first update:"), None)

# %% setup=true
def course_curve(seed):
    """(steps played, mean return) of each update of train_ppo with `ours`, two (U,)."""
    torch.manual_seed(seed)
    policy, critic = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    weights = [*policy.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(weights, lr=ours["learning_rate"])
    names = "gamma", "lam", "epochs", "minibatch_size", "clip", "value_coef", "entropy_coef"
    history = train_ppo(
        pg.envs.VectorCartPole(ours["num_envs"]), policy, critic, optimizer, ours["num_updates"],
        ours["num_steps"], np.random.default_rng(seed), **{name: ours[name] for name in names},
    )
    per_update = ours["num_envs"] * ours["num_steps"]
    return per_update * np.arange(1, len(history) + 1), np.array([row["mean_return"] for row in history])

# %% demo=true trained=true alt="Mean return over thousands of steps played, to 74. train_ppo and Stable-Baselines3 with the same settings rise together from about 20 to nearly 500, their bands of ten seeds over each other. Without arguments a flat line near 20 runs to 65.5 thousand steps."
stored = pg.stored_runs("beside")
labels = {
    "course": pg.tr("train_ppo"),
    "sb3_same": pg.tr("Stable-Baselines3, your settings"),
    "sb3_defaults": pg.tr("Stable-Baselines3, no argument"),
}
ax = pg.plots.beside({label: (stored[f"{key}_steps"], stored[key]) for key, label in labels.items()})
total = ours["num_envs"] * ours["num_steps"] * ours["num_updates"]
if pg.libraries.sb3_installed():
    live = pg.libraries.train_sb3(sb3_settings(ours), total, 0, ours["num_envs"])
    for (steps, curve), style, label in [
        (live, "k:", pg.tr("your settings, live")), (course_curve(0), "k--", pg.tr("train_ppo, live")),
    ]:
        ax.plot(steps / 1000, curve, style, label=label)
    ax.legend(fontsize=9)
pg.outcome("first_change", stored["sb3_defaults_steps"][0] / 1000, ax=ax)
plt.show()
for key, label in labels.items():
    early = stored[key][:, stored[f"{key}_steps"] <= total]
    means = np.nanmean(early, axis=1)
    print(pg.tr("{label:34} mean return while learning {mean:.0f}, {n} seeds from {low:.0f} to {high:.0f}").format(
        label=label, mean=means.mean(), n=len(means), low=means.min(), high=means.max()))

# %% claim="same_settings_same_curve"
while_learning = {key: np.nanmean(stored[key][:, stored[f"{key}_steps"] <= total], axis=1) for key in labels}
course, same = while_learning["course"], while_learning["sb3_same"]
error = np.sqrt(course.var(ddof=1) / len(course) + same.var(ddof=1) / len(same))
claim("the two differ by less than three standard errors", abs(course.mean() - same.mean()) / error, at_most=3)
claim("and by less than 30 of 500", abs(course.mean() - same.mean()), at_most=30)
claim("without arguments nothing has been learned by then", while_learning["sb3_defaults"].max(), at_most=40)

# %% claim="your_loop_learns_as_the_library_does" seeds=12
def again(seed):
    """A fresh run's mean return while learning: how far from the library's, in its runs' deviations."""
    library = np.nanmean(stored["sb3_same"][:, stored["sb3_same_steps"] <= total], axis=1)
    return abs(np.nanmean(course_curve(seed)[1]) - library.mean()) / library.std(ddof=1)


claim("A fresh run of train_ppo lies within three standard deviations of the library's stored runs",
      again(0), at_most=3, again=again)

# %% [markdown]
# With the same settings the two curves lie over each other, although not a line of code is shared. What is left
# between them, whitening by minibatch and the course of chance, is smaller than the scatter of the seeds.
#
# The defaults aren't bad. They are made for something else: **one** environment and about a million steps. There
# they take 320 small steps for each rollout of 2048, where ours take 16.
#
# ### Question: `q_defaults`
#
# Somebody has 32 environments, writes `PPO("MlpPolicy", envs).learn(60_000)`, and finds the policy at chance after
# the first 60,000 steps. Why?
#
# - **a** A learning rate of 3e-4 is too small for CartPole: in 60,000 steps it hardly moves.
# - **b** The minibatches of 64 are too noisy, and the updates cancel one another.
# - **c** One rollout is 65,536 steps here: not one update has been made yet.
# - **d** The gradient clip of 0.5 holds the policy back: nearly all gradients are longer than that.

# %% question="q_defaults"
q_defaults = None  # "a", "b", "c" or "d"
### BEGIN SOLUTION
q_defaults = "c"
### END SOLUTION

# %% check="q_defaults" points=1
check("q_defaults")

# %% [markdown]
# ## 7. Lesson 07 in TRL's words
#
# The advantages of a group first: everybody's numbers for the scores 0, 1, 1, 4, and for seven scores of 0.1.

# %% demo=true
scores = torch.tensor(inputs["groups"]["scores"])
one_group = torch.zeros(len(scores), dtype=torch.long)
forms = {
    "RLOO": rloo_advantages(scores, one_group).numpy(),
    pg.tr("GRPO, divided"): grpo_advantages(scores, one_group).numpy(),
    pg.tr("GRPO, not divided"): grpo_advantages(scores, one_group, divide=False).numpy(),
}
for name, form in forms.items():
    print(f"{own:10} {name:22} {form.round(3)}")
for name in ("trl", "verl", "openrlhf"):
    for key, numbers in libraries[name]["rows"]["groups"]["answer"].items():
        print(f"{name:10} {key:22} {np.array(numbers[:4]).round(3)}")

# %% claim="equal_scores_are_not_zero_everywhere"
equal = {name: np.abs(libraries[name]["rows"]["groups"]["answer"]["grpo, equal"]).max() for name in ("trl", "verl", "openrlhf")}
claim("seven equal scores give one library advantages of full size", max(equal.values()), at_least=0.5)
claim("and another hardly any", min(equal.values()), at_most=1e-3)

# %% [markdown]
# The same numbers to three digits, until all scores are equal. The mean of seven 0.1 isn't quite 0.1 in float32,
# and rounding divided by rounding is as large as the epsilon lets it be: $10^{-4}$, $10^{-6}$ and $10^{-9}$.
# Lesson 07's exercise asked for equality instead.
#
# TRL's `GRPOConfig` says the rest. Its losses, and whose mean each is:
#
# | `loss_type` | the mean |
# |---|---|
# | `"grpo"` | over answers of each answer's mean over its tokens |
# | `"bnpo"` | over all tokens of the minibatch |
# | `"dapo"`, the default | over all tokens, counted over the whole batch that was generated |
# | `"dr_grpo"` | sum over tokens, divided by the answers times `max_completion_length` |
#
# - `epsilon` and `epsilon_high` are the edges' distances from 1; left out, the upper is as far as the lower.
# - `scale_rewards` is `"group"` (or `True`, the default), `"batch"`, or `"none"` (or `False`).
# - `num_iterations` is the number of passes over a batch, `num_generations` the size of a group.
# - `beta` weighs $k_3$ to the reference in the loss, as in `grpo_loss`; TRL multiplies it by the ratio besides. It is
#   0 unless you say so, as it is in lesson 07, which puts its KL in the score.
#
# ### Exercise: `grpo_settings`
#
# - `ours` is a dict with `beta`, `clip_low`, `clip_high`, `how` (`"tokens"`, `"sentences"`, `"constant"`), `divide`,
#   `epochs`, `group_size` and `num_prompts`. `beta` is that of `grpo_loss`, the weight of $k_3$ in the loss; the
#   others are as in `grpo_loss` and `train_grpo`.
# - The result is a dict of `GRPOConfig`'s arguments: `beta`, `epsilon`, `epsilon_high`, `loss_type`, `scale_rewards`,
#   `num_iterations`, `num_generations`. For `"tokens"` either loss that averages over tokens is right.

# %% exercise="grpo_settings"
def grpo_settings(ours):
    """TRL's arguments for the algorithm that `ours` describes.

    ours: dict of grpo_loss's and train_grpo's arguments -> dict of arguments of trl.GRPOConfig
    """
    ### BEGIN SOLUTION
    losses = {"tokens": "bnpo", "sentences": "grpo", "constant": "dr_grpo"}
    return {
        "beta": ours["beta"],
        "epsilon": ours["clip_low"],
        "epsilon_high": ours["clip_high"],
        "loss_type": losses[ours["how"]],
        "scale_rewards": "group" if ours["divide"] else "none",
        "num_iterations": ours["epochs"],
        "num_generations": ours["group_size"],
    }
    ### END SOLUTION


# %% check="grpo_settings" points=3
check("grpo_settings")

# %% [markdown]
# ## 8. Your table
#
# Each entry is computed: a stored answer, and the one of your functions' results that it equals. A bar says that the
# library has no such number, or that nobody has called it.

# %% demo=true
def dialect(name, row, key, forms):
    answer = libraries[name]["rows"].get(row, {}).get("answer", {})
    value = answer.get(key) if isinstance(answer, dict) else answer
    return near(value, forms) if value is not None and np.shape(value) == np.shape(next(iter(forms.values()))) else "-"


counted = dict(zip(counted_names, clip_fraction_dialects(ratio, adv)))
dialects = {
    pg.tr("cut step"): ("gae", None, {way: adv[:, 0] for way, adv in ways.items()}),
    "approx_kl": ("clip", "approx_kl", kinds),
    pg.tr("clip fraction"): ("clip", "clip_fraction", counted),
    pg.tr("whitening"): ("whitening", "adv", spread),
}
print(f"{'':18}" + "".join(f"{title:22}" for title in dialects))
for name in libraries:
    print(f"{name:18}" + "".join(f"{dialect(name, *how):22}" for how in dialects.values()))

# %% [markdown]
# The full table, with versions, files and what couldn't be called, is in
# [docs/libraries.md](https://github.com/OWNER/REPOSITORY/blob/main/docs/libraries.md). The folder
# [findings](https://github.com/OWNER/REPOSITORY/tree/main/findings) holds a short script for each surprise: it installs
# the library, shows the behaviour, and fails once that changes.
#
# ## What you take along
#
# - A name is no definition. Feed a program a small batch whose answer you know.
# - A cut step has three treatments, and which one you get can depend on an option or on a missing key in the data.
# - `approx_kl`, clip fraction and value loss can't be compared across programs without their dialect.
# - Go through your own code line by line to find a library's settings. What you don't say, it says for you.
# - Defaults belong to a number of environments and of steps. Look at both before you keep them.
#
# ## References
#
# - A. Raffin et al. (2021), [*Stable-Baselines3*](https://jmlr.org/papers/v22/20-1364.html), JMLR 22(268).
# - S. Huang et al. (2022), [*CleanRL*](https://jmlr.org/papers/v23/21-1342.html), JMLR 23(274).
# - J. Weng et al. (2022), [*Tianshou*](https://jmlr.org/papers/v23/21-1127.html), JMLR 23(267).
# - A. Bou et al. (2024), *TorchRL*. [arXiv:2306.00577](https://arxiv.org/abs/2306.00577)
# - E. Liang et al. (2018), *RLlib*. [arXiv:1712.09381](https://arxiv.org/abs/1712.09381)
# - G. Sheng et al. (2024), *HybridFlow* (verl). [arXiv:2409.19256](https://arxiv.org/abs/2409.19256)
# - J. Hu et al. (2024), *OpenRLHF*. [arXiv:2405.11143](https://arxiv.org/abs/2405.11143)
# - F. Pardo et al. (2018), *Time limits in reinforcement learning*. [arXiv:1712.00378](https://arxiv.org/abs/1712.00378)

# %% demo=true trained=true
pg.predictions()
