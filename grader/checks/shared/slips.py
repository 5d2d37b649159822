"""Slips that several lessons' students make: one name and one hint each, wherever they come up.

Each is called with the functions that make it in an exercise, or with ``when`` for its symptom.
"""

from collections.abc import Callable

from grader.checking import Mistake


def _slip(name: str, hint: str) -> Callable:
    """What makes the ``Mistake`` of that name and hint; hint is a msgid."""

    def made_by(*faces, when=None) -> Mistake:
        return Mistake(name, hint, like=faces, when=when)

    return made_by


absolute_kl = _slip("absolute-kl", "An estimate of the KL may lie below zero. Is it large then?")
absolute = _slip("absolute", "Squares, not absolute values.")
absolute_kl = _slip("absolute-kl", "An estimate of the KL may lie below zero. Is it large then?")
advantages_whitened = _slip(
    "advantages-whitened",
    "Take the advantages as they come. Whitening them is the caller's business.",
)
band_around_zero = _slip("band-around-zero", "Equal policies have ratio 1: the band lies around 1.")
baseline_added = _slip("baseline-added", "Better than expected is return minus expectation.")
batch_summed = _slip(
    "batch-summed",
    "One gradient per trajectory is asked: what did you add up?",
)
biased = _slip("biased", "Divide by N - 1 in the variance.")
broadcast_errors = _slip(
    "broadcast",
    "(N, 1) minus (N,) is a table of N by N. Compare the shapes, and raise "
    "ValueError where they differ.",
)
clip_fixed = _slip("clip-fixed", "Which band does the call ask for?")
clip_without_min = _slip(
    "clip-without-min",
    "A bad action has become likelier than the band allows: can your loss still undo that?",
)
count_not_share = _slip(
    "count-not-share",
    "A share: divide by the number of samples.",
)
cut_at_zero = _slip(
    "cut-at-zero", "An estimate may lie below zero, though the KL itself never does. Leave it so."
)
dead_outside_band = _slip(
    "dead-outside-band",
    "The value is right, the gradient is not. Outside the band it is zero only when moving "
    "further away.",
)
discount_in_front = _slip(
    "discount-in-front",
    "gamma has done its work inside the return. Are the scores discounted as well?",
)
divided_by_steps = _slip(
    "divided-by-steps", "Sum over the steps; a long trajectory is not averaged."
)
downhill = _slip(
    "minus-sign",
    "This is the gradient of the objective, which we climb. Only the loss has a minus.",
)
empty_mask = _slip("empty-mask", "Where nothing is true, the result is 0. What is divided by what?")
flag_of_next_step = _slip(
    "flag-of-next-step", "Does the flag speak of leaving this step, or of entering it?"
)
flag_of_step_before = _slip(
    "flag-of-step-before", "Does the flag speak of leaving this step, or of entering it?"
)
flattened = _slip("flattened", "Keep the table's axes: (N, S, A).")
gamma_default = _slip(
    "gamma-default", "Called without gamma, it is 1. What is its default in your function?"
)
gamma_ignored = _slip("gamma-ignored", "Set gamma to 0: what remains?")
gradient_through_advantage = _slip(
    "gradient-through-advantage", "The advantages are data here: no gradient flows into them."
)
gradient_through_old = _slip(
    "gradient-through-old",
    "Old is data: it was stored when the batch was drawn. No gradient flows into it.",
)
halved = _slip("halved", "No factor of one half is asked.")
held_back = _slip(
    "held-back",
    "A ratio may be far from 1. Is something held back here, in the ratio or in its logarithm?",
)
inverted_ratio = _slip(
    "inverted-ratio",
    "New over old: is the ratio above 1 where the new policy likes the action more?",
)
log_missing = _slip("probability-not-log", "These are probabilities. Where is the logarithm?")
log_softmax_twice = _slip(
    "softmax-twice", "The log-softmax of probabilities: softmax is taken twice. Logits go in once."
)
logits_as_probabilities = _slip(
    "logits-as-probabilities",
    "The logits were taken for probabilities. The first argument of torch's Categorical, for "
    "one, is probs: name the other, logits=.",
)
mask_after_exp = _slip(
    "mask-after-exp",
    "Outside the mask a ratio can be infinite. Backward multiplies its gradient by 0, "
    "and 0 times infinity is nan. Mask before the exponential.",
)
mask_ignored = _slip(
    "mask-ignored", "Prompt and filling count as well. Which entries does the mask mark?"
)
mask_inverted = _slip("mask-inverted", "The mask is true where an entry counts.")
max_not_min = _slip(
    "max-not-min",
    "The objective takes the min of two numbers. Minus a min is the max of the negated two.",
)
mean_taken = _slip(
    "mean-taken", "One gradient per trajectory is asked: leave the average to the caller."
)
minus_sign = _slip("minus-sign", "A reward above what was expected is a positive surprise.")
negated = _slip("negated", "A loss is minimised: should the error grow?")
next_row = _slip(
    "next-row", "values[t + 1] can belong to the next episode. Whose value is next_values[t]?"
)
no_exp = _slip("no-exp", "At equal policies the ratio is 1, not 0. What undoes a logarithm?")
no_parentheses = _slip("no-parentheses", "Division comes before subtraction. What is divided here?")
not_averaged = _slip("not-averaged", "A loss is one number: the mean over the samples.")
not_centred = _slip("not-centred", "The standard deviation is one now. And the mean?")
not_clipped = _slip("not-clipped", "How far may a good action's ratio rise before it stops paying?")
not_summed = _slip(
    "not-summed", "One number for each action is asked: the sum over its dimensions, the last axis."
)
not_whitened_here = _slip("advantages-whitened", "No normalisation is asked here.")
objective_not_loss = _slip(
    "objective-not-loss",
    "Which way does the optimiser go? A loss is minimised, the objective maximised.",
)
one_side_clipped = _slip("one-side-clipped", "The band has two edges: 1 - clip and 1 + clip.")
one_side_counted = _slip("one-side-counted", "A ratio can leave the band on either side.")
other_actions_forgotten = _slip(
    "other-actions-forgotten",
    "Raising one logit lowers the other actions' probabilities: the score has entries there, too.",
)
other_error = _slip(
    "other-error",
    "Shapes that differ should raise ValueError.",
)
own_reward_missing = _slip(
    "own-reward-missing", "The reward that follows action t belongs to it: the sum starts at k = t."
)
own_reward_only = _slip("own-reward-only", "Later rewards follow from this action, too.")
past_rewards = _slip(
    "past-rewards", "You add up what came before. An action can only change what comes after."
)
probability_not_log = _slip(
    "probability-not-log", "Where did the 1/pi go? The score is the derivative of the logarithm."
)
ratio_not_log = _slip(
    "ratio-not-log",
    "The logarithm of the ratio is asked, not the ratio.",
)
ratio_of_logs = _slip(
    "ratio-of-logs",
    "The logarithm of a ratio is the difference of two logarithms, not their quotient.",
)
repeats_lost = _slip(
    "repeats-lost",
    "A state visited twice counts twice. With an array of indices, += adds only once to the "
    "same entry.",
)
row_underflows = _slip(
    "row-underflows",
    "One row at 10000 wipes out the others. Whose maximum is subtracted from a row?",
)
scores_kept = _slip(
    "scores-kept",
    "The scores of one trajectory still count for the next one. Where does their sum start anew?",
)
sentence_ratio = _slip(
    "sentence-ratio",
    "Each token has its own ratio, and its own clip.",
)
share_inside = _slip("share-inside", "That is the share inside the band.")
softmax_twice = _slip(
    "softmax-twice", "These are probabilities of probabilities. Logits go into softmax once."
)
sum_not_mean = _slip(
    "sum-not-mean",
    "Does the loss double when the batch is doubled? Take the mean over the samples.",
)
sum_of_others = _slip("sum-of-others", "Compare with the mean of the others, not with their sum.")
summed_over_all = _slip(
    "summed-over-all",
    "One number for each action is asked: the sum over its dimensions, the last axis.",
)
target_returned = _slip(
    "target-returned", "The advantage is asked. Advantage plus value is the critic's target."
)
terminal_not_masked = _slip(
    "terminal-not-masked", "Nothing follows a terminal state: what is its successor worth?"
)
underflow = _slip(
    "underflow", "Both probabilities underflow to 0. Take the difference before you leave the logs."
)
value_added = _slip(
    "value-added", "By how much was it better than expected? Subtract what was expected."
)
variance_not_deviation = _slip(
    "variance-not-deviation",
    "Divide by the deviation. Which unit does a variance have?",
)
wrong_group = _slip(
    "wrong-group",
    "The mean is that of another group. Which rows did it come from?",
)
