"""Baselines: truths are autograd, a grid-free minimum of the variance, and means spelled out."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, Mistake, Number, Raises, View
from grader.checks.lesson_02 import chosen_only, gradient_cases, imitation, random_trajectory
from grader.truths import discounted_sum, rewards_to_go, summed_scores


def baseline_cases(rng):
    """The gradient cases of lesson 02 with a baseline for each state; one of them constant."""
    cases = []
    for i, case in enumerate(gradient_cases(rng)):
        given = dict(case.inputs)
        theta = given["theta"].array if isinstance(given["theta"], View) else given["theta"]
        size = len(theta)
        baseline = np.array([5.0, -2.0]) if i == 0 else rng.normal(size=size) * 4
        if i == 2:
            baseline = np.full(size, 3.0)
        if i == 3:
            baseline = View(baseline, "read_only")
        ordered = {"theta": given["theta"], "trajectories": given["trajectories"]}
        ordered["baseline"] = baseline
        if "gamma" in given:
            ordered["gamma"] = given["gamma"]
        cases.append(Case(ordered, case.keywords))
    return cases + [square_case(rng)]


def square_case(rng):
    """As many states as actions, so that looking up the action's entry raises no error."""
    trajectories = [random_trajectory(rng, 4, 4) for _n in range(3)]
    return Case(
        {
            "theta": rng.normal(size=(4, 4)),
            "trajectories": trajectories,
            "baseline": rng.normal(size=4) * 5,
            "gamma": 0.8,
        }
    )


def baseline_truth(theta, trajectories, baseline, gamma=1.0):
    """Autograd on the log-probabilities, each weighted by reward-to-go minus baseline."""
    weights = [
        [discounted_sum(t.rewards, gamma, k) - baseline[s] for k, s in enumerate(t.states)]
        for t in trajectories
    ]
    return summed_scores(theta, trajectories, weights)


def with_baseline(weight, **how):
    """A wrong (theta, trajectories, baseline, gamma): weight(t, to_go, baseline) -> (T,)."""

    def wrong(theta, trajectories, baseline, gamma=1.0):
        baseline = np.asarray(baseline)
        weights = iter([weight(t, rewards_to_go(t.rewards, gamma), baseline) for t in trajectories])
        return imitation(lambda rewards, g: next(weights), **how)(theta, trajectories, gamma)

    return wrong


def less_baseline(t, to_go, baseline):
    return to_go - baseline[t.states]


def baseline_at_actions(t, to_go, baseline):
    return to_go - baseline[np.minimum(t.actions, len(baseline) - 1)]


def baseline_at_time(t, to_go, baseline):
    return to_go - baseline[: len(to_go)]


def never_reset(samples):
    """Each sample with all that came before it: the sum starts at zeros only once."""
    return np.cumsum(samples, axis=0)


def repeats_lost(theta, trajectories, baseline, gamma=1.0):
    """What an indexed += leaves: of a state's visits the last one alone."""

    def last_visits(t, to_go, baseline):
        later = [s in t.states[k + 1 :] for k, s in enumerate(t.states)]
        return np.where(later, 0.0, less_baseline(t, to_go, baseline))

    return with_baseline(last_visits)(theta, trajectories, baseline, gamma)


def subtracted_once(theta, trajectories, baseline, gamma=1.0):
    """The baseline of the first state, taken from the finished gradient."""
    baseline = np.asarray(baseline)
    samples = with_baseline(lambda t, g, b: g)(theta, trajectories, baseline, gamma)
    return samples - np.array([baseline[t.states[0]] for t in trajectories])[:, None, None]


