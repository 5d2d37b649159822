"""What the sandbox can see: a file system built from nothing, and the command that enters it.

Inside: /python (interpreter and standard library), /site/N (installed packages), /course (the
public package, the probes under the name pg_probes, a stub named grader, our code for the inside),
the system's libraries, a private /tmp, and the harmless devices. All but /tmp is read-only.
"""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = "/tmp/work"
# Names of ours that a packaged install could carry into site-packages, and the library that keeps
# the marks.
HIDDEN = (
    *("grader", "publish", "bank", "lessons", "solutions", "notebooks", "locale", "tests"),
    "nbgrader",
)
DEVICES = ("null", "zero", "full", "random", "urandom")
SYSTEM = ("/lib", "/lib32", "/lib64", "/libx32")


def environment(home: str) -> dict:
    """The whole environment of the zygote and its children."""
    return {
        "HOME": home, "TMPDIR": home, "MPLCONFIGDIR": f"{home}/.matplotlib",
        "IPYTHONDIR": f"{home}/.ipython", "XDG_CACHE_HOME": f"{home}/.cache",
        "MPLBACKEND": "module://pg_inside.quiet_figures", "SDL_VIDEODRIVER": "dummy",
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
        "USER": "student", "LOGNAME": "student", "TERM": "dumb", "COLUMNS": "80",
        "PATH": "/nowhere", "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip


@dataclass
class Layout:
    """Where things are outside, and which import paths they become inside."""

    base: Path = field(default_factory=lambda: Path(os.path.realpath(sys.base_prefix)))
    program: Path = field(default_factory=lambda: _program())
    sites: list = field(default_factory=lambda: _sites())

    def python(self) -> str:
        """The interpreter's path inside."""
        return str(self.program) if self._is_system() else f"/python/bin/{self.program.name}"

    def paths(self) -> list:
        """Import paths of the installed packages inside."""
        return [self._site_inside(n, site) for n, site in enumerate(self.sites)]

    def _is_system(self):
        return self.base == Path("/usr")

    def _site_inside(self, number, site):
        if site.is_relative_to("/usr/lib"):
            return str(site)
        if not self._is_system() and site.is_relative_to(self.base / "lib"):
            return f"/python/{site.relative_to(self.base)}"
        return f"/site/{number}"

    def binds(self):
        """Arguments for bubblewrap that show all this, read-only."""
        yield from ("--ro-bind", "/usr/lib", "/usr/lib")
        for name in ("/usr/lib64", "/usr/lib32", "/usr/libx32", *SYSTEM):
            yield from _same(name)
        yield from ("--ro-bind-try", "/usr/share/zoneinfo", "/usr/share/zoneinfo")
        yield from ("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache")
        yield from self._interpreter()
        for site, inside in zip(self.sites, self.paths(), strict=True):
            if inside.startswith("/site/"):
                yield from ("--ro-bind", str(site), inside)
            for name in HIDDEN:
                if (site / name).is_dir():
                    yield from ("--tmpfs", f"{inside}/{name}", "--remount-ro", f"{inside}/{name}")
        for source, name in course():
            yield from ("--ro-bind", str(source), f"/course/{name}")

    def _interpreter(self):
        if self._is_system():
            yield from ("--ro-bind", str(self.program), str(self.program))
            return
        yield from ("--ro-bind", str(self.program), self.python())
        for name in ("lib", "lib64"):
            if (self.base / name).is_symlink():
                yield from ("--symlink", os.readlink(self.base / name), f"/python/{name}")
            elif (self.base / name).is_dir():
                yield from ("--ro-bind", str(self.base / name), f"/python/{name}")
        share = self.base / "share" / "zoneinfo"
        yield from ("--ro-bind-try", str(share), "/python/share/zoneinfo")


def course():
    """(folder outside, name inside) of what is ours and may be seen."""
    package = importlib.util.find_spec("policy_gradients").submodule_search_locations[0]
    stub = HERE / "inside" / "stub" / "grader"
    return [
        (Path(package), "policy_gradients"),
        (HERE.parent / "probes", "pg_probes"),
        (HERE / "inside", "pg_inside"),
        (stub, "grader"),
    ]


def _program():
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


def _sites():
    names = ("site-packages", "dist-packages")
    found = [Path(os.path.realpath(p)) for p in sys.path if os.path.basename(p) in names]
    return [p for p in dict.fromkeys(found) if p.is_dir()]


def _same(path):
    """The same symlink or folder inside; nothing where there is none."""
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind", path, path] if os.path.isdir(path) else []


def is_root() -> bool:
    """Whether this process is root and may make namespaces as such."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        admin = int(fields["CapEff"], 16) >> 21 & 1
    except (OSError, KeyError, ValueError):
        admin = 0
    return os.geteuid() == 0 and bool(admin)


def bubblewrap() -> str | None:
    """Path of bwrap, or None."""
    return shutil.which("bwrap")


def command(program: str, layout: Layout, descriptor: int, root: bool) -> list:
    """The command that builds the view, cuts off the network and starts ``launch.py`` in it.

    root: started with root's rights, which need no user namespace here; ``launch.py`` then becomes
    an unprivileged user. (A container's root without CAP_SYS_ADMIN counts as an ordinary user.)
    """
    walls = ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    walls += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if root:
        walls += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        walls += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    folders = ["--perms", "0755", "--dir", "/course", "--perms", "0755", "--dir", "/site"]
    folders += ["--perms", "0755", "--dir", "/python", "--perms", "0755", "--dir", "/python/bin"]
    folders += ["--perms", "0755", "--dir", "/usr", "--perms", "0755", "--dir", "/etc"]
    folders += ["--perms", "1777", "--tmpfs", "/tmp", "--bind", "/proc", "/proc"]
    devices = ["--perms", "0755", "--tmpfs", "/dev", "--dir", "/dev/shm"]
    for name in DEVICES:
        devices += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    devices += ["--remount-ro", "/dev"]
    # The interpreter's own libpython, not the system's: its search path names the place outside.
    variables = environment("/tmp") | {"LD_LIBRARY_PATH": "/python/lib"}
    settings = [x for pair in variables.items() for x in ("--setenv", *pair)]
    start = ["--chdir", "/tmp", "--remount-ro", "/", layout.python(), "-S", "-s", "-P"]
    return [
        program,
        *walls,
        *folders,
        *devices,
        *layout.binds(),
        "--clearenv",
        *settings,
        *start,
        "/course/pg_inside/launch.py",
        str(descriptor),
    ]
