"""Windows and macOS: everything but grading works, and grading says what to do.

There is no such machine here. The tests take from this Python what those systems don't have, see
fixtures/platforms, and let the course's packages run on the rest.
"""

import contextlib
import functools
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from grader.probes import runtime
from tests import forked
from tests.classroom import NAME, SOLUTIONS, build_course, solved
from tests.publishing import copy_course, files, publish

pytestmark = pytest.mark.xdist_group("platforms")
ROOT = Path(__file__).resolve().parents[1]
PLATFORMS = ("win32", "darwin")
SYSTEM = {"win32": "Windows", "darwin": "macOS"}
REMEDY = {"win32": "WSL", "darwin": "Linux container"}


# A file opened without its encoding is told; the libraries' own are their affair.
OPTIONS = ("-X", "warn_default_encoding", "-W", "ignore::EncodingWarning")
# What takes most of the time of a new process, and is the same in each: on those systems, too, the
# libraries load on the whole of this one (fixtures/platforms).
LIBRARIES = (*forked.LIBRARIES, "torch._dynamo", "matplotlib.pyplot", "babel.messages", "dask")


@pytest.fixture(scope="module")
def run():
    server = forked.Server(LIBRARIES, OPTIONS)
    yield functools.partial(run_on, server)
    server.close()


def run_on(server, platform, *arguments, folder=ROOT, status=0):
    """A Python on that system: its exit status must be as given. Returns its output, or its errors
    where the status is none of success."""
    paths = [str(ROOT / "tests" / "fixtures" / "platforms"), str(ROOT)]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    more = {
        "COURSE_TEST_PLATFORM": platform,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONWARNDEFAULTENCODING": "1",
        "PYTHONIOENCODING": "cp1252",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "PATH": programs,
        "USERNAME": "student",
    }
    done = server.run(arguments, folder, {**os.environ, **more})
    assert done.returncode == status, done.stderr[-3000:]
    return done.stderr if status else done.stdout


def test_the_tests_own_systems_lack_what_they_should(run):
    code = """
import os, signal, sys
import grader
assert sys.platform == "win32" and not hasattr(os, "fork") and not hasattr(signal, "SIGALRM")
exec("import json", {"__name__": "grader.part"})
try:
    exec("import fcntl", {"__name__": "grader.part"})
except ModuleNotFoundError:
    print("as it should")
"""
    assert run("win32", "-c", code) == "as it should\n"


EVERY_MODULE = """
import importlib, pkgutil, sys
lacking = []
for name in ("grader", "policy_gradients", "publish"):
    package = importlib.import_module(name)
    for info in pkgutil.walk_packages(package.__path__, name + ".", lambda name: None):
        if ".inside" in info.name or info.name.endswith("__main__"):
            continue
        kept = {n: m for n, m in sys.modules.items() if n.startswith("grader.")}
        try:
            importlib.import_module(info.name)
        except (ImportError, AttributeError) as error:
            lacking.append(f"{info.name}: {error}")
            for other in [n for n in sys.modules if n.startswith("grader.") and n not in kept]:
                del sys.modules[other]
"""
EACH_CHECK = """
import json
from grader.checks.registry import names
from bank import load
from bank.judge import told
first = {}
for entry in load():
    first.setdefault((entry.exercise, entry.mistake is None), entry)
short = [e for e in first.values() if not e.exercise.startswith("train_")]
said = [(e.id, e.mistake, told(e, seed=0)[1]) for e in short if e.mistake != "too-slow"]
print(json.dumps({"lacking": lacking, "said": said}))
"""


@pytest.fixture(scope="module", params=PLATFORMS)
def told(request, run):
    """What a process there says of every module and each check: most of it waits for torch."""
    return json.loads(run(request.param, "-c", EVERY_MODULE + EACH_CHECK))


def test_every_module_can_be_imported(told):
    """Each as if it were the first: what a failed import left behind would hide the next one."""
    assert told["lacking"] == []


def test_each_check_speaks_as_it_does_here(told):
    """A right and a wrong answer to each exercise; training is judged by the same code."""
    assert len(told["said"]) > 80
    assert [one for one in told["said"] if one[1] != one[2]] == []


# It waits, and so costs the tests ten seconds of the clock, but none of the processor; one that
# computes is stopped below.
ENDLESS = "import time\ndef softmax(logits):\n    while True:\n        time.sleep(0.01)\n"


def test_progress_runs_right_wrong_and_endless_answers(run, tmp_path):
    """In a process of its own, as a student asks for it; no character that the console lacks."""
    course = build_course(tmp_path)
    wrong = "def discounted_return(rewards, gamma=1.0):\n    return float(sum(rewards))\n"
    notebook = solved(course, softmax=ENDLESS, discounted_return=wrong)
    course.path(NAME).write_text(json.dumps(notebook), encoding="utf-8")
    said = run("win32", "-m", "grader", "progress", "--notebooks", tmp_path / "notebooks" / "en")
    assert "0 / 2" in said and "Next: softmax" in said and "a loop that never ends" in said
    notebook = solved(course, **SOLUTIONS)
    course.path(NAME).write_text(json.dumps(notebook), encoding="utf-8")
    said = run("win32", "-m", "grader", "progress", "--notebooks", tmp_path / "notebooks" / "en")
    assert "2 / 2" in said and "Every exercise is solved" in said