BASELINE_GRADIENT_SAMPLES = FunctionExercise(
    "baseline_gradient_samples",
    baseline_cases,
    baseline_truth,
    hint=N_("Weight of step t: its reward-to-go minus the baseline of the state it was in."),
    mistakes=(
        Mistake(
            "baseline-added",
            N_("Better than expected is return minus expectation."),
            like=with_baseline(lambda t, g, b: g + b[t.states]),
        ),
        Mistake(
            "reversed-sign",
            N_(
                "Return minus baseline, or baseline minus return? A good "
                "surprise must push the action up."
            ),
            like=with_baseline(lambda t, g, b: b[t.states] - g),
        ),
        Mistake(
            "baseline-ignored",
            N_("The baseline plays no part in the result."),
            like=with_baseline(lambda t, g, b: g),
        ),
        Mistake(
            "whole-return",
            N_("Each step is compared with its own reward-to-go, not with the whole return."),
            like=with_baseline(lambda t, g, b: g[0] - b[t.states]),
        ),
        Mistake(
            "baseline-of-action",
            N_("The baseline is looked up by the state. One that sees the action brings a bias."),
            like=with_baseline(baseline_at_actions),
        ),
        Mistake(
            "baseline-of-action",
            N_("The baseline is looked up by the state. One that sees the action brings a bias."),
            like=with_baseline(lambda t, g, b: g - b[t.actions]),
        ),
        Mistake(
            "baseline-of-time",
            N_(
                "Does your code look the baseline up by the step's number? "
                "It belongs to the state of that step."
            ),
            like=with_baseline(baseline_at_time),
        ),
        Mistake(
            "baseline-discounted",
            N_(
                "The baseline of a state is not discounted: it is "
                "compared with what is earned from there on."
            ),
            like=lambda theta, trajectories, baseline, gamma=1.0: with_baseline(
                lambda t, g, b: g - gamma ** np.arange(len(g)) * b[t.states]
            )(theta, trajectories, baseline, gamma),
        ),
        Mistake(
            "subtracted-from-rewards",
            N_(
                "The baseline is subtracted once for each step, "
                "from its reward-to-go; not from every reward."
            ),
            like=lambda theta, trajectories, baseline, gamma=1.0: with_baseline(
                lambda t, g, b: rewards_to_go(np.asarray(t.rewards) - b[t.states], gamma)
            )(theta, trajectories, baseline, gamma),
        ),
        Mistake(
            "divided",
            N_("The steps of a trajectory are added up; nothing is divided."),
            like=with_baseline(lambda t, g, b: less_baseline(t, g, b) / len(g)),
        ),
        Mistake(
            "divided",
            N_("The steps of a trajectory are added up; nothing is divided."),
            like=with_baseline(less_baseline, combine=lambda s: np.array(s) / len(s)),
        ),
        Mistake(
            "never-reset",
            N_("Each trajectory's sum begins at zeros. Does yours go on from the one before?"),
            like=with_baseline(less_baseline, combine=never_reset),
        ),
        Mistake(
            "never-reset",
            N_("Each trajectory's sum begins at zeros. Does yours go on from the one before?"),
            like=with_baseline(
                less_baseline, combine=lambda s: np.array([np.sum(s, axis=0)] * len(s))
            ),
        ),
        Mistake(
            "repeats-lost",
            N_(
                "Where a state comes twice, only its last visit counts. Does "
                "your code overwrite? An indexed += adds once; np.add.at adds "
                "each time."
            ),
            like=repeats_lost,
        ),
        Mistake(
            "baseline-of-first-state",
            N_("Each step has its own state, and its own baseline."),
            like=with_baseline(lambda t, g, b: g - b[t.states[0]]),
        ),
        Mistake(
            "baseline-of-next-state",
            N_("The state in which the action was taken counts, not the one it led to."),
            like=with_baseline(lambda t, g, b: g - b[np.append(t.states[1:], t.states[-1])]),
        ),
        Mistake(
            "mean-baseline",
            N_("The mean of the baseline is one number. Which entry belongs to step t?"),
            like=with_baseline(lambda t, g, b: g - b.mean()),
        ),
        Mistake(
            "mean-of-episode",
            N_(
                "You subtract the episode's own mean. Late steps then look bad only for being late."
            ),
            like=with_baseline(lambda t, g, b: g - g.mean()),
        ),
        Mistake(
            "subtracted-from-gradient",
            N_("The baseline belongs into the weight of a score; a gradient has no baseline."),
            like=subtracted_once,
        ),
        Mistake(
            "own-reward-only",
            N_("Later rewards follow from this action, too."),
            like=with_baseline(lambda t, g, b: np.asarray(t.rewards) - b[t.states]),
        ),
        Mistake(
            "gamma-ignored",
            N_("Set gamma to 0: what remains?"),
            like=lambda theta, trajectories, baseline, gamma=1.0: with_baseline(less_baseline)(
                theta, trajectories, baseline
            ),
        ),
        Mistake(
            "extra-discount",
            N_("No further gamma^t stands in front of a step's weight."),
            like=lambda theta, trajectories, baseline, gamma=1.0: with_baseline(
                lambda t, g, b: gamma ** np.arange(len(g)) * less_baseline(t, g, b)
            )(theta, trajectories, baseline, gamma),
        ),
        Mistake(
            "mean-taken",
            N_("One gradient per trajectory is asked: leave the average to the caller."),
            like=with_baseline(less_baseline, combine=lambda s: np.mean(s, axis=0)),
        ),
        Mistake(
            "other-actions-forgotten",
            N_(
                "Raising one logit lowers the other actions' "
                "probabilities: the score has entries there, too."
            ),
            like=with_baseline(less_baseline, score=chosen_only),
        ),
    ),
)


