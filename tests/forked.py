"""nbgrader's commands, and ours that need it, in forks of a process that has imported it: each a
process of its own, with its own folder and environment, but without a second of imports."""

import atexit
import json
import os
import runpy
import sqlite3
import subprocess
import sys
import tempfile
from functools import cache

LIBRARIES = ("nbgrader.apps", "nbgrader.apps.api", "nbconvert.exporters", "sqlalchemy")


def run(arguments, cwd, env) -> subprocess.CompletedProcess:
    """What ``subprocess.run([python, *arguments], text=True, capture_output=True)`` returns;
    arguments: ``-m MODULE ...`` or ``-c CODE ...``."""
    server = _server()
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("out", "err")]
        request = [list(map(str, arguments)), str(cwd), dict(env), files]
        server.stdin.write(f"{json.dumps(request)}\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        said = []
        for name in files:
            with open(name, encoding="utf-8") as file:
                said.append(file.read())
    return subprocess.CompletedProcess(arguments, status, *said)


@cache
def _server():
    server = subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate)
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
    for name in LIBRARIES:
        __import__(name)
    hasty_databases()
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
    paths = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:0] = [cwd, *paths]
    (kind, what), sys.argv = arguments[:2], arguments[1:]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    if request := serve():
        become(*request)
