"""The warm process: libraries imported once, a child forked for each submission."""

import atexit
import contextlib
import functools
import json
import os
import queue
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

from policy_gradients.i18n import N_, _

from . import cgroups, filter, view
from .errors import NotIsolated
from .inside import control
from .limits import Limits
from .link import Handle, Link
from .session import Session

LIGHT = (
    "numpy",
    "gymnasium",
    "gymnasium.vector",
    "gymnasium.envs.classic_control",
    "IPython",
)
DRAWING = (*LIGHT, "matplotlib.pyplot", "matplotlib.animation")
LIBRARIES = (*DRAWING, "torch", "torch._dynamo")
# Who draws writes one of these: the library's name, or the helper package's plots and sliders.
OF_FIGURES = ("matplotlib", "plt", "pylab", "plot", "widget", "InlineBackend")
# Who uses torch writes one of these: the library's name, or what the helper package makes with it.
OF_TORCH = ("torch", "Tabular", "MLP", "Transformer", "padded_logp", "pg.language", "pg.evaluation")
STANDARD = Limits()
START_SECONDS = 180
# An unused number, so that root's submissions are nobody's: the limits on processes ignore root.
UNPRIVILEGED = 60_777
REMEDY = N_(
    "Install bubblewrap (Debian and Ubuntu: apt install bubblewrap; conda: bubblewrap from "
    "conda-forge) and libseccomp, and allow user namespaces (sysctl user.max_user_namespaces "
    "above 0; in a container: start it with --security-opt seccomp=unconfined, or with "
    "--privileged). `python -m grader doctor` shows what is missing. To grade without isolation "
    "all the same, only submissions that you trust: --unsafe-no-sandbox."
)


