"""Answers for questions."""

from bank import value

value("q_cut_episode", "b", "b")


value("q_cut_episode", "a", "a", "chose-a")


value("q_cut_episode", "c", "c", "chose-c")


value("q_cut_episode", "d", "d", "chose-d")


value("q_more_trajectories", "c", "c")


value("q_more_trajectories", "a", "a", "chose-a")


value("q_more_trajectories", "b", "b", "chose-b")


value("q_more_trajectories", "d", "d", "chose-d")
