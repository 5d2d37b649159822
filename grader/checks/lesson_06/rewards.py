"""Checks of terminal_rewards and kl_shaped_rewards: what a completion is paid."""

from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import (
    N_,
    FunctionExercise,
    Mismatch,
    Symptom,
    TensorOf,
    _,
)
from grader.checks.lesson_06 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.ratios import HUGE, far_from_one, logs
from grader.checks.shared.slips import listed


def completions(rng, rows, cols):
    """(rows, cols) bool: a prompt of one or two columns, then completions of unequal length."""
    start = int(rng.integers(1, 3))
    lengths = rng.integers(1, cols - start + 1, size=(rows, 1))
    lengths[0], lengths[-1] = cols - start, 1
    place = np.arange(cols)
    return (place >= start) & (place < start + lengths)


@dataclass(frozen=True)
class AnyFloat:
    """A torch tensor of any float dtype: the lesson asks for none."""

    def arrays(self, seen, label=""):
        found = TensorOf().arrays(seen, label)
        if not seen["dtype"].startswith("float"):
            got = _("a tensor of dtype {dtype}").format(dtype=seen["dtype"])
            hint = _("Results keep the dtype of their inputs.")
            raise Mismatch(got, hint, _("dtype {dtype}").format(dtype="float"))
        return found


# terminal_rewards -----------------------------------------------------------------------------


def terminal_cases(rng):
    """Completions that end early and late, a mask with gaps, one column, scores of 0."""
    rows, cols = int(rng.integers(3, 6)), int(rng.integers(5, 9))
    gaps = np.array(
        [[True, False, True, False], [True, True, False, True], [False, True, False, False]]
    )
    case = tensor_caller("scores", "mask")
    return [
        case([3.0], [[False, True, True, False]]),
        case([1.0, 2.0], [[False, True, False, False], [False, True, True, True]]),
        case([1.0, 2.0], [[False, False, True, False, False], [False, False, True, True, False]]),
        case([5.0, -1.0, 0.0], gaps),
        case(rng.normal(size=rows), completions(rng, rows, cols)),
        case([2.0, -3.0], [[True], [True]]),
        case(rng.normal(size=rows).astype(np.float32), completions(rng, rows, cols)),
        # As many rows as columns: no broadcast along the wrong axis shows itself by its length.
        case(rng.normal(size=5), completions(rng, 5, 5)),
        case([2.0, 2.0, 2.0], gaps),
        case(
            [0.01, -100.0, 100.0],
            [[False, True, False], [True, False, False], [False, False, True]],
        ),
    ]


def terminal_truth(scores, mask):
    rewards = np.zeros(np.shape(mask))
    for row, (score, kept) in enumerate(zip(scores, mask, strict=True)):
        last = [t for t, true in enumerate(kept) if true][-1:]
        rewards[row, last] = score
    return rewards


def placed(place):
    """A wrong reward: each score at column `place(mask) -> (B,)`."""

    def rewards(scores, mask):
        found = torch.zeros(mask.shape, dtype=scores.dtype)
        found[torch.arange(len(mask)), place(mask)] = scores
        return found

    return rewards


def last_true(mask):
    return (mask * torch.arange(mask.shape[1])).argmax(1)


def at_every_runs_end(scores, mask):
    following = torch.nn.functional.pad(mask[:, 1:], (0, 1))
    return (mask & ~following) * scores[:, None]


