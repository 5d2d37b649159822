"""Control groups for memory and process count, where this machine lets us make them."""

import contextlib
import os
import secrets
import time
from functools import cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
NAME = "policy-gradients-grader"


@cache
def parents() -> dict:
    """Controller to the folder in which we may make groups; {} where there is none.

    It lies below this process's own group, so that the limits set on us hold for submissions too.
    """
    own = _own_groups()
    for found in (_v1(own), _v2(own)):
        if found:
            _sweep(found)
            return found
    return {}


def kind() -> str:
    """ "v1", "v2" or ""."""
    if not parents():
        return ""
    return "v2" if (parents()["memory"] / "cgroup.controllers").exists() else "v1"


def _own_groups():
    """Controllers ("" for v2) to the path of this process's group."""
    try:
        lines = [line.split(":", 2) for line in OWN.read_text().splitlines()]
    except OSError:
        return {}
    return {name: path for _, names, path in lines for name in names.split(",")}


def _v1(own):
    folders = {}
    for name in ("memory", "pids"):
        base = ROOT / name / own.get(name, "/").lstrip("/")
        base = base if base.is_dir() else ROOT / name
        if not (base / "cgroup.procs").exists() or not _made(base / NAME):
            return {}
        folders[name] = base / NAME
    return folders


def _v2(own):
    base = ROOT / own.get("", "/").lstrip("/")
    base = base if base.is_dir() else ROOT
    folder = base / NAME
    try:
        if not (base / "cgroup.controllers").exists():
            return {}
        (base / "cgroup.subtree_control").write_text("+memory +pids")
        folder.mkdir(exist_ok=True)
    except OSError:  # not ours, or other processes are in it: then without
        return {}
    return {"memory": folder, "pids": folder}


def _made(folder):
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _sweep(folders):
    """Removes what graders that were killed have left (a group's name starts with their number)."""
    for folder in set(folders.values()):
        for left in folder.glob("*-*"):
            if not Path("/proc", left.name.split("-")[0]).exists():
                with contextlib.suppress(OSError):
                    left.rmdir()


class Group:
    """One submission's group (None from ``make`` where there are none)."""

    def __init__(self, folders: dict):
        self.folders = folders

    def doors(self) -> list:
        """Open descriptors: a process of one thread that writes "0" to each is in. Moving another
        process costs the kernel a grace period of ten milliseconds and more; this doesn't."""
        name = "tasks" if kind() == "v1" else "cgroup.procs"
        paths = [folder / name for folder in set(self.folders.values())]
        return [os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in paths]

    def peak_mb(self) -> float:
        """Largest use so far, megabytes; pages shared with the zygote are not in it."""
        for name in ("memory.max_usage_in_bytes", "memory.peak", "memory.current"):
            try:
                return int((self.folders["memory"] / name).read_text()) / 2**20
            except (OSError, ValueError):
                continue
        return 0.0

    def out_of_memory(self) -> bool:
        """Whether the kernel killed something in it for memory."""
        for name in ("memory.oom_control", "memory.events"):
            try:
                lines = (self.folders["memory"] / name).read_text().splitlines()
            except OSError:
                continue
            return any(line.split()[0] == "oom_kill" and line.split()[1] != "0" for line in lines)
        return False

    def remove(self):
        """Deletes the group; its last process may take a moment to go."""
        for folder in set(self.folders.values()):
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
            with contextlib.suppress(OSError):  # the last one clears up; others are still in there
                folder.parent.rmdir()


def _make(folder):
    """Another grader may remove the empty parent between our two steps."""
    for _ in range(10):
        with contextlib.suppress(FileNotFoundError):
            folder.parent.mkdir(exist_ok=True)
            if kind() == "v2":
                (folder.parent / "cgroup.subtree_control").write_text("+memory +pids")
            folder.mkdir()
            return
    raise FileNotFoundError(folder)


def make(memory_mb: int, processes: int) -> Group | None:
    """A new group with these limits; None where the machine gives none."""
    folders = parents()
    if not folders:
        return None
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    group = Group({what: base / name for what, base in folders.items()})
    limit = "memory.limit_in_bytes" if kind() == "v1" else "memory.max"
    try:
        for folder in set(group.folders.values()):
            _make(folder)
        (group.folders["memory"] / limit).write_text(str(memory_mb << 20))
        (group.folders["pids"] / "pids.max").write_text(str(processes + 1))
    except OSError:
        group.remove()
        return None
    return group
