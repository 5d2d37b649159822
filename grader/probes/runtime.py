"""Runs a probe in the namespace where the student's code lives."""

import contextlib
import ctypes
import functools
import importlib
import inspect
import io
import pkgutil
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np

from .observe import observe_error

PROBES = {}
# By the clock a check may take so many times its seconds, on a machine that has other work.
PATIENCE = 4.0
# What takes so many of its seconds is long enough for a ratio of times.
MEASURABLE = 0.05
STAND_INS = {}


class TooSlow(BaseException):
    """The student's function ran past the check's time limit (no ``except Exception`` eats it)."""


def probe(name: str):
    """Registers ``function(target, cases) -> list of plain trees`` as the probe ``name``."""

    def register(function):
        PROBES[name] = function
        return function

    return register


def stand_in(name: str):
    """Registers a class that takes the place of ``Oracle`` for the exercise ``name``."""

    def register(cls):
        STAND_INS[name] = cls
        return cls

    return register


def run(namespace: dict, exercise: str, request: dict, ask=None):
    """Runs ``request["probe"]`` on ``namespace[exercise]`` and returns a list of observations.

    request: probe (name), cases (list of plain trees), seconds (limit), replace (names of
    functions of the student's that give way to ones that ask the grader, see ``Oracle``), shorter
    (where growth is judged and not seconds: the longest case at a quarter of its length, at a
    quarter of that, and so on).
    Never raises for what the student's code does; writes nothing to stdout or stderr.
    """
    _import_probes()
    if exercise not in namespace:
        return [{"error": {"kind": "undefined"}}]
    if request["probe"].startswith(("train", "update")):
        # What the first optimiser loads takes seconds; cut off midway, torch stays broken.
        importlib.import_module("torch._dynamo")
    names = request.get("replace", [])
    with replaced(namespace, names, ask):
        function, seconds = namespace[exercise], request.get("seconds", 0)
        seen = _probed(function, request["probe"], request["cases"], seconds)
        if request.get("shorter") and is_slow(seen):
            return _judged_by_growth(function, request, seen)
    return seen


def _probed(function, name, cases, seconds):
    """What the probe sees within ``seconds`` of this thread's computing."""
    with quiet(), seeded(), time_limit(seconds, patience=PATIENCE) as disarm:
        before = _modes()
        try:
            return _with_changes(PROBES[name](function, cases), before)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            disarm()  # to drop a deep recursion's frames may take longer than to the next alarm
            return [{"error": _error(error)}]


def is_slow(seen) -> bool:
    """Whether what was seen is that the time was over."""
    return seen[0].get("error", {}).get("kind") == "slow"


def _judged_by_growth(function, request, slow):
    """A slow machine is no mistake of the function's. What is linear takes four times as long for
    four times the steps, what compares all pairs up to sixteen times. Whoever stays below five and
    a half is judged by the values. Compared are the shortest cases that take long enough."""
    name, seconds, shorter = request["probe"], request["seconds"], request["shorter"]
    for at in range(len(shorter) - 1, 0, -1):
        brief = _seconds_of(function, name, shorter[at], 2 * seconds)
        if brief is None:
            return slow
        if brief > MEASURABLE * seconds:
            break
    again = [_seconds_of(function, name, shorter[at], 2 * seconds) or brief for _time in range(2)]
    longer = _seconds_of(function, name, shorter[at - 1], 5.5 * min(brief, *again))
    if longer is None:
        return slow
    return _probed(function, name, request["cases"], 5.5 * longer * 4 ** (at - 1))


def _seconds_of(function, name, case, limit):
    """Processor time that one case takes; None where it ends in an error or takes too long."""
    started = time.thread_time()
    seen = _probed(function, name, [case], limit)
    return None if "error" in seen[0] else time.thread_time() - started


# What torch starts with: a process that never needed it is not made to load it.
AT_FIRST = {"torch.is_grad_enabled()": True, "torch.get_default_dtype()": "torch.float32"}


def _modes():
    """torch's global switches, which a function has no business to leave changed."""
    torch = sys.modules.get("torch")
    if torch is None:
        return AT_FIRST
    return {
        "torch.is_grad_enabled()": torch.is_grad_enabled(),
        "torch.get_default_dtype()": str(torch.get_default_dtype()),
    }


