"""The table of the six cases: where a sample moves the policy."""

from grader.checking import Case, Problem, RuleExercise, _, dict_hint, kind_text
from grader.checks.lesson_04.clip_gradient import BOTH_SIGNS
from grader.checks.shared.clip_truth import slope

PLACES = {"below": 0.5, "inside": 1.0, "above": 1.5}
KEYS = [(place, sign) for place in PLACES for sign in "+-"]
# What each usual wrong picture of the clip takes to be at rest.
WRONG_PICTURES = {
    "zero-outside-band": ({("below", "+"), ("below", "-"), ("above", "+"), ("above", "-")},),
    "never-zero": (set(),),
    "max-not-min": ({("below", "+"), ("above", "-")},),
    "one-sign": (
        {("above", "+")},
        {("below", "-")},
        {("above", "+"), ("above", "-")},
        {("below", "+"), ("below", "-")},
    ),
    "one-side-for-both-signs": (
        {("below", "-"), ("above", "+"), ("above", "-")},
        {("below", "+"), ("below", "-"), ("above", "+")},
    ),
}
PICTURE_HINTS = {
    "zero-outside-band": "Outside the band the gradient is zero only when moving further away. "
    "Evaluate your clip_gradient on both sides for both signs.",
    "never-zero": "Then the clip would do nothing. Where is the objective flat?",
    "max-not-min": "The objective takes the smaller branch. Which is it at r = 1.5, A > 0?",
    "one-sign": BOTH_SIGNS,
    "one-side-for-both-signs": BOTH_SIGNS,
    "dead-inside": "Inside the band the clip changes nothing. What is left?",
    "": "For each case: which of r A and clip(r) A is the smaller? Is that one flat?",
}


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
    if table is None:
        return _form(kind_text(seen["value"]), dict_hint(seen["value"]))
    words = {str(word) for word in table.values()}
    if words <= {"True", "False"} or words <= {"0", "1"}:
        hint = _('Write the word "moves" or "zero", not True or False.')
        return _form(" ".join(sorted(words)), hint, "not-a-word")
    strange = sorted(set(table) ^ set(KEYS), key=str)
    if strange:
        hint = _(
            "Six keys, a place and a sign each. Leave them as they were, and fill in the words."
        )
        got = _("a key {key}") if strange[0] in table else _("no key {key}")
        return _form(got.format(key=repr(strange[0])), hint, "other-keys")
    if not any(table.values()):
        hint = _('Not answered yet: put "moves" or "zero" in place of each None.')
        return _form("None", hint, "not-answered", "defined")
    odd = [key for key in KEYS if table[key] not in ("moves", "zero")]
    if odd:
        hint = _("Each of the six needs one of the two words.")
        return _form(f"{odd[0]!r}: {table[odd[0]]!r}", hint, "not-a-word")
    right = sum(table[key] == truth[key] for key in KEYS)
    return None if right == len(KEYS) else wrong_picture(table, right)


def _form(got, hint="", mistake="", step="kind"):
    """No table of six words."""
    form = _('a dict with six keys such as ("below", "+"), each "moves" or "zero"')
    return _problem(step, form, got, hint, mistake)


def wrong_picture(table, right):
    """How many of the six are right, and the picture of the clip that the answer fits."""
    rest = {key for key in KEYS if table[key] == "zero"}
    name = next((n for n, pictures in WRONG_PICTURES.items() if rest in pictures), "")
    if ("inside", "+") in rest or ("inside", "-") in rest:
        name = "dead-inside"
    wanted, got = (_("{n} of 6 right").format(n=n) for n in (6, right))
    return _problem("value", wanted, got, _(PICTURE_HINTS[name]), name)


def _problem(step, expected, got, hint, mistake):
    return Problem(
        step=step, shown="case_table", expected=expected, got=got, hint=hint, mistake=mistake
    )


CASE_TABLE = RuleExercise("case_table", "value", lambda rng: [Case({})], rules=(judge_table,))
