"""No submission of tests/attacks earns what it didn't solve, hangs, harms a neighbour or leaks."""

import ast
import csv
import hashlib
import inspect
import json
import os
import re
from pathlib import Path

import pytest

from grader.course import HERE
from grader.grading.autograde import Options, autograde
from grader.records.secret import read_secret, seeds_of
from grader.sandbox import Limits, doctor
from grader.sandbox.zygote import uses_torch
from tests import attacks, classroom
from tests.attacks import theft
from tests.classroom import NAME, code, insert_after, submit
from tests.once import once

pytestmark = [
    pytest.mark.skipif(not doctor.can_isolate(), reason="this machine can't isolate"),
    # One process of tests waits for the run; the other goes on.
    pytest.mark.xdist_group("attacks"),
]
# Those that are stopped by the submission's limit come first: others are graded meanwhile. While
# two workers wait for the first two, the third alone loads torch and takes those that name it.
LONGEST = ("many_slow_cells", "endless_function_that_catches_everything", "endless_function")


def turn(attack):
    if attack.name in LONGEST:
        return 2 if attack.name == LONGEST[2] else 0
    return 1 if uses_torch(inspect.getsource(attack.make)) else 3


ALL = sorted(attacks.load(), key=turn)
FULL = {"softmax": "3", "discounted_return": "2"}
LIMITS = Limits(
    cell_seconds=1.5,
    submission_seconds=16,
    grace_seconds=0.5,
    memory_mb=512,
    files_mb=32,
    cores=0.5,  # what goes on until its time is over costs these tests half as much
)
NAMED = {attack.name: f"a{number:03d}_{attack.name}" for number, attack in enumerate(ALL)}
SEEKER = "seeker_that_has_something_to_find"
PLANTED = """import os
walked, scan = [], os.scandir
os.scandir = lambda path: walked.append(path) or scan(path)
for name in ("gradebook.db", "other.ipynb"):
    open(name, "w").close()"""


def class_run(folder):
    """Every attack with an honest neighbour right behind it, graded in one run."""
    course = classroom.build_course(folder / "course")
    before = _packages()
    for attack in ALL:
        student = NAMED[attack.name]
        if attack.writes_itself:
            attack.make(course, folder / "in" / student / NAME)
        else:
            submit(folder / "in", student, attack.make(course))
        submit(folder / "in", f"{student}~honest", neighbour(course, folder / "in" / student))
    submit(folder / "in", SEEKER, seeker(course))
    os.environ["COURSE_SECRET_CANARY"] = "canary-in-the-environment"
    counts = autograde(
        Options(
            folder / "in",
            folder / "out",
            course,
            jobs=3,
            limits=LIMITS,
            secret_file=folder / "secret",
        )
    )
    return {"folder": folder, "counts": counts, "untouched": before == _packages()}


def neighbour(course, folder):
    """An honest submission that gets the same warm process as the attack in ``folder``."""
    texts = [path.read_bytes() for path in folder.rglob("*.ipynb") if path.is_file()]
    notebook = classroom.solved(course)
    if any(map(uses_torch, texts)):
        insert_after(notebook, "setup-1", code("import torch"))
    return notebook


def seeker(course):
    """looks_for_files, where there are two files to find."""
    notebook = theft.looks_for_files(course)
    insert_after(notebook, "setup-1", code(PLANTED))
    insert_after(notebook, "softmax-answer", code("print('WALKED', len(walked))"))
    return notebook