TERMINAL_REWARDS_HINTS = {
    "at-the-row-end": "The row's last column is often filling. Where does the completion end?",
    "everywhere": "One score for a sentence is paid once, not for every token.",
    "shared-out": "The score is not divided: it is paid at the end.",
    "at-the-first": "The score comes when the sentence is finished, not at its first token.",
    "after-the-end": "One column too late: the last true entry itself gets it.",
    "length-as-index": "The number of true entries is an index only where they begin in column 0.",
    "gap-taken-for-end": "Which entry of the row is the last true one? Try a row that ends early, "
    "and one with a gap.",
    "one-before-the-end": "One column too early: the last true entry itself gets it.",
    "longest-row": "Each row ends where its own mask does, not where the longest one does.",
}
TERMINAL_REWARDS_FACES = {
    "at-the-row-end": placed(lambda mask: torch.full((len(mask),), mask.shape[1] - 1)),
    "everywhere": (
        lambda scores, mask: scores[:, None] * mask,
        lambda scores, mask: scores[:, None].expand(mask.shape),
    ),
    "shared-out": lambda scores, mask: scores[:, None] * mask / mask.sum(1, keepdim=True),
    "at-the-first": placed(lambda mask: mask.long().argmax(1)),
    "after-the-end": placed(lambda mask: (last_true(mask) + 1).clamp(max=mask.shape[1] - 1)),
    "length-as-index": placed(lambda mask: mask.sum(1) - 1),
    "gap-taken-for-end": (
        placed(
            lambda mask: mask.long().argmax(1) + (mask.long().cumprod(1).sum(1) - 1).clamp(min=0)
        ),
        placed(lambda mask: mask.long().argmax(1) + mask.sum(1) - 1),
        at_every_runs_end,
    ),
    "one-before-the-end": placed(lambda mask: (last_true(mask) - 1).clamp(min=0)),
    "longest-row": placed(lambda mask: last_true(mask).amax().expand(len(mask))),
}
TERMINAL_REWARDS = FunctionExercise(
    "terminal_rewards",
    terminal_cases,
    terminal_truth,
    formula=formulas.terminal_rewards_formula,
    kind=AnyFloat(),
    mistakes=listed(TERMINAL_REWARDS_FACES, TERMINAL_REWARDS_HINTS),
)


# kl_shaped_rewards ----------------------------------------------------------------------------


def shaped_cases(rng):
    """Rewards outside the mask that must stay; no penalty; a large one; other sizes and dtypes."""
    logp = np.log(np.array([[0.5, 0.4, 0.8, 0.1]]))
    logp_ref = np.log(np.array([[0.5, 0.8, 0.2, 0.6]]))
    mask = np.array([[False, True, True, False]])
    case = tensor_caller("rewards", "logp", "logp_ref", "mask", "beta")
    fixed = np.array([[7.0, 0.0, 2.0, -5.0]]), logp, logp_ref, mask
    cases = [case(*fixed, 1.0), case(*fixed, 0.1)]
    for rows, cols, beta in [(3, 6, 0.3), (5, 5, 2.5), (1, 1, 0.7), (4, 8, 0.0)]:
        size = rows, cols
        mask = completions(rng, rows, cols) if cols > 2 else np.ones(size, dtype=bool)
        rewards = rng.normal(size=size) * 3
        pair = (np.log(rng.uniform(0.02, 1, size=size)) for _name in ("logp", "logp_ref"))
        cases.append(case(rewards, *pair, mask, beta, dtype=np.float32 if cols == 8 else None))
    equal, (new, old) = np.full((2, 2), -1.5), logs([[1 / HUGE, HUGE], [HUGE, 1 / HUGE]])
    return [
        *cases,
        case(equal, equal, equal, np.ones((2, 2), bool), 0.5),
        *(case(equal, *pair, ONE_TRUE, 0.5) for pair in ((new, old), (old, new))),
    ]


ONE_TRUE = np.array([[False, True], [False, False]])


def shaped_truth(rewards, logp, logp_ref, mask, beta):
    shaped = np.array(rewards, dtype=np.float64)
    for index in zip(*np.nonzero(mask), strict=True):
        shaped[index] -= beta * (float(logp[index]) - float(logp_ref[index]))
    return shaped


def shaped_by(penalty):
    """A wrong reward: `penalty(logp, logp_ref, mask)` (B, L-1), times beta, is taken away."""
    return lambda rewards, logp, logp_ref, mask, beta: (
        rewards - beta * penalty(logp, logp_ref, mask)
    )


