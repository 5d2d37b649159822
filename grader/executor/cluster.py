"""Marks on a Dask cluster, through the same interface as the local executor.

Each Dask thread drives a worker process of its own, so that a submission meets the same walls and
limits as on one machine. Dask itself moves the tasks of a lost machine to another.
"""

import threading
from collections.abc import Iterable, Iterator

from grader.course import marks_version
from grader.executor.local import LocalExecutor
from grader.executor.settings import TRIES, CannotGrade, Settings, failed
from grader.i18n import N_, _

AHEAD = 2
_mine = threading.local()


class ClusterExecutor:
    """``address`` of a scheduler, as in tcp://host:8786. Needs the extra ``cluster``."""

    def __init__(self, address: str, settings: Settings | None = None):
        try:
            from distributed import Client
        except ImportError:
            words = _(
                "--scheduler needs Dask. Remedy: pip install "
                "'policy-gradients-course[cluster]' here and on the workers."
            )
            raise CannotGrade(words) from None
        self.settings = settings or Settings()
        try:
            self.client = Client(address, timeout=30)
        except (OSError, ValueError) as error:
            words = _(
                "no scheduler answers at {address} ({why}). Remedy: start one (dask scheduler) "
                "and workers (dask worker tcp://HOST:8786), or correct the address."
            )
            raise CannotGrade(words.format(address=address, why=error)) from None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.client.close()

    def run(self, tasks: Iterable) -> Iterator:
        """As LocalExecutor.run; at most AHEAD tasks per thread of the cluster are on their way."""
        from distributed import as_completed

        waiting = iter(tasks)
        running, done = {}, as_completed(with_results=False)
        while True:
            while len(running) < self._room():
                pair = next(waiting, None)
                if pair is None:
                    break
                self._submit(*pair, 1, running, done)
            if not running:
                return
            future = next(done)
            yield from self._collect(future, running, done)

    def _room(self):
        """How many tasks may be on their way; some, too, while the cluster has no worker."""
        return AHEAD * max(1, sum(self.client.nthreads().values()))

    def _submit(self, key, task, tries, running, done):
        future = self.client.submit(mark_there, task, self.settings, pure=False)
        running[future.key] = key, task, tries
        done.add(future)

    def _collect(self, future, running, done):
        key, task, tries = running.pop(future.key)
        try:
            word, answer = future.result()
        except Exception as error:  # Dask gave the task up: it took several workers along
            word, answer = "fault", f"{type(error).__name__}: {error}"
        if word == "done":
            yield key, answer
        elif word == "cannot":
            raise CannotGrade(_(answer))
        elif tries < TRIES:
            self._submit(key, task, tries + 1, running, done)
        else:
            yield key, failed(answer)


def mark_there(task, settings):
    """Runs on a Dask worker: ("done", outcome), or ("cannot", why) for all tasks alike."""
    if settings.version != marks_version():
        return "cannot", N_(
            "a worker of the cluster has another version of grader and "
            "policy_gradients. Remedy: install the same one there."
        )
    if getattr(_mine, "settings", None) != settings:
        _mine.executor, _mine.settings = LocalExecutor(1, settings), settings
    try:
        return "done", next(iter(_mine.executor.run([(0, task)])))[1]
    except CannotGrade as error:
        return "cannot", str(error)
