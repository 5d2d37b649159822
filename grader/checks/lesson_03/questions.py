"""The questions of 03_baseline_critic."""

from grader.checking import Choice

Q_ACTION_BASELINE = Choice(
    "q_action_baseline",
    right="b",
    hints={
        "a": "A constant is safe, yes. Which step of the proof needs more than that b is known "
        "before the action is drawn?",
        "c": "Average the score times b over the actions: b can't be taken out of the sum.",
        "d": "Where does the proof use that b is the value? It uses far less.",
    },
)

Q_BEST_CONSTANT = Choice(
    "q_best_constant",
    right="b",
    hints={
        "a": "Both move, but on one board they change sides. Which episodes weigh most?",
        "c": "A constant adds no bias on either board. Look at the table.",
        "d": "Look at the table: which rows have the larger squared scores?",
    },
)

Q_WHITENING = Choice(
    "q_whitening",
    right="b",
    hints={
        "a": "Is the batch mean a constant? It contains the very return that it is subtracted "
        "from.",
        "c": "How much does one return weigh in the mean of a large batch?",
        "d": "A division by a fixed number would only change the scale. Is this one fixed?",
    },
)
