"""The process that kernels are forked from: ``python -P zygote.py DESCRIPTOR``.

It imports what lessons import and then waits at the socket of that descriptor. Each line there is a
question in JSON, and each has its answer: ``{"launch": {...}}`` forks a kernel and tells its pid,
``{"poll": pid}`` tells how it ended. It uses nothing of the course, whose code may change between
two kernels.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import socket
import sys

# What every kernel imports before the first cell. ``ipykernel.kernelapp`` reads the environment.
ALWAYS = (
    *("IPython", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger"),
    *("numpy.random", "matplotlib.pyplot"),
)
# Long enough for whoever builds one lesson after another; then the memory is given back.
IDLE_SECONDS = 60
# Far longer than it takes; where the thread doesn't end, the kernel does.
LAST_WORDS_SECONDS = 2


def serve(control):
    """Answers until nobody is there to ask, or asks; returns the request in a forked kernel."""
    questions, answers = control.makefile("r"), control.makefile("w")
    running = set()
    while running or select.select([control], [], [], IDLE_SECONDS)[0]:
        line = questions.readline()
        if not line:
            return None
        question = json.loads(line)
        if "launch" in question:
            pid = fork(question["launch"]["imports"])
            if not pid:
                control.close()
                return question["launch"]
            running.add(pid)
            answer = pid
        else:
            answer = poll(question["poll"], running)
        answers.write(f"{json.dumps(answer)}\n")
        answers.flush()
    return None


def fork(imports) -> int:
    """A child that leads a session of its own; its pid, and 0 in the child."""
    for name in (*ALWAYS, *imports):
        # What is missing here is told where a cell imports it.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        os.setsid()
        os.close(ready)
        os.close(told)
        return 0
    os.close(told)
    os.read(ready, 1)  # ends when the child's session is there: signals go to its group
    os.close(ready)
    return pid


def poll(pid, running):
    """The exit status as subprocess has it, None while the process runs."""
    done, status = os.waitpid(pid, os.WNOHANG)
    if not done:
        return None
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


def become(request):
    """Turns this process into the kernel of the request: arguments, environment, folder."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"], JPY_PARENT_PID=str(os.getppid()))
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    if "numpy.random" in sys.modules:
        # Without a seed no two kernels draw the same.
        sys.modules["numpy.random"].seed()
    sys.argv = request["arguments"]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()
    _let_control_finish(kernelapp.IPKernelApp.instance())
    # What ends with the process need not be taken down first. To clear torch's modules takes longer
    # than to start the kernel, and copies each page that is shared with the process it comes from.
    atexit._run_exitfuncs()
    os._exit(0)


def _let_control_finish(kernel):
    """Waits for the thread that was asked to shut down and still says so. ipykernel stops the one
    that sends what is said, and whoever speaks just then waits ten seconds for it."""
    if thread := getattr(kernel, "control_thread", None):
        thread.join(LAST_WORDS_SECONDS)


def main():
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request:
        become(request)


if __name__ == "__main__":
    main()
