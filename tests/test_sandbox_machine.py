"""The sandbox on other machines: ordinary users, no control groups, no walls at all; and when
something of ours dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from grader.sandbox import (
    Limits,
    Lost,
    NotIsolated,
    UnsafeZygote,
    Zygote,
    cgroups,
    doctor,
    view,
    zygote_for,
)
from grader.sandbox import zygote as zygote_module
from tests.sandboxes import (
    BARE,
    HONEST,
    LIGHT,
    LIMITS,
    WARM_TOGETHER,
    doubles,
    needs_walls,
    open_session,
    printed,
)
from tests.test_sandbox_escapes import WRECKS, alive

REPO = Path(__file__).resolve().parents[1]
pytestmark = WARM_TOGETHER


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "says",
    ["bwrap: No permissions to create new namespace", "bwrap: setting up uid map: not permitted"],
)
def test_a_machine_without_namespaces_refuses_with_a_remedy(tmp_path, says):
    failing = program(tmp_path, "bwrap", f"echo '{says}' >&2; exit 1")
    with pytest.raises(NotIsolated) as caught:
        Zygote(LIMITS, bwrap=failing, **BARE).start()
    assert says in str(caught.value) and "--unsafe-no-sandbox" in str(caught.value)
    assert "user.max_user_namespaces" in str(caught.value)


def test_a_machine_without_bubblewrap_refuses_with_a_remedy(monkeypatch):
    monkeypatch.setattr(view, "bubblewrap", lambda: None)
    with pytest.raises(NotIsolated, match="apt install bubblewrap"):
        Zygote(LIMITS, **BARE).session()
    found = {finding.name: finding for finding in doctor.findings()}
    assert not found["bubblewrap"].ok and "apt install" in found["bubblewrap"].remedy
    assert not found["namespaces"].ok
    with pytest.raises(NotIsolated, match="bubblewrap"):
        doctor.require()


def test_a_machine_without_a_system_call_filter_refuses(monkeypatch):
    def missing():
        raise ImportError("no libseccomp")

    monkeypatch.setattr(zygote_module.filter, "program", missing)
    with pytest.raises(NotIsolated, match="no libseccomp"):
        Zygote(LIMITS, **BARE).start()


@needs_walls
def test_a_filter_that_doesnt_filter_is_noticed(monkeypatch):
    allow_all = b"\x06\x00\x00\x00\x00\x00\xff\x7f"
    monkeypatch.setattr(zygote_module.filter, "program", lambda: allow_all)
    with Zygote(LIMITS, **BARE) as zygote, pytest.raises(NotIsolated, match="filter"):
        zygote.session()


@needs_walls
def test_a_bubblewrap_that_builds_no_walls_is_noticed(tmp_path):
    real = view.bubblewrap()
    weak = program(
        tmp_path,
        "bwrap",
        'n=""; for a in "$@"; do case "$a" in --unshare-pid|--die-with-parent) ;; '
        f'*) n="$n \'$a\'";; esac; done; eval "exec {real} $n"',
    )
    with Zygote(LIMITS, bwrap=weak, **LIGHT) as zygote, zygote.session() as session:
        pid = session.link.handle.host_pid()
        fields = Path(f"/proc/{pid}/status").read_text()
    assert "NSpid" in fields and fields.split("NSpid:")[1].split("\n")[0].split()[-1] == "1"


def test_the_doctor_says_what_it_found():
    findings = doctor.findings()
    assert {"bubblewrap", "namespaces", "cgroups"} <= {finding.name for finding in findings}
    assert all(finding.remedy for finding in findings if finding.needed and not finding.ok)
    assert doctor.can_isolate() == all(f.ok for f in findings if f.needed)


def test_the_doctors_no_comes_with_a_remedy(capsys):
    doctor.main()
    lines = capsys.readouterr().out.splitlines()
    for line, after in zip(lines, lines[1:], strict=False):
        assert not line.lower().startswith("no ") or after.startswith("     "), line
        assert not line.endswith(": ") and "True" not in line, line


@needs_walls
def test_the_zygote_has_one_thread_and_no_secret():
    zygote = zygote_for(LIMITS)
    zygote.start()
    pids = descendants(zygote._process.pid)
    assert pids
    for pid in pids:
        assert len(os.listdir(f"/proc/{pid}/task")) == 1
        told = Path(f"/proc/{pid}/environ").read_bytes() if pid != pids[0] else b""
        assert b"PYTEST" not in told


def descendants(pid):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(folder.name), *descendants(int(folder.name))]
    return found


@needs_walls
def test_a_zygote_that_died_starts_again_and_its_submission_is_not_blamed():
    with Zygote(LIMITS, imports=("numpy",), shell=False) as zygote:
        session = zygote.session()
        os.kill(zygote._process.pid, signal.SIGKILL)
        with pytest.raises(Lost):
            session.run_cell("1")
        session.close()
        with zygote.session() as again:
            assert again.run_cell("print(1)").status == "ok"


@needs_walls
def test_a_zygote_outlives_the_thread_that_started_it():
    zygote = Zygote(LIMITS, **LIGHT)
    thread = threading.Thread(target=zygote.start)
    thread.start()
    thread.join()
    first = zygote._process
    time.sleep(0.3)
    with zygote, zygote.session() as session:
        assert zygote._process is first and session.run_cell("1").status == "ok"


@needs_walls
@pytest.mark.parametrize("kind", ["Zygote", "UnsafeZygote"])
def test_a_killed_grader_takes_everything_along(kind):
    script = (
        f"import sys, time\nsys.path.insert(0, {str(REPO)!r})\n"
        f"from grader.sandbox import {kind} as Z\n"
        "z = Z(imports=(), shell=False); s = z.session()\n"
        "print(z._process.pid, s.link.handle.host_pid(), flush=True)\n"
        "s.run_cell('import threading\\nwhile True: pass', 500)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in worker.stdout.readline().split()]
    assert len(pids) == 2 and all(map(alive, pids))
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_one_zygote_a_process_and_limits():
    assert zygote_for(LIMITS) is zygote_for(Limits(**LIMITS.plain()))
    assert zygote_for(LIMITS) is not zygote_for(LIMITS, unsafe=True)
    assert isinstance(zygote_for(LIMITS, unsafe=True), UnsafeZygote)
    assert not zygote_for(LIMITS, unsafe=True).isolated and zygote_for(LIMITS).isolated


@needs_walls
@pytest.mark.parametrize(
    "name",
    ["memory bomb", "memory bomb that goes on", "memory bomb by mmap", "thread bomb", "disk bomb"],
)
def test_without_control_groups_the_limits_hold(monkeypatch, name):
    monkeypatch.setattr(cgroups, "parents", dict)
    with open_session() as session:
        assert session._group is None
        result = session.run_cell(WRECKS[name], 1)
        assert result.status != "ok"
        peak = session.close().peak_mb
    assert peak < LIMITS.memory_mb + 600  # shared mappings are held by the address space alone


def fake_v2(root, divided, own):
    """Folders and files as cgroup v2 shows them; only those in ``divided`` have the controllers."""
    for place in (root, *(root / part for part in ("user", "user/me", "user/me/job"))):
        place.mkdir(exist_ok=True)
        (place / "cgroup.controllers").write_text("cpu memory pids")
        (place / "cgroup.procs").write_text("")
        control = place / "cgroup.subtree_control"
        control.write_text("cpu memory pids" if place.name in divided else "")
        control.chmod(0o644 if place.name in divided else 0o444)
    (root / "own").write_text(f"0::{own}\n")


def test_version_two_groups_lie_in_the_nearest_divided_parent(tmp_path, monkeypatch):
    fake_v2(tmp_path, {"me"}, "/user/me/job")
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "OWN", tmp_path / "own")
    monkeypatch.setattr(
        cgroups, "_divided", lambda folder: folder.name == "me" or folder.name == cgroups.NAME
    )
    cgroups.parents.cache_clear()
    try:
        group = cgroups.make(100, 7, 0.5)
        folder = group.folders["memory"]
        assert cgroups.kind() == "v2" and folder.parent == tmp_path / "user/me" / cgroups.NAME
        assert (folder / "memory.max").read_text() == str(100 << 20)
        assert (folder / "pids.max").read_text() == "8"
        assert (folder / "cpu.max").read_text() == "50000 100000"
        (folder / "memory.peak").write_text(str(50 << 20))
        (folder / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
        assert group.peak_mb() == 50 and group.out_of_memory()
    finally:
        monkeypatch.undo()
        cgroups.parents.cache_clear()


@needs_walls
@pytest.mark.skipif(not cgroups.kind(), reason="no control groups here")
def test_a_submission_gets_no_more_than_its_cores():
    with open_session() as session:
        began = time.monotonic()
        told = printed(
            session.run_cell(
                "import time, torch\ntorch.set_num_threads(4)\nx = torch.ones(600, 600)\n"
                "begin = time.monotonic()\nwhile time.monotonic() - begin < 0.8: x @ x\n"
                "print(time.process_time())"
            )
        )
        assert float(told) < 1.3 * (time.monotonic() - began)


@needs_walls
def test_where_proc_is_refused_there_is_none(monkeypatch):
    hidden = Zygote(LIMITS, **LIGHT)
    monkeypatch.setattr(hidden, "_settings", lambda: {**Zygote._settings(hidden), "proc": "none"})
    with hidden, hidden.session() as session:
        assert session.report["proc"] == "none"
        assert printed(session.run_cell("import os; print(os.listdir('/proc'))")) == "[]\n"
        session.run_cell(HONEST)
        assert doubles(session) == 6


@needs_walls
def test_a_packaged_install_shows_no_truth(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    for name in ("grader", "lessons", "harmless"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text("truth = 1")
    layout = view.Layout()
    layout.sites = [*layout.sites, site]
    monkeypatch.setattr(zygote_module, "_layout", lambda: layout)
    with Zygote(LIMITS, **LIGHT) as zygote, zygote.session() as session:
        told = printed(
            session.run_cell(
                "import grader, harmless, os, sys\nprint(hasattr(grader, 'truth'), harmless.truth,"
                "[os.listdir(p + '/' + n) for p in sys.path for n in ('grader', 'lessons')"
                " if p.startswith('/site') and os.path.isdir(p + '/' + n)])"
            )
        )
    assert told == "False 1 [[], []]\n"


@needs_walls
def test_an_editable_installs_finders_are_not_run():
    with Zygote(LIMITS, **LIGHT) as zygote, zygote.session() as session:
        told = printed(session.run_cell("import sys\nprint([p for p in sys.path], sys.meta_path)"))
    assert str(REPO) not in told and "editable" not in told and "site" not in told.split("/site")[0]


def as_ordinary_user(script):
    """Runs a script as a user without any right, who can read the interpreter even where it lies
    in root's closed home folder."""
    prefix = Path(sys.base_prefix)
    opened = ""
    if str(prefix).startswith("/root/"):
        opened = (
            "mkdir /tmp/pg-py && mount -t tmpfs none /mnt && mkdir /mnt/py && "
            f"mount --bind {prefix} /mnt/py && mount -t tmpfs -o mode=755 none /root && "
            f"mkdir -p {prefix} && mount --bind /mnt/py {prefix} && "
        ).replace("mkdir /tmp/pg-py && ", "")
    command = f"{opened}exec setpriv --reuid 54321 --regid 54321 --clear-groups {sys.executable} -c"
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{command} "$0"', script],
        capture_output=True,
        text=True,
        cwd=REPO,
        env={"PATH": os.environ["PATH"], "HOME": "/tmp"},
        timeout=120,
    )


