"""Losses of critic and actor. Truths are derivatives by hand, where students use autograd."""

import numpy as np

from grader.checking import (
    N_,
    Expected,
    FunctionExercise,
    Raises,
    Symptom,
    TensorOf,
)
from grader.checks.lesson_03 import formulas
from grader.checks.shared.cases import tensor_caller
from grader.checks.shared.slips import listed
from grader.checks.shared.whitening import white


def value_loss_cases(rng):
    """Both dtypes, (N,) and (T, N); returns ask for a gradient that must not come."""
    shape = tuple(int(n) for n in rng.integers(2, 5, size=2))
    one = np.array([1.0, 2.0, 4.0]), np.array([0.0, 4.0, 4.0])
    single = tensor_caller("values", "returns", grad=("values", "returns"))

    def case(values, returns, dtype=np.float32, **options):
        return single(values, returns, dtype=dtype, **options)

    return [
        case(*one),
        case(*one, np.float64, grad=("values",)),
        case(one[0][:, None], one[1]),
        case(one[0], one[1][:, None]),
        case(one[0], one[1][:1]),
        case([2.5], [-1.0]),
        case(rng.normal(size=7) * 3, rng.normal(size=7), np.float64),
        case(rng.normal(size=shape), rng.normal(size=shape) * 2),
        case([2.0, 2.0, 2.0], [5.0, 5.0, 5.0], np.float64),
        case([100.0, -100.0, 0.01], [0.0, 0.01, 0.0], np.float64),
    ]


def value_loss_truth(values, returns):
    """The mean of squares, its derivative written out; none for the returns."""
    if values.shape != returns.shape:
        return Raises("ValueError")
    apart = values.astype(float) - returns
    slope = 2 * apart / apart.size
    return Expected(np.mean(apart**2), {"values": slope, "returns": None})


def squared(rule, detach=True):
    """A wrong loss that still refuses two shapes: rule(difference) -> scalar."""

    def wrong(values, returns):
        if values.shape != returns.shape:
            raise ValueError("shapes")
        return rule(values - (returns.detach() if detach else returns))

    return wrong


def huber(apart, delta):
    import torch

    size = apart.abs()
    return torch.where(size < delta, apart**2 / 2, delta * (size - delta / 2)).mean()


def broadcasts(case, seen, truth):
    return isinstance(truth, Raises) and "error" not in seen


def one_for_all(case, seen, truth):
    """(N,) against (1,): as many dimensions, and broadcast all the same."""
    values, returns = (case.inputs[name].array for name in ("values", "returns"))
    return broadcasts(case, seen, truth) and values.ndim == returns.ndim


def critic_detached(case, seen, truth):
    found = seen["gradients"]
    return found.get("error") == "detached" or isinstance(found.get("values"), str)


