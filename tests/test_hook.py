"""``nbgrader autograde`` goes through the same intake, sandbox and verdicts; nothing stops it."""

import csv
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grader.course import HERE
from grader.grading import autograde as grading
from grader.grading.autograde import Options
from grader.nbgrader_plugin import converters
from grader.records.gradebook import COURSE
from grader.sandbox import doctor
from tests import classroom, forked
from tests.attacks import load
from tests.classroom import NAME, find, submit
from tests.once import once
from tests.warm import executor_for

pytestmark = pytest.mark.skipif(not doctor.can_isolate(), reason="this machine can't isolate")

# One of each sort that plain nbgrader stumbles over, and some that forge.
CHOSEN = (
    "input_transformers",
    "comparisons_patched",
    "run_code_replaced",
    "check_cell_edited",
    "points_raised",
    "check_cells_deleted",
    "outputs_stored_as_passed",
    "intake_metadata_forged",
    "cut_off",
    "empty_file",
    "future_format",
    "nbformat_3",
    "schema_of_the_future",
    "metadata_of_wrong_types",
    "every_cell_twice",
    "foreign_kernel",
    "surrogates",
    "script_everywhere",
    "another_name",
    "linked_notebook",
    "linked_folder",
    "library_beside_it",
    "links_beside_it",
    "timestamp_of_nonsense",
    "abort",
    "print_of_many_megabytes",
)
API = (
    "import json; from nbgrader.apps.api import NbGraderAPI;"
    "from nbgrader.apps.baseapp import NbGrader; app = NbGrader();"
    "app.config_file = 'nbgrader_config'; app.load_config_file();"
    "api = NbGraderAPI(config=app.config);"
)


def environment(folder):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(HERE),
        "COURSE_SECRET_FILE": str(folder / "secret"),
    }


def nbgrader(folder, *arguments):
    return forked.run(["-m", "nbgrader", *arguments], folder, environment(folder))


def make_class(folder):
    """The class graded by nbgrader with the repository's own configuration, and by ourselves."""
    course = classroom.build_course(folder)
    shutil.copy(HERE / "nbgrader_config.py", folder)
    (folder / "secret").write_text("ab" * 32)
    (folder / "secret").chmod(0o600)
    for attack in load():
        if attack.name in CHOSEN:
            if attack.writes_itself:
                attack.make(course, folder / "submitted" / attack.name / NAME)
            else:
                submit(folder / "submitted", attack.name, attack.make(course))
    submit(folder / "submitted", "solved", classroom.solved(course, q_why="Because <b>so</b>."))
    submit(folder / "submitted", "blank", classroom.blank(course))
    done = [nbgrader(folder, "generate_assignment", NAME), nbgrader(folder, "autograde", NAME)]
    secret = folder / "secret"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grading, "executor_for", executor_for)
        grading.autograde(
            Options(folder / "submitted", folder / "ours", course, secret_file=secret)
        )
    return folder, [(one.returncode, one.stderr) for one in done]


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    return once(tmp_path_factory, "hook", make_class)


def marks(path):
    """(student, cell) -> (automatic mark, whether it waits)."""
    with Gradebook(f"sqlite:///{path}", COURSE) as book:
        return {
            (s.student.id, g.name): (g.auto_score, g.needs_manual_grade)
            for s in book.assignment_submissions(NAME)
            for n in s.notebooks
            for g in n.grades
        }


def test_batch_runs_to_its_end(graded):
    _folder, done = graded
    assert [status for status, _errors in done] == [0, 0], done[1][1][-3000:]


def test_marks_are_those_of_our_own_command(graded):
    folder, _done = graded
    theirs, ours = marks(folder / "gradebook.db"), marks(folder / "ours" / "gradebook.db")
    # nbgrader passes over a folder in which it sees no notebook at all.
    ours = {key: mark for key, mark in ours.items() if key[0] != "linked_folder"}
    assert {student for student, _cell in ours} == {*CHOSEN, "solved", "blank"} - {"linked_folder"}
    assert theirs == ours


def test_links_and_foreign_files_are_not_copied(graded):
    folder, _done = graded
    for path in (folder / "autograded").rglob("*"):
        assert not path.is_symlink()
        if path.is_file():
            assert path.suffix in (".ipynb", ".txt") and b"root:x:0" not in path.read_bytes()
    assert not list((folder / "autograded").rglob("*.py"))


def test_a_sparse_file_is_not_copied_until_the_disk_is_full(tmp_path):
    for name, size in (("a.txt", 5), ("b.bin", 1 << 40), ("c.bin", 60 << 20), ("d.bin", 60 << 20)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
    found = converters.regular_files(str(tmp_path))
    assert sum(os.path.getsize(name) for name in found) <= converters.MOST_COPIED
    assert str(tmp_path / "a.txt") in found


def test_reasons_are_in_the_log_and_in_the_notebook(graded):
    folder, done = graded
    for words in (
        "cut_off/01_tiny: refused. The file is not valid JSON",
        "was called 'other name.ipynb'",
    ):
        assert words in done[1][1]
    notebook = json.loads((folder / "autograded" / "cut_off" / NAME / f"{NAME}.ipynb").read_text())
    assert "not valid JSON" in "".join(notebook["cells"][0]["source"])


def test_feedback_and_formgrader_show_no_students_markup(graded):
    folder, _done = graded
    done = nbgrader(folder, "generate_feedback", NAME, "--student", "script_everywhere")
    assert done.returncode == 0, done.stderr
    page = (folder / "feedback" / "script_everywhere" / NAME / f"{NAME}.html").read_text()
    assert "<script>document.title" not in page and "<img src=x" not in page
    assert 'href="javascript' not in page


def test_formgrader_can_open_every_submission(graded):
    """The page behind its list: the same API, and a notebook on disk for each row."""
    folder, _done = graded
    code = (
        f"{API} rows = api.get_submissions('{NAME}');"
        "print(json.dumps([[s['student'], s['autograded'], s['score']] for s in rows]))"
    )
    for place in (folder, folder / "ours"):
        done = forked.run(["-c", code], place, environment(folder))
        assert done.returncode == 0, done.stderr
        listed = {
            student: (autograded, score)
            for student, autograded, score in json.loads(done.stdout.splitlines()[-1])
        }
        assert listed["solved"] == (True, 5.0) and listed["blank"] == (True, 0.0)
        for student, (autograded, _score) in listed.items():
            if autograded:
                assert (place / "autograded" / student / NAME / f"{NAME}.ipynb").is_file()


def test_button_of_formgrader_goes_through_the_sandbox(graded, tmp_path):
    """NbGraderAPI.autograde is what the button calls."""
    folder, _done = graded
    code = f"{API} print(json.dumps(api.autograde('{NAME}', 'input_transformers')))"
    root = tmp_path / "course"
    shutil.copytree(folder / "ours", root, ignore=shutil.ignore_patterns("input_transformers"))
    done = forked.run(["-c", code], root, environment(folder))
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["success"], result
    notebook = json.loads(
        (root / "autograded" / "input_transformers" / NAME / f"{NAME}.ipynb").read_text()
    )
    errors = [o for o in find(notebook, "softmax")["outputs"] if o["output_type"] == "error"]
    assert errors
    assert marks(root / "gradebook.db")["input_transformers", "softmax"] == (0.0, False)


def test_grades_export(graded):
    folder, _done = graded
    assert nbgrader(folder, "export", "--to=x.csv").returncode == 0
    with open(folder / "x.csv", encoding="utf-8") as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert rows["solved"] == 5.0 and rows["input_transformers"] == 0.0