def _packages():
    """A digest of the packages that a submission sees."""
    digest = hashlib.sha256()
    for package in ("policy_gradients", "grader"):
        for path in sorted((HERE / package).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    result = once(tmp_path_factory, "attacks", class_run)
    out = result["folder"] / "out"
    result["marks"], result["rows"] = {}, {}
    for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8")):
        result["marks"].setdefault(row["student"], {})[row["exercise"]] = row
    for row in csv.DictReader((out / "submissions.csv").open(encoding="utf-8")):
        result["rows"][row["student"]] = row
    return result


def outputs(graded, student):
    """Everything that the student's cells printed or raised."""
    path = graded["folder"] / "out" / "autograded" / student / NAME / f"{NAME}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.exists() else []
    texts = [
        json.dumps(cell["outputs"])
        for cell in cells
        if cell.get("outputs") and cell["metadata"]["policy_gradients"]["kind"] != "check"
    ]
    return "\n".join(texts)


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_attack_gets_its_due_and_no_more(graded, attack):
    student = NAMED[attack.name]
    row, marks = graded["rows"][student], graded["marks"].get(student, {})
    for name in FULL:
        due = attack.earned.get(name, 0)
        allowed = due if isinstance(due, tuple) else (due,)
        assert float(marks[name]["score"]) in allowed, marks[name]
    assert row["status"] in attack.status, row
    assert row["reason"] or row["status"] == "graded"


@pytest.mark.parametrize("attack", [a for a in ALL if a.told], ids=lambda attack: attack.name)
def test_instructor_is_told(graded, attack):
    student = NAMED[attack.name]
    report = (graded["folder"] / "out" / "report.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr><td>.*?</tr>", report, re.DOTALL)
    mine = " ".join(row for row in rows if f">{student}<" in row)
    assert attack.told in mine + graded["rows"][student]["reason"]


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_neighbour_is_unharmed(graded, attack):
    student = f"{NAMED[attack.name]}~honest"
    marks = graded["marks"][student]
    assert {name: marks[name]["score"] for name in FULL} == FULL
    assert graded["rows"][student]["status"] == "graded"


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_attack_finds_nothing(graded, attack):
    text = outputs(graded, NAMED[attack.name])
    looks = 'print("FOUND"' in inspect.getsource(attack.make)
    # Where an attack looks for something, what it says of it is there to be read.
    assert re.findall(r"FOUND (.{0,200}?)(?:\\n|\"|$)", text) == ["[]"] * looks
    assert "canary-in-the-environment" not in text


def test_attack_that_looks_for_files_would_find_them_soon(graded):
    text = outputs(graded, SEEKER)
    (found,) = re.findall(r"FOUND (\[.*?\])", text)
    assert set(ast.literal_eval(found)) == {"/tmp/work/gradebook.db", "/tmp/work/other.ipynb"}
    (walked,) = re.findall(r"WALKED (\d+)", text)
    assert int(walked) < 1_000, "it would run into a cell's limit on a busy machine"


def test_free_texts_never_get_points_by_themselves(graded):
    assert {marks["q_why"]["score"] for marks in graded["marks"].values()} <= {"0", ""}


def test_every_submission_has_a_status(graded):
    assert len(graded["rows"]) == 2 * len(ALL) + len([SEEKER]) == graded["counts"].total()
    assert "failed" not in graded["counts"]


def test_nothing_outlives_the_run(graded):
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(process.read_bytes())
        except OSError:
            continue
    assert not [line for line in lines if attacks.MARKER.encode() in line]
    left = (
        "/tmp/course-attack-marker",
        "/tmp/course-attack-letter",
        "/dev/shm/course-attack-letter",
    )
    assert not [path for path in left if os.path.exists(path)]
    assert graded["untouched"]


def test_nothing_of_the_machine_reaches_the_results(graded):
    secret = (graded["folder"] / "secret").read_text()
    seeds = seeds_of(read_secret(graded["folder"] / "secret"), NAME, FULL).values()
    forbidden = [secret, *map(str, seeds), "root:x:0:0", "hidden rubric", "secret_total"]
    for path in (graded["folder"] / "out").rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            assert not [word for word in forbidden if word in text], path
            assert not path.is_symlink()


def test_no_page_runs_a_script(graded):
    pages = list((graded["folder"] / "out").rglob("*.html"))
    assert len(pages) > len(ALL)
    for page in pages:
        text = page.read_text(encoding="utf-8").lower()
        assert "<script" not in text and "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", text)
        assert not re.search(r"(src|href)=.?(https?:|javascript:|//)", text)


def test_no_cell_of_a_table_is_a_formula(graded):
    for name in ("grades.csv", "submissions.csv"):
        for row in csv.reader((graded["folder"] / "out" / name).open(encoding="utf-8")):
            assert not [cell for cell in row if cell[:1] in ("=", "+", "@", "\t")]
