"""Checks of 02_variance. Truths are autograd, sums by their definition and covariance matrices."""

import math
from dataclasses import dataclass, replace

import numpy as np

from grader.checking import (
    N_,
    Case,
    Choice,
    FunctionExercise,
    Mistake,
    Number,
    Raises,
    Trajectory,
    View,
    _,
)
from grader.truths import discounted_sum, moments, rewards_to_go, summed_scores


def softmax_rows(theta):
    """(S, A) logits -> probabilities; the imitated mistakes build on it."""
    weights = np.exp(theta - theta.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def random_trajectory(rng, num_states, num_actions):
    """A record of one to six random states, actions and rewards of either sign."""
    length = int(rng.integers(1, 7))
    rewards = rng.normal(size=length) * 3 + rng.uniform(-3, 3)
    return Trajectory(
        rng.integers(num_states, size=length), rng.integers(num_actions, size=length), rewards
    )


def short_episodes():
    """Two episodes whose states, lengths and rewards tell the usual mistakes apart."""
    return [
        Trajectory(np.array([0, 1, 0]), np.array([1, 0, 0]), np.array([1.0, -2.0, 4.0])),
        Trajectory(np.array([1]), np.array([1]), np.array([-3.0])),
    ]


def gradient_cases(rng):
    """Calls (theta, trajectories, gamma): fixed ones first, then random sizes."""
    theta = np.array([[0.0, math.log(3.0)], [math.log(2.0), 0.0]])
    sizes = [tuple(int(n) for n in rng.integers(2, 5, size=3)) for _ in range(2)]
    drawn = [
        (rng.normal(size=(s, a)), [random_trajectory(rng, s, a) for _ in range(n)])
        for s, a, n in sizes
    ]
    guises = View(drawn[0][0], "read_only"), View(drawn[1][0], "strided")
    return [
        Case({"theta": np.zeros((2, 2)), "trajectories": short_episodes()}),
        Case({"theta": theta, "trajectories": short_episodes(), "gamma": 0.5}),
        Case({"theta": theta, "trajectories": short_episodes()[:1], "gamma": 0.0}),
        Case({"theta": guises[0], "trajectories": drawn[0][1], "gamma": 0.9}, keywords=("gamma",)),
        Case(
            {
                "theta": guises[1],
                "trajectories": drawn[1][1],
                "gamma": float(rng.uniform(0.3, 0.95)),
            }
        ),
        Case({"theta": drawn[1][0], "trajectories": drawn[1][1]}),
    ]


def gradient_samples_truth(theta, trajectories, gamma=1.0):
    """Autograd on return times summed log-probability, one trajectory at a time."""
    weights = [[discounted_sum(t.rewards, gamma)] * len(t.rewards) for t in trajectories]
    return summed_scores(theta, trajectories, weights)


def imitation(weight, score=None, combine=None):
    """A wrong (theta, trajectories, gamma) -> (N, S, A): weight(rewards, gamma) -> (T,) and
    score(pi, s, a) -> (S, A) say how it goes wrong; combine acts on the whole result."""

    def wrong(theta, trajectories, gamma=1.0):
        pi = softmax_rows(np.asarray(theta))
        samples = [
            sum(
                w * (score or log_score)(pi, s, a)
                for w, s, a in zip(weight(t.rewards, gamma), t.states, t.actions, strict=True)
            )
            for t in trajectories
        ]
        return (combine or np.array)(samples)

    return wrong


def log_score(pi, state, action):
    score = np.zeros_like(pi)
    score[state] = -pi[state]
    score[state, action] += 1
    return score


def chosen_only(pi, state, action):
    score = np.zeros_like(pi)
    score[state, action] = 1 - pi[state, action]
    return score


def visited_only(pi, state, action):
    score = np.zeros_like(pi)
    score[state, action] = 1
    return score


def probability_score(pi, state, action):
    return pi[state, action] * log_score(pi, state, action)


def whole(rewards, gamma):
    return np.full(len(rewards), discounted_sum(rewards, gamma))


def to_go(rewards, gamma):
    return rewards_to_go(rewards, gamma)


def by_own_reward(rewards, gamma):
    return gamma ** np.arange(len(rewards)) * rewards


def repeats_lost(weight):
    """(theta, trajectories, gamma) -> (N, S, A) by index arrays, which add only once to an entry
    that they name twice."""

    def one(pi, trajectory, gamma):
        sample, states = np.zeros_like(pi), trajectory.states
        weights = np.asarray(weight(trajectory.rewards, gamma))
        sample[states, trajectory.actions] += weights
        sample[states] -= weights[:, None] * pi[states]
        return sample

    def wrong(theta, trajectories, gamma=1.0):
        pi = softmax_rows(np.asarray(theta))
        return np.array([one(pi, trajectory, gamma) for trajectory in trajectories])

    return wrong


def scores_kept(theta, trajectories, gamma=1.0):
    """The sum of scores goes on from one trajectory to the next."""
    returns = [discounted_sum(t.rewards, gamma) for t in trajectories]
    scores = imitation(lambda r, g: np.ones(len(r)), combine=sums_kept)(theta, trajectories)
    return np.array(returns)[:, None, None] * scores


def flattened(samples):
    return np.array(samples).reshape(len(samples), -1)


def mean_of(samples):
    return np.mean(samples, axis=0)


def shared_out(samples):
    return np.array(samples) / len(samples)


def sums_kept(samples):
    return np.cumsum(samples, axis=0)


def sum_of(samples):
    return np.sum(samples, axis=0)


SCORES_KEPT = N_(
    "The scores of one trajectory still count for the next one. Where does their sum start anew?"
)
REPEATS_LOST = N_(
    "A state visited twice counts twice. With an array of indices, += adds only once to the same "
    "entry."
)
GRADIENT_SAMPLES = FunctionExercise(
    "gradient_samples",
    gradient_cases,
    gradient_samples_truth,
    hint=N_("One trajectory at a time: its return times the sum of its scores."),
    mistakes=(
        Mistake(
            "mean-taken",
            N_("One gradient per trajectory is asked: leave the average to the caller."),
            like=imitation(whole, combine=mean_of),
        ),
        Mistake(
            "mean-taken",
            N_("One gradient per trajectory is asked: leave the average to the caller."),
            like=imitation(whole, combine=shared_out),
        ),
        Mistake(
            "batch-summed",
            N_("One gradient per trajectory is asked: what did you add up?"),
            like=imitation(whole, combine=sum_of),
        ),
        Mistake(
            "flattened",
            N_("Keep the table's axes: (N, S, A)."),
            like=imitation(whole, combine=flattened),
        ),
        Mistake(
            "gamma-ignored",
            N_("Set gamma to 0: what remains?"),
            like=imitation(lambda r, g: whole(r, 1.0)),
        ),
        Mistake(
            "discount-from-the-end",
            N_("The last reward is the one discounted most."),
            like=imitation(lambda r, g: whole(r[::-1], g)),
        ),
        Mistake(
            "reward-to-go-already",
            N_(
                "Here every step still gets the whole trajectory's "
                "return; reward-to-go comes later in this lesson."
            ),
            like=imitation(to_go),
        ),
        Mistake(
            "reward-to-go-already",
            N_(
                "Here every step still gets the whole trajectory's "
                "return; reward-to-go comes later in this lesson."
            ),
            like=imitation(lambda r, g: g ** np.arange(len(r)) * to_go(r, g)),
        ),
        Mistake(
            "own-reward-only",
            N_("That credits each step with its own reward. Which return weighs all of them?"),
            like=imitation(by_own_reward),
        ),
        Mistake(
            "own-reward-only",
            N_("That credits each step with its own reward. Which return weighs all of them?"),
            like=imitation(lambda r, g: r),
        ),
        Mistake("scores-kept", SCORES_KEPT, like=scores_kept),
        Mistake("scores-kept", SCORES_KEPT, like=imitation(whole, combine=sums_kept)),
        Mistake("repeats-lost", REPEATS_LOST, like=repeats_lost(whole)),
        Mistake(
            "discount-in-front",
            N_("gamma has done its work inside the return. Are the scores discounted as well?"),
            like=imitation(lambda r, g: g ** np.arange(len(r)) * whole(r, g)),
        ),
        Mistake(
            "divided-by-steps",
            N_("Sum the scores over the steps; a long trajectory is not averaged."),
            like=imitation(lambda r, g: whole(r, g) / len(r)),
        ),
        Mistake(
            "last-step-only",
            N_("Every step of the trajectory has a score. Is your sum inside the loop?"),
            like=imitation(lambda r, g: whole(r, g) * (np.arange(len(r)) == len(r) - 1)),
        ),
        Mistake(
            "sign",
            N_("A gradient to climb, or one to descend? The one asked for points uphill."),
            like=imitation(lambda r, g: -whole(r, g)),
        ),
        Mistake(
            "probability-not-log",
            N_("Where did the 1/pi go?"),
            like=imitation(whole, probability_score),
        ),
        Mistake(
            "other-actions-forgotten",
            N_(
                "Raising one logit lowers the other actions' "
                "probabilities: the score has entries there, too."
            ),
            like=imitation(whole, chosen_only),
        ),
        Mistake(
            "no-probabilities",
            N_("Is the score of an action that is already certain still one?"),
            like=imitation(whole, visited_only),
        ),
    ),
)


def sample_cases(rng):
    """Samples (N, ...) whose means, spreads and sizes are all different."""
    shape = tuple(int(n) for n in rng.integers(2, 5, size=2))
    spread = rng.normal(size=(int(rng.integers(5, 9)), *shape)) * rng.uniform(1, 4, size=shape) + 2
    return [
        np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 4.0], [4.0, 2.0, -1.0]]),
        np.array([[0.0, 1.0], [2.0, 5.0]]),
        np.array([1.0, 3.0, 8.0, 4.0]),
        View(spread, "read_only"),
        View(rng.normal(size=(4, 3)) - 5, "strided"),
        rng.normal(size=(3, 2, 2, 2)) + 1,
    ]


