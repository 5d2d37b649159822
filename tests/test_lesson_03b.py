"""What lesson 03b claims, and its checks' truths against something else than themselves."""

import numpy as np
import pytest

import policy_gradients as pg
from bank.lesson_03b import gae as wrong_gae
from grader.checks.judge import run_check
from grader.checks.lesson_03 import baselines
from grader.checks.lesson_03b import EXERCISES, gae, learning, n_step, td_errors
from grader.checks.registry import get
from grader.checks.shared.episodes import Episode
from grader.probes import runtime
from tests.lesson_code import solved

LESSON = solved("03b_gae")


@pytest.fixture(scope="module")
def corridor():
    """env, logits, probabilities and all its episodes."""
    env = pg.envs.Corridor(length=5, max_steps=7)
    theta = np.random.default_rng(1).normal(size=(5, 2))
    chances, episodes = zip(
        *pg.exact.enumerate_trajectories(env, LESSON["softmax"](theta)), strict=True
    )
    return env, theta, np.array(chances), episodes


def board(**how):
    env = pg.envs.Grid(**how)
    best = pg.exact.best_policy(env)
    return env, {"nothing": np.full(best.shape, 0.25), "half": 0.5 * best + 0.125}


def total_variance(env, pi, name, **how):
    return pg.exact.gradient_moments(env, pi, name, **how).total_variance


def one_column(env, traj, values):
    """td_errors' and gae's arrays (T, 1) of one episode without random steps."""
    last = env.transitions[traj.states[-1], traj.actions[-1]].argmax()
    following = np.append(traj.states[1:], last)
    terminated = env.terminal[following]
    truncated = np.arange(len(traj)) == len(traj) - 1
    rows = traj.rewards, values[traj.states], values[following], terminated, truncated & ~terminated
    return [np.asarray(row)[:, None] for row in rows]


# Truths


def test_td_errors_of_the_exact_values_average_to_zero(corridor):
    """Expected TD error under the policy's own values is 0 in every state (Bellman)."""
    env, theta, _chances, _episodes = corridor
    pi = LESSON["softmax"](theta)
    values = pg.exact.state_values(env, pi, gamma=0.9)
    total = np.zeros(5)
    for s, a, n in np.argwhere(env.transitions > 0):
        columns = ([[x]] for x in (env.rewards[s, a, n], values[s], values[n], env.terminal[n]))
        error = td_errors.td_truth(*(np.array(x) for x in columns), 0.9)
        total[s] += pi[s, a] * env.transitions[s, a, n] * error[0, 0]
    np.testing.assert_allclose(total[~env.terminal], 0, atol=1e-12)


def test_gae_truth_at_its_limits(corridor):
    """lambda 0 is the TD error; lambda 1 telescopes to reward-to-go (plus what the clock cut off)
    minus the value."""
    env, _theta, _chances, episodes = corridor
    values = np.random.default_rng(0).normal(size=5)
    for traj in episodes:
        columns = one_column(env, traj, values)
        rewards, own, following, terminated, truncated = columns
        td = td_errors.td_truth(rewards, own, following, terminated, 0.9)
        adv = gae.gae_truth(*columns, gamma=0.9, lam=0.0)
        np.testing.assert_allclose(adv, td)
        left = np.arange(len(traj), 0, -1)
        cut = np.where(truncated[-1], following[-1], 0.0) * 0.9**left
        wanted = LESSON["reward_to_go"](traj.rewards, 0.9) + cut - own[:, 0]
        adv = gae.gae_truth(*columns, gamma=0.9, lam=1.0)
        np.testing.assert_allclose(adv[:, 0], wanted)


def test_gae_truth_averages_to_the_exact_estimate(corridor):
    """The expected gradient with truth's advantages is what dynamic programming says."""
    env, theta, chances, episodes = corridor
    pi, values = LESSON["softmax"](theta), np.array([1.0, -2.0, 0.5, 3.0, 1.0])
    zero = np.zeros(5)
    samples = []
    for traj in episodes:
        adv = gae.gae_truth(*one_column(env, traj, values), gamma=0.9, lam=0.6)[:, 0]
        fake = pg.Trajectory(traj.states, traj.actions, adv)
        samples.append(baselines.baseline_truth(theta, [fake], zero, gamma=0.0)[0])
    exact = pg.exact.gradient_moments(env, pi, "gae", gamma=0.9, values=values, lam=0.6)
    np.testing.assert_allclose(np.tensordot(chances, np.array(samples), 1), exact.mean, atol=1e-12)


