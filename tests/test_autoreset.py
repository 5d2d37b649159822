"""The four lines of lesson 05 for environments that start the next episode one step later."""

import re
from pathlib import Path

import gymnasium
import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def lines_for_the_next_step():
    """The four lines of lesson 05 for a reset in the step after an end."""
    text = (ROOT / "lessons" / "05_ppo_loop.py").read_text(encoding="utf-8")
    (block,) = re.findall(r"# Four lines handle it:\n#\n# ```python\n((?:# .*\n)+?)# ```", text)
    return [line.removeprefix("# ") for line in block.splitlines()]


def test_the_four_lines_keep_the_transitions_alone():
    """What they keep is what single environments give that are reset by hand after each end."""
    before, *inside, after = lines_for_the_next_step()
    makers = [lambda: gymnasium.make("CartPole-v1", max_episode_steps=12)] * 4
    envs = gymnasium.vector.SyncVectorEnv(makers)
    assert envs.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.NEXT_STEP
    obs, _info = envs.reset(seed=5)
    names, rows, rng = {"np": np, "envs": envs, "rows": []}, [], np.random.default_rng(5)
    exec(before, names)
    for _ in range(60):
        action = rng.integers(2, size=4)
        next_obs, _rew, terminated, truncated, _infos = envs.step(action)
        names |= {"next_obs": next_obs, "terminated": terminated, "truncated": truncated}
        for line in inside:
            exec(line, names)
        rows.append((obs, action, names["successor"], terminated, truncated))
        obs = next_obs
    names["fresh_rows"] = np.stack([fresh for _others, fresh in names["rows"]])
    exec(after, names)
    keep = names["keep"].reshape(60, 4)
    assert 0.85 < keep.mean() < 0.97
    for i, alone in enumerate(make() for make in makers):
        state, _info = alone.reset(seed=5 + i)
        for here, *told in (row for row, kept in zip(rows, keep[:, i], strict=True) if kept):
            action, successor, terminated, truncated = (each[i] for each in told)
            np.testing.assert_array_equal(state, here[i])
            state, _rew, *ends, _info = alone.step(action)
            np.testing.assert_array_equal(state, successor)
            assert ends == [terminated, truncated]
            if any(ends):
                state, _info = alone.reset()
