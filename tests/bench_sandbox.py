"""Seconds that the sandbox costs: ``python -m tests.bench_sandbox [repeats]``. Medians."""

import statistics
import sys
import time

from grader.sandbox import UnsafeZygote, Zygote

CALL = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 5}


def timed(function, *arguments):
    """(seconds, result)."""
    begin = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - begin, result


def measure(kind, repeats):
    """Medians in milliseconds by what was done, for one kind of zygote."""
    found = {name: [] for name in ("session", "first cell", "cell", "probe", "close")}
    with kind() as zygote:
        for _ in range(repeats):
            seconds, session = timed(zygote.session)
            found["session"].append(seconds)
            cell = "def double(x):\n    return 2 * x"
            found["first cell"].append(timed(session.run_cell, cell)[0])
            found["cell"].append(timed(session.run_cell, "x = 1")[0])
            session.probe("double", CALL, 10)
            found["probe"].append(timed(session.probe, "double", CALL, 10)[0])
            found["close"].append(timed(session.close)[0])
    return {name: 1000 * statistics.median(values) for name, values in found.items()}


def main():
    """Prints one row per kind."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for kind in (Zygote, UnsafeZygote):
        zygote = kind()
        seconds, _ = timed(zygote.start)
        zygote.close()
        row = ", ".join(f"{name} {ms:.1f} ms" for name, ms in measure(kind, repeats).items())
        print(f"{kind.__name__}: start {seconds:.2f} s, {row}")


if __name__ == "__main__":
    main()
