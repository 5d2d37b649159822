"""How long does PPO take on CartPole-v1? ``python -m tests.bench_ppo_speed [--seeds 5]``

Side by side on one core: the lesson's PPO, as its text solves the exercises, with the lesson's
settings (chosen for few steps) and with others (chosen for few seconds); Stable-Baselines3
with the settings that its zoo tuned for CartPole-v1; the default settings of CleanRL's ppo.py,
restated here. Stable-Baselines3 is measured where it is installed (the extra "bench").

The clock stops at the first evaluation, every 2048 steps, in which 100 sampled episodes average
475 and 100 fresh ones do so, too. Evaluations and imports are not counted.
"""

import argparse
import contextlib
import platform
import statistics
import sys
import time

import gymnasium
import numpy as np
import torch

import policy_gradients as pg
from publish.solved import namespace

MARK, EPISODES, EVERY = 475.0, 100, 2048


class Solved(Exception):
    """The mark is reached and confirmed."""


class Clock:
    """Seconds of training (by the clock and on the processor) and steps, up to the mark."""

    def __init__(self):
        self.seconds, self.cpu, self.steps, self._due = 0.0, 0.0, 0, EVERY
        self._envs = pg.envs.VectorCartPole(EPISODES)
        self._since = 0.0, 0.0

    def start(self):
        """Everything is built, or an evaluation is over: now the clock runs."""
        self._since = time.perf_counter(), time.process_time()

    def after(self, steps, logits):
        """Called when `steps` more steps have been learned from; logits(obs) is the policy."""
        self.seconds += time.perf_counter() - self._since[0]
        self.cpu += time.process_time() - self._since[1]
        self.steps += steps
        if self.steps >= self._due:
            self._due += EVERY
            # The second evaluation is a fresh one.
            if all(
                self._mean(logits, seed) >= MARK for seed in (2 * self.steps, 2 * self.steps + 1)
            ):
                raise Solved
        self.start()

    def _mean(self, logits, seed):
        return pg.evaluation.sampled_returns(logits, self._envs, seed=seed).mean()


def lesson(seed, clock, limit=100_000, fused=False, **options):
    """Lesson 05's own functions, with its settings where no `options` of train_ppo are given."""
    names = namespace("05_ppo_loop")
    torch.manual_seed(seed)
    policy, critic = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    weights = [*policy.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.01, fused=fused)
    envs, rng = pg.envs.VectorCartPole(32), np.random.default_rng(seed)
    update = names["ppo_update"]

    def timed(*args, **kwargs):
        log = update(*args, **kwargs)
        clock.after(32 * 64, policy)
        return log

    names["ppo_update"] = timed
    clock.start()
    rounds = limit // (32 * 64)
    names["train_ppo"](envs, policy, critic, optimizer, rounds, 64, rng, **options)


def quick(seed, clock):
    """The same functions with half the epochs, half the minibatch and a fused Adam."""
    lesson(seed, clock, fused=True, epochs=2, minibatch_size=256)