def total_variance_cases(rng):
    return [Case({"samples": samples}) for samples in sample_cases(rng)]


def total_variance_truth(samples):
    """The trace of the covariance matrix, built entry by entry."""
    return float(np.trace(moments(samples)[1]))


def flat(samples):
    return np.asarray(samples, dtype=float).reshape(len(samples), -1)


def spread(samples, ddof=1):
    """Sum of the coordinates' variances; what the imitated mistakes distort."""
    return float(flat(samples).var(axis=0, ddof=ddof).sum())


def entries_of_covariance(samples):
    return float(np.sum(np.cov(flat(samples).T)))


TOTAL_VARIANCE = FunctionExercise(
    "total_variance",
    total_variance_cases,
    total_variance_truth,
    kind=Number(),
    hint=N_("Each coordinate has a variance over the samples; the trace adds them up."),
    mistakes=(
        Mistake(
            "per-coordinate",
            N_("One number is asked. The trace adds up the diagonal."),
            when=lambda case, seen, truth: np.ndim(seen["value"]["array"]) > 0,
        ),
        Mistake(
            "biased",
            N_("Divide by N - 1: the mean was estimated from the same samples."),
            like=lambda samples: spread(samples, ddof=0),
        ),
        Mistake(
            "of-the-mean",
            N_("That is the variance of the mean. The spread of one sample is asked."),
            like=lambda samples: spread(samples) / len(samples),
        ),
        Mistake(
            "sum-not-mean",
            N_("You added up squared distances. By what does a variance divide?"),
            like=lambda samples: spread(samples) * (len(samples) - 1),
        ),
        Mistake(
            "mean-over-coordinates",
            N_("The trace is a sum over the coordinates, not their mean."),
            like=lambda samples: spread(samples) / flat(samples).shape[1],
        ),
        Mistake(
            "root-taken",
            N_("A variance is a mean of squares; no root is taken."),
            like=lambda samples: spread(samples) ** 0.5,
        ),
        Mistake(
            "deviations-summed",
            N_("Add up variances, not standard deviations."),
            like=lambda samples: float(flat(samples).std(axis=0, ddof=1).sum()),
        ),
        Mistake(
            "not-centred",
            N_("Distances from where? Add a constant to all samples: the spread must stay."),
            like=lambda samples: float((flat(samples) ** 2).sum() / (len(samples) - 1)),
        ),
        Mistake(
            "not-centred",
            N_("Distances from where? Add a constant to all samples: the spread must stay."),
            like=lambda samples: float((flat(samples) ** 2).sum(axis=1).mean()),
        ),
        Mistake(
            "pooled",
            N_("Each coordinate varies around its own mean. Over which axis do you average?"),
            like=lambda samples: float(np.var(samples, ddof=1)),
        ),
        Mistake(
            "whole-matrix",
            N_("Only the diagonal of the covariance counts: the trace."),
            like=entries_of_covariance,
        ),
        Mistake(
            "variance-of-length",
            N_("The samples are vectors. Two of one length can point in different directions."),
            like=lambda samples: float(np.linalg.norm(flat(samples), axis=1).var(ddof=1)),
        ),
        Mistake(
            "other-axis",
            N_("Which axis counts the samples?"),
            like=lambda samples: (
                float(flat(samples).var(axis=1, ddof=1).sum())
                if flat(samples).shape[1] > 1
                else 0.0
            ),
        ),
    ),
)


