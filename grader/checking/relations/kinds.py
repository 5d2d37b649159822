"""Names for results of a wrong kind: what came, as the class report counts it."""

from grader.checking.case import Expected
from grader.checking.relations.evidence import Relation
from grader.i18n import N_, _

# What came -> (name, words where the kind itself has none)
NAMES = {
    "none": ("nothing-returned", N_("Nothing came back. Does the function end with return?")),
    "list": ("list-returned", N_("A list came back. Wrap it: np.array(...).")),
    "tuple": ("tuple-returned", N_("Several results came back; look at what is asked.")),
    "mapping": ("dict-returned", N_("A dict came back; look at what is asked.")),
    "text": ("text-returned", N_("A text came back; numbers are asked.")),
    "number": ("number-returned", N_("A single number came back; look at its type.")),
    "array": ("array-returned", N_("A NumPy array came back; look at what is asked.")),
    "tensor": ("tensor-returned", N_("A tensor came back; look at what is asked, and its dtype.")),
}


def kind_relation(cases, seen, expected) -> Relation | None:
    """The kind that came in every case in which something came."""
    kinds = {
        one["value"].get("kind")
        for one, truth in zip(seen, expected)
        if isinstance(truth, Expected) and "value" in one
    }
    if len(kinds) != 1 or (kind := kinds.pop()) not in NAMES:
        return None
    name, hint = NAMES[kind]
    return Relation(name, _(hint))
