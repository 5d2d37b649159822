"""The bank of 05_ppo_loop. Entries are written as students write; helpers at the top are right."""

import copy

import numpy as np
import torch

import policy_gradients as pg
from bank import right, value, wrong

KEYS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")

# normalize_advantages -------------------------------------------------------------------------


@right("normalize_advantages")
def vectorised(adv):
    if adv.max() == adv.min():
        return adv * 0.0
    return (adv - adv.mean()) / (adv.std() + 1e-8)


@right("normalize_advantages")
def unbiased_with_a_guard(adv):
    adv = np.asarray(adv, dtype=np.float32)
    if adv.size < 2 or (adv == adv.flat[0]).all():
        return np.zeros_like(adv)
    return (adv - adv.mean()) / adv.std(ddof=1)


@right("normalize_advantages")
def with_torch(adv):
    adv = torch.as_tensor(np.array(adv))
    adv = adv - adv.flatten()[0]  # equal numbers are exactly 0 from here on
    return (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-6)


@right("normalize_advantages")
def different_numbers_counted(adv):
    if len(np.unique(adv)) == 1:
        return np.zeros(np.shape(adv))
    return (adv - np.mean(adv)) / np.std(adv)


@wrong("normalize_advantages", "equal-not-zero")
def the_usual_line(adv):
    return (adv - adv.mean()) / (adv.std() + 1e-8)


@wrong("normalize_advantages", "equal-not-zero")
def the_usual_line_with_torch(adv):
    adv = torch.as_tensor(np.array(adv))
    return (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-6)


@wrong("normalize_advantages", "equal-not-zero")
def guarded_by_the_deviation(adv):
    return np.zeros_like(adv) if adv.std() == 0 else (adv - adv.mean()) / adv.std()


@wrong("normalize_advantages", "equal-not-zero")
def in_double_precision_alone(adv):
    """Enough for float32, not for large numbers in float64."""
    adv = np.asarray(adv, dtype=np.float64)
    return (adv - adv.mean()) / (adv.std() + 1e-8)


@right("normalize_advantages")
def in_loops(adv):
    adv = np.asarray(adv)
    total = sum(float(x) for x in adv.flat) / adv.size
    square = sum((float(x) - total) ** 2 for x in adv.flat) / adv.size
    result = np.empty(adv.shape)
    for index in np.ndindex(adv.shape):
        result[index] = (adv[index] - total) / np.sqrt(square) if square > 1e-12 else 0.0
    return result


@wrong("normalize_advantages", "no-parentheses")
def division_first(adv):
    return adv - adv.mean() / (adv.std() + 1e-8)


@wrong("normalize_advantages", "not-finite")
def no_epsilon(adv):
    return (adv - adv.mean()) / adv.std()


@wrong("normalize_advantages", "not-finite")
def ddof_one_without_guard(adv):
    return (adv - adv.mean()) / (adv.std(ddof=1) + 1e-8)


@wrong("normalize_advantages", "per-environment")
def one_axis(adv):
    return (adv - adv.mean(0)) / (adv.std(0) + 1e-8)


@wrong("normalize_advantages", "per-step")
def last_axis(adv):
    return (adv - adv.mean(-1, keepdims=True)) / (adv.std(-1, keepdims=True) + 1e-8)


@wrong("normalize_advantages", "variance-not-deviation")
def by_variance(adv):
    return (adv - adv.mean()) / (adv.var() + 1e-8)


@wrong("normalize_advantages", "not-scaled")
def centred_only(adv):
    return adv - adv.mean()


@wrong("normalize_advantages", "not-centred")
def scaled_only(adv):
    return adv / (adv.std() + 1e-8)


@wrong("normalize_advantages", "range-not-deviation")
def by_range(adv):
    return (adv - adv.mean()) / (adv.max() - adv.min() + 1e-8)


@wrong("normalize_advantages", "changed-inputs")
def in_place(adv):
    adv = np.asarray(adv)
    adv.flags.writeable = True
    adv -= adv.mean()
    adv /= adv.std() + 1e-8
    return adv


@wrong("normalize_advantages", "equal-not-zero")
def unchanged_where_equal(adv):
    return adv if adv.std() == 0 else (adv - adv.mean()) / adv.std()


@wrong("normalize_advantages", "flattened")
def flattened(adv):
    return vectorised(adv).ravel()


@right("normalize_advantages")
def a_larger_epsilon(adv):
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-5) * (np.ptp(adv) > 0)


@wrong("normalize_advantages", "large-epsilon")
def a_thousandth_beside(adv):
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-3)


@wrong("normalize_advantages", "changed-inputs")
def into_the_callers_array(adv):
    adv -= adv.mean()
    adv /= adv.std() + 1e-8
    return adv


# entropy --------------------------------------------------------------------------------------


@right("entropy")
def with_log_softmax(logits):
    logp = torch.log_softmax(logits, dim=-1)
    return -(logp.exp() * logp).sum(dim=-1)


@right("entropy")
def with_a_distribution(logits):
    return torch.distributions.Categorical(logits=logits).entropy()


@right("entropy")
def logsumexp_minus_mean_logit(logits):
    logits = logits - logits.max(dim=-1, keepdim=True).values.detach()
    return torch.logsumexp(logits, -1) - (torch.softmax(logits, -1) * logits).sum(-1)


@right("entropy")
def row_by_row(logits):
    rows = []
    for row in logits:
        probs = torch.nn.functional.softmax(row, dim=0)
        logp = row - torch.logsumexp(row, dim=0)
        rows.append(-torch.dot(probs, logp))
    return torch.stack(rows)


@right("entropy")
def with_einsum(logits):
    logp = torch.nn.functional.log_softmax(logits, -1)
    return -torch.einsum("ba,ba->b", logp.exp(), logp)


@wrong("entropy", "underflow")
def formula_as_it_stands(logits):
    probs = torch.softmax(logits, -1)
    return -(probs * torch.log(probs)).sum(-1)


@wrong("entropy", "underflow")
def probs_log(logits):
    probs = torch.nn.functional.softmax(logits, dim=1)
    return (-probs * probs.log()).sum(dim=1)


@wrong("entropy", "minus-sign")
def negative(logits):
    logp = torch.log_softmax(logits, -1)
    return (logp.exp() * logp).sum(-1)


@wrong("entropy", "not-summed")
def elementwise(logits):
    logp = torch.log_softmax(logits, -1)
    return -logp.exp() * logp


@wrong("entropy", "unweighted")
def sum_of_logs(logits):
    return -torch.log_softmax(logits, -1).sum(-1)


@wrong("entropy", "unweighted-mean")
def mean_of_logs(logits):
    return -torch.log_softmax(logits, -1).mean(-1)


@wrong("entropy", "mean-over-actions")
def mean_of_products(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).mean(-1)


@wrong("entropy", "batch-mean")
def averaged(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).sum(-1).mean()


@wrong("entropy", "likeliest-only")
def of_the_likeliest(logits):
    return -torch.log_softmax(logits, -1).amax(-1)


@wrong("entropy", "base-two")
def in_bits(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp / np.log(2)).sum(-1)


@wrong("entropy", "no-gradient")
@torch.no_grad()
def without_graph(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).sum(-1)


@wrong("entropy", "cut-off-inside")
def weights_detached(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp().detach() * logp).sum(-1)


@right("entropy")
def a_tiny_epsilon(logits):
    probs = torch.softmax(logits, -1)
    return -(probs * torch.log(probs + 1e-10)).sum(-1)


@right("entropy")
def log_of_the_sum(logits):
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1)


@wrong("entropy", "underflow-gradient")
def torchs_entr(logits):
    return torch.special.entr(torch.softmax(logits, -1)).sum(-1)


@wrong("entropy", "underflow-gradient")
def nan_hidden_by_where(logits):
    probs = torch.softmax(logits, -1)
    return -torch.where(probs > 0, probs * probs.log(), 0.0).sum(-1)


@wrong("entropy", "batch-axis")
def softmax_down_the_batch(logits):
    return -(logits.softmax(0) * logits.log_softmax(0)).sum(-1)


@wrong("entropy", "one-action")
def of_the_rarest(logits):
    return -torch.log_softmax(logits, -1).min(-1).values


