"""Answers for training."""

import numpy as np
import torch

import policy_gradients as pg
from bank import right, value, wrong
from bank.lesson_01.gradients import counted, to_go
from bank.lesson_01.loss import likelihood, n_by_n, sum_then_mean
from bank.lesson_01.policy import power_sum
from bank.lesson_01.rollout import choice, drawing, episode


def play(env, policy, rng, batch_size):
    theta = policy.theta.detach().numpy().astype(float)
    return [choice(env, theta, rng) for _ in range(batch_size)]


def padded_logp(policy, batch, mask=True):
    longest = max(len(t) for t in batch)
    states, actions, real = (np.zeros((len(batch), longest), int) for _ in range(3))
    for i, t in enumerate(batch):
        states[i, : len(t)], actions[i, : len(t)], real[i, : len(t)] = t.states, t.actions, 1
    logp = torch.log_softmax(policy(states), -1)
    logp = logp.gather(-1, torch.as_tensor(actions)[..., None]).squeeze(-1)
    return logp * torch.as_tensor(real) if mask else logp


def returns_of(batch):
    return torch.tensor([float(t.rewards.sum()) for t in batch], dtype=torch.float32)


def step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@right("train_reinforce")
def padded(env, policy, optimizer, num_updates, batch_size, rng):
    history = np.zeros(num_updates)
    for update in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        returns = returns_of(batch)
        step(optimizer, sum_then_mean(padded_logp(policy, batch), returns))
        history[update] = returns.mean()
    return history


@right("train_reinforce")
def flattened(env, policy, optimizer, num_updates, batch_size, rng):
    """All steps of the batch in one row, each with its trajectory's return."""
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        states = np.concatenate([t.states for t in batch])
        actions = torch.tensor(np.concatenate([t.actions for t in batch]))
        weights = torch.cat([torch.full((len(t),), float(t.rewards.sum())) for t in batch])
        logp = torch.distributions.Categorical(logits=policy(states)).log_prob(actions)
        step(optimizer, -(weights * logp).sum() / batch_size)
        history.append(np.mean([t.rewards.sum() for t in batch]))
    return history


@right("train_reinforce")
def one_backward_each(env, policy, optimizer, num_updates, batch_size, rng):
    """Gradients are meant to pile up inside a batch, and only there."""
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        policy.zero_grad()
        for t in batch:
            logp = torch.log_softmax(policy(t.states), -1)
            logp = logp[torch.arange(len(t)), torch.as_tensor(t.actions)]
            (-float(t.rewards.sum()) * logp.sum() / batch_size).backward()
        optimizer.step()
        history.append(float(returns_of(batch).mean()))
    return np.array(history)


@right("train_reinforce")
def gradient_by_hand(env, policy, optimizer, num_updates, batch_size, rng):
    history = torch.zeros(num_updates)
    for update in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        theta = policy.theta.detach().numpy().astype(float)
        policy.theta.grad = torch.tensor(-counted(theta, batch), dtype=policy.theta.dtype)
        optimizer.step()
        history[update] = returns_of(batch).mean()
    return history


@right("train_reinforce")
def with_reward_to_go(env, policy, optimizer, num_updates, batch_size, rng):
    """More than was asked, and it learns."""
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)
        loss = 0.0
        for t in batch:
            logp = torch.log_softmax(policy(t.states), -1)[np.arange(len(t)), t.actions]
            loss = loss - (torch.as_tensor(to_go(t.rewards, 1.0)) * logp).mean()
        step(optimizer, loss)
        history.append(returns_of(batch).mean().item())
    return history


@right("train_reinforce")
def with_a_closure(env, policy, optimizer, num_updates, batch_size, rng):
    history = []
    for _ in range(num_updates):
        batch = play(env, policy, rng, batch_size)

        def closure(batch=batch):
            optimizer.zero_grad()
            loss = sum_then_mean(padded_logp(policy, batch), returns_of(batch))
            loss.backward()
            return loss

        optimizer.step(closure)
        history.append(float(np.mean([t.rewards.sum() for t in batch])))
    return tuple(history)


