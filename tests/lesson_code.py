"""The code of a lesson as its solved notebook has it, for tests of what the lesson claims."""

import functools

from publish.course import Course
from publish.solved import ROOT, namespace

COURSE = Course(ROOT)


@functools.cache
def solved(name: str) -> dict:
    """The names that the lesson's setup, given and exercise cells define, solutions included.

    Demonstrations and checks are left out. The dict is shared: copy it before you change it.
    """
    return namespace(name)
