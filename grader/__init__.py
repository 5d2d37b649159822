"""Checks for the exercises, and the grader that marks submissions.

A student needs two names: ``from grader import check, progress``.
"""

import sys
from importlib import util
from pathlib import Path


def _not_here(name):
    """What to do where a package is missing, in the system's language. The helper package may not
    load either, so its messages are read from their file."""
    path = Path(__file__).resolve().parents[1] / "policy_gradients" / "i18n.py"
    found = util.spec_from_file_location("course_i18n", path)
    i18n = util.module_from_spec(found)
    found.loader.exec_module(i18n)
    _ = i18n._
    with i18n.speaking(i18n.language(default=i18n.system_language())):
        words = _(
            "{python} has no package {name}. Remedy: make setup, and in each new terminal "
            ". .venv/bin/activate (a notebook: choose the kernel where the course is)."
        )
    return words.format(python=sys.executable, name=name)


def __getattr__(name):
    """``check`` is loaded when it is asked for: the grader's commands don't need it."""
    if name != "check":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from grader.student.check import check, explain_stubs
    except ModuleNotFoundError as error:
        if (error.name or "grader").split(".")[0] in ("grader", "policy_gradients"):
            raise
        raise ModuleNotFoundError(_not_here(error.name), name=error.name) from None
    explain_stubs()
    globals()["check"] = check
    return check


def progress(notebooks=None) -> None:
    """Shows how far your saved notebooks are: exercises solved, points, what to do next.

    notebooks: the folder that holds LESSON/LESSON.ipynb; None finds it near the working directory.
    """
    from grader.student.progress import show

    show(notebooks)


__all__ = ["check", "progress"]