def signal_to_noise_truth(samples):
    """|mean|^2 / (trace of the covariance / N), from the covariance matrix."""
    mean, covariance = moments(samples)
    return float(mean @ mean / (np.trace(covariance) / len(samples)))


def mean_square(samples):
    return float((flat(samples).mean(axis=0) ** 2).sum())


def ratio(samples, signal=1.0, noise=1.0):
    """The right ratio with signal and noise raised to other powers."""
    return mean_square(samples) ** signal / (spread(samples) / len(samples)) ** noise


SIGNAL_TO_NOISE = FunctionExercise(
    "signal_to_noise",
    total_variance_cases,
    signal_to_noise_truth,
    kind=Number(),
    prerequisites=("total_variance",),
    hint=N_("Squared length of the mean, over the total variance that this mean has."),
    mistakes=(
        Mistake(
            "of-one-sample",
            N_("The mean of N samples is less noisy than one sample. By how much?"),
            like=lambda samples: mean_square(samples) / spread(samples),
        ),
        Mistake(
            "root-of-n",
            N_("Variances fall as 1/N; it is the standard error that falls with the root of N."),
            like=lambda samples: mean_square(samples) / spread(samples) * len(samples) ** 0.5,
        ),
        Mistake(
            "norm-not-squared",
            N_("The noise is a squared length. Compare it with a squared length."),
            like=lambda samples: ratio(samples, signal=0.5),
        ),
        Mistake(
            "root-taken",
            N_("Both lengths are squared; no root is taken."),
            like=lambda samples: ratio(samples, 0.5, 0.5),
        ),
        Mistake(
            "noise-not-squared",
            N_("Squared signal over squared noise: is your noise a variance?"),
            like=lambda samples: ratio(samples, 1, 0.5),
        ),
        Mistake(
            "inverted",
            N_("Signal above, noise below."),
            like=lambda samples: ratio(samples, -1, -1),
        ),
        Mistake(
            "biased",
            N_("Divide by N - 1 in the variance."),
            like=lambda samples: mean_square(samples) * len(samples) / spread(samples, ddof=0),
        ),
        Mistake(
            "divided-twice",
            N_("A division by a variance of the mean: N ends up above, not below."),
            like=lambda samples: mean_square(samples) / (spread(samples) * len(samples)),
        ),
        Mistake(
            "mean-of-squares",
            N_("First the mean vector, then its length: noise alone has length, too."),
            like=lambda samples: (
                float((flat(samples) ** 2).sum(axis=1).mean()) * len(samples) / spread(samples)
            ),
        ),
        Mistake(
            "mean-of-coordinates",
            N_("The signal is the length of the mean vector, not the mean of its entries."),
            like=lambda samples: float(np.mean(samples)) ** 2 * len(samples) / spread(samples),
        ),
        Mistake(
            "noise-per-coordinate",
            N_("The noise adds up over all coordinates, as the signal does."),
            like=lambda samples: (
                mean_square(samples) * len(samples) / (spread(samples) / flat(samples).shape[1])
            ),
        ),
    ),
)


