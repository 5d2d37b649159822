"""The bank of 01_reinforce."""

import math

import numpy as np
import torch

import policy_gradients as pg
from bank import right, value, wrong


def softmax(logits):
    weights = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def log_softmax(logits):
    centred = logits - logits.max(axis=-1, keepdims=True)
    return centred - np.log(np.exp(centred).sum(axis=-1, keepdims=True))


def taken(table, actions):
    return np.take_along_axis(table, np.asarray(actions)[..., None], axis=-1)[..., 0]


# softmax


@right("softmax")
def vectorised(logits):
    weights = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@right("softmax")
def row_by_row(logits):
    logits = np.asarray(logits, dtype=float)
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]):
        weights = [math.exp(x - max(row)) for x in row]
        rows.append([w / sum(weights) for w in weights])
    return np.array(rows).reshape(logits.shape)


@right("softmax")
def along_axis(logits):
    def one(row):
        return np.exp(row - np.logaddexp.reduce(row))

    return np.apply_along_axis(one, -1, logits)


@right("softmax")
def by_torch(logits):
    return torch.softmax(torch.tensor(np.array(logits)), dim=-1).numpy()


@right("softmax")
def einsum_view(logits):
    moved = np.moveaxis(np.array(logits), -1, 0)
    weights = np.exp(moved - moved.max(0))
    return np.einsum("a...->...a", weights / weights.sum(0))


@wrong("softmax", "softmax-axis")
def over_the_batch(logits):
    weights = np.exp(logits - logits.max(0))
    return weights / weights.sum(0)


