"""This grader against plain ``nbgrader autograde`` on the same submissions: throughput and marks.

``python -m tests.bench_grading [--lesson NAME] [--ours 200] [--plain 8]``. The class is honest:
solved, blank, and with mistakes of the bank. Plain nbgrader (its own Execute, a kernel for each
submission, demonstrations run) takes its time, so it grades the first ``--plain`` of them; both
rates are submissions a minute, start included, on the same machine one after the other.
"""

import argparse
import csv
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bank import load
from bank.cells import cell_of
from grader.course import HERE
from grader.grading.demo import solved_answers
from tests import classroom

CONFIG = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from publish.release import PREPROCESSORS, configuration
c = get_config()
c.merge(configuration())
c.CourseDirectory.course_id = "policy_gradients"
c.CourseDirectory.source_directory = "solutions/en"
c.CourseDirectory.release_directory = "notebooks/en"
c.GenerateAssignment.force = True
c.GenerateAssignment.preprocessors = PREPROCESSORS
c.Execute.timeout = 300
"""


def make_class(course, lesson, folder, count):
    """One in five solved, one blank, the rest with one of the bank's answers, right or wrong."""
    answers = solved_answers(course, lesson)
    exercises = {cell.exercise for cell in course.lesson(lesson).cells if cell.kind == "exercise"}
    wrong = [e for e in load() if e.exercise in exercises and not e.exercise.startswith("train_")]
    texts = [(e.exercise, text) for e in wrong if e.mistake != "too-slow" and (text := cell_of(e))]
    bank = itertools.cycle(sorted(texts, key=lambda one: hash_of(one[1])))
    for number in range(count):
        mine = dict(answers)
        if number % 5 == 1:
            mine = {}
        elif number % 5:
            exercise, text = next(bank)
            mine[f"{exercise}-answer"] = text
        notebook = classroom.blank(course, lesson)
        for cell in notebook["cells"]:
            cell["source"] = mine.get(cell["id"], cell["source"])
        classroom.submit(folder, f"s{number:04}", notebook, name=lesson)


def hash_of(text):
    """A shuffle that is the same in every run."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def environment():
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}


def run(command, cwd):
    """Seconds that a command took, and the most memory (MB) that it and its children held."""
    started, peak, stop = time.perf_counter(), [0.0], threading.Event()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, stop))
    watcher.start()
    _out, errors = process.communicate()
    stop.set()
    watcher.join()
    if process.returncode:
        print(errors[-2000:], file=sys.stderr)
        raise SystemExit(f"{' '.join(command[:4])} ended with {process.returncode}")
    return time.perf_counter() - started, peak[0]


def _watch(pid, peak, stop):
    while not stop.wait(0.5):
        peak[0] = max(peak[0], _tree_mb(pid))


def _tree_mb(root):
    """Proportional memory of a process and everything below it: shared pages count once."""
    parents, sizes = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status = (path / "stat").read_text().rsplit(")", 1)[1].split()
            parents[int(path.name)] = int(status[1])
            text = (path / "smaps_rollup").read_text()
        except (OSError, IndexError):
            continue
        sizes[int(path.name)] = next(
            (int(x.split()[1]) for x in text.splitlines() if x[:4] == "Pss:"), 0
        )
    total = 0
    for pid, size in sizes.items():
        above = pid
        while above not in (0, 1, root):
            above = parents.get(above, 0)
        total += size if above == root else 0
    return total / 1024


def plain(root, lesson, count):
    """Seconds, memory and marks of plain nbgrader on the first ``count`` submissions."""
    (root / "nbgrader_config.py").write_text(CONFIG)
    nbgrader = [sys.executable, "-m", "nbgrader"]
    run([*nbgrader, "generate_assignment", lesson], root)
    for folder in sorted((root / "all").iterdir())[:count]:
        shutil.copytree(folder, root / "submitted" / folder.name)
    seconds, peak = run([*nbgrader, "autograde", lesson], root)
    return seconds, peak, _marks_of_nbgrader(root / "gradebook.db", lesson)


def ours(root, lesson, jobs):
    """Seconds, memory and marks of this grader on all submissions."""
    command = [
        sys.executable,
        "-m",
        "grader",
        "autograde",
        "--submitted",
        str(root / "all"),
        "--out",
        str(root / "out"),
        "--course",
        str(root),
        "--secret-file",
        str(root / "secret"),
        "--jobs",
        str(jobs),
    ]
    seconds, peak = run(command, HERE)
    return seconds, peak, _marks_of_nbgrader(root / "out" / "gradebook.db", lesson)


def _marks_of_nbgrader(path, lesson):
    """(student, cell) -> automatic mark."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{path}", "policy_gradients") as book:
        return {
            (s.student.id, g.name): g.auto_score
            for s in book.assignment_submissions(lesson)
            for notebook in s.notebooks
            for g in notebook.grades
        }


def main(arguments=None):
    """Measures both and prints what came of it; 1 where a mark differs."""
    parsed = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parsed.add_argument("--lesson", default="01_reinforce")
    parsed.add_argument("--ours", type=int, default=200, help="submissions for this grader")
    parsed.add_argument(
        "--plain", type=int, default=8, help="of these for plain nbgrader (0: none)"
    )
    parsed.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    asked = parsed.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        course = classroom.build_course(root, HERE, [asked.lesson])
        make_class(course, asked.lesson, root / "all", asked.ours)
        fast = ours(root, asked.lesson, asked.jobs)
        slow = plain(root, asked.lesson, asked.plain) if asked.plain else None
        slowest = _seconds(root / "out" / "submissions.csv")
    return show(asked, fast, slow, slowest)


def _seconds(path):
    with open(path, encoding="utf-8", newline="") as file:
        return sorted(float(row["seconds"]) for row in csv.DictReader(file))


def show(asked, fast, slow, seconds):
    """Prints the table, the ratio and whether the marks agree."""
    sides = {"this grader": (asked.ours, *fast)}
    if slow:
        sides["plain nbgrader"] = asked.plain, *slow
    print(f"{asked.lesson}, {asked.jobs} jobs, {len(os.sched_getaffinity(0))} cores")
    print(f"{'':16}{'submissions':>12}{'seconds':>10}{'per minute':>12}{'peak MB':>10}{'mean':>8}")
    for name, (count, taken, peak, marks) in sides.items():
        mean = sum(mark or 0 for mark in marks.values()) / count
        row = f"{name:16}{count:12}{taken:10.1f}{60 * count / taken:12.1f}"
        print(row + f"{peak:10.0f}{mean:8.2f}")
    median, slowest = seconds[len(seconds) // 2], seconds[-1]
    print(f"in a worker: {sum(seconds):.0f} s in all, median {median:.2f}, slowest {slowest:.2f}")
    if not slow:
        return 0
    print(f"ratio of throughputs: {asked.ours / fast[0] / (asked.plain / slow[0]):.1f}")
    differ = [key for key, mark in slow[2].items() if fast[2][key] != mark]
    print(f"marks: {len(slow[2])} compared, {len(differ)} differ {differ[:5] if differ else ''}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