def test_the_build_makes_the_same_bytes(run, tmp_path):
    here, there = copy_course(tmp_path / "here"), copy_course(tmp_path / "there")
    assert publish(here, "--no-execute") == 0
    build = "from tests.publishing import publish; from pathlib import Path; "
    run("win32", "-c", f"{build}assert publish(Path({str(there)!r}), '--no-execute') == 0")
    assert {path.relative_to(here): text for path, text in files(here).items()} == {
        path.relative_to(there): text for path, text in files(there).items()
    }


@pytest.mark.parametrize("platform", PLATFORMS)
def test_commands_say_what_they_need_and_what_to_do(run, platform, tmp_path):
    """Those that grade need Linux; the others tell a wrong folder as they do here."""
    code = """
from grader.__main__ import main
for line in '''autograde --submitted in --out out
autograde --submitted in --out out --unsafe-no-sandbox
demo
doctor
report --out out
export --out none --format moodle
progress --notebooks none'''.splitlines():
    assert main(line.split()) == 1
"""
    said = run(platform, "-c", code + "raise SystemExit(3)", folder=tmp_path, status=3)
    *grading, export, progress = said.splitlines()
    assert len(grading) == 5
    for line in grading:
        assert f"Grading needs Linux, and this is {SYSTEM[platform]}" in line
        assert REMEDY[platform] in line
    assert "there is no gradebook.db" in export and "there are no lessons" in progress
    assert list(tmp_path.iterdir()) == []


def test_nbgraders_configuration_loads_and_its_grading_refuses(run, tmp_path):
    """JupyterLab reads the configuration on every system: Validate needs it."""
    code = f"""
from pathlib import Path
from traitlets.config.loader import PyFileConfigLoader
import nbformat
config = PyFileConfigLoader("nbgrader_config.py", {str(ROOT)!r}).load_config()
from nbgrader.converters.base import NbGraderException
ours = config.Autograde
exporter, execute = ours.exporter_class(), ours.autograde_preprocessors[0]()
for call in (lambda: exporter.from_filename("x.ipynb", {{}}),
             lambda: execute.preprocess(nbformat.v4.new_notebook(), {{}})):
    try:
        call()
    except NbGraderException as error:
        print(error)
"""
    assert run("win32", "-c", code).count("Grading needs Linux") == 2


def test_collecting_a_download_works(run, tmp_path):
    """The same lines as here, and the same files."""
    download = tmp_path / "download"
    download.mkdir()
    (download / "lovelaceada_1234_98765_01_reinforce.ipynb").write_text("{}", encoding="utf-8")
    arguments = ["collect", download, "--from", "canvas", "--lesson", "01_reinforce", "--to"]
    said = run("win32", "-m", "grader", *arguments, tmp_path / "submitted")
    assert "1234: new" in said
    assert (tmp_path / "submitted" / "1234" / "01_reinforce" / "01_reinforce.ipynb").is_file()


# The limit where there is no timer signal ----------------------------------------------------


@pytest.fixture
def no_timer(monkeypatch):
    monkeypatch.delattr(signal, "setitimer")
    monkeypatch.delattr(signal, "SIGALRM")


def spin(forever=True):
    while forever:
        pass


def wait():
    while True:
        time.sleep(0.001)


def stubborn():
    """Eats the first exception, whatever it is."""
    try:
        spin()
    except BaseException:
        wait()


@pytest.mark.usefixtures("no_timer")
@pytest.mark.parametrize("endless", [spin, stubborn])
def test_an_endless_answer_is_stopped_without_signals(endless):
    with pytest.raises(runtime.TooSlow), runtime.time_limit(0.2):
        endless()


@pytest.mark.usefixtures("no_timer")
def test_nothing_comes_later():
    """Also where the time is up at the very moment when the answer is there."""
    for _ in range(100):
        with contextlib.suppress(runtime.TooSlow), runtime.time_limit(0.01):
            end = time.monotonic() + 0.01
            while time.monotonic() < end:
                pass
    for _ in range(100):
        time.sleep(0.001)


@pytest.mark.usefixtures("no_timer")
def test_a_check_without_signals_says_too_slow():
    request = {"probe": "call", "cases": [{"inputs": {}}], "seconds": 0.2}
    namespace = {"spin": spin}
    assert runtime.run(namespace, "spin", request) == [{"error": {"kind": "slow"}}]


@pytest.mark.parametrize("timer", [True, False])
def test_a_block_whose_end_was_cut_off_raises_nothing_later(request, timer):
    """As where the time is up in the first line of what ends it."""
    if not timer:
        request.getfixturevalue("no_timer")
    left = []

    def leave():
        left.append(runtime.time_limit(0.1))
        left[-1].__enter__()

    leave()
    for _ in range(400):
        time.sleep(0.001)
    left.clear()


@pytest.mark.parametrize("timer", [True, False])
def test_a_limit_within_other_context_managers_holds(request, timer):
    if not timer:
        request.getfixturevalue("no_timer")

    @contextlib.contextmanager
    def guarded():
        with contextlib.ExitStack() as stack:
            stack.enter_context(runtime.time_limit(0.1))
            yield

    with pytest.raises(runtime.TooSlow), guarded():
        spin()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer on this system")
def test_an_alarm_that_comes_after_the_answer_is_over_changes_nothing(monkeypatch):
    def slowly(error):
        time.sleep(1.3)  # the next alarm is a second away
        return {"kind": "slow"}

    monkeypatch.setattr(runtime, "_error", slowly)
    request = {"probe": "call", "cases": [{"inputs": {}}], "seconds": 0.2}
    assert runtime.run({"spin": spin}, "spin", request) == [{"error": {"kind": "slow"}}]
