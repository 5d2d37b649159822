"""The questions' right letters, a thought for each wrong one, and the bug hunt on tokens."""

from grader.checking import N_, Choice
from grader.checks.shared.hunts import hunt

Q_EQUAL_SCORES = Choice(
    "q_equal_scores",
    right="a",
    hints={
        "b": "Failed compared with whom? Call grpo_advantages on eight zeros.",
        "c": "What is the numerator, where all scores are equal?",
        "d": "Which advantage would one of the eight have, and why that one?",
    },
)

Q_DIVIDE_BY_STD = Choice(
    "q_divide_by_std",
    right="d",
    hints={
        "a": "Look at the figure: is the line for the division level?",
        "b": "The group's mean costs a factor of (G - 1) / G. Is that a bias that a divisor mends?",
        "c": "How large is the deviation where nearly all scores are equal?",
    },
)

Q_K3_AS_LOSS = Choice(
    "q_k3_as_loss",
    right="c",
    hints={
        "a": "k1 is unbiased, too. What did the experiment show for k1 in the loss?",
        "b": "That holds for k1. Differentiate exp(-x) - 1 + x, and take the mean.",
        "d": "Less noise around what? Look at the cosines beyond 0.3 nats.",
    },
)

Q_ZERO_LOSS = Choice(
    "q_zero_loss",
    right="b",
    hints={
        "a": "Advantages are always data. Through what does the gradient flow?",
        "c": "Then nothing would be learned. Does the value of a loss say how long its gradient "
        "is?",
        "d": "The value is taken before the step. What is the mean advantage of a group?",
    },
)

BUGS = {
    "A": "hot-sampler",
    "B": "deviation-is-one",
    "C": "kl-sign",
    "D": "batch-whitened",
    "E": "mask-inverted",
    "F": "groups-misaligned",
}
# What to look at where something else was answered.
BUG_HINTS = {
    "A": "Which gauge must be 1 before the first step of an update, and isn't?",
    "B": "Groups are compared with themselves: their means are 0. And the spread of A?",
    "C": "The KL is larger than in every other run. What is paid for it?",
    "D": "The spread of A is 1 throughout. What does the last gauge say about the groups?",
    "E": "Advantages and ratios are in order. Which tokens learn from them?",
    "F": "The groups' means are off by a little, in each update. Who was compared with whom?",
}
TOKEN_BUG_HUNT = hunt(
    "token_bug_hunt",
    BUGS,
    BUG_HINTS,
    ("score-sign", "reference-follows", "groups-of-one-prompt"),
    N_("Keep the six letters, and put the name of a bug, as a string, at each."),
)
