"""``make test`` from a fresh clone, beside that of an older commit: seconds on the clock and of the
processors, installation included.

``python -m tests.bench_tests [COMMIT]``; half an hour on an idle machine of two cores. What either
prints goes to build/bench_tests/. Tests that fail are counted, not hidden: an old commit may know
nothing of today's packages or of this processor.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench_start import BEFORE, ROOT, children, cloned

LOGS = ROOT / "build" / "bench_tests"
# pytest's last line, "12 failed, 4332 passed, 2 skipped in ..."
COUNTED = re.compile(r"(\d+) (passed|failed|errors?)\b")


def bare() -> dict:
    """This environment without the one that runs the benchmark, whose path make put in front."""
    here = str(Path(sys.prefix) / "bin")
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != here]
    made = {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MAKE_GOAL"}
    kept = {name: value for name, value in os.environ.items() if name not in made}
    return {**kept, "PATH": os.pathsep.join(path)}


def counts(log) -> dict:
    """How many tests passed and failed, by pytest's last line that says so."""
    said = [line for line in log.read_text(errors="replace").splitlines() if " passed" in line]
    return {what: int(number) for number, what in COUNTED.findall(said[-1])} if said else {}


def measured(commit) -> dict:
    """What ``make test`` took at this commit, and what it found."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{commit}.log"
    print(f"make test at {commit}; it prints to {log.relative_to(ROOT)}", flush=True)
    with tempfile.TemporaryDirectory() as name, log.open("wb") as file:
        Path(name).chmod(0o755)  # some tests run as another user
        clone = cloned(commit, Path(name) / "course")
        began, spent = time.perf_counter(), children()
        subprocess.run(
            ["make", "test"], cwd=clone, env=bare(), stdout=file, stderr=subprocess.STDOUT
        )
        seconds = {
            "on the clock": time.perf_counter() - began,
            "of the processors": children() - spent,
        }
    return {"seconds": seconds, "tests": counts(log)}


def main(commit=BEFORE):
    """Measures this checkout's last commit and the older one, and prints a table."""
    # The packages of the system are there for both.
    subprocess.run(["make", "system"], cwd=ROOT, check=True)
    now, then = measured("HEAD"), measured(commit)
    print(f"| seconds | {commit} | now | ratio |\n|---|---|---|---|")
    for what, new in now["seconds"].items():
        old = then["seconds"][what]
        print(f"| {what} | {old:.0f} | {new:.0f} | {new / old:.2f} |")
    for name, run in ((commit, then), ("now", now)):
        told = ", ".join(f"{number} {what}" for what, number in run["tests"].items())
        print(f"{name}: {told or 'no test ran'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
