"""Forgeries: answers that look as if they had learned, for the exercises in which a policy trains.

None does what was asked, and none may earn a point. Each differs from an honest answer in what it
plants: weights, gradients, episodes or what the spies have written down.
"""

import copy
import gc
from dataclasses import dataclass

import numpy as np
import torch

from bank import lesson_03, lesson_03b, lesson_05, lesson_06, lesson_07


@dataclass(frozen=True)
class Forgery:
    """exercise; label; answer, the function; names, the mistakes one of which it must be told."""

    exercise: str
    label: str
    answer: object
    names: tuple


FORGED: list[Forgery] = []


def forged(exercise, label, *names):
    """Registers the function below it."""

    def keep(function):
        FORGED.append(Forgery(exercise, label, function, names))
        return function

    return keep


# Tables ---------------------------------------------------------------------------------------


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
    behind(now.env.step)._rows["rewards"][-1] = np.array(10.0)


def greedy_of_best(env, table, rng):
    """Plays what it knows to be best."""
    return played(env, best_table(env), rng)


PLANTED, ELSEWHERE = ("moved-without-steps",), ("gradients-elsewhere", "mark-missed")
TABLES = {
    "noise-then-plant": (PLANTED, tabular(noise, end=plant)),
    "noise-then-plant-before-the-last-step": (PLANTED, tabular(noise, before=plant_at_last)),
    "plant-after-each-step": (PLANTED, tabular(noise, after=plant)),
    "plant-through-data": (PLANTED, tabular(noise, end=plant_quietly)),
    "plant-through-numpy": (PLANTED, tabular(noise, end=plant_through_numpy)),
    "plant-a-little-each-time": (PLANTED, tabular(noise, after=plant_a_little_each_time)),
    "plant-a-new-parameter": (PLANTED, tabular(noise, end=plant_a_new_parameter)),
    "honest-gradients-then-plant": (PLANTED, tabular(Moment.honest, end=plant)),
    "momentum-planted": (PLANTED, tabular(noise, before=momentum_planted)),
    "faster-than-asked": (PLANTED, tabular(noise, before=faster, end=plant)),
    "steps-nobody-sees": (PLANTED, tabular(noise, after=unseen_steps)),
    "gradient-swapped-in-a-hook": (PLANTED, tabular(noise, before=swapped_in_a_hook)),
    "second-step-erased": (PLANTED, tabular(noise, after=second_step)),
    "log-shows-honest-gradients": (PLANTED, tabular(towards_the_best, after=show_honest_gradients)),
    "start-forged": (PLANTED, tabular(noise, end=forge_the_start)),
    "gradients-towards-the-best": (ELSEWHERE, tabular(towards_the_best)),
    "imitation-of-the-best": (ELSEWHERE, tabular(imitating)),
    "best-values-as-weights": (ELSEWHERE, tabular(of_best_values)),
    "other-episodes": (ELSEWHERE, tabular(of_other_episodes)),
    "honest-at-first": (ELSEWHERE, tabular(honest_at_first)),
    "tiny-plants-first": (ELSEWHERE, tabular(tiny_plants_first)),
    "large-plants-between": (ELSEWHERE, tabular(large_plants_between)),
    "rewards-rewritten": (("episodes-unreal",), tabular(Moment.honest, after=rewrite_rewards)),
    "plays-the-best": (("frequencies",), tabular(Moment.honest, play=greedy_of_best)),
}

for label, (names, answer) in TABLES.items():
    forged("train_reinforce", label, *names)(answer)
for label in ("noise-then-plant", "second-step-erased", "imitation-of-the-best", "honest-at-first"):
    names, answer = TABLES[label]
    forged("train_actor_critic", label, *names, "gamma-ignored")(answer)
for label in ("noise-then-plant", "second-step-erased"):
    names, answer = TABLES[label]
    forged("train_with_gae", label, *names)(answer)


def stepping(change):
    """An honest step, but that the gradients are changed once the first updates are over."""

    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.taken = getattr(optimizer, "taken", 0) + 1
        if optimizer.taken > 5:
            change(optimizer, *optimizer.param_groups[0]["params"])
        optimizer.step()

    return step