@wrong("softmax", "softmax-all")
def over_everything(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@wrong("softmax", "overflow")
def naive(logits):
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


@wrong("softmax", "row-underflows")
def one_maximum_for_all(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum(-1, keepdims=True)


@wrong("softmax", "not-normalised")
def exponentials(logits):
    return np.exp(logits - logits.max(-1, keepdims=True))


@wrong("softmax", "log-softmax")
def logarithms(logits):
    return log_softmax(logits)


@wrong("softmax", "lost-axis")
def no_keepdims(logits):
    weights = np.exp(logits - logits.max(-1))
    return weights / weights.sum(-1)


@wrong("softmax", "changed-inputs")
def in_place(logits):
    if logits.flags.writeable:
        logits -= logits.max(-1, keepdims=True)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@wrong("softmax", "changed-argument")
def clipped(logits):
    weights = np.exp(np.clip(logits, -1, 1))
    return weights / weights.sum(-1, keepdims=True)


@wrong("softmax", "step:kind")
def a_generator(logits):
    return (row for row in softmax(logits))


@wrong("softmax", "step:kind")
def an_object_array(logits):
    return softmax(logits).astype(object)


@wrong("softmax", "nothing-returned")
def printed_only(logits):
    print(softmax(logits))


@right("softmax")
def in_torch(logits):
    return torch.softmax(torch.as_tensor(logits), dim=-1).numpy()


@right("softmax")
def torch_categorical(logits):
    return torch.distributions.Categorical(logits=torch.tensor(logits)).probs.numpy()


@wrong("softmax", "overflow")
def less_the_mean(logits):
    with np.errstate(all="ignore"):
        weights = np.exp(logits - np.mean(logits, axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)


# log_prob


@right("log_prob")
def log_sum_exp(logits, actions):
    return taken(log_softmax(logits), actions)


@right("log_prob")
def logaddexp(logits, actions):
    normaliser = np.logaddexp.reduce(logits, axis=-1)
    return (logits * (np.arange(logits.shape[-1]) == actions[..., None])).sum(-1) - normaliser


@right("log_prob")
def loops(logits, actions):
    found = np.zeros(actions.shape)
    for index in np.ndindex(*actions.shape):
        row = logits[index]
        top = max(row)
        found[index] = row[actions[index]] - top - math.log(sum(math.exp(x - top) for x in row))
    return found


@right("log_prob")
def torch_gather(logits, actions):
    logp = torch.log_softmax(torch.tensor(np.array(logits)), -1)
    return logp.gather(-1, torch.tensor(np.array(actions))[..., None]).squeeze(-1).numpy()


@right("log_prob")
def torch_distribution(logits, actions):
    policy = torch.distributions.Categorical(logits=torch.tensor(np.array(logits)))
    return policy.log_prob(torch.tensor(np.array(actions)))


@right("log_prob")
def flat_index(logits, actions):
    flat = log_softmax(logits).reshape(-1, logits.shape[-1])
    return flat[np.arange(len(flat)), np.ravel(actions)].reshape(np.shape(actions))


@wrong("log_prob", "log-of-softmax")
def log_of_softmax(logits, actions):
    return np.log(taken(softmax(logits), actions))


@wrong("log_prob", "overflow")
def naive_log_sum_exp(logits, actions):
    return taken(logits, actions) - np.log(np.sum(np.exp(logits), axis=-1))


@wrong("log_prob", "all-actions")
def every_action(logits, actions):
    return log_softmax(logits)


@wrong("log_prob", "every-pair")
def rows_by_columns(logits, actions):
    return log_softmax(logits)[..., actions]


@wrong("log_prob", "not-the-taken-action")
def likeliest(logits, actions):
    return log_softmax(logits).max(axis=-1)


@wrong("log_prob", "probability-not-log")
def probability(logits, actions):
    return taken(softmax(logits), actions)


@wrong("log_prob", "minus-sign")
def cross_entropy(logits, actions):
    return -taken(log_softmax(logits), actions)


@wrong("log_prob", "summed")
def summed_up(logits, actions):
    return float(np.sum(taken(log_softmax(logits), actions)))


@wrong("log_prob", "logit")
def bare_logit(logits, actions):
    return taken(logits, actions)


@wrong("log_prob", "floored")
def nudged(logits, actions):
    return np.log(taken(softmax(logits), actions) + 1e-8)


@wrong("log_prob", "other-base")
def base_two(logits, actions):
    return taken(log_softmax(logits), actions) / np.log(2)


@wrong("log_prob", "floored")
def no_smaller_than(logits, actions):
    return np.log(np.maximum(taken(softmax(logits), actions), 1e-300))


@wrong("log_prob", "row-underflows")
def one_maximum_of_all_rows(logits, actions):
    with np.errstate(all="ignore"):
        apart = logits - logits.max()
        return taken(apart - np.log(np.exp(apart).sum(axis=-1, keepdims=True)), actions)


@wrong("log_prob", "logit")
def centred_alone(logits, actions):
    return taken(logits - logits.max(axis=-1, keepdims=True), actions)


# rollout


@right("rollout")
def choice(env, theta, rng):
    states, actions, rewards, done = [], [], [], False
    state, _ = env.reset()
    while not done:
        action = rng.choice(theta.shape[1], p=softmax(theta[state]))
        following, reward, terminated, truncated, _ = env.step(action)
        states.append(state)
        actions.append(action)
        rewards.append(reward)
        state, done = following, terminated or truncated
    return pg.Trajectory(states, actions, rewards)


@right("rollout")
def inverse_transform(env, theta, rng):
    bounds = softmax(theta).cumsum(-1)
    state = env.reset(seed=int(rng.integers(2**31)))[0]
    steps = []
    while True:
        action = min(int(np.searchsorted(bounds[state], rng.random())), len(bounds[0]) - 1)
        following, reward, terminated, truncated, _info = env.step(action)
        steps.append((state, action, reward))
        if terminated or truncated:
            break
        state = following
    states, actions, rewards = map(np.array, zip(*steps, strict=True))
    return pg.Trajectory(states=states, actions=actions, rewards=rewards)


@right("rollout")
def gumbel(env, theta, rng):
    """The largest of logits plus Gumbel noise is a draw from their softmax (Gumbel 1954)."""
    trajectory = ([], [], [])
    state, over = env.reset()[0], False
    while not over:
        action = int((theta[state] + rng.gumbel(size=theta.shape[1])).argmax())
        trajectory[0].append(state)
        trajectory[1].append(action)
        state, reward, *flags, _info = env.step(action)
        trajectory[2].append(reward)
        over = any(flags)
    return pg.Trajectory(*trajectory)


@right("rollout")
def seeded_torch(env, theta, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**40)))
    probabilities = torch.softmax(torch.tensor(theta), -1)
    states, actions, rewards = [env.reset()[0]], [], []
    terminated = truncated = False
    while not (terminated or truncated):
        draw = torch.multinomial(probabilities[states[-1]], 1, generator=generator)
        actions.append(draw.item())
        state, reward, terminated, truncated, _ = env.step(actions[-1])
        states.append(state)
        rewards.append(reward)
    return pg.Trajectory(np.array(states[:-1]), np.array(actions), np.array(rewards))


@right("rollout")
def drawn_ahead(env, theta, rng):
    state, _ = env.reset()
    result = pg.Trajectory([], [], [])
    states, actions, rewards = [], [], []
    for u in rng.random(1000):
        row = softmax(theta[state])
        action = int((row.cumsum() < u).sum())
        states, actions = [*states, state], [*actions, action]
        state, reward, terminated, truncated, _ = env.step(action)
        rewards = [*rewards, reward]
        if terminated or truncated:
            break
    result.states, result.actions, result.rewards = states, actions, rewards
    return result


def episode(
    env, theta, pick, seed=None, stop=lambda terminated, truncated: terminated or truncated
):
    """One rollout with changeable parts: pick(theta row) -> action."""
    states, actions, rewards, following, over = [], [], [], [], False
    state, _ = env.reset(seed=seed)
    while not over:
        states.append(state)
        actions.append(int(pick(theta[state])))
        state, reward, terminated, truncated, _ = env.step(actions[-1])
        rewards.append(reward)
        following.append(state)
        over = stop(terminated, truncated)
    return states, actions, rewards, following


def drawing(rng):
    return lambda row: rng.choice(len(row), p=softmax(row))


@wrong("rollout", "argmax")
def greedy(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, np.argmax)[:3])


@wrong("rollout", "argmax")
def sharpened(env, theta, rng):
    return pg.Trajectory(*episode(env, 1e4 * theta, drawing(rng))[:3])


@wrong("rollout", "temperature")
def cooler(env, theta, rng):
    return pg.Trajectory(*episode(env, theta / 0.7, drawing(rng))[:3])


