"""The zygote: imports the libraries once, then forks a child per submission.

It runs no student code and has one thread, so that forking is safe.
"""

import gc
import importlib
import os
import signal
import sys

from . import control, isolate, linux


def serve(line, config):
    """Answers the grader until it is gone."""
    _load(config)
    signal.signal(signal.SIGTERM, lambda *_: _end(config))
    config.update(_sizes())
    isolate.hide_proc(config)
    control.send(line, {"ready": True, "pid": os.getpid(), "threads": _threads()})
    while True:
        message, descriptors = control.receive(line)
        if message is None:
            _end(config)
        if "fork" in message:
            _fork(line, config, message["fork"], descriptors)
        elif "reap" in message:
            control.send(line, _reap(message["reap"]))


def _load(config):
    """Imports the libraries. What they leave stays, and isn't looked through for garbage: not a
    dozen times meanwhile, nor by each child afterwards."""
    gc.disable()
    for name in [*config["imports"], "pg_inside.child"]:
        importlib.import_module(name)
    gc.freeze()
    if config["shell"]:
        from . import warm

        warm.up(["policy_gradients", "pg_probes"])
    gc.collect()
    gc.freeze()
    gc.enable()


_children = set()


def _end(config):
    """The grader is gone: nothing outlives it (isolated children die with their PID 1)."""
    for pid in _children:
        try:
            os.kill(pid, signal.SIGKILL)
            if not config["isolate"]:
                os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass
    os._exit(0)


def _threads():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def _sizes():
    """Bytes of private data and of address space in use, which each child starts with."""
    try:
        with open("/proc/self/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        kilobytes = {key: int(fields[key].split()[0]) for key in ("VmData", "VmSize", "VmRSS")}
    except (OSError, KeyError, ValueError):
        return {"data_bytes": 0, "address_bytes": 0, "resident_kb": 0}
    return {
        "data_bytes": kilobytes["VmData"] << 10,
        "address_bytes": kilobytes["VmSize"] << 10,
        "resident_kb": kilobytes["VmRSS"],
    }


def _fork(line, config, order, descriptors):
    """A child for one submission; descriptors: its socket, stdout, stderr, groups."""
    isolated = config["isolate"]
    if isolated:
        linux.unshare(linux.CLONE_NEWPID)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become_child(line, config, order, descriptors)
    if isolated:
        back = os.pidfd_open(os.getpid())
        linux.setns(back, linux.CLONE_NEWPID)
        os.close(back)
    _children.add(pid)
    handles = [os.pidfd_open(pid)] if hasattr(os, "pidfd_open") else []
    control.send(line, {"pid": pid}, handles)
    for descriptor in [*descriptors, *handles]:
        os.close(descriptor)


def _become_child(line, config, order, descriptors):
    status = 97
    try:
        from . import child

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        line.detach()
        child.main(config, order, descriptors)
        status = 0
    except BaseException:
        pass
    finally:
        os._exit(status)


def _reap(pid):
    """Waits for a child that was killed or has ended; its status and what it used."""
    try:
        _, status, usage = os.wait4(pid, 0)
    except ChildProcessError:
        return {"status": 0, "peak_mb": 0.0, "seconds": 0.0}
    _children.discard(pid)
    grown = max(0, usage.ru_maxrss - _sizes()["resident_kb"])
    return {"status": status, "peak_mb": grown / 1024, "seconds": usage.ru_utime + usage.ru_stime}
