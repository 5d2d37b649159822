"""All benchmarks, or the named ones: ``python -m tests.bench [NAME ...]``.

A benchmark NAME is the module tests/bench_NAME.py; run as a script it prints what it measured.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names():
    """The benchmarks that there are."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def main(wanted):
    """Run them one after the other, each in a process of its own; returns the exit status."""
    if {"-h", "--help"} & set(wanted):
        print(f"{__doc__}\nThere are: {', '.join(names())}. All of them take about an hour.")
        return 0
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. Remedy: name one of: {', '.join(names())}.")
        return 2
    failed = 0
    for name in wanted or names():
        print(f"== {name}", flush=True)
        failed += bool(subprocess.run([sys.executable, "-m", f"tests.bench_{name}"]).returncode)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
