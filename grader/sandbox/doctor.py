"""What this machine can isolate, found by doing it once, and the remedy for what is missing."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

from policy_gradients.i18n import N_, _

from . import cgroups, filter, view
from .errors import NotIsolated
from .limits import Limits
from .zygote import Zygote

WALLS = N_("own user namespace"), N_("cgroup namespace")
TRIAL = Limits(cell_seconds=10, submission_seconds=20, memory_mb=256)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. needed: grading refuses without it; otherwise it is one wall fewer."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


@cache
def can_isolate() -> bool:
    """Whether a submission can be shut in here (tried once per process)."""
    return all(finding.ok for finding in findings() if finding.needed)


def require():
    """NotIsolated with all remedies, unless this machine can isolate."""
    missing = [finding for finding in findings() if finding.needed and not finding.ok]
    if missing:
        raise NotIsolated(" ".join(f"{f.name}: {f.detail}. {f.remedy}" for f in missing))


def findings() -> list:
    """Everything that was looked at, the needed things first."""
    return [_linux(), _bubblewrap(), _filter(), _readable(), _walls(), *_extras()]


def _linux():
    ok = sys.platform == "linux"
    remedy = _("Grade on Linux, or in a Linux container or virtual machine.")
    return Finding(_("operating system"), ok, f"{sys.platform} {os.uname().release}", remedy)


def _bubblewrap():
    program = view.bubblewrap()
    remedy = _("Install it: apt install bubblewrap, or conda install -c conda-forge bubblewrap.")
    return Finding("bubblewrap", program is not None, program or _("not found"), remedy)


def _filter():
    try:
        detail, ok = _("{n} instructions").format(n=len(filter.program()) // 8), True
    except (ImportError, OSError, RuntimeError) as error:
        detail, ok = str(error), False
    remedy = _("Install libseccomp (apt install libseccomp2) and pip install pyseccomp.")
    return Finding(_("system call filter"), ok, detail, remedy)


def _readable():
    """Files that the unprivileged user inside has to read."""
    closed = [str(folder) for folder, _name in view.course() if not _open_to_all(folder)]
    ok = not view.is_root() or not closed
    remedy = _("chmod -R a+rX on them: submissions of root run as an unprivileged user.")
    return Finding(_("readable files"), ok, ", ".join(closed) or _("all"), remedy)


def _open_to_all(folder):
    files = [folder, *folder.glob("*.py")]
    return all(path.stat().st_mode & 0o004 for path in files)


def _walls():
    name = _("namespaces")
    try:
        with Zygote(TRIAL, imports=(), shell=False) as zygote, zygote.session() as session:
            return Finding(name, True, ", ".join(_built(session.report)))
    except (NotIsolated, RuntimeError, OSError) as error:
        remedy = _(
            "Allow user namespaces: sysctl user.max_user_namespaces above 0, on Ubuntu "
            "kernel.apparmor_restrict_unprivileged_userns=0, in a container "
            "--security-opt seccomp=unconfined."
        )
        return Finding(name, False, str(error).split(". Install")[0][:600], remedy)


def _built(report):
    """What the session reports, as words: "proc: pid, own user namespace"."""
    for key, value in report.items():
        words = key.replace("_", " ")
        if value:
            yield _(words) if value is True else f"{words}: {value}"


def _extras():
    kind = cgroups.kind()
    remedy = _("Limits hold by rlimit alone; run as root, or delegate a cgroup, for exact ones.")
    yield Finding(
        "cgroups",
        bool(kind),
        kind or _("none that may be written"),
        "" if kind else remedy,
        needed=False,
    )
    yield Finding(
        "Landlock", False, _("not used: the mount namespace shows nothing to protect"), needed=False
    )
    dask = importlib.util.find_spec("distributed") is not None
    yield Finding(
        "Dask",
        dask,
        version("distributed") if dask else _("not installed"),
        "" if dask else _("Only for --scheduler: pip install distributed."),
        needed=False,
    )


def _mark(finding):
    if finding.ok:
        return _("yes")
    if finding.needed:
        return _("NO")
    return _("no") if finding.remedy else "-"  # "-": nothing is lost by it


def main() -> int:
    """Prints the findings; 0 where a submission can be shut in, else 1."""
    looked = findings()
    for finding in looked:
        print(f"{_mark(finding):4} {finding.name}: {finding.detail}")
        if not finding.ok and finding.remedy:
            print(f"     {finding.remedy}")
    able = all(finding.ok for finding in looked if finding.needed)
    print(
        _("Submissions can be isolated here.")
        if able
        else _("Submissions can't be isolated here: grading refuses.")
    )
    return 0 if able else 1
