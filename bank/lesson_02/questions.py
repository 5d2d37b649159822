"""Answers for questions."""

from bank import value

value("q_shift", "e", "e")


value("q_shift", "capital", " E ")


value("q_shift", "full_stop", "e.")


value("q_shift", "set", {"e"}, "not-a-letter")


value("q_shift", "dots", ..., "not-answered")


value("q_shift", "a", "a", "chose-a")


value("q_shift", "b", "b", "chose-b")


value("q_shift", "c", "c", "chose-c")


value("q_shift", "d", "d", "chose-d")


value("q_shift", "blank", None, "not-answered")


value("q_batch", "d", "d")


value("q_batch", "a", "a", "chose-a")


value("q_batch", "c", "c", "chose-c")


value("q_batch", "b", "b", "chose-b")


value("q_batch", "number", 2, "not-a-letter")
