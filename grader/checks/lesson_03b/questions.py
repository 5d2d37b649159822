"""The questions of 03b_gae."""

from grader.checking import Choice

Q_CUT_EPISODE = Choice(
    "q_cut_episode",
    right="b",
    hints={
        "a": "Write out the sum of the TD errors of three steps. Which values are left over?",
        "c": "How many steps lie between the start and the state where the clock stopped?",
        "d": "How many TD errors does an episode of T steps have, and which weight has each?",
    },
)

Q_MORE_TRAJECTORIES = Choice(
    "q_more_trajectories",
    right="c",
    hints={
        "a": "The critic is the same. Only the batch grew.",
        "b": "Which of the two does averaging over more trajectories make smaller?",
        "d": "With a critic that is nearly exact, how large is the bias that is left?",
    },
)
