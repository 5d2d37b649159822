"""Seconds to install what the lessons need into a fresh environment: with uv, and with pip.

``python -m tests.bench_install [uv] [pip]``. What was downloaded before lies in each one's cache.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds(tool) -> float:
    """From no environment to an installed course."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        subprocess.run(
            [python, ROOT / "publish" / "install.py", "lab"],
            check=True,
            env={**os.environ, "INSTALLER": tool},
        )
        return time.perf_counter() - began


def main(tools):
    """Prints each tool's seconds, and what share of pip's uv takes."""
    taken = {tool: seconds(tool) for tool in tools or ("uv", "pip")}
    for tool, spent in taken.items():
        print(f"{tool}: {spent:.0f} s")
    if taken.keys() >= {"uv", "pip"}:
        print(f"ratio: {taken['uv'] / taken['pip']:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
