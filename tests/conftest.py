"""Shared by all tests: one thread a process, and hypothesis without deadlines."""

import os

# Before anything imports torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
# Commands speak the system's language; the tests read English unless they ask for another.
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("COURSE_LANGUAGE", None)
# What `make test ARGS=...` hands on would reach the commands of make that tests run.
os.environ.pop("MAKEFLAGS", None)
os.environ.pop("MAKEOVERRIDES", None)
os.environ.pop("MAKELEVEL", None)

# What is compiled is kept (see below): hundreds of processes load the same modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import compileall
import contextlib
import ctypes
import gc
import signal
import sys
from pathlib import Path

import hypothesis
import pytest

from tests import forked

sys.dont_write_bytecode = False
# A shell's background job ignores Ctrl+C, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A shared machine can make any single example slow; the same examples in every run.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.load_profile("course")


ROOT = Path(__file__).resolve().parents[1]
# What the sandbox reads and can't write beside.
SEEN_INSIDE = ("policy_gradients", "grader/probes", "grader/sandbox/inside")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # once, before there are processes that run tests
        for folder in SEEN_INSIDE:
            compileall.compile_dir(ROOT / folder, quiet=2)


def pytest_addoption(parser):
    words = "what every change can break, and the checks and banks of lessons that were touched"
    parser.addoption("--quick", action="store_true", help=words)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    # Here, and not above: the process that hands out the tests collects none and needs no torch.
    import torch

    torch.set_num_threads(1)
    if config.getoption("quick", False):
        from tests import quick

        kept = quick.selected(items, quick.lessons_of(quick.changed_files()))
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept
    _group(config, items)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collecting imports nearly everything and leaves no garbage worth a dozen searches."""
    gc.disable()
    try:
        return (yield)
    finally:
        keep()
        gc.enable()


def _group(config, items):
    """Tests of one xdist_group stay in one process: xdist 3.8 tells the group in a node id's
    suffix, which pytest 9.2 ignores where xdist writes it (pytest-xdist, issue 1386)."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        groups = "_".join(sorted({mark.args[0] for mark in item.iter_markers("xdist_group")}))
        if groups and not item.nodeid.endswith(f"@{groups}"):
            item._id = type(item._id).parse(f"{item.nodeid}@{groups}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.scheduling import Scheduling

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def hasty_databases():
    """Gradebooks of tests needn't outlive a power cut. A new one waits for the disk 140 times,
    which is most of its time."""
    forked.hasty_databases()


MUCH = 64 << 20  # bytes


class _Memory:
    """Gives memory back to the system where a test has let go of it: long runs leave glibc with
    hundreds of megabytes in pieces, in each of the processes that run tests."""

    least = None

    @staticmethod
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    def tidy(self):
        if self.least is None or self.resident() > self.least + MUCH:
            keep()
            ctypes.CDLL(None).malloc_trim(0)
            self.least = self.resident()


def keep():
    """What is there now stays: libraries, tests and the cases of checks are millions of objects,
    which a search for garbage needn't walk through again and again."""
    gc.collect()
    gc.freeze()


_memory = _Memory()


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish():
    with contextlib.suppress(OSError, AttributeError):  # Linux with glibc alone
        _memory.tidy()


def pytest_terminal_summary(terminalreporter):
    """Print the kill table of whatever part of the bank was run. Its order came with the results:
    to ask the registry loads torch, while nothing else is left to do."""
    judged = {
        report.nodeid: dict(report.user_properties)["judged"]
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if "judged" in dict(report.user_properties)
    }
    if judged:
        from bank.kill_table import rows

        terminalreporter.section("kill table")
        terminalreporter.write_line("exercise: wrong caught named | right passed")
        names = dict(sorted(tuple(one[:2]) for one in judged.values())).values()
        for name, *counts in rows([one[1:] for one in judged.values()], names):
            terminalreporter.write_line("{}: {} {} {} | {} {}".format(name, *counts))