@wrong("rollout", "temperature")
def warmer(env, theta, rng):
    return pg.Trajectory(*episode(env, theta / 1.5, drawing(rng))[:3])


@wrong("rollout", "random-actions")
def one_in_ten_at_random(env, theta, rng):
    draw = drawing(rng)

    def act(row):
        return rng.integers(len(row)) if rng.random() < 0.1 else draw(row)

    return pg.Trajectory(*episode(env, theta, act)[:3])


@wrong("rollout", "policy-ignored")
def uniform(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, lambda row: rng.integers(len(row)))[:3])


@wrong("rollout", "policy-ignored")
def env_samples(env, theta, rng):
    env.action_space.seed(int(rng.integers(2**31)))
    return pg.Trajectory(*episode(env, theta, lambda row: env.action_space.sample())[:3])


@wrong("rollout", "frequencies")
def first_row_always(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, lambda row: drawing(rng)(theta[0]))[:3])


@wrong("rollout", "frequencies")
def sign_reversed(env, theta, rng):
    return pg.Trajectory(*episode(env, -theta, drawing(rng))[:3])


@wrong("rollout", "same-seed")
def generator_made_anew(env, theta, rng):
    rng = np.random.default_rng(0)
    return pg.Trajectory(*episode(env, theta, drawing(rng))[:3])


@wrong("rollout", "same-seed")
def reset_with_one_seed(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, drawing(rng), seed=0)[:3])


@wrong("rollout", "foreign-chance")
def global_generator(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, drawing(np.random))[:3])


@wrong("rollout", "foreign-chance")
def torch_global(env, theta, rng):
    def pick(row):
        return torch.distributions.Categorical(logits=torch.tensor(row)).sample()

    return pg.Trajectory(*episode(env, theta, pick)[:3])


@wrong("rollout", "foreign-chance")
def fresh_generator(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, drawing(np.random.default_rng()))[:3])


@wrong("rollout", "past-truncated")
def terminated_only(env, theta, rng):
    played = episode(env, theta, drawing(rng), stop=lambda terminated, truncated: terminated)
    return pg.Trajectory(*played[:3])


@wrong("rollout", "past-terminated")
def truncated_only(env, theta, rng):
    played = episode(env, theta, drawing(rng), stop=lambda terminated, truncated: truncated)
    return pg.Trajectory(*played[:3])


@wrong("rollout", "past-terminated")
def both_flags_needed(env, theta, rng):
    played = episode(env, theta, drawing(rng), stop=lambda *flags: all(flags))
    return pg.Trajectory(*played[:3])


@wrong("rollout", "past-terminated")
def fixed_length(env, theta, rng):
    states, actions, rewards = [], [], []
    state, _ = env.reset()
    for _step in range(10):
        states.append(state)
        actions.append(drawing(rng)(theta[state]))
        state, reward, _end, _cut, _ = env.step(actions[-1])
        rewards.append(reward)
    return pg.Trajectory(states, actions, rewards)


@wrong("rollout", "stops-early")
def five_steps(env, theta, rng):
    counted = iter(range(100))
    played = episode(env, theta, drawing(rng), stop=lambda *flags: any(flags) or next(counted) == 4)
    return pg.Trajectory(*played[:3])


@wrong("rollout", "last-state-appended")
def one_state_more(env, theta, rng):
    states, actions, rewards, following = episode(env, theta, drawing(rng))
    return pg.Trajectory([*states, following[-1]], actions, rewards)


@wrong("rollout", "states-shifted")
def states_after_the_step(env, theta, rng):
    _states, actions, rewards, following = episode(env, theta, drawing(rng))
    return pg.Trajectory(following, actions, rewards)


@wrong("rollout", "rewards-shifted")
def rewards_one_late(env, theta, rng):
    states, actions, rewards, _following = episode(env, theta, drawing(rng))
    return pg.Trajectory(states, actions, [0.0, *rewards[:-1]])


@wrong("rollout", "rewards-summed")
def running_total(env, theta, rng):
    states, actions, rewards, _following = episode(env, theta, drawing(rng))
    return pg.Trajectory(states, actions, np.cumsum(rewards))


@wrong("rollout", "last-step-missing")
def break_before_append(env, theta, rng):
    states, actions, rewards, _following = episode(env, theta, drawing(rng))
    return pg.Trajectory(states[:-1], actions[:-1], rewards[:-1])


@wrong("rollout", "state-not-updated")
def state_stays(env, theta, rng):
    states, actions, rewards = [], [], []
    state, _ = env.reset()
    over = False
    while not over:
        action = drawing(rng)(theta[state])
        _obs, reward, terminated, truncated, _ = env.step(action)
        states.append(state)
        actions.append(action)
        rewards.append(reward)
        over = terminated or truncated
    return pg.Trajectory(states, actions, rewards)


@wrong("rollout", "reset-returns-two")
def reset_not_unpacked(env, theta, rng):
    state = env.reset()
    action = rng.choice(theta.shape[1], p=softmax(theta[state]))
    return pg.Trajectory([state], [action], [env.step(action)[1]])