VALUE_LOSS_HINTS = {
    "length-not-compared": "As many dimensions, and yet not the same shape: one return is compared "
    "with every value. Compare the whole shapes.",
    "target-moves": "The target is data: regress to a fixed number. What stops the gradient into "
    "returns?",
    "critic-detached": "Then nothing trains the critic. Which of the two is the fixed number?",
    "root-taken": "The mean of the squares is asked, without a root.",
    "square-of-mean": "Errors of either sign must not cancel: square first, then take the mean.",
    "not-squared": "Errors of either sign must not cancel.",
    "huber": "A Huber loss bounds the pull of large errors; then the critic learns something like "
    "a median. The plain mean of squares is asked.",
    "variance-of-error": "Add 10 to every value: the error grows, and its variance doesn't.",
    "other-power": "The mean of the squares: to which power do you take the error?",
}
VALUE_LOSS_FACES = {
    "length-not-compared": Symptom(one_for_all),
    "broadcast/errors": Symptom(broadcasts),
    "other-error": Symptom(lambda case, seen, truth: isinstance(truth, Raises)),
    "target-moves": squared(lambda x: (x**2).mean(), detach=False),
    "critic-detached": Symptom(critic_detached),
    "sum-not-mean": squared(lambda x: (x**2).sum()),
    "halved": squared(lambda x: 0.5 * (x**2).mean()),
    "absolute": squared(lambda x: x.abs().mean()),
    "root-taken": squared(lambda x: (x**2).mean().sqrt()),
    "square-of-mean": squared(lambda x: x.mean() ** 2),
    "not-squared": squared(lambda x: x.mean()),
    "negated": squared(lambda x: -(x**2).mean()),
    "not-averaged": Symptom(lambda case, seen, truth: np.size(seen["value"]["array"]) > 1),
    "huber": tuple(
        squared(lambda x, k=k, delta=delta: k * huber(x, delta))
        for k in (1, 2)
        for delta in (1.0, 10.0)
    ),
    "variance-of-error": (squared(lambda x: x.var(unbiased=False)), squared(lambda x: x.var())),
    "other-power": (
        squared(lambda x: (x**4).mean()),
        squared(lambda x: (x.abs() ** 3).mean()),
        squared(lambda x: (x**3).mean()),
    ),
}
VALUE_LOSS = FunctionExercise(
    "value_loss",
    value_loss_cases,
    value_loss_truth,
    formula=formulas.value_loss_formula,
    kind=TensorOf(),
    mistakes=listed(VALUE_LOSS_FACES, VALUE_LOSS_HINTS),
)


def actor_critic_cases(rng):
    """Rows (T,) in both dtypes; value_coef by position, by keyword, at 0 and left out."""
    first = np.log([0.5, 0.25, 0.8]), np.array([1.0, 2.0, 0.0]), np.array([3.0, 1.0, 0.5])
    size = int(rng.integers(4, 9))
    drawn = -rng.uniform(0.1, 3, size=size), rng.normal(size=size) * 2, rng.normal(size=size) + 1

    case = tensor_caller("logp", "values", "returns", "value_coef", grad=("logp", "values"))
    return [
        case(*first, 1.0),
        case(*first, dtype=np.float32),
        case(*first, 0.0),
        case(*(x[:1] for x in first), 2.0),
        case(*drawn, float(rng.uniform(0.1, 2)), keywords=("value_coef",)),
        case(*drawn, dtype=np.float32),
        case([-1.0, -2.0], [2.0, 2.0], [5.0, 5.0]),
        case(np.log([0.01, 0.99, 0.01]), [100.0, -100.0, 0.0], [0.0, 0.0, 0.01]),
    ]


def actor_critic_truth(logp, values, returns, value_coef=0.5):
    """Both terms and their derivatives by hand: the advantage is a number."""
    adv = returns.astype(float) - values
    size = len(adv)
    value = np.mean(-logp * adv) + value_coef * np.mean(adv**2)
    slopes = {"logp": -adv / size, "values": -2 * value_coef * adv / size}
    return Expected(value, slopes)


def assembled(policy=None, critic=None, weighed=lambda own, fit, coef: own + coef * fit):
    """A wrong loss: policy(logp, values, returns, adv), critic(values, returns) and how the two
    are weighed, as given."""

    def wrong(logp, values, returns, value_coef=0.5):
        adv = (returns - values).detach()
        own = (policy or pg_term)(logp, values, returns, adv)
        return weighed(own, (critic or fit_term)(values, returns), value_coef)

    return wrong


def pg_term(logp, values, returns, adv):
    return -(logp * adv).mean()


def fit_term(values, returns):
    return ((values - returns) ** 2).mean()


