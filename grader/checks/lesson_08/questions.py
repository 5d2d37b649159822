"""The questions' right letters, a thought for each wrong one, and whose results these are."""

from grader.checking import N_, Case, Choice, RuleExercise
from grader.checks.shared.hunts import entries_rule, names_rule

WAYS = ("bootstrap, stop", "end", "runs on")
BOOTSTRAP = N_("Hand the script to your own gae as it is. Is this its result?")
ENDS = N_("The first three numbers are smaller than yours. What if nothing followed step 2?")
RUNS_ON = N_(
    "Whose value stands in row 3, the row below the cut? Try it as the successor of step 2, and "
    "don't let the recursion stop there."
)
RESULTS = {
    "A": ("runs on", RUNS_ON),
    "B": ("bootstrap, stop", BOOTSTRAP),
    "C": ("end", ENDS),
    "D": ("bootstrap, stop", BOOTSTRAP),
    "E": ("end", ENDS),
    "F": ("bootstrap, stop", BOOTSTRAP),
}

WHOSE_GAE = RuleExercise(
    "whose_gae",
    "value",
    lambda rng: [Case({}, shown="whose_gae")],
    rules=(entries_rule(RESULTS, WAYS), names_rule(RESULTS)),
    hint=N_("Keep the six letters, and put one of the three ways, as a string, at each."),
)

Q_TIME_LIMIT = Choice(
    "q_time_limit",
    "b",
    hints={
        "a": N_("Is a cut episode's last state worth nothing? What does the critic learn there?"),
        "c": N_("Good play meets the time limit more often than bad play. Which returns fall?"),
        "d": N_("Whitening shifts all advantages alike. Is the error of every step the same?"),
    },
)

Q_VALUE_LOSS = Choice(
    "q_value_loss",
    "c",
    hints={
        "a": N_("Without the cut it would be. Where is a constant's slope?"),
        "b": N_("Clipping a gradient shortens it. What does clipping a loss do to its slope?"),
        "d": N_("The critic's first values are near 0. Does its loss have a slope there?"),
    },
)

Q_DEFAULTS = Choice(
    "q_defaults",
    "c",
    hints={
        "a": N_("n_steps counts the steps of each environment. How many environments are there?"),
        "b": N_("How many steps make up one rollout: of one environment, or of all 32?"),
        "d": N_("The learning rate is smaller, but when is the first step taken at all?"),
    },
)
