"""The environments keep Gymnasium's contract and do what their tables say."""

import copy
import json
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import policy_gradients as pg

ENVS = {
    "table": lambda: pg.envs.TabularEnv(
        transitions=[
            [[0.5, 0.3, 0.2], [0, 1, 0], [1, 0, 0]],
            [[0.1, 0, 0.9], [0.7, 0.3, 0], [0.2, 0.4, 0.4]],
            [[0, 0, 1]] * 3,
        ],
        rewards=np.arange(27).reshape(3, 3, 3) - 9,
        terminal=[False, False, True],
        start=[0.25, 0.75, 0],
        max_steps=5,
        noise=0.5,
        action_order=[1, 2, 0],
    ),
    "bandit": lambda: pg.envs.Bandit(means=[1, -2, 0.5, 3], noise=2.0, action_order=[3, 1, 0, 2]),
    "contexts": lambda: pg.envs.ContextualBandit(),
    "corridor": lambda: pg.envs.Corridor(length=6, goal=0, action_order=[1, 0]),
    "grid": lambda: pg.envs.Grid(),
    "slippery": lambda: pg.envs.Grid(size=3, pits=[(1, 1)], slip=0.3, action_order=[2, 0, 3, 1]),
    "tokens": lambda: pg.envs.TokenEnv(action_order=[4, 2, 0, 1, 3]),
    "prompts": lambda: pg.envs.TokenEnv(prompts=("the cat", "the dog"), max_length=3),
}
everywhere = pytest.mark.parametrize("make", ENVS.values(), ids=ENVS.keys())


def uniform(env):
    return np.full((env.num_states, env.num_actions), 1 / env.num_actions)


