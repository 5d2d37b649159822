"""What `make test` relies on: tests that share something costly run in one process."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import time
import pytest

@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("n", ["a", "b@c", "d::e", "f"])
def test_one(n):
    time.sleep(0.1)

@pytest.mark.parametrize("n", range(4))
def test_alone(n):
    time.sleep(0.1)
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