def shaped_like(penalty):
    """The same for `penalty(log_ratio, mask)`."""
    return shaped_by(lambda logp, logp_ref, mask: penalty(logp - logp_ref, mask))


def at_the_end(log_ratio, mask):
    total = (log_ratio * mask).sum(1, keepdim=True)
    return total * (torch.arange(mask.shape[1]) == last_true(mask)[:, None])


def kl_div_of_torch(logp, logp_ref, mask):
    return mask * torch.nn.functional.kl_div(logp, logp_ref, log_target=True, reduction="none")


OUTSIDE = N_("Outside the mask nothing was chosen: there the rewards stay as they are.")
PER_TOKEN = N_("Each token is charged for its own log-ratio, where it stands.")

KL_SHAPED_REWARDS_HINTS = {
    "kl-sign": "A token that the policy likes better than the reference does: is it paid for that, "
    "or charged?",
    "mask-ignored": OUTSIDE,
    "outside-erased": OUTSIDE,
    "mask-inverted": "The penalty stands outside the mask, and not inside.",
    "other-estimator": "The plain log-ratio is asked, token by token; it may be negative.",
    "beta-ignored": "How much does beta weigh the penalty? Set it to 0: what remains?",
    "paid-at-the-end": PER_TOKEN,
    "averaged": PER_TOKEN,
    "no-reference": "Where does the reference come in? Only a difference from it is charged.",
    "rewards-left-out": "The score is still paid: the penalty is taken from the rewards.",
}
KL_SHAPED_REWARDS_FACES = {
    "kl-sign": (shaped_like(lambda lr, mask: -lr * mask), shaped_like(lambda lr, mask: -lr)),
    "mask-ignored": shaped_like(lambda lr, mask: lr),
    "outside-erased": lambda rewards, logp, logp_ref, mask, beta: (
        (rewards - beta * (logp - logp_ref)) * mask
    ),
    "mask-inverted": shaped_like(lambda lr, mask: lr * ~mask),
    "ratio-not-log": (
        shaped_like(lambda lr, mask: lr.exp() * mask),
        shaped_by(lambda logp, ref, mask: mask * (logp.exp() - ref.exp())),
    ),
    "ratio-of-logs": shaped_by(lambda logp, ref, mask: torch.where(mask, logp / ref, 0)),
    "other-estimator": (
        shaped_like(lambda lr, mask: (torch.exp(-lr) - 1 + lr) * mask),
        shaped_like(lambda lr, mask: lr**2 / 2 * mask),
        shaped_like(lambda lr, mask: lr.abs() * mask),
        shaped_like(lambda lr, mask: lr.clamp(min=0) * mask),
        shaped_by(lambda logp, ref, mask: logp.exp() * (logp - ref) * mask),
        shaped_by(lambda logp, ref, mask: ref.exp() * (ref - logp) * mask),
        shaped_by(kl_div_of_torch),
    ),
    "beta-ignored": lambda rewards, logp, logp_ref, mask, beta: rewards - (logp - logp_ref) * mask,
    "paid-at-the-end": shaped_like(at_the_end),
    "averaged": (
        shaped_like(lambda lr, mask: lr * mask / mask.sum(1, keepdim=True)),
        shaped_like(lambda lr, mask: (lr * mask).sum() / mask.sum() * mask),
        shaped_like(lambda lr, mask: (lr * mask).sum(1, keepdim=True) * mask),
    ),
    "no-reference": shaped_by(lambda logp, ref, mask: logp * mask),
    "rewards-left-out": lambda rewards, logp, logp_ref, mask, beta: (
        -beta * (logp - logp_ref) * mask
    ),
    "held-back": Symptom(far_from_one),
}
KL_SHAPED_REWARDS = FunctionExercise(
    "kl_shaped_rewards",
    shaped_cases,
    shaped_truth,
    formula=formulas.kl_shaped_formula,
    kind=TensorOf(),
    mistakes=listed(KL_SHAPED_REWARDS_FACES, KL_SHAPED_REWARDS_HINTS),
)