@wrong("entropy", "epsilon-in-log")
def a_thousandth_in_the_log(logits):
    probs = torch.softmax(logits, -1)
    return -(probs * torch.log(probs + 1e-3)).sum(-1)


@wrong("entropy", "changed-inputs")
def shifted_in_place(logits):
    with torch.no_grad():
        logits -= logits.max(-1, keepdim=True).values
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).sum(-1)


# collect_rollout ------------------------------------------------------------------------------


@right("collect_rollout")
@torch.no_grad()
def collect(envs, policy, critic, obs, num_steps):
    rows = []
    for _ in range(num_steps):
        logp = torch.log_softmax(policy(obs), -1)  # (N, A)
        actions = torch.multinomial(logp.exp(), 1)
        following, rewards, terminated, truncated, infos = envs.step(actions[:, 0].numpy())
        successor = following.copy()
        for i in np.flatnonzero(truncated):
            successor[i] = infos["final_obs"][i]
        taken = logp.gather(1, actions)[:, 0].numpy()
        actions = actions[:, 0].numpy()
        values, after = critic(obs).numpy(), critic(successor).numpy()
        rows.append((obs, actions, taken, rewards, values, after, terminated, truncated))
        obs = following
    return pg.Rollout(*(np.stack(column) for column in zip(*rows, strict=True))), obs


@right("collect_rollout")
def into_arrays_with_categorical(envs, policy, critic, obs, num_steps):
    count = envs.num_envs
    shape = (num_steps, count)
    kept = pg.Rollout(
        np.zeros((*shape, *np.shape(obs)[1:]), np.float32),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.float32),
        np.zeros(shape),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
        np.zeros(shape, bool),
        np.zeros(shape, bool),
    )
    for t in range(num_steps):
        with torch.no_grad():
            dist = torch.distributions.Categorical(logits=policy(torch.as_tensor(obs)))
            action = dist.sample()
            kept.logp[t] = dist.log_prob(action)
            kept.values[t] = critic(torch.as_tensor(obs))
        kept.obs[t], kept.actions[t] = obs, action
        obs, kept.rewards[t], kept.terminated[t], kept.truncated[t], infos = envs.step(
            action.numpy()
        )
        with torch.no_grad():
            kept.next_values[t] = critic(torch.as_tensor(obs))
            for i in range(count):
                if kept.terminated[t, i] or kept.truncated[t, i]:
                    kept.next_values[t, i] = critic(torch.as_tensor(infos["final_obs"][i]))
    return kept, obs


@right("collect_rollout")
@torch.no_grad()
def tensors_and_a_shift(envs, policy, critic, obs, num_steps):
    """Values once for T + 1 observations, shifted by one; cut episodes are put in afterwards."""
    seen, actions, logps, rewards, ends, cuts, lasts = [obs], [], [], [], [], [], {}
    for t in range(num_steps):
        probs = torch.softmax(policy(obs), -1)
        action = torch.searchsorted(probs.cumsum(-1), torch.rand(len(probs), 1)).clamp(max=2)[:, 0]
        obs, reward, terminated, truncated, infos = envs.step(action.numpy())
        for i in np.flatnonzero(truncated):
            lasts[t, i] = critic(infos["final_obs"][i][None])[0]
        seen.append(obs)
        actions.append(action)
        logps.append(torch.log(probs[torch.arange(len(probs)), action]))
        rewards.append(torch.as_tensor(reward))
        ends.append(torch.as_tensor(terminated))
        cuts.append(torch.as_tensor(truncated))
    values = critic(np.stack(seen))
    following = values[1:].clone()
    for where, last in lasts.items():
        following[where] = last
    parts = actions, logps, rewards
    fields = [torch.as_tensor(np.stack(seen[:-1])), *(torch.stack(part) for part in parts)]
    flags = torch.stack(ends), torch.stack(cuts)
    return pg.Rollout(*fields, values[:-1], following, *flags), obs


@right("collect_rollout")
@torch.no_grad()
def one_environment_at_a_time(envs, policy, critic, obs, num_steps):
    names = list(pg.Rollout.__dataclass_fields__)
    kept = {name: [] for name in names}
    for _ in range(num_steps):
        actions, logps = [], []
        for one in obs:
            logits = policy(one)
            noise = -torch.log(-torch.log(torch.rand(logits.shape)))
            actions.append(int((logits + noise).argmax()))
            logps.append(float(logits[actions[-1]] - torch.logsumexp(logits, 0)))
        new_obs, rewards, terminated, truncated, infos = envs.step(np.array(actions))
        ended = np.logical_or(terminated, truncated)
        last = [infos["final_obs"][i] if ended[i] else new_obs[i] for i in range(len(obs))]
        row = (
            obs,
            actions,
            logps,
            rewards,
            [float(critic(o)) for o in obs],
            [0.0 if t else float(critic(o)) for o, t in zip(last, terminated, strict=True)],
            terminated,
            truncated,
        )
        for name, part in zip(names, row, strict=True):
            kept[name].append(np.array(part))
        obs = new_obs
    return pg.Rollout(**{name: np.array(part) for name, part in kept.items()}), obs


def spoiled(change):
    """``collect`` with one thing changed afterwards: change(rollout, envs, policy, critic)."""

    def wrongly(envs, policy, critic, obs, num_steps):
        rollout, obs = collect(envs, policy, critic, obs, num_steps)
        with torch.no_grad():
            return change(rollout, policy, critic, obs), obs

    return wrongly


@wrong("collect_rollout", "next-episode")
def values_of_what_step_returned(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        following = np.concatenate([rollout.obs[1:], after[None]])
        rollout.next_values = critic(following).numpy()
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "cut-without-value")
def nothing_after_a_cut(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.next_values[rollout.truncated] = 0.0
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "last-value")
def last_value_dropped(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.next_values[-1] = 0.0
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "last-value")
def last_value_repeated(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.next_values[-1] = rollout.values[-1]
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "flags-merged")
def one_flag(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.terminated = rollout.terminated | rollout.truncated
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "flags-swapped")
def swapped_flags(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.terminated, rollout.truncated = rollout.truncated, rollout.terminated
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "flags-not-bool")
def flags_as_numbers(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.terminated = rollout.terminated.astype(np.float32)
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "obs-after-step")
def late_observations(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.obs = np.concatenate([rollout.obs[1:], after[None]])
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "values-after-step")
def late_values(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.values = critic(np.concatenate([rollout.obs[1:], after[None]])).numpy()
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "values-twice")
def same_values_twice(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.next_values = rollout.values.copy()
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "logp-of-all")
def every_action(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.logp = torch.log_softmax(policy(rollout.obs), -1).numpy()
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "probability")
def probabilities(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.logp = np.exp(rollout.logp)
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "logit")
def raw_logits(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        actions = torch.as_tensor(rollout.actions)[..., None]
        rollout.logp = policy(rollout.obs).gather(-1, actions)[..., 0].numpy()
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "axes-swapped")
def environments_first(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        return pg.Rollout(**{n: np.swapaxes(part, 0, 1) for n, part in vars(rollout).items()})

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "keeps-gradients")
def with_a_graph(envs, policy, critic, obs, num_steps):
    rollout, obs = collect(envs, policy, critic, obs, num_steps)
    rollout.values = critic(rollout.obs)
    return rollout, obs


@wrong("collect_rollout", "resets-inside")
def starts_anew(envs, policy, critic, obs, num_steps):
    obs, _ = envs.reset()
    return collect(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "no-next-obs")
def rollout_alone(envs, policy, critic, obs, num_steps):
    return collect(envs, policy, critic, obs, num_steps)[0]


@wrong("collect_rollout", "next-obs")
def first_obs_handed_back(envs, policy, critic, obs, num_steps):
    return collect(envs, policy, critic, obs, num_steps)[0], obs


@wrong("collect_rollout", "next-obs")
def last_stored_obs(envs, policy, critic, obs, num_steps):
    rollout, _ = collect(envs, policy, critic, obs, num_steps)
    return rollout, rollout.obs[-1]


@wrong("collect_rollout", "step-count")
def one_step_short(envs, policy, critic, obs, num_steps):
    return collect(envs, policy, critic, obs, max(1, num_steps - 1))