def test_next_values_of_a_terminated_step_are_junk_and_of_a_cut_one_are_not():
    """The fixture holds what the two flags are to be told apart by."""
    fields = td_errors.told_apart()
    terminated, truncated = fields["terminated"], fields["truncated"]
    assert terminated.any() and truncated.any() and not (terminated & truncated).any()
    assert (fields["next_values"][terminated] == td_errors.JUNK).all()
    cut = np.argwhere(truncated[:-1])
    assert all(fields["next_values"][t, n] != fields["values"][t + 1, n] for t, n in cut)
    inside = ~(terminated | truncated)[:-1]
    same = fields["next_values"][:-1] == fields["values"][1:]
    assert same[inside].all()


def test_n_step_truth_between_its_limits(corridor):
    """n = 1 is the TD error; past the end it is gae at lambda 1; in between it averages, over all
    episodes, to n backups of the values."""
    env, theta, chances, episodes = corridor
    values = np.random.default_rng(0).normal(size=5)
    pi = LESSON["softmax"](theta)
    for traj in episodes:
        columns = one_column(env, traj, values)
        found = n_step.n_step_truth(*columns, n=1, gamma=0.9)
        np.testing.assert_allclose(found, td_errors.td_truth(*columns[:4], 0.9))
        found = n_step.n_step_truth(*columns, n=99, gamma=0.9)
        np.testing.assert_allclose(found, gae.gae_truth(*columns, gamma=0.9, lam=1.0))
    start = int(env.start.argmax())
    backed = values
    for _step in range(3):
        reached = env.rewards + 0.9 * backed * ~env.terminal
        backed = (pi * (env.transitions * reached).sum(2)).sum(1)
    first = [
        n_step.n_step_truth(*one_column(env, t, values), n=3, gamma=0.9)[0, 0] for t in episodes
    ]
    assert chances @ first == pytest.approx(backed[start] - values[start])


def test_the_mixture_of_n_steps_is_gae():
    """(1 - lambda) lambda^(n - 1), and what is left of the weight on the longest."""
    rng = np.random.default_rng(5)
    fields = td_errors.random_records(rng, 12)
    steps = len(fields["rewards"])
    each = [n_step.n_step_truth(**fields, n=n, gamma=0.8) for n in range(1, steps + 1)]
    weights = 0.3 * 0.7 ** np.arange(steps)
    weights[-1] = 0.7 ** (steps - 1)
    wanted = gae.gae_truth(**fields, gamma=0.8, lam=0.7)
    np.testing.assert_allclose(np.tensordot(weights, each, 1), wanted)


@pytest.mark.parametrize("ended", ["terminated", "truncated"])
def test_the_trainings_advantages_are_those_of_gae(ended):
    env = pg.envs.Grid()
    states, actions = np.array([0, 1, 2]), np.array([1, 1, 2 if ended == "truncated" else 1])
    values = np.random.default_rng(0).normal(size=16)
    episode = Episode(states, actions, np.array([-0.1, -0.1, 3.0]), ended, 0)
    rows = learning.Rows.of(env, episode, values)
    following = values[[1, 2, env.transitions[2, actions[-1]].argmax()]]
    flags = np.zeros((2, 3), bool)
    flags[0 if ended == "terminated" else 1, -1] = True
    columns = (episode.rewards, values[states], following, *flags)
    wanted = gae.gae_truth(*(np.asarray(c)[:, None] for c in columns), gamma=0.9, lam=0.6)
    np.testing.assert_allclose(rows.advantages(0.9, 0.6), wanted[:, 0])


