"""A bound on what reading one reply may cost the grader's own process: time and memory."""

import contextlib
import signal
import threading

from grader.probes.runtime import TooSlow


@contextlib.contextmanager
def fuse(seconds: float, megabytes: int):
    """Within it, MemoryError where this process would grow by more than ``megabytes``, and TooSlow
    after ``seconds`` of its processor time (again each second where something swallowed it).

    A small reply can ask for much: an array without a number may have a million million rows.
    """
    with _grown_by_at_most(megabytes), _for_at_most(seconds):
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


@contextlib.contextmanager
def _for_at_most(seconds):
    """Processor time, so that a busy machine harms nobody; its timer is not the checks' own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def stop(signum, frame):
        if armed:
            raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 0.01), 1.0)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
