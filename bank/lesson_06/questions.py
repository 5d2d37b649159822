"""Answers for questions."""

from bank import value

value("q_which_kl", "e", "e")


value("q_which_kl", "b", "b", "chose-b")


value("q_which_kl", "a", "a", "chose-a")


value("q_which_kl", "c", "c", "chose-c")


value("q_which_kl", "d", "d", "chose-d")


value("q_which_kl", "empty", None, "not-answered")


value("q_beta", "c", "c")


value("q_beta", "in-brackets", "(C)")


value("q_beta", "a", "a", "chose-a")


value("q_beta", "b", "b", "chose-b")


value("q_beta", "d", "d", "chose-d")


value("q_beta", "e", "e", "chose-e")
