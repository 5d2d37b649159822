"""One worker: marks the tasks that come over its socket, one after the other.

``python -m grader.executor.worker DESCRIPTOR``. It runs no student code itself: that is what its
zygote's children do.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection

from grader.checks.registry import get
from grader.course import pages_version
from grader.marking.marker import MachineFault, mark
from grader.marking.notebook import text_of
from grader.reports.student_page import page_of
from grader.sandbox import NotIsolated, SandboxError, Zygotes

DIE_WITH_PARENT = 1


def serve(connection):
    """First message: the Settings. Then task after task until the other end hangs up. Answers
    are pairs ("done", outcome), ("fault", why) or ("cannot", why)."""
    settings = connection.recv()
    zygotes = Zygotes(settings.limits, settings.unsafe)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        _warm(task, zygotes)
        connection.send(attempt(task, zygotes))


def attempt(task, zygotes):
    """("done", outcome), or why there is none: a "fault" may not come again, "cannot" will."""
    try:
        outcome = mark(task, zygotes)
        shown = task.by_hand, task.unsafe, task.late, task.group
        outcome.page = page_of(task.student, outcome, task.lesson.name, *shown)
        outcome.pages_version = pages_version()
        outcome.notebook = text_of(outcome.notebook)
        return "done", outcome
    except NotIsolated as error:
        return "cannot", str(error)
    except (MachineFault, SandboxError, OSError, MemoryError) as error:
        return "fault", f"{type(error).__name__}: {error}"
    except Exception as error:  # a defect of the grader must not stop the rest of the class
        return "fault", f"{type(error).__name__}: {error} ({_where(error)})"


def _where(error):
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _warm(task, zygotes):
    """Starts the submission's warm process while this one imports what its judging needs."""
    if task.refused is not None:
        return
    zygote = zygotes.of(task.data)
    if zygote.alive():
        return
    warming = threading.Thread(target=_start, args=(zygote,))
    warming.start()
    for name in task.lesson.checks:
        with contextlib.suppress(KeyError):
            get(name)
    warming.join()


def _start(zygote):
    with contextlib.suppress(Exception):  # the first session says it again, to whom it concerns
        zygote.start()


def _follow(parent):
    """Ends this process when the one that started it ends, however that happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main(descriptor, parent):
    """Serves the socket with that descriptor. Where the other end hangs up, before the Settings or
    with an answer unread, there is nothing left to say, and nobody to say it to."""
    _follow(int(parent))
    gone = contextlib.suppress(EOFError, ConnectionError)
    with Connection(int(descriptor)) as connection, gone:
        serve(connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