@torch.no_grad()
def collect_by(choose, envs, policy, critic, obs, num_steps):
    """A right rollout whose actions are chosen by choose(logits) -> (N,)."""
    rows = []
    for _ in range(num_steps):
        logp = torch.log_softmax(policy(obs), -1)
        actions = np.asarray(choose(logp))
        following, rewards, terminated, truncated, infos = envs.step(actions)
        successor = following.copy()
        for i in np.flatnonzero(truncated):
            successor[i] = infos["final_obs"][i]
        taken = logp.numpy()[np.arange(len(actions)), actions]
        values, after = critic(obs).numpy(), critic(successor).numpy()
        rows.append((obs, actions, taken, rewards, values, after, terminated, truncated))
        obs = following
    return pg.Rollout(*(np.stack(column) for column in zip(*rows, strict=True))), obs


@wrong("collect_rollout", "argmax")
def greedy(*arguments):
    return collect_by(lambda logp: logp.argmax(-1), *arguments)


@wrong("collect_rollout", "policy-ignored")
def uniform(*arguments):
    return collect_by(lambda logp: torch.randint(logp.shape[-1], logp.shape[:-1]), *arguments)


@wrong("collect_rollout", "not-torchs-generator")
def by_numpys_generator(*arguments):
    def choose(logp):
        return [
            np.random.choice(len(row), p=row / row.sum()) for row in logp.double().exp().numpy()
        ]

    return collect_by(choose, *arguments)


@wrong("collect_rollout", "not-torchs-generator")
def by_an_own_generator(*arguments):
    own = torch.Generator().manual_seed(0)
    return collect_by(
        lambda logp: torch.multinomial(logp.exp(), 1, generator=own)[:, 0], *arguments
    )


@wrong("collect_rollout", "one-action-for-all")
def the_first_ones_action(*arguments):
    return collect_by(
        lambda logp: torch.multinomial(logp[:1].exp(), 1)[:, 0].expand(len(logp)), *arguments
    )


@wrong("collect_rollout", "next-obs-overwritten")
@torch.no_grad()
def without_a_copy(envs, policy, critic, obs, num_steps):
    rows = []
    for _ in range(num_steps):
        play = torch.distributions.Categorical(logits=policy(obs))
        actions = play.sample()
        following, rewards, terminated, truncated, infos = envs.step(actions.numpy())
        for i in np.flatnonzero(terminated | truncated):
            following[i] = infos["final_obs"][i]
        values = critic(obs).numpy(), critic(following).numpy()
        logp = play.log_prob(actions).numpy()
        rows.append((obs, actions.numpy(), logp, rewards, *values, terminated, truncated))
        obs = following
    return pg.Rollout(*(np.stack(column) for column in zip(*rows, strict=True))), obs


