"""Kernels that start warm: forked from a process which has imported what lessons import.

To import Jupyter, Matplotlib and torch takes a kernel seconds, and to load what torch's first
optimiser needs takes as long again. A build of all lessons pays for it once. On Linux alone: the
libraries of other systems don't bear being forked. There, and where anything goes wrong, a kernel
starts as Jupyter starts it.
"""

import asyncio
import atexit
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from jupyter_client.provisioning import LocalProvisioner

HEAVY = ("torch", "torch._dynamo")
PROGRAM = Path(__file__).with_name("zygote.py")
# The child reads these itself.
READ_LATER = ("PYTHONPATH", "JPY_PARENT_PID")
# What a kernel takes to end, and how often to look; seconds.
SOON, LOOK_EVERY = 0.5, 0.005


class Zygote:
    """The process, started when the first kernel is asked for, and again when it is gone or was
    started with other `settings`, which libraries read when they are imported."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process = self._socket = self._lines = self._settings = None

    def launch(self, command, imports, cwd, env, settings):
        """A kernel with the arguments of the command ``python -m ipykernel_launcher ...``.

        settings: dict of those variables of `env` that only a process of their own serves
        """
        request = {
            "imports": imports,
            "arguments": command[2:],
            "cwd": str(cwd),
            "environment": env,
        }
        with self._lock:
            ended = self._process is None or self._process.poll() is not None
            if ended or self._settings != settings:
                self._start(env)
                self._settings = settings
            return Forked(self, self._ask({"launch": request}))

    def poll(self, pid):
        """The exit status of a kernel, None while it runs; 1 where its zygote is gone, which it
        doesn't outlive."""
        with self._lock:
            try:
                return self._ask({"poll": pid})
            except OSError:
                return 1

    def _start(self, env):
        self._close()
        self._socket, theirs = socket.socketpair()
        settings = {name: value for name, value in env.items() if name not in READ_LATER}
        with theirs:
            # A session of its own: Ctrl+C is for whoever builds.
            self._process = subprocess.Popen(
                [sys.executable, "-P", PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=settings,
                start_new_session=True,
            )
        self._lines = self._socket.makefile("r")

    def _ask(self, question):
        self._socket.sendall(f"{json.dumps(question)}\n".encode())
        answer = self._lines.readline()
        if not answer:
            raise ConnectionError("the zygote is gone")
        return json.loads(answer)

    def _close(self):
        if self._process is not None:
            self._lines.close()
            self._socket.close()
            self._process.wait()
            self._process = None

    def close(self):
        with self._lock:
            self._close()


class Forked:
    """A forked kernel, with what jupyter_client asks of a ``subprocess.Popen``."""

    stdin = stdout = stderr = returncode = None

    def __init__(self, zygote, pid):
        self._zygote, self.pid = zygote, pid

    def poll(self):
        if self.returncode is None:
            self.returncode = self._zygote.poll(self.pid)
        return self.returncode

    def wait(self):
        while self.poll() is None:
            time.sleep(LOOK_EVERY)
        return self.returncode

    def send_signal(self, signum):
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)


ZYGOTE = Zygote()
atexit.register(ZYGOTE.close)


class WarmProvisioner(LocalProvisioner):
    """jupyter_client's, with a forked kernel in place of a new process."""

    imports, settings = (), None

    async def launch_kernel(self, cmd, **options):
        with contextlib.suppress(OSError):
            cwd, env = options["cwd"], options["env"]
            self.process = ZYGOTE.launch(cmd, self.imports, cwd, env, self.settings)
            self.pid = self.pgid = self.process.pid
            self.cwd = cwd
            return self.connection_info
        return await super().launch_kernel(cmd, **options)

    async def shutdown_requested(self, restart=False):
        """Waits for the end that was asked for; jupyter_client would look ten times a second."""
        end = time.monotonic() + SOON
        while await self.poll() is None and time.monotonic() < end:
            await asyncio.sleep(LOOK_EVERY)


def warm(manager, notebook, settings=None):
    """Let the manager's kernel start warm where it can; settings: environment of this run alone."""
    if sys.platform == "linux":
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        spec = manager.kernel_spec
        manager.provisioner = WarmProvisioner(kernel_id="", kernel_spec=spec, parent=manager)
        manager.provisioner.settings = settings or {}
        manager.provisioner.imports = HEAVY if re.search(r"^import torch", code, re.M) else ()
