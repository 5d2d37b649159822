"""The questions' right letters, and a thought for each wrong one."""

from grader.checking import Choice

Q_OUTSIDE_BAND = Choice(
    "q_outside_band",
    right="c",
    hints={
        "a": "Look at your case table: is a sample with r = 1.5 and A < 0 at rest?",
        "b": "An advantage has two signs, and each of them has a side on which nothing moves.",
        "d": "Then the clip would change nothing. Where did your objective run flat?",
    },
)

Q_NEGATIVE_KL = Choice(
    "q_negative_kl",
    right="d",
    hints={
        "a": "The KL is an average over all actions. What does a mean over a few of them do?",
        "c": "Swapping the policies gives another quantity, and that one is never negative, "
        "either.",
        "b": "Is there a way to write it so that each sample's own term can't fall below zero?",
    },
)
