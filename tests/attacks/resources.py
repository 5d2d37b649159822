"""Submissions that take more than their share: time, memory, processes, disk, output."""

from tests import classroom
from tests.attacks import MARKER, attack
from tests.attacks.forging import early
from tests.classroom import code, insert_after

SLOW = ("graded", "graded with note", "stopped")
# Solved, but the cell before it may have ended the process.
MAYBE = (0, 2)


def late(course, text):
    """Both exercises solved; ``text`` runs between their checks."""
    return insert_after(classroom.solved(course), "softmax", code(text))


@attack(status="graded with note", told="when its time was over", softmax=3, discounted_return=2)
def endless_cell(course):
    return late(course, "while True:\n    pass")


@attack(status="graded with note", softmax=3, discounted_return=2)
def endless_sleep(course):
    return late(course, "import time\ntime.sleep(10_000)")


@attack(status="stopped", softmax=3)
def endless_cell_that_ignores_signals(course):
    return late(
        course,
        """
import signal
for number in range(1, 32):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def endless_in_c(course):
    return late(course, "10 ** 10 ** 10")


@attack(status=SLOW, discounted_return=2)
def endless_function(course):
    return early(
        course,
        "",
        softmax="def softmax(logits):\n    while True:\n        pass",
        discounted_return=classroom.SOLUTIONS["discounted_return"],
    )


@attack(status="stopped")
def endless_function_that_catches_everything(course):
    return early(
        course,
        "",
        softmax="""
import signal, time
def softmax(logits):
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        try:
            while True:
                time.sleep(0.01)  # all of the submission's time, but none of the processor's
        except BaseException:
            pass
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def stops_itself(course):
    return late(course, "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def endless_print(course):
    return late(course, "while True:\n    print('x' * 10_000)")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def endless_write_to_descriptor(course):
    return late(course, "import os\nwhile True:\n    os.write(1, b'y' * 65536)")


@attack(softmax=3, discounted_return=2)
def print_of_many_megabytes(course):
    return late(course, "print('z' * 20_000_000, end='')\nprint('\\x1b[2J\\r\\0' * 1000)")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def memory_by_lists(course):
    return late(course, "hoard = []\nwhile True:\n    hoard.append(bytearray(10_000_000))")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def memory_at_once(course):
    return late(course, "big = np.ones(10**11)")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def memory_by_recursion(course):
    return late(course, "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def processes_without_end(course):
    return late(
        course,
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def threads_without_end(course):
    return late(
        course,
        """
import threading, time
while True:
    try:
        threading.Thread(target=time.sleep, args=(1000,)).start()
    except RuntimeError:
        break
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def disk_filled(course):
    return late(
        course,
        """
import os, tempfile
for folder in (".", tempfile.gettempdir(), "/dev/shm", "/var/tmp", os.path.expanduser("~")):
    try:
        with open(os.path.join(folder, "big"), "wb") as file:
            for _ in range(2_000):
                file.write(b"x" * 1_000_000)
    except OSError:
        pass
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def files_without_end(course):
    return late(
        course,
        "try:\n    for n in range(200_000):\n        open(str(n), 'w')\nexcept OSError:\n    pass",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def limits_raised(course):
    return late(
        course,
        """
import resource
for name in dir(resource):
    if name.startswith("RLIMIT_"):
        for value in (resource.RLIM_INFINITY, 2**40):
            try:
                resource.setrlimit(getattr(resource, name), (value, value))
            except (OSError, ValueError):
                pass
""",
    )


@attack(status="stopped", told="", softmax=3)
def crash_of_the_interpreter(course):
    return late(course, "import ctypes\nctypes.string_at(0)")


@attack(status="stopped", softmax=3)
def abort(course):
    return late(course, "import os\nos.abort()")


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def kills_everything(course):
    return late(
        course,
        """
import os, signal
for target in (os.getppid(), -1, 0, os.getpid()):
    try:
        os.kill(target, signal.SIGKILL)
    except OSError:
        pass
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def leaves_a_daemon(course):
    return late(
        course,
        f"""
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        try:
            sleep = "import time; time.sleep(600)"
            os.execv(sys.executable, [sys.executable, "-c", sleep, "{MARKER}"])
        finally:
            os._exit(0)
    os._exit(0)
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=MAYBE)
def slow_to_say_goodbye(course):
    return late(
        course,
        """
import atexit, time
class Stays:
    def __del__(self):
        time.sleep(10_000)
keep = Stays()
atexit.register(time.sleep, 10_000)
""",
    )


@attack(status=SLOW)
def code_that_bursts_the_compiler(course):
    return early(course, "x = " + "(" * 5_000 + ")" * 5_000, softmax="y = " + "-" * 19_000 + "1")


@attack(status=SLOW)
def constants_that_burst_the_compiler(course):
    return early(course, "x = ((1 << 63) ** 9) ** 9, 'a' * 10**9, (0,) * 10**9")


@attack(status="refused", told="too much text")
def cell_of_megabytes(course):
    return early(course, "# " + "x" * 3_000_000)


@attack(status="stopped", told="the submission ran longer", softmax=3)
def many_slow_cells(course):
    """Each within its limit, and shorter than an interrupt may take; together past the
    submission's."""
    cells = [code(f"import time\ntime.sleep(0.4)  # {n}") for n in range(60)]
    return insert_after(classroom.solved(course), "softmax", *cells)
