"""Rewards of tokens, and the clipped objective on them."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from grader.checking import (
    N_,
    Case,
    Expected,
    FunctionExercise,
    Mismatch,
    Mistake,
    Tensor,
    TensorOf,
    _,
    array_text,
    call_text,
)
from grader.checks.shared import ratios as words
from grader.checks.shared import slips
from grader.checks.shared.clip_truth import objective, slope
from grader.checks.shared.ratios import logs, off_the_edges


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
    cases = [
        ([3.0], [[False, True, True, False]]),
        ([1.0, 2.0], [[False, True, False, False], [False, True, True, True]]),
        ([1.0, 2.0], [[False, False, True, False, False], [False, False, True, True, False]]),
        ([5.0, -1.0, 0.0], gaps),
        (rng.normal(size=rows), completions(rng, rows, cols)),
        ([2.0, -3.0], [[True], [True]]),
        (rng.normal(size=rows).astype(np.float32), completions(rng, rows, cols)),
        # As many rows as columns: no broadcast along the wrong axis shows itself by its length.
        (rng.normal(size=5), completions(rng, 5, 5)),
        ([2.0, 2.0, 2.0], gaps),
        ([0.01, -100.0, 100.0], [[False, True, False], [True, False, False], [False, False, True]]),
    ]
    return [Case({"scores": Tensor(np.array(s)), "mask": Tensor(np.array(m))}) for s, m in cases]


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


TERMINAL_REWARDS = FunctionExercise(
    "terminal_rewards",
    terminal_cases,
    terminal_truth,
    kind=AnyFloat(),
    mistakes=(
        Mistake(
            "at-the-row-end",
            "The row's last column is often filling. Where does the completion end?",
            like=placed(lambda mask: torch.full((len(mask),), mask.shape[1] - 1)),
        ),
        Mistake(
            "everywhere",
            "One score for a sentence is paid once, not for every token.",
            like=(
                lambda scores, mask: scores[:, None] * mask,
                lambda scores, mask: scores[:, None].expand(mask.shape),
            ),
        ),
        Mistake(
            "shared-out",
            "The score is not divided: it is paid at the end.",
            like=lambda scores, mask: scores[:, None] * mask / mask.sum(1, keepdim=True),
        ),
        Mistake(
            "at-the-first",
            "The score comes when the sentence is finished, not at its first token.",
            like=placed(lambda mask: mask.long().argmax(1)),
        ),
        Mistake(
            "after-the-end",
            "One column too late: the last true entry itself gets it.",
            like=placed(lambda mask: (last_true(mask) + 1).clamp(max=mask.shape[1] - 1)),
        ),
        Mistake(
            "length-as-index",
            "The number of true entries is an index only where they begin in column 0.",
            like=placed(lambda mask: mask.sum(1) - 1),
        ),
        Mistake(
            "gap-taken-for-end",
            "Which entry of the row is the last true one? Try a row that ends early, and one with "
            "a gap.",
            like=(
                placed(
                    lambda mask: (
                        mask.long().argmax(1) + (mask.long().cumprod(1).sum(1) - 1).clamp(min=0)
                    )
                ),
                placed(lambda mask: mask.long().argmax(1) + mask.sum(1) - 1),
                at_every_runs_end,
            ),
        ),
        Mistake(
            "one-before-the-end",
            "One column too early: the last true entry itself gets it.",
            like=placed(lambda mask: (last_true(mask) - 1).clamp(min=0)),
        ),
        Mistake(
            "longest-row",
            "Each row ends where its own mask does, not where the longest one does.",
            like=placed(lambda mask: last_true(mask).amax().expand(len(mask))),
        ),
    ),
)


# kl_shaped_rewards ----------------------------------------------------------------------------


def shaped_cases(rng):
    """Rewards outside the mask that must stay; no penalty; a large one; other sizes and dtypes."""
    logp = np.log(np.array([[0.5, 0.4, 0.8, 0.1]]))
    logp_ref = np.log(np.array([[0.5, 0.8, 0.2, 0.6]]))
    mask = np.array([[False, True, True, False]])
    fixed = {"rewards": np.array([[7.0, 0.0, 2.0, -5.0]]), "logp": logp, "logp_ref": logp_ref}
    cases = [shaped_case(**fixed, mask=mask, beta=1.0), shaped_case(**fixed, mask=mask, beta=0.1)]
    sizes = [(3, 6), (5, 5), (1, 1), (4, 8)]
    for number, (rows, cols) in enumerate(sizes):
        mask = completions(rng, rows, cols) if cols > 2 else np.ones((rows, cols), dtype=bool)
        given = {
            "rewards": rng.normal(size=(rows, cols)) * 3,
            "logp": np.log(rng.uniform(0.02, 1, size=(rows, cols))),
            "logp_ref": np.log(rng.uniform(0.02, 1, size=(rows, cols))),
        }
        dtype = np.float32 if number == 3 else np.float64
        given = {name: array.astype(dtype) for name, array in given.items()}
        cases.append(shaped_case(**given, mask=mask, beta=[0.3, 2.5, 0.7, 0.0][number]))
    equal, (new, old) = np.full((2, 2), -1.5), logs([[0.01, 100.0], [100.0, 0.01]])
    cases += [
        shaped_case(equal, equal, equal, np.ones((2, 2), bool), 0.5),
        *(shaped_case(equal, *pair, ONE_TRUE, 0.5) for pair in ((new, old), (old, new))),
    ]
    return cases


ONE_TRUE = np.array([[False, True], [False, False]])


def shaped_case(rewards, logp, logp_ref, mask, beta):
    arrays = {"rewards": rewards, "logp": logp, "logp_ref": logp_ref, "mask": mask}
    return Case({name: Tensor(array) for name, array in arrays.items()} | {"beta": beta})


def shaped_truth(rewards, logp, logp_ref, mask, beta):
    shaped = np.array(rewards, dtype=np.float64)
    for index in zip(*np.nonzero(mask), strict=True):
        shaped[index] -= beta * (float(logp[index]) - float(logp_ref[index]))
    return shaped


def shaped_like(penalty):
    """A wrong reward: `penalty(log_ratio, mask)`, both (B, L-1), times beta is taken away."""

    def shaped(rewards, logp, logp_ref, mask, beta):
        return rewards - beta * penalty(logp - logp_ref, mask)

    return shaped


def at_the_end(log_ratio, mask):
    total = (log_ratio * mask).sum(1, keepdim=True)
    return total * (torch.arange(mask.shape[1]) == last_true(mask)[:, None])


def kl_div_of_torch(rewards, logp, logp_ref, mask, beta):
    penalty = torch.nn.functional.kl_div(logp, logp_ref, log_target=True, reduction="none")
    return rewards - beta * penalty * mask


KL_SIGN = N_(
    "A token that the policy likes better than the reference does: is it paid for that, or charged?"
)
OUTSIDE = N_("Outside the mask nothing was chosen: there the rewards stay as they are.")
PER_TOKEN = N_("Each token is charged for its own log-ratio, where it stands.")

KL_SHAPED_REWARDS = FunctionExercise(
    "kl_shaped_rewards",
    shaped_cases,
    shaped_truth,
    kind=TensorOf(),
    mistakes=(
        Mistake(
            "kl-sign",
            KL_SIGN,
            like=(shaped_like(lambda lr, mask: -lr * mask), shaped_like(lambda lr, mask: -lr)),
        ),
        Mistake("mask-ignored", OUTSIDE, like=shaped_like(lambda lr, mask: lr)),
        Mistake(
            "outside-erased",
            OUTSIDE,
            like=lambda rewards, logp, logp_ref, mask, beta: (
                (rewards - beta * (logp - logp_ref)) * mask
            ),
        ),
        Mistake(
            "mask-inverted",
            "The penalty stands outside the mask, and not inside.",
            like=shaped_like(lambda lr, mask: lr * ~mask),
        ),
        Mistake(
            "ratio-not-log",
            "The logarithm of the ratio is asked, not the ratio.",
            like=(
                shaped_like(lambda lr, mask: lr.exp() * mask),
                lambda rewards, logp, logp_ref, mask, beta: (
                    rewards - beta * mask * (logp.exp() - logp_ref.exp())
                ),
            ),
        ),
        slips.ratio_of_logs(
            lambda rewards, logp, logp_ref, mask, beta: (
                rewards - beta * torch.where(mask, logp / logp_ref, 0)
            )
        ),
        Mistake(
            "other-estimator",
            "The plain log-ratio is asked, token by token; it may be negative.",
            like=(
                shaped_like(lambda lr, mask: (torch.exp(-lr) - 1 + lr) * mask),
                shaped_like(lambda lr, mask: lr**2 / 2 * mask),
                shaped_like(lambda lr, mask: lr.abs() * mask),
                shaped_like(lambda lr, mask: lr.clamp(min=0) * mask),
                lambda rewards, logp, logp_ref, mask, beta: (
                    rewards - beta * logp.exp() * (logp - logp_ref) * mask
                ),
                lambda rewards, logp, logp_ref, mask, beta: (
                    rewards - beta * logp_ref.exp() * (logp_ref - logp) * mask
                ),
                kl_div_of_torch,
            ),
        ),
        Mistake(
            "beta-ignored",
            "How much does beta weigh the penalty? Set it to 0: what remains?",
            like=lambda rewards, logp, logp_ref, mask, beta: rewards - (logp - logp_ref) * mask,
        ),
        Mistake("paid-at-the-end", PER_TOKEN, like=shaped_like(at_the_end)),
        Mistake(
            "averaged",
            PER_TOKEN,
            like=(
                shaped_like(lambda lr, mask: lr * mask / mask.sum(1, keepdim=True)),
                shaped_like(lambda lr, mask: (lr * mask).sum() / mask.sum() * mask),
                shaped_like(lambda lr, mask: (lr * mask).sum(1, keepdim=True) * mask),
            ),
        ),
        Mistake(
            "no-reference",
            "Where does the reference come in? Only a difference from it is charged.",
            like=lambda rewards, logp, logp_ref, mask, beta: rewards - beta * logp * mask,
        ),
        Mistake(
            "rewards-left-out",
            "The score is still paid: the penalty is taken from the rewards.",
            like=lambda rewards, logp, logp_ref, mask, beta: -beta * (logp - logp_ref) * mask,
        ),
        slips.held_back(when=words.far_from_one),
    ),
)


# ppo_token_loss -------------------------------------------------------------------------------


def loss_cases(rng):
    """Equal policies, the six cases of the clip, padding with large numbers, other bands."""
    wide = float(rng.uniform(0.25, 0.5))
    ragged = completions(rng, 4, 6)
    gaps = rng.random((3, 5)) < 0.6
    gaps[0, 0], gaps[2, 4] = True, False
    six = (
        np.array([[0.5, 0.9, 1.5], [0.5, 1.1, 1.5]]),
        np.array([[2.0, 3.0, 1.0], [-3.0, -2.0, -1.0]]),
    )
    inside = np.array([[False, True, True, False]])
    return [
        loss_case([[1.0, 1.0, 1.0, 1.0]], [[50.0, 3.0, -1.0, 80.0]], inside),
        loss_case([[3.0, 1.5, 1.1, 0.1]], [[50.0, 2.0, 1.0, -80.0]], inside),
        loss_case(*six, np.ones((2, 3), dtype=bool)),
        loss_case(*six, np.array([[False, True, True], [True, True, False]]), clip=0.6),
        loss_case(
            off_the_edges(rng, 24, 0.2).reshape(4, 6), rng.normal(size=(4, 6)) * 3, ragged, rng=rng
        ),
        loss_case(
            off_the_edges(rng, 15, 0.2).reshape(3, 5), rng.normal(size=(3, 5)) + 2, gaps, rng=rng
        ),
        loss_case(
            off_the_edges(rng, 12, wide).reshape(2, 6),
            rng.normal(size=(2, 6)),
            completions(rng, 2, 6),
            rng=rng,
            dtype=np.float32,
            keywords=("clip",),
            clip=wide,
        ),
        loss_case([[1.1]], [[-0.5]], [[True]]),
        # Far away nothing but the band holds a sample: no second bound, no cut of the log-ratio.
        loss_case(
            [[0.01, 100.0], [0.01, 100.0]], [[1.0, 2.0], [-1.0, -2.0]], np.ones((2, 2), bool)
        ),
        loss_case([[1.5, 1.5], [1.5, 1.5]], [[-2.0, -2.0], [-2.0, -2.0]], np.ones((2, 2), bool)),
        loss_case([[0.9, 100.0], [1.1, 0.01]], [[2.0, -4.0], [1.0, 3.0]], ONE_TRUE),
        loss_case([[1.5, 0.9]], [[1.0, 2.0]], [[False, False]], edge=True),
        *(far_outside(dtype) for dtype in (np.float32, np.float64)),
    ]


def far_outside(dtype):
    """A padded column whose ratio is beyond the dtype's largest number."""
    far = 89.0 if dtype == np.float32 else 710.0
    ratio = np.exp(np.array([[0.1, 0.0, -0.1]]))
    case = loss_case(ratio, [[1.0, 1.0, -1.0]], [[True, False, True]], dtype=dtype, edge=True)
    case.inputs["logp_old"].array[0, 1] -= far
    return case


