"""The questions' right letters, and a thought for each wrong one."""

from grader.checking import Choice

Q_WHICH_KL = Choice(
    "q_which_kl",
    right="e",
    hints={
        "a": "Which of the two starts at zero again with every batch?",
        "b": "The clip compares with the policy that drew the batch, and begins anew with each "
        "one. How far did the run without a leash go, clip and all?",
        "c": "Look at the plot: is the drift from the start bounded by the size of the steps?",
        "d": "After each update the old policy is replaced. What does its KL forget then?",
    },
)

Q_BETA = Choice(
    "q_beta",
    right="c",
    hints={
        "a": "The score is highest there. Is the other condition met?",
        "b": "Read the KL at this beta: is it within the bound?",
        "d": "The condition is met, but is there a beta that meets it with a higher score?",
        "e": "The condition is met, but is there a beta that meets it with a higher score?",
    },
)
