"""Answers for collect_rollout."""

import numpy as np
import torch

import policy_gradients as pg
from bank import right, wrong


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
        above = torch.searchsorted(probs.cumsum(-1), torch.rand(len(probs), 1))[:, 0]
        action = above.clamp(max=probs.shape[1] - 1)
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


@wrong("collect_rollout", "next-obs-overwritten")
@torch.no_grad()
def cut_ones_without_a_copy(envs, policy, critic, obs, num_steps):
    rows = []
    for _ in range(num_steps):
        play = torch.distributions.Categorical(logits=policy(obs))
        actions = play.sample()
        following, rewards, terminated, truncated, infos = envs.step(actions.numpy())
        for i in np.flatnonzero(truncated):
            following[i] = infos["final_obs"][i]
        values = critic(obs).numpy(), critic(following).numpy()
        logp = play.log_prob(actions).numpy()
        rows.append((obs, actions.numpy(), logp, rewards, *values, terminated, truncated))
        obs = following
    return pg.Rollout(*(np.stack(column) for column in zip(*rows, strict=True))), obs


@wrong("collect_rollout", "obs")
def observations_centred(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.obs = rollout.obs - rollout.obs.mean((0, 1))
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "obs")
def first_observation_all_along(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.obs = np.broadcast_to(rollout.obs[:1], rollout.obs.shape)
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "step:kind")
def observations_in_a_list(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.obs = list(rollout.obs)
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


@wrong("collect_rollout", "keeps-gradients")
def observations_with_a_graph(envs, policy, critic, obs, num_steps):
    def change(rollout, policy, critic, after):
        rollout.obs = torch.tensor(rollout.obs, requires_grad=True)
        return rollout

    return spoiled(change)(envs, policy, critic, obs, num_steps)


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
