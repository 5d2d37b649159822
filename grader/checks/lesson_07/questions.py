"""The questions' right letters, a thought for each wrong one, and the bug hunt on tokens."""

from grader.checking import N_, Choice
from grader.checks.shared.hunts import hunt

Q_EQUAL_SCORES = Choice(
    "q_equal_scores",
    "a",
    hints={
        "b": N_("Failed compared with whom? Call grpo_advantages on eight zeros."),
        "c": N_("What is the numerator, where all scores are equal?"),
        "d": N_("Which advantage would one of the eight have, and why that one?"),
    },
)

Q_DIVIDE_BY_STD = Choice(
    "q_divide_by_std",
    "d",
    hints={
        "a": N_("Look at the figure: is the line for the division level?"),
        "b": N_(
            "The group's mean costs a factor of (G - 1) / G. Is that a bias that a divisor mends?"
        ),
        "c": N_("How large is the deviation where nearly all scores are equal?"),
    },
)

Q_K3_AS_LOSS = Choice(
    "q_k3_as_loss",
    "c",
    hints={
        "a": N_("k1 is unbiased, too. What did the experiment show for k1 in the loss?"),
        "b": N_("That holds for k1. Differentiate exp(-x) - 1 + x, and take the mean."),
        "d": N_("Less noise around what? Look at the cosines beyond 0.3 nats."),
    },
)

Q_ZERO_LOSS = Choice(
    "q_zero_loss",
    "b",
    hints={
        "a": N_("Advantages are always data. Through what does the gradient flow?"),
        "c": N_(
            "Then nothing would be learned. Does the value of a loss say how long its gradient is?"
        ),
        "d": N_("The value is taken before the step. What is the mean advantage of a group?"),
    },
)

TOKEN_BUG_HUNT = hunt(
    "token_bug_hunt",
    {
        "A": (
            "hot-sampler",
            N_("Which gauge must be 1 before the first step of an update, and isn't?"),
        ),
        "B": (
            "deviation-is-one",
            N_("Groups are compared with themselves: their means are 0. And the spread of A?"),
        ),
        "C": ("kl-sign", N_("The KL is larger than in every other run. What is paid for it?")),
        "D": (
            "batch-whitened",
            N_("The spread of A is 1 throughout. What does the last gauge say about the groups?"),
        ),
        "E": (
            "mask-inverted",
            N_("Advantages and ratios are in order. Which tokens learn from them?"),
        ),
        "F": (
            "groups-misaligned",
            N_(
                "The groups' means are off by a little, in each update. Who was compared with whom?"
            ),
        ),
    },
    ("score-sign", "reference-follows", "groups-of-one-prompt"),
    N_("Keep the six letters, and put the name of a bug, as a string, at each."),
)
