"""The bank of 03_baseline_critic. Helpers are the bank's own, so that no two styles share code."""

import numpy as np
import torch
import torch.nn.functional as F

import policy_gradients as pg
from bank import right, value, wrong


def probs(theta):
    e = np.exp(theta - theta.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def to_go(rewards, gamma=1.0):
    out, running = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        out[t] = running
    return out


def weighted(theta, t, weights):
    S, A = theta.shape
    score = np.eye(A)[t.actions] - probs(theta)[t.states]
    return np.einsum("t,ts,ta->sa", np.asarray(weights), np.eye(S)[t.states], score)


def samples_with(weight):
    def answer(theta, trajectories, baseline, gamma=1.0):
        return np.array([weighted(theta, t, weight(t, baseline, gamma)) for t in trajectories])

    return answer


@right("baseline_gradient_samples")
def with_einsum(theta, trajectories, baseline, gamma=1.0):
    return np.stack(
        [weighted(theta, t, to_go(t.rewards, gamma) - baseline[t.states]) for t in trajectories]
    )


@right("baseline_gradient_samples")
def in_plain_loops(theta, trajectories, baseline, gamma=1.0):
    out = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for k in range(len(t)):
            s, a = int(t.states[k]), int(t.actions[k])
            ret = sum(gamma ** (j - k) * t.rewards[j] for j in range(k, len(t)))
            for b in range(theta.shape[1]):
                out[n, s, b] += (ret - baseline[s]) * ((a == b) - probs(theta)[s, b])
    return out


@right("baseline_gradient_samples")
def with_autograd(theta, trajectories, baseline, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        logp = torch.log_softmax(x, 1)[torch.tensor(t.states), torch.tensor(t.actions)]
        adv = torch.tensor(to_go(t.rewards, gamma) - np.asarray(baseline)[t.states])
        (logp * adv).sum().backward()
        out.append(x.grad.numpy())
    return np.array(out)


@right("baseline_gradient_samples")
def difference_of_two(theta, trajectories, baseline, gamma=1.0):
    """The reward-to-go samples, less what the baseline alone adds."""
    plain = np.array([weighted(theta, t, to_go(t.rewards, gamma)) for t in trajectories])
    return plain - np.array([weighted(theta, t, baseline[t.states]) for t in trajectories])


@wrong("baseline_gradient_samples", "baseline-added")
def plus(theta, trajectories, baseline, gamma=1.0):
    return with_einsum(theta, trajectories, -np.asarray(baseline), gamma)


@wrong("baseline_gradient_samples", "minus-sign")
def other_way_round(theta, trajectories, baseline, gamma=1.0):
    return -with_einsum(theta, trajectories, baseline, gamma)


@wrong("baseline_gradient_samples", "baseline-ignored")
def none(theta, trajectories, baseline, gamma=1.0):
    return with_einsum(theta, trajectories, np.zeros(len(theta)), gamma)


wrong("baseline_gradient_samples", "whole-return")(
    samples_with(lambda t, b, g: to_go(t.rewards, g)[0] - b[t.states])
)


@wrong("baseline_gradient_samples", "baseline-of-action")
def looks_up_the_action(theta, trajectories, baseline, gamma=1.0):
    padded = np.resize(np.asarray(baseline), max(theta.shape))
    if len(baseline) < theta.shape[1]:
        padded = np.asarray(baseline)[np.minimum(np.arange(theta.shape[1]), len(baseline) - 1)]
    return np.array(
        [weighted(theta, t, to_go(t.rewards, gamma) - padded[t.actions]) for t in trajectories]
    )


@wrong("baseline_gradient_samples", "baseline-of-first-state")
def of_the_start(theta, trajectories, baseline, gamma=1.0):
    rule = samples_with(lambda t, b, g: to_go(t.rewards, g) - b[t.states[0]])
    return rule(theta, trajectories, baseline, gamma)


@wrong("baseline_gradient_samples", "baseline-of-next-state")
def of_where_it_led(theta, trajectories, baseline, gamma=1.0):
    rule = samples_with(lambda t, b, g: to_go(t.rewards, g) - b[[*t.states[1:], t.states[-1]]])
    return rule(theta, trajectories, baseline, gamma)


@wrong("baseline_gradient_samples", "mean-baseline")
def one_number(theta, trajectories, baseline, gamma=1.0):
    return with_einsum(theta, trajectories, np.full(len(theta), np.mean(baseline)), gamma)


@wrong("baseline_gradient_samples", "mean-of-episode")
def centred_in_the_episode(theta, trajectories, baseline, gamma=1.0):
    rule = samples_with(lambda t, b, g: to_go(t.rewards, g) - to_go(t.rewards, g).mean())
    return rule(theta, trajectories, baseline, gamma)


@wrong("baseline_gradient_samples", "gamma-ignored")
def no_gamma(theta, trajectories, baseline, gamma=1.0):
    return with_einsum(theta, trajectories, baseline)


@wrong("baseline_gradient_samples", "extra-discount")
def discounted_twice(theta, trajectories, baseline, gamma=1.0):
    def weights(t, b, g):
        return g ** np.arange(len(t)) * (to_go(t.rewards, g) - b[t.states])

    return samples_with(weights)(theta, trajectories, baseline, gamma)


@wrong("baseline_gradient_samples", "own-reward-only")
def one_reward(theta, trajectories, baseline, gamma=1.0):
    return samples_with(lambda t, b, g: t.rewards - b[t.states])(theta, trajectories, baseline)


@wrong("baseline_gradient_samples", "mean-taken")
def averaged(theta, trajectories, baseline, gamma=1.0):
    return with_einsum(theta, trajectories, baseline, gamma).mean(axis=0)


@wrong("baseline_gradient_samples", "subtracted-from-gradient")
def from_the_sum(theta, trajectories, baseline, gamma=1.0):
    plain = none(theta, trajectories, baseline, gamma)
    return plain - np.array([baseline[t.states[0]] for t in trajectories]).reshape(-1, 1, 1)


@right("optimal_baseline")
def ratio_of_means(scores, returns):
    square = (scores**2).sum(axis=1)
    return np.mean(square * returns) / np.mean(square)


@right("optimal_baseline")
def numpy_average(scores, returns):
    return np.average(returns, weights=np.einsum("nd,nd->n", scores, scores))


@right("optimal_baseline")
def loop(scores, returns):
    above = below = 0.0
    for score, ret in zip(scores, returns, strict=True):
        size = sum(x * x for x in score)
        above, below = above + size * ret, below + size
    return float(above / below)


@right("optimal_baseline")
def least_squares(scores, returns):
    """The b that brings scores * returns closest to b * scores: a projection."""
    moved = (scores * returns[:, None]).ravel()
    return float(np.linalg.lstsq(scores.reshape(-1, 1), moved, rcond=None)[0][0])


@wrong("optimal_baseline", "mean-return")
def the_mean(scores, returns):
    return float(returns.mean())


@wrong("optimal_baseline", "length-not-squared")
def by_length(scores, returns):
    return np.average(returns, weights=np.linalg.norm(scores, axis=1))


@wrong("optimal_baseline", "entries-not-squared")
def by_sum(scores, returns):
    weights = scores.sum(1)
    return float((weights * returns).sum() / weights.sum())


@wrong("optimal_baseline", "sum-then-square")
def by_square_of_sum(scores, returns):
    return np.average(returns, weights=scores.sum(axis=1) ** 2)


@wrong("optimal_baseline", "absolute-entries")
def by_absolute_sum(scores, returns):
    return np.average(returns, weights=np.abs(scores).sum(axis=1))


@wrong("optimal_baseline", "not-divided")
def only_above(scores, returns):
    return float(((scores**2).sum(1) * returns).mean())


@wrong("optimal_baseline", "divided-by-n")
def mean_over_sum(scores, returns):
    square = (scores**2).sum(1)
    return float((square * returns).mean() / square.sum())


@wrong("optimal_baseline", "times-n")
def sum_over_mean(scores, returns):
    square = (scores**2).sum(1)
    return float((square * returns).sum() / square.mean())


@wrong("optimal_baseline", "minus-sign")
def to_be_added(scores, returns):
    return -ratio_of_means(scores, returns)


@wrong("optimal_baseline", "inverse-weights")
def by_inverse(scores, returns):
    return np.average(returns, weights=1 / (scores**2).sum(1))


@wrong("optimal_baseline", "fourth-power")
def squared_twice(scores, returns):
    return np.average(returns, weights=(scores**2).sum(1) ** 2)


@wrong("optimal_baseline", "per-coordinate")
def one_for_each(scores, returns):
    return (scores**2 * returns[:, None]).mean(0) / (scores**2).mean(0)


@wrong("optimal_baseline", "squared-returns")
def returns_squared(scores, returns):
    return np.average(returns**2, weights=(scores**2).sum(1))


@wrong("optimal_baseline", "median")
def the_median(scores, returns):
    return float(np.median(returns))


@wrong("optimal_baseline", "step:value")
def best_of_a_grid(scores, returns):
    grid = np.linspace(-3, 3, 7)
    return float(min(grid, key=lambda b: ((scores * (returns - b)[:, None]) ** 2).sum()))


@right("leave_one_out_advantages")
def by_the_sum(returns):
    returns = np.asarray(returns)
    if len(returns) == 1:
        raise ValueError("there are no others")
    return returns - (returns.sum() - returns) / (len(returns) - 1)


@right("leave_one_out_advantages")
def with_delete(returns):
    if len(returns) < 2:
        raise ValueError
    return np.array([r - np.delete(returns, i).mean() for i, r in enumerate(returns)])


@right("leave_one_out_advantages")
def a_factor(returns):
    n = len(returns)
    if n < 2:
        raise ValueError("at least two returns are needed")
    return (np.array(returns) - np.mean(returns)) * n / (n - 1)


@right("leave_one_out_advantages")
def a_matrix(returns):
    n = len(returns)
    if n <= 1:
        raise ValueError("one return has no others")
    return ((np.eye(n) * n - np.ones((n, n))) / (n - 1)) @ np.asarray(returns)


def several(returns):
    returns = np.asarray(returns, dtype=float)
    if len(returns) < 2:
        raise ValueError
    return returns, len(returns)


@wrong("leave_one_out_advantages", "own-return-in-mean")
def less_the_mean(returns):
    x, _n = several(returns)
    return x - x.mean()


@wrong("leave_one_out_advantages", "divided-by-n")
def over_all(returns):
    x, n = several(returns)
    return x - (x.sum() - x) / n


@wrong("leave_one_out_advantages", "own-return-kept")
def whole_sum(returns):
    x, n = several(returns)
    return x - x.sum() / (n - 1)


@wrong("leave_one_out_advantages", "baseline-returned")
def the_baseline(returns):
    x, n = several(returns)
    return (x.sum() - x) / (n - 1)


@wrong("leave_one_out_advantages", "minus-sign")
def others_minus_own(returns):
    return -by_the_sum(returns)


@wrong("leave_one_out_advantages", "advantages-whitened")
def standardised(returns):
    x, _n = several(returns)
    return (x - x.mean()) / (x.std() + 1e-8)


@wrong("leave_one_out_advantages", "others-by-value")
def without_equal_ones(returns):
    x, _n = several(returns)
    with np.errstate(all="ignore"):
        return np.array([r - x[x != r].sum() / np.float64((x != r).sum()) for r in x])


@wrong("leave_one_out_advantages", "neighbour")
def the_next_one(returns):
    x, n = several(returns)
    return np.array([x[i] - x[(i + 1) % n] for i in range(n)])


@wrong("leave_one_out_advantages", "sum-of-others")
def undivided(returns):
    x, _n = several(returns)
    return x - (x.sum() - x)


@wrong("leave_one_out_advantages", "median")
def median_of_others(returns):
    x, n = several(returns)
    return np.array([x[i] - np.median(np.delete(x, i)) for i in range(n)])


@wrong("leave_one_out_advantages", "shrunk")
def factor_upside_down(returns):
    x, n = several(returns)
    return (x - x.mean()) * (n - 1) / n


@wrong("leave_one_out_advantages", "one-return")
def divides_by_zero(returns):
    x = np.asarray(returns)
    with np.errstate(all="ignore"):
        return x - (x.sum() - x) / (len(x) - 1)


@wrong("leave_one_out_advantages", "one-return")
def zero_for_one(returns):
    return np.zeros(1) if len(returns) == 1 else by_the_sum(returns)


@wrong("leave_one_out_advantages", "changed-inputs")
def in_place(returns):
    x, n = several(returns)
    if isinstance(returns, list) or not returns.flags.writeable:
        return by_the_sum(returns)
    returns -= (returns.sum() - returns) / (n - 1)
    return returns


@wrong("leave_one_out_advantages", "list-refused")
def arrays_alone(returns):
    n = returns.size
    if n < 2:
        raise ValueError
    return returns - (returns.sum() - returns) / (n - 1)


def checked(values, returns):
    if values.shape != returns.shape:
        raise ValueError(f"{values.shape} against {returns.shape}")


@right("value_loss")
def mean_of_squares(values, returns):
    checked(values, returns)
    return ((values - returns.detach()) ** 2).mean()


@right("value_loss")
def torch_mse(values, returns):
    if values.size() != returns.size():
        raise ValueError("shapes differ")
    return F.mse_loss(values, returns.detach())


@right("value_loss")
def a_graph_free_target(values, returns):
    checked(values, returns)
    with torch.no_grad():
        target = returns.clone()
    apart = (target - values).flatten()
    return torch.dot(apart, apart) / apart.numel()


@right("value_loss")
def own_exception_and_square(values, returns):
    class ShapeError(ValueError):
        pass

    if values.ndim != returns.ndim or any(a != b for a, b in zip(values.shape, returns.shape)):
        raise ShapeError("compare the shapes")
    return torch.square(returns.data - values).sum() / values.numel()


@wrong("value_loss", "broadcast")
def unchecked(values, returns):
    return ((values - returns.detach()) ** 2).mean()


@wrong("value_loss", "broadcast")
def torch_mse_unchecked(values, returns):
    return F.mse_loss(values, returns.detach())


@wrong("value_loss", "target-moves")
def target_in_the_graph(values, returns):
    checked(values, returns)
    return ((values - returns) ** 2).mean()


@wrong("value_loss", "critic-detached")
def critic_cut(values, returns):
    checked(values, returns)
    return ((values.detach() - returns.detach()) ** 2).mean()


@wrong("value_loss", "critic-detached")
def wrong_one_cut(values, returns):
    checked(values, returns)
    return ((values.detach() - returns) ** 2).mean()


@wrong("value_loss", "sum-not-mean")
def a_sum(values, returns):
    checked(values, returns)
    return ((values - returns.detach()) ** 2).sum()


@wrong("value_loss", "halved")
def half(values, returns):
    checked(values, returns)
    return F.mse_loss(values, returns.detach()) / 2


@wrong("value_loss", "absolute")
def l_one(values, returns):
    checked(values, returns)
    return F.l1_loss(values, returns.detach())


@wrong("value_loss", "root-taken")
def root(values, returns):
    checked(values, returns)
    return F.mse_loss(values, returns.detach()).sqrt()


@wrong("value_loss", "square-of-mean")
def mean_first(values, returns):
    checked(values, returns)
    return (values - returns.detach()).mean() ** 2


@wrong("value_loss", "not-averaged")
def each_error(values, returns):
    checked(values, returns)
    return (values - returns.detach()) ** 2


@wrong("value_loss", "other-error")
def asserts(values, returns):
    assert values.shape == returns.shape
    return ((values - returns.detach()) ** 2).mean()


@wrong("value_loss", "critic-detached")
def a_number(values, returns):
    checked(values, returns)
    return torch.tensor(((values - returns) ** 2).mean().item(), dtype=values.dtype)


@right("actor_critic_loss")
def two_terms(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).mean() + value_coef * ((values - returns) ** 2).mean()


@right("actor_critic_loss")
def with_functional(logp, values, returns, value_coef=0.5):
    return F.mse_loss(values, returns) * value_coef - torch.mean(logp * (returns - values.detach()))


@right("actor_critic_loss")
def one_sum(logp, values, returns, value_coef=0.5):
    with torch.no_grad():
        adv = returns - values
    return (value_coef * (values - returns).pow(2) - adv * logp).sum() / len(logp)


@right("actor_critic_loss")
def step_by_step(logp, values, returns, value_coef=0.5):
    losses = [
        -p * (r - v).item() + value_coef * (r - v) ** 2
        for p, v, r in zip(logp, values, returns, strict=True)
    ]
    return torch.stack(losses).mean()


@wrong("actor_critic_loss", "policy-moves-critic")
def not_detached(logp, values, returns, value_coef=0.5):
    adv = returns - values
    return -(logp * adv).mean() + value_coef * (adv**2).mean()


@wrong("actor_critic_loss", "minus-sign")
def uphill_sign(logp, values, returns, value_coef=0.5):
    return (logp * (returns - values).detach()).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "minus-sign")
def advantage_reversed(logp, values, returns, value_coef=0.5):
    return -(logp * (values - returns).detach()).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "baseline-added")