def batch_size_cases(rng):
    """Exact quotients first (4 and 2 samples at once, and a zero mean), then random samples."""
    draws = rng.normal(size=(6, 2, 3)) * 2 + 1
    return [
        Case({"samples": np.array([[1.0], [3.0]]), "target": 4.0}),
        Case({"samples": np.array([[1.0], [3.0]]), "target": 5.5}),
        Case({"samples": np.array([[3.0, 1.0], [5.0, 1.0], [4.0, -2.0]]), "target": 21.0}),
        Case({"samples": np.array([[-1.0, 2.0], [1.0, -2.0]]), "target": 1.0}),
        Case({"samples": View(draws, "read_only"), "target": away_from_whole(draws, 10.0)}),
        Case({"samples": np.array([[10.0], [10.5], [11.0]]), "target": 0.01}),
        Case({"samples": np.array([1.0, 3.0, 8.0, 4.0]), "target": 30.0}),
        Case({"samples": np.array([[1.0], [3.0]]), "target": 0.0}),
        Case({"samples": np.array([[1.0, -3.0], [3.0, -1.0]]), "target": 3.0}),
        Case({"samples": np.array([[0.001], [0.003]]), "target": 5.5}),
    ]


def away_from_whole(samples, target):
    """A target near this one whose batch size is no whole number by a margin, and rounds down."""
    single = signal_to_noise_truth(samples) / len(samples)
    return float((math.floor(target / single) + 0.3) * single)


