"""Runs cells in a plain IPython shell: no kernel, no history, nothing displayed."""

import contextlib
import inspect
import os
import signal
import sys

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type

NO_SHELL = "Shell commands do not run while a notebook is graded."
NO_MODULE = ""  # no module's name
MAX_LINES, MAX_LINE, MAX_MESSAGE = 60, 1_000, 2_000

_state = {"shell": None, "running": False}


class SilentHook(DisplayHook):
    """A cell's last value is computed and kept as ``_``, not shown."""

    def __call__(self, result=None):
        if result is not None:
            self.shell.user_ns["_"] = result


class SilentPublisher(DisplayPublisher):
    """display() goes nowhere."""

    def publish(self, data, *args, **kwargs):
        return None

    def clear_output(self, wait=False):
        return None


class Compiler(CachingCompiler):
    """Tells ``inspect`` that a cell belongs to no module. It would look for one among all modules,
    several times for each error."""

    def cache(self, *args, **kwargs):
        name = super().cache(*args, **kwargs)
        for file in (name, os.path.abspath(name)):
            inspect.modulesbyfile[file] = NO_MODULE
        return name


class Shell(InteractiveShell):
    """The shell that get_ipython() finds."""

    compiler_class = Type(Compiler)
    displayhook_class = Type(SilentHook)
    display_pub_class = Type(SilentPublisher)
    last_error = None

    def _showtraceback(self, etype, evalue, stb):
        name = getattr(etype, "__name__", "Error")
        self.last_error = {"ename": name, "evalue": _text(evalue), "traceback": list(stb)}

    def system(self, cmd):
        print(NO_SHELL, file=sys.stderr)

    system_piped = system_raw = system

    def getoutput(self, cmd, split=True, depth=0):
        print(NO_SHELL, file=sys.stderr)
        return [] if split else ""

    def enable_gui(self, gui=None):
        return None

    def enable_matplotlib(self, gui=None):
        return "agg", "agg"

    def ask_exit(self):
        raise SystemExit


def create(figures: bool = True):
    """Makes the one shell of this process (in the zygote, so that each child has it at once).

    figures: whether ``%config InlineBackend`` is there, which loads matplotlib
    """
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.banner1 = ""
    config.InteractiveShell.colors = "nocolor"  # nobody sees them, and they take most of an error
    shell = Shell.instance(config=config)
    if figures:
        from matplotlib_inline.config import InlineBackend

        shell.configurables.append(InlineBackend.instance(parent=shell))
    for name in ("bash", "sh", "script", "pip", "conda", "mamba", "uv", "system", "sx", "!"):
        shell.register_magic_function(_no_shell, "line_cell", name)
    _state["shell"] = shell
    return shell


def _no_shell(line, cell=None):
    print(NO_SHELL, file=sys.stderr)


def namespace() -> dict:
    """Where the notebook's names live."""
    return (_state["shell"] or create()).user_ns


def run(source: str):
    """Runs one cell; {} or {"error": {ename, evalue, traceback}}."""
    shell = _state["shell"] or create()
    shell.last_error = None
    signal.signal(signal.SIGINT, _interrupt)
    streams = sys.stdout, sys.stderr
    result = None
    try:
        _state["running"] = True
        result = shell.run_cell(source, store_history=False)
    except BaseException as error:
        shell._showtraceback(type(error), error, [])
    finally:
        _state["running"] = False
        _tidy(streams)
    error = None if result is None else result.error_before_exec or result.error_in_exec
    if shell.last_error is None and error is not None:
        shell._showtraceback(type(error), error, [])
    return {"error": _capped(shell.last_error)} if shell.last_error else {}


def _interrupt(signum, frame):
    if _state["running"]:
        raise KeyboardInterrupt


def _tidy(streams):
    for stream in (*streams, sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed or replaced by the cell
            stream.flush()
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        with contextlib.suppress(Exception):
            pyplot.close("all")


def _text(value):
    try:
        return str(value)
    except Exception:
        return ""


def _capped(error):
    lines = "\n".join(str(line) for line in error["traceback"]).split("\n")
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES // 2], "...", *lines[-MAX_LINES // 2 :]]
    return {
        "ename": str(error["ename"])[:200],
        "evalue": error["evalue"][:MAX_MESSAGE],
        "traceback": [line[:MAX_LINE] for line in lines],
    }
