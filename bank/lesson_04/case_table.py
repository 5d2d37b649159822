"""Answers for the case table."""

from bank import value

TABLE = {
    ("below", "+"): "moves",
    ("below", "-"): "zero",
    ("inside", "+"): "moves",
    ("inside", "-"): "moves",
    ("above", "+"): "zero",
    ("above", "-"): "moves",
}


def but(*zeros):
    return {key: "zero" if key in zeros else "moves" for key in TABLE}


value("case_table", "plain", dict(TABLE))


value("case_table", "other_order", dict(reversed(TABLE.items())))


value("case_table", "capitals", {key: word.capitalize() for key, word in TABLE.items()})


value("case_table", "built", but(("below", "-"), ("above", "+")))


OUTSIDE = [key for key in TABLE if key[0] != "inside"]


value("case_table", "all_zero_outside", but(*OUTSIDE), "zero-outside-band")


value("case_table", "all_move", but(), "never-zero")


value("case_table", "other_branch", but(("below", "+"), ("above", "-")), "max-not-min")


value("case_table", "good_alone", but(("above", "+")), "one-sign")


value("case_table", "bad_alone", but(("below", "-")), "one-sign")


value("case_table", "above_alone", but(("above", "+"), ("above", "-")), "one-sign")


value("case_table", "dead_inside", but(("inside", "+"), ("inside", "-")), "dead-inside")


value("case_table", "nothing_moves", but(*TABLE), "dead-inside")


value("case_table", "three_zeros", but(*OUTSIDE[1:]), "one-side-for-both-signs")


value("case_table", "blank", dict.fromkeys(TABLE), "not-answered")


value("case_table", "half_blank", TABLE | {("above", "-"): None}, "not-a-word")


value("case_table", "text_keys", {"".join(key): w for key, w in TABLE.items()}, "other-keys")


value("case_table", "numbers", {key: len(TABLE[key]) for key in TABLE}, "not-a-word")


value("case_table", "true_and_false", {k: w == "moves" for k, w in TABLE.items()}, "not-a-word")


value("case_table", "a_list", list(TABLE.values()), "step:kind")