def batch_size_truth(samples, target):
    """Counts up from 1 until the ratio, which grows by the same amount per sample, is reached."""
    mean, covariance = moments(samples)
    if not mean.any():
        return Raises("ValueError")
    signal, noise = float(mean @ mean), float(np.trace(covariance))
    size = max(1, math.floor(target * noise / signal) - 1)
    while size * signal / noise < target * (1 - 1e-12):
        size += 1
    return size


def sized(rule):
    """A wrong (samples, target) -> int: rule(target / ratio of one sample)."""

    def wrong(samples, target):
        if not mean_square(samples):
            raise ValueError("the mean is zero")
        return rule(target * spread(samples) / mean_square(samples))

    return wrong


def zero_mean_silent(case, seen, truth):
    return isinstance(truth, Raises)


def zero_mean_seen(case, seen, truth):
    return seen["error"]["type"] == "ValueError"


BATCH_SIZE_FOR = FunctionExercise(
    "batch_size_for",
    batch_size_cases,
    batch_size_truth,
    kind=Number(),
    relative=1e-9,
    prerequisites=("signal_to_noise", "total_variance"),
    hint=N_("What is the ratio of one sample, and by what factor does a batch of B raise it?"),
    mistakes=(
        Mistake(
            "zero-mean",
            N_(
                "A mean of zero has no signal: which batch could ever be large "
                "enough? Raise ValueError."
            ),
            when=zero_mean_silent,
        ),
        Mistake(
            "mean-not-zero",
            N_("The mean of these samples isn't zero. It is zero only where all its entries are."),
            when=zero_mean_seen,
        ),
        Mistake(
            "rounded-down",
            N_("At least the target: does your batch reach it?"),
            like=sized(lambda n: max(1, math.floor(n))),
        ),
        Mistake(
            "rounded",
            N_("Rounding to the nearest can fall short of the target."),
            like=sized(lambda n: max(1, round(n))),
        ),
        Mistake(
            "one-too-many",
            N_("Where the target is met exactly, that batch is enough."),
            like=sized(lambda n: math.floor(n) + 1),
        ),
        Mistake(
            "not-whole",
            N_("Half a trajectory cannot be drawn: round up."),
            like=sized(lambda n: max(1.0, n)),
        ),
        Mistake("below-one", N_("A batch holds at least one trajectory."), like=sized(math.ceil)),
        Mistake(
            "of-these-samples",
            N_("The ratio of the mean of these N samples is already N times that of one."),
            like=lambda samples, target: max(
                1, math.ceil(sized(float)(samples, target) / len(samples))
            ),
        ),
        Mistake(
            "times-n",
            N_("How many samples in all? Divide by the ratio of a single one."),
            like=lambda samples, target: max(
                1, math.ceil(sized(float)(samples, target) * len(samples))
            ),
        ),
        Mistake(
            "root-law",
            N_("This is a ratio of variances: it grows with B, not with the root of B."),
            like=sized(lambda n: max(1, math.ceil(n**0.5))),
        ),
        Mistake(
            "squared-law",
            N_("The ratio grows with B, not with the root of B."),
            like=sized(lambda n: max(1, math.ceil(n**2))),
        ),
        Mistake(
            "norm-not-squared",
            N_("The signal is a squared length."),
            like=lambda samples, target: sized(
                lambda n: max(1, math.ceil(n * mean_square(samples) ** 0.5))
            )(samples, target),
        ),
        Mistake(
            "biased",
            N_("Divide by N - 1 in the variance."),
            like=lambda samples, target: sized(
                lambda n: max(1, math.ceil(n * (len(samples) - 1) / len(samples)))
            )(samples, target),
        ),
    ),
)