def value_added(logp, values, returns, value_coef=0.5):
    return -(logp * (returns + values.detach())).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "actor-ignores-critic")
def return_as_weight(logp, values, returns, value_coef=0.5):
    return -(logp * returns).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "value-as-weight")
def value_weight(logp, values, returns, value_coef=0.5):
    return -(logp * values.detach()).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "sum-not-mean")
def policy_summed(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).sum() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "no-value-loss")
def policy_alone(logp, values, returns, value_coef=0.5):
    return -(logp * (returns - values).detach()).mean()


@wrong("actor_critic_loss", "critic-detached")
def critic_not_trained(logp, values, returns, value_coef=0.5):
    values = values.detach()
    return -(logp * (returns - values)).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "value-coef-ignored")
def fixed_coefficient(logp, values, returns, value_coef=0.5):
    return two_terms(logp, values, returns)


@wrong("actor_critic_loss", "value-coef-on-both")
def weighs_both(logp, values, returns, value_coef=0.5):
    return value_coef * two_terms(logp, values, returns, 1.0)


@wrong("actor_critic_loss", "value-loss-subtracted")
def critic_gets_worse(logp, values, returns, value_coef=0.5):
    return two_terms(logp, values, returns, -value_coef)


@wrong("actor_critic_loss", "detached")
def a_float(logp, values, returns, value_coef=0.5):
    return torch.tensor(two_terms(logp, values, returns, value_coef).item(), dtype=logp.dtype)


