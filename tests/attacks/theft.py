"""Submissions that look for what isn't theirs: files, neighbours, the network, the host."""

from tests import classroom
from tests.attacks import attack
from tests.attacks.forging import early
from tests.attacks.resources import SLOW
from tests.classroom import code, insert_after


def before(course, text):
    """Both exercises solved; ``text`` runs before the first check, for what is printed after it is
    withheld."""
    return insert_after(classroom.solved(course), "setup-1", code(text))


@attack(status=SLOW, softmax=3, discounted_return=2)
def looks_for_files(course):
    """Not where libraries are: tens of thousands of files, and none of a person."""
    return before(
        course,
        """
import os
wanted = ("gradebook.db", "secret", "shadow", "id_rsa", ".bash_history", "grades.csv", ".netrc")
libraries = ("/proc", "/sys", "/site", "/usr/lib", os.path.dirname(os.path.dirname(os.__file__)))
found = []
for top in ("/", os.path.expanduser("~")):
    for folder, folders, names in os.walk(top):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in libraries]
        found += [os.path.join(folder, n) for n in names if n in wanted or n.endswith(".ipynb")]
readable = []
for path in found:
    try:
        open(path, "rb").read(1)
        readable.append(path)
    except OSError:
        pass
print("FOUND", readable)
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def reads_the_environment(course):
    return before(
        course,
        """
import os
print("FOUND", [one for one in os.environ.items() if "CANARY" in one[0] or "SECRET" in one[0]])
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def reads_other_processes(course):
    return before(
        course,
        """
import os
found = []
for pid in filter(str.isdigit, os.listdir("/proc")) if os.path.isdir("/proc") else ():
    for name in ("environ", "cmdline", "mem", "maps", "root/etc/passwd", "cwd"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                text = file.read(4096)
            if b"grader" in text or b"COURSE_SECRET" in text:
                found.append((pid, name))
        except OSError:
            pass
print("FOUND", found)
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def calls_home(course):
    return before(
        course,
        """
import socket
found = []
for address in (("1.1.1.1", 53), ("127.0.0.1", 22), ("127.0.0.1", 8888), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, timeout=0.5).close()
        found.append(address)
    except OSError:
        pass
try:
    found.append(socket.gethostbyname("example.org"))
except OSError:
    pass
print("FOUND", found)
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def opens_unix_sockets(course):
    return before(
        course,
        """
import os, socket
found = []
for folder, _folders, names in os.walk("/run"):
    for name in names:
        try:
            with socket.socket(socket.AF_UNIX) as unix:
                unix.connect(os.path.join(folder, name))
            found.append(name)
        except OSError:
            pass
print("FOUND", found)
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def leaves_a_letter(course):
    """The accomplice below looks for it."""
    return before(
        course,
        """
import os, tempfile
places = ("/tmp", "/dev/shm", "/var/tmp", ".", "..", tempfile.gettempdir(), os.path.expanduser("~"))
for folder in places:
    try:
        open(os.path.join(folder, "course-attack-letter"), "w").write("the answers")
    except OSError:
        pass
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def looks_for_a_letter(course):
    return before(
        course,
        """
import os, tempfile
places = ("/tmp", "/dev/shm", "/var/tmp", ".", "..", tempfile.gettempdir(), os.path.expanduser("~"))
print("FOUND", [p for p in places if os.path.exists(os.path.join(p, "course-attack-letter"))])
""",
    )


@attack(status=SLOW, softmax=3, discounted_return=2)
def mounts_and_unshares(course):
    return before(
        course,
        """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
found = []
for flags in (0x10000000, 0x20000, 0x40000000, 0x20000000):
    if libc.unshare(flags) == 0:
        found.append(hex(flags))
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    found.append("mount")
if libc.ptrace(0, 0, 0, 0) == 0:
    found.append("ptrace")
try:
    os.chroot("/tmp"); found.append("chroot")
except OSError:
    pass
try:
    os.setuid(0); found.append("setuid") if os.getuid() == 0 else None
except OSError:
    pass
print("FOUND", [f for f in found if f != "setuid"])
""",
    )


@attack(status=SLOW)
def hunts_for_seed_and_truth(course):
    return early(
        course,
        """
import gc, sys
found = []
for thing in gc.get_objects():
    if isinstance(thing, dict):
        for key in list(thing)[:200]:
            if key in ("seed", "seeds", "secret", "truth", "expected", "right"):
                found.append((key, str(thing[key])[:80]))
ours = ("grader", "nbgrader", "tests", "bank", "publish")
names = [n for n in sys.modules if n.split(".")[0] in ours or "checks" in n]
names.remove("grader")  # what a notebook's check() is imported from, and no more
print("FOUND", names)
print("SEEDS", found)
""",
    )