def episodes(env, count, seed=0):
    """Tuples (state, action, reward, successor, terminated, truncated) of uniform play."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _episode in range(count):
        state, _info = env.reset()
        steps, over = [], False
        while not over:
            action = int(rng.integers(env.num_actions))
            following, reward, terminated, truncated, _info = env.step(action)
            steps.append((state, action, reward, following, terminated, truncated))
            state, over = following, terminated or truncated
        yield steps


@everywhere
def test_gymnasiums_checker_finds_nothing(make):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(make())
    # The checker cannot build other render modes of an environment outside the registry.
    assert [str(w.message) for w in caught if "render modes" not in str(w.message)] == []


@everywhere
def test_plain_arguments_build_the_same_environment(make):
    env = make()
    arguments = json.loads(json.dumps(env.spec_kwargs()))
    again = type(env)(**arguments)
    for name in ("transitions", "rewards", "terminal", "start", "max_steps", "noise"):
        np.testing.assert_array_equal(getattr(again, name), getattr(env, name), err_msg=name)
    assert again.spec_kwargs() == env.spec_kwargs()


@everywhere
def test_a_seed_repeats_and_another_one_differs(make):
    first, again, other = (list(episodes(make(), 30, seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


@everywhere
def test_copies_and_pickles_go_on_alike(make):
    env = make()
    env.reset(seed=3)
    twins = [env, copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    assert len({str(twin.step(0)[:4]) for twin in twins}) == 1


@everywhere
def test_ends_are_truthful(make):
    env = make()
    for steps in episodes(env, 200):
        *before, last = steps
        assert not any(terminated or truncated for *_rest, terminated, truncated in before)
        _s, _a, _r, following, terminated, truncated = last
        assert terminated == bool(env.terminal[following])
        assert truncated == (not terminated and len(steps) == env.max_steps)


@pytest.mark.parametrize("name", ["table", "contexts", "slippery", "prompts"])
def test_samples_follow_the_tables(name):
    env = ENVS[name]()
    counts = np.zeros_like(env.transitions)
    starts = np.zeros(env.num_states)
    surplus = []
    for steps in episodes(env, 6000):
        starts[steps[0][0]] += 1
        for state, action, reward, following, _terminated, _truncated in steps:
            counts[state, action, following] += 1
            surplus.append(reward - env.rewards[state, action, following])
    for observed, law in [(starts, env.start), (counts, env.transitions)]:
        total = observed.sum(-1, keepdims=True)
        error = np.sqrt(total * law * (1 - law))
        assert np.all(np.abs(observed - total * law) <= 5 * error + 1e-9)
    surplus = np.array(surplus)
    assert abs(surplus.mean()) <= 5 * env.noise / np.sqrt(len(surplus))
    # The standard error of a normal sample's deviation is sigma / sqrt(2 n).
    assert abs(surplus.std() - env.noise) <= 5 * env.noise / np.sqrt(2 * len(surplus)) + 1e-12


def test_entering_a_terminal_state_on_the_last_step_is_termination():
    env = pg.envs.Corridor(length=5, first=2, max_steps=2)
    env.reset(seed=0)
    env.step(1)
    assert env.step(1)[2:4] == (True, False)
    env.reset()
    env.step(1)
    assert env.step(0)[2:4] == (False, True)


@everywhere
def test_a_finished_episode_refuses_to_go_on(make):
    env = make()
    with pytest.raises(RuntimeError, match="before the first step"):
        env.step(0)
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    with pytest.raises(RuntimeError, match="episode is over"):
        env.step(0)
    env.reset()
    env.step(0)


@pytest.mark.parametrize("action", [4, -1, np.int64(7)])
def test_an_action_out_of_range_is_refused(action):
    env = pg.envs.Grid()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="from 0 to 3"):
        env.step(action)


@pytest.mark.parametrize("action", [1.0, "up", None, [1], np.array([1])])
def test_an_action_that_is_no_whole_number_is_refused(action):
    env = pg.envs.Grid()
    env.reset(seed=0)
    with pytest.raises(TypeError, match="one whole number"):
        env.step(action)


def test_whole_numbers_of_any_library_are_actions():
    torch = pytest.importorskip("torch")
    for action in (1, np.int64(1), np.array(1), torch.tensor(1)):
        env = pg.envs.Grid()
        env.reset(seed=0)
        assert env.step(action)[0] == 1


def test_reset_to_a_chosen_state():
    env = pg.envs.Grid()
    assert env.reset(options={"state": 9})[0] == env.state == 9
    with pytest.raises(ValueError, match="0..15"):
        env.reset(options={"state": 16})


@pytest.mark.parametrize(
    "change",
    [
        {"transitions": np.full((2, 3, 3), 1 / 3)},
        {"transitions": np.full((2, 3, 2), 0.4)},
        {"rewards": np.zeros((2, 3))},
        {"rewards": np.full((2, 3, 2), np.nan)},
        {"terminal": [False]},
        {"start": [0.5, 0.4]},
        {"start": [1.5, -0.5]},
        {"max_steps": 0},
        {"noise": -1.0},
        {"action_order": [0, 0, 1]},
        {"render_mode": "human"},
    ],
)
def test_contradictory_tables_are_refused(change):
    good = {
        "transitions": np.full((2, 3, 2), 0.5),
        "rewards": np.zeros((2, 3, 2)),
        "terminal": [False, True],
        "start": [1.0, 0.0],
        "max_steps": 3,
    }
    pg.envs.TabularEnv(**good)
    with pytest.raises(ValueError):
        pg.envs.TabularEnv(**{**good, **change})


def test_tables_are_copied_and_not_shared():
    transitions = np.full((1, 2, 1), 1.0)
    env = pg.envs.TabularEnv(transitions, np.zeros((1, 2, 1)), [True], [1.0], 1)
    transitions[:] = 7
    assert env.transitions.max() == 1


@everywhere
def test_relabelled_actions_are_the_same_task(make):
    env = make()
    order = np.random.default_rng(0).permutation(env.num_actions)
    arguments = env.spec_kwargs()
    arguments["action_order"] = [int(env.action_order[a]) for a in order]
    other = type(env)(**arguments)
    pi = np.random.default_rng(1).dirichlet(np.ones(env.num_actions), env.num_states)
    same = pg.exact.objective(other, pi[:, order])
    assert same == pytest.approx(pg.exact.objective(env, pi), abs=1e-12)
    assert other.action_names == tuple(env.action_names[a] for a in order) or env.cells is None


def test_the_largest_draw_below_one_is_an_outcome():
    """Ten times 0.1 adds up to less than 1 in floating point."""

    class Highest:
        def random(self):
            return np.nextafter(1.0, 0.0)

    row = np.full(10, 0.1)
    env = pg.envs.TabularEnv(
        np.tile(row, (10, 1, 1)), np.zeros((10, 1, 10)), np.zeros(10, bool), row, max_steps=3
    )
    env.reset(seed=0)
    env.np_random = Highest()
    assert env.reset()[0] == 9
    assert env.step(0)[0] == 9


def test_bandit_is_one_step_of_its_means():
    env = pg.envs.Bandit(means=[1, 2, 7], noise=0.0)
    assert env.num_states == 1
    for arm, mean in enumerate([1, 2, 7]):
        env.reset(seed=0)
        assert env.step(arm) == (0, mean, True, False, {})


def test_contextual_bandit_of_the_collapse_stage():
    env = pg.envs.ContextualBandit()
    assert (env.num_states, env.num_actions) == (10, 5)
    assert np.abs(env.rewards).max() <= 2
    with pytest.raises(ValueError, match="S, A"):
        pg.envs.ContextualBandit(means=[1, 2])
    with pytest.raises(ValueError, match="A,"):
        pg.envs.Bandit(means=[[1, 2]])


def test_grid_walks_by_hand():
    env = pg.envs.Grid()
    walks = {  # up, right, down, left from (0, 0); pits at (1, 3) and (2, 1)
        (0, 3, 1): [0, 0, 1],
        (2, 2, 1): [4, 8, 9],
        (1, 1, 1, 1, 2): [1, 2, 3, 3, 7],
        (2, 2, 2, 1, 1, 1): [4, 8, 12, 13, 14, 15],
    }
    for actions, cells in walks.items():
        env.reset(seed=0)
        outcomes = [env.step(action) for action in actions]
        assert [outcome[0] for outcome in outcomes] == cells
        total = sum(outcome[1] for outcome in outcomes)
        prize = {9: -10, 7: -10, 15: 10}.get(cells[-1], 0)
        assert total == pytest.approx(prize - 0.1 * len(cells))
        assert outcomes[-1][2] == (cells[-1] in (7, 9, 15))


def test_slip_goes_to_the_two_sides():
    env = pg.envs.Grid(size=3, goal=(2, 2), pits=[], slip=0.4)
    right = env.transitions[4, 1]  # from the middle: right, or slid up or down
    assert {int(s): round(p, 12) for s, p in enumerate(right) if p} == {5: 0.6, 1: 0.2, 7: 0.2}
    corner = env.transitions[0, 0]  # up from the corner: stays, slides left (stays) or right
    assert {int(s): round(p, 12) for s, p in enumerate(corner) if p} == {0: 0.8, 1: 0.2}


@pytest.mark.parametrize("goal", [(0, 3), (3, 0), (1, 3), (2, 1), (2, 2)])
def test_a_grid_with_another_goal(goal):
    env = pg.envs.Grid(goal=goal)
    assert env.goal == 4 * goal[0] + goal[1]
    assert env.goal not in env.pits
    distance = sum(goal)
    assert pg.exact.optimal_objective(env) == pytest.approx(10 - 0.1 * distance)


@pytest.mark.parametrize("make", [pg.envs.Grid, pg.envs.Corridor], ids=["grid", "corridor"])
def test_returns_range_from_about_minus_to_plus_ten(make):
    returns = [sum(step[2] for step in steps) for steps in episodes(make(), 500)]
    assert -12 <= min(returns) < -9
    assert 8 < max(returns) <= 10


@pytest.mark.parametrize(
    "arguments",
    [
        {"goal": (4, 0)},
        {"goal": (0, 0)},
        {"pits": [(0, 0)]},
        {"pits": [(3, 3)]},
        {"pits": [(0, 1), (1, 0)]},
        {"max_steps": 5},
        {"slip": 1.5},
    ],
)
def test_impossible_grids_are_refused(arguments):
    with pytest.raises(ValueError):
        pg.envs.Grid(**arguments)


def test_corridor_by_hand():
    env = pg.envs.Corridor()
    assert (env.goal, env.pits, env.start.argmax()) == (6, (0,), 3)
    env.reset(seed=0)
    assert [env.step(0)[:3] for _step in range(3)] == [
        (2, -0.1, False),
        (1, -0.1, False),
        (0, -10.1, True),
    ]
    other = pg.envs.Corridor(goal=0)
    assert (other.goal, other.pits) == (0, (6,))
    assert pg.envs.Corridor(pit=None).pits == ()
    with pytest.raises(ValueError):
        pg.envs.Corridor(length=7, first=6)


SENTENCES = {
    "the cat sleeps": 10,
    "the dog barks": 10,
    "the cat barks": 7,
    "the dog sleeps": 7,
    "the cat": -1,
    "the": -7,
    "the cat dog": -1,
    "the sleeps": -7,
    "the sleeps barks": 1,
    "the cat sleeps sleeps": 7,
    "the sleeps cat cat": -10,
}


@pytest.mark.parametrize("order", [None, [3, 0, 4, 2, 1]])
def test_sentences_earn_their_score_at_the_end_only(order):
    env = pg.envs.TokenEnv(action_order=order)
    for sentence, score in SENTENCES.items():
        state, _info = env.reset(seed=0)
        assert env.text(state) == "the"
        for word in sentence.split()[1:]:
            state, *outcome, _info = env.step(env.symbols.index(word))
            assert outcome == [0.0, False, False]
        assert env.text(state) == sentence
        following, *outcome, _info = env.step(env.eos)
        assert outcome == [score, True, False]
        assert env.score(sentence) == score == sum(points for _why, points in env.explain(sentence))
        assert env.text(following) == "[ended]"


def test_a_sentence_without_end_is_cut():
    env = pg.envs.TokenEnv()
    env.reset(seed=0)
    words = [env.symbols.index(word) for word in ("cat", "sleeps", "dog", "dog")]
    outcomes = [env.step(word) for word in words]
    assert [outcome[1:4] for outcome in outcomes] == [(0.0, False, False)] * 3 + [
        (0.0, False, True)
    ]
    assert env.text(env.state) == "[cut]"


def test_states_and_tokens_correspond():
    env = pg.envs.TokenEnv(
        prompts=("the cat", "the dog"), max_length=3, action_order=[1, 4, 0, 3, 2]
    )
    assert env.num_states == 2 * (1 + 4 + 16) + 2
    seen = set()
    for state in range(env.num_states - 2):
        tokens = env.tokens(state)
        prompt = int(env.text(state).startswith("the dog"))
        assert env.state_of(tokens, prompt) == state
        said = " ".join([env.prompts[prompt], *(env.symbols[token] for token in tokens)])
        assert env.text(state) == said
        seen.add((prompt, tokens))
    assert len(seen) == env.num_states - 2
    for state in (env.num_states - 2, env.num_states - 1, -1):
        with pytest.raises(ValueError, match="no sentence|not a sentence"):
            env.tokens(state)
    with pytest.raises(KeyError):
        env.state_of((env.eos,))


def test_a_language_of_other_words():
    env = pg.envs.TokenEnv(pairs=[("gato", "duerme")], prompts=["el"], article="el", end="fin")
    assert env.symbols == ("gato", "duerme", "fin")
    assert env.score("el gato duerme") == 10
    for broken in ({"pairs": [("a", "a")]}, {"prompts": []}, {"max_length": 0}, {"end": "cat"}):
        with pytest.raises(ValueError):
            pg.envs.TokenEnv(**broken)


def test_pictures():
    env = pg.envs.Grid(render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    env.step(1)
    after = env.render()
    assert before.shape == after.shape == (96, 96, 3)
    assert before.dtype == np.uint8
    changed = (before != after).any(2)
    assert changed[:24, :48].all()  # the cell that was left and the one that was entered
    assert not changed[24:].any()
    assert pg.envs.Grid().render() is None


def test_same_step_vector_environments_keep_the_last_observation():
    mode = gymnasium.vector.AutoresetMode.SAME_STEP
    makers = [lambda: pg.envs.Corridor(max_steps=4)] * 3
    envs = gymnasium.vector.SyncVectorEnv(makers, autoreset_mode=mode)
    envs.reset(seed=1)
    for _step in range(2):
        envs.step(np.array([0, 1, 0]))
    obs, rewards, terminated, truncated, infos = envs.step(np.array([0, 1, 1]))
    assert obs.tolist() == [3, 3, 2]
    np.testing.assert_allclose(rewards, [-10.1, 9.9, -0.1])
    assert terminated.tolist() == [True, True, False]
    assert not truncated.any()
    assert [infos["final_obs"][i] for i in (0, 1)] == [0, 6]
