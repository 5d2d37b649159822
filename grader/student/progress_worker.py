"""Runs one saved notebook and its checks.

``python -m grader.student.progress_worker FOLDER NAME FILE`` writes one JSON line to FILE for each
check as soon as it is judged.
"""

import json
import sys
from pathlib import Path

from grader.checks.registry import need_checks
from grader.course import CourseError
from grader.course.notes import clean
from grader.i18n import _
from grader.probes import cells
from grader.student.kernel import judged
from grader.student.saved import read

MOST = 300
UNWRITTEN = ("not-written", "not-answered")


def main(folder, name, results) -> None:
    """Runs the lesson ``name`` below ``folder`` and judges it."""
    with open(results, "a", encoding="utf-8") as file:

        def tell(**line):
            file.write(json.dumps(line) + "\n")
            file.flush()

        _run(Path(folder), name, tell)
        tell(end=True)


def _run(folder, name, tell):
    lesson, plan, _begun = read(folder, name)
    try:
        need_checks(lesson)
    except CourseError as error:
        tell(trouble=_short(str(error)))
        return
    drawn = any("InlineBackend" in cell.text for cell in plan.cells)
    shell, failed = cells.create(figures=drawn), set()
    for cell in plan.cells:
        if cell.run:
            error = cells.run(cell.text).get("error")
            if error and cell.kind in ("setup", "given"):
                words = _("A cell of the course's own failed: {error}")
                tell(trouble=words.format(error=_short(f"{error['ename']}: {error['evalue']}")))
        if cell.kind == "check":
            verdict = judged(shell.user_ns, cell.source.exercise, failed)
            tell(exercise=cell.source.exercise, solved=verdict.passed, words=_words(verdict))


def _words(verdict):
    """What the check says, in one line; nothing where the answer isn't written yet."""
    problem = verdict.problem
    if problem is None or problem.mistake in UNWRITTEN:
        return ""
    return _short(problem.hint or problem.got)


def _short(text):
    text = clean(" ".join(text.split()))
    return text if len(text) <= MOST else text[: MOST - 3] + "..."


if __name__ == "__main__":
    main(*sys.argv[1:])