@wrong("rollout", "no-trajectory")
def bare_tuple(env, theta, rng):
    return episode(env, theta, drawing(rng))[:3]


@wrong("rollout", "no-trajectory")
def nothing_returned(env, theta, rng):
    pg.Trajectory(*episode(env, theta, drawing(rng))[:3])


@wrong("rollout", "changed-inputs")
def theta_changed(env, theta, rng):
    played = episode(env, theta, drawing(rng))
    theta -= theta.max(-1, keepdims=True)
    return pg.Trajectory(*played[:3])


@wrong("rollout", "episodes-miscounted")
def warm_up_episode(env, theta, rng):
    episode(env, theta, drawing(rng))
    return pg.Trajectory(*episode(env, theta, drawing(rng))[:3])


@wrong("rollout", "raises")
def unnormalised_probabilities(env, theta, rng):
    return pg.Trajectory(*episode(env, theta, lambda row: rng.choice(len(row), p=row))[:3])


@wrong("rollout", "stops-early")
def twenty_steps(env, theta, rng):
    states, actions, rewards = [], [], []
    state, _info = env.reset()
    for _ in range(20):
        action = int(rng.choice(len(theta[state]), p=softmax(theta[state])))
        states.append(state)
        actions.append(action)
        state, reward, terminated, truncated, _info = env.step(action)
        rewards.append(reward)
        if terminated or truncated:
            break
    return pg.Trajectory(states, actions, rewards)


def weighing(env, theta, rng, weights_of):
    """An honest rollout whose probabilities are weights_of(theta, state), scaled to a sum of 1."""
    states, actions, rewards = [], [], []
    state, _info = env.reset()
    over = False
    while not over:
        weights = weights_of(theta, state)
        action = int(rng.choice(len(weights), p=weights / weights.sum()))
        states.append(state)
        actions.append(action)
        state, reward, terminated, truncated, _info = env.step(action)
        rewards.append(reward)
        over = terminated or truncated
    return pg.Trajectory(states, actions, rewards)


@wrong("rollout", "frequencies")
def logits_for_weights(env, theta, rng):
    return weighing(env, theta, rng, lambda theta, state: np.abs(theta[state]) + 1e-9)


@wrong("rollout", "frequencies")
def softmax_over_the_states(env, theta, rng):
    return weighing(env, theta, rng, lambda theta, state: softmax(theta.T).T[state])


@wrong("rollout", "frequencies")
def row_of_the_state_before(env, theta, rng):
    visited = []

    def before(theta, state):
        visited.append(state)
        return softmax(theta[visited[-2:][0]])

    return weighing(env, theta, rng, before)


@wrong("rollout", "softmax-twice")
def softmax_of_softmax(env, theta, rng):
    return weighing(env, theta, rng, lambda theta, state: softmax(softmax(theta[state])))


@wrong("rollout", "fields-swapped")
def rewards_before_actions(env, theta, rng):
    played = choice(env, theta, rng)
    return pg.Trajectory(played.states, played.rewards, played.actions)


