"""How much the samples vary, and how large a batch it takes. The truth is the covariance matrix."""

import math

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Number, Raises, Symptom, View
from grader.checks.lesson_02 import formulas
from grader.checks.shared.slips import listed


def moments(samples):
    """(mean (D,), covariance (D, D)) of samples (N, ...), each entry by its definition."""
    flat = [np.ravel(sample) for sample in np.asarray(samples, dtype=float)]
    count, size = len(flat), len(flat[0])
    mean = np.array([math.fsum(x[i] for x in flat) / count for i in range(size)])
    apart = [x - mean for x in flat]
    cov = np.empty((size, size))
    for i, j in np.ndindex(size, size):
        cov[i, j] = math.fsum(x[i] * x[j] for x in apart) / (count - 1)
    return mean, cov


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


TOTAL_VARIANCE_HINTS = {
    "per-coordinate": "One number is asked. The trace adds up the diagonal.",
    "biased": "Divide by N - 1: the mean was estimated from the same samples.",
    "of-the-mean": "That is the variance of the mean. The spread of one sample is asked.",
    "sum-not-mean": "You added up squared distances. By what does a variance divide?",
    "mean-over-coordinates": "The trace is a sum over the coordinates, not their mean.",
    "root-taken": "A variance is a mean of squares; no root is taken.",
    "deviations-summed": "Add up variances, not standard deviations.",
    "not-centred": "Distances from where? Add a constant to all samples: the spread must stay.",
    "pooled": "Each coordinate varies around its own mean. Over which axis do you average?",
    "whole-matrix": "Only the diagonal of the covariance counts: the trace.",
    "variance-of-length": "The samples are vectors. Two of one length can point in different "
    "directions.",
    "other-axis": "Which axis counts the samples?",
    "states-pooled": "Each entry of the table is a coordinate of its own: pool the samples alone.",
}
TOTAL_VARIANCE_FACES = {
    "per-coordinate": Symptom(lambda case, seen, truth: np.ndim(seen["value"]["array"]) > 0),
    "biased": lambda samples: spread(samples, ddof=0),
    "of-the-mean": lambda samples: spread(samples) / len(samples),
    "sum-not-mean": lambda samples: spread(samples) * (len(samples) - 1),
    "mean-over-coordinates": lambda samples: spread(samples) / flat(samples).shape[1],
    "root-taken": lambda samples: spread(samples) ** 0.5,
    "deviations-summed": lambda samples: float(flat(samples).std(axis=0, ddof=1).sum()),
    "not-centred": (
        lambda samples: float((flat(samples) ** 2).sum() / (len(samples) - 1)),
        lambda samples: float((flat(samples) ** 2).sum(axis=1).mean()),
    ),
    "pooled": lambda samples: float(np.var(samples, ddof=1)),
    "whole-matrix": lambda samples: float(np.sum(np.cov(flat(samples).T))),
    "variance-of-length": lambda samples: float(np.linalg.norm(flat(samples), axis=1).var(ddof=1)),
    "other-axis": lambda samples: (
        float(flat(samples).var(axis=1, ddof=1).sum()) if flat(samples).shape[1] > 1 else 0.0
    ),
    "states-pooled": lambda samples: float(
        np.var(samples, axis=tuple(range(max(1, np.ndim(samples) - 1))), ddof=1).sum()
    ),
}
TOTAL_VARIANCE = FunctionExercise(
    "total_variance",
    total_variance_cases,
    total_variance_truth,
    formula=(formulas.total_variance_formula, formulas.total_variance_by_squares),
    kind=Number(),
    hint=N_("Each coordinate has a variance over the samples; the trace adds them up."),
    mistakes=listed(TOTAL_VARIANCE_FACES, TOTAL_VARIANCE_HINTS),
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


def coordinate_ratios(samples):
    found = flat(samples)
    with np.errstate(all="ignore"):
        return found.mean(0) ** 2 / (found.var(0, ddof=1) / len(found))


SIGNAL_TO_NOISE_HINTS = {
    "of-one-sample": "The mean of N samples is less noisy than one sample. By how much?",
    "root-of-n": "Variances fall as 1/N; it is the standard error that falls with the root of N.",
    "norm-not-squared": "The noise is a squared length. Compare it with a squared length.",
    "root-taken": "Both lengths are squared; no root is taken.",
    "noise-not-squared": "Squared signal over squared noise: is your noise a variance?",
    "inverted": "Signal above, noise below.",
    "divided-twice": "A division by a variance of the mean: N ends up above, not below.",
    "mean-of-squares": "First the mean vector, then its length: noise alone has length, too.",
    "mean-of-coordinates": "The signal is the length of the mean vector, not the mean of its "
    "entries.",
    "noise-per-coordinate": "The noise adds up over all coordinates, as the signal does.",
    "ratio-per-coordinate": "One ratio of two lengths is asked, not the mean of a ratio for each "
    "coordinate.",
}
SIGNAL_TO_NOISE_FACES = {
    "of-one-sample": lambda samples: mean_square(samples) / spread(samples),
    "root-of-n": lambda samples: mean_square(samples) / spread(samples) * len(samples) ** 0.5,
    "norm-not-squared": lambda samples: ratio(samples, signal=0.5),
    "root-taken": lambda samples: ratio(samples, 0.5, 0.5),
    "noise-not-squared": lambda samples: ratio(samples, 1, 0.5),
    "inverted": lambda samples: ratio(samples, -1, -1),
    "biased": lambda samples: mean_square(samples) * len(samples) / spread(samples, ddof=0),
    "divided-twice": lambda samples: mean_square(samples) / (spread(samples) * len(samples)),
    "mean-of-squares": lambda samples: (
        float((flat(samples) ** 2).sum(axis=1).mean()) * len(samples) / spread(samples)
    ),
    "mean-of-coordinates": lambda samples: (
        float(np.mean(samples)) ** 2 * len(samples) / spread(samples)
    ),
    "noise-per-coordinate": lambda samples: (
        mean_square(samples) * len(samples) / (spread(samples) / flat(samples).shape[1])
    ),
    "ratio-per-coordinate": (
        lambda samples: float(np.mean(coordinate_ratios(samples))),
        lambda samples: float(np.sum(coordinate_ratios(samples))),
    ),
}
SIGNAL_TO_NOISE = FunctionExercise(
    "signal_to_noise",
    total_variance_cases,
    signal_to_noise_truth,
    formula=formulas.signal_to_noise_formula,
    kind=Number(),
    prerequisites=("total_variance",),
    hint=N_("Squared length of the mean, over the total variance that this mean has."),
    mistakes=listed(SIGNAL_TO_NOISE_FACES, SIGNAL_TO_NOISE_HINTS),
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
        # A small mean is a mean.
        Case({"samples": np.array([[0.0004], [0.0012]]), "target": 5.5}),
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


def sized(change=lambda n, samples: n, whole=math.ceil, least=1):
    """A wrong (samples, target) -> int, right where nothing else is said: change(target / ratio of
    one sample, samples), made whole."""

    def wrong(samples, target):
        if not mean_square(samples):
            raise ValueError("the mean is zero")
        size = target * spread(samples) / mean_square(samples)
        return max(least, whole(change(size, samples)))

    return wrong


def zero_mean_silent(case, seen, truth):
    return isinstance(truth, Raises)


def zero_mean_seen(case, seen, truth):
    return seen["error"]["type"] == "ValueError"


BATCH_SIZE_FOR_HINTS = {
    "zero-mean": "A mean of zero has no signal: which batch could ever be large enough? Raise "
    "ValueError.",
    "mean-not-zero": "The mean of these samples isn't zero. It is zero only where all its entries "
    "are.",
    "rounded-down": "At least the target: does your batch reach it?",
    "rounded": "Rounding to the nearest can fall short of the target.",
    "one-too-many": "Where the target is met exactly, that batch is enough.",
    "not-whole": "Half a trajectory cannot be drawn: round up.",
    "below-one": "A batch holds at least one trajectory.",
    "of-these-samples": "The ratio of the mean of these N samples is already N times that of one.",
    "times-n": "How many samples in all? Divide by the ratio of a single one.",
    "root-law": "This is a ratio of variances: it grows with B, not with the root of B.",
    "squared-law": "The ratio grows with B, not with the root of B.",
    "norm-not-squared": "The signal is a squared length.",
}
BATCH_SIZE_FOR_FACES = {
    "zero-mean": Symptom(zero_mean_silent),
    "mean-not-zero": Symptom(zero_mean_seen),
    "rounded-down": sized(whole=math.floor),
    "rounded": sized(whole=round),
    "one-too-many": sized(whole=lambda n: math.floor(n) + 1),
    "not-whole": sized(whole=float),
    "below-one": sized(least=0),
    "of-these-samples": sized(lambda n, samples: n / len(samples)),
    "times-n": sized(lambda n, samples: n * len(samples)),
    "root-law": sized(lambda n, samples: n**0.5),
    "squared-law": sized(lambda n, samples: n**2),
    "norm-not-squared": sized(lambda n, samples: n * mean_square(samples) ** 0.5),
    "biased": sized(lambda n, samples: n * (len(samples) - 1) / len(samples)),
}
BATCH_SIZE_FOR = FunctionExercise(
    "batch_size_for",
    batch_size_cases,
    batch_size_truth,
    formula=formulas.batch_size_formula,
    kind=Number(),
    relative=1e-9,
    prerequisites=("signal_to_noise", "total_variance"),
    hint=N_("What is the ratio of one sample, and by what factor does a batch of B raise it?"),
    mistakes=listed(BATCH_SIZE_FOR_FACES, BATCH_SIZE_FOR_HINTS),
)
