"""What forgeries of tables are made of: gradients of something else, weights put there by hand."""

import gc
from dataclasses import dataclass

import numpy as np
import torch


def probabilities(table):
    weights = np.exp(table - table.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def played(env, table, rng):
    """(states, actions, rewards) of one episode."""
    bounds, (state, _info) = probabilities(table).cumsum(1), env.reset()
    rows, over = [], False
    while not over:
        action = min(int((rng.random() > bounds[state]).sum()), len(bounds[0]) - 1)
        after, reward, terminated, truncated, _info = env.step(action)
        rows.append((state, action, reward))
        state, over = after, terminated or truncated
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def best_values(env):
    """(S, A): by value iteration on the environment's own tables."""
    values = np.zeros((env.num_states, env.num_actions))
    for _sweep in range(60):
        following = np.where(env.terminal, 0.0, values.max(1))
        values = (env.transitions * (env.rewards + following)).sum(-1)
    return values


def best_table(env):
    values = best_values(env)
    return 20.0 * (values - values.max(1, keepdims=True))


def scores(table, batch, weigh):
    """(S, A): the descent direction of weigh(states, actions, rewards) -> (T,)."""
    total, pi = np.zeros_like(table), probabilities(table)
    for states, actions, rewards in batch:
        np.add.at(total, (states, actions), weigh(states, actions, rewards))
    return (pi * total.sum(1, keepdims=True) - total) / len(batch)


def to_go(rewards):
    return np.cumsum(rewards[::-1])[::-1]


@dataclass
class Moment:
    """What a forgery may look at before a step."""

    env: object
    policy: object
    critic: object
    optimizer: object
    table: np.ndarray
    batch: list
    rng: object
    update: int
    last: int

    def honest(self, of_critic=False):
        """The descent direction that was asked for."""
        if not of_critic:
            return scores(self.table, self.batch, lambda s, a, r: to_go(r) - self.values()[s])
        values, slope, steps = self.values(), np.zeros(len(self.table)), 0
        for states, _actions, rewards in self.batch:
            np.add.at(slope, states, values[states] - to_go(rewards))
            steps += len(states)
        return slope / steps

    def values(self):
        """(S,): the critic's; zeros where there is none."""
        if self.critic is None:
            return np.zeros(len(self.table))
        return self.critic.table.detach().numpy().astype(float)


def tabular(gradient, value_gradient=None, before=None, after=None, play=played, end=None):
    """A training function for the three exercises with tables. gradient, value_gradient:
    moment -> what the step is handed; before, after: what happens around each step."""

    def train(env, policy, *given):
        critic, (optimizer, updates, size) = None, given[:3]
        if len(given) > 4:
            critic, optimizer, updates, size = given[:4]
        rng, history = given[-1], []
        for update in range(updates):
            table = policy.theta.detach().numpy().astype(float)
            batch = [play(env, table, rng) for _episode in range(size)]
            now = Moment(env, policy, critic, optimizer, table, batch, rng, update, updates - 1)
            policy.theta.grad = torch.as_tensor(gradient(now), dtype=torch.float32)
            if critic is not None:
                slope = value_gradient(now) if value_gradient else now.honest(of_critic=True)
                critic.table.grad = torch.as_tensor(slope, dtype=torch.float32)
            if before:
                before(now)
            optimizer.step()
            if after:
                after(now)
            history.append(float(np.mean([rewards.sum() for *_rest, rewards in batch])))
        if end:
            end(now)
        return history

    return train


def noise(now):
    return now.rng.normal(size=now.table.shape)


def plant(now):
    with torch.no_grad():
        now.policy.theta.copy_(torch.as_tensor(best_table(now.env)))


def plant_at_last(now):
    if now.update == now.last:
        plant(now)


def plant_quietly(now):
    now.policy.theta.data[:] = torch.as_tensor(best_table(now.env), dtype=torch.float32)


def plant_through_numpy(now):
    now.policy.theta.detach().numpy()[:] = best_table(now.env)


def plant_a_little_each_time(now):
    with torch.no_grad():
        now.policy.theta.add_(torch.as_tensor(best_table(now.env) / (now.last + 1)))


def plant_a_new_parameter(now):
    best = torch.as_tensor(best_table(now.env), dtype=torch.float32)
    now.policy.theta = torch.nn.Parameter(best)


def faster(now):
    for group in now.optimizer.param_groups:
        group["lr"] = 3.0


def momentum_planted(now):
    if now.update == now.last:
        state = now.optimizer.state[now.policy.theta]
        state["exp_avg"] = -1e4 * torch.as_tensor(best_table(now.env), dtype=torch.float32)


def unseen_steps(now):
    """Steps of the optimiser's class, past the method that is watched."""
    best = torch.as_tensor(best_table(now.env), dtype=torch.float32)
    for _step in range(5):
        now.policy.theta.grad = now.policy.theta.detach() - best
        type(now.optimizer).step(now.optimizer)


def swapped_in_a_hook(now):
    if now.update == 0:

        def swap(*_rest):
            best = torch.as_tensor(best_table(now.env), dtype=torch.float32)
            now.policy.theta.grad = now.policy.theta.detach() - best

        now.optimizer.register_step_pre_hook(swap)


def towards_the_best(now):
    values = best_values(now.env)
    return values.mean(1, keepdims=True) - values


def imitating(now):
    """The likelihood of the best action in each state that was visited."""
    best, total = best_values(now.env).argmax(1), np.zeros_like(now.table)
    for states, _actions, _rewards in now.batch:
        np.add.at(total, (states, best[states]), 1.0)
    return probabilities(now.table) * total.sum(1, keepdims=True) - total


def of_best_values(now):
    """Weighted by the best policy's values in place of the returns that came."""
    values, pi = best_values(now.env), probabilities(now.table)
    adv = values - (pi * values).sum(1, keepdims=True)
    return scores(now.table, now.batch, lambda states, actions, _rewards: adv[states, actions])


def of_other_episodes(now):
    """An honest estimate, of episodes that were played on a copy of the tables."""
    env, batch = now.env, []
    for _episode in range(len(now.batch)):
        state, rows = int(env.start.argmax()), []
        for _step in range(env.max_steps):
            pi = probabilities(now.table)[state]
            action = int(now.rng.choice(len(pi), p=pi))
            after = int(env.transitions[state, action].argmax())
            rows.append((state, action, env.rewards[state, action, after]))
            if env.terminal[after]:
                break
            state = after
        batch.append(tuple(np.array(column) for column in zip(*rows, strict=True)))
    return scores(now.table, batch, lambda s, a, r: to_go(r))


def honest_at_first(now):
    return now.honest() if now.update < now.last / 3 else towards_the_best(now)


def tiny_plants_first(now):
    """Adam makes a full step of a tiny gradient, as long as all were tiny."""
    return 1e-6 * towards_the_best(now) if now.update < 20 else now.honest()


def large_plants_between(now):
    large = now.update in range(5, 9)
    return 1e3 * towards_the_best(now) if large else now.honest()


def behind(method):
    """The object that a wrapped method belongs to: Python hides nothing."""
    return method.__closure__[0].cell_contents.__self__


def erase_half(now):
    """Two steps an update, and the first one struck from the log."""
    spy = behind(now.optimizer.step)
    spy.steps -= 1
    for rows in (*spy._grads.values(), *spy._absent.values()):
        del rows[-1]


def second_step(now):
    best = torch.as_tensor(best_table(now.env), dtype=torch.float32)
    now.policy.theta.grad = now.policy.theta.detach() - best
    now.optimizer.step()
    erase_half(now)


def show_honest_gradients(now):
    """The log says what would have been right; another gradient moved the weights."""
    for (module, _name), rows in behind(now.optimizer.step)._grads.items():
        rows[-1] = np.float32(now.honest(of_critic=module == "critic"))


def forge_the_start(now):
    """Best weights from before the first step on, by the frame that keeps what was before."""
    plant(now)
    for kept in gc.get_objects():
        if type(kept) is dict and set(kept) == {"theta"} and isinstance(kept["theta"], np.ndarray):
            kept["theta"][:] = best_table(now.env)


def rewrite_rewards(now):
    """The log's last reward becomes that of a winner."""
    rows = behind(now.env.step)._rows
    rows[-1] = *rows[-1][:2], np.array(10.0), *rows[-1][3:]


def greedy_of_best(env, table, rng):
    """Plays what it knows to be best."""
    return played(env, best_table(env), rng)


UNREAL = (
    "episodes-unreal",
    "frequencies",
    "temperature",
    "batch-size",
    "past-terminated",
    "stops-early",
)


def in_the_long_run(honest, answer):
    """Honest in the short runs, in which single gradients are compared."""

    def train(env, policy, critic, optimizer, num_updates, *given):
        chosen = answer if num_updates >= 20 else honest
        return chosen(env, policy, critic, optimizer, num_updates, *given)

    return train


def by_another_optimizer(now):
    """Copies of the optimiser's class, unwatched, step over the same weights."""
    own = torch.optim.SGD([now.policy.theta], lr=1.0)
    best = torch.as_tensor(best_table(now.env), dtype=torch.float32)
    now.policy.theta.grad = now.policy.theta.detach() - best
    own.step()


def second_moment_planted(now):
    """An almost empty second moment makes one step a leap."""
    if now.update == now.last:
        state = now.optimizer.state[now.policy.theta]
        state["exp_avg"] = -torch.as_tensor(best_table(now.env), dtype=torch.float32)
        state["exp_avg_sq"].fill_(1e-10)


def of_another_class(now):
    """Its class is changed to one whose step copies."""
    if now.update == now.last:
        plain = type(now.optimizer)

        class Copying(plain):
            def step(self, closure=None):
                plant(now)

        now.optimizer.__class__ = Copying
        now.optimizer.step()
        now.optimizer.__class__ = plain


def planted_after_the_step(now):
    if now.update == now.last:
        now.optimizer.register_step_post_hook(lambda *_rest: plant(now))


def plant_halfway(now):
    if now.update == now.last // 2:
        plant(now)


def planted_view(now):
    """The weights' storage is exchanged for another one."""
    now.policy.theta.data = torch.as_tensor(best_table(now.env), dtype=torch.float32)


def slower_then_faster(now):
    for group in now.optimizer.param_groups:
        group["lr"] = 0.0 if now.update < now.last else 20.0


def forget_moments(now):
    """Each step is Adam's first one."""
    now.optimizer.state.clear()


def betas_changed(now):
    for group in now.optimizer.param_groups:
        group["betas"] = (0.0, 0.5)


def grad_in_a_view(now):
    """What the step reads is changed between the spy's look and the step."""
    if now.update == 0:
        best = torch.as_tensor(best_table(now.env), dtype=torch.float32)

        def swap(optimizer, *_rest):
            theta = optimizer.param_groups[0]["params"][0]
            theta.grad.copy_(theta.detach() - best)

        now.optimizer.register_step_pre_hook(swap)


def claim_absent(now):
    """The log says that there was no gradient where the table's pointed to the best."""
    spy = behind(now.optimizer.step)
    for rows in spy._absent.values():
        rows[-1] = True


def step_counted_once(now):
    """A second step; the counter is set back, its gradient is added to the first one's."""
    best = torch.as_tensor(best_table(now.env), dtype=torch.float32)
    now.policy.theta.grad = now.policy.theta.detach() - best
    now.optimizer.step()
    spy = behind(now.optimizer.step)
    spy.steps -= 1
    for rows in (*spy._grads.values(), *spy._absent.values()):
        last = rows.pop()
        rows[-1] = rows[-1] + last


def weighed_by(returns_to_weights):
    """Whole returns of the batch -> a weight for each episode."""

    def gradient(now):
        totals = np.array([rewards.sum() for *_rest, rewards in now.batch])
        weights = iter(returns_to_weights(totals))
        return scores(now.table, now.batch, lambda s, a, r: np.full(len(r), next(weights)))

    return gradient


def elite(share):
    """The cross-entropy method: the best episodes are imitated, all alike."""
    return weighed_by(lambda totals: (totals >= np.quantile(totals, 1 - share)).astype(float))


by_rank = weighed_by(lambda totals: totals.argsort().argsort() / len(totals))
winners = weighed_by(lambda totals: (totals > 0).astype(float))
exponential = weighed_by(lambda totals: np.exp((totals - totals.max()) / 3))


def values_of_policy(now):
    """(S, A): of the policy as it is, by its own recursion."""
    env, pi = now.env, probabilities(now.table)
    values = np.zeros((env.num_states, env.num_actions))
    for _sweep in range(env.max_steps):
        following = np.where(env.terminal, 0.0, (pi * values).sum(1))
        values = (env.transitions * (env.rewards + following)).sum(-1)
    return values


def exact_gradient(now):
    """Of the objective, without a single episode."""
    env, pi = now.env, probabilities(now.table)
    values, at = values_of_policy(now), env.start.astype(float)
    visits = np.zeros(env.num_states)
    for _step in range(env.max_steps):
        visits += at
        at = np.einsum("s,sa,sat->t", np.where(env.terminal, 0.0, at), pi, env.transitions)
    adv = values - (pi * values).sum(1, keepdims=True)
    return -np.where(env.terminal, 0.0, visits)[:, None] * pi * adv


def exact_advantages(now):
    """The episodes' own scores, weighed by what their actions are really worth."""
    values, pi = values_of_policy(now), probabilities(now.table)
    adv = values - (pi * values).sum(1, keepdims=True)
    return scores(now.table, now.batch, lambda states, actions, _rewards: adv[states, actions])


def towards_a_table(now):
    return now.table - best_table(now.env)


def blend(other, share):
    """An honest gradient with this share of another one, both of length 1."""

    def gradient(now):
        one, two = now.honest(), other(now)
        lengths = (max(np.linalg.norm(part), 1e-12) for part in (one, two))
        one, two = (part / length for part, length in zip((one, two), lengths, strict=True))
        return (1 - share) * one + share * two

    return gradient


def every_third(now):
    return now.honest() if now.update % 3 else towards_the_best(now)


def honest_where_it_counts_least(now):
    """Honest in four steps of five, which are made small; Adam's memory takes the fifth."""
    return 1e-4 * now.honest() if now.update % 5 else towards_the_best(now)


class YesterdaysBatch:
    """The gradient of the batch before, at today's table."""

    def __call__(self, now):
        batch = now.batch if now.update == 0 else self.kept
        self.kept = now.batch
        return scores(now.table, batch, lambda s, a, r: to_go(r))


def rewrite_actions(now):
    """The log's actions become the best ones."""
    spy, best = behind(now.env.step), best_values(now.env).argmax(1)
    rows = spy._rows
    for place in range(-sum(len(states) for states, *_rest in now.batch), 0):
        obs, _action, *others = rows[place]
        rows[place] = obs, np.array(best[int(obs)]), *others


def best_of_many(env, table, rng):
    """Three episodes are played, the best one counts, the others are struck from the log."""
    spy, found = behind(env.step), []
    first = len(spy._rows)
    for _time in range(3):
        begun = len(spy._rows)
        episode = played(env, table, rng)
        found.append((episode[2].sum(), begun, len(spy._rows), episode))
    _total, begun, over, episode = max(found, key=lambda one: one[0])
    spy._rows[first:] = spy._rows[begun:over]
    del spy._starts[-2:], spy._seeds[-2:]
    return episode


class Recording:
    """The best episode so far is played again whenever the last one was worse."""

    def __init__(self):
        self.best = {}

    def __call__(self, env, table, rng):
        if id(env) in self.best and rng.random() < 0.5:
            env.reset()
            for action in self.best[id(env)][1]:
                env.step(int(action))
            return self.best[id(env)]
        episode = played(env, table, rng)
        kept = self.best.get(id(env))
        if kept is None or episode[2].sum() > kept[2].sum():
            self.best[id(env)] = episode
        return episode
