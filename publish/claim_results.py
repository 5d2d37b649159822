"""What an executed notebook's claims said, and which of them do not hold."""

from publish.claiming import MIME, holds


def unmet_claims(notebook):
    """Yield (cell index, line in the cell from 0, message, remedy) for each claim that fails."""
    for index, cell in enumerate(notebook.cells):
        for told in claims_told(cell):
            name = cell.metadata["policy_gradients"]["claim"]["claim"]
            line = told["line"] - 1
            if not is_met(told):
                message = f"The claim {name!r} doesn't hold: {in_words(told)}."
                remedy = "make sentence, experiment or bound true, for other seeds, too."
                yield index, line, message, remedy
            wanted = _parameters(cell.metadata["policy_gradients"]["claim"])
            if told["again"] not in (None, wanted):
                signature = "again(seed, rate)" if wanted == 2 else "again(seed)"
                message = f"The claim {name!r} is measured anew with {told['again']} arguments."
                yield index, line, message, f"define {signature}, as the header says."


def _parameters(keys):
    """How many arguments `again` takes by the header: seed and rate, seed, or there is none."""
    return ("seeds" in keys) + ("rates" in keys)


def claims_told(cell):
    """What the claims of an executed cell said, reruns left out."""
    found = [output.get("data", {}).get(MIME) for output in cell.get("outputs", [])]
    return [told for told in found if told and "statement" in told]


def is_met(told) -> bool:
    return holds(told["measured"], told["at_least"], told["at_most"])


def in_words(told):
    """A claim's statement, its number and its bounds."""
    measured = "no number" if told["measured"] is None else f"{told['measured']:.6g}"
    return f'"{told["statement"]}": measured {measured}, {bounds_in_words(told)}'


def bounds_in_words(told):
    """A claim's bounds: "at least 0.5, at most 0.7"."""
    bounds = [("at least", told["at_least"]), ("at most", told["at_most"])]
    return ", ".join(f"{words} {bound:g}" for words, bound in bounds if bound is not None)
