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

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARIES = ("nbgrader.apps", "nbgrader.apps.api", "nbconvert.exporters", "sqlalchemy")
# What its configuration and our own commands load besides.
OURS = (
    "grader.nbgrader_plugin.converters",
    "grader.grading.autograde",
    "grader.reports.class_page",
    "publish.release",
)


ENCODING = "PYTHONIOENCODING"


class Server:
    """A process that has imported these libraries, of a Python with these options."""

    def __init__(self, libraries=LIBRARIES, options=(), python=sys.executable):
        paths = [ROOT, *(path for path in sys.path if path.endswith("site-packages"))]
        self.process = subprocess.Popen(
            [python, "-P", *options, __file__, *libraries],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments, cwd, env, user=()) -> subprocess.CompletedProcess:
        """What ``subprocess.run([python, *arguments], text=True, capture_output=True)`` returns;
        arguments: ``-m MODULE ...`` or ``-c CODE ...``; user: the ids of a group and a user of the
        system, whose rights the process has then."""
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, name) for name in ("out", "err")]
            request = [list(map(str, arguments)), str(cwd), dict(env), files, list(user)]
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


def run(arguments, cwd, env, python=sys.executable, user=()) -> subprocess.CompletedProcess:
    """Server.run of the one server that all tests of this process share."""
    return _server(python).run(arguments, cwd, env, user)


@cache
def _server(python):
    server = Server((*LIBRARIES, *OURS), python=python)
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
    if set(OURS) <= set(sys.argv):
        _know_the_version()
        _know_the_format()
        _keep_engines()
    gc.freeze()  # a fork looks for garbage among its own things alone
    gc.enable()
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


def _know_the_format():
    """nbformat compiles the schema of a notebook's version when it first sees one."""
    from nbformat import v4, validate

    for minor in (4, 5):
        validate({**v4.new_notebook(), "nbformat_minor": minor})


def _keep_engines():
    """nbgrader opens a gradebook several times for each submission, and SQLAlchemy writes its SQL
    anew for each engine."""
    from nbgrader import api

    api.create_engine = cache(api.create_engine)


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
