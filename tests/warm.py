"""Workers that stay warm from one test to the next: starting them is most of a small run's cost."""

import atexit

import pytest

from grader.executor.local import LocalExecutor
from grader.grading import autograde

# One process of tests has the worker whose submissions name torch.
WITH_TORCH = pytest.mark.xdist_group("torch")
_kept = {}


class _Kept:
    """An executor that outlives its ``with`` block, unless a test breaks it off in the middle."""

    def __init__(self, executor):
        self.executor = executor

    def __enter__(self):
        return self.executor

    def __exit__(self, kind, *rest):
        if kind is not None:
            self.executor.__exit__()


def executor_for(options):
    """In place of grader.grading.autograde.executor_for; one job is enough for a small class."""
    key = options.settings
    if options.scheduler:
        return _original(options)
    if key not in _kept:
        _kept[key] = LocalExecutor(1, key)
        atexit.register(_kept[key].__exit__)
    return _Kept(_kept[key])


_original = autograde.executor_for


@pytest.fixture
def warm(monkeypatch):
    """autograde in this process uses warm workers."""
    monkeypatch.setattr(autograde, "executor_for", executor_for)


@pytest.fixture(scope="module")
def warm_module():
    """The same for what is made once for a module."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(autograde, "executor_for", executor_for)
        yield
