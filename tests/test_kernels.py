"""Kernels forked from a warm process: as good as new ones, each by itself."""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError

from publish import kernels
from publish.execute import Stopped, execute
from tests.publishing import copy_course, publish

pytestmark = [
    pytest.mark.xdist_group("kernels"),
    pytest.mark.skipif(sys.platform != "linux", reason="kernels start warm on Linux alone"),
]
ABOUT = """
import os, random, sys
import numpy
state = [os.getppid(), os.getpid(), os.getcwd(), os.environ["COURSE_LANGUAGE"], random.random(),
         numpy.random.random(), sys.path[0], "own" in globals(), os.environ.get("OWN")]
own = 1
print(repr(state))
"""


def told(source, language="en", folder="/", **options):
    """What the one cell prints, as a Python value."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.metadata["policy_gradients"] = {"language": language}
    notebook.cells[0].metadata["policy_gradients"] = {"kind": "demo"}
    execute(notebook, folder, **options)
    return eval(notebook.cells[0].outputs[0].text)


@pytest.fixture
def zygote(monkeypatch):
    """One of the test's own, and none afterwards."""
    mine = kernels.Zygote()
    monkeypatch.setattr(kernels, "ZYGOTE", mine)
    yield mine
    mine.close()


@pytest.fixture(scope="module")
def one_for_several():
    mine = kernels.Zygote()
    yield mine
    mine.close()


@pytest.fixture
def shared(one_for_several, monkeypatch):
    """One that several tests ask for kernels, as the lessons of a build do."""
    monkeypatch.setattr(kernels, "ZYGOTE", one_for_several)
    return one_for_several


def test_kernels_of_one_process_share_nothing(shared, tmp_path):
    one, other = told(ABOUT), told(ABOUT, "es", tmp_path)
    parent, pid, folder, language, drawn, numpy_drawn, path, known, _own = one
    assert (parent, language, path, known) == (shared._process.pid, "en", "/", False)
    assert other[0] == parent and other[3:] != one[3:]
    assert (other[3], other[6:8]) == ("es", [str(tmp_path), False])
    assert not {pid, folder, drawn, numpy_drawn} & {other[1], other[2], other[4], other[5]}


def test_what_libraries_read_when_they_are_imported_needs_a_process_of_its_own(zygote):
    """An environment of its own is there before the first import, and in no later kernel."""
    first = told(ABOUT)[0]
    twice = [told(ABOUT, environment={"OWN": "1"}) for _ in range(2)]
    assert [row[0] for row in twice] == [zygote._process.pid] * 2 != [first] * 2
    started = Path(f"/proc/{zygote._process.pid}/environ").read_bytes().split(b"\0")
    assert b"OWN=1" in started and [row[-1] for row in twice] == ["1", "1"]
    last = told(ABOUT)
    assert last[0] == zygote._process.pid != twice[0][0] and last[-1] is None


def test_torch_is_there_before_a_lesson_that_imports_it_and_before_no_other(shared, monkeypatch):
    assert kernels.HEAVY == ("torch", "torch._dynamo")
    monkeypatch.setattr(kernels, "HEAVY", ("wave", "no_such_module"))  # as these would take seconds
    known = "import sys\nprint('wave' in sys.modules)"
    assert not told(known)
    assert told(f"r'''\nimport torch\n'''\n{known}")


def appeared(file) -> bool:
    """Whether it is there soon: a kernel's process may outlast the build's last word to it."""
    end = time.monotonic() + 30
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return file.exists()


def test_what_a_lesson_leaves_for_its_end_is_done_at_its_end(shared, tmp_path):
    file = tmp_path / "ended"
    told(f"import atexit, os\natexit.register(os.mkdir, {str(file)!r})\nprint(1)")
    assert appeared(file)


LAST_WORDS = """
import atexit, os, sys, threading, time

def slowly(flush=sys.stdout.flush):
    time.sleep(0.3 * (threading.current_thread().name == "Control"))
    flush()

def leave():
    os.mkdir(FOLDER + "_".join(sorted(thread.name for thread in threading.enumerate())))
    os.mkdir(FOLDER + "told")

sys.stdout.flush = slowly
atexit.register(leave)
print(1)
"""


def test_a_kernel_is_taken_down_when_its_last_words_are_said(shared, tmp_path):
    """ipykernel's Control thread, which says them, could wait for one that is gone already. That
    was seen to cost 2.5 seconds, in one notebook of three."""
    told(f"FOLDER = {str(tmp_path)!r} + '/'\n{LAST_WORDS}")
    assert appeared(tmp_path / "told")
    (names,) = {file.name for file in tmp_path.iterdir()} - {"told"}
    assert "MainThread" in names and "Control" not in names


def test_a_kernel_that_dies_is_told_and_the_next_one_lives(shared):
    with pytest.raises(Stopped):
        told("import os\nos._exit(3)")
    assert told("print(3)") == 3


def test_ctrl_c_is_no_death_of_the_kernel_that_it_ends(monkeypatch):
    """nbclient shuts the kernel down, and may notice its end first where it waits for a cell."""

    def ended(client, **_options):
        client._async_cleanup_kernel_future = object()
        raise DeadKernelError("Kernel died")

    monkeypatch.setattr("publish.execute.Client.execute", ended)
    with pytest.raises(KeyboardInterrupt):
        told("print(3)")


def test_a_zygote_that_was_killed_is_replaced(zygote):
    first = told(ABOUT)[0]
    zygote._process.kill()
    zygote._process.wait()
    assert told(ABOUT)[0] == zygote._process.pid != first


def test_where_nothing_can_be_forked_a_kernel_starts_as_everywhere(zygote, monkeypatch):
    def refused(*_arguments):
        raise OSError("no process")

    monkeypatch.setattr(zygote, "_start", refused)
    assert told(ABOUT)[0] == os.getpid()


def test_a_kernel_ends_with_the_build_that_was_killed(tmp_path):
    root = copy_course(tmp_path)
    lesson, started = root / "lessons" / "02_second.py", root / "started"
    waits = f"import os, time\nopen({str(started)!r}, 'w').write(str(os.getpid()))\n"
    text = lesson.read_text().replace("import numpy", f"{waits}time.sleep(60)\nimport numpy")
    lesson.write_text(text)
    command = f"from tests.publishing import publish; publish({str(root)!r}, '02_second')"
    building = subprocess.Popen([sys.executable, "-c", command])
    while not (started.exists() and started.read_text()) and building.poll() is None:
        time.sleep(0.1)
    building.kill()
    building.wait()
    end = time.monotonic() + 60
    while os.path.exists(f"/proc/{started.read_text()}") and time.monotonic() < end:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{started.read_text()}")


def test_the_built_bytes_are_the_same(tmp_path, zygote, monkeypatch):
    warm, cold = copy_course(tmp_path / "warm"), copy_course(tmp_path / "cold")
    assert publish(warm, "01_first") == 0 and zygote._process is not None
    monkeypatch.setattr("publish.execute.warm", lambda *_: None)
    assert publish(cold, "01_first") == 0
    built = [root / "solutions/en/01_first/01_first.ipynb" for root in (warm, cold)]
    assert built[0].read_bytes() == built[1].read_bytes()
