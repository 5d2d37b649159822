"""Over what a student's loss averages: the steps of a batch, or its trajectories."""

import numpy as np

from grader.i18n import _


def which_mean(used, forms, batches) -> str:
    """The remark for a right answer; "" where the scale is neither.

    used: the gradients of some updates; forms: what each would be as a plain sum over the batch's
    steps; batches: the episodes of each.
    """
    shares = [
        float(np.vdot(one, form) / np.vdot(form, form))
        for one, form in zip(used, forms, strict=True)
        if np.any(form)
    ]
    steps = [1 / sum(len(episode.rewards) for episode in batch) for batch in batches]
    episodes = [1 / len(batch) for batch in batches]
    if len(shares) != len(steps):
        return ""
    if np.allclose(shares, steps, rtol=1e-3):
        return _("right; your loss is a mean over the steps of a batch")
    if np.allclose(shares, episodes, rtol=1e-3):
        return _("right; your loss is a mean over the trajectories of a batch")
    return ""