def loss_case(ratio, adv, mask, *, rng=None, dtype=np.float64, keywords=(), edge=False, **others):
    logp, logp_old = logs(ratio, rng, dtype)
    inputs = {
        "logp": Tensor(logp, grad=True),
        "logp_old": Tensor(logp_old, grad=True),
        "adv": Tensor(np.asarray(adv, dtype=dtype), grad=True),
        "mask": Tensor(np.array(mask)),
        **others,
    }
    text = _("ratios: {ratios}").format(ratios=array_text(np.round(ratio, 4)))
    shown = call_text("ppo_token_loss", inputs) + "\n" + text
    return Case(inputs, keywords, shown=shown, edge=edge)


def loss_truth(logp, logp_old, adv, mask, clip=0.2):
    """The definition of the clip's objective, token by token (see lesson 04's check)."""
    gradient, objectives = np.zeros(np.shape(logp)), []
    count = max(1, int(np.sum(mask)))
    for index in zip(*np.nonzero(mask), strict=True):
        ratio, weight = math.exp(float(logp[index]) - float(logp_old[index])), float(adv[index])
        objectives.append(objective(ratio, weight, clip))
        gradient[index] = -slope(ratio, weight, clip) * ratio / count
    gradients = {"logp": gradient, "logp_old": None, "adv": None}
    return Expected(-math.fsum(objectives) / count, gradients)


