"""The walls: namespaces of the zygote, and those of each child before student code runs in it.

bubblewrap has built the file system view and cut off the network. The zygote then enters a user
namespace of its own, in which it may make further namespaces (it runs only trusted code); a child
leaves that one for a last one in which it gives everything up.
"""

import contextlib
import os
import resource
import signal

from . import linux

STUDENT = 1000
OWN = linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET | linux.CLONE_NEWUTS
TMPFS = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC


def enter(config):
    """Moves to the zygote's namespaces; returns in a new process, which is PID 1 there."""
    if config.get("uid"):
        os.setgroups([])
        os.setresgid(config["uid"], config["uid"], config["uid"])
        os.setresuid(config["uid"], config["uid"], config["uid"])
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
    _raise_oom_score()
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID | OWN)
    _map_ids(uid, gid)
    pid = os.fork()
    if pid:
        _wait_for(pid)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    try:
        linux.mount("proc", "/proc", "proc", TMPFS)
    except OSError:  # a container that hides parts of /proc; hide_proc comes after the imports
        config["proc"] = "none"


def follow_parent():
    """Without walls: at least to end when the grader is killed (Linux only)."""
    with contextlib.suppress(OSError, AttributeError):
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)


def hide_proc(config):
    """Where a private /proc was refused, an empty one; never the one of other processes."""
    if config["isolate"] and config.get("proc") == "none":
        linux.mount("none", "/proc", "tmpfs", TMPFS | linux.MS_RDONLY, "size=4k")


def _raise_oom_score():
    """When the machine runs out of memory, submissions go first."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("700")
    except OSError:
        pass


def _wait_for(pid):
    os.closerange(0, 64)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _map_ids(uid, gid):
    for name, text in [
        ("setgroups", "deny"),
        ("uid_map", f"{STUDENT} {uid} 1"),
        ("gid_map", f"{STUDENT} {gid} 1"),
    ]:
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def confine(config) -> dict:
    """Shuts a fresh child in, for good. Returns what is in force; OSError where a wall is missing.

    The child is PID 1 of a new pid namespace already.
    """
    limits = config["limits"]
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    linux.unshare(OWN)
    cgroup = _try(linux.unshare, linux.CLONE_NEWCGROUP)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    _private_folders(limits)
    proc = config.get("proc") or _private_proc()
    own_user = proc != "none" and _try(_own_user_namespace)
    set_limits(config, threads=own_user and config["counts_threads"])
    linux.drop_capabilities()
    linux.install_filter(bytes.fromhex(config["filter"]))
    _prove(proc)
    return {"proc": proc, "own_user_namespace": own_user, "cgroup_namespace": cgroup}


def _try(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        return False
    return True


def _private_folders(limits):
    owner = f"uid={STUDENT},gid={STUDENT}"
    size = f"size={limits['files_mb']}m,nr_inodes=8192,mode=0700,{owner}"
    linux.mount("tmpfs", "/tmp", "tmpfs", TMPFS, size)
    linux.mount("tmpfs", "/dev/shm", "tmpfs", TMPFS, f"size=16m,nr_inodes=256,mode=0700,{owner}")


def _private_proc():
    """Only this process, or else nothing at all."""
    for options in ("subset=pid", ""):
        if _try(linux.mount, "proc", "/proc", "proc", TMPFS, options):
            return "pid" if options else "full"
    linux.mount("none", "/proc", "tmpfs", TMPFS | linux.MS_RDONLY, "size=4k")
    return "none"


def _own_user_namespace():
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER)
    _map_ids(uid, gid)


def set_limits(config, threads):
    """rlimits: memory beyond what the zygote had, file size, descriptors, threads, no core."""
    limits = config["limits"]
    # Below the control group's limit, so that most programs meet a MemoryError and not the end.
    growth = (limits["memory_mb"] - max(limits["memory_mb"] // 8, 64)) << 20
    caps = {
        "FSIZE": limits["files_mb"] << 20,
        "NOFILE": limits["open_files"],
        "CORE": 0,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
    }
    caps["CPU"] = int(2 * limits["submission_seconds"]) + 10
    if config.get("data_bytes"):
        caps["DATA"] = config["data_bytes"] + growth
        caps["AS"] = config["address_bytes"] + growth + (512 << 20)
    if threads:
        caps["NPROC"] = limits["processes"]
    for name, value in caps.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            resource.setrlimit(kind, (value, value))


def _prove(proc):
    """What must hold, looked at once more from inside."""
    if os.getpid() != 1 or linux.capabilities() != 0 or os.getuid() == 0:
        raise OSError("the child is not shut in")
    numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    if numbers != ([] if proc == "none" else ["1"]):
        raise OSError("other processes can be seen")
    if _try(linux.unshare, linux.CLONE_NEWUSER):
        raise OSError("the system call filter is not in force")