def optimal_cases(rng):
    """(N, D) scores and (N,) returns; also one coordinate, one sample, and equal lengths N = D."""
    long = rng.normal(size=(8, 3)) * rng.uniform(0.2, 3, size=(8, 1))
    return [
        Case({"scores": np.array([[1.0, 0.0], [0.0, 3.0]]), "returns": np.array([2.0, 4.0])}),
        Case(
            {
                "scores": np.array([[1.0, 1.0], [2.0, 0.0], [0.0, -1.0]]),
                "returns": np.array([6.0, -1.0, 3.0]),
            }
        ),
        Case({"scores": np.array([[2.0, -1.0]]), "returns": np.array([7.0])}),
        Case({"scores": np.array([[1.0], [-3.0], [2.0]]), "returns": np.array([1.0, 5.0, -2.0])}),
        Case(
            {
                "scores": View(long, "read_only"),
                "returns": View(rng.normal(size=8) * 5 + 3, "read_only"),
            }
        ),
        Case({"scores": rng.normal(size=(3, 3)), "returns": rng.normal(size=3) - 4}),
        Case(
            {"scores": View(rng.normal(size=(6, 2)), "strided"), "returns": rng.normal(size=6) + 10}
        ),
    ]


def optimal_truth(scores, returns):
    """The vertex of the parabola of mean squared lengths, through three of its points."""

    def width(b):
        return sum(float(np.sum((s * (r - b)) ** 2)) for s, r in zip(scores, returns, strict=True))

    left, middle, right = width(-1.0), width(0.0), width(1.0)
    return (left - right) / (2 * (left + right - 2 * middle))


def lengths(scores):
    return (np.asarray(scores) ** 2).sum(axis=1)


def weighted_mean(weights, returns):
    return float(np.sum(weights * np.asarray(returns)) / np.sum(weights))


def least_total_variance(scores, returns):
    """The constant that minimises the samples' total variance, their mean held for fixed."""
    scores, returns = np.asarray(scores), np.asarray(returns)
    centred = scores - scores.mean(axis=0)
    moved = scores * returns[:, None]
    with np.errstate(all="ignore"):
        return float(((moved - moved.mean(0)) * centred).sum() / (centred**2).sum())