def training(update, collect=play, record=lambda returns, loss: returns.mean().item()):
    """A training loop with changeable parts: update(policy, optimizer, batch, returns) -> loss."""

    def train(env, policy, optimizer, num_updates, batch_size, rng):
        history = []
        for _ in range(num_updates):
            batch = collect(env, policy, rng, batch_size)
            returns = returns_of(batch)
            loss = update(policy, optimizer, batch, returns)
            history.append(record(returns, loss))
        return np.array(history)

    return train


def stepping(loss_of):
    def update(policy, optimizer, batch, returns):
        loss = loss_of(policy, batch, returns)
        step(optimizer, loss)
        return loss.item()

    return update


def right_loss(policy, batch, returns):
    return sum_then_mean(padded_logp(policy, batch), returns)


def broken(label, mistake, train):
    value("train_reinforce", label, train, mistake)


def playing_with(pick):
    def collect(env, policy, rng, batch_size):
        theta = policy.theta.detach().numpy().astype(float)
        return [pg.Trajectory(*episode(env, theta, pick(rng))[:3]) for _ in range(batch_size)]

    return collect


broken("uphill", "minus-sign", training(stepping(lambda *x: -right_loss(*x))))


broken(
    "probabilities",
    "probability-not-log",
    training(
        stepping(
            lambda p, b, r: (
                -(
                    r * ((padded_logp(p, b, mask=False).exp() * (padded_logp(p, b) != 0)).sum(1))
                ).mean()
            )
        )
    ),
)


broken(
    "padding",
    "padding-counted",
    training(stepping(lambda p, b, r: sum_then_mean(padded_logp(p, b, mask=False), r))),
)


broken(
    "last_only",
    "last-trajectory-only",
    training(stepping(lambda p, b, r: sum_then_mean(padded_logp(p, b[-1:]), r[-1:]))),
)


broken("n_by_n", "broadcast", training(stepping(lambda p, b, r: n_by_n(padded_logp(p, b), r))))


broken(
    "likelihood",
    "unweighted",
    training(stepping(lambda p, b, r: likelihood(padded_logp(p, b), r))),
)


def own_rewards(policy, batch, returns):
    logp = padded_logp(policy, batch)
    rewards = np.zeros(tuple(logp.shape), np.float32)
    for i, t in enumerate(batch):
        rewards[i, : len(t)] = t.rewards
    return -(torch.tensor(rewards) * logp).sum(1).mean()


broken("own_rewards", "own-reward-only", training(stepping(own_rewards)))


broken("argmax", "argmax", training(stepping(right_loss), playing_with(lambda rng: np.argmax)))


broken(
    "uniform",
    "policy-ignored",
    training(stepping(right_loss), playing_with(lambda rng: lambda row: rng.integers(len(row)))),
)


broken(
    "torch_draws",
    "foreign-chance",
    training(
        stepping(right_loss),
        playing_with(
            lambda rng: lambda row: torch.multinomial(torch.softmax(torch.tensor(row), -1), 1)
        ),
    ),
)


def without_zero_grad(policy, optimizer, batch, returns):
    right_loss(policy, batch, returns).backward()
    optimizer.step()
    return 0.0


def zero_grad_too_late(policy, optimizer, batch, returns):
    right_loss(policy, batch, returns).backward()
    optimizer.zero_grad()
    optimizer.step()
    return 0.0


def never_a_step(policy, optimizer, batch, returns):
    optimizer.zero_grad()
    right_loss(policy, batch, returns).backward()
    return 0.0


def many_steps(policy, optimizer, batch, returns):
    for one, ret in zip(batch, returns, strict=True):
        step(optimizer, right_loss(policy, [one], ret[None]))
    return 0.0


broken("piling_up", "gradients-pile-up", training(without_zero_grad))


broken("erased", "no-gradient", training(zero_grad_too_late))


broken("no_step", "no-step", training(never_a_step))


broken("step_each", "step-per-episode", training(many_steps))


broken(
    "losses_returned",
    "history",
    training(stepping(right_loss), record=lambda returns, loss: loss),
)