ORDINARY = f"""
import os, sys
sys.path.insert(0, {str(REPO)!r})
from grader.sandbox import Limits, Zygote, doctor
from grader.sandbox.zygote import LIGHT
assert os.getuid() == 54321
for finding in doctor.findings():
    print(finding.name, finding.ok, finding.detail)
limits = Limits(memory_mb=400, processes=20, submission_seconds=30)
with Zygote(limits, imports=LIGHT) as zygote:
    with zygote.session() as session:
        session.run_cell("def double(x):\\n    return 2 * x")
        request = {{"probe": "call", "cases": [{{"inputs": {{"x": 3.0}}}}], "seconds": 5}}
        print("answer", session.probe("double", request, 10)[0]["value"]["value"])
        for source in (
            "x = bytearray(10**9)",
            "import threading, time\\nwhile True:\\n"
            "    threading.Thread(target=time.sleep, args=(99,)).start()",
            "open('/usr/lib/x', 'w')", "import os; os.fork()", "import socket; socket.socket()",
            "import os; open(f'/proc/{{os.getppid()}}/mem')", "os.listdir('/home')",
            "open({str(REPO / "grader" / "verdict.py")!r})", "os.kill(9999, 0)",
        ):
            print("refused", session.run_cell(source, 5).reason)
        print("peak", session.close().peak_mb)
"""


