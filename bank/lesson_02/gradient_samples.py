"""Answers for gradient samples."""

import numpy as np
import torch

from bank import right, wrong


def probs(theta):
    e = np.exp(theta - theta.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def table(theta, s, a, w=1.0):
    g = np.zeros(theta.shape)
    g[s] -= w * probs(theta)[s]
    g[s, a] += w
    return g


def episode_sum(theta, t, weights):
    return sum(table(theta, s, a, w) for s, a, w in zip(t.states, t.actions, weights, strict=True))


def total(t, gamma=1.0):
    return sum(gamma**k * r for k, r in enumerate(t.rewards))


def later(rewards, gamma=1.0):
    out, running = [], 0.0
    for r in reversed(list(rewards)):
        running = r + gamma * running
        out.insert(0, running)
    return np.array(out)


@right("gradient_samples")
def loops(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a in zip(t.states, t.actions, strict=True):
            samples[n] += total(t, gamma) * table(theta, s, a)
    return samples


@right("gradient_samples")
def counted(theta, trajectories, gamma=1.0):
    pi = probs(theta)
    out = []
    for t in trajectories:
        n = np.zeros_like(pi)
        np.add.at(n, (np.asarray(t.states), np.asarray(t.actions)), 1.0)
        out.append(total(t, gamma) * (n - n.sum(1, keepdims=True) * pi))
    return np.stack(out)


@right("gradient_samples")
def by_autograd(theta, trajectories, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        logp = torch.distributions.Categorical(logits=x[t.states]).log_prob(torch.tensor(t.actions))
        out.append(torch.autograd.grad(logp.sum() * total(t, gamma), x)[0])
    return torch.stack(out).numpy()


@right("gradient_samples")
def one_einsum(theta, trajectories, gamma=1.0):
    S, A = theta.shape
    rows = []
    for t in trajectories:
        states = np.eye(S)[t.states]
        score = np.eye(A)[t.actions] - probs(theta)[t.states]
        rows.append(np.einsum("ts,ta->sa", states, score) * total(t, gamma))
    return np.array(rows, dtype=np.float32)


@wrong("gradient_samples", "mean-taken")
def already_averaged(theta, trajectories, gamma=1.0):
    return loops(theta, trajectories, gamma).mean(0)


@wrong("gradient_samples", "batch-summed")
def accumulated_over_the_batch(theta, trajectories, gamma=1.0):
    g = np.zeros_like(theta)
    for t in trajectories:
        g += episode_sum(theta, t, np.full(len(t), total(t, gamma)))
    return g


@wrong("gradient_samples", "flattened")
def as_vectors(theta, trajectories, gamma=1.0):
    return np.array([g.ravel() for g in loops(theta, trajectories, gamma)])


@wrong("gradient_samples", "gamma-ignored")
def undiscounted(theta, trajectories, gamma=1.0):
    return loops(theta, trajectories)


@wrong("gradient_samples", "discount-from-the-end")
def discounts_backwards(theta, trajectories, gamma=1.0):
    def one(t):
        back = sum(r * gamma ** (len(t) - 1 - k) for k, r in enumerate(t.rewards))
        return episode_sum(theta, t, [back] * len(t))

    return np.array([one(t) for t in trajectories])


@wrong("gradient_samples", "reward-to-go-already")
def uses_later_rewards(theta, trajectories, gamma=1.0):
    return np.array([episode_sum(theta, t, later(t.rewards, gamma)) for t in trajectories])


@wrong("gradient_samples", "own-reward-only")
def reward_of_the_step(theta, trajectories, gamma=1.0):
    return np.array(
        [
            episode_sum(theta, t, [gamma**k * r for k, r in enumerate(t.rewards)])
            for t in trajectories
        ]
    )


@wrong("gradient_samples", "divided-by-steps")
def mean_score(theta, trajectories, gamma=1.0):
    def one(t):
        scores = [table(theta, s, a) for s, a in zip(t.states, t.actions, strict=True)]
        return total(t, gamma) * np.mean(scores, axis=0)

    return np.array([one(t) for t in trajectories])


@wrong("gradient_samples", "last-step-only")
def overwritten_in_the_loop(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a in zip(t.states, t.actions, strict=True):
            samples[n] = total(t, gamma) * table(theta, s, a)
    return samples


@wrong("gradient_samples", "minus-sign")
def downhill(theta, trajectories, gamma=1.0):
    return -counted(theta, trajectories, gamma)


@wrong("gradient_samples", "other-actions-forgotten")
def only_the_taken_entry(theta, trajectories, gamma=1.0):
    pi = probs(theta)
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a in zip(t.states, t.actions, strict=True):
            samples[n, s, a] += total(t, gamma) * (1 - pi[s, a])
    return samples


@wrong("gradient_samples", "no-probabilities")
def counts_of_actions(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        np.add.at(samples[n], (t.states, t.actions), total(t, gamma))
    return samples


@wrong("gradient_samples", "probability-not-log")
def gradient_of_the_probability(theta, trajectories, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        p = torch.softmax(x, -1)[t.states, t.actions]
        out.append(torch.autograd.grad(p.sum() * total(t, gamma), x)[0].numpy())
    return np.array(out)


@wrong("gradient_samples", "list-returned")
def list_of_tables(theta, trajectories, gamma=1.0):
    return list(counted(theta, trajectories, gamma))


@wrong("gradient_samples", "step:kind")
def a_generator(theta, trajectories, gamma=1.0):
    return (g for g in counted(theta, trajectories, gamma))


@right("gradient_samples")
def autograd_of_the_table_as_it_is(theta, trajectories, gamma=1.0):
    samples = []
    for t in trajectories:
        logits = torch.as_tensor(theta).clone().requires_grad_()
        logp = torch.log_softmax(logits, -1)[torch.as_tensor(t.states), torch.as_tensor(t.actions)]
        (total(t, gamma) * logp.sum()).backward()
        samples.append(logits.grad)
    return torch.stack(samples)


@wrong("gradient_samples", "mean-taken")
def shares_of_the_mean(theta, trajectories, gamma=1.0):
    return np.array(loops(theta, trajectories, gamma)) / len(trajectories)


@wrong("gradient_samples", "scores-kept")
def sum_made_once(theta, trajectories, gamma=1.0):
    samples, z = [], np.zeros(theta.shape)
    for t in trajectories:
        z = z + episode_sum(theta, t, np.ones(len(t.rewards)))
        samples.append(total(t, gamma) * z)
    return np.array(samples)


@wrong("gradient_samples", "repeats-lost")
def index_arrays(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for sample, t in zip(samples, trajectories, strict=True):
        sample[t.states] -= probs(theta)[t.states]
        sample[t.states, t.actions] += 1
        sample *= total(t, gamma)
    return samples


@wrong("gradient_samples", "own-reward-only")
def rewards_as_they_come(theta, trajectories, gamma=1.0):
    return np.array([episode_sum(theta, t, t.rewards) for t in trajectories])


@wrong("gradient_samples", "reward-to-go-already")
def to_go_discounted_in_front(theta, trajectories, gamma=1.0):
    weights = [gamma ** np.arange(len(t.rewards)) * later(t.rewards, gamma) for t in trajectories]
    return np.array([episode_sum(theta, *pair) for pair in zip(trajectories, weights, strict=True)])


@wrong("gradient_samples", "discount-in-front")
def scores_discounted(theta, trajectories, gamma=1.0):
    weights = [gamma ** np.arange(len(t.rewards)) * total(t, gamma) for t in trajectories]
    return np.array([episode_sum(theta, *pair) for pair in zip(trajectories, weights, strict=True)])


@right("reward_to_go_gradient_samples")
def step_by_step(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for s, a, w in zip(t.states, t.actions, later(t.rewards, gamma), strict=True):
            samples[n] += w * table(theta, s, a)
    return samples


@right("reward_to_go_gradient_samples")
def by_einsum(theta, trajectories, gamma=1.0):
    S, A = theta.shape
    out = []
    for t in trajectories:
        score = np.eye(A)[t.actions] - probs(theta)[t.states]
        out.append(np.einsum("t,ts,ta->sa", later(t.rewards, gamma), np.eye(S)[t.states], score))
    return np.stack(out)


@right("reward_to_go_gradient_samples")
def with_autograd(theta, trajectories, gamma=1.0):
    out = []
    for t in trajectories:
        x = torch.tensor(theta.copy(), requires_grad=True)
        logp = torch.log_softmax(x, 1)[torch.tensor(t.states), torch.tensor(t.actions)]
        (logp @ torch.tensor(later(t.rewards, gamma))).backward()
        out.append(x.grad)
    return torch.stack(out)


@right("reward_to_go_gradient_samples")
def reward_by_reward(theta, trajectories, gamma=1.0):
    """Each reward is credited to all the actions before it."""
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        for k, r in enumerate(t.rewards):
            weights = [r * gamma ** (k - j) for j in range(k + 1)]
            for s, a, w in zip(t.states, t.actions, weights, strict=False):
                samples[n] += table(theta, s, a, w)
    return samples


def with_weights(rule):
    def answer(theta, trajectories, gamma=1.0):
        return np.array([episode_sum(theta, t, rule(t.rewards, gamma)) for t in trajectories])

    return answer


@wrong("reward_to_go_gradient_samples", "whole-return")
def still_whole(theta, trajectories, gamma=1.0):
    return loops(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "extra-discount")
def with_gamma_to_the_t(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: [g**t * w for t, w in enumerate(later(r, g))])(
        theta, trajectories, gamma
    )


@wrong("reward_to_go_gradient_samples", "summed-apart")
def product_of_sums(theta, trajectories, gamma=1.0):
    def one(t):
        scores = [table(theta, s, a) for s, a in zip(t.states, t.actions, strict=True)]
        return later(t.rewards, gamma).sum() * sum(scores)

    return np.array([one(t) for t in trajectories])


@wrong("reward_to_go_gradient_samples", "mean-taken")
def averaged(theta, trajectories, gamma=1.0):
    return np.mean(step_by_step(theta, trajectories, gamma), axis=0)


@wrong("reward_to_go_gradient_samples", "flattened")
def vectors(theta, trajectories, gamma=1.0):
    return step_by_step(theta, trajectories, gamma).reshape(len(trajectories), -1)


@wrong("reward_to_go_gradient_samples", "gamma-ignored")
def gamma_lost(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: later(r))(theta, trajectories)


@wrong("reward_to_go_gradient_samples", "own-reward-only")
def immediate_rewards(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: r)(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "own-reward-missing")
def from_the_next_step(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: g * np.append(later(r, g)[1:], 0))(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "past-rewards")
def rewards_so_far(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: later(r[::-1], g)[::-1])(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "reversed")
def weights_turned_round(theta, trajectories, gamma=1.0):
    return with_weights(lambda r, g: later(r, g)[::-1])(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "other-actions-forgotten")
def taken_entry_alone(theta, trajectories, gamma=1.0):
    pi = probs(theta)
    samples = np.zeros((len(trajectories), *theta.shape))
    for n, t in enumerate(trajectories):
        weights = later(t.rewards, gamma) * (1 - pi[t.states, t.actions])
        np.add.at(samples[n], (t.states, t.actions), weights)
    return samples


@wrong("reward_to_go_gradient_samples", "minus-sign")
def a_loss_s_gradient(theta, trajectories, gamma=1.0):
    return -by_einsum(theta, trajectories, gamma)


@wrong("reward_to_go_gradient_samples", "repeats-lost")
def index_arrays_to_go(theta, trajectories, gamma=1.0):
    samples = np.zeros((len(trajectories), *theta.shape))
    for sample, t in zip(samples, trajectories, strict=True):
        weights = later(t.rewards, gamma)
        sample[t.states, t.actions] += weights
        sample[t.states] -= weights[:, None] * probs(theta)[t.states]
    return samples


@wrong("reward_to_go_gradient_samples", "own-reward-missing")
def from_the_next_step_on(theta, trajectories, gamma=1.0):
    weights = [np.append(later(t.rewards, gamma)[1:], 0.0) for t in trajectories]
    return np.array([episode_sum(theta, *pair) for pair in zip(trajectories, weights, strict=True)])
