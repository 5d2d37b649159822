"""Answers for train_ppo."""

import copy

import numpy as np
import torch

import policy_gradients as pg
from bank import right, wrong
from bank.lesson_05.batches import permuted
from bank.lesson_05.numbers import ratio_of_variances, unbiased_with_a_guard, vectorised
from bank.lesson_05.rollouts import (
    collect,
    greedy,
    into_arrays_with_categorical,
    tensors_and_a_shift,
    uniform,
)
from bank.lesson_05.update_steps import fresh_actions, never_cleared, return_inside_the_loop
from bank.lesson_05.updates import (
    KEYS,
    always_a_fifth,
    half_the_squared_error,
    losses,
    objective_as_a_loss,
    update,
    whole_batch_then_indexed,
    with_a_closure,
)


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


@wrong("train_ppo", "seed-of-numpy")
def numpys_integer_as_a_seed(envs, policy, critic, optimizer, updates, steps, rng, **options):
    return train_by(reset=lambda envs: envs.reset(seed=rng.integers(2**31)))(
        envs, policy, critic, optimizer, updates, steps, rng, **options
    )


@wrong("train_ppo", "history-length")
def one_summary(*args, **kwargs):
    return train(*args, **kwargs)[-1:]


@wrong("train_ppo", "history-keys")
def without_mean_return(*args, **kwargs):
    return [{n: v for n, v in row.items() if n != "mean_return"} for row in train(*args, **kwargs)]


@wrong("train_ppo", "no-history")
def nothing_returned(*args, **kwargs):
    train(*args, **kwargs)


@wrong("train_ppo", "per-environment")
def whitened_in_each_environment(*args, **kwargs):
    return train_by(whiten=lambda adv: (adv - adv.mean(0)) / (adv.std(0) + 1e-8))(*args, **kwargs)


@wrong("train_ppo", "per-step")
def whitened_at_each_step(*args, **kwargs):
    def whiten(adv):
        middle, spread = adv.mean(1, keepdims=True), adv.std(1, ddof=1, keepdims=True)
        return (adv - middle) / (spread + 1e-8)

    return train_by(whiten=whiten)(*args, **kwargs)


@wrong("train_ppo", "critic-loss-halved")
def half_the_squared_error_inside(*args, **kwargs):
    return train_by(update=half_the_squared_error)(*args, **kwargs)
