"""Control groups for memory, processes and cores, where this machine lets us make them."""

import contextlib
import os
import secrets
import time
from functools import cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
NAME = "policy-gradients-grader"


CONTROLLERS = ("memory", "pids", "cpu")
NEEDED = ("memory", "pids")
LIMITS = {
    "v1": {"memory": "memory.limit_in_bytes", "pids": "pids.max", "cpu": "cpu.cfs_quota_us"},
    "v2": {"memory": "memory.max", "pids": "pids.max", "cpu": "cpu.max"},
}
PERIOD = 100_000


@cache
def parents() -> dict:
    """Controller to the folder in which we may make groups; {} where there is none.

    It lies below this process's own group or one of its parents, so that the limits set on us hold
    for submissions too.
    """
    own = _own_groups()
    found = _v1(own) or _v2(own)
    _sweep(found)
    return found


def kind() -> str:
    """ "v1", "v2" or ""."""
    if not parents():
        return ""
    return "v1" if len(set(parents().values())) > 1 else "v2"


def _own_groups():
    """Controllers ("" for v2) to the path of this process's group."""
    try:
        lines = [line.split(":", 2) for line in OWN.read_text().splitlines()]
    except OSError:
        return {}
    return {name: path for _, names, path in lines for name in names.split(",")}


def _v1(own):
    folders = {}
    for name in CONTROLLERS:
        base = ROOT / name / own.get(name, "/").lstrip("/")
        base = base if base.is_dir() else ROOT / name
        if (base / "cgroup.procs").exists() and _made(base / NAME):
            folders[name] = base / NAME
    return folders if all(name in folders for name in NEEDED) else {}


def _v2(own):
    """The nearest group above us that may be divided: one with processes of its own may not."""
    base = ROOT / own.get("", "/").lstrip("/")
    base = base if base.is_dir() else ROOT
    for place in [base, *base.parents]:
        if not place.is_relative_to(ROOT) or not (place / "cgroup.controllers").exists():
            break
        if os.access(place / "cgroup.procs", os.W_OK) and _divided(place) and _made(place / NAME):
            return dict.fromkeys(CONTROLLERS, place / NAME)
    return {}


def _divided(folder):
    """Whether groups in ``folder`` have the controllers, now or already."""
    file = folder / "cgroup.subtree_control"
    with contextlib.suppress(OSError):
        if not set(NEEDED) <= set(file.read_text().split()):
            file.write_text(" ".join("+" + name for name in CONTROLLERS))
        return set(NEEDED) <= set(file.read_text().replace("+", "").split())
    return False


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

    def procs_files(self) -> list:
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


def make(memory_mb: int, processes: int, cores: float = 1.0) -> Group | None:
    """A new group with these limits; None where the machine gives none."""
    folders = parents()
    if not folders:
        return None
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    group = Group({what: base / name for what, base in folders.items()})
    quota = int(cores * PERIOD)
    values = {
        "memory": memory_mb << 20,
        "pids": processes + 1,
        "cpu": quota if kind() == "v1" else f"{quota} {PERIOD}",
    }
    try:
        for folder in set(group.folders.values()):
            _make(folder)
        for what, folder in group.folders.items():
            with contextlib.suppress(OSError) if what not in NEEDED else contextlib.nullcontext():
                (folder / LIMITS[kind()][what]).write_text(str(values[what]))
    except OSError:
        group.remove()
        return None
    return group


def _make(folder):
    """Another grader may remove the empty parent between our two steps."""
    for _ in range(10):
        with contextlib.suppress(FileNotFoundError):
            folder.parent.mkdir(exist_ok=True)
            if kind() == "v2":
                _divided(folder.parent)
            folder.mkdir()
            return
    raise FileNotFoundError(folder)
