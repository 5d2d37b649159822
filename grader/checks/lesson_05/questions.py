"""The question about the first step, and the bug hunt."""

from grader.checking import N_, Choice
from grader.checks.shared.hunts import hunt

Q_FIRST_STEP = Choice(
    "q_first_step",
    right="a",
    hints={
        "b": "Which policy collected the data, and which one is scored before the first step?",
        "c": "The gradient of log r is not log r. What is the derivative of r where r is 1?",
        "d": "No step has been taken yet: how could its size matter?",
    },
)

BUGS = {
    "A": "critic-untrained",
    "B": "old-recomputed",
    "C": "actions-resampled",
    "D": "no-clip",
    "E": "loss-sign",
    "F": "policy-frozen",
    "G": "reward-sign",
    "H": "temperature",
}
# What to look at where something else was answered.
BUG_HINTS = {
    "A": "The policy does learn, slowly. Which gauge never leaves 0, and whose is it?",
    "B": "The policy moves: its entropy falls at once. How can the measured KL be exactly 0?",
    "C": "Each update moves the policy, and nothing is ever learned. What did the advantages "
    "belong to?",
    "D": "It learns, then falls. How far does a single update move this policy?",
    "E": "Nine steps is less than chance gives. Something was learned, and quickly: what?",
    "F": "Three gauges stand perfectly still. Which part of the program still learns?",
    "G": "It learns to drop the pole, as another run does. Compare their KL: this one takes PPO's "
    "own steps. What did it climb?",
    "H": "Look at the last column. Before any step, who can have moved the ratios off 1?",
}
OTHERS = ("entropy-bonus", "episodes-leak")
BUG_HUNT = hunt(
    "bug_hunt",
    BUGS,
    BUG_HINTS,
    OTHERS,
    N_("Keep the eight letters, and put the name of a bug, as a string, at each."),
)