def zoo(seed, clock, limit=100_000):
    """Stable-Baselines3 with rl-baselines3-zoo's hyperparameters for CartPole-v1."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Watch(BaseCallback):
        """Looks when the next rollout begins: the update before it is over then."""

        def _on_rollout_start(self):
            if self.num_timesteps:
                clock.after(8 * 32, self._logits)

        def _on_step(self):
            return True

        def _logits(self, obs):
            return self.model.policy.get_distribution(torch.as_tensor(obs)).distribution.logits

    envs = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    model = PPO(
        "MlpPolicy",
        envs,
        n_steps=32,
        batch_size=256,
        gae_lambda=0.8,
        gamma=0.98,
        n_epochs=20,
        ent_coef=0.0,
        learning_rate=lambda left: 1e-3 * left,
        clip_range=lambda left: 0.2 * left,
        seed=seed,
        device="cpu",
    )
    clock.start()
    model.learn(limit, callback=Watch())


def cleanrl(seed, clock, limit=500_000):
    """The defaults of CleanRL's ppo.py (Huang et al. 2022), in words of our own.

    4 environments, 128 steps, 4 minibatches, 4 epochs, Adam 2.5e-4 (eps 1e-5) that falls to 0 over
    500k steps, gamma .99, lambda .95, clip .2 for policy and values, entropy .01, values .5,
    gradients clipped at .5, advantages normalised in each minibatch; cut episodes count as ended.
    """
    torch.manual_seed(seed)
    rng, count, length = np.random.default_rng(seed), 4, 128
    envs = gymnasium.vector.SyncVectorEnv(
        [lambda: gymnasium.make("CartPole-v1")] * count,
        autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP,
    )
    policy, critic = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    weights = [*policy.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(weights, lr=2.5e-4, eps=1e-5)
    obs = torch.as_tensor(envs.reset(seed=seed)[0])
    rounds = limit // (count * length)
    clock.start()
    for done in range(rounds):
        optimizer.param_groups[0]["lr"] = 2.5e-4 * (1 - done / rounds)
        batch, obs = _collect(envs, policy, critic, obs, length)
        for _ in range(4):
            for idx in np.split(rng.permutation(count * length), 4):
                optimizer.zero_grad()
                _cleanrl_loss(policy, critic, [part[idx] for part in batch]).backward()
                torch.nn.utils.clip_grad_norm_(weights, 0.5)
                optimizer.step()
        clock.after(count * length, policy)


@torch.no_grad()
def _collect(envs, policy, critic, obs, length, gamma=0.99, lam=0.95):
    """One rollout as a flat batch: obs, actions, logp, advantages, returns, values."""
    rows = []
    for _ in range(length):
        drawn = torch.distributions.Categorical(logits=policy(obs))
        act = drawn.sample()
        following, rew, terminated, truncated, _infos = envs.step(act.numpy())
        goes_on = torch.as_tensor(~(terminated | truncated)).float()
        rows.append(
            (obs, act, drawn.log_prob(act), critic(obs), torch.as_tensor(rew).float(), goes_on)
        )
        obs = torch.as_tensor(following)
    seen, act, logp, val, rew, goes_on = (torch.stack(part) for part in zip(*rows, strict=True))
    adv, later, ahead = torch.zeros_like(val), 0.0, critic(obs)
    for t in reversed(range(length)):
        delta = rew[t] + gamma * goes_on[t] * ahead - val[t]
        later = delta + gamma * lam * goes_on[t] * later
        adv[t], ahead = later, val[t]
    return [part.flatten(0, 1) for part in (seen, act, logp, adv, adv + val, val)], obs


def _cleanrl_loss(policy, critic, batch):
    obs, act, logp_old, adv, ret, val_old = batch
    drawn = torch.distributions.Categorical(logits=policy(obs))
    ratio = torch.exp(drawn.log_prob(act) - logp_old)
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    gain = torch.min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
    val = critic(obs)
    held = val_old + (val - val_old).clamp(-0.2, 0.2)
    error = torch.max((val - ret) ** 2, (held - ret) ** 2).mean()
    return -gain + 0.5 * 0.5 * error - 0.01 * drawn.entropy().mean()


CONTESTANTS = {
    "lesson 05": lesson,
    "lesson 05, K = 2": quick,
    "SB3, zoo-tuned": zoo,
    "CleanRL defaults": cleanrl,
}


def measure(name, seed):
    """(seconds, of them on the processor, steps) until the mark is confirmed; None if never."""
    clock = Clock()
    try:
        CONTESTANTS[name](seed, clock)
    except Solved:
        return clock.seconds, clock.cpu, clock.steps
    return None


def available():
    """The contestants whose packages are installed."""
    try:
        import stable_baselines3  # noqa: F401 - only whether it is there
    except ImportError:
        print('Stable-Baselines3 is not installed (pip install ".[bench]"): left out.')
        return [name for name in CONTESTANTS if not name.startswith("SB3")]
    return list(CONTESTANTS)


def report(name, results):
    """One line: medians, and the worst of all seeds."""
    solved = [result for result in results if result]
    if not solved:
        return f"{name:18}  never"
    seconds, cpu, steps = zip(*solved, strict=True)
    return (
        f"{name:18} {statistics.median(seconds):8.2f} s {max(seconds):8.2f} s "
        f"{statistics.median(cpu):8.2f} s "
        f"{statistics.median(steps):9.0f} {max(steps):9.0f}   {len(solved)}/{len(results)}"
    )


def main(arguments=None):
    """Measure and print; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_ppo_speed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=CONTESTANTS, help="measure one contestant alone")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    names = [options.only] if options.only else available()
    for name in names:  # what is imported or built on first use is not what is measured
        _warm(name)
    results = {name: [] for name in names}
    for seed in range(options.seeds):
        for name in names:  # side by side: a slow minute of the machine meets all of them
            results[name].append(measure(name, seed))
            print(".", end="", flush=True)
    print(
        f"\nCartPole-v1, {MARK:.0f} over {EPISODES} sampled episodes, confirmed; one thread, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )
    print(
        f"{'':18} {'median':>10} {'worst':>10} {'processor':>10} {'steps':>9} {'worst':>9}   solved"
    )
    for name in names:
        print(report(name, results[name]))
    _compare(results)
    return 0


def _warm(name):
    class Enough(Clock):
        def after(self, steps, logits):
            raise Solved

    with contextlib.suppress(Solved):
        CONTESTANTS[name](0, Enough())


def _compare(results):
    """How many times as long the others take as the lesson's code.

    On a quiet machine both numbers agree; where others use it, too, the processor's is the fairer.
    """
    medians = {
        name: [statistics.median(column) for column in zip(*filter(None, rows), strict=True)]
        for name, rows in results.items()
        if any(rows)
    }
    for own in [name for name in medians if name.startswith("lesson")]:
        for name in [name for name in medians if not name.startswith("lesson")]:
            clock, cpu = (medians[name][i] / medians[own][i] for i in (0, 1))
            print(f"{name}: {clock:.1f} times {own} by the clock, {cpu:.1f} on the processor")


if __name__ == "__main__":
    sys.exit(main())
