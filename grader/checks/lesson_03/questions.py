"""The questions of 03_baseline_critic."""

from grader.checking import N_, Choice

Q_ACTION_BASELINE = Choice(
    "q_action_baseline",
    right="b",
    hints={
        "a": N_(
            "A constant is safe, yes. Which step of the proof needs more than that b is known "
            "before the action is drawn?"
        ),
        "c": N_("Average the score times b over the actions: b can't be taken out of the sum."),
        "d": N_("Where does the proof use that b is the value? It uses far less."),
    },
)

Q_BEST_CONSTANT = Choice(
    "q_best_constant",
    right="b",
    hints={
        "a": N_("Both move, but on one board they change sides. Which episodes weigh most?"),
        "c": N_("A constant adds no bias on either board. Look at the table."),
        "d": N_("Look at the table: which rows have the larger squared scores?"),
    },
)

Q_WHITENING = Choice(
    "q_whitening",
    right="b",
    hints={
        "a": N_(
            "Is the batch mean a constant? It contains the very return that it is subtracted from."
        ),
        "c": N_("How much does one return weigh in the mean of a large batch?"),
        "d": N_("A division by a fixed number would only change the scale. Is this one fixed?"),
    },
)
