"""The questions' right letters, a thought for each wrong one, and whose results these are."""

from grader.checking import N_, Choice
from grader.checks.shared.hunts import hunt

RESULTS = {
    "A": "runs on",
    "B": "bootstrap, stop",
    "C": "end",
    "D": "bootstrap, stop",
    "E": "end",
    "F": "bootstrap, stop",
}
WAY_HINTS = {
    "bootstrap, stop": "Hand the script to your own gae as it is. Is this its result?",
    "end": "The first three numbers are smaller than yours. What if nothing followed step 2?",
    "runs on": "Whose value stands in row 3, the row below the cut? Try it as the successor of "
    "step 2, and don't let the recursion stop there.",
}
WHOSE_GAE = hunt(
    "whose_gae",
    RESULTS,
    {run: WAY_HINTS[way] for run, way in RESULTS.items()},
    (),
    N_("Keep the six letters, and put one of the three ways, as a string, at each."),
)

Q_TIME_LIMIT = Choice(
    "q_time_limit",
    right="b",
    hints={
        "a": "Is a cut episode's last state worth nothing? What does the critic learn there?",
        "c": "Good play meets the time limit more often than bad play. Which returns fall?",
        "d": "Whitening shifts all advantages alike. Is the error of every step the same?",
    },
)

Q_VALUE_LOSS = Choice(
    "q_value_loss",
    right="c",
    hints={
        "a": "Without the cut it would be. Where is a constant's slope?",
        "b": "Clipping a gradient shortens it. What does clipping a loss do to its slope?",
        "d": "The critic's first values are near 0. Does its loss have a slope there?",
    },
)

Q_DEFAULTS = Choice(
    "q_defaults",
    right="c",
    hints={
        "a": "n_steps counts the steps of each environment. How many environments are there?",
        "b": "How many steps make up one rollout: of one environment, or of all 32?",
        "d": "The learning rate is smaller, but when is the first step taken at all?",
    },
)
