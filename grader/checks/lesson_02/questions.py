"""The questions of 02_variance."""

from grader.checking import (
    N_,
    Choice,
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
