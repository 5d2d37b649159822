"""Answers for questions."""

from bank import value

value("q_action_baseline", "b", "b")


value("q_action_baseline", "a", "a", "chose-a")


value("q_action_baseline", "c", "c", "chose-c")


value("q_action_baseline", "d", "d", "chose-d")


value("q_best_constant", "b", "b")


value("q_best_constant", "a", "a", "chose-a")


value("q_best_constant", "c", "c", "chose-c")


value("q_best_constant", "d", "d", "chose-d")


value("q_whitening", "b", "b")


value("q_whitening", "bracket", "(b)")


value("q_whitening", "a", "a", "chose-a")


value("q_whitening", "c", "c", "chose-c")


value("q_whitening", "d", "d", "chose-d")


value("q_whitening", "blank", None, "not-answered")