def _with_changes(seen, before):
    """The observations, with the switches that the student's function left changed, set back."""
    after = _modes()
    changed = [f"{name} = {after[name]}" for name in before if after[name] != before[name]]
    if changed:
        torch = sys.modules["torch"]
        torch.set_grad_enabled(before["torch.is_grad_enabled()"])
        torch.set_default_dtype(getattr(torch, before["torch.get_default_dtype()"].split(".")[-1]))
    if changed and seen and isinstance(seen[0], dict):
        seen[0]["switches"] = changed
    return seen


def attempt(function, *args, **kwargs):
    """(value, None), or (None, observed error) where the student's function raised."""
    try:
        return function(*args, **kwargs), None
    except (KeyboardInterrupt, TooSlow):  # the time is up for all cases together
        raise
    except BaseException as error:  # SystemExit included: a student's exit() ends no check
        return None, _error(error)


def _error(error):
    return {"kind": "slow"} if isinstance(error, TooSlow) else observe_error(error)


@functools.cache
def _import_probes():
    """Imports every module of this package once, so that all probes are registered; cells has none,
    and needs IPython."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "cells":
            importlib.import_module(f"{__package__}.{module.name}")


@contextlib.contextmanager
def quiet():
    """What the student's function prints or warns during a check is not shown."""
    with _into(Nowhere()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _into(sink):
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        yield


class Nowhere(io.TextIOBase):
    """Forgets what is written, so that endless printing costs no memory."""

    def write(self, text):
        return len(text)

    def writable(self):
        return True


@contextlib.contextmanager
def seeded(seed: int = 0):
    """Global generators start the same at each check, and go on afterwards as if none had run."""
    with generators_kept():
        random.seed(seed)
        np.random.seed(seed)
        torch = sys.modules.get("torch")  # where nobody has imported it, it starts the same anyway
        if torch:  # torch.manual_seed keeps a stack trace at each call, for a CUDA that may come
            torch.default_generator.manual_seed(seed)
            if torch.cuda.is_initialized():
                torch.cuda.manual_seed_all(seed)
        yield


_keeping = False


@contextlib.contextmanager
def generators_kept():
    """Global generators go on after the block as if nothing in it had used them. A block within
    another leaves that to it: to keep NumPy's state takes longer than a short probe."""
    global _keeping
    if _keeping:
        yield
        return
    torch = sys.modules.get("torch")
    kept = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    _keeping = True
    try:
        yield
    finally:
        _keeping = False
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        if torch:
            torch.set_rng_state(kept[2])


@contextlib.contextmanager
def time_limit(seconds: float, processor: bool = False, patience: float = 1.0):
    """Raises TooSlow in the main thread after ``seconds`` (0: never), and once more each second
    where a bare ``except`` swallowed it. Yields a function that ends it before its time.
    processor: this process's own time, by a timer that runs beside the other one (Unix).
    patience: so many times longer it may take by the clock, as long as this thread hasn't computed
    for ``seconds``: on a busy machine a right answer waits for its turn (Unix)."""
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    holder = _holder()
    if not hasattr(signal, "setitimer"):
        alarm = _thread_alarm(holder, seconds)
    elif processor:
        alarm = _alarm(holder, seconds, signal.SIGPROF, signal.ITIMER_PROF)
    else:
        alarm = _alarm(holder, seconds, signal.SIGALRM, signal.ITIMER_REAL, patience)
    with alarm as disarm:
        yield disarm


def _holder():
    """The frame that holds the block, through context managers that others are made of."""
    frame = sys._getframe(1)
    while frame.f_back and (
        frame.f_code.co_flags & inspect.CO_GENERATOR
        or frame.f_code.co_filename == contextlib.__file__
    ):
        frame = frame.f_back
    return frame


def _is_within(holder, frame):
    """Whether the block may still run. Where TooSlow comes before the first line of its end, no
    line of that end is run, and nobody would stop the next alarm."""
    while frame and frame is not holder:
        frame = frame.f_back
    return frame is holder


@contextlib.contextmanager
def _alarm(holder, seconds, number, timer, patience=1.0):
    armed, computed, started = True, time.thread_time(), time.monotonic()

    def left():
        """Seconds that this thread may still compute; 0 once the clock's limit is over, too."""
        if patience == 1 or time.monotonic() - started >= patience * seconds:
            return 0.0
        return max(0.0, seconds - (time.thread_time() - computed))

    def stop(signum, frame):
        # In this module's own lines the answer is over already, and ``disarm`` comes next.
        if not armed or frame.f_globals is globals():
            return
        if not _is_within(holder, frame):
            disarm()
            signal.signal(number, before)
            return
        if (more := left()) > 0:
            signal.setitimer(timer, max(more, 0.01), 1.0)
            return
        raise TooSlow

    def disarm():
        nonlocal armed
        armed = False
        signal.setitimer(timer, 0)

    before = signal.signal(number, stop)
    signal.setitimer(timer, seconds, 1.0)
    try:
        yield disarm
    finally:
        disarm()
        signal.signal(number, before)


@contextlib.contextmanager
def _thread_alarm(holder, seconds):
    """The same where the system has no such timer (Windows): another thread asks Python to raise
    TooSlow before this one's next instruction. A call into C that never returns is not stopped."""
    over, target = threading.Event(), ctypes.c_ulong(threading.get_ident())

    def send(error):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(target, error)

    def watch():
        wait = seconds
        while not over.wait(wait) and _is_within(holder, sys._current_frames().get(target.value)):
            send(ctypes.py_object(TooSlow))
            wait = 1.0

    def end():
        over.set()
        watcher.join()
        send(None)  # what was sent and has not been raised yet

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield over.set
    finally:
        try:
            end()
        except TooSlow:  # it came at the very end; the next one is a second away
            end()


@contextlib.contextmanager
def replaced(namespace, names, ask):
    """Earlier exercises that the student got wrong give way to the grader's answers, so that one
    mistake costs the points of one exercise. Only checks that came before are ever answered."""
    kept = {name: namespace[name] for name in names if name in namespace}
    # A name that a syntax error kept from being defined is given all the same.
    namespace.update({name: STAND_INS.get(name, Oracle)(name, ask) for name in names})
    try:
        yield
    finally:
        for name in names:
            namespace.pop(name, None)
        namespace.update(kept)


class Oracle:
    """Stands for a function whose check is already decided; asks the grader for its values."""

    def __init__(self, name, ask):
        self.name, self.ask = name, ask

    def __call__(self, *args, **kwargs):
        torch = sys.modules.get("torch")  # where nobody has imported it, there are no tensors
        tensors = [a for a in [*args, *kwargs.values()] if torch and isinstance(a, torch.Tensor)]
        plain_args = [_plain(a) for a in args]
        plain_kwargs = {key: _plain(a) for key, a in kwargs.items()}
        question = {"name": self.name, "args": plain_args, "kwargs": plain_kwargs}
        answer = self.ask(question)
        wanted = [t for t in tensors if t.requires_grad]
        if not wanted:
            return _like(answer["value"], tensors)
        return _with_gradient(answer, question, wanted, self.ask)


def _plain(value):
    """Arguments as plain data: tensors as records, the helper package's objects by fields."""
    from .inputs import Tensor, Trajectory

    if hasattr(value, "detach"):
        return Tensor(np.array(value.detach().cpu().numpy()), bool(value.requires_grad))
    if hasattr(value, "states") and hasattr(value, "rewards"):
        return Trajectory(*(np.asarray(x) for x in (value.states, value.actions, value.rewards)))
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _like(value, tensors):
    if not tensors:
        return value
    import torch

    return torch.as_tensor(value, dtype=tensors[0].dtype)


def _with_gradient(answer, question, wanted, ask):
    """A tensor with the grader's value whose backward pass gives the grader's gradients; where it
    isn't a scalar, they depend on the weights of its entries and are asked for only then."""
    import torch

    class Answered(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            return torch.as_tensor(answer["value"], dtype=tensors[0].dtype)

        @staticmethod
        def backward(ctx, upstream):
            weights = upstream.detach().numpy()
            if weights.ndim == 0:
                found = [g * weights for g in answer["gradients"]]
            else:
                found = ask({**question, "upstream": np.array(weights)})["gradients"]
            return tuple(torch.as_tensor(g, dtype=t.dtype) for g, t in zip(found, wanted))

    return Answered.apply(*wanted)