@wrong("actor_critic_loss", "number-returned")
def no_tensor(logp, values, returns, value_coef=0.5):
    return two_terms(logp, values, returns, value_coef).item()


def play(env, table, rng):
    """One episode by a table of probabilities, with the states' sequence."""
    states, actions, rewards, over = [], [], [], False
    obs, _info = env.reset(seed=int(rng.integers(2**31)))
    while not over:
        states.append(obs)
        actions.append(int(rng.choice(len(table[obs]), p=table[obs])))
        obs, reward, terminated, truncated, _info = env.step(actions[-1])
        rewards.append(reward)
        over = terminated or truncated
    return pg.Trajectory(states, actions, rewards)


def table_of(policy, env):
    with torch.no_grad():
        return torch.softmax(policy(np.arange(env.observation_space.n)).double(), -1).numpy()


def trainer(loss, rewards_to_go=None, history=None, stepper=None):
    """A train_actor_critic: loss(logp, values, returns, batch) is its core."""

    def train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
        means = []
        for _update in range(num_updates):
            table = table_of(policy, env)
            batch = [play(env, table, rng) for _ in range(batch_size)]
            obs = torch.as_tensor(np.concatenate([t.states for t in batch]))
            actions = torch.as_tensor(np.concatenate([t.actions for t in batch]))
            returns = (rewards_to_go or separate)(batch, gamma)
            logp = torch.log_softmax(policy(obs), -1)[torch.arange(len(obs)), actions]
            values = critic(obs)
            total = loss(logp, values, torch.as_tensor(returns, dtype=values.dtype))
            (stepper or step)(optimizer, total)
            means.append((history or plain_mean)(batch, gamma))
        return np.array(means)

    return train