MANY_STEPS = 500_000
LONG_CALL = f"reward_to_go(rewards=np.ones({MANY_STEPS}), gamma=1.0)"


def reward_to_go_cases(rng):
    """The long one comes last: a time limit that strikes there spares the others."""
    rewards = rng.normal(size=int(rng.integers(5, 9)))
    return [
        Case({"rewards": np.array([1.0, 2.0, 4.0]), "gamma": 0.5}),
        Case({"rewards": np.array([0.0, 0.0, 1.0]), "gamma": 0.5}),
        Case({"rewards": np.array([3.0, -1.0, 0.0, 5.0])}),
        Case({"rewards": np.array([3.0, 5.0]), "gamma": 0.0}),
        Case({"rewards": np.array([7.0]), "gamma": 0.9}),
        Case({"rewards": View(rewards, "read_only"), "gamma": float(rng.uniform(0.3, 0.99))}),
        Case({"rewards": View(rewards, "strided"), "gamma": 0.9}, keywords=("gamma",)),
        Case({"rewards": View(rewards, "list")}),
        Case({"rewards": View(np.array([1, 0, 3]), "list"), "gamma": 0.5}),
        Case({"rewards": np.ones(MANY_STEPS), "gamma": 1.0}, shown=LONG_CALL),
    ]


def reward_to_go_truth(rewards, gamma=1.0):
    """The definition at every step; for the long row of ones the number of steps left."""
    if len(rewards) == MANY_STEPS:
        return np.arange(MANY_STEPS, 0, -1.0)
    return rewards_to_go(rewards, gamma)


def accumulated(rewards, gamma):
    """Discounted sums from the first step on, in O(T): what the imitated mistakes build on."""
    if gamma == 1:
        return np.cumsum(rewards, dtype=float)
    sums = np.array(rewards, dtype=float)
    for t in range(1, len(sums)):
        sums[t] += gamma * sums[t - 1]
    return sums


def backwards(rewards, gamma):
    return accumulated(np.asarray(rewards, dtype=float)[::-1], gamma)[::-1]


def powers(gamma, rewards):
    return gamma ** np.arange(len(rewards))


def one_step(rewards, gamma):
    rewards = np.asarray(rewards, dtype=float)
    return rewards + gamma * np.append(rewards[1:], 0.0)


def out_of_memory(case, seen, truth):
    return "MemoryError" in seen["error"]["bases"]


def too_deep(case, seen, truth):
    return "RecursionError" in seen["error"]["bases"]


def whole_numbers(case, seen, truth):
    return seen["value"]["array"].dtype.kind in "iu"


@dataclass(frozen=True)
class LongExercise(FunctionExercise):
    """Whoever is too slow hears of the long case: the time runs out for all cases together."""

    def judge(self, cases, seen):
        verdict = super().judge(cases, seen)
        if verdict.mistake != "too-slow":
            return verdict
        hint = _(
            "The last case is an episode of {n} steps. Is there a loop that never ends, or does "
            "each step loop over, or copy, all the others?"
        ).format(n=MANY_STEPS)
        return replace(verdict, problem=replace(verdict.problem, hint=hint))


def list_refused(case, seen, truth):
    given = case.inputs["rewards"]
    return getattr(given, "guise", "") == "list" and "error" in seen


