"""The marked notebook: course's cells, student's text, outputs that nbgrader understands."""

import builtins
import json
import re

from grader.course.notes import clean
from grader.i18n import _
from grader.records.outcome import PASSED, VOID

_PICTURE = re.compile(r"!\[([\w .-]{0,100})\] \(attachment:([\w.-]{1,100})\)", re.ASCII)
# Commands with which a formula can be a link, load an extension or lie over the page.
_MATHJAX = re.compile(
    r"\\(?=(?:href|mmlToken|require|style|cssId|class|bbox|data|unicode|texttip|mathtip|toggle)"
    r"(?![A-Za-z]))"
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def build(plan, outputs: dict, metadata: dict, heading: str = "") -> dict:
    """nbformat 4.5 as a dict. outputs: number of the plan's cell -> list of outputs; heading:
    words in a first cell of its own."""
    cells = [_heading(heading)] if heading else []
    extras = 0
    for number, cell in enumerate(plan.cells):
        extras += cell.kind == "extra"
        cell_id = f"extra-{extras}" if cell.kind == "extra" else cell.source.id
        text = (
            tame(cell.text, cell.pictures)
            if cell.written and cell.cell_type == "markdown"
            else cell.text
        )
        made = {
            "cell_type": cell.cell_type,
            "id": cell_id,
            "source": text,
            "metadata": cell.source.metadata or {"policy_gradients": {"kind": "extra"}},
        }
        if cell.cell_type == "code":
            made |= {"execution_count": None, "outputs": outputs.get(number, [])}
        elif cell.pictures:
            made["attachments"] = cell.pictures
        cells.append(made)
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def text_of(notebook: dict) -> str:
    """The notebook as its file's text."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def tame(markdown: str, pictures=()) -> str:
    """A student's Markdown without raw HTML and without links, formulas and emphasis kept.

    formgrader shows it within the instructor's session, where a script could do all that the
    instructor can. A space where a tag or a link's target would begin is enough: neither is one
    then, and formulas read the same.
    """
    # Browsers skip a NUL, and a character's number may stand for the backslash of a command.
    text = re.sub(r"&(?=#|[A-Za-z][A-Za-z0-9]*;)", "& ", clean(markdown.replace("\r\n", "\n")))
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", text)
    text = re.sub(r"\](?=[(:])", "] ", text)
    text = _MATHJAX.sub(r"\\ ", text)
    # nbconvert stops at a picture that isn't there.
    return _PICTURE.sub(lambda m: m[0].replace("] (", "](") if m[2] in pictures else m[0], text)


def _heading(text):
    return {
        "cell_type": "markdown",
        "id": "grader-note",
        "source": text,
        "metadata": {"policy_gradients": {"kind": "extra"}},
    }


def check_outputs(mark, html: str, text: str) -> list:
    """A check's outputs. An error output is what makes nbgrader give 0 points."""
    shown = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": html, "text/plain": text},
    }
    if mark.verdict in (PASSED, VOID):
        return [shown]
    error = {
        "output_type": "error",
        "ename": "CheckFailed",
        "evalue": mark.headline,
        "traceback": [mark.headline],
    }
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
            taken.append(
                {
                    "output_type": "error",
                    "ename": _text(output.get("ename"))[:200],
                    "evalue": _text(output.get("evalue")),
                    "traceback": lines,
                }
            )
    return taken


def withheld(outputs) -> list:
    """In the place of what a cell printed after the first check: its functions have been called
    with hidden inputs by then, and could print them. An error keeps its type, if Python has it."""
    if not outputs:
        return []
    words = _("(not shown: this cell ran after the first check)")
    errors = [o for o in outputs if o["output_type"] == "error"]
    kept = [{"output_type": "stream", "name": "stdout", "text": words + "\n"}]
    for error in errors:
        name = builtin_error(error["ename"])
        kept.append({"output_type": "error", "ename": name, "evalue": "", "traceback": [name]})
    return kept


def builtin_error(name) -> str:
    """An error's type, where Python itself has it; a name of a student's own can say anything."""
    kind = getattr(builtins, name, None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return name if known else _("an error")


def _text(value) -> str:
    if isinstance(value, list):
        value = "".join(map(str, value))
    text = _ANSI.sub("", str(value)).encode("utf-8", "replace").decode("utf-8")
    # nbformat allows them, but no browser and no XML-minded tool does.
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text)