OPTIMAL_BASELINE = FunctionExercise(
    "optimal_baseline",
    optimal_cases,
    optimal_truth,
    kind=Number(),
    absolute=1e-5,
    hint=N_("A mean of the returns, in which a sample with a long score counts more."),
    mistakes=(
        Mistake(
            "mean-return",
            N_(
                "The plain mean is close, not best. Weight each return by the size of its gradient."
            ),
            like=lambda scores, returns: float(np.mean(returns)),
        ),
        Mistake(
            "length-not-squared",
            N_("The variance counts squared lengths."),
            like=lambda scores, returns: weighted_mean(lengths(scores) ** 0.5, returns),
        ),
        Mistake(
            "sum-then-square",
            N_("First square each entry of a score, then add up."),
            like=lambda scores, returns: weighted_mean(
                np.asarray(scores).sum(axis=1) ** 2, returns
            ),
        ),
        Mistake(
            "entries-not-squared",
            N_("Scores have either sign. What weighs a return is the squared length."),
            like=lambda scores, returns: weighted_mean(np.asarray(scores).sum(axis=1), returns),
        ),
        Mistake(
            "absolute-entries",
            N_("Squares, not absolute values, measure the length."),
            like=lambda scores, returns: weighted_mean(np.abs(scores).sum(axis=1), returns),
        ),
        Mistake(
            "not-divided",
            N_("A baseline is a kind of return: divide by the mean squared length."),
            like=lambda scores, returns: float(np.mean(lengths(scores) * np.asarray(returns))),
        ),
        Mistake(
            "divided-by-n",
            N_("Mean above and sum below: N does not cancel."),
            like=lambda scores, returns: weighted_mean(lengths(scores), returns) / len(returns),
        ),
        Mistake(
            "times-n",
            N_("Sum above and mean below: N does not cancel."),
            like=lambda scores, returns: weighted_mean(lengths(scores), returns) * len(returns),
        ),
        Mistake(
            "sign",
            N_("In lesson 02 a constant was added; here it is subtracted."),
            like=lambda scores, returns: -weighted_mean(lengths(scores), returns),
        ),
        Mistake(
            "inverse-weights",
            N_("A long score should count more, not less."),
            like=lambda scores, returns: weighted_mean(1 / lengths(scores), returns),
        ),
        Mistake(
            "fourth-power",
            N_("Squared once is enough."),
            like=lambda scores, returns: weighted_mean(lengths(scores) ** 2, returns),
        ),
        Mistake(
            "products-of-means",
            N_("The mean of a product is not the product of the means."),
            like=lambda scores, returns: float(
                np.mean(returns) * np.sum(np.mean(scores, axis=0) ** 2) / np.mean(lengths(scores))
            ),
        ),
        Mistake(
            "squared-returns",
            N_(
                "One factor of the return is enough: take the derivative of "
                "(R - b)^2 with respect to b."
            ),
            like=lambda scores, returns: weighted_mean(lengths(scores), np.asarray(returns) ** 2),
        ),
        Mistake(
            "per-coordinate",
            N_("One constant for all coordinates is asked: add the squares up over them first."),
            when=lambda case, seen, truth: np.size(seen["value"]["array"]) > 1,
        ),
        Mistake(
            "median",
            N_("The median minimises absolute distances; here squares count."),
            like=lambda scores, returns: float(np.median(returns)),
        ),
        Mistake(
            "centred-scores",
            N_("The scores are taken as they are, without their mean."),
            like=least_total_variance,
        ),
    ),
)


def leave_one_out_cases(rng):
    """Equal returns among others, two and one of them, every guise, whole numbers."""
    returns = rng.normal(size=int(rng.integers(5, 9))) * 4
    return [
        Case({"returns": np.array([1.0, 2.0, 6.0])}),
        Case({"returns": np.array([5.0, -3.0])}),
        Case({"returns": np.array([2.0, 2.0, 2.0, 2.0])}),
        Case({"returns": np.array([1.0, 1.0, 4.0, 1.0, 8.0])}),
        Case({"returns": np.array([3.0])}),
        Case({"returns": View(returns, "read_only")}),
        Case({"returns": View(returns, "strided")}),
        Case({"returns": View(returns, "list")}),
        Case({"returns": View(np.array([1, 2, 6]), "list")}),
    ]


def leave_one_out_truth(returns):
    """Each return and the mean of the list without it."""
    if len(returns) < 2:
        return Raises("ValueError")
    values = [float(r) for r in returns]
    others = [values[:i] + values[i + 1 :] for i in range(len(values))]
    return np.array([r - sum(rest) / len(rest) for r, rest in zip(values, others, strict=True)])


def loo(rule):
    """A wrong (returns) -> (N,) that still refuses one return."""

    def wrong(returns):
        returns = np.asarray(returns, dtype=float)
        if len(returns) < 2:
            raise ValueError("one return")
        with np.errstate(all="ignore"):
            return rule(returns)

    return wrong