@wrong("collect_rollout", "values-carried-over")
def last_steps_value_kept(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.values = np.concatenate([rollout.values[:1], rollout.next_values[:-1]])
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@torch.no_grad()
def collect_with(distribution, envs, policy, critic, obs, num_steps):
    """A right rollout but for distribution(logits), which acts and scores."""
    rows = []
    for _ in range(num_steps):
        play = distribution(policy(obs))
        actions = play.sample()
        following, rewards, terminated, truncated, infos = envs.step(actions.numpy())
        successor = following.copy()
        for i in np.flatnonzero(truncated):
            successor[i] = infos["final_obs"][i]
        values = critic(obs).numpy(), critic(successor).numpy()
        logp = play.log_prob(actions).numpy()
        rows.append((obs, actions.numpy(), logp, rewards, *values, terminated, truncated))
        obs = following
    return pg.Rollout(*(np.stack(column) for column in zip(*rows, strict=True))), obs


@wrong("collect_rollout", "logits-as-probabilities")
def categorical_of_logits(*arguments):
    return collect_with(torch.distributions.Categorical, *arguments)


@wrong("collect_rollout", "softmax-twice")
def categorical_of_probabilities_as_logits(*arguments):
    return collect_with(
        lambda logits: torch.distributions.Categorical(logits=logits.softmax(-1)), *arguments
    )


@wrong("collect_rollout", "unpacked-into-too-few")
def step_into_four(envs, policy, critic, obs, num_steps):
    with torch.no_grad():
        actions = torch.distributions.Categorical(logits=policy(obs)).sample()
        obs, rewards, done, infos = envs.step(actions.numpy())
    return pg.Rollout(*[rewards] * 8), obs


class OldKeys:
    """Environments read with the key of older releases."""

    def __init__(self, envs):
        self._envs = envs

    def step(self, actions):
        *first, infos = self._envs.step(actions)
        return *first, {"final_obs": infos["final_observation"]}


@wrong("collect_rollout", "key-of-older-releases")
def old_key(envs, *arguments):
    return collect(OldKeys(envs), *arguments)


# minibatches ----------------------------------------------------------------------------------


@right("minibatches")
def permuted(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@right("minibatches")
def generator(batch_size, minibatch_size, rng):
    order = np.arange(batch_size)
    rng.shuffle(order)
    while len(order):
        yield order[:minibatch_size]
        order = order[minibatch_size:]


@right("minibatches")
def split_at(batch_size, minibatch_size, rng):
    cuts = np.arange(minibatch_size, batch_size, minibatch_size)
    return np.split(np.argsort(rng.random(batch_size)), cuts)


@right("minibatches")
def plain_lists(batch_size, minibatch_size, rng):
    left, result = list(range(batch_size)), []
    while left:
        part = []
        while left and len(part) < minibatch_size:
            part.append(left.pop(int(rng.integers(len(left)))))
        result.append(part)
    return result


@right("minibatches")
def tensors_sorted_within(batch_size, minibatch_size, rng):
    order = torch.as_tensor(rng.choice(batch_size, batch_size, replace=False))
    return tuple(part.sort().values for part in torch.split(order, minibatch_size))


@wrong("minibatches", "last-dropped")
def whole_ones_only(batch_size, minibatch_size, rng):
    return permuted(batch_size, minibatch_size, rng)[: batch_size // minibatch_size]


@wrong("minibatches", "with-replacement")
def drawn_one_by_one(batch_size, minibatch_size, rng):
    order = rng.integers(batch_size, size=batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "with-replacement")
def choice_with_replacement(batch_size, minibatch_size, rng):
    order = rng.choice(batch_size, batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "padded")
def filled_up(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    missing = -batch_size % minibatch_size
    order = np.concatenate([order, np.resize(order, missing)])
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "not-shuffled")
def in_order(batch_size, minibatch_size, rng):
    order = np.arange(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "blocks-shuffled")
def pieces_shuffled(batch_size, minibatch_size, rng):
    parts = in_order(batch_size, minibatch_size, rng)
    short = parts.pop() if len(parts[-1]) < minibatch_size else None
    rng.shuffle(parts)
    return [*parts, short] if short is not None else parts


@wrong("minibatches", "not-from-rng")
def global_generator(batch_size, minibatch_size, rng):
    order = np.random.permutation(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "not-from-rng")
def torchs_generator(batch_size, minibatch_size, rng):
    return list(torch.randperm(batch_size).split(minibatch_size))


@wrong("minibatches", "same-order")
def seeded_inside(batch_size, minibatch_size, rng):
    return permuted(batch_size, minibatch_size, np.random.default_rng(0))


@wrong("minibatches", "count")
def that_many(batch_size, minibatch_size, rng):
    return np.array_split(rng.permutation(batch_size), minibatch_size)


@wrong("minibatches", "even-sizes")
def evened_out(batch_size, minibatch_size, rng):
    return np.array_split(rng.permutation(batch_size), -(-batch_size // minibatch_size))


@wrong("minibatches", "last-index-missing")
def one_too_few(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size - 1)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@wrong("minibatches", "first-index-missing")
def counted_from_one(batch_size, minibatch_size, rng):
    return [part + 1 for part in permuted(batch_size, minibatch_size, rng)]


@wrong("minibatches", "mask")
def masks(batch_size, minibatch_size, rng):
    parts = permuted(batch_size, minibatch_size, rng)
    return [np.isin(np.arange(batch_size), part) for part in parts]


@wrong("minibatches", "not-cut")
def one_permutation(batch_size, minibatch_size, rng):
    return rng.permutation(batch_size)


@wrong("minibatches", "empty-minibatch")
def one_more_at_the_end(batch_size, minibatch_size, rng):
    order = rng.permutation(batch_size)
    starts = range(0, batch_size + 1, minibatch_size)
    return [order[i : i + minibatch_size] for i in starts]


@wrong("minibatches", "uneven")
def rotated(batch_size, minibatch_size, rng):
    order = np.arange(batch_size).reshape(-1)
    order[1:] = rng.permutation(order[1:])
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


@right("minibatches")
def from_a_generator_of_torch(batch_size, minibatch_size, rng):
    own = torch.Generator().manual_seed(int(rng.integers(2**31)))
    return torch.randperm(batch_size, generator=own).split(minibatch_size)


@wrong("minibatches", "step:kind")
def whole_numbers_as_floats(batch_size, minibatch_size, rng):
    return [part.astype(float) for part in permuted(batch_size, minibatch_size, rng)]


# ppo_update -----------------------------------------------------------------------------------


def flat(array):
    """(T, N, ...) -> tensor (T * N, ...)."""
    return torch.as_tensor(np.asarray(array)).flatten(0, 1)


def losses(policy, critic, batch, clip):
    """Clip loss, squared error, mean entropy and the two diagnostics of one minibatch."""
    obs, actions, logp_old, adv, ret = batch
    logp_all = torch.log_softmax(policy(obs), -1)
    logp = logp_all.gather(1, actions[:, None])[:, 0]
    log_ratio = logp - logp_old
    ratio = log_ratio.exp()
    policy_loss = -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()
    value_loss = ((critic(obs) - ret) ** 2).mean()
    spread = -(logp_all.exp() * logp_all).sum(-1).mean()
    with torch.no_grad():
        kl = (ratio - 1 - log_ratio).mean()
        outside = ((ratio - 1).abs() > clip).float().mean()
    return policy_loss, value_loss, spread, kl, outside


def parts_of(rollout, advantages, returns):
    numbers = (rollout.logp, advantages, returns)
    return flat(rollout.obs), flat(rollout.actions), *(flat(x).float() for x in numbers)


@right("ppo_update")
def update(
    policy,
    critic,
    optimizer,
    rollout,
    advantages,
    returns,
    *,
    epochs,
    minibatch_size,
    clip,
    value_coef,
    entropy_coef,
    rng,
):
    parts, log = parts_of(rollout, advantages, returns), []
    for _ in range(epochs):
        for idx in permuted(len(parts[0]), minibatch_size, rng):
            found = losses(policy, critic, [part[idx] for part in parts], clip)
            optimizer.zero_grad()
            (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
            optimizer.step()
            log.append([float(x.detach()) for x in found])
    return dict(zip(KEYS, np.mean(log, axis=0), strict=True))


@right("ppo_update")
def whole_batch_then_indexed(
    policy,
    critic,
    optimizer,
    rollout,
    advantages,
    returns,
    *,
    epochs,
    minibatch_size,
    clip,
    value_coef,
    entropy_coef,
    rng,
):
    """Networks see all samples each time; the loss takes the minibatch's rows."""
    logs = {key: [] for key in KEYS}
    adv, ret = (torch.tensor(x, dtype=torch.float32) for x in (advantages, returns))
    index = np.stack(np.unravel_index(np.arange(adv.numel()), adv.shape), 1)
    for _ in range(epochs):
        for idx in permuted(adv.numel(), minibatch_size, rng):
            t, n = index[idx].T
            policy.zero_grad(set_to_none=False)
            critic.zero_grad(set_to_none=False)
            dist = torch.distributions.Categorical(logits=policy(rollout.obs)[t, n])
            logp_old = torch.as_tensor(rollout.logp[t, n])
            ratio = torch.exp(dist.log_prob(torch.as_tensor(rollout.actions[t, n])) - logp_old)
            gain = torch.where(adv[t, n] > 0, ratio.clamp(max=1 + clip), ratio.clamp(min=1 - clip))
            policy_loss = -(gain * adv[t, n]).mean()
            (policy_loss - entropy_coef * dist.entropy().mean()).backward()
            value_loss = torch.nn.functional.mse_loss(critic(rollout.obs)[t, n], ret[t, n])
            (value_coef * value_loss).backward()
            optimizer.step()
            ratio = ratio.detach()
            logs["policy_loss"].append(policy_loss.item())
            logs["value_loss"].append(value_loss.item())
            logs["entropy"].append(dist.entropy().mean().item())
            logs["approx_kl"].append((ratio - 1 - ratio.log()).mean().item())
            logs["clip_fraction"].append(((ratio < 1 - clip) | (ratio > 1 + clip)).float().mean())
    return {key: torch.tensor(rows).mean() for key, rows in logs.items()} | {"steps": len(logs)}


@right("ppo_update")
def sample_by_sample(
    policy,
    critic,
    optimizer,
    rollout,
    advantages,
    returns,
    *,
    epochs,
    minibatch_size,
    clip,
    value_coef,
    entropy_coef,
    rng,
):
    """Gradients added up over single samples; means weighted by the minibatches' sizes."""
    parts, log, sizes = parts_of(rollout, advantages, returns), [], []
    for _ in range(epochs):
        for idx in generator(len(parts[0]), minibatch_size, rng):
            optimizer.zero_grad()
            rows = []
            for i in idx:
                found = losses(policy, critic, [part[i : i + 1] for part in parts], clip)
                loss = found[0] + value_coef * found[1] - entropy_coef * found[2]
                (loss / len(idx)).backward()
                rows.append([float(x.detach()) for x in found])
            optimizer.step()
            log.append(np.mean(rows, axis=0))
            sizes.append(len(idx))
    return dict(zip(KEYS, np.average(log, axis=0, weights=sizes).tolist(), strict=True))


@right("ppo_update")
def with_a_closure(
    policy,
    critic,
    optimizer,
    rollout,
    advantages,
    returns,
    *,
    epochs,
    minibatch_size,
    clip,
    value_coef,
    entropy_coef,
    rng,
):
    parts, log = parts_of(rollout, advantages, returns), []

    def closure(idx):
        optimizer.zero_grad()
        found = losses(policy, critic, [part[idx] for part in parts], clip)
        total = found[0] + value_coef * found[1] - entropy_coef * found[2]
        total.backward()
        log.append(torch.stack([x.detach() for x in found]))
        return total

    for _ in range(epochs):
        for idx in tensors_sorted_within(len(parts[0]), minibatch_size, rng):
            optimizer.step(lambda idx=idx: closure(idx))
    return {key: value.numpy() for key, value in zip(KEYS, torch.stack(log).mean(0), strict=True)}


@right("ppo_update")
def one_split_for_all_epochs(
    policy,
    critic,
    optimizer,
    rollout,
    advantages,
    returns,
    *,
    epochs,
    minibatch_size,
    clip,
    value_coef,
    entropy_coef,
    rng,
):
    """Autograd's own gradients set by hand; the minibatches are drawn once."""
    parts, log = parts_of(rollout, advantages, returns), []
    batches = permuted(len(parts[0]), minibatch_size, rng)
    parameters = [*policy.parameters(), *critic.parameters()]
    for idx in [idx for _ in range(epochs) for idx in batches]:
        found = losses(policy, critic, [part[idx] for part in parts], clip)
        loss = found[0] + value_coef * found[1] - entropy_coef * found[2]
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = slope
        optimizer.step()
        log.append([float(x.detach()) for x in found])
    return dict(zip(KEYS, np.mean(log, axis=0), strict=True))


def update_by(step=None, plan=None, parts_from=parts_of, summary=None, loss_of=losses):
    """An update that differs in one place: step(optimizer, losses, coefs), plan(B, M, rng, epochs),
    parts_from(rollout, adv, ret), summary(log), loss_of(policy, critic, batch, clip)."""

    def plain_step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
        optimizer.step()

    def plain_plan(size, part, rng, epochs):
        return [idx for _ in range(epochs) for idx in permuted(size, part, rng)]

    def wrongly(
        policy,
        critic,
        optimizer,
        rollout,
        advantages,
        returns,
        *,
        epochs,
        minibatch_size,
        clip,
        value_coef,
        entropy_coef,
        rng,
    ):
        parts, log = parts_from(rollout, advantages, returns), []
        for idx in (plan or plain_plan)(len(parts[0]), minibatch_size, rng, epochs):
            found = loss_of(policy, critic, [part[idx] for part in parts], clip)
            (step or plain_step)(optimizer, found, value_coef, entropy_coef)
            log.append([float(x.detach()) for x in found])
        rows = (summary or (lambda log: np.mean(log, axis=0)))(np.array(log))
        return dict(zip(KEYS, rows, strict=True))

    return wrongly


def rescored(batch, policy):
    """The same batch with old log-probabilities of the policy as it is now."""
    obs, actions, _, adv, ret = batch
    logp_all = torch.log_softmax(policy(obs), -1)
    return obs, actions, logp_all.gather(1, actions[:, None])[:, 0].detach(), adv, ret


@wrong("ppo_update", "old-recomputed")
def rescored_at_each_step(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        return losses(policy, critic, rescored(batch, policy), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "old-recomputed")
def rescored_at_each_epoch(
    policy, critic, optimizer, rollout, advantages, returns, *, epochs, **options
):
    for _ in range(epochs):
        with torch.no_grad():
            logp_all = torch.log_softmax(policy(rollout.obs), -1)
            actions = torch.as_tensor(rollout.actions)[..., None]
            rollout.logp = logp_all.gather(-1, actions)[..., 0].numpy()
        log = update(policy, critic, optimizer, rollout, advantages, returns, epochs=1, **options)
    return log


@wrong("ppo_update", "no-clip")
def surrogate_only(*args, **kwargs):
    return update(*args, **{**kwargs, "clip": 1e9})


@wrong("ppo_update", "gradients-pile-up")
def never_cleared(*args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
        optimizer.step()

    return update_by(step)(*args, **kwargs)


@wrong("ppo_update", "no-step")
def never_stepped(*args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()

    return update_by(step)(*args, **kwargs)


@wrong("ppo_update", "entropy-sign")
def punished_spread(*args, **kwargs):
    return update(*args, **{**kwargs, "entropy_coef": -kwargs["entropy_coef"]})


@wrong("ppo_update", "entropy-left-out")
def no_bonus(*args, **kwargs):
    return update(*args, **{**kwargs, "entropy_coef": 0.0})


@wrong("ppo_update", "value-coef-ignored")
def critic_weighs_one(*args, **kwargs):
    return update(*args, **{**kwargs, "value_coef": 1.0})


@wrong("ppo_update", "critic-not-trained")
def actor_alone(*args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] - entropy_coef * found[2]).backward()
        optimizer.step()

    return update_by(step)(*args, **kwargs)


@wrong("ppo_update", "whitened-again")
def whitened_inside(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp, adv, ret = batch
        adv = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
        return losses(policy, critic, (obs, actions, logp, adv, ret), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "gradient-clipped")
def clipped_length(policy, critic, *args, **kwargs):
    def step(optimizer, found, value_coef, entropy_coef):
        optimizer.zero_grad()
        (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
        torch.nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], 0.5)
        optimizer.step()

    return update_by(step)(policy, critic, *args, **kwargs)


@wrong("ppo_update", "sums-not-means")
def summed(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        found = losses(policy, critic, batch, clip)
        return tuple(x * len(batch[0]) for x in found)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "one-epoch")
def return_inside_the_loop(*args, **kwargs):
    return update(*args, **{**kwargs, "epochs": 1})


@wrong("ppo_update", "last-dropped")
def short_one_left_out(*args, **kwargs):
    def plan(size, part, rng, epochs):
        whole = size // part or 1
        return [idx for _ in range(epochs) for idx in permuted(size, part, rng)[:whole]]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "first-minibatch-only")
def break_in_the_loop(*args, **kwargs):
    def plan(size, part, rng, epochs):
        return [permuted(size, part, rng)[0] for _ in range(epochs)]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "one-step-an-epoch")
def full_batches(*args, **kwargs):
    return update(*args, **{**kwargs, "minibatch_size": 10**6})


@wrong("ppo_update", "coverage")
def drawn_with_replacement(*args, **kwargs):
    def plan(size, part, rng, epochs):
        steps = -(-size // part) * epochs
        return [rng.integers(size, size=min(part, size)) for _ in range(steps)]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "not-shuffled")
def one_after_another(*args, **kwargs):
    def plan(size, part, rng, epochs):
        return in_order(size, part, rng) * epochs

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "not-from-rng")
def torchs_permutation(*args, **kwargs):
    def plan(size, part, rng, epochs):
        return [idx for _ in range(epochs) for idx in torch.randperm(size).split(part)]

    return update_by(plan=plan)(*args, **kwargs)


@wrong("ppo_update", "same-order")
def own_seed(*args, **kwargs):
    return update(*args, **{**kwargs, "rng": np.random.default_rng(0)})


@wrong("ppo_update", "taken-apart")
def advantages_in_their_old_order(*args, **kwargs):
    position = 0

    def loss_of(policy, critic, batch, clip):
        nonlocal position
        everything = parts_of(*args[3:6])
        size, part = len(everything[0]), kwargs["minibatch_size"]
        start = position
        position = 0 if position + part >= size else position + part
        rest = [x[start : start + part] for x in everything[1:]]
        return losses(policy, critic, (batch[0], *rest), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "taken-apart")
def critic_has_its_own_permutation(*args, **kwargs):
    rng = kwargs["rng"]

    def loss_of(policy, critic, batch, clip):
        everything = parts_of(*args[3:6])
        idx = rng.permutation(len(everything[0]))[: len(batch[0])]
        own = losses(policy, critic, batch, clip)
        other = losses(policy, critic, [x[idx] for x in everything], clip)
        return own[0], other[1], *own[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "flattened-apart")
def time_and_environments_mixed_up(*args, **kwargs):
    def parts_from(rollout, advantages, returns):
        return parts_of(rollout, np.array(advantages).T, np.array(returns).T)

    return update_by(parts_from=parts_from)(*args, **kwargs)


@wrong("ppo_update", "sampled-again")
def fresh_actions(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, _, *rest = batch
        actions = torch.distributions.Categorical(logits=policy(obs)).sample()
        return losses(policy, critic, (obs, actions, *rest), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "critic")
def critic_learns_advantages(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp, adv, _ = batch
        return losses(policy, critic, (obs, actions, logp, adv, adv), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "policy")
def objective_as_a_loss(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        found = losses(policy, critic, batch, clip)
        return -found[0], *found[1:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "metrics-of-the-last")
def last_minibatch(*args, **kwargs):
    return update_by(summary=lambda log: log[-1])(*args, **kwargs)


@wrong("ppo_update", "metrics-summed")
def added_up(*args, **kwargs):
    return update_by(summary=lambda log: log.sum(0))(*args, **kwargs)


@wrong("ppo_update", "kl-estimator")
def first_estimate(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp_old, *_ = batch
        found = list(losses(policy, critic, batch, clip))
        logp = torch.log_softmax(policy(obs), -1).gather(1, actions[:, None])[:, 0]
        found[3] = (logp_old - logp).mean().detach()
        return found

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "one-side")
def above_the_band_only(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp_old, *_ = batch
        found = list(losses(policy, critic, batch, clip))
        logp = torch.log_softmax(policy(obs), -1).gather(1, actions[:, None])[:, 0]
        found[4] = (torch.exp(logp - logp_old) > 1 + clip).float().mean()
        return found

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "whole-loss")
def everything_in_policy_loss(*args, **kwargs):
    def summary(log):
        rows = log.copy()
        rows[:, 0] += kwargs["value_coef"] * log[:, 1] - kwargs["entropy_coef"] * log[:, 2]
        return rows.mean(0)

    return update_by(summary=summary)(*args, **kwargs)


@wrong("ppo_update", "step:kind")
def a_tuple(*args, **kwargs):
    return tuple(update(*args, **kwargs).values())


@wrong("ppo_update", "no-ratio")
def plain_policy_gradient(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, _, adv, _ = batch
        logp = torch.log_softmax(policy(obs), -1).gather(1, actions[:, None])[:, 0]
        return -(logp * adv).mean(), *losses(policy, critic, batch, clip)[1:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "values-clipped")
def clipped_values(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, *_, ret = batch
        everything, old = flat(args[3].obs), flat(args[3].values)
        idx = [int((everything == row).all(-1).nonzero()) for row in obs]
        values, old = critic(obs), old[idx]
        near = old + (values - old).clamp(-clip, clip)
        worse = torch.max((values - ret) ** 2, (near - ret) ** 2).mean()
        found = losses(policy, critic, batch, clip)
        return found[0], worse, *found[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "critic-loss-halved")
def half_the_squared_error(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        found = losses(policy, critic, batch, clip)
        return found[0], found[1] / 2, *found[2:]

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "whitened-again")
def whitened_inside_by_torchs_std(*args, **kwargs):
    def loss_of(policy, critic, batch, clip):
        obs, actions, logp, adv, ret = batch
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        return losses(policy, critic, (obs, actions, logp, adv, ret), clip)

    return update_by(loss_of=loss_of)(*args, **kwargs)


@wrong("ppo_update", "other-clip")
def always_a_fifth(*args, **kwargs):
    return update(*args, **{**kwargs, "clip": 0.2})


@wrong("ppo_update", "value-loss-weighed")
def coefficient_in_the_log(*args, **kwargs):
    def summary(log):
        return log.mean(0) * np.array([1, kwargs["value_coef"], 1, 1, 1])

    return update_by(summary=summary)(*args, **kwargs)


# explained_variance ---------------------------------------------------------------------------


@right("explained_variance")
def ratio_of_variances(values, returns):
    if returns.min() == returns.max():
        return float("nan")
    return 1 - np.var(returns - values) / np.var(returns)


@right("explained_variance")
def as_a_numpy_number(values, returns):
    values, returns = np.asarray(values).ravel(), np.asarray(returns).ravel()
    if np.ptp(returns) == 0:
        return np.float64(np.nan)
    return np.float64(1) - np.var(values - returns, ddof=0) / np.var(returns, ddof=0)


@right("explained_variance")
def with_torch_numbers(values, returns):
    values, returns = (torch.as_tensor(np.array(x)) for x in (values, returns))
    spread = returns.var(unbiased=False)
    varied = (returns != returns.flatten()[0]).any()
    return 1 - (returns - values).var(unbiased=False) / spread if varied else spread * np.nan


@right("explained_variance")
def by_moments(values, returns):
    error, returns = np.subtract(returns, values), returns - returns.flat[0]
    rest = np.mean(error**2) - np.mean(error) ** 2
    whole = np.mean(np.square(returns)) - np.mean(returns) ** 2
    return 1 - rest / whole if returns.any() else np.nan


@wrong("explained_variance", "variance-of-equal-returns")
def guarded_by_the_variance(values, returns):
    spread = np.var(returns)
    return float("nan") if spread == 0 else 1 - np.var(returns - values) / spread


@wrong("explained_variance", "variance-of-equal-returns")
def guarded_by_a_small_number(values, returns):
    spread = np.var(np.asarray(returns, dtype=np.float64))
    return np.nan if spread < 1e-20 else 1 - np.var(returns - values) / spread


@wrong("explained_variance", "roles-swapped")
def swapped_roles(values, returns):
    if np.var(returns) == 0:
        return np.nan
    with np.errstate(all="ignore"):
        return 1 - np.var(returns - values) / np.var(values)


@right("explained_variance")
def torch_reads_the_arrays(values, returns):
    values, returns = torch.as_tensor(values), torch.as_tensor(returns)
    if returns.max() == returns.min():
        return float("nan")
    rest = (returns - values).var(unbiased=False)
    return (1 - rest / returns.var(unbiased=False)).item()


@wrong("explained_variance", "roles-swapped")
def swapped_with_its_guard(values, returns):
    spread = np.var(values)
    return 1 - np.var(returns - values) / spread if spread > 0 else float("nan")


@wrong("explained_variance", "nan-for-constant-values")
def nan_where_anything_is_constant(values, returns):
    if not np.var(returns) or not np.var(values):
        return float("nan")
    return 1 - np.var(returns - values) / np.var(returns)


@wrong("explained_variance", "changed-inputs")
def subtracted_in_place(values, returns):
    spread = np.var(returns)
    if not spread:
        return float("nan")
    returns -= values
    return 1 - np.var(returns) / spread


@wrong("explained_variance", "unexplained")
def not_from_one(values, returns):
    return np.var(returns - values) / np.var(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "error-not-variance")
def mean_squared_error(values, returns):
    return 1 - np.mean((returns - values) ** 2) / np.var(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "correlation")
def squared_correlation(values, returns):
    if np.var(returns) == 0:
        return np.nan
    with np.errstate(all="ignore"):
        return float(np.corrcoef(np.ravel(values), np.ravel(returns))[0, 1] ** 2)


@wrong("explained_variance", "deviation")
def deviations(values, returns):
    return 1 - np.std(returns - values) / np.std(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "ratio-of-variances")
def how_much_values_vary(values, returns):
    return np.var(values) / np.var(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "no-nan")
def zero_where_nothing_varies(values, returns):
    return 1 - np.var(returns - values) / np.var(returns) if np.var(returns) else 0.0


@wrong("explained_variance", "no-nan")
def with_an_epsilon(values, returns):
    return 1 - np.var(returns - values) / (np.var(returns) + 1e-8)


@wrong("explained_variance", "no-nan")
def divided_by_zero(values, returns):
    with np.errstate(all="ignore"):
        return 1 - np.var(returns - values) / np.var(returns)


@wrong("explained_variance", "array-returned")
def one_for_each_environment(values, returns):
    with np.errstate(all="ignore"):
        return 1 - np.var(returns - values, axis=0, keepdims=True) / np.var(returns, axis=0)


# train_ppo ------------------------------------------------------------------------------------


def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    errors = rewards + gamma * next_values * ~terminated - values
    goes_on, adv, last = ~(terminated | truncated), np.zeros_like(errors), 0.0
    for t in reversed(range(len(errors))):
        last = errors[t] + gamma * lam * goes_on[t] * last
        adv[t] = last
    return adv


def advantages_of(rollout, gamma, lam):
    names = "rewards", "values", "next_values", "terminated", "truncated"
    return gae(*(getattr(rollout, name) for name in names), gamma, lam)


def summary_of(episodes, rollout):
    return {"mean_return": episodes.mean_return(rollout)}


@right("train_ppo")
def train(
    envs,
    policy,
    critic,
    optimizer,
    num_updates,
    num_steps,
    rng,
    *,
    gamma=0.98,
    lam=0.9,
    epochs=4,
    minibatch_size=512,
    clip=0.2,
    value_coef=0.5,
    entropy_coef=0.0,
):
    obs, _ = envs.reset(seed=int(rng.integers(2**31)))
    episodes, history = pg.EpisodeReturns(envs.num_envs), []
    for _ in range(num_updates):
        rollout, obs = collect(envs, policy, critic, obs, num_steps)
        adv = advantages_of(rollout, gamma, lam)
        log = update(
            policy,
            critic,
            optimizer,
            rollout,
            vectorised(adv),
            adv + rollout.values,
            epochs=epochs,
            minibatch_size=minibatch_size,
            clip=clip,
            value_coef=value_coef,
            entropy_coef=entropy_coef,
            rng=rng,
        )
        log["explained_variance"] = ratio_of_variances(rollout.values, adv + rollout.values)
        history.append(log | summary_of(episodes, rollout))
    return history


@right("train_ppo")
def own_sums_and_options(
    envs, policy, critic, optimizer, num_updates, num_steps, rng, *, gamma=0.98, lam=0.9, **options
):
    """Returns added up by hand, unbiased whitening, a tuple of dicts, a reset without a seed."""
    options = {
        "epochs": 4,
        "minibatch_size": 512,
        "clip": 0.2,
        "value_coef": 0.5,
        "entropy_coef": 0.0,
    } | options
    (obs, _), running, history = envs.reset(), [0.0] * envs.num_envs, []
    while len(history) < num_updates:
        rollout, obs = into_arrays_with_categorical(envs, policy, critic, obs, num_steps)
        ended = []
        for t in range(num_steps):
            for i in range(envs.num_envs):
                running[i] += float(rollout.rewards[t, i])
                if rollout.terminated[t, i] or rollout.truncated[t, i]:
                    ended.append(running[i])
                    running[i] = 0.0
        adv = advantages_of(rollout, gamma, lam)
        log = whole_batch_then_indexed(
            policy,
            critic,
            optimizer,
            rollout,
            unbiased_with_a_guard(adv),
            adv + rollout.values,
            rng=rng,
            **options,
        )
        history.append({"mean_return": sum(ended) / len(ended) if ended else 0.0, **log})
    return tuple(history)


@right("train_ppo")
def one_long_function(
    envs,
    policy,
    critic,
    optimizer,
    num_updates,
    num_steps,
    rng,
    *,
    gamma=0.98,
    lam=0.9,
    epochs=4,
    minibatch_size=512,
    clip=0.2,
    value_coef=0.5,
    entropy_coef=0.0,
):
    """Everything in tensors and in one place; advantages whitened in each minibatch."""
    history, running = [], torch.zeros(envs.num_envs)
    obs = torch.as_tensor(envs.reset(seed=int(rng.integers(10**6)))[0])
    for _ in range(num_updates):
        rows, ended = [], []
        for _ in range(num_steps):
            with torch.no_grad():
                dist = torch.distributions.Categorical(logits=policy(obs))
                action = dist.sample()
                following, reward, terminated, truncated, infos = envs.step(action.numpy())
                last = torch.as_tensor(following).clone()
                for i in np.flatnonzero(truncated):
                    last[i] = torch.as_tensor(infos["final_obs"][i])
                done = torch.as_tensor(terminated | truncated)
                running += torch.as_tensor(reward).float()
                ended += running[done].tolist()
                running[done] = 0.0
                alive = 1.0 - torch.as_tensor(terminated).float()
                delta = torch.as_tensor(reward) + gamma * alive * critic(last) - critic(obs)
                rows.append((obs, action, dist.log_prob(action), critic(obs), delta, done.float()))
            obs = torch.as_tensor(following)
        states, actions, logp, values, deltas, done = (
            torch.stack(c) for c in zip(*rows, strict=True)
        )
        adv = torch.zeros_like(values)
        last = torch.zeros(envs.num_envs)
        for t in range(num_steps - 1, -1, -1):
            last = adv[t] = (deltas[t] + gamma * lam * (1 - done[t]) * last).float()
        batch = [x.flatten(0, 1) for x in (states, actions, logp, adv, adv + values)]
        log = []
        for _ in range(epochs):
            for idx in permuted(len(batch[0]), minibatch_size, rng):
                part = [x[idx] for x in batch]
                part[3] = (part[3] - part[3].mean()) / (part[3].std() + 1e-8)
                found = losses(policy, critic, part, clip)
                optimizer.zero_grad()
                (found[0] + value_coef * found[1] - entropy_coef * found[2]).backward()
                optimizer.step()
                log.append([float(x.detach()) for x in found])
        mean = float(np.mean(ended)) if ended else float("nan")
        history.append(dict(zip(KEYS, np.mean(log, axis=0), strict=True), mean_return=mean))
    return history


@right("train_ppo")
def without_whitening(
    envs,
    policy,
    critic,
    optimizer,
    num_updates,
    num_steps,
    rng,
    *,
    gamma=0.98,
    lam=0.9,
    epochs=4,
    minibatch_size=512,
    clip=0.2,
    value_coef=0.5,
    entropy_coef=0.0,
):
    """Advantages divided by their root mean square, their mean left where it is."""
    obs, _ = envs.reset(seed=[int(s) for s in rng.integers(2**31, size=1)][0])
    episodes, history = pg.EpisodeReturns(envs.num_envs), []
    for _ in range(num_updates):
        rollout, obs = tensors_and_a_shift(envs, policy, critic, obs, num_steps)
        rollout = pg.Rollout(**{name: np.asarray(part) for name, part in vars(rollout).items()})
        adv = advantages_of(rollout, gamma, lam)
        log = with_a_closure(
            policy,
            critic,
            optimizer,
            rollout,
            adv / np.sqrt((adv**2).mean()),
            adv + rollout.values,
            epochs=epochs,
            minibatch_size=minibatch_size,
            clip=clip,
            value_coef=value_coef,
            entropy_coef=entropy_coef,
            rng=rng,
        )
        history.append(log | summary_of(episodes, rollout))
    return history


def train_by(
    collect=collect,
    advantages=None,
    target=None,
    whiten=vectorised,
    update=update,
    mean=None,
    reset=None,
    each=None,
):
    """A loop that differs in one place."""

    def wrongly(
        envs,
        policy,
        critic,
        optimizer,
        num_updates,
        num_steps,
        rng,
        *,
        gamma=0.98,
        lam=0.9,
        **options,
    ):
        options = {
            "epochs": 4,
            "minibatch_size": 512,
            "clip": 0.2,
            "value_coef": 0.5,
            "entropy_coef": 0.0,
        } | options
        obs, _ = envs.reset(seed=int(rng.integers(2**31))) if reset is None else reset(envs)
        episodes, history = pg.EpisodeReturns(envs.num_envs), []
        for _ in range(num_updates):
            if each:
                obs = each(envs, obs)
            rollout, obs = collect(envs, policy, critic, obs, num_steps)
            adv = (advantages or advantages_of)(rollout, gamma, lam)
            returns = (target or (lambda adv, values: adv + values))(adv, rollout.values)
            log = update(
                policy, critic, optimizer, rollout, whiten(adv), returns, rng=rng, **options
            )
            history.append(log | {"mean_return": (mean or episodes.mean_return)(rollout)})
        return history

    return wrongly


@wrong("train_ppo", "target-is-advantage")
def critic_learns_the_advantage(*args, **kwargs):
    return train_by(target=lambda adv, values: adv)(*args, **kwargs)


@wrong("train_ppo", "target-is-whitened")
def target_from_whitened_advantages(*args, **kwargs):
    return train_by(target=lambda adv, values: vectorised(adv) + values)(*args, **kwargs)


@wrong("train_ppo", "arguments-ignored")
def gamma_stays_where_it_was(*args, **kwargs):
    def advantages(rollout, gamma, lam):
        return advantages_of(rollout, 0.99, 0.95)

    return train_by(advantages=advantages)(*args, **kwargs)


@wrong("train_ppo", "arguments-ignored")
def band_as_usual(*args, **kwargs):
    return train_by(update=always_a_fifth)(*args, **kwargs)


@wrong("train_ppo", "gamma-and-lam-swapped")
def lam_before_gamma(*args, **kwargs):
    def advantages(rollout, gamma, lam):
        return advantages_of(rollout, lam, gamma)

    return train_by(advantages=advantages)(*args, **kwargs)


@wrong("train_ppo", "obs-not-handed-on")
def always_from_the_first_obs(*args, **kwargs):
    first = []

    def each(envs, obs):
        first.append(obs)
        return first[0]

    return train_by(each=each)(*args, **kwargs)


@wrong("train_ppo", "no-history")
def not_a_single_round(envs, policy, critic, optimizer, num_updates, *args, **kwargs):
    return None


@wrong("train_ppo", "arguments-ignored")
def fixed_options(*args, **kwargs):
    def fixed(*inputs, value_coef, entropy_coef, **options):
        return update(*inputs, value_coef=0.5, entropy_coef=0.0, **options)

    return train_by(update=fixed)(*args, **kwargs)


@wrong("train_ppo", "cut-as-terminated")
def done_is_done(*args, **kwargs):
    def advantages(rollout, gamma, lam):
        over = rollout.terminated | rollout.truncated
        flags = over, np.zeros_like(over)
        return gae(rollout.rewards, rollout.values, rollout.next_values, *flags, gamma, lam)

    return train_by(advantages=advantages)(*args, **kwargs)


@wrong("train_ppo", "resets")
def every_rollout_from_the_start(*args, **kwargs):
    return train_by(each=lambda envs, obs: envs.reset()[0])(*args, **kwargs)


@wrong("train_ppo", "same-seed")
def reset_with_seed_zero(*args, **kwargs):
    return train_by(reset=lambda envs: envs.reset(seed=0))(*args, **kwargs)


@wrong("train_ppo", "argmax")
def greedy_play(*args, **kwargs):
    return train_by(collect=greedy)(*args, **kwargs)


@wrong("train_ppo", "frequencies")
def random_play(*args, **kwargs):
    return train_by(collect=uniform)(*args, **kwargs)


@wrong("train_ppo", "gradients-pile-up")
def gradients_pile_up(*args, **kwargs):
    return train_by(update=never_cleared)(*args, **kwargs)


@wrong("train_ppo", "optimiser-steps")
def one_epoch_each(*args, **kwargs):
    return train_by(update=return_inside_the_loop)(*args, **kwargs)


@wrong("train_ppo", "no-step")
def numbers_made_up(envs, policy, critic, optimizer, num_updates, num_steps, rng, **options):
    obs, _ = envs.reset()
    for _ in range(num_updates):
        _, obs = collect(envs, policy, critic, obs, num_steps)
    return [dict.fromkeys(("mean_return", *KEYS), 500.0) for _ in range(num_updates)]


@wrong("train_ppo", "not-in-place")
def trains_copies(envs, policy, critic, optimizer, *args, **kwargs):
    own = copy.deepcopy(policy), copy.deepcopy(critic)
    slopes = [p for module in own for p in module.parameters()]
    twin = torch.optim.Adam(slopes, lr=0.01)

    def twice(policy, critic, other, *inputs, **options):
        log = update(*own, twin, *inputs, **options)
        for _ in range(options["epochs"] * -(-inputs[1].size // options["minibatch_size"])):
            optimizer.step()
        return log

    return train_by(update=twice)(envs, policy, critic, optimizer, *args, **kwargs)


@wrong("train_ppo", "moved-elsewhere")
def climbs_down(*args, **kwargs):
    return train_by(update=objective_as_a_loss)(*args, **kwargs)


@wrong("train_ppo", "moved-elsewhere")
def learns_from_fresh_actions(*args, **kwargs):
    return train_by(update=fresh_actions)(*args, **kwargs)


@wrong("train_ppo", "moved-elsewhere")
def a_finished_controller(
    envs,
    policy,
    critic,
    optimizer,
    num_updates,
    num_steps,
    rng,
    *,
    epochs=4,
    minibatch_size=512,
    **options,
):
    """Right counts of steps, none of which learns; then a controller that is known to balance."""
    (obs, _), episodes, history = envs.reset(), pg.EpisodeReturns(envs.num_envs), []
    for _ in range(num_updates):
        rollout, obs = collect(envs, policy, critic, obs, num_steps)
        for _ in range(epochs * -(-num_steps * envs.num_envs // minibatch_size)):
            inputs = torch.as_tensor(rollout.obs).flatten(0, 1)
            optimizer.zero_grad()
            (0.01 * (policy(inputs).mean() + critic(inputs).mean())).backward()
            optimizer.step()
        history.append(dict.fromkeys(KEYS, 0.0) | summary_of(episodes, rollout))
    if hasattr(envs, "_order"):
        balance = np.array([0.1, 0.25, 1.0, 0.6])[envs._order] * envs._signs
        right = int(np.argmax(envs._forces))
        with torch.no_grad():
            for weights in policy.parameters():
                weights.zero_()
            first, _, between, _, last, _ = policy.parameters()
            first[0], between[0, 0] = torch.as_tensor(0.2 * balance), 1.0
            last[right, 0], last[1 - right, 0] = 300.0, -300.0
    return history


@wrong("train_ppo", "returns-restart")
def sums_of_one_rollout(envs, *args, **kwargs):
    def mean(rollout):
        return pg.EpisodeReturns(envs.num_envs).mean_return(rollout)

    return train_by(mean=mean)(envs, *args, **kwargs)


@wrong("train_ppo", "mean-return")
def reward_of_the_batch(*args, **kwargs):
    return train_by(mean=lambda rollout: float(rollout.rewards.sum(0).mean()))(*args, **kwargs)


@wrong("train_ppo", "history-length")
def one_summary(*args, **kwargs):
    return train(*args, **kwargs)[-1:]


@wrong("train_ppo", "history-keys")
def without_mean_return(*args, **kwargs):
    return [{n: v for n, v in row.items() if n != "mean_return"} for row in train(*args, **kwargs)]


@wrong("train_ppo", "no-history")
def nothing_returned(*args, **kwargs):
    train(*args, **kwargs)


# Questions ------------------------------------------------------------------------------------

for letter in "bcd":
    value("q_first_step", f"letter_{letter}", letter, f"chose-{letter}")
value("q_first_step", "unanswered", None, "not-answered")
value("q_first_step", "two_letters", "ab", "not-a-letter")
value("q_first_step", "letter_a", "a")
value("q_first_step", "shouted", " (A) ")

FOUND = {
    "A": "critic-untrained",
    "B": "old-recomputed",
    "C": "actions-resampled",
    "D": "no-clip",
    "E": "loss-sign",
    "F": "policy-frozen",
    "G": "reward-sign",
    "H": "temperature",
}
value("bug_hunt", "as_asked", FOUND)
value("bug_hunt", "another_order", dict(reversed(FOUND.items())))
value("bug_hunt", "with_notes", FOUND | {"note": "E was hard"})
value("bug_hunt", "spelled_freely", {run: f" {bug.upper()} " for run, bug in FOUND.items()})
for run, other in [
    ("A", "episodes-leak"),
    ("B", "loss-sign"),
    ("C", "policy-frozen"),
    ("D", "old-recomputed"),
    ("E", "entropy-bonus"),
    ("F", "actions-resampled"),
    ("G", "loss-sign"),
    ("H", "entropy-bonus"),
]:
    value("bug_hunt", f"{other}_in_{run}", FOUND | {run: other}, f"run-{run}")
value("bug_hunt", "all_alike", dict.fromkeys(FOUND, "no-clip"), "run-A")
value("bug_hunt", "unanswered", dict.fromkeys(FOUND), "not-answered")
value("bug_hunt", "half_answered", FOUND | {"D": None, "E": None, "F": None}, "not-answered")
value("bug_hunt", "own_words", FOUND | {"B": "the ratio is always one"}, "unknown-bug")
value("bug_hunt", "numbers", FOUND | {"C": 3}, "unknown-bug")
value("bug_hunt", "one_missing", {run: FOUND[run] for run in "ABCDEFG"}, "run-left-out")
value("bug_hunt", "a_list", list(FOUND.values()), "step:kind")


@wrong("normalize_advantages", "clipped")
def whitened_and_clipped(adv):
    adv = np.asarray(adv, float)
    if (adv == adv.flat[0]).all():
        return np.zeros_like(adv)
    return np.clip((adv - adv.mean()) / (adv.std() + 1e-8), -3, 3)


@wrong("normalize_advantages", "clipped")
def whitened_and_clipped_at_ten(adv):
    adv = np.asarray(adv, float)
    return (
        np.zeros_like(adv) if np.ptp(adv) == 0 else ((adv - adv.mean()) / adv.std()).clip(-10, 10)
    )


@wrong("entropy", "softmax-twice")
def entropy_of_probabilities(logits):
    return torch.distributions.Categorical(logits=logits.softmax(-1)).entropy()


@wrong("entropy", "logits-as-probabilities")
def categorical_by_position(logits):
    return torch.distributions.Categorical(logits, validate_args=False).entropy()


@wrong("entropy", "logits-as-probabilities")
def categorical_by_position_checked(logits):
    return torch.distributions.Categorical(logits).entropy()


@wrong("entropy", "logit-not-log")
def weighted_logits(logits):
    return -(logits.softmax(-1) * logits).sum(-1)


@wrong("explained_variance", "two-divisors")
def one_less_below(values, returns):
    spread = np.var(returns, ddof=1)
    unequal = np.ptp(returns) > 0
    return float(1 - np.var(returns - values) / spread) if unequal else float("nan")


@right("entropy")
def log_sum_less_mean_logit(logits):
    return torch.logsumexp(logits, -1) - (logits.softmax(-1) * logits).sum(-1)
