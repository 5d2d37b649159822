"""``train_ppo`` in ten styles."""

from collections import deque

import numpy as np
import torch
import torch.nn.functional as F

import policy_gradients as pg
from bank import lesson_05
from bank.styles import style

NAME = "train_ppo"


def named(label, **how):
    answer = lesson_05.train_by(**how)
    answer.__name__ = label
    style(NAME)(answer)


def cleared_afterwards(optimizer, found, value_coef, entropy_coef):
    total = found[0] + value_coef * found[1] - entropy_coef * found[2]
    total.backward(retain_graph=True)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)


def three_backward_passes(optimizer, found, value_coef, entropy_coef):
    optimizer.zero_grad()
    (value_coef * found[1]).backward()
    found[0].backward(retain_graph=True)
    (-entropy_coef * found[2]).backward()
    optimizer.step()


def climbing(optimizer, found, value_coef, entropy_coef):
    """The objective, climbed by its negative slope."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    objective = -found[0] - value_coef * found[1] + entropy_coef * found[2]
    for p, slope in zip(parameters, torch.autograd.grad(objective, parameters), strict=True):
        p.grad = -slope
    optimizer.step()


def one_shuffle(size, part, rng, epochs):
    """The order is drawn once; the epochs turn it round."""
    cut = lesson_05.permuted(size, part, rng)
    return [idx for epoch in range(epochs) for idx in (cut if epoch % 2 else cut[::-1])]


def in_double_precision(policy, critic, batch, clip):
    obs, actions, logp_old, adv, ret = batch
    logits = policy(obs).double()
    logp = torch.distributions.Categorical(logits=logits).log_prob(actions)
    ratio = torch.exp(logp - logp_old.double())
    bound = torch.where(adv > 0, (1 + clip) * adv, (1 - clip) * adv)
    policy_loss = -torch.minimum(ratio * adv, bound).mean()
    spread = torch.distributions.Categorical(logits=logits).entropy().mean()
    kl = (ratio - 1 - (logp - logp_old)).mean()
    outside = ((ratio < 1 - clip) | (ratio > 1 + clip)).double().mean()
    return policy_loss, F.mse_loss(critic(obs).double(), ret.double()), spread, kl, outside


def half_precision_of_nothing(adv):
    return np.asarray(adv, np.float64)


def by_the_largest(adv):
    return adv / np.abs(adv).max()


named("cleared_afterwards", update=lesson_05.update_by(step=cleared_afterwards))
named("three_backward_passes", update=lesson_05.update_by(step=three_backward_passes))
named("climbing", update=lesson_05.update_by(step=climbing), whiten=lesson_05.with_torch)
named("one_shuffle", update=lesson_05.update_by(plan=one_shuffle))
named("in_double_precision", update=lesson_05.update_by(loss_of=in_double_precision))
named("as_the_advantages_come", whiten=half_precision_of_nothing)
named(
    "scaled_by_the_largest",
    whiten=by_the_largest,
    collect=lesson_05.tensors_and_a_shift,
    advantages=lambda rollout, gamma, lam: lesson_05.advantages_of(
        pg.Rollout(**{name: np.asarray(part) for name, part in vars(rollout).items()}), gamma, lam
    ),
    target=lambda adv, values: adv + np.asarray(values),
    mean=None,
)
named("reset_without_a_seed", reset=lambda envs: envs.reset(), update=lesson_05.with_a_closure)


@style(NAME)
def in_a_class(envs, policy, critic, optimizer, num_updates, num_steps, rng, **options):
    """Methods and a deque; the last hundred returns are kept, and those of an update reported."""
    given = {"gamma": 0.98, "lam": 0.9, "epochs": 4, "minibatch_size": 512, "clip": 0.2}
    given |= {"value_coef": 0.5, "entropy_coef": 0.0} | options

    class PPO:
        def __init__(self):
            self.obs = envs.reset(seed=int(rng.integers(1 << 30)))[0]
            self.running, self.kept = np.zeros(envs.num_envs), deque(maxlen=100)

        def play(self):
            rollout, self.obs = lesson_05.into_arrays_with_categorical(
                envs, policy, critic, self.obs, num_steps
            )
            ended = []
            over = rollout.terminated | rollout.truncated
            for rewards, stopped in zip(rollout.rewards, over, strict=True):
                self.running += rewards
                ended += self.running[stopped].tolist()
                self.running[stopped] = 0
            self.kept.extend(ended)
            return rollout, np.mean(ended) if ended else float("nan")

        def learn(self, rollout):
            adv = lesson_05.advantages_of(rollout, given["gamma"], given["lam"])
            white = (adv - adv.mean()) / (adv.std(ddof=1) + 1e-8)
            names = "epochs", "minibatch_size", "clip", "value_coef", "entropy_coef"
            return lesson_05.whole_batch_then_indexed(
                policy,
                critic,
                optimizer,
                rollout,
                white,
                adv + rollout.values,
                rng=rng,
                **{name: given[name] for name in names},
            )

    ppo, history = PPO(), []
    for _ in range(num_updates):
        rollout, mean = ppo.play()
        history.append({"mean_return": mean} | ppo.learn(rollout))
    return history


@style(NAME)
def all_in_one(
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
    """One function, environments first, whitened in each minibatch by torch's deviation."""
    episodes, history = pg.EpisodeReturns(envs.num_envs), []
    obs, _info = envs.reset(seed=int(rng.integers(2**31)))
    for _update in range(num_updates):
        rollout, obs = lesson_05.one_environment_at_a_time(envs, policy, critic, obs, num_steps)
        rows = {n: torch.as_tensor(np.asarray(x)).transpose(0, 1) for n, x in vars(rollout).items()}
        alive = ~rows["terminated"]
        errors = rows["rewards"] + gamma * rows["next_values"] * alive - rows["values"]
        on = ~(rows["terminated"] | rows["truncated"])
        adv, later = torch.zeros_like(errors), torch.zeros(len(errors), dtype=errors.dtype)
        for t in range(num_steps - 1, -1, -1):
            later = errors[:, t] + gamma * lam * on[:, t] * later
            adv[:, t] = later
        names = "obs", "actions", "logp"
        seen, actions, old = (rows[name].flatten(0, 1) for name in names)
        ret, weight = ((adv + rows["values"]).flatten().float(), adv.flatten().float())
        log = []
        for _epoch in range(epochs):
            order = torch.as_tensor(rng.permutation(len(old)))
            for idx in order.split(minibatch_size):
                dist = torch.distributions.Categorical(logits=policy(seen[idx]))
                ratio = (dist.log_prob(actions[idx]) - old[idx]).exp()
                a = (weight[idx] - weight[idx].mean()) / (weight[idx].std() + 1e-8)
                first = -torch.min(ratio * a, ratio.clip(1 - clip, 1 + clip) * a).mean()
                second = (critic(seen[idx]) - ret[idx]).square().mean()
                spread = dist.entropy().mean()
                for p in (*policy.parameters(), *critic.parameters()):
                    p.grad = None
                (first + value_coef * second - entropy_coef * spread).backward()
                optimizer.step()
                with torch.no_grad():
                    kl = (ratio - 1 - ratio.log()).mean()
                    out = ((ratio - 1).abs() > clip).float().mean()
                log.append([x.item() for x in (first, second, spread, kl, out)])
        row = dict(zip(lesson_05.KEYS, np.mean(log, 0).tolist(), strict=True))
        history.append(row | {"mean_return": episodes.mean_return(rollout)})
    return history
