"""Baselines: truths are autograd, a grid-free minimum of the variance, and means spelled out."""

import numpy as np

from grader.checking import N_, Case, FunctionExercise, View
from grader.checks.lesson_03 import formulas
from grader.checks.shared.returns import discounted_sum, rewards_to_go
from grader.checks.shared.score_sums import (
    chosen_only,
    gradient_cases,
    imitation,
    never_reset,
    random_trajectory,
    summed_scores,
)
from grader.checks.shared.slips import listed
from grader.checks.shared.whitening import white


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
    given = {"trajectories": [random_trajectory(rng, 4, 4) for _n in range(3)]}
    theta, baseline = rng.normal(size=(4, 4)), rng.normal(size=4) * 5
    return Case({"theta": theta, **given, "baseline": baseline, "gamma": 0.8})


def baseline_truth(theta, trajectories, baseline, gamma=1.0):
    """The derivative of log-probabilities, each weighted by reward-to-go minus baseline."""
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


def repeats_lost(theta, trajectories, baseline, gamma=1.0):
    """What an indexed += leaves: of a state's visits the last one alone."""

    def last_visits(t, to_go, baseline):
        later = [s in t.states[k + 1 :] for k, s in enumerate(t.states)]
        return np.where(later, 0.0, less_baseline(t, to_go, baseline))

    return with_baseline(last_visits)(theta, trajectories, baseline, gamma)


def with_gamma(weight):
    """The same for weight(t, to_go, baseline, gamma)."""
    return lambda theta, trajectories, baseline, gamma=1.0: with_baseline(
        lambda *given: weight(*given, gamma)
    )(theta, trajectories, baseline, gamma)


def table_less_baseline(theta, trajectories, baseline, gamma=1.0):
    """The baseline of every state, taken from its row of the finished gradient."""
    samples = with_baseline(lambda t, g, b: g)(theta, trajectories, baseline, gamma)
    return samples - np.asarray(baseline)[:, None]


def subtracted_once(theta, trajectories, baseline, gamma=1.0):
    """The baseline of the first state, taken from the finished gradient."""
    baseline = np.asarray(baseline)
    samples = with_baseline(lambda t, g, b: g)(theta, trajectories, baseline, gamma)
    return samples - np.array([baseline[t.states[0]] for t in trajectories])[:, None, None]


BASELINE_GRADIENT_SAMPLES_HINTS = {
    "minus-sign": "Return minus baseline, or baseline minus return? A good surprise must push the "
    "action up.",
    "baseline-ignored": "The baseline plays no part in the result.",
    "whole-return": "Each step is compared with its own reward-to-go, not with the whole return.",
    "baseline-of-action": "The baseline is looked up by the state. One that sees the action brings "
    "a bias.",
    "baseline-of-time": "Does your code look the baseline up by the step's number? It belongs to "
    "the state of that step.",
    "baseline-discounted": "The baseline of a state is not discounted: it is compared with what is "
    "earned from there on.",
    "subtracted-from-rewards": "The baseline is subtracted once for each step, from its "
    "reward-to-go; not from every reward.",
    "divided": "The steps of a trajectory are added up; nothing is divided.",
    "never-reset": "Each trajectory's sum begins at zeros. Does yours go on from the one before?",
    "baseline-of-first-state": "Each step has its own state, and its own baseline.",
    "baseline-of-next-state": "The state in which the action was taken counts, not the one it led "
    "to.",
    "mean-baseline": "The mean of the baseline is one number. Which entry belongs to step t?",
    "mean-of-episode": "You subtract the episode's own mean. Late steps then look bad only for "
    "being late.",
    "subtracted-from-gradient": "The baseline belongs into the weight of a score; a gradient has "
    "no baseline.",
    "extra-discount": "No further gamma^t stands in front of a step's weight.",
    "positive-only": "A step that was worse than expected counts, too: its action becomes rarer.",
    "signs-only": "By how much it was better than expected counts, not the sign alone.",
    "whitened": "Return minus baseline, as it is: nothing is divided by a deviation.",
}
BASELINE_GRADIENT_SAMPLES_FACES = {
    "baseline-added": with_baseline(lambda t, g, b: g + b[t.states]),
    "minus-sign": with_baseline(lambda t, g, b: b[t.states] - g),
    "baseline-ignored": with_baseline(lambda t, g, b: g),
    "whole-return": with_baseline(lambda t, g, b: g[0] - b[t.states]),
    "baseline-of-action": (
        with_baseline(baseline_at_actions),
        with_baseline(lambda t, g, b: g - b[t.actions]),
    ),
    "baseline-of-time": (
        with_baseline(baseline_at_time),
        with_baseline(lambda t, g, b: g - b[np.arange(len(g)) % len(b)]),
        with_baseline(lambda t, g, b: g - b[np.minimum(np.arange(len(g)), len(b) - 1)]),
    ),
    "baseline-discounted": with_gamma(lambda t, g, b, c: g - c ** np.arange(len(g)) * b[t.states]),
    "subtracted-from-rewards": with_gamma(
        lambda t, g, b, c: rewards_to_go(np.asarray(t.rewards) - b[t.states], c)
    ),
    "divided": (
        with_baseline(lambda t, g, b: less_baseline(t, g, b) / len(g)),
        with_baseline(less_baseline, combine=lambda s: np.array(s) / len(s)),
    ),
    "never-reset": (
        with_baseline(less_baseline, combine=never_reset),
        with_baseline(less_baseline, combine=lambda s: np.array([np.sum(s, axis=0)] * len(s))),
    ),
    "repeats-lost": repeats_lost,
    "baseline-of-first-state": with_baseline(lambda t, g, b: g - b[t.states[0]]),
    "baseline-of-next-state": (
        with_baseline(lambda t, g, b: g - b[np.append(t.states[1:], t.states[-1])]),
        with_baseline(lambda t, g, b: g - np.append(b[t.states[1:]], 0.0)),
    ),
    "mean-baseline": with_baseline(lambda t, g, b: g - b.mean()),
    "mean-of-episode": with_baseline(lambda t, g, b: g - g.mean()),
    "subtracted-from-gradient": (subtracted_once, table_less_baseline),
    "own-reward-only": with_baseline(lambda t, g, b: np.asarray(t.rewards) - b[t.states]),
    "gamma-ignored": lambda theta, trajectories, baseline, gamma=1.0: with_baseline(less_baseline)(
        theta, trajectories, baseline
    ),
    "extra-discount": with_gamma(
        lambda t, g, b, c: c ** np.arange(len(g)) * less_baseline(t, g, b)
    ),
    "mean-taken": with_baseline(less_baseline, combine=lambda s: np.mean(s, axis=0)),
    "other-actions-forgotten": with_baseline(less_baseline, score=chosen_only),
    "positive-only": (
        with_baseline(lambda t, g, b: np.maximum(less_baseline(t, g, b), 0)),
        with_baseline(lambda t, g, b: np.abs(less_baseline(t, g, b))),
    ),
    "signs-only": with_baseline(lambda t, g, b: np.sign(less_baseline(t, g, b))),
    "whitened": with_baseline(lambda t, g, b: white(less_baseline(t, g, b))),
}
BASELINE_GRADIENT_SAMPLES = FunctionExercise(
    "baseline_gradient_samples",
    baseline_cases,
    baseline_truth,
    formula=formulas.baseline_formula,
    hint=N_("Weight of step t: its reward-to-go minus the baseline of the state it was in."),
    mistakes=listed(BASELINE_GRADIENT_SAMPLES_FACES, BASELINE_GRADIENT_SAMPLES_HINTS),
)