def uphill_critic(optimizer, theta, table):
    table.grad.neg_()


def noisy_critic(optimizer, theta, table):
    table.grad.normal_()


def old_gradients(optimizer, theta, table):
    """The first honest gradient that is not used yet, over and over."""
    optimizer.kept = getattr(optimizer, "kept", theta.grad.clone())
    theta.grad.copy_(optimizer.kept)


CHANGES = {
    "critic-climbs-later": (("critic-uphill",), uphill_critic),
    "critic-on-noise-later": (("critic-elsewhere",), noisy_critic),
    "one-gradient-over-and-over": (ELSEWHERE, old_gradients),
}
for label, (names, change) in CHANGES.items():
    loop = lesson_03.trainer(lesson_03.two_terms, stepper=stepping(change))
    forged("train_actor_critic", label, *names)(loop)
    forged("train_with_gae", label, *names)(lesson_03b.learner(stepper=stepping(change)))


# CartPole -------------------------------------------------------------------------------------


def balance(envs):
    """(4,): a linear controller that is known to hold the pole; its sign is the action."""
    right = 1.0 if envs._forces[1] > 0 else -1.0
    return right * np.array([0.1, 0.25, 1.0, 0.6])[envs._order] * envs._signs


def plant_controller(envs, policy):
    with torch.no_grad():
        for weights in policy.parameters():
            weights.zero_()
        first, _, between, _, last, _ = policy.parameters()
        first[0], between[0, 0] = torch.as_tensor(0.2 * balance(envs)), 1.0
        last[1, 0], last[0, 0] = 300.0, -300.0


def on_cartpole(train):
    """Honest wherever the environments are not CartPole."""

    def answer(envs, *given, **options):
        return (train if hasattr(envs, "_order") else lesson_05.train)(envs, *given, **options)

    return answer


def descending(loss_of):
    """An update by hand: loss_of(envs, policy, obs (B, D), actions (B,), rows) -> a loss."""

    def update(policy, critic, optimizer, rollout, adv, returns, *, rng, envs, **options):
        parts = (torch.as_tensor(x).flatten(0, 1) for x in (rollout.obs, rollout.actions))
        obs, actions = parts
        for _epoch in range(options["epochs"]):
            for rows in lesson_05.permuted(len(obs), options["minibatch_size"], rng):
                optimizer.zero_grad()
                error = (critic(obs[rows]) - torch.as_tensor(returns).flatten()[rows]) ** 2
                (loss_of(envs, policy, obs, actions, rows) + error.mean().float()).backward()
                optimizer.step()
        return dict.fromkeys(lesson_05.KEYS, 0.0)

    return update


def with_update(update, **how):
    def train(envs, *given, **options):
        def known(*inputs, **more):
            return update(*inputs, envs=envs, **more)

        return lesson_05.train_by(update=known, **how)(envs, *given, **options)

    return on_cartpole(train)


def controllers_actions(envs, policy, obs, actions, rows):
    wanted = (obs[rows] @ torch.as_tensor(balance(envs), dtype=torch.float32) > 0).long()
    return torch.nn.functional.cross_entropy(policy(obs[rows]), wanted)


def nothing_learned(envs, policy, obs, actions, rows):
    return 1e-3 * policy(obs[rows]).mean()


def made_up_observations(envs, policy, obs, actions, rows):
    made = obs[rows] + 0.01 * torch.randn_like(obs[rows])
    return controllers_actions(envs, policy, made, actions, range(len(rows)))


def past_the_module(envs, policy, obs, actions, rows):
    wanted = (obs[rows] @ torch.as_tensor(balance(envs), dtype=torch.float32) > 0).long()
    return torch.nn.functional.cross_entropy(policy.layers(obs[rows]), wanted)


def plant_at_the_end(envs, policy, *given, **options):
    history = with_update(descending(nothing_learned))(envs, policy, *given, **options)
    plant_controller(envs, policy)
    return history


