"""A submission's feedback page: marks, what each check said, the student's own cells.

Everything in it is escaped by the template; the page loads nothing and runs no script.
"""

import functools
from pathlib import Path

from grader.course import ANSWERS
from grader.course.lateness import ON_TIME
from grader.course.notes import Note, clean
from grader.i18n import N_, _
from grader.records.outcome import (
    BLANK,
    MARKED,
    NOT_RUN,
    PASSED,
    REFUSED,
    STOPPED,
    VOID,
    WAITING,
    WRONG,
)
from grader.reports.pages import environment, number
from policy_gradients.handout import exercise_of
from policy_gradients.i18n import speaking

HERE = Path(__file__).resolve().parent
WORDS = {
    PASSED: N_("correct"),  # "right" is where the agent goes
    WRONG: N_("not yet"),
    NOT_RUN: N_("not run"),
    BLANK: N_("no answer"),
    WAITING: N_("waits for its mark"),
    MARKED: N_("marked by hand"),
    VOID: N_("void: full points for everybody"),
}

SIGNS = {PASSED: "✓ ", WRONG: "✗ "}

SAID = {
    "total": N_("{score} of {most} points"),
    "waiting": N_("(some answers still wait for their mark)"),
    "unsafe": N_("Graded without a sandbox."),
    "group": N_("Handed in together: {group}."),
    "late": N_("Handed in after the deadline: {late}."),
    "penalty": N_("{penalty} points are taken off for it: {score} of {most} points count."),
    "exercise": N_("exercise"),
    "result": N_("result"),
    "points": N_("points"),
    "own": N_("your own cell"),
    "picture": N_("a picture of the answer"),
    "comment": N_("Comment:"),
}


@functools.cache
def _template():
    return environment(HERE, SAID).get_template("student_page.html")


def page_of(student, outcome, lesson, by_hand=None, unsafe=False, late=ON_TIME, group="") -> str:
    """The page as HTML. by_hand: exercise -> (mark or None, comment) given by people; group: whose
    work it is, in words."""
    with speaking(outcome.language):
        rows = [
            _row(mark, (by_hand or {}).get(mark.exercise, (None, ""))) for mark in outcome.marks
        ]
        total = sum(row["score"] or 0 for row in rows)
        return _template().render(
            language=outcome.language,
            student=clean(student),
            lesson=lesson,
            rows=rows,
            total=total,
            late=late,
            group=clean(group),
            penalty=late.penalty(total),
            most=sum(row["most"] for row in rows),
            waiting=any(row["score"] is None for row in rows),
            stop=_stop(outcome),
            notes=[str(n) for n in outcome.notes],
            sections=_sections(outcome, rows),
            unsafe=unsafe,
        )


def _stop(outcome):
    return [str(n) for n in outcome.reason] if outcome.status in (REFUSED, STOPPED) else []


def _row(mark, given):
    """A mark as the page shows it: what a person gave counts before what the grader gave."""
    score, comment = given
    verdict = mark.verdict if score is None else MARKED
    return {
        "exercise": mark.exercise,
        "score": mark.score if score is None else score,
        "most": mark.max_score,
        "verdict": verdict,
        "word": _(WORDS[verdict]),
        "sign": SIGNS.get(verdict, ""),
        "good": verdict == PASSED,
        "neutral": verdict in (WAITING, MARKED, VOID),
        "headline": mark.headline,
        "lines": mark.lines,
        "comment": clean(comment or ""),
    }


def _sections(outcome, rows):
    """The student's cells in order; a check's words stand where the check stood."""
    by_name, sections = {row["exercise"]: row for row in rows}, []
    for cell in (outcome.notebook or {"cells": []})["cells"]:
        kind = cell["metadata"].get("policy_gradients", {}).get("kind")
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        section = {
            "kind": "",
            "name": exercise_of(grade_id),
            "text": clean(_joined(cell["source"])),
            "outputs": _outputs(cell),
            "row": None,
            "pictures": _pictures(cell),
        }
        if kind == "check":
            sections.append(section | {"kind": "check", "row": by_name.get(grade_id)})
        elif kind == "free":
            sections.append(section | {"kind": "free", "row": by_name.get(grade_id)})
        elif kind in ANSWERS and _joined(cell["source"]).strip():
            sections.append(section | {"kind": "answer"})
        elif kind == "extra" and cell["id"] != "grader-note" and _joined(cell["source"]).strip():
            sections.append(section | {"kind": "extra"})
    return sections


def _pictures(cell):
    """The pictures pasted into an answer, as data URIs (intake let nothing but PNG and JPEG by)."""
    kept = cell.get("attachments", {}).values()
    return [f"data:{kind};base64,{data}" for kinds in kept for kind, data in kinds.items()]


def _outputs(cell):
    """Streams and errors as plain text. A check's own outputs are told by its row."""
    texts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            texts.append(clean(_joined(output["text"])))
        elif output["output_type"] == "error":
            texts.append(clean(f"{output['ename']}: {output['evalue']}"))
    return texts


def _joined(text):
    return text if isinstance(text, str) else "".join(text)


__all__ = ["Note", "number", "page_of"]
