"""Answers for baselines."""

import numpy as np
import torch

from bank import right, wrong


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