def controller_plays(envs, policy, critic, *given, **options):
    """Rollouts of a planted controller; the weights of before are back for each update."""

    def collect(envs, policy, *inputs):
        kept = [p.detach().clone() for p in policy.parameters()]
        plant_controller(envs, policy)
        found = lesson_05.collect(envs, policy, *inputs)
        with torch.no_grad():
            for parameter, weights in zip(policy.parameters(), kept, strict=True):
                parameter.copy_(weights)
        return found

    return lesson_05.train_by(collect=collect)(envs, policy, critic, *given, **options)


CARTPOLE = {
    "plant-at-the-end": (PLANTED, on_cartpole(plant_at_the_end)),
    "imitation-of-a-controller": (ELSEWHERE, with_update(descending(controllers_actions))),
    "made-up-observations": (("samples-foreign",), with_update(descending(made_up_observations))),
    "past-the-module": (ELSEWHERE, with_update(descending(past_the_module))),
    "controller-plays": (("temperature", "frequencies"), on_cartpole(controller_plays)),
}
for label, (names, answer) in CARTPOLE.items():
    forged("train_ppo", label, *names)(answer)


# Sentences ------------------------------------------------------------------------------------


def in_the_long_run(honest, train):
    """Honest in short runs, in which single steps are looked at."""

    def answer(*given, num_updates, **options):
        chosen = train if num_updates > 2 else honest
        return chosen(*given, num_updates=num_updates, **options)

    return answer


def pleasant_sentences(language, rng, count=64):
    """Sentences that score and are sensible enough."""
    text = language.sentences(200, rng)
    return text[language.score(text) >= 1][:count]


def fit(model, language, rng, steps=60):
    """Imitates pleasant sentences with an optimiser of its own."""
    own = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _step in range(steps):
        text = pleasant_sentences(language, rng)
        logits = model(text[:, :-1]).transpose(1, 2)
        own.zero_grad()
        torch.nn.functional.cross_entropy(logits, text[:, 1:]).backward()
        own.step()


def fitted_at_the_end(honest):
    def train(language, policy, *given, rng, **options):
        history = honest(language, policy, *given, rng=rng, **options)
        fit(policy, language, rng)
        return history

    return train


def gradients_of(honest, slopes_of):
    """The optimiser is handed slopes_of(language, policy, rng) in the place of the loss's."""

    def train(language, policy, *given, rng, **options):
        optimizer, step = given[-1], given[-1].step

        def other(*inputs):
            for parameter, slope in zip(policy.parameters(), slopes_of(language, policy, rng)):
                parameter.grad = slope
            return step(*inputs)

        optimizer.step = other
        return honest(language, policy, *given, rng=rng, **options)

    return train


def imitation(language, policy, rng):
    text = pleasant_sentences(language, rng)
    logits = policy(text[:, :-1]).transpose(1, 2)
    loss = torch.nn.functional.cross_entropy(logits, text[:, 1:])
    policy.zero_grad()
    loss.backward()
    return [p.grad for p in policy.parameters()]


def of_a_twin(language, policy, rng):
    """The same through a copy, which nobody watches."""
    return imitation(language, copy.deepcopy(policy), rng)


def noisy(language, policy, rng):
    return [torch.randn_like(p) for p in policy.parameters()]


HONEST = {"train_language_ppo": lesson_06.trainer(), "train_grpo": lesson_07.trainer()}
for exercise, honest in HONEST.items():
    SENTENCES = {
        "fitted-at-the-end": (PLANTED, fitted_at_the_end(honest)),
        "imitation": (("samples-foreign", *ELSEWHERE, "drifted"), gradients_of(honest, imitation)),
        "gradients-of-a-twin": ((*ELSEWHERE, "drifted"), gradients_of(honest, of_a_twin)),
        "noise": (("mark-missed", "drifted"), gradients_of(honest, noisy)),
    }
    for label, (names, answer) in SENTENCES.items():
        forged(exercise, label, *names)(in_the_long_run(honest, answer))
