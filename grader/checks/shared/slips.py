"""Slips that several lessons' students make: one name and one hint each, wherever they come up.

An exercise has a table of faces, and one of hints for the names that are its own.
"""

from collections.abc import Callable, Mapping

from grader.checking import Mistake, Problem, Symptom, _

HINTS = {
    "absolute": "Squares, not absolute values.",
    "absolute-kl": "An estimate of the KL may lie below zero. Is it large then?",
    "advantages-whitened": "Take the advantages as they come. Whitening them is the caller's "
    "business.",
    "advantages-whitened/not-asked": "No normalisation is asked here.",
    "band-around-zero": "Equal policies have ratio 1: the band lies around 1.",
    "band-in-logs": "The band is 1 - clip to 1 + clip in the ratio itself, not in its logarithm.",
    "baseline-added": "Better than expected is return minus expectation.",
    "batch-summed": "One gradient per trajectory is asked: what did you add up?",
    "biased": "Divide by N - 1 in the variance.",
    "broadcast/errors": "(N, 1) minus (N,) is a table of N by N. Compare the shapes, and raise "
    "ValueError where they differ.",
    "clip-fixed": "Which band does the call ask for?",
    "clip-without-min": "A bad action has become likelier than the band allows: can your loss "
    "still undo that?",
    "count-not-share": "A share: divide by the number of samples.",
    "cut-at-zero": "An estimate may lie below zero, though the KL itself never does. Leave it so.",
    "dead-outside-band": "The value is right, the gradient is not. Outside the band it is zero "
    "only when moving further away.",
    "discount-in-front": "gamma has done its work inside the return. Are the scores discounted as "
    "well?",
    "divided-by-steps": "Sum over the steps; a long trajectory is not averaged.",
    "empty-mask": "Where nothing is true, the result is 0. What is divided by what?",
    "flag-of-next-step": "Does the flag speak of leaving this step, or of entering it?",
    "flag-of-step-before": "Does the flag speak of leaving this step, or of entering it?",
    "flattened": "Keep the table's axes: (N, S, A).",
    "gamma-default": "Called without gamma, it is 1. What is its default in your function?",
    "gamma-ignored": "Set gamma to 0: what remains?",
    "gradient-through-advantage": "The advantages are data here: no gradient flows into them.",
    "gradient-through-old": "Old is data: it was stored when the batch was drawn. No gradient "
    "flows into it.",
    "groups-misaligned": "Does row i of groups speak of row i of scores? Try two groups of two "
    "rows.",
    "halved": "No factor of one half is asked.",
    "held-back": "A ratio may be far from 1. Is something held back here, in the ratio or in its "
    "logarithm?",
    "inverted-ratio": "New over old: is the ratio above 1 where the new policy likes the action "
    "more?",
    "last-row-ended": "The last row is no end, if its flag does not say so. next_values holds what "
    "its successor is worth.",
    "log-ratio-turned": "x is log of the policy less log of the reference: the policy wrote the "
    "samples.",
    "logits-as-probabilities": "The logits were taken for probabilities. The first argument of "
    "torch's Categorical, for one, is probs: name the other, logits=.",
    "mask-after-exp": "Outside the mask a ratio can be infinite. Backward multiplies its gradient "
    "by 0, and 0 times infinity is nan. Mask before the exponential.",
    "mask-ignored": "Prompt and filling count as well. Which entries does the mask mark?",
    "mask-inverted": "The mask is true where an entry counts.",
    "max-not-min": "The objective takes the min of two numbers. Minus a min is the max of the "
    "negated two.",
    "mean-over-tokens": "Per sentence the KL is a sum over the tokens; the mean is over the rows.",
    "mean-taken": "One gradient per trajectory is asked: leave the average to the caller.",
    "minus-sign/downhill": "This is the gradient of the objective, which we climb. Only the loss "
    "has a minus.",
    "minus-sign/surprise": "A reward above what was expected is a positive surprise.",
    "negated": "A loss is minimised: should the error grow?",
    "next-row": "values[t + 1] can belong to the next episode. Whose value is next_values[t]?",
    "no-exp": "At equal policies the ratio is 1, not 0. What undoes a logarithm?",
    "no-parentheses": "Division comes before subtraction. What is divided here?",
    "not-averaged": "A loss is one number: the mean over the samples.",
    "not-centred": "The standard deviation is one now. And the mean?",
    "not-clipped": "How far may a good action's ratio rise before it stops paying?",
    "not-summed": "One number for each action is asked: the sum over its dimensions, the last "
    "axis.",
    "objective-not-loss": "Which way does the optimiser go? A loss is minimised, the objective "
    "maximised.",
    "one-flag-for-all": "Each column is an environment of its own, with its own flags.",
    "one-side-clipped": "The band has two edges: 1 - clip and 1 + clip.",
    "one-side-counted": "A ratio can leave the band on either side.",
    "order-assumed": "Rows of a group may stand anywhere. Let groups say who belongs together.",
    "other-actions-forgotten": "Raising one logit lowers the other actions' probabilities: the "
    "score has entries there, too.",
    "other-error": "Shapes that differ should raise ValueError.",
    "over-the-batch": "With whom is a completion compared: with all of the batch, or with its own "
    "prompt's?",
    "own-reward-missing": "The reward that follows action t belongs to it: the sum starts at k = "
    "t.",
    "own-reward-only": "Later rewards follow from this action, too.",
    "past-rewards": "You add up what came before. An action can only change what comes after.",
    "probability-not-log": "Where did the 1/pi go? The score is the derivative of the logarithm.",
    "probability-not-log/log-missing": "These are probabilities. Where is the logarithm?",
    "ratio-not-log": "The logarithm of the ratio is asked, not the ratio.",
    "ratio-of-logs": "The logarithm of a ratio is the difference of two logarithms, not their "
    "quotient.",
    "repeats-lost": "A state visited twice counts twice. With an array of indices, += adds only "
    "once to the same entry.",
    "row-underflows": "One row at 10000 wipes out the others. Whose maximum is subtracted from a "
    "row?",
    "scores-kept": "The scores of one trajectory still count for the next one. Where does their "
    "sum start anew?",
    "sentence-ratio": "Each token has its own ratio, and its own clip.",
    "share-inside": "That is the share inside the band.",
    "softmax-twice": "These are probabilities of probabilities. Logits go into softmax once.",
    "softmax-twice/log": "The log-softmax of probabilities: softmax is taken twice. Logits go in "
    "once.",
    "spread-held-back": "A spread may be 1000 or a thousandth. Is it held back here, or added to?",
    "sum-not-mean": "Does the loss double when the batch is doubled? Take the mean over the "
    "samples.",
    "sum-of-others": "Compare with the mean of the others, not with their sum.",
    "summed-over-all": "One number for each action is asked: the sum over its dimensions, the last "
    "axis.",
    "summed/over-tokens": "Per sentence the KL is a sum over the tokens; the mean is over the "
    "rows.",
    "target-returned": "The advantage is asked. Advantage plus value is the critic's target.",
    "terminal-not-masked": "Nothing follows a terminal state: what is its successor worth?",
    "underflow": "Both probabilities underflow to 0. Take the difference before you leave the "
    "logs.",
    "value-added": "By how much was it better than expected? Subtract what was expected.",
    "variance-not-deviation": "Divide by the deviation. Which unit does a variance have?",
    "wrong-group": "The mean is that of another group. Which rows did it come from?",
}