class Zygote:
    """Isolated. Starts lazily, and again when it has died; one per worker is enough."""

    isolated = True

    def __init__(self, limits: Limits = STANDARD, *, imports=LIBRARIES, shell=True, bwrap=None):
        self.limits, self.imports, self.shell, self.bwrap = limits, imports, shell, bwrap
        self._lock = threading.RLock()
        self._process = self._control = self._errors = None
        self._owner = os.getpid()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    def start(self):
        """Starts it unless it runs. NotIsolated where this machine can't shut it in."""
        with self._lock:
            if self.alive():
                return
            self._clear()
            self._owner = os.getpid()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115
            try:
                self._process = self._spawn(theirs.fileno())
            except OSError as error:
                ours.close()
                words = _("the sandbox can't be started ({why}).").format(why=error)
                raise NotIsolated(f"{words} {_(REMEDY)}") from error
            finally:
                theirs.close()
            self._control = ours
            self._configure()
            self._await_ready()

    def _configure(self):
        try:
            config = self._config()
        except NotIsolated:
            self._clear()
            raise
        with contextlib.suppress(OSError):  # it ended already; what it said is read next
            control.send(self._control, config)

    def _spawn(self, descriptor):
        program = self.bwrap or view.bubblewrap()
        if program is None:
            words = _("bubblewrap (bwrap) is not installed.")
            raise NotIsolated(f"{words} {_(REMEDY)}")
        command = view.command(program, _layout(), descriptor, view.is_root())
        return _launch(command, pass_fds=[descriptor], stderr=self._errors)

    def _config(self):
        try:
            program = filter.program()
        except (ImportError, OSError, RuntimeError) as error:
            words = _("system calls can't be filtered ({why}).").format(why=error)
            raise NotIsolated(f"{words} {_(REMEDY)}") from error
        return {
            **self._settings(),
            "isolate": True,
            "filter": program.hex(),
            "paths": _layout().paths(),
            "uid": UNPRIVILEGED if view.is_root() else 0,
            "counts_threads": _kernel() >= (5, 14),
        }

    def _settings(self):
        return {"imports": list(self.imports), "shell": self.shell, "limits": self.limits.plain()}

    def _await_ready(self):
        self._control.settimeout(START_SECONDS)
        try:
            message, _ = control.receive(self._control)
        except TimeoutError:
            message = {"failed": f"no answer within {START_SECONDS} s"}
        self._control.settimeout(None)
        if message and "ready" in message:
            return
        why = (message or {}).get("failed", "") or self._said()
        self._clear()
        raise self._start_error(why)

    def _start_error(self, why):
        if "ImportError" in why or "ModuleNotFoundError" in why or "SyntaxError" in why:
            return RuntimeError(f"the sandbox's libraries can't be imported: {why}")
        words = _("the sandbox can't be started ({why}).").format(why=why.strip())
        return NotIsolated(f"{words} {_(REMEDY)}")

    def _said(self):
        self._errors.seek(0)
        return self._errors.read(1 << 16).decode("utf-8", "replace")[-2_000:]

    def alive(self) -> bool:
        """Whether it runs."""
        ours = self._process is not None and self._owner == os.getpid()
        return ours and self._process.poll() is None

    def session(self, allowed_files=None, language="en", lesson="", seed=0) -> Session:
        """A fresh process for one submission, with these files (name to bytes) beside it."""
        with self._lock:
            self.start()
            try:
                session = self._fork(language, seed)
            except (OSError, ConnectionError):  # it died since the look; once more, from new
                self._clear()
                self.start()
                session = self._fork(language, seed)
        try:
            if allowed_files:
                session.give(allowed_files)
        except BaseException:
            session.close()
            raise
        return session

    def _fork(self, language, seed):
        tag = secrets.token_hex(8)
        order = {
            "id": tag,
            "folder": self._folder(),
            "language": language,
            "seed": seed,
            "reply": _reply_limits(self.limits),
            "asks": self.limits.asks,
        }
        group = None
        if self.isolated:
            limits = self.limits
            group = cgroups.make(limits.memory_mb, limits.processes, limits.cores)
        try:
            link = self._linked(order, group)
        except BaseException:
            if group is not None:
                group.remove()
            raise
        return self._greeted(link, tag, group)

    def _linked(self, order, group):
        """Has the child forked with one end of each channel, and keeps the other ends."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        sent = [theirs.detach(), out_end, err_end, *(group.procs_files() if group else [])]
        try:
            control.send(self._control, {"fork": order}, sent)
            message, handles = control.receive(self._control)
            if message is None or "pid" not in message:
                raise ConnectionError("the zygote is gone")
        except BaseException:
            ours.close()
            os.close(out)
            os.close(err)
            raise
        finally:
            for descriptor in sent:
                os.close(descriptor)
        handle = Handle(message["pid"], handles[0] if handles else None, not self.isolated)
        return Link(ours, {out: "stdout", err: "stderr"}, handle)

    def _greeted(self, link, tag, group):
        reap = functools.partial(self._reap, self._process, link.handle.pid)
        session = Session(link, self.limits, reap, group)
        try:
            session.greet(tag)
        except BaseException:
            session.close()
            raise
        return session

    def _folder(self):
        return view.FOLDER

    def _reap(self, process, pid):
        """How a child ended and what it used; ``lost`` where the zygote went before it."""
        with self._lock, contextlib.suppress(OSError):
            if self._process is process and self.alive():
                control.send(self._control, {"reap": pid})
                message, _ = control.receive(self._control)
                if message:
                    return {**message, "lost": False}
        return {"status": 0, "peak_mb": 0.0, "seconds": 0.0, "lost": True}

    def close(self):
        """Ends it and every session that it made."""
        with self._lock:
            self._clear()

    def _clear(self):
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():  # not a forked copy's to end
            self._process.kill()
            self._process.wait()
        if self._errors is not None:
            self._errors.close()
        self._process = self._control = self._errors = None


class UnsafeZygote(Zygote):
    """The same interface with no walls at all, for submissions that are trusted: plain forked
    processes of this user, with the limits that need no rights."""

    isolated = False

    def __init__(self, limits: Limits = STANDARD, **options):
        super().__init__(limits, **options)
        self._home = None

    def _spawn(self, descriptor):
        self._home = tempfile.TemporaryDirectory(prefix="pg-unsafe-")
        course = Path(self._home.name) / "course"
        course.mkdir()
        for source, name in view.course():
            (course / name).symlink_to(source)
        start = [sys.executable, "-S", "-s", "-P", str(course / "pg_inside" / "launch.py")]
        return _launch(
            [*start, str(descriptor)],
            pass_fds=[descriptor],
            stderr=self._errors,
            env=view.environment(self._home.name),
        )

    def _config(self):
        return {**self._settings(), "isolate": False, "paths": [str(s) for s in _layout().sites]}

    def _start_error(self, why):
        return RuntimeError(f"the worker process can't be started: {why.strip()}")

    def _folder(self):
        return tempfile.mkdtemp(dir=self._home.name)

    def _clear(self):
        super()._clear()
        if self._home is not None:
            self._home.cleanup()
            self._home = None


def _reply_limits(limits):
    return {"header_bytes": 8 << 20, "body_bytes": limits.reply_mb << 20}


@cache
def _layout():
    return view.Layout()


def _kernel():
    numbers = os.uname().release.split(".")
    return tuple(int("".join(c for c in n if c.isdigit()) or 0) for n in numbers[:2])


_orders = None
_orders_lock = threading.Lock()


def _launch(command, **options):
    """Popen from a thread that lives as long as this process: bubblewrap dies with the *thread*
    that started it, and a Dask worker's threads come and go."""
    global _orders
    with _orders_lock:
        if _orders is None or _orders[0] != os.getpid():
            _orders = (os.getpid(), queue.Queue())
            threading.Thread(target=_starter, args=(_orders[1],), daemon=True).start()
    answer = queue.Queue()
    _orders[1].put((command, options, answer))
    result = answer.get()
    if isinstance(result, BaseException):
        raise result
    return result


