"""The questions of 02_variance."""

from grader.checking import Choice

Q_SHIFT = Choice(
    "q_shift",
    right="e",
    hints={
        "a": "The push up is shared: raising one action lowers the others. What is left of it on "
        "average?",
        "b": "Each sample gets the constant times its score on top, and scores differ from sample "
        "to sample.",
        "c": "Are the weights larger? The returns were about -8.5 before.",
        "d": "What is the mean of the score over all actions? Multiply it by the constant.",
    },
)
Q_BATCH = Choice(
    "q_batch",
    right="d",
    hints={
        "a": "The variance falls to a quarter. The standard error is its root.",
        "b": "The mean of more samples is closer to the truth. By how much?",
        "c": "Variances fall as 1/N, and no faster.",
    },
)
Q_ANGLE = Choice(
    "q_angle",
    right="c",
    hints={
        "a": "The ratio grows by four. Put it into the formula: the angle is no share of it.",
        "b": "The tangent of the angle falls to a half. Does the angle?",
        "d": "The ratio grows with the batch, and the angle depends on it.",
    },
)
