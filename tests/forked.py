"""nbgrader's commands, and ours that need it, in forks of a process that has imported it: each a
process of its own, with its own folder and environment, but without a second of imports."""

import atexit
import gc
import json
import os
import runpy
import sqlite3
import subprocess
import sys
import tempfile
from functools import cache

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARIES = ("nbgrader.apps", "nbgrader.apps.api", "nbconvert.exporters", "sqlalchemy")
# What nbgrader_config.py loads besides.
OURS = ("grader.nbgrader_plugin.converters", "publish.release")


def run(arguments, cwd, env, python=sys.executable, user=()) -> subprocess.CompletedProcess:
    """What ``subprocess.run([python, *arguments], text=True, capture_output=True)`` returns;
    arguments: ``-m MODULE ...`` or ``-c CODE ...``; user: the ids of a group and a user of the
    system, whose rights the process has then."""
    server = _server(python)
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("out", "err")]
        request = [list(map(str, arguments)), str(cwd), dict(env), files, list(user)]
        server.stdin.write(f"{json.dumps(request)}\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        said = []
        for name in files:
            with open(name, encoding="utf-8") as file:
                said.append(file.read())
    return subprocess.CompletedProcess(arguments, status, *said)


@cache
def _server(python):
    paths = [ROOT, *(path for path in sys.path if path.endswith("site-packages"))]
    server = subprocess.Popen(
        [python, "-P", __file__],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
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
    for name in (*LIBRARIES, *OURS):
        __import__(name)
    hasty_databases()
    _know_the_version()
    gc.freeze()  # a fork looks for garbage among its own things alone
    while line := sys.stdin.readline():
        if not (pid := os.fork()):
            return json.loads(line)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return None


def _know_the_version():
    """nbgrader starts alembic for each new gradebook, to ask a number that never changes."""
    from nbgrader import api

    from grader.records import nbgrader_tables

    (head,) = nbgrader_tables.schema_heads()
    api.get_alembic_version = lambda: head


def become(arguments, cwd, env, files, user):
    """Does what ``python ARGUMENTS`` does."""
    os.environ.clear()
    os.environ.update(env)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for number, name in enumerate(files, 1):
        with open(name, "w") as file:
            os.dup2(file.fileno(), number)
    if user:
        group, person = user
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(person, person, person)
    os.chdir(cwd)
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
