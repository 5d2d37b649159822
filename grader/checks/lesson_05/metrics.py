"""What ppo_update must tell: five means over the minibatches."""

import numpy as np

from grader.checking import MappingOf, Mismatch, Number, Problem, _, number_text
from grader.checks.lesson_05.replayed import near, replayed, used_rows
from grader.checks.shared.ppo_update import METRICS, Way
from grader.checks.shared.slips import teller


def update_metrics(case, seen):
    """A dict of five means over the minibatches."""
    if seen["value"].get("kind") == "none":
        return Problem(
            step="kind",
            expected=_("a dict of five means"),
            got="None",
            hint=_("Nothing came back. Does the function end with return?"),
        )
    try:
        found = MappingOf({name: Number() for name in METRICS}).arrays(seen["value"])
    except Mismatch as mismatch:
        return Problem(
            step="kind", expected=mismatch.expected, got=mismatch.got, hint=mismatch.hint
        )
    rows = used_rows(seen)
    log = replayed(case.inputs, rows)[1]
    if min(m["edge"] for m in log) < 1e-5:
        return None
    sizes = [len(r) for r in rows]
    for name in METRICS:
        steps = np.array([m[name] for m in log])
        right = steps.mean(), np.average(steps, weights=sizes)
        if not any(near(found[name], one) for one in right):
            mistake = _metric_mistake(name, float(found[name]), log, case.inputs, rows)
            expected, got = (f"{name} = {number_text(one)}" for one in (right[0], found[name]))
            return teller(METRIC_HINTS)(expected, got, mistake, "value")
    return None


METRIC_HINTS = {
    "metrics-of-the-last": "A mean over all minibatches is asked, not the last one.",
    "metrics-summed": "A mean over all minibatches is asked, not their sum.",
    "kl-estimator": "Of the three estimates, k3 is asked.",
    "metric-sign": "What is minimised is a loss.",
    "one-side": "A band has two sides.",
    "whole-loss": "policy_loss is the clip loss alone.",
    "other-clip": "Does clip reach the loss?",
    "value-loss-weighed": "value_loss stands without value_coef.",
    "other-metric": "Each is of the forward pass before its step; then the mean over all "
    "minibatches.",
}


def _metric_mistake(name, found, log, inputs, rows):
    steps = np.array([m[name] for m in log])
    if len(log) > 1 and near(found, steps[-1]):
        return "metrics-of-the-last"
    if len(log) > 1 and near(found, steps.sum()):
        return "metrics-summed"
    others = {other: np.mean([m[other] for m in log]) for other in ("k1", "k2", "above", "total")}
    if name == "approx_kl" and (near(found, others["k1"]) or near(found, others["k2"])):
        return "kl-estimator"
    if near(found, -steps.mean()):
        return "metric-sign"
    if name == "clip_fraction" and near(found, others["above"]):
        return "one-side"
    if name == "policy_loss" and near(found, others["total"]):
        return "whole-loss"
    # No sample lay between the two bands, or the weights had told it.
    if near(found, np.mean([m[name] for m in replayed(inputs, rows, Way(clip=0.2))[1]])):
        return "other-clip"
    if name == "value_loss" and near(found, inputs["value_coef"] * steps.mean()):
        return "value-loss-weighed"
    return "other-metric"
