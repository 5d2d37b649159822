"""What a lesson's claims must hold to before they run: names, arguments, reruns."""

import ast


def claim_problems(lesson):
    """Yield (line, message, remedy) for what is wrong with the lesson's claims."""
    first = {}
    for cell in lesson.cells:
        if cell.kind != "claim":
            continue
        if cell.name in first:
            remedy = f"rename or remove it; the first one is in line {first[cell.name]}."
            yield cell.line, f"A second claim={cell.name!r}.", remedy
        first.setdefault(cell.name, cell.line)
        yield from _cell_problems(cell)


def _cell_problems(cell):
    try:
        calls = list(_calls(ast.parse(cell.source)))
    except SyntaxError:
        return  # told elsewhere
    if not calls:
        remedy = 'write claim("statement", measured, at_least=...).'
        yield cell.line, f"The claim cell {cell.name!r} claims nothing.", remedy
    for call in calls:
        given = {keyword.arg for keyword in call.keywords}
        if not given & {"at_least", "at_most", None}:
            line = cell.start + call.lineno - 1
            yield line, "The claim has no bounds.", "add at_least=... or at_most=...."
        if not (call.args and _is_text(call.args[0])):
            line, remedy = cell.start + call.lineno - 1, 'begin with a text in quotes, claim("...",'
            yield line, "The claim's statement is not written out.", remedy
    anew = any(map(_is_anew, calls))
    if anew and "seeds" not in cell.keys:
        yield cell.line, "There is again=..., but no seeds.", "add seeds=12 to the header, say."
    if "seeds" in cell.keys and not anew:
        remedy = "give the claim again=..., or take the seeds away."
        yield cell.line, "There are seeds, but the claim has no again=....", remedy


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "claim":
            yield node


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_anew(call):
    return any(keyword.arg == "again" for keyword in call.keywords)


def statements(cell, anew=False):
    """What the claims of a cell state; those with again=... alone if `anew`."""
    calls = _calls(ast.parse(cell.source))
    return [call.args[0].value for call in calls if _is_anew(call) or not anew]
