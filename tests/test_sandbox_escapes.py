"""What a hostile submission tries, and what it gets.

Attacks that are harmless to try on this machine are tried twice: without walls they must succeed
(else the attempt would prove nothing), inside they must fail.
"""

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import BadReply, SandboxError
from tests.sandboxes import (
    HONEST,
    LIMITS,
    WARM_TOGETHER,
    doubles,
    honest_neighbour,
    needs_walls,
    open_session,
    printed,
)

pytestmark = [needs_walls, WARM_TOGETHER]


REPO = Path(__file__).resolve().parents[1]


@pytest.fixture
def session():
    with open_session(code="") as session:
        yield session


@pytest.fixture
def full():
    """A session in which everything is loaded."""
    with open_session() as session:
        yield session


class Target:
    """Things of this machine that an attack goes for."""

    def __init__(self, folder):
        self.file = folder / "gradebook.db"
        self.file.write_text("a secret")
        self.shared = Path(f"/dev/shm/pg-test-{os.getpid()}")
        self.shared.write_text("a secret")
        self.server = socket.create_server(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0pg-test-{os.getpid()}")
        self.abstract.listen()
        self.named = socket.socket(socket.AF_UNIX)
        self.named.bind(str(folder / "socket"))
        self.named.listen()
        libc = ctypes.CDLL(None, use_errno=True)
        self.segment = libc.shmget(0x7067, 4096, 0o1666)
        self.sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

    def names(self):
        return {
            "FILE": str(self.file),
            "FOLDER": str(self.file.parent),
            "SHARED": str(self.shared),
            "PORT": self.server.getsockname()[1],
            "ABSTRACT": f"\0pg-test-{os.getpid()}",
            "NAMED": self.named.getsockname(),
            "PID": self.sleeper.pid,
            "REPO": str(REPO),
            "GRADER": os.getpid(),
            "SEGMENT": self.segment,
        }

    def close(self):
        ctypes.CDLL(None).shmctl(self.segment, 0, None)
        for end in (self.server, self.abstract, self.named):
            end.close()
        self.shared.unlink()
        self.sleeper.kill()
        self.sleeper.wait()


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    target = Target(tmp_path_factory.mktemp("target"))
    yield target
    target.close()


# Each sets ``got`` to something true when it works. Names in capitals are filled in.
PROVEN = {
    "read a file by its path": "got = open(FILE).read() == 'a secret'",
    "read the grader's source": "got = 'def' in open(REPO + '/grader/checking/verdict.py').read()",
    "read the tests": "got = open(REPO + '/tests/conftest.py').read()",
    "list the repository": "got = 'grader' in os.listdir(REPO)",
    "list the git history": "got = os.listdir(REPO + '/.git')",
    "list the home folder": "got = os.listdir('/home') is not None and os.listdir('/root')",
    "read the machine's users": "got = open('/etc/passwd').read()",
    "list the machine's configuration": "got = len(os.listdir('/etc')) > 5",
    "list /var": "got = os.listdir('/var')",
    "list /sys": "got = os.listdir('/sys')",
    "list /run": "got = os.listdir('/run') is not None",
    "follow a symlink out": "os.symlink(FILE, 'link'); got = open('link').read()",
    "write beside the gradebook": "open(FOLDER + '/forged', 'w').write('x'); got = True",
    "write into the gradebook": "open(FILE, 'r+').write('a secret'); got = True",
    "read /dev/shm of others": "got = open(SHARED).read() == 'a secret'",
    "connect over the network": "got = socket.create_connection(('127.0.0.1', PORT), 2)",
    "send a datagram": "got = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "listen on the network": "got = socket.create_server(('127.0.0.1', 0))",
    "connect to an abstract socket": "got = (s := socket.socket(socket.AF_UNIX)) and "
    "s.connect(ABSTRACT) is None",
    "connect to a named socket": "got = (s := socket.socket(socket.AF_UNIX)) and "
    "s.connect(NAMED) is None",
    "signal another process": "got = os.kill(PID, 0) is None",
    "signal the grader": "got = os.kill(GRADER, 0) is None",
    "see another process": "got = open(f'/proc/{PID}/status').read()",
    "read another's memory": "got = open(f'/proc/{PID}/mem', 'rb')",
    "read another's environment": "got = open(f'/proc/{PID}/environ').read()",
    "see many processes": "got = sum(n.isdigit() for n in os.listdir('/proc')) > 1",
    "see the machine's load": "got = open('/proc/loadavg').read()",
    "start a program": "got = subprocess.run([sys.executable, '-c', '']) is not None",
    "fork": "pid = os.fork()\nif pid == 0: os._exit(0)\ngot = os.waitpid(pid, 0)",
    "start a process of multiprocessing": "import multiprocessing as m\n"
    "p = m.get_context('fork').Process(target=print); p.start(); p.join(); got = True",
    "fork by vfork": "got = libc.syscall(58) >= 0 if False else os.posix_spawn("
    "sys.executable, [sys.executable, '-c', ''], {})",
    "attach to another process": "got = libc.ptrace(16, PID, None, None) == 0 and "
    "(libc.ptrace(17, PID, None, None), True)",
    "open a handle on another": "got = os.pidfd_open(PID)",
    "attach System V memory": "libc.shmat.restype = ctypes.c_void_p\n"
    "got = libc.shmat(SEGMENT, None, 0) not in (None, 2**64 - 1)",
    "make System V memory": "n = libc.shmget(0, 4096, 0o1600)\n"
    "got = n >= 0 and libc.shmctl(n, 0, None) == 0",
    "hide memory in a memfd": "got = os.memfd_create('x')",
    "enter new namespaces": "pid_unshare(0x10000000); got = True",
    "ask the kernel's keys": "got = libc.syscall(250, 0, -3, 1) > 0",
    "open a performance counter": "got = libc.syscall(298, (ctypes.c_char * 128)(), 0, -1, -1, 0)"
    " != -1 or ctypes.get_errno() != 1",
    "set up io_uring": "got = libc.syscall(425, 4, (ctypes.c_char * 120)()) >= 0",
    "load a BPF program": "got = libc.syscall(321, 99, None, 0) != -1 or ctypes.get_errno() != 1",
    "change the host name": "got = libc.syscall(170, b'x', -1) != -1 or ctypes.get_errno() != 1",
    "see more than one environment": "got = 'PYTEST_CURRENT_TEST' in str(os.environ) or "
    "len(os.listdir('/')) > 12",
}


UNPROVABLE_AS_USER = {"list the home folder", "change the host name", "load a BPF program"}


PRELUDE = """
import ctypes, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
got = False
def pid_unshare(flags):
    pid = os.fork()
    if pid == 0:
        os._exit(libc.unshare(flags) != 0)
    assert os.waitpid(pid, 0)[1] == 0
"""


def tried(session, code, names):
    """Whether the attack works in this session."""
    for name, value in names.items():
        code = code.replace(name, repr(value))
    session.run_cell(PRELUDE)
    session.run_cell(code)
    said = printed(session.run_cell("print(bool(got), end='')"))
    assert said in ("True", "False")
    return said == "True"


@pytest.mark.parametrize("name", PROVEN)
def test_what_works_without_walls_fails_inside(name, target):
    code = PROVEN[name]
    with open_session(unsafe=True, code=code) as exposed:
        works = tried(exposed, code, target.names())
    assert works or (os.geteuid() != 0 and name in UNPROVABLE_AS_USER)
    with open_session(code=code) as inside:
        assert not tried(inside, code, target.names())
        assert inside.run_cell(HONEST).status == "ok" and doubles(inside) == 6


def test_no_file_inside_holds_a_solution_a_truth_or_a_lesson(full):
    result = full.run_cell(
        "import os\nfound = []\n"
        "for top in ('/course', '/tmp', '/etc'):\n"
        "    for folder, folders, files in os.walk(top):\n"
        "        for name in files:\n"
        "            try: text = open(os.path.join(folder, name), errors='replace').read()\n"
        "            except OSError: continue\n"
        "            if 'BEGIN ' + 'SOLUTION' in text or 'EXERCISES =' in text:\n"
        "                found.append(name)\n"
        "ours = [n for n in os.listdir('/course/grader') if n != '__pycache__']\n"
        "print(found, sorted(os.listdir('/course')), ours)",
        20,
    )
    names = "['grader', 'pg_inside', 'pg_probes', 'policy_gradients']"
    assert printed(result) == f"[] {names} ['__init__.py']\n"


def test_no_name_of_ours_is_anywhere_else(session):
    secret = {
        "verdict.py",
        "registry.py",
        "returns.py",
        "kill_table.py",
        "gradebook.db",
        "lessons",
        "solutions",
        "nbgrader_config.py",
        "syllabus.md",
        ".git",
    }
    result = session.run_cell(
        f"import os\nsecret = {secret}\nprint([os.path.join(folder, n) for folder, a, b in "
        "os.walk('/') for n in a + b if n in secret and not folder.startswith('/proc')])",
        20,
    )
    found = eval(printed(result))
    assert [path for path in found if not path.startswith(("/site", "/python", "/usr"))] == []
    assert not any("grader/" in path and "nbgrader/" not in path for path in found)


@pytest.mark.parametrize(
    "module",
    [
        "grader.checks",
        "grader.checks.registry",
        "grader.checking.verdict",
        "grader.checks.shared.returns",
        "grader.student.check",
        "grader.probes",
        "grader.sandbox",
        "grader.checks.lesson_01",
        "publish",
        "lessons",
        "tests",
        "bank",
        "tests.sandboxes",
        "nbgrader.api",
        "nbgrader.apps",
    ],
)
def test_nothing_of_the_grader_can_be_imported(session, module):
    result = session.run_cell(f"import {module}")
    assert result.reason.startswith("ModuleNotFoundError")


def test_the_memory_holds_no_truth(full):
    result = full.run_cell(
        "import gc, inspect, sys\n"
        "ours = sorted({n.split('.')[0] for n in sys.modules if 'grader' in n or 'pg_' in n})\n"
        "files = {getattr(f, 'co_filename', '') for f in gc.get_objects()}\n"
        "frames = [f.filename for f in inspect.stack()]\n"
        "print(ours, [f for f in frames if 'verdict' in f or 'checks' in f])\n"
        "print([o for o in gc.get_objects() if type(o).__name__ in ('Exercise', 'Verdict')])"
    )
    assert printed(result) == "['pg_inside', 'pg_probes'] []\n[]\n"


def test_only_the_private_folders_can_be_written(session):
    result = session.run_cell(
        "import os\nwritable = []\n"
        "for folder, folders, files in os.walk('/'):\n"
        "    if folder.startswith('/proc'): continue\n"
        "    if folder.startswith(('/usr/', '/site/', '/python/')) and folder.count('/') > 3:\n"
        "        folders.clear(); continue\n"
        "    try: open(folder + '/x', 'w').close(); os.remove(folder + '/x')\n"
        "    except OSError: continue\n"
        "    writable.append(folder)\n"
        "print(writable)",
        20,
    )
    assert sorted(eval(printed(result))) == ["/dev/shm", "/tmp", "/tmp/work"]


def test_files_of_the_system_cannot_be_changed(session):
    result = session.run_cell(
        "import os, numpy\nchanged = []\n"
        "for path in (numpy.__file__, os.__file__, '/course/pg_probes/wire.py', '/course', '/'):\n"
        "    for act in (lambda: os.chmod(path, 0o777), lambda: os.utime(path),\n"
        "                lambda: os.rename(path, path + 'x'), lambda: os.remove(path),\n"
        "                lambda: os.chown(path, 1000, 1000), lambda: open(path, 'a')):\n"
        "        try: act()\n"
        "        except OSError: continue\n"
        "        changed.append(path)\n"
        "print(changed)"
    )
    assert printed(result) == "[]\n"


def test_nothing_is_left_for_the_next_submission():
    leave = (
        "import os\n"
        "for folder in ('/tmp', '/tmp/work', '/dev/shm', '/dev', '/', '/course', '/proc/self'):\n"
        "    try: open(folder + '/left-behind', 'w').write('x')\n"
        "    except OSError: pass\n"
        "import numpy, pg_probes.call, policy_gradients\n"
        "numpy.left = pg_probes.call.left = policy_gradients.left = 1\n"
        "os.environ['LEFT'] = '1'\n"
        "print(os.path.exists('/tmp/left-behind'))"
    )
    look = (
        "import os, numpy, pg_probes.call, policy_gradients\n"
        "print([f for f, d, n in os.walk('/') if 'left-behind' in n], 'LEFT' in os.environ,\n"
        "      [hasattr(m, 'left') for m in (numpy, pg_probes.call, policy_gradients)])"
    )
    with open_session() as first, open_session() as beside:
        assert printed(first.run_cell(leave)) == "True\n"
        assert printed(beside.run_cell(look)) == "[] False [False, False, False]\n"
    with open_session() as after:
        assert printed(after.run_cell(look)) == "[] False [False, False, False]\n"


def test_the_process_has_no_rights(full):
    result = full.run_cell(
        "import os\nfields = dict(line.split(':\\t') for line in open('/proc/self/status')"
        " if ':\\t' in line)\n"
        "print(*[fields[k].strip() for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb',"
        " 'NoNewPrivs', 'Seccomp')], os.getpid(), os.getuid(), os.getgroups() in ([], [65534]))"
    )
    assert printed(result).split() == ["0" * 16] * 5 + ["1", "2", "1", "1000", "True"]


@pytest.mark.parametrize("kind", ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup"])
def test_no_namespace_is_shared_with_the_grader_or_another_submission(session, kind):
    with open_session(code="") as other:
        pids = ["self", session.link.handle.host_pid(), other.link.handle.host_pid()]
        spaces = [os.readlink(f"/proc/{pid}/ns/{kind}") for pid in pids]
    assert len(set(spaces)) == 3


def test_no_descriptor_is_open_but_its_own_four(full):
    result = full.run_cell(
        "import os\nprint(sorted(n for n in range(10_000) if os.path.exists(f'/proc/self/fd/{n}')))"
    )
    assert printed(result) == "[0, 1, 2, 3]\n"


def alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_nothing_outlives_its_submission():
    session = open_session()
    session.run_cell(
        "import os, threading, time\nthreading.Thread(target=time.sleep, args=(999,)).start()\n"
        "for attempt in (os.fork, lambda: os.posix_spawn('/python/bin/python3.11', ['x'], {})):\n"
        "    try: attempt()\n"
        "    except OSError: pass"
    )
    pid = session.link.handle.host_pid()
    assert alive(pid)
    session.close()
    assert not alive(pid)


WRECKS = {
    "kill everything": "import os\ntry: os.kill(-1, 9)\nexcept OSError: pass",
    "kill its group": "import os, signal\ntry: os.killpg(0, 9)\nexcept OSError: pass",
    "kill itself": "import os\nos.kill(os.getpid(), 9)",
    "fork bomb": "import os\nwhile True: os.fork()",
    "fork bomb that goes on": "import os\nwhile True:\n    try: os.fork()\n"
    "    except OSError: pass",
    "thread bomb": "import threading, time\nwhile True:\n"
    "    threading.Thread(target=time.sleep, args=(99,)).start()",
    "memory bomb": "x = []\nwhile True: x.append(bytearray(10**7))",
    "memory bomb in one step": "x = bytearray(10**11)",
    "memory bomb that goes on": "x = []\nwhile True:\n    try: x.append(bytearray(10**6))\n"
    "    except MemoryError: pass",
    "memory bomb by mmap": "import mmap\nx = []\nwhile True:\n    x.append(mmap.mmap(-1, 10**7))\n"
    "    x[-1].write(b'x' * 10**7)",
    "memory bomb by torch": "import torch\nx = [torch.ones(10**6) for _ in range(10**6)]",
    "disk bomb": "while True: open('x', 'ab').write(b'x' * 10**6)",
    "disk bomb in many files": "n = 0\nwhile True:\n    n += 1\n"
    "    open(f'/tmp/{n}', 'wb').write(b'x' * 10**5)",
    "file number bomb": "n = 0\nwhile True:\n    n += 1\n    open(f'/dev/shm/{n}', 'w').close()",
    "descriptor bomb": "import os\nx = []\nwhile True: x.append(os.pipe())",
    "output bomb": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "output bomb that goes on": "import os\nwhile True:\n    try: os.write(2, b'x' * 65536)\n"
    "    except BaseException: pass",
    "traceback bomb": "raise ValueError('x' * 10**8)",
    "name bomb": "raise type('E' * 10**7, (Exception,), {})('x')",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()",
    "endless loop": "while True: pass",
    "endless sleep": "import time\ntime.sleep(10**6)",
    "leave": "import os\nos._exit(0)",
    "crash": "import ctypes\nctypes.string_at(0)",
    "stop itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "close all descriptors": "import os\nos.closerange(0, 1000)",
    "garbage to all descriptors": "import os\nfor n in range(1, 100):\n"
    "    try: os.write(n, b'\\xff' * 4096)\n    except OSError: pass",
    "flood of all descriptors": "import os\nwhile True:\n    for n in range(1, 100):\n"
    "        try: os.write(n, b'\\0' * 65536)\n        except OSError: pass",
    "half a frame": "import os, time\nos.write(3, b'\\0\\0\\0\\x10\\0\\0')\ntime.sleep(99)",
    "bytes in a trickle": "import os, time\nos.write(3, b'\\0\\0\\xff\\xff' + b'\\0' * 8)\n"
    "while True:\n    os.write(3, b'['); time.sleep(0.01)",
    "a frame of gigabytes": "import os\nos.write(3, b'\\0\\0\\0\\x10' + b'\\x7f' * 8)",
    "a frame of pickles": "import os, pickle, struct\np = pickle.dumps(print)\n"
    "os.write(3, struct.pack('>IQ', len(p), 0) + p)",
    "deep JSON": "import os, struct\nos.write(3, struct.pack('>IQ', 10**5, 0) + b'[' * 10**5)",
    "interpreter without exceptions": "import builtins, sys\n"
    "for n in list(vars(builtins)): \n    if n[0].isupper(): delattr(builtins, n)",
    "interpreter without modules": "import sys\nsys.modules.clear()",
    "shell turned off": "ip = get_ipython()\nip.run_cell = ip.run_code = lambda *a, **k: None",
    "streams closed": "import sys\nsys.stdout.close(); sys.stderr.close(); sys.stdin.close()",
    "streams replaced": "import sys\nsys.stdout = sys.stderr = None",
    "all timers": "import signal\nfor n in range(1, 65):\n"
    "    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
    "while True: pass",
    "blocked signals": "import signal\nsignal.pthread_sigmask(0, range(1, 65))\nwhile True: pass",
}


# Nothing in these grows with time.
ENDLESS = {"endless loop", "endless sleep", "stop itself", "all timers", "blocked signals"}
ENDLESS |= {"fork bomb that goes on"}


@pytest.mark.parametrize("name", WRECKS)
def test_a_wrecker_harms_only_itself(name):
    before = resident()
    code = WRECKS[name]
    with open_session(code=code) as session, open_session(code=code) as beside:
        beside.run_cell(HONEST)
        result = session.run_cell(code, 0.3 if name in ENDLESS else 1)
        assert result.status in ("ok", "error", "timeout", "died")
        assert sum(len(str(out)) for out in result.outputs) < 200_000
        with_luck(session)
        assert doubles(beside) == 6
        usage = session.close()
        assert usage.peak_mb <= LIMITS.memory_mb
    assert honest_neighbour(code)
    assert resident() - before < 150


def with_luck(session):
    """A wrecked session answers or refuses, in time."""
    try:
        session.run_cell(HONEST, 1)
        doubles(session)
    except (SandboxError, BadReply):
        assert session.ended or session.report
    except (KeyError, TypeError):  # plain data, but not what an honest probe would have said
        pass


def resident():
    """Megabytes of this process: the grader."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
