"""What the tests of the sandbox share: small limits, and one warm process a test process."""

import pytest

from grader.sandbox import Limits, Zygotes, doctor, zygote

LIMITS = Limits(
    cell_seconds=20,
    submission_seconds=60,
    grace_seconds=0.5,
    memory_mb=400,
    files_mb=16,
    output_kb=16,
    all_output_kb=200,
    printed_kb=64,
    processes=32,
    reply_mb=8,
    asks=50,
)

needs_walls = pytest.mark.skipif(
    not doctor.can_isolate(), reason="this machine can't isolate: python -m grader doctor"
)

# One process of tests starts the shared zygotes, and not each its own: with torch they take seconds
# and 300 MB.
WARM_TOGETHER = pytest.mark.xdist_group("sandbox")
# A zygote that a test needs for itself does without the large libraries, and where it runs no cell,
# without a shell.
LIGHT = {"imports": zygote.LIGHT}
BARE = {"imports": ("numpy",), "shell": False}


def open_session(unsafe=False, code="import torch", **options):
    """A session of the shared zygote that grading would take for this code; close it (or use it as
    a context manager)."""
    return Zygotes(LIMITS, unsafe).of(code).session(**options)


def printed(result) -> str:
    """What a cell wrote to stdout."""
    streams = (out for out in result.outputs if out["output_type"] == "stream")
    return "".join(out["text"] for out in streams if out["name"] == "stdout")


def doubles(session) -> float:
    """What the session's function ``double`` makes of 3, by a probe."""
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 5}
    return session.probe("double", request, 10)[0]["value"]["value"]


HONEST = "def double(x):\n    return 2 * x"


def honest_neighbour(code="import torch") -> bool:
    """Whether a fresh submission gets what it has earned, in a process like that for this code."""
    with open_session(code=code) as session:
        return session.run_cell(HONEST).status == "ok" and doubles(session) == 6