@wrong("rollout", "first-state")
def start_guessed(env, theta, rng):
    played = choice(env, theta, rng)
    return pg.Trajectory([len(theta) // 2, *played.states[1:]], played.actions, played.rewards)


# discounted_return


@right("discounted_return")
def power_sum(rewards, gamma=1.0):
    return float((gamma ** np.arange(len(rewards)) * np.asarray(rewards)).sum())


@right("discounted_return")
def backwards(rewards, gamma=1.0):
    total = 0.0
    for reward in reversed(list(rewards)):
        total = reward + gamma * total
    return total


@right("discounted_return")
def running_discount(rewards, gamma=1.0):
    total, weight = 0, 1
    for reward in rewards:
        total += weight * reward
        weight *= gamma
    return total


@right("discounted_return")
def polynomial(rewards, gamma=1.0):
    return np.polynomial.polynomial.polyval(gamma, rewards)


@right("discounted_return")
def recursive(rewards, gamma=1.0):
    return rewards[0] + (gamma * recursive(rewards[1:], gamma) if len(rewards) > 1 else 0.0)


@right("discounted_return")
def zero_dimensional(rewards, gamma=1.0):
    return np.einsum("t,t->", np.power(float(gamma), np.arange(len(rewards))), rewards)


@wrong("discounted_return", "gamma-ignored")
def plain_sum(rewards, gamma=1.0):
    return float(np.sum(rewards))


@wrong("discounted_return", "gamma-fixed")
def fixed_gamma(rewards, gamma=1.0):
    return float(np.sum(0.99 ** np.arange(len(rewards)) * rewards))


@wrong("discounted_return", "discount-from-the-end")
def reversed_powers(rewards, gamma=1.0):
    return float(np.sum(gamma ** np.arange(len(rewards))[::-1] * rewards))


@wrong("discounted_return", "discount-from-the-end")
def forward_recursion(rewards, gamma=1.0):
    total = 0.0
    for reward in rewards:
        total = reward + gamma * total
    return total


@wrong("discounted_return", "discount-shifted")
def powers_from_one(rewards, gamma=1.0):
    return float(np.sum(gamma ** np.arange(1, len(rewards) + 1) * rewards))


@wrong("discounted_return", "discount-once")
def one_factor_for_the_rest(rewards, gamma=1.0):
    return float(rewards[0] + gamma * np.sum(rewards[1:]))


@wrong("discounted_return", "mean-not-sum")
def mean(rewards, gamma=1.0):
    return float(np.mean(gamma ** np.arange(len(rewards)) * rewards))


@wrong("discounted_return", "one-per-step")
def for_every_step(rewards, gamma=1.0):
    found, total = np.zeros(len(rewards)), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        found[t] = total = rewards[t] + gamma * total
    return found


@wrong("discounted_return", "discounted-rewards-not-summed")
def terms(rewards, gamma=1.0):
    return gamma ** np.arange(len(rewards)) * rewards


@wrong("discounted_return", "left-out")
def last_reward_left_out(rewards, gamma=1.0):
    return float(sum(gamma**t * rewards[t] for t in range(len(rewards) - 1)))


@wrong("discounted_return", "other-signature")
def gamma_required(rewards, gamma):
    return power_sum(rewards, gamma)


@wrong("discounted_return", "absolute-value")
def never_negative(rewards, gamma=1.0):
    return abs(power_sum(rewards, gamma))


@wrong("discounted_return", "gamma-default")
def another_default(rewards, gamma=0.99):
    return power_sum(rewards, gamma)


# grad_log_prob


@right("grad_log_prob")
def one_hot_minus_softmax(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state] = -softmax(theta[state])
    grad[state, action] += 1.0
    return grad


@right("grad_log_prob")
def outer(theta, state, action):
    num_states, num_actions = theta.shape
    return np.outer(np.eye(num_states)[state], np.eye(num_actions)[action] - softmax(theta[state]))


@right("grad_log_prob")
def entry_by_entry(theta, state, action):
    pi = softmax(theta)
    return np.array(
        [
            [(s == state) * ((a == action) - pi[s, a]) for a in range(theta.shape[1])]
            for s in range(theta.shape[0])
        ]
    )


@right("grad_log_prob")
def autograd(theta, state, action):
    table = torch.tensor(np.array(theta), requires_grad=True)
    torch.log_softmax(table, -1)[state, action].backward()
    return table.grad.numpy()


@right("grad_log_prob")
def masked_einsum(theta, state, action):
    rows = np.arange(len(theta)) == state
    score = (np.arange(theta.shape[1]) == action) - softmax(theta)
    return np.einsum("s,sa->sa", rows, score)


@wrong("grad_log_prob", "row-only")
def row_only(theta, state, action):
    return np.eye(theta.shape[1])[action] - softmax(theta[state])


@wrong("grad_log_prob", "minus-sign")
def sign_flipped(theta, state, action):
    return -one_hot_minus_softmax(theta, state, action)


@wrong("grad_log_prob", "one-hot-only")
def normaliser_forgotten(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state, action] = 1.0
    return grad


@wrong("grad_log_prob", "normaliser-only")
def one_hot_forgotten(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state] = -softmax(theta[state])
    return grad


@wrong("grad_log_prob", "probability-not-log")
def of_the_probability(theta, state, action):
    return softmax(theta[state])[action] * one_hot_minus_softmax(theta, state, action)


@wrong("grad_log_prob", "all-states")
def every_row(theta, state, action):
    grad = -softmax(theta)
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "softmax-all")
def one_softmax_for_the_table(theta, state, action):
    weights = np.exp(theta - theta.max())
    grad = -weights / weights.sum()
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "softmax-axis")
def softmax_over_states(theta, state, action):
    weights = np.exp(theta - theta.max(0))
    grad = np.zeros_like(theta)
    grad[state] = -(weights / weights.sum(0))[state]
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "taken-entry-only")
def one_minus_p(theta, state, action):
    grad = np.zeros_like(theta)
    grad[state, action] = 1 - softmax(theta[state])[action]
    return grad


@wrong("grad_log_prob", "state-action-swapped")
def state_and_action_swapped(theta, state, action):
    return one_hot_minus_softmax(theta, action, state)


@wrong("grad_log_prob", "changed-inputs")
def on_theta_itself(theta, state, action):
    grad = theta if theta.flags.writeable else theta.copy()
    row = softmax(theta[state])
    grad[:] = 0
    grad[state] -= row
    grad[state, action] += 1
    return grad


@wrong("grad_log_prob", "divided-by-probability")
def score_over_p(theta, state, action):
    p = softmax(theta[state])[action]
    return one_hot_minus_softmax(theta, state, action) / max(p, 1e-300)


# reinforce_gradient


def steps_of(trajectory):
    return zip(trajectory.states, trajectory.actions, strict=True)


def scores_of(theta, trajectory):
    return np.array([one_hot_minus_softmax(theta, s, a) for s, a in steps_of(trajectory)])


@right("reinforce_gradient")
def double_loop(theta, trajectories, gamma=1.0):
    total = np.zeros(theta.shape)
    for trajectory in trajectories:
        ret = power_sum(trajectory.rewards, gamma)
        for state, action in steps_of(trajectory):
            total += ret * one_hot_minus_softmax(theta, state, action)
    return total / len(trajectories)