def judged(name, namespace, failed=(), seed=0):
    def probe(request, ask):
        return runtime.run(namespace, name, request, ask)

    return run_check(get(name), probe, seed, frozenset(failed))


@pytest.mark.parametrize("seed", range(8))
def test_the_lessons_training_reaches_the_mark_on_other_draws(seed):
    verdict = judged("train_with_gae", LESSON, seed=seed)
    assert verdict.passed, verdict.text()


def test_short_runs_hold_episodes_that_ended_and_some_that_were_cut():
    """Without both the wrong treatments of the clock could not be told from the right one."""
    for seed in range(5):
        case = learning.train_with_gae_cases(np.random.default_rng(seed))[0]
        assert case.inputs["env"].kwargs["max_steps"] == learning.SHORT
        env = pg.envs.Grid(**case.inputs["env"].kwargs)
        pi = LESSON["softmax"](case.inputs["policy"].weights["theta"].astype(float))
        play = pg.play_many(env, np.repeat(pi[None], 400, axis=0), np.random.default_rng(seed))
        assert 0.1 < play.truncated.sum() / 400 < 0.97


@pytest.mark.parametrize("over", ["steps", "trajectories"])
def test_the_check_says_over_what_a_right_loss_averages(over):
    """The notebook's own loop, and the same with each gradient scaled to a mean over episodes."""
    namespace = solved.__wrapped__("03b_gae")
    if over == "trajectories":
        train = namespace["train_with_gae"]

        def scaled(env, policy, critic, optimizer, updates, size, gamma, lam, rng):
            play, step, rows = namespace["rollout"], optimizer.step, []

            def kept(*args):
                rows.append(len(found := play(*args)))
                return found

            def scaled_step():
                for group in optimizer.param_groups:
                    for p in group["params"]:
                        p.grad *= sum(rows) / size
                rows.clear()
                step()

            namespace["rollout"], optimizer.step = kept, scaled_step
            try:
                return train(env, policy, critic, optimizer, updates, size, gamma, lam, rng)
            finally:
                namespace["rollout"] = play

        namespace["train_with_gae"] = scaled
    verdict = judged("train_with_gae", namespace)
    assert verdict.passed and over in verdict.headline(), verdict.text()


@pytest.mark.parametrize(
    ("broken", "answer", "dependants"),
    [
        (
            "td_errors",
            lambda r, v, w, end, g: r + g * w - v,
            ["gae", "n_step_advantages"],
        ),
        (
            "gae",
            lambda r, v, w, end, cut, gamma=0.99, lam=0.95: r - v,
            ["train_with_gae"],
        ),
    ],
    ids=["td_errors", "gae"],
)
def test_a_wrong_prerequisite_costs_its_own_points_alone(broken, answer, dependants):
    notebook = solved.__wrapped__("03b_gae")
    notebook[broken] = answer
    assert not judged(broken, notebook).passed
    for name in dependants:
        assert not judged(name, notebook).passed
        assert judged(name, notebook, failed=[broken]).passed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_a_check_survives_a_reply_of_any_shape(exercise):
    cases = exercise.cases(np.random.default_rng(0))
    for reply in ([], None, [{}] * len(cases), [{"value": {"kind": "array"}}] * len(cases)):
        assert not exercise.judge(cases, reply).passed


# Claims


def test_the_textbook_order_holds_for_the_beginner_and_fails_for_the_second_policy():
    env, policies = board(max_steps=200)
    found = {}
    for name, pi in policies.items():
        value, mean = pg.exact.state_values(env, pi), pg.exact.objective(env, pi)
        found[name] = [
            total_variance(env, pi, "return"),
            total_variance(env, pi, "reward_to_go"),
            total_variance(env, pi, "baseline", baseline=np.full(16, mean)),
            total_variance(env, pi, "baseline", baseline=value),
            *(total_variance(env, pi, "gae", values=value, lam=lam) for lam in (0.95, 0.5, 0)),
        ]
    assert found["nothing"] == sorted(found["nothing"], reverse=True)
    assert found["nothing"][0] > 80 * found["nothing"][-1]
    whole, to_go, _mean, value, *gae = found["half"]
    assert value > whole > to_go and gae[0] < 0.7 * value and gae[2] < 0.2 * value
    assert round(value) == 483 and round(to_go) == 468


