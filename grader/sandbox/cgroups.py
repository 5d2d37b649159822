"""Control groups for memory and process count, where this machine lets us make them."""

import os
import secrets
import time
from functools import cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PARENT = "policy-gradients-grader"


@cache
def available() -> str:
    """ "v1", "v2" or "" (none that we may write)."""
    try:
        if (ROOT / "memory" / "cgroup.procs").exists():
            (ROOT / "memory" / PARENT).mkdir(exist_ok=True)
            (ROOT / "pids" / PARENT).mkdir(exist_ok=True)
            return "v1"
        if (ROOT / "cgroup.controllers").exists():
            return "v2" if _prepare_v2() else ""
    except OSError:
        pass
    return ""


def _prepare_v2():
    """Our parent group, with both controllers; only root, or a delegated folder, may have it."""
    (ROOT / "cgroup.subtree_control").write_text("+memory +pids")
    (ROOT / PARENT).mkdir(exist_ok=True)
    (ROOT / PARENT / "cgroup.subtree_control").write_text("+memory +pids")
    return True


class Group:
    """One submission's group (None from ``make`` where there are none)."""

    def __init__(self, folders: dict):
        self.folders = folders

    def add(self, pid: int | None):
        """Moves a process in, before any student code runs in it."""
        for folder in set(self.folders.values()):
            if pid is not None:
                (folder / "cgroup.procs").write_text(str(pid))

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


def make(memory_mb: int, processes: int) -> Group | None:
    """A new group with these limits; None where the machine gives none."""
    kind = available()
    if not kind:
        return None
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    bases = {"memory": ROOT / PARENT, "pids": ROOT / PARENT}
    if kind == "v1":
        bases = {what: ROOT / what / PARENT for what in ("memory", "pids")}
    group = Group({what: base / name for what, base in bases.items()})
    limit = "memory.limit_in_bytes" if kind == "v1" else "memory.max"
    try:
        for folder in set(group.folders.values()):
            folder.mkdir()
        (group.folders["memory"] / limit).write_text(str(memory_mb << 20))
        (group.folders["pids"] / "pids.max").write_text(str(processes + 1))
    except OSError:
        group.remove()
        return None
    return group