ACTOR_CRITIC_LOSS_HINTS = {
    "policy-moves-critic": "The advantage is a number here: the policy's term must not move the "
    "critic.",
    "minus-sign": "The loss is minimised. A positive advantage should raise the log-probability.",
    "actor-ignores-critic": "The actor is weighted by the return alone. What is the critic there "
    "for?",
    "value-as-weight": "The value alone says how good the state is, not how good the action was.",
    "critic-detached": "Nothing trains the critic. Does a gradient reach values?",
    "no-value-loss": "Who trains the critic?",
    "value-loss-subtracted": "Both terms are minimised: the critic's error should fall.",
    "value-coef-ignored": "Change value_coef: does your loss change?",
    "value-coef-on-policy": "Which of the two terms does value_coef weigh?",
    "value-coef-on-both": "value_coef weighs the critic's term alone.",
    "probability-not-log": "The log-probability itself stands in the loss.",
    "logp-detached": "No gradient reaches logp: then nothing trains the policy.",
    "product-of-means": "Each step's log-probability weighs its own advantage. Multiply first, "
    "then average. Both have the shape (T,).",
    "huber": "The critic's term is value_loss, the mean of squares, not a Huber loss.",
    "entropy-added": "Two terms are asked. The log-probability of the actions taken is added once "
    "more.",
}
ACTOR_CRITIC_LOSS_FACES = {
    "policy-moves-critic": assembled(lambda p, v, r, a: -(p * (r - v)).mean()),
    "minus-sign": assembled(lambda p, v, r, a: (p * a).mean()),
    "baseline-added": assembled(lambda p, v, r, a: -(p * (r + v.detach())).mean()),
    "actor-ignores-critic": assembled(lambda p, v, r, a: -(p * r).mean()),
    "value-as-weight": assembled(lambda p, v, r, a: -(p * v.detach()).mean()),
    "sum-not-mean": (
        assembled(lambda p, v, r, a: -(p * a).sum()),
        assembled(lambda p, v, r, a: -(p * a).sum(), lambda v, r: ((v - r) ** 2).sum()),
    ),
    "critic-detached": assembled(critic=lambda v, r: ((v.detach() - r) ** 2).mean()),
    "no-value-loss": assembled(weighed=lambda own, fit, coef: own),
    "value-loss-subtracted": assembled(critic=lambda v, r: -((v - r) ** 2).mean()),
    "value-coef-ignored": (
        assembled(weighed=lambda own, fit, coef: own + fit),
        assembled(weighed=lambda own, fit, coef: own + 0.5 * fit),
    ),
    "value-coef-on-policy": assembled(weighed=lambda own, fit, coef: coef * own + fit),
    "value-coef-on-both": assembled(weighed=lambda own, fit, coef: coef * (own + fit)),
    "probability-not-log": assembled(lambda p, v, r, a: -(p.exp() * a).mean()),
    "logp-detached": (
        assembled(lambda p, v, r, a: -(p.detach() * a).mean()),
        assembled(lambda p, v, r, a: -(p.detach() * (r - v)).mean()),
    ),
    "product-of-means": assembled(lambda p, v, r, a: -p.mean() * a.mean()),
    "halved": assembled(critic=lambda v, r: 0.5 * ((v - r) ** 2).mean()),
    "not-averaged": Symptom(lambda case, seen, truth: np.size(seen["value"]["array"]) > 1),
    "advantages-whitened/not-asked": (
        assembled(lambda p, v, r, a: -(p * white(a, 1)).mean()),
        assembled(lambda p, v, r, a: -(p * white(a)).mean()),
        assembled(lambda p, v, r, a: -(p * (a - a.mean())).mean()),
    ),
    "huber": (
        assembled(critic=lambda v, r: huber(v - r, 1.0)),
        assembled(critic=lambda v, r: 2 * huber(v - r, 1.0)),
        assembled(critic=lambda v, r: 2 * huber(v - r, 10.0)),
    ),
    "entropy-added": tuple(
        assembled(lambda p, v, r, a, c=c: pg_term(p, v, r, a) + c * p.mean())
        for c in (0.01, 0.001, 0.1, -0.01)
    ),
}
ACTOR_CRITIC_LOSS = FunctionExercise(
    "actor_critic_loss",
    actor_critic_cases,
    actor_critic_truth,
    formula=formulas.actor_critic_formula,
    kind=TensorOf(),
    prerequisites=("value_loss",),
    hint=N_("Two terms: minus the mean of logp times advantage, plus value_coef times value_loss."),
    mistakes=listed(ACTOR_CRITIC_LOSS_FACES, ACTOR_CRITIC_LOSS_HINTS),
)