def test_bias_falls_and_scatter_rises_with_lambda_for_a_wrong_critic():
    env, policies = board(max_steps=200)
    pi = policies["nothing"]
    exact = pg.exact.policy_gradient(env, pi)
    wrong = pg.exact.state_values(env, pi) + np.random.default_rng(1).normal(size=16) * 2
    lams = (0.0, 0.5, 0.8, 0.95, 1.0)
    points = [pg.exact.gradient_moments(env, pi, "gae", values=wrong, lam=lam) for lam in lams]
    bias = [np.linalg.norm(point.mean - exact) for point in points]
    scatter = [np.sqrt(point.total_variance / 100) for point in points]
    assert bias == sorted(bias, reverse=True) and bias[-1] < 1e-6
    assert scatter[-1] > 2 * scatter[0]
    assert 0 < np.argmin(np.hypot(bias, scatter)) < len(lams) - 1


def test_merging_the_flags_halves_the_values_of_an_endless_ring():
    """Values at which TD learning settles: a linear system over the rows that were walked."""
    ring, rng = pg.envs.Ring(pay=np.ones(6), max_steps=10), np.random.default_rng(0)
    walks = [LESSON["rollout"](ring, np.zeros((6, 2)), rng) for _ in range(300)]
    for merged, low, high in ((False, 9.99, 10.01), (True, 4.0, 6.0)):
        matrix, right = np.zeros((6, 6)), np.zeros(6)
        for walk in walks:
            columns = one_column(ring, walk, np.arange(6.0))
            following = columns[2][:, 0].astype(int)
            for t, (s, n) in enumerate(zip(walk.states, following, strict=True)):
                masked = merged and t == len(walk) - 1
                matrix[s, s] += 1
                matrix[s, n] -= 0.0 if masked else 0.9
                right[s] += walk.rewards[t]
        values = np.linalg.solve(matrix, right)
        assert (low < values).all() and (values < high).all()


def ascend(env, weigh, seed, rate, updates=40, size=10):
    """The race's learner, on counts instead of score tables."""
    rng, theta = np.random.default_rng(seed), np.zeros((env.num_states, env.num_actions))
    values = np.zeros(env.num_states)
    for _update in range(updates):
        batch = [LESSON["rollout"](env, theta, rng) for _ in range(size)]
        pi, step = LESSON["softmax"](theta), np.zeros(theta.shape)
        for traj, weight in zip(batch, weigh(batch, values), strict=True):
            np.add.at(step, (traj.states, traj.actions), weight)
            np.subtract.at(step, traj.states, np.asarray(weight)[:, None] * pi[traj.states])
        theta = theta + rate * step / size
        for traj in batch:
            for state, ret in zip(traj.states, LESSON["reward_to_go"](traj.rewards), strict=True):
                values[state] += 0.1 * (ret - values[state])
    return pg.exact.objective(env, LESSON["softmax"](theta))


def test_bootstrapping_wins_the_race_on_the_short_board():
    """12 seeds: GAE loses at most one, whole returns at least three."""
    env = pg.envs.Grid()

    def with_gae(batch, values):
        columns = (one_column(env, traj, values) for traj in batch)
        return [LESSON["gae"](*column, gamma=1.0, lam=0.8)[:, 0] for column in columns]

    def whole(batch, values):
        return [np.full(len(traj), traj.rewards.sum()) for traj in batch]

    solved_by = [
        sum(ascend(env, weigh, seed, 0.3) > 5 for seed in range(12)) for weigh in (with_gae, whole)
    ]
    assert solved_by[0] >= 11 and solved_by[1] <= 9


@pytest.mark.parametrize("seed", [1003, 1016])
def test_what_one_column_hands_to_the_next_is_told_whatever_was_drawn(seed):
    """In these draws every column but the first ends on its last step."""
    wrong = {"gae": wrong_gae.one_number_for_all_columns}
    assert judged("gae", wrong, seed=seed).mistake == "across-columns"