@right("reinforce_gradient")
def stacked(theta, trajectories, gamma=1.0):
    returns = np.array([power_sum(t.rewards, gamma) for t in trajectories])
    scores = np.stack([scores_of(theta, t).sum(0) for t in trajectories])
    return np.einsum("n,nsa->sa", returns, scores) / len(returns)


@right("reinforce_gradient")
def counted(theta, trajectories, gamma=1.0):
    """Counts of each state and action are all that the sum of scores depends on."""
    weight = np.zeros(theta.shape)
    for trajectory in trajectories:
        np.add.at(
            weight, (trajectory.states, trajectory.actions), power_sum(trajectory.rewards, gamma)
        )
    return (weight - weight.sum(1, keepdims=True) * softmax(theta)) / len(trajectories)


@right("reinforce_gradient")
def by_autograd(theta, trajectories, gamma=1.0):
    table = torch.tensor(np.array(theta), requires_grad=True)
    logp = torch.log_softmax(table, -1)
    objective = sum(
        power_sum(t.rewards, gamma) * logp[t.states, t.actions].sum() for t in trajectories
    )
    (objective / len(trajectories)).backward()
    return table.grad.numpy()


@right("reinforce_gradient")
def running_mean(theta, trajectories, gamma=1.0):
    mean = np.zeros(theta.shape)
    for n, trajectory in enumerate(trajectories, start=1):
        one = sum(scores_of(theta, trajectory)) * backwards(trajectory.rewards, gamma)
        mean = mean + (one - mean) / n
    return mean


def weighed(theta, trajectories, weigh):
    """Mean over trajectories of scores times weigh(rewards) (T,)."""
    each = [np.einsum("t,tsa->sa", weigh(t.rewards), scores_of(theta, t)) for t in trajectories]
    return np.mean(each, axis=0)


def to_go(rewards, gamma):
    return np.array([power_sum(rewards[t:], gamma) for t in range(len(rewards))])


@wrong("reinforce_gradient", "minus-sign")
def descent_direction(theta, trajectories, gamma=1.0):
    return -double_loop(theta, trajectories, gamma)


@wrong("reinforce_gradient", "sum-not-mean")
def summed_over_trajectories(theta, trajectories, gamma=1.0):
    return double_loop(theta, trajectories, gamma) * len(trajectories)


@wrong("reinforce_gradient", "gamma-ignored")
def undiscounted(theta, trajectories, gamma=1.0):
    return double_loop(theta, trajectories)


@wrong("reinforce_gradient", "mean-over-steps")
def mean_score(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: np.full(len(r), power_sum(r, gamma)) / len(r))


@wrong("reinforce_gradient", "mean-over-steps")
def divided_by_all_steps(theta, trajectories, gamma=1.0):
    steps = sum(len(t) for t in trajectories)
    return double_loop(theta, trajectories, gamma) * len(trajectories) / steps


@wrong("reinforce_gradient", "reward-to-go")
def rewards_to_go(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: to_go(r, gamma))


@wrong("reinforce_gradient", "own-reward-only")
def own_reward(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: r)


@wrong("reinforce_gradient", "own-reward-only")
def own_discounted_reward(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: gamma ** np.arange(len(r)) * r)


@wrong("reinforce_gradient", "discount-in-front")
def scores_discounted_too(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: gamma ** np.arange(len(r)) * power_sum(r, gamma))


@wrong("reinforce_gradient", "product-of-means")
def means_multiplied(theta, trajectories, gamma=1.0):
    mean_return = np.mean([power_sum(t.rewards, gamma) for t in trajectories])
    return mean_return * np.mean([scores_of(theta, t).sum(0) for t in trajectories], axis=0)


@wrong("reinforce_gradient", "probability-not-log")
def probabilities_in_place_of_logs(theta, trajectories, gamma=1.0):
    pi, total = softmax(theta), np.zeros(theta.shape)
    for t in trajectories:
        for s, a in steps_of(t):
            total += power_sum(t.rewards, gamma) * pi[s, a] * one_hot_minus_softmax(theta, s, a)
    return total / len(trajectories)


@wrong("reinforce_gradient", "unweighted")
def returns_forgotten(theta, trajectories, gamma=1.0):
    return weighed(theta, trajectories, lambda r: np.ones(len(r)))


@wrong("reinforce_gradient", "last-trajectory-only")
def overwritten_in_the_loop(theta, trajectories, gamma=1.0):
    for trajectory in trajectories:
        total = power_sum(trajectory.rewards, gamma) * scores_of(theta, trajectory).sum(0)
    return total


@wrong("reinforce_gradient", "last-trajectory-only")
def overwritten_then_divided(theta, trajectories, gamma=1.0):
    return overwritten_in_the_loop(theta, trajectories, gamma) / len(trajectories)


@wrong("reinforce_gradient", "last-step-only")
def last_score(theta, trajectories, gamma=1.0):
    each = [power_sum(t.rewards, gamma) * scores_of(theta, t)[-1] for t in trajectories]
    return np.mean(each, axis=0)


@wrong("reinforce_gradient", "centred")
def mean_return_subtracted(theta, trajectories, gamma=1.0):
    mean_return = np.mean([power_sum(t.rewards, gamma) for t in trajectories])
    return weighed(
        theta, trajectories, lambda r: np.full(len(r), power_sum(r, gamma) - mean_return)
    )