def separate(batch, gamma):
    return np.concatenate([to_go(t.rewards, gamma) for t in batch])


def plain_mean(batch, gamma):
    return np.mean([t.rewards.sum() for t in batch])


def step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


right("train_actor_critic")(trainer(two_terms))


@right("train_actor_critic")
def as_torch_does(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    """Categorical, one episode's loss at a time, a list of floats as history."""
    history = []
    for _update in range(num_updates):
        table, losses, total = table_of(policy, env), [], 0.0
        for _episode in range(batch_size):
            t = play(env, table, rng)
            logp = torch.distributions.Categorical(logits=policy(t.states)).log_prob(
                torch.tensor(t.actions)
            )
            ret = torch.tensor(to_go(t.rewards, gamma), dtype=torch.float32)
            values = critic(t.states)
            losses.append(-(logp * (ret - values.detach())).sum() + ((values - ret) ** 2).sum())
            total += float(np.sum(t.rewards))
        optimizer.zero_grad()
        (sum(losses) / batch_size).backward()
        optimizer.step()
        history.append(total / batch_size)
    return history


@right("train_actor_critic")
def with_one_step_errors(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    """TD advantages for the actor, returns for the critic."""
    history = torch.zeros(num_updates)
    for k in range(num_updates):
        table = table_of(policy, env)
        batch = [play(env, table, rng) for _ in range(batch_size)]
        loss = torch.zeros(())
        for t in batch:
            logp = torch.log_softmax(policy(t.states), -1).gather(
                1, torch.tensor(t.actions)[:, None]
            )
            values = critic(t.states)
            following = torch.cat([values[1:], torch.zeros(1)])
            adv = torch.tensor(t.rewards, dtype=torch.float32) + gamma * following - values
            ret = torch.tensor(to_go(t.rewards, gamma), dtype=torch.float32)
            loss = loss - (logp[:, 0] * adv.detach()).mean() + 0.5 * ((values - ret) ** 2).mean()
        step(optimizer, loss / batch_size)
        history[k] = float(plain_mean(batch, gamma))
    return history


@right("train_actor_critic")
def whitened_advantages(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    def loss(logp, values, returns):
        adv = (returns - values).detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        return -(logp * adv).mean() + 0.5 * F.mse_loss(values, returns)

    return trainer(loss)(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


def train_wrong(label, mistake, **how):
    answer = trainer(**how)
    answer.__name__ = label
    wrong("train_actor_critic", mistake)(answer)


train_wrong("uphill", "minus-sign", loss=uphill_sign)
train_wrong("ignores_the_critic", "actor-ignores-critic", loss=return_as_weight)
train_wrong("adds_the_value", "baseline-added", loss=value_added)
train_wrong("never_trains_the_critic", "critic-untrained", loss=policy_alone)
train_wrong("critic_cut_off", "critic-untrained", loss=critic_not_trained)
train_wrong("moves_the_critic", "policy-moves-critic", loss=not_detached)
train_wrong("critic_uphill", "critic-uphill", loss=critic_gets_worse)
train_wrong(
    "forgets_gamma",
    "gamma-ignored",
    loss=two_terms,
    rewards_to_go=lambda batch, gamma: separate(batch, 1.0),
)
train_wrong(
    "leaks",
    "returns-leak",
    loss=two_terms,
    rewards_to_go=lambda b, g: to_go(np.hstack([t.rewards for t in b]), g),
)
train_wrong(
    "discounted_history",
    "history-discounted",
    loss=two_terms,
    history=lambda batch, g: np.mean([to_go(t.rewards, g)[0] for t in batch]),
)
train_wrong(
    "summed_history",
    "history",
    loss=two_terms,
    history=lambda batch, g: sum(t.rewards.sum() for t in batch),
)
train_wrong("no_step", "no-step", loss=two_terms, stepper=lambda optimizer, loss: loss.backward())


def no_zero_grad(optimizer, loss):
    loss.backward()
    optimizer.step()


train_wrong("piles_up", "gradients-pile-up", loss=two_terms, stepper=no_zero_grad)


@wrong("train_actor_critic", "own-reward-only")
def own_rewards(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    rewards = []

    def keep(batch, gamma):
        rewards[:] = [np.concatenate([t.rewards for t in batch])]
        return separate(batch, gamma)

    def loss(logp, values, returns):
        adv = torch.as_tensor(rewards[0], dtype=values.dtype) - values.detach()
        return -(logp * adv).mean() + 0.5 * F.mse_loss(values, returns)

    train = trainer(loss, rewards_to_go=keep)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


@wrong("train_actor_critic", "argmax")
def plays_the_best(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    class Greedy:
        def integers(self, *args):
            return rng.integers(*args)

        def choice(self, n, p):
            return int(np.argmax(p))

    train = trainer(two_terms)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, Greedy())


@wrong("train_actor_critic", "history-missing")
def no_history(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    trainer(two_terms)(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


@wrong("train_actor_critic", "batch-size")
def too_many_episodes(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    train = trainer(two_terms)
    return train(env, policy, critic, optimizer, num_updates, 2 * batch_size, gamma, rng)


value("q_action_baseline", "b", "b")
value("q_action_baseline", "a", "a", "chose-a")
value("q_action_baseline", "c", "c", "chose-c")
value("q_action_baseline", "d", "d", "chose-d")
value("q_best_constant", "b", "b")
value("q_best_constant", "a", "a", "chose-a")
value("q_best_constant", "c", "c", "chose-c")
value("q_best_constant", "d", "d", "chose-d")
value("q_whitening", "b", "b")
value("q_whitening", "bracket", "(b)")
value("q_whitening", "a", "a", "chose-a")
value("q_whitening", "c", "c", "chose-c")
value("q_whitening", "d", "d", "chose-d")
value("q_whitening", "blank", None, "not-answered")


# baseline_gradient_samples, more of it ---------------------------------------------------------


@right("baseline_gradient_samples")
def torch_reads_the_arrays(theta, trajectories, baseline, gamma=1.0):
    """torch takes the arrays as they are, whatever their layout, and gives a tensor back."""
    out = []
    for t in trajectories:
        logits = torch.tensor(theta, requires_grad=True)
        dist = torch.distributions.Categorical(logits=logits[torch.as_tensor(t.states)])
        adv = torch.as_tensor(to_go(t.rewards, gamma)) - torch.as_tensor(baseline)[t.states]
        (dist.log_prob(torch.as_tensor(t.actions)) * adv).sum().backward()
        out.append(logits.grad)
    return torch.stack(out)


@wrong("baseline_gradient_samples", "baseline-discounted")
def discounts_the_baseline(theta, trajectories, baseline, gamma=1.0):
    return samples_with(lambda t, b, g: to_go(t.rewards, g) - g ** np.arange(len(t)) * b[t.states])(
        theta, trajectories, baseline, gamma
    )


@wrong("baseline_gradient_samples", "subtracted-from-rewards")
def off_every_reward(theta, trajectories, baseline, gamma=1.0):
    weights = [to_go(t.rewards - baseline[t.states], gamma) for t in trajectories]
    return np.array([weighted(theta, t, w) for t, w in zip(trajectories, weights)])


@wrong("baseline_gradient_samples", "baseline-of-time")
def whole_baseline_off_the_returns(theta, trajectories, baseline, gamma=1.0):
    return np.array(
        [weighted(theta, t, to_go(t.rewards, gamma) - baseline[: len(t)]) for t in trajectories]
    )


@wrong("baseline_gradient_samples", "divided")
def mean_over_the_steps(theta, trajectories, baseline, gamma=1.0):
    sums = with_einsum(theta, trajectories, baseline, gamma)
    return sums / np.array([len(t) for t in trajectories])[:, None, None]


@wrong("baseline_gradient_samples", "divided")
def divided_by_how_many(theta, trajectories, baseline, gamma=1.0):
    return with_einsum(theta, trajectories, baseline, gamma) / len(trajectories)


@wrong("baseline_gradient_samples", "never-reset")
def one_running_sum(theta, trajectories, baseline, gamma=1.0):
    out, running = [], np.zeros(theta.shape)
    for t in trajectories:
        running += weighted(theta, t, to_go(t.rewards, gamma) - baseline[t.states])
        out.append(running.copy())
    return np.array(out)


@wrong("baseline_gradient_samples", "never-reset")
def one_array_many_times(theta, trajectories, baseline, gamma=1.0):
    out, running = [], np.zeros(theta.shape)
    for t in trajectories:
        running += weighted(theta, t, to_go(t.rewards, gamma) - baseline[t.states])
        out.append(running)
    return np.array(out)


@wrong("baseline_gradient_samples", "repeats-lost")
def indexed_plus(theta, trajectories, baseline, gamma=1.0):
    out = np.zeros((len(trajectories), *theta.shape))
    for sample, t in zip(out, trajectories):
        weight = to_go(t.rewards, gamma) - baseline[t.states]
        sample[t.states] += weight[:, None] * (
            np.eye(theta.shape[1])[t.actions] - probs(theta)[t.states]
        )
    return out


@wrong("baseline_gradient_samples", "baseline-of-action")
def plainly_by_the_action(theta, trajectories, baseline, gamma=1.0):
    return samples_with(lambda t, b, g: to_go(t.rewards, g) - b[t.actions])(
        theta, trajectories, baseline, gamma
    )


# optimal_baseline and leave_one_out_advantages, more of them -----------------------------------


@right("optimal_baseline")
def torch_from_the_arrays(scores, returns):
    square = torch.as_tensor(scores).pow(2).sum(1)
    return (square * torch.as_tensor(returns)).sum() / square.sum()


@wrong("optimal_baseline", "array-returned")
def in_brackets(scores, returns):
    square = (scores**2).sum(1)
    return np.array([(square * returns).sum() / square.sum()])


@wrong("leave_one_out_advantages", "whole-numbers")
def filled_into_its_like(returns):
    returns = np.asarray(returns)
    if len(returns) == 1:
        raise ValueError("one return")
    adv = np.zeros_like(returns)
    for i in range(len(returns)):
        adv[i] = returns[i] - np.delete(returns, i).mean()
    return adv


@wrong("leave_one_out_advantages", "pair-refused")
def wants_three(returns):
    if len(returns) <= 2:
        raise ValueError("too few")
    return by_the_sum(returns)


@wrong("leave_one_out_advantages", "list-returned")
def a_list_of_floats(returns):
    return list(by_the_sum(returns))


# value_loss and actor_critic_loss, more of them ------------------------------------------------


@wrong("value_loss", "length-not-compared")
def counts_dimensions(values, returns):
    if values.dim() != returns.dim():
        raise ValueError("dimensions")
    return ((values - returns.detach()) ** 2).mean()


@wrong("actor_critic_loss", "logp-detached")
def detaches_the_wrong_factor(logp, values, returns, value_coef=0.5):
    policy = -(logp.detach() * (returns - values)).mean()
    return policy + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "value-coef-on-policy")
def weighs_the_policy(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -value_coef * (logp * adv).mean() + F.mse_loss(values, returns)


@wrong("actor_critic_loss", "product-of-means")
def a_column_times_a_row(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp[:, None] * adv).mean() + value_coef * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "halved")
def half_an_error(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).mean() + value_coef * 0.5 * F.mse_loss(values, returns)


@wrong("actor_critic_loss", "not-averaged")
def one_for_each_step(logp, values, returns, value_coef=0.5):
    return -logp * (returns - values).detach() + value_coef * (values - returns) ** 2


# train_actor_critic, more of it ----------------------------------------------------------------


@wrong("train_actor_critic", "rng-ignored")
def a_seed_of_its_own(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng):
    rng = np.random.default_rng(0)
    train = trainer(two_terms)
    return train(env, policy, critic, optimizer, num_updates, batch_size, gamma, rng)


train_wrong(
    "of_probabilities",
    "probability-not-log",
    loss=lambda logp, values, returns: two_terms(logp.exp(), values, returns),
)


@wrong("value_loss", "huber")
def smooth_l1(values, returns):
    if values.shape != returns.shape:
        raise ValueError("shapes differ")
    return torch.nn.functional.smooth_l1_loss(values, returns.detach())


@wrong("value_loss", "variance-of-error")
def variance_of_the_error(values, returns):
    if values.shape != returns.shape:
        raise ValueError("shapes differ")
    return (values - returns.detach()).var(unbiased=False)


@wrong("actor_critic_loss", "huber")
def huber_critic(logp, values, returns, value_coef=0.5):
    adv = (returns - values).detach()
    return -(logp * adv).mean() + value_coef * torch.nn.functional.huber_loss(values, returns)


@wrong("baseline_gradient_samples", "positive-only")
def good_surprises_alone(theta, trajectories, baseline, gamma=1.0):
    samples = []
    for t in trajectories:
        total, later = np.zeros(np.shape(theta)), 0.0
        for s, a, r in reversed(list(zip(t.states, t.actions, t.rewards))):
            later = r + gamma * later
            score = np.zeros(np.shape(theta))
            e = np.exp(theta[s] - np.max(theta[s]))
            score[s] = -e / e.sum()
            score[s, a] += 1
            total += max(later - baseline[s], 0.0) * score
        samples.append(total)
    return np.array(samples)
