"""The question about the first step, and the bug hunt."""

from grader.checking import N_, Choice
from grader.checks.shared.hunts import hunt

Q_FIRST_STEP = Choice(
    "q_first_step",
    "a",
    {
        "b": N_("Which policy collected the data, and which one is scored before the first step?"),
        "c": N_("The gradient of log r is not log r. What is the derivative of r where r is 1?"),
        "d": N_("No step has been taken yet: how could its size matter?"),
    },
)

# Run -> (bug, what to look at where something else was answered).
BUGS = {
    "A": (
        "critic-untrained",
        N_("The policy does learn, slowly. Which gauge never leaves 0, and whose is it?"),
    ),
    "B": (
        "old-recomputed",
        N_("The policy moves: its entropy falls at once. How can the measured KL be exactly 0?"),
    ),
    "C": (
        "actions-resampled",
        N_(
            "Each update moves the policy, and nothing is ever learned. What did the advantages "
            "belong to?"
        ),
    ),
    "D": ("no-clip", N_("It learns, then falls. How far does a single update move this policy?")),
    "E": (
        "loss-sign",
        N_("Nine steps is less than chance gives. Something was learned, and quickly: what?"),
    ),
    "F": (
        "policy-frozen",
        N_("Three gauges stand perfectly still. Which part of the program still learns?"),
    ),
    "G": (
        "reward-sign",
        N_(
            "It learns to drop the pole, as another run does. Compare their KL: this one takes "
            "PPO's own steps. What did it climb?"
        ),
    ),
    "H": (
        "temperature",
        N_("Look at the last column. Before any step, who can have moved the ratios off 1?"),
    ),
}
OTHERS = ("entropy-bonus", "episodes-leak")
BUG_HUNT = hunt(
    "bug_hunt",
    BUGS,
    OTHERS,
    N_("Keep the eight letters, and put the name of a bug, as a string, at each."),
)