@wrong("reinforce_gradient", "not-reduced")
def one_each(theta, trajectories, gamma=1.0):
    return np.array([double_loop(theta, [t], gamma) for t in trajectories])


@wrong("reinforce_gradient", "unequal-weights")
def returns_run_together(theta, trajectories, gamma=1.0):
    everything = power_sum(np.concatenate([t.rewards for t in trajectories]), gamma)
    return weighed(theta, trajectories, lambda r: np.full(len(r), everything))


@wrong("reinforce_gradient", "changed-inputs")
def theta_updated(theta, trajectories, gamma=1.0):
    grad = double_loop(theta, trajectories, gamma)
    if theta.flags.writeable:
        theta += 0.1 * grad
    return grad


@wrong("reinforce_gradient", "first-trajectory-only")
def returned_inside_the_loop(theta, trajectories, gamma=1.0):
    for t in trajectories:
        return power_sum(t.rewards, gamma) * sum(scores_of(theta, t)) / len(trajectories)


@wrong("reinforce_gradient", "scores-kept")
def sum_made_once(theta, trajectories, gamma=1.0):
    total, scores = np.zeros(np.shape(theta)), np.zeros(np.shape(theta))
    for t in trajectories:
        scores = scores + sum(scores_of(theta, t))
        total += power_sum(t.rewards, gamma) * scores
    return total / len(trajectories)


@wrong("reinforce_gradient", "repeats-lost")
def index_arrays(theta, trajectories, gamma=1.0):
    total, pi = np.zeros(np.shape(theta)), softmax(theta)
    for t in trajectories:
        scores = np.zeros(np.shape(theta))
        scores[t.states] -= pi[t.states]
        scores[t.states, t.actions] += 1
        total += power_sum(t.rewards, gamma) * scores
    return total / len(trajectories)


@wrong("reinforce_gradient", "reward-to-go")
def to_go_discounted_in_front(theta, trajectories, gamma=1.0):
    total = np.zeros(np.shape(theta))
    for t in trajectories:
        for k, score in enumerate(scores_of(theta, t)):
            total += gamma**k * power_sum(t.rewards[k:], gamma) * score
    return total / len(trajectories)


@wrong("reinforce_gradient", "centred")
def whitened(theta, trajectories, gamma=1.0):
    returns = np.array([power_sum(t.rewards, gamma) for t in trajectories])
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    scores = [sum(scores_of(theta, t)) for t in trajectories]
    return np.tensordot(returns, scores, 1) / len(returns)


# reinforce_loss


@right("reinforce_loss")
def sum_then_mean(logp, returns):
    return -(returns * logp.sum(dim=1)).mean()


@right("reinforce_loss")
def dot_product(logp, returns):
    return -torch.dot(logp.sum(1), returns) / len(returns)


@right("reinforce_loss")
def einsum(logp, returns):
    return torch.einsum("nt,n->", logp, -returns) / logp.shape[0]


@right("reinforce_loss")
def looped(logp, returns):
    loss = 0.0
    for row, ret in zip(logp, returns, strict=True):
        for entry in row:
            loss = loss - ret * entry / len(logp)
    return loss


@right("reinforce_loss")
def columns(logp, returns):
    return (logp * returns.unsqueeze(1)).sum().neg().div(returns.numel())


@right("reinforce_loss")
def masked(logp, returns):
    mask = (logp != 0).to(logp.dtype)
    return -((logp * mask).sum(-1) * returns.detach()).mean()


@right("reinforce_loss")
def matrix_product(logp, returns):
    return -(returns @ logp).sum() / returns.shape[0]


@wrong("reinforce_loss", "minus-sign")
def objective(logp, returns):
    return (returns * logp.sum(1)).mean()


@wrong("reinforce_loss", "sum-not-mean")
def summed(logp, returns):
    return -(returns * logp.sum(1)).sum()


@wrong("reinforce_loss", "mean-over-steps")
def mean_of_each_row(logp, returns):
    return -(returns * logp.mean(1)).mean()


@wrong("reinforce_loss", "mean-over-steps")
def mean_of_everything(logp, returns):
    return -(returns[:, None] * logp).mean()


@wrong("reinforce_loss", "mean-over-steps")
def mean_over_real_steps(logp, returns):
    return -(returns * logp.sum(1) / (logp != 0).sum(1)).mean()


@wrong("reinforce_loss", "mean-over-steps")
def divided_by_real_steps(logp, returns):
    return -(returns[:, None] * logp).sum() / (logp != 0).sum()


@wrong("reinforce_loss", "broadcast")
def n_by_n(logp, returns):
    return -(returns[:, None] * logp.sum(1)).mean()


@wrong("reinforce_loss", "broadcast")
def n_by_n_kept_dimension(logp, returns):
    return -(returns * logp.sum(1, keepdim=True)).mean()


@wrong("reinforce_loss", "broadcast")
def returns_along_the_steps(logp, returns):
    return -(logp * returns).sum(1).mean()


@wrong("reinforce_loss", "detached")
def through_numpy(logp, returns):
    value = -(returns.numpy() * logp.detach().numpy().sum(1)).mean()
    return torch.tensor(value, dtype=logp.dtype)