def _starter(orders):
    while True:
        command, options, answer = orders.get()
        try:
            # A session of its own: Ctrl-C is for the grader, which ends what it started in order.
            answer.put(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    stdout=subprocess.DEVNULL,
                    **options,
                )
            )
        except BaseException as error:
            answer.put(error)


_cache: dict = {}
_cache_lock = threading.Lock()


def zygote_for(limits: Limits = STANDARD, unsafe: bool = False, imports=LIBRARIES) -> Zygote:
    """This process's zygote for these limits: made on the first call, found again afterwards."""
    key = os.getpid(), unsafe, json.dumps(limits.plain(), sort_keys=True), imports
    with _cache_lock:
        if key not in _cache:
            zygote = (UnsafeZygote if unsafe else Zygote)(limits, imports=imports)
            atexit.register(zygote.close)
            _cache[key] = zygote
        return _cache[key]


def uses_torch(text) -> bool:
    """Whether a submission's text (str or bytes) names torch or what is made with it."""
    return _names(text, OF_TORCH)


def uses_figures(text) -> bool:
    """Whether a submission's text (str or bytes) names what draws."""
    return _names(text, OF_FIGURES)


def _names(text, words):
    return any((word if isinstance(text, str) else word.encode()) in text for word in words)


class Zygotes:
    """Up to three zygotes of the same limits, each started when it is first needed: libraries take
    most of a start, torch more than all others, and a submission that doesn't name one does
    without."""

    def __init__(self, limits: Limits = STANDARD, unsafe: bool = False):
        self.limits, self.unsafe = limits, unsafe

    def of(self, text) -> Zygote:
        """The zygote for a submission with this text: of those that have what it names, the least
        that runs; where none does, the least."""
        ladder = [LIBRARIES] if uses_torch(text) else [DRAWING, LIBRARIES]
        ladder = ladder if uses_torch(text) or uses_figures(text) else [LIGHT, *ladder]
        zygotes = [zygote_for(self.limits, self.unsafe, imports) for imports in ladder]
        return next((one for one in zygotes if one.alive()), zygotes[0])


__all__ = ["UnsafeZygote", "Zygote", "Zygotes", "zygote_for"]
