"""Marks on this machine: one worker process per job, each with a zygote of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait

from grader.course import HERE
from grader.executor.settings import TRIES, CannotGrade, Settings, failed


class Worker:
    """A worker process and what it is busy with."""

    def __init__(self, settings: Settings):
        ours, theirs = socket.socketpair()
        command = [
            sys.executable,
            "-m",
            "grader.executor.worker",
            str(theirs.fileno()),
            str(os.getpid()),
        ]
        paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
        # A session of its own keeps Ctrl-C in a terminal from reaching it before we decide.
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.connection = Connection(ours.detach())
        self.job, self.deadline, self.settings = None, None, settings
        self.connection.send(settings)

    def give(self, job):
        """Hands it a job (key, task, tries); OSError where it is gone."""
        self.job, self.deadline = job, time.monotonic() + self.settings.patience
        self.connection.send(job[1])

    def take(self):
        """Its answer. EOFError or OSError where it died instead."""
        answer, self.job = self.connection.recv(), None
        return answer

    def late(self) -> bool:
        """Whether it has been silent for too long."""
        return self.job is not None and time.monotonic() > self.deadline

    def end(self) -> str:
        """Ends it; says how it had ended."""
        self.connection.close()
        try:
            status = self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


class LocalExecutor:
    """``jobs`` workers. Also a context manager, which ends them."""

    def __init__(self, jobs: int = 1, settings: Settings | None = None):
        self.jobs, self.settings, self.workers = jobs, settings or Settings(), []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for worker in self.workers:
            worker.connection.close()
        for worker in self.workers:
            worker.end()
        self.workers = []

    def run(self, tasks: Iterable) -> Iterator:
        """tasks: (key, Task) pairs, pulled one at a time; yields (key, Outcome) in any order.

        A worker's death costs one more try. Raises CannotGrade where no session can be made.
        """
        waiting, again = iter(tasks), []
        while True:
            self._feed(waiting, again)
            busy = [worker for worker in self.workers if worker.job]
            if not busy:
                return
            soonest = min(worker.deadline for worker in busy) - time.monotonic()
            ready = wait([one.connection for one in busy], timeout=min(max(soonest, 0.0), 1.0))
            for worker in busy:
                if worker.connection in ready or worker.late():
                    yield from self._collect(worker, again)

    def _feed(self, waiting, again):
        """Gives each idle worker a task; starts workers as long as there are tasks for them."""
        while True:
            idle = next((worker for worker in self.workers if not worker.job), None)
            if idle is None and len(self.workers) >= self.jobs:
                return
            job = again.pop() if again else next(((k, t, 1) for k, t in waiting), None)
            if job is None:
                return
            if idle is None:
                idle = Worker(self.settings)
                self.workers.append(idle)
            try:
                idle.give(job)
            except OSError:
                self._bury(idle)
                again.append(job)

    def _collect(self, worker, again):
        key, task, tries = worker.job
        try:
            if worker.late():
                worker.process.kill()
                raise EOFError
            word, answer = worker.take()
        except (EOFError, OSError):
            word, answer = "fault", f"its worker ended with {self._bury(worker)}"
        if word == "done":
            yield key, answer
        elif word == "cannot":
            raise CannotGrade(answer)
        elif tries < TRIES:
            again.append((key, task, tries + 1))
        else:
            yield key, failed(answer)

    def _bury(self, worker):
        self.workers.remove(worker)
        return worker.end()