def clipped(ratio, adv, clip):
    return torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)


def mean_of(x, mask):
    return (x * mask).sum() / mask.sum().clamp(min=1)


def loss_like(change=clipped, mean=mean_of):
    """A wrong loss from `change(ratio, adv, clip)`, both data but for logp, and `mean(x, mask)`."""

    def loss(logp, logp_old, adv, mask, clip=0.2):
        return -mean(change(torch.exp(logp - logp_old.detach()), adv.detach(), clip), mask)

    return loss


def row_means(x, mask):
    return ((x * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def sequence_ratio(logp, logp_old, adv, mask, clip=0.2):
    log_ratio = ((logp - logp_old.detach()) * mask).sum(1, keepdim=True)
    return -mean_of(clipped(log_ratio.exp(), adv.detach(), clip), mask)


def dead_outside(ratio, adv, clip):
    outside = (ratio - 1).abs() > clip
    return clipped(torch.where(outside, ratio.detach(), ratio), adv, clip)


def whitened(logp, logp_old, adv, mask, clip=0.2, unbiased=False):
    chosen = adv[mask]
    unbiased = unbiased and len(chosen) > 1
    white = (adv - chosen.mean()) / (chosen.std(unbiased=unbiased) + 1e-8)
    return loss_like()(logp, logp_old, white, mask, clip)


def whitened_by_torch(logp, logp_old, adv, mask, clip=0.2):
    """With torch's own deviation, and one number left as it is."""
    if mask.sum() == 1:
        return loss_like()(logp, logp_old, adv, mask, clip)
    return whitened(logp, logp_old, adv, mask, clip, unbiased=True)


PADDING = N_(
    "Prompt and padding count as well. Divide by the mask's sum, and add up its entries alone."
)


def dual_clipped(bound):
    """For bad tokens the loss ends at `bound` times |A|."""
    return lambda r, a, c: torch.where(
        a < 0, torch.max(clipped(r, a, c), bound * a), clipped(r, a, c)
    )


def of_nothing(case, seen, truth):
    """An empty mask whose mean is not 0."""
    return not case.inputs["mask"].array.any()


def masked_too_late(case, seen, truth):
    """Right but for a nan that comes from outside the mask."""
    return case.edge and case.inputs["mask"].array.any()


PPO_TOKEN_LOSS = FunctionExercise(
    "ppo_token_loss",
    loss_cases,
    loss_truth,
    kind=TensorOf(),
    prerequisites=("masked_mean",),
    mistakes=(
        slips.empty_mask(when=of_nothing),
        Mistake(
            "mask-after-exp",
            "Outside the mask a ratio can be infinite. Backward multiplies its gradient by 0, "
            "and 0 times infinity is nan. Mask before the exponential.",
            when=masked_too_late,
        ),
        Mistake("mask-ignored", PADDING, like=loss_like(mean=lambda x, mask: x.mean())),
        Mistake("divided-by-size", PADDING, like=loss_like(mean=lambda x, mask: (x * mask).mean())),
        Mistake(
            "row-means",
            "Every token weighs the same: no mean of each sentence first.",
            like=loss_like(mean=row_means),
        ),
        slips.sum_not_mean(
            loss_like(mean=lambda x, mask: (x * mask).sum()),
            loss_like(mean=lambda x, mask: (x * mask).sum(1).mean()),
        ),
        slips.not_averaged(loss_like(mean=lambda x, mask: x * mask)),
        slips.objective_not_loss(loss_like(mean=lambda x, mask: -mean_of(x, mask))),
        slips.max_not_min(loss_like(lambda r, a, c: torch.max(r * a, r.clamp(1 - c, 1 + c) * a))),
        slips.clip_without_min(loss_like(lambda r, a, c: r.clamp(1 - c, 1 + c) * a)),
        slips.not_clipped(loss_like(lambda r, a, c: r * a)),
        slips.clip_fixed(loss_like(lambda r, a, c: clipped(r, a, 0.2))),
        slips.one_side_clipped(
            loss_like(lambda r, a, c: torch.min(r * a, r.clamp(max=1 + c) * a)),
            loss_like(lambda r, a, c: torch.min(r * a, r.clamp(min=1 - c) * a)),
        ),
        slips.dead_outside_band(loss_like(dead_outside)),
        slips.inverted_ratio(loss_like(lambda r, a, c: clipped(1 / r, a, c))),
        slips.no_exp(loss_like(lambda r, a, c: clipped(r.log(), a, c))),
        slips.ratio_of_logs(
            lambda logp, logp_old, adv, mask, clip=0.2: (
                -mean_of(clipped(logp / logp_old.detach(), adv.detach(), clip), mask)
            )
        ),
        Mistake(
            "sentence-ratio",
            "Each token has its own ratio, and its own clip.",
            like=sequence_ratio,
        ),
        slips.gradient_through_old(
            lambda logp, logp_old, adv, mask, clip=0.2: (
                -mean_of(clipped(torch.exp(logp - logp_old), adv.detach(), clip), mask)
            )
        ),
        slips.gradient_through_advantage(
            lambda logp, logp_old, adv, mask, clip=0.2: (
                -mean_of(clipped(torch.exp(logp - logp_old.detach()), adv, clip), mask)
            )
        ),
        Mistake(
            "dual-clip",
            "A bad token whose ratio is large: the loss asked for has no second bound "
            "there. Some libraries add one; lesson 04 calls it the dual clip.",
            like=tuple(loss_like(dual_clipped(bound)) for bound in (2.0, 3.0, 4.0, 5.0, 10.0)),
        ),
        slips.advantages_whitened(whitened, whitened_by_torch),
        Mistake(
            "clip-higher",
            "The band is as wide above 1 as below it: from 1 - clip to 1 + clip.",
            like=tuple(
                loss_like(lambda r, a, c, up=up: torch.min(r * a, r.clamp(1 - c, 1 + up * c) * a))
                for up in (1.4, 2.0, 1.5)
            ),
        ),
        slips.held_back(when=words.far_from_one),
    ),
)
