"""The table of the six cases: where a sample moves the policy."""

from grader.checking import N_, Case, Problem, RuleExercise, _, dict_hint, kind_text
from grader.checks.lesson_04.clip_gradient import BOTH_SIGNS
from grader.checks.shared.clip_truth import slope

PLACES = {"below": 0.5, "inside": 1.0, "above": 1.5}
KEYS = [(place, sign) for place in PLACES for sign in "+-"]
# What each usual wrong picture of the clip says: the keys that it takes to be at rest.
WRONG_PICTURES = [
    (
        "zero-outside-band",
        N_(
            "Outside the band the gradient is zero only when moving further away. "
            "Evaluate your clip_gradient on both sides for both signs."
        ),
        {("below", "+"), ("below", "-"), ("above", "+"), ("above", "-")},
    ),
    ("never-zero", N_("Then the clip would do nothing. Where is the objective flat?"), set()),
    (
        "max-not-min",
        N_("The objective takes the smaller branch. Which is it at r = 1.5, A > 0?"),
        {("below", "+"), ("above", "-")},
    ),
    ("one-sign", BOTH_SIGNS, {("above", "+")}),
    ("one-sign", BOTH_SIGNS, {("below", "-")}),
    ("one-sign", BOTH_SIGNS, {("above", "+"), ("above", "-")}),
    ("one-sign", BOTH_SIGNS, {("below", "+"), ("below", "-")}),
    ("one-side-for-both-signs", BOTH_SIGNS, {("below", "-"), ("above", "+"), ("above", "-")}),
    ("one-side-for-both-signs", BOTH_SIGNS, {("below", "+"), ("below", "-"), ("above", "+")}),
]


def table_truth():
    """The six words, from slopes at one ratio in each place."""
    signs = {"+": 1.0, "-": -1.0}
    return {key: "moves" if slope(PLACES[key[0]], signs[key[1]]) else "zero" for key in KEYS}


def read_table(seen):
    """The observed dict as {(place, sign): word}; None where it is something else."""
    if seen.get("kind") != "mapping":
        return None
    table = {}
    for key, word in seen["items"]:
        parts = key.get("items")
        name = tuple(part.get("value") for part in parts) if parts else str(key.get("value"))
        word = word.get("value")
        table[name] = word.strip().lower() if isinstance(word, str) else word
    return table


def judge_table(case, seen):
    table, truth = read_table(seen["value"]), table_truth()
    form = _('a dict with six keys such as ("below", "+"), each "moves" or "zero"')
    if table is None:
        got, hint = kind_text(seen["value"]), dict_hint(seen["value"])
        return Problem(step="kind", shown="case_table", expected=form, got=got, hint=hint)
    words = {str(word) for word in table.values()}
    if words <= {"True", "False"} or words <= {"0", "1"}:
        hint = _('Write the word "moves" or "zero", not True or False.')
        return Problem(
            step="kind",
            shown="case_table",
            expected=form,
            got=" ".join(sorted(words)),
            hint=hint,
            mistake="not-a-word",
        )
    strange = sorted(set(table) ^ set(KEYS), key=str)
    if strange:
        hint = _(
            "Six keys, a place and a sign each. Leave them as they were, and fill in the words."
        )
        words_for = _("a key {key}") if strange[0] in table else _("no key {key}")
        return Problem(
            step="kind",
            shown="case_table",
            expected=form,
            got=words_for.format(key=repr(strange[0])),
            hint=hint,
            mistake="other-keys",
        )
    if not any(table.values()):
        hint = _('Not answered yet: put "moves" or "zero" in place of each None.')
        return Problem(
            step="defined",
            shown="case_table",
            expected=form,
            got="None",
            hint=hint,
            mistake="not-answered",
        )
    odd = [key for key in KEYS if table[key] not in ("moves", "zero")]
    if odd:
        hint = _("Each of the six needs one of the two words.")
        got = f"{odd[0]!r}: {table[odd[0]]!r}"
        return Problem(
            step="kind", shown="case_table", expected=form, got=got, hint=hint, mistake="not-a-word"
        )
    right = sum(table[key] == truth[key] for key in KEYS)
    return None if right == len(KEYS) else wrong_picture(table, right)


def wrong_picture(table, right):
    """How many of the six are right, and the picture of the clip that the answer fits."""
    rest = {key for key in KEYS if table[key] == "zero"}
    name, hint = next(((n, _(h)) for n, h, keys in WRONG_PICTURES if rest == keys), ("", ""))
    if ("inside", "+") in rest or ("inside", "-") in rest:
        name, hint = "dead-inside", _("Inside the band the clip changes nothing. What is left?")
    wanted, got = _("{n} of 6 right").format(n=6), _("{n} of 6 right").format(n=right)
    default = _("For each case: which of r A and clip(r) A is the smaller? Is that one flat?")
    return Problem(
        step="value",
        shown="case_table",
        expected=wanted,
        got=got,
        hint=hint or default,
        mistake=name,
    )


CASE_TABLE = RuleExercise("case_table", "value", lambda rng: [Case({})], rules=(judge_table,))
