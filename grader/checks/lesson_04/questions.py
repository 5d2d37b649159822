"""The questions' right letters, and a thought for each wrong one."""

from grader.checking import N_, Choice

Q_OUTSIDE_BAND = Choice(
    "q_outside_band",
    "c",
    hints={
        "a": N_("Look at your case table: is a sample with r = 1.5 and A < 0 at rest?"),
        "b": N_("An advantage has two signs, and each of them has a side on which nothing moves."),
        "d": N_("Then the clip would change nothing. Where did your objective run flat?"),
    },
)

Q_NEGATIVE_KL = Choice(
    "q_negative_kl",
    "d",
    hints={
        "a": N_("The KL is an average over all actions. What does a mean over a few of them do?"),
        "c": N_(
            "Swapping the policies gives another quantity, and that one is never negative, either."
        ),
        "b": N_("Is there a way to write it so that each sample's own term can't fall below zero?"),
    },
)
