"""Answers for questions."""

from bank import value

value("q_loss_must_fall", "d", "d")


value("q_loss_must_fall", "d_in_capitals", " (D) ")


value("q_loss_must_fall", "a", "a", "chose-a")


value("q_loss_must_fall", "c", "c", "chose-c")


value("q_loss_must_fall", "b", "b", "chose-b")


value("q_loss_must_fall", "blank", None, "not-answered")


value("q_all_positive", "a", "a")


value("q_all_positive", "c", "c", "chose-c")


value("q_all_positive", "b", "b", "chose-b")


value("q_all_positive", "d", "d", "chose-d")


value("q_all_positive", "other", "yes", "not-a-letter")
