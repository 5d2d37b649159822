"""The questions' right letters, and a thought for each wrong one."""

from grader.checking import Choice

Q_LOSS_MUST_FALL = Choice(
    "q_loss_must_fall",
    right="d",
    hints={
        "a": "The loss multiplies returns with log-probabilities of fresh samples. Must that "
        "product fall when the returns rise?",
        "b": "Is there any reason for it to move in one direction at all?",
        "c": "Take the batch as large as you like: after a step the samples come from another "
        "policy. Is it still the same function that you look at?",
    },
)

Q_ALL_POSITIVE = Choice(
    "q_all_positive",
    right="a",
    hints={
        "b": "All log-probabilities are pushed up, but they cannot all rise: a row sums to 1.",
        "d": "Then the most frequent arm would win whatever it pays. What does the size of a "
        "return do?",
        "c": "Shifting helps, as lesson 2 measures. Is it needed for the expected gradient to "
        "point the right way?",
    },
)