@wrong("reinforce_loss", "detached")
def through_item(logp, returns):
    pairs = zip(returns, logp, strict=True)
    value = sum(r.item() * row.sum().item() for r, row in pairs)
    return torch.tensor(-value / len(returns), dtype=logp.dtype)


@wrong("reinforce_loss", "probability-not-log")
def probabilities(logp, returns):
    return -(returns * logp.exp().sum(1)).mean()


@wrong("reinforce_loss", "probability-not-log")
def probability_of_the_trajectory(logp, returns):
    return -(returns * logp.sum(1).exp()).mean()


@wrong("reinforce_loss", "returns-changed")
def normalised_returns(logp, returns):
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    return -(returns * logp.sum(1)).mean()


@wrong("reinforce_loss", "returns-changed")
def mean_subtracted(logp, returns):
    return -((returns - returns.mean()) * logp.sum(1)).mean()


@wrong("reinforce_loss", "unweighted")
def likelihood(logp, returns):
    return -logp.sum(1).mean()


@wrong("reinforce_loss", "broadcast")
def product_of_means(logp, returns):
    return -returns.mean() * logp.sum(1).mean()


@wrong("reinforce_loss", "not-a-scalar")
def one_loss_each(logp, returns):
    return -returns * logp.sum(1)


@wrong("reinforce_loss", "last-step-only")
def last_column(logp, returns):
    return -(returns * logp[:, -1]).mean()


@wrong("reinforce_loss", "number-returned")
def a_float(logp, returns):
    return float(-(returns * logp.sum(1)).mean().detach())


@wrong("reinforce_loss", "tensor-returned")
def other_dtype(logp, returns):
    return -(returns.double() * logp.double().sum(1)).mean()


@wrong("reinforce_loss", "power-inside")
def scores_squared(logp, returns):
    return (returns * logp.sum(1) ** 2).mean()


@wrong("reinforce_loss", "detached")
def made_anew_from_a_number(logp, returns):
    return torch.tensor(sum_then_mean(logp, returns).item(), requires_grad=True)


# train_reinforce


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


# questions

value("q_loss_must_fall", "d", "d")
value("q_loss_must_fall", "d_in_capitals", " (D) ")
value("q_loss_must_fall", "a", "a", "chose-a")
value("q_loss_must_fall", "c", "c", "chose-c")
value("q_loss_must_fall", "b", "b", "chose-b")
value("q_loss_must_fall", "blank", None, "not-answered")
value("q_all_positive", "a", "a")
value("q_all_positive", "c", "c", "chose-c")
value("q_all_positive", "b", "b", "chose-b")
value("q_all_positive", "d", "d", "chose-d")
value("q_all_positive", "other", "yes", "not-a-letter")


@wrong("rollout", "unpacked-into-too-few")
def step_of_four(env, theta, rng):
    states, actions, rewards = [], [], []
    (state, _info), done = env.reset(), False
    while not done:
        action = int(rng.choice(theta.shape[1], p=softmax(theta[state])))
        states.append(state)
        actions.append(action)
        state, reward, done, _info = env.step(action)
        rewards.append(reward)
    return pg.Trajectory(states, actions, rewards)


@wrong("softmax", "softmax-twice")
def softmax_taken_again(logits):
    return softmax(softmax(np.asarray(logits, dtype=float)))


def log_prob_of(logits, actions):
    apart = logits - logits.max(-1, keepdims=True)
    table = apart - np.log(np.exp(apart).sum(-1, keepdims=True))
    return np.take_along_axis(table, np.asarray(actions)[..., None], -1)[..., 0]


@wrong("log_prob", "softmax-twice")
def log_softmax_of_softmax(logits, actions):
    return log_prob_of(softmax(np.asarray(logits, dtype=float)), actions)


@wrong("log_prob", "logits-as-probabilities")
def categorical_by_position(logits, actions):
    chosen = torch.distributions.Categorical(torch.as_tensor(logits, dtype=torch.float64))
    return chosen.log_prob(torch.as_tensor(actions)).numpy()


@wrong("log_prob", "counted-from-one")
def first_action_is_one(logits, actions):
    return log_prob_of(np.asarray(logits, dtype=float), np.asarray(actions) - 1)


@wrong("discounted_return", "weighted-mean")
def mean_under_the_discount(rewards, gamma=1.0):
    weights = gamma ** np.arange(len(rewards))
    return float(np.dot(weights, rewards) / weights.sum())


@wrong("discounted_return", "changed-argument")
def as_banks_do(rewards, gamma=1.0):
    return float(sum(r / (1 + gamma) ** t for t, r in enumerate(rewards)))


@wrong("grad_log_prob", "wrong-at-index")
def one_written_over(theta, state, action):
    score = np.zeros(np.shape(theta))
    score[state] = -softmax(theta[state])
    score[state, action] = 1.0
    return score


@wrong("rollout", "seed-reused")
def seed_reused_now_and_then(env, theta, rng):
    own = np.random.default_rng(0) if rng.random() < 0.1 else rng
    return pg.Trajectory(*episode(env, theta, drawing(own))[:3])
