"""The marked notebook: the course's cells, the student's text, outputs that nbgrader understands."""

import re

from grader.marking.records import PASSED

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def build(plan, outputs: dict, metadata: dict, heading: str = "") -> dict:
    """nbformat 4.5 as a dict. outputs: number of the plan's cell -> list of outputs; heading:
    words in a first cell of its own."""
    cells = [_heading(heading)] if heading else []
    extras = 0
    for number, cell in enumerate(plan.cells):
        extras += cell.kind == "extra"
        cell_id = f"extra-{extras}" if cell.kind == "extra" else cell.source.id
        made = {"cell_type": cell.cell_type, "id": cell_id, "source": cell.text,
                "metadata": cell.source.metadata or {"policy_gradients": {"kind": "extra"}}}  # fmt: skip
        if cell.cell_type == "code":
            made |= {"execution_count": None, "outputs": outputs.get(number, [])}
        cells.append(made)
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _heading(text):
    return {"cell_type": "markdown", "id": "grader-note", "source": text,
            "metadata": {"policy_gradients": {"kind": "extra"}}}  # fmt: skip


def check_outputs(mark, html: str, text: str) -> list:
    """A check's outputs. An error output is what makes nbgrader give 0 points."""
    shown = {"output_type": "display_data", "metadata": {},
             "data": {"text/html": html, "text/plain": text}}  # fmt: skip
    if mark.verdict == PASSED:
        return [shown]
    error = {"output_type": "error", "ename": "CheckFailed", "evalue": mark.headline,
             "traceback": [mark.headline]}  # fmt: skip
    return [shown, error]


def student_outputs(outputs) -> list:
    """A cell's streams and errors as plain text. Nothing richer is taken over from a student."""
    taken = []
    for output in outputs:
        if output.get("output_type") == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            taken.append({"output_type": "stream", "name": name, "text": _text(output.get("text"))})
        elif output.get("output_type") == "error":
            lines = output.get("traceback")
            lines = [_text(line) for line in lines] if isinstance(lines, list) else []
            taken.append({"output_type": "error", "ename": _text(output.get("ename"))[:200],
                          "evalue": _text(output.get("evalue")), "traceback": lines})  # fmt: skip
    return taken


def _text(value) -> str:
    if isinstance(value, list):
        value = "".join(map(str, value))
    text = _ANSI.sub("", str(value)).encode("utf-8", "replace").decode("utf-8")
    # nbformat allows them, but no browser and no XML-minded tool does.
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text)
