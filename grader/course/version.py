"""What earlier results depend on: digests of the code behind marks, and of that behind pages."""

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from grader.course.lessons import HERE

# A change in one of these makes every mark stale: the next run judges all submissions anew, and a
# cluster's worker that has another version refuses.
MARKS = (
    "grader/checking",
    "grader/checks",
    "grader/course",
    "grader/intake",
    "grader/marking",
    "grader/probes",
    "grader/records/outcome.py",
    "grader/sandbox",
    "policy_gradients",
)
# Submissions import them, but no mark hangs on a figure.
NOT_MARKS = ("policy_gradients/plots",)
# A change in one of these makes the students' pages stale: they are written anew from the marks.
PAGES = ("grader/reports", "policy_gradients/i18n.py", "policy_gradients/locale")
SUFFIXES = (".py", ".html", ".mo")


@functools.cache
def marks_version() -> str:
    """A digest of the code that marks depend on."""
    return version_of(MARKS, NOT_MARKS, suffixes=(".py",))


@functools.cache
def pages_version() -> str:
    """A digest of what students' pages are made with."""
    return version_of(PAGES)


def version_of(names, without=(), root=HERE, suffixes=SUFFIXES) -> str:
    """A digest of the files called ``names``, and of those below the folders called so."""
    digest = hashlib.sha256()
    for path in sorted(_files([root / name for name in names], suffixes)):
        if not any(path.is_relative_to(root / name) for name in without):
            digest.update(os.fsencode(path.relative_to(root)) + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(paths: list[Path], suffixes) -> Iterator[Path]:
    for path in paths:
        found = [path] if path.is_file() else path.rglob("*")
        yield from (file for file in found if file.suffix in suffixes)
