"""Answers for questions."""

from bank import value

for letter in "bcd":
    value("q_first_step", f"letter_{letter}", letter, f"chose-{letter}")


value("q_first_step", "unanswered", None, "not-answered")


value("q_first_step", "two_letters", "ab", "not-a-letter")


value("q_first_step", "letter_a", "a")


value("q_first_step", "shouted", " (A) ")


FOUND = {
    "A": "critic-untrained",
    "B": "old-recomputed",
    "C": "actions-resampled",
    "D": "no-clip",
    "E": "loss-sign",
    "F": "policy-frozen",
    "G": "reward-sign",
    "H": "temperature",
}


value("bug_hunt", "as_asked", FOUND)


value("bug_hunt", "another_order", dict(reversed(FOUND.items())))


value("bug_hunt", "with_notes", FOUND | {"note": "E was hard"})


value("bug_hunt", "spelled_freely", {run: f" {bug.upper()} " for run, bug in FOUND.items()})


for run, other in [
    ("A", "episodes-leak"),
    ("B", "loss-sign"),
    ("C", "policy-frozen"),
    ("D", "old-recomputed"),
    ("E", "entropy-bonus"),
    ("F", "actions-resampled"),
    ("G", "loss-sign"),
    ("H", "entropy-bonus"),
]:
    value("bug_hunt", f"{other}_in_{run}", FOUND | {run: other}, f"run-{run}")


value("bug_hunt", "all_alike", dict.fromkeys(FOUND, "no-clip"), "run-A")


value("bug_hunt", "unanswered", dict.fromkeys(FOUND), "not-answered")


value("bug_hunt", "half_answered", FOUND | {"D": None, "E": None, "F": None}, "not-answered")


value("bug_hunt", "own_words", FOUND | {"B": "the ratio is always one"}, "unknown-bug")


value("bug_hunt", "numbers", FOUND | {"C": 3}, "unknown-bug")


value("bug_hunt", "one_missing", {run: FOUND[run] for run in "ABCDEFG"}, "run-left-out")


value("bug_hunt", "a_list", list(FOUND.values()), "step:kind")
