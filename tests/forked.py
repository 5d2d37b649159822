"""nbgrader's commands, and ours that need it, in forks of a process that has imported it: each a
process of its own, with its own folder and environment, but without a second of imports."""

import atexit
import gc
import json
import os
import runpy
import site
import sqlite3
import subprocess
import sys
import tempfile
import threading
from functools import cache

LIBRARIES = ("nbgrader.apps", "nbgrader.apps.api", "nbconvert.exporters", "sqlalchemy")
ENCODING = "PYTHONIOENCODING"


class Server:
    """A process that has imported these libraries, of a Python with these options."""

    def __init__(self, libraries=LIBRARIES, options=()):
        self.process = subprocess.Popen(
            [sys.executable, "-P", *options, __file__, *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments, cwd, env) -> subprocess.CompletedProcess:
        """What ``subprocess.run([python, *arguments], text=True, capture_output=True)`` returns;
        arguments: ``-m MODULE ...`` or ``-c CODE ...``."""
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, name) for name in ("out", "err")]
            request = [list(map(str, arguments)), str(cwd), dict(env), files]
            self.process.stdin.write(f"{json.dumps(request)}\n")
            self.process.stdin.flush()
            status = int(self.process.stdout.readline())
            said = []
            for name in files:
                with open(name, encoding=env.get(ENCODING, "utf-8")) as file:
                    said.append(file.read())
        return subprocess.CompletedProcess(arguments, status, *said)

    def close(self):
        self.process.communicate()


def run(arguments, cwd, env) -> subprocess.CompletedProcess:
    """Server.run of the one server that all tests of this process share."""
    return _server().run(arguments, cwd, env)


@cache
def _server():
    server = Server()
    atexit.register(server.close)
    return server


def hasty_databases():
    """SQLAlchemy's files of SQLite in this process don't wait for the disk."""
    from sqlalchemy import Engine, event

    @event.listens_for(Engine, "connect")
    def hurry(connection, _record):
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")


def serve():
    """Answers each line with an exit status; returns the request in a forked process."""
    gc.disable()
    for name in sys.argv[1:]:
        __import__(name)
    hasty_databases()
    gc.freeze()  # else each child looks through all of it, at the latest when it ends
    gc.enable()
    while line := sys.stdin.readline():
        if not (pid := os.fork()):
            return json.loads(line)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return None


def become(arguments, cwd, env, files):
    """Does what ``python ARGUMENTS`` does."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for number, name in enumerate(files, 1):
        with open(name, "w") as file:
            os.dup2(file.fileno(), number)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=env.get(ENCODING))
    paths = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:0] = [cwd, *paths]
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    # A new Python looks for it on PYTHONPATH.
    sys.modules.pop("sitecustomize", None)
    site.execsitecustomize()
    (kind, what), sys.argv = arguments[:2], arguments[1:]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


def end(status):
    """Ends the process as Python does, but doesn't take every module apart, which takes a third of
    a second."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    if request := serve():
        try:
            become(*request)
        except SystemExit as error:
            if not isinstance(error.code, int | None):
                raise
            end(error.code or 0)
        end(0)