broken(
    "sums_returned",
    "history",
    training(stepping(right_loss), record=lambda returns, loss: returns.sum().item()),
)


broken(
    "all_returns",
    "history-shape",
    training(stepping(right_loss), record=lambda returns, loss: returns.numpy()),
)


@wrong("train_reinforce", "history-missing")
def no_history(env, policy, optimizer, num_updates, batch_size, rng):
    padded(env, policy, optimizer, num_updates, batch_size, rng)


@wrong("train_reinforce", "batch-reused")
def one_batch_for_ever(env, policy, optimizer, num_updates, batch_size, rng):
    batch, history = play(env, policy, rng, batch_size), []
    for _ in range(num_updates):
        step(optimizer, right_loss(policy, batch, returns_of(batch)))
        history.append(returns_of(batch).mean().item())
    return history


@wrong("train_reinforce", "batch-size")
def one_episode_each(env, policy, optimizer, num_updates, batch_size, rng):
    return padded(env, policy, optimizer, num_updates, 1, rng)


broken(
    "uphill_to_go",
    "minus-sign",
    training(
        stepping(
            lambda p, b, r: sum(
                (torch.as_tensor(to_go(t.rewards, 1.0)) * row[: len(t)]).sum()
                for t, row in zip(b, padded_logp(p, b), strict=True)
            )
        )
    ),
)


@wrong("train_reinforce", "stale-policy")
def table_read_once(env, policy, optimizer, num_updates, batch_size, rng):
    theta = policy.theta.detach().numpy().astype(float).copy()
    history = []
    for _ in range(num_updates):
        batch = [choice(env, theta, rng) for _ in range(batch_size)]
        step(optimizer, right_loss(policy, batch, returns_of(batch)))
        history.append(returns_of(batch).mean().item())
    return history


@wrong("train_reinforce", "same-seed")
def one_seed_for_all(env, policy, optimizer, num_updates, batch_size, rng):
    def collect(env, policy, rng, batch_size):
        theta = policy.theta.detach().numpy().astype(float)
        return [
            pg.Trajectory(*episode(env, theta, drawing(rng), seed=1)[:3]) for _ in range(batch_size)
        ]

    train = training(stepping(right_loss), collect)
    return train(env, policy, optimizer, num_updates, batch_size, rng)


@wrong("train_reinforce", "mark-missed")
def returns_of_another_episode(env, policy, optimizer, num_updates, batch_size, rng):
    def loss_of(policy, batch, returns):
        return sum_then_mean(padded_logp(policy, batch), returns.roll(1))

    train = training(stepping(loss_of))
    return train(env, policy, optimizer, num_updates, batch_size, rng)


@wrong("train_reinforce", "detached")
def graph_cut(env, policy, optimizer, num_updates, batch_size, rng):
    train = training(stepping(lambda p, b, r: sum_then_mean(padded_logp(p, b).detach(), r)))
    return train(env, policy, optimizer, num_updates, batch_size, rng)


def own_generator(env, policy, optimizer, num_updates, batch_size, rng):
    return training(stepping(right_loss))(
        env, policy, optimizer, num_updates, batch_size, np.random.default_rng(0)
    )


broken("own_generator", "rng-ignored", own_generator)


broken(
    "one_generator_an_update",
    "rng-ignored",
    training(
        stepping(right_loss),
        lambda env, policy, _rng, size: play(env, policy, np.random.default_rng(1), size),
    ),
)


broken(
    "discounted_in_the_loss",
    "discounted",
    training(
        stepping(
            lambda p, b, r: sum_then_mean(
                padded_logp(p, b), torch.tensor([power_sum(t.rewards, 0.9) for t in b])
            )
        )
    ),
)


@wrong("train_reinforce", "no-step")
def optimizer_of_its_own(env, policy, optimizer, num_updates, batch_size, rng):
    mine = torch.optim.Adam(policy.parameters(), lr=0.1)
    return training(stepping(right_loss))(env, policy, mine, num_updates, batch_size, rng)


broken(
    "last_return",
    "history",
    training(stepping(right_loss), record=lambda returns, loss: returns[-1].item()),
)
