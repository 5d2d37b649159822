"""A bound on what reading one reply may cost the grader's own process: time and memory."""

import contextlib

from grader.probes.runtime import time_limit


@contextlib.contextmanager
def resource_guard(seconds: float, megabytes: int):
    """Within it, MemoryError where this process would grow by more than ``megabytes``, and TooSlow
    after ``seconds`` of its processor time (again each second where something swallowed it).

    A small reply can ask for much: an array without a number may have a million million rows.
    """
    # Processor time, so that a busy machine harms nobody; 0 would mean no limit.
    with _grown_by_at_most(megabytes), time_limit(max(seconds, 0.01), processor=True):
        yield


@contextlib.contextmanager
def _grown_by_at_most(megabytes):
    """The soft limit alone: it can be put back, and what is started meanwhile is no worse off."""
    import resource  # not on Windows, where nothing is graded but this module is imported

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _data_bytes() + (megabytes << 20)
    limits = [limit for limit in (soft, hard, most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData"))
