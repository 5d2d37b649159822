"""Returns of whole episodes, which go on from one rollout to the next."""

import numpy as np


class EpisodeReturns:
    """Adds up the rewards of N environments until each one's episode ends.

    num_envs: N

    An episode may begin in one rollout and end three rollouts later; feed the rollouts in their
    order.

        rewards     1 1 1 | 1 1        two rollouts of one environment
        ended       . . . | . x        the sum 5 comes with the second one
    """

    def __init__(self, num_envs):
        self.running = np.zeros(num_envs)

    def finished(self, rollout):
        """Returns (E,) of the E episodes that ended in this rollout, in the order of time."""
        ended = np.asarray(rollout.terminated) | np.asarray(rollout.truncated)
        found = []
        for rewards, stops in zip(np.asarray(rollout.rewards), ended, strict=True):
            self.running += rewards
            found.extend(self.running[stops])
            self.running[stops] = 0.0
        return np.array(found)

    def mean_return(self, rollout):
        """Mean of `finished(rollout)`, a float; nan where no episode ended."""
        found = self.finished(rollout)
        return float(found.mean()) if len(found) else float("nan")
