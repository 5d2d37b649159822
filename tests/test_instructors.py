"""Guides do what they say: the ten commands and the worked examples of checks are run."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import types
import urllib.request
import zipfile
from pathlib import Path

import pytest

import bank
from grader.checks.judge import run_check
from grader.probes import runtime
from tests import classroom
from tests.jupyter import address_of
from tests.publishing import publish
from tests.sandboxes import needs_walls

pytestmark = pytest.mark.xdist_group("instructors")
ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
SPANISH = (ROOT / "docs" / "es" / "instructors.md").read_text(encoding="utf-8")
RECIPE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LESSON = "01_reinforce"
ROSTER = "Student,ID,SIS User ID,SIS Login ID,Section\nAda,1234,,ada,A\nBen,77,,ben,A\n"


def commands(number=0, guide=GUIDE):
    """The commands of one of the guide's blocks, in order: Canvas, Moodle, a hub, the exchange."""
    block = re.findall(r"```bash\n(.*?)```", guide, re.DOTALL)[number]
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def example(name):
    """The part of the worked example that begins with this file's name."""
    return re.search(rf"```python\n# {re.escape(name)}\n(.*?)```", RECIPE, re.DOTALL)[1]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The course with one tiny lesson in place of its own, as a git repository."""
    root = tmp_path_factory.mktemp("repository") / "course"
    hidden = shutil.ignore_patterns("__pycache__", "tests")
    for package in ("grader", "policy_gradients", "publish"):
        shutil.copytree(ROOT / package, root / package, ignore=hidden)
    for file in (
        "Makefile",
        "pyproject.toml",
        "postBuild",
        "requirements.lock",
        "README.md",
        "nbgrader_config.py",
        ".gitignore",
    ):
        shutil.copy(ROOT / file, root / file)
    (root / "lessons").mkdir()
    shutil.copy(classroom.TINY / "lessons" / "01_tiny.py", root / "lessons" / f"{LESSON}.py")
    classroom.build_course(root, root)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", root]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "course"]):
        subprocess.run([*git, *arguments], check=True)
    return root


CANVAS = f"lovelaceada_1234_1_{LESSON}.ipynb", f"ben_LATE_77_2_{LESSON}.ipynb"
MOODLE = (
    f"Ada Lovelace_1234_assignsubmission_file_/{LESSON}.ipynb",
    f"Ben Doe_77_assignsubmission_file_/{LESSON}.ipynb",
)
WORKSHEET = (
    "Identificador;Nombre completo;Dirección de correo;Calificación;Calificación máxima;"
    "Última modificación (entrega);Última modificación (calificación)\n"
    'Participante 1234;Ada;ada@x.org;;"9,00";domingo, 29 de noviembre de 2026, 22:15;-\n'
    'Participante 77;Ben;ben@x.org;;"9,00";lunes, 30 de noviembre de 2026, 1:15;-\n'
)
DEADLINES = (
    f"# 50% a day, grace 1 hour\nlesson,student,due\n{LESSON},,2026-11-29 23:00 Europe/Madrid\n"
)


def prepare(folder, repository, names=CANVAS):
    """What an instructor has besides the course: a download and the platform's table."""
    course = classroom.Course(repository)
    ada = classroom.solved(course, LESSON, q_why="Because.")
    ben = classroom.solved(course, LESSON, softmax="def softmax(x):\n    return x\n")
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for name, notebook in zip(names, (ada, ben), strict=True):
            archive.writestr(name, json.dumps(notebook))
    (folder / "canvas.csv").write_text(ROSTER)
    (folder / "worksheet.csv").write_text(WORKSHEET, encoding="utf-8-sig")


def environment(folder, system="C.UTF-8"):
    """The guide's one terminal, and the language of the system."""
    return {
        **os.environ,
        "LC_ALL": system,
        "PYTHONPATH": "",
        "OMP_NUM_THREADS": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }


def shell(command, folder, system="C.UTF-8"):
    """Runs one command there; returns what it printed."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(folder, system),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def formgrader(command, folder):
    """Starts the command's JupyterLab, asks its formgrader for the class, and stops it."""
    assert command == "(cd out/marks && jupyter lab)"
    words = "exec jupyter lab --no-browser --allow-root --port=0 --IdentityProvider.token=t"
    runtime_folder = folder / "runtime"
    environment = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(runtime_folder),
        "PYTHONPATH": str(folder),
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.Popen(
        ["bash", "-c", words],
        cwd=folder / "out" / "marks",
        env={**environment, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = address_of(process, runtime_folder)
        asked = urllib.request.Request(
            f"{address}formgrader/api/assignments", headers={"Authorization": "token t"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return {one["name"]: one for one in json.load(answer)}[LESSON]
    finally:
        process.terminate()
        process.wait(timeout=60)


def mark(command, folder):
    """Marks Ada's text on the page that the command serves, and ends it with Ctrl+C."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command} --no-browser"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = re.search(r"http://\S+", process.stdout.readline())[0]
        with urllib.request.urlopen(f"{address}{LESSON}/q_why", timeout=120) as answer:
            page = answer.read().decode()
        (text,) = re.findall(r'data-id="(\w+)"', page)
        assert "Because." in page and "1234" not in page.replace(address, "")
        told = {"id": text, "ticks": [], "points": 3, "comment": "Well said."}
        asked = urllib.request.Request(
            f"{address}mark/{LESSON}/q_why",
            json.dumps(told).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=120) as answer:
            assert json.load(answer) == {"score": 3.0, "waiting": 0}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()


def feedback(folder, student):
    return (folder / "out/marks/feedback" / student / LESSON / f"{LESSON}.html").read_text()


@needs_walls
def test_the_ten_commands(repository, tmp_path):
    """The installation is not run; the clicks in the formgrader are a mark in its gradebook."""
    said = commands()
    assert len(said) == 10
    course = tmp_path / "course"
    shell(said[0].replace("ADDRESS", str(repository)), tmp_path)
    prepare(course, repository)
    assert said[1] == "make setup && . .venv/bin/activate"
    assert "pip" in shell("make --dry-run setup", course)
    assert said[2] == "python -m grader doctor"
    assert "can be isolated here" in shell(said[2], course)
    shell(said[3], course)
    with zipfile.ZipFile(course / f"{LESSON}.zip") as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".ipynb")]
        assert b"secret_total" not in packed.read(name)
    assert "1234: new" in shell(said[4], course)
    assert "Submissions: 2. Graded: 2." in shell(said[5], course)
    (opened,) = re.findall(r"`(\(cd out/marks && jupyter lab\))`", GUIDE)
    assert formgrader(opened, course)["num_submissions"] == 2
    before = feedback(course, "1234")
    mark(said[6], course)
    shell(said[7], course)
    assert feedback(course, "1234") != before and "Well said." in feedback(course, "1234")
    shell(said[8], course)
    with open(course / "marks.csv", newline="") as file:
        marks = {row["ID"]: row[LESSON] for row in csv.DictReader(file)}
    assert (marks["1234"], marks["77"]) == ("8", "2")
    shell(said[9], course)
    with zipfile.ZipFile(course / "feedback.zip") as packed:
        names = packed.namelist()
        assert names == [name.replace(".ipynb", ".html") for name in sorted(CANVAS)]


@needs_walls
def test_moodles_commands(repository, tmp_path):
    """From the worksheet in Spanish to the worksheet in Spanish, with a deadline on the way: as the
    Spanish guide says, on a machine that speaks Spanish."""
    clone, _setup, doctor, *_others = commands(0, SPANISH)
    collect, grade, export, back = commands(1, SPANISH)
    course = tmp_path / "course"

    def told(command, folder=course):
        return shell(command, folder, system="es_ES.UTF-8")

    told(clone.replace("DIRECCIÓN", str(repository)), tmp_path)
    prepare(course, repository, MOODLE)
    (course / "deadlines.csv").write_text(DEADLINES)
    assert told(doctor).splitlines()[-1] == "Aquí se pueden aislar las entregas."
    assert "ada@x.org: nuevo" in told(collect)
    assert "Entregas: 2. Corregidas: 2." in told(grade)
    mark(commands(0, SPANISH)[6], course)
    told(grade)
    told(export)
    with open(course / "marks.csv", newline="", encoding="utf-8") as file:
        marks = {
            row["Nombre completo"]: row["Calificación"]
            for row in csv.DictReader(file, delimiter=";")
        }
    assert marks == {"Ada": "8", "Ben": "1"}  # two points, handed in late: one is lost
    assert "2 h 15 min" in feedback(course, "ben@x.org")
    told(back)
    with zipfile.ZipFile(course / "feedback.zip") as packed:
        assert packed.namelist() == [name.replace(".ipynb", ".html") for name in MOODLE]


def test_the_worked_example_builds_and_hands_out_no_solution(tmp_path):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "09_scale.py").write_text(example("lessons/09_scale.py"))
    assert publish(tmp_path, "--no-execute", registered={"scaled_rewards"}) == 0
    student = (tmp_path / "notebooks/en/09_scale/09_scale.ipynb").read_text()
    assert "raise NotImplementedError" in student and "dtype=float" not in student


def test_the_worked_examples_check_names_the_mistakes_of_its_bank(monkeypatch):
    module = types.ModuleType("lesson_09")
    exec(example("grader/checks/lesson_09.py"), vars(module))
    (exercise,) = module.EXERCISES
    monkeypatch.setattr(bank, "ENTRIES", [])
    exec(example("bank/lesson_09.py"), {"__name__": "bank_09"})
    solution = {"np": __import__("numpy")}
    exec(
        example("lessons/09_scale.py").split('exercise="scaled_rewards"')[1].split("# %%")[0],
        solution,
    )
    entries = [*bank.ENTRIES, bank.Entry("scaled_rewards", "own", solution["scaled_rewards"], None)]
    assert len(entries) == 4
    for entry in entries:
        probe = types.MethodType(_probe, entry.answer)
        verdict = run_check(exercise, probe, seed=1)
        told = None if verdict.passed else verdict.mistake or f"step:{verdict.step}"
        assert told == entry.mistake, entry.label


def judged(exercise, answer):
    """The verdict's mistake, or its step where no mistake is named; None where it passes."""
    name = exercise.name

    def probe(request, ask):
        return runtime.run({name: answer}, name, request, ask)

    verdict = run_check(exercise, probe, seed=1)
    return None if verdict.passed else verdict.mistake or verdict.step


def test_the_other_kinds_of_exercise_judge_as_the_recipe_says():
    gradients, rule = ({}, {})
    exec(example("a truth with gradients"), gradients)
    exec(example("a rule"), rule)
    assert judged(gradients["EXERCISE"], lambda v, r: ((v - r.detach()) ** 2).mean()) is None
    assert judged(gradients["EXERCISE"], lambda v, r: ((v - r) ** 2).mean()) == "gradient-into-data"
    assert judged(gradients["EXERCISE"], lambda v, r: ((v - r) ** 2).mean().detach()) == "detached"
    assert judged(rule["EXERCISE"], lambda weights: weights / weights.sum()) is None
    assert judged(rule["EXERCISE"], lambda weights: weights / weights.max()) == "not-normalised"


def _probe(answer, request, ask):
    return runtime.run({"scaled_rewards": answer}, "scaled_rewards", request, ask)