REWARD_TO_GO = LongExercise(
    "reward_to_go",
    reward_to_go_cases,
    reward_to_go_truth,
    seconds=3.0,
    hint=N_(
        "What does a step earn from itself on? Compare the last two entries with the definition."
    ),
    mistakes=(
        Mistake(
            "list-refused",
            N_("The rewards come as a list here. np.asarray makes them an array."),
            when=list_refused,
        ),
        Mistake(
            "whole-numbers",
            N_(
                "The result was cut to whole numbers. Which dtype has your "
                "array where the rewards are a list of whole numbers?"
            ),
            when=whole_numbers,
        ),
        *(
            Mistake(
                "gamma-default",
                N_("Called without gamma, it is 1. What is its default in your function?"),
                like=lambda rewards, gamma=default: backwards(rewards, gamma),
            )
            for default in (0.99, 0.95, 0.9)
        ),
        Mistake(
            "quadratic",
            N_("A table of T by T numbers is too large. One pass from the end is enough."),
            when=out_of_memory,
        ),
        Mistake(
            "recursion",
            N_("One nested call per step goes too deep. Use a loop from the end."),
            when=too_deep,
        ),
        Mistake(
            "whole-return",
            N_("Can this action change the past? Earlier rewards don't count."),
            like=lambda rewards, gamma=1.0: np.full(
                len(rewards), float(powers(gamma, rewards) @ np.asarray(rewards))
            ),
        ),
        Mistake(
            "past-rewards",
            N_("You add up what came before. An action can only change what comes after."),
            like=lambda rewards, gamma=1.0: accumulated(rewards, gamma),
        ),
        Mistake(
            "gamma-ignored",
            N_("Set gamma to 0: what remains?"),
            like=lambda rewards, gamma=1.0: backwards(rewards, 1.0),
        ),
        Mistake(
            "extra-discount",
            N_(
                "The discount counts from step t itself: its own reward has "
                "weight one, with no gamma^t in front."
            ),
            like=lambda rewards, gamma=1.0: backwards(
                powers(gamma, rewards) * np.asarray(rewards), 1.0
            ),
        ),
        Mistake(
            "own-reward-missing",
            N_("The reward that follows action t belongs to it: the sum starts at k = t."),
            like=lambda rewards, gamma=1.0: np.append(backwards(rewards, gamma)[1:], 0.0),
        ),
        Mistake(
            "discounted-once-more",
            N_("With which power of gamma does a step's own reward count?"),
            like=lambda rewards, gamma=1.0: gamma * backwards(rewards, gamma),
        ),
        Mistake(
            "reversed",
            N_("Which entry belongs to the first step? Turn the result round."),
            like=lambda rewards, gamma=1.0: backwards(rewards, gamma)[::-1],
        ),
        Mistake(
            "own-reward-only",
            N_("Later rewards follow from this action, too."),
            like=lambda rewards, gamma=1.0: np.array(rewards, dtype=float),
        ),
        Mistake(
            "one-step-ahead",
            N_("All later rewards count, not the next one alone. Which value do you carry along?"),
            like=lambda rewards, gamma=1.0: one_step(rewards, gamma),
        ),
        Mistake(
            "averaged",
            N_("A sum is asked, not a mean over the steps that are left."),
            like=lambda rewards, gamma=1.0: (
                backwards(rewards, gamma) / np.arange(len(rewards), 0, -1)
            ),
        ),
    ),
)


def reward_to_go_gradient_truth(theta, trajectories, gamma=1.0):
    """Autograd on the log-probabilities, each weighted by the definition of its reward-to-go."""
    weights = [rewards_to_go(t.rewards, gamma) for t in trajectories]
    return summed_scores(theta, trajectories, weights)


def summed_apart(theta, trajectories, gamma=1.0):
    """Sum of rewards-to-go times sum of scores: every step's weight meets every step's score."""
    return imitation(lambda r, g: np.full(len(r), to_go(r, g).sum()))(theta, trajectories, gamma)


