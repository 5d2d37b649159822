"""What `make test` relies on: tests that share something costly run in one process."""

import re
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

from xdist.scheduler import LoadGroupScheduling

from tests.scheduling import Scheduling

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import time
import pytest

@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("n", ["a", "b@c", "d::e", "f"])
def test_one(n):
    time.sleep(0.03)

@pytest.mark.parametrize("n", range(4))
def test_alone(n):
    time.sleep(0.03)
"""


def test_a_group_stays_in_one_process(tmp_path):
    hook = "from tests.conftest import pytest_collection_modifyitems"
    (tmp_path / "conftest.py").write_text(hook)
    # The hook's torch, which three processes would take seconds to import.
    (tmp_path / "torch.py").write_text("def set_num_threads(count):\n    assert count == 1\n")
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup"]
    command += [f"--rootdir={tmp_path}", "-c", "/dev/null", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.findall(r"\[(gw\d)\].* PASSED \S*::test_(one|alone)", done.stdout)
    assert len(ran) == 16
    assert len({process for process, name in ran if name == "one"}) == 1
    assert len({process for process, _name in ran}) == 2


def test_what_a_process_has_still_to_do_is_counted_as_xdist_counts_it():
    """After each test of a process that got groups of one, three and two."""
    names = [(group, test) for group, size in enumerate((1, 3, 2)) for test in range(size)]
    counts = []
    for ran in range(len(names) + 1):
        workload = OrderedDict()
        for number, (group, test) in enumerate(names):
            workload.setdefault(group, {})[test] = number < ran
        counts.append(Scheduling._pending_of(None, workload))
        assert counts[-1] == LoadGroupScheduling._pending_of(None, workload)
    assert counts == [6, 5, 4, 3, 2, 1, 0]
