"""Answers for questions."""

from bank import value

for question, answer in [
    ("q_equal_scores", "a"),
    ("q_divide_by_std", "d"),
    ("q_k3_as_loss", "c"),
    ("q_zero_loss", "b"),
]:
    value(question, answer, answer)
    value(question, "in-brackets", f"({answer.upper()})")
    for letter in "abcd":
        if letter != answer:
            value(question, letter, letter, f"chose-{letter}")
    value(question, "empty", None, "not-answered")


FOUND = {
    "A": "hot-sampler",
    "B": "deviation-is-one",
    "C": "kl-sign",
    "D": "batch-whitened",
    "E": "mask-inverted",
    "F": "groups-misaligned",
}


value("token_bug_hunt", "as_asked", FOUND)


value("token_bug_hunt", "another_order", dict(reversed(FOUND.items())))


value("token_bug_hunt", "with_notes", FOUND | {"note": "F took long"})


value("token_bug_hunt", "spelled_freely", {run: f" {bug.upper()} " for run, bug in FOUND.items()})


for run, other in [
    ("A", "score-sign"),
    ("B", "batch-whitened"),
    ("C", "reference-follows"),
    ("D", "groups-misaligned"),
    ("E", "score-sign"),
    ("F", "groups-of-one-prompt"),
]:
    value("token_bug_hunt", f"{other}_in_{run}", FOUND | {run: other}, f"run-{run}")


value("token_bug_hunt", "all_alike", dict.fromkeys(FOUND, "kl-sign"), "run-A")


value("token_bug_hunt", "unanswered", dict.fromkeys(FOUND), "not-answered")


value("token_bug_hunt", "half_answered", FOUND | {"D": None}, "not-answered")


value("token_bug_hunt", "own_words", FOUND | {"B": "no deviation"}, "unknown-bug")


value("token_bug_hunt", "numbers", FOUND | {"C": 3}, "unknown-bug")


value("token_bug_hunt", "one_missing", {run: FOUND[run] for run in "ABCDE"}, "run-left-out")


value("token_bug_hunt", "a_list", list(FOUND.values()), "step:kind")
