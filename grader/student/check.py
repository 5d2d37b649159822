"""``check("name")`` in a student's notebook: probe and verdict in the kernel, told at once."""

import os
import sys

from grader.checking.verdict import Verdict
from grader.i18n import _

_failed: set[str] = set()


class CheckFailed(Exception):
    """A check's verdict is "not yet". Shown as one line: the whole message stands above it, and
    nbgrader's Validate button shows this line alone."""

    def __init__(self, verdict: Verdict):
        super().__init__(verdict.headline())
        self.verdict = verdict

    def _render_traceback_(self):
        problem = self.verdict.problem
        words = problem and (problem.hint or problem.got)
        return [": ".join(filter(None, [self.verdict.exercise, words]))]


def check(name: str) -> None:
    """Checks your answer to the exercise ``name`` and shows the verdict.

    Raises CheckFailed where the answer isn't right yet, so that nbgrader sees it, too.
    """
    from grader.student.kernel import judged

    verdict = judged(_namespace(), name, _failed)
    _show(verdict)
    if not verdict.passed:
        raise CheckFailed(verdict)


def _namespace() -> dict:
    """Where the student's functions live: the notebook's namespace, or the calling module's."""
    shell = _shell()
    return shell.user_ns if shell else sys._getframe(2).f_globals


def _shell():
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _show(verdict: Verdict) -> None:
    if _shell() is None or os.environ.get("COURSE_PLAIN_CHECKS"):
        print(verdict.text())
        return
    from IPython.display import display

    display({"text/html": verdict.html(), "text/plain": verdict.text()}, raw=True)


def explain_stubs() -> None:
    """In a notebook, a stub that is called before it is written says so in words."""
    shell = _shell()
    if shell is not None:
        shell.set_custom_exc((NotImplementedError,), _explain)


def _explain(shell, kind, error, trace, tb_offset=None):
    while trace.tb_next:
        trace = trace.tb_next
    name = trace.tb_frame.f_code.co_name
    words = _("{name} is not written yet. Solve its exercise above, then run this cell again.")
    words = words.format(name=name)
    print(words)
    # IPython keeps what it would have shown, and to make that takes longer than most cells.
    error._render_traceback_ = lambda: [words]
