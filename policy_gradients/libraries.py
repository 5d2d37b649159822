"""Other people's PPO beside the course's: what they answered, and a training run of one of them.

The answers were written by ``python -m publish.libraries``, the runs by
``python -m publish.libraries.beside``; neither needs a library to be read.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np

from .i18n import _

STORED = Path(__file__).parent / "stored" / "libraries.json"


def answers():
    """{"inputs": {topic: numbers}, "libraries": {name: {"version", "rows": {topic: row}}}}.

    A row has "how" ("run": the library's own function was called; "read": its text was read;
    "restated": written anew from a text that is no package), "where" in the package it stands,
    and "answer", what came out.
    """
    return json.loads(STORED.read_text(encoding="utf-8"))


def sb3_installed():
    """Whether Stable-Baselines3 can be imported here: `pip install -e '.[libraries]'`."""
    return importlib.util.find_spec("stable_baselines3") is not None


def train_sb3(settings, num_steps, seed, num_envs=1, env="CartPole-v1"):
    """Trains Stable-Baselines3's PPO -> (steps played, mean return) of each rollout, two (U,).

    settings: arguments of its PPO; num_steps: how many steps are played, of all environments
    together; the mean is over the episodes that ended in the rollout, nan where none did
    Raises ModuleNotFoundError where Stable-Baselines3 is not installed.
    """
    if not sb3_installed():
        raise ModuleNotFoundError(
            _("Stable-Baselines3 is not installed: pip install -e '.[libraries]'")
        )
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    model = PPO("MlpPolicy", make_vec_env(env, num_envs, seed), seed=seed, device="cpu", **settings)
    watch = _watch()
    model.learn(num_steps, callback=watch)
    return np.array(watch.steps), np.array(watch.means)


def _watch():
    from stable_baselines3.common.callbacks import BaseCallback

    class Watch(BaseCallback):
        """Notes the returns of the episodes that end, rollout by rollout."""

        def __init__(self):
            super().__init__()
            self.steps, self.means, self._ended = [], [], []

        def _on_step(self):
            self._ended += [i["episode"]["r"] for i in self.locals["infos"] if "episode" in i]
            return True

        def _on_rollout_end(self):
            self.steps.append(self.num_timesteps)
            self.means.append(float(np.mean(self._ended)) if self._ended else np.nan)
            self._ended = []

    return Watch()
