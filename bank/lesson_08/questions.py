"""Answers for questions."""

from bank import value

for question, answer in [("q_time_limit", "b"), ("q_value_loss", "c"), ("q_defaults", "c")]:
    value(question, answer, answer)
    value(question, "in-brackets", f"({answer.upper()})")
    for letter in "abcd":
        if letter != answer:
            value(question, letter, letter, f"chose-{letter}")
    value(question, "empty", None, "not-answered")


STOP, END, ON = "bootstrap, stop", "end", "runs on"


FOUND = {"A": ON, "B": STOP, "C": END, "D": STOP, "E": END, "F": STOP}


value("whose_gae", "as_asked", FOUND)


value("whose_gae", "another_order", dict(reversed(FOUND.items())))


value("whose_gae", "with_notes", FOUND | {"note": "skrl?"})


value("whose_gae", "spelled_freely", {run: f" {way.upper()} " for run, way in FOUND.items()})


for run, other in [("A", END), ("B", ON), ("C", ON), ("D", END), ("E", STOP), ("F", ON)]:
    value("whose_gae", f"{run}_is_{other[:3]}", FOUND | {run: other}, f"run-{run}")


value("whose_gae", "all_alike", dict.fromkeys(FOUND, STOP), "run-A")


value("whose_gae", "unanswered", dict.fromkeys(FOUND), "not-answered")


value("whose_gae", "half_answered", FOUND | {"D": None}, "not-answered")


value("whose_gae", "own_words", FOUND | {"B": "bootstraps"}, "unknown-bug")


value("whose_gae", "one_missing", {run: FOUND[run] for run in "ABCDE"}, "run-left-out")


value("whose_gae", "in_a_list", list(FOUND.values()), "step:kind")
