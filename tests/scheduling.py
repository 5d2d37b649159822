"""Hands the tests out to the processes that run them."""

from xdist.scheduler import LoadGroupScheduling


class Scheduling(LoadGroupScheduling):
    """xdist's, which keeps groups together. At each test's end it counts what a process has still
    to do, through all that it has ever done, which grows with the square of their number."""

    def _pending_of(self, workload) -> int:
        """A process takes its tests in the order in which it got them, so the last ones count."""
        pending = 0
        for done in map(dict.values, reversed(workload.values())):
            if all(done):
                break
            pending += list(done).count(False)
        return pending
