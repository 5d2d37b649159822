"""Answers for questions."""

from bank import value

value("q_outside_band", "c", "c")


value("q_outside_band", "a", "a", "chose-a")


value("q_outside_band", "b", "B", "chose-b")


value("q_outside_band", "d", "d", "chose-d")


value("q_outside_band", "blank", None, "not-answered")


value("q_negative_kl", "d", "d")


value("q_negative_kl", "a", "a", "chose-a")


value("q_negative_kl", "c", "c", "chose-c")


value("q_negative_kl", "b", "b", "chose-b")


value("q_outside_band", "with_a_full_stop", "c.")


value("q_outside_band", "quoted_twice", "'c'")
