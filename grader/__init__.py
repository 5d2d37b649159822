"""Checks for the exercises, and the grader that marks submissions.

A student needs one name: ``from grader import check``.
"""

from grader.kernel import check, explain_stubs

explain_stubs()

__all__ = ["check"]