REWARD_TO_GO_GRADIENT_SAMPLES = FunctionExercise(
    "reward_to_go_gradient_samples",
    gradient_cases,
    reward_to_go_gradient_truth,
    prerequisites=("reward_to_go",),
    hint=N_("Each step's score, times what that step earned from itself on; then the sum."),
    mistakes=(
        Mistake(
            "whole-return",
            N_(
                "Every step still gets the whole return. Which rewards can the "
                "action at step t change?"
            ),
            like=imitation(whole),
        ),
        Mistake(
            "extra-discount",
            N_("Step t is weighted by its reward-to-go alone, with no further gamma^t in front."),
            like=imitation(lambda r, g: g ** np.arange(len(r)) * to_go(r, g)),
        ),
        Mistake(
            "summed-apart",
            N_("Multiply step by step, then sum: each score has a weight of its own."),
            like=summed_apart,
        ),
        Mistake(
            "mean-taken",
            N_("One gradient per trajectory is asked: leave the average to the caller."),
            like=imitation(to_go, combine=mean_of),
        ),
        Mistake(
            "batch-summed",
            N_("One gradient per trajectory is asked: what did you add up?"),
            like=imitation(to_go, combine=sum_of),
        ),
        Mistake(
            "flattened",
            N_("Keep the table's axes: (N, S, A)."),
            like=imitation(to_go, combine=flattened),
        ),
        Mistake(
            "gamma-ignored",
            N_("Set gamma to 0: what remains?"),
            like=imitation(lambda r, g: to_go(r, 1.0)),
        ),
        Mistake(
            "own-reward-only",
            N_("Later rewards follow from this action, too."),
            like=imitation(lambda r, g: np.asarray(r)),
        ),
        Mistake(
            "own-reward-missing",
            N_("The reward that follows action t belongs to it."),
            like=imitation(lambda r, g: to_go(r, g) - np.asarray(r)),
        ),
        Mistake(
            "past-rewards",
            N_("That weighs a step by what came before it."),
            like=imitation(lambda r, g: to_go(r[::-1], g)[::-1]),
        ),
        Mistake(
            "reversed",
            N_("Do the weights run in the same order as the steps?"),
            like=imitation(lambda r, g: to_go(r, g)[::-1]),
        ),
        Mistake(
            "own-reward-missing",
            N_("The reward that follows action t belongs to it."),
            like=imitation(lambda r, g: np.append(to_go(r, g)[1:], 0.0)),
        ),
        Mistake("repeats-lost", REPEATS_LOST, like=repeats_lost(to_go)),
        Mistake(
            "divided-by-steps",
            N_("Sum over the steps; a long trajectory is not averaged."),
            like=imitation(lambda r, g: to_go(r, g) / len(r)),
        ),
        Mistake(
            "last-weight",
            N_("Every step has a weight of its own, not the last step's."),
            like=imitation(lambda r, g: np.full(len(r), to_go(r, g)[-1])),
        ),
        Mistake(
            "sign",
            N_("The gradient asked for points uphill."),
            like=imitation(lambda r, g: -to_go(r, g)),
        ),
        Mistake(
            "probability-not-log",
            N_("Where did the 1/pi go?"),
            like=imitation(to_go, probability_score),
        ),
        Mistake(
            "other-actions-forgotten",
            N_(
                "Raising one logit lowers the other actions' "
                "probabilities: the score has entries there, too."
            ),
            like=imitation(to_go, chosen_only),
        ),
    ),
)

Q_SHIFT = Choice(
    "q_shift",
    right="b",
    hints={
        "a": N_("What is the expected score? Multiply it by the constant."),
        "c": N_("Does the mean move? The expected score, times a constant, is ..."),
        "d": N_(
            "Each sample gets the constant times its score on top, and scores differ from "
            "sample to sample."
        ),
    },
)

Q_BATCH = Choice(
    "q_batch",
    right="b",
    hints={
        "a": N_("The variance falls to a quarter. The standard error is its root."),
        "c": N_("The mean of more samples is closer to the truth. By how much?"),
        "d": N_("Variances fall as 1/N, and no faster."),
    },
)

EXERCISES = [
    GRADIENT_SAMPLES,
    TOTAL_VARIANCE,
    Q_BATCH,
    SIGNAL_TO_NOISE,
    BATCH_SIZE_FOR,
    Q_SHIFT,
    REWARD_TO_GO,
    REWARD_TO_GO_GRADIENT_SAMPLES,
]