def listed(faces: Mapping, hints: Mapping | None = None) -> tuple[Mistake, ...]:
    """The usual mistakes of an exercise, in the order in which they are tried.

    faces: name -> a function that makes the mistake, a ``Symptom``, or a tuple of these; hints:
    name -> msgid, of those that aren't among the shared ``HINTS``. A name may end in a slash and a
    word, where one mistake has several hints; learners see what stands before it.
    """
    hints = hints or {}
    if unused := hints.keys() - faces.keys():
        raise ValueError(f"hints of mistakes that are not listed: {sorted(unused)}")
    return tuple(
        _mistake(name.partition("/")[0], {**HINTS, **hints}[name], given)
        for name, given in faces.items()
    )


def hint_of(hints: Mapping, name: str) -> str:
    """The translated hint of a mistake that a rule has seen, "" where the table has none."""
    return _(hints[name]) if name in hints else ""


def teller(hints: Mapping) -> Callable:
    """told(expected, got, key, step) -> Problem of the mistake of that key and its hint, if any:
    its own or a shared one."""
    table = {**HINTS, **hints}

    def told(expected: str, got: str, key: str, step: str = "behaviour") -> Problem:
        name, hint = key.partition("/")[0], hint_of(table, key)
        return Problem(step=step, expected=expected, got=got, hint=hint, mistake=name)

    return told


def made(by: Callable, faces: Mapping) -> dict:
    """The table of what `by` makes of each face."""
    return {
        name: tuple(map(by, given)) if isinstance(given, tuple) else by(given)
        for name, given in faces.items()
    }


def _mistake(name: str, hint: str, given: Callable | Symptom | tuple) -> Mistake:
    parts = given if isinstance(given, tuple) else (given,)
    seen = [part.seen for part in parts if isinstance(part, Symptom)]
    like = tuple(part for part in parts if not isinstance(part, Symptom))
    return Mistake(name, hint, like=like, when=seen[0] if seen else None)
