"""Processor seconds of the grader's start, beside those of an older commit: collect on an empty
folder, one submission of lesson 02 from command to marks, and a rerun in which nothing changed.

``python -m tests.bench_start [COMMIT]``; both run with the packages that are installed here.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "7f3cdfe"
LESSON = "02_variance"


def processor_seconds(folder, *arguments) -> float:
    """What ``python -m grader`` costs in this checkout, its workers included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(folder, work) -> dict:
    """What is measured -> processor seconds, for the checkout in this folder."""
    (work / "empty").mkdir(parents=True)
    handed_in = work / "in" / "student" / LESSON / f"{LESSON}.ipynb"
    handed_in.parent.mkdir(parents=True)
    shutil.copy(folder / "solutions" / "en" / LESSON / f"{LESSON}.ipynb", handed_in)
    collect = [
        "collect",
        work / "empty",
        "--from",
        "canvas",
        "--to",
        work / "to",
        "--lesson",
        LESSON,
    ]
    grade = [
        "autograde",
        "--submitted",
        work / "in",
        "--out",
        work / "out",
        "--jobs",
        "1",
        "--secret-file",
        work / "secret",
    ]
    return {
        "collect, an empty folder": processor_seconds(folder, *collect),
        "one submission of lesson 02": processor_seconds(folder, *grade),
        "a rerun, nothing changed": processor_seconds(folder, *grade),
    }


def main(commit=BEFORE):
    """Measures both checkouts one after the other and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        old = work / "old"
        subprocess.run(["git", "clone", "--quiet", ROOT, old], check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=old, check=True)
        then, now = measured(old, work / "then"), measured(ROOT, work / "now")
    print(f"| processor seconds | {commit} | now | ratio |\n|---|---|---|---|")
    for what in now:
        print(f"| {what} | {then[what]:.2f} | {now[what]:.2f} | {now[what] / then[what]:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
