"""Answers for rollout."""

import numpy as np
import torch

import policy_gradients as pg
from bank import right, wrong
from bank.lesson_01.policy import softmax


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


@wrong("rollout", "no-distribution")
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


@wrong("rollout", "seed-reused")
def seed_reused_now_and_then(env, theta, rng):
    own = np.random.default_rng(0) if rng.random() < 0.1 else rng
    return pg.Trajectory(*episode(env, theta, drawing(own))[:3])
