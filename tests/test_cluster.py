"""The same grading on a Dask cluster of two workers, one of which is killed."""

import os
import signal
import subprocess
import sys

import pytest

from grader.course import HERE
from grader.executor import cluster
from grader.executor.cluster import ClusterExecutor
from grader.executor.settings import CannotGrade, Settings
from grader.grading.autograde import Options, autograde
from grader.records.outcome import Task
from grader.sandbox import doctor
from tests import classroom
from tests.classroom import NAME, submit

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.skipif(not doctor.can_isolate(), reason="this machine can't isolate")


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    """A scheduler and two worker processes of one thread each: (address, processes)."""
    folder = tmp_path_factory.mktemp("cluster")
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
    }

    def start(*command):
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    file = folder / "scheduler.json"
    scheduler = start(
        "distributed.cli.dask_scheduler",
        "--scheduler-file",
        str(file),
        "--port",
        "0",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
    )
    workers = [
        start(
            "distributed.cli.dask_worker",
            "--scheduler-file",
            str(file),
            "--nthreads",
            "1",
            "--no-dashboard",
            "--no-nanny",
            "--name",
            f"w{n}",
        )
        for n in range(2)
    ]
    with distributed.Client(scheduler_file=str(file), timeout=60) as client:
        client.wait_for_workers(2, timeout=120)
        address = client.scheduler.address
    yield address, workers
    for process in [*workers, scheduler]:
        process.kill()
        process.wait()


def test_cluster_gives_the_same_marks_though_a_worker_dies(two_workers, tmp_path):
    address, workers = two_workers
    course = classroom.build_course(tmp_path / "course")
    for number in range(8):
        notebook = classroom.solved(course) if number % 2 else classroom.blank(course)
        submit(tmp_path / "in", f"s{number}", "broken" if number == 6 else notebook)
    seen = []

    def watch(total):
        def told(student, lesson, outcome):
            seen.append(student)
            if len(seen) == 2:
                workers[0].send_signal(signal.SIGKILL)

        return told

    def options(out, **more):
        return Options(
            tmp_path / "in", tmp_path / out, course, secret_file=tmp_path / "secret", **more
        )

    counts = autograde(options("cluster", scheduler=address), watch)
    autograde(options("local", jobs=1))
    assert counts == {"graded": 7, "refused": 1}
    marks = [(tmp_path / out / "grades.csv").read_text() for out in ("cluster", "local")]
    assert marks[0] == marks[1]


def test_worker_with_other_code_is_refused(two_workers, tmp_path):
    address, _workers = two_workers
    lesson = classroom.build_course(tmp_path).lesson(NAME)
    with (
        ClusterExecutor(address, Settings(version="another")) as executor,
        pytest.raises(CannotGrade, match="another version"),
    ):
        list(executor.run(iter([(0, Task("s", lesson, b"{}", {}))])))


def test_tasks_on_the_way_are_bounded(two_workers, monkeypatch):
    address, _workers = two_workers
    pulled, finished, most = 0, 0, 0

    def tasks():
        nonlocal pulled
        for number in range(30):
            pulled += 1
            yield number, f"task {number}"

    def echo(task, settings):  # in here, so that it travels without this module
        return "done", task

    monkeypatch.setattr(cluster, "mark_there", echo)
    with ClusterExecutor(address, Settings()) as executor:
        room = executor._room()
        for _key, _answer in executor.run(tasks()):
            finished += 1
            most = max(most, pulled - finished)
    assert finished == 30 and most <= room


def test_task_that_fails_everywhere_is_given_up(two_workers, monkeypatch):
    address, _workers = two_workers
    tries = []

    def submit_counted(self, key, task, number, running, done):
        tries.append(number)
        original(self, key, task, number, running, done)

    def burst(task, settings):
        raise RuntimeError("burst")

    original = ClusterExecutor._submit
    monkeypatch.setattr(ClusterExecutor, "_submit", submit_counted)
    monkeypatch.setattr(cluster, "mark_there", burst)
    with ClusterExecutor(address, Settings()) as executor:
        outcomes = dict(executor.run(iter([("a", 1), ("b", 2)])))
    assert {key: one.status for key, one in outcomes.items()} == {"a": "failed", "b": "failed"}
    assert sorted(tries) == [1, 1, 2, 2]


def test_no_scheduler_is_a_clear_error():
    with pytest.raises(CannotGrade, match="no scheduler answers at"):
        ClusterExecutor("nonsense", Settings())


def test_dask_is_imported_only_when_asked_for():
    code = "import sys, grader.grading.autograde, grader.executor.local;"
    code += "print('distributed' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    assert done.stdout.strip() == "False"