@needs_walls
@pytest.mark.skipif(os.geteuid() != 0, reason="the whole suite runs as an ordinary user already")
def test_an_ordinary_user_has_the_same_walls():
    done = as_ordinary_user(ORDINARY)
    assert done.returncode == 0, done.stderr + done.stdout
    lines = done.stdout.splitlines()
    assert "answer 6.0" in lines
    assert any(line.startswith("namespaces True") for line in lines)
    refused = [line.split(" ", 1)[1] for line in lines if line.startswith("refused")]
    words = ["MemoryError", "RuntimeError", "OSError", "PermissionError", "PermissionError"]
    words += ["FileNotFoundError"] * 3 + ["ProcessLookupError"]
    assert [reason.split(":")[0] for reason in refused] == words


@needs_walls
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to take a right away from it")
def test_a_containers_root_without_rights_has_the_same_walls():
    script = (
        f"import sys\nsys.path.insert(0, {str(REPO)!r})\n"
        "from grader.sandbox import Zygote, view, zygote\nassert not view.is_root()\n"
        "with Zygote(imports=zygote.LIGHT) as z, z.session() as s:\n"
        "    print(s.report['own_user_namespace'], s.run_cell('import os; os.fork()').reason)\n"
        "    print(s.run_cell('open(\"/etc/shadow\")').reason)"
    )
    command = ["setpriv", "--bounding-set=-sys_admin", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "True PermissionError" in done.stdout and "FileNotFoundError" in done.stdout


@needs_walls
def test_a_forked_copy_of_the_grader_leaves_the_zygote_alone():
    with Zygote(LIMITS, **LIGHT) as zygote:
        pid = os.fork()
        if pid == 0:
            zygote.close()
            os._exit(zygote._process is not None)
        assert os.waitpid(pid, 0)[1] == 0
        with zygote.session() as session:
            assert session.run_cell("1").status == "ok"


@needs_walls
def test_many_sessions_leave_no_descriptor_and_no_group_behind():
    def count():
        groups = [p for f in set(cgroups.parents().values()) for p in f.glob(f"{os.getpid()}-*")]
        return len(os.listdir("/proc/self/fd")), len(groups)

    open_session().close()
    before = count()
    for source in ["1", "import os; os._exit(1)", "import os; os.closerange(0, 99)"] * 4:
        with open_session() as session:
            session.run_cell(source)
    assert count() == before and before[1] == 0
    assert len(descendants(zygote_for(LIMITS)._process.pid)) == 3


@needs_walls
def test_the_zygote_shares_no_writable_memory_with_its_children():
    with open_session() as session:
        lines = Path(f"/proc/{session.link.handle.host_pid()}/maps").read_text().splitlines()
    assert len(lines) > 50 and not [line for line in lines if line.split()[1].startswith("rw-s")]


def test_without_walls_a_submissions_children_end_with_it():
    with UnsafeZygote(LIMITS, **LIGHT) as zygote:
        session = zygote.session()
        told = printed(
            session.run_cell(
                "import os, time\npid = os.fork()\nif pid == 0: time.sleep(600)\nprint(pid)"
            )
        )
        assert alive(int(told))
        session.close()
        deadline = time.monotonic() + 5
        while alive(int(told)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(int(told))


def test_a_broken_package_is_no_matter_of_isolation():
    with pytest.raises(RuntimeError, match="no_such_module"):
        UnsafeZygote(LIMITS, imports=("no_such_module",), shell=False).start()
    if doctor.can_isolate():
        with pytest.raises(RuntimeError, match="imported.*no_such_module") as caught:
            Zygote(LIMITS, imports=("no_such_module",), shell=False).start()
        assert not isinstance(caught.value, NotIsolated)


@needs_walls
def test_the_doctors_verdict_is_its_exit_status(monkeypatch, capsys):
    assert doctor.main() == 0 and "can be isolated" in capsys.readouterr().out
    monkeypatch.setattr(view, "bubblewrap", lambda: None)
    assert doctor.main() == 1
    told = capsys.readouterr().out
    assert "NO   bubblewrap" in told and "apt install bubblewrap" in told and "refuses" in told