def others_by_value(returns):
    parts = [returns[returns != r] for r in returns]
    return np.array([r - (p.mean() if len(p) else np.nan) for r, p in zip(returns, parts)])


def one_return(case, seen, truth):
    return isinstance(truth, Raises)


def list_refused(case, seen, truth):
    return getattr(case.inputs["returns"], "guise", "") == "list" and "error" in seen


def count(returns):
    return len(returns)


def pair_refused(case, seen, truth):
    return not isinstance(truth, Raises) and len(truth.value) == 2 and "error" in seen


def cut_to_whole(case, seen, truth):
    return np.array_equal(np.asarray(seen["value"]["array"]), np.trunc(truth.value))


LEAVE_ONE_OUT = FunctionExercise(
    "leave_one_out_advantages",
    leave_one_out_cases,
    leave_one_out_truth,
    hint=N_("Take the sum of all, then the sum without your own. Over how many is its mean?"),
    mistakes=(
        Mistake(
            "one-return",
            N_("With one return there are no others to compare with: raise ValueError."),
            when=one_return,
        ),
        Mistake(
            "list-refused",
            N_("The returns come as a list here. np.asarray makes them an array."),
            when=list_refused,
        ),
        Mistake(
            "pair-refused",
            N_("With two returns each has the other one to be compared with."),
            when=pair_refused,
        ),
        Mistake(
            "whole-numbers",
            N_(
                "The returns are whole numbers here, the result need not be: "
                "an array made like the returns drops what follows the point."
            ),
            when=cut_to_whole,
        ),
        Mistake(
            "own-return-in-mean",
            N_("The mean must leave out the return that it is compared with."),
            like=loo(lambda r: r - r.mean()),
        ),
        Mistake(
            "divided-by-n",
            N_("The others are N - 1."),
            like=loo(lambda r: r - (r.sum() - r) / count(r)),
        ),
        Mistake(
            "own-return-kept",
            N_("Their sum is without your own return."),
            like=loo(lambda r: r - r.sum() / (count(r) - 1)),
        ),
        Mistake(
            "baseline-returned",
            N_("The advantage is asked, not the baseline."),
            like=loo(lambda r: (r.sum() - r) / (count(r) - 1)),
        ),
        Mistake(
            "sign",
            N_("A return above the others' is a good surprise: it should be positive."),
            like=loo(lambda r: (r.sum() - r) / (count(r) - 1) - r),
        ),
        Mistake(
            "added",
            N_("Better than expected is return minus expectation."),
            like=loo(lambda r: (r.sum() - r) / (count(r) - 1) + r),
        ),
        Mistake(
            "whitened",
            N_("No division by a standard deviation is asked."),
            like=loo(lambda r: (r - r.mean()) / (r.std() + 1e-8)),
        ),
        Mistake(
            "whitened",
            N_("No division by a standard deviation is asked."),
            like=loo(lambda r: (r - r.mean()) / (r.std(ddof=1) + 1e-8)),
        ),
        Mistake(
            "others-by-value",
            N_("Two trajectories can have the same return. Leave out one place, not one value."),
            like=loo(others_by_value),
        ),
        Mistake(
            "previous-only",
            N_("All the others count, not those before."),
            like=loo(lambda r: r - np.append(0, np.cumsum(r)[:-1] / np.arange(1, count(r)))),
        ),
        Mistake(
            "neighbour",
            N_("All the others count, not one of them."),
            like=loo(lambda r: r - np.roll(r, 1)),
        ),
        Mistake(
            "neighbour",
            N_("All the others count, not one of them."),
            like=loo(lambda r: r - np.roll(r, -1)),
        ),
        Mistake(
            "sum-of-others",
            N_("Compare with the mean of the others, not with their sum."),
            like=loo(lambda r: r - (r.sum() - r)),
        ),
        Mistake(
            "median",
            N_("The mean of the others is asked."),
            like=loo(
                lambda r: np.array([r[i] - np.median(np.delete(r, i)) for i in range(count(r))])
            ),
        ),
        Mistake(
            "shrunk",
            N_("Check the factor: with two returns each is compared with the other."),
            like=loo(lambda r: (r - r.mean()) * (count(r) - 1) / count(r)),
        ),
    ),
)
