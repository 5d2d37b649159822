"""Processor seconds of the grader, beside those of an older commit: collect on an empty folder, one
submission of lesson 02 from command to marks, and a rerun in which nothing changed. Beside them the
time that a worker spends on a submission of lesson 01, which takes an idle machine to compare.

``python -m tests.bench_start [COMMIT]``; both run with the packages that are installed here.
"""

import csv
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "7f3cdfe"
LESSON = "02_variance"
OF_CLASS, STUDENTS = "01_reinforce", 21


def cloned(commit, place):
    """A checkout of its own, without anything that was made here."""
    subprocess.run(["git", "clone", "--quiet", ROOT, place], check=True)
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=place, check=True)
    return place


def children() -> float:
    """Processor seconds of all that was started from here and has ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def processor_seconds(folder, *arguments) -> float:
    """What ``python -m grader`` costs in this checkout, its workers included."""
    before = children()
    subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return children() - before


def handed_in(folder, place, lesson, students):
    """So many copies of the solved lesson, each a submission."""
    for number in range(students):
        path = place / f"student{number}" / lesson / f"{lesson}.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(folder / "solutions" / "en" / lesson / f"{lesson}.ipynb", path)
    return place


def grading(submitted, out) -> list:
    """The command's arguments."""
    secret = out.parent / "secret"
    folders = ["--submitted", submitted, "--out", out, "--secret-file", secret]
    return ["autograde", *folders, "--jobs", "1"]


def measured(folder, work) -> dict:
    """What is measured -> seconds, for the checkout in this folder."""
    (work / "empty").mkdir(parents=True)
    where = ["--from", "canvas", "--to", work / "to", "--lesson", LESSON]
    collect = ["collect", work / "empty", *where]
    one = grading(handed_in(folder, work / "in", LESSON, 1), work / "out")
    found = {
        "collect, an empty folder": processor_seconds(folder, *collect),
        "one submission of lesson 02": processor_seconds(folder, *one),
        "a rerun, nothing changed": processor_seconds(folder, *one),
    }
    many = handed_in(folder, work / "class", OF_CLASS, STUDENTS)
    processor_seconds(folder, *grading(many, work / "marks"))
    return found | {"a worker's median on lesson 01": worker_seconds(work / "marks")}


def worker_seconds(out) -> float:
    """The median over submissions, by the grader's own table."""
    with open(out / "submissions.csv", encoding="utf-8", newline="") as file:
        return statistics.median(float(row["seconds"]) for row in csv.DictReader(file))


def main(commit=BEFORE):
    """Measures both checkouts one after the other and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        old = cloned(commit, work / "old")
        then, now = measured(old, work / "then"), measured(ROOT, work / "now")
    print(f"| seconds | {commit} | now | ratio |\n|---|---|---|---|")
    for what in now:
        print(f"| {what} | {then[what]:.2f} | {now[what]:.2f} | {now[what] / then[what]:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
